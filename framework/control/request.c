/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * request.c - what a line of a client asks for
 */
#include <string.h>

#include "request.h"

static const char *
request_check(json_t *root, struct request *request)
{
	json_t *command = json_object_get(root, "command"), *args = json_object_get(root, "args");

	if (!json_is_object(root))
		return "a request is an object";
	if (!json_is_string(command) || json_string_length(command) == 0)
		return "a request has a \"command\", a string";
	if (args != NULL && !json_is_object(args))
		return "\"args\" is an object";
	if (args == NULL)
		json_object_set_new(root, "args", args = json_object());
	*request = (struct request) {
		.root = root,
		.command = json_string_value(command),
		.args = args,
	};
	return NULL;
}

int
request_parse(const char *line, size_t len, struct request *request_r, struct annex_pool *pool,
    const char **why)
{
	json_error_t error;
	json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL) {
		*why =
		    annex_sprintf(pool, "not JSON: %s at character %d", error.text, error.column);
		return ANNEX_EINVAL;
	}
	if ((*why = request_check(root, request_r)) != NULL) {
		json_decref(root);
		return ANNEX_EINVAL;
	}
	return ANNEX_OK;
}
