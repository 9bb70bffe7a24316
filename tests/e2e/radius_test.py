#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The client of RADIUS against a small server that knows the protocol by itself and can lie."""

import hashlib
import hmac
import socket
import struct
import subprocess
import unittest

from radius_login import PROGRAM, Asker, free_port

SECRET = b"s3cret"
ACCEPT, REJECT = 2, 3
USER_PASSWORD, VENDOR, MESSAGE_AUTHENTICATOR = 2, 26, 80
JUNIPER = 2636


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def juniper(kind, text):
    return attribute(VENDOR, struct.pack(">I", JUNIPER) + attribute(kind, text.encode()))


def attributes_of(packet):
    """Pairs of type and value, in order."""
    found, at = [], 20
    while at < len(packet):
        found.append((packet[at], packet[at + 2:at + packet[at + 1]]))
        at += packet[at + 1]
    return found


def reveal(hidden, authenticator):
    """RFC 2865 section 5.2."""
    text, before = b"", authenticator
    for at in range(0, len(hidden), 16):
        block = hidden[at:at + 16]
        stream = hashlib.md5(SECRET + before).digest()
        text += bytes(a ^ b for a, b in zip(block, stream))
        before = block
    return text.rstrip(b"\0").decode()


def sign(code, request, attributes, secret=SECRET, with_signature=True):
    """An answer to a request, Message-Authenticator first."""
    signature = attribute(MESSAGE_AUTHENTICATOR, bytes(16)) if with_signature else b""
    body = signature + attributes
    head = bytes([code, request[1]]) + struct.pack(">H", 20 + len(body))
    if with_signature:
        value = hmac.new(secret, head + request[4:20] + body, "md5").digest()
        body = attribute(MESSAGE_AUTHENTICATOR, value) + attributes
    return head + hashlib.md5(head + request[4:20] + body + secret).digest() + body


class Server:
    """Waits for one request and answers it with what `make` returns, datagram by datagram."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(60)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def serve(self, make):
        request, peer = self.socket.recvfrom(5000)
        for answer in make(request):
            self.socket.sendto(answer, peer)
        return request


class Client(unittest.TestCase):
    def outcome(self, make):
        with Server() as server, Asker(SECRET.decode(), server.port) as asker:
            asker.ask("bob", "abc123")
            self.request = server.serve(make)
            return asker.answer()

    def test_a_request_is_what_the_specification_says(self):
        answer = self.outcome(lambda request: [sign(ACCEPT, request, b"")])
        self.assertEqual('accepted by server 1, permissions "", local user none', answer)
        request = self.request
        found = attributes_of(request)
        self.assertEqual(1, request[0])
        self.assertEqual(MESSAGE_AUTHENTICATOR, found[0][0])
        values = dict(found)
        self.assertEqual(b"bob", values[1])
        self.assertEqual("abc123", reveal(values[USER_PASSWORD], request[4:20]))
        blank = request[:22] + bytes(16) + request[38:]
        self.assertEqual(hmac.new(SECRET, blank, "md5").digest(), values[MESSAGE_AUTHENTICATOR])

    def test_permissions_and_local_user(self):
        long = "x" * 240 + " flow-t"
        answer = self.outcome(lambda request: [sign(
            ACCEPT, request, juniper(10, long) + juniper(1, "ftap") + juniper(10, "ap"))])
        self.assertEqual(f'accepted by server 1, permissions "{long}ap", local user "ftap"', answer)

    def test_a_reject(self):
        self.assertRegex(self.outcome(lambda request: [sign(REJECT, request, b"")]),
                         r"^rejected: 127\.0\.0\.1:\d+ rejected the login$")

    def test_lies_before_the_answer(self):
        def lie(request):
            good = sign(ACCEPT, request, juniper(10, "configure"))
            yield sign(REJECT, request, b"", secret=b"other")
            yield sign(REJECT, request, b"", with_signature=False)
            yield good[:-1]
            yield good + bytes(5000)
            yield bytes([good[0], good[1] ^ 1]) + good[2:]
            yield good
        self.assertEqual('accepted by server 1, permissions "configure", local user none',
                         self.outcome(lie))

    def test_ipv6(self):
        try:
            listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            listener.bind(("::1", 0))
        except OSError:
            print("SKIPPED: no IPv6 here", flush=True)
            return
        listener.settimeout(60)
        with listener, Asker(SECRET.decode(), listener.getsockname()[1], host="::1") as asker:
            asker.ask("bob", "abc123")
            request, peer = listener.recvfrom(5000)
            listener.sendto(sign(REJECT, request, b""), peer)
            self.assertRegex(asker.answer(), r"^rejected: \[::1\]:\d+ rejected the login$")

    def test_usage(self):
        for arguments in (["127.0.0.1"], ["nowhere", "1812"], [], ["127.0.0.1", "x"]):
            done = subprocess.run([PROGRAM, *arguments], input="s\n", text=True, check=False,
                                  capture_output=True)
            self.assertEqual(2, done.returncode, arguments)
        done = subprocess.run([PROGRAM, "127.0.0.1", str(free_port())], input="\n", text=True,
                              check=False, capture_output=True)
        self.assertIn("the shared secret is empty", done.stderr)


if __name__ == "__main__":
    unittest.main()
