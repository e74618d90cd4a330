/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * list_text.h - a list as one text
 *
 * Items have blanks between them; one that is empty or holds a blank, a quote
 * or a backslash stands in double quotes, in which a backslash protects the
 * next character.  A list in a list is an item as any other.
 */
#ifndef CONFIG_LIST_TEXT_H
#define CONFIG_LIST_TEXT_H

#include <annex/option.h>
#include <annex/pool.h>

#include "base/buf.h"

/* Append an item; with a blank before it where out is not empty. */
void list_text_add(struct buf *out, const char *item);

/* The items of a text, in pool.  An open quote ends with the text. */
struct annex_strings list_text_split(struct annex_pool *pool, const char *text);

#endif /* CONFIG_LIST_TEXT_H */
