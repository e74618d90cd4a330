# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Nodes as archives, what is attached to items, looking for both: through a real server."""
from lib.client import CLIENT, condition
from lib.ground import check, equal, until
from lib.pubsub import ATOM, EVENT, OWNER, PUBSUB, ask, config, event, form
from lib.suite import test

HERE = "one.localhost"
MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
FILTER = "urn:xmpp:pubsub-filter:0"
ATTACHMENTS = "urn:xmpp:pubsub-attachments:1"
SUMMARY = "urn:xmpp:pubsub-attachments:summary:1"
PUBLIC = "urn:xmpp:pps:0"
ITEMS = "http://jabber.org/protocol/disco#items"


async def begin(t, node="n", **fields):
    """A service, alice, who owns a node, and bob, who does not."""
    await t.annex({HERE: {"module": "pubsub"}}).start()
    alice, bob = await t.client("alice"), await t.client("bob")
    await ask(alice, f"<create node='{node}'/>{config(**fields)}")
    return alice, bob


async def publish(client, *titles, node="n"):
    for title in titles:
        await ask(client, f"<publish node='{node}'><item id='{title.split()[0]}'>"
                  f"<entry xmlns='{ATOM}'><title>{title}</title></entry></item></publish>")


async def look(client, inner, node="n"):
    """Ask a node as an archive: ids of what is found, and how that ends; or the error."""
    since = len(client.stanzas)
    answer = await client.iq(HERE, f"<query xmlns='{MAM}' node='{node}'>{inner}</query>", "set")
    found = [
        item.get("id")
        for stanza in client.stanzas[since:]
        for item in stanza.xml.iterfind(f"{{{MAM}}}result//{CLIENT}message/{{{EVENT}}}event//"
                                        f"{{{EVENT}}}item")
    ]
    return found, answer.xml.find(f"{{{MAM}}}fin") or condition(answer)


@test()
async def a_node_is_an_archive(t):
    alice, bob = await begin(t)
    await publish(alice, "a", "b", "c")
    found, fin = await look(bob, f"<set xmlns='{RSM}'><max>2</max><before/></set>")
    equal(found, ["b", "c"], "the last page")
    equal(fin.findtext(f"{{{RSM}}}set/{{{RSM}}}count"), "3", "the count")
    first = fin.findtext(f"{{{RSM}}}set/{{{RSM}}}first")
    found, fin = await look(bob, f"<set xmlns='{RSM}'><max>2</max><before>{first}</before></set>")
    equal(found, ["a"], "the page before")
    equal(fin.get("complete"), "true", "that it is the last")


@test()
async def a_node_that_is_to_keep_fewer_does(t):
    alice, bob = await begin(t)
    names = [f"i{n}" for n in range(250)]
    await publish(alice, *names)
    fewer = form(PUBSUB + "#node_config", **{"pubsub#max_items": "10"})
    await ask(alice, f"<configure node='n'>{fewer}</configure>", ns=OWNER)

    async def listed():
        answer = await bob.iq(HERE, f"<query xmlns='{ITEMS}' node='n'/>")
        return [item.get("name") for item in answer.xml.iter(f"{{{ITEMS}}}item")] == names[:-11:-1]

    await until(listed, 10, "the ten newest are left")


@test()
async def an_archive_is_as_closed_as_its_node(t):
    alice, bob = await begin(t, access_model="whitelist")
    await publish(alice, "a")
    equal(await look(bob, ""), ([], "not-allowed"), "what somebody else finds")
    equal((await look(alice, ""))[0], ["a"], "what the owner finds")


@test()
async def words_of_items_are_found(t):
    alice, bob = await begin(t)
    await ask(alice, f"<configure node='n'>"
              f"{form(PUBSUB + '#node_config', **{'x-pubsub#fulltext': 1})}</configure>", ns=OWNER)
    await publish(alice, "1 The Moor of Venice", "2 A merchant of VENICE", "3 The tempest")
    wanted = form(MAM, **{"{urn:xmpp:fulltext:0}fulltext": "venice merchant"})

    async def are_found():
        return (await look(bob, wanted))[0] == ["2"]

    await until(are_found, 20, "the index follows")


@test()
async def nodes_are_listed_by_type(t):
    alice, bob = await begin(t, "blog", type="urn:blog")
    await ask(alice, f"<create node='other'/>{config(type='urn:other')}")
    answer = await bob.iq(HERE, f"<query xmlns='{ITEMS}'><filter xmlns='{FILTER}'>"
                          f"{form(FILTER, **{'included-types': 'urn:blog'})}</filter></query>")
    equal([i.get("node") for i in answer.xml.iter(f"{{{ITEMS}}}item")], ["blog"], "the nodes")


@test()
async def people_attach_to_items(t):
    alice, bob = await begin(t, publish_model="open")
    await publish(alice, "post")
    await ask(alice, f"<subscribe node='{SUMMARY}/n' jid='alice@localhost'/>")
    since = len(alice.stanzas)
    attached = f"{ATTACHMENTS}/xmpp:{HERE}?;node=n;item=post"
    await ask(bob, f"<publish node='{attached}'><item id='bob@localhost'><attachments "
              f"xmlns='{ATTACHMENTS}'><reactions><reaction>👷</reaction></reactions>"
              "</attachments></item></publish>")
    told = event(await alice.next_message(HERE, since=since), "items")
    equal(told[0].get("id"), "post", "the item that is summed up")
    equal([r.text for r in told.iter(f"{{{SUMMARY}}}reaction")], ["👷"], "the reactions")
    items = await ask(alice, f"<items node='{attached}'/>", "get")
    equal([i.get("id") for i in items.iter(f"{{{PUBSUB}}}item")], ["bob@localhost"], "who attached")


@test()
async def who_subscribes_in_public_is_seen(t):
    alice, bob = await begin(t)
    await ask(bob, f"<subscribe node='n' jid='bob@localhost'><public xmlns='{PUBLIC}'/></subscribe>")
    items = await ask(alice, "<items node='urn:xmpp:pps:subscribers:0/n'/>", "get")
    check("bob@localhost" in [e.get("jid") for e in items.iter()], "bob is among the subscribers")
