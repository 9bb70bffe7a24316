# SPDX-License-Identifier: Apache-2.0
"""An installed copy of the build under test, and the commands that look into it."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

SOURCE_ROOT = pathlib.Path(os.environ["FLOWTAP_SOURCE_ROOT"])
BUILD_ROOT = pathlib.Path(os.environ["FLOWTAP_BUILD_ROOT"])
CACHE = ["ccache"] if shutil.which("ccache") else []
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wold-style-cast",
            "-Werror"]


def run(command, **options):
    """The output of a command; its failure is an error that shows the output."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}")
    return done.stdout


def in_parallel(function, items):
    """Calls a function for each item, as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def needed(binary):
    """The libraries a binary names in its dynamic section."""
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", run(["readelf", "-d", binary])))


def soname(library):
    return re.search(r"\(SONAME\).*\[(.*)\]", run(["readelf", "-d", library])).group(1)


class Installation:
    """What `meson install` puts in place, in a directory of its own below the build directory."""

    def __init__(self, name):
        self.work = BUILD_ROOT / "tests" / "embed" / name
        stage = self.work / "stage"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        run(["meson", "install", "-C", BUILD_ROOT, "--no-rebuild", "--destdir", stage])
        pkgconfig = next(stage.rglob("flowtap.pc")).parent
        self.library_directory = pkgconfig.parent
        self.include_directory = next(stage.rglob("flowtap/core/result.hpp")).parents[2]
        self.stage = stage
        for file in pkgconfig.glob("*.pc"):
            # The files name the prefix that they are meant for; here it lies below the stage.
            text = file.read_text(encoding="utf-8")
            file.write_text(re.sub(r"^prefix=", f"prefix={stage}", text, flags=re.MULTILINE),
                            encoding="utf-8")
        self.pkgconfig_files = sorted(pkgconfig.glob("*.pc"))
        self.environment = dict(os.environ, PKG_CONFIG_PATH=str(pkgconfig),
                                LD_LIBRARY_PATH=str(self.library_directory))

    def modules(self):
        return [file.stem.removeprefix("flowtap-") for file in self.pkgconfig_files
                if file.stem.startswith("flowtap-")]

    def headers(self, module):
        return sorted((self.include_directory / "flowtap" / module).rglob("*.hpp"))

    def library(self, module):
        return self.library_directory / f"libflowtap-{module}.so"

    def is_shared(self):
        return self.library("core").exists()

    def pkg_config(self, *arguments):
        shared = () if self.is_shared() else ("--static",)
        return run(["pkg-config", *shared, *arguments], env=self.environment).split()

    def compile(self, source, module, output, *arguments):
        """Compiles a source against a module alone, as the module's pkg-config file says."""
        cflags = self.pkg_config("--cflags", f"flowtap-{module}")
        run([*CACHE, "g++", "-std=c++20", *WARNINGS, *cflags, "-c", source, "-o", output,
             *arguments], cwd=self.work)

    def link(self, object_file, module, output):
        libs = self.pkg_config("--libs", f"flowtap-{module}")
        run(["g++", object_file, "-o", output, *libs], cwd=self.work)

    def execute(self, program, *arguments):
        return run([program, *arguments], env=self.environment)
