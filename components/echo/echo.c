/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * echo.c - the smallest complete component: what a new author copies
 *
 * Every message with a body comes back to its sender, with all that was in it.
 */
#include <annex/component.h>
#include <annex/disco.h>

static enum annex_verdict
echo_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(inst, in);

	annex_copy_children(out, in);
	annex_send(inst, out);
	return ANNEX_DONE;
}

static const struct annex_route echo_routes[] = {
	{ ANNEX_MESSAGE, NULL, "body", echo_message },
	{ 0 },
};

static const struct annex_identity echo_identities[] = {
	{ "component", "generic", "Echo" },
	{ 0 },
};

static const struct annex_disco echo_disco = {
	.identities = echo_identities,
};

ANNEX_MODULE(echo) = {
	ANNEX_MODULE_ABI,
	.name = "echo",
	.summary = "answers every message with itself",
	.routes = echo_routes,
	.disco = &echo_disco,
};
