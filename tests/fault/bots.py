# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# bots.py - kill -9 of the worker, of a bot's program, and the loss of the server, under load
#
# People say numbers and ask for receipts.  A receipt means that the number is on disk:
# it must be answered, whatever dies; and an answer that comes twice is the same
# stanza, under the same id.

import collections
import contextlib
import os
import random
import signal
import sys
import threading
import time

from annex import Annex, check, wait
from server import NS, Server, text_of

DOMAIN = "bots.test"
PEOPLE = 4
RECEIPT = "{urn:xmpp:receipts}received"
PROGRAM = """
import json, os, sys
with open(sys.argv[1], "w") as f:
    f.write(str(os.getpid()))
for line in sys.stdin:
    event = json.loads(line)
    if event.get("body"):
        print(json.dumps({"reply": event["seq"], "body": event["body"]}), flush=True)
"""


class Load:
    """Talks until it is told to stop, over whichever link there is."""

    def __init__(self, server):
        self.server = server
        self.said = 0
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping:
            link = self.server.link
            if link is None or link.ended:
                time.sleep(0.01)
                continue
            self.said += 1
            try:
                link.send(
                    f"<message from='user{self.said % PEOPLE}@example.org/x' to='echo@{DOMAIN}' "
                    f"type='chat' id='m{self.said}'><body>{self.said}</body>"
                    f"<request xmlns='urn:xmpp:receipts'/></message>"
                )
            except OSError:
                pass
            time.sleep(0.004)

    def stop(self):
        self.stopping = True
        self.thread.join()


def heard(server):
    """Numbers with a receipt, and {number: ids of the answers}, in the order they came."""
    receipts, answers = set(), collections.OrderedDict()
    for link in server.every:
        for stanza in list(link.stanzas):
            if stanza.tag != f"{{{NS}}}message":
                continue
            received = stanza.find(RECEIPT)
            if received is not None:
                receipts.add(int(received.get("id")[1:]))
            elif text_of(stanza) is not None:
                answers.setdefault(int(text_of(stanza)), []).append(stanza.get("id"))
    return receipts, answers


def worker_of(annex, pid_file):
    return annex.pids(DOMAIN)[-1] if annex.pids(DOMAIN) else 0


def program_of(annex, pid_file):
    with open(pid_file) as f:
        return int(f.read() or 0)


def kill_process(whose):
    """Kill it, once there is another than the one that was killed last."""
    last = [0]

    def kill(annex, server, pid_file):
        wait(lambda: whose(annex, pid_file) not in (0, last[0]), 60, "it runs again")
        last[0] = whose(annex, pid_file)
        with contextlib.suppress(ProcessLookupError):  # it was about to end by itself
            os.kill(last[0], signal.SIGKILL)

    return kill


def lose_server(annex, server, pid_file):
    server.wait().drop()


def check_all(server):
    def left():
        receipts, answers = heard(server)
        return receipts - answers.keys()

    wait(lambda: not left(), 40, "everything that had a receipt is answered")
    receipts, answers = heard(server)
    for number, ids in answers.items():
        check(len(set(ids)) == 1, f"{number} was answered with different ids: {ids}")
    for who in range(PEOPLE):
        numbers = [n for n in answers if n % PEOPLE == who]
        check(numbers == sorted(numbers), f"answers to user{who} are not in order")
    return len(receipts)


def kill_again_and_again(context, kill, kills):
    with Annex(context.build, "bots", {DOMAIN: "module: echo"}) as annex:
        pid_file = f"{annex.dir}/tmp/pid"
        program = f"{annex.dir}/tmp/program.py"
        with open(program, "w") as f:
            f.write(PROGRAM)
        annex.components[DOMAIN] = (
            "module: bots\nbots:\n  rate-each: 10000\n  burst-each: 100000\n  bots:\n    echo:\n"
            f"      tries: 100\n      child: [{sys.executable}, {program}, {pid_file}]"
        )
        annex.configure()
        rng = random.Random(context.seed)
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            server.wait()
            load = Load(server)
            try:
                wait(lambda: heard(server)[1], 30, "the first answer")
                for n in range(kills):
                    before = len(heard(server)[1])
                    time.sleep(0.2 * rng.random())
                    kill(annex, server, pid_file)
                    wait(lambda: len(heard(server)[1]) > before + 5, 60, "answers go on")
                    if n % 3 == 2:  # before annexd's patience with crashes is over
                        annex.ctl("restart", DOMAIN)
            finally:
                load.stop()
            server.wait()
            acknowledged = check_all(server)
            context.note(f"{kills} kills, {acknowledged} messages acknowledged and answered")
            annex.stop()


def test_worker(context):
    """what a bot acknowledged is answered, once, when the worker is killed"""
    kill_again_and_again(context, kill_process(worker_of), 100 if context.long else 10)


def test_program(context):
    """what a bot acknowledged is answered, once, when its program is killed"""
    kill_again_and_again(context, kill_process(program_of), 100 if context.long else 10)


def test_server(context):
    """what a bot acknowledged is answered, once, when the server is lost"""
    kill_again_and_again(context, lose_server, 100 if context.long else 10)
