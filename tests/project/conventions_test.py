#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The test of conventions notices what it is there to notice."""

import pathlib
import tempfile
import unittest

import conventions

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


class Conventions(unittest.TestCase):
    def problems(self, name, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            return len(conventions.check(pathlib.Path(directory)))

    def test_licence_lines(self):
        self.assertEqual(0, self.problems("lib/core/a.cpp", LICENCE))
        self.assertEqual(1, self.problems("lib/core/a.cpp", "int a;\n"))
        self.assertEqual(1, self.problems("lib/core/meson.build", "\n\n\n\n" + LICENCE))
        self.assertEqual(0, self.problems("tests/data/a.cpp", "int a;\n"))

    def test_header_guards(self):
        self.assertEqual(0, self.problems("lib/core/a.hpp", LICENCE + "#pragma once\n"))
        self.assertEqual(1, self.problems("lib/core/a.hpp", LICENCE))


if __name__ == "__main__":
    unittest.main()
