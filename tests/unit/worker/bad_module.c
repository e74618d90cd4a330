/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bad_module.c - a module whose descriptor is what the build says
 *
 * SYMBOL, MAGIC, MAJOR, MINOR, SIZE and NAME come from Makefile.inc, which
 * makes one shared object of each thing that must be refused.
 */
#include <annex/component.h>

extern const struct annex_module SYMBOL;

static enum annex_verdict
handle(struct annex_instance *inst, const struct annex_stanza *in)
{
	return ANNEX_PASS;
}

static const struct annex_route routes[] = {
	{ ANNEX_MESSAGE, NULL, "body", handle },
	{ 0 },
};

__attribute__((visibility("default"))) const struct annex_module SYMBOL = {
	.magic = MAGIC,
	.abi_major = MAJOR,
	.abi_minor = MINOR,
	.size = SIZE,
	.name = NAME,
	.routes = routes,
};
