/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * unique.c - names that no room has (XEP-0307)
 *
 * Sixteen random characters: nothing need be reserved.  Only who may make
 * rooms has a use for one.
 */
#include "muc.h"

enum annex_verdict
muc_unique(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	struct annex_stanza *out;

	if (in->to->local != NULL)
		return ANNEX_PASS;
	if (!annex_is_admin(inst, in->from) && !annex_matches_any(inst, &m->set->create, in->from))
		return muc_refuse(
		    m, in, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, "You may not make rooms here.");
	out = annex_reply(inst, in);
	annex_add_text(out->element, NS_UNIQUE, "unique", annex_random_id(inst));
	muc_answer(m, in, out);
	return ANNEX_DONE;
}
