/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * match.h - is this what was expected?
 *
 * As a whole: a tree, where attribute order and white space between elements
 * are free and "..." stands for any children.  Or by a path that says what matters:
 *
 *	message[@to='a@x/1'][@type='error']/error/conflict
 *	presence[x/status/@code='110']
 *	iq[@id='7']/query[@xmlns='jabber:iq:version']/name[.='echo']
 *	message[@to='b@x'][not(body)]
 */
#ifndef WIRE_MATCH_H
#define WIRE_MATCH_H

#include <stdbool.h>

#include <annex/element.h>

#include "vars.h"

/* What was bound on the way is forgotten where it does not match; *why is the first difference. */
bool match_tree(struct vars *vars, const struct annex_element *expected,
    const struct annex_element *got, const char **why);

/* NULL, or what is wrong with the path. */
const char *path_check(struct annex_pool *pool, const char *path);
bool match_path(struct vars *vars, const char *path, const struct annex_element *got);

#endif /* WIRE_MATCH_H */
