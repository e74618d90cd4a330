#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""test_lints - every lint finds what it is for, says where, and is content with what is right

Each case is a tree of a few files, and the line that a lint must say about it; or
none, where there is nothing to say.  What the compiler is to make of a file is
compiled: trees and builds are one folder here.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX = ("SPDX-License-Identifier: MIT", "SPDX-FileCopyrightText: The Annex authors")
CC = shlex.split(os.environ.get("CC") or "gcc")
HASH = "".join(f"# {line}\n" for line in SPDX)
MADE = ".libs/"

ARROWS = [
    ("A folder includes one above it",
     {"framework/base/a.c": '#include "xml/parser.h"\n'},
     r"framework/base/a\.c:1: base includes xml/parser\.h"),
    ("stream and store do not know each other",
     {"framework/stream/a.c": "\n#include \"store/store.h\"\n"},
     r"framework/stream/a\.c:2: stream includes store/store\.h"),
    ("A public header belongs to a folder as well",
     {"framework/base/a.c": "#include <annex/stanza.h>\n", "framework/include/annex/stanza.h": ""},
     r"framework/base/a\.c:1: base includes annex/stanza\.h, which is service's"),
    ("A library is one folder's affair",
     {"framework/service/a.c": "#include <lmdb.h>\n"},
     r"framework/service/a\.c:1: service includes <lmdb\.h>"),
    ("The framework names a component",
     {"framework/worker/a.c": 'int a(void)\n{\n\treturn is("muc");\n}\n'},
     r'framework/worker/a\.c:3: the framework names a component \("muc"\)'),
    ("A comment may name one",
     {"framework/worker/a.c": '/* "muc" */\n'}, None),
    ("A public header includes a private one",
     {"framework/include/annex/a.h": '#include "base/buf.h"\n'},
     r"framework/include/annex/a\.h:1: a public header includes base/buf\.h"),
    ("A public header includes a library",
     {"framework/include/annex/a.h": "#include <lmdb.h>\n"},
     r"framework/include/annex/a\.h:1: a public header includes lmdb\.h"),
    ("A component includes another",
     {"components/a/a.c": '#include "../b/b.h"\n', "components/b/b.h": ""},
     r"components/a/a\.c:1: a component includes \.\./b/b\.h"),
    ("A component includes the framework",
     {"components/a/a.c": '#include "base/buf.h"\n'},
     r"components/a/a\.c:1: a component includes base/buf\.h"),
    ("A component includes its own files, libraries and public headers",
     {"components/a/a.c": '#include <string.h>\n#include <annex/pool.h>\n#include "b.h"\n',
      "components/a/b.h": "", "framework/include/annex/pool.h": ""}, None),
    ("Arrows that point the right way",
     {"framework/service/a.c": '#include "store/store.h"\n#include "stream/stream.h"\n'
                               '#include <annex/store.h>\n#include "b.h"\n',
      "framework/service/b.h": ""}, None),
    ("A folder that nobody heard of",
     {"framework/new/a.c": ""}, r"framework/new/a\.c: nobody knows what this folder sees"),
]

PUBLIC = ('#pragma GCC visibility push(default)\nint annex_a(int a);\n'
          'static inline int annex_b(void) { return annex_a(1); }\n#pragma GCC visibility pop\n')
SYMBOLS = [
    ("What is declared is exported, and nothing else",
     {"framework/include/annex/a.h": PUBLIC, "framework/.libs/libannex.so": "int annex_a(int a) { return a; }",
      "components/a/.libs/a.so": "const int annex_module = 1;"}, None),
    ("A function without its prefix",
     {"framework/include/annex/a.h": PUBLIC,
      "framework/.libs/libannex.so": "int annex_a(int a) { return a; } int pool(void) { return 1; }"},
     r"libannex\.so: exports pool;"),
    ("A function that is not declared",
     {"framework/include/annex/a.h": PUBLIC,
      "framework/.libs/libannex.so": "int annex_a(int a) { return a; } int annex_c(void) { return 1; }"},
     r"libannex\.so: exports annex_c, which no public header declares"),
    ("A function that is not there",
     {"framework/include/annex/a.h": PUBLIC, "framework/.libs/libannex.so": "int annexp_a;"},
     r"framework/include/annex/a\.h:2: annex_a is declared and not exported"),
    ("A private function that is not declared",
     {"framework/include/annex/a.h": PUBLIC,
      "framework/.libs/libannex.so": "int annex_a(int a) { return a; } int annexp_x(void) { return 1; }"},
     r"exports annexp_x, which no header declares"),
    ("A module that exports more than its descriptor",
     {"framework/include/annex/a.h": PUBLIC, "framework/.libs/libannex.so": "int annex_a(int a) { return a; }",
      "components/a/.libs/a.so": "const int annex_module = 1; int helper(void) { return 2; }"},
     r"components/a/\.libs/a\.so: exports helper"),
    ("A module without a descriptor",
     {"framework/include/annex/a.h": PUBLIC, "framework/.libs/libannex.so": "int annex_a(int a) { return a; }",
      "components/a/.libs/a.so": "static int a;"},
     r"components/a/\.libs/a\.so: does not export annex_module"),
]

MAIN = "int main(void) { return 0; }"
USES_EXPAT = "extern void *XML_ParserCreate(const char *); int main(void) { return !XML_ParserCreate(0); }"
PROGRAMS = {"framework/supervisor/.libs/annexd": MAIN, "framework/ctl/.libs/annexctl": MAIN,
            "framework/worker/.libs/annex-worker": MAIN,
            "framework/.libs/libannex.so": "int a;", "components/a/.libs/a.so": "int a;"}
LINKAGE = [
    ("Programs that load nothing", PROGRAMS, None),
    ("A supervisor that parses XML",
     {**PROGRAMS, "framework/supervisor/.libs/annexd": USES_EXPAT + "// -lexpat"},
     r"annexd: loads libexpat"),
    ("A program that binds late", {**PROGRAMS, "framework/ctl/.libs/annexctl": MAIN + "// -Wl,-z,lazy"},
     r"annexctl: binds symbols when they are called"),
    ("A stack that can be executed",
     {**PROGRAMS, "components/a/.libs/a.so": "int a;// -Wl,-z,execstack"}, r"a\.so: has a stack"),
    ("A program at a fixed address",
     {**PROGRAMS, "framework/worker/.libs/annex-worker": MAIN + "// -no-pie"},
     r"annex-worker: is not position-independent"),
    ("A program that is not there",
     {"framework/ctl/.libs/annexctl": MAIN}, r"annexd: ldd:"),
]

MUTABLE = [
    ("Constant tables, with addresses as well",
     {"framework/base/a.c": "const int a = 1; static const char *const b[] = { \"x\", \"y\" };"
                            "const char *c(int i) { return b[i]; }"}, None),
    ("A variable", {"framework/base/a.c": "\nstatic int counter = 3;\nint a(void) { return ++counter; }"},
     r"framework/base/a\.c:2: counter can be changed"),
    ("A variable of zeroes", {"framework/base/a.c": "int counter[10];"},
     r"framework/base/a\.c:1: counter can be changed"),
    ("A variable of a function",
     {"framework/base/a.c": "int a(void)\n{\n\tstatic int seen;\n\treturn ++seen;\n}"},
     r"framework/base/a\.c:3: seen(\.\d+)? can be changed"),
    ("A variable of a thread", {"framework/base/a.c": "_Thread_local int mine;"},
     r"framework/base/a\.c:1: mine can be changed"),
    ("A table that forgot a const",
     {"framework/base/a.c": "static const char *b[] = { \"x\", \"y\" };"
                            "const char **c(void) { return b; }"},
     r"framework/base/a\.c:1: b can be changed"),
    ("A component's variable", {"components/a/a.c": "int counter;"},
     r"components/a/a\.c:1: counter can be changed"),
    ("What sanitizers add",
     {"framework/base/a.c": "const int a = 1; const char *const b = \"x\"; int d(int x) { return x + 1; }"
                            "// -fsanitize=address,undefined"}, None),
    ("A variable among what sanitizers add",
     {"framework/base/a.c": "int counter = 3;// -fsanitize=address,undefined"},
     r"framework/base/a\.c:1: counter can be changed"),
]

with open(os.path.join(HERE, "../../.clang-format"), encoding="utf-8") as _f:
    STYLE = {".clang-format": _f.read()}
FORMAT = [
    ("In style", {**STYLE, "framework/a.c": "int\nmain(void)\n{\n\treturn 0;\n}\n"}, None),
    ("Not in style", {**STYLE, "framework/a.c": "\nint main(void) {\n  return 0;\n}\n"},
     r"framework/a\.c:[23]: is not in the tree's style"),
]

WORDS = [
    ("Nothing wrong", {"tests/run": "#!/bin/sh\n" + HASH + "a() {\n\techo a \\\n\t    b\n}\n"}, None),
    ("No licence", {"tests/run": "#!/bin/sh\n"}, r"tests/run:1: lacks SPDX-License-Identifier: MIT"),
    ("Things left undone", {"tests/a.py": HASH + "# TO" "DO: more\n"}, r"tests/a\.py:3: says TO" "DO"),
    ("White space at an end", {"tests/a.py": HASH + "a = 1 \n"}, r"tests/a\.py:3: ends in white space"),
    ("Tabs behind spaces", {"tests/run": "#!/bin/sh\n" + HASH + "    \techo\n"},
     r"tests/run:4: has tabs behind spaces"),
    ("A last line without an end", {"tests/a.py": HASH + "a = 1"},
     r"tests/a\.py:3: does not end its last line"),
    ("Empty lines at the end", {"tests/a.py": HASH + "\n\n"}, r"tests/a\.py:4: ends in empty lines"),
    ("Bytes that are no text", {"tests/a.py": b"\xff\xfe"}, r"tests/a\.py: is not UTF-8"),
]

MANUAL = "".join(f'.\\" {line}\n' for line in SPDX) + """.Dd November 21, 2026
.Dt ANNEXD 8
.Os
.Sh NAME
.Nm annexd
.Nd does things
.Sh DESCRIPTION
It does.
.Bl -tag -width Ds
.It Fl h , Fl Fl help
Help.
.El
"""
HELP = '#include <stdio.h>\nint main(void) { puts("-h, --help   help"); return 0; }'
MANUALS = {
    "framework/supervisor/.libs/annexd": HELP, "framework/ctl/.libs/annexctl": HELP,
    "framework/supervisor/annexd.8": MANUAL,
    "framework/ctl/annexctl.1": MANUAL.replace("ANNEXD 8", "ANNEXCTL 1").replace("annexd", "annexctl"),
    "framework/worker/annex-component.7": MANUAL.replace("ANNEXD 8", "ANNEX-COMPONENT 7")
    .replace("annexd", "annex-component")
    .replace(".It Fl h ,", ".It In annex/a.h , In annex/b.h\nTwo.\n.It Fl h ,"),
    "framework/include/annex/a.h": "", "framework/include/annex/b.h": "",
    "framework/Makefile.inc": "sbin_PROGRAMS += framework/supervisor/annexd\n"
                              "bin_PROGRAMS += framework/ctl/annexctl\n"
                              "dist_man_MANS += framework/supervisor/annexd.8 \\\n"
                              "\tframework/ctl/annexctl.1 \\\n"
                              "\tframework/worker/annex-component.7\n",
}
MANUAL_CASES = [
    ("Nothing wrong", MANUALS, None),
    ("A program without a manual",
     {**MANUALS, "tests/Makefile.inc": "\nbin_PROGRAMS += tests/play\n"},
     r"tests/Makefile\.inc:2: tests/play has no manual"),
    ("A module without a manual",
     {**MANUALS, "tests/Makefile.inc": "module_LTLIBRARIES += components/a/a.la\n"},
     r"tests/Makefile\.inc:1: components/a/a\.la has no manual"),
    ("A manual that mandoc does not like",
     {**MANUALS, "framework/supervisor/annexd.8": MANUAL + ".Bl -tag -width Ds\n.It a\n"},
     r"framework/supervisor/annexd\.8:1\d: mandoc: "),
    ("An option that the manual does not name",
     {**MANUALS, "framework/supervisor/.libs/annexd": HELP.replace("--help", "--help --fast")},
     r"framework/supervisor/annexd\.8: does not name --fast"),
    ("A manual that is not installed",
     {**MANUALS, "framework/a.7": MANUAL}, r"framework/a\.7: is not installed"),
    ("A manual that was not written",
     {**MANUALS, "tests/Makefile.inc": "dist_man_MANS += tests/a.1\n"},
     r"tests/Makefile\.inc:1: tests/a\.1 does not exist"),
    ("A header that the guide does not list",
     {**MANUALS, "framework/include/annex/c.h": ""},
     r"annex-component\.7: does not list annex/c\.h"),
]


def header(text):
    return {"framework/include/annex/a.h": f"#ifndef ANNEX_A_H\n#define ANNEX_A_H\n{text}\n#endif\n",
            "framework/Makefile.inc": "annexinclude_HEADERS = \\\n\tframework/include/annex/a.h\n"}


HEADERS = [
    ("Nothing wrong", header("#include <stddef.h>\nsize_t a(size_t b);"), None),
    ("A header that needs another", header("size_t a(void);"),
     r"framework/include/annex/a\.h:3: does not compile alone as c11"),
    ("A header that is no C++", header("int a(int class);"),
     r"framework/include/annex/a\.h:3: does not compile alone as c\+\+17"),
    ("A header that is not installed",
     {**header("int a(void);"), "framework/Makefile.inc": ""},
     r"framework/include/annex/a\.h: is not installed"),
    ("A header without a guard",
     {**header(""), "framework/include/annex/a.h": "int a(void);\n"},
     r"framework/include/annex/a\.h:1: has no guard"),
    ("A header that is gone",
     {"framework/Makefile.inc": "annexinclude_HEADERS = framework/include/annex/b.h\n"},
     r"framework/Makefile\.inc: installs b\.h, which does not exist"),
]

SHELL = [
    ("Nothing wrong", {"tests/a": "#!/bin/sh\necho\n", "tests/b.py": "a = 1\n"}, None),
    ("What dash does not parse", {"tests/a": "#!/bin/sh\n\nif true; then\n"}, r"tests/a:\d: dash: "),
    ("What dash does not know", {"tests/a.sh": "a() {\n\tb=(1 2)\n}\n"}, r"tests/a\.sh:2: dash: "),
    ("What Python does not parse", {"tests/b.py": "\nif a\n"}, r"tests/b\.py:2: python: "),
    ("A script that cannot be executed", {"tests/a.txt": "#!/bin/sh\necho\n"},
     r"tests/a\.txt:1: cannot be executed"),
]

BUG = ("Breaks: what was well.\nRule: all is well.\nTests: tests/unit/test_a\n\n"
       "--- a/framework/a.c\n+++ b/framework/a.c\n@@ -1 +1 @@\n-int a = 1;\n+int a = 2;\n")
PLANTED_TREE = {"framework/a.c": "int a = 1;\n", "tests/planted/01-a.patch": BUG,
                "tests/Makefile.inc": "TESTS += tests/unit/test_a\n"}
PLANTED = [
    ("Nothing wrong", PLANTED_TREE, None),
    ("A patch that does not apply", {**PLANTED_TREE, "framework/a.c": "int a = 3;\n"},
     r"tests/planted/01-a\.patch: no longer applies"),
    ("A test that there is not", {**PLANTED_TREE, "tests/Makefile.inc": ""},
     r"tests/planted/01-a\.patch:3: tests/unit/test_a is no test"),
    ("A patch without a rule",
     {**PLANTED_TREE, "tests/planted/01-a.patch": BUG.replace("Rule: ", "Because: ")},
     r"tests/planted/01-a\.patch:1: does not say Rule:"),
]

FAULTS = """static const struct annex_error faults[] = {
	[FAULT_CONFLICT] = PLAIN(ANNEX_CONFLICT),
	[FAULT_FULL] =
	    WITH(ANNEX_CONFLICT, ANNEX_ERROR_WAIT, "full"),
	[FAULT_NEVER] = UNSUPPORTED("all"),
};
"""
TALK = """> <iq id='q1' type='set'><a xmlns='urn:a'><make node='n'/></a></iq>
< iq[@id='q1']/error[@type='cancel'][conflict]
> <iq id='q2' type='set'><a xmlns='urn:a'><make/></a></iq>
< <iq id='q2' type='error'>
    <error type='wait'><conflict/><full xmlns='urn:e'/></error>
  </iq>
> <iq id='q3' type='set'><a xmlns='urn:a#owner'><make/></a></iq>
< iq[@id='q3']/error[@type='cancel'][feature-not-implemented]/unsupported[@feature='all']
"""
ERRORS = """# a comment
1.1  make        conflict/cancel                 -                talk:q1  there is one
1.2  make        conflict/wait                   full             talk:q2  there is no room
-    owner/make  feature-not-implemented/cancel  unsupported=all  talk:q3  never
"""
DISCO = """< <iq id='q1'><query><feature var='urn:a'/></query></iq>
< iq[@id='q2']/query[not(feature/@var='urn:b')][feature/@var='urn:c']/feature[@var='urn:d']
"""
FEATURES = "urn:a talk\nurn:c talk other/talk\nurn:d talk\n"
PROOFS_TREE = {"components/a/fault.c": FAULTS, "tests/wire/a/talk.xct": TALK,
               "tests/wire/a/errors.table": ERRORS, "tests/wire/a/features.table": FEATURES,
               "tests/wire/a/disco.xct": DISCO,
               "tests/Makefile.inc": "WIRE_TESTS += tests/wire/a/talk.xct tests/wire/other/talk.xct\n"}
PROOFS = [
    ("Nothing wrong", PROOFS_TREE, None),
    ("An error that no row has",
     {**PROOFS_TREE, "tests/wire/a/errors.table": ERRORS.replace("unsupported=all  talk:q3", "-  talk:q3")},
     r"components/a/fault\.c:5: FAULT_NEVER is proven by no conversation"),
    ("A conversation that expects another type",
     {**PROOFS_TREE, "tests/wire/a/talk.xct": TALK.replace("[@type='cancel'][conflict]", "[conflict]")},
     r"errors\.table:2: talk:q1 does not expect conflict/cancel -"),
    ("A conversation that does not expect the element",
     {**PROOFS_TREE, "tests/wire/a/talk.xct": TALK.replace("<full xmlns='urn:e'/>", "")},
     r"errors\.table:3: talk:q2 does not expect conflict/wait full"),
    ("A stanza that asks for something else",
     {**PROOFS_TREE, "tests/wire/a/talk.xct": TALK.replace("#owner", "")},
     r"errors\.table:4: talk:q3 is no owner/make"),
    ("A conversation that there is not",
     {**PROOFS_TREE, "tests/wire/a/errors.table": ERRORS.replace("talk:q1", "walk:q1")},
     r"errors\.table:2: walk\.xct is no test"),
    ("A feature that nothing proves",
     {**PROOFS_TREE, "tests/wire/a/features.table": FEATURES.replace("urn:d talk\n", "")},
     r"disco\.xct: urn:d is proven by nothing"),
    ("A feature that nobody advertises",
     {**PROOFS_TREE, "tests/wire/a/features.table": FEATURES + "urn:b talk\n"},
     r"features\.table:4: no disco\.xct expects urn:b"),
    ("A feature that is proven by what is no test",
     {**PROOFS_TREE, "tests/wire/a/features.table": FEATURES + "urn:b walk\n"},
     r"features\.table:4: a/walk\.xct is no test"),
]

WORLD = """static const struct annex_translation german[] = {
	{ "One", "Eins" },
	{ "One and "
	  "two", "Eins und zwei" },
	{ 0 },
};
static const struct annex_translation french[] = {
	{ "One", "Un" },
	{ "One and two", "Un et deux" },
	{ 0 },
};
"""
WORLD_TREE = {"components/a/languages.c": WORLD,
              "components/a/a.c": 'f("One", "One"\n  " and two");\n/* "Three" */\n'}
LANGUAGES = [
    ("Nothing wrong", WORLD_TREE, None),
    ("A text that one language lacks",
     {**WORLD_TREE, "components/a/languages.c": WORLD.replace('\t{ "One", "Un" },\n', "")},
     r'components/a/languages\.c: french lacks "One"'),
    ("A text that is there twice",
     {**WORLD_TREE, "components/a/languages.c": WORLD.replace('"One and two", "Un', '"One", "Un')},
     r'components/a/languages\.c:9: "One" is in french twice'),
    ("A text that nothing says any more",
     {**WORLD_TREE, "components/a/languages.c": WORLD.replace('"One"', '"Three"')},
     r'components/a/languages\.c:2: nothing says "Three"'),
]

CASES = {"arrows": ARROWS, "symbols": SYMBOLS, "linkage": LINKAGE, "mutable": MUTABLE,
         "format": FORMAT, "words": WORDS, "manuals": MANUAL_CASES, "headers": HEADERS,
         "languages": LANGUAGES, "planted": PLANTED, "proofs": PROOFS, "shell": SHELL}
# Those that look at what was built.
COMPILED = {"symbols", "linkage", "mutable", "manuals"}


def write(top, name, content):
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    if isinstance(content, str) and content.startswith("#!") and not name.endswith(".txt"):
        os.chmod(path, 0o755)
    return path


def compile_into(top, name, text):
    """TEXT ends in // and more flags, where it has any."""
    source, _, flags = text.partition("// ")
    if name.endswith(".c"):
        path = write(top, name, source)
        out, how = path[:-2] + ".o", ["-c", "-fPIC"]
    else:
        out = os.path.join(top, name)
        path = write(top, name + ".c", source)
        hardened = ["-Wl,-z,relro", "-Wl,-z,now"]
        how = ["-shared", "-fPIC", *hardened] if name.endswith(".so") else ["-fPIE", "-pie", *hardened]
    subprocess.run([*CC, *how, "-w", "-o", out, path, *flags.split()], check=True)
    if not name.endswith(".c"):
        os.remove(path)


def judge(lint, tree):
    with tempfile.TemporaryDirectory() as top:
        for folder in ("framework", "components", "tests", "framework/include"):
            os.makedirs(os.path.join(top, folder), exist_ok=True)
        for name, text in tree.items():
            if lint in COMPILED and (MADE in name or name.endswith(".c")):
                compile_into(top, name, text)
            else:
                write(top, name, text)
        done = subprocess.run([os.path.join(HERE, lint)], cwd=top, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, "TOP": top, "BUILD": top})
        return done.returncode, done.stdout.decode(errors="replace")


failed = 0
for lint, cases in CASES.items():
    for what, tree, expected in cases:
        status, said = judge(lint, tree)
        found = expected is None or re.search(expected, said, re.M)
        if not found or status != (expected is not None) or (expected is None and said):
            failed += 1
            print(f"FAIL {lint}: {what}\n     expected {expected!r}, exit status "
                  f"{int(expected is not None)}; got {status}:\n{said}")
sys.exit(1 if failed else 0)
