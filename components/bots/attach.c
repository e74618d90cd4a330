/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * attach.c - files as programs say them, and texts that had better be files
 *
 * What is to be sent is taken whole, before anything is promised; the rest is
 * files.c's affair.
 */
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "action.h"

#define FILE_BYTES ((size_t)1 << 20)
#define NAME_BYTES 255
#define LINK_BYTES 4096
#define MIME_BYTES 200
#define WAITING_MOST 1000
#define PARTS_MOST 4 /* a text of more messages is a file */
#define BEGINNING_BYTES 200

/* --- The verb --------------------------------------------------------------------------------- */

static int
take_data(struct action *a)
{
	size_t len = strlen(a->data), room = len / 4 * 3 + 3;
	unsigned char *bytes = annex_pool_alloc(a->pool, room);

	a->file_bytes = bytes;
	if (sodium_base642bin(bytes, room, a->data, len, "\r\n ", &a->file_len, NULL,
		sodium_base64_VARIANT_ORIGINAL) == 0)
		return ANNEX_OK;
	return action_wrong(a, "bad-json", "\"data\" must be base64");
}

/* Only of programs that run as this process does: others must not read with its eyes. */
static int
take_path(struct action *a)
{
	unsigned char *bytes = annex_pool_alloc(a->pool, FILE_BYTES + 1);
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (a->consumer->carrier != &child_carrier)
		return action_wrong(a, "not-allowed", "\"path\" is for programs that Annex runs");
	/* A pipe or a device would have all bots wait for whoever is at its other end. */
	fd = open(a->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, bytes, FILE_BYTES + 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return action_wrong(a, "item-not-found", "\"path\" cannot be read");
	a->file_len = (size_t)n;
	a->file_bytes = bytes;
	return ANNEX_OK;
}

static int
take_text(struct action *a)
{
	a->file_bytes = clean_text(a->pool, a->text);
	a->file_len = strlen(a->file_bytes);
	return ANNEX_OK;
}

/* RFC 6838 §4.2, perhaps with parameters. */
static bool
is_mime(const char *text)
{
	size_t n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f)
		n++;
	return text[n] == '\0' && n <= MIME_BYTES && text[0] != '-' && text[0] != '/' &&
	    strchr(text, '/') != NULL;
}

int
judge_file(struct action *a)
{
	const char *slash = strrchr(a->file, '/');
	int r;

	a->file = clean_text(a->pool, slash != NULL ? slash + 1 : a->file);
	if (*a->file == '\0' || strlen(a->file) > NAME_BYTES)
		return action_wrong(
		    a, "bad-json", "\"file\" must be a name of 1 to %d bytes", NAME_BYTES);
	if ((a->data != NULL) + (a->path != NULL) + (a->text != NULL) != 1)
		return action_wrong(a, "bad-json", "\"file\" has \"text\", \"data\" or \"path\"");
	if (strcmp(a->to->domain, annex_domain(a->bot->bots->inst)) == 0)
		return action_wrong(
		    a, "not-allowed", "bots do not talk to bots of the same gateway");
	if (a->mime != NULL && !is_mime(a->mime))
		return action_wrong(a, "bad-json", "\"mime\" must be a type such as image/png");
	if (a->link != NULL &&
	    (!files_is_link(a->link, LINK_BYTES) ||
		strcmp(a->link, clean_text(a->pool, a->link)) != 0))
		return action_wrong(a, "bad-json", "\"link\" must be a URL of https");
	r = a->data != NULL ? take_data(a) : a->path != NULL ? take_path(a) : take_text(a);
	if (r < 0)
		return r;
	if (a->file_len == 0 || a->file_len > FILE_BYTES)
		return action_wrong(
		    a, "too-large", "a file has 1 to %zu bytes, not %zu", FILE_BYTES, a->file_len);
	if (files_waiting(a->bot->bots, WAITING_MOST) == WAITING_MOST)
		return action_wrong(a, "resource-constraint", "too many files wait already");
	return ANNEX_OK;
}

int
run_file(struct action *a)
{
	Bots__File row = BOTS__FILE__INIT;
	int r;

	if ((r = send_begin(a)) != ANNEX_AGAIN)
		return r;
	row.bot = (char *)(uintptr_t)a->bot->name;
	row.to = (char *)(uintptr_t)a->to->bare;
	row.id = (char *)(uintptr_t)a->stanza_id;
	row.name = (char *)(uintptr_t)a->file;
	row.mime = (char *)(uintptr_t)(a->mime != NULL ? clean_text(a->pool, a->mime)
		: a->text != NULL                      ? "text/plain"
						       : "application/octet-stream");
	row.link = (char *)(uintptr_t)(a->link != NULL ? a->link : "");
	row.body = (char *)(uintptr_t)(a->body != NULL ? clean_text(a->pool, a->body) : "");
	row.data = (ProtobufCBinaryData) { a->file_len, (uint8_t *)(uintptr_t)a->file_bytes };
	return bots_must(a->bot->bots, files_add(a->bot->bots, &row));
}

/* --- Texts that are too long to be read in a chat --------------------------------------------- */

bool
files_take(const struct bot *bot, const char *text)
{
	size_t len = strlen(text);

	return files_are_taken(bot->bots) && len <= FILE_BYTES &&
	    len > PARTS_MOST * (size_t)bot->bots->set->max_body_bytes;
}

int
files_text(struct bot *bot, const char *to, const char *id, const char *text)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const char *rest = text;
	Bots__File row = BOTS__FILE__INIT;

	row.bot = (char *)(uintptr_t)bot->name;
	row.to = (char *)(uintptr_t)to;
	row.id = (char *)(uintptr_t)id;
	row.is_text = true;
	row.name = (char *)(uintptr_t) "message.txt";
	row.mime = (char *)(uintptr_t) "text/plain";
	row.body = annex_sprintf(pool, "%s …", clean_part(pool, &rest, BEGINNING_BYTES));
	row.data = (ProtobufCBinaryData) { strlen(text), (uint8_t *)(uintptr_t)text };
	return files_add(bot->bots, &row);
}
