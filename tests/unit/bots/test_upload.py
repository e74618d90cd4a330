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

    def run_it(self, data, *arguments, **environment):
        done = subprocess.run(
            [UPLOAD, *arguments], input=data, capture_output=True, timeout=60, check=False,
            env={**{k: v for k, v in os.environ.items() if "proxy" not in k.lower()}, **environment})
        return done.returncode, done.stderr.decode()

    def put(self, data, *arguments, url=None):
        return self.run_it(data, *arguments, "image/png", url or self.url)[0]

    def test_it_is_there(self):
        data = bytes(range(256)) * 3000
        self.assertEqual(self.put(data, "-H", "Authorization: Basic eA=="), 0)
        path, headers, body = self.web.puts[0]
        self.assertEqual((path, body), ("/slot/a.png", data))
        self.assertEqual(headers["Content-Type"], "image/png")
        self.assertEqual(headers["Authorization"], "Basic eA==")

    def test_secrets_come_in_the_environment(self):
        status, _ = self.run_it(b"x", "--", "text/plain", UPLOAD_URL=self.url,
                                UPLOAD_HEADERS="Authorization: Basic eA==\nCookie: a=b\n")
        self.assertEqual(status, 0)
        _, headers, body = self.web.puts[0]
        self.assertEqual((headers["Authorization"], headers["Cookie"], body), ("Basic eA==", "a=b", b"x"))
        self.assertEqual(self.run_it(b"x", "text/plain")[0], FOR_GOOD)

    def test_no_secret_is_said(self):
        self.web.status = 403
        status, said = self.run_it(b"x", "text/plain", UPLOAD_URL=self.url + "?token=secret")
        self.assertEqual(status, FOR_GOOD)
        self.assertIn("127.0.0.1", said)
        self.assertNotIn("slot", said)
        self.assertNotIn("secret", said)

    def test_nothing_is_cut_off(self):
        most = 4 << 20
        self.assertEqual(self.put(b"x" * most), 0)
        self.assertEqual(len(self.web.puts[0][2]), most)
        status, said = self.run_it(b"x" * (most + 1), "text/plain", self.url)
        self.assertEqual(status, FOR_GOOD)
        self.assertIn(f"more than {most} bytes", said)
        self.assertEqual(self.put(b""), 0)
        self.assertEqual([len(body) for _, _, body in self.web.puts], [most, 0])

    def test_what_is_worth_another_try(self):
        for code, status in (500, LATER), (429, LATER), (403, FOR_GOOD), (413, FOR_GOOD):
            self.web.status = code
            self.assertEqual(self.put(b"x"), status, code)

    def test_nobody_there(self):
        self.assertEqual(self.put(b"x", url="http://127.0.0.1:1/"), LATER)
        self.assertEqual(self.put(b"x", url="file:///etc/passwd"), FOR_GOOD)


if __name__ == "__main__":
    unittest.main()
