#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
server.py - as much of an XMPP server as it takes to attach a component and talk to it

    tests/install/server.py SECRET DOMAIN TEXT... -- COMMAND...

Prints nothing while all goes well.  Runs COMMAND, with @PORT@ in its words replaced by the
port that the component is to connect to; says each TEXT to DOMAIN and prints what comes back.
"""
import hashlib
import re
import signal
import socket
import subprocess
import sys
from xml.sax.saxutils import escape

HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='4711' from='{}'>"
)


class Stream:
    def __init__(self, connection):
        self.connection = connection
        self.text = ""

    def until(self, pattern):
        """What matches next, as a match; all before it is gone."""
        while not (found := re.search(pattern, self.text, re.DOTALL)):
            piece = self.connection.recv(65536)
            if not piece:
                sys.exit(f"the component left; it had said: {self.text}")
            self.text += piece.decode()
        self.text = self.text[found.end():]
        return found

    def say(self, text):
        self.connection.sendall(text.encode())


def converse(stream, secret, domain, texts):
    stream.until(r"<stream:stream [^>]*>")
    stream.say(HEADER.format(domain))
    digest = stream.until(r"<handshake>(\w+)</handshake>").group(1)
    if digest != hashlib.sha1(("4711" + secret).encode()).hexdigest():
        sys.exit("the digest is wrong")
    stream.say("<handshake/>")
    for text in texts:
        stream.say(
            f"<message from='a@example.org/x' to='{domain}' type='chat' id='1'>"
            f"<body>{escape(text)}</body></message>"
        )
        print(stream.until(r"<body>(.*?)</body>").group(1))


def main():
    secret, domain, *rest = sys.argv[1:]
    at = rest.index("--")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        port = str(listener.getsockname()[1])
        command = [word.replace("@PORT@", port) for word in rest[at + 1:]]
        with subprocess.Popen(command) as annex:
            try:
                connection, _ = listener.accept()
                connection.settimeout(30)
                converse(Stream(connection), secret, domain, rest[:at])
                annex.send_signal(signal.SIGTERM)
                status = annex.wait(30)
            finally:
                annex.kill()
    return status


sys.exit(main())
