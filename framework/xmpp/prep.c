/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * prep.c - the parts of a JID, prepared one by one (RFC 6122 §2, appendices A
 * and B; RFC 3491 for the domain)
 *
 * What is ASCII, and nearly all of it is, needs no library: nodeprep and
 * nameprep then come down to lower-casing through a table that holds 0 where
 * a character is not allowed, resourceprep to a look for controls.  Anything
 * else goes through libidn, which is given checked UTF-8 only.
 *
 * Servers prepare what they pass on, so the profiles are those of the
 * servers, not PRECIS; unassigned code points pass, since emoji would not
 * otherwise.  Stringprep is not idempotent for a few sequences (Unicode
 * public review issue 29); a part that changes again when it is prepared
 * again is refused, since two who prepared it a different number of times
 * would disagree about whose it is.
 *
 * A domain is prepared label by label, as IDNA asks (RFC 3490 §4): the
 * bidirectional rule would otherwise forbid an Arabic label under .org.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <stringprep.h>

#include "base/utf8.h"
#include "prep.h"

/* Nodeprep of ASCII: 0 for controls, space and "&'/:<>@ (RFC 6122 A.5). */
/* clang-format off */
static const char local_map[256] = {
	[0x20] = 0, '!', 0, '#', '$', '%', 0, 0, '(', ')', '*', '+', ',', '-', '.', 0,
	[0x30] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 0, ';', 0, '=', 0, '?',
	[0x40] = 0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	[0x50] = 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '[', '\\', ']', '^', '_',
	[0x60] = '`', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	[0x70] = 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '{', '|', '}', '~', 0,
};

/* Host names: letters, digits, hyphen, dot; and the underscore that private networks use. */
static const char domain_map[256] = {
	[0x20] = 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '-', '.', 0,
	[0x30] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 0, 0, 0, 0, 0, 0,
	[0x40] = 0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	[0x50] = 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, 0, 0, 0, '_',
	[0x60] = 0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	[0x70] = 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, 0, 0, 0, 0,
};
/* clang-format on */

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Whether one of the eight bytes is above 0x7e or below 0x20. */
static bool
has_special(uint64_t word)
{
	uint64_t above = word | (word + ONES);         /* 0x7f carries into the high bit */
	uint64_t below = (word - 0x20 * ONES) & ~word; /* exact while nothing is above */

	return ((above | below) & HIGHS) != 0;
}

/* Printable ASCII throughout. */
static bool
is_plain(const char *text, size_t len)
{
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, text + i, sizeof(word));
		if (has_special(word))
			return false;
	}
	for (; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
			return false;
	return true;
}

static bool
is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] > 0x7f)
			return false;
	return true;
}

static bool
has_length(const struct span *part)
{
	return part->len > 0 && part->len <= ANNEX_JID_PART_MAX;
}

/* One application of a profile to room, which holds the text. */
static bool
profile_apply(char room[PREP_ROOM], const Stringprep_profile *profile, bool strict)
{
	Stringprep_profile_flags flags = strict ? STRINGPREP_NO_UNASSIGNED : 0;

	return stringprep(room, PREP_ROOM, flags, profile) == STRINGPREP_OK && room[0] != '\0';
}

/* Prepare through libidn; the result is stable, or it is refused. */
static bool
profile_prep(
    struct span *part, char room[PREP_ROOM], const Stringprep_profile *profile, bool strict)
{
	char again[PREP_ROOM];

	if (!has_length(part) || memchr(part->text, '\0', part->len) != NULL ||
	    !utf8_is_valid(part->text, part->len))
		return false;
	memmove(room, part->text, part->len);
	room[part->len] = '\0';
	if (!profile_apply(room, profile, strict))
		return false;
	memcpy(again, room, strlen(room) + 1);
	if (!profile_apply(again, profile, strict) || strcmp(room, again) != 0)
		return false;
	*part = (struct span) { room, strlen(room) };
	return true;
}

bool
prep_local(struct span *part, char room[PREP_ROOM])
{
	const char *text = part->text;
	size_t i;

	if (!has_length(part))
		return false;
	for (i = 0; i < part->len; i++)
		if ((room[i] = local_map[(unsigned char)text[i]]) == 0)
			break;
	if (i < part->len) {
		if (is_ascii(text + i, part->len - i))
			return false;
		return profile_prep(part, room, stringprep_xmpp_nodeprep, false);
	}
	part->text = room;
	return true;
}

/* "[2001:DB8::1]": RFC 6122 §2.2 allows the literals of RFC 3986. */
static bool
prep_address(struct span *part, char room[PREP_ROOM])
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];
	size_t len = part->len - 2;

	if (part->len < 4 || part->text[part->len - 1] != ']' || len >= sizeof(text))
		return false;
	memcpy(text, part->text + 1, len);
	text[len] = '\0';
	if (strlen(text) != len || inet_pton(AF_INET6, text, &address) != 1)
		return false;
	for (size_t i = 0; i < part->len; i++) {
		char c = part->text[i];

		room[i] = c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c;
	}
	part->text = room;
	return true;
}

/* Bytes of the label separator at text (RFC 3490 §3.1: U+002E, U+3002, U+FF0E, U+FF61), or 0. */
static size_t
dot_length(const char *text, size_t len)
{
	static const char *const dots[] = { "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1" };

	if (text[0] == '.')
		return 1;
	for (size_t i = 0; len >= 3 && i < sizeof(dots) / sizeof(dots[0]); i++)
		if (memcmp(text, dots[i], 3) == 0)
			return 3;
	return 0;
}

/* A prepared label: not empty, and its ASCII that of a host name; a dot may not come of NFKC. */
static bool
label_is_allowed(const struct span *label)
{
	for (size_t i = 0; i < label->len; i++) {
		unsigned char c = (unsigned char)label->text[i];

		if (c < 0x80 && (c == '.' || domain_map[c] == 0))
			return false;
	}
	return label->len > 0;
}

/* Prepare the label at the start of *rest and append it; *rest moves on to its end. */
static bool
label_prep(struct span *rest, char room[PREP_ROOM], size_t *used)
{
	char label_room[PREP_ROOM];
	struct span label = { rest->text, 0 };

	while (
	    label.len < rest->len && dot_length(rest->text + label.len, rest->len - label.len) == 0)
		label.len++;
	rest->text += label.len;
	rest->len -= label.len;
	if (!profile_prep(&label, label_room, stringprep_nameprep, false) ||
	    !label_is_allowed(&label) || *used + label.len > ANNEX_JID_PART_MAX)
		return false;
	memcpy(room + *used, label.text, label.len);
	*used += label.len;
	return true;
}

static bool
prep_idn(struct span *part, char room[PREP_ROOM])
{
	struct span rest = *part;
	size_t used = 0, dot;

	for (;;) {
		if (!label_prep(&rest, room, &used))
			return false;
		if (rest.len == 0)
			break;
		dot = dot_length(rest.text, rest.len);
		rest.text += dot;
		rest.len -= dot;
		if (rest.len == 0)
			break;
		if (used == ANNEX_JID_PART_MAX)
			return false;
		room[used++] = '.';
	}
	*part = (struct span) { room, used };
	return true;
}

bool
prep_domain(struct span *part, char room[PREP_ROOM])
{
	const char *text = part->text;
	char before = '.', c;
	bool is_odd = false;

	if (!has_length(part))
		return false;
	if (text[0] == '[')
		return prep_address(part, room);
	/* To the end in any case: that is faster than to ask at each character. */
	for (size_t i = 0; i < part->len; i++) {
		c = domain_map[(unsigned char)text[i]];
		is_odd |= (c == 0) | ((c == '.') & (before == '.'));
		room[i] = before = c;
	}
	if (is_odd)
		return !is_ascii(text, part->len) && prep_idn(part, room);
	/* The dot of the root says nothing here (RFC 6122 §2.2). */
	*part = (struct span) { room, part->len - (before == '.') };
	return true;
}

bool
prep_resource(struct span *part, char room[PREP_ROOM])
{
	if (!has_length(part))
		return false;
	if (is_plain(part->text, part->len))
		return true;
	return profile_prep(part, room, stringprep_xmpp_resourceprep, false);
}

bool
prep_resource_strict(struct span *part, char room[PREP_ROOM])
{
	if (!has_length(part))
		return false;
	if (is_plain(part->text, part->len))
		return true;
	return profile_prep(part, room, stringprep_xmpp_resourceprep, true);
}
