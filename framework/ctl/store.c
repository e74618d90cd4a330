/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * store.c - what is done to a component's store
 *
 *	backup FILE     a running worker copies into a file that we opened
 *	stat            a running worker tells
 *	verify [FILE]   a backup, or a copy of the store made for it
 *	export [FILE]   the same, as JSON Lines; to FILE or standard output
 *	restore FILE    while the worker is down
 *	import FILE     while the worker is down
 *
 * A store belongs to one process.  What only looks gets a copy of its own
 * from the worker, or the store itself where no worker runs; what replaces
 * it wants the worker down first.  A target appears under its name when it
 * is whole and on disk, or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "control/address.h"

#include "ctl.h"
#include "table.h"

#define BACKUP_SILENCE_MS -1 /* a large store takes the time it takes */

/* A file that gets its name when it is finished. */
struct target {
	const char *path;
	char *part; /* until then */
	int fd;
};

static int
target_open(struct ctl *ctl, struct target *target, const char *path)
{
	struct stat st;

	/* Its name would be taken from a device, and for good: /dev/null is what comes to mind. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return ctl_complain(
		    ctl, CTL_BAD, "%s is there, and is no file that could be replaced", path);
	target->path = path;
	target->part = annex_sprintf(ctl->pool, "%s.XXXXXX", path);
	/* O_CREAT | O_EXCL, mode 0600. */
	target->fd = mkostemp(target->part, O_CLOEXEC);
	if (target->fd < 0)
		return ctl_complain(
		    ctl, CTL_BAD, "cannot write beside %s: %s", path, strerror(errno));
	return CTL_FINE;
}

static void
target_discard(struct target *target)
{
	unlink(target->part);
	io_close(&target->fd);
}

static int
sync_directory_of(struct ctl *ctl, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dir = slash == NULL ? "."
	    : slash == path             ? "/"
					: annex_strndup(ctl->pool, path, (size_t)(slash - path));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -1;
	r = fsync(fd);
	io_close(&fd);
	return r;
}

static int
target_finish(struct ctl *ctl, struct target *target)
{
	if (fsync(target->fd) < 0 || rename(target->part, target->path) < 0 ||
	    sync_directory_of(ctl, target->path) < 0) {
		ctl_complain(ctl, CTL_BAD, "cannot finish %s: %s", target->path, strerror(errno));
		target_discard(target);
		return CTL_BAD;
	}
	io_close(&target->fd);
	return CTL_FINE;
}

static bool
worker_runs(struct ctl *ctl, const char *domain)
{
	struct sockaddr_un address;
	int fd = -1;

	if (address_of_path(&address, ctl_socket(ctl, domain)) == ANNEX_OK)
		fd = address_connect(&address);
	if (fd < 0)
		return false;
	io_close(&fd);
	return true;
}

static int
copy_into(struct ctl *ctl, const char *domain, int fd)
{
	int status = CTL_FINE;
	json_t *answer = ctl_ask(ctl, domain, "store-backup", NULL, fd, BACKUP_SILENCE_MS, &status);

	json_decref(answer);
	return status;
}

static int
store_backup(struct ctl *ctl, const char *domain, const char *file)
{
	struct target target;
	struct stat st = { .st_size = 0 };
	int status;

	if ((status = target_open(ctl, &target, file)) != CTL_FINE)
		return status;
	if ((status = copy_into(ctl, domain, target.fd)) != CTL_FINE) {
		target_discard(&target);
		return status;
	}
	fstat(target.fd, &st);
	if ((status = target_finish(ctl, &target)) != CTL_FINE)
		return status;
	if (ctl->json)
		fprintf(ctl->out, "{\"bytes\": %lld}\n", (long long)st.st_size);
	else
		fprintf(ctl->out, "%s: backed up to %s (%s)\n", domain, file,
		    text_bytes(ctl->pool, (double)st.st_size));
	return CTL_FINE;
}

static int
store_stat(struct ctl *ctl, const char *domain, const char *file)
{
	char command[] = "store-stat";
	char *words[] = { command };

	return component_command(ctl, domain, words, 1);
}

/* annex-worker --store WHAT DOMAIN [FILE] -c CONFIG */
static int
run_offline(struct ctl *ctl, const char *what, const char *domain, const char *file, int stdout_fd)
{
	const char *const argv[] = { "--store", what, "-c", ctl->config, "--", domain, file, NULL };

	return ctl_run_worker(ctl, argv, stdout_fd);
}

/* Run what on a copy that the worker makes, in a private directory that goes with it. */
static int
look_at_copy(struct ctl *ctl, const char *what, const char *domain, int stdout_fd)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = annex_sprintf(ctl->pool, "%s/annexctl.XXXXXX", tmp != NULL ? tmp : "/var/tmp");
	const char *copy;
	int status = CTL_BAD, fd;

	if (mkdtemp(dir) == NULL)
		return ctl_complain(ctl, CTL_BAD, "cannot make %s for a copy: %s (set $TMPDIR)",
		    dir, strerror(errno));
	copy = annex_sprintf(ctl->pool, "%s/copy", dir);
	fd = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		ctl_complain(ctl, CTL_BAD, "cannot make %s: %s", copy, strerror(errno));
	else if ((status = copy_into(ctl, domain, fd)) == CTL_FINE)
		status = run_offline(ctl, what, domain, copy, stdout_fd);
	io_close(&fd);
	unlink(copy);
	rmdir(dir);
	return status;
}

static int
look(struct ctl *ctl, const char *what, const char *domain, int stdout_fd)
{
	if (worker_runs(ctl, domain))
		return look_at_copy(ctl, what, domain, stdout_fd);
	return run_offline(ctl, what, domain, NULL, stdout_fd);
}

static int
store_verify(struct ctl *ctl, const char *domain, const char *file)
{
	if (file != NULL)
		return run_offline(ctl, "verify", domain, file, -1);
	return look(ctl, "verify", domain, -1);
}

static int
store_export(struct ctl *ctl, const char *domain, const char *file)
{
	struct target target;
	int status;

	if (file == NULL || strcmp(file, "-") == 0)
		return look(ctl, "export", domain, -1);
	if ((status = target_open(ctl, &target, file)) != CTL_FINE)
		return status;
	if ((status = look(ctl, "export", domain, target.fd)) == CTL_FINE)
		return target_finish(ctl, &target);
	target_discard(&target);
	return status;
}

static int
replace(struct ctl *ctl, const char *what, const char *domain, const char *file)
{
	int status;

	if (worker_runs(ctl, domain))
		return ctl_complain(ctl, CTL_WARNING,
		    "%s is running; to %s its store let it go down first: annexctl drain %s",
		    domain, what, domain);
	if ((status = run_offline(ctl, what, domain, file, -1)) == CTL_FINE && !ctl->json)
		fprintf(ctl->out, "%s: done; start it with: annexctl restart %s\n", domain, domain);
	return status;
}

static int
store_restore(struct ctl *ctl, const char *domain, const char *file)
{
	return replace(ctl, "restore", domain, file);
}

static int
store_import(struct ctl *ctl, const char *domain, const char *file)
{
	return replace(ctl, "import", domain, file);
}

static const struct {
	const char *what;
	int (*run)(struct ctl *ctl, const char *domain, const char *file);
	bool file_needed, file_taken;
} whats[] = {
	{ "backup", store_backup, true, true },
	{ "restore", store_restore, true, true },
	{ "verify", store_verify, false, true },
	{ "export", store_export, false, true },
	{ "import", store_import, true, true },
	{ "stat", store_stat, false, false },
};

int
store_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	const char *what = count > 0 ? words[0] : "", *file = count > 1 ? words[1] : NULL;

	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		if (strcmp(whats[i].what, what) != 0)
			continue;
		if (file == NULL && whats[i].file_needed)
			return ctl_complain(ctl, CTL_BAD, "store %s needs a FILE", what);
		if (count > (whats[i].file_taken ? 2 : 1))
			return ctl_complain(
			    ctl, CTL_BAD, "store %s takes no \"%s\"", what, words[count - 1]);
		return whats[i].run(ctl, domain, file);
	}
	return ctl_complain(ctl, CTL_BAD,
	    "store%s%s: there are backup, restore, verify, export, import and stat",
	    count > 0 ? " " : "", what);
}
