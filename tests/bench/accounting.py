#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How many logins and logouts a second dfcd takes by RADIUS accounting, while 2,000 intercepts are
active.

usage: accounting.py [SESSIONS [SECONDS]]

Logs so many sessions in (100,000), adds 2,000 criteria over DTCP by user name, each of which has one
session, then logs sessions out and in again as fast as they are answered, over loopback and from
this script's own core. Prints requests a second of each part, and dfcd's memory.
"""

import contextlib
import hashlib
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import lab  # pylint: disable=wrong-import-position

SECRET = b"s3cret"
INTERCEPTS = 2000
# Requests under way at a time; each socket has 256 identifiers.
SOCKETS, WINDOW = 4, 24
START, STOP = 1, 2


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def request(identifier, status, session):
    body = attribute(40, struct.pack("!I", status)) + attribute(44, b"%d" % session) + \
        attribute(1, b"subscriber%d" % session) + \
        attribute(8, socket.inet_aton("10.%d.%d.%d" % (session >> 16, session >> 8 & 255,
                                                       session & 255))) + \
        attribute(4, socket.inet_aton("192.0.2.77")) + \
        attribute(31, b"02:00:%d" % session) + attribute(87, b"ge-1/0/0:%d" % session)
    head = struct.pack("!BBH", 4, identifier, 20 + len(body))
    return head + hashlib.md5(head + bytes(16) + body + SECRET).digest() + body


class Bng:
    def __init__(self, port):
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        for each in self.sockets:
            each.connect(("127.0.0.1", port))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            each.setblocking(False)
        self.identifiers = [0] * SOCKETS

    def send(self, events):
        """Sends (status, session) as fast as they are answered. Returns requests a second."""
        began, count, under_way = time.monotonic(), 0, [0] * SOCKETS
        events = iter(events)
        ended = False
        while not ended or any(under_way):
            for at, each in enumerate(self.sockets):
                while not ended and under_way[at] < WINDOW:
                    event = next(events, None)
                    if event is None:
                        ended = True
                        break
                    self.identifiers[at] = (self.identifiers[at] + 1) % 256
                    each.send(request(self.identifiers[at], *event))
                    under_way[at] += 1
                    count += 1
            ready, _, _ = select.select(self.sockets, [], [], lab.PATIENCE)
            if not ready:
                raise AssertionError("answers are lost")
            for each in ready:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        each.recv(64)
                        under_way[self.sockets.index(each)] -= 1
        return count / (time.monotonic() - began)


def memory_of(process):
    """Octets resident, and processor seconds used so far."""
    with open("/proc/%d/statm" % process) as statm, open("/proc/%d/stat" % process) as stat:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        words = stat.read().rsplit(")", 1)[1].split()
    return resident, (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def main():
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    accounting, authorization = lab.free_udp_ports(2)
    service = """services { radius-flow-tap { source-ipv4-address 198.51.100.9;
        subscriber-limit %d; radius-client 127.0.0.1 { secret "%s"; } listen 127.0.0.1;
        accounting-port %d; authorization-port %d; } }""" % (
            sessions, SECRET.decode(), accounting, authorization)
    config = lab.configuration({"lea1": ("pw1", ["flow-tap-operation"])}, extra=service)
    with lab.Dfcd(config, "--write", "/dev/null") as dfcd:
        bng = Bng(accounting)
        before, _ = memory_of(dfcd.process.pid)
        rate = bng.send((START, session) for session in range(sessions))
        print("logins of %d sessions: %d a second" % (sessions, rate))
        after, _ = memory_of(dfcd.process.pid)
        print("memory: %.0f MiB, %d octets a session" % (after / 2**20,
                                                        (after - before) / sessions))
        with contextlib.closing(lab.Device(dfcd.port, "lea1", "pw1")) as device:
            for number in range(INTERCEPTS):
                answer = device.ask("ADD", [
                    ("X-JTap-Cdest-Dest-Address", "192.0.2.5"), ("X-JTap-Cdest-Dest-Port", "6502"),
                    ("Flags", "STATIC"), ("X-MD-Intercept-Id", "%08x" % (0x40000000 + number)),
                    ("X-UserName", "subscriber%d" % (number * (sessions // INTERCEPTS)))],
                    version="0.8")
                assert answer.code == 200, answer.octets

            def log_out_and_in():
                end, session = time.monotonic() + seconds, 0
                while time.monotonic() < end:
                    yield STOP, session
                    yield START, session
                    session = (session + 1) % sessions

            _, used = memory_of(dfcd.process.pid)
            began = time.monotonic()
            rate = bng.send(log_out_and_in())
            resident, later = memory_of(dfcd.process.pid)
            print("logouts and logins with %d intercepts: %d requests a second, %d sessions; "
                  "processor of dfcd: %.0f %%; memory then: %.0f MiB" % (
                      INTERCEPTS, rate, rate / 2,
                      100 * (later - used) / (time.monotonic() - began), resident / 2**20))
        dfcd.stop()


if __name__ == "__main__":
    main()
