/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fixture.c - an instance to try the parts of service/ on
 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "base/check.h"
#include "fixture.h"
#include "service/spawner.h"
#include "store/io.h"

#define HEADER                                               \
	"<?xml version='1.0'?><stream:stream "               \
	"xmlns:stream='http://etherx.jabber.org/streams' "   \
	"xmlns='jabber:component:accept' from='" DOMAIN "' " \
	"id='1'>"
#define FENCE_BEGIN "<iq type='get' from='" DOMAIN "/annex'"
#define FENCE_END "</iq>"

static const struct annex_route no_routes[] = { { 0 } };
static const struct annex_module plain_module = {
	.name = "plain",
	.version = "1.2",
	.summary = "does nothing",
	.routes = no_routes,
};
static const char *const admins[] = { "admin@example.org", NULL };
static const char *const local_domains[] = { "example.org", NULL };

static void
sink(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	buf_append(&((struct fixture *)cookie)->lines, line, len);
}

static void
wake(struct instance_host *host)
{
	annex_container_of(host, struct fixture, host)->wakes++;
}

static void
stopped(struct instance_host *host)
{
}

static void
up(struct stream_user *user)
{
	contacts_link_up(&annex_container_of(user, struct fixture, user)->inst);
}

static void
down(struct stream_user *user, const char *why)
{
	struct annex_instance *inst = &annex_container_of(user, struct fixture, user)->inst;

	questions_link_down(inst);
	contacts_link_down(inst);
}

static void
closed(struct stream_user *user)
{
}

/* --- The life of the instance -------------------------------------------- */

static void
instance_create(struct fixture *f)
{
	f->inst.failed = false;
	f->inst.created = true;
	f->lives++;
	alarms_init(&f->inst);
	jobs_init(&f->inst);
	if (f->module.create == NULL)
		return;
	CHECK(instance_enter(&f->inst));
	CHECK(f->module.create(&f->inst) >= 0);
	instance_leave(&f->inst);
}

static void
instance_destroy(struct fixture *f)
{
	f->inst.failed = false;
	if (f->module.destroy != NULL && instance_enter(&f->inst)) {
		f->module.destroy(&f->inst);
		instance_leave(&f->inst);
	}
	f->inst.created = false;
	f->inst.state = NULL;
	timers_of_instance_reset(&f->inst);
	sockets_reset(&f->inst);
	annex_pool_reset(f->inst.pool);
}

static void
release(struct fixture *f)
{
	holds_turn_done(&f->inst);
	alarms_turn_done(&f->inst);
	jobs_turn_done(&f->inst);
	contacts_turn_done(&f->inst);
	output_splice(&f->inst);
	fences_splice(&f->inst);
	children_turn_done(&f->inst);
	sockets_turn_done(&f->inst);
	instance_durable_ready(&f->inst);
	stream_flush(f->inst.stream);
}

static void
undo(struct fixture *f)
{
	f->why = annex_strdup(f->pool, f->inst.failed_why);
	output_drop(&f->inst);
	fences_drop(&f->inst);
	instance_durable_drop(&f->inst);
	holds_turn_failed(&f->inst);
	alarms_turn_failed(&f->inst);
	jobs_turn_failed(&f->inst);
	store_abort(f->inst.store);
}

static void
renew(struct fixture *f)
{
	questions_reset(&f->inst);
	alarms_reset(&f->inst);
	jobs_reset(&f->inst);
	commands_reset(&f->inst);
	contacts_reset(&f->inst);
	children_reset(&f->inst);
	sockets_reset(&f->inst);
	instance_destroy(f);
	instance_create(f);
	holds_reset(&f->inst);
	CHECK(store_commit(f->inst.store) >= 0);
	release(f);
}

bool
fixture_end(struct fixture *f)
{
	CHECK(!f->inst.entered);
	annex_pool_reset(f->inst.scratch);
	if (!f->inst.failed && store_commit(f->inst.store) >= 0) {
		release(f);
		return true;
	}
	undo(f);
	renew(f);
	return false;
}

/* --- The world ----------------------------------------------------------- */

static void
store_begin(struct fixture *f)
{
	const struct store_env env = {
		.io = &store_io_lmdb, .clock = &f->clock, .log = f->log, .counters = &f->counters
	};
	const struct store_options options = { .dir = f->dir, .volatile_sync = true };
	const struct annex_table *const lists[] = { service_tables, f->module.tables, NULL };
	const char *why = NULL;

	if (store_open(&f->inst.store, &env, &options, lists, f->pool, &why) < 0)
		fail_msg("store: %s", why);
	store_set_scratch(f->inst.store, f->inst.scratch);
}

static void
stream_begin(struct fixture *f)
{
	const struct stream_env env = { &f->clock, &f->timers, &f->random, f->log, &f->counters,
		NULL, &f->net.maker };
	struct stream_config config;

	stream_config_init(&config);
	f->server = (struct stream_host) { "server.test", 5347, NULL };
	config.domain = DOMAIN;
	config.secret = "secret";
	config.hosts = &f->server;
	config.host_count = 1;
	config.keepalive_ms = 0;
	config.fence_check_ms = 0;
	f->user = (struct stream_user) { up, down, closed };
	f->inst.stream = stream_create(&config, &env, &f->user);
	stream_start(f->inst.stream);
}

static void
begin(struct fixture *f, const struct annex_module *module)
{
	struct annex_instance *inst = &f->inst;

	f->module = *module;
	memset(inst, 0, sizeof(*inst));
	inst->magic = INSTANCE_MAGIC;
	inst->module = &f->module;
	inst->pool = annex_pool_create(f->pool, "instance");
	inst->scratch = annex_pool_create(f->pool, "scratch");
	inst->jid = annex_jid(f->pool, DOMAIN);
	inst->admins = admins;
	inst->local_domains = local_domains;
	inst->run_dir = f->dir;
	inst->clock = &f->clock;
	inst->timers = &f->timers;
	inst->random = &f->random;
	inst->log = f->log;
	inst->counters = &f->counters;
	inst->reactor = f->reactor;
	inst->host = &f->host;
	inst->started_ms = clock_wall_ms(&f->clock);
	annex_list_init(&inst->durable_asked);
	annex_list_init(&inst->durable_due);
	annex_list_init(&inst->timer_list);
	sockets_init(inst);
	spawner_start(inst);
	store_begin(f);
	stream_begin(f);
	inst->output = output_create(inst);
	questions_init(inst);
	holds_init(inst);
	commands_init(inst);
	contacts_init(inst);
	instance_create(f);
	CHECK(fixture_end(f));
	fixture_link_up(f);
}

static void
end(struct fixture *f)
{
	struct annex_instance *inst = &f->inst;

	instance_destroy(f);
	store_abort(inst->store);
	instance_durable_drop(inst);
	instance_durable_ready(inst);
	jobs_finish(inst);
	alarms_finish(inst);
	contacts_finish(inst);
	commands_finish(inst);
	holds_finish(inst);
	questions_finish(inst);
	output_destroy(&inst->output);
	stream_destroy(&inst->stream);
	spawner_stop(inst);
	store_close(&inst->store);
	annex_pool_destroy(&inst->pool);
	annex_pool_destroy(&inst->scratch);
	assert_int_equal(f->timers.count, 0);
}

static void
clock_stands(struct clock *clock)
{
}

struct fixture *
fixture_create(const struct annex_module *module)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(f->dir, sizeof(f->dir), "%s/annex-service-XXXXXX", base);
	assert_non_null(mkdtemp(f->dir));
	f->clock.mono_us = INT64_C(1000) * 1000000;
	f->clock.wall_us = (int64_t)TEST_TIME_S * 1000000;
	f->clock.read = clock_stands;
	timers_init(&f->timers, &f->clock);
	random_init_seeded(&f->random, 1);
	f->log = log_create(DOMAIN, &f->clock, sink, f);
	f->reactor = poll_reactor_create();
	f->host = (struct instance_host) { wake, stopped };
	f->pool = annex_pool_create(NULL, "fixture");
	memory_net_init(&f->net);
	begin(f, module != NULL ? module : &plain_module);
	return f;
}

void
fixture_restart(struct fixture *f, const struct annex_module *module)
{
	struct annex_module same = f->module;

	end(f);
	begin(f, module != NULL ? module : &same);
}

static void
remove_dir(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	char name[512];

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		unlink(name);
	}
	closedir(dir);
	rmdir(path);
}

void
fixture_destroy(struct fixture *f)
{
	end(f);
	memory_net_finish(&f->net);
	poll_reactor_destroy(&f->reactor);
	log_destroy(&f->log);
	timers_finish(&f->timers);
	buf_finish(&f->lines);
	buf_finish(&f->heard);
	annex_pool_destroy(&f->pool);
	remove_dir(f->dir);
	free(f);
}

/* --- Conversation -------------------------------------------------------- */

const char *
fixture_heard(struct fixture *f)
{
	const char *text = memory_heard(&f->net);

	buf_clear(&f->heard);
	while (*text != '\0') {
		if (strncmp(text, FENCE_BEGIN, strlen(FENCE_BEGIN)) == 0)
			text = strstr(text, FENCE_END) + strlen(FENCE_END);
		else
			buf_putc(&f->heard, *text++);
	}
	return buf_text(&f->heard);
}

static bool
type_is(const struct annex_stanza *s, const char *type)
{
	return s->type != NULL && strcmp(s->type, type) == 0;
}

static void
route_iq(struct fixture *f, struct annex_stanza *s)
{
	const struct annex_route *tables[] = { f->module.routes, service_routes };
	enum annex_verdict verdict = ANNEX_PASS;

	s->kind = type_is(s, "set") ? ANNEX_IQ_SET : ANNEX_IQ_GET;
	output_expect(f->inst.output, s);
	for (size_t i = 0; i < 2; i++)
		for (const struct annex_route *r = tables[i]; r->kind != 0 && verdict == ANNEX_PASS;
		     r++)
			if (r->kind == s->kind && annex_is(s->payload, r->ns, r->name))
				verdict = r->handle(&f->inst, s);
	if (verdict == ANNEX_PASS)
		annex_refuse(&f->inst, s, ANNEX_SERVICE_UNAVAILABLE, NULL);
	else if (!f->inst.failed && !output_was_answered(f->inst.output) &&
	    !(verdict == ANNEX_HELD && holds_took(&f->inst, s)))
		fail_msg("not answered: %s", buf_text(&f->lines));
	output_expect(f->inst.output, NULL);
}

static void
route_presence(struct fixture *f, struct annex_stanza *s)
{
	enum annex_verdict verdict = ANNEX_PASS;

	s->kind = type_is(s, "error") ? ANNEX_PRESENCE_ERROR : ANNEX_PRESENCE;
	for (const struct annex_route *r = service_routes; r->kind != 0 && verdict == ANNEX_PASS;
	     r++)
		if (r->kind == s->kind)
			verdict = r->handle(&f->inst, s);
}

static void
route(struct fixture *f, struct xml_event *event)
{
	struct annex_element *el = event->element;
	const char *to = annex_attr(el, "to");
	struct annex_stanza s = {
		.element = el,
		.from = annex_jid(event->pool, annex_attr(el, "from")),
		.to = annex_jid(event->pool, to != NULL ? to : DOMAIN),
		.id = annex_attr(el, "id"),
		.type = annex_attr(el, "type"),
		.payload = annex_child(el, NULL, NULL),
		.pool = event->pool,
	};

	assert_non_null(s.from);
	if (strcmp(el->name, "presence") == 0) {
		assert_true(instance_enter(&f->inst));
		route_presence(f, &s);
		instance_leave(&f->inst);
		return;
	}
	assert_string_equal(el->name, "iq");
	if (type_is(&s, "result") || type_is(&s, "error")) {
		questions_answer(&f->inst, &s);
		return;
	}
	if (!instance_enter(&f->inst))
		return;
	route_iq(f, &s);
	instance_leave(&f->inst);
}

static void
take_input(struct fixture *f)
{
	struct annex_link handled = ANNEX_LIST_INIT(handled);
	struct xml_event *event;

	while ((event = stream_next(f->inst.stream)) != NULL) {
		route(f, event);
		annex_list_append(&handled, &event->link);
	}
	fixture_end(f);
	ANNEX_LIST_EACH (&handled, l) {
		annex_list_remove(l);
		stream_free_event(f->inst.stream, annex_container_of(l, struct xml_event, link));
	}
}

const char *
fixture_say(struct fixture *f, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list args;

	va_start(args, fmt);
	buf_vprintf(&text, fmt, args);
	va_end(args);
	fixture_heard(f);
	memory_say(&f->net, text.data);
	buf_finish(&text);
	take_input(f);
	return fixture_heard(f);
}

static void
turn_to(struct fixture *f, int64_t mono_us)
{
	f->clock.wall_us += mono_us - f->clock.mono_us;
	f->clock.mono_us = mono_us;
}

void
fixture_pass(struct fixture *f, int64_t ms)
{
	int64_t end_us = f->clock.mono_us + ms * 1000, wait_us;

	while (
	    (wait_us = timers_wait_us(&f->timers)) >= 0 && f->clock.mono_us + wait_us <= end_us) {
		turn_to(f, f->clock.mono_us + wait_us);
		timers_run(&f->timers, 1000);
		fixture_end(f);
		if (alarms_want_turn(&f->inst)) {
			alarms_step(&f->inst);
			fixture_end(f);
		}
	}
	turn_to(f, end_us);
}

void
fixture_link_down(struct fixture *f)
{
	memory_hang_up(&f->net);
	assert_false(stream_is_up(f->inst.stream));
	fixture_end(f);
}

void
fixture_link_up(struct fixture *f)
{
	for (int i = 0; i < 600 && f->net.link == NULL; i++)
		fixture_pass(f, 100);
	memory_connect(&f->net);
	memory_say(&f->net, HEADER);
	memory_say(&f->net, "<handshake/>");
	assert_true(stream_is_up(f->inst.stream));
	fixture_end(f);
	memory_heard(&f->net);
}

void
fixture_return_fences(struct fixture *f)
{
	char *copy, *at;

	stream_flush(f->inst.stream);
	copy = at = mem_strdup(memory_heard(&f->net));
	while ((at = strstr(at, FENCE_BEGIN)) != NULL) {
		size_t len = (size_t)(strstr(at, FENCE_END) - at) + strlen(FENCE_END);

		memory_say_bytes(&f->net, at, len);
		at += len;
	}
	free(copy);
	take_input(f);
}

void
fixture_wait(struct fixture *f, const bool *done)
{
	for (int i = 0; i < 1000 && !*done; i++) {
		poll_reactor_run(f->reactor, 10);
		timers_run(&f->timers, 1000);
		fixture_end(f);
	}
	assert_true(*done);
}

bool
fixture_logged(const struct fixture *f, const char *part)
{
	return strstr(buf_text(&f->lines), part) != NULL;
}

int64_t
fixture_count(const struct fixture *f, const char *name)
{
	for (uint32_t i = 0; i < f->counters.count; i++)
		if (strcmp(f->counters.slot[i].name, name) == 0)
			return f->counters.slot[i].value;
	return -1;
}

const char *
attr_of(struct fixture *f, const char *heard, const char *name)
{
	char key[64];
	const char *at, *stop;

	snprintf(key, sizeof(key), " %s='", name);
	at = strstr(heard, key);
	if (at == NULL)
		fail_msg("no %s in %s", name, heard);
	at += strlen(key);
	stop = strchr(at, '\'');
	return annex_strndup(f->pool, at, (size_t)(stop - at));
}
