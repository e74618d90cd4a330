/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * admin.h - commands of operators (commands.c has their table)
 */
#ifndef BOTS_ADMIN_H
#define BOTS_ADMIN_H

#include <annex/command.h>

#include "bots.h"

#define ADMIN_SHOWN_MOST 1000 /* rows of a list */

struct admin_values {
	const char *bot;
	const char *nick, *about, *policy; /* of one that is made */
	const char *option, *value;        /* that is set */
	const char *jid, *why;             /* of who is banned */
};

extern const struct annex_form admin_bot_form, made_add_form, made_set_form, ban_form, unban_form;
extern const struct annex_command bots_commands[];

/* The bot of that name; NULL: the answer says that there is none. */
struct bot *admin_bot(struct annex_instance *inst, struct annex_run *run, const char *name);

/* Bots, their programs, and what waits. */
int admin_bots(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
/* Who has a bot as a contact, and who is probably gone. */
int
admin_contacts(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
/* Events of a bot that were given up; let them be tried anew, under new numbers. */
int admin_dead(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int admin_retry(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
/* Do not wait for the next try of what failed. */
int admin_poke(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);

/* ban.c: ban somebody from a bot, let them back, list them. */
int admin_ban(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int admin_unban(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int admin_bans(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);

/* made.c: make a bot, set an option of it, show its options and programs, remove it. */
int made_add(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int made_set(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int made_show(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int made_remove(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);

#endif /* BOTS_ADMIN_H */
