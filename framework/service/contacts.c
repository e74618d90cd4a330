/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * contacts.c - contacts as a part of the instance: their memory, their life
 *
 * A connection begins with all contacts to be asked and told; an instance that
 * was created anew on the same connection has only to look what it showed
 * whom.  Who is online is nothing that a turn could undo, and stays.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/flow.h>
#include <annex/job.h>

#include "base/alloc.h"
#include "base/check.h"
#include "contact.h"

#define DAY ((int64_t)86400000)

#define PROBE_RATE 1 /* answers a second to one user, each of our addresses apart */
#define PROBE_BURST 20
#define PROBE_KEPT 10000

static const struct contacts_settings presets = {
	.pace = 200,
	.interval_ms = 5000,
	.ask_ttl_ms = 14 * DAY,
	.tombstone_ms = 90 * DAY,
};

static void
link_forget(struct contacts *c)
{
	annex_pool_destroy(&c->link_pool);
	c->link_pool = annex_pool_create(c->pool, "link");
	c->privileged = annex_map_create(c->link_pool);
}

void
contacts_init(struct annex_instance *inst)
{
	struct contacts *c = mem_zalloc(sizeof(*c));

	c->inst = c->walk.inst = c->batches.inst = inst;
	c->set = presets;
	c->pool = annex_pool_create(NULL, "contacts");
	c->online = annex_map_create(c->pool);
	c->probes = annex_buckets_create(c->pool, PROBE_RATE, PROBE_BURST, PROBE_KEPT);
	c->fresh = annex_map_create(c->pool);
	c->recent = annex_map_create(c->pool);
	c->down = annex_map_create(c->pool);
	link_forget(c);
	annex_list_init(&c->recents);
	annex_list_init(&c->spreads);
	annex_list_init(&c->looks);
	annex_list_init(&c->looked);
	c->capables_life = 1;
	c->capables = annex_map_borrowing(c->pool);
	annex_list_init(&c->capables_known);
	annex_list_init(&c->capables_asked);
	inst->contacts = c;
}

void
contacts_configure(struct annex_instance *inst, const struct contacts_settings *settings)
{
	inst->contacts->set = *settings;
}

/* What is on its way, or waits for its time, is found again by a walk. */
static void
forget(struct annex_instance *inst)
{
	walk_stop(inst);
	spreads_forget(inst);
	recents_forget(inst);
	batch_forget(inst);
}

void
contacts_reset(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	if (inst->module->contacts == NULL)
		return;
	spreads_forget(inst);
	recents_doubt(inst);
	notify_doubt(inst);
	annex_map_destroy(&c->fresh);
	c->fresh = annex_map_create(c->pool);
	batch_again(inst);
	if (stream_is_up(inst->stream) && !c->leaving)
		walk_resume(inst);
}

void
contacts_finish(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	if (c == NULL)
		return;
	forget(inst);
	domains_forget(inst);
	online_finish(inst);
	notify_finish(inst);
	annex_pool_destroy(&c->pool);
	inst->contacts = NULL;
	free(c);
}

void
contacts_link_up(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	if (inst->module->contacts == NULL || c->leaving)
		return;
	domains_forget(inst);
	batch_begin(inst);
	walk_begin(inst, WALK_RESYNC, NULL);
}

void
contacts_link_down(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;
	bool was_leaving = c->walk.now.kind == WALK_FAREWELL;

	forget(inst);
	c->epoch++;
	c->known = false;
	notify_doubt(inst);
	link_forget(c);
	if (was_leaving)
		inst->host->parted(inst->host);
}

bool
contacts_say_goodbye(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	if (inst->module->contacts == NULL || !stream_is_up(inst->stream))
		return false;
	forget(inst);
	c->leaving = true;
	walk_begin(inst, WALK_FAREWELL, NULL);
	return true;
}

bool
contacts_may_speak(const struct annex_instance *inst)
{
	return stream_is_up(inst->stream) && !inst->contacts->leaving;
}

/* --- An address goes -------------------------------------------------------- */

#define JOB "annex-contacts"

int
annex_contacts_remove(struct annex_instance *inst, const char *me)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (strlen(me) >= sizeof(((struct annex_job_state *)0)->bytes))
		return ANNEX_EINVAL;
	return annex_job_start(inst, JOB, me, strlen(me) + 1);
}

static int
contact_remove(struct annex_instance *inst, contact_row *row)
{
	int r = contact_dismiss(inst, row);

	if (r == ANNEX_OK && row->in != ANNEX_SUBSCRIBED_NOT)
		r = contact_unask(inst, row);
	return r;
}

/* Views last: as long as there are contacts they may have to be told of them. */
int
contacts_remove_some(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	const char *me = (const char *)state->bytes;
	struct annex_key contacts = annex_key(&contact_table);
	struct annex_iter it;
	size_t n = 0;
	int r;

	annex_key_text(&contacts, me);
	it = annex_iter(&contacts);
	while ((r = annex_next(inst->store, &it)) == ANNEX_AGAIN) {
		contact_row *row = (contact_row *)it.record;

		if (row->out == ANNEX_SUBSCRIBED_NOT && row->in == ANNEX_SUBSCRIBED_NOT)
			continue;
		if ((r = contact_remove(inst, row)) < 0)
			return r;
		if (++n >= limit / 4)
			return ANNEX_AGAIN;
	}
	return r < 0 ? r : views_remove(inst, me);
}

struct annex_flow *
contacts_flow(struct annex_instance *inst)
{
	return annex_flow(inst, "annex contacts");
}
