# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Bots: real programs, in shell, Python and jq, talk to real clients."""
import asyncio
import json
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

PRESENTER = """
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    if e.get("event") == "subscribed":
        who = e["from"].split("/")[0]
        print(json.dumps({"kind": "presence", "to": who, "status": "for " + who.split("@")[0]}))
"""

COMMANDER = """
import json, sys
print(json.dumps({"hello": 1, "commands": [{"node": "disk", "name": "Disk usage", "fields": [
    {"var": "host", "label": "Host", "options": ["web1", "web2"], "required": True}]}]}))
for line in sys.stdin:
    e = json.loads(line)
    if e["kind"] == "command":
        print(json.dumps({"reply": e["seq"], "body": "disk of " + e["form"]["host"]}))
"""

NASTY = """
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    if e.get("body") == "colours":
        print(json.dumps({"reply": e["seq"], "body": "\\x1b[31mred\\x1b[0m\\x00\\uffff!"}))
    elif e.get("body") == "long":
        print(json.dumps({"reply": e["seq"], "body": "word " * 60000}))
        print(json.dumps({"reply": e["seq"], "body": "word " * 10000}))
"""

COMMANDS = "http://jabber.org/protocol/commands"
FORM = "jabber:x:data"


def python(source):
    return [sys.executable, "-c", source]


async def status_of(client, bot, wanted):
    return await client.next(
        lambda s: s.xml.tag == "{jabber:client}presence" and str(s["from"]).startswith(bot)
        and s["status"] == wanted, 20, f"presence of {bot} with {wanted}")


@test()
async def two_buddies_see_two_statuses(t):
    await t.annex(bots(lamp={"child": python(PRESENTER), "events": ["contact"]})).start()
    alice, bob = await t.client("alice"), await t.client("bob")
    for who in alice, bob:
        who.send_raw("<presence to='lamp@one.localhost' type='subscribe'/>")
    await status_of(alice, "lamp@one.localhost", "for alice")
    await status_of(bob, "lamp@one.localhost", "for bob")
    for who in alice, bob:
        who.send_raw("<presence to='lamp@one.localhost' type='unsubscribe'/>")


@test()
async def what_a_program_writes_cannot_close_the_stream(t):
    annex = await t.annex(bots(nasty={"child": python(NASTY)})).start()
    alice = await t.client("alice")
    answer = await alice.say("nasty@one.localhost", "colours")
    equal(answer["body"], "red!", "the answer")
    since = len(alice.stanzas)
    alice.send("nasty@one.localhost", "<body>long</body>")
    got = ""
    while len(got) < 49000:
        message = await alice.next_message("nasty@one.localhost", since=since)
        since = alice.stanzas.index(message) + 1
        got += message["body"] + " "
    check(set(got.split()) == {"word"}, "the long text came in parts, cut between words")


@test()
async def a_command_has_a_form_also_without_a_session(t):
    await t.annex(bots(admin={"child": python(COMMANDER)})).start()
    alice = await t.client("alice")
    to = "admin@one.localhost"

    async def opened():
        answer = await alice.iq(to, f"<command xmlns='{COMMANDS}' node='disk'/>", "set")
        return answer.xml.find(f"{{{COMMANDS}}}command[@status='executing']") is not None

    await until(opened, 10, "the form")
    answer = await alice.iq(to, f"<command xmlns='{COMMANDS}' node='disk' action='cancel'/>", "set")
    equal(answer.xml.get("type"), "result", "the answer to a cancel")
    check(await opened(), "the form opens again")
    answer = await alice.iq(
        to, f"<command xmlns='{COMMANDS}' node='disk'><x xmlns='{FORM}' type='submit'>"
        "<field var='host'><value>web2</value></field></x></command>", "set")
    note = answer.xml.findtext(f"{{{COMMANDS}}}command/{{{COMMANDS}}}note")
    equal(note, "disk of web2", "the note")


async def until_in(client):
    """Enter the room, again where it was still locked."""
    async def entered():
        since = len(client.stanzas)
        client.send_raw("<presence to='den@two.localhost/alice'>"
                        "<x xmlns='http://jabber.org/protocol/muc'/></presence>")
        answer = await client.next(
            lambda s: s.xml.tag == "{jabber:client}presence"
            and str(s["from"]) == "den@two.localhost/alice", 10, "an answer of the room", since)
        return answer.xml.get("type") is None

    await until(entered, 20, "alice is in the room")


@test()
async def a_bot_sits_in_a_room_of_ours(t):
    components = bots(parrot={"child": python(JSON_ECHO), "rooms": ["den@two.localhost"]})
    components["two.localhost"] = {"module": "muc", "muc": {"create": ["anybody"]}}
    await t.annex(components).start()
    alice = await t.client("alice")
    alice.send_raw(
        "<presence to='den@two.localhost/alice'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    # Whoever was first has made the room; the bot opens its own.
    owner = "http://jabber.org/protocol/muc#owner"
    await alice.iq(
        "den@two.localhost", f"<query xmlns='{owner}'><x xmlns='{FORM}' type='submit'/></query>", "set")
    await until_in(alice)
    await alice.next(
        lambda s: s.xml.tag == "{jabber:client}presence"
        and str(s["from"]) == "den@two.localhost/parrot" and s.xml.get("type") is None,
        40, "the parrot in the room")
    alice.send("den@two.localhost", "<body>parrot: hello</body>", type="groupchat")
    await alice.next(lambda s: s["body"] == "you said: hello", 20, "the parrot's answer")


class Program:
    """A program that attaches over the socket."""

    def __init__(self, annex):
        self.path = str(annex.run_dir / "one.localhost.bots.sock")

    async def start(self, **hello):
        self.reader, self.writer = await asyncio.open_unix_connection(self.path)
        self.say(hello=1, bot="echo", **hello)
        return self

    async def stop(self):
        self.writer.close()

    def say(self, **action):
        self.writer.write((json.dumps(action) + "\n").encode())

    async def hear(self):
        return json.loads(await asyncio.wait_for(self.reader.readline(), 10))

    async def answer(self, text):
        event = await self.hear()
        self.say(reply=event["seq"], body=text)
        return event


@test()
async def of_two_programs_the_newer_takes_over_and_one_stands_by(t):
    components = bots(echo={})
    components["one.localhost"]["bots"]["socket"] = True
    annex = await t.annex(components).start()
    alice = await t.client("alice")
    first, second, third = Program(annex), Program(annex), Program(annex)
    await first.start()
    equal((await first.hear())["kind"], "hello", "the first line")
    since = len(alice.stanzas)
    alice.send("echo@one.localhost", "<body>one</body>")
    equal((await first.hear())["body"], "one", "the event")
    await second.start()
    equal(await first.hear(), {"bye": "replaced"}, "what the older one is told")
    equal((await second.hear())["kind"], "hello", "the first line")
    await third.start(standby=True)
    equal((await third.hear())["kind"], "hello", "the first line")
    event = await second.answer("by the second")
    equal((event["body"], event["redelivered"]), ("one", 1), "the event, again")
    equal((await alice.next_message("echo@one.localhost", since=since))["body"],
          "by the second", "the answer")
    await second.stop()
    since = len(alice.stanzas)
    alice.send("echo@one.localhost", "<body>two</body>")
    equal((await third.answer("by the third"))["body"], "two", "the event")
    equal((await alice.next_message("echo@one.localhost", since=since))["body"],
          "by the third", "the answer")
    await third.stop()


async def two_programs(t, **options):
    components = bots(echo=options)
    components["one.localhost"]["bots"]["socket"] = True
    annex = await t.annex(components).start()
    both = [await Program(annex).start(resource=name) for name in ("a", "b")]
    for program in both:
        equal((await program.hear())["kind"], "hello", "the first line")
    return [*both, await t.client("alice"), await t.client("bob")]


@test()
async def any_program_that_has_room_gets_an_event(t):
    a, b, alice, bob = await two_programs(t, window=1)
    alice.send("echo@one.localhost", "<body>1</body>")
    equal((await a.hear())["body"], "1", "the event of the first")
    bob.send("echo@one.localhost", "<body>2</body>")
    alice.send("echo@one.localhost", "<body>3</body>")
    two = await b.hear()
    equal(two["body"], "2", "the event of the second, while the first is full")
    b.say(reply=two["seq"], body="done")
    await bob.next_message("echo@one.localhost")
    # What one contact says stays in order: it waits for whoever has its first event.
    a.say(ack=two["seq"])
    equal((await a.hear())["body"], "3", "the next event of the first")


@test()
async def the_program_with_the_fewest_events_gets_the_next(t):
    a, b, alice, bob = await two_programs(t, dispatch="least-loaded")
    carol = await t.client("carol")
    alice.send("echo@one.localhost", "<body>1</body>")
    one = await a.hear()
    bob.send("echo@one.localhost", "<body>2</body>")
    equal((await b.hear())["body"], "2", "the event of the second, while the first has one")
    a.say(ack=one["seq"])
    carol.send("echo@one.localhost", "<body>3</body>")
    equal((await a.hear())["body"], "3", "the event of the first, which has none again")


@test()
async def all_programs_see_an_event_and_each_may_answer(t):
    a, b, alice, _ = await two_programs(t, dispatch="all")
    alice.send("echo@one.localhost", "<body>1</body>")
    seen = [await program.hear() for program in (a, b)]
    equal([event["body"] for event in seen], ["1", "1"], "what they see")
    for program, name in ((a, "a"), (b, "b")):
        program.say(reply=seen[0]["seq"], body=f"by {name}")
        await alice.next(lambda s, name=name: s["body"] == f"by {name}", 20, f"the answer of {name}")
    b.say(reply=seen[0]["seq"], body="and again")
    await alice.next(lambda s: s["body"] == "and again", 20, "another answer")


@test()
async def a_program_that_buffers_is_heard_at_once(t):
    """jq keeps back what it writes into a pipe, unless it is told not to; here nobody tells it."""
    await t.annex(bots(echo={"child": ["jq", "-c", "select(.body) | {reply: .seq, body}"]})).start()
    alice = await t.client("alice")
    equal((await alice.say("echo@one.localhost", "hello"))["body"], "hello", "the answer")


@test()
async def operators_see_how_far_programs_are_behind(t):
    annex = await t.annex(bots(nobody={})).start()
    alice = await t.client("alice")
    alice.send_raw("<presence to='nobody@one.localhost' type='subscribe'/>")
    await alice.next(lambda s: s.name == "presence" and str(s["from"]) == "nobody@one.localhost/bot",
                     what="view")
    alice.send("nobody@one.localhost", "<body>hello</body>")

    async def is_behind():
        return " 1 " in next(line for line in (await annex.ctl("one.localhost", "bots")).splitlines()
                             if line.startswith("nobody@"))

    await until(is_behind, 20, "an event waits")
    await until(lambda: shows_lag(annex), 30, "the metrics tell its age")
    said = await annex.ctl("one.localhost", "contacts", "bot=nobody")
    check("alice@localhost" in said, f"the contacts are {said}")


async def shows_lag(annex):
    values = await annex.metrics()
    return all(any(value > 0 for key, value in values.items() if name in key and "one." in key)
               for name in ("bots_waiting", "bots_lag_seconds"))
