# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Direct TLS to both servers: certificates, names and pins."""
from lib import certificates
from lib.ground import check, equal
from lib.relay import Relay
from lib.suite import test


def annex_over_tls(t, **options):
    annex = t.annex({"one.localhost": {"module": "echo"}})
    annex.server("main", t.server.tls_port, host="localhost", tls="direct", **options)
    return annex


async def attaches(t, **options):
    annex = await annex_over_tls(t, **options).start()
    alice = await t.client("alice")
    equal((await alice.say("one.localhost", "hello"))["body"], "hello", "the echo")


async def refuses(t, words, **options):
    """The certificate is no good: a sentence with one of these words, and no attachment."""
    annex = annex_over_tls(t, **options)
    annex.expect("cannot attach")
    await annex.start(attached=False)
    line = await annex.process.said("cannot attach")
    check(any(word in line for word in words), f"the log says {line!r}, without any of {words!r}")
    equal((await annex.status("one.localhost"))["attached"], False, "attached")


@test()
async def a_good_certificate_is_accepted(t):
    await attaches(t, tls_ca_file=str(t.server.ca))


@test()
async def a_certificate_of_another_authority_is_refused(t):
    other = certificates.authority(t.ground.directory("ca"), "other")
    await refuses(t, ["authority", "issuer", "self"], tls_ca_file=str(other))


@test()
async def a_certificate_for_another_name_is_refused(t):
    await refuses(t, ("elsewhere.example", "unrecognized name"), tls_ca_file=str(t.server.ca), tls_name="elsewhere.example")


@test()
async def the_systems_authorities_do_not_know_it(t):
    await refuses(t, ["authority", "issuer", "self"])


@test()
async def a_good_pin_is_enough(t):
    await attaches(t, tls_pin=certificates.pin(t.server.certificate))


@test()
async def a_wrong_pin_is_refused_even_with_a_good_certificate(t):
    await refuses(t, ["pin"], tls_ca_file=str(t.server.ca), tls_pin="0" * 64)


@test()
async def a_certificate_is_mended_by_a_reload(t):
    annex = annex_over_tls(t, tls_pin="0" * 64)
    annex.expect("cannot attach")
    await annex.start(attached=False)
    await annex.process.said("cannot attach")
    annex.config["servers"]["main"]["tls-pin"] = certificates.pin(t.server.certificate)
    since = len(annex.process.lines)
    await annex.reload()
    await annex.process.said("attached to", since, 3)


@test()
async def nothing_leaves_in_the_clear(t):
    relay = await t.begin(Relay(t.server.tls_port))
    annex = annex_over_tls(t, tls_ca_file=str(t.server.ca))
    annex.config["servers"]["main"]["port"] = relay.port
    await annex.start()
    alice = await t.client("alice")
    await alice.say("one.localhost", "hello")
    check(b"<" + b"stream" not in relay.said["up"], "a stream was opened in the clear")
    check(b"localhost'" not in relay.said["up"], "an address was sent in the clear")


@test()
async def plain_text_to_a_tls_port_is_explained(t):
    annex = t.annex({"one.localhost": {"module": "echo"}})
    annex.server("main", t.server.tls_port)
    annex.expect("cannot attach")
    await annex.start(attached=False)
    await annex.process.said("cannot attach")


@test()
async def tls_to_a_plain_port_is_explained(t):
    annex = annex_over_tls(t)
    annex.server("main", t.server.port, host="localhost", tls="direct")
    annex.expect("cannot attach")
    await annex.start(attached=False)
    line = await annex.process.said("cannot attach")
    check("TLS" in line, f"the log says {line!r}")
