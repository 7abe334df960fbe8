# SPDX-License-Identifier: MIT
"""The REST API: organizations, permissions, roles, users, memberships, widget tokens."""
import base64
import json
import threading
import unittest
import urllib.parse

from rest import NO_KEY, NO_ORGANIZATION, RestTest, TIME, an_id

NO_USER = "user_01EHWNCE74X7JSDV0X3SZ3KJNY"
NO_MEMBERSHIP = "om_01EHWNCE74X7JSDV0X3SZ3KJNY"
MEMBERSHIPS = "/user_management/organization_memberships"
USERS = "/user_management/users"


class Organizations(RestTest):
    def test_created_shown_changed_deleted(self):
        created = self.ask(201, "POST", "/organizations", {
            "name": "Acmé 😀", "external_id": "acme/eu", "metadata": {"tier": "gold", "a": "b"},
            "domain_data": [{"domain": "acme.example", "state": "verified"}]})
        self.assertRegex(created["id"], an_id("org"))
        self.assertRegex(created["created_at"], TIME)
        self.assertRegex(created["domains"][0]["id"], "^org_domain_[0-9a-f]{32}$")
        self.assertEqual(created, {
            "object": "organization", "id": created["id"], "name": "Acmé 😀",
            "domains": [{
                "object": "organization_domain", "domain": "acme.example",
                "id": created["domains"][0]["id"], "organization_id": created["id"],
                "created_at": created["created_at"], "updated_at": created["created_at"]}],
            "metadata": {"tier": "gold", "a": "b"}, "external_id": "acme/eu",
            "created_at": created["created_at"], "updated_at": created["created_at"]})
        path = f"/organizations/{created['id']}"
        self.assertEqual(self.ask(200, "GET", path), created)
        self.assertEqual(self.ask(200, "GET", "/organizations/external_id/acme%2Feu"), created)
        changed = self.ask(200, "PUT", path, {"name": "Acme", "metadata": {"a": None, "c": "d"}})
        self.assertEqual((changed["name"], changed["metadata"], changed["external_id"]),
                         ("Acme", {"tier": "gold", "c": "d"}, "acme/eu"))
        changed = self.ask(200, "PUT", path, {"external_id": None, "domain_data": []})
        self.assertEqual((changed["external_id"], changed["domains"]), (None, []))
        value = self.key(created["id"])["value"]
        self.ask(204, "DELETE", path)
        self.assertIsNone(self.validate(value))
        for method, body in [("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)]:
            self.not_found("Organization", created["id"], method, path, body)
        self.not_found("Organization", "acme/eu", "GET", "/organizations/external_id/acme%2Feu")

    def test_listed_by_domain(self):
        with_domains = lambda name, *domains: self.organization(
            name, domain_data=[{"domain": domain, "state": "verified"} for domain in domains])
        one, two = with_domains("One", "one.example", "both.example"), with_domains("Two", "both.example")
        for i in range(120):  # between them, more than one page of the store's
            self.organization(f"None {i}")
        three = with_domains("Three", "three.example")
        ids = lambda query: [found["id"] for found in
                             self.ask(200, "GET", f"/organizations?{query}")["data"]]
        self.assertEqual(ids("domains=one.example"), [one])
        self.assertEqual(ids("domains=ONE.example"), [one])
        self.assertEqual(ids("domains=both.example"), [two, one])
        self.assertEqual(ids("domains=three.example%2Cone.example"), [three, one])
        self.assertEqual(ids("domains=both.example&search=two"), [two])
        self.assertEqual(ids("domains=both.example&order=asc"), [one, two])
        self.assertEqual(ids("domains=example"), [])
        self.assertEqual(ids("domains=one.exampl"), [])
        pages = self.pages("/organizations?domains=one.example,both.example,three.example", 1)
        self.assertEqual([[found["id"] for found in page] for page in pages], [[three], [two], [one]])
        back = self.ask(200, "GET", f"/organizations?domains=both.example,three.example&before={one}&limit=1")
        self.assertEqual([found["id"] for found in back["data"]], [two])
        self.assertEqual(back["list_metadata"], {"before": two, "after": two})
        counted = self.ask(200, "GET", "/organizations?domains=one.example&include=api_key_count")
        self.assertEqual(counted["data"][0]["api_key_count"], 0)
        self.invalid([("cursor_unknown", "after")], "GET",
                     f"/organizations?domains=one.example&after={NO_ORGANIZATION}")

    def test_what_makes_none(self):
        post = lambda body, *errors: self.invalid(list(errors), "POST", "/organizations", body)
        post({}, ("required", "name"))
        post({"name": ""}, ("invalid", "name"))
        post({"name": "x" * 256}, ("invalid", "name"))
        post({"name": 1, "external_id": 2, "domain_data": {}, "metadata": []},
             ("invalid", "name"), ("invalid", "external_id"), ("invalid", "domain_data"),
             ("invalid", "metadata"))
        post({"name": "x", "domain_data": ["a.example"]}, ("invalid", "domain_data"))
        for domain in ("a b", "acme", "http://acme.example", "a@acme.example", "127.0.0.1",
                       "-a.example", "a_b.example", "acme.example.", ".example", "ä.example",
                       "x" * 64 + ".example", ""):
            said = self.invalid([("invalid", "domain_data")], "POST", "/organizations", {
                "name": "x", "domain_data": [{"domain": "a.example"}, {"domain": domain}]})
            self.assertIn("a domain name such as acme.example", said[0])
        post({"name": "x", "metadata": {"a": 1}}, ("invalid", "metadata"))
        post({"name": "x", "metadata": {"ä": "b"}}, ("invalid", "metadata"))
        post({"name": "x", "external_id": "x" * 129}, ("invalid", "external_id"))
        self.organization("One", external_id="twice")
        self.refused(409, "external_id_conflict", "POST", "/organizations",
                     {"name": "Two", "external_id": "twice"})

    def test_listed_searched_counted(self):
        made = [self.organization(f"Listed {i}") for i in range(5)][::-1]
        pages = self.pages("/organizations?search=listed", 2)
        self.assertEqual([[one["id"] for one in page] for page in pages],
                         [made[:2], made[2:4], made[4:]])
        for _ in range(3):
            key = self.key(made[1])
        self.ask(204, "DELETE", f"/api_keys/{key['id']}")
        counted = self.ask(200, "GET", "/organizations?search=listed&include=api_key_count")
        self.assertEqual([one["api_key_count"] for one in counted["data"]], [0, 2, 0, 0, 0])
        one = self.ask(200, "GET", f"/organizations/{made[1]}?include=api_key_count")
        self.assertEqual(one["api_key_count"], 2)
        self.assertNotIn("api_key_count", self.ask(200, "GET", f"/organizations/{made[1]}"))


class Repeats(RestTest):
    """A creation whose answer was lost is asked for again with the same Idempotency-Key."""
    KEY = {"Idempotency-Key": "lost"}

    def bodies(self, word):
        user = self.ask(201, "POST", USERS, {"email": "member@acme.example"})["id"]
        return {
            "/organizations": {"name": word, "metadata": {"a": "b"}},
            USERS: {"email": f"{word}@acme.example"},
            MEMBERSHIPS: {"organization_id": self.organization(), "user_id": user},
            "/authorization/permissions": {"slug": f"only:{word}", "name": word},
            "/authorization/roles": {"slug": word, "name": word},
            f"/authorization/organizations/{self.organization()}/roles": {"name": word},
            "/webhook_endpoints": {"endpoint_url": f"https://{word}.example/" + "a" * 1900,
                                   "events": ["api_key.created"]},
        }

    def test_the_same_request_makes_one(self):
        for path, body in self.bodies("once").items():
            with self.subTest(path):
                first = self.ask(201, "POST", path, body, self.KEY)
                self.assertEqual(self.ask(201, "POST", path, body, self.KEY), first)
                ids = [one["id"] for one in self.ask(200, "GET", path)["data"]]
                self.assertEqual(ids.count(first["id"]), 1)
        self.assertEqual(len(self.ask(200, "GET", "/organizations?search=once")["data"]), 1)
        self.assertEqual(len(self.ask(200, "GET", f"{USERS}?email=once@acme.example")["data"]), 1)

    def test_another_request_is_refused(self):
        for path, body in self.bodies("twice").items():
            with self.subTest(path):
                headers = {"Idempotency-Key": "another"}
                self.ask(201, "POST", path, body, headers)
                self.invalid([("idempotency_key_mismatch", "idempotency_key")], "POST", path,
                             {**body, "description": "other"}, headers=headers)

    def test_what_was_refused_can_be_tried_again(self):
        headers = {"Idempotency-Key": "again"}
        self.invalid([("required", "name")], "POST", "/organizations", {}, headers=headers)
        self.ask(201, "POST", "/organizations", {"name": "Again"}, headers)

    def test_another_actor_and_another_path_are_another_request(self):
        scopes = [f"apikeys:{noun}:{verb}" for noun in ("organizations", "documents")
                  for verb in ("read", "write")]
        other = self.ask(201, "POST", "/management_keys", {"name": "x", "permissions": scopes})
        headers = {"Idempotency-Key": "shared"}
        first = self.ask(201, "POST", "/organizations", {"name": "Shared"}, headers)
        second = self.ask(201, "POST", "/organizations", {"name": "Shared"}, headers,
                          token=other["value"])
        self.assertNotEqual(first["id"], second["id"])
        self.ask(201, "POST", USERS, {"email": "shared@acme.example"}, headers)

    def test_a_long_answer_is_repeated_too(self):
        metadata = {f"key{i}": "v" * 400 for i in range(15)}
        headers = {"Idempotency-Key": "long"}
        body = {"name": "Long", "metadata": metadata}
        first = self.ask(201, "POST", "/organizations", body, headers)
        self.assertGreater(len(json.dumps(first)), 4096)
        self.assertEqual(self.ask(201, "POST", "/organizations", body, headers), first)

    def test_keys_of_a_wrong_size(self):
        for text in ("", "x" * 256):
            self.invalid([("invalid", "idempotency_key")], "POST", "/organizations", {"name": "x"},
                         headers={"Idempotency-Key": text})

    def test_many_at_once_make_one(self):
        headers = {"Idempotency-Key": "crowd"}
        answers = []
        ask = lambda: answers.append(
            self.service.api("POST", "/organizations", {"name": "Crowd"}, headers))
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for answer in answers:
            if answer.status != 201:
                self.assertEqual((answer.status, answer.json["code"]),
                                 (409, "idempotency_key_in_flight"))
        self.assertEqual(len({a.json["id"] for a in answers if a.status == 201}), 1)
        self.assertEqual(len(self.ask(200, "GET", "/organizations?search=crowd")["data"]), 1)


class Permissions(RestTest):
    made = 0

    def setUp(self):
        Permissions.made += 1
        self.slug = f"test:{self.made}"
        self.path = f"/authorization/permissions/{self.slug}"

    def create(self, **fields):
        return self.ask(201, "POST", "/authorization/permissions",
                        {"slug": self.slug, "name": "Test", **fields})

    def test_created_shown_changed_deleted(self):
        created = self.create(description="What it is")
        self.assertRegex(created["id"], an_id("perm"))
        self.assertEqual(created, {
            "object": "permission", "id": created["id"], "slug": self.slug, "name": "Test",
            "description": "What it is", "system": False, "resource_type_slug": "organization",
            "available_to_organization_keys": False, "available_to_user_keys": False,
            "created_at": created["created_at"], "updated_at": created["created_at"]})
        self.assertEqual(self.ask(200, "GET", self.path), created)
        self.assertEqual(self.ask(200, "GET", self.path.replace(":", "%3A")), created)
        changed = self.ask(200, "PATCH", self.path, {"name": "Other", "description": None})
        self.assertEqual((changed["name"], changed["description"]), ("Other", None))
        slugs = [one["slug"] for page in self.pages("/authorization/permissions", 2)
                 for one in page]
        self.assertEqual(len(slugs), len(set(slugs)))
        self.assertLess({self.slug, "posts:read", "widgets:api-keys:manage"}, set(slugs))
        self.refused(409, "permission_slug_conflict", "POST", "/authorization/permissions",
                     {"slug": self.slug, "name": "Again"})
        self.refused(409, "permission_slug_conflict", "POST", "/authorization/permissions",
                     {"slug": "widgets:api-keys:manage", "name": "Ours"})
        self.ask(204, "DELETE", self.path)
        for method, body in [("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)]:
            self.not_found("Permission", self.slug, method, self.path, body)

    def test_what_makes_none(self):
        post = lambda body, *errors: self.invalid(list(errors), "POST",
                                                  "/authorization/permissions", body)
        post({}, ("required", "slug"), ("required", "name"))
        self.ask(422, "POST", "/authorization/permissions", {"slug": 1, "name": []})
        for slug in ["", "A", "a b", "ä", "x" * 49, "apikeys:keys:read", "widgets:mine"]:
            post({"slug": slug, "name": "x"}, ("invalid", "slug"))
        post({"slug": self.slug, "name": "x" * 49}, ("invalid", "name"))
        post({"slug": self.slug, "name": "x", "description": "x" * 151}, ("invalid", "description"))

    def test_the_systems_own_stay(self):
        path = "/authorization/permissions/widgets:api-keys:manage"
        self.refused(403, "system_object", "DELETE", path)
        self.refused(403, "system_object", "PATCH", path, {"name": "x"})
        self.refused(403, "system_object", "PUT", path + "/availability",
                     {"organization_keys": True})

    def test_availability(self):
        self.create()
        organization_id = self.organization()
        give = {"name": "x", "permissions": [self.slug]}
        keys = f"/organizations/{organization_id}/api_keys"
        self.invalid([("permission_not_available", "permissions")], "POST", keys, give)
        path = self.path + "/availability"
        shown = lambda organization, user: {"slug": self.slug, "organization_keys": organization,
                                            "user_keys": user}
        self.assertEqual(self.ask(200, "GET", path), shown(False, False))
        self.assertEqual(self.ask(200, "PUT", path, {"organization_keys": True}),
                         shown(True, False))
        value = self.ask(201, "POST", keys, give)["value"]
        self.assertEqual(self.ask(200, "PUT", path, {"user_keys": True}), shown(True, True))
        self.assertEqual(self.ask(200, "PUT", path, {"organization_keys": False}),
                         shown(False, True))
        self.assertEqual(self.ask(200, "GET", path), shown(False, True))
        # It stops new grants only; deleting takes the permission from every key.
        self.assertEqual(self.validate(value)["permissions"], [self.slug])
        self.ask(204, "DELETE", self.path)
        self.assertEqual(self.validate(value)["permissions"], [])
        self.invalid([("invalid", "user_keys")], "PUT",
                     "/authorization/permissions/posts:read/availability", {"user_keys": 1})


class Roles(RestTest):
    def test_of_the_environment(self):
        created = self.ask(201, "POST", "/authorization/roles",
                           {"slug": "auditor", "name": "Auditor"})
        self.assertRegex(created["id"], an_id("role"))
        self.assertEqual(
            {field: created[field] for field in ("object", "slug", "name", "description", "type",
                                                 "resource_type_slug", "permissions")},
            {"object": "role", "slug": "auditor", "name": "Auditor", "description": None,
             "type": "EnvironmentRole", "resource_type_slug": "organization", "permissions": []})
        path = "/authorization/roles/auditor"
        self.assertEqual(self.ask(200, "GET", path), created)
        changed = self.ask(200, "PATCH", path, {"name": "Checker", "description": "d"})
        self.assertEqual((changed["name"], changed["description"]), ("Checker", "d"))
        permissions = lambda method, body: self.ask(200, method, path + "/permissions",
                                                    body)["permissions"]
        self.assertEqual(permissions("PUT", {"permissions": ["posts:write", "posts:read"]}),
                         ["posts:read", "posts:write"])
        self.assertEqual(permissions("POST", {"slug": "posts:delete"}),
                         ["posts:delete", "posts:read", "posts:write"])
        self.assertEqual(permissions("PUT", {"permissions": []}), [])
        listed = self.ask(200, "GET", "/authorization/roles?order=desc&limit=1")
        self.assertEqual(set(listed), {"object", "data"})
        self.assertLessEqual({"admin", "member", "auditor"},
                             {one["slug"] for one in listed["data"]})
        self.refused(409, "role_slug_conflict", "POST", "/authorization/roles",
                     {"slug": "auditor", "name": "Again"})
        self.ask(204, "DELETE", path)
        self.not_found("Role", "auditor", "GET", path)
        self.not_found("Role", "auditor", "PATCH", path, {"name": "x"})
        self.not_found("Role", "auditor", "PUT", path + "/permissions", {"permissions": []})
        self.refused(403, "system_object", "DELETE", "/authorization/roles/admin")

    def test_what_makes_none(self):
        post = lambda body, *errors: self.invalid(list(errors), "POST", "/authorization/roles",
                                                  body)
        post({}, ("required", "slug"), ("required", "name"))
        post({"slug": "org-mine", "name": "x"}, ("invalid", "slug"))
        post({"slug": "A", "name": "x"}, ("invalid", "slug"))
        post({"slug": "x", "name": ""}, ("invalid", "name"))
        put = lambda body, *errors: self.invalid(list(errors), "PUT",
                                                 "/authorization/roles/member/permissions", body)
        put({}, ("required", "permissions"))
        put({"permissions": "x"}, ("invalid", "permissions"))
        put({"permissions": ["no:such"]}, ("unknown_permission", "permissions"))
        put({"permissions": ["a b"]}, ("unknown_permission", "permissions"))
        self.invalid([("required", "slug")], "POST", "/authorization/roles/member/permissions", {})
        self.assertEqual(self.ask(200, "GET", "/authorization/roles/member")["permissions"], [])

    def test_of_an_organization(self):
        organization_id, other_id = self.organization(), self.organization("Other")
        path = f"/authorization/organizations/{organization_id}/roles"
        created = self.ask(201, "POST", path, {"name": "Billing Manager"})
        self.assertEqual((created["slug"], created["type"]),
                         ("org-billing-manager", "OrganizationRole"))
        one = path + "/org-billing-manager"
        self.assertEqual(self.ask(200, "GET", one), created)
        self.ask(200, "PUT", one + "/permissions", {"permissions": ["posts:read"]})
        self.ask(200, "POST", one + "/permissions", {"slug": "posts:write"})
        self.assertEqual(self.ask(200, "DELETE", one + "/permissions/posts:read")["permissions"],
                         ["posts:write"])
        self.assertEqual(self.ask(200, "PATCH", one, {"name": "Billing"})["name"], "Billing")
        self.assertEqual([role["slug"] for role in self.ask(200, "GET", path)["data"]],
                         ["org-billing-manager"])
        self.refused(409, "organization_role_slug_conflict", "POST", path,
                     {"slug": "org-billing-manager", "name": "Again"})
        self.invalid([("invalid", "slug")], "POST", path, {"slug": "mine", "name": "x"})
        self.not_found("Role", "org-billing-manager", "GET",
                       f"/authorization/organizations/{other_id}/roles/org-billing-manager")
        self.assertEqual(self.ask(200, "GET", f"/authorization/organizations/{other_id}/roles"),
                         {"object": "list", "data": []})

    def test_of_an_organization_that_is_none(self):
        path = f"/authorization/organizations/{NO_ORGANIZATION}/roles"
        self.not_found("Organization", NO_ORGANIZATION, "GET", path)
        self.not_found("Organization", NO_ORGANIZATION, "POST", path, {"name": "x"})

    def test_one_that_members_have_stays(self):
        organization_id = self.organization()
        path = f"/authorization/organizations/{organization_id}/roles"
        self.ask(201, "POST", path, {"slug": "org-used", "name": "Used"})
        user_id = self.ask(201, "POST", USERS, {"email": "a@b.example"})["id"]
        membership = self.ask(201, "POST", MEMBERSHIPS, {
            "organization_id": organization_id, "user_id": user_id, "role_slug": "org-used"})
        self.refused(409, "role_has_assignments", "DELETE", path + "/org-used")
        self.ask(204, "DELETE", f"{MEMBERSHIPS}/{membership['id']}")
        self.ask(204, "DELETE", path + "/org-used")
        self.not_found("Role", "org-used", "DELETE", path + "/org-used")


class Members(RestTest):
    def user(self, email="kim@a.example", **fields):
        return self.ask(201, "POST", USERS, {"email": email, **fields})

    def test_users(self):
        created = self.user(first_name="Kim", last_name="Käy")
        self.assertRegex(created["id"], an_id("user"))
        self.assertRegex(created["created_at"], TIME)
        self.assertEqual((created["object"], created["email"], created["first_name"],
                          created["last_name"]), ("user", "kim@a.example", "Kim", "Käy"))
        path = f"{USERS}/{created['id']}"
        self.assertEqual(self.ask(200, "GET", path), created)
        changed = self.ask(200, "PUT", path, {"first_name": None, "email": "kay@a.example"})
        self.assertEqual((changed["first_name"], changed["last_name"], changed["email"]),
                         (None, "Käy", "kay@a.example"))
        found = self.ask(200, "GET", USERS + "?email=kay@a.example")["data"]
        self.assertEqual([user["id"] for user in found], [created["id"]])
        self.assertEqual(self.ask(200, "GET", USERS + "?email=no@a.example")["data"], [])
        for body, error in [({}, ("required", "email")), ({"email": 1}, ("invalid", "email")),
                            ({"email": "nonsense"}, ("invalid", "email")),
                            ({"email": "a@" + "x" * 127}, ("invalid", "email"))]:
            self.invalid([error], "POST", USERS, body)
        self.invalid([("required", "email")], "PUT", path, {"email": None})
        self.invalid([("cursor_unknown", "after")], "GET", f"{USERS}?after={NO_USER}")
        self.ask(204, "DELETE", path)
        for method, body in [("GET", None), ("PUT", {"first_name": "x"}), ("DELETE", None)]:
            self.not_found("User", created["id"], method, path, body)

    def test_metadata_of_a_user(self):
        created = self.user(metadata={"plan": "gold", "seat": "7"})
        self.assertEqual(created["metadata"], {"plan": "gold", "seat": "7"})
        path = f"{USERS}/{created['id']}"
        changed = self.ask(200, "PUT", path, {"metadata": {"seat": None, "team": "é"}})
        self.assertEqual(changed["metadata"], {"plan": "gold", "team": "é"})
        self.assertEqual(self.ask(200, "PUT", path, {"last_name": "x"})["metadata"],
                         {"plan": "gold", "team": "é"})
        for wrong in ([], "x", {"a": 1}, {"": "b"}, {"a" * 41: "b"}, {"a": "b" * 601},
                      {f"k{i}": "v" for i in range(51)}):
            self.invalid([("invalid", "metadata")], "PUT", path, {"metadata": wrong})
        self.assertEqual(self.ask(200, "GET", path)["metadata"], {"plan": "gold", "team": "é"})

    def test_a_user_goes_with_memberships_and_keys(self):
        organization_id, user_id = self.organization(), self.user()["id"]
        self.ask(201, "POST", MEMBERSHIPS,
                 {"organization_id": organization_id, "user_id": user_id})
        value = self.ask(201, "POST", f"{USERS}/{user_id}/api_keys",
                         {"name": "x", "organization_id": organization_id})["value"]
        self.ask(204, "DELETE", f"{USERS}/{user_id}")
        self.assertIsNone(self.validate(value))
        self.assertEqual(self.ask(200, "GET", f"{MEMBERSHIPS}?user_id={user_id}")["data"], [])

    def test_what_is_shown_of_members(self):
        organization_id, user_id = self.organization(), self.user(first_name="Kim")["id"]
        self.ask(201, "POST", MEMBERSHIPS,
                 {"organization_id": organization_id, "user_id": user_id})
        whole = lambda: self.ask(200, "GET", f"{MEMBERSHIPS}?organization_id={organization_id}"
                                             "&include=user")["data"][0]["user"]
        shown = lambda: {field: whole()[field] for field in ("id", "email", "display_name")}
        self.assertEqual(shown(), {"id": user_id, "email": "kim@a.example", "display_name": "Kim"})
        self.ask(200, "PUT", f"{USERS}/{user_id}",
                 {"first_name": None, "last_name": "Käy", "email": "kay@a.example"})
        self.assertEqual(shown(), {"id": user_id, "email": "kay@a.example", "display_name": "Käy"})
        self.ask(200, "PUT", f"{USERS}/{user_id}", {"last_name": None})
        self.assertEqual(shown()["display_name"], "")

    def test_memberships(self):
        organization_id, user_id = self.organization(), self.user()["id"]
        body = {"organization_id": organization_id, "user_id": user_id}
        created = self.ask(201, "POST", MEMBERSHIPS, body)
        self.assertRegex(created["id"], an_id("om"))
        self.assertEqual(created, {
            "object": "organization_membership", "id": created["id"], "user_id": user_id,
            "organization_id": organization_id, "status": "active", "role": {"slug": "member"},
            "roles": [{"slug": "member"}], "directory_managed": False, "custom_attributes": {},
            "created_at": created["created_at"], "updated_at": created["created_at"],
            "user": self.ask(200, "GET", f"{USERS}/{user_id}")})
        elsewhere = self.ask(201, "POST", MEMBERSHIPS,
                             {"organization_id": organization_id, "user_id": "user_elsewhere"})
        self.assertEqual(
            {field: elsewhere["user"][field] for field in ("object", "id", "email", "first_name")},
            {"object": "user", "id": "user_elsewhere", "email": "", "first_name": None})
        self.ask(204, "DELETE", f"{MEMBERSHIPS}/{elsewhere['id']}")
        one = f"{MEMBERSHIPS}/{created['id']}"
        self.assertEqual(self.ask(200, "GET", one), created)
        self.refused(409, "organization_membership_already_exists", "POST", MEMBERSHIPS, body)
        self.assertEqual(self.ask(200, "PUT", one, {"role_slug": "admin"})["role"],
                         {"slug": "admin"})
        several = self.ask(200, "PUT", one, {"role_slugs": ["member", "admin"]})
        self.assertEqual(several["roles"], [{"slug": "admin"}, {"slug": "member"}])
        self.invalid([("role_not_found", "role_slug")], "PUT", one, {"role_slug": "nobody"})
        self.invalid([("role_not_found", "role_slug")], "PUT", one, {"role_slugs": ["a b"]})
        self.invalid([("invalid", "role_slug")], "PUT", one, {"role_slug": 1})
        other = self.organization("Other")
        for query, wanted in [(f"organization_id={organization_id}", [created["id"]]),
                              (f"user_id={user_id}", [created["id"]]),
                              (f"organization_id={other}", []),
                              (f"organization_id={other}&user_id={user_id}", [])]:
            listed = self.ask(200, "GET", f"{MEMBERSHIPS}?{query}")["data"]
            self.assertEqual([member["id"] for member in listed], wanted, query)
        self.ask(204, "DELETE", one)
        for method, more in [("GET", None), ("PUT", {"role_slug": "admin"}), ("DELETE", None)]:
            self.not_found("Organization membership", created["id"], method, one, more)

    def test_listed_by_status_and_by_organization(self):
        organization_id, other = self.organization(), self.organization()
        user_of, made = {}, []
        for i in range(4):
            user = self.ask(201, "POST", USERS, {"email": f"listed{i}@acme.example"})["id"]
            membership = self.ask(201, "POST", MEMBERSHIPS, {
                "organization_id": other if i == 3 else organization_id, "user_id": user})["id"]
            user_of[membership] = user
            made.append(membership)
        self.ask(200, "PUT", f"{MEMBERSHIPS}/{made[1]}/deactivate")
        ids = lambda path: [found["id"] for found in self.ask(200, "GET", path)["data"]]
        listed = lambda statuses: ids(
            f"{MEMBERSHIPS}?organization_id={organization_id}&statuses={statuses}")
        self.assertEqual(listed("active"), [made[2], made[0]])
        self.assertEqual(listed("inactive"), [made[1]])
        self.assertEqual(listed("pending"), [])
        self.assertEqual(listed("inactive,active"), made[2::-1])
        self.assertEqual(ids(f"{MEMBERSHIPS}?user_id={user_of[made[1]]}&statuses=active"), [])
        self.not_found("Organization or user", "", "GET",
                       f"{MEMBERSHIPS}?organization_id={NO_ORGANIZATION}&statuses=active")
        self.invalid([("invalid", "statuses")], "GET", f"{MEMBERSHIPS}?statuses=asleep")
        shown = self.ask(200, "GET", f"{MEMBERSHIPS}?statuses=inactive&include=user")["data"][0]
        self.assertEqual(shown["user"]["email"], "listed1@acme.example")

        users = f"{USERS}?organization_id={organization_id}"
        self.assertEqual(ids(users), [user_of[membership] for membership in made[2::-1]])
        self.assertEqual(ids(f"{users}&email=listed0@acme.example"), [user_of[made[0]]])
        self.assertEqual(ids(f"{users}&email=listed3@acme.example"), [])
        pages = self.pages(users, 2)
        self.assertEqual([len(page) for page in pages], [2, 1])
        self.assertEqual(ids(f"{USERS}?organization_id={NO_ORGANIZATION}"), [])

    def test_a_suspended_member_who_is_made_one_again(self):
        body = {"organization_id": self.organization(), "user_id": self.user()["id"]}
        made = self.ask(201, "POST", MEMBERSHIPS, {**body, "role_slug": "admin"})
        one = f"{MEMBERSHIPS}/{made['id']}"
        self.ask(200, "PUT", one + "/deactivate")
        again = self.ask(201, "POST", MEMBERSHIPS, body)
        self.assertEqual((again["id"], again["status"], again["role"]),
                         (made["id"], "active", {"slug": "admin"}))
        self.ask(200, "PUT", one + "/deactivate")
        self.invalid([("role_not_found", "role_slug")], "POST", MEMBERSHIPS,
                     {**body, "role_slug": "nobody"})
        self.assertEqual(self.ask(200, "GET", one)["status"], "inactive")
        again = self.ask(201, "POST", MEMBERSHIPS, {**body, "role_slug": "member"})
        self.assertEqual((again["status"], again["role"]), ("active", {"slug": "member"}))
        self.refused(409, "organization_membership_already_exists", "POST", MEMBERSHIPS, body)

    def test_memberships_that_are_none(self):
        self.invalid([("required", "organization_id"), ("required", "user_id")], "POST",
                     MEMBERSHIPS, {})
        self.not_found("Organization", NO_ORGANIZATION, "POST", MEMBERSHIPS,
                       {"organization_id": NO_ORGANIZATION, "user_id": self.user()["id"]})
        self.not_found("Organization membership", NO_MEMBERSHIP, "GET",
                       f"{MEMBERSHIPS}/{NO_MEMBERSHIP}")


class UsersByExternalId(RestTest):
    def by(self, external_id):
        return f"{USERS}/external_id/{urllib.parse.quote(external_id, safe='')}"

    def test_the_user_that_has_it_is_found(self):
        user = self.ask(201, "POST", USERS, {"email": "a@b.example", "external_id": "crm/42 ü"})
        self.assertEqual(self.ask(200, "GET", self.by("crm/42 ü")), user)
        self.refused(409, "external_id_conflict", "POST", USERS,
                     {"email": "c@b.example", "external_id": "crm/42 ü"})
        other = self.ask(201, "POST", USERS, {"email": "c@b.example"})
        self.refused(409, "external_id_conflict", "PUT", f"{USERS}/{other['id']}",
                     {"external_id": "crm/42 ü"})
        self.ask(200, "PUT", f"{USERS}/{user['id']}", {"external_id": "crm/43"})
        self.not_found("User", "crm/42 ü", "GET", self.by("crm/42 ü"))
        self.assertEqual(self.ask(200, "GET", self.by("crm/43"))["id"], user["id"])
        self.ask(200, "PUT", f"{USERS}/{other['id']}", {"external_id": "crm/42 ü"})
        self.assertEqual(self.ask(200, "GET", self.by("crm/42 ü"))["id"], other["id"])
        self.ask(204, "DELETE", f"{USERS}/{user['id']}")
        self.not_found("User", "crm/43", "GET", self.by("crm/43"))
        self.ask(201, "POST", USERS, {"email": "d@b.example", "external_id": "crm/43"})
        self.not_found("User", "nobody", "GET", self.by("nobody"))


class WidgetTokens(RestTest):
    SCOPE = "widgets:api-keys:manage"

    def member(self, role):
        organization_id = self.organization()
        user_id = self.ask(201, "POST", USERS, {"email": "a@b.example"})["id"]
        self.ask(201, "POST", MEMBERSHIPS, {
            "organization_id": organization_id, "user_id": user_id, "role_slug": role})
        return organization_id, user_id

    def token(self, **body):
        token = self.ask(201, "POST", "/widgets/token", body)["token"]
        self.values.append(token)
        payload = token.split(".")[1]
        self.assertNotRegex(payload, "[-_]")  # the official widget reads it with atob()
        return token, json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4)))

    def may_list(self, token):
        return self.service.request("GET", "/_widgets/ApiKeys/organization-api-keys",
                                    token=token).status

    def test_with_a_user(self):
        organization_id, user_id = self.member("admin")
        token, claims = self.token(organization_id=organization_id, user_id=user_id,
                                   scopes=[self.SCOPE])
        self.assertEqual((claims["org_id"], claims["sub"], claims["permissions"]),
                         (organization_id, user_id, [self.SCOPE]))
        self.assertEqual(claims["exp"] - claims["iat"], 3600)
        self.assertEqual(self.may_list(token), 200)

    def test_without_an_organization(self):
        organization_id, user_id = self.member("admin")
        token, claims = self.token(user_id=user_id, scopes=[self.SCOPE])
        self.assertEqual((claims["org_id"], claims["sub"]), (organization_id, user_id))
        self.assertEqual(self.may_list(token), 200)
        other = self.organization("Other")
        membership = self.ask(201, "POST", MEMBERSHIPS, {
            "organization_id": other, "user_id": user_id, "role_slug": "admin"})
        unclear = lambda: self.invalid([("required", "organization_id")], "POST", "/widgets/token",
                                       {"user_id": user_id, "scopes": [self.SCOPE]})
        unclear()  # several
        self.ask(200, "PUT", f"{MEMBERSHIPS}/{membership['id']}/deactivate")
        self.assertEqual(self.token(user_id=user_id, scopes=[self.SCOPE])[1]["org_id"],
                         organization_id)
        user_id = self.ask(201, "POST", USERS, {"email": "b@b.example"})["id"]
        unclear()  # none

    def test_without_a_user_or_scopes(self):
        organization_id = self.organization()
        token, _ = self.token(organization_id=organization_id, scopes=[self.SCOPE])
        self.assertEqual(self.may_list(token), 200)
        token, claims = self.token(organization_id=organization_id)
        self.assertEqual(claims["permissions"], [])
        self.assertEqual(self.may_list(token), 403)

    def test_what_makes_none(self):
        organization_id, user_id = self.member("member")
        post = lambda body, *errors: self.invalid(list(errors), "POST", "/widgets/token", body)
        post({}, ("required", "organization_id"))
        post({"organization_id": organization_id, "scopes": "x"}, ("invalid", "scopes"))
        post({"organization_id": organization_id, "scopes": ["posts:read"]}, ("invalid", "scopes"))
        post({"organization_id": organization_id, "user_id": 1}, ("invalid", "user_id"))
        self.refused(403, "permission_not_held", "POST", "/widgets/token", {
            "organization_id": organization_id, "user_id": user_id, "scopes": [self.SCOPE]})
        for identity in [NO_ORGANIZATION, "org_x", NO_KEY, ""]:
            self.not_found("Organization", identity, "POST", "/widgets/token",
                           {"organization_id": identity, "scopes": [self.SCOPE]})
        self.ask(404, "POST", "/widgets/token", {
            "organization_id": organization_id, "user_id": NO_USER, "scopes": [self.SCOPE]})
        other = self.organization("Other")
        self.ask(404, "POST", "/widgets/token", {
            "organization_id": other, "user_id": user_id, "scopes": [self.SCOPE]})


if __name__ == "__main__":
    unittest.main(verbosity=2)
