#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what `kernel-filter` saves, and where: dfcd on live traffic in network namespaces, with
programs in the kernel and without.

    tests/bench/prefilter.py                # builds what is needed, measures, prints the table
    tests/bench/prefilter.py --quick        # shorter, fewer rates
    tests/bench/prefilter.py --markdown     # the table in Markdown
    tests/bench/prefilter.py --json out.json

For each number of criteria, share of hits and rate, one after the other with and without: the
processor time of dfcd per packet on the link; that of the whole machine, of which the sender's own
work, the same in both, is a part; how fast the sender got where it sent as fast as it can. The
program in the kernel runs while a packet is received, in softirq. Needs root, and a machine with
nothing else to do. README.md beside this file says what it came to.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
import lab  # noqa: E402 (the paths are set first)
import load  # noqa: E402
import traffic  # noqa: E402
from bench_common import ROOT, Failed, build_programs, progress, surroundings  # noqa: E402
from live import NOBODY, processor_time  # noqa: E402

PROGRAMS = ["examples/dfcd/dfcd", "tests/support/traffic/send_traffic",
            "tests/support/traffic/receive_traffic"]
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


def machine_time():
    """Seconds of all processors that were not idle."""
    with open("/proc/stat", encoding="ascii") as lines:
        fields = list(map(int, lines.readline().split()[1:9]))
    idle, stolen = fields[3] + fields[4], fields[7]
    return (sum(fields) - idle - stolen) / os.sysconf("SC_CLK_TCK")


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
        used, busy = processor_time(dfcd.process), machine_time()
        with load.sender(net, stream, board, to=NOBODY, processor=options.sender_core,
                         count=count, **more) as sender:
            sent = sender.report()
        used, busy = processor_time(dfcd.process) - used, machine_time() - busy
        time.sleep(0.5)  # what is in the ring still
        told = load.stop(dfcd, device)
    return {"dfcd": used / count * 1e9, "machine": busy / count * 1e9,
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
                         f"{row['without']['dfcd']:.0f} -> {row['with']['dfcd']:.0f} ns, machine "
                         f"{row['without']['machine']:.0f} -> {row['with']['machine']:.0f} ns, "
                         f"{100 * row['with']['reached']:.1f} % reached dfcd")
    return rows


def cells(row):
    def pair(what, digits=0):
        return [f"{row[kind][what]:.{digits}f}" for kind in STATEMENT]
    asked = f"{row['asked'] / 1e6:g}" if row["asked"] else "most: " + "/".join(pair("rate", 2))
    saved = row["without"]["machine"] - row["with"]["machine"]
    return [str(row["criteria"]), f"{row['hits']:g} %", asked, *pair("dfcd"), *pair("machine"),
            f"{saved:+.0f}", f"{100 * row['with']['reached']:.1f} %", "/".join(pair("lost"))]


HEAD = ["criteria", "hits", "Mpps", "dfcd, ns a packet", "with", "machine, ns a packet", "with",
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
    parser.add_argument("--quick", action="store_true", help="shorter, fewer rates")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured to FILE")
    parser.add_argument("--build-directory", metavar="DIR", type=pathlib.Path,
                        default=ROOT / "build-programs")
    parser.add_argument("--no-build", action="store_true", help="take what is built as it is")
    options = parser.parse_args()
    options.core = max(os.sched_getaffinity(0))
    options.sender_core = min(os.sched_getaffinity(0))
    options.seconds = 2 if options.quick else 5
    options.runs = 1 if options.quick else 3
    options.criteria = (1, 100, 1000)
    options.rates = (100_000, None) if options.quick else (10_000, 50_000, 100_000, 200_000, None)
    options.build_directory = options.build_directory.resolve()
    try:
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
    except Failed as failure:
        print(failure, file=sys.stderr)
        return failure.status
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"about": about, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    print("\n".join(f"- {name}: {value}" for name, value in about.items()) + "\n")
    print(table(rows, options.markdown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
