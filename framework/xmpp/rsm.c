/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rsm.c - result set management (XEP-0059) over any ordered source
 *
 * A request names a range: what is behind <after/>, before <before/>, or
 * both.  The page is the first of it, or where <before/> is there the last.
 * One item more than asked for is walked, which tells whether the page
 * completes the range.
 *
 * A range that ends before it begins is empty, where the source knows its
 * indexes; where it does not, the page is what is before <before/>.
 */
#include <inttypes.h>
#include <string.h>

#include <annex/pool.h>
#include <annex/rsm.h>

/* A whole number that is not negative, with XML white space around it. */
static int
read_number(const char *text, uint64_t *number_r)
{
	static const char white[] = " \t\r\n";
	uint64_t n = 0;

	text += strspn(text, white);
	if (*text < '0' || *text > '9')
		return ANNEX_EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
	}
	if (text[strspn(text, white)] != '\0')
		return ANNEX_EINVAL;
	*number_r = n;
	return ANNEX_OK;
}

int
annex_page_read(
    struct annex_page *page_r, const struct annex_element *query, size_t preset, size_t limit)
{
	const struct annex_element *set = annex_child(query, ANNEX_NS_RSM, "set");
	struct annex_page page = { .present = set != NULL };
	const char *index, *text;
	uint64_t max = preset;

	page.max = preset < limit ? preset : limit;
	*page_r = page;
	if (set == NULL)
		return ANNEX_OK;
	index = annex_child_text(set, ANNEX_NS_RSM, "index");
	text = annex_child_text(set, ANNEX_NS_RSM, "max");
	if (text != NULL && read_number(text, &max) < 0)
		return ANNEX_EINVAL;
	page.max = max < limit ? (size_t)max : limit;
	page.after = annex_child_text(set, ANNEX_NS_RSM, "after");
	page.before = annex_child_text(set, ANNEX_NS_RSM, "before");
	if (page.after != NULL && page.after[0] == '\0')
		page.after = NULL;
	page.by_index = index != NULL;
	/* An index names a place by itself (XEP-0059 §2.6). */
	if (page.by_index &&
	    (read_number(index, &page.index) < 0 || page.after != NULL || page.before != NULL))
		return ANNEX_EINVAL;
	*page_r = page;
	return ANNEX_OK;
}

/* A page being filled. */
struct taker {
	struct annex_page_result *result;
	struct annex_pool *pool;
	size_t max, room;
	const char *stop; /* the id that ends the range, or NULL */
	bool is_more;     /* something lies beyond the page */
};

/* Room grows as items come, so that a great max costs nothing by itself. */
static void
taker_grow(struct taker *t)
{
	struct annex_page_result *result = t->result;
	size_t room = t->room == 0 ? 16 : 2 * t->room;
	void **item = annex_new_array(t->pool, void *, room);
	const char **id = annex_new_array(t->pool, const char *, room);

	if (result->count > 0) {
		memcpy(item, result->item, result->count * sizeof(*item));
		memcpy(id, result->id, result->count * sizeof(*id));
	}
	result->item = item;
	result->id = id;
	t->room = room;
}

static bool
take(void *cookie, const char *id, void *item)
{
	struct taker *t = cookie;
	struct annex_page_result *result = t->result;

	if (t->stop != NULL && strcmp(id, t->stop) == 0)
		return false;
	if (result->count == t->max) {
		t->is_more = true;
		return false;
	}
	if (result->count == t->room)
		taker_grow(t);
	result->item[result->count] = item;
	result->id[result->count] = annex_strdup(t->pool, id);
	result->count++;
	return true;
}

static bool
take_none(void *cookie, const char *id, void *item)
{
	return false;
}

static void
reverse(struct annex_page_result *result)
{
	for (size_t i = 0, j = result->count; i + 1 < j; i++) {
		void *item = result->item[i];
		const char *id = result->id[i];

		j--;
		result->item[i] = result->item[j];
		result->id[i] = result->id[j];
		result->item[j] = item;
		result->id[j] = id;
	}
}

/* 1: the range ends before it begins; 0: it does not, as far as is known; or a failure. */
static int
is_inverted(const struct annex_source *source, const char *after, const char *before)
{
	uint64_t first, last;
	int r;

	if (after == NULL || before == NULL || source->index_of == NULL)
		return 0;
	if ((r = source->index_of(source->cookie, after, &first)) < 0 ||
	    (r = source->index_of(source->cookie, before, &last)) < 0)
		return r;
	return first >= last;
}

static int
fetch_backwards(const struct annex_source *source, const struct annex_page *page, struct taker *t)
{
	const char *before = page->before[0] == '\0' ? NULL : page->before;
	int r;

	if (page->after != NULL) {
		/* Is there such an item?  The walk from the other end may not get so far. */
		r = source->walk(source->cookie, page->after, false, take_none, NULL);
		if (r < 0)
			return r;
		t->stop = page->after;
	}
	if ((r = is_inverted(source, page->after, before)) < 0)
		return r;
	/* Only whether before exists is left to be learned then. */
	r = source->walk(source->cookie, before, true, r > 0 ? take_none : take, t);
	reverse(t->result);
	return r;
}

static int
fetch_items(const struct annex_source *source, const struct annex_page *page, struct taker *t)
{
	if (page->by_index && page->index > 0)
		return source->seek == NULL ? ANNEX_ELIMIT
					    : source->seek(source->cookie, page->index, take, t);
	if (page->before != NULL)
		return fetch_backwards(source, page, t);
	return source->walk(source->cookie, page->after, false, take, t);
}

static int
fetch_index(const struct annex_source *source, const struct annex_page *page,
    struct annex_page_result *result)
{
	if (result->count == 0)
		return ANNEX_OK;
	if (page->by_index) {
		result->index = page->index;
		result->has_index = true;
		return ANNEX_OK;
	}
	if (source->index_of == NULL)
		return ANNEX_OK;
	result->has_index = true;
	return source->index_of(source->cookie, result->id[0], &result->index);
}

int
annex_page_fetch(const struct annex_source *source, const struct annex_page *page,
    struct annex_pool *pool, struct annex_page_result *result_r)
{
	struct annex_page_result result = { 0 };
	struct taker t = { .result = &result, .pool = pool, .max = page->max };
	int r;

	if ((r = fetch_items(source, page, &t)) < 0)
		return r;
	result.complete = !t.is_more;
	if (source->count != NULL) {
		if ((r = source->count(source->cookie, &result.total)) < 0)
			return r;
		result.has_total = true;
	}
	if ((r = fetch_index(source, page, &result)) < 0)
		return r;
	*result_r = result;
	return ANNEX_OK;
}

/* Where the run of those begins that fit, and how many they are. */
static size_t
run_that_fits(const size_t *bytes, size_t count, bool backwards, size_t most, size_t *from_r)
{
	size_t sum = 0, n = 0;

	while (n < count && (sum += bytes[backwards ? count - 1 - n : n]) <= most)
		n++;
	*from_r = backwards ? count - n : 0;
	return n;
}

void
annex_page_trim(struct annex_page_result *result, const struct annex_page *page,
    struct annex_element *parent, size_t most)
{
	size_t *bytes = annex_new_array(parent->pool, size_t, result->count + 1);
	size_t i = 0, from, n;

	for (struct annex_element *el = parent->first; el != NULL && i < result->count;
	     el = el->next, i++)
		if (annex_element_write(el, parent->pool, &bytes[i]) == NULL)
			bytes[i] = most + 1; /* it cannot be sent */
	n = run_that_fits(bytes, i, page->before != NULL, most, &from);
	if (n == result->count)
		return;
	i = 0;
	ANNEX_CHILDREN (parent, el) {
		if (i < from || i >= from + n)
			annex_element_remove(el);
		i++;
	}
	result->id += from;
	if (result->item != NULL)
		result->item += from;
	result->index += from;
	result->count = n;
	result->complete = false;
}

void
annex_page_add(struct annex_element *parent, const struct annex_page_result *result)
{
	struct annex_element *set = annex_add(parent, ANNEX_NS_RSM, "set"), *first;

	if (result->count > 0) {
		first = annex_add_text(set, NULL, "first", result->id[0]);
		if (result->has_index)
			annex_attr_setf(first, "index", "%" PRIu64, result->index);
		annex_add_text(set, NULL, "last", result->id[result->count - 1]);
	}
	if (result->has_total)
		annex_text_appendf(annex_add(set, NULL, "count"), "%" PRIu64, result->total);
}

/*
 * An array as a source.  Items are found by id one by one: who has so many
 * that this counts keeps them in a table of the store.
 */
static int
array_index_of(void *cookie, const char *id, uint64_t *index_r)
{
	const struct annex_array *array = cookie;

	for (size_t i = 0; i < array->count; i++)
		if (strcmp(array->id_of(array->item[i]), id) == 0) {
			*index_r = i;
			return ANNEX_OK;
		}
	return ANNEX_ENOENT;
}

static int
array_seek(void *cookie, uint64_t index, annex_take_fn *take_fn, void *taker)
{
	const struct annex_array *array = cookie;

	for (; index < array->count; index++)
		if (!take_fn(taker, array->id_of(array->item[index]), array->item[index]))
			break;
	return ANNEX_OK;
}

static int
array_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take_fn, void *taker)
{
	const struct annex_array *array = cookie;
	uint64_t i = backwards ? array->count : 0;
	int r;

	if (from != NULL && (r = array_index_of(cookie, from, &i)) < 0)
		return r;
	if (!backwards)
		return array_seek(cookie, from == NULL ? 0 : i + 1, take_fn, taker);
	while (i-- > 0)
		if (!take_fn(taker, array->id_of(array->item[i]), array->item[i]))
			break;
	return ANNEX_OK;
}

static int
array_count(void *cookie, uint64_t *count_r)
{
	*count_r = ((const struct annex_array *)cookie)->count;
	return ANNEX_OK;
}

struct annex_source
annex_array_source(const struct annex_array *array)
{
	/* The functions above only read through the cookie. */
	return (struct annex_source) {
		.cookie = (void *)(uintptr_t)array,
		.walk = array_walk,
		.seek = array_seek,
		.count = array_count,
		.index_of = array_index_of,
	};
}
