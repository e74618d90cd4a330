/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * refuse.c - what is said to a stanza that is not let in
 *
 * No error is ever answered with an error, refusals are no reflector, and an
 * IQ always gets its answer.
 */
#include "service/output.h"
#include "route.h"

/* What is wrong with a stanza that is skipped or malformed, and what is said to it. */
static const struct skip_rule {
	enum xml_skip skip;
	enum annex_condition condition;
	const char *text;
} skip_rules[] = {
	{ XML_SKIP_SIZE, ANNEX_POLICY_VIOLATION, "The stanza is too large." },
	{ XML_SKIP_DEPTH, ANNEX_POLICY_VIOLATION, "The stanza is nested too deeply." },
	{ XML_SKIP_ATTRIBUTES, ANNEX_POLICY_VIOLATION, "An element has too many attributes." },
	{ XML_SKIP_NAMESPACE, ANNEX_BAD_REQUEST, "A namespace prefix is wrong." },
	{ XML_SKIP_MARKUP, ANNEX_BAD_REQUEST,
	    "Comments and processing instructions are not allowed." },
};

void
route_drop(struct worker *w, const struct annex_element *el, const char *why)
{
	const char *from = annex_attr(el, "from");

	w->counts.dropped->value++;
	log_write(w->log, ANNEX_LOG_REMOTE, "dropped a %s (%s): from=%s", el->name, why,
	    from == NULL ? "" : from);
}

/* What an error to it would do only the component knows. */
static bool
leave_to_component(
    struct worker *w, const struct annex_stanza *s, const struct annex_error *error, uint64_t hash)
{
	if (w->module.descriptor.presence_refused == NULL || !is_available(s))
		return false;
	route_phase(w, PAGE_HANDLER, hash);
	w->module.descriptor.presence_refused(&w->inst, s, error);
	route_phase(w, PAGE_IDLE, 0);
	return true;
}

/* Refusals must not become a reflector; an IQ always gets its answer. */
static bool
may_refuse_one_more(struct worker *w, enum shape shape)
{
	return is_iq(shape) ||
	    annex_bucket_take(&w->refusal_rate, 200, 400, 1, clock_ms(w->inst.clock));
}

void
route_refuse_with(struct worker *w, const struct annex_stanza *s, enum shape shape,
    const struct annex_error *error, uint64_t hash)
{
	bool may = may_be_refused(s, shape) || (hash != 0 && is_available(s));

	if (!may || !may_refuse_one_more(w, shape)) {
		route_drop(w, s->element, may ? "too many refusals" : error->text);
		return;
	}
	w->counts.refused->value++;
	if (may_be_refused(s, shape))
		annex_refuse_with(&w->inst, s, error);
	else if (!leave_to_component(w, s, error, hash))
		route_drop(w, s->element, error->text);
}

void
route_refuse(struct worker *w, const struct annex_stanza *s, enum shape shape,
    enum annex_condition condition, const char *text)
{
	const struct annex_error error = { .condition = condition, .text = text };

	route_refuse_with(w, s, shape, &error, 0);
}

void
route_skipped(
    struct worker *w, struct annex_stanza *s, enum shape shape, enum xml_skip skip, uint64_t hash)
{
	w->counts.skipped->value++;
	for (size_t i = 0; i < sizeof(skip_rules) / sizeof(*skip_rules); i++) {
		const struct annex_error error = { .condition = skip_rules[i].condition,
			.text = skip_rules[i].text };

		if (skip_rules[i].skip == skip)
			route_refuse_with(w, s, shape, &error, hash);
	}
}
