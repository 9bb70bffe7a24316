#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Family ccc through dfcd: whole frames of the interfaces that DTCP/0.8 names, octet for octet."""

import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile

import lab

USERS = {"lea1": ("first", ["flow-tap-operation"])}
FAMILIES = ("inet", "inet6", "ccc")
RECEIVE = os.path.join(lab.BUILD, "tools", "flowtap-receive")
CCC = ("X-JTap-Filter-Family", "ccc")
HERE = ("X-JTap-Input-Interface", "ge-0/0/0")


def frame(kind, payload, destination="0180c200000e"):
    return bytes.fromhex(destination + "020000000001") + struct.pack("!H", kind) + payload


UDP = lab.ipv4("10.0.0.1", "10.0.0.2", 17, lab.udp(1000, 53, b"query"))
UDP6 = lab.ipv6("2001:db8::1", "2001:db8::2", 17, lab.udp(1000, 53, b"query"))
ARP = frame(0x0806, bytes.fromhex("0001080006040001020000000001" "0a000001" "000000000000" "0a000002")
            + bytes(18), "ffffffffffff")
LLDP = frame(0x88CC, bytes.fromhex("020704020000000001" "040705" "736574683000" "06020078" "0000"))
SPANNING_TREE = frame(38, bytes.fromhex("424203") + bytes(35) + bytes(8), "0180c2000000")
PADDED = lab.ethernet(UDP) + bytes(60 - 14 - len(UDP)) if len(UDP) < 46 else lab.ethernet(UDP)
UNCLAIMED_VLAN = lab.ethernet(UDP, 7)
VLAN_100 = lab.ethernet(UDP, 100)
LATER_FRAGMENT = lab.ethernet(lab.ipv4("10.0.0.1", "10.0.0.2", 17, b"x" * 24, fragment=3))
FRAMES = [ARP, LLDP, PADDED, VLAN_100, SPANNING_TREE, lab.ethernet(UDP6), UNCLAIMED_VLAN,
          LATER_FRAGMENT]
UNIT_0 = [each for each in FRAMES if each is not VLAN_100]


def add(*fields, **how):
    return lab.add_fields([CCC] + list(fields), **how)


def inner(path):
    return [lab.split_copy(packet)[5] for packet in lab.read_pcap(path)]


@contextlib.contextmanager
def service(frames, *arguments, families=FAMILIES, link_type=1):
    """A dfcd that waits for criteria, a device, and the path of the copies."""
    with tempfile.TemporaryDirectory() as work:
        capture, copies = os.path.join(work, "in.pcap"), os.path.join(work, "copies.pcap")
        lab.write_pcap(capture, frames, link_type)
        with lab.Dfcd(lab.configuration(USERS, families=families), "--read",
                      "ge-0/0/0=" + capture, "--write", copies, "--once", "--json",
                      *arguments) as dfcd:
            yield dfcd, lab.Device(dfcd.port, "lea1", "first"), copies


def summary_of(dfcd):
    status, output = dfcd.wait()
    assert status == 0
    summary = json.loads(output)
    assert summary["seen"] == sum(summary["decoded"].values()), summary
    return summary


def test_every_frame_of_an_interface_is_copied_from_its_layer_2_header_on():
    with service(FRAMES) as (dfcd, device, copies):
        answer = device.ask("ADD", add(HERE), version="0.8")
        assert answer.code == 200 and answer.version == "0.8", answer.octets
        summary = summary_of(dfcd)
        assert inner(copies) == UNIT_0
        assert summary["tapped"] == summary["delivered"] == len(UNIT_0), summary


def test_units_are_told_apart_by_their_vlan():
    with service(FRAMES) as (dfcd, device, copies):
        fields = add(("X-JTap-Input-Interface", "ge-0/0/0.100"))
        assert device.ask("ADD", fields, version="0.8").code == 200
        summary_of(dfcd)
        assert inner(copies) == [VLAN_100]


def test_frames_and_packets_are_two_things():
    with service(FRAMES, "--start-after", "2") as (dfcd, device, copies):
        assert device.ask("ADD", add(HERE), version="0.8").code == 200
        packets = lab.add_fields([("Dest-Port", "53"), HERE])
        assert device.ask("ADD", packets, version="0.8").code == 200
        summary = summary_of(dfcd)
        found = inner(copies)
        # Both go to the same place, and each has its own.
        assert [each for each in found if each in FRAMES] == UNIT_0
        assert [each for each in found if each not in FRAMES] == [UDP, UDP6, UDP]
        assert summary["tapped"] == len(UNIT_0), summary


def test_list_shows_the_family_and_counts_whole_frames():
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(tempfile.TemporaryDirectory())
        pipe = lab.Pipe(work)
        dfcd = stack.enter_context(lab.Dfcd(
            lab.configuration(USERS, families=FAMILIES), "--read", "ge-0/0/0=" + pipe.path,
            "--write", os.path.join(work, "copies.pcap")))
        device = lab.Device(dfcd.port, "lea1", "first")
        assert device.ask("ADD", add(HERE), version="0.8").code == 200
        pipe.send(lab.pcap_records(FRAMES))
        pipe.close()
        dfcd.wait_for("the replay has ended")
        listing = device.ask("LIST", version="0.8")
        assert listing["X-JTAP-FILTER-FAMILY"] == "ccc", listing.octets
        assert listing["X-JTAP-INPUT-INTERFACE"] == "ge-0/0/0", listing.octets
        assert listing["MATCHING-PACKETS"] == str(len(UNIT_0)), listing.octets
        assert listing["MATCHING-BYTES"] == str(sum(map(len, UNIT_0))), listing.octets


def test_what_is_refused():
    with service(FRAMES, "--start-after", "1000") as (dfcd, device, _):
        for fields, version, code in [
                (add(HERE), "0.7", 400), (add(HERE), "0.5", 400), (add(), "0.8", 901),
                (add(HERE, ("Protocol", "17")), "0.8", 432),
                (add(HERE, ("Source-Address", "10.0.0.1")), "0.8", 432),
                (add(("X-JTap-Input-Interface", "ge-0/0/9")), "0.8", 901)]:
            answer = device.ask("ADD", fields, version=version)
            assert answer.code == code, (fields, answer.octets)
    with service(FRAMES, "--start-after", "1000", families=("inet",)) as (dfcd, device, _):
        assert device.ask("ADD", add(HERE), version="0.8").code == 432


def test_a_link_without_frames_gives_none():
    with service([UDP, UDP6], "--start-after", "2", link_type=101) as (dfcd, device, copies):
        assert device.ask("ADD", add(HERE), version="0.8").code == 200
        assert device.ask("ADD", lab.add_fields([]), version="0.8").code == 200
        summary_of(dfcd)
        assert inner(copies) == [UDP, UDP6]


def test_a_batch_job_and_a_receiver_give_the_capture_back():
    with tempfile.TemporaryDirectory() as work:
        paths = {name: os.path.join(work, name)
                 for name in ("conf", "criteria", "in", "copies", "out", "audit")}
        with open(paths["conf"], "w") as out:
            out.write(lab.configuration({}, families=FAMILIES))
        with open(paths["criteria"], "w") as out:
            fields = add(("X-JTap-Input-Interface", "ge-0/0/0,ge-0/0/0.100"))
            out.write("ADD DTCP/0.8\n" + "".join("%s: %s\n" % each for each in fields))
        lab.write_pcap(paths["in"], FRAMES)
        subprocess.run([lab.DFCD, "--config", paths["conf"], "--criteria", paths["criteria"],
                        "--audit-log", paths["audit"], "--read", "ge-0/0/0=" + paths["in"],
                        "--write", paths["copies"], "--once"],
                       check=True, capture_output=True, timeout=lab.PATIENCE)
        subprocess.run([RECEIVE, "--read", paths["copies"], "--inner", "ethernet", "--write",
                        paths["out"], "--quiet"],
                       check=True, capture_output=True, timeout=lab.PATIENCE)
        assert lab.read_pcap(paths["out"]) == FRAMES
        with open(paths["out"], "rb") as written:
            header = written.read(24)
        order = "<" if header[0] in (0xD4, 0x4D) else ">"
        assert struct.unpack(order + "I", header[20:24])[0] == 1, "link type Ethernet"


lab.main(sys.modules[__name__])
