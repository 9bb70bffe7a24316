# SPDX-License-Identifier: Apache-2.0
"""FreeRADIUS with its Juniper dictionary, started on loopback."""

import os
import pathlib
import select
import shutil
import signal
import subprocess
import threading
import time

import lab

PROGRAM = shutil.which("freeradius", path=os.environ["PATH"] + ":/usr/sbin")
SECRET = "s3cret of both"

CONFIGURATION = """
name = radiusd
confdir = {directory}
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
db_dir = {directory}
libdir = /usr/lib/freeradius
pidfile = {directory}/pid
proxy_requests = no
security {{
    reject_delay = {reject_delay}
    status_server = no
}}
client test {{
    ipaddr = 127.0.0.0/8
    secret = "{secret}"
    require_message_authenticator = yes
}}
modules {{
    files {{
        filename = {directory}/users
    }}
    pap {{
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 0.0.0.0
        port = {port}
    }}
    authorize {{
        files
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
    }}
    # Versions before 3.2.5 answer without Message-Authenticator unless they are told.
    post-auth {{
        {signature}
        Post-Auth-Type REJECT {{
            {signature}
        }}
    }}
}}
"""
SIGNATURE = "update reply { Message-Authenticator := 0x00 }"


class FreeRadius:
    """FreeRADIUS at a port of every address of loopback, which can be stopped and started again,
    and held still."""

    def __init__(self, directory, users, signature=SIGNATURE, reject_delay=0):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.port = lab.free_udp_ports(1)[0]
        (self.directory / "radiusd.conf").write_text(CONFIGURATION.format(
            directory=directory, secret=SECRET, port=self.port, signature=signature,
            reject_delay=reject_delay), encoding="utf-8")
        (self.directory / "users").write_text(users, encoding="utf-8")
        self.said = []
        self.reader = threading.Thread(target=lambda: None)
        self.reader.start()
        self.process = None

    def start(self):
        """Returns when it takes requests."""
        self.process = subprocess.Popen(
            [PROGRAM, "-X", "-d", str(self.directory), "-n", "radiusd"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            self.said.append(line)
            if "Ready to process requests" in line:
                break
        else:
            raise AssertionError("FreeRADIUS did not start:\n" + "".join(self.said))
        # It would stop when nobody read what it says.
        self.reader = threading.Thread(target=self.said.extend, args=(self.process.stdout,))
        self.reader.start()
        return self

    def hold(self):
        """Answers nothing until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)

    def wait_for_request(self):
        """While it is held: until a request waits in its socket."""
        end = time.monotonic() + lab.PATIENCE
        while time.monotonic() < end:
            with open("/proc/net/udp", encoding="ascii") as sockets:
                for line in sockets.readlines()[1:]:
                    words = line.split()
                    if int(words[1].split(":")[1], 16) == self.port and \
                            int(words[4].split(":")[1], 16) > 0:
                        return
            select.select([], [], [], 0.02)
        raise AssertionError("no request came")

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process.stdout.close()
            self.process = None
