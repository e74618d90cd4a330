/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * output.h - what a turn sends, kept until it is durable
 *
 * annex_send and its kin append here; nothing else does.  At the turn's end
 * the worker splices it into the stream's queues, or throws it away.
 *
 * The guard: what a component sends is checked before it is queued (from in
 * its domain, to and id present, XML characters, size), and answers are counted: the IQ
 * in hand gets one, and no IQ that nobody asked is answered.
 */
#ifndef SERVICE_OUTPUT_H
#define SERVICE_OUTPUT_H

#include <annex/iq.h>
#include <annex/stanza.h>

#include "stream/stream.h"

struct annex_instance;
struct body;
struct output;

/* A stanza on its way out; the public struct comes first. */
struct outgoing {
	struct annex_stanza stanza;
	bool durable, fleeting;
	annex_hold_t hold;                     /* it answers this held IQ; 0: none */
	const char *trusted_from, *trusted_to; /* attribute values known to be right */
	const struct annex_stanza *answers;    /* the IQ in hand it answers, or NULL */
};

struct output *output_create(struct annex_instance *inst);
/* The largest stanza that is let out, in bytes; 256 KiB at first. */
void output_set_max(struct output *output, size_t max_stanza);
size_t output_max(const struct output *output);
void output_destroy(struct output **output);

/* The IQ being handled: it gets one answer. */
void output_expect(struct output *output, const struct annex_stanza *iq);
bool output_was_answered(const struct output *output);

/* A new outgoing stanza in scratch, for the builders of service/. */
struct outgoing *outgoing_create(struct annex_instance *inst, enum annex_kind kind,
    const char *name, const char *from, const char *to, const char *type, const char *id);

/* What becomes of it when the link is lost, as annex_send would have it. */
enum stream_class outgoing_class(const struct outgoing *out);

/* Append as annex_send; class is given, since only the framework knows questions from the rest. */
int output_add(
    struct annex_instance *inst, struct flow *flow, enum stream_class class, struct outgoing *out);

/* A fan-out (a reference of the output's own), and one stanza of a body. */
int output_add_fanout(struct annex_instance *inst, struct flow *flow, struct fanout *fanout);
int output_add_body(
    struct annex_instance *inst, struct flow *flow, const struct body *body, const char *to);

/* Parts of the guard: say that el was refused, and why (ANNEX_EINVAL); that it could not be written
 * (status); whether from is in the component's domain. */
int output_refuse(struct annex_instance *inst, const struct annex_element *el, const char *why);
int output_write_failed(struct annex_instance *inst, const struct annex_element *el, int status);
bool output_is_ours(struct annex_instance *inst, const struct outgoing *out, const char *from);

size_t output_bytes(const struct output *output);
void output_splice(struct annex_instance *inst); /* the turn is durable */
void output_drop(struct annex_instance *inst);   /* the turn has failed */

#endif /* SERVICE_OUTPUT_H */
