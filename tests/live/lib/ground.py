# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Where a run lives: its directories, ports and processes, and how to wait for them."""
import asyncio
import contextlib
import ctypes
import os
import random
import re
import signal
import socket
import tempfile
import time
from pathlib import Path

# A sanitizer's report, wherever it is printed, is a failure.
REPORT = re.compile(r"(Address|Leak|Thread)Sanitizer|: runtime error: ")

_libc = ctypes.CDLL(None)


class Failure(Exception):
    """What a test expected did not happen; the text is for people."""


def check(true, otherwise):
    if not true:
        raise Failure(otherwise)


def equal(got, want, what):
    check(got == want, f"{what} is {got!r}, not {want!r}")


async def until(condition, within, what):
    """Wait until condition() (a coroutine function or not) is true, and return its value."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        check(time.monotonic() < end, f"{what}: not within {within} s")
        await asyncio.sleep(0.02)


async def within(seconds, awaitable, what):
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        raise Failure(f"{what}: not within {seconds} s") from None


def free_port():
    """
    A port of 127.0.0.1 that nobody uses.  Not one of those that the kernel gives to outgoing
    connections: a client that tries such a port while nobody listens may end up connected to
    itself.
    """
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


async def listens(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class Line(str):
    """A line of output, and when it came."""

    def __new__(cls, text):
        line = super().__new__(cls, text)
        line.at = time.monotonic()
        return line


class Process:
    """A child of ours and what it said.  It dies with us, and is ended by its own pid."""

    def __init__(self, name, log):
        self.name = name
        self.log = Path(log)
        self.lines = []
        self.pid = None
        self._child = None
        self._reader = None
        self._said = asyncio.Event()

    @property
    def running(self):
        return self._child is not None and self._child.returncode is None

    async def start(self, argv, cwd=None, env=None):
        self._child = await asyncio.create_subprocess_exec(
            *map(str, argv),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _libc.prctl(1, signal.SIGKILL),  # PR_SET_PDEATHSIG
        )
        self.pid = self._child.pid
        self._reader = asyncio.create_task(self._read())

    async def _read(self):
        with open(self.log, "ab", buffering=0) as log:
            rest = b""
            while data := await self._child.stdout.read(65536):
                log.write(data)
                *lines, rest = (rest + data).split(b"\n")
                self.lines += [Line(line.decode(errors="replace")) for line in lines]
                self._said.set()

    async def said(self, pattern, since=0, within=10):
        """The first line from number since on in which pattern is found."""
        end = time.monotonic() + within
        while True:
            self._said.clear()
            for line in self.lines[since:]:
                if re.search(pattern, line):
                    return line
            left = end - time.monotonic()
            check(left > 0, f"{self.name} did not say {pattern!r} within {within} s")
            try:
                await asyncio.wait_for(self._said.wait(), left)
            except asyncio.TimeoutError:
                pass

    def count(self, pattern, since=0):
        return sum(1 for line in self.lines[since:] if re.search(pattern, line))

    def send(self, number):
        os.kill(self.pid, number)

    async def ended(self, within=15):
        """Its exit status, once it has ended and all it said was read."""
        try:
            status = await asyncio.wait_for(self._child.wait(), within)
        except asyncio.TimeoutError:
            os.killpg(self.pid, signal.SIGKILL)
            await self._child.wait()
            raise Failure(f"{self.name} did not end within {within} s") from None
        try:
            await asyncio.wait_for(asyncio.shield(self._reader), 5)
        except asyncio.TimeoutError:
            os.killpg(self.pid, signal.SIGKILL)  # a child of it lives on and holds the pipe
            raise Failure(f"{self.name} has left children behind") from None
        return status

    async def stop(self, number=signal.SIGTERM, within=15):
        if self.running:
            with contextlib.suppress(ProcessLookupError):  # it ends by itself just now
                self.send(number)
        return await self.ended(within)

    def tail(self, count=25):
        return [f"{self.name}: {line}" for line in self.lines[-count:]]

    def reports(self):
        return [line for line in self.lines if REPORT.search(line)]


async def run(argv, env=None, within=30, input=None):
    """Run a program to its end: its exit status, standard output and standard error."""
    child = await asyncio.create_subprocess_exec(
        *map(str, argv),
        env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.PIPE if input is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(child.communicate(input), within)
    except asyncio.TimeoutError:
        child.kill()
        await child.wait()
        raise Failure(f"{argv[0]} did not end within {within} s") from None
    out, err = out.decode(errors="replace"), err.decode(errors="replace")
    check(not REPORT.search(err), f"{' '.join(map(str, argv))}:\n{err}")
    return child.returncode, out, err


class Ground:
    """The directories of one run."""

    def __init__(self):
        here = Path(__file__).resolve()
        self.top = Path(os.environ.get("TOP", here.parents[3]))
        self.build = Path(os.environ.get("BUILD", self.top / "build"))
        work = os.environ.get("WORK") or f"/tmp/annex-live.{os.getpid()}"
        self.work = Path(work) / "live"
        self.work.mkdir(parents=True, exist_ok=True)

    def directory(self, name):
        """A new one; short, since Unix sockets will be in it."""
        return Path(tempfile.mkdtemp(prefix=f"{name}.", dir=self.work))
