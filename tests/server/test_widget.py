# SPDX-License-Identifier: MIT
"""The widget's endpoints: origins, tokens that are none, and other organizations' keys."""
import base64
import json

from rest import NO_KEY, RestTest, an_id
from service import Service

KEYS = "/_widgets/ApiKeys/organization-api-keys"
ORIGIN = "https://app.acme.example"
WIDGET_HEADERS = ["authorization", "content-type", "idempotency-key", "workos-widgets-type",
                  "workos-widgets-version"]


class WidgetTest(RestTest):
    flags = ("--allow-origin", ORIGIN)

    def token_for(self, organization, **fields):
        token = self.ask(201, "POST", "/widgets/token", {
            "organization_id": organization, "scopes": ["widgets:api-keys:manage"],
            **fields})["token"]
        self.values.append(token)
        return token

    def widget(self, status, method, path, body=None, token=None, origin=ORIGIN, headers=None):
        answer = self.service.request(method, path, body, {"Origin": origin, **(headers or {})},
                                      token=token)
        self.assertEqual(answer.status, status, answer)
        return answer


class Origins(WidgetTest):
    def preflight(self, origin, path=KEYS, method="DELETE"):
        return self.service.request("OPTIONS", path, headers={
            "Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ",".join(WIDGET_HEADERS)})

    def test_preflight(self):
        answer = self.preflight(ORIGIN)
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertIn("DELETE", answer.headers["Access-Control-Allow-Methods"])
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        for header in WIDGET_HEADERS:
            self.assertIn(header, allowed)
        self.assertIn("Origin", answer.headers["Vary"])
        self.assertIsNotNone(answer.headers["Access-Control-Max-Age"])
        self.assertIsNone(answer.headers["Access-Control-Allow-Credentials"])

    def test_an_origin_that_is_not_ours(self):
        for origin in ("https://evil.example", "null", ORIGIN + ".evil.example", ORIGIN + ":444",
                       ORIGIN.upper(), "http://app.acme.example"):
            for answer in (self.preflight(origin), self.widget(403, "GET", KEYS, origin=origin)):
                self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
                self.assertIn("Origin", answer.headers["Vary"])

    def test_errors_can_be_read_by_the_page(self):
        """Early ones too, which come before anybody was asked who they are."""
        token = self.token_for(self.organization())
        for status, method, path, body, headers in [
                (403, "GET", KEYS, None, {}),
                (403, "GET", KEYS, None, {"Authorization": "Bearer wrong"}),
                (403, "GET", KEYS, None, {"Authorization": "Basic eDp5"}),
                (404, "GET", "/_widgets/ApiKeys/no/such/path", None, {}),
                (405, "PUT", KEYS, b"{}", {}),
                (400, "GET", KEYS + "?search=%00", None, {}),
                (400, "POST", KEYS, b"{", {"Authorization": f"Bearer {token}"}),
                (413, "POST", KEYS, b" " * 70000, {}),
                (422, "POST", KEYS, b"{}", {"Authorization": f"Bearer {token}"})]:
            with self.subTest(status=status, path=path, headers=headers):
                answer = self.widget(status, method, path, body, headers=headers)
                self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN)
                self.assertIn("application/json", answer.headers["Content-Type"])
                self.assertIn("message", answer.json)
                self.assertTrue(answer.headers["X-Request-ID"])

    def test_the_rest_of_the_api_is_for_no_page(self):
        for path in ("/organizations", "/api_keys/validations", "/dashboard/session"):
            for method in ("OPTIONS", "GET"):
                answer = self.service.request(method, path, headers={"Origin": ORIGIN})
                self.assertIsNone(answer.headers["Access-Control-Allow-Origin"], path)


class Tokens(WidgetTest):
    def refused(self, token):
        self.widget(403, "GET", KEYS, token=token)

    def test_tampered_with(self):
        token = self.token_for(self.organization())
        head, claims, signature = token.split(".")

        def encoded(value):
            text = json.dumps(value, separators=(",", ":")).encode()
            return base64.urlsafe_b64encode(text).decode().rstrip("=")
        body = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        other = self.organization("Other")
        for forged in [
                f"{head}.{encoded({**body, 'org_id': other})}.{signature}",
                f"{head}.{encoded({**body, 'exp': body['exp'] + 3600})}.{signature}",
                f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
                f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{claims}.{signature}",
                f"{head}.{claims}", f"{head}.{claims}.", f".{claims}.{signature}",
                f"{token}.", f"{token}A", token[:-1], token[1:], token + "=", "..", ".", "a.b.c",
                f"{head}.{claims}.{'A' * len(signature)}", token * 40]:
            self.refused(forged)
        for i in range(0, len(token), 7):  # any one character
            self.refused(token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:])
        self.widget(200, "GET", KEYS, token=token)

    def test_another_service_s(self):
        other = Service()
        token = other.widget_token()
        self.assertEqual(other.stop(), 0)
        self.refused(token)

    def test_of_another_kind(self):
        """No key opens the widget, and no widget token the API."""
        organization = self.organization()
        token = self.token_for(organization)
        self.refused(self.service.management_key)
        self.refused(self.key(organization)["value"])
        for method, path in (("GET", "/organizations"), ("GET", f"/organizations/{organization}"),
                             ("POST", "/api_keys/validations"), ("GET", "/events"),
                             ("POST", "/widgets/token"), ("GET", "/webhook_endpoints")):
            body = {"value": "x"} if method == "POST" else None
            self.assertEqual(self.service.request(method, path, body, token=token).status, 401)

    def test_ends_with_the_organization(self):
        organization = self.organization()
        token = self.token_for(organization)
        self.widget(200, "GET", KEYS, token=token)
        self.ask(204, "DELETE", f"/organizations/{organization}")
        self.refused(token)


class Repeats(WidgetTest):
    def create(self, status, path, key, name="CI"):
        return self.widget(status, "POST", path,
                           {"name": name, "permissions": [], "expiresAt": None}, self.token,
                           headers={"Idempotency-Key": key})

    def check(self, path):
        first = self.create(201, path, "once").json
        early = self.create(409, path, "once")
        self.assertEqual(early.json["code"], "idempotency_key_in_flight")
        self.assertEqual(early.headers["Retry-After"], "10")
        self.assertIn("Retry-After", early.headers["Access-Control-Expose-Headers"])
        self.grow_old()
        second = self.create(201, path, "once").json
        self.assertEqual((second["id"], second["replaced"]), (first["id"], True))
        self.assertNotIn("replaced", first)
        self.assertIsNone(self.validate(first["value"]))
        self.assertIsNotNone(self.validate(second["value"]))
        self.grow_old()
        self.assertEqual(self.create(409, path, "once").json["code"], "idempotency_key_used")
        wrong = self.create(422, path, "once", "Other").json
        self.assertEqual([e["code"] for e in wrong["errors"]], ["idempotency_key_mismatch"])
        empty = self.create(422, path, "x" * 256).json
        self.assertEqual([e["field"] for e in empty["errors"]], ["idempotency_key"])
        self.values += [first["value"], second["value"]]

    def test_of_an_organizations_key(self):
        self.token = self.token_for(self.organization())
        self.check(KEYS)

    def test_of_a_members_key(self):
        self.token = self.service.widget_token()
        self.check("/_widgets/UserApiKeys/api-keys")


class OtherOrganizations(WidgetTest):
    def test_keys_of_others_are_not_there(self):
        ours, theirs = self.organization("Ours"), self.organization("Theirs")
        token = self.token_for(ours)
        key = self.key(theirs, "Theirs alone")
        mine = self.widget(201, "POST", KEYS, {"name": "Mine", "permissions": [],
                                               "expiresAt": None}, token=token).json
        self.values.append(mine["value"])
        self.assertRegex(mine["id"], an_id("api_key"))
        for identity in (key["id"], NO_KEY, "x", "..", "%2e%2e", key["value"]):
            for method, path in (("DELETE", f"/_widgets/ApiKeys/{identity}"),
                                 ("POST", f"/_widgets/ApiKeys/{identity}/expire")):
                answer = self.service.request(method, path, {} if method == "POST" else None,
                                              token=token)
                self.assertIn(answer.status, (400, 404), f"{path}: {answer}")
        listed = self.widget(200, "GET", KEYS, token=token).json["data"]
        self.assertEqual([row["name"] for row in listed], ["Mine"])
        self.assertEqual(self.widget(200, "GET", KEYS + "?search=theirs", token=token).json["data"],
                         [])
        self.assertEqual(self.validate(key["value"])["id"], key["id"])


if __name__ == "__main__":
    import unittest
    unittest.main()
