/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * nearest.h - did you mean
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/*
 * Of n candidates the one fewest edits (insert, delete, change, swap of
 * neighbours; case counts half) away from name, or NULL where none is near:
 * more than a third of name's length, or more than 3.
 */
const char *nearest(const char *name, const char *const *candidates, size_t n);

#endif /* BASE_NEAREST_H */
