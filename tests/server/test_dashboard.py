# SPDX-License-Identifier: MIT
"""The dashboard's door: sessions, their cookies, what a foreign page can and cannot do."""
import os
import re
import sqlite3
import tempfile
import time
import unittest

from service import Service, ServiceTest


class Browser:
    """What a browser does for a page of ours: the cookie, Origin, Sec-Fetch-Site, the token."""

    def __init__(self, service):
        self.service = service
        self.origin = service.about["url"]
        self.cookie = None
        self.token = None

    def ask(self, method, path, body=None, **headers):
        """Headers by name with '_' for '-'; None leaves one away."""
        sent = {"Sec-Fetch-Site": "same-origin"}
        if method != "GET":
            sent["Origin"] = self.origin
            sent["X-CSRF-Token"] = self.token
        sent["Cookie"] = self.cookie
        sent.update({name.replace("_", "-"): text for name, text in headers.items()})
        sent = {name: text for name, text in sent.items() if text is not None}
        answer = self.service.request(method, path, body, sent)
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            self.cookie = cookie.split(";")[0]
        return answer

    def sign_in(self, key=None, **headers):
        answer = self.ask("POST", "/dashboard/session",
                          {"key": self.service.management_key if key is None else key}, **headers)
        if answer.status == 201:
            self.token = answer.json["csrf_token"]
        return answer

    def list(self, **headers):
        return self.ask("GET", "/dashboard/api/organizations", **headers)

    def create(self, **headers):
        return self.ask("POST", "/dashboard/api/organizations", {"name": "Made"}, **headers)


class Sessions(ServiceTest):
    def browser(self):
        browser = Browser(self.service)
        self.assertEqual(browser.sign_in().status, 201)
        return browser

    def test_nothing_without_a_session(self):
        browser = Browser(self.service)
        for path in ("/dashboard/session", "/dashboard/api/organizations", "/dashboard/api/events"):
            answer = browser.ask("GET", path)
            self.assertEqual(answer.status, 401, path)
            self.assertEqual(answer.json["code"], "signed_out")

    def test_a_management_key_alone_opens_nothing(self):
        answer = self.service.api("GET", "/dashboard/api/organizations")
        self.assertEqual(answer.status, 401)

    def test_the_api_takes_no_session(self):
        browser = self.browser()
        self.assertEqual(browser.ask("GET", "/organizations").status, 401)

    def test_the_cookie(self):
        browser = Browser(self.service)
        answer = browser.sign_in()
        cookie = answer.headers["Set-Cookie"]
        self.assertRegex(cookie, r"^apikeysd=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict$")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertNotIn(self.service.management_key.encode(), answer.body)

    def test_what_is_stored_is_no_cookie_and_no_key(self):
        browser = self.browser()
        path = os.path.join(self.service.directory, "keys.db")
        rows = sqlite3.connect(path).execute("select * from documents").fetchall()
        self.assertTrue(rows)
        self.assertNotIn(browser.cookie.split("=")[1], str(rows))
        self.assertNotIn(self.service.management_key, str(rows))
        for text in re.findall(r"[0-9a-f]{64}", str(rows)):
            self.assertEqual(browser.list(Cookie=f"apikeysd={text}").status, 401)

    def test_a_session_reads_and_changes(self):
        browser = self.browser()
        self.assertEqual(browser.list().status, 200)
        answer = browser.create()
        self.assertEqual(answer.status, 201)
        event = browser.ask("GET", "/dashboard/api/events?order=desc&limit=1").json["data"][0]
        self.assertEqual(event["context"]["actor"]["source"], "dashboard")

    def test_each_sign_in_is_a_new_session_and_ends_the_last(self):
        browser = self.browser()
        first = browser.cookie
        self.assertEqual(browser.sign_in().status, 201)
        self.assertNotEqual(browser.cookie, first)
        self.assertEqual(browser.list().status, 200)
        self.assertEqual(browser.list(Cookie=first).status, 401)

    def test_sign_out_ends_it_for_good(self):
        browser = self.browser()
        cookie = browser.cookie
        answer = browser.ask("DELETE", "/dashboard/session")
        self.assertEqual(answer.status, 204)
        self.assertIn("Max-Age=0", answer.headers["Set-Cookie"])
        self.assertEqual(browser.list(Cookie=cookie).status, 401)

    def test_two_sessions_have_their_own_tokens(self):
        one, two = self.browser(), self.browser()
        self.assertNotEqual(one.token, two.token)
        self.assertEqual(one.create(X_CSRF_Token=two.token).status, 403)

    def test_malformed_cookies_are_no_session(self):
        browser = self.browser()
        value = browser.cookie.split("=")[1]
        for cookie in ("", "apikeysd=", "apikeysd=" + value[:-1], "apikeysd=" + value + "0",
                       "apikeysd=" + "g" * 64, "xapikeysd=" + value, "apikeysd " + browser.cookie,
                       "apikeysd=" + value[:-1] + chr(ord(value[-1]) ^ 1)):
            self.assertEqual(browser.list(Cookie=cookie).status, 401, cookie)
        self.assertEqual(browser.list(Cookie=f"a=b; apikeysd={value}; c=d").status, 200)

    def test_what_a_foreign_page_can_do(self):
        browser = self.browser()
        own = browser.origin
        changes = [
            ({}, 201),
            ({"Origin": None}, 201),
            ({"Sec_Fetch_Site": None}, 201),
            ({"Origin": None, "Sec_Fetch_Site": None}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": ""}, 403),
            ({"Origin": own + ".evil.example"}, 403),
            ({"Origin": own.replace("http:", "https:")}, 403),
            ({"Origin": own[:-1]}, 403),
            ({"Sec_Fetch_Site": "cross-site"}, 403),
            ({"Sec_Fetch_Site": "same-site"}, 403),
            ({"Sec_Fetch_Site": "none"}, 403),
            ({"X_CSRF_Token": None}, 403),
            ({"X_CSRF_Token": ""}, 403),
            ({"X_CSRF_Token": browser.token[:-1]}, 403),
            ({"X_CSRF_Token": "0" * 64}, 403),
        ]
        for headers, status in changes:
            self.assertEqual(browser.create(**headers).status, status, headers)
        reads = [({}, 200), ({"Sec_Fetch_Site": "none"}, 200), ({"Sec_Fetch_Site": None}, 200),
                 ({"Sec_Fetch_Site": "cross-site"}, 403), ({"Sec_Fetch_Site": "same-site"}, 403),
                 ({"Origin": "http://evil.example"}, 403)]
        for headers, status in reads:
            self.assertEqual(browser.list(**headers).status, status, headers)
        self.assertEqual(browser.create(Cookie=None).status, 401)

    def test_a_foreign_page_cannot_sign_somebody_in(self):
        browser = Browser(self.service)
        self.assertEqual(browser.sign_in(Origin="http://evil.example").status, 403)
        self.assertEqual(browser.sign_in(Origin=None, Sec_Fetch_Site=None).status, 403)
        self.assertIsNone(browser.cookie)

    def test_hosts(self):
        browser = self.browser()
        port = self.service.port
        hosts = [(f"127.0.0.1:{port}", 200), (f"localhost:{port}", 200), (f"[::1]:{port}", 200),
                 ("localhost", 200), ("evil.example", 421), (f"evil.example:{port}", 421),
                 (f"127.0.0.1.evil.example:{port}", 421), ("localhost.evil.example", 421),
                 ("10.0.0.1", 421), ("", 421)]
        for host, status in hosts:
            for path in ("/dashboard/api/organizations", "/dashboard/session", "/dashboard/", "/",
                         "/demo", "/demo/widget-token", "/dashboard/assets/main.js"):
                answer = browser.ask("GET", path, Host=host, Sec_Fetch_Site="same-origin")
                if status == 421:
                    self.assertEqual(answer.status, 421, (host, path))
                    self.assertEqual(answer.json["code"], "unknown_host")
                else:
                    self.assertNotEqual(answer.status, 421, (host, path))

    def test_wrong_keys(self):
        made = self.service.api("POST", f"/organizations/{self.service.about['organization_id']}"
                                "/api_keys", {"name": "customer's"}).json
        self.values.append(made["value"])
        for key in ("", "nonsense", made["value"], self.service.management_key[:-1]):
            browser = Browser(self.service)
            self.assertIn(browser.sign_in(key).status, (401, 422), key[:6])
            self.assertIsNone(browser.cookie)
        for body in (b"", b"[]", b"{", b'{"key":1}', b'{"key":null}'):
            answer = self.service.request("POST", "/dashboard/session", body,
                                          {"Origin": self.service.about["url"]})
            self.assertIn(answer.status, (400, 422), body)

    def test_pages_keep_foreign_code_out(self):
        for path in ("/dashboard/", "/dashboard/organizations/org_x/keys", "/demo", "/"):
            answer = self.service.request("GET", path)
            self.assertEqual(answer.status, 200, path)
            policy = answer.headers["Content-Security-Policy"]
            for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'",
                         "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"):
                self.assertIn(rule, policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(answer.headers["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("camera=()", answer.headers["Permissions-Policy"])
            self.assertNotRegex(answer.body, rb"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|<style")

    def test_assets_are_revalidated(self):
        answer = self.service.request("GET", "/dashboard/")
        tag = answer.headers["ETag"]
        for sent, status in ((tag, 304), (f'"x", {tag}', 304), (f"W/{tag}", 304), ("*", 304),
                             ('"x"', 200)):
            again = self.service.request("GET", "/dashboard/", headers={"If-None-Match": sent})
            self.assertEqual(again.status, status, sent)
        for path in ("/dashboard/assets/../../config.h", "/dashboard/assets/%2e%2e%2fdemo.css",
                     "/dashboard/assets/nothing.js", "/dashboard/assets/"):
            self.assertIn(self.service.request("GET", path).status, (400, 404, 200), path)
            self.assertNotIn(b"CONFIG_", self.service.request("GET", path).body)

    def test_a_key_found_somewhere(self):
        browser = self.browser()
        made = self.service.api("POST", f"/organizations/{self.service.about['organization_id']}"
                                "/api_keys", {"name": "leaked"}).json
        self.values.append(made["value"])
        for value in (made["value"], made["value"][:8], made["obfuscated_value"]):
            answer = browser.ask("POST", "/dashboard/api/api_keys/lookups", {"value": value})
            self.assertEqual(answer.status, 200)
            self.assertEqual([key["id"] for key in answer.json["data"]], [made["id"]])
            self.assertNotIn(made["value"].encode(), answer.body)


def until(answer, status, seconds=30):
    """Asks again until the answer has this status: an expiry is an event of the clock's."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer().status == status:
            return True
    return False


class Ends(unittest.TestCase):
    def started(self, *flags, **options):
        service = Service(*flags, **options)
        self.addCleanup(service.stop)
        return service

    def signed_in(self, service):
        browser = Browser(service)
        self.assertEqual(browser.sign_in().status, 201)
        return browser

    def test_an_unused_session_ends(self):
        browser = self.signed_in(self.started("--session-idle-seconds", "1"))
        # What the page asks by itself does not keep it alive.
        self.assertTrue(until(lambda: browser.list(X_Background="1"), 401))

    def test_every_session_ends(self):
        browser = self.signed_in(self.started("--session-seconds", "1"))
        self.assertTrue(until(browser.list, 401))

    def test_sessions_survive_a_restart(self):
        with tempfile.TemporaryDirectory() as directory:
            service = Service(directory=directory)
            browser = self.signed_in(service)
            service.stop()
            again = Service(directory=directory)
            browser.service = again
            browser.origin = again.about["url"]
            self.assertEqual(browser.list().status, 200)
            self.assertEqual(browser.create().status, 201)
            again.stop()

    def test_a_revoked_key_ends_its_sessions_at_once(self):
        service = self.started()
        browser, other = self.signed_in(service), self.signed_in(service)
        key_id = browser.ask("GET", "/dashboard/session").json["key"]["id"]
        with sqlite3.connect(os.path.join(service.directory, "keys.db"), timeout=30) as database:
            changed = database.execute("update api_keys set state = 2, revoked_at = 1 where id = ?",
                                       (key_id,)).rowcount
        self.assertEqual(changed, 1)
        for signed_in in (browser, other):
            self.assertEqual(signed_in.list().status, 401)
            self.assertEqual(signed_in.create().status, 401)
        self.assertEqual(Browser(service).sign_in().status, 401)

    def test_guesses_are_throttled_and_sessions_are_not(self):
        service = self.started("--failures-per-minute", "3")
        browser, guesser = self.signed_in(service), Browser(service)
        statuses = [guesser.sign_in("nonsense").status for _ in range(8)]
        self.assertIn(429, statuses)
        self.assertEqual(browser.list().status, 200)

    def test_over_tls_the_cookie_is_for_this_host_alone(self):
        service = self.started("--public-url", "https://keys.example")
        browser = Browser(service)
        browser.origin = "https://keys.example"
        answer = browser.sign_in(Host="keys.example")
        self.assertEqual(answer.status, 201)
        self.assertRegex(answer.headers["Set-Cookie"], r"^__Host-apikeysd=[0-9a-f]{64}; Path=/; "
                         r"HttpOnly; SameSite=Strict; Secure$")
        self.assertEqual(browser.list(Host="keys.example").status, 200)

    def test_further_hosts(self):
        service = self.started("--allow-host", "keys.internal")
        for host, status in (("keys.internal", 200), ("KEYS.internal:99", 200), ("other", 421)):
            answer = service.request("GET", "/dashboard/", headers={"Host": host})
            self.assertEqual(answer.status, status, host)

    def test_no_demo_no_demo_pages(self):
        service = self.started(demo=False)
        self.assertEqual(service.request("GET", "/demo").status, 404)
        self.assertEqual(service.request("GET", "/").status, 302)
        self.assertEqual(service.request("GET", "/demo/widget-token").status, 404)


if __name__ == "__main__":
    unittest.main()
