/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * show.h - trees and events as text, so that tests can compare them
 *
 * Not the writer, on purpose: {ns}name[attributes](children), with text in
 * double quotes and every byte beyond printable ASCII in hexadecimal.
 */
#ifndef TEST_XML_SHOW_H
#define TEST_XML_SHOW_H

#include "base/buf.h"
#include "xml/parser.h"

void show_element(struct buf *buf, const struct annex_element *el);
void show_event(struct buf *buf, const struct xml_event *event);

/* Take all events there are, show and free them. */
void show_events(struct buf *buf, struct xml_parser *parser);

#endif /* TEST_XML_SHOW_H */
