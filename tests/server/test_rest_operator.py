# SPDX-License-Identifier: MIT
"""The REST API: events, management keys, the environment's settings."""
import unittest

from rest import NO_KEY, NO_ORGANIZATION, RestTest, TIME, VALUE, an_id

LATER = "2036-01-15T12:00:00.000Z"
DAY_MS = 24 * 60 * 60 * 1000


class Events(RestTest):
    def setUp(self):
        self.organization_id = self.organization()

    def events(self, query="", status=200):
        return self.ask(status, "GET", f"/events?organization_id={self.organization_id}{query}")

    def names(self, query=""):
        return [event["event"] for event in self.events(query)["data"]]

    def test_what_happened_to_a_key(self):
        created = self.key(self.organization_id)
        created.pop("value")
        path = f"/api_keys/{created['id']}"
        updated = self.ask(200, "POST", path + "/expire", {"expires_at": LATER})
        self.ask(204, "DELETE", path)
        types = "&events=api_key.created,api_key.updated,api_key.revoked"
        listed = self.events(types)
        self.assertEqual(listed["list_metadata"], {"before": None, "after": None})
        first, second, third = listed["data"]
        self.assertRegex(first["id"], an_id("event"))
        self.assertRegex(first["created_at"], TIME)
        self.assertRegex(first["context"]["actor"]["id"], an_id("api_key"))
        self.assertEqual(first, {
            "object": "event", "id": first["id"], "event": "api_key.created", "data": created,
            "created_at": first["created_at"],
            "context": {"actor": {"id": first["context"]["actor"]["id"], "source": "api",
                                  "name": "First management key"}}})
        self.assertEqual(second["event"], "api_key.updated")
        self.assertEqual(second["data"], {**updated, "previous_attributes": {"expires_at": None}})
        self.assertEqual(third["event"], "api_key.revoked")
        self.assertEqual(third["data"]["id"], created["id"])
        self.assertEqual(self.ask(200, "GET", f"/events/{first['id']}"), first)

    def test_three_spellings_of_types(self):
        key = self.key(self.organization_id)["id"]
        self.ask(204, "DELETE", f"/api_keys/{key}")
        wanted = ["api_key.created", "api_key.revoked"]
        for query in ["&events=api_key.created%2Capi_key.revoked",
                      "&events=api_key.created&events=api_key.revoked",
                      "&events[]=api_key.created&events[]=api_key.revoked",
                      "&events%5B%5D=api_key.created&events=api_key.revoked,"]:
            self.assertEqual(self.names(query), wanted, query)
        everything = ["organization.created", *wanted]
        self.assertEqual(self.names(), everything)
        self.assertEqual(self.names("&events="), everything)
        self.assertEqual(self.names("&order=desc"), everything[::-1])

    def test_a_cursor_and_times(self):
        keys = [self.key(self.organization_id)["id"] for _ in range(5)]
        path = f"/events?organization_id={self.organization_id}&events=api_key.created"
        walked = [event for page in self.pages(path, 2) for event in page]
        self.assertEqual([event["data"]["id"] for event in walked], keys)
        since = walked[3]["created_at"]
        for event in self.ask(200, "GET", f"{path}&range_start={since}")["data"]:
            self.assertGreaterEqual(event["created_at"], since)
        self.assertEqual(self.ask(200, "GET", f"{path}&range_end=2020-01-01T00:00:00Z")["data"], [])
        before = f"{path}&range_end={walked[-1]['created_at']}"
        self.assertLessEqual(len(self.ask(200, "GET", before)["data"]), 5)
        self.assertEqual(self.ask(200, "GET", "/events?organization_id=" + NO_ORGANIZATION)["data"],
                         [])

    def test_asked_for_wrongly(self):
        event = self.events()["data"][0]["id"]
        for query, error in [
                ("&events=api_key.created,no.such", ("unknown_event_type", "events")),
                ("&events=management_key.created", ("unknown_event_type", "events")),
                ("&range_start=yesterday", ("invalid", "range_start")),
                ("&range_end=2026-13-01T00:00:00Z", ("invalid", "range_end")),
                ("&limit=0", ("invalid", "limit")), ("&order=newest", ("invalid", "order")),
                ("&after=nonsense", ("cursor_unknown", "after")),
                (f"&after={NO_KEY}", ("cursor_unknown", "after"))]:
            with self.subTest(query=query):
                self.invalid([error], "GET",
                             f"/events?organization_id={self.organization_id}{query}")
        self.refused(422, "invalid", "GET",
                     f"/events?after={event}&range_start=2020-01-01T00:00:00Z")
        self.not_found("Event", "event_x", "GET", "/events/event_x")

    def test_types_that_never_happen_here_match_nothing(self):
        self.key(self.organization_id)
        path = f"/events?organization_id={self.organization_id}&limit=100&events="
        self.assertEqual(self.ask(200, "GET", path + "dsync.user.created,user.updated")["data"], [])
        got = self.ask(200, "GET", path + "api_key.created,connection.activated")["data"]
        self.assertEqual({event["event"] for event in got}, {"api_key.created"})
        wrong = self.ask(422, "GET", path + "api_key.created,api_key.creatd")
        self.assertIn("api_key.creatd", wrong["errors"][0]["message"])

    def test_no_value_and_no_person_is_in_an_event(self):
        value = self.key(self.organization_id)["value"]
        user_id = self.ask(201, "POST", "/user_management/users",
                           {"email": "secret@a.example", "first_name": "Hidden"})["id"]
        self.ask(201, "POST", "/user_management/organization_memberships",
                 {"organization_id": self.organization_id, "user_id": user_id})
        text = self.service.api("GET", f"/events?organization_id={self.organization_id}&limit=100"
                                       "&include=operator_events").body.decode()
        for hidden in [value, value[3:40], "secret@a.example", "Hidden"]:
            self.assertNotIn(hidden, text)


class ManagementKeys(RestTest):
    def create(self, *scopes, status=201, token=None, **fields):
        return self.ask(status, "POST", "/management_keys",
                        {"name": "Host", "permissions": list(scopes), **fields}, token=token)

    def test_created_listed_used_revoked(self):
        created = self.create("apikeys:keys:read", "apikeys:organizations:write")
        value = created.pop("value")
        self.assertRegex(value, VALUE)
        self.assertEqual(created["owner"], {"type": "environment"})
        self.assertEqual(created["permissions"],
                         ["apikeys:keys:read", "apikeys:organizations:write"])
        path = f"/management_keys/{created['id']}"
        self.assertEqual(self.ask(200, "GET", path), created)
        names = [key["name"] for key in self.ask(200, "GET", "/management_keys")["data"]]
        self.assertIn("First management key", names)
        found = self.ask(200, "GET", "/management_keys?search=hOs&limit=1")["data"]
        self.assertEqual([key["id"] for key in found], [created["id"]])
        self.ask(201, "POST", "/organizations", {"name": "x"}, token=value)
        self.ask(204, "DELETE", path, {"reason": "gone"})
        self.ask(401, "POST", "/organizations", {"name": "x"}, token=value)
        self.not_found("Management key", created["id"], "DELETE", path)
        self.assertEqual(self.ask(200, "GET", path)["revoked_reason"], "gone")

    def test_they_expire(self):
        created = self.create("apikeys:keys:read", expires_at=LATER)
        path = f"/management_keys/{created['id']}/expire"
        self.assertIsNone(self.ask(200, "POST", path, {"expires_at": None})["expires_at"])
        self.ask(200, "POST", path)
        self.ask(401, "GET", "/organizations", token=created["value"])
        self.refused(409, "api_key_already_expired", "POST", path)

    def test_they_stay_out_of_what_customers_see(self):
        created = self.create("apikeys:keys:read")
        self.assertEqual(self.ask(200, "POST", "/api_keys/validations",
                                  {"value": created["value"]}), {"api_key": None})
        path = f"/api_keys/{created['id']}"
        self.not_found("API Key", created["id"], "GET", path)
        self.not_found("API Key", created["id"], "DELETE", path)
        self.not_found("API Key", created["id"], "POST", path + "/expire")
        self.ask(403, "GET", "/organizations", token=created["value"])  # it is good still
        customer = self.key(self.organization())["id"]
        self.not_found("Management key", customer, "GET", f"/management_keys/{customer}")
        self.not_found("Management key", customer, "DELETE", f"/management_keys/{customer}")
        newest = lambda query: self.ask(200, "GET", "/events?order=desc&limit=100" + query)["data"]
        public = newest("")
        self.assertFalse([event for event in public
                          if event["event"].startswith(("management_key.", "environment."))])
        self.assertNotIn(created["id"], [event["data"].get("id") for event in public])
        [event] = [event for event in newest("&include=operator_events"
                                             "&events=management_key.created")
                   if event["data"]["id"] == created["id"]]
        self.not_found("Event", event["id"], "GET", f"/events/{event['id']}")
        self.assertEqual(self.ask(200, "GET", f"/events/{event['id']}?include=operator_events"),
                         event)

    def test_the_last_one_is_let_go_of_only_by_force(self):
        first = [key for key in self.ask(200, "GET", "/management_keys?limit=100")["data"]
                 if "apikeys:management-keys:write" in key["permissions"]]
        self.assertEqual(len(first), 1)
        path = f"/management_keys/{first[0]['id']}"
        for method, to, body in [("DELETE", path, None), ("POST", path + "/expire", {}),
                                 ("DELETE", path + "?force=yes", None)]:
            self.refused(409, "last_management_key", method, to, body)
        lesser = self.create("apikeys:management-keys:read")["value"]
        self.ask(403, "DELETE", path + "?force=true", token=lesser)
        self.assertIsNone(self.ask(200, "GET", path)["expires_at"])

    def test_what_makes_none(self):
        self.invalid([("required", "name")], "POST", "/management_keys", {})
        got = self.create("posts:read", status=422)
        self.assertEqual(got["errors"][0]["code"], "unknown_permission")


class Environment(RestTest):
    def patch(self, body, status=200):
        return self.ask(status, "PATCH", "/environment", body)

    def tearDown(self):
        self.patch({"prefix": "sk", "accepted_prefixes": ["sk"], "max_lifetime_ms": 0,
                    "expiry_required": False, "max_keys_per_owner": None})

    def test_shown_and_changed(self):
        usual = {"object": "environment", "prefix": "sk", "accepted_prefixes": ["sk"],
                 "max_lifetime_ms": 0, "idle_lifetime_ms": 0, "max_keys_per_owner": 0,
                 "event_retention_ms": 0, "expiry_required": False, "grants_must_be_held": False}
        self.assertEqual(self.ask(200, "GET", "/environment"), usual)
        self.assertEqual(self.patch({}), usual)
        self.assertEqual(self.patch({"max_keys_per_owner": 2, "grants_must_be_held": True}),
                         {**usual, "max_keys_per_owner": 2, "grants_must_be_held": True})
        self.assertEqual(self.patch({"max_keys_per_owner": None, "grants_must_be_held": False}),
                         usual)

    def test_policies_hold(self):
        organization_id = self.organization()
        path = f"/organizations/{organization_id}/api_keys"
        self.patch({"expiry_required": True, "max_lifetime_ms": DAY_MS})
        self.invalid([("expiry_required", "expires_at")], "POST", path, {"name": "x"})
        self.invalid([("lifetime_too_long", "expires_at")], "POST", path,
                     {"name": "x", "expires_at": LATER})
        self.patch({"expiry_required": False, "max_lifetime_ms": None, "max_keys_per_owner": 1})
        self.key(organization_id)
        self.refused(409, "api_key_limit_reached", "POST", path, {"name": "x"})

    def test_prefixes(self):
        organization_id = self.organization()
        old = self.key(organization_id)["value"]
        changed = self.patch({"prefix": "acme_live"})
        self.assertEqual(changed["accepted_prefixes"], ["acme_live", "sk"])
        new = self.key(organization_id)["value"]
        self.assertTrue(new.startswith("acme_live_"))
        for value in (old, new):
            self.assertIsNotNone(self.validate(value))
        # The management key that asks begins with "sk_": nobody locks themselves out.
        self.invalid([("in_use_by_management_keys", "accepted_prefixes")], "PATCH", "/environment",
                     {"accepted_prefixes": []})
        self.assertIsNotNone(self.validate(old))
        self.patch({"prefix": "sk", "accepted_prefixes": ["sk"]})
        self.assertIsNone(self.validate(new))

    def test_wrong_settings(self):
        for body, errors in [
                ({"prefix": "_x"}, [("invalid", "prefix")]),
                ({"prefix": 1}, [("invalid", "prefix")]),
                ({"accepted_prefixes": ["sk", "a b"]}, [("invalid", "accepted_prefixes")]),
                ({"accepted_prefixes": "sk"}, [("invalid", "accepted_prefixes")]),
                ({"max_lifetime_ms": -1}, [("invalid", "max_lifetime_ms")]),
                ({"max_lifetime_ms": "1", "idle_lifetime_ms": 1.5, "expiry_required": None},
                 [("invalid", "max_lifetime_ms"), ("invalid", "idle_lifetime_ms"),
                  ("invalid", "expiry_required")])]:
            with self.subTest(body=body):
                self.invalid(errors, "PATCH", "/environment", body)


if __name__ == "__main__":
    unittest.main(verbosity=2)
