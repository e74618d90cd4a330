#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_hook - events that go to a web server, signed (Standard Webhooks)"""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile
import time
import unittest

from programs import WebServer

HOOK = os.path.join(os.environ.get("BUILD") or os.getcwd(), "components/bots/programs/hook")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FOR_GOOD, LATER = 100, 111


def signature(secret, headers, body):
    """By another implementation than the one that is tested."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


class Hook(unittest.TestCase):
    def setUp(self):
        self.web = WebServer()
        self.directory = tempfile.TemporaryDirectory()
        self.event = json.dumps({"seq": 412, "kind": "message", "body": "hello"})
        self.web.pages["/in"] = (204, {}, b"")

    def tearDown(self):
        self.web.close()
        self.directory.cleanup()

    def secret(self, text):
        path = os.path.join(self.directory.name, "secret")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def post(self, *arguments, url=None, stdin="hello", **environment):
        env = {"BOT": "shop@bots.test", "BOT_FROM": "alice@example.org/phone", "BOT_SEQ": "412",
               "BOT_KIND": "message", "BOT_EVENT": self.event, **environment}
        # The tests' own libraries may need a path; nothing else is inherited.
        done = subprocess.run([HOOK, *arguments, url or self.web.url + "/in"], input=stdin,
                              capture_output=True, text=True, timeout=60, check=False,
                              env={k: v for k, v in {**os.environ, **env}.items()
                                   if v is not None and "proxy" not in k.lower()})
        return done.returncode, done.stdout, done.stderr

    def test_is_signed(self):
        status, said, _ = self.post("-s", self.secret(SECRET + "\n"))
        self.assertEqual((status, said), (0, ""))
        _, headers, body = self.web.requests[0]
        self.assertEqual(body.decode(), self.event)
        self.assertEqual(headers["webhook-signature"], signature(SECRET, headers, body))
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 300)

    def test_a_known_signature(self):
        """the vector of Standard Webhooks, by what the others are checked with"""
        headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330"}
        self.assertEqual(signature(SECRET, headers, b'{"test": 2432232314}'),
                         "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

    def test_a_secret_is_exchanged_for_another(self):
        newer = "whsec_" + base64.b64encode(bytes(range(32))).decode()
        self.assertEqual(self.post("-s", self.secret(f"{newer}\n\n{SECRET}\n"))[0], 0)
        _, headers, body = self.web.requests[0]
        self.assertEqual(headers["webhook-signature"],
                         " ".join(signature(s, headers, body) for s in (newer, SECRET)))

    def test_tries_share_an_id(self):
        for seq in ("412", "412", "413"):
            self.post(BOT_SEQ=seq)
        ids = [headers["webhook-id"] for _, headers, _ in self.web.requests]
        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], ids[2])
        self.assertNotIn(".", ids[0])

    def test_a_long_event_is_put_together(self):
        self.assertEqual(self.post(stdin="x" * 40000, BOT_EVENT=None)[0], 0)
        event = json.loads(self.web.requests[0][2])
        self.assertEqual(event, {"seq": 412, "kind": "message", "from": "alice@example.org/phone",
                                 "to": "shop@bots.test", "body": "x" * 40000})

    def test_the_answer_is_told(self):
        for page, told in (((200, {"Content-Type": "text/plain"}, b"thanks"), "thanks"),
                           ((200, {"Content-Type": "application/json"}, b'{"body":"ok"}'), "ok"),
                           ((200, {"Content-Type": "application/json"}, b"[]"), ""),
                           ((200, {"Content-Type": "text/html"}, b"<p>no</p>"), "")):
            self.web.pages["/in"] = page
            self.assertEqual(self.post()[:2], (0, told))

    def test_what_is_worth_another_try(self):
        for code, status in ((500, LATER), (503, LATER), (429, LATER), (408, LATER), (410, FOR_GOOD),
                             (401, FOR_GOOD), (400, FOR_GOOD), (302, FOR_GOOD)):
            self.web.pages["/in"] = (code, {"Location": "/elsewhere"}, b"")
            self.assertEqual(self.post()[0], status, code)
        self.assertNotIn("/elsewhere", [path for path, *_ in self.web.requests])

    def test_an_answer_without_end(self):
        self.web.pages["/in"] = (200, {"Content-Type": "text/plain"}, b"x" * 100000)
        self.assertEqual(self.post()[:2], (LATER, ""))

    def test_nobody_there(self):
        self.web.close()
        status, _, why = self.post()
        self.assertEqual(status, LATER)
        self.assertIn("connect", why)

    def test_mistakes_of_operators(self):
        self.assertIn("No such file", self.post("-s", "/nowhere/secret")[2])
        for text in ("", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_abc", SECRET + " x",
                     SECRET + "\nx", (SECRET + "\n") * 5,
                     "whsec_" + "A" * 100):
            status, _, why = self.post("-s", self.secret(text))
            self.assertEqual(status, FOR_GOOD)
            self.assertIn("holds no secret", why)
        self.assertEqual(self.post(url="file:///etc/passwd")[0], FOR_GOOD)
        self.assertEqual(self.post("-t", "0")[0], FOR_GOOD)
        self.assertEqual(self.web.requests, [])


if __name__ == "__main__":
    unittest.main()
