# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
Many clients in one room, by tests/bench/crowd.c, or at one node, by feed.c; they say what they do:

    async with Crowd(ground, server, 500, within=120) as crowd:
        await crowd.does("login before")
        took = (await crowd.does(f"join {room}"))["took"]
"""
import asyncio

from .ground import check


class Crowd:
    """user0 and so on; each step has `within` seconds."""

    def __init__(self, ground, server, count, within, program="crowd"):
        self.server, self.count = server, count
        self.argv = [ground.build / "tests/bench" / program, server.c2s, count, within]

    async def __aenter__(self):
        for n in range(self.count):
            await self.server.add_account(f"user{n}", f"user{n}")
        self.child = await asyncio.create_subprocess_exec(
            *map(str, self.argv),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(self, *_):
        self.child.stdin.close()
        try:
            await asyncio.wait_for(self.child.wait(), 10)
        except asyncio.TimeoutError:
            self.child.kill()
            await self.child.wait()

    async def does(self, line):
        """What it counted, as a dict of numbers by name."""
        self.child.stdin.write(line.encode() + b"\n")
        words = (await self.child.stdout.readline()).decode().split()
        if len(words) % 2 == 0:  # it has ended
            why = (await self.child.stderr.read()).decode().strip()
            check(False, f"{line}: {why}")
        return dict(zip(words[1::2], map(float, words[2::2])))
