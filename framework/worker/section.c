/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * section.c - what a worker is told about itself, read
 *
 * check.c wrote it, so what is missing here is a mismatch of versions, and
 * the sentence says which member.  The texts stay in the JSON tree, which
 * goes with the pool.
 */
#include <string.h>

#include <annex/jid.h>

#include "config/config.h"
#include "section.h"

struct reading {
	struct annex_pool *pool;
	const char *why; /* of the first thing that is wrong */
};

static void
complain(struct reading *r, const char *name, const char *expected)
{
	if (r->why == NULL)
		r->why = annex_sprintf(r->pool, "the section's \"%s\" is not %s", name, expected);
}

static const char *
text_or_null(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static const char *
text_of(struct reading *r, const json_t *object, const char *name)
{
	const char *text = text_or_null(object, name);

	if (text == NULL)
		complain(r, name, "a text");
	return text;
}

static int64_t
number_of(struct reading *r, const json_t *object, const char *name)
{
	const json_t *number = json_object_get(object, name);

	if (!json_is_integer(number) || json_integer_value(number) < 0)
		complain(r, name, "a number");
	return json_integer_value(number);
}

static const char *const *
texts_of(struct reading *r, const json_t *object, const char *name)
{
	const json_t *list = json_object_get(object, name);
	size_t n = json_array_size(list);
	const char **texts = annex_new_array(r->pool, const char *, n + 1);

	if (!json_is_array(list))
		complain(r, name, "a list");
	for (size_t i = 0; i < n; i++)
		if ((texts[i] = json_string_value(json_array_get(list, i))) == NULL)
			complain(r, name, "a list of texts");
	return texts;
}

static void
read_rate(struct reading *r, const json_t *rates, const char *name, double *rate, double *burst)
{
	const json_t *pair = json_object_get(rates, name);

	*rate = json_number_value(json_array_get(pair, 0));
	*burst = json_number_value(json_array_get(pair, 1));
	if (*rate <= 0 || *burst <= 0)
		complain(r, name, "a rate and a burst");
}

static void
read_hosts(struct reading *r, const json_t *list, struct stream_config *stream)
{
	size_t n = json_array_size(list);
	struct stream_host *hosts = annex_new_array(r->pool, struct stream_host, n + 1);

	for (size_t i = 0; i < n; i++) {
		const json_t *host = json_array_get(list, i);

		hosts[i].path = text_or_null(host, "path");
		if (hosts[i].path != NULL)
			continue;
		hosts[i].name = text_of(r, host, "name");
		hosts[i].port = (uint16_t)number_of(r, host, "port");
	}
	if (n == 0)
		complain(r, "hosts", "a list of hosts");
	stream->hosts = hosts;
	stream->host_count = n;
}

static void
read_stream(struct reading *r, const json_t *json, struct section *section)
{
	struct stream_config *stream = &section->stream;

	stream_config_init(stream);
	stream->domain = section->domain;
	stream->secret = text_of(r, json, "secret");
	stream->tls = json_is_true(json_object_get(json, "tls"));
	stream->tls_name = text_or_null(json, "tls-name");
	stream->tls_ca_file = text_or_null(json, "tls-ca-file");
	stream->tls_ca_stamp = text_or_null(json, "tls-ca-stamp");
	stream->tls_pin = text_or_null(json, "tls-pin");
	stream->limits.stanza_bytes = (size_t)number_of(r, json, "max-stanza-size");
	stream->queue_hard_bytes = (size_t)number_of(r, json, "max-queue");
	stream->queue_high_bytes = stream->queue_hard_bytes / 4;
	stream->keepalive_ms = (int)number_of(r, json, "keepalive");
	read_hosts(r, json_object_get(json, "hosts"), stream);
}

static void
read_presence(struct reading *r, const json_t *json, struct contacts_settings *presence)
{
	presence->pace = number_of(r, json, "pace");
	presence->interval_ms = number_of(r, json, "interval");
	presence->ask_ttl_ms = number_of(r, json, "ask-ttl");
	presence->tombstone_ms = number_of(r, json, "tombstone");
}

static void
read_members(struct reading *r, const json_t *json, struct section *section)
{
	const json_t *rates = json_object_get(json, "rates");

	section->domain = text_of(r, json, "domain");
	section->module = text_of(r, json, "module");
	section->module_path = text_of(r, json, "module-path");
	section->state_dir = text_of(r, json, "state-dir");
	section->run_dir = text_of(r, json, "run-dir");
	section->server = text_of(r, json, "server");
	section->log_level = text_of(r, json, "log-level");
	section->admins = texts_of(r, json, "admins");
	section->local_domains = texts_of(r, json, "local-domains");
	section->contacts = texts_of(r, json, "contacts");
	section->store_quota_bytes = number_of(r, json, "store-quota");
	read_rate(r, rates, "per-jid", &section->rate_per_jid, &section->burst_per_jid);
	read_rate(r, rates, "per-domain", &section->rate_per_domain, &section->burst_per_domain);
	read_presence(r, json_object_get(json, "presence"), &section->presence);
	read_stream(r, json_object_get(json, "stream"), section);
	section->options = json_object_get(json, "options");
	if (!json_is_object(section->options))
		complain(r, "options", "an object");
}

static void
forget(void *json)
{
	json_decref(json);
}

int
section_read(const char *json, size_t len, struct annex_pool *pool, struct section *section_r,
    const char **why)
{
	struct reading r = { .pool = pool };
	json_error_t error;
	json_t *root = json_loadb(json, len, 0, &error);

	memset(section_r, 0, sizeof(*section_r));
	if (root == NULL) {
		*why = annex_sprintf(pool, "the section is not JSON: %s", error.text);
		return ANNEX_EINVAL;
	}
	annex_pool_on_destroy(pool, forget, root);
	read_members(&r, root, section_r);
	*why = r.why;
	return r.why == NULL ? ANNEX_OK : ANNEX_EINVAL;
}

static const char *
prepare_jid(struct annex_pool *pool, const char *text)
{
	const struct annex_jid *jid = annex_jid(pool, text);

	return jid != NULL ? jid->full : NULL;
}

int
section_settings(const struct section *section, const struct annex_option *options, void *settings,
    struct annex_pool *pool, const char **why)
{
	for (const struct annex_option *o = options; o != NULL && o->name != NULL; o++) {
		const char *name = config_option_name(o, pool), *text, *wrong;

		if ((text = text_or_null(section->options, name)) == NULL)
			text = o->preset;
		if (text == NULL) {
			*why = annex_sprintf(
			    pool, "%s is missing of module %s", name, section->module);
			return ANNEX_EINVAL;
		}
		if (config_option_set(o, settings, text, prepare_jid, pool, &wrong) < 0) {
			*why =
			    annex_sprintf(pool, "%s of module %s %s", name, section->module, wrong);
			return ANNEX_EINVAL;
		}
	}
	return ANNEX_OK;
}
