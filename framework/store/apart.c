/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * apart.c - reading a file that may be damaged, in a process of its own
 *
 * LMDB trusts every page it is led to, so a flipped bit in a page number is
 * a crash.  A forked process opens the file and crashes for us; what it says
 * comes through a pipe, how it ended through shared memory.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

#include "apart.h"

struct apart_result {
	bool opened, finished;
	int status;
	char why[1024];
};

static int
run(const char *dir, const struct annex_table *const *tables, apart_fn *fn, FILE *out,
    struct apart_result *result)
{
	struct annex_pool *pool = annex_pool_create(NULL, "apart");
	struct store_options options = { .dir = dir, .read_only = true };
	struct clock clock;
	struct store_env env = { .io = &store_io_lmdb, .clock = &clock };
	struct annex_store *store;
	const char *why;
	int rc;

	clock_init_system(&clock);
	rc = store_open_mode(&store, &env, &options, tables, OPEN_COPY, pool, &why);
	if (rc < 0) {
		snprintf(result->why, sizeof(result->why), "%s", why);
	} else {
		result->opened = true;
		rc = fn(store, out);
		store_close(&store);
	}
	annex_pool_destroy(&pool);
	return rc;
}

/* A crash here is expected: no core, no handler, no words of LMDB's assertions. */
static void
expect_crash(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPIPE };
	struct rlimit no_core = { 0, 0 };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(1);
}

_Noreturn static void
child(const char *dir, const struct annex_table *const *tables, apart_fn *fn, int fd,
    struct apart_result *result)
{
	FILE *out = fdopen(fd, "w");

	expect_crash();
	if (out == NULL)
		_exit(1);
	result->status = run(dir, tables, fn, out, result);
	if (fclose(out) != 0)
		_exit(1);
	result->finished = true;
	_exit(0);
}

static int
pass_on(int fd, FILE *out)
{
	char bytes[16384];
	ssize_t n;
	bool good = true;

	while ((n = io_read_all(fd, bytes, sizeof(bytes))) > 0)
		good = good && fwrite(bytes, 1, (size_t)n, out) == (size_t)n;
	return good && n == 0 && fflush(out) == 0 ? ANNEX_OK : ANNEX_EIO;
}

static int
conclude(const struct apart_result *result, int wait_status, void (*crashed)(FILE *out, int sig),
    FILE *out, struct annex_pool *pool, const char **why)
{
	if (result->finished && result->status < 0 && !result->opened)
		return store_why(why, pool, result->status, "%s", result->why);
	if (result->finished)
		return result->status;
	crashed(out, WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0);
	return 1;
}

int
apart_run(const char *dir, const struct annex_table *const *tables, apart_fn *fn,
    void (*crashed)(FILE *out, int sig), FILE *out, struct annex_pool *pool, const char **why)
{
	struct apart_result *result;
	int fd[2], wait_status = 0, rc;
	pid_t pid;

	result =
	    mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED || pipe(fd) < 0)
		return store_why(why, pool, ANNEX_EIO, "%s", strerror(errno));
	fflush(out);
	if ((pid = fork()) == 0) {
		close(fd[0]);
		child(dir, tables, fn, fd[1], result);
	}
	close(fd[1]);
	rc = pid < 0 ? ANNEX_EIO : pass_on(fd[0], out);
	close(fd[0]);
	if (rc < 0)
		store_why(why, pool, rc, "cannot write what was found: %s", strerror(errno));
	if (pid > 0)
		while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
			continue;
	if (rc >= 0)
		rc = conclude(result, wait_status, crashed, out, pool, why);
	munmap(result, sizeof(*result));
	return rc;
}
