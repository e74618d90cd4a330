/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * avatar.c - the vCards of rooms and of the service (XEP-0054), and so the
 * avatars of rooms (XEP-0486)
 *
 * Owners set a room's vCard.  The hashes of its pictures are in the room's own
 * row, so that disco#info names them without looking at the pictures.
 */
#include <string.h>

#include <annex/digest.h>
#include <sodium.h>

#include "muc.h"

#define PHOTOS_MAX 4

/* --- What is in it ------------------------------------------------------------ */

static const char *
photo_hash(const struct annex_element *photo, struct annex_pool *pool)
{
	const struct annex_element *binval = annex_child(photo, NULL, "BINVAL");
	const char *text = binval == NULL ? NULL : annex_text_all(binval, pool);
	unsigned char *bytes;
	size_t len;

	if (text == NULL)
		return NULL;
	bytes = annex_pool_alloc(pool, strlen(text) + 1);
	if (sodium_base642bin(bytes, strlen(text), text, strlen(text), " \t\r\n", &len, NULL,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    len == 0)
		return NULL;
	return annex_sha1(pool, bytes, len);
}

/* Every <PHOTO/> shows the same in another format (XEP-0486 §6.1); NULL where one is no picture. */
static const struct annex_strings *
hashes_of(const struct annex_element *vcard, struct annex_pool *pool)
{
	struct annex_strings *hashes = annex_new(pool, struct annex_strings);
	const char **value = annex_new_array(pool, const char *, PHOTOS_MAX);

	hashes->value = value;
	ANNEX_CHILDREN (vcard, photo) {
		if (!annex_is(photo, NS_VCARD, "PHOTO") ||
		    annex_child(photo, NULL, "EXTVAL") != NULL)
			continue;
		if (hashes->count == PHOTOS_MAX ||
		    (value[hashes->count++] = photo_hash(photo, pool)) == NULL)
			return NULL;
	}
	return hashes;
}

/* --- Of a room ------------------------------------------------------------------ */

static int
vcard_put(struct room *room, const struct annex_element *vcard, const struct annex_strings *hashes)
{
	struct muc *m = room->muc;
	struct annex_key key = muc_key(TABLE_VCARDS, room->id);
	struct annex_strings before = room->avatar;
	Muc__Vcard record = MUC__VCARD__INIT;
	size_t len;
	int r;

	room->avatar = *hashes;
	r = room_put(room);
	room->avatar = before;
	if (r < 0)
		return r;
	record.xml = record_text(annex_element_write(vcard, annex_scratch(m->inst), &len));
	r = vcard->first == NULL ? annex_delete(m->store, &key)
				 : annex_put(m->store, &key, &record.base);
	if (muc_must(m, r) < 0)
		return r;
	strings_keep(room->pool, &room->avatar, hashes);
	return ANNEX_OK;
}

enum annex_verdict
muc_vcard_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	static const unsigned codes[] = { CODE_CONFIGURED, 0 };
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	const struct annex_strings *hashes;
	struct room *room;
	size_t len;

	if (in->to->local == NULL)
		return muc_refuse(m, in, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, NULL);
	if ((room = room_of_iq(m, in, &verdict)) == NULL)
		return verdict;
	if (power_of(room, in->from) < RANK_OWNER)
		return muc_refuse(m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH,
		    "Only owners of the room set its vCard.");
	if (annex_element_write(in->payload, in->pool, &len) == NULL ||
	    len > (size_t)m->set->max_vcard_bytes)
		return muc_refuse(
		    m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY, "The picture is too large.");
	if ((hashes = hashes_of(in->payload, in->pool)) == NULL)
		return muc_refuse(
		    m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY, "That is no picture.");
	if (vcard_put(room, in->payload, hashes) < 0)
		return muc_full(m, in);
	muc_confirm(m, in);
	room_tell(room, codes);
	return ANNEX_DONE;
}

static struct annex_element *
vcard_get(const struct room *room, struct annex_pool *pool)
{
	struct annex_key key = muc_key(TABLE_VCARDS, room->id);
	ProtobufCMessage *record;
	const char *xml;

	if (annex_get(room->muc->store, &key, &record) < 0)
		return NULL;
	xml = ((Muc__Vcard *)record)->xml;
	return kept_element(pool, xml);
}

/* --- Of the service ------------------------------------------------------------- */

enum annex_verdict
muc_vcard_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	const struct annex_element *kept;
	struct annex_element *vcard;
	struct annex_stanza *out;
	struct room *room;

	if (in->to->local == NULL)
		return ANNEX_PASS;
	if ((room = room_of_iq(m, in, &verdict)) == NULL)
		return verdict;
	out = annex_reply(inst, in);
	vcard = annex_add(out->element, NS_VCARD, "vCard");
	if ((kept = vcard_get(room, out->pool)) != NULL)
		annex_add_copies(vcard, kept);
	muc_answer(m, in, out);
	return ANNEX_DONE;
}
