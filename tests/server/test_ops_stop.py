# SPDX-License-Identifier: MIT
"""Stopping in good order: what is under way ends with its answer, and nothing is lost."""
import json
import os
import signal
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest

from service import Service, read_all


class Stopping(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="apikeysd-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.held = []
        self.service = self.start()

    def start(self, *flags):
        service = Service("--request-timeout", "3600", *flags, directory=self.directory)
        self.addCleanup(self.end, service)
        return service

    def end(self, service):
        for connection in self.held:
            connection.close()
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()
        service.reader.join()
        service.process.stderr.close()

    def key(self):
        path = f"/organizations/{self.service.about['organization_id']}/api_keys"
        return self.service.api("POST", path, {"name": "CI"}).json

    def listed(self, key_id):
        path = f"/organizations/{self.service.about['organization_id']}/api_keys"
        return next(key for key in self.service.api("GET", path).json["data"]
                    if key["id"] == key_id)

    def connect(self):
        self.held.append(socket.create_connection((self.service.host, self.service.port),
                                                  timeout=60))
        return self.held[-1]

    def begin_validation(self, value):
        """All but the body's last byte; the connection, and that byte. It is being read: that is
        what "100 Continue" tells."""
        body = b'{"value":"%s"}' % value.encode()
        connection = self.connect()
        connection.sendall(b"POST /api_keys/validations HTTP/1.1\r\nHost: a\r\n"
                           b"Authorization: Bearer %s\r\nContent-Length: %d\r\n"
                           b"Expect: 100-continue\r\n\r\n" %
                           (self.service.management_key.encode(), len(body)))
        self.assertEqual(connection.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(body[:-1])
        return connection, body[-1:]

    def send(self, signal_number):
        self.service.process.send_signal(signal_number)

    def wait_until_refused(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection((self.service.host, self.service.port)).close()
            except ConnectionError:
                return
        self.fail("new connections are still taken")

    def test_a_request_under_way_gets_its_answer_and_its_use_is_kept(self):
        key = self.key()
        self.assertIsNone(self.listed(key["id"])["last_used_at"])
        connection, last = self.begin_validation(key["value"])
        self.send(signal.SIGTERM)
        self.wait_until_refused()
        self.send(signal.SIGHUP)  # asks for nothing any more
        self.assertIsNone(self.service.process.poll())
        connection.sendall(last)
        answer = read_all(connection)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
        self.assertIn(key["id"].encode(), answer)
        self.assertIn(b"Connection: close", answer)
        self.assertEqual(self.service.process.wait(60), 0)
        self.service = self.start()
        self.assertIsNotNone(self.listed(key["id"])["last_used_at"])

    def test_connections_without_a_request_end_at_once(self):
        key = self.key()
        untouched, kept = self.connect(), self.connect()
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn(b"200", kept.recv(4096))
        busy, last = self.begin_validation(key["value"])
        self.send(signal.SIGINT)
        for connection in (untouched, kept):  # while the one under way is still waited for
            self.assertEqual(read_all(connection), b"")
        self.assertIsNone(self.service.process.poll())
        busy.sendall(last)
        self.assertIn(b"200", read_all(busy))
        self.assertEqual(self.service.process.wait(60), 0)

    def test_a_client_that_never_ends_is_not_waited_for_for_ever(self):
        self.service = self.start("--stop-seconds", "1")
        self.begin_validation("sk_x")
        self.send(signal.SIGTERM)
        self.assertEqual(self.service.process.wait(60), 0)

    def test_a_second_signal_ends_it_as_it_is(self):
        for second in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(second.name):
                self.begin_validation("sk_x")
                self.send(signal.SIGTERM)
                self.wait_until_refused()
                self.send(second)
                self.assertEqual(self.service.process.wait(60), -second)
                self.service = self.start()  # and what it left opens again

    def test_readyz_says_it_first(self):
        self.service = self.start("--drain-seconds", "600")
        value = self.key()["value"]
        self.send(signal.SIGTERM)
        self.service.wait_for_log(lambda line: "draining for 600 seconds" in line)
        self.assertEqual(self.service.request("GET", "/readyz").status, 503)
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)
        answer = self.service.api("POST", "/api_keys/validations", {"value": value})
        self.assertIsNotNone(answer.json["api_key"])
        self.send(signal.SIGTERM)
        self.assertEqual(self.service.process.wait(60), 0)

    def replace(self):
        """Another database takes the name of the one that is open."""
        database = os.path.join(self.directory, "keys.db")
        other = os.path.join(self.directory, "other.db")
        with sqlite3.connect(database) as source, sqlite3.connect(other) as copy:
            source.backup(copy)
        os.rename(other, database)

    def test_a_replaced_database_ends_it(self):
        self.replace()
        self.assertEqual(self.service.process.wait(60), 1)
        self.service.reader.join()
        self.assertTrue(any("maintenance: " in line and '"error"' in line
                            for line in self.service.log))
        self.service = self.start()  # as its supervisor would

    def test_a_replaced_database_is_opened_anew_if_wanted(self):
        self.service.stop()
        self.service = self.start("--on-replaced", "reopen")
        key, process = self.key(), self.service.process.pid
        began = next(line for line in self.service.log if '"serving on' in line)
        self.replace()
        self.service.wait_for_log(lambda line: "opening the database anew" in line)
        self.service.wait_for_log(lambda line: '"serving on' in line and line != began)
        with open(os.path.join(self.directory, "ready.json"), encoding="utf-8") as file:
            self.service.port = int(json.load(file)["url"].rsplit(":", 1)[1])
        answer = self.service.api("POST", "/api_keys/validations", {"value": key["value"]})
        self.assertEqual(answer.json["api_key"]["id"], key["id"])
        self.assertEqual(self.service.process.pid, process)

    def test_a_background_job_does_not_end_with_the_foreground(self):
        """A shell starts those with SIGINT ignored."""
        ready = os.path.join(self.directory, "other.json")
        process = subprocess.Popen(
            [os.environ["APIKEYSD"], "--listen", "0", "--database",
             os.path.join(self.directory, "other.db"), "--ready-file", ready],
            stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        try:
            while '"serving on' not in process.stderr.readline():
                self.assertIsNone(process.poll())
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)
        finally:
            process.kill()
            process.wait()
            process.stderr.close()


if __name__ == "__main__":
    unittest.main()
