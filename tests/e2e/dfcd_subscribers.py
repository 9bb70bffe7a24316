#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Subscribers of dfcd: radclient logs them in and out and starts and stops mirroring, as DTCP does;
tshark reads the copies."""

import contextlib
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import lab

SECRET = "s3cret"
LEA = {"lea1": ("pw1", ["flow-tap-operation"])}
MEDIATION = "192.0.2.5"
SOURCE = "198.51.100.9"
# Longer than what is random in the names of files.
BOBS_NAME, CAROLS_NAME = "bob@isp.example", "carol@isp.example"
BOB, CAROL, PEER = "10.0.0.1", "10.0.0.2", "203.0.113.9"
BOB6, PEER6 = "2001:db8:1::5", "2001:db8:ffff::9"

for program in ("radclient", "tshark"):
    if shutil.which(program) is None:
        print("SKIPPED: there is no %s" % program)
        sys.exit(77)


def service(accounting, authorization, more=""):
    return """services { radius-flow-tap {
        source-ipv4-address %s;
        radius-client 127.0.0.1 { secret "%s"; }
        listen 127.0.0.1; accounting-port %d; authorization-port %d;
        %s
    } }""" % (SOURCE, SECRET, accounting, authorization, more)


class Lab:
    """A dfcd that reads a pipe and writes its copies to a file, with RADIUS at ports of its own."""

    def __init__(self, stack, more=""):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory())
        self.accounting, self.authorization = lab.free_udp_ports(2)
        self.copies = os.path.join(self.directory, "copies.pcap")
        self.status = os.path.join(self.directory, "status")
        self.pipe = lab.Pipe(self.directory)
        self.sent = 0
        self.dfcd = stack.enter_context(lab.Dfcd(
            lab.configuration(LEA, extra=service(self.accounting, self.authorization, more)),
            "--read", "ge-0/0/0=" + self.pipe.path, "--write", self.copies, "--start-now",
            "--once", "--json", "--metrics", "unix:" + self.status))

    # RADIUS

    def radclient(self, port, kind, attributes, secret=SECRET):
        """The last word of the answer: `Accounting-Response`, `CoA-ACK`, ...; None without one."""
        lines = "\n".join("%s = %s" % pair for pair in attributes)
        done = subprocess.run(
            ["radclient", "-x", "-r", "1", "-t", "2", "127.0.0.1:%d" % port, kind, secret],
            input=lines, capture_output=True, text=True, check=False, timeout=lab.PATIENCE)
        self.said = done.stdout + done.stderr
        for line in done.stdout.splitlines():
            if line.startswith("Received "):
                return line.split()[1]
        return None

    def account(self, status, session, *more):
        answer = self.radclient(self.accounting, "acct", [
            ("Acct-Status-Type", status), ("Acct-Session-Id", '"%s"' % session),
            ("NAS-IP-Address", "192.0.2.77")] + list(more))
        assert answer == "Accounting-Response", self.said

    def log_in(self, session, user, address, *more):
        self.account("Start", session, ("User-Name", '"%s"' % user),
                     ("Framed-IP-Address", address), *more)

    def authorize(self, session, action, handle="0x40000007", secret=SECRET, more=(), kind="coa"):
        order = [("ERX-LI-Action", action), ("ERX-Med-Dev-Handle", handle),
                 ("ERX-Med-Ip-Address", MEDIATION), ("ERX-Med-Port-Number", "6502")]
        return self.radclient(self.authorization, kind, [
            ("Acct-Session-Id", '"%s"' % session), ("Event-Timestamp", str(int(time.time()))),
            ("Message-Authenticator", "0x00")] + (order if kind == "coa" else []) + list(more),
            secret)

    # packets

    def ask_status(self):
        done = subprocess.run([lab.DFCD, "--status", "unix:" + self.status, "--json"], check=True,
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    def pass_packets(self, *packets):
        """Lets packets pass, and waits until dfcd has seen them."""
        self.pipe.send(lab.pcap_records([lab.ethernet(packet) for packet in packets]))
        self.sent += len(packets)
        end = time.monotonic() + lab.PATIENCE
        while self.ask_status()["seen"] < self.sent:
            assert time.monotonic() < end, "packets are not read"

    def end(self):
        self.pipe.close()
        code, output = self.dfcd.wait()
        assert code == 0, self.dfcd.text()
        return json.loads(output)

    def mirrored(self):
        """(intercept, session, inner packet) of each copy; the numbers are tshark's."""
        read = subprocess.run(
            ["tshark", "-r", self.copies, "-d", "udp.port==6502,jmirror", "-T", "fields",
             "-e", "jmirror.mid", "-e", "jmirror.sid"], check=True, capture_output=True, text=True)
        numbers = [tuple(int(word, 0) for word in line.split()) for line in
                   read.stdout.splitlines()]
        copies = []
        for frame, (intercept, session) in zip(lab.read_pcap(self.copies), numbers, strict=True):
            source, destination, source_port, port, ttl, inside = lab.split_copy(frame)
            assert (source, destination, port, ttl) == (SOURCE, MEDIATION, 6502, 255)
            assert struct.unpack("!II", inside[:8]) == (intercept, session)
            copies.append((intercept, session, inside[8:]))
        return copies


def between(source, destination, text):
    make = lab.ipv6 if ":" in source else lab.ipv4
    return make(source, destination, 17, lab.udp(4000, 53, text))


def both_ways(address, peer, text):
    return [between(address, peer, text), between(peer, address, text)]


def test_radius_starts_and_stops_mirroring_of_a_session():
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        at.log_in("77", BOBS_NAME, BOB, ("Delegated-IPv6-Prefix", "2001:db8:1::/48"))
        at.log_in("78", CAROLS_NAME, CAROL)
        before = both_ways(BOB, PEER, b"before")
        at.pass_packets(*before)
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        bobs = both_ways(BOB, PEER, b"during") + both_ways(BOB6, PEER6, b"during")
        at.pass_packets(*bobs, *both_ways(CAROL, PEER, b"during"), between(BOB, BOB, b"self"))
        # The form of eight octets.
        assert at.authorize("78", "on", "0x0000000900001234") == "CoA-ACK", at.said
        carols = both_ways(CAROL, PEER, b"both")
        at.pass_packets(*carols)
        assert at.authorize("77", "off") == "CoA-ACK", at.said
        at.pass_packets(*both_ways(BOB, PEER, b"after"))
        at.account("Stop", "78")
        at.pass_packets(*both_ways(CAROL, PEER, b"after"))
        # It is not known any more.
        assert at.authorize("78", "on") == "CoA-NAK" and "Session-Context-Not-Found" in at.said
        summary = at.end()
        assert at.mirrored() == [(7, 77, packet) for packet in bobs] + \
            [(7, 77, between(BOB, BOB, b"self"))] + [(9, 0x1234, packet) for packet in carols]
        told = summary["subscribers"]
        assert (told["logins"], told["logouts"], told["mirrored"]) == (2, 1, 0), told
        assert (told["radius"]["refused"], told["radius"]["ignored"]) == (1, 0), told
        check_privacy(at.dfcd)


def check_privacy(dfcd):
    """Only the audit log names who is mirrored."""
    for name in (BOBS_NAME, CAROLS_NAME, BOB, CAROL, MEDIATION, "192.0.2.77"):
        assert name not in dfcd.text(), name
    details = [record["detail"] for record in dfcd.audit()
               if record["event"] in ("subscriber", "authorization")]
    assert "service activated: session 77 of address 192.0.2.77, user %s, intercept 7" % \
        BOBS_NAME in details
    assert any(detail.startswith("LI-Action off: session 77") for detail in details), details
    assert any(detail.startswith("subscriber logged out: session 78") for detail in details)


def test_no_op_is_acknowledged_and_mirrors_nothing():
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        at.log_in("77", BOBS_NAME, BOB)
        assert at.authorize("77", "noop") == "CoA-ACK", at.said
        at.pass_packets(*both_ways(BOB, PEER, b"x"))
        assert at.authorize("77", "off") == "CoA-ACK", at.said
        at.end()
        assert at.mirrored() == []


def test_an_update_moves_the_mirror_and_accounting_off_ends_it():
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        at.account("Start", "77", ("User-Name", '"%s"' % BOBS_NAME))
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        at.pass_packets(*both_ways(BOB, PEER, b"no address yet"))
        at.account("Interim-Update", "77", ("Framed-IP-Address", BOB))
        first = both_ways(BOB, PEER, b"first")
        at.pass_packets(*first)
        at.account("Interim-Update", "77", ("Framed-IP-Address", CAROL))
        second = both_ways(CAROL, PEER, b"second")
        at.pass_packets(*both_ways(BOB, PEER, b"gone"), *second)
        at.account("Accounting-Off", "00000000")
        at.pass_packets(*both_ways(CAROL, PEER, b"gone"))
        at.end()
        assert [copy[2] for copy in at.mirrored()] == first + second


def test_dtcp_mirrors_before_and_after_login_and_radius_comes_second():
    with contextlib.ExitStack() as stack:
        at = Lab(stack, 'policy quiet { inet { drop-policy t { from { protocol udp; '
                        'destination-port 53; } } } } '
                        'static-subscriber office { accounting-session-id 4711; ip-address %s; }'
                        % CAROL)
        with contextlib.closing(lab.Device(at.dfcd.port, "lea1", "pw1")) as device:
            def add(*fields):
                return device.ask("ADD", [("X-JTap-Cdest-Dest-Address", MEDIATION),
                                          ("X-JTap-Cdest-Dest-Port", "6502"),
                                          ("Flags", "STATIC"), *fields], version="0.8")
            assert add(("X-MD-Intercept-Id", "40000005"), ("X-UserName", BOBS_NAME)).code == 200
            assert add(("X-MD-Intercept-Id", "40000006"), ("X-IP-Addr", CAROL)).code == 200
            at.log_in("77", BOBS_NAME, BOB)
            # The first keeps the session, and the answer does not say so.
            assert at.authorize("77", "on") == "CoA-ACK", at.said
            bobs, carols = both_ways(BOB, PEER, b"1"), both_ways(CAROL, PEER, b"2")
            at.pass_packets(*bobs, *carols)
            policy = [("Criteria-ID", "1"), ("X-Drop-Policy", "quiet"), ("Flags", "STATIC")]
            assert device.ask("ENABLE", policy, version="0.8")["CRITERIA-COUNT"] == "1"
            at.pass_packets(*both_ways(BOB, PEER, b"dropped"))
            assert device.ask("DISABLE", policy, version="0.8")["CRITERIA-COUNT"] == "1"
            again = both_ways(BOB, PEER, b"again")
            at.pass_packets(*again)
            listed = device.ask("LIST", version="0.8")
            assert listed.all("X-USERNAME") == [BOBS_NAME]
            assert listed.all("X-IP-ADDR") == [CAROL]
            assert "X-ACT-SESS-ID" not in listed.names()
            assert not any(BOB in value for _, value in listed.fields)
            assert device.ask("DELETE", [("Criteria-ID", "1-2"), ("Flags", "STATIC")]).code == 200
            # RADIUS takes over.
            taken = both_ways(BOB, PEER, b"taken over")
            at.pass_packets(*taken, *both_ways(CAROL, PEER, b"gone"))
        at.end()
        assert at.mirrored() == [(5, 77, packet) for packet in bobs] + \
            [(6, 4711, packet) for packet in carols] + [(5, 77, packet) for packet in again] + \
            [(7, 77, packet) for packet in taken]


def test_more_sessions_than_may_be_mirrored_are_refused():
    with contextlib.ExitStack() as stack:
        at = Lab(stack, "session-limit 1;")
        for session, address in ("77", BOB), ("78", CAROL):
            at.log_in(session, BOBS_NAME, address)
        with contextlib.closing(lab.Device(at.dfcd.port, "lea1", "pw1")) as device:
            add = [("X-JTap-Cdest-Dest-Address", MEDIATION), ("X-JTap-Cdest-Dest-Port", "6502"),
                   ("Flags", "STATIC"), ("X-MD-Intercept-Id", "40000005"),
                   ("X-UserName", BOBS_NAME)]
            assert device.ask("ADD", add, version="0.8").code == 550
            assert at.authorize("77", "on") == "CoA-ACK", at.said
            # No-op is answered as on.
            for action in ("on", "noop"):
                assert at.authorize("78", action) == "CoA-NAK", at.said
                assert "Resources-Unavailable" in at.said, at.said
        at.account("Stop", "77")
        assert at.authorize("78", "on") == "CoA-ACK", at.said
        at.end()


def with_service_class(packet, octet):
    """An IPv4 packet with another type of service."""
    header = packet[:1] + bytes([octet]) + packet[2:10] + bytes(2) + packet[12:20]
    return header[:10] + struct.pack("!H", lab.checksum(header)) + header[12:] + packet[20:]


def test_copies_have_the_class_of_their_packets_or_the_configured_one():
    for more, outer in (("", [0, 0xB8, 0x28]), ("forwarding-class expedited-forwarding;",
                                                [0xB8, 0xB8, 0xB8])):
        with contextlib.ExitStack() as stack:
            at = Lab(stack, more)
            at.log_in("77", BOBS_NAME, BOB)
            assert at.authorize("77", "on") == "CoA-ACK", at.said
            packets = [with_service_class(between(BOB, PEER, b"x"), octet)
                       for octet in (0, 0xB8, 0x28)]
            at.pass_packets(*packets)
            at.end()
            assert [copy[2] for copy in at.mirrored()] == packets
            assert [copy[1] for copy in lab.read_pcap(at.copies)] == outer, more


def test_own_radius_traffic_is_never_tapped():
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        with contextlib.closing(lab.Device(at.dfcd.port, "lea1", "pw1")) as device:
            assert device.ask("ADD", lab.add_fields([])).code == 200

            def to_port(port):
                return lab.ipv4("127.0.0.9", "127.0.0.1", 17, lab.udp(4000, port, b"secrets"))

            others = [to_port(port) for port in (at.accounting - 1, at.authorization + 1)]
            at.pass_packets(to_port(at.accounting), others[0], to_port(at.authorization), others[1])
        summary = at.end()
        assert [lab.split_copy(copy)[5] for copy in lab.read_pcap(at.copies)] == others
        assert summary["own"] == 2, summary


def test_a_commit_without_radius_flow_tap_forgets_all_subscribers():
    with contextlib.ExitStack() as stack:
        at = Lab(stack, "static-subscriber office { accounting-session-id 4711; ip-address %s; }"
                 % CAROL)
        at.log_in("77", BOBS_NAME, BOB)
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        first = both_ways(BOB, PEER, b"first")
        at.pass_packets(*first)
        with open(at.dfcd.config) as config:
            with_service = config.read()
        with open(at.dfcd.config, "w") as config:
            config.write(lab.configuration(LEA))
        at.dfcd.process.send_signal(signal.SIGHUP)
        at.dfcd.wait_for("the configuration was read again")
        at.pass_packets(*both_ways(BOB, PEER, b"second"))
        assert at.ask_status()["subscribers"]["sessions"] == 0
        assert at.authorize("77", "on") == "CoA-NAK", at.said
        # And back: the static one is there, the others come with their next update.
        with open(at.dfcd.config, "w") as config:
            config.write(with_service)
        at.dfcd.process.send_signal(signal.SIGHUP)
        at.dfcd.wait_for("read again(.*\n)*.*read again")
        assert at.ask_status()["subscribers"]["sessions"] == 1
        at.account("Interim-Update", "77", ("User-Name", '"%s"' % BOBS_NAME),
                   ("Framed-IP-Address", BOB))
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        third = both_ways(BOB, PEER, b"third")
        at.pass_packets(*third)
        at.end()
        assert [copy[2] for copy in at.mirrored()] == first + third


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def hidden(kind, value, salt):
    """An attribute of vendor 4874 in a CoA-Request, hidden as RFC 2868 section 3.5 says."""
    plain = bytes([len(value)]) + value
    plain += bytes(-len(plain) % 16)
    before, text = bytes(16) + salt, b""
    for at in range(0, len(plain), 16):
        stream = hashlib.md5(SECRET.encode() + before).digest()
        before = bytes(a ^ b for a, b in zip(plain[at:at + 16], stream))
        text += before
    return attribute(26, struct.pack("!I", 4874) + attribute(kind, salt + text))


def coa_request(identifier, attributes, when, secret=SECRET.encode()):
    """A signed CoA-Request."""
    body = attribute(80, bytes(16)) + attribute(55, struct.pack("!I", when)) + attributes
    head = struct.pack("!BBH", 43, identifier, 20 + len(body))
    signature = hmac.new(secret, head + bytes(16) + body, "md5").digest()
    body = attribute(80, signature) + body[18:]
    return head + hashlib.md5(head + bytes(16) + body + secret).digest() + body


class CoaClient:
    """A RADIUS server that sends changes of authorization from one port."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(lab.PATIENCE)
        self.socket.connect(("127.0.0.1", port))

    def ask(self, octets):
        """The code and Error-Cause of the answer."""
        self.socket.send(octets)
        answer = self.socket.recv(4096)
        assert answer[1] == octets[1], "the answer is to another request"
        at = answer.find(bytes([101, 6]), 20)
        return answer[0], None if at < 0 else struct.unpack("!I", answer[at + 2:at + 6])[0]

    def is_ignored(self, octets, fence):
        """Whether the next answer is that to `fence`, which is sent behind `octets`."""
        self.socket.send(octets)
        return self.ask(fence)[0] == 45

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.socket.close()


def orders(action=b"\0\0\0\1", handle=b"\x40\0\0\7", cut=0):
    made = attribute(44, b"77")
    for kind, value, salt in ((58, action, b"\x80\1"), (59, handle, b"\x80\2"),
                              (60, socket.inet_aton(MEDIATION), b"\x80\3"),
                              (61, struct.pack("!I", 6502), b"\x80\4")):
        made += hidden(kind, value, salt)
    if not cut:
        return made
    # The last attribute loses octets, and says so.
    last = bytearray(made[-(26):])
    last[1] -= cut
    last[7] -= cut
    return made[:-26] + bytes(last[:26 - cut])


def test_what_is_not_authentic_or_malformed_is_refused():
    ack, nak = 44, 45
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        at.log_in("77", BOBS_NAME, BOB)
        assert at.authorize("77", "on", secret="another") is None
        now = int(time.time())
        client, another = (stack.enter_context(CoaClient(at.authorization)) for _ in range(2))
        fences = [coa_request(200 + number, attribute(44, b"nobody") + orders()[4:], now)
                  for number in range(4)]

        assert client.is_ignored(coa_request(1, orders(), now, b"another"), fences[0])
        assert client.is_ignored(coa_request(2, orders(), now - 1000), fences[1])
        assert client.is_ignored(coa_request(7, orders(), now)[:-5], fences[2])
        assert client.ask(coa_request(3, orders(handle=b"\x80\0\0\7"), now)) == (nak, 407)
        assert client.ask(coa_request(4, orders(action=b"\0\0\0\3"), now)) == (nak, 407)
        assert client.ask(coa_request(5, orders(cut=1), now))[0] == nak
        assert client.ask(coa_request(6, orders()[:-26], now)) == (nak, 402)
        assert at.ask_status()["subscribers"]["mirrored"] == 0
        good = coa_request(8, orders(), now)
        assert client.ask(good) == (ack, None)
        assert at.ask_status()["subscribers"]["mirrored"] == 1
        assert client.ask(coa_request(9, orders(action=bytes(4)), now)) == (ack, None)
        # A replay, from another port of the client.
        assert another.is_ignored(good, fences[3])
        told = at.ask_status()["subscribers"]
        assert told["mirrored"] == 0, told
        assert (told["radius"]["ignored"], told["radius"]["refused"]) == (5, 8), told
        at.dfcd.wait_for("ignored: 1 with a wrong authenticator")
        at.end()


def test_a_request_is_about_exactly_one_session():
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        at.log_in("77", BOBS_NAME, BOB)
        at.radclient(at.accounting, "acct", [
            ("Acct-Status-Type", "Start"), ("Acct-Session-Id", '"77"'),
            ("NAS-IP-Address", "192.0.2.78"), ("Framed-IP-Address", CAROL)])
        assert at.authorize("77", "on") == "CoA-NAK", at.said
        assert "Multiple-Session-Selection-Unsupported" in at.said, at.said
        other = [("NAS-IP-Address", "192.0.2.78")]
        assert at.authorize("77", "on", more=other) == "CoA-ACK", at.said
        wrong = [("User-Name", '"%s"' % CAROLS_NAME)]
        assert at.authorize("77", "on", more=wrong) == "CoA-NAK", at.said
        carols = both_ways(CAROL, PEER, b"1")
        at.pass_packets(*both_ways(BOB, PEER, b"1"), *carols)
        assert at.authorize("77", None, kind="disconnect", more=other) == "Disconnect-ACK", at.said
        assert at.authorize("77", None, kind="disconnect", more=other) == "Disconnect-NAK", at.said
        at.pass_packets(*both_ways(CAROL, PEER, b"2"))
        summary = at.end()
        assert [copy[2] for copy in at.mirrored()] == carols
        assert summary["subscribers"]["sessions"] == 1, summary


def test_refusals_stand_in_the_log_without_names():
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        assert at.authorize("77", "on") == "CoA-NAK", at.said
        at.dfcd.wait_for("refused 1 request")
        at.end()
        assert "77 of" not in at.dfcd.text()
        assert any(record["detail"].startswith("refused with Error-Cause 503")
                   for record in at.dfcd.audit()), at.dfcd.audit()


def test_the_example_configuration_is_good():
    run = subprocess.run([lab.DFCD, "--check", "--config",
                          os.path.join(lab.SOURCE, "examples", "dfcd", "subscribers.conf")],
                         capture_output=True, text=True, timeout=lab.PATIENCE)
    assert run.returncode == 0 and run.stderr == "", run


def test_an_operator_sees_no_intercept():
    with contextlib.ExitStack() as stack:
        at = Lab(stack)
        at.log_in("77", BOBS_NAME, BOB)
        assert at.authorize("77", "on") == "CoA-ACK", at.said
        at.pass_packets(*both_ways(BOB, PEER, b"x"))
        shown = json.dumps(at.ask_status())
        for name in (BOBS_NAME, BOB, MEDIATION, "192.0.2.77", "1073741831"):
            assert name not in shown, name
        with contextlib.closing(lab.Device(at.dfcd.port, "lea1", "pw1")) as device:
            assert device.ask("LIST").all("CRITERIA-ID") == []
        at.end()


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
