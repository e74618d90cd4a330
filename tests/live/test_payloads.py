# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""What is published comes back as it was, under whatever name, through a real server."""
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

from lib.client import condition
from lib.ground import check, equal
from lib.pubsub import EVENT, OWNER, PUBSUB, ask, event
from lib.suite import test

HERE = "one.localhost"
ITEMS = "http://jabber.org/protocol/disco#items"

PAYLOADS = {
    "without a prefix": "<x xmlns='urn:x'><y a='1'/></x>",
    "with a prefix": "<p:x xmlns:p='urn:p'><p:y p:z='1' z='2'/></p:x>",
    "with a prefix from above": "<q:x q:y='1'><q:z/></q:x>",
    "with two prefixes of one namespace": "<a:x xmlns:a='urn:a' xmlns:b='urn:a'><b:y a:z='1'/></a:x>",
    "with a prefix that means something else inside":
        "<a:x xmlns:a='urn:a'><a:y xmlns:a='urn:b'><a:z/></a:y><a:z/></a:x>",
    "that is a stanza": "<presence xmlns='jabber:client'><show>away</show></presence>",
    "that holds a stanza":
        "<x xmlns='urn:x'><message xmlns='jabber:client' to='a@b'><body>b</body></message></x>",
    "that is a request": f"<pubsub xmlns='{PUBSUB}'><items node='n'><item id='1'/></items></pubsub>",
    "that is an event": f"<event xmlns='{EVENT}'><purge node='n'/></event>",
    "without a namespace inside": "<x xmlns='urn:x'><y xmlns=''><z/></y></x>",
    "with CDATA": "<x xmlns='urn:x'><![CDATA[a < b && c]]> d <![CDATA[]]>e</x>",
    "with a language": "<x xmlns='urn:x' xml:lang='de'>ja<y xml:lang='fr'>oui</y></x>",
    "with white space": "<x xmlns='urn:x'> a\n\tb <y/>  <y> </y>\n</x>",
    "with what is escaped": "<x xmlns='urn:x' y='&lt;&amp;&gt;&quot;&apos;'>&lt;&amp;&gt; ]]&gt;</x>",
    "with characters from everywhere": "<x xmlns='urn:x' y='ß 日本'>e\u0301 é \u202e 😀 \U0010fffd</x>",
    "of many elements": "<x xmlns='urn:x'>" + "<y>z</y>" * 1000 + "</x>",
}

# Legal names of nodes and items: any UTF-8 to 1,023 bytes.
NAMES = [
    "a", "A", " a ", "a b", "node!@#$%^&*()'\"`~<>+-/;:_=[]{}|\\", "&amp;", "%41", "xmpp:a@b?;node=c",
    "é", "e\u0301", "ß", "日本語", "\u05d0\u202e", "\u00a0", "😀", "\U0010fffd",
    "x" * 1023, "x" * 1022 + "y", "é" * 511 + "x", "😀" * 255 + "abc",
]


def shape(el):
    """All that an element means, but its prefixes."""
    return (el.tag, sorted(el.attrib.items()), el.text or "",
            [(shape(child), child.tail or "") for child in el])


def payload_of(item):
    equal(len(item), 1, "the number of payloads")
    return shape(item[0])


async def serving(t):
    await t.annex({HERE: {"module": "pubsub"}}).start()
    return await t.client("alice"), await t.client("bob")


@test()
async def payloads_come_back_as_they_were(t):
    alice, bob = await serving(t)
    await ask(alice, "<create node='n'/>")
    await ask(bob, "<subscribe node='n' jid='bob@localhost'/>")
    for what, text in PAYLOADS.items():
        publish = "<publish node='n' xmlns:q='urn:q'>"
        wanted = shape(ET.fromstring(f"{publish}{text}</publish>")[0])
        since = len(bob.stanzas)
        await ask(alice, f"{publish}<item id='1'>{text}</item></publish>")
        told = event(await bob.next_message(HERE, since=since), "items")[0]
        equal(payload_of(told), wanted, f"what is told of a payload {what}")
        items = await ask(bob, "<items node='n'><item id='1'/></items>", "get")
        equal(payload_of(items.find(f".//{{{PUBSUB}}}item")), wanted, f"a payload {what}")


@test()
async def names_are_any_text(t):
    alice, bob = await serving(t)
    await ask(alice, "<create node='all'/>")
    for name in reversed(NAMES):
        node = id = quoteattr(name)
        item = f"<item id={id}><x xmlns='urn:x' id={id}/></item>"
        await ask(alice, f"<create node={node}/>")
        await ask(bob, f"<subscribe node={node} jid='bob@localhost'/>")
        since = len(bob.stanzas)
        await ask(alice, f"<publish node={node}>{item}</publish>")
        told = event(await bob.next_message(HERE, since=since), "items")
        equal((told.get("node"), told[0].get("id")), (name, name), "what is told")
        await ask(alice, f"<publish node='all'>{item}</publish>")
    for name in NAMES:
        for node in quoteattr(name), "'all'":
            items = await ask(bob, f"<items node={node}><item id={quoteattr(name)}/></items>", "get")
            found = items.findall(f".//{{{PUBSUB}}}item")
            equal([(i.get("id"), i[0].get("id")) for i in found], [(name, name)], "the item")
    for node, attribute in (" node='all'", "name"), ("", "node"):
        answer = await bob.iq(HERE, f"<query xmlns='{ITEMS}'{node}/>")
        listed = [i.get(attribute) for i in answer.xml.iter(f"{{{ITEMS}}}item")]
        equal(sorted(listed), sorted(NAMES + (["all"] if attribute == "node" else [])), "the list")
    for name in NAMES:
        await ask(alice, f"<retract node='all'><item id={quoteattr(name)}/></retract>")
        await ask(alice, f"<delete node={quoteattr(name)}/>", ns=OWNER)


@test()
async def names_have_an_end(t):
    alice, _ = await serving(t)
    await ask(alice, "<create node='n'/>")
    for request in (f"<create node='{'x' * 1024}'/>", f"<create node='{'é' * 512}'/>",
                    f"<publish node='n'><item id='{'é' * 512}'><x xmlns='urn:x'/></item></publish>"):
        answer = await alice.iq(HERE, f"<pubsub xmlns='{PUBSUB}'>{request}</pubsub>", "set")
        check(condition(answer) == "bad-request", f"{request[:20]} is refused as too long")
