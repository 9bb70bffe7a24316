# SPDX-License-Identifier: Apache-2.0
"""How long packets take through a host, with and without dfcd tapping it: rows of live.py.

    a --- t --- b       packets go from a to b through t, one at a time; copies go to c
          |
          c

The time is from the call that sends a packet to when b's kernel has it: no process has to wake up
for that, dfcd least of all.
"""

import contextlib
import json
import signal
import subprocess

import lab
import load
import namespaces
from bench_common import Failed, Goal, Line, median_of

MEASURE = ""  # set by live.py
TITLE = "Delay of the original traffic: a - t - b (beside: without dfcd)"
SINK = ("192.0.2.5", 2300)
# What happens on t's device towards a meanwhile.
MODES = {"not tapped": None, "tapped, no packet matches": [("Source-Address", "10.9.9.9")],
         "tapped, every packet is copied": [("Protocol", "17")],
         "captured by tcpdump -w": "tcpdump"}
SHARES = {"p10": "10th percentile", "p50": "median", "p90": "90th percentile",
          "p99": "99th percentile", "p999": "99.9th percentile"}


@contextlib.contextmanager
def topology():
    with namespaces.Network("a", "t", "b", "c") as net:
        net.write("t", "net/ipv4/ip_forward", 1)
        for name, there, here in (("a", "10.1.0.1", "10.1.0.254"), ("b", "10.2.0.1", "10.2.0.254"),
                                  ("c", SINK[0], "192.0.2.254")):
            net.link(name, name + "0", "t", "t" + name)
            net.address(name, name + "0", there + "/24")
            net.address("t", "t" + name, here + "/24")
            net.route(name, "default", here)
            load.know(net, "t", "t" + name, there, name, name + "0")
            load.know(net, name, name + "0", here, "t", "t" + name)
        yield net


@contextlib.contextmanager
def dumping(net):
    with net.start("t", "tcpdump", "-n", "-i", "ta", "-Z", "root", "-w", "/dev/null",
                   stderr=subprocess.PIPE, text=True) as started:
        while "listening on" not in started.stderr.readline():
            if started.poll() is not None:
                raise Failed(3, "tcpdump did not start")
        yield
        started.send_signal(signal.SIGINT)
        started.communicate()


def one_run(net, options, filters):
    def trips():
        command = [MEASURE, "--trips", str(options.trips), "--warm-up", "1000",
                   "--from", f"/run/netns/{net.prefix}a", "--from-address", "10.1.0.1",
                   "--to", f"/run/netns/{net.prefix}b", "--to-address", "10.2.0.1"]
        return json.loads(subprocess.run(command, check=True, capture_output=True,
                                         text=True).stdout)
    if filters is None:
        return trips()
    if filters == "tcpdump":
        with dumping(net):
            return trips()
    with load.dfcd(net) as dfcd, load.device(net, dfcd) as device:
        load.add(device, filters, [SINK])
        told = trips()
        return told | {"summary": load.stop(dfcd, device)}


def measure(options, progress):
    """The runs of each mode, in turn."""
    runs = {mode: [] for mode in MODES}
    with topology() as net:
        # Somebody is there for the copies, so that nobody answers them with errors.
        sink = net.udp("c", *SINK)
        for turn in range(options.runs):
            for mode, filters in MODES.items():
                runs[mode].append(one_run(net, options, filters))
                progress(f"  run {turn + 1}, {mode}: median {runs[mode][-1]['p50'] / 1000:.1f} us")
        sink.close()
    return runs


def lines(runs):
    made = []
    for mode, filters in MODES.items():
        if filters is None:
            continue
        for key, name in SHARES.items():
            ours, other = (median_of(run[key] for run in runs[each])
                           for each in (mode, "not tapped"))
            ratios = [one[key] / two[key] for one, two in zip(runs[mode], runs["not tapped"])]
            made.append(Line(f"{mode}: {name}", ours / 1000, other / 1000, ours / other,
                             max(ratios), "us", "x the time", None, None, Goal().verdict(1.0)))
        lost = sum(run["lost"] for run in runs[mode])
        made.append(Line("- packets that were not answered", lost,
                         sum(run["lost"] for run in runs["not tapped"]), None, None, "", "", None,
                         None, ""))
    return made
