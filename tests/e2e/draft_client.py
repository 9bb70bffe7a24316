# SPDX-License-Identifier: Apache-2.0
"""A DTCP client over UDP, written from draft-cavuto-dtcp-03 and nothing else.

Section numbers are the draft's. Whatever a server sends is checked against the draft as it comes
in, and what does not hold raises `Violation`.
"""

import hashlib
import os
import re
import select
import socket
import time

# Section 8: the codes that a server sends, and which of them are notifications.
RESPONSES = {200, 400, 430, 431, 432, 433, 500, 501, 505, 550, 551, 901}
NOTIFICATIONS = {130, 131, 390, 580, 598, 599, 680}

# Nothing takes this long unless something is broken.
PATIENCE = 30


class Violation(AssertionError):
    """The server did something that the draft does not allow."""


def require(holds, what, octets=b""):
    if not holds:
        raise Violation("%s: %r" % (what, octets) if octets else what)


# --- messages ----------------------------------------------------------------------------------

def hmac_sha1(key, text):
    """Section 4.4.2, which repeats RFC 2104."""
    if len(key) > 64:
        key = hashlib.sha1(key).digest()
    key = key.ljust(64, b"\0")
    inner = hashlib.sha1(bytes(octet ^ 0x36 for octet in key) + text).digest()
    return hashlib.sha1(bytes(octet ^ 0x5C for octet in key) + inner).hexdigest()


def escaped(value):
    """Section 5: any character may be written as a backslash and three digits."""
    return "".join("\\%03d" % ord(character) for character in value)


def plain(value):
    return re.sub(r"\\(\d{3})", lambda digits: chr(int(digits[1])), value)


def sign(text, key):
    """Figure 2: the message, then its HMAC as the last parameter, then two line ends."""
    octets = text.encode("latin-1")
    return octets + b"Authentication-Info: " + hmac_sha1(key, octets).encode() + b"\r\n\r\n"


class Message:
    """A response or a notification, which must be well-formed (sections 5.2, 5.3 and 8)."""

    def __init__(self, octets, key):
        self.octets = octets
        require(octets.endswith(b"\r\n\r\n"), "a message ends with two line ends", octets)
        require(octets.count(b"\r\n\r\n") == 1, "one message a packet", octets)
        require(octets.count(b"\n") == octets.count(b"\r\n"), "lines end with CRLF", octets)
        lines = octets[:-4].decode("latin-1").split("\r\n")
        status = re.fullmatch(r"DTCP/(\d+\.\d+) (\d{3}) (.+)", lines[0])
        require(status, "version, code and text begin a message", octets)
        self.version, self.code, self.reason = status[1], int(status[2]), status[3]
        self.parameters = []
        for line in lines[1:]:
            parameter = re.fullmatch(r"([!-9;-~]+)[ \t]*:[ \t]*(.*?)[ \t]*", line)
            require(parameter, "a line is a parameter", octets)
            # Names are matched regardless of case.
            self.parameters.append((parameter[1].lower(), parameter[2]))
        require(self.parameters and self.parameters[-1][0] == "authentication-info",
                "Authentication-Info is the last parameter", octets)
        require(re.fullmatch(r"[0-9a-f]{40}", self.parameters[-1][1]),
                "an HMAC has 40 hexadecimal digits", octets)
        signed = octets[:octets.lower().rindex(b"\r\nauthentication-info") + 2]
        require(self.parameters.pop()[1] == hmac_sha1(key, signed), "the HMAC is good", octets)
        require(key not in octets, "the key is in no message", octets)
        require(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", self["timestamp"] or ""),
                "a message has a Timestamp", octets)

    def __getitem__(self, name):
        """The first value counts; None when there is none."""
        return next((value for known, value in self.parameters if known == name), None)

    def has(self, name):
        return self[name] is not None

    def __repr__(self):
        return repr(self.octets)


class Entry(dict):
    """A List-Resp-Entry."""


def entries(message):
    """The entries of a LIST response: each begins with the parameter that the first one begins
    with. What stands before them are the parameters of the response."""
    rest = [(name, value) for name, value in message.parameters if name != "seq"]
    if not any(name == "criteria-id" for name, _ in rest):
        return []
    # Timestamp is a parameter of the response and of each entry; the response's stands outside.
    first = next(index for index, (name, _) in enumerate(rest) if name == "criteria-id")
    found = []
    for name, value in rest[first:]:
        if name == "criteria-id":
            found.append(Entry())
        found[-1].setdefault(name, value)
    return found


# --- the client --------------------------------------------------------------------------------

class Client:
    """One control source (section 2.3) at one server."""

    def __init__(self, name, key, server, sequence=1, version="0.7"):
        self.name, self.key, self.server, self.version = name, key.encode(), server, version
        self.next = sequence
        self.requests = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)

    def close(self):
        self.socket.close()

    def text(self, method, parameters=(), sequence=None, version=None):
        """A request as section 8 writes it, in one of the ways in which it may be written."""
        if sequence is None:
            sequence = self.next
            self.next = (self.next + 1) % 2**64
        self.requests += 1
        way = self.requests % 4
        end = " \r\n" if way == 1 else "\r\n"
        lines = list(parameters) + [("Csource-ID", self.name), ("Seq", str(sequence))]
        if way == 2:
            lines = [(name.swapcase(), value) for name, value in lines]
        if way == 3:
            # The order is not guaranteed (section 5).
            lines = lines[-2:] + lines[:-2]
        separator = "  : " if way == 3 else ": "
        return "%s DTCP/%s%s" % (method, version or self.version, end) + "".join(
            name + separator + value + end for name, value in lines)

    def message(self, method, parameters=(), key=None, **how):
        return sign(self.text(method, parameters, **how), key or self.key)

    def send(self, octets):
        self.socket.sendto(octets, self.server)

    def next_message(self, patience):
        self.socket.settimeout(patience)
        try:
            octets, sender = self.socket.recvfrom(65536)
        except socket.timeout:
            return None
        # Section 3.1.
        require(sender == self.server, "an answer comes from where it was asked: %s" % (sender,))
        return Message(octets, self.key)

    def receive(self, patience=PATIENCE):
        """The next response; None when none comes in time."""
        answer = self.next_message(patience)
        if answer is None:
            return None
        octets = answer.octets
        require(answer.code in RESPONSES, "no response has this code", octets)
        require((answer.code == 200) == (answer.reason == "OK"), "200 is OK, and only 200", octets)
        require(answer.has("seq"), "a response has Seq", octets)
        return answer

    def ask(self, method, parameters=(), **how):
        octets = self.message(method, parameters, **how)
        self.send(octets)
        return self.answer_to(octets)

    def answer_to(self, octets):
        answer = self.receive()
        require(answer is not None, "a request is answered", octets)
        sequence = re.search(rb"(?im)^seq[ \t]*:[ \t]*(\d+)", octets)[1].decode()
        require(answer["seq"] == sequence, "an answer has its request's Seq", answer.octets)
        return answer

    def ask_ok(self, method, parameters=(), **how):
        answer = self.ask(method, parameters, **how)
        require(answer.code == 200, "%s is answered with 200" % method, answer.octets)
        return answer

    def list(self, parameters=()):
        """All responses to a LIST, put together as section 6.1 says: (responses, entries)."""
        octets = self.message("LIST", parameters)
        self.send(octets)
        responses, found = [], {}
        while True:
            answer = self.answer_to(octets)
            require(answer.code == 200, "LIST is answered with 200", answer.octets)
            responses.append(answer)
            for entry in entries(answer):
                require(entry.get("criteria-num", "").isdigit(), "an entry has its place",
                        answer.octets)
                number = int(entry["criteria-num"])
                require(number not in found, "a place is taken once", answer.octets)
                found[number] = entry
            counts = {int(entry["criteria-count"]) for entry in found.values()} - {0}
            require(len(counts) <= 1, "the counts agree", answer.octets)
            if not found or (counts and sorted(found) == list(range(1, max(counts) + 1))):
                return responses, [found[number] for number in sorted(found)]

    def nothing_more(self):
        """Nothing has come that was not received."""
        return not select.select([self.socket], [], [], 0)[0]


class StreamClient(Client):
    """The same over a transport that is a stream of octets, for whoever wants confidentiality
    (section 4.4): a process that carries its standard input and output, such as ssh. Notifications
    come the same way and are kept in `heard`."""

    def __init__(self, name, key, process, **how):
        super().__init__(name, key, None, **how)
        self.process, self.waiting, self.heard = process, b"", []

    def close(self):
        super().close()
        self.process.kill()
        self.process.communicate()

    def send(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def next_message(self, patience):
        end = time.monotonic() + patience
        while True:
            if b"\r\n\r\n" in self.waiting:
                octets, self.waiting = self.waiting.split(b"\r\n\r\n", 1)
                message = Message(octets + b"\r\n\r\n", self.key)
                if message.code not in NOTIFICATIONS:
                    return message
                require(not message.has("seq"), "a notification has no Seq", message.octets)
                self.heard.append(message)
                continue
            ready = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]
            octets = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not octets:
                return None
            self.waiting += octets


class Listener:
    """Where a control source receives its notifications (section 3.2)."""

    def __init__(self, key, address="127.0.0.1"):
        self.key = key.encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.heard = []

    def close(self):
        self.socket.close()

    def receive(self, patience=PATIENCE):
        """The next notification; None when none comes in time."""
        if not select.select([self.socket], [], [], max(0, patience))[0]:
            return None
        octets = self.socket.recv(65536)
        told = Message(octets, self.key)
        require(told.code in NOTIFICATIONS, "no notification has this code", octets)
        require(not told.has("seq"), "a notification has no Seq", octets)
        self.heard.append(told)
        return told

    def wait(self, code, patience=PATIENCE):
        """The next notification with this code; the others are kept in `heard`."""
        end = time.monotonic() + patience
        while True:
            told = self.receive(end - time.monotonic())
            require(told is not None,
                    "%d is told; what came was %s" % (code, [one.code for one in self.heard]))
            if told.code == code:
                return told

    def drain(self):
        """What has come up to now."""
        while self.receive(0) is not None:
            pass
        return self.heard
