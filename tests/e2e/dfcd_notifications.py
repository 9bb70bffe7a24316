#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Notifications of dfcd about subscribers: snmptrapd of net-snmp decrypts them."""

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import dfcd_subscribers as subscribers
import lab

if shutil.which("snmptrapd") is None:
    print("SKIPPED: there is no snmptrapd")
    sys.exit(77)

BOB, CAROL = subscribers.BOB, subscribers.CAROL
MEDIATION = subscribers.MEDIATION
OBJECTS = ".1.3.6.1.4.1.2636.3.39.1.16.1.1.1."
TRAPS = ".1.3.6.1.4.1.2636.3.39.1.16.1.0."
(FAILURE, LOGGED_IN, LOGIN_FAILED, LOGGED_OUT, ACTIVATED, ACTIVATION_FAILED, DEACTIVATED) = (
    range(1, 8))
# The objects of each notification, in the order of the MIB.
FORMS = {
    FAILURE: [11, 5, 4, 3, 12, 10, 1, 2, 6, 8, 7],
    LOGGED_IN: [11, 5, 4, 3, 12, 1, 2, 13, 14, 9, 17, 16, 20, 21],
    LOGIN_FAILED: [11, 5, 4, 3, 12, 1, 2, 13, 14, 9, 6, 7, 16, 20, 21],
    LOGGED_OUT: [11, 5, 4, 3, 12, 1, 2, 13, 14, 9, 15, 18, 19, 20, 21],
    ACTIVATED: [11, 5, 4, 3, 12, 1, 2, 13, 14, 17, 16, 9, 20, 21],
    ACTIVATION_FAILED: [11, 5, 4, 3, 12, 1, 2, 13, 14, 9, 6, 7, 16, 20, 21],
    DEACTIVATED: [11, 5, 4, 3, 12, 1, 2, 13, 14, 9, 15, 20, 21],
}
LEA1 = ("lea1", "SHA-256", "first-secret", "second-secret")
ZED = ("zed", "SHA", "third-secret", "fourth-secret")


def snmp(port, users=(LEA1, ZED), targets=("127.0.0.1",)):
    """The statement that has these users notified."""
    written = ['user %s { authentication-protocol %s; authentication-password "%s"; '
               'privacy-password "%s"; }' % (name, protocol.replace("-", "").lower(), *passwords)
               for name, protocol, *passwords in users]
    return "snmp { notify-targets [ %s ]; port %d; %s }" % (" ".join(targets), port,
                                                            " ".join(written))


def wait_until(true, what):
    end = time.monotonic() + lab.PATIENCE
    while not true():
        assert time.monotonic() < end, what() if callable(what) else what
        select.select([], [], [], 0.02)


class At(subscribers.Lab):
    """A dfcd that notifies, and can find its state again in a directory."""

    def __init__(self, stack, more, directory=None):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory())
        self.accounting, self.authorization = lab.free_udp_ports(2)
        self.status = os.path.join(self.directory, "status")
        self.pipe = lab.Pipe(self.directory)
        self.dfcd = stack.enter_context(lab.Dfcd(
            self.configuration(more), "--read", "ge-0/0/0=" + self.pipe.path, "--write",
            os.path.join(self.directory, "copies.pcap"), "--json", "--metrics",
            "unix:" + self.status, directory=directory))

    def configuration(self, more):
        return lab.configuration(subscribers.LEA, extra=subscribers.service(
            self.accounting, self.authorization, more))

    def engine(self):
        return self.dfcd.wait_for(r"\(UDP\), engine 0x([0-9a-f]{26})\n")[1]

    def commit(self, text):
        """Has dfcd take another configuration, and waits until it has."""
        before = sum(record["event"] == "commit" for record in self.dfcd.audit())
        with open(self.dfcd.config, "w") as out:
            out.write(text)
        self.dfcd.process.send_signal(signal.SIGHUP)
        wait_until(lambda: sum(record["event"] == "commit" for record in self.dfcd.audit()) >
                   before, "no commit")
        self.ask_status()

    def counted(self):
        return self.ask_status()["subscribers"]["snmp"]


class Receiver:
    """A snmptrapd that knows some users."""

    def __init__(self, stack, address, port, engine, users):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory())
        config = os.path.join(self.directory, "snmptrapd.conf")
        with open(config, "w") as out:
            for name, protocol, *passwords in users:
                out.write('createUser -e 0x%s %s %s "%s" AES "%s"\nauthUser log %s priv\n' %
                          (engine, name, protocol, *passwords, name))
        self.log = os.path.join(self.directory, "log")
        with open(self.log, "w") as out:
            self.process = subprocess.Popen(
                ["snmptrapd", "-f", "-n", "-Lo", "-OnQUet", "-m", "", "-C", "-c", config,
                 "-F", "TRAP %P\\t%v\\n", "udp:%s:%d" % (address, port)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=dict(os.environ, SNMP_PERSISTENT_DIR=self.directory, MIBS=""))
        stack.callback(self.end)
        wait_until(lambda: "NET-SNMP version" in self.text(), self.text)

    def end(self):
        self.process.kill()
        self.process.wait()

    def text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def traps(self):
        """(user, number, {object: value}) of each."""
        found = []
        for line in self.text().split("TRAP ")[1:]:
            if not line.endswith("\n"):
                continue
            who, *fields = line.rstrip("\n").split("\t")
            values = [tuple(field.split(" = ", 1)) for field in fields]
            assert values[0][0] == ".1.3.6.1.2.1.1.3.0", line
            assert values[1][0] == ".1.3.6.1.6.3.1.1.4.1.0", line
            assert values[1][1].startswith(TRAPS), line
            number = int(values[1][1][len(TRAPS):])
            objects = [re.fullmatch(re.escape(OBJECTS) + r"(\d+)\.0", name)[1]
                       for name, _ in values[2:]]
            assert [int(one) for one in objects] == FORMS[number], line
            found.append((re.search(r"user (\w+)", who)[1], number,
                          {int(one): value.strip().strip('"') for one, (_, value) in
                           zip(objects, values[2:], strict=True)}))
        return found

    def expect(self, numbers):
        """The values of the notifications, which are these."""
        wait_until(lambda: len(self.traps()) >= len(numbers), self.text)
        found = self.traps()
        assert [number for _, number, _ in found] == numbers, found
        return [values for _, _, values in found]


def check_values(values, expected):
    for which, value in expected.items():
        assert values[which] == value, (which, values[which], value)


def test_what_radius_causes_arrives_with_the_values_of_the_mib():
    with contextlib.ExitStack() as stack:
        port = lab.free_udp_ports(1)[0]
        at = At(stack, snmp(port, [LEA1]))
        receiver = Receiver(stack, "127.0.0.1", port, at.engine(), [LEA1])
        year = time.gmtime().tm_year
        at.log_in("77", "bob", BOB, ("Delegated-IPv6-Prefix", "2001:db8:1::/48"),
                  ("Calling-Station-Id", '"00-11-22"'))
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        assert at.authorize("77", "off") == "CoA-ACK", at.said
        assert at.authorize("77", "on", "0x0000000900001234") == "CoA-ACK", at.said
        at.account("Stop", "77")
        told = receiver.expect([ACTIVATED, DEACTIVATED, ACTIVATED, LOGGED_OUT])
        common = {5: "1", 4: "5", 3: "77", 12: socket.gethostname(), 13: "2", 14: BOB,
                  9: MEDIATION, 21: "48"}
        for values in told:
            check_values(values, common)
            octets = bytes.fromhex(values[11].replace(" ", ""))
            assert int.from_bytes(octets[:2], "big") in (year, year + 1), values
            prefix = bytes.fromhex(values[20].replace(" ", ""))
            assert prefix == socket.inet_pton(socket.AF_INET6, "2001:db8:1::"), values
        check_values(told[0], {1: "7", 2: "77", 16: "00-11-22", 17: "address 192.0.2.77"})
        check_values(told[1], {1: "7", 2: "77", 15: "6"})
        check_values(told[2], {1: "9", 2: str(0x1234)})
        check_values(told[3], {1: "9", 15: "0", 18: "0", 19: "0"})
        assert at.counted() == {"sent": 4, "not_sent": 0}
        for name in ("bob", BOB, MEDIATION, "first-secret", "second-secret", "lea1"):
            assert name not in at.dfcd.text(), name


def test_what_dtcp_causes_arrives_and_so_does_what_fails():
    with contextlib.ExitStack() as stack:
        port = lab.free_udp_ports(1)[0]
        more = "subscriber-limit 2; " + snmp(port, [ZED])
        at = At(stack, more)
        receiver = Receiver(stack, "127.0.0.1", port, at.engine(), [ZED])
        with contextlib.closing(lab.Device(at.dfcd.port, "lea1", "pw1")) as device:
            def add(*fields):
                assert device.ask("ADD", [
                    ("X-JTap-Cdest-Dest-Address", MEDIATION), ("X-JTap-Cdest-Dest-Port", "6502"),
                    ("Flags", "STATIC"), *fields], version="0.8").code == 200

            add(("X-MD-Intercept-Id", "40000005"), ("X-UserName", "bob"))
            at.log_in("77", "bob", BOB)
            # The first keeps the session.
            add(("X-MD-Intercept-Id", "40000006"), ("X-IP-Addr", BOB))
            # Without a number there is no Session-ID.
            at.log_in("no-number", "bob", CAROL)
            # There is no room.
            at.radclient(at.accounting, "acct", [
                ("Acct-Status-Type", "Start"), ("Acct-Session-Id", '"79"'),
                ("User-Name", '"bob"'), ("NAS-IP-Address", "192.0.2.77")])
            # Copies have no source address any more.
            at.commit(at.configuration(more).replace(
                "source-ipv4-address %s;" % subscribers.SOURCE, ""))
            told = receiver.expect([LOGGED_IN, ACTIVATED, ACTIVATION_FAILED, LOGGED_IN, FAILURE,
                                    LOGIN_FAILED, FAILURE])
        check_values(told.pop(2), {5: "4", 4: "1", 3: BOB, 1: "6", 2: "77", 6: "0"})
        for values in told:
            check_values(values, {5: "4", 4: "3", 3: "bob", 1: "5"})
        check_values(told[0], {2: "77", 14: BOB, 9: MEDIATION, 21: "0", 20: "", 16: "-"})
        check_values(told[3], {6: "7", 10: "bob"})
        check_values(told[2], {14: CAROL})
        assert "number" in told[3][7], told[3]
        check_values(told[4], {6: "1", 2: "79", 14: "0.0.0.0"})
        check_values(told[5], {6: "0", 8: "0", 10: "bob", 2: "77"})


def test_only_who_has_the_passwords_reads_anything():
    with contextlib.ExitStack() as stack:
        port = lab.free_udp_ports(1)[0]
        targets = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
        at = At(stack, snmp(port, targets=targets))
        wire = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        wire.bind(("127.0.0.3", port))
        wire.settimeout(lab.PATIENCE)
        good = Receiver(stack, "127.0.0.1", port, at.engine(), [LEA1, ZED])
        # What is for the other user comes behind what it cannot read.
        wrong = Receiver(stack, "127.0.0.2", port, at.engine(),
                         [("lea1", "SHA-256", "wrong-secret", "second-secret"), ZED])
        at.log_in("77", "bob", BOB)
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        good.expect([ACTIVATED, ACTIVATED])
        wait_until(wrong.traps, wrong.text)
        assert [user for user, _, _ in good.traps()] == ["lea1", "zed"]
        assert [user for user, _, _ in wrong.traps()] == ["zed"], wrong.text()
        for datagram in wire.recv(4096), wire.recv(4096):
            assert bytes.fromhex(at.engine()) in datagram
            # msgFlags: authPriv, not reportable.
            assert b"\x04\x01\x03\x02\x01\x03" in datagram
            for hidden in (b"bob", socket.inet_aton(BOB), socket.inet_aton(MEDIATION)):
                assert hidden not in datagram, hidden


def boots_in(datagram, engine):
    """msgAuthoritativeEngineBoots, which stands behind the engine."""
    at = datagram.index(engine) + len(engine)
    assert datagram[at] == 2, datagram
    return int.from_bytes(datagram[at + 2:at + 2 + datagram[at + 1]], "big")


def test_the_engine_stays_and_its_boots_grow():
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        wire = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(lab.PATIENCE)
        engines = set()
        for boots in 1, 2, 3:
            with contextlib.ExitStack() as one:
                at = At(one, snmp(wire.getsockname()[1], [LEA1]), directory)
                at.log_in("77", "bob", BOB)
                assert at.authorize("77", "on") == "CoA-ACK", at.said
                engines.add(at.engine())
                assert boots_in(wire.recv(4096), bytes.fromhex(at.engine())) == boots
                at.dfcd.stop()
        assert len(engines) == 1 and engines.pop().startswith("80001f8805")
        path = os.path.join(directory, "snmp-engine")
        assert os.stat(path).st_mode & 0o777 == 0o600
        with open(path) as file:
            written = file.read()
        for damaged in "", written[:-1], written[:-2], written + "\n", written.replace("3", "x"):
            with open(path, "w") as file:
                file.write(damaged)
            # The directory of the status is gone.
            run = subprocess.run(at.dfcd.process.args[:-2], capture_output=True, text=True,
                                 timeout=lab.PATIENCE)
            assert run.returncode != 0 and "the file of the SNMP engine is damaged" in run.stderr


def test_a_commit_changes_at_once_who_is_notified():
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        first.bind(("127.0.0.1", 0))
        first.settimeout(lab.PATIENCE)
        port = first.getsockname()[1]
        at = At(stack, "")
        at.log_in("77", "bob", BOB)
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        assert at.counted() == {"sent": 0, "not_sent": 0}
        at.commit(at.configuration(snmp(port, [LEA1])))
        engine = at.engine()
        assert at.authorize("77", "off") == "CoA-ACK", at.said
        assert bytes.fromhex(engine) in first.recv(4096)
        other = ("lea1", "SHA-256", "another-secret", "and-another-one")
        at.commit(at.configuration(snmp(port, [other], ["127.0.0.2"])))
        receiver = Receiver(stack, "127.0.0.2", port, engine, [other])
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        receiver.expect([ACTIVATED])
        assert at.counted() == {"sent": 2, "not_sent": 0}
        first.setblocking(False)
        try:
            raise AssertionError(first.recv(4096))
        except BlockingIOError:
            pass
        at.commit(at.configuration(""))
        assert at.authorize("77", "off") == "CoA-ACK", at.said
        assert at.counted() == {"sent": 2, "not_sent": 0}


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
