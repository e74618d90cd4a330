/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * buddies.h - the probe's contacts
 */
#ifndef PROBE_BUDDIES_H
#define PROBE_BUDDIES_H

#include <annex/component.h>
#include <annex/contacts.h>

extern const struct annex_contacts probe_contacts;

/* The order "contact VERB ME ...". */
enum annex_verdict
order_contact(struct annex_instance *inst, const struct annex_stanza *in, const char *args);

#endif /* PROBE_BUDDIES_H */
