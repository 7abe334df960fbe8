# SPDX-License-Identifier: MIT
"""A running apikeysd in a directory of its own, and ways to talk to it.

    class Keys(ServiceTest):
        def test_health(self):
            self.assertEqual(self.service.request("GET", "/healthz").status, 200)
"""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
from urllib.parse import urlsplit

STOP_SECONDS = 60  # sanitizers are slow at the end
WAIT_SECONDS = 60


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Service:
    def __init__(self, *flags, demo=True, directory=None, environment=None, **process):
        self.directory = directory or tempfile.mkdtemp(prefix="apikeysd-")
        self.keep_directory = directory is not None
        self.environment = {**os.environ, **(environment or {})}
        self.log = []
        self.logged = threading.Condition()
        ready = os.path.join(self.directory, "ready.json")
        command = [os.environ["APIKEYSD"], "--listen", "127.0.0.1:0",
                   "--database", os.path.join(self.directory, "keys.db"),
                   "--ready-file", ready, "--failures-per-minute", "0"]
        command += (["--demo"] if demo else []) + list(flags)
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        text=True, env=self.environment, **process)
        self._wait_until_it_serves()
        with open(ready, encoding="utf-8") as file:
            self.about = json.load(file)
        url = urlsplit(self.about["url"])
        self.scheme, self.host, self.port = url.scheme, url.hostname, url.port
        self.reader = threading.Thread(target=self._read_log)
        self.reader.start()

    def _wait_until_it_serves(self):
        for line in self.process.stderr:
            self.log.append(line)
            if '"serving on' in line:
                return
        raise AssertionError(f"apikeysd ended with {self.process.wait()}: {''.join(self.log)}")

    def _read_log(self):
        for line in self.process.stderr:
            with self.logged:
                self.log.append(line)
                self.logged.notify_all()

    def wait_for_log(self, wanted):
        """Waits for a line of which wanted(line) is true; gives it."""
        def find():
            return next(filter(wanted, self.log), None)
        with self.logged:
            line = self.logged.wait_for(find, WAIT_SECONDS)
        if line is None:
            raise AssertionError(f"not in the log: {''.join(self.log)[-2000:]}")
        return line

    def stop(self, how=signal.SIGTERM):
        """Ends it; its exit status."""
        self.process.send_signal(how)
        status = self.process.wait(STOP_SECONDS)
        self.reader.join()
        self.process.stderr.close()
        if not self.keep_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
        return status

    @property
    def management_key(self):
        if "management_key" in self.about:
            return self.about["management_key"]
        with open(os.path.join(self.directory, "keys.db.management-key"), encoding="ascii") as file:
            return file.read().strip()

    def connect(self):
        if self.scheme == "https":
            trusting = ssl._create_unverified_context()  # the test's own certificate
            return http.client.HTTPSConnection(self.host, self.port, timeout=30, context=trusting)
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def request(self, method, path, body=None, headers=None, token=None):
        """`body`: what json.dumps() takes, or bytes as they are."""
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def api(self, method, path, body=None, headers=None):
        """A request with the management key."""
        return self.request(method, path, body, headers, token=self.management_key)

    def widget_token(self):
        return self.request("GET", "/demo/widget-token").json["token"]

    def raw(self, data):
        """Sends bytes as they are; all that comes back until the connection ends."""
        with socket.create_connection((self.host, self.port), timeout=30) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)


def read_all(connection):
    got = b""
    try:
        while chunk := connection.recv(65536):
            got += chunk
    except ConnectionResetError:
        pass
    return got


class ServiceTest(unittest.TestCase):
    """One service for all tests of the class. It must end well, and must not have logged a value."""
    flags = ()
    secrets = ()

    @classmethod
    def setUpClass(cls):
        cls.service = Service(*cls.flags)
        cls.values = []

    @classmethod
    def tearDownClass(cls):
        key = cls.service.management_key
        status = cls.service.stop()
        log = "".join(cls.service.log)
        if status != 0:
            raise AssertionError(f"apikeysd ended with {status}: {log[-2000:]}")
        for value in [key, *cls.values]:
            if value in log:
                raise AssertionError("a value is in the log")


def does_not_start(test, *flags, environment=None):
    """What a service says that must not start: its exit status, its standard error."""
    with tempfile.TemporaryDirectory(prefix="apikeysd-") as directory:
        command = [os.environ["APIKEYSD"], "--listen", "0", "--database",
                   os.path.join(directory, "keys.db"), *flags]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, **(environment or {})})
        said = []
        for line in process.stderr:
            said.append(line)
            if '"serving on' in line:
                process.kill()
        process.stderr.close()
        status = process.wait()
        test.assertNotIn('"serving on', "".join(said))
        test.assertGreater(status, 0, said)
        return status, "".join(said)
