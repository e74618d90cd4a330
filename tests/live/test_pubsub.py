# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Publish-subscribe, through a real server."""
import os
import signal

from lib.client import reaches
from lib.ground import check, equal
from lib.pubsub import ATOM, OWNER, PUBSUB, ask, event
from lib.suite import test

HERE = "one.localhost"


async def serving(t):
    return await t.annex({HERE: {"module": "pubsub"}}).start()


@test()
async def what_is_published_reaches_who_is_subscribed(t):
    await serving(t)
    alice, bob = await t.client("alice"), await t.client("bob")
    await ask(alice, "<create node='news'/>")
    await ask(bob, "<subscribe node='news' jid='bob@localhost'/>")
    since = len(bob.stanzas)
    await ask(alice, f"<publish node='news'><item id='1'><entry xmlns='{ATOM}'>"
              "<title>Grüße &amp; mehr</title></entry></item></publish>")
    message = await bob.next_message(HERE, since=since)
    item = event(message, "items")[0]
    equal(item.get("id"), "1", "the item")
    equal(item.findtext(f"{{{ATOM}}}entry/{{{ATOM}}}title"), "Grüße & mehr", "the payload")
    items = await ask(bob, "<items node='news'/>", "get")
    equal([i.get("id") for i in items.iter(f"{{{PUBSUB}}}item")], ["1"], "what is kept")


@test()
async def it_is_all_there_after_a_kill(t):
    annex = await serving(t)
    alice, bob = await t.client("alice"), await t.client("bob")
    await ask(alice, "<create node='n'/>")
    await ask(bob, "<subscribe node='n' jid='bob@localhost/test'/>")
    annex.expect("signal 9")
    since = len(annex.process.lines)
    os.kill(await annex.pid(HERE), signal.SIGKILL)
    await annex.process.said("from=one.*attached to", since, 20)
    await reaches(alice, HERE)
    since = len(bob.stanzas)
    await ask(alice, "<publish node='n'><item id='1'><x xmlns='urn:x'/></item></publish>")
    equal(event(await bob.next_message(HERE, since=since), "items")[0].get("id"), "1", "the item")


@test()
async def a_deleted_node_says_so(t):
    await serving(t)
    alice, bob = await t.client("alice"), await t.client("bob")
    await ask(alice, "<create node='n'/>")
    await ask(bob, "<subscribe node='n' jid='bob@localhost'/>")
    since = len(bob.stanzas)
    await ask(alice, "<delete node='n'/>", ns=OWNER)
    check(event(await bob.next_message(HERE, since=since), "delete") is not None, "it is told")
