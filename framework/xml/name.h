/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * name.h - which strings are names
 */
#ifndef XML_NAME_H
#define XML_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* An NCName: a name of XML 1.0 (fourth edition, Appendix B) without a colon. */
bool xml_name_is_valid(const char *name, size_t len);

#endif /* XML_NAME_H */
