/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * route.c - the way of one stanza, from the parser to its handler
 *
 * Guard in: what is not addressed to us, not a stanza, or not what RFC 6120
 * demands is refused here, so that a component sees only sound stanzas.
 * Every IQ get or set leaves with exactly one answer, whatever the component
 * does, and no error is ever answered with an error.
 *
 *	check (from, to, id, type, payload) ─▶ quarantine ─▶ rates ─▶ pressure
 *	    ─▶ what servers say ─▶ the component's routes ─▶ the framework's ─▶ service-unavailable
 */
#include <string.h>

#include "base/check.h"
#include "service/output.h"
#include "route.h"

/* The answer repeats the id, holds keep it: ten thousand of them must not fill the memory. */
#define ID_MAX 1023

/* An IQ is a question (get or set), an answer (result or error), or neither. */
static enum shape
shape_of_iq(const char *type)
{
	if (is_equal(type, "get") || is_equal(type, "set"))
		return SHAPE_QUESTION;
	return is_equal(type, "result") || is_equal(type, "error") ? SHAPE_ANSWER : SHAPE_IQ;
}

static enum shape
shape_of(const struct annex_element *el)
{
	if (!is_equal(el->ns, ANNEX_NS_STANZA))
		return SHAPE_UNKNOWN;
	if (is_equal(el->name, "message"))
		return SHAPE_MESSAGE;
	if (is_equal(el->name, "presence"))
		return SHAPE_PRESENCE;
	return is_equal(el->name, "iq") ? shape_of_iq(annex_attr(el, "type")) : SHAPE_UNKNOWN;
}

static bool
type_is(const struct annex_stanza *s, const char *type)
{
	return is_equal(s->type, type);
}

bool
route_is_unavailable(const struct xml_event *event)
{
	const char *type = annex_attr(event->element, "type");

	return is_equal(type, "unavailable") && shape_of(event->element) == SHAPE_PRESENCE;
}

bool
route_is_available(const struct xml_event *event)
{
	return annex_attr(event->element, "type") == NULL &&
	    shape_of(event->element) == SHAPE_PRESENCE;
}

/*
 * Take the stanza apart.  Returns 0 with what is known in *s, the condition to refuse
 * with in *refuse (0: it is sound) and a text; or negative: nobody can be answered.
 */
static int
dissect(struct worker *w, struct xml_event *event, enum shape shape, struct annex_stanza *s,
    enum annex_condition *refuse, const char **text)
{
	struct annex_element *el = event->element;
	const char *from = annex_attr(el, "from"), *to = annex_attr(el, "to");

	*s = (struct annex_stanza) { .element = el, .pool = event->pool };
	s->id = annex_attr(el, "id");
	s->type = annex_attr(el, "type");
	s->from = from == NULL ? NULL : annex_jid(event->pool, from);
	s->to = to == NULL                    ? NULL
	    : is_equal(to, w->inst.jid->full) ? w->inst.jid
					      : annex_jid(event->pool, to);
	if (s->from == NULL) {
		route_drop(w, el, "its from is not a JID");
		return ANNEX_EINVAL;
	}
	if (s->to == NULL || !is_equal(s->to->domain, w->inst.jid->domain)) {
		*refuse = s->to == NULL ? ANNEX_JID_MALFORMED : ANNEX_ITEM_NOT_FOUND;
		*text = s->to == NULL ? "The address is not a JID."
				      : "That address is not served here.";
		s->to = w->inst.jid;
	}
	switch (shape) {
	case SHAPE_MESSAGE:
		s->kind = type_is(s, "error") ? ANNEX_MESSAGE_ERROR : ANNEX_MESSAGE;
		break;
	case SHAPE_PRESENCE:
		s->kind = type_is(s, "error") ? ANNEX_PRESENCE_ERROR : ANNEX_PRESENCE;
		break;
	default:
		s->kind = type_is(s, "set") ? ANNEX_IQ_SET : ANNEX_IQ_GET;
		if (s->id == NULL) {
			s->id = "";
			*refuse = ANNEX_BAD_REQUEST;
			*text = "An IQ needs an id.";
		} else if (strlen(s->id) > ID_MAX) {
			*refuse = ANNEX_POLICY_VIOLATION;
			*text = "The id is too long.";
		}
		break;
	}
	return ANNEX_OK;
}

/* The one child of an IQ get or set, RFC 6120 §8.2.3. */
static bool
take_payload(struct annex_stanza *s)
{
	s->payload = annex_child(s->element, NULL, NULL);
	return s->payload != NULL && annex_child_after(s->payload, NULL, NULL) == NULL;
}

/* --- Rates and pressure --------------------------------------------------- */

static bool
is_never_limited(const struct annex_stanza *s)
{
	static const char *const types[] = { "unavailable", "unsubscribe", "unsubscribed" };

	if (s->kind == ANNEX_MESSAGE_ERROR || s->kind == ANNEX_PRESENCE_ERROR)
		return true;
	for (size_t i = 0; s->kind == ANNEX_PRESENCE && i < sizeof(types) / sizeof(*types); i++)
		if (type_is(s, types[i]))
			return true;
	return false;
}

static bool
is_within_rates(struct worker *w, const struct annex_stanza *s)
{
	int64_t now = clock_ms(w->inst.clock);

	if (is_never_limited(s))
		return true;
	if (!annex_buckets_take(w->jid_rate, s->from->bare, 1, now))
		return false;
	for (size_t i = 0; w->section.local_domains[i] != NULL; i++)
		if (strcmp(w->section.local_domains[i], s->from->domain) == 0)
			return true;
	return annex_buckets_take(w->domain_rate, s->from->domain, 1, now);
}

static bool
is_quarantined(const struct worker *w, uint64_t hash)
{
	for (uint32_t i = 0; i < w->page->quarantine_count && i < PAGE_QUARANTINE_MAX; i++)
		if (w->page->quarantine[i] == hash)
			return true;
	return false;
}

/* False where the stanza was refused: also when its turn is replayed. */
static bool
is_harmless(struct worker *w, const struct annex_stanza *s, enum shape shape, uint64_t hash)
{
	if (w->page->quarantine_count == 0 || !is_quarantined(w, hash))
		return true;
	w->counts.quarantined->value++;
	log_write(w->log, ANNEX_LOG_ERROR,
	    "refused a quarantined stanza, it crashed this component twice: from=%s to=%s hash=%016llx",
	    s->from->full, s->to->full, (unsigned long long)hash);
	route_refuse(w, s, shape, ANNEX_INTERNAL_SERVER_ERROR, "This stanza is quarantined.");
	return false;
}

/* True where the stanza may go on; otherwise it was refused. */
static bool
admit(struct worker *w, const struct annex_stanza *s, enum shape shape, uint64_t hash)
{
	if (!is_within_rates(w, s)) {
		const struct annex_error slow = { .condition = ANNEX_POLICY_VIOLATION,
			.type = ANNEX_ERROR_WAIT,
			.text = "Too much at once; try again later." };

		w->counts.limited->value++;
		route_refuse_with(w, s, shape, &slow, hash);
		return false;
	}
	if (may_be_refused(s, shape) && stream_pressure(w->inst.stream) != STREAM_EASY) {
		route_refuse(w, s, shape, ANNEX_RESOURCE_CONSTRAINT,
		    "The service is busy; try again later.");
		return false;
	}
	return true;
}

/* --- Dispatch ------------------------------------------------------------- */

static struct annex_element *
route_match(const struct annex_route *r, const struct annex_stanza *s)
{
	const char *ns = r->ns != NULL ? r->ns : ANNEX_NS_STANZA;

	if (r->name == NULL && r->ns == NULL)
		return s->element;
	if (s->kind == ANNEX_IQ_GET || s->kind == ANNEX_IQ_SET)
		return strcmp(s->payload->ns, ns) == 0 &&
			(r->name == NULL || strcmp(s->payload->name, r->name) == 0)
		    ? s->payload
		    : NULL;
	return annex_child(s->element, ns, r->name);
}

/* The first verdict that is not ANNEX_PASS. */
static enum annex_verdict
try_routes(struct worker *w, const struct annex_route *routes, struct annex_stanza *s)
{
	struct annex_element *payload = s->payload, *match;
	enum annex_verdict verdict;

	for (const struct annex_route *r = routes; r->kind != 0; r++) {
		if (r->kind != s->kind || (match = route_match(r, s)) == NULL)
			continue;
		s->payload = match == s->element ? payload : match;
		verdict = r->handle(&w->inst, s);
		s->payload = payload;
		if (verdict != ANNEX_PASS || w->inst.failed)
			return verdict;
	}
	return ANNEX_PASS;
}

static void
settle_iq(struct worker *w, const struct annex_stanza *s, enum annex_verdict verdict)
{
	if (w->inst.failed || output_was_answered(w->inst.output))
		return;
	if (verdict == ANNEX_HELD && holds_took(&w->inst, s))
		return;
	if (verdict == ANNEX_PASS) {
		annex_refuse(&w->inst, s, ANNEX_SERVICE_UNAVAILABLE, NULL);
		return;
	}
	log_write(w->log, ANNEX_LOG_BUG, "%s left an IQ unanswered: payload=%s ns=%s",
	    w->module.descriptor.name, s->payload->name, s->payload->ns);
	annex_refuse(&w->inst, s, ANNEX_INTERNAL_SERVER_ERROR, NULL);
}

static void
dispatch(struct worker *w, struct annex_stanza *s, uint64_t hash)
{
	bool is_iq = s->kind == ANNEX_IQ_GET || s->kind == ANNEX_IQ_SET;
	enum annex_verdict verdict;

	route_phase(w, PAGE_HANDLER, hash);
	verdict = try_routes(w, service_first_routes, s);
	if (verdict == ANNEX_PASS && !w->inst.failed)
		verdict = try_routes(w, w->module.descriptor.routes, s);
	if (verdict == ANNEX_PASS && !w->inst.failed)
		verdict = try_routes(w, service_routes, s);
	route_phase(w, PAGE_IDLE, 0);
	if (is_iq)
		settle_iq(w, s, verdict);
	else if (verdict == ANNEX_PASS)
		w->counts.dropped->value++;
}

static void
route_answer(struct worker *w, struct annex_stanza *s)
{
	s->payload = annex_child(s->element, NULL, NULL);
	if (questions_answer(&w->inst, s))
		return;
	w->counts.unasked->value++;
}

/* Stanzas to one's own domain come back: messages and presence would go round for ever. */
static bool
is_own_echo(struct worker *w, const struct annex_stanza *s, enum shape shape)
{
	return !is_iq(shape) && is_equal(s->from->domain, w->inst.jid->domain);
}

static void
route_stanza(struct worker *w, struct xml_event *event, enum shape shape, bool again)
{
	enum annex_condition wrong = 0;
	const char *text = NULL;
	struct annex_stanza s;
	uint64_t hash;

	if (shape == SHAPE_UNKNOWN) {
		route_drop(w, event->element, "not a stanza");
		return;
	}
	if (dissect(w, event, shape, &s, &wrong, &text) < 0)
		return;
	if (is_iq(shape))
		output_expect(w->inst.output, &s);
	if (shape == SHAPE_IQ) {
		wrong = ANNEX_BAD_REQUEST;
		text = "The type of an IQ is get, set, result or error.";
	} else if (shape == SHAPE_QUESTION && wrong == 0 && event->skip == XML_SKIP_NONE &&
	    !take_payload(&s)) {
		wrong = ANNEX_BAD_REQUEST;
		text = "An IQ has exactly one child.";
	}
	if (is_own_echo(w, &s, shape)) {
		route_drop(w, s.element, "it comes from the component itself");
		return;
	}
	if (wrong != 0) {
		route_refuse(w, &s, shape, wrong, text);
		return;
	}
	hash = stanza_hash(&s);
	if (!is_harmless(w, &s, shape, hash))
		return;
	if (event->skip != XML_SKIP_NONE && !route_is_unavailable(event))
		route_skipped(w, &s, shape, event->skip, hash);
	else if (again || admit(w, &s, shape, hash))
		dispatch(w, &s, hash);
}

static void
trace_event(struct worker *w, struct xml_event *event)
{
	size_t len;
	const char *text = annex_element_write(event->element, event->pool, &len);

	if (text != NULL)
		w->inst.trace->stanza(w->inst.trace, TRACE_IN, text, len, 1);
}

void
route_event(struct worker *w, struct xml_event *event, bool again)
{
	enum shape shape = shape_of(event->element);
	enum annex_condition wrong = 0;
	const char *text = NULL;
	struct annex_stanza s;

	if (!again) {
		w->counts.in->value++;
		if (w->inst.trace != NULL)
			trace_event(w, event);
	}
	if (shape == SHAPE_ANSWER) { /* calls the component itself, outside enter and leave */
		if (!again && event->skip == XML_SKIP_NONE &&
		    dissect(w, event, shape, &s, &wrong, &text) == ANNEX_OK && wrong == 0)
			route_answer(w, &s);
		return;
	}
	if (!instance_enter(&w->inst))
		return;
	route_stanza(w, event, shape, again);
	output_expect(w->inst.output, NULL);
	instance_leave(&w->inst);
}

/* It failed alone, too.  Where the worker ends, the component is left alone. */
void
route_refuse_event(struct worker *w, struct xml_event *event, enum annex_condition condition)
{
	bool ends = w->state == WORKER_ENDED;
	enum shape shape = shape_of(event->element);
	enum annex_condition wrong = 0;
	const char *text = NULL;
	const struct annex_error error = { .condition = condition,
		.text = "This could not be done now." };
	struct annex_stanza s;

	if (shape == SHAPE_UNKNOWN || shape == SHAPE_ANSWER ||
	    dissect(w, event, shape, &s, &wrong, &text) < 0 || !instance_enter(&w->inst))
		return;
	if (is_iq(shape))
		output_expect(w->inst.output, &s);
	route_refuse_with(w, &s, shape, &error, ends ? 0 : stanza_hash(&s));
	output_expect(w->inst.output, NULL);
	instance_leave(&w->inst);
}
