#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd against draft-cavuto-dtcp-03, over UDP: silence where the draft asks for it, sequence numbers,
and control sources that know nothing of each other.

Silence is never waited for: a valid request follows what must not be answered, and its answer must
be the next thing that comes."""

import random
import socket
import subprocess
import threading

from draft_client import require, sign
from draft_service import DFCD, HOST, SEED, FlowTap, main, silent, tap, until


def count(summary, name):
    return summary["requests"][name]


def test_what_fails_its_checks_is_never_answered():
    with FlowTap() as at:
        client = at.client()
        first = client.message("ADD", tap(HOST))
        client.send(first)
        client.answer_to(first)

        def mine(text):
            return sign(text, client.key)

        good = client.message("ADD", tap(HOST), sequence=200)
        noop = "NOOP DTCP/0.7\r\nCsource-ID: lea1\r\nSeq: 201\r\n"
        forged = [
            client.message("ADD", tap(HOST), key=b"wrong", sequence=200),
            good.replace(b"10.0.0.1", b"10.0.0.2"),
            good.replace(b": 200", b": 202"),
            noop.encode() + b"\r\n",
            noop.encode() + b"Authentication-Info: 0123\r\n\r\n",
        ]
        bad_sequences = [
            first,
            mine("NOOP DTCP/0.7\r\nCsource-ID: lea1\r\n"),
            mine("NOOP DTCP/0.7\r\nCsource-ID: lea1\r\nSeq: -5\r\n"),
            mine("NOOP DTCP/0.7\r\nCsource-ID: lea1\r\nSeq: 18446744073709551616\r\n"),
            client.message("NOOP", sequence=100_000),
        ]
        strangers = [
            mine(noop.replace("lea1", "nobody")),
            mine(noop.replace("lea1", "LEA1")),
            mine("NOOP DTCP/0.7\r\nSeq: 201\r\n"),
        ]
        # Another's name under one's own key is a forgery.
        forged.append(mine(noop.replace("lea1", "lea2")))
        # Nothing that is cut off is a message, but for the last of its line ends.
        dropped = [good[:end] for end in (1, 4, 12, 13, 20, 60, len(good) - 45, len(good) - 5,
                                          len(good) - 3)]
        dropped += [
            b"",
            b"\r\n\r\n",
            good + mine(noop),
            good + b"x",
            mine("ADD DTCP/0.7\r\nCsource-ID: lea1\r\nSeq: 202\r\nX-Long: " + "x" * 60_000 + "\r\n"),
            mine(noop[:-2] + "\r\n" + "X-Many: x\r\n" * 3000),
        ]
        noise = random.Random(SEED)
        dropped += [noise.randbytes(size) for size in (1, 10, 100, 1000, 1400, 60_000)]
        # One of each kind first: only so many are logged in a second.
        for octets in ([forged[0], bad_sequences[0], strangers[0]] + forged[1:] +
                       bad_sequences[1:] + strangers[1:] + dropped):
            silent(client, octets)
        # What was not answered was not done, and its number is still good.
        require(len(client.list()[1]) == 1, "nothing was done")
        client.send(good)
        client.answer_to(good)
        statuses = [line.get("status") for line in at.service.audit()]
        require({497, 498, 499} <= set(statuses), "failures are logged: %s" % statuses)
        summary = at.service.stop()
        for name, least in (("bad_authentications", len(forged)),
                            ("bad_sequences", len(bad_sequences)),
                            ("unknown_sources", len(strangers))):
            require(count(summary, name) >= least, "%s are counted: %s" % (name, summary))
        require(count(summary, "bad_authentications") + count(summary, "bad_sequences") +
                count(summary, "unknown_sources") + count(summary, "malformed") +
                summary["datagrams"]["dropped"] + summary["datagrams"]["too_long"] ==
                len(forged + bad_sequences + strangers + dropped),
                "each is counted, once: %s" % summary)


def test_both_windows_of_sequence_numbers():
    with FlowTap() as at:
        client = at.client(sequence=1000)
        client.ask_ok("NOOP")
        # Forged or far away: neither answered nor remembered.
        client.next = 1256
        silent_ones = [client.message("NOOP", sequence=1200, key=b"wrong"),
                       client.message("NOOP", sequence=1257)]
        for octets in silent_ones:
            client.send(octets)
        client.ask_ok("NOOP")
        require(client.nothing_more(), "one was answered")
        # Out of order, once each.
        for number in (1001, 1255, 1200):
            octets = client.message("NOOP", sequence=number)
            client.send(octets)
            client.answer_to(octets)
            silent(client, octets)
        # What was there before the first one counts as seen.
        silent(client, client.message("NOOP", sequence=1000))
        silent(client, client.message("NOOP", sequence=999))


def test_a_rollover_is_told():
    with FlowTap() as at:
        client = at.client(sequence=2**64 - 2)
        for _ in range(2):
            client.ask_ok("NOOP")
        require(at.listeners["lea1"].wait(599), "the start was told")
        require(client.next == 0, "now it goes past zero")
        client.ask_ok("NOOP")
        told = at.listeners["lea1"].wait(130)
        require(told.parameters == [("timestamp", told["timestamp"])],
                "nothing but a Timestamp", told.octets)
        client.ask_ok("NOOP")
        require(at.listeners["lea2"].wait(599) and len(at.listeners["lea2"].drain()) == 1,
                "nobody else hears of it")
        require(any("rolled over" in line.get("detail", "") for line in at.service.audit()),
                "it is logged")


def test_no_message_holds_a_key():
    # The client refuses a message that has its own key.
    with FlowTap() as at:
        client = at.client()
        client.ask_ok("ADD", tap(HOST))
        client.list()
        require(b"first key" not in client.ask("FETCH").octets, "no key in an error")
        everything = at.service.log() + str(at.service.audit())
        require("first key" not in everything, "no key in a log")


def test_a_flood_leaves_a_valid_client_answered():
    with FlowTap() as at:
        client = at.client()
        noise = random.Random(SEED)
        flood = [noise.randbytes(noise.randrange(1, 1400)) for _ in range(50)]
        flood += [client.message("ADD", tap(HOST), sequence=5, key=b"wrong") for _ in range(50)]
        answered_before = client.message("NOOP")
        client.send(answered_before)
        client.answer_to(answered_before)
        flood += [answered_before] * 50
        server, sent, ending = ("127.0.0.1", at.port), [0], threading.Event()
        bad = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        def pour():
            while not ending.is_set():
                bad.sendto(flood[sent[0] % len(flood)], server)
                sent[0] += 1

        pouring = threading.Thread(target=pour)
        pouring.start()
        answered, lost = 0, 0
        try:
            while answered < 200 or sent[0] < 40_000:
                octets = client.message("NOOP")
                client.send(octets)
                # UDP loses what the kernel has no room for: ask again, with the next number.
                answer = client.receive(0.2)
                answered += answer is not None
                lost += answer is None
                require(lost < 200, "%d of %d were answered" % (answered, answered + lost))
        finally:
            ending.set()
            pouring.join()
        bad.setblocking(False)
        try:
            raise AssertionError("the flood was answered: %r" % bad.recv(65536))
        except BlockingIOError:
            pass
        finally:
            bad.close()
        print("        %d datagrams of a flood, %d requests answered, %d asked again"
              % (sent[0], answered, lost))
        summary = at.service.stop()
        require(count(summary, "bad_authentications") > 0, "the flood is counted: %s" % summary)


def test_nobody_hears_of_another():
    with FlowTap() as at:
        one, two = at.client("lea1"), at.client("lea2")
        ids = [client.ask_ok("ADD", tap(HOST))["criteria-id"] for client in (one, two)]
        require(ids[0] == ids[1], "not even by its number does one know of the other")
        one.ask_ok("ADD", tap(HOST))
        require(two.ask("DELETE", [("Criteria-ID", "2"), ("Flags", "Static")]).code == 431,
                "another's criterion does not exist")
        deleted = two.ask_ok("DELETE", [("Criteria-ID", "*"), ("Flags", "Static")])
        require(deleted["criteria-count"] == "1", "only one's own are deleted", deleted.octets)
        require(len(one.list()[1]) == 2 and two.list()[1] == [], "and nobody else's")
        for client in (one, two):
            client.ask_ok("NOOP", [("Flags", "SendAsync")])
            at.listeners[client.name].wait(131)
        for listener in at.listeners.values():
            require([told.code for told in listener.drain()] == [599, 131],
                    "one hears of oneself only: %s" % listener.heard)


def test_a_restart_forgets_criteria_and_keeps_sequence_numbers():
    with FlowTap() as at:
        client = at.client(sequence=7000)
        octets = client.message("ADD", tap(HOST))
        client.send(octets)
        client.answer_to(octets)
        at.service.stop()
        at.service.start()
        # A clean end keeps the exact number.
        silent(client, octets)
        require(client.list()[1] == [], "criteria are gone")
        at.service.kill()
        at.service.start()
        # After a sudden end some numbers ahead may be used up: the client goes on in steps.
        replayed = client.message("NOOP", sequence=client.next - 1)
        for octets in (octets, replayed):
            client.send(octets)
        for _ in range(20):
            client.send(client.message("NOOP"))
            answer = client.receive(0.5)
            if answer:
                break
            client.next += 200
        require(answer is not None and int(answer["seq"]) == client.next - 1,
                "a number ahead is good again")
        require(client.nothing_more(), "the replay is not answered")
        summary = at.service.stop()
        require(count(summary, "bad_sequences") >= 2, "replays are counted: %s" % summary)


def test_a_manual_reset_takes_any_number():
    with FlowTap() as at:
        client = at.client(sequence=9000)
        client.ask_ok("NOOP")
        reset = [DFCD, "--config", at.service.path, "--sequence-file",
                 at.service.file("sequences"), "--audit-log", at.service.file("audit"),
                 "--reset-sequence", "lea1"]
        # Of a dfcd that runs, and of one that does not.
        subprocess.run(reset, check=True, capture_output=True, timeout=30)
        until(lambda: "forgotten" in at.service.log())
        client.next = 700
        client.ask_ok("NOOP")
        at.service.stop()
        subprocess.run(reset, check=True, capture_output=True, timeout=30)
        at.service.start()
        client.next = 5
        client.ask_ok("NOOP")


if __name__ == "__main__":
    main(globals())
