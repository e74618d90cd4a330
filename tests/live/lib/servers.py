# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""
Prosody and ejabberd as Debian has them, private to a run.

Both serve users at localhost and take components on `port` (plain TCP) and
`tls_port` (TLS from the first byte); SECRET is the secret of all of them.  ejabberd has `unix` besides, a
socket, and `shared_port`, whose components get each other's stanzas, too.
"""
import asyncio
import json
import signal
import string
import time
import urllib.request
from pathlib import Path

from . import certificates
from .ground import Process, check, free_port, listens, run, until

HERE = Path(__file__).resolve().parent.parent
SECRET = "s3cret of the tests"


class Server:
    name = None
    template = None  # of its configuration; subclasses may have others, anywhere
    start_within = 30

    def __init__(self, ground):
        self.dir = ground.directory(self.name)
        self.c2s, self.port, self.tls_port, self.shared_port, self.http = (
            free_port() for _ in range(5)
        )
        self.unix = self.dir / "component.sock"
        self.process = None
        self.known = set()  # accounts
        self.ca = certificates.authority(self.dir, "ca")
        self.certificate, self.key = certificates.issue(self.dir, self.ca, "server", "localhost")

    def fill(self, template, to):
        text = string.Template((HERE / template).read_text())
        names = {key: str(value) for key, value in vars(self).items()}
        (self.dir / to).write_text(text.substitute(names, secret=SECRET))

    async def start(self):
        self.process = Process(self.name, self.dir / "output")
        await self.launch()
        await until(self.up, self.start_within, f"{self.name} listens")

    async def add_account(self, user, password):
        if user not in self.known:
            self.known.add(user)
            await self.register(user, password)

    async def up(self):
        if not self.process.running:
            raise RuntimeError(f"{self.name} ended:\n" + "\n".join(self.process.tail()))
        return await listens(self.c2s) and await listens(self.port)

    async def stop(self, number=signal.SIGTERM):
        if self.process is not None and self.process.running:
            await self.process.stop(number, within=30)

    async def restart(self, number=signal.SIGTERM):
        """Returns when its component port was open again."""
        await self.stop(number)
        self.process = Process(self.name, self.dir / "output")
        await self.launch()
        await until(lambda: listens(self.port), self.start_within, f"{self.name} listens")
        return time.monotonic()

    def excerpt(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [f"{self.name}: {line}" for line in lines[-8:]]


class Prosody(Server):
    name = "prosody"
    template = "prosody.cfg.lua"

    def __init__(self, ground):
        super().__init__(ground)
        self.log = self.dir / "prosody.log"
        self.accounts = self.dir / "data/localhost/accounts"
        self.accounts.mkdir(parents=True)
        (self.dir / "certs").mkdir()
        self.fill(self.template, "prosody.cfg.lua")

    async def launch(self):
        await self.process.start(
            ["prosody", "-F", "--config", self.dir / "prosody.cfg.lua"], cwd=self.dir
        )

    async def register(self, user, password):
        # What its internal storage keeps of an account; read at each login.
        (self.accounts / f"{user}.dat").write_text(f'return {{ ["password"] = "{password}"; }};\n')

    async def export(self, user):
        """The file that prosody-migrator writes of a user (XEP-0227)."""
        to = self.dir / f"export-{user}"
        to.mkdir()
        (to / "migrator.cfg.lua").write_text(
            'input { hosts = { ["localhost"] = { "accounts", "pep-pubsub" } };'
            f' type = "internal"; path = "{self.dir}/data" }}\n'
            'output { type = "xep0227" }\n'
        )
        # That it writes to where Prosody of the system has its data is in the program.
        program = Path("/usr/bin/prosody-migrator").read_text()
        (to / "migrator").write_text(program.replace("'/var/lib/prosody'", f"'{to}'"))
        status, out, err = await run(
            ["lua5.4", to / "migrator", "--root", "--config", to / "migrator.cfg.lua"], within=30
        )
        check(status == 0, f"prosody-migrator ended with {status}:\n{out}{err}")
        return to / f"{user}@localhost.xml"


class Ejabberd(Server):
    name = "ejabberd"
    template = "ejabberd.yml"
    start_within = 60
    flags = []  # more of Erlang's

    def __init__(self, ground):
        super().__init__(ground)
        self.log = self.dir / "log/ejabberd.log"
        for sub in "spool", "log":
            (self.dir / sub).mkdir()
        both = self.dir / "server-with-key.pem"
        both.touch(mode=0o600)
        both.write_text(self.certificate.read_text() + self.key.read_text())
        self.fill(self.template, "ejabberd.yml")

    async def launch(self):
        # Without ejabberdctl, epmd and distribution: any user may start it, and several run.
        await self.process.start(
            ["erl", "-noinput", "+K", "true", *self.flags, "-mnesia", "dir", f'"{self.dir}/spool"']
            + ["-s", "ejabberd"],
            cwd=self.dir,
            env={
                "EJABBERD_CONFIG_PATH": f"{self.dir}/ejabberd.yml",
                "EJABBERD_LOG_PATH": str(self.log),
                "EJABBERD_PID_PATH": f"{self.dir}/pid",
                "ERL_LIBS": next(str(p.parent) for p in Path("/usr/lib").glob("*/ejabberd-*")),
                "HOME": str(self.dir),
                "ERL_CRASH_DUMP": "/dev/null",
            },
        )

    async def up(self):
        return await super().up() and await listens(self.http)

    async def register(self, user, password):
        await self.api("register", user=user, host="localhost", password=password)

    async def export(self):
        """The files that it writes of all users (XEP-0227)."""
        to = self.dir / "export"
        to.mkdir(exist_ok=True)
        await self.api("export_piefxis", dir=str(to))
        return sorted(to.iterdir())

    async def api(self, command, **args):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http}/api/{command}",
            json.dumps(args).encode(),
            {"Content-Type": "application/json"},
        )
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: urllib.request.urlopen(request, timeout=10).read()
        )
