/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fuzz_document.c - any bytes as a document, in any pieces
 *
 * Whatever comes: a document or a sentence, the same is told in one piece and in random
 * ones, and what is entered is left where the document is one.
 */
#include <stdint.h>
#include <string.h>

#include <annex/document.h>

#include "base/check.h"
#include "base/clock.h"
#include "unit/xml/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	struct buf text;
	int inside;
};

static bool
enter(void *cookie, const struct annex_element *el)
{
	struct told *told = cookie;
	bool is_in = el->name[0] == 'i' || el->parent == NULL;

	CHECK((el->parent == NULL) == (told->inside == 0));
	told->inside += is_in;
	if (is_in)
		show_element(&told->text, el);
	return is_in;
}

static void
whole(void *cookie, const struct annex_element *el)
{
	show_element(&((struct told *)cookie)->text, el);
}

static void
skipped(void *cookie, const struct annex_element *el)
{
	CHECK(el->first == NULL);
	whole(cookie, el);
}

static void
left(void *cookie, const struct annex_element *el)
{
	struct told *told = cookie;

	CHECK(told->inside-- > 0);
	buf_puts(&told->text, "/");
	buf_puts(&told->text, el->name);
}

static const struct annex_document_events events = { enter, whole, skipped, left };

static void
read_document(struct told *told, const uint8_t *data, size_t size, struct random *random)
{
	struct annex_document *doc = annex_document_create(&events, told, (size_t)1 << 20);
	int r = ANNEX_OK;
	size_t n;

	for (size_t at = 0; at < size && r == ANNEX_OK; at += n) {
		n = size - at;
		if (random != NULL && n > 1)
			n = 1 + random_below(random, n < 40 ? (uint32_t)n : 40);
		r = annex_document_feed(doc, data + at, n);
	}
	if (r == ANNEX_OK)
		r = annex_document_end(doc);
	CHECK((r < 0) == (annex_document_why(doc)[0] != '\0'));
	CHECK(r < 0 || told->inside == 0);
	buf_printf(&told->text, "%d", r);
	annex_document_destroy(&doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told at_once = { .inside = 0 }, pieces = { .inside = 0 };
	struct random random;

	random_init_seeded(&random, size);
	read_document(&at_once, data, size, NULL);
	read_document(&pieces, data, size, &random);
	CHECK(strcmp(buf_text(&at_once.text), buf_text(&pieces.text)) == 0);
	buf_finish(&at_once.text);
	buf_finish(&pieces.text);
	return 0;
}
