#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Capture files as dfcd and the tools read them: compressed, from standard input, damaged; copies
in a file for each input; the progress of a replay, for programs and on a terminal."""

import bz2
import contextlib
import gzip
import json
import lzma
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

import lab

MATCH = os.path.join(lab.BUILD, "tools", "flowtap-match")
CRITERIA = """ADD DTCP/0.7
Cdest-ID: cd1
Source-Address: 10.0.0.1
Priority: 2
X-JTap-Cdest-Dest-Address: 192.0.2.5
X-JTap-Cdest-Dest-Port: 2300
X-JTap-Cdest-Source-Address: 198.51.100.9
X-JTap-Cdest-Source-Port: 65535
Flags: STATIC
"""


def by_program(*command):
    return lambda octets: subprocess.run(command, input=octets, stdout=subprocess.PIPE,
                                         check=True).stdout


# Without those whose program is missing: tests/unit/capture has all of them.
COMPRESSORS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
for name in ("zstd", "lz4"):
    if subprocess.run(["which", name], stdout=subprocess.DEVNULL, check=False).returncode == 0:
        COMPRESSORS[name] = by_program(name, "-q", "-c")


def packets(count, source="10.0.0.1"):
    return [lab.ipv4(source, "10.0.0.2", 17, lab.udp(1000, 53, b"%06d" % number))
            for number in range(count)]


def capture(inner):
    return lab.pcap_header() + lab.pcap_records([lab.ethernet(each) for each in inner])


class Batch:
    """A directory with what a batch job of dfcd needs."""

    def __init__(self, stack):
        self.work = stack.enter_context(tempfile.TemporaryDirectory())
        self.write("dfcd.conf", lab.configuration({}).encode(), 0o600)
        self.write("criteria", CRITERIA.encode())

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, name, octets, mode=0o644):
        with open(self.path(name), "wb") as out:
            out.write(octets)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def command(self, *reads, copies="out.pcap", more=()):
        inputs = [part for each in reads for part in ("--read", each)]
        return [lab.DFCD, "--config", self.path("dfcd.conf"), "--criteria", self.path("criteria"),
                "--audit-log", self.path("audit.jsonl"), "--sequence-file", self.path("sequences"),
                "--once", "--json", "--write", self.path(copies), *inputs, *more]

    def run(self, *reads, **how):
        """Exit status, summary and log of a job."""
        done = subprocess.run(self.command(*reads, copies=how.pop("copies", "out.pcap"),
                                           more=how.pop("more", ())),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=lab.PATIENCE, **how)
        return done.returncode, json.loads(done.stdout), done.stderr.decode()

    def copies(self, name="out.pcap"):
        return [lab.split_copy(copy)[5] for copy in lab.read_pcap(self.path(name))]


def test_compressed_captures_are_read_whatever_their_name():
    inner = packets(500)
    for name, compress in COMPRESSORS.items():
        with contextlib.ExitStack() as stack:
            batch = Batch(stack)
            batch.write("in.pcap", compress(capture(inner)))
            status, told, _ = batch.run("ge-0/0/0=" + batch.path("in.pcap"))
            assert status == 0 and told["delivered"] == 500, (name, told)
            assert batch.copies() == inner, name


def test_standard_input_is_read_from_a_file_or_a_pipe_compressed_or_not():
    inner = packets(300)
    for compress in (bytes, *COMPRESSORS.values()):
        octets = compress(capture(inner))
        with contextlib.ExitStack() as stack:
            batch = Batch(stack)
            with open(batch.write("in", octets), "rb") as file:
                status, told, _ = batch.run("ge-0/0/0=-", stdin=file)
            assert (status, told["delivered"]) == (0, 300)
            assert batch.copies() == inner
            status, told, _ = batch.run("ge-0/0/0=-", input=octets)
            assert (status, told["delivered"]) == (0, 300)
            assert batch.copies() == inner


def test_a_damaged_capture_is_read_up_to_the_damage_and_told_of():
    whole = capture(packets(20))
    record = 16 + 14 + 34
    cases = {
        "cut": (whole[:-record - 10], 18, "record 19, at octet %d, ends after" % (24 + 18 * record)),
        "too long": (whole[:24 + 5 * record + 8] + b"\xff" * 8 + whole[24 + 5 * record + 16:], 5,
                     "record 6, at octet %d, claims 4294967295 octets" % (24 + 5 * record)),
        "cut header": (whole[:24 + 7 * record + 3], 7, "ends after 3 of the 16 octets of its header"),
        "followed by nonsense": (gzip.compress(whole) + b"nonsense", 20, "after record 20"),
    }
    for name, (octets, expected, reason) in cases.items():
        with contextlib.ExitStack() as stack:
            batch = Batch(stack)
            status, told, log = batch.run("ge-0/0/0=" + batch.write("in.pcap", octets))
            assert status == 1, name
            assert told["delivered"] == expected == len(batch.copies()), (name, told)
            assert "an input broke off" in log and "in.pcap" in log and reason in log, (name, log)


def test_a_capture_compressed_in_stored_pieces_and_cut_is_read_up_to_the_cut():
    inner = packets(2000)
    octets = gzip.compress(capture(inner), compresslevel=0)
    with contextlib.ExitStack() as stack:
        batch = Batch(stack)
        status, told, log = batch.run("ge-0/0/0=" + batch.write("in.gz", octets[:len(octets) // 2]))
        assert status == 1
        copies = batch.copies()
        assert 990 <= len(copies) <= 1000 and copies == inner[:len(copies)], len(copies)
        assert told["delivered"] == len(copies)
        assert "ends in the middle of the compressed data" in log, log


def test_what_is_no_capture_or_is_not_there_keeps_dfcd_from_starting():
    with contextlib.ExitStack() as stack:
        batch = Batch(stack)
        for octets in (b"", b"no capture at all, whatever it is", gzip.compress(b"nor is this")):
            done = subprocess.run(batch.command("ge-0/0/0=" + batch.write("in.pcap", octets)),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            assert done.returncode == 1 and b"in.pcap" in done.stderr, done.stderr
        done = subprocess.run(batch.command("ge-0/0/0=" + batch.path("missing")),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 1 and b"missing" in done.stderr, done.stderr


def test_each_input_has_a_file_of_copies_of_its_own_where_the_name_says_so():
    with contextlib.ExitStack() as stack:
        batch = Batch(stack)
        inner = [packets(3), packets(4), packets(5)]
        names = [batch.write("in%d" % number, capture(each)) for number, each in enumerate(inner)]
        status, told, _ = batch.run("ge-0/0/0=" + names[0], "ge-0/0/0:out=" + names[1],
                                    "ge-0/0/1.0=" + names[2], copies="{interface}.pcap")
        assert status == 0 and told["seen"] == 12, told
        # An address is matched where packets come in.
        assert batch.copies("ge-0-0-0.pcap") == inner[0]
        assert batch.copies("ge-0-0-0-out.pcap") == []
        assert batch.copies("ge-0-0-1.0.pcap") == inner[2]


def test_two_inputs_at_once_write_whole_copies_to_one_file():
    with contextlib.ExitStack() as stack:
        batch = Batch(stack)
        inner = packets(20000), packets(20000)
        names = [batch.write("in%d" % number, capture(each)) for number, each in enumerate(inner)]
        status, told, _ = batch.run("ge-0/0/0=" + names[0], "ge-0/0/1=" + names[1])
        assert status == 0 and told["delivered"] == 40000, told
        assert sorted(batch.copies()) == sorted(inner[0] + inner[1])


# --- progress ----------------------------------------------------------------------------------

def test_nothing_is_shown_where_nobody_looks():
    with contextlib.ExitStack() as stack:
        batch = Batch(stack)
        _, _, log = batch.run("ge-0/0/0=" + batch.write("in", capture(packets(3))))
        assert "packets" not in log and "progress" not in log, log


class Replay:
    """A job that reads from a pipe for as long as the test likes, its standard error from `error`."""

    def __init__(self, stack, progress, error=None):
        self.batch = Batch(stack)
        self.process = subprocess.Popen(
            self.batch.command("ge-0/0/0=-", more=progress), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE if error is None else error)
        stack.callback(self.process.kill)
        self.source = self.process.stderr.fileno() if error is None else None
        self.seen = b""

    def send(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def wait_for(self, pattern, source=None):
        """Waits until standard error matches."""
        end = time.monotonic() + lab.PATIENCE
        while not re.search(pattern, self.seen):
            ready, _, _ = select.select([source or self.source], [], [], end - time.monotonic())
            assert ready, "never shown: %r; only %r" % (pattern, self.seen)
            try:
                octets = os.read(source or self.source, 65536)
            except OSError:  # the other side of a terminal was closed
                octets = b""
            assert octets, "ended without %r: %r" % (pattern, self.seen)
            self.seen += octets

    def rest(self, source=None):
        while True:
            try:
                octets = os.read(source or self.source, 65536)
            except OSError:
                octets = b""
            if not octets:
                return self.seen.decode()
            self.seen += octets


def test_programs_read_progress_as_lines_of_json():
    with contextlib.ExitStack() as stack:
        replay = Replay(stack, ("--progress", "json"))
        replay.send(capture(packets(100)))
        replay.wait_for(rb'"packets":100,')
        replay.process.stdin.close()
        lines = [json.loads(line)["progress"] for line in replay.rest().splitlines()
                 if line.startswith("{")]
        assert replay.process.wait(lab.PATIENCE) == 0
        last = lines[-1]
        assert last["packets"] == 100 and last["octets"] == len(capture(packets(100))), last
        assert last["size"] is None and last["percent"] is None and last["seconds_left"] is None
        assert last["packets_per_second"] > 0 and last["octets_per_second"] > 0, last
        assert [line["packets"] for line in lines] == sorted(line["packets"] for line in lines)


def test_the_progress_of_a_file_ends_at_a_hundred_percent():
    with contextlib.ExitStack() as stack:
        batch = Batch(stack)
        octets = gzip.compress(capture(packets(100)))
        _, _, log = batch.run("ge-0/0/0=" + batch.write("in", octets), more=("--progress", "json"))
        last = json.loads([line for line in log.splitlines() if line.startswith("{")][-1])
        assert last["progress"]["percent"] == 100 and last["progress"]["seconds_left"] == 0
        assert last["progress"]["octets"] == last["progress"]["size"] == len(octets)


def screen(text):
    """What a terminal shows after `text`."""
    lines, column = [""], 0
    for part in re.findall(r"\x1b\[K|[\r\n]|[^\x1b\r\n]+", text):
        if part == "\r":
            column = 0
        elif part == "\n":
            lines.append("")
            column = 0
        elif part == "\x1b[K":
            lines[-1] = lines[-1][:column]
        else:
            lines[-1] = lines[-1][:column] + part + lines[-1][column + len(part):]
            column += len(part)
    return lines


def test_on_a_terminal_a_line_is_kept_current_and_taken_away():
    with contextlib.ExitStack() as stack:
        terminal, other = pty.openpty()
        stack.callback(os.close, terminal)
        replay = Replay(stack, (), error=other)
        os.close(other)
        replay.send(capture(packets(100)))
        replay.wait_for(rb"\r\x1b\[K[0-9.]+ MB  100 packets  [0-9.]+ Mpps  [0-9]+ MB/s", terminal)
        assert screen(replay.seen.decode())[-1].startswith("0.0 MB  100 packets")
        replay.process.stdin.close()
        lines = screen(replay.rest(terminal))
        assert replay.process.wait(lab.PATIENCE) == 0
        # The first line may be about the user that dfcd runs as.
    assert lines[-3:] == ["dfcd: the replay begins", "dfcd: the replay has ended", ""], lines


def test_without_a_terminal_progress_that_is_asked_for_comes_line_by_line():
    with contextlib.ExitStack() as stack:
        replay = Replay(stack, ("--progress",))
        replay.send(capture(packets(100)))
        replay.wait_for(rb"dfcd: [0-9.]+ MB  100 packets  [0-9.]+ Mpps  [0-9]+ MB/s\n")
        replay.process.stdin.close()
        assert "\r" not in replay.rest()
        assert replay.process.wait(lab.PATIENCE) == 0


# --- the tools ---------------------------------------------------------------------------------

def test_flowtap_match_reads_the_same():
    inner = packets(5) + packets(5, "10.0.0.9")
    for compress in (bytes, *COMPRESSORS.values()):
        octets = compress(capture(inner))
        with tempfile.NamedTemporaryFile() as file:
            file.write(octets)
            file.flush()
            for name in (file.name, "-"):
                told = subprocess.run([MATCH, "-f", "Source-Address: 10.0.0.9", name], input=octets,
                                      stdout=subprocess.PIPE, check=True).stdout
                assert told == b"6\n7\n8\n9\n10\n", told


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
