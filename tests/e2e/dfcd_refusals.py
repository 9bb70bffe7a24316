#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What dfcd refuses, how, and that nobody else is disturbed by it."""

import os
import socket
import subprocess
import sys
import tempfile

import lab

TAP = ["flow-tap-operation"]
USERS = {"lea1": ("first", TAP), "lea2": ("second", TAP), "visitor": ("third", ["view"])}

SIMPLE = [("Source-Address", "10.0.0.1")]


def service(flow_tap="", **how):
    return lab.Dfcd(lab.configuration(USERS, flow_tap, **how), "--start-after", "100000")


def expect(device, fields, code, method="ADD", **how):
    answer = device.ask(method, fields, **how)
    assert answer.code == code, (code, fields, answer.octets)
    return answer


def test_a_wrong_password_and_a_missing_permission_are_refused_alike():
    import paramiko
    with service() as dfcd:
        texts = set()
        for login, password in (("lea1", "wrong"), ("nobody", "wrong"), ("visitor", "third"),
                                ("lea1", "")):
            try:
                lab.Device(dfcd.port, login, password)
                raise AssertionError("%s was let in" % login)
            except paramiko.AuthenticationException as refusal:
                texts.add(str(refusal))
        assert len(texts) == 1, texts
        expect(lab.Device(dfcd.port, "lea1", "first"), lab.add_fields(SIMPLE), 200)


def test_nothing_but_the_subsystem_is_served():
    import paramiko
    with service() as dfcd:
        transport = paramiko.Transport(("127.0.0.1", dfcd.port))
        transport.connect(username="lea1", password="first")
        attempts = [
            lambda channel: channel.exec_command("id"),
            lambda channel: channel.invoke_shell(),
            lambda channel: channel.invoke_subsystem("sftp"),
            lambda channel: channel.get_pty()]
        for attempt in attempts:
            channel = transport.open_session()
            try:
                attempt(channel)
                raise AssertionError("it was served")
            except paramiko.SSHException:
                pass
        for kind in ("direct-tcpip", "forwarded-tcpip"):
            try:
                transport.open_channel(kind, ("127.0.0.1", 22), ("127.0.0.1", 1))
                raise AssertionError(kind + " was served")
            except paramiko.SSHException:
                pass
        expect(lab.Device(dfcd.port, "lea1", "first"), [], 200, "NOOP")


def silent_then_noop(device, octets):
    """Sends something that must not be answered, and a NOOP that must be."""
    device.send(octets)
    answer = device.ask("NOOP")
    assert answer.code == 200 and answer["SEQ"] == str(device.sequence), answer.octets


def test_a_wrong_hmac_is_never_answered():
    with service() as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        silent_then_noop(device, device.sign("ADD", lab.add_fields(SIMPLE), key=b"wrong"))
        assert device.ask("LIST").all("CRITERIA-ID") == []
        assert any(line["status"] == 497 for line in dfcd.audit())


def test_a_wrong_csource_id_is_never_answered():
    with service() as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        for stranger in ("lea2", "nobody"):
            silent_then_noop(device, device.sign("ADD", lab.add_fields(SIMPLE), csource=stranger))
        assert lab.Device(dfcd.port, "lea2", "second").ask("LIST").all("CRITERIA-ID") == []
        assert any(line["status"] == 499 for line in dfcd.audit())


def test_the_101st_filter():
    with service() as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")
        for index in range(100):
            expect(device, lab.add_fields([("Source-Address", "10.0.1.%d" % index)]), 200)
        expect(device, lab.add_fields(SIMPLE), 550)
        expect(lab.Device(dfcd.port, "lea2", "second"), lab.add_fields(SIMPLE), 550)
        expect(device, [("Criteria-ID", "7"), ("Flags", "STATIC")], 200, "DELETE")
        expect(device, lab.add_fields(SIMPLE), 200)


def test_quotas_keep_the_sources_apart():
    quotas = ("control-source lea1 { filter-limit 2; } control-source lea2 { filter-limit 3; }")
    with service(quotas) as dfcd:
        one = lab.Device(dfcd.port, "lea1", "first")
        two = lab.Device(dfcd.port, "lea2", "second")
        for device, quota in ((one, 2), (two, 3)):
            for index in range(quota):
                expect(device, lab.add_fields([("Source-Address", "10.0.1.%d" % index)]), 200)
            expect(device, lab.add_fields(SIMPLE), 550)


def ports(count):
    return ",".join(str(1000 + index) for index in range(count))


def test_bad_requests_are_answered_with_their_code():
    own = "control-source lea1 { allowed-destinations [ 192.0.2.0/24 ]; }"
    with service(own) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first")

        def without(name):
            return [field for field in lab.add_fields(SIMPLE) if field[0] != name]

        table = [
            (lab.add_fields([("Source-Port", ports(15)), ("Dest-Port", ports(15))]), 200),
            (lab.add_fields([("Source-Port", ports(16)), ("Dest-Port", ports(16))]), 432),
            (lab.add_fields([("Source-Port", ports(3)), ("Dest-Port", ports(2))]), 432),
            (lab.add_fields([("Source-Address", "10.0.0.1"), ("Dest-Address", "2001:db8::1")]), 432),
            (lab.add_fields([("Source-Address", "10.0.0.256")]), 432),
            (lab.add_fields([("Source-Address", "10.0.0.9-10.0.0.1")]), 432),
            (lab.add_fields([("Protocol", "256")]), 432),
            (lab.add_fields([("Protocol", "1"), ("Dest-Port", "53")]), 432),
            (lab.add_fields(SIMPLE, ("10.9.9.9", 1)), 901),
            (lab.add_fields(SIMPLE, ("127.0.0.1", 1)), 901),
            (lab.add_fields([("X-JTap-Input-Interface", "ge-9/9/9")]), 901),
            (lab.add_fields([("X-JTap-VRF-Name", "nowhere")]), 901),
            (without("X-JTap-Cdest-Dest-Port"), 901),
            (without("Flags"), 433),
            (lab.add_fields(SIMPLE) + [("Action", "Block")], 501),
            (lab.add_fields(SIMPLE) + [("Colour", "red")], 400),
            (lab.add_fields(SIMPLE) + [("X-Colour", "red")], 200),
            ([("Cdest-ID", "a,b,c")] + without("Cdest-ID"), 400),
        ]
        for fields, code in table:
            expect(device, fields, code)
        expect(device, [], 501, "FETCH")
        expect(device, [("Criteria-ID", "99"), ("Flags", "STATIC")], 431, "DELETE")
        expect(device, [], 400, "DELETE")
        expect(device, [("Criteria-ID", "1")], 433, "REFRESH")
        assert expect(device, [], 505, "NOOP", version="0.9").version in ("0.8", "0.9")
        assert expect(device, [], 505, "NOOP", version="0.4").version in ("0.5", "0.4")


def test_a_message_without_end_closes_its_channel_and_no_other():
    with service() as dfcd:
        bystander = lab.Device(dfcd.port, "lea2", "second")
        for octets in (b"ADD DTCP/0.7\r\n" + b"X-Filler: 0123456789\r\n" * 3200,
                       b"ADD DTCP/0.7\r\nX-Filler: " + b"y" * 70 * 1024):
            device = lab.Device(dfcd.port, "lea1", "first")
            try:
                device.send(octets)
            except OSError:
                pass  # the channel may be closed before all of it is sent
            assert device.receive() is None
            assert device.channel.recv_stderr(4096), "no diagnostic"
        expect(bystander, [], 200, "NOOP")


def test_noise_disturbs_nobody():
    import random
    seed = 20240917
    print("seed %d" % seed)
    noise = random.Random(seed).randbytes(200_000)
    with service() as dfcd:
        bystander = lab.Device(dfcd.port, "lea2", "second")
        # Noise in place of SSH, noise in the channel, and peers that stop in the middle.
        for octets in (noise[:1000], b"SSH-2.0-x\r\n" + noise[:5000], b"SSH-2.0-half"):
            with socket.create_connection(("127.0.0.1", dfcd.port)) as raw:
                raw.sendall(octets)
        device = lab.Device(dfcd.port, "lea1", "first")
        try:
            device.send(noise)
        except OSError:
            pass  # the channel may be closed before all of it is sent
        silent = lab.Device(dfcd.port, "lea1", "first")
        silent.send(silent.sign("ADD", lab.add_fields(SIMPLE))[:100])
        halfway = socket.create_connection(("127.0.0.1", dfcd.port))
        halfway.sendall(b"SSH-2.0-halfway\r\n")
        expect(bystander, lab.add_fields(SIMPLE), 200)
        expect(lab.Device(dfcd.port, "lea1", "first"), [], 200, "NOOP")
        halfway.close()
        assert dfcd.process.poll() is None


def test_more_connections_than_the_limit_are_refused():
    import paramiko
    with service(connection_limit=3) as dfcd:
        devices = [lab.Device(dfcd.port, "lea1", "first") for _ in range(3)]
        try:
            lab.Device(dfcd.port, "lea1", "first")
            raise AssertionError("a fourth connection was served")
        except (paramiko.SSHException, EOFError, OSError):
            pass
        for device in devices:
            expect(device, [], 200, "NOOP")


def test_public_keys_log_in():
    with tempfile.TemporaryDirectory() as directory:
        key = os.path.join(directory, "id")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        with open(key + ".pub") as public:
            text = " ".join(public.read().split()[:2])
        config = lab.configuration(USERS).replace(
            "user lea1 { class class-lea1; authentication {",
            'user lea1 { class class-lea1; authentication { ssh-ed25519 "%s";' % text)
        assert text in config
        with lab.Dfcd(config, "--start-after", "9") as dfcd:
            run = ["ssh", "-i", key, "-p", str(dfcd.port), "-F", "none", "-o", "BatchMode=yes",
                   "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
                   "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
            octets = lab.request("NOOP", [("Csource-ID", "lea1"), ("Seq", "1")])
            good = subprocess.run(run + ["-l", "lea1", "127.0.0.1", "-s", "flow-tap-dtcp"],
                                  input=octets, capture_output=True, timeout=lab.PATIENCE)
            assert b"200 OK" in good.stdout, good
            bad = subprocess.run(run + ["-l", "lea2", "127.0.0.1", "-s", "flow-tap-dtcp"],
                                 input=octets, capture_output=True, timeout=lab.PATIENCE)
            assert bad.returncode == 255 and bad.stdout == b"", bad


def check(config):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(config)
        file.flush()
        run = subprocess.run([lab.DFCD, "--config", file.name, "--check"], capture_output=True,
                             text=True, timeout=lab.PATIENCE)
        return run.returncode, (run.stdout + run.stderr).replace(file.name, "FILE")


def test_check_names_every_mistake_with_its_place():
    good = lab.configuration(USERS)
    assert check(good)[0] == 0, check(good)
    status, text = check("system {\n  colour red;\n}\nservices {\n  flow-tap { interface ge-0/0/0:1.0; }\n}\n")
    assert status == 1
    assert "FILE:2:3:" in text and "FILE:5:" in text, text
    status, text = check(good.replace("services { flow-tap {",
                                      "services { dynamic-flow-capture { } flow-tap {"))
    assert status == 1 and "dynamic-flow-capture" in text, text


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
