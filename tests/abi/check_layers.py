# SPDX-License-Identifier: MIT
"""The library is layered: no circles, and no room uses a room above it.

usage: check_layers.py NM LIB OBJECT[;OBJECT]...

An arrow runs from the object file that uses a symbol to the one that defines it (as nm tells).
Tarjan's algorithm finds the strongly connected components; each with more than one file is a
circle, and is printed with the symbols that close it. The rooms and their order are those of the
list in LIB/README.md; every symbol and every #include must stay in its room or point to one below.
"""
import os
import re
import subprocess
import sys


def symbols(nm, path):
    defined, used = set(), set()
    listing = subprocess.run([nm, "-P", path], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        name, kind = line.split()[:2]
        if kind in "TDBRC":
            defined.add(name)
        elif kind == "U":
            used.add(name)
    return defined, used


def arrows(nm, paths):
    """{file: {file that it uses: symbols}}"""
    table = {path: symbols(nm, path) for path in paths}
    home = {name: path for path, (defined, _) in table.items() for name in defined}
    graph = {}
    for path, (_, used) in table.items():
        graph[path] = {}
        for name in used:
            target = home.get(name)
            if target is not None and target != path:
                graph[path].setdefault(target, []).append(name)
    return graph


def circles(graph):
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph[node]:
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            component = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(component) > 1:
                found.append(component)

    for node in graph:
        if node not in index:
            visit(node)
    return found


def short(path):
    return path.rsplit("/lib/", 1)[-1].removesuffix(".o")


def room(name):
    return name.split("/", 1)[0]


def rooms_of(library):
    """The rooms, top first: the lines `| [name](name) |` of the map."""
    with open(os.path.join(library, "README.md"), encoding="utf-8") as file:
        return re.findall(r"^\| \[(\w+)\]\(\1\) \|", file.read(), flags=re.MULTILINE)


def includes(library):
    """(file, header) for each #include "…" of the library."""
    for folder, _, names in os.walk(library):
        for name in names:
            if name.endswith((".c", ".h")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    for header in re.findall(r'^#include "([^"]+)"', file.read(), re.MULTILINE):
                        yield os.path.relpath(path, library), header


def upward(pairs, order):
    """Those (user, used, how) whose user lies below what it uses."""
    return [(user, used, how) for user, used, how in pairs
            if order.index(room(used)) < order.index(room(user))]


def main():
    nm, library, paths = sys.argv[1], sys.argv[2], sys.argv[3].split(";")
    graph = arrows(nm, paths)
    count = sum(len(targets) for targets in graph.values())
    if len(paths) < 50 or count < 100:
        sys.exit(f"{len(paths)} object files with {count} arrows: these are not the library's")
    found = circles(graph)
    for component in found:
        print("circle:", " ".join(sorted(map(short, component))))
        for path in sorted(component):
            for target, names in sorted(graph[path].items()):
                if target in component:
                    print(f"  {short(path)} -> {short(target)}: {' '.join(sorted(names))}")

    order = rooms_of(library)
    folders = sorted(name for name in os.listdir(library) if os.path.isdir(os.path.join(library, name)))
    if sorted(order) != folders:
        sys.exit(f"README.md lists the rooms {order}, the folders are {folders}")
    pairs = [(short(path), short(target), "uses " + " ".join(sorted(names)))
             for path, targets in graph.items() for target, names in targets.items()]
    included = [(path, header, "includes it") for path, header in includes(library)]
    if len(included) < 200:
        sys.exit(f"{len(included)} includes: these are not the library's")
    wrong = upward(pairs + included, order)
    for user, used, how in wrong:
        print(f"upward: {user} -> {used}: {how}")
    print(f"{len(paths)} object files, {count} arrows, {len(included)} includes, "
          f"{len(found)} circles, {len(wrong)} upward")
    sys.exit(1 if found or wrong else 0)


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    main()
