# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Bots whose programs end under load, whose commands are edited, and who are seen by two."""
import asyncio
import base64
import json
import struct
import sys
import urllib.request
import zlib

from lib.client import CLIENT
from lib.ground import check, equal, until
from lib.suite import test

COMMANDS = "http://jabber.org/protocol/commands"
FORM = "jabber:x:data"
UPDATE = "{vcard-temp:x:update}"
VCARD = "{vcard-temp}"


def bots(**each):
    return {"one.localhost": {"module": "bots", "bots": {"bots": each}}}


def python(source):
    return [sys.executable, "-c", source]


def png(shade):
    """A picture of one pixel."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes([0, shade]))) + chunk(b"IEND", b""))


PICTURES = {"alice": png(0), "bob": png(255)}

PHOTOGRAPHER = """
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    if e.get("body"):
        print(json.dumps({"reply": e["seq"], "body": "one moment"}))
        print(json.dumps({"file": "a.png", "to": e["from"], "data": sys.argv[1],
                          "mime": "image/png", "body": "as you wished"}))
"""

PORTRAYER = """
import json, sys
pictures = json.loads(sys.argv[1])
for line in sys.stdin:
    e = json.loads(line)
    if e.get("event") == "subscribed":
        who = e["from"].split("/")[0]
        name = who.split("@")[0]
        print(json.dumps({"kind": "presence", "to": who, "status": "for " + name,
                          "avatar": pictures[name]}))
"""

MORTAL = """
import json, os, sys
for n, line in enumerate(sys.stdin):
    e = json.loads(line)
    if e.get("body"):
        print(json.dumps({"reply": e["seq"], "body": e["body"]}), flush=True)
    if n == 9:
        os._exit(3)
"""

COMMANDER = """
import json, sys
print(json.dumps({"hello": 1, "commands": [{"node": "move", "name": "Move", "fields": [
    {"var": "from", "label": "From", "required": True},
    {"var": "to", "label": "To", "required": True}]}]}))
for line in sys.stdin:
    e = json.loads(line)
    if e["kind"] == "command":
        print(json.dumps({"reply": e["seq"],
                          "body": "moved from %(from)s to %(to)s" % e["form"]}))
"""


@test()
async def two_buddies_see_two_pictures_of_a_bot(t):
    shown = json.dumps({k: base64.b64encode(v).decode() for k, v in PICTURES.items()})
    await t.annex(bots(lamp={"child": python(PORTRAYER) + [shown], "events": ["contact"]})).start()
    clients = {user: await t.client(user) for user in PICTURES}
    hashes = set()
    for user, client in clients.items():
        client.send_raw("<presence to='lamp@one.localhost' type='subscribe'/>")
    for user, client in clients.items():
        seen = await client.next(
            lambda s: s.xml.tag == CLIENT + "presence" and s["status"] == f"for {user}"
            and bool(s.xml.findtext(f"{UPDATE}x/{UPDATE}photo")), 20, f"presence for {user}")
        hashes.add(seen.xml.findtext(f"{UPDATE}x/{UPDATE}photo"))
        answer = await client.iq("lamp@one.localhost", "<vCard xmlns='vcard-temp'/>")
        data = answer.xml.findtext(f"{VCARD}vCard/{VCARD}PHOTO/{VCARD}BINVAL")
        equal(base64.b64decode(data or ""), PICTURES[user], f"the picture for {user}")
        client.send_raw("<presence to='lamp@one.localhost' type='unsubscribe'/>")
    equal(len(hashes), 2, "how many pictures are seen")


@test()
async def a_file_is_put_and_its_link_is_sent(t):
    photographer = python(PHOTOGRAPHER) + [base64.b64encode(png(7)).decode()]
    await t.annex(bots(cam={"child": photographer})).start()
    alice = await t.client("alice")
    alice.send("cam@one.localhost", "<body>photo, please</body>")
    message = await alice.next(
        lambda s: s.xml.find("{jabber:x:oob}x") is not None, 30, "a message with a link")
    link = message.xml.findtext("{jabber:x:oob}x/{jabber:x:oob}url")
    equal(message["body"], link, "the body")
    check([s for s in alice.stanzas if s["body"] == "as you wished"], "what was said before")
    loop = asyncio.get_running_loop()
    data = await loop.run_in_executor(None, lambda: urllib.request.urlopen(link, timeout=10).read())
    equal(data, png(7), "what is behind the link")


DROPPED = """
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    if e["kind"] == "message":
        print(json.dumps({"file": "a.png", "to": "alice@localhost", "data": "AAEC", "key": "f"}))
    elif e["kind"] == "receipt":
        print(json.dumps({"to": "alice@localhost", "body": e["state"] + " " + e["why"]}))
"""


@test("ejabberd")
async def a_file_that_the_server_does_not_take_is_told_to_be_dropped(t):
    """ejabberd takes files of those that its access rule names: one.localhost, and no other."""
    await t.annex({"two.localhost": {"module": "bots", "bots": {"bots": {"cam": {
        "child": python(DROPPED), "events": ["message", "receipt"]}}}}}).start()
    alice = await t.client("alice")
    alice.send("cam@two.localhost", "<body>photo</body>")

    def said():
        return [s["body"] for s in alice.stanzas
                if s.name == "message" and s["from"].bare == "cam@two.localhost" and s["body"]]

    await until(lambda: len(said()) >= 2, 10, "the fate")
    equal(said(), ["(a.png could not be sent.)", "dropped forbidden"], "what its reader and its program say")


@test()
async def a_program_that_ends_under_load_answers_all_once(t):
    annex = await t.annex(bots(echo={"child": python(MORTAL), "tries": 50})).start()
    annex.expect("the program of echo ended")
    alice = await t.client("alice")
    equal((await alice.say("echo@one.localhost", "first"))["body"], "first", "the answer")
    since = len(alice.stanzas)
    for n in range(40):
        alice.send("echo@one.localhost", f"<body>{n}</body>")

    def answers():
        return [
            (s["body"], s.xml.get("id")) for s in alice.stanzas[since:]
            if s.xml.tag == CLIENT + "message" and s["body"]
        ]

    await until(lambda: len({body for body, _ in answers()}) == 40, 60, "all are answered")
    equal([body for body, _ in answers()], [str(n) for n in range(40)], "the answers, in order")


@test()
async def a_form_is_filled_in_by_and_by(t):
    await t.annex(bots(crane={"child": python(COMMANDER)})).start()
    alice = await t.client("alice")
    to = "crane@one.localhost"

    async def step(inner, attributes):
        answer = await alice.iq(
            to, f"<command xmlns='{COMMANDS}' node='move'{attributes}>{inner}</command>", "set")
        return answer.xml.find(f"{{{COMMANDS}}}command")

    def filled(**values):
        fields = "".join(f"<field var='{k}'><value>{v}</value></field>" for k, v in values.items())
        return f"<x xmlns='{FORM}' type='submit'>{fields}</x>"

    async def opened():
        return await step("", " action='execute'") is not None

    await until(opened, 10, "the form")
    command = await step(filled(**{"from": "here"}), "")
    equal(command.get("status"), "executing", "the status with a field missing")
    session = f" sessionid='{command.get('sessionid')}' action='complete'"
    equal(command.findtext(f"{{{COMMANDS}}}note"), "To must be something.", "the note")
    command = await step(filled(**{"from": "here", "to": "there"}), session)
    equal(command.get("status"), "completed", "the status with all")
    equal(command.findtext(f"{{{COMMANDS}}}note"), "moved from here to there", "the note")


@test()
async def an_edited_command_is_not_run_again(t):
    await t.annex(bots(crane={"child": python(COMMANDER)})).start()
    alice = await t.client("alice")
    to = "crane@one.localhost"

    async def known():
        items = f"<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>"
        return "node='move'" in str(await alice.iq(to, items)).replace('"', "'")

    await until(known, 30, "the program has said its commands")
    check("move <from> <to>" in (await alice.say(to, "help"))["body"], "what help says")
    since = len(alice.stanzas)
    first = alice.send(to, "<body>move a b</body>")
    equal((await alice.next_message(to, since=since))["body"], "moved from a to b", "the answer")
    since = len(alice.stanzas)
    alice.send(to, f"<body>move a c</body><replace xmlns='urn:xmpp:message-correct:0' id='{first}'/>")
    check("edited" in (await alice.next_message(to, since=since))["body"], "the edited one is run")
    # What is missing is asked for, one by one.
    equal((await alice.say(to, "move"))["body"], "From?", "the first question")
    equal((await alice.say(to, "a"))["body"], "To?", "the second question")
    equal((await alice.say(to, "b"))["body"], "moved from a to b", "the answer")
