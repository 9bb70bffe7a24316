# SPDX-License-Identifier: Apache-2.0
"""A strict reader of Prometheus' text exposition format 0.0.4
(https://prometheus.io/docs/instrumenting/exposition_formats/), and HTTP to a socket."""

import re
import socket

import lab

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(r"(%s)(?:\{(.*)\})? (\S+)" % NAME)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')


class Families(dict):
    """By name: {labels: value}, where labels are a sorted tuple of pairs."""

    def value(self, name, **labels):
        return self[name].get(tuple(sorted(labels.items())), 0)

    def total(self, name, **labels):
        """The sum of all samples that have these labels, whatever others they have."""
        wanted = set(labels.items())
        return sum(value for found, value in self[name].items() if wanted <= set(found))

    def labels(self, name, label):
        return sorted({dict(found)[label] for found in self[name]})


def parse_labels(text):
    labels, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, "labels: " + text
        labels.append(match.groups())
        at = match.end()
        assert at == len(text) or text[at] == ",", "labels: " + text
        at += 1
    names = [name for name, _ in labels]
    assert len(set(names)) == len(names), "a label stands twice: " + text
    return tuple(sorted(labels))


def parse(text):
    """All families of an exposition. Asserts everything that the format and its conventions say."""
    assert text.endswith("\n"), "the last line does not end"
    families, kinds, helped = Families(), {}, set()
    current = None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, told = line[7:].split(" ", 1)
            assert re.fullmatch(NAME, name) and told and name not in helped, line
            helped.add(name)
            current = name
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == current and name not in kinds and name not in families, line
            assert kind in ("counter", "gauge"), line
            assert name.endswith("_total") == (kind == "counter"), line
            kinds[name] = kind
            families[name] = {}
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            assert name == current and name in kinds, "out of its group: " + line
            found = parse_labels(labels or "")
            assert found not in families[name], "twice: " + line
            assert re.fullmatch(r"\d+", value), line
            families[name][found] = int(value)
    assert helped == set(kinds)
    return families


def connect(where, timeout=lab.PATIENCE):
    """`where` is the path of a socket or an address and a port."""
    made = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
    made.settimeout(timeout)
    made.connect(where)
    return made


def exchange(where, octets, timeout=lab.PATIENCE):
    """Sends octets and returns what comes until the connection ends."""
    with connect(where, timeout) as made:
        made.sendall(octets)
        return receive(made)


def receive(made):
    answer = b""
    while True:
        piece = made.recv(65536)
        if not piece:
            return answer
        answer += piece


def request(target, method="GET", version="HTTP/1.1", headers=()):
    lines = ["%s %s %s" % (method, target, version), "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode()


class Reply:
    def __init__(self, octets):
        head, _, self.body = octets.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d\d\d) .+", lines[0])
        assert match, octets[:200]
        self.code = int(match[1])
        self.headers = {name.lower(): value for name, value in
                        (line.split(": ", 1) for line in lines[1:])}


def get(where, target="/metrics"):
    reply = Reply(exchange(where, request(target)))
    assert reply.code == 200, reply.body
    assert len(reply.body) == int(reply.headers["content-length"])
    return reply


def scrape(where):
    reply = get(where)
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4"), reply.headers
    return parse(reply.body.decode())
