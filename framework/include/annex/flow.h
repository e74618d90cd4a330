/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * flow.h - output that keeps its own order, and one body for many
 *
 * A flow is a queue of output in strict order: a room, a node.  Flows are
 * served in turn by bytes (deficit round robin), so a busy one never holds
 * up another, nor the answers to IQs, which are flow 0.
 *
 * A fan-out is one stanza for many recipients: a body for each variant,
 * serialised once, and a list of recipients with what little differs.  It
 * is expanded as the socket drains, without calling the component again.
 */
#ifndef ANNEX_FLOW_H
#define ANNEX_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/stanza.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_flow;
struct annex_fanout;

/*
 * The flow of that name: made where there is none, forgotten by the
 * framework when it has drained.  The pointer is good until the callback returns.
 */
struct annex_flow *annex_flow(struct annex_instance *inst, const char *name);

/*
 * Until the callback returns, annex_send, annex_confirm and annex_refuse use this flow instead of
 * flow 0: so the answers to IQs keep their place among the other stanzas of a room.  NULL: flow 0.
 */
void annex_use_flow(struct annex_instance *inst, struct annex_flow *flow);

/* Begin a fan-out; it lives until sent or the callback returns. */
struct annex_fanout *annex_fanout(struct annex_instance *inst);

/*
 * Add a variant: serialised now; its "to" is ignored.  Returns the number to
 * name it by, or negative where it may not be sent (stanza.h, annex_send).
 * A stanza without an id gets one.  All variants of a fan-out are of one
 * kind.
 */
int annex_fanout_variant(struct annex_fanout *fanout, struct annex_stanza *stanza) ANNEX_MUST_CHECK;

/* Add a recipient.  to is escaped but not judged, for speed: take it from a JID, never from a
 * stranger's text.  tail, if not NULL, is an element appended for this one alone.  ANNEX_ELIMIT
 * where both are above 64 KiB; ANNEX_EINVAL where they have characters that XML does not allow. */
int annex_fanout_add(
    struct annex_fanout *fanout, int variant, const char *to, const struct annex_element *tail);

/* Send at the turn's end, as annex_send_on.  flow NULL: flow 0. */
int annex_fanout_send(struct annex_fanout *fanout, struct annex_flow *flow);

/*
 * How full the output is: below the high-water mark new work is welcome; above it refuse
 * it with resource-constraint.  A component that sends on its own account asks before.
 */
bool annex_is_congested(struct annex_instance *inst);

#pragma GCC visibility pop

#endif /* ANNEX_FLOW_H */
