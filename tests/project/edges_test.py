#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The edge test notices what it is there to notice."""

import pathlib
import tempfile
import unittest

import edges


class Edges(unittest.TestCase):
    def problems(self, files):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for name in ("include/flowtap/core", "lib/core"):
                (root / name).mkdir(parents=True)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return edges.check(root)

    def expect(self, problem, files):
        found = self.problems(files)
        self.assertEqual(len(found), 1, found)
        self.assertIn(problem, found[0])

    def test_what_is_allowed_passes(self):
        self.assertEqual([], self.problems({
            "include/flowtap/core/a.hpp": "#include <vector>\n#include <sys/types.h>\n",
            "include/flowtap/dtcp/b.hpp": "#include <flowtap/core/a.hpp>\n",
            "lib/dtcp/b.cpp": '#include <boost/spirit/home/x3.hpp>\n#include "own.hpp"\n',
            "lib/dtcp/own.hpp": "#include <flowtap/dtcp/b.hpp>\n",
            "lib/dtcp/meson.build": "module_uses = ['core']\n"}))

    def test_a_forbidden_module(self):
        self.expect("core may not use module dtcp",
                    {"lib/core/a.cpp": "#include <flowtap/dtcp/b.hpp>\n"})

    def test_a_forbidden_module_in_the_build(self):
        self.expect("filter may not use module packet",
                    {"lib/filter/meson.build": "module_uses = ['core', 'packet']\n"})

    def test_a_used_module_that_is_not_linked(self):
        self.expect("missing from module_uses", {
            "lib/path/meson.build": "module_uses = ['core', 'filter']\n",
            "lib/path/a.cpp": "#include <flowtap/packet/view.hpp>\n"})

    def test_third_party_code_in_a_public_header(self):
        self.expect("public header", {"include/flowtap/dtcp/a.hpp": "#include <boost/any.hpp>\n"})

    def test_third_party_code_in_a_module_without_it(self):
        self.expect("may not use openssl", {"lib/core/a.cpp": "#include <openssl/hmac.h>\n"})
        self.expect("may not use pcap", {"lib/filter/a.cpp": "  #  include <pcap.h>\n"})

    def test_a_private_header_of_another_module(self):
        self.expect("not a private header", {
            "lib/filter/a.cpp": '#include "../core/own.hpp"\n', "lib/core/own.hpp": ""})

    def test_a_public_header_with_a_private_one(self):
        self.expect("not installed", {"include/flowtap/core/a.hpp": '#include "own.hpp"\n'})

    def test_an_unknown_module(self):
        self.expect("no module utility", {"lib/utility/a.cpp": ""})


if __name__ == "__main__":
    unittest.main()
