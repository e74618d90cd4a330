# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# annex.py - annexd with its workers, in a private directory
#
# Nothing here waits for a time to pass: wait() looks for what must come,
# and fails with what it waited for where it has not come within its bound.

import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

SECRET = "a long enough secret"


class Failure(Exception):
    """What a test found, as a sentence."""


def check(condition, sentence):
    if not condition:
        raise Failure(sentence)


def wait(condition, bound, what):
    """The first true value of condition(); how long it took is not the test's affair."""
    end = time.monotonic() + bound
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {bound} s")
        time.sleep(0.01)


class Build:
    """Where everything was built, and how."""

    def __init__(self, build, work):
        self.build = build
        self.work = work
        with open(f"{build}/config.h") as f:
            text = f.read()
        self.sanitized = "#define ANNEX_SANITIZE 1" in text
        self.has_switch = "#define ANNEX_FAULT_SWITCH 1" in text
        self.annexd = f"{build}/framework/supervisor/annexd"
        self.annexctl = f"{build}/framework/ctl/annexctl"
        self.worker = f"{build}/framework/worker/annex-worker"
        self.modules = f"{build}/tests/fault/.libs"
        self.rooms = f"{build}/components/muc/.libs"
        self.client = f"{build}/tests/fault/client"
        self.shim = f"{build}/tests/fault/.libs/shim.so"


class Shim:
    """The rules of shim.c: a disk that fails when it is told to."""

    RULE = struct.Struct("iiiiii104s")
    CALLS = {"meta": 1, "write": 2, "sync": 3, "allocate": 4, "open": 5}

    def __init__(self, path):
        with open(path, "w+b") as f:
            f.truncate(self.RULE.size * 8)
            self.map = mmap.mmap(f.fileno(), 0)

    def set(self, slot, call, error, path, times=1 << 30, skip=0, delay_ms=0):
        at = slot * self.RULE.size
        rule = self.RULE.pack(0, skip, times, error, delay_ms, 0, path.encode())
        self.map[at : at + self.RULE.size] = rule
        self.map[at : at + 4] = struct.pack("i", self.CALLS[call])

    def clear(self, slot):
        at = slot * self.RULE.size
        self.map[at : at + 4] = struct.pack("i", 0)

    def bitten(self, slot):
        return self.RULE.unpack_from(self.map, slot * self.RULE.size)[5]


class Annex:
    """annexd and what it started."""

    def __init__(self, build, name, components, stuck=None, env=None, shim=False, state=None):
        self.build = build
        self.dir = tempfile.mkdtemp(prefix=f"{name[:8]}.", dir=build.work)
        self.components = dict(components)
        self.config = f"{self.dir}/annex.yaml"
        self.log_path = f"{self.dir}/annexd.log"
        self.state = state or f"{self.dir}/state"
        self.args = ["--stuck-after", str(stuck)] if stuck else []
        self.process = None
        for d in ("state", "run", "tmp"):
            os.mkdir(f"{self.dir}/{d}", 0o700)
        self.env = dict(os.environ, TMPDIR=f"{self.dir}/tmp", ANNEX_TEST=self.dir)
        # A crash is to be a crash, told at once.
        self.env["ASAN_OPTIONS"] = (
            "handle_segv=0:handle_abort=0:symbolize=0:verify_asan_link_order=0"
        )
        self.env.update(env or {})
        self.shim = None
        if shim:
            self.shim = Shim(f"{self.dir}/shim")
            self.env.update(LD_PRELOAD=build.shim, ANNEX_SHIM=f"{self.dir}/shim")
        self.configure()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        failed = kind is not None
        if failed:
            tail = "".join(f"  | {line}\n" for line in self.log().splitlines()[-25:])
            value.add_note(f"the end of annexd's log:\n{tail}")
        try:
            self.stop(quiet=failed)
        finally:
            self.kill_left_over()
            shutil.rmtree(self.dir, ignore_errors=True)

    # --- Its configuration

    def socket(self, domain):
        """Of the server that the domain attaches to: each has its own."""
        return f"{self.dir}/{domain}"

    def configure(self):
        lines = [
            f"state-dir: {self.state}",
            f"run-dir: {self.dir}/run",
            f'module-dirs: ["{self.build.modules}", "{self.build.rooms}"]',
            "servers:",
        ]
        for domain in self.components:
            lines += [f"  {domain}:", f"    host: unix:{self.socket(domain)}"]
            lines += ["    local-domains: [example.org]"]
        lines += ["components:"]
        for domain, section in self.components.items():
            lines += [f"  {domain}:", f"    server: {domain}", f"    secret: {SECRET}"]
            lines += ["    rate-per-jid: 1000000", "    burst-per-jid: 1000000"]
            lines += [f"    {line}" for line in section.splitlines()]
        fd = os.open(self.config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write("\n".join(lines) + "\n")

    # --- Its life

    def start(self, before=None):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.build.annexd, "-c", self.config, *self.args],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=before,
            )
        return self

    def cannot_start(self, since=0, bound=15):
        """The sentence with which a worker said why."""
        line = self.wait_log(r"cannot start \(", bound, since)
        return line.split("cannot start (", 1)[1].rsplit(")", 1)[0]

    def stop(self, quiet=False):
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            status = process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = "none: it had to be killed"
        if quiet:
            return
        check(status == 0, f"annexd ended with status {status}")
        found = re.search(r"^.*(runtime error:|Sanitizer).*$", self.log(), re.M)
        check(not found, f"a sanitizer complained: {found and found.group(0)}")
        left = wait_gone(self.left_over)
        check(not left, f"processes were left behind: {left}")

    def left_over(self):
        """Processes of ours that still run, by a variable in their environment."""
        tag = f"ANNEX_TEST={self.dir}\0".encode()
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if tag in f.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def kill_left_over(self):
        for pid in self.left_over():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # --- What it says

    def log(self, since=0):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, "rb") as f:
            f.seek(since)
            return f.read().decode(errors="replace")

    def log_size(self):
        return os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0

    def wait_log(self, pattern, bound=15, since=0):
        """The line in which it stands."""
        line = re.compile(f"^.*(?:{pattern}).*$", re.M)
        return wait(
            lambda: line.search(self.log(since)), bound, f'annexd says "{pattern}"'
        ).group(0)

    def pids(self, domain):
        """Of all workers the domain has had, in order."""
        found = re.findall(rf"{re.escape(domain)}: worker started \(pid (\d+)\)", self.log())
        return [int(pid) for pid in found]

    def pid(self, domain):
        return self.pids(domain)[-1]

    def ctl(self, *words, bound=60):
        done = subprocess.run(
            [self.build.annexctl, "-c", self.config, "--json", *words],
            env={k: v for k, v in self.env.items() if k != "LD_PRELOAD"},
            capture_output=True,
            text=True,
            timeout=bound,
        )
        return done

    def rows(self, domain):
        """How many rows each table of a worker's store has."""
        stat = self.ctl(domain, "store", "stat")
        try:
            return json.loads(stat.stdout)["tables"]
        except (ValueError, KeyError):
            raise Failure(f"annexctl store stat: {stat.stdout}{stat.stderr}")

    def status(self, domain):
        """As annexd sees it."""
        done = self.ctl("status")
        try:
            components = json.loads(done.stdout)["components"]
        except ValueError:
            raise Failure(f"annexctl status: {done.stdout}{done.stderr}")
        return next(c for c in components if c["domain"] == domain)

    # --- Its stores

    def offline(self, what, domain, copy=None):
        """annex-worker --store WHAT, on a copy of its directory or on a store that nobody uses."""
        config = f"{copy}/annex.yaml" if copy else self.config
        return subprocess.run(
            [self.build.worker, "--store", what, "-c", config, "--", domain],
            env={k: v for k, v in self.env.items() if k != "LD_PRELOAD"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def copy_store(self, domain, name):
        """All that a worker left, under a state-dir of its own."""
        copy = f"{self.dir}/tmp/{name}"
        os.mkdir(copy)
        subprocess.run(["cp", "-r", "--sparse=always", f"{self.state}/{domain}", copy], check=True)
        with open(self.config) as f:
            text = f.read().replace(f"state-dir: {self.state}", f"state-dir: {copy}")
        fd = os.open(f"{copy}/annex.yaml", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, text.encode())
        os.close(fd)
        return copy


def wait_gone(left_over):
    """What is left once all had a moment to end."""
    deadline = time.monotonic() + 30
    while (left := left_over()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def is_dead(pid):
    """Ended, and perhaps not yet waited for."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
