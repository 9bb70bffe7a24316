# SPDX-License-Identifier: Apache-2.0
"""Numbered packets at a high rate, and which of their copies arrived: what the load tests, the soak
and the benchmarks share.

`send_traffic` and `receive_traffic` of tests/support/traffic do the work. They and the script show
each other how far they are on a *board*, a file that all of them have mapped, so a test can tell
which packets were sent before and after an event without any clock but the packets' numbers.
"""

import json
import mmap
import os
import select
import struct
import subprocess
import tempfile
import time

import lab

SEND = os.path.join(lab.BUILD, "tests", "support", "traffic", "send_traffic")
RECEIVE = os.path.join(lab.BUILD, "tests", "support", "traffic", "receive_traffic")

# Of the board's layout (board.hpp).
PORTS, FLOWS = 8, 4096
BOARD_SIZE = 8 * (2 + PORTS + PORTS * FLOWS)


class Stream:
    """A stream of numbered packets, as numbered_packets.hpp defines it."""

    def __init__(self, flows, sizes=(64,), inet6_every=0, run=1):
        self.flows, self.sizes, self.inet6_every = flows, tuple(sizes), inet6_every
        self.run = run
        # In so many packets each flow has had the word once.
        self.round = flows * run

    def arguments(self):
        return ["--flows", str(self.flows), "--run", str(self.run),
                "--inet6-every", str(self.inet6_every), "--sizes", ",".join(map(str, self.sizes))]

    def is_inet6(self, flow):
        return self.inet6_every != 0 and flow % self.inet6_every == 0

    def source(self, flow):
        if self.is_inet6(flow):
            return "2001:db8:64::%x" % flow
        return "10.64.%d.%d" % (flow >> 8, flow & 255)

    def destination(self, flow):
        if self.is_inet6(flow):
            return "2001:db8:65::%x" % flow
        return "10.65.%d.%d" % (flow >> 8, flow & 255)

    def filter(self, flow, shape):
        """A filter that exactly this flow meets, in one of six shapes."""
        length = "128" if self.is_inet6(flow) else "32"
        return [
            [("Dest-Address", self.destination(flow))],
            [("Source-Address", self.source(flow))],
            [("Source-Address", self.source(flow)), ("Dest-Address", self.destination(flow))],
            [("Dest-Address", self.destination(flow)), ("Protocol", "17"),
             ("Dest-Port", str(20000 + flow))],
            [("Source-Address", self.source(flow) + "/" + length),
             ("Source-Port", str(10000 + flow))],
            [("Source-Port", str(10000 + flow)), ("Dest-Port", str(20000 + flow))],
        ][shape % 6]

    def packet(self, number):
        """The IP packet with this number, made by code of another hand than what is sent."""
        flow = number // self.run % self.flows
        place = self.places_before(flow, number)
        size = self.sizes[(place + flow) % len(self.sizes)]
        inet6 = self.is_inet6(flow)
        begin = 74 if inet6 else 54
        payload = b"Numb" + struct.pack("!Q", number) + \
            bytes(at * 7 & 255 for at in range(begin, size))
        datagram = lab.udp(10000 + flow, 20000 + flow, payload)
        ends = self.source(flow), self.destination(flow)
        packet = lab.ipv6(*ends, 17, datagram) if inet6 else \
            lab.ipv4(*ends, 17, datagram, identification=number & 0xFFFF)
        pseudo = packet[8:40] if inet6 else packet[12:20]
        value = lab.checksum(pseudo + struct.pack("!HH", 17, len(datagram)) + datagram) or 0xFFFF
        at = len(packet) - len(datagram) + 6
        return packet[:at] + struct.pack("!H", value) + packet[at + 2:]

    def places_before(self, flow, number):
        """How many packets of a flow have lower numbers than this one."""
        rounds, rest = divmod(number, self.round)
        return rounds * self.run + min(max(rest - flow * self.run, 0), self.run)


class Board:
    """What sender and receiver show; `with` it."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="flowtap-board-")
        self.file.truncate(BOARD_SIZE)
        self.memory = mmap.mmap(self.file.fileno(), BOARD_SIZE)
        self.words = memoryview(self.memory).cast("Q")
        self.event = os.eventfd(0, os.EFD_NONBLOCK)
        return self

    def __exit__(self, *_):
        self.words.release()
        self.memory.close()
        self.file.close()
        os.close(self.event)

    @property
    def name(self):
        return self.file.name

    def prepared(self):
        """No packet with this number or a higher one has been given to the kernel."""
        return self.words[0]

    def sent(self):
        """All packets with lower numbers have been given to the kernel."""
        return self.words[1]

    def received(self, port):
        return self.words[2 + port]

    def next(self, port, flow):
        """The number of the latest copy of this flow at this port, and one more; 0: none came."""
        return self.words[2 + PORTS + port * FLOWS + flow]

    def wait(self, condition, what, *programs):
        """Until a condition of the board holds, which a program that ended would never change."""
        end = time.monotonic() + lab.PATIENCE
        while not condition():
            assert time.monotonic() < end, "never came: " + what
            for each in programs:
                assert each.process.poll() is None, "ended before: " + what
            select.select([], [], [], 0.0005)


class Program:
    """A program that ends when its standard input does, with a JSON object; `with` it."""

    def __init__(self, command, board=None, prefix=()):
        more = {} if board is None else {"pass_fds": [board.event]}
        self.process = subprocess.Popen(list(prefix) + command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, **more)

    def end(self, last_words=""):
        """Its report."""
        output, _ = self.process.communicate(last_words, timeout=2 * lab.PATIENCE)
        assert self.process.returncode == 0, output
        return json.loads(output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Sender(Program):
    """Sends a stream out of a device of a namespace. With `window` no more than so many copies are
    on their way; `copies` says how many there are of a packet of each flow at the ports `clock`."""

    def __init__(self, net, name, device, to, stream, board, first=0, count=None, rate=None,
                 window=None, copies=(), clock=(), patience=lab.PATIENCE, prefix=()):
        command = [SEND, "--device", device, "--to", to, "--board", board.name,
                   "--first", str(first)] + stream.arguments()
        if count is not None:
            command += ["--count", str(count)]
        if rate is not None:
            command += ["--rate", str(rate)]
        if window is not None:
            command += ["--window", str(window), "--copies", ",".join(map(str, copies)),
                        "--clock", ",".join(map(str, clock)), "--event", str(board.event),
                        "--patience", str(patience)]
        super().__init__(command, board, list(prefix) + ["ip", "netns", "exec", net.prefix + name])

    def report(self, last_words=""):
        told = self.end(last_words)
        assert not told["stalled"], "copies that were due did not come: %s" % told
        return told


class Receiver(Program):
    """Receives copies at ports [(port, address, namespace file)]."""

    def __init__(self, stream, places, board=None, prefix=()):
        command = [RECEIVE] + stream.arguments()
        if board is not None:
            command += ["--board", board.name, "--event", str(board.event)]
        command += [",".join(map(str, place)) for place in places]
        super().__init__(command, board, prefix)
        assert self.process.stdout.readline() == "ready\n"

    def report(self, expected):
        """What came to each port, once `expected` copies have come to all of them together."""
        return [Arrivals(port) for port in self.end("%d\n" % expected)["ports"]]


class Arrivals:
    """What came to one port."""

    def __init__(self, port):
        self.port = port
        self.packets, self.overflowed = port["packets"], port["overflowed"]
        self.flows = {flow["flow"]: flow for flow in port["flows"]}

    def ranges(self, flow):
        """[first, last] of the places in a flow that came without a gap, ascending."""
        return self.flows[flow]["ranges"] if flow in self.flows else []

    def check_order(self):
        """Nothing came that was not sent, or twice, or before an earlier packet of its flow."""
        about = {name: self.port[name] for name in ("name", "packets", "foreign", "altered")}
        assert about["foreign"] == 0 and about["altered"] == 0, about
        for flow in self.flows.values():
            assert flow["disordered"] == 0 and flow["duplicates"] == 0, (about, flow)

    def check_all_came(self, stream, flows, first, end):
        """Exactly the packets of these flows with numbers from `first` to below `end` came, in the
        order of each flow."""
        self.check_order()
        assert self.overflowed == 0, "the test's receiver was too slow"
        wanted = {}
        for flow in flows:
            begin, after = stream.places_before(flow, first), stream.places_before(flow, end)
            if begin != after:
                wanted[flow] = [[begin, after - 1]]
        found = {flow: self.ranges(flow) for flow in self.flows}
        wrong = {flow: (wanted.get(flow), found.get(flow)) for flow in wanted.keys() | found.keys()
                 if wanted.get(flow) != found.get(flow)}
        assert not wrong, "of %s came (flow: wanted, found): %s" % (
            self.port["name"], dict(list(wrong.items())[:5]))
