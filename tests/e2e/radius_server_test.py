#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The servers of RADIUS, as the example serve-radius has them, against FreeRADIUS' radclient."""

import os
import re
import socket
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["SERVE_RADIUS"]
SECRET = "s3cret of both"
PATIENCE = 60

ORDER = """
Acct-Session-Id = "0000002A"
ERX-LI-Action = On
ERX-Med-Dev-Handle = 0x4000002a
ERX-Med-Ip-Address = 192.0.2.5
ERX-Med-Port-Number = 6502
Message-Authenticator = 0x00
"""


class Servers:
    """A running serve-radius."""

    def __init__(self):
        self.process = subprocess.Popen([PROGRAM, "127.0.0.1", "127.0.0.1"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(SECRET + "\n")
        self.process.stdin.flush()
        self.accounting, self.authorization = map(int, self.line().split())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def finish(self):
        """Ends the program; what it printed that was not read yet."""
        text, _ = self.process.communicate("\n", timeout=PATIENCE)
        assert self.process.returncode == 0, self.process.returncode
        return text.splitlines()


def now():
    return "Event-Timestamp = %d\n" % time.time()


def ask(port, command, attributes, secret=SECRET, tries=1):
    """Has radclient ask; the kind of the answer with its attributes, or None if there was none."""
    with tempfile.NamedTemporaryFile("w") as shared:
        shared.write(secret)
        shared.flush()
        done = subprocess.run(
            ["radclient", "-x", "-r", str(tries), "-t", "1" if secret != SECRET else "20",
             "-S", shared.name, f"127.0.0.1:{port}", command],
            input=attributes, capture_output=True, text=True, timeout=PATIENCE)
    found = re.search(r"Received (\S+) Id.*", done.stdout, re.S)
    assert found or "No reply" in done.stdout + done.stderr, (done.stdout, done.stderr)
    return (found.group(1), found.group(0)) if found else None


class Accounting(unittest.TestCase):
    def test_a_session_is_told_from_start_to_stop(self):
        with Servers() as servers:
            for status, number in (("Start", 1), ("Interim-Update", 3), ("Stop", 2)):
                answer = ask(servers.accounting, "acct", f"""
Acct-Status-Type = {status}
Acct-Session-Id = "0000002A"
User-Name = "bob"
Framed-IP-Address = 10.0.0.1
Framed-IPv6-Prefix = 2001:db8:0:1::/64
Delegated-IPv6-Prefix = 2001:db8:ff::/56
NAS-IP-Address = 198.51.100.1
ADSL-Agent-Circuit-Id = "line 7"
""")
                self.assertEqual(answer[0], "Accounting-Response")
                self.assertEqual(
                    servers.line(),
                    f"accounting {number} session 0000002A user bob address 10.0.0.1 "
                    "2001:db8:0:1::/64 2001:db8:ff::/56")

    def test_a_nas_that_begins_or_ends_is_told(self):
        with Servers() as servers:
            for status, number in (("Accounting-On", 7), ("Accounting-Off", 8)):
                self.assertEqual(ask(servers.accounting, "acct",
                                     f"Acct-Status-Type = {status}\nNAS-Identifier = bng1\n")[0],
                                 "Accounting-Response")
                self.assertEqual(servers.line(),
                                 f"accounting {number} session  user  address none")

    def test_a_wrong_secret_gets_no_answer(self):
        with Servers() as servers:
            self.assertIsNone(ask(servers.accounting, "acct",
                                  "Acct-Status-Type = Start\nAcct-Session-Id = 1\n", "another"))
            self.assertEqual(servers.finish(), [
                "RADIUS accounting: ignored: 1 with a wrong authenticator "
                "(not the same shared secret?)"])


class Authorization(unittest.TestCase):
    def start(self, servers):
        ask(servers.accounting, "acct", "Acct-Status-Type = Start\nAcct-Session-Id = 0000002A\n")
        servers.line()

    def test_mirroring_is_started_and_stopped_with_encrypted_attributes(self):
        with Servers() as servers:
            self.start(servers)
            self.assertEqual(ask(servers.authorization, "coa", ORDER + now())[0], "CoA-ACK")
            self.assertEqual(servers.line(),
                             "mirror 1 handle of 4 octets, to 192.0.2.5:6502")
            no_op = ORDER.replace("= On", "= 2").replace("0x4000002a", "0x0000002a00000007")
            self.assertEqual(ask(servers.authorization, "coa", no_op + now())[0], "CoA-ACK")
            self.assertEqual(servers.line(),
                             "mirror 2 handle of 8 octets, to 192.0.2.5:6502")
            self.assertEqual(ask(servers.authorization, "coa", """
Acct-Session-Id = "0000002A"
ERX-LI-Action = Off
Message-Authenticator = 0x00
""" + now())[0], "CoA-ACK")
            self.assertEqual(servers.line(), "mirror 0 handle of 0 octets, to 0.0.0.0:0")
            self.assertEqual(ask(servers.authorization, "disconnect", """
Acct-Session-Id = "0000002A"
Message-Authenticator = 0x00
""" + now())[0], "Disconnect-ACK")
            self.assertEqual(servers.line(), "disconnect")

    def test_what_cannot_be_done_is_refused_with_its_cause(self):
        with Servers() as servers:
            self.start(servers)
            for attributes, cause in (
                    (ORDER.replace("2A", "2B"), "Session-Context-Not-Found"),
                    (ORDER.replace("6502", "65536"), "Invalid-Attribute-Value"),
                    (ORDER.replace("0x4000002a", "0x4000"), "Invalid-Attribute-Value"),
                    (ORDER + "Filter-Id = f\n", "Unsupported-Attribute"),
                    (ORDER.replace('Acct-Session-Id = "0000002A"\n', ""), "Missing-Attribute")):
                kind, text = ask(servers.authorization, "coa", attributes + now())
                self.assertEqual(kind, "CoA-NAK")
                self.assertRegex(text, r"Error-Cause = " + cause)

    def test_wrong_secrets_strangers_in_time_and_missing_signatures_get_no_answer(self):
        with Servers() as servers:
            self.start(servers)
            port = servers.authorization
            self.assertIsNone(ask(port, "coa", ORDER + now(), "another"))
            unsigned = ORDER.replace("Message-Authenticator = 0x00\n", "") + now()
            late = ORDER + "Event-Timestamp = %d\n" % (time.time() - 1000)
            for attributes in (unsigned, late, ORDER):
                self.silence(port, attributes)
            ignored = "\n".join(servers.finish())
            self.assertIn("wrong authenticator", ignored)
            self.assertNotIn("mirror", ignored)

    def silence(self, port, attributes):
        """No answer within a second: what would be answered is answered at once."""
        with tempfile.NamedTemporaryFile("w") as shared:
            shared.write(SECRET)
            shared.flush()
            done = subprocess.run(["radclient", "-x", "-r", "1", "-t", "1", "-S", shared.name,
                                   f"127.0.0.1:{port}", "coa"],
                                  input=attributes, capture_output=True, text=True,
                                  timeout=PATIENCE)
        self.assertNotIn("Received", done.stdout)

    def test_a_request_that_was_recorded_on_the_way_cannot_be_replayed(self):
        """Between radclient and the server stands one who keeps the request."""
        with Servers() as servers:
            self.start(servers)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as middle, \
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as replayer:
                middle.bind(("127.0.0.1", 0))
                middle.settimeout(PATIENCE)
                replayer.settimeout(1)
                with tempfile.NamedTemporaryFile("w") as shared:
                    shared.write(SECRET)
                    shared.flush()
                    asker = subprocess.Popen(
                        ["radclient", "-r", "1", "-t", str(PATIENCE), "-S", shared.name,
                         "127.0.0.1:%d" % middle.getsockname()[1], "coa"],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                    asker.stdin.write(ORDER + now())
                    asker.stdin.close()
                    request, client = middle.recvfrom(4096)
                    server = ("127.0.0.1", servers.authorization)
                    middle.sendto(request, server)
                    answer = middle.recv(4096)
                    middle.sendto(answer, client)
                    asker.stdout.read()
                    self.assertEqual(asker.wait(PATIENCE), 0)
                    asker.stdout.close()
                self.assertEqual(servers.line(), "mirror 1 handle of 4 octets, to 192.0.2.5:6502")
                # Repeated by who sent it: the same answer, and nothing is done again.
                middle.sendto(request, server)
                self.assertEqual(middle.recv(4096), answer)
                replayer.sendto(request, server)
                with self.assertRaises(socket.timeout):
                    replayer.recv(4096)
            self.assertEqual(servers.finish(),
                             ["RADIUS dynamic authorization: ignored: 1 handled before"])

    def test_a_request_cut_or_changed_anywhere_gets_no_answer(self):
        with Servers() as servers, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            server = ("127.0.0.1", servers.authorization)
            packet = bytes([43, 1, 0, 38]) + bytes(16) + bytes([80, 18]) + bytes(16)
            for size in range(len(packet) + 1):
                sender.sendto(packet[:size], server)
            sender.settimeout(1)
            with self.assertRaises(socket.timeout):
                sender.recv(4096)
            self.assertTrue(all(line.startswith("RADIUS dynamic authorization: ignored: ")
                                for line in servers.finish()))


if __name__ == "__main__":
    unittest.main()
