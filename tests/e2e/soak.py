#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd under load for long: does its memory stay flat, and do its sums close at the end?

    tests/e2e/soak.py --minutes 30            # with the programs of ./build, or FLOWTAP_BUILD_ROOT
    tests/e2e/soak.py --minutes 3 --rate 0    # as fast as the sender can

A sender puts packets of 321 flows on a tapped device, 100 of which are tapped for good, towards two
content destinations, while 21 more are criteria that come and go, 100 times a second. Meanwhile the
memory of dfcd is sampled every second. At the end

- the memory is flat: the most of it in the last quarter of the time is at most 1 % (or 256 KiB) more
  than the most in the second one, the first being the warm-up;
- the sums close: each packet that came to the device is seen or lost by dfcd's count, each copy
  delivered or dropped, and each that was delivered has arrived, unchanged and in the order of its
  flow;
- nothing left for a criterion with a destination of its own after its DELETE was answered.

What is lost or dropped is counted and shown; that is no failure here. Needs root.
"""

import argparse
import re
import sys
import time

import load
import live_load_test
import namespaces
import traffic


def resident(process):
    """KiB of memory of a process."""
    with open("/proc/%d/status" % process.pid, encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s*(\d+)", status.read())[1])


def run_for(churn, seconds, process):
    """Changes criteria for so long. Returns the samples of the memory and the changes made."""
    begin, changes, samples = time.monotonic(), 0, []
    shown = begin
    while time.monotonic() < begin + seconds:
        churn.one_after_another(100)
        changes += 100
        samples.append(resident(process))
        if time.monotonic() >= shown + 60:
            shown += 60
            print("%4.0f s: %d packets, %d changes, %d KiB" % (
                shown - begin, churn.board.sent(), changes, samples[-1]), flush=True)
    return samples, changes / (time.monotonic() - begin)


def flat(samples):
    """The most memory of the second and of the last quarter, and whether that is flat."""
    quarter = len(samples) // 4
    before, after = max(samples[quarter:2 * quarter]), max(samples[-quarter:])
    return before, after, after <= before + max(before // 100, 256)


def soak(net, seconds, rate):
    stream = traffic.Stream(live_load_test.HUNDRED.flows + live_load_test.Churn.FLOWS)
    before = load.statistics(net, "t", "ta")
    with load.dfcd(net) as dfcd, load.device(net, dfcd) as device, traffic.Board() as board:
        live_load_test.HUNDRED.add(device, stream)
        with load.receiver(net, stream, board, live_load_test.Churn.places()) as receiver:
            with load.sender(net, stream, board, rate=rate or None) as sender:
                churn = live_load_test.Churn(net, device, stream, board, sender, receiver)
                samples, pace = run_for(churn, seconds, dfcd.process)
                sent = sender.report()["sent"]
            load.let_all_come(net, live_load_test.HUNDRED, stream, board, sent)
            summary = load.stop(dfcd, device)
            came = receiver.report(summary["delivered"])
        after = load.statistics(net, "t", "ta")
    arrived = after["received"] - before["received"]
    print("%d packets came, %d of them lost; %d copies, %d of them dropped; %.0f changes a second" % (
        arrived, summary["lost"], summary["copies"], summary["copies"] - summary["delivered"], pace))
    load.check_sums(summary)
    assert summary["seen"] + summary["lost"] == arrived, (arrived, summary)
    assert sum(each.packets + each.overflowed for each in came) == summary["delivered"], summary
    for arrivals in came:
        arrivals.check_order()
    first, last, holds = flat(samples)
    print("memory: at most %d KiB in the second quarter, %d KiB in the last" % (first, last))
    assert holds, "the memory grows: %s" % samples


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=100_000, help="packets a second; 0: all it can")
    options = parser.parse_args()
    if options.minutes < 0.2:
        parser.error("a tenth of a minute tells nothing")
    namespaces.require()
    with load.topology() as net:
        soak(net, 60 * options.minutes, options.rate)
    print("%g minutes under load: memory flat, sums closed" % options.minutes)


if __name__ == "__main__":
    sys.exit(main())
