#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
servers.py - rooms through real servers, beside the rooms of these servers

	servers.py [COUNT [LINES]]      # TOP and BUILD in the environment, as tests/live has them

In Prosody and in ejabberd, each alone on the machine, COUNT real clients (crowd.c) come
into one room at once, and say LINES lines: first in a room of the server's own, then in
one of Annex, which is attached to it.  Neither room has an archive, a limit or a history.
What is printed is how long it took and the CPU time of the server and of annex-worker.
"""
import asyncio
import resource
import shutil
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from lib.annex import Annex  # noqa: E402
from lib.crowd import Crowd  # noqa: E402
from lib.ground import Ground  # noqa: E402
from lib.servers import Ejabberd, Prosody  # noqa: E402

WITHIN_S = 900  # for one step
OWN, OURS = "rooms.localhost", "one.localhost"
SHARE = 0.1  # of the server's CPU time, at most


class QuietProsody(Prosody):
    template = HERE / "prosody.cfg.lua"


class QuietEjabberd(Ejabberd):
    template = HERE / "ejabberd.yml"
    # Waiting is not work.
    flags = ["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"]


def cpu_s(pid):
    """Of all threads that a process has."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(f.read_text().split()[0]) for f in files) / 1e9


async def measure(ground, server, pids, domain, count, lines):
    """Of joining and of talking: seconds, and CPU seconds of each process."""
    figures = []
    async with Crowd(ground, server, count, WITHIN_S) as crowd:
        await crowd.does("login bench")
        for step in f"join hall@{domain}", f"say {lines}":
            before = [cpu_s(pid) for pid in pids]
            took = (await crowd.does(step))["took"]
            figures.append((took, [cpu_s(p) - b for p, b in zip(pids, before)]))
    return figures


def show(name, steps, count, lines):
    for what, n, (took, cpu) in zip(("join", "say"), (count * count, count * lines), steps):
        text = f"{name:20} {what:4} {n:8} stanzas in {took:7.2f} s  {n / took:8.0f}/s"
        text += f"  server {cpu[0]:7.2f} s of CPU"
        if len(cpu) > 1:
            share = cpu[1] / cpu[0] if cpu[0] > 0 else 0
            text += f", annex-worker {cpu[1]:5.2f} s: {share * 100:4.1f} %"
        print(text, flush=True)


async def side(ground, kind, count, lines):
    """Whether Annex took its share of the time, or less."""
    server, annex = kind(ground), None
    try:
        await server.start()
        own = await measure(ground, server, [server.process.pid], OWN, count, lines)
        show(server.name, own, count, lines)
        muc = {"max-occupants": 5000, "archive": False, "max-history": 0}
        annex = Annex(ground, server, {OURS: {
            "module": "muc", "rate-per-jid": 1000000, "burst-per-jid": 1000000,
            "muc": muc}}, **{"log-level": "notice"})
        await annex.start()
        pids = [server.process.pid, await annex.pid(OURS)]
        ours = await measure(ground, server, pids, OURS, count, lines)
        show(f"{server.name} + annex", ours, count, lines)
        await annex.stop()
        return all(cpu[1] <= SHARE * cpu[0] for _, cpu in ours)
    finally:
        if annex is not None:
            await annex.kill()
            annex.forget()
        await server.stop(signal.SIGKILL)  # it would take its time over what it has in line


async def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ground = Ground()
    good = [await side(ground, kind, count, lines) for kind in (QuietProsody, QuietEjabberd)]
    shutil.rmtree(ground.work.parent, ignore_errors=True)
    print(f"{'ok' if all(good) else 'LOW'}   annex-worker takes at most "
          f"{SHARE * 100:.0f} % of the server's CPU time")
    return 0 if all(good) else 1


sys.exit(asyncio.get_event_loop().run_until_complete(main()))
