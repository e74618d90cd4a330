/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bad.c - a component that does what no component should
 *
 * The first word of a message's body says what; the payload's name says it of an IQ (in the
 * namespace "bad").  What is not known is answered with its body, so that one can
 * see whether the rest goes on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <annex/component.h>

#define LEAK_BYTES ((size_t)64 << 20)
#define BIG_BYTES ((size_t)10 << 20)

struct bad_settings {
	bool crash_in_create;
};

static const struct annex_option bad_options[] = {
	ANNEX_OPTION(struct bad_settings, crash_in_create, 0, 0, "no", "Crash in create."),
	{ 0 },
};

/* A compiler that sees that it is NULL may leave all of it out. */
static void
dereference_null(void)
{
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
}

static int
bad_create(struct annex_instance *inst)
{
	const struct bad_settings *settings = annex_settings(inst);

	if (settings->crash_in_create)
		dereference_null();
	return ANNEX_OK;
}

static void
say(struct annex_instance *inst, const struct annex_stanza *in, const char *text)
{
	struct annex_stanza *out = annex_reply(inst, in);

	annex_add_text(out->element, NULL, "body", text);
	annex_send(inst, out);
}

/* --- Deadly ------------------------------------------------------------------------ */

static void
bad_null(struct annex_instance *inst, const struct annex_stanza *in)
{
	dereference_null();
}

static void
bad_abort(struct annex_instance *inst, const struct annex_stanza *in)
{
	abort();
}

static void
bad_exit(struct annex_instance *inst, const struct annex_stanza *in)
{
	_exit(0);
}

static void
bad_hang(struct annex_instance *inst, const struct annex_stanza *in)
{
	for (;;)
		pause();
}

/* --- Rude ---------------------------------------------------------------------------- */

static void
bad_leak(struct annex_instance *inst, const struct annex_stanza *in)
{
	/* Not from malloc: a leak checker is not what shall see it. */
	void *bytes =
	    mmap(NULL, LEAK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes != MAP_FAILED)
		memset(bytes, 1, LEAK_BYTES);
	say(inst, in, "leaked");
}

/* "write FILE", "read FILE": what the kernel makes of it. */
static void
bad_open(struct annex_instance *inst, const struct annex_stanza *in, int flags)
{
	const char *path = strchr(annex_child_text(in->element, NULL, "body"), ' ');
	int fd = path == NULL ? -1 : open(path + 1, flags | O_CLOEXEC, 0600);

	say(inst, in, fd < 0 ? "refused" : "opened");
	if (fd >= 0)
		close(fd);
}

static void
bad_write(struct annex_instance *inst, const struct annex_stanza *in)
{
	bad_open(inst, in, O_WRONLY | O_CREAT);
}

static void
bad_read(struct annex_instance *inst, const struct annex_stanza *in)
{
	bad_open(inst, in, O_RDONLY);
}

static void
bad_from(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_stanza *out =
	    annex_message(inst, "somebody@elsewhere.example", in->from->full, "chat");

	annex_add_text(out->element, NULL, "body", "a lie");
	annex_send(inst, out);
}

static void
bad_characters(struct annex_instance *inst, const struct annex_stanza *in)
{
	say(inst, in, "a bell: \a");
	say(inst, in, "half a letter: \xc3");
}

static void
bad_big(struct annex_instance *inst, const struct annex_stanza *in)
{
	char *text = annex_pool_alloc(annex_scratch(inst), BIG_BYTES + 1);

	memset(text, 'x', BIG_BYTES);
	text[BIG_BYTES] = '\0';
	say(inst, in, text);
}

static void
bad_fail(struct annex_instance *inst, const struct annex_stanza *in)
{
	say(inst, in, "must never be heard");
	annex_fail_turn(inst, "it was asked to fail");
}

static const struct deed {
	const char *word;
	void (*act)(struct annex_instance *inst, const struct annex_stanza *in);
} deeds[] = {
	{ "null", bad_null },
	{ "abort", bad_abort },
	{ "exit", bad_exit },
	{ "hang", bad_hang },
	{ "leak", bad_leak },
	{ "write", bad_write },
	{ "read", bad_read },
	{ "from", bad_from },
	{ "characters", bad_characters },
	{ "big", bad_big },
	{ "fail", bad_fail },
};

static enum annex_verdict
bad_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *body = annex_child_text(in->element, NULL, "body");
	size_t word = strcspn(body, " ");

	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
		if (strlen(deeds[i].word) == word && strncmp(body, deeds[i].word, word) == 0) {
			deeds[i].act(inst, in);
			return ANNEX_DONE;
		}
	say(inst, in, body);
	return ANNEX_DONE;
}

static enum annex_verdict
bad_twice(struct annex_instance *inst, const struct annex_stanza *in)
{
	annex_send(inst, annex_reply(inst, in));
	annex_send(inst, annex_reply(inst, in));
	return annex_refuse(inst, in, ANNEX_CONFLICT, NULL);
}

static enum annex_verdict
bad_silent(struct annex_instance *inst, const struct annex_stanza *in)
{
	return ANNEX_DONE;
}

/* Claims to have held it. */
static enum annex_verdict
bad_held(struct annex_instance *inst, const struct annex_stanza *in)
{
	return ANNEX_HELD;
}

static enum annex_verdict
bad_crash(struct annex_instance *inst, const struct annex_stanza *in)
{
	bad_null(inst, in);
	return ANNEX_DONE;
}

static enum annex_verdict
bad_failing(struct annex_instance *inst, const struct annex_stanza *in)
{
	annex_fail_turn(inst, "it was asked to fail");
	return annex_confirm(inst, in);
}

static const struct annex_route bad_routes[] = {
	{ ANNEX_MESSAGE, NULL, "body", bad_message },
	{ ANNEX_IQ_GET, "bad", "twice", bad_twice },
	{ ANNEX_IQ_GET, "bad", "silent", bad_silent },
	{ ANNEX_IQ_GET, "bad", "held", bad_held },
	{ ANNEX_IQ_GET, "bad", "null", bad_crash },
	{ ANNEX_IQ_GET, "bad", "fail", bad_failing },
	{ 0 },
};

ANNEX_MODULE(bad) = {
	ANNEX_MODULE_ABI,
	.name = "bad",
	.summary = "does what no component should",
	.options = bad_options,
	.settings_size = sizeof(struct bad_settings),
	.routes = bad_routes,
	.create = bad_create,
};
