#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what the decoder finds in captures with what tshark finds.

usage: tshark_decode.py DUMP_KEYS WRITE_CORPUS

Runs over the project's own corpus and over every capture of $FLOWTAP_SHARED_DATA/pcaps. A packet
on which the two differ must fall into one of the classes below, each the consequence of a decision
listed in lib/packet/README.md; the number of packets in each class is asserted.
"""

import collections
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import tshark_fields

NOT_A_CAPTURE = 3  # dump_keys' exit status
GROUP = 24  # captures that are read as one where they can be
PROTOCOL, SOURCE, DESTINATION, ICMP_TYPE, ICMP_CODE = 2, 0, 1, 5, 6


class Difference:
    """One packet as the decoder and as tshark see it."""

    def __init__(self, ours, packet):
        self.verdict, _, key = ours.partition(" ")
        self.ours = key.split(" ") if key else []
        self.theirs = (packet.line() or "").split()
        start = packet.outermost()
        self.below = packet.protocols[:start]
        self.above = packet.protocols[start:] if start is not None else []
        self.remarks = ",".join(packet.values["_ws.expert.message"])
        self.no_payload = packet.first("ipv6.plen") == "0"

    def only_in(self, *columns):
        """Whether both found a header and differ in nothing but these columns."""
        return len(self.ours) == len(self.theirs) and all(
            i in columns or a == b for i, (a, b) in enumerate(zip(self.ours, self.theirs)))

    def malformed(self, remark):
        return self.verdict == "malformed" and remark in self.remarks


# What each class of differences is, by a decision of lib/packet/README.md. In order: the first that
# holds names the class. Then how many packets are in it: in the corpus, in the shared captures.
CLASSES = [
    ("a link type that is not decoded",
     lambda d: d.verdict == "unsupported_link", 0, 102),
    ("IP inside MPLS",
     lambda d: d.verdict == "not_ip" and "mpls" in d.below, 2, 1),
    ("IP inside MACsec",
     lambda d: d.verdict == "not_ip" and "macsec" in d.below, 0, 2),
    ("IP inside FabricPath",
     lambda d: d.verdict == "not_ip" and "cfp" in d.below, 0, 12),
    ("PPPoE of another version",
     lambda d: d.verdict == "not_ip" and "pppoes" in d.below, 1, 0),
    ("decoded here only: tags 0x9200, Linux' IPv6 on null links",
     lambda d: d.ours and not d.theirs and d.below[-1:] == ["data"], 115, 0),
    ("a header that is not IP's version, or shorter than it may be",
     lambda d: d.malformed("Bogus IP"), 130, 0),
    ("IPv6 on a link of IPv4",
     lambda d: d.verdict == "malformed" and d.above[:2] == ["ip", "ipv6"], 1, 1),
    ("a packet that breaks off with its frame",
     lambda d: d.malformed("Malformed Packet") and "-" in d.theirs[:2], 5, 1),
    ("payload length 0 where the jumbo option is missing or wrong",
     lambda d: d.no_payload and "ipv6.hopopts" in d.above, 81, 0),
    ("a total length beyond the frame",
     lambda d: d.malformed("exceeds"), 60, 4),
    ("total length 0 without TCP",
     lambda d: d.verdict == "malformed" and d.above[:1] == ["ip"], 32, 0),
    ("the fixed IP header was not captured",
     lambda d: d.verdict == "cut_short" and not d.ours, 88, 0),
    ("IPv4 options were not captured: tshark omits the destination",
     lambda d: d.verdict == "cut_short" and d.only_in(DESTINATION), 32, 0),
    ("an extension header that is not there as a whole",
     lambda d: d.only_in(PROTOCOL) and ":" in d.ours[SOURCE], 81, 1),
    ("ICMP over IPv6 or ICMPv6 over IPv4",
     lambda d: d.only_in(ICMP_TYPE, ICMP_CODE) and d.ours[ICMP_TYPE] == "-", 59, 0),
    ("ICMP of fewer than four octets",
     lambda d: d.only_in(ICMP_TYPE, ICMP_CODE) and d.theirs[ICMP_TYPE] == "-", 32, 0),
    # Not a difference of single packets: see compare().
    ("a file whose link type tshark does not read", lambda d: False, 0, 52),
]
UNREAD = CLASSES[-1][0]


def decode(dump_keys, capture):
    """A line for each packet, None if it is no capture, or what went wrong."""
    done = subprocess.run([dump_keys, capture], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode == NOT_A_CAPTURE:
        return None
    if done.returncode != 0:
        return f"{capture.name}: {done.stderr.strip()}"
    return done.stdout.splitlines()[1:]


def compare(capture, ours, theirs):
    """Returns the number of packets, a count of each class, and the differences without one."""
    if not theirs and all(line == "unsupported_link" for line in ours):
        return len(ours), {UNREAD: len(ours)}, []
    if len(ours) != len(theirs):
        return len(ours), {}, [f"{capture.name}: {len(ours)} packets, tshark has {len(theirs)}"]

    counts, unexplained = collections.Counter(), []
    for number, (line, packet) in enumerate(zip(ours, theirs), 1):
        if line.partition(" ")[2] == (packet.line() or ""):
            continue
        difference = Difference(line, packet)
        name = next((name for name, holds, *_ in CLASSES if holds(difference)), None)
        if name:
            counts[name] += 1
        else:
            unexplained.append(f"{capture.name}, packet {number}: {line}\n    tshark: "
                               f"{packet.line()} ({':'.join(packet.protocols)}; {difference.remarks})")
    return len(ours), counts, unexplained


def compare_group(decoded):
    """Compares captures, given as pairs of a path and its lines, with as few runs of tshark as can
    be: it takes seconds to start, and most captures can be read as one."""
    if len(decoded) == 1:
        (capture, ours), = decoded
        return [compare(capture, ours, tshark_fields.read(capture))]
    theirs = tshark_fields.read_as_one([capture for capture, _ in decoded])
    if theirs is None or len(theirs) != sum(len(ours) for _, ours in decoded):
        middle = len(decoded) // 2
        return compare_group(decoded[:middle]) + compare_group(decoded[middle:])
    outcomes = []
    for capture, ours in decoded:
        outcomes.append(compare(capture, ours, theirs[:len(ours)]))
        theirs = theirs[len(ours):]
    return outcomes


def compare_all(dump_keys, captures, column, not_captures):
    """Compares a set of captures and checks the counts against a column of CLASSES."""
    packets, counts, problems = 0, collections.Counter(), []
    decoded = [(capture, decode(dump_keys, capture)) for capture in captures]
    skipped = sum(lines is None for _, lines in decoded)
    problems += [lines for _, lines in decoded if isinstance(lines, str)]
    decoded = [pair for pair in decoded if isinstance(pair[1], list)]
    groups = [decoded[i:i + GROUP] for i in range(0, len(decoded), GROUP)]
    with ThreadPoolExecutor(2) as pool:
        for outcome in itertools.chain.from_iterable(pool.map(compare_group, groups)):
            packets += outcome[0]
            counts.update(outcome[1])
            problems += outcome[2]
    for name, _, *expected in CLASSES:
        if counts[name] != expected[column]:
            problems.append(f"{counts[name]} packets in place of {expected[column]}: {name}")
    if skipped != not_captures:
        problems.append(f"{skipped} files are no captures, in place of {not_captures}")
    print(f"{len(captures) - skipped} captures, {packets} packets, "
          f"{sum(counts.values())} differ in a way that is decided")
    for problem in problems:
        print("  " + problem)
    if packets == 0:
        print("  nothing was compared")
        return False
    return not problems


def main():
    dump_keys, write_corpus = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([write_corpus, directory], check=True)
        good = compare_all(dump_keys, sorted(pathlib.Path(directory).iterdir()), 0, 0)
    shared = pathlib.Path(os.environ.get("FLOWTAP_SHARED_DATA", "/nonexistent")) / "pcaps"
    if not shared.is_dir():
        print("SKIPPED: ../shared/pcaps is missing")
        return 0 if good else 1
    captures = sorted(f for f in shared.glob("*/*") if f.suffix in (".pcap", ".pcapng"))
    # Some of the files are the text of a link to another one.
    good &= compare_all(dump_keys, captures, 1, 13)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
