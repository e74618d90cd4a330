/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * show.c - trees and events as text, so that tests can compare them
 */
#include <string.h>

#include "show.h"

static void
show_text(struct buf *buf, const char *text, size_t len)
{
	buf_putc(buf, '"');
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 0x20 && text[i] < 0x7f && text[i] != '"' && text[i] != '\\')
			buf_putc(buf, text[i]);
		else
			buf_printf(buf, "\\%02x", (unsigned char)text[i]);
	buf_putc(buf, '"');
}

static void
show_name(struct buf *buf, const char *ns, const char *name)
{
	if (ns != NULL && strcmp(ns, ANNEX_NS_STANZA) != 0)
		buf_printf(buf, "{%s}", ns);
	buf_puts(buf, name);
}

void
show_element(struct buf *buf, const struct annex_element *el)
{
	if (el->name == NULL) {
		show_text(buf, el->text, el->text_len);
		return;
	}
	show_name(buf, el->ns, el->name);
	for (const struct annex_attr *a = el->attrs; a != NULL; a = a->next) {
		buf_putc(buf, a == el->attrs ? '[' : ' ');
		show_name(buf, a->ns, a->name);
		buf_putc(buf, '=');
		show_text(buf, a->value, strlen(a->value));
		if (a->next == NULL)
			buf_putc(buf, ']');
	}
	for (const struct annex_element *child = el->first; child != NULL; child = child->next) {
		buf_putc(buf, child == el->first ? '(' : ' ');
		show_element(buf, child);
		if (child->next == NULL)
			buf_putc(buf, ')');
	}
}

void
show_event(struct buf *buf, const struct xml_event *event)
{
	static const char *const kinds[] = { "open", "stanza", "skipped", "close" };
	static const char *const skips[] = { "", " size", " depth", " attributes", " namespace",
		" markup" };

	buf_printf(buf, "%s%s", kinds[event->kind], skips[event->skip]);
	if (event->kind == XML_STANZA || event->kind == XML_SKIPPED)
		buf_printf(buf, " %zu", event->bytes);
	if (event->element != NULL) {
		buf_putc(buf, ' ');
		show_element(buf, event->element);
	}
	buf_putc(buf, '\n');
}

void
show_events(struct buf *buf, struct xml_parser *parser)
{
	struct xml_event *event;

	while ((event = xml_parser_next(parser)) != NULL) {
		show_event(buf, event);
		xml_event_free(parser, event);
	}
}
