#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The client of RADIUS against FreeRADIUS with its Juniper dictionary, started on loopback."""

import pathlib
import sys
import tempfile
import unittest

from freeradius_server import PROGRAM, SECRET, FreeRadius
from radius_login import Asker

# As much as fits into an attribute, so that the next one goes on in the middle of a word.
LONG = "x" * 240 + " flow-t"

USERS = f"""
bob Cleartext-Password := "abc123"
    Juniper-User-Permissions = "flow-tap-operation"

several Cleartext-Password := "abc123"
    Juniper-User-Permissions = "flow-tap-operation configure",
    Juniper-User-Permissions += "view",
    Juniper-Local-User-Name = "template"

long Cleartext-Password := "abc123"
    Juniper-User-Permissions = "{LONG}",
    Juniper-User-Permissions += "ap-operation"

poor Cleartext-Password := "abc123"
    Reply-Message = "welcome"

framed Cleartext-Password := "abc123"
    Service-Type = Framed-User,
    Juniper-User-Permissions = "flow-tap-operation"
"""


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def server(self, name="radius", **options):
        made = FreeRadius(self.directory / name, USERS, **options)
        self.addCleanup(made.stop)
        return made

    def asker(self, *servers, secret=SECRET):
        return Asker(secret, *[server.port for server in servers])


class Answers(Case):
    def test_what_users_get(self):
        server = self.server().start()
        name = f"127.0.0.1:{server.port}"
        accepted = 'accepted by server 1, permissions "{}", local user {}'
        cases = {
            ("bob", "abc123"): accepted.format("flow-tap-operation", "none"),
            ("several", "abc123"):
                accepted.format("flow-tap-operation configure view", '"template"'),
            ("long", "abc123"): accepted.format(LONG + "ap-operation", "none"),
            ("poor", "abc123"): accepted.format("", "none"),
            ("framed", "abc123"): f"rejected: {name} accepted the login, but for a service that is "
                                  "none of a login (Service-Type)",
            ("bob", "wrong"): f"rejected: {name} rejected the login",
            ("nobody", "abc123"): f"rejected: {name} rejected the login",
        }
        with self.asker(server) as asker:
            for (login, password), expected in cases.items():
                with self.subTest(login=login, password=password):
                    self.assertEqual(expected, asker.log_in(login, password))
            self.assertEqual([], asker.finish())


class Failures(Case):
    def test_the_secrets_differ(self):
        server = self.server().start()
        with self.asker(server, secret="another") as asker:
            # FreeRADIUS throws away what does not verify.
            self.assertRegex(asker.log_in("bob", "abc123"),
                             r"^unavailable: \S+ gave no answer to 3 requests in \S+ s$")

    def test_answers_without_message_authenticator(self):
        server = self.server(signature="").start()
        with self.asker(server) as asker:
            outcome = asker.log_in("bob", "abc123")
            # FreeRADIUS 3.2.5 and newer sends one whatever it is told.
            if not outcome.startswith("accepted"):
                self.assertRegex(outcome, r"^unavailable: .*without Message-Authenticator")


class Failover(Case):
    def test_a_server_dies_and_comes_back(self):
        server = self.server().start()
        with self.asker(server) as asker:
            self.assertRegex(asker.log_in("bob", "abc123"), "^accepted by server 1,")
            server.stop()
            self.assertRegex(asker.log_in("bob", "abc123"),
                             r"^unavailable: \S+ gave no answer .*Connection refused")
            server.start()
            self.assertRegex(asker.log_in("bob", "abc123"), "^accepted by server 1,")
            self.assertEqual(
                [f"RADIUS server 127.0.0.1:{server.port} does not answer and is asked last from "
                 "now on", f"RADIUS server 127.0.0.1:{server.port} answers again"],
                asker.finish())

    def test_the_next_server_is_asked(self):
        dead, alive = self.server("dead"), self.server("alive").start()
        with self.asker(dead, alive) as asker:
            self.assertRegex(asker.log_in("bob", "abc123"), "^accepted by server 2,")
            self.assertRegex(asker.log_in("bob", "wrong"), "^rejected: ")
            self.assertEqual(1, len(asker.finish()))


if __name__ == "__main__":
    if not PROGRAM:
        print("SKIPPED: freeradius is not installed")
        sys.exit(77)
    unittest.main()
