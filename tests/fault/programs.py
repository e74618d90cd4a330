# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# programs.py - whatever the program of one bot does, the others go on
#
# One gateway has a bot that works and others whose programs do not: each is given
# events, and meanwhile the one that works must answer.

import contextlib
import json
import socket
import sys

from annex import Annex, check, wait
from server import NS, Server, text_of

DOMAIN = "bots.test"
PARALLEL = 4
MOST_KB = 200_000  # of a worker, also with sanitizers
SMALL = {"ASAN_OPTIONS": "verify_asan_link_order=0:quarantine_size_mb=8"}

PROGRAMS = {
    "echo": "child: [{python}, {dir}/echo.py]",
    "gone": "child: [/bin/false]",
    "deaf": "child: [/bin/sleep, infinity]",
    "mute": "{{ child: [/bin/sh, -c, 'exec cat >/dev/null'], ack: explicit }}",
    "loud": "child: [/bin/sh, -c, 'exec yes nonsense']",
    "fork": "{{ exec: [/bin/sh, -c, 'sleep 0.05; cat'], parallel: %d }}" % PARALLEL,
    "late": "{{ users: [root] }}",
}

ECHO = """
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event.get("body"):
        print(json.dumps({"reply": event["seq"], "body": event["body"]}), flush=True)
"""


@contextlib.contextmanager
def gateway(context, *names):
    """Annex with the bot that works and these, attached."""
    with Annex(context.build, "programs", {DOMAIN: "module: echo"}, env=SMALL) as annex:
        with open(f"{annex.dir}/tmp/echo.py", "w") as f:
            f.write(ECHO)
        section = ["module: bots", "bots:", "  socket: yes", "  rate-each: 100000",
                   "  burst-each: 1000000", "  bots:"]
        for name in ("echo", *names):
            program = PROGRAMS[name].format(python=sys.executable, dir=f"{annex.dir}/tmp")
            section.append(f"    {name}: " + (program if program[0] == "{" else "{ %s }" % program))
        annex.components[DOMAIN] = "\n".join(section)
        annex.configure()
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            server.wait()
            yield annex, server
            annex.stop()


def say(server, bot, text, sender="alice"):
    server.link.send(
        f"<message from='{sender}@example.org/x' to='{bot}@{DOMAIN}' type='chat' id='{bot}.{text}'>"
        f"<body>{text}</body></message>"
    )


def answers(server, bot):
    return [
        text_of(s) for s in list(server.link.stanzas)
        if s.tag == f"{{{NS}}}message" and s.get("from", "").startswith(f"{bot}@")
    ]


def echo_works(server, text):
    say(server, "echo", text, "bob")
    wait(lambda: text in answers(server, "echo"), 30, "the bot that works answers")


def waiting(annex):
    """{bot: how many of its events wait}"""
    done = annex.ctl(DOMAIN, "bots")
    check(done.returncode == 0, f"annexctl bots: {done.stdout}{done.stderr}")
    rows = json.loads(done.stdout)["rows"]
    return {bot.split("@")[0]: int(count) for bot, _, _, count, *_ in rows}


def memory_kb(annex):
    with open(f"/proc/{annex.pid(DOMAIN)}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))


def test_ends_at_once(context):
    """events wait for a program that ends at once, and are none of its dead letters"""
    with gateway(context, "gone") as (annex, server):
        say(server, "gone", "1")
        annex.wait_log("the program of gone ended .* in_ms=6400", 60)
        check(waiting(annex)["gone"] == 1, "its event is lost")
        check("gave an event up" not in annex.log(), "its event was given up")
        echo_works(server, "1")


def test_never_reads(context):
    """a program that never reads gets no more than a pipe full, and keeps nobody waiting"""
    with gateway(context, "deaf") as (annex, server):
        for n in range(1500):
            say(server, "deaf", f"{n} " + "x" * 2000, f"user{n}")
        echo_works(server, "1")
        wait(lambda: waiting(annex)["deaf"] == 1500, 60, "all of its events wait")
        check(memory_kb(annex) < MOST_KB, f"the worker takes {memory_kb(annex)} kB")


def test_never_answers(context):
    """events of a program that reads and never answers are kept"""
    with gateway(context, "mute") as (annex, server):
        for n in range(50):
            say(server, "mute", str(n))
        echo_works(server, "1")
        check(waiting(annex)["mute"] == 50, "an event that nobody acknowledged is gone")


def test_writes_without_end(context):
    """a program that writes nonsense without end is told, and keeps nobody waiting"""
    with gateway(context, "loud") as (annex, server):
        for n in range(20):
            echo_works(server, str(n))
        check(memory_kb(annex) < MOST_KB, f"the worker takes {memory_kb(annex)} kB")


def runs_of(annex, words):
    """How many processes of ours have that in their command lines."""
    found = 0
    for pid in annex.left_over():
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                found += words in f.read()
    return found


def test_many_events_at_once(context):
    """a flood of events runs no more programs at a time than it may, and all are answered"""
    with gateway(context, "fork") as (annex, server):
        for n in range(100):
            say(server, "fork", str(n), f"user{n}")

        def all_answered():
            runs = runs_of(annex, b"sleep 0.05; cat")
            check(runs <= PARALLEL, f"{runs} programs run at the same time")
            return len(answers(server, "fork")) == 100

        wait(all_answered, 60, "all are answered")
        check(sorted(map(int, answers(server, "fork"))) == list(range(100)), "some are not answered")


def test_slow_reader(context):
    """who attaches and does not read gets no more than a socket full; who goes loses nothing"""
    with gateway(context, "late") as (annex, server):
        slow = socket.socket(socket.AF_UNIX)
        slow.connect(f"{annex.dir}/run/{DOMAIN}.bots.sock")
        slow.sendall(b'{"hello":1,"bot":"late"}\n')
        for n in range(1500):
            say(server, "late", f"{n} " + "x" * 2000, f"user{n}")
        echo_works(server, "1")
        check(memory_kb(annex) < MOST_KB, f"the worker takes {memory_kb(annex)} kB")
        slow.close()
        wait(lambda: waiting(annex)["late"] == 1500, 60, "all of its events wait again")
        echo_works(server, "2")
