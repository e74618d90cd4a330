/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * request.h - what a line of a client asks for
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <jansson.h>
#include <stddef.h>

#include <annex/pool.h>
#include <annex/status.h>

struct request {
	json_t *root; /* the caller's to decref; the others are borrowed from it */
	const char *command;
	json_t *args; /* an object, empty where none came */
};

/* ANNEX_EINVAL with *why, in pool, where the line is no request. */
int request_parse(const char *line, size_t len, struct request *request_r, struct annex_pool *pool,
    const char **why) ANNEX_MUST_CHECK;

#endif /* CONTROL_REQUEST_H */
