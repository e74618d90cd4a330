/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * files.c - files of bots, through the server's upload service (XEP-0363)
 *
 *	row ─▶ slot asked ─▶ program puts it there ─▶ message with the link
 *
 * The service is found among the items of the domain above ours, or named by
 * an option.  What a program sends waits in the store until it has been put, one after the
 * other; a program of ours puts it (programs/upload.c), so that TLS and a slow
 * server are no affair of this process.  Where there is no service, or it does not
 * take the file, the link that the program gave is sent instead, or a text as messages.
 */
#include <string.h>
#include <strings.h>

#include <annex/caps.h>
#include <annex/spawn.h>

#include "bots.h"

#define NS_UPLOAD "urn:xmpp:http:upload:0"
#define NS_OOB "jabber:x:oob"
#define ASKED_MOST 50 /* of the server's services */
#define TRIES 3
#define PAUSE_MS 30000
#define PATIENCE_MS 20000 /* until a service is found */
#define HEADERS_MOST 10

struct files {
	struct bots *bots;
	const char *service; /* NULL: none is known */
	bool searched, busy;
	uint64_t at; /* the row that is on its way */
	unsigned tries;
	struct annex_timer *again;
	char link[4096]; /* where it will be found */
};

static struct annex_key
row_key(uint64_t number)
{
	struct annex_key key = annex_key(&bots_tables[TABLE_FILES]);

	annex_key_u64(&key, number);
	return key;
}

static const Bots__File *
row_of(const struct files *f)
{
	struct annex_key key = row_key(f->at);
	ProtobufCMessage *record;

	return annex_get(f->bots->store, &key, &record) < 0 ? NULL : (const Bots__File *)record;
}

/* --- What is said of it ------------------------------------------------------------ */

static int
say(struct bot *bot, const Bots__File *row, const char *id, const char *body, const char *link)
{
	struct annex_stanza *out = annex_message(bot->bots->inst, bot->full, row->to, "chat");

	annex_attr_set(out->element, "id", id);
	annex_add_text(out->element, NULL, "body", body);
	if (link != NULL) /* clients show it in place where the body is the same */
		annex_add_text(annex_add(out->element, NS_OOB, "x"), NULL, "url", link);
	return out_send(bot, out, link != NULL ? row->id : NULL);
}

static int
say_link(struct bot *bot, const Bots__File *row, const char *link)
{
	const char *id = annex_sprintf(annex_scratch(bot->bots->inst), "%s-0", row->id);
	int r = *row->body == '\0' ? ANNEX_OK : say(bot, row, id, row->body, NULL);

	return r < 0 ? r : say(bot, row, row->id, link, link);
}

static int
say_text(struct bot *bot, const Bots__File *row)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const char *rest = clean_text(
		       pool, clean_utf8(pool, (const char *)row->data.data, row->data.len)),
		   *part;
	int r = ANNEX_OK;

	for (unsigned n = 1; r >= 0; n++) {
		part = clean_part(pool, &rest, (size_t)bot->bots->set->max_body_bytes);
		if (part == NULL)
			break;
		r = say(bot, row, annex_sprintf(pool, "%s-%u", row->id, n), part, NULL);
	}
	return r;
}

/* --- One after the other -------------------------------------------------------------- */

static void work(struct files *f);

/* It is over with this row, with the link or without. */
static void
finish(struct files *f, const char *link, const char *why)
{
	const Bots__File *row = row_of(f);
	struct annex_key key = row_key(f->at);
	struct bot *bot = row == NULL ? NULL : bot_find(f->bots, row->bot);
	int r = ANNEX_OK;

	if (link == NULL && row != NULL && *row->link != '\0')
		link = row->link;
	if (bot != NULL && link != NULL)
		r = say_link(bot, row, link);
	else if (bot != NULL && strncmp(row->mime, "text/", 5) == 0)
		r = say_text(bot, row);
	if (bots_must(f->bots, r) < 0)
		return;
	if (bot != NULL && link == NULL)
		send_reached(bot, row->id, SEND_DROPPED, why);
	bots_must(f->bots, annex_delete(f->bots->store, &key));
	f->busy = false;
	f->tries = 0;
	work(f);
}

static void
failed(struct files *f, const char *why, bool for_good)
{
	if (for_good || ++f->tries >= TRIES) {
		finish(f, NULL, why);
		return;
	}
	f->busy = false;
	annex_timer_start(f->again, PAUSE_MS * (int64_t)f->tries);
}

static void
put_ended(struct annex_instance *inst, struct annex_child *child, int status, void *cookie)
{
	struct files *f = cookie;

	(void)inst;
	(void)child;
	if (status == 0)
		finish(f, f->link, NULL);
	else
		failed(f, "the file could not be put", status == 100);
}

/* XEP-0363 §5: no other header is anybody's affair, and none has a line's end in it. */
static const char *
headers_of(const struct annex_element *put, struct annex_pool *pool)
{
	static const char *const allowed[] = { "Authorization", "Cookie", "Expires", NULL };
	struct text t = { .pool = pool };
	size_t n = 0;

	text_puts(&t, "UPLOAD_HEADERS=");
	for (const struct annex_element *h = annex_child(put, NULL, "header");
	     h != NULL && n < HEADERS_MOST; h = annex_child_after(h, NULL, "header")) {
		const char *name = annex_attr(h, "name"), *text = annex_text(h);

		for (const char *const *a = allowed; name != NULL && *a != NULL; a++)
			if (strcasecmp(*a, name) == 0 && strpbrk(text, "\r\n") == NULL) {
				text_printf(&t, "%s: %s\n", *a, text);
				n++;
			}
	}
	return t.bytes;
}

static void
put(struct files *f, const Bots__File *row, const struct annex_element *slot)
{
	static const struct annex_child_events events = { NULL, put_ended };
	struct annex_instance *inst = f->bots->inst;
	struct annex_pool *pool = annex_scratch(inst);
	const struct annex_element *to = annex_child(slot, NULL, "put");
	/* Secrets of the slot: of arguments all users of the machine learn. */
	const char *const env[] = { annex_sprintf(pool, "UPLOAD_URL=%s", annex_attr(to, "url")),
		headers_of(to, pool), NULL };
	const char *const argv[] = { *f->bots->set->upload != '\0'
		    ? f->bots->set->upload
		    : annex_program_path(inst, "upload"),
		"--", row->mime, NULL };
	struct annex_program program = { .argv = argv, .env = env, .timeout_ms = 300000 };
	struct annex_child *child;

	child = annex_spawn(inst, &program, &events, f);
	if (child == NULL) {
		failed(f, "too many programs run", false);
		return;
	}
	annex_child_write(child, row->data.data, row->data.len);
	annex_child_end(child);
}

bool
files_is_link(const char *text, size_t most)
{
	return text != NULL && strlen(text) < most &&
	    (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0);
}

static void
slot_told(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	struct files *f = ((struct bots *)annex_state(inst))->files;
	const struct annex_element *slot =
	    status == ANNEX_OK ? annex_child(answer->element, NS_UPLOAD, "slot") : NULL;
	const struct annex_element *get = slot == NULL ? NULL : annex_child(slot, NULL, "get");
	const struct annex_element *to = slot == NULL ? NULL : annex_child(slot, NULL, "put");
	const char *link = get == NULL ? NULL : annex_attr(get, "url");
	const Bots__File *row = row_of(f);

	(void)cookie;
	(void)cookie_len;
	if (row == NULL)
		failed(f, "it is gone", true);
	else if (status == ANNEX_EDENIED)
		failed(f, annex_condition_name(annex_error_read(answer->element).condition), true);
	else if (to == NULL || !files_is_link(link, sizeof(f->link)) ||
	    !files_is_link(annex_attr(to, "url"), sizeof(f->link)))
		failed(f, "the service gave no place", status == ANNEX_OK);
	else {
		memcpy(f->link, link, strlen(link) + 1);
		put(f, row, slot);
	}
}

static void
ask_slot(struct files *f, const Bots__File *row)
{
	struct annex_instance *inst = f->bots->inst;
	struct annex_stanza *q = annex_iq(inst, NULL, f->service, "get");
	struct annex_element *el = annex_add(q->element, NS_UPLOAD, "request");

	annex_attr_set(el, "filename", row->name);
	annex_attr_set(el, "size", annex_sprintf(annex_scratch(inst), "%zu", row->data.len));
	annex_attr_set(el, "content-type", row->mime);
	if (annex_ask(inst, q, 0, slot_told, NULL, 0) < 0)
		failed(f, "too much is asked already", false);
}

/* The first of those that wait. */
static void
work(struct files *f)
{
	struct annex_key prefix = annex_key(&bots_tables[TABLE_FILES]);
	struct annex_iter it = annex_iter(&prefix);

	if (f->busy || !annex_is_up(f->bots->inst) || (f->service == NULL && !f->searched) ||
	    annex_timer_is_running(f->again) || annex_next(f->bots->store, &it) != ANNEX_AGAIN)
		return;
	f->busy = true;
	f->at = annex_key_number(&it.key, 0);
	if (f->service != NULL)
		ask_slot(f, (const Bots__File *)it.record);
	else
		failed(f, "the server has no upload service", true);
}

/* --- The service ---------------------------------------------------------------------------- */

static void
again(struct annex_instance *inst, void *cookie)
{
	struct files *f = cookie;

	(void)inst;
	f->searched = true;
	work(f);
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
			annex_timer_stop(f->again);
			work(f);
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

	if (f->service != NULL || annex_timer_is_running(f->again) || !annex_is_up(inst))
		return;
	f->searched = false;
	annex_timer_start(f->again, PATIENCE_MS);
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
	struct annex_key prefix = annex_key(&bots_tables[TABLE_FILES]);
	struct annex_iter it = annex_iter(&prefix);
	struct files *f = m->files;

	if (*m->set->upload_service == '\0')
		f->service = NULL;
	it.keys_only = true;
	if (annex_next(m->store, &it) != ANNEX_AGAIN)
		return;
	search(f);
	work(f);
}

void
files_init(struct bots *m)
{
	struct files *f = annex_new(annex_pool(m->inst), struct files);

	m->files = f;
	f->bots = m;
	f->again = annex_timer(m->inst, again, f);
	if (*m->set->upload_service != '\0')
		f->service = m->set->upload_service;
}

/* --- What waits --------------------------------------------------------------------------------- */

size_t
files_waiting(const struct bots *m)
{
	struct annex_key prefix = annex_key(&bots_tables[TABLE_FILES]);
	struct annex_iter it = annex_iter(&prefix);
	size_t n = 0;

	it.keys_only = true;
	while (annex_next(m->store, &it) == ANNEX_AGAIN)
		n++;
	return n;
}

int
files_add(struct bots *m, Bots__File *row)
{
	struct annex_key all = annex_key(&bots_tables[TABLE_FILES]), key;
	uint64_t number;
	int r;

	if ((r = annex_sequence(m->store, &all, &number)) < 0)
		return r;
	key = row_key(number);
	if ((r = bots_must(m, annex_put(m->store, &key, &row->base))) < 0)
		return r;
	search(m->files);
	work(m->files);
	return ANNEX_OK;
}

bool
files_are_taken(const struct bots *m)
{
	return m->files->service != NULL;
}
