/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * requests.c - what annexctl may ask of a worker
 *
 *	help               the commands, the component's too
 *	status             link, queues, store, counters
 *	trace              {"jid": ..., "bodies": bool}: stanzas as they pass
 *	store-stat         {"tables": bool}
 *	store-backup       a descriptor travels with the request
 *	anything else      a command the component declared, its fields as args; a descriptor
 *	                   may travel with it
 *
 * What a component's command changed is answered once it is durable.
 */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/utf8.h"
#include "service/output.h"
#include "worker.h"

typedef void request_fn(struct worker *w, struct control_request *request, json_t *args);

/* --- Durable answers ----------------------------------------------------------- */

static void
answer_when_durable(struct worker *w, struct control_request *request, json_t *result)
{
	struct pending_answer *p = mem_zalloc(sizeof(*p));

	p->request = request;
	p->result = result;
	annex_list_append(&w->answers, &p->link);
}

void
requests_turn_done(struct worker *w)
{
	ANNEX_LIST_EACH (&w->answers, l) {
		struct pending_answer *p = annex_container_of(l, struct pending_answer, link);

		annex_list_remove(l);
		control_done(p->request, p->result);
		free(p);
	}
}

void
requests_turn_failed(struct worker *w)
{
	ANNEX_LIST_EACH (&w->answers, l) {
		struct pending_answer *p = annex_container_of(l, struct pending_answer, link);

		annex_list_remove(l);
		json_decref(p->result);
		control_fail(p->request, "the change could not be stored: nothing was changed");
		free(p);
	}
}

/* --- Status -------------------------------------------------------------------- */

static json_t *
slot_json(const struct counters *c, const struct counter_slot *slot)
{
	if (slot->type != COUNTER_HISTOGRAM)
		return json_integer(slot->value);
	return json_pack("{s:I, s:I}", "count", (json_int_t)slot->value, "sum_us",
	    (json_int_t)c->histogram[slot->histogram].sum_us);
}

static json_t *
counters_json(const struct counters *c)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < c->count && i < COUNTER_SLOTS; i++)
		json_object_set_new(all, c->slot[i].name, slot_json(c, &c->slot[i]));
	return all;
}

/* What the log says, and so maybe cut where it is no character's end. */
static json_t *
sentence_json(const char *text)
{
	return text == NULL ? json_null() : json_stringn(text, utf8_cut(text, strlen(text), 1000));
}

static json_t *
link_json(struct worker *w)
{
	const struct stream *s = w->inst.stream;
	const char *trouble = stream_last_trouble(s);
	int64_t up_since = stream_up_since_ms(s);

	return json_pack("{s:s, s:b, s:I, s:o?, s:I, s:I}", "state", stream_state_name(s), "up",
	    stream_is_up(s), "up_seconds",
	    (json_int_t)(up_since == 0 ? 0 : (clock_ms(w->inst.clock) - up_since) / 1000),
	    "trouble", sentence_json(trouble), "queued_bytes", (json_int_t)stream_queued_bytes(s),
	    "queued_stanzas", (json_int_t)stream_queued_stanzas(s));
}

static json_t *
store_json(struct worker *w, bool by_table)
{
	struct annex_pool *scratch = w->inst.scratch;
	struct store_stat stat;
	json_t *tables = json_object(), *all;

	if (store_stat(w->inst.store, by_table, scratch, &stat) < 0) {
		json_decref(tables);
		return json_null();
	}
	for (size_t i = 0; i < stat.table_count; i++)
		json_object_set_new(
		    tables, stat.table[i].name, json_integer((json_int_t)stat.table[i].rows));
	all = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I}", "rows", (json_int_t)stat.rows,
	    "bytes_used", (json_int_t)stat.bytes_used, "bytes_free_inside",
	    (json_int_t)stat.bytes_free_inside, "bytes_map", (json_int_t)stat.bytes_map,
	    "bytes_quota", (json_int_t)stat.bytes_quota, "disk_free", (json_int_t)stat.disk_free,
	    "depth", (int)stat.depth, "commits", (json_int_t)stat.commits);
	if (by_table)
		json_object_set(all, "tables", tables);
	json_decref(tables);
	return all;
}

static void
request_status(struct worker *w, struct control_request *request, json_t *args)
{
	control_done(request,
	    json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:i}", "domain", w->section.domain,
		"module", w->module.descriptor.name, "version",
		w->module.descriptor.version != NULL ? w->module.descriptor.version
						     : PACKAGE_VERSION,
		"up_seconds",
		(json_int_t)((clock_wall_ms(w->inst.clock) - w->inst.started_ms) / 1000), "link",
		link_json(w), "store", store_json(w, false), "counters",
		counters_json(&w->page->counters), "quarantine", (int)w->page->quarantine_count));
}

static void
request_store_stat(struct worker *w, struct control_request *request, json_t *args)
{
	control_done(request, store_json(w, true));
}

/* --- Backup ---------------------------------------------------------------------- */

struct backup {
	struct control_request *request; /* NULL: nobody waits for it any more */
	int fd;
};

/* The client has left, or the worker ends while the copy is being made. */
static void
backup_gone(void *cookie)
{
	struct backup *b = cookie;

	b->request = NULL;
}

static void
backup_done(void *cookie, int status, const char *why)
{
	struct backup *b = cookie;

	if (b->request != NULL && status < 0)
		control_fail(b->request, "the backup failed: %s", why);
	else if (b->request != NULL)
		control_done(b->request, NULL);
	close(b->fd);
	free(b);
}

static void
request_store_backup(struct worker *w, struct control_request *request, json_t *args)
{
	struct backup *b = mem_zalloc(sizeof(*b));
	int status;

	b->request = request;
	b->fd = control_take_fd(request);
	if (b->fd < 0) {
		free(b);
		control_fail(request, "no file came with the request");
		return;
	}
	status = store_backup(w->inst.store, b->fd, backup_done, b);
	if (status >= 0) {
		control_on_gone(request, backup_gone, b);
		return;
	}
	close(b->fd);
	free(b);
	control_fail(request,
	    status == ANNEX_EEXIST ? "a backup is being made already"
				   : "the backup could not be started");
}

/* --- Trace ------------------------------------------------------------------------- */

struct tracer {
	struct annex_link link;
	struct worker *worker;
	struct control_request *request;
	char *jid; /* only stanzas from or to it; NULL: all */
	bool bodies;
};

static bool
address_matches(const char *jid, const char *address)
{
	size_t len = strlen(jid);

	return address != NULL && strncmp(address, jid, len) == 0 &&
	    (address[len] == '\0' || address[len] == '/');
}

/* Only what says what kind of stanza it is: texts are told by their length. */
static void
hide_texts(struct annex_element *el)
{
	for (struct annex_element *child = el->first; child != NULL; child = child->next) {
		if (child->name != NULL) {
			hide_texts(child);
		} else if (child->text_len > 0) {
			child->text = annex_sprintf(el->pool, "[%zu bytes]", child->text_len);
			child->text_len = strlen(child->text);
		}
	}
}

static void
tracer_show(struct tracer *t, enum trace_way way, struct annex_element *el, size_t recipients)
{
	size_t len;
	const char *text;

	if (t->jid != NULL && !address_matches(t->jid, annex_attr(el, "from")) &&
	    !address_matches(t->jid, annex_attr(el, "to")))
		return;
	if (!t->bodies)
		hide_texts(el);
	text = annex_element_write(el, el->pool, &len);
	control_emit(t->request,
	    json_pack("{s:s, s:s, s:I}", "way", way == TRACE_IN ? "in" : "out", "stanza", text,
		"recipients", (json_int_t)recipients));
}

static void
trace_stanza(
    struct trace *trace, enum trace_way way, const char *text, size_t len, size_t recipients)
{
	struct worker *w = annex_container_of(trace, struct worker, trace);
	struct annex_pool *pool = annex_pool_create(NULL, "trace");

	ANNEX_LIST_EACH (&w->tracers, l) {
		struct annex_element *el = annex_element_read(pool, text, len, len);

		if (el != NULL)
			tracer_show(
			    annex_container_of(l, struct tracer, link), way, el, recipients);
	}
	annex_pool_destroy(&pool);
}

static void
tracer_gone(void *cookie)
{
	struct tracer *t = cookie;

	annex_list_remove(&t->link);
	if (annex_list_is_empty(&t->worker->tracers))
		t->worker->inst.trace = NULL;
	free(t->jid);
	free(t);
}

static void
request_trace(struct worker *w, struct control_request *request, json_t *args)
{
	const char *jid = json_string_value(json_object_get(args, "jid"));
	const struct annex_jid *prepared = jid == NULL ? NULL : annex_jid(w->inst.scratch, jid);
	struct tracer *t;

	if (jid != NULL && prepared == NULL) {
		control_fail(request, "\"%s\" is not a JID", jid);
		return;
	}
	t = mem_zalloc(sizeof(*t));
	t->worker = w;
	t->request = request;
	t->jid = prepared == NULL ? NULL : mem_strdup(prepared->full);
	t->bodies = json_is_true(json_object_get(args, "bodies"));
	annex_list_append(&w->tracers, &t->link);
	w->trace.stanza = trace_stanza;
	w->inst.trace = &w->trace;
	control_on_gone(request, tracer_gone, t);
}

/* --- The table ---------------------------------------------------------------------- */

static request_fn request_help;

static const struct request {
	const char *command;
	request_fn *handle;
	const char *help;
	bool reveals; /* what people said or keep: who looks at it is logged */
} requests[] = {
	{ "help", request_help, "List the commands.", false },
	{ "status", request_status, "Tell about the link, the queues and the store.", false },
	{ "trace", request_trace, "Show stanzas as they pass.", true },
	{ "store-stat", request_store_stat, "Tell what is in the store.", false },
	{ "store-backup", request_store_backup, "Copy the store while it is in use.", true },
};

static void
request_help(struct worker *w, struct control_request *request, json_t *args)
{
	json_t *framework = json_array();

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		json_array_append_new(framework,
		    json_pack("{s:s, s:s}", "node", requests[i].command, "help", requests[i].help));
	control_done(request,
	    json_pack("{s:o, s:o}", "framework", framework, "component", commands_list(&w->inst)));
}

struct held_request {
	struct worker *worker;
	struct control_request *request;
};

static void
held_request_answered(void *cookie, json_t *result, const char *why)
{
	struct held_request *h = cookie;

	if (result != NULL)
		answer_when_durable(h->worker, h->request, result);
	else
		control_fail(h->request, "%s", why);
	free(h);
}

static void
hold_request(struct worker *w, struct control_request *request, struct held_run *held)
{
	struct held_request *h = mem_zalloc(sizeof(*h));

	h->worker = w;
	h->request = request;
	command_on_answer(held, held_request_answered, h);
}

static void
run_component_command(
    struct worker *w, struct control_request *request, const char *command, json_t *args)
{
	json_t *result = NULL;
	struct held_run *held;
	const char *why = NULL;
	int status, fd = control_take_fd(request);

	if (!instance_enter(&w->inst)) {
		control_fail(request, "the component is being created anew; try again");
		io_close(&fd);
		return;
	}
	status = commands_run(&w->inst, command, args, &fd, &result, &held, &why);
	if (status < 0)
		control_fail(request, "%s", why != NULL ? why : annex_status_text(status));
	else if (held != NULL)
		hold_request(w, request, held);
	else
		answer_when_durable(w, request, result);
	io_close(&fd);
	instance_leave(&w->inst);
}

static const struct request *
find_request(const char *command)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (strcmp(requests[i].command, command) == 0)
			return &requests[i];
	return NULL;
}

static void
handle(void *cookie, struct control_request *request, const char *command, json_t *args)
{
	const struct request *own = find_request(command);
	struct worker *w = cookie;

	if (own == NULL || own->reveals)
		log_write(w->log, ANNEX_LOG_NOTICE, "command %s by uid %u", command,
		    (unsigned)control_peer_uid(request));
	if (own == NULL) {
		run_component_command(w, request, command, args);
		return;
	}
	own->handle(w, request, args);
	annex_pool_reset(w->inst.scratch);
}

int
requests_listen(struct worker *w, const char **why)
{
	const char *path =
	    annex_sprintf(w->pool, "%s/%s.sock", w->section.run_dir, w->section.domain);

	w->control =
	    control_listen(path, w->env.reactor, &w->timers, w->log, handle, w, w->pool, why);
	return w->control == NULL ? ANNEX_EIO : ANNEX_OK;
}

void
requests_close(struct worker *w)
{
	if (w->control != NULL)
		control_close(&w->control);
}
