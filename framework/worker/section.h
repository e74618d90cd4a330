/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * section.h - what a worker is told about itself
 *
 * `annex-worker --check -c FILE` reads and validates the whole configuration, loading the modules for their
 * option tables, and prints JSON Lines on standard output:
 *
 *	{"global": {"state-dir": ..., "run-dir": ..., "metrics": "127.0.0.1:9100" or null, "log-level": ...}}
 *	{"domain": "rooms.example.org", "hash": HEX, "boot-hash": HEX, "section": {...}}	one per component
 *	{"ok": true}
 *
 * or one line per mistake on standard error and exit status 1.  A section is
 *
 *	{"domain", "module", "module-path", "module-stamp", "state-dir", "run-dir", "server", "log-level": text,
 *	 "admins", "local-domains", "contacts": [text], "store-quota": bytes,
 *	 "rates": {"per-jid": [rate, burst], "per-domain": [rate, burst]},
 *	 "presence": {"pace": number, "interval", "ask-ttl", "tombstone": ms},
 *	 "stream": {"hosts": [{"name": text, "port": number} or {"path": text}], "secret": text, "tls": truth,
 *	     "tls-name", "tls-ca-file", "tls-ca-stamp", "tls-pin": text or null, "max-stanza-size",
 *	     "max-queue": bytes, "keepalive": ms},
 *	 "options": {NAME: text}}
 *
 * in which a stamp is a file's time, size and inode: they put it in the hash.  hash is over the whole
 * section; boot-hash over what only a new process can take up (module file and its stamp, state-dir,
 * run-dir).  annexd hands a section to its worker over a socketpair, one JSON line; a changed one on
 * reload the same way.  The worker never reads the file.
 */
#ifndef WORKER_SECTION_H
#define WORKER_SECTION_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/option.h>
#include <annex/pool.h>
#include <annex/status.h>

#include "service/instance.h"
#include "stream/stream.h"

struct section {
	const char *domain;
	const char *module;      /* its name */
	const char *module_path; /* the file it was found in */
	const char *state_dir;   /* STATE/DOMAIN */
	const char *run_dir;
	const char *server;               /* name of the server section */
	const char *const *admins;        /* NULL-ended, prepared bare JIDs */
	const char *const *local_domains; /* NULL-ended */
	const char *const *contacts;      /* NULL-ended URIs: XEP-0157 admin addresses */
	const char *log_level;
	int64_t store_quota_bytes;          /* 0 = none */
	double rate_per_jid, burst_per_jid; /* stanzas a second */
	double rate_per_domain, burst_per_domain;
	struct contacts_settings presence;
	struct stream_config stream; /* domain, hosts, secret, TLS */
	json_t *options;             /* object: option name -> text as in the file, all of them */
};

/* In pool (options included: dropped with it).  ANNEX_EINVAL with *why where it is not a section. */
int section_read(const char *json, size_t len, struct annex_pool *pool, struct section *section_r,
    const char **why) ANNEX_MUST_CHECK;

/*
 * A module's own options into its settings, by its table; one that the section does not name keeps
 * its preset.  ANNEX_EINVAL with *why; strings are in pool.
 */
int section_settings(const struct section *section, const struct annex_option *options,
    void *settings, struct annex_pool *pool, const char **why) ANNEX_MUST_CHECK;

#endif /* WORKER_SECTION_H */
