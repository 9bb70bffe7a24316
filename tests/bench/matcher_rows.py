# SPDX-License-Identifier: Apache-2.0
"""The rows of the table that matcher.py prints: what is measured, what it is compared with, and
what it has to reach. Nothing here runs anything, so all of it is tested without a benchmark."""

import dataclasses
import re
import statistics

from bench_common import (  # noqa: F401 (some are for those who use this module)
    Goal, Line, cells, head, markdown_table, number, text_table)

SEEDS = (1, 2, 3)
# Sets from this size on are measured with one seed: rte_acl takes up to half a minute to build one.
LARGE = 10_000

SHAPES = ("intercept", "firewall")


def workload(shape, count, **options):
    """The text by which the program `measure` knows a set and its trace, without seed and sides."""
    text = f"shape={shape},count={count}"
    return text + "".join(f",{name}={value}" for name, value in sorted(options.items()))


def criteria_of(load):
    return int(dict(option.split("=") for option in load.split(","))["count"])


def median(measured, side, key="ns"):
    """The median of what was measured of a side; none if it is not there."""
    values = (measured or {}).get("sides", {}).get(side, {}).get(key)
    if values is None:
        return None
    return statistics.median(values) if isinstance(values, list) else values


@dataclasses.dataclass(frozen=True)
class Versus:
    """How many times faster one side is than the fastest of others, on the same packets."""
    title: str
    load: str
    others: tuple
    goal: Goal = Goal()
    ours: str = "ours"
    unit = "ns"
    ratio_unit = "x"

    def needs(self):
        return {self.load: (self.ours,) + self.others}

    def figures(self, results):
        measured = results.get(self.load)
        mine = median(measured, self.ours)
        theirs = [value for value in (median(measured, other) for other in self.others)
                  if value is not None]
        if mine is None or not theirs:
            return mine, None, None
        return mine, min(theirs), min(theirs) / mine


@dataclasses.dataclass(frozen=True)
class Times:
    """How many times the time of one workload another takes."""
    title: str
    load: str
    base: str
    goal: Goal = Goal(more=False)
    ours: str = "ours"
    base_side: str = "ours"
    unit = "ns"
    ratio_unit = "x the time"

    def needs(self):
        if self.load == self.base:
            return {self.load: (self.ours, self.base_side)}
        return {self.load: (self.ours,), self.base: (self.base_side,)}

    def figures(self, results):
        mine = median(results.get(self.load), self.ours)
        base = median(results.get(self.base), self.base_side)
        if mine is None or base is None:
            return mine, base, None
        return mine, base, mine / base


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of one side by itself, and beside it another's; the goal is of the figure."""
    title: str
    load: str
    key: str
    unit: str
    scale: float = 1.0
    per_criterion: bool = False
    goal: Goal = Goal(more=False)
    ours: str = "ours"
    other: str = "acl"
    # Members of the measured workload in the place of those of a side.
    of_workload: str = ""
    ratio_unit = ""

    def needs(self):
        return {self.load: (self.ours,) + ((self.other,) if self.other else ())}

    def _scaled(self, value):
        if value is None:
            return None
        return value * self.scale / (criteria_of(self.load) if self.per_criterion else 1)

    def figures(self, results):
        measured = results.get(self.load)
        if self.of_workload:
            mine = (measured or {}).get(self.of_workload, {}).get(self.key)
            other = median(measured, self.other, "build_ms")
            return self._scaled(mine), None if other is None else other * 1000, self._scaled(mine)
        mine = self._scaled(median(measured, self.ours, self.key))
        return mine, self._scaled(median(measured, self.other, self.key)), mine


@dataclasses.dataclass(frozen=True)
class Group:
    """Rows whose workloads are measured in one process, in turn."""
    title: str
    rows: tuple
    seeds: tuple = SEEDS
    # Changes of a live classifier to time beside.
    updates: int = 0
    large: bool = False

    def needs(self):
        """Each workload with the sides that the rows need of it."""
        needed = {}
        for row in self.rows:
            for load, sides in row.needs().items():
                known = needed.setdefault(load, [])
                known.extend(side for side in sides if side not in known)
        return needed


ACL = ("acl",)
INSTRUCTIONS = (("rte_acl with 512-bit vectors", "ours", ("acl-512",)),
                ("both with AVX2", "avx2", ("acl-avx2",)),
                ("portable path, rte_acl's choice", "portable", ACL))


def _first_match(title, load, goal):
    yield Versus(title, load, ACL, goal)
    for what, ours, others in INSTRUCTIONS:
        yield Versus(f"- {what}", load, others, ours=ours)


def _first_match_groups():
    goals = {("intercept", 100): Goal(1.4, 2), ("firewall", 100): Goal(1.2, 1.5),
             ("intercept", 3000): Goal(1.4, 2), ("firewall", 3000): Goal(1.1, 1.5)}
    rows = [row for (shape, count), goal in goals.items()
            for row in _first_match(f"{shape}, {count}", workload(shape, count), goal)]
    yield Group("All matches vs rte_acl's first match, 5 % hits", tuple(rows))
    load = workload("intercept", 100_000)
    yield Group("The same, 100,000 criteria",
                tuple(_first_match("intercept, 100000", load, Goal(0.6, 1)))
                + tuple(_live_rows("intercept", 100_000)),
                SEEDS[:1], large=True)
    yield Group("100,000 criteria, other traces and networks", tuple(
        Versus(f"intercept, 100000, {what}", workload("intercept", 100_000, **options), ACL)
        for what, options in (
            ("misses same-24", {"near": "same-24"}), ("40 % hits", {"hits": 40}),
            ("clustered", {"sites": "clustered"}),
            ("clustered, misses same-24", {"sites": "clustered", "near": "same-24"}))),
        SEEDS[:1], large=True)
    yield Group("More firewall-shaped criteria than the goals ask for",
                (Versus("firewall, 10000", workload("firewall", 10_000), ACL),),
                SEEDS[:1], large=True)
    yield Group("100 % hits", tuple(
        Versus(f"{shape}, {count}", workload(shape, count, hits=100), ACL, Goal(None, 1))
        for shape, count in goals))


def _all_matches_group():
    peers = {100: ("acl-each", "pcap-or-each"), 3000: ("acl-each",)}
    rows = [Versus(f"{shape}, {count}: any match by rte_acl or one OR, then each filter",
                   workload(shape, count), others, Goal(2, 4))
            for count, others in peers.items() for shape in SHAPES]
    for shape in SHAPES:
        rows += [Versus(f"{shape}, 100: {what}", workload(shape, 100), (side,))
                 for side, what in (("pcap-each", "libpcap, one program per filter"),
                                    ("pcap-or", "libpcap, one OR, any match only"),
                                    ("pcap-or-each", "libpcap, one OR, then each filter"),
                                    ("naive", "the definitions, filter by filter"))]
    return Group("All matches vs the best use of a peer for all matches, 5 % hits", tuple(rows))


def _own_groups():
    for count in (100, 3000):
        yield Group(f"IPv6 vs the same set in IPv4, {count}", tuple(
            Times(f"{shape}, {count}", workload(shape, count, family="inet6"),
                  workload(shape, count), Goal(1.7, 1.3, more=False)) for shape in SHAPES))
        yield Group(f"Elaborate vs plain filters, {count}", tuple(
            Times(f"{shape}, {count}", workload(shape, count, dress="elaborate"),
                  workload(shape, count), Goal(2, 1.3, more=False)) for shape in SHAPES))
    yield Group("IPv6 vs IPv4, 100,000", (
        Times("intercept, 100000", workload("intercept", 100_000, family="inet6"),
              workload("intercept", 100_000), Goal(1.7, 1.3, more=False)),),
        SEEDS[:1], large=True)


def _locality_group(count):
    rows = [Versus(f"{shape}, {count}, {sites}, misses {near}",
                   workload(shape, count, sites=sites, near=near), ACL)
            for shape in SHAPES
            for sites, near in (("clustered", "mixed"), ("clustered", "same-16"),
                                ("clustered", "same-24"), ("clustered", "same-host"),
                                ("anywhere", "elsewhere"), ("anywhere", "same-16"),
                                ("anywhere", "same-24"), ("anywhere", "same-host"))]
    return Group(f"Misses from near the filters, {count}, vs rte_acl's first match", tuple(rows),
                 SEEDS[:1])


def _wildcard_group():
    rows = [Versus(f"ports only, {count}", workload("ports", count), ACL) for count in (100, 3000)]
    rows += [Versus(f"{shape} only, {count}", workload(shape, count), ("naive",))
             for shape in ("scopes", "icmp") for count in (100, 1000)]
    rows += [Times(f"{shape}, {count}, half IPv6, vs all IPv4",
                   workload(shape, count, family="both"), workload(shape, count))
             for shape in SHAPES for count in (100, 3000)]
    return Group("Filters without addresses (vs rte_acl or the definitions), mixed families",
                 tuple(rows), SEEDS[:1])


def _live_rows(shape, count):
    load = workload(shape, count)
    for side, what in (("steady", "after changes and merges"), ("overlaid", "nobody merges")):
        yield Times(f"live, {shape}, {count}: {what}, vs all merged", load, load, ours=side,
                    base_side="merged")


def _live_group():
    return Group("Live classifier while it changes", tuple(
        row for shape in SHAPES for count in (100, 3000) for row in _live_rows(shape, count)),
        SEEDS[:1])


def _cost_rows(shape, count, family, other):
    load = workload(shape, count) if family == "inet" else workload(shape, count, family=family)
    if count > 3000:
        yield Figure(f"memory, {shape}, {count}, {family}", load, "memory", "MiB", 1 / 2**20,
                     goal=Goal(100, 40, more=False), other=other)
    else:
        yield Figure(f"memory, {shape}, {count}, {family}", load, "memory", "B/criterion",
                     per_criterion=True, goal=Goal(1024, 300, more=False), other=other)
    yield Figure(f"- the allocator's count, {shape}, {count}, {family}", load, "heap",
                 "MiB" if count > 3000 else "B/criterion", 1 / 2**20 if count > 3000 else 1,
                 per_criterion=count <= 3000, other="")
    yield Figure(f"- a live classifier with its criteria, allocator's count, {shape}, {count}, "
                 f"{family}", load, "heap", "MiB" if count > 3000 else "B/criterion",
                 1 / 2**20 if count > 3000 else 1, per_criterion=count <= 3000, ours="merged",
                 other="")
    yield Figure(f"- time to build, {shape}, {count}, {family}", load, "build_ms", "ms",
                 other=other)


UPDATES = (("p50_us", "median"), ("p99_us", "99th percentile"), ("max_us", "longest"),
           ("background_us", "background work per change"),
           ("alone_p50_us", "without background work, median"),
           ("alone_mean_us", "without background work, mean"),
           ("alone_max_us", "without background work, longest"))


def _cost_groups():
    rows = [row for count in (100, 3000) for shape in SHAPES
            for family, other in (("inet", "acl"), ("inet6", ""))
            for row in _cost_rows(shape, count, family, other)]
    yield Group("Memory and time to build (beside: rte_acl)", tuple(rows), SEEDS[:1])
    yield Group("Memory and time to build, 100,000 (beside: rte_acl)",
                tuple(row for family, other in (("inet", "acl"), ("inet6", ""))
                      for row in _cost_rows("intercept", 100_000, family, other)),
                SEEDS[:1], large=True)
    for count in (100, 3000, 100_000):
        large = count > LARGE
        yield Group(f"One DELETE, one ADD and the new version, {count} (beside: rte_acl built anew)",
                    tuple(Figure(f"{shape}, {count}: {what}", workload(shape, count), key, "us",
                                 of_workload="updates")
                          for shape in (SHAPES[:1] if large else SHAPES)
                          for key, what in UPDATES),
                    SEEDS[:1], updates=2000 if not large else 500, large=large)


GROUPS = (tuple(_first_match_groups()) + (_all_matches_group(),) + tuple(_own_groups())
          + (_locality_group(100), _locality_group(3000), _wildcard_group(), _live_group())
          + tuple(_cost_groups()))


def evaluate(row, by_seed):
    """The line of a row, from what was measured with each seed. The figures are medians over the
    seeds; whether a goal is met is judged by the worst seed."""
    figures = [row.figures(results) for results in by_seed]

    def middle(place):
        values = [each[place] for each in figures if each[place] is not None]
        return statistics.median(values) if values else None

    ratios = [each[2] for each in figures if each[2] is not None]
    worst = row.goal.worst(ratios) if ratios else None
    return Line(row.title, middle(0), middle(1), middle(2), worst, row.unit, row.ratio_unit,
                row.goal.floor, row.goal.aim, row.goal.verdict(worst))


# --- from publication to in force

# What the program that measures it prints of one worker, change and beginning: microseconds.
_IN_FORCE = re.compile(
    r"^ *(?P<criteria>\d+) +(?P<worker>\d+) +(?P<change>ADD|DELETE) +(?P<since>\w+) +\d+"
    r" +(?P<p50>[\d.]+) +[\d.]+ +(?P<p99>[\d.]+) +[\d.]+ +(?P<max>[\d.]+)$", re.MULTILINE)
IN_FORCE_TITLE = "From publication to in force on a busy worker (of several: the slowest)"


def in_force_goal(criteria, change, key):
    """Goals are set for the 99th percentile of an ADD, in microseconds."""
    if change != "ADD" or key != "p99":
        return Goal(more=False)
    return Goal(5000, 1000, more=False) if criteria > 3000 else Goal(1000, 200, more=False)


def in_force_lines(text):
    """The lines of the table, from what the program printed; none where it did not run."""
    slowest = {}
    for found in _IN_FORCE.finditer(text):
        if found["since"] != "publication":
            continue
        for key in ("p50", "p99", "max"):
            which = int(found["criteria"]), found["change"], key
            slowest[which] = max(slowest.get(which, 0), float(found[key]))
    names = {"p50": "median", "p99": "99th percentile", "max": "longest"}
    lines = []
    for criteria in (100, 3000, 100_000):
        for change in ("ADD", "DELETE"):
            for key, name in names.items():
                goal = in_force_goal(criteria, change, key)
                figure = slowest.get((criteria, change, key))
                lines.append(Line(f"{change}, {criteria}: {name}", figure, None, figure, figure,
                                  "us", "", goal.floor, goal.aim, goal.verdict(figure)))
    return lines


def goals_table(tables):
    """All lines that have a floor or an aim, in one table of Markdown."""
    chosen = [dataclasses.replace(line, title=f"{title}: {line.title}") for title, lines in tables
              for line in lines if line.floor is not None or line.aim is not None]
    return "\n".join(markdown_table("", chosen).splitlines()[2:])


BEGIN = "<!-- what follows is written by matcher.py --keep -->"
END = "<!-- until here -->"
