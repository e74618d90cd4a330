# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
A user, by slixmpp.

    alice = Client(server, "alice")
    await alice.login()
    answer = await alice.say("echo.localhost", "hello")     # the next message from there
    result = await alice.iq("echo.localhost", "<ping xmlns='urn:xmpp:ping'/>")

Answers are stanzas of slixmpp; what it has no interface for is in stanza.xml.  A client
may log in again after it was thrown out, and keeps all that it has got so far.
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
from slixmpp.xmlstream.xmlstream import NotConnectedError  # noqa: E402

from .ground import Failure, check, listens, until, within  # noqa: E402

CLIENT = "{jabber:client}"
STANZA_ERRORS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


class Client:
    def __init__(self, server, user, resource="test"):
        self.server, self.user = server, user
        self.jid = f"{user}@localhost/{resource}"
        self.stanzas = []  # all that came in, the oldest first
        self.online, self.offline = asyncio.Event(), asyncio.Event()
        self._arrived = asyncio.Event()
        self._ids = itertools.count(1)
        self._xmpp = None  # one per login

    async def login(self, bound=30):
        await self.server.add_account(self.user, self.user)
        await until(lambda: listens(self.server.c2s), bound, "the server listens")
        self.online.clear()
        self.offline.clear()
        self._xmpp = xmpp = slixmpp.ClientXMPP(self.jid, self.user)
        xmpp.whitespace_keepalive = False
        xmpp["feature_mechanisms"].unencrypted_plain = True
        xmpp.add_event_handler("session_start", lambda _: self.online.set())
        for event in "disconnected", "connection_failed", "failed_all_auth":
            xmpp.add_event_handler(event, lambda _: self._is_off(xmpp))
        xmpp.add_filter("in", self._keep)
        xmpp.connect(("127.0.0.1", self.server.c2s), disable_starttls=True)
        try:
            await within(bound, self.online.wait(), f"{self.jid} logs in")
        except Failure:
            xmpp.abort()
            raise
        xmpp.send_presence()
        return self

    def _is_off(self, xmpp):
        if xmpp is self._xmpp:
            self.offline.set()
        xmpp.abort()  # no attempt of its own to come back

    def _keep(self, stanza):
        if stanza.xml.tag in (CLIENT + "message", CLIENT + "presence", CLIENT + "iq"):
            self.stanzas.append(stanza)
            self._arrived.set()
        return stanza

    async def stop(self):
        """Log out."""
        if self._xmpp is None:
            return
        if self.online.is_set() and not self.offline.is_set():
            await within(10, self._xmpp.disconnect(), f"{self.jid} logs out")
        self._xmpp.abort()

    def send_raw(self, text):
        try:
            self._xmpp.send_raw(text)
        except NotConnectedError:
            self.offline.set()
        check(not self.offline.is_set(), f"{self.jid} is not connected")

    def new_id(self):
        return f"{self.user}-{next(self._ids)}"

    async def arrival(self):
        """Wait for another stanza."""
        self._arrived.clear()
        await self._arrived.wait()

    async def next(self, wanted, bound=10, what="stanza", since=0):
        """The first stanza from number since on for which wanted(stanza) is true."""

        async def come():
            while True:
                for stanza in self.stanzas[since:]:
                    if wanted(stanza):
                        return stanza
                await self.arrival()

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

    def send(self, to, inner, type="chat", attributes=""):
        """A message whose children are written by the test; its id."""
        id = self.new_id()
        self.send_raw(f"<message to='{to}' type='{type}' id='{id}'{attributes}>{inner}</message>")
        return id

    async def say(self, to, text, bound=10):
        """Send a chat message; the next message from there, which may be an error."""
        since = len(self.stanzas)
        self.send(to, f"<body>{escape(text)}</body>")
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
    names = [e.tag for e in stanza.xml.find(CLIENT + "error") if e.tag.startswith(STANZA_ERRORS)]
    return next(n[len(STANZA_ERRORS):] for n in names if n != STANZA_ERRORS + "text")


async def reaches(client, domain, bound=20):
    """Wait until the server routes to the component: right after it has attached."""

    async def answers():
        answer = await client.iq(domain, "<ping xmlns='urn:xmpp:ping'/>")
        return answer.xml.get("type") == "result"

    await until(answers, bound, f"{domain} answers {client.jid}")
