#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How copies leave: every way the same octets; next hops, routes and devices that change or are gone.

usage: egress_test.py TAP_DEVICE METHOD WORKERS

    a --- t --- b       t forwards between a and b, and is tapped on its device towards a;
         / \\            copies of what it receives go to c, of what it sends to d
        c   d
"""

import contextlib
import subprocess
import sys
import time

import namespaces
from live_tap_test import EGRESS, FOREIGN, FOREIGN_IPV6, INGRESS, Tap

PATIENCE = 90
C, D = "192.0.2.5", "192.0.3.5"
D_IPV6 = "2001:db8:d::5"
ROUNDS = 20


@contextlib.contextmanager
def topology():
    with namespaces.Network("a", "t", "b", "c", "d") as net:
        for name, device, other in (("a", "a0", "ta"), ("b", "b0", "tb"), ("c", "c0", "tc"),
                                    ("d", "d0", "td")):
            net.link(name, device, "t", other)
        net.write("t", "net/ipv4/ip_forward", 1)
        for name, device, address in (
                ("a", "a0", "10.1.0.1/24"), ("t", "ta", "10.1.0.254/24"),
                ("b", "b0", "10.2.0.1/24"), ("t", "tb", "10.2.0.254/24"),
                ("c", "c0", C + "/24"), ("t", "tc", "192.0.2.254/24"),
                ("d", "d0", D + "/24"), ("t", "td", "192.0.3.254/24"),
                ("c", "c0", "2001:db8:c::5/64"), ("t", "tc", "2001:db8:c::fe/64"),
                ("d", "d0", D_IPV6 + "/64"), ("t", "td", "2001:db8:d::fe/64")):
            net.address(name, device, address)
        net.route("a", "default", "10.1.0.254")
        net.route("b", "default", "10.2.0.254")
        # Sinks answer nobody: a copy's source is nobody's.
        yield net


class Talk:
    """a sends numbered packets to b, b answers."""

    def __init__(self, net):
        self.a = net.udp("a", "10.1.0.1", 5000)
        self.b = net.udp("b", "10.2.0.1", 6000)
        self.number = 0

    def say(self, count, size=100):
        said = []
        for _ in range(count):
            self.number += 1
            payload = self.number.to_bytes(4, "big") + bytes(size - 4)
            self.a.sendto(payload, ("10.2.0.1", 6000))
            got, sender = self.b.recvfrom(1 << 16)
            self.b.sendto(got, sender)
            assert self.a.recv(1 << 16) == payload
            said.append(self.number)
        return said

    def close(self):
        self.a.close()
        self.b.close()


def number_of(copy):
    return int.from_bytes(copy[28:32], "big")


def receive(sink, count):
    return [number_of(sink.recv(1 << 16)) for _ in range(count)]


def receive_of(sink, said):
    """What comes of `said`, in order; copies of what was said before may still be on their way."""
    got = []
    while len(got) < len(said):
        number = number_of(sink.recv(1 << 16))
        if number >= said[0]:
            got.append(number)
    return got


def wait_until(true, what):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def is_empty(sink):
    sink.setblocking(False)
    try:
        return not sink.recv(1 << 16)
    except BlockingIOError:
        return True
    finally:
        sink.settimeout(PATIENCE)


def drain(sink):
    """The numbers of what has come."""
    numbers = []
    sink.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            numbers.append(number_of(sink.recv(1 << 16)))
    sink.settimeout(PATIENCE)
    return numbers


@contextlib.contextmanager
def tap(net, program, egress="packet", source=FOREIGN, destinations=C + "," + D):
    """A tap at work, the conversation and the two sinks. The counters are checked at the end."""
    one, other = destinations.split(",")
    sinks = net.udp("c", one, INGRESS, PATIENCE), net.udp("d", other, EGRESS, PATIENCE)
    talk = Talk(net)
    running = Tap(net, program, "ta", source, destinations, egress=egress)
    counters = {}
    try:
        yield talk, *sinks, counters
        counters.update(running.stop())
        assert counters["copies"] == counters["delivered"] + counters["dropped"], counters
        assert counters["lost"] == 0, counters
    finally:
        running.process.kill()
        running.process.wait()
        talk.close()
        for sink in sinks:
            sink.close()


def every_way_sends_the_same_octets(net, program):
    """Whole and in fragments, over IPv4 and IPv6: what raw sockets send is the measure."""
    for source, destinations in ((FOREIGN, C + "," + D),
                                 (FOREIGN_IPV6, "2001:db8:c::5," + D_IPV6)):
        seen = {}
        for egress in ("raw", "packet"):
            wire = net.frames("c", "c0")
            with tap(net, program, egress, source, destinations) as (talk, c, d, counters):
                talk.number = 0
                for size in (4, 5, 100, 1399, 1472):
                    talk.say(1, size)
                receive(c, 5), receive(d, 5)
            assert counters["delivered"] == 10, counters
            # Without the Ethernet header; answers to nobody and neighbour discovery aside.
            seen[egress] = [octets[14:] for outgoing, octets in namespaces.drain(wire)
                            if not outgoing and octets[12:14] in (b"\x08\x00", b"\x86\xdd")
                            and (octets[23] == 17 or octets[20] in (17, 44))]
            wire.close()
        # The IP identification of the tapped packets differs from run to run.
        masked = {egress: [without_identification(each) for each in packets]
                  for egress, packets in seen.items()}
        assert masked["raw"] == masked["packet"], seen
        assert len(seen["raw"]) > 5, len(seen["raw"])


def without_identification(packet):
    """A copy's outer packet with the inner packet's identification and checksums, which are not the
    copy's doing, set to zero. The UDP checksum over IPv6 is computed over them."""
    packet = bytearray(packet)
    outer = 20 if packet[0] >> 4 == 4 else 40
    if outer == 40 and packet[6] == 44:
        outer += 8
        if int.from_bytes(packet[42:44], "big") & 0xFFF8:
            return bytes(packet)
    elif outer == 20 and int.from_bytes(packet[6:8], "big") & 0x1FFF:
        return bytes(packet)
    inner = outer + 8
    if len(packet) >= inner + 20:
        packet[inner + 4:inner + 6] = packet[inner + 10:inner + 12] = bytes(2)
        if outer >= 40:
            packet[outer + 6:outer + 8] = bytes(2)
    return bytes(packet)


def copies_wait_for_a_next_hop(net, program):
    for device, flush in (("d0", True),):
        net.run("d", "ip", "link", "set", device, "arp", "off")
        if flush:
            net.run("t", "ip", "neighbour", "flush", "dev", "td")
        with tap(net, program) as (talk, c, d, counters):
            said = talk.say(ROUNDS)
            assert receive(c, ROUNDS) == said, "the other destination had to wait"
            assert is_empty(d)
            net.run("d", "ip", "link", "set", device, "arp", "on")
            assert receive(d, ROUNDS) == said
            said = talk.say(ROUNDS)
            assert receive(d, ROUNDS) == said and receive(c, ROUNDS) == said
        assert counters["delivered"] == 4 * ROUNDS, counters


def an_unresolved_next_hop_makes_copies_unreachable(net, program):
    net.run("d", "ip", "link", "set", "d0", "arp", "off")
    net.run("t", "ip", "neighbour", "flush", "dev", "td")
    with tap(net, program) as (talk, c, d, counters):
        said = talk.say(ROUNDS)
        assert receive(c, ROUNDS) == said
        begin = time.monotonic()
        # Requests go out for three seconds; then a fourth second's shows that it was given up.
        wire = net.frames("d", "d0")
        asked = 0

        def three_more():
            nonlocal asked
            talk.say(1)
            asked += sum(octets[12:14] == b"\x08\x06" for _, octets in namespaces.drain(wire))
            return asked >= 4 and time.monotonic() - begin > 3.5
        wait_until(three_more, "nobody asks for the next hop")
        wire.close()
        more = talk.say(ROUNDS)
        while number_of(c.recv(1 << 16)) != more[-1]:
            pass
        assert is_empty(d)
        net.run("d", "ip", "link", "set", "d0", "arp", "on")
        # It is found again without anybody's doing.
        wait_until(lambda: talk.say(1) and not is_empty(d), "the next hop was not found again")
    # More than there is room for is sent while it is asked for.
    assert counters["unreachable"] + counters["sink_full"] == counters["dropped"], counters
    assert counters["unreachable"] >= 2 * ROUNDS, counters


def nobody_answers(net, program):
    """A host that is not there, with ARP and neighbour discovery: what is for it costs the other
    destination nothing, whatever way copies leave."""
    for source, destinations in ((FOREIGN, C + ",192.0.3.99"),
                                 (FOREIGN_IPV6, "2001:db8:c::5,2001:db8:d::99")):
        for egress in ("auto", "packet", "raw"):
            talk = Talk(net)
            c = net.udp("c", destinations.split(",")[0], INGRESS, PATIENCE)
            running = Tap(net, program, "ta", source, destinations, egress=egress)
            said = talk.say(ROUNDS) + talk.say(1)
            assert receive(c, ROUNDS + 1) == said
            counters = running.stop()
            # What still waits at the end is given up, too. The very last answer may not have been
            # seen yet.
            assert counters["delivered"] == ROUNDS + 1, (egress, counters)
            assert counters["dropped"] in (ROUNDS, ROUNDS + 1), (egress, counters)
            talk.close()
            c.close()


def what_has_no_way_is_unreachable(net, program):
    """A link that is down, a route that refuses, no route: each in its turn, and back."""
    changes = (
        (("ip", "link", "set", "td", "down"), ("ip", "link", "set", "td", "up")),
        (("ip", "route", "add", "blackhole", D), ("ip", "route", "del", "blackhole", D)),
        (("ip", "route", "del", "192.0.3.0/24"),
         ("ip", "route", "add", "192.0.3.0/24", "dev", "td")),
    )
    with tap(net, program) as (talk, c, d, counters):
        said = talk.say(1)
        assert receive(d, 1) == said == receive(c, 1)
        for away, back in changes:
            def is_followed():
                said = talk.say(1)
                assert receive(c, 1) == said
                return is_empty(d)

            net.run("t", *away)
            # What the kernel tells of a change is read a moment later.
            wait_until(is_followed, away)
            said = talk.say(ROUNDS)
            assert receive(c, ROUNDS) == said
            assert not set(said) & set(drain(d)), away
            net.run("t", *back)
            wait_until(lambda: not is_followed(), back)
            said = talk.say(1)
            assert receive_of(d, said) == said == receive_of(c, said)
    assert counters["unreachable"] == counters["dropped"] >= len(changes) * ROUNDS, counters


def changes_are_followed(net, program):
    """Other Ethernet addresses, another MTU, another route, another device of the same name."""
    with tap(net, program) as (talk, c, d, counters):
        said = talk.say(1)
        assert receive(d, 1) == said == receive(c, 1)

        def still_arrives(size=100):
            said = talk.say(ROUNDS, size)
            assert receive_of(d, said) == said == receive_of(c, said)

        # The host of the tap does not know this neighbour, only the sink, which asks it after 30 s.
        net.run("d", "ip", "link", "set", "d0", "address", "02:00:00:00:00:77")
        wait_until(lambda: talk.say(1) and not is_empty(d), "the other Ethernet address")
        still_arrives()
        # One of the own device: frames go out with it as soon as the kernel has told of it.
        own = bytes.fromhex("020000000088")
        wire = net.frames("d", "d0")
        net.run("t", "ip", "link", "set", "td", "address", "02:00:00:00:00:88")

        def sources():
            return {octets[6:12] for outgoing, octets in namespaces.drain(wire)
                    if not outgoing and octets[12:14] == b"\x08\x00"}

        def only_the_new_one():
            said = talk.say(1)
            assert receive_of(d, said) == said == receive_of(c, said)
            return sources() == {own}

        wait_until(only_the_new_one, "the own Ethernet address")
        still_arrives()
        assert sources() == {own}
        wire.close()
        # Fragments where there were none.
        wire = net.frames("d", "d0")
        net.run("t", "ip", "link", "set", "td", "mtu", "600")
        still_arrives(1000)
        lengths = [len(octets) for outgoing, octets in namespaces.drain(wire)
                   if not outgoing and octets[12:14] == b"\x08\x00"]
        assert max(lengths) <= 614 and len(lengths) >= 2 * ROUNDS, lengths
        wire.close()
        net.run("t", "ip", "link", "set", "td", "mtu", "1500")
        # The way to d leads over c now, which forwards.
        net.write("c", "net/ipv4/ip_forward", 1)
        net.link("c", "cd", "d", "dc")
        net.address("c", "cd", "192.0.4.1/24")
        net.address("d", "dc", "192.0.4.5/24")
        net.run("c", "ip", "route", "add", "192.0.3.0/24", "via", "192.0.4.5")
        before = net.frames("d", "d0")

        def came_the_old_way():
            return [octets for outgoing, octets in namespaces.drain(before)
                    if not outgoing and octets[12:14] == b"\x08\x00"]

        def is_followed():
            said = talk.say(1)
            assert receive_of(d, said) == said == receive_of(c, said)
            return not came_the_old_way()

        net.run("t", "ip", "route", "add", D, "via", C)
        wait_until(is_followed, "the other route")
        still_arrives()
        assert not came_the_old_way()
        before.close()
        net.run("t", "ip", "route", "del", D)
        still_arrives()
        # Deleted, and made again under the same name.
        net.run("t", "ip", "link", "del", "td")
        said = talk.say(ROUNDS)
        assert receive(c, ROUNDS) == said
        net.link("d", "d0", "t", "td")
        net.address("d", "d0", D + "/24")
        net.address("t", "td", "192.0.3.254/24")
        still_arrives()
    assert counters["unreachable"] == counters["dropped"] >= ROUNDS, counters


def main():
    namespaces.require()
    program = sys.argv[1:4]
    with topology() as net:
        for scenario in (every_way_sends_the_same_octets, copies_wait_for_a_next_hop,
                         an_unresolved_next_hop_makes_copies_unreachable, nobody_answers,
                         what_has_no_way_is_unreachable, changes_are_followed):
            print(scenario.__name__.replace("_", " "), flush=True)
            scenario(net, program)


if __name__ == "__main__":
    main()
