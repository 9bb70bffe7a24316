#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A loop through a tunnel that nobody can look into, with dfcd as it is when nothing is said of loops.

    t --- b             dfcd taps t's device towards b for what leaves, and copies go through a
                        tunnel that ends in b; so each of them leaves by that device again
"""

import json
import sys

import lab
import loop_test
import namespaces

USERS = {"lea1": ("first", ["flow-tap-operation"])}
CONFIGURATION = lab.configuration(USERS)
SINK, FOREIGN = ("198.18.0.1", 2300), ("198.51.100.9", 40000)


def run(net, *arguments, bound=loop_test.BOUND):
    """Begins a loop, waits until it ends or is longer than `bound`. Returns how many packets that
    were, and the summary."""
    before = loop_test.packets_on(net)
    with lab.Dfcd(CONFIGURATION, "--json", "--live", "ge-0/0/0=tb", *arguments,
                  prefix=("ip", "netns", "exec", net.prefix + "t")) as dfcd:
        with net.inside("t"):
            device = lab.Device(dfcd.port, "lea1", "first")
        answer = device.ask("ADD", lab.add_fields(
            [("Protocol", "17"), ("X-JTap-Output-Interface", "ge-0/0/0.0")], SINK, FOREIGN))
        assert answer.code == 200, answer.octets
        loop_test.say(net, loop_test.ROUNDS)
        packets = loop_test.packets_until_it_ends(net, before, bound) - before
        device.close()
        status, output = dfcd.stop()
    assert status == 0, output
    summary = json.loads(output)
    assert summary["copies"] == summary["delivered"] + sum(summary["dropped"].values()), summary
    return packets, summary


def main():
    namespaces.require()
    with loop_test.topology() as net:
        cipher = loop_test.Cipher(net)
        packets, summary = run(net)
        assert packets <= loop_test.BOUND, "the loop runs away: %d packets" % packets
        assert summary["dropped"]["looped"] > 0, summary
        print("it ended after %d packets" % packets, flush=True)
        # Left alone it does not.
        more, summary = run(net, "--no-loop-brake", bound=2 * packets)
        assert more > 2 * packets, "the loop ended after %d packets without the brake" % more
        assert summary["dropped"]["looped"] == 0, summary
        cipher.close(net)
    print("a loop through a cipher ends: good")


if __name__ == "__main__":
    sys.exit(main())
