# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# rooms.py - kill -9 under chat, and nobody in a room misses anything
#
# This process is the server and all who chat, and is never killed: what it has
# read is the ledger.  After every kill and at the end the room's archive, as a
# stranger to all of this would read it, is held against what each of them got:
# from coming in to being told that they are out (333) every line, in order.
# A room without an archive keeps nothing that could be said again: there the lines
# that one of them got are held against what another got who was in as well.

import itertools
import json
import os
import random
import signal
import threading
import time

from annex import Annex, Failure, check, wait
from server import NS, Server, condition_of

DOMAIN = "muc.test"
ROOM = f"den@{DOMAIN}"
PEOPLE = 5
MUC = "http://jabber.org/protocol/muc"
SID = "{urn:xmpp:sid:0}stanza-id"
KILLS_A_STORE = 10


def jid_of(person):
    return f"user{person}@example.org/x"


class Person:
    """One who chats: what was said to them, in order, each time that they were in."""

    def __init__(self, number):
        self.number = number
        self.jid = jid_of(number)
        self.runs = []  # lists of (stanza-id, id) of lines
        self.put_out = 0
        self.is_in = False

    def came_in(self):
        if not self.is_in:
            self.runs.append([])
        self.is_in = True


class Chat:
    """Everybody, over all links: takes what comes, says one line after the other."""

    def __init__(self, server, archived=True):
        self.server = server
        self.archived = archived
        self.people = [Person(n) for n in range(PEOPLE)]
        self.by_jid = {p.jid: p for p in self.people}
        self.reflected = []  # (sender, n, stanza-id), as the sender saw it
        self.promised = {}  # affiliations that were acknowledged
        self.said = [0] * PEOPLE
        self.stopped = threading.Event()

    def take(self, stanza, answers):
        person = self.by_jid.get(stanza.get("to"))
        kind = stanza.tag.removeprefix(f"{{{NS}}}")
        if kind == "iq":
            answers[stanza.get("id")] = stanza
        elif person is not None and kind == "presence":
            self.take_presence(person, stanza)
        elif person is not None and kind == "message" and stanza.get("type") == "groupchat" \
                and stanza.find(f"{{{NS}}}body") is not None:
            sid = stanza.find(SID)
            check((sid is not None) == self.archived,
                  "a line without a stanza-id" if sid is None else "a stanza-id of nothing")
            check(person.is_in, f"{person.jid} is out, and gets a line")
            sid = None if sid is None else sid.get("id")
            person.runs[-1].append((sid, stanza.get("id")))
            if stanza.get("from") == f"{ROOM}/nick{person.number}":
                self.reflected.append((person.number, stanza.get("id"), sid))

    def take_presence(self, person, stanza):
        codes = [s.get("code") for s in stanza.iter(f"{{{MUC}#user}}status")]
        if "110" not in codes:
            return
        if stanza.get("type") == "unavailable":
            check("333" in codes, f"{person.jid} is put out with {codes}")
            person.put_out += person.is_in
            person.is_in = False
        else:
            person.came_in()

    def pump(self, link, answers, until, bound, what):
        """Take what comes until a condition holds or the link ends."""
        end = time.monotonic() + bound
        while not until():
            with link.news:
                fresh = link.stanzas[link.taken:]
                link.taken = len(link.stanzas)
                if not fresh and not link.ended:
                    link.news.wait(0.02)
            for stanza in fresh:
                self.take(stanza, answers)
            if not fresh and link.ended:
                return False
            check(time.monotonic() < end, f"{what}: not within {bound} s")
        return True

    def join(self, link, person):
        link.send(f"<presence from='{person.jid}' to='{ROOM}/nick{person.number}'>"
                  f"<x xmlns='{MUC}'><history maxstanzas='0'/></x></presence>")

    def ask(self, link, answers, stanza_id, kind, payload, sender=0):
        link.send(f"<iq from='{jid_of(sender)}' to='{ROOM}' id='{stanza_id}' type='{kind}'>"
                  f"{payload}</iq>")
        return self.pump(link, answers, lambda: stanza_id in answers, 20, f"answer {stanza_id}")

    def open(self, link, answers):
        """The room, with everybody in it."""
        self.join(link, self.people[0])
        self.pump(link, answers, lambda: self.people[0].is_in, 20, "the maker comes in")
        self.ask(link, answers, "open", "set",
                 f"<query xmlns='{MUC}#owner'><x xmlns='jabber:x:data' type='submit'>"
                 f"<field var='FORM_TYPE'><value>{MUC}#roomconfig</value></field>"
                 "<field var='muc#roomconfig_persistentroom'><value>1</value></field>"
                 "<field var='muc#roomconfig_enablelogging'>"
                 f"<value>{int(self.archived)}</value></field></x></query>")
        for person in self.people[1:]:
            self.join(link, person)
        self.pump(link, answers, lambda: all(p.is_in for p in self.people), 20, "all come in")

    def say(self, link):
        for person in self.people:
            n = self.said[person.number] = self.said[person.number] + 1
            link.send(f"<message from='{person.jid}' to='{ROOM}' type='groupchat' "
                      f"id='{person.number}.{n}'><body>line {n}</body></message>")

    def promote(self, link, n):
        """A change of an affiliation: remembered when it is acknowledged."""
        link.send(f"<iq from='{jid_of(0)}' to='{ROOM}' id='aff-{n}' type='set'>"
                  f"<query xmlns='{MUC}#admin'><item jid='friend{n}@example.org' "
                  "affiliation='member'/></query></iq>")

    def come_back(self, link, answers):
        """Who was put out does what a client does then."""
        out = [p for p in self.people if not p.is_in]
        for person in out:
            self.join(link, person)
        if out:
            self.pump(link, answers, lambda: all(p.is_in for p in out), 20, "they come back")

    def run(self, link, answers, stop):
        """Chat until the link ends, or as long as wanted."""
        end = time.monotonic() + stop if stop else None
        while not link.ended and (end is None or time.monotonic() < end):
            try:
                self.come_back(link, answers)
                self.say(link)
                self.promote(link, len(self.promised) + 1)
            except OSError:
                break
            before = len(self.reflected)
            self.pump(link, answers,
                      lambda: len(self.reflected) >= before + PEOPLE or link.ended or
                      not all(p.is_in for p in self.people), 20, "the lines")
            self.note(answers)
        self.pump(link, answers, lambda: False, 20, "the end") if link.ended else None
        self.note(answers)

    def note(self, answers):
        for stanza_id in [i for i in answers if i.startswith("aff-")]:
            answer = answers.pop(stanza_id)
            check(answer.get("type") == "result", f"{stanza_id} was refused")
            self.promised[f"friend{stanza_id[4:]}@example.org"] = "member"


def archive_of(chat, link, answers):
    """Every line: [(stanza-id, id)]."""
    lines, after = [], ""
    while True:
        page = f"mam-{len(lines)}"
        since = len(link.stanzas)
        chat.ask(link, answers, page, "set",
                 f"<query xmlns='urn:xmpp:mam:2' queryid='{page}'><set "
                 f"xmlns='http://jabber.org/protocol/rsm'><max>250</max>{after}</set></query>")
        for stanza in link.stanzas[since:]:
            result = stanza.find("{urn:xmpp:mam:2}result")
            if result is not None and result.get("queryid") == page:
                inner = next(result.iter("{jabber:client}message"))
                if inner.find("{jabber:client}body") is not None:
                    lines.append((result.get("id"), inner.get("id")))
        fin = answers[page].find("{urn:xmpp:mam:2}fin")
        check(fin is not None, "the archive was not shown")
        if fin.get("complete") == "true":
            return lines
        after = f"<after>{fin.find('.//{http://jabber.org/protocol/rsm}last').text}</after>"


def members_of(chat, link, answers):
    members, after = set(), ""
    while True:
        page = f"members-{len(members)}"
        chat.ask(link, answers, page, "get",
                 f"<query xmlns='{MUC}#admin'><item affiliation='member'/><set "
                 f"xmlns='http://jabber.org/protocol/rsm'><max>500</max>{after}</set></query>")
        items = [i.get("jid") for i in answers[page].iter(f"{{{MUC}#admin}}item")]
        if not items:
            return members
        members.update(items)
        after = f"<after>{answers[page].find('.//{http://jabber.org/protocol/rsm}last').text}</after>"


def judge(chat, archive):
    """What was seen is there, once, in order; and nobody who stayed has a gap."""
    ids = [i for i, _ in archive]
    check(len(set(ids)) == len(ids), "a line is in the archive twice")
    place = {i: n for n, i in enumerate(ids)}
    for sender, line, sid in chat.reflected:
        check(sid in place, f"lost: {line} was reflected to user{sender}, and is not in the archive")
        check(archive[place[sid]][1] == line, f"{line} is another line in the archive")
    for line in {line for _, line in archive}:
        check(sum(line == other for _, other in archive) == 1, f"{line} is in the archive twice")
    for person in chat.people:
        for n, run in enumerate(person.runs):
            places = places_of(person, run, place)
            begin = 0 if n == 0 else min(places, default=len(archive))
            end = len(archive) if person.is_in and n == len(person.runs) - 1 and places \
                else max(places, default=begin - 1) + 1
            gaps = [archive[at][1] for at in range(begin, end) if at not in places]
            check(not gaps, f"{person.jid} never got {gaps[:5]}, and was not told")


def places_of(person, run, place):
    """Where in the archive what they got is; what is said again counts once."""
    places, last = set(), -1
    for sid, line in run:
        at = place.get(sid, -1)
        check(at in places or at > last, f"{person.jid} got {line} out of order")
        places.add(at)
        last = max(last, at)
    return places


def judge_alike(chat):
    """Of two who were in together each got what the other got, once, in one order."""
    runs = [(p, [line for _, line in run], p.is_in and run is p.runs[-1])
            for p in chat.people for run in p.runs]
    for person, run, _ in runs:
        check(len(set(run)) == len(run), f"{person.jid} got a line twice")
    for (one, got, stays), (other, said, _) in itertools.permutations(runs, 2):
        mine = set(got)
        both = [at for at, line in enumerate(said) if line in mine]
        if one is other or not both:
            continue
        due = said[both[0] : len(said) if stays else both[-1] + 1]
        missed = [line for line in due if line not in mine]
        check(not missed, f"{one.jid} never got {missed[:5]}, and was not told; {other.jid} did")
        among = set(due)
        check([line for line in got if line in among] == due,
              f"{one.jid} and {other.jid} got lines in another order")


def kill_some(context, kills, rng, max_replay=10000, archived=True):
    section = f"module: muc\nmuc: {{ ask-after: 1d, max-replay: {max_replay} }}"
    with Annex(context.build, "rooms", {DOMAIN: section}) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            link, answers = server.wait(), {}
            chat = Chat(server, archived)
            chat.open(link, answers)
            for n in range(1, kills + 1):
                pid = annex.pid(DOMAIN)
                timer = threading.Timer(
                    rng.choice((0.02, 0.1, 0.4)) * rng.random(), os.kill, (pid, signal.SIGKILL))
                timer.start()
                chat.run(link, answers, None)
                timer.join()
                link = server.wait(after=link, bound=60)
                wait(lambda: annex.pid(DOMAIN) != pid, 20, "annexd says that it started another")
                if n % 3 == 0:  # before annexd's patience grows
                    done = annex.ctl("restart", DOMAIN)
                    check(done.returncode == 0, f"annexctl restart: {done.stderr}")
                    chat.pump(link, answers, lambda: False, 60, "the link ends")
                    chat.note(answers)
                    link = server.wait(after=link, bound=60)
            chat.run(link, answers, 0.3)
            if archived:
                judge(chat, archive_of(chat, link, answers))
            members = members_of(chat, link, answers)
            if not archived:
                judge_alike(chat)
            missing = set(chat.promised) - members
            check(not missing, f"lost: these were made members: {sorted(missing)[:5]}")
            annex.stop()
            return len(chat.reflected), len(chat.promised), sum(p.put_out for p in chat.people)


def test_chat(context):
    """nobody in a room misses anything when the worker is killed at random moments"""
    kills, rng = 200 if context.long else 20, random.Random(context.seed)
    lines = changes = put_out = 0
    for n in range(kills // KILLS_A_STORE):
        some = kill_some(context, KILLS_A_STORE, rng, archived=n % 2 == 0)
        lines, changes, put_out = lines + some[0], changes + some[1], put_out + some[2]
    context.note(f"{kills} kills, {lines} reflected lines and {changes} changes checked, "
                 f"{put_out} times somebody was put out")
    check(lines > kills, "hardly anything was said: this proved nothing")


def test_put_out(context):
    """whoever may have missed something that cannot be said again is told, and comes back"""
    kills, rng = 60 if context.long else 6, random.Random(context.seed)
    put_out = sum(kill_some(context, 6, rng, max_replay=0)[2] for _ in range(kills // 6))
    context.note(f"{kills} kills, {put_out} times somebody was put out")
    check(put_out >= kills, "hardly anybody was put out: this proved nothing")


def memory_of(annex):
    """In KiB."""
    with open(f"/proc/{annex.pid(DOMAIN)}/status") as f:
        return int(next(line.split()[1] for line in f if line.startswith("RssAnon")))


def come_and_go(link, room, times):
    """The same client, a hundred times at once."""
    me = "flapper@example.org/x"
    inside = f"<presence from='{me}' to='{room}/flapper'><x xmlns='{MUC}'/></presence>"
    outside = f"<presence from='{me}' to='{room}/flapper' type='unavailable' id='%d'/>"
    for n in range(0, times, 100):
        link.send("".join(inside + outside % (n + i) for i in range(100)))
        link.wait(lambda s: s.get("to") == me and s.get("id") == str(n + 99), 60, "the last leave")


def test_come_and_go(context):
    """a client that comes and goes a thousand times leaves nothing behind"""
    env = {"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:verify_asan_link_order=0:"
                           "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"}
    with Annex(context.build, "flap", {DOMAIN: "module: muc"}, env=env) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            link, answers = server.wait(), {}
            Chat(server).open(link, answers)
            rows = annex.rows(DOMAIN)

            def settled():
                now = annex.rows(DOMAIN)
                return all(now[table] <= rows[table] for table in rows)

            # Into a room that stays, and into one that is made and ends each time.  An
            # allocator may take a page more now and then; what is left behind is more
            # after every thousand.
            for room in ROOM, f"attic@{DOMAIN}":
                come_and_go(link, room, 500)
                wait(settled, 60, f"{room}: no more rows than before")
                more = []
                while not more or min(more) >= 128 and len(more) < 5:
                    memory = memory_of(annex)
                    come_and_go(link, room, 1000)
                    wait(settled, 60, f"{room}: no more rows than before")
                    more.append(memory_of(annex) - memory)
                context.note(f"{room}: {more} KiB more")
                check(min(more) < 128, f"{room}: {more} KiB of memory were left behind")
            annex.stop()


def fill(link, room):
    """Somebody talks to themselves until the store refuses."""
    me, inside = "talker@example.org/x", f"<x xmlns='{MUC}'/>"
    link.send(f"<presence from='{me}' to='{room}/talker' id='fill'>{inside}</presence>")
    link.wait_id("fill")
    for n, size in enumerate([100000] * 60 + [2000] * 60 + [1] * 200):
        link.send(f"<message from='{me}' to='{room}' type='groupchat' id='fill{n}'>"
                  f"<body>{'x' * size}</body></message>")
        full = condition_of(link.wait_id(f"fill{n}")) == "wait resource-constraint"
    check(full, "the store grew and grew")


def test_full(context):
    """who is in a room whose store is full may leave, change and enter it again"""
    with Annex(context.build, "full", {DOMAIN: "module: muc\nstore-quota: 6M"}) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            link, attic = server.wait(), f"attic@{DOMAIN}"
            Chat(server).open(link, {})
            pid = annex.pid(DOMAIN)
            fill(link, attic)

            def told(name, stanza):
                link.send(stanza.replace("ID", f"id='{name}'"))
                return condition_of(link.wait_id(name))

            def presence(n, rest, inner=""):
                return f"<presence from='{jid_of(n)}' to='{ROOM}/nick{n}' ID {rest}>{inner}</presence>"

            inside, full = f"<x xmlns='{MUC}'/>", "wait resource-constraint"
            line = f"<message from='{jid_of(0)}' to='{ROOM}' type='groupchat' ID><body>hi</body></message>"
            for n in range(3):  # more often than turns may fail in a minute
                check(told(f"leave{n}", presence(n + 1, "type='unavailable'")) == "", "a leave")
                check(told(f"again{n}", presence(0, "", inside)) == "", "entering again")
                check(told(f"away{n}", presence(0, "", "<show>away</show>")) == "", "a status")
                check(told(f"join{n}", presence(n + 1, "", inside)) == full, "somebody came in")
                check(told(f"line{n}", line) == full, "a line was kept")
            kick = f"<query xmlns='{MUC}#admin'><item nick='nick4' role='none'/></query>"
            iq = f"<iq from='{jid_of(0)}' to='{ROOM}' type='set' ID>{kick}</iq>"
            check(told("kick", iq) == "", "a kick")
            destroy = f"<query xmlns='{MUC}#owner'><destroy/></query>"
            iq = f"<iq from='talker@example.org/x' to='{attic}' type='set' ID>{destroy}</iq>"
            check(told("destroy", iq) == "", "the end of a room")
            tries = itertools.count()
            wait(lambda: told(f"room{next(tries)}", line) == "", 30, "there is room again")
            check(annex.pid(DOMAIN) == pid, "the worker did not live through it")
            check("undone" not in annex.log(), "a turn was undone")
            annex.stop()


test_full.seconds = 10
test_chat.seconds = 50
test_put_out.seconds = 20
test_come_and_go.seconds = 15
