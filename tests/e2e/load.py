# SPDX-License-Identifier: Apache-2.0
"""The ground on which dfcd is put under load, for the load tests, the soak and the benchmarks:

    a --- t --- c       a sends numbered packets to t, where dfcd taps them and they end; copies go
         / \\            to the content destinations in c, d and e
        d   e

Neighbours are fixed and there is no IPv6 outside of the packets, so nothing but what is sent is on
the links.
"""

import contextlib
import ctypes
import fcntl
import json
import socket
import struct
import subprocess
import time

import lab
import namespaces
import traffic

USERS = {"lea1": ("first", ["flow-tap-operation"])}
FOREIGN = "198.51.100.9"
# Packets on their way at a time, where the sender is paced by their copies. A veth device's queue
# has room for 256, and that of libpcap's buffer for each direction, as dfcd uses it, for 128.
ON_THEIR_WAY = 70
# Where copies go: the namespace, its address, t's.
HOMES = {"c": ("192.0.2.5", "192.0.2.254"), "d": ("203.0.113.5", "203.0.113.254"),
         "e": ("192.88.99.5", "192.88.99.254")}

FIRST, SECOND = (HOMES["c"][0], 2300), (HOMES["d"][0], 2301)


class Hundred:
    """100 filters of six shapes, each for one flow: of the first 100 * `every` flows of a stream
    every so-manyth is tapped, by the content destinations of `choices` in turn."""

    def __init__(self, every=3, choices=((FIRST,), (SECOND,), (FIRST, SECOND))):
        self.every, self.choices = every, choices
        self.flows = 100 * every
        self.tapped = range(0, self.flows, every)

    def destinations(self, flow):
        return self.choices[flow // self.every % len(self.choices)]

    def flows_to(self, destination):
        return [flow for flow in self.tapped if destination in self.destinations(flow)]

    def copies(self, flows=None, to=(FIRST, SECOND)):
        """How many copies there are of a packet of each flow, towards some destinations."""
        return [sum(1 for each in self.destinations(flow) if each in to) if flow in self.tapped
                else 0 for flow in range(flows or self.flows)]

    def add(self, asking, stream):
        """Returns the numbers of the criteria by flow."""
        return {flow: add(asking, stream.filter(flow, flow // self.every), self.destinations(flow))
                for flow in self.tapped}


@contextlib.contextmanager
def topology():
    with namespaces.Network("a", "t", *HOMES) as net:
        for name in net.names:
            net.write(name, "net/ipv6/conf/default/disable_ipv6", 1)
        net.link("a", "a0", "t", "ta")
        net.address("a", "a0", "10.1.0.1/24")
        net.address("t", "ta", "10.1.0.254/24")
        for name, (there, here) in HOMES.items():
            net.link(name, name + "0", "t", "t" + name)
            net.address(name, name + "0", there + "/24")
            net.address("t", "t" + name, here + "/24")
            net.route(name, "default", here)
        know_all(net)
        # Packets go no further than t.
        net.write("t", "net/ipv4/ip_forward", 1)
        net.run("t", "ip", "route", "add", "blackhole", "10.64.0.0/15")
        for name, device in (("t", "ta"), ("c", "c0"), ("d", "d0")):
            receive_by_napi(net, name, device)
        yield net


def link_address(net, name, device):
    told = subprocess.run(["ip", "-json", "-netns", net.prefix + name, "link", "show", device],
                          check=True, capture_output=True, text=True)
    return json.loads(told.stdout)[0]["address"]


def know_all(net):
    """All of the above; a device that was down has forgotten."""
    for name, (there, here) in HOMES.items():
        know(net, "t", "t" + name, there, name, name + "0")
        know(net, name, name + "0", here, "t", "t" + name)


def know(net, name, device, address, other, other_device):
    """A neighbour that needs no ARP."""
    net.run(name, "ip", "neigh", "replace", address, "lladdr",
            link_address(net, other, other_device), "dev", device, "nud", "permanent")


def receive_by_napi(net, name, device):
    """Gives a veth device a receive queue of its own (GRO switches it on). Without it packets pass
    a queue that all devices of the machine share, where other programs' traffic can push them out.
    UDP is not merged by it."""
    ETHTOOL_SGRO, SIOCETHTOOL = 0x2C, 0x8946
    with net.inside(name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        value = ctypes.create_string_buffer(struct.pack("=II", ETHTOOL_SGRO, 1))
        request = struct.pack("@16sP", device.encode(), ctypes.addressof(value)) + bytes(16)
        fcntl.ioctl(asked, SIOCETHTOOL, request)


def statistics(net, name, device):
    """What the kernel counted of a device: packets received and sent, and those it dropped."""
    with net.inside(name), open("/proc/thread-self/net/dev", encoding="ascii") as lines:
        counts = next(line.split(":")[1].split() for line in lines
                      if line.split(":")[0].strip() == device)
    return {"received": int(counts[1]), "receive_dropped": int(counts[3]),
            "sent": int(counts[9]), "send_dropped": int(counts[11])}


def on(processor):
    """What keeps a program to one processor; nothing for none."""
    return [] if processor is None else ["taskset", "-c", str(processor)]


@contextlib.contextmanager
def dfcd(net, *arguments, flow_tap="filter-limit 2000;", processor=None):
    """dfcd in t, which taps the device towards a."""
    with lab.Dfcd(lab.configuration(USERS, flow_tap), "--json", "--live", "ge-0/0/0=ta", *arguments,
                  prefix=on(processor) + ["ip", "netns", "exec", net.prefix + "t"]) as started:
        yield started


@contextlib.contextmanager
def device(net, started):
    """The mediation device, which logs in from t itself."""
    with net.inside("t"):
        made = lab.Device(started.port, "lea1", "first")
    try:
        yield made
    finally:
        made.close()


def add_fields(filters, to):
    """The fields of an ADD with one or two content destinations [(address, port)]."""
    fields = dict(lab.add_fields([], to[0], (FOREIGN, 40000), "cd1"))
    if len(to) == 2:
        fields["Cdest-ID"] = "cd1,cd2"
        for name, value in (("Address", to[1][0]), ("Port", str(to[1][1]))):
            fields["X-JTap-Cdest-Dest-" + name] += "," + value
    return list(fields.items())[:1] + list(filters) + list(fields.items())[1:]


def stop(started, asking):
    """Ends dfcd; returns its summary."""
    asking.close()
    status, output = started.stop()
    assert status == 0, output
    return json.loads(output)


def add(asking, filters, to):
    """Adds a criterion; returns its number."""
    answer = asking.ask("ADD", add_fields(filters, to))
    assert answer.code == 200, answer.octets
    return answer["CRITERIA-ID"]


def receiver(net, stream, board=None, more=(), processor=None):
    """At ports 0 and 1 what goes to the two content destinations, then what goes to `more`."""
    places = [(FIRST[1], FIRST[0], "c"), (SECOND[1], SECOND[0], "d")] + list(more)
    return traffic.Receiver(
        stream, [(port, address, "/run/netns/" + net.prefix + name)
                 for port, address, name in places], board, on(processor))


def sender(net, stream, board, to=None, processor=None, **how):
    """With `copies`, the number of copies of a packet of each flow at the ports `clock`, no more than
    ON_THEIR_WAY packets wait for theirs."""
    if "copies" in how:
        how["window"] = 1 + ON_THEIR_WAY * sum(how["copies"]) // stream.flows
    return traffic.Sender(net, "a", "a0", to or link_address(net, "t", "ta"), stream, board,
                          prefix=on(processor), **how)


def send_the_last(net, hundred, stream, board, number, to=(FIRST, SECOND)):
    """Sends what is missing of a round and a packet of the first flow, which is tapped, and waits for
    its copy. By then one worker has seen all that was sent; what it has not when dfcd ends is not
    copied. Returns the number that is next."""
    last = number + -number % stream.round
    with sender(net, stream, board, first=number, count=last + 1 - number,
                copies=hundred.copies(stream.flows, to),
                clock=[port for port, each in enumerate((FIRST, SECOND)) if each in to]) as more:
        more.report()
    board.wait(lambda: board.next(0, 0) > last, "the copy of the last packet")
    return last + 1


def let_all_come(net, hundred, stream, board, number):
    """Sends packets of each flow, a few at a time, until copies of all came that are tapped: what
    was sent before has been seen by then, or is lost. Returns the number that is next."""
    copies = hundred.copies(stream.flows)
    for _ in range(30):
        with sender(net, stream, board, first=number, count=stream.round, copies=copies,
                    clock=(0, 1), patience=2) as more:
            number += more.end()["sent"]
        # Copies of what was sent before may have opened the window too far; then once more.
        ends = [(port, flow, number - stream.round + (flow + 1) * stream.run)
                for port, destination in enumerate((FIRST, SECOND))
                for flow in hundred.flows_to(destination)]
        limit = time.monotonic() + 2
        while time.monotonic() < limit:
            if all(board.next(port, flow) >= end for port, flow, end in ends):
                return send_the_last(net, hundred, stream, board, number)
            time.sleep(0.002)
        # The next one is a whole round again.
        number += -number % stream.round
    raise AssertionError("packets are lost without any load")


def check_sums(summary):
    """The accounting closes."""
    decoded = sum(summary["decoded"].values())
    assert summary["seen"] == summary["sampled_out"] + decoded, summary
    assert summary["copies"] == summary["delivered"] + sum(summary["dropped"].values()) + \
        summary.get("queued", 0), summary


def check_no_drop(summary, seen, copies):
    """Everything was seen, and every copy delivered."""
    check_sums(summary)
    assert summary["lost"] == 0 and not any(summary["dropped"].values()), summary
    assert (summary["seen"], summary["copies"], summary["delivered"]) == (seen, copies, copies), \
        (summary, seen, copies)
