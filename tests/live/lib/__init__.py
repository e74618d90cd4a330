# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
Real servers, a real Annex and real clients for tests, all on one asyncio loop.

    ground   where a run lives: directories, ports, processes, waiting
    servers  Prosody and Ejabberd
    annex    Annex: its file, annexd, annexctl and the control sockets
    client   a user, by slixmpp
    crowd    many users in one room
    pubsub   what is asked of nodes
    relay    a TCP connection that a test can cut, stall or listen to
    suite    which tests there are, and their running

Nothing here sleeps to let something happen: whoever waits names a condition
and a bound, and gets what was seen instead when the bound is reached.
"""
