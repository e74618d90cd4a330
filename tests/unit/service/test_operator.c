/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_operator.c - declared commands for annexctl
 */
#include <jansson.h>

#include <annex/command.h>

#include "fixture.h"

struct room {
	const char *name, *title;
	bool hidden;
	int64_t most;
	struct annex_strings owners;
};

/* What the last run was given. */
struct seen {
	unsigned runs;
	char text[200];
	int fd;
	struct annex_run *held;
};

static const struct annex_choice titles[] = { { "long", NULL }, { "short", NULL }, { 0 } };
static const struct annex_field fields[] = {
	ANNEX_FIELD(struct room, name, "name", ANNEX_TEXT_SINGLE, "Name", .required = true),
	ANNEX_FIELD(struct room, title, "title", ANNEX_LIST_SINGLE, "Title", .choices = titles,
	    .desc = "Of which kind."),
	ANNEX_FIELD(struct room, hidden, "hidden", ANNEX_BOOLEAN, "Hidden"),
	ANNEX_FIELD(struct room, most, "most", ANNEX_TEXT_SINGLE, "Most", .min = 1, .max = 100),
	ANNEX_FIELD(struct room, owners, "owners", ANNEX_JID_MULTI, "Owners"),
	{ 0 },
};
static const struct annex_form form = { .fields = fields };

static const struct annex_field second_fields[] = {
	ANNEX_FIELD(struct room, hidden, "sure", ANNEX_BOOLEAN, "Sure"),
	{ 0 },
};
static const struct annex_form second_form = { .fields = second_fields };

static void
see(struct annex_instance *inst, const struct room *room)
{
	struct seen *seen = inst->settings;

	seen->runs++;
	snprintf(seen->text, sizeof(seen->text), "%s %s %d %d %zu %s", room->name,
	    room->title != NULL ? room->title : "-", room->hidden, (int)room->most,
	    room->owners.count, room->owners.count > 0 ? room->owners.value[0] : "-");
}

static int
make(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const var[] = { "a", "b", NULL }, *const label[] = { "A", "B" };
	static const char *const row[] = { "1", NULL };

	assert_true(inst->entered);
	assert_null(annex_run_by(run));
	see(inst, values);
	annex_run_say(run, "made %s", ((struct room *)values)->name);
	annex_run_say(run, "twice");
	annex_run_columns(run, var, label);
	annex_run_row(run, row);
	annex_run_row(run, var);
	return ANNEX_OK;
}

static void
preset(struct annex_instance *inst, struct annex_run *run, void *values)
{
	((struct room *)values)->most = 7;
}

static int
remove_it(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct room *room = values;

	if (strcmp(room->name, "none") == 0)
		return ANNEX_ENOENT;
	if (stage == 0) {
		annex_run_ask(run, &second_form);
		return ANNEX_AGAIN;
	}
	if (!room->hidden)
		annex_run_fail(run, ANNEX_NOT_ACCEPTABLE, "You are not sure about %s.", room->name);
	see(inst, room);
	return room->hidden ? ANNEX_OK : ANNEX_EINVAL;
}

static int
count(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	return ANNEX_OK;
}

/* Reads its file a turn later. */
static const struct annex_field file_fields[] = {
	ANNEX_FIELD(struct room, name, "file", ANNEX_TEXT_SINGLE, "File", .datatype = ANNEX_FILE),
	{ 0 },
};
static const struct annex_form file_form = { .fields = file_fields };

static int
read_later(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct seen *seen = inst->settings;
	const struct room *room = values;

	seen->fd = annex_run_file(run);
	assert_int_equal(annex_run_file(run), -1);
	annex_run_say(run, "not heard");
	if (strcmp(room->name, "none") == 0)
		return ANNEX_OK;
	seen->held = annex_run_hold(run);
	return strcmp(room->name, "bad") == 0 ? ANNEX_EINVAL : ANNEX_OK;
}

static const struct annex_command commands[] = {
	{ "make-room", "Make a room", ANNEX_WHO_ADMIN, &form, sizeof(struct room), make,
	    "Make a room.", preset },
	{ "remove-room", "Remove a room", ANNEX_WHO_OPERATOR, &form, sizeof(struct room), remove_it,
	    .stages = 2 },
	{ "read", "Read a file", ANNEX_WHO_OPERATOR, &file_form, sizeof(struct room), read_later },
	{ "count", "Count", ANNEX_WHO_ANYBODY, NULL, 0, count },
	{ 0 },
};
static const struct annex_route routes[] = { { 0 } };
static const struct annex_module module = {
	.name = "rooms",
	.routes = routes,
	.commands = commands,
};

static int
setup(void **state)
{
	struct fixture *f = fixture_create(&module);

	f->inst.settings = annex_new(f->pool, struct seen);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

/* The result as JSON, or the sentence. */
static const char *
run(struct fixture *f, const char *node, const char *args)
{
	json_t *json = args != NULL ? json_loads(args, 0, NULL) : NULL, *result;
	struct held_run *held;
	const char *why, *text;
	char *dump;
	int r, fd = -1;

	assert_true(args == NULL || json != NULL);
	assert_true(instance_enter(&f->inst));
	r = commands_run(&f->inst, node, json, &fd, &result, &held, &why);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	json_decref(json);
	if (r < 0) {
		assert_null(result);
		return annex_strdup(f->pool, why);
	}
	assert_null(why);
	dump = json_dumps(result, JSON_COMPACT);
	text = annex_strdup(f->pool, dump);
	free(dump);
	json_decref(result);
	return text;
}

static const char *
seen(struct fixture *f)
{
	return ((struct seen *)f->inst.settings)->text;
}

static void
fields_are_texts_and_the_answer_a_table(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(
	    run(f, "make-room",
		"{\"name\":\"den\",\"title\":\"short\",\"hidden\":\"yes\",\"most\":\"9\","
		"\"owners\":[\"a@b.c\",\"d@e.f\"]}"),
	    "{\"say\":[\"made den\",\"twice\"],\"columns\":[\"a\",\"b\"],\"labels\":[\"A\",\"B\"],"
	    "\"rows\":[[\"1\",\"\"],[\"a\",\"b\"]]}");
	assert_string_equal(seen(f), "den short 1 9 2 a@b.c");
}

static void
json_may_say_its_types(void **state)
{
	struct fixture *f = *state;

	run(f, "make-room", "{\"name\":\"den\",\"hidden\":true,\"most\":50,\"owners\":\"a@b.c\"}");
	assert_string_equal(seen(f), "den - 1 50 1 a@b.c");
	run(f, "make-room", "{\"name\":[\"den\"],\"hidden\":\"off\"}");
	assert_string_equal(seen(f), "den - 0 7 0 -"); /* most is preset */
}

static void
a_command_without_fields_needs_none(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(
	    run(f, "count", NULL), "{\"say\":[],\"columns\":[],\"labels\":[],\"rows\":[]}");
	assert_string_equal(run(f, "count", "{\"x\":\"y\"}"), "count has no field \"x\"");
	assert_string_equal(run(f, "count", "[]"), "the fields are not an object");
}

static void
mistakes_are_sentences(void **state)
{
	struct fixture *f = *state;
	const struct seen *s = f->inst.settings;

	assert_string_equal(run(f, "make-rom", "{}"),
	    "there is no command \"make-rom\"; did you mean \"make-room\"?");
	assert_string_equal(run(f, "xyz", "{}"), "there is no command \"xyz\"");
	assert_non_null(strstr(run(f, "make-room", "{}"), "name"));
	assert_string_equal(run(f, "make-room", "{\"name\":\"den\",\"hiden\":\"yes\"}"),
	    "make-room has no field \"hiden\"; did you mean \"hidden\"?");
	assert_string_equal(
	    run(f, "make-room", "{\"name\":[\"den\",\"hall\"]}"), "field \"name\" takes one value");
	assert_string_equal(run(f, "make-room", "{\"name\":{}}"), "field \"name\" takes a text");
	assert_non_null(strstr(run(f, "make-room", "{\"name\":\"den\",\"most\":\"101\"}"), "most"));
	assert_non_null(
	    strstr(run(f, "make-room", "{\"name\":\"den\",\"title\":\"odd\"}"), "title"));
	assert_int_equal(s->runs, 0);
}

static void
stages_take_their_fields_from_one_call(void **state)
{
	struct fixture *f = *state;
	const struct seen *s = f->inst.settings;

	assert_string_equal(run(f, "remove-room", "{\"name\":\"den\",\"sure\":\"yes\"}"),
	    "{\"say\":[],\"columns\":[],\"labels\":[],\"rows\":[]}");
	assert_string_equal(seen(f), "den - 1 0 0 -");
	assert_string_equal(run(f, "remove-room", "{\"name\":\"den\",\"sure\":\"no\"}"),
	    "You are not sure about den.");
	assert_string_equal(run(f, "remove-room", "{\"name\":\"none\"}"), "no such thing");
	assert_int_equal(s->runs, 2);
	assert_string_equal(run(f, "remove-room", "{\"name\":\"den\",\"surr\":\"yes\"}"),
	    "remove-room has no field \"surr\"; did you mean \"sure\"?");
	assert_int_equal(s->runs, 2);
}

static void
help_lists_all(void **state)
{
	struct fixture *f = *state;
	json_t *list = commands_list(&f->inst), *first = json_array_get(list, 0);
	json_t *of_first = json_object_get(first, "fields");
	json_t *title = json_array_get(of_first, 1);

	assert_int_equal(json_array_size(list), 4);
	assert_true(json_is_true(json_object_get(
	    json_array_get(json_object_get(json_array_get(list, 2), "fields"), 0), "file")));
	assert_string_equal(json_string_value(json_object_get(first, "node")), "make-room");
	assert_string_equal(json_string_value(json_object_get(first, "help")), "Make a room.");
	assert_int_equal(json_array_size(of_first), 5);
	assert_true(json_is_true(json_object_get(json_array_get(of_first, 0), "required")));
	assert_string_equal(json_string_value(json_object_get(title, "type")), "list-single");
	assert_string_equal(json_string_value(json_object_get(title, "help")), "Of which kind.");
	assert_int_equal(json_array_size(json_object_get(title, "choices")), 2);
	json_decref(list);
}

/* What a held run was answered. */
static void
note_answer(void *cookie, json_t *result, const char *why)
{
	char **answer = cookie;

	assert_null(*answer);
	*answer = result != NULL ? json_dumps(result, JSON_COMPACT) : strdup(why);
	json_decref(result);
}

static int
run_held(struct fixture *f, const char *file, int *fd, struct held_run **held)
{
	json_t *json = json_pack("{s:s}", "file", file), *result = NULL;
	const char *why;
	int r;

	assert_true(instance_enter(&f->inst));
	r = commands_run(&f->inst, "read", json, fd, &result, held, &why);
	instance_leave(&f->inst);
	assert_int_equal(result != NULL, r >= 0 && *held == NULL);
	json_decref(result);
	json_decref(json);
	return r;
}

static void
an_answer_may_come_later_with_a_file(void **state)
{
	struct fixture *f = *state;
	struct seen *s = f->inst.settings;
	struct held_run *held;
	char *answer = NULL;
	int fd = 77;

	assert_int_equal(run_held(f, "x", &fd, &held), ANNEX_OK);
	assert_int_equal(fd, -1);
	assert_int_equal(s->fd, 77);
	command_on_answer(held, note_answer, &answer);
	assert_true(fixture_end(f));
	run(f, "count", NULL);
	assert_null(answer);
	annex_run_say(s->held, "read");
	annex_run_end(&s->held);
	assert_null(s->held);
	assert_string_equal(
	    answer, "{\"say\":[\"read\"],\"columns\":[],\"labels\":[],\"rows\":[]}");
	free(answer);
	answer = NULL;
	fd = -1;
	assert_int_equal(run_held(f, "x", &fd, &held), ANNEX_OK);
	assert_int_equal(s->fd, -1);
	command_on_answer(held, note_answer, &answer);
	annex_run_fail(s->held, ANNEX_BAD_REQUEST, "It is no XML.");
	annex_run_end(&s->held);
	assert_string_equal(answer, "It is no XML.");
	free(answer);
	assert_int_equal(run_held(f, "bad", &fd, &held), ANNEX_EINVAL);
	assert_null(held);
	assert_int_equal(run_held(f, "none", &fd, &held), ANNEX_OK);
	assert_null(held);
}

static void
what_is_not_answered_before_a_reset_is_interrupted(void **state)
{
	struct fixture *f = *state;
	struct held_run *held;
	char *answer = NULL;
	int fd = -1;

	assert_int_equal(run_held(f, "x", &fd, &held), ANNEX_OK);
	command_on_answer(held, note_answer, &answer);
	commands_reset(&f->inst);
	assert_non_null(strstr(answer, "interrupted"));
	free(answer);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(fields_are_texts_and_the_answer_a_table),
		TEST(json_may_say_its_types),
		TEST(a_command_without_fields_needs_none),
		TEST(mistakes_are_sentences),
		TEST(stages_take_their_fields_from_one_call),
		TEST(help_lists_all),
		TEST(an_answer_may_come_later_with_a_file),
		TEST(what_is_not_answered_before_a_reset_is_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
