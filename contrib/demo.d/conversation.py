# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""What the demo says: alice talks to the components, and with bob in a room."""
import asyncio
import logging
import sys
from xml.etree import ElementTree

logging.disable(logging.CRITICAL)  # What goes wrong is told below.
import slixmpp

ECHO = "echo.localhost"
NEWS = "news.localhost"
ATOM = "http://www.w3.org/2005/Atom"
LAMP = "lamp@bots.localhost"
ROOMS = "rooms.localhost"
ROOM = f"heath@{ROOMS}"


class Alice(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__("alice@localhost/demo", "alice")
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0060")
        self.register_plugin("xep_0092")
        self.register_plugin("xep_0199")
        self.replies = asyncio.Queue()
        self.add_event_handler("message", self.replies.put_nowait)

    async def ask(self, to, text):
        print(f"    alice > {text}")
        self.send_message(to, text, mtype="chat")
        reply = await asyncio.wait_for(self.replies.get(), 30)
        if reply["type"] == "error":
            raise RuntimeError(f"{to} answered with an error: {reply['error']['condition']}")
        print(f"    {reply['from']} > {reply['body']}")
        return reply["body"]

    async def say(self, text):
        if await self.ask(ECHO, text) != text:
            raise RuntimeError("that is not what alice said")


class Guest(slixmpp.ClientXMPP):
    """Somebody in the room."""

    def __init__(self, name):
        super().__init__(f"{name}@localhost/room", name)
        self.name = name
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0045")
        self.heard = asyncio.Queue()
        self.add_event_handler("groupchat_message", self.heard.put_nowait)

    async def hear(self):
        line = await asyncio.wait_for(self.heard.get(), 10)
        if self.name == "bob":  # what one hears, all do: it is shown once
            print(f"    {line['from'].resource} > {line['body']}")
        return line["body"]

    async def enter(self):
        """Who is the first makes the room, and takes it as it is (XEP-0045 §10.1.2)."""
        entered = self.loop.create_future()

        def seen(presence):
            if entered.done():
                return
            if presence["type"] == "error":
                entered.set_exception(RuntimeError(f"{self.name} was not let in"))
            elif 110 in presence["muc"]["status_codes"]:
                entered.set_result(presence["muc"]["status_codes"])

        self.add_event_handler(f"muc::{ROOM}::presence", seen)
        self["xep_0045"].join_muc(ROOM, self.name.capitalize())
        if 201 in await asyncio.wait_for(entered, 10):
            form = self["xep_0004"].make_form(ftype="submit")
            await self["xep_0045"].set_room_config(ROOM, form)
        print(f"    {self.name.capitalize()} comes into {ROOM}")


async def attached(client, domain=ECHO):
    """Annex may still be shaking hands with the server: ask until it answers."""
    for _ in range(100):
        try:
            return await client["xep_0030"].get_info(domain, timeout=5)
        except slixmpp.exceptions.IqError as error:
            if error.condition != "remote-server-timeout":
                raise
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{domain} did not come up")


async def read_the_news(client):
    """A node as a feed: alice subscribes, an entry is published, and it comes."""
    await attached(client, NEWS)
    events = asyncio.Queue()
    client.add_event_handler("pubsub_publish", events.put_nowait)
    pubsub = client["xep_0060"]
    await pubsub.create_node(NEWS, "headlines", timeout=10)
    await pubsub.subscribe(NEWS, "headlines", timeout=10)
    entry = ElementTree.fromstring(
        f"<entry xmlns='{ATOM}'><title>Annex holds feeds as well</title>"
        "<id>tag:demo,2026:1</id><updated>2026-01-01T00:00:00Z</updated></entry>"
    )
    await pubsub.publish(NEWS, "headlines", id="1", payload=entry, timeout=10)
    event = await asyncio.wait_for(events.get(), 10)
    item = event["pubsub_event"]["items"]["item"]
    print(f"    {NEWS} > headlines: {item['payload'].findtext(f'{{{ATOM}}}title')}")


async def converse(client):
    info = await attached(client)
    for category, kind, _, name in sorted(info["disco_info"]["identities"]):
        print(f"    {ECHO} is a {category}/{kind}" + (f" called {name}" if name else ""))
    version = await client["xep_0092"].get_version(ECHO, timeout=10)
    print(f"    {ECHO} runs {version['software_version']['name']} {version['software_version']['version']}")
    took = await client["xep_0199"].ping(ECHO, timeout=10)
    print(f"    {ECHO} answers a ping in {took * 1000:.1f} ms")
    await client.say("Hello, is anybody there?")
    await client.say("Grüße aus der Unterführung – 🚇")
    await read_the_news(client)
    await attached(client, ROOMS)


async def look_at_the_lamp(client):
    """A bot that shows each of its contacts a status of their own."""
    name = client.boundjid.user
    status = client.loop.create_future()

    def presence(stanza):
        if stanza["from"].bare == LAMP and name in stanza["status"] and not status.done():
            status.set_result(stanza["status"])

    client.add_event_handler("presence_available", presence)
    for _ in range(50):  # the bots may be attached a little later
        client.send_presence_subscription(LAMP)
        try:
            print(f"    {LAMP} shows {name}: {await asyncio.wait_for(asyncio.shield(status), 1)}")
            return
        except asyncio.TimeoutError:
            continue
    raise RuntimeError(f"{LAMP} shows nothing")


async def meet(port):
    """Two in a room: what one says, both hear, in the same order."""
    guests = [Guest("alice"), Guest("bob")]
    lines = "When shall we two meet again?", "In thunder, lightning, or in rain."
    try:
        for guest in guests:
            await log_in(guest, port)
            await look_at_the_lamp(guest)
            await guest.enter()
        for guest, line in zip(guests, lines):
            guest.send_message(ROOM, line, mtype="groupchat")
            if [await g.hear() for g in guests] != [line, line]:
                raise RuntimeError("that is not what was said")
    finally:
        for guest in guests:
            guest.disconnect()


async def log_in(client, port):
    client.ready = client.loop.create_future()

    async def session(_):
        client.send_presence()
        client.ready.set_result(True)

    client.add_event_handler("session_start", session)
    client["feature_mechanisms"].unencrypted_plain = True
    client.connect(("127.0.0.1", port), disable_starttls=True)
    await asyncio.wait_for(client.ready, 30)


def main():
    client, port = Alice(), int(sys.argv[1])

    async def connected_late():
        for _ in range(100):  # Prosody may still be starting
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.1)
        raise RuntimeError("Prosody did not come up")

    try:
        client.loop.run_until_complete(connected_late())
        client.loop.run_until_complete(log_in(client, port))
        client.loop.run_until_complete(converse(client))
        client.loop.run_until_complete(meet(port))
        for bot in sys.argv[2:]:
            client.loop.run_until_complete(client.ask(bot, "Are you there?"))
    except (RuntimeError, asyncio.TimeoutError, slixmpp.exceptions.XMPPError) as error:
        print(f"    failed: {error or type(error).__name__}")
        return 1
    finally:
        client.disconnect()
    print("    Everything was said and answered.")
    return 0


sys.exit(main())
