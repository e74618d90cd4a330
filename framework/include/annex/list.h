/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * list.h - doubly linked lists whose links live in the members
 *
 *	struct room { struct annex_link by_age; ... };
 *	struct annex_link rooms = ANNEX_LIST_INIT(rooms);
 *	annex_list_append(&rooms, &room->by_age);
 *	ANNEX_LIST_EACH (&rooms, l)
 *		room = annex_container_of(l, struct room, by_age);
 *
 * ANNEX_LIST_EACH allows removing the link it stands on, no other.
 */
#ifndef ANNEX_LIST_H
#define ANNEX_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct annex_link {
	struct annex_link *prev;
	struct annex_link *next;
};

#define ANNEX_LIST_INIT(head)    \
	{                        \
		&(head), &(head) \
	}

#define annex_container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define ANNEX_LIST_EACH(head, l)                                                    \
	for (struct annex_link *l = (head)->next, *l##_next = l->next; l != (head); \
	     l = l##_next, l##_next = l->next)

static inline void
annex_list_init(struct annex_link *head)
{
	head->prev = head->next = head;
}

static inline bool
annex_list_is_empty(const struct annex_link *head)
{
	return head->next == head;
}

static inline void
annex_list_append(struct annex_link *head, struct annex_link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void
annex_list_prepend(struct annex_link *head, struct annex_link *l)
{
	annex_list_append(head->next, l);
}

/* Leaves the link initialised, so removing it twice is harmless. */
static inline void
annex_list_remove(struct annex_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	l->prev = l->next = l;
}

/* Move all members of from behind those of to. */
static inline void
annex_list_splice(struct annex_link *to, struct annex_link *from)
{
	if (annex_list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	annex_list_init(from);
}

#endif /* ANNEX_LIST_H */
