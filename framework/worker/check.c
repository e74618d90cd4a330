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

#include <jansson.h>
#include <sodium.h>

#include <annex/jid.h>
#include <annex/map.h>

#include "base/check.h"
#include "base/hex.h"
#include "check.h"
#include "check_address.h"
#include "check_files.h"
#include "config/config.h"
#include "modules.h"
#include "settings.h"

#define HASH_BYTES 32
#define SHORT_SECRET 8
#define OPENFIRE_PORT 5275
#define OPENFIRE_TLS_PORT 5276
#define SOCKET_PATH_MAX 107 /* of a Unix socket's address, less its NUL */

struct server {
	const char *name;
	struct config_node *node;
	struct server_settings settings;
	json_t *hosts;
	bool openfire;
	unsigned users; /* components that name it */
};

struct checking {
	const struct check_env *env;
	const char *path, *dir; /* of the file, and the directory it is in */
	struct annex_pool *pool;
	struct config_errors errors;
	struct config_node *root;
	struct global_settings global;
	const char *state_dir, *run_dir, *metrics; /* resolved, normalised */
	const char *const *module_dirs;
	struct server *servers;
	size_t server_count;
	struct annex_map *domains; /* prepared, to their nodes */
	bool exposed;              /* everybody may read the file */
	json_t *sections;          /* lines of components */
};

/* One component on its way to a section. */
struct candidate {
	struct config_node *node;
	const char *domain;
	struct component_settings settings;
	struct module module;
	bool has_module;
	const struct server *server;
	const char *secret;
	json_t *options;
};

static void
forget(void *json)
{
	json_decref(json);
}

/* A JSON value that goes with the pool. */
static json_t *
keep(struct checking *c, json_t *json)
{
	annex_pool_on_destroy(c->pool, forget, json);
	return json;
}

/* Where a map says an option; the map itself where it does not. */
static const struct config_node *
place_of(struct config_node *map, const char *name)
{
	struct config_node *node = config_child(map, name);

	return node != NULL ? node : map;
}

/* The same for item i of a list. */
static const struct config_node *
place_of_item(struct config_node *map, const char *name, size_t i)
{
	const struct config_node *node = place_of(map, name), *item = node->first;

	if (node == map || node->kind != CONFIG_LIST)
		return node;
	while (item != NULL && i-- > 0)
		item = item->next;
	return item != NULL ? item : node;
}

static json_t *
json_texts(const struct annex_strings *list)
{
	json_t *texts = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(texts, json_string(list->value[i]));
	return texts;
}

/* Contacts are URIs; an address alone is a common slip. */
static void
check_uris(
    struct checking *c, struct config_node *map, const char *what, const struct annex_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!address_is_uri(list->value[i]))
			config_error_at(&c->errors, place_of_item(map, "contacts", i),
			    "contacts of %s has %s, which is not a URI%s", what,
			    config_quote(c->pool, list->value[i]),
			    strchr(list->value[i], '@') != NULL
				? annex_sprintf(c->pool, "; did you mean %s?",
				      config_quote(c->pool,
					  annex_sprintf(c->pool, "mailto:%s", list->value[i])))
				: "");
}

/* The top of the file. */

static void
check_state_dir(struct checking *c)
{
	const struct config_node *at = place_of(c->root, "state-dir");
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
		config_error_at(&c->errors, place_of(c->root, "run-dir"), "run-dir %s", says);
}

static void
check_metrics(struct checking *c)
{
	const struct config_node *at = place_of(c->root, "metrics");
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
			config_warn_at(&c->errors, place_of_item(c->root, "module-dirs", i),
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

/* Servers. */

static json_t *
json_host(struct checking *c, const struct address *a)
{
	if (a->path != NULL)
		return json_pack("{s:s}", "path", files_resolve(c->pool, c->dir, a->path));
	return json_pack("{s:s, s:i}", "name", a->name, "port", a->port);
}

static void
check_host(struct checking *c, struct server *s, size_t i)
{
	const struct config_node *at = place_of_item(s->node, "host", i);
	const char *text = s->settings.host.value[i], *why;
	struct address a;

	if (address_read(text, (uint16_t)s->settings.port, c->pool, &a, &why) < 0) {
		config_error_at(&c->errors, at, "host of server %s: %s %s", s->name,
		    config_quote(c->pool, text), why);
		return;
	}
	json_array_append_new(s->hosts, json_host(c, &a));
	if (*s->settings.software == '\0' &&
	    (a.port == OPENFIRE_PORT || a.port == OPENFIRE_TLS_PORT) && a.path == NULL)
		s->openfire = true;
	if (!a.loopback && strcmp(s->settings.tls, "no") == 0)
		config_warn_at(&c->errors, at,
		    "server %s: what is said with %s can be read on the way, as tls is \"no\"",
		    s->name, config_quote(c->pool, text));
}

static void
check_tls(struct checking *c, struct server *s)
{
	struct server_settings *set = &s->settings;
	const struct {
		const char *name, *value;
	} extras[] = {
		{ "tls-ca-file", set->tls_ca_file },
		{ "tls-pin", set->tls_pin },
		{ "tls-name", set->tls_name },
	};
	const char *says, *pin;

	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		if (*extras[i].value != '\0' && strcmp(set->tls, "no") == 0)
			config_warn_at(&c->errors, place_of(s->node, extras[i].name),
			    "%s of server %s changes nothing, as tls is \"no\"", extras[i].name,
			    s->name);
	if (*set->tls_pin != '\0') {
		if ((pin = address_pin(c->pool, set->tls_pin)) == NULL)
			config_error_at(&c->errors, place_of(s->node, "tls-pin"),
			    "tls-pin of server %s must be 64 hexadecimal digits", s->name);
		else
			set->tls_pin = pin;
	}
	if (*set->tls_ca_file == '\0')
		return;
	set->tls_ca_file = files_resolve(c->pool, c->dir, set->tls_ca_file);
	if ((says = files_judge_readable(c->pool, set->tls_ca_file)) != NULL)
		config_error_at(&c->errors, place_of(s->node, "tls-ca-file"),
		    "tls-ca-file of server %s: %s", s->name, says);
}

static void
check_local_domains(struct checking *c, struct server *s)
{
	struct annex_strings *list = &s->settings.local_domains;
	const char **prepared = annex_new_array(c->pool, const char *, list->count + 1);

	for (size_t i = 0; i < list->count; i++) {
		prepared[i] = address_domain(c->pool, list->value[i]);
		if (prepared[i] == NULL)
			config_error_at(&c->errors, place_of_item(s->node, "local-domains", i),
			    "local-domains of server %s has %s, which is not a domain", s->name,
			    config_quote(c->pool, list->value[i]));
	}
	list->value = prepared;
}

static void
check_server(struct checking *c, struct server *s)
{
	config_read_options(s->node, annex_sprintf(c->pool, "server %s", s->name), server_options,
	    &s->settings, NULL, NULL, c->pool, &c->errors);
	s->hosts = keep(c, json_array());
	s->openfire = strcmp(s->settings.software, "openfire") == 0;
	for (size_t i = 0; i < s->settings.host.count; i++)
		check_host(c, s, i);
	check_tls(c, s);
	check_local_domains(c, s);
}

static size_t
count_children(const struct config_node *map)
{
	size_t n = 0;

	for (const struct config_node *node = map->first; node != NULL; node = node->next)
		n++;
	return n;
}

/* A map with at least one entry, or NULL after a sentence. */
static struct config_node *
section_map(struct checking *c, const char *name, const char *of_what)
{
	struct config_node *map = config_child(c->root, name);

	if (map == NULL)
		config_error_at_key(&c->errors, c->root, "the configuration has no %s", name);
	else if (map->kind == CONFIG_BROKEN)
		return NULL;
	else if (map->kind != CONFIG_MAP || map->first == NULL)
		config_error_at_key(
		    &c->errors, map, "%s must be a map of at least one %s", name, of_what);
	else
		return map;
	return NULL;
}

static void
check_servers(struct checking *c)
{
	struct config_node *map = section_map(c, "servers", "server"), *node;

	if (map == NULL)
		return;
	c->servers = annex_new_array(c->pool, struct server, count_children(map));
	for (node = map->first; node != NULL; node = node->next) {
		struct server *s = &c->servers[c->server_count++];

		s->name = node->key;
		s->node = node;
		check_server(c, s);
	}
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

/* What can only be said once it is known, without a mistake, who uses which. */
static void
hint_at_servers(struct checking *c)
{
	if (c->errors.count > 0)
		return;
	for (size_t i = 0; i < c->server_count; i++) {
		const struct server *s = &c->servers[i];

		if (s->users == 0)
			config_warn_at_key(
			    &c->errors, s->node, "no component uses server %s", s->name);
		else if (s->settings.local_domains.count == 0)
			config_warn_at_key(&c->errors, s->node,
			    "server %s has no local-domains, so nobody counts as local", s->name);
		if (s->users > 1 && *s->settings.software == '\0' && !s->openfire)
			config_warn_at_key(&c->errors, s->node,
			    "several components use server %s: if it is ejabberd, its listener "
			    "needs \"global_routes: false\" (say what it is with \"software\", "
			    "and this is not said again)",
			    s->name);
	}
}

/* Components. */

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
	config_error_at(&c->errors, place_of(d->node, "server"), "%s: unknown server %s%s",
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
	d->options = keep(c, json_object());
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

/* Sections. */

static const char *
hash_of(struct annex_pool *pool, const json_t *json)
{
	unsigned char hash[HASH_BYTES];
	char *hex = annex_pool_alloc(pool, 2 * HASH_BYTES + 1);
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	CHECK(text != NULL);
	crypto_generichash(hash, sizeof(hash), (unsigned char *)text, strlen(text), NULL, 0);
	sodium_memzero(text, strlen(text));
	free(text);
	hex_encode(hex, hash, sizeof(hash));
	return hex;
}

static const char *
or_null(const char *text)
{
	return *text != '\0' ? text : NULL;
}

static json_t *
json_stream(struct checking *c, const struct candidate *d)
{
	const struct server_settings *s = &d->server->settings;

	return json_pack("{s:O, s:s, s:b, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I}", "hosts",
	    d->server->hosts, "secret", d->secret, "tls", strcmp(s->tls, "no") != 0, "tls-name",
	    or_null(s->tls_name), "tls-ca-file", or_null(s->tls_ca_file), "tls-ca-stamp",
	    or_null(files_stamp(c->pool, s->tls_ca_file)), "tls-pin", or_null(s->tls_pin),
	    "max-stanza-size", (json_int_t)d->settings.max_stanza_size_bytes, "max-queue",
	    (json_int_t)d->settings.max_queue_bytes, "keepalive", (json_int_t)s->keepalive_ms);
}

static json_t *
json_rates(const struct component_settings *s)
{
	return json_pack("{s:[I,I], s:[I,I]}", "per-jid", (json_int_t)s->rate_per_jid,
	    (json_int_t)s->burst_per_jid, "per-domain", (json_int_t)s->rate_per_domain,
	    (json_int_t)s->burst_per_domain);
}

static json_t *
json_presence(const struct component_settings *s)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "pace", (json_int_t)s->presence_pace, "interval",
	    (json_int_t)s->presence_interval_ms, "ask-ttl", (json_int_t)s->ask_ttl_ms, "tombstone",
	    (json_int_t)s->tombstone_ms);
}

static json_t *
json_section(struct checking *c, const struct candidate *d)
{
	const struct component_settings *s = &d->settings;
	const struct annex_strings *contacts =
	    s->contacts.count > 0 ? &s->contacts : &c->global.contacts;

	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:O}",
	    "domain", d->domain, "module", d->module.descriptor.name, "module-path", d->module.path,
	    "module-stamp", files_stamp(c->pool, d->module.path), "state-dir",
	    annex_sprintf(c->pool, "%s/%s", c->state_dir, d->domain), "run-dir", c->run_dir,
	    "server", d->server->name, "log-level",
	    *s->log_level != '\0' ? s->log_level : c->global.log_level, "admins",
	    json_texts(&s->admins), "local-domains", json_texts(&d->server->settings.local_domains),
	    "contacts", json_texts(contacts), "store-quota", (json_int_t)s->store_quota_bytes,
	    "rates", json_rates(s), "presence", json_presence(s), "stream", json_stream(c, d),
	    "options", d->options);
}

static const char *
boot_hash_of(struct annex_pool *pool, const json_t *section)
{
	static const char *const names[] = { "domain", "module-path", "module-stamp", "state-dir",
		"run-dir" };
	json_t *boot = json_object();
	const char *hash;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_set(boot, names[i], json_object_get(section, names[i]));
	hash = hash_of(pool, boot);
	json_decref(boot);
	return hash;
}

static void
add_section(struct checking *c, const struct candidate *d)
{
	json_t *section = json_section(c, d);

	if (section == NULL) {
		config_error_at_key(
		    &c->errors, d->node, "%s: one of its paths is not UTF-8", d->domain);
		return;
	}
	json_array_append_new(c->sections,
	    json_pack("{s:s, s:s, s:s, s:o}", "domain", d->domain, "hash",
		hash_of(c->pool, section), "boot-hash", boot_hash_of(c->pool, section), "section",
		section));
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
		add_section(c, &d);
}

static void
check_components(struct checking *c)
{
	struct config_node *map = section_map(c, "components", "component"), *node;
	const char **names;
	size_t n = 0;

	if (map == NULL)
		return;
	names = annex_new_array(c->pool, const char *, count_children(map) + 1);
	c->domains = annex_map_create(c->pool);
	for (node = map->first; node != NULL; node = node->next) {
		names[n++] = node->key;
		check_component(c, node);
	}
	if (c->env->only == NULL)
		hint_at_servers(c);
	else if (annex_map_get_str(c->domains, c->env->only) == NULL)
		config_error_at_key(&c->errors, map, "there is no component %s here%s",
		    config_quote(c->pool, c->env->only),
		    config_hint(c->pool, c->env->only, names, n));
}

/* The whole. */

static void
read_all(struct checking *c)
{
	c->errors.pool = c->pool;
	c->sections = keep(c, json_array());
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
