# SPDX-License-Identifier: MIT
"""Flask: requests need an API key that holds the route's permission."""

import functools
import json
import os
import urllib.request

from flask import Flask, g, jsonify, request

SERVICE = os.environ.get("APIKEYS_URL", "http://127.0.0.1:8787")
MANAGEMENT_KEY = os.environ["APIKEYS_MANAGEMENT_KEY"]

app = Flask(__name__)
posts = {}  # by organization: a key opens its own organization's and no other's


def validate(value):
    """The key with this value, or None if it is none, revoked or expired."""
    question = urllib.request.Request(
        SERVICE + "/api_keys/validations",
        data=json.dumps({"value": value}).encode(),
        headers={"Authorization": "Bearer " + MANAGEMENT_KEY, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(question, timeout=5) as answer:
        return json.load(answer)["api_key"]


def require_api_key(permission):
    def decorate(view):
        @functools.wraps(view)
        def guarded(*args, **kwargs):
            scheme, _, value = request.headers.get("Authorization", "").partition(" ")
            try:
                api_key = validate(value) if scheme.lower() == "bearer" and value else None
            except OSError:
                # The service's trouble, not the client's; and nobody gets in because of it.
                return {"message": "API keys cannot be checked at the moment."}, 503
            if api_key is None:
                return {"message": "Who is it?"}, 401, {"WWW-Authenticate": "Bearer"}
            if permission not in api_key["permissions"]:
                return {"message": f"This needs the permission {permission}."}, 403
            g.api_key = api_key
            return view(*args, **kwargs)

        return guarded

    return decorate


def organization():
    owner = g.api_key["owner"]
    return owner["organization_id"] if owner["type"] == "user" else owner["id"]


@app.get("/posts")
@require_api_key("posts:read")
def list_posts():
    return jsonify(posts.get(organization(), []))


@app.post("/posts")
@require_api_key("posts:write")
def create_post():
    post = request.get_json()
    posts.setdefault(organization(), []).append(post)
    return post, 201


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")))
