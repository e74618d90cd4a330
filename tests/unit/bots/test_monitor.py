#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_monitor - who is told what of workers, and once"""
import unittest

from programs import BotTest, load

monitor = load("monitor")


class MonitorTest(BotTest):
    def begin(self):
        self.bot = monitor.Monitor(self.path, lambda: self.now)

    def beat(self, name, event, status=None, seq=None):
        """The actions, without what is shown and the acknowledgement; and what is shown."""
        self.seq = seq or self.seq + 1
        said = {"seq": self.seq, "kind": "beat", "name": name, "event": event}
        *actions, shown, ack = self.events({**said, **({"status": status} if status else {})})
        self.assertEqual(ack, {"ack": self.seq})
        return actions, shown["status"]

    def test_who_watches_is_told_and_the_message_corrected(self):
        self.assertEqual(self.say("watch"), "I will tell you. No worker was heard of.")
        self.assertEqual(self.beat("web1", "came", "copying"), ([], "all are well"))
        self.now += 300
        actions, shown = self.beat("web1", "lost", "copying")
        key = f"lost {self.seq} alice@example.org"
        self.assertEqual(actions, [{"to": "alice@example.org", "key": key,
                                    "body": "web1 is lost; it said last: copying"}])
        self.assertEqual(shown, "1 lost: web1")
        self.now += 180
        self.assertEqual(self.beat("web1", "came"),
                         ([{"edit": key, "body": "web1 is back after 3 minutes"}], "all are well"))

    def test_what_cannot_be_corrected_any_more_is_said_anew(self):
        self.say("watch")
        self.beat("web1", "lost")
        self.now += 2 * 86400
        ((action,), _) = self.beat("web1", "came")
        self.assertEqual((action["to"], action["body"]),
                         ("alice@example.org", "web1 is back after 2 days"))

    def test_an_event_that_comes_again_is_answered_again_and_counts_once(self):
        self.say("watch")
        first = self.beat("web1", "lost")
        self.restart()
        self.assertEqual(self.beat("web1", "lost", seq=self.seq), first)

    def test_who_does_not_watch_is_not_told(self):
        self.beat("web1", "came")
        self.assertEqual(self.beat("web1", "lost")[0], [])
        self.say("watch")
        self.say("unwatch")
        self.beat("web1", "came")
        self.assertEqual(self.beat("web1", "lost")[0], [])

    def test_one_that_went_is_forgotten(self):
        self.beat("web1", "came", "x")
        self.assertEqual(self.say("status"), "web1: well for 0 seconds, x")
        self.beat("web1", "went")
        self.assertEqual(self.say("status"), "No worker was heard of.")

    def test_silence(self):
        self.say("watch")
        self.assertIn("no worker", self.say("silence web1 2h"))
        self.beat("web1", "came")
        self.assertIn("Nothing of web1 until", self.say("silence web1 2h"))
        self.assertEqual(self.beat("web1", "lost")[0], [])
        self.assertEqual(self.beat("web1", "came")[0], [])
        self.now += 7201
        self.assertEqual(len(self.beat("web1", "lost")[0]), 1)

    def test_one_that_comes_and_goes_is_told_once(self):
        self.say("watch")
        told = []
        for _ in range(8):
            self.now += 60
            told += self.beat("web1", "lost")[0]
            self.beat("web1", "came")
        self.assertEqual([a["body"] for a in told],
                         ["web1 is lost"] * 3 + ["web1 comes and goes; I say nothing of it for an hour"])

    def test_help(self):
        self.assertIn("silence web1", self.say("what?"))


if __name__ == "__main__":
    unittest.main()
