# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: packets and captures made from nothing, a DTCP peer written
from the specification alone, and a dfcd that is started, watched and stopped.

Nothing here shares code with the project, so that a mistake there is not repeated here.
"""

import hashlib
import hmac
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("FLOWTAP_BUILD_ROOT", "build")
SOURCE = os.environ.get("FLOWTAP_SOURCE_ROOT", ".")
SHARED = os.environ.get("FLOWTAP_SHARED_DATA", "")
DFCD = os.path.join(BUILD, "examples", "dfcd", "dfcd")
DTCP = os.path.join(BUILD, "tools", "dtcp")

# A wait never lasts this long unless something is broken.
PATIENCE = 60


# --- packets -----------------------------------------------------------------------------------

def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, destination, protocol, payload, identification=1, ttl=64, fragment=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, fragment, ttl,
                         protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + payload


def ipv6(source, destination, protocol, payload, hop_limit=64):
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, hop_limit,
                       socket.inet_pton(socket.AF_INET6, source),
                       socket.inet_pton(socket.AF_INET6, destination)) + payload


def udp(source_port, destination_port, payload):
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def tcp(source_port, destination_port, payload, sequence=1):
    return struct.pack("!HHIIBBHHH", source_port, destination_port, sequence, 0, 0x50, 0x18, 8192,
                       0, 0) + payload


def icmp(kind, code, payload=b""):
    message = struct.pack("!BBHI", kind, code, 0, 0) + payload
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def ethernet(packet, vlan=None):
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return bytes.fromhex("020000000002020000000001") + tag + struct.pack("!H", kind) + packet


def pcap_header(link_type=1):
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type)


def pcap_records(frames):
    return b"".join(
        struct.pack("<IIII", 1700000000 + index // 1000, index % 1000 * 1000, len(frame),
                    len(frame)) + frame for index, frame in enumerate(frames))


def write_pcap(path, frames, link_type=1):
    with open(path, "wb") as out:
        out.write(pcap_header(link_type) + pcap_records(frames))


class Pipe:
    """A capture that comes through a named pipe, as far as it is sent."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "pipe")
        os.mkfifo(self.path)
        self.opening = threading.Thread(target=self.open)
        self.opening.start()

    def open(self):
        # Waits until dfcd opens the other end.
        self.pipe = open(self.path, "wb", buffering=0)
        self.pipe.write(pcap_header())

    def send(self, octets):
        self.opening.join(PATIENCE)
        self.pipe.write(octets)

    def close(self):
        self.pipe.close()


def read_pcap(path):
    """The frames of a classic pcap file, whichever byte order it is in."""
    with open(path, "rb") as capture:
        octets = capture.read()
    if len(octets) < 24:
        return []
    order = "<" if octets[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    frames, at = [], 24
    while at + 16 <= len(octets):
        captured = struct.unpack(order + "I", octets[at + 8:at + 12])[0]
        frames.append(octets[at + 16:at + 16 + captured])
        at += 16 + captured
    return frames


def split_copy(packet):
    """(source, destination, source port, destination port, TTL, inner packet) of a copy in
    IPv4 or IPv6 and UDP."""
    if packet[0] >> 4 == 4:
        assert checksum(packet[:20]) == 0, "the outer IPv4 checksum is wrong"
        assert packet[9] == 17 and struct.unpack("!H", packet[2:4])[0] == len(packet)
        source, destination = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
        ttl, rest = packet[8], packet[20:]
    else:
        assert packet[6] == 17
        source = socket.inet_ntop(socket.AF_INET6, packet[8:24])
        destination = socket.inet_ntop(socket.AF_INET6, packet[24:40])
        ttl, rest = packet[7], packet[40:]
    source_port, destination_port, length = struct.unpack("!HHH", rest[:6])
    assert length == len(rest), "the UDP length is wrong"
    return source, destination, source_port, destination_port, ttl, rest[8:]


# --- DTCP --------------------------------------------------------------------------------------

def request(method, fields, key=b"Juniper", version="0.7", line_end="\r\n"):
    """One signed request. `fields` is a list of (name, value)."""
    text = "%s DTCP/%s%s" % (method, version, line_end)
    text += "".join("%s: %s%s" % (name, value, line_end) for name, value in fields)
    signature = hmac.new(key, text.encode("latin-1"), hashlib.sha1).hexdigest()
    return (text + "Authentication-Info: " + signature + line_end + line_end).encode("latin-1")


class Answer:
    """One message from the server, its HMAC checked."""

    def __init__(self, octets, key=b"Juniper"):
        self.octets = octets
        at = octets.rindex(b"AUTHENTICATION-INFO:")
        expected = hmac.new(key, octets[:at], hashlib.sha1).hexdigest()
        given = octets[at:].split(b":", 1)[1].strip().decode()
        assert given == expected, "an answer is signed wrongly: %r" % octets
        lines = octets.decode("latin-1").split("\r\n")
        match = re.match(r"DTCP/(\d\.\d) (\d+) (.*)$", lines[0])
        assert match, "not an answer: %r" % octets
        self.version, self.code, self.reason = match[1], int(match[2]), match[3]
        self.fields = [tuple(part.strip() for part in line.split(":", 1))
                       for line in lines[1:] if line]

    def __getitem__(self, name):
        return next(value for key, value in self.fields if key == name)

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    def names(self):
        return [key for key, _ in self.fields]


class Device:
    """A mediation device: a paramiko session with one DTCP channel."""

    def __init__(self, port, login, password, key=b"Juniper", host="127.0.0.1"):
        import paramiko
        self.login, self.key, self.sequence = login, key, 0
        self.transport = paramiko.Transport((host, port))
        self.transport.connect(username=login, password=password)
        self.channel = self.transport.open_session()
        self.channel.settimeout(PATIENCE)
        self.channel.invoke_subsystem("flow-tap-dtcp")
        self.buffer = b""

    def sign(self, method, fields=(), version="0.7", csource=None, sequence=None, key=None):
        self.sequence += 1
        names = [("Csource-ID", csource or self.login)] + list(fields) + \
            [("Seq", str(sequence or self.sequence))]
        return request(method, names, key or self.key, version)

    def send(self, octets):
        self.channel.sendall(octets)

    def receive(self):
        """The next message, or None at the end of the channel."""
        while b"\r\n\r\n" not in self.buffer:
            octets = self.channel.recv(65536)
            if not octets:
                return None
            self.buffer += octets
        message, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return Answer(message + b"\r\n\r\n", self.key)

    def ask(self, method, fields=(), **how):
        self.send(self.sign(method, fields, **how))
        return self.receive()

    def close(self):
        self.transport.close()


class UdpDevice:
    """A mediation device that sends its requests over UDP, from one socket."""

    def __init__(self, port, login, key, host="127.0.0.1", source="127.0.0.1", sequence=0):
        self.at, self.login, self.key, self.sequence = (host, port), login, key, sequence
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                                    socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.socket.settimeout(PATIENCE)

    def sign(self, method, fields=(), version="0.7", csource=None, sequence=None, key=None):
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        names = [("Csource-ID", csource or self.login)] + list(fields) + [("Seq", str(sequence))]
        return request(method, names, key or self.key, version)

    def send(self, octets, at=None):
        self.socket.sendto(octets, at or self.at)

    def receive(self, at=None):
        """The next message; it must come from the address and port that were asked."""
        octets, sender = self.socket.recvfrom(65536)
        assert sender[:2] == tuple(at or self.at), "the answer came from %s port %d" % sender[:2]
        return Answer(octets, self.key)

    def ask(self, method, fields=(), at=None, **how):
        octets = self.sign(method, fields, **how)
        self.send(octets, at)
        answer = self.receive(at)
        assert answer["SEQ"] == re.search(rb"Seq: (\d+)", octets)[1].decode()
        return answer

    def has_heard_nothing(self):
        return not select.select([self.socket], [], [], 0)[0]

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()


def free_udp_ports(count):
    """Ports that no UDP socket has."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("0.0.0.0", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Target:
    """Where notifications of one control source go."""

    def __init__(self, key, host="127.0.0.1"):
        self.key = key
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.settimeout(PATIENCE)
        self.host, self.port = self.socket.getsockname()

    def receive(self):
        return Answer(self.socket.recv(65536), self.key)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.socket.close()


def add_fields(filters, destination=("192.0.2.5", 2300), source=("198.51.100.9", 65535), cdest="cd1"):
    """The fields of an ADD of flow-tap with one content destination."""
    return [("Cdest-ID", cdest)] + list(filters) + [
        ("Priority", "2"),
        ("X-JTap-Cdest-Dest-Address", destination[0]),
        ("X-JTap-Cdest-Dest-Port", str(destination[1])),
        ("X-JTap-Cdest-Source-Address", source[0]),
        ("X-JTap-Cdest-Source-Port", str(source[1])),
        ("X-JTap-Cdest-TTL", "255"),
        ("Flags", "STATIC")]


# --- dfcd --------------------------------------------------------------------------------------

def hash_password(password):
    # SHA-512 with few rounds keeps the tests quick.
    return subprocess.run(["openssl", "passwd", "-6", "-salt", "flowtap", password], check=True,
                          capture_output=True, text=True).stdout.strip()


def configuration(users, flow_tap="", families=("inet", "inet6"), extra="", connection_limit=75):
    """A configuration with these users: {login: (password, [permissions])}."""
    classes, logins = [], []
    for login, (password, permissions) in users.items():
        classes.append("class class-%s { permissions [ %s ]; }" % (login, " ".join(permissions)))
        logins.append('user %s { class class-%s; authentication { encrypted-password "%s"; } }' %
                      (login, login, hash_password(password)))
    family = " ".join("family %s;" % name for name in families)
    return """
system {
    login { %s %s }
    services { flow-tap-dtcp { ssh { connection-limit %d; rate-limit 250; } } }
}
interfaces {
    sp-1/2/0 { unit 100 { %s } }
    ge-0/0/0 { unit 0 { family inet; family inet6; } unit 100 { vlan-id 100; family inet; } }
    ge-0/0/1 { unit 0 { family inet; family inet6; } }
}
%s
services { flow-tap { interface sp-1/2/0.100; %s %s } }
""" % (" ".join(classes), " ".join(logins), connection_limit, family, extra, family, flow_tap)


class Dfcd:
    """A dfcd with a directory of its own (or one that is there already and stays), on a port it
    picked itself."""

    def __init__(self, config, *arguments, prefix=(), directory=None):
        self.is_temporary = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="dfcd-")
        self.config = os.path.join(self.directory, "dfcd.conf")
        with open(self.config, "w") as out:
            out.write(config)
        os.chmod(self.config, 0o600)
        self.log = open(os.path.join(self.directory, "log"), "w+")
        command = list(prefix) + [
            DFCD, "--config", self.config, "--listen", "127.0.0.1", "--port", "0",
            "--host-key", os.path.join(self.directory, "host-key"),
            "--audit-log", os.path.join(self.directory, "audit.jsonl"),
            "--sequence-file", os.path.join(self.directory, "sequences")] + list(arguments)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        self.port = int(self.wait_for(r"listening on \S+ port (\d+)")[1])

    def text(self):
        with open(self.log.name) as log:
            return log.read()

    def wait_for(self, pattern):
        """Waits until a line of dfcd's log matches."""
        end = time.monotonic() + PATIENCE
        while True:
            ended = self.process.poll() is not None
            match = re.search(pattern, self.text())
            if match:
                return match
            if ended or time.monotonic() > end:
                raise AssertionError("dfcd never said %r; its log:\n%s" % (pattern, self.text()))
            select.select([], [], [], 0.02)

    def wait(self):
        """Waits until dfcd ends; returns its exit status and its standard output."""
        output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def crash(self):
        self.process.kill()
        return self.wait()

    def audit(self):
        with open(os.path.join(self.directory, "audit.jsonl")) as lines:
            return [json.loads(line) for line in lines]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            sys.stderr.write("--- log of dfcd ---\n" + self.text())
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.log.close()
        if self.is_temporary:
            shutil.rmtree(self.directory, ignore_errors=True)


# --- tests -------------------------------------------------------------------------------------

def main(module):
    """Runs every function of a test script whose name begins with test_; a name on the command
    line chooses one."""
    chosen = sys.argv[1:]
    failed = passed = 0
    for name, function in sorted(vars(module).items()):
        if not name.startswith("test_") or (chosen and name not in chosen):
            continue
        try:
            function()
            passed += 1
            print("ok      " + name, flush=True)
        except Exception:  # every failure is reported, and the others still run
            import traceback
            traceback.print_exc()
            failed += 1
            print("FAILED  " + name, flush=True)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)
