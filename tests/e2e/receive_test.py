#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs flowtap-receive as a content destination: on sockets of loopback and on captures.

usage: receive_test.py FLOWTAP_RECEIVE [TEST...]
"""

import contextlib
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

import dfcd_capture
import lab

SEED = 20261121
PROGRAM = sys.argv.pop(1)


def skip(reason):
    print("SKIPPED: " + reason, flush=True)


def inner_packets(count, seed=SEED):
    """IPv4 and IPv6 packets of all sizes that fit into one datagram."""
    source = random.Random(seed)
    made = []
    for number in range(count):
        payload = lab.udp(1000 + number % 5000, 53, source.randbytes(source.randrange(0, 1200)))
        if number % 3 == 2:
            made.append(lab.ipv6("2001:db8::1", "2001:db8::2", 17, payload))
        else:
            made.append(lab.ipv4("10.0.0.1", "10.0.0.2", 17, payload, number % 65536))
    return made


def mirror(intercept, session, packet, version=0):
    return struct.pack("!II", version << 30 | intercept, session) + packet


def udp_copy(packet, source=("198.51.100.9", 65535), destination=("192.0.2.5", 2300)):
    make = lab.ipv6 if ":" in source[0] else lab.ipv4
    datagram = lab.udp(source[1], destination[1], packet)
    if ":" in source[0]:
        addresses = b"".join(socket.inet_pton(socket.AF_INET6, end[0])
                             for end in (source, destination))
        sum_ = lab.checksum(addresses + struct.pack("!II", len(datagram), 17) + datagram)
        datagram = datagram[:6] + struct.pack("!H", sum_ or 0xFFFF) + datagram[8:]
    return make(source[0], destination[0], 17, datagram)


class Directory:
    """A directory for one test."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="receive-"))
        return self.path

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.path, ignore_errors=True)


def run(*arguments, status=0, **settings):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, check=False,
                          timeout=lab.PATIENCE, **settings)
    assert done.returncode == status, (arguments, done)
    return done.stdout, done.stderr.decode()


def summary(*arguments, **settings):
    return json.loads(run(*arguments, "--json", **settings)[0])


class Receiver:
    """A flowtap-receive that listens; knows its ports."""

    def __init__(self, *arguments, places=1, prefix=(), **settings):
        self.process = subprocess.Popen([*prefix, PROGRAM, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                                        **settings)
        self.ports = []
        for _ in range(places):
            line = self.line()
            match = re.search(r"listening on (?:\S+:(\d+)|IP-in-IP|lo)$", line)
            assert match, line
            self.ports.append(int(match[1] or 0))

    def line(self):
        """The next line on standard error."""
        ready, _, _ = select.select([self.process.stderr], [], [], lab.PATIENCE)
        assert ready, "flowtap-receive says nothing"
        return self.process.stderr.readline().decode().strip()

    def end(self, number=signal.SIGTERM, status=0):
        if number is not None:
            self.process.send_signal(number)
        output, self.remarks = self.process.communicate(timeout=lab.PATIENCE)
        assert self.process.returncode == status, (self.process.returncode, output, self.remarks)
        return output

    def summary(self, **how):
        return json.loads(self.end(**how).splitlines()[-1])

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def sender(address="127.0.0.1"):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    return made


def has_ipv6():
    try:
        sender("::1").close()
        return True
    except OSError:
        return False


# --- sockets -----------------------------------------------------------------------------------

def check_udp(address, brackets):
    packets = inner_packets(300)
    with Directory() as where, sender(address) as out:
        output = where / "taps"
        begin = time.time_ns()
        with Receiver("--listen", brackets + ":0", "--json", "--output", output, "--write",
                      where / "all.pcap", "--count", len(packets)) as receiver:
            for packet in packets:
                out.sendto(packet, (address, receiver.ports[0]))
            told = receiver.summary(number=None)
        port = out.getsockname()[1]
        assert told["copies"] == len(packets) and sum(told["refused"].values()) == 0, told
        assert told["octets"] == sum(map(len, packets)) and told["lost"] == 0
        one, = told["intercepts"]
        assert one["encapsulation"] == "udp" and one["copies"] == len(packets)
        assert (one["source_address"], one["source_port"]) == (address, port)
        assert (one["destination_address"], one["destination_port"]) == \
            (address, receiver.ports[0])
        plain = address.replace(":", "_")
        assert one["file"] == f"udp-{plain}-{port}-{plain}-{receiver.ports[0]}.pcap"
        assert lab.read_pcap(output / one["file"]) == packets
        assert lab.read_pcap(where / "all.pcap") == packets
        assert stat.S_IMODE(output.stat().st_mode) == 0o700
        assert stat.S_IMODE((output / one["file"]).stat().st_mode) == 0o600
        assert stat.S_IMODE((where / "all.pcap").stat().st_mode) == 0o600
        # The times are those of arrival, in order, and the file is one that others read.
        shown = subprocess.run(["tshark", "-r", output / one["file"], "-T", "fields", "-e",
                                "frame.time_epoch"], check=True, capture_output=True, text=True)
        times = [int(line.replace(".", "")) for line in shown.stdout.split()]
        assert len(times) == len(packets) and times == sorted(times)
        assert begin <= times[0] and times[-1] <= time.time_ns()


def test_udp_over_ipv4():
    check_udp("127.0.0.1", "127.0.0.1")


def test_udp_over_ipv6():
    if not has_ipv6():
        return skip("there is no IPv6")
    check_udp("::1", "[::1]")


def test_the_destination_is_told_behind_a_wildcard():
    with sender() as out, Receiver("--listen", "0.0.0.0:0", "--json", "--count", 1) as receiver:
        out.sendto(inner_packets(1)[0], ("127.0.0.1", receiver.ports[0]))
        one, = receiver.summary(number=None)["intercepts"]
        assert one["destination_address"] == "127.0.0.1", one


def test_mirror_header_for_one_listener():
    packets = inner_packets(40)
    with Directory() as where, sender() as out:
        with Receiver("--listen", "127.0.0.1:0=mirror", "--listen", "127.0.0.1:0", "--json",
                      "--output", where / "taps", "--count", 2 * len(packets),
                      places=2) as receiver:
            for number, packet in enumerate(packets):
                out.sendto(mirror(0x3FFFFFFF, number % 2, packet), ("127.0.0.1", receiver.ports[0]))
                out.sendto(packet, ("127.0.0.1", receiver.ports[1]))
            told = receiver.summary(number=None)
        kinds = {one["encapsulation"]: 0 for one in told["intercepts"]}
        for one in told["intercepts"]:
            kinds[one["encapsulation"]] += 1
            written = lab.read_pcap(where / "taps" / one["file"])
            if one["encapsulation"] == "mirror":
                assert one["intercept_id"] == 0x3FFFFFFF
                assert one["file"].endswith("-3fffffff-%08x.pcap" % one["session_id"])
                assert written == packets[one["session_id"]::2]
            else:
                assert written == packets
        assert kinds == {"mirror": 2, "udp": 1}, told


def test_a_range_of_ports():
    packets = inner_packets(9)
    # Three ports in a row that are free, most likely.
    with sender() as probe:
        first = min(max(probe.getsockname()[1] - 7000, 1024), 60000)
    with sender() as out, Receiver("--listen", f"127.0.0.1:{first}-{first + 2}", "--json",
                                   "--count", 9, places=3) as receiver:
        assert receiver.ports == [first, first + 1, first + 2]
        for number, packet in enumerate(packets):
            out.sendto(packet, ("127.0.0.1", first + number % 3))
        told = receiver.summary(number=None)
        assert sorted(one["destination_port"] for one in told["intercepts"]) == receiver.ports
        assert all(one["copies"] == 3 for one in told["intercepts"])


def test_what_is_no_copy_is_counted_by_cause():
    good = inner_packets(3)
    cases = (
        (b"", "empty"),
        (b"\x45", "inner_cut_short"),
        (b"\xffthis is no packet", "no_ip_inside"),
        (good[0][:-1], "inner_cut_short"),
        (good[2][:39], "inner_cut_short"),
        (b"\x42" + good[0][1:], "no_ip_inside"),
        (bytes(1400), "no_ip_inside"))
    with sender() as out, Receiver("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0=mirror",
                                   "--json", places=2) as receiver:
        plain, mirrored = (("127.0.0.1", port) for port in receiver.ports)
        expected = {"no_mirror_header": 3}
        for octets, cause in cases:
            out.sendto(octets, plain)
            expected[cause] = expected.get(cause, 0) + 1
        for octets in (b"", bytes(7), mirror(1, 2, good[0], version=1)):
            out.sendto(octets, mirrored)
        out.sendto(mirror(1, 2, b""), mirrored)
        expected["empty"] += 1
        out.sendto(good[0] + b"padding", plain)
        told = receiver.summary()
        assert {name: count for name, count in told["refused"].items() if count} == expected, told
        assert told["copies"] == told["padded"] == 1 and told["octets"] == len(good[0])


def test_nonsense_never_stops_it():
    print(f"seed {SEED}")
    source = random.Random(SEED)
    good = inner_packets(50)
    with sender() as out, Receiver("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0=mirror",
                                   "--json", places=2) as receiver:
        sent = 0
        for number in range(3000):
            octets = bytearray(source.choice(good))
            for _ in range(source.randrange(4)):
                octets[source.randrange(len(octets))] = source.randrange(256)
            octets = bytes(octets[:source.randrange(len(octets) + 1)])
            out.sendto(octets, ("127.0.0.1", receiver.ports[number % 2]))
            sent += 1
            if number % 100 == 0:
                time.sleep(0)  # lets the receiver run on a busy machine
        told = receiver.summary()
        assert told["copies"] + sum(told["refused"].values()) + told["lost"] == sent, told
        assert told["copies"] > 0 and told["refused"]["inner_cut_short"] > 0


def test_intercepts_beyond_the_limit_are_counted_together():
    packets = inner_packets(20)
    with Directory() as where:
        copies = [udp_copy(packet, source=("198.51.100.9", 1 + number % 5))
                  for number, packet in enumerate(packets)]
        lab.write_pcap(where / "in.pcap", copies, 101)
        told = summary("--read", where / "in.pcap", "--output", where / "taps", "--write",
                       where / "all.pcap", "--max-intercepts", 2)
        assert [one["source_port"] for one in told["intercepts"]] == [1, 2]
        beyond = [packet for number, packet in enumerate(packets) if number % 5 >= 2]
        assert told["other"] == {"copies": len(beyond), "octets": sum(map(len, beyond))}
        assert len(os.listdir(where / "taps")) == 2
        assert lab.read_pcap(where / "all.pcap") == packets


def test_more_intercepts_than_open_files():
    count, rounds = 700, 3
    packets = inner_packets(count * rounds)
    with Directory() as where:
        copies = [udp_copy(packet, source=("198.51.100.9", 1 + number % count))
                  for number, packet in enumerate(packets)]
        lab.write_pcap(where / "in.pcap", copies, 101)
        told = summary("--read", where / "in.pcap", "--output", where / "taps")
        assert len(told["intercepts"]) == count and told["unwritten"] == 0
        for number, one in enumerate(told["intercepts"]):
            assert one["number"] == number + 1 and one["source_port"] == number + 1
            assert lab.read_pcap(where / "taps" / one["file"]) == packets[number::count]


def test_signals():
    with sender() as out:
        for number in (signal.SIGINT, signal.SIGTERM):
            with Receiver("--listen", "127.0.0.1:0") as receiver:
                out.sendto(inner_packets(1)[0], ("127.0.0.1", receiver.ports[0]))
                # What waits in the socket is not left behind.
                assert re.search(rb"^copies +1$", receiver.end(number), re.M)
        with Receiver("--listen", "127.0.0.1:0") as receiver:
            receiver.process.send_signal(signal.SIGUSR1)
            assert receiver.line().startswith("0 copies, 0 octets, ")
            receiver.end()
        with Receiver("--listen", "127.0.0.1:0", "--json") as receiver:
            receiver.process.send_signal(signal.SIGUSR1)
            line = json.loads(receiver.process.stdout.readline())
            assert line["event"] == "counters" and line["copies"] == 0
            assert receiver.summary()["event"] == "summary"


def test_ends_by_itself():
    for words in (("--duration", "0.1"), ("--idle", "0.1")):
        output, remarks = run("--listen", "127.0.0.1:0", *words)
        assert output.startswith(b"copies            0\n") and "listening on" in remarks
        assert run("--listen", "127.0.0.1:0", "--quiet", *words)[1] == ""
    # A pipe that says nothing keeps nobody either.
    reading, writing = os.pipe()
    os.write(writing, lab.pcap_header(101))
    run("--read", "-", "--duration", "0.1", stdin=reading)
    os.close(reading), os.close(writing)


def test_counters_for_scripts():
    with Receiver("--listen", "127.0.0.1:0", "--json", "--interval", "0.05") as receiver:
        lines = [json.loads(receiver.process.stdout.readline()) for _ in range(2)]
        assert all(line["event"] == "counters" for line in lines)
        assert set(lines[0]) == {"event", "copies", "octets", "copies_per_second",
                                 "octets_per_second", "intercepts", "refused", "incomplete",
                                 "lost"}
        assert receiver.summary()["event"] == "summary"
    with Receiver("--listen", "127.0.0.1:0", "--interval", "0.05") as receiver:
        assert re.match(r"0 copies, 0 octets, 0/s, 0.00 Mbit/s, 0 intercepts, 0 refused, 0 lost",
                        receiver.line())
        receiver.end()


def test_a_status_line_on_a_terminal():
    controller, terminal = os.openpty()
    with subprocess.Popen([PROGRAM, "--listen", "127.0.0.1:0", "--interval", "0.05", "--duration",
                           "0.3"], stdout=subprocess.DEVNULL, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        try:
            while octets := os.read(controller, 4096):
                shown += octets
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    os.close(controller)
    assert b"\r0 copies, 0 octets" in shown and shown.endswith(b"\r\n"), shown


def test_packets_that_the_kernel_drops_are_counted():
    packet = inner_packets(1)[0]
    with sender() as out, Receiver("--listen", "127.0.0.1:0", "--receive-buffer", 4096,
                                   "--json") as receiver:
        receiver.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, receiver.process.pid, os.WSTOPPED)
        for _ in range(500):
            out.sendto(packet, ("127.0.0.1", receiver.ports[0]))
        receiver.process.send_signal(signal.SIGCONT)
        told = receiver.summary()
        assert told["copies"] > 0 and told["lost"] > 0
        assert told["copies"] + told["lost"] == 500, told


def test_two_receivers_do_not_share_a_port():
    with Receiver("--listen", "127.0.0.1:0") as receiver:
        remarks = run("--listen", f"127.0.0.1:{receiver.ports[0]}", status=1)[1]
        assert "in use" in remarks and str(receiver.ports[0]) in remarks
        receiver.end()


def test_ip_in_ip():
    if os.geteuid() != 0:
        return skip("raw sockets need root")
    packets = inner_packets(60)
    with Directory() as where:
        with Receiver("--ip-in-ip", "127.0.0.1", "--json", "--output", where / "taps", "--count",
                      len(packets)) as receiver:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
                for packet in packets:
                    protocol = 41 if packet[0] >> 4 == 6 else 4
                    out.sendto(lab.ipv4("127.0.0.2", "127.0.0.1", protocol, packet, ttl=255),
                               ("127.0.0.1", 0))
            told = receiver.summary(number=None)
        one, = told["intercepts"]
        assert one["file"] == "ip-in-ip-127.0.0.2-127.0.0.1.pcap" and "source_port" not in one
        # Two sockets, one a protocol: only their own order is kept.
        assert sorted(lab.read_pcap(where / "taps" / one["file"])) == sorted(packets)


def test_ip_in_ip_over_ipv6():
    if os.geteuid() != 0:
        return skip("raw sockets need root")
    if not has_ipv6():
        return skip("there is no IPv6")
    packets = inner_packets(60)
    with Directory() as where:
        with Receiver("--ip-in-ip", "any", "--json", "--write", where / "all.pcap") as receiver:
            for protocol, version in ((4, 4), (41, 6)):
                with socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol) as out:
                    for packet in packets:
                        if packet[0] >> 4 == version:
                            out.sendto(packet, ("::1", 0))
                    out.sendto(b"\xffno packet", ("::1", 0))
            told = receiver.summary()
        one = next(one for one in told["intercepts"] if one["source_address"] == "::1")
        assert one["copies"] == len(packets) and one["destination_address"] == "::1", told
        assert told["refused"]["no_ip_inside"] == 2
        assert sorted(lab.read_pcap(where / "all.pcap")) == sorted(packets)


def test_a_missing_privilege_is_named():
    command = [PROGRAM, "--ip-in-ip", "any"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", *command]
    done = subprocess.run(command, capture_output=True, check=False, timeout=lab.PATIENCE)
    assert done.returncode == 1 and b"CAP_NET_RAW" in done.stderr, done


# --- captures ----------------------------------------------------------------------------------

def test_captures_of_every_encapsulation():
    packets = inner_packets(90)
    outers = {
        ("udp", 4): udp_copy,
        ("udp", 6): lambda packet: udp_copy(packet, ("2001:db8::9", 65535), ("2001:db8::5", 2300)),
        ("mirror", 4): lambda packet: udp_copy(mirror(2, 0x10F447, packet)),
        ("ip-in-ip", 4): lambda packet: lab.ipv4("198.51.100.9", "192.0.2.5",
                                                 41 if packet[0] >> 4 == 6 else 4, packet),
        ("ip-in-ip", 6): lambda packet: lab.ipv6("2001:db8::9", "2001:db8::5",
                                                 41 if packet[0] >> 4 == 6 else 4, packet),
    }
    with Directory() as where:
        for (kind, version), encapsulate in outers.items():
            copies = [encapsulate(packet) for packet in packets]
            capture = where / f"{kind}{version}.pcap"
            lab.write_pcap(capture, [lab.ethernet(copy, 100) for copy in copies])
            output = where / f"taps-{kind}{version}"
            told = summary("--read", capture, "--encapsulation", kind, "--output", output)
            one, = told["intercepts"]
            assert told["copies"] == len(packets) and sum(told["refused"].values()) == 0, told
            assert told["wrong_ip_checksums"] == told["wrong_udp_checksums"] == 0, told
            assert lab.read_pcap(output / one["file"]) == packets
            assert one["first"] == "2023-11-14T22:13:20.000000000Z"
            assert one["last"] == "2023-11-14T22:13:20.089000000Z"
            assert one["destination_address"] == ("192.0.2.5" if version == 4 else "2001:db8::5")
            # The other way of reading it finds little or nothing.
            other = "udp" if kind == "ip-in-ip" else "ip-in-ip"
            told = summary("--read", capture, "--encapsulation", other)
            assert told["copies"] == 0 and told["refused"]["not_encapsulated"] == len(packets)


def test_fragments_are_put_together():
    packets = [lab.ipv4("10.0.0.1", "10.0.0.2", 17, lab.udp(1, 2, bytes([i]) * 3000))
               for i in range(4)]
    pieces = []
    for number, packet in enumerate(packets):
        payload = udp_copy(packet)[20:]
        parts = [(at, payload[at:at + 1480]) for at in range(0, len(payload), 1480)]
        made = [lab.ipv4("198.51.100.9", "192.0.2.5", 17, part, 100 + number,
                         fragment=at // 8 | (0x2000 if at + 1480 < len(payload) else 0))
                for at, part in parts]
        pieces.append(made)
    with Directory() as where:
        # In the wrong order; and one that never becomes whole.
        lab.write_pcap(where / "in.pcap", pieces[0] + pieces[1][::-1] + pieces[2] + pieces[3][:1],
                       101)
        told = summary("--read", where / "in.pcap", "--write", where / "out.pcap")
        assert told["copies"] == 3 and told["incomplete"] == 1, told
        assert lab.read_pcap(where / "out.pcap") == packets[:3]


def test_what_is_no_copy_in_a_capture():
    packet = inner_packets(1)[0]
    copy = udp_copy(packet)
    wrong_sum = copy[:10] + b"\x12\x34" + copy[12:]
    frames = [lab.ethernet(copy), bytes(12) + b"\x08\x06" + bytes(46),
              lab.ethernet(lab.ipv4("1.2.3.4", "5.6.7.8", 6, bytes(20))),
              lab.ethernet(lab.ipv4("1.2.3.4", "5.6.7.8", 17, b"\x00\x01\x00\x02\x00\x07\x00\x00")),
              lab.ethernet(b"\x41" + copy[1:]), lab.ethernet(wrong_sum)]
    with Directory() as where:
        lab.write_pcap(where / "in.pcap", frames)
        with open(where / "in.pcap", "ab") as more:
            cut = lab.ethernet(copy)
            more.write(struct.pack("<IIII", 1, 1, len(cut) - 4, len(cut)) + cut[:-4])
        told = summary("--read", where / "in.pcap")
        assert {name: count for name, count in told["refused"].items() if count} == {
            "not_ip": 1, "not_encapsulated": 2, "malformed": 1, "cut_short": 1}, told
        assert told["copies"] == 2 and told["wrong_ip_checksums"] == 1


def test_copies_that_hold_frames():
    frames = [lab.ethernet(packet) for packet in inner_packets(20)]
    with Directory() as where:
        lab.write_pcap(where / "in.pcap", [udp_copy(frame) for frame in frames], 101)
        told = summary("--read", where / "in.pcap", "--inner", "ethernet", "--write",
                       where / "out.pcap")
        assert told["copies"] == len(frames)
        assert lab.read_pcap(where / "out.pcap") == frames
        assert (where / "out.pcap").read_bytes()[20:24] == struct.pack("<I", 1)
        assert summary("--read", where / "in.pcap")["refused"]["no_ip_inside"] == len(frames)


def test_real_mirrored_traffic_against_tshark():
    for name, port, inner in (("jmirror_ip.pcap", 6502, "ip"),
                              ("attachment_jmirror_ipv6.pcap", 54301, "ppp"),
                              ("jmirror_l2tp.pcap", 5000, "ppp")):
        capture = pathlib.Path(lab.SHARED, "captures", name)
        if not lab.SHARED or not capture.exists():
            skip(f"../shared/captures/{name} is missing")
            continue
        shown = subprocess.run(
            ["tshark", "-r", capture, "-d", f"udp.port=={port},jmirror", "-Y", "jmirror", "-T",
             "fields", "-e", "jmirror.mid", "-e", "jmirror.sid", "-e", "udp.payload", "-E",
             "occurrence=f"], check=True, capture_output=True, text=True).stdout
        theirs = [line.split("\t") for line in shown.splitlines()]
        assert theirs, name
        with Directory() as where:
            told = summary("--read", capture, "--encapsulation", "mirror", "--inner", inner,
                           "--output", where / "taps", "--write", where / "out.pcap")
            assert told["copies"] == len(theirs), (name, told)
            ids = {(one["intercept_id"], one["session_id"]) for one in told["intercepts"]}
            assert ids == {(int(mid, 0), int(sid, 0)) for mid, sid, _ in theirs}, (name, ids)
            payloads = [bytes.fromhex(line[2].replace(":", ""))[8:] for line in theirs]
            ours = lab.read_pcap(where / "out.pcap")
            # The packet ends where its own header says.
            assert all(payload.startswith(packet) for payload, packet in zip(payloads, ours))
            assert sum(map(len, payloads)) - sum(map(len, ours)) == 0 or told["padded"] > 0
            again = subprocess.run(["tshark", "-r", where / "out.pcap", "-T", "fields", "-e",
                                    "frame.protocols"], check=True, capture_output=True, text=True)
            assert len(again.stdout.splitlines()) == len(ours)
            assert not re.search(r"malformed", again.stdout)


CRITERIA = """ADD DTCP/0.7
Cdest-ID: cd1
Dest-Port: 53
X-JTap-Cdest-Dest-Address: 203.0.113.5
X-JTap-Cdest-Dest-Port: 2300
X-JTap-Cdest-Source-Address: 198.51.100.9
X-JTap-Cdest-Source-Port: 2300
Flags: STATIC

ADD DTCP/0.7
Cdest-ID: cd2
Source-Address: 10.0.0.1
X-JTap-Cdest-Dest-Address: 203.0.113.5
X-JTap-Cdest-Dest-Port: 2301
X-JTap-Cdest-Source-Address: 198.51.100.9
X-JTap-Cdest-Source-Port: 2300
Flags: STATIC

"""


def test_what_dfcd_writes():
    packets = inner_packets(500)
    with Directory() as where:
        (where / "dfcd.conf").write_text(lab.configuration({"lea1": ("x", ["flow-tap-operation"])}))
        (where / "dfcd.conf").chmod(0o600)
        (where / "criteria").write_text(CRITERIA)
        lab.write_pcap(where / "in.pcap", [lab.ethernet(packet) for packet in packets])
        subprocess.run([lab.DFCD, "--config", where / "dfcd.conf", "--audit-log", where / "audit",
                        "--criteria", where / "criteria", "--read",
                        f"ge-0/0/0={where}/in.pcap", "--write", where / "copies.pcap", "--once"],
                       check=True, capture_output=True, timeout=lab.PATIENCE)
        told = summary("--read", where / "copies.pcap", "--output", where / "taps")
        assert sum(told["refused"].values()) == told["wrong_ip_checksums"] == 0, told
        taps = {one["destination_port"]: lab.read_pcap(where / "taps" / one["file"])
                for one in told["intercepts"]}
        assert taps == {2300: packets, 2301: [packet for packet in packets
                                              if packet[0] >> 4 == 4]}


def test_what_dynamic_flow_capture_writes():
    packets = dfcd_capture.packets(50)
    with contextlib.ExitStack() as stack:
        where = stack.enter_context(Directory())
        made = dfcd_capture.Capture(stack, frames=packets, start_after=2)
        for number in (1, 2):
            made.add(number, dfcd_capture.STATIC)
        made.dfcd.wait_for("the replay has ended")
        made.dfcd.stop()
        told = summary("--read", made.out, "--encapsulation", "ip-in-ip", "--output",
                       where / "taps")
        assert sum(told["refused"].values()) == told["wrong_ip_checksums"] == 0, told
        taps = {(one["source_address"], one["destination_address"]):
                lab.read_pcap(where / "taps" / one["file"]) for one in told["intercepts"]}
        assert taps == {(dfcd_capture.OWN, destination): packets
                        for destination in dfcd_capture.DESTINATIONS[:2]}


def test_copies_off_a_device():
    if os.geteuid() != 0:
        return skip("capture on a device needs root")
    packets = inner_packets(30)
    with Directory() as where, sender() as out, sender() as heard:
        port = heard.getsockname()[1]
        with Receiver("--live", "lo", "--filter", f"udp dst port {port}", "--json", "--write",
                      where / "out.pcap", "--count", len(packets)) as receiver:
            for packet in packets:
                out.sendto(packet, ("127.0.0.1", port))
            told = receiver.summary(number=None)
        assert lab.read_pcap(where / "out.pcap") == packets
        one, = told["intercepts"]
        assert one["destination_port"] == port and told["lost"] == 0, told


# --- files, options, failures ------------------------------------------------------------------

def capture_of(where, count=5):
    packets = inner_packets(count)
    lab.write_pcap(where / "in.pcap", [udp_copy(packet) for packet in packets], 101)
    return where / "in.pcap", packets


def test_nothing_is_overwritten_unless_asked():
    with Directory() as where:
        capture, packets = capture_of(where)
        run("--read", capture, "--output", where / "taps", "--write", where / "all.pcap")
        for words in (["--output", where / "taps"], ["--write", where / "all.pcap"]):
            assert "exists" in run("--read", capture, *words, status=1)[1]
        run("--read", capture, capture, "--output", where / "taps", "--write", where / "all.pcap",
            "--force", status=2)
        run("--read", capture, "--read", capture, "--output", where / "taps", "--write",
            where / "all.pcap", "--force")
        name, = os.listdir(where / "taps")
        for path in (where / "taps" / name, where / "all.pcap"):
            assert lab.read_pcap(path) == packets * 2
        # A link in the place of a file is not followed.
        (where / "taps" / name).unlink()
        (where / "victim").write_text("precious")
        (where / "taps" / name).symlink_to(where / "victim")
        told = summary("--read", capture, "--output", where / "taps", "--force", status=1)
        assert told["unwritten"] == len(packets)
        assert (where / "victim").read_text() == "precious"


def test_standard_input_and_output():
    with Directory() as where:
        capture, packets = capture_of(where)
        output, remarks = run("--read", "-", "--write", "-", input=capture.read_bytes())
        (where / "out.pcap").write_bytes(output)
        assert lab.read_pcap(where / "out.pcap") == packets
        assert remarks.startswith("copies            5\n")
        output, remarks = run("--read", capture)
        assert output.startswith(b"copies            5\noctets ") and remarks == ""
        assert b"\n1 udp 198.51.100.9:65535 > 192.0.2.5:2300\n" in output
        assert run("--read", capture, "--count", 2)[0].startswith(b"copies            2\n")
        assert b"flowtap-receive (libflowtap)" in run("--version")[0]
        assert b"--listen" in run("--help")[0]


def test_mistakes_on_the_command_line():
    with Directory() as where:
        capture, _ = capture_of(where)
        for words, remark in (
                ([], "required"),
                (["--no-such-option"], "--no-such-option"),
                (["--listen", "127.0.0.1"], "127.0.0.1"),
                (["--listen", "127.0.0.1:99999"], "99999"),
                (["--listen", "127.0.0.1:20-10"], "20-10"),
                (["--listen", "127.0.0.1:0-10"], "0-10"),
                (["--listen", "::1:2300"], "::1:2300"),
                (["--listen", "[127.0.0.1]:2300"], "127.0.0.1"),
                (["--listen", "example.org:2300"], "example.org"),
                (["--listen", "127.0.0.1:2300=gre"], "gre"),
                (["--listen", "127.0.0.1:0", "--encapsulation", "ip-in-ip"], "--ip-in-ip"),
                (["--ip-in-ip", "nowhere"], "nowhere"),
                (["--listen", "127.0.0.1:0", "--read", capture], "exclude"),
                (["--read", capture, "--filter", "udp"], "--live"),
                (["--read", capture, "--encapsulation", "gre"], "gre"),
                (["--read", capture, "--encapsulation", "ip-in-ip", "--inner", "ppp"], "--inner"),
                (["--read", capture, "--write", capture, "--force"], "--write"),
                (["--read", capture, "--max-intercepts", "0"], "--max-intercepts"),
                (["--read", capture, "--count", "-1"], "--count")):
            output, remarks = run(*words, status=2)
            assert output == b"" and remark in remarks, (words, remarks)


def test_failures_are_told():
    with Directory() as where:
        capture, packets = capture_of(where)
        for words in (["--read", "/nowhere/in.pcap"], ["--live", "no-such-device"],
                      ["--listen", "192.0.2.77:2300"],
                      ["--read", capture, "--output", "/nowhere/taps"],
                      ["--read", capture, "--output", capture],
                      ["--read", capture, "--write", "/dev/full"]):
            assert run(*words, status=1)[1].startswith("flowtap-receive: "), words
        # A capture that is cut off gives what came before, and fails.
        capture.write_bytes(capture.read_bytes()[:-5])
        done = summary("--read", capture, status=1)
        assert done["copies"] == len(packets) - 1
        full = subprocess.run(f"{PROGRAM} --read {capture} > /dev/full", shell=True,
                              capture_output=True, check=False, timeout=lab.PATIENCE)
        assert full.returncode == 1, full


def test_a_full_disk_leaves_whole_packets():
    with Directory() as where:
        capture, packets = capture_of(where, 400)
        done = subprocess.run(
            f"ulimit -f 128; exec {PROGRAM} --read {capture} --output {where}/taps --json",
            shell=True, capture_output=True, check=False, timeout=lab.PATIENCE)
        assert done.returncode == 1 and b"too large" in done.stderr, done.stderr
        told = json.loads(done.stdout)
        one, = told["intercepts"]
        written = lab.read_pcap(where / "taps" / one["file"])
        assert 0 < len(written) < len(packets)
        assert len(written) + one["unwritten"] == told["copies"] == len(packets)
        assert all(packet in packets for packet in written)
        assert sum(map(len, written)) + 16 * len(written) + 24 == \
            (where / "taps" / one["file"]).stat().st_size


def test_a_reader_that_goes_away_ends_it():
    reading, writing = os.pipe()
    with sender() as out, Receiver("--listen", "127.0.0.1:0", "--write", "-") as receiver:
        os.close(reading), os.close(writing)
        receiver.process.stdout.close()
        receiver.process.stdout = None
        out.sendto(inner_packets(1)[0], ("127.0.0.1", receiver.ports[0]))
        receiver.process.wait(lab.PATIENCE)
        assert receiver.process.returncode == 1


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
