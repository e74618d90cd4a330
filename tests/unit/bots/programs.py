# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""programs - load a bundled bot into a test, give it events, turn its clock"""
import http.server
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import threading
import unittest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
PROGRAMS = os.path.join(TOP, "components", "bots", "programs")
sys.path.insert(0, PROGRAMS)
sys.dont_write_bytecode = True


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(PROGRAMS, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class BotTest(unittest.TestCase):
    """A bot with a state of its own, and a clock that stands still."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, "state")
        self.now, self.seq = 1_764_320_400.0, 0  # Friday, 2025-11-28 at 09:00 UTC
        self.begin()

    def tearDown(self):
        self.bot.state.db.close()
        self.directory.cleanup()

    def begin(self):
        """Make self.bot of self.path."""
        raise NotImplementedError

    def restart(self):
        self.bot.state.db.close()
        self.begin()

    def events(self, event):
        import lines
        return lines.actions_of(self.bot, event)

    def say(self, body, jid="alice@example.org/phone", seq=None):
        """What somebody who says body is answered."""
        self.seq = seq or self.seq + 1
        action, = self.events({"seq": self.seq, "kind": "message", "from": jid, "body": body})
        self.assertEqual(action["reply"], self.seq)
        return action["body"]

    def later(self, seconds, hear=lambda actions: None):
        """What the bot does when its time comes within so many seconds; hear may answer."""
        end, done = self.now + seconds, []
        while (due := self.bot.due()) is not None and due <= end:
            self.now = max(self.now, due)
            actions = self.bot.wake(self.now)
            if not actions and self.bot.due() == due:
                break
            hear(actions)
            done += actions
        self.now = end
        return done


class WebServer:
    """Serves what pages, a dictionary of paths, holds: (status, headers, bytes)."""

    def __init__(self):
        self.pages, self.requests = {}, []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                server.requests.append((self.path, dict(self.headers), self.rfile.read(length)))
                status, headers, body = server.pages.get(self.path, (404, {}, b""))
                if callable(body):
                    status, headers, body = body(server.requests[-1])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
