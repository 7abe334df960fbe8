# SPDX-License-Identifier: MIT
"""The whole of libapikeys from Python, through the shared library alone.

Nothing here is compiled and no header is read: the numbers of the results come from the library.
"""

import ctypes
import gc
import json
import os
import shutil
import sys

LIB = ctypes.CDLL(os.environ["APIKEYS_LIBRARY"])

# -- The binding ------------------------------------------------------------------------------

# One letter per C argument: a pointer, a (pointer, length) of text, a zero-terminated path, int,
# int64_t (l), size_t n, void.
KINDS = {
    "p": [ctypes.c_void_p],
    "t": [ctypes.c_char_p, ctypes.c_size_t],
    "z": [ctypes.c_char_p],
    "i": [ctypes.c_int],
    "l": [ctypes.c_int64],
    "n": [ctypes.c_size_t],
    "v": [None],
}


def bind(name, result, arguments):
    """A Python function for a C one: str or bytes go in as text, lent text comes out copied."""
    function = getattr(LIB, "apikeys_" + name)
    function.restype = KINDS[result][0]
    function.argtypes = [ctype for kind in arguments for ctype in KINDS[kind]]

    def call(*values):
        flat = []
        for kind, value in zip(arguments, values, strict=True):
            if kind == "t":
                data = value.encode() if isinstance(value, str) else value
                flat += [data, len(data) if data else 0]
            elif kind == "z":
                flat.append(value.encode())
            else:
                flat.append(value)
        answer = function(*flat)
        return answer.decode() if isinstance(answer, bytes) else answer

    globals()[name] = call


CLASSES = """actor error filter page key key_spec permission role organization member options
             requirement request""".split()
for noun in CLASSES:
    bind(noun + "_new", "p", "")
    bind(noun + "_free", "v", "p")
for getter in """key_id key_name key_user_id key_organization_id key_permissions key_revoked_reason
                 key_obfuscated_value key_json organization_id event_id event_type
                 event_organization_id event_actor_id event_reason event_data page_after
                 page_before""".split():
    bind(getter, "z", "pp")
for setter in """actor_set_system permission_set_slug permission_set_name role_set_slug
                 role_set_name role_add_permission organization_set_name
                 member_set_organization_id member_set_user_id member_set_display_name
                 member_add_role key_spec_set_organization key_spec_set_name
                 key_spec_add_permission requirement_add_permission filter_set_organization_id
                 filter_set_after filter_set_before""".split():
    bind(setter, "i", "pt")
for getter in "error_message error_field error_subject".split():
    bind(getter, "z", "p")
for create in "permission role organization member".split():
    bind(create + "_create", "i", "pppp")
for listing in "key_list event_list".split():
    bind(listing, "i", "ppppp")
bind("result_count", "n", "")
bind("result_at", "i", "n")
bind("result_name", "z", "i")
bind("result_status", "i", "i")
bind("version_text", "z", "")
bind("value_max", "n", "")
bind("error_code", "i", "p")
bind("actor_set_member", "i", "ptt")
bind("permission_set_available_to_organization_keys", "i", "pi")
bind("open_sqlite", "i", "pzpp")
bind("open_memory", "i", "ppp")
bind("close", "v", "p")
bind("environment_id", "z", "pp")
bind("validate", "i", "ptpppp")
bind("validate_authorization", "i", "ptpppp")
bind("key_require_permission", "i", "pt")
bind("key_create", "i", "ppppp" + "npp")
bind("key_get", "i", "pptpp")
bind("key_revoke", "i", "pp" + "tt" + "pp")
bind("key_created_at_ms", "l", "p")
bind("filter_set_limit", "i", "pi")
bind("filter_set_revoked", "i", "pi")
bind("page_count", "n", "p")
bind("page_key", "p", "pn")
bind("page_event", "p", "pn")
bind("event_number", "l", "p")
bind("prune", "i", "ppl" + "p")
bind("subscription_free", "v", "p")
bind("subscribe", "i", "pppppp")

EVENT_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
DESTROY = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

NAMES = {result_at(i): result_name(result_at(i)) for i in range(result_count())}
ERR = error_new()

# -- Checks -----------------------------------------------------------------------------------


def fail(message):
    sys.exit("python: " + message)


def equal(got, wanted, what):
    if got != wanted:
        fail(f"{what}: {got!r} instead of {wanted!r}")


def check(good, what):
    if not good:
        fail(what)


def result(rc, name, what):
    """A call gave the result of this name."""
    if NAMES.get(rc) != name:
        fail(f"{what}: {NAMES.get(rc, rc)} ({error_message(ERR)}) instead of {name}")


def must(rc, what):
    result(rc, "OK", what)


def failure(rc, name, field, subject, what):
    """A call that takes the error object failed, and the object says the same."""
    result(rc, name, what)
    equal(error_code(ERR), rc, what + ": the error's code")
    equal(error_field(ERR), field, what + ": the error's field")
    equal(error_subject(ERR), subject, what + ": the error's subject")
    check(error_message(ERR), what + ": no message")


# -- The world --------------------------------------------------------------------------------


def opened(open_it, *arguments):
    env = ctypes.c_void_p()
    must(open_it(ctypes.byref(env), *arguments, None, ERR), "open")
    return env


def system_actor():
    actor = actor_new()
    must(actor_set_system(actor, "ffi test"), "system actor")
    return actor


def make_permission(env, actor, slug, available=1):
    permission = permission_new()
    must(permission_set_slug(permission, slug), "slug")
    must(permission_set_name(permission, "May " + slug), "name")
    must(permission_set_available_to_organization_keys(permission, available), "available")
    rc = permission_create(env, actor, permission, ERR)
    permission_free(permission)
    return rc


def make_role(env, actor, slug, *permissions):
    role = role_new()
    must(role_set_slug(role, slug), "role slug")
    must(role_set_name(role, slug.title()), "role name")
    for permission in permissions:
        must(role_add_permission(role, permission), "role permission")
    rc = role_create(env, actor, role, ERR)
    role_free(role)
    return rc


def make_organization(env, actor, name):
    organization = organization_new()
    must(organization_set_name(organization, name), "organization name")
    must(organization_create(env, actor, organization, ERR), "create organization")
    identity = organization_id(organization, None)
    organization_free(organization)
    return identity


def make_member(env, actor, organization, user, role):
    member = member_new()
    must(member_set_organization_id(member, organization), "member's organization")
    must(member_set_user_id(member, user), "member's user")
    must(member_set_display_name(member, "Ada Löwe"), "member's name")
    must(member_add_role(member, role), "member's role")
    rc = member_create(env, actor, member, ERR)
    member_free(member)
    return rc


def make_world(env, system):
    """Permissions, a role, an organization with user_ada, and user_ada as an actor."""
    must(make_permission(env, system, "posts:read"), "posts:read")
    must(make_permission(env, system, "posts:write"), "posts:write")
    must(make_permission(env, system, "internal", 0), "internal")
    must(make_role(env, system, "developer", "widgets:api-keys:manage"), "create role")
    organization = make_organization(env, system, "Acme Corp")
    must(make_member(env, system, organization, "user_ada", "developer"), "create member")
    must(make_member(env, system, organization, "user_eve", "member"), "create member")
    return organization, member_actor(organization, "user_ada")


def member_actor(organization, user):
    actor = actor_new()
    must(actor_set_member(actor, organization, user), "member actor")
    return actor


def make_key(env, actor, organization, name, *permissions, key=None, size=None):
    """The result and the value."""
    size = value_max() if size is None else size
    value = ctypes.create_string_buffer(value_max())
    length = ctypes.c_size_t(0)
    spec = key_spec_new()
    must(key_spec_set_organization(spec, organization), "owner")
    must(key_spec_set_name(spec, name), "key name")
    for permission in permissions:
        must(key_spec_add_permission(spec, permission), "key permission")
    rc = key_create(env, actor, spec, key, value, size, ctypes.byref(length), ERR)
    key_spec_free(spec)
    text = value.value.decode()
    if rc == 0:
        equal(length.value, len(text), "length of the value")
    ctypes.memset(value, 0, len(value))
    return rc, text


def requirement(*permissions):
    need = requirement_new()
    for permission in permissions:
        must(requirement_add_permission(need, permission), "requirement")
    return need


# -- The tests --------------------------------------------------------------------------------


def test_results():
    equal(NAMES[0], "OK", "result 0")
    equal(len(NAMES), result_count(), "every result's number is its own")
    by_name = {name: number for number, name in NAMES.items()}
    check(by_name["REVOKED"] > 0, "refusals are positive")
    check(by_name["ERROR_BUSY"] < 0, "failures are negative")
    equal(result_status(by_name["REVOKED"]), 401, "status of REVOKED")
    equal(result_status(by_name["NOT_PERMITTED"]), 403, "status of NOT_PERMITTED")
    equal(result_name(12345), "UNKNOWN_RESULT", "an unknown number")
    equal(result_status(12345), 503, "an unknown number's status")


def test_validation(env, other, world):
    system, ada, organization = world["system"], world["ada"], world["organization"]
    need_read, need_write = requirement("posts:read"), requirement("posts:write")
    key = key_new()
    rc, value = make_key(env, ada, organization, "CI déploys", "posts:read", key=key)
    must(rc, "ada creates a key")
    identity = key_id(key, None)
    equal(key_name(key, None), "CI déploys", "the name in UTF-8")
    equal(key_permissions(key, None), "posts:read", "the key's permissions")
    equal(key_organization_id(key, None), organization, "the key's organization")
    equal(json.loads(key_json(key, None))["id"], identity, "the key's id as JSON")
    check(value not in key_json(key, None), "the JSON holds the value")

    seen = key_new()
    must(validate(env, value, need_read, None, seen, ERR), "good")
    equal(key_id(seen, None), identity, "the validated key")
    must(key_require_permission(seen, "posts:read"), "require")
    result(key_require_permission(seen, "posts:write"), "NOT_PERMITTED", "require")
    must(validate_authorization(env, "Bearer " + value, None, None, None, None), "header")
    result(validate_authorization(env, "Basic " + value, None, None, None, ERR), "MALFORMED",
           "another scheme")
    length = ctypes.c_size_t(0)
    equal(len(key_name(key, ctypes.byref(length)).encode()), length.value, "length of lent text")
    failure(validate(env, value, need_write, None, seen, ERR), "NOT_PERMITTED", "permissions",
            "posts:write", "not permitted")
    equal(key_id(seen, None), identity, "the key after a refusal")
    damaged = value[:20] + ("y" if value[20] == "x" else "x") + value[21:]
    for text in (damaged, "", "nonsense", value + "\0", value[:-1]):
        result(validate(env, text, need_read, None, None, ERR), "MALFORMED", repr(len(text)))
    result(validate(other, value, need_read, None, None, ERR), "UNKNOWN", "another's key")

    must(key_revoke(env, ada, identity, "leaked", key, ERR), "revoke")
    equal(key_revoked_reason(key, None), "leaked", "the reason")
    result(validate(env, value, need_read, None, None, ERR), "REVOKED", "revoked")
    result(key_revoke(env, system, identity, None, None, ERR), "ERROR_ALREADY_REVOKED", "again")
    for free, thing in ((requirement_free, need_read), (key_free, seen), (key_free, key),
                        (requirement_free, need_write)):
        free(thing)


def test_failures(env, world):
    system, ada, organization = world["system"], world["ada"], world["organization"]
    for name in ("", "a\ab", b"\xff", "n" * 256):
        rc, value = make_key(env, ada, organization, name)
        failure(rc, "ERROR_INVALID_ARGUMENT", "name", "", f"the name {name!r}")
        equal(value, "", "the value of a failed call")
    result(make_key(env, ada, "org_" + "0" * 26, "k")[0], "ERROR_NOT_FOUND", "no such organization")
    failure(make_key(env, ada, organization, "k", "posts:fly")[0], "ERROR_UNKNOWN_PERMISSION",
            "permissions", "posts:fly", "a permission that does not exist")
    failure(make_key(env, ada, organization, "k", "internal")[0],
            "ERROR_PERMISSION_NOT_AVAILABLE", "permissions", "internal", "not available")
    failure(make_key(env, ada, organization, "k", size=value_max() - 1)[0],
            "ERROR_BUFFER_TOO_SMALL", "value", "", "a small buffer")
    result(make_permission(env, system, "posts:read"), "ERROR_EXISTS", "a slug twice")
    eve = member_actor(organization, "user_eve")
    result(make_key(env, eve, organization, "k")[0], "ERROR_NOT_ALLOWED", "eve holds nothing")
    nobody = actor_new()
    result(make_key(env, nobody, organization, "k")[0], "ERROR_ACTOR_UNKNOWN", "nobody")
    ghost = member_actor(organization, "user_ghost")
    result(make_key(env, ghost, organization, "k")[0], "ERROR_ACTOR_UNKNOWN", "a ghost")
    key = key_new()
    result(key_get(env, system, "api_key_00000000000000000000000000", key, ERR),
           "ERROR_NOT_FOUND", "no such key")
    must(make_permission(env, system, "posts:list"), "a good call")
    equal(error_code(ERR), 0, "the error after a good call")
    directory = ctypes.c_void_p()
    result(open_sqlite(ctypes.byref(directory), os.environ["APIKEYS_SCRATCH_DIR"], None, ERR),
           "ERROR_CANNOT_OPEN", "a directory instead of a file")
    check(directory.value is None, "an output was touched by a failed call")
    for actor in (eve, nobody, ghost):
        actor_free(actor)
    key_free(key)
    key_free(None)


def test_listing(env, world):
    system, organization = world["system"], world["organization"]
    made = []
    for i in range(7):
        key = key_new()
        must(make_key(env, system, organization, f"page {i}", key=key)[0], "create")
        made.append(key_id(key, None))
        key_free(key)
    listing, page = filter_new(), page_new()
    must(filter_set_organization_id(listing, organization), "filter")
    must(filter_set_limit(listing, 3), "limit")
    got, sizes = [], []
    while True:
        must(key_list(env, system, listing, page, ERR), "list")
        sizes.append(page_count(page))
        got += [key_id(page_key(page, i), None) for i in range(page_count(page))]
        check(page_key(page, page_count(page)) is None, "an index beyond the count")
        check(page_event(page, 0) is None, "an event on a page of keys")
        after = page_after(page, None)
        if not after:
            break
        must(filter_set_after(listing, after), "cursor")
    equal(sizes, [3, 3, 1], "the pages' sizes")
    equal(got, made[::-1], "the keys, newest first, without the revoked one")
    must(filter_set_after(listing, "api_key_00000000000000000000000000"), "cursor")
    result(key_list(env, system, listing, page, ERR), "ERROR_CURSOR_UNKNOWN", "a wrong cursor")
    filter_free(listing)
    page_free(page)


class Subscription:
    """A subscription, its Python callbacks kept alive until the library lets them go."""

    def __init__(self, env):
        self.events, self.destroyed = [], []
        self.callback = EVENT_CALLBACK(self.on_event)
        self.destroy = DESTROY(self.destroyed.append)
        self.handle = ctypes.c_void_p()
        must(subscribe(env, ctypes.cast(self.callback, ctypes.c_void_p), 4711,
                       ctypes.cast(self.destroy, ctypes.c_void_p), ctypes.byref(self.handle),
                       ERR), "subscribe")

    def on_event(self, event, user_data):
        self.events.append((event_type(event, None), event_actor_id(event, None), user_data,
                            event_number(event)))

    def free(self):
        equal(self.destroyed, [], "destroyed before its end")
        subscription_free(self.handle)
        equal(self.destroyed, [4711], "the destroy hook, exactly once")


def test_events(env, world):
    ada, organization = world["ada"], world["organization"]
    subscription = Subscription(env)
    key = key_new()
    must(make_key(env, ada, organization, "watched", key=key)[0], "create")
    must(key_revoke(env, ada, key_id(key, None), "", None, ERR), "revoke")
    equal([event[:3] for event in subscription.events],
          [("api_key.created", "user_ada", 4711), ("api_key.revoked", "user_ada", 4711)],
          "the events of the subscription")
    subscription.free()
    must(make_key(env, ada, organization, "unwatched")[0], "create")
    equal(len(subscription.events), 2, "events after the subscription's end")
    key_free(key)

    listing, page = filter_new(), page_new()
    must(filter_set_limit(listing, 100), "limit")
    must(event_list(env, world["system"], listing, page, ERR), "list events")
    events = [page_event(page, i) for i in range(page_count(page))]
    numbers = [event_number(event) for event in events]
    equal(numbers, sorted(set(numbers)), "events come in order")
    check(subscription.events[0][3] in numbers, "the subscription's event is in the list")
    equal(event_type(events[0], None), "environment.created", "the first event")
    filter_free(listing)
    page_free(page)


def test_odd_orders(path):
    """Everything outlives its environment, and goes in whatever order."""
    env, system = opened(open_sqlite, path), system_actor()
    organization, ada = make_world(env, system)
    key, page, listing = key_new(), page_new(), filter_new()
    _, value = make_key(env, ada, organization, "survivor", "posts:read", key=key)
    must(filter_set_organization_id(listing, organization), "filter")
    must(key_list(env, ada, listing, page, ERR), "list")
    need = requirement("posts:read")
    subscription = Subscription(env)
    actor_free(ada)
    must(validate(env, value, need, None, key, ERR), "validate")
    close(env)
    equal(key_name(key, None), "survivor", "a key after the close")
    equal(key_name(page_key(page, 0), None), "survivor", "a page after the close")
    filter_free(listing)
    requirement_free(need)
    subscription.free()
    page_free(page)
    env = opened(open_sqlite, path)
    must(validate(env, value, None, None, key, ERR), "the same value after opening again")
    close(env)
    actor_free(system)
    key_free(key)
    close(None)


def resident():
    with open("/proc/self/statm", "rb", buffering=0) as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_memory():
    env, system = opened(open_memory), system_actor()
    organization, ada = make_world(env, system)
    need = requirement("posts:read")
    _, value = make_key(env, ada, organization, "busy", "posts:read")

    forever = 2**52

    def validations(count):
        for _ in range(count):
            key = key_new()
            rc = validate(env, value, need, None, key, ERR)
            if rc != 0:
                must(rc, "validate")
            key_free(key)

    def revocations(count):
        for _ in range(count):
            key = key_new()
            must(make_key(env, ada, organization, "short", "posts:read", key=key)[0], "create")
            must(key_revoke(env, ada, key_id(key, None), "over", key, ERR), "revoke")
            key_free(key)
        must(prune(env, system, forever, ERR), "prune")

    validations(5000)
    revocations(100)
    gc.collect()
    before = resident()
    validations(100_000)
    revocations(400)
    gc.collect()
    grown = resident() - before
    check(grown < 4 << 20, f"resident memory grew by {grown} bytes")
    requirement_free(need)
    actor_free(ada)
    actor_free(system)
    close(env)
    return grown


def main():
    scratch = os.path.join(os.environ["APIKEYS_SCRATCH_DIR"], "data")
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    env = opened(open_sqlite, os.path.join(scratch, "live.db"))
    other = opened(open_sqlite, os.path.join(scratch, "test.db"))
    check(environment_id(env, None) != environment_id(other, None), "two environments, one id")
    system = system_actor()
    organization, ada = make_world(env, system)
    world = {"system": system, "ada": ada, "organization": organization}
    test_results()
    test_validation(env, other, world)
    test_failures(env, world)
    test_listing(env, world)
    test_events(env, world)
    close(other)
    close(env)
    actor_free(system)
    actor_free(ada)
    test_odd_orders(os.path.join(scratch, "odd.db"))
    grown = test_memory()
    error_free(ERR)
    shutil.rmtree(scratch)
    print(f"python: libapikeys {version_text()}, memory grew by {grown} bytes")


main()
