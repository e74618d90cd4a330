/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * yaml.c - the file as a tree that remembers where everything stood
 *
 * Only the plain half of YAML is spoken: maps, lists and scalars.  What makes
 * the same text mean different things to different readers (tags, anchors
 * and aliases, several documents, keys that are no words) is refused by name.
 * Scalars stay text, so a country called `no` is not a falsehood here; the
 * option's table says what a text means.
 *
 * libyaml's events come one after the other, so the maps and lists that are
 * open stand on a small stack of frames; its depth is bounded.
 */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include <annex/map.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/utf8.h"
#include "config.h"

/* A map or list that is still open. */
struct frame {
	struct config_node *node;
	struct annex_map *keys; /* of a map: seen so far, to their nodes; NULL: none yet */
	bool has_key;           /* of a map: key stands, its value follows */
	bool drop;              /* ... but is a duplicate or no word */
	const char *key;
	unsigned key_line, key_column;
};

struct reader {
	const char *file;
	struct annex_pool *pool;
	struct config_errors *errors;
	struct config_node *root;
	struct frame frames[CONFIG_DEPTH_MAX];
	unsigned depth;
	unsigned documents;
	bool hopeless; /* an error after which reading on says nothing */
};

static unsigned
line_of(const yaml_mark_t *mark)
{
	return (unsigned)mark->line + 1;
}

static unsigned
column_of(const yaml_mark_t *mark)
{
	return (unsigned)mark->column + 1;
}

static struct config_node *
node_new(struct reader *r, enum config_kind kind, const yaml_mark_t *mark)
{
	struct config_node *node = annex_new(r->pool, struct config_node);

	node->kind = kind;
	node->file = r->file;
	node->line = line_of(mark);
	node->column = column_of(mark);
	node->text = "";
	return node;
}

static void
append(struct config_node *parent, struct config_node *node)
{
	if (parent->last != NULL)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
}

/* Put a finished or just opened node where the innermost frame wants it. */
static void
place(struct reader *r, struct config_node *node)
{
	struct frame *top;

	if (r->depth == 0) {
		r->root = node;
		return;
	}
	top = &r->frames[r->depth - 1];
	if (top->node->kind == CONFIG_LIST) {
		append(top->node, node);
		return;
	}
	top->has_key = false;
	if (top->drop)
		return;
	node->key = top->key;
	node->key_line = top->key_line;
	node->key_column = top->key_column;
	annex_map_set_str(top->keys, node->key, node);
	append(top->node, node);
}

static bool
wants_key(const struct reader *r)
{
	const struct frame *top;

	if (r->depth == 0)
		return false;
	top = &r->frames[r->depth - 1];
	return top->node->kind == CONFIG_MAP && !top->has_key;
}

static void
take_key(struct reader *r, const char *text, const yaml_mark_t *mark)
{
	struct frame *top = &r->frames[r->depth - 1];
	const struct config_node *before;

	if (top->keys == NULL)
		top->keys = annex_map_create(r->pool);
	before = annex_map_get_str(top->keys, text);
	top->has_key = true;
	top->drop = before != NULL;
	top->key = text;
	top->key_line = line_of(mark);
	top->key_column = column_of(mark);
	if (before != NULL)
		config_error_in(r->errors, r->file, line_of(mark), column_of(mark),
		    "%s stands here a second time; the first is in line %u",
		    config_quote(r->pool, text), before->key_line);
}

/* A key that cannot be one: what it is the key of is read and forgotten. */
static void
refuse_key(struct reader *r, const yaml_mark_t *mark)
{
	struct frame *top = &r->frames[r->depth - 1];

	config_error_in(r->errors, r->file, line_of(mark), column_of(mark),
	    "a list or map cannot be a key; a key is a word with a colon behind it");
	top->has_key = true;
	top->drop = true;
	r->hopeless = true;
}

static void
refuse_decoration(
    struct reader *r, const yaml_mark_t *mark, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		config_error_in(r->errors, r->file, line_of(mark), column_of(mark),
		    "anchors (&%s) are not understood here; write the value out",
		    (const char *)anchor);
	if (tag != NULL)
		config_error_in(r->errors, r->file, line_of(mark), column_of(mark),
		    "tags (%s) are not understood here; the option decides what a value is",
		    (const char *)tag);
}

static void
take_scalar(struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct config_node *node;

	refuse_decoration(r, &event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
	node = node_new(r, CONFIG_SCALAR, &event->start_mark);
	if (memchr(text, '\0', len) != NULL) {
		config_error_at(r->errors, node, "a zero byte cannot be in a text");
		node->kind = CONFIG_BROKEN;
	}
	node->text = annex_strndup(r->pool, text, len);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (wants_key(r))
		take_key(r, node->text, &event->start_mark);
	else
		place(r, node);
}

static void
take_alias(struct reader *r, const yaml_event_t *event)
{
	config_error_in(r->errors, r->file, line_of(&event->start_mark),
	    column_of(&event->start_mark),
	    "aliases (*%s) are not understood here; write the value out",
	    (const char *)event->data.alias.anchor);
	if (wants_key(r))
		take_key(r, "*", &event->start_mark);
	else
		place(r, node_new(r, CONFIG_BROKEN, &event->start_mark));
}

static void
open_node(struct reader *r, enum config_kind kind, const yaml_event_t *event)
{
	struct config_node *node;

	if (wants_key(r)) {
		refuse_key(r, &event->start_mark);
		return;
	}
	node = node_new(r, kind, &event->start_mark);
	if (r->depth == CONFIG_DEPTH_MAX) {
		config_error_at(r->errors, node, "nested deeper than %d levels", CONFIG_DEPTH_MAX);
		r->hopeless = true;
		return;
	}
	place(r, node);
	r->frames[r->depth++] = (struct frame) { .node = node };
}

static void
open_document(struct reader *r, const yaml_event_t *event)
{
	if (++r->documents == 1)
		return;
	config_error_in(r->errors, r->file, line_of(&event->start_mark),
	    column_of(&event->start_mark), "a second document begins here; one file is one");
	r->hopeless = true;
}

static void
take_event(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		open_document(r, event);
		break;
	case YAML_SCALAR_EVENT:
		take_scalar(r, event);
		break;
	case YAML_ALIAS_EVENT:
		take_alias(r, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		refuse_decoration(r, &event->start_mark, event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
		open_node(r, CONFIG_LIST, event);
		break;
	case YAML_MAPPING_START_EVENT:
		refuse_decoration(r, &event->start_mark, event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
		open_node(r, CONFIG_MAP, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		break;
	default:
		break;
	}
}

/* libyaml's own words for what is not YAML, and better ones where people stumble. */
static void
tell_problem(struct reader *r, const yaml_parser_t *parser, const char *text, size_t len)
{
	const yaml_mark_t *mark = &parser->problem_mark;
	const char *what = parser->problem != NULL ? parser->problem : "cannot be read";

	if (parser->error == YAML_READER_ERROR) {
		size_t at = parser->problem_offset < len ? parser->problem_offset : len;
		unsigned line = 1, column = 1;

		for (size_t i = 0; i < at; i++) {
			column = text[i] == '\n' ? 1 : column + 1;
			line += text[i] == '\n';
		}
		config_error_in(
		    r->errors, r->file, line, column, "a control character stands here");
	} else if (mark->index < len && strstr(what, "cannot start any token") != NULL &&
	    memchr(text, '\t', len) != NULL) {
		config_error_in(r->errors, r->file, line_of(mark), column_of(mark),
		    "not YAML: %s; indent with spaces, not tabs", what);
	} else if (parser->context != NULL && parser->context_mark.line != mark->line) {
		config_error_in(r->errors, r->file, line_of(mark), column_of(mark),
		    "not YAML: %s (%s that begins in line %u)", what, parser->context,
		    line_of(&parser->context_mark));
	} else {
		config_error_in(
		    r->errors, r->file, line_of(mark), column_of(mark), "not YAML: %s", what);
	}
	r->hopeless = true;
}

static void
read_events(struct reader *r, const char *text, size_t len)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool done = false;

	if (!yaml_parser_initialize(&parser)) {
		config_error_in(r->errors, r->file, 0, 0, "out of memory");
		return;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (!done && !r->hopeless) {
		if (!yaml_parser_parse(&parser, &event)) {
			tell_problem(r, &parser, text, len);
			break;
		}
		take_event(r, &event);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

/* Whether all of it is UTF-8; the first byte that is not is told. */
static bool
check_utf8(struct reader *r, const char *text, size_t len)
{
	const char *at = text, *end = text + len, *start;
	unsigned line = 1, column = 1;

	while (at < end) {
		int32_t c;

		start = at;
		if ((c = utf8_next(&at, end)) < 0) {
			config_error_in(r->errors, r->file, line, column,
			    "not UTF-8 (the byte 0x%02x)", (unsigned char)*start);
			return false;
		}
		column = c == '\n' ? 1 : column + 1;
		line += c == '\n';
	}
	return true;
}

struct config_node *
config_read_text(const char *name, const char *text, size_t len, struct annex_pool *pool,
    struct config_errors *errors)
{
	struct reader r = { .file = annex_strdup(pool, name), .pool = pool, .errors = errors };

	if (len > CONFIG_FILE_MAX) {
		config_error_in(errors, name, 0, 0, "larger than %d bytes", CONFIG_FILE_MAX);
		return NULL;
	}
	if (!check_utf8(&r, text, len))
		return NULL;
	read_events(&r, text, len);
	if (r.hopeless)
		return NULL;
	if (r.root == NULL)
		config_error_in(errors, name, 1, 1, "nothing is in this file");
	return r.root;
}

struct config_node *
config_read_file(const char *path, struct annex_pool *pool, struct config_errors *errors)
{
	struct config_node *root = NULL;
	struct buf text = { 0 };
	int status = io_read_file(path, CONFIG_FILE_MAX, &text);

	if (status == ANNEX_ELIMIT)
		config_error_in(errors, path, 0, 0, "larger than %d bytes", CONFIG_FILE_MAX);
	else if (status < 0)
		config_error_in(errors, path, 0, 0, "cannot be read: %s", strerror(errno));
	else
		root = config_read_text(path, buf_text(&text), text.len, pool, errors);
	buf_finish(&text);
	return root;
}

struct config_node *
config_child(struct config_node *map, const char *key)
{
	struct config_node *node;

	if (map == NULL || map->kind != CONFIG_MAP)
		return NULL;
	for (node = map->first; node != NULL; node = node->next)
		if (strcmp(node->key, key) == 0) {
			node->known = true;
			return node;
		}
	return NULL;
}
