#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd against draft-cavuto-dtcp-03, over UDP: every request, every code that can be provoked, and the
way that messages take. tests/conformance.md says which rule of the draft each case shows."""

import os
import re
import subprocess
import sys
import tempfile
import time

from draft_client import StreamClient, entries, escaped, plain, require, sign
from draft_service import HOST, Capture, FlowTap, main, tap


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


def over_ssh(at, directory):
    """A client whose messages ssh carries."""
    port = re.search(r"listening on 127.0.0.1 port (\d+)\n", at.service.log())[1]
    process = subprocess.Popen(
        ["ssh", "-i", os.path.join(directory, "id"), "-p", port, "-F", "none", "-l", "lea1",
         "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
         "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
         "127.0.0.1", "-s", "flow-tap-dtcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    at.clients.append(StreamClient("lea1", at.KEYS["lea1"], process))
    return at.clients[-1]


def test_the_same_client_is_served_over_ssh():
    with tempfile.TemporaryDirectory() as directory:
        key = os.path.join(directory, "id")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        with open(key + ".pub", encoding="ascii") as public:
            words = public.read().split()
        system = ("system { login { class taps { permissions [ flow-tap-operation ]; }\n"
                  'user lea1 { class taps; authentication { %s "%s %s"; } } }\n'
                  "services { flow-tap-dtcp { ssh { connection-limit 5; } } } }\n"
                  % (words[0], words[0], words[1]))
        with FlowTap(system=system) as at:
            client = over_ssh(at, directory)
            for index in range(30):
                client.ask_ok("ADD", tap(("Source-Address", "10.1.0.%d" % index), more=[
                    ("Timeout-Total", "600")]))
            responses, found = client.list()
            require(len(found) == 30 and len(responses) == 1, "one response has the whole list")
            require([entry["criteria-num"] for entry in found] ==
                    [str(number) for number in range(1, 31)], "in order")
            answer = client.ask_ok("REFRESH", [("Criteria-ID", "*"), ("Timeout-Total", "60")])
            require(answer["criteria-count"] == "30", "all are refreshed", answer.octets)
            require(client.ask("DELETE", [("Criteria-ID", "31")]).code == 431, "no such id")
            # Forged: no answer, so the next one is the NOOP's.
            client.send(client.message("DELETE", [("Criteria-ID", "*")], key=b"wrong"))
            client.ask_ok("NOOP", [("Flags", "SendAsync")])
            # Over UDP it is the same control source.
            require(len(at.client().list()[1]) == 30, "its criteria are there over UDP")
            answer = client.ask_ok("DELETE", [("Criteria-ID", "*")])
            require(answer["criteria-count"] == "30", "all are deleted", answer.octets)
            require([told.code for told in client.heard] == [131], "the NOOP is told in the channel")
            at.listeners["lea1"].wait(131)


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


if __name__ == "__main__":
    if sys.argv[1:] == [INSIDE]:
        fragments_inside()
    else:
        main(globals())
