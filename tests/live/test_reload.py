# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""A new configuration on a running Annex, and secrets that are wrong."""
import signal

from lib.client import condition, reaches
from lib.ground import check, equal
from lib.suite import test

REFUSED = "not-authorized"


@test()
async def an_option_changes_on_the_live_stream(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    equal((await alice.say("one.localhost", "greet"))["body"], "hello", "the greeting")
    pid, since = await annex.pid("one.localhost"), len(annex.process.lines)
    annex.component("one.localhost")["probe"] = {"greeting": "salut"}
    await annex.reload()
    equal((await alice.say("one.localhost", "greet"))["body"], "salut", "the new greeting")
    annex.component("one.localhost")["max-stanza-size"] = "16K"
    await annex.reload()
    answer = await alice.say("one.localhost", "x" * 20000)
    equal(condition(answer), "policy-violation", "the answer to a large message")
    equal(await annex.pid("one.localhost"), pid, "the worker")
    equal(annex.process.count("link lost|attached to", since), 0, "the stream's ups and downs")


@test()
async def a_component_that_wants_starts_anew_with_its_options(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    await alice.say("one.localhost", "count")
    equal((await alice.say("one.localhost", "lives"))["body"], "1 messages in this life", "soft state")
    annex.component("one.localhost")["probe"] = {"greeting": "salut", "restarts": "yes"}
    since = len(annex.process.lines)
    await annex.reload()
    equal((await alice.say("one.localhost", "lives"))["body"], "1 messages in this life", "soft state")
    equal((await alice.say("one.localhost", "read"))["body"], "count is 1", "the stored count")
    equal(annex.process.count("link lost|attached to", since), 0, "the stream's ups and downs")


@test()
async def a_bad_file_changes_nothing(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    pid = await annex.pid("one.localhost")
    annex.expect("annex.yaml:|nothing was reloaded")
    annex.component("one.localhost")["probe"] = {"greting": "salut"}
    since = len(annex.process.lines)
    await annex.reload()
    line = await annex.process.said("annex.yaml:", since)
    check("did you mean" in line and "greeting" in line, f"the log says {line!r}")
    await annex.process.said("nothing was reloaded", since)
    text = await annex.ctl("reload", want=1)
    check("did you mean" in text, f"annexctl says {text!r}")
    equal((await alice.say("one.localhost", "greet"))["body"], "hello", "the old greeting")
    equal(await annex.pid("one.localhost"), pid, "the worker")
    del annex.component("one.localhost")["probe"]
    annex.write()
    text = await annex.ctl("reload")
    check("unchanged: one.localhost" in text, f"annexctl says {text!r}")


@test()
async def components_come_and_go(t):
    annex = await t.annex({"one.localhost": {"module": "echo"}}).start()
    alice = await t.client("alice")
    pid, since = await annex.pid("one.localhost"), len(annex.process.lines)
    annex.add("three.localhost", module="echo")
    await annex.reload()
    await annex.attached("three.localhost")
    await reaches(alice, "three.localhost")
    equal((await alice.say("three.localhost", "hello"))["body"], "hello", "the new one's echo")
    equal(len(annex.workers()), 2, "the number of workers")
    del annex.config["components"]["three.localhost"]
    await annex.reload()
    await annex.process.said("three.localhost: worker ended as asked", since)
    equal(annex.workers(), [pid], "the workers")
    answer = await alice.iq("three.localhost", "<ping xmlns='urn:xmpp:ping'/>")
    equal(answer.xml.get("type"), "error", "the answer for who has gone")
    equal((await alice.say("one.localhost", "hello"))["body"], "hello", "the other's echo")
    equal(annex.process.count("from=one.*(link lost|attached to)", since), 0, "its ups and downs")


@test()
async def a_wrong_secret_is_loud_and_can_be_mended(t):
    annex = t.annex({"one.localhost": {"module": "echo", "secret": "wrong"}})
    annex.expect(REFUSED)
    await annex.start(attached=False)
    line = await annex.process.said(REFUSED)
    check("secret is wrong" in line, f"the log says {line!r}")
    # It is tried again, slower and slower: 1, 2, 4 s less at most a quarter.
    await annex.process.said("next try in (7[5-9].|[89]..|1000) ms")
    await annex.process.said("next try in 1[5-9].. ms|next try in 2000 ms")
    await annex.ctl("status", want=1)
    since = len(annex.process.lines)
    annex.component("one.localhost")["secret"] = t.shared.component("echo.localhost")["secret"]
    await annex.reload()
    await annex.process.said("attached to", since, 3)
    alice = await t.client("alice")
    equal((await alice.say("one.localhost", "hello"))["body"], "hello", "the echo")


@test()
async def a_new_secret_is_taken_up_by_connecting_anew(t):
    secret = t.ground.work / f"{t.server.name}.secret"
    secret.touch(mode=0o600)
    good = t.shared.component("echo.localhost")["secret"]
    secret.write_text(good + "\n")
    annex = t.annex({"one.localhost": {"module": "echo"}, "three.localhost": {"module": "echo"}})
    annex.expect(REFUSED)
    del annex.component("one.localhost")["secret"]
    annex.component("one.localhost")["secret-file"] = str(secret)
    await annex.start()
    pids, since = set(annex.workers()), len(annex.process.lines)
    secret.write_text("another\n")
    await annex.reload()
    await annex.process.said("from=one.*connecting anew", since)
    await annex.process.said(f"from=one.*{REFUSED}", since)
    secret.write_text(good + "\n")
    since_then = len(annex.process.lines)
    await annex.reload()
    await annex.process.said("from=one.*attached to", since_then, 3)
    equal(set(annex.workers()), pids, "the workers")
    equal(annex.process.count("from=three.*(link lost|attached)", since), 0, "the other's trouble")


@test()
async def many_reloads_at_once_end_well(t):
    annex = await t.annex({"one.localhost": {"module": "probe"}}).start()
    alice = await t.client("alice")
    for i in range(20):
        annex.component("one.localhost")["probe"] = {"greeting": f"hello {i}"}
        annex.write()
        annex.process.send(signal.SIGHUP)
    await annex.ctl("reload")
    equal((await alice.say("one.localhost", "greet"))["body"], "hello 19", "the greeting")
    equal(len(annex.workers()), 1, "the number of workers")
