# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Nodes that come from what another server has exported (XEP-0227)."""
import asyncio
import json
import os
import signal

from lib.client import reaches
from lib.ground import Failure, check, equal, until
from lib.pubsub import ATOM, OWNER, PUBSUB, ask, form
from lib.suite import test

HERE = "one.localhost"
ME = "juliet@localhost"
PIE = "urn:xmpp:pie:0"


async def serving(t, **options):
    return await t.annex({HERE: {"module": "pubsub", "pubsub": options}}).start()


def file_of(annex, text):
    path = annex.dir / "export.xml"
    path.write_text(text)
    return path


def export(nodes, user="juliet", host="localhost"):
    return (f"<server-data xmlns='{PIE}'><host jid='{host}'><user name='{user}'>{nodes}"
            "</user></host></server-data>")


def node(name, *items, config="", more="", model="open"):
    """One node as a file has it."""
    fields = form(PUBSUB + "#node_config", **{"pubsub#access_model": model})
    return (f"<pubsub xmlns='{OWNER}'><configure node='{name}'>"
            f"{fields.replace('</x>', config + '</x>')}</configure>{more}</pubsub>"
            f"<pubsub xmlns='{PUBSUB}'><items node='{name}'>{''.join(items)}</items></pubsub>")


def item(id, title="t"):
    return f"<item id='{id}'><entry xmlns='{ATOM}'><title>{title}</title></entry></item>"


async def ids(client, name):
    """What a node has, the oldest first."""
    answer = await ask(client, f"<items node='{name}'/>", "get")
    return [i.get("id") for i in answer.iter(f"{{{PUBSUB}}}item")][::-1]


async def configured(client, name, var):
    answer = await ask(client, f"<configure node='{name}'/>", "get", OWNER)
    field = next(f for f in answer.iter("{jabber:x:data}field") if f.get("var") == f"pubsub#{var}")
    return field.findtext("{jabber:x:data}value")


@test("prosody")
async def nodes_come_from_prosody(t):
    juliet, romeo = await t.client("juliet"), await t.client("romeo")
    for name, model in ("news", "open"), ("diary", "whitelist"), ("mood", "presence"):
        options = form(PUBSUB + "#publish-options", **{
            "pubsub#access_model": model, "pubsub#persist_items": "1", "pubsub#max_items": "3"})
        for id in "abc":
            await ask(juliet, f"<publish node='{name}'>{item(id, 'Grüße &amp; ' + id)}</publish>"
                      f"<publish-options>{options}</publish-options>", at=ME)
    await ask(romeo, "<subscribe node='news' jid='romeo@localhost'/>", at=ME)
    await ask(juliet, "<affiliations node='diary'><affiliation jid='romeo@localhost' "
              "affiliation='member'/></affiliations>", ns=OWNER, at=ME)
    file = await t.server.export("juliet")

    annex = await serving(t)
    said = await annex.ctl(HERE, "import", file)
    check("1 users: 3 nodes, 1 affiliations, 1 subscriptions and 9 items" in said, said)
    for name, model in ("news", "open"), ("diary", "whitelist"), ("mood", "presence"):
        equal(await configured(juliet, f"juliet/{name}", "access_model"), model, "the access model")
        equal(await configured(juliet, f"juliet/{name}", "max_items"), "3", "the most items")
        equal(await ids(juliet, f"juliet/{name}"), list("abc"), f"what is in {name}")
    equal(await ids(romeo, "juliet/diary"), list("abc"), "what a member sees")
    answer = await ask(romeo, "<items node='juliet/news'/>", "get")
    equal(answer.findtext(f".//{{{ATOM}}}title"), "Grüße & c", "the payload")
    since = len(romeo.stanzas)
    await ask(juliet, f"<publish node='juliet/news'>{item('d')}</publish>")
    message = await romeo.next_message(HERE, since=since)
    check(message.xml.find(".//*[@id='d']") is not None, "who was subscribed is told")

    said = await annex.ctl(HERE, "import", file)
    check("0 nodes" in said and "3 were left" in said, f"again: {said}")
    equal(await ids(juliet, "juliet/news"), list("bcd"), "what is there is not touched")


@test("ejabberd")
async def ejabberd_exports_no_nodes(t):
    await t.client("juliet")
    files = await t.server.export()
    annex = await serving(t)
    mains, hosts = [f for f in files if "_" not in f.name], [f for f in files if "_" in f.name]
    said = await annex.ctl(HERE, "import", mains[0])
    check("to be imported by itself" in said and hosts[0].name in said, said)
    said = await annex.ctl(HERE, "import", hosts[0])
    check("0 nodes" in said and "Of 0 users" not in said, said)


@test("prosody")
async def what_is_no_export_is_refused_in_a_sentence(t):
    annex = await serving(t)
    directory = annex.dir
    for text, sentence in (
        ("", "is no XML (line 1: no element found): nothing was taken"),
        ("{}", "is no XML (line 1: not well-formed (invalid token)): nothing was taken"),
        (export(node("n", item("1")))[:-20], "is no XML (line 1: "),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "a document type declaration is not taken"),
        ("<users xmlns='urn:x'/>", "its root is <users xmlns='urn:x'/>, and not <server-data"),
    ):
        said = await annex.ctl(HERE, "import", file_of(annex, text), want=1)
        check(sentence in said, f"of {text[:40]}: {said}")
    file = file_of(annex, export(""))
    for words, sentence in (
        ([file, "{user}"], '"as" has no {node}'),
        ([file, "{node}.{domain}"], 'no "{domain}"'),
        ([directory], "is not a regular file"),
    ):
        said = await annex.ctl(HERE, "import", *words, want=1)
        check(sentence in said, f"of {words}: {said}")
    said = await annex.ctl(HERE, "import", directory / "none", want=2)
    check("cannot read" in said, said)
    check("Of 1 users: 0 nodes" in await annex.ctl(HERE, "import", file), "an empty one")
    equal(await annex.ctl(HERE, "nodes"), "Node  Title  Creator  Items  Subscriptions\n", "nodes")


@test("prosody")
async def what_cannot_be_taken_is_told(t):
    annex = await serving(t, **{"max-nodes": 6})
    juliet = await t.client("juliet")
    odd = "<field var='pubsub#odd'><value>1</value></field>"
    members = ("<affiliations node='a'><affiliation jid='@' affiliation='member'/>"
               "<affiliation jid='romeo@localhost' affiliation='friend'/>"
               "<affiliation jid='nurse@localhost' affiliation='publisher'/></affiliations>"
               "<subscriptions node='a'><subscription jid='nurse@localhost' "
               "subscription='subscribed'><options>"
               + form(PUBSUB + "#subscribe_options", **{"pubsub#deliver": "0"}) +
               "</options></subscription><subscription jid='romeo@localhost/x' "
               "subscription='odd'/></subscriptions>")
    text = export(
        node("a", item("1"), "<item><x xmlns='urn:x'/></item>",
             "<item id='2'><x xmlns='urn:x'/><y xmlns='urn:x'/></item>",
             f"<item id='3'><x xmlns='urn:x'>{'x' * 70000}</x></item>",
             config=odd, more=members)
        + node("b", item("1"), model="strange")
        + node("few", item("1"), item("2"), item("3"),
               config="<field var='pubsub#max_items'><value>2</value></field>")
        + node("none", item("1"), config="<field var='pubsub#persist_items'><value>0</value></field>")
        + node("x" * 1100)
        + f"<pubsub xmlns='{PUBSUB}'><items node='bare'>{item('1')}</items></pubsub>"
        + node("5") + node("6") + node("7")
        + "<query xmlns='jabber:iq:roster'/>").replace(
            "</host>", f"<user name='x{'é' * 60}@'/></host>")
    said = await annex.ctl(HERE, "import", file_of(annex, text))
    for sentence in (
        "6 nodes, 1 affiliations, 1 subscriptions and 4 items",
        "pubsub#odd", "pubsub#access_model", '"@" is no address',
        "romeo@localhost: there is none of that name", "of romeo@localhost/x: there is no such state",
        "it has no id", "2: it has several payloads", "3: its payload is too large",
        "1: there are more than the node keeps", "1: the node keeps none",
        "its name is longer than 1023 bytes", "nothing says what the node is like",
        "has made as many nodes as one user may", "their name is none",
    ):
        check(sentence in said, f"not told: {sentence}\n{said}")
    equal(await configured(juliet, "juliet/b", "access_model"), "whitelist", "what is not known")
    equal(await ids(juliet, "juliet/few"), ["2", "3"], "the newest")


@test("prosody")
async def nodes_that_are_there_stay_unless_told(t):
    annex = await serving(t)
    juliet, romeo = await t.client("juliet"), await t.client("romeo")
    await ask(juliet, "<create node='mine'/>")
    await ask(juliet, f"<publish node='mine'>{item('1', 'old')}</publish>")
    await ask(romeo, "<create node='his'/>")
    file = file_of(annex, export(node("mine", item("1", "new"), item("2"), model="authorize")
                                 + node("his", item("1"))))
    said = await annex.ctl(HERE, "import", file, "{node}")
    check("0 nodes" in said and "there is one of that name: mine" in said, said)
    equal(await ids(juliet, "mine"), ["1"], "what is there")
    said = await annex.ctl(HERE, "import", file, "{node}", "replace=yes")
    check("1 nodes" in said and "that is not theirs: his" in said, said)
    equal(await configured(juliet, "mine", "access_model"), "authorize", "the access model")
    equal(await ids(juliet, "mine"), ["1", "2"], "what is there then")
    equal(await ids(romeo, "his"), [], "what is another's")
    both = export(node("n", item("1"))).replace("</host>", "<user name='romeo'>" + node(
        "n", item("2")) + "</user></host>")
    said = await annex.ctl(HERE, "import", file_of(annex, both), "{node}")
    check("there is one of that name: n" in said, said)
    equal(await ids(juliet, "n"), ["1"], "of two with one name the first")
    for host in "one.example", "two.example":
        await annex.ctl(
            HERE, "import", file_of(annex, export(node("n"), host=host)), "{host}:{user}:{node}")
    nodes = await annex.ctl(HERE, "nodes")
    check("one.example:juliet:n" in nodes and "two.example:juliet:n" in nodes, nodes)


async def interrupted(t, annex, juliet, file):
    """An import of which some is in when the worker is killed."""
    annex.expect("signal 9")
    since = len(annex.process.lines)
    first = asyncio.ensure_future(annex.ctl(HERE, "import", file, want=None))

    async def some():
        try:
            return ": 0 items" not in (await annex.ask(HERE, "show", node="juliet/n"))["say"][0]
        except Failure:
            return False

    await until(some, 20, "items come in")
    os.kill(await annex.pid(HERE), signal.SIGKILL)
    said = await first
    check("taken" not in said, f"it was not interrupted: {said}")
    await annex.process.said("from=one.*attached to", since, 20)
    await reaches(juliet, HERE)


@test("prosody")
async def an_import_that_was_interrupted_goes_on(t):
    annex = await serving(t)
    juliet = await t.client("juliet")
    many = [str(n) for n in range(12000)]
    file = file_of(annex, export(node("n", *(item(n) for n in many))))

    await interrupted(t, annex, juliet, file)
    said = await annex.ctl(HERE, "import", file)
    check("1 nodes" in said and " were here before" in said and "0 were here" not in said, said)
    shown = (await annex.ask(HERE, "show", node="juliet/n"))["say"][0]
    check("12000 items" in shown, shown)
    said = await annex.ctl(HERE, "import", file)
    check("0 nodes" in said, "its mark is gone")


@test("prosody")
async def a_node_that_is_deleted_takes_the_mark_of_its_import_along(t):
    annex = await serving(t)
    juliet = await t.client("juliet")
    file = file_of(annex, export(node("n", *(item(str(n)) for n in range(12000)))))

    async def marks():
        return json.loads(await annex.ctl("--json", HERE, "store", "stat"))["tables"]["importing"]

    await interrupted(t, annex, juliet, file)
    equal(await marks(), 1, "marks of a node that came in half")
    await annex.ctl(HERE, "delete", "juliet/n")

    async def gone():
        return await marks() == 0

    await until(gone, 20, "the mark goes")
