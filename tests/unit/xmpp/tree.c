/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * Trees for tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tree.h"

int
pool_setup(void **state)
{
	*state = annex_pool_create(NULL, "test");
	return 0;
}

int
pool_teardown(void **state)
{
	struct annex_pool *pool = *state;

	annex_pool_destroy(&pool);
	return 0;
}

struct annex_element *
tree_of(struct annex_pool *pool, const char *text)
{
	struct annex_element *el = annex_element_read(pool, text, strlen(text), 65536);

	if (el == NULL)
		fail_msg("not well-formed: %s", text);
	return el;
}

const char *
text_within(struct annex_pool *pool, const struct annex_element *el)
{
	const char *all = "";
	size_t len;

	for (const struct annex_element *c = el->first; c != NULL; c = c->next)
		all = annex_sprintf(pool, "%s%s", all,
		    c->name == NULL ? c->text : annex_element_write(c, pool, &len));
	return all;
}

struct annex_element *
stanza_in(struct annex_pool *pool, const char *name)
{
	return annex_element(pool, ANNEX_NS_STANZA, name);
}
