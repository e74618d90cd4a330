/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * shared.c - files that people send, as programs learn of them
 *
 *	stateless file sharing (XEP-0447), media of references (XEP-0385): where
 *	each is, with its name, size and type;
 *	out of band data (XEP-0066): where it is;
 *	bits of binary (XEP-0231): what is in it, where that is small.
 *
 * One that is named in several of these ways, as clients do for each other's
 * sake, is one.  Nothing is fetched: what is behind a link is the program's affair.
 */
#include <string.h>

#include "bots.h"

#define NS_SHARING "urn:xmpp:sfs:0"
#define NS_METADATA "urn:xmpp:file:metadata:0"
#define NS_URL_DATA "http://jabber.org/protocol/url-data"
#define NS_REFERENCE "urn:xmpp:reference:0"
#define NS_SIMS "urn:xmpp:sims:1"
#define NS_JINGLE_FILE "urn:xmpp:jingle:apps:file-transfer:5"
#define NS_OOB "jabber:x:oob"
#define NS_BOB "urn:xmpp:bob"

#define FILES_MOST 10
#define LINK_BYTES 4096
#define BOB_BYTES 12288 /* 8 KiB in base64, with line ends (XEP-0231 §2) */

struct shared {
	const char *url, *name, *size, *mime, *data;
};

struct list {
	struct shared file[FILES_MOST];
	size_t count;
};

/* The first to name a link has most to say of it. */
static void
add(struct list *list, const struct shared *file)
{
	if (list->count == FILES_MOST ||
	    (file->data == NULL && !files_is_link(file->url, LINK_BYTES)))
		return;
	for (size_t i = 0; file->url != NULL && i < list->count; i++)
		if (list->file[i].url != NULL && strcmp(list->file[i].url, file->url) == 0)
			return;
	list->file[list->count++] = *file;
}

/* What the metadata of both say with the same words. */
static void
describe(struct shared *file, const struct annex_element *el, const char *ns)
{
	if (el == NULL)
		return;
	file->name = annex_child_text(el, ns, "name");
	file->size = annex_child_text(el, ns, "size");
	file->mime = annex_child_text(el, ns, "media-type");
}

static void
add_sharing(struct list *list, const struct annex_element *el)
{
	const struct annex_element *sources = annex_child(el, NS_SHARING, "sources");
	const struct annex_element *at =
	    sources == NULL ? NULL : annex_child(sources, NS_URL_DATA, "url-data");
	struct shared file = { .url = at == NULL ? NULL : annex_attr(at, "target") };

	describe(&file, annex_child(el, NS_METADATA, "file"), NS_METADATA);
	add(list, &file);
}

static void
add_reference(struct list *list, const struct annex_element *el)
{
	const struct annex_element *media = annex_child(el, NS_SIMS, "media-sharing");
	const struct annex_element *sources =
	    media == NULL ? NULL : annex_child(media, NS_SIMS, "sources");
	const struct annex_element *at =
	    sources == NULL ? NULL : annex_child(sources, NS_REFERENCE, "reference");
	struct shared file = { .url = at == NULL ? NULL : annex_attr(at, "uri") };

	if (media != NULL)
		describe(&file, annex_child(media, NS_JINGLE_FILE, "file"), NS_JINGLE_FILE);
	add(list, &file);
}

static void
add_bob(struct list *list, const struct annex_element *el)
{
	const char *data = annex_text(el);

	if (*data != '\0' && strlen(data) <= BOB_BYTES)
		add(list,
		    &(struct shared) {
			.name = annex_attr(el, "cid"),
			.mime = annex_attr(el, "type"),
			.data = data,
		    });
}

static struct list
files_in(const struct annex_element *message)
{
	struct list list = { 0 };

	ANNEX_CHILDREN (message, el)
		if (annex_is(el, NS_SHARING, "file-sharing"))
			add_sharing(&list, el);
	ANNEX_CHILDREN (message, el)
		if (annex_is(el, NS_REFERENCE, "reference"))
			add_reference(&list, el);
	ANNEX_CHILDREN (message, el)
		if (annex_is(el, NS_OOB, "x"))
			add(&list, &(struct shared) { .url = annex_child_text(el, NS_OOB, "url") });
	ANNEX_CHILDREN (message, el)
		if (annex_is(el, NS_BOB, "data"))
			add_bob(&list, el);
	return list;
}

/* 18 digits fit into a number of JSON's readers. */
static bool
is_number(const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	return len > 0 && len <= 18 && strspn(text, "0123456789") == len &&
	    (text[0] != '0' || len == 1);
}

void
add_shared(struct text *t, const struct annex_element *message)
{
	const struct list list = files_in(message);

	if (list.count == 0)
		return;
	text_name(t, "files");
	text_puts(t, "[");
	for (size_t i = 0; i < list.count; i++) {
		const struct shared *file = &list.file[i];

		text_puts(t, i > 0 ? "," : "");
		text_open(t);
		text_member(t, "url", file->url);
		text_member(t, "name", file->name);
		if (is_number(file->size)) {
			text_name(t, "size");
			text_puts(t, file->size);
		}
		text_member(t, "mime", file->mime);
		text_member(t, "data", file->data);
		text_close(t);
	}
	text_puts(t, "]");
}

const char *
first_shared(const struct annex_element *message)
{
	const struct list list = files_in(message);

	if (list.count == 0)
		return NULL;
	return list.file[0].url != NULL ? list.file[0].url : list.file[0].name;
}
