#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd against draft-cavuto-dtcp-03, over UDP: every request, every code that can be provoked, every
notification, and silence where the draft asks for it. tests/conformance.md says which rule of the
draft each case shows.

Silence is never waited for: a valid request follows what must not be answered, and its answer must
be the next thing that comes.
"""

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from draft_client import Listener, entries, escaped, plain, require, sign
from draft_service import DFCD, Capture, FlowTap, packet, until

SEED = 20091110


# --- requests ----------------------------------------------------------------------------------

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


def test_every_request_is_answered():
    with FlowTap() as at:
        client = at.client()
        added = client.ask_ok("ADD", tap(HOST))
        require(added["criteria-id"], "an ADD is answered with its Criteria-ID", added.octets)
        require(not added.has("csource-id"), "a response has no Csource-ID", added.octets)
        require(added.version == "0.7", "the version is the request's", added.octets)
        _, found = client.list()
        require([entry["criteria-id"] for entry in found] == [added["criteria-id"]],
                "a LIST shows what was added")
        require(found[0]["timestamp"][:16].startswith(time.strftime("%Y-", time.gmtime())),
                "a LIST shows when it was added: %s" % found[0])
        timed = client.ask_ok("ADD", tap(HOST, more=[("Timeout-Total", "600")]))["criteria-id"]
        refreshed = client.ask_ok("REFRESH", [("Criteria-ID", timed), ("Timeout-Total", "60")])
        require(refreshed["criteria-count"] == "1", "one was refreshed", refreshed.octets)
        deleted = client.ask_ok("DELETE", [("Criteria-ID", timed)])
        require(deleted["criteria-count"] == "1", "one was deleted", deleted.octets)
        client.ask_ok("NOOP")


def test_names_order_and_blanks_do_not_matter():
    with FlowTap() as at:
        client = at.client()
        text = ("noop dtcp/0.7 \t \r\nX-Nobody-Knows:  this \r\nsEQ:1\r\nseq: 77\r\nX-a : b\r\n"
                "CSOURCE-ID \t:\t lea1  \r\nCsource-ID: lea2\r\n")
        signed = sign(text, client.key)
        for octets in (signed, None):
            if octets is None:
                # What follows Authentication-Info is disregarded.
                text = text.replace("sEQ:1", "sEQ:2")
                octets = sign(text, client.key)[:-2] + b"Seq: 9\r\nNonsense\r\n\r\n"
            client.send(octets)
            answer = client.answer_to(octets)
            require(answer.code == 200, "it is understood", answer.octets)
        client.next = 3
        # Each way in which the client writes, with parameters that matter.
        for _ in range(4):
            client.ask_ok("ADD", tap(HOST))
        _, found = client.list()
        require(len(found) == 4, "all were added")
        require(len({entry["source-address"] for entry in found}) == 1, "they are the same")


def test_escapes_stand_for_octets():
    with FlowTap() as at:
        client = at.client()
        octets = sign("ADD DTCP/0.7\r\nCsource-ID: %s\r\nSeq: 1\r\nSource-Address: 10.0.0.%s\r\n"
                      "Flags: Static\r\n%s" %
                      ("le" + escaped("a1"), escaped("1"), "".join(
                          "%s: %s\r\n" % (name, escaped(value) if name == "Cdest-ID" else value)
                          for name, value in tap()[1:])), client.key)
        client.send(octets)
        client.next = 2
        answer = client.answer_to(octets)
        require(answer.code == 200, "it is understood", answer.octets)
        _, found = client.list()
        require(plain(found[0]["cdest-id"]) == "cd1", "the escape stands for its octets")
        # An escape never delimits: this is one address, and not a good one.
        answer = client.ask("ADD", tap(("Source-Address", "10.0.0.1\\04410.0.0.2")))
        require(answer.code == 432, "an escaped comma separates nothing", answer.octets)


def test_every_form_of_a_filter_is_taken():
    with FlowTap() as at:
        client = at.client()
        taken = [
            [("Source-Address", "10.0.0.1/24,!10.0.0.7"), ("Dest-Address", "10.1.1.1-10.1.1.10")],
            [("Source-Address", "10.0.0.1-*, *-9.9.9.9"), ("Dest-Address", "*")],
            [("Source-Address", "2001:db8::1/64"), ("Dest-Address", "2001:db8::192.0.2.1-*")],
            [("Protocol", "6,17"), ("Source-Port", "1-1023, !22"), ("Dest-Port", "*-53,8000-*")],
            [("Protocol", "1"), ("ICMP-Type", "8, 0"), ("ICMP-Code", "*")],
            [("Protocol", "!6,!17")],
            [("Protocol", "*")],
            [],
        ]
        for filters in taken:
            client.ask_ok("ADD", tap(*filters))
        _, found = client.list([("Criteria-ID", "1-3, 5,!2")])
        require([entry["criteria-id"] for entry in found] == ["1", "3", "5"], "a list selects")


def test_mistakes_have_their_codes():
    with FlowTap() as at:
        client = at.client()
        client.ask_ok("ADD", tap(HOST))

        def without(name):
            return [parameter for parameter in tap(HOST) if parameter[0] != name]

        table = [
            ("DELETE", [], 400),
            ("DELETE", [("Criteria-ID", "1"), ("Cdest-ID", "cd1")], 400),
            ("DELETE", [("Criteria-ID", "1-"), ("Flags", "Static")], 400),
            ("REFRESH", [("Timeout-Idle", "1")], 400),
            ("REFRESH", [("Criteria-ID", "1"), ("Cdest-ID", "cd1"), ("Timeout-Idle", "1")], 400),
            ("LIST", [("Criteria-ID", "1"), ("Cdest-ID", "cd1")], 400),
            ("ADD", without("Cdest-ID"), 400),
            ("ADD", tap(HOST, ("Priority", "0")), 400),
            ("ADD", tap(HOST, ("Colour", "red")), 400),
            ("DELETE", [("Criteria-ID", "99")], 431),
            ("REFRESH", [("Criteria-ID", "99"), ("Timeout-Idle", "1")], 431),
            ("LIST", [("Criteria-ID", "99")], 431),
            ("ADD", tap(("Source-Address", "10.0.0.256")), 432),
            ("ADD", tap(("Source-Address", "10.0.0.2-10.0.0.1")), 432),
            ("ADD", tap(("Protocol", "256")), 432),
            ("ADD", tap(("Dest-Port", "1,2,x")), 432),
            ("ADD", tap(HOST, more=[]), 433),
            ("ADD", tap(HOST, more=[("Timeout-Idle", "0"), ("Timeout-Bytes", "0")]), 433),
            ("ADD", tap(HOST, more=[("Timeout-Idle", "86401")]), 433),
            ("REFRESH", [("Criteria-ID", "1")], 433),
            ("FETCH", [], 501),
            ("ADD", tap(HOST, ("Action", "Block")), 501),
            ("ADD", tap(HOST, ("Action", "Dance")), 501),
            ("NOOP", [("Flags", "Nonsense")], 501),
            ("ADD", without("X-JTap-Cdest-Dest-Address"), 901),
        ]
        for method, parameters, code in table:
            answer = client.ask(method, parameters)
            require(answer.code == code, "%s %s is %d" % (method, parameters, code), answer.octets)
        _, found = client.list()
        require(len(found) == 1, "none of them did anything")


def test_an_error_repeats_what_was_wrong():
    with FlowTap() as at:
        client = at.client()
        answer = client.ask("DELETE", [("Criteria-ID", "99")])
        require(answer["criteria-id"] == "99", "431 has the Criteria-ID", answer.octets)
        answer = client.ask("ADD", tap(("Source-Address", "10.0.0.256")))
        require(answer["source-address"] == "10.0.0.256", "432 has the line", answer.octets)
        answer = client.ask("ADD", tap(HOST, more=[("Timeout-Idle", "86401")]))
        require(answer["timeout-idle"] == "86401", "433 has the line", answer.octets)
        answer = client.ask("ADD", tap(HOST, ("Priority", "999")))
        require(answer["priority"] == "999", "400 has the line", answer.octets)
        for method, parameters, value in (("FETCH", [], b"FETCH"),
                                          ("ADD", tap(HOST, ("Action", "Dance")), b"Dance")):
            answer = client.ask(method, parameters)
            require(answer.code == 501 and value in answer.octets, "501 names what it is about",
                    answer.octets)


def test_limits_are_550_and_500_under_0_5():
    with FlowTap({"lea1": "filter-limit 2;"}) as at:
        client = at.client()
        for _ in range(2):
            client.ask_ok("ADD", tap(HOST))
        for version, code in (("0.7", 550), ("0.6", 550), ("0.5", 500)):
            answer = client.ask("ADD", tap(HOST), version=version)
            require(answer.code == code, "the limit is %d in %s" % (code, version), answer.octets)
        client.ask_ok("DELETE", [("Criteria-ID", "1"), ("Flags", "Static")])
        client.ask_ok("ADD", tap(HOST))


def test_every_version_is_answered_in_itself():
    with FlowTap() as at:
        client = at.client()
        for version in ("0.5", "0.6", "0.7"):
            answer = client.ask_ok("ADD", tap(HOST), version=version)
            require(answer.version == version, "it is answered in itself", answer.octets)
        newer = client.ask("ADD", tap(HOST), version="1.9")
        older = client.ask("ADD", tap(HOST), version="0.1")
        require((newer.code, older.code) == (505, 505), "other versions are not spoken")
        require(newer.version >= "0.7", "a newer one is answered in the highest", newer.octets)
        require(older.version == "0.5", "an older one is answered in the lowest", older.octets)
        octets = client.message("LIST", version="0.5")
        client.send(octets)
        answer = client.answer_to(octets)
        require(not answer.has("criteria-num") and not answer.has("criteria-count"),
                "0.5 has no Criteria-Num", answer.octets)
        require(answer.parameters[-1] == ("num-criteria", "3") or
                answer["num-criteria"] == "3", "0.5 has Num-Criteria", answer.octets)
        require(len(entries(answer)) == 3, "what was refused did nothing", answer.octets)


def test_list_entries_have_what_was_asked_for():
    with FlowTap() as at:
        client = at.client()
        given = [("Source-Address", "10.0.0.1"), ("Dest-Address", "10.0.0.0/8"),
                 ("Protocol", "17"), ("Source-Port", "1-9"), ("Dest-Port", "53")]
        client.ask_ok("ADD", tap(*given, more=[
            ("Timeout-Idle", "600"), ("Timeout-Total", "700"), ("Timeout-Packets", "800"),
            ("Timeout-Bytes", "900000")]))
        client.ask_ok("ADD", tap(HOST))
        always = {"csource-id", "csource-address", "cdest-id", "criteria-id", "timestamp",
                  "criteria-num", "criteria-count"}
        criteria = {name.lower() for name, _ in given} | {
            "timeout-idle", "timeout-total", "timeout-packets", "timeout-bytes"}
        statistics = {"remaining-idle", "remaining-total", "remaining-packets", "remaining-bytes",
                      "average-bandwidth", "matching-packets", "matching-bytes", "num-refresh"}
        for flags, has, has_not in (([], criteria | statistics, set()),
                                    ([("Flags", "Both")], criteria | statistics, set()),
                                    ([("Flags", "Stats")], statistics, criteria),
                                    ([("Flags", "Criteria")], criteria, statistics)):
            _, found = client.list(flags)
            names = set(found[0])
            require(always <= names and has <= names and not has_not & names,
                    "%s shows %s" % (flags, sorted(names)))
            require("static" in found[1].get("flags", "").lower() and
                    "static" not in found[0].get("flags", "").lower(), "it says what is static")
        require(found[0]["csource-id"] == "lea1" and found[0]["csource-address"] == "127.0.0.1",
                "it says whose it is: %s" % found[0])
        for name, value in given:
            require(found[0][name.lower()] == value, "%s is as given" % name)
        _, nothing = client.list([("Cdest-ID", "nowhere")])
        require(nothing == [], "nothing selected, no entry")


def test_a_long_list_comes_in_whole_datagrams():
    with FlowTap() as at:
        client = at.client()
        for index in range(60):
            client.ask_ok("ADD", tap(("Source-Address", "10.1.0.%d" % index)))
        at.client("lea2").ask_ok("ADD", tap(HOST))
        responses, found = client.list()
        require(len(responses) > 5, "it took several datagrams")
        require(all(len(one.octets) <= 1400 for one in responses), "none is longer than a packet")
        require(max(len(entries(one)) for one in responses) > 1, "entries share datagrams")
        require([entry["source-address"] for entry in found] ==
                ["10.1.0.%d" % index for index in range(60)], "all are there, in order")
        require({entry["criteria-count"] for entry in found} == {"60"}, "each says how many")
        require(client.nothing_more(), "and nothing more comes")


def test_deletes_count_what_they_delete():
    with FlowTap() as at:
        client = at.client()
        for index in range(6):
            client.ask_ok("ADD", tap(HOST, cdest="cd%d" % (index % 2), more=[
                ("Timeout-Total", "600")] if index < 4 else [("Flags", "Static")]))

        def delete(count, *parameters):
            answer = client.ask_ok("DELETE", parameters)
            require(answer["criteria-count"] == str(count), "%d are deleted" % count, answer.octets)

        static = ("Flags", "Static")
        require(client.ask("DELETE", [("Criteria-ID", "1,77"), static]).code == 431, "none")
        delete(1, ("Criteria-ID", "1"))
        delete(0, ("Criteria-ID", "5"))
        delete(0, ("Criteria-ID", "70-80"))
        delete(1, ("Cdest-ID", "cd0"))
        delete(0, ("Cdest-ID", "cd0"))
        delete(0, ("Cdest-ID", "elsewhere"))
        delete(3, ("Criteria-ID", "2-5"), static)
        delete(1, ("Cdest-ID", "cd1"), static)
        _, found = client.list()
        require(found == [], "all are gone")


def test_a_refresh_replaces_what_is_left():
    with FlowTap() as at:
        client = at.client()
        for more in ([("Timeout-Total", "6000"), ("Timeout-Packets", "10")],
                     [("Timeout-Total", "6000")], [("Flags", "Static")]):
            client.ask_ok("ADD", tap(HOST, more=more))

        def refresh(count, *parameters):
            answer = client.ask_ok("REFRESH", parameters)
            require(answer["criteria-count"] == str(count), "%d refreshed" % count, answer.octets)

        require(client.ask("REFRESH", [("Criteria-ID", "1,77"), ("Timeout-Total", "5")]).code == 431,
                "an id that does not exist")
        refresh(1, ("Criteria-ID", "1"), ("Timeout-Packets", "7"))
        refresh(2, ("Cdest-ID", "cd1"), ("Timeout-Total", "100"), ("Flags", "Static"))
        refresh(0, ("Cdest-ID", "elsewhere"), ("Timeout-Total", "100"))
        _, found = client.list()
        require(found[0]["remaining-packets"] == "7", "packets are replaced: %s" % found[0])
        for entry in found[:2]:
            require(int(entry["remaining-total"]) <= 100, "seconds are replaced: %s" % entry)
            require("static" not in entry.get("flags", "").lower(), "no REFRESH makes static")
        require(found[0]["num-refresh"] == "2", "refreshes are counted: %s" % found[0])


# --- the transport -----------------------------------------------------------------------------

def test_an_answer_comes_from_where_it_was_asked():
    # Every address of one port, and one address of another.
    with FlowTap(listen="0.0.0.0") as at:
        for server in (("127.0.0.1", at.port), ("127.0.0.2", at.port),
                       ("127.0.0.3", at.second_port)):
            at.client(server=server, sequence=10 + len(at.clients)).ask_ok("NOOP")


def test_a_control_source_is_its_name_and_no_address():
    with FlowTap() as at:
        one = at.client()
        one.ask_ok("ADD", tap(HOST))
        # The same control source from another port, and another control source from this one.
        again = at.client(sequence=one.next)
        require(len(again.list()[1]) == 1, "the criterion is the control source's")
        other = at.client("lea2")
        other.socket.close()
        other.socket = one.socket
        require(other.list()[1] == [], "an address is nobody")


def test_a_source_filter_is_possible():
    with Capture(own={"soc2": "source-addresses [ 192.0.2.77 ];"}) as at:
        filtered, client = at.client("soc2"), at.client("soc1")
        filtered.send(filtered.message("NOOP"))
        client.ask_ok("NOOP")
        require(filtered.nothing_more(), "who comes from elsewhere is not answered")


INSIDE = "--inside-a-namespace"


def test_a_fragmented_request_is_answered():
    """On a link that takes 1500 octets, so that the kernels have to fragment."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"],
                                           capture_output=True).returncode != 0:
        print("SKIPPED: fragments need a namespace, and that needs root")
        return
    subprocess.run(["unshare", "--net", sys.executable, "-B", os.path.abspath(__file__), INSIDE],
                   check=True)


def fragments_inside():
    subprocess.run(["ip", "link", "set", "lo", "up", "mtu", "1500"], check=True)
    with FlowTap() as at:
        client = at.client()
        client.ask_ok("ADD", tap(*[("X-Filler-%d" % index, "x" * 100) for index in range(100)]))
    with open("/proc/net/snmp", encoding="ascii") as lines:
        names, values = [line.split() for line in lines if line.startswith("Ip:")]
    require(int(dict(zip(names[1:], values[1:]))["ReasmOKs"]) > 0, "it came in fragments")


# --- security ----------------------------------------------------------------------------------

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
            good.replace(b"Seq: 200", b"Seq: 202").replace(b"SEQ: 200", b"SEQ: 202"),
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
        for octets in forged + bad_sequences + strangers + dropped:
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
        for number in (1255, 1001, 1200):
            octets = client.message("NOOP", sequence=number)
            client.send(octets)
            client.answer_to(octets)
            client.next = 1256 + client.requests
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
        require(any("rollover" in str(line) or "roll" in str(line.get("event", ""))
                    for line in at.service.audit()), "it is logged")


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
        server, sent, ending = ("127.0.0.1", at.port), [0], threading.Event()
        bad = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        def pour():
            while not ending.is_set() or sent[0] < 40_000:
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
                answer = client.receive(1)
                answered += answer is not None
                lost += answer is None
                require(lost < 50, "%d of %d were answered" % (answered, answered + lost))
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
                 at.service.file("sequences"), "--reset-sequence", "lea1"]
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


# --- notifications -----------------------------------------------------------------------------

def test_a_noop_can_ask_for_a_notification():
    second = Listener("first key", "127.0.0.2")
    with FlowTap({"lea1": "notification-targets { 127.0.0.2 port %d; }" % second.port}) as at:
        client = at.client()
        client.ask_ok("NOOP")
        client.ask_ok("NOOP", [("Flags", "SendAsync")])
        told = at.listeners["lea1"].wait(131)
        require(told.parameters == [("timestamp", told["timestamp"])],
                "nothing but a Timestamp", told.octets)
        second.wait(131)
        for listener in (at.listeners["lea1"], second):
            require([one.code for one in listener.drain()] == [599, 131], "each target, once")
    second.close()


def test_notifications_have_the_configured_version():
    with FlowTap({"lea1": "notification-version 0.6;"}) as at:
        for name, version in (("lea1", "0.6"), ("lea2", "0.5")):
            client = at.client(name)
            client.ask_ok("NOOP", [("Flags", "SendAsync")], version="0.5")
            told = at.listeners[name].wait(131)
            require(told.version == version, "it has the version %s" % version, told.octets)
            answer = client.ask_ok("NOOP")
            require(answer.version == "0.7", "requests have theirs", answer.octets)


def test_a_notification_version_that_is_not_spoken_is_refused_at_once():
    with FlowTap() as at, tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        for version, status in (("0.7", 0), ("0.4", 1), ("1.1", 1)):
            file.seek(0)
            file.truncate()
            file.write(at.config.replace("control-source lea2 {",
                                         "control-source lea2 { notification-version %s;" % version))
            file.flush()
            run = subprocess.run([DFCD, "--config", file.name, "--check"], capture_output=True,
                                 timeout=30)
            require(run.returncode == status, "%s: %s" % (version, run))


def test_a_restart_is_told():
    with FlowTap() as at:
        for _ in range(2):
            for listener in at.listeners.values():
                told = listener.wait(599)
                require(told.has("alert-info"), "with a reason", told.octets)
            at.service.stop()
            at.service.start()


def test_timeouts_end_criteria_and_are_told():
    with FlowTap(traffic=True) as at:
        client = at.client()
        timeouts = [("Total", "1"), ("Idle", "1"), ("Packets", "5"), ("Bytes", "1000")]
        for index, (kind, limit) in enumerate(timeouts):
            client.ask_ok("ADD", tap(("Source-Address", "10.0.1.%d" % index), port=2000 + index,
                                     more=[("Timeout-" + kind, limit), ("Flags", "SendAsync")]))
        # Several at once: the first to run out counts, and 390 tells of all.
        client.ask_ok("ADD", tap(("Source-Address", "10.0.1.4"), port=2004, more=[
            ("Timeout-Total", "600"), ("Timeout-Packets", "2"), ("Flags", "SendAsync")]))
        # Without SendAsync nobody is told; what is static has no timeouts.
        client.ask_ok("ADD", tap(HOST, more=[("Timeout-Total", "1")]))
        client.ask_ok("ADD", tap(HOST, port=2006, more=[("Timeout-Total", "1"),
                                                        ("Flags", "Static,SendAsync")]))
        at.service.wire.send([packet("10.0.1.%d" % index, length=300, mark=mark)
                              for index in (2, 3, 4) for mark in range(8)])
        listener, told = at.listeners["lea1"], {}
        while len(told) < 5:
            one = listener.wait(390)
            require(one["criteria-id"] not in told, "each is told once", one.octets)
            told[one["criteria-id"]] = one
        for index, (kind, limit) in enumerate(timeouts):
            one = told[str(index + 1)]
            require(one["timeout-" + kind.lower()] == limit and
                    one["remaining-" + kind.lower()] == "0", "its timeout is told", one.octets)
            require(len(one.parameters) == 4, "and no other", one.octets)
        both = told["5"]
        require(both["timeout-total"] == "600" and 0 < int(both["remaining-total"]) <= 600 and
                both["remaining-packets"] == "0" and not both.has("timeout-idle"),
                "all of its timeouts are told", both.octets)
        until(lambda: len(client.list()[1]) == 1)
        require(client.list()[1][0]["criteria-id"] == "7", "what is static stays")
        require(len([one for one in listener.drain() if one.code == 390]) == 5,
                "and nothing else is told")
        at.service.stop()
        copies = [(int.from_bytes(copy[22:24], "big"), len(copy) - 28)
                  for copy in at.service.copies()]
        require(sum(port == 2002 for port, _ in copies) == 5, "five packets, no more: %s" % copies)
        require(sum(port == 2004 for port, _ in copies) == 2, "two packets, no more: %s" % copies)
        require(sum(size for port, size in copies if port == 2003) <= 1000,
                "a thousand octets, no more: %s" % copies)


# --- dynamic flow capture ----------------------------------------------------------------------

def test_a_content_destination_is_a_configured_name():
    with Capture(own={"soc2": "minimum-priority 3;"}) as at:
        one, two = at.client("soc1"), at.client("soc2")
        one.ask_ok("ADD", capture("10.0.0.1"))
        one.ask_ok("ADD", capture("10.0.0.2", cdest="probe2"))
        refused = [client.ask("ADD", capture("10.0.0.1", ("Flags", "Static"), ("Priority", "9"),
                                             cdest=name))
                   for client, name in ((one, "nowhere"), (one, "192.0.2.1"), (two, "probe2"),
                                        (two, "nowhere"))]
        require({answer.code for answer in refused} == {430}, "no other destination exists")
        require(refused[2]["cdest-id"] == "probe2", "430 has the Cdest-ID", refused[2].octets)
        for method in ("LIST", "DELETE"):
            answers = [two.ask(method, [("Cdest-ID", name)]) for name in ("probe2", "nowhere")]
            require({answer.code for answer in answers} == {430}, "here neither", answers[0].octets)
        low = two.ask("ADD", capture("10.0.0.1", ("Flags", "Static"), ("Priority", "2")))
        require(low.code == 400, "its priority is too low", low.octets)
        originals = [packet("10.0.0.1", mark=1), packet("10.0.0.2", mark=2)]
        at.service.wire.send(originals + [packet("10.0.0.3")])
        until(lambda: len(at.service.copies()) == 2)
        for copy, original, address in zip(sorted(at.service.copies(), key=lambda one: one[16:20]),
                                           originals, ("192.0.2.1", "192.0.2.2")):
            # Section 3.3: the packet unaltered, here in another IP header.
            require(copy[20:] == original, "the inner packet is the original", copy)
            require(copy[9] == 4 and copy[16:20] == socket.inet_aton(address), "IP in IP", copy)
            require(copy[8] == (17 if address == "192.0.2.1" else 255), "the TTL", copy)


def test_the_soft_limit_is_told_to_everyone_concerned():
    limits = "soft-limit 40k; soft-limit-clear 20k; hard-limit 100m; hard-limit-target 90m;"
    with Capture(destination=limits) as at:
        one, two = at.client("soc1"), at.client("soc2")
        one.ask_ok("ADD", capture("10.0.0.1"))
        two.ask_ok("ADD", capture("10.0.0.2"))
        listeners = at.listeners.values()
        # 100,000 octets at once are 80 kbit/s over ten seconds.
        at.service.wire.send([packet("10.0.0.1", length=1000, mark=mark) for mark in range(100)])
        for listener in listeners:
            told = listener.wait(580)
            require(told["cdest-id"] == "probe1", "it names the destination", told.octets)
            require(told["alert-bandwidth"] == "40000" and told["max-bandwidth"] == "100000000",
                    "it has the limits", told.octets)
            require(40_000 < int(told["average-bandwidth"]) <= 80_000, "and the bandwidth",
                    told.octets)
        # While it is above, nothing more is told: the NOOP's notification is the next.
        for client in (one, two):
            client.ask_ok("NOOP", [("Flags", "SendAsync")])
            at.listeners[client.name].wait(131)
            require([told.code for told in at.listeners[client.name].drain()] == [599, 580, 131],
                    "once a crossing: %s" % at.listeners[client.name].heard)
        # Who has no criterion any more hears nothing; ten seconds later the limit is armed again.
        two.ask_ok("DELETE", [("Criteria-ID", "*"), ("Flags", "Static")])
        until(lambda: int(one.list([("Flags", "Stats")])[1][0]["average-bandwidth"]) == 0)
        at.service.wire.send([packet("10.0.0.1", length=1000, mark=mark) for mark in range(100)])
        at.listeners["soc1"].wait(580)
        two.ask_ok("NOOP", [("Flags", "SendAsync")])
        at.listeners["soc2"].wait(131)
        require([told.code for told in at.listeners["soc2"].drain()].count(580) == 1,
                "who is not concerned hears nothing")


def test_the_hard_limit_purges_and_tells_the_owner():
    limits = "soft-limit 40k; soft-limit-clear 20k; hard-limit 60k; hard-limit-target 25k;"
    with Capture(destination=limits) as at:
        one, two = at.client("soc1"), at.client("soc2")
        # The lowest priority goes first, the newest of them before the others.
        for client, source, priority in ((one, "10.0.0.1", 9), (one, "10.0.0.2", 1),
                                         (two, "10.0.0.3", 1), (two, "10.0.0.4", 9)):
            client.ask_ok("ADD", capture(source, ("Flags", "Static"), ("Priority", str(priority))))
        # Over ten seconds 29.6 kbit/s each of the second and third, then 10.4 of the others: however
        # much of the latter has come when it is measured, both of the former must go.
        for sources, count_of_each in (((2, 3), 37), ((1, 4), 13)):
            at.service.wire.send([packet("10.0.0.%d" % source, length=1000, mark=mark)
                                  for mark in range(count_of_each) for source in sources])
        for client, purged in ((one, "2"), (two, "1")):
            told = at.listeners[client.name].wait(680)
            require(told["cdest-id"] == "probe1" and told["criteria-id"] == purged,
                    "it names the owner's criteria", told.octets)
            _, found = client.list()
            require([entry["criteria-id"] for entry in found] == [str(3 - int(purged))],
                    "what was purged is gone, the other is not")
        for client in (one, two):
            client.ask_ok("NOOP", [("Flags", "SendAsync")])
            at.listeners[client.name].wait(131)
            require([told.code for told in at.listeners[client.name].drain()].count(680) == 1,
                    "once: %s" % at.listeners[client.name].heard)


def test_dropped_duplicates_are_told():
    with Capture(group="max-duplicates 1; duplicates-dropped-periodicity 1;") as at:
        one, two = at.client("soc1"), at.client("soc2")
        one.ask_ok("ADD", capture("10.0.0.1", ("Flags", "Static"), ("Priority", "2")))
        two.ask_ok("ADD", capture("10.0.0.1", ("Flags", "Static"), ("Priority", "1")))
        for _ in range(2):
            # Every period in which something is dropped is told.
            at.service.wire.send([packet("10.0.0.1", length=200) for _ in range(10)])
            told = at.listeners["soc2"].wait(598)
            require(told["cdest-id"] == "probe1" and told["criteria-id"] == "1",
                    "it names destination and criterion", told.octets)
            numbers = [value for name, value in told.parameters if value.isdigit()]
            require("10" in numbers and "2000" in numbers or "20" in numbers,
                    "it has packets and octets", told.octets)
        one.ask_ok("NOOP", [("Flags", "SendAsync")])
        at.listeners["soc1"].wait(131)
        require([told.code for told in at.listeners["soc1"].drain()] == [599, 131],
                "whose packets were copied hears nothing: %s" % at.listeners["soc1"].heard)
        require(len(at.service.copies()) == 20, "one copy a packet")


def test_above_the_memory_threshold_an_add_is_an_internal_error():
    with Capture(group="pic-memory-threshold { percentage 0; }") as at:
        client = at.client("soc1")
        codes = [client.ask("ADD", capture("10.0.0.%d" % index)).code for index in range(3)]
        require(codes[-1] == 500, "above the threshold no criterion is taken: %s" % codes)
        client.ask_ok("DELETE", [("Criteria-ID", "*"), ("Flags", "Static")])


def main():
    if sys.argv[1:] == [INSIDE]:
        fragments_inside()
        return 0
    print("seed %d" % SEED)
    chosen = sys.argv[1:]
    passed = failed = 0
    for name, function in list(globals().items()):
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
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
