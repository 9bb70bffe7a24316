# SPDX-License-Identifier: Apache-2.0
"""OpenSSH's client and paramiko against the SSH server: tasking, refusals, many at a time."""
import logging
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import paramiko

from access_point import ADD, Server, answers, request

# paramiko reports connections that are refused on purpose.
logging.getLogger('paramiko').addHandler(logging.NullHandler())


def run(command, stdin=b'', timeout=120):
    return subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, check=False)


def connect(server, user='lea1', password=None):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect('127.0.0.1', server.port, user, password or user + '-secret',
                   look_for_keys=False, allow_agent=False, timeout=60, banner_timeout=60,
                   auth_timeout=60)
    return client


def open_subsystem(client, name='flow-tap-dtcp'):
    channel = client.get_transport().open_session(timeout=60)
    channel.settimeout(60)
    channel.invoke_subsystem(name)
    return channel


def read_answers(channel, count):
    octets = b''
    while octets.count(b'\r\n\r\n') < count:
        piece = channel.recv(65536)
        assert piece, f'the channel ended after {octets}'
        octets += piece
    return answers(octets)


class OpenSsh(unittest.TestCase):
    def test_adds_lists_and_deletes_in_one_go_with_stdin_ending_before_the_answers(self):
        requests = (request(ADD, seq=1) + request(['LIST DTCP/0.7'], seq=2) +
                    request(['DELETE DTCP/0.7', 'Criteria-ID: 1', 'Flags: STATIC'], seq=3) +
                    request(['LIST DTCP/0.7'], seq=4))
        with Server() as server:
            done = run(server.ssh_with_password('lea1', '-s', '127.0.0.1', 'flow-tap-dtcp'),
                       requests)
        self.assertEqual(done.returncode, 0, done.stderr)
        added, listed, deleted, empty = answers(done.stdout)
        self.assertEqual([added[0], listed[0], deleted[0], empty[0]], [200] * 4)
        # Junos' form and order.
        self.assertRegex(added[1], r'^DTCP/0\.7 200 OK\r\nSEQ: 1\r\nCRITERIA-ID: 1\r\n'
                         r'TIMESTAMP: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\r\n$')
        self.assertRegex(listed[1], r'^DTCP/0\.7 200 OK\r\nSEQ: 2\r\nTIMESTAMP: .*\r\n'
                         r'CRITERIA-ID: 1\r\nCSOURCE-ID: lea1\r\nCDEST-ID: cd1\r\n')
        self.assertRegex(deleted[1], r'\r\nCRITERIA-COUNT: 1\r\n')
        self.assertNotIn('CRITERIA-ID', empty[1])

    def test_logs_in_with_a_key(self):
        with Server() as server:
            done = run(server.ssh('lea1', '-i', server.identity, '-o', 'IdentitiesOnly=yes',
                                  '-o', 'PasswordAuthentication=no', '-s', '127.0.0.1',
                                  'flow-tap-dtcp'), request(['NOOP DTCP/0.7']))
            self.assertEqual([code for code, _ in answers(done.stdout)], [200], done.stderr)
            # The key is lea1's alone.
            done = run(server.ssh('lea2', '-i', server.identity, '-o', 'IdentitiesOnly=yes',
                                  '-o', 'PasswordAuthentication=no', '-s', '127.0.0.1',
                                  'flow-tap-dtcp'))
            self.assertEqual(done.returncode, 255)
            self.assertIn(b'Permission denied', done.stderr)

    def test_keys_that_are_offered_are_no_tries(self):
        with tempfile.TemporaryDirectory() as directory, Server(login_tries=1) as server:
            offered = []
            for number in range(4):
                key = os.path.join(directory, f'key{number}')
                subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key],
                               check=True)
                offered += ['-i', key]
            done = run(['sshpass', '-p', 'lea1-secret',
                        *server.ssh('lea1', *offered, '-o', 'IdentitiesOnly=yes',
                                    '-s', '127.0.0.1', 'flow-tap-dtcp')],
                       request(['NOOP DTCP/0.7']))
        self.assertEqual([code for code, _ in answers(done.stdout)], [200], done.stderr)

    def test_wrong_password_unknown_user_and_no_permission_are_refused_alike(self):
        with Server() as server:
            refusals = set()
            for user, password in [('lea1', 'wrong'), ('stranger', 'stranger-secret'),
                                   ('nobody', 'nobody-secret'), ('', 'x')]:
                done = run(server.ssh_with_password(user or 'x', '-o', 'NumberOfPasswordPrompts=1',
                                                    '-s', '127.0.0.1', 'flow-tap-dtcp',
                                                    password=password))
                refusals.add((done.returncode, done.stdout,
                              done.stderr.replace(user.encode() or b'x', b'USER')))
            self.assertEqual(len(refusals), 1, refusals)
            self.assertEqual(server.counters()['logins'], 0)

    def test_nothing_but_the_subsystem_is_served(self):
        with Server() as server:
            for arguments in (['127.0.0.1', 'id'], ['-tt', '127.0.0.1'], ['-T', '127.0.0.1'],
                              ['-s', '127.0.0.1', 'sftp'],
                              ['-W', '127.0.0.1:1', '127.0.0.1']):
                done = run(server.ssh_with_password('lea1', *arguments))
                self.assertNotEqual(done.returncode, 0, arguments)
                self.assertEqual(done.stdout, b'', arguments)
            done = run(server.ssh_with_password('lea1', '-o', 'ExitOnForwardFailure=yes',
                                                '-R', '0:127.0.0.1:1', '-N', '127.0.0.1'))
            self.assertEqual(done.returncode, 255)
            self.assertIn(b'remote port forwarding failed', done.stderr)
            # An agent and variables are not taken, and do no harm.
            done = run(server.ssh_with_password('lea1', '-A', '-o', 'SetEnv=A=b', '-s',
                                                '127.0.0.1', 'flow-tap-dtcp'),
                       request(['NOOP DTCP/0.7']))
            self.assertEqual([code for code, _ in answers(done.stdout)], [200], done.stderr)

    def test_who_may_log_in_but_not_tap_gets_no_channel(self):
        with Server() as server:
            done = run(server.ssh_with_password('other', '-s', '127.0.0.1', 'flow-tap-dtcp'))
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stdout, b'')

    def test_keys_are_exchanged_again_in_the_middle(self):
        octets = os.urandom(3_000_000)
        with Server() as server:
            done = run(server.ssh_with_password('lea1', '-o', 'RekeyLimit=100K', '-s',
                                                '127.0.0.1', 'echo'), octets)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout == octets)

    def test_several_channels_share_a_connection(self):
        with Server() as server:
            control = os.path.join(server.directory.name, 'control')
            master = subprocess.Popen(
                server.ssh_with_password('lea1', '-M', '-S', control, '-N', '127.0.0.1'))
            try:
                while not os.path.exists(control):
                    self.assertIsNone(master.poll())
                    time.sleep(0.01)
                channels = [subprocess.Popen(
                    server.ssh('lea1', '-S', control, '-s', '127.0.0.1', 'flow-tap-dtcp'),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
                for number, channel in enumerate(channels):
                    out, _ = channel.communicate(request(ADD, seq=number), timeout=60)
                    self.assertEqual([code for code, _ in answers(out)], [200])
                self.assertEqual(server.counters()['logins'], 1)
            finally:
                master.terminate()
                master.wait()

    def test_a_message_that_is_too_long_ends_the_channel_with_a_diagnostic(self):
        with Server() as server:
            done = run(server.ssh_with_password('lea1', '-s', '127.0.0.1', 'flow-tap-dtcp'),
                       b'ADD DTCP/0.7\r\n' + b'X-Filler: 0123456789\r\n' * 3500)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, b'')
            self.assertNotEqual(done.stderr, b'')


class Paramiko(unittest.TestCase):
    def test_adds_lists_and_deletes_one_after_another(self):
        with Server() as server, connect(server) as client:
            channel = open_subsystem(client)
            for seq, (lines, wanted) in enumerate([
                    (ADD, 'CRITERIA-ID: 1'), (ADD, 'CRITERIA-ID: 2'),
                    (['LIST DTCP/0.7'], 'CRITERIA-NUM: 2'),
                    (['DELETE DTCP/0.7', 'Criteria-ID: *', 'Flags: STATIC'], 'CRITERIA-COUNT: 2'),
            ], 1):
                channel.sendall(request(lines, seq=seq))
                [(code, text)] = read_answers(channel, 1)
                self.assertEqual(code, 200, text)
                self.assertIn(wanted, text)

    def test_a_request_may_come_octet_by_octet(self):
        with Server() as server, connect(server) as client:
            channel = open_subsystem(client)
            for octet in request(['NOOP DTCP/0.7']):
                channel.sendall(bytes([octet]))
            self.assertEqual(read_answers(channel, 1)[0][0], 200)

    def test_sources_do_not_see_each_other(self):
        with Server() as server, connect(server) as one, connect(server, 'lea2') as two:
            first, second = open_subsystem(one), open_subsystem(two)
            first.sendall(request(ADD))
            self.assertIn('CRITERIA-ID: 1', read_answers(first, 1)[0][1])
            second.sendall(request(['LIST DTCP/0.7'], 'lea2'))
            self.assertNotIn('CRITERIA-ID', read_answers(second, 1)[0][1])
            second.sendall(request(['DELETE DTCP/0.7', 'Criteria-ID: 1', 'Flags: STATIC'], 'lea2'))
            self.assertEqual(read_answers(second, 1)[0][0], 431)

    def test_criteria_outlive_their_connection(self):
        with Server() as server:
            with connect(server) as client:
                channel = open_subsystem(client)
                channel.sendall(request(ADD))
                read_answers(channel, 1)
            with connect(server) as client:
                channel = open_subsystem(client)
                channel.sendall(request(['LIST DTCP/0.7']))
                self.assertIn('CRITERIA-ID: 1', read_answers(channel, 1)[0][1])

    def test_wrong_hmac_and_wrong_source_are_never_answered(self):
        with Server() as server, connect(server) as client:
            channel = open_subsystem(client)
            channel.sendall(request(['NOOP DTCP/0.7'], seq=1, key=b'wrong') +
                            request(['NOOP DTCP/0.7'], 'lea2', seq=2) +
                            request(['NOOP DTCP/0.7'], seq=3))
            [(code, text)] = read_answers(channel, 1)
            self.assertEqual(code, 200)
            self.assertIn('SEQ: 3\r\n', text)

    def test_two_hundred_and_fifty_sessions(self):
        with Server(connection_limit=250, rate_limit=250) as server:
            clients = [connect(server) for _ in range(250)]
            with self.assertRaises((paramiko.SSHException, EOFError, OSError)):
                connect(server)
            self.assertEqual(server.counters()['refused-by-limit'], 1)
            channels = [open_subsystem(client) for client in clients]
            for channel in channels:
                channel.sendall(request(['NOOP DTCP/0.7']))
            for channel in channels:
                self.assertEqual(read_answers(channel, 1)[0][0], 200)
            for client in clients:
                client.close()

    def test_the_rate_is_limited_and_those_inside_stay(self):
        with Server(rate_limit=3) as server:
            clients = [connect(server) for _ in range(3)]
            for _ in range(5):
                with self.assertRaises((paramiko.SSHException, EOFError, OSError)):
                    connect(server)
            self.assertEqual(server.counters()['refused-by-rate'], 5)
            for client in clients:
                channel = open_subsystem(client)
                channel.sendall(request(['NOOP DTCP/0.7']))
                self.assertEqual(read_answers(channel, 1)[0][0], 200)
                client.close()

    def test_every_login_attempt_past_the_limit_ends_the_connection(self):
        with Server(login_tries=3) as server:
            transport = paramiko.Transport(('127.0.0.1', server.port))
            transport.start_client(timeout=60)
            for _ in range(3):
                with self.assertRaises(paramiko.AuthenticationException):
                    transport.auth_password('lea1', 'wrong')
            with self.assertRaises((paramiko.SSHException, EOFError, OSError)):
                transport.auth_password('lea1', 'lea1-secret')
            transport.close()
            self.assertEqual(server.counters()['refused-logins'], 3)


class Abuse(unittest.TestCase):
    """What one client does must not be felt by another."""

    def check_others(self, server):
        with connect(server, 'lea2') as client:
            channel = open_subsystem(client)
            channel.sendall(request(['NOOP DTCP/0.7'], 'lea2'))
            self.assertEqual(read_answers(channel, 1)[0][0], 200)

    def raw(self, server, octets=b''):
        connection = socket.create_connection(('127.0.0.1', server.port), 60)
        connection.settimeout(60)
        connection.sendall(octets)
        return connection

    def test_silent_and_noisy_connections(self):
        with Server() as server:
            silent = [self.raw(server) for _ in range(20)]
            noisy = [self.raw(server, os.urandom(5000)) for _ in range(10)]
            half = [self.raw(server, b'SSH-2.0-half\r\n') for _ in range(10)]
            garbled = [self.raw(server, b'SSH-2.0-garbled\r\n' + os.urandom(5000))
                       for _ in range(10)]
            self.check_others(server)
            for connection in noisy + garbled:
                # Noise ends its connection; what the server says before is its banner at most.
                while True:
                    try:
                        if not connection.recv(65536):
                            break
                    except ConnectionError:
                        break
            self.check_others(server)
            for connection in silent + noisy + half + garbled:
                connection.close()
            self.check_others(server)

    def test_clients_that_stop_in_the_middle_of_the_key_exchange(self):
        with Server(login_grace=2000) as server:
            stopped = []
            for _ in range(20):
                connection = self.raw(server, b'SSH-2.0-stops\r\n')
                self.assertTrue(connection.recv(4).startswith(b'SSH-'))
                # The length of a packet that never comes.
                connection.sendall(b'\x00\x00\x04\x00\x08\x14')
                stopped.append(connection)
            begin = time.monotonic()
            self.check_others(server)
            for connection in stopped:
                while connection.recv(65536):
                    pass
                connection.close()
            self.assertLess(time.monotonic() - begin, 60)
            self.check_others(server)
            self.assertEqual(server.counters()['failed'], 20)

    def test_a_reader_that_reads_nothing_delays_nobody(self):
        with Server() as server, connect(server) as client:
            channel = open_subsystem(client)
            add = b''.join(request(ADD, seq=seq) for seq in range(1, 501))
            sender = threading.Thread(target=channel.sendall, args=(add,))
            sender.start()
            self.assertEqual({code for code, _ in read_answers(channel, 500)}, {200})
            sender.join()
            before = server.peak_memory()
            # Some forty megabytes of answers are asked for, and not one octet is read.
            channel.settimeout(60)
            lists = b''.join(request(['LIST DTCP/0.7'], seq=seq) for seq in range(501, 701))
            sender = threading.Thread(target=channel.sendall, args=(lists,))
            sender.start()
            self.check_others(server)
            self.assertLess(server.peak_memory() - before, 20_000)
            octets = 0
            tail = b''
            found = 0
            while found < 200:
                piece = channel.recv(1 << 20)
                self.assertTrue(piece)
                octets += len(piece)
                found += (tail + piece).count(b'AUTHENTICATION-INFO') - tail.count(
                    b'AUTHENTICATION-INFO')
                tail = (tail + piece)[-18:]
            sender.join()
            self.assertGreater(octets, 20_000_000)

    def test_a_client_that_is_stopped_while_answers_come(self):
        with Server() as server:
            stopped = subprocess.Popen(
                server.ssh('lea1', '-i', server.identity, '-s', '127.0.0.1', 'flow-tap-dtcp'),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stopped.stdin.write(request(ADD) + request(['LIST DTCP/0.7'], seq=2))
            stopped.stdin.flush()
            stopped.stdout.read(1)
            stopped.send_signal(signal.SIGSTOP)
            # As much as the pipes take; the rest would make this test wait for a stopped process.
            os.set_blocking(stopped.stdin.fileno(), False)
            try:
                for seq in range(3, 10_000):
                    os.write(stopped.stdin.fileno(), request(['LIST DTCP/0.7'], seq=seq))
            except BlockingIOError:
                pass
            self.check_others(server)
            stopped.kill()
            stopped.wait()
            stopped.stdout.close()
            try:
                stopped.stdin.close()
            except BrokenPipeError:
                pass
            self.check_others(server)

    def test_a_connection_that_is_cut_while_answers_come(self):
        with Server() as server:
            for _ in range(5):
                client = connect(server)
                channel = open_subsystem(client)
                channel.sendall(request(ADD) + request(['LIST DTCP/0.7'], seq=2) * 20)
                channel.recv(1)
                client.get_transport().sock.shutdown(socket.SHUT_RDWR)
                client.close()
            self.check_others(server)

    def test_idle_connections_end_when_asked_to(self):
        with Server(idle_timeout=500) as server, connect(server) as client:
            channel = open_subsystem(client)
            channel.sendall(request(['NOOP DTCP/0.7']))
            self.assertEqual(read_answers(channel, 1)[0][0], 200)
            self.assertEqual(channel.recv(1), b'')


if __name__ == '__main__':
    unittest.main(verbosity=2)
