# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Rooms, with real servers and real clients."""
import asyncio
import os
import signal
import sys

from lib.crowd import Crowd
from lib.client import CLIENT, condition, reaches
from lib.ground import check, equal, until
from lib.suite import test

DOMAIN = "one.localhost"
MUC = "http://jabber.org/protocol/muc"
X = f"{{{MUC}#user}}x"
MANY = 500 if "--long" in sys.argv or os.environ.get("LONG") else 25


async def rooms(t, **options):
    """An Annex with rooms."""
    annex = t.annex({DOMAIN: {"module": "muc", "muc": {"ask-after": "1s", **options}}})
    await annex.start()
    return annex


def codes(stanza):
    return {s.get("code") for s in stanza.xml.iter(f"{{{MUC}#user}}status")}


def presences(client, sender, since=0):
    return [s for s in client.stanzas[since:]
            if s.xml.tag == CLIENT + "presence" and s.xml.get("from") == sender]


async def gone(client, sender, since=0, bound=20):
    """Somebody, as client sees it, has left."""
    return await client.next(
        lambda s: s.xml.get("from") == sender and s.xml.get("type") == "unavailable",
        bound, f"leave of {sender}", since)


def went(client, sender, since=0):
    return sum(p.xml.get("type") == "unavailable" for p in presences(client, sender, since))


async def enter(client, room, nick, inner="", bound=20):
    """Come in: the presence that says so, or the error."""
    id, since = client.new_id(), len(client.stanzas)
    client.send_raw(
        f"<presence to='{room}/{nick}' id='{id}'><x xmlns='{MUC}'>{inner}</x></presence>")
    return await client.next(
        lambda s: s.xml.tag == CLIENT + "presence" and
        (s.xml.get("type") == "error" or "110" in codes(s)) and
        s.xml.get("from").startswith(room), bound, f"place in {room}", since)


async def configure(client, room, **fields):
    form = "".join(
        f"<field var='muc#roomconfig_{k}'><value>{v}</value></field>" for k, v in fields.items())
    answer = await client.iq(
        room, f"<query xmlns='{MUC}#owner'><x xmlns='jabber:x:data' type='submit'><field "
        f"var='FORM_TYPE'><value>{MUC}#roomconfig</value></field>{form}</x></query>", "set")
    equal(answer.xml.get("type"), "result", "the answer to a configuration")


async def admin(client, room, item, inner=""):
    return await client.iq(
        room, f"<query xmlns='{MUC}#admin'><item {item}>{inner}</item></query>", "set")


async def say(client, room, text):
    """Say something: its reflection."""
    since = len(client.stanzas)
    id = client.send(room, f"<body>{text}</body>", "groupchat")
    return await client.next_message(room, 20, since, id)


async def hears(client, room, text, bound=20, since=0):
    return await client.next(
        lambda s: s.xml.tag == CLIENT + "message" and s.xml.findtext(CLIENT + "body") == text and
        s.xml.get("from").startswith(room), bound, f"line {text!r}", since)


async def asks_itself(client, occupant):
    """XEP-0410: None, or the condition."""
    return condition(await client.iq(occupant, "<ping xmlns='urn:xmpp:ping'/>"))


@test()
async def two_talk_in_a_room(t):
    await rooms(t)
    alice, bob, carol = [await t.client(n) for n in ("alice", "bob", "carol")]
    room = f"talk@{DOMAIN}"
    check("201" in codes(await enter(alice, room, "Alice")), "the room was not made")
    equal(condition(await enter(bob, room, "Bob")), "item-not-found", "a locked room")
    await configure(alice, room)
    await enter(bob, room, "Bob")
    await say(alice, room, "hello")
    line = await hears(bob, room, "hello")
    equal(str(line["from"]), f"{room}/Alice", "who said it")
    equal(condition(await enter(carol, room, "bob")), "conflict", "a nickname in use")
    since = len(carol.stanzas)
    await enter(carol, room, "Carol")
    line = await hears(carol, room, "hello", since=since)
    check(line.xml.find("{urn:xmpp:delay}delay") is not None, "the history has no delay")
    equal(await asks_itself(bob, f"{room}/Bob"), None, "a self-ping")
    # Coming in again gives everything again, and the others see nothing.
    since, others = len(bob.stanzas), len(alice.stanzas)
    await enter(bob, room, "Bob")
    await hears(bob, room, "hello", since=since)
    await say(bob, room, "again")
    await hears(alice, room, "again")
    equal(presences(alice, f"{room}/Bob", others), [], "what others see of coming in again")
    # The archive has both.
    since = len(bob.stanzas)
    answer = await bob.iq(room, "<query xmlns='urn:xmpp:mam:2' queryid='q'/>", "set")
    equal(answer.xml.get("type"), "result", "the archive's answer")
    bodies = [b.text for s in bob.stanzas[since:] for b in s.xml.iter(CLIENT + "body")]
    equal(bodies, ["hello", "again"], "the archive")
    bob.send_raw(f"<presence to='{room}/Bob' type='unavailable'/>")
    await gone(alice, f"{room}/Bob")
    equal(await asks_itself(bob, f"{room}/Bob"), "not-acceptable", "a self-ping from outside")


@test()
async def rooms_of_each_kind(t):
    await rooms(t)
    alice, bob = await t.client("alice"), await t.client("bob")
    for name, fields, refusal in (
        ("members", {"membersonly": 1}, "registration-required"),
        ("secret", {"passwordprotectedroom": 1, "roomsecret": "sesame"}, "not-authorized"),
    ):
        room = f"{name}@{DOMAIN}"
        await enter(alice, room, "Alice")
        await configure(alice, room, **fields)
        equal(condition(await enter(bob, room, "Bob")), refusal, f"coming into {name}")
    answer = await admin(alice, f"members@{DOMAIN}", "jid='bob@localhost' affiliation='member'")
    equal(answer.xml.get("type"), "result", "making a member")
    equal(condition(await enter(bob, f"members@{DOMAIN}", "Bob")), None, "a member")
    inner = "<password>sesame</password>"
    equal(condition(await enter(bob, f"secret@{DOMAIN}", "Bob", inner)), None, "with the password")
    room = f"moderated@{DOMAIN}"
    await enter(alice, room, "Alice")
    await configure(alice, room, moderatedroom=1, whois="anyone")
    check("100" in codes(await enter(bob, room, "Bob")), "nobody said that addresses are shown")
    equal(condition(await say(bob, room, "may I?")), "forbidden", "a visitor speaks")
    answer = await admin(alice, room, "nick='Bob' role='participant'")
    equal(answer.xml.get("type"), "result", "giving voice")
    equal(condition(await say(bob, room, "thanks")), None, "a participant speaks")


@test()
async def owners_invite_kick_and_ban(t):
    await rooms(t)
    alice, bob = await t.client("alice"), await t.client("bob")
    room = f"court@{DOMAIN}"
    await enter(alice, room, "Alice")
    await configure(alice, room)
    alice.send_raw(f"<message to='{room}'><x xmlns='{MUC}#user'><invite to='bob@localhost'>"
                   "<reason>come</reason></invite></x></message>")
    invitation = await bob.next_message(room)
    equal(invitation.xml.findtext(f"{X}/{{{MUC}#user}}invite/{{{MUC}#user}}reason"), "come",
          "the invitation's reason")
    for item, code in ("nick='Bob' role='none'", "307"), ("jid='bob@localhost' affiliation='outcast'", "301"):
        await enter(bob, room, "Bob")
        since = len(bob.stanzas), len(alice.stanzas)
        answer = await admin(alice, room, item, "<reason>enough</reason>")
        equal(answer.xml.get("type"), "result", "putting somebody out")
        for client, n in zip((bob, alice), since):
            check(code in codes(await gone(client, f"{room}/Bob", n)), f"no {code} is seen")
    equal(condition(await enter(bob, room, "Bob")), "forbidden", "coming in where one is banned")
    since = len(alice.stanzas)
    await configure(alice, room, roomname="Court")
    await alice.next(lambda s: "104" in codes(s), since=since, what="word of a new configuration")


@test()
async def a_restart_puts_out_only_who_is_gone(t):
    annex = await rooms(t)
    names = "alice", "bob", "carol", "dave"
    alice, bob, carol, dave = [await t.client(n) for n in names]
    room = f"stay@{DOMAIN}"
    await enter(alice, room, "alice")
    await configure(alice, room)
    # bob knows no ping, carol's connection breaks and may be resumed (XEP-0198), dave logs out
    dave.send_raw(f"<presence to='{room}/dave'><x xmlns='{MUC}'/></presence>")
    carol.send_raw("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    for client, name in zip((bob, carol, dave), names[1:]):
        await enter(client, room, name)
    since = [len(c.stanzas) for c in (alice, bob)]
    await annex.stop()
    carol._xmpp.abort()
    await dave.stop()
    await annex.start()
    await reaches(alice, DOMAIN)
    left = await gone(alice, f"{room}/dave", since[0])
    check("333" in codes(left), "dave has not left by an error")
    await say(alice, room, "who is here?")
    await hears(bob, room, "who is here?")
    for name in "bob", "carol":
        equal(went(alice, f"{room}/{name}", since[0]), 0, f"how often {name} has left")
    equal(went(bob, f"{room}/bob", since[1]), 0, "how often bob was put out")
    equal(await asks_itself(bob, f"{room}/bob"), None, "bob's self-ping")


@test("ejabberd")
async def who_changed_status_while_it_was_away_leaves_once(t):
    annex = await rooms(t)
    alice, bob = await t.client("alice"), await t.client("bob")
    room = f"away@{DOMAIN}"
    await enter(alice, room, "alice")
    await configure(alice, room)
    await enter(bob, room, "bob")
    since = len(alice.stanzas), len(bob.stanzas)
    await annex.stop()
    bob.send_raw(f"<presence to='{room}/bob'><show>away</show></presence>")
    await bob.next(lambda s: s.xml.get("type") == "error", since=since[1], what="error")
    await annex.start()
    await reaches(alice, DOMAIN)
    await bob.stop()
    await gone(alice, f"{room}/bob", since[0])
    await say(alice, room, "anybody?")
    equal(went(alice, f"{room}/bob", since[0]), 1, "how often bob has left")


async def kill_among(annex, joins):
    """Kill the worker each time that so many have come in since it began, twice."""
    for _ in range(2):
        pid, since = await annex.pid(DOMAIN), len(annex.process.lines)

        async def enough():
            return (await annex.status(DOMAIN))["counters"]["muc_joins_total"] >= joins

        await until(enough, 120, f"{joins} have come in")
        os.kill(pid, signal.SIGKILL)
        await annex.process.said(f"from={DOMAIN}.*attached to", since, 60)


async def come_back(t, number, kills=False):
    """Everybody, into a room, after their server was ended by that signal."""
    annex = await rooms(
        t, **{"ask-after": "3s", "max-occupants": 1000, "persistent": True})
    annex.expect("cannot attach|link lost|ping to ourselves|signal 9")
    room = f"full@{DOMAIN}"
    async with Crowd(t.ground, t.server, MANY, within=600) as crowd:
        await crowd.does("login before")
        await crowd.does(f"join {room}")
        await t.server.restart(number)
        await crowd.does("lost")
        # As people do: over a minute, and each with another resource.
        back = crowd.does(f"back {room} {60 if MANY > 100 else 3} after")
        await (asyncio.gather(back, kill_among(annex, MANY // 4)) if kills else back)
        # What is in line comes before this does, to everybody.
        await crowd.does("say 20")
        seen = await crowd.does("rest 1")
    print(f"    {t.server.name}: {MANY} came back: {seen}", flush=True) if MANY > 100 else None
    equal(seen["conflicts"], 0, "how many nicknames were somebody else's")
    equal(seen["put-out"], 0, "how often somebody was put out who had come back")
    check(seen["leaves"] <= 1, f"somebody was seen leaving {seen['leaves']:.0f} times")
    check(seen["joins"] <= 1, f"somebody was seen coming {seen['joins']:.0f} times")
    most = 3 * MANY * MANY  # of each: as they were, a leave, a join
    check(seen["presences"] <= most, f"a storm: {seen['presences']:.0f} presences, not {most}")


@test(bound=1500 if MANY > 100 else 90)
async def the_server_restarts_under_a_full_room(t):
    await come_back(t, signal.SIGTERM)


@test(bound=1500 if MANY > 100 else 90)
async def the_server_dies_under_a_full_room(t):
    await come_back(t, signal.SIGKILL)


async def the_worker_dies_while_they_come_back(t):
    await come_back(t, signal.SIGTERM, kills=True)


if MANY > 100:
    test(bound=1500)(the_worker_dies_while_they_come_back)


@test()
async def a_drain_says_goodbye(t):
    annex = await rooms(t)
    alice = await t.client("alice")
    room = f"bye@{DOMAIN}"
    await enter(alice, room, "alice")
    await configure(alice, room)
    since = len(alice.stanzas)
    await annex.ctl(DOMAIN, "drain")
    check("332" in codes(await gone(alice, f"{room}/alice", since)), "no 332 is seen")
