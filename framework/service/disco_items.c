/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco_items.c - what an address holds (XEP-0030 §4)
 *
 * Items are paged (XEP-0059 §2); without a <set/> one gets up to a thousand,
 * and a <set/> in the answer only where there were more.
 */
#include <string.h>

#include <annex/caps.h>

#include "disco_inside.h"
#include "instance.h"
#include "service.h"

#define ITEMS_MAX 1000

static const char *
id_of_item(const void *item)
{
	return ((const struct annex_disco_item *)item)->node;
}

static int
items_of_commands(
    struct annex_instance *inst, const struct annex_stanza *in, struct annex_source *source_r)
{
	struct annex_array *array = annex_new(inst->scratch, struct annex_array);
	size_t n = 0;
	void **item;

	if (!(is_for_domain(inst, in) ? commands_are_offered(inst) : disco_has_commands(inst, in)))
		return ANNEX_ENOENT;
	for (const struct annex_command *c = inst->module->commands; c->node != NULL; c++)
		n++;
	item = annex_new_array(inst->scratch, void *, n);
	*array = (struct annex_array) { .item = item, .id_of = id_of_item };
	for (const struct annex_command *c = inst->module->commands; c->node != NULL; c++) {
		struct annex_disco_item *i;

		if (command_judge(inst, c, in->from, in->to) != 0)
			continue;
		i = annex_new(inst->scratch, struct annex_disco_item);
		*i = (struct annex_disco_item) { in->to->full, c->node, c->name };
		item[array->count++] = i;
	}
	*source_r = annex_array_source(array);
	return ANNEX_OK;
}

static int
items_none(struct annex_instance *inst, struct annex_source *source_r)
{
	struct annex_array *array = annex_new(inst->scratch, struct annex_array);

	array->id_of = id_of_item;
	*source_r = annex_array_source(array);
	return ANNEX_OK;
}

/* What exists but was given no items has none. */
static int
items_of_component(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error)
{
	const struct annex_disco *disco = inst->module->disco;
	bool is_domain = node == NULL && is_for_domain(inst, in);
	int r = is_domain ? ANNEX_OK : ANNEX_ENOENT;

	if (disco != NULL && disco->items != NULL) {
		r = disco->items(inst, in, node, source_r, error);
		return r == ANNEX_ENOENT && is_domain ? items_none(inst, source_r) : r;
	}
	if (!is_domain && disco != NULL && disco->info != NULL)
		r = disco->info(inst, in, node, disco_info_create(inst), error);
	return r < 0 ? r : items_none(inst, source_r);
}

static int
items_of(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error)
{
	const struct annex_command *command;

	if (node != NULL && strcmp(node, ANNEX_NS_COMMANDS) == 0 &&
	    (is_for_domain(inst, in) || disco_has_commands(inst, in)))
		return items_of_commands(inst, in, source_r);
	if (node != NULL && (command = command_find(inst, node)) != NULL &&
	    command_is_offered(command) && command_is_of_domain(command) == is_for_domain(inst, in))
		return items_none(inst, source_r);
	return items_of_component(inst, in, node, source_r, error);
}

static size_t
item_bytes(const struct annex_disco_item *item)
{
	return 40 + bytes_on_wire(item->jid) + bytes_on_wire(item->node) +
	    bytes_on_wire(item->name);
}

/* Where not all fits, fewer are a page as well; one asked for backwards keeps its end. */
static void
trim(struct annex_page_result *result, bool backwards, size_t most)
{
	size_t bytes = 0, n, skip;

	for (n = 0; n < result->count; n++) {
		bytes += item_bytes(result->item[backwards ? result->count - 1 - n : n]);
		if (bytes > most)
			break;
	}
	if (n == result->count)
		return;
	skip = backwards ? result->count - n : 0;
	result->item += skip;
	result->id += skip;
	result->index += skip;
	result->count = n;
	result->complete = false;
}

static void
render_items(struct annex_element *query, const struct annex_page *page,
    struct annex_page_result *result, size_t most)
{
	trim(result, page->before != NULL, most);
	for (size_t i = 0; i < result->count; i++) {
		const struct annex_disco_item *item = result->item[i];
		struct annex_element *el = annex_add(query, NULL, "item");

		annex_attr_set(el, "jid", item->jid);
		annex_attr_set(el, "node", item->node);
		annex_attr_set(el, "name", item->name);
	}
	if (page->present || !result->complete)
		annex_page_add(query, result);
}

enum annex_verdict
disco_items_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *node = disco_node(in);
	struct annex_page_result result;
	struct annex_error error = { 0 };
	struct annex_source source;
	struct annex_page page;
	struct annex_stanza *out;
	int r;

	r = annex_page_read(&page, in->payload, ITEMS_MAX, ITEMS_MAX);
	if (r >= 0)
		r = items_of(inst, in, node, &source, &error);
	if (r >= 0)
		r = annex_page_fetch(&source, &page, inst->scratch, &result);
	if (r < 0)
		return disco_refuse(inst, in, r, &error);
	out = annex_reply(inst, in);
	render_items(
	    disco_answer(out, ANNEX_NS_DISCO_ITEMS, node), &page, &result, payload_max(inst));
	annex_send(inst, out);
	return ANNEX_DONE;
}
