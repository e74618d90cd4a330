/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * datetime.c - dates and times on the wire (XEP-0082)
 *
 * The calendar is the Gregorian one before its time as well; years go from
 * 0001 to 9999, and what another zone would push outside is refused.  A leap
 * second, 60 in the last minute of a day UTC, has no number of its own: it
 * is the last millisecond of 59.
 */
#include <stdbool.h>
#include <stddef.h>

#include <annex/datetime.h>
#include <annex/pool.h>

#include "calendar.h"

#define SECOND_MS 1000
#define DAY_S 86400
#define YEAR_FIRST 1
#define YEAR_LAST 9999
#define WALL_FIRST_MS INT64_C(-62135596800000) /* 0001-01-01T00:00:00Z */
#define WALL_LAST_MS INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */
#define ZONE_MAX_MIN (14 * 60)                 /* XML Schema Part 2 §3.3.7 */

struct date {
	int year, month, day;
};

/* A time of day; zone is what its clocks are ahead of UTC. */
struct time {
	int hour, minute, second, ms;
	bool has_zone;
	int zone_min;
};

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01.  Counted from a March, so that the leap day ends the year. */
static int64_t
days_from_date(const struct date *d)
{
	int64_t year = d->year - (d->month <= 2);
	int month = (d->month + 9) % 12; /* March is 0 */
	int64_t day_of_year = (153 * month + 2) / 5 + d->day - 1;

	return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static struct date
date_from_days(int64_t days)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097; /* 400 years have 146,097 days */
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	struct date d;

	d.day = (int)(of_year - (153 * month + 2) / 5 + 1);
	d.month = (int)(month < 10 ? month + 3 : month - 9);
	d.year = (int)(year + era * 400 + (d.month <= 2));
	return d;
}

const char *
annex_datetime(struct annex_pool *pool, int64_t wall_ms)
{
	int64_t days, rest;
	struct date d;
	int s, ms;

	if (wall_ms < WALL_FIRST_MS)
		wall_ms = WALL_FIRST_MS;
	if (wall_ms > WALL_LAST_MS)
		wall_ms = WALL_LAST_MS;
	days = wall_ms / (DAY_S * INT64_C(1000));
	rest = wall_ms % (DAY_S * INT64_C(1000));
	if (rest < 0) {
		days--;
		rest += DAY_S * INT64_C(1000);
	}
	d = date_from_days(days);
	s = (int)(rest / SECOND_MS);
	ms = (int)(rest % SECOND_MS);
	if (ms == 0)
		return annex_sprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", d.year, d.month, d.day,
		    s / 3600, s / 60 % 60, s % 60);
	return annex_sprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", d.year, d.month, d.day,
	    s / 3600, s / 60 % 60, s % 60, ms);
}

/* Exactly n digits at *at, which moves behind them; -1 where they are not. */
static int
digits(const char **at, int n)
{
	int value = 0;

	for (; n > 0; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool
character(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool
read_date(const char **at, struct date *d)
{
	return (d->year = digits(at, 4)) >= YEAR_FIRST && d->year <= YEAR_LAST &&
	    character(at, '-') && (d->month = digits(at, 2)) >= 1 && d->month <= 12 &&
	    character(at, '-') && (d->day = digits(at, 2)) >= 1 &&
	    d->day <= days_in_month(d->year, d->month);
}

/* ".5" is 500 ms; digits beyond the third are read over. */
static bool
read_fraction(const char **at, struct time *t)
{
	int unit = 100;

	t->ms = 0;
	if (!character(at, '.'))
		return true;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
		t->ms += (**at - '0') * unit;
	return true;
}

static bool
read_zone(const char **at, struct time *t)
{
	int sign, hours, minutes;

	t->zone_min = 0;
	t->has_zone = **at != '\0';
	if (!t->has_zone || character(at, 'Z'))
		return true;
	sign = **at == '-' ? -1 : 1;
	if (!character(at, '-') && !character(at, '+'))
		return false;
	if ((hours = digits(at, 2)) < 0 || !character(at, ':') || (minutes = digits(at, 2)) < 0 ||
	    minutes > 59 || hours * 60 + minutes > ZONE_MAX_MIN)
		return false;
	t->zone_min = sign * (hours * 60 + minutes);
	return true;
}

/* Whether the second 60 of t can be a leap second: in the last minute of a day UTC. */
static bool
may_leap(const struct time *t)
{
	int minute = t->hour * 60 + t->minute - t->zone_min;

	return (minute + 2 * 1440) % 1440 == 1439;
}

static bool
read_time(const char **at, struct time *t)
{
	if ((t->hour = digits(at, 2)) < 0 || t->hour > 23 || !character(at, ':') ||
	    (t->minute = digits(at, 2)) < 0 || t->minute > 59 || !character(at, ':') ||
	    (t->second = digits(at, 2)) < 0 || t->second > 60 || !read_fraction(at, t) ||
	    !read_zone(at, t) || **at != '\0')
		return false;
	if (t->second < 60)
		return true;
	t->second = 59;
	t->ms = 999;
	return may_leap(t);
}

int
annex_datetime_read(const char *text, int64_t *wall_ms_r)
{
	struct date d;
	struct time t;
	int64_t s, ms;

	if (!read_date(&text, &d) || !character(&text, 'T') || !read_time(&text, &t) || !t.has_zone)
		return ANNEX_EINVAL;
	s = days_from_date(&d) * DAY_S + t.hour * 3600 + (t.minute - t.zone_min) * 60 + t.second;
	ms = s * SECOND_MS + t.ms;
	if (ms < WALL_FIRST_MS || ms > WALL_LAST_MS)
		return ANNEX_EINVAL;
	*wall_ms_r = ms;
	return ANNEX_OK;
}

bool
calendar_is_date(const char *text)
{
	struct date d;

	return read_date(&text, &d) && *text == '\0';
}

bool
calendar_is_time(const char *text)
{
	struct time t;

	return read_time(&text, &t);
}
