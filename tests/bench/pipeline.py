#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the data path, files and live, and prints the whole table of its goals.

    tests/bench/pipeline.py                 # builds what is needed, measures, prints the table
    tests/bench/pipeline.py --quick         # small captures, few packets, few runs
    tests/bench/pipeline.py --only 'file'   # the tables whose title matches
    tests/bench/pipeline.py --markdown      # the tables in Markdown
    tests/bench/pipeline.py --keep          # also into pipeline_results.md beside this file
    tests/bench/pipeline.py --json out.json # beside the tables: everything measured

Exit status: 0 when no floor is missed, 1 when one is, 2 when two sides do not do the same, 3 when
something could not be run. Needs root. README.md beside this file says what the rows mean;
files.py and live.py measure parts of it by themselves.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import files  # noqa: E402 (the path is set first)
import live  # noqa: E402
from bench_common import (  # noqa: E402
    Failed, build_programs, markdown_table, progress, summary, surroundings)


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
    return tables + more, sums, raw | raw_live


def keep(about, tables, sums):
    text = "\n".join(f"- {name}: {value}" for name, value in about.items()) + "\n\n" + "\n\n".join(
        markdown_table(*each, worst="judged by") for each in tables) + "\n\nThe sums:\n\n" + "\n".join(
        f"- {line}" for line in sums) + "\n"
    lines, _ = summary(tables)
    text += "\n" + "\n".join(f"- {line}" for line in lines or ["no floor and no aim is missed"]) + "\n"
    (HERE / "pipeline_results.md").write_text(
        "# What `tests/bench/pipeline.py` printed\n\n[README.md](README.md) says what the rows mean."
        "\n\n" + text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    live.add_options(parser)
    parser.add_argument("--keep", action="store_true",
                        help="also write the tables to pipeline_results.md in tests/bench")
    options = parser.parse_args()
    live.complete(options)
    try:
        if os.geteuid() != 0:
            raise Failed(3, "network namespaces need root")
        if not options.no_build:
            build_programs(options.build_directory, live.PROGRAMS)
        live.use_programs(options.build_directory)
        about = surroundings(options.build_directory, options.core, "dfcd") | {
            "competitor": files.tcpdump_version()}
        tables, sums, raw = measure(options)
        if options.keep:
            keep(about, tables, sums)
        if options.json:
            pathlib.Path(options.json).write_text(
                json.dumps({"about": about, "measured": raw,
                            "table": [{"group": title, **vars(line)} for title, lines in tables
                                      for line in lines]}, indent=1) + "\n", encoding="utf-8")
        return live.report(options, about, tables, sums)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return failure.status


if __name__ == "__main__":
    sys.exit(main())
