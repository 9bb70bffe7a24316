#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures dfcd on live traffic in network namespaces and prints the table of goals.

    tests/bench/live.py                 # builds what is needed, measures, prints the table
    tests/bench/live.py --quick         # few packets, one run each: for a look in between
    tests/bench/live.py --only delay    # the groups whose title matches
    tests/bench/live.py --markdown      # the tables in Markdown
    tests/bench/live.py --json out.json # beside the table: everything measured

Exit status: 0 when no floor is missed, 1 when one is, 3 when something could not be run. Needs root,
and a machine with nothing else to do. README.md beside this file says what the rows mean;
pipeline.py prints them together with those for files.
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
import lab  # noqa: E402 (the paths are set first)
import load  # noqa: E402
import traffic  # noqa: E402
from live_load_test import Churn  # noqa: E402
import bench_common  # noqa: E402
import forwarding  # noqa: E402
from bench_common import (  # noqa: E402
    Failed, Goal, Line, build_programs, bullets, conclusion, markdown, median_of, progress,
    run_program, run_quietly, surroundings, text_table, write_json)

PROGRAMS = ["examples/dfcd/dfcd", "tests/support/traffic/send_traffic",
            "tests/support/traffic/receive_traffic", "tests/support/traffic/measure_forwarding"]
# Nobody's: a host takes such a frame no further than to those who capture, which is how a sender
# gets the most through a veth pair.
NOBODY = "02:00:00:00:00:77"
# 2000 flows, every twentieth tapped: 5 % hits.
EVERY = 20
TITLE = "Live, 100 filters, 64 octets, 5 % hits, at the most a veth sender gives"


def use_programs(directory):
    """The shared code of the tests takes its programs from here."""
    lab.BUILD = str(directory)
    lab.DFCD, traffic.SEND, traffic.RECEIVE, forwarding.MEASURE = (
        str(directory / each) for each in PROGRAMS)


def processor_time(process):
    """Seconds of processor time that the threads of a process have taken, to the nanosecond."""
    threads = pathlib.Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(each.read_text(encoding="ascii").split()[0]) for each in threads) / 1e9


# --- one run of each kind

def tapped(net, options, choices, changes=False):
    """dfcd taps what a sender sends. Returns what was counted on all sides."""
    hundred = load.Hundred(EVERY, choices)
    # The flows of the criteria that come and go are behind those of the hundred.
    stream = traffic.Stream(hundred.flows + (Churn.FLOWS if changes else 0))
    before = load.statistics(net, "t", "ta")
    with load.dfcd(net, "--promiscuous", processor=options.core) as dfcd, \
            load.device(net, dfcd) as device, traffic.Board() as board:
        hundred.add(device, stream)
        with load.receiver(net, stream, board, Churn.places(), options.core) as receiver:
            used = processor_time(dfcd.process.pid)
            with load.sender(net, stream, board, to=NOBODY, processor=options.sender_core,
                             count=None if changes else options.packets) as sender:
                pace = None
                if changes:
                    churn = Churn(net, device, stream, board, sender, receiver)
                    many = options.packets // 5000
                    pace = many / churn.one_after_another(many)
                sent = sender.report()
            used = processor_time(dfcd.process.pid) - used
            load.let_all_come(net, hundred, stream, board, sent["sent"])
            told = load.stop(dfcd, device)
            came = receiver.report(told["delivered"])
    arrived = load.statistics(net, "t", "ta")["received"] - before["received"]
    for each in came:
        each.check_order()
    seconds = sent["nanoseconds"] / 1e9
    return {"arrived": arrived, "rate": sent["sent"] / seconds / 1e6, "load": 100 * used / seconds,
            "changes": pace, "lost": told["lost"], "dropped": told["copies"] - told["delivered"],
            "not received": sum(each.overflowed for each in came),
            "unaccounted": unaccounted(arrived, told, came), "summary": told}


def unaccounted(arrived, told, came):
    """How many packets and copies nobody knows the whereabouts of."""
    received = sum(each.packets + each.overflowed for each in came)
    dropped = sum(told["dropped"].values()) + told.get("queued", 0)
    return abs(arrived - told["seen"] - told["lost"]) + \
        abs(told["copies"] - told["delivered"] - dropped) + abs(told["delivered"] - received) + \
        abs(told["seen"] - told["sampled_out"] - sum(told["decoded"].values()))


def pcap_text(stream, flow, shape):
    """The filter of a flow in libpcap's words."""
    source, destination = stream.source(flow), stream.destination(flow)
    ports = f"udp src port {10000 + flow}", f"udp dst port {20000 + flow}"
    return [f"dst host {destination}", f"src host {source}",
            f"src host {source} and dst host {destination}",
            f"dst host {destination} and {ports[1]}", f"src host {source} and {ports[0]}",
            f"{ports[0]} and {ports[1]}"][shape % 6]


def dumped(net, options, filters):
    """tcpdump writes what the sender sends to a file in memory, all of it or what filters ask for."""
    stream = traffic.Stream(100 * EVERY)
    hundred = load.Hundred(EVERY)
    text = " or ".join(f"({pcap_text(stream, flow, flow // EVERY)})" for flow in hundred.tapped)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as work, traffic.Board() as board:
        command = load.on(options.core) + [
            "ip", "netns", "exec", net.prefix + "t", "tcpdump", "-n", "-i", "ta", "-B", "8192", "-s",
            "262144", "-Z", "root", "-w", os.path.join(work, "out.pcap")] + ([text] if filters else [])
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tcpdump:
            line = tcpdump.stderr.readline()
            while "listening on" not in line:
                if not line:
                    raise Failed(3, "tcpdump did not start")
                line = tcpdump.stderr.readline()
            with load.sender(net, stream, board, to=NOBODY, processor=options.sender_core,
                             count=options.packets) as sender:
                sent = sender.report()
            time.sleep(1)  # what it still has in its buffer
            tcpdump.send_signal(signal.SIGINT)
            told = tcpdump.communicate()[1]
    captured, received, dropped = (int(re.search(rf"(\d+) packets? {what}", told)[1]) for what in (
        "captured", "received by filter", "dropped by kernel"))
    return {"rate": sent["sent"] / sent["nanoseconds"] * 1e3, "lost": dropped,
            "unaccounted": abs(received - captured - dropped), "of": options.packets}


# --- the table

SCENES = {
    "one destination": ("tapped", {"choices": ((load.FIRST,),)}, Goal(floor=0, more=False)),
    "two destinations": ("tapped", {"choices": ((load.FIRST,), (load.SECOND,),
                                                (load.FIRST, load.SECOND))},
                         Goal(aim=0, more=False)),
    "criteria come and go": ("tapped", {"choices": ((load.FIRST,), (load.SECOND,),
                                                    (load.FIRST, load.SECOND)),
                                        "changes": True}, Goal(more=False)),
    "tcpdump, filters": ("dumped", {"filters": True}, None),
    "tcpdump, everything": ("dumped", {"filters": False}, None),
}


def measure_load(net, options):
    """All scenes, in turn, so many times: what was measured of each."""
    kinds = {"tapped": tapped, "dumped": dumped}
    runs = {name: [] for name in SCENES}
    for turn in range(options.runs):
        for name, (kind, how, _) in SCENES.items():
            runs[name].append(kinds[kind](net, options, **how))
            latest = runs[name][-1]
            progress(f"  run {turn + 1}, {name}: {latest['rate']:.3f} Mpps, {latest['lost']} lost, "
                     f"{latest['unaccounted']} unaccounted")
    return runs


def figure(title, values, unit, goal=Goal(more=False), beside=None):
    """A line with the median of some runs; what it must reach holds for the worst of them."""
    ours = median_of(values)
    worst = goal.worst(values) if ours is not None else None
    return Line(title, ours, median_of(beside or []), worst, worst, unit, "", goal.floor, goal.aim,
                goal.verdict(worst))


def load_lines(runs):
    def of(name, what):
        return [each[what] for each in runs[name] if each.get(what) is not None]
    lines = []
    for name, (kind, _, goal) in SCENES.items():
        if kind != "tapped":
            continue
        gone = [sum(run[what] for what in ("lost", "dropped")) for run in runs[name]]
        lines.append(figure(f"{name}: packets and copies lost (beside: tcpdump, filters ORed)", gone,
                            "", goal, of("tcpdump, filters", "lost")))
        lines.append(figure("- the worst run", [max(gone)], "", Goal(more=False),
                            [max(of("tcpdump, filters", "lost"))]))
        lines.append(figure("- unaccounted", of(name, "unaccounted"), "", goal,
                            of("tcpdump, filters", "unaccounted")))
        lines.append(figure("- packets offered", of(name, "rate"), "Mpps", Goal(),
                            of("tcpdump, filters", "rate")))
        lines.append(figure("- of a processor that dfcd takes", of(name, "load"), "%"))
        if of(name, "changes"):
            lines.append(figure("- ADDs, each with its DELETE", of(name, "changes"), "/s", Goal()))
    lines.append(figure("beside: tcpdump -w, everything: packets lost",
                        of("tcpdump, everything", "lost"), ""))
    lines.append(figure("- packets offered", of("tcpdump, everything", "rate"), "Mpps", Goal()))
    return lines


def sums(runs):
    """The accounting of the runs, all of each kind together, in lines of text."""
    out = []
    for name, (kind, _, _) in SCENES.items():
        if kind != "tapped":
            continue
        total = {what: sum(run["summary"][what] for run in runs[name])
                 for what in ("seen", "lost", "tapped", "copies", "delivered")}
        dropped = sum(sum(run["summary"]["dropped"].values()) for run in runs[name])
        arrived = sum(run["arrived"] for run in runs[name])
        out.append(f"{name}: {arrived} packets on the device = {total['seen']} seen + "
                   f"{total['lost']} lost; {total['tapped']} tapped; {total['copies']} copies = "
                   f"{total['delivered']} delivered + {dropped} dropped; "
                   f"{sum(run['not received'] for run in runs[name])} of them overflowed the "
                   "receiver's socket")
    return out


def measure(options):
    """Tables [(title, lines)], the accounting sums as lines of text, and everything measured."""
    if os.geteuid() != 0:
        raise Failed(3, "network namespaces need root")
    tables, texts, raw = [], [], {}
    with load.topology() as net:
        if re.search(options.only or "", TITLE):
            progress(TITLE)
            raw[TITLE] = measure_load(net, options)
            tables.append((TITLE, load_lines(raw[TITLE])))
            texts += sums(raw[TITLE])
    if re.search(options.only or "", forwarding.TITLE):
        progress(forwarding.TITLE)
        raw[forwarding.TITLE] = forwarding.measure(options, progress)
        tables.append((forwarding.TITLE, forwarding.lines(raw[forwarding.TITLE])))
    return tables, texts, raw


# --- the program

def add_options(parser):
    bench_common.add_options(parser, "few packets, one run of each kind", "build-bench-programs",
                             "groups")


def complete(options):
    options.core = max(os.sched_getaffinity(0))
    options.sender_core = min(os.sched_getaffinity(0))
    options.packets = 200_000 if options.quick else 2_000_000
    options.runs = 1 if options.quick else 5
    options.trips = 2_000 if options.quick else 20_000
    options.build_directory = options.build_directory.resolve()


def versions():
    return {"tcpdump": run_quietly(["tcpdump", "--version"]).splitlines()[0]}


def report(options, about, tables, texts):
    """Prints it all; the exit status."""
    heading = [f"{name}: {value}" for name, value in about.items()]
    if options.markdown:
        print(markdown(heading, tables, worst="judged by"))
        print(bullets(texts))
    else:
        print("\n".join(heading) + "\n")
        print("\n\n".join(text_table(*each, worst="judged by") for each in tables) + "\n")
        print("\n".join(texts))
    told, status = conclusion(tables)
    print("\n" + told)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add_options(parser)
    options = parser.parse_args()
    complete(options)
    if not options.no_build:
        build_programs(options.build_directory, PROGRAMS)
    use_programs(options.build_directory)
    about = surroundings(options.build_directory, options.core, "dfcd") | versions()
    tables, texts, raw = measure(options)
    write_json(options.json, {"about": about, "measured": raw})
    return report(options, about, tables, texts)


if __name__ == "__main__":
    sys.exit(run_program(main))
