# SPDX-License-Identifier: Apache-2.0
"""The tool dtcp over UDP: requests, sequence numbers kept in a file, notifications."""
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from access_point import ADD, Server

TOOL = os.environ['DTCP_TOOL']
KEY = b'udp1-key'


def environment(home, **variables):
    made = {'PATH': os.environ['PATH'], 'HOME': home, 'DTCP_KEY': KEY.decode(), **variables}
    for kept in ('LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS'):
        if kept in os.environ:
            made[kept] = os.environ[kept]
    return made


def command(port, *arguments):
    made = [TOOL, '--udp', '-p', str(port)]
    if '-l' not in arguments:
        made += ['-l', 'udp1']
    if '--timeout' not in arguments:
        made += ['--timeout', '60']
    return made + list(arguments)


def run(home, port, *arguments, stdin='', **variables):
    return subprocess.run(command(port, *arguments), input=stdin, text=True, timeout=120,
                          capture_output=True, check=False, start_new_session=True,
                          env=environment(home, **variables))


def signed(text, key=KEY):
    digest = hmac.new(key, text, hashlib.sha1).hexdigest().encode()
    return text + b'AUTHENTICATION-INFO: ' + digest + b'\r\n\r\n'


def answer(seq, fields=b'', status=b'200 OK', key=KEY):
    return signed(b'DTCP/0.7 ' + status + b'\r\nSEQ: ' + seq + b'\r\n' + fields +
                  b'TIMESTAMP: 2026-01-01 00:00:00.000\r\n', key)


def entry(number, count):
    return (f'CRITERIA-ID: {number}\r\nCSOURCE-ID: udp1\r\nCDEST-ID: cd1\r\n'
            f'TIMESTAMP: 2026-01-01 00:00:00.000\r\nCRITERIA-NUM: {number}\r\n'
            f'CRITERIA-COUNT: {count}\r\n').encode()


NOTIFICATION = signed(b'DTCP/0.7 131 NoOp Notification\r\n'
                      b'TIMESTAMP: 2026-01-01 00:00:00.000\r\n')


class Fake:
    """Answers datagrams with what `reply(number, seq, octets)` returns: a list of datagrams."""

    def __init__(self, reply):
        self.reply = reply
        self.seen = []

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.home = tempfile.TemporaryDirectory()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        while True:
            octets, peer = self.socket.recvfrom(65536)
            if octets == b'stop':
                return
            seq = re.search(rb'Seq: (\d+)', octets)[1]
            self.seen.append(int(seq))
            for datagram in self.reply(len(self.seen), seq, octets):
                self.socket.sendto(datagram, peer)

    def __exit__(self, *_):
        self.socket.sendto(b'stop', self.socket.getsockname())
        self.thread.join(60)
        self.socket.close()
        self.home.cleanup()

    def run(self, *arguments, **keywords):
        return run(self.home.name, self.port, *arguments, **keywords)


class Requests(unittest.TestCase):
    def test_an_access_point_is_tasked(self):
        with Server() as server:
            home = server.directory.name
            done = run(home, server.udp_port, '127.0.0.1', 'add', *ADD[1:])
            self.assertEqual((done.returncode, done.stdout), (0, '200 OK, criterion 1\n'),
                             done.stderr)
            done = run(home, server.udp_port, '--json', '127.0.0.1', 'list')
            self.assertEqual([json.loads(line)['type'] for line in done.stdout.splitlines()],
                             ['entry', 'response'])
            done = run(home, server.udp_port, '127.0.0.1', 'delete', 'Criteria-ID: 7')
            self.assertEqual(done.returncode, 1)
            self.assertTrue(done.stdout.startswith('431 '))
            done = run(home, server.udp_port, 'localhost', 'noop', '--seq', '1',
                       '--timeout', '1')
            self.assertEqual(done.returncode, 3)
            self.assertIn('wrong key, Csource-ID or Seq', done.stderr)

    def test_hundreds_of_requests_and_a_list_of_many_datagrams(self):
        with Server() as server:
            done = run(server.directory.name, server.udp_port, '127.0.0.1', 'send', '-',
                       stdin='\n'.join(ADD + ['', '']) * 500 + 'LIST DTCP/0.7\n')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(re.findall(r'200 OK, criterion (\d+)', done.stdout),
                             [str(number) for number in range(1, 501)])
            self.assertEqual(re.findall(r'CRITERIA-NUM: (\d+)', done.stdout),
                             [str(number) for number in range(1, 501)])

    def test_a_list_in_disorder_is_put_in_order(self):
        def reply(_, seq, __):
            return [answer(seq, entry(3, 3)), answer(seq, entry(3, 3)),
                    answer(seq, entry(1, 3) + entry(2, 3))]
        with Fake(reply) as fake:
            done = fake.run('127.0.0.1', 'list')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(re.findall(r'CRITERIA-ID: (\d)', done.stdout), ['1', '2', '3'])

    def test_a_list_is_asked_for_again_and_an_add_is_not(self):
        def reply(number, seq, octets):
            return [answer(seq, entry(1, 1))] if number > 1 and b'LIST' in octets else []
        with Fake(reply) as fake:
            done = fake.run('--timeout', '3', '127.0.0.1', 'list')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(fake.seen[1], fake.seen[0] + 1)
            before = len(fake.seen)
            done = fake.run('--json', '--timeout', '1', '127.0.0.1', 'add')
            self.assertEqual(done.returncode, 3)
            self.assertEqual(json.loads(done.stdout)['type'], 'silence')
            self.assertEqual(len(fake.seen), before + 1)
            self.assertEqual(json.loads(done.stdout)['seq'], fake.seen[-1])

    def test_silence_stands_where_the_answer_would(self):
        def reply(number, seq, _):
            return [answer(seq, b'CRITERIA-ID: %d\r\n' % number)] if number != 2 else []
        with Fake(reply) as fake:
            done = fake.run('--seq', '100', '--timeout', '1', '127.0.0.1', 'send', '-',
                            stdin='ADD DTCP/0.7\n\n' * 3)
            self.assertEqual((done.returncode, done.stdout),
                             (3, '200 OK, criterion 1\nno answer, Seq 101\n'
                                 '200 OK, criterion 3\n'))

    def test_what_does_not_verify_is_no_answer(self):
        def reply(_, seq, __):
            return [answer(seq, key=b'other'), b'\x1b[2J', answer(seq) * 2]
        with Fake(reply) as fake:
            done = fake.run('--timeout', '1', '127.0.0.1', 'add')
            self.assertEqual(done.returncode, 3)
            self.assertEqual(re.sub(r'\d+', 'N', done.stdout), 'no answer, Seq N\n')
            self.assertIn('did not verify: 3', done.stderr)

    def test_mistakes_are_exit_status_2(self):
        with tempfile.TemporaryDirectory() as home:
            for arguments, variables in (
                    (['127.0.0.1', 'listen'], {}),
                    (['--notify', 'nowhere', '127.0.0.1', 'listen'], {}),
                    (['--notify', '127.0.0.1:99999', '127.0.0.1', 'listen'], {}),
                    (['--sequence-file', '/nowhere/file', '127.0.0.1', 'noop'], {}),
                    (['--sequence-file', '/', '127.0.0.1', 'noop'], {}),
                    (['127.0.0.1', 'noop'], {'HOME': ''})):
                done = run(home, 9, *arguments, **variables)
                self.assertEqual((done.returncode, done.stdout), (2, ''), arguments)
            without_key = {**environment(home)}
            del without_key['DTCP_KEY']
            done = subprocess.run(command(9, '127.0.0.1', 'noop'), env=without_key, check=False,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn('--key-file', done.stderr)
            done = subprocess.run([TOOL, '--udp', '127.0.0.1', 'noop'], env=environment(home),
                                  check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn('--port', done.stderr)

    def test_nobody_there_is_told_at_once(self):
        with Fake(lambda *_: []) as fake:
            port = fake.port
        with tempfile.TemporaryDirectory() as home:
            done = run(home, port, '127.0.0.1', 'noop')
            self.assertEqual(done.returncode, 3)
            self.assertIn('refused', done.stderr)
            done = run(home, port, 'no such host', 'noop')
            self.assertEqual(done.returncode, 3)
            self.assertIn('no address', done.stderr)


class Sequence(unittest.TestCase):
    def lines(self, path):
        with open(path, encoding='ascii') as file:
            return [line.split() for line in file if not line.startswith('#')]

    def test_numbers_follow_from_run_to_run_for_each_access_point_and_source(self):
        with Fake(lambda _, seq, __: [answer(seq)]) as fake:
            path = os.path.join(fake.home.name, 'numbers')
            use = ['--sequence-file', path, '127.0.0.1']
            self.assertEqual(fake.run('--seq', '41', *use, 'noop').returncode, 0)
            self.assertEqual(fake.run(*use, 'send', '-', stdin='NOOP DTCP/0.7\n\n' * 100)
                             .returncode, 0)
            self.assertEqual(fake.run(*use, 'noop').returncode, 0)
            self.assertEqual(fake.seen, list(range(41, 143)))
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            self.assertEqual(self.lines(path),
                             [['143', '142', '127.0.0.1', str(fake.port), 'udp1']])
            self.assertEqual(os.listdir(fake.home.name), ['numbers'])
            self.assertEqual(fake.run('-l', 'udp2', '--seq', '7', *use, 'noop').returncode, 0)
            self.assertEqual(fake.run(*use, 'noop').returncode, 0)
            self.assertEqual(fake.seen[-2:], [7, 143])

    def test_the_count_goes_past_zero(self):
        with Fake(lambda _, seq, __: [answer(seq)]) as fake:
            path = os.path.join(fake.home.name, 'numbers')
            use = ['--sequence-file', path, '127.0.0.1']
            self.assertEqual(fake.run('--seq', str(2**64 - 1), *use, 'send', '-',
                                      stdin='NOOP DTCP/0.7\n\n' * 2).returncode, 0)
            self.assertEqual(fake.run(*use, 'noop').returncode, 0)
            self.assertEqual(fake.seen, [2**64 - 1, 0, 1])
            self.assertEqual(self.lines(path)[0][:2], ['2', '1'])

    def test_a_number_is_out_of_the_file_before_it_is_sent_so_that_a_crash_cannot_bring_it_back(self):
        arrived = threading.Event()

        def reply(*_):
            arrived.set()
            return []
        with Fake(reply) as fake:
            path = os.path.join(fake.home.name, 'numbers')
            use = ['--sequence-file', path, '127.0.0.1', 'add']
            with subprocess.Popen(command(fake.port, '--seq', '10', *use),
                                  env=environment(fake.home.name)) as process:
                self.assertTrue(arrived.wait(60))
                self.assertEqual(self.lines(path)[0][0], '11')
                process.kill()
            fake.reply = lambda _, seq, __: [answer(seq)]
            self.assertEqual(fake.run(*use).returncode, 0)
            self.assertEqual(fake.seen, [10, 11])

    def test_programs_at_the_same_time_never_use_a_number_twice(self):
        with Fake(lambda _, seq, __: [answer(seq)]) as fake:
            path = os.path.join(fake.home.name, 'numbers')
            count, each = 8, 90
            running = [subprocess.Popen(command(fake.port, '--sequence-file', path, '127.0.0.1',
                                                'send', '-'),
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        env=environment(fake.home.name)) for _ in range(count)]
            for process in running:
                process.stdin.write(b'NOOP DTCP/0.7\n\n' * each)
                process.stdin.close()
            for process in running:
                self.assertEqual(process.wait(120), 0)
            self.assertGreaterEqual(len(fake.seen), count * each)
            self.assertEqual(len(set(fake.seen)), len(fake.seen))

    def test_too_many_numbers_without_an_answer_are_told(self):
        with Fake(lambda _, seq, __: [answer(seq)]) as fake:
            path = os.path.join(fake.home.name, 'numbers')
            use = ['--sequence-file', path, '--timeout', '1', '127.0.0.1']
            self.assertEqual(fake.run('--seq', '1', *use, 'noop').returncode, 0)
            fake.reply = lambda *_: []
            with open(path, 'w', encoding='ascii') as file:
                file.write(f'258 1 127.0.0.1 {fake.port} udp1\n')
            done = fake.run(*use, 'add')
            self.assertEqual(done.returncode, 3)
            self.assertIn('so many sequence numbers', done.stderr)

    def test_a_file_that_is_none_is_left_alone(self):
        with tempfile.TemporaryDirectory() as home:
            path = os.path.join(home, 'numbers')
            for text in ('x\n', '1 2\n', '1 2 host 3 udp1', '18446744073709551616 - h 1 u\n'):
                with open(path, 'w', encoding='ascii') as file:
                    file.write(text)
                done = run(home, 9, '--sequence-file', path, '127.0.0.1', 'noop')
                self.assertEqual(done.returncode, 2, text)
                self.assertIn(path, done.stderr)
                with open(path, encoding='ascii') as file:
                    self.assertEqual(file.read(), text)


class Notifications(unittest.TestCase):
    def test_the_notifications_of_an_access_point_are_shown(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
            held.bind(('127.0.0.1', 0))
            port = held.getsockname()[1]
        with Server(notification_port=port) as server:
            done = run(server.directory.name, server.udp_port, '--json', '--await', '1',
                       '--notify', f'127.0.0.1:{port}', '127.0.0.1', 'noop', 'Flags: SendAsync')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(sorted(json.loads(line)['status']
                                    for line in done.stdout.splitlines()), [131, 200])

    def listen(self, *arguments, address='127.0.0.1:0'):
        process = subprocess.Popen(
            [TOOL, '--udp', '--notify', address, *arguments, '127.0.0.1', 'monitor'],
            env=environment('/nowhere'), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        told = process.stderr.readline()
        return process, int(re.search(r':(\d+)\n', told)[1])

    def test_listening_goes_on_until_it_is_interrupted(self):
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            process, port = self.listen()
            with process, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for datagram in (NOTIFICATION, b'x', NOTIFICATION.replace(b'131', b'130'),
                                 NOTIFICATION):
                    sender.sendto(datagram, ('127.0.0.1', port))
                for _ in range(2):
                    self.assertEqual(process.stdout.readline(),
                                     'notification 131 NoOp Notification\n')
                process.send_signal(signal_number)
                self.assertEqual(process.wait(60), 0)
                self.assertEqual(process.stdout.read(), '')

    def test_listening_ends_when_enough_have_come(self):
        addresses = ['127.0.0.1:0']
        if socket.has_ipv6 and os.path.exists('/proc/net/if_inet6'):
            addresses.append('[::1]:0')
        for address in addresses:
            process, port = self.listen('--json', '--await', '2', address=address)
            kind = socket.AF_INET6 if '[' in address else socket.AF_INET
            with process, socket.socket(kind, socket.SOCK_DGRAM) as sender:
                for _ in range(2):
                    sender.sendto(NOTIFICATION, ('::1' if '[' in address else '127.0.0.1', port))
                self.assertEqual(process.wait(60), 0)
                self.assertEqual([json.loads(line)['status'] for line in process.stdout],
                                 [131, 131])

    def test_what_does_not_come_in_time_is_exit_status_3(self):
        with Fake(lambda _, seq, __: [answer(seq)]) as fake:
            done = fake.run('--timeout', '1', '--notify', '127.0.0.1:0', '--await', '1',
                            '127.0.0.1', 'noop')
            self.assertEqual((done.returncode, done.stdout), (3, '200 OK\n'))
            self.assertIn('no notification', done.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
