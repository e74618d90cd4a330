/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_hash.c - a stanza that crashed a worker is known again
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/pool.h>

#include "worker/worker.h"

/* The hash of a message with this in it. */
static uint64_t
hash_of(const char *from, const char *to, const char *id, const char *inside)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	const char *text = annex_sprintf(pool,
	    "<message xmlns='jabber:component:accept' from='%s' to='%s' id='%s'>%s</message>", from,
	    to, id, inside);
	struct annex_stanza s = { .kind = ANNEX_MESSAGE, .pool = pool };
	uint64_t h;

	s.element = annex_element_read(pool, text, strlen(text), 4096);
	s.from = annex_jid(pool, from);
	s.to = annex_jid(pool, to);
	h = stanza_hash(&s);
	annex_pool_destroy(&pool);
	return h;
}

static void
another_id_or_resource_is_the_same_stanza(void **state)
{
	uint64_t h = hash_of("a@x/1", "b@y/1", "1", "<body>hello</body>");

	assert_int_not_equal(h, 0);
	assert_int_equal(h, hash_of("a@x/1", "b@y/1", "2", "<body>hello</body>"));
	assert_int_equal(h, hash_of("a@x/2", "b@y/2", "1", "<body>hello</body>"));
}

static void
another_sender_recipient_or_content_is_another(void **state)
{
	static const char *const insides[] = { "", "<body/>", "<body>hello</body>",
		"<body>hellp</body>", "<body>hello there, it is a longer text</body>",
		"<subject>hello</subject>", "<body a='b'>hello</body>", "<body a='c'>hello</body>",
		"<body><b>hello</b></body>", "<body>abc</body><body>d</body>",
		"<body>ab</body><body>cd</body>" };
	const size_t n = sizeof(insides) / sizeof(*insides);
	uint64_t seen[sizeof(insides) / sizeof(*insides)];

	for (size_t i = 0; i < n; i++) {
		seen[i] = hash_of("a@x", "b@y", "1", insides[i]);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
	}
	assert_int_not_equal(seen[2], hash_of("c@x", "b@y", "1", insides[2]));
	assert_int_not_equal(seen[2], hash_of("a@x", "c@y", "1", insides[2]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_id_or_resource_is_the_same_stanza),
		cmocka_unit_test(another_sender_recipient_or_content_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
