# SPDX-License-Identifier: Apache-2.0
"""The tool dtcp against an access point: every command, both outputs, every exit status."""
import base64
import hashlib
import hmac
import json
import os
import pty
import re
import select
import socket
import subprocess
import tempfile
import threading
import unittest

import paramiko

from access_point import ADD, Server, request

TOOL = os.environ['DTCP_TOOL']
PARAMETERS = ADD[1:]


def dtcp(server, *arguments, user='lea1', stdin='', trust=True, **variables):
    """Runs the tool without a terminal."""
    environment = {'PATH': os.environ['PATH'], 'HOME': server.directory.name,
                   'DTCP_PASSWORD': user + '-secret', **variables}
    for kept in ('LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS'):
        if kept in os.environ:
            environment[kept] = os.environ[kept]
    command = [TOOL, '-p', str(server.port), '-l', user]
    if '--timeout' not in arguments:
        command += ['--timeout', '60']
    if trust:
        command += ['--host-key-fingerprint', server.fingerprint]
    return subprocess.run(command + list(arguments), input=stdin, text=True, timeout=120,
                          capture_output=True, check=False, env=environment,
                          start_new_session=True)


class Commands(unittest.TestCase):
    def test_add_list_refresh_and_delete(self):
        with Server() as server:
            done = dtcp(server, '127.0.0.1', 'add', *PARAMETERS)
            self.assertEqual((done.returncode, done.stdout), (0, '200 OK, criterion 1\n'),
                             done.stderr)
            timed = [p for p in PARAMETERS if p != 'Flags: STATIC'] + ['Timeout-Idle: 60']
            done = dtcp(server, '127.0.0.1', 'add', *timed)
            self.assertEqual((done.returncode, done.stdout), (0, '200 OK, criterion 2\n'))
            done = dtcp(server, '127.0.0.1', 'list', 'Flags: Criteria')
            self.assertEqual(done.returncode, 0)
            self.assertIn('CRITERIA-ID: 1\nCSOURCE-ID: lea1\nCDEST-ID: cd1\n', done.stdout)
            self.assertIn('CRITERIA-ID: 2\n', done.stdout)
            self.assertTrue(done.stdout.endswith('\n200 OK\n'))
            done = dtcp(server, '127.0.0.1', 'refresh', 'Criteria-ID: 2', 'Timeout-Idle: 70')
            self.assertEqual((done.returncode, done.stdout), (0, '200 OK, criteria 1\n'))
            done = dtcp(server, '127.0.0.1', 'delete', 'Criteria-ID: 1-2', 'Flags: STATIC')
            self.assertEqual((done.returncode, done.stdout), (0, '200 OK, criteria 2\n'))
            done = dtcp(server, '127.0.0.1', 'noop')
            self.assertEqual((done.returncode, done.stdout), (0, '200 OK\n'))

    def test_parameters_come_from_standard_input_too(self):
        with Server() as server:
            done = dtcp(server, '127.0.0.1', 'add', PARAMETERS[0], '-',
                        stdin='\n'.join(PARAMETERS[1:]) + '\n')
            self.assertEqual((done.returncode, done.stdout), (0, '200 OK, criterion 1\n'),
                             done.stderr)

    def test_json_is_an_object_a_line(self):
        with Server() as server:
            dtcp(server, '127.0.0.1', 'add', *PARAMETERS)
            done = dtcp(server, '--json', '--seq', '7', '127.0.0.1', 'list')
            self.assertEqual(done.returncode, 0, done.stderr)
            entry, response = (json.loads(line) for line in done.stdout.splitlines())
            self.assertEqual(entry['type'], 'entry')
            self.assertEqual(entry['criteria-id'], 1)
            self.assertEqual(entry['cdest-ids'], ['cd1'])
            self.assertEqual(entry['given']['Source-Address'], '203.0.113.7')
            self.assertTrue(entry['static'])
            self.assertEqual(entry['matching-packets'], 0)
            self.assertEqual((response['type'], response['status'], response['seq']),
                             ('response', 200, 7))
            done = dtcp(server, '--json', '127.0.0.1', 'add', 'Source-Port: 7-3', *PARAMETERS)
            self.assertEqual(done.returncode, 1)
            error = json.loads(done.stdout)
            self.assertEqual((error['status'], error['offending-line']),
                             (432, 'Source-Port: 7-3'))

    def test_a_dtcp_error_is_exit_status_1(self):
        with Server() as server:
            done = dtcp(server, '127.0.0.1', 'delete', 'Criteria-ID: 7')
            self.assertEqual(done.returncode, 1)
            self.assertTrue(done.stdout.startswith('431 '), done.stdout)

    def test_the_version_is_0_8_where_it_must_be(self):
        with Server() as server:
            done = dtcp(server, '127.0.0.1', 'add', *PARAMETERS, 'X-JTap-Filter-Family: ccc',
                        'X-JTap-Input-Interface: ge-0/0/0')
            self.assertNotIn('505', done.stdout)
            self.assertTrue(done.stdout.startswith('432 '), done.stdout)
            done = dtcp(server, '--protocol', '7', '127.0.0.1', 'add', *PARAMETERS,
                        'X-JTap-Filter-Family: ccc')
            self.assertTrue(done.stdout.startswith('400 '), done.stdout)


class SendFile(unittest.TestCase):
    def test_requests_of_a_file_are_completed_and_sent_at_once(self):
        with Server() as server:
            path = os.path.join(server.directory.name, 'requests')
            with open(path, 'w', encoding='ascii') as file:
                file.write('\n\n' + '\n'.join(ADD) + '\n\n' + '\r\n'.join(ADD) + '\r\n\r\n\r\n' +
                           'LIST DTCP/0.5\n\nDELETE DTCP/0.8\nCriteria-ID: *\nFlags: static')
            done = dtcp(server, '--json', '--seq', '100', '127.0.0.1', 'send', path)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([line['type'] for line in lines],
                             ['response', 'response', 'entry', 'entry', 'response', 'response'])
            self.assertEqual([line['seq'] for line in lines if 'seq' in line],
                             [100, 101, 102, 103])
            self.assertEqual(lines[-1]['criteria-count'], 2)

    def test_a_request_that_is_signed_is_sent_as_it_stands(self):
        with Server() as server:
            done = dtcp(server, '--json', '127.0.0.1', 'send', '-',
                        stdin=request(['NOOP DTCP/0.7'], seq=5).decode())
            self.assertEqual(json.loads(done.stdout)['seq'], 5, done.stderr)

    def test_thousands_of_requests(self):
        with Server() as server:
            done = dtcp(server, '127.0.0.1', 'send', '-',
                        stdin='\n'.join(ADD + ['', '']) * 3000 + 'LIST DTCP/0.7\n')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.count('200 OK, criterion'), 3000)
            self.assertEqual(done.stdout.count('CRITERIA-NUM: '), 3000)

    def test_a_file_that_is_none_is_a_mistake_of_the_user(self):
        with Server() as server:
            for text in ('ADD\n', 'ADD DTCP/x\n', 'ADD DTCP/0.7\nno parameter\n'):
                done = dtcp(server, '127.0.0.1', 'send', '-', stdin=text)
                self.assertEqual((done.returncode, done.stdout), (2, ''), text)
            done = dtcp(server, '127.0.0.1', 'send', '/nowhere')
            self.assertEqual(done.returncode, 2)
            self.assertIn('/nowhere', done.stderr)
            done = dtcp(server, '127.0.0.1', 'send', '/')
            self.assertEqual(done.returncode, 2)
            self.assertIn('directory', done.stderr)


class Secrets(unittest.TestCase):
    def test_the_key_comes_from_a_file_or_the_environment(self):
        with Server() as server:
            path = os.path.join(server.directory.name, 'key')
            with open(path, 'w', encoding='ascii') as file:
                file.write('Juniper\n')
            done = dtcp(server, '--key-file', path, '127.0.0.1', 'noop', DTCP_KEY='wrong')
            self.assertEqual(done.returncode, 0, done.stderr)
            done = dtcp(server, '127.0.0.1', 'noop', DTCP_KEY='Juniper')
            self.assertEqual(done.returncode, 0, done.stderr)
            done = dtcp(server, '--timeout', '1', '127.0.0.1', 'noop', DTCP_KEY='wrong')
            self.assertEqual(done.returncode, 3)
            self.assertIn('wrong key', done.stderr)
            done = dtcp(server, '--key-file', '/nowhere', '127.0.0.1', 'noop')
            self.assertEqual(done.returncode, 2)

    def test_the_password_comes_from_a_file_and_a_key_needs_none(self):
        with Server() as server:
            path = os.path.join(server.directory.name, 'password')
            with open(path, 'w', encoding='ascii') as file:
                file.write('lea1-secret\n')
            done = dtcp(server, '--password-file', path, '127.0.0.1', 'noop', DTCP_PASSWORD='x')
            self.assertEqual(done.returncode, 0, done.stderr)
            done = dtcp(server, '-i', server.identity, '127.0.0.1', 'noop', DTCP_PASSWORD='x')
            self.assertEqual(done.returncode, 0, done.stderr)
            done = dtcp(server, '127.0.0.1', 'noop', DTCP_PASSWORD='x')
            self.assertEqual(done.returncode, 3)
            self.assertIn('refused the login', done.stderr)

    def test_who_may_not_tap_is_told_so(self):
        with Server() as server:
            done = dtcp(server, '127.0.0.1', 'noop', user='other')
            self.assertEqual(done.returncode, 3)
            self.assertIn('refused the service', done.stderr)


class HostKey(unittest.TestCase):
    def test_an_unknown_key_is_refused_without_a_terminal(self):
        with Server() as server:
            done = dtcp(server, '127.0.0.1', 'noop', trust=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn(server.fingerprint, done.stderr)
            done = dtcp(server, '--host-key-fingerprint', 'SHA256:wrong', '127.0.0.1', 'noop',
                        trust=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn('another fingerprint', done.stderr)

    def on_terminal(self, server, known, talk):
        """Runs the tool on a terminal of its own; `talk` is pairs of a prompt and the answer."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ['HOME'] = server.directory.name
            os.environ.pop('DTCP_PASSWORD', None)
            os.execv(TOOL, [TOOL, '-p', str(server.port), '-l', 'lea1', '--known-hosts', known,
                            '127.0.0.1', 'noop'])
        screen = b''
        talk = list(talk)
        while True:
            ready, _, _ = select.select([terminal], [], [], 60)
            self.assertTrue(ready, screen)
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                piece = b''
            if not piece:
                break
            screen += piece
            if talk and talk[0][0] in screen:
                os.write(terminal, talk.pop(0)[1] + b'\n')
        os.close(terminal)
        self.assertEqual(talk, [], screen)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen

    def test_an_unknown_key_is_asked_about_on_a_terminal_and_remembered(self):
        with Server() as server:
            known = os.path.join(server.directory.name, 'known')
            code, screen = self.on_terminal(server, known, [(b'(yes/no)?', b'no')])
            self.assertEqual(code, 3, screen)
            self.assertFalse(os.path.exists(known))
            code, screen = self.on_terminal(
                server, known, [(b'(yes/no)?', b'yes'), (b'password: ', b'lea1-secret')])
            self.assertEqual(code, 0, screen)
            self.assertIn(server.fingerprint.encode(), screen)
            self.assertNotIn(b'lea1-secret', screen)
            # Known now: no question, and no terminal needed.
            done = dtcp(server, '--known-hosts', known, '127.0.0.1', 'noop', trust=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_key_that_has_changed_is_refused(self):
        with Server() as server:
            known = os.path.join(server.directory.name, 'known')
            with open(server.identity + '.pub', encoding='ascii') as file:
                algorithm, blob = file.read().split()[:2]
            with open(known, 'w', encoding='ascii') as file:
                file.write(f'[127.0.0.1]:{server.port} {algorithm} {blob}\n')
            done = dtcp(server, '--known-hosts', known, '127.0.0.1', 'noop', trust=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn('is not the one that is known', done.stderr)


class Forger:
    """An SSH server that lets everybody in and answers the first request with `fields`, and with
    its Seq or another."""

    def __init__(self, fields, seq=None):
        self.fields = fields
        self.seq = seq

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        key = paramiko.RSAKey.generate(2048)
        digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode()
        self.fingerprint = 'SHA256:' + digest.rstrip('=')
        self.listening = socket.create_server(('127.0.0.1', 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, args=(key,))
        self.thread.start()
        return self

    def serve(self, key):
        class Welcome(paramiko.ServerInterface):
            def check_auth_password(self, username, password):
                return paramiko.AUTH_SUCCESSFUL

            def check_channel_request(self, kind, chanid):
                return paramiko.OPEN_SUCCEEDED

            def check_channel_subsystem_request(self, channel, name):
                return True

        with paramiko.Transport(self.listening.accept()[0]) as transport:
            transport.add_server_key(key)
            transport.start_server(server=Welcome())
            channel = transport.accept(60)
            channel.settimeout(60)
            asked = b''
            while b'\r\n\r\n' not in asked:
                asked += channel.recv(65536)
            seq = self.seq or re.search(rb'Seq: \d+', asked)[0]
            text = b'DTCP/0.7 200 OK\r\n' + seq + b'\r\n' + self.fields
            channel.sendall(text + b'Authentication-Info: ' +
                            hmac.new(b'Juniper', text, hashlib.sha1).hexdigest().encode() +
                            b'\r\n\r\n')
            transport.join(60)

    def __exit__(self, *_):
        self.thread.join(60)
        self.listening.close()
        self.directory.cleanup()


class Hostile(unittest.TestCase):
    def test_an_answer_cannot_command_the_terminal(self):
        entry = (b'CRITERIA-ID: 1\r\nCSOURCE-ID: lea1\x1b[2J\r\nCDEST-ID: cd\x1b[2J\r\n'
                 b'TIMESTAMP: 2026-01-01 00:00:00.000\r\nSOURCE-ADDRESS: \x1b]0;x\x07\x9b\r\n'
                 b'X-JTAP-VRF-NAME: \x1b[2J\r\nCRITERIA-NUM: 1\r\nCRITERIA-COUNT: 1\r\n')
        for output in ([], ['--json']):
            with Forger(entry) as server:
                done = dtcp(server, *output, '127.0.0.1', 'list')
            self.assertIn('027' if not output else 'u001b', done.stdout, done.stderr)
            shown = done.stdout + done.stderr
            self.assertTrue(all(c == '\n' or ' ' <= c <= '~' for c in shown), repr(shown))


    def test_an_answer_to_another_request_is_none(self):
        with Forger(b'', seq=b'Seq: 1') as server:
            done = dtcp(server, '--timeout', '1', '--seq', '2', '127.0.0.1', 'noop')
        self.assertEqual((done.returncode, done.stdout), (3, ''), done.stderr)
        self.assertIn('in time', done.stderr)


class Usage(unittest.TestCase):
    def test_mistakes_are_exit_status_2(self):
        with Server() as server:
            for arguments in ([], ['127.0.0.1'], ['127.0.0.1', 'frobnicate'],
                              ['127.0.0.1', 'send'], ['127.0.0.1', 'send', 'a', 'b'],
                              ['127.0.0.1', 'add', 'no parameter'],
                              ['127.0.0.1', 'add', 'Cdest-ID: cd1\r\nPriority: 3'],
                              ['--key-file', '/dev/null', '127.0.0.1', 'noop'],
                              ['--key-file', '/', '127.0.0.1', 'noop'],
                              ['--protocol', '9', '127.0.0.1', 'noop'],
                              ['--unknown', '127.0.0.1', 'noop']):
                done = dtcp(server, *arguments)
                self.assertEqual(done.returncode, 2, arguments)
                self.assertEqual(done.stdout, '', arguments)

    def test_help_is_no_mistake(self):
        done = subprocess.run([TOOL, '--help'], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn('DTCP_KEY', done.stdout)

    def test_the_version_is_told(self):
        done = subprocess.run([TOOL, '--version'], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r'^dtcp \(libflowtap\) \d+\.\d+\.\d+$')

    def test_nobody_there_is_exit_status_3(self):
        with Server() as server:
            port = server.port
        done = subprocess.run([TOOL, '-p', str(port), '127.0.0.1', 'noop'], capture_output=True,
                              text=True, check=False, timeout=120)
        self.assertEqual(done.returncode, 3)


if __name__ == '__main__':
    unittest.main(verbosity=2)
