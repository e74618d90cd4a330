/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco_inside.h - what info and items have from each other
 */
#ifndef SERVICE_DISCO_INSIDE_H
#define SERVICE_DISCO_INSIDE_H

#include <annex/disco.h>

struct annex_disco_info {
	struct annex_instance *inst;
	struct annex_pool *pool;
	struct annex_identity *identity;
	const char **feature;
	size_t identities, identity_room;
	size_t features, feature_room;
	struct annex_element *forms; /* a <query/> of its own until it is rendered */
};

/* With nothing in it, in scratch; then sorted into query. */
struct annex_disco_info *disco_info_create(struct annex_instance *inst);
void disco_info_render(struct annex_disco_info *info, struct annex_element *query);

/* Whether somebody may run any command at that address: else the list there is none of ours. */
bool disco_has_commands(struct annex_instance *inst, const struct annex_stanza *in);

/* The node that is asked about, or NULL. */
const char *disco_node(const struct annex_stanza *in);

/* The <query/> of an answer. */
struct annex_element *disco_answer(struct annex_stanza *out, const char *ns, const char *node);
enum annex_verdict disco_refuse(struct annex_instance *inst, const struct annex_stanza *in,
    int status, struct annex_error *error);

#endif /* SERVICE_DISCO_INSIDE_H */
