/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_address.h - hosts, domains, pins and URIs as people write them
 *
 * Each is a pure function of a text; what is wrong is *why, which goes
 * behind the text: "is not a host name".
 */
#ifndef WORKER_CHECK_ADDRESS_H
#define WORKER_CHECK_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/pool.h>

struct address {
	const char *name; /* host name or IP address, without brackets; NULL of a Unix socket */
	uint16_t port;
	const char *path; /* of a Unix socket, as written */
	bool loopback;    /* nobody can listen on the way */
};

/* Host, host:port, [IPv6], [IPv6]:port, IPv6, unix:/path.  port 0: one must be there. */
int address_read(const char *text, uint16_t port, struct annex_pool *pool,
    struct address *address_r, const char **why) ANNEX_MUST_CHECK;

/* A prepared domain that may be a component's and a directory's name, or NULL. */
const char *address_domain(struct annex_pool *pool, const char *text);

/* Whether domain is under parent, or is it. */
bool address_is_under(const char *domain, const char *parent);

/* 64 digits, colons between pairs allowed: lowercase without colons, or NULL. */
const char *address_pin(struct annex_pool *pool, const char *text);

/* Whether it begins as URIs do (RFC 3986 §3.1) and has something behind it. */
bool address_is_uri(const char *text);

#endif /* WORKER_CHECK_ADDRESS_H */
