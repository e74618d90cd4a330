/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * checked.c - a configuration in a directory of its own, and what is said of it
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "checked.h"

struct muc_settings {
	int64_t max_occupants, idle_ms;
	const char *owner, *title;
	struct annex_strings words;
};

static const struct annex_option muc_options[] = {
	ANNEX_OPTION(struct muc_settings, max_occupants, 1, 10000, "200", "Most occupants."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_TIME, struct muc_settings, idle_ms, 0, 3600000, "5m", "Idle after."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID, struct muc_settings, owner, 0, 0, "", "Who owns all."),
	ANNEX_OPTION(struct muc_settings, title, 0, 0, "", "A title."),
	ANNEX_OPTION(struct muc_settings, words, 0, 0, "", "Words."),
	{ 0 },
};

static int
muc_check(const void *settings, struct annex_pool *pool, const char **why)
{
	const struct muc_settings *s = settings;

	if (s->max_occupants != 13)
		return ANNEX_OK;
	*why = annex_sprintf(pool, "max-occupants may be anything, but not %d", 13);
	return ANNEX_EINVAL;
}

static const struct annex_option needy_options[] = {
	ANNEX_OPTION(struct muc_settings, title, 1, 20, NULL, "A title."),
	{ 0 },
};

static const struct annex_module muc = {
	ANNEX_MODULE_ABI,
	.name = "muc",
	.version = "1.2.3",
	.summary = "rooms",
	.options = muc_options,
	.settings_size = sizeof(struct muc_settings),
	.check = muc_check,
};

static const struct annex_module echo = { ANNEX_MODULE_ABI, .name = "echo", .summary = "echoes" };

static const struct annex_module needy = {
	ANNEX_MODULE_ABI,
	.name = "needy",
	.options = needy_options,
	.settings_size = sizeof(struct muc_settings),
};

static int
load(const char *path, struct annex_pool *pool, struct module *module_r, const char **why)
{
	static const struct annex_module *const all[] = { &muc, &echo, &needy };
	const char *file = strrchr(path, '/') + 1;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strncmp(file, all[i]->name, strlen(all[i]->name)) == 0) {
			*module_r = (struct module) { .path = path, .descriptor = *all[i] };
			return ANNEX_OK;
		}
	*why =
	    annex_sprintf(pool, "%s: built for ABI 9.0, this Annex has 1.0: build it again", path);
	return ANNEX_EINVAL;
}

static int
statfs_roomy(const char *path, struct statfs *st)
{
	*st = (struct statfs) { .f_type = EXT4_SUPER_MAGIC, .f_bsize = 4096, .f_bavail = 1 << 20 };
	return 0;
}

const char *
in_dir(struct fixture *f, const char *name)
{
	return annex_sprintf(f->pool, "%s/%s", f->dir, name);
}

void
put(struct fixture *f, const char *name, const char *text, mode_t mode)
{
	int fd = open(in_dir(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->pool = annex_pool_create(NULL, "test");
	strcpy(f->dir, "/tmp/annex-test-check.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(mkdir(in_dir(f, "state"), 0700), 0);
	assert_int_equal(mkdir(in_dir(f, "run"), 0700), 0);
	assert_int_equal(mkdir(in_dir(f, "modules"), 0700), 0);
	put(f, "modules/muc.so", "", 0600);
	put(f, "modules/echo.so", "", 0600);
	put(f, "modules/needy.so", "", 0600);
	put(f, "modules/old.so", "", 0600);
	put(f, "good.secret", "\t correct horse \r\n", 0600);
	f->dirs[0] = in_dir(f, "modules");
	f->env = (struct check_env) {
		.module_dirs = f->dirs,
		.load = load,
		.statfs = statfs_roomy,
	};
	*state = f;
	return 0;
}

static void
remove_all(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir != NULL) {
		chmod(path, 0700);
		while ((entry = readdir(dir)) != NULL) {
			char inner[400];

			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
				continue;
			snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
			remove_all(inner);
		}
		closedir(dir);
	}
	remove(path);
}

int
teardown(void **state)
{
	struct fixture *f = *state;

	remove_all(f->dir);
	free(f->out);
	free(f->err);
	annex_pool_destroy(&f->pool);
	free(f);
	return 0;
}

char *
without_dir(struct fixture *f, char *text)
{
	const char *prefix = in_dir(f, "");
	size_t n = strlen(prefix);
	char *at = text;

	while ((at = strstr(at, prefix)) != NULL)
		memmove(at, at + n, strlen(at + n) + 1);
	return text;
}

void
check_mode(struct fixture *f, const char *text, mode_t mode)
{
	size_t out_len, err_len;
	FILE *out, *err;

	put(f, "a.yaml", text, mode);
	free(f->out);
	free(f->err);
	out = open_memstream(&f->out, &out_len);
	err = open_memstream(&f->err, &err_len);
	if (f->humble && getuid() == 0) {
		assert_int_equal(chown(in_dir(f, "a.yaml"), NOBODY, NOBODY), 0);
		assert_int_equal(chmod(f->dir, 0755) | chmod(in_dir(f, "modules"), 0755), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	f->status = check_configuration_in(&f->env, in_dir(f, "a.yaml"), out, err);
	if (f->humble && getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	fclose(out);
	fclose(err);
	without_dir(f, f->out);
	without_dir(f, f->err);
}

void
check_text(struct fixture *f, const char *text)
{
	check_mode(f, text, 0600);
}
