/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check.h - assertions that stay on
 *
 * They guard what only we can break; what others can break is answered.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* Log the sentence "BUG: what (file:line)" to stderr and abort. */
_Noreturn void check_failed(const char *what, const char *file, int line);

#define CHECK(condition)                                              \
	do {                                                          \
		if (__builtin_expect(!(condition), 0))                \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)

/* First line of a function that takes a long-lived object. */
#define CHECK_OBJECT(object, MAGIC) CHECK((object) != NULL && (object)->magic == (MAGIC))

#endif /* BASE_CHECK_H */
