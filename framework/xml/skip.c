/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * skip.c - what is left of a stanza that was given up
 *
 * What was built of it goes back, its start tag alone is kept for an answer,
 * and until its end only the names of open tags are followed: expat.c needs
 * them where it replaces expat in the middle of such a stanza.
 */
#include <config.h>

#include <string.h>

#include "base/utf8.h"
#include "inside.h"

#define KEPT_VALUE_MAX 3071 /* a JID: 3 parts of 1023 and the separators */
#define KEPT_NAME_MAX 255

/* What an answer needs of the start tag, where it can be that. */
static void
keep(struct annex_element *el, const char *name, const char *value)
{
	static const char *const kept[] = { "from", "to", "id", "type" };

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(name, kept[i]) == 0 && strlen(value) <= KEPT_VALUE_MAX)
			annex_attr_set(el, kept[i], value);
}

static const char *
kept_name(struct annex_pool *pool, const char *name)
{
	return annex_strndup(pool, name, utf8_cut(name, strlen(name), KEPT_NAME_MAX));
}

/* From the tree, where the start tag was good. */
static struct annex_element *
keep_element(struct annex_pool *pool, const struct annex_element *from)
{
	struct annex_element *el =
	    annex_element(pool, kept_name(pool, from->ns), kept_name(pool, from->name));

	for (const struct annex_attr *a = from->attrs; a != NULL; a = a->next)
		if (a->ns == NULL)
			keep(el, a->name, a->value);
	return el;
}

/* From what expat says, where it was not. */
static struct annex_element *
keep_tag(struct xml_parser *p, struct annex_pool *pool, const char *name, const char **atts)
{
	const char *ns = p->tree.frames[p->outside].default_ns;
	struct annex_element *el;

	for (size_t i = 0; atts[i] != NULL; i += 2)
		if (strcmp(atts[i], "xmlns") == 0)
			ns = atts[i + 1];
	if (strchr(name, ':') != NULL)
		ns = "";
	el = annex_element(pool, kept_name(pool, ns), kept_name(pool, name));
	for (size_t i = 0; atts[i] != NULL; i += 2)
		keep(el, atts[i], atts[i + 1]);
	return el;
}

void
skip_begin(struct xml_parser *p, enum xml_skip reason, const char *name, const char **atts)
{
	struct xml_event *old = p->event;
	struct annex_element *root = p->tree.root;

	p->event = NULL;
	event_begin(p);
	p->event->kind = XML_SKIPPED;
	p->event->skip = reason;
	p->event->element = root != NULL ? keep_element(p->event->pool, root)
					 : keep_tag(p, p->event->pool, name, atts);
	p->skipping = true;
	buf_clear(&p->open);
	for (unsigned i = 1; i <= p->depth; i++) {
		buf_append(&p->open, "", 1);
		buf_puts(&p->open, p->tree.frames[i].raw_name);
	}
	tree_begin(&p->tree, p->event->pool);
	xml_event_free(p, old);
}

void
skip_start(struct xml_parser *p, const char *name, const char **atts)
{
	size_t len = strlen(name);

	buf_append(&p->open, "", 1);
	buf_append(&p->open, name, len);
	p->tree.names++;
	while (*atts != NULL) {
		p->tree.names++;
		atts += 2;
	}
}

void
skip_end(struct xml_parser *p)
{
	const char *nul = memrchr(p->open.data, '\0', p->open.len);

	p->open.len = (size_t)(nul - p->open.data);
}

const char *
xml_skip_text(enum xml_skip skip)
{
	static const char *const texts[] = {
		[XML_SKIP_NONE] = "not skipped",
		[XML_SKIP_SIZE] = "too large",
		[XML_SKIP_DEPTH] = "nested too deeply",
		[XML_SKIP_ATTRIBUTES] = "too many attributes or namespaces",
		[XML_SKIP_NAMESPACE] = "namespaces not well-formed",
		[XML_SKIP_MARKUP] = "a comment or processing instruction inside",
	};

	return texts[skip];
}
