#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Dynamic flow capture: requests over UDP alone, copies in IP-in-IP to configured destinations,
timeouts, limits on copies and on bandwidth, and what is told of them."""

import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

import lab

# The keys of three control sources, lea1 to lea3.
KEYS = [b"key of lea1", b"key of lea2", b"key of lea3"]
# Where each may send copies.
DESTINATIONS = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]
OWN = "198.51.100.1"
FLOW = ("10.0.0.1", "10.0.0.2")
STATIC = ("Flags", "STATIC")


def control_source(number, port, more=""):
    return ('control-source lea%d { shared-key "%s"; service-port %d; allowed-destinations cd%d; '
            '%s }' % (number, KEYS[number - 1].decode(), port, number, more))


def configuration(port, group="interfaces ge-0/0/0.0;", more=("", "", ""), limits="",
                  own="address %s/24;" % OWN, destinations=tuple(DESTINATIONS)):
    """Three control sources of one group, each with a content destination. `more` goes into the
    control sources, `limits` into the content destinations."""
    sources = " ".join(control_source(n + 1, port, more[n]) for n in range(3))
    named = " ".join("content-destination cd%d { address %s; %s }" % (n + 1, address, limits)
                     for n, address in enumerate(destinations))
    return """
interfaces {
    ge-0/0/0 { unit 0 { family inet { %s } } }
    ge-0/0/1 { unit 0 { family inet; } }
}
services { dynamic-flow-capture { capture-group g { %s %s %s } } }
""" % (own, group, sources, named)


def target(receiver):
    return "notification-targets %s port %d;" % (receiver.host, receiver.port)


def packet(number, octets=0):
    return lab.ipv4(*FLOW, 17, lab.udp(1000, 53, b"%06d" % number + bytes(octets)))


def packets(count, octets=0):
    return [packet(number, octets) for number in range(count)]


def split(copy):
    """(source, destination, TTL, inner packet) of a copy in IP-in-IP."""
    assert copy[0] == 0x45 and copy[9] == 4, copy[:20].hex()
    assert lab.checksum(copy[:20]) == 0, "the outer checksum is wrong"
    assert struct.unpack("!H", copy[2:4])[0] == len(copy), "the outer length is wrong"
    assert copy[1] == 0 and copy[6] & 0x40 == 0, "TOS 0 and no DF"
    return socket.inet_ntoa(copy[12:16]), socket.inet_ntoa(copy[16:20]), copy[8], copy[20:]


class Capture:
    """A dfcd that captures what stands in a file or comes through a pipe, with its copies in
    another file, and the three control sources."""

    def __init__(self, stack, *arguments, frames=None, start_after=1, receivers=(), **how):
        self.work = stack.enter_context(tempfile.TemporaryDirectory())
        self.port, = lab.free_udp_ports(1)
        self.out = os.path.join(self.work, "out.pcap")
        if frames is None:
            self.pipe = lab.Pipe(self.work)
            self.source = self.pipe.path
        else:
            self.source = os.path.join(self.work, "in.pcap")
            lab.write_pcap(self.source, [lab.ethernet(frame) for frame in frames])
        more = list(how.pop("more", ("", "", "")))
        for number, receiver in enumerate(receivers):
            more[number] += " " + target(receiver)
        self.dfcd = stack.enter_context(lab.Dfcd(
            configuration(self.port, more=more, **how), "--read", "ge-0/0/0=" + self.source,
            "--write", self.out, "--json", "--start-after", str(start_after), *arguments))
        self.devices = [stack.enter_context(lab.UdpDevice(self.port, "lea%d" % (n + 1), key))
                        for n, key in enumerate(KEYS)]
        for receiver in receivers:
            assert receiver.receive().code == 599

    def add(self, number, *fields):
        """An ADD of a control source for its own destination; the criterion's ID."""
        answer = self.devices[number - 1].ask(
            "ADD", [("Cdest-ID", "cd%d" % number), ("Source-Address", FLOW[0]), *fields])
        assert answer.code == 200, answer.octets
        return answer["CRITERIA-ID"]

    def end(self):
        """Stops dfcd: the copies, split, and the summary."""
        summary = self.end_quietly()
        return [split(copy) for copy in lab.read_pcap(self.out)], summary

    def end_quietly(self):
        """Stops dfcd, and checks that what it has counted adds up."""
        status, output = self.dfcd.stop()
        assert status == 0, status
        summary = json.loads(output)
        assert summary["seen"] == summary["sampled_out"] + sum(summary["decoded"].values())
        assert summary["copies"] == summary["delivered"] + sum(summary["dropped"].values())
        return summary


# --- copies ------------------------------------------------------------------------------------

def test_copies_are_ip_in_ip_to_the_configured_destination():
    with contextlib.ExitStack() as stack:
        frames = packets(20)
        run = Capture(stack, frames=frames, limits="ttl 9;")
        run.add(1, STATIC)
        run.dfcd.wait_for("the replay has ended")
        copies, summary = run.end()
        assert copies == [(OWN, DESTINATIONS[0], 9, frame) for frame in frames]
        assert summary["tapped"] == summary["delivered"] == len(frames)


def test_tshark_finds_the_packet_in_the_packet():
    with contextlib.ExitStack() as stack:
        run = Capture(stack, frames=packets(3))
        run.add(1, STATIC)
        run.dfcd.wait_for("the replay has ended")
        run.end()
        names = ["ip.src", "ip.dst", "ip.proto", "ip.ttl", "ip.checksum.status", "udp.dstport"]
        command = ["tshark", "-n", "-r", run.out, "-T", "fields", "-o", "ip.check_checksum:TRUE"]
        for name in names:
            command += ["-e", name]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = "\t".join(["%s,%s" % (OWN, FLOW[0]), "%s,%s" % (DESTINATIONS[0], FLOW[1]), "4,17",
                         "255,64", "1,1", "53"])
        assert said.splitlines() == [row] * 3, said


def test_an_add_names_a_destination_it_may_use_and_x_jtap_fields_are_nothing():
    with contextlib.ExitStack() as stack:
        run = Capture(stack, frames=packets(1), start_after=2, more=("minimum-priority 5;", "", ""))
        device = run.devices[0]
        flow = [("Source-Address", FLOW[0]), STATIC]
        assert device.ask("ADD", [("Cdest-ID", "cd2"), ("Priority", "5")] + flow).code == 430
        assert device.ask("ADD", [("Cdest-ID", "nowhere"), ("Priority", "5")] + flow).code == 430
        assert device.ask("ADD", [("Cdest-ID", "cd1"), ("Priority", "4")] + flow).code == 400
        assert device.ask("LIST", [("Cdest-ID", "cd2")]).code == 430
        assert run.add(1, ("Priority", "5"), ("X-JTap-Cdest-Dest-Address", "192.0.2.9"),
                       STATIC) == "1"
        assert run.add(2, STATIC) == "1"
        run.dfcd.wait_for("the replay has ended")
        copies, _ = run.end()
        assert sorted(copy[1] for copy in copies) == DESTINATIONS[:2]


def test_only_the_interfaces_of_the_group_are_captured():
    with contextlib.ExitStack() as stack:
        other = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), "other.pcap")
        lab.write_pcap(other, [lab.ethernet(frame) for frame in packets(7)])
        run = Capture(stack, "--read", "ge-0/0/1=" + other, frames=packets(5))
        run.add(1, STATIC)
        run.dfcd.wait_for("the replay has ended")
        copies, summary = run.end()
        assert len(copies) == 5 and summary["seen"] == 12, summary


def test_the_source_address_is_what_the_system_uses_where_none_is_configured():
    with contextlib.ExitStack() as stack:
        run = Capture(stack, frames=packets(1), own="", destinations=("127.0.0.9",) * 3)
        run.add(1, STATIC)
        run.dfcd.wait_for("the replay has ended")
        copies, _ = run.end()
        assert [copy[:2] for copy in copies] == [("127.0.0.1", "127.0.0.9")]


def test_ipv6_is_captured_where_an_interface_of_the_group_has_it():
    with contextlib.ExitStack() as stack:
        sixth = lab.ipv6("2001:db8::1", "2001:db8::2", 17, lab.udp(1, 2, b"six"))
        run = Capture(stack, frames=[packet(1), sixth], own="address %s/24; } family inet6 {" % OWN)
        answer = run.devices[0].ask("ADD", [("Cdest-ID", "cd1"), ("Protocol", "17"), STATIC])
        assert answer.code == 200, answer.octets
        run.dfcd.wait_for("the replay has ended")
        run.end_quietly()
        copies = lab.read_pcap(run.out)
        assert [(copy[9], copy[20:]) for copy in copies] == [(4, packet(1)), (41, sixth)]


def test_ipv6_is_not_captured_where_none_has_it():
    with contextlib.ExitStack() as stack:
        run = Capture(stack, frames=packets(1))
        answer = run.devices[0].ask("ADD", [("Cdest-ID", "cd1"), ("Source-Address", "2001:db8::1"),
                                            STATIC])
        assert answer.code == 432, answer.octets


def refused_start(config, *arguments, prefix=()):
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "dfcd.conf")
        with open(path, "w") as out:
            out.write(config)
        done = subprocess.run(
            [*prefix, lab.DFCD, "--config", path, "--audit-log", path + ".audit",
             "--sequence-file", path + ".sequences", *arguments],
            capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 1, done
        return done.stderr


def test_without_any_source_address_dfcd_does_not_start():
    port, = lab.free_udp_ports(1)
    nowhere = ["unshare", "--net"]
    if os.geteuid() != 0 or subprocess.run(nowhere + ["true"], capture_output=True).returncode:
        print("SKIPPED: no network namespace can be made here")
        return
    said = refused_start(configuration(port, own=""), "--write", "/dev/null", prefix=nowhere)
    assert "have no address to come from" in said and '"g"' in said, said
    assert not any(address in said for address in DESTINATIONS)


def test_criteria_from_a_file_are_refused():
    port, = lab.free_udp_ports(1)
    with tempfile.NamedTemporaryFile() as criteria:
        said = refused_start(configuration(port), "--criteria", criteria.name)
        assert "--criteria is for services flow-tap only" in said, said


def test_nobody_logs_in():
    with contextlib.ExitStack() as stack:
        run = Capture(stack, frames=packets(1))
        assert "host key" not in run.dfcd.text()
        assert not os.path.exists(os.path.join(run.dfcd.directory, "host-key"))
        where = re.findall(r"listening on (\S+) port (\d+)(.*)", run.dfcd.text())
        assert where == [("127.0.0.1", str(run.port), " (UDP)")], where


# --- timeouts ----------------------------------------------------------------------------------

def test_a_criterion_copies_as_many_packets_as_it_may_and_390_says_so():
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(lab.Target(KEYS[0]))
        frames = packets(500)
        run = Capture(stack, frames=frames, start_after=2, receivers=[receiver])
        run.add(1, ("Timeout-Packets", "7"), ("Flags", "SendAsync"))
        run.add(2, STATIC)
        told = receiver.receive()
        assert told.code == 390 and told["CRITERIA-ID"] == "1", told.octets
        assert told["TIMEOUT-PACKETS"] == "7", told.octets
        assert run.devices[0].ask("LIST", [("Criteria-ID", "*")]).all("CRITERIA-ID") == []
        run.dfcd.wait_for("the replay has ended")
        copies, summary = run.end()
        assert [copy[3] for copy in copies if copy[1] == DESTINATIONS[0]] == frames[:7]
        assert [copy[3] for copy in copies if copy[1] == DESTINATIONS[1]] == frames
        assert summary["criteria"]["expired"] == 1, summary


def test_a_criterion_copies_as_many_octets_as_it_may():
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(lab.Target(KEYS[0]))
        frames = packets(100, octets=66)  # of 100 octets each
        run = Capture(stack, frames=frames, receivers=[receiver])
        run.add(1, ("Timeout-Bytes", "1050"), ("Flags", "SendAsync"))
        assert receiver.receive().code == 390
        run.dfcd.wait_for("the replay has ended")
        copies, _ = run.end()
        assert [copy[3] for copy in copies] == frames[:10]


def test_time_ends_a_criterion():
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(lab.Target(KEYS[0]))
        run = Capture(stack, frames=packets(1), start_after=9, receivers=[receiver])
        begin = time.monotonic()
        run.add(1, ("Timeout-Total", "1"), ("Flags", "SendAsync"))
        told = receiver.receive()
        assert told.code == 390 and time.monotonic() - begin >= 1
        assert run.devices[0].ask("LIST").all("CRITERIA-ID") == []


# --- limits ------------------------------------------------------------------------------------

def test_the_highest_priorities_get_the_copies_and_the_others_are_told():
    with contextlib.ExitStack() as stack:
        receivers = [stack.enter_context(lab.Target(key)) for key in KEYS]
        frames = packets(50)
        run = Capture(stack, frames=frames, start_after=3, receivers=receivers,
                      group="max-duplicates 2; duplicates-dropped-periodicity 1;")
        run.add(1, ("Priority", "3"), STATIC)
        run.add(2, ("Priority", "7"), STATIC)
        run.add(3, ("Priority", "9"), STATIC)
        told = receivers[0].receive()
        assert (told.code, told["CDEST-ID"], told["CRITERIA-ID"]) == (598, "cd1", "1"), told.octets
        run.dfcd.wait_for("the replay has ended")
        copies, summary = run.end()
        assert {copy[1] for copy in copies} == set(DESTINATIONS[1:])
        assert summary["copies"] == 100 and summary["tapped"] == 50, summary
        assert not any(lab.select.select([receiver.socket], [], [], 0)[0]
                       for receiver in receivers[1:])


def test_what_comes_too_fast_is_sampled_at_the_source():
    with contextlib.ExitStack() as stack:
        run = Capture(stack, frames=packets(20000),
                      group="interfaces ge-0/0/0.0; input-packet-rate-threshold 1000;")
        run.add(1, STATIC)
        run.dfcd.wait_for("the replay has ended")
        copies, summary = run.end()
        assert summary["seen"] == 20000 and summary["sampled_out"] > 0, summary
        assert len(copies) == 20000 - summary["sampled_out"]


def test_congestion_is_told_and_then_purges_the_lowest_priority():
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(lab.Target(KEYS[0]))
        run = Capture(stack, start_after=2, receivers=[receiver],
                      limits="soft-limit 1k; soft-limit-clear 500; "
                             "hard-limit 150k; hard-limit-target 100k;")
        run.add(1, ("Priority", "2"), STATIC)
        run.add(1, ("Priority", "1"), ("Dest-Address", FLOW[1]), STATIC)
        # 40 kbit: far above the one limit and far below the other, in ten seconds.
        run.pipe.send(lab.pcap_records([lab.ethernet(frame) for frame in packets(50, 66)]))
        told = receiver.receive()
        assert (told.code, told["CDEST-ID"]) == (580, "cd1"), told.octets
        assert told["ALERT-BANDWIDTH"] == "1000" and told["MAX-BANDWIDTH"] == "150000"
        # 8 Mbit.
        run.pipe.send(lab.pcap_records([lab.ethernet(frame) for frame in packets(1000, 966)]))
        told = receiver.receive()
        assert (told.code, told["CDEST-ID"]) == (680, "cd1"), told.octets
        assert "2" in told["CRITERIA-ID"], told.octets
        assert run.devices[0].ask("LIST").all("CRITERIA-ID") != ["1", "2"]
        run.pipe.close()
        _, summary = run.end()
        assert summary["criteria"]["purged"] >= 1, summary


# --- configuration -----------------------------------------------------------------------------

def test_the_example_configurations_are_good():
    for name in ("dfcd.conf", "dfc.conf"):
        path = os.path.join(lab.SOURCE, "examples", "dfcd", name)
        done = subprocess.run([lab.DFCD, "--config", path, "--check"], capture_output=True,
                              text=True, timeout=lab.PATIENCE)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        assert done.stdout == path + ": the configuration is good\n"


def test_a_mistake_is_found_by_the_check():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write("services { dynamic-flow-capture { capture-group g {\n"
                     "control-source c { service-port 1; allowed-destinations d; }\n"
                     "content-destination d { address 192.0.2.1; soft-limit 1m; } } } }\n")
        config.flush()
        done = subprocess.run([lab.DFCD, "--config", config.name, "--check"], capture_output=True,
                              text=True, timeout=lab.PATIENCE)
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            config.name + ":2:16: error: the control source has no shared-key",
            config.name + ":3:44: error: soft-limit needs soft-limit-clear beside it"], done.stderr


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
