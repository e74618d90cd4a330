/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * modules.c - which modules there are, and what they take
 *
 * A module is known by the name of its file, since that is what the
 * configuration says; where two directories have one of the same name, the
 * first is the one that would be loaded.
 */
#include "config.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/paths.h"
#include "check.h"
#include "config/config.h"
#include "modules.h"

#define SUFFIX ".so"

static bool
has_suffix(const char *name)
{
	size_t len = strlen(name), n = strlen(SUFFIX);

	return len > n && strcmp(name + len - n, SUFFIX) == 0;
}

const char *
modules_word(struct annex_pool *pool, const char *name_or_path)
{
	const char *slash = strrchr(name_or_path, '/');
	const char *name = slash != NULL ? slash + 1 : name_or_path;

	return has_suffix(name) ? annex_strndup(pool, name, strlen(name) - strlen(SUFFIX)) : name;
}

static int
is_module(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && has_suffix(entry->d_name);
}

static bool
is_listed(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

const char *const *
modules_names(struct annex_pool *pool, const char *const *dirs)
{
	const char **names = annex_new_array(pool, const char *, 1);
	size_t n = 0;

	for (; *dirs != NULL; dirs++) {
		struct dirent **found = NULL;
		int count = scandir(*dirs, &found, is_module, alphasort);
		const char **more;

		if (count <= 0) {
			free(found);
			continue;
		}
		more = annex_new_array(pool, const char *, n + (size_t)count + 1);
		memcpy(more, names, n * sizeof(*names));
		names = more;
		for (int i = 0; i < count; i++) {
			const char *name = modules_word(pool, found[i]->d_name);

			if (!is_listed(names, n, name))
				names[n++] = annex_strdup(pool, name);
			free(found[i]);
		}
		free(found);
	}
	return names;
}

static void
find_paths(struct paths *paths, struct annex_pool *pool)
{
	static const struct paths_configured configured = {
		.sbindir = SBINDIR,
		.bindir = BINDIR,
		.libexecdir = LIBEXECDIR,
		.pkglibdir = PKGLIBDIR,
	};

	paths_find(paths, pool, paths_self(pool), &configured);
}

const char *
modules_programs(struct annex_pool *pool, const char *module)
{
	struct paths paths;

	find_paths(&paths, pool);
	return paths_programs(&paths, pool, module);
}

void
check_env_init(struct check_env *env, struct annex_pool *pool)
{
	struct paths paths;

	find_paths(&paths, pool);
	*env = (struct check_env) {
		.module_dirs = paths.modules,
		.load = module_load,
		.statfs = statfs,
	};
}

static void
print_options(
    FILE *out, const struct annex_option *options, const char *indent, struct annex_pool *pool)
{
	for (const struct annex_option *o = options; o != NULL && o->name != NULL; o++) {
		fprintf(out, "%s%s: %s", indent, config_option_name(o, pool),
		    config_option_range(o, pool));
		if (o->preset == NULL)
			fprintf(out, "; must be given\n");
		else if (*o->preset == '\0')
			fprintf(out, "; none if left out\n");
		else
			fprintf(out, "; %s if left out\n", o->preset);
		if (o->help != NULL)
			fprintf(out, "%s    %s\n", indent, o->help);
		if (o->type == ANNEX_OPTION_SECTIONS)
			print_options(out, o->options, annex_sprintf(pool, "%s    ", indent), pool);
	}
}

static void
print_module(FILE *out, const char *name, const struct annex_module *m, bool verbose,
    struct annex_pool *pool)
{
	fprintf(out, "%-12s %-8s %s\n", name, m->version != NULL ? m->version : PACKAGE_VERSION,
	    m->summary != NULL ? m->summary : "");
	if (!verbose)
		return;
	print_options(out, m->options, "    ", pool);
}

int
check_modules_in(const struct check_env *env, FILE *out, bool verbose)
{
	struct annex_pool *pool = annex_pool_create(NULL, "modules");
	const char *const *names = modules_names(pool, env->module_dirs);
	int status = 0;

	for (; *names != NULL; names++) {
		struct module module;
		const char *path, *why;

		if (module_find(*names, env->module_dirs, pool, &path, &why) < 0 ||
		    env->load(path, pool, &module, &why) < 0) {
			fprintf(out, "%-12s %-8s %s\n", *names, "?", why);
			status = 1;
			continue;
		}
		print_module(out, *names, &module.descriptor, verbose, pool);
	}
	fflush(out);
	annex_pool_destroy(&pool);
	return status;
}

int
check_modules(FILE *out, bool verbose)
{
	struct annex_pool *pool = annex_pool_create(NULL, "modules");
	struct check_env env;
	int status;

	check_env_init(&env, pool);
	status = check_modules_in(&env, out, verbose);
	annex_pool_destroy(&pool);
	return status;
}
