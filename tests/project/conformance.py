#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks tests/conformance.md, the table of what draft-cavuto-dtcp-03 asks of a server.

Always: the table has every section of the draft and every row what it needs, the words that the
rows account for are those that the section has, and each test and decision that is named exists.
With --log: each test that is named ran and passed. With --draft: each section of the table has as
many binding words as the draft itself.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

WORDS = ("MUST NOT", "MUST", "SHOULD NOT", "SHOULD", "SHALL NOT", "SHALL", "MAY", "REQUIRED",
         "RECOMMENDED", "OPTIONAL", "shall")
SECTIONS = (
    "1 1.1 1.2 1.3 2 2.1 2.2 2.3 2.4 2.5 3 3.1 3.2 3.3 4 4.1 4.2 4.3 4.4 4.4.1 4.4.1.1 4.4.2 "
    "5 5.1 5.2 5.3 5.4 5.4.1 5.5 5.6 5.7 5.8 5.9 5.10 5.11 5.12 5.13 5.14 5.15 5.16 5.17 5.18 "
    "5.19 5.20 6 6.1 6.2 6.3 6.4 6.5 6.6 6.7 6.7.1 6.7.2 7 8 9 10 11 12 A B 13").split()

HEADING = re.compile(r"^## ([\dAB][\d.]*) +\S")
BINDING = re.compile(r"^Binding words: (.+)$")
EVIDENCE = re.compile(r"`([\w-]+(?:\.py)?)(?:: ([^`]+))?`|decision: `([\w./-]+)` \"([^\"]+)\"|(client)$")
UNIT_NAMES = re.compile(r"^={20,}$(.*?)^={20,}$", re.MULTILINE | re.DOTALL)
CASE_LINE = re.compile(r"^(?:SKIPPED: .*|CASE (passed|failed): (.*))$", re.MULTILINE)
SCRIPT_LINE = re.compile(r"^(?:SKIPPED: .*|(ok|FAILED)\s+(\w+))$", re.MULTILINE)

Row = collections.namedtuple("Row", "line section name words evidence")
Test = collections.namedtuple("Test", "program case")
Decision = collections.namedtuple("Decision", "path text")


class Table:
    """The table as read, and what is wrong with its form."""

    def __init__(self, text):
        self.rows, self.problems = [], []
        self.sections = {}  # number: the binding words it has
        section = None
        for number, line in enumerate(text.splitlines(), 1):
            heading, binding = HEADING.match(line), BINDING.match(line)
            if heading:
                section = heading[1]
                if section in self.sections:
                    self.complain(number, f"section {section} stands there twice")
                self.sections[section] = None
            elif line.startswith("## "):
                section = None
            elif section and binding:
                self.sections[section] = self.count(number, binding[1], "none")
            elif section and line.startswith("|"):
                self.add_row(number, section, line)
        self.check_sections()

    def complain(self, line, problem):
        self.problems.append(f"line {line}: {problem}")

    def count(self, line, text, empty):
        """`MUST 2, shall 1` as a Counter."""
        counter = collections.Counter()
        if text == empty:
            return counter
        for part in text.split(", "):
            word, _, number = part.rpartition(" ")
            if word not in WORDS or not number.isdigit() or number == "0":
                self.complain(line, f"`{part}` is no binding word with a number")
            else:
                counter[word] += int(number)
        return counter

    def add_row(self, line, section, text):
        cells = [cell.strip() for cell in text.strip().strip("|").split("|")]
        if cells[0] == "rule" or set(cells[0]) == {"-"}:
            return
        if len(cells) != 4 or not all(cells):
            self.complain(line, "a row has four cells: rule, words, what is asked, shown by")
            return
        if not re.fullmatch(re.escape(section) + r"-\d+", cells[0]):
            self.complain(line, f"rule `{cells[0]}` is not of section {section}")
        if cells[0] in (row.name for row in self.rows):
            self.complain(line, f"rule `{cells[0]}` stands there twice")
        words = self.count(line, cells[1], "prose")
        self.rows.append(Row(line, section, cells[0], words, self.evidence(line, cells[3])))

    def evidence(self, line, text):
        found, parts = [], re.split(r"; (?=`|decision:|client$)", text)
        if "client" in parts and len(parts) > 1:
            self.complain(line, "what binds clients only is no test of a server")
        for part in parts:
            match = EVIDENCE.fullmatch(part.strip())
            if not match:
                self.complain(line, f"`{part}` is no test, no decision and not `client`")
            elif match[1]:
                found.append(Test(match[1], match[2]))
            elif match[3]:
                found.append(Decision(match[3], match[4]))
        return found

    def check_sections(self):
        for section in SECTIONS:
            if section not in self.sections:
                self.problems.append(f"section {section} is missing")
        for section, words in self.sections.items():
            if section not in SECTIONS:
                self.problems.append(f"the draft has no section {section}")
            if words is None:
                self.problems.append(f"section {section} has no line `Binding words: ...`")
                continue
            covered = sum((row.words for row in self.rows if row.section == section),
                          collections.Counter())
            if covered != words:
                self.problems.append(
                    f"section {section} has {dict(words)}, its rows account for {dict(covered)}")

    def tests(self):
        return [(row, test) for row in self.rows for test in row.evidence
                if isinstance(test, Test)]

    def decisions(self):
        return [(row, decision) for row in self.rows for decision in row.evidence
                if isinstance(decision, Decision)]


def unit_cases(binary):
    """The names of the cases that a doctest binary has."""
    text = subprocess.run([binary, "--list-test-cases"], check=True, capture_output=True,
                          text=True).stdout
    return set(UNIT_NAMES.search(text)[1].strip().splitlines())


def script_cases(path):
    return set(re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))


def check_existence(table, root, unit_directory):
    """What the table names and what is not there."""
    problems, known = [], {}
    for row, (program, case) in table.tests():
        if program not in known:
            script = root / "tests" / "e2e" / program
            binary = unit_directory / program
            if program.endswith(".py") and script.is_file():
                known[program] = script_cases(script)
            elif program.startswith("unit-") and binary.is_file():
                known[program] = unit_cases(binary)
            else:
                known[program] = None
        if known[program] is None:
            problems.append(f"rule {row.name}: there is no program {program}")
        elif case is not None and case not in known[program]:
            problems.append(f"rule {row.name}: {program} has no case `{case}`")
        elif case is None and program.startswith("unit-"):
            problems.append(f"rule {row.name}: {program} is named without a case")
    for row, (path, text) in table.decisions():
        document = root / path
        if not document.is_file():
            problems.append(f"rule {row.name}: there is no {path}")
        elif " ".join(text.split()) not in " ".join(
                document.read_text(encoding="utf-8").split()):
            problems.append(f"rule {row.name}: {path} does not say `{text}`")
    return problems


def outcomes(entries):
    """From Meson's test log: {(program, case or None): passed, failed or skipped}."""
    found = {}
    for entry in entries:
        program = next((pathlib.PurePath(word).name for word in reversed(entry["command"])
                        if re.search(r"/unit-[\w-]+$|\.py$", word)), None)
        if program is None:
            continue
        is_unit, output = program.startswith("unit-"), entry.get("stdout", "")
        whole = {"OK": "passed", "SKIP": "skipped"}.get(entry["result"], "failed")
        skipped = False
        for match in (CASE_LINE if is_unit else SCRIPT_LINE).finditer(output):
            if match[2] is None:
                skipped = True
                whole = "skipped" if whole == "passed" else whole
                continue
            result = "passed" if match[1] in ("passed", "ok") else "failed"
            found[program, match[2]] = "skipped" if skipped and result == "passed" else result
            skipped = False
        # A script that runs several times, with different arguments, is as good as its worst run.
        before = found.get((program, None), "passed")
        found[program, None] = whole if before == "passed" else before
    return found


def check_run(table, entries):
    """The tests that are named and did not pass."""
    result = outcomes(entries)
    problems = []
    for row, (program, case) in table.tests():
        what = result.get((program, case), "not run")
        if what != "passed":
            problems.append(f"rule {row.name}: {program}{f': {case}' if case else ''}: {what}")
    return problems


def draft_counts(text):
    """The binding words of each section of the draft's text."""
    counts, section = collections.defaultdict(collections.Counter), None
    lines = [line for line in text.splitlines()
             if not re.match(r"^(\S.*\[Page \d+\]|Internet-Draft  .*)\s*$", line)]
    body = "\n".join(lines)
    # A pair of words may be split over two lines.
    body = re.sub(r"\b(MUST|SHOULD|SHALL)\s*\n\s*(NOT)\b", r"\1 \2", body)
    for line in body.splitlines():
        heading = re.match(r"^(?:(\d+(?:\.\d+)*)\.|APPENDIX ([AB]):|([AB])\.\d\S*) +\S", line)
        if heading and not re.search(r"\.{4,}", line):
            section = heading[1] or heading[2] or heading[3]
        for word in re.findall(r'(?<!")\b(' + "|".join(WORDS) + r")\b", line):
            if section:
                counts[section][word] += 1
    return counts


def check_draft(table, text):
    counts = draft_counts(text)
    return [f"section {section}: the draft has {dict(counts[section])}, the table {dict(words or {})}"
            for section, words in table.sections.items()
            if collections.Counter(words or {}) != counts[section]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=pathlib.Path, help="of the source tree")
    parser.add_argument("--units", type=pathlib.Path, help="where the unit test binaries are")
    parser.add_argument("--log", type=pathlib.Path, action="append", default=[],
                        help="Meson's testlog.json of a run with FLOWTAP_NAME_CASES set; several "
                             "count as one")
    parser.add_argument("--draft", type=pathlib.Path, help="the text of draft-cavuto-dtcp-03")
    options = parser.parse_args()

    table = Table((options.root / "tests" / "conformance.md").read_text(encoding="utf-8"))
    problems = list(table.problems)
    if options.units:
        problems += check_existence(table, options.root, options.units)
    if options.log:
        problems += check_run(table, [json.loads(line) for log in options.log
                                      for line in log.read_text(encoding="utf-8").splitlines()
                                      if line.strip()])
    if options.draft:
        problems += check_draft(table, options.draft.read_text(encoding="utf-8"))
    for problem in problems:
        print(problem)
    print(f"{len(table.rows)} rules, {len(set(test for _, test in table.tests()))} tests, "
          f"{len(table.decisions())} decisions, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
