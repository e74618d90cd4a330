# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""fetch - one document of the web, for somebody we do not trust

Whoever names the address must not reach what only we can reach: every connection, also that of a
redirect, goes to an address of the public Internet, or to none.  Size and time are bounded.
"""
import http.client
import ipaddress
import socket
import urllib.error
import urllib.request

TIMEOUT_S = 15
MOST_BYTES = 2 << 20


class Refused(Exception):
    """Said to the person as it is."""


def _connector(private):
    def connect(address, timeout=TIMEOUT_S, source_address=None):
        host, port = address
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        error = OSError("that address is not on the public Internet")
        for *_, sockaddr in found:
            if not private and not ipaddress.ip_address(sockaddr[0].split("%")[0]).is_global:
                continue
            try:
                return socket.create_connection(sockaddr[:2], timeout, source_address)
            except OSError as failed:
                error = failed
        raise error
    return connect


def _opener(private):
    def connection(base):
        def make(*args, **kwargs):
            made = base(*args, **kwargs)
            made._create_connection = _connector(private)
            return made
        return make

    class Http(urllib.request.HTTPHandler):
        def http_open(self, req):
            return self.do_open(connection(http.client.HTTPConnection), req)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, req):
            return self.do_open(connection(http.client.HTTPSConnection), req)

    opener = urllib.request.OpenerDirector()
    for handler in (Http, Https, urllib.request.HTTPDefaultErrorHandler,
                    urllib.request.HTTPErrorProcessor, urllib.request.HTTPRedirectHandler,
                    urllib.request.UnknownHandler):
        opener.add_handler(handler())
    return opener


def fetch(url, etag=None, modified=None, private=False):
    """(bytes, etag, last-modified); bytes None where it has not changed."""
    if not url.lower().startswith(("http://", "https://")):
        raise Refused("An address begins with http:// or https://")
    request = urllib.request.Request(url, headers={
        "User-Agent": "Annex feed bot", "Accept": "application/atom+xml, application/rss+xml, */*"})
    for name, value in (("If-None-Match", etag), ("If-Modified-Since", modified)):
        if value:
            request.add_header(name, value)
    try:
        with _opener(private).open(request, timeout=TIMEOUT_S) as answer:
            got = answer.read(MOST_BYTES + 1)
            if len(got) > MOST_BYTES:
                raise Refused("That is too large.")
            return got, answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    except urllib.error.HTTPError as error:
        if error.code == 304:
            return None, etag, modified
        raise Refused(f"The server says {error.code} {error.reason}.") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Refused(f"Could not fetch it: {reason}.") from error
