# SPDX-License-Identifier: Apache-2.0
"""What tshark sees in a capture: the outermost IP header of each packet and what follows it."""

import pathlib
import subprocess
import tempfile

NEXT_HEADERS = {
    "ipv6": "ipv6.nxt",
    "ipv6.hopopts": "ipv6.hopopts.nxt",
    "ipv6.routing": "ipv6.routing.nxt",
    "ipv6.fraghdr": "ipv6.fraghdr.nxt",
    "ipv6.dstopts": "ipv6.dstopts.nxt",
    "ah": "ah.next_header",
    "shim6": "shim6.nxt",
}
FIELDS = [
    "frame.number", "frame.protocols", "ip.src", "ip.dst", "ip.proto", "ip.frag_offset", "ip.len", "ip.hdr_len",
    "ipv6.plen", "_ws.expert.message",
    "ipv6.src", "ipv6.dst", "ipv6.fraghdr.offset", "tcp.srcport", "tcp.dstport", "udp.srcport",
    "udp.dstport", "icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code",
] + list(NEXT_HEADERS.values())
# What a packet is must not depend on the packets around it, nor on guesses.
OPTIONS = [
    "ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
]
NO_NEXT_HEADER = "59"


def eighths(offset):
    """A fragment offset in octets, from one in units of eight."""
    return str(int(offset) * 8) if offset.isdigit() else offset


class Packet:
    """The fields of one packet; of a field that occurs more than once, all values in order."""

    def __init__(self, line):
        self.values = dict(zip(FIELDS, (v.split(",") if v else [] for v in line.split("\t"))))
        self.protocols = self.first("frame.protocols").split(":")

    def first(self, field):
        values = self.values.get(field)
        return values[0] if values else "-"

    def outermost(self):
        """The index in `protocols` of the outermost IP header, or None."""
        found = [i for i, name in enumerate(self.protocols) if name in ("ip", "ipv6")]
        return found[0] if found else None

    def line(self):
        """As dump_keys writes it, without the verdict; None without an IP header."""
        start = self.outermost()
        if start is None:
            return None
        if self.protocols[start] == "ip":
            return self._ipv4(start)
        return self._ipv6(start)

    def _ipv4(self, start):
        following = self.protocols[start + 1] if start + 1 < len(self.protocols) else ""
        transport = self._transport(following)
        offset = eighths(self.first("ip.frag_offset"))
        return " ".join([self.first("ip.src"), self.first("ip.dst"), self.first("ip.proto")]
                        + transport + [offset])

    def _ipv6(self, start):
        protocol, offset = "-", "0"
        used = {}
        position = start
        while position < len(self.protocols) and self.protocols[position] in NEXT_HEADERS:
            name = self.protocols[position]
            if name == "ipv6" and position != start:
                break
            values = self.values[NEXT_HEADERS[name]]
            at = used.get(name, 0)
            used[name] = at + 1
            if at >= len(values):
                break
            # What the packet is about when nothing follows it.
            alone = name == "shim6" and values[at] == NO_NEXT_HEADER
            if not alone:
                protocol = values[at]
            if name == "ipv6.fraghdr":
                offsets = self.values["ipv6.fraghdr.offset"]
                offset = eighths(offsets[at]) if at < len(offsets) else "-"
            position += 1
        following = self.protocols[position] if position < len(self.protocols) else ""
        return " ".join([self.first("ipv6.src"), self.first("ipv6.dst"), protocol]
                        + self._transport(following) + [offset])

    def _transport(self, name):
        if name in ("tcp", "udp"):
            return [self.first(name + ".srcport"), self.first(name + ".dstport"), "-", "-"]
        if name in ("icmp", "icmpv6"):
            return ["-", "-", self.first(name + ".type"), self.first(name + ".code")]
        return ["-", "-", "-", "-"]


def read(capture):
    """Every packet of a capture, in order."""
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=a",
               "-E", "aggregator=,", "-E", "separator=/t"]
    for option in OPTIONS:
        command += ["-o", option]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return [Packet(line) for line in done.stdout.splitlines()]


def read_as_one(captures):
    """Every packet of all of them, in order; None where they cannot be put into one file."""
    with tempfile.TemporaryDirectory() as directory:
        merged = pathlib.Path(directory) / "merged.pcapng"
        done = subprocess.run(["mergecap", "-a", "-F", "pcapng", "-w", merged, *captures],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return read(merged) if done.returncode == 0 else None
