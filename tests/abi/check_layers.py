# SPDX-License-Identifier: MIT
"""No object file of the library is in a circle with another one.

usage: check_layers.py NM OBJECT[;OBJECT]...

An arrow runs from the object file that uses a symbol to the one that defines it (as nm tells).
Tarjan's algorithm finds the strongly connected components; each with more than one file is a
circle, and is printed with the symbols that close it.
"""
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


def main():
    nm, paths = sys.argv[1], sys.argv[2].split(";")
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
    print(f"{len(paths)} object files, {count} arrows, {len(found)} circles")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    main()
