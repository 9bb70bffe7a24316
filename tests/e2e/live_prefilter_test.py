#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd with `kernel-filter` on a live device: scenes of live_load_test.py, in which the kernel keeps
away what no criterion needs. Nothing that a criterion matches is lost, also while criteria come and
go, and most of the rest never reaches dfcd.
"""

import functools
import sys

import live_load_test
import load
import namespaces


def check_what_came(net, before, summary, sent, copies):
    """As load.check_no_drop, but for what dfcd has not seen."""
    decoded = sum(summary["decoded"].values())
    passed = {name: count - before[name]
              for name, count in load.statistics(net, "t", "ta").items()}
    assert summary["lost"] == 0 and not any(summary["dropped"].values()), summary
    assert (summary["copies"], summary["delivered"]) == (copies, copies), (summary, copies)
    # A third of the flows is tapped, and what no flow is about never comes.
    assert copies != 0 and decoded <= sent * 0.6, (summary, sent)
    filtered = summary.get("filtered", 0)
    assert decoded + filtered <= passed["received"] + passed["sent"], (summary, passed)
    assert summary["seen"] == summary["sampled_out"] + decoded + filtered, summary
    (filter_of_ta,) = summary["kernel_filters"]
    assert filter_of_ta["state"] == {"pending": 0, "in_place": 1, "too_long": 0, "refused": 0}, summary
    assert filter_of_ta["instructions"] > 1 and filter_of_ta["reason"] == "", summary
    print("the kernel let %d of %d packets pass" % (decoded, sent))


def main():
    namespaces.require()
    scenes = [live_load_test.both_destinations_get_exactly_their_packets,
              live_load_test.criteria_come_and_go_beside_the_hundred]
    load.dfcd = functools.partial(load.dfcd, flow_tap="filter-limit 2000; kernel-filter;")
    with load.topology() as net:
        for scene in scenes:
            load.check_no_drop = functools.partial(check_what_came, net,
                                                   load.statistics(net, "t", "ta"))
            scene(net)
    print("programs in the kernel: good")


if __name__ == "__main__":
    sys.exit(main())
