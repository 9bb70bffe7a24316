#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""libflowtap works as a subproject of another Meson project."""

import json
import shutil
import unittest

from installation import BUILD_ROOT, CACHE, SOURCE_ROOT, needed, run
from installed_test import RUNTIME

WRAP = """[wrap-file]
directory = libflowtap

[provide]
dependency_names = flowtap, flowtap-core, flowtap-dtcp
"""


class Subproject(unittest.TestCase):
    def build(self, name, *options):
        """The build directory of the product, set up and built."""
        work = BUILD_ROOT / "tests" / "embed" / name
        shutil.rmtree(work, ignore_errors=True)
        (work / "product" / "subprojects").mkdir(parents=True)
        consumer = SOURCE_ROOT / "tests" / "embed"
        shutil.copy(consumer / "subproject.meson.build", work / "product" / "meson.build")
        shutil.copy(consumer / "dtcp_alone.cpp", work / "product")
        subprojects = work / "product" / "subprojects"
        (subprojects / "libflowtap.wrap").write_text(WRAP, encoding="utf-8")
        # A copy of what the build reads: a link would show the product this project's wraps and
        # build directories as well.
        for part in ("meson.build", "meson_options.txt"):
            (subprojects / "libflowtap").mkdir(exist_ok=True)
            shutil.copy(SOURCE_ROOT / part, subprojects / "libflowtap")
        for part in ("include", "lib"):
            shutil.copytree(SOURCE_ROOT / part, subprojects / "libflowtap" / part)
        compiler = " ".join([*CACHE, "g++"])
        run(["env", f"CXX={compiler}", "meson", "setup", work / "build", work / "product",
             *options])
        run(["ninja", "-C", work / "build", "product"])
        return work / "build"

    def check(self, build):
        self.assertEqual("cd1 to 198.51.100.5:2300\n", run([build / "product"]))
        targets = json.loads(run(["meson", "introspect", "--targets", build]))
        programs = [target["name"] for target in targets if target["type"] == "executable"]
        self.assertEqual(["product"], programs)
        tests = json.loads(run(["meson", "introspect", "--tests", build]))
        self.assertEqual([], tests)

    def test_shared(self):
        build = self.build("subproject-shared", "-Dbuildtype=plain")
        self.check(build)

    def test_static_with_link_time_optimisation(self):
        build = self.build("subproject-static", "-Dbuildtype=plain", "-Doptimization=1",
                           "-Ddefault_library=static", "-Db_lto=true")
        self.check(build)
        self.assertLessEqual(needed(build / "product"), RUNTIME)


if __name__ == "__main__":
    unittest.main()
