# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# state.py - state directories that cannot be used
#
# Each is one clear sentence in the log of annexd; the domain beside it
# goes on, and the one that is stuck comes up as soon as it can.

import contextlib
import errno
import os
import random
import signal

from annex import Annex, check
from server import Server

BAD = "bad.test"  # whose directory is
GOOD = "good.test"
SECTIONS = {BAD: "module: count", GOOD: "module: count"}


@contextlib.contextmanager
def house(build, **options):
    with Annex(build, "state", SECTIONS, **options) as annex:
        with Server(annex.socket(BAD)) as server, Server(annex.socket(GOOD)) as other:
            yield annex, server, other
            annex.stop()


def refused(annex, other, expected):
    """The worker says so in one sentence, and the neighbour is well."""
    why = annex.cannot_start()
    check(expected in why, f'the sentence was "{why}", not "... {expected} ..."')
    other.wait().ping("neighbour")
    check(annex.status(BAD)["state"] in ("waiting", "starting"), "annexctl status calls it well")


def grow_data(annex, server, other):
    """Run once, so that there is something in the store; then stop."""
    annex.start()
    link, beside = server.wait(), other.wait()
    for n in range(20):
        link.message(f"m{n}", "0")
        link.wait_id(f"m{n}")
    annex.stop()
    link.wait_end()
    beside.wait_end()
    return f"{annex.state}/{BAD}/data.mdb"


def test_not_writable(context):
    """a state directory that cannot be written is told, and used once it can be"""
    with house(context.build, shim=True) as (annex, server, other):
        annex.shim.set(0, "open", errno.EACCES, f"state/{BAD}")
        annex.start()
        refused(annex, other, "Permission denied")
        annex.shim.clear(0)
        server.wait().ping("well")


def test_no_directory(context):
    """a state directory that cannot be made is refused before anything starts"""
    with house(context.build, state="/proc/annex") as (annex, server, other):
        annex.start()
        check(annex.process.wait(20) == 1, "annexd started all the same")
        annex.process = None
        check("/proc/annex" in annex.log(), f"the sentence was: {annex.log()}")
        check("worker started" not in annex.log(), "something was started")


def test_a_file(context):
    """a file in the place of the state directory is refused before anything starts"""
    with house(context.build) as (annex, server, other):
        with open(f"{annex.state}/{BAD}", "w") as f:
            f.write("in the way")
        annex.start()
        check(annex.process.wait(20) == 1, "annexd started all the same")
        annex.process = None
        check(f"{annex.state}/{BAD} is not a directory" in annex.log(), "another sentence")


def test_directory_lost(context):
    """a state directory that is lost while others run is told, and used once it is back"""
    with house(context.build) as (annex, server, other):
        annex.start()
        link = server.wait()
        os.rename(f"{annex.state}/{BAD}", f"{annex.state}/elsewhere")
        with open(f"{annex.state}/{BAD}", "w") as f:
            f.write("in the way")
        os.kill(annex.pid(BAD), signal.SIGKILL)
        link.wait_end()
        refused(annex, other, "is not a directory")
        os.unlink(f"{annex.state}/{BAD}")
        os.rename(f"{annex.state}/elsewhere", f"{annex.state}/{BAD}")
        server.wait().ping("well")


def test_random_meta(context):
    """random bytes over the first pages of the data file are told, and a backup helps"""
    with house(context.build) as (annex, server, other):
        path = grow_data(annex, server, other)
        with open(path, "r+b") as f:
            good = f.read(8192)
            f.seek(0)
            f.write(random.Random(context.seed).randbytes(8192))
        annex.start()
        refused(annex, other, "restore a backup")
        with open(path, "r+b") as f:
            f.write(good)
        server.wait().ping("well")


def test_one_meta(context):
    """random bytes over either of the first pages alone are told"""
    for page in (0, 1):
        with house(context.build) as (annex, server, other):
            path = grow_data(annex, server, other)
            with open(path, "r+b") as f:
                f.seek(page * 4096)
                f.write(random.Random(context.seed + page).randbytes(4096))
            annex.start()
            refused(annex, other, "restore a backup")


def test_truncated(context):
    """a data file that was cut is told"""
    for size, expected in ((3 * 4096, "it was cut"), (100, "too short")):
        with house(context.build) as (annex, server, other):
            path = grow_data(annex, server, other)
            os.truncate(path, size)
            annex.start()
            refused(annex, other, expected)


def test_empty(context):
    """a data file without a byte, as a crash may leave it, is a new one"""
    with house(context.build) as (annex, server, other):
        path = grow_data(annex, server, other)
        os.truncate(path, 0)
        annex.start()
        server.wait().ping("well")


def test_in_use(context):
    """a store in use by another worker is told, with its pid, and taken once it is free"""
    with house(context.build) as (annex, server, other):
        annex.start()
        server.wait()
        user = annex.pid(BAD)
        with Annex(context.build, "state", SECTIONS, state=annex.state) as second:
            with Server(second.socket(BAD)) as its:
                second.start()
                why = second.cannot_start()
                check("already in use by process" in why, f"the sentence was: {why}")
                second.wait_log(f"in use by process {user}")
                server.wait().ping("undisturbed")
                check(annex.pids(BAD) == [user], "the first worker was disturbed")
                annex.stop()
                its.wait().ping("well")
                second.stop()


def test_newer(context):
    """a store that a newer module wrote is told, and left as it is"""
    with house(context.build) as (annex, server, other):
        annex.components[BAD] = "module: newer"
        annex.configure()
        path = grow_data(annex, server, other)
        with open(path, "rb") as f:
            before = f.read(1 << 20)
        annex.components[BAD] = "module: count"
        annex.configure()
        annex.start()
        refused(annex, other, "newer")
        with open(path, "rb") as f:
            check(f.read(1 << 20) == before, "the store was changed")


def test_newer_module_reads_older(context):
    """a newer module takes the store of an older one"""
    with house(context.build) as (annex, server, other):
        grow_data(annex, server, other)
        annex.components[BAD] = "module: newer"
        annex.configure()
        annex.start()
        link = server.wait()
        link.message("m", "0")
        link.wait_id("m")
