#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may log in to dfcd, by passwords of its configuration and by FreeRADIUS with its Juniper
dictionary, which is started once on loopback."""

import concurrent.futures
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import paramiko

import lab
from freeradius_server import PROGRAM, SECRET, FreeRadius

RADIUS_USERS = """
bob Cleartext-Password := "far"
    Juniper-User-Permissions = "flow-tap-operation"

ann Cleartext-Password := "far"
    Juniper-User-Permissions = "flow-tap-operation configure floppy"

lea1 Cleartext-Password := "far"
    Juniper-User-Permissions = "view"

carl Cleartext-Password := "far"
    Juniper-Local-User-Name = "template"

poor Cleartext-Password := "far"
    Juniper-User-Permissions = "view"

poor2 Cleartext-Password := "far"
    Reply-Message = "welcome"

mover Cleartext-Password := "far", Calling-Station-Id == "127.0.0.1"
    Juniper-User-Permissions = "flow-tap-operation"

mover Cleartext-Password := "far"
    Juniper-User-Permissions = "view"
"""
LOCAL_USERS = {"lea1": ("near", ["flow-tap-operation"]),
               "ann": ("near", ["admin", "flow-tap"]),
               "template": ("none at all", ["flow-tap-operation"]),
               "boss": ("near", ["flow-tap-control", "system-control", "admin-control"])}
BOTH = "[ radius password ]"
RADIUS = "radius"


def servers(*addresses, secret=SECRET, timeout=10):
    return "radius-server { %s }" % " ".join(
        '%s { port %d; secret "%s"; timeout %d; retry 1; }' % (address, port, secret, timeout)
        for address, port in addresses)


def configuration(order, radius, replacing=()):
    text = lab.configuration(LOCAL_USERS)
    text = text.replace("system {", "system { authentication-order %s; %s" % (order, radius), 1)
    for what, by in replacing:
        assert what in text, what
        text = text.replace(what, by)
    return text


class Service:
    """A dfcd, and FreeRADIUS beside it."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.radius = FreeRadius(os.path.join(self.directory.name, "radius"), RADIUS_USERS).start()
        self.here = ("127.0.0.1", self.radius.port)
        self.dfcd = lab.Dfcd(configuration("password", ""))
        self.times_read = 0

    def use(self, order, radius, *replacing):
        """Puts another configuration in force."""
        wanted = configuration(order, radius, replacing)
        with open(self.dfcd.config) as now:
            if now.read() == wanted:
                return
        with open(self.dfcd.config, "w") as out:
            out.write(wanted)
        self.dfcd.process.send_signal(signal.SIGHUP)
        self.times_read += 1
        self.dfcd.wait_for("(?s)(the configuration was read again.*){%d}" % self.times_read)

    def connect(self, source="127.0.0.1"):
        made = socket.create_connection(("127.0.0.1", self.dfcd.port), lab.PATIENCE, (source, 0))
        return paramiko.Transport(made)

    def log_in(self, name, password, source="127.0.0.1"):
        """A session, or None."""
        transport = self.connect(source)
        try:
            transport.connect(username=name, password=password)
        except paramiko.AuthenticationException:
            transport.close()
            return None
        return transport

    def may(self, name, password, source="127.0.0.1"):
        session = self.log_in(name, password, source)
        if session is None:
            return False
        session.close()
        return True

    def time_refusals(self, *logins):
        """Has all of these refused at a time; after which time each was."""
        def refuse(number, login):
            # Connections of one source at a time are limited.
            transport = self.connect("127.0.1.%d" % (number + 1))
            transport.start_client()
            begin = time.monotonic()
            try:
                transport.auth_password(*login)
                raise AssertionError("%s was let in" % login[0])
            except paramiko.AuthenticationException as refusal:
                return time.monotonic() - begin, str(refusal)
            finally:
                transport.close()
        with concurrent.futures.ThreadPoolExecutor(len(logins)) as pool:
            seen = list(pool.map(refuse, range(len(logins)), logins))
        assert len({text for _, text in seen}) == 1, seen
        return [after for after, _ in seen]

    def tap(self, name, password):
        """Adds a criterion; the code of the answer."""
        with contextlib.closing(lab.Device(self.dfcd.port, name, password)) as device:
            return device.ask("ADD", lab.add_fields([("Source-Address", "10.0.0.1")])).code

    def command(self, name, password, command):
        """What OpenSSH's client shows of it."""
        return subprocess.run(
            ["sshpass", "-p", password, "ssh", "-F", "none", "-p", str(self.dfcd.port),
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "LogLevel=ERROR", "-o", "PreferredAuthentications=password",
             "-o", "NumberOfPasswordPrompts=1", name + "@127.0.0.1", command],
            capture_output=True, text=True, timeout=lab.PATIENCE)

    def __enter__(self):
        self.dfcd.__enter__()
        return self

    def __exit__(self, *how):
        log = self.dfcd.text()
        self.dfcd.__exit__(*how)
        self.radius.go_on()
        self.radius.stop()
        self.directory.cleanup()
        # Whatever happened, nobody was named.
        for name in ("bob", "ann", "lea1", "carl", "poor", "near", "far", SECRET):
            assert name not in log, log


def local_only(at):
    assert at.tap("lea1", "near") == 200
    at.time_refusals(("lea1", "far"), ("bob", "far"))


def radius_only(at):
    at.use(RADIUS, servers(at.here))
    assert at.tap("bob", "far") == 200
    # The server's no is final here: the local passwords are not tried.
    at.time_refusals(("bob", "near"), ("lea1", "near"), ("boss", "near"))


def both_merged(at):
    at.use(BOTH, servers(at.here))
    # The class of the local user of the same name shows flow-tap, RADIUS lets it tap.
    assert at.tap("ann", "far") == 200
    shown = at.command("ann", "far", "show flow-tap status")
    assert shown.returncode == 0 and "Filters:" in shown.stdout, shown
    # Words of RADIUS' that mean nothing are kept, shown, and grant nothing.
    logins = {line["detail"] for line in at.dfcd.audit()
              if (line["event"], line["principal"]) == ("login", "ann")}
    merged = "[flow-tap-operation configure floppy admin flow-tap]"
    assert logins == {merged, "the command line " + merged}, logins
    # With the local password it has its class alone.
    assert at.command("ann", "near", "show flow-tap status").returncode == 0
    try:
        at.tap("ann", "near")
        raise AssertionError("it could tap")
    except paramiko.SSHException:
        pass
    # RADIUS gives nothing that counts here, the class does.
    assert at.tap("lea1", "far") == 200
    # The class of the template that RADIUS names.
    assert at.tap("carl", "far") == 200
    # Without a no of RADIUS' to a local user, it is asked first and the password comes next.
    assert at.tap("lea1", "near") == 200
    shown = at.command("boss", "near", "show configuration | display set")
    assert shown.returncode == 0 and "lea1" in shown.stdout, shown
    assert "bob" not in shown.stdout, shown


def refusals(at):
    at.use(BOTH, servers(at.here))
    logins = (("poor", "far"), ("poor2", "far"), ("bob", "wrong"), ("bob", ""), ("nobody", "far"),
              ("lea1", "wrong"), ("template", "none"))
    for login, after in zip(logins, at.time_refusals(*logins)):
        assert after >= 2, (login, after)
    seen = [line for line in at.dfcd.audit() if line["event"] == "refusal"][-len(logins):]
    assert sorted(line["principal"] for line in seen) == sorted(name for name, _ in logins), seen
    assert len({line["detail"] for line in seen}) == 1, seen
    assert "RADIUS refused a login: 127.0.0.1:%d rejected the login" % at.here[1] in at.dfcd.text()


def the_secrets_differ(at):
    at.use(RADIUS, servers(at.here, secret="another", timeout=1))
    assert not at.may("bob", "far")
    at.dfcd.wait_for(r"RADIUS gave no answer about a login: 127.0.0.1:\d+ gave no answer")
    # Nobody has answered, so local passwords count.
    assert at.tap("lea1", "near") == 200


def the_server_dies_and_comes_back(at):
    at.use(RADIUS, servers(at.here, timeout=1))
    at.radius.hold()
    assert not at.may("bob", "far")
    at.dfcd.wait_for(r"RADIUS server 127.0.0.1:\d+ does not answer")
    assert at.tap("lea1", "near") == 200
    at.radius.go_on()
    assert at.tap("bob", "far") == 200
    at.dfcd.wait_for(r"RADIUS server 127.0.0.1:\d+ answers again")


def the_next_server_is_asked(at):
    nobody = ("127.0.0.2", lab.free_udp_ports(1)[0])
    at.use(RADIUS, servers(nobody, at.here, timeout=1))
    assert at.tap("bob", "far") == 200
    at.dfcd.wait_for(r"RADIUS server 127.0.0.2:\d+ does not answer")
    assert at.tap("bob", "far") == 200


class LyingServer:
    """Answers each request with a flood of what is no answer to it."""

    def __init__(self, host):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.at = self.socket.getsockname()
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while True:
            request, asked_from = self.socket.recvfrom(5000)
            if not request:
                return
            accept = b"\x02" + request[1:2] + b"\x00\x14" + b"\xAA" * 16
            wrong_id = b"\x02" + bytes([request[1] ^ 1]) + accept[2:]
            for lie in (accept, wrong_id, accept[:15], accept + b"\0" * 5000, b"", request) * 50:
                self.socket.sendto(lie, asked_from)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.sendto(b"", self.at)
        self.thread.join()
        self.socket.close()


def a_server_lies(at):
    with LyingServer("127.0.0.3") as liar:
        at.use(RADIUS, servers(liar.at, timeout=1))
        assert not at.may("bob", "far")
        at.dfcd.wait_for(r"RADIUS gave no answer about a login: 127.0.0.3:\d+ gave no answer.*"
                         "wrong authenticator")
        # Nobody has answered, so local passwords count.
        assert at.tap("lea1", "near") == 200


def filters(at):
    shown = at.command("ann", "near", "show flow-tap status").stdout
    return int(re.search(r"^Filters: +(\d+)$", shown, re.MULTILINE)[1])


def criteria_go_with_the_permission(at):
    at.use(BOTH, servers(at.here))
    at.use(BOTH, servers(at.here), ("family inet6; ", ""))  # which deletes all filters
    assert filters(at) == 0
    with contextlib.closing(lab.Device(at.dfcd.port, "mover", "far")) as device:
        assert device.ask("ADD", lab.add_fields([("Source-Address", "10.0.0.1")])).code == 200
        assert at.tap("carl", "far") == 200 and at.tap("bob", "far") == 200
        assert filters(at) == 3
        # From elsewhere RADIUS gives the same user less.
        assert not at.may("mover", "far", "127.0.0.9")
        assert device.receive() is None
    assert filters(at) == 2
    # The class of the template that carl has his permission of.
    at.use(BOTH, servers(at.here), ("family inet6; ", ""),
           ("class class-template { permissions [ flow-tap-operation ]; }",
            "class class-template { permissions [ view ]; }"))
    assert filters(at) == 1
    at.use("password", "", ("family inet6; ", ""))
    assert filters(at) == 0
    gone = [line["principal"] for line in at.dfcd.audit() if line["event"] == "purge"]
    assert gone[-3:] == ["mover", "carl", "bob"], gone


def a_login_that_waits_is_not_disturbed(at):
    at.use(RADIUS, servers(at.here, timeout=30))
    at.radius.hold()
    transport = paramiko.Transport(("127.0.0.1", at.dfcd.port))
    with contextlib.closing(transport):
        transport.start_client()
        waiting = threading.Thread(target=transport.auth_password, args=("bob", "far"))
        waiting.start()
        # Others come in meanwhile.
        at.radius.wait_for_request()
        at.use(BOTH, servers(("127.0.0.2", at.here[1]), timeout=30))
        at.radius.go_on()
        waiting.join()
        assert transport.is_authenticated()
    assert at.tap("lea1", "far") == 200


def test_logins():
    with Service() as at:
        for scene in (local_only, radius_only, both_merged, refusals, the_secrets_differ,
                      the_server_dies_and_comes_back, the_next_server_is_asked,
                      a_server_lies, criteria_go_with_the_permission,
                      a_login_that_waits_is_not_disturbed):
            scene(at)
            print("        " + scene.__name__, flush=True)


def test_tries_and_sources_are_limited():
    """Junos' retry-options, and what is of our own about addresses."""
    limits = ("login {", "login { retry-options { tries-before-disconnect 2; "
              "backoff-threshold 3; }")
    by_source = ("rate-limit 250;", "rate-limit 250; source-connection-limit 2; "
                 "source-failure-limit 2;")
    with lab.Dfcd(configuration("password", "", (limits, by_source))) as dfcd:
        def connect(source):
            return socket.create_connection(("127.0.0.1", dfcd.port), lab.PATIENCE, (source, 0))

        def is_served(source):
            with connect(source) as made:
                return made.recv(4) == b"SSH-"
        with connect("127.0.0.2"), connect("127.0.0.2") as second:
            assert second.recv(4) == b"SSH-"
            assert not is_served("127.0.0.2") and is_served("127.0.0.3")
        client = paramiko.Transport(connect("127.0.0.4"))
        with contextlib.closing(client):
            client.start_client()
            for attempt in range(2):
                assert client.is_active()
                try:
                    client.auth_password("lea1", "wrong")
                    raise AssertionError("it was let in")
                except (paramiko.AuthenticationException, paramiko.SSHException):
                    pass
            client.join(lab.PATIENCE)
            assert not client.is_active()
        assert not is_served("127.0.0.4") and is_served("127.0.0.3")


def test_a_password_is_hashed():
    for scheme, prefix in (((), "$6$"), (("--scheme", "sha512"), "$6$"),
                           (("--scheme", "yescrypt"), "$y$")):
        made = subprocess.run([lab.DFCD, "--hash-password", *scheme], input="n3w one\n", text=True,
                              capture_output=True, timeout=lab.PATIENCE)
        assert (made.returncode, made.stderr) == (0, ""), made
        hashed = made.stdout.rstrip("\n")
        assert hashed.startswith(prefix), hashed
    users = lab.configuration({"lea1": ("x", ["flow-tap-operation"])})
    users = users.replace(lab.hash_password("x"), hashed)
    with lab.Dfcd(users) as dfcd, contextlib.closing(
            lab.Device(dfcd.port, "lea1", "n3w one")) as device:
        assert device.ask("NOOP").code == 200
    for given in ("", "\n", "x" * 600 + "\n"):
        made = subprocess.run([lab.DFCD, "--hash-password"], input=given, text=True,
                              capture_output=True, timeout=lab.PATIENCE)
        assert made.returncode == 1 and made.stdout == "" and "xx" not in made.stderr, made


def type_passwords(*typed):
    """What `--hash-password` says on a terminal, and what it prints."""
    mine, its = os.openpty()
    process = subprocess.Popen([lab.DFCD, "--hash-password"], stdin=its, stderr=its,
                               stdout=subprocess.PIPE, text=True)
    os.close(its)
    shown = b""
    for prompt, line in zip((b"New password: ", b"Retype new password: "), typed):
        while not shown.endswith(prompt):
            shown += os.read(mine, 100)
        os.write(mine, line)
    output, _ = process.communicate(timeout=lab.PATIENCE)
    with contextlib.suppress(OSError):  # which is how a terminal ends
        while octets := os.read(mine, 1000):
            shown += octets
    os.close(mine)
    return process.returncode, shown, output


def test_a_password_is_typed_twice_and_not_shown():
    status, shown, output = type_passwords(b"n3w one\n", b"n3w one\n")
    assert status == 0 and output.startswith("$6$"), (status, shown, output)
    assert shown == b"New password: \r\nRetype new password: \r\n", shown
    status, shown, output = type_passwords(b"n3w one\n", b"another\n")
    assert status == 1 and output == "" and b"the two passwords differ" in shown, shown
    assert b"n3w" not in shown and b"another" not in shown, shown


def test_own_requests_to_the_server_are_never_tapped():
    """What passes between dfcd and its RADIUS server is not copied; what others ask it is."""
    with tempfile.TemporaryDirectory() as directory:
        at = ("198.51.100.9", 1812)
        own = [lab.ethernet(lab.ipv4("127.0.0.1", at[0], 17, lab.udp(40000, at[1], b"own"))),
               lab.ethernet(lab.ipv4(at[0], "127.0.0.1", 17, lab.udp(at[1], 40000, b"own")))]
        others = [lab.ethernet(lab.ipv4("10.0.0.9", at[0], 17, lab.udp(40000, at[1], b"other"))),
                  lab.ethernet(lab.ipv4(at[0], "127.0.0.1", 17, lab.udp(53, 40000, b"other")))]
        capture, copies = os.path.join(directory, "in.pcap"), os.path.join(directory, "out.pcap")
        lab.write_pcap(capture, own + others)
        criteria = os.path.join(directory, "criteria")
        with open(criteria, "w") as out:
            out.write("ADD DTCP/0.7\nProtocol: 17\n" + "".join(
                "%s: %s\n" % field for field in lab.add_fields([])) + "\n")
        with lab.Dfcd(configuration(BOTH, servers(at)), "--criteria", criteria,
                      "--read", "ge-0/0/0=" + capture, "--write", copies, "--once",
                      "--json") as dfcd:
            status, summary = dfcd.wait()
            assert status == 0, dfcd.text()
            inner = [lab.split_copy(copy)[5] for copy in lab.read_pcap(copies)]
            assert inner == [frame[14:] for frame in others], inner
            assert lab.json.loads(summary)["own"] == len(own), summary


if __name__ == "__main__":
    if not PROGRAM:
        print("SKIPPED: freeradius is not installed")
        sys.exit(77)
    lab.main(sys.modules[__name__])
