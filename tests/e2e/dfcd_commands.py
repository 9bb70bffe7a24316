#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The operator's commands of dfcd, with OpenSSH's client: as `ssh host command`, from a script, and
typed at a terminal (tmux)."""

import contextlib
import os
import re
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import time

import lab

USERS = {"lea1": ("first", ["flow-tap-operation"]),
         "ann": ("boss", ["flow-tap-control", "admin-control", "system-control",
                          "interface-control"]),
         "vic": ("viewer", ["flow-tap"]),
         "sys": ("system", ["flow-tap-operation", "system-control"])}


class Operated:
    """A dfcd whose users log in with one key."""

    def __init__(self, flow_tap=""):
        self.keys = tempfile.mkdtemp(prefix="keys-")
        self.identity = os.path.join(self.keys, "id")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.identity],
                       check=True)
        with open(self.identity + ".pub") as public:
            key = " ".join(public.read().split()[:2])
        text = lab.configuration(USERS, flow_tap)
        text = text.replace("authentication {", 'authentication { ssh-ed25519 "%s";' % key)
        self.dfcd = lab.Dfcd(text)

    def ssh(self, user, *arguments, options=()):
        return ["ssh", "-F", "none", "-p", str(self.dfcd.port), "-i", self.identity,
                "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                *options, user + "@127.0.0.1", *arguments]

    def run(self, user, *command, script="", options=()):
        return subprocess.run(self.ssh(user, *command, options=options), input=script, text=True,
                              capture_output=True, timeout=lab.PATIENCE)

    def file(self, suffix=""):
        with open(self.dfcd.config + suffix) as text:
            return text.read()

    def __enter__(self):
        self.dfcd.__enter__()
        return self

    def __exit__(self, *how):
        self.dfcd.__exit__(*how)
        shutil.rmtree(self.keys)


class Screen:
    """A terminal of tmux in which a command runs."""

    def __init__(self, command, columns=80, rows=24):
        self.directory = tempfile.mkdtemp(prefix="tmux-")
        self.tmux = ["tmux", "-S", os.path.join(self.directory, "socket"), "-f", "/dev/null"]
        environment = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
        environment.pop("TMUX", None)
        subprocess.run(self.tmux + ["new-session", "-d", "-x", str(columns), "-y", str(rows),
                                    "exec " + " ".join(command)], check=True, env=environment)

    def text(self):
        shown = subprocess.run(self.tmux + ["capture-pane", "-p"], check=True, capture_output=True,
                               text=True).stdout
        return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip("\n")

    def keys(self, *keys):
        subprocess.run(self.tmux + ["send-keys", *keys], check=True)

    def type(self, text):
        subprocess.run(self.tmux + ["send-keys", "-l", text], check=True)

    def wait_for(self, end):
        """Waits until the screen ends like this; returns it."""
        limit = time.monotonic() + lab.PATIENCE
        while not self.text().endswith(end):
            if time.monotonic() > limit:
                raise AssertionError("%r never came; the screen:\n%s" % (end, self.text()))
            select.select([], [], [], 0.02)
        return self.text()

    def wait_for_end(self):
        limit = time.monotonic() + lab.PATIENCE
        while subprocess.run(self.tmux + ["has-session"], capture_output=True).returncode == 0:
            assert time.monotonic() < limit, self.text()
            select.select([], [], [], 0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(self.tmux + ["kill-server"], capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)


def test_a_command_is_an_argument():
    with Operated() as iap:
        shown = iap.run("vic", "show configuration services flow-tap | display set")
        assert (shown.returncode, shown.stderr) == (0, ""), shown
        assert shown.stdout == ("set services flow-tap interface sp-1/2/0.100\n"
                                "set services flow-tap family inet\n"
                                "set services flow-tap family inet6\n"), shown
        status = iap.run("vic", "show", "flow-tap", "status")
        assert re.search(r"^Filters: +0$", status.stdout, re.MULTILINE), status
        assert iap.run("vic", "show flow-tap statistics").stdout.count("\n") > 10
        wrong = iap.run("vic", "show foo; show flow-tap status")
        assert wrong.returncode == 1 and wrong.stdout == "", wrong
        assert wrong.stderr == 'syntax error: "foo" is not known here\n', wrong


def test_a_script_changes_what_is_in_force():
    with Operated() as iap:
        before = iap.file()
        with contextlib.closing(lab.Device(iap.dfcd.port, "lea1", "first")) as device:
            assert device.ask("ADD", lab.add_fields([("Source-Address", "10.0.0.1")])).code == 200
            done = iap.run("ann", script="configure\nset services flow-tap control-source lea1 "
                           "filter-limit 2\ncompare\ncommit\n")
            assert done.returncode == 0, done
            assert done.stdout == ("Entering configuration mode\n[edit services flow-tap]\n"
                                   "+   control-source lea1 {\n+       filter-limit 2;\n+   }\n"
                                   "commit complete\n"), done
            # The criterion that was there is not disturbed, and the new limit holds.
            codes = [device.ask("ADD", lab.add_fields([("Source-Address", "10.0.0.%d" % last)],
                                                      cdest="cd%d" % last)).code
                     for last in (2, 3)]
            assert codes[0] == 200 and codes[1] != 200, codes
        assert "filter-limit 2;" in iap.file()
        assert iap.file(".1") == before
        for suffix in ("", ".1"):
            mode = stat.S_IMODE(os.stat(iap.dfcd.config + suffix).st_mode)
            assert mode == 0o600, oct(mode)
        commits = [line for line in iap.dfcd.audit() if line["event"] == "commit"]
        assert [line["principal"] for line in commits] == ["ann"], commits
        operators = [line["event"] for line in iap.dfcd.audit()
                     if line.get("detail", "").startswith("the command line")]
        assert operators == ["login", "logout"], operators
        back = iap.run("ann", "configure; rollback 1; commit")
        assert back.returncode == 0, back
        assert "filter-limit 2;" not in iap.file()


def test_the_first_command_that_fails_is_the_last():
    with Operated() as iap:
        before = iap.file()
        done = iap.run("ann", script="configure\nset services flow-tap filter-limit 0\ncommit\n")
        assert done.returncode == 1, done
        assert done.stderr == "invalid value: the number is out of range (1-1000000)\n", done
        assert done.stdout == "Entering configuration mode\n", done
        assert iap.file() == before


def test_a_commit_that_cannot_be_stored_changes_nothing():
    with Operated() as iap:
        before = iap.file()
        # Nothing can take the place of a directory.
        os.makedirs(iap.dfcd.config + ".new/x")
        done = iap.run("ann", "configure; set services flow-tap filter-limit 7; commit")
        assert done.returncode == 1 and done.stderr.startswith("error: commit failed: "), done
        assert iap.file() == before
        shown = iap.run("vic", "show configuration services flow-tap filter-limit")
        assert (shown.stdout, shown.stderr) == ("", ""), shown
        commits = [line for line in iap.dfcd.audit() if line["event"] == "commit"]
        assert commits[-1]["detail"] == "failed: it could not be stored", commits


def test_another_family_deletes_filters_and_disconnects():
    with Operated() as iap:
        with contextlib.closing(lab.Device(iap.dfcd.port, "lea1", "first")) as device:
            assert device.ask("ADD", lab.add_fields([("Source-Address", "10.0.0.1")])).code == 200
            done = iap.run("ann", "configure; delete services flow-tap family inet6; commit")
            assert "all filters are deleted and all mediation devices disconnected" in done.stdout
        status = iap.run("vic", "show flow-tap status").stdout
        assert re.search(r"^Filters: +0$", status, re.MULTILINE), status
        assert re.search(r"^Sessions: +0$", status, re.MULTILINE), status


def test_who_may_not_gets_nothing():
    with Operated() as iap:
        for command in ((), ("show flow-tap status",)):
            assert iap.run("lea1", *command).returncode == 255
        hidden = iap.run("sys", "show configuration services flow-tap")
        assert hidden.stderr == 'syntax error: "flow-tap" is not known here\n', hidden
        refused = iap.run("vic", "configure")
        assert refused.stderr == 'syntax error: "configure" is not known here\n', refused


def test_whose_permissions_change_is_logged_out():
    with Operated() as iap:
        with Screen(iap.ssh("vic")) as screen:
            screen.wait_for("vic@flowtap>")
            done = iap.run("ann", "configure; set system login user vic class class-ann; commit")
            assert done.returncode == 0, done
            screen.wait_for_end()


def test_the_file_is_read_again_on_a_signal():
    with Operated() as iap:
        changed = iap.file().replace("interface sp-1/2/0.100;",
                                     "interface sp-1/2/0.100; filter-limit 7;")
        with open(iap.dfcd.config, "w") as out:
            out.write(changed)
        iap.dfcd.process.send_signal(lab.signal.SIGHUP)
        iap.dfcd.wait_for("the configuration was read again")
        shown = iap.run("vic", "show configuration services flow-tap filter-limit")
        assert shown.stdout == "filter-limit 7;\n", shown
        with open(iap.dfcd.config, "w") as out:
            out.write("nonsense")
        iap.dfcd.process.send_signal(lab.signal.SIGHUP)
        iap.dfcd.wait_for("the configuration stays as it is")
        assert iap.run("vic", "show configuration services flow-tap filter-limit").stdout == \
            "filter-limit 7;\n"


def test_a_terminal_shows_what_the_documentation_says():
    with Operated() as iap, Screen(iap.ssh("ann"), rows=30) as screen:
        screen.wait_for("ann@flowtap>")
        screen.type("conf")
        screen.keys("Tab", "Enter")
        screen.wait_for("[edit]\nann@flowtap#")
        screen.type("set services flow-tap f?")
        screen.wait_for("ann@flowtap# set services flow-tap f")
        screen.type("ilter-limit 0")
        screen.keys("Enter")
        screen.wait_for("[edit]\nann@flowtap#")
        screen.keys("Up", "BSpace")
        screen.type("70")
        screen.keys("Enter")
        screen.wait_for("[edit]\nann@flowtap#")
        screen.type("compare")
        screen.keys("Enter")
        shown = screen.wait_for("+   filter-limit 70;\n\n[edit]\nann@flowtap#")
        assert shown == """\
ann@flowtap> configure
Entering configuration mode

[edit]
ann@flowtap# set services flow-tap f
Possible completions:
  family        Families that are tapped (inet alone when none is given)
  filter-limit  Filters of all control sources together (100, FlowTapLite 3000)
  fragments     Which fragments of a packet that was matched are copied (first)

[edit]
ann@flowtap# set services flow-tap filter-limit 0
                                                ^
invalid value: the number is out of range (1-1000000)

[edit]
ann@flowtap# set services flow-tap filter-limit 70

[edit]
ann@flowtap# compare
[edit services flow-tap]
+   filter-limit 70;

[edit]
ann@flowtap#""", shown
        screen.type("exit")
        screen.keys("Enter")
        screen.wait_for("Discard uncommitted changes? [yes,no] (yes)")
        screen.keys("Enter")
        screen.wait_for("Exiting configuration mode\nann@flowtap>")
        screen.keys("C-d")
        screen.wait_for_end()


def test_a_terminal_that_is_made_smaller_is_heard_of():
    with Operated() as iap, Screen(iap.ssh("ann")) as screen:
        screen.wait_for("ann@flowtap>")
        subprocess.run(screen.tmux + ["resize-window", "-x", "40", "-y", "10"], check=True)
        screen.type("show configuration")
        screen.keys("Enter")
        screen.wait_for("---(more)---")
        screen.type("q")
        screen.wait_for("ann@flowtap>")


if __name__ == "__main__":
    lab.main(sys.modules[__name__])
