/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * http.h - the carrier for web applications
 *
 *	http.c     connections: a request is read, waits until its turn is durable, is answered
 *	api.c      what a request asks for
 *	poll.c     programs that come and ask for events
 *	await.c    what became of messages and questions
 *	webhook.c  what web services send as it suits them, as messages
 *	places.c   files that bots sent, for whoever has the link
 *	token.c    who may
 */
#ifndef BOTS_HTTP_H
#define BOTS_HTTP_H

#include "carrier.h"

#define HTTP_WAIT_S 50
#define HTTP_WAIT_MOST_S 100

struct MHD_Connection;
struct MHD_Daemon;

struct http {
	struct bots *bots;
	struct MHD_Daemon *daemon;
	struct annex_watch *watch;
	struct annex_timer *timer;
	struct annex_link requests, pollers;
	struct annex_buckets *rates; /* by token */
	bool stopping;
};

/* What a token is for; in the store, so numbers stay. */
enum scope {
	SCOPE_SEND = 1 << 0,     /* messages, and other actions */
	SCOPE_EVENTS = 1 << 1,   /* the bot's events, and answers to them */
	SCOPE_HOOK = 1 << 2,     /* POST /v1/in */
	SCOPE_PRESENCE = 1 << 3, /* what is shown, and workers */
	SCOPE_CONTACTS = 1 << 4, /* who they are, and who may be one */
};

struct token {
	const char *bot, *name;
	unsigned scopes;
	const char
	    *to; /* of a hook: whom it is told; of others: whom alone they may write to, or "" */
};

/* A program that takes events over HTTP: whoever uses that token. */
struct poller {
	struct annex_link link;
	struct annex_pool *pool;
	struct http *http;
	const char *key; /* bot and name */
	struct consumer *consumer;
	struct request *current; /* whose actions are being run */
	struct request *waiting; /* its long poll */
	size_t most;             /* events that the poll wants */
	bool acknowledges;       /* what it was told is acknowledged with that */
	struct annex_timer *soon, *late, *gone;
};

struct request {
	uint32_t magic;
#define REQUEST_MAGIC 0x68747470u
	struct annex_link link;
	struct http *http;
	struct MHD_Connection *connection;
	struct annex_pool *pool;
	const char *path;
	const struct route *route;
	struct token token;
	struct bot *bot;
	struct poller *poller; /* where it polls */
	struct text body;      /* of the request */
	struct text told;      /* lines that its actions were answered with */
	bool started, suspended;
	/* The answer; status 0: not yet. */
	unsigned status;
	const char *type, *allow;
	const char *disposition; /* of a file: whether a browser shows it */
	struct text answer;
	bool durable; /* it may be heard */
	/* Of one that waits, until its patience ends: */
	struct annex_timer *patience; /* NULL: it does not */
	const char *question;         /* for the answer to that, */
	const char *message;          /* or for that to have come */
	enum send_state wanted;       /* so far */
};

/* api.c: */
struct route {
	const char *method; /* NULL ends the table */
	const char *path;   /* one that ends in a slash has something behind it */
	unsigned
	    scope; /* of the bearer's token, one of these; SCOPE_HOOK: of that in the path; 0: of none */
	void (*serve)(struct request *request);
};
extern const struct route http_routes[];
/* An answer of JSON: {"error":word,"text":...} */
void request_fail(struct request *request, unsigned status, const char *word, const char *fmt, ...)
    ANNEX_PRINTF(4, 5);
/* "NAME=number" of the address, at most most; preset where it is left out. */
int64_t
request_number(const struct request *request, const char *name, int64_t preset, int64_t most);
/* A token may be for one reader, or for those of one domain: whether to is one. */
bool request_is_reader(const struct request *request, const char *to);

/* poll.c: */
struct poller *poller_of(struct request *request);
/* The poll of that poller is over: with what there is. */
void poller_answer(struct poller *poller);
/* The bot goes, and its consumers with it. */
void pollers_forget(struct http *http, const struct bot *bot);
void serve_events(struct request *request);
extern const struct carrier http_carrier;

/* await.c: */
void serve_sends(struct request *request);
void serve_asks(struct request *request);
/* Before a message is sent: false where its "wait" was refused. */
bool await_judge(struct request *request);
/* It was sent: the answer waits for what "wait" says. */
void await_sent(struct request *request);
/* The question of bot of that name was answered; its message of that id came further. */
void http_answered(const struct bot *bot, const char *question);
void http_reached(const struct bot *bot, const char *id);
/* The bot goes: nothing points to it any more. */
void http_forget(struct bot *bot);

/* places.c: */
void serve_file(struct request *request);

/* http.c: */
/* Whether that is a place to serve at. */
int http_check(const char *place, struct annex_pool *pool, const char **why);
int http_start(struct bots *m, const char **why);
void http_stop(struct bots *m);
/* request->status is set: it is answered when this turn is durable. */
void request_done(struct request *request);
/* The value of "NAME=value" in the address, or of a header; NULL where there is none. */
const char *request_argument(const struct request *request, const char *name);
const char *request_header(const struct request *request, const char *name);

/* token.c: */
/* Whose it is; ANNEX_ENOENT where it is nobody's.  In pool. */
int token_find(struct bots *m, struct annex_pool *pool, const char *secret,
    struct token *token_r) ANNEX_MUST_CHECK;

/* Of commands.c. */
struct token_values {
	const char *bot, *name, *to;
	struct annex_strings scopes;
};
extern const struct annex_form token_add_form, token_remove_form;
struct annex_run;
int token_add(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int token_remove(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int token_list(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);

/* webhook.c: what is posted as a text for people; NULL: *why is what was expected.  In pool. */
const char *hook_text(
    struct annex_pool *pool, const char *type, const char *bytes, size_t len, const char **why);

#endif /* BOTS_HTTP_H */
