#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What dfcd answers to each request of a mediation device, and what the copies then show."""

import os
import re
import sys
import tempfile

import lab

TAP = ["flow-tap-operation"]
USERS = {"lea1": ("first", TAP), "lea2": ("second", TAP)}
HOST = [("Source-Address", "10.0.0.1")]
INSTANCE = "routing-instances { cust-a { instance-type vrf; interface ge-0/0/1.0; } }"


def service(config=None, *arguments):
    return lab.Dfcd(config or lab.configuration(USERS), "--start-after", "100000", *arguments)


def lea1(dfcd):
    return lab.Device(dfcd.port, "lea1", "first")


def ok(answer, code=200):
    assert answer.code == code, answer.octets
    return answer


def timed(filters, **timeouts):
    """The fields of an ADD with timeouts in the place of STATIC."""
    fields = [field for field in lab.add_fields(filters) if field[0] != "Flags"]
    return fields + [("Timeout-" + name, str(value)) for name, value in timeouts.items()]


def flow(count, source="10.0.0.1"):
    return [lab.ethernet(lab.ipv4(source, "10.0.0.2", 17, lab.udp(1000, 53, b"%d" % index)))
            for index in range(count)]


def copies_of(captures, adds, config=None):
    """The copies that dfcd makes of captures, {interface: frames}, under some ADDs."""
    with tempfile.TemporaryDirectory() as work:
        reads = []
        for index, (interface, frames) in enumerate(captures.items()):
            path = os.path.join(work, "%d.pcap" % index)
            lab.write_pcap(path, frames)
            reads += ["--read", "%s=%s" % (interface, path)]
        copies = os.path.join(work, "copies.pcap")
        with lab.Dfcd(config or lab.configuration(USERS), *reads, "--write", copies, "--once",
                      "--start-after", str(len(adds))) as dfcd:
            device = lea1(dfcd)
            for fields in adds:
                ok(device.ask("ADD", fields))
            assert dfcd.wait()[0] == 0
            return [lab.split_copy(packet) for packet in lab.read_pcap(copies)]


def test_enable_and_disable_are_not_built():
    with service() as dfcd:
        device = lea1(dfcd)
        ok(device.ask("ADD", lab.add_fields(HOST)))
        for method in ("ENABLE", "DISABLE"):
            fields = [("Criteria-ID", "1"), ("X-Drop-Policy", "drop"), ("Flags", "STATIC")]
            ok(device.ask(method, fields, version="0.8"), 501)
            ok(device.ask(method.lower(), fields, version="0.8"), 501)


def test_every_version_is_answered_in_itself():
    with service() as dfcd:
        device = lea1(dfcd)
        for version in ("0.5", "0.6", "0.7", "0.8"):
            answer = ok(device.ask("ADD", lab.add_fields(HOST), version=version))
            assert answer.version == version, answer.octets
            listing = ok(device.ask("LIST", version=version))
            count = len(listing.all("CRITERIA-ID"))
            assert listing.version == version
            if version == "0.5":
                assert "CRITERIA-NUM" not in listing.names()
                assert listing.names().count("NUM-CRITERIA") == 1, listing.octets
                assert listing.names()[-2] == "NUM-CRITERIA", listing.octets
            else:
                assert listing.all("CRITERIA-NUM") == [str(n + 1) for n in range(count)]
                assert listing.all("CRITERIA-COUNT") == [str(count)] * count
        for version, spoken in (("0.4", "0.5"), ("0.0", "0.5"), ("0.9", "0.8"), ("1.0", "0.8")):
            assert ok(device.ask("NOOP", version=version), 505).version == spoken
        family = lab.add_fields([("X-JTap-Filter-Family", "ccc")])
        for version in ("0.5", "0.6", "0.7"):
            ok(device.ask("ADD", family, version=version), 400)


def test_limits_are_an_internal_error_under_0_5():
    with service(lab.configuration(USERS, "filter-limit 1;")) as dfcd:
        device = lea1(dfcd)
        ok(device.ask("ADD", lab.add_fields(HOST), version="0.5"))
        ok(device.ask("ADD", lab.add_fields(HOST), version="0.5"), 500)
        ok(device.ask("ADD", lab.add_fields(HOST), version="0.7"), 550)


def test_refresh_sets_the_timeouts_it_names():
    with service() as dfcd:
        device = lea1(dfcd)
        ok(device.ask("ADD", timed(HOST, Total=5000, Packets=70)))
        ok(device.ask("ADD", lab.add_fields(HOST)))
        refresh = [("Criteria-ID", "*"), ("Timeout-Packets", "90"), ("Timeout-Bytes", "1000")]
        answer = ok(device.ask("REFRESH", refresh))
        assert answer["CRITERIA-COUNT"] == "1", "the static criterion was counted"
        listing = ok(device.ask("LIST", [("Criteria-ID", "1")]))
        assert listing["REMAINING-PACKETS"] == "90" and listing["REMAINING-BYTES"] == "1000"
        assert 4900 <= int(listing["REMAINING-TOTAL"]) <= 5000
        assert listing["NUM-REFRESH"] == "1"
        for fields, code in (([("Criteria-ID", "1")], 433),
                             ([("Criteria-ID", "1"), ("Timeout-Total", "0")], 433),
                             ([("Criteria-ID", "1"), ("Timeout-Total", "86401")], 433),
                             ([("Timeout-Total", "5")], 400),
                             ([("Criteria-ID", "1"), ("Cdest-ID", "cd1"), ("Timeout-Total", "5")],
                              400),
                             ([("Criteria-ID", "7"), ("Timeout-Total", "5")], 431)):
            ok(device.ask("REFRESH", fields), code)


def test_timeouts_of_an_add():
    with service() as dfcd:
        device = lea1(dfcd)
        for timeouts, code in (({"Idle": 86400}, 200), ({"Idle": 86401}, 433),
                               ({"Packets": 2**32 - 1}, 200), ({"Packets": 2**32}, 433),
                               ({"Bytes": 2**64 - 1}, 200), ({"Bytes": 2**64}, 433),
                               ({"Total": 0}, 433), ({}, 433)):
            ok(device.ask("ADD", timed(HOST, **timeouts)), code)


ENTRY = ["CRITERIA-ID", "CSOURCE-ID", "CDEST-ID", "CSOURCE-ADDRESS", "TIMESTAMP", "FLAGS"]


def test_list_shows_what_its_flags_ask_for():
    with service() as dfcd:
        device = lea1(dfcd)
        ok(device.ask("ADD", timed(HOST, Total=5000)))
        names = {}
        for flags in ([], [("Flags", "Both")], [("flags", "STATS")], [("Flags", "Criteria")]):
            answer = ok(device.ask("LIST", flags))
            assert answer.names()[:2] == ["SEQ", "TIMESTAMP"]
            assert answer.names()[-3:] == ["CRITERIA-NUM", "CRITERIA-COUNT", "AUTHENTICATION-INFO"]
            names[flags[0][1] if flags else ""] = answer.names()[2:-3]
        criteria = ["SOURCE-ADDRESS", "TIMEOUT-TOTAL", "X-JTAP-CDEST-DEST-ADDRESS"]
        statistics = ["AVERAGE-BANDWIDTH", "MATCHING-PACKETS", "MATCHING-BYTES", "NUM-REFRESH"]

        def shows(shown, wanted):
            return [name in [one.upper() for one in shown] for name in wanted]

        assert names[""] == names["Both"]
        for flags, one, other in (("Both", True, True), ("STATS", False, True),
                                  ("Criteria", True, False)):
            assert names[flags][:3] == ENTRY[:3], names
            assert shows(names[flags], criteria) == [one] * len(criteria), names
            assert shows(names[flags], statistics) == [other] * len(statistics), names
        ok(device.ask("LIST", [("Flags", "Nonsense")]), 501)


def test_selectors_of_list_and_delete():
    with service() as dfcd:
        device = lea1(dfcd)
        for cdest in ("cd1", "cd2", "cd1,cd3", "cd4", "cd5"):
            fields = lab.add_fields(HOST, cdest=cdest)
            if "," in cdest:
                fields = [(name, value + ",192.0.2.6" if name.endswith("Dest-Address")
                           else value + ",2301" if name.endswith("Dest-Port") else value)
                          for name, value in fields]
            ok(device.ask("ADD", fields))

        def listed(*selector):
            return ok(device.ask("LIST", list(selector))).all("CRITERIA-ID")

        assert listed() == ["1", "2", "3", "4", "5"]
        assert listed(("Criteria-ID", "2-3, 5")) == ["2", "3", "5"]
        assert listed(("Criteria-ID", "*,!2")) == ["1", "3", "4", "5"]
        assert listed(("Criteria-ID", "4-*")) == ["4", "5"]
        assert listed(("Cdest-ID", "cd1")) == ["1", "3"]
        assert listed(("Cdest-ID", "cd3")) == ["3"]
        assert listed(("Cdest-ID", "nowhere")) == []
        ok(device.ask("LIST", [("Cdest-ID", "cd1,cd2")]), 400)
        ok(device.ask("LIST", [("Criteria-ID", "6")]), 431)
        assert ok(device.ask("DELETE", [("Criteria-ID", "1")]))["CRITERIA-COUNT"] == "0"
        ok(device.ask("DELETE", [("Criteria-ID", "2,9"), ("Flags", "STATIC")]), 431)
        gone = ok(device.ask("DELETE", [("Cdest-ID", "cd1"), ("Flags", "STATIC")]))
        assert gone["CRITERIA-COUNT"] == "2"
        assert listed() == ["2", "4", "5"]
        # A number is never used again.
        assert ok(device.ask("ADD", lab.add_fields(HOST)))["CRITERIA-ID"] == "6"


def test_an_error_names_the_line_as_it_was_received():
    with service() as dfcd:
        device = lea1(dfcd)
        answer = ok(device.ask("ADD", lab.add_fields([("SOURCE-address", " 10.0.0.256")])), 432)
        assert b"SOURCE-address:  10.0.0.256" in answer.octets, answer.octets
        assert answer.names()[0] == "SEQ"
        assert answer.names()[-2:] == ["TIMESTAMP", "AUTHENTICATION-INFO"]
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$", answer["TIMESTAMP"])


def test_two_content_destinations_get_a_copy_each():
    fields = [(name, value + ",192.0.2.6" if name == "X-JTap-Cdest-Dest-Address"
               else value + ",2301" if name == "X-JTap-Cdest-Dest-Port" else value)
              for name, value in lab.add_fields(HOST, cdest="cd1,cd2")]
    copies = copies_of({"ge-0/0/0": flow(6) + flow(2, "10.0.0.9")}, [fields])
    assert sorted(copy[1:4:2] for copy in copies) == \
        [("192.0.2.5", 2300)] * 6 + [("192.0.2.6", 2301)] * 6, copies


def test_a_routing_instance_is_a_scope():
    config = lab.configuration(USERS, extra=INSTANCE)
    scoped = lab.add_fields(HOST + [("X-JTap-VRF-Name", "cust-a")], ("192.0.2.5", 1))
    everywhere = lab.add_fields(HOST, ("192.0.2.5", 2))
    copies = copies_of({"ge-0/0/0": flow(3), "ge-0/0/1": flow(4)}, [scoped, everywhere], config)
    ports = [copy[3] for copy in copies]
    assert ports.count(1) == 4 and ports.count(2) == 7, ports
    with service(config) as dfcd:
        device = lea1(dfcd)
        vrf = ("X-JTap-VRF-Name", "cust-a")
        into = ("X-JTap-Input-Interface", "ge-0/0/0")
        out = ("X-JTap-Output-Interface", "ge-0/0/0")
        for pair in ([vrf, into], [vrf, out], [into, out]):
            ok(device.ask("ADD", lab.add_fields(HOST + pair)), 432)
        ok(device.ask("ADD", lab.add_fields([("X-JTap-VRF-Name", "cust-b")])), 901)


def test_one_packet_forwarded_is_one_copy():
    # The same packets come in through one interface and leave through the other.
    copies = copies_of({"ge-0/0/0": flow(5), "ge-0/0/1:out": flow(5)}, [lab.add_fields(HOST)])
    assert len(copies) == 5


def test_family_inet_alone_taps_ipv4_alone():
    six = [lab.ethernet(lab.ipv6("2001:db8::1", "2001:db8::2", 17, lab.udp(1, 2, b"six")))]
    config = lab.configuration(USERS, families=("inet",))
    # No family in the ADD: every configured one.
    copies = copies_of({"ge-0/0/0": flow(3) + six}, [lab.add_fields([("Protocol", "17")])], config)
    assert len(copies) == 3 and all(copy[5][0] >> 4 == 4 for copy in copies)
    both = copies_of({"ge-0/0/0": flow(3) + six}, [lab.add_fields([("Protocol", "17")])])
    assert len(both) == 4
    with service(config) as dfcd:
        device = lea1(dfcd)
        ok(device.ask("ADD", lab.add_fields([("X-JTap-IP-Version", "ipv6")])), 432)
        ok(device.ask("ADD", lab.add_fields([("X-JTap-IP-Version", "ipv4")])), 200)
        ok(device.ask("ADD", lab.add_fields(HOST + [("X-JTap-IP-Version", "ipv6")])), 432)


def test_flow_tap_lite_takes_3000_criteria():
    config = lab.configuration(USERS)
    config = config.replace("interface sp-1/2/0.100;", "tunnel-interface vt-0/0/0.0;")
    config = config.replace("ge-0/0/1 {",
                            "vt-0/0/0 { unit 0 { family inet; family inet6; } } ge-0/0/1 {")
    with service(config) as dfcd:
        device = lea1(dfcd)
        device.send(b"".join(
            device.sign("ADD", lab.add_fields([("Source-Address", "10.%d.%d.1" % divmod(n, 256))]))
            for n in range(3001)))
        codes = [device.receive().code for _ in range(3001)]
        assert codes == [200] * 3000 + [550], codes[-3:]
        assert len(ok(device.ask("LIST", [("Flags", "Stats")])).all("CRITERIA-ID")) == 3000
        gone = ok(device.ask("DELETE", [("Criteria-ID", "*"), ("Flags", "STATIC")]))
        assert gone["CRITERIA-COUNT"] == "3000"


def test_source_addresses_and_destinations_that_are_not_allowed():
    own = ("control-source lea1 { allowed-destinations [ 192.0.2.0/24 ];"
           " allowed-source-addresses [ 198.51.100.9/32 ]; }")
    with service(lab.configuration(USERS, own)) as dfcd:
        device = lea1(dfcd)
        ok(device.ask("ADD", lab.add_fields(HOST)))
        ok(device.ask("ADD", lab.add_fields(HOST, ("203.0.113.1", 1))), 901)
        ok(device.ask("ADD", lab.add_fields(HOST, source=("198.51.100.8", 1))), 901)
        other = lab.Device(dfcd.port, "lea2", "second")
        ok(other.ask("ADD", lab.add_fields(HOST, ("203.0.113.1", 1))))
        for address in ("127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"):
            ok(other.ask("ADD", lab.add_fields(HOST, (address, 1))), 901)
        ok(other.ask("ADD", lab.add_fields(HOST, ("2001:db8::1", 1))), 432)


def test_keys_and_port_lists_of_a_control_source():
    own = 'control-source lea1 { dtcp-key "own key"; port-lists product; sequence-check on; }'
    with service(lab.configuration(USERS, own)) as dfcd:
        device = lab.Device(dfcd.port, "lea1", "first", key=b"own key")
        ports = [("Source-Port", "1,2,3"), ("Dest-Port", "4,5")]
        ok(device.ask("ADD", lab.add_fields(ports)))
        other = lab.Device(dfcd.port, "lea2", "second")
        ok(other.ask("ADD", lab.add_fields(ports)), 432)
        # A number that was used, and one that is too far away, are never answered.
        for sequence in (1, 1000):
            device.send(device.sign("NOOP", sequence=sequence))
            device.sequence -= 1
        assert ok(device.ask("NOOP"))["SEQ"] == "2"
        # The window is the control source's, whatever the connection.
        again = lab.Device(dfcd.port, "lea1", "first", key=b"own key")
        again.send(again.sign("NOOP", sequence=2))
        again.sequence = 2
        assert ok(again.ask("NOOP"))["SEQ"] == "3"


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
