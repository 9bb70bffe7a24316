#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What dfcd sends to the network, as tshark sees it, and what it taps on a live device.

    m --- t --- c       dfcd runs in t and is tasked there; m sends traffic to it; copies go to c
"""

import contextlib
import itertools
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

import lab
import namespaces

TAP = ["flow-tap-operation"]
USERS = {"lea1": ("first", TAP), "lea2": ("second", TAP)}
FOREIGN, FOREIGN_IPV6 = "198.51.100.9", "2001:db8:ffff::9"
SINK, SINK_IPV6 = "192.0.2.5", "2001:db8:c::5"


@contextlib.contextmanager
def topology():
    with namespaces.Network("m", "t", "c") as net:
        net.link("m", "m0", "t", "tm")
        net.link("c", "c0", "t", "tc")
        for name, device, address in (
                ("m", "m0", "10.1.0.1/24"), ("t", "tm", "10.1.0.254/24"),
                ("c", "c0", SINK + "/24"), ("t", "tc", "192.0.2.254/24"),
                ("c", "c0", SINK_IPV6 + "/64"), ("t", "tc", "2001:db8:c::fe/64")):
            net.address(name, device, address)
        yield net


def dfcd_in(net, *arguments):
    return lab.Dfcd(lab.configuration(USERS), "--json", *arguments,
                    prefix=("ip", "netns", "exec", net.prefix + "t"))


def device_in(net, dfcd, login="lea1", password="first"):
    with net.inside("t"):
        return lab.Device(dfcd.port, login, password)


def add(device, filters, destination, source, ttl):
    fields = [(name, str(ttl) if name == "X-JTap-Cdest-TTL" else value)
              for name, value in lab.add_fields(filters, destination, source)]
    answer = device.ask("ADD", fields)
    assert answer.code == 200, answer.octets
    return answer["CRITERIA-ID"]


def arrived(wire, count):
    """The frames that come to c, until `count` IP packets with UDP or fragments have."""
    frames, end = [], time.monotonic() + lab.PATIENCE
    while True:
        frames += [octets for outgoing, octets in namespaces.drain(wire)
                   if not outgoing and is_copy(octets)]
        if len(frames) >= count:
            return frames
        assert time.monotonic() < end, "%d of %d frames came" % (len(frames), count)
        time.sleep(0.01)


def is_copy(octets):
    """From an address that is nobody's, so no other traffic of the machine."""
    source = octets[26:30] if octets[12:14] == b"\x08\x00" else octets[22:38]
    return source in (socket.inet_aton(FOREIGN), socket.inet_pton(socket.AF_INET6, FOREIGN_IPV6))


def tshark(frames, *names):
    """What tshark says of the outermost headers of frames, a dictionary a frame."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as capture:
        lab.write_pcap(capture.name, frames)
        command = ["tshark", "-n", "-r", capture.name, "-T", "fields", "-E", "occurrence=f",
                   "-d", "udp.port==2300,data", "-o", "ip.check_checksum:TRUE",
                   "-o", "udp.check_checksum:TRUE"]
        for name in names:
            command += ["-e", name]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [dict(zip(names, line.split("\t"))) for line in text.splitlines()]


# Small, and as long as a copy can be without and with fragments.
SIZES = [0, 1, 100, 1399, 1400, 1500, 2900, 4000]
NAMES = ["ip.src", "ip.dst", "ip.ttl", "ip.dsfield", "ip.flags.df", "ip.checksum.status",
         "ipv6.src", "ipv6.dst", "ipv6.hlim", "udp.srcport", "udp.dstport", "udp.checksum",
         "udp.checksum.status", "data.data", "ip.flags.mf", "ip.frag_offset",
         "ipv6.fraghdr.offset"]


def packets():
    return [lab.ipv4("10.0.0.1", "10.0.0.2", 17, lab.udp(1000, 53, bytes([size % 251]) * size),
                     identification=index + 1) for index, size in enumerate(SIZES)]


def check_copies(frames, originals, ipv6):
    rows = tshark(frames, *NAMES)
    whole = []
    for row in rows:
        if ipv6:
            outer = (row["ipv6.src"], row["ipv6.dst"], row["ipv6.hlim"])
            assert outer == (FOREIGN_IPV6, SINK_IPV6, "17"), row
        else:
            outer = (row["ip.src"], row["ip.dst"], row["ip.ttl"])
            assert outer == (FOREIGN, SINK, "17"), row
            assert row["ip.dsfield"] == "0x00" and row["ip.checksum.status"] == "1", row
            assert row["ip.flags.df"] in ("0", "False"), row
        # tshark shows UDP where it has all of a datagram: in the last of its fragments.
        if row["udp.srcport"]:
            assert (row["udp.srcport"], row["udp.dstport"]) == ("65535", "2300"), row
            # Computed over IPv6, absent over IPv4.
            if ipv6:
                assert row["udp.checksum.status"] == "1", row
            else:
                assert row["udp.checksum"] == "0x0000", row
            whole.append(bytes.fromhex(row["data.data"]))
    assert whole == originals, "the inner packets are not the originals"
    return rows


def copies_on_the_wire(net, ipv6):
    originals = packets()
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "in.pcap")
        lab.write_pcap(path, [lab.ethernet(packet) for packet in originals])
        wire = net.frames("c", "c0")
        # Something listens, so that no error comes back.
        sink = net.udp("c", SINK_IPV6 if ipv6 else SINK, 2300)
        with dfcd_in(net, "--read", "ge-0/0/0=" + path, "--once") as dfcd:
            device = device_in(net, dfcd)
            add(device, [("Source-Address", "10.0.0.1")],
                (SINK_IPV6 if ipv6 else SINK, 2300), (FOREIGN_IPV6 if ipv6 else FOREIGN, 65535), 17)
            status, output = dfcd.wait()
        summary = json.loads(output)
        assert status == 0 and summary["delivered"] == len(originals), summary
        received = [sink.recv(1 << 16) for _ in originals]
        sink.close()
        assert received == originals, "the kernel of the receiver put other packets together"
        # What is longer than the MTU of 1500 comes in fragments.
        room = 1500 - (48 if ipv6 else 28)
        pieces = sum(1 if len(packet) <= room else -(-(len(packet) + 8) // (1448 if ipv6 else 1480))
                     for packet in originals)
        rows = check_copies(arrived(wire, pieces), originals, ipv6)
        assert len(rows) == pieces > len(originals), (len(rows), pieces)
        assert not any(not outgoing and is_copy(octets)
                       for outgoing, octets in namespaces.drain(wire)), "something more has left"


def oversized_copies_are_dropped_and_counted_where_that_is_asked_for(net):
    originals = packets()
    for egress, ipv6 in itertools.product(("raw", "packet"), (False, True)):
        room = 1500 - (48 if ipv6 else 28)
        small = [packet for packet in originals if len(packet) <= room]
        sink = net.udp("c", SINK_IPV6 if ipv6 else SINK, 2300)
        with tempfile.TemporaryDirectory() as work:
            path = os.path.join(work, "in.pcap")
            lab.write_pcap(path, [lab.ethernet(packet) for packet in originals])
            with dfcd_in(net, "--read", "ge-0/0/0=" + path, "--once", "--egress", egress,
                         "--oversize", "drop") as dfcd:
                add(device_in(net, dfcd), [("Source-Address", "10.0.0.1")],
                    (SINK_IPV6 if ipv6 else SINK, 2300), (FOREIGN_IPV6 if ipv6 else FOREIGN, 65535),
                    17)
                status, output = dfcd.wait()
        summary = json.loads(output)
        assert status == 0 and summary["delivered"] == len(small) < len(originals), summary
        assert sum(summary["dropped"].values()) == summary["dropped"]["too_long"] == (
            len(originals) - len(small)), summary
        assert [sink.recv(1 << 16) for _ in small] == small, (egress, ipv6)
        sink.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            raise AssertionError("a long copy came: %r" % sink.recv(1 << 16))
        sink.close()


def reassembled(frames):
    """The payloads of outer IPv4 packets in order, fragments put together."""
    payloads, order = {}, []
    for frame in frames:
        packet = frame[14:14 + struct.unpack("!H", frame[16:18])[0]]
        assert lab.checksum(packet[:20]) == 0 and packet[9] == 4, packet[:20].hex()
        assert (packet[8], packet[16:20]) == (64, socket.inet_aton(SINK)), packet[:20].hex()
        offset = struct.unpack("!H", packet[6:8])[0] & 0x1FFF
        if offset == 0:
            order.append(packet[4:6])
        payloads.setdefault(packet[4:6], {})[offset * 8] = packet[20:]
    for identification in order:
        whole = b""
        for offset, piece in sorted(payloads[identification].items()):
            assert offset == len(whole), "a fragment is missing"
            whole += piece
        yield whole


def captured_flows_leave_in_ip_in_ip(net):
    originals = packets()
    config = """
interfaces { ge-0/0/0 { unit 0 { family inet { address %s/24; } } } }
services { dynamic-flow-capture { capture-group g {
    interfaces ge-0/0/0;
    control-source lea1 { shared-key key; service-port 2401; allowed-destinations cd1; }
    content-destination cd1 { address %s; ttl 64; }
} } }
""" % (FOREIGN, SINK)
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "in.pcap")
        lab.write_pcap(path, [lab.ethernet(packet) for packet in originals])
        wire = net.frames("c", "c0")
        with lab.Dfcd(config, "--json", "--read", "ge-0/0/0=" + path, "--once",
                      prefix=("ip", "netns", "exec", net.prefix + "t")) as dfcd:
            with net.inside("t"):
                device = lab.UdpDevice(2401, "lea1", b"key")
            answer = device.ask("ADD", [("Cdest-ID", "cd1"), ("Source-Address", "10.0.0.1"),
                                        ("Flags", "STATIC")])
            assert answer.code == 200, answer.octets
            status, output = dfcd.wait()
            device.close()
        summary = json.loads(output)
        assert status == 0 and summary["delivered"] == len(originals), summary
        pieces = sum(1 if len(packet) <= 1480 else -(-len(packet) // 1480) for packet in originals)
        assert list(reassembled(arrived(wire, pieces))) == originals


def without_the_privilege_captured_flows_go_nowhere_and_dfcd_says_so():
    config = """
services { dynamic-flow-capture { capture-group g {
    control-source lea1 { shared-key key; service-port 2401; allowed-destinations cd1; }
    content-destination cd1 { address 127.0.0.9; }
} } }
interfaces { ge-0/0/0 { unit 0 { family inet; } } }
"""
    with tempfile.TemporaryDirectory() as work:
        paths = {name: os.path.join(work, name) for name in ("config", "capture", "audit", "numbers")}
        with open(paths["config"], "w") as out:
            out.write(config)
        lab.write_pcap(paths["capture"], [])
        done = subprocess.run(
            ["setpriv", "--bounding-set", "-net_raw", lab.DFCD, "--config", paths["config"],
             "--listen", "127.0.0.1", "--audit-log", paths["audit"], "--sequence-file",
             paths["numbers"], "--read", "ge-0/0/0=" + paths["capture"]],
            capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 1, done
        assert "copies need CAP_NET_RAW to be sent" in done.stderr, done.stderr


def live_traffic_is_tapped_for_two_sources(net):
    m = net.udp("m", "10.1.0.1", 5000)
    t = net.udp("t", "10.1.0.254", 6000)
    sinks = [net.udp("c", SINK, port) for port in (2300, 2301)]
    with dfcd_in(net, "--live", "ge-0/0/0=tm") as dfcd:
        one = device_in(net, dfcd)
        two = device_in(net, dfcd, "lea2", "second")
        into = [("Source-Address", "10.1.0.1"), ("Dest-Port", "6000")]
        add(one, into, (SINK, 2300), (FOREIGN, 1), 9)
        add(one, [("Protocol", "17"), ("Source-Port", "5000")], (SINK, 2300), (FOREIGN, 1), 9)
        add(two, into, (SINK, 2301), (FOREIGN, 2), 9)
        for index in range(20):
            m.sendto(b"packet %d" % index, ("10.1.0.254", 6000))
            assert t.recv(100) == b"packet %d" % index
            for sink in sinks:
                copy = sink.recv(2000)
                assert copy[28:] == b"packet %d" % index and copy[12:16] == b"\x0a\x01\x00\x01"
        gone = one.ask("DELETE", [("Criteria-ID", "*"), ("Flags", "STATIC")])
        assert gone["CRITERIA-COUNT"] == "2"
        for index in range(20):
            m.sendto(b"later %d" % index, ("10.1.0.254", 6000))
            t.recv(100)
            # The other's copy has come, so the first one's would have, too.
            assert sinks[1].recv(2000)[28:] == b"later %d" % index
        sinks[0].setblocking(False)
        with contextlib.suppress(BlockingIOError):
            raise AssertionError("a copy left after the answer: %r" % sinks[0].recv(2000))
        status, output = dfcd.stop()
        summary = json.loads(output)
        assert status == 0 and summary["copies"] == 60 == summary["delivered"], summary
    for each in [m, t] + sinks:
        each.close()


def what_waits_for_a_next_hop_is_gone_with_its_criterion(net):
    """Copies are made while c answers no ARP; once DELETE is answered, none of them leaves."""
    m = net.udp("m", "10.1.0.1", 5000)
    t = net.udp("t", "10.1.0.254", 6000)
    sinks = [net.udp("c", SINK, port, lab.PATIENCE) for port in (2300, 2301)]

    def send():
        m.sendto(b"to be copied", ("10.1.0.254", 6000))
        t.recv(100)
    with dfcd_in(net, "--live", "ge-0/0/0=tm") as dfcd:
        device = device_in(net, dfcd)
        net.run("c", "ip", "link", "set", "c0", "arp", "off")
        net.run("t", "ip", "neighbour", "flush", "dev", "tc")
        into = [("Source-Address", "10.1.0.1"), ("Dest-Port", "6000")]
        add(device, into, (SINK, 2300), (FOREIGN, 1), 9)
        wire = net.frames("c", "c0")
        for _ in range(10):
            send()
        # The first copy makes dfcd ask for c: it has been made.
        end = time.monotonic() + lab.PATIENCE
        while not any(octets[12:14] == b"\x08\x06" for _, octets in namespaces.drain(wire)):
            assert time.monotonic() < end, "nobody asks for the next hop"
            time.sleep(0.01)
        assert device.ask("DELETE", [("Criteria-ID", "*"), ("Flags", "STATIC")]).code == 200
        add(device, into, (SINK, 2301), (FOREIGN, 1), 9)
        net.run("c", "ip", "link", "set", "c0", "arp", "on")
        send()
        assert sinks[1].recv(2000)[28:] == b"to be copied"
        sinks[0].setblocking(False)
        with contextlib.suppress(BlockingIOError):
            raise AssertionError("a copy left after the answer: %r" % sinks[0].recv(2000))
        status, output = dfcd.stop()
        summary = json.loads(output)
        assert status == 0 and summary["dropped"]["withdrawn"] > 0, summary
        assert summary["copies"] == summary["delivered"] + sum(summary["dropped"].values()), summary
    wire.close()
    for each in [m, t] + sinks:
        each.close()


def is_tapped(net, source, destination, numbers=itertools.count()):
    """Sends until a copy comes: a device that is up is not captured at that very moment."""
    sink, sender = net.udp("c", SINK, 2300, timeout=0.5), net.udp("m", source, 5001)
    sent, end = set(), time.monotonic() + lab.PATIENCE
    while time.monotonic() < end:
        payload = b"still here %d" % next(numbers)
        sent.add(payload)
        sender.sendto(payload, (destination, 9))
        with contextlib.suppress(TimeoutError):
            while sink.recv(2000)[28:] not in sent:
                pass
            break
    else:
        raise AssertionError("no copy comes of what %s sends" % source)
    sink.close()
    sender.close()


def make_device(net):
    net.link("m", "m1", "t", "moody")
    net.address("m", "m1", "10.3.0.1/24")
    net.address("t", "moody", "10.3.0.254/24")


def a_device_that_comes_and_goes_is_captured_when_it_is_there(net):
    make_device(net)
    with dfcd_in(net, "--live", "ge-0/0/0=tm", "--live", "ge-0/0/1=moody",
                 "--workers", "2") as dfcd:
        dfcd.wait_for("moody is captured through a ring, by 2 workers")
        device = device_in(net, dfcd)
        for source in ("10.1.0.1", "10.3.0.1"):
            add(device, [("Source-Address", source)], (SINK, 2300), (FOREIGN, 1), 9)
        is_tapped(net, "10.3.0.1", "10.3.0.254")
        net.run("t", "ip", "link", "set", "moody", "down")
        dfcd.wait_for("moody is down")
        is_tapped(net, "10.1.0.1", "10.1.0.254")
        net.run("t", "ip", "link", "set", "moody", "up")
        dfcd.wait_for("moody is up again")
        is_tapped(net, "10.3.0.1", "10.3.0.254")
        net.run("t", "ip", "link", "delete", "moody")
        dfcd.wait_for("moody is gone")
        is_tapped(net, "10.1.0.1", "10.1.0.254")
        make_device(net)
        dfcd.wait_for("(?s)moody is gone.*moody is up again")
        is_tapped(net, "10.3.0.1", "10.3.0.254")
        assert device.ask("LIST").all("CRITERIA-ID") == ["1", "2"]
        assert dfcd.stop()[0] == 0
    net.run("t", "ip", "link", "delete", "moody")


def with_libpcap_a_device_that_goes_disturbs_no_other(net):
    make_device(net)
    with dfcd_in(net, "--capture", "libpcap", "--live", "ge-0/0/0=tm", "--live",
                 "ge-0/0/1=moody") as dfcd:
        dfcd.wait_for("moody is captured with libpcap, by 1 worker")
        device = device_in(net, dfcd)
        add(device, [("Source-Address", "10.1.0.1")], (SINK, 2300), (FOREIGN, 1), 9)
        net.run("t", "ip", "link", "delete", "moody")
        dfcd.wait_for("an input broke off: .*moody")
        is_tapped(net, "10.1.0.1", "10.1.0.254")
        assert device.ask("LIST").all("CRITERIA-ID") == ["1"]
        assert dfcd.stop()[0] == 1, "the end of a device must show in the exit status"


def dead_receivers_of_notifications_keep_nobody_waiting(net):
    """A host that answers no ARP keeps what is sent to it in the sender's socket for seconds."""
    key, requests = b"key of lea1", 300
    with net.inside("c"):
        target = lab.Target(key, SINK)
        device = lab.UdpDevice(32002, "lea1", key, host="192.0.2.254", source=SINK)
    targets = ["192.0.2.%d port 2100;" % host for host in (100, 101, 102)]
    config = lab.configuration(USERS, """udp { listen 192.0.2.254 port 32002; }
        control-source lea1 { udp; dtcp-key "%s"; notification-targets { %s %s port %d; } }""" % (
            key.decode(), " ".join(targets), SINK, target.port))
    prefix = ("ip", "netns", "exec", net.prefix + "t")
    with lab.Dfcd(config, "--json", prefix=prefix) as dfcd, target, device:
        assert target.receive().code == 599
        device.socket.settimeout(1.5)
        target.socket.settimeout(1.5)
        for _ in range(requests):
            assert device.ask("NOOP", [("Flags", "SendAsync")]).code == 200
            assert target.receive().code == 131
        summary = json.loads(dfcd.stop()[1])
        assert summary["notifications"]["sent"] == 4 * (requests + 1), summary


def main():
    namespaces.require()
    with topology() as net:
        copies_on_the_wire(net, ipv6=False)
        copies_on_the_wire(net, ipv6=True)
        oversized_copies_are_dropped_and_counted_where_that_is_asked_for(net)
        captured_flows_leave_in_ip_in_ip(net)
        live_traffic_is_tapped_for_two_sources(net)
        what_waits_for_a_next_hop_is_gone_with_its_criterion(net)
        a_device_that_comes_and_goes_is_captured_when_it_is_there(net)
        with_libpcap_a_device_that_goes_disturbs_no_other(net)
        dead_receivers_of_notifications_keep_nobody_waiting(net)
    without_the_privilege_captured_flows_go_nowhere_and_dfcd_says_so()
    print("copies over IPv4 and IPv6, in IP-in-IP, in fragments or not at all, live traffic, devices that go, "
          "receivers that are gone: good")


if __name__ == "__main__":
    sys.exit(main())
