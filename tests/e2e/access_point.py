# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests of module transport share: a server, and DTCP messages."""
import hashlib
import hmac
import os
import re
import subprocess
import tempfile

SERVER = os.environ['ACCESS_POINT_SERVER']
KEY = b'Juniper'


class Server:
    """The test server as a process; `with` it."""

    def __init__(self, **options):
        self.options = [f'{name.replace("_", "-")}={value}' for name, value in options.items()]

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.host_key = os.path.join(self.directory.name, 'host_key')
        self.identity = os.path.join(self.directory.name, 'identity')
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', self.identity],
                       check=True)
        self.process = subprocess.Popen(
            [SERVER, self.host_key, self.identity + '.pub'] + self.options,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port, self.fingerprint, udp_port = self.process.stdout.readline().split()
        self.port, self.udp_port = int(port), int(udp_port)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        self.directory.cleanup()
        assert self.process.returncode == 0, 'the server did not end well'

    def counters(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return {name: int(value) for name, value in
                (pair.split('=') for pair in self.process.stdout.readline().split())}

    def peak_memory(self):
        """In KiB."""
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as status:
            return int(re.search(r'VmHWM:\s*(\d+)', status.read())[1])

    def ssh(self, user, *arguments):
        """The command line of OpenSSH's client."""
        return ['ssh', '-F', 'none', '-p', str(self.port), '-l', user,
                '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null',
                '-o', 'LogLevel=ERROR', *arguments]

    def ssh_with_password(self, user, *arguments, password=None):
        return ['sshpass', '-p', password or user + '-secret',
                *self.ssh(user, '-o', 'PubkeyAuthentication=no', *arguments)]


def request(lines, user='lea1', seq=1, key=KEY):
    """A signed request from its lines."""
    text = '\r\n'.join([*lines, f'Csource-ID: {user}', f'Seq: {seq}', '']).encode()
    digest = hmac.new(key, text, hashlib.sha1).hexdigest()
    return text + f'Authentication-Info: {digest}\r\n\r\n'.encode()


ADD = ['ADD DTCP/0.7', 'Cdest-ID: cd1', 'Source-Address: 203.0.113.7', 'Dest-Address: *',
       'X-JTap-Cdest-Dest-Address: 192.0.2.5', 'X-JTap-Cdest-Dest-Port: 2300',
       'X-JTap-Cdest-Source-Address: 198.51.100.9', 'X-JTap-Cdest-Source-Port: 65535',
       'Flags: STATIC']


def answers(octets):
    """The answers in a stream: (status, text) each. Asserts that every signature holds."""
    found = []
    for message in octets.split(b'\r\n\r\n')[:-1]:
        signed, _, digest = message.partition(b'AUTHENTICATION-INFO: ')
        assert hmac.new(KEY, signed, hashlib.sha1).hexdigest().encode() == digest, message
        found.append((int(re.match(rb'DTCP/\d\.\d (\d{3}) ', signed)[1]), signed.decode()))
    return found
