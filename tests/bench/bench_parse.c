/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_parse.c - what trees cost on top of bare expat
 *
 * The same bytes, chat messages of 240 bytes each, go through bare expat
 * with handlers that do nothing, through our parser, and through parser and
 * writer.  The three take turns and the best round of each counts, so that
 * what else the machine does is the same for all.
 *
 *	bench_parse [SECONDS [CHUNK]]
 */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "xml/parser.h"
#include "xml/writer.h"

#define STANZA_BYTES 240
#define STANZAS 10000

static const char head[] = "<stream:stream xmlns='" ANNEX_NS_STANZA
			   "' xmlns:stream='http://etherx.jabber.org/streams' id='1'>";

struct bench {
	struct buf input;
	size_t chunk;
	struct buf output;
	size_t seen;
};

static void
make_input(struct buf *input)
{
	size_t start;

	for (int i = 0; i < STANZAS; i++) {
		start = input->len;
		buf_printf(input,
		    "<message from='juliet%04d@capulet.example/balcony' to='echo.example' "
		    "id='%08x-%04x' type='chat'><body>",
		    i % 1000, i * 2654435761u, i & 0xffff);
		while (input->len - start < STANZA_BYTES - 17)
			buf_putc(input,
			    "but soft, what light through yonder window breaks? "
				[(input->len - start) % 51]);
		buf_puts(input, "</body></message>");
	}
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void XMLCALL
ignore_start(void *cookie, const XML_Char *name, const XML_Char **atts)
{
}

static void XMLCALL
ignore_end(void *cookie, const XML_Char *name)
{
}

static void XMLCALL
ignore_text(void *cookie, const XML_Char *text, int len)
{
}

static void
bare(struct bench *b)
{
	XML_Parser p = XML_ParserCreate("UTF-8");
	size_t n;

	XML_SetElementHandler(p, ignore_start, ignore_end);
	XML_SetCharacterDataHandler(p, ignore_text);
	if (XML_Parse(p, head, sizeof(head) - 1, 0) != XML_STATUS_OK)
		abort();
	for (size_t at = 0; at < b->input.len; at += n) {
		n = b->input.len - at < b->chunk ? b->input.len - at : b->chunk;
		if (XML_Parse(p, b->input.data + at, (int)n, 0) != XML_STATUS_OK)
			abort();
	}
	XML_ParserFree(p);
	b->seen += STANZAS;
}

static void
ours(struct bench *b, bool write)
{
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);
	struct xml_event *event;
	size_t n;

	if (xml_parser_feed(p, head, sizeof(head) - 1) < 0)
		abort();
	for (size_t at = 0; at < b->input.len; at += n) {
		n = b->input.len - at < b->chunk ? b->input.len - at : b->chunk;
		if (xml_parser_feed(p, b->input.data + at, n) < 0)
			abort();
		buf_clear(&b->output);
		while ((event = xml_parser_next(p)) != NULL) {
			if (event->kind == XML_STANZA) {
				b->seen++;
				if (write &&
				    xml_write(&b->output, event->element, ANNEX_NS_STANZA) < 0)
					abort();
			}
			xml_event_free(p, event);
		}
	}
	xml_parser_destroy(&p);
}

static void
trees(struct bench *b)
{
	ours(b, false);
}

static void
trees_written(struct bench *b)
{
	ours(b, true);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct bench *);
	} kinds[] = {
		{ "bare expat", bare },
		{ "parse + tree", trees },
		{ "parse + tree + write", trees_written },
	};
	double best[3] = { 1e9, 1e9, 1e9 }, start, took, end;
	struct bench b = { .chunk = argc > 2 ? (size_t)atol(argv[2]) : 65536 };

	make_input(&b.input);
	end = now() + (argc > 1 ? atof(argv[1]) : 3);
	while (now() < end)
		for (int i = 0; i < 3; i++) {
			b.seen = 0;
			start = now();
			kinds[i].run(&b);
			took = now() - start;
			if (b.seen != STANZAS)
				abort();
			if (took < best[i])
				best[i] = took;
		}
	for (int i = 0; i < 3; i++)
		printf("%-22s %9.0f stanzas/s  %6.0f ns  %.2f of bare expat\n", kinds[i].name,
		    STANZAS / best[i], best[i] * 1e9 / STANZAS, best[0] / best[i]);
	buf_finish(&b.input);
	buf_finish(&b.output);
	return 0;
}
