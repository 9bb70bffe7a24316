#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The tool dtcp and dfcd over UDP: dynamic flow capture, across restarts of both."""

import json
import os
import re
import subprocess
import tempfile
import time
import unittest

import lab

TOOL = os.path.join(os.environ["FLOWTAP_BUILD_ROOT"], "tools", "dtcp")
FILTER = ["Source-Address: 10.0.0.1", "Cdest-ID: cd1", "Flags: STATIC"]


def configuration(port, target):
    return """
interfaces { ge-0/0/0 { unit 0 { family inet { address 198.51.100.1/24; } } } }
services { dynamic-flow-capture { capture-group lab {
    interfaces ge-0/0/0.0;
    control-source lea1 {
        service-port %d;
        source-addresses 127.0.0.1;
        shared-key "key of lea1";
        notification-targets { 127.0.0.1 port %d; }
        allowed-destinations cd1;
    }
    content-destination cd1 { address 203.0.113.1; }
} } }
""" % (port, target)


class Tool:
    """The tool, with a home and thereby a sequence file of its own."""

    def __init__(self, home, port):
        self.command = [TOOL, "--udp", "-p", str(port), "-l", "lea1", "--timeout", "60"]
        self.environment = {**os.environ, "HOME": home, "DTCP_KEY": "key of lea1"}
        self.environment.pop("XDG_STATE_HOME", None)

    def start(self, *arguments):
        return subprocess.Popen(self.command + list(arguments), env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def run(self, *arguments):
        done = subprocess.run(self.command + list(arguments), env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=lab.PATIENCE)
        return done.returncode, done.stdout, done.stderr


class DynamicFlowCapture(unittest.TestCase):
    def test_tasks_and_notifications_go_on_after_restarts(self):
        port, target = lab.free_udp_ports(2)
        with tempfile.TemporaryDirectory() as home:
            tool = Tool(home, port)
            listening = tool.start("--json", "--await", "3", "--notify", "127.0.0.1:%d" % target,
                                   "127.0.0.1", "listen")
            self.addCleanup(listening.stdout.close)
            self.addCleanup(listening.wait)
            self.addCleanup(listening.kill)
            self.wait_until_bound(target)
            for start in (1, 2):
                with lab.Dfcd(configuration(port, target), directory=home) as dfcd:
                    self.assertEqual(tool.run("127.0.0.1", "add", *FILTER)[:2],
                                     (0, "200 OK, criterion 1\n"))
                    code, listed, _ = tool.run("--json", "127.0.0.1", "list")
                    self.assertEqual(code, 0)
                    self.assertEqual(json.loads(listed.splitlines()[0])["cdest-ids"], ["cd1"])
                    code, answer, _ = tool.run("127.0.0.1", "add", "Cdest-ID: cd2",
                                               "Flags: STATIC")
                    self.assertEqual(code, 1)
                    self.assertRegex(answer, r"^430 ")
                    if start == 2:
                        self.assertEqual(tool.run("127.0.0.1", "noop", "Flags: SendAsync")[0], 0)
                        heard, _ = listening.communicate(timeout=lab.PATIENCE)
                    self.assertEqual(dfcd.stop()[0], 0)
            self.assertEqual(listening.returncode, 0)
            self.assertEqual([json.loads(line)["status"] for line in heard.splitlines()],
                             [599, 599, 131])

    def wait_until_bound(self, port):
        """Until somebody listens on the port; the system tells."""
        wanted = re.compile(r": 0100007F:%04X " % port)
        end = time.monotonic() + lab.PATIENCE
        while time.monotonic() < end:
            with open("/proc/net/udp", encoding="ascii") as table:
                if wanted.search(table.read()):
                    return
        self.fail("nobody listens")


if __name__ == "__main__":
    unittest.main(verbosity=2)
