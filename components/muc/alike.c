/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alike.c - whether a nickname is somebody else's, or passes for one (XEP-0045
 * §7.2.8, §16.6.6)
 *
 * What is the same is the same when folded (nick.c).  With the option
 * look-alikes, what reads the same is, too: letters that are drawn alike count
 * as one, after the example of UTS #39 but for the scripts that people mostly mistake.
 */
#include <string.h>

#include "muc.h"

static const struct look {
	uint32_t of;
	char as;
} looks[] = {
	{ 0x0030, 'o' }, /* digit zero */
	{ 0x0031, 'l' }, /* digit one */
	{ 0x0035, 's' }, /* digit five */
	{ 0x0069, 'l' }, /* i */
	{ 0x007c, 'l' }, /* vertical line */
	{ 0x0131, 'l' }, /* dotless i */
	{ 0x01c0, 'l' }, /* latin letter dental click */
	{ 0x0251, 'a' }, /* alpha */
	{ 0x0261, 'g' }, /* script g */
	{ 0x0269, 'l' }, /* iota */
	{ 0x028f, 'y' }, /* latin letter small capital y */
	{ 0x03b1, 'a' }, /* greek alpha */
	{ 0x03b2, 'b' }, /* greek beta */
	{ 0x03b3, 'y' }, /* greek gamma */
	{ 0x03b5, 'e' }, /* greek epsilon */
	{ 0x03b7, 'n' }, /* greek eta */
	{ 0x03b9, 'l' }, /* greek iota */
	{ 0x03ba, 'k' }, /* greek kappa */
	{ 0x03bd, 'v' }, /* greek nu */
	{ 0x03bf, 'o' }, /* greek omicron */
	{ 0x03c1, 'p' }, /* greek rho */
	{ 0x03c3, 'o' }, /* greek sigma */
	{ 0x03c4, 't' }, /* greek tau */
	{ 0x03c5, 'u' }, /* greek upsilon */
	{ 0x03c7, 'x' }, /* greek chi */
	{ 0x03c9, 'w' }, /* greek omega */
	{ 0x0430, 'a' }, /* cyrillic a */
	{ 0x0432, 'b' }, /* cyrillic ve */
	{ 0x0433, 'r' }, /* cyrillic ghe */
	{ 0x0435, 'e' }, /* cyrillic ie */
	{ 0x0437, '3' }, /* cyrillic ze */
	{ 0x043a, 'k' }, /* cyrillic ka */
	{ 0x043c, 'm' }, /* cyrillic em */
	{ 0x043d, 'h' }, /* cyrillic en */
	{ 0x043e, 'o' }, /* cyrillic o */
	{ 0x0440, 'p' }, /* cyrillic er */
	{ 0x0441, 'c' }, /* cyrillic es */
	{ 0x0442, 't' }, /* cyrillic te */
	{ 0x0443, 'y' }, /* cyrillic u */
	{ 0x0445, 'x' }, /* cyrillic ha */
	{ 0x044c, 'b' }, /* cyrillic soft sign */
	{ 0x0451, 'e' }, /* cyrillic io */
	{ 0x0455, 's' }, /* cyrillic dze */
	{ 0x0456, 'l' }, /* cyrillic byelorussian-ukrainian i */
	{ 0x0457, 'l' }, /* cyrillic yi */
	{ 0x0458, 'j' }, /* cyrillic je */
	{ 0x0475, 'v' }, /* cyrillic izhitsa */
	{ 0x04bb, 'h' }, /* cyrillic shha */
	{ 0x04cf, 'l' }, /* cyrillic palochka */
	{ 0x0501, 'd' }, /* cyrillic komi de */
	{ 0x051b, 'q' }, /* cyrillic qa */
	{ 0x051d, 'w' }, /* cyrillic we */
	{ 0x0561, 'w' }, /* armenian ayb */
	{ 0x0566, 'q' }, /* armenian za */
	{ 0x0570, 'h' }, /* armenian ho */
	{ 0x0578, 'n' }, /* armenian vo */
	{ 0x057d, 'u' }, /* armenian seh */
	{ 0x0581, 'g' }, /* armenian co */
	{ 0x0585, 'o' }, /* armenian oh */
	{ 0x1d0f, 'o' }, /* latin letter small capital o */
	{ 0x217c, 'l' }, /* small roman numeral fifty */
	{ 0xa781, 'l' }, /* turned l */
};

/* In place of every letter the one it is taken for; "rn" reads as "m". */
static const char *
skeleton(struct annex_pool *pool, const char *nick)
{
	const char *text = nick_fold(pool, nick), *start;
	char *out = annex_pool_alloc(pool, strlen(text) + 1), *at = out;
	uint32_t c;

	for (start = text; (c = nick_next_point(&text)) != 0; start = text) {
		char as = '\0';

		for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++)
			if (looks[i].of == c)
				as = looks[i].as;
		if (as == '\0') {
			memcpy(at, start, (size_t)(text - start));
			at += text - start;
		} else {
			*at++ = as;
		}
		if (at - out >= 2 && at[-2] == 'r' && at[-1] == 'n') {
			at--;
			at[-1] = 'm';
		}
	}
	*at = '\0';
	return out;
}

static bool
looks_like_an_occupant(const struct room *room, const char *looks_as, const char *bare)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);

	OCCUPANTS_EACH(room, o)
	if (strcmp(o->bare, bare) != 0 && strcmp(skeleton(pool, o->nick), looks_as) == 0)
		return true;
	return false;
}

static bool
looks_like_a_reserved_one(const struct room *room, const char *looks_as, const char *bare)
{
	struct annex_key prefix = muc_key(TABLE_NICKS, room->id);
	struct annex_iter it = annex_iter(&prefix);
	struct annex_pool *pool = annex_scratch(room->muc->inst);

	while (annex_next(room->muc->store, &it) == ANNEX_AGAIN) {
		const Muc__Nick *nick = (const Muc__Nick *)it.record;

		if (strcmp(nick->jid, bare) != 0 &&
		    strcmp(skeleton(pool, nick->nick), looks_as) == 0)
			return true;
	}
	return false;
}

bool
nick_is_taken(const struct room *room, const char *nick, const char *bare)
{
	const struct occupant *o = occupant_find(room, nick);
	const char *owner = nick_owner(room, nick), *looks_as;

	if ((owner != NULL && strcmp(owner, bare) != 0) ||
	    (o != NULL && strcmp(o->bare, bare) != 0))
		return true;
	if (!room->muc->set->look_alikes)
		return false;
	looks_as = skeleton(annex_scratch(room->muc->inst), nick);
	return looks_like_an_occupant(room, looks_as, bare) ||
	    looks_like_a_reserved_one(room, looks_as, bare);
}
