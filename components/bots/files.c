/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * files.c - files of bots, through the server's upload service (XEP-0363)
 *
 * The service is found among the items of the domain above ours, or named by
 * an option.  What a program sends waits in the store until it has been put: of one reader one
 * after the other, of several at the same time (put.c).
 */
#include <string.h>

#include <sodium.h>

#include <annex/caps.h>

#include "files.h"

#define ASKED_MOST 50     /* of the server's services */
#define PATIENCE_MS 20000 /* until a service is found */

static struct annex_key
files_key(void)
{
	return annex_key(&bots_tables[TABLE_FILES]);
}

struct annex_key
file_key(uint64_t number, uint64_t reader)
{
	struct annex_key key = files_key();

	annex_key_u64(&key, number);
	return *annex_key_u64(&key, reader);
}

const Bots__File *
file_row(const struct bots *m, const struct way *way)
{
	struct annex_key key = file_key(way->at, way->reader);
	ProtobufCMessage *record;

	return annex_get(m->store, &key, &record) < 0 ? NULL : (const Bots__File *)record;
}

/* Of a bot and whom it writes to.  Where two are alike one waits for the other: no harm. */
static uint64_t
fingerprint(const struct bots *m, const Bots__File *row)
{
	const char *text = annex_sprintf(annex_scratch(m->inst), "%s\n%s", row->bot, row->to);
	unsigned char hash[crypto_generichash_BYTES_MIN];
	uint64_t reader;

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
	memcpy(&reader, hash, sizeof(reader));
	return reader;
}

/* --- Which is next ----------------------------------------------------------------------- */

static bool
is_served(const struct files *f, uint64_t reader)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (f->way[i].at != 0 && f->way[i].reader == reader)
			return true;
	return false;
}

/* The first that waits of a reader who has none on its way; false where there is none. */
static bool
take(struct way *way)
{
	struct annex_key prefix = files_key();
	struct annex_iter it = annex_iter(&prefix);

	it.keys_only = true;
	while (annex_next(way->files->bots->store, &it) == ANNEX_AGAIN) {
		uint64_t reader = annex_key_number(&it.key, 1);

		if (is_served(way->files, reader))
			continue;
		way->at = annex_key_number(&it.key, 0);
		way->reader = reader;
		return true;
	}
	return false;
}

static void
work(struct annex_instance *inst, void *cookie)
{
	struct files *f = cookie;

	if (!annex_is_up(inst) || (f->service == NULL && !f->searched))
		return;
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct way *way = &f->way[i];

		if (!way->moving && !annex_timer_is_running(way->again) &&
		    (way->at != 0 || take(way)))
			way_go(way);
	}
}

/* --- The service ---------------------------------------------------------------------------- */

static void
searched(struct annex_instance *inst, void *cookie)
{
	struct files *f = cookie;

	f->searched = true;
	work(inst, f);
}

static void
info_told(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	struct files *f = ((struct bots *)annex_state(inst))->files;
	const struct annex_element *query =
	    status != ANNEX_OK ? NULL : annex_child(answer->element, ANNEX_NS_DISCO_INFO, "query");
	const struct annex_element *el = query == NULL ? NULL : annex_child(query, NULL, "feature");

	for (; f->service == NULL && el != NULL; el = annex_child_after(el, NULL, "feature"))
		if (annex_attr(el, "var") != NULL &&
		    strcmp(annex_attr(el, "var"), NS_UPLOAD) == 0) {
			f->service = annex_strndup(annex_pool(inst), cookie, cookie_len);
			annex_timer_stop(f->patience);
			work(inst, f);
		}
}

static void
items_told(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	const struct annex_element *query =
	    status != ANNEX_OK ? NULL : annex_child(answer->element, ANNEX_NS_DISCO_ITEMS, "query");
	const struct annex_element *el = query == NULL ? NULL : annex_child(query, NULL, "item");

	(void)cookie;
	(void)cookie_len;
	for (size_t n = 0; el != NULL && n < ASKED_MOST; el = annex_child_after(el, NULL, "item")) {
		const char *jid = annex_attr(el, "jid");
		struct annex_stanza *q;

		if (jid == NULL || annex_jid(annex_scratch(inst), jid) == NULL ||
		    strcmp(jid, annex_domain(inst)) == 0)
			continue;
		q = annex_iq(inst, NULL, jid, "get");
		annex_add(q->element, ANNEX_NS_DISCO_INFO, "query");
		if (annex_ask(inst, q, 0, info_told, jid, strlen(jid)) >= 0)
			n++;
	}
}

/* Looked for when there is something to put, and anew on each link. */
static void
search(struct files *f)
{
	struct annex_instance *inst = f->bots->inst;
	const char *above = strchr(annex_domain(inst), '.');
	struct annex_stanza *q;

	if (f->service != NULL || annex_timer_is_running(f->patience) || !annex_is_up(inst))
		return;
	f->searched = false;
	annex_timer_start(f->patience, PATIENCE_MS);
	if (above == NULL)
		return;
	q = annex_iq(inst, NULL, above + 1, "get");
	annex_add(q->element, ANNEX_NS_DISCO_ITEMS, "query");
	if (annex_ask(inst, q, 0, items_told, NULL, 0) < 0)
		f->searched = true;
}

void
files_link_up(struct bots *m)
{
	struct annex_key prefix = files_key();
	struct annex_iter it = annex_iter(&prefix);
	struct files *f = m->files;

	if (*m->set->upload_service == '\0')
		f->service = NULL;
	it.keys_only = true;
	if (annex_next(m->store, &it) != ANNEX_AGAIN)
		return;
	search(f);
	work(m->inst, f);
}

void
files_init(struct bots *m)
{
	struct files *f = annex_new(annex_pool(m->inst), struct files);

	m->files = f;
	f->bots = m;
	f->patience = annex_timer(m->inst, searched, f);
	f->next = annex_timer(m->inst, work, f);
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct way *way = &f->way[i];

		way->files = f;
		way->again = annex_timer(m->inst, work, f);
	}
	if (*m->set->upload_service != '\0')
		f->service = m->set->upload_service;
}

/* --- What waits --------------------------------------------------------------------------------- */

bool
files_is_link(const char *text, size_t most)
{
	return text != NULL && strlen(text) < most &&
	    (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0);
}

size_t
files_waiting(const struct bots *m, size_t most)
{
	struct annex_key prefix = files_key();

	return annex_rows_upto(m->store, &prefix, most);
}

int
files_add(struct bots *m, Bots__File *row)
{
	struct annex_key all = files_key(), key;
	uint64_t number;
	int r;

	if ((r = annex_sequence(m->store, &all, &number)) < 0)
		return r;
	key = file_key(number, fingerprint(m, row));
	if ((r = bots_must(m, annex_put(m->store, &key, &row->base))) < 0)
		return r;
	search(m->files);
	work(m->inst, m->files);
	return ANNEX_OK;
}

bool
files_are_taken(const struct bots *m)
{
	return m->files->service != NULL || places_are_there(m);
}
