# SPDX-License-Identifier: MIT
"""Webhooks: which targets may be, what arrives there, and what becomes of failures."""
import datetime
import email.utils
import ipaddress
import json
import shutil
import signal
import socket
import tempfile
import threading
import time
import unittest
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from receiver import Receiver, make_certificate, signature_is_good
from rest import RestTest, TIME, an_id
from service import Service

ALL_KEY_EVENTS = ["api_key.created", "api_key.updated", "api_key.revoked"]
FLAGS = ("--webhook-allow-http", "--webhook-allow-private", "--webhook-first-retry", "0")
NO_ENDPOINT = "we_01EHWNCE74X7JSDV0X3SZ3KJNY"


def resolves(name):
    try:
        return ipaddress.ip_address(socket.gethostbyname(name)).is_private
    except OSError:
        return False


class WebhookTest(RestTest):
    def endpoint(self, url, events=None, **fields):
        made = self.ask(201, "POST", "/webhook_endpoints",
                        {"endpoint_url": url, "events": events or ALL_KEY_EVENTS, **fields})
        self.values.append(made["secret"])
        self.addCleanup(self.service.api, "DELETE", f"/webhook_endpoints/{made['id']}")
        return made

    def receiver(self, *args, **options):
        receiver = Receiver(*args, **options)
        self.addCleanup(receiver.close)
        return receiver

    def deliveries(self, endpoint, status):
        return self.ask(200, "GET",
                        f"/webhook_endpoints/{endpoint['id']}/deliveries?status={status}")["data"]

    def wait_for_log(self, *texts):
        self.service.wait_for_log(lambda line: all(text in line for text in texts))


class Targets(WebhookTest):
    """Without any flag: https to public addresses."""

    def refused_url(self, url):
        with self.subTest(url=url):
            self.refused(422, "invalid_url", "POST", "/webhook_endpoints",
                         {"endpoint_url": url, "events": ["api_key.created"]})

    def test_what_is_no_url_of_a_public_web_server(self):
        for url in ("", "nonsense", "//acme.example/", "ftp://acme.example/", "file:///etc/passwd",
                    "gopher://acme.example/", "javascript:alert(1)", "https://", "https:///x",
                    "http://acme.example/", "https://user@acme.example/",
                    "https://user:password@acme.example/", "https://acme.example:99999/",
                    "https://acme example/", "https://acme.example/\r\nX: y",
                    "https://acme.example/" + "x" * 2048):
            self.refused_url(url)

    def test_addresses_that_are_not_public(self):
        for host in ("0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1",
                     "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
                     "192.0.0.170", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.7",
                     "203.0.113.9", "224.0.0.1", "239.255.255.255", "255.255.255.255",
                     "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "017700000001",
                     "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]",
                     "[64:ff9b::7f00:1]", "[fe80::1]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]",
                     "[2001:db8::1]", "[2002:7f00:1::]", "[2001::1]", "[100::1]", "[5f00::1]",
                     "localhost", "LOCALHOST", "localhost.", "api.localhost", "printer.local",
                     "metadata.google.internal"):
            self.refused_url(f"https://{host}/")

    def test_public_ones(self):
        for host in ("hooks.acme.example", "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255",
                     "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.167.1.1", "223.255.255.1",
                     "[2606:4700::1111]", "[2a00::1]", "localhost.acme.example", "notlocal.example",
                     "acme.example:8443"):
            with self.subTest(host=host):
                self.endpoint(f"https://{host}/hook?a=b")


class PrivateByName(WebhookTest):
    """A name says nothing about its address: the address is looked at when it is connected to."""
    flags = ("--webhook-allow-http", "--webhook-first-retry", "0")

    def test_a_name_whose_address_is_ours(self):
        receiver = self.receiver()
        name = socket.gethostname()
        if name.split(".")[-1] in ("localhost", "local", "internal", "") or not resolves(name):
            self.skipTest(f"{name} is refused already, or has no address here")
        endpoint = self.endpoint(receiver.url(host=name))
        self.key(self.organization())
        self.wait_for_log("webhook event_", endpoint["id"], "not public")
        self.assertEqual(receiver.deliveries, [])


class Endpoints(WebhookTest):
    flags = FLAGS

    def test_from_its_creation_to_its_end(self):
        made = self.endpoint("https://hooks.acme.example/a", ["api_key.created"])
        self.assertRegex(made.pop("created_at"), TIME)
        self.assertRegex(made.pop("updated_at"), TIME)
        self.assertRegex(made["id"], an_id("we"))
        self.assertRegex(made["secret"], r"^whsec_[0-9a-f]{64}$")
        self.assertEqual({**made, "id": "", "secret": ""}, {
            "object": "webhook_endpoint", "id": "", "secret": "", "status": "enabled",
            "endpoint_url": "https://hooks.acme.example/a", "events": ["api_key.created"]})
        path = f"/webhook_endpoints/{made['id']}"
        changed = self.ask(200, "PATCH", path, {"status": "disabled", "events": ALL_KEY_EVENTS,
                                                "endpoint_url": "https://hooks.acme.example/b"})
        self.assertEqual((changed["status"], changed["events"], changed["endpoint_url"]),
                         ("disabled", ALL_KEY_EVENTS, "https://hooks.acme.example/b"))
        self.assertEqual(changed["secret"], made["secret"])
        self.assertEqual(self.ask(200, "GET", path), changed)
        changed = self.ask(200, "POST", f"{path}/rotate_secret")
        self.assertRegex(changed["secret"], r"^whsec_[0-9a-f]{64}$")
        self.assertNotEqual(changed["secret"], made["secret"])
        self.values.append(changed["secret"])
        self.assertEqual(self.ask(200, "GET", path), changed)
        self.assertIn(changed, self.ask(200, "GET", "/webhook_endpoints")["data"])
        self.ask(204, "DELETE", path)
        for method in ("GET", "PATCH", "DELETE"):
            self.not_found("Webhook endpoint", made["id"], method, path)
        self.not_found("Webhook endpoint", made["id"], "POST", f"{path}/rotate_secret")
        for change in ("created", "updated", "secret_renewed", "deleted"):
            line = json.loads(self.service.wait_for_log(
                lambda line: f'"webhook_endpoint.{change}","id":"{made["id"]}"' in line))
            self.assertEqual((line["level"], line["address"]), ("info", "127.0.0.1"))
            self.assertRegex(line["actor"], an_id("api_key"))
            self.assertRegex(line["request_id"], "^req_")

    def test_what_is_refused(self):
        path, url = "/webhook_endpoints", "https://hooks.acme.example/refused"
        self.invalid([("required", "endpoint_url"), ("required", "events")], "POST", path, {})
        self.invalid([("required", "events")], "POST", path, {"endpoint_url": url, "events": []})
        self.invalid([("invalid", "events"), ("required", "events")], "POST", path,
                     {"endpoint_url": url, "events": "api_key.created"})
        self.invalid([("invalid", "endpoint_url")], "POST", path,
                     {"endpoint_url": 7, "events": ["api_key.created"]})
        self.invalid([("invalid", "status")], "POST", path,
                     {"endpoint_url": url, "events": ["api_key.created"], "status": "asleep"})
        for event in ("no.such.event", "management_key.created", "environment.updated", ""):
            self.refused(422, "invalid_request_parameters", "POST", path,
                         {"endpoint_url": url, "events": ["api_key.created", event]})
        self.assertEqual(self.ask(200, "GET", path)["data"], [])

    def test_one_of_each_url(self):
        self.endpoint("https://hooks.acme.example/one")
        other = self.endpoint("https://hooks.acme.example/two")
        body = {"endpoint_url": "https://hooks.acme.example/one", "events": ["api_key.created"]}
        self.refused(409, "duplicate_endpoint", "POST", "/webhook_endpoints", body)
        self.refused(409, "duplicate_endpoint", "PATCH", f"/webhook_endpoints/{other['id']}", body)
        self.ask(200, "PATCH", f"/webhook_endpoints/{other['id']}",
                 {"endpoint_url": other["endpoint_url"]})

    def test_not_more_than_there_is_room_for(self):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: self.endpoint(f"https://hooks.acme.example/{i}"), range(64)))
        self.refused(422, "too_many_endpoints", "POST", "/webhook_endpoints",
                     {"endpoint_url": "https://hooks.acme.example/last",
                      "events": ["api_key.created"]})
        self.assertEqual(sum(map(len, self.pages("/webhook_endpoints", 10))), 64)

    def test_only_for_those_who_may_see_secrets(self):
        key = self.ask(201, "POST", "/management_keys",
                       {"name": "reader", "permissions": ["apikeys:keys:read"]})
        for method, path in (("GET", "/webhook_endpoints"), ("POST", "/webhook_endpoints"),
                             ("GET", f"/webhook_endpoints/{NO_ENDPOINT}"),
                             ("DELETE", f"/webhook_endpoints/{NO_ENDPOINT}"),
                             ("GET", f"/webhook_endpoints/{NO_ENDPOINT}/deliveries"),
                             ("POST", f"/webhook_endpoints/{NO_ENDPOINT}/rotate_secret"),
                             ("POST", f"/webhook_endpoints/{NO_ENDPOINT}/resend_failed"),
                             ("POST", "/webhook_deliveries/whd_1/resend")):
            body = {"endpoint_url": "https://hooks.acme.example/x", "events": ["api_key.created"]}
            creates = (method, path) == ("POST", "/webhook_endpoints")
            self.refused(403, "forbidden", method, path, body if creates else None,
                         token=key["value"])


class Deliveries(WebhookTest):
    flags = FLAGS

    def test_the_event_as_the_list_has_it_signed(self):
        receiver = self.receiver()
        endpoint = self.endpoint(receiver.url(), ["api_key.created", "api_key.revoked"])
        organization = self.organization()
        key = self.key(organization, "Über <b>\U0001F600</b>")
        self.ask(200, "POST", f"/api_keys/{key['id']}/expire", {"expires_at": "2099-01-01T00:00:00Z"})
        self.ask(204, "DELETE", f"/api_keys/{key['id']}")
        got = sorted(receiver.received(2), key=lambda event: event["id"])
        listed = self.ask(200, "GET", f"/events?organization_id={organization}&order=asc"
                                      "&events=api_key.created,api_key.revoked")["data"]
        self.assertEqual(got, listed)
        for headers, body in receiver.deliveries:
            self.assertTrue(signature_is_good(headers, body, endpoint["secret"]))
            self.assertFalse(signature_is_good(headers, body + b" ", endpoint["secret"]))
            self.assertEqual(headers["Content-Type"], "application/json")
            self.assertNotIn(key["value"].encode(), body)

    def test_a_new_secret_signs_what_is_tried_again(self):
        rotated = threading.Event()
        receiver = self.receiver(lambda n: rotated.wait(60) and (401 if n == 1 else 200))
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        self.key(self.organization())
        receiver.received(1)
        path = f"/webhook_endpoints/{endpoint['id']}"
        secrets = [endpoint["secret"], self.ask(200, "POST", f"{path}/rotate_secret")["secret"]]
        self.values += secrets
        rotated.set()
        receiver.received(2)
        good = [[signature_is_good(headers, body, secret) for secret in secrets]
                for headers, body in receiver.deliveries]
        self.assertEqual(good, [[True, False], [False, True]])

    def test_what_an_endpoint_gets(self):
        """What happens while it is there and enabled, of the types that it wants."""
        receiver, other = self.receiver(), self.receiver()
        organization = self.organization()
        self.key(organization, "before")
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        self.ask(200, "PATCH", f"/webhook_endpoints/{endpoint['id']}", {"status": "disabled"})
        self.key(organization, "while disabled")
        last = self.endpoint(other.url(), ["api_key.created"])
        self.key(organization, "seen by the other")
        self.ask(200, "PATCH", f"/webhook_endpoints/{endpoint['id']}", {"status": "enabled"})
        key = self.key(organization, "wanted")
        self.ask(204, "DELETE", f"/api_keys/{key['id']}")
        self.assertEqual([event["data"]["name"] for event in receiver.received(1)], ["wanted"])
        self.assertEqual({event["data"]["name"] for event in other.received(2)},
                         {"seen by the other", "wanted"})
        self.ask(204, "DELETE", f"/webhook_endpoints/{last['id']}")

    def test_tried_again_until_it_arrives(self):
        receiver = self.receiver(lambda n: 503 if n < 4 else 204)
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        self.key(self.organization())
        events = receiver.received(4)
        self.assertEqual(len({event["id"] for event in events}), 1)
        delivery = self.until(lambda: self.deliveries(endpoint, "delivered"))[0]
        self.assertEqual(delivery["attempts"], 4)
        self.assertEqual((delivery["last_status"], delivery["last_error"]), (204, None))
        self.assertEqual(self.deliveries(endpoint, "failed"), [])

    def test_failures_are_seen_and_resent(self):
        good = threading.Event()
        receiver = self.receiver(lambda n: 200 if good.is_set() else 500)
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        organization = self.organization()
        for name in ("one", "two", "three"):
            self.key(organization, name)
        receiver.received(3 * 7)
        failed = self.until(lambda: len(self.deliveries(endpoint, "failed")) == 3 and
                            self.deliveries(endpoint, "failed"))
        first = failed[0]
        self.assertEqual(first["object"], "webhook_delivery")
        self.assertEqual((first["status"], first["attempts"], first["last_status"]),
                         ("failed", 7, 500))
        self.assertEqual(first["last_error"], "The target answered with an error.")
        self.assertIsNone(first["next_attempt_at"])
        self.assertNotIn("nothing.", str(failed))
        good.set()
        again = self.ask(202, "POST", f"/webhook_deliveries/{first['id']}/resend")
        self.assertEqual(again["status"], "pending")
        receiver.received(3 * 7 + 1)
        self.assertEqual(self.ask(202, "POST",
                                  f"/webhook_endpoints/{endpoint['id']}/resend_failed"),
                         {"resent": 2, "remaining": False})
        receiver.received(3 * 7 + 3)
        self.until(lambda: len(self.deliveries(endpoint, "delivered")) == 3)
        self.assertEqual(self.deliveries(endpoint, "failed"), [])
        self.assertEqual(self.ask(200, "GET", f"/webhook_deliveries/{first['id']}")["status"],
                         "delivered")
        every = self.ask(200, "GET", f"/webhook_endpoints/{endpoint['id']}/deliveries")["data"]
        self.assertEqual(sorted(one["id"] for one in every),
                         sorted(one["id"] for one in self.deliveries(endpoint, "delivered")))
        self.not_found("Webhook delivery", "whd_0", "GET", "/webhook_deliveries/whd_0")
        self.invalid([("invalid", "status")], "GET",
                     f"/webhook_endpoints/{endpoint['id']}/deliveries?status=lost")
        self.not_found("Webhook endpoint", NO_ENDPOINT, "GET",
                       f"/webhook_endpoints/{NO_ENDPOINT}/deliveries")

    def test_gone_disables_at_once(self):
        gone = threading.Event()
        gone.set()
        receiver = self.receiver(lambda n: 410 if gone.is_set() else 200)
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        path = f"/webhook_endpoints/{endpoint['id']}"
        self.assertNotIn("disabled_reason", endpoint)
        organization = self.organization()
        self.key(organization, "refused")
        self.until(lambda: self.ask(200, "GET", path)["status"] == "disabled")
        disabled = self.ask(200, "GET", path)
        self.assertEqual(disabled["disabled_reason"], "gone")
        self.assertRegex(disabled["disabled_at"], TIME)
        failed = self.until(lambda: self.deliveries(endpoint, "failed"))
        self.assertEqual([(one["attempts"], one["last_status"]) for one in failed], [(1, 410)])
        self.wait_for_log(endpoint["id"], "disabled: gone")
        gone.clear()
        enabled = self.ask(200, "PATCH", path, {"status": "enabled"})
        self.assertEqual(set(enabled), set(endpoint))
        self.key(organization, "wanted")
        self.assertEqual(receiver.received(2)[1]["data"]["name"], "wanted")

    def test_retry_after_is_heeded(self):
        def date(seconds):
            return email.utils.formatdate(time.time() + seconds, usegmt=True)

        day = 86400
        for asked, least, most in (("7200", 7200, 7260), (date(7200), 7140, 7260),
                                   ("999999999", day, day + 60), (date(9 * day), day, day + 60)):
            with self.subTest(asked=asked):
                receiver = self.receiver(lambda n, asked=asked: (503, {"Retry-After": asked}))
                endpoint = self.endpoint(receiver.url(), ["api_key.created"])
                self.key(self.organization())
                receiver.received(1)
                tried = self.until(lambda: [one for one in self.deliveries(endpoint, "pending")
                                            if one["last_status"] == 503])[0]
                at, due = (datetime.datetime.fromisoformat(tried[name].replace("Z", "+00:00"))
                           for name in ("last_attempt_at", "next_attempt_at"))
                wait = (due - at).total_seconds()
                self.assertTrue(least <= wait <= most, wait)

    def test_redirects_are_not_followed(self):
        inside = self.receiver()
        receiver = self.receiver(lambda n: (302, {"Location": inside.url()}))
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        self.key(self.organization())
        receiver.received(7)
        failed = self.until(lambda: self.deliveries(endpoint, "failed"))[0]
        self.assertEqual(failed["last_status"], 302)
        self.assertEqual(inside.deliveries, [])

    def test_a_proxy_of_the_environment_is_not_used(self):
        self.assertIn("http_proxy", self.service.environment)
        receiver = self.receiver()
        self.endpoint(receiver.url(), ["api_key.created"])
        self.key(self.organization())
        receiver.received(1)

    def test_a_slow_target_does_not_hold_up_the_others(self):
        go = threading.Event()
        slow, fast = self.receiver(lambda n: go.wait(60) and 200), self.receiver()
        self.addCleanup(go.set)
        self.endpoint(slow.url(), ["api_key.created"])
        self.endpoint(fast.url(), ["api_key.created"])
        organization = self.organization()
        for i in range(40):
            self.key(organization, str(i))
        fast.received(40)
        self.assertLessEqual(len(slow.deliveries), 32)
        go.set()
        slow.received(40)

    def test_a_connection_serves_several_deliveries(self):
        receiver = self.receiver(protocol="HTTP/1.1")
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        organization = self.organization()
        for i in range(1, 6):
            self.key(organization, str(i))
            self.until(lambda i=i: len(self.deliveries(endpoint, "delivered")) == i)
        self.assertEqual(len(receiver.clients), 1)

    @classmethod
    def setUpClass(cls):
        cls.service = Service(*cls.flags, environment={"http_proxy": "http://127.0.0.1:9",
                                                       "all_proxy": "http://127.0.0.1:9"})
        cls.values = []


class DeadEndpoints(WebhookTest):
    flags = (*FLAGS, "--webhook-disable-after", "1", "--metrics-listen", "0")

    def test_disabled_when_nothing_arrived_for_so_long(self):
        receiver = self.receiver(lambda n: 500)
        endpoint = self.endpoint(receiver.url(), ["api_key.created"])
        path = f"/webhook_endpoints/{endpoint['id']}"
        organization = self.organization()

        def is_disabled():
            self.key(organization, "in vain")
            return self.ask(200, "GET", path)["status"] == "disabled"

        self.until(is_disabled)
        disabled = self.ask(200, "GET", path)
        self.assertEqual(disabled["disabled_reason"], "failing")
        self.assertGreater(len(receiver.deliveries), 7)  # the first that failed disabled nothing
        self.wait_for_log(endpoint["id"], "disabled: failing")
        with urllib.request.urlopen(self.service.about["metrics_url"]) as answer:
            self.assertIn(b"\napikeysd_webhook_endpoints_disabled_total 1\n", answer.read())


class Restarts(unittest.TestCase):
    """What is on its way survives the service; several services share it."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="apikeysd-")
        self.addCleanup(shutil.rmtree, self.directory)

    def start(self, *flags):
        return Service(*FLAGS[:2], *flags, directory=self.directory)

    def make_keys(self, service, receiver, names, scheme="http", host="127.0.0.1"):
        service.api("POST", "/webhook_endpoints", {
            "endpoint_url": receiver.url(scheme=scheme, host=host), "events": ["api_key.created"]})
        organization = service.api("POST", "/organizations", {"name": "Acme"}).json["id"]
        for name in names:
            answer = service.api("POST", f"/organizations/{organization}/api_keys", {"name": name})
            self.assertEqual(answer.status, 201)

    def test_a_killed_service_goes_on_where_it_was(self):
        good = threading.Event()
        receiver = Receiver(lambda n: 200 if good.is_set() else 500)
        self.addCleanup(receiver.close)
        service = self.start("--webhook-first-retry", "1")
        self.make_keys(service, receiver, ["survivor"])
        receiver.received(1)
        service.wait_for_log(lambda line: "webhook event_" in line)  # its outcome was kept
        service.stop(signal.SIGKILL)
        good.set()
        service = self.start()
        events = receiver.received(2)
        self.assertEqual({event["data"]["name"] for event in events}, {"survivor"})
        self.assertEqual(service.stop(), 0)

    def test_a_stopped_service_gives_back_what_it_could_not_finish(self):
        go = threading.Event()
        receiver = Receiver(lambda n: 200 if n > 1 else go.wait(60) and 200)
        self.addCleanup(receiver.close)
        self.addCleanup(go.set)
        service = self.start()
        self.make_keys(service, receiver, ["patient"])
        receiver.received(1)
        self.assertEqual(service.stop(), 0)
        service = self.start()
        receiver.received(2)
        self.assertEqual(service.stop(), 0)

    def test_two_services_deliver_each_event_once(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        services = [self.start(), self.start()]
        names = [str(i) for i in range(40)]
        self.make_keys(services[0], receiver, names)
        events = receiver.received(len(names))
        self.assertEqual([service.stop() for service in services], [0, 0])
        self.assertEqual(sorted(event["data"]["name"] for event in receiver.received(len(names))),
                         sorted(names))
        self.assertEqual(len({event["id"] for event in events}), len(names))

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_https_with_whom_it_trusts(self):
        tls = make_certificate(self.directory, "localhost")
        receiver = Receiver(tls=tls)
        self.addCleanup(receiver.close)
        service = self.start("--webhook-first-retry", "0")
        self.make_keys(service, receiver, ["untrusted"], "https", "localhost")
        service.wait_for_log(lambda line: "webhook event_" in line and "certificate" in line)
        service.stop()
        self.assertEqual(receiver.deliveries, [])
        service = self.start("--webhook-first-retry", "0", "--webhook-ca-file", tls[0])
        endpoint = service.api("GET", "/webhook_endpoints").json["data"][0]["id"]
        service.api("POST", f"/webhook_endpoints/{endpoint}/resend_failed")
        self.assertEqual(receiver.received(1)[0]["data"]["name"], "untrusted")
        service.stop()


if __name__ == "__main__":
    unittest.main()
