/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_files.c - what files and directories are like, as sentences
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/utf8.h"
#include "check_files.h"

#define SECRET_MAX 1024
#define SPACE_MIN (UINT64_C(1) << 30)

#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xff534d42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xfe534d42
#endif
#ifndef RAMFS_MAGIC
#define RAMFS_MAGIC 0x858458f6
#endif

static const char *
files_directory_of(struct annex_pool *pool, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	return slash == path ? "/" : annex_strndup(pool, path, (size_t)(slash - path));
}

const char *
files_place_of(struct annex_pool *pool, const char *path)
{
	const char *dir = files_directory_of(pool, path), *place = dir;
	char *absolute = realpath(dir, NULL);

	if (absolute != NULL)
		place = annex_strdup(pool, absolute);
	free(absolute);
	return place;
}

const char *
files_resolve(struct annex_pool *pool, const char *dir, const char *path)
{
	char *own;
	size_t len;

	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	if (path[0] == '/')
		own = annex_strdup(pool, path);
	else if (path[0] == '\0' || strcmp(path, ".") == 0)
		own = annex_strdup(pool, dir);
	else
		own = annex_sprintf(pool, "%s/%s", dir, path);
	len = strlen(own);
	while (len > 1 && own[len - 1] == '/')
		own[--len] = '\0';
	return own;
}

static bool
can_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

const char *
files_judge_directory(struct annex_pool *pool, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return annex_sprintf(pool, "%s is not a directory", path);
		if (!can_write(path))
			return annex_sprintf(pool, "%s is not writable by user %u: %s", path,
			    (unsigned)geteuid(), strerror(errno));
		return NULL;
	}
	if (errno != ENOENT)
		return annex_sprintf(pool, "%s cannot be used: %s", path, strerror(errno));
	if (can_write(files_directory_of(pool, path)))
		return NULL;
	return annex_sprintf(pool, "%s does not exist and cannot be made by user %u: %s", path,
	    (unsigned)geteuid(), strerror(errno));
}

const char *
files_judge_readable(struct annex_pool *pool, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return annex_sprintf(pool, "%s is a directory", path);
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
		return annex_sprintf(pool, "%s cannot be read: %s", path, strerror(errno));
	return NULL;
}

const char *
files_judge_listing(struct annex_pool *pool, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return annex_sprintf(pool, "%s is not a directory", path);
	if (faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) < 0)
		return annex_sprintf(pool, "%s cannot be listed: %s", path, strerror(errno));
	return NULL;
}

/* Whether this process is in the group. */
static bool
is_our_group(gid_t gid)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return gid == getegid() || gid == 0;
}

/* Root may be checking for another user, whose groups it does not know. */
static const char *
judge_group(struct annex_pool *pool, const char *path, const struct stat *st)
{
	if ((st->st_mode & 040) == 0 || geteuid() == 0 || is_our_group(st->st_gid))
		return NULL;
	return annex_sprintf(
	    pool, "%s can be read by group %u, which is not ours", path, (unsigned)st->st_gid);
}

static const char *
judge_secret(struct annex_pool *pool, const char *path, const struct buf *text)
{
	const char *secret = buf_text(text);

	if (*secret == '\0' && text->len == 0)
		return annex_sprintf(pool, "%s is empty", path);
	if (strlen(secret) != text->len || strpbrk(secret, "\r\n") != NULL)
		return annex_sprintf(pool, "%s holds more than one line", path);
	if (!utf8_is_valid(secret, text->len))
		return annex_sprintf(pool, "%s is not UTF-8", path);
	return NULL;
}

static bool
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
trim(struct buf *text)
{
	size_t n = 0;

	while (n < text->len && is_white(text->data[n]))
		n++;
	buf_consume(text, n);
	while (text->len > 0 && is_white(text->data[text->len - 1]))
		text->data[--text->len] = '\0';
}

static const char *
take_secret(struct annex_pool *pool, int fd, const char *path, struct buf *text, const char **why)
{
	int status = io_read_rest(fd, SECRET_MAX, text);

	if (status == ANNEX_ELIMIT)
		*why = annex_sprintf(pool, "%s is larger than %d bytes", path, SECRET_MAX);
	else if (status < 0)
		*why = annex_sprintf(pool, "%s cannot be read: %s", path, strerror(errno));
	if (status < 0)
		return NULL;
	trim(text);
	if ((*why = judge_secret(pool, path, text)) != NULL)
		return NULL;
	return annex_strndup(pool, buf_text(text), text->len);
}

const char *
files_read_secret(struct annex_pool *pool, const char *path, const char **why, const char **warning)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *secret = NULL;
	struct buf text = { 0 };
	struct stat st;

	*why = *warning = NULL;
	if (fd < 0 || fstat(fd, &st) < 0) {
		*why = annex_sprintf(pool, "%s cannot be read: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		*why = annex_sprintf(pool, "%s is not a file", path);
	} else if ((st.st_mode & 07) != 0) {
		*why = annex_sprintf(pool, "%s is open to everybody (mode %04o); chmod o= it", path,
		    (unsigned)st.st_mode & 07777);
	} else {
		*warning = judge_group(pool, path, &st);
		secret = take_secret(pool, fd, path, &text, why);
	}
	io_close(&fd);
	buf_finish(&text);
	return secret;
}

bool
files_is_exposed(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 04) != 0;
}

const char *
files_stamp(struct annex_pool *pool, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return "";
	return annex_sprintf(pool, "%lld.%09ld/%lld/%llu", (long long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec, (long long)st.st_size, (unsigned long long)st.st_ino);
}

static const struct medium {
	uint32_t magic;
	const char *says;
} media[] = {
	{ NFS_SUPER_MAGIC, "is on NFS, where a store can be damaged; use a local disk" },
	{ CIFS_SUPER_MAGIC,
	    "is on a Windows share, where a store can be damaged; use a local disk" },
	{ SMB2_SUPER_MAGIC,
	    "is on a Windows share, where a store can be damaged; use a local disk" },
	{ TMPFS_MAGIC, "is in memory (tmpfs): all is lost when the machine stops" },
	{ RAMFS_MAGIC, "is in memory (ramfs): all is lost when the machine stops" },
};

/* The file system of the nearest directory that exists. */
static bool
find_medium(struct annex_pool *pool, const char *path, struct statfs *st,
    int (*statfs_fn)(const char *path, struct statfs *st))
{
	while (statfs_fn(path, st) < 0) {
		if (errno != ENOENT || strcmp(path, "/") == 0 || strcmp(path, ".") == 0)
			return false;
		path = files_directory_of(pool, path);
	}
	return true;
}

const char *
files_judge_medium(struct annex_pool *pool, const char *path,
    int (*statfs_fn)(const char *path, struct statfs *st))
{
	struct statfs st;

	if (!find_medium(pool, path, &st, statfs_fn))
		return NULL;
	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++)
		if (media[i].magic == (uint32_t)st.f_type)
			return annex_sprintf(pool, "%s %s", path, media[i].says);
	return NULL;
}

const char *
files_judge_space(struct annex_pool *pool, const char *path,
    int (*statfs_fn)(const char *path, struct statfs *st))
{
	struct statfs st;
	uint64_t free_bytes;

	if (!find_medium(pool, path, &st, statfs_fn))
		return NULL;
	free_bytes = (uint64_t)st.f_bavail * (uint64_t)st.f_bsize;
	if (free_bytes >= SPACE_MIN)
		return NULL;
	return annex_sprintf(pool, "%s has less than 1 GiB free (%llu MiB)", path,
	    (unsigned long long)(free_bytes >> 20));
}
