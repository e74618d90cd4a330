/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_address.c - hosts, domains, pins and URIs as people write them
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include <annex/jid.h>

#include "check_address.h"
#include "config/quantities.h"

#define NAME_MAX_BYTES 253 /* RFC 1035 §2.3.4, as text */
#define UNIX_MAX_BYTES 107
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

static bool
is_ipv4(const char *name, bool *loopback)
{
	struct in_addr a;

	if (inet_pton(AF_INET, name, &a) != 1)
		return false;
	*loopback = (ntohl(a.s_addr) >> 24) == 127;
	return true;
}

static bool
is_ipv6(const char *name, bool *loopback)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, name, &a) != 1)
		return false;
	*loopback = IN6_IS_ADDR_LOOPBACK(&a) || (IN6_IS_ADDR_V4MAPPED(&a) && a.s6_addr[12] == 127);
	return true;
}

static bool
is_host_name(const char *name, bool *loopback)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_BYTES || strspn(name, NAME_BYTES) != len)
		return false;
	if (name[0] == '.' || name[0] == '-' || strstr(name, "..") != NULL)
		return false;
	*loopback = strcasecmp(name, "localhost") == 0 ||
	    (len > 10 && strcasecmp(name + len - 10, ".localhost") == 0);
	/* Digits and dots alone were meant as an address, and are none. */
	return strspn(name, "0123456789.") != len;
}

static int
read_port(const char *text, uint16_t *port)
{
	int64_t value;

	if (quantity_read_int(text, &value) < 0 || value < 1 || value > 65535)
		return ANNEX_EINVAL;
	*port = (uint16_t)value;
	return ANNEX_OK;
}

static int
read_unix(const char *path, struct annex_pool *pool, struct address *a, const char **why)
{
	if (*path == '\0') {
		*why = "names no socket";
		return ANNEX_EINVAL;
	}
	if (strlen(path) > UNIX_MAX_BYTES) {
		*why = annex_sprintf(
		    pool, "is too long: a Unix socket's path has at most %d bytes", UNIX_MAX_BYTES);
		return ANNEX_EINVAL;
	}
	a->path = annex_strdup(pool, path);
	a->loopback = true;
	return ANNEX_OK;
}

/* Split into name and the text of a port, or NULL where there is none. */
static const char *
split_port(const char *text, struct annex_pool *pool, const char **port)
{
	const char *colon = strrchr(text, ':'), *close = strchr(text, ']');
	bool loopback;

	*port = NULL;
	if (*text == '[' && close != NULL && (close[1] == '\0' || close[1] == ':')) {
		*port = close[1] == ':' ? close + 2 : NULL;
		return annex_strndup(pool, text + 1, (size_t)(close - text) - 1);
	}
	if (colon == NULL || is_ipv6(text, &loopback))
		return text;
	*port = colon + 1;
	return annex_strndup(pool, text, (size_t)(colon - text));
}

int
address_read(const char *text, uint16_t port, struct annex_pool *pool, struct address *address_r,
    const char **why)
{
	struct address *a = address_r;
	const char *name, *port_text;

	*a = (struct address) { .port = port };
	if (strncmp(text, "unix:", 5) == 0)
		return read_unix(text + 5, pool, a, why);
	name = split_port(text, pool, &port_text);
	if (*text == '[' ? !is_ipv6(name, &a->loopback)
			 : !is_ipv4(name, &a->loopback) && !is_ipv6(name, &a->loopback) &&
		    !is_host_name(name, &a->loopback)) {
		*why = "is not a host name, an IPv4 address, an [IPv6] address or unix:/path";
		return ANNEX_EINVAL;
	}
	if (port_text != NULL && read_port(port_text, &a->port) < 0) {
		*why = "has no port from 1 to 65535 behind its colon";
		return ANNEX_EINVAL;
	}
	if (a->port == 0) {
		*why = "has no port; write host:port";
		return ANNEX_EINVAL;
	}
	a->name = annex_strdup(pool, name);
	return ANNEX_OK;
}

/* Its ASCII part; what preparation let through beyond ASCII is fine. */
static bool
is_domain_byte(char c)
{
	return (unsigned char)c >= 0x80 || (c != '\0' && strchr(NAME_BYTES, c) != NULL);
}

const char *
address_domain(struct annex_pool *pool, const char *text)
{
	const char *domain = annex_prep_domain(pool, text);

	if (domain == NULL || *domain == '.' || strstr(domain, "..") != NULL ||
	    strlen(domain) > NAME_MAX_BYTES)
		return NULL;
	for (const char *c = domain; *c != '\0'; c++)
		if (!is_domain_byte(*c))
			return NULL;
	return domain;
}

bool
address_is_under(const char *domain, const char *parent)
{
	size_t len = strlen(domain), n = strlen(parent);

	if (len < n || strcmp(domain + len - n, parent) != 0)
		return false;
	return len == n || domain[len - n - 1] == '.';
}

const char *
address_pin(struct annex_pool *pool, const char *text)
{
	char *pin = annex_strdup(pool, text), *to = pin;

	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] == ':' && i % 3 == 2)
			continue;
		if (!isxdigit((unsigned char)text[i]))
			return NULL;
		*to++ = (char)tolower((unsigned char)text[i]);
	}
	*to = '\0';
	return to - pin == 64 ? pin : NULL;
}

bool
address_is_uri(const char *text)
{
	size_t n = strcspn(text, ":");

	if (!isalpha((unsigned char)text[0]) || text[n] == '\0' || text[n + 1] == '\0')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && strchr("+-.", text[i]) == NULL)
			return false;
	return strpbrk(text, " \t\r\n<>\"") == NULL;
}
