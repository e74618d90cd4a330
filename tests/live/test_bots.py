# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Bots: real programs, in shell, Python and jq, talk to real clients."""
import asyncio
import sys

from lib.ground import check, equal, until
from lib.suite import test

JSON_ECHO = """
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    if e.get("body"):
        print(json.dumps({"reply": e["seq"], "body": "you said: " + e["body"]}))
"""


def bots(**each):
    return {"one.localhost": {"module": "bots", "bots": {"bots": each}}}


@test()
async def a_line_of_shell_is_a_bot(t):
    await t.annex(bots(echo={"exec": ["/bin/sh", "-c", 'echo "you said: $(cat)"']})).start()
    alice = await t.client("alice")
    answer = await alice.say("echo@one.localhost", "hello <&> wörld")
    equal(answer["body"], "you said: hello <&> wörld", "the answer")
    equal(answer["type"], "chat", "its type")


@test()
async def a_program_in_python_needs_no_flush(t):
    await t.annex(bots(echo={"child": [sys.executable, "-c", JSON_ECHO]})).start()
    alice = await t.client("alice")
    for text in "one", "two":
        answer = await alice.say("echo@one.localhost", text)
        equal(answer["body"], f"you said: {text}", "the answer")
