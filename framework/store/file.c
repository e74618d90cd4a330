/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * file.c - is this a data file that LMDB can be trusted with?
 *
 * LMDB maps the file and believes it: a page number beyond the end is a
 * SIGBUS, not an error.  So its two meta pages are read first, the ordinary
 * way, and held against each other and the file's size.  What lies deeper
 * only store_verify sees.
 *
 * The structs mirror version 1 of LMDB's format, which has the widths of the
 * machine that wrote it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#include "inside.h"

#define META_MAGIC 0xbeefc0deu
#define META_VERSION 1
#define META_PAGE_FLAG 0x08
#define DB_INTEGER_KEYS 0x08
#define NO_PAGE (~(size_t)0)
#define DEPTH_MAX 32

struct meta_db {
	uint32_t pad; /* of the first: the page size */
	uint16_t flags, depth;
	size_t branch, leaf, overflow, entries, root;
};

struct meta_page {
	size_t number;
	uint16_t pad, flags;
	uint32_t pages;
	uint32_t magic, version;
	void *address;
	size_t map_bytes;
	struct meta_db db[2];
	size_t last_page, txn;
};

/*
 * What is wrong with a meta page that LMDB only looks at, or NULL.  Where the
 * write of one failed, it holds an old number and new roots, so no more of
 * it means anything.
 */
static const char *
meta_complaint(const struct meta_page *meta, size_t page_size)
{
	if (!(meta->flags & META_PAGE_FLAG) || meta->magic != META_MAGIC)
		return "is no data file of the store";
	if (meta->version != META_VERSION)
		return "has an LMDB format that this LMDB does not know";
	if (meta->db[0].pad != page_size)
		return "has pages of an impossible size";
	return NULL;
}

/* What is wrong with the one that LMDB uses, or NULL. */
static const char *
contents_complaint(const struct meta_page *meta, size_t page_size, uint64_t file_bytes)
{
	if (meta->last_page < 1 || meta->last_page >= SIZE_MAX / page_size)
		return "has an impossible last page";
	if (((uint64_t)meta->last_page + 1) * page_size > file_bytes)
		return "is shorter than its contents: it was cut";
	for (int i = 0; i < 2; i++) {
		const struct meta_db *db = &meta->db[i];

		if (db->flags != (i == 0 ? DB_INTEGER_KEYS : 0) || db->depth > DEPTH_MAX)
			return "has a damaged first page";
		if (db->root == NO_PAGE ? db->depth != 0 || db->entries != 0
					: db->root < 2 || db->root > meta->last_page ||
			    db->depth == 0 || db->entries == 0)
			return "has a damaged first page";
	}
	return NULL;
}

static bool
page_size_is_possible(size_t page_size)
{
	return page_size >= 512 && page_size <= 65536 && (page_size & (page_size - 1)) == 0;
}

static const char *
file_complaint(int fd, uint64_t bytes)
{
	struct meta_page meta[2];
	const char *complaint;
	size_t page_size;

	if (io_read_all(fd, &meta[0], sizeof(meta[0])) != sizeof(meta[0]))
		return "is too short to be a data file";
	page_size = meta[0].db[0].pad;
	if (!page_size_is_possible(page_size))
		return "is no data file of the store, or a damaged one";
	if (lseek(fd, (off_t)page_size, SEEK_SET) < 0 ||
	    io_read_all(fd, &meta[1], sizeof(meta[1])) != sizeof(meta[1]))
		return "is too short to be a data file";
	for (int i = 0; i < 2; i++)
		if ((complaint = meta_complaint(&meta[i], page_size)) != NULL)
			return complaint;
	return contents_complaint(&meta[meta[0].txn < meta[1].txn], page_size, bytes);
}

int
file_judge(const char *path, bool *is_new_r, const char **complaint_r, struct annex_pool *pool,
    const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	*complaint_r = NULL;
	*is_new_r = false;
	if (fd < 0 && errno == ENOENT) {
		*is_new_r = true;
		return ANNEX_OK;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		int status =
		    store_why(why, pool, ANNEX_EIO, "cannot read %s: %s", path, strerror(errno));
		io_close(&fd);
		return status;
	}
	if (!S_ISREG(st.st_mode))
		*complaint_r = "is not a file";
	else if (st.st_size == 0)
		*is_new_r = true;
	else
		*complaint_r = file_complaint(fd, (uint64_t)st.st_size);
	io_close(&fd);
	return ANNEX_OK;
}

int
file_check(const char *path, bool *is_new_r, struct annex_pool *pool, const char **why)
{
	const char *complaint;
	int status = file_judge(path, is_new_r, &complaint, pool, why);

	if (status >= 0 && complaint != NULL)
		return store_why(why, pool, ANNEX_EINVAL,
		    "%s %s; restore a backup, or move it away to begin anew", path, complaint);
	return status;
}
