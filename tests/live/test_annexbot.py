# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""annexbot: a bot's voice for scripts, and what its exit status says."""
import asyncio
import json

from lib.ground import Process, check, equal, run
from lib.suite import test

from test_http import BOT, Web, heard, hears


class Tool:
    """annexbot with a token of those scopes."""

    def __init__(self, web, token):
        self.program = web.annex.ground.top / "components/bots/programs/annexbot"
        self.env = {"ANNEXBOT_URL": f"http://127.0.0.1:{web.port}", "ANNEXBOT_TOKEN": token}

    async def __call__(self, *words, status=0, input="", within=60):
        got, out, err = await run([self.program, *words], self.env, within, input.encode())
        said = " ".join(map(str, words))
        equal(got, status, f"the exit status of annexbot {said}, which said {out}{err}")
        check(status in (0, 7) or err, "nothing is said about it")
        return out


async def tool(t, *scopes, **options):
    web = await Web(t, **options).start()
    return web, Tool(web, await web.token("tool", scopes))


@test()
async def a_script_sends(t):
    _, annexbot = await tool(t, "send")
    alice = await t.client("alice")
    for _ in range(2):
        await annexbot("send", "-k", "backup-1", "-w", "sent", "alice@localhost", "Backup", "done")
    await annexbot("send", "-s", "Log", "alice@localhost", input="two\nlines\n")
    await hears(alice, 2)
    equal([(m["subject"], m["body"]) for m in heard(alice)],
          [("", "Backup done"), ("Log", "two\nlines")], "what was said")
    await annexbot("send", "alice@localhost", status=2)
    await annexbot("send", "@", "x", status=1)
    await annexbot("tail", "-t", "1", status=1)
    await annexbot("send", "-w", "displayed", "-t", "1", "alice@localhost", "x", status=3)
    annexbot.env["ANNEXBOT_TOKEN"] = "annex_wrong"
    await annexbot("send", "alice@localhost", "x", status=1)
    annexbot.env["ANNEXBOT_URL"] = "unix:/nonexistent"
    await annexbot("send", "-p", "0", "alice@localhost", "x", status=75)


@test()
async def a_script_waits_for_an_answer(t):
    _, annexbot = await tool(t, "send")
    alice = await t.client("alice")
    question = "ask", "-k", "v42", "-t", "60", "alice@localhost", "Deploy v42?", "yes", "no"
    asks = asyncio.create_task(annexbot(*question))
    equal((await hears(alice, 1))["body"], "Deploy v42?\n1. yes\n2. no", "the question")
    alice.send(BOT, "<body>1</body>")
    equal(await asks, "yes\n", "what it prints")
    equal(await annexbot(*question), "yes\n", "what it prints when it is asked again")
    await annexbot("ask", "-t", "1", "alice@localhost", "And?", status=3)
    equal(len(heard(alice)), 2, "questions")


@test()
async def a_job_is_seen_while_it_runs(t):
    _, annexbot = await tool(t, "presence", "send")
    walter = await t.client("walter")
    walter.send_raw(f"<presence to='{BOT}' type='subscribe'/>")
    await walter.next(lambda s: s.name == "presence" and str(s["from"]) == f"{BOT}/bot", what="view")

    def shows(status=None, kind="available"):
        return lambda s: (s.name == "presence" and s["from"].resource == "job17"
                          and (s.xml.get("type") or "available") == kind
                          and status in (None, s["status"]))

    job = asyncio.create_task(annexbot(
        "watch", "-n", "job17", "-s", "job 17: {line}", "--heartbeat", "1", "--tell", "walter@localhost",
        "--", "sh", "-c", "echo half; sleep 12; echo all; exit 7", status=7))
    await walter.next(shows("job 17: half"), 20, "status of the job")
    equal(await job, "half\nall\n", "what is passed on")
    await walter.next(shows(kind="unavailable"), 20, "end of the job")
    equal((await hears(walter, 1))["body"], "job17 ended with status 7: job 17: all", "what is told")
    equal(await annexbot("watch", input="x\n"), "x\n", "what is passed on of a pipe")


@test()
async def events_are_printed_and_acknowledged(t):
    web, annexbot = await tool(t, "events", "send")
    alice = await t.client("alice")
    for text in "one", "two":
        alice.send(BOT, f"<body>{text}</body>")
    printed = [json.loads(line) for line in (await annexbot("tail", "-n", "2")).splitlines()]
    equal([e["body"] for e in printed], ["one", "two"], "events")
    equal(await annexbot("tail", "-t", "1"), "", "events that are left")
    await annexbot("poke")
    said = await annexbot("do", '{"to":"alice@localhost","body":"x","key":"k"}')
    equal(json.loads(said)["ok"], "k", "what an action is answered with")
    await annexbot("do", "{", status=2)


@test()
async def a_file_says_where_a_bot_is(t):
    web, annexbot = await tool(t, "send")
    alice = await t.client("alice")
    file = web.annex.dir / "tokens"
    file.write_text(f"# bots\nother http://127.0.0.1:1 x\n"
                    f"news {annexbot.env['ANNEXBOT_URL']} {annexbot.env['ANNEXBOT_TOKEN']}\n")
    file.chmod(0o644)
    await annexbot("send", "-f", file, "-b", "news", "alice@localhost", "x", status=2)
    file.chmod(0o600)
    await annexbot("send", "-f", file, "-b", "nobody", "alice@localhost", "x", status=2)
    await annexbot("send", "-f", file, "-b", "news", "alice@localhost", "from a file")
    equal((await hears(alice, 1))["body"], "from a file", "the message")


@test()
async def the_monitor_tells_who_was_lost_and_is_back(t):
    directory = t.ground.directory("monitor")
    _, annexbot = await tool(t, "presence", events=["message", "beat"], child=[
        str(t.ground.top / "components/bots/programs/monitor"), str(directory / "state")])
    trudy = await t.client("trudy")
    trudy.send_raw(f"<presence to='{BOT}' type='subscribe'/>")
    answer = await trudy.say(BOT, "watch")
    equal(answer["body"], "I will tell you. No worker was heard of.", "the answer")
    watch = (annexbot.program, "watch", "-n", "web1", "--heartbeat", "1", "--", "sh", "-c",
             "exec 2>/dev/null; while kill -0 $PPID; do sleep 0.1; done")
    job = Process("job", directory / "log")
    await job.start(watch, env=annexbot.env)
    await trudy.next(lambda s: s.name == "presence" and str(s["from"]) == f"{BOT}/web1", 20, "web1")
    await job.stop(9)
    lost = await trudy.next(lambda s: s["body"] == "web1 is lost", 20, "word of the loss")
    await job.start(watch, env=annexbot.env)
    try:
        back = await trudy.next(lambda s: s["body"].startswith("web1 is back"), 20, "correction")
        equal(back.xml.find("{urn:xmpp:message-correct:0}replace").get("id"), lost["id"],
              "what is corrected")
    finally:
        await job.stop(9)
