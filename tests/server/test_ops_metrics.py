# SPDX-License-Identifier: MIT
"""The metrics listener: what it counts, that it is strict Prometheus text, and that it tells
nothing about anybody."""
import http.client
import re
import socket
import time
import unittest
from urllib.parse import urlsplit

import prometheus
from rest import NO_ORGANIZATION, RestTest
from service import Service, read_all

VALUE = re.compile(r"sk_[0-9A-Za-z]{54}")
AN_ID = re.compile(r"(org|api_key|user|om|event|env|req|perm|role|we)_[0-9A-Za-z]{16,}")


def address(service):
    url = urlsplit(service.about["metrics_url"])
    return url.hostname, url.port


def ask(service, path="/metrics", method="GET"):
    connection = http.client.HTTPConnection(*address(service), timeout=30)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.headers, body


def difference(before, after):
    return {key: after[key] - before.get(key, 0)
            for key in after if after[key] != before.get(key, 0)}


class Scraped(RestTest):
    flags = ("--metrics-listen", "0")

    def scrape(self):
        give_up = time.monotonic() + 30
        status, headers, body = ask(self.service)
        # Connections that a test has just closed count until the service has noticed.
        while status == 503 and "too_many_connections" in body and time.monotonic() < give_up:
            status, headers, body = ask(self.service)
        self.assertEqual(status, 200, body)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.text = body
        return prometheus.read(body)


class Metrics(Scraped):
    def outcomes(self):
        family = self.scrape()["apikeysd_validations_total"]
        return {labels[0][1]: value for (_, labels), value in family.samples.items()}

    def test_is_on_loopback_when_only_a_port_is_named(self):
        self.assertEqual(address(self.service)[0], "127.0.0.1")

    def test_serves_nothing_else(self):
        for path in ["/", "/healthz", "/metrics/", "/dashboard/", "/api_keys/validations"]:
            self.assertEqual(ask(self.service, path)[0], 404, path)
        self.assertEqual(ask(self.service, "/metrics?x=y")[0], 200)
        status, headers, _ = ask(self.service, method="POST")
        self.assertEqual((status, headers["Allow"]), (405, "GET"))
        self.assertEqual(self.service.request("GET", "/metrics").status, 404)

    def test_validations_by_outcome(self):
        before = self.outcomes()
        self.assertLessEqual({"ok", "malformed", "unknown", "revoked", "expired",
                              "management_key"}, set(before))
        duration = self.scrape()["apikeysd_validation_duration_seconds"].value("_count")
        organization_id = self.organization()
        good, dead = self.key(organization_id), self.key(organization_id)
        self.ask(204, "DELETE", f"/api_keys/{dead['id']}")
        for _ in range(3):
            self.assertIsNotNone(self.validate(good["value"]))
        self.validate(dead["value"])
        self.validate("nonsense")
        self.validate(self.service.management_key)
        self.assertEqual(difference(before, self.outcomes()),
                         {"ok": 3, "revoked": 1, "malformed": 1, "management_key": 1})
        after = self.scrape()["apikeysd_validation_duration_seconds"]
        self.assertEqual(after.value("_count") - duration, 6)
        self.assertGreater(after.value("_sum"), 0)

    def cache(self):
        families = self.scrape()
        return {name: families[f"apikeysd_cache_{name}"].value()
                for name in ("misses_total", "fills_total", "drops_total", "evictions_total",
                             "keys", "capacity")}

    def test_the_cache(self):
        key = self.key(self.organization())
        self.validate("nonsense")  # so that the management key is in it
        before = self.cache()
        for _ in range(3):
            self.assertIsNotNone(self.validate(key["value"]))
        filled = self.cache()
        self.assertEqual(difference(before, filled),
                         {"misses_total": 1, "fills_total": 1, "keys": 1})
        self.ask(204, "DELETE", f"/api_keys/{key['id']}")
        self.assertIsNone(self.validate(key["value"]))
        self.assertEqual(difference(filled, self.cache()),
                         {"misses_total": 1, "drops_total": 1, "keys": -1})
        self.assertGreater(before["capacity"], 65536)
        self.assertEqual(before["evictions_total"], 0)

    def test_refused_authentications(self):
        name = "apikeysd_refused_authentications_total"
        before = self.scrape()[name]
        self.service.request("GET", "/organizations", token="sk_wrong")
        self.service.request("GET", "/_widgets/ApiKeys/permissions", token="a.b.c")
        after = self.scrape()[name]
        counted = {kind: after.value(credential=kind) - before.value(credential=kind)
                   for kind in ("management_key", "widget_token", "sign_in")}
        self.assertEqual(counted, {"management_key": 1, "widget_token": 1, "sign_in": 0})

    def test_gauges(self):
        families = self.scrape()
        before = families["apikeysd_http_connections"].value()
        held = [socket.create_connection((self.service.host, self.service.port)) for _ in range(3)]
        for connection in held:  # an answer tells that the connection was taken in
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertIn(b"200", connection.recv(4096))
        self.assertGreaterEqual(self.scrape()["apikeysd_http_connections"].value(), before + 3 - 1)
        for connection in held:
            connection.close()
        self.assertEqual(families["apikeysd_http_connections_max"].value(), 1000)
        self.assertGreater(families["apikeysd_store_bytes"].value(), 4096)
        self.assertGreater(families["apikeysd_store_log_bytes"].value(), 0)
        self.assertGreater(families["process_resident_memory_bytes"].value(), 1e6)
        self.assertEqual(families["apikeysd_webhook_deliveries_waiting"].value(), 0)

    def test_tells_nothing_about_anybody(self):
        organization_id = self.organization("Very Secret Customer")
        key = self.key(organization_id, "Very Secret Key")
        self.validate(key["value"])
        self.service.request("GET", f"/organizations/{organization_id}?q=secret",
                             token=key["value"], headers={"User-Agent": "very-secret-agent"})
        self.scrape()
        for needle in [key["value"], key["id"], organization_id, self.service.management_key,
                       self.service.directory, "ecret", "127.0.0.1", "very-secret"]:
            self.assertNotIn(needle, self.text)
        self.assertNotRegex(self.text, VALUE)
        self.assertNotRegex(self.text, AN_ID)

    def test_the_guard_stands_before_it_too(self):
        with socket.create_connection(address(self.service), timeout=30) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            self.assertTrue(read_all(connection).startswith(b"HTTP/1.1 400"))

    def test_few_connections(self):
        held, taken = [], 0
        try:
            for _ in range(40):
                held.append(socket.create_connection(address(self.service), timeout=30))
                held[-1].sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            for connection in held:
                connection.settimeout(30 if taken < 16 else 0)
                try:
                    taken += b"200" in connection.recv(65536)
                except BlockingIOError:
                    pass
            self.assertEqual(taken, 16)
        finally:
            for connection in held:
                connection.close()
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)


class Requests(Scraped):
    def requests(self):
        family = self.scrape()["apikeysd_http_requests_total"]
        return {tuple(dict(labels)[name] for name in ("class", "code")): value
                for (_, labels), value in family.samples.items()}

    def test_requests_by_class_and_status(self):
        before = self.requests()
        self.service.request("GET", "/healthz")
        self.ask(404, "GET", f"/organizations/{NO_ORGANIZATION}")
        self.service.request("GET", "/no/such/path")
        self.service.request("POST", "/api_keys/validations", {"value": "x"})
        self.service.request("GET", "/_widgets/ApiKeys/permissions")
        self.service.request("GET", "/dashboard/")
        self.service.raw(b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n")
        expected = {
            ("health", "200"): 1, ("api", "404"): 1, ("other", "404"): 1, ("validation", "401"): 1,
            ("widget", "403"): 1, ("dashboard", "200"): 1, ("other", "405"): 1}
        # A request is counted when its last byte is sent, which the client may see first.
        deadline = time.monotonic() + 30
        while (got := difference(before, self.requests())) != expected:
            self.assertLess(time.monotonic(), deadline, got)


class Throttled(unittest.TestCase):
    def test_is_counted(self):
        service = Service("--metrics-listen", "0", "--failures-per-minute", "2")
        try:
            for _ in range(5):
                last = service.request("GET", "/organizations", token="sk_wrong").status
            families = prometheus.read(ask(service)[2])
            self.assertEqual(last, 429)
            self.assertGreaterEqual(families["apikeysd_throttled_requests_total"].value(), 1)
        finally:
            self.assertEqual(service.stop(), 0)


class Off(unittest.TestCase):
    def test_unless_it_is_asked_for(self):
        service = Service()
        try:
            self.assertNotIn("metrics_url", service.about)
        finally:
            self.assertEqual(service.stop(), 0)


if __name__ == "__main__":
    unittest.main()
