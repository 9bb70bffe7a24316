# SPDX-License-Identifier: Apache-2.0
"""Network namespaces for tests: links, addresses, and sockets inside of them.

A socket belongs to the namespace that it was made in, so one process uses several of them.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
import sys

SKIP = 77
ETH_P_ALL = 3
SO_NO_CHECK = 11
_libc = ctypes.CDLL(None, use_errno=True)


def require():
    """Ends the test, visibly, where it cannot make namespaces."""
    if os.geteuid() != 0:
        print("SKIPPED: network namespaces need root")
        sys.exit(SKIP)
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        print("SKIPPED: no namespace can be made here")
        sys.exit(SKIP)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Network:
    """Namespaces that are gone at the end, with everything in them."""

    def __init__(self, *names):
        self.prefix = f"flowtap-{os.getpid()}-"
        self.names = names

    def __enter__(self):
        for name in self.names:
            ip("netns", "add", self.prefix + name)
            self.run(name, "ip", "link", "set", "lo", "up")
            self.write(name, "net/ipv4/conf/all/rp_filter", 0)
            self.write(name, "net/ipv4/conf/default/rp_filter", 0)
            # Nothing but what the test sends: no router solicitations, no duplicate detection.
            self.write(name, "net/ipv6/conf/default/router_solicitations", 0)
            self.write(name, "net/ipv6/conf/default/accept_dad", 0)
            self.write(name, "net/ipv6/conf/default/mldv2_unsolicited_report_interval", 0)
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", self.prefix + name], check=False)

    def run(self, name, *command):
        subprocess.run(["ip", "netns", "exec", self.prefix + name, *command], check=True)

    def start(self, name, *command, **settings):
        return subprocess.Popen(["ip", "netns", "exec", self.prefix + name, *command], **settings)

    def write(self, name, path, value):
        with self.inside(name), open(f"/proc/sys/{path}", "w", encoding="ascii") as setting:
            setting.write(str(value))

    def link(self, one, one_device, other, other_device, mtu=1500):
        ip("link", "add", one_device, "netns", self.prefix + one, "mtu", str(mtu), "type", "veth",
           "peer", "name", other_device, "netns", self.prefix + other, "mtu", str(mtu))
        self.run(one, "ip", "link", "set", one_device, "up")
        self.run(other, "ip", "link", "set", other_device, "up")

    def address(self, name, device, address):
        more = ["nodad"] if ":" in address else []
        self.run(name, "ip", "address", "add", address, "dev", device, *more)

    def route(self, name, destination, via):
        self.run(name, "ip", "route", "add", destination, "via", via)

    @contextlib.contextmanager
    def inside(self, name):
        """This thread is in the namespace `name` meanwhile."""
        with open("/proc/self/ns/net", "rb") as before, \
                open(f"/run/netns/{self.prefix}{name}", "rb") as wanted:
            if _libc.setns(wanted.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                _libc.setns(before.fileno(), 0)

    def udp(self, name, address, port, timeout=10):
        """A UDP socket in a namespace, which sends without checksums: there is no hardware to
        complete those that are left to it."""
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.inside(name):
            made = socket.socket(kind, socket.SOCK_DGRAM)
        if kind == socket.AF_INET:
            made.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        made.bind((address, port))
        made.settimeout(timeout)
        return made

    def frames(self, name, device):
        """A packet socket that sees all frames of a device from here on."""
        with self.inside(name):
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
            made.bind((device, ETH_P_ALL))
        made.setblocking(False)
        return made


def drain(frames):
    """The frames that have come to a packet socket: (is outgoing, octets)."""
    got = []
    while True:
        try:
            octets, where = frames.recvfrom(1 << 16)
        except BlockingIOError:
            return got
        got.append((where[2] == socket.PACKET_OUTGOING, octets))


def ip_packets(frames, outgoing, protocol=17):
    """The IPv4 packets of a protocol among frames, from the IP header on."""
    return [octets[14:14 + int.from_bytes(octets[16:18], "big")] for way, octets in frames
            if way == outgoing and octets[12:14] == b"\x08\x00" and octets[23] == protocol]
