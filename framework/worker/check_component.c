/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_component.c - components: module, server, secret, and the module's own options
 */
#include <string.h>

#include <annex/jid.h>
#include <annex/map.h>

#include "check_address.h"
#include "check_files.h"
#include "check_inside.h"
#include "modules.h"

#define SHORT_SECRET 8
#define SOCKET_PATH_MAX 107 /* of a Unix socket's address, less its NUL */

static const char *
prepare_user(struct annex_pool *pool, const char *text)
{
	const struct annex_jid *jid = annex_jid(pool, text);

	return jid != NULL && jid->local != NULL ? jid->bare : NULL;
}

static const char *
prepare_jid(struct annex_pool *pool, const char *text)
{
	const struct annex_jid *jid = annex_jid(pool, text);

	return jid != NULL ? jid->full : NULL;
}

static const char *
module_hint(struct checking *c, const char *name)
{
	const char *const *names = modules_names(c->pool, c->module_dirs);
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	if (strchr(name, '/') != NULL)
		return "";
	return config_hint(c->pool, name, names, n);
}

static void
find_module(struct checking *c, struct candidate *d)
{
	const struct config_node *node = config_child(d->node, "module");
	const char *path, *why, *name;

	if (node == NULL || node->kind != CONFIG_SCALAR || *node->text == '\0')
		return;
	name = strchr(node->text, '/') != NULL ? files_resolve(c->pool, c->dir, node->text)
					       : node->text;
	if (module_find(name, c->module_dirs, c->pool, &path, &why) < 0)
		config_error_at(&c->errors, node, "%s%s", why, module_hint(c, name));
	else if (c->env->load(path, c->pool, &d->module, &why) < 0)
		config_error_at(&c->errors, node, "%s", why);
	else
		d->has_module = true;
}

/* Under which its options stand. */
static const char *
module_key(struct checking *c, struct candidate *d)
{
	const struct config_node *node = config_child(d->node, "module");

	if (d->has_module)
		return d->module.descriptor.name;
	return node != NULL ? modules_word(c->pool, node->text) : NULL;
}

static const char *const *
server_names(struct checking *c)
{
	const char **names = annex_new_array(c->pool, const char *, c->server_count + 1);

	for (size_t i = 0; i < c->server_count; i++)
		names[i] = c->servers[i].name;
	return names;
}

static const char *
joined(struct annex_pool *pool, const char *const *names)
{
	const char *text = "";

	for (size_t i = 0; names[i] != NULL; i++)
		text = annex_sprintf(pool, "%s%s%s", text, i > 0 ? ", " : "", names[i]);
	return text;
}

static void
find_server(struct checking *c, struct candidate *d)
{
	const char *name = d->settings.server;
	const char *const *names = server_names(c);

	if (c->server_count == 0)
		return;
	if (*name == '\0' && c->server_count > 1) {
		config_error_at_key(&c->errors, d->node,
		    "%s names no server, and there are several: %s", d->domain,
		    joined(c->pool, names));
		return;
	}
	for (size_t i = 0; i < c->server_count; i++)
		if (*name == '\0' || strcmp(c->servers[i].name, name) == 0) {
			c->servers[i].users++;
			d->server = &c->servers[i];
			return;
		}
	config_error_at(&c->errors, check_place(d->node, "server"), "%s: unknown server %s%s",
	    d->domain, config_quote(c->pool, name),
	    config_hint(c->pool, name, names, c->server_count));
}

static void
read_secret_file(struct checking *c, struct candidate *d, const struct config_node *node)
{
	const char *path, *why, *warning;

	if (*d->settings.secret_file == '\0')
		return;
	path = files_resolve(c->pool, c->dir, d->settings.secret_file);
	d->secret = files_read_secret(c->pool, path, &why, &warning);
	if (d->secret == NULL)
		config_error_at(&c->errors, node, "%s: secret file %s", d->domain, why);
	if (warning != NULL)
		config_warn_at(&c->errors, node, "%s: secret file %s", d->domain, warning);
}

static void
find_secret(struct checking *c, struct candidate *d)
{
	const struct config_node *own = config_child(d->node, "secret");
	const struct config_node *file = config_child(d->node, "secret-file");

	if (own == NULL && file == NULL)
		config_error_at_key(
		    &c->errors, d->node, "%s has neither secret nor secret-file", d->domain);
	else if (own != NULL && file != NULL)
		config_error_at_key(&c->errors, own->line > file->line ? own : file,
		    "%s has both secret and secret-file; one of them is enough", d->domain);
	else if (file != NULL)
		read_secret_file(c, d, file);
	else if (own->kind == CONFIG_SCALAR && own->quoted && *own->text == '\0')
		config_error_at(&c->errors, own, "%s: the secret is empty", d->domain);
	else if (*d->settings.secret != '\0')
		d->secret = d->settings.secret;
	if (own != NULL && c->exposed)
		config_warn_at(&c->errors, own,
		    "%s: the secret stands in a file that everybody may read; use secret-file, or "
		    "chmod o= %s",
		    d->domain, c->path);
	if (d->secret != NULL && strlen(d->secret) < SHORT_SECRET)
		config_warn_at(&c->errors, own != NULL ? own : file,
		    "%s: the secret is shorter than %d characters", d->domain, SHORT_SECRET);
}

/* The module's own options, by its own table. */
static void
read_module_options(struct checking *c, struct candidate *d)
{
	static const struct annex_option none[1];
	const struct annex_module *m = &d->module.descriptor;
	const struct annex_option *table = m->options != NULL ? m->options : none;
	const char *what = annex_sprintf(c->pool, "module %s", m->name), *why = NULL;
	struct config_node *map = config_child(d->node, m->name);
	struct config_node nothing = *d->node;
	void *settings = annex_pool_zalloc(c->pool, m->settings_size + 1);
	unsigned before = c->errors.count;

	nothing.kind = CONFIG_MAP;
	nothing.first = NULL;
	config_read_options(map != NULL ? map : &nothing, what, table, settings, NULL, prepare_jid,
	    c->pool, &c->errors);
	if (c->errors.count > before)
		return;
	if (m->check != NULL && m->check(settings, c->pool, &why) < 0)
		config_error_at_key(&c->errors, map != NULL ? map : d->node, "%s: %s", what,
		    why != NULL ? why : "its options do not go together");
	d->options = check_keep(c, json_object());
	for (const struct annex_option *o = table; o->name != NULL; o++)
		json_object_set_new(d->options, config_option_name(o, c->pool),
		    json_string(config_option_value(o, settings, c->pool)));
}

static void
check_component_paths(struct checking *c, struct candidate *d)
{
	const char *socket = annex_sprintf(c->pool, "%s/%s.sock", c->run_dir, d->domain);
	const char *dir = annex_sprintf(c->pool, "%s/%s", c->state_dir, d->domain);
	const char *says = files_judge_directory(c->pool, dir);

	if (strlen(socket) > SOCKET_PATH_MAX)
		config_error_at_key(&c->errors, d->node,
		    "%s: its control socket %s would have %zu bytes, a Unix socket has at most %d; "
		    "choose a shorter run-dir",
		    d->domain, socket, strlen(socket), SOCKET_PATH_MAX);
	/* Where the whole of state-dir is amiss, that was said. */
	if (says != NULL && files_judge_directory(c->pool, c->state_dir) == NULL)
		config_error_at_key(&c->errors, d->node, "%s: %s", d->domain, says);
}

static void
hint_at_domain(struct checking *c, struct candidate *d)
{
	const struct annex_strings *local;

	if (d->server == NULL || !d->server->openfire)
		return;
	local = &d->server->settings.local_domains;
	for (size_t i = 0; i < local->count; i++)
		if (local->value[i] != NULL && address_is_under(d->domain, local->value[i]))
			return;
	config_warn_at_key(&c->errors, d->node,
	    "%s is under none of the local-domains of server %s; Openfire takes components only "
	    "under its own domain",
	    d->domain, d->server->name);
}

/* The domain under which it stands, or NULL after a sentence. */
static const char *
take_domain(struct checking *c, struct config_node *node)
{
	const char *domain = address_domain(c->pool, node->key);
	const struct config_node *before;

	if (domain == NULL) {
		config_error_at_key(
		    &c->errors, node, "%s is not a domain", config_quote(c->pool, node->key));
		return NULL;
	}
	if ((before = annex_map_get_str(c->domains, domain)) != NULL) {
		config_error_at_key(&c->errors, node,
		    "the domain %s stands here a second time; the first is in line %u", domain,
		    before->key_line);
		return NULL;
	}
	annex_map_set_str(c->domains, domain, node);
	return domain;
}

static void
check_component(struct checking *c, struct config_node *node)
{
	struct candidate d = { .node = node, .domain = take_domain(c, node) };
	const char *others[2] = { NULL, NULL };
	unsigned before = c->errors.count;

	if (d.domain == NULL)
		return;
	if (c->env->only != NULL && strcmp(d.domain, c->env->only) != 0)
		return;
	if (node->kind == CONFIG_MAP)
		find_module(c, &d);
	others[0] = module_key(c, &d);
	config_read_options(node, d.domain, component_options, &d.settings, others, prepare_user,
	    c->pool, &c->errors);
	if (node->kind != CONFIG_MAP)
		return;
	find_server(c, &d);
	find_secret(c, &d);
	check_uris(c, node, d.domain, &d.settings.contacts);
	check_component_paths(c, &d);
	hint_at_domain(c, &d);
	if (d.has_module)
		read_module_options(c, &d);
	if (c->errors.count == before && d.server != NULL && d.has_module)
		check_add_section(c, &d);
}

void
check_components(struct checking *c)
{
	size_t n = 0, count = 0;
	struct config_node *map = check_map(c, "components", "component", &count), *node;
	const char **names;

	if (map == NULL)
		return;
	names = annex_new_array(c->pool, const char *, count + 1);
	c->domains = annex_map_create(c->pool);
	for (node = map->first; node != NULL; node = node->next) {
		names[n++] = node->key;
		check_component(c, node);
	}
	if (c->env->only == NULL)
		check_server_hints(c);
	else if (annex_map_get_str(c->domains, c->env->only) == NULL)
		config_error_at_key(&c->errors, map, "there is no component %s here%s",
		    config_quote(c->pool, c->env->only),
		    config_hint(c->pool, c->env->only, names, n));
}
