/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * iq.h - asking others, and answering later
 */
#ifndef ANNEX_IQ_H
#define ANNEX_IQ_H

#include <stddef.h>
#include <stdint.h>

#include <annex/stanza.h>

#pragma GCC visibility push(default)

/* --- Questions ------------------------------------------------------- */

/*
 * Build a question: an IQ of type "get" or "set".  Append the payload to
 * its element, then annex_ask.  from NULL: the domain itself.
 */
struct annex_stanza *
annex_iq(struct annex_instance *inst, const char *from, const char *to, const char *type);

/*
 * The answer: an IQ result or error by whom we asked, answer->element being the whole stanza, or
 * answer NULL with status ANNEX_AGAIN (no answer in time), ANNEX_EOFFLINE (the link was lost, or
 * there is none).  status is ANNEX_OK for a result, ANNEX_EDENIED for an error (annex_error_read).
 * cookie is a copy of the bytes given: keys, never pointers to what may be gone.  A question is
 * forgotten when the instance is reset: keep in the store what must be asked again.
 */
typedef void annex_answer_fn(struct annex_instance *inst, int status,
    const struct annex_stanza *answer, const void *cookie, size_t cookie_len);

/*
 * Ask.  The id is unique across processes and restarts; the answer counts only when both id and
 * sender match (a bare domain or account may answer for itself, RFC 6120 §8.1.2.1).  timeout_ms 0 =
 * 30 s.  ANNEX_ELIMIT: 10,000 are pending; ANNEX_EINVAL as annex_send; else ANNEX_OK and fn will be
 * called once.
 */
int annex_ask(struct annex_instance *inst, struct annex_stanza *question, int64_t timeout_ms,
    annex_answer_fn *fn, const void *cookie, size_t cookie_len);

/* --- Holds ----------------------------------------------------------- */

/*
 * Take an IQ to answer it later: "return annex_hold(inst, in, &hold)".  The hold is Annex's copy of
 * from, to and id.  It survives the loss of the link.  Unanswered after 60 s it is answered
 * remote-server-timeout; a reset or stop answers it with resource-constraint (wait).  At most
 * 10,000, and 500 of one account: beyond it the IQ is refused and *hold_r is 0.
 */
typedef uint64_t annex_hold_t; /* 0: none */
enum annex_verdict
annex_hold(struct annex_instance *inst, const struct annex_stanza *in, annex_hold_t *hold_r);

/* The result to a held IQ, to be filled and sent with annex_send; NULL where the hold is gone (answered, or
 * out of time).  The hold ends when it is sent. */
struct annex_stanza *annex_release(struct annex_instance *inst, annex_hold_t hold);
void
annex_refuse_held(struct annex_instance *inst, annex_hold_t hold, const struct annex_error *error);

/* --- Fences ---------------------------------------------------------- */

/*
 * Call fn once all that was sent so far (this turn's included) has been
 * routed by the server: ANNEX_OK; or ANNEX_EOFFLINE when the link was lost first.  Routed is not
 * delivered, above all over s2s.  Forgotten at a reset.  cookie is a copy of the bytes given.
 */
typedef void
annex_fence_fn(struct annex_instance *inst, int status, const void *cookie, size_t cookie_len);
void
annex_fence(struct annex_instance *inst, annex_fence_fn *fn, const void *cookie, size_t cookie_len);

/*
 * The same for what was sent on one flow (flow.h; NULL: flow 0), so that it waits for no other.
 * Cheap in numbers: fences that come due together travel as one ping, and few pings are ever out.
 */
void annex_fence_on(struct annex_instance *inst, struct annex_flow *flow, annex_fence_fn *fn,
    const void *cookie, size_t cookie_len);

#pragma GCC visibility pop

#endif /* ANNEX_IQ_H */
