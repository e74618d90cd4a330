/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * profile.c - nodes that are feeds (XEP-0277, XEP-0472): what they are like unless
 * their owners say otherwise, and what an item of one must be
 *
 * A node is a feed by its name, where that is a profile's, or by pubsub#type.  What the profiles
 * want is preset: whoever makes the node may say otherwise.  Where owners want it (x-pubsub#validate) an
 * item must be an Atom entry with what RFC 4287 §4.1.2 says that each has.  Its contents, dates above
 * all, are nobody's to change.
 */
#include <string.h>

#include "pubsub.h"

#define NS_FEED "urn:xmpp:pubsub-social-feed:1"
#define NS_GALLERY "urn:xmpp:pubsub-social-feed:gallery:1"
#define NS_MICROBLOG "urn:xmpp:microblog:0"
#define COMMENTS NS_MICROBLOG ":comments/"

static const struct profile {
	const char *type;
	bool is_feed, is_gallery;
} profiles[] = {
	{ NS_FEED, true, false },
	{ NS_GALLERY, true, true },
	{ NS_MICROBLOG, true, false },
	{ NS_ATOM, false, false },
};

static const struct profile *
profile_of(const struct node_config *config)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
		if (strcmp(profiles[i].type, config->type) == 0)
			return &profiles[i];
	return NULL;
}

static bool
is_comments(const char *name)
{
	return strncmp(name, COMMENTS, strlen(COMMENTS)) == 0;
}

bool
profile_is_feed(const struct node_config *config)
{
	const struct profile *profile = profile_of(config);

	return profile != NULL && profile->is_feed;
}

void
profile_preset(const char *name, const char *type, struct node_config *config)
{
	if (name != NULL && (strcmp(name, NS_MICROBLOG) == 0 || is_comments(name)))
		config->type = NS_MICROBLOG;
	if (type != NULL)
		config->type = type;
	if (!profile_is_feed(config))
		return;
	config->notify_retract = true;
	config->persist_items = true;
	config->max_items = "max";
	if (name != NULL && is_comments(name)) {
		/* XEP-0277 §2.11.2: everybody comments, and who did is shown. */
		config->publish_model = "open";
		config->itemreply = "publisher";
	} else {
		/* XEP-0472 §5.1.1 */
		config->send_last = "never";
		config->deliver_payloads = false;
	}
}

/* --- Items ----------------------------------------------------------------------------------- */

static bool
has_picture(const struct annex_element *entry)
{
	const struct annex_element *link = annex_child(entry, NS_ATOM, "link");

	for (; link != NULL; link = annex_child_after(link, NS_ATOM, "link")) {
		const char *rel = annex_attr(link, "rel"), *type = annex_attr(link, "type");

		if (rel != NULL && strcmp(rel, "enclosure") == 0 &&
		    annex_attr(link, "href") != NULL && type != NULL &&
		    strncmp(type, "image/", 6) == 0)
			return true;
	}
	return false;
}

/* RFC 4287 §3.3: as XEP-0082 has dates, but for the letters, which may be small there. */
static bool
has_date(const struct annex_element *entry, const char *name)
{
	const char *text = annex_child_text(entry, NS_ATOM, name);
	int64_t ms;

	return text != NULL && annex_datetime_read(text, &ms) == ANNEX_OK;
}

const char *
profile_misses(const struct node_config *config, const struct annex_element *payload)
{
	const struct profile *profile = profile_of(config);

	if (!config->validate || profile == NULL || payload == NULL)
		return NULL;
	/* What describes the feed itself (XEP-0277 §2.10). */
	if (annex_is(payload, NS_ATOM, "feed"))
		return NULL;
	if (!annex_is(payload, NS_ATOM, "entry"))
		return "An item of a feed is an Atom entry.";
	if (annex_child(payload, NS_ATOM, "title") == NULL ||
	    annex_child(payload, NS_ATOM, "id") == NULL)
		return "An entry has a title and an id.";
	if (!has_date(payload, "updated"))
		return "An entry says when it was updated.";
	if (profile->is_gallery && !has_picture(payload))
		return "An entry of a gallery has a picture: a link with rel enclosure.";
	return NULL;
}
