/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * outbox.c - everything that is to leave, and what is kept of what has left
 */
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/check.h"
#include "outbox.h"
#include "stream.h"

/* Below it the wire is filled by as much as fits into one chunk of it with the marks, for one call. */
#define WIRE_LOW ((size_t)32 * 1024)
#define WIRE_FILL (SPOOL_CHUNK / 16 * 15)

#define BIT(class) (1u << (class))
#define KEPT_CLASSES (BIT(STREAM_ANSWER) | BIT(STREAM_DURABLE))
#define LOST_CLASSES \
	(BIT(STREAM_PRESENCE) | BIT(STREAM_QUESTION) | BIT(CLASS_FENCE) | BIT(CLASS_BARRIER))

void
outbox_init(struct outbox *outbox, size_t kept_max)
{
	memset(outbox, 0, sizeof(*outbox));
	flows_init(&outbox->flows, &outbox->held);
	spool_init(&outbox->wire, &outbox->held, false);
	outbox->wire.watched = KEPT_CLASSES | BIT(CLASS_FENCE);
	spool_init(&outbox->kept, &outbox->held, true);
	spool_init(&outbox->resend, &outbox->held, true);
	outbox->kept_max = kept_max;
	outbox->kept_first = outbox->kept_next = 1;
}

void
outbox_finish(struct outbox *outbox)
{
	flows_finish(&outbox->flows);
	spool_finish(&outbox->wire);
	spool_finish(&outbox->kept);
	spool_finish(&outbox->resend);
}

void
outbox_add(struct outbox *outbox, struct flow *flow, unsigned class, uint32_t when_s,
    const void *bytes, size_t len, bool direct)
{
	if (direct && flows_is_empty(&outbox->flows) && outbox->resend.records == 0 &&
	    !outbox->awaiting && outbox->wire.unwritten + len <= WIRE_FILL)
		spool_append(&outbox->wire, class, when_s, bytes, len);
	else
		flow_append(&outbox->flows, flow, class, when_s, bytes, len);
}

void
outbox_add_fence(struct outbox *outbox, const void *bytes, size_t len)
{
	spool_append(&outbox->wire, CLASS_FENCE, 0, bytes, len);
}

void
outbox_barrier(struct outbox *outbox)
{
	flows_barrier(&outbox->flows);
	if (outbox->resend.records > 0) {
		spool_append(&outbox->resend, CLASS_BARRIER, 0, "", 0);
		outbox->flows.barriers++;
	}
	if (outbox->flows.barriers == 0)
		outbox->flows.passed(&outbox->flows, NULL);
}

void
outbox_mark(struct outbox *outbox, struct flow *flow, void *mark)
{
	if (flow->head != NULL || outbox->resend.records > 0)
		flow_mark(&outbox->flows, flow, mark);
	else
		outbox->flows.passed(&outbox->flows, mark);
}

/* One record of resend to the wire; false where it has to wait for a fence. */
static bool
resend_one(struct outbox *outbox)
{
	struct spool_record record;
	bool suspect = outbox->suspects > 0;

	if (suspect && (outbox->awaiting || outbox->wire.records > 0))
		return false;
	CHECK(spool_first(&outbox->resend, &record));
	if (record.class != CLASS_BARRIER)
		spool_append(&outbox->wire, record.class, record.when_s, record.bytes, record.len);
	spool_drop_first(&outbox->resend);
	if (record.class == CLASS_BARRIER && --outbox->flows.barriers == 0)
		outbox->flows.passed(&outbox->flows, NULL);
	if (suspect) {
		outbox->suspects--;
		outbox->awaiting = true;
		outbox->suspect_sent(outbox);
	}
	return true;
}

static void
outbox_fill(struct outbox *outbox)
{
	bool low = outbox->wire.unwritten < WIRE_LOW;

	while (low && outbox->wire.unwritten < WIRE_FILL && outbox->resend.records > 0)
		if (!resend_one(outbox))
			break;
	while (outbox->wire.unwritten < WIRE_LOW && !outbox->awaiting &&
	    outbox->resend.records == 0 && !flows_is_empty(&outbox->flows))
		flows_fill(&outbox->flows, &outbox->wire, WIRE_FILL);
	outbox->filled(outbox);
}

size_t
outbox_front(struct outbox *outbox, const char **bytes_r)
{
	outbox_fill(outbox);
	return spool_front(&outbox->wire, bytes_r);
}

bool
outbox_has_more(const struct outbox *outbox)
{
	return outbox->wire.unwritten > 0 ||
	    (!outbox->awaiting && (outbox->resend.records > 0 || !flows_is_empty(&outbox->flows)));
}

static void
kept_drop_first(struct outbox *outbox, size_t len)
{
	outbox->kept_bytes -= len;
	outbox->kept_first++;
	spool_drop_first(&outbox->kept);
}

static void
kept_add(struct outbox *outbox, const struct spool_record *record)
{
	struct spool_record first;

	spool_append(&outbox->kept, record->class, record->when_s, record->bytes, record->len);
	outbox->kept_bytes += record->len;
	outbox->kept_next++;
	while (outbox->kept_bytes > outbox->kept_max && spool_first(&outbox->kept, &first)) {
		kept_drop_first(outbox, first.len);
		outbox->forgotten++;
	}
}

void
outbox_written(struct outbox *outbox, size_t n)
{
	struct spool_record record;

	spool_written(&outbox->wire, n);
	outbox->written += spool_pass_chunk(&outbox->wire);
	while (spool_pass(&outbox->wire, &record)) {
		if (record.class == CLASS_FENCE) {
			outbox->fence_written(outbox, outbox->kept_next);
		} else {
			outbox->written++;
			if ((KEPT_CLASSES & BIT(record.class)) != 0)
				kept_add(outbox, &record);
		}
		spool_drop_first(&outbox->wire);
	}
}

bool
outbox_is_empty(const struct outbox *outbox)
{
	return outbox->wire.records == 0 && outbox->resend.records == 0 &&
	    flows_is_empty(&outbox->flows);
}

bool
outbox_is_searching(const struct outbox *outbox)
{
	return outbox->awaiting || outbox->suspects > 0;
}

void
outbox_release(struct outbox *outbox, uint64_t upto)
{
	struct spool_record first;

	while (outbox->kept_first < upto && spool_first(&outbox->kept, &first))
		kept_drop_first(outbox, first.len);
	outbox->awaiting = false;
}

/* What goes before </message> of a message that is sent again, in buf; false: as it was. */
static bool
delay_stamp(struct buf *buf, const struct spool_record *record, const char *domain)
{
	static const char open[] = "<message", close[] = "</message>";
	size_t tail = sizeof(close) - 1;
	time_t when = (time_t)record->when_s;
	char stamp[32];
	struct tm tm;

	if (record->class != STREAM_DURABLE || record->len < sizeof(open) + tail ||
	    memcmp(record->bytes, open, sizeof(open) - 1) != 0 ||
	    memcmp(record->bytes + record->len - tail, close, tail) != 0 ||
	    memmem(record->bytes, record->len, "'urn:xmpp:delay'", 16) != NULL)
		return false;
	gmtime_r(&when, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_clear(buf);
	buf_append(buf, record->bytes, record->len - tail);
	buf_printf(buf, "<delay xmlns='urn:xmpp:delay' from='%s' stamp='%s'/>", domain, stamp);
	buf_append(buf, close, tail);
	return true;
}

static void
resend_kept(struct outbox *outbox, struct spool *resend, const char *domain)
{
	struct spool_record record;
	struct buf buf = { 0 };

	while (spool_first(&outbox->kept, &record)) {
		bool stamped = delay_stamp(&buf, &record, domain);

		spool_append(resend, record.class, record.when_s, stamped ? buf.data : record.bytes,
		    stamped ? buf.len : record.len);
		kept_drop_first(outbox, record.len);
	}
	buf_finish(&buf);
}

/* Of the records in from, those that outlive the link. */
static void
resend_rest(struct outbox *outbox, struct spool *resend, struct spool *from)
{
	struct spool_record record;

	while (spool_first(from, &record)) {
		if (record.class == CLASS_BARRIER)
			outbox->flows.barriers--;
		if ((LOST_CLASSES & BIT(record.class)) == 0)
			spool_append(resend, record.class, record.when_s, record.bytes, record.len);
		else
			outbox->dropped[record.class]++;
		spool_drop_first(from);
	}
}

/* The first record of the wire is on its way out, and worth being sent again. */
static bool
wire_is_midway(const struct outbox *outbox)
{
	struct spool_record record;

	return spool_is_midway(&outbox->wire) && spool_first(&outbox->wire, &record) &&
	    (LOST_CLASSES & BIT(record.class)) == 0;
}

/* A suspect was out alone, and the server closed again. */
static size_t
drop_culprit(struct outbox *outbox)
{
	struct spool_record record;
	size_t n = 0;

	if (outbox->kept.records == 0 && wire_is_midway(outbox)) {
		spool_first(&outbox->wire, &record);
		outbox->dropped[record.class]++;
		spool_drop_first(&outbox->wire);
		return 1;
	}
	for (; spool_first(&outbox->kept, &record); n++) {
		outbox->dropped[record.class]++;
		kept_drop_first(outbox, record.len);
	}
	return n;
}

/* How many of what will be resend's first records are to go one by one. */
static size_t
count_suspects(const struct outbox *outbox, bool blamed, bool culprit_found)
{
	size_t n = outbox->suspects + outbox->kept.records;

	if (!blamed && !outbox->awaiting && outbox->suspects == 0)
		return 0;
	if (blamed && !culprit_found && wire_is_midway(outbox))
		return n + 1;
	if (outbox->awaiting && !culprit_found && outbox->kept.records == 0)
		return n + 1; /* it has not even left */
	return n;
}

size_t
outbox_link_lost(struct outbox *outbox, const char *domain, bool blamed)
{
	size_t dropped[CLASS_COUNT] = { 0 };
	size_t culprits = 0;
	struct spool resend;

	if (blamed && outbox->awaiting)
		culprits = drop_culprit(outbox);
	outbox->suspects = count_suspects(outbox, blamed, culprits > 0);
	outbox->awaiting = false;
	spool_init(&resend, &outbox->held, true);
	resend_kept(outbox, &resend, domain);
	resend_rest(outbox, &resend, &outbox->wire);
	resend_rest(outbox, &resend, &outbox->resend);
	spool_finish(&outbox->resend);
	outbox->resend = resend;
	flows_drop(&outbox->flows, LOST_CLASSES, dropped);
	for (int i = 0; i < CLASS_COUNT; i++)
		outbox->dropped[i] += dropped[i];
	return culprits;
}

size_t
outbox_stanzas(const struct outbox *outbox)
{
	return outbox->flows.stanzas + outbox->wire.records + outbox->resend.records;
}
