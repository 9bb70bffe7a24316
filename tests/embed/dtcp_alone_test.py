#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The DTCP parser can be embedded alone, without anything else of libflowtap or third parties."""

import unittest

from installation import SOURCE_ROOT, Installation, needed, run
from installed_test import RUNTIME


class DtcpAlone(unittest.TestCase):
    def test_a_consumer_needs_dtcp_core_and_the_runtime_only(self):
        installation = Installation("dtcp-alone")
        source = SOURCE_ROOT / "tests" / "embed" / "dtcp_alone.cpp"
        program = installation.work / "consumer"
        installation.compile(source, "dtcp", installation.work / "consumer.o")
        # Everything that is named on the command line is kept, used or not.
        libs = ["-Wl,--no-as-needed", *installation.pkg_config("--libs", "flowtap-dtcp")]
        run(["g++", installation.work / "consumer.o", "-o", program, *libs])
        self.assertEqual("cd1 to 198.51.100.5:2300\n", installation.execute(program))

        libraries = {"libflowtap-dtcp", "libflowtap-core"} if installation.is_shared() else set()
        self.assertEqual(libraries, {name.split(".so")[0] for name in needed(program) - RUNTIME})
        if installation.is_shared():
            own = {name.split(".so")[0] for name in needed(installation.library("dtcp")) - RUNTIME}
            self.assertEqual({"libflowtap-core"}, own)

    def test_pkgconfig_asks_for_core_alone(self):
        installation = Installation("dtcp-pkgconfig")
        for kind in ("--print-requires", "--print-requires-private"):
            found = installation.pkg_config(kind, "flowtap-dtcp")
            self.assertLessEqual(set(found), {"flowtap-core"})
        paths = [word for word in installation.pkg_config("--cflags", "flowtap-dtcp")
                 if word.startswith("-I")]
        self.assertEqual([f"-I{installation.include_directory}"], sorted(set(paths)))


if __name__ == "__main__":
    unittest.main()
