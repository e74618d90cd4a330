/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * component_inside.h - what the files about one component share
 *
 * component.c has its states, component_words.c what its worker says and is
 * told, and component_end.c what an end means.
 */
#ifndef SUPERVISOR_COMPONENT_INSIDE_H
#define SUPERVISOR_COMPONENT_INSIDE_H

#include "component.h"

void component_set_state(struct component *component, enum component_state state);

/* Those who wait: what they waited for has come, or failed. */
void component_tell(struct annex_link *waiters, const char *failure);

/* The section that was sent is answered: failed is a sentence, or NULL. */
void component_reloaded(struct component *component, const char *failed);

/* The process with its socketpair and page; ANNEX_EIO with errno and nothing left behind. */
int component_launch(struct component *component);

/* A message to the worker, which is taken. */
int component_say(struct component *component, json_t *message);

void component_ended(struct process *process, int status);
void component_wait_to_restart(struct component *component, int64_t healthy_ms);

static inline bool
component_is_ending(const struct component *component)
{
	return component->state == COMPONENT_STOPPING || component->state == COMPONENT_DRAINING;
}

#endif /* SUPERVISOR_COMPONENT_INSIDE_H */
