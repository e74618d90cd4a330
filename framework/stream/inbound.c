/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * inbound.c - what the server says: header, handshake, errors, fences, stanzas
 *
 * Every event is looked at as soon as its bytes were parsed, so that a fence
 * is timed rightly and an error is not overtaken by the end of the stream;
 * stanzas wait in the inbox for the worker.  Nothing is read while they do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "handshake.h"
#include "private.h"

#define INPUT_BYTES ((size_t)32 * 1024)

static void
take_header(struct stream *stream, const struct annex_element *root)
{
	const char *id = annex_attr(root, "id");

	if (!handshake_is_header(root)) {
		link_goodbye(stream, "invalid-namespace");
		link_fail(stream, &trouble_alien,
		    "what answers is no XMPP server: it opened with <%s/>", root->name);
		return;
	}
	if (id == NULL || *id == '\0')
		return; /* an error follows: who says no need not say more */
	stream->state = STATE_HANDSHAKING;
	handshake_answer(&stream->raw, id, stream->config.secret);
}

static void
take_error(struct stream *stream, const struct annex_element *error)
{
	const struct trouble *row = trouble_of_error(error);
	const char *text = trouble_text(error);

	link_goodbye(stream, NULL);
	link_fail(stream, row, "the server says %s%s%s%s", row->condition,
	    text != NULL ? ", \"" : "", text != NULL ? text : "", text != NULL ? "\"" : "");
}

/* Before the handshake is done there is nothing to say but yes or no. */
static void
take_answer(struct stream *stream, const struct annex_element *el)
{
	if (stream->state == STATE_HANDSHAKING && handshake_is_done(el))
		link_up(stream);
	else if (!annex_is(el, NS_STREAM, "features"))
		link_fail(stream, &trouble_alien, "the server answered the %s with <%s/>",
		    stream->state == STATE_OPENING ? "header" : "handshake", el->name);
}

/* True where the inbox has the event now. */
static bool
take_event(struct stream *stream, struct xml_event *event)
{
	const struct annex_element *el = event->element;

	if (event->kind == XML_STREAM_CLOSE) {
		link_ended(stream);
		return false;
	}
	if (event->kind == XML_STREAM_OPEN) {
		take_header(stream, el);
		return false;
	}
	if (el->ns != NULL && strcmp(el->ns, NS_STREAM) == 0 && strcmp(el->name, "error") == 0) {
		take_error(stream, el);
		return false;
	}
	if (!stream->linked) {
		take_answer(stream, el);
		return false;
	}
	if (event->kind == XML_STANZA && liveness_take_fence(stream, el))
		return false;
	annex_list_append(&stream->inbox, &event->link);
	return true;
}

/* All that is parsed; false when the link ended meanwhile. */
static bool
take_events(struct stream *stream)
{
	struct xml_event *event;

	while (stream->parser != NULL && (event = xml_parser_next(stream->parser)) != NULL)
		if (!take_event(stream, event))
			xml_event_free(stream->parser, event);
	return stream->parser != NULL;
}

static void
read_failed(struct stream *stream, ssize_t n)
{
	const char *why = stream->transport->ops->why(stream->transport);

	if (n == 0 && stream->state == STATE_CLOSING && stream->end_sent) {
		link_ended(stream);
	} else if (n == 0) {
		link_fail(stream, &trouble_away, "the server closed the connection%s",
		    stream->linked ? ""
				   : (stream->state == STATE_OPENING ? " before its header"
								     : " after our handshake"));
	} else {
		link_fail(stream, &trouble_away, "%s",
		    why != NULL && *why != '\0' ? why : strerror((int)-n));
	}
}

static bool
feed(struct stream *stream, const void *bytes, size_t n)
{
	int r =
	    n > 0 ? xml_parser_feed(stream->parser, bytes, n) : xml_parser_flush(stream->parser);
	char why[200];

	if (r < 0)
		snprintf(why, sizeof(why), "%s", xml_parser_why(stream->parser));
	if (!take_events(stream))
		return false;
	if (r >= 0)
		return true;
	link_goodbye(stream, "not-well-formed");
	link_fail(stream, &trouble_alien, "the server sent what is no XML: %s", why);
	return false;
}

void
link_read(struct stream *stream)
{
	size_t left = stream->config.read_bytes;

	if (!stream->connected || stream->stopped)
		return;
	if (!annex_list_is_empty(&stream->inbox)) {
		stream->paused = true;
		link_want(stream);
		return;
	}
	if (stream->input == NULL)
		stream->input = mem_alloc(INPUT_BYTES);
	while (left > 0) {
		size_t most = left < INPUT_BYTES ? left : INPUT_BYTES;
		ssize_t n = stream->transport->ops->read(stream->transport, stream->input, most);

		if (n == -EAGAIN) {
			feed(stream, NULL, 0);
			return;
		}
		if (n <= 0) {
			if (feed(stream, NULL, 0))
				read_failed(stream, n);
			return;
		}
		stream_count(stream, COUNT_BYTES_IN, n);
		left -= (size_t)n;
		if (!feed(stream, stream->input, (size_t)n))
			return;
	}
	feed(stream, NULL, 0); /* there may have been no more than that */
}

struct xml_event *
stream_next(struct stream *stream)
{
	struct annex_link *l = stream->inbox.next;

	CHECK_OBJECT(stream, STREAM_MAGIC);
	if (l == &stream->inbox)
		return NULL;
	annex_list_remove(l);
	if (stream->paused && annex_list_is_empty(&stream->inbox)) {
		stream->paused = false;
		link_want(stream);
	}
	return annex_container_of(l, struct xml_event, link);
}

bool
stream_has_next(const struct stream *stream)
{
	return !annex_list_is_empty(&stream->inbox);
}

void
stream_free_event(struct stream *stream, struct xml_event *event)
{
	xml_event_free(stream->parser, event);
}
