#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Copies leave through the device that they are bound to, and no device holds up another.

usage: bindings_test.py BOUND_COPIES

        t           c and d are the same network, and the same address in it: which of them a copy
       / \\          gets to is a matter of the device that it leaves through
      c   d
"""

import contextlib
import subprocess
import sys
import time

import namespaces

PATIENCE = 90
SINK, OWN, FOREIGN = "192.0.2.5", "192.0.2.254", "198.51.100.9"
PORT = 2300
ROUNDS = 40


@contextlib.contextmanager
def topology():
    with namespaces.Network("t", "c", "d") as net:
        for name in ("c", "d"):
            connect(net, name)
        yield net


def connect(net, name):
    net.link(name, name + "0", "t", "t" + name)
    net.address(name, name + "0", SINK + "/24")
    net.address("t", "t" + name, OWN + "/24")


class Bound:
    """bound_copies at work in namespace t, with a binding for each of its devices."""

    def __init__(self, net, program, egress, source=FOREIGN):
        self.process = net.start("t", program, egress, source, SINK, "tc", "td",
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def do(self, command):
        answer = self.say(command)
        assert answer == "ok", (command, answer)

    def counts(self, binding):
        """Of one binding, or of the whole worker; they close at any time."""
        words = self.say(f"counts {binding}").split()
        counted = {name: int(number) for name, number in zip(words[::2], words[1::2])}
        assert counted["copies"] == \
            counted["delivered"] + counted["queued"] + counted["dropped"], counted
        return counted


@contextlib.contextmanager
def bound(net, program, egress="packet", source=FOREIGN):
    """The program and what c and d receive."""
    sinks = [net.udp(name, SINK, PORT, PATIENCE) for name in ("c", "d")]
    running = Bound(net, program, egress, source)
    try:
        yield running, *sinks
        running.process.stdin.close()
        assert running.process.wait(PATIENCE) == 0
    finally:
        running.process.kill()
        running.process.wait()
        running.process.stdout.close()
        for sink in sinks:
            sink.close()


def number_of(copy):
    return int.from_bytes(copy[28:32], "big")


def receive(sink, count):
    return [number_of(sink.recv(1 << 16)) for _ in range(count)]


def received(sink):
    """The numbers of all that has come."""
    numbers = []
    sink.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            numbers.append(number_of(sink.recv(1 << 16)))
    sink.settimeout(PATIENCE)
    return numbers


def wait_until(true, what):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def copies_leave_through_the_device_of_their_binding(net, program):
    for egress, source in (("packet", FOREIGN), ("raw", FOREIGN), ("udp", OWN), ("auto", OWN)):
        with bound(net, program, egress, source) as (running, c, d):
            for first in range(0, 4 * ROUNDS, ROUNDS):
                running.do(f"send {ROUNDS}")
                assert receive(c, ROUNDS // 2) == list(range(first, first + ROUNDS, 2)), egress
                assert receive(d, ROUNDS // 2) == list(range(first + 1, first + ROUNDS, 2)), egress
            assert not received(c) and not received(d)
            for binding in (1, 2):
                wait_until(lambda: running.counts(binding)["delivered"] == 2 * ROUNDS, egress)
                assert running.counts(binding)["copies"] == 2 * ROUNDS, egress


def a_device_that_is_down_holds_up_no_other(net, program):
    with bound(net, program) as (running, c, d):
        running.do(f"send {ROUNDS}")
        receive(c, ROUNDS // 2), receive(d, ROUNDS // 2)
        assert running.say("up 1") == running.say("up 2") == "yes"
        net.run("t", "ip", "link", "set", "td", "down")
        assert running.say("up 2") == "no" and running.say("up 1") == "yes"
        running.do(f"send {ROUNDS}")
        assert receive(c, ROUNDS // 2) == list(range(ROUNDS, 2 * ROUNDS, 2))
        wait_until(lambda: running.counts(2)["unreachable"] == ROUNDS // 2, "not counted")
        assert running.counts(1)["dropped"] == 0
        net.run("t", "ip", "link", "set", "td", "up")
        wait_until(lambda: running.say("up 2") == "yes", "up again")
        # Until it is known that there is a way again, which copies wait for.
        wait_until(lambda: running.say("send 2") == "ok" and received(d), "no copies again")


def a_next_hop_that_does_not_answer_holds_up_no_other(net, program):
    net.run("d", "ip", "link", "set", "d0", "arp", "off")
    net.run("t", "ip", "neighbour", "flush", "dev", "td")
    with bound(net, program) as (running, c, d):
        running.do(f"send {ROUNDS}")
        assert receive(c, ROUNDS // 2) == list(range(0, ROUNDS, 2)), "c had to wait"
        assert not received(d)
        net.run("d", "ip", "link", "set", "d0", "arp", "on")
        assert receive(d, ROUNDS // 2) == list(range(1, ROUNDS, 2))


def a_binding_removed_under_traffic_loses_only_what_was_queued(net, program):
    total = 4000
    with bound(net, program) as (running, c, d):
        for command in ("remove 2", "fail 2"):
            before = [running.counts(binding) for binding in range(3)]
            running.do(f"begin {total}")
            numbers = receive(d, 10)
            running.do(command)
            running.do("finish")

            def of(binding, what):
                return running.counts(binding)[what] - before[binding][what]

            wait_until(lambda: of(0, "copies") == total and of(1, "delivered") == total // 2,
                       "c lacks some")
            counted = running.counts(2)
            assert counted["queued"] == 0, counted
            wait_until(lambda: numbers.extend(received(d)) or len(numbers) == of(2, "delivered"),
                       "d lacks some")
            assert numbers == sorted(set(numbers)), "twice, or not in order"
            assert of(0, "dropped") == of(0, "unreachable") == total // 2 - of(2, "delivered")
            assert of(1, "dropped") == 0
            evens = receive(c, total // 2)
            assert evens == list(range(evens[0], evens[0] + total, 2))
            running.do("set 2")
        running.do(f"send {ROUNDS}")
        assert len(receive(d, ROUNDS // 2)) == ROUNDS // 2


def a_device_that_goes_and_comes_again_is_opened_anew(net, program):
    with bound(net, program) as (running, c, d):
        running.do("send 2")
        receive(c, 1), receive(d, 1)
        net.run("t", "ip", "link", "delete", "td")
        assert running.say("up 2") == "no"
        running.do("fail 2")
        assert "No such device" in running.say("restore 2")
        running.do("send 2")
        receive(c, 1)
        connect(net, "d")
        wait_until(lambda: running.say("up 2") == "yes", "up again")
        running.do("restore 2")
        running.do("send 2")
        assert receive(c, 1) == [4] and receive(d, 1) == [5]
        # One that had to wait for its next hop is counted after it has left.
        wait_until(lambda: running.counts(2)["delivered"] == 2, "not counted")


def a_device_that_was_replaced_unnoticed_gets_frames_again(net, program):
    with bound(net, program) as (running, c, d):
        running.do("send 2")
        receive(c, 1), receive(d, 1)
        net.run("t", "ip", "link", "delete", "td")
        connect(net, "d")
        wait_until(lambda: running.say("send 2") == "ok" and received(d), "no copies again")
        assert running.counts(1)["dropped"] == 0


def main(program):
    namespaces.require()
    for test in (copies_leave_through_the_device_of_their_binding,
                 a_device_that_is_down_holds_up_no_other,
                 a_next_hop_that_does_not_answer_holds_up_no_other,
                 a_binding_removed_under_traffic_loses_only_what_was_queued,
                 a_device_that_goes_and_comes_again_is_opened_anew,
                 a_device_that_was_replaced_unnoticed_gets_frames_again):
        with topology() as net:
            test(net, program)
        print("passed:", test.__name__, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
