# SPDX-License-Identifier: MIT
"""Only operation/passed_times.c decides whether a deadline has passed.

usage: check_deadlines.py LIB

Reads every statement of the library's code that compares something with the present time (a name
that contains "now" and is no other word). Each has to be in ALLOWED, which says why it is no
decision about a deadline. A comparison that hides the time under another name is not found.
"""
import pathlib
import re
import sys

HOME = {"operation/passed_times.c", "operation/passed_times.h"}
# File, a piece of the statement, why.
ALLOWED = [
    ("crypto/ids.c", "last_ulid_ms", "keeps the time of an id within its 48 bits"),
    ("domain/keys.c", "ak_object_changed(&spec->object, AK_API_KEY_EXPIRES_AT)",
     "an expiry that is set is not earlier than now: what is stored, not whether it passed"),
    ("domain/key_spec.c", "> max", "how long a key may live at most"),
    ("domain/widget_tokens.c", "ISSUED_LEEWAY_MS", "issued in the future: a beginning, not an end"),
    ("environment/maintenance.c", "< pause", "how often maintenance looks for idle keys"),
    ("storage/storage.c", "until_ms", "how long a transaction may last, monotonic"),
    ("storage/sqlite/connection.c", "busy_until", "a wait for other writers, monotonic"),
    ("storage/sqlite/sqlite.c", "shorten_after", "a pause between attempts, monotonic"),
    ("storage/sqlite/watch.c", "CHECK_EVERY_MS", "how often the files are looked at, monotonic"),
    ("validate/validate.c", "created_at", "a use is not before the creation"),
    ("validate/validate.c", "last_used_at", "a use is not before the last one"),
    ("validate/validate_cached.c", "created_at_ms", "a use is not before the creation"),
    ("validate/validate_cached.c", "AK_ROUGH_MS", "which clock is precise enough"),
]
NOW = re.compile(r"(?<!\*)\b(?:\w+_)?now(?:_\w+)?\b(?!->)")
ASKED = re.compile(r"\bak_(?:may_have_)?passed\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
COMPARISON = re.compile(r"(?<![<>\-])(?:<=|>=|<|>)(?![<>])")


def statements(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(r'"(?:\\.|[^"\\])*"', '""', text)
    text = re.sub(r"^\s*#.*$", " ", text, flags=re.MULTILINE)
    for statement in re.split(r"[;{}]", text):
        yield ASKED.sub("", " ".join(statement.split()))


def main():
    lib = pathlib.Path(sys.argv[1])
    found, used = [], set()
    files = sorted(lib.rglob("*.[ch]"))
    if len(files) < 100:
        sys.exit(f"only {len(files)} files below {lib}: this is not the library")
    for file in files:
        name = file.relative_to(lib).as_posix()
        if name in HOME:
            continue
        for statement in statements(file.read_text(encoding="utf-8")):
            if not (NOW.search(statement) and COMPARISON.search(statement)):
                continue
            why = [entry for entry in ALLOWED if entry[0] == name and entry[1] in statement]
            used.update(why)
            if not why:
                found.append(f"{name}: {statement}")
    for line in found:
        print(f"compares with the present time; ask operation/passed_times.h: {line}")
    stale = [entry for entry in ALLOWED if entry not in used]
    for entry in stale:
        print(f"allowed, but not there any more: {entry[0]}: {entry[1]}")
    sys.exit(bool(found or stale))


if __name__ == "__main__":
    main()
