/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spawn.c - a component's children, the worker's side
 *
 * Nothing outside the worker may happen before a turn is durable, so a child
 * that is spawned, written to or killed gets its program, its bytes and its
 * signal when the turn is done; where it fails, all children of the instance
 * are stopped by the reset, which is what "as if never started" comes to.
 *
 *	annex_spawn ──turn done──▶ running ──ENDED, pipes drained──▶ ended() ──▶ freed
 *
 * A child is never freed inside one of its callbacks, but for after ended.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/io.h"
#include "child.h"

#define INPUT_MAX (1 << 20)

/* --- Spawning ------------------------------------------------------------ */

static bool
has_name(const char *const *env, const char *preset)
{
	size_t n = (size_t)(strchr(preset, '=') - preset) + 1;

	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, preset, n) == 0)
			return true;
	return false;
}

static void
put_string(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text) + 1);
}

static void
put_environment(struct buf *b, const char *const *env, uint32_t *count)
{
	static const char *const clean[] = { "LANG=C.UTF-8", "HOME=/", NULL };
	const char *path = getenv("PATH");
	struct buf preset = { 0 };

	for (const char *const *e = env; e != NULL && *e != NULL; e++, ++*count)
		put_string(b, *e);
	for (size_t i = 0; clean[i] != NULL; i++)
		if (!has_name(env, clean[i])) {
			put_string(b, clean[i]);
			++*count;
		}
	buf_printf(&preset, "PATH=%s", path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	if (!has_name(env, preset.data)) {
		put_string(b, preset.data);
		++*count;
	}
	buf_finish(&preset);
}

static int
put_request(struct annex_child *child, const struct annex_program *program)
{
	struct spawn_message head = {
		.op = SPAWN_START,
		.child = child->number,
		.value = program->timeout_ms,
	};
	struct buf strings = { .max = SPAWN_MESSAGE_MAX };

	put_string(&strings, program->dir != NULL ? program->dir : "/");
	for (; program->argv[head.argc] != NULL; head.argc++)
		put_string(&strings, program->argv[head.argc]);
	put_environment(&strings, program->env, &head.envc);
	if (strings.error < 0) {
		buf_finish(&strings);
		return ANNEX_ELIMIT;
	}
	buf_append(&child->request, &head, sizeof(head));
	buf_append(&child->request, strings.data, strings.len);
	buf_finish(&strings);
	return ANNEX_OK;
}

static void
child_free(struct annex_child *child)
{
	annex_list_remove(&child->link);
	child->spawner->count--;
	timer_stop(child->inst->timers, &child->failed);
	child_close_pipes(child);
	buf_finish(&child->asked);
	buf_finish(&child->queue);
	buf_finish(&child->request);
	buf_finish(&child->line);
	free(child->name);
	free(child);
}

const char *
annex_program_path(struct annex_instance *inst, const char *name)
{
	return annex_sprintf(inst->scratch, "%s/%s", inst->program_dir, name);
}

struct annex_child *
annex_spawn(struct annex_instance *inst, const struct annex_program *program,
    const struct annex_child_events *events, void *cookie)
{
	struct spawner *s = inst->spawner;
	struct annex_child *child;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(program->argv != NULL && program->argv[0] != NULL);
	if (s == NULL || s->fd < 0 || s->count >= SPAWN_CHILDREN_MAX) {
		log_write(inst->log, ANNEX_LOG_WARNING, "%s was not started (%s)", program->argv[0],
		    s == NULL || s->fd < 0 ? "there is no spawner" : "64 programs run already");
		return NULL;
	}
	child = mem_zalloc(sizeof(*child));
	child->spawner = s;
	child->inst = inst;
	child->number = ++s->last;
	child->events = events;
	child->cookie = cookie;
	child->name = mem_strdup(program->argv[0]);
	annex_list_append(&s->children, &child->link);
	s->count++;
	if (child_make_pipes(child) < 0 || put_request(child, program) < 0) {
		log_write(inst->log, ANNEX_LOG_ERROR,
		    "%s was not started (no descriptors left, or its arguments are too long)",
		    child->name);
		child_free(child);
		return NULL;
	}
	return child;
}

/* --- While it runs -------------------------------------------------------- */

int
annex_child_write(struct annex_child *child, const void *bytes, size_t len)
{
	if (child->input < 0 || child->end || child->end_asked)
		return ANNEX_EOFFLINE;
	if (len > INPUT_MAX || child->asked.len + child->queue.len > INPUT_MAX - len)
		return ANNEX_ELIMIT;
	buf_append(&child->asked, bytes, len);
	return ANNEX_OK;
}

size_t
annex_child_unread(const struct annex_child *child)
{
	int in_pipe = 0;

	if (child->input >= 0 && ioctl(child->input, FIONREAD, &in_pipe) < 0)
		in_pipe = 0;
	return child->asked.len + child->queue.len + (size_t)in_pipe;
}

void
annex_child_end(struct annex_child *child)
{
	child->end_asked = true;
}

void
annex_child_kill(struct annex_child *child, int number)
{
	if (child->signal_asked != SIGKILL)
		child->signal_asked = number;
}

/* --- The end of a child -------------------------------------------------- */

/* All it wrote comes before its end. */
void
child_ended(struct annex_child *child, int status)
{
	struct annex_instance *inst = child->inst;

	child_read_rest(child);
	if (child->events->ended != NULL && instance_enter(inst)) {
		child->events->ended(inst, child, status, child->cookie);
		instance_leave(inst);
	}
	child_free(child);
}

static void
child_failed(struct timer *timer)
{
	child_ended(annex_container_of(timer, struct annex_child, failed), SPAWN_NOT_STARTED);
}

/* --- The end of a turn, and of a life ------------------------------------ */

static void
child_start(struct annex_child *child)
{
	struct spawn_message head;
	struct buf strings = child->request;

	memcpy(&head, strings.data, sizeof(head));
	strings.data += sizeof(head);
	strings.len -= sizeof(head);
	child->started = true;
	if (spawner_send(child->spawner, &head, &strings, child->theirs) < 0) {
		log_write(
		    child->inst->log, ANNEX_LOG_ERROR, "%s was not started (%m)", child->name);
		timer_start(child->inst->timers, &child->failed, 0, child_failed);
	}
	buf_finish(&child->request);
	for (int i = 0; i < 3; i++)
		io_close(&child->theirs[i]);
	child_read(child);
}

static void
child_turn_done(struct annex_child *child)
{
	if (!child->started)
		child_start(child);
	if (child->signal_asked != 0)
		child_signal(child, SPAWN_KILL, child->signal_asked);
	child->signal_asked = 0;
	if (child->asked.len == 0 && !child->end_asked)
		return;
	buf_append(&child->queue, child->asked.data, child->asked.len);
	buf_clear(&child->asked);
	child->end |= child->end_asked;
	child->end_asked = false;
	child_write_queue(child);
}

void
children_turn_done(struct annex_instance *inst)
{
	if (inst->spawner == NULL)
		return;
	ANNEX_LIST_EACH (&inst->spawner->children, l)
		child_turn_done(annex_container_of(l, struct annex_child, link));
}

void
children_reset(struct annex_instance *inst)
{
	if (inst->spawner == NULL)
		return;
	ANNEX_LIST_EACH (&inst->spawner->children, l) {
		struct annex_child *child = annex_container_of(l, struct annex_child, link);

		if (child->started)
			child_signal(child, SPAWN_STOP, 0);
		child_free(child);
	}
}
