#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The tour in README.md shows what really happens: runs its commands and compares the output."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["FLOWTAP_SOURCE_ROOT"])
BUILD = pathlib.Path(os.environ["FLOWTAP_BUILD_ROOT"])
MARK = "--- command"


def blocks(text):
    """The console blocks of the tour."""
    tour = text.split("## A five-minute tour\n")[1].split("\n## ")[0]
    return re.findall(r"^```console\n(.*?)^```$", tour, re.MULTILINE | re.DOTALL)


def commands(text):
    """Each command of the tour with the output that the README shows."""
    found = []
    for line in "".join(blocks(text)).splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line == ">" or line.startswith("> "):
            found[-1][0] += "\n" + line[2:]
        else:
            found[-1][1].append(line)
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(tour, directory):
    """The output of each command, run one after the other in one shell."""
    root = pathlib.Path(directory) / "clone"
    root.mkdir()
    for name in ("tests", "examples"):
        (root / name).symlink_to(SOURCE / name)
    (root / "build").symlink_to(BUILD)
    port = free_port()
    script = ""
    for command, _ in tour:
        # The tour's port and directory are somebody else's, perhaps.
        command = command.replace("/tmp/tour", f"{directory}/tour")
        command = command.replace("--listen 127.0.0.1", f"--listen 127.0.0.1 --port {port}")
        command = re.sub(r"^dtcp ", f"dtcp -p {port} ", command)
        script += f"echo '{MARK}'\n{command}\n"
    done = subprocess.run(["bash"], input=script, cwd=root, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    return [output.strip("\n").splitlines() for output in done.stdout.split(MARK)[1:]]


def main():
    tour = commands((SOURCE / "README.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as directory:
        outputs = run(tour, directory)
    wrong = 0
    for (command, shown), printed in zip(tour, outputs, strict=True):
        if shown != printed:
            wrong += 1
            print(f"$ {command}\n  the README shows\n" + "\n".join(shown))
            print("  but it printed\n" + "\n".join(printed))
    print(f"{len(tour)} commands, {wrong} with other output than README.md shows")
    return 1 if wrong or not tour else 0


if __name__ == "__main__":
    sys.exit(main())
