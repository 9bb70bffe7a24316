# SPDX-License-Identifier: Apache-2.0
"""Shows copies as a person wants to see them: reads a capture of raw IP or Ethernet and prints, for
each IPv4 UDP packet to one port, the outer header and what tshark says of the inner packet.

    show_copies.py CAPTURE PORT
"""

import os
import struct
import subprocess
import sys
import tempfile


def packets(path):
    with open(path, "rb") as capture:
        octets = capture.read()
    skip = 14 if struct.unpack("<I", octets[20:24])[0] == 1 else 0
    at = 24
    while at + 16 <= len(octets):
        length = struct.unpack("<I", octets[at + 8:at + 12])[0]
        yield octets[at:at + 16], octets[at + 16 + skip:at + 16 + length]
        at += 16 + length


def address(octets):
    return ".".join(str(octet) for octet in octets)


def main(path, port):
    outer, inner = [], []
    for record, packet in packets(path):
        if len(packet) < 28 or packet[0] != 0x45 or packet[9] != 17:
            continue
        source, destination = struct.unpack("!HH", packet[20:24])
        if destination != port:
            continue
        outer.append("%s:%d > %s:%d ttl %d" % (address(packet[12:16]), source,
                                               address(packet[16:20]), destination, packet[8]))
        inner.append(record[:8] + struct.pack("<II", len(packet) - 28, len(packet) - 28) + packet[28:])
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101) + b"".join(inner))
        file.flush()
        told = subprocess.run(
            ["tshark", "-r", file.name, "-T", "fields", "-E", "separator=/s", "-e", "ip.src",
             "-e", "ip.dst", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
            env=dict(os.environ, LC_ALL="C.UTF-8"))
    for header, packet in zip(outer, told.stdout.splitlines()):
        print("  %s | %s" % (header, packet[:100]))
    print("  %d packets" % len(outer))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
