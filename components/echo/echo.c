/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * echo.c - answers every message with itself
 *
 * The smallest complete component: copy this folder to begin your own, or
 * let contrib/new-component write one for you; annex-component(7) is the
 * guide.  A message comes in, its answer goes out with all that was in it.
 * Service discovery, version, ping and the like are answered by Annex.
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

/* Only messages with a body: chat states and receipts are not talked back to. */
static const struct annex_route echo_routes[] = {
	{ ANNEX_MESSAGE, NULL, "body", echo_message },
	{ 0 },
};

static const struct annex_identity echo_identities[] = {
	{ "component", "generic", "Echo" },
	{ 0 },
};

static const struct annex_disco echo_disco = { .identities = echo_identities };

ANNEX_MODULE(echo) = {
	ANNEX_MODULE_ABI,
	.name = "echo",
	.summary = "answers every message with itself",
	.routes = echo_routes,
	.disco = &echo_disco,
};
