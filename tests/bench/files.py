#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures dfcd on capture files against tcpdump and prints the table of goals.

    tests/bench/files.py                 # builds what is needed, measures, prints the table
    tests/bench/files.py --quick         # small captures, few repetitions: for a look in between
    tests/bench/files.py --markdown      # the table in Markdown
    tests/bench/files.py --keep          # also into README.md
    tests/bench/files.py --json out.json # beside the table: every time

Exit status: 0 when no floor is missed, 1 when one is, 2 when both sides do not write the same
packets, 3 when something could not be run. README.md beside this file says what the rows mean.
"""

import argparse
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import file_captures as captures  # noqa: E402 (the path is set first)
from bench_common import (  # noqa: E402
    Failed, Goal, Line, add_core, add_options, build_programs, conclusion, fill_in, keep, markdown,
    median_of, progress, run_program, surroundings, text_table, write_json)

DFCD = "examples/dfcd/dfcd"
GOALS = {("64 octets", 1): Goal(2.5, 3.5), ("64 octets", 100): Goal(15, 25),
         ("IMIX 7:4:1", 1): Goal(2, 3), ("IMIX 7:4:1", 100): Goal(8, 12)}
WORKERS = Goal(1.7, 1.9)
# What stands around a copy: IPv4 and UDP.
OUTER = 28
# As dfcd reads a capture.
BLOCK = 256 << 10
# What the kernel takes for it, whoever asks.
PARTS = {"reading": "reading the capture alone (dd), of dfcd's time",
         "writing": "writing as much as the copies alone (dd), of dfcd's time"}
TITLE = "Capture file in, file of copies out, from process start to exit"

CONFIGURATION = """
interfaces {
    sp-1/2/0 { unit 100 { family inet; } }
    ge-0/0/0 { unit 0 { family inet; } }
    ge-0/0/1 { unit 0 { family inet; } }
}
services { flow-tap { interface sp-1/2/0.100; family inet; } }
"""


class Place:
    """Where everything that is read and written stands."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.configuration = self.path("lab.conf")
        self.configuration.write_text(CONFIGURATION, encoding="ascii")
        self.configuration.chmod(0o600)

    def path(self, name):
        return self.directory / name


class Job:
    """One capture and one set of filters, as both sides know them."""

    def __init__(self, place, sizes, count, options):
        self.place, self.sizes, self.count = place, sizes, count
        name = f"{sizes.split()[0]}-{count}"
        self.capture = place.path(f"{name}.pcap")
        self.requests, self.text = place.path(f"{name}.dtcp"), place.path(f"{name}.filter")
        work = captures.Workload(count, options.seed)
        captures.write_filters(work.filters, self.requests, self.text)
        self.packets = captures.write_capture(
            self.capture, work.trace(options.trace), captures.SIZES[sizes], options.size << 20)
        self.hits = self.packets // options.trace * captures.hits_of(options.trace)
        self.copies, self.theirs = place.path("copies.pcap"), place.path("tcpdump.pcap")

    def dfcd(self, program, inputs=1, each="copies.pcap"):
        command = [program, "--config", self.place.configuration, "--criteria", self.requests,
                   "--audit-log", self.place.path("audit.jsonl"), "--sequence-file",
                   self.place.path("sequences"), "--once", "--json", "--progress", "none",
                   "--write", self.place.path(each)]
        for number in range(inputs):
            command += ["--read", f"ge-0/0/{number}={self.capture}"]
        return list(map(str, command))

    def tcpdump(self):
        # Without -Z: as root it would give up the right to write into the directory.
        return ["tcpdump", "-r", str(self.capture), "-w", str(self.theirs), "-F", str(self.text)
                ] + (["-Z", "root"] if os.geteuid() == 0 else [])


def run(command, core=None):
    """Runs a program to its end: the seconds that took, and its output."""
    prefix = ["taskset", "-c", str(core)] if core is not None else []
    begin = time.perf_counter()
    done = subprocess.run(prefix + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        raise Failed(3, f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def check_agreement(job, program):
    """Both sides write the same packets in the same order, and dfcd's account closes."""
    told = json.loads(run(job.dfcd(program))[1])
    run(job.tcpdump())
    if told["seen"] != job.packets or told["delivered"] != told["copies"] \
            or told["seen"] != told["sampled_out"] + sum(told["decoded"].values()):
        raise Failed(2, f"dfcd's account does not close: {told}")
    count = 0
    for ours, theirs in itertools.zip_longest(captures.read_records(job.copies),
                                              captures.read_records(job.theirs)):
        count += 1
        if ours is None or theirs is None or ours[:2] != theirs[:2] \
                or ours[2][OUTER:] != theirs[2][len(captures.ETHERNET):]:
            raise Failed(2, f"{job.sizes}, {job.count} filters: dfcd and tcpdump differ in packet "
                            f"{count} of those that they wrote")
    if count != told["delivered"] or count != job.hits:
        raise Failed(2, f"{count} packets were written, not {job.hits}")
    return count


def in_turn(commands, options, core):
    """The times of several commands, run in turn."""
    times = {name: [] for name in commands}
    for _ in range(options.repetitions):
        for name, command in commands.items():
            times[name].append(run(command, core)[0])
    return times


def against_tcpdump(job, program, options):
    """Both, and what nobody can do without: that the kernel hands the capture over, and takes as
    much as the copies are."""
    copies = check_agreement(job, program)
    progress(f"  the same {copies} of {job.packets} packets")
    reading = ["dd", f"if={job.capture}", "of=/dev/null", f"bs={BLOCK}", "status=none"]
    writing = ["dd", "if=/dev/zero", f"of={job.place.path('written')}", f"bs={BLOCK}",
               "iflag=count_bytes", f"count={job.copies.stat().st_size}", "status=none"]
    return in_turn({"dfcd": job.dfcd(program), "tcpdump": job.tcpdump(), "reading": reading,
                    "writing": writing}, options, options.core)


def line_of_share(title, times, part):
    ours, alone = median_of(times["dfcd"]), median_of(times[part])
    share = alone / ours
    return Line(title, ours, alone, share, share, "s", "x", None, None, Goal().verdict(share))


def line_against(title, times, goal):
    ours, theirs = median_of(times["dfcd"]), median_of(times["tcpdump"])
    ratio = theirs / ours
    return Line(title, ours, theirs, ratio, ratio, "s", "x", goal.floor, goal.aim,
                goal.verdict(ratio))


def two_workers(job, program, options):
    """One file, and two at once, of which each has a worker and an output of its own."""
    return in_turn({"one": job.dfcd(program, 1, "each-{interface}.pcap"),
                    "two": job.dfcd(program, 2, "each-{interface}.pcap")}, options, None)


def two_loops(options):
    """The same of a loop that needs nothing but a processor."""
    loop = f"{sys.executable} -c 'for _ in range({options.size * 10_000}): pass'"
    return in_turn({"one": ["sh", "-c", loop], "two": ["sh", "-c", f"{loop} & {loop} & wait"]},
                   options, None)


def line_of_two(title, times, goal):
    one, two = median_of(times["one"]), median_of(times["two"])
    # Twice the work in the time of two.
    ratio = 2 * one / two
    return Line(title, two, one, ratio, ratio, "s", "x", goal.floor, goal.aim,
                goal.verdict(ratio))


def measure(options, program, place):
    """The lines of the table and every time."""
    lines, raw = [], {}
    for (sizes, count), goal in GOALS.items():
        title = f"{sizes}, {count} filter{'s' if count > 1 else ''}, vs tcpdump"
        if options.only and not re.search(options.only, title + " two workers"):
            continue
        progress(title)
        job = Job(place, sizes, count, options)
        if not options.only or re.search(options.only, title):
            raw[title] = against_tcpdump(job, program, options)
            lines.append(line_against(title, raw[title], goal))
            for part, what in PARTS.items():
                lines.append(line_of_share(title.replace("vs tcpdump", what), raw[title], part))
        title = f"two workers, two files at once, {sizes}, {count} filters, vs one"
        if count == 100 and len(os.sched_getaffinity(0)) > 1 and (
                not options.only or re.search(options.only, title)):
            progress(title)
            raw[title] = two_workers(job, program, options)
            lines.append(line_of_two(title, raw[title], WORKERS))
        job.capture.unlink()
    title = "two processors: a loop in registers, two at once, vs one"
    if len(os.sched_getaffinity(0)) > 1 and (
            not options.only or re.search(options.only, title + " two workers")):
        progress(title)
        raw[title] = two_loops(options)
        lines.append(line_of_two(title, raw[title], Goal()))
    return lines, raw


def tcpdump_version():
    told = subprocess.run(["tcpdump", "--version"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False).stdout
    return ", ".join(told.splitlines()[:2]) or "not installed"


def header(about, options):
    lines = [f"{name}: {value}" for name, value in about.items()]
    lines.append(f"competitor: {tcpdump_version()}")
    lines.append(
        f"captures of {options.size} MiB in {options.directory}, read before; {captures.HIT_PERCENT} "
        f"% of packets hit; medians of {options.repetitions} runs in turn; both sides wrote the "
        "same packets. Two workers: beside stands the time of one, the ratio is that of what each "
        "second gives")
    return lines


BEGIN = "<!-- what follows is written by files.py --keep -->"
END = "<!-- until files.py -->"


def table(options, directory):
    program = str(directory / DFCD)
    about = surroundings(directory, options.core, "dfcd")
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="flowtap-files-") as work:
        lines, raw = measure(options, program, Place(work))
    heading, tables = header(about, options), [(TITLE, lines)]
    text = markdown(heading, tables, worst="judged by")
    if options.markdown:
        print(text)
    else:
        print("\n".join(heading) + "\n")
        print(text_table(TITLE, lines, worst="judged by"))
    told, status = conclusion(tables)
    print("\n" + told)
    if options.keep:
        keep("README.md", BEGIN, END, "\n" + text)
    write_json(options.json, {"about": about, "seconds": raw,
                              "table": [vars(line) for line in lines]})
    return status


def parse(arguments=None):
    """The options, from the command line or from what another script says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add_options(parser, "captures of 64 MiB of fewer packets, three repetitions")
    add_core(parser)
    parser.add_argument("--keep", action="store_true",
                        help="also write the table to README.md in tests/bench")
    parser.add_argument("--size", type=int, metavar="MIB", help="of a capture (default: 1024)")
    parser.add_argument("--trace", type=int, metavar="N",
                        help=f"packets that a capture repeats (default: {captures.TRACE})")
    parser.add_argument("--repetitions", type=int, help="runs of each side (default: 7)")
    parser.add_argument("--seed", type=int, default=1, help="what filters and packets come from")
    parser.add_argument("--directory", metavar="DIR", default=tempfile.gettempdir(),
                        help="where captures are written, read and removed (default: %(default)s)")
    options = parser.parse_args(arguments)
    fill_in(options, {"size": 64, "trace": 4096, "repetitions": 3},
            {"size": 1024, "trace": captures.TRACE, "repetitions": 7})
    return options


def main():
    options = parse()
    directory = options.build_directory.resolve()
    if not options.no_build:
        build_programs(directory, [DFCD])
    return table(options, directory)


if __name__ == "__main__":
    sys.exit(run_program(main))
