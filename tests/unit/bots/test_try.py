#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_try - annexbot try: what a program says to events, kept and asked for again"""
import json
import os
import subprocess
import tempfile
import unittest

from programs import PROGRAMS

BOT = """#!/usr/bin/env python3
import json, sys
print(json.dumps({"hello": 1}))
for line in sys.stdin:
    e = json.loads(line)
    for n in range(len(e.get("body", ""))):
        print(json.dumps({"reply": e["seq"], "body": e["body"][n], "more": n + 1 < len(e["body"])}))
"""


class Try(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.write("mybot", BOT)
        os.chmod(os.path.join(self.directory.name, "mybot"), 0o755)
        self.write("events", *(json.dumps(event) for event in (
            {"seq": 1, "kind": "message", "from": "alice@example.org/phone", "body": "hi"},
            {"seq": 2, "kind": "message", "from": "alice@example.org/phone"},
            {"seq": 3, "kind": "message", "from": "alice@example.org/phone", "body": "o"})))

    def tearDown(self):
        self.directory.cleanup()

    def write(self, name, *lines):
        with open(os.path.join(self.directory.name, name), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def pairs(self):
        with open(os.path.join(self.directory.name, "mybot.pairs"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def run_it(self, script, status=0):
        """What it prints."""
        done = subprocess.run(
            ["/bin/sh", "-ec", script], cwd=self.directory.name, timeout=60, text=True,
            capture_output=True, env={"PATH": f"{PROGRAMS}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_the_manual(self):
        """as annexbot(1) has it"""
        with open(os.path.join(PROGRAMS, "annexbot.1"), encoding="utf-8") as file:
            example = file.read().split('.\\" example: try\n', 1)[1].split("\n.Ed", 1)[0]
        self.assertEqual(self.run_it(example.split("\n", 1)[1]), "")
        self.assertEqual(
            [[a.get("body") for a in pair["actions"]] for pair in self.pairs()],
            [[None], ["h", "i"], [], ["o"]])

    def test_what_differs(self):
        """is printed, and so is what no pair has"""
        self.write("pairs", *(json.dumps({"event": event, "actions": actions}) for event, actions in (
            ({"seq": 0, "kind": "hello"}, [{"hello": 1}]),
            ({"seq": 1, "kind": "message", "body": "a"}, [{"reply": 1, "body": "b", "more": False}]),
            ({"seq": 2, "kind": "message", "body": "c"}, []))))
        said = self.run_it("annexbot try ./mybot <pairs", 1)
        self.assertIn('wanted: [{"reply": 1, "body": "b", "more": false}]', said)
        self.assertIn('said: [{"reply": 1, "body": "a", "more": false}]', said)
        self.assertIn('said unasked: [{"reply": 2, "body": "c", "more": false}]', said)

    def test_bad(self):
        """a program that ends, or says what is no JSON; a file that is none"""
        self.write("pairs", '{"event":{"kind":"hello"},"actions":[{"hello":1}]}')
        self.run_it("annexbot try true <pairs", 1)
        self.assertIn("no JSON: oops", self.run_it("annexbot try sh -c 'echo oops; cat' <pairs", 1))
        self.assertIn("line 1 is not JSON", self.run_it("echo { | annexbot try cat", 2))
        self.assertIn("line 1 is neither", self.run_it("echo 1 | annexbot try cat", 2))


if __name__ == "__main__":
    unittest.main()
