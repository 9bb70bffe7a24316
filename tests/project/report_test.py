#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/lib/test_report.py counts right and accepts no excuse that does not hold."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools", "lib"))
import test_report  # noqa: E402 (the path is set first)


def doctest_output(passed, failed=0, disabled=0):
    return (f"[doctest] test cases: {passed + failed} | {passed} passed | {failed} failed | "
            f"{disabled} skipped\n")


class Report(unittest.TestCase):
    def counts(self, result, output):
        report = test_report.Report()
        report.add({"name": "a test", "result": result, "stdout": output})
        return report.passed, report.failed, len(report.skipped)

    def test_a_script_counts_once(self):
        self.assertEqual((1, 0, 0), self.counts("OK", ""))
        self.assertEqual((0, 1, 0), self.counts("FAIL", ""))
        self.assertEqual((0, 1, 0), self.counts("TIMEOUT", doctest_output(3)))

    def test_doctest_cases_count_one_by_one(self):
        self.assertEqual((7, 0, 0), self.counts("OK", doctest_output(7)))
        self.assertEqual((5, 2, 0), self.counts("FAIL", doctest_output(5, failed=2)))

    def test_an_empty_or_disabled_test_fails(self):
        self.assertEqual((0, 1, 0), self.counts("OK", doctest_output(0)))
        self.assertEqual((2, 1, 0), self.counts("OK", doctest_output(2, disabled=1)))

    def test_a_crash_after_the_last_case_fails(self):
        self.assertEqual((4, 1, 0), self.counts("FAIL", doctest_output(4)))

    def test_an_excuse_that_holds_is_a_skip(self):
        with tempfile.TemporaryDirectory() as directory:
            test_report.SOURCE_ROOT = os.path.join(directory, "clone")
            output = "SKIPPED: ../shared is missing\n"
            self.assertEqual((0, 0, 1), self.counts("SKIP", output))
            self.assertEqual((2, 0, 1), self.counts("OK", output + doctest_output(3)))

    def test_an_excuse_that_does_not_hold_is_a_failure(self):
        with tempfile.TemporaryDirectory() as directory:
            os.mkdir(os.path.join(directory, "shared"))
            test_report.SOURCE_ROOT = os.path.join(directory, "clone")
            output = "SKIPPED: ../shared is missing\n"
            self.assertEqual((0, 1, 0), self.counts("SKIP", output))
            self.assertEqual((2, 1, 0), self.counts("OK", output + doctest_output(3)))
            for name in ("../shared", "$FLOWTAP_SHARED_DATA"):
                self.assertEqual((0, 0, 1), self.counts("SKIP", f"SKIPPED: no {name}/x.pcap"))

    def test_an_unknown_or_missing_reason_is_a_failure(self):
        self.assertEqual((0, 1, 0), self.counts("SKIP", ""))
        self.assertEqual((0, 1, 0), self.counts("SKIP", "SKIPPED: tshark is not installed\n"))


if __name__ == "__main__":
    unittest.main()
