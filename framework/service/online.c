/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * online.c - who is there, with which resources
 *
 * Memory alone: what servers said since the connection, and learnt again
 * after the next.  So it is no cache of the store, and stays when the instance is created anew: a
 * stanza that is replayed says the same once more.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/caps.h>
#include <annex/datetime.h>

#include "base/alloc.h"
#include "base/check.h"
#include "contact.h"

#define RESOURCES_MAX 32   /* of one contact */
#define DIRECTED_MAX 10000 /* strangers who sent presence, all together */
#define STATUS_MAX 1024
#define CAPS_MAX 256

struct buddy {
	struct annex_link places; /* the one heard last in front */
};

static int
priority_read(const char *text)
{
	long n = text == NULL ? 0 : strtol(text, NULL, 10);

	return n < -128 ? -128 : n > 127 ? 127 : (int)n;
}

/* Not in the middle of a character. */
static const char *
cut(struct annex_pool *pool, const char *text, size_t most)
{
	size_t len;

	if (text == NULL || (len = strlen(text)) <= most)
		return text;
	for (len = most; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
		;
	return annex_strndup(pool, text, len);
}

static const char *
caps_read(struct annex_instance *inst, const struct annex_element *el)
{
	const struct annex_element *c = annex_child(el, ANNEX_NS_CAPS, "c");
	const char *node = c == NULL ? NULL : annex_attr(c, "node");
	const char *ver = c == NULL ? NULL : annex_attr(c, "ver");

	if (node == NULL || ver == NULL || strlen(node) + strlen(ver) > CAPS_MAX)
		return NULL;
	return annex_sprintf(inst->scratch, "%s#%s", node, ver);
}

static int64_t
idle_read(const struct annex_element *el)
{
	const struct annex_element *idle = annex_child(el, NS_IDLE, "idle");
	const char *since = idle == NULL ? NULL : annex_attr(idle, "since");
	int64_t ms;

	return since != NULL && annex_datetime_read(since, &ms) == ANNEX_OK ? ms : 0;
}

/* --- Places ----------------------------------------------------------------- */

static struct buddy *
buddy_find(struct annex_instance *inst, const char *me, const char *jid)
{
	size_t len;
	const char *key = contact_key(inst, me, jid, &len);

	return annex_map_get(inst->contacts->online, key, len);
}

static struct place *
place_find(struct buddy *buddy, const char *full)
{
	if (buddy == NULL)
		return NULL;
	ANNEX_LIST_EACH (&buddy->places, l) {
		struct place *p = annex_container_of(l, struct place, link);

		if (strcmp(p->is.jid, full) == 0)
			return p;
	}
	return NULL;
}

static size_t
room_of(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

static const char *
text_keep(char **at, const char *text)
{
	char *copy = *at;

	if (text == NULL)
		return NULL;
	*at = stpcpy(copy, text) + 1;
	return copy;
}

static struct place *
place_make(const char *me, const struct annex_resource *is)
{
	struct place *p = mem_zalloc(
	    sizeof(*p) + room_of(me) + room_of(is->jid) + room_of(is->status) + room_of(is->caps));
	char *at = p->texts;

	annex_list_init(&p->look);
	annex_list_init(&p->looked);
	p->is = *is;
	p->me = text_keep(&at, me);
	p->is.jid = text_keep(&at, is->jid);
	p->is.status = text_keep(&at, is->status);
	p->is.caps = text_keep(&at, is->caps);
	return p;
}

static void
place_free(struct annex_instance *inst, struct place *p)
{
	annex_list_remove(&p->link);
	annex_list_remove(&p->look);
	annex_list_remove(&p->looked);
	if (p->is.directed)
		inst->contacts->directed--;
	free(p);
}

static bool
text_is(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
is_same(const struct annex_resource *a, const struct annex_resource *b)
{
	return a->show == b->show && a->priority == b->priority && a->idle_ms == b->idle_ms &&
	    a->directed == b->directed && text_is(a->status, b->status) &&
	    text_is(a->caps, b->caps);
}

static struct buddy *
buddy_make(struct annex_instance *inst, const char *me, const char *jid)
{
	struct buddy *buddy = mem_zalloc(sizeof(*buddy));
	size_t len;
	const char *key = contact_key(inst, me, jid, &len);

	annex_list_init(&buddy->places);
	annex_map_set(inst->contacts->online, key, len, buddy);
	return buddy;
}

static void
buddy_remove(struct annex_instance *inst, const char *me, const char *jid)
{
	size_t len;
	const char *key = contact_key(inst, me, jid, &len);
	struct buddy *buddy = annex_map_remove(inst->contacts->online, key, len);

	if (buddy == NULL)
		return;
	ANNEX_LIST_EACH (&buddy->places, l)
		place_free(inst, annex_container_of(l, struct place, link));
	free(buddy);
}

/* Each stranger takes memory: there is an end to it. */
static bool
has_room(struct annex_instance *inst, const struct buddy *buddy, bool directed)
{
	size_t n = 0;

	if (directed && inst->contacts->directed >= DIRECTED_MAX)
		return false;
	ANNEX_LIST_EACH (&buddy->places, l)
		n++;
	return n < RESOURCES_MAX;
}

bool
online_set(
    struct annex_instance *inst, const char *me, const struct annex_stanza *in, bool directed)
{
	struct buddy *buddy = buddy_find(inst, me, in->from->bare);
	struct place *old = place_find(buddy, in->from->full), *p;
	const char *status = annex_child_text(in->element, NULL, "status");
	struct annex_resource is = {
		.jid = in->from->full,
		.show = show_read(annex_child_text(in->element, NULL, "show")),
		.priority = priority_read(annex_child_text(in->element, NULL, "priority")),
		.status = cut(inst->scratch, status, STATUS_MAX),
		.caps = caps_read(inst, in->element),
		.since_ms = old != NULL ? old->is.since_ms : annex_wall_ms(inst),
		.idle_ms = idle_read(in->element),
		.directed = directed,
	};
	bool is_news =
	    old == NULL || old->epoch != inst->contacts->epoch || !is_same(&old->is, &is);

	if (buddy == NULL)
		buddy = buddy_make(inst, me, in->from->bare);
	if (old == NULL && !has_room(inst, buddy, directed))
		return false;
	p = place_make(me, &is);
	p->epoch = inst->contacts->epoch;
	if (old != NULL) {
		notify_inherit(p, old);
		place_free(inst, old);
	}
	inst->contacts->directed += directed;
	annex_list_prepend(&buddy->places, &p->link);
	notify_look(inst, p);
	return is_news;
}

bool
online_remove(struct annex_instance *inst, const char *me, const struct annex_jid *from)
{
	struct buddy *buddy = buddy_find(inst, me, from->bare);
	struct place *p = place_find(buddy, from->full);

	if (buddy == NULL || (p == NULL && from->resource != NULL))
		return false;
	if (p != NULL)
		place_free(inst, p);
	if (from->resource == NULL || annex_list_is_empty(&buddy->places))
		buddy_remove(inst, me, from->bare);
	return true;
}

bool
online_has(struct annex_instance *inst, const char *me, const struct annex_jid *from, bool now)
{
	const struct place *p = place_find(buddy_find(inst, me, from->bare), from->full);

	return p != NULL && (!now || p->epoch == inst->contacts->epoch);
}

bool
online_is_alone(struct annex_instance *inst, const char *me, const struct annex_jid *from)
{
	struct buddy *buddy = buddy_find(inst, me, from->bare);

	if (!inst->contacts->known)
		return false;
	return buddy == NULL ||
	    (buddy->places.next == buddy->places.prev && place_find(buddy, from->full) != NULL);
}

void
online_look(struct annex_instance *inst, const char *me, const char *jid)
{
	struct buddy *buddy = buddy_find(inst, me, jid);

	if (buddy == NULL)
		return;
	ANNEX_LIST_EACH (&buddy->places, l)
		notify_look(inst, annex_container_of(l, struct place, link));
}

void
online_forget(struct annex_instance *inst, const char *me, const char *jid)
{
	buddy_remove(inst, me, jid);
}

/* True where nothing is left of the buddy. */
static bool
forget_old(struct annex_instance *inst, struct buddy *buddy, bool *changed_r)
{
	*changed_r = false;
	ANNEX_LIST_EACH (&buddy->places, l) {
		struct place *p = annex_container_of(l, struct place, link);

		if (p->epoch == inst->contacts->epoch)
			continue;
		place_free(inst, p);
		*changed_r = true;
	}
	return annex_list_is_empty(&buddy->places);
}

bool
online_purge(struct annex_instance *inst, unsigned most)
{
	struct annex_map_iter it = { 0 };
	unsigned n = 0;

	while (n < most && annex_map_next(inst->contacts->online, &it)) {
		const char *me = annex_strdup(inst->scratch, it.key);
		const char *jid =
		    annex_strdup(inst->scratch, (const char *)it.key + strlen(me) + 1);
		contact_row row = { .me = (char *)(uintptr_t)me, .jid = (char *)(uintptr_t)jid };
		bool changed;

		if (forget_old(inst, it.value, &changed))
			buddy_remove(inst, me, jid);
		if (!changed)
			continue;
		n++;
		contact_tell(inst, &row, ANNEX_CONTACT_PRESENCE);
	}
	return n == most;
}

void
online_finish(struct annex_instance *inst)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(inst->contacts->online, &it)) {
		struct buddy *buddy = it.value;

		ANNEX_LIST_EACH (&buddy->places, l)
			place_free(inst, annex_container_of(l, struct place, link));
		free(buddy);
	}
}

/* --- What a component may ask ------------------------------------------------ */

enum annex_availability
annex_contact_availability(struct annex_instance *inst, const char *me, const char *jid)
{
	struct buddy *buddy;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	buddy = buddy_find(inst, me, jid);
	if (buddy != NULL && annex_is_up(inst)) { /* the one heard last is in front */
		struct place *p = annex_container_of(buddy->places.next, struct place, link);

		if (p->epoch == inst->contacts->epoch)
			return ANNEX_ONLINE;
	}
	return inst->contacts->known ? ANNEX_OFFLINE : ANNEX_UNKNOWN;
}

/* Who wants to talk first, then who is there, then who is away. */
static int
rank_of(enum annex_show show)
{
	static const int ranks[] = {
		[ANNEX_SHOW_CHAT] = 0,
		[ANNEX_SHOW_ONLINE] = 1,
		[ANNEX_SHOW_DND] = 2,
		[ANNEX_SHOW_AWAY] = 3,
		[ANNEX_SHOW_XA] = 4,
	};

	return ranks[show];
}

static int
compare(const void *a, const void *b)
{
	const struct annex_resource *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	if (x->show != y->show)
		return rank_of(x->show) - rank_of(y->show);
	return x->since_ms > y->since_ms ? -1 : x->since_ms < y->since_ms;
}

size_t
annex_contact_resources(struct annex_instance *inst, const char *me, const char *jid,
    const struct annex_resource **resources_r)
{
	struct annex_resource *list =
	    annex_new_array(inst->scratch, struct annex_resource, RESOURCES_MAX);
	struct buddy *buddy;
	size_t n = 0;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	*resources_r = list;
	if ((buddy = buddy_find(inst, me, jid)) == NULL)
		return 0;
	ANNEX_LIST_EACH (&buddy->places, l) {
		const struct place *p = annex_container_of(l, struct place, link);
		struct annex_resource *r = &list[n];

		if (p->epoch != inst->contacts->epoch)
			continue;
		*r = p->is;
		r->jid = annex_strdup(inst->scratch, r->jid);
		r->status = annex_strdup(inst->scratch, r->status);
		r->caps = annex_strdup(inst->scratch, r->caps);
		n++;
	}
	qsort(list, n, sizeof(*list), compare);
	return n;
}

const struct annex_resource *
annex_contact_best(struct annex_instance *inst, const char *me, const char *jid)
{
	const struct annex_resource *list;

	if (annex_contact_availability(inst, me, jid) != ANNEX_ONLINE ||
	    annex_contact_resources(inst, me, jid, &list) == 0 || list[0].priority < 0)
		return NULL;
	return list;
}
