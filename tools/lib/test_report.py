#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of a Meson test log and judges what was skipped.

A case of a doctest binary counts as one test; every other test of Meson's counts as one. A test
says that it skipped with a line `SKIPPED: reason`, one a case; one that skips as a whole also exits
with 77. Whether the reason holds is checked against this machine: a test that could have run here
and did not is a failure. tests/README.md lists the reasons there are.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys

DOCTEST_CASES = re.compile(
    r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(\d+) skipped")
SKIPPED = re.compile(r"^SKIPPED: *(.*)$", re.MULTILINE)
PASSED = {"OK", "EXPECTEDFAIL"}
# Of a long output the start (a sanitizer's stack) and the end (a summary) are shown.
FIRST_LINES, LAST_LINES = 30, 15


def shared_data_missing(reason):
    """True when the shared data as a whole, or a file of it that the reason names, is missing."""
    shared = os.path.normpath(os.path.join(SOURCE_ROOT, "..", "shared"))
    if not os.path.isdir(shared):
        return True
    names = re.findall(r"(?:shared|FLOWTAP_SHARED_DATA)/([\w./-]*\w)", reason)
    return any(not os.path.exists(os.path.join(shared, name)) for name in names)


def root_missing(_reason):
    return os.geteuid() != 0


def namespaces_missing(_reason):
    return subprocess.run(["unshare", "--net", "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0


def ipv6_missing(_reason):
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return True
    return False


def processors_missing(_reason):
    return len(os.sched_getaffinity(0)) < 2


# A word of the reason, and what must then be true of this machine. A missing program is no reason:
# tools/check installs them.
REASONS = [
    (r"\bshared\b|FLOWTAP_SHARED_DATA|authentication-vectors", shared_data_missing),
    (r"\bnamespaces?\b", namespaces_missing),
    (r"\broot\b", root_missing),
    (r"\bIPv6\b", ipv6_missing),
    (r"\bprocessors?\b", processors_missing),
]


def excuse_holds(reason):
    return any(re.search(word, reason) and missing(reason) for word, missing in REASONS)


class Report:
    """What a log says, added up."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = []  # (test, reason) that hold
        self.complaints = []  # (test, what is wrong, output)

    def complain(self, test, problem, output="", count=1):
        self.failed += count
        self.complaints.append((test, problem, output))

    def add(self, entry):
        name, result = entry["name"], entry["result"]
        output = entry.get("stdout", "") + entry.get("stderr", "")
        cases = DOCTEST_CASES.search(output)
        reasons = SKIPPED.findall(output)
        if cases and result in PASSED | {"FAIL"}:
            self.add_cases(name, result, output, [int(number) for number in cases.groups()],
                           len(reasons))
        elif result == "SKIP":
            reasons = reasons[:1]
            if not reasons:
                self.complain(name, "skipped without a line `SKIPPED: reason`", output)
        elif result in PASSED:
            # A script may skip some of its steps and say so; the script counts once.
            self.passed += not reasons
            reasons = reasons[:1] if all(map(excuse_holds, reasons)) else reasons
        else:
            self.complain(name, result.lower(), output)
            reasons = []
        for reason in reasons:
            if excuse_holds(reason):
                self.skipped.append((name, reason))
            else:
                self.complain(name, f"skipped, but it could have run here: {reason}")

    def add_cases(self, name, result, output, cases, skipped):
        total, passed, failed, disabled = cases
        self.passed += max(0, passed - skipped)
        if total == 0:
            self.complain(name, "a test program without a test case", output)
        elif failed or result == "FAIL":
            self.complain(name, f"{failed} of {total} test cases failed", output, max(1, failed))
        if disabled:
            self.complain(name, f"{disabled} test cases are disabled", count=disabled)


def parse_log(path):
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log if line.strip()]


def print_complaint(test, problem, output):
    print(f"FAILED {test}: {problem}")
    lines = [line for line in output.strip().splitlines() if not line.startswith("CASE ")]
    if len(lines) > FIRST_LINES + LAST_LINES:
        left_out = len(lines) - FIRST_LINES - LAST_LINES
        lines[FIRST_LINES:-LAST_LINES] = [f"... {left_out} lines ..."]
    for line in lines:
        print("    " + line)


def main():
    global SOURCE_ROOT
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source-root", required=True)
    parser.add_argument("--counts", required=True, help="file that gets `passed failed skipped`")
    parser.add_argument("--skips", required=True, help="file to which skipped tests are added")
    parser.add_argument("log", help="Meson's testlog.json")
    options = parser.parse_args()
    SOURCE_ROOT = options.source_root

    report = Report()
    for entry in parse_log(options.log):
        report.add(entry)
    for complaint in report.complaints:
        print_complaint(*complaint)
    with open(options.skips, "a", encoding="utf-8") as skips:
        for test, reason in report.skipped:
            skips.write(f"{test}: {reason}\n")
    with open(options.counts, "w", encoding="utf-8") as counts:
        counts.write(f"{report.passed} {report.failed} {len(report.skipped)}\n")
    return 1 if report.failed else 0


SOURCE_ROOT = "."

if __name__ == "__main__":
    sys.exit(main())
