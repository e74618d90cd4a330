# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# publish.py - kill -9 under a load of publishes and subscriptions
#
# What was acknowledged must be there, once, and in the order in which it was acknowledged; and
# of many subscribers each must be told all of it, in that order.

import os
import random
import signal
import time

from annex import Annex, check, is_dead, wait
from server import Server

DOMAIN = "pubsub.test"
PUBSUB = "http://jabber.org/protocol/pubsub"
NODES = 4
ROUND = 40  # requests that are on their way together


def ask(link, kind, stanza_id, payload, sender="alice@example.org/x"):
    link.send(
        f"<iq type='{kind}' from='{sender}' to='{DOMAIN}' id='{stanza_id}'>"
        f"<pubsub xmlns='{PUBSUB}'>{payload}</pubsub></iq>"
    )


def get(link, stanza_id, payload, sender="alice@example.org/x"):
    ask(link, "get", stanza_id, payload, sender)
    answer = link.wait_id(stanza_id, 30)
    check(answer.get("type") == "result", f"{stanza_id} was refused")
    return answer


class Ledger:
    """What was asked, and what of it was acknowledged."""

    def __init__(self):
        self.items = {n: [] for n in range(NODES)}  # in the order of acknowledgements
        self.subscribers = set()
        self.asked = {}
        self.count = 0

    def load(self, link):
        for _ in range(ROUND):
            self.count += 1
            stanza_id, node = f"r{self.count}", self.count % NODES
            self.asked[stanza_id] = node
            if self.count % 10 == 0:
                jid = f"u{self.count}@example.org"
                ask(link, "set", stanza_id, f"<subscribe node='n{node}' jid='{jid}'/>", f"{jid}/x")
            else:
                ask(link, "set", stanza_id, f"<publish node='n{node}'><item id='{stanza_id}'>"
                    "<x xmlns='urn:x'/></item></publish>")

    def take(self, link):
        """Answers that came so far; how many."""
        taken = 0
        for stanza in list(link.stanzas[link.seen:]):
            link.seen += 1
            stanza_id = stanza.get("id")
            if stanza_id not in self.asked or stanza.get("type") != "result":
                continue
            taken += 1
            node, number = self.asked.pop(stanza_id), int(stanza_id[1:])
            if number % 10 == 0:
                self.subscribers.add((node, f"u{number}@example.org"))
            else:
                self.items[node].append(stanza_id)
        return taken

    def check(self, link):
        for node, acknowledged in self.items.items():
            found, after = [], ""
            while True:
                number = f"c{self.count}.{node}.{len(found)}"
                answer = get(link, number, f"<items node='n{node}'/><set xmlns="
                             f"'http://jabber.org/protocol/rsm'><max>200</max>{after}</set>")
                page = [i.get("id") for i in answer.iter(f"{{{PUBSUB}}}item")]
                found += page
                count = answer.find(".//{http://jabber.org/protocol/rsm}count")
                if not page or len(found) >= int(count.text):
                    break
                after = f"<after>{page[-1]}</after>"
            check(len(found) == len(set(found)), f"an item of n{node} is there twice")
            lost = set(acknowledged) - set(found)
            check(not lost, f"lost of n{node}: {sorted(lost)[:5]}")
            order = [i for i in reversed(found) if i in set(acknowledged)]
            check(order == acknowledged, f"n{node} is in another order than it was acknowledged")
        for node, jid in self.subscribers:
            answer = get(link, f"s{self.count}.{jid}", f"<subscriptions node='n{node}'/>", f"{jid}/x")
            check(answer.find(f".//{{{PUBSUB}}}subscription") is not None, f"{jid} is subscribed no more")


def test_publishes(context):
    """every acknowledged publish and subscription is there, once and in order, after kills"""
    kills = 200 if context.long else 20
    rng = random.Random(context.seed)
    ledger, acknowledged = Ledger(), 0
    with Annex(context.build, "publish", {DOMAIN: "module: pubsub"}) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            link = server.wait()
            for node in range(NODES):
                ask(link, "set", f"n{node}", f"<create node='n{node}'/>")
                link.wait_id(f"n{node}")
            for n in range(1, kills + 1):
                link.seen = len(link.stanzas)
                pid = annex.pid(DOMAIN)
                ledger.load(link)
                wait(lambda: len(link.stanzas) > link.seen, 20, "an answer")
                time.sleep(0.05 * rng.random())
                os.kill(pid, signal.SIGKILL)
                wait(lambda: is_dead(pid), 5, "the worker is dead")
                link.wait_end()
                acknowledged += ledger.take(link)
                if n % 3 == 0:  # before annexd's patience grows; it forgets the crashes
                    done = annex.ctl("restart", DOMAIN)
                    check(done.returncode == 0, f"annexctl restart: {done.stderr}")
                link = server.wait(link)
                wait(lambda: annex.pid(DOMAIN) != pid, 20, "annexd says which worker it started")
                if n % 5 == 0 or n == kills:
                    ledger.check(link)
            annex.stop()
    context.note(f"{kills} kills, {acknowledged} answers checked")
    check(acknowledged > kills, "hardly anything was acknowledged: this proved nothing")


test_publishes.seconds = 20


CROWD = 200
OPTIONS = "module: pubsub\npubsub: { subscribers-per-turn: 20 }"


class Crowd:
    """What every subscriber has been told first, how much again, and of what they have heard the last."""

    def __init__(self):
        self.told = {}
        self.again = 0
        self.done = set()

    def take(self, link):
        for stanza in link.stanzas[link.seen :]:
            link.seen += 1
            for item in stanza.iter(f"{{{PUBSUB}#event}}item"):
                told = self.told.setdefault(stanza.get("to"), [])
                check(item.get("id") not in self.done, f"{item.get('id')} was done, and told again")
                if item.get("id") in told:
                    self.again += 1
                else:
                    told.append(item.get("id"))
        return self.told

    def have(self, link, acknowledged):
        told = self.take(link)
        return len(told) == CROWD and all(acknowledged <= set(items) for items in told.values())

    def check(self):
        for jid, items in self.told.items():
            check(items == sorted(items), f"{jid} was told in another order: {items}")


def subscribe_all(link):
    ask(link, "set", "create", "<create node='n'/>")
    link.wait_id("create")
    for n in range(CROWD):
        ask(link, "set", f"s{n}", f"<subscribe node='n' jid='u{n}@example.org'/>", f"u{n}@example.org/x")
        link.wait_id(f"s{n}")


def test_crowd(context):
    """many subscribers are told of every acknowledged publish, in order, whatever kills there are"""
    rounds = 100 if context.long else 10
    rng = random.Random(context.seed)
    crowd, acknowledged = Crowd(), set()
    with Annex(context.build, "crowd", {DOMAIN: OPTIONS}) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            link = server.wait()
            link.seen = 0
            subscribe_all(link)
            for n in range(rounds):
                pid, before = annex.pid(DOMAIN), len(link.stanzas)
                for i in range(3):
                    item = f"i{n:04}.{i}"
                    ask(link, "set", item, f"<publish node='n'><item id='{item}'><x xmlns='urn:x'/>"
                        "</item></publish>")
                for i in range(3):
                    link.wait_id(f"i{n:04}.{i}")
                    acknowledged.add(f"i{n:04}.{i}")
                some = before + rng.randrange(3 * CROWD)
                wait(lambda: len(link.stanzas) >= some, 20, "some have been told")
                os.kill(pid, signal.SIGKILL)
                wait(lambda: is_dead(pid), 5, "the worker is dead")
                link.wait_end()
                crowd.take(link)
                if n % 3 == 2:  # before annexd's patience grows; it forgets the crashes
                    done = annex.ctl("restart", DOMAIN)
                    check(done.returncode == 0, f"annexctl restart: {done.stderr}")
                link = server.wait(link)
                link.seen = 0
                wait(lambda: annex.pid(DOMAIN) != pid, 20, "annexd says which worker it started")
                if n % 2 == 1 or n == rounds - 1:
                    wait(lambda: crowd.have(link, acknowledged), 30, "everybody has been told all")
                    wait(lambda: annex.rows(DOMAIN)["deliveries"] == 0, 30, "that is proved")
                    crowd.take(link)
                    crowd.done |= acknowledged
            crowd.check()
            annex.stop()
    context.note(f"{rounds} kills, {len(acknowledged)} events to {CROWD}, {crowd.again} told again")


test_crowd.seconds = 25
