# SPDX-License-Identifier: MIT
"""APIKEYS_NUL works as the length of every text that goes in.

usage: check_texts.py CDEF INCLUDE CC LIBRARY SCRATCH

Reads the declarations (apikeys.cdef) and writes a program that calls each function with a text and
its length, once with the length and once with APIKEYS_NUL, on fresh objects: both must give the same
result. The text ends at the end of a page that is followed by one without access, so that a function
which takes APIKEYS_NUL for a length is found by a wrong result or by a crash.
"""
import os
import re
import subprocess
import sys

# A text that the function accepts, where "acme" is not one.
TEXTS = {
    ("apikeys_organization_add_domain", "domain"): "acme.example",
    ("apikeys_actor_set_member", "organization_id"): "org_01H00000000000000000000000",
    ("apikeys_document_set_body", "body"): "{}",
    ("apikeys_member_set_email", "text"): "a@acme.example",
    ("apikeys_validate_authorization", "header"): "Bearer acme",
}
# Not callable with the arguments made below; each says why.
LEFT_OUT = {
    "apikeys_record_set_text": "its field must be one of the record's kind: unit.record",
    "apikeys_query_new": "builds an object from five numbers: unit.query",
    "apikeys_query_set_contains": "its field must be one of the query's kind: unit.query",
}
PAIR = re.compile(r"^const char \*(\w+)$")


def functions(cdef):
    for match in re.finditer(r"^([\w\s]+?[\s\*]+)(apikeys_\w+)\(([^;{}]*?)\)\s*;", cdef, re.MULTILINE):
        arguments = [" ".join(a.split()) for a in match[3].split(",")]
        pairs = [i for i in range(len(arguments) - 1)
                 if PAIR.match(arguments[i]) and re.match(r"^size_t \w+$", arguments[i + 1])]
        if pairs:
            yield match[1].strip(), match[2], arguments, pairs


def argument(name, index, arguments, pairs, nul):
    """(declarations, expression, clean-up) of one argument."""
    text = arguments[index]
    if index in pairs:
        word = TEXTS.get((name, PAIR.match(text)[1]), "acme")
        return "", f'at_the_end("{word}")', ""
    if index - 1 in pairs:
        word = TEXTS.get((name, PAIR.match(arguments[index - 1])[1]), "acme")
        return "", "APIKEYS_NUL" if nul else str(len(word)), ""
    match = re.match(r"^(?:const )?apikeys_(\w+) \*\w+$", text)
    if match:
        noun = match[1]
        if noun == "env":
            return "", "env", ""
        if noun == "error":
            return "", "NULL", ""
        variable = f"object{index}"
        more = ""
        if noun == "actor" and not name.startswith("apikeys_actor_"):
            more = f'apikeys_actor_set_system({variable}, "test", 4); '
        if noun == "actor" and name == "apikeys_actor_add_permission":
            more = f'apikeys_actor_set_vouched_member({variable}, "org_01H00000000000000000000000", 30, "u", 1); '
        return (f"apikeys_{noun} *{variable} = apikeys_{noun}_new(); {more}", variable,
                f"apikeys_{noun}_free({variable}); ")
    if re.match(r"^(size_t|int|int64_t|uint64_t|int32_t) \*\w+$", text):
        kind = text.split(" ")[0]
        return f"{kind} out{index} = 0; ", f"&out{index}", ""
    if re.match(r"^char \*\w+$", text):
        return f"char buffer{index}[4096]; ", f"buffer{index}", ""
    if re.match(r"^size_t \w+$", text):
        return "", "4096", ""
    if re.match(r"^(int|int64_t|uint64_t|int32_t) \w+$", text):
        return "", "1", ""
    if "(*" in text or text.startswith("void *") or text.startswith("const void *"):
        return "", "NULL", ""
    sys.exit(f"{name}: no argument for '{text}': teach it to this script")


def call(result, name, arguments, pairs, nul):
    parts = [argument(name, i, arguments, pairs, nul) for i in range(len(arguments))]
    return (f"  {{ apikeys_env *env = open_environment(); {''.join(p[0] for p in parts)}"
            f"int rc = (int){name}({', '.join(p[1] for p in parts)}); "
            f"{result} = rc; {''.join(p[2] for p in parts)}apikeys_close(env); }}\n")


HEAD = r"""
#include <apikeys.h>
#include <apikeys/document.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The text, its NUL being the last byte of a page; the next page cannot be read. */
static const char *at_the_end(const char *text) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = strlen(text) + 1;
  char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE) != 0)
    exit(2);
  return memcpy(memory + page - size, text, size);
}

static apikeys_env *open_environment(void) {
  apikeys_env *env = NULL;
  if (apikeys_open_memory(&env, NULL, NULL) != 0)
    exit(2);
  return env;
}

static int compare(const char *name, int with_length, int with_nul) {
  if (with_length == with_nul)
    return 0;
  printf("%s: %d with the length, %d with APIKEYS_NUL\n", name, with_length, with_nul);
  return 1;
}

int main(void) {
  int failed = 0, with_length = 0, with_nul = 0;
"""


def main():
    cdef_path, include, compiler, library, scratch = sys.argv[1:6]
    with open(cdef_path, encoding="utf-8") as file:
        cdef = file.read()
    body, count = HEAD, 0
    for _, name, arguments, pairs in functions(cdef):
        if name in LEFT_OUT:
            print(f"left out: {name}: {LEFT_OUT[name]}")
            continue
        count += 1
        body += call("with_length", name, arguments, pairs, False)
        body += call("with_nul", name, arguments, pairs, True)
        body += f'  failed += compare("{name}", with_length, with_nul);\n'
    if count < 60:
        sys.exit(f"only {count} functions with a text: these are not the library's declarations")
    body += "  return failed != 0;\n}\n"
    os.makedirs(scratch, exist_ok=True)
    source, program = os.path.join(scratch, "texts.c"), os.path.join(scratch, "texts")
    with open(source, "w", encoding="utf-8") as file:
        file.write(body)
    subprocess.run([compiler, "-std=gnu11", "-w", f"-I{include}", "-o", program, source, library,
                    f"-Wl,-rpath,{os.path.dirname(library)}"], check=True)
    result = subprocess.run([program], check=False)
    print(f"{count} functions")
    sys.exit(result.returncode)


if __name__ == "__main__":
    main()
