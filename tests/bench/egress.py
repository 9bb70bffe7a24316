#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Copies sent, counted at the receiver, against a plain UDP `send` loop.

    meson compile -C build tests/bench/send_copies
    sudo tests/bench/egress.py build [--json] [--seconds N] [--runs N] [--size OCTETS]

Each way sends as fast as it can over a veth pair between two network namespaces, pinned to one
processor, in turn; the medians count. What is counted are the datagrams that reach the receiver's
UDP socket, which throws them away. `plain` sends the same octets that the copies carry.
"""

import argparse
import json
import os
import platform
import statistics
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import namespaces  # noqa: E402

WAYS = ["plain", "udp", "raw", "packet"]
SO_ATTACH_FILTER = 26
FLOOR, AIM = 1.25, 1.5


def refuse_everything(socket):
    """A filter that drops all: the kernel counts a datagram as an error and keeps nothing."""
    import ctypes
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    socket.setsockopt(1, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


def received(net):
    """Datagrams that reached a UDP socket of the receiver's."""
    with net.inside("r"), open("/proc/net/snmp", encoding="ascii") as counts:
        names, numbers = [line.split()[1:] for line in counts if line.startswith("Udp:")]
    values = dict(zip(names, map(int, numbers)))
    return values["InDatagrams"] + values["InErrors"]


def run_once(net, program, way, size, seconds, cpu):
    # Only the own address can be sent from through a plain socket.
    source = "192.0.2.1" if way == "udp" else "198.51.100.9"
    before = received(net)
    done = subprocess.run(
        ["ip", "netns", "exec", net.prefix + "s", "taskset", "-c", str(cpu), program, way, source,
         "192.0.2.2", "2300", str(size), str(int(seconds * 1000))],
        capture_output=True, text=True, check=True)
    sent, microseconds = map(int, done.stdout.split())
    arrived = received(net) - before
    return arrived / microseconds, sent, arrived


def measure(net, program, size, seconds, runs, cpu):
    rates = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            rate, sent, arrived = run_once(net, program, way, size, seconds, cpu)
            assert arrived <= sent, (way, sent, arrived)
            rates[way].append(rate)
    return {way: statistics.median(each) for way, each in rates.items()}


def commit():
    done = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "rev-parse",
                           "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", type=int, default=64, help="octets of the copied packet")
    chosen = parser.parse_args()
    namespaces.require()
    program = os.path.join(chosen.build, "tests", "bench", "send_copies")
    with namespaces.Network("s", "r") as net:
        net.link("s", "s0", "r", "r0")
        net.address("s", "s0", "192.0.2.1/24")
        net.address("r", "r0", "192.0.2.2/24")
        sink = net.udp("r", "192.0.2.2", 2300)
        refuse_everything(sink)
        rates = measure(net, program, chosen.size, chosen.seconds, chosen.runs,
                        os.cpu_count() - 1)
        sink.close()
    result = {"benchmark": "egress", "commit": commit(), "kernel": platform.release(),
              "processors": os.cpu_count(), "size": chosen.size, "runs": chosen.runs,
              "mpps": {way: round(rate, 4) for way, rate in rates.items()},
              "ratio": {way: round(rates[way] / rates["plain"], 3) for way in WAYS[1:]},
              "floor": FLOOR, "aim": AIM}
    if chosen.json:
        print(json.dumps(result))
        return
    print("copies of %d octets, Mpps at the receiver (median of %d), and against a plain send loop "
          "(floor %.2f, aim %.2f)" % (chosen.size, chosen.runs, FLOOR, AIM))
    print("Linux %s, %d processors, commit %s" % (result["kernel"], result["processors"],
                                                   result["commit"]))
    for way in WAYS:
        print("%-8s %.3f  %s" % (way, rates[way],
                                 "" if way == "plain" else "%.2fx" % (rates[way] / rates["plain"])))


if __name__ == "__main__":
    main()
