# SPDX-License-Identifier: MIT
"""Calls from Python by ctypes: an empty one, and a validation. Arguments: see run.sh."""
import ctypes
import json
import struct
import sys
import time

library, store, rounds, calls = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
lib = ctypes.CDLL(library)
pointer = ctypes.c_void_p
lib.apikeys_key_new.restype = pointer
lib.apikeys_open_sqlite.argtypes = [ctypes.POINTER(pointer), ctypes.c_char_p, pointer, pointer]
lib.apikeys_close.argtypes = [pointer]
lib.apikeys_value_max.restype = ctypes.c_size_t
lib.apikeys_validate.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t, pointer, pointer,
                                 pointer, pointer]

env = pointer()
if lib.apikeys_open_sqlite(ctypes.byref(env), (store + "/keys.db").encode(), None, None) != 0:
    sys.exit("cannot open the store")
with open(store + "/values", "rb") as file:
    data = file.read(64 * 1000)
values = []
for at in range(0, len(data), 64):
    length, = struct.unpack_from("<H", data, at)
    values.append(data[at + 2:at + 2 + length])
validate, empty, key = lib.apikeys_validate, lib.apikeys_value_max, lib.apikeys_key_new()
sequence = [values[i % len(values)] for i in range(calls)]


def time_empty():
    begun = time.thread_time_ns()
    for _ in sequence:
        empty()
    return (time.thread_time_ns() - begun) / calls


def time_validations():
    wrong = 0
    begun = time.thread_time_ns()
    for value in sequence:
        wrong += validate(env, value, len(value), None, None, key, None)
    if wrong:
        sys.exit("wrong answers")
    return (time.thread_time_ns() - begun) / calls


time_validations()
figures = {"empty call": [], "validation": []}
for _ in range(rounds):
    figures["empty call"].append(time_empty())
    figures["validation"].append(time_validations())
for what, found in figures.items():
    print(json.dumps({"scenario": "foreign", "group": "libapikeys",
                      "name": "Python, ctypes: " + what, "keys": 1000, "unit": "ns",
                      "median": sorted(found)[len(found) // 2], "rounds": found}))
lib.apikeys_close(env)
