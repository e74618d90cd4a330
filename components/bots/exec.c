/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * exec.c - a program for each event
 *
 * It reads the text on its standard input and writes the answer to its
 * standard output.  Its exit status acknowledges: 0 done, 100 for
 * good (as a mailer has it), anything else will be tried again.  What it wrote
 * counts only if it exits with 0; so an answer and its acknowledgement are one.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <annex/spawn.h>

#include "carrier.h"

#define EXIT_FOR_GOOD 100
#define OUTPUT_MOST (1 << 20)
#define EVENT_IN_ENVIRONMENT 30000 /* longer ones would not fit */

/* One run of the program. */
struct run {
	struct consumer *consumer;
	struct event *event;
	struct annex_child *child;
	struct text output;
	bool too_much;
};

static void
run_output(struct annex_instance *inst, struct annex_child *child, const char *bytes, size_t len,
    void *cookie)
{
	struct run *run = cookie;

	(void)inst;
	if (run->output.len + len > OUTPUT_MOST) {
		if (!run->too_much)
			annex_child_kill(child, 9);
		run->too_much = true;
		return;
	}
	text_add(&run->output, bytes, len);
}

static const char *
output_text(const struct run *run, struct annex_pool *pool)
{
	size_t len = run->output.len;

	while (
	    len > 0 && (run->output.bytes[len - 1] == '\n' || run->output.bytes[len - 1] == '\r'))
		len--;
	return len == 0 ? NULL : clean_utf8(pool, run->output.bytes, len);
}

static void
run_succeeded(struct run *run)
{
	struct event *ev = run->event;
	const char *text = output_text(run, annex_scratch(ev->bot->bots->inst));

	if (text != NULL && reply_text(ev, text) < 0)
		return;
	ev->ordinal = 1; /* nobody will answer later */
	event_done(ev);
}

static void
run_ended(struct annex_instance *inst, struct annex_child *child, int status, void *cookie)
{
	struct run *run = cookie;
	struct bot *bot = run->consumer->bot;
	const char *why = annex_sprintf(annex_scratch(inst), "exit status %d", status);

	(void)child;
	if (run->too_much)
		event_failed(run->event, true, "it wrote too much");
	else if (status == 0)
		run_succeeded(run);
	else
		event_failed(run->event, status == EXIT_FOR_GOOD, why);
	dispatch(bot);
}

static const struct annex_child_events run_events = { run_output, run_ended };

/* --- Starting one ----------------------------------------------------------- */

static const char **
environment(const struct event *ev, struct annex_pool *pool)
{
	const char **env = annex_new_array(pool, const char *, 8);
	size_t len, n = 0;
	const char *line = event_line(ev, pool, &len);

	env[n++] = annex_sprintf(pool, "BOT=%s", ev->bot->jid);
	env[n++] = annex_sprintf(pool, "BOT_FROM=%s", ev->from);
	env[n++] = annex_sprintf(pool, "BOT_SEQ=%" PRIu64, ev->seq);
	env[n++] = annex_sprintf(pool, "BOT_KIND=%s", ev->kind);
	env[n++] = annex_sprintf(pool, "BOT_TRY=%" PRIu32, ev->tries + 1);
	if (len <= EVENT_IN_ENVIRONMENT)
		env[n++] = annex_sprintf(pool, "BOT_EVENT=%s", line);
	return env;
}

static int
exec_deliver(struct consumer *c, struct event *ev)
{
	struct annex_instance *inst = c->bot->bots->inst;
	struct annex_pool *pool = annex_scratch(inst);
	const char **argv = annex_new_array(pool, const char *, c->bot->set->exec.count + 1);
	struct run *run = annex_new(ev->pool, struct run);
	struct annex_program program = {
		.argv = argv,
		.env = environment(ev, pool),
		.timeout_ms = (int)c->bot->set->timeout_ms,
	};

	memcpy(argv, c->bot->set->exec.value, c->bot->set->exec.count * sizeof(*argv));
	run->consumer = c;
	run->event = ev;
	run->output.pool = ev->pool;
	run->child = annex_spawn(inst, &program, &run_events, run);
	if (run->child == NULL)
		return ANNEX_ELIMIT;
	if (ev->body != NULL)
		annex_child_write(run->child, ev->body, strlen(ev->body));
	annex_child_end(run->child);
	return ANNEX_OK;
}

/* Nobody listens: what would be said is for the log. */
static void
exec_tell(struct consumer *c, const char *line, size_t len)
{
	annex_log(c->bot->bots->inst, ANNEX_LOG_REMOTE, "%s: %.*s", c->bot->name, (int)len, line);
}

static void
exec_close(struct consumer *c)
{
	(void)c;
}

static void
exec_start(struct bot *bot)
{
	struct consumer *c;

	if (bot->set->exec.count == 0)
		return;
	c = consumer_create(bot, &exec_carrier, NULL);
	c->window = (size_t)bot->set->parallel;
	c->one_by_one = true;
	c->ack = ACK_EXPLICIT;
	consumer_attach(c);
}

const struct carrier exec_carrier = {
	.name = "exec",
	.start = exec_start,
	.deliver = exec_deliver,
	.tell = exec_tell,
	.close = exec_close,
};
