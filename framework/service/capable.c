/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * capable.c - what the clients of contacts can (XEP-0115)
 *
 * Clients of one kind share a verification string, so one of them is asked for
 * all, and the others wait for its answer.  An answer that has not that hash is
 * nobody's (§5.4): then the next one that waits is asked, once each, and
 * nothing is kept.  Of one that has it those features are kept that are of
 * interest here; the string used longest ago makes room for a new one.
 *
 * Memory alone: a client that is there after a restart is asked again.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/caps.h>
#include <annex/iq.h>

#include "base/alloc.h"
#include "contact.h"

#define KNOWN_MAX 1000
#define ASK_RATE 20 /* questions a second, of all together */
#define ASK_BURST 200
#define ASK_MS 10000

static const struct interest {
	const char *feature;
	uint32_t can;
} interests[] = {
	{ NODE_METADATA "+notify", CAPABLE_AVATAR },
};

struct capable {
	struct annex_link link;    /* the one known and used last at the end; or asked */
	struct annex_link waiting; /* places; none where it is known */
	bool known;
	uint32_t can;
	char ver[SHA1_BASE64_ROOM];
};

static struct capable *
capable_make(struct annex_instance *inst, const char *ver)
{
	struct capable *k = mem_zalloc(sizeof(*k));

	annex_list_init(&k->waiting);
	strcpy(k->ver, ver);
	annex_map_set_str(inst->contacts->capables, k->ver, k);
	annex_list_append(&inst->contacts->capables_asked, &k->link);
	return k;
}

/* Whoever waits is let go. */
static void
capable_free(struct annex_instance *inst, struct capable *k)
{
	ANNEX_LIST_EACH (&k->waiting, l)
		annex_list_remove(l);
	if (k->known)
		inst->contacts->capables_count--;
	annex_map_remove_str(inst->contacts->capables, k->ver);
	annex_list_remove(&k->link);
	free(k);
}

static uint32_t
capable_read(const struct annex_element *query)
{
	const struct annex_element *f = annex_child(query, NULL, "feature");
	uint32_t can = 0;

	for (; f != NULL; f = annex_child_after(f, NULL, "feature")) {
		const char *var = annex_attr(f, "var");

		for (size_t i = 0; i < sizeof(interests) / sizeof(*interests); i++)
			if (var != NULL && strcmp(var, interests[i].feature) == 0)
				can |= interests[i].can;
	}
	return can;
}

static void
capable_learn(struct annex_instance *inst, struct capable *k, const struct annex_element *query)
{
	struct contacts *c = inst->contacts;

	if (c->capables_count == KNOWN_MAX)
		capable_free(
		    inst, annex_container_of(c->capables_known.next, struct capable, link));
	k->known = true;
	k->can = capable_read(query);
	c->capables_count++;
	annex_list_remove(&k->link);
	annex_list_append(&c->capables_known, &k->link);
	annex_list_splice(&c->looks, &k->waiting);
	notify_wake(inst);
}

static annex_answer_fn answered;

/* False where nobody was asked. */
static bool
capable_ask(struct annex_instance *inst, struct capable *k, struct place *p)
{
	struct annex_stanza *question;
	struct annex_element *query;

	if (!annex_bucket_take(
		&inst->contacts->capable_asks, ASK_RATE, ASK_BURST, 1, annex_now_ms(inst)))
		return false;
	question = annex_iq(inst, p->me, p->is.jid, "get");
	query = annex_add(question->element, ANNEX_NS_DISCO_INFO, "query");
	annex_attr_set(query, "node", p->is.caps);
	p->asked = inst->contacts->capables_life;
	return annex_ask(inst, question, ASK_MS, answered, k->ver, sizeof(k->ver)) == ANNEX_OK;
}

/* The next one that waits and was not asked yet, or nobody. */
static void
capable_go_on(struct annex_instance *inst, struct capable *k)
{
	while (!annex_list_is_empty(&k->waiting)) {
		struct place *p = annex_container_of(k->waiting.next, struct place, look);

		if (p->asked != inst->contacts->capables_life) {
			if (capable_ask(inst, k, p))
				return;
			break;
		}
		annex_list_remove(&p->look);
	}
	capable_free(inst, k);
}

/* With the loss of the link all were forgotten: by then it may be another question. */
static void
answered(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	struct capable *k = annex_map_get_str(inst->contacts->capables, cookie);
	const char *hash = NULL;

	(void)cookie_len;
	if (status == ANNEX_EOFFLINE || k == NULL || k->known)
		return;
	if (status == ANNEX_OK && answer->payload != NULL &&
	    annex_is(answer->payload, ANNEX_NS_DISCO_INFO, "query"))
		hash = annex_caps_hash(answer->payload, inst->scratch);
	if (hash != NULL && strcmp(hash, k->ver) == 0)
		capable_learn(inst, k, answer->payload);
	else
		capable_go_on(inst, k);
}

int
capable_of(struct annex_instance *inst, struct place *p, uint32_t *can_r)
{
	const char *hash = strrchr(p->is.caps, '#') + 1;
	struct capable *k = annex_map_get_str(inst->contacts->capables, hash);

	if (k != NULL && k->known) {
		annex_list_remove(&k->link);
		annex_list_append(&inst->contacts->capables_known, &k->link);
		*can_r = k->can;
		return ANNEX_OK;
	}
	if (k == NULL) {
		if (p->asked == inst->contacts->capables_life ||
		    strlen(hash) != sizeof(k->ver) - 1) /* that of no SHA-1 */
			return ANNEX_ENOENT;
		k = capable_make(inst, hash);
		if (!capable_ask(inst, k, p)) {
			capable_free(inst, k);
			return ANNEX_ENOENT;
		}
	}
	annex_list_remove(&p->look);
	annex_list_append(&k->waiting, &p->look);
	return ANNEX_AGAIN;
}

void
capable_doubt(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	c->capables_life++;
	ANNEX_LIST_EACH (&c->capables_asked, l) {
		struct capable *k = annex_container_of(l, struct capable, link);

		annex_list_splice(&c->looks, &k->waiting);
		capable_free(inst, k);
	}
}

void
capable_finish(struct annex_instance *inst)
{
	capable_doubt(inst);
	ANNEX_LIST_EACH (&inst->contacts->capables_known, l)
		capable_free(inst, annex_container_of(l, struct capable, link));
}
