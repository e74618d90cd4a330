/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * commands.h - what operators may do (commands.c, and commands of other files)
 */
#ifndef MUC_COMMANDS_H
#define MUC_COMMANDS_H

#include "muc.h"

struct command_values {
	const char *room, *nick, *jid, *affiliation, *reason, *text, *field, *after;
	struct annex_strings value;
};
/* NULL where there is none: the run has failed. */
struct room *
command_room(struct annex_instance *inst, struct annex_run *run, const struct command_values *v);
int run_announce(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int run_export(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int run_erase(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
/* A message to the service itself. */
enum annex_verdict announce_as_asked(struct muc *m, const struct annex_stanza *in);
int announce_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit);
int erase_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit);
/* As an owner would, with a submitted form; error_r says why not. */
int room_configure(
    struct room *room, const struct annex_element *x, struct annex_error *error_r) ANNEX_MUST_CHECK;

#endif /* MUC_COMMANDS_H */
