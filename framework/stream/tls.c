/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tls.c - TLS on a connected socket, never waiting
 *
 * A context is made for every connection, so that the files are read anew
 * each time and a renewed certificate needs no restart.
 *
 * The library verifies chain and name while it shakes hands but does not
 * stop for it; we look at its verdict before anything is said, for only then
 * is the certificate there to be named in the sentence.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/hex.h"
#include "resolve.h"
#include "tls.h"

#define SHA256_BYTES 32

struct tls {
	SSL_CTX *ctx;
	SSL *ssl;
	char *name; /* in the certificate; NULL: whatever */
	char *pin;
	bool pin_alone;
	int wants;
	char *why;
	size_t why_size;
};

/* What the library put in its queue, which is empty then. */
static const char *
library_reason(void)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;

	ERR_clear_error();
	return reason != NULL ? reason : "no reason given";
}

void
tls_destroy(struct tls **tlsp)
{
	struct tls *tls = *tlsp;

	if (tls == NULL)
		return;
	*tlsp = NULL;
	if (tls->ssl != NULL && SSL_is_init_finished(tls->ssl))
		(void)SSL_shutdown(tls->ssl);
	ERR_clear_error();
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->ctx);
	free(tls->name);
	free(tls->pin);
	free(tls);
}

static bool
load_issuers(struct tls *tls, const struct stream_config *config)
{
	if (config->tls_ca_file == NULL && tls->pin_alone)
		return true;
	if (config->tls_ca_file == NULL)
		return SSL_CTX_set_default_verify_paths(tls->ctx) == 1;
	if (SSL_CTX_load_verify_locations(tls->ctx, config->tls_ca_file, NULL) == 1)
		return true;
	snprintf(tls->why, tls->why_size, "cannot read certificates of issuers from %s (%s)",
	    config->tls_ca_file, library_reason());
	return false;
}

/* Whom the certificate must be for, and what we tell the server we look for. */
static bool
set_name(struct tls *tls)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
	struct addrinfo *numeric;

	if (tls->name == NULL)
		return true;
	if ((numeric = resolve_numeric(tls->name, 0)) != NULL) {
		freeaddrinfo(numeric);
		return X509_VERIFY_PARAM_set1_ip_asc(param, tls->name) == 1;
	}
	SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(tls->ssl, tls->name) == 1 &&
	    SSL_set1_host(tls->ssl, tls->name) == 1;
}

static bool
tls_prepare(struct tls *tls, const struct stream_config *config, int fd)
{
	if ((tls->ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		return false;
	SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
	/* The certificate is looked at once: another handshake could bring another one unseen. */
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(tls->ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_RELEASE_BUFFERS);
	if (!load_issuers(tls, config) || (tls->ssl = SSL_new(tls->ctx)) == NULL)
		return false;
	SSL_set_connect_state(tls->ssl);
	return SSL_set_fd(tls->ssl, fd) == 1 && set_name(tls);
}

struct tls *
tls_create(const struct stream_config *config, const struct stream_host *host, int fd, char *why,
    size_t why_size)
{
	struct tls *tls = mem_zalloc(sizeof(*tls));
	const char *name = config->tls_name != NULL ? config->tls_name : host->name;

	tls->why = why;
	tls->why_size = why_size;
	tls->pin_alone = config->tls_pin != NULL && config->tls_ca_file == NULL;
	tls->pin = config->tls_pin != NULL ? mem_strdup(config->tls_pin) : NULL;
	if (name == NULL)
		name = config->domain; /* over a Unix socket */
	tls->name = mem_strdup(name);
	snprintf(why, why_size, "TLS cannot be set up");
	ERR_clear_error();
	if (tls_prepare(tls, config, fd))
		return tls;
	tls_destroy(&tls);
	return NULL;
}

/* "DNS names it is for", or its subject where it has none. */
static void
certificate_names(X509 *cert, struct buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char subject[200];

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS)
			continue;
		buf_printf(out, "%s%.*s", out->len > 0 ? ", " : "",
		    ASN1_STRING_length(name->d.dNSName),
		    (const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	if (out->len == 0)
		buf_puts(
		    out, X509_NAME_oneline(X509_get_subject_name(cert), subject, sizeof(subject)));
}

static void
time_text(const ASN1_TIME *time, char *text, size_t size)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(text, size, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(text, size, "an unknown date");
}

/* A sentence for the verdict on the certificate. */
static void
explain(struct tls *tls, X509 *cert, long verdict)
{
	struct buf names = { 0 };
	char text[200];

	switch (verdict) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		certificate_names(cert, &names);
		snprintf(tls->why, tls->why_size,
		    "the certificate is for %s, not for %s: connect by its name or set the name to "
		    "expect",
		    names.data, tls->name);
		buf_finish(&names);
		return;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		time_text(X509_get0_notAfter(cert), text, sizeof(text));
		snprintf(tls->why, tls->why_size,
		    "the certificate, or one it depends on, expired "
		    "(the server's own is good until %s): renew it on the server",
		    text);
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		time_text(X509_get0_notBefore(cert), text, sizeof(text));
		snprintf(tls->why, tls->why_size,
		    "the certificate is not valid before %s: look at the clocks", text);
		return;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		snprintf(tls->why, tls->why_size,
		    "the certificate's issuer is not known here (%s): name a file with the "
		    "issuer's certificate, or pin the server's",
		    X509_NAME_oneline(X509_get_issuer_name(cert), text, sizeof(text)));
		return;
	default:
		snprintf(tls->why, tls->why_size, "the certificate is not accepted (%s)",
		    X509_verify_cert_error_string(verdict));
	}
}

static bool
pin_is_right(struct tls *tls, X509 *cert)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char text[2 * SHA256_BYTES + 1];
	unsigned len = 0;

	if (X509_digest(cert, EVP_sha256(), sum, &len) != 1 || len != SHA256_BYTES)
		return false;
	hex_encode(text, sum, SHA256_BYTES);
	if (strcmp(text, tls->pin) == 0)
		return true;
	snprintf(tls->why, tls->why_size,
	    "the certificate is not the pinned one: its SHA-256 is %s, the pin is %s", text,
	    tls->pin);
	return false;
}

static bool
peer_is_right(struct tls *tls)
{
	X509 *cert = SSL_get0_peer_certificate(tls->ssl);
	long verdict = SSL_get_verify_result(tls->ssl);

	if (cert == NULL) {
		snprintf(tls->why, tls->why_size, "the server showed no certificate");
		return false;
	}
	if (tls->pin != NULL && !pin_is_right(tls, cert))
		return false;
	if (tls->pin_alone || verdict == X509_V_OK)
		return true;
	explain(tls, cert, verdict);
	return false;
}

/* Why the library gave up before there was a certificate. */
static int
shake_failed(struct tls *tls, int kind)
{
	unsigned long error = ERR_peek_last_error();
	int reason = ERR_GET_REASON(error), system_error = errno;

	if (kind == SSL_ERROR_SYSCALL || kind == SSL_ERROR_ZERO_RETURN ||
	    reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		snprintf(tls->why, tls->why_size,
		    "the server closed the connection during the TLS handshake%s%s",
		    system_error != 0 && kind == SSL_ERROR_SYSCALL ? ": " : "",
		    system_error != 0 && kind == SSL_ERROR_SYSCALL ? strerror(system_error) : "");
	else if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
	    (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
		reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_BAD_RECORD_TYPE))
		snprintf(tls->why, tls->why_size, "what answers on this port does not speak TLS");
	else
		snprintf(
		    tls->why, tls->why_size, "the TLS handshake failed (%s)", library_reason());
	ERR_clear_error();
	return -EPROTO;
}

int
tls_shake(struct tls *tls, int *events_r)
{
	int r, kind;

	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(tls->ssl);
	if (r == 1)
		return peer_is_right(tls) ? 1 : -EACCES;
	kind = SSL_get_error(tls->ssl, r);
	if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
		return shake_failed(tls, kind);
	*events_r = kind == SSL_ERROR_WANT_READ ? REACTOR_READ : REACTOR_WRITE;
	return -EAGAIN;
}

/* wanted is what a plain socket would wait for: the other one is an extra. */
static ssize_t
tls_result(struct tls *tls, int r, int wanted)
{
	int kind, system_error = errno;

	tls->wants = 0;
	if (r > 0)
		return r;
	kind = SSL_get_error(tls->ssl, r);
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
		int needed = kind == SSL_ERROR_WANT_READ ? REACTOR_READ : REACTOR_WRITE;

		tls->wants = needed != wanted ? needed : 0;
		return -EAGAIN;
	}
	if (kind == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (kind == SSL_ERROR_SYSCALL && system_error != 0) {
		snprintf(tls->why, tls->why_size, "%s", strerror(system_error));
		ERR_clear_error();
		return -system_error;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		ERR_clear_error();
		return 0; /* closed without goodbye: XML says whether something is missing */
	}
	snprintf(tls->why, tls->why_size, "TLS failed (%s)", library_reason());
	return -EPROTO;
}

ssize_t
tls_read(struct tls *tls, void *bytes, size_t len)
{
	ERR_clear_error();
	errno = 0;
	return tls_result(tls, SSL_read(tls->ssl, bytes, (int)len), REACTOR_READ);
}

ssize_t
tls_write(struct tls *tls, const void *bytes, size_t len)
{
	ssize_t n;

	ERR_clear_error();
	errno = 0;
	n = tls_result(tls, SSL_write(tls->ssl, bytes, (int)len), REACTOR_WRITE);
	return n == 0 ? -EPIPE : n;
}

bool
tls_has_pending(const struct tls *tls)
{
	return SSL_pending(tls->ssl) > 0;
}

int
tls_wants(const struct tls *tls)
{
	return tls->wants;
}
