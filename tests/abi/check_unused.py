# SPDX-License-Identifier: MIT
"""Every call that can fail warns a program that ignores its result.

usage: check_unused.py INCLUDE

A call is one that returns int and takes `apikeys_error *err`. Checks (apikeys_key_require,
…_require_permission) count too, since their 0 is a permission.
"""
import glob
import os
import re
import sys


def main():
    include, calls, missing = sys.argv[1], 0, []
    for path in sorted(glob.glob(os.path.join(include, "**", "*.h"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
        for match in re.finditer(r"APIKEYS_API\s+int\s+(apikeys_\w+)\(([^;]*?)\)([^;()]*);", text):
            name, arguments, attributes = match.groups()
            if "apikeys_error *err" in arguments or "_key_require" in name:
                calls += 1
                if "APIKEYS_WARN_UNUSED" not in attributes:
                    missing.append(f"{os.path.basename(path)}: {name}")
    if calls < 50:
        sys.exit(f"only {calls} calls: these are not the library's headers")
    for line in missing:
        print("lacks APIKEYS_WARN_UNUSED:", line)
    print(f"{calls} calls, {len(missing)} without a warning")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
