#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of capture files, with captures of next to nothing: dfcd and tcpdump write the same
packets, what comes out is a table, and a tcpdump that writes others is noticed."""

import json
import os
import re
import subprocess
import sys
import tempfile

import lab

FILES = os.path.join(lab.SOURCE, "tests", "bench", "files.py")


def run(*arguments, environment=None):
    return subprocess.run(
        [sys.executable, "-B", FILES, "--no-build", "--build-directory", lab.BUILD, "--size", "1",
         "--trace", "512", "--repetitions", "1", *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, check=False, env=environment)


def test_a_table_comes_out():
    with tempfile.NamedTemporaryFile() as raw:
        done = run("--json", raw.name)
        # Whether floors are met says nothing here.
        assert done.returncode in (0, 1), done.stderr
        told = json.load(raw)
    assert "competitor: tcpdump version" in done.stdout
    for sizes in ("64 octets", "IMIX 7:4:1"):
        for filters in ("1 filter", "100 filters"):
            row = rf"{sizes}, {filters}, vs tcpdump +[\d.]+ s +[\d.]+ s +[\d.]+x"
            assert re.search(row, done.stdout), done.stdout
    assert len(done.stderr.split("the same ")) == 5, done.stderr
    assert sum("reading the capture alone" in row["title"] for row in told["table"]) == 4, told
    for row in told["table"]:
        if row["title"].endswith("tcpdump"):
            assert row["ratio"] == row["other"] / row["ours"], row


def test_markdown_is_written_on_demand():
    done = run("--markdown", "--only", "64 octets, 1 filter")
    assert done.returncode in (0, 1), done.stderr
    assert re.search(r"^\| 64 octets, 1 filter, vs tcpdump \|", done.stdout, re.MULTILINE)
    assert "IMIX" not in done.stdout, done.stdout


def test_a_side_that_writes_other_packets_is_noticed():
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "tcpdump"), "w", encoding="ascii") as out:
            out.write('#!/bin/sh\nPATH=${PATH#*:}\nexec tcpdump "$@" -c 7\n')
        os.chmod(out.name, 0o755)
        done = run("--only", "64 octets, 1 filter",
                   environment=os.environ | {"PATH": work + ":" + os.environ["PATH"]})
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert "differ in packet 8" in done.stderr, done.stderr


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
