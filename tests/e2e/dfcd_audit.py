#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log of dfcd as a chain: across restarts, crashes, rotation and full disks, and what
--verify-audit says when somebody has been at it."""

import hashlib
import hmac
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import lab

TAP = ["flow-tap-operation"]
CONFIG = lab.configuration({"lea1": ("first", TAP)})
FILTER = [("Source-Address", "10.0.0.1")]


class Log:
    """An audit log in a directory of its own, and the dfcds that write it one after another."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="audit-")
        self.path = os.path.join(self.directory, "audit.jsonl")
        self.key = self.path + ".key"
        self.state = self.path + ".state"

    def dfcd(self, *arguments, **how):
        return lab.Dfcd(CONFIG, *arguments, directory=self.directory, **how)

    def write(self, adds):
        """A dfcd that is asked for so many criteria, and ended."""
        with self.dfcd() as dfcd:
            add(dfcd, adds)
            assert dfcd.stop()[0] == 0

    def verify(self, *files, key=None, options=()):
        run = subprocess.run(
            [lab.DFCD, "--verify-audit", key or self.key, *(files or [self.path]), *options],
            capture_output=True, text=True, timeout=lab.PATIENCE)
        return run.returncode, run.stdout + run.stderr

    def is_whole(self, *files):
        status, said = self.verify(*files)
        assert status == 0, said
        return True

    def lines(self):
        with open(self.path, "rb") as log:
            return log.read().splitlines(keepends=True)

    def replace(self, lines):
        with open(self.path, "wb") as log:
            log.write(b"".join(lines))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.directory)


def add(dfcd, count=1):
    device = lab.Device(dfcd.port, "lea1", "first")
    for _ in range(count):
        answer = device.ask("ADD", lab.add_fields(FILTER))
        assert answer.code == 200, answer.octets


def hang_up(dfcd, path):
    """Has the log rotated, and waits until dfcd has gone on in another file."""
    dfcd.process.send_signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0)


def wait_until(condition):
    end = time.monotonic() + lab.PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came about"
        select.select([], [], [], 0.02)


def test_the_chain_is_what_the_manual_says():
    with Log() as log:
        log.write(2)
        with open(log.key) as key_file:
            key = bytes.fromhex(key_file.read().strip())
        for number, line in enumerate(log.lines(), 1):
            text, tag = re.fullmatch(rb'(.*),"tag":"([0-9a-f]{64})"}\n', line).groups()
            assert hmac.new(key, text, "sha256").hexdigest().encode() == tag, line
            assert json.loads(line)["number"] == number
            key = hashlib.sha256(key).digest()
        with open(log.state) as state:
            assert "\nkey %s\n" % key.hex() in state.read()
        events = [json.loads(line)["event"] for line in log.lines()]
        assert events[:2] == ["chain", "start"] and "stop" in events, events
        for name in (log.path, log.key, log.state):
            assert os.stat(name).st_mode & 0o777 == 0o600, name


def test_the_first_key_is_told_of_once_and_may_be_moved_away():
    with Log() as log, tempfile.TemporaryDirectory() as apart:
        elsewhere = os.path.join(apart, "first")
        with log.dfcd("--audit-key", elsewhere) as dfcd:
            assert elsewhere in dfcd.text()
            assert dfcd.stop()[0] == 0
        moved = elsewhere + ".moved"
        os.rename(elsewhere, moved)
        with log.dfcd("--audit-key", elsewhere) as dfcd:
            assert elsewhere not in dfcd.text()
            assert dfcd.stop()[0] == 0
        assert not os.path.exists(elsewhere)
        assert log.verify(key=moved)[0] == 0


def test_every_kind_of_tampering_is_named_with_its_line():
    with Log() as log:
        log.write(4)
        whole = log.lines()
        assert log.is_whole()
        table = [
            ("removed", 3, whole[:2] + whole[3:]),
            ("changed", 3, whole[:2] + [whole[2].replace(b"lea1", b"lea2")] + whole[3:]),
            ("repeated", 4, whole[:3] + [whole[0]] + whole[3:]),
            ("moved", 3, whole[:2] + [whole[3], whole[2]] + whole[4:]),
            ("inserted", 2, whole[:1] + [b'{"event":"add"}\n'] + whole[1:]),
            ("cut", len(whole), whole[:-1] + [whole[-1][:-9]]),
            ("truncated", len(whole) - 2, whole[:-2]),
            ("truncated", 0, []),
        ]
        for fault, line, lines in table:
            log.replace(lines)
            status, said = log.verify()
            assert status == 1 and ":%d: %s: " % (line, fault) in said, (fault, said)
            assert said.count("\n") == 2, said
            status, said = log.verify(options=["--json"])
            found = json.loads(said)
            assert status == 1 and not found["whole"], said
            assert [each["fault"] for each in found["findings"]] == [fault], said


def test_without_the_state_the_end_is_not_known_and_that_is_said():
    with Log() as log:
        log.write(1)
        os.rename(log.state, log.state + ".kept")
        log.replace(log.lines()[:-1])
        status, said = log.verify()
        assert status == 0 and "no stored state" in said, said
        assert not json.loads(log.verify(options=["--json"])[1])["end_known"]
        status, said = log.verify(options=["--audit-state", log.state + ".kept"])
        assert status == 1 and "truncated" in said, said


def test_the_exit_status_tells_usage_from_what_cannot_be_read():
    with Log() as log:
        log.write(0)
        usage = subprocess.run([lab.DFCD, "--verify-audit", log.key], capture_output=True,
                               timeout=lab.PATIENCE)
        assert usage.returncode == 2, usage
        assert log.verify("/nowhere")[0] == 3
        assert log.verify(log.directory)[0] == 3
        assert log.verify(key="/nowhere")[0] == 3
        assert log.verify(key=log.path)[0] == 3
        assert log.verify(options=["--audit-state", log.path])[0] == 3


def test_the_chain_goes_on_through_rotation_and_restarts():
    with Log() as log:
        old, older = log.path + ".1", log.path + ".2"
        with log.dfcd() as dfcd:
            add(dfcd)
            os.rename(log.path, older)
            hang_up(dfcd, log.path)
            add(dfcd)
            # A signal for something else does nothing to it.
            dfcd.process.send_signal(signal.SIGHUP)
            add(dfcd)
            assert dfcd.stop()[0] == 0
        os.rename(log.path, old)
        log.write(1)
        assert log.is_whole(log.path, older, old)
        assert log.is_whole(old, log.path, older)
        with open(older) as first:
            last = json.loads(first.readlines()[-1])
        with open(old) as second:
            head = json.loads(second.readline())
        assert (last["event"], head["event"]) == ("rotation", "rotation")
        assert "after line %d" % last["number"] in head["detail"] and last["tag"] in head["detail"]
        status, said = log.verify(older, log.path)
        assert status == 1 and "removed" in said, said


def test_a_crash_never_looks_like_tampering():
    with Log() as log:
        with log.dfcd() as dfcd:
            add(dfcd, 2)
            with open(log.state, "rb") as state:
                stored = state.read()
            before = int(re.search(rb"next (\d+)", stored)[1]) - 1
            add(dfcd, 1)
            dfcd.crash()
        # As if it had been killed between a line and its state, then within a line.
        lines = log.lines()
        log.replace(lines[:before + 1])
        with open(log.state, "wb") as state:
            state.write(stored)
        assert log.is_whole()
        log.write(0)
        assert log.is_whole() and log.lines()[:before + 1] == lines[:before + 1]
        with open(log.path, "ab") as out:
            out.write(b'{"number":99,"time"')
        log.write(0)
        assert log.is_whole()
        assert any("never finished" in json.loads(line)["detail"] for line in log.lines())


def test_a_log_that_was_altered_while_nobody_wrote_is_warned_of_and_goes_on():
    with Log() as log:
        log.write(1)
        log.replace(log.lines()[:-1])
        with log.dfcd() as dfcd:
            assert "does not end as it was left" in dfcd.text()
            assert dfcd.stop()[0] == 0
        status, said = log.verify()
        assert status == 1 and "removed" in said, said


def test_a_lost_or_damaged_state_keeps_dfcd_from_starting():
    with Log() as log:
        log.write(0)
        with open(log.state, "r+b") as state:
            state.seek(30)
            state.write(b"#")
        for wanted in ("is damaged", "is missing"):
            run = subprocess.run(
                [lab.DFCD, "--config", os.path.join(log.directory, "dfcd.conf"), "--listen",
                 "127.0.0.1", "--port", "0", "--host-key", os.path.join(log.directory, "host-key"),
                 "--audit-log", log.path], capture_output=True, text=True, timeout=lab.PATIENCE)
            assert run.returncode == 1 and wanted in run.stderr, run
            if os.path.exists(log.state):
                os.unlink(log.state)


def test_a_log_from_before_the_chain_goes_on():
    with Log() as log:
        old = [b'{"event":"start"}\n', b'{"event":"stop"}\n', b"unfinished"]
        log.replace(old)
        log.write(1)
        assert b"".join(log.lines()).startswith(b"".join(old) + b"\n")
        status, said = log.verify()
        assert status == 0 and "3 lines stand there from before" in said, said
        log.replace([b'{"event":"more"}\n'] + log.lines())
        assert log.verify()[0] == 1


def test_two_dfcds_do_not_share_a_log():
    with Log() as log, log.dfcd() as dfcd:
        run = subprocess.run(
            [lab.DFCD, "--config", dfcd.config, "--listen", "127.0.0.1", "--port", "0",
             "--host-key", os.path.join(log.directory, "host-key"), "--audit-log", log.path],
            capture_output=True, text=True, timeout=lab.PATIENCE)
        assert run.returncode == 1 and "another process has the audit log open" in run.stderr, run
        assert dfcd.stop()[0] == 0
        assert log.is_whole()


def test_refused_logins_are_in_the_log():
    with Log() as log, log.dfcd() as dfcd:
        for login, password in (("lea1", "wrong"), ("nobody", "first")):
            try:
                lab.Device(dfcd.port, login, password)
            except Exception:  # paramiko's, of several kinds
                continue
            raise AssertionError("the login was not refused")
        wait_until(lambda: sum(line["event"] == "refusal" for line in dfcd.audit()) == 2)
        refused = [line for line in dfcd.audit() if line["event"] == "refusal"]
        assert [line["principal"] for line in refused] == ["lea1", "nobody"], refused
        assert all(line["peer"].startswith("127.0.0.1:") for line in refused), refused
        assert "nobody" not in dfcd.text()


def test_a_full_disk_refuses_tasking_and_leaves_the_chain_whole():
    with Log() as log:
        small = os.path.join(log.directory, "small")
        os.mkdir(small)
        # A file system of 16 KiB, with nothing on it but the log, that dfcd alone sees.
        script = ('mount -t tmpfs -o size=16k none "$0" && : > "$0/log" && : > "$0/../audit.jsonl" '
                  '&& mount --bind "$0/log" "$0/../audit.jsonl" && exec "$@"')
        prefix = ["unshare", "--mount", "sh", "-c", script, small]
        probe = subprocess.run([*prefix, "true"], capture_output=True, text=True)
        if probe.returncode != 0:
            print("SKIPPED: no mount namespace: " + probe.stderr.strip())
            return
        with log.dfcd("--user", "root", prefix=prefix) as dfcd:
            inside = "/proc/%d/root%s" % (dfcd.process.pid, log.path)
            device = lab.Device(dfcd.port, "lea1", "first")
            added = 0
            while (answer := device.ask("ADD", lab.add_fields(FILTER))).code == 200:
                added += 1
                assert added < 1000, "the disk never was full"
            assert answer.code == 500 and added > 0, answer.octets
            for _ in range(3):
                assert device.ask("ADD", lab.add_fields(FILTER)).code == 500
            with open(inside) as lines:
                events = [json.loads(line)["event"] for line in lines]
            assert events.count("add") == added, events
            status, said = log.verify(inside)
            assert status == 0 and "no stored state" not in said, said


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
