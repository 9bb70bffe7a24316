# SPDX-License-Identifier: Apache-2.0
"""A dfcd that serves DTCP over UDP, for the client written from the draft: its configuration, its
traffic, its end; and what the tests with that client share. Nothing here is another test's."""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import draft_client
from draft_client import require

DFCD = os.path.join(os.environ.get("FLOWTAP_BUILD_ROOT", "build"), "examples", "dfcd", "dfcd")
PATIENCE = 30
READY = r"listening on .*\(UDP\)"


def free_ports(count):
    """Ports of UDP that nobody uses now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def until(what, said="it never came to pass"):
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            raise AssertionError(said() if callable(said) else said)
        time.sleep(0.01)


# --- traffic -----------------------------------------------------------------------------------

def packet(source, length=100, port=53, mark=0):
    """An IPv4 packet with UDP, `length` octets long."""
    payload = struct.pack("!I", mark).ljust(length - 28, b"x")
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, mark & 0xFFFF, 0, 64, 17, 0,
                         socket.inet_aton(source), socket.inet_aton("10.0.0.99"))
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return (header[:10] + struct.pack("!H", ~total & 0xFFFF) + header[12:] +
            struct.pack("!HHHH", 1000, port, 8 + len(payload), 0) + payload)


class Wire:
    """Packets that arrive when they are sent: a capture that comes through a named pipe."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        self.pipe = None
        self.opening = threading.Thread(target=self.open, daemon=True)
        self.opening.start()

    def open(self):
        pipe = open(self.path, "wb", buffering=0)
        # Link type 101: packets begin with their IP header.
        pipe.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.pipe = pipe

    def send(self, packets):
        self.opening.join(PATIENCE)
        self.pipe.write(b"".join(
            struct.pack("<IIII", 1700000000, 0, len(one), len(one)) + one for one in packets))


# --- dfcd --------------------------------------------------------------------------------------

class Service:
    """A dfcd with files of its own. `restart` starts it again with the same ones."""

    def __init__(self, config, traffic=False):
        self.directory = tempfile.mkdtemp(prefix="draft-")
        self.path = os.path.join(self.directory, "dfcd.conf")
        with open(self.path, "w", encoding="ascii") as out:
            out.write(config)
        os.chmod(self.path, 0o600)
        self.wire = Wire(self.file("wire")) if traffic else None
        self.process, self.log_path, self.runs = None, None, 0
        self.start()

    def file(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        self.runs += 1
        self.log_path = self.file("log%d" % self.runs)
        command = [DFCD, "--config", self.path, "--listen", "127.0.0.1", "--port", "0",
                   "--host-key", self.file("key"), "--audit-log", self.file("audit"),
                   "--sequence-file", self.file("sequences"),
                   "--write", self.file("copies"), "--json", "--start-now"]
        if self.wire:
            command += ["--read", "ge-0/0/0=" + self.wire.path]
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log,
                                            stdout=subprocess.PIPE, text=True)
        until(lambda: self.process.poll() is not None or re.search(READY, self.log()),
              lambda: "dfcd did not start:\n" + self.log())
        if self.process.poll() is not None:
            raise AssertionError("dfcd ended at once:\n" + self.log())

    def log(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def audit(self):
        with open(self.file("audit"), encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def copies(self):
        """The copies up to now."""
        with open(self.file("copies"), "rb") as capture:
            octets = capture.read()
        found, at = [], 24
        while at + 16 <= len(octets):
            length = struct.unpack("<I", octets[at + 8:at + 12])[0]
            if at + 16 + length > len(octets):
                break
            found.append(octets[at + 16:at + 16 + length])
            at += 16 + length
        return found

    def stop(self):
        """Ends dfcd cleanly; returns its summary."""
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, self.log()
        return json.loads(output)

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            sys.stderr.write("--- log of dfcd ---\n" + self.log())
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


SURROUNDINGS = """
interfaces {
    sp-1/2/0 { unit 100 { family inet; family inet6; } }
    ge-0/0/0 { unit 0 { family inet; family inet6; } }
}
"""


class FlowTap:
    """Flow-tap with two control sources over UDP, each with a listener for its notifications.
    `own` adds statements to a control source: {name: statements}; `system` adds to the
    configuration."""

    KEYS = {"lea1": "first key", "lea2": "second key"}

    def __init__(self, own=None, listen="127.0.0.1", traffic=False, system=""):
        own = own or {}
        self.port, self.second_port = free_ports(2)
        self.listeners = {name: draft_client.Listener(key) for name, key in self.KEYS.items()}
        sources = "".join(
            'control-source %s { udp; dtcp-key "%s"; notification-targets { 127.0.0.1 port %d; } '
            "%s }\n" % (name, key, self.listeners[name].port, own.get(name, ""))
            for name, key in self.KEYS.items())
        self.config = system + SURROUNDINGS + (
            "services { flow-tap { interface sp-1/2/0.100; family inet; family inet6;\n"
            "udp { listen %s port %d; listen 127.0.0.3 port %d; }\n%s} }\n" %
            (listen, self.port, self.second_port, sources))
        self.service = Service(self.config, traffic)
        self.clients = []

    def client(self, name="lea1", server=None, key=None, **how):
        made = draft_client.Client(name, key or self.KEYS.get(name, "no key"),
                                   server or ("127.0.0.1", self.port), **how)
        self.clients.append(made)
        return made

    def __enter__(self):
        self.service.__enter__()
        return self

    def __exit__(self, *what):
        for each in self.clients + list(self.listeners.values()):
            each.close()
        self.service.__exit__(*what)


class Capture:
    """Dynamic flow capture with two control sources and two content destinations; what stands in
    `destination` and `group` is added to them."""

    KEYS = {"soc1": "first key", "soc2": "second key"}

    def __init__(self, destination="", group="", own=None):
        own = own or {}
        self.port = free_ports(1)[0]
        self.listeners = {name: draft_client.Listener(key) for name, key in self.KEYS.items()}
        sources = "".join(
            'control-source %s { service-port %d; shared-key "%s"; '
            "notification-targets { 127.0.0.1 port %d; } allowed-destinations [ %s ]; %s }\n" %
            (name, self.port, key, self.listeners[name].port,
             "probe1 probe2" if name == "soc1" else "probe1", own.get(name, ""))
            for name, key in self.KEYS.items())
        self.config = SURROUNDINGS + (
            "services { dynamic-flow-capture { capture-group one { interfaces [ ge-0/0/0.0 ];\n"
            "%s\ncontent-destination probe1 { address 192.0.2.1; ttl 17; %s }\n"
            "content-destination probe2 { address 192.0.2.2; }\n%s} } }\n" %
            (group, destination, sources))
        self.service = Service(self.config, traffic=True)
        self.clients = []

    client = FlowTap.client
    __enter__ = FlowTap.__enter__
    __exit__ = FlowTap.__exit__


# --- what the tests say ------------------------------------------------------------------------

def tap(*filters, destination="192.0.2.5", port=2300, cdest="cd1", more=(("Flags", "Static"),)):
    """The parameters of an ADD of flow-tap (appendix B)."""
    return list(filters) + list(more) + [
        ("Cdest-ID", cdest),
        ("X-JTap-Cdest-Dest-Address", destination),
        ("X-JTap-Cdest-Dest-Port", str(port)),
        ("X-JTap-Cdest-Source-Address", "198.51.100.9"),
        ("X-JTap-Cdest-Source-Port", "40000")]


HOST = ("Source-Address", "10.0.0.1")


def capture(source, *more, cdest="probe1"):
    """The parameters of an ADD of dynamic flow capture."""
    return [("Source-Address", source), ("Cdest-ID", cdest)] + list(more or [("Flags", "Static")])


def silent(client, octets):
    """What must not be answered, and a NOOP that must be."""
    client.send(octets)
    client.ask_ok("NOOP")
    require(client.nothing_more(), "only the NOOP is answered", octets)


# --- running ------------------------------------------------------------------------------------

SEED = 20091110


def main(module):
    """Runs every function whose name begins with test_; names on the command line choose some."""
    print("seed %d" % SEED)
    chosen, passed, failed = sys.argv[1:], 0, 0
    for name, function in list(module.items()):
        if not name.startswith("test_") or (chosen and name not in chosen):
            continue
        start = time.monotonic()
        try:
            function()
            passed += 1
            print("ok      %s" % name, flush=True)
        except Exception:  # every failure is reported, and the others still run
            traceback.print_exc()
            failed += 1
            print("FAILED  %s" % name, flush=True)
        print("        %.1f s" % (time.monotonic() - start), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)
