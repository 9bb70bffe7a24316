#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd as its operator meets it: what keeps it from starting, how it ends, and what goes wrong on
the way."""

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import lab

TAP = ["flow-tap-operation"]
USERS = {"lea1": ("first", TAP)}
FILTER = [("Source-Address", "10.0.0.1")]


def flow(count):
    return [lab.ethernet(lab.ipv4("10.0.0.1", "10.0.0.2", 17, lab.udp(1000, 53, b"%d" % index)))
            for index in range(count)]


def capture(directory, frames):
    path = os.path.join(directory, "in.pcap")
    lab.write_pcap(path, frames)
    return path


def add(device, **how):
    answer = device.ask("ADD", lab.add_fields(FILTER), **how)
    assert answer.code == 200, answer.octets


def start(directory, *arguments, config=None):
    """Runs dfcd to its end, which comes at once. Returns its status and what it said."""
    path = os.path.join(directory, "dfcd.conf")
    with open(path, "w") as out:
        out.write(config or lab.configuration(USERS))
    os.chmod(path, 0o600)
    run = subprocess.run(
        [lab.DFCD, "--config", path, "--listen", "127.0.0.1", "--port", "0",
         "--host-key", os.path.join(directory, "key"),
         "--audit-log", os.path.join(directory, "audit"), *arguments],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=lab.PATIENCE)
    return run.returncode, run.stdout + run.stderr


def criteria(directory, *requests):
    path = os.path.join(directory, "criteria")
    with open(path, "w") as out:
        for fields in requests:
            out.write("ADD DTCP/0.7\n" + "".join("%s: %s\n" % field for field in fields) + "\n")
    return path


def test_what_cannot_be_used_is_named():
    with tempfile.TemporaryDirectory() as work:
        text = os.path.join(work, "text")
        with open(text, "w") as out:
            out.write("no capture\n")
        good = capture(work, flow(1))
        table = [
            (["--read", "ge-9/9/9=" + good], 1, "ge-9/9/9"),
            (["--read", "ge-0/0/0=/nowhere"], 1, 'No such file or directory: "/nowhere"'),
            (["--read", "ge-0/0/0=" + text], 1, text),
            (["--read", "ge-0/0/0=/"], 1, "directory"),
            (["--read", "ge-0/0/0"], 2, "INTERFACE=CAPTURE"),
            (["--read", "ge-0/0/0:up=" + good], 2, '"up"'),
            (["--live", "ge-0/0/0=nowhere0"], 1, "nowhere0"),
            (["--live", "ge-0/0/0:out=nowhere0"], 2, "both"),
            (["--write", "/nowhere/copies"], 1, "/nowhere/copies"),
            (["--write", "/dev/full"], 1, "/dev/full"),
            (["--criteria", "/nowhere"], 1, "/nowhere"),
            (["--criteria", "/"], 1, '"/"'),
            (["--start-after", "-1"], 2, "--start-after"),
            (["--once"], 2, "--read"),
            (["--listen", "10.0.0.300"], 1, "10.0.0.300"),
        ]
        for arguments, status, word in table:
            got, said = start(work, *arguments)
            assert got == status and word in said, (arguments, got, said)
            assert "basic_filebuf" not in said, said


def test_the_help_is_text_and_says_how_copies_leave():
    told = subprocess.run([lab.DFCD, "--help"], capture_output=True, check=True).stdout
    assert all(octet == 0x0A or 0x20 <= octet < 0x7F for octet in told), told
    assert b"--egress auto|packet|raw|udp=auto" in told, told


def test_a_port_in_use_is_named():
    with tempfile.TemporaryDirectory() as work, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        run = subprocess.run(
            [lab.DFCD, "--config", os.path.join(lab.SOURCE, "examples", "dfcd", "dfcd.conf"),
             "--listen", "127.0.0.1", "--port", str(port), "--host-key", work + "/key",
             "--audit-log", work + "/audit"], capture_output=True, text=True,
            timeout=lab.PATIENCE)
        assert run.returncode == 1
        assert 'Address already in use: "127.0.0.1:%d"' % port in run.stderr, run.stderr


def test_a_host_key_that_others_can_read_is_refused():
    with tempfile.TemporaryDirectory() as work:
        key = os.path.join(work, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        os.chmod(key, 0o640)
        status, said = start(work)
        assert status == 1 and "host key" in said and "others" in said, said


def test_a_configuration_that_others_can_read_is_warned_of():
    with tempfile.TemporaryDirectory() as work:
        config = os.path.join(work, "dfcd.conf")
        with open(config, "w") as out:
            out.write(lab.configuration(USERS))
        for mode, warned in ((0o600, False), (0o640, True), (0o604, True)):
            os.chmod(config, mode)
            run = subprocess.run(
                [lab.DFCD, "--config", config, "--listen", "127.0.0.1", "--port", "0", "--host-key",
                 work + "/key", "--audit-log", work + "/audit", "--read",
                 "ge-0/0/0=" + capture(work, []), "--once", "--start-now", "--write", "/dev/null"],
                capture_output=True, text=True, timeout=lab.PATIENCE)
            assert run.returncode == 0 and ("warning" in run.stderr) == warned, (mode, run)


def test_a_criterion_that_is_refused_is_named_by_its_line_and_not_shown():
    with tempfile.TemporaryDirectory() as work:
        good = lab.add_fields(FILTER)
        bad = lab.add_fields([("Source-Address", "10.0.0.400")])
        status, said = start(work, "--criteria", criteria(work, good, bad))
        # The first request, an empty line, the start line and Cdest-ID come before it.
        line = len(good) + 2 + 3
        assert status == 1 and "criteria:%d: 432" % line in said, said
        assert "10.0.0.400" not in said, said


def test_the_example_configuration_is_good():
    run = subprocess.run([lab.DFCD, "--check", "--config",
                          os.path.join(lab.SOURCE, "examples", "dfcd", "dfcd.conf")],
                         capture_output=True, text=True, timeout=lab.PATIENCE)
    assert run.returncode == 0 and run.stderr == "", run


def test_ipv6_is_listened_on():
    with lab.Dfcd(lab.configuration(USERS), "--listen", "::1") as dfcd:
        port = int(dfcd.wait_for(r"listening on ::1 port (\d+)")[1])
        device = lab.Device(port, "lea1", "first", host="::1")
        add(device)


def test_several_captures_of_one_interface_are_all_read():
    with tempfile.TemporaryDirectory() as work:
        path = capture(work, flow(30))
        status, said = start(work, "--read", "ge-0/0/0=" + path, "--read", "ge-0/0/0=" + path,
                             "--read", "ge-0/0/0.0=" + path, "--once", "--json", "--write",
                             work + "/copies", "--criteria",
                             criteria(work, lab.add_fields(FILTER)))
        assert status == 0, said
        assert len(lab.read_pcap(work + "/copies")) == 90


def test_a_hundred_criteria_with_two_destinations_each():
    def fields(index):
        return [("Cdest-ID", "cd1,cd2"), ("Source-Address", "10.0.0.0/24"),
                ("Source-Port", str(1000 + index)),
                ("X-JTap-Cdest-Dest-Address", "203.0.113.7,203.0.113.%d" % (100 + index)),
                ("X-JTap-Cdest-Dest-Port", "2300,%d" % (3000 + index)),
                ("X-JTap-Cdest-Source-Address", "198.51.100.9"),
                ("X-JTap-Cdest-Source-Port", "65535"), ("Flags", "STATIC")]
    with tempfile.TemporaryDirectory() as work:
        path = capture(work, flow(10) + [
            lab.ethernet(lab.ipv4("10.0.0.1", "10.0.0.2", 17, lab.udp(1000 + index, 53, b"")))
            for index in range(100)])
        status, said = start(work, "--read", "ge-0/0/0=" + path, "--once", "--write",
                             work + "/copies", "--criteria",
                             criteria(work, *[fields(index) for index in range(100)]))
        assert status == 0, said
        copies = [lab.split_copy(packet) for packet in lab.read_pcap(work + "/copies")]
        ports = [copy[3] for copy in copies]
        assert ports.count(2300) == 110 and ports.count(3000) == 11
        assert all(ports.count(3000 + index) == 1 for index in range(1, 100))


def threads_of(process):
    """For each thread: whether it is the main one, its niceness, and whether SIGTERM is blocked."""
    found = []
    for number in os.listdir("/proc/%d/task" % process):
        base = "/proc/%d/task/%s/" % (process, number)
        with open(base + "stat") as stat, open(base + "status") as status:
            nice = int(stat.read().rsplit(")", 1)[1].split()[16])
            blocked = next(line for line in status if line.startswith("SigBlk:"))
        found.append((int(number) == process, nice,
                      bool(int(blocked.split()[1], 16) >> (signal.SIGTERM - 1) & 1)))
    return found


def test_one_thread_has_the_lowest_priority_and_all_but_the_main_one_no_signals():
    with tempfile.TemporaryDirectory() as work:
        pipe = lab.Pipe(work)
        with lab.Dfcd(lab.configuration(USERS), "--read", "ge-0/0/0=" + pipe.path, "--start-now",
                      "--write", work + "/copies") as dfcd:
            pipe.send(lab.pcap_records(flow(1)))
            device = lab.Device(dfcd.port, "lea1", "first")
            # Enough to be merged, more than once.
            for index in range(90):
                answer = device.ask("ADD", lab.add_fields([("Dest-Address", "10.1.0.%d" % index)]))
                assert answer.code == 200, answer.octets
            threads = threads_of(dfcd.process.pid)
            here = os.nice(0)
            assert len(threads) >= 3, threads
            assert sorted(nice for _, nice, _ in threads) == [here] * (len(threads) - 1) + [19]
            assert all(is_blocked != is_main for is_main, _, is_blocked in threads), threads
            # It ends however far merging is.
            status, _ = dfcd.stop()
            assert status == 0


def test_the_summary_names_every_sum():
    with tempfile.TemporaryDirectory() as work:
        status, said = start(work, "--read", "ge-0/0/0=" + capture(work, flow(3)), "--once",
                             "--start-now", "--json", "--write", work + "/copies")
        summary = json.loads(said.splitlines()[0])
        assert status == 0 and summary["seen"] == sum(summary["decoded"].values()) == 3
        assert sorted(summary["dropped"]) == ["looped", "send_error", "sink_full", "stopped", "too_long",
                                              "unreachable", "withdrawn"], summary


def limited(blocks, *command):
    """Runs a command that cannot write files of more than `blocks` KiB: writes fail then."""
    return ["bash", "-c", 'ulimit -f %d; exec "$@"' % blocks, "-", *command]


def test_copies_that_cannot_be_written_are_counted_and_are_a_failure():
    with tempfile.TemporaryDirectory() as work:
        copies = work + "/copies"
        with lab.Dfcd(lab.configuration(USERS), "--read", "ge-0/0/0=" + capture(work, flow(2000)),
                      "--write", copies, "--once", "--json", prefix=limited(32)) as dfcd:
            add(lab.Device(dfcd.port, "lea1", "first"))
            status, output = dfcd.wait()
            summary = json.loads(output)
            assert status == 1 and "could not be written" in dfcd.text(), dfcd.text()
            assert summary["copies"] == 2000
            assert summary["delivered"] + summary["dropped"]["send_error"] == 2000
            # What is in the file is whole.
            assert len(lab.read_pcap(copies)) == summary["delivered"] < 2000


def test_tasking_is_refused_while_the_audit_log_cannot_be_written():
    with lab.Dfcd(lab.configuration(USERS), prefix=limited(8)) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        added = 0
        while True:
            answer = device.ask("ADD", lab.add_fields(FILTER))
            if answer.code != 200:
                break
            added += 1
            assert added < 100, "the audit log never came to its limit"
        assert answer.code == 500 and added > 0, answer.octets
        # Nothing was installed that is not in the log, and every line of the log is whole.
        events = [line["event"] for line in dfcd.audit()]
        assert events.count("add") == added, events
        refused = device.ask("ADD", lab.add_fields(FILTER))
        assert refused.code == 500, refused.octets
        assert dfcd.stop()[0] == 0


def test_a_pipe_is_tapped_as_its_packets_come_and_never_delays_the_end():
    for number in (signal.SIGTERM, signal.SIGINT):
        with tempfile.TemporaryDirectory() as work:
            pipe = lab.Pipe(work)
            with lab.Dfcd(lab.configuration(USERS), "--read", "ge-0/0/0=" + pipe.path,
                          "--write", work + "/copies", "--json") as dfcd:
                device = lab.Device(dfcd.port, "lea1", "first")
                add(device)
                pipe.send(lab.pcap_records(flow(1)))
                wait_until(lambda: len(lab.read_pcap(work + "/copies")) == 1)
                # Now the pipe stops in the middle of a packet.
                pipe.send(lab.pcap_records(flow(1))[:20])
                dfcd.process.send_signal(number)
                status, output = dfcd.wait()
                assert status == 0, dfcd.text()
                assert json.loads(output)["delivered"] == 1
                assert device.receive() is None


def octets_in(pipe):
    """How much waits in a pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0]


def wait_until(what):
    end = time.monotonic() + lab.PATIENCE
    while not what():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.01)


def test_a_signal_in_the_middle_of_a_replay_ends_it_and_the_sums_close():
    with tempfile.TemporaryDirectory() as work:
        # A capture without end, so that the signal comes before it.
        pipe = lab.Pipe(work)
        with lab.Dfcd(lab.configuration(USERS), "--read", "ge-0/0/0=" + pipe.path,
                      "--write", work + "/copies", "--json") as dfcd:
            devices = [lab.Device(dfcd.port, "lea1", "first") for _ in range(3)]
            add(devices[0])
            records = lab.pcap_records(flow(500))

            def pour():
                try:
                    while True:
                        pipe.send(records)
                except BrokenPipeError:
                    pass

            pouring = threading.Thread(target=pour)
            pouring.start()
            wait_until(lambda: os.stat(work + "/copies").st_size > 200_000)
            status, output = dfcd.stop()
            pouring.join(lab.PATIENCE)
            summary = json.loads(output)
            assert status == 0
            assert summary["seen"] == sum(summary["decoded"].values())
            assert summary["copies"] == summary["delivered"] + sum(summary["dropped"].values())
            assert summary["delivered"] == len(lab.read_pcap(work + "/copies"))
            assert all(device.receive() is None for device in devices)


def test_a_reader_of_the_copies_that_has_stopped_delays_neither_a_delete_nor_the_end():
    with tempfile.TemporaryDirectory() as work:
        out = work + "/out"
        os.mkfifo(out)
        reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)
        with lab.Dfcd(lab.configuration(USERS), "--read",
                      "ge-0/0/0=" + capture(work, flow(3000)), "--write", out, "--json",
                      "--start-after", "2") as dfcd:
            device = lab.Device(dfcd.port, "lea1", "first")
            add(device)
            add(device)
            dfcd.wait_for("the replay begins\n")
            # Full, but for what the last pages may have left: the worker waits, with copies in hand.
            full = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ) - 8192
            wait_until(lambda: octets_in(reader) > full)
            gone = device.ask("DELETE", [("Criteria-ID", "1"), ("Flags", "STATIC")])
            assert (gone.code, gone["CRITERIA-COUNT"]) == (200, "1")
            status, output = dfcd.stop()
            summary = json.loads(output)
            assert status == 0 and summary["dropped"]["stopped"] > 0, summary
            assert summary["copies"] == summary["delivered"] + sum(summary["dropped"].values())
        os.close(reader)


def test_a_damaged_capture_is_a_failure_and_what_came_before_is_copied():
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "in.pcap")
        with open(path, "wb") as out:
            out.write(lab.pcap_header() + lab.pcap_records(flow(9))[:-3])
        status, said = start(work, "--read", "ge-0/0/0=" + path, "--once", "--write",
                             work + "/copies", "--criteria",
                             criteria(work, lab.add_fields(FILTER)))
        assert status == 1 and "in.pcap" in said and "broke off" in said, said
        assert len(lab.read_pcap(work + "/copies")) == 8


def test_a_batch_job_listens_nowhere_and_waits_for_nobody():
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "dfcd.conf")
        with open(path, "w") as out:
            out.write(lab.configuration(USERS))
        os.chmod(path, 0o600)
        for requests, copies in (([lab.add_fields(FILTER)], 5), ([], 0)):
            run = subprocess.run(
                [lab.DFCD, "--config", path, "--audit-log", work + "/audit", "--host-key",
                 work + "/never/key", "--criteria", criteria(work, *requests), "--read",
                 "ge-0/0/0=" + capture(work, flow(5)), "--write", work + "/copies", "--once"],
                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=lab.PATIENCE)
            assert run.returncode == 0, run
            assert "listening" not in run.stderr and not os.path.exists(work + "/never"), run
            assert len(lab.read_pcap(work + "/copies")) == copies


def test_copies_go_to_standard_output_alone():
    with tempfile.TemporaryDirectory() as work:
        config = os.path.join(work, "dfcd.conf")
        with open(config, "w") as out:
            out.write(lab.configuration(USERS))
        os.chmod(config, 0o600)
        run = subprocess.run(
            [lab.DFCD, "--config", config, "--listen", "127.0.0.1", "--port", "0", "--host-key",
             work + "/key", "--audit-log", work + "/audit", "--read",
             "ge-0/0/0=" + capture(work, flow(5)), "--once", "--write", "-", "--criteria",
             criteria(work, lab.add_fields(FILTER))], capture_output=True, timeout=lab.PATIENCE)
        assert run.returncode == 0 and b"copies delivered  5" in run.stderr, run
        with open(work + "/copies", "wb") as out:
            out.write(run.stdout)
        assert len(lab.read_pcap(work + "/copies")) == 5


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
