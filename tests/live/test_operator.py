# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""annexctl, metrics and the service manager, with everything running."""
import asyncio
import fcntl
import json
import os
import re
import signal
import socket
import stat
from pathlib import Path

from lib.client import reaches
from lib.ground import Process, check, equal, until
from lib.suite import test


@test()
async def status_tells_how_things_stand(t):
    annex, alice = t.shared, await t.client("alice")
    await alice.say("echo.localhost", "hello")
    text = await annex.ctl("status", want=None)
    check(re.search(r"2/2 attached", text), f"status says {text!r}")
    for domain in "echo.localhost", "probe.localhost":
        check(re.search(rf"{domain} +attached", text), f"status says {text!r}")
    status = json.loads(await annex.ctl("--json", "status", want=None))
    check(status["components"][0]["counters"]["stanzas_in_total"] > 0, f"status is {status}")
    inner = json.loads(await annex.ctl("--json", "echo.localhost", "status"))
    equal(inner["link"]["up"], True, "the link")
    equal(inner["module"], "echo", "the module")


async def trace(t, *words):
    process = Process("trace", t.ground.directory("trace") / "log")
    annex = t.shared
    await process.start(
        [t.ground.build / "framework/ctl/annexctl", "--run-dir", annex.run_dir, *words]
    )
    return process


@test()
async def trace_shows_stanzas_and_hides_what_is_said(t):
    alice, bob = await t.client("alice"), await t.client("bob")
    all, one = await trace(t, "echo.localhost", "trace"), await trace(
        t, "--bodies", "echo.localhost", "trace", "bob@localhost")

    async def seen():
        # A trace has begun when it shows something.
        await alice.say("echo.localhost", "a secret of alice")
        await bob.say("echo.localhost", "a secret of bob")
        return all.count(" out .*alice") and one.count(" out .*bob")

    await until(seen, 10, "both traces show what passes")
    check(all.count(" in .*alice@localhost"), "nothing came in")
    equal(all.count("secret"), 0, "how many texts were shown")
    check(one.count("a secret of bob"), "with --bodies no text was shown")
    equal(one.count("alice"), 0, "how often the trace of bob shows alice")
    for process in all, one:
        await process.stop(signal.SIGINT)
        check(not process.reports(), "\n".join(process.reports()))


@test()
async def only_the_owner_and_group_may_ask(t):
    for name in "annexd", "echo.localhost":
        mode = stat.S_IMODE((t.shared.run_dir / f"{name}.sock").stat().st_mode)
        equal(oct(mode), "0o660", f"the mode of {name}'s socket")
    for path in t.shared.state_dir.rglob("*"):
        equal(path.stat().st_mode & 0o007, 0, f"what others may do with {path.name}")


@test()
async def a_store_is_backed_up_and_restored(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    backup = annex.dir / "backup"
    for number in 1, 2, 3:
        equal((await alice.say("one.localhost", "count"))["body"], f"count {number}", "the count")
    await annex.ctl("store", "backup", "one.localhost", backup)
    await annex.ctl("one.localhost", "store", "verify")
    await annex.ctl("one.localhost", "store", "verify", backup)
    equal((await alice.say("one.localhost", "count"))["body"], "count 4", "the count after it")
    await annex.ctl("one.localhost", "store", "restore", backup, want=1)
    await annex.ctl("drain", "one.localhost")
    await annex.ctl("one.localhost", "store", "restore", backup)
    await annex.ctl("restart", "one.localhost")
    await annex.attached()
    await reaches(alice, "one.localhost")
    equal((await alice.say("one.localhost", "read"))["body"], "count is 3", "the restored count")
    stat = json.loads(await annex.ctl("--json", "one.localhost", "store", "stat"))
    equal(stat["tables"]["count"], 1, "the rows of a table")


@test()
async def a_worker_that_ends_lets_go_of_a_backup_under_way(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with socket.socket(socket.AF_UNIX) as asking, open(reading, "rb", 0) as copy:
        asking.connect(str(annex.run_dir / "one.localhost.sock"))
        socket.send_fds(asking, [b'{"command": "store-backup"}\n'], [writing])
        os.close(writing)
        await asyncio.to_thread(copy.read, 1)
        ending = asyncio.create_task(annex.stop())
        answer = await asyncio.to_thread(asking.recv, 1000)
        equal(json.loads(answer)["error"], "shutting down", "the answer")
        while await asyncio.to_thread(copy.read, 4096):
            pass
        await ending


@test()
async def a_store_is_exported_and_imported(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    await alice.say("one.localhost", "count")
    text = await annex.ctl("one.localhost", "store", "export")
    rows = [json.loads(line) for line in text.splitlines()]
    check(any("alice@localhost" in json.dumps(row) for row in rows), f"the export is {text}")
    export = annex.dir / "export"
    await annex.ctl("one.localhost", "store", "export", export)
    equal(export.read_text(), text, "the export to a file")
    await annex.ctl("drain", "one.localhost")
    await annex.ctl("one.localhost", "store", "import", export, want=None)
    for file in (annex.state_dir / "one.localhost").iterdir():
        file.unlink()
    await annex.ctl("one.localhost", "store", "import", export)
    await annex.ctl("one.localhost", "store", "verify")
    await annex.ctl("restart", "one.localhost")
    await annex.attached()
    await reaches(alice, "one.localhost")
    equal((await alice.say("one.localhost", "read"))["body"], "count is 1", "the imported count")


@test()
async def a_damaged_backup_is_refused(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    await alice.say("one.localhost", "count")
    backup = annex.dir / "backup"
    await annex.ctl("store", "backup", "one.localhost", backup)
    await annex.ctl("drain", "one.localhost")
    data = backup.read_bytes()
    for name, damage in {
        "cut": data[: len(data) // 2],
        "empty": b"",
        "garbage": b"x" * len(data),
    }.items():
        backup.write_bytes(damage)
        text = await annex.ctl("one.localhost", "store", "restore", backup, want=None)
        check(not re.search("^one.localhost: done", text, re.M), f"{name} was restored: {text}")
    await annex.ctl("restart", "one.localhost")
    await annex.attached()
    await reaches(alice, "one.localhost")
    equal((await alice.say("one.localhost", "read"))["body"], "count is 1", "the count")


@test()
async def metrics_count_what_passes(t):
    annex, alice = t.shared, await t.client("alice")
    key = 'annex_stanzas_in_total{domain="echo.localhost"}'
    before = (await annex.metrics()).get(key, 0)
    await alice.say("echo.localhost", "hello")
    after = await annex.metrics()
    check(after.get(key, 0) > before, f"{key} is {after.get(key)} after {before} in {sorted(after)}")


@test()
async def the_service_manager_is_told(t):
    annex = t.annex({"one.localhost": {"module": "echo"}})
    await annex.start(attached=False)
    await annex.noted("STATUS=1/1 attached")
    since = len(annex.notes)
    await annex.reload()
    told = annex.notes[since:]
    check(told[0] == "RELOADING=1" and re.fullmatch(r"MONOTONIC_USEC=\d+", told[1]),
          f"the service manager heard {told}")
    await annex.ctl("drain", "one.localhost")
    await annex.noted("STATUS=0/1 attached, 1 down", since)
    annex.process.send(signal.SIGTERM)
    await annex.noted("STOPPING=1", since)


@test()
async def sigterm_is_quiet(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("dave")  # in whose roster nobody of other tests asks to be shown
    alice.send("one.localhost", "<body>show</body>")
    await alice.next(lambda s: str(s["from"]) == "one.localhost", what="presence")
    since = len(alice.stanzas)
    pids = annex.workers()
    await annex.stop()
    await alice.iq("localhost", "<ping xmlns='urn:xmpp:ping'/>")
    heard = [s for s in alice.stanzas[since:] if str(s["from"]).endswith("one.localhost")]
    equal(heard, [], "what the component said at its end")
    for pid in pids:
        check(not Path(f"/proc/{pid}").exists(), f"worker {pid} is left")


@test("prosody")
async def one_component_runs_in_the_foreground(t):
    annex = t.annex({"one.localhost": {"module": "echo"}})
    annex.write()
    process = Process("foreground", annex.dir / "foreground")
    annexd = t.ground.build / "framework/supervisor/annexd"
    await process.start([annexd, "-c", annex.file, "--component", "one.localhost"])
    await process.said("attached to")
    alice = await t.client("alice")
    equal((await alice.say("one.localhost", "hello"))["body"], "hello", "the echo")
    equal(await process.stop(), 0, "its exit status")
    check(not process.reports(), "\n".join(process.reports()))
