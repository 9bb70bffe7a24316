# SPDX-License-Identifier: Apache-2.0
"""What the scripts that print tables of goals share: goals and lines, tables, what is said of the
machine, running programs."""

import dataclasses
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Failed(Exception):
    """Something that ends the program, with its exit status."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def progress(text):
    print(text, file=sys.stderr, flush=True)


def run_quietly(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **more)
    if done.returncode != 0:
        raise Failed(3, f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}")
    return done.stdout


def build_programs(directory, targets):
    """A release build of whole programs."""
    if not (directory / "build.ninja").exists():
        progress(f"setting up {directory}")
        run_quietly(["meson", "setup", str(directory), str(ROOT), "-Dbuildtype=release"])
    progress(f"building in {directory}")
    run_quietly(["ninja", "-C", str(directory), *targets])


def median_of(values):
    """The median of what there is; none of nothing."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


# --- what it is measured on

def first_line(path, pattern):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return "unknown"
    return found.group(1).strip() if found else "unknown"


def caches():
    """The processor's caches as `L2 2048K`."""
    found = []
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if (index / "type").read_text(encoding="utf-8").strip() != "Instruction":
            found.append("L" + (index / "level").read_text(encoding="utf-8").strip() + " "
                         + (index / "size").read_text(encoding="utf-8").strip())
    return ", ".join(found)


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", str(ROOT), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (
        " with changes" if git("status", "--porcelain") else "")


def compiler(directory, target):
    """What builds a target in a build directory, and how."""
    def introspect(what):
        return json.loads(run_quietly(["meson", "introspect", what, str(directory)]))
    command = next(sources["compiler"] for each in introspect("--targets")
                   if each["name"] == target for sources in each["target_sources"])
    version = run_quietly([command[-1], "--version"]).splitlines()[0]
    kind = next(each["value"] for each in introspect("--buildoptions")
                if each["name"] == "buildtype")
    return f"{version}, {kind} build"


def surroundings(directory, core, target):
    """What the figures are of; `target` is one of the programs that are measured."""
    flags = first_line("/proc/cpuinfo", r"^flags\s*:(.*)$").split()
    return {
        "machine": first_line("/proc/cpuinfo", r"^model name\s*:(.*)$")
                   + f", family {first_line('/proc/cpuinfo', '^cpu family.*:(.*)$')}"
                   + f" model {first_line('/proc/cpuinfo', '^model[^ ]*:(.*)$')}"
                   + f", {os.cpu_count()} processors, {caches()}",
        "instructions": " ".join(flag for flag in ("avx2", "bmi2", "avx512f", "avx512bw",
                                                   "avx512vl") if flag in flags) or "portable",
        "system": f"{platform.system()} {platform.release()}",
        "compiler": compiler(directory, target),
        "commit": commit(),
        "load before": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        "core": core,
    }


# --- goals and lines

@dataclasses.dataclass(frozen=True)
class Goal:
    """What a figure must reach (floor) and what is aimed at; none where nothing is asked."""
    floor: float | None = None
    aim: float | None = None
    # Whether a larger figure is better.
    more: bool = True

    def _reaches(self, figure, bound):
        return bound is None or (figure >= bound if self.more else figure <= bound)

    def verdict(self, figure):
        if figure is None:
            return "not measured"
        if not self._reaches(figure, self.floor):
            return "floor missed"
        if self.aim is not None:
            return "aim met" if self._reaches(figure, self.aim) else (
                "floor met" if self.floor is not None else "aim missed")
        return "met" if self.floor is not None else ""

    def worst(self, figures):
        return min(figures) if self.more else max(figures)


@dataclasses.dataclass
class Line:
    """One line of the table."""
    title: str
    ours: float | None
    other: float | None
    ratio: float | None
    worst: float | None
    unit: str
    ratio_unit: str
    floor: float | None
    aim: float | None
    verdict: str


def number(value):
    """Three digits that count, as people write them."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells(line):
    """A line as texts, under the words of `head`."""
    unit = f" {line.unit}"
    is_ratio = line.ratio_unit != ""
    bound_unit = "x" if is_ratio else unit
    ratio = worst = ""
    if is_ratio and line.ratio is not None:
        ratio, worst = number(line.ratio) + "x", number(line.worst) + "x"
    return [line.title,
            number(line.ours) + unit if line.ours is not None else "",
            number(line.other) + unit if line.other is not None else "",
            ratio, worst,
            f"{line.floor:g}{bound_unit}" if line.floor is not None else "",
            f"{line.aim:g}{bound_unit}" if line.aim is not None else "",
            line.verdict]


# --- tables

def head(worst="worst seed"):
    return ["what", "ours", "beside", "ratio", worst, "floor", "aim", ""]


def text_table(title, lines, **words):
    rows = [head(**words)] + [cells(line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows)]
    out = [title]
    for row in rows:
        out.append("  " + "  ".join(
            cell.ljust(width) if i in (0, len(row) - 1) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    return "\n".join(out)


def markdown_table(title, lines, **words):
    names = head(**words)
    out = [f"**{title}**", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    out += ["| " + " | ".join(cells(line)) + " |" for line in lines]
    return "\n".join(out)


def summary(tables):
    """What the verdicts come to: lines for the end, and whether a floor is missed."""
    def having(verdict):
        return [f"{title}: {line.title}" for title, lines in tables for line in lines
                if line.verdict == verdict and not (verdict == "not measured"
                                                    and line.floor is None)]
    missed, unknown = having("floor missed"), having("not measured")
    short = having("floor met") + having("aim missed")
    lines = [f"floor missed: {each}" for each in missed]
    lines += [f"aim missed: {each}" for each in short]
    lines += [f"not measured: {each}" for each in unknown]
    return lines, bool(missed)


# --- the programs

def add_options(parser, quick, build_directory="build-programs", only="rows"):
    """The options that every program has; `quick` says what --quick does, `only` of what --only
    chooses some."""
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured to FILE")
    if only:
        parser.add_argument("--only", metavar="REGEX",
                            help=f"only the {only} whose title matches")
    parser.add_argument("--build-directory", metavar="DIR", type=pathlib.Path,
                        default=ROOT / build_directory)
    parser.add_argument("--no-build", action="store_true", help="take what is built as it is")


def add_core(parser):
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)),
                        help="the processor to measure on (default: the last)")


def fill_in(options, quick, usual):
    """Gives what was not chosen the values for --quick or the usual ones."""
    for name, value in (quick if options.quick else usual).items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)


def run_program(measure, *arguments):
    """The exit status of a program, with a word to the user where it cannot do its work."""
    try:
        return measure(*arguments)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return failure.status


def bullets(lines):
    return "\n".join(f"- {line}" for line in lines)


def markdown(heading, tables, **words):
    """Lines about the tables, and the tables."""
    return bullets(heading) + "\n\n" + "\n\n".join(
        markdown_table(*each, **words) for each in tables) + "\n"


def conclusion(tables):
    """What the verdicts come to, as text, and the exit status."""
    lines, missed = summary(tables)
    return "\n".join(lines or ["no floor and no aim is missed"]), 1 if missed else 0


def with_groups(tables):
    """The lines of all tables, each with its table's title."""
    return [{"group": title, **vars(line)} for title, lines in tables for line in lines]


def write_json(path, told):
    """Into a file, if one was asked for."""
    if path:
        pathlib.Path(path).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def replaced(text, begin, end, inside):
    """A text with something else between two marks in it."""
    before, rest = text.split(begin)
    return before + begin + "\n" + inside + "\n" + end + rest.split(end)[1]


def keep(name, begin, end, inside):
    """Puts something between two marks of a file beside this one."""
    path = pathlib.Path(__file__).resolve().parent / name
    path.write_text(replaced(path.read_text(encoding="utf-8"), begin, end, inside),
                    encoding="utf-8")
