#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Shows copies to tshark: what it finds must be what was asked for.

usage: tshark_copies.py WRITE_COPIES DUMP_COPIES

The copies of write_copies are checked field by field and octet by octet. Where $FLOWTAP_SHARED_DATA
is there, the real traffic with mirror headers in its captures/ is taken apart.
"""

import collections
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

MIRROR_PORT = "6502"
FIELDS = [
    "ip.src", "ip.dst", "ip.ttl", "ip.dsfield", "ip.checksum.status", "ip.flags.df", "ip.hdr_len",
    "ipv6.src", "ipv6.dst", "ipv6.hlim", "ipv6.tclass", "udp.srcport", "udp.dstport",
    "udp.checksum", "udp.checksum.status", "jmirror.mid", "jmirror.sid", "frame.protocols",
    "ip.reassembled.data", "ipv6.reassembled.data",
]
CHECKSUM_GOOD, CHECKSUM_ABSENT = "1", "3"
# Of each capture: packets, Intercept-ID, Session-ID, and what was copied.
REAL = {
    "jmirror_ip.pcap": (38, "2", "10f447", {"ip": 38}),
    "attachment_jmirror_ipv6.pcap": (100, "8000", "1", {"ip": 72, "not_ip": 28}),
    "jmirror_l2tp.pcap": (6, "3039", "1e240", {"not_ip": 6}),
}


def read_frames(capture):
    """The octets of each packet of a big-endian pcap file."""
    content, at, frames = capture.read_bytes(), 24, []
    while at < len(content):
        size = struct.unpack_from(">I", content, at + 8)[0]
        frames.append(content[at + 16:at + 16 + size])
        at += 16 + size
    return frames


def ask_tshark(capture):
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=f",
               "-E", "separator=|", "-d", "udp.port==2300,data",
               "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
               "-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    found = []
    for mode in (["-d", f"udp.port=={MIRROR_PORT},jmirror", "-d", "udp.port==2300,jmirror"], []):
        done = subprocess.run(command + mode, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=True)
        found.append([dict(zip(FIELDS, line.split("|"))) for line in done.stdout.splitlines()])
    return found


class Copy:
    """One line of write_copies."""

    def __init__(self, line):
        (frames, self.kind, self.source, self.destination, self.source_port, self.destination_port,
         self.ttl, self.dscp, self.intercept, self.session, inner) = line.split(" ")
        self.frames = int(frames)
        self.inner = bytes.fromhex(inner)
        self.is_ipv4 = ":" not in self.source

    def expected(self):
        """Of the outer headers, in the frame in which tshark has all of the copy."""
        fields = {}
        tos = f"0x{int(self.dscp) << 2:02x}"
        if self.is_ipv4:
            fields.update({"ip.src": self.source, "ip.dst": self.destination, "ip.ttl": self.ttl,
                           "ip.dsfield": tos, "ip.checksum.status": CHECKSUM_GOOD,
                           "ip.flags.df": "0", "ip.hdr_len": "20"})
        else:
            fields.update({"ipv6.src": self.source, "ipv6.dst": self.destination,
                           "ipv6.hlim": self.ttl, "ipv6.tclass": f"0x{int(self.dscp) << 2:08x}"})
        if self.kind != "ip_in_ip":
            fields.update({"udp.srcport": self.source_port, "udp.dstport": self.destination_port,
                           "udp.checksum.status":
                               CHECKSUM_ABSENT if self.is_ipv4 else CHECKSUM_GOOD})
        if self.kind == "udp_mirror" and self.jmirror_reads():
            fields.update({"jmirror.mid": f"0x{int(self.intercept):08x}",
                           "jmirror.sid": f"0x{int(self.session):08x}"})
        return fields

    def jmirror_reads(self):
        """tshark's dissector declines a copy of an IPv4 packet with options."""
        return self.inner[0] >> 4 != 4 or self.inner[0] == 0x45

    def shim(self):
        """Octets between the outer IP header and the inner packet."""
        return {"udp": 8, "udp_mirror": 16, "ip_in_ip": 0}[self.kind]


def copied_octets(copy, frame, fields):
    """The inner packet, cut out where tshark says the outer headers end."""
    joined = fields["ip.reassembled.data"] or fields["ipv6.reassembled.data"]
    if copy.frames > 1:
        return bytes.fromhex(joined)[copy.shim():]
    return frame[(20 if copy.is_ipv4 else 40) + copy.shim():]


def check_copies(write_copies, directory):
    capture = pathlib.Path(directory) / "copies.pcap"
    lines = subprocess.run([write_copies, capture], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    copies, frames, problems = [Copy(line) for line in lines], read_frames(capture), []
    as_mirror, as_data = ask_tshark(capture)
    at = 0
    for number, copy in enumerate(copies):
        # tshark shows a fragmented packet's inside with its last fragment.
        last = at + copy.frames - 1
        fields = (as_mirror if copy.kind == "udp_mirror" else as_data)[last]
        at = last + 1
        wrong = {name: (fields[name], value) for name, value in copy.expected().items()
                 if fields[name] != value}
        if wrong:
            problems.append(f"copy {number}, frame {last + 1} ({copy.kind}): {wrong}")
        if copied_octets(copy, frames[last], fields) != copy.inner:
            problems.append(f"copy {number}, frame {last + 1} ({copy.kind}): the packet differs")
    if at != len(frames) or len(frames) != len(as_data):
        problems.append(f"{at} frames described, {len(frames)} written, {len(as_data)} read")
    declined = sum(copy.kind == "udp_mirror" and not copy.jmirror_reads() for copy in copies)
    if declined != 8:
        problems.append(f"{declined} copies that jmirror declines, in place of 8")
    fragmented = sum(copy.frames > 1 for copy in copies)
    print(f"{len(copies)} copies, {fragmented} of them in fragments")
    return problems if fragmented else problems + ["no copy is in fragments"]


def check_real(dump_copies, captures):
    problems = []
    for name, (packets, intercept, session, inner) in REAL.items():
        done = subprocess.run([dump_copies, captures / name], stdout=subprocess.PIPE, text=True,
                              check=True)
        lines = [line.split(" ") for line in done.stdout.splitlines()]
        ids = {(line[2], line[3]) for line in lines if len(line) > 4}
        found = collections.Counter(line[4] for line in lines if len(line) > 4)
        print(f"{name}: {len(lines)} packets, {ids}, {dict(found)}")
        if len(lines) != packets or ids != {(intercept, session)} or dict(found) != inner:
            problems.append(f"{name} is not as expected")
    return problems


def main():
    write_copies, dump_copies = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        problems = check_copies(write_copies, directory)
    captures = pathlib.Path(os.environ.get("FLOWTAP_SHARED_DATA", "/nonexistent")) / "captures"
    if captures.is_dir():
        problems += check_real(dump_copies, captures)
    else:
        print("SKIPPED: ../shared/captures is missing")
    for problem in problems[:20]:
        print(problem)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
