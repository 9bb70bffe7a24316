#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The live traffic of tools/demo.

    demo_traffic.py serve   answers on 198.51.100.80: UDP port 53, TCP port 80; prints `ready`
    demo_traffic.py talk    is the host 192.0.2.10: two questions to port 53, two pages from port 80
"""

import socket
import sys
import threading

SERVER = "198.51.100.80"
PATIENCE = 30


def serve_udp(server):
    while True:
        question, peer = server.recvfrom(2048)
        server.sendto(question.rstrip(b"?") + b" is " + SERVER.encode(), peer)


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
        for question in (b"www.example?", b"mail.example?"):
            udp.sendto(question, (SERVER, 53))
            print("  asked", question.decode(), "->", udp.recv(2048).decode())
    for port in (40001, 40002):
        with socket.create_connection((SERVER, 80), PATIENCE, source_address=("", port)) as tcp:
            tcp.sendall(b"GET / HTTP/1.0\r\n\r\n")
            print("  fetched a page from port", port, "->", tcp.recv(2048).split(b"\r\n")[0].decode())


if __name__ == "__main__":
    {"serve": serve, "talk": talk}[sys.argv[1]]()
