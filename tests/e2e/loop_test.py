#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Loops made on purpose: copies that leave through the device that is tapped, as they are, in a
tunnel, and in one that nobody can look into. None may run away.

usage: loop_test.py TAP_DEVICE METHOD WORKERS

    t --- b             t is tapped on its device towards b, for everything, both ways; copies go to
                        b, directly or through a tunnel that ends there
"""

import contextlib
import fcntl
import os
import struct
import sys
import threading
import time

import namespaces
from live_tap_test import EGRESS, FOREIGN, INGRESS, MARK, Tap

PATIENCE = 150
ROUNDS = 20
# What a loop may come to before it is found. Left alone it does not end.
BOUND = 1_000_000


@contextlib.contextmanager
def topology():
    with namespaces.Network("t", "b") as net:
        net.link("t", "tb", "b", "bt")
        net.address("t", "tb", "10.2.0.254/24")
        net.address("b", "bt", "10.2.0.1/24")
        yield net


def packets_on(net, device="bt"):
    """How many frames b has received."""
    with net.inside("b"), open("/proc/net/dev", encoding="ascii") as counts:
        for line in counts:
            name, _, numbers = line.partition(":")
            if name.strip() == device:
                return int(numbers.split()[1])
    raise AssertionError(device)


def say(net, count):
    """Packets in both directions, which are tapped."""
    one, other = net.udp("t", "10.2.0.254", 7000), net.udp("b", "10.2.0.1", 7001)
    for number in range(count):
        one.sendto(bytes([number]), ("10.2.0.1", 7001))
        payload, sender = other.recvfrom(100)
        other.sendto(payload, sender)
        one.recv(100)
    one.close()
    other.close()


def each_packet_is_copied_once(net, program, destination, egress):
    """The mark tells the copies, or they are not seen at all."""
    sinks = [net.udp("b", destination, port) for port in (INGRESS, EGRESS)]
    tap = Tap(net, program, "tb", FOREIGN, destination, MARK, egress)
    say(net, ROUNDS)
    for sink in sinks:
        for _ in range(ROUNDS):
            sink.recv(1 << 16)
    counters = tap.stop()
    for sink in sinks:
        sink.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            raise AssertionError("one copy too many: %r" % sink.recv(1 << 16))
        sink.close()
    assert counters["delivered"] == counters["tapped"] == 2 * ROUNDS, counters


def make_vxlan(net):
    """A tunnel that carries nothing but copies: no neighbour discovery, of whatever kind."""
    ends = (("t", "10.2.0.254", "10.2.0.1", "tb", "192.168.7.1", "02:00:00:00:07:01"),
            ("b", "10.2.0.1", "10.2.0.254", "bt", "192.168.7.2", "02:00:00:00:07:02"))
    for name, local, remote, device, address, mac in ends:
        net.write(name, "net/ipv6/conf/default/disable_ipv6", 1)
        net.run(name, "ip", "link", "add", "vx", "address", mac, "type", "vxlan", "id", "7",
                "local", local, "remote", remote, "dstport", "4789", "dev", device)
        net.run(name, "ip", "link", "set", "vx", "up")
        net.address(name, "vx", address + "/24")
    net.run("t", "ip", "neighbour", "add", ends[1][4], "lladdr", ends[1][5], "dev", "vx")


class Cipher:
    """A tunnel whose packets nobody can look into: a tun device, and UDP with all octets changed."""

    def __init__(self, net):
        with net.inside("t"):
            self.device = os.open("/dev/net/tun", os.O_RDWR)
            # IFF_TUN | IFF_NO_PI
            fcntl.ioctl(self.device, 0x400454CA, struct.pack("16sH", b"cipher", 0x1001))
        net.run("t", "ip", "link", "set", "cipher", "up")
        net.run("t", "ip", "route", "add", "198.18.0.0/24", "dev", "cipher")
        self.socket = net.udp("t", "10.2.0.254", 9000)
        self.receiver = net.udp("b", "10.2.0.1", 9000)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        change = bytes(octet ^ 0x5A for octet in range(256))
        with contextlib.suppress(OSError):
            while True:
                packet = os.read(self.device, 1 << 16)
                self.socket.sendto(packet.translate(change), ("10.2.0.1", 9000))

    def close(self, net):
        net.run("t", "ip", "link", "delete", "cipher")
        self.thread.join(PATIENCE)
        os.close(self.device)
        self.socket.close()
        self.receiver.close()


def packets_until_it_ends(net, before, bound=BOUND):
    """Waits until no packet has come for a second. Returns how many frames b has received by then,
    or when there are more than `bound` since `before`."""
    end, last, since = time.monotonic() + PATIENCE, before, time.monotonic()
    while time.monotonic() - since < 1 and last - before <= bound:
        assert time.monotonic() < end, "the loop does not end: %d packets" % (last - before)
        now = packets_on(net)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.02)
    return last


def a_loop_that_nobody_can_see_is_stopped(net, program):
    cipher = Cipher(net)
    before = packets_on(net)
    tap = Tap(net, program, "tb", FOREIGN, "198.18.0.1", MARK)
    say(net, ROUNDS)
    last = packets_until_it_ends(net, before)
    assert last - before <= BOUND, "the loop runs away: %d packets" % (last - before)
    # What is not part of it is still copied, once.
    say(net, ROUNDS)
    more = packets_on(net)
    counters = tap.stop()
    cipher.close(net)
    print("  %d packets until it was found, %d copies left out" % (last - before,
                                                                  counters["looped"]))
    assert counters["looped"] > 0, counters
    assert counters["copies"] == counters["delivered"] + counters["dropped"], counters
    assert more - last <= 4 * ROUNDS, more - last


def main():
    namespaces.require()
    program = sys.argv[1:4]
    with topology() as net:
        for egress in ("packet", "raw"):
            each_packet_is_copied_once(net, program, "10.2.0.1", egress)
        print("directly: good", flush=True)
        make_vxlan(net)
        for egress in ("packet", "raw"):
            each_packet_is_copied_once(net, program, "192.168.7.2", egress)
        print("through VXLAN: good", flush=True)
        a_loop_that_nobody_can_see_is_stopped(net, program)
        print("through a cipher: good", flush=True)


if __name__ == "__main__":
    main()
