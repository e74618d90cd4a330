/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * writer.h - trees become bytes
 *
 * Canonical: default namespace declarations where the namespace changes,
 * ns1, ns2, ... for attributes, single quotes, the five predefined entities
 * only.  Characters are checked: what XML cannot carry fails with
 * ANNEX_EINVAL and nothing is written.
 */
#ifndef XML_WRITER_H
#define XML_WRITER_H

#include <annex/element.h>

#include "base/buf.h"

/*
 * Append el as it stands where the default namespace is context_ns ("" for none: the text is
 * self-contained).  ANNEX_OK; ANNEX_EINVAL: a character or a name that XML does not allow;
 * ANNEX_ELIMIT: buf's maximum.  On failure buf is as it was.
 */
int xml_write(struct buf *buf, const struct annex_element *el, const char *context_ns);

/*
 * The same for a root whose attribute "to" is left empty, and where to put what differs by
 * recipient: to_at is the offset for their address, tail_at the one where more children go (before
 * the end tag, which is always written out).  Offsets count from the buf's start.
 */
int xml_write_split(struct buf *buf, const struct annex_element *el, const char *context_ns,
    size_t *to_at, size_t *tail_at);

/* Append text escaped for an attribute value in single quotes. */
int xml_write_escaped(struct buf *buf, const char *text, size_t len);

#endif /* XML_WRITER_H */
