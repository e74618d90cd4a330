# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# disk.py - disks that are full, and disks that fail

import contextlib
import errno
import random
import resource

from annex import Annex, Failure, check, wait
from kills import Client, check_store
from server import Server, condition_of, text_of

DOMAIN = "count.test"
DATA = f"{DOMAIN}/data.mdb"
JOURNAL = f"{DOMAIN}/journal"
MEGABYTE = 1000000
FULL = "wait resource-constraint"


@contextlib.contextmanager
def counting(build, **options):
    """annexd with count.so, not yet started, and its server."""
    with Annex(build, "disk", {DOMAIN: "module: count"}, **options) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            yield annex, server
            annex.stop()


def bump(link, name, n, body="0", sender="alice"):
    """What one change was answered with: the number, or the error."""
    link.message(f"{name}{n}", body, f"{sender}@example.org/x")
    answer = link.wait_id(f"{name}{n}", 30)
    return condition_of(answer) or int(text_of(answer))


def fill(link):
    """Grow until the store refuses; how many megabytes it took."""
    for n in range(150):
        answer = bump(link, "fill", n, str(MEGABYTE), "big")
        if answer == FULL:
            return n
        check(answer == n + 1, f"the answer to change {n + 1} was {answer}")
    raise Failure("the store grew and grew")


def shrink(link):
    """Delete all that fill wrote."""
    n = 0
    while True:
        link.message(f"shrink{n}", "shrink", "big@example.org/x")
        answer = link.wait_id(f"shrink{n}", 30)
        check(not condition_of(answer), f"a delete was refused: {condition_of(answer)}")
        if text_of(answer) == "0":
            return
        n += 1


def verified(annex):
    done = annex.ctl(DOMAIN, "store", "verify")
    check(done.returncode == 0, f"the store does not verify: {done.stdout}{done.stderr}")


def full_and_back(annex, server, make_room):
    """A store that may no longer grow refuses, deletes, goes on, and grows again."""
    link = server.wait()
    pid = annex.pid(DOMAIN)
    check(bump(link, "before", 0) == 1, "the first change was not counted")
    megabytes = fill(link)
    check(megabytes > 8, f"refused after {megabytes} MB already")
    annex.wait_log("store cannot grow .no space left on the disk")
    check(bump(link, "full", 1, str(MEGABYTE), "bob") == FULL, "growth went on")
    link.ping("while-full")
    shrink(link)
    check(bump(link, "after", 0) == 2, "a small change is refused though much was deleted")
    make_room()
    # The disk is asked again once a second.
    tries = iter(range(10000))
    for n in range(megabytes + 2):
        wait(lambda: bump(link, "again", next(tries), str(MEGABYTE), "carol") != FULL, 5, "room")
    check("store has room again" in annex.log(), "that there is room again was not told")
    check(annex.pid(DOMAIN) == pid and not link.ended, "the worker did not live through it")
    verified(annex)


def test_full(context):
    """a full disk refuses growth, takes deletes, and is forgotten when there is room"""
    with counting(context.build, shim=True) as (annex, server):
        annex.start()
        server.wait()
        annex.shim.set(0, "allocate", errno.ENOSPC, DATA)
        full_and_back(annex, server, lambda: annex.shim.clear(0))


def test_file_limit(context):
    """a limit on the size of files is a full disk, not the end of the worker"""
    limit = 81 << 20
    with counting(context.build) as (annex, server):
        annex.start(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, 1 << 40)))
        server.wait()

        def make_room():
            resource.prlimit(annex.pid(DOMAIN), resource.RLIMIT_FSIZE, (1 << 40, 1 << 40))

        full_and_back(annex, server, make_room)


def test_quota(context):
    """a quota refuses growth and takes deletes"""
    with Annex(context.build, "quota", {DOMAIN: "module: count\nstore-quota: 20M"}) as annex:
        with Server(annex.socket(DOMAIN)) as server:
            annex.start()
            link = server.wait()
            megabytes = fill(link)
            check(8 < megabytes < 20, f"a quota of 20 MB refused after {megabytes} MB")
            link.ping("while-full")
            annex.wait_log("of its quota")
            shrink(link)
            check(bump(link, "after", 0, str(MEGABYTE), "big") == 1, "there is room, yet refused")
            verified(annex)
            annex.stop()


def test_full_at_start(context):
    """a disk that is full at the start is told in a sentence, and tried again"""
    with counting(context.build, shim=True) as (annex, server):
        annex.shim.set(0, "allocate", errno.ENOSPC, f"{DOMAIN}/")
        annex.start()
        why = annex.cannot_start()
        check(why.startswith("no space left on the disk"), f"the sentence was: {why}")
        annex.shim.clear(0)
        link = server.wait()
        check(bump(link, "m", 0) == 1, "it does not count")


def first_start(context, call, error):
    """A new store, with the n-th call of that kind failing once: it comes up all the same."""
    for n in range(50):
        with counting(context.build, shim=True) as (annex, server):
            annex.shim.set(0, call, error, f"state/{DOMAIN}", times=1, skip=n)
            annex.start()
            answer, link = None, None
            while answer is None:  # the first change may be what fails
                link = server.wait(link)
                with contextlib.suppress(Failure):
                    answer = bump(link, "m", 0)
                if answer == FULL:  # its last words
                    link.wait_end()
                    answer = None
            check(answer == 1, f"{call} {n}: the first change was answered {answer}")
            bitten = annex.shim.bitten(0)
            annex.shim.clear(0)
            if bitten and len(annex.pids(DOMAIN)) > 1:
                check("cannot start" in annex.log() or "ended (" in annex.log(),
                      f"{call} {n}: no sentence")
            verified(annex)
        if not bitten:
            context.note(f"{call}: {n} calls")
            return


def test_first_start_open(context):
    """a new store comes up after any file or directory of it could not be made"""
    first_start(context, "open", errno.EIO)


def test_first_start_allocate(context):
    """a new store comes up after any allocation failed"""
    first_start(context, "allocate", errno.EIO)


def test_first_start_write(context):
    """a new store comes up after any write to it failed"""
    first_start(context, "write", errno.EIO)
    first_start(context, "meta", errno.EIO)


def test_first_start_sync(context):
    """a new store comes up after any sync of it failed"""
    first_start(context, "sync", errno.EIO)


def test_no_space_in_commit(context):
    """a commit that finds no space is undone, its changes refused, and the rest goes on"""
    with counting(context.build, shim=True) as (annex, server):
        annex.start()
        link = server.wait()
        pid = annex.pid(DOMAIN)
        check(bump(link, "m", 0) == 1, "it does not count")
        # The first time it is tried again, and nobody notices.
        annex.shim.set(0, "write", errno.ENOSPC, JOURNAL, times=1)
        check(bump(link, "m", 1) == 2, "a change that failed once was not done again")
        check(annex.shim.bitten(0) == 1, "the disk did not fail")
        annex.shim.set(0, "write", errno.ENOSPC, JOURNAL)
        answer = bump(link, "m", 2)
        check(answer == FULL, f"what could not be stored was answered {answer}")
        link.ping("meanwhile")
        annex.shim.clear(0)
        check(bump(link, "m", 3) == 3, "it did not recover")
        check(annex.pid(DOMAIN) == pid, "the worker ended")
        verified(annex)


def io_error(context, call, path, calls):
    """Under load, one call fails with EIO: the worker ends, comes back, and lost nothing."""
    rng = random.Random(f"{context.seed} {call} {path}")
    with Annex(context.build, "eio", {DOMAIN: "module: count"}, shim=True) as annex:
        client = Client(annex)
        try:
            annex.start()
            for epoch in range(1, 4):
                client.wait("up", epoch)
                since = annex.log_size()
                skip = rng.randrange(calls)
                annex.shim.set(0, call, errno.EIO, path, times=1, skip=skip)
                annex.wait_log(r"failed to commit \(Input/output error\).*must be closed", 20, since)
                annex.wait_log(r"ended \(the store is beyond use", 5, since)
            client.wait("up", 4)
            wait(lambda: client.lines()[-1][2].startswith("4."), 15, "answers after the last end")
            annex.stop()
        finally:
            client.process.stdin.close()
            client.process.wait()
        checked = check_store(annex, client, annex.copy_store(DOMAIN, "last"), None)
        context.note(f"{checked} answers checked")


def test_eio_sync(context):
    """EIO at fdatasync ends the worker with a sentence, and nothing acknowledged is lost"""
    io_error(context, "sync", JOURNAL, 30)


def test_eio_write(context):
    """EIO at writing the journal ends the worker with a sentence, and nothing acknowledged is lost"""
    io_error(context, "write", JOURNAL, 30)


def test_eio_checkpoint_write(context):
    """EIO at writing pages of a checkpoint, which has many turns: nothing acknowledged is lost"""
    io_error(context, "write", DATA, 30)


def test_eio_checkpoint_sync(context):
    """EIO at syncing a checkpoint: nothing acknowledged is lost"""
    io_error(context, "sync", DATA, 2)


def test_eio_checkpoint_meta(context):
    """EIO at the meta page of a checkpoint: nothing acknowledged is lost"""
    io_error(context, "meta", DATA, 2)


def test_slow_sync(context):
    """a slow fsync is waited for, however patient the watchdog"""
    with counting(context.build, stuck=1, shim=True) as (annex, server):
        annex.start()
        link = server.wait()
        pid = annex.pid(DOMAIN)
        annex.shim.set(0, "sync", 0, JOURNAL, times=1, delay_ms=5000)
        check(bump(link, "m", 0) == 1, "it does not count")
        annex.wait_log("has been busy in a commit for . s; it is left alone")
        check(annex.pid(DOMAIN) == pid, "the worker was killed for a slow disk")
