/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * put.c - one file on its way to the upload service (XEP-0363)
 *
 *	slot asked ─▶ program puts it there ─▶ message with the link
 *
 * A program of ours puts it (programs/upload.c), so that TLS and a slow server are no affair of
 * this process.  Where there is no service, or it does not take the file, the link that the
 * bot's program gave is sent instead, or a text as messages.
 */
#include <string.h>
#include <strings.h>

#include <annex/spawn.h>

#include "files.h"

#define NS_OOB "jabber:x:oob"
#define TRIES 3
#define PAUSE_MS 30000
#define HEADERS_MOST 10

/* Which file was asked about. */
struct asked {
	size_t way;
	uint64_t at;
};

/* --- What is said of it ------------------------------------------------------------ */

static int
say(struct bot *bot, const Bots__File *row, const char *id, const char *body, const char *link)
{
	struct annex_stanza *out = annex_message(bot->bots->inst, bot->full, row->to, "chat");

	if (bot_bans(bot, row->to))
		return ANNEX_OK;
	annex_attr_set(out->element, "id", id);
	annex_add_text(out->element, NULL, "body", body);
	if (link != NULL) /* clients show it in place where the body is the same */
		annex_add_text(annex_add(out->element, NS_OOB, "x"), NULL, "url", link);
	return out_send(bot, out, link != NULL ? row->id : NULL);
}

/* What is said before it. */
static int
say_body(struct bot *bot, const Bots__File *row)
{
	const char *id = annex_sprintf(annex_scratch(bot->bots->inst), "%s-0", row->id);

	return *row->body == '\0' ? ANNEX_OK : say(bot, row, id, row->body, NULL);
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

/* --- On its way ------------------------------------------------------------------------ */

/* Where there is no other link: that of the program, or that of the file as it is kept here. */
static int
find_link(struct bot *bot, const Bots__File *row, const char **link, const char **why)
{
	int r;

	if (*link == NULL && *row->link != '\0')
		*link = row->link;
	if (*link != NULL || !places_are_there(bot->bots))
		return ANNEX_OK;
	r = place_add(bot, row, link);
	if (r != ANNEX_ELIMIT && r != ANNEX_EFULL)
		return r;
	*why = "there is no room for more files";
	return ANNEX_OK;
}

static int
say_all(struct bot *bot, const Bots__File *row, const char *link)
{
	int r = link == NULL && row->is_text ? ANNEX_OK : say_body(bot, row);

	if (r < 0)
		return r;
	if (link != NULL)
		return say(bot, row, row->id, link, link);
	if (strncmp(row->mime, "text/", 5) == 0)
		return say_text(bot, row);
	return say(bot, row, row->id,
	    annex_sprintf(annex_scratch(bot->bots->inst), "(%s could not be sent.)", row->name),
	    NULL);
}

/* It is over with this row, with the link or without. */
static void
finish(struct way *way, const char *link, const char *why)
{
	struct files *f = way->files;
	const Bots__File *row = file_row(f->bots, way);
	struct annex_key key = file_key(way->at, way->reader);
	struct bot *bot = row == NULL ? NULL : bot_find(f->bots, row->bot);
	int r = ANNEX_OK;

	if (bot != NULL && (r = find_link(bot, row, &link, &why)) >= 0)
		r = say_all(bot, row, link);
	if (bots_must(f->bots, r) < 0)
		return;
	if (bot != NULL && link == NULL)
		send_reached(bot, row->id, SEND_DROPPED, why);
	bots_must(f->bots, annex_delete(f->bots->store, &key));
	way->at = 0;
	way->moving = false;
	way->tries = 0;
	annex_timer_start(f->next, 0);
}

static void
failed(struct way *way, const char *why, bool for_good)
{
	if (for_good || ++way->tries >= TRIES) {
		finish(way, NULL, why);
		return;
	}
	way->moving = false;
	annex_timer_start(way->again, PAUSE_MS * (int64_t)way->tries);
}

static void
put_ended(struct annex_instance *inst, struct annex_child *child, int status, void *cookie)
{
	struct way *way = cookie;

	(void)inst;
	(void)child;
	if (status == 0)
		finish(way, way->link, NULL);
	else
		failed(way, "the file could not be put", status == 100);
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
put(struct way *way, const Bots__File *row, const struct annex_element *slot)
{
	static const struct annex_child_events events = { NULL, put_ended };
	struct bots *m = way->files->bots;
	struct annex_instance *inst = m->inst;
	struct annex_pool *pool = annex_scratch(inst);
	const struct annex_element *to = annex_child(slot, NULL, "put");
	/* Secrets of the slot: of arguments all users of the machine learn. */
	const char *const env[] = { annex_sprintf(pool, "UPLOAD_URL=%s", annex_attr(to, "url")),
		headers_of(to, pool), NULL };
	const char *const argv[] = { *m->set->upload != '\0' ? m->set->upload
							     : annex_program_path(inst, "upload"),
		"--", row->mime, NULL };
	struct annex_program program = { .argv = argv, .env = env, .timeout_ms = 300000 };
	struct annex_child *child;

	child = annex_spawn(inst, &program, &events, way);
	if (child == NULL) {
		failed(way, "too many programs run", false);
		return;
	}
	annex_child_write(child, row->data.data, row->data.len);
	annex_child_end(child);
}

static void
slot_told(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	struct bots *m = annex_state(inst);
	const struct annex_element *slot =
	    status == ANNEX_OK ? annex_child(answer->element, NS_UPLOAD, "slot") : NULL;
	const struct annex_element *get = slot == NULL ? NULL : annex_child(slot, NULL, "get");
	const struct annex_element *to = slot == NULL ? NULL : annex_child(slot, NULL, "put");
	const char *link = get == NULL ? NULL : annex_attr(get, "url");
	const Bots__File *row;
	struct asked asked;
	struct way *way;

	memcpy(&asked, cookie, cookie_len);
	way = &m->files->way[asked.way];
	if (way->at != asked.at || !way->moving)
		return;
	if ((row = file_row(m, way)) == NULL)
		failed(way, "it is gone", true);
	else if (status == ANNEX_EDENIED)
		failed(
		    way, annex_condition_name(annex_error_read(answer->element).condition), true);
	else if (to == NULL || !files_is_link(link, sizeof(way->link)) ||
	    !files_is_link(annex_attr(to, "url"), sizeof(way->link)))
		failed(way, "the service gave no place", status == ANNEX_OK);
	else {
		memcpy(way->link, link, strlen(link) + 1);
		put(way, row, slot);
	}
}

static void
ask_slot(struct way *way, const Bots__File *row)
{
	struct files *f = way->files;
	struct annex_instance *inst = f->bots->inst;
	struct annex_stanza *q = annex_iq(inst, NULL, f->service, "get");
	struct annex_element *el = annex_add(q->element, NS_UPLOAD, "request");
	const struct asked asked = { (size_t)(way - f->way), way->at };

	annex_attr_set(el, "filename", row->name);
	annex_attr_set(el, "size", annex_sprintf(annex_scratch(inst), "%zu", row->data.len));
	annex_attr_set(el, "content-type", row->mime);
	if (annex_ask(inst, q, 0, slot_told, &asked, sizeof(asked)) < 0)
		failed(way, "too much is asked already", false);
}

void
way_go(struct way *way)
{
	const Bots__File *row = file_row(way->files->bots, way);

	way->moving = true;
	if (row == NULL)
		failed(way, "it is gone", true);
	else if (way->files->service != NULL)
		ask_slot(way, row);
	else
		failed(way, "the server has no upload service", true);
}
