/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * evidence.c - contacts that are probably gone, and servers that are down
 *
 * An error says little: accounts come back, servers are moved, and some refuse a probe because of a
 * privacy list.  So errors of an account are counted, one a day, and forgotten at the first
 * presence; a contact with three of them is stale: nothing is sent to it unasked, and everything
 * else stays.  An error of a domain is that of all its users: the domain is left alone for a time
 * that doubles, and then gone through anew.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contact.h"

#define DAY ((int64_t)86400000)
#define FAULTS_STALE 3
#define FAULT_APART_MS (20 * 3600000LL)
#define SILENT_MS (180 * DAY)
#define DOWN_FIRST_MS 60000
#define DOWN_MAX_MS 3600000
#define DOWN_MAX 1000 /* domains */

struct down {
	int64_t until_ms, wait_ms;
	bool checked; /* gone through since */
	char domain[];
};

const char *
domain_of(const char *bare)
{
	const char *at = strchr(bare, '@');

	return at != NULL ? at + 1 : bare;
}

static struct down *
down_find(const struct annex_instance *inst, const char *domain)
{
	return annex_map_get_str(inst->contacts->down, domain);
}

bool
domain_is_down(const struct annex_instance *inst, const char *bare)
{
	const struct down *d;

	if (annex_map_count(inst->contacts->down) == 0)
		return false;
	d = down_find(inst, domain_of(bare));
	return d != NULL && d->until_ms > annex_now_ms(inst);
}

/* --- Domains ------------------------------------------------------------------- */

static void down_ring(struct timer *timer);

static void
down_arm(struct annex_instance *inst)
{
	struct annex_map_iter it = { 0 };
	int64_t next_ms = INT64_MAX;

	while (annex_map_next(inst->contacts->down, &it)) {
		const struct down *d = it.value;

		if (!d->checked && d->until_ms < next_ms)
			next_ms = d->until_ms;
	}
	if (next_ms != INT64_MAX)
		timer_start(inst->timers, &inst->contacts->down_timer, next_ms - annex_now_ms(inst),
		    down_ring);
}

/* The first whose time has come is gone through, unless all are. */
void
domains_look(struct annex_instance *inst)
{
	struct annex_map_iter it = { 0 };

	if (walk_is_busy(inst))
		return; /* which looks here at its end */
	while (annex_map_next(inst->contacts->down, &it)) {
		struct down *d = it.value;

		if (d->checked || d->until_ms > annex_now_ms(inst))
			continue;
		d->checked = true;
		walk_begin(inst, WALK_DOMAIN, d->domain);
		return;
	}
	down_arm(inst);
}

static void
down_ring(struct timer *timer)
{
	struct contacts *c = annex_container_of(timer, struct contacts, down_timer);

	if (!instance_enter(c->inst))
		return;
	domains_look(c->inst);
	instance_leave(c->inst);
}

static void
domain_failed(struct annex_instance *inst, const char *domain)
{
	struct contacts *c = inst->contacts;
	struct down *d = annex_map_get_str(c->down, domain);
	int64_t now_ms = annex_now_ms(inst);

	if (d == NULL) {
		if (annex_map_count(c->down) >= DOWN_MAX)
			return;
		d = mem_zalloc(sizeof(*d) + strlen(domain) + 1);
		memcpy(d->domain, domain, strlen(domain) + 1);
		annex_map_set_str(c->down, domain, d);
		annex_log(inst, ANNEX_LOG_REMOTE, "a domain of contacts is down: %s", domain);
	} else if (d->until_ms > now_ms) {
		return;
	}
	d->wait_ms = d->wait_ms == 0 ? DOWN_FIRST_MS : d->wait_ms * 2;
	if (d->wait_ms > DOWN_MAX_MS)
		d->wait_ms = DOWN_MAX_MS;
	d->until_ms = now_ms + d->wait_ms;
	d->checked = false;
	down_arm(inst);
}

/* Somebody there speaks: what was not sent meanwhile is sent now. */
static void
domain_works(struct annex_instance *inst, const char *domain)
{
	struct down *d;

	if (annex_map_count(inst->contacts->down) == 0 ||
	    (d = annex_map_get_str(inst->contacts->down, domain)) == NULL)
		return;
	if (d->checked && !walk_is_busy(inst)) {
		free(annex_map_remove_str(inst->contacts->down, domain));
		return;
	}
	d->until_ms = annex_now_ms(inst);
	down_arm(inst);
}

void
domains_forget(struct annex_instance *inst)
{
	struct annex_map_iter it = { 0 };

	timer_stop(inst->timers, &inst->contacts->down_timer);
	while (annex_map_next(inst->contacts->down, &it)) {
		struct down *d = it.value;

		annex_map_remove_str(inst->contacts->down, d->domain);
		free(d);
	}
}

/* --- Accounts -------------------------------------------------------------------- */

bool
contact_is_stale(const contact_row *row)
{
	return row->faults >= FAULTS_STALE;
}

static void
faults_set(struct annex_instance *inst, contact_row *row, uint32_t faults)
{
	bool was_stale = contact_is_stale(row);

	row->faults = faults;
	row->fault_ms = annex_wall_ms(inst);
	contact_put_soft(inst, row);
	if (was_stale != contact_is_stale(row))
		contact_tell(inst, row, ANNEX_CONTACT_STALE);
}

static void
account_failed(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;

	if (contact_load(inst, in->to->bare, in->from->bare, &row) != ANNEX_OK ||
	    contact_is_stale(row) || annex_wall_ms(inst) - row->fault_ms < FAULT_APART_MS)
		return;
	faults_set(inst, row, row->faults + 1);
}

/* Months without a word from somebody whom we are allowed to see. */
void
contact_was_silent(struct annex_instance *inst, contact_row *row)
{
	int64_t since_ms = row->heard_ms != 0 ? row->heard_ms : row->asked_ms;

	if (row->in == ANNEX_SUBSCRIBED && since_ms != 0 && !contact_is_stale(row) &&
	    annex_wall_ms(inst) - since_ms > SILENT_MS)
		faults_set(inst, row, FAULTS_STALE);
}

/* To the hour: it decides who is asked first after the next connection, and nothing else. */
#define HEARD_APART_MS 3600000

void
contact_was_heard(struct annex_instance *inst, contact_row *row)
{
	int64_t now_ms = annex_wall_ms(inst);

	domain_works(inst, domain_of(row->jid));
	if (now_ms - row->heard_ms < HEARD_APART_MS && row->faults == 0)
		return;
	row->heard_ms = now_ms;
	faults_set(inst, row, 0);
}

/* What an error is evidence of: RFC 6120 §8.3.3 by the condition. */
static const struct error_rule {
	enum annex_condition condition;
	void (*account)(struct annex_instance *inst, const struct annex_stanza *in);
	bool domain;
} error_rules[] = {
	{ ANNEX_GONE, account_failed, false },
	{ ANNEX_ITEM_NOT_FOUND, account_failed, false },
	{ ANNEX_FORBIDDEN, account_failed, false }, /* Openfire's answer to a stranger's probe */
	{ ANNEX_NOT_AUTHORIZED, account_failed, false },
	{ ANNEX_REMOTE_SERVER_NOT_FOUND, account_failed, true },
	{ ANNEX_REMOTE_SERVER_TIMEOUT, NULL, true },
};

void
contact_failed(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_error error = annex_error_read(in->element);

	for (size_t i = 0; i < sizeof(error_rules) / sizeof(*error_rules); i++) {
		const struct error_rule *rule = &error_rules[i];

		if (rule->condition != error.condition)
			continue;
		if (rule->account != NULL)
			rule->account(inst, in);
		if (rule->domain)
			domain_failed(inst, in->from->domain);
	}
}
