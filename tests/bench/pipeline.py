#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the data path, files, live and copies out, and prints the whole table of its goals.

    tests/bench/pipeline.py                 # builds what is needed, measures, prints the table
    tests/bench/pipeline.py --quick         # small captures, few packets, few runs
    tests/bench/pipeline.py --only 'file'   # the tables whose title matches
    tests/bench/pipeline.py --markdown      # the tables in Markdown
    tests/bench/pipeline.py --keep          # also into pipeline_results.md beside this file
    tests/bench/pipeline.py --json out.json # beside the tables: everything measured

Exit status: 0 when no floor is missed, 1 when one is, 2 when two sides do not do the same, 3 when
something could not be run. Needs root. README.md beside this file says what the rows mean;
files.py, live.py and egress.py measure parts of it by themselves.
"""

import argparse
import os
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import egress  # noqa: E402 (the path is set first)
import files  # noqa: E402
import live  # noqa: E402
from bench_common import (  # noqa: E402
    Failed, build_programs, bullets, conclusion, markdown, progress, run_program, surroundings,
    with_groups, write_json)


def measure_files(options):
    chosen = files.parse(["--quick"] if options.quick else [])
    program = str(options.build_directory / files.DFCD)
    with tempfile.TemporaryDirectory(dir=chosen.directory, prefix="flowtap-files-") as work:
        return files.measure(chosen, program, files.Place(work))


def measure(options):
    """Tables, the accounting sums as lines of text, and everything measured."""
    tables, raw = [], {}
    if re.search(options.only or "", files.TITLE):
        progress(files.TITLE)
        lines, raw[files.TITLE] = measure_files(options)
        tables.append((files.TITLE, lines))
    more, sums, raw_live = live.measure(options)
    tables, raw = tables + more, raw | raw_live
    if re.search(options.only or "", egress.TITLE):
        progress(egress.TITLE)
        options.rows = None
        lines, raw[egress.TITLE] = egress.measure(options, str(options.build_directory / egress.SEND))
        tables.append((egress.TITLE, lines))
    return tables, sums, raw


def keep(about, tables, sums):
    heading = [f"{name}: {value}" for name, value in about.items()]
    (HERE / "pipeline_results.md").write_text(
        "# What `tests/bench/pipeline.py` printed\n\n[README.md](README.md) says what the rows mean."
        "\n\n" + markdown(heading, tables, worst="judged by") + "\nThe sums:\n\n" + bullets(sums) +
        "\n\n" + bullets(conclusion(tables)[0].splitlines()) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    live.add_options(parser)
    parser.add_argument("--keep", action="store_true",
                        help="also write the tables to pipeline_results.md in tests/bench")
    options = parser.parse_args()
    live.complete(options)
    if os.geteuid() != 0:
        raise Failed(3, "network namespaces need root")
    if not options.no_build:
        build_programs(options.build_directory, live.PROGRAMS + [egress.SEND])
    live.use_programs(options.build_directory)
    about = surroundings(options.build_directory, options.core, "dfcd") | {
        "competitor": files.tcpdump_version()}
    tables, sums, raw = measure(options)
    if options.keep:
        keep(about, tables, sums)
    write_json(options.json, {"about": about, "measured": raw, "table": with_groups(tables)})
    return live.report(options, about, tables, sums)


if __name__ == "__main__":
    sys.exit(run_program(main))
