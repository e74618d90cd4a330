# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""lines - events in, actions out, and the time between; what the bundled bots share

A bot is a class with

    on_KIND(event)   for each kind of event it knows: returns the actions to take
    due()            when it wants to be woken next, in seconds since 1970, or None
    wake(now)        returns the actions to take then
    bell             where it has threads: a descriptor that is readable when one wants a wake

What it does not know is acknowledged.  A bot keeps what must not be lost in a State: the answers to
an event are stored with what the event changed, so that an event which is delivered again is
answered again with the same words, and changes nothing twice.
"""
import json
import os
import select
import sqlite3
import sys
import time

ANSWERS = 1000  # how many answers are kept: more than the gateway ever has unacknowledged


class State:
    """A file of tables: every event, and every wake, is one transaction."""

    def __init__(self, path, schema):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.executescript("CREATE TABLE IF NOT EXISTS answers "
                              "(seq INTEGER PRIMARY KEY, actions TEXT NOT NULL);" + schema)

    def __call__(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def once(self, seq, fn):
        """What fn returns; and what it returned the first time, where seq comes again."""
        with self:
            for (actions,) in self("SELECT actions FROM answers WHERE seq = ?", seq):
                return json.loads(actions)
            actions = fn()
            self("INSERT INTO answers VALUES (?, ?)", seq, json.dumps(actions))
            self("DELETE FROM answers WHERE seq <= ?", seq - ANSWERS)
            return actions

    def __enter__(self):
        self.db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind, *_):
        self.db.execute("COMMIT" if kind is None else "ROLLBACK")


def actions_of(bot, event):
    """What bot does about an event; every event that has a number is acknowledged."""
    handle = getattr(bot, "on_" + event.get("kind", "result"), None)
    actions = handle(event) if handle is not None else []
    seq = event.get("seq", 0)
    if seq > 0 and not any(a.get("reply") == seq or a.get("ack") == seq for a in actions):
        actions = actions + [{"ack": seq}]
    return actions


def say(out, actions):
    for action in actions:
        out.write(json.dumps(action, ensure_ascii=False).encode() + b"\n")
    out.flush()


def run(bot, fd=0, out=None, clock=time.time):
    """Serve until the gateway closes our standard input."""
    out = out or sys.stdout.buffer
    partial, bell = b"", getattr(bot, "bell", None)
    while True:
        due = bot.due()
        wait = None if due is None else max(0, due - clock())
        ready = select.select([fd] if bell is None else [fd, bell], [], [], wait)[0]
        if fd in ready:
            got = os.read(fd, 65536)
            if not got:
                return
            *lines, partial = (partial + got).split(b"\n")
            for line in filter(None, lines):
                say(out, actions_of(bot, json.loads(line)))
        now = clock()
        if bell in ready or due is not None and due <= now:
            say(out, bot.wake(now))
