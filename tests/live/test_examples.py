# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
Every example of annex-bots(5) and annexbot(1), run as it stands there.

Before each display in a manual stands what it is: .\\" example: KIND.  One of
no kind, or of a kind without a test, fails.  What differs from what people read is in
RENAMED alone: the domain, and the port.
"""
import asyncio
import json
import os
import re

from lib.ground import Process, check, equal, run, until
from lib.suite import test

from test_bots import COMMANDER, bots, python
from test_http import BOT, Web, hears

BLOCK = re.compile(r'(?:^\.\\" example: (\w+)\n)?^\.Bd -literal[^\n]*\n(.*?)^\.Ed', re.M | re.S)
PAGES = "components/bots/annex-bots.5", "components/bots/programs/annexbot.1"
KINDS = {"config", "child", "nods", "kinds", "stages", "said", "http", "poll", "file", "annexbot",
         "try"}  # which tests/unit/bots/test_try.py runs
COMMANDS = "http://jabber.org/protocol/commands"
REACTIONS = "{urn:xmpp:reactions:0}"
SCOPES = "send", "events", "presence", "contacts"


def page(t, number):
    return (t.ground.top / PAGES[number]).read_text()


def examples(t, kind, renamed=()):
    """Those of a kind, in order."""
    found = []
    for number in range(len(PAGES)):
        for is_kind, text in BLOCK.findall(page(t, number)):
            check(is_kind in KINDS, f"nobody runs this example of {PAGES[number]}:\n{text}")
            text = text.replace("\\e", "\\")
            for old, new in renamed:
                text = text.replace(old, new)
            if is_kind == kind:
                found.append(text)
    check(found, f"there is no example of a {kind}")
    return found


def program(t, name, text):
    path = t.ground.directory("example") / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


class Site(Web):
    """A gateway, and the names that examples have for it."""

    def __init__(self, t):
        super().__init__(t)
        self.renamed = (("127.0.0.1:8080", f"127.0.0.1:{self.port}"), ("example.org", "localhost"))

    async def environment(self, t):
        token = await self.token("all", SCOPES)
        tools = t.ground.top / "components/bots/programs"
        return {"T": token, "ANNEXBOT_TOKEN": token, "PATH": f"{tools}:{os.environ['PATH']}",
                "ANNEXBOT_URL": f"http://127.0.0.1:{self.port}"}


@test()
async def every_configuration_is_valid(t):
    (text,) = examples(t, "config")
    directory = t.ground.directory("config")
    secret = directory / "secret"
    secret.touch(0o600)
    secret.write_text("a long enough secret")
    file = directory / "annex.yaml"
    file.write_text(f"state-dir: {directory}\nrun-dir: {directory}\nservers:\n"
                    "  main: { host: 127.0.0.1, port: 5347, local-domains: [example.org] }\n"
                    + text.replace("/etc/annex/bots.secret", str(secret)))
    status, out, err = await run([t.ground.build / "framework/supervisor/annexd", "-c", file, "--check"])
    equal((status, err), (0, ""), f"what is said of it, beside {out}")


@test()
async def every_program_answers(t):
    """In shell, Python and JavaScript."""
    programs = examples(t, "child")
    equal([text.split("\n")[0].split("/")[-1] for text in programs],
          ["env python3", "env node", "sh"], "the languages")
    await t.annex(bots(**{f"bot{n}": {"child": [program(t, "bot", text)]}
                          for n, text in enumerate(programs)})).start()
    alice = await t.client("alice")
    for n in range(len(programs)):
        for text in "hello", "<&> wörld":
            answer = await alice.say(f"bot{n}@one.localhost", text, 30)
            equal(answer["body"], f"you said: {text}", f"the answer of example {n}")


@test()
async def a_program_that_nods_reacts_to_what_was_said(t):
    (text,) = examples(t, "nods")
    await t.annex(bots(nod={"child": [program(t, "nod", text)]})).start()
    alice = await t.client("alice")
    id = alice.send("nod@one.localhost", "<body>hello</body>")
    answer = await alice.next(lambda s: s.xml.find(REACTIONS + "reactions") is not None, 30, "reaction")
    said = answer.xml.find(REACTIONS + "reactions")
    equal((said.get("id"), [el.text for el in said]), (id, ["\N{THUMBS UP SIGN}"]), "the reaction")


@test()
async def a_program_with_two_forms_is_answered_as_text_and_by_forms(t):
    (text,) = examples(t, "stages")
    await t.annex(bots(admin={"child": [program(t, "admin", text)]})).start()
    alice = await t.client("alice")
    to = "admin@one.localhost"

    async def step(inner="", **attributes):
        given = "".join(f" {name}='{value}'" for name, value in attributes.items())
        answer = await alice.iq(to, f"<command xmlns='{COMMANDS}' node='disk'{given}>{inner}</command>",
                                "set")
        return answer.xml.find(f"{{{COMMANDS}}}command")

    def values(**fields):
        return "<x xmlns='jabber:x:data' type='submit'>" + "".join(
            f"<field var='{name}'><value>{value}</value></field>"
            for name, value in fields.items()) + "</x>"

    async def begun():
        first = await step(action="execute")
        return first is not None and first

    first = await until(begun, 20, "the command is there")
    sid = first.get("sessionid")
    second = await step(values(host="web1"), sessionid=sid, action="next")
    equal((second.get("status"), second.find("{jabber:x:data}x/{jabber:x:data}field").get("var")),
          ("executing", "mount"), "the second form")
    last = await step(values(mount="/var"), sessionid=sid, action="complete")
    equal((last.get("status"), last.findtext(f"{{{COMMANDS}}}note")),
          ("completed", "/var of web1 is fine"), "the end")
    equal((await alice.say(to, "disk web1"))["body"], "What of web1?\nMount (/, /var)?", "a question")
    equal((await alice.say(to, "/"))["body"], "/ of web1 is fine", "the answer")


@test()
async def every_kind_of_field_is_asked_for_and_judged(t):
    (text,) = examples(t, "kinds")
    await t.annex(bots(host={"child": [program(t, "host", text)]})).start()
    alice = await t.client("alice")
    to = "host@one.localhost"

    async def declared():
        items = f"<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>"
        return "party" in str(await alice.iq(to, items))

    await until(declared, 30, "the program has said its commands")
    guests = "How many guests (a whole number from 1 to 20)?"
    said = [(await alice.say(to, line))["body"] for line in (
        "party", "21", "7", "saturday, Sunday", "yes")]
    equal(said, [guests, f"It must be a whole number from 1 to 20. {guests}",
                 "Which days (Friday, Saturday, Sunday; several with commas)?",
                 "With food (yes or no)?", "7 guests on sat and sun, with food"], "the conversation")


@test()
async def every_line_of_a_command_is_understood(t):
    (text,) = examples(t, "said")
    commander = COMMANDER.replace('["web1", "web2"]', '["web1", "web 1"]')
    await t.annex(bots(admin={"child": python(commander)})).start()
    alice = await t.client("alice")

    async def declared():
        items = f"<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>"
        return "disk" in str(await alice.iq("admin@one.localhost", items))

    await until(declared, 30, "the program has said its commands")
    answers = [(await alice.say("admin@one.localhost", line))["body"] for line in text.splitlines()]
    equal(answers[:2], ["disk of web1", "disk of web 1"], "the answers")
    check("disk" in answers[2], f"the help is {answers[2]!r}")


@test()
async def every_request_is_accepted(t):
    site = await Site(t).start()
    env = await site.environment(t)
    alice = await t.client("alice")
    for text in examples(t, "http", site.renamed):
        status, out, err = await run(["sh", "-c", text], env)
        check(status == 0 and "\"error\"" not in out and out, f"{text} said {out}{err}")
    equal((await hears(alice, 1))["body"], "Backup done", "the message")


@test()
async def a_program_that_polls_answers(t):
    site = await Site(t).start()
    (text,) = examples(t, "poll", site.renamed)
    poller = Process("poller", t.ground.directory("poller") / "log")
    await poller.start([program(t, "poller", text)], env=await site.environment(t))
    try:
        alice = await t.client("alice")
        equal((await alice.say(BOT, "hello", 30))["body"], "you said: hello", "the answer")
    finally:
        await poller.stop(9)


@test()
async def every_script_of_annexbot_works(t):
    site = await Site(t).start()
    env = await site.environment(t)
    alice = await t.client("alice")
    (file,) = examples(t, "file")
    tokens = t.ground.directory("file") / "tokens"
    tokens.touch(0o600)
    tokens.write_text(file)
    for text in examples(t, "annexbot", site.renamed):
        script = asyncio.create_task(run(["sh", "-c", text], env, 60))
        if "annexbot ask" in text:
            await alice.next(lambda s: "Deploy v42?" in s["body"], 30, "question")
            alice.send(BOT, "<body>yes</body>")
        status, out, err = await script
        check(status == 0 and not err, f"{text} ended with {status} and said {out}{err}")
        check("annexbot ask" not in text or out == "deploying\n", f"the gate said {out!r}")
    await alice.next(lambda s: s["body"] == "Backup done", 20, "message")
    _, _, err = await run(["annexbot", "do", "-f", tokens, "-b", "deploy", "{"], env)
    check("is not JSON" in err, f"a file as in the manual was not understood: {err}")


@test()
async def every_action_of_the_manual_is_one(t):
    text = page(t, 0).split(".Sh ACTIONS")[1].split(".Ss Commands")[0].replace("example.org", "localhost")
    decoder, actions = json.JSONDecoder(), []
    for line in re.findall(r"^\.It Li (.*)$", text, re.M):
        while line:
            action, end = decoder.raw_decode(line)
            actions.append(action)
            line = line[end:].removeprefix(" , ")
    check(len(actions) >= 15, f"only {len(actions)} actions were found")
    said = t.ground.directory("said") / "said"
    lines = [json.dumps(action) for action in [*actions, {"get": "contacts", "id": "the last"}]]
    speaker = program(t, "speaker", "#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) +
                      f"\nEND\nexec cat >{said}\n")
    await t.annex(bots(news={"child": [speaker]})).start()
    for _ in range(200):
        if said.exists() and "the last" in said.read_text():
            break
        await asyncio.sleep(0.1)
    answers = [json.loads(line) for line in said.read_text().splitlines()]
    check(any(a.get("ok") == "the last" for a in answers), f"it ended before the last: {answers}")
    wrong = [a for a in answers if a.get("error") not in (None, "item-not-found", "no-such-contact")]
    equal(wrong, [], "what is wrong with them")
