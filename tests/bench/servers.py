#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
servers.py - rooms and nodes through real servers, beside those of these servers

	servers.py SCENE [COUNT [LINES]]    # TOP and BUILD in the environment, as tests/live has them

In Prosody and in ejabberd, each alone on the machine, COUNT real clients do what a scene
says: first with the server's own service, then with one of Annex, which is attached to it.

	muc     they come into one room at once (crowd.c), and say LINES lines; neither room has
	        an archive, a limit or a history
	pubsub  they subscribe to one node at once (feed.c), to which LINES items are published

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
OURS = "one.localhost"
SHARE = 0.1  # of the server's CPU time, at most


class Rooms:
    lines = 100
    program, own, options = "crowd", "rooms.localhost", {
        "module": "muc", "muc": {"max-occupants": 5000, "archive": False, "max-history": 0}}

    @staticmethod
    def steps(domain, count, lines):
        """What is done, how many stanzas that is, and whether it is mostly the server's work."""
        return (f"join hall@{domain}", count * count, True), (f"say {lines}", count * lines, True)


class Nodes:
    lines = 20
    program, own, options = "feed", "pubsub.localhost", {"module": "pubsub"}

    @staticmethod
    def steps(domain, count, lines):
        return ((f"create {domain}", 1, False), ("subscribe bench", count, False),
                (f"publish {lines}", count * lines, True))


SCENES = {"muc": Rooms, "pubsub": Nodes}


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


async def measure(ground, server, pids, scene, steps, count):
    """Of each step: seconds, and CPU seconds of each process."""
    figures = []
    async with Crowd(ground, server, count, WITHIN_S, scene.program) as crowd:
        await crowd.does("login bench")
        for line, _, _ in steps:
            before = [cpu_s(pid) for pid in pids]
            took = (await crowd.does(line))["took"]
            figures.append((took, [cpu_s(p) - b for p, b in zip(pids, before)]))
    return figures


def share_of(cpu):
    return cpu[1] / cpu[0] if cpu[0] > 0 else 0


def show(name, steps, figures):
    for (line, n, _), (took, cpu) in zip(steps, figures):
        text = f"{name:20} {line.split()[0]:9} {n:8} stanzas in {took:7.2f} s  {n / max(took, 0.001):8.0f}/s"
        text += f"  server {cpu[0]:7.2f} s of CPU"
        if len(cpu) > 1:
            text += f", annex-worker {cpu[1]:5.2f} s: {share_of(cpu) * 100:4.1f} %"
        print(text, flush=True)


async def side(ground, kind, scene, count, lines):
    """Whether Annex took its share of the time, or less."""
    server, annex = kind(ground), None
    try:
        await server.start()
        steps = scene.steps(scene.own, count, lines)
        pids = [server.process.pid]
        show(server.name, steps, await measure(ground, server, pids, scene, steps, count))
        section = {"rate-per-jid": 1000000, "burst-per-jid": 1000000, **scene.options}
        annex = Annex(ground, server, {OURS: section}, **{"log-level": "notice"})
        annex.expect("a ping to ourselves has not come back")  # the server has too much to do
        await annex.start(attached=False)
        await annex.attached(within=WITHIN_S)  # it still tells of who has just left its own room
        steps = scene.steps(OURS, count, lines)
        pids.append(await annex.pid(OURS))
        ours = await measure(ground, server, pids, scene, steps, count)
        show(f"{server.name} + annex", steps, ours)
        await annex.stop()
        return all(share_of(cpu) <= SHARE for (_, _, judged), (_, cpu) in zip(steps, ours) if judged)
    finally:
        if annex is not None:
            await annex.kill()
            annex.forget()
        await server.stop(signal.SIGKILL)  # it would take its time over what it has in line


async def main():
    scene = SCENES[sys.argv[1]]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    lines = int(sys.argv[3]) if len(sys.argv) > 3 else scene.lines
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ground = Ground()
    good = [await side(ground, kind, scene, count, lines) for kind in (QuietProsody, QuietEjabberd)]
    shutil.rmtree(ground.work.parent, ignore_errors=True)
    print(f"{'ok' if all(good) else 'LOW'}   annex-worker takes at most "
          f"{SHARE * 100:.0f} % of the server's CPU time")
    return 0 if all(good) else 1


sys.exit(asyncio.get_event_loop().run_until_complete(main()))
