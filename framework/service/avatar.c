/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * avatar.c - pictures of views, kept once, and shown to whom they belong
 *
 * The picture is a row by its hash, how many views name it another, so that
 * counting does not write the picture again.  What is served is found the way a
 * presence is: by the view that the requester is shown.
 */
#include <string.h>

#include <annex/avatar.h>
#include <annex/disco.h>

#include "base/base64.h"
#include "base/check.h"
#include "contact.h"

#define NS_VCARD "vcard-temp"
#define NS_PUBSUB "http://jabber.org/protocol/pubsub"
#define NODE_DATA "urn:xmpp:avatar:data"
#define NODE_VCARD4 "urn:xmpp:vcard4"
#define NS_VCARD4 "urn:ietf:params:xml:ns:vcard-4.0"

static struct annex_key
key_of(const struct annex_table *table, const char *sha1)
{
	struct annex_key key = annex_key(table);

	annex_key_text(&key, sha1);
	return key;
}

/* --- Keeping ------------------------------------------------------------------ */

int
annex_avatar_put(struct annex_instance *inst, const void *bytes, size_t len, const char **sha1_r)
{
	Annex__Service__Avatar row = ANNEX__SERVICE__AVATAR__INIT;
	struct annex_avatar avatar;
	char sha1[SHA1_HEX_ROOM];
	struct annex_key key;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if ((r = annex_avatar_look(bytes, len, &avatar)) < 0 ||
	    (r = sha1_hex(bytes, len, sha1)) < 0)
		return r;
	*sha1_r = annex_strdup(inst->scratch, sha1);
	key = key_of(&avatar_table, sha1);
	if (annex_has(inst->store, &key))
		return ANNEX_OK;
	row.type = (char *)(uintptr_t)avatar.type;
	row.width = avatar.width;
	row.height = avatar.height;
	row.data = (ProtobufCBinaryData) { len, (uint8_t *)(uintptr_t)bytes };
	return annex_put(inst->store, &key, &row.base);
}

int
annex_avatar_get(struct annex_instance *inst, const char *sha1, struct annex_avatar *avatar_r)
{
	struct annex_key key = key_of(&avatar_table, sha1);
	const Annex__Service__Avatar *row;
	ProtobufCMessage *record;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if ((r = annex_get(inst->store, &key, &record)) < 0)
		return r;
	row = (const Annex__Service__Avatar *)record;
	*avatar_r = (struct annex_avatar) {
		.sha1 = sha1,
		.type = row->type,
		.width = row->width,
		.height = row->height,
		.bytes = row->data.data,
		.len = row->data.len,
	};
	return ANNEX_OK;
}

bool
avatar_is_known(struct annex_instance *inst, const char *sha1)
{
	struct annex_key key = key_of(&avatar_table, sha1);

	return sha1[0] == '\0' || annex_has(inst->store, &key);
}

static int
count(struct annex_instance *inst, const char *sha1, int64_t by)
{
	Annex__Service__AvatarUse use = ANNEX__SERVICE__AVATAR_USE__INIT;
	struct annex_key key = key_of(&avatar_use_table, sha1), picture;
	ProtobufCMessage *record;
	int r;

	if (sha1[0] == '\0')
		return ANNEX_OK;
	if ((r = annex_get(inst->store, &key, &record)) == ANNEX_OK)
		use.views = ((Annex__Service__AvatarUse *)record)->views;
	else if (r != ANNEX_ENOENT)
		return r;
	use.views += (uint64_t)by;
	if (use.views != 0)
		return annex_put(inst->store, &key, &use.base);
	picture = key_of(&avatar_table, sha1);
	if ((r = annex_delete(inst->store, &key)) < 0)
		return r;
	return annex_delete(inst->store, &picture);
}

int
avatar_use(struct annex_instance *inst, const char *sha1)
{
	return count(inst, sha1, 1);
}

int
avatar_release(struct annex_instance *inst, const char *sha1)
{
	return count(inst, sha1, -1);
}

/* --- Whose is shown to whom ----------------------------------------------------- */

int
view_served(
    struct annex_instance *inst, const char *resource, const contact_row *row, view_row **view_r)
{
	struct annex_iter it = view_resources(row->me);
	view_row *best = NULL, *view;
	int r;

	while ((r = annex_next(inst->store, &it)) == ANNEX_AGAIN) {
		const char *name = ((view_row *)it.record)->resource;

		if (resource != NULL && strcmp(resource, name) != 0)
			continue;
		if ((r = view_resolve(inst, row->me, name, row, &view)) < 0)
			return r;
		if (best == NULL || view->priority > best->priority)
			best = view;
	}
	*view_r = best;
	return r < 0 ? r : best == NULL ? ANNEX_ENOENT : ANNEX_OK;
}

static int
view_for(struct annex_instance *inst, const struct annex_stanza *in, view_row **view_r)
{
	contact_row *row;
	int r = contact_load(inst, in->to->bare, in->from->bare, &row);

	if (r < 0 && r != ANNEX_ENOENT)
		return r;
	return view_served(inst, in->to->resource, row, view_r);
}

/* ANNEX_ENOENT: no picture is shown to them; *avatar_r is empty. */
static int
avatar_for(
    struct annex_instance *inst, const struct annex_stanza *in, struct annex_avatar *avatar_r)
{
	view_row *view;
	int r;

	*avatar_r = (struct annex_avatar) { 0 };
	if ((r = view_for(inst, in, &view)) < 0)
		return r;
	if (view->avatar[0] == '\0')
		return ANNEX_ENOENT;
	return annex_avatar_get(inst, view->avatar, avatar_r);
}

/* What the component says of itself; ANNEX_ENOENT: that address is not there for them. */
static int
vcard_of(struct annex_instance *inst, const struct annex_stanza *in, struct annex_element *vcard)
{
	const struct annex_contacts *ops = inst->module->contacts;
	view_row *view;

	if (ops->vcard != NULL)
		return ops->vcard(inst, in, vcard);
	return view_for(inst, in, &view);
}

/* --- vCard (XEP-0054, XEP-0153 §3.2) -------------------------------------------- */

enum annex_verdict
contact_vcard(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_element *vcard, *photo;
	struct annex_avatar avatar;
	struct annex_stanza *out;

	if (inst->module->contacts == NULL)
		return ANNEX_PASS;
	out = annex_reply(inst, in);
	vcard = annex_add(out->element, NS_VCARD, "vCard");
	if (vcard_of(inst, in, vcard) < 0)
		return ANNEX_PASS;
	if (avatar_for(inst, in, &avatar) == ANNEX_OK) {
		photo = annex_add(vcard, NULL, "PHOTO");
		annex_add_text(photo, NULL, "TYPE", avatar.type);
		annex_add_text(
		    photo, NULL, "BINVAL", base64_encode(inst->scratch, avatar.bytes, avatar.len));
	}
	annex_send(inst, out);
	return ANNEX_DONE;
}

/* --- PEP (XEP-0084 §3.3, XEP-0292 §3.1) ------------------------------------------- */

static const char *
add_data(struct annex_instance *inst, const struct annex_stanza *in, struct annex_element *item)
{
	struct annex_avatar a;

	if (avatar_for(inst, in, &a) < 0)
		return NULL;
	annex_add_text(item, NODE_DATA, "data", base64_encode(inst->scratch, a.bytes, a.len));
	return a.sha1;
}

void
avatar_describe(struct annex_element *item, const struct annex_avatar *avatar)
{
	struct annex_element *metadata = annex_add(item, NODE_METADATA, "metadata"), *info;

	if (avatar == NULL)
		return;
	info = annex_add(metadata, NULL, "info");
	annex_attr_setf(info, "bytes", "%zu", avatar->len);
	annex_attr_set(info, "id", avatar->sha1);
	annex_attr_set(info, "type", avatar->type);
	annex_attr_setf(info, "width", "%u", avatar->width);
	annex_attr_setf(info, "height", "%u", avatar->height);
}

static const char *
add_metadata(struct annex_instance *inst, const struct annex_stanza *in, struct annex_element *item)
{
	struct annex_avatar a;

	if (avatar_for(inst, in, &a) < 0)
		return NULL;
	avatar_describe(item, &a);
	return a.sha1;
}

/* What the old vCard says, in the elements of RFC 6351. */
static const struct property {
	const char *old, *name, *kind, *scheme;
} properties[] = {
	{ "NICKNAME", "nickname", "text", "" },
	{ "DESC", "note", "text", "" },
	{ "URL", "url", "uri", "" },
	{ "JABBERID", "impp", "uri", "xmpp:" },
	{ 0 },
};

static const char *
add_vcard(struct annex_instance *inst, const struct annex_stanza *in, struct annex_element *item)
{
	struct annex_element *old = annex_element(inst->scratch, NS_VCARD, "vCard");
	struct annex_element *vcard = annex_add(item, NS_VCARD4, "vcard");
	const char *text;
	struct annex_avatar a;

	if (vcard_of(inst, in, old) < 0)
		return NULL;
	text = annex_child_text(old, NULL, "FN");
	annex_add_text(annex_add(vcard, NULL, "fn"), NULL, "text",
	    text != NULL ? text : in->to->bare); /* RFC 6350 §6.2.1: there is one */
	for (const struct property *p = properties; p->old != NULL; p++)
		if ((text = annex_child_text(old, NULL, p->old)) != NULL)
			annex_add_text(annex_add(vcard, NULL, p->name), NULL, p->kind,
			    annex_sprintf(inst->scratch, "%s%s", p->scheme, text));
	if (avatar_for(inst, in, &a) == ANNEX_OK)
		annex_add_text(annex_add(vcard, NULL, "photo"), NULL, "uri",
		    annex_sprintf(inst->scratch, "data:%s;base64,%s", a.type,
			base64_encode(inst->scratch, a.bytes, a.len)));
	return "current";
}

/* Each has one item, by that id; NULL: there is none for them. */
static const struct pep_node {
	const char *name;
	const char *(*add)(
	    struct annex_instance *inst, const struct annex_stanza *in, struct annex_element *item);
} pep_nodes[] = {
	{ NODE_DATA, add_data },
	{ NODE_METADATA, add_metadata },
	{ NODE_VCARD4, add_vcard },
};

/* Another that is asked for by its id is not there. */
static enum annex_verdict
pep_answer(struct annex_instance *inst, const struct annex_stanza *in,
    const struct annex_element *asked, const struct pep_node *node)
{
	const struct annex_element *which = annex_child(asked, NULL, "item");
	const char *wanted = which == NULL ? NULL : annex_attr(which, "id"), *id;
	struct annex_element *items, *item;
	struct annex_stanza *out;

	if (vcard_of(inst, in, annex_element(inst->scratch, NS_VCARD, "vCard")) < 0)
		return ANNEX_PASS;
	out = annex_reply(inst, in);
	items = annex_add(annex_add(out->element, NS_PUBSUB, in->payload->name), NULL, "items");
	annex_attr_set(items, "node", node->name);
	item = annex_add(items, NULL, "item");
	id = node->add(inst, in, item);
	if (id == NULL || (wanted != NULL && strcmp(wanted, id) != 0))
		return annex_refuse(inst, in, ANNEX_ITEM_NOT_FOUND, NULL);
	annex_attr_set(item, "id", id);
	annex_send(inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
contact_pep(struct annex_instance *inst, const struct annex_stanza *in)
{
	const struct annex_element *items = annex_child(in->payload, NULL, "items");
	const char *name = items == NULL ? NULL : annex_attr(items, "node");

	if (inst->module->contacts == NULL || name == NULL)
		return ANNEX_PASS;
	for (size_t i = 0; i < sizeof(pep_nodes) / sizeof(*pep_nodes); i++)
		if (strcmp(pep_nodes[i].name, name) == 0)
			return pep_answer(inst, in, items, &pep_nodes[i]);
	return ANNEX_PASS;
}
