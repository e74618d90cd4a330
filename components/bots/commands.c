/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * commands.c - what operators may do, as ad-hoc commands (XEP-0050) and with
 * annexctl
 */
#include "admin.h"
#include "http.h"

#define OF_BOT(node_, name_, form_, run_, help_)                                            \
	{                                                                                   \
		.node = (node_), .name = (name_), .who = ANNEX_WHO_ADMIN, .form = &(form_), \
		.values_size = sizeof(struct admin_values), .run = (run_), .help = (help_), \
	}

const struct annex_command bots_commands[] = {
	{
	    .node = "bots",
	    .name = "List bots",
	    .who = ANNEX_WHO_ADMIN,
	    .run = admin_bots,
	    .help = "List the bots, how many programs each has, and how many events wait.",
	},
	OF_BOT("bot-add", "Make a bot", made_add_form, made_add,
	    "Make a bot, whose programs attach over the socket or HTTP."),
	OF_BOT("bot-set", "Set an option of a bot", made_set_form, made_set,
	    "Set an option of a bot that a command made."),
	OF_BOT("bot-show", "Show a bot", admin_bot_form, made_show,
	    "Show the options of a bot, and its programs."),
	OF_BOT("bot-remove", "Remove a bot", admin_bot_form, made_remove,
	    "Remove a bot that a command made, with all that is kept of it."),
	OF_BOT("contacts", "List contacts", admin_bot_form, admin_contacts,
	    "List who has a bot as a contact, when they were heard of last, and who is probably gone."),
	OF_BOT("ban", "Ban somebody", ban_form, admin_ban,
	    "Let a bot have nothing to do with somebody, who loses it as a contact."),
	OF_BOT("unban", "Let somebody back", unban_form, admin_unban,
	    "Let somebody back who was banned from a bot."),
	OF_BOT("bans", "List who is banned", admin_bot_form, admin_bans,
	    "List who is banned from a bot, since when, and why."),
	OF_BOT("dead", "List dead letters", admin_bot_form, admin_dead,
	    "List the events of a bot that were given up, and why."),
	OF_BOT("retry", "Try dead letters again", admin_bot_form, admin_retry,
	    "Let the programs of a bot try anew what was given up."),
	OF_BOT("poke", "Try again now", admin_bot_form, admin_poke,
	    "Try what failed again now, without waiting for its time."),
	/* What gives a secret away, or takes it, is for annexctl alone: no archive of messages holds it. */
	{
	    .node = "token-add",
	    .name = "Add a token",
	    .who = ANNEX_WHO_OPERATOR,
	    .form = &token_add_form,
	    .values_size = sizeof(struct token_values),
	    .run = token_add,
	    .help =
		"Make a token with which a program speaks for a bot over HTTP, and tell it once.",
	},
	{
	    .node = "token-remove",
	    .name = "Remove a token",
	    .who = ANNEX_WHO_OPERATOR,
	    .form = &token_remove_form,
	    .values_size = sizeof(struct token_values),
	    .run = token_remove,
	    .help = "Let a token be of no use any more.",
	},
	{
	    .node = "tokens",
	    .name = "List tokens",
	    .who = ANNEX_WHO_OPERATOR,
	    .run = token_list,
	    .help = "List tokens, what for, and for whom.",
	},
	{ 0 },
};
