# SPDX-License-Identifier: MIT
"""What the tests of the REST API have in common: exact answers, and things to ask about."""
import os
import re
import sqlite3
import time

import openapi
from service import ServiceTest, WAIT_SECONDS

NO_ORGANIZATION = "org_01EHWNCE74X7JSDV0X3SZ3KJNY"
NO_KEY = "api_key_01EHWNCE74X7JSDV0X3SZ3KJNY"
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
VALUE = re.compile(r"^sk_[0-9A-Za-z]{54}$")


def an_id(prefix):
    return re.compile(f"^{prefix}_[0-9A-HJKMNP-TV-Z]{{26}}$")


class RestTest(ServiceTest):
    maxDiff = None

    def ask(self, status, method, path, body=None, headers=None, token=None):
        """The answer's JSON. Whatever the status: JSON (but for 204), and the request's id."""
        answer = self.service.request(method, path, body, headers,
                                      token=token or self.service.management_key)
        self.assertEqual(answer.status, status, f"{method} {path}: {answer}")
        self.assertTrue(answer.headers["X-Request-ID"])
        self.assertIsNone(openapi.problem_of(method, path, answer))
        if status == 204:
            self.assertEqual(answer.body, b"")
            return None
        self.assertIn("application/json", answer.headers["Content-Type"])
        if "value" in answer.json:
            self.values.append(answer.json["value"])
        return answer.json

    def refused(self, status, code, method, path, body=None, **others):
        """An error with this code; its message."""
        got = self.ask(status, method, path, body, **others)
        self.assertEqual(got.get("code"), code, got)
        self.assertIsInstance(got["message"], str)
        self.assertNotIn("error", got)  # the official clients take that for OAuth's
        return got["message"]

    def invalid(self, errors, method, path, body=None, status=422, **others):
        """The contract's shape for wrong fields: [(code, field), …]."""
        got = self.ask(status, method, path, body, **others)
        self.assertEqual(got["message"], "Validation failed.")
        self.assertEqual([(error["code"], error["field"]) for error in got["errors"]], errors, got)
        return [error.get("message") for error in got["errors"]]

    def not_found(self, noun, identity, method, path, body=None):
        self.assertEqual(self.ask(404, method, path, body), {
            "message": f"{noun} not found: '{identity}'.", "code": "entity_not_found"})

    def organization(self, name="Acme", **fields):
        return self.ask(201, "POST", "/organizations", {"name": name, **fields})["id"]

    def key(self, organization_id, name="CI", headers=None, **fields):
        return self.ask(201, "POST", f"/organizations/{organization_id}/api_keys",
                        {"name": name, **fields}, headers)

    def validate(self, value):
        return self.ask(200, "POST", "/api_keys/validations", {"value": value})["api_key"]

    def grow_old(self):
        """Ten seconds pass for what is kept of creations."""
        database = sqlite3.connect(os.path.join(self.service.directory, "keys.db"))
        database.execute("UPDATE idempotency_keys SET created_at = created_at - 10000")
        database.commit()
        database.close()

    def until(self, ask):
        """Asks until the answer is true, for what becomes true behind our back; the answer."""
        give_up = time.monotonic() + WAIT_SECONDS
        while not (answer := ask()):
            self.assertLess(time.monotonic(), give_up, "it never became true")
            time.sleep(0.02)
        return answer

    def pages(self, path, limit, cursor="after"):
        """All pages of a list, following a cursor; each page's data."""
        pages, query = [], ""
        while True:
            joint = "&" if "?" in path else "?"
            page = self.ask(200, "GET", f"{path}{joint}limit={limit}{query}")
            self.assertEqual(page["object"], "list")
            self.assertLessEqual(len(page["data"]), limit)
            pages.append(page["data"])
            following = page["list_metadata"][cursor]
            if following is None:
                return pages
            query = f"&{cursor}={following}"
