#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dfcd under load on a live device: 100 filters, two content destinations, numbered packets.

What is sent is paced by the copies that arrive wherever a test asserts that nothing is lost: so few
packets are on their way that no queue can overflow, however busy the machine is. What arrives at
full speed is for the benchmark; here it must be accounted for to the packet.
"""

import collections
import socket
import sys
import time

import lab
import load
import namespaces
import traffic

HUNDRED = load.Hundred()
# As short as a packet of either family is, as long as fits, and, with the outer headers, longer.
SIZES = (80, 80, 576, 80, 1514, 80, 80)


def expected_copies(stream, end, copies, first=0):
    return sum(count * (stream.places_before(flow, end) - stream.places_before(flow, first))
               for flow, count in enumerate(copies))


def both_destinations_get_exactly_their_packets(net, *arguments):
    stream = traffic.Stream(HUNDRED.flows, SIZES, inet6_every=4, run=3)
    # The last packet is tapped: what has been sent has been seen when its copy comes.
    count, copies = 66 * stream.round + stream.run, HUNDRED.copies()
    with load.dfcd(net, *arguments) as dfcd, load.device(net, dfcd) as device, traffic.Board() as board:
        HUNDRED.add(device, stream)
        with load.receiver(net, stream, board) as receiver:
            with load.sender(net, stream, board, count=count, copies=copies,
                             clock=(0, 1)) as sender:
                sender.report()
            total = expected_copies(stream, count, copies)
            came = receiver.report(total)
        load.check_no_drop(load.stop(dfcd, device), count, total)
        for arrivals, destination in zip(came, (load.FIRST, load.SECOND)):
            arrivals.check_all_came(stream, HUNDRED.flows_to(destination), 0, count)


def matching_packets(device):
    """What LIST says of each criterion."""
    answer = device.ask("LIST", [("Flags", "Stats")])
    assert answer.code == 200, answer.octets
    return dict(zip(answer.all("CRITERIA-ID"), map(int, answer.all("MATCHING-PACKETS"))))


def they_do_when_two_workers_share_the_device(net):
    both_destinations_get_exactly_their_packets(net, "--workers", "2")


def at_full_speed_everything_is_accounted_for(net):
    stream = traffic.Stream(HUNDRED.flows, run=4)
    before = load.statistics(net, "t", "ta")
    with load.dfcd(net) as dfcd, load.device(net, dfcd) as device, traffic.Board() as board:
        criteria = HUNDRED.add(device, stream)
        with load.receiver(net, stream, board) as receiver:
            with load.sender(net, stream, board, count=300_000) as sender:
                sent = sender.report()["sent"]
            sent = load.let_all_come(net, HUNDRED, stream, board, sent)
            counted = matching_packets(device)
            summary = load.stop(dfcd, device)
            came = receiver.report(summary["delivered"])
        after = load.statistics(net, "t", "ta")
    load.check_sums(summary)
    arrived = after["received"] - before["received"]
    assert arrived <= sent and summary["seen"] + summary["lost"] == arrived, (sent, arrived, summary)
    assert sum(each.packets + each.overflowed for each in came) == summary["delivered"], summary
    assert sum(counted.values()) == summary["tapped"], (counted, summary)
    dropped = summary["copies"] - summary["delivered"]
    for arrivals, destination in zip(came, (load.FIRST, load.SECOND)):
        arrivals.check_order()
        assert set(arrivals.flows) <= set(HUNDRED.flows_to(destination))
        for flow in HUNDRED.flows_to(destination):
            got = arrivals.flows.get(flow, {"packets": 0})["packets"]
            missing = counted[criteria[flow]] - got
            assert 0 <= missing <= dropped + arrivals.overflowed, (flow, missing, summary)
    print("at full speed: %d packets arrived, %d were lost, %d copies dropped" % (
        arrived, summary["lost"], dropped))


class Churn:
    """Criteria that come and go beside the hundred, each for a flow of its own at its time."""

    # So many flows are behind the others for these criteria, the last one for the criterion with
    # a destination of its own.
    FLOWS = 21
    AT_A_TIME = 8
    PERIOD = 0.01
    PORT, ALONE_PORT = 2, 3
    TO, ALONE_TO = (load.HOMES["c"][0], 2302), (load.HOMES["e"][0], 2303)

    def __init__(self, net, device, stream, board, sender, receiver):
        self.net, self.device, self.stream, self.board = net, device, stream, board
        self.sender, self.receiver = sender, receiver
        self.alone = stream.flows - 1
        self.flows = range(stream.flows - self.FLOWS, self.alone)
        # Of each flow's criteria: the number of the first packet that may be copied, of the first
        # that must be, of the first that must not.
        self.lives = collections.defaultdict(list)
        self.in_place = collections.deque()

    def gap(self):
        """So many packets are certainly seen when as many more have been sent: those on their way
        are fewer than a packet of each flow."""
        return 2 * self.stream.round

    def add(self, flow, to):
        # Between two lives of one flow's criterion a packet of it is seen, and not copied.
        if self.lives[flow]:
            end = self.lives[flow][-1][2] + self.gap()
            self.board.wait(lambda: self.board.sent() >= end, "packet %d" % end, self.sender)
        before = max(0, self.board.sent() - self.stream.round)
        criterion = load.add(self.device, self.stream.filter(flow, len(self.lives[flow])), [to])
        return flow, criterion, before, self.board.prepared()

    def delete(self, flow, criterion, before, added, port):
        # A packet that was sent after the answer is copied.
        self.board.wait(lambda: self.board.next(port, flow) > added, "a copy of flow %d" % flow,
                        self.sender, self.receiver)
        answer = self.device.ask("DELETE", [("Criteria-ID", criterion), ("Flags", "STATIC")])
        assert (answer.code, answer["CRITERIA-COUNT"]) == (200, "1"), answer.octets
        self.lives[flow].append((before, added, self.board.prepared()))

    @classmethod
    def places(cls):
        """Where their copies are received, beside those of the hundred."""
        return [(cls.TO[1], cls.TO[0], "c"), (cls.ALONE_TO[1], cls.ALONE_TO[0], "e")]

    def one_after_another(self, changes):
        """So many ADDs, each with its DELETE, at the rate of one a period where the machine is as
        fast. Returns how long they took."""
        begin = time.monotonic()
        alone = left = None
        for change in range(changes):
            flow = self.flows[change % len(self.flows)]
            self.in_place.append(self.add(flow, self.TO))
            if len(self.in_place) > self.AT_A_TIME:
                self.delete(*self.in_place.popleft(), self.PORT)
            if alone:
                self.delete(*alone, self.ALONE_PORT)
                alone, left = None, load.statistics(self.net, "t", "te")["sent"]
            else:
                self.check_that_nothing_left_since(left)
                alone = self.add(self.alone, self.ALONE_TO)
            time.sleep(max(0, begin + (change + 1) * self.PERIOD - time.monotonic()))
        while self.in_place:
            self.delete(*self.in_place.popleft(), self.PORT)
        if alone:
            self.delete(*alone, self.ALONE_PORT)
        return time.monotonic() - begin

    def check_that_nothing_left_since(self, left):
        """After a DELETE was answered nothing of its criterion leaves, not even what waited."""
        if left is None:
            return
        # A packet more of its flow has been seen since.
        end = self.board.prepared() + self.gap()
        self.board.wait(lambda: self.board.sent() >= end, "packet %d" % end, self.sender)
        assert load.statistics(self.net, "t", "te")["sent"] == left, \
            "a copy left after the DELETE was answered"

    def check(self, came, flow):
        """A copy came of each packet that was sent from the answer to the ADD on, without a gap, and
        of none that was sent from the answer to the DELETE on. Numbers are the clock."""
        ranges, lives = came.ranges(flow), self.lives[flow]
        assert len(ranges) == len(lives), (flow, ranges, lives)
        for (first, last), (may, must, must_not) in zip(ranges, lives):
            earliest, latest, end = (self.stream.places_before(flow, number)
                                     for number in (may, must, must_not))
            assert earliest <= first <= latest, (flow, (first, last), (may, must, must_not))
            assert last < end, (flow, (first, last), (may, must, must_not))


def criteria_come_and_go_beside_the_hundred(net, changes=400):
    stream = traffic.Stream(HUNDRED.flows + Churn.FLOWS)
    copies = HUNDRED.copies(stream.flows)
    with load.dfcd(net) as dfcd, load.device(net, dfcd) as device, traffic.Board() as board:
        HUNDRED.add(device, stream)
        with load.receiver(net, stream, board, Churn.places()) as receiver:
            with load.sender(net, stream, board, copies=copies,
                             clock=(0, 1)) as sender:
                churn = Churn(net, device, stream, board, sender, receiver)
                seconds = churn.one_after_another(changes)
                count = sender.report()["sent"]
            count = load.send_the_last(net, HUNDRED, stream, board, count)
            summary = load.stop(dfcd, device)
            came = receiver.report(summary["delivered"])
    load.check_no_drop(summary, count, sum(each.packets for each in came))
    for arrivals, destination in zip(came, (load.FIRST, load.SECOND)):
        arrivals.check_all_came(stream, HUNDRED.flows_to(destination), 0, count)
    for arrivals, flows in ((came[churn.PORT], churn.flows), (came[churn.ALONE_PORT], [churn.alone])):
        arrivals.check_order()
        assert set(arrivals.flows) == set(flows)
        for flow in flows:
            churn.check(arrivals, flow)
    print("%d criteria came and went in %.1f s, beside %d packets" % (
        sum(map(len, churn.lives.values())), seconds, count))


class Phases:
    """Packets in phases, each paced by the copies that come to some of the ports."""

    def __init__(self, net, hundred, stream, board):
        self.net, self.hundred, self.stream, self.board = net, hundred, stream, board
        self.number = 0

    def send(self, count, to):
        """Sends a multiple of a round. Returns the first number."""
        first, copies = self.number, self.hundred.copies(to=to)
        clock = [port for port, each in enumerate((load.FIRST, load.SECOND)) if each in to]
        with load.sender(self.net, self.stream, self.board, first=first, count=count,
                         copies=copies, clock=clock) as sender:
            sender.report()
        self.number += count
        return first

    def end(self, port, flow):
        """The copies of the last round have come to a port, where `flow` is the last, and all has
        been seen."""
        due = self.number - self.stream.round + (flow + 1) * self.stream.run
        self.number = load.send_the_last(self.net, self.hundred, self.stream, self.board,
                                         self.number)
        self.board.wait(lambda: self.board.next(port, flow) >= due, "the latest copy")

    def begin_round(self):
        self.number += -self.number % self.stream.round

    def send_until_copies_come(self, port, flow):
        """Single rounds, paced by the first destination, until a copy of the flow comes to a port."""
        end, known = time.monotonic() + lab.PATIENCE, self.board.next(port, flow)
        while self.board.next(port, flow) == known:
            assert time.monotonic() < end, "no copy comes to the destination that is back"
            self.send(self.stream.round, [load.FIRST])
        # Those that are on their way are no part of what follows.
        self.board.wait(lambda: self.board.next(port, flow) >= self.number - self.stream.round,
                        "the latest copy")


def check_whole_phases(came, stream, phases):
    """Of some phases everything came to both destinations, and all of the rest in order."""
    for arrivals, destination in zip(came, (load.FIRST, load.SECOND)):
        arrivals.check_order()
        for flow in HUNDRED.flows_to(destination):
            for begin, end in phases:
                first, last = stream.places_before(flow, begin), stream.places_before(flow, end) - 1
                assert any(low <= first and last <= high for low, high in arrivals.ranges(flow)), \
                    (destination, flow, (first, last), arrivals.ranges(flow))


def a_destination_that_is_gone_costs_the_other_nothing(net):
    """Its link is down, its device is unplugged, and each time it comes back."""
    stream = traffic.Stream(HUNDRED.flows, run=3)
    both, latest = (load.FIRST, load.SECOND), HUNDRED.flows_to(load.SECOND)[-1]
    with load.dfcd(net) as dfcd, load.device(net, dfcd) as device, traffic.Board() as board:
        HUNDRED.add(device, stream)
        with load.receiver(net, stream, board) as receiver:
            phases = Phases(net, HUNDRED, stream, board)
            # Numbers between which all copies come to the second destination, too.
            whole = [(phases.send(10 * stream.round, both), phases.number)]
            for name, link in (("t", "td"), ("d", "d0")):
                net.run(name, "ip", "link", "set", link, "down")
                phases.send(20 * stream.round, [load.FIRST])
                net.run(name, "ip", "link", "set", link, "up")
                load.know_all(net)
                phases.send_until_copies_come(1, latest)
                whole.append((phases.send(10 * stream.round, both), phases.number))
            phases.end(1, latest)
            summary = load.stop(dfcd, device)
            came = receiver.report(board.received(0) + board.received(1))
    load.check_sums(summary)
    assert summary["seen"] == phases.number and summary["lost"] == 0, summary
    came[0].check_all_came(stream, HUNDRED.flows_to(load.FIRST), 0, phases.number)
    check_whole_phases(came, stream, whole)


class Questions:
    """How often somebody asks by ARP who has an address, on a device."""

    def __init__(self, net, name, device, address):
        self.wire, self.asked = net.frames(name, device), socket.inet_aton(address)
        self.count = 0

    def seen(self):
        self.count += sum(octets[12:14] == b"\x08\x06" and octets[38:42] == self.asked
                          for _, octets in namespaces.drain(self.wire))
        return self.count

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()


def nobody_answers(net, egress):
    """A destination on the link of the second one that is not there, asked for once a second and given
    up after three. The first one gets everything meanwhile, and does not wait."""
    nobody = ("203.0.113.99", load.SECOND[1])
    hundred = load.Hundred(choices=((load.FIRST,), (nobody,), (load.FIRST, nobody)))
    stream = traffic.Stream(hundred.flows, run=3)
    copies = hundred.copies(to=[load.FIRST])
    with load.dfcd(net, "--egress", egress) as dfcd, load.device(net, dfcd) as device, \
            traffic.Board() as board, Questions(net, "d", "d0", nobody[0]) as questions:
        hundred.add(device, stream)
        with load.receiver(net, stream, board) as receiver:
            with load.sender(net, stream, board, copies=copies, clock=[0]) as sender:
                board.wait(lambda: questions.seen() >= 1, "the first question", sender)
                at_first = board.received(0)
                board.wait(lambda: questions.seen() >= 3, "the third question", sender)
                # The other's did not wait for the answer, which may still come: a socket's buffer
                # would have been full with half as many.
                assert board.received(0) - at_first > 600, (at_first, board.received(0))
                board.wait(lambda: questions.seen() >= 4, "a question after the end", sender)
                count = sender.report()["sent"]
            count = load.send_the_last(net, hundred, stream, board, count, to=[load.FIRST])
            summary = load.stop(dfcd, device)
            came = receiver.report(summary["delivered"])
    load.check_sums(summary)
    assert (summary["seen"], summary["lost"]) == (count, 0), (summary, count)
    came[0].check_all_came(stream, hundred.flows_to(load.FIRST), 0, count)
    assert came[1].packets == 0 and summary["delivered"] == came[0].packets, summary
    dropped = {cause: number for cause, number in summary["dropped"].items() if number != 0}
    assert sum(dropped.values()) == expected_copies(stream, count, hundred.copies(to=[nobody]))
    assert set(dropped) <= {"unreachable", "sink_full", "stopped"} and \
        dropped["unreachable"] > 0, dropped
    print("%s: %d copies came, %s" % (egress, came[0].packets, dropped))


def a_destination_that_nobody_answers_for_costs_the_other_nothing(net):
    for egress in ("auto", "packet", "raw"):
        nobody_answers(net, egress)


def the_device_goes_down_and_comes_up(net):
    """In the middle of the traffic: what came before and what comes afterwards is copied."""
    stream, both = traffic.Stream(HUNDRED.flows, run=3), (load.FIRST, load.SECOND)
    latest = HUNDRED.flows_to(load.SECOND)[-1]
    before = load.statistics(net, "t", "ta")
    with load.dfcd(net) as dfcd, load.device(net, dfcd) as device, traffic.Board() as board:
        HUNDRED.add(device, stream)
        with load.receiver(net, stream, board) as receiver:
            phases = Phases(net, HUNDRED, stream, board)
            whole = [(phases.send(10 * stream.round, both), phases.number)]
            with load.sender(net, stream, board, first=phases.number, rate=20_000) as sender:
                board.wait(lambda: board.sent() > phases.number, "traffic", sender)
                net.run("t", "ip", "link", "set", "ta", "down")
                dfcd.wait_for("ta is down")
                net.run("t", "ip", "link", "set", "ta", "up")
                dfcd.wait_for("ta is up again")
                phases.number += sender.report()["sent"]
            phases.begin_round()
            phases.send_until_copies_come(1, latest)
            whole.append((phases.send(10 * stream.round, both), phases.number))
            phases.end(1, latest)
            summary = load.stop(dfcd, device)
            came = receiver.report(summary["delivered"])
    arrived = load.statistics(net, "t", "ta")["received"] - before["received"]
    load.check_sums(summary)
    # What comes while it goes down the kernel may count for the device and show to nobody.
    assert summary["seen"] + summary["lost"] <= arrived, (arrived, summary)
    check_whole_phases(came, stream, whole)


SCENES = [both_destinations_get_exactly_their_packets,
          they_do_when_two_workers_share_the_device, at_full_speed_everything_is_accounted_for,
          criteria_come_and_go_beside_the_hundred,
          a_destination_that_is_gone_costs_the_other_nothing,
          a_destination_that_nobody_answers_for_costs_the_other_nothing,
          the_device_goes_down_and_comes_up]


def main():
    namespaces.require()
    chosen = [scene for scene in SCENES if not sys.argv[1:] or scene.__name__ in sys.argv[1:]]
    with load.topology() as net:
        for scene in chosen:
            scene(net)
    print("load on a live device: good")


if __name__ == "__main__":
    sys.exit(main())
