/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * settings.c - the options of annex.yaml that are the framework's own
 */
#include "settings.h"

#define PATH_BYTES 4095
#define STANZA_MIN 10000 /* RFC 6120 §13.12: nobody may refuse a smaller one */
#define STANZA_MAX (16 * 1024 * 1024)
#define QUEUE_MIN (1024 * 1024)
#define QUEUE_MAX (INT64_C(4) << 30)
#define STORE_MAX (INT64_C(64) << 30) /* the size of the store's map */
#define SECRET_MAX 1024
#define RATE_MAX 1000000
#define BURST_MAX 10000000
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static const char *const log_levels[] = { "error", "warning", "notice", "info", "debug", NULL };
static const char *const tls_kinds[] = { "no", "direct", NULL };
static const char *const softwares[] = { "ejabberd", "prosody", "openfire", "other", NULL };

const struct annex_option global_options[] = {
	ANNEX_OPTION(struct global_settings, state_dir, 1, PATH_BYTES, "/var/lib/annex",
	    "Directory in which every component has its store, in a directory named after its "
	    "domain."),
	ANNEX_OPTION(struct global_settings, run_dir, 1, PATH_BYTES, "/run/annex",
	    "Directory of the control sockets through which annexctl talks."),
	ANNEX_OPTION(struct global_settings, metrics, 1, 60, "",
	    "Loopback address and port, such as 127.0.0.1:9100, at which metrics are served; "
	    "nowhere if left out."),
	ANNEX_OPTION_OF(struct global_settings, log_level, log_levels, "info",
	    "What is logged: this and everything more important."),
	ANNEX_OPTION(struct global_settings, module_dirs, 1, 32, "",
	    "Directories in which modules are looked for before the one that Annex was installed "
	    "with."),
	ANNEX_OPTION(struct global_settings, contacts, 1, 16, "",
	    "Addresses of whoever runs this service, as URIs such as mailto:admin@example.org; "
	    "users can ask for them."),
	{ 0 },
};

const struct annex_option server_options[] = {
	ANNEX_OPTION(struct server_settings, host, 1, 16, NULL,
	    "Where the server listens for components: a host name, an IPv4 address, an [IPv6] "
	    "address, any of them with :port behind it, or unix:/path; of a list, the first that "
	    "answers."),
	ANNEX_OPTION(struct server_settings, port, 1, 65535, "5347",
	    "Port of the hosts that are written without one."),
	ANNEX_OPTION_OF(struct server_settings, software, softwares, "",
	    "What the server is, for the hints of --check; if left out, hints are given for all."),
	ANNEX_OPTION_OF(struct server_settings, tls, tls_kinds, "no",
	    "Whether TLS is spoken from the first byte."),
	ANNEX_OPTION(struct server_settings, tls_ca_file, 1, PATH_BYTES, "",
	    "File of the certificates that may have signed the server's, in PEM; the system's if "
	    "left out."),
	ANNEX_OPTION(struct server_settings, tls_pin, 64, 103, "",
	    "SHA-256 of the server's certificate in hexadecimal; without tls-ca-file it alone "
	    "decides."),
	ANNEX_OPTION(struct server_settings, tls_name, 1, 255, "",
	    "Name that must be in the server's certificate; the host's if left out."),
	ANNEX_OPTION(struct server_settings, local_domains, 1, 1024, "",
	    "Domains whose users are at home on this server; only they may create rooms and the "
	    "like."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct server_settings, keepalive_ms, 1000, 300000,
	    "60s", "Silence of ours after which a blank is sent to keep the connection."),
	{ 0 },
};

const struct annex_option component_options[] = {
	ANNEX_OPTION(struct component_settings, module, 1, PATH_BYTES, NULL,
	    "What answers for this domain: the name of a module, or the path of its file."),
	ANNEX_OPTION(struct component_settings, server, 1, 255, "",
	    "Name of the server it is attached to; may be left out where there is only one."),
	ANNEX_OPTION(
	    struct component_settings, secret, 1, SECRET_MAX, "", "Secret shared with the server."),
	ANNEX_OPTION(struct component_settings, secret_file, 1, PATH_BYTES, "",
	    "File in which the secret stands, white space around it not counted; this or secret "
	    "is needed."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID_LIST, struct component_settings, admins, 1, 1024, "",
	    "Users who may do everything."),
	ANNEX_OPTION(struct component_settings, contacts, 1, 16, "",
	    "The same as contacts above, for this domain; those if left out."),
	ANNEX_OPTION(struct component_settings, rate_per_jid, 1, RATE_MAX, "100",
	    "Stanzas a second that one user may send for long."),
	ANNEX_OPTION(struct component_settings, burst_per_jid, 1, BURST_MAX, "500",
	    "Stanzas that one user may send at once."),
	ANNEX_OPTION(struct component_settings, rate_per_domain, 1, RATE_MAX, "1000",
	    "Stanzas a second that all users of one domain may send for long, local domains "
	    "excepted."),
	ANNEX_OPTION(struct component_settings, burst_per_domain, 1, BURST_MAX, "5000",
	    "Stanzas that all users of one domain may send at once, local domains excepted."),
	ANNEX_OPTION(struct component_settings, presence_pace, 1, RATE_MAX, "200",
	    "Contacts a second whose presence is asked for, and who are told ours, after each "
	    "connection."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct component_settings, presence_interval_ms, 0, HOUR,
	    "5s", "Time for which a contact that was shown a change is spared the next."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct component_settings, ask_ttl_ms, HOUR, 3650 * DAY,
	    "14d", "Time after which a contact that did not answer is not asked any more."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct component_settings, tombstone_ms, 0, 3650 * DAY,
	    "90d", "How long it is remembered that a contact has unsubscribed."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct component_settings, max_stanza_size_bytes,
	    STANZA_MIN, STANZA_MAX, "256K", "Largest stanza; larger ones are refused."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct component_settings, max_queue_bytes, QUEUE_MIN,
	    QUEUE_MAX, "64M",
	    "Most memory for what waits until the server takes it; with a quarter of it in use new "
	    "work is refused, with all of it nothing more is read, for half a minute at most."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct component_settings, store_quota_bytes, 1048576,
	    STORE_MAX, "0", "Most that the store may take on disk; 0 sets no quota."),
	ANNEX_OPTION_OF(struct component_settings, log_level, log_levels, "",
	    "The same as log-level above, for this component; that if left out."),
	{ 0 },
};
