# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""What tests of nodes have in common."""
from .ground import equal

PUBSUB = "http://jabber.org/protocol/pubsub"
OWNER = PUBSUB + "#owner"
EVENT = PUBSUB + "#event"
ATOM = "http://www.w3.org/2005/Atom"
FORM = "jabber:x:data"


async def ask(client, payload, type="set", ns=PUBSUB, at="one.localhost"):
    """Ask what must be granted."""
    answer = await client.iq(at, f"<pubsub xmlns='{ns}'>{payload}</pubsub>", type=type)
    equal(answer.xml.get("type"), "result", f"the answer to {payload[:60]}")
    return answer.xml


def event(stanza, name):
    return stanza.xml.find(f"{{{EVENT}}}event/{{{EVENT}}}{name}")


def form(kind, **fields):
    """A form that is handed in."""
    return f"<x xmlns='{FORM}' type='submit'>" + "".join(
        f"<field var='{name}'><value>{value}</value></field>"
        for name, value in {"FORM_TYPE": kind, **fields}.items()
    ) + "</x>"


def config(**fields):
    """How a node is to be; of names without a prefix."""
    fields = {f"pubsub#{name}": value for name, value in fields.items()}
    return f"<configure>{form(PUBSUB + '#node_config', **fields)}</configure>"
