#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_schema - schemas/bots/lines.json names the verbs and keys that verbs.c has"""
import json
import os
import re
import sys

TOP = os.environ.get("TOP") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
NAMES = {"send_keys": "send", "presence_keys": "presence"}


def tables():
    """{table: {key: whether it is required}}, as verbs.c has them."""
    with open(f"{TOP}/components/bots/verbs.c") as f:
        text = f.read()
    for name, body in re.findall(r"struct key (\w+)\[\] = \{(.*?)\n\};", text, re.S):
        yield name, {
            key: "required = true" in rest
            for key, rest in re.findall(r'KEY\(\s*"(\w+)",(.*?)\),\n', body + ",\n", re.S)
        }


def main():
    with open(f"{TOP}/schemas/bots/lines.json") as f:
        schema = json.load(f)["$defs"]
    failed = False
    for name, keys in tables():
        verb = NAMES.get(name, name.removesuffix("_keys"))
        said = set(schema[verb]["properties"]) - {"id"}
        required = {key for key, is_required in keys.items() if is_required}
        if said != set(keys) or set(schema[verb]["required"]) != required:
            print(f"FAIL {verb}: verbs.c has {sorted(keys)}, lines.json {sorted(said)}")
            failed = True
        else:
            print(f"PASS {verb}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
