/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check.c - the whole configuration, judged before anything is started
 *
 * Read in an order in which each thing finds what it names: the top of the
 * file, the servers, then component by component its module (whose name is
 * the key of its options), its settings, its server, its secret, and the
 * module's options by the module's own table.  A mistake in one place never
 * hides one in another; only what depends on a broken thing is left alone.
 *
 * A component whose sentences are all warnings becomes a section (section.h).
 * Nothing is printed on out unless the whole file is fine.
 */
#include <stdlib.h>
#include <string.h>

#include "check_address.h"
#include "check_files.h"
#include "check_inside.h"

static void
forget(void *json)
{
	json_decref(json);
}

json_t *
check_keep(struct checking *c, json_t *json)
{
	annex_pool_on_destroy(c->pool, forget, json);
	return json;
}

const struct config_node *
check_place(struct config_node *map, const char *name)
{
	struct config_node *node = config_child(map, name);

	return node != NULL ? node : map;
}

const struct config_node *
check_place_item(struct config_node *map, const char *name, size_t i)
{
	const struct config_node *node = check_place(map, name), *item = node->first;

	if (node == map || node->kind != CONFIG_LIST)
		return node;
	while (item != NULL && i-- > 0)
		item = item->next;
	return item != NULL ? item : node;
}

void
check_uris(
    struct checking *c, struct config_node *map, const char *what, const struct annex_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!address_is_uri(list->value[i]))
			config_error_at(&c->errors, check_place_item(map, "contacts", i),
			    "contacts of %s has %s, which is not a URI%s", what,
			    config_quote(c->pool, list->value[i]),
			    strchr(list->value[i], '@') != NULL
				? annex_sprintf(c->pool, "; did you mean %s?",
				      config_quote(c->pool,
					  annex_sprintf(c->pool, "mailto:%s", list->value[i])))
				: "");
}

static size_t
count_children(const struct config_node *map)
{
	size_t n = 0;

	for (const struct config_node *node = map->first; node != NULL; node = node->next)
		n++;
	return n;
}

struct config_node *
check_map(struct checking *c, const char *name, const char *of_what, size_t *count_r)
{
	struct config_node *map = config_child(c->root, name);

	if (map == NULL)
		config_error_at_key(&c->errors, c->root, "the configuration has no %s", name);
	else if (map->kind == CONFIG_BROKEN)
		return NULL;
	else if (map->kind != CONFIG_MAP || map->first == NULL)
		config_error_at_key(
		    &c->errors, map, "%s must be a map of at least one %s", name, of_what);
	else {
		*count_r = count_children(map);
		return map;
	}
	return NULL;
}

/* The top of the file. */

static void
check_state_dir(struct checking *c)
{
	const struct config_node *at = check_place(c->root, "state-dir");
	const char *says;

	c->state_dir = files_resolve(c->pool, c->dir, c->global.state_dir);
	if ((says = files_judge_directory(c->pool, c->state_dir)) != NULL) {
		config_error_at(&c->errors, at, "state-dir %s", says);
		return;
	}
	if ((says = files_judge_medium(c->pool, c->state_dir, c->env->statfs)) != NULL)
		config_warn_at(&c->errors, at, "state-dir %s", says);
	if ((says = files_judge_space(c->pool, c->state_dir, c->env->statfs)) != NULL)
		config_warn_at(&c->errors, at, "state-dir %s", says);
}

static void
check_run_dir(struct checking *c)
{
	const char *says;

	c->run_dir = files_resolve(c->pool, c->dir, c->global.run_dir);
	if ((says = files_judge_directory(c->pool, c->run_dir)) != NULL)
		config_error_at(&c->errors, check_place(c->root, "run-dir"), "run-dir %s", says);
}

static void
check_metrics(struct checking *c)
{
	const struct config_node *at = check_place(c->root, "metrics");
	const char *why = NULL, *text = c->global.metrics;
	struct address a;

	if (*text == '\0')
		return;
	if (address_read(text, 0, c->pool, &a, &why) < 0)
		config_error_at(&c->errors, at, "metrics: %s %s", config_quote(c->pool, text), why);
	else if (a.name == NULL || !a.loopback)
		config_error_at(&c->errors, at,
		    "metrics: %s is not a loopback address; write 127.0.0.1:9100 or [::1]:9100",
		    config_quote(c->pool, text));
	else
		c->metrics = annex_sprintf(c->pool, strchr(a.name, ':') ? "[%s]:%u" : "%s:%u",
		    strstr(a.name, "localhost") != NULL ? "127.0.0.1" : a.name, a.port);
}

/* Those of the file, then those of the installation. */
static void
collect_module_dirs(struct checking *c)
{
	const struct annex_strings *own = &c->global.module_dirs;
	const char **dirs;
	size_t n = 0, count = 0;

	while (c->env->module_dirs[count] != NULL)
		count++;
	dirs = annex_new_array(c->pool, const char *, own->count + count + 1);
	for (size_t i = 0; i < own->count; i++)
		dirs[n++] = files_resolve(c->pool, c->dir, own->value[i]);
	for (size_t i = 0; i < count; i++)
		dirs[n++] = c->env->module_dirs[i];
	c->module_dirs = dirs;
}

static void
check_module_dirs(struct checking *c)
{
	const char *says;

	for (size_t i = 0; i < c->global.module_dirs.count; i++)
		if ((says = files_judge_listing(c->pool, c->module_dirs[i])) != NULL)
			config_warn_at(&c->errors, check_place_item(c->root, "module-dirs", i),
			    "module-dirs: %s", says);
}

static void
check_global(struct checking *c)
{
	static const char *const others[] = { "servers", "components", NULL };

	config_read_options(c->root, "the configuration", global_options, &c->global, others, NULL,
	    c->pool, &c->errors);
	if (c->root->kind != CONFIG_MAP)
		return;
	check_state_dir(c);
	check_run_dir(c);
	check_metrics(c);
	collect_module_dirs(c);
	check_module_dirs(c);
	check_uris(c, c->root, "the configuration", &c->global.contacts);
}

/* The whole. */

static void
read_all(struct checking *c)
{
	c->errors.pool = c->pool;
	c->sections = check_keep(c, json_array());
	c->dir = files_place_of(c->pool, c->path);
	c->exposed = files_is_exposed(c->path);
	c->root = config_read_file(c->path, c->pool, &c->errors);
	if (c->root == NULL)
		return;
	check_global(c);
	if (c->root->kind != CONFIG_MAP)
		return;
	check_servers(c);
	check_components(c);
}

static void
print_sentences(const struct checking *c, FILE *err)
{
	for (const struct config_error *e = c->errors.first; e != NULL; e = e->next)
		fprintf(err, "%s\n", e->text);
	if (c->errors.kept >= CONFIG_ERRORS_MAX)
		fprintf(err, "%s: further mistakes are not shown\n", c->path);
}

static void
print_line(FILE *out, const json_t *line)
{
	json_dumpf(line, out, JSON_COMPACT);
	putc('\n', out);
}

static void
print_sections(struct checking *c, FILE *out)
{
	json_t *global = json_pack("{s:{s:s, s:s, s:s?, s:s}}", "global", "state-dir", c->state_dir,
	    "run-dir", c->run_dir, "metrics", c->metrics, "log-level", c->global.log_level);
	json_t *ok = json_pack("{s:b}", "ok", true);
	size_t i;
	json_t *line;

	print_line(out, global);
	json_array_foreach(c->sections, i, line) print_line(out, line);
	print_line(out, ok);
	fflush(out);
	json_decref(global);
	json_decref(ok);
}

static bool
is_fine(const struct checking *c)
{
	return c->errors.count == 0;
}

int
check_configuration_in(const struct check_env *env, const char *path, FILE *out, FILE *err)
{
	struct annex_pool *pool = annex_pool_create(NULL, "check");
	struct checking c = { .env = env, .path = path, .pool = pool };
	int status;

	read_all(&c);
	print_sentences(&c, err);
	if (is_fine(&c) && out != NULL)
		print_sections(&c, out);
	status = is_fine(&c) ? 0 : 1;
	annex_pool_destroy(&pool);
	return status;
}

int
check_configuration(const char *path, FILE *out, FILE *err)
{
	struct annex_pool *pool = annex_pool_create(NULL, "check");
	struct check_env env;
	int status;

	check_env_init(&env, pool);
	status = check_configuration_in(&env, path, out, err);
	annex_pool_destroy(&pool);
	return status;
}

const char *
check_section(const char *path, const char *domain, FILE *err, struct annex_pool *pool)
{
	struct annex_pool *own = annex_pool_create(NULL, "check");
	struct check_env env;
	struct checking c = { .env = &env, .path = path, .pool = own };
	const char *section = NULL;
	char *text;

	check_env_init(&env, own);
	if ((env.only = address_domain(own, domain)) == NULL)
		env.only = domain;
	read_all(&c);
	print_sentences(&c, err);
	if (is_fine(&c)) {
		text = json_dumps(
		    json_object_get(json_array_get(c.sections, 0), "section"), JSON_COMPACT);
		section = annex_strdup(pool, text);
		free(text);
	}
	annex_pool_destroy(&own);
	return section;
}
