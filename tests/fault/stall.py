# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# stall.py - a server that does not read, and a million messages behind it
#
# Ten flows with ten fan-outs each, to ten thousand recipients; then half of
# them are told something else on the same flows, a turn fails, and the link is lost.  When
# reading resumes each flow must be heard in its order, without a gap, and an IQ
# before the crowd.

import json
import re
import threading
import time

from annex import Annex, check, wait
from server import Server, shake_hands

DOMAIN = "fan.test"
FLOWS = 10
FANS = 10
RECIPIENTS = 10000
KICK = 999
ALL = FLOWS * FANS * RECIPIENTS


class Reader:
    """A plan of the server: shakes hands, and reads only when it is told to."""

    def __init__(self):
        self.attached = threading.Event()
        self.may_read = threading.Event()
        self.ended = threading.Event()
        self.dropped = False
        self.heard = []  # (flow, number, recipient)
        self.answers = {}  # to IQs: how many messages came before, and when
        self.stanza = re.compile(
            rb"<message(?=[^>]* id='f(\d)-(\d+)')[^>]* to='u(\d+)@[^>]*>[^<]*<body>[^<]*</body></message>"
            rb"|<iq(?=[^>]* id='([^']*)')[^>]*?(?:/>|>.*?</iq>)"
        )

    def __call__(self, sock):
        self.sock = sock
        shake_hands(sock)
        self.attached.set()
        self.may_read.wait()
        rest = b""
        while data := sock.recv(1 << 18):
            rest = self.take(rest + data)
        sock.close()
        self.ended.set()

    def take(self, data):
        end = 0
        for found in self.stanza.finditer(data):
            end = found.end()
            if found[4] is None:
                self.heard.append((int(found[1]), int(found[2]), int(found[3])))
            elif b"type='get'" in found[0]:
                self.sock.sendall(found[0])  # a ping to itself, routed back
            else:
                self.answers[found[4].decode()] = (len(self.heard), time.monotonic())
        return data[end:]

    def say(self, who, status):
        self.sock.sendall(
            f"<presence from='f{who}@example.org/x' to='{DOMAIN}' id='p'>"
            f"<status>{status}</status></presence>".encode()
        )


def counters(annex):
    return annex.status(DOMAIN)["counters"]


def link_of(annex):
    return json.loads(annex.ctl(DOMAIN, "status").stdout)["link"]


def check_flow(flow, heard):
    """Every message to every recipient in order, from somewhere on without a gap; then the kicks."""
    fans = [n * RECIPIENTS + r for _, n, r in heard if n != KICK]
    kicks = [r for _, n, r in heard if n == KICK]
    check(fans == list(range(fans[0], FANS * RECIPIENTS)), f"flow {flow} is out of order or torn")
    check(all(n == KICK for _, n, _ in heard[len(fans):]), f"flow {flow}: a kick overtook others")
    wanted = list(range(0, RECIPIENTS, 2)) if flow < FLOWS // 2 else []
    check(kicks == wanted, f"flow {flow}: {len(kicks)} kicks, or not in order")
    return FANS * RECIPIENTS - len(fans)


def queue_all(annex, reader):
    """Have everything wait; memory a recipient."""
    for flow in range(FLOWS):
        reader.say(flow, f"fan {FANS}")
    # What the socket took is not counted any more.
    wait(lambda: link_of(annex)["queued_stanzas"] > ALL * 0.99, 60, "a million wait")
    return link_of(annex)["queued_bytes"] / ALL


def test_stalled(context):
    """a million messages behind a stalled reader keep small, in order, and out of the way"""
    first, second = Reader(), Reader()
    with Annex(context.build, "stall", {DOMAIN: "module: fan"}) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            server.plans.put(first)
            server.plans.put(second)
            annex.start()
            check(first.attached.wait(20), "the component did not attach")
            before = annex.status(DOMAIN)["rss_anon_bytes"]
            held = queue_all(annex, first)
            check(held < 64, f"{held:.1f} bytes a recipient")
            for flow in range(FLOWS // 2):
                first.say(flow, "kick")
            kicked = ALL * 0.99 + FLOWS // 2 * RECIPIENTS // 2
            wait(lambda: link_of(annex)["queued_stanzas"] > kicked, 20, "the kicks wait")
            first.say(0, "fail")
            annex.wait_log("a turn was undone .it was asked to fail")
            annex.wait_log("could not be handled .it was asked to fail")
            if not context.build.sanitized:
                wait(lambda: annex.status(DOMAIN)["rss_anon_bytes"] != before, 10, "a measurement")
                grown = (annex.status(DOMAIN)["rss_anon_bytes"] - before) / ALL
                context.note(f"{grown:.1f} bytes of memory a recipient")
            first.sock.shutdown(2)
            first.may_read.set()
            check(second.attached.wait(20), "the component did not attach again")
            calls = counters(annex)["calls_total"]
            second.sock.sendall(
                f"<iq type='get' id='ask' from='a@example.org/1' to='{DOMAIN}'>"
                "<ping xmlns='urn:xmpp:ping'/></iq>".encode()
            )
            wait(lambda: counters(annex)["stanzas_in_total"] > FLOWS + FLOWS // 2 + 1, 10, "it is in")
            began = time.monotonic()
            second.may_read.set()
            wait(lambda: link_of(annex)["queued_stanzas"] == 0, 120, "everything was read")
            took = time.monotonic() - began
            check(counters(annex)["calls_total"] == calls, "the component was called while draining")
            annex.stop()
            check(second.ended.wait(20), "the link did not end")
        check("ask" in second.answers, "the IQ was not answered")
        ahead, when = second.answers["ask"]
        check(ahead < ALL / 50, f"{ahead} messages came before the answer to an IQ")
        lost = 0
        for flow in range(FLOWS):
            lost += check_flow(flow, [h for h in second.heard if h[0] == flow])
        # Of the first link only what its socket held may be gone.
        check(lost < ALL / 50, f"{lost} messages were lost with the link")
        context.note(
            f"{held:.1f} bytes a recipient; {len(second.heard) / took:.0f}/s; the IQ was answered "
            f"after {(when - began) * 1000:.0f} ms, behind {ahead} messages; {lost} on the lost link"
        )


test_stalled.seconds = 30
