# SPDX-License-Identifier: Apache-2.0
"""The example authenticate-login, driven login by login."""

import os
import socket
import subprocess

PROGRAM = os.environ["AUTHENTICATE_LOGIN"]


def free_port():
    """A port of loopback on which nobody listens now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Asker:
    """A running authenticate-login."""

    def __init__(self, secret, *ports, host="127.0.0.1"):
        addresses = [word for port in ports for word in (host, str(port))]
        self.process = subprocess.Popen(
            [PROGRAM, *addresses], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.process.stdin.write(secret + "\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask(self, login, password):
        """Starts to ask; `answer` waits for what became of it."""
        self.process.stdin.write(f"{login} {password}\n")
        self.process.stdin.flush()

    def answer(self):
        return self.process.stdout.readline().rstrip("\n")

    def log_in(self, login, password):
        self.ask(login, password)
        return self.answer()

    def finish(self):
        """Ends the program; its lines for the log."""
        _, log = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, (self.process.returncode, log)
        return log.splitlines()
