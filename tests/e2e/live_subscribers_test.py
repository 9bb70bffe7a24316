#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""2048 subscribers mirrored through a pool of four devices, of which one goes and comes back under
traffic: nothing is lost but what was on its way through that device, and nothing comes twice.

    a --- t        t is tapped on its device towards a; c1 to c4 are one network, and the same
         /|\\       address in it: which of them a copy gets to is a matter of its member
     c1 ... c4
"""

import contextlib
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import lab
import namespaces

SESSIONS, SECRET = 2048, b"s3cret"
SINK, PORT = "192.0.2.5", 6502
LEA = {"lea1": ("pw1", ["flow-tap-operation"])}
MEMBERS = (1, 2, 3, 4)


def service(accounting, authorization, members):
    return """services { radius-flow-tap {
        interfaces [ %s ];
        radius-client 127.0.0.1 { secret "%s"; }
        listen 127.0.0.1; accounting-port %d; authorization-port %d;
    } }
    interfaces { ge-0/0/2 { capture-device ta; unit 0 { family inet; } } %s }""" % (
        " ".join("vt-0/0/%d.0" % one for one in members), SECRET.decode(), accounting,
        authorization,
        " ".join("vt-0/0/%d { egress-device tc%d; unit 0 { family inet { address "
                 "198.51.100.%d/24; } } }" % (one, one, one) for one in MEMBERS))


def address_of(session):
    return "10.64.%d.%d" % (session >> 8, session & 255)


class Bng:
    """Sends accounting."""

    def __init__(self, net, port):
        with net.inside("t"):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(lab.PATIENCE)
        self.at, self.identifier = ("127.0.0.1", port), 0

    def log_in(self, session):
        def attribute(kind, value):
            return bytes([kind, len(value) + 2]) + value

        body = attribute(40, struct.pack("!I", 1)) + attribute(44, b"%d" % session) + \
            attribute(1, b"everybody") + attribute(8, socket.inet_aton(address_of(session))) + \
            attribute(4, socket.inet_aton("192.0.2.77"))
        self.identifier = (self.identifier + 1) % 256
        head = struct.pack("!BBH", 4, self.identifier, 20 + len(body))
        digest = hashlib.md5(head + bytes(16) + body + SECRET).digest()
        self.socket.sendto(head + digest + body, self.at)
        assert self.socket.recv(4096)[0] == 5


class Sinks:
    """What the four devices get, as it comes."""

    def __init__(self, net):
        self.got, self.ended = {one: [] for one in MEMBERS}, False
        self.sockets = {one: net.udp("c%d" % one, SINK, PORT, 0.2) for one in MEMBERS}
        self.threads = [threading.Thread(target=self.receive, args=(one,), daemon=True)
                        for one in MEMBERS]
        for thread in self.threads:
            thread.start()

    def receive(self, member):
        while not self.ended:
            with contextlib.suppress(socket.timeout):
                octets, sender = self.sockets[member].recvfrom(1 << 16)
                self.got[member].append((octets, sender[0]))

    def count(self):
        return sum(map(len, self.got.values()))

    def end(self):
        self.ended = True
        for thread in self.threads:
            thread.join()
        for each in self.sockets.values():
            each.close()


class Traffic:
    """Numbered packets from and to one subscriber after the other."""

    def __init__(self, net):
        with net.inside("a"):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind(("a0", 0))
        self.sent, self.stopped = 0, False

    def send(self, count):
        for _ in range(count):
            number = self.sent
            self.sent += 1
            session = number // 2 % SESSIONS
            ends = [address_of(session), "203.0.113.9"]
            if number % 2:
                ends.reverse()
            packet = lab.ipv4(*ends, 17, lab.udp(4000, 53, struct.pack("!II", number, session)))
            self.socket.send(lab.ethernet(packet))
            if number % 16 == 0:
                time.sleep(0.002)

    def flow(self):
        while not self.stopped:
            self.send(64)


def status(path):
    done = subprocess.run([lab.DFCD, "--status", "unix:" + path, "--json"], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def wait_until(true, what):
    end = time.monotonic() + lab.PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def check_copies(sinks):
    """The numbers of the packets that were copied, each of them once, by member."""
    numbers = []
    for member, got in sinks.got.items():
        for octets, sender in got:
            assert sender == "198.51.100.%d" % member, "a copy left through another's device"
            intercept, header_session = struct.unpack("!II", octets[:8])
            number, session = struct.unpack("!II", octets[8 + 28:8 + 36])
            assert (intercept, header_session) == (7, session), "the mirror header is wrong"
            numbers.append(number)
    assert len(numbers) == len(set(numbers)), "a packet was copied twice"
    return set(numbers)


def scene(net, directory, disturb):
    """Has everybody mirrored, lets traffic flow while the pool is disturbed, and adds it up."""
    path = os.path.join(directory, "status")
    accounting, authorization = lab.free_udp_ports(2)
    config = lab.configuration(LEA, extra=service(accounting, authorization, MEMBERS))
    sinks, traffic = Sinks(net), Traffic(net)
    with lab.Dfcd(config, "--json", "--metrics", "unix:" + path,
                  prefix=("ip", "netns", "exec", net.prefix + "t"), directory=directory) as dfcd:
        bng = Bng(net, accounting)
        for session in range(SESSIONS):
            bng.log_in(session)
        with net.inside("t"):
            device = lab.Device(dfcd.port, "lea1", "pw1")
        fields = [("X-JTap-Cdest-Dest-Address", SINK), ("X-JTap-Cdest-Dest-Port", str(PORT)),
                  ("X-MD-Intercept-Id", "40000007"), ("X-UserName", "everybody"),
                  ("Flags", "STATIC")]
        assert device.ask("ADD", fields, version="0.8").code == 200
        told = status(path)["subscribers"]
        assert (told["mirrored"], told["members"]) == (SESSIONS, [SESSIONS // 4] * 4), told
        traffic.send(2 * SESSIONS)
        wait_until(lambda: sinks.count() == traffic.sent, "not everything was copied at first")
        assert {len(got) for got in sinks.got.values()} == {SESSIONS // 2}

        flowing = threading.Thread(target=traffic.flow)
        flowing.start()
        try:
            disturb(net, dfcd, config, (accounting, authorization), path)
        finally:
            traffic.stopped = True
            flowing.join()
        wait_until(lambda: status(path)["seen"] >= traffic.sent, "not everything was seen")
        wait_until(lambda: status(path)["queued"] == 0, "copies stay queued")
        told = status(path)
        dropped = sum(told["dropped"].values())
        assert told["copies"] == traffic.sent, (told, traffic.sent)
        wait_until(lambda: sinks.count() >= told["delivered"], "copies are lost")
        sinks.end()
        got = check_copies(sinks)
        assert len(got) == traffic.sent - dropped, (len(got), traffic.sent, dropped)
        device.close()
        dfcd.stop()
    return dropped, told


def members_of(path):
    return status(path)["subscribers"]["members"]


def is_even(numbers):
    return max(numbers) - min(numbers) <= 1


def fail_and_recover(net, dfcd, config, ports, path):
    net.run("t", "ip", "link", "set", "tc2", "down")
    wait_until(lambda: members_of(path)[1] == 0, "the sessions of a dead member stay with it")
    numbers = members_of(path)
    assert is_even([numbers[0], *numbers[2:]]) and sum(numbers) == SESSIONS, numbers
    time.sleep(0.2)
    net.run("t", "ip", "link", "set", "tc2", "up")
    dfcd.wait_for("can be used\n(.*\n)*.*cannot be used(.*\n)*.*can be used")
    time.sleep(0.2)


def remove_and_add(net, dfcd, config, ports, path):
    def commit(members):
        changed = config.replace(service(*ports, MEMBERS), service(*ports, members))
        with open(dfcd.config, "w") as out:
            out.write(changed)
        dfcd.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(members_of(path)) == len(members), "the commit had no effect")

    commit((1, 3, 4))
    numbers = members_of(path)
    assert is_even(numbers) and sum(numbers) == SESSIONS, numbers
    time.sleep(0.2)
    commit(MEMBERS)
    numbers = members_of(path)
    assert numbers[1] == 0 and sum(numbers) == SESSIONS, numbers
    time.sleep(0.2)


def main():
    namespaces.require()
    for name, disturb in (("a member fails and comes back", fail_and_recover),
                          ("a member is removed and added", remove_and_add)):
        with namespaces.Network("a", "t", *("c%d" % one for one in MEMBERS)) as net, \
                tempfile.TemporaryDirectory() as directory:
            net.link("a", "a0", "t", "ta")
            for one in MEMBERS:
                net.link("c%d" % one, "c%d0" % one, "t", "tc%d" % one)
                net.address("c%d" % one, "c%d0" % one, SINK + "/24")
                net.address("t", "tc%d" % one, "192.0.2.25%d/24" % one)
            dropped, told = scene(net, directory, disturb)
            print("ok  %s: %d copies, %d dropped (%s)" % (name, told["copies"], dropped, {
                cause: count for cause, count in told["dropped"].items() if count}))


if __name__ == "__main__":
    main()
