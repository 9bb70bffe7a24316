# SPDX-License-Identifier: Apache-2.0
"""The plots that matcher.py makes: time per packet and memory over the number of criteria, and the
distribution of the time from publication to in force."""

import csv
import io
import shutil
import subprocess

import matcher_rows

COUNTS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
# rte_acl builds firewall-shaped sets above this size in minutes, if at all.
ACL_LIMITS = {"intercept": 100_000, "firewall": 10_000}
COLUMNS = ("shape", "criteria", "side", "ns_per_packet", "octets")
SIDES = ("ours", "portable", "acl")
NAMES = {"ours": "all matches, this classifier", "portable": "the same without SIMD",
         "acl": "first match, DPDK rte_acl"}


def points(measured, shape, count):
    """The rows of the CSV file for one measured workload."""
    return [(shape, count, side, f"{matcher_rows.median(measured, side):.2f}",
             measured["sides"][side].get("memory", ""))
            for side in SIDES if side in measured["sides"]]


def csv_text(rows, about):
    """All rows as a CSV file whose first lines say what it was measured on."""
    out = io.StringIO()
    for name, value in about.items():
        out.write(f"# {name}: {value}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue()


def data_block(name, rows, column):
    """Rows as a block of gnuplot's, without those that have no figure in the column."""
    lines = [f"{row[1]} {row[column]}" for row in rows if row[column] != ""]
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def script(rows):
    """The gnuplot script of the plot."""
    blocks, panels = [], []
    for column, label in ((3, "ns per packet, 5 % hits"), (4, "octets of memory")):
        curves = []
        for shape in matcher_rows.SHAPES:
            for i, side in enumerate(SIDES):
                chosen = [row for row in rows if row[0] == shape and row[2] == side]
                if not any(row[column] != "" for row in chosen) or (
                        column == 4 and side == "portable"):
                    continue
                name = f"{side}_{shape}_{column}"
                blocks.append(data_block(name, chosen, column))
                dash = 1 if shape == "intercept" else 2
                curves.append(f"${name} with linespoints lc {i + 1} dt {dash} pt {5 + i} ps 0.5 "
                              f"title '{NAMES[side]}, {shape}-shaped'")
        panels.append(f"set ylabel '{label}'\nplot " + ", \\\n  ".join(curves) + "\n")
    return ("set terminal svg size 900,1100 noenhanced font 'sans,12' background 'white'\n"
            "set logscale xy\nset grid\nset key below\nset xlabel 'criteria'\n"
            "set format '%.0f'\nset xrange [1:100000]\n"
            + "".join(blocks) + "set multiplot layout 2,1\n" + "".join(panels)
            + "unset multiplot\n")


def draw(text, into, progress):
    """Runs gnuplot, if it is there."""
    if shutil.which("gnuplot") is None:
        progress(f"{into} is not drawn: gnuplot (Debian: gnuplot-nox) is not installed")
        return
    with open(into, "wb") as out:
        subprocess.run(["gnuplot"], input=text.encode(), stdout=out, check=True)


def plot(bench, directory, progress, about):
    """Measures over the number of criteria and writes matcher_scale.csv and .svg."""
    rows = []
    for shape in matcher_rows.SHAPES:
        for count in COUNTS:
            if bench.options.quick and count > 3000:
                continue
            progress(f"{shape}-shaped, {count} criteria")
            sides = [side for side in SIDES if side != "acl" or count <= ACL_LIMITS[shape]]
            load = matcher_rows.workload(shape, count, seed=1)
            rows += points(bench.measure({load: sides})[load], shape, count)
    (directory / "matcher_scale.csv").write_text(csv_text(rows, {**about, **bench.versions}),
                                                 encoding="utf-8")
    draw(script(rows), directory / "matcher_scale.svg", progress)


def in_force_shares(rows, change, criteria):
    """The share of changes that were in force within a time, as pairs (microseconds, percent), from
    the columns of a histogram over all workers."""
    columns = {}
    for row in rows:
        if (row["change"], row["from"], int(row["criteria"])) == (change, "publication", criteria):
            end = float(row["less_than_us"])
            columns[end] = columns.get(end, 0) + int(row["count"])
    whole, so_far, shares = sum(columns.values()), 0, []
    for end in sorted(columns):
        so_far += columns[end]
        shares.append((end, 100 * so_far / whole))
    return shares


def in_force_script(rows):
    """The gnuplot script of the distribution."""
    blocks, curves = [], []
    for change in ("ADD", "DELETE"):
        for i, criteria in enumerate(sorted({int(row["criteria"]) for row in rows})):
            shares = in_force_shares(rows, change, criteria)
            if not shares:
                continue
            name = f"{change}_{criteria}"
            blocks.append(f"${name} << EOD\n" + "\n".join(
                f"{end:g} {100 - share:g}" for end, share in shares if share < 100)
                + f"\n{shares[-1][0]:g} 0.01\nEOD\n")
            curves.append(f"${name} with steps lw 2 lc {i + 1} dt {1 if change == 'ADD' else 2} "
                          f"title '{change}, {criteria} criteria'")
    return ("set terminal svg size 900,500 noenhanced font 'sans,12' background 'white'\n"
            "set logscale xy\nset grid\nset key below\nset xlabel 'microseconds from publication'\n"
            "set ylabel 'percent not yet in force'\nset yrange [0.01:100]\n"
            "set xrange [1:10000]\n" + "".join(blocks) + "plot " + ", \\\n  ".join(curves) + "\n")


def plot_in_force(bench, directory, progress):
    """Measures the time to in force and writes in_force.csv and .svg."""
    progress("from publication to in force")
    into = directory / "in_force.csv"
    if not bench.in_force(into):
        return
    with open(into, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    draw(in_force_script(rows), directory / "in_force.svg", progress)
