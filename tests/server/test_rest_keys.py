# SPDX-License-Identifier: MIT
"""The REST API: keys of organizations and of their members, validations, idempotency."""
import threading
import unittest

from rest import NO_KEY, NO_ORGANIZATION, RestTest, TIME, VALUE, an_id

LATER = "2036-01-15T12:00:00.000Z"
PAST = "2020-01-15T12:00:00.000Z"


class OrganizationKeys(RestTest):
    def setUp(self):
        self.organization_id = self.organization()
        self.path = f"/organizations/{self.organization_id}/api_keys"

    def test_created_shown_listed_validated_revoked(self):
        created = self.key(self.organization_id, "CI deploys",
                           permissions=["posts:write", "posts:read"])
        value = created.pop("value")
        self.assertRegex(value, VALUE)
        self.assertRegex(created["id"], an_id("api_key"))
        self.assertRegex(created["created_at"], TIME)
        self.assertEqual(created, {
            "object": "api_key", "id": created["id"],
            "owner": {"type": "organization", "id": self.organization_id},
            "name": "CI deploys", "obfuscated_value": "sk_..." + value[-4:],
            "last_used_at": None, "expires_at": None, "permissions": ["posts:read", "posts:write"],
            "created_at": created["created_at"], "updated_at": created["created_at"]})
        self.assertEqual(self.ask(200, "GET", f"/api_keys/{created['id']}"), created)
        self.assertEqual(self.ask(200, "GET", self.path), {
            "object": "list", "data": [created], "list_metadata": {"before": None, "after": None}})
        self.assertEqual(self.validate(value), created)
        used = self.validate(value)
        self.assertRegex(used["last_used_at"], TIME)
        self.assertEqual(used["updated_at"], created["updated_at"])
        self.ask(204, "DELETE", f"/api_keys/{created['id']}")
        self.assertIsNone(self.validate(value))
        self.not_found("API Key", created["id"], "DELETE", f"/api_keys/{created['id']}")
        self.assertEqual(self.ask(200, "GET", self.path)["data"], [])

    def test_revoked_keys_are_listed_for_who_asks_and_say_so(self):
        created = self.key(self.organization_id)
        self.ask(204, "DELETE", f"/api_keys/{created['id']}", {"reason": "found in a log"})
        [revoked] = self.ask(200, "GET", self.path + "?revoked=true")["data"]
        self.assertEqual(revoked["revoked_reason"], "found in a log")
        self.assertRegex(revoked["revoked_at"], TIME)
        self.assertEqual(self.ask(200, "GET", f"/api_keys/{created['id']}"), revoked)
        self.assertEqual(self.ask(200, "GET", self.path + "?revoked=false")["data"], [])
        self.invalid([("invalid", "revoked")], "GET", self.path + "?revoked=1")
        self.not_found("API Key", created["id"], "POST", f"/api_keys/{created['id']}/expire")
        self.invalid([("invalid", "reason")], "DELETE", f"/api_keys/{created['id']}", {"reason": 1})

    def test_what_makes_no_key(self):
        wrong = [
            ({}, [("required", "name")]),
            ({"name": None}, [("required", "name")]),
            ({"name": ""}, [("invalid", "name")]),
            ({"name": 5}, [("invalid", "name")]),
            ({"name": "x" * 256}, [("invalid", "name")]),
            ({"name": "a\nb"}, [("invalid", "name")]),
            ({"name": 5, "permissions": "x", "expires_at": 5},
             [("invalid", "name"), ("invalid", "permissions"), ("invalid", "expires_at")]),
            ({"name": "x", "permissions": [1]}, [("invalid", "permissions")]),
            ({"name": "x", "permissions": {}}, [("invalid", "permissions")]),
            ({"name": "x", "permissions": ["no:such"]}, [("unknown_permission", "permissions")]),
            ({"name": "x", "permissions": ["a b"]}, [("unknown_permission", "permissions")]),
            ({"name": "x", "permissions": [""]}, [("unknown_permission", "permissions")]),
            ({"name": "x", "permissions": ["posts:delete"]},
             [("permission_not_available", "permissions")]),
            ({"name": "x", "permissions": ["widgets:api-keys:manage"]},
             [("permission_not_available", "permissions")]),
            ({"name": "x", "expires_at": "tomorrow"}, [("invalid", "expires_at")]),
            ({"name": "x", "expires_at": "2036-02-30T00:00:00Z"}, [("invalid", "expires_at")]),
            ({"name": "x", "expires_at": PAST}, [("invalid", "expires_at")]),
        ]
        for body, errors in wrong:
            with self.subTest(body=body):
                self.invalid(errors, "POST", self.path, body)
        self.ask(422, "POST", self.path, {"name": "x", "permissions": ["apikeys:keys:write"]})
        self.assertEqual(self.ask(200, "GET", self.path)["data"], [])

    def test_names_are_text_whatever_they_say(self):
        for name in ["ä" * 127 + "x", "<b>\"&'</b>", "日本語 😀", "\u200f\u05e9", "a", "x" * 255]:
            with self.subTest(name=name):
                self.assertEqual(self.key(self.organization_id, name)["name"], name)
        for name in ["ä" * 128, "\u202eabc", "a\u2066", "  ", "\u200b"]:
            with self.subTest(name=name):
                self.invalid([("invalid", "name")], "POST", self.path, {"name": name})

    def test_bodies_that_are_no_object(self):
        for body in [b"[]", b"1", b'"x"', b"null", b"{", b'{"name":"a","name":"b"}', b"\xff",
                     b'{"name":"\xff"}', b'{"name":"\\ud800"}', b'{"name":"a\\u0000"}']:
            with self.subTest(body=body):
                self.refused(400, "invalid_json", "POST", self.path, body)
        self.invalid([("required", "name")], "POST", self.path)

    def test_an_organization_that_is_none(self):
        for identity in [NO_ORGANIZATION, "org_x", "nonsense", NO_KEY, "x" * 200]:
            path = f"/organizations/{identity}/api_keys"
            with self.subTest(identity=identity):
                self.not_found("Organization", identity, "GET", path)
                self.not_found("Organization", identity, "POST", path, {"name": "x"})

    def test_expiry(self):
        created = self.key(self.organization_id)
        path = f"/api_keys/{created['id']}/expire"
        expire = lambda body: self.ask(200, "POST", path, body)
        self.assertEqual(expire({"expires_at": LATER})["expires_at"], LATER)
        self.assertIsNone(expire({"expires_at": None})["expires_at"])
        self.assertEqual(expire({"expires_at": "2036-01-15T14:00:00+02:00"})["expires_at"], LATER)
        self.invalid([("invalid", "expires_at")], "POST", path, {"expires_at": "soon"})
        for wrong in (5, True, "2036-01-15", "2036-01-15 12:00:00Z", 1893456000):
            said = self.invalid([("invalid", "expires_at")], "POST", path, {"expires_at": wrong})
            self.assertEqual(said, ['must be a time with its zone: "2026-01-15T12:00:00Z"'])
        self.assertIsNotNone(self.validate(created["value"]))
        over = expire({"expires_at": PAST})
        self.assertGreaterEqual(over["expires_at"], over["created_at"])
        self.assertIsNone(self.validate(created["value"]))
        for body in [None, {}, {"expires_at": None}, {"expires_at": LATER}]:
            self.assertEqual(self.ask(409, "POST", path, body), {
                "code": "api_key_already_expired", "message": "API key is already expired"})
        self.not_found("API Key", NO_KEY, "POST", f"/api_keys/{NO_KEY}/expire")
        for body in [None, {}]:
            other = self.key(self.organization_id, expires_at=LATER)
            self.assertEqual(other["expires_at"], LATER)
            self.ask(200, "POST", f"/api_keys/{other['id']}/expire", body)
            self.assertIsNone(self.validate(other["value"]))

    def test_validations(self):
        created = self.key(self.organization_id)
        for value in ["", "sk_", "x" * 1000, created["value"][:-1], created["value"] + "0",
                      created["value"][:-1] + ("0" if created["value"][-1] != "0" else "1"),
                      "Bearer " + created["value"], "ä", self.service.management_key]:
            with self.subTest(value=value[:6]):
                self.assertEqual(self.ask(200, "POST", "/api_keys/validations", {"value": value}),
                                 {"api_key": None})
        self.invalid([("required", "value")], "POST", "/api_keys/validations", {})
        self.invalid([("invalid", "value")], "POST", "/api_keys/validations", {"value": [1]})

    def test_pages(self):
        made = [self.key(self.organization_id, f"Key {i}")["id"] for i in range(7)]
        newest = made[::-1]
        ids = lambda pages: [[key["id"] for key in page] for page in pages]
        self.assertEqual(ids(self.pages(self.path, 3)), [newest[:3], newest[3:6], newest[6:]])
        self.assertEqual(ids(self.pages(self.path + "?order=desc", 100)), [newest])
        self.assertEqual(ids(self.pages(self.path + "?order=asc", 4)), [made[:4], made[4:]])
        # "normal" is newest first, with the cursors the other way round.
        self.assertEqual(ids(self.pages(self.path + "?order=normal", 3, "before")),
                         [newest[:3], newest[3:6], newest[6:]])
        back = self.ask(200, "GET", f"{self.path}?limit=2&before={newest[4]}")
        self.assertEqual([key["id"] for key in back["data"]], newest[2:4])
        self.assertEqual(back["list_metadata"], {"before": newest[2], "after": newest[3]})
        # A cursor whose key is gone still marks its place.
        self.ask(204, "DELETE", f"/api_keys/{newest[3]}")
        rest = self.ask(200, "GET", f"{self.path}?after={newest[3]}")
        self.assertEqual([key["id"] for key in rest["data"]], newest[4:])

    def test_search(self):
        for name in ["Deploy prod", "deploy test", "Other"]:
            self.key(self.organization_id, name)
        found = self.ask(200, "GET", self.path + "?search=DEPLOY")["data"]
        self.assertEqual([key["name"] for key in found], ["deploy test", "Deploy prod"])
        self.assertEqual(self.ask(200, "GET", self.path + "?search=%25")["data"], [])

    def test_lists_that_are_asked_for_wrongly(self):
        for query, error in [
                ("limit=0", ("invalid", "limit")), ("limit=101", ("invalid", "limit")),
                ("limit=-1", ("invalid", "limit")), ("limit=x", ("invalid", "limit")),
                ("limit=", ("invalid", "limit")), ("limit=1e1", ("invalid", "limit")),
                ("limit=99999999999999999999", ("invalid", "limit")),
                ("order=up", ("invalid", "order")), ("order=DESC", ("invalid", "order")),
                (f"after={NO_KEY}", ("cursor_unknown", "after")),
                ("before=nonsense", ("cursor_unknown", "before")),
                (f"after={self.organization_id}", ("cursor_unknown", "after"))]:
            with self.subTest(query=query):
                self.invalid([error], "GET", f"{self.path}?{query}")
        self.refused(422, "invalid", "GET", f"{self.path}?after={NO_KEY}&before={NO_KEY}")
        self.refused(400, "bad_query", "GET", self.path + "?search=%FF")


class Idempotency(RestTest):
    def setUp(self):
        self.organization_id = self.organization()

    def create(self, status, name="CI", key="once", organization_id=None):
        return self.ask(status, "POST",
                        f"/organizations/{organization_id or self.organization_id}/api_keys",
                        {"name": name}, {"Idempotency-Key": key})

    def test_a_repeat_gives_the_same_key_with_a_new_value(self):
        first = self.create(201)
        self.assertNotIn("replaced", first)
        self.assertEqual(self.create(409)["code"], "idempotency_key_in_flight")
        self.grow_old()
        second = self.create(201)
        self.assertIs(second["replaced"], True)
        self.assertEqual(first["id"], second["id"])
        self.assertIsNone(self.validate(first["value"]))
        self.assertEqual(self.validate(second["value"])["id"], first["id"])
        # It is in use now.
        self.grow_old()
        self.assertEqual(self.create(409), {
            "message": "idempotency_key: the API key that this idempotency key made is already in "
                       f"use: '{first['id']}'.",
            "code": "idempotency_key_used", "entity_id": first["id"]})
        self.assertIsNotNone(self.validate(second["value"]))

    def test_another_request_is_refused(self):
        self.create(201)
        got = self.create(422, name="Other")
        self.assertEqual(got["errors"][0]["code"], "idempotency_key_mismatch")
        self.assertEqual(got["errors"][0]["field"], "idempotency_key")

    def test_it_is_of_one_owner(self):
        other = self.organization("Other")
        self.assertNotEqual(self.create(201)["id"], self.create(201, organization_id=other)["id"])

    def test_a_key_that_is_none(self):
        self.assertEqual(self.create(422, key="x" * 256)["errors"],
                         [{"code": "invalid", "field": "idempotency_key"}])

    def test_many_at_once_make_one_key_whose_value_is_good(self):
        answers = []
        path = f"/organizations/{self.organization_id}/api_keys"

        def create():
            answers.append(self.service.api("POST", path, {"name": "x"}, {"Idempotency-Key": "k"}))
        threads = [threading.Thread(target=create) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual({answer.status for answer in answers}, {201, 409})
        for answer in answers:
            if answer.status == 409:
                self.assertEqual(answer.json["code"], "idempotency_key_in_flight")
        [made] = [answer.json for answer in answers if answer.status == 201]
        self.values.append(made["value"])
        self.assertIsNotNone(self.validate(made["value"]))


class MembersKeys(RestTest):
    def setUp(self):
        self.organization_id = self.organization()
        self.user_id = self.ask(201, "POST", "/user_management/users",
                                {"email": "kim@a.example"})["id"]
        self.membership = self.ask(
            201, "POST", "/user_management/organization_memberships",
            {"organization_id": self.organization_id, "user_id": self.user_id})
        self.path = f"/user_management/users/{self.user_id}/api_keys"

    def create(self, status=201, **fields):
        return self.ask(status, "POST", self.path,
                        {"name": "Mine", "organization_id": self.organization_id, **fields})

    def test_searched_and_listed_with_the_revoked(self):
        kept, revoked = self.create(name="Kept"), self.create(name="Given up")
        self.ask(204, "DELETE", f"/api_keys/{revoked['id']}")
        ids = lambda query: [key["id"] for key in self.ask(200, "GET", self.path + query)["data"]]
        self.assertEqual(ids(""), [kept["id"]])
        self.assertEqual(ids("?search=kEPT"), [kept["id"]])
        self.assertEqual(ids("?search=given"), [])
        shown = self.ask(200, "GET", self.path + "?revoked=true&search=given")["data"]
        self.assertEqual([key["id"] for key in shown], [revoked["id"]])
        self.assertRegex(shown[0]["revoked_at"], TIME)
        self.invalid([("invalid", "revoked")], "GET", self.path + "?revoked=perhaps")

    def test_created_listed_validated_and_gone_with_the_membership(self):
        created = self.create(expires_at=LATER)
        value = created.pop("value")
        self.assertEqual(created["owner"], {"type": "user", "id": self.user_id,
                                            "organization_id": self.organization_id})
        self.assertEqual(created["expires_at"], LATER)
        self.assertEqual(self.ask(200, "GET", self.path)["data"], [created])
        query = f"?organization_id={self.organization_id}"
        self.assertEqual(self.ask(200, "GET", self.path + query)["data"], [created])
        query = f"?organization_id={self.organization('Other')}"
        self.assertEqual(self.ask(200, "GET", self.path + query)["data"], [])
        self.assertEqual(
            self.ask(200, "GET", f"/organizations/{self.organization_id}/api_keys")["data"], [])
        self.assertEqual(self.validate(value), created)
        self.ask(204, "DELETE",
                 f"/user_management/organization_memberships/{self.membership['id']}")
        self.assertIsNone(self.validate(value))

    def test_an_inactive_member_has_no_good_key(self):
        value = self.create()["value"]
        path = f"/user_management/organization_memberships/{self.membership['id']}"
        self.assertEqual(self.ask(200, "PUT", path + "/deactivate")["status"], "inactive")
        self.assertIsNone(self.validate(value))
        self.assertEqual(self.ask(200, "PUT", path + "/reactivate")["status"], "active")
        self.assertIsNotNone(self.validate(value))

    def test_wrong_fields_are_a_bad_request(self):
        # 400, where organizations' keys have 422: so the contract says.
        self.invalid([("required", "organization_id"), ("required", "name")], "POST", self.path, {},
                     status=400)
        self.invalid([("required", "name")], "POST", self.path,
                     {"organization_id": self.organization_id}, status=400)
        self.invalid([("unknown_permission", "permissions")], "POST", self.path,
                     {"organization_id": self.organization_id, "name": "x",
                      "permissions": ["no:such"]}, status=400)

    def test_no_more_than_the_member_holds(self):
        got = self.create(400, permissions=["posts:read"])
        self.assertEqual(got["errors"][0]["code"], "permission_not_held")

    def test_who_is_no_member(self):
        self.ask(404, "POST", self.path,
                 {"name": "x", "organization_id": self.organization("Other")})
        self.ask(404, "POST", self.path, {"name": "x", "organization_id": NO_ORGANIZATION})
        nobody = "user_01EHWNCE74X7JSDV0X3SZ3KJNY"
        self.not_found("User", nobody, "GET", f"/user_management/users/{nobody}/api_keys")


class Errors(RestTest):
    """What every path answers to who may not, and to what is not there."""

    def test_without_a_good_management_key(self):
        customer = self.key(self.organization())["value"]
        for headers in [{}, {"Authorization": "Bearer nonsense"},
                        {"Authorization": "Basic eDp5"}, {"Authorization": f"Bearer {customer}"},
                        {"Authorization": self.service.management_key},
                        {"Authorization": f"Bearer {self.service.widget_token()}"}]:
            for method, path in [("GET", "/organizations"), ("POST", "/api_keys/validations"),
                                 ("GET", "/management_keys"), ("DELETE", f"/api_keys/{NO_KEY}")]:
                with self.subTest(path=path, headers=list(headers.values())):
                    answer = self.service.request(method, path, headers=headers)
                    self.assertEqual(answer.status, 401)
                    self.assertEqual(answer.json,
                                     {"message": "Unauthorized", "code": "unauthorized"})
                    self.assertTrue(answer.headers["X-Request-ID"])

    def test_paths_that_are_none(self):
        for path in ["/nope", "/organizations/", "/organizations//api_keys", "/API_KEYS/x",
                     "/api_keys", "/dashboard/api/../organizations"]:
            with self.subTest(path=path):
                self.assertIn(self.service.api("GET", path).status, (400, 404))
        self.refused(404, "not_found", "GET", "/nope")
        self.refused(400, "bad_path", "GET", "/organizations/%FF")
        self.refused(400, "bad_path", "GET", "/organizations/%0a")

    def test_methods(self):
        answer = self.service.api("PUT", "/organizations", {})
        self.assertEqual(answer.status, 405)
        self.assertEqual(answer.json["code"], "method_not_allowed")
        self.assertEqual(sorted(answer.headers["Allow"].split(", ")), ["GET", "POST"])
        head = self.service.api("HEAD", "/organizations")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertGreater(int(head.headers["Content-Length"]), 2)

    def test_a_management_key_does_what_its_scopes_say(self):
        organization_id = self.organization()
        reader = self.ask(201, "POST", "/management_keys",
                          {"name": "Reader", "permissions": ["apikeys:keys:read"]})["value"]
        path = f"/organizations/{organization_id}/api_keys"
        self.assertEqual(self.ask(200, "GET", path, token=reader)["data"], [])
        for method, path, body in [
                ("GET", "/organizations", None), ("POST", path, {"name": "x"}),
                ("GET", "/environment", None), ("GET", "/events", None),
                ("GET", "/management_keys", None), ("GET", "/authorization/permissions", None),
                ("GET", "/authorization/roles", None), ("GET", "/user_management/users", None),
                ("POST", "/widgets/token", {"organization_id": organization_id})]:
            with self.subTest(path=path):
                self.refused(403, "forbidden", method, path, body, token=reader)
        # Neither does it make a key that may more.
        maker = self.ask(201, "POST", "/management_keys", {
            "name": "Maker", "permissions": ["apikeys:management-keys:write"]})["value"]
        got = self.ask(422, "POST", "/management_keys",
                       {"name": "More", "permissions": ["apikeys:keys:read"]}, token=maker)
        self.assertEqual(got["errors"][0]["code"], "permission_not_held")

    def test_no_answer_repeats_what_was_sent_as_a_value(self):
        value = self.key(self.organization())["value"]
        for body in [b'{"value":"' + value.encode(), b'{"value":["' + value.encode() + b'"]}']:
            self.assertNotIn(value.encode(), self.service.api("POST", "/api_keys/validations",
                                                              body).body)


if __name__ == "__main__":
    unittest.main(verbosity=2)
