# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
Tests, and their running.

    @test()                     # on each server
    async def a_message_comes_back(t):
        alice = await t.client("alice")

Tests of one server run one after the other, the servers side by side.  t has
what a test needs, and ends what it started: t.annex(...), t.client(...).
"""
import asyncio
import fnmatch
import os
import sys
import time
import traceback

from .annex import Annex
from .client import Client
from .ground import Failure

_tests = []


def test(*servers, bound=60):
    """Register a coroutine function of one argument, for these servers or for all."""

    def register(function):
        _tests.append((function, servers, bound))
        return function

    return register


class Test:
    """What one test has."""

    def __init__(self, ground, server, shared):
        self.ground, self.server, self.shared = ground, server, shared
        self.began = []

    def annex(self, components=None, server=None, **options):
        """An Annex of its own, not started yet."""
        annex = Annex(self.ground, server or self.server, components, **options)
        self.began.append(annex)
        return annex

    async def client(self, user, resource="test"):
        client = Client(self.server, user, resource)
        self.began.append(client)
        return await client.login()

    async def begin(self, thing):
        """Start anything that has to be stopped."""
        self.began.append(thing)
        await thing.start()
        return thing

    async def finish(self, failed):
        """End what began, the latest first; a failure of that is one of the test."""
        problems = []
        for thing in reversed(self.began):
            try:
                if failed and isinstance(thing, Annex):
                    await thing.kill()
                else:
                    await thing.stop()
            except Exception as problem:  # noqa: the others have to end as well
                problems.append(problem)
            if isinstance(thing, Annex):
                thing.forget()
        return problems

    def excerpts(self):
        annexes = [a for a in self.began if isinstance(a, Annex)] or [self.shared]
        return [l for a in annexes if a is not None for l in a.excerpt()] + self.server.excerpt()


async def _try(function, t, bound):
    """None, or what went wrong as lines."""
    wrong = []
    try:
        await asyncio.wait_for(function(t), bound)
    except asyncio.TimeoutError:
        wrong = [f"it was not over within {bound} s"]
    except Failure as failure:
        wrong = str(failure).split("\n")
        frame = traceback.extract_tb(failure.__traceback__)
        own = next((f for f in reversed(frame) if "/lib/" not in f.filename), frame[-1])
        wrong.append(f"at {os.path.basename(own.filename)}:{own.lineno}: {own.line}")
    except Exception:
        wrong = traceback.format_exc().splitlines()
    excerpts = t.excerpts() if wrong else []
    for problem in await t.finish(bool(wrong)):
        if not wrong:
            excerpts = t.excerpts()
        wrong += str(problem).split("\n")
    return wrong + excerpts if wrong else None


async def run_tests(ground, server, shared, patterns, suite="live"):
    """All tests of a server; how many failed."""
    failed = 0
    for function, servers, bound in _tests:
        if servers and server.name not in servers:
            continue
        name = f"{suite}/{server.name}/{function.__name__}"
        if patterns and not any(fnmatch.fnmatch(name, f"*{p}*") for p in patterns):
            continue
        began = time.monotonic()
        wrong = await _try(function, Test(ground, server, shared), bound)
        if wrong is not None:
            failed += 1
            print("\n".join(f"    {line}" for line in wrong))
        took = f"  # {time.monotonic() - began:.1f} s" if "-v" in sys.argv else ""
        print(f"{'FAIL' if wrong is not None else 'PASS'} {name}{took}", flush=True)
    return failed
