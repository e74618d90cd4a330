/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sync.c - going through the contacts, so many a second
 *
 * After each connection all are gone through: those we may see are probed, those
 * who may see us are told again what the server is not known to have
 * routed.  No server sends anything again by itself, and what happened while
 * we were away is lost.  Those heard of last come first: passes over the table,
 * each for contacts of one age, cost less than an index that every presence would change.
 * Silence is no answer: whoever was not heard of when all were asked, and some time has passed, is
 * offline, or gone.
 *
 * The same walk, without probes, keeps house once an hour: questions that nobody answered are
 * withdrawn, rows in which nothing is left are deleted.  And at the end (drain) it says goodbye.
 */
#include <stdio.h>
#include <string.h>

#include <annex/flow.h>

#include "contact.h"

#define TICK_MS 100
#define SCAN_MAX 500    /* rows looked at in a tick */
#define ANSWER_MS 30000 /* whoever has not answered by then is offline */
#define TEND_MS 3600000
#define FAREWELL_TICK 200 /* contacts in a tick */
#define PURGE 100         /* buddies forgotten in a turn */

#define HOUR ((int64_t)3600000)
#define DAY (24 * HOUR)

/* Contacts heard of in this time come before the others. */
static const int64_t ages[] = { HOUR, DAY, 7 * DAY, 30 * DAY, INT64_MAX };
#define PASSES (sizeof(ages) / sizeof(*ages))

static void tick(struct timer *timer);
static void answers_are_due(struct timer *timer);

bool
sync_is_running(const struct annex_instance *inst)
{
	return inst->contacts->walk.now.kind == WALK_RESYNC;
}

bool
walk_is_busy(const struct annex_instance *inst)
{
	return inst->contacts->walk.now.kind > WALK_TEND;
}

/* Nobody waits for a round number: others begin at the same moment. */
static int64_t
jitter(struct annex_instance *inst, int64_t ms)
{
	uint16_t bits;

	annex_random(inst, &bits, sizeof(bits));
	return ms * 3 / 4 + ms * bits / 2 / UINT16_MAX;
}

static void
walk_schedule(struct annex_instance *inst, int64_t ms)
{
	timer_start(inst->timers, &inst->contacts->walk.timer, ms, tick);
}

void
walk_begin(struct annex_instance *inst, enum walk_kind kind, const char *domain)
{
	struct walk *w = &inst->contacts->walk;

	w->now.kind = kind;
	w->now.pass = kind == WALK_RESYNC ? 0 : PASSES - 1;
	w->now.begun = false;
	if (kind == WALK_RESYNC) /* a connection is there, whatever becomes of this turn */
		w->durable = w->now;
	snprintf(w->domain, sizeof(w->domain), "%s", domain != NULL ? domain : "");
	walk_schedule(inst, 0);
}

void
walk_stop(struct annex_instance *inst)
{
	struct walk *w = &inst->contacts->walk;

	w->now.kind = w->durable.kind = WALK_NONE;
	w->changed = false;
	timer_stop(inst->timers, &w->timer);
	timer_stop(inst->timers, &w->answers);
}

void
walk_resume(struct annex_instance *inst)
{
	struct walk *w = &inst->contacts->walk;

	w->now = w->durable;
	if (w->now.kind == WALK_RESYNC)
		timer_stop(inst->timers, &w->answers);
	w->changed = w->now.kind == WALK_RESYNC || w->now.kind == WALK_DOMAIN;
	if (w->changed)
		walk_schedule(inst, 0);
	else
		walk_begin(inst, WALK_CHANGES, NULL);
}

void
contacts_turn_done(struct annex_instance *inst)
{
	struct walk *w = &inst->contacts->walk;

	notify_settle(inst);
	if (w->now.kind != WALK_NONE || w->durable.kind != WALK_NONE)
		w->durable = w->now;
}

/* --- One contact ------------------------------------------------------------ */

/* In which pass it is looked at. */
static unsigned
pass_of(struct annex_instance *inst, const contact_row *row)
{
	int64_t age = annex_wall_ms(inst) - row->heard_ms;
	unsigned pass = 0;

	while (age > ages[pass])
		pass++;
	return pass;
}

/* What was said of subscriptions and may have been lost; unless it was overtaken. */
static void
say_again(struct annex_instance *inst, contact_row *row)
{
	static const char *const out[] = { "unsubscribed", NULL, "subscribed" };
	static const char *const in[] = { "unsubscribe", "subscribe", NULL };

	if ((row->said & SAID_OUT) != 0 && out[row->out] != NULL)
		contact_say(inst, row, out[row->out], NULL);
	if ((row->said & SAID_IN) != 0 && in[row->in] != NULL)
		contact_say(inst, row, in[row->in], NULL);
}

static unsigned
resync_row(struct annex_instance *inst, contact_row *row)
{
	bool is_lost = batch_is_lost(inst, row->batch), is_shown;

	if (domain_is_down(inst, row->jid))
		return 0;
	if (is_lost) {
		say_again(inst, row);
		row->batch = batch_use(inst);
		contact_put_soft(inst, row);
	}
	contact_must(inst, show_changes(inst, row, is_lost, &is_shown));
	if (row->in == ANNEX_SUBSCRIBED)
		contact_say(inst, row, "probe", NULL);
	return is_lost || is_shown || row->in == ANNEX_SUBSCRIBED;
}

/* The domain was down: what was sent there meanwhile is lost. */
static unsigned
recheck_row(struct annex_instance *inst, contact_row *row)
{
	if (strcmp(domain_of(row->jid), inst->contacts->walk.domain) != 0 ||
	    domain_is_down(inst, row->jid))
		return 0;
	contact_must(inst, show_changes(inst, row, true, NULL));
	if (row->in == ANNEX_SUBSCRIBED)
		contact_say(inst, row, "probe", NULL);
	return 1;
}

static unsigned
farewell_row(struct annex_instance *inst, contact_row *row)
{
	bool is_away = row->in == ANNEX_SUBSCRIBED &&
	    annex_contact_availability(inst, row->me, row->jid) == ANNEX_OFFLINE;

	if (row->n_shown == 0 || is_away)
		return 0;
	show_end(inst, row);
	contact_put_soft(inst, row);
	return 1;
}

/* Nobody answered: a question that stays is shown to its user again and again. */
static void
tend_row(struct annex_instance *inst, contact_row *row)
{
	if (row->in == ANNEX_SUBSCRIBED_PENDING &&
	    annex_wall_ms(inst) - row->asked_ms > inst->contacts->set.ask_ttl_ms)
		contact_must(inst, contact_unask(inst, row));
	contact_was_silent(inst, row);
	contact_must(inst, contact_tidy(inst, row));
}

static unsigned
walk_row(struct annex_instance *inst, contact_row *row)
{
	const struct walk *w = &inst->contacts->walk;

	switch (w->now.kind) {
	case WALK_RESYNC:
		return pass_of(inst, row) == w->now.pass ? resync_row(inst, row) : 0;
	case WALK_DOMAIN:
		return recheck_row(inst, row);
	case WALK_FAREWELL:
		return farewell_row(inst, row);
	case WALK_CHANGES:
		contact_must(inst, show_changes(inst, row, false, NULL));
		return 0;
	case WALK_TEND:
		tend_row(inst, row);
		return 0;
	default:
		return 0;
	}
}

/* --- Many ------------------------------------------------------------------- */

/* What is left of a tick. */
struct allowance {
	unsigned rows, paid;
};

/* ANNEX_AGAIN: the tick is used up; ANNEX_OK: the table is at its end. */
static int
walk_some(struct annex_instance *inst, struct allowance *left)
{
	struct walk *w = &inst->contacts->walk;
	struct annex_key all = annex_key(&contact_table);
	struct annex_iter it = w->now.begun ? annex_iter_from(&all, &w->now.at) : annex_iter(&all);
	int r = ANNEX_AGAIN;

	while (left->rows > 0 && left->paid > 0 && !inst->failed &&
	    (r = annex_next(inst->store, &it)) == ANNEX_AGAIN) {
		bool is_seen = w->now.begun && it.key.len == w->now.at.len &&
		    memcmp(it.key.bytes, w->now.at.bytes, w->now.at.len) == 0;

		left->rows--;
		w->now.at = it.key;
		w->now.begun = true;
		if (!is_seen)
			left->paid -= walk_row(inst, (contact_row *)it.record);
	}
	return r;
}

/* Forget, a few at a time, who has not been heard of; until all of them are. */
static void
answers_are_due(struct timer *timer)
{
	struct walk *w = annex_container_of(timer, struct walk, answers);
	struct annex_instance *inst = w->inst;

	if (!instance_enter(inst)) { /* this turn is undone: in the next */
		timer_start(inst->timers, timer, 1, answers_are_due);
		return;
	}
	inst->contacts->known = true;
	if (online_purge(inst, PURGE))
		timer_start(inst->timers, &w->answers, 1, answers_are_due);
	instance_leave(inst);
}

static void
walk_end(struct annex_instance *inst)
{
	struct walk *w = &inst->contacts->walk;
	enum walk_kind kind = w->now.kind;

	w->now.kind = WALK_NONE;
	walk_schedule(inst, kind == WALK_TEND ? TEND_MS : 0);
	if (kind == WALK_RESYNC) {
		timer_start(inst->timers, &w->answers, ANSWER_MS, answers_are_due);
		batch_settle(inst);
	}
	if (w->changed) {
		w->changed = false;
		walk_begin(inst, WALK_CHANGES, NULL);
	} else if (kind == WALK_FAREWELL)
		inst->host->parted(inst->host);
	else
		domains_look(inst);
}

static unsigned
budget_of(const struct annex_instance *inst)
{
	int64_t n = inst->contacts->set.pace * TICK_MS / 1000;

	if (inst->contacts->walk.now.kind == WALK_FAREWELL)
		return FAREWELL_TICK;
	return n > 0 ? (unsigned)n : 1;
}

static void
walk_step(struct annex_instance *inst)
{
	struct walk *w = &inst->contacts->walk;
	unsigned budget = budget_of(inst);
	struct allowance left = { SCAN_MAX, budget };
	int r;

	if (annex_is_congested(inst)) {
		walk_schedule(inst, jitter(inst, TICK_MS));
		return;
	}
	while ((r = walk_some(inst, &left)) == ANNEX_OK && !inst->failed) {
		w->now.begun = false;
		if (++w->now.pass >= PASSES) {
			walk_end(inst);
			return;
		}
	}
	walk_schedule(inst, left.paid < budget ? jitter(inst, TICK_MS) : 1);
}

static void
tick(struct timer *timer)
{
	struct walk *w = annex_container_of(timer, struct walk, timer);
	struct annex_instance *inst = w->inst;

	if (!instance_enter(inst))
		return;
	if (w->now.kind == WALK_NONE)
		walk_begin(inst, WALK_TEND, NULL);
	else
		walk_step(inst);
	instance_leave(inst);
}
