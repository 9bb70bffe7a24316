#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what `kernel-filter` saves, and where: dfcd on live traffic in network namespaces, with
programs in the kernel and without.

    tests/bench/prefilter.py                # builds what is needed, measures, prints the table
    tests/bench/prefilter.py --quick        # shorter, fewer rates
    tests/bench/prefilter.py --markdown     # the table in Markdown
    tests/bench/prefilter.py --json out.json

For each number of criteria, share of hits and rate, one after the other with and without: the
processor time of dfcd per packet on the link; that of all that takes part, of which the sender's own
work, the same in both, is the most; how fast the sender got where it sent as fast as it can. The
program in the kernel runs while a packet is received, in softirq, which counts for the sender or for
ksoftirqd. Other programs do not count, but share the caches. Needs root. README.md beside this file
says what it came to.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import resource
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
import lab  # noqa: E402 (the paths are set first)
import load  # noqa: E402
import traffic  # noqa: E402
from bench_common import (  # noqa: E402
    Failed, add_options, build_programs, bullets, fill_in, progress, run_program, surroundings,
    write_json)
from live import NOBODY, processor_time  # noqa: E402

PROGRAMS = ["examples/dfcd/dfcd", "tests/support/traffic/send_traffic",
            "tests/support/traffic/receive_traffic"]
QUICK = {"seconds": 2, "runs": 1, "rates": (100_000, None)}
USUAL = {"seconds": 5, "runs": 3, "rates": (10_000, 50_000, 100_000, 200_000, None)}
STATEMENT = {"without": "", "with": "kernel-filter;"}


@dataclasses.dataclass
class Scene:
    """So many criteria, of which those have traffic that make so many of a thousand packets hit."""
    criteria: int
    hits_per_mille: int

    @property
    def tapped(self):
        """Criteria with traffic; the others name hosts that send and receive nothing."""
        return min(self.criteria, 200 if self.hits_per_mille == 50 else 4)

    @property
    def flows(self):
        return self.tapped * 1000 // self.hits_per_mille

    def add(self, device, stream):
        every = self.flows // self.tapped
        for each in range(self.tapped):
            load.add(device, stream.filter(each * every, each % 5), [load.FIRST])
        for each in range(self.criteria - self.tapped):
            address = "172.%d.%d.%d" % (16 + each % 16, each // 256, each % 256)
            load.add(device, [("Dest-Address", address)], [load.FIRST])


def softirq_threads():
    """The threads that do what softirqs leave."""
    return [int(each.parent.name) for each in pathlib.Path("/proc").glob("[0-9]*/comm")
            if each.read_text(encoding="ascii").startswith("ksoftirqd/")]


def time_of_ended():
    """Seconds of processor time of the programs that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def time_of_all(dfcd):
    """Seconds of processor time of those that take part: dfcd, senders, softirqs."""
    return time_of_ended() + sum(map(processor_time, [dfcd.process.pid, *softirq_threads()]))


def decoded(told):
    return sum(told["decoded"].values())


def run(net, scene, kind, rate, options):
    """One run: what was measured, per packet that was sent, in nanoseconds."""
    stream = traffic.Stream(scene.flows)
    more = {} if rate is None else {"rate": rate}
    count = int(options.seconds * (rate or 400_000))
    with contextlib.ExitStack() as stack:
        dfcd = stack.enter_context(load.dfcd(
            net, "--promiscuous", flow_tap="filter-limit 2000; " + STATEMENT[kind],
            processor=options.core))
        device = stack.enter_context(load.device(net, dfcd))
        board = stack.enter_context(traffic.Board())
        scene.add(device, stream)
        stack.enter_context(load.receiver(net, stream, board, processor=options.core))
        time.sleep(1)  # until nothing is merged or made any more
        used, all_used = processor_time(dfcd.process.pid), time_of_all(dfcd)
        with load.sender(net, stream, board, to=NOBODY, processor=options.sender_core,
                         count=count, **more) as sender:
            sent = sender.report()
        time.sleep(0.5)  # what is in the ring still
        used = processor_time(dfcd.process.pid) - used
        all_used = time_of_all(dfcd) - all_used
        told = load.stop(dfcd, device)
    return {"dfcd": used / count * 1e9, "all": all_used / count * 1e9,
            "rate": count / sent["nanoseconds"] * 1e3, "reached": decoded(told) / count,
            "lost": told["lost"], "tapped": told["tapped"] / count}


def measure(net, options):
    """Rows: what was asked for, and the medians with and without."""
    rows = []
    for criteria in options.criteria:
        for hits in (50, 1):
            for rate in options.rates:
                runs = {kind: [] for kind in STATEMENT}
                for _ in range(options.runs):
                    for kind, of in runs.items():
                        of.append(run(net, Scene(criteria, hits), kind, rate, options))
                row = {"criteria": criteria, "hits": hits / 10, "asked": rate}
                for kind, of in runs.items():
                    row[kind] = {what: statistics.median(each[what] for each in of)
                                 for what in of[0]}
                rows.append(row)
                progress(f"{criteria} criteria, {hits / 10} % hits, {rate or 'most'} pps: dfcd "
                         f"{row['without']['dfcd']:.0f} -> {row['with']['dfcd']:.0f} ns, all "
                         f"{row['without']['all']:.0f} -> {row['with']['all']:.0f} ns, "
                         f"{100 * row['with']['reached']:.1f} % reached dfcd")
    return rows


def cells(row):
    def pair(what, digits=0):
        return [f"{row[kind][what]:.{digits}f}" for kind in STATEMENT]
    asked = f"{row['asked'] / 1e6:g}" if row["asked"] else "most: " + "/".join(pair("rate", 2))
    saved = row["without"]["all"] - row["with"]["all"]
    return [str(row["criteria"]), f"{row['hits']:g} %", asked, *pair("dfcd"), *pair("all"),
            f"{saved:+.0f}", f"{100 * row['with']['reached']:.1f} %", "/".join(pair("lost"))]


HEAD = ["criteria", "hits", "Mpps", "dfcd, ns a packet", "with", "all, ns a packet", "with",
        "saved, ns", "reaches dfcd", "lost"]


def table(rows, markdown):
    lines = [HEAD] + [cells(row) for row in rows]
    if markdown:
        lines.insert(1, ["---"] * len(HEAD))
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths))
                     for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add_options(parser, "shorter, fewer rates", "build-bench-programs", only=None)
    parser.add_argument("--seconds", type=float, help="how long each run sends")
    parser.add_argument("--runs", type=int, help="the medians of so many runs count")
    options = parser.parse_args()
    options.core = max(os.sched_getaffinity(0))
    options.sender_core = min(os.sched_getaffinity(0))
    fill_in(options, QUICK, USUAL)
    options.criteria = (1, 100, 1000)
    options.build_directory = options.build_directory.resolve()
    if os.geteuid() != 0:
        raise Failed(3, "network namespaces need root")
    if not options.no_build:
        build_programs(options.build_directory, PROGRAMS)
    lab.BUILD = str(options.build_directory)
    lab.DFCD, traffic.SEND, traffic.RECEIVE = (
        str(options.build_directory / each) for each in PROGRAMS)
    about = surroundings(options.build_directory, options.core, "dfcd")
    with load.topology() as net:
        rows = measure(net, options)
    write_json(options.json, {"about": about, "rows": rows})
    print(bullets(f"{name}: {value}" for name, value in about.items()) + "\n")
    print(table(rows, options.markdown))
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))
