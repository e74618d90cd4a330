# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
A user, by slixmpp.

    alice = Client(server, "alice")
    await alice.login()
    answer = await alice.say("echo.localhost", "hello")     # the next message from there
    result = await alice.iq("echo.localhost", "<ping xmlns='urn:xmpp:ping'/>")

Answers are stanzas of slixmpp; what it has no interface for is in stanza.xml.
"""
import asyncio
import itertools
import logging
from xml.sax.saxutils import escape

# Its tasks are told to end with a connection, and complain where a test ends first.
for name in "slixmpp", "asyncio":
    logging.getLogger(name).setLevel(logging.CRITICAL)

import slixmpp  # noqa: E402
from slixmpp.xmlstream.tostring import tostring  # noqa: E402

from .ground import Failure, until, within  # noqa: E402

CLIENT = "{jabber:client}"


class Client(slixmpp.ClientXMPP):
    def __init__(self, server, user, resource="test"):
        super().__init__(f"{user}@localhost/{resource}", user)
        self.at = server
        self.stanzas = []  # all that came in, the oldest first
        self.arrived = asyncio.Event()
        self.ids = itertools.count(1)
        self.online = asyncio.Event()
        self.offline = asyncio.Event()
        self.whitespace_keepalive = False
        self["feature_mechanisms"].unencrypted_plain = True
        self.add_event_handler("session_start", lambda _: self.online.set())
        self.add_event_handler("disconnected", lambda _: self.offline.set())
        self.add_event_handler("connection_failed", lambda _: self.offline.set())
        self.add_filter("in", self._keep)

    def _keep(self, stanza):
        if stanza.xml.tag in (CLIENT + "message", CLIENT + "presence", CLIENT + "iq"):
            self.stanzas.append(stanza)
            self.arrived.set()
        return stanza

    async def login(self, bound=20, register=True):
        if register:
            await self.at.register(self.boundjid.user, self.password)
        self.online.clear()
        self.offline.clear()
        self.connect(("127.0.0.1", self.at.c2s), disable_starttls=True)
        await within(bound, self.online.wait(), f"{self.jid} logs in")
        self.send_presence()
        return self

    async def logout(self):
        if self.online.is_set() and not self.offline.is_set():
            await within(10, self.disconnect(), f"{self.jid} logs out")
        else:
            self.abort()

    def new_id(self):
        return f"{self.boundjid.user}-{next(self.ids)}"

    async def next(self, wanted, bound=10, what="a stanza", since=0):
        """The first stanza from number since on for which wanted(stanza) is true."""

        def found():
            return next((s for s in self.stanzas[since:] if wanted(s)), None)

        async def come():
            while found() is None:
                self.arrived.clear()
                if found() is None:
                    await self.arrived.wait()
            return found()

        try:
            return await asyncio.wait_for(come(), bound)
        except asyncio.TimeoutError:
            got = "".join(f"\n  {tostring(s.xml)[:300]}" for s in self.stanzas[since:][-10:])
            raise Failure(f"{self.jid} got no {what} within {bound} s, but:{got}") from None

    async def next_message(self, sender, bound=10, since=0, id=None):
        """The next message from a JID, or from anything at it."""

        def wanted(stanza):
            return (
                stanza.xml.tag == CLIENT + "message"
                and (str(stanza["from"]) + "/").startswith(sender + "/")
                and (id is None or stanza.xml.get("id") == id)
            )

        return await self.next(wanted, bound, f"message from {sender}", since)

    def send_message_raw(self, to, inner, type="chat", attributes=""):
        """A message whose children are written by the test; its id."""
        id = self.new_id()
        self.send_raw(f"<message to='{to}' type='{type}' id='{id}'{attributes}>{inner}</message>")
        return id

    async def say(self, to, text, bound=10):
        """Send a chat message; the next message from there, which may be an error."""
        since = len(self.stanzas)
        self.send_message_raw(to, f"<body>{escape(text)}</body>")
        return await self.next_message(to, bound, since)

    async def iq(self, to, payload, type="get", bound=10, attributes=""):
        """Send an IQ; its answer, result or error."""
        id, since = self.new_id(), len(self.stanzas)
        self.send_raw(f"<iq to='{to}' type='{type}' id='{id}'{attributes}>{payload}</iq>")
        return await self.next(
            lambda s: s.xml.tag == CLIENT + "iq"
            and s.xml.get("id") == id
            and s.xml.get("type") in ("result", "error"),
            bound,
            f"answer to {payload[:100]}",
            since,
        )


def condition(stanza):
    """The condition of an error, or None where it is none."""
    if stanza.xml.get("type") != "error":
        return None
    return stanza["error"]["condition"]


async def reaches(client, domain, bound=20):
    """Wait until the server routes to the component: right after it has attached."""

    async def answers():
        answer = await client.iq(domain, "<ping xmlns='urn:xmpp:ping'/>")
        return answer.xml.get("type") == "result"

    await until(answers, bound, f"{domain} answers {client.jid}")
