#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The check of tests/conformance.md notices what it is there to notice."""

import pathlib
import tempfile
import unittest

import conformance

GOOD = "| 5.2-1 | MUST 2, shall 1 | Something | `unit-tap: a case`; `script.py: test_this` |"


def table(rows=GOOD, words="MUST 2, shall 1", section="5.2", others=True):
    """A table whose section 5.2 has these rows, and whose other sections have none."""
    text = f"# Title\n\n## {section} Response\n\nBinding words: {words}\n\n"
    text += "| rule | words | what is asked | shown by |\n|---|---|---|---|\n" + rows + "\n"
    for other in conformance.SECTIONS if others else ():
        if other != "5.2":
            text += f"\n## {other} Another one\n\nBinding words: none\n"
    return conformance.Table(text)


class Form(unittest.TestCase):
    def expect(self, problem, **how):
        found = table(**how).problems
        self.assertTrue(any(problem in one for one in found), found)

    def test_a_good_table_passes(self):
        self.assertEqual([], table().problems)
        self.assertEqual([], table(rows=GOOD.replace("MUST 2, shall 1", "prose"),
                                   words="none").problems)

    def test_every_section_is_there_once(self):
        self.expect("section 4.4.1 is missing", others=False)
        self.expect("no section 5.21", section="5.21")
        self.expect("twice", section="5.3")

    def test_every_row_has_what_it_needs(self):
        for row in ("| 5.2-1 | MUST 2, shall 1 | | `unit-tap: a case` |",
                    "| 5.2-1 | MUST 2, shall 1 | Something |"):
            self.expect("four cells", rows=row)
        self.expect("not of section", rows=GOOD.replace("5.2-1", "5.3-1"))
        self.expect("twice", rows=GOOD + "\n" + GOOD, words="MUST 4, shall 2")

    def test_evidence_is_a_test_or_a_decision(self):
        for evidence in ("shown", "`tap a case", "decision: README", "decision: `README.md`"):
            self.expect("no test", rows=f"| 5.2-1 | MUST 2, shall 1 | Something | {evidence} |")

        self.expect("clients only",
                    rows=GOOD.replace("`script.py: test_this`", "client"))

    def test_words_are_binding_and_all_accounted_for(self):
        self.expect("no binding word", rows=GOOD.replace("MUST 2", "WILL 2"))
        self.expect("no binding word", rows=GOOD.replace("MUST 2", "MUST 0"))
        self.expect("its rows account for", words="MUST 3, shall 1")
        self.expect("its rows account for", words="MUST 2, MUST NOT 1, shall 1")
        self.expect("its rows account for", words="none")


class Existence(unittest.TestCase):
    def problems(self, evidence):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "tests" / "e2e").mkdir(parents=True)
            (root / "tests" / "e2e" / "script.py").write_text("def test_this():\n    pass\n")
            (root / "README.md").write_text("It **decides**\nthis way.\n")
            binary = root / "unit-tap"
            binary.write_text("#!/bin/sh\nprintf '[doctest] listing all test case names\n"
                              f"{'=' * 79}\na case; in two parts\na case\n{'=' * 79}\n'\n")
            binary.chmod(0o755)
            row = f"| 5.2-1 | MUST 2, shall 1 | Something | {evidence} |"
            made = table(rows=row)
            self.assertEqual([], made.problems)
            return conformance.check_existence(made, root, root)

    def expect(self, problem, evidence):
        found = self.problems(evidence)
        self.assertEqual(1, len(found), found)
        self.assertIn(problem, found[0])

    def test_what_is_there_passes(self):
        self.assertEqual([], self.problems(
            "`unit-tap: a case`; `unit-tap: a case; in two parts`; `script.py: test_this`; "
            '`script.py`; decision: `README.md` "decides** this"'))

    def test_a_wrong_name_fails(self):
        self.expect("has no case", "`unit-tap: another case`")
        self.expect("has no case", "`script.py: test_that`")
        self.expect("no program", "`unit-nothing: a case`")
        self.expect("no program", "`nothing.py: test_this`")
        self.expect("without a case", "`unit-tap`")
        self.expect("does not say", 'decision: `README.md` "something else"')
        self.expect("there is no", 'decision: `NOTHING.md` "decides"')


UNIT = "CASE passed: another\nCASE passed: a case\n"
SCRIPT = "ok      test_this\n"


class Run(unittest.TestCase):
    def problems(self, unit=UNIT, script=SCRIPT, unit_result="OK", script_result="OK"):
        return conformance.check_run(table(), [
            {"command": ["/build/unit-tap"], "stdout": unit, "result": unit_result},
            {"command": ["/usr/bin/python3", "-B", "/e2e/script.py"], "stdout": script,
             "result": script_result},
            {"command": ["/build/other"], "stdout": "", "result": "OK"}])

    def test_what_passed_passes(self):
        self.assertEqual([], self.problems())
        # Another case of the same program is not this row's.
        self.assertEqual([], self.problems(unit=UNIT + "CASE failed: third\n", unit_result="FAIL"))
        self.assertEqual([], self.problems(script="SKIPPED: no root\nok      test_a\n" + SCRIPT))

    def test_what_failed_or_was_skipped_or_did_not_run_fails(self):
        for how, what in (
                ({"unit": "CASE failed: a case\n", "unit_result": "FAIL"}, "failed"),
                ({"unit": "CASE passed: another\nSKIPPED: no root\nCASE passed: a case\n"}, "skipped"),
                ({"unit": "CASE passed: another\n"}, "not run"),
                ({"unit": ""}, "not run"),
                ({"script": "FAILED  test_this\n", "script_result": "FAIL"}, "failed"),
                ({"script": "SKIPPED: no root\nok      test_this\n"}, "skipped"),
                ({"script": "SKIPPED: no root\n", "script_result": "SKIP"}, "not run"),
                ({"script": "", "script_result": "TIMEOUT"}, "not run")):
            found = self.problems(**how)
            self.assertEqual(1, len(found), (how, found))
            self.assertTrue(found[0].endswith(": " + what), (how, found))

    def test_a_whole_script_is_as_good_as_its_worst_run(self):
        made = table(rows="| 5.2-1 | MUST 2, shall 1 | Something | `script.py` |")
        for results, good in ((["OK", "OK"], True), (["OK", "FAIL"], False), (["SKIP"], False),
                              (["TIMEOUT", "OK"], False), ([], False)):
            entries = [{"command": ["python3", "/e2e/script.py", "x"], "result": result}
                       for result in results]
            self.assertEqual(good, not conformance.check_run(made, entries), results)
        said = [{"command": ["/e2e/script.py"], "result": "OK", "stdout": "SKIPPED: no root\n"}]
        self.assertTrue(conformance.check_run(made, said))


DRAFT = """\
   5.2. Response General Format..................................15
5.1. Request General Format

   Not quoted "MUST".
Cavuto                   Expires May 10, 2010                  [Page 6]
Internet-Draft         draft-cavuto-dtcp-03.txt           November 2009
APPENDIX A: Prior
   It MAY be.
5.2. Response General Format

   It MUST be, and it MUST
   NOT be; it shall not.  It must, a MUSTARD.
"""


class Draft(unittest.TestCase):
    def test_words_are_counted_by_section(self):
        counts = conformance.draft_counts(DRAFT)
        self.assertEqual({"MUST": 1, "MUST NOT": 1, "shall": 1}, dict(counts["5.2"]))
        self.assertEqual({}, dict(counts["5.1"]))
        self.assertEqual({"MAY": 1}, dict(counts["A"]))

    def test_a_difference_is_told(self):
        row = GOOD.replace("MUST 2, shall 1", "MUST 1, MUST NOT 1, shall 1")
        draft = DRAFT.replace("MAY", "may")
        self.assertEqual([], conformance.check_draft(
            table(rows=row, words="MUST 1, MUST NOT 1, shall 1"), draft))
        self.assertEqual(1, len(conformance.check_draft(table(), draft)))


if __name__ == "__main__":
    unittest.main()
