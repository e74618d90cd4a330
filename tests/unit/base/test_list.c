/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_list.c - doubly linked lists whose links live in the members
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <annex/list.h>

struct item {
	int number;
	struct annex_link link;
};

static void
assert_order(const struct annex_link *head, const char *want)
{
	ANNEX_LIST_EACH (head, l)
		assert_int_equal(annex_container_of(l, struct item, link)->number, *want++ - '0');
	assert_int_equal(*want, '\0');
}

static void
members_stand_in_the_order_of_their_coming(void **state)
{
	struct annex_link head = ANNEX_LIST_INIT(head);
	struct item a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };

	assert_true(annex_list_is_empty(&head));
	annex_list_append(&head, &a.link);
	annex_list_append(&head, &b.link);
	annex_list_prepend(&head, &c.link);
	assert_order(&head, "312");
	annex_list_remove(&a.link);
	annex_list_remove(&a.link);
	assert_order(&head, "32");
}

static void
the_link_stood_on_may_be_removed(void **state)
{
	struct annex_link head = ANNEX_LIST_INIT(head);
	struct item item[6];

	for (int i = 0; i < 6; i++) {
		item[i].number = i;
		annex_list_append(&head, &item[i].link);
	}
	ANNEX_LIST_EACH (&head, l)
		if (annex_container_of(l, struct item, link)->number % 2 == 0)
			annex_list_remove(l);
	assert_order(&head, "135");
}

static void
splicing_moves_all_and_leaves_an_empty_list(void **state)
{
	struct annex_link to = ANNEX_LIST_INIT(to), from = ANNEX_LIST_INIT(from);
	struct item a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };

	annex_list_splice(&to, &from);
	assert_true(annex_list_is_empty(&to));
	annex_list_append(&to, &a.link);
	annex_list_append(&from, &b.link);
	annex_list_append(&from, &c.link);
	annex_list_splice(&to, &from);
	assert_order(&to, "123");
	assert_true(annex_list_is_empty(&from));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_stand_in_the_order_of_their_coming),
		cmocka_unit_test(the_link_stood_on_may_be_removed),
		cmocka_unit_test(splicing_moves_all_and_leaves_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
