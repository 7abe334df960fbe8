# SPDX-License-Identifier: MIT
"""Where it listens; and who asks: the connection's address, or what a proxy of ours says of it."""
import concurrent.futures
import os
import subprocess
import unittest

from service import Service, does_not_start


class Address(unittest.TestCase):
    def start(self, *flags):
        service = Service("--access-log", *flags)
        self.addCleanup(service.stop)
        return service

    def seen_as(self, service, *headers):
        """The address in the access log of a request with these X-Forwarded-For headers."""
        self.number = getattr(self, "number", 0) + 1
        path = f"/organizations/{self.number}"
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Authorization: Bearer wrong",
                 "Connection: close", *(f"X-Forwarded-For: {text}" for text in headers), "", ""]
        answer = service.raw("\r\n".join(lines).encode())
        self.assertIn(b" 401 ", answer)
        line = service.wait_for_log(lambda line: f'"{path}"' in line and '"status"' in line)
        return line.split('"address":"')[1].split('"')[0]

    def test_nobody_is_believed_unless_told_so(self):
        service = self.start()
        self.assertEqual(self.seen_as(service, "198.51.100.7"), "127.0.0.1")

    def test_a_proxy_is_believed_as_far_as_it_knows(self):
        service = self.start("--trust-proxy", "127.0.0.0/8", "--trust-proxy", "10.1.2.3",
                             "--trust-proxy", "fd00::/16")
        for headers, address in [
                ((), "127.0.0.1"),
                (("198.51.100.7",), "198.51.100.7"),
                (("2001:db8::7",), "2001:db8::7"),
                (("192.0.2.1, 198.51.100.7",), "198.51.100.7"),
                (("192.0.2.1,198.51.100.7 , 10.1.2.3",), "198.51.100.7"),
                (("198.51.100.7, fd00::1, 127.5.5.5",), "198.51.100.7"),
                (("198.51.100.7, fd01::1",), "fd01::1"),
                (("192.0.2.1", "198.51.100.7"), "198.51.100.7"),
                (("198.51.100.7", "10.1.2.3"), "198.51.100.7"),
                (("198.51.100.7, 10.1.2.4",), "10.1.2.4"),
                (("198.51.100.7:4711",), "198.51.100.7"),
                (("[2001:db8::7]:4711",), "2001:db8::7"),
                (("10.1.2.3",), "10.1.2.3"),
                (("nonsense",), "127.0.0.1"),
                (("198.51.100.7, nonsense",), "127.0.0.1"),
                (("198.51.100.7,",), "127.0.0.1"),
                (("198.51.100.7, nonsense, 10.1.2.3",), "10.1.2.3"),
                (("1" * 300,), "127.0.0.1"),
                (('198.51.100.7","level":"x',), "127.0.0.1")]:
            with self.subTest(headers=headers):
                self.assertEqual(self.seen_as(service, *headers), address)

    def test_each_client_of_a_proxy_is_throttled_alone(self):
        service = self.start("--trust-proxy", "127.0.0.1", "--failures-per-minute", "3")

        def ask(address, token="wrong"):
            return service.request("GET", "/organizations", token=token,
                                   headers={"X-Forwarded-For": address}).status
        self.assertEqual(set(ask("198.51.100.7") for _ in range(3)), {401})
        self.assertEqual(ask("198.51.100.7"), 429)
        self.assertEqual(ask("198.51.100.8"), 401)
        self.assertEqual(ask("198.51.100.9", service.management_key), 200)
        for i in range(3):  # one network is one client
            self.assertEqual(ask(f"2001:db8:1:2:{i}::{i}"), 401)
        self.assertEqual(ask("2001:db8:1:2::ffff"), 429)
        self.assertEqual(ask("2001:db8:1:3::1"), 401)

    def test_a_good_credential_is_answered_beside_wrong_ones(self):
        service = self.start("--failures-per-minute", "3")
        statuses = [service.request("GET", "/organizations", token="wrong").status
                    for _ in range(10)]
        self.assertEqual(statuses, [401] * 3 + [429] * 7)
        for _ in range(5):
            self.assertEqual(service.api("GET", "/organizations").status, 200)
        self.assertEqual(service.request("GET", "/organizations", token="wrong").status, 429)
        # Widget tokens are counted apart.
        asked = [service.request("GET", "/_widgets/ApiKeys/organization-api-keys", token="wrong").status
                 for _ in range(4)]
        self.assertEqual(asked, [403] * 3 + [429])

    def test_simultaneous_guesses_do_not_outrun_the_count(self):
        service = self.start("--failures-per-minute", "5")
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            statuses = list(pool.map(
                lambda _: service.request("GET", "/organizations", token="wrong").status, range(60)))
        self.assertEqual(sorted(statuses), [401] * 5 + [429] * 55)

    def test_what_is_no_address(self):
        for text in ("proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "fd00::/129",
                     "10.0.0", "1" * 100):
            ended = subprocess.run([os.environ["APIKEYSD"], "--trust-proxy", text],
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.returncode, 2, text)
            self.assertIn("trust-proxy: must be addresses", ended.stderr)


class Port(unittest.TestCase):
    def test_a_taken_one_is_said_and_the_next_free_one_used(self):
        first = Service()
        try:
            second = Service("--listen", f"127.0.0.1:{first.port}", "--next-port")
            try:
                self.assertGreater(second.port, first.port)
                self.assertTrue(any(f"127.0.0.1:{first.port} is taken; the next free port is "
                                    f"{second.port}" in line for line in second.log))
                self.assertEqual(second.request("GET", "/healthz").status, 200)
            finally:
                self.assertEqual(second.stop(), 0)
        finally:
            self.assertEqual(first.stop(), 0)

    def test_a_taken_one_is_an_error_unless_told_otherwise(self):
        first = Service()
        try:
            _, said = does_not_start(self, "--listen", f"127.0.0.1:{first.port}")
            self.assertIn("Address already in use", said)
        finally:
            self.assertEqual(first.stop(), 0)


if __name__ == "__main__":
    unittest.main()
