#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how fast copies leave each way, counted at the receiver's device, beside a plain UDP
`send` loop, and prints the table of goals.

    tests/bench/egress.py                # builds what is needed, measures, prints the table
    tests/bench/egress.py --quick        # short, one run of each
    tests/bench/egress.py --only '64'    # the rows whose title matches
    tests/bench/egress.py --markdown     # the table in Markdown
    tests/bench/egress.py --json out.json

Each way sends as fast as it can over a veth pair between two network namespaces, pinned to one
processor, in turn. `plain` sends the same octets that the copies carry. The receiver's UDP socket
throws everything away. Exit status: 0 when no floor is missed, 1 when one is, 3 when something could
not be run. Needs root. README.md beside this file says what the rows mean; pipeline.py prints them
together with the rest of the data path.
"""

import argparse
import ctypes
import os
import pathlib
import re
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
import load  # noqa: E402 (the paths are set first)
import namespaces  # noqa: E402
from bench_common import (  # noqa: E402
    Failed, Goal, Line, add_core, add_options, build_programs, conclusion, fill_in, markdown,
    median_of, progress, run_program, surroundings, text_table, with_groups, write_json)

SEND = "tests/bench/send_copies"
TITLE = "Copies sent, counted at the receiver's device (beside: a plain UDP send loop)"
# What copies leave as, and what that has to reach.
WAYS = {"packet": ("frames", Goal(1.25, 1.5)), "raw": ("raw sockets", Goal()),
        "udp": ("plain UDP sockets", Goal())}
SIZES = (64, 1400)
SO_ATTACH_FILTER = 26
QUICK = {"seconds": 0.2, "runs": 1}
USUAL = {"seconds": 1.0, "runs": 5}


def refuse_everything(socket):
    """A filter that drops all, so that nothing is kept."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    socket.setsockopt(1, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


def received(net):
    return load.statistics(net, "r", "r0")["received"]


def run_once(net, program, way, size, options):
    """How many millions a second came to the receiver's device."""
    # Only the own address can be sent from through a plain socket.
    source = "192.0.2.1" if way == "udp" else "198.51.100.9"
    before = received(net)
    done = subprocess.run(
        load.on(options.core) + ["ip", "netns", "exec", net.prefix + "s", program, way, source,
                                 "192.0.2.2", "2300", str(size), str(int(options.seconds * 1000))],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(3, f"{program} {way} failed: {done.stderr}")
    sent, microseconds = map(int, done.stdout.split())
    arrived = received(net) - before
    # A question for the next hop comes, too.
    if not 0 < arrived <= sent + 10:
        raise Failed(2, f"{way}: of {sent} copies {arrived} came")
    return arrived / microseconds


def titles_of(size):
    return {way: f"{size} octets, as {name}" if way == "packet" else f"{size} octets, through {name}"
            for way, (name, _) in WAYS.items()}


def measure_size(net, program, size, options):
    """The rates of all ways that were chosen, and of the plain loop, by run."""
    chosen = [way for way, title in titles_of(size).items() if re.search(options.rows or "", title)]
    rates = {way: [] for way in (["plain"] + chosen if chosen else [])}
    for turn in range(options.runs):
        for way, of in rates.items():
            of.append(run_once(net, program, way, size, options))
        if rates:
            progress(f"  run {turn + 1}, {size} octets, Mpps: " + ", ".join(
                f"{way} {of[-1]:.3f}" for way, of in rates.items()))
    return rates


def lines_of(size, rates):
    made = []
    for way, title in titles_of(size).items():
        if way not in rates:
            continue
        ours, plain, goal = median_of(rates[way]), median_of(rates["plain"]), WAYS[way][1]
        made.append(Line(title, ours, plain, ours / plain, ours / plain, "Mpps", "x", goal.floor,
                         goal.aim, goal.verdict(ours / plain)))
    return made


def measure(options, program):
    """The lines of the table, and all rates by size."""
    fill_in(options, QUICK, USUAL)
    with namespaces.Network("s", "r") as net:
        net.link("s", "s0", "r", "r0")
        net.address("s", "s0", "192.0.2.1/24")
        net.address("r", "r0", "192.0.2.2/24")
        with net.udp("r", "192.0.2.2", 2300) as sink:
            refuse_everything(sink)
            rates = {size: measure_size(net, program, size, options) for size in SIZES}
    return [line for size in SIZES for line in lines_of(size, rates[size])], rates


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add_options(parser, "short, one run of each", "build-bench-programs")
    add_core(parser)
    parser.add_argument("--seconds", type=float, help="how long each run sends")
    parser.add_argument("--runs", type=int, help="the medians of so many runs count")
    options = parser.parse_args()
    options.rows = options.only
    options.build_directory = options.build_directory.resolve()
    if os.geteuid() != 0:
        raise Failed(3, "network namespaces need root")
    if not options.no_build:
        build_programs(options.build_directory, [SEND])
    about = surroundings(options.build_directory, options.core, "send_copies")
    lines, rates = measure(options, str(options.build_directory / SEND))
    tables = [(TITLE, lines)]
    write_json(options.json, {"about": about, "measured": rates, "table": with_groups(tables)})
    heading = [f"{name}: {value}" for name, value in about.items()]
    if options.markdown:
        print(markdown(heading, tables, worst="judged by"))
    else:
        print("\n".join(heading) + "\n\n" + text_table(*tables[0], worst="judged by") + "\n")
    told, status = conclusion(tables)
    print(told)
    return status


if __name__ == "__main__":
    sys.exit(run_program(main))
