#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The traffic that the load tests count on: what is sent is what its definition says, and the
receiver tells what is missing, late, there twice, or changed."""

import socket
import sys

import lab
import load
import namespaces
import traffic


def each_packet_is_what_its_number_says():
    shapes = [traffic.Stream(7, (64, 65, 1514)), traffic.Stream(5, (74, 99, 1513), inet6_every=2),
              traffic.Stream(3, (64, 70, 80, 90), run=5)]
    with namespaces.Network("a", "b") as net, traffic.Board() as board:
        net.write("a", "net/ipv6/conf/default/disable_ipv6", 1)
        net.write("b", "net/ipv6/conf/default/disable_ipv6", 1)
        net.link("a", "a0", "b", "b0")
        first = 2**33 - 50
        for stream in shapes:
            wire = net.frames("b", "b0")
            with traffic.Sender(net, "a", "a0", load.link_address(net, "b", "b0"), stream, board,
                                first=first, count=100) as sender:
                assert sender.report()["sent"] == 100
            assert board.sent() == board.prepared() == first + 100
            came = [octets for _, octets in namespaces.drain(wire)]
            assert len(came) == 100, len(came)
            for number, frame in enumerate(came, first):
                assert frame[:6].hex(":") == load.link_address(net, "b", "b0")
                assert frame[12:14] == (b"\x86\xdd" if frame[14] >> 4 == 6 else b"\x08\x00")
                assert frame[14:] == stream.packet(number), (number, frame.hex())


def the_receiver_tells_what_is_wrong():
    stream = traffic.Stream(2, (64, 90))
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ports = lab.free_udp_ports(2)
    changed = bytearray(stream.packet(16))
    changed[-1] ^= 1
    sent = [stream.packet(number) for number in (0, 2, 4, 1, 8, 10, 6, 10, 14)] + \
        [bytes(changed), b"something else", stream.packet(12)]
    with traffic.Board() as board, \
            traffic.Receiver(stream, [(port, "127.0.0.1") for port in ports], board) as receiver:
        for payload in sent:
            out.sendto(payload, ("127.0.0.1", ports[0]))
        out.sendto(stream.packet(3), ("127.0.0.1", ports[1]))
        board.wait(lambda: (board.received(0), board.received(1)) == (len(sent), 1), "all of it",
                   receiver)
        assert (board.next(0, 0), board.next(0, 1), board.next(1, 1)) == (13, 2, 4)
        first, second = receiver.report(len(sent) + 1)
    out.close()
    assert first.packets == len(sent) and first.overflowed == 0
    assert (first.port["foreign"], first.port["altered"]) == (1, 1), first.port
    flow = first.flows[0]
    # 6 and 12 came after later ones, 10 came twice; 16 is not there.
    assert (flow["disordered"], flow["duplicates"]) == (2, 1), flow
    assert first.ranges(0) == [[0, 7]] and first.ranges(1) == [[0, 0]]
    assert second.ranges(0) == [] and second.ranges(1) == [[1, 1]]
    assert [stream.places_before(0, number) for number in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert [stream.places_before(1, number) for number in (0, 1, 2, 3)] == [0, 0, 1, 1]
    runs = traffic.Stream(2, run=3)
    assert [runs.places_before(1, number) for number in (3, 4, 6, 9, 10)] == [0, 1, 3, 3, 4]


def main():
    the_receiver_tells_what_is_wrong()
    namespaces.require()
    each_packet_is_what_its_number_says()
    print("numbered packets and what is told of them: good")


if __name__ == "__main__":
    sys.exit(main())
