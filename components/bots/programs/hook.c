/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hook.c - hand an event to a web server, signed (Standard Webhooks), and bring its answer back
 *
 *	hook [-s SECRETFILE] [-t SECONDS] URL
 *
 * A program for the carrier exec: the gateway sees to order, retries, pauses
 * between them and dead letters.  In annex.yaml:
 *
 *	shop:
 *	  exec: [/usr/libexec/annex/bots/hook, -s, /etc/annex/shop.hook, https://shop.example/hook]
 *
 * The event is posted as JSON, the same each time it is tried, under the
 * same webhook-id.  What a 2xx answer says, as text or as the "body" of
 * JSON, is told to the person.  Exit status: 0 delivered; 100 the server does not
 * want it, whatever we do; 111 try again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "sign.h"
#include "web.h"

#define ANSWER_MOST ((size_t)64 * 1024)
#define KEYS_MOST 4
#define EVENT_MOST ((size_t)1024 * 1024)

struct answer {
	char bytes[ANSWER_MOST + 1];
	size_t len;
};

struct hook {
	const char *url;
	struct sign_key key[KEYS_MOST];
	size_t keys; /* 0: it is not signed */
	long timeout_s;
	char *event; /* JSON, to be posted */
	char id[64];
	struct answer answer;
};

static int
usage(void)
{
	fprintf(stderr, "usage: hook [-s SECRETFILE] [-t SECONDS] URL\n");
	return EXIT_FOR_GOOD;
}

/* A line each: while a secret is exchanged for another both sign, the newer first. */
static int
read_keys(struct hook *hook, const char *path)
{
	char text[KEYS_MOST * 128], *rest = NULL;
	FILE *file = fopen(path, "r");
	size_t n;

	if (file == NULL) {
		fprintf(stderr, "hook: %s: %s\n", path, strerror(errno));
		return -1;
	}
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	hook->keys = 0;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (line[strspn(line, " \t\r")] == '\0')
			continue;
		if (hook->keys == KEYS_MOST || sign_key_read(&hook->key[hook->keys], line) < 0) {
			hook->keys = 0;
			break;
		}
		hook->keys++;
	}
	sodium_memzero(text, sizeof(text));
	if (hook->keys == 0)
		fprintf(stderr,
		    "hook: %s holds no secret: whsec_ and base64 of 24 to 64 bytes, on each of at "
		    "most %d lines\n",
		    path, KEYS_MOST);
	return hook->keys > 0 ? 0 : -1;
}

static const char *
env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "";
}

/* The event as the gateway wrote it; one too long for the environment is put together from its parts. */
static char *
read_event(void)
{
	char *body, *text;
	size_t n;
	json_t *json;

	if (*env("BOT_EVENT") != '\0')
		return strdup(env("BOT_EVENT"));
	if ((body = malloc(EVENT_MOST)) == NULL)
		return NULL;
	n = fread(body, 1, EVENT_MOST, stdin);
	json = json_pack("{sI ss ss ss ss%}", "seq", (json_int_t)strtoll(env("BOT_SEQ"), NULL, 10),
	    "kind", env("BOT_KIND"), "from", env("BOT_FROM"), "to", env("BOT"), "body", body, n);
	text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	free(body);
	return text;
}

/* The same for every try. */
static void
make_id(struct hook *hook)
{
	unsigned char hash[16];
	char text[sizeof(hash) * 2 + 1], of[4096];

	snprintf(of, sizeof(of), "%s %s", env("BOT"), env("BOT_SEQ"));
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)of, strlen(of), NULL, 0);
	sodium_bin2hex(text, sizeof(text), hash, sizeof(hash));
	snprintf(hook->id, sizeof(hook->id), "msg_%s", text);
}

static size_t
take_answer(char *bytes, size_t size, size_t count, void *cookie)
{
	struct answer *answer = cookie;
	size_t len = size * count;

	if (len > ANSWER_MOST - answer->len)
		return 0; /* libcurl ends it with an error of its own */
	memcpy(answer->bytes + answer->len, bytes, len);
	answer->len += len;
	return len;
}

static struct curl_slist *
headers(const struct hook *hook)
{
	int64_t now = (int64_t)time(NULL);
	struct curl_slist *list = NULL;
	char line[128], text[KEYS_MOST * SIGN_TEXT + 32] = "webhook-signature:";

	list = curl_slist_append(list, "Content-Type: application/json");
	snprintf(line, sizeof(line), "webhook-id: %s", hook->id);
	list = curl_slist_append(list, line);
	snprintf(line, sizeof(line), "webhook-timestamp: %" PRId64, now);
	list = curl_slist_append(list, line);
	for (size_t i = 0; i < hook->keys; i++) {
		size_t len = strlen(text);

		text[len] = ' ';
		sign(
		    text + len + 1, &hook->key[i], hook->id, now, hook->event, strlen(hook->event));
	}
	return hook->keys > 0 ? curl_slist_append(list, text) : list;
}

static void
tell(const struct answer *answer, const char *type)
{
	json_t *json;
	const char *text;

	if (type != NULL && strncasecmp(type, "text/plain", 10) == 0) {
		fwrite(answer->bytes, 1, answer->len, stdout);
		return;
	}
	if (type == NULL || strncasecmp(type, "application/json", 16) != 0)
		return;
	json = json_loadb(answer->bytes, answer->len, 0, NULL);
	if ((text = json_string_value(json_object_get(json, "body"))) != NULL)
		fputs(text, stdout);
	json_decref(json);
}

static int
post(struct hook *hook)
{
	struct curl_slist *list = headers(hook);
	CURL *curl = web_begin(hook->url, hook->timeout_s, list);
	char *type = NULL;
	int verdict;

	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, hook->event);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(hook->event));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &hook->answer);
	if ((verdict = web_do(curl, "hook", hook->url)) == 0) {
		curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
		tell(&hook->answer, type);
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	return verdict;
}

static int
run(struct hook *hook, int argc, char **argv)
{
	int option;

	hook->timeout_s = 15;
	while ((option = getopt(argc, argv, "s:t:")) != -1) {
		if (option == 't')
			hook->timeout_s = strtol(optarg, NULL, 10);
		else if (option != 's')
			return usage();
		else if (read_keys(hook, optarg) < 0)
			return EXIT_FOR_GOOD;
	}
	if (optind != argc - 1 || hook->timeout_s <= 0)
		return usage();
	hook->url = argv[optind];
	make_id(hook);
	if ((hook->event = read_event()) == NULL) {
		fprintf(stderr, "hook: this is no event\n");
		return EXIT_FOR_GOOD;
	}
	return post(hook);
}

int
main(int argc, char **argv)
{
	struct hook *hook = calloc(1, sizeof(*hook));
	int verdict;

	if (hook == NULL || sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return EXIT_LATER;
	verdict = run(hook, argc, argv);
	free(hook->event);
	free(hook);
	curl_global_cleanup();
	return fflush(stdout) == 0 ? verdict : EXIT_LATER;
}
