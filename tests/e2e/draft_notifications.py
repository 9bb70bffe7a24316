#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd against draft-cavuto-dtcp-03, over UDP: every notification, and dynamic flow capture, where
content destinations are configured."""

import socket
import subprocess
import tempfile

from draft_client import Listener, require
from draft_service import DFCD, HOST, Capture, FlowTap, capture, main, packet, tap, until


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


def test_a_receiver_that_is_gone_disturbs_nobody():
    with FlowTap() as at:
        at.listeners["lea1"].close()
        one, two = at.client("lea1"), at.client("lea2")
        for _ in range(50):
            for client in (one, two):
                client.ask_ok("NOOP", [("Flags", "SendAsync")])
        for _ in range(50):
            at.listeners["lea2"].wait(131)


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
    with Capture(destination=limits,
                 group="max-duplicates 1; duplicates-dropped-periodicity 1;") as at:
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
        until(lambda: int(one.list([("Criteria-ID", "1")])[1][0]["average-bandwidth"]) == 0)
        # The bandwidth is measured now and then. So are dropped copies: once one is told, the fall
        # has been noticed.
        for cdest in ("probe1", "probe2"):
            one.ask_ok("ADD", capture("10.0.0.9", cdest=cdest))
        at.service.wire.send([packet("10.0.0.9")])
        at.listeners["soc1"].wait(598)
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
        for total in (10, 20):
            # Every period in which something is dropped is told, with the numbers up to then.
            at.service.wire.send([packet("10.0.0.1", length=200) for _ in range(10)])
            numbers = []
            while str(total) not in numbers:
                told = at.listeners["soc2"].wait(598)
                require(told["cdest-id"] == "probe1" and told["criteria-id"] == "1",
                        "it names destination and criterion", told.octets)
                numbers = [value for name, value in told.parameters if value.isdigit()]
            require(str(total * 200) in numbers, "it has packets and octets", told.octets)
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


if __name__ == "__main__":
    main(globals())
