/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_section.c - a component without a mistake as the line that its worker is started with
 *
 * What is in it is in section.h.  The hash tells whether anything has changed, the boot hash
 * whether the worker has to be another one for it.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/check.h"
#include "base/hex.h"
#include "check_files.h"
#include "check_inside.h"

#define HASH_BYTES 32

static json_t *
json_texts(const struct annex_strings *list)
{
	json_t *texts = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(texts, json_string(list->value[i]));
	return texts;
}

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

void
check_add_section(struct checking *c, const struct candidate *d)
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
