#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Taps a forwarding host's device in network namespaces and looks at what arrives.

usage: live_tap_test.py TAP_DEVICE METHOD WORKERS

    a --- t --- b        t forwards between a and b, and is tapped on its device towards a;
          |              copies go to c, from an address that is nobody's or from t's own
          c
"""

import contextlib
import subprocess
import sys
import tempfile

import namespaces

ROUNDS = 40
MARK = "1718"
INGRESS, EGRESS = 2300, 2301
FOREIGN, OWN = "198.51.100.9", "192.0.2.254"
FOREIGN_IPV6, OWN_IPV6 = "2001:db8:ffff::9", "2001:db8:c::fe"


@contextlib.contextmanager
def topology():
    with namespaces.Network("a", "t", "b", "c") as net:
        net.link("a", "a0", "t", "ta")
        net.link("b", "b0", "t", "tb")
        net.link("c", "c0", "t", "tc")
        net.write("t", "net/ipv4/ip_forward", 1)
        for name, device, address in (
                ("a", "a0", "10.1.0.1/24"), ("t", "ta", "10.1.0.254/24"),
                ("b", "b0", "10.2.0.1/24"), ("t", "tb", "10.2.0.254/24"),
                ("c", "c0", "192.0.2.5/24"), ("t", "tc", "192.0.2.254/24"),
                ("c", "c0", "2001:db8:c::5/64"), ("t", "tc", "2001:db8:c::fe/64")):
            net.address(name, device, address)
        net.route("a", "default", "10.1.0.254")
        net.route("b", "default", "10.2.0.254")
        net.route("c", "default", OWN)
        yield net


class Tap:
    """tap_device at work in namespace t."""

    def __init__(self, net, program, device, source, destination, mark="0", egress="auto"):
        self.process = net.start("t", *program, device, source, destination, mark, egress,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        text, _ = self.process.communicate("\n", timeout=30)
        assert self.process.returncode == 0
        words = text.split()
        return {name: int(number) for name, number in zip(words[::2], words[1::2])}


def talk(net, sizes):
    """a sends to b, b answers; returns when all has come back."""
    a = net.udp("a", "10.1.0.1", 5000)
    b = net.udp("b", "10.2.0.1", 6000)
    for i, size in enumerate(sizes):
        a.sendto(bytes([i % 256]) * size, ("10.2.0.1", 6000))
        payload, sender = b.recvfrom(1 << 16)
        b.sendto(payload, sender)
        assert a.recvfrom(1 << 16)[0] == payload


def tapped(net, program, source, destination, sizes, egress="auto"):
    """Taps a conversation. Returns what was to be copied and what arrived, by direction, the frames
    that c received, and the counters."""
    sinks = [net.udp("c", destination, port) for port in (INGRESS, EGRESS)]
    wire = net.frames("a", "a0")
    arriving = net.frames("c", "c0")
    tap = Tap(net, program, "ta", source, destination, egress=egress)
    talk(net, sizes)
    got = [[sink.recv(1 << 16) for _ in sizes] for sink in sinks]
    counters = tap.stop()
    seen = namespaces.drain(wire)
    wanted = [namespaces.ip_packets(seen, outgoing=True),
              namespaces.ip_packets(seen, outgoing=False)]
    for sink in sinks:
        sink.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            raise AssertionError(f"one copy too many: {sink.recv(1 << 16)}")
    return wanted, got, namespaces.drain(arriving), counters


def check_sums(counters):
    assert counters["copies"] == counters["delivered"] + counters["dropped"], counters
    assert counters["dropped"] == 0 and counters["lost"] == 0, counters


def fields(frames, *names):
    """What tshark says of frames, one list of texts a frame."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as capture:
        capture.write(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
        for octets in frames:
            length = len(octets).to_bytes(4, "little")
            capture.write(bytes(8) + length + length + octets)
        capture.flush()
        command = ["tshark", "-r", capture.name, "-T", "fields", "-E", "occurrence=f",
                   "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                   "-o", "ip.defragment:FALSE"]
        for name in names:
            command += ["-e", name]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in text.splitlines()]


def both_directions_arrive(net, program):
    """From an address that is nobody's, each direction of the device goes to its own port."""
    wanted, got, frames, counters = tapped(net, program, FOREIGN, "192.0.2.5",
                                           [20 + i for i in range(ROUNDS)])
    assert len(wanted[0]) == ROUNDS
    assert got == wanted
    check_sums(counters)
    copies = [octets for outgoing, octets in frames if not outgoing and octets[23] == 17]
    rows = fields(copies, "ip.src", "ip.dst", "ip.ttl", "udp.srcport", "udp.dstport",
                  "ip.checksum.status", "udp.checksum", "ip.flags.df")
    assert len(rows) == 2 * ROUNDS
    for row in rows:
        assert row[:4] == [FOREIGN, "192.0.2.5", "100", "40000"], row
        assert row[4] in (str(INGRESS), str(EGRESS)), row
        # A good checksum, UDP's zero, DF clear.
        assert row[5:] == ["1", "0x0000", "0"], row


def own_addresses_need_no_raw_socket(net, program):
    wanted, got, frames, counters = tapped(net, program, OWN, "192.0.2.5",
                                           [20 + i for i in range(ROUNDS)], egress="udp")
    assert got == wanted
    check_sums(counters)
    copies = [octets for outgoing, octets in frames if not outgoing and octets[23] == 17]
    for row in fields(copies, "ip.src", "ip.ttl", "udp.srcport", "udp.checksum", "ip.flags.df"):
        assert row == [OWN, "100", "40000", "0x0000", "0"], row


def long_copies_are_fragmented(net, program, source):
    """Copies that are longer than the MTU arrive in pieces, which c's kernel puts together."""
    wanted, got, frames, counters = tapped(net, program, source, "192.0.2.5",
                                           [1472, 10, 1465, 1472])
    assert got == wanted
    check_sums(counters)
    pieces = [octets for outgoing, octets in frames
              if not outgoing and octets[12:14] == b"\x08\x00" and octets[20] & 0x3F | octets[21]]
    assert len(pieces) == 2 * 2 * 3, len(pieces)


def copies_over_ipv6_arrive(net, program, source):
    wanted, got, frames, counters = tapped(net, program, source, "2001:db8:c::5",
                                           [20 + i for i in range(ROUNDS)] + [1472])
    assert got == wanted
    check_sums(counters)
    copies = [octets for outgoing, octets in frames if not outgoing and octets[20] in (17, 44)]
    rows = fields(copies, "ipv6.src", "ipv6.hlim", "udp.srcport", "udp.checksum.status")
    whole = [row for row in rows if row[2]]
    assert len(whole) >= 2 * ROUNDS
    for row in whole:
        assert row[:3] == [source, "100", "40000"], row
        # The first fragment has nothing to check it with.
        assert row[3] in ("1", ""), row


def marked_copies_are_not_tapped_again(net, program, egress):
    """A tap of the device that the copies leave through, for everything, does not feed itself."""
    sink = net.udp("c", "192.0.2.5", INGRESS)
    away = net.udp("c", "192.0.2.5", EGRESS)
    other = net.udp("t", OWN, 7000)
    source = OWN if egress == "udp" else FOREIGN
    tap = Tap(net, program, "tc", source, "192.0.2.5", MARK, egress)
    answers = net.udp("c", "192.0.2.5", 7001)
    for i in range(ROUNDS):
        other.sendto(bytes([i]), ("192.0.2.5", 7001))
        payload, sender = answers.recvfrom(100)
        answers.sendto(payload, sender)
        other.recv(100)
    for copies in (sink, away):
        for _ in range(ROUNDS):
            copies.recv(1 << 16)
    counters = tap.stop()
    assert counters["copies"] == counters["delivered"] == 2 * ROUNDS, counters
    assert counters["tapped"] == 2 * ROUNDS, counters


def main():
    namespaces.require()
    program = sys.argv[1:4]
    with topology() as net:
        both_directions_arrive(net, program)
        own_addresses_need_no_raw_socket(net, program)
        for source in (FOREIGN, OWN):
            long_copies_are_fragmented(net, program, source)
        for source in (FOREIGN_IPV6, OWN_IPV6):
            copies_over_ipv6_arrive(net, program, source)
        for egress in ("packet", "raw", "udp"):
            marked_copies_are_not_tapped_again(net, program, egress)


if __name__ == "__main__":
    main()
