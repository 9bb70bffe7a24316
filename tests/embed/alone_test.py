#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The modules that products embed alone: the DTCP parser, the classifier, and RADIUS. Each goes with
core, and with nothing else of libflowtap or of third parties."""

import unittest

from installation import SOURCE_ROOT, Installation, needed, run
from installed_test import RUNTIME

# What tests/embed/<module>_alone.cpp prints.
CONSUMERS = {
    "dtcp": "cd1 to 198.51.100.5:2300\n",
    "filter": "7 of 2\n7 of 2\nof 1\n",
    "radius": "1 of 3\n40 of 4\n",
}


def own_libraries(binary):
    """The libraries that a binary needs beside the C++ runtime, without their versions."""
    return {name.split(".so")[0] for name in needed(binary) - RUNTIME}


class Alone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installation = Installation("alone")
        cls.consumers = [module for module in CONSUMERS if module in cls.installation.modules()]

    def check_consumer(self, module):
        installation = self.installation
        source = SOURCE_ROOT / "tests" / "embed" / f"{module}_alone.cpp"
        program = installation.work / f"{module}-consumer"
        installation.compile(source, module, installation.work / f"{module}.o")
        # Everything that is named on the command line is kept, used or not.
        libs = ["-Wl,--no-as-needed", *installation.pkg_config("--libs", f"flowtap-{module}")]
        run(["g++", installation.work / f"{module}.o", "-o", program, *libs])
        self.assertEqual(CONSUMERS[module], installation.execute(program))

        libraries = {f"libflowtap-{module}", "libflowtap-core"} if installation.is_shared() else set()
        self.assertEqual(libraries, own_libraries(program))
        if installation.is_shared():
            self.assertEqual({"libflowtap-core"}, own_libraries(installation.library(module)))

    def test_a_consumer_needs_the_module_core_and_the_runtime_only(self):
        for module in self.consumers:
            with self.subTest(module):
                self.check_consumer(module)

    def test_pkgconfig_asks_for_core_alone(self):
        for module in self.consumers:
            for kind in ("--print-requires", "--print-requires-private"):
                found = self.installation.pkg_config(kind, f"flowtap-{module}")
                self.assertLessEqual(set(found), {"flowtap-core"})
            paths = [word for word in
                     self.installation.pkg_config("--cflags", f"flowtap-{module}")
                     if word.startswith("-I")]
            self.assertEqual([f"-I{self.installation.include_directory}"], sorted(set(paths)))


if __name__ == "__main__":
    unittest.main()
