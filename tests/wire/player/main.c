/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * main.c - annex-play: plays conversations against a component, in every way
 *
 *	whole     each group of stanzas in one piece
 *	bytes     byte by byte
 *	split:N   at random places; N seeds them
 *	soft:N    call N of the store fails, for every N
 *	hard:N    ... with an I/O error, for every N
 *
 * Each run has a store of its own, and a process for some of them is forked:
 * many in a row, for forking costs more than most runs; one where a
 * conversation ends its worker by a crash, for what that leaves behind.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <annex/pool.h>

#include "play.h"

#define IN_A_ROW 256
#define ROOM_WANTED (64UL << 20)

#define SENT_HEAD                                                                       \
	"<stream:stream xmlns='" ANNEX_NS_STANZA "' xmlns:stream='http://etherx.jabber" \
	".org/streams'>\n"

struct file {
	const struct options *options;
	struct annex_pool *pool;
	const char *path;
	struct script *script;
	struct setting setting;
	char *dir;
	char *section;
	size_t section_len;
	struct notes *notes;
	char *sent_path, *sent_part; /* the whole, and while it grows; NULL: not written */
	unsigned long in_a_row;      /* runs of a process */
	struct play *graves;
};

/*
 * What a sanitizer ends must not look like a conversation that went wrong.  A run frees less than
 * 8 MB: what later runs free need not be new pages, nor the shadow of LMDB's megabytes.
 */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
	return "exitcode=99:quarantine_size_mb=8:clear_shadow_mmap_threshold=16777216";
}

/* --- Files --------------------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	return remove(path);
}

static void
remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
fresh_directories(const struct file *f)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/state", f->dir);
	remove_tree(path);
	mkdir(path, 0700);
}

/* The file of the module, absolute; NULL where there is none. */
static char *
find_module(const struct options *o, struct annex_pool *pool, const char *name)
{
	char *path = NULL, *real, *kept;

	if (o->module != NULL)
		path = annex_strdup(pool, o->module);
	for (size_t i = 0; path == NULL && o->module_dirs[i] != NULL; i++) {
		path = annex_sprintf(pool, "%s/%s.so", o->module_dirs[i], name);
		if (access(path, R_OK) != 0)
			path = NULL;
	}
	if (path == NULL || (real = realpath(path, NULL)) == NULL)
		return NULL;
	kept = annex_strdup(pool, real);
	free(real);
	return kept;
}

/* "echo" of /lib/annex/echo.so, or of tests/wire/echo/ping.xct. */
static const char *
module_name(const struct file *f)
{
	const char *from = f->options->module != NULL ? f->options->module : f->path;
	char *copy = annex_strdup(f->pool, from), *name;

	if (f->options->module != NULL) {
		name = basename(copy);
		name[strcspn(name, ".")] = '\0';
		return name;
	}
	return annex_strdup(f->pool, basename(dirname(copy)));
}

static void
open_sent(struct file *f)
{
	char *copy = annex_strdup(f->pool, f->path), *name = basename(copy);
	FILE *out;

	if (f->options->sent_dir == NULL)
		return;
	name[strcspn(name, ".")] = '\0';
	mkdir(f->options->sent_dir, 0777);
	f->sent_path =
	    annex_sprintf(f->pool, "%s/%s-%s.xml", f->options->sent_dir, f->setting.name, name);
	f->sent_part = annex_sprintf(f->pool, "%s.part", f->sent_path);
	unlink(f->sent_path);
	if ((out = fopen(f->sent_part, "w")) == NULL)
		err(2, "%s", f->sent_part);
	fputs(SENT_HEAD, out);
	fclose(out);
}

static void
close_sent(struct file *f)
{
	FILE *out = f->sent_part == NULL ? NULL : fopen(f->sent_part, "a");

	if (out == NULL)
		return;
	fputs("</stream:stream>\n", out);
	fclose(out);
	if (rename(f->sent_part, f->sent_path) < 0)
		err(2, "%s", f->sent_path);
}

/* --- One run ------------------------------------------------------------------------ */

static void
one_run(struct file *f, enum run_kind kind, unsigned long number)
{
	struct play *p = calloc(1, sizeof(*p));

	fresh_directories(f);
	f->notes->failed_call = false;
	f->notes->line = 0;
	f->notes->number = number;
	f->notes->runs++;
	p->options = f->options;
	p->script = f->script;
	p->kind = kind;
	p->number = number;
	p->notes = f->notes;
	p->pool = annex_pool_create(NULL, "play");
	p->dir = f->dir;
	p->setting = f->setting;
	p->section = f->section;
	p->section_len = f->section_len;
	if (f->sent_part != NULL)
		p->sent = fopen(f->sent_part, "a");
	play_run(p);
	if (p->buried == 0)
		free(p);
	else
		f->graves = p; /* what crashed cannot be taken apart */
}

/* From number on, count runs; fewer where a call of the store that is to fail is not reached. */
static _Noreturn void
be_runs(struct file *f, enum run_kind kind, unsigned long number, unsigned long count)
{
	bool fails = kind == RUN_SOFT || kind == RUN_HARD;
	char **before = environ;

	for (unsigned long end = number + count; number < end; number++) {
		one_run(f, kind, number);
		environ = before; /* a component's doing ends with its run */
		if (fails && !f->notes->failed_call)
			break;
	}
	exit(0);
}

/* True where all passed. */
static bool
run(struct file *f, enum run_kind kind, unsigned long number, unsigned long count)
{
	char name[40];
	int status;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) < 0)
		err(2, "fork");
	if (pid == 0)
		be_runs(f, kind, number, count);
	if (waitpid(pid, &status, 0) < 0)
		err(2, "waitpid");
	if (WIFSIGNALED(status) || WEXITSTATUS(status) > 1)
		fprintf(stderr, "%s:%u: the worker died (%s)\n  again: annex-play --run %s %s\n",
		    f->path, f->notes->line,
		    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "see the report above",
		    run_name(kind, f->notes->number, name), f->path);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- All runs of a file ----------------------------------------------------------------- */

static bool
run_named(struct file *f, const char *name)
{
	unsigned long number = 0;
	char kind[16], known[40];

	if (sscanf(name, "%15[a-z]:%lu", kind, &number) < 1)
		errx(2, "no such run: %s", name);
	for (enum run_kind k = RUN_WHOLE; k <= RUN_HARD; k++)
		if (strncmp(run_name(k, number, known), kind, strlen(kind)) == 0)
			return run(f, k, number, 1);
	errx(2, "no such run: %s", name);
}

/* The call that fails moves on until a run ends without reaching it. */
static bool
run_failing(struct file *f, enum run_kind kind, unsigned long *reached)
{
	for (unsigned long n = 1;; n += f->in_a_row) {
		if (!run(f, kind, n, f->in_a_row))
			return false;
		if (!f->notes->failed_call) {
			*reached = f->notes->number - 1;
			return true;
		}
	}
}

static bool
run_in_pieces(struct file *f)
{
	const struct options *o = f->options;

	if (!run(f, RUN_BYTES, 0, 1))
		return false;
	for (unsigned long done = 0, n; done < o->splits; done += n) {
		n = o->splits - done < f->in_a_row ? o->splits - done : f->in_a_row;
		if (!run(f, RUN_SPLIT, o->seed + done, n))
			return false;
	}
	return true;
}

static bool
run_all(struct file *f)
{
	const struct options *o = f->options;
	unsigned long calls = 0;

	if (!run(f, RUN_WHOLE, 0, 1))
		return false;
	if (o->quick)
		return true;
	if (!script_has(f->script, "whole") && !run_in_pieces(f))
		return false;
	if (!script_has(f->script, "steady") &&
	    (!run_failing(f, RUN_SOFT, &calls) || !run_failing(f, RUN_HARD, &calls)))
		return false;
	printf("%s: %lu runs (seeds %" PRIu64 " to %" PRIu64 ", %lu calls of the store)\n", f->path,
	    f->notes->runs, o->seed, o->seed + o->splits - 1, calls);
	return true;
}

static bool
prepare(struct file *f)
{
	const struct options *o = f->options;

	f->script = script_read(f->pool, f->path);
	f->in_a_row = script_has(f->script, "dies") ? 1 : IN_A_ROW;
	f->setting.dir = f->dir;
	f->setting.name = script_head(f->script, "component", module_name(f));
	f->setting.domain =
	    script_head(f->script, "domain", annex_sprintf(f->pool, "%s.test", f->setting.name));
	f->setting.options = script_head(f->script, "options", "");
	f->setting.section = script_head(f->script, "section", "");
	f->setting.module = find_module(o, f->pool, f->setting.name);
	if (f->setting.module == NULL) {
		warnx("%s: there is no module \"%s\"; name its directory with -m", f->path,
		    f->setting.name);
		return false;
	}
	f->section = section_make(f->pool, &f->setting, &f->section_len);
	if (f->section == NULL)
		warnx("%s: its options are not valid", f->path);
	return f->section != NULL;
}

/* Each run makes and removes some files, a sixth of its time where they are on a disk. */
static const char *
directory_for_files(void)
{
	static const char memory[] = "/dev/shm";
	const char *wanted = getenv("TMPDIR");
	struct statvfs room;

	if (wanted != NULL)
		return wanted;
	if (access(memory, W_OK | X_OK) == 0 && statvfs(memory, &room) == 0 &&
	    room.f_bavail * room.f_frsize >= ROOM_WANTED)
		return memory;
	return "/tmp";
}

static bool
play_file(const struct options *o, const char *path)
{
	struct file f = { .options = o, .path = path };
	bool passed;

	f.pool = annex_pool_create(NULL, "file");
	f.dir = annex_sprintf(f.pool, "%s/annex-play.XXXXXX", directory_for_files());
	if (mkdtemp(f.dir) == NULL)
		err(2, "%s", f.dir);
	f.notes =
	    mmap(NULL, sizeof(*f.notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f.notes == MAP_FAILED)
		err(2, "mmap");
	passed = prepare(&f);
	if (passed) {
		open_sent(&f);
		passed = o->only != NULL ? run_named(&f, o->only) : run_all(&f);
		close_sent(&f);
	}
	munmap(f.notes, sizeof(*f.notes));
	remove_tree(f.dir);
	annex_pool_destroy(&f.pool);
	return passed;
}

static _Noreturn void
usage(void)
{
	fputs("usage: annex-play [-qv] [-m DIR] [--module FILE] [--run RUN] [--seed N] "
	      "[--sent DIR] FILE...\n",
	    stderr);
	exit(2);
}

static void
read_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "module", required_argument, NULL, 'M' },
		{ "modules", required_argument, NULL, 'm' },
		{ "run", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "splits", required_argument, NULL, 'n' },
		{ "sent", required_argument, NULL, 'o' },
		{ "quick", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	const size_t most = sizeof(o->module_dirs) / sizeof(*o->module_dirs) - 2;
	size_t dirs = 0;
	int c;

	while ((c = getopt_long(argc, argv, "m:qv", longs, NULL)) != -1) {
		switch (c) {
		case 'M':
			o->module = optarg;
			break;
		case 'm':
			if (dirs < most)
				o->module_dirs[dirs++] = optarg;
			break;
		case 'r':
			o->only = optarg;
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			o->splits = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			o->sent_dir = optarg;
			break;
		case 'q':
			o->quick = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		default:
			usage();
		}
	}
	o->module_dirs[dirs] = MODULEDIR;
}

int
main(int argc, char **argv)
{
	struct options options = { .splits = 20, .seed = (uint64_t)time(NULL) % 100000 * 100 };
	bool passed = true;

	if (sodium_init() < 0)
		errx(2, "libsodium does not start");
	read_options(&options, argc, argv);
	if (optind == argc)
		usage();
	for (int i = optind; i < argc; i++)
		passed &= play_file(&options, argv[i]);
	return passed ? 0 : 1;
}
