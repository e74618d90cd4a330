# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# kills.py - kill -9 at random moments, and nothing acknowledged may be lost
#
# client.c loads count.so and writes down what it was told.  After every kill a
# copy of the store is taken while nobody uses it, verified, and held against
# that ledger; annexd meanwhile brings the worker back.

import collections
import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import time

from annex import Annex, Failure, check, is_dead, wait, wait_gone

DOMAIN = "count.test"
SENDERS = 8
WINDOW = 48
KILLS_A_STORE = 25  # then a new one: an old one is long in verifying


class Client:
    """The process that loads and keeps the ledger."""

    def __init__(self, annex):
        self.ledger = f"{annex.dir}/ledger"
        self.process = subprocess.Popen(
            [annex.build.client, annex.socket(DOMAIN), self.ledger, str(SENDERS), str(WINDOW)],
            stdin=subprocess.PIPE,
            stdout=open(f"{annex.dir}/client.log", "ab"),
            env={k: v for k, v in annex.env.items() if k not in ("ANNEX_TEST", "LD_PRELOAD")},
        )
        self.told = f"{annex.dir}/client.log"

    def wait(self, word, epoch, bound=20):
        """Its line "WORD EPOCH ..."."""

        def find():
            with open(self.told) as f:
                return next((l for l in f if l.startswith(f"{word} {epoch} ")), None)

        return wait(find, bound, f'the client says "{word} {epoch}"')

    def epoch_of(self, pid, bound=20):
        """The epoch of the link that this worker made."""

        def find():
            with open(self.told) as f:
                ups = [line.split() for line in f if line.startswith("up ")]
            return next((int(up[1]) for up in ups if int(up[2]) == pid), None)

        return wait(find, bound, f"the worker {pid} attached")

    def finish(self):
        self.process.stdin.close()
        check(self.process.wait(10) == 0, "the client failed")

    def lines(self, upto=None):
        with open(self.ledger) as f:
            text = f.read() if upto is None else f.read(upto)
        return [line.split() for line in text.splitlines()]


def entries_of(exported):
    """The log that count.c keeps: {sender: [(number, id)]}, and the counters."""
    entries, counters = collections.defaultdict(list), {}
    for line in exported.splitlines():
        row = json.loads(line)
        table, key, record = row.get("table"), row.get("key"), row.get("record")
        if table == "entries":
            entries[key["sender"]].append((int(key["number"]), record.get("id", "")))
        elif table == "counters":
            counters[key["sender"]] = int(record.get("value", 0))
    return entries, counters


def check_order(sender, entries, counter):
    """Numbers without a gap; of every epoch the first messages, each once, in order."""
    check([n for n, _ in entries] == list(range(1, len(entries) + 1)),
          f"the numbers of {sender} have a gap")
    check(counter == len(entries), f"{sender} has {len(entries)} entries, but counts {counter}")
    at = (0, 0)
    for _, entry in entries:
        epoch, n = map(int, entry.split("."))
        check((epoch, n) == at or (epoch > at[0] and n == 0),
              f"message {entry} of {sender} stands behind {at[0]}.{at[1] - 1}")
        at = (epoch, n + 1)


def check_store(annex, client, copy, upto):
    """Everything the ledger said when the copy was made must be in it."""
    done = annex.offline("verify", DOMAIN, copy)
    check(done.returncode == 0, f"the store does not verify: {done.stdout}{done.stderr}")
    done = annex.offline("export", DOMAIN, copy)
    check(done.returncode == 0, f"the store cannot be exported: {done.stderr}")
    entries, counters = entries_of(done.stdout)
    for sender, rows in entries.items():
        check_order(sender, rows, counters.get(sender))
    acknowledged = client.lines(upto)
    for sender, number, entry in acknowledged:
        rows, number = entries.get(sender, []), int(number)
        check(number <= len(rows),
              f"lost: {sender} was told {number} for {entry}, the store ends at {len(rows)}")
        check(rows[number - 1][1] == entry,
              f"{sender} was told {number} for {entry}, there stands {rows[number - 1][1]}")
    shutil.rmtree(copy)
    return len(acknowledged)


def kill(annex, client, pid, epoch):
    """Kill the worker, and copy what it left before the next one may begin."""
    annex.process.send_signal(signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        wait(lambda: is_dead(pid), 5, "the worker is dead")
        client.wait("lost", epoch)
        copy = annex.copy_store(DOMAIN, f"{epoch}")
    finally:
        annex.process.send_signal(signal.SIGCONT)
    return copy, os.path.getsize(client.ledger)


def next_worker(annex, pid):
    """The worker that annexd starts after that one."""
    wait(lambda: annex.pids(DOMAIN)[-1:] not in ([], [pid]), 20, "annexd starts a worker")
    return annex.pid(DOMAIN)


def kill_some(build, kills, rng, env):
    """So many kills of one store; what was checked, and the time the domain was away."""
    section = "module: count\nstore-quota: 256M"
    away, checks = [], []
    with Annex(build, "kill", {DOMAIN: section}, env=env) as annex, \
            concurrent.futures.ThreadPoolExecutor(1) as checker:
        client = Client(annex)
        try:
            annex.start()
            pid = next_worker(annex, None)
            for n in range(1, kills + 1):
                epoch = client.epoch_of(pid)
                time.sleep(rng.choice((0.002, 0.02, 0.2)) * rng.random())
                began = time.monotonic()
                checks.append(checker.submit(
                    check_store, annex, client, *kill(annex, client, pid, epoch)))
                pid = next_worker(annex, pid)
                client.epoch_of(pid)
                away.append(time.monotonic() - began)
                if n % 3 == 0:  # before annexd's patience grows; it forgets the crashes
                    done = annex.ctl("restart", DOMAIN)
                    check(done.returncode == 0, f"annexctl restart: {done.stderr}")
                    pid = annex.pid(DOMAIN)
                for c in checks:
                    if c.done():
                        c.result()  # as soon as one is red
            acknowledged = [c.result() for c in checks]
            done = annex.ctl(DOMAIN, "store", "verify")
            check(done.returncode == 0, f"annexctl store verify: {done.stdout}{done.stderr}")
            annex.stop()
        finally:
            client.process.stdin.close()
            client.process.wait()
    return acknowledged[-1], max(away)


def loop(build, kills, seed, env=None):
    rng = random.Random(seed)
    total, away, done = 0, 0.0, 0
    while done < kills:
        some = min(KILLS_A_STORE, kills - done)
        acknowledged, longest = kill_some(build, some, rng, env)
        total += acknowledged
        away = max(away, longest)
        done += some
    return total, away


def test_first_start(context):
    """a worker killed while it makes its store finds a sound one when it comes back"""
    rng = random.Random(context.seed)
    for _ in range(200 if context.long else 12):
        with Annex(context.build, "first", {DOMAIN: "module: count"}) as annex:
            client = Client(annex)
            try:
                annex.start()
                wait(lambda: annex.pids(DOMAIN), 15, "the worker started")
                time.sleep(rng.random() * (0.15 if context.build.sanitized else 0.03))
                os.kill(annex.pid(DOMAIN), signal.SIGKILL)
                wait(lambda: client.lines(), 20, "an answer")
                annex.stop()
            finally:
                client.process.stdin.close()
                client.process.wait()
            check_store(annex, client, annex.copy_store(DOMAIN, "copy"), None)


def test_annexd(context):
    """workers whose annexd was killed end, lose nothing, and leave their stores to the next"""
    with Annex(context.build, "annexd", {DOMAIN: "module: count"}) as annex:
        client = Client(annex)
        try:
            annex.start()
            for epoch in range(1, 4):
                client.wait("up", epoch)
                wait(lambda: client.lines()[-1:] and
                     client.lines()[-1][2].startswith(f"{epoch}."), 15, "an answer")
                annex.process.kill()
                annex.process.wait()
                client.wait("lost", epoch)
                left = wait_gone(annex.left_over)
                check(not left, f"without annexd these went on: {left}")
                check_store(annex, client, annex.copy_store(DOMAIN, "copy"), None)
                annex.start()
            client.wait("up", 4)
            annex.stop()
        finally:
            client.process.stdin.close()
            client.process.wait()


def test_kill_loop(context):
    """no acknowledged change is lost when the worker is killed at random moments"""
    kills = 1000 if context.long else 50
    total, away = loop(context.build, kills, context.seed)
    context.note(f"{kills} kills, {total} answers checked, away for at most {away:.2f} s")
    check(total > kills, "hardly anything was acknowledged: this proved nothing")


def test_red(context):
    """the loop sees it within 50 kills when answers leave before the commit"""
    check(context.build.has_switch, "this needs a build configured with --enable-fault-switch")
    try:
        loop(context.build, 50, context.seed + 1, {"ANNEX_FAULT": "send-before-commit"})
    except Failure as e:
        check(str(e).startswith("lost: "), f"red, but for another reason: {e}")
        return
    raise Failure("50 kills, and nothing was missed: the loop is blind")


test_kill_loop.seconds = 60
test_red.seconds = 40
