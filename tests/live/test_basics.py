# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""What every component answers, through a real server."""
import re
from xml.etree import ElementTree

from lib.client import condition
from lib.ground import check, equal, until
from lib.relay import Relay
from lib.suite import test

DISCO_INFO = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
COMMANDS = "http://jabber.org/protocol/commands"
FORM = "jabber:x:data"


def fields(answer):
    """A form in an answer: {var: value}."""
    return {
        f.get("var"): f.findtext(f"{{{FORM}}}value") for f in answer.xml.iter(f"{{{FORM}}}field")
    }


@test()
async def a_message_comes_back(t):
    alice = await t.client("alice")
    answer = await alice.say("echo.localhost", "hello")
    equal(answer["body"], "hello", "the echo")
    equal(answer["type"], "chat", "its type")
    equal(str(answer["to"]), alice.jid, "its addressee")


@test()
async def it_answers_at_every_address_of_its_domain(t):
    alice = await t.client("alice")
    for to in "parrot@echo.localhost", "parrot@echo.localhost/Küche 7", "echo.localhost/x":
        answer = await alice.say(to, "hello")
        equal(str(answer["from"]), to, "the echo's sender")


@test()
async def errors_and_chat_states_are_not_answered(t):
    alice = await t.client("alice")
    since = len(alice.stanzas)
    alice.send("echo.localhost", "<body>no</body>", type="error")
    alice.send(
        "echo.localhost", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
    )
    alice.send("echo.localhost", "<body>yes</body>")
    equal((await alice.next_message("echo.localhost", since=since))["body"], "yes", "what came")


@test()
async def disco_tells_what_it_is(t):
    alice = await t.client("alice")
    answer = await alice.iq("echo.localhost", f"<query xmlns='{DISCO_INFO}'/>")
    equal(answer.xml.get("type"), "result", "the type")
    query = answer.xml.find(f"{{{DISCO_INFO}}}query")
    identity = query.find(f"{{{DISCO_INFO}}}identity")
    equal(identity.get("category"), "component", "the category")
    equal(identity.get("name"), "Echo", "the name")
    features = {f.get("var") for f in query.findall(f"{{{DISCO_INFO}}}feature")}
    for feature in DISCO_INFO, DISCO_ITEMS, "jabber:iq:version", "urn:xmpp:ping", "urn:xmpp:time":
        check(feature in features, f"{feature} is not among {features}")
    items = await alice.iq("echo.localhost", f"<query xmlns='{DISCO_ITEMS}'/>")
    equal(items.xml.get("type"), "result", "the type of the items")
    missing = await alice.iq("echo.localhost", f"<query xmlns='{DISCO_INFO}' node='none'/>")
    equal(condition(missing), "item-not-found", "the answer about an unknown node")


@test()
async def the_server_lists_it(t):
    alice = await t.client("alice")
    answer = await alice.iq("localhost", f"<query xmlns='{DISCO_ITEMS}'/>")
    jids = {item.get("jid") for item in answer.xml.iter(f"{{{DISCO_ITEMS}}}item")}
    check("echo.localhost" in jids, f"the server's items are {jids}")


@test()
async def version_ping_time_and_last_activity_are_answered(t):
    alice = await t.client("alice")
    answer = await alice.iq("echo.localhost", "<query xmlns='jabber:iq:version'/>")
    equal(answer.xml.findtext(".//{jabber:iq:version}name"), "Annex/echo", "its name")
    check(answer.xml.findtext(".//{jabber:iq:version}version"), "there is no version")
    answer = await alice.iq("echo.localhost", "<ping xmlns='urn:xmpp:ping'/>")
    equal(answer.xml.get("type"), "result", "the answer to a ping")
    answer = await alice.iq("echo.localhost", "<time xmlns='urn:xmpp:time'/>")
    utc = answer.xml.findtext(".//{urn:xmpp:time}utc")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", utc or ""), f"utc is {utc!r}")
    tzo = answer.xml.findtext(".//{urn:xmpp:time}tzo")
    check(re.fullmatch(r"Z|[+-]\d\d:\d\d", tzo or ""), f"tzo is {tzo!r}")
    answer = await alice.iq("echo.localhost", "<query xmlns='jabber:iq:last'/>")
    seconds = answer.xml.find("{jabber:iq:last}query").get("seconds")
    check(0 <= int(seconds) < 600, f"the last activity is {seconds} s ago")


@test()
async def an_unknown_namespace_is_refused(t):
    alice = await t.client("alice")
    for type in "get", "set":
        answer = await alice.iq("echo.localhost", "<query xmlns='urn:nobody:knows'/>", type)
        equal(condition(answer), "service-unavailable", "the answer")
        equal(answer["error"]["type"], "cancel", "its type")


@test()
async def what_it_says_is_what_every_server_takes(t):
    relay = await t.begin(Relay(t.server.port))
    annex = t.annex({"one.localhost": {"module": "probe"}})
    annex.server("main", relay.port, keepalive="1s")
    await annex.start()
    alice = await t.client("alice")
    for order in "greet", "show", "ask localhost", "fan 3", "flow a 3", "last x", "no such order":
        alice.send("one.localhost", f"<body>{order}</body>")
    await alice.iq("one.localhost", "<query xmlns='urn:nobody:knows'/>")
    await until(lambda: relay.said["up"].endswith(b" "), 5, "silence is filled with a blank")
    said = relay.said["up"].decode()
    root = ElementTree.fromstring(said + "</stream:stream>")
    equal(root.attrib, {"to": "one.localhost"}, "the stream's attributes")
    equal(root[0].tag, "{jabber:component:accept}handshake", "the first element")
    check(re.fullmatch("[0-9a-f]{40}", root[0].text), f"the digest is {root[0].text!r}")
    check(len(root) > 10, f"only {len(root)} elements were sent")
    for stanza in root[1:]:
        kind = stanza.tag.removeprefix("{jabber:component:accept}")
        check(kind in ("message", "presence", "iq"), f"{stanza.tag} was sent")
        lacking = {"from", "to", "id"} - set(stanza.attrib)
        check(not lacking, f"a {kind} without {lacking}: {ElementTree.tostring(stanza)}")
    check(not re.search("<(message|presence|iq)[^>]* xmlns=", said), "a stanza with xmlns was sent")


@test()
async def a_user_runs_a_command(t):
    alice = await t.client("alice")
    query = f"<query xmlns='{DISCO_ITEMS}' node='{COMMANDS}'/>"
    answer = await alice.iq("probe.localhost", query)
    nodes = {item.get("node") for item in answer.xml.iter(f"{{{DISCO_ITEMS}}}item")}
    check({"sum", "table"} <= nodes, f"the commands are {nodes}")
    check(not {"denied", "inside"} & nodes, f"alice is offered {nodes}")

    answer = await alice.iq(
        "probe.localhost", f"<command xmlns='{COMMANDS}' node='sum' action='execute'/>", "set"
    )
    command = answer.xml.find(f"{{{COMMANDS}}}command")
    equal(command.get("status"), "executing", "the status of the first stage")
    check("first" in fields(answer), f"the form's fields are {fields(answer)}")
    session = command.get("sessionid")

    async def go_on(action, values):
        form = "".join(f"<field var='{k}'><value>{v}</value></field>" for k, v in values.items())
        payload = (
            f"<command xmlns='{COMMANDS}' node='sum' sessionid='{session}' action='{action}'>"
            f"<x xmlns='{FORM}' type='submit'>{form}</x></command>"
        )
        return await alice.iq("probe.localhost", payload, "set")

    answer = await go_on("next", {"first": 20})
    equal(fields(answer).get("second"), "21", "the second form's preset")
    answer = await go_on("complete", {"second": 22, "colour": "red"})
    command = answer.xml.find(f"{{{COMMANDS}}}command")
    equal(command.get("status"), "completed", "the status at the end")
    equal(command.findtext(f"{{{COMMANDS}}}note"), "42, in red", "the note")

    answer = await alice.iq("probe.localhost", f"<command xmlns='{COMMANDS}' node='inside'/>", "set")
    check(condition(answer) in ("item-not-found", "forbidden"), "an inner command was offered")


@test()
async def annexctl_runs_a_command(t):
    text = await t.shared.ctl("probe.localhost", "table")
    check(re.search(r"two +2", text), f"annexctl says {text!r}")
    text = await t.shared.ctl("probe.localhost", "help")
    check("sum" in text and "inside" in text, f"the help is {text!r}")
    text = await t.shared.ctl("probe.localhost", "tabel", want=None)
    check("table" in text, f"a mistyped command is answered with {text!r}")


@test()
async def a_component_asks_and_is_answered(t):
    alice = await t.client("alice")
    equal((await alice.say("probe.localhost", "fence"))["body"], "routed", "the fence's end")
    equal((await alice.say("probe.localhost", "ask localhost"))["body"], "answered", "the answer")
    answer = await alice.say("probe.localhost", f"ask {alice.jid}/gone")
    check("service-unavailable" in answer["body"], f"the component says {answer['body']!r}")


@test()
async def a_later_answer_arrives(t):
    alice = await t.client("alice")
    id = alice.new_id()
    since = len(alice.stanzas)
    alice.send_raw(
        f"<iq to='probe.localhost' type='get' id='{id}'><later xmlns='urn:annex:probe'/></iq>"
    )
    alice.send("probe.localhost", "<body>release at last</body>")
    answer = await alice.next(lambda s: s.xml.get("id") == id, since=since, what="late answer")
    equal(answer.xml.findtext("{urn:annex:probe}late"), "at last", "the late answer")
