# SPDX-License-Identifier: MIT
"""The document and the service: the same routes; the answers are checked by every test of rest.py."""
import json
import os
import re
import subprocess
import unittest

import jsonschema

from openapi import DOCUMENT, resolve
from service import ServiceTest

SCHEMES = {"management": [{"managementKey": []}], "widget": [{"widgetToken": []}], "public": []}
# Pages, scripts and the dashboard's sessions are no API.
NOT_DOCUMENTED = re.compile(r"^(/|/demo.*|/dashboard.*|/widget/.*|/favicon.ico)$")


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def fields_of(schema):
    """The names of a body, as known_names.c writes them: nested ones with a dot."""
    schema = resolve(schema)
    for part in schema.get("allOf", ()):
        yield from fields_of(part)
    for name, inner in schema.get("properties", {}).items():
        yield name
        inner = resolve(inner)
        for under in fields_of(inner.get("items", inner)):
            yield f"{name}.{under}"


def all_references(part):
    if isinstance(part, dict):
        if "$ref" in part:
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from all_references(inner)


class Document(unittest.TestCase):
    maxDiff = None

    def test_has_the_routes_that_the_service_has(self):
        routes = {}
        for line in subprocess.check_output([os.environ["PRINT_ROUTES"]], text=True).splitlines():
            method, pattern, access = line.split(" ")
            if not NOT_DOCUMENTED.match(pattern):
                path = re.sub(r":(\w+)", r"{\1}", pattern)
                routes[f"{method} {path}"] = SCHEMES[access]
        self.assertGreater(len(routes), 60)
        self.assertEqual(routes, {f"{method} {path}": operation["security"]
                                  for method, path, operation in operations()})

    def test_has_the_names_that_the_service_has(self):
        """Parameters and fields: what is documented is known, and what is known is documented."""
        lines = subprocess.check_output([os.environ["PRINT_ROUTES"], "names"], text=True)
        known = {}
        for line in lines.splitlines():
            method, pattern, query, body, unused = line.split("\t")
            self.assertFalse(set(unused.split()) & set(query.split() + body.split()), line)
            if not NOT_DOCUMENTED.match(pattern):
                path = re.sub(r":(\w+)", r"{\1}", pattern)
                known[f"{method} {path}"] = (sorted(query.split()), sorted(body.split()))
        documented = {}
        for method, path, operation in operations():
            if operation["security"] == SCHEMES["public"]:
                continue
            query = [resolve(parameter)["name"] for parameter in operation.get("parameters", ())
                     if resolve(parameter)["in"] == "query"]
            content = resolve(operation.get("requestBody", {})).get("content", {})
            fields = fields_of(content["application/json"]["schema"]) if content else ()
            documented[f"{method} {path}"] = (sorted(query), sorted(fields))
        self.assertGreater(len(known), 60)
        self.assertEqual(known, documented)

    def test_is_well_formed(self):
        self.assertEqual(DOCUMENT["openapi"], "3.1.0")
        names = [operation["operationId"] for _, _, operation in operations()]
        self.assertEqual(len(names), len(set(names)))
        tags = {tag["name"] for tag in DOCUMENT["tags"]}
        for method, path, operation in operations():
            self.assertLessEqual(set(operation["tags"]), tags)
            self.assertIn("default", operation["responses"])
            named = [resolve(parameter)["name"] for parameter in operation.get("parameters", ())
                     if resolve(parameter)["in"] == "path"]
            self.assertEqual(named, re.findall(r"{(\w+)}", path), f"{method} {path}")
        for reference in all_references(DOCUMENT):
            self.assertNotIn("$ref", resolve(reference))
        for schema in DOCUMENT["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)


class Served(ServiceTest):
    def test_as_it_is_for_everybody(self):
        answer = self.service.request("GET", "/openapi.json")
        self.assertEqual(answer.status, 200)
        self.assertIn("application/json", answer.headers["Content-Type"])
        self.assertEqual(answer.json, json.loads(json.dumps(DOCUMENT)))


if __name__ == "__main__":
    unittest.main()
