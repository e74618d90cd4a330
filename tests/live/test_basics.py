# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""What every component answers, through a real server."""
from lib.client import condition
from lib.ground import check, equal
from lib.suite import test


@test()
async def a_message_comes_back(t):
    alice = await t.client("alice")
    answer = await alice.say("echo.localhost", "hello")
    equal(answer["body"], "hello", "the echo")
    equal(answer["type"], "chat", "its type")
