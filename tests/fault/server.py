# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# server.py - the other end of component streams (XEP-0114), as good or bad as a test wants
#
# A Server takes one component on a Unix socket, again and again.  What comes next may be
# planned: a plan is a function that is given the next connection instead.

import hashlib
import os
import queue
import re
import socket
import threading
import time
from xml.etree.ElementTree import XMLPullParser

from annex import SECRET, Failure, check

NS = "jabber:component:accept"
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' from='{}' id='{}'>"
)


def read_until(sock, pattern, most=65536):
    """Bytes up to where the pattern ends; None where the other side closed first."""
    seen = b""
    while not re.search(pattern, seen):
        byte = sock.recv(1)
        if not byte:
            return None
        seen += byte
        check(len(seen) < most, "the component said too much in its handshake")
    return seen


def read_header(sock):
    """The domain that the component wants to serve."""
    seen = read_until(sock, rb"<stream:stream[^>]*>")
    if seen is None:
        return None
    return re.search(rb" to=['\"]([^'\"]*)", seen).group(1).decode()


def shake_hands(sock):
    domain = read_header(sock)
    if domain is None:
        return None
    sock.sendall(HEADER.format(domain, "id-7").encode())
    seen = read_until(sock, rb"</handshake>")
    if seen is None:
        return None
    expected = hashlib.sha1(f"id-7{SECRET}".encode()).hexdigest()
    check(f"<handshake>{expected}</handshake>".encode() in seen, f"wrong digest: {seen}")
    sock.sendall(b"<handshake/>")
    return domain


class Link:
    """One attached component: what it sends is read at once, or when a test lets it."""

    def __init__(self, sock, domain):
        self.sock = sock
        self.domain = domain
        self.since = time.monotonic()
        self.ended = None
        self.stanzas = []
        self.taken = 0
        self.closed = False  # with </stream:stream>
        self.news = threading.Condition()
        self.may_read = threading.Event()
        self.may_read.set()
        self.parser = XMLPullParser(["start", "end"])
        self.parser.feed(HEADER.format(domain, "x"))
        self.depth = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while True:
                self.may_read.wait()
                data = self.sock.recv(65536)
                if not data:
                    break
                self.parser.feed(data)
                self.take()
        except (OSError, SyntaxError) as e:
            self.error = e
        with self.news:
            self.ended = time.monotonic()
            self.news.notify_all()

    def take(self):
        for event, element in self.parser.read_events():
            self.depth += 1 if event == "start" else -1
            if event == "end" and self.depth == 0:
                self.closed = True
                self.sock.sendall(b"</stream:stream>")
                self.sock.shutdown(socket.SHUT_WR)
            if event == "end" and self.depth == 1 and not self.route_back(element):
                with self.news:
                    self.stanzas.append(element)
                    self.news.notify_all()

    def route_back(self, element):
        """A component's ping to itself, as any server routes it."""
        to = element.get("to", "")
        if element.tag != f"{{{NS}}}iq" or to.split("/")[0].split("@")[-1] != self.domain:
            return False
        body = "<ping xmlns='urn:xmpp:ping'/>" if element.get("type") == "get" else ""
        attrs = " ".join(f"{k}='{v}'" for k, v in element.items())
        self.sock.sendall(f"<iq {attrs}>{body}</iq>".encode())
        return True

    def send(self, xml):
        self.sock.sendall(xml.encode() if isinstance(xml, str) else xml)

    def wait(self, match, bound=15, what="a stanza"):
        """The next stanza that matches; those before it are passed over."""
        end = time.monotonic() + bound
        with self.news:
            while True:
                while self.taken < len(self.stanzas):
                    self.taken += 1
                    if match(self.stanzas[self.taken - 1]):
                        return self.stanzas[self.taken - 1]
                left = end - time.monotonic()
                if self.ended and self.taken == len(self.stanzas):
                    raise Failure(f"the component closed before {what} came")
                if left <= 0 or not self.news.wait(left):
                    raise Failure(f"{what} did not come within {bound} s")

    def wait_id(self, stanza_id, bound=15):
        return self.wait(lambda s: s.get("id") == stanza_id, bound, f"an answer to {stanza_id}")

    def wait_end(self, bound=15):
        end = time.monotonic() + bound
        with self.news:
            while not self.ended:
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise Failure(f"the link of {self.domain} did not end within {bound} s")
        return self.ended

    def drop(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.may_read.set()

    # --- What people say

    def message(self, stanza_id, body, sender="alice@example.org/x"):
        self.send(
            f"<message from='{sender}' to='{self.domain}' type='chat' id='{stanza_id}'>"
            f"<body>{body}</body></message>"
        )

    def ask(self, stanza_id, payload="<ping xmlns='urn:xmpp:ping'/>"):
        self.send(
            f"<iq type='get' from='alice@example.org/x' to='{self.domain}' id='{stanza_id}'>"
            f"{payload}</iq>"
        )

    def ping(self, stanza_id, bound=15):
        self.ask(stanza_id)
        answer = self.wait_id(stanza_id, bound)
        check(answer.get("type") == "result", f"the ping {stanza_id} was answered with an error")


def text_of(stanza):
    return stanza.findtext(f"{{{NS}}}body")


def condition_of(stanza):
    """The error's type and condition, "wait resource-constraint"; "" where it is none."""
    error = stanza.find(f"{{{NS}}}error")
    if stanza.get("type") != "error" or error is None:
        return ""
    return f"{error.get('type')} {error[0].tag.split('}')[1]}"


class Server:
    def __init__(self, path):
        self.path = path
        self.plans = queue.Queue()
        self.link = None  # the last one
        self.every = []
        self.news = threading.Condition()
        self.listen()

    def listen(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            try:
                plan = self.plans.get_nowait()
            except queue.Empty:
                plan = self.attach
            threading.Thread(target=self.run, args=(plan, sock), daemon=True).start()

    def run(self, plan, sock):
        try:
            plan(sock)
        except (OSError, Failure):
            sock.close()

    def attach(self, sock):
        domain = shake_hands(sock)
        if domain is None:
            sock.close()
            return
        link = Link(sock, domain)
        with self.news:
            self.link = link
            self.every.append(link)
            self.news.notify_all()

    def wait(self, after=None, bound=20):
        """The link; one that came after another where that is given."""
        end = time.monotonic() + bound
        with self.news:
            while self.link is None or self.link is after or self.link.ended:
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise Failure(f"nobody attached to {self.path} within {bound} s")
            return self.link

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.news:
            for link in self.every:
                link.drop()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
