/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hats.h - titles that a room gives (hats.c), and its commands for them (hatter.c)
 */
#ifndef MUC_HATS_H
#define MUC_HATS_H

#include "muc.h"

#define HATS_MAX 100
#define WORN_MAX 10
#define WEARERS_MAX 1000

/* NULL where there is none. */
const Muc__Hat *hats_find(const struct room *room, const char *uri);
/* NULL where they have none.  In scratch. */
const Muc__Hats *hats_worn(const struct room *room, const char *bare);
int hats_wear(struct room *room, const char *bare, char **uri, size_t count);
/* All of worn but one, at most WORN_MAX, to uri; how many. */
size_t hats_without(const Muc__Hats *worn, const char *without, char **uri);
bool hats_has(const Muc__Hats *worn, const char *uri);
/* Show an occupant anew, with the hats they have now. */
void hats_show(struct occupant *o);
typedef int hats_fn(struct room *room, const Muc__Hats *worn, void *cookie);
/* Whoever has hats in the room, until fn fails. */
int hats_each(struct room *room, hats_fn *fn, void *cookie);

/* --- hatter.c ---------------------------------------------------------------- */

extern const struct annex_form hats_create_form, hats_destroy_form, hats_give_form;
struct hat_values {
	const char *jid, *uri, *title, *hue;
};
enum annex_condition
hats_may_list(struct annex_instance *inst, const struct annex_jid *who, const struct annex_jid *at);
enum annex_condition hats_may_change(
    struct annex_instance *inst, const struct annex_jid *who, const struct annex_jid *at);
/* Offer the hats there are to choose from. */
void hats_choose(struct annex_instance *inst, struct annex_run *run, void *values);
void hats_choose_for(struct annex_instance *inst, struct annex_run *run, void *values);
int hats_create(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int hats_destroy(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int hats_assign(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int hats_unassign(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int hats_list(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int hats_list_assigned(
    struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);

#endif /* MUC_HATS_H */
