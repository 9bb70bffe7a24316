#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that a ring source hands over the packets that the receiving host saw, octet by octet,
whatever the sending host left to its device and the receiving device has merged.

usage: live_offload_test.py CAPTURE_DEVICE WORKERS

    a --- t --- b        t is a bridge, and its device towards a is captured

t's device towards b can do nothing for the kernel, which so takes apart and completes itself what
it sends there: what b's device receives is what was on the wire. There it is captured with libpcap.
"""

import contextlib
import itertools
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import lab
import namespaces

SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_VNET_HDR = 263, 15
# Of virtio's header.
NEEDS_CHECKSUM = 1
GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, GSO_ECN = 1, 4, 5, 0x80
SOL_UDP, UDP_SEGMENT = 17, 103
TCP_OCTETS = 3 << 20
PLAIN_SIZES = [0, 1, 17, 100, 511, 512, 1400, 1452]
STEPS = [(1400, 40000), (1000, 5000), (700, 33333), (1, 40)]
# Of a and of b.
ADDRESSES = (("10.9.0.1", "10.9.0.2"), ("2001:db8:9::1", "2001:db8:9::2"))
# Of packets that nobody receives.
CRAFTED = (("10.9.9.1", "10.9.9.2"), ("2001:db8:99::1", "2001:db8:99::2"))
TUNNEL = ("10.9.8.1", "10.9.8.2")
OFFLOADS = ["tx-checksum-ip-generic", "sg", "tso", "gso", "tx-udp-segmentation", "txvlan"]
MERGING = ["gro", "rx-udp-gro-forwarding"]


@contextlib.contextmanager
def topology():
    with namespaces.Network("a", "t", "b") as net:
        net.write("t", "net/ipv6/conf/default/disable_ipv6", 1)
        net.link("a", "a0", "t", "ta")
        net.link("b", "b0", "t", "tb")
        net.run("t", "ip", "link", "add", "bridge", "type", "bridge", "forward_delay", "0",
                "mcast_snooping", "0")
        for device in ("ta", "tb"):
            net.run("t", "ip", "link", "set", device, "master", "bridge")
        net.run("t", "ip", "link", "set", "bridge", "up")
        for index, name in enumerate("ab"):
            net.write(name, "net/ipv4/tcp_ecn", 1)
            net.address(name, name + "0", ADDRESSES[0][index] + "/24")
            net.address(name, name + "0", ADDRESSES[1][index] + "/64")
        for name, device in (("b", "b0"), ("t", "tb")):
            switch(net, name, device, OFFLOADS, "off")
        # Packets that come one by one wait for each other, so that some are merged for certain.
        net.run("t", "sh", "-c", "echo 2000000 > /sys/class/net/ta/gro_flush_timeout")
        yield net


def switch(net, name, device, features, state):
    words = [word for feature in features for word in (feature, state)]
    net.run(name, "ethtool", "-K", device, *words)


class Capture:
    """capture_device at work in a namespace."""

    def __init__(self, net, name, program, method, workers, device):
        self.directory = tempfile.TemporaryDirectory()
        self.workers = workers
        self.process = net.start(name, program, method, str(workers), device, self.directory.name,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        """What came in and what went out, by worker, and the counters."""
        text, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        words = text.split()
        counters = {name: int(number) for name, number in zip(words[::2], words[1::2])}
        assert counters["lost"] == 0, counters
        with self.directory as directory:
            return ([[lab.read_pcap(os.path.join(directory, f"{way}.{worker}.pcap"))
                      for worker in range(self.workers)] for way in ("in", "out")], counters)


def make(net, name, address, kind):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with net.inside(name):
        made = socket.socket(family, kind)
    made.settimeout(30)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    made.bind((address, 0))
    return made


def send_stream(net, source, destination):
    """A TCP connection from a to b, with data in both directions."""
    listener = make(net, "b", destination, socket.SOCK_STREAM)
    # The window: so much may be under way, for which every queue between the two has room.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    listener.listen()
    client = make(net, "a", source, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    client.connect(listener.getsockname())
    server = listener.accept()[0]
    server.settimeout(30)
    data = os.urandom(TCP_OCTETS)

    def send():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    sending = threading.Thread(target=send)
    sending.start()
    received = bytearray()
    while piece := server.recv(1 << 20):
        received += piece
    sending.join()
    assert received == data
    server.sendall(data[:100000])
    server.close()
    answer = bytearray()
    while piece := client.recv(1 << 20):
        answer += piece
    assert answer == data[:100000]


def send_datagrams(net, source, destination):
    """Datagrams from a to b, one by one and many in one call."""
    receiver = make(net, "b", destination, socket.SOCK_DGRAM)
    sender = make(net, "a", source, socket.SOCK_DGRAM)
    for size in PLAIN_SIZES:
        sender.sendto(os.urandom(size), receiver.getsockname())
    for step, size in STEPS:
        sender.setsockopt(SOL_UDP, UDP_SEGMENT, step)
        sender.sendto(os.urandom(size), receiver.getsockname())
    for _ in range(len(PLAIN_SIZES) + sum(-(-size // step) for step, size in STEPS)):
        receiver.recv(1 << 16)


def send_everything(net):
    for source, destination in ADDRESSES:
        send_stream(net, source, destination)
        send_datagrams(net, source, destination)


def ones_sum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def super_frame(tags, ipv6, tcp, flags, payload):
    """A frame whose transport checksum is left to be completed, and where the transport begins."""
    addresses = tuple(socket.inet_pton(socket.AF_INET6 if ipv6 else socket.AF_INET, text)
                      for text in CRAFTED[ipv6])
    protocol = 6 if tcp else 17
    size = (32 if tcp else 8) + len(payload)
    pseudo = ones_sum(b"".join(addresses) + struct.pack("!II", size, protocol))
    if tcp:
        transport = struct.pack("!HHIIBBHHH", 1000, 2000, 0xFFFFFF00, 7, 0x80, flags, 500, pseudo,
                                0) + bytes.fromhex("0101080a0000000100000002")
    else:
        transport = struct.pack("!HHHH", 1000, 2000, size, pseudo)
    if ipv6:
        # Destination options in front, with nothing but padding.
        network = struct.pack("!IHBB", 0x6000ABCD, 8 + size, 60, 63) + b"".join(addresses)
        network += bytes((protocol, 0, 1, 4, 0, 0, 0, 0))
    else:
        # With a router alert option.
        network = struct.pack("!BBHHHBBH", 0x46, 2, 24 + size, 0xFFFD, 0x4000, 63, protocol, 0)
        network += b"".join(addresses) + bytes.fromhex("94040000")
        network = network[:10] + struct.pack("!H", 0xFFFF - ones_sum(network)) + network[12:]
    link = bytes.fromhex("020000000099020000000098") + tags
    link += bytes.fromhex("86dd" if ipv6 else "0800")
    return link + network + transport + payload, len(link) + len(network)


def send_crafted(net):
    """Super-packets that no stack here sends: behind tags, with CWR, options, the last of a
    stream. They are for nobody, so that no answer comes. Returns how many."""
    with net.inside("a"):
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sender.bind(("a0", 0))
    count = 0
    for tags, ipv6, tcp, (flags, ecn), (step, size) in itertools.product(
            (b"", bytes.fromhex("81002005"), bytes.fromhex("88a8000781000005")), (False, True),
            (False, True), ((0x10, 0), (0x19, 0), (0xD8, GSO_ECN)),
            ((1200, 12000), (999, 5001), (1400, 1401))):
        if not tcp and flags != 0x10:
            continue
        kind = (GSO_TCPV6 if ipv6 else GSO_TCPV4) | ecn if tcp else GSO_UDP_L4
        frame, start = super_frame(tags, ipv6, tcp, flags, os.urandom(size))
        sender.send(struct.pack("=BBHHHH", NEEDS_CHECKSUM, kind, start + (32 if tcp else 8), step,
                                start, 16 if tcp else 6) + frame)
        count += 1
    return count


def tunnels_are_handed_over_whole(net, program):
    """A TCP connection through VXLAN, whose inner packets the sending host merges."""
    for name, own, other in (("a", 0, 1), ("b", 1, 0)):
        net.run(name, "ip", "link", "add", "tunnel", "type", "vxlan", "id", "7", "dstport", "4789",
                "local", ADDRESSES[0][own], "remote", ADDRESSES[0][other], "dev", name + "0")
        net.run(name, "ip", "link", "set", "tunnel", "up")
        net.address(name, "tunnel", TUNNEL[own] + "/24")
    ring = Capture(net, "t", program, "ring", 1, "ta")
    send_stream(net, *TUNNEL)
    (came, _), counters = ring.stop()
    assert counters["unsplit"] > 10 and counters["super_packets"] == 0, counters
    whole = [frame for frame in came[0] if is_test_traffic(frame) and len(frame) > 1514]
    assert len(whole) == counters["unsplit"], counters
    for frame in whole:
        assert frame[23] == 17 and struct.unpack("!H", frame[16:18])[0] == len(frame) - 14


def untagged(frame):
    """A frame without its tags."""
    while frame[12:14] in (b"\x81\x00", b"\x88\xa8"):
        frame = frame[:12] + frame[16:]
    return frame


def is_test_traffic(frame):
    """TCP or UDP, in IPv6 behind destination options, too."""
    frame = untagged(frame)
    if frame[12:14] == b"\x08\x00":
        return frame[23] in (6, 17)
    return frame[12:14] == b"\x86\xdd" and frame[20] in (6, 17, 60)


def conversation(frame):
    """The two addresses, in order."""
    frame = untagged(frame)
    size, start = (4, 26) if frame[12:14] == b"\x08\x00" else (16, 22)
    return tuple(sorted((frame[start:start + size], frame[start + size:start + 2 * size])))


def by_conversation(workers):
    """Frames in order, by conversation, each of which is one worker's."""
    found, owners = {}, {}
    for worker, frames in enumerate(workers):
        for frame in filter(is_test_traffic, frames):
            key = conversation(frame)
            assert owners.setdefault(key, worker) == worker, "a conversation at two workers"
            found.setdefault(key, []).append(frame)
    return found


def check_same(got, wanted, what):
    got, wanted = by_conversation(got), by_conversation(wanted)
    assert got.keys() == wanted.keys() and len(got) == 2, (what, got.keys(), wanted.keys())
    for key, frames in wanted.items():
        for index, (one, other) in enumerate(zip(got[key], frames)):
            assert one == other, f"{what}: frame {index} of {key}\n{one.hex()}\n{other.hex()}"
        assert len(got[key]) == len(frames), (what, key, len(got[key]), len(frames))


def compare(net, program, workers, what, send=send_everything):
    """Sends traffic. Returns the counters of the ring, and what `send` returned."""
    ring = Capture(net, "t", program, "ring", workers, "ta")
    wire = Capture(net, "b", program, "libpcap", 1, "b0")
    returned = send(net)
    (came, went), counters = ring.stop()
    (received, sent), _ = wire.stop()
    check_same(came, received, what + ", towards b")
    if returned is None:
        check_same(went, sent, what + ", towards a")
    return counters, returned


def main():
    namespaces.require()
    program, workers = sys.argv[1], int(sys.argv[2])
    # On several processors the kernel itself lets packets overtake each other on their way.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with topology() as net:
        switch(net, "a", "a0", OFFLOADS, "off")
        counters, _ = compare(net, program, workers, "nothing left to devices")
        assert counters["super_packets"] == counters["completed"] == 0, counters

        switch(net, "a", "a0", ["tx-checksum-ip-generic", "txvlan"], "on")
        counters, _ = compare(net, program, workers, "checksums and tags left to devices")
        assert counters["completed"] > 1000 and counters["super_packets"] == 0, counters

        switch(net, "a", "a0", OFFLOADS, "on")
        counters, _ = compare(net, program, workers, "everything left to devices")
        assert counters["super_packets"] > 100 and counters["unsplit"] == 0, counters
        assert counters["segments"] > 2 * counters["super_packets"], counters

        counters, count = compare(net, program, workers, "made by hand", send_crafted)
        assert counters["super_packets"] == count > 50 and counters["unsplit"] == 0, counters

        tunnels_are_handed_over_whole(net, program)

        switch(net, "a", "a0", OFFLOADS, "off")
        switch(net, "t", "ta", MERGING, "on")
        counters, _ = compare(net, program, workers, "merged on arrival")
        assert counters["super_packets"] > 100 and counters["unsplit"] == 0, counters


if __name__ == "__main__":
    main()
