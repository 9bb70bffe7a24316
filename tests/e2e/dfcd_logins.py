#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may log in to dfcd, by passwords of its configuration and by FreeRADIUS with its Juniper
dictionary, which is started once on loopback."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading

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


def configuration(order, radius):
    text = lab.configuration(LOCAL_USERS)
    return text.replace("system {", "system { authentication-order %s; %s" % (order, radius), 1)


class Service:
    """A dfcd, and FreeRADIUS beside it."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.radius = FreeRadius(os.path.join(self.directory.name, "radius"), RADIUS_USERS).start()
        self.here = ("127.0.0.1", self.radius.port)
        self.dfcd = lab.Dfcd(configuration("password", ""))
        self.times_read = 0

    def use(self, order, radius):
        """Puts another configuration in force."""
        wanted = configuration(order, radius)
        with open(self.dfcd.config) as now:
            if now.read() == wanted:
                return
        with open(self.dfcd.config, "w") as out:
            out.write(wanted)
        self.dfcd.process.send_signal(signal.SIGHUP)
        self.times_read += 1
        self.dfcd.wait_for("(?s)(the configuration was read again.*){%d}" % self.times_read)

    def log_in(self, name, password):
        """A session, or None."""
        transport = paramiko.Transport(("127.0.0.1", self.dfcd.port))
        try:
            transport.connect(username=name, password=password)
        except paramiko.AuthenticationException:
            transport.close()
            return None
        return transport

    def may(self, name, password):
        session = self.log_in(name, password)
        if session is None:
            return False
        session.close()
        return True

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
    assert not at.may("lea1", "far")
    assert not at.may("bob", "far")


def radius_only(at):
    at.use(RADIUS, servers(at.here))
    assert at.tap("bob", "far") == 200
    assert not at.may("bob", "near")
    # It appears nowhere in the configuration.
    shown = at.command("boss", "near", "show configuration | display set")
    assert shown.returncode == 255, "a local password counted while RADIUS answers"
    # The server's no is final here: the local password is not tried.
    assert not at.may("lea1", "near")


def both_merged(at):
    at.use(BOTH, servers(at.here))
    # The class of the local user of the same name shows flow-tap, RADIUS lets it tap.
    assert at.tap("ann", "far") == 200
    shown = at.command("ann", "far", "show flow-tap status")
    assert shown.returncode == 0 and "Filters:" in shown.stdout, shown
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
    for name, password in (("poor", "far"), ("poor2", "far"), ("bob", "wrong"), ("bob", ""),
                           ("nobody", "far"), ("lea1", "wrong"), ("template", "none")):
        assert not at.may(name, password), name
    seen = [line for line in at.dfcd.audit() if line["event"] == "refusal"][-7:]
    assert [line["principal"] for line in seen] == \
        ["poor", "poor2", "bob", "bob", "nobody", "lea1", "template"], seen
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
                      a_login_that_waits_is_not_disturbed):
            scene(at)
            print("        " + scene.__name__, flush=True)


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
