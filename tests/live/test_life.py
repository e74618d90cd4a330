# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Servers that go and come back, workers that end in every way, and who takes over."""
import asyncio
import os
import re
import signal
import time
from pathlib import Path

from lib.client import CLIENT, condition, reaches
from lib.ground import Failure, check, equal, free_port, run, until
from lib.relay import Relay
from lib.suite import test

# Of the server's port being open again; twice that where the machine is busy.
BACK_WITHIN = 1.0 if os.getloadavg()[0] < os.cpu_count() else 2.0
GAP = {"remote-server-timeout", "remote-server-not-found", "service-unavailable", "forbidden"}


class Chatter:
    """A user who says numbered things all the time, and keeps what comes back."""

    def __init__(self, client, to="echo.localhost", every=0.02):
        self.client, self.to, self.every = client, to, every
        self.sent, self.logins, self.ending = 0, 0, False

    async def start(self):
        self.task = asyncio.create_task(self._run())

    async def stop(self):
        self.task.cancel()

    async def _run(self):
        while not self.ending:
            if self.client.offline.is_set():
                await self.client.login()
                self.logins += 1
            try:
                self.client.send(self.to, f"<body>{self.sent}</body>")
                self.sent += 1
            except Failure:
                continue
            await asyncio.sleep(self.every)

    def answers(self, refused=False, stored=True):
        """The numbers that came back, or those that were refused by whom ever.

        stored: also what the server kept while the client was away (XEP-0203).
        """
        mine = (
            s for s in self.client.stanzas
            if s.xml.tag == CLIENT + "message" and s.xml.findtext(CLIENT + "body")
            and (stored or s.xml.find("{urn:xmpp:delay}delay") is None)
        )
        return [int(s.xml.findtext(CLIENT + "body")) for s in mine
                if (s.xml.get("type") == "error") == refused]

    def conditions(self):
        return {condition(s) for s in self.client.stanzas if s.xml.get("type") == "error"}

    async def answered(self, number):
        await until(lambda: number in self.answers(), 20, f"message {number} is answered")

    async def end(self):
        """Stop talking, once what was said last has come back."""
        await self.answered(self.sent)
        self.ending = True
        await self.task
        last = self.client.send(self.to, f"<body>{self.sent}</body>")
        await self.client.next_message(self.to, id=last)

    def check_order(self):
        """What a server kept for the client may come behind what it did not."""
        got, at_once = self.answers(), self.answers(stored=False)
        late = [number for number in got if number not in at_once]
        check(at_once == sorted(at_once) and late == sorted(late) and len(got) == len(set(got)),
              f"{self.client.jid}: out of order or twice: {got}")


@test()
async def it_is_back_when_the_server_is(t):
    annex = t.shared
    chatters = [
        await t.begin(Chatter(await t.client(user))) for user in ("alice", "bob", "carol")
    ]
    for chatter in chatters:
        await chatter.answered(5)
    workers = set(annex.workers())
    since = len(annex.process.lines)
    opened = await t.server.restart()
    line = await annex.process.said("from=echo.*attached to", since, 10)
    check(line.at - opened < BACK_WITHIN, f"attached {line.at - opened:.2f} s after the port opened")
    for chatter in chatters:
        await until(lambda: chatter.logins == 1, 30, "the client is back")
    await annex.attached()
    await reaches(chatters[0].client, "echo.localhost")
    for chatter in chatters:
        await chatter.end()
        chatter.check_order()
    equal(set(annex.workers()), workers, "the workers")
    equal((await annex.status("echo.localhost"))["restarts"], 0, "the restarts")
    lost = annex.process.count("from=echo.*link lost", since)
    equal(lost, 1, "how often the link was lost")


@test()
async def a_restarted_component_leaves_a_gap_and_no_more(t):
    annex = t.shared
    chatter = await t.begin(Chatter(await t.client("alice")))
    await chatter.answered(5)
    workers = {d: await annex.pid(d) for d in ("echo.localhost", "probe.localhost")}
    await annex.ctl("restart", "echo.localhost")
    await annex.attached("echo.localhost")
    await reaches(chatter.client, "echo.localhost")
    await chatter.end()
    chatter.check_order()
    check(chatter.conditions() <= GAP, f"in the gap came {chatter.conditions()}")
    check(await annex.pid("echo.localhost") != workers["echo.localhost"], "the worker is the same")
    equal(await annex.pid("probe.localhost"), workers["probe.localhost"], "the other worker")
    equal(len(annex.workers()), 2, "the number of workers")


@test()
async def a_killed_worker_comes_back(t):
    annex = t.shared
    annex.expect("signal 9")
    chatter = await t.begin(Chatter(await t.client("alice")))
    await chatter.answered(5)
    pid, crashes = await annex.pid("echo.localhost"), (await annex.status("echo.localhost"))["crashes"]
    other = await annex.pid("probe.localhost")
    since, at = len(annex.process.lines), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    line = await annex.process.said("from=echo.*attached to", since)
    check(line.at - at < 3, f"it was attached again after {line.at - at:.1f} s")
    await reaches(chatter.client, "echo.localhost")
    await chatter.end()
    chatter.check_order()
    check(chatter.conditions() <= GAP, f"in the gap came {chatter.conditions()}")
    equal((await annex.status("echo.localhost"))["crashes"], crashes + 1, "the crashes")
    equal(await annex.pid("probe.localhost"), other, "the other worker")


@test()
async def a_stopped_worker_is_seen_and_goes_on(t):
    annex, alice = t.shared, await t.client("alice")
    pid = await annex.pid("echo.localhost")
    key = 'annex_worker_heartbeat_age_seconds{domain="echo.localhost"}'
    os.kill(pid, signal.SIGSTOP)
    try:
        id = alice.send("echo.localhost", "<body>are you there?</body>")

        async def age():
            values = await annex.metrics()
            check(key in values, f"the metrics are {sorted(values)}")
            return values[key] > 2

        await until(age, 10, "the metrics show an old heartbeat")
        await annex.ctl("status", want=None)
        equal((await annex.status("probe.localhost"))["attached"], True, "the other is attached")
    finally:
        os.kill(pid, signal.SIGCONT)
    await alice.next_message("echo.localhost", id=id)
    equal(await annex.pid("echo.localhost"), pid, "the worker")


@test()
async def a_drained_component_stays_down_until_it_is_wanted(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    await reaches(alice, "one.localhost")
    await annex.ctl("drain", "one.localhost")
    equal((await annex.status("one.localhost"))["state"], "down", "the state")
    equal(annex.workers(), [], "the workers")
    await annex.ctl("status", want=1)
    answer = await alice.iq("one.localhost", "<ping xmlns='urn:xmpp:ping'/>")
    check(condition(answer) in GAP, f"the server answers {condition(answer)}")
    await annex.ctl("restart", "one.localhost")
    await annex.attached()
    await reaches(alice, "one.localhost")
    await annex.ctl("status")


@test()
async def the_next_host_of_the_list_takes_over(t):
    relay = await t.begin(Relay(t.server.port))
    annex = t.annex({"one.localhost": {"module": "echo"}})
    hosts = [f"127.0.0.1:{port}" for port in (free_port(), relay.port, t.server.port)]
    annex.server("main", host=hosts)
    await annex.start()
    check(b"one.localhost" in relay.said["up"], "it did not take the first that listens")
    alice = await t.client("alice")
    await reaches(alice, "one.localhost")
    since, at = len(annex.process.lines), time.monotonic()
    await relay.stop()
    line = await annex.process.said(f"attached to {hosts[2]}", since)
    check(line.at - at < 3, f"the next host was taken after {line.at - at:.1f} s")
    await reaches(alice, "one.localhost")


@test()
async def a_stream_that_is_cut_is_taken_up_at_once(t):
    relay = await t.begin(Relay(t.server.port))
    annex = t.annex({"one.localhost": {"module": "echo"}})
    annex.server("main", relay.port)
    await annex.start()
    alice = await t.client("alice")
    for _ in range(3):
        since, at = len(annex.process.lines), time.monotonic()
        relay.cut()
        line = await annex.process.said("attached to", since)
        check(line.at - at < 3, f"it was attached again after {line.at - at:.1f} s")
    await reaches(alice, "one.localhost")
    equal((await alice.say("one.localhost", "hello"))["body"], "hello", "the echo")


@test()
async def a_connection_made_anew_loses_no_question(t):
    relay = await t.begin(Relay(t.server.port))
    annex = t.annex({"one.localhost": {"module": "echo", "rate-per-jid": 10000}})
    main = annex.server("main", relay.port)
    await annex.start()
    alice = await t.client("alice")

    async def change_hosts():
        for host in "localhost", "127.0.0.1", "localhost":
            since = len(annex.process.lines)
            main["host"] = host
            await annex.reload()
            await annex.process.said("attached to", since)

    # Pings all the while; each that the server handed over is answered.
    ping = "<iq to='one.localhost' type='get' id='{}'><ping xmlns='urn:xmpp:ping'/></iq>"
    since, change = len(alice.stanzas), asyncio.ensure_future(change_hosts())
    while not change.done():
        alice.send_raw(ping.format(alice.new_id()))
        await asyncio.sleep(0.002)
    await change

    await reaches(alice, "one.localhost")
    came = re.findall(r"""\bid=['"](alice-\d+)""", relay.said["down"].decode())
    answered = [s.xml.get("id") for s in alice.stanzas[since:] if s.xml.tag == CLIENT + "iq"]
    check(came, "no question came")
    equal(set(came) - set(answered), set(), "what came and was not answered")
    equal(len(answered), len(set(answered)), "the number of answers")


@test("ejabberd")
async def many_components_run_side_by_side(t):
    annex = t.annex({f"c{i}.localhost": {"module": "echo"} for i in range(12)})
    await annex.start()
    alice = await t.client("alice")
    for domain in annex.config["components"]:
        equal((await alice.say(domain, domain))["body"], domain, "the echo")
    victim = await annex.pid("c7.localhost")
    others = set(annex.workers()) - {victim}
    equal(len(others), 11, "the number of other workers")
    await annex.ctl("restart", "c7.localhost")
    check(others < set(annex.workers()), "others were touched")


@test()
async def it_waits_for_a_server_that_is_not_there_yet(t):
    relay = Relay(t.server.port)
    annex = t.annex({"one.localhost": {"module": "echo"}})
    annex.server("main", relay.port)
    await annex.start(attached=False)
    await annex.process.said("cannot attach")
    await annex.process.said("next try in [678].. ms")
    await t.begin(relay)
    opened = time.monotonic()
    line = await annex.process.said("attached to")
    check(line.at - opened < BACK_WITHIN, f"attached {line.at - opened:.2f} s after the port opened")


@test()
async def what_a_stalled_server_holds_back_arrives_in_order(t):
    relay = await t.begin(Relay(t.server.port))
    annex = t.annex({"one.localhost": {"module": "echo"}})
    annex.server("main", relay.port)
    await annex.start()
    alice = await t.client("alice")
    await reaches(alice, "one.localhost")
    since = len(alice.stanzas)
    relay.flows.clear()
    ids = [alice.send("one.localhost", f"<body>{i}</body>") for i in range(200)]
    await alice.iq("localhost", "<ping xmlns='urn:xmpp:ping'/>")  # the server has taken them
    relay.flows.set()
    await alice.next_message("one.localhost", since=since, id=ids[-1])
    got = [s.xml.get("id") for s in alice.stanzas[since:] if s.xml.tag == CLIENT + "message"]
    equal(got, ids, "the order of the echoes")


@test()
async def annexd_that_was_killed_leaves_nothing_behind(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    equal((await alice.say("one.localhost", "count"))["body"], "count 1", "the count")
    pids = annex.workers()
    await annex.stop(signal.SIGKILL)
    await until(lambda: not any(Path(f"/proc/{p}").exists() for p in pids), 10, "workers end")
    await annex.start()
    await reaches(alice, "one.localhost")
    equal((await alice.say("one.localhost", "count"))["body"], "count 2", "the count after it")


@test()
async def a_second_annexd_does_not_start_beside_the_first(t):
    first = await t.annex({"one.localhost": {"module": "echo"}}).start()
    annexd = t.ground.build / "framework/supervisor/annexd"
    status, out, err = await run([annexd, "-c", first.file])
    equal(status, 1, "the second's exit status")
    check("in use" in out + err, f"the second says {out}{err}")
    alice = await t.client("alice")
    equal((await alice.say("one.localhost", "hello"))["body"], "hello", "the first's echo")
    await first.ctl("status", want=None)


@test("prosody")
async def a_domain_the_server_does_not_know_is_told(t):
    annex = t.annex({"nowhere.localhost": {"module": "echo"}, "one.localhost": {"module": "echo"}})
    await annex.start(attached=False)
    line = await annex.process.said("from=nowhere.*cannot attach")
    check("does not know this domain" in line, f"the log says {line!r}")
    await annex.attached("one.localhost")


@test("prosody")
async def who_comes_second_is_told_of_a_conflict(t):
    first = await t.annex({"two.localhost": {"module": "echo"}}, name="first").start()
    second = t.annex({"two.localhost": {"module": "echo"}}, name="second")
    await second.start(attached=False)
    line = await second.process.said("conflict")
    check("another process may serve it" in line, f"the log says {line!r}")
    alice = await t.client("alice")
    equal((await alice.say("two.localhost", "hello"))["body"], "hello", "the first's echo")
    equal(first.process.count("link lost"), 0, "how often the first lost its link")
    await first.stop()
    await second.attached()


@test("prosody")
async def who_is_replaced_says_so(t):
    first = await t.annex({"one.localhost": {"module": "echo"}}, name="first").start()
    second = await t.annex({"one.localhost": {"module": "echo"}}, name="second").start()
    line = await first.process.said("conflict")
    check("link lost" in line, f"the log says {line!r}")
    # It comes back, but not at once: each time it does, the other has to go.
    await second.stop()
    await first.attached()


@test("ejabberd")
async def two_of_one_domain_notice_each_other(t):
    first = await t.annex({"one.localhost": {"module": "echo"}}, name="first").start()
    second = await t.annex({"one.localhost": {"module": "echo"}}, name="second").start()
    for annex in first, second:
        annex.expect("another component")
    alice = await t.client("alice")
    complaint = "another component (serves|answers for) one.localhost"

    async def noticed():
        # Every answer is followed by a fence, and half of the fences go astray.
        await alice.iq("one.localhost", "<ping xmlns='urn:xmpp:ping'/>")
        return all(annex.process.count(complaint) for annex in (first, second))

    await until(noticed, 15, "both complain")
    await second.stop()
    await reaches(alice, "one.localhost")
    equal(first.process.count("link lost"), 0, "how often the first lost its link")


@test("ejabberd")
async def stanzas_that_ejabberd_misdirects_are_noticed(t):
    # A listener with a list of hosts and global_routes at its default: each gets the other's.
    annex = t.annex({"a.localhost": {"module": "echo"}, "b.localhost": {"module": "echo"}})
    annex.server("main", t.server.shared_port)
    annex.expect("another component")
    await annex.start()
    alice = await t.client("alice")

    async def noticed():
        answers = [await alice.iq(d, "<ping xmlns='urn:xmpp:ping'/>")
                   for d in annex.config["components"] for _ in range(5)]
        check({condition(a) for a in answers} <= {None, "item-not-found"}, "an odd answer came")
        return annex.process.count("another component (serves|answers for) [ab].localhost")

    await until(noticed, 15, "it complains")
    equal(annex.process.count("link lost"), 0, "how often a link was lost")


@test("ejabberd")
async def it_attaches_over_a_unix_socket(t):
    annex = t.annex({"one.localhost": {"module": "echo"}})
    annex.server("main", host=f"unix:{t.server.unix}")
    await annex.start()
    alice = await t.client("alice")
    equal((await alice.say("one.localhost", "hello"))["body"], "hello", "the echo")
