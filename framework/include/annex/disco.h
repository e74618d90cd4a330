/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.h - service discovery (XEP-0030): who are you, what do you hold
 *
 * Annex answers disco for the domain from the table here, adding what it
 * answers for every component itself (ping, version, time, last activity,
 * commands where there are some).  For other addresses and nodes the component fills in.
 */
#ifndef ANNEX_DISCO_H
#define ANNEX_DISCO_H

#include <stdint.h>

#include <annex/rsm.h>
#include <annex/stanza.h>

#pragma GCC visibility push(default)

struct annex_identity {
	const char *category; /* NULL ends the list */
	const char *type;
	const char *name; /* or NULL */
};

/* Fill answers while the component is asked; only good until the callback returns. */
struct annex_disco_info;

/*
 * info: of an address (and node, or NULL) other than the domain itself: call the functions below
 * and return ANNEX_OK; ANNEX_ENOENT for item-not-found; or the error is in *error_r with
 * ANNEX_EDENIED.  For the domain it is called as well, after the table, to add to it; then
 * ANNEX_ENOENT is "nothing to add" without a node.
 *
 * items: return the source of items of an address and node (rsm.h); its items are struct
 * annex_disco_item, which must live until the callback's scratch does.  Same returns.
 */
struct annex_disco_item {
	const char *jid;
	const char *node; /* or NULL */
	const char *name; /* or NULL */
};

struct annex_disco {
	const struct annex_identity *identities;
	const char *const *features; /* NULL-ended */
	int (*info)(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
	    struct annex_disco_info *info, struct annex_error *error_r);
	int (*items)(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
	    struct annex_source *source_r, struct annex_error *error_r);
	uintptr_t reserved[4];
};

void annex_disco_identity(
    struct annex_disco_info *info, const char *category, const char *type, const char *name);
void annex_disco_feature(struct annex_disco_info *info, const char *feature);
/* The <query/>, to append forms to (XEP-0128). */
struct annex_element *annex_disco_query(struct annex_disco_info *info);

/* The caps hash of what disco#info of the domain says now (XEP-0115), in scratch. */
const char *annex_disco_hash(struct annex_instance *inst);

#pragma GCC visibility pop

#endif /* ANNEX_DISCO_H */
