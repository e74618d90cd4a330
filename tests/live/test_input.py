# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
What users send, odd or hostile, through real servers.

One stream carries everybody, so whatever one user does, the stream stays and
the others go on.  Servers stop some of it themselves and close the user's
own stream then, which is their good right.
"""
import asyncio
from xml.etree import ElementTree

from lib.client import condition
from lib.ground import check, equal
from lib.suite import test

ODD = [
    ("emoji", "<body>🚇 👩‍👩‍👧‍👦 \U0001f9ff\U0010fffd</body>"),
    ("scripts", "<body>Grüße שלום नमस्ते 汉字 e\u0301\u200d\u202e</body>"),
    ("CR and LF", "<body>one&#13;&#10;two&#10;three&#13;four\nfive\r\nsix\ttab</body>"),
    ("CDATA", "<body><![CDATA[<b>&amp;</b> ]]]]><![CDATA[> \"']]></body>"),
    ("escapes", "<body>&lt;b&gt; &amp;amp; ]]&gt; &quot;&apos; &#x41;</body>"),
    ("white space", "<body>   leading, trailing   </body>"),
    ("two languages", "<body xml:lang='de'>ja</body><body xml:lang='en'>yes</body>"),
    ("foreign namespaces", "<body>b</body><x xmlns='urn:x' a='1'><y xmlns='urn:y'/>text<z/></x>"),
    ("prefixes", "<body>b</body><p:x xmlns:p='urn:p' p:a='1' a='2'><p:y><q xmlns=''/></p:y></p:x>"),
    ("mixed", "<body>b</body><html xmlns='urn:h'>one<b>two</b>three<i/>four</html>"),
    ("attributes", "<body>b</body><x xmlns='urn:x' a='&lt;&amp;&quot;&apos;&#9;&#10;&#13; '/>"),
    ("empty", "<body>b</body><x xmlns='urn:x' a=''></x>"),
    ("long", f"<body>{'x' * 100000}</body>"),
]


def canonical(stanza, tags):
    """The children of some names as they would be written by anybody."""
    return [
        ElementTree.canonicalize(ElementTree.tostring(child)) for child in stanza.xml
        if child.tag in tags
    ]


@test()
async def odd_messages_come_back_as_they_were(t):
    # Servers change some of it on the way: what bob is sent directly is what to expect.
    alice, bob = await t.client("alice"), await t.client("bob")
    for name, inner in ODD:
        tags = {c.tag for c in ElementTree.fromstring(f"<m xmlns='jabber:client'>{inner}</m>")}
        since = len(bob.stanzas)
        id = alice.send(bob.jid, inner)
        direct = await bob.next_message(alice.jid, since=since, id=id)
        since = len(bob.stanzas)
        # Once more, as the echo passes the server twice.
        id = alice.send("echo.localhost", inner)
        echo = await alice.next_message("echo.localhost", id=id)
        equal(canonical(echo, tags), canonical(direct, tags), f"the echo of {name}")


@test()
async def the_language_of_a_message_comes_back(t):
    alice = await t.client("alice")
    id = alice.send("echo.localhost", "<body>oui</body>", attributes=" xml:lang='fr'")
    echo = await alice.next_message("echo.localhost", id=id)
    equal(echo.xml.get("{http://www.w3.org/XML/1998/namespace}lang"), "fr", "the language")


def nested(depth):
    return "<body>b</body>" + "<x xmlns='urn:x'>" + "<y>" * depth + "</y>" * depth + "</x>"


# What, and how it may end: an error of Annex, "closed" by the server, or let through.
HOSTILE = [
    ("nested 100 deep", nested(100), {"policy-violation"}),
    # Much more is beyond ejabberd itself: 5,000 end it, VM and all.
    ("nested 500 deep", nested(500), {"policy-violation", "closed"}),
    ("300 KB", f"<body>{'x' * 300000}</body>", {"policy-violation"}),
    ("10 MB", f"<body>{'x' * 10000000}</body>", {"policy-violation", "closed"}),
    ("20000 elements", "<body>b</body><x xmlns='urn:x'>" + "<y a='1'/>" * 20000 + "</x>",
     {"through", "policy-violation"}),
    ("1000 attributes",
     "<body>b</body><x xmlns='urn:x' " + " ".join(f"a{i}='1'" for i in range(1000)) + "/>",
     {"policy-violation"}),
    ("a PI", "<body>b</body><?php exit ?>", {"bad-request", "closed", "through"}),
    ("a comment", "<body>b</body><!-- hush -->", {"bad-request", "closed", "through"}),
    ("an unbound prefix", "<body>b</body><p:x/>", {"bad-request", "closed"}),
    ("xml bound anew", "<body>b</body><x xmlns='urn:x' xmlns:xml='urn:evil'/>",
     {"bad-request", "closed"}),
    ("one attribute by two prefixes",
     "<body>b</body><x xmlns='urn:x' xmlns:a='urn:a' xmlns:b='urn:a' a:c='1' b:c='2'/>",
     {"bad-request", "closed"}),
    ("a stanza in a stanza", "<body>b</body><message><body>c</body></message>", {"through"}),
    ("a stream's end in a stanza", "<body>b</body></stream:stream>", {"closed"}),
    ("a reference to nothing", "<body>&nothing;</body>", {"closed"}),
    ("a forbidden character", "<body>&#1;</body>", {"closed", "bad-request"}),
    ("a lone surrogate", "<body>&#xd800;</body>", {"closed", "bad-request"}),
]


async def outcome(client, inner):
    """What becomes of a message to the echo: a condition, "through", "closed" or "dropped"."""
    since = len(client.stanzas)
    id = client.send("echo.localhost", inner)
    # The expat of the servers puts off a long tag until as much again has come.
    client.send_raw(" " * min(len(inner), 100000))
    # Stanzas keep their order: with the answer to a ping the other would have come.
    ping = asyncio.ensure_future(client.iq("echo.localhost", "<ping xmlns='urn:xmpp:ping'/>", bound=20))
    closed = asyncio.ensure_future(client.offline.wait())
    await asyncio.wait({ping, closed}, return_when=asyncio.FIRST_COMPLETED)
    ping.cancel()
    if closed.done():
        return "closed"
    closed.cancel()
    answers = [s for s in client.stanzas[since:] if s.xml.get("id") == id]
    return (condition(answers[0]) or "through") if answers else "dropped"


@test()
async def nothing_a_user_sends_closes_the_stream(t):
    bob = await t.client("bob")
    annex = t.shared
    pid, since = await annex.pid("echo.localhost"), len(annex.process.lines)
    for name, inner, may in HOSTILE:
        mallory = await t.client("mallory", "".join(c for c in name if c.isalnum()))
        how = await outcome(mallory, inner)
        check(how in may, f"{name}: the outcome is {how}, not of {may}")
        equal((await bob.say("echo.localhost", name))["body"], name, f"bob's echo after {name}")
    equal(await annex.pid("echo.localhost"), pid, "the worker")
    lost = annex.process.count("link lost", since)
    equal(lost, 0, "how often the link was lost")


@test()
async def iqs_of_any_shape_get_one_answer(t):
    alice = await t.client("alice")
    for name, payload, type, want in [
        ("too deep", "<x xmlns='urn:x'>" + "<y>" * 100 + "</y>" * 100 + "</x>", "set",
         "policy-violation"),
        ("too large", f"<x xmlns='urn:x'>{'x' * 300000}</x>", "set", "policy-violation"),
        ("two children", "<x xmlns='urn:x'/><y xmlns='urn:y'/>", "get", "bad-request"),
        ("no child", "", "get", "bad-request"),
    ]:
        answer = await alice.iq("echo.localhost", payload, type)
        equal(condition(answer), want, name)
    for element in "nothing", "never", "garbled":
        answer = await alice.iq("probe.localhost", f"<{element} xmlns='urn:annex:probe'/>")
        equal(condition(answer), "internal-server-error", element)
    t.shared.expect("left an IQ unanswered|sent something that is not allowed|probe")
    since = len(alice.stanzas)
    answer = await alice.iq("probe.localhost", "<twice xmlns='urn:annex:probe'/>")
    id = answer.xml.get("id")
    await alice.iq("probe.localhost", "<well xmlns='urn:annex:probe'/>")
    got = [s for s in alice.stanzas[since:] if s.xml.get("id") == id]
    equal(len(got), 1, "the answers to a component that answers twice")


@test()
async def a_flood_is_refused_and_others_go_on(t):
    mallory, bob = await t.client("mallory"), await t.client("bob")
    since = len(mallory.stanzas)
    ids = {mallory.send("echo.localhost", f"<body>{i}</body>") for i in range(1500)}
    last = asyncio.ensure_future(mallory.iq("echo.localhost", "<ping xmlns='urn:xmpp:ping'/>"))
    for text in "one", "two", "three":
        equal((await bob.say("echo.localhost", text))["body"], text, "bob's echo")
    # An IQ gets its answer always; of messages even the refusals are limited.
    equal(condition(await last), "policy-violation", "the answer to a ping at the end")
    answers = [s for s in mallory.stanzas[since:] if s.xml.get("id") in ids]
    refused = [s for s in answers if s.xml.get("type") == "error"]
    check(400 < len(answers) - len(refused) < 1100, f"{len(answers)} answers to 1500")
    check(refused, "no message was refused")
    equal({(condition(s), s["error"]["type"]) for s in refused}, {("policy-violation", "wait")},
          "how they were refused")
