#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Flow-tap over UDP: requests and answers, what is never answered, sequence numbers across
restarts, crashes and resets, and notifications."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

import lab

KEY, OTHER_KEY = b"key of lea1", b"key of lea2"
USERS = {"lea1": ("first", ["flow-tap-operation"])}
FILTER = [("Source-Address", "10.0.0.1")]
# How many sequence numbers a crash may use up.
BLOCK = 64


def sources(lea1="", lea2=""):
    return ('control-source lea1 { udp; dtcp-key "%s"; %s } '
            'control-source lea2 { udp; dtcp-key "%s"; %s }' %
            (KEY.decode(), lea1, OTHER_KEY.decode(), lea2))


def configuration(port, lea1="", lea2="", address="127.0.0.1"):
    return lab.configuration(USERS, "udp { listen %s port %s; } %s" %
                             (address, port, sources(lea1, lea2)))


def add(device, filters=FILTER, **how):
    answer = device.ask("ADD", lab.add_fields(filters), **how)
    assert answer.code == 200, answer.octets
    return answer["CRITERIA-ID"]


def ended(dfcd):
    """Stops dfcd; what its summary says."""
    status, output = dfcd.stop()
    assert status == 0, status
    return json.loads(output)


def assert_silence(device, prober, *datagrams):
    """Nothing of this is answered: another's request behind it is, and nothing has come."""
    for octets in datagrams:
        device.send(octets)
    assert prober.ask("NOOP").code == 200
    assert device.has_heard_nothing()


def run_reset(directory, name, config=None):
    done = subprocess.run(
        [lab.DFCD, "--config", config or os.path.join(directory, "dfcd.conf"),
         "--audit-log", os.path.join(directory, "audit.jsonl"),
         "--sequence-file", os.path.join(directory, "sequences"), "--reset-sequence", name],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=lab.PATIENCE)
    return done.returncode, done.stdout, done.stderr


# --- requests ----------------------------------------------------------------------------------

def test_every_request_is_answered_over_udp_and_copies_come():
    with tempfile.TemporaryDirectory() as work:
        frames = [lab.ethernet(lab.ipv4("10.0.0.1", "10.0.0.2", 17, lab.udp(1, 2, b"%d" % index)))
                  for index in range(20)]
        capture, copies = os.path.join(work, "in.pcap"), os.path.join(work, "out.pcap")
        lab.write_pcap(capture, frames)
        port, = lab.free_udp_ports(1)
        with lab.Dfcd(configuration(port), "--read", "ge-0/0/0=" + capture, "--write", copies,
                      "--start-after", "3", "--json") as dfcd, \
                lab.UdpDevice(port, "lea1", KEY) as device:
            for number in ("1", "2"):
                assert add(device, [("Source-Address", "10.9.9." + number)]) == number
            assert device.ask("REFRESH", [("Criteria-ID", "1"), ("Timeout-Idle", "9")])[
                "CRITERIA-COUNT"] == "0"
            listed = device.ask("LIST", [("Criteria-ID", "*")])
            assert listed.all("CRITERIA-ID") == ["1", "2"]
            assert listed.all("CSOURCE-ID") == ["lea1", "lea1"]
            assert device.ask("NOOP").code == 200
            gone = device.ask("DELETE", [("Criteria-ID", "1"), ("Flags", "STATIC")])
            assert (gone.code, gone["CRITERIA-COUNT"]) == (200, "1")
            assert add(device) == "3"
            assert add(device) == "4"
            dfcd.wait_for("the replay has ended")
            summary = ended(dfcd)
            assert summary["datagrams"]["received"] == summary["datagrams"]["sent"] == 8
            assert summary["requests"]["received"] == 8
            assert summary["delivered"] == len(frames)
            inner = [lab.split_copy(copy)[5] for copy in lab.read_pcap(copies)]
            assert inner == [frame[14:] for frame in frames]


def test_answers_come_from_the_address_and_port_that_were_asked():
    ports = lab.free_udp_ports(2)
    with lab.Dfcd(configuration("[ %d %d ]" % tuple(ports), address="0.0.0.0")) as dfcd, \
            lab.UdpDevice(ports[0], "lea1", KEY) as device:
        for host in ("127.0.0.1", "127.0.0.2", "127.200.0.9"):
            for port in ports:
                assert device.ask("NOOP", at=(host, port)).code == 200
        for port in ports:
            dfcd.wait_for(r"listening on 0\.0\.0\.0 port %d \(UDP\)" % port)


def test_several_addresses_are_listened_on():
    ports = lab.free_udp_ports(2)
    listen = "listen 127.0.0.1 port %d; listen 127.0.0.2 port %d;" % tuple(ports)
    with lab.Dfcd(lab.configuration(USERS, "udp { %s } %s" % (listen, sources()))), \
            lab.UdpDevice(ports[0], "lea1", KEY) as device:
        assert device.ask("NOOP").code == 200
        assert device.ask("NOOP", at=("127.0.0.2", ports[1])).code == 200


def test_a_control_source_has_the_same_criteria_over_ssh_and_udp():
    port, = lab.free_udp_ports(1)
    with lab.Dfcd(configuration(port)) as dfcd, lab.UdpDevice(port, "lea1", KEY) as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as other:
        assert add(device) == "1"
        assert add(other) == "1"
        ssh = lab.Device(dfcd.port, "lea1", "first", KEY)
        assert ssh.ask("LIST", [("Criteria-ID", "*")]).all("CRITERIA-ID") == ["1"]
        assert ssh.ask("ADD", lab.add_fields(FILTER))["CRITERIA-ID"] == "2"
        assert device.ask("LIST").all("CRITERIA-ID") == ["1", "2"]
        assert other.ask("LIST").all("CRITERIA-ID") == ["1"]
        ssh.close()


def test_a_list_comes_in_datagrams_of_1400_octets_with_no_entry_split():
    port, = lab.free_udp_ports(1)
    count = 60
    with lab.Dfcd(configuration(port)), lab.UdpDevice(port, "lea1", KEY) as device:
        for _ in range(count):
            add(device)
        octets = device.sign("LIST", [("Criteria-ID", "*")])
        device.send(octets)
        numbers = []
        parts = 0
        while len(numbers) < count:
            part = device.receive()
            parts += 1
            assert len(part.octets) <= 1400
            assert part["SEQ"] == str(device.sequence)
            assert part.all("CRITERIA-NUM") == [
                str(len(numbers) + n + 1) for n in range(len(part.all("CRITERIA-ID")))]
            numbers += part.all("CRITERIA-ID")
        assert numbers == [str(n + 1) for n in range(count)]
        assert parts > 10
        assert device.ask("NOOP").code == 200


# --- what is never answered --------------------------------------------------------------------

def test_what_may_not_be_answered_is_counted_and_nothing_else():
    port, = lab.free_udp_ports(1)
    with lab.Dfcd(configuration(port), "--json") as dfcd, \
            lab.UdpDevice(port, "lea1", KEY) as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as prober:
        good = device.sign("NOOP")
        device.send(good)
        assert device.receive().code == 200
        forged = device.sign("NOOP", key=b"another key")
        unknown = device.sign("NOOP", csource="lea3", sequence=1)
        local = device.sign("NOOP", csource="default", sequence=1)
        assert_silence(device, prober, good)
        assert_silence(device, prober, forged)
        assert_silence(device, prober, unknown, local)
        # A cut message, noise, a message with octets behind it, and one longer than any may be.
        whole = device.sign("NOOP", sequence=50)
        assert_silence(device, prober, whole[:-2], whole[:40], b"", b"\0" * 100, whole + b"x")
        assert_silence(device, prober, b"NOOP DTCP/0.7\r\n" + b"A" * 60000)
        # Too far ahead, and behind: not of the window.
        assert_silence(device, prober, device.sign("NOOP", sequence=10 ** 6))
        # None of it has used a number up.
        assert device.ask("NOOP", sequence=3).code == 200
        assert device.ask("NOOP", sequence=2).code == 200
        summary = ended(dfcd)
        requests = summary["requests"]
        assert requests["bad_authentications"] == 1, requests
        assert requests["unknown_sources"] == 2, requests
        assert requests["bad_sequences"] == 2, requests
        assert requests["malformed"] + summary["datagrams"]["dropped"] == 6, summary
        assert summary["datagrams"]["sent"] == 9
        events = [line for line in dfcd.audit() if line["event"] == "refusal"]
        assert {line["status"] for line in events} >= {497, 498, 499}
        assert all(line["peer"].startswith("127.0.0.1:") for line in events)
        for secret in (KEY.decode(), "lea1", "127.0.0.1:"):
            assert secret not in dfcd.text()


def test_a_flood_leaves_a_client_its_answers_and_is_counted_to_the_last_datagram():
    port, = lab.free_udp_ports(1)
    with lab.Dfcd(configuration(port), "--json") as dfcd, \
            lab.UdpDevice(port, "lea1", KEY) as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as noisy:
        noise = [b"noise", noisy.sign("NOOP", key=b"another key"),
                 noisy.sign("LIST", csource="lea3"), device.sign("NOOP", sequence=0)]
        stop, count = threading.Event(), [0]

        def pour():
            while not stop.is_set():
                noisy.send(noise[count[0] % len(noise)])
                count[0] += 1

        # The first authentic request sets the number, and that is to be none of the noise.
        assert device.ask("NOOP").code == 200
        flood = threading.Thread(target=pour)
        flood.start()
        attempts, answered = 1, 0
        device.socket.settimeout(1)
        end = time.monotonic() + lab.PATIENCE
        while answered < 200:
            assert time.monotonic() < end, "%d of %d requests answered" % (answered, attempts)
            attempts += 1
            octets = device.sign("NOOP")
            device.send(octets)
            # A datagram may be lost in the flood: the next one has another number.
            with contextlib.suppress(TimeoutError):
                answered += device.receive().code == 200
        stop.set()
        flood.join(lab.PATIENCE)
        device.socket.settimeout(lab.PATIENCE)
        device.send(device.sign("NOOP"))
        # Answers that came too late for their turn are before it.
        while device.receive()["SEQ"] != str(device.sequence):
            pass
        summary = ended(dfcd)
        network, requests = summary["datagrams"], summary["requests"]
        assert network["received"] + network["overflowed"] == count[0] + attempts + 1, summary
        bad = sum(requests[why] for why in ("bad_authentications", "bad_sequences",
                                            "unknown_sources"))
        assert requests["received"] - bad == network["sent"] > answered, summary
        assert noisy.has_heard_nothing()


def test_requests_come_only_from_where_the_configuration_says():
    port, = lab.free_udp_ports(1)
    allowed = "source-addresses [ 127.0.0.4 127.1.0.0/16 ];"
    with lab.Dfcd(configuration(port, lea1=allowed), "--json") as dfcd, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as prober:
        for source, is_allowed in (("127.0.0.4", True), ("127.1.2.5", True), ("127.0.0.1", False),
                                   ("127.2.0.1", False)):
            with lab.UdpDevice(port, "lea1", KEY, source=source) as device:
                if is_allowed:
                    assert device.ask("NOOP", sequence=int(source[-1])).code == 200
                else:
                    assert_silence(device, prober, device.sign("NOOP", sequence=9))
        assert ended(dfcd)["requests"]["unknown_sources"] == 2


def test_a_login_without_udp_is_not_served_there():
    port, = lab.free_udp_ports(1)
    listen = "udp { listen 127.0.0.1 port %d; } " % port
    flow_tap = listen + 'control-source lea1 { dtcp-key one; } ' \
        'control-source lea2 { udp; dtcp-key "%s"; }' % OTHER_KEY.decode()
    with lab.Dfcd(lab.configuration(USERS, flow_tap)) as dfcd, \
            lab.UdpDevice(port, "lea1", b"one") as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as prober:
        assert_silence(device, prober, device.sign("NOOP"))
        ssh = lab.Device(dfcd.port, "lea1", "first", b"one")
        assert ssh.ask("NOOP").code == 200
        ssh.close()


def test_dtcp_over_udp_is_never_tapped():
    port, = lab.free_udp_ports(1)
    to_dfcd = [("10.0.0.1", "127.0.0.1", 17, lab.udp(999, port, b"a request")),
               ("127.0.0.1", "10.0.0.1", 17, lab.udp(port, 999, b"an answer"))]
    others = [("10.0.0.1", "127.0.0.1", 17, lab.udp(port, 999, b"the port at the other end")),
              ("10.0.0.1", "192.0.2.77", 17, lab.udp(999, port, b"the port of another host")),
              ("10.0.0.1", "127.0.0.1", 6, lab.tcp(999, port, b"the port of TCP"))]
    with tempfile.TemporaryDirectory() as work:
        capture, copies = os.path.join(work, "in.pcap"), os.path.join(work, "out.pcap")
        lab.write_pcap(capture, [lab.ethernet(lab.ipv4(*packet)) for packet in to_dfcd + others])
        with lab.Dfcd(configuration(port), "--read", "ge-0/0/0=" + capture, "--write", copies,
                      "--json") as dfcd, lab.UdpDevice(port, "lea1", KEY) as device:
            add(device, [("Dest-Address", "*")])
            dfcd.wait_for("the replay has ended")
            assert ended(dfcd)["seen"] == 5
            inner = [lab.split_copy(copy)[5] for copy in lab.read_pcap(copies)]
            assert inner == [lab.ipv4(*packet) for packet in others]


# --- sequence numbers --------------------------------------------------------------------------

def test_a_replay_is_not_answered_after_a_clean_restart_and_the_next_number_is():
    port, = lab.free_udp_ports(1)
    config = configuration(port)
    with tempfile.TemporaryDirectory() as directory, lab.UdpDevice(port, "lea1", KEY) as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as prober:
        with lab.Dfcd(config, directory=directory) as dfcd:
            sent = [device.sign("NOOP") for _ in range(5)]
            for octets in sent:
                device.send(octets)
                assert device.receive().code == 200
            assert prober.ask("NOOP").code == 200
            ended_with, _ = dfcd.stop()
            assert ended_with == 0
        with lab.Dfcd(config, "--json", directory=directory) as dfcd:
            # Lower ones that were never used are inside what counts as seen.
            assert_silence(device, prober, *sent)
            assert device.ask("NOOP").code == 200
            assert ended(dfcd)["requests"]["bad_sequences"] == len(sent)
        path = os.path.join(directory, "sequences")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(path) as lines:
            assert lines.read() == "flowtap-sequences 1\nlea1 6\nlea2 2\nend: 2\n"


def test_after_a_crash_no_number_is_taken_twice_and_the_client_gets_through_within_a_block():
    port, = lab.free_udp_ports(1)
    config = configuration(port)
    with tempfile.TemporaryDirectory() as directory, lab.UdpDevice(port, "lea1", KEY) as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY, sequence=10 ** 6) as prober:
        used = []
        for crash in range(3):
            with lab.Dfcd(config, directory=directory) as dfcd:
                # So the prober's own number is always a good one.
                assert run_reset(directory, "lea2")[0] == 0
                assert_silence(device, prober, *used)
                for skipped in range(BLOCK + 1):
                    octets = device.sign("NOOP")
                    device.send(octets)
                    assert prober.ask("NOOP").code == 200
                    if not device.has_heard_nothing():
                        assert device.receive().code == 200
                        used.append(octets)
                        break
                else:
                    raise AssertionError("a client did not get through within a block")
                assert crash or skipped == 0
                for _ in range(3):
                    used.append(device.sign("NOOP"))
                    device.send(used[-1])
                    assert device.receive().code == 200
                dfcd.crash()


def test_a_sequence_number_is_reset_by_hand():
    port, = lab.free_udp_ports(1)
    config = configuration(port)
    with tempfile.TemporaryDirectory() as directory, lab.UdpDevice(port, "lea1", KEY) as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as prober:
        with lab.Dfcd(config, directory=directory) as dfcd:
            assert device.ask("NOOP", sequence=5000).code == 200
            assert_silence(device, prober, device.sign("NOOP", sequence=1))
            # While dfcd runs, it is the one that forgets.
            status, said, _ = run_reset(directory, "lea1")
            assert status == 0 and re.search(r"the running dfcd \(process %d\) has forgotten"
                                             % dfcd.process.pid, said), said
            assert device.ask("NOOP", sequence=1).code == 200
            dfcd.wait_for("a control source is forgotten, as was asked for")
            assert "lea1" not in dfcd.text()
            status, said, why = run_reset(directory, "nobody")
            assert (status, said) == (1, "") and 'no control source "nobody"' in why
            dfcd.stop()
        # Without a dfcd the file is changed.
        with open(os.path.join(directory, "sequences")) as lines:
            assert "\nlea1 1\n" in lines.read()
        status, said, _ = run_reset(directory, "lea1")
        assert status == 0 and 'number of "lea1" is forgotten' in said
        with open(os.path.join(directory, "sequences")) as lines:
            assert "lea1" not in lines.read()
        status, said, _ = run_reset(directory, "lea1")
        assert status == 0 and 'no sequence number of "lea1" is stored' in said
        with lab.Dfcd(config, directory=directory) as dfcd:
            assert device.ask("NOOP", sequence=77).code == 200
            resets = [line for line in dfcd.audit() if line["event"] == "sequence"]
            assert [line["principal"] for line in resets] == ["lea1", "lea1"]


def test_a_request_to_reset_that_nobody_has_seen_is_done_at_the_next_start():
    port, = lab.free_udp_ports(1)
    config = configuration(port)
    with tempfile.TemporaryDirectory() as directory, lab.UdpDevice(port, "lea1", KEY) as device:
        with lab.Dfcd(config, directory=directory) as dfcd:
            assert device.ask("NOOP", sequence=5000).code == 200
            dfcd.stop()
        request = os.path.join(directory, "sequences.reset-lea1")
        open(request, "w").close()
        with lab.Dfcd(config, directory=directory) as dfcd:
            dfcd.wait_for("a control source is forgotten, as was asked for")
            assert device.ask("NOOP", sequence=1).code == 200
        assert not os.path.exists(request)


def test_a_damaged_file_of_sequence_numbers_is_refused_with_the_line():
    port, = lab.free_udp_ports(1)
    good = "flowtap-sequences 1\nlea1 6\nlea2 2\nend: 2\n"
    table = [("", 1), ("lea1 6\n", 1), (good.replace("sequences 1", "sequences 2"), 1),
             (good.replace("6", "six"), 2), (good.replace("lea2 2", "lea1 2"), 3),
             (good.replace("lea2 2", "lea2  2"), 3), (good.replace("lea2 2", "lea2 -2"), 3),
             (good.replace("lea2 2", "lea2 18446744073709551616"), 3),
             (good.replace("end: 2", "end: 3"), 4), (good[:-1], 4), (good + "lea3 7\n", 4),
             (good.replace("end: 2\n", ""), 4)]
    for text, line in table:
        with tempfile.TemporaryDirectory() as directory:
            config, path = os.path.join(directory, "c"), os.path.join(directory, "sequences")
            for name, contents in ((config, configuration(port)), (path, text)):
                with open(name, "w") as out:
                    out.write(contents)
            done = subprocess.run(
                [lab.DFCD, "--config", config, "--port", "0", "--listen", "127.0.0.1",
                 "--host-key", config + ".key", "--audit-log", config + ".audit",
                 "--sequence-file", path], capture_output=True, text=True, timeout=lab.PATIENCE)
            assert done.returncode == 1, text
            assert "%s:%d" % (path, line) in done.stderr, (text, done.stderr)
            # It is not touched, and a reset does not touch it either.
            assert run_reset(directory, "lea1", config)[0] == 1
            with open(path) as lines:
                assert lines.read() == text


def test_other_names_of_the_files_beside_the_sequence_numbers_are_left_alone():
    port, = lab.free_udp_ports(1)
    with tempfile.TemporaryDirectory() as directory:
        state = os.path.join(directory, "state")
        os.mkdir(state)
        config, elsewhere = (os.path.join(directory, name) for name in ("c", "elsewhere"))
        for name, contents in ((config, configuration(port)), (elsewhere, "precious")):
            with open(name, "w") as out:
                out.write(contents)
        os.chmod(elsewhere, 0o644)
        # A directory of another user, which root becomes.
        become = []
        if os.geteuid() == 0:
            os.chown(state, 65534, 65534)
            os.chmod(directory, 0o711)
            become = ["--user", "65534:65534"]
        before = os.stat(elsewhere)
        path = os.path.join(state, "sequences")
        for name in (".new", ".lock", ".reset-lea1"):
            os.link(elsewhere, path + name)
        with lab.Dfcd(configuration(port), *become, directory=state) as dfcd:
            assert run_reset(state, "lea1", config)[0] == 1
            dfcd.stop()
        with open(elsewhere) as contents:
            assert contents.read() == "precious"
        after = os.stat(elsewhere)
        assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_two_dfcds_do_not_share_a_file_of_sequence_numbers():
    ports = lab.free_udp_ports(2)
    with lab.Dfcd(configuration(ports[0])) as first, tempfile.TemporaryDirectory() as directory:
        config = os.path.join(directory, "c")
        with open(config, "w") as out:
            out.write(configuration(ports[1]))
        done = subprocess.run(
            [lab.DFCD, "--config", config, "--port", "0", "--listen", "127.0.0.1",
             "--host-key", config + ".key", "--audit-log", config + ".audit", "--sequence-file",
             os.path.join(first.directory, "sequences")],
            capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 1 and "another process has" in done.stderr, done.stderr
        with lab.UdpDevice(ports[0], "lea1", KEY) as device:
            assert device.ask("NOOP").code == 200


def test_a_number_that_cannot_be_stored_is_answered_with_500_and_nothing_is_done():
    port, = lab.free_udp_ports(1)
    with lab.Dfcd(configuration(port), "--json") as dfcd, \
            lab.UdpDevice(port, "lea1", KEY) as device:
        assert add(device) == "1"
        # What the file is replaced by cannot be made.
        obstacle = os.path.join(dfcd.directory, "sequences.new")
        os.mkdir(obstacle)
        answers = [device.ask("ADD", lab.add_fields(FILTER)) for _ in range(BLOCK + 1)]
        failed = [answer for answer in answers if answer.code != 200]
        assert failed and all(answer.code == 500 for answer in failed)
        os.rmdir(obstacle)
        assert int(add(device)) == len(answers) - len(failed) + 2
        assert ended(dfcd)["requests"]["sequences_not_stored"] == len(failed)


def test_without_udp_no_file_of_sequence_numbers_is_made():
    with lab.Dfcd(lab.configuration(USERS)) as dfcd:
        assert not os.path.exists(os.path.join(dfcd.directory, "sequences"))


# --- notifications -----------------------------------------------------------------------------

def test_targets_are_told_of_every_start_and_of_what_was_asked_for():
    ports = lab.free_udp_ports(1)
    with lab.Target(KEY) as target, lab.Target(OTHER_KEY) as other:
        lea1 = "notification-targets %s port %d;" % (target.host, target.port)
        lea2 = "notification-targets %s port %d; notification-version 0.6;" % (other.host,
                                                                              other.port)
        with lab.Dfcd(configuration(ports[0], lea1, lea2), "--json") as dfcd, \
                lab.UdpDevice(ports[0], "lea1", KEY) as device:
            for receiver, version in ((target, "0.7"), (other, "0.6")):
                told = receiver.receive()
                assert (told.code, told.version) == (599, version), told.octets
                assert "started" in told["ALERT-INFO"] and "lea" not in told["ALERT-INFO"]
                assert "SEQ" not in told.names()
            assert device.ask("NOOP", [("Flags", "SendAsync")]).code == 200
            assert target.receive().code == 131
            assert ended(dfcd)["notifications"]["sent"] == 3


def test_targets_are_told_where_nothing_listens_on_udp():
    with lab.Target(b"Juniper") as target:
        flow_tap = "control-source lea1 { notification-targets %s port %d; }" % (target.host,
                                                                               target.port)
        with lab.Dfcd(lab.configuration(USERS, flow_tap)) as dfcd:
            assert target.receive().code == 599
            dfcd.wait_for(r"notifications leave from 0\.0\.0\.0 port \d+ \(UDP\)")
            assert not re.search(r"listening .*UDP", dfcd.text())


def test_no_request_is_taken_where_notifications_leave():
    with lab.Target(KEY) as target:
        more = "notification-targets %s port %d;" % (target.host, target.port)
        with lab.Dfcd(lab.configuration(USERS, sources(more)), "--json") as dfcd:
            assert target.receive().code == 599
            port = int(dfcd.wait_for(r"notifications leave from 0\.0\.0\.0 port (\d+)")[1])
            with lab.UdpDevice(port, "lea1", KEY) as device:
                device.send(device.sign("NOOP", [("Flags", "SendAsync")]))
            # It is read before the signal is.
            ssh = lab.Device(dfcd.port, "lea1", "first", KEY)
            assert ssh.ask("NOOP").code == 200
            ssh.close()
            summary = ended(dfcd)
            assert summary["requests"]["unknown_sources"] == 1, summary
            assert summary["datagrams"]["sent"] == 1, summary


def test_resets_at_the_same_time_are_all_done():
    port, = lab.free_udp_ports(1)
    config = configuration(port)
    with tempfile.TemporaryDirectory() as directory, \
            lab.UdpDevice(port, "lea1", KEY) as device, \
            lab.UdpDevice(port, "lea2", OTHER_KEY) as other:
        with lab.Dfcd(config, directory=directory) as dfcd:
            assert device.ask("NOOP", sequence=50).code == 200
            assert other.ask("NOOP", sequence=50).code == 200
            dfcd.stop()
        command = [lab.DFCD, "--config", os.path.join(directory, "dfcd.conf"),
                   "--audit-log", os.path.join(directory, "audit.jsonl"),
                   "--sequence-file", os.path.join(directory, "sequences"), "--reset-sequence"]
        running = [subprocess.Popen(command + [name], stdout=subprocess.DEVNULL)
                   for name in ("lea1", "lea2") * 8]
        assert [each.wait(lab.PATIENCE) for each in running] == [0] * 16
        with open(os.path.join(directory, "sequences")) as lines:
            assert lines.read() == "flowtap-sequences 1\nend: 0\n"
        assert not [name for name in os.listdir(directory) if ".reset-" in name]


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
