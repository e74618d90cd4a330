/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * web.h - one request to a web server, and what its answer means for who runs the program
 */
#ifndef PROGRAMS_WEB_H
#define PROGRAMS_WEB_H

#include <curl/curl.h>

/* Exit statuses of a program of the carrier exec: give it up, or try it again. */
#define EXIT_FOR_GOOD 100
#define EXIT_LATER 111

/* A request to url with these headers, which stay the caller's; what it carries and where the
 * answer goes is for the caller to set. */
CURL *web_begin(const char *url, long timeout_s, struct curl_slist *headers);

/* Do it: 0, EXIT_FOR_GOOD or EXIT_LATER, after a sentence under the program's name. */
int web_do(CURL *curl, const char *program, const char *url);

#endif
