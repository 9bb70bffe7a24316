# SPDX-License-Identifier: Apache-2.0
"""The shell of the tool dtcp: from a script, and on a terminal with editing and completion."""
import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import unittest

import dtcp_udp_test
from access_point import ADD, Server, request
from dtcp_tool_test import dtcp

TOOL = os.environ['DTCP_TOOL']
EDITING = os.environ.get('DTCP_LINE_EDITING') == 'yes'
ADD_LINE = 'add ' + ' '.join(ADD[1:])


class Scripts(unittest.TestCase):
    def script(self, server, *lines, arguments=()):
        return dtcp(server, *arguments, '127.0.0.1', 'shell', stdin='\n'.join(lines))

    def test_commands_are_read_line_by_line(self):
        with Server() as server:
            done = self.script(server, '# a comment', '', ADD_LINE, '  LIST 1 flags: Criteria  ',
                               'refresh Timeout-Idle: 7 Criteria-ID:1', 'delete 1 Flags:STATIC',
                               'noop # and the end')
            self.assertEqual(done.returncode, 0, done.stderr)
            answers = [line for line in done.stdout.splitlines() if re.match(r'\d{3} ', line)]
            self.assertEqual(answers, ['200 OK, criterion 1', '200 OK', '200 OK, criteria 0',
                                       '200 OK, criteria 1', '200 OK'])
            self.assertIn('\nSOURCE-ADDRESS: 203.0.113.7\n', done.stdout)
            self.assertNotIn('dtcp>', done.stdout)

    def test_values_may_be_quoted_and_have_blanks_and_colons(self):
        with Server() as server:
            others = ' '.join(line for line in ADD[1:] if '-Address: ' not in line or 'JTap' in line)
            others = others.replace('192.0.2.5', '2001:db8::5').replace('198.51.100.9',
                                                                        'X-JTap-CDEST-TTL: 7')
            others = others.replace('X-JTap-Cdest-Source-Address:',
                                    'X-JTap-Cdest-Source-Address: 2001:db8::9')
            done = self.script(
                server, f'''add 'Source-Address: 2001:db8::1, !2001:db8::' "Dest-Address:" fe80:: '''
                        f'Source-Port: 1, 2,3 {others}', 'list Flags: Criteria',
                arguments=['--json'])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            given = json.loads(done.stdout.splitlines()[1])['given']
            self.assertEqual(given['Source-Address'], '2001:db8::1, !2001:db8::')
            self.assertEqual(given['Dest-Address'], 'fe80::')
            self.assertEqual(given['Source-Port'], '1, 2,3')
            self.assertEqual(given['X-JTap-Cdest-TTL'], '7')

    def test_the_exit_status_is_that_of_the_first_failure(self):
        with Server() as server:
            for lines, code in ((['noop', 'delete 7', 'frobnicate', 'noop'], 1),
                                (['frobnicate', 'delete 7'], 2), (["noop 'open"], 2),
                                (['add 10.0.0.1'], 2), (['send'], 2), (['listen x'], 2),
                                (['send /nowhere', 'quit', 'delete 7'], 2),
                                (['quit', 'delete 7'], 0), (['help', 'help delete'], 0),
                                (['help nothing'], 2), ([], 0)):
                done = self.script(server, *lines)
                self.assertEqual(done.returncode, code, (lines, done.stdout, done.stderr))
                if len(lines) == 4:
                    self.assertEqual(done.stdout, '200 OK\n431 Unknown Criteria ID, '
                                                  'criterion 7\n200 OK\n')

    def test_a_file_of_requests_and_notifications(self):
        with Server() as server, tempfile.NamedTemporaryFile() as file:
            file.write(request(['NOOP DTCP/0.7'], seq=5) + b'NOOP DTCP/0.7\nFlags: SendAsync\n')
            file.flush()
            done = self.script(server, f'send "{file.name}"', 'listen 1', 'noop Flags: SendAsync',
                               'noop Flags: SendAsync', 'listen 2', arguments=['--json'])
            self.assertEqual(done.returncode, 0, done.stderr)
            told = [json.loads(line)['status'] for line in done.stdout.splitlines()]
            self.assertEqual(told.count(200), 4)
            self.assertEqual(told.count(131), 3)

    def test_an_access_point_that_goes_is_exit_status_3(self):
        with Server(idle_timeout=300) as server:
            process = subprocess.Popen(
                [TOOL, '-p', str(server.port), '-l', 'lea1', '--host-key-fingerprint',
                 server.fingerprint, '127.0.0.1', 'shell'], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={**os.environ, 'DTCP_PASSWORD': 'lea1-secret'})
            with process:
                process.stdin.write('noop\n')
                process.stdin.flush()
                self.assertEqual(process.wait(60), 3)
                self.assertEqual(process.stdout.read(), '200 OK\n')
                self.assertTrue(process.stderr.read().startswith('dtcp: '))


class Terminal:
    """The tool on a terminal of its own."""

    def __init__(self, server, *arguments):
        self.screen = b''
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=server.directory.name, DTCP_PASSWORD='lea1-secret',
                              TERM='xterm')
            os.execv(TOOL, [TOOL, '-p', str(server.port), '-l', 'lea1', '--host-key-fingerprint',
                            server.fingerprint, *arguments, '127.0.0.1'])

    def type(self, text):
        os.write(self.terminal, text.encode())

    def see(self, pattern):
        """Waits until the screen shows it, and forgets what was before its end."""
        while True:
            found = re.search(pattern.encode(), self.screen)
            if found:
                self.screen = self.screen[found.end():]
                return found
            ready, _, _ = select.select([self.terminal], [], [], 60)
            if not ready:
                raise AssertionError(f'no {pattern!r} in {self.screen!r}')
            self.screen += self.read()

    def read(self):
        try:
            piece = os.read(self.terminal, 4096)
        except OSError:
            piece = b''
        if not piece:
            raise AssertionError(f'the tool has ended: {self.screen!r}')
        return piece

    def ends_with(self):
        try:
            while True:
                self.screen += self.read()
        except AssertionError:
            os.close(self.terminal)
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class UdpTerminal(Terminal):
    def __init__(self, fake):
        self.screen = b''
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=fake.home.name, DTCP_KEY=dtcp_udp_test.KEY.decode(),
                              TERM='xterm')
            command = dtcp_udp_test.command(fake.port, '127.0.0.1')
            os.execv(command[0], command)


class OnTerminal(unittest.TestCase):
    def test_without_a_command_there_is_a_prompt(self):
        for end in ('quit\r', 'exit\r', '\x04'):
            with Server() as server:
                terminal = Terminal(server)
                terminal.see('dtcp> ')
                terminal.type('noop\r')
                terminal.see('\n200 OK\r\n')
                terminal.see('dtcp> ')
                terminal.type(end)
                self.assertEqual(terminal.ends_with(), 0)

    def test_ctrl_c_drops_the_line_and_ends_listening(self):
        with Server() as server:
            terminal = Terminal(server)
            terminal.see('dtcp> ')
            terminal.type('delete 1')
            terminal.see('delete 1')
            terminal.type('\x03')
            terminal.see('dtcp> ')
            terminal.type('noop Flags: SendAsync\r')
            terminal.see('131 NoOp Notification')
            # Before the prompt is back, Ctrl-C would end a request.
            terminal.see('dtcp> ')
            terminal.type('listen 5\r')
            terminal.see('listen 5\r\n')
            terminal.type('\x03')
            terminal.see('dtcp> ')
            terminal.type('noop\r')
            terminal.see('\n200 OK\r\n')
            terminal.type('\x04')
            self.assertEqual(terminal.ends_with(), 0)

    def test_notifications_are_shown_while_a_line_is_typed(self):
        with Server() as server:
            terminal = Terminal(server, '--json')
            terminal.see('dtcp> ')
            # Asks for notifications; another program causes one.
            terminal.type('noop Flags: SendAsync\r')
            terminal.see('"status":131')
            terminal.see('dtcp> ')
            terminal.type('help no')
            terminal.see('help no')
            done = dtcp(server, '127.0.0.1', 'noop', 'Flags: SendAsync')
            self.assertEqual(done.returncode, 0, done.stderr)
            terminal.see('"status":131')
            terminal.type('op\r')
            terminal.see('asks for nothing')
            terminal.type('\x04')
            self.assertEqual(terminal.ends_with(), 0)


@unittest.skipUnless(EDITING, 'built without line editing')
class Editing(unittest.TestCase):
    def test_the_tabulator_completes_commands_names_flags_and_criteria(self):
        with Server() as server:
            for _ in range(3):
                dtcp(server, '127.0.0.1', 'add', *ADD[1:])
            terminal = Terminal(server)
            terminal.see('dtcp> ')
            terminal.type('re\t\x15list fl\tcr\t\r')
            terminal.see('CRITERIA-ID: 3')
            terminal.see('dtcp> ')
            terminal.type('delete \t')
            terminal.see(r'\n1\s+2\s+3\s+Cdest-ID:\s+Criteria-ID:\s+Flags: ')
            terminal.type('1 f\tST\t\r')
            terminal.see('200 OK, criteria 1')
            terminal.see('dtcp> ')
            terminal.type('delete Cr\t\t')
            terminal.see('\n2 +3 +\r\n')
            terminal.type('2,\t\r')
            terminal.see('\n200 OK, criteria 0')
            terminal.type('list Cd\tc\t\r')
            terminal.see('CRITERIA-COUNT: 2')
            terminal.type('add X-JTap-IP\tipv\t')
            terminal.see('\nipv4 +ipv6 ')
            terminal.type('4 sou\t\t')
            terminal.see('\nSource-Address: +Source-Port: ')
            terminal.type('\x03\x04')
            self.assertEqual(terminal.ends_with(), 0)

    def test_names_that_an_access_point_has_sent_do_not_command_the_terminal(self):
        def lists(_, seq, __):
            entries = b''.join(dtcp_udp_test.entry(number, 2).replace(b'cd1', name) for number, name
                               in ((1, rb'cd\027[31mone'), (2, rb'cd\027[32mtwo')))
            return [dtcp_udp_test.answer(seq, entries)]
        with dtcp_udp_test.Fake(lists) as fake:
            terminal = UdpTerminal(fake)
            terminal.see('dtcp> ')
            terminal.type('list\r')
            terminal.see('dtcp> ')
            terminal.type('delete Cdest-ID: \t\t')
            seen = terminal.see('two')
            self.assertNotIn(b'\x1b[3', seen.string[:seen.end()])
            terminal.type('1mo\t\x03\x04')
            self.assertEqual(terminal.ends_with(), 0)

    def test_ctrl_d_ends_the_shell_also_when_it_was_typed_before_the_prompt(self):
        def types(_, seq, __):
            terminal.type('\x04')
            return [dtcp_udp_test.answer(seq)]
        with dtcp_udp_test.Fake(types) as fake:
            terminal = UdpTerminal(fake)
            terminal.see('dtcp> ')
            terminal.type('noop\r')
            terminal.see('\n200 OK\r\n')
            self.assertEqual(terminal.ends_with(), 0)

    def test_lines_are_edited_and_remembered(self):
        with Server() as server:
            terminal = Terminal(server)
            terminal.see('dtcp> ')
            terminal.type('oop\x01n\x05 Flags: SendAsync\r')
            terminal.see('131 NoOp Notification')
            terminal.see('dtcp> ')
            terminal.type('\x1b[A\r')
            terminal.see('131 NoOp Notification')
            terminal.see('dtcp> ')
            terminal.type('\x1b[A\x15quit\r')
            self.assertEqual(terminal.ends_with(), 0)
            self.assertEqual(os.listdir(server.directory.name).count('.dtcp_history'), 0)


if __name__ == '__main__':
    if not EDITING:
        print('SKIPPED: built without line editing')
        if sys.argv[1:] == ['Editing']:
            sys.exit(77)
    unittest.main(verbosity=2)
