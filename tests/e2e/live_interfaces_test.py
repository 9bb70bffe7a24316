#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which criteria copy a packet that dfcd sees twice, coming in on one device and leaving on another.

usage: live_interfaces_test.py WORKERS

    a --- t --- b        t forwards between a and b at layer 2, with the VLAN tags that are there,
          |              and is tapped on both devices; copies go to c
          c
"""

import itertools
import json
import socket
import sys

import lab
import namespaces

USERS = {"lea1": ("first", ["flow-tap-operation"])}
SINK, FOREIGN = "192.0.2.5", "198.51.100.9"
CONFIGURATION = """
interfaces {
    ge-0/0/2 { unit 0 { family inet; } unit 5 { vlan-id 5; family inet; }
               unit 6 { vlan-id 6; family inet; } }
    ge-0/0/3 { unit 0 { family inet; } unit 5 { vlan-id 5; family inet; }
               unit 6 { vlan-id 6; family inet; } }
}
routing-instances { red { instance-type vrf; interface ge-0/0/2.5; interface ge-0/0/3.6; } }
"""
ROUNDS = 20
A, B = "10.9.0.1", "10.9.0.2"
# What a frame is: who sends it, and its tags.
KINDS = [(sender, tags) for sender in "ab" for tags in ((), (5,), (6,), (5, 6), (7,))]

# Criteria, and of which kinds of frames they get a copy. From a a frame comes in on ge-0/0/2 and
# leaves on ge-0/0/3, from b it is the other way round. What has the tag of no unit is unit 0's.
CRITERIA = [
    ("all", [], lambda sender, vlan: True),
    ("red", [("X-JTap-VRF-Name", "red")],
     lambda sender, vlan: (sender, vlan) in (("a", 5), ("b", 6))),
    ("in 2.0", [("X-JTap-Input-Interface", "ge-0/0/2.0")],
     lambda sender, vlan: sender == "a" and vlan not in (5, 6)),
    ("in 2.5", [("X-JTap-Input-Interface", "ge-0/0/2.5")],
     lambda sender, vlan: sender == "a" and vlan == 5),
    ("in 3.6", [("X-JTap-Input-Interface", "ge-0/0/3.6")],
     lambda sender, vlan: sender == "b" and vlan == 6),
    ("out 2.5", [("X-JTap-Output-Interface", "ge-0/0/2.5")],
     lambda sender, vlan: sender == "b" and vlan == 5),
    ("out 3.0", [("X-JTap-Output-Interface", "ge-0/0/3.0")],
     lambda sender, vlan: sender == "a" and vlan not in (5, 6)),
    ("out 3.6", [("X-JTap-Output-Interface", "ge-0/0/3.6")],
     lambda sender, vlan: sender == "a" and vlan == 6),
]


def frame(sender, tags, number):
    """One that nobody answers, since it is for another host."""
    source, destination = (A, B) if sender == "a" else (B, A)
    packet = lab.ipv4(source, destination, 17, lab.udp(1000, 53, b"%d" % number),
                      identification=number + 1)
    made = bytes.fromhex("020000000099020000000098")
    made = made[:6] + bytes((2, 0, 0, 0, 0, ord(sender))) + made[12:]
    for depth, vlan in enumerate(tags):
        last = depth == len(tags) - 1
        made += bytes.fromhex("8100" if last else "88a8") + vlan.to_bytes(2, "big")
    return made + bytes.fromhex("0800") + packet, packet


def sender_on(net, name, device):
    with net.inside(name):
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    made.bind((device, 0))
    return made


def wanted_of(criterion, packets):
    return sorted(packet for (sender, tags), packet in packets
                  if criterion(sender, tags[0] if tags else None))


def check(net, workers, *more):
    sinks = [net.udp("c", SINK, 2300 + index) for index in range(len(CRITERIA))]
    senders = {"a": sender_on(net, "a", "a0"), "b": sender_on(net, "b", "b0")}
    config = lab.configuration(USERS, extra=CONFIGURATION)
    with lab.Dfcd(config, "--json", "--live", "ge-0/0/2=ta", "--live", "ge-0/0/3=tb",
                  "--workers", workers, *more,
                  prefix=("ip", "netns", "exec", net.prefix + "t")) as dfcd:
        with net.inside("t"):
            device = lab.Device(dfcd.port, "lea1", "first")
        for index, (name, scope, _) in enumerate(CRITERIA):
            answer = device.ask("ADD", lab.add_fields(
                scope + [("Dest-Port", "53")], (SINK, 2300 + index), (FOREIGN, 1), cdest="cd%d" % index))
            assert answer.code == 200, (name, answer.octets)
        packets = []
        for number, (kind, _) in enumerate(itertools.product(KINDS, range(ROUNDS))):
            octets, packet = frame(*kind, number)
            senders[kind[0]].send(octets)
            packets.append((kind, packet))
        for (name, _, criterion), sink in zip(CRITERIA, sinks):
            wanted = wanted_of(criterion, packets)
            assert sorted(sink.recv(2000) for _ in wanted) == wanted, name
        status, output = dfcd.stop()
        summary = json.loads(output)
    for (name, _, _), sink in zip(CRITERIA, sinks):
        sink.setblocking(False)
        try:
            raise AssertionError("one copy too many for %s: %r" % (name, sink.recv(2000)))
        except BlockingIOError:
            sink.close()
    total = sum(len(wanted_of(criterion, packets)) for _, _, criterion in CRITERIA)
    assert status == 0 and summary["copies"] == summary["delivered"] == total, summary
    assert summary["lost"] == 0 and summary["seen"] >= 2 * len(packets), summary


def main():
    namespaces.require()
    workers = sys.argv[1]
    with namespaces.Network("a", "t", "b", "c") as net:
        net.write("t", "net/ipv6/conf/default/disable_ipv6", 1)
        net.link("a", "a0", "t", "ta")
        net.link("b", "b0", "t", "tb")
        net.link("c", "c0", "t", "tc")
        net.address("c", "c0", SINK + "/24")
        net.address("t", "tc", "192.0.2.254/24")
        net.run("t", "ip", "link", "add", "bridge", "type", "bridge", "forward_delay", "0",
                "mcast_snooping", "0")
        for device in ("ta", "tb"):
            net.run("t", "ip", "link", "set", device, "master", "bridge")
        net.run("t", "ip", "link", "set", "bridge", "up")
        check(net, workers, "--capture", "ring")
        if workers == "1":
            check(net, workers, "--capture", "libpcap")
    print("every criterion got its packets, each once: good")


if __name__ == "__main__":
    main()
