/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * quantities.c - numbers, times and sizes as people write them
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "quantities.h"

struct unit {
	const char *name;
	int64_t worth;
};

/* From the largest, as the writers try them. */
static const struct unit times[] = {
	{ "w", INT64_C(7) * 24 * 60 * 60 * 1000 },
	{ "d", INT64_C(24) * 60 * 60 * 1000 },
	{ "h", INT64_C(60) * 60 * 1000 },
	{ "m", INT64_C(60) * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "T", INT64_C(1) << 40 },
	{ "G", INT64_C(1) << 30 },
	{ "M", INT64_C(1) << 20 },
	{ "K", INT64_C(1) << 10 },
	{ "", 1 },
	{ NULL, 0 },
};

static const struct {
	const char *text;
	bool value;
} truths[] = {
	{ "yes", true },
	{ "no", false },
	{ "true", true },
	{ "false", false },
	{ "on", true },
	{ "off", false },
};

int
quantity_read_bool(const char *text, bool *value_r)
{
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (strcasecmp(text, truths[i].text) == 0) {
			*value_r = truths[i].value;
			return ANNEX_OK;
		}
	return ANNEX_EINVAL;
}

/* Digits, with a minus where there is one; *end_r is what follows. */
static int
read_number(const char *text, int64_t *value_r, const char **end_r)
{
	const char *at = text + (*text == '-');
	int64_t value = 0;
	bool fits = true;

	if (*at < '0' || *at > '9')
		return ANNEX_EINVAL;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, *at - '0', &value)) {
			fits = false;
			value = 0;
		}
	*end_r = at;
	/* Counted downwards, where one more number lives. */
	if (*text != '-' && __builtin_sub_overflow(0, value, &value))
		fits = false;
	*value_r = value;
	return fits ? ANNEX_OK : ANNEX_ELIMIT;
}

int
quantity_read_int(const char *text, int64_t *value_r)
{
	const char *end;
	int r = read_number(text, value_r, &end);

	if (r == ANNEX_EINVAL || *end != '\0')
		return ANNEX_EINVAL;
	return r;
}

typedef int compare_fn(const char *a, const char *b, size_t n);

/* A number and one of units, whose name is the first unit_len bytes of what follows it. */
static int
read_with_unit(const char *text, const struct unit *units, const char *unit, size_t unit_len,
    compare_fn *compare, int64_t *value_r)
{
	const char *end;
	int64_t value;
	int r = read_number(text, &value, &end);

	for (; units->name != NULL; units++)
		if (strlen(units->name) == unit_len && compare(units->name, unit, unit_len) == 0)
			break;
	if (r == ANNEX_EINVAL || end != unit || units->name == NULL)
		return ANNEX_EINVAL;
	if (r < 0 || __builtin_mul_overflow(value, units->worth, value_r))
		return ANNEX_ELIMIT;
	return ANNEX_OK;
}

static const char *
unit_of(const char *text)
{
	return text + strspn(text, "-0123456789");
}

int
quantity_read_time(const char *text, int64_t *ms_r)
{
	const char *unit = unit_of(text);

	if (strcmp(text, "0") == 0) {
		*ms_r = 0;
		return ANNEX_OK;
	}
	return read_with_unit(text, times, unit, strlen(unit), strncmp, ms_r);
}

int
quantity_read_size(const char *text, int64_t *bytes_r)
{
	const char *unit = unit_of(text);
	size_t len = strlen(unit);

	if (len > 2 && strcasecmp(unit + len - 2, "iB") == 0)
		len -= 2;
	else if (len > 0 && strcasecmp(unit + len - 1, "B") == 0)
		len--;
	return read_with_unit(text, sizes, unit, len, strncasecmp, bytes_r);
}

static const char *
write_with_unit(struct annex_pool *pool, const struct unit *units, int64_t value)
{
	while (value % units->worth != 0)
		units++;
	return annex_sprintf(pool, "%" PRId64 "%s", value / units->worth, units->name);
}

const char *
quantity_write_time(struct annex_pool *pool, int64_t ms)
{
	return ms == 0 ? "0" : write_with_unit(pool, times, ms);
}

const char *
quantity_write_size(struct annex_pool *pool, int64_t bytes)
{
	return bytes == 0 ? "0" : write_with_unit(pool, sizes, bytes);
}
