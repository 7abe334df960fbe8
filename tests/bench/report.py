#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The raw rounds as a table, as JSON, and as a plot.

    report.py RAW DIRECTORY     reads RAW, writes results.txt, results.json, results.svg there
"""
import json
import os
import platform
import re
import shutil
import subprocess
import sys


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def first_match(pattern, text, default="?"):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else default


def version(package):
    return output_of("pkg-config", "--modversion", package)


def describe_machine():
    cpu = open("/proc/cpuinfo").read()
    memory = int(first_match(r"^MemTotal:\s+(\d+)", open("/proc/meminfo").read(), "0"))
    system = open("/etc/os-release").read() if os.path.exists("/etc/os-release") else ""
    libraries = {name: version(name) for name in (
        "libsodium", "sqlite3", "libjwt", "libmacaroons", "hiredis", "libpq", "libmicrohttpd")}
    libraries["Redis"] = first_match(r"v=(\S+)", output_of("redis-server", "--version"), "")
    return {
        "cpu": first_match(r"^model name\s*:\s*(.*)$", cpu),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20),
        "kernel": platform.release(),
        "system": first_match(r'^PRETTY_NAME="(.*)"', system),
        "compiler": output_of("gcc", "--version").split("\n")[0],
        "load": round(os.getloadavg()[0], 1),
        "commit": output_of("git", "describe", "--always", "--dirty"),
        "date": output_of("date", "-u", "+%Y-%m-%d"),
        "libraries": {name: text for name, text in libraries.items() if text},
    }


# -- Reading ------------------------------------------------------------------------------------

class Results:
    def __init__(self, rows):
        self.rows = rows

    def of(self, scenario, keys=None):
        return [row for row in self.rows
                if row["scenario"] == scenario and (keys is None or row["keys"] == keys)]

    def row(self, scenario, name, keys=None):
        return next((row for row in self.of(scenario, keys) if row["name"] == name), None)

    def value(self, scenario, name, keys=None, field="median"):
        row = self.row(scenario, name, keys)
        return row[field] if row else None

    def key_counts(self, scenario):
        return sorted({row["keys"] for row in self.of(scenario)})


def ratio(a, b):
    return None if a is None or b is None or b == 0 else a / b


# -- Words --------------------------------------------------------------------------------------

def count_words(count):
    return f"{count:,}"


def nanoseconds(value):
    if value is None:
        return "-"
    if value < 1000:
        return f"{value:.0f} ns"
    if value < 1e6:
        return f"{value / 1e3:.{1 if value < 1e5 else 0}f} us"
    return f"{value / 1e6:.{1 if value < 1e8 else 0}f} ms"


def times(value):
    if value is None:
        return "-"
    digits = 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f} x"


def table(headings, rows):
    widths = [max(len(str(row[i])) for row in [headings] + rows) for i in range(len(headings))]
    lines = []
    for row in [headings] + rows:
        cells = [str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  " + "  ".join(cells).rstrip())
    lines.insert(1, "  " + "  ".join("-" * width for width in widths))
    if not any(headings):
        lines = lines[2:]
    return "\n".join(lines)


# -- The sections -------------------------------------------------------------------------------

def validation_section(results, keys):
    floor = results.value("validate", "floor", keys)
    baseline = results.value("validate", "baseline", keys)
    rows = [[row["name"], nanoseconds(row["median"]), times(ratio(row["median"], floor)),
             times(ratio(row["median"], baseline)), nanoseconds(row["wall_median"])]
            for row in results.of("validate", keys)]
    return (f"Validating one value of {count_words(keys)} keys, each as likely\n"
            + table(["", "CPU", "of floor", "of baseline", "elapsed"], rows))


def times_section(results, scenario, title, keys=None):
    rows = [[row["name"], nanoseconds(row["median"]), nanoseconds(row.get("wall_median"))]
            for row in results.of(scenario, keys) if row["unit"] == "ns"]
    return title + "\n" + table(["", "CPU", "elapsed"], rows) if rows else None


def numbers_section(results, scenario, title, keys=None):
    rows = [[row["name"], f'{row["median"]:,.1f} {row["unit"]}']
            for row in results.of(scenario, keys) if row["unit"] != "ns"]
    return title + "\n" + table(["", ""], rows) if rows else None


def figures_section(results, scenario, title, keys=None):
    rows = [[row["name"], nanoseconds(row["median"]) if row["unit"] == "ns"
             else f'{row["median"]:,.0f} {row["unit"]}'] for row in results.of(scenario, keys)]
    return title + "\n" + table(["", ""], rows) if rows else None


def sections(results):
    for keys in results.key_counts("validate"):
        yield validation_section(results, keys)
    for keys in results.key_counts("memory-store"):
        yield times_section(results, "memory-store",
                            f"On the memory back-end, {count_words(keys)} keys", keys)
    for keys in results.key_counts("threads"):
        yield times_section(results, "threads", f"Threads, {count_words(keys)} keys", keys)
    for keys in results.key_counts("changes"):
        yield times_section(results, "changes",
                            f"While another process changes keys, {count_words(keys)} keys", keys)
    for keys in results.key_counts("pages"):
        yield times_section(results, "pages",
                            f"A page of 100 keys, {count_words(keys)} keys", keys)
    yield times_section(results, "create", "Creating a key, durable")
    yield numbers_section(results, "creators", "Creating by several threads at once")
    for keys in results.key_counts("maintain"):
        yield numbers_section(results, "maintain", "Creating a key beside maintenance that revokes "
                              f"all keys for being idle, {count_words(keys)} keys", keys)
    for keys in results.key_counts("http"):
        yield figures_section(results, "http", "Validation over HTTP, keep-alive, beside the same "
                              f"library answering a constant, {count_words(keys)} keys", keys)
    yield figures_section(results, "foreign", "From other languages")
    for keys in results.key_counts("memory"):
        yield numbers_section(results, "memory", f"Memory, {count_words(keys)} keys", keys)
    for keys in results.key_counts("size"):
        yield numbers_section(results, "size", f"Disk, {count_words(keys)} keys", keys)


# -- Goals: what the design asks for, and what this run says ------------------------------------

def at_most(what, limit, value, show=times):
    if value is not None and value >= 0:  # less: there was nothing to measure
        yield what, f"<= {show(limit)}", show(value), value <= limit


def at_least(what, limit, value, show=times):
    if value is not None:
        yield what, f">= {show(limit)}", show(value), value >= limit


def warm_goals(results, scenario, where, keys):
    """The warm path of one back-end against the floor of the same turns."""
    at = f"{where}, {count_words(keys)} keys"
    warm = results.value(scenario, "warm", keys)
    filled = results.value(scenario, "warm, key filled", keys)
    baseline = results.value("validate", "baseline", keys)
    yield from at_most("warm, of the floor" + at, 1.5 if keys < 100000 else 1.0,
                       ratio(warm, results.value(scenario, "floor", keys)))
    yield from at_least("warm, faster than the baseline" + at, 80 if keys < 100000 else 40,
                        ratio(baseline, warm))
    yield from at_most("... filling a key object, more" + at, 30,
                       None if filled is None or warm is None else filled - warm, nanoseconds)
    yield from at_most("batch of 32, of the single call" + at, 0.5,
                       ratio(results.value(scenario, "warm, batch of 32", keys), warm))


def thread_goals(results, scenario, where, keys):
    for what in ("every key", "8 hot keys"):
        rows = [row for row in results.of(scenario, keys) if row["name"].startswith(what)]
        if len(rows) == 2:
            threads = int(first_match(r"(\d+) threads", rows[1]["name"], "2"))
            yield from at_least(f"{threads} threads, {what}{where}, {count_words(keys)} keys",
                                0.95 * threads,
                                threads * ratio(rows[0]["median"], rows[1]["median"]))


def goals(results):
    """(what, goal, figure, whether it is reached) in the order of the design's table."""
    for keys in results.key_counts("validate"):
        def cost(name, count=keys):
            return results.value("validate", name, count)
        at, baseline = f", {count_words(keys)} keys", cost("baseline")
        yield from warm_goals(results, "validate", "", keys)
        yield from at_most("cold, of the baseline" + at, 1.0, ratio(cost("cold"), baseline))
        yield from at_most("cold in a batch, of the baseline" + at, 0.6,
                           ratio(cost("cold, batch of 32"), baseline))
        yield from at_most("unknown, of the baseline" + at, 1.0, ratio(cost("unknown"), baseline))
        yield from at_most("malformed" + at, 500, cost("malformed"), nanoseconds)
    for keys in results.key_counts("threads"):
        yield from thread_goals(results, "threads", "", keys)
    for keys in results.key_counts("memory-store"):
        yield from warm_goals(results, "memory-store", " (memory back-end)", keys)
        yield from thread_goals(results, "memory-store", " (memory back-end)", keys)
    for keys in results.key_counts("changes"):
        yield from at_least(f"throughput during 100 changes a second, {count_words(keys)} keys",
                            0.9, ratio(results.value("changes", "quiet", keys),
                                       results.value("changes", "during changes", keys)))
    yield from at_most("create, of a bare INSERT", 1.3,
                       ratio(results.value("create", "create", field="wall_median"),
                             results.value("create", "bare INSERT", field="wall_median")))
    yield from at_least("8 creators, of one", 3.0,
                        ratio(results.value("creators", "8 creators"),
                              results.value("creators", "1 creator")))
    for keys in results.key_counts("maintain"):
        yield from at_most(f"the longest creation beside maintenance, {count_words(keys)} keys",
                           200, results.value("maintain", "longest creation", keys),
                           lambda ms: f"{ms:,.0f} ms")
    for keys in results.key_counts("http"):
        yield from at_least("validation over HTTP, of a constant: requests", 0.85,
                            ratio(results.value("http", "validation, requests", keys),
                                  results.value("http", "constant, requests", keys)))
        yield from at_least("... and by server CPU", 0.85,
                            ratio(results.value("http", "constant, server CPU", keys),
                                  results.value("http", "validation, server CPU", keys)))
    for keys in results.key_counts("memory"):
        for name, limit in (("decision only", 128), ("with key objects", 384)):
            yield from at_most(f"memory per cached key, {name}, {count_words(keys)} keys", limit,
                               results.value("memory", "per cached key, " + name, keys),
                               lambda value: f"{value:.0f} bytes")
    for keys in results.key_counts("size"):
        yield from at_most(f"store per key, {count_words(keys)} keys", 400,
                           results.value("size", "stored per key", keys),
                           lambda value: f"{value:.0f} bytes")


def goals_section(results):
    rows = [[what, goal, figure, "yes" if reached else "no"]
            for what, goal, figure, reached in goals(results)]
    return "Goals\n" + table(["", "goal", "here", "reached"], rows)


# -- Writing ------------------------------------------------------------------------------------

def machine_section(machine):
    libraries = ", ".join(f"{name} {text}" for name, text in machine["libraries"].items())
    return (f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
            f"{machine['system']}, Linux {machine['kernel']}\n"
            f"{machine['compiler']}; {libraries}\n"
            f"{machine['date']}, commit {machine['commit']}; load average at the end "
            f"{machine['load']}"
            + (", so others were at work here\n" if machine["load"] > machine["cores"] else "\n") +
            "CPU: processor time of a call in this process and in the server that it asks, the\n"
            "median of interleaved rounds. What else the machine did meanwhile moves nanoseconds;\n"
            "ratios to the floor and the baseline of the same run are what to look at.")


def is_shown(row):
    return not any(word in row["name"] for word in ("unknown", "malformed", "filled", "thread"))


def bar_name(row):
    return ("libapikeys, " if row["group"] == "libapikeys" else "") + row["name"]


def write_plot(results, machine, directory):
    """A bar for each contender, on a logarithmic scale, for the most keys that all ran with."""
    counts = [keys for keys in results.key_counts("validate")
              if results.row("validate", "Redis", keys)] or results.key_counts("validate")
    if not counts or not shutil.which("gnuplot"):
        return
    keys = counts[-1]
    bars = [(bar_name(row), row) for row in results.of("validate", keys) if is_shown(row)]
    bars += [(bar_name(row) + ", memory back-end", row) for row in results.of("memory-store", keys)
             if is_shown(row) and row["name"] == "warm"]
    bars.sort(key=lambda bar: -bar[1]["median"])
    lines = []
    for i, (name, row) in enumerate(bars):
        colour = {"libapikeys": 0x1A7F37, "reference": 0x57606A}.get(row["group"], 0xA8B0B8)
        lines.append(f'"{name}" {i} {row["median"]} {colour} "{nanoseconds(row["median"])}"')
    data = os.path.join(directory, "plot.data")
    with open(data, "w") as file:
        file.write("\n".join(lines) + "\n")
    script = f'''
set terminal svg size 760,{90 + 26 * len(bars)} font "sans-serif,12" background "white"
set output "results.svg"
set title "CPU time of one validation, {count_words(keys)} keys (logarithmic)"
set logscale x
set xrange [10:{bars[0][1]['median'] * 8}]
set yrange [-0.7:{len(bars) - 0.3}]
set format x ""
unset xtics
set border 2
set ytics nomirror
set bmargin 3
unset key
set label "{machine['cpu']}, {machine['date']}: sh tests/bench/run.sh" at screen 0.98, screen 0.04 right textcolor rgb "#57606a" font ",9"
plot "plot.data" using (10):2:(10):3:($2-0.36):($2+0.36):4:ytic(1) with boxxyerror fill solid 1.0 noborder linecolor rgb variable title "", \\
     "" using ($3*1.15):2:5 with labels left title ""
'''
    subprocess.run(["gnuplot", "-"], input=script, text=True, check=True, cwd=directory)
    os.remove(data)


def main():
    raw, directory = sys.argv[1:3]
    os.makedirs(directory, exist_ok=True)
    with open(raw) as file:
        results = Results([json.loads(line) for line in file if line.strip()])
    machine = describe_machine()
    text = "\n\n".join(filter(None, [machine_section(machine), goals_section(results),
                                     *sections(results)]))
    with open(os.path.join(directory, "results.txt"), "w") as file:
        file.write(text + "\n")
    with open(os.path.join(directory, "results.json"), "w") as file:
        rows = ",\n".join(json.dumps(row) for row in results.rows)
        file.write('{"machine": %s,\n"rows": [\n%s\n]}\n' % (json.dumps(machine), rows))
    write_plot(results, machine, directory)


if __name__ == "__main__":
    main()
