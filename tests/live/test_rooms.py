# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Group chat as people have it: real clients in rooms, through real servers."""
import os
import signal
from xml.sax.saxutils import escape

from lib.client import CLIENT, condition, reaches
from lib.ground import check, equal
from lib.suite import test

MUC = "http://jabber.org/protocol/muc"
USER = f"{{{MUC}#user}}"
ROOM = "coven@one.localhost"


def codes(stanza):
    return {int(s.get("code")) for s in stanza.xml.iter(USER + "status")}


def item(stanza):
    return stanza.xml.find(f"{USER}x/{USER}item")


class Guest:
    """A client in a room, under a nickname."""

    def __init__(self, client, nick, room=ROOM):
        self.client, self.nick, self.room = client, nick, room

    async def enter(self, inner="", bound=15):
        """Enter: one's own presence, or the error.  All else that comes with it is seen before the subject."""
        since = len(self.client.stanzas)
        self.client.send_raw(
            f"<presence to='{self.room}/{self.nick}'><x xmlns='{MUC}'>{inner}</x></presence>"
        )
        own = await self.presence(
            lambda p: 110 in codes(p) or p.xml.get("type") == "error", since=since, bound=bound
        )
        if own.xml.get("type") != "error":
            await self.message(lambda m: m.xml.find(CLIENT + "subject") is not None, since=since)
        return own

    async def made(self, **fields):
        """Enter as the first one, and configure."""
        own = await self.enter()
        check(201 in codes(own), f"{self.room} was there already")
        await self.configure(**fields)
        return self

    async def configure(self, **fields):
        inner = "".join(
            f"<field var='muc#roomconfig_{var}'><value>{escape(value)}</value></field>"
            for var, value in fields.items()
        )
        if fields:
            inner = f"<field var='FORM_TYPE'><value>{MUC}#roomconfig</value></field>" + inner
        answer = await self.client.iq(
            self.room,
            f"<query xmlns='{MUC}#owner'><x xmlns='jabber:x:data' type='submit'>{inner}</x></query>",
            type="set",
        )
        equal(answer.xml.get("type"), "result", "the answer to the configuration")

    async def admin(self, inner, type="set"):
        return await self.client.iq(self.room, f"<query xmlns='{MUC}#admin'>{inner}</query>", type)

    def say(self, text):
        return self.client.send(self.room, f"<body>{escape(text)}</body>", type="groupchat")

    async def presence(self, wanted, since=0, nick=None, bound=10):
        return await self.client.next(
            lambda s: s.xml.tag == CLIENT + "presence"
            and str(s["from"]).startswith(self.room)
            and (nick is None or s["from"].resource == nick)
            and wanted(s),
            bound,
            "presence",
            since,
        )

    async def message(self, wanted, since=0, bound=10):
        return await self.client.next(
            lambda s: s.xml.tag == CLIENT + "message"
            and str(s["from"]).startswith(self.room)
            and wanted(s),
            bound,
            "message",
            since,
        )

    async def hears(self, text, since=0):
        return await self.message(lambda m: m["body"] == text, since)


async def two(t, **fields):
    """A room of Alice's, and Bob before its door."""
    await t.annex({"one.localhost": {"module": "muc"}}).start()
    alice = await Guest(await t.client("alice"), "first").made(**fields)
    return alice, Guest(await t.client("bob"), "second")


@test()
async def they_talk_and_who_comes_later_reads_it(t):
    alice, bob = await two(t)
    own = await bob.enter()
    equal(item(own).get("affiliation"), "none", "his affiliation")
    await alice.presence(lambda p: item(p) is not None, nick="second")
    id = bob.say("Harpier cries")
    for guest in alice, bob:
        heard = await guest.hears("Harpier cries")
        equal(heard.xml.get("id"), id, "the id")
        equal(str(heard["from"]), f"{ROOM}/second", "whose it is")
    carol = Guest(await t.client("carol"), "third")
    await carol.enter()
    late = await carol.hears("Harpier cries")
    check(late.xml.find("{urn:xmpp:delay}delay") is not None, "the history has no delay")


@test()
async def who_logs_out_is_out(t):
    alice, bob = await two(t)
    await bob.enter()
    await bob.client.stop()
    gone = await alice.presence(lambda p: p.xml.get("type") == "unavailable", nick="second")
    equal(item(gone).get("role"), "none", "the role")
    await bob.client.login()
    await bob.enter()
    await alice.presence(
        lambda p: p.xml.get("type") is None,
        since=alice.client.stanzas.index(gone),
        nick="second",
    )


@test()
async def a_nickname_is_one_persons(t):
    alice, bob = await two(t)
    equal(condition(await Guest(bob.client, "FIRST").enter()), "conflict", "the answer")
    await bob.enter()
    since = len(bob.client.stanzas)
    bob.client.send_raw(f"<presence to='{ROOM}/first'/>")
    await bob.presence(lambda p: condition(p) == "conflict", since)
    # He is in still: the server knows it, so that a logout is told.
    bob.say("still here")
    await alice.hears("still here")
    await bob.client.stop()
    await alice.presence(lambda p: p.xml.get("type") == "unavailable", nick="second")


@test()
async def a_kick_and_a_ban(t):
    alice, bob = await two(t)
    await bob.enter()
    equal(condition(await bob.admin("<item nick='first' role='none'/>")), "forbidden", "his kick")
    await alice.admin("<item nick='second' role='none'><reason>Avaunt</reason></item>")
    kicked = await bob.presence(lambda p: 307 in codes(p))
    equal(item(kicked).findtext(USER + "reason"), "Avaunt", "the reason")
    await bob.enter()
    await alice.admin("<item jid='bob@localhost' affiliation='outcast'/>")
    await bob.presence(lambda p: 301 in codes(p))
    equal(condition(await bob.enter()), "forbidden", "the answer to who is banned")


@test()
async def a_room_for_members_by_invitation(t):
    alice, bob = await two(t)
    await bob.enter()
    await alice.configure(membersonly="1", whois="anyone")
    await bob.presence(lambda p: 322 in codes(p))
    equal(condition(await bob.enter()), "registration-required", "the answer to a stranger")
    since = len(bob.client.stanzas)
    alice.client.send(
        ROOM, f"<x xmlns='{MUC}#user'><invite to='bob@localhost'/></x>", type="normal"
    )
    await bob.message(lambda m: m.xml.find(f"{USER}x/{USER}invite") is not None, since)
    own = await bob.enter()
    equal(item(own).get("affiliation"), "member", "his affiliation")
    check(100 in codes(own), "he is not told that addresses are shown")


@test()
async def the_archive_is_read_in_pages(t):
    alice, bob = await two(t)
    for n in range(5):
        alice.say(f"line {n}")
    await alice.hears("line 4")
    since = len(alice.client.stanzas)
    answer = await alice.client.iq(
        ROOM,
        "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>"
        "<max>2</max><before/></set></query>",
        type="set",
    )
    equal(answer.xml.get("type"), "result", "the answer")
    page = [
        b.text
        for s in alice.client.stanzas[since:]
        for b in s.xml.iter(CLIENT + "body")
        if s.xml.find("{urn:xmpp:mam:2}result") is not None
    ]
    equal(page, ["line 3", "line 4"], "the last page")


@test()
async def everybody_is_still_in_after_a_crash(t):
    annex = t.annex({"one.localhost": {"module": "muc"}})
    await annex.start()
    alice = await Guest(await t.client("alice"), "first").made()
    bob = Guest(await t.client("bob"), "second")
    await bob.enter()
    annex.expect("signal 9")
    since = len(annex.process.lines)
    os.kill(await annex.pid("one.localhost"), signal.SIGKILL)
    await annex.process.said("from=one.*attached to", since, 30)
    await reaches(bob.client, "one.localhost")
    bob.say("still here")
    await alice.hears("still here")
    since = len(alice.client.stanzas)
    await bob.client.stop()
    await alice.presence(lambda p: p.xml.get("type") == "unavailable", since, nick="second")


@test()
async def who_is_renamed_by_the_room_leaves_as_others_do(t):
    alice, bob = await two(t)
    form = "".join(
        f"<field var='{var}'><value>{value}</value></field>"
        for var, value in (("FORM_TYPE", MUC + "#register"), ("muc#register_roomnick", "hag"))
    )
    answer = await bob.client.iq(
        ROOM,
        f"<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>{form}</x></query>",
        type="set",
    )
    equal(answer.xml.get("type"), "result", "the answer to the registration")
    own = await bob.enter()
    equal(str(own["from"]), f"{ROOM}/hag", "who he is now")
    check(210 in codes(own), "he is not told that he was renamed")
    # His server knows one address, at which he is not: an error from there would make it forget him.
    since = len(bob.client.stanzas)
    bob.client.send_raw(f"<presence to='{ROOM}/second'><show>away</show></presence>")
    again = await bob.presence(lambda p: True, since)
    check(again.xml.get("type") is None and 210 in codes(again), "he is not told his nickname again")
    await bob.client.stop()
    await alice.presence(lambda p: p.xml.get("type") == "unavailable", nick="hag")


@test()
async def who_blocks_somebody_stays_in(t):
    alice, bob = await two(t)
    await bob.enter()
    await bob.client.iq(
        "bob@localhost", f"<block xmlns='urn:xmpp:blocking'><item jid='{ROOM}/first'/></block>", type="set"
    )
    since = len(alice.client.stanzas)
    alice.client.send(f"{ROOM}/second", "<body>psst</body>", type="chat")
    alice.say("can you hear me?")
    bob.say("still here")
    await alice.hears("still here", since)
    # Whatever his server has said to what it kept from him was said before that.
    gone = [
        p
        for p in alice.client.stanzas[since:]
        if p.xml.tag == CLIENT + "presence" and p.xml.get("type") == "unavailable"
    ]
    equal(gone, [], "who has left")


@test("prosody")
async def operators_rule_rooms_from_the_shell(t):
    annex = t.annex({"one.localhost": {"module": "muc"}})
    await annex.start()
    alice = await Guest(await t.client("alice"), "first").made()
    bob = Guest(await t.client("bob"), "second")
    await bob.enter()

    async def says(wanted, *words):
        text = await annex.ctl("one.localhost", *words)
        check(wanted in text, f"{words[0]} says {text!r}")

    await says("coven", "rooms")
    await says("2 occupants", "show", "room=coven")
    await says("bob@localhost/", "occupants", "room=coven")
    await says("", "affiliation", "room=coven", "jid=bob@localhost", "affiliation=member")
    await bob.presence(lambda p: item(p) is not None and item(p).get("affiliation") == "member")
    await says("", "configure", "room=coven", "field=roomname", "value=Cavern")
    await bob.message(lambda m: 104 in codes(m))
    await says("Cavern", "show", "room=coven")
    await says("", "announce", "text=down at ten", "room=coven")
    await bob.hears("down at ten")
    await says("", "kick", "room=coven", "nick=second", "reason=enough")
    await bob.presence(lambda p: 307 in codes(p))
    await says("", "ban", "room=coven", "jid=bob@localhost")
    equal(condition(await bob.enter()), "forbidden", "the answer to who is banned")
    await says("", "destroy", "room=coven")
    await alice.presence(lambda p: p.xml.find(f"{USER}x/{USER}destroy") is not None)
