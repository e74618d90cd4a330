/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_tls.c - direct TLS: who is let near, and what is said of the others
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/hex.h"
#include "ground.h"

struct certificate {
	EVP_PKEY *key;
	X509 *x509;
};

struct papers {
	struct ground *ground;
	struct certificate ca, other_ca;
	char ca_file[64], other_ca_file[64];
};

static void
add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* issuer NULL: by itself.  names: as in an openssl configuration, or NULL for an issuer. */
static struct certificate
certify(const char *subject, const struct certificate *issuer, const char *names, long from_s,
    long until_s)
{
	struct certificate cert = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *name = X509_get_subject_name(cert.x509);

	X509_set_version(cert.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), from_s + 1000000);
	X509_gmtime_adj(X509_getm_notBefore(cert.x509), from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), until_s);
	X509_set_pubkey(cert.x509, cert.key);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0);
	X509_set_issuer_name(
	    cert.x509, issuer != NULL ? X509_get_subject_name(issuer->x509) : name);
	if (names != NULL)
		add_extension(cert.x509, NID_subject_alt_name, names);
	else
		add_extension(cert.x509, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(
	    X509_sign(cert.x509, issuer != NULL ? issuer->key : cert.key, EVP_sha256()) > 0);
	return cert;
}

static void
certificate_free(struct certificate *cert)
{
	EVP_PKEY_free(cert->key);
	X509_free(cert->x509);
}

static void
write_certificate(char *path, size_t size, const struct certificate *cert)
{
	FILE *file;
	int fd;

	snprintf(path, size, "/tmp/annex-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_int_equal(PEM_write_X509(file, cert->x509), 1);
	fclose(file);
}

static int
setup(void **state)
{
	struct papers *papers = calloc(1, sizeof(*papers));

	papers->ground = ground_create();
	papers->ca = certify("Test CA", NULL, NULL, -3600, 3600);
	papers->other_ca = certify("Other CA", NULL, NULL, -3600, 3600);
	write_certificate(papers->ca_file, sizeof(papers->ca_file), &papers->ca);
	write_certificate(papers->other_ca_file, sizeof(papers->other_ca_file), &papers->other_ca);
	*state = papers;
	return 0;
}

static int
teardown(void **state)
{
	struct papers *papers = *state;

	ground_destroy(papers->ground);
	unlink(papers->ca_file);
	unlink(papers->other_ca_file);
	certificate_free(&papers->ca);
	certificate_free(&papers->other_ca);
	free(papers);
	return 0;
}

/* Let the server show this certificate, which is freed; its SHA-256 in pin. */
static void
show(struct ground *ground, struct certificate cert, char pin[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len;

	SSL_CTX_free(ground->server.ctx);
	ground->server.ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(ground->server.ctx, cert.x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ground->server.ctx, cert.key), 1);
	SSL_CTX_set_mode(ground->server.ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	assert_int_equal(X509_digest(cert.x509, EVP_sha256(), sum, &len), 1);
	if (pin != NULL)
		hex_encode(pin, sum, len);
	certificate_free(&cert);
}

static struct ground *
prepare(struct papers *papers)
{
	struct ground *ground = papers->ground;

	assert_true(server_listen(&ground->server, AF_INET));
	ground->hosts[0] = server_host(&ground->server, "127.0.0.1");
	ground->config.tls = true;
	ground->config.tls_name = "xmpp.test";
	ground->config.tls_ca_file = papers->ca_file;
	ground->config.fence_check_ms = 0;
	return ground;
}

static void
assert_trouble(struct ground *ground, const char *sentence)
{
	ground_start(ground);
	ground_until(ground, stream_last_trouble(ground->stream) != NULL);
	if (strstr(stream_last_trouble(ground->stream), sentence) == NULL)
		fail_msg(
		    "\"%s\" says nothing of \"%s\"", stream_last_trouble(ground->stream), sentence);
	assert_int_equal(ground->ups, 0);
	assert_false(ground->server.is_shaken);
}

/* It will not be better in a tenth of a second. */
static void
a_certificate_that_is_no_good_is_not_asked_for_again_at_once(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);
	int64_t began_ms = clock_ms(&ground->clock);

	show(ground, certify("x", &papers->other_ca, "DNS:xmpp.test", -60, 3600), NULL);
	assert_trouble(ground, "issuer is not known here");
	ground_until(ground, ground->server.accepted == 2);
	assert_true(clock_ms(&ground->clock) - began_ms >= 750);
}

static void
a_certificate_for_the_name_by_a_known_issuer_is_good(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->ca, "DNS:other.test,DNS:xmpp.test", -60, 3600), NULL);
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
without_a_name_the_hosts_own_is_expected(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->ca, "IP:127.0.0.1", -60, 3600), NULL);
	ground->config.tls_name = NULL;
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
a_certificate_for_another_name_is_told_with_both(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->ca, "DNS:a.test,DNS:b.test", -60, 3600), NULL);
	assert_trouble(ground, "the certificate is for a.test, b.test, not for xmpp.test");
}

static void
a_certificate_for_another_address_is_told(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->ca, "IP:127.0.0.2", -60, 3600), NULL);
	ground->config.tls_name = NULL;
	assert_trouble(ground, "not for 127.0.0.1");
}

static void
an_issuer_that_is_not_known_is_named(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->other_ca, "DNS:xmpp.test", -60, 3600), NULL);
	assert_trouble(ground, "issuer is not known here (/CN=Other CA)");
}

static void
a_self_signed_certificate_is_not_trusted_by_the_systems_issuers(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("xmpp.test", NULL, "DNS:xmpp.test", -60, 3600), NULL);
	ground->config.tls_ca_file = NULL;
	assert_trouble(ground, "issuer is not known here (/CN=xmpp.test)");
}

static void
an_expired_certificate_is_told_with_its_date(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->ca, "DNS:xmpp.test", -7200, -3600), NULL);
	assert_trouble(ground, "expired");
	assert_non_null(strstr(stream_last_trouble(ground->stream), "UTC"));
}

static void
a_certificate_of_tomorrow_is_told(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->ca, "DNS:xmpp.test", 86400, 2 * 86400), NULL);
	assert_trouble(ground, "not valid before");
}

static void
a_pin_alone_decides(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);
	char pin[65];

	show(ground, certify("x", NULL, "DNS:other.test", -7200, -3600), pin);
	ground->config.tls_ca_file = NULL;
	ground->config.tls_pin = pin;
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
a_certificate_that_is_not_the_pinned_one_is_told_with_both(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);
	char pin[65], wanted[65], sentence[200];

	show(ground, certify("x", &papers->ca, "DNS:xmpp.test", -60, 3600), wanted);
	show(ground, certify("x", &papers->ca, "DNS:xmpp.test", -50, 3600), pin);
	ground->config.tls_pin = wanted;
	snprintf(sentence, sizeof(sentence), "its SHA-256 is %s, the pin is %s", pin, wanted);
	assert_trouble(ground, sentence);
}

static void
with_a_pin_and_a_ca_file_both_must_hold(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);
	char pin[65];

	show(ground, certify("x", &papers->other_ca, "DNS:xmpp.test", -60, 3600), pin);
	ground->config.tls_pin = pin;
	assert_trouble(ground, "issuer is not known here");
}

static void
a_ca_file_that_cannot_be_read_is_named(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	show(ground, certify("x", &papers->ca, "DNS:xmpp.test", -60, 3600), NULL);
	ground->config.tls_ca_file = "/nonexistent/ca.pem";
	assert_trouble(ground, "cannot read certificates of issuers from /nonexistent/ca.pem");
}

static void
a_port_without_tls_is_told(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	buf_puts(&ground->server.out, "HTTP/1.1 400 Bad Request\r\n\r\n");
	assert_trouble(ground, "does not speak TLS");
}

static void
a_server_that_closes_in_the_tls_handshake_is_told(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);

	ground->server.is_rude = true;
	assert_trouble(ground, "closed the connection during the TLS handshake");
}

static void
files_are_read_anew_at_every_connect(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);
	char moved[80];

	show(ground, certify("x", &papers->other_ca, "DNS:xmpp.test", -60, 3600), NULL);
	assert_trouble(ground, "issuer is not known here");
	snprintf(moved, sizeof(moved), "%s.old", papers->ca_file);
	assert_int_equal(rename(papers->ca_file, moved), 0);
	assert_int_equal(link(papers->other_ca_file, papers->ca_file), 0);
	unlink(moved);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
four_megabytes_go_out_and_come_back_under_tls(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);
	char text[1001];

	show(ground, certify("x", &papers->ca, "DNS:xmpp.test", -60, 3600), NULL);
	ground->server.echoes = true;
	/* Less than a TLS record a turn: what is left must be found without the socket's help. */
	ground->config.read_bytes = 10000;
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
	memset(text, 'x', sizeof(text));
	memcpy(text, "<message>", 9);
	memcpy(text + 990, "</message>", 10);
	for (int i = 0; i < 4000; i++)
		stream_queue(ground->stream, NULL, STREAM_MESSAGE, text, 1000);
	ground_until(ground, ground->stanzas == 4000);
	assert_int_equal(ground->downs, 0);
}

static void
a_change_of_tls_reconnects_without_loss_of_what_is_queued(void **state)
{
	struct papers *papers = *state;
	struct ground *ground = prepare(papers);
	char pin[65], text[1001];

	show(ground, certify("x", &papers->ca, "DNS:xmpp.test", -60, 3600), pin);
	ground->server.echoes = true;
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
	memset(text, 'x', sizeof(text));
	memcpy(text, "<message>", 9);
	memcpy(text + 990, "</message>", 10);
	for (int i = 0; i < 2000; i++)
		stream_queue(ground->stream, NULL, STREAM_PRESENCE, text, 1000);
	stream_flush(ground->stream);
	ground->config.tls_pin = pin;
	assert_int_equal(stream_reconfigure(ground->stream, &ground->config), ANNEX_AGAIN);
	ground_until(ground, ground->ups == 2);
	assert_int_equal(ground->stanzas, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_certificate_that_is_no_good_is_not_asked_for_again_at_once),
		T(a_certificate_for_the_name_by_a_known_issuer_is_good),
		T(without_a_name_the_hosts_own_is_expected),
		T(a_certificate_for_another_name_is_told_with_both),
		T(a_certificate_for_another_address_is_told),
		T(an_issuer_that_is_not_known_is_named),
		T(a_self_signed_certificate_is_not_trusted_by_the_systems_issuers),
		T(an_expired_certificate_is_told_with_its_date),
		T(a_certificate_of_tomorrow_is_told),
		T(a_pin_alone_decides),
		T(a_certificate_that_is_not_the_pinned_one_is_told_with_both),
		T(with_a_pin_and_a_ca_file_both_must_hold),
		T(a_ca_file_that_cannot_be_read_is_named),
		T(a_port_without_tls_is_told),
		T(a_server_that_closes_in_the_tls_handshake_is_told),
		T(files_are_read_anew_at_every_connect),
		T(four_megabytes_go_out_and_come_back_under_tls),
		T(a_change_of_tls_reconnects_without_loss_of_what_is_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
