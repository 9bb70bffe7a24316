#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the matcher against its competitors and prints the table of goals.

    tests/bench/matcher.py                 # builds what is needed, measures, prints the table
    tests/bench/matcher.py --quick         # few repetitions, small sets: for a look in between
    tests/bench/matcher.py --markdown      # the tables in Markdown
    tests/bench/matcher.py --keep          # also into README.md and matcher_results.md
    tests/bench/matcher.py --json out.json # beside the table: everything measured
    tests/bench/matcher.py --plot          # instead: the plots over 1 to 100,000 criteria

Exit status: 0 when no floor is missed, 1 when one is, 2 when two sides disagree on what matches,
3 when something could not be run. README.md beside this file says what the rows mean.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench_common  # noqa: E402 (the path is set first)
import matcher_plot  # noqa: E402
import matcher_rows  # noqa: E402
from bench_common import (  # noqa: E402
    ROOT, Failed, add_core, add_options, bullets, conclusion, fill_in, markdown, progress,
    run_program, run_quietly, surroundings, with_groups, write_json)

MEASURE = "tests/bench/matcher/measure"
IN_FORCE = "tests/bench/bench-path_in_force"


# --- building

def build(directory):
    """A release build of the benchmarks, with DPDK where it is installed."""
    if not (directory / "build.ninja").exists():
        progress(f"setting up {directory}")
        run_quietly(["meson", "setup", str(directory), str(ROOT), "-Dbuildtype=release",
                     "-Dbench=enabled", "-Dbench-rte-acl=auto", "-Dtools=disabled",
                     "-Dexamples=disabled", "-Dtransport=disabled"])
    wanted = [MEASURE] + ([IN_FORCE] if (ROOT / "tests/bench/path_in_force.cpp").exists() else [])
    known = (directory / "build.ninja").read_text(encoding="utf-8")
    if any(f"build {target}:" not in known for target in wanted):
        run_quietly(["meson", "setup", "--reconfigure", str(directory), str(ROOT),
                     "-Dbench=enabled"])
    progress(f"building in {directory}")
    run_quietly(["ninja", "-C", str(directory), *wanted])


# --- measuring

class Bench:
    """Runs `measure` and keeps what it says."""

    def __init__(self, directory, options):
        self.program = directory / MEASURE
        self.options = options
        self.versions = {}

    def measure(self, loads, updates=0):
        """What was measured of each workload. `loads` maps workloads to their sides."""
        command = [str(self.program), "--core", str(self.options.core),
                   "--repetitions", str(self.options.repetitions),
                   "--milliseconds", str(self.options.milliseconds),
                   "--updates", str(updates)]
        texts = {f"{load},sides={'+'.join(sides)}": load for load, sides in loads.items()}
        done = subprocess.run(command + list(texts), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failed(2 if done.returncode == 2 else 3,
                         f"{done.stderr.strip()} (exit status {done.returncode})")
        told = json.loads(done.stdout[done.stdout.index("{"):])
        self.versions = told["versions"]
        return {texts[each["workload"]]: each for each in told["workloads"]}

    def in_force(self, csv=None):
        """What the program that measures the time to in force prints; empty if it is not built."""
        program = self.program.parents[3] / IN_FORCE
        if not program.exists():
            progress("  not built")
            return ""
        command = [str(program), "--changes", "200" if self.options.quick else "4000"]
        done = subprocess.run(command + (["--csv", str(csv)] if csv else []),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        if done.returncode != 0:
            progress(f"  {program.name} failed, what it did not print is not measured: "
                     f"{done.stderr.strip()}")
        return done.stdout

    def group(self, group):
        """What was measured for a group of rows, seed by seed."""
        by_seed = []
        for seed in group.seeds[:self.options.seeds]:
            begin = time.monotonic()
            needs = {f"{load},seed={seed}": sides for load, sides in group.needs().items()}
            measured = self.measure(needs, group.updates)
            by_seed.append({load: measured[f"{load},seed={seed}"] for load in group.needs()})
            progress(f"  seed {seed}: {time.monotonic() - begin:.0f} s")
        return by_seed


def chosen_groups(options):
    for group in matcher_rows.GROUPS:
        if options.only and not re.search(options.only, group.title):
            continue
        if options.quick and group.large:
            continue
        yield group


def header(about, versions):
    lines = [f"{name}: {value}" for name, value in about.items()]
    lines += [f"{name}: {value}" for name, value in versions.items() if name != "batch"]
    lines.append(
        f"one thread, batches of {versions.get('batch', '?')}; traces of 65,536 packets that are "
        "matched again and again: 4 MiB of keys for ours, 1.5 MiB of keys and pointers for "
        "rte_acl; ratios are of medians over samples taken in turn, judged by the worst seed; all "
        "sides found the same matches")
    if "rte_acl" not in versions:
        lines.append("rte_acl: not built (needs Debian's libdpdk-dev), rows left open")
    return lines


def keep(heading, tables):
    """Puts the goals into README.md and everything into matcher_results.md, beside this file."""
    here = pathlib.Path(__file__).resolve().parent
    (here / "matcher_results.md").write_text(
        "# What `tests/bench/matcher.py` printed\n\n[README.md](README.md) says what the rows mean."
        "\n\n" + markdown(heading, tables), encoding="utf-8")
    goals = "\n" + bullets(heading) + "\n\n" + matcher_rows.goals_table(tables) + "\n"
    bench_common.keep("README.md", matcher_rows.BEGIN, matcher_rows.END, goals)


def print_report(options, heading, tables):
    if options.markdown:
        print(markdown(heading, tables))
    else:
        print("\n".join(heading) + "\n")
        print("\n\n".join(matcher_rows.text_table(*each) for each in tables))


def table(options, directory):
    about = surroundings(directory, options.core, "measure")
    bench = Bench(directory, options)
    tables, raw = [], {}
    for group in chosen_groups(options):
        progress(group.title)
        by_seed = bench.group(group)
        raw[group.title] = by_seed
        tables.append((group.title, [matcher_rows.evaluate(row, by_seed) for row in group.rows]))
    if not options.only or re.search(options.only, matcher_rows.IN_FORCE_TITLE):
        progress(matcher_rows.IN_FORCE_TITLE)
        told = bench.in_force()
        raw[matcher_rows.IN_FORCE_TITLE] = told
        tables.append((matcher_rows.IN_FORCE_TITLE, matcher_rows.in_force_lines(told)))
    heading = header(about, bench.versions)
    print_report(options, heading, tables)
    told, status = conclusion(tables)
    print("\n" + told)
    if options.keep:
        keep(heading, tables)
    write_json(options.json, {"about": about, "versions": bench.versions, "measured": raw,
                              "table": with_groups(tables)})
    return status


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add_options(parser, "three repetitions, one seed, nothing above 3000 criteria", "build-bench",
                "groups")
    add_core(parser)
    parser.add_argument("--keep", action="store_true",
                        help="also write the tables to README.md and matcher_results.md in "
                             "tests/bench")
    parser.add_argument("--plot", action="store_true",
                        help="measure over the number of criteria, write CSV and SVG files to "
                             "tests/bench (or --plot-directory), print no table")
    parser.add_argument("--plot-directory", metavar="DIR", type=pathlib.Path,
                        default=ROOT / "tests" / "bench")
    parser.add_argument("--repetitions", type=int, help="samples of each side (default: 7)")
    parser.add_argument("--milliseconds", type=int, help="length of a sample (default: 20)")
    parser.add_argument("--seeds", type=int, help="sets of each shape and size (default: 3)")
    options = parser.parse_args()
    fill_in(options, {"repetitions": 3, "milliseconds": 5, "seeds": 1},
            {"repetitions": 7, "milliseconds": 20, "seeds": len(matcher_rows.SEEDS)})
    return options


def main():
    options = parse()
    directory = options.build_directory.resolve()
    if not options.no_build:
        build(directory)
    if options.plot:
        bench = Bench(directory, options)
        matcher_plot.plot(bench, options.plot_directory, progress,
                          surroundings(directory, options.core, "measure"))
        matcher_plot.plot_in_force(bench, options.plot_directory, progress)
        return 0
    return table(options, directory)


if __name__ == "__main__":
    sys.exit(run_program(main))
