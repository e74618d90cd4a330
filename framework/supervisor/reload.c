/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * reload.c - a new configuration takes the place of the old one
 *
 * The check validates the whole before anything is touched; where it fails,
 * all stays as it is and whoever asked is told why.  Then each component is
 * compared by its hashes, and only those that differ notice.  The reload is
 * over when every worker that was sent a section has answered, or after ten
 * seconds; then annexctl gets its answer and systemd its READY=1.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

#include "supervisor.h"

#define ANSWERS_WITHIN_MS 10000

/* A request of annexctl that waits for the end of a reload. */
struct reload_request {
	struct annex_link link;
	struct control_request *request;
};

/* The client has left, or the socket it asked through was closed; the reload goes on. */
static void
request_gone(void *cookie)
{
	struct reload_request *waiting = cookie;

	annex_list_remove(&waiting->link);
	free(waiting);
}

static void
check_done(void *cookie, struct configuration *configuration, const struct buf *sentences)
{
	struct supervisor *s = cookie;

	s->check = NULL;
	reload_take(s, configuration, sentences);
}

static void
reload_begin(struct supervisor *s)
{
	struct reload *reload = mem_zalloc(sizeof(*reload));

	reload->supervisor = s;
	annex_list_init(&reload->requests);
	annex_list_splice(&reload->requests, &s->next_requests);
	reload->result = json_object();
	s->reload = reload;
	s->reload_again = false;
	log_write(s->setup.log, ANNEX_LOG_NOTICE, "reloading %s", s->setup.file);
	tell_reloading(s);
	s->check = check_start(
	    s->setup.reactor, s->setup.timers, s->setup.program, s->setup.file, check_done, s);
}

void
supervisor_reload(struct supervisor *s, struct control_request *request)
{
	struct reload_request *waiting;

	CHECK_OBJECT(s, SUPERVISOR_MAGIC);
	if (s->stopping) {
		if (request != NULL)
			control_fail(request, "annexd is stopping");
		return;
	}
	if (request != NULL) {
		waiting = mem_zalloc(sizeof(*waiting));
		waiting->request = request;
		annex_list_append(&s->next_requests, &waiting->link);
		control_on_gone(request, request_gone, waiting);
	}
	/* The file may have changed since the running check read it: read it again. */
	if (s->check != NULL || s->reload != NULL)
		s->reload_again = true;
	else
		reload_begin(s);
}

static void
answer_requests(struct annex_link *requests, const char *error, json_t *result)
{
	ANNEX_LIST_EACH (requests, l) {
		struct reload_request *r = annex_container_of(l, struct reload_request, link);

		annex_list_remove(&r->link);
		if (error != NULL)
			control_fail(r->request, "%s", error);
		else
			control_done(r->request, json_incref(result));
		free(r);
	}
}

/* It is over, well or not: answer, and begin the next where somebody asked for it. */
static void
reload_end(struct supervisor *s, const char *error)
{
	struct reload *reload = s->reload;

	s->reload = NULL;
	timer_stop(s->setup.timers, &reload->patience);
	answer_requests(&reload->requests, error, reload->result);
	json_decref(reload->result);
	free(reload);
	s->told_ready = true;
	tell(s, "READY=1");
	tell_status(s);
	if (s->reload_again && !s->stopping)
		reload_begin(s);
}

void
reload_abandon(struct supervisor *s)
{
	check_cancel(&s->check);
	if (s->reload != NULL)
		reload_end(s, "annexd is stopping");
	answer_requests(&s->next_requests, "annexd is stopping", NULL);
}

static void
note(struct supervisor *s, const char *what, json_t *value)
{
	json_t *list;

	if (s->reload == NULL) {
		json_decref(value);
		return;
	}
	if ((list = json_object_get(s->reload->result, what)) == NULL)
		json_object_set_new(s->reload->result, what, list = json_array());
	json_array_append_new(list, value);
}

static void
end_if_answered(struct supervisor *s)
{
	if (s->reload != NULL && s->check == NULL && s->reload->pending == 0)
		reload_end(s, NULL);
}

void
reload_answered(struct supervisor *s, struct component *component, const char *failed)
{
	if (failed != NULL) {
		log_write(s->setup.log, ANNEX_LOG_ERROR, "%s: did not take the new section (%s)",
		    component->domain, failed);
		note(s, "failed",
		    json_pack("{s:s, s:s}", "domain", component->domain, "why", failed));
	} else {
		note(s, "reloaded", json_string(component->domain));
	}
	if (s->reload == NULL || s->reload->pending == 0)
		return;
	s->reload->pending--;
	end_if_answered(s);
}

static void
answers_are_late(struct timer *timer)
{
	struct reload *reload = annex_container_of(timer, struct reload, patience);
	struct supervisor *s = reload->supervisor;

	ANNEX_LIST_EACH (&s->components, l) {
		struct component *c = annex_container_of(l, struct component, link);

		if (!c->reloading)
			continue;
		/* An answer that comes yet belongs to no reload any more. */
		c->reloading = false;
		note(s, "late", json_string(c->domain));
	}
	reload->pending = 0;
	end_if_answered(s);
}

/* A component of the new configuration, known or not. */
static void
take_section(struct supervisor *s, const struct check_section *section)
{
	static const char *const words[] = {
		[UPDATE_SAME] = "unchanged",
		[UPDATE_RESTARTED] = "restarted",
		[UPDATE_STARTED] = "started",
	};
	struct component *component = supervisor_find(s, section->domain);
	enum component_update update;

	if (component == NULL) {
		component = component_create(&s->host, section);
		annex_list_append(&s->components, &component->link);
		component_start(component);
		note(s, "started", json_string(section->domain));
		return;
	}
	update = component_update(component, section);
	if (update != UPDATE_OFFERED)
		note(s, words[update], json_string(section->domain));
	else if (s->reload != NULL)
		s->reload->pending++;
}

static void
take_sections(struct supervisor *s, const struct configuration *configuration)
{
	ANNEX_LIST_EACH (&s->components, l) {
		struct component *c = annex_container_of(l, struct component, link);

		if (c->removed || configuration_find(configuration, c->domain) != NULL)
			continue;
		note(s, "stopped", json_string(c->domain));
		log_write(s->setup.log, ANNEX_LOG_NOTICE, "%s: no longer configured", c->domain);
		component_remove(c);
	}
	for (const struct check_section *c = configuration->first; c != NULL; c = c->next)
		take_section(s, c);
}

/* Each sentence to the log, and where the first check speaks to the terminal too. */
static void
say_sentences(struct supervisor *s, const struct buf *sentences, enum annex_log_level level)
{
	const char *at = buf_text(sentences), *end;

	if (!s->started) {
		s->setup.sentences(s->setup.cookie, at, sentences->len);
		return;
	}
	for (; *at != '\0'; at = *end != '\0' ? end + 1 : end) {
		end = strchrnul(at, '\n');
		if (end > at)
			log_write(s->setup.log, level, "%.*s", (int)(end - at), at);
		if (end > at && level == ANNEX_LOG_WARNING)
			note(s, "warnings", json_stringn(at, (size_t)(end - at)));
	}
}

static void
refuse(struct supervisor *s, const char *why)
{
	if (!s->started) {
		s->setup.finished(s->setup.cookie, 1);
		return;
	}
	log_write(
	    s->setup.log, ANNEX_LOG_ERROR, "nothing was reloaded: the configuration is refused");
	reload_end(s, why);
}

static void
place_failed(struct supervisor *s, const char *why)
{
	struct buf sentence = { 0 };

	buf_printf(&sentence, "%s\n", why);
	say_sentences(s, &sentence, ANNEX_LOG_ERROR);
	buf_finish(&sentence);
	refuse(s, why);
}

static void
take_log_level(struct supervisor *s, const char *name)
{
	static const struct {
		const char *name;
		enum annex_log_level level;
	} levels[] = {
		{ "error", ANNEX_LOG_ERROR },
		{ "warning", ANNEX_LOG_WARNING },
		{ "notice", ANNEX_LOG_NOTICE },
		{ "info", ANNEX_LOG_INFO },
		{ "debug", ANNEX_LOG_DEBUG },
	};

	for (size_t i = 0; name != NULL && i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, name) == 0)
			log_set_level(s->setup.log, levels[i].level);
}

void
reload_take(struct supervisor *s, struct configuration *configuration, const struct buf *sentences)
{
	struct annex_pool *pool = annex_pool_create(NULL, "reload");
	const char *why;

	if (configuration == NULL) {
		say_sentences(s, sentences, ANNEX_LOG_ERROR);
		refuse(s, annex_strndup(pool, buf_text(sentences), sentences->len));
	} else if (say_sentences(s, sentences, ANNEX_LOG_WARNING),
	    place_prepare(s, configuration, pool, &why) < 0) {
		place_failed(s, why);
	} else {
		take_log_level(s, configuration->log_level);
		s->started = true;
		take_sections(s, configuration);
		if (s->reload != NULL && s->reload->pending > 0)
			timer_start(s->setup.timers, &s->reload->patience, ANSWERS_WITHIN_MS,
			    answers_are_late);
		end_if_answered(s);
		tell_status(s);
		tell_ready_if_so(s);
	}
	configuration_free(&configuration);
	annex_pool_destroy(&pool);
}
