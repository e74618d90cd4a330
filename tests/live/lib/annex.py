# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
Annex: its configuration, annexd, and the ways to talk to it.

    annex = Annex(ground, server, {"echo.localhost": {"module": "echo"}})
    await annex.start()             # until all components are attached
    annex.component("echo.localhost")["secret"] = "another"
    await annex.reload()            # writes the file, SIGHUP, until it is taken
    await annex.stop()              # SIGTERM; complains of what went wrong

What is logged as an error or as a bug fails a test unless it was expected:
annex.expect("the secret is wrong").
"""
import asyncio
import json
import os
import re
import shutil
import signal
import socket
from pathlib import Path

from .ground import Failure, Process, check, free_port, run, until
from .servers import SECRET

BAD_NEWS = re.compile(r"^<[0-3]>|level=(error|bug)")


class Annex:
    def __init__(self, ground, server=None, components=None, name="annex", **top):
        self.ground = ground
        self.dir = ground.directory(name)
        self.run_dir, self.state_dir = self.dir / "run", self.dir / "state"
        self.file = self.dir / "annex.yaml"
        self.metrics_port = free_port()
        self.process = None
        self.expected = []
        self.notes = []  # what the service manager was told
        self.config = {
            "state-dir": str(self.state_dir),
            "run-dir": str(self.run_dir),
            "metrics": f"127.0.0.1:{self.metrics_port}",
            "log-level": "debug",
            **top,
            "servers": {},
            "components": {},
        }
        probe = ground.build / "tests/wire/probe/.libs"
        if probe.is_dir():
            self.config["module-dirs"] = [str(probe)]
        for directory in self.run_dir, self.state_dir:
            directory.mkdir(mode=0o700)
        if server is not None:
            self.server("main", server.port, software=server.name)
        for domain, options in (components or {}).items():
            self.add(domain, **options)

    # The configuration: a dict that is written as JSON, which is YAML.

    def server(self, name, port=None, **options):
        entry = {"host": "127.0.0.1", "local-domains": ["localhost"]}
        if port is not None:
            entry["port"] = port
        entry.update({key.replace("_", "-"): value for key, value in options.items()})
        self.config["servers"][name] = entry
        return entry

    def add(self, domain, **options):
        entry = {"secret": SECRET, "admins": ["admin@localhost"]}
        entry.update({key.replace("_", "-"): value for key, value in options.items()})
        self.config["components"][domain] = entry
        return entry

    def component(self, domain):
        return self.config["components"][domain]

    def write(self):
        """As an editor does: whoever reads it meanwhile sees the old file or the new one."""
        new = self.file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(self.config, indent=1))
        new.rename(self.file)

    # Its life.

    async def start(self, attached=True, program=None, env=None):
        """Start annexd; return when all components are attached, or, with False, when ready."""
        self.write()
        self.notes.clear()
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        path = self.dir / "notify"
        path.unlink(missing_ok=True)
        manager.bind(str(path))
        asyncio.get_running_loop().add_reader(manager, self._noted, manager)
        self._manager = manager
        self.process = Process("annexd", self.dir / "log")
        annexd = self.ground.build / "framework/supervisor/annexd"
        await self.process.start(
            program or [annexd, "-c", self.file],
            cwd=self.dir,
            env={"NOTIFY_SOCKET": str(path), **(env or {})},
        )
        if attached:
            await self.attached()
        else:
            await self.noted("READY=1")
        return self

    def _noted(self, manager):
        self.notes += manager.recv(4096).decode().split("\n")

    async def noted(self, pattern, since=0, within=20):
        """Wait for a line to the service manager."""

        def found():
            check(self.process.running or pattern == "STOPPING=1", "annexd has ended")
            return next((n for n in self.notes[since:] if re.fullmatch(pattern, n)), None)

        return await until(found, within, f"the service manager hears {pattern}")

    async def stop(self, number=signal.SIGTERM):
        """SIGTERM, its exit status 0, and nothing in its log that nobody expected."""
        if self.process is None:
            return
        process, self.process = self.process, None
        try:
            status = await process.stop(number)
        finally:
            asyncio.get_running_loop().remove_reader(self._manager)
            self._manager.close()
            self.stopped = process
        bad = [l for l in process.lines if BAD_NEWS.search(l) and not self._is_expected(l)]
        check(not process.reports(), "\n".join(process.reports() + process.tail(40)))
        told = [line for line in process.lines if SECRET in line]
        check(not told, "a secret was logged:\n" + "\n".join(told))
        check(not bad, "unexpected in the log:\n" + "\n".join(bad))
        if number == signal.SIGTERM:
            check(status == 0, f"annexd ended with status {status}")

    def expect(self, pattern):
        self.expected.append(re.compile(pattern))

    def _is_expected(self, line):
        return any(pattern.search(line) for pattern in self.expected)

    async def reload(self, within=20):
        """Write the file, SIGHUP, and wait until annexd says that it is done with it."""
        self.write()
        since = len(self.notes)
        self.process.send(signal.SIGHUP)
        await self.noted("RELOADING=1", since, within)
        await self.noted("READY=1", since, within)

    # Talking to it.

    async def ask(self, name, command, _fd=-1, **args):
        """A request on a control socket, "annexd" or a domain: its result, or Failure."""
        reader, writer = await asyncio.open_unix_connection(
            self.run_dir / f"{name}.sock", limit=2**21
        )
        try:
            writer.write(json.dumps({"command": command, "args": args}).encode() + b"\n")
            answer = json.loads(await asyncio.wait_for(reader.readline(), 30) or "{}")
        finally:
            writer.close()
        check("error" not in answer, f"{name} {command}: {answer.get('error')}")
        check("result" in answer, f"{name} {command}: no answer")
        return answer["result"]

    async def status(self, domain=None):
        """What `annexctl status` knows, or its part about a domain."""
        status = await self.ask("annexd", "status")
        if domain is None:
            return status
        return next(c for c in status["components"] if c["domain"] == domain)

    async def attached(self, domain=None, within=20, is_so=True):
        """Wait until the domain (or all) is attached; or, with is_so False, is not."""

        async def attached():
            check(self.process.running, "annexd has ended")
            try:
                components = (await self.status())["components"]
            except (OSError, Failure):
                return False
            return components and all(
                c["attached"] == is_so for c in components if domain in (None, c["domain"])
            )

        await until(attached, within, f"{domain or 'all'} attached: {is_so}")

    async def pid(self, domain):
        return (await self.status(domain))["pid"]

    async def ctl(self, *words, want=0, input=None, within=30):
        """Run annexctl: its standard output.  want is its exit status, None: any."""
        argv = [self.ground.build / "framework/ctl/annexctl", "-c", self.file]
        argv += ["--run-dir", self.run_dir, *words]
        status, out, err = await run(argv, within=within, input=input)
        check(
            want is None or status == want,
            f"annexctl {' '.join(map(str, words))} ended with {status}, not {want}:\n{out}{err}",
        )
        return out + err

    async def metrics(self):
        """GET /metrics: {'name{labels}': value}."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.metrics_port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = (await asyncio.wait_for(reader.read(), 10)).decode()
        writer.close()
        head, _, body = answer.partition("\r\n\r\n")
        check(" 200 " in head.split("\r\n")[0], f"/metrics answers {head!r}")
        samples = (line.rsplit(" ", 1) for line in body.splitlines() if line[:1] not in ("#", ""))
        return {name: float(value) for name, value in samples}

    def workers(self):
        """The pids of the workers that annexd has started and that live."""
        pid = self.process.pid
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def excerpt(self):
        process = self.process or getattr(self, "stopped", None)
        return process.tail() if process is not None else []

    def forget(self):
        """Remove its stores, which are large, but not what it said."""
        shutil.rmtree(self.state_dir, ignore_errors=True)

    async def kill(self):
        """The end of a test that failed: whatever it takes."""
        if self.process is not None and self.process.running:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.ended()
        self.process = None
