#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who dfcd is while it serves, and what it still can do then.

    m --- t --- c       dfcd runs in t and is tasked there; m sends traffic to it; copies go to c
"""

import contextlib
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

import exposition
import lab
import namespaces

USERS = {"lea1": ("first", ["flow-tap-operation"])}
FOREIGN, SINK, TAPPED = "198.51.100.9", "192.0.2.5", "10.1.0.254"
# Nobody's numbers: no entry of the machine's user database is needed.
USER, GROUP = 64123, 64124
NET_RAW = 1 << 13
KEY = b"key of lea1"
UDP = """udp { listen %s port 32002; } control-source lea1 { udp; dtcp-key "%s";
    allowed-source-addresses [ 192.0.2.254/32 198.51.100.9/32 ]; }""" % (
    TAPPED, KEY.decode())


@contextlib.contextmanager
def topology():
    with namespaces.Network("m", "t", "c") as net:
        net.link("m", "m0", "t", "tm")
        net.link("c", "c0", "t", "tc")
        for name, device, address in (("m", "m0", "10.1.0.1/24"), ("t", "tm", TAPPED + "/24"),
                                      ("c", "c0", SINK + "/24"), ("t", "tc", "192.0.2.254/24")):
            net.address(name, device, address)
        yield net


def threads_of(process):
    """Of each thread: what the system says of who it is."""
    threads = []
    for task in os.listdir("/proc/%d/task" % process):
        with open("/proc/%d/task/%s/status" % (process, task)) as status:
            threads.append(dict(line.rstrip("\n").split(":\t", 1) for line in status
                                if ":\t" in line))
    return threads


def check_threads(process, user, group, capabilities=NET_RAW, bounding=0):
    threads = threads_of(process)
    assert len(threads) >= 3, threads
    for thread in threads:
        assert thread["Uid"].split() == [str(user)] * 4, thread["Uid"]
        assert thread["Gid"].split() == [str(group)] * 4, thread["Gid"]
        assert not thread["Groups"].strip(), thread["Groups"]
        for name, expected in (("CapEff", capabilities), ("CapPrm", capabilities), ("CapInh", 0),
                               ("CapAmb", 0), ("CapBnd", bounding)):
            assert bounding is None and name == "CapBnd" or (
                int(thread[name], 16) == expected), (name, thread[name])
        assert thread["NoNewPrivs"] == "1", thread


def process_of(dfcd):
    """dfcd itself: `ip netns exec` and `setpriv` have become it."""
    with open("/proc/%d/comm" % dfcd.process.pid) as name:
        assert name.read() == "dfcd\n"
    return dfcd.process.pid


def prefix_in(net, *more):
    return ("ip", "netns", "exec", net.prefix + "t") + more


def user_directory():
    """A directory that the user owns, as a package makes it."""
    made = tempfile.mkdtemp(prefix="privileges-")
    os.chown(made, USER, GROUP)
    return made


def add(device, destination, source):
    answer = device.ask("ADD", lab.add_fields([("Source-Address", "10.1.0.1"), ("Protocol", "17")],
                                              destination, source))
    assert answer.code == 200, answer.octets


def tap_and_check(net, device):
    """Copies from a foreign address, which take raw sockets, and from one of the system's own,
    through sockets that are made for them now."""
    add(device, (SINK, 2300), (FOREIGN, 7000))
    add(device, (SINK, 2301), ("192.0.2.254", 7001))
    sinks = [net.udp("c", SINK, port) for port in (2300, 2301)]
    sender = net.udp("m", "10.1.0.1", 0)
    for index in range(10):
        sender.sendto(b"packet %d" % index, (TAPPED, 9))
        for sink, source in zip(sinks, (FOREIGN, "192.0.2.254")):
            copy, where = sink.recvfrom(2000)
            assert copy[28:] == b"packet %d" % index and where[0] == source, (copy, where)
    for each in sinks + [sender]:
        each.close()


def root_becomes_the_user_and_goes_on_working(net):
    directory = user_directory()
    metrics = os.path.join(directory, "metrics")
    with lab.Dfcd(lab.configuration(USERS, UDP), "--live", "ge-0/0/0=tm", "--user",
                  "%d:%d" % (USER, GROUP), "--metrics", "unix:" + metrics, "--json",
                  directory=directory, prefix=prefix_in(net)) as dfcd:
        process = process_of(dfcd)
        with net.inside("t"):
            device = lab.Device(dfcd.port, "lea1", "first", key=KEY)
        tap_and_check(net, device)
        check_threads(process, USER, GROUP)
        exposition.scrape(metrics)

        # What it writes is its own: audit log, sequence numbers, host key, socket.
        for name in ("audit.jsonl", "sequences", "host-key", "metrics"):
            there = os.stat(os.path.join(directory, name))
            assert (there.st_uid, there.st_gid) == (USER, GROUP), (name, there)
            assert stat.S_IMODE(there.st_mode) == 0o600, (name, there)
        before = len(dfcd.audit())
        with net.inside("m"):
            asking = lab.UdpDevice(32002, "lea1", KEY, host=TAPPED, source="10.1.0.1")
        with asking:
            for _ in range(200):
                assert asking.ask("NOOP").code == 200
        assert len(dfcd.audit()) >= before
        with open(os.path.join(directory, "sequences")) as stored:
            assert int(re.search(r"lea1 (\d+)", stored.read())[1]) >= 200
        # A reset that root asks for.
        reset = subprocess.run([lab.DFCD, "--config", dfcd.config, "--reset-sequence", "lea1",
                                "--sequence-file", os.path.join(directory, "sequences"),
                                "--audit-log", os.path.join(directory, "audit.jsonl")],
                               capture_output=True, text=True, timeout=lab.PATIENCE)
        assert reset.returncode == 0, reset
        status, output = dfcd.stop()
        assert status == 0, dfcd.text()
        assert json.loads(output)["delivered"] == 20
        assert not os.path.exists(metrics)

    # The same files serve again, to root and to the user alone.
    raw = ("setpriv", "--reuid", str(USER), "--regid", str(GROUP), "--clear-groups",
           "--inh-caps=-all,+net_raw", "--ambient-caps=+net_raw", "--bounding-set=-all,+net_raw")
    os.chown(os.path.join(directory, "dfcd.conf"), USER, GROUP)
    with lab.Dfcd(lab.configuration(USERS, UDP), "--live", "ge-0/0/0=tm", "--json",
                  directory=directory, prefix=prefix_in(net, *raw)) as dfcd:
        with net.inside("t"):
            device = lab.Device(dfcd.port, "lea1", "first", key=KEY)
        tap_and_check(net, device)
        check_threads(process_of(dfcd), USER, GROUP, bounding=NET_RAW)
        assert dfcd.stop()[0] == 0, dfcd.text()
    shutil.rmtree(directory)


def root_that_stays_root_keeps_nothing_but_raw_sockets(net):
    with lab.Dfcd(lab.configuration(USERS, UDP), "--live", "ge-0/0/0=tm", "--user", "root",
                  prefix=prefix_in(net)) as dfcd:
        with net.inside("t"):
            device = lab.Device(dfcd.port, "lea1", "first", key=KEY)
        tap_and_check(net, device)
        check_threads(process_of(dfcd), 0, 0)
        assert dfcd.stop()[0] == 0, dfcd.text()


def a_low_port_is_opened_before(net):
    directory = user_directory()
    config = os.path.join(directory, "low.conf")
    with open(config, "w") as out:
        out.write(lab.configuration(USERS))
    os.chmod(config, 0o600)
    with open(os.path.join(directory, "log"), "w") as log:
        run = net.start("t", lab.DFCD, "--config", config, "--listen", TAPPED, "--port", "830",
                        "--user", str(USER), "--host-key", os.path.join(directory, "key"),
                        "--audit-log", os.path.join(directory, "audit"), stderr=log)
    try:
        waiting = lab.time.monotonic() + lab.PATIENCE
        while "listening on %s port 830" % TAPPED not in open(log.name).read():
            assert run.poll() is None and lab.time.monotonic() < waiting, open(log.name).read()
            lab.select.select([], [], [], 0.02)
        with net.inside("t"):
            lab.Device(830, "lea1", "first", host=TAPPED).close()
        check_threads(run.pid, USER, USER)
    finally:
        run.terminate()
        run.wait(lab.PATIENCE)
        shutil.rmtree(directory)


def run(directory, *arguments, prefix=()):
    config = os.path.join(directory, "dfcd.conf")
    with open(config, "w") as out:
        out.write(lab.configuration(USERS))
    os.chmod(config, 0o644)
    return subprocess.run(
        [*prefix, lab.DFCD, "--config", config, "--listen", "127.0.0.1", "--port", "0",
         "--host-key", os.path.join(directory, "key"), "--audit-log",
         os.path.join(directory, "audit"), *arguments],
        capture_output=True, text=True, timeout=lab.PATIENCE)


def what_cannot_be_is_refused_with_a_reason():
    nothing = ("setpriv", "--reuid", str(USER), "--regid", str(GROUP), "--clear-groups",
               "--inh-caps=-all", "--bounding-set=-all")
    directory = user_directory()
    capture = os.path.join(directory, "in.pcap")
    lab.write_pcap(capture, [])
    os.chmod(capture, 0o644)
    try:
        done = run(directory, "--live", "ge-0/0/0=lo", prefix=nothing)
        assert done.returncode == 1 and "CAP_NET_RAW" in done.stderr, done
        assert "setcap cap_net_raw" in done.stderr and "AmbientCapabilities" in done.stderr, done
        done = run(directory, "--read", "ge-0/0/0=" + capture, prefix=nothing)
        assert done.returncode == 1 and "copies need CAP_NET_RAW to be sent" in done.stderr, done
        done = run(directory, "--read", "ge-0/0/0=" + capture, "--write", directory + "/copies",
                   "--once", "--start-now", prefix=nothing)
        assert done.returncode == 0, done
        done = run(directory, "--user", "root", prefix=nothing)
        assert done.returncode == 1 and "root" in done.stderr, done
        done = run(directory, "--user", "no-such-user-here")
        assert done.returncode == 1 and "no-such-user-here" in done.stderr, done
        done = run(directory, "--user", "%d:no-such-group-here" % USER)
        assert done.returncode == 1 and "no-such-group-here" in done.stderr, done
    finally:
        shutil.rmtree(directory)


def files_that_the_user_cannot_write_later_are_refused_at_start():
    with tempfile.TemporaryDirectory() as roots:
        config = os.path.join(roots, "config")
        with open(config, "w") as out:
            out.write(lab.configuration(USERS, UDP.replace(TAPPED, "127.0.0.1")))
        done = subprocess.run(
            [lab.DFCD, "--config", config, "--user", str(USER), "--listen", "127.0.0.1", "--port",
             "0", "--host-key", roots + "/key", "--audit-log", roots + "/audit",
             "--sequence-file", roots + "/sequences"], capture_output=True, text=True,
            timeout=lab.PATIENCE)
        assert done.returncode == 1 and "cannot write" in done.stderr and roots in done.stderr, done


def the_unit_is_good():
    unit = os.path.join(os.environ.get("FLOWTAP_SOURCE_ROOT", ""), "tools/packaging/dfcd.service")
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        print("systemd-analyze is not here: the unit was not looked at")
        return
    with tempfile.TemporaryDirectory() as work:
        # It names a program that is not installed here.
        with open(unit) as given, open(work + "/dfcd.service", "w") as out:
            out.write(given.read().replace("/usr/sbin/dfcd", "/bin/true"))
        done = subprocess.run([analyze, "verify", "--man=no", work + "/dfcd.service"],
                              capture_output=True, text=True, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
        said = [line for line in done.stderr.splitlines() if "dfcd.service" in line]
        assert done.returncode == 0 and not said, done


def main():
    namespaces.require()
    what_cannot_be_is_refused_with_a_reason()
    files_that_the_user_cannot_write_later_are_refused_at_start()
    the_unit_is_good()
    with topology() as net:
        root_becomes_the_user_and_goes_on_working(net)
        root_that_stays_root_keeps_nothing_but_raw_sockets(net)
        a_low_port_is_opened_before(net)
    print("an unprivileged user with CAP_NET_RAW alone, root without it, refusals, the unit: good")


if __name__ == "__main__":
    sys.exit(main())
