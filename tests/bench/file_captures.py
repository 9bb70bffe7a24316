# SPDX-License-Identifier: Apache-2.0
"""Captures and filters for the benchmark of capture files, drawn from a seed: intercept-shaped
filters as in filter_sets.hpp, and packets of which a given share meets one of them."""

import itertools
import random
import struct

# Octets of a frame, and how many of each kind stand in a mix.
SIZES = {"64 octets": ((64, 1),), "IMIX 7:4:1": ((64, 7), (594, 4), (1518, 1))}
# A file holds these packets again and again.
TRACE = 65536
HIT_PERCENT = 5
ETHERNET = bytes.fromhex("0200000000020200000000010800")

REQUEST = """ADD DTCP/0.7
Cdest-ID: cd1
{fields}
Priority: 2
X-JTap-Cdest-Dest-Address: 192.0.2.5
X-JTap-Cdest-Dest-Port: 2300
X-JTap-Cdest-Source-Address: 198.51.100.9
X-JTap-Cdest-Source-Port: 65535
X-JTap-Cdest-TTL: 255
Flags: STATIC

"""


def hits_of(packets):
    """How many of so many packets of a trace meet a filter."""
    return packets * HIT_PERCENT // 100


def dotted(address):
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


class Filter:
    """What one criterion asks for; None stands for anything."""

    def __init__(self, source=None, destination=None, protocol=None, source_port=None,
                 destination_port=None):
        # Addresses are (address, prefix length).
        self.source, self.destination, self.protocol = source, destination, protocol
        self.ports = source_port, destination_port

    def matches(self, packet):
        source, destination, protocol, *ports = packet
        return (self._has(self.source, source) and self._has(self.destination, destination)
                and self.protocol in (None, protocol)
                and all(mine in (None, theirs) for mine, theirs in zip(self.ports, ports)))

    @staticmethod
    def _has(prefix, address):
        return prefix is None or (prefix[0] ^ address) >> (32 - prefix[1]) == 0

    @staticmethod
    def _written(prefix):
        return dotted(prefix[0]) + ("" if prefix[1] == 32 else f"/{prefix[1]}")

    def request(self):
        """As an ADD."""
        fields = [("Source-Address", self.source and self._written(self.source)),
                  ("Dest-Address", self.destination and self._written(self.destination)),
                  ("Protocol", self.protocol), ("Source-Port", self.ports[0]),
                  ("Dest-Port", self.ports[1])]
        return REQUEST.format(fields="\n".join(
            f"{name}: {value}" for name, value in fields if value is not None))

    def pcap_text(self):
        """In the language of pcap-filter(7)."""
        terms = [f"{side} {'host' if prefix[1] == 32 else 'net'} {self._written(prefix)}"
                 for side, prefix in (("src", self.source), ("dst", self.destination)) if prefix]
        name = {6: "tcp ", 17: "udp "}.get(self.protocol, "")
        ports = [f"{name}{side} port {port}" for side, port in zip(("src", "dst"), self.ports)
                 if port is not None]
        return " and ".join(terms + ports)


class Workload:
    """Filters and the packets of one trace."""

    def __init__(self, count, seed=1):
        self.random = random.Random(f"{seed} {count}")
        self.filters = [self._filter(index, count) for index in range(count)]

    # --- filters

    def _tapped(self):
        """An address of the networks that are tapped: 16 of a million each."""
        return 10 << 24 | self.random.randrange(1 << 24)

    def _port(self):
        return self.random.randrange(1, 1024 if self.random.random() < 0.5 else 65536)

    def _transport(self):
        ports = {"destination_port" if self.random.random() < 0.7 else "source_port": self._port()}
        return {"protocol": 6 if self.random.random() < 0.7 else 17, **ports}

    def _host(self):
        return self._tapped(), 32

    def _prefix(self, shortest, longest):
        length = self.random.randint(shortest, longest)
        return self._tapped() & -(1 << (32 - length)), length

    def _filter(self, index, count):
        if index < min(20, count // 100):
            return Filter(**self._transport())
        side = "destination" if self.random.random() < 0.5 else "source"
        kind = self.random.randrange(100)
        if kind < 35 or count == 1:
            return Filter(destination=self._host())
        if kind < 60:
            return Filter(source=self._host())
        if kind < 75:
            return Filter(source=self._host(), destination=self._host())
        if kind < 88:
            where = self._host() if self.random.random() < 0.6 else self._prefix(24, 30)
            return Filter(**{side: where}, **self._transport())
        if kind < 93:
            return Filter(**{side: self._prefix(16, 28)})
        return Filter(source=self._host(), destination=self._host(), **self._transport())

    # --- packets: source, destination, protocol, source port, destination port

    def _inside(self, prefix):
        if prefix is None:
            return self._anywhere()
        return prefix[0] | self.random.randrange(1 << (32 - prefix[1]))

    def _anywhere(self):
        return self._tapped() if self.random.random() < 0.3 else self.random.randrange(1, 1 << 32)

    def _hit(self):
        chosen = self.random.choice(self.filters)
        ports = [self._port() if port is None else port for port in chosen.ports]
        return (self._inside(chosen.source), self._inside(chosen.destination),
                chosen.protocol or self.random.choice((6, 17)), *ports)

    def _miss(self):
        while True:
            packet = (self._anywhere(), self._anywhere(), self.random.choice((6, 17)),
                      self._port(), self._port())
            if not any(each.matches(packet) for each in self.filters):
                return packet

    def trace(self, count):
        """Packets of which exactly `HIT_PERCENT` in a hundred meet a filter."""
        is_hit = [index < hits_of(count) for index in range(count)]
        self.random.shuffle(is_hit)
        return [self._hit() if hit else self._miss() for hit in is_hit]


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(packet, size, identification):
    source, destination, protocol, *ports = packet
    def header(value):
        return struct.pack("!BBHHHBBHII", 0x45, 0, size - len(ETHERNET), identification, 0, 64,
                           protocol, value, source, destination)
    transport = struct.pack("!HHHH", *ports, size - len(ETHERNET) - 20, 0)
    return (ETHERNET + header(checksum(header(0))) + transport).ljust(size, b"\0")


def records(packets, sizes):
    """The packets as records of a pcap file, frames of the sizes of a mix in turn."""
    mix = [size for size, times in sizes for _ in range(times)]
    out = []
    for index, (packet, size) in enumerate(zip(packets, itertools.cycle(mix))):
        octets = frame(packet, size, index & 0xFFFF)
        out.append(struct.pack("<IIII", 1_700_000_000 + index // 1_000_000, index % 1_000_000,
                               size, size) + octets)
    return b"".join(out)


def write_capture(path, packets, sizes, octets):
    """Writes the packets again and again, until there are `octets` at least. Returns how many
    packets that are."""
    block = records(packets, sizes)
    times = -(-octets // len(block))
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for _ in range(times):
            out.write(block)
    return times * len(packets)


def write_filters(filters, requests, text):
    """Writes filters as ADD requests, and as one filter for tcpdump."""
    with open(requests, "w", encoding="ascii") as out:
        out.writelines(each.request() for each in filters)
    with open(text, "w", encoding="ascii") as out:
        out.write(" or ".join(f"({each.pcap_text()})" for each in filters) + "\n")


def read_records(path):
    """Seconds, nanoseconds and octets of the records of a pcap file that this machine wrote."""
    with open(path, "rb") as capture:
        octets = memoryview(capture.read())
    to_nanoseconds = 1 if struct.unpack_from("<I", octets)[0] == 0xA1B23C4D else 1000
    at = 24
    while at < len(octets):
        seconds, fraction, captured, _ = struct.unpack_from("<IIII", octets, at)
        yield seconds, fraction * to_nanoseconds, octets[at + 16:at + 16 + captured]
        at += 16 + captured
