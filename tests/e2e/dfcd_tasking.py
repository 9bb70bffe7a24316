#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on files: mediation devices log in over SSH, task dfcd, and the copies of a capture
file go to another one."""

import json
import os
import subprocess
import sys
import tempfile
import time

import lab

TAP = ["flow-tap-operation"]
USERS = {"lea1": ("first", TAP), "lea2": ("second", TAP), "visitor": ("third", ["view"])}


def flow(count, source="10.0.0.1", destination="10.0.0.2", ports=(1000, 53)):
    return [lab.ethernet(lab.ipv4(source, destination, 17, lab.udp(*ports, b"packet %d" % index),
                                  identification=index + 1)) for index in range(count)]


def host_filter(address):
    return [("Source-Address", address), ("Protocol", "17")]


def capture(directory, frames):
    path = os.path.join(directory, "in.pcap")
    lab.write_pcap(path, frames)
    return path


class Run(lab.Dfcd):
    """dfcd on one capture as ge-0/0/0, with the copies in a file."""

    def __init__(self, frames, *arguments, config=None, how=("--once",)):
        self.frames = frames
        self.work = tempfile.TemporaryDirectory()
        self.copies_path = os.path.join(self.work.name, "copies.pcap")
        super().__init__(config or lab.configuration(USERS),
                         "--read", "ge-0/0/0=" + capture(self.work.name, frames),
                         "--write", self.copies_path, "--json", *how, *arguments)

    def copies(self):
        return [lab.split_copy(packet) for packet in lab.read_pcap(self.copies_path)]

    def __exit__(self, *how):
        super().__exit__(*how)
        self.work.cleanup()


def check_sums(summary):
    """The accounting closes."""
    assert summary["seen"] == sum(summary["decoded"].values()), summary
    assert summary["copies"] == summary["delivered"] + sum(summary["dropped"].values()), summary


def test_one_device_gets_its_packets():
    frames = flow(20) + flow(20, source="10.0.0.9")
    with Run(frames) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        answer = device.ask("ADD", lab.add_fields(host_filter("10.0.0.1")))
        assert (answer.code, answer["CRITERIA-ID"]) == (200, "1"), answer.octets
        status, output = dfcd.wait()
        assert status == 0
        summary = json.loads(output)
        check_sums(summary)
        assert summary["seen"] == 40 and summary["tapped"] == 20 and summary["delivered"] == 20
        copies = dfcd.copies()
        assert len(copies) == 20
        for copy, frame in zip(copies, frames):
            assert copy[:5] == ("198.51.100.9", "192.0.2.5", 65535, 2300, 255), copy
            assert copy[5] == frame[14:], "the inner packet was changed"


def test_two_devices_on_one_flow_get_one_copy_each():
    with Run(flow(30), "--start-after", "4") as dfcd:
        one = lab.Device(dfcd.port, "lea1", "first")
        two = lab.Device(dfcd.port, "lea2", "second")
        # Three filters of one source match every packet, towards one content destination.
        for filters in (host_filter("10.0.0.1"), [("Dest-Port", "53")], [("Dest-Address", "10.0.0.0/24")]):
            assert one.ask("ADD", lab.add_fields(filters)).code == 200
        assert two.ask("ADD", lab.add_fields(host_filter("10.0.0.1"), ("192.0.2.77", 4000))).code == 200
        status, output = dfcd.wait()
        assert status == 0
        check_sums(json.loads(output))
        destinations = [copy[1] for copy in dfcd.copies()]
        assert destinations.count("192.0.2.5") == 30
        assert destinations.count("192.0.2.77") == 30
        assert len(destinations) == 60


def test_port_pairs_are_pairs():
    frames = flow(5, ports=(1000, 53)) + flow(5, ports=(2000, 80)) + flow(5, ports=(1000, 80))
    with Run(frames) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        pairs = [("Source-Port", "1000,2000"), ("Dest-Port", "53,80")]
        assert device.ask("ADD", lab.add_fields(pairs)).code == 200
        assert dfcd.wait()[0] == 0
        assert [copy[5] for copy in dfcd.copies()] == [frame[14:] for frame in frames[:10]]


def test_nobody_sees_anothers_criteria():
    with Run(flow(1), how=("--start-after", "1000")) as dfcd:
        one = lab.Device(dfcd.port, "lea1", "first")
        two = lab.Device(dfcd.port, "lea2", "second")
        assert one.ask("ADD", lab.add_fields(host_filter("10.0.0.1"))).code == 200
        listing = two.ask("LIST")
        assert listing.code == 200 and listing.all("CRITERIA-ID") == []
        refused = two.ask("DELETE", [("Criteria-ID", "1"), ("Flags", "STATIC")])
        assert refused.code == 431, refused.octets
        wild = two.ask("DELETE", [("Criteria-ID", "*"), ("Flags", "STATIC")])
        assert (wild.code, wild["CRITERIA-COUNT"]) == (200, "0")
        # Numbers are counted for each control source, so they tell nothing either.
        assert two.ask("ADD", lab.add_fields(host_filter("10.0.0.3")))["CRITERIA-ID"] == "1"
        assert one.ask("LIST").all("CRITERIA-ID") == ["1"]


def test_openssh_adds_lists_and_deletes_on_one_channel():
    with Run(flow(1), how=("--start-after", "1000")) as dfcd:
        device_side = [
            ("ADD", lab.add_fields(host_filter("10.0.0.1"))),
            ("LIST", []),
            ("DELETE", [("Criteria-ID", "1"), ("Flags", "STATIC")]),
            ("NOOP", [])]
        octets = b"".join(
            lab.request(method, [("Csource-ID", "lea1")] + fields + [("Seq", str(number))])
            for number, (method, fields) in enumerate(device_side, 1))
        run = subprocess.run(
            ["sshpass", "-p", "first", "ssh", "-p", str(dfcd.port), "-l", "lea1",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "PreferredAuthentications=password", "-o", "LogLevel=ERROR", "-F", "none",
             "127.0.0.1", "-s", "flow-tap-dtcp"],
            input=octets, capture_output=True, timeout=lab.PATIENCE)
        messages = [lab.Answer(part + b"\r\n\r\n") for part in run.stdout.split(b"\r\n\r\n") if part]
        assert [message.code for message in messages] == [200] * 4, run
        assert messages[0].names() == ["SEQ", "CRITERIA-ID", "TIMESTAMP", "AUTHENTICATION-INFO"]
        assert messages[1].names()[:3] == ["SEQ", "TIMESTAMP", "CRITERIA-ID"]
        assert messages[1]["CRITERIA-NUM"] == "1"
        assert messages[2].names() == ["SEQ", "CRITERIA-COUNT", "TIMESTAMP", "AUTHENTICATION-INFO"]
        assert [message["SEQ"] for message in messages] == ["1", "2", "3", "4"]


def test_a_capture_on_the_way_out_is_seen_by_output_interface_criteria_alone():
    with lab.Dfcd.__new__(Run) as dfcd:
        dfcd.work = tempfile.TemporaryDirectory()
        dfcd.copies_path = os.path.join(dfcd.work.name, "copies.pcap")
        path = capture(dfcd.work.name, flow(7))
        lab.Dfcd.__init__(dfcd, lab.configuration(USERS), "--read", "ge-0/0/0:out=" + path,
                          "--write", dfcd.copies_path, "--once", "--start-after", "2", "--json")
        device = lab.Device(dfcd.port, "lea1", "first")
        out = [("X-JTap-Output-Interface", "ge-0/0/0")]
        into = [("X-JTap-Input-Interface", "ge-0/0/0")]
        assert device.ask("ADD", lab.add_fields(out, ("192.0.2.5", 1))).code == 200
        assert device.ask("ADD", lab.add_fields(into, ("192.0.2.5", 2))).code == 200
        assert dfcd.wait()[0] == 0
        assert [copy[3] for copy in dfcd.copies()] == [1] * 7


def test_units_are_told_apart_by_their_vlan():
    tagged = [lab.ethernet(frame[14:], vlan=100) for frame in flow(4)]
    other = [lab.ethernet(frame[14:], vlan=200) for frame in flow(3)]
    with Run(tagged + other + flow(2), "--start-after", "2") as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        for unit, port in (("ge-0/0/0.100", 1), ("ge-0/0/0", 2)):
            fields = lab.add_fields([("X-JTap-Input-Interface", unit)], ("192.0.2.5", port))
            assert device.ask("ADD", fields).code == 200
        assert dfcd.wait()[0] == 0
        ports = [copy[3] for copy in dfcd.copies()]
        assert ports.count(1) == 4 and ports.count(2) == 5, ports


def test_ipv6_is_tapped_only_when_configured():
    frames = [lab.ethernet(lab.ipv6("2001:db8::1", "2001:db8::2", 17, lab.udp(1, 2, b"six")))]
    with Run(frames) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        answer = device.ask("ADD", lab.add_fields([("Source-Address", "2001:db8::1")]))
        assert answer.code == 200, answer.octets
        assert dfcd.wait()[0] == 0 and len(dfcd.copies()) == 1
    with Run(frames, how=("--start-after", "9"),
             config=lab.configuration(USERS, families=("inet",))) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        answer = device.ask("ADD", lab.add_fields([("Source-Address", "2001:db8::1")]))
        assert answer.code == 432, answer.octets


def test_criteria_from_a_file_need_no_ssh():
    with tempfile.NamedTemporaryFile("w", suffix=".dtcp") as file:
        fields = lab.add_fields(host_filter("10.0.0.1"))
        file.write("ADD DTCP/0.7\n" + "".join("%s: %s\n" % field for field in fields) + "\n")
        file.flush()
        with Run(flow(12), "--criteria", file.name) as dfcd:
            status, output = dfcd.wait()
            assert status == 0
            check_sums(json.loads(output))
            assert len(dfcd.copies()) == 12


def start_with_criteria(text, users):
    """What dfcd says when it does not start with a criteria file of this text."""
    with tempfile.TemporaryDirectory() as work:
        config, criteria = os.path.join(work, "dfcd.conf"), os.path.join(work, "criteria.dtcp")
        for path, contents in ((config, lab.configuration(users)), (criteria, text)):
            with open(path, "w") as out:
                out.write(contents)
        done = subprocess.run(
            [lab.DFCD, "--config", config, "--listen", "127.0.0.1", "--port", "0",
             "--host-key", os.path.join(work, "host-key"), "--criteria", criteria,
             "--audit-log", os.path.join(work, "audit.jsonl")],
            capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 1, done
        return done.stderr


def test_no_login_may_share_the_criteria_of_a_file():
    said = start_with_criteria("", {**USERS, "local": ("fourth", TAP)})
    assert "local" in said and "login" in said, said


def test_sigterm_hands_over_what_is_queued_and_the_summary_closes():
    with Run(flow(100), how=()) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        assert device.ask("ADD", lab.add_fields(host_filter("10.0.0.1"))).code == 200
        dfcd.wait_for("replay has ended")
        status, output = dfcd.stop()
        assert status == 0
        summary = json.loads(output)
        check_sums(summary)
        assert summary["delivered"] == 100 == len(dfcd.copies())
        assert device.receive() is None, "the session was not closed"


def test_a_restart_leaves_no_filter():
    with Run(flow(1), how=("--start-after", "1000")) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        assert device.ask("ADD", lab.add_fields(host_filter("10.0.0.1"))).code == 200
        dfcd.stop()
        assert device.receive() is None
    with Run(flow(1), how=("--start-after", "1000")) as dfcd:
        assert lab.Device(dfcd.port, "lea1", "first").ask("LIST").all("CRITERIA-ID") == []


def wait_for_copies(path, count):
    end = time.monotonic() + lab.PATIENCE
    while len(lab.read_pcap(path)) < count:
        assert time.monotonic() < end, "the copies never came"
        time.sleep(0.01)


def test_after_the_answer_to_a_delete_nothing_more_leaves():
    with tempfile.TemporaryDirectory() as work:
        feed = lab.Pipe(work)
        copies = os.path.join(work, "copies.pcap")
        with lab.Dfcd(lab.configuration(USERS), "--read", "ge-0/0/0=" + feed.path,
                      "--write", copies, "--once", "--json") as dfcd:
            device = lab.Device(dfcd.port, "lea1", "first")
            assert device.ask("ADD", lab.add_fields(host_filter("10.0.0.1"))).code == 200
            feed.send(lab.pcap_records(flow(25)))
            wait_for_copies(copies, 25)
            gone = device.ask("DELETE", [("Criteria-ID", "1"), ("Flags", "STATIC")])
            assert (gone.code, gone["CRITERIA-COUNT"]) == (200, "1")
            feed.send(lab.pcap_records(flow(50)))
            feed.close()
            status, output = dfcd.wait()
            assert status == 0
            summary = json.loads(output)
            check_sums(summary)
            assert (summary["seen"], summary["copies"]) == (75, 25), summary
            assert len(lab.read_pcap(copies)) == 25


def test_the_audit_log_tells_who_did_what():
    with Run(flow(1), how=("--start-after", "1000")) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        device.ask("ADD", lab.add_fields(host_filter("10.0.0.1")))
        device.ask("DELETE", [("Criteria-ID", "1"), ("Flags", "STATIC")])
        events = [(line["event"], line["principal"]) for line in dfcd.audit()]
        for event in ("login", "add", "delete"):
            assert (event, "lea1") in events, events
        mode = os.stat(os.path.join(dfcd.directory, "audit.jsonl")).st_mode & 0o777
        assert mode == 0o600
        # The operational log names nobody and nothing that is tapped.
        for word in ("lea1", "10.0.0.1", "192.0.2.5", "cd1"):
            assert word not in dfcd.text(), dfcd.text()


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
