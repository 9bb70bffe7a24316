#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs flowtap-match on a capture of its own making and compares with tcpdump.

usage: match_test.py FLOWTAP_MATCH
"""

import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

SEED = 20261121
PACKETS = 600
HOSTS = ["10.0.0.%d" % i for i in range(1, 9)]
HOSTS6 = ["2001:db8::%d" % i for i in range(1, 5)]
PORTS = [53, 80, 443, 1000, 1001, 5060]

# A filter, and what selects the same packets with tcpdump.
EQUAL = (
    ([], "ip or ip6"),
    (["Source-Address: 10.0.0.1"], "src host 10.0.0.1"),
    (["Dest-Address: 10.0.0.0/30"], "dst net 10.0.0.0/30"),
    (["Source-Address: 10.0.0.2-10.0.0.3"], "src host 10.0.0.2 or src host 10.0.0.3"),
    (["Dest-Address: 2001:db8::1"], "ip6 and dst host 2001:db8::1"),
    (["Protocol: 17", "Dest-Port: 53"], "udp dst port 53"),
    (["Protocol: 6,17", "Source-Port: 1000-1001"], "src portrange 1000-1001"),
    (["Protocol: 6", "Dest-Port: !443"], "tcp and not dst port 443"),
    (["Source-Address: 10.0.0.1", "Dest-Address: 10.0.0.2", "Protocol: 17"],
     "udp and src host 10.0.0.1 and dst host 10.0.0.2"),
    (["Protocol: 1"], "icmp"),
    (["Protocol: 1", "ICMP-Type: 8"], "icmp[icmptype] == 8"),
    (["X-JTap-IP-Version: ipv6"], "ip6"),
    (["Protocol: 17", "Source-Port: 1000,1001", "Dest-Port: 53,80"],
     "udp and ((src port 1000 and dst port 53) or (src port 1001 and dst port 80))"),
    (["dest-port:  5060", "PROTOCOL: 17"], "udp dst port 5060"),
)

REQUEST = """ADD DTCP/0.7
Csource-ID: ftap
Cdest-ID: cd1
Dest-Address: 10.0.0.1
Priority: 2
X-JTap-Cdest-Dest-Address: 192.0.2.5
X-JTap-Cdest-Dest-Port: 2300
X-JTap-Cdest-Source-Address: 198.51.100.9
X-JTap-Cdest-Source-Port: 65535
Flags: STATIC
"""


def address(text):
    return bytes(int(part) for part in text.split("."))


def address6(text):
    return bytes.fromhex("20010db8") + bytes(11) + bytes([int(text.rsplit(":", 1)[1])])


def transport(random_source):
    """A protocol and the octets of its header, for both families."""
    kind = random_source.randrange(4)
    source, destination = random_source.choice(PORTS), random_source.choice(PORTS)
    if kind == 0:
        return 6, struct.pack("!HHIIBBHHH", source, destination, 0, 0, 0x50, 2, 0, 0, 0)
    if kind == 1:
        return 1, struct.pack("!BBHI", random_source.choice((0, 8)), 0, 0, 0)
    return 17, struct.pack("!HHHH", source, destination, 8, 0)


def frame(random_source):
    kind = random_source.randrange(10)
    ethernet = bytes(12)
    if kind == 0:
        return ethernet + b"\x08\x06" + bytes(46)
    protocol, payload = transport(random_source)
    if kind in (1, 2):
        source, destination = (address6(random_source.choice(HOSTS6)) for _ in range(2))
        protocol = 58 if protocol == 1 else protocol
        return ethernet + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) \
            + source + destination + payload
    source, destination = (address(random_source.choice(HOSTS)) for _ in range(2))
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    return ethernet + b"\x08\x00" + header + source + destination + payload


def pcap(frames, link=1):
    made = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for number, octets in enumerate(frames):
        made += struct.pack("<IIII", 100 + number, number, len(octets), len(octets)) + octets
    return made


class Checks:
    def __init__(self, program, where):
        print(f"seed {SEED}")
        source = random.Random(SEED)
        self.program = program
        self.where = pathlib.Path(where)
        self.frames = [frame(source) for _ in range(PACKETS)]
        self.capture = self.file("all.pcap", pcap(self.frames))

    def file(self, name, contents):
        path = self.where / name
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return str(path)

    def run(self, *arguments, status=0, stdin=None):
        done = subprocess.run([self.program, *arguments], capture_output=True, check=False,
                              input=stdin)
        assert done.returncode == status, (arguments, done)
        assert status != 0 or done.stderr == b"", done
        return done.stdout, done.stderr.decode()

    def numbers(self, *arguments, **settings):
        return [int(line) for line in self.run(*arguments, **settings)[0].split()]

    def tcpdump(self, capture, expression):
        """The packets that tcpdump selects, as a capture."""
        return subprocess.run(["tcpdump", "-r", capture, "-w", "-", expression], check=True,
                              capture_output=True).stdout

    def equal_to_tcpdump(self):
        for fields, expression in EQUAL:
            words = [word for line in fields for word in ("-f", line)]
            numbers = self.numbers(*words, self.capture)
            selected = [self.frames[number - 1] for number in numbers]
            theirs = self.tcpdump(self.capture, expression)
            count = self.tcpdump_count(theirs)
            assert 0 < count < PACKETS, (expression, count)
            assert numbers == sorted(set(numbers))
            assert len(numbers) == count, (fields, len(numbers), count)
            assert int(self.run(*words, "--count", self.capture)[0]) == count
            assert self.records(theirs) == selected, fields
            written = str(self.where / "out.pcap")
            assert self.run(*words, "--write", written, self.capture)[0] == b""
            assert self.records(pathlib.Path(written).read_bytes()) == selected
            assert self.tcpdump_count(self.tcpdump(written, "")) == count

    @staticmethod
    def records(capture):
        found, at = [], 24
        while at < len(capture):
            length = struct.unpack_from("<I", capture, at + 8)[0]
            found.append(capture[at + 16:at + 16 + length])
            at += 16 + length
        return found

    def tcpdump_count(self, capture):
        return len(self.records(capture))

    def times_stay(self):
        written = str(self.where / "out.pcap")
        self.run("-f", "Protocol: 17", "--write", written, self.capture)
        show = ["tshark", "-T", "fields", "-e", "frame.time_epoch", "-r"]
        theirs = subprocess.run([*show, self.capture, "-Y", "udp && !icmp && !icmpv6"], check=True,
                                capture_output=True).stdout
        ours = subprocess.run([*show, written], check=True, capture_output=True).stdout
        assert ours == theirs and ours

    def requests(self):
        once = self.file("one.dtcp", REQUEST)
        wanted = self.numbers("-f", "Dest-Address: 10.0.0.1", self.capture)
        assert self.numbers("--add", once, self.capture) == wanted
        other = REQUEST.replace("10.0.0.1", "10.0.0.2")
        both = self.file("two.dtcp", REQUEST.replace("\n", "\r\n") + "\r\n" + other)
        wanted2 = self.numbers("-f", "Dest-Address: 10.0.0.2", self.capture)
        union = sorted(wanted + wanted2)
        assert self.numbers("--add", both, self.capture) == union
        assert self.numbers("--add", once, "-f", "Dest-Address: 10.0.0.2", self.capture) == union
        # An interface in the request is the capture's own.
        scoped = self.file("scoped.dtcp", REQUEST + "X-JTap-Output-Interface: ge-0/0/0\n")
        assert self.numbers("--add", scoped, self.capture) == wanted

    def port_lists(self):
        fields = ["-f", "Protocol: 17", "-f", "Source-Port: 1000,1001", "-f", "Dest-Port: 53,80"]
        product = self.numbers(*fields, "--port-lists", "product", self.capture)
        expression = "udp and (src port 1000 or src port 1001) and (dst port 53 or dst port 80)"
        assert len(product) == self.tcpdump_count(self.tcpdump(self.capture, expression))
        assert set(self.numbers(*fields, self.capture)) < set(product)

    def forms(self):
        contents = pathlib.Path(self.capture).read_bytes()
        wanted = self.numbers("-f", "Protocol: 17", self.capture)
        assert self.numbers("-f", "Protocol: 17", "-", stdin=contents) == wanted
        written = self.run("-f", "Protocol: 17", "--write", "-", self.capture)[0]
        assert self.records(written) == [self.frames[number - 1] for number in wanted]
        shown = json.loads(self.run("-f", "Protocol: 17", "--json", self.capture)[0])
        assert shown == {"packets": PACKETS, "matched": len(wanted), "numbers": wanted}
        shown = json.loads(self.run("-f", "Protocol: 17", "--json", "--count", self.capture)[0])
        assert shown == {"packets": PACKETS, "matched": len(wanted)}
        assert b"flowtap-match" in self.run("--version")[0]
        assert b"CAPTURE" in self.run("--help")[0]
        # Nothing matches: not an error, and nothing on standard output.
        assert self.numbers("-f", "Dest-Address: 203.0.113.1", self.capture) == []
        assert self.run("-f", "Dest-Address: 203.0.113.1", "--count", self.capture)[0] == b"0\n"

    def mistakes(self):
        for words, remark in (
                ([], "capture is required"),
                (["--no-such-option", self.capture], "--no-such-option"),
                (["-f", "Dest-Adress: 10.0.0.1", self.capture], "Dest-Adress"),
                (["-f", "Cdest-ID: cd1", self.capture], "Cdest-ID"),
                (["-f", "Dest-Address: 10.0.0.256", self.capture], "10.0.0.256"),
                (["-f", "no line", self.capture], "no line"),
                (["-f", "", self.capture], ""),
                (["-f", "Protocol: 17\nDest-Port: 1", self.capture], "control octet"),
                (["--port-lists", "both", self.capture], "--port-lists"),
                (["--add", "/nowhere/request", self.capture], "/nowhere/request"),
                (["--add", self.file("empty.dtcp", "\n\n"), self.capture], "empty.dtcp"),
                (["--add", self.file("noop.dtcp", "NOOP DTCP/0.7\n\n"), self.capture], "noop.dtcp"),
                (["--add", self.file("bad.dtcp", REQUEST + "Dest-Port: x\n"), self.capture],
                 "bad.dtcp"),
                (["--write", "-", "--count", self.capture], "--write"),
        ):
            output, remarks = self.run(*words, status=2)
            assert output == b"" and remark in remarks, (words, remarks)
        # The line of a file that is wrong is named, also in its second request.
        bad = self.file("bad.dtcp", REQUEST + "\n" + REQUEST.replace("10.0.0.1", "10.0.0.400"))
        assert f"{len(REQUEST.splitlines()) + 5}:" in self.run("--add", bad, self.capture,
                                                               status=2)[1]

    def failures(self):
        for words in (["/nowhere/a.pcap"], [self.file("text", "this is a text, no capture at all")],
                      ["--write", "/nowhere/out.pcap", self.capture],
                      ["--write", "/dev/full", self.capture]):
            assert self.run(*words, status=1)[1] != "", words
        # A capture that is cut off gives what came before, and fails.
        contents = pathlib.Path(self.capture).read_bytes()
        cut = self.file("cut.pcap", contents[:-5])
        output, remarks = self.run("-f", "Protocol: 0-255", "--count", cut, status=1)
        whole = int(self.run("-f", "Protocol: 0-255", "--count", self.capture)[0])
        assert int(output) in (whole - 1, whole) and "cut.pcap" in remarks, (output, remarks)
        full = subprocess.run(f"{self.program} {self.capture} > /dev/full", shell=True,
                              capture_output=True, check=False)
        assert full.returncode == 1, full


def main():
    with tempfile.TemporaryDirectory() as where:
        checks = Checks(sys.argv[1], where)
        checks.equal_to_tcpdump()
        checks.times_stay()
        checks.requests()
        checks.port_lists()
        checks.forms()
        checks.mistakes()
        checks.failures()


if __name__ == "__main__":
    main()
