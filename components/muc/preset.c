/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * preset.c - what new rooms are like
 *
 * Three steps, each above the one before: what the service says of all rooms,
 * a named preset, and single fields that the operator wrote.  All of it is
 * judged by the table of the configuration form.
 */
#include <string.h>

#include "muc.h"

static const struct preset_field {
	const char *preset, *field, *value;
} preset_fields[] = {
	/* A group of people who know each other; as end-to-end encryption needs it. */
	{ "private-group", "whois", "anyone" },
	{ "private-group", "membersonly", "1" },
	{ "private-group", "publicroom", "0" },
	{ "private-group", "persistentroom", "1" },
	{ "private-group", "enablelogging", "1" },
	{ "private-group", "allowinvites", "1" },
	/* Where everybody may come and read what was said. */
	{ "public-channel", "whois", "moderators" },
	{ "public-channel", "membersonly", "0" },
	{ "public-channel", "publicroom", "1" },
	{ "public-channel", "persistentroom", "1" },
	{ "public-channel", "enablelogging", "1" },
	/* The same, but few speak to many. */
	{ "announcements", "whois", "moderators" },
	{ "announcements", "publicroom", "1" },
	{ "announcements", "persistentroom", "1" },
	{ "announcements", "enablelogging", "1" },
	{ "announcements", "moderatedroom", "1" },
	{ "announcements", "allowpm", "moderators" },
	{ "announcements", "presencebroadcast", "moderator" },
	{ "announcements", "presencebroadcast", "participant" },
	/* Gone when it is over. */
	{ "meeting", "publicroom", "0" },
	{ "meeting", "persistentroom", "0" },
	{ "meeting", "enablelogging", "0" },
};

/* The names without their beginning, "muc#roomconfig_", are those people write. */
static const struct annex_field *
field_named(const char *name, size_t len)
{
	for (const struct annex_field *f = config_fields; f->var != NULL; f++) {
		const char *is_short = strchr(f->var, '_');

		if (f->type == ANNEX_JID_MULTI)
			continue;
		if ((strlen(f->var) == len && strncmp(f->var, name, len) == 0) ||
		    (is_short != NULL && strlen(is_short + 1) == len &&
			strncmp(is_short + 1, name, len) == 0))
			return f;
	}
	return NULL;
}

const char *
config_field_name(const char *name)
{
	const struct annex_field *f = field_named(name, strlen(name));

	return f == NULL ? NULL : f->var;
}

static void
add_value(struct annex_element *x, const struct annex_field *f, const char *value)
{
	struct annex_element *field = NULL;

	ANNEX_CHILDREN (x, child)
		if (strcmp(annex_attr(child, "var"), f->var) == 0)
			field = child;
	if (field == NULL)
		annex_attr_set(field = annex_add(x, NULL, "field"), "var", f->var);
	annex_add_text(field, NULL, "value", value);
}

static int
read_defaults(const struct annex_strings *list, struct annex_element *x, const char **why)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->value[i], *equals = strchr(text, '=');
		const struct annex_field *f =
		    equals == NULL ? NULL : field_named(text, (size_t)(equals - text));

		if (f == NULL) {
			*why = annex_sprintf(x->pool,
			    "defaults: \"%s\" is no FIELD=VALUE of the configuration of rooms",
			    text);
			return ANNEX_EINVAL;
		}
		add_value(x, f, equals + 1);
	}
	return ANNEX_OK;
}

static struct annex_element *
form_begin(struct annex_pool *pool)
{
	struct annex_element *x = annex_element(pool, ANNEX_NS_FORM, "x");

	annex_attr_set(x, "type", "submit");
	return x;
}

static const char *const all_roles[] = { "moderator", "participant", "visitor" };

static const struct room_config plain = {
	.name = "",
	.desc = "",
	.lang = "en",
	.secret = "",
	.pubsub = "",
	.whois = "moderators",
	.allow_pm = "anyone",
	.max_users = "none",
	.broadcast = { all_roles, 3 },
	.member_list = { all_roles, 2 },
	.visitor_nick = true,
	.visitor_status = true,
	.voice_requests = true,
	.queries = true,
};

int
preset_read(const struct muc_settings *set, struct annex_pool *pool, struct room_config *config,
    const char **why)
{
	struct annex_element *x = form_begin(pool), *own = form_begin(pool);

	*config = plain;
	config->logged = set->archive;
	config->persistent = set->persistent;
	config->listed = set->listed;
	config->max_history = set->max_history;
	for (size_t i = 0; i < sizeof(preset_fields) / sizeof(*preset_fields); i++)
		if (strcmp(preset_fields[i].preset, set->preset) == 0)
			add_value(x,
			    field_named(preset_fields[i].field, strlen(preset_fields[i].field)),
			    preset_fields[i].value);
	if (read_defaults(&set->defaults, own, why) < 0 ||
	    annex_form_read(&config_form, x, config, NULL, pool, why) < 0)
		return ANNEX_EINVAL;
	return annex_form_read(&config_form, own, config, NULL, pool, why);
}
