/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_server.c - servers: hosts, TLS, and whose users are local
 */
#include <string.h>

#include "check_address.h"
#include "check_files.h"
#include "check_inside.h"

#define OPENFIRE_PORT 5275
#define OPENFIRE_TLS_PORT 5276

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
	const struct config_node *at = check_place_item(s->node, "host", i);
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
			config_warn_at(&c->errors, check_place(s->node, extras[i].name),
			    "%s of server %s changes nothing, as tls is \"no\"", extras[i].name,
			    s->name);
	if (*set->tls_pin != '\0') {
		if ((pin = address_pin(c->pool, set->tls_pin)) == NULL)
			config_error_at(&c->errors, check_place(s->node, "tls-pin"),
			    "tls-pin of server %s must be 64 hexadecimal digits", s->name);
		else
			set->tls_pin = pin;
	}
	if (*set->tls_ca_file == '\0')
		return;
	set->tls_ca_file = files_resolve(c->pool, c->dir, set->tls_ca_file);
	if ((says = files_judge_readable(c->pool, set->tls_ca_file)) != NULL)
		config_error_at(&c->errors, check_place(s->node, "tls-ca-file"),
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
			config_error_at(&c->errors, check_place_item(s->node, "local-domains", i),
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
	s->hosts = check_keep(c, json_array());
	s->openfire = strcmp(s->settings.software, "openfire") == 0;
	for (size_t i = 0; i < s->settings.host.count; i++)
		check_host(c, s, i);
	check_tls(c, s);
	check_local_domains(c, s);
}

void
check_servers(struct checking *c)
{
	size_t count = 0;
	struct config_node *map = check_map(c, "servers", "server", &count), *node;

	if (map == NULL)
		return;
	c->servers = annex_new_array(c->pool, struct server, count);
	for (node = map->first; node != NULL; node = node->next) {
		struct server *s = &c->servers[c->server_count++];

		s->name = node->key;
		s->node = node;
		check_server(c, s);
	}
}

void
check_server_hints(struct checking *c)
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
