#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the small capture that tools/demo replays: what two hosts of a made-up network do.

    make_demo_capture.py OUT.pcap

Deterministic; every address is from the documentation ranges.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from demo_traffic import dns_answer, dns_question  # noqa: E402
from lab import ethernet, icmp, ipv4, ipv6, tcp, udp, write_pcap  # noqa: E402

ALICE, BOB = "192.0.2.10", "192.0.2.11"
RESOLVER, WEB, MAIL = "198.51.100.53", "198.51.100.80", "198.51.100.25"
ALICE6, WEB6 = "2001:db8:a::10", "2001:db8:b::80"


def both_ways(source, destination, build, source_port, destination_port, texts):
    """A conversation: requests one way, answers the other."""
    for index, text in enumerate(texts):
        if index % 2 == 0:
            yield source, destination, build(source_port, destination_port, text)
        else:
            yield destination, source, build(destination_port, source_port, text)


def frames():
    for host, port in ((ALICE, 40001), (BOB, 40002)):
        for source, destination, payload in both_ways(
                host, RESOLVER, udp, port, 53, [dns_question("www.example"),
                                                dns_answer("www.example", WEB)]):
            yield ethernet(ipv4(source, destination, 17, payload))
        for source, destination, payload in both_ways(
                host, WEB, tcp, port, 80,
                [b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nhello", b"", b""]):
            yield ethernet(ipv4(source, destination, 6, payload))
        for source, destination, payload in both_ways(
                host, MAIL, tcp, port + 100, 25, [b"EHLO example\r\n", b"250 mail.example\r\n"]):
            yield ethernet(ipv4(source, destination, 6, payload))
    yield ethernet(ipv4(ALICE, BOB, 1, icmp(8, 0, b"are you there?")))
    yield ethernet(ipv4(BOB, ALICE, 1, icmp(0, 0, b"are you there?")))
    for source, destination, payload in both_ways(
            ALICE6, WEB6, tcp, 40003, 443, [b"client hello", b"server hello"]):
        yield ethernet(ipv6(source, destination, 6, payload))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_demo_capture.py OUT.pcap")
    write_pcap(sys.argv[1], list(frames()))
