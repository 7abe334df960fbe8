# SPDX-License-Identifier: MIT
"""No field and no query parameter is ignored in silence: misspelt ones are refused and named."""
import json
import unittest

from rest import RestTest


class Names(RestTest):
    def unknown(self, message, method, path, body=None, status=422, **others):
        got = self.ask(status, method, path, body, **others)
        self.assertEqual(got["message"], message)
        self.assertEqual(got["errors"][0]["code"], "unknown_field")
        self.assertEqual(got["errors"][0]["message"], message)
        self.assertEqual(got["errors"][0]["field"], message.split(":")[0])
        return got

    def test_a_misspelt_expiry_makes_no_key_that_never_expires(self):
        path = f"/organizations/{self.organization()}/api_keys"
        for name in ("expiresAt", "expires-at", "EXPIRES_AT", "expires_in", "expire_at",
                     "expries_at", "Expires At"):
            self.unknown(f"{name}: did you mean expires_at?", "POST", path,
                         {"name": "CI", name: "2036-01-15T12:00:00.000Z"})
        self.unknown("permission: did you mean permissions?", "POST", path,
                     {"name": "CI", "permission": ["posts:read"]})
        self.unknown("nmae: did you mean name?", "POST", path, {"nmae": "CI"})
        self.assertEqual(self.ask(200, "GET", path)["data"], [])

    def test_all_that_is_wrong_is_said_at_once(self):
        got = self.ask(422, "POST", f"/organizations/{self.organization()}/api_keys",
                       {"Name": "CI", "expiresAt": None})
        self.assertEqual([error["field"] for error in got["errors"]], ["Name", "expiresAt"])

    def test_in_the_contract_s_form_400_where_that_has_it(self):
        self.unknown("organizationId: did you mean organization_id?", "POST",
                     "/user_management/users/user_1/api_keys",
                     {"name": "CI", "organizationId": "org_1"}, status=400)

    def test_routes_of_our_own_refuse_whatever_they_do_not_know(self):
        known = "unknown here; known are: name, permissions, expires_at"
        self.unknown(f"scopes: {known}", "POST", "/management_keys",
                     {"name": "CI", "scopes": ["apikeys:keys:read"]})
        self.unknown("expiryRequired: did you mean expiry_required?", "PATCH", "/environment",
                     {"expiryRequired": True})
        self.unknown("page: unknown here; known are: limit, order, before, after, search", "GET",
                     "/management_keys?page=2")
        self.unknown("a: unknown here; none is known", "GET", "/environment?a=1")
        self.unknown("b: unknown here; none is known", "POST",
                     "/webhook_deliveries/whd_1/resend", {"b": 1})

    def test_what_the_contract_has_and_we_do_not_use_is_let_through(self):
        self.ask(201, "POST", "/user_management/users",
                 {"email": "ada@acme.example", "email_verified": True, "password": "x"})
        self.ask(200, "GET", "/authorization/roles?order=desc&limit=10")

    def test_query_parameters(self):
        path = f"/organizations/{self.organization()}/api_keys"
        self.unknown("Limit: did you mean limit?", "GET", path + "?Limit=1")
        self.unknown("orgnizationId: did you mean organization_id?", "GET",
                     "/user_management/organization_memberships?orgnizationId=org_1")
        self.unknown("events_: did you mean events?", "GET", "/events?events_=api_key.created")
        self.ask(200, "GET", "/events?events[]=api_key.created&events[]=api_key.revoked")

    def test_what_comes_twice_is_refused_or_a_list(self):
        self.assertEqual(self.refused(422, "invalid", "GET", "/organizations?limit=1&limit=2"),
                         "limit: given more than once.")
        self.organization("A", domain_data=[{"domain": "a.example", "state": "verified"}])
        self.organization("B", domain_data=[{"domain": "b.example", "state": "verified"}])
        both = self.ask(200, "GET", "/organizations?domains=a.example&domains=b.example")["data"]
        self.assertEqual(sorted(found["name"] for found in both), ["A", "B"])
        self.ask(200, "GET", "/user_management/organization_memberships"
                             "?statuses=active&statuses=inactive&statuses=pending")

    def test_fields_of_fields_but_not_of_metadata(self):
        self.unknown("domain_data.Domain: did you mean domain_data.domain?", "POST",
                     "/organizations", {"name": "A", "domain_data": [{"Domain": "a.example"}]})
        self.organization("A", metadata={"Name": "any", "expiresAt": "any"})

    def test_a_body_that_a_route_does_not_read(self):
        organization_id = self.organization()
        self.ask(204, "DELETE", f"/organizations/{organization_id}", {})

    def test_the_widget_s_are_camel_case(self):
        organization_id = self.organization()
        token = self.ask(201, "POST", "/widgets/token", {
            "organization_id": organization_id, "scopes": ["widgets:api-keys:manage"]})["token"]
        path = "/_widgets/ApiKeys/organization-api-keys"
        self.unknown("expires_at: did you mean expiresAt?", "POST", path,
                     {"name": "CI", "permissions": [], "expires_at": None}, token=token)
        self.ask(201, "POST", path, {"name": "CI", "permissions": [], "expiresAt": None},
                 token=token)

    def test_pages_and_probes_ignore_what_they_do_not_know(self):
        for path in ("/?utm_source=x", "/healthz?x=1", "/readyz?x=1", "/openapi.json?v=2",
                     "/dashboard/keys?code=1&state=2"):
            self.assertEqual(self.service.request("GET", path).status, 200, path)

    def test_a_secret_as_a_name_is_not_repeated(self):
        value = self.key(self.organization())["value"]
        answer = self.service.request("GET", f"/management_keys?{value}=1",
                                      token=self.service.management_key)
        self.assertEqual(answer.status, 422)
        self.assertNotIn(value.encode(), answer.body)

    def test_duplicates_in_a_body_are_refused(self):
        answer = self.service.api("POST", "/management_keys", b'{"name":"a","name":"b"}')
        self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_json"))


class Newer(RestTest):
    def test_routes_of_the_contract_let_newer_names_through_and_log_one_a_minute(self):
        path = f"/organizations/{self.organization()}/api_keys"
        self.ask(201, "POST", path, {"name": "CI", "agent_registration": "a"})
        self.ask(200, "GET", path + "?cursor_of_tomorrow=1")
        line = self.service.wait_for_log(lambda line: "has no effect" in line)
        self.assertIn("agent_registration", json.loads(line)["message"])
        self.assertFalse([line for line in self.service.log if "cursor_of_tomorrow" in line])


if __name__ == "__main__":
    unittest.main()
