#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every source file says under which licence it is, and every header is guarded."""

import pathlib
import sys

DIRECTORIES = ("include", "lib", "examples", "tools", "tests")
SUFFIXES = {".cpp", ".hpp", ".py", ".sh"}
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def sources(root):
    """The files that are to be checked: not the data of tests, nor what Python leaves."""
    for directory in DIRECTORIES:
        for path in sorted((root / directory).rglob("*")):
            if path.is_relative_to(root / "tests" / "data") or not path.is_file():
                continue
            if path.suffix in SUFFIXES or path.name == "meson.build":
                yield path


def check(root):
    """All that is wrong under a source tree, as lines of text."""
    problems = []
    for path in sources(root):
        lines = path.read_text(encoding="utf-8").splitlines()
        if not any(LICENCE in line for line in lines[:3]):
            problems.append(f"{path}: no line `{LICENCE}`")
        if path.suffix == ".hpp" and "#pragma once" not in lines:
            problems.append(f"{path}: no `#pragma once`")
    return problems


def main():
    problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) if problems else "all files follow the conventions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
