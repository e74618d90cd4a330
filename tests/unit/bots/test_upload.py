#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_upload - files that are put where a server has made room (XEP-0363)"""
import http.server
import os
import subprocess
import threading
import unittest

UPLOAD = os.path.join(os.environ.get("BUILD") or os.getcwd(), "components/bots/programs/upload")
FOR_GOOD, LATER = 100, 111


class Store(http.server.BaseHTTPRequestHandler):
    """Takes what is put."""

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.puts.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


class Upload(unittest.TestCase):
    def setUp(self):
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
        self.web.puts, self.web.status = [], 201
        self.url = f"http://127.0.0.1:{self.web.server_address[1]}/slot/a.png"
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def tearDown(self):
        self.web.shutdown()
        self.web.server_close()

    def put(self, data, *arguments, url=None):
        return subprocess.run(
            [UPLOAD, *arguments, "image/png", url or self.url], input=data, capture_output=True,
            timeout=60, check=False,
            env={k: v for k, v in os.environ.items() if "proxy" not in k.lower()}).returncode

    def test_it_is_there(self):
        data = bytes(range(256)) * 3000
        self.assertEqual(self.put(data, "-H", "Authorization: Basic eA=="), 0)
        path, headers, body = self.web.puts[0]
        self.assertEqual((path, body), ("/slot/a.png", data))
        self.assertEqual(headers["Content-Type"], "image/png")
        self.assertEqual(headers["Authorization"], "Basic eA==")

    def test_what_is_worth_another_try(self):
        for code, status in (500, LATER), (429, LATER), (403, FOR_GOOD), (413, FOR_GOOD):
            self.web.status = code
            self.assertEqual(self.put(b"x"), status, code)

    def test_nobody_there(self):
        self.assertEqual(self.put(b"x", url="http://127.0.0.1:1/"), LATER)
        self.assertEqual(self.put(b"x", url="file:///etc/passwd"), FOR_GOOD)


if __name__ == "__main__":
    unittest.main()
