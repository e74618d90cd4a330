# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Rosters that a server grants (XEP-0356: ejabberd's and Prosody's mod_privilege)."""
from lib.client import CLIENT, condition, reaches
from lib.ground import equal
from lib.pubsub import PUBSUB, ask, config, event
from lib.suite import test

HERE = "trusted.localhost"
X = "<item><x xmlns='urn:x'/></item>"


async def subscribe(client, node="n"):
    """The error, or None."""
    bare = client.jid.split("/")[0]
    return condition(await client.iq(HERE, f"<pubsub xmlns='{PUBSUB}'><subscribe node='{node}' "
                                     f"jid='{bare}'/></pubsub>", "set"))


def is_presence_of(user):
    return lambda s: s.xml.tag == CLIENT + "presence" and s.xml.get("from") == user.jid


@test()
async def contacts_of_the_owner_are_let_in_and_out(t):
    annex = await t.annex({HERE: {"module": "pubsub"}}).start()
    await annex.process.said("the server grants privileges: domain=localhost rosters=r presence")
    owner, friend, other = [await t.client(user) for user in ("owner", "friend", "other")]
    since = len(friend.stanzas)
    friend.send_raw("<presence to='owner@localhost' type='subscribe' id='s'/>")  # slixmpp accepts
    await friend.next(is_presence_of(owner), what="presence of the owner", since=since)
    await ask(owner, f"<create node='n'/>{config(access_model='presence')}", at=HERE)
    equal(await subscribe(other), "not-authorized", "what a stranger is told")
    equal(await subscribe(friend), None, "what a contact is told")

    # Neither server tells of changes: what is published after one asks for the roster again.
    owner.send_raw("<presence to='friend@localhost' type='unsubscribed' id='u'/>")
    await annex.stop()
    await annex.start()
    await reaches(owner, HERE)
    since = len(friend.stanzas)
    await ask(owner, f"<publish node='n'>{X}</publish>", at=HERE)
    told = await friend.next(lambda s: event(s, "subscription") is not None, 20, "event", since)
    equal(event(told, "subscription").get("subscription"), "none", "the subscription")
