# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# conduct.py - run the tests of this folder, some at a time
#
# A test is a function named test_... in one of the modules below; its name
# is its first line of documentation.  It fails by raising, and says there
# what it saw.

import argparse
import concurrent.futures
import importlib
import inspect
import os
import random
import sys
import time
import traceback

from annex import Build, Failure

MODULES = ["kills", "bots", "programs", "rooms", "disk", "bad", "state", "stall", "links", "publish"]
AT_ONCE = 4  # most of them wait most of the time


class Context:
    def __init__(self, build, long, seed):
        self.build = build
        self.long = long
        self.seed = seed
        self.notes = []

    def note(self, sentence):
        """Something a person may want to know of a test that passed."""
        self.notes.append(sentence)


def tests():
    for name in MODULES:
        module = importlib.import_module(name)
        for test, function in inspect.getmembers(module, inspect.isfunction):
            if test.startswith("test_") and function.__module__ == name:
                yield f"{name}: {function.__doc__.splitlines()[0]}", function


def run(job):
    name, context = job
    function = dict(tests())[name]  # a function made in a loop cannot be sent
    began = time.monotonic()
    why = None
    try:
        function(context)
    except Failure as e:
        why = "\n".join([str(e), *getattr(e, "__notes__", [])])
    except Exception:
        why = traceback.format_exc()
    return name, why, context.notes, time.monotonic() - began


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--work", required=True)
    arguments.add_argument("--long", action="store_true")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--times", action="store_true")
    arguments.add_argument("names", nargs="*")
    args = arguments.parse_args()
    print(f"seed {args.seed}", flush=True)
    build = Build(args.build, args.work)
    # The slow ones first, so that none is left alone at the end.
    jobs = [
        (name, Context(build, args.long, args.seed))
        for name, function in sorted(tests(), key=lambda test: -getattr(test[1], "seconds", 0))
        if not args.names or any(wanted in name for wanted in args.names)
    ]
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(AT_ONCE) as pool:
        for done in concurrent.futures.as_completed(pool.submit(run, job) for job in jobs):
            name, why, notes, took = done.result()
            for line in notes + ([f"{took:.1f} s"] if args.times else []):
                print(f"    {line}")
            for line in why.splitlines() if why else []:
                print(f"    {line}")
            print(f"{'FAIL' if why else 'PASS'} {name}", flush=True)
            failed += why is not None
    sys.stdout.flush()
    return failed > 0


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
