#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/demo does what it shows: on files, and live in network namespaces where there are any."""

import os
import re
import subprocess
import sys

import lab


def demo(*arguments):
    run = subprocess.run([os.path.join(lab.SOURCE, "tools", "demo"), "--build", lab.BUILD, *arguments],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def received(text, login):
    """How many packets the demo shows for a mediation device."""
    part = text.split("What %s received" % login, 1)[1]
    return int(re.search(r"^  (\d+) packets$", part, re.MULTILINE)[1])


def check_sums(text):
    made, delivered = (int(re.search(name + r" +(\d+)", text)[1])
                       for name in ("copies made", "copies delivered"))
    assert made == delivered == received(text, "lea1") + received(text, "lea2"), text


def test_files():
    text = demo("--files")
    assert received(text, "lea1") == 1 and received(text, "lea2") == 4, text
    check_sums(text)


def test_live():
    if os.geteuid() != 0:
        print("SKIPPED: not root")
        return
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        print("SKIPPED: no network namespace can be made")
        return
    text = demo()
    assert received(text, "lea1") == 2 and received(text, "lea2") >= 8, text
    check_sums(text)


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
