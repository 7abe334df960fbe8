#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""HTTP validation by apikeysd, beside the same HTTP library answering a constant; raw rows on the
standard output.

    run.py APIKEYSD CONSTANT_SERVER STORE KEYS ROUNDS SECONDS

STORE is a folder that `bench fill` made. The servers take turns, both with the same requests, the
same number of threads and keep-alive connections.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

THREADS = 2
CONNECTIONS = 32
VALUES = 10000
HERE = os.path.dirname(os.path.abspath(__file__))


def read_values(store):
    """The file that bench_set_save() writes: entries of 64 bytes, their length in front."""
    with open(os.path.join(store, "values"), "rb") as file:
        data = file.read(64 * VALUES)
    values = []
    for at in range(0, len(data), 64):
        length, = struct.unpack_from("<H", data, at)
        values.append(data[at + 2:at + 2 + length].decode())
    return values


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(path, process):
    for _ in range(300):
        if os.path.exists(path):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("apikeysd does not start")


def start_ours(program, store, scratch):
    ready, key = os.path.join(scratch, "ready"), os.path.join(store, "management-key")
    process = subprocess.Popen(
        [program, "--listen", "127.0.0.1:0", "--database", os.path.join(store, "keys.db"),
         "--threads", str(THREADS), "--ready-file", ready, "--management-key-file", key,
         "--log-level", "error"], stdout=subprocess.DEVNULL)
    wait_for(ready, process)
    return process, json.load(open(ready))["url"], open(key).read().strip()


def start_constant(program):
    process = subprocess.Popen([program, str(THREADS)], stdout=subprocess.PIPE, text=True)
    return process, f"http://127.0.0.1:{process.stdout.readline().strip()}"


def check(url, value, key):
    """That the right answer is measured."""
    request = urllib.request.Request(
        url + "/api_keys/validations", json.dumps({"value": value}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer " + key})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.load(answer)["api_key"]
    if found is None or not found["obfuscated_value"].endswith(value[-4:]):
        sys.exit("apikeysd did not find the key")


def load(process, url, values_file, key, seconds):
    before = cpu_seconds(process)
    out = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s",
         os.path.join(HERE, "requests.lua"), url, "--", values_file, key],
        capture_output=True, text=True, check=True).stdout
    result = json.loads(out.strip().split("\n")[-1])
    if result["errors"] > 0:
        sys.exit(f"{url}: {result['errors']} errors")
    result["cpu_ns"] = (cpu_seconds(process) - before) * 1e9 / result["requests"]
    result["rate"] = result["requests"] * 1e6 / result["microseconds"]
    return result


def median(values):
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def emit(group, name, keys, unit, values):
    print(json.dumps({"scenario": "http", "group": group, "name": name, "keys": keys, "unit": unit,
                      "median": median(values), "rounds": [round(value, 1) for value in values]}))


def main():
    ours, constant, store, keys, rounds, seconds = sys.argv[1:7]
    keys, rounds, seconds = int(keys), int(rounds), int(seconds)
    values = read_values(store)
    servers, figures = [], {"constant": [], "validation": []}
    with tempfile.TemporaryDirectory() as scratch:
        try:
            process, url, key = start_ours(ours, store, scratch)
            servers.append(process)
            other, other_url = start_constant(constant)
            servers.append(other)
            check(url, values[0], key)
            values_file = os.path.join(scratch, "values")
            with open(values_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write("\n".join(values) + "\n")
            load(process, url, values_file, key, 1)  # every connection, cache and page once
            for _ in range(rounds):
                figures["constant"].append(load(other, other_url, values_file, key, seconds))
                figures["validation"].append(load(process, url, values_file, key, seconds))
        finally:
            for server in servers:
                server.terminate()
                server.wait()
    for name, rows in figures.items():
        group = "libapikeys" if name == "validation" else "reference"
        emit(group, f"{name}, requests", keys, "requests/s", [row["rate"] for row in rows])
        emit(group, f"{name}, server CPU", keys, "ns", [row["cpu_ns"] for row in rows])
        emit(group, f"{name}, 99th percentile", keys, "us", [row["p99"] for row in rows])


if __name__ == "__main__":
    main()
