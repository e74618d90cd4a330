/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * offline.c - what is done to a store while nobody uses it
 *
 *	verify DOMAIN [COPY]      walk everything, of the store itself or of a backup
 *	export DOMAIN [COPY]      JSON Lines on standard output
 *	import DOMAIN FILE        into an empty store
 *	restore DOMAIN FILE       put a backup in its place
 *
 * The module is loaded for its tables.  A COPY is opened in a directory of its own, so that a
 * running worker is never in the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "check.h"
#include "program.h"
#include "section.h"
#include "worker.h"

struct offline {
	struct annex_pool *pool;
	struct section section;
	struct module module;
	const struct annex_table *tables[3];
	const char *file; /* NULL: the store itself */
	const char *why;
};

typedef int offline_fn(struct offline *o);

/* --- The section of one domain ----------------------------------------------------- */

static int
find_section(struct offline *o, const char *config, const char *domain)
{
	const char *text = check_section(config, domain, stderr, o->pool);

	if (text == NULL) {
		o->why = annex_sprintf(o->pool, "%s: no section for %s", config, domain);
		return ANNEX_EINVAL;
	}
	return section_read(text, strlen(text), o->pool, &o->section, &o->why);
}

/* --- A copy to look at -------------------------------------------------------------- */

static int
copy_file(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = io_read_all(from, bytes, sizeof(bytes))) > 0)
		if (io_write_all(to, bytes, (size_t)n) < 0)
			return ANNEX_EIO;
	return n < 0 ? (int)n : ANNEX_OK;
}

static void
copy_remove(struct offline *o, const char *dir)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "LOCK" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(annex_sprintf(o->pool, "%s/%s", dir, names[i]));
	rmdir(dir);
}

/* A private directory beside the file, with the copy as its data.mdb. */
static const char *
copy_dir(struct offline *o)
{
	char *dir = annex_sprintf(o->pool, "%s.XXXXXX", o->file), *data;
	int from, to, status, error;

	if (mkdtemp(dir) == NULL)
		return NULL;
	data = annex_sprintf(o->pool, "%s/data.mdb", dir);
	if (link(o->file, data) == 0)
		return dir;
	from = open(o->file, O_RDONLY | O_CLOEXEC);
	to = open(data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	status = from < 0 || to < 0 ? ANNEX_EIO : copy_file(from, to);
	error = errno;
	io_close(&from);
	io_close(&to);
	if (status == ANNEX_OK)
		return dir;
	copy_remove(o, dir);
	errno = error;
	return NULL;
}

static int
look(struct offline *o,
    int (*fn)(const char *, const struct annex_table *const *, FILE *, struct annex_pool *,
	const char **))
{
	const char *dir = o->section.state_dir;
	int status;

	if (o->file != NULL && (status = store_judge_backup(o->file, o->pool, &o->why)) < 0)
		return status;
	if (o->file != NULL)
		dir = copy_dir(o);
	if (dir == NULL) {
		o->why = annex_sprintf(o->pool, "%s: %s", o->file, strerror(errno));
		return ANNEX_EIO;
	}
	status = fn(dir, o->tables, stdout, o->pool, &o->why);
	if (o->file != NULL)
		copy_remove(o, dir);
	return status;
}

/* --- What can be done ----------------------------------------------------------------- */

static int
verify(struct offline *o)
{
	return look(o, store_verify);
}

static int export(struct offline *o)
{
	return look(o, store_export);
}

static int
import(struct offline *o)
{
	FILE *in = strcmp(o->file, "-") == 0 ? stdin : fopen(o->file, "re");
	int status;

	if (in == NULL) {
		o->why = annex_sprintf(o->pool, "%s: %s", o->file, strerror(errno));
		return ANNEX_EIO;
	}
	status = store_import(o->section.state_dir, o->tables, in, o->pool, &o->why);
	if (in != stdin)
		fclose(in);
	return status;
}

static int
restore(struct offline *o)
{
	int fd = open(o->file, O_RDONLY | O_CLOEXEC), status;

	if (fd < 0) {
		o->why = annex_sprintf(o->pool, "%s: %s", o->file, strerror(errno));
		return ANNEX_EIO;
	}
	status = store_restore(o->section.state_dir, fd, o->pool, &o->why);
	io_close(&fd);
	return status;
}

static const struct offline_what {
	const char *name;
	offline_fn *fn;
	bool needs_file;
} whats[] = {
	{ "verify", verify, false },
	{ "export", export, false },
	{ "import", import, true },
	{ "restore", restore, true },
};

static int
offline_run(struct offline *o, const char *config, const char *what, const char *domain)
{
	static const struct annex_table none[1];

	o->why =
	    annex_sprintf(o->pool, "there is no \"%s\": verify, export, import or restore", what);
	for (size_t i = 0; i < sizeof(whats) / sizeof(*whats); i++) {
		if (strcmp(whats[i].name, what) != 0)
			continue;
		if (whats[i].needs_file && o->file == NULL) {
			o->why = annex_sprintf(o->pool, "%s needs a file", what);
			return ANNEX_EINVAL;
		}
		if (find_section(o, config, domain) < 0 ||
		    module_load(o->section.module_path, o->pool, &o->module, &o->why) < 0)
			return ANNEX_EINVAL;
		o->tables[0] =
		    o->module.descriptor.tables != NULL ? o->module.descriptor.tables : none;
		o->tables[1] = service_tables;
		return whats[i].fn(o);
	}
	return ANNEX_EINVAL;
}

int
program_store(const char *config, const char *what, const char *domain, const char *file)
{
	struct offline o = { .pool = annex_pool_create(NULL, "offline"), .file = file };
	int status = offline_run(&o, config, what, domain);

	if (status < 0)
		fprintf(stderr, "annex-worker: %s\n", o.why);
	annex_pool_destroy(&o.pool);
	return status == 0 ? PROGRAM_STOPPED : PROGRAM_FAILED;
}
