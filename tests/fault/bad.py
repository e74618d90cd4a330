# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# bad.py - a component that does what no component should, and one beside it
#
# Whatever bad.so does, only its own domain may be away, and not for long; the
# neighbour is asked all the while and must never notice.

import contextlib
import os
import re
import signal
import threading
import time

from annex import Annex, Failure, check, wait, wait_gone
from server import Server, condition_of, text_of

BAD = "bad.test"
NEIGHBOUR = "count.test"
SECTIONS = {BAD: "module: bad", NEIGHBOUR: "module: count"}


class Neighbour:
    """Asks the other domain all the time, and remembers its slowest answer."""

    def __init__(self, annex, server):
        self.annex = annex
        self.link = server.wait()
        self.pid = annex.pid(NEIGHBOUR)
        self.slowest = 0
        self.trouble = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        n = 0
        try:
            while not self.done.wait(0.02):
                began = time.monotonic()
                self.link.ping(f"neighbour{n}", 5)
                self.slowest = max(self.slowest, time.monotonic() - began)
                n += 1
        except Failure as e:
            self.trouble = e

    def finish(self):
        self.done.set()
        self.thread.join()
        check(self.trouble is None, f"the neighbour noticed: {self.trouble}")
        check(not self.link.ended, "the neighbour's link ended")
        check(self.annex.pids(NEIGHBOUR) == [self.pid], "the neighbour was restarted")
        check(self.slowest < 2, f"the neighbour took {self.slowest:.2f} s to answer a ping")


@contextlib.contextmanager
def beside(build, bad=SECTIONS[BAD], **options):
    """annexd with both, attached, and the neighbour under watch."""
    with Annex(build, "bad", dict(SECTIONS, **{BAD: bad}), **options) as annex:
        with Server(annex.socket(BAD)) as server, Server(annex.socket(NEIGHBOUR)) as other:
            annex.start()
            neighbour = Neighbour(annex, other)
            try:
                yield annex, server
            finally:
                neighbour.done.set()
            neighbour.finish()
            annex.stop()


def away_bound(build):
    """Seconds that a domain may be away after a crash; sanitizers start slowly."""
    return 3 if build.sanitized else 1


def crash(context, server, link, send):
    """Send what crashes it; the new link, and how long the domain was away."""
    send(link)
    ended = link.wait_end(15)
    after = server.wait(link)
    away = after.since - ended
    check(away < away_bound(context.build), f"the domain was away for {away:.2f} s")
    after.ping("back")
    return after, away


POISONS = {
    "message": lambda link: link.message("poison", "null"),
    "iq": lambda link: link.ask("poison", "<null xmlns='bad'/>"),
}


def poisoned(context, send):
    with beside(context.build) as (annex, server):
        link, first = crash(context, server, server.wait(), send)
        annex.wait_log(rf"{BAD}: worker crashed in a handler: signal 11")
        annex.wait_log("is suspected")
        link, second = crash(context, server, link, send)
        annex.wait_log("crashed the worker again and is in quarantine")
        send(link)
        answer = link.wait_id("poison")
        check(condition_of(answer) == "cancel internal-server-error",
              f"the quarantined stanza was answered {answer.attrib} {condition_of(answer)}")
        annex.wait_log("level=error.*refused a quarantined stanza")
        link.message("m", "hello")
        check(text_of(link.wait_id("m")) == "hello", "the rest does not go on")
        check(len(annex.status(BAD)["quarantine"]) == 1, "annexctl status shows no quarantine")
        check(annex.ctl("status").returncode == 1, "a quarantine is no warning of annexctl status")
        check(annex.ctl("restart", BAD).returncode == 0, "it cannot be restarted")
        link = server.wait(link)
        check(not annex.status(BAD)["quarantine"], "a restart by hand did not end the quarantine")
        crash(context, server, link, send)
        context.note(f"away for {first:.2f} s and {second:.2f} s")


def test_null_message(context):
    """NULL dereferenced at a message: away shortly, quarantined at the second crash"""
    poisoned(context, POISONS["message"])


def test_null_iq(context):
    """NULL dereferenced at an IQ: away shortly, quarantined at the second crash"""
    poisoned(context, POISONS["iq"])


def test_ends(context):
    """a component that aborts or exits is back at once"""
    with beside(context.build) as (annex, server):
        link, _ = crash(context, server, server.wait(), lambda l: l.message("m", "abort"))
        annex.wait_log(f"{BAD}: worker crashed in a handler: signal 6")
        crash(context, server, link, lambda l: l.message("m", "exit"))
        annex.wait_log(f"{BAD}: worker crashed in a handler: exit status 0")


def test_hang(context):
    """a handler that hangs is aborted by the watchdog, and its stanza suspected"""
    with beside(context.build, stuck=2) as (annex, server):
        link = server.wait()
        began = time.monotonic()
        link.message("m", "hang")
        took = link.wait_end(15) - began
        check(1 < took < 8, f"the watchdog came after {took:.1f} s, set to 2 s")
        annex.wait_log(f"{BAD}: worker is stuck in a handler")
        annex.wait_log("is suspected")
        server.wait(link).ping("back")


def test_hang_orphan(context):
    """a handler that hangs does not outlive an annexd that was killed"""
    with Annex(context.build, "orphan", {BAD: SECTIONS[BAD]}) as annex:
        with Server(annex.socket(BAD)) as server:
            annex.start()
            server.wait().message("m", "hang")
            wait(lambda: annex.status(BAD)["phase"] == "in a handler", 15, "the handler hangs")
            annex.process.kill()
            annex.process.wait()
            left = wait_gone(annex.left_over)
            check(not left, f"without annexd these went on: {left}")
            annex.start()
            server.wait().ping("back")


def test_frozen(context):
    """a worker that is frozen is killed by the watchdog, and no stanza suspected"""
    with beside(context.build, stuck=2) as (annex, server):
        link = server.wait()
        os.kill(annex.pid(BAD), signal.SIGSTOP)
        link.wait_end(20)
        annex.wait_log(f"{BAD}: worker is stuck while idle")
        annex.wait_log(f"{BAD}: killed, because its worker did not end in time")
        server.wait(link).ping("back")
        check("suspected" not in annex.log(), "a stanza was blamed")


def test_spawner(context):
    """a killed spawner is no harm to its worker"""
    with beside(context.build) as (annex, server):
        link = server.wait()
        with open(f"/proc/{annex.pid(BAD)}/task/{annex.pid(BAD)}/children") as f:
            children = [int(pid) for pid in f.read().split()]
        check(len(children) == 1, f"the children of a worker are {children}")
        os.kill(children[0], signal.SIGKILL)
        link.ping("undisturbed")
        annex.wait_log("the spawner has ended")
        link.ping("still-undisturbed")


def test_leak(context):
    """what a component leaks shows in annexctl status while it goes on"""
    with beside(context.build) as (annex, server):
        link = server.wait()
        before = annex.status(BAD)["rss_anon_bytes"]
        check(before > 0, "annexctl status does not know the memory at the start")
        link.message("m", "leak")
        link.wait_id("m")
        wait(lambda: annex.status(BAD)["rss_anon_bytes"] > before + (60 << 20), 10,
             "annexctl status shows 64 MB more")


def test_writes(context):
    """a component writes nothing but what is its own, reads what it may, and gains no privileges"""
    with beside(context.build) as (annex, server):
        link = server.wait()
        with open(f"/proc/{annex.pid(BAD)}/status") as f:
            check("NoNewPrivs:\t1\n" in f.read(), "the worker may gain privileges")
        landlock = "this kernel has no Landlock" not in annex.log()
        elsewhere = "refused" if landlock else "opened"
        for n, (deed, path, expected) in enumerate((
            ("write", f"{annex.state}/{BAD}/own", "opened"),
            ("write", f"{annex.state}/{NEIGHBOUR}/data.mdb", elsewhere),
            ("write", f"{annex.dir}/new", elsewhere),
            ("write", annex.config, elsewhere),
            ("read", "/etc/passwd", "opened"),
        )):
            link.message(f"w{n}", f"{deed} {path}")
            was = text_of(link.wait_id(f"w{n}"))
            check(was == expected, f"to {deed} {path} was {was}, not {expected}")


def answers_to(link, stanza_id, fence):
    """All that came with that id before a later ping was answered."""
    link.ping(fence)
    return [s for s in link.stanzas if s.get("id") == stanza_id]


def test_answers(context):
    """an IQ gets exactly one answer, whether the component gives two, none or a false hold"""
    with beside(context.build) as (annex, server):
        link = server.wait()
        for deed, kind, condition, log in (
            ("twice", "result", "", "the IQ was answered already"),
            ("silent", "error", "cancel internal-server-error", "left an IQ unanswered"),
            ("held", "error", "cancel internal-server-error", "left an IQ unanswered"),
        ):
            since = annex.log_size()
            link.ask(deed, f"<{deed} xmlns='bad'/>")
            answers = answers_to(link, deed, f"after-{deed}")
            check(len(answers) == 1, f"{deed}: {len(answers)} answers")
            check((answers[0].get("type"), condition_of(answers[0])) == (kind, condition),
                  f"{deed}: answered {answers[0].get('type')} {condition_of(answers[0])}")
            annex.wait_log(log, since=since)
        out = annex.status(BAD)["counters"]["stanzas_out_total"]
        check(out == 6, f"three answers and three pongs were counted as {out}")


def test_guard(context):
    """a false sender, illegal characters and 10 MB never leave, and are told"""
    with beside(context.build) as (annex, server):
        link = server.wait()
        for deed, log in (
            ("from", "from is not in the component's domain"),
            ("characters", "characters that XML does not allow"),
            ("big", "it is too large"),
        ):
            since = annex.log_size()
            link.message(deed, deed)
            link.ping(f"after-{deed}")
            bodies = [s for s in link.stanzas if s.tag.endswith("message")]
            check(not bodies, f"{deed}: something was heard: {bodies and bodies[0].attrib}")
            annex.wait_log(log, since=since)


def test_fails(context):
    """turns that fail are refused; more than three a minute end the worker with a sentence"""
    with beside(context.build) as (annex, server):
        link = server.wait()
        for n in range(3):
            link.message(f"m{n}", "fail")
            answer = link.wait_id(f"m{n}")
            check(condition_of(answer) == "cancel internal-server-error",
                  f"a failed turn was answered {condition_of(answer) or text_of(answer)}")
            link.ping(f"after{n}")
        counters = annex.status(BAD)["counters"]
        seen = counters["turns_undone_total"], counters["stanzas_failed_total"]
        check(seen == (6, 3), f"three that failed, each alone again, were counted as {seen}")
        link.ask("iq", "<fail xmlns='bad'/>")
        answer = link.wait_id("iq")
        check(condition_of(answer) == "wait resource-constraint",
              f"the last IQ of a worker was answered {condition_of(answer)}")
        link.wait_end()
        annex.wait_log(r"ended \(more than 3 turns failed within a minute\)")
        server.wait(link).ping("back")
        heard = [text_of(s) for s in link.stanzas if text_of(s)]
        check(not heard, f"a failed turn was heard: {heard}")


def test_create(context):
    """crashes in create are tried again ever more slowly, until the configuration is better"""
    section = "module: bad\nbad:\n  crash-in-create: yes"
    with beside(context.build, bad=section) as (annex, server):
        again = re.compile(rf"{BAD}: starts again in (\d+)\.(\d) s")

        def delays():
            return [int(s) + int(t) / 10 for s, t in again.findall(annex.log())]

        wait(lambda: len(delays()) >= 4, 20, "four tries")
        seen = delays()
        check(seen[0] <= 0.3 and seen[3] >= 1.0 and seen == sorted(seen),
              f"patience did not grow: {seen}")
        annex.wait_log(f"{BAD}: worker crashed while creating its instance: signal 11")
        check("suspected" not in annex.log(), "a stanza was blamed for a crash in create")
        check(annex.status(BAD)["state"] == "waiting", "annexctl status does not say waiting")
        check(annex.ctl("status").returncode == 2, "annexctl status does not call that bad")
        annex.components[BAD] = SECTIONS[BAD]
        annex.configure()
        done = annex.ctl("reload")
        check(done.returncode == 0, f"annexctl reload: {done.stdout}{done.stderr}")
        server.wait().ping("well")
