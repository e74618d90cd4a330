/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * module.c - finding, loading and judging a component's shared object
 *
 * Nothing past the ABI words of a descriptor is read until they agree, and
 * members newer than the module read as zero.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <annex/command.h>
#include <annex/job.h>
#include <annex/store.h>
#include <annex/timer.h>

#include "base/io.h"
#include "module.h"

/* What a 1.0 module has at least: everything up to destroy. */
#define MODULE_SIZE_1_0 \
	(offsetof(struct annex_module, destroy) + sizeof(((struct annex_module *)0)->destroy))

int
module_find(const char *name, const char *const *dirs, struct annex_pool *pool, const char **path_r,
    const char **why)
{
	const char *looked = "";

	if (strchr(name, '/') != NULL) {
		*path_r = annex_strdup(pool, name);
		if (access(name, F_OK) == 0)
			return ANNEX_OK;
		*why = annex_sprintf(pool, "%s: %s", name, strerror(errno));
		return ANNEX_ENOENT;
	}
	for (size_t i = 0; dirs[i] != NULL; i++) {
		*path_r = annex_sprintf(pool, "%s/%s.so", dirs[i], name);
		if (access(*path_r, F_OK) == 0)
			return ANNEX_OK;
		looked = annex_sprintf(pool, "%s%s%s", looked, i > 0 ? ", " : "", dirs[i]);
	}
	*why = annex_sprintf(pool, "no module \"%s\": there is no %s.so in %s", name, name,
	    looked[0] == '\0' ? "any module directory" : looked);
	return ANNEX_ENOENT;
}

/* The first table whose elements are named twice, wrongly or not at all. */
static const char *
tables_judge(const struct annex_module *m, struct annex_pool *pool)
{
	for (const struct annex_route *r = m->routes; r->kind != 0; r++)
		if (r->handle == NULL || r->kind > ANNEX_PRESENCE_ERROR)
			return annex_sprintf(pool, "route %zu has no handler or an unknown kind",
			    (size_t)(r - m->routes));
	for (const struct annex_option *o = m->options; o != NULL && o->name != NULL; o++) {
		if (o->offset >= m->settings_size)
			return annex_sprintf(
			    pool, "option \"%s\" lies outside the settings", o->name);
		if (o->type == ANNEX_OPTION_SECTIONS && (o->options == NULL || o->size == 0))
			return annex_sprintf(pool, "option \"%s\" has no table", o->name);
	}
	for (const struct annex_table *t = m->tables; t != NULL && t->number != 0; t++) {
		if (t->number > 999)
			return annex_sprintf(pool,
			    "table \"%s\" has number %u; a module's are 1 to 999", t->name,
			    t->number);
		for (const struct annex_table *u = m->tables; u != t; u++)
			if (u->number == t->number)
				return annex_sprintf(pool,
				    "tables \"%s\" and \"%s\" have the same number %u", u->name,
				    t->name, t->number);
	}
	for (const struct annex_command *c = m->commands; c != NULL && c->node != NULL; c++)
		if (c->run == NULL || c->name == NULL)
			return annex_sprintf(
			    pool, "command \"%s\" has no name or handler", c->node);
	return NULL;
}

const char *
module_accept(const struct annex_module *found, struct annex_module *own, struct annex_pool *pool)
{
	if (found->magic != ANNEX_ABI_MAGIC)
		return "not an Annex component (its descriptor begins with the wrong word)";
	if (found->abi_major != ANNEX_ABI_MAJOR || found->abi_minor > ANNEX_ABI_MINOR)
		return annex_sprintf(pool,
		    "built for ABI %u.%u, this Annex has %u.%u: build it again", found->abi_major,
		    found->abi_minor, ANNEX_ABI_MAJOR, ANNEX_ABI_MINOR);
	if (found->size < MODULE_SIZE_1_0)
		return annex_sprintf(pool, "its descriptor is %u bytes, at least %zu are needed",
		    found->size, MODULE_SIZE_1_0);

	memset(own, 0, sizeof(*own));
	memcpy(own, found, found->size < sizeof(*own) ? found->size : sizeof(*own));

	if (own->flags != 0)
		return annex_sprintf(pool, "unknown flags 0x%x in its descriptor", own->flags);
	if (own->name == NULL || own->name[0] == '\0')
		return "its descriptor has no name";
	if (own->routes == NULL || own->routes[0].kind == 0)
		return "its descriptor has no routes";
	return tables_judge(own, pool);
}

/* dlopen maps before it looks: a file cut short would end us with SIGBUS. */
static const char *
file_judge(const char *path, struct annex_pool *pool)
{
	unsigned char head[sizeof(Elf64_Ehdr)];
	struct stat st;
	ssize_t n;
	Elf64_Ehdr elf;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return strerror(errno);
	n = io_read_all(fd, head, sizeof(head));
	if (fstat(fd, &st) < 0)
		st.st_size = 0;
	io_close(&fd);
	if (n < (ssize_t)sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return "not a shared object";
	memcpy(&elf, head, sizeof(elf));
	if ((uint64_t)st.st_size < elf.e_shoff + (uint64_t)elf.e_shentsize * elf.e_shnum)
		return annex_sprintf(
		    pool, "the file is cut short (%lld bytes)", (long long)st.st_size);
	return NULL;
}

static int
load_fail(struct annex_pool *pool, const char *path, const char *sentence, const char **why)
{
	size_t len = strlen(path);

	/* dlerror() begins with the path itself. */
	if (strncmp(sentence, path, len) == 0 && sentence[len] == ':')
		*why = annex_strdup(pool, sentence);
	else
		*why = annex_sprintf(pool, "%s: %s", path, sentence);
	return ANNEX_EINVAL;
}

int
module_load(const char *path, struct annex_pool *pool, struct module *module_r, const char **why)
{
	const struct annex_module *found;
	const char *sentence;

	*module_r = (struct module) { .path = path };
	if ((sentence = file_judge(path, pool)) != NULL)
		return load_fail(pool, path, sentence, why);
	module_r->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (module_r->handle == NULL)
		return load_fail(pool, path, dlerror(), why);
	found = dlsym(module_r->handle, "annex_module");
	if (found == NULL)
		return load_fail(
		    pool, path, "not an Annex component (it exports no annex_module)", why);
	if ((sentence = module_accept(found, &module_r->descriptor, pool)) != NULL)
		return load_fail(pool, path, sentence, why);
	return ANNEX_OK;
}
