/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * web.c - one request to a web server, and what its answer means for who runs the program
 */
#include <stdio.h>
#include <string.h>

#include "web.h"

CURL *
web_begin(const char *url, long timeout_s, struct curl_slist *headers)
{
	CURL *curl = curl_easy_init();

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout_s);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "Annex");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	return curl;
}

/* Which answers are worth another try (RFC 9110 §15, RFC 6585 §4). */
static int
judge(long status)
{
	if (status >= 200 && status < 300)
		return 0;
	if (status >= 500 || status == 408 || status == 425 || status == 429)
		return EXIT_LATER;
	return EXIT_FOR_GOOD;
}

/* Where it is, but not what for: an address may hold a secret, and what we say is logged. */
static int
place_len(const char *url)
{
	const char *at = strstr(url, "://");

	at = at == NULL ? url : at + 3;
	return (int)(at - url + (long)strcspn(at, "/?#"));
}

int
web_do(CURL *curl, const char *program, const char *url)
{
	CURLcode code = curl_easy_perform(curl);
	long status = 0;
	int verdict;

	if (code != CURLE_OK) {
		fprintf(stderr, "%s: %.*s: %s\n", program, place_len(url), url,
		    curl_easy_strerror(code));
		return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL
		    ? EXIT_FOR_GOOD
		    : EXIT_LATER;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if ((verdict = judge(status)) != 0)
		fprintf(stderr, "%s: %.*s: the server says %ld\n", program, place_len(url), url,
		    status);
	return verdict;
}
