# SPDX-License-Identifier: MIT
"""The document of the API, and whether an answer is what it says."""
import json
import os
import re

import jsonschema

PATH = os.path.join(os.path.dirname(__file__), "../../examples/apikeysd/assets/api/openapi.json")
with open(PATH, encoding="utf-8") as file:
    DOCUMENT = json.load(file)


def resolve(part):
    while "$ref" in part:
        found = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def expression_of(path):
    return re.compile("^" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$")


# What is spelled out counts before what stands for anything.
PATHS = sorted(((expression_of(path), item) for path, item in DOCUMENT["paths"].items()),
               key=lambda pair: pair[0].pattern.count("[^/]+"))


def operation(method, target):
    path = target.split("?")[0]
    for expression, item in PATHS:
        if expression.match(path) and method.lower() in item:
            return item[method.lower()]
    return None


def problem_of(method, target, answer):
    """None, or how an answer differs from what the document says of the operation."""
    said = operation(method, target)
    if said is None:
        return None if answer.status in (404, 405) else f"{method} {target} is not documented"
    response = said["responses"].get(str(answer.status))
    if response is None and answer.status < 400:
        return f"{said['operationId']} answered {answer.status}, which is not documented"
    content = resolve(response or said["responses"]["default"]).get("content")
    if content is None:
        return f"{said['operationId']} has a body" if answer.body else None
    schema = {**content["application/json"]["schema"], "components": DOCUMENT["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(answer.json):
        return f"{said['operationId']}: {error.json_path}: {error.message[:400]}"
    return None
