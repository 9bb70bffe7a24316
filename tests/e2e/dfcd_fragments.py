#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fragments through dfcd: the first alone, or with `fragments all` those that follow it, too; held
against tshark, which puts the packets of a capture together."""

import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile

import lab

# Seven packets of DNS in two fragments each, over IPv4 and IPv6.
CAPTURE = "ndpi/dns_fragmented.pcap"
ALL = "fragments all;"


def batch(capture, filters, flow_tap):
    """Runs dfcd over a capture with one criterion; returns the copied packets and the summary."""
    with tempfile.TemporaryDirectory() as work:
        names = {name: os.path.join(work, name) for name in ("conf", "criteria", "copies", "audit")}
        with open(names["conf"], "w") as out:
            out.write(lab.configuration({}, flow_tap))
        with open(names["criteria"], "w") as out:
            out.write("ADD DTCP/0.7\n" +
                      "".join("%s: %s\n" % each for each in lab.add_fields(filters)))
        done = subprocess.run(
            [lab.DFCD, "--config", names["conf"], "--criteria", names["criteria"], "--audit-log",
             names["audit"], "--read", "ge-0/0/0=" + capture, "--write", names["copies"], "--once",
             "--json"], capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 0, done
        copies = [lab.split_copy(packet)[5] for packet in lab.read_pcap(names["copies"])]
        return copies, json.loads(done.stdout)


def own_capture(stack, packets):
    work = stack.enter_context(tempfile.TemporaryDirectory())
    path = os.path.join(work, "in.pcap")
    lab.write_pcap(path, [lab.ethernet(packet) for packet in packets])
    return path


def pieces(payload, size=24):
    """(offset, more, octets) of each."""
    return [(at, at + size < len(payload), payload[at:at + size])
            for at in range(0, len(payload), size)]


def train(identification, port, version=4):
    """One UDP datagram in four fragments."""
    payload = lab.udp(1000, port, b"%080d" % identification)
    if version == 4:
        return [lab.ipv4("10.0.0.1", "10.0.0.2", 17, octets, identification,
                         fragment=at // 8 | (0x2000 if more else 0))
                for at, more, octets in pieces(payload)]
    return [lab.ipv6("2001:db8::1", "2001:db8::2", 44,
                     struct.pack("!BBHI", 17, 0, at | more, identification) + octets)
            for at, more, octets in pieces(payload)]


def ip_packet(frame):
    """The IP packet in an Ethernet frame, without padding; None if there is none."""
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == 0x0800:
        return frame[14:14 + struct.unpack("!H", frame[16:18])[0]]
    if kind == 0x86DD:
        return frame[14:54 + struct.unpack("!H", frame[18:20])[0]]
    return None


def frames_of(capture, port):
    """The numbers of all frames that packets with this UDP port consist of, as tshark has them."""
    done = subprocess.run(
        ["tshark", "-n", "-r", capture, "-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE",
         "-Y", "udp.port == %d and not icmp and not icmpv6" % port, "-T", "fields",
         "-e", "frame.number", "-e", "ip.fragment", "-e", "ipv6.fragment"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    numbers = set()
    for line in done.stdout.splitlines():
        number, inet, inet6 = line.split("\t")
        parts = [int(part) for part in (inet or inet6).split(",") if part]
        numbers.update(parts or [int(number)])
    return numbers


def test_the_first_fragment_alone_unless_all_are_asked_for():
    with contextlib.ExitStack() as stack:
        packets = train(1, 53) + train(2, 54) + train(3, 53, 6)
        capture = own_capture(stack, packets)
        copies, summary = batch(capture, [("Dest-Port", "53")], "")
        assert copies == [packets[0], packets[8]], copies
        assert summary["decoded"]["later_fragment"] == 9, summary
        copies, summary = batch(capture, [("Dest-Port", "53")], ALL)
        assert copies == packets[:4] + packets[8:], copies
        assert summary["tapped"] == 8 and summary["delivered"] == 8, summary


def test_fragments_that_come_before_the_first_go_right_behind_it():
    with contextlib.ExitStack() as stack:
        one, other, three = train(1, 53), train(2, 54), train(3, 53, 6)
        sent = [one[3], other[2], three[1], one[1], one[0], other[0], three[0], one[2], three[3],
                other[1], other[3], three[2]]
        copies, summary = batch(own_capture(stack, sent), [("Dest-Port", "53")], ALL)
        assert copies == [one[0], one[3], one[1], three[0], three[1], one[2], three[3],
                          three[2]], copies
        assert summary["tapped"] == 8, summary


def test_what_comes_without_a_first_fragment_is_not_sent():
    with contextlib.ExitStack() as stack:
        packets = train(1, 53)[1:] + train(2, 53, 6)[1:]
        copies, summary = batch(own_capture(stack, packets), [], ALL)
        assert copies == [] and summary["tapped"] == 0, summary


def test_a_capture_gives_every_fragment_of_what_tshark_puts_together():
    capture = os.path.join(lab.SHARED, "pcaps", CAPTURE)
    if not lab.SHARED or not os.path.exists(capture):
        print("SKIPPED: ../shared/pcaps/%s is missing" % CAPTURE)
        return
    frames = lab.read_pcap(capture)
    expected = [ip_packet(frames[number - 1]) for number in sorted(frames_of(capture, 53))]
    sides = [[(side + "-Port", "53"), ("Protocol", "17")] for side in ("Source", "Dest")]
    copied = [packet for side in sides for packet in batch(capture, side, ALL)[0]]
    assert sorted(copied) == sorted(expected), CAPTURE
    first_only = [packet for side in sides for packet in batch(capture, side, "")[0]]
    assert len(copied) == len(first_only) + 7, "seven of them have a second fragment"


lab.main(sys.modules[__name__])
