# SPDX-License-Identifier: MIT
"""More connections than the limits: each is told so, counted and logged; nobody else is concerned."""
import socket
import unittest

import prometheus
from service import Service, read_all

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
BEYOND = 32  # connections beyond a limit that still get an answer


class Crowds(unittest.TestCase):
    def start(self, *flags):
        service = Service("--metrics-listen", "0", *flags)
        self.addCleanup(lambda: self.assertEqual(service.stop(), 0))
        return service

    def connect(self, service):
        connection = socket.create_connection((service.host, service.port), timeout=30)
        self.addCleanup(connection.close)
        return connection

    def served(self, service, count):
        """`count` connections, each of which has had an answer and is kept."""
        connections = [self.connect(service) for _ in range(count)]
        for connection in connections:
            connection.sendall(REQUEST)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 "))
        return connections

    def metric(self, service, result):
        port = int(service.about["metrics_url"].rsplit(":", 1)[1].split("/")[0])
        with socket.create_connection((service.host, port), timeout=30) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            text = read_all(connection).split(b"\r\n\r\n", 1)[1].decode()
        return prometheus.read(text)["apikeysd_http_connections_over_limit_total"].value(result=result)

    def refused(self, service):
        connection = self.connect(service)
        connection.sendall(REQUEST)
        return read_all(connection)

    def test_one_more_connection_is_told_so_and_counted(self):
        service = self.start("--max-connections-per-address", "5")
        kept = self.served(service, 5)
        answer = self.refused(service)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"\r\nRetry-After: 1\r\n", answer)
        self.assertIn(b'"code":"too_many_connections"', answer)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        service.wait_for_log(lambda line: "too many connections of one address" in line)
        self.assertEqual(self.metric(service, "answered"), 1)
        self.assertEqual(self.metric(service, "closed"), 0)
        # Those that were there first are served on, and a place that is given up is free again.
        kept[0].sendall(REQUEST)
        self.assertTrue(kept[0].recv(65536).startswith(b"HTTP/1.1 200 "))
        kept.pop().close()
        for _ in range(100):
            if self.refused_or_served(service).startswith(b"HTTP/1.1 200 "):
                return
        self.fail("the place stays taken")

    def refused_or_served(self, service):
        with socket.create_connection((service.host, service.port), timeout=30) as connection:
            connection.sendall(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            return read_all(connection)

    def test_far_beyond_the_limit_connections_are_closed_and_counted(self):
        service = self.start("--max-connections-per-address", "2")
        kept = [self.connect(service) for _ in range(2 + BEYOND)]
        kept[-1].sendall(REQUEST)  # once it is answered, all before it are counted
        self.assertTrue(read_all(kept[-1]).startswith(b"HTTP/1.1 503 "))
        kept[-1].close()
        held = [self.connect(service) for _ in range(8)]
        ends = [read_all(connection) for connection in held[4:]]
        self.assertIn(b"", ends)
        service.wait_for_log(lambda line: "far beyond the limit" in line)
        self.assertGreater(self.metric(service, "closed"), 0)

    def test_the_limit_of_all_holds_too(self):
        service = self.start("--max-connections", "4")
        self.served(service, 4)
        answer = self.refused(service)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        service.wait_for_log(lambda line: "too many connections in all" in line)

    def test_a_proxy_has_a_limit_of_its_own(self):
        service = self.start("--max-connections-per-address", "2", "--trust-proxy", "127.0.0.1",
                             "--max-connections-per-proxy", "6")
        self.served(service, 6)
        self.assertTrue(self.refused(service).startswith(b"HTTP/1.1 503 "))


if __name__ == "__main__":
    unittest.main()
