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
 *
 * What is said again and again is kept: a body is a stanza serialised once
 * for any number of fan-outs (how an occupant is shown), an audience is a
 * list of recipients that changes less often than something is said to it
 * (who is in a room).  A stanza then costs the copying of its bytes.
 *
 *	annex_fanout_body(fan, shown);                     one to all but themselves
 *	annex_fanout_add_audience(fan, room->audience, (const char *[]) { jid, NULL });
 *
 *	annex_fanout_body(fan, each->shown), ...           all to one who comes in
 *	annex_fanout_add_each(fan, jid);
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
struct annex_body;
struct annex_audience;
struct annex_pool;

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

/* Add a kept body as a variant; NULL: a variant that nobody gets.  Its number, or ANNEX_ELIMIT. */
int annex_fanout_body(struct annex_fanout *fanout, struct annex_body *body) ANNEX_MUST_CHECK;

/* Add a recipient of all variants, in their order; those added later included. */
int annex_fanout_add_each(struct annex_fanout *fanout, const char *to);

/*
 * Add an audience as it is now: who is in group 0 gets the variant that was added first, who is in
 * group 1 the second; who is in a group that has none yet gets nothing.  Left out are those in
 * except: NULL-ended, or NULL.
 */
void annex_fanout_add_audience(
    struct annex_fanout *fanout, struct annex_audience *audience, const char *const *except);

/* Send at the turn's end, as annex_send_on.  flow NULL: flow 0. */
int annex_fanout_send(struct annex_fanout *fanout, struct annex_flow *flow);

/* --- What is kept ------------------------------------------------------- */

/*
 * Serialise a stanza but for its "to", which is ignored; without an id it gets one, the same for
 * all.  ANNEX_OK, or negative with *body NULL where it may not be sent (stanza.h, annex_send).  It
 * lives as long as pool, or until it is dropped; what is in line keeps what it needs.
 */
int annex_body(struct annex_instance *inst, struct annex_pool *pool, struct annex_stanza *stanza,
    struct annex_body **body_r) ANNEX_MUST_CHECK;
void annex_body_drop(struct annex_body **body); /* a NULL *body is fine; it is NULL then */

/* Send a body to one, as annex_send_on.  to: as in annex_fanout_add. */
int annex_send_body(struct annex_instance *inst, struct annex_flow *flow,
    const struct annex_body *body, const char *to);

/*
 * Recipients, serialised once, in ANNEX_GROUPS groups that may be told different things.  It lives
 * as long as pool.  To add one costs some nanoseconds, to remove or move one a look at all of them.
 * A fan-out that was sent goes to those who were there then.
 */
#define ANNEX_GROUPS 8
struct annex_audience *annex_audience(struct annex_pool *pool);
/* to: as in annex_fanout_add.  Not looked for: who is added twice gets all twice. */
int annex_audience_add(struct annex_audience *audience, unsigned group, const char *to);
/* False where they are not there. */
bool annex_audience_remove(struct annex_audience *audience, const char *to);
bool annex_audience_move(struct annex_audience *audience, const char *to, unsigned group);

/*
 * How full the output is: below the high-water mark new work is welcome; above it refuse
 * it with resource-constraint.  A component that sends on its own account asks before.
 */
bool annex_is_congested(struct annex_instance *inst);

#pragma GCC visibility pop

#endif /* ANNEX_FLOW_H */
