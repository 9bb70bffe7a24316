#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What reading a live device costs: the ring against libpcap, at the most that a veth sender gives.

usage: live_reading.py BUILD [--packets N] [--rounds N] [--sizes N,N,...]

Needs root. Both read the same traffic in turn, in network namespaces; nothing is matched or copied.
Prints, as medians of the rounds: what was sent and read in a second, what was lost, and the
processor time that the reading thread took for a packet, sleeping and waking included.
"""

import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import namespaces  # noqa: E402

METHODS = [("ring", "1"), ("ring", "2"), ("libpcap", "1")]


def read(net, build, method, workers, send):
    """One round: (packets a second, packets sent, read, lost, nanoseconds a packet)."""
    reader = net.start("t", build / "tests/e2e/capture_device", method, workers, "ta", "-",
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert reader.stdout.readline() == "ready\n"
    begin = time.monotonic()
    done = net.start("a", build / "tests/support/traffic/send_traffic", *send,
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    sent = json.loads(done.communicate()[0])["sent"]
    rate = sent / (time.monotonic() - begin)
    words = reader.communicate()[0].split()
    counters = {name: int(number) for name, number in zip(words[::2], words[1::2])}
    assert counters["packets"] + counters["lost"] == sent, (sent, counters)
    each = counters["nanoseconds"] / max(counters["packets"], 1)
    return rate, sent, counters["packets"], counters["lost"], each


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="64")
    given = parser.parse_args()
    namespaces.require()
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=True).stdout.strip()
    print("commit %s, Linux %s, %d packets of %s octets, medians of %d rounds" % (
        commit, platform.release(), given.packets, given.sizes, given.rounds))
    found = {method: [] for method in METHODS}
    with namespaces.Network("a", "t") as net:
        for name in "at":
            net.write(name, "net/ipv6/conf/default/disable_ipv6", 1)
        net.link("a", "a0", "t", "ta")
        send = ["--device", "a0", "--to", "02:00:00:00:00:99", "--sizes", given.sizes, "--count",
                str(given.packets)]
        for _ in range(given.rounds):
            for method in METHODS:
                found[method].append(read(net, given.build, *method, send))
    print("| method | workers | sent, Mpps | lost | reading, ns a packet |")
    print("|---|---|---|---|---|")
    for (method, workers), rounds in found.items():
        rate, _, _, lost, each = map(statistics.median, zip(*rounds))
        print("| %s | %s | %.2f | %d | %.0f |" % (method, workers, rate / 1e6, lost, each))


if __name__ == "__main__":
    main()
