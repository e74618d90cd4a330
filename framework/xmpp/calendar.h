/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * calendar.h - the profiles of XEP-0082, judged
 */
#ifndef XMPP_CALENDAR_H
#define XMPP_CALENDAR_H

#include <stdbool.h>

/* CCYY-MM-DD, a day that there is. */
bool calendar_is_date(const char *text);

/* hh:mm:ss[.sss][TZD] */
bool calendar_is_time(const char *text);

#endif /* XMPP_CALENDAR_H */
