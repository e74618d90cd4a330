#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_feed - feeds that come, change, fail and lie"""
import select
import unittest

from programs import BotTest, WebServer, load

feed = load("feed")

ATOM = ("<feed xmlns='http://www.w3.org/2005/Atom'><title>News</title>{}</feed>")
ENTRY = "<entry><id>{0}</id><title>Entry {0}</title><link href='http://news.example/{0}'/></entry>"
RSS = ("<rss version='2.0'><channel><title>Old</title><item><guid>a</guid><title>A</title>"
       "<link>http://old.example/a</link></item></channel></rss>")


def atom(*numbers):
    return 200, {"ETag": f'"{numbers}"'}, ATOM.format("".join(map(ENTRY.format, numbers))).encode()


class Feed(BotTest):
    PRIVATE = True

    def setUp(self):
        self.web = WebServer()
        super().setUp()

    def tearDown(self):
        super().tearDown()
        self.web.close()

    def begin(self):
        self.bot = feed.Feed(self.path, 900, self.PRIVATE, lambda: self.now)

    def turn(self, seconds=0):
        """So much time passes, and all that is asked of the web is answered."""
        self.now += seconds
        sent = self.bot.wake(self.now)
        while self.bot.asked:
            self.assertTrue(select.select([self.bot.bell], [], [], 30)[0], "an answer of the web")
            sent += self.bot.wake(self.now)
        for action in sent:
            self.events({"ok": action["key"]})
        return [(a["to"], a["body"]) for a in sent]

    def read(self, path, jid="alice@example.org/phone"):
        return self.say(f"subscribe {self.web.url}{path}", jid)

    def test_only_what_is_new(self):
        self.web.pages["/n"] = atom(3, 2, 1)
        self.read("/n")
        told = [("alice@example.org", "News: Entry 3\nhttp://news.example/3")]
        self.assertEqual(self.turn(), told)
        self.assertEqual(self.turn(899), [])
        self.web.pages["/n"] = atom(5, 4, 3)
        self.restart()
        self.assertEqual([body.split("\n")[0] for _, body in self.turn(2)],
                         ["News: Entry 4", "News: Entry 5"])
        self.assertEqual(self.turn(900), [])

    def test_asks_whether_it_has_changed(self):
        self.web.pages["/n"] = atom(1)
        self.read("/n")
        self.turn()
        etag = self.web.pages["/n"][1]["ETag"]
        self.web.pages["/n"] = (304, {}, b"")
        self.assertEqual(self.turn(900), [])
        self.assertEqual(self.web.requests[-1][1]["If-None-Match"], etag)
        self.assertIn("News", self.say("list"))

    def test_one_fetch_for_all_readers(self):
        self.web.pages["/r"] = (200, {}, RSS.encode())
        self.read("/r")
        self.read("/r", "bob@example.org/x")
        self.assertEqual(sorted(self.turn()), [(f"{who}@example.org", "Old: A\nhttp://old.example/a")
                                               for who in ("alice", "bob")])
        self.assertEqual(len(self.web.requests), 1)
        self.assertEqual(self.say("unsubscribe 1"), "Done.")
        self.assertIn("do not read", self.say("unsubscribe 1"))
        self.assertIn("Old", self.say("list", "bob@example.org/x"))

    def test_killed_before_the_gateway_had_it(self):
        self.web.pages["/n"] = atom(1)
        self.read("/n")
        self.turn()
        self.web.pages["/n"] = atom(2, 1)
        self.now += 900
        self.bot.wake(self.now)
        self.assertTrue(select.select([self.bot.bell], [], [], 30)[0])
        sent = self.bot.wake(self.now)
        self.assertEqual(len(sent), 1)
        self.restart()
        self.now += feed.AGAIN_S
        self.assertEqual([a["key"] for a in self.bot.wake(self.now)], [sent[0]["key"]])

    def test_bad_ones_are_told_once_and_asked_seldom(self):
        bomb = b"<!DOCTYPE feed [<!ENTITY a 'x'>]><feed><title>&a;</title></feed>"
        for path, page, word in (("/bomb", (200, {}, bomb), "document type"),
                                 ("/html", (200, {}, b"<p>"), "no feed"),
                                 ("/json", (200, {}, b"{}"), "no feed"),
                                 ("/gone", (410, {}, b""), "410"),
                                 ("/code", (200, {}, b"<?xml version='1.0' encoding='x-no'?><feed/>"),
                                  "no feed"),
                                 ("/huge", (200, {}, b" " * (2 << 20) + b" "), "too large")):
            with self.subTest(path):
                self.web.pages[path] = page
                self.read(path)
                (_, body), = self.turn()
                self.assertIn(word, body)
                before = len(self.web.requests)
                self.assertEqual(self.turn(900), [])
                self.assertEqual(self.turn(900), [])
                self.assertEqual(len(self.web.requests), before + 1)
                self.say(f"unsubscribe {self.web.url}{path}")

    def test_words(self):
        self.assertIn("subscribe", self.say("subscribe ftp://news.example/"))
        self.assertEqual(self.say("list"), "Nothing.")
        for n in range(feed.EACH):
            self.read(f"/{n}")
        self.assertIn("which is all", self.read("/one-more"))


class PublicFeed(Feed):
    """Without --private nothing on this machine can be read, also not by a detour."""
    PRIVATE = False

    def test_only_what_is_new(self):
        self.web.pages["/n"] = atom(1)
        self.read("/n")
        (_, body), = self.turn()
        self.assertIn("not on the public Internet", body)
        self.assertEqual(self.web.requests, [])

    test_asks_whether_it_has_changed = test_one_fetch_for_all_readers = None
    test_killed_before_the_gateway_had_it = test_words = None
    test_bad_ones_are_told_once_and_asked_seldom = None


if __name__ == "__main__":
    unittest.main()
