/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * subscription.h - who is subscribed to a node, how, and what becomes of it
 */
#ifndef PUBSUB_SUBSCRIPTION_H
#define PUBSUB_SUBSCRIPTION_H

#include <annex/command.h>
#include <annex/contacts.h>
#include <annex/form.h>

#include "fault.h"
#include "node.h"

/* XEP-0060 §4.2; as in the store. */
enum state { STATE_NONE, STATE_PENDING, STATE_UNCONFIGURED, STATE_SUBSCRIBED };

/* What a subscriber may set (§16.4.2). */
struct sub_options {
	bool deliver, digest, include_body;
	int64_t digest_frequency; /* milliseconds */
	const char *expire;       /* a date, "presence", or "" */
	struct annex_strings show_values;
	const char *type, *depth;
};
extern const struct annex_form options_form;
extern const struct annex_field options_fields[];
extern const struct sub_options options_baseline;

/* One subscription, read from the store; in scratch. */
struct sub {
	struct node *node;
	uint64_t number; /* 0: not in the store yet */
	const char *jid, *bare, *subid;
	enum state state;
	struct sub_options options;
	int64_t since_ms, bounce_ms;
	uint32_t bounces;
	bool warned;
	bool is_public, was_public; /* to be seen by everybody; in the store */
};

const char *state_name(enum state state);
int state_read(const char *text, enum state *state_r) ANNEX_MUST_CHECK;
struct sub sub_of_record(struct node *node, uint64_t number, const Pubsub__Subscription *record);
/* Those of a bare JID at a node, in the order they were made; at most most. */
size_t subs_of_bare(struct node *node, const char *bare, struct sub *subs, size_t most);
/* The subscriptions of exactly that JID; at most most. */
size_t subs_of_jid(struct node *node, const struct annex_jid *jid, struct sub *subs, size_t most);
/* The row by which a bare JID finds one of its subscriptions, and its place among all of them, go. */
int subscriber_remove(struct pubsub *p, const char *bare, uint64_t node, uint64_t number);
/* What a bare JID has best at a node. */
enum state state_of(const struct node *node, const char *bare);
/* The one of that number; false where there is none. */
bool sub_at(struct node *node, uint64_t number, struct sub *sub_r);
struct sub sub_make(struct node *node, const struct annex_jid *jid, enum state state);
int sub_put(struct sub *sub) ANNEX_MUST_CHECK;
int sub_remove(const struct sub *sub) ANNEX_MUST_CHECK;
uint64_t subs_count(const struct node *node);
/* The same without those that wait for approval. */
uint64_t subs_approved(const struct node *node);
uint64_t subs_last(const struct node *node);
/* Whether it wants to be told of items, as its options are and as the subscriber is there. */
bool sub_wants_items(const struct sub *sub);
/* <subscription/> as answers and events have it; node is left out where with_node is false. */
struct annex_element *sub_add(struct annex_element *parent, const struct sub *sub, bool with_node);

#define SUBS_MAX 32 /* of one JID at one node */

/* --- options.c, approve.c, bounce.c: what becomes of subscriptions -------------- */

enum fault options_read(const struct pubsub *p, const struct annex_element *x,
    struct sub_options *options, struct annex_pool *pool, const char **why);
/* Give it a state: written, told to the subscriber and to owners that want to know. */
int sub_change(struct sub *sub, enum state state) ANNEX_MUST_CHECK;
/* Take it away without a word to the subscriber, who cannot be reached. */
int sub_drop(struct sub *sub) ANNEX_MUST_CHECK;
/* Ask the owners about a pending one, in the language of who asks; or NULL. */
void ask_owners(const struct sub *sub, const char *lang);
enum annex_verdict authorization(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict bounce(struct annex_instance *inst, const struct annex_stanza *in);
void preset_pending(struct annex_instance *inst, struct annex_run *run, void *values);
int run_pending(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);

/* --- presence.c ----------------------------------------------------------- */

/* Ask to see their presence, where something of the subscription depends on it: of those who
 * subscribe themselves.  Whom an owner subscribes is not prompted. */
int presence_ask(const struct sub *sub) ANNEX_MUST_CHECK;
/* Somebody has published: where items go with them that is noted, and their presence asked for. */
int presence_note_publisher(const struct node *node, const char *bare) ANNEX_MUST_CHECK;
/* Whether it is known that nobody is there. */
bool presence_is_offline(const struct pubsub *p, const char *bare);
/* Whether the subscriber is what they want to be for a notification (show-values). */
bool presence_suits(const struct pubsub *p, const struct sub *sub);
extern const struct annex_contacts pubsub_contacts;
enum annex_verdict presence(struct annex_instance *inst, const struct annex_stanza *in);

/* --- roster.c ------------------------------------------------------------- */

/* Whether a roster of an owner lets somebody in, in order of what counts. */
enum trust {
	TRUST_NO,
	TRUST_UNKNOWN, /* nobody tells */
	TRUST_LATER,   /* it can be asked for */
	TRUST_YES,
};

void rosters_init(struct pubsub *p);
void rosters_forget(struct pubsub *p);
enum trust roster_trust(const struct node *node, const char *bare);
/* Whether the request must wait for a roster; wait: it is run again then. */
bool roster_is_wanted(const struct request *rq);
enum annex_verdict roster_wait(struct request *rq);
/* Read those of the owners that are not known (any more): subscriptions are judged anew then. */
void roster_refresh(const struct node *node);
struct annex_roster_item;
void roster_pushed(
    struct annex_instance *inst, const char *account, const struct annex_roster_item *item);

/* --- waiting.c ------------------------------------------------------------ */

void waiting_init(struct pubsub *p);
bool waiting_is_full(const struct pubsub *p);
/* Hold a request until the roster of that account has come, or will not; then it is run again. */
enum annex_verdict waiting_add(struct request *rq, const char *account);
void waiting_wake(struct pubsub *p, const char *account);

/* --- expire.c ------------------------------------------------------------- */

/* The same for the lease of a subscription. */
int lease_arrange(const struct sub *sub) ANNEX_MUST_CHECK;
void sub_alarms_clear(struct pubsub *p, uint64_t node, uint64_t number);
int digest_add(const struct sub *sub, const char *id, bool retracted) ANNEX_MUST_CHECK;

#endif /* PUBSUB_SUBSCRIPTION_H */
