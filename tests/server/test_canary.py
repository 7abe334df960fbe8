# SPDX-License-Identifier: MIT
"""Canary: live secrets are fed into every text that a client chooses, on every route; none of them
reaches the log, an answer, an event, a webhook, a page's data or the database."""
import glob
import json
import os
import re
import subprocess
import unittest
from urllib.parse import quote

from receiver import Receiver
from service import ServiceTest
from test_dashboard import Browser

HEADERS = ("User-Agent", "X-Request-ID", "X-Forwarded-For", "Referer", "Accept", "Accept-Language",
           "Origin", "Cookie", "Idempotency-Key", "If-None-Match", "X-CSRF-Token", "X-Anything",
           "Content-Type")

# What each field is beside the one that holds the secret, so that the request is good but for that.
GOOD = {
    "name": "N", "permissions": [], "expires_at": "2099-01-01T00:00:00.000Z",
    "expiresAt": "2099-01-01T00:00:00.000Z", "domain_data": [{"domain": "a.example"}],
    "metadata": {"a": "b"}, "external_id": "x", "slug": "s", "description": "d",
    "email": "a@b.example", "first_name": "A", "last_name": "B", "role_slug": "admin",
    "endpoint_url": "https://a.example/", "events": ["api_key.created"], "status": "enabled",
    "reason": "r", "scopes": ["widgets:api-keys:manage"], "prefix": "sk",
}
NEEDED = {"name", "slug", "email", "endpoint_url", "events", "scopes", "organization_id"}


def routes():
    """(method, pattern, access) of each, and what names it knows: {(method, pattern): (query, body)}."""
    program = os.environ["PRINT_ROUTES"]
    lines = subprocess.check_output([program], text=True).splitlines()
    names = {}
    for line in subprocess.check_output([program, "names"], text=True).splitlines():
        method, pattern, query, body, unused = line.split("\t")
        names[method, pattern] = ((query + " " + unused).split(), (body + " " + unused).split())
    return [tuple(line.split(" ")) for line in lines], names


class Canary(ServiceTest):
    flags = ("--access-log", "--log-level", "debug", "--webhook-allow-http",
             "--webhook-allow-private", "--trust-proxy", "127.0.0.1")

    def feed(self, method, path, body=None, headers=None, token=None):
        """Whatever comes back holds no secret."""
        headers = dict(headers or {})
        headers.setdefault("Authorization", f"Bearer {token or self.service.management_key}")
        try:
            answer = self.service.request(method, path, body, headers)
        except UnicodeEncodeError:
            return
        self.asked += 1
        text = str(answer.headers) + answer.body.decode(errors="replace")
        for tail in self.tails:
            self.assertNotIn(tail, text, f"{method} {path[:60]} {str(body)[:80]}")

    def token_for(self, access):
        return self.widget_token if access == "widget" else self.service.management_key

    def path(self, pattern, secret=None, place=None):
        """The pattern with good ids, or with the secret in one place."""
        def fill(match):
            name = match.group(1)
            if name == place:
                return secret
            known = {"organization": self.organization, "user": "user_x", "permission": "posts:read",
                     "slug": "posts:read"}
            return known.get(name, self.key_id)
        return re.sub(r"[:*](\w+)", fill, pattern)

    def bodies(self, fields, secret):
        """The body with the secret in each place that a text can have, one at a time."""
        tops = sorted({field.split(".")[0] for field in fields})
        base = {top: GOOD[top] for top in tops if top in NEEDED and top in GOOD}
        if "organization_id" in tops:
            base["organization_id"] = self.organization
        for top in tops:
            for value in (secret, [secret], {secret: "x"}, {"a": secret}, f"see {secret}, please",
                          [{"domain": secret}], f"https://a.example/{secret}?k={secret}",
                          f"{secret}@acme.example", {"a": {"b": [secret]}}):
                yield {**base, top: value}
        yield {**base, secret: "x"}

    def feed_route(self, method, pattern, access, names, secret):
        token = self.token_for(access)
        query, fields = names.get((method, pattern), ([], []))
        escaped = "".join(f"%{ord(c):02X}" if i % 5 == 0 else c for i, c in enumerate(secret))
        for place in re.findall(r"[:*](\w+)", pattern):
            for text in (secret, escaped, f"x{secret}", quote(f"'{secret}'")):
                self.feed(method, self.path(pattern, text, place), {} if method != "GET" else None,
                          token=token)
        path = self.path(pattern)
        if method == "DELETE":
            path = re.sub(self.key_id, "api_key_01EHWNCE74X7JSDV0X3SZ3KJNY", path)
            path = path.replace(self.organization, "org_01EHWNCE74X7JSDV0X3SZ3KJNY")
        for name in [*query, secret, "limit", "after"]:
            self.feed(method, f"{path}?{name}={secret}", token=token)
            self.feed(method, f"{path}?{name}={escaped}&{name}={secret}", token=token)
        for header in HEADERS:
            self.feed(method, path, {} if method != "GET" else None, {header: secret}, token=token)
        self.feed(method, path, headers={"Authorization": f"Bearer {secret}x"})
        self.feed(method, path, headers={"Authorization": f"Basic {secret}"})
        if method != "GET":
            for body in self.bodies(fields, secret):
                self.feed(method, path, body, token=token)
            self.feed(method, path, f'{{"name": "{secret}'.encode(), token=token)
            self.feed(method, path, json.dumps([secret]).encode(), token=token)

    def test_no_secret_comes_out_anywhere(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        api = self.service.api
        self.organization = self.service.about["organization_id"]
        self.widget_token = self.service.widget_token()
        made = api("POST", f"/organizations/{self.organization}/api_keys",
                   {"name": "canary", "permissions": []}).json
        self.key_id = made["id"]
        secrets = [made["value"], self.widget_token, self.service.management_key]
        self.tails = [secret[-20:] for secret in secrets]
        self.asked = 0
        types = json.loads(api("GET", "/openapi.json").body)
        self.assertTrue(types["paths"])
        hook = api("POST", "/webhook_endpoints", {"endpoint_url": receiver.url(), "events": [
            "api_key.created", "api_key.updated", "api_key.revoked", "organization.created",
            "organization.updated", "organization_membership.created", "role.created",
            "permission.created"]})
        self.assertEqual(hook.status, 201, hook)
        every, names = routes()
        self.assertGreater(len(every), 70)
        for secret in secrets:
            for method, pattern, access in every:
                with self.subTest(method=method, pattern=pattern):
                    # A value is for these: the answers to it are looked at like all others.
                    self.feed_route(method, pattern, access, names, secret)
        self.assertGreater(self.asked, 5000)

        # What is left of them: in lists, events, webhooks, pages' data, files, the log.
        browser = Browser(self.service)
        self.assertEqual(browser.sign_in().status, 201)
        seen = []
        for path in ("/organizations", "/user_management/users", "/authorization/permissions",
                     "/authorization/roles", "/management_keys", "/webhook_endpoints",
                     f"/organizations/{self.organization}/api_keys", "/environment",
                     f"/authorization/organizations/{self.organization}/roles",
                     f"/user_management/organization_memberships?organization_id={self.organization}"):
            seen += [api("GET", path).body, browser.ask("GET", f"/dashboard/api{path}").body]
        after = ""
        while True:
            page = api("GET", f"/events?include=operator_events&limit=100{after}")
            self.assertEqual(page.status, 200, page)
            seen.append(page.body)
            after = page.json["list_metadata"]["after"]
            if not after:
                break
            after = f"&after={after}"
        api("POST", f"/organizations/{self.organization}/api_keys", {"name": "last"})
        receiver.received(1)
        seen += [body for _, body in receiver.deliveries]
        for path in glob.glob(os.path.join(self.service.directory, "keys.db*")):
            if not path.endswith((".management-key", ".root")):
                with open(path, "rb") as file:
                    seen.append(file.read())
        seen.append("".join(self.service.log).encode())
        for tail in self.tails:
            for i, text in enumerate(seen):
                at = text.find(tail.encode())
                self.assertEqual(at, -1, f"{i}: {text[max(0, at - 200):at + 60]!r}")

    def test_a_name_that_is_a_value_is_refused_by_name(self):
        organization = self.service.about["organization_id"]
        path = f"/organizations/{organization}/api_keys"
        value = self.service.api("POST", path, {"name": "k"}).json["value"]
        for method, route, body in (
                ("POST", path, {"name": value}), ("POST", path, {"name": f"was {value}"}),
                ("POST", "/organizations", {"name": "A", "metadata": {"key": value}}),
                ("POST", "/webhook_endpoints", {"endpoint_url": f"https://a.example/?k={value}",
                                                "events": ["api_key.created"]})):
            answer = self.service.api(method, route, body)
            self.assertEqual(answer.status, 422, answer)
            error = answer.json["errors"][0]
            self.assertEqual(error["code"], "secret_in_text")
            self.assertIn(error["field"], body)
        # What only resembles one is a text like any other.
        for name in (value[:20], "sk_" + "a" * 54, value[:-1], "e" + "y" * 60, "a.b.c"):
            self.assertEqual(self.service.api("POST", path, {"name": name[:80]}).status, 201, name)
        # The places that are made for values take them.
        found = self.service.api("POST", "/api_keys/validations", {"value": value})
        self.assertEqual((found.status, found.json["api_key"]["name"]), (200, "k"))
        self.assertEqual(self.service.api("POST", "/api_keys/lookups", {"value": value}).status, 200)


if __name__ == "__main__":
    unittest.main()
