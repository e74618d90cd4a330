#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_reminder - what people say to their secretary, and what they hear when"""
import datetime
import unittest
import zoneinfo

from programs import BotTest, load

import when

reminder = load("reminder")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


class Times(unittest.TestCase):
    NOW = datetime.datetime(2025, 11, 28, 10, 0, tzinfo=BERLIN).timestamp()  # a Friday

    def first(self, text, now=None):
        moment, what = when.parse(text, now or self.NOW, BERLIN)
        return f"{datetime.datetime.fromtimestamp(moment.first, BERLIN):%a %m-%d %H:%M}", what

    def test_phrases(self):
        for text, at in (
                ("to pick up the kids at 5pm", "Fri 11-28 17:00"),
                ("at 9 to pick up the kids", "Sat 11-29 09:00"),
                ("to pick up the kids at 12am", "Sat 11-29 00:00"),
                ("to pick up the kids at noon", "Fri 11-28 12:00"),
                ("in 90 minutes to pick up the kids", "Fri 11-28 11:30"),
                ("to pick up the kids in an hour", "Fri 11-28 11:00"),
                ("tomorrow to pick up the kids", "Sat 11-29 09:00"),
                ("tomorrow at 7:15 pick up the kids", "Sat 11-29 07:15"),
                ("to pick up the kids at 16.30 tomorrow.", "Sat 11-29 16:30"),
                ("on monday to pick up the kids", "Mon 12-01 09:00"),
                ("to pick up the kids on friday at 9", "Fri 12-05 09:00"),
                ("to pick up the kids on 2025-12-24 at 18:00", "Wed 12-24 18:00"),
                ("every day at 8 to pick up the kids", "Sat 11-29 08:00"),
                ("every weekday at 8:45 to pick up the kids", "Mon 12-01 08:45"),
                ("to pick up the kids every 2 hours", "Fri 11-28 12:00"),
                ("TONIGHT to pick up the kids", "Fri 11-28 20:00")):
            with self.subTest(text):
                self.assertEqual(self.first(text), (at, "pick up the kids"))

    def test_unclear(self):
        for text in ("to pick up the kids", "at 25:00 to sleep", "at 5:70 to sleep", "tomorrow",
                     "on 2025-02-30 to sleep", "on 2020-01-01 to sleep", "today at 8 to sleep",
                     "in 0 minutes to sleep", "in 99999999 weeks to sleep", "every 10 s to blink",
                     "every 2 hours at 8 to eat", "at 0am to sleep"):
            with self.subTest(text), self.assertRaises(when.Unclear):
                when.parse(text, self.NOW, BERLIN)

    def test_the_clock_on_the_wall_stays(self):
        before = datetime.datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN).timestamp()
        moment, _ = when.parse("every day at 8 to rise", before, BERLIN)
        times = [moment.first]
        while len(times) < 3:
            times.append(moment.next(times[-1], BERLIN))
        self.assertEqual([f"{datetime.datetime.fromtimestamp(t, BERLIN):%d %H:%M}" for t in times],
                         ["29 08:00", "30 08:00", "31 08:00"])

    def test_repeated_from_the_first(self):
        moment, _ = when.parse("every 3 days at 8 to water the plants", self.NOW, BERLIN)
        later = moment.next(moment.first + 10 * 86400, BERLIN)
        self.assertEqual(round((later - moment.first) / 86400), 12)
        moment, _ = when.parse("every 2 hours to drink", self.NOW, BERLIN)
        self.assertEqual(moment.next(moment.first + 3 * 7200 + 5, BERLIN), moment.first + 4 * 7200)


class Reminder(BotTest):
    def begin(self):
        self.bot = reminder.Reminder(self.path, lambda: self.now)

    def told(self, actions):
        """The gateway has what was sent, and says so."""
        for action in actions:
            self.assertEqual(self.events({"ok": action["key"], "state": "queued"}), [])
        return [(a["to"], a["body"]) for a in actions]

    def hears(self, seconds):
        """What people hear in so many seconds."""
        return [(a["to"], a["body"]) for a in self.later(seconds, self.told)]

    def test_asks_for_the_time_zone_once(self):
        self.assertIn("Which time zone", self.say("remind me to pick up the kids at 5pm"))
        self.assertIn("I know no time zone", self.say("Mars/Base"))
        self.restart()
        self.assertIn("today at 17:00: pick up the kids", self.say("Europe/Berlin"))
        self.assertIn("today at 18:00", self.say("remind me at 6pm to cook"))
        self.assertEqual(self.hears(7 * 3600),
                         [("alice@example.org", "Reminder: pick up the kids")])

    def test_survives_being_killed(self):
        self.say("remind me in 20 minutes to look into the oven")
        self.restart()
        self.assertEqual(self.later(19 * 60), [])
        first = self.later(60)
        self.assertEqual(first[0]["body"], "Reminder: look into the oven")
        # Killed before the gateway had it: again, and the gateway knows it by its key.
        self.restart()
        again = self.later(reminder.AGAIN_S)
        self.assertEqual(again, first)
        self.told(again)
        self.restart()
        self.assertEqual(self.later(86400), [])

    def test_an_event_that_comes_again_changes_nothing_twice(self):
        once = self.say("remind me in 1 h to rest", seq=7)
        self.restart()
        self.assertEqual(self.say("remind me in 1 h to rest", seq=7), once)
        self.assertEqual(len(self.say("list").split("\n")), 1)

    def test_repeated(self):
        self.say("timezone UTC")
        self.say("remind me every day at 8 to rise")
        for _ in range(3):
            self.assertEqual(self.hears(86400), [("alice@example.org", "Reminder: rise")])
        self.assertIn("repeated", self.say("list"))

    def test_what_was_missed_is_told_once(self):
        self.say("remind me every 2 hours to drink")
        self.now += 11 * 3600
        self.restart()
        self.assertEqual(len(self.hears(0)), 1)
        self.assertEqual(len(self.hears(3600)), 1)

    def test_cancel_and_snooze(self):
        self.assertIn("There is nothing to snooze", self.say("snooze"))
        self.say("remind me in 5 min to stand up")
        self.assertIn("Cancelled: stand up", self.say("cancel 1"))
        self.assertIn("There is no reminder 1", self.say("cancel 1"))
        self.say("remind me in 5 min to stand up")
        self.hears(301)
        self.assertIn("stand up", self.say("snooze 30 minutes"))
        self.assertEqual(self.hears(1801), [("alice@example.org", "Reminder: stand up")])

    def test_people_do_not_see_each_other(self):
        self.say("remind me in 5 min to stand up")
        self.assertEqual(self.say("list", jid="bob@example.org/x"), "Nothing.")
        self.assertIn("no reminder", self.say("cancel 1", jid="bob@example.org/x"))

    def test_refused_by_the_gateway(self):
        self.say("remind me in 1 min to stand up")
        sent, = self.later(61)
        self.events({"error": "rate-limited", "of": {"key": sent["key"]}})
        self.assertEqual(self.later(61), [sent])
        self.events({"error": "not-subscribed", "of": {"key": sent["key"]}})
        self.assertEqual(self.later(86400), [])

    def test_bounds(self):
        for _ in range(reminder.EACH):
            self.say("remind me in 1 day to count")
        self.assertIn("Cancel some", self.say("remind me in 1 day to count"))
        self.assertIn("did not understand", self.say("what is the weather like"))
        self.assertEqual(self.events({"seq": 900, "kind": "contact", "event": "online"}),
                         [{"ack": 900}])


if __name__ == "__main__":
    unittest.main()
