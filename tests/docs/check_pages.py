# SPDX-License-Identifier: MIT
"""The pages in the repository: every relative link leads to a file, every test that they name is there.

usage: check_pages.py SOURCE_DIR BUILD_DIR CTEST

A test is named as `suite.name` in a table, or selected by `ctest … -R PATTERN` in code.
"""
import os
import re
import subprocess
import sys

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SELECTION = re.compile(r"ctest --test-dir build -R '?([^'`\s]+)'?[^`]*`")
NAMED = re.compile(
    r"`((?:unit|faults|processes|storage|server|interop|abi|models|fuzz|docs|packaging|ffi|bench"
    r"|headers|constant_time|example)\.[a-z0-9_.+]+)`")


def pages(source):
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders
                      if name == ".github" or not name.startswith((".", "build", "node_modules"))]
        for name in files:
            if name.endswith(".md"):
                yield os.path.join(folder, name)


def tests_of(ctest, build):
    listing = subprocess.run([ctest, "--test-dir", build, "-N"], capture_output=True, text=True,
                             check=True).stdout
    return re.findall(r"^ +Test +#\d+: (\S+)", listing, re.MULTILINE)


def faults(page, text, tests):
    for link in LINK.findall(text):
        if "://" not in link and not link.startswith("mailto:"):
            if not os.path.exists(os.path.join(os.path.dirname(page), link)):
                yield f"links to {link}, which is not there"
    for pattern in SELECTION.findall(text):
        pattern = pattern.replace("\\|", "|")
        if "NAME" not in pattern and not any(re.search(pattern, test) for test in tests):
            yield f"names tests that are not there: {pattern}"
    for name in NAMED.findall(text):
        if name not in tests:
            yield f"names the test {name}, which is not there"


def main():
    source, build, ctest = sys.argv[1:4]
    tests = tests_of(ctest, build)
    bad = checked = 0
    for page in pages(source):
        with open(page, encoding="utf-8") as file:
            text = file.read()
        checked += len(LINK.findall(text)) + len(SELECTION.findall(text)) + len(NAMED.findall(text))
        for fault in faults(page, text, tests):
            print(f"{os.path.relpath(page, source)}: {fault}")
            bad += 1
    print(f"{checked} links and names of tests, {bad} of them wrong")
    if checked < 50:
        sys.exit("too few were found: the patterns no longer fit the pages")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
