# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Bots over HTTP: what web applications send, what they are told, and who may."""
import asyncio
import base64
import json
import urllib.error
import urllib.request

from lib.ground import check, equal, free_port, until
from lib.suite import test

BOT = "news@one.localhost"


def heard(client):
    """What the bot has said to a client so far, in order."""
    return [s for s in client.stanzas if s.name == "message" and s["from"].bare == BOT and s["body"]]


async def hears(client, count):
    await until(lambda: len(heard(client)) >= count, 20, f"message {count}")
    return heard(client)[count - 1]


class Web:
    """One Annex with a bot that speaks HTTP."""

    def __init__(self, t, **options):
        self.port = free_port()
        self.section = {"http": f"127.0.0.1:{self.port}", "bots": {"news": options}}
        self.annex = t.annex({"one.localhost": {"module": "bots", "bots": self.section}})

    async def start(self):
        await self.annex.start()
        return self

    async def token(self, name, scopes, **more):
        said = await self.annex.ctl("one.localhost", "token-add", "bot=news", f"name={name}",
                                    *(f"scopes={s}" for s in scopes),
                                    *(f"{k}={v}" for k, v in more.items()))
        return said.split()[0]

    async def __call__(self, method, path, token=None, body=None, **headers):
        """(status, what it said): JSON where it is that."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        headers.setdefault("Content_Type", "text/plain")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=body.encode() if isinstance(body, str) else body,
            headers={name.replace("_", "-"): value for name, value in headers.items()})
        return await asyncio.to_thread(self._ask, request)

    @staticmethod
    def _ask(request):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, kind, text = answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            status, kind, text = error.code, error.headers["Content-Type"], error.read()
        return status, json.loads(text) if kind == "application/json" else text.decode()


@test()
async def a_web_application_sends(t):
    web = await Web(t).start()
    token = await web.token("app", ["send"])
    alice = await t.client("alice")
    status, said = await web("POST", "/v1/send/alice@localhost", token, "Backup done: 5 < 6")
    equal((status, said["state"]), (202, "queued"), "the answer")
    message = await hears(alice, 1)
    equal(message["body"], "Backup done: 5 < 6", "the message")
    equal(message["id"], said["id"], "its id")
    equal(message["from"].bare, "news@one.localhost", "who says it")


@test()
async def the_same_key_is_sent_once(t):
    web = await Web(t).start()
    token = await web.token("app", ["send"])
    alice = await t.client("alice")
    answers = [await web("POST", "/v1/send/alice@localhost", token, "one", Idempotency_Key="k1")
               for _ in range(3)]
    equal(len({said["id"] for _, said in answers}), 1, "the number of ids")
    await web("POST", "/v1/do", token, json.dumps({"to": "alice@localhost", "body": "two"}),
              Content_Type="application/json")
    await hears(alice, 2)
    equal([message["body"] for message in heard(alice)], ["one", "two"], "messages")


@test()
async def events_are_polled_acknowledged_and_answered(t):
    web = await Web(t).start()
    token = await web.token("app", ["send", "events"])
    alice = await t.client("alice")
    equal(await web("GET", "/v1/events?timeout=0", token), (200, []), "nothing")
    poll = asyncio.create_task(web("GET", "/v1/events?timeout=50", token))
    alice.send(BOT, "<body>what is new?</body>")
    status, (event,) = await poll
    equal((status, event["kind"], event["body"]), (200, "message", "what is new?"), "the event")
    # Not acknowledged yet, so it is told again.
    _, again = await web("GET", "/v1/events?timeout=0", token)
    equal([e["seq"] for e in again], [event["seq"]], "told again")
    status, said = await web("POST", "/v1/do", token, json.dumps(
        {"reply": event["seq"], "body": "nothing"}), Content_Type="application/json")
    equal(status, 202, f"the answer to {said}")
    equal((await hears(alice, 1))["body"], "nothing", "the reply")
    equal(await web("GET", f"/v1/events?after={event['seq']}&timeout=0", token), (200, []),
          "acknowledged")


async def status_before_body(web, path, length):
    """What is answered to a request of so many bytes before the first of them was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    try:
        writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
                     f"Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n".encode())
        return int((await asyncio.wait_for(reader.readline(), 20)).split()[1])
    finally:
        writer.close()


@test()
async def who_may_not_is_told_so(t):
    web = await Web(t).start()
    send, events = await web.token("a", ["send"]), await web.token("b", ["events"])
    for method, path, token, body, status in (
            ("POST", "/v1/send/alice@localhost", None, "x", 401),
            ("POST", "/v1/send/alice@localhost", "annex_wrong", "x", 401),
            ("POST", "/v1/send/alice@localhost", events, "x", 403),
            ("GET", "/v1/events", send, None, 403),
            ("GET", "/v1/send/alice@localhost", send, None, 405),
            ("GET", "/", send, None, 404),
            ("POST", "/v1/send/@", send, "x", 400),
            ("POST", "/v1/do", send, "{", 400),
            ("POST", "/v1/do", send, "[]", 400),
            ("POST", "/v1/do", send, '{"hello":1}', 400),
            ("POST", "/v1/do", send, '{"what":1}', 400),
            ("POST", "/v1/do", send, json.dumps({"to": "alice@localhost", "x" * 59 + "é": 1}), 400),
            ("POST", "/v1/do", send, '{"reply":1,"body":"for another"}', 403),
            ("POST", "/v1/do", send, '{"edit":"x","body":"x"}', 404),
            ("POST", "/v1/send/alice@localhost?wait=read", send, "x", 400),
            ("POST", "/v1/do", send, '{"token":"t","to":"alice@localhost"}', 403),
            ("POST", "/v1/send/alice@localhost", send, b"x" * 1100000, 413)):
        got, said = await web(method, path, token, body)
        equal(got, status, f"the status of {method} {path}, which said {said}")
        check(said["error"] and said["text"], "a sentence")
    equal(await status_before_body(web, "/v1/in/news/annex_wrong", 1100000), 404, "a wrong secret")
    await web.annex.ctl("one.localhost", "token-remove", "bot=news", "name=a")
    equal((await web("POST", "/v1/send/alice@localhost", send, "x"))[0], 401, "a removed token")


@test()
async def web_services_post_as_it_suits_them(t):
    web = await Web(t).start()
    secret = await web.token("hook", ["hook"], to="alice@localhost")
    alice = await t.client("alice")
    alerts = {"alerts": [{"status": "firing", "labels": {"alertname": "HighLoad", "instance": "web1"},
                          "annotations": {"summary": "load is 42"}},
                         {"status": "resolved", "labels": {"alertname": "Disk"}}]}
    atom = ("<entry xmlns='http://www.w3.org/2005/Atom'><title>It is out</title>"
            "<link href='http://news.example/1'/></entry>")
    for number, (kind, body, text) in enumerate((
            ("application/json", json.dumps(alerts),
             "FIRING: HighLoad web1: load is 42\nresolved: Disk"),
            ("application/json", '{"text":"from Slack"}', "from Slack"),
            ("application/json", '{"title":"Build","message":"failed","url":"http://ci.example/7"}',
             "Build: failed\nhttp://ci.example/7"),
            ("application/atom+xml", atom, "It is out\nhttp://news.example/1"),
            ("application/json", json.dumps({"attachments": [{"text": "é" * 300}]}), "é" * 300),
            ("text/plain", "just so", "just so")), 1):
        equal(await web("POST", f"/v1/in/news/{secret}", body=body, Content_Type=kind), (200, "ok"),
              f"the answer to {body}")
        equal((await hears(alice, number))["body"], text, "what is told")
    for path, body, status in ((f"/v1/in/news/{secret}x", '{"text":"x"}', 404),
                               (f"/v1/in/other/{secret}", '{"text":"x"}', 404),
                               (f"/v1/in/news/{secret}", '{"x":1}', 400),
                               (f"/v1/in/news/{secret}", "{", 400)):
        got, said = await web("POST", path, body=body, Content_Type="application/json")
        equal(got, status, f"the status of {path}, which said {said}")


@test()
async def contacts_are_seen_and_shown_something(t):
    web = await Web(t).start()
    token = await web.token("app", ["contacts", "presence"])
    erin = await t.client("erin")
    equal(await web("GET", "/v1/contacts", token), (200, []), "contacts at first")
    equal((await web("GET", "/v1/contacts/erin@localhost", token))[0], 404, "a stranger")
    erin.send_raw(f"<presence to='{BOT}' type='subscribe'/>")
    ask = await erin.next(lambda s: s.name == "presence" and s["type"] == "subscribe", what="subscribe")
    erin.send_raw(f"<presence to='{ask['from'].bare}' type='subscribed'/>")

    async def is_seen():
        status, said = await web("GET", "/v1/contacts?online=1", token)
        return status == 200 and said

    (seen,) = await until(is_seen, 20, "erin is seen")
    equal((seen["jid"], seen["sub"], seen["online"], seen["show"]),
          ("erin@localhost", "both", True, "online"), "the contact")
    equal(await web("GET", "/v1/contacts/erin@localhost", token), (200, seen), "the contact alone")
    equal((await web("PUT", "/v1/presence/erin@localhost", token,
                     '{"show":"dnd","status":"3 checks failing","for":"30m"}'))[0], 202, "the status")
    await erin.next(lambda s: s.name == "presence" and s["status"] == "3 checks failing", 20, "status")
    equal((await web("DELETE", "/v1/presence/erin@localhost", token))[0], 202, "the status")
    for method, path, body, status in (("PUT", "/v1/presence/erin@localhost", '{"show":"x"}', 400),
                                       ("PUT", "/v1/presence/@", "{}", 400),
                                       ("PUT", "/v1/presence/%FF", '{"status":"x"}', 400),
                                       ("GET", "/v1/contacts/%FF", None, 400),
                                       ("POST", "/v1/presence/*", "{}", 405),
                                       ("POST", "/v1/do", '{"to":"erin@localhost","body":"x"}', 403),
                                       ("POST", "/v1/do", '{"txn":[{"beat":"w"},{"edit":"x","body":"y"}]}',
                                        403),
                                       ("GET", "/v1/events", None, 403)):
        equal((await web(method, path, token, body))[0], status, f"the status of {method} {path}")


@test()
async def a_token_for_one_reader_writes_to_nobody_else(t):
    web = await Web(t).start()
    one = await web.token("one", ["send", "presence"], to="alice@localhost")
    all_of = await web.token("all", ["send"], to="localhost")
    alice = await t.client("alice")
    for token, action, status in (
            (one, {"to": "alice@localhost/test", "body": "1"}, 202),
            (one, {"to": "bob@localhost", "body": "x"}, 403),
            (one, {"edit": "x", "body": "x"}, 403),
            (one, {"beat": "x"}, 403),
            (one, {"kind": "presence", "status": "x"}, 403),
            (one, {"kind": "presence", "to": "alice@localhost", "group": "all", "status": "x"}, 403),
            (one, {"kind": "presence", "to": "alice@localhost", "status": "x"}, 202),
            (all_of, {"to": "alice@localhost", "body": "2"}, 202),
            (all_of, {"to": "alice@example.org", "body": "x"}, 403)):
        equal((await web("POST", "/v1/do", token, json.dumps(action)))[0], status,
              f"the status of {action}")
    await hears(alice, 2)
    equal([m["body"] for m in heard(alice)], ["1", "2"], "what was said")


@test()
async def an_answer_is_waited_for(t):
    web = await Web(t).start()
    token = await web.token("gate", ["send"])
    alice = await t.client("alice")
    equal((await web("GET", "/v1/asks/v42?timeout=0", token))[0], 404, "no question")
    status, said = await web("POST", "/v1/do", token, json.dumps(
        {"ask": "v42", "to": "alice@localhost", "body": "Deploy?", "choices": ["yes", "no"],
         "keep": True}))
    equal(status, 202, f"the status of the question, which said {said}")
    equal(await web("GET", "/v1/asks/v42?timeout=0", token), (200, {"state": "asked"}), "so far")
    poll = asyncio.create_task(web("GET", "/v1/asks/v42?timeout=50", token))
    await hears(alice, 1)
    alice.send(BOT, "<body>Yes</body>")
    wanted = (200, {"state": "answered", "value": "yes", "from": alice.jid})
    equal(await poll, wanted, "the answer")
    equal(await web("GET", "/v1/asks/v42", token), wanted, "the answer again")
    other = await web.token("other", ["send"], to="bob@localhost")
    equal((await web("GET", "/v1/asks/v42", other))[0], 404, "what a token for somebody else reads")


@test()
async def twenty_requests_of_a_token_wait(t):
    web = await Web(t).start()
    token, other = await web.token("gate", ["send"]), await web.token("other", ["send"])
    alice = await t.client("alice")
    await web("POST", "/v1/do", token, json.dumps(
        {"ask": "v42", "to": "alice@localhost", "body": "Deploy?", "keep": True}))

    async def waits():
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(f"GET /v1/asks/v42?timeout=100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     f"Authorization: Bearer {token}\r\n\r\n".encode())
        said = (await reader.read()).decode()
        writer.close()
        return said

    waiting = [asyncio.create_task(waits()) for _ in range(20)]
    for _ in range(100):  # until all of them have arrived
        status, said = await web("GET", "/v1/asks/v42?timeout=0", token)
        if status != 200:
            break
    equal((status, said["error"]), (429, "rate-limited"), "the twenty-first")
    equal((await web("GET", "/v1/asks/v42?timeout=0", other))[0], 200, "that of another token")
    await hears(alice, 1)
    alice.send(BOT, "<body>yes</body>")
    for answer in await asyncio.gather(*waiting):
        check(answer.startswith("HTTP/1.1 200") and '"answered"' in answer, f"one got {answer}")
    equal((await web("GET", "/v1/asks/v42", token))[0], 200, "one behind them")


@test()
async def a_message_is_waited_for(t):
    web = await Web(t).start()
    token = await web.token("app", ["send"])
    alice = await t.client("alice")
    status, said = await web("POST", "/v1/send/alice@localhost?wait=sent&timeout=20", token, "1")
    equal((status, said["state"]), (200, "sent"), "one that was sent")
    status, said = await web("POST", "/v1/send/alice@localhost?wait=displayed&timeout=1", token, "2")
    equal((status, said["state"]), (202, "sent"), "one that nobody has read in time")
    read = asyncio.create_task(web("GET", f"/v1/sends/{said['id']}?wait=displayed", token))
    await hears(alice, 2)
    alice.send_raw(f"<message to='{BOT}' id='d1'>"
                   f"<displayed xmlns='urn:xmpp:chat-markers:0' id='{said['id']}'/></message>")
    status, said = await read
    equal((status, said["state"]), (200, "displayed"), "one that was read")
    # An address without a user: the server says so.
    status, said = await web("POST", "/v1/send/no-such-user@localhost?wait=delivered&timeout=20", token, "3")
    equal((status, said["state"]), (422, "bounced"), "one that came back")
    gate = [asyncio.create_task(web("GET", f"/v1/sends/{read.result()[1]['id']}", token)) for _ in range(3)]
    equal({(await g)[0] for g in gate}, {200}, "asked without waiting")


@test()
async def what_a_poll_was_told_is_acknowledged_where_that_is_wanted(t):
    web = await Web(t, ack="auto").start()
    token = await web.token("app", ["events"])
    alice = await t.client("alice")
    poll = asyncio.create_task(web("GET", "/v1/events?timeout=50", token))
    alice.send(BOT, "<body>once</body>")
    status, events = await poll
    equal((status, [e["body"] for e in events]), (200, ["once"]), "the event")
    equal(await web("GET", "/v1/events?timeout=0", token), (200, []), "and no more")


@test()
async def questions_that_end_when_patience_does_are_answered_once(t):
    web = await Web(t).start()
    token = await web.token("gate", ["send"])

    async def asks(n):
        status, said = await web("POST", "/v1/do", token, json.dumps(
            {"ask": f"q{n}", "to": f"nobody{n}@localhost", "body": "Well?", "keep": True, "timeout": 2}))
        equal(status, 202, f"the status of question {n}, which said {said}")
        await asyncio.sleep(0.98 + n / 2000)  # its end and that of patience are close to each other
        status, said = await web("GET", f"/v1/asks/q{n}?timeout=1", token)
        check(status == 200 and said["state"] in ("asked", "expired"), f"{n} got {status} {said}")

    await asyncio.gather(*(asks(n) for n in range(80)))


@test()
async def a_file_is_kept_for_whoever_has_its_link(t):
    web = Web(t)
    web.section.update(
        {"files-url": f"http://127.0.0.1:{web.port}/v1/files", "files-keep": "3s",
         "upload-service": "nobody.localhost"})
    await web.start()
    token = await web.token("app", ["send"])
    alice = await t.client("alice")
    picture = bytes(range(256))
    status, said = await web("POST", "/v1/do", token, json.dumps(
        {"file": "caf\u00e9 1.png", "to": "alice@localhost", "mime": "image/png",
         "data": base64.b64encode(picture).decode()}))
    equal(status, 202, f"the status, with {said}")
    link = (await hears(alice, 1))["body"]
    check(link.startswith(f"http://127.0.0.1:{web.port}/v1/files/news/1-"), f"the link is {link}")
    with await asyncio.to_thread(urllib.request.urlopen, link) as answer:
        equal(answer.read(), picture, "what is there")
        equal(answer.headers["Content-Type"], "image/png", "its type")
        equal(answer.headers["Content-Disposition"], "inline", "what a browser does with it")
        equal(answer.headers["X-Content-Type-Options"], "nosniff", "whether it guesses")
    path = link.removeprefix(f"http://127.0.0.1:{web.port}")
    head = await asyncio.to_thread(urllib.request.urlopen, urllib.request.Request(link, method="HEAD"))
    equal((head.headers["Content-Length"], head.read()), ("256", b""), "its size alone")
    secret = path.split("-")[1].split("/")[0]
    for wrong in (path.replace(secret, "x" * len(secret)), path.replace(secret, ""), path + "x",
                  path.replace("/1-", "/2-"), path.replace("news", "olds"), "/v1/files/news/1-",
                  "/v1/files/news", path.rsplit("/", 1)[0]):
        equal((await web("GET", wrong))[0], 404, f"the status of {wrong}")
    equal((await web("PUT", path, body="x"))[0], 405, "the status of one who would write")

    async def is_gone():
        try:
            (await asyncio.to_thread(urllib.request.urlopen, link)).close()
        except urllib.error.HTTPError as error:
            return error.code == 404
    await until(is_gone, 20, "the end of the file")


@test()
async def what_became_of_a_message_is_told(t):
    web = await Web(t).start()
    token = await web.token("app", ["send"])
    await t.client("alice")
    _, said = await web("POST", "/v1/send/alice@localhost", token, "x", Idempotency_Key="k")

    async def is_sent():
        return (await web("GET", f"/v1/sends/{said['id']}", token))[1]["state"] != "queued"

    await until(is_sent, 20, "it is sent")
    equal((await web("GET", "/v1/sends/k", token))[1]["to"], "alice@localhost", "whom it is for")
    equal((await web("GET", "/v1/sends/other", token))[0], 404, "the status of another")


@test()
async def who_waits_for_an_answer_to_a_bot_that_is_removed_is_told(t):
    web = await Web(t).start()
    await web.annex.ctl("one.localhost", "bot-add", "bot=brief")
    said = await web.annex.ctl("one.localhost", "token-add", "bot=brief", "name=t", "scopes=send")
    token = said.split()[0]
    await t.client("alice")
    await web("POST", "/v1/do", token, json.dumps(
        {"ask": "q", "to": "alice@localhost", "body": "Well?", "keep": True}))
    poll = asyncio.create_task(web("GET", "/v1/asks/q?timeout=3", token))
    equal((await web("GET", "/v1/asks/q?timeout=0", token))[1], {"state": "asked"}, "so far")
    await web.annex.ctl("one.localhost", "bot-remove", "bot=brief")
    equal((await poll)[0], 404, "the status")
    equal((await web("GET", "/v1/asks/q", token))[0], 401, "the status of a token that is gone")
