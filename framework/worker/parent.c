/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * parent.c - annexd's end of the socketpair
 *
 * JSON Lines.  annexd says {"section": {...}}, {"stop": true}, {"drain": true}; we say {"ready": true},
 * {"attached": bool}, {"reloaded": true}, {"failed": sentence}, {"drained": true}.  When the other end
 * closes annexd is gone, and so are we, quietly.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/utf8.h"
#include "worker.h"

#define PARENT_LINE_MAX (1u << 20)

static void
say(struct worker *w, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);
	size_t len = strlen(text);

	text[len] = '\n'; /* over the NUL: what follows is counted, not terminated */
	if (send(w->env.parent_fd, text, len + 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EPIPE)
		log_write(w->log, ANNEX_LOG_WARNING, "could not tell annexd: %s", strerror(errno));
	free(text);
	json_decref(line);
}

void
parent_tell(struct worker *w, const char *key, bool value)
{
	if (w->env.parent_fd >= 0)
		say(w, json_pack("{s:b}", key, value));
}

/* A sentence may name a file, whose bytes can be anything: what is no UTF-8 becomes '?'. */
static void
parent_tell_text(struct worker *w, const char *key, const char *text)
{
	char *copy = mem_strdup(text);
	const char *at = copy, *end = copy + strlen(copy);

	while (at < end) {
		size_t offset = (size_t)(at - copy);

		if (utf8_next(&at, end) < 0)
			copy[offset] = '?';
	}
	if (w->env.parent_fd >= 0)
		say(w, json_pack("{s:s}", key, copy));
	free(copy);
}

static void
take_section(struct worker *w, json_t *section)
{
	char *text = json_dumps(section, JSON_COMPACT);
	const char *why;

	if (worker_reload(w, text, strlen(text), &why) < 0) {
		log_write(w->log, ANNEX_LOG_ERROR, "kept the old configuration (%s)", why);
		parent_tell_text(w, "failed", why);
	} else {
		parent_tell(w, "reloaded", true);
	}
	free(text);
}

static void
take_line(struct worker *w, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, 0, NULL), *section;

	if ((section = json_object_get(line, "section")) != NULL)
		take_section(w, section);
	else if (json_is_true(json_object_get(line, "drain")))
		annexp_worker_drain(w);
	else if (json_is_true(json_object_get(line, "stop")))
		annexp_worker_stop(w);
	json_decref(line);
}

static void
parent_ready(struct watch *watch, int events)
{
	struct worker *w = annex_container_of(watch, struct worker, parent_watch);
	char bytes[16384];
	const char *end;
	ssize_t n = recv(watch->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		watch_stop(w->env.reactor, watch);
		annexp_worker_stop(w);
		return;
	}
	w->parent_in.max = PARENT_LINE_MAX;
	buf_append(&w->parent_in, bytes, (size_t)n);
	if (w->parent_in.error < 0) {
		log_write(w->log, ANNEX_LOG_BUG, "annexd sent a line above %u bytes: it is ignored",
		    PARENT_LINE_MAX);
		buf_clear(&w->parent_in);
	}
	while (w->parent_in.len > 0 &&
	    (end = memchr(w->parent_in.data, '\n', w->parent_in.len)) != NULL) {
		take_line(w, w->parent_in.data, (size_t)(end - w->parent_in.data));
		buf_consume(&w->parent_in, (size_t)(end - w->parent_in.data) + 1);
	}
}

void
parent_listen(struct worker *w)
{
	parent_tell(w, "ready", true);
	watch_start(w->env.reactor, &w->parent_watch, w->env.parent_fd, REACTOR_READ, parent_ready);
}

void
parent_close(struct worker *w)
{
	if (w->env.reactor != NULL)
		watch_stop(w->env.reactor, &w->parent_watch);
	buf_finish(&w->parent_in);
}
