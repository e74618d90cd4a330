/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * body.c - a stanza written once, but for whom it is to
 */
#include <stdlib.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "base/check.h"
#include "body.h"
#include "xml/writer.h"

static void
pool_goes(struct pool_hook *hook)
{
	struct body *body = annex_container_of(hook, struct body, hook);

	body_unref(&body);
}

int
body_create(struct annex_pool *pool, const struct annex_element *stanza, unsigned class,
    size_t max_bytes, struct body **body_r)
{
	struct buf text = { .max = max_bytes };
	size_t to_at, tail_at;
	struct body *body;
	int r;

	*body_r = NULL;
	if ((r = xml_write_split(&text, stanza, ANNEX_NS_STANZA, &to_at, &tail_at)) < 0) {
		buf_finish(&text);
		return r;
	}
	body = mem_alloc(sizeof(*body) + text.len + BODY_SLACK);
	*body = (struct body) {
		.magic = BODY_MAGIC,
		.references = 1,
		.class = class,
		.to_at = (uint32_t)to_at,
		.tail_at = (uint32_t)tail_at,
		.len = (uint32_t)text.len,
	};
	memcpy(body->text, text.data, text.len);
	memset(body->text + text.len, 0, BODY_SLACK);
	buf_finish(&text);
	if (pool != NULL)
		pool_hook_add(pool, &body->hook, pool_goes);
	*body_r = body;
	return ANNEX_OK;
}

struct body *
body_ref(struct body *body)
{
	CHECK_OBJECT(body, BODY_MAGIC);
	body->references++;
	return body;
}

void
body_unref(struct body **bodyp)
{
	struct body *body = *bodyp;

	if (body == NULL)
		return;
	CHECK_OBJECT(body, BODY_MAGIC);
	*bodyp = NULL;
	if (--body->references > 0)
		return;
	CHECK(body->queued == 0 && body->hook.at == NULL);
	body->magic = 0;
	free(body);
}

void
body_drop(struct body **bodyp)
{
	if (*bodyp != NULL)
		pool_hook_remove(&(*bodyp)->hook);
	body_unref(bodyp);
}

int
body_write(const struct body *body, const char *to, struct buf *out)
{
	size_t start = out->len;
	int r;

	CHECK_OBJECT(body, BODY_MAGIC);
	buf_append(out, body->text, body->to_at);
	r = xml_write_escaped(out, to, strlen(to));
	buf_append(out, body->text + body->to_at, body->len - body->to_at);
	if (r == ANNEX_OK && out->error == ANNEX_OK)
		return ANNEX_OK;
	out->len = start;
	return r < 0 ? r : out->error;
}

size_t
body_hold(struct body *body)
{
	return body->queued++ == 0 ? sizeof(*body) + body->len + BODY_SLACK : 0;
}

size_t
body_release(struct body *body)
{
	CHECK(body->queued > 0);
	return --body->queued == 0 ? sizeof(*body) + body->len + BODY_SLACK : 0;
}
