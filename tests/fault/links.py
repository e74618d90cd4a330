# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# links.py - servers that close, stammer, lie or keep silent
#
# After each of them comes a sound one, and the component must be there.

import contextlib
import os
import random
import socket
import sys
import time

from annex import Annex, check, wait
from server import HEADER, Link, Server, condition_of, read_header, read_until, shake_hands, text_of

DOMAIN = "count.test"
ERROR = "<stream:error><{} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
DIGEST = rb"</handshake>"


@contextlib.contextmanager
def attaching(build, module="count"):
    with Annex(build, "link", {DOMAIN: f"module: {module}"}) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            yield annex, server
            annex.stop()


def open_stream(sock):
    read_header(sock)
    sock.sendall(HEADER.format(DOMAIN, "1").encode())


def close_at_once(sock):
    sock.close()


def close_at_header(sock):
    read_header(sock)
    sock.close()


def close_after_header(sock):
    open_stream(sock)
    sock.close()


def close_at_handshake(sock):
    open_stream(sock)
    read_until(sock, DIGEST)
    sock.close()


def close_in_header(sock):
    read_header(sock)
    sock.sendall(HEADER.format(DOMAIN, "1").encode()[:50])
    sock.close()


def close_in_handshake(sock):
    open_stream(sock)
    read_until(sock, DIGEST)
    sock.sendall(b"<handsh")
    sock.close()


def close_after_handshake(sock):
    shake_hands(sock)
    sock.close()


def answer_with(text):
    """To the header; the component must hang up."""

    def plan(sock):
        read_header(sock)
        sock.sendall(text if isinstance(text, bytes) else text.encode())
        while sock.recv(65536):
            pass
        sock.close()

    return plan


def refuse_with(condition):
    """To the handshake, as servers do."""

    def plan(sock):
        open_stream(sock)
        read_until(sock, DIGEST)
        sock.sendall(ERROR.format(condition).encode())
        sock.close()

    return plan


def end_with(condition):
    """Once attached."""

    def plan(sock):
        shake_hands(sock)
        sock.sendall(ERROR.format(condition).encode())
        sock.close()

    return plan


def answer_handshake_with(text):
    def plan(sock):
        open_stream(sock)
        read_until(sock, DIGEST)
        sock.sendall(text.encode())
        while sock.recv(65536):
            pass
        sock.close()

    return plan


def shake_slowly(sock):
    """Byte by byte; then it closes."""
    read_header(sock)
    for byte in HEADER.format(DOMAIN, "1").encode():
        sock.sendall(bytes([byte]))
    read_until(sock, DIGEST)
    for byte in b"<handshake/>":
        sock.sendall(bytes([byte]))
    sock.close()


def say_nothing(sock):
    read_header(sock)
    sock.recv(1)
    sock.close()


def say_nothing_more(sock):
    open_stream(sock)
    read_until(sock, DIGEST)
    sock.recv(1)
    sock.close()


def noise():
    return random.Random(7).randbytes(100000)


FAULTS = (
    ("closes at once", close_at_once, "closed the connection|Connection reset|Broken pipe"),
    ("closes at our header", close_at_header, "closed the connection before its header"),
    ("closes within its header", close_in_header, "closed the connection before its header"),
    ("closes after its header", close_after_header, "closed the connection|Connection reset|Broken pipe"),
    ("closes at our handshake", close_at_handshake, "closed the connection after our handshake"),
    ("closes within its handshake", close_in_handshake, "closed the connection after our handshake"),
    ("closes after its handshake", close_after_handshake, "link lost"),
    ("shakes hands byte by byte", shake_slowly, "attached.*\n(.*\n)*.*link lost"),
    ("speaks HTTP", answer_with("HTTP/1.1 400 Bad Request\r\n\r\n<html>"), "sent what is no XML"),
    ("sends noise", answer_with(noise()), "sent what is no XML"),
    ("sends zeroes", answer_with(bytes(100000)), "sent what is no XML"),
    ("opens another document", answer_with("<html><body>welcome</body></html>"), "cannot attach"),
    ("sends a DTD", answer_with("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a/>"),
     "cannot attach"),
    ("answers the handshake with a message", answer_handshake_with("<message/>"),
     "answered the handshake with"),
    ("is in conflict", refuse_with("conflict"), "believes that this domain is attached already"),
    ("knows no such host", refuse_with("host-unknown"), "does not know this domain"),
    ("does not authorize", refuse_with("not-authorized"), "the secret is wrong"),
    ("makes an error up", refuse_with("because"), "gave no usual reason"),
    ("conflicts later", end_with("conflict"), "believes that this domain is attached already"),
    ("shuts down", end_with("system-shutdown"), "the server is stopping"),
)

SILENCES = (
    ("never answers our header", say_nothing, "did not answer our stream header"),
    ("never answers our handshake", say_nothing_more, "did not answer our handshake"),
)


def sound_after(title, plan, sentence, bound):
    """A test: that server, a sentence in the log, and then a sound one."""

    def test(context):
        with attaching(context.build) as (annex, server):
            server.plans.put(plan)
            annex.start()
            annex.wait_log(sentence, bound)
            server.wait(bound=bound).ping("sound")
            check(len(annex.pids(DOMAIN)) == 1, "the worker was restarted")

    test.__doc__ = f"a server that {title} is followed by a sound one"
    test.__module__ = __name__
    test.seconds = bound
    return test


for number, fault in enumerate(FAULTS):
    setattr(sys.modules[__name__], f"test_fault_{number:02}", sound_after(*fault, 15))
for number, fault in enumerate(SILENCES):
    setattr(sys.modules[__name__], f"test_silence_{number}", sound_after(*fault, 40))


def entries(annex):
    done = annex.ctl(DOMAIN, "store", "export")
    check(done.returncode == 0, f"the store cannot be exported: {done.stderr}")
    return done.stdout.count('"entries"')


def test_close_under_load(context):
    """a server that closes under load again and again finds what it was told"""
    with attaching(context.build) as (annex, server):
        annex.start()
        link, answered = None, set()
        for turn in range(6):
            link = server.wait(link)
            for n in range(300):
                link.message(f"{turn}.{n}", "0", f"u{n % 7}@example.org/x")
                if n == 150:
                    link.wait_id(f"{turn}.20")
            link.drop()
            link.wait_end()
            answered |= {s.get("id") for s in link.stanzas if text_of(s)}
        server.wait(link).ping("sound")
        check(len(answered) > 6 * 20, "hardly anything was answered")
        check(entries(annex) >= len(answered), "something that was answered is not in the store")
        check(len(annex.pids(DOMAIN)) == 1, "the worker was restarted")


def test_slow_reader(context):
    """a server that reads slowly gets everything, in order"""
    with attaching(context.build) as (annex, server):
        heard = []

        def read_slowly(sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            shake_hands(sock)
            body = "0" + " " * 200
            for n in range(1000):
                sock.sendall(
                    f"<message from='a@example.org/x' to='{DOMAIN}' id='m{n}'>"
                    f"<body>{body}</body></message>".encode()
                )
            data = b""
            while data.count(b"</message>") < 1000:
                data += sock.recv(700)
            heard.append(data)
            sock.close()

        server.plans.put(read_slowly)
        annex.start()
        link = server.wait(bound=60)
        link.ping("sound")
        at = [heard[0].find(f"id='m{n}'".encode()) for n in range(1000)]
        check(min(at) >= 0 and at == sorted(at), "answers are missing or out of order")


def test_large_token(context):
    """5 MB in one attribute end the stream, 5 MB of text only their stanza"""
    with attaching(context.build) as (annex, server):
        annex.start()
        link = server.wait()
        link.message("text", "x" * 5000000)
        answer = link.wait_id("text", 30)
        check(condition_of(answer) == "modify policy-violation",
              f"5 MB of text were answered {condition_of(answer)}")
        link.ping("same-link")
        try:
            link.send(f"<message from='a@example.org/x' to='{DOMAIN}' id='{'x' * 5000000}'/>")
        except OSError:
            pass  # it hung up meanwhile
        link.wait_end(30)
        server.wait(link).ping("sound")
        check(len(annex.pids(DOMAIN)) == 1, "the worker was restarted")


def test_garbage_under_way(context):
    """XML that is not well-formed ends an attached stream, and nothing else"""
    with attaching(context.build) as (annex, server):
        annex.start()
        link = server.wait()
        link.ping("well")
        link.send("<message><body></message>")
        link.wait_end()
        annex.wait_log("sent what is no XML")
        server.wait(link).ping("sound")
        check(len(annex.pids(DOMAIN)) == 1, "the worker was restarted")
