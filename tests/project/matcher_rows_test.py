#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of matching computes and judges right, and makes the files of its plots."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "bench"))
import matcher_plot  # noqa: E402 (the path is set first)
import matcher_rows as rows  # noqa: E402
from bench_common import replaced  # noqa: E402


def measured(**sides):
    return {"sides": {name: {"ns": values} for name, values in sides.items()}}


class Goals(unittest.TestCase):
    def test_more_is_better(self):
        goal = rows.Goal(1.4, 2)
        self.assertEqual(["floor missed", "floor met", "floor met", "aim met", "not measured"],
                         [goal.verdict(each) for each in (1.39, 1.4, 1.99, 2, None)])

    def test_less_is_better(self):
        goal = rows.Goal(1.7, 1.3, more=False)
        self.assertEqual(["floor missed", "floor met", "aim met"],
                         [goal.verdict(each) for each in (1.71, 1.7, 1.3)])

    def test_where_only_an_aim_is_set(self):
        self.assertEqual("aim missed", rows.Goal(None, 1).verdict(0.9))
        self.assertEqual("aim met", rows.Goal(None, 1).verdict(1))
        self.assertEqual("", rows.Goal().verdict(0.1))

    def test_the_goals_of_the_first_match_are_those_of_the_table(self):
        told = {row.title: (row.goal.floor, row.goal.aim) for group in rows.GROUPS
                for row in group.rows if "first match" in group.title and row.goal.floor}
        self.assertEqual({"intercept, 100": (1.4, 2), "firewall, 100": (1.2, 1.5),
                          "intercept, 3000": (1.4, 2), "firewall, 3000": (1.1, 1.5)}, told)


class Rows(unittest.TestCase):
    def test_a_ratio_is_of_medians_and_against_the_fastest_other(self):
        row = rows.Versus("row", "load", ("slow", "fast"), rows.Goal(1.5, 3))
        line = rows.evaluate(row, [{"load": measured(ours=[9, 10, 50], slow=[40, 40, 40],
                                                     fast=[20, 20, 1])}])
        self.assertEqual((10, 20, 2, "floor met"),
                         (line.ours, line.other, line.ratio, line.verdict))

    def test_the_worst_seed_decides(self):
        row = rows.Versus("row", "load", ("acl",), rows.Goal(1.5, 1.8))
        seeds = [{"load": measured(ours=[10], acl=[acl])} for acl in (20, 14, 21)]
        line = rows.evaluate(row, seeds)
        self.assertEqual((2, 1.4, "floor missed"), (line.ratio, line.worst, line.verdict))
        row = rows.Times("row", "load", "base", rows.Goal(1.7, 1.3, more=False))
        seeds = [{"load": measured(ours=[time]), "base": measured(ours=[10])}
                 for time in (12, 18, 11)]
        self.assertEqual("floor missed", rows.evaluate(row, seeds).verdict)

    def test_a_competitor_that_is_not_there_is_not_measured(self):
        row = rows.Versus("row", "load", ("acl",), rows.Goal(1.5, 1.8))
        line = rows.evaluate(row, [{"load": measured(ours=[10])}])
        self.assertEqual((10, None, "not measured"), (line.ours, line.ratio, line.verdict))

    def test_memory_is_per_criterion(self):
        load = rows.workload("firewall", 100, family="inet6")
        row = rows.Figure("row", load, "memory", "B", per_criterion=True,
                          goal=rows.Goal(1024, 300, more=False))
        line = rows.evaluate(row, [{load: {"sides": {"ours": {"memory": 40000}}}}])
        self.assertEqual((400, "floor met"), (line.ours, line.verdict))

    def test_a_group_asks_for_each_side_of_a_workload_once(self):
        group = rows.Group("group", (rows.Versus("a", "load", ("acl",)),
                                     rows.Versus("b", "load", ("acl", "naive")),
                                     rows.Times("c", "other", "load")))
        self.assertEqual({"load": ["ours", "acl", "naive"], "other": ["ours"]}, group.needs())

    def test_tables_have_as_many_cells_in_each_row(self):
        line = rows.Line("what", 10.0, None, None, None, "ns", "x", 1.4, None, "not measured")
        for text in rows.markdown_table("title", [line]).splitlines()[2:]:
            self.assertEqual(len(rows.head()) + 1, text.count("|"))
        self.assertIn("not measured", rows.text_table("title", [line]))

    def test_a_kept_table_replaces_the_one_before(self):
        line = rows.Line("what", 10.0, 20.0, 2.0, 2.0, "ns", "x", 1.4, 2, "aim met")
        other = rows.Line("other", 10.0, None, None, None, "ns", "", None, None, "")
        text = f"before\n{rows.BEGIN}\nold\n{rows.END}\nafter\n"
        new = replaced(text, rows.BEGIN, rows.END, rows.goals_table([("title", [line, other])]))
        self.assertTrue(new.startswith("before\n") and new.endswith(f"{rows.END}\nafter\n"))
        self.assertIn("| title: what | 10.0 ns | 20.0 ns | 2.00x |", new)
        self.assertNotIn("old", new)
        self.assertNotIn("other", new)
        self.assertEqual(new, replaced(new, rows.BEGIN, rows.END, rows.goals_table([("title", [line])])))

    def test_numbers_have_three_digits_that_count(self):
        self.assertEqual(["0.12", "1.23", "12.3", "123", "12345", ""],
                         [rows.number(each) for each in (0.123, 1.234, 12.34, 123.4, 12345, None)])

    def test_the_time_to_in_force_is_that_of_the_slowest_worker(self):
        text = (" 3000       0  ADD     publication     2000      10.0      20.0     150.5      99.9"
                "     900.0\n"
                " 3000       1  ADD     publication     2000      11.0      20.0     250.5      99.9"
                "     800.0\n"
                " 3000       1  ADD     request         2000     111.0     920.0    9250.5    9999.9"
                "    9800.0\n")
        lines = {line.title: line for line in rows.in_force_lines(text)}
        self.assertEqual((250.5, "floor met"), (lines["ADD, 3000: 99th percentile"].ours,
                                                lines["ADD, 3000: 99th percentile"].verdict))
        self.assertEqual(900, lines["ADD, 3000: longest"].ours)
        self.assertEqual("not measured", lines["ADD, 100: 99th percentile"].verdict)
        self.assertEqual(5000, lines["ADD, 100000: 99th percentile"].floor)


class Plots(unittest.TestCase):
    def test_what_is_not_measured_is_left_out(self):
        one = {"sides": {"ours": {"ns": [10.0], "memory": 100}, "acl": {"ns": [20.0]}}}
        points = matcher_plot.points(one, "intercept", 30)
        self.assertEqual([("intercept", 30, "ours", "10.00", 100),
                          ("intercept", 30, "acl", "20.00", "")], points)
        self.assertIn("intercept,30,acl,20.00,\n", matcher_plot.csv_text(points, {"core": 1}))
        script = matcher_plot.script(points)
        self.assertIn("$acl_intercept_3 ", script)
        self.assertNotIn("$acl_intercept_4 ", script)
        self.assertNotIn("firewall", script)

    def test_the_distribution_to_in_force_is_of_all_workers(self):
        def column(worker, end, count, since="publication"):
            return {"criteria": "100", "worker": worker, "change": "ADD", "from": since,
                    "less_than_us": end, "count": count}
        columns = [column("0", "2", "3"), column("1", "2", "1"), column("1", "20", "4"),
                   column("1", "30", "9", "request")]
        self.assertEqual([(2, 50), (20, 100)],
                         matcher_plot.in_force_shares(columns, "ADD", 100))
        self.assertIn("$ADD_100 ", matcher_plot.in_force_script(columns))


if __name__ == "__main__":
    unittest.main()
