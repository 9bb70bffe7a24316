#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a product finds that links the installed libraries."""

import re
import sys
import unittest

from installation import SOURCE_ROOT, Installation, in_parallel, needed, run, soname

sys.path.insert(0, str(SOURCE_ROOT / "tests" / "project"))
from edges import EDGES  # noqa: E402 (the path is set first)

RUNTIME = {"libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libc.so.6",
           "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
# Names of namespace flowtap, of its type information, and of statics in its functions.
OWN_SYMBOL = re.compile(r"^_Z(GV|TV|TI|TS|TT|Z)*(N[KVOR]*|N)7flowtap|^_ZN?K?7flowtap")
# What the compiler instantiates from the standard library's templates has default visibility
# whatever the flags say; it is weak and the same in every library.
STANDARD_SYMBOL = re.compile(r"^_Z(GV|TV|TI|TS|Z)*N?[KVOR]*(St|S[absiod]|9__gnu_cxx|10__cxxabiv1)")
# Modules whose public headers take a Boost.Asio object of the product's. Its state (categories,
# services, the call stack) must be one for the product and the library, so Asio exports it, weak.
SHARING_ASIO = {"transport", "radius"}
ASIO_SYMBOL = re.compile(r"^_Z\w*5boost|^boost_asio_")


def is_allowed(module, kind, symbol):
    """Whether a library may export a symbol of this kind (a letter of nm's)."""
    if OWN_SYMBOL.match(symbol):
        return "5boost" not in symbol or module in SHARING_ASIO
    if kind not in "WVu":
        return False
    if module in SHARING_ASIO and ASIO_SYMBOL.match(symbol):
        return True
    return bool(STANDARD_SYMBOL.match(symbol)) and "5boost" not in symbol


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installation = Installation("installed")

    def shared_modules(self):
        """The modules whose shared library can be looked into; none in a static build."""
        return self.installation.modules() if self.installation.is_shared() else []

    def test_every_public_header_is_installed(self):
        for module in self.installation.modules():
            sources = SOURCE_ROOT / "include" / "flowtap" / module
            self.assertEqual(
                sorted(path.relative_to(sources).as_posix() for path in sources.rglob("*.hpp")),
                [path.relative_to(self.installation.include_directory / "flowtap" / module)
                 .as_posix() for path in self.installation.headers(module)])

    def test_what_is_internal_stays_internal(self):
        for module in ("config", "cli"):
            self.assertNotIn(module, self.installation.modules())
            self.assertEqual([], self.installation.headers(module))
            self.assertEqual([], list(self.installation.stage.rglob(f"libflowtap-{module}*")))

    def test_every_public_header_stands_alone(self):
        def compile_alone(job):
            module, header = job
            name = f"{module}-{header.stem}"
            source = self.installation.work / f"{name}.cpp"
            path = header.relative_to(self.installation.include_directory)
            # Twice, so that a header without a guard is found too.
            source.write_text(f"#include <{path}>\n#include <{path}>\n", encoding="utf-8")
            try:
                self.installation.compile(source, module, self.installation.work / f"{name}.o")
            except AssertionError as problem:
                return f"{path}: {problem}"
            return None

        jobs = [(module, header) for module in self.installation.modules()
                for header in self.installation.headers(module)]
        problems = [problem for problem in in_parallel(compile_alone, jobs) if problem]
        self.assertEqual([], problems, "\n".join(problems))

    def test_every_module_links_and_runs_alone(self):
        def link_alone(module):
            work = self.installation.work
            source = work / f"all-{module}.cpp"
            root = self.installation.include_directory
            source.write_text("".join(f"#include <{header.relative_to(root)}>\n"
                                      for header in self.installation.headers(module))
                              + "int main() {}\n", encoding="utf-8")
            self.installation.compile(source, module, work / f"all-{module}.o")
            self.installation.link(work / f"all-{module}.o", module, work / f"all-{module}")
            self.installation.execute(work / f"all-{module}")

        in_parallel(link_alone, self.installation.modules())

    def test_pkgconfig_files_agree(self):
        modules = self.installation.modules()
        versions = {self.installation.pkg_config("--modversion", f"flowtap-{module}")[0]
                    for module in modules}
        self.assertEqual(1, len(versions), versions)
        everything = self.installation.pkg_config("--print-requires", "flowtap")
        self.assertEqual(sorted(f"flowtap-{module}" for module in modules), sorted(everything))
        for module in modules:
            run(["pkg-config", "--validate", f"flowtap-{module}"],
                env=self.installation.environment)
            required = self.installation.pkg_config("--print-requires", f"flowtap-{module}")
            self.assertLessEqual(set(required), {f"flowtap-{name}" for name in EDGES[module][0]})

    def test_libraries_share_one_soname_version(self):
        versions = {soname(self.installation.library(module)).rpartition(".so.")[2]
                    for module in self.shared_modules()}
        self.assertLessEqual(len(versions), 1, versions)

    def test_libraries_need_what_the_design_allows(self):
        for module in self.shared_modules():
            libraries = {name.split(".so")[0].removeprefix("libflowtap-")
                         for name in needed(self.installation.library(module))
                         if name.startswith("libflowtap-")}
            self.assertLessEqual(libraries, set(EDGES[module][0]), module)
        for module in {"core", "dtcp", "filter", "packet", "path", "radius"} & set(
                self.shared_modules()):
            others = {name for name in needed(self.installation.library(module))
                      if not name.startswith("libflowtap-")}
            self.assertLessEqual(others, RUNTIME, module)

    def test_libraries_export_only_their_own_symbols(self):
        foreign = []
        for module in self.shared_modules():
            symbols = run(["nm", "-D", "--defined-only", self.installation.library(module)])
            for line in symbols.splitlines():
                kind, symbol = line.split()[-2:]
                if not is_allowed(module, kind, symbol):
                    foreign.append(f"{module}: {kind} {symbol}")
        self.assertEqual([], foreign, "\n".join(foreign))

    def test_every_module_exports_something(self):
        for module in self.shared_modules():
            symbols = run(["nm", "-D", "--defined-only", self.installation.library(module)])
            self.assertIn("7flowtap", symbols, module)


if __name__ == "__main__":
    unittest.main()
