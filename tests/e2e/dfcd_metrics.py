#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Status and metrics of dfcd: what they say, that their sums close whenever they are asked for, and
who may ask how."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

import exposition
import lab
from exposition import exchange, get, request, scrape, Reply

USERS = {"lea1": ("first", ["flow-tap-operation"]), "lea2": ("second", ["flow-tap-operation"])}
KINDS = ("ip", "later_fragment", "not_ip", "cut_short", "malformed", "unsupported_link")


def flows(count):
    return [lab.ethernet(lab.ipv4("10.0.0.%d" % (1 + index % 3), "10.9.0.1", 17,
                                  lab.udp(1000, 53, b"%d" % index))) for index in range(count)]


def add(device, source, destination):
    answer = device.ask("ADD", lab.add_fields([("Source-Address", source)], destination))
    assert answer.code == 200, answer.octets


class Served:
    """A dfcd that serves metrics at a socket."""

    def __init__(self, *arguments, where=None):
        self.work = tempfile.mkdtemp(prefix="metrics-")
        self.socket = os.path.join(self.work, "socket")
        self.dfcd = lab.Dfcd(lab.configuration(USERS), "--metrics",
                             where or "unix:" + self.socket, *arguments)

    def path(self, name):
        return os.path.join(self.work, name)

    def __enter__(self):
        self.dfcd.__enter__()
        return self

    def __exit__(self, *how):
        self.dfcd.__exit__(*how)
        shutil.rmtree(self.work)


def check_sums(metrics):
    """The sums of every worker and of every content destination."""
    for worker in metrics.labels("flowtap_seen_packets_total", "worker"):
        def count(name, **labels):
            return metrics.total("flowtap_" + name, worker=worker, **labels)
        assert count("seen_packets_total") == (
            count("filtered_packets_total") + count("sampled_out_packets_total") +
            count("decoded_packets_total")), metrics
        assert count("seen_bytes_total") == (
            count("sampled_out_bytes_total") + count("decoded_bytes_total")), metrics
        for unit in ("packets", "bytes"):
            assert (count("decoded_%s_total" % unit, kind="ip") +
                    count("fragments_followed_%s_total" % unit)) == (
                count("tapped_%s_total" % unit) - count("frames_alone_%s_total" % unit) +
                count("untapped_%s_total" % unit) + count("own_%s_total" % unit) +
                count("abandoned_%s_total" % unit) + count("pending_" + unit)), metrics
        check_copies(metrics, "flowtap_", worker=worker)
    for destination in metrics.labels("flowtap_destination_copies_total", "destination"):
        check_copies(metrics, "flowtap_destination_", destination=destination)


def check_fragments(metrics):
    """Where all fragments are followed."""
    def count(name, **labels):
        return metrics.total("flowtap_" + name, **labels)
    assert count("decoded_packets_total", kind="later_fragment") == (
        count("fragments_followed_packets_total") + count("fragments_waiting_packets") +
        count("fragments_left_out_packets_total")), metrics


def check_copies(metrics, prefix, **labels):
    def count(name):
        return metrics.total(prefix + name, **labels)
    assert count("copies_total") == (count("delivered_copies_total") +
                                     count("dropped_copies_total") + count("queued_copies"))
    assert count("copied_bytes_total") == (count("delivered_bytes_total") +
                                           count("dropped_bytes_total") + count("queued_bytes"))


def test_metrics_of_a_replay_close_in_every_scrape_and_grow():
    with tempfile.TemporaryDirectory() as work:
        # Pipes, so that packets come as long as the test wants.
        pipes = []
        for name in ("one", "two"):
            os.mkdir(os.path.join(work, name))
            pipes.append(lab.Pipe(os.path.join(work, name)))
        with Served("--read", "ge-0/0/0=" + pipes[0].path, "--read", "ge-0/0/1=" + pipes[1].path,
                    "--start-after", "3", "--write", os.path.join(work, "out")) as served:
            devices = [lab.Device(served.dfcd.port, *login)
                       for login in (("lea1", "first"), ("lea2", "second"))]
            add(devices[0], "10.0.0.1", ("192.0.2.5", 2300))
            add(devices[0], "10.0.0.2", ("192.0.2.6", 2300))
            add(devices[1], "10.0.0.1", ("192.0.2.5", 2300))
            before = 0
            records = lab.pcap_records(flows(3000))
            for _ in range(20):
                for pipe in pipes:
                    pipe.send(records)
                metrics = scrape(served.socket)
                check_sums(metrics)
                seen = metrics.total("flowtap_seen_packets_total")
                assert seen >= before
                before = seen
            for pipe in pipes:
                pipe.close()
            served.dfcd.wait_for("the replay has ended")
            metrics = scrape(served.socket)
            check_sums(metrics)
            assert metrics.labels("flowtap_seen_packets_total", "worker") == ["0", "1"]
            assert metrics.value("flowtap_seen_packets_total", worker="0") == 60000
            assert metrics.value("flowtap_tapped_packets_total", worker="1") == 40000
            assert metrics.value("flowtap_untapped_packets_total", worker="1") == 20000
            # Two destinations of one control source, one of the other.
            for ordinal in "012":
                assert metrics.value("flowtap_destination_delivered_copies_total",
                                     destination=ordinal) == 40000
            assert metrics.total("flowtap_copies_total") == 120000
            assert metrics.total("flowtap_destination_copied_bytes_total") == metrics.total(
                "flowtap_copied_bytes_total")
            assert metrics.value("flowtap_criteria") == 3
            assert metrics.value("flowtap_content_destinations") == 3
            assert metrics.value("flowtap_sessions") == 2
            assert metrics.value("flowtap_requests_total") == 3
            assert metrics.value("flowtap_decoded_packets_total", worker="0", kind="ip") == 60000
            assert {dict(found)["kind"] for found in
                    metrics["flowtap_decoded_packets_total"]} == set(KINDS)


def test_fragments_and_frames_are_counted_everywhere():
    payload = lab.udp(1000, 53, bytes(64))
    def piece(identification, offset, more):
        return lab.ethernet(lab.ipv4("10.0.0.1", "10.0.0.2", 17, payload[offset:offset + 24],
                                     identification, fragment=offset // 8 | more << 13))
    # A whole train, one without its first fragment, and a frame that is no packet.
    frames = [piece(1, 0, 1), piece(1, 24, 1), piece(1, 48, 0), piece(2, 24, 1),
              bytes.fromhex("ffffffffffff" "020000000001" "0806") + bytes(46)]
    with tempfile.TemporaryDirectory() as work:
        capture, sockets = os.path.join(work, "in.pcap"), os.path.join(work, "socket")
        lab.write_pcap(capture, frames)
        families = ("inet", "ccc")
        with lab.Dfcd(lab.configuration(USERS, "fragments all;", families=families), "--metrics",
                      "unix:" + sockets, "--read", "ge-0/0/0=" + capture, "--write",
                      os.path.join(work, "out"), "--json", "--start-after", "2") as dfcd:
            device = lab.Device(dfcd.port, "lea1", "first")
            add(device, "10.0.0.1", ("192.0.2.5", 2300))
            whole = lab.add_fields([("X-JTap-Filter-Family", "ccc"),
                                    ("X-JTap-Input-Interface", "ge-0/0/0")], ("192.0.2.6", 2300))
            assert device.ask("ADD", whole, version="0.8").code == 200
            dfcd.wait_for("the replay has ended")
            metrics = scrape(sockets)
            check_sums(metrics)
            check_fragments(metrics)
            text = get(sockets, "/status").body.decode()
            _, output = dfcd.stop()
    def count(name, **labels):
        return metrics.value("flowtap_" + name, worker="0", **labels)
    summary = json.loads(output)
    assert count("fragments_followed_packets_total") == 2
    assert count("fragments_left_out_packets_total", cause="expired") + \
        count("fragments_waiting_packets") == 1, metrics
    # The frame, and the fragment that nothing has decided on.
    assert count("frames_alone_packets_total") == summary["frames_alone"] == 2, summary
    assert summary["fragments"]["followed"] == 2, summary
    assert summary["fragments"]["left_out"].keys() == {"expired", "displaced", "no_room",
                                                       "cut_short"}, summary
    assert summary["workers"][0]["fragments"] == summary["fragments"], summary
    assert "as frames alone   2\n" in text and "later fragments   2 followed, " in text, text


def test_no_kernel_filter_is_shown_where_there_is_none():
    with Served() as served:
        assert json.loads(get(served.socket, "/status.json").body)["kernel_filters"] == []
        assert scrape(served.socket)["flowtap_kernel_filter_state"] == {}
        assert "kernel filter" not in get(served.socket, "/status").body.decode()


def test_nothing_that_is_shown_names_anything():
    with Served() as served:
        device = lab.Device(served.dfcd.port, "lea1", "first")
        add(device, "10.77.66.55", ("192.0.2.5", 2377))
        for page in ("/metrics", "/status", "/status.json"):
            text = get(served.socket, page).body.decode()
            for secret in ("lea1", "lea2", "10.77.66.55", "192.0.2.5", "2377", "198.51.100.9",
                           "cd1", "ge-0/0/0", "127.0.0.1"):
                assert secret not in text, (page, secret, text)


def test_the_status_and_the_summary_say_the_same():
    with tempfile.TemporaryDirectory() as work:
        capture = os.path.join(work, "in.pcap")
        lab.write_pcap(capture, flows(300))
        with Served("--read", "ge-0/0/0=" + capture, "--write", os.path.join(work, "out"),
                    "--json") as served:
            device = lab.Device(served.dfcd.port, "lea1", "first")
            add(device, "10.0.0.1", ("192.0.2.5", 2300))
            served.dfcd.wait_for("the replay has ended")
            device.close()
            client = [lab.DFCD, "--status", "unix:" + served.socket]
            text = subprocess.run(client, check=True, capture_output=True, text=True).stdout
            assert "packets seen      300 (ip 300)\n" in text, text
            assert "copies delivered  100\n" in text, text
            assert "1 criteria of 1 control sources to 1 content destinations" in text, text
            assert text.splitlines()[-1].split() == ["0", "100", "100", "0", "0"], text
            shown = subprocess.run(client + ["--json"], check=True, capture_output=True,
                                   text=True).stdout
            _, output = served.dfcd.stop()
            status, summary = json.loads(shown), json.loads(output)
            for each in (status, summary):
                del each["state"]["sessions"]
            assert status == summary
            assert summary["workers"][0]["seen"] == 300
            assert summary["destinations"] == [
                {"ordinal": "0", "copies": 100, "copies_octets": summary["copies_octets"],
                 "delivered": 100, "delivered_octets": summary["copies_octets"], "queued": 0,
                 "queued_octets": 0, "dropped": summary["dropped"],
                 "dropped_octets": summary["dropped_octets"]}]
            done = subprocess.run(client, capture_output=True, text=True)
            assert done.returncode == 1 and not done.stdout, done


def test_a_socket_is_for_its_owner_alone_and_replaces_none_that_is_in_use():
    with Served() as served:
        kept = os.stat(served.socket)
        assert stat.S_IMODE(kept.st_mode) == 0o600 and stat.S_ISSOCK(kept.st_mode)
        done = subprocess.run(
            [lab.DFCD, "--config", served.dfcd.config, "--metrics", "unix:" + served.socket,
             "--listen", "127.0.0.1", "--port", "0", "--host-key", served.path("key"),
             "--audit-log", served.path("audit")], capture_output=True, text=True,
            timeout=lab.PATIENCE)
        assert done.returncode == 1 and "another process serves" in done.stderr, done
        assert os.stat(served.socket).st_ino == kept.st_ino
        scrape(served.socket)
        served.dfcd.stop()
        assert not os.path.exists(served.socket)


def test_a_socket_that_was_left_behind_is_replaced_and_a_file_is_not():
    with tempfile.TemporaryDirectory() as work:
        left = os.path.join(work, "left")
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(left)
        with lab.Dfcd(lab.configuration(USERS), "--metrics", "unix:" + left):
            scrape(left)
        file = os.path.join(work, "file")
        with open(file, "w") as out:
            out.write("mine")
        config = os.path.join(work, "config")
        with open(config, "w") as out:
            out.write(lab.configuration(USERS))
        done = subprocess.run(
            [lab.DFCD, "--config", config, "--metrics", "unix:" + file, "--listen", "127.0.0.1",
             "--port", "0", "--host-key", os.path.join(work, "key"), "--audit-log",
             os.path.join(work, "audit")], capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 1 and file in done.stderr, done
        with open(file) as kept:
            assert kept.read() == "mine"


def test_addresses_are_those_of_loopback():
    for where in ("0.0.0.0:9100", "192.0.2.1:9100", "[::]:9100", "[2001:db8::1]:9100"):
        done = subprocess.run([lab.DFCD, "--config", "x", "--metrics", where],
                              capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 2 and "loopback" in done.stderr, done
    for where in ("unix:", "localhost:9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000",
                  "::1:9100", "[127.0.0.1]:9100", "unix:" + "x" * 200, ""):
        done = subprocess.run([lab.DFCD, "--config", "x", "--metrics=" + where],
                              capture_output=True, text=True, timeout=lab.PATIENCE)
        assert done.returncode == 2, (where, done)
    with Served(where="127.0.0.1:0") as served:
        port = int(served.dfcd.wait_for(r"metrics are served at 127.0.0.1 port (\d+)")[1])
        check_sums(scrape(("127.0.0.1", port)))


def test_what_is_not_there_or_not_http_gets_an_error():
    with Served() as served:
        def ask(octets):
            return Reply(exchange(served.socket, octets))
        assert ask(request("/")).code == 404
        assert ask(request("/metricsx")).code == 404
        assert ask(request("/metrics?x=1")).code == 200
        assert ask(request("/metrics", version="HTTP/1.0")).code == 200
        refused = ask(request("/metrics", "POST", headers=["Content-Length: 0"]))
        assert refused.code == 405 and refused.headers["allow"] == "GET, HEAD"
        head = ask(request("/metrics", "HEAD"))
        assert head.code == 200 and not head.body and int(head.headers["content-length"]) > 1000
        assert ask(b"nonsense\r\n\r\n").code == 400
        assert ask(b"GET /metrics HTTP/1.1\r\nno colon\r\n\r\n").code == 400
        assert ask(request("/metrics", headers=["X: " + "y" * 100_000])).code == 431
        assert ask(b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n").code in (400, 431)
        scrape(served.socket)


def test_a_request_may_come_in_pieces():
    whole = request("/metrics", headers=["Accept: text/plain"])
    with Served() as served:
        for split in range(1, len(whole)):
            with exposition.connect(served.socket) as made:
                made.sendall(whole[:split])
                # Something else happens meanwhile, so that the pieces are read apart.
                if split % 16 == 0:
                    scrape(served.socket)
                made.sendall(whole[split:])
                exposition.parse(Reply(exposition.receive(made)).body.decode())


def test_silent_and_slow_clients_are_let_go_and_hold_up_nobody():
    with Served() as served:
        silent = [exposition.connect(served.socket) for _ in range(60)]
        slow = silent[0]
        slow.sendall(b"GET /metr")
        # Those that there is room for are given up after a time; the rest is closed at once.
        for each in silent:
            assert exposition.receive(each) == b""
            each.close()
        check_sums(scrape(served.socket))
        # Tasking went on.
        device = lab.Device(served.dfcd.port, "lea1", "first")
        add(device, "10.0.0.1", ("192.0.2.5", 2300))


def test_promtool_has_nothing_to_say():
    promtool = shutil.which("promtool")
    if promtool is None:
        print("promtool is not here: the format was checked by exposition.py only")
        return
    with Served() as served:
        text = get(served.socket).body
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
        assert done.returncode == 0 and not done.stderr, done


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
