# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""The other half of rosters: what real servers make of our presence, and we of theirs."""
import base64
import hashlib
import os
import signal

from lib.client import CLIENT, reaches
from lib.ground import check, equal, until
from lib.suite import test

BOT = "mutual@one.localhost"
VCARD = "{vcard-temp}"
UPDATE = "{vcard-temp:x:update}"


class Contact:
    """A user and what the bot shows them."""

    def __init__(self, client):
        self.client, self.jid = client, client.jid.split("/")[0]

    def subscribe(self):
        self.client.send_raw(f"<presence to='{BOT}' type='subscribe' id='{self.client.new_id()}'/>")

    async def order(self, text):
        """An order to the probe; nothing but a complaint is answered."""
        self.client.send("one.localhost", f"<body>contact {text}</body>")

    async def told(self, text, bound=20):
        since = len(self.client.stanzas)
        self.client.send("one.localhost", f"<body>contact {text}</body>")
        return (await self.client.next_message("one.localhost", bound, since))["body"]

    async def becomes(self, out, into):
        async def so():
            return f"out={out} in={into}" in await self.told(f"get mutual {self.jid}")

        await until(so, 20, f"{self.jid} has out={out} in={into}")

    def shown(self, since=0):
        return [
            s.xml for s in self.client.stanzas[since:]
            if s.xml.tag == CLIENT + "presence" and s.xml.get("from") == BOT + "/bot"
        ]

    async def sees(self, show, since=0):
        def so(stanza):
            xml = stanza.xml
            return (
                xml.tag == CLIENT + "presence" and xml.get("from") == BOT + "/bot"
                and (xml.findtext(CLIENT + "show") or xml.get("type") or "online") == show
            )

        return (await self.client.next(so, 30, f"presence {show} of the bot", since)).xml


async def contact(t, user, resource="test"):
    client = await t.client(user, resource)
    await reaches(client, "one.localhost")
    return Contact(client)


async def begin(t, *users):
    """An Annex whose bot is there, and users who have it in their rosters, both ways."""
    annex = t.annex({"one.localhost": {"module": "probe", "presence-interval": "0s"}})
    await annex.start()
    contacts = [await contact(t, user) for user in users]
    await contacts[0].order("view mutual/bot all online At your service")
    for c in contacts:
        c.subscribe()
        await c.becomes("yes", "yes")
    return annex, *contacts


@test()
async def two_buddies_see_two_statuses_and_pictures(t):
    _, alice, bob = await begin(t, "alice", "bob")
    for c, show, picture in (alice, "dnd", 0), (bob, "away", 1):
        await c.order(f"view mutual/bot {c.jid} {show} For {c.jid} alone")
        await c.sees(show)
        await c.order(f"picture mutual/bot {c.jid} {picture}")
    seen = {}
    for c, show in (alice, "dnd"), (bob, "away"):
        def with_picture(s):
            return bool(s.xml.findtext(f"{UPDATE}x/{UPDATE}photo")) and s.xml in c.shown()

        xml = (await c.client.next(with_picture, 20, "presence with a picture")).xml
        equal(xml.findtext(CLIENT + "show"), show, f"what {c.jid} sees")
        equal(xml.findtext(CLIENT + "status"), f"For {c.jid} alone", "the status")
        seen[c.jid] = xml.findtext(f"{UPDATE}x/{UPDATE}photo")
        for to in BOT, BOT + "/bot":
            answer = await c.client.iq(to, "<vCard xmlns='vcard-temp'/>")
            data = answer.xml.findtext(f"{VCARD}vCard/{VCARD}PHOTO/{VCARD}BINVAL")
            check(data is not None, f"{c.jid} gets no picture of {to}")
            equal(hashlib.sha1(base64.b64decode(data)).hexdigest(), seen[c.jid], "the picture")
    check(len(set(seen.values())) == 2, "both are shown the same picture")


@test()
async def a_second_login_is_answered_once_and_alone(t):
    _, alice = await begin(t, "alice")
    await alice.order(f"view mutual/bot {alice.jid} xa For you")
    await alice.sees("xa")
    since = len(alice.client.stanzas)
    second = await contact(t, "alice", "second")
    await second.sees("xa")
    told = await second.told(f"who mutual {alice.jid}")
    check("online" in told and "/test" in told and "/second" in told, f"the bot sees {told}")
    equal(len(second.shown()), 1, "how often the second resource is told")
    equal(len(alice.shown(since)), 0, "how often the first is told again")
    await second.client.stop()

    async def gone():
        return "/second" not in await alice.told(f"who mutual {alice.jid}")

    await until(gone, 20, "the second resource has gone")


@test()
async def silence_never_unsubscribes(t):
    """The user removes the contact while nobody is there to hear it."""
    annex, alice = await begin(t, "alice")
    await annex.stop()
    answer = await alice.client.iq(
        "alice@localhost",
        f"<query xmlns='jabber:iq:roster'><item jid='{BOT}' subscription='remove'/></query>", "set"
    )
    equal(answer.xml.get("type"), "result", "the removal")
    await annex.start()
    await reaches(alice.client, "one.localhost")
    await alice.becomes("yes", "yes")
    await alice.order("view mutual/bot all dnd")
    since = len(alice.client.stanzas)
    alice.subscribe()
    await alice.sees("dnd", since)
    check(
        not any(s.xml.get("type") == "unsubscribed" for s in alice.client.stanzas[since:]),
        "the contact was dropped",
    )


@test()
async def a_removed_contact_is_forgotten(t):
    _, alice = await begin(t, "alice")
    await alice.client.iq(
        "alice@localhost",
        f"<query xmlns='jabber:iq:roster'><item jid='{BOT}' subscription='remove'/></query>", "set"
    )
    await alice.becomes("no", "no")
    alice.subscribe()
    await alice.becomes("yes", "yes")


@test()
async def a_subscription_survives_kill_9(t):
    annex, alice = await begin(t, "alice")
    annex.expect("signal 9")
    users = [await contact(t, f"user{i}") for i in range(4)]
    for c in users:
        pid = await annex.pid("one.localhost")
        c.subscribe()
        os.kill(pid, signal.SIGKILL)

        async def anew():
            return (await annex.status("one.localhost")).get("pid", pid) != pid

        await until(anew, 20, "another worker")
        await annex.attached("one.localhost")
        await reaches(c.client, "one.localhost")
        c.subscribe()  # as the server does at the next login
        await c.becomes("yes", "yes")
    await alice.becomes("yes", "yes")


@test()
async def all_are_seen_again_when_the_server_is_back(t):
    annex, alice, bob = await begin(t, "alice", "bob")
    await alice.order(f"view mutual/bot {alice.jid} dnd For you")
    await alice.sees("dnd")
    await t.server.restart()
    for c, show in (alice, "dnd"), (bob, "online"):
        await until(c.client.offline.is_set, 20, "the client has noticed")
        since = len(c.client.stanzas)
        await c.client.login()
        await reaches(c.client, "one.localhost")
        await c.sees(show, since)
    await annex.attached()

    async def seen():
        return "is online" in await alice.told(f"who mutual {bob.jid}")

    await until(seen, 40, "the bot sees Bob")


@test()
async def a_new_worker_asks_who_is_online(t):
    """Nothing is sent again by servers, and users see nothing of a restart."""
    annex, alice, bob = await begin(t, "alice", "bob")
    since = len(bob.client.stanzas)
    await annex.ctl("restart", "one.localhost")
    await annex.attached()
    await reaches(alice.client, "one.localhost")

    async def seen():
        return "is online" in await alice.told(f"who mutual {bob.jid}")

    await until(seen, 40, "the bot sees Bob")
    check(
        not any(x.get("type") == "unavailable" for x in bob.shown(since)), "Bob saw it go"
    )


@test()
async def a_drained_bot_says_goodbye(t):
    annex, alice = await begin(t, "alice")
    since = len(alice.client.stanzas)
    await annex.ctl("one.localhost", "drain")
    await alice.sees("unavailable", since)
