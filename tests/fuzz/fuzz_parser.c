/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fuzz_parser.c - any bytes, in any pieces
 *
 * The input is what follows the root of a stream.  It must give the same
 * events in one piece and in random ones, with expat replaced at every turn
 * or never, under the usual limits and under tight ones; and each stanza
 * must survive being written and parsed again.  Then the input is read as a
 * stored element.
 */
#include <stdint.h>
#include <string.h>

#include <annex/pool.h>

#include "base/check.h"
#include "base/clock.h"
#include "unit/xml/show.h"
#include "xml/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] =
    "<stream:stream xmlns='" ANNEX_NS_STANZA "' xmlns:stream='http://etherx.jabber.org/streams'>";

static const struct xml_limits tight = {
	.stanza_bytes = 120,
	.token_bytes = 400,
	.depth = 3,
	.attributes = 3,
	.namespaces = 2,
	.elements = 5,
};

static const struct xml_limits wide = {
	.stanza_bytes = SIZE_MAX,
	.token_bytes = SIZE_MAX,
	.depth = 100,
	.attributes = 300,
	.namespaces = 1000000,
	.elements = 1000000,
};

/* What is shown last is whether it failed; of two reasons either may come first. */
static void
parse(struct buf *shown, const struct xml_limits *limits, const uint8_t *data, size_t size,
    struct random *random)
{
	struct xml_parser *p = xml_parser_create(limits, 4711);
	int r = xml_parser_feed(p, head, sizeof(head) - 1);
	size_t n;

	for (size_t at = 0; at < size && r == ANNEX_OK; at += n) {
		n = size - at;
		if (random != NULL && n > 1)
			n = 1 + random_below(random, n < 40 ? (uint32_t)n : 40);
		r = xml_parser_feed(p, data + at, n);
		if (r == ANNEX_OK && random != NULL && random_below(random, 2) == 0)
			r = xml_parser_flush(p);
		show_events(shown, p);
	}
	/* What is wrong with a tag may show only when it ends. */
	if (r == ANNEX_OK)
		r = xml_parser_feed(p, ">", 1);
	if (r == ANNEX_OK)
		r = xml_parser_flush(p);
	show_events(shown, p);
	CHECK((r < 0) == (xml_parser_why(p)[0] != '\0'));
	buf_printf(shown, "%d", r);
	xml_parser_destroy(&p);
}

static void
check_pieces(const struct xml_limits *limits, const uint8_t *data, size_t size)
{
	struct xml_limits replacing = *limits;
	struct buf whole = { 0 }, pieces = { 0 };
	struct random random;
	uint64_t seed = size;

	for (size_t i = 0; i < size; i++)
		seed = seed * 31 + data[i];
	parse(&whole, limits, data, size, NULL);
	for (uint64_t i = 0; i < 3; i++) {
		random_init_seeded(&random, seed + i);
		replacing.expat_bytes = i == 0 ? 0 : 1;
		buf_clear(&pieces);
		parse(&pieces, &replacing, data, size, &random);
		CHECK(strcmp(buf_text(&whole), buf_text(&pieces)) == 0);
	}
	buf_finish(&whole);
	buf_finish(&pieces);
}

static void
check_survives(const struct annex_element *el)
{
	struct xml_parser *p = xml_parser_create(&wide, 4711);
	struct buf text = { 0 }, want = { 0 }, got = { 0 };
	struct xml_event *event;

	show_element(&want, el);
	buf_puts(&text, head);
	CHECK(xml_write(&text, el, ANNEX_NS_STANZA) == ANNEX_OK);
	CHECK(xml_parser_feed(p, text.data, text.len) == ANNEX_OK);
	CHECK(xml_parser_flush(p) == ANNEX_OK);
	xml_event_free(p, xml_parser_next(p));
	CHECK((event = xml_parser_next(p)) != NULL && event->kind == XML_STANZA);
	show_element(&got, event->element);
	CHECK(strcmp(buf_text(&want), buf_text(&got)) == 0);
	CHECK(event->bytes == text.len - (sizeof(head) - 1));
	xml_event_free(p, event);
	CHECK(xml_parser_next(p) == NULL);
	xml_parser_destroy(&p);
	buf_finish(&text);
	buf_finish(&want);
	buf_finish(&got);
}

static void
check_stanzas(const uint8_t *data, size_t size)
{
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);
	struct xml_event *event;

	if (xml_parser_feed(p, head, sizeof(head) - 1) == ANNEX_OK &&
	    xml_parser_feed(p, data, size) == ANNEX_OK && xml_parser_flush(p) == ANNEX_OK)
		CHECK(xml_parser_why(p)[0] == '\0');
	while ((event = xml_parser_next(p)) != NULL) {
		if (event->kind == XML_STANZA)
			check_survives(event->element);
		xml_event_free(p, event);
	}
	xml_parser_destroy(&p);
}

static void
check_stored(const uint8_t *data, size_t size)
{
	struct annex_pool *pool = annex_pool_create(NULL, "fuzz");
	struct annex_element *el, *again;
	struct buf want = { 0 }, got = { 0 };
	const char *text;
	size_t len;

	el = annex_element_read(pool, (const char *)data, size, size);
	if (el != NULL) {
		CHECK((text = annex_element_write(el, pool, &len)) != NULL);
		CHECK((again = annex_element_read(pool, text, len, len)) != NULL);
		show_element(&want, el);
		show_element(&got, again);
		CHECK(strcmp(buf_text(&want), buf_text(&got)) == 0);
	}
	buf_finish(&want);
	buf_finish(&got);
	annex_pool_destroy(&pool);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_pieces(&xml_limits_default, data, size);
	check_pieces(&tight, data, size);
	check_stanzas(data, size);
	check_stored(data, size);
	return 0;
}
