/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * paths.c - where the other parts of Annex are
 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <annex/pool.h>

#include "paths.h"

const char *
paths_self(struct annex_pool *pool)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	/* An upgrade may have unlinked the file; only its place matters here. */
	return n > 0 && (size_t)n < sizeof(path) ? annex_strndup(pool, path, (size_t)n) : NULL;
}

/* The directory of a path, without the slash; "" of a file in the root. */
static char *
directory_of(struct annex_pool *pool, const char *path)
{
	const char *slash = strrchr(path, '/');

	return annex_strndup(pool, path, slash != NULL ? (size_t)(slash - path) : 0);
}

/* What stands before suffix in path, or NULL where path does not end so. */
static const char *
before(struct annex_pool *pool, const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	if (n > len || strcmp(path + len - n, suffix) != 0)
		return NULL;
	return annex_strndup(pool, path, len - n);
}

static const char *
installed_root(struct annex_pool *pool, const char *dir, const struct paths_configured *c)
{
	const char *const places[] = {
		c->sbindir,
		c->bindir,
		annex_sprintf(pool, "%s/annex", c->libexecdir),
	};
	const char *root;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if ((root = before(pool, dir, places[i])) != NULL)
			return root;
	return NULL;
}

static bool
exists(const char *path, mode_t type)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

/* The nearest directory upwards that was configured as a build tree of ours. */
static const char *
build_top(struct annex_pool *pool, const char *dir)
{
	char *top = annex_strdup(pool, dir);

	for (; top[0] != '\0'; *strrchr(top, '/') = '\0') {
		if (exists(annex_sprintf(pool, "%s/config.status", top), S_IFREG) &&
		    exists(annex_sprintf(pool, "%s/framework/worker", top), S_IFDIR))
			return top;
		if (strchr(top, '/') == NULL)
			break;
	}
	return NULL;
}

static void
find_installed(struct paths *paths, struct annex_pool *pool, const char *root,
    const struct paths_configured *c)
{
	const char **modules = annex_new_array(pool, const char *, 2);

	modules[0] = annex_sprintf(pool, "%s%s", root, c->pkglibdir);
	paths->installed = true;
	paths->root = root;
	paths->libexec = annex_sprintf(pool, "%s%s/annex", root, c->libexecdir);
	paths->worker = annex_sprintf(pool, "%s/annex-worker", paths->libexec);
	paths->modules = modules;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
find_built(struct paths *paths, struct annex_pool *pool, const char *top)
{
	const char *components = annex_sprintf(pool, "%s/components", top);
	struct dirent **found = NULL;
	int n = scandir(components, &found, is_visible, alphasort);
	const char **modules = annex_new_array(pool, const char *, n > 0 ? 2 * (size_t)n + 2 : 2);
	const char *dir;
	size_t have = 0;

	dir = annex_sprintf(pool, "%s/.libs", components);
	if (exists(dir, S_IFDIR))
		modules[have++] = dir;
	for (int i = 0; i < n; i++) {
		dir = annex_sprintf(pool, "%s/%s", components, found[i]->d_name);
		free(found[i]);
		if (!exists(dir, S_IFDIR))
			continue;
		modules[have] = annex_sprintf(pool, "%s/.libs", dir);
		if (exists(modules[have], S_IFDIR))
			have++;
		modules[have++] = dir;
	}
	modules[have] = NULL;
	free(found);
	paths->installed = false;
	paths->libexec = components;
	paths->root = top;
	paths->worker = annex_sprintf(pool, "%s/framework/worker/annex-worker", top);
	paths->modules = modules;
}

void
paths_find(struct paths *paths, struct annex_pool *pool, const char *exe,
    const struct paths_configured *configured)
{
	const char *dir = exe != NULL ? directory_of(pool, exe) : "";
	const char *root = installed_root(pool, dir, configured), *top;

	if (root == NULL && (top = build_top(pool, dir)) != NULL)
		find_built(paths, pool, top);
	else
		find_installed(paths, pool, root != NULL ? root : "", configured);
}

const char *
paths_programs(const struct paths *paths, struct annex_pool *pool, const char *module)
{
	return annex_sprintf(
	    pool, "%s/%s%s", paths->libexec, module, paths->installed ? "" : "/programs");
}
