#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The live traffic of tools/demo.

    demo_traffic.py serve   answers on 198.51.100.80: UDP port 53, TCP port 80; prints `ready`
    demo_traffic.py talk    is the host 192.0.2.10: two questions to port 53, two pages from port 80
"""

import socket
import struct
import sys
import threading

SERVER = "198.51.100.80"
PATIENCE = 30


def dns_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def dns_question(name):
    """A question for the address of a name."""
    return struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + dns_name(name) + struct.pack("!HH", 1, 1)


def dns_answer(name, address):
    """The answer to it."""
    return (struct.pack("!HHHHHH", 1, 0x8180, 1, 1, 0, 0) + dns_name(name) + struct.pack("!HH", 1, 1) +
            struct.pack("!HHHIH", 0xC00C, 1, 1, 300, 4) + socket.inet_aton(address))


def serve_udp(server):
    while True:
        question, peer = server.recvfrom(2048)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        server.sendto(dns_answer(".".join(labels), SERVER), peer)


def serve_tcp(server):
    while True:
        connection, _ = server.accept()
        with connection:
            connection.recv(2048)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello\n")


def serve():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((SERVER, 53))
    tcp = socket.create_server((SERVER, 80))
    threading.Thread(target=serve_udp, args=(udp,), daemon=True).start()
    print("ready", flush=True)
    serve_tcp(tcp)


def talk():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(PATIENCE)
        for name in ("www.example", "mail.example"):
            udp.sendto(dns_question(name), (SERVER, 53))
            print("  asked for", name, "->", socket.inet_ntoa(udp.recv(2048)[-4:]))
    for port in (40001, 40002):
        with socket.create_connection((SERVER, 80), PATIENCE, source_address=("", port)) as tcp:
            tcp.sendall(b"GET / HTTP/1.0\r\n\r\n")
            print("  fetched a page from port", port, "->", tcp.recv(2048).split(b"\r\n")[0].decode())


if __name__ == "__main__":
    {"serve": serve, "talk": talk}[sys.argv[1]]()
