# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""What the lints share: where the trees are, which files are ours, how to complain.

A lint is called with the source tree in $TOP and the build tree in $BUILD; where
those are not set it takes the tree it lies in and the folder it is called from, as
make check does.  It prints one line per finding, FILE:LINE: what is wrong; what to
do.  It exits with 1 where there was any.
"""
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.environ.get("TOP") or os.path.join(HERE, "..", ".."))
BUILD = os.path.abspath(os.environ.get("BUILD") or os.getcwd())

# Where our files lie, for a tree without git: a tarball, a test's tree.
FOLDERS = ("framework", "components", "schemas", "tests", "contrib", ".ci")
TOP_FILES = ("configure.ac", "Makefile.am", "README.md", "CONTRIBUTING.md")
MADE = re.compile(r"(^|/)(\.libs|\.deps|__pycache__)(/|$)|\.pb-c\.[ch]$|\.(l?o|log|trs|py[co])$")

_findings = 0


def complain(place, line, what, remedy):
    """One finding; LINE is 0 where there is none to name."""
    global _findings
    _findings += 1
    where = f"{place}:{line}" if line else place
    print(f"{where}: {what}; {remedy}")


def finish():
    sys.exit(1 if _findings else 0)


def _from_git():
    git = ["git", "-c", "safe.directory=*", "-C", TOP]
    if not os.path.exists(os.path.join(TOP, ".git")) or shutil.which("git") is None:
        return None
    found = subprocess.run(git + ["ls-files", "-z"], stdout=subprocess.PIPE, check=False)
    return found.stdout.decode().split("\0") if found.returncode == 0 else None


def _walk():
    if os.path.samefile(TOP, BUILD) and os.path.exists(os.path.join(TOP, "config.status")):
        print("Without git, files of ours are not told from what was built: build in a folder apart.")
        sys.exit(77)  # automake's word for a test that is skipped
    for folder in FOLDERS:
        for here, _, names in os.walk(os.path.join(TOP, folder)):
            for name in names:
                yield os.path.relpath(os.path.join(here, name), TOP)
    yield from TOP_FILES


def files(*patterns):
    """Our files, relative to the tree, whose path matches one of the patterns wholly.

    With git, those that it knows: what was built among them is none of ours.
    """
    found = _from_git()
    for name in sorted(set(found if found is not None else _walk())):
        if not os.path.isfile(os.path.join(TOP, name)) or MADE.search(name):
            continue
        if not patterns or any(re.fullmatch(p, name) for p in patterns):
            yield name


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def without_comments(text, strings=False):
    """C with comments blanked out, and what strings say unless they are wanted; lines stay."""
    def blank(m):
        s = m.group(0)
        if s.startswith("/"):
            return re.sub(r"[^\n]", " ", s)
        if strings:
            return s
        return s[0] + " " * (len(s) - 2) + s[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])*'", blank, text,
                  flags=re.S)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def variables(name):
    """Words that the makefiles give to the automake variable NAME, with their places."""
    for makefile in files(r"Makefile\.am", r".*Makefile\.inc"):
        text = read(makefile)
        for m in re.finditer(rf"^{name}\s*\+?=((?:.*\\\n)*.*)", text, flags=re.M):
            for word in re.finditer(r"[^\s\\]+", m.group(1)):
                yield word.group(0), makefile, line_of(text, m.start(1) + word.start())


def run(*command):
    """What a command says.  One that fails or is missing is a finding: a lint is never blind."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=True).stdout.decode(errors="replace")
    except FileNotFoundError:
        complain(command[0], 0, "is not installed", "tests/run installs what tests need")
    except subprocess.CalledProcessError as e:
        complain(" ".join(command), 0, "failed: " + e.stdout.decode(errors="replace").strip(),
                 "build everything first (make)")
    return ""


def built(name):
    """A program or library as it was linked, rather than libtool's script beside it."""
    folder, base = os.path.split(os.path.join(BUILD, name))
    inside = os.path.join(folder, ".libs", base)
    return inside if os.path.exists(inside) else os.path.join(folder, base)
