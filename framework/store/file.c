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

#define SECTOR_BYTES 512

/*
 * A file of two pages that no transaction was committed to.  LMDB had made it, and the power went
 * before they were on the disk: each is there or zeros.  Of a file that was cut anywhere else the
 * number of its transaction may be missing alone, so it must end with a sector.
 */
static bool
was_never_begun(const struct meta_page meta[2], size_t page_size, uint64_t file_bytes)
{
	static const struct meta_page nothing;

	for (int i = 0; i < 2; i++)
		if (memcmp(&meta[i], &nothing, sizeof(nothing)) != 0 &&
		    (meta_complaint(&meta[i], page_size) != NULL || meta[i].txn != 0))
			return false;
	return file_bytes % SECTOR_BYTES == 0 && file_bytes <= 2 * (uint64_t)page_size;
}

static bool
page_size_is_possible(size_t page_size)
{
	return page_size >= 512 && page_size <= 65536 && (page_size & (page_size - 1)) == 0;
}

static bool
pages_are_read(int fd, struct meta_page meta_r[2], size_t page_size)
{
	memset(meta_r, 0, 2 * sizeof(*meta_r));
	for (size_t i = 0; i < 2; i++)
		if (lseek(fd, (off_t)(i * page_size), SEEK_SET) < 0 ||
		    io_read_all(fd, &meta_r[i], sizeof(*meta_r)) < 0)
			return false;
	return true;
}

static const char *
file_complaint(int fd, uint64_t bytes, bool *is_new_r)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	struct meta_page meta[2];
	const char *complaint;

	*is_new_r = pages_are_read(fd, meta, page_size) && was_never_begun(meta, page_size, bytes);
	if (*is_new_r)
		return NULL;
	if (bytes < sizeof(meta[0]))
		return "is too short to be a data file";
	page_size = meta[0].db[0].pad;
	if (!page_size_is_possible(page_size))
		return "is no data file of the store, or a damaged one";
	if (bytes < page_size + sizeof(meta[1]) || !pages_are_read(fd, meta, page_size))
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
	else
		*complaint_r = file_complaint(fd, (uint64_t)st.st_size, is_new_r);
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

int
file_sync_names(const struct store_io *io, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? errno : io->sync(io, fd);

	io_close(&fd);
	return rc;
}

/* Whoever may not read the directory above did not make this one. */
int
file_sync_way(const struct store_io *io, const char *dir, struct annex_pool *pool)
{
	int rc;

	if ((rc = file_sync_names(io, dir)) != 0)
		return rc;
	rc = file_sync_names(io, annex_sprintf(pool, "%s/..", dir));
	return rc == EACCES ? 0 : rc;
}
