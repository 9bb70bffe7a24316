#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long logins to dfcd take to be refused, by the kind of refusal, and to be let in: median, 95th
and 99th percentile, as a client on loopback sees them. FreeRADIUS is asked first, then the
configuration's passwords are tried.

    tests/bench/login_times.py BUILD [--each 100] [--reject-delay 1]
"""

import argparse
import contextlib
import os
import pathlib
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import paramiko

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from bench_common import commit, first_line  # noqa: E402

# So many logins are under way at a time: dfcd computes two hashes at a time.
THREADS = 8

RADIUS_USERS = """
bob Cleartext-Password := "far"
    Juniper-User-Permissions = "flow-tap-operation"

poor Cleartext-Password := "far"
    Juniper-User-Permissions = "view"
"""
LOCAL_USERS = {"lea1": ("near", ["flow-tap-operation"]), "visitor": ("near", ["view"])}

REFUSED = {"unknown user": ("nobody", "near"),
           "wrong password": ("lea1", "wrong"),
           "local, without permission": ("visitor", "near"),
           "RADIUS rejects": ("bob", "wrong"),
           "RADIUS accepts, without permission": ("poor", "far")}
LET_IN = {"local password": ("lea1", "near"), "RADIUS": ("bob", "far")}


def time_login(port, source, login):
    """Seconds from the password to the answer, and whether that was a yes."""
    with contextlib.closing(paramiko.Transport(
            socket.create_connection(("127.0.0.1", port), 60, (source, 0)))) as client:
        client.start_client()
        begin = time.monotonic()
        try:
            client.auth_password(*login)
            return time.monotonic() - begin, True
        except paramiko.AuthenticationException:
            return time.monotonic() - begin, False


def measure(port, each):
    """Seconds by kind. The kinds take turns."""
    kinds = {**REFUSED, **LET_IN}
    seconds = {kind: [] for kind in kinds}
    jobs = queue.SimpleQueue()
    for number in range(each * len(kinds)):
        jobs.put(number)

    def work():
        while True:
            try:
                number = jobs.get_nowait()
            except queue.Empty:
                return
            kind = list(kinds)[number % len(kinds)]
            # Refused logins of one source are limited.
            source = "127.1.%d.%d" % (number // 250, number % 250 + 1)
            took, is_in = time_login(port, source, kinds[kind])
            assert is_in == (kind in LET_IN), kind
            seconds[kind].append(took)
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def show(seconds):
    print(f"{'kind':36} {'n':>5} {'median':>10} {'p95':>10} {'p99':>10}")
    for kind, times in seconds.items():
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        print(f"{kind:36} {len(times):5}" +
              "".join(f" {1000 * cuts[percent - 1]:7.1f} ms" for percent in (50, 95, 99)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="a build directory with dfcd in it")
    parser.add_argument("--each", type=int, default=100, help="logins of each kind")
    parser.add_argument("--reject-delay", type=int, default=1,
                        help="seconds for which FreeRADIUS holds a rejection back (its default: 1)")
    chosen = parser.parse_args()
    os.environ["FLOWTAP_BUILD_ROOT"] = chosen.build
    import lab  # it looks at the environment
    from freeradius_server import SECRET, FreeRadius
    text = lab.configuration(LOCAL_USERS, connection_limit=250)
    version = subprocess.run(["freeradius", "-v"], capture_output=True, text=True, check=False,
                             env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    print(f"machine: {first_line('/proc/cpuinfo', r'^model name.*: (.*)$')}, {os.cpu_count()} processors; "
          f"commit {commit()}; {version.stdout.splitlines()[0].split(',')[0]}")
    with tempfile.TemporaryDirectory() as directory:
        radius = FreeRadius(os.path.join(directory, "radius"), RADIUS_USERS,
                            reject_delay=chosen.reject_delay)
        try:
            radius.start()
            text = text.replace("system {", """system { authentication-order [ radius password ];
                radius-server { 127.0.0.1 { port %d; secret "%s"; } }""" % (radius.port, SECRET), 1)
            with lab.Dfcd(text) as dfcd:
                show(measure(dfcd.port, chosen.each))
        finally:
            radius.stop()


if __name__ == "__main__":
    main()
