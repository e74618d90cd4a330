/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * settings.h - the options of annex.yaml that are the framework's own
 *
 * Three tables: the top of the file, an entry of servers, an entry of
 * components.  check.c reads the file by them and the manual page is made of
 * them.  What modules take is in their own tables.
 */
#ifndef WORKER_SETTINGS_H
#define WORKER_SETTINGS_H

#include <annex/option.h>

struct global_settings {
	const char *state_dir, *run_dir;
	const char *metrics;
	const char *log_level;
	struct annex_strings module_dirs;
	struct annex_strings contacts;
};

struct server_settings {
	struct annex_strings host;
	int64_t port;
	const char *software;
	const char *tls, *tls_ca_file, *tls_pin, *tls_name;
	struct annex_strings local_domains;
	int64_t keepalive_ms;
};

struct component_settings {
	const char *module, *server;
	const char *secret, *secret_file;
	struct annex_strings admins, contacts;
	int64_t rate_per_jid, burst_per_jid, rate_per_domain, burst_per_domain;
	int64_t presence_pace, presence_interval_ms, ask_ttl_ms, tombstone_ms;
	int64_t max_stanza_size_bytes, max_queue_bytes, store_quota_bytes;
	const char *log_level;
};

extern const struct annex_option global_options[];
extern const struct annex_option server_options[];
extern const struct annex_option component_options[];

#endif /* WORKER_SETTINGS_H */
