/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disk.c - what is done to the files of a directory, written down
 */
#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"

#include "disk_inside.h"
#include "storetest.h"

struct disk disk;

/* --- What is done --------------------------------------------------------------------------- */

static void
note(struct op op, const void *bytes)
{
	if (disk.op_count == disk.op_room) {
		disk.op_room = disk.op_room * 2 + 64;
		disk.ops = mem_resize(disk.ops, disk.op_room * sizeof(struct op));
	}
	if (bytes != NULL) {
		op.bytes = mem_alloc(op.len);
		memcpy(op.bytes, bytes, op.len);
	}
	disk.ops[disk.op_count++] = op;
}

/* The name within the directory, "" for the directory itself, NULL for all else. */
static const char *
name_within(const char *path)
{
	size_t len = strlen(disk.dir);

	if (!disk.is_on || strncmp(path, disk.dir, len) != 0)
		return NULL;
	if (path[len] == '\0')
		return "";
	path += len + 1;
	return path[-1] != '/' || strcmp(path, "LOCK") == 0 || strcmp(path, "lock.mdb") == 0 ? NULL
											     : path;
}

static unsigned
name_number(const char *text)
{
	for (unsigned i = 0; i < disk.name_count; i++)
		if (strcmp(disk.names[i].text, text) == 0)
			return i;
	assert_true(disk.name_count < NAMES);
	snprintf(disk.names[disk.name_count].text, sizeof(disk.names[0].text), "%s", text);
	return disk.name_count++;
}

static unsigned
file_number(ino_t ino)
{
	for (unsigned i = 0; i < disk.file_count; i++)
		if (disk.files[i].ino == ino)
			return i + 1;
	return 0;
}

static unsigned
file_add(ino_t ino)
{
	assert_true(disk.file_count < FILES);
	disk.files[disk.file_count] = (struct file) { .ino = ino };
	return ++disk.file_count;
}

static const char *
path_of(int fd, char path[PATH_MAX])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	return path;
}

/* The file's number, 0 where it is none of ours; one that is new has come to the directory. */
static unsigned
file_of(int fd)
{
	char path[PATH_MAX];
	const char *name;
	struct stat st;
	unsigned file;

	if (!disk.is_on || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if ((name = name_within(path_of(fd, path))) == NULL || *name == '\0')
		return 0;
	if ((file = file_number(st.st_ino)) == 0) {
		file = file_add(st.st_ino);
		note((struct op) { OP_NAME, file, name_number(name) }, NULL);
	}
	return file;
}

static void
wrote(int fd, const void *bytes, ssize_t n, off_t at)
{
	unsigned file = n > 0 ? file_of(fd) : 0;
	struct op op = { OP_WRITE, file, .at = (size_t)at, .len = (size_t)n };

	if (file == 0)
		return;
	note(op, bytes);
	if (fcntl(fd, F_GETFL) & O_DSYNC) {
		op.kind = OP_WRITE_THROUGH;
		note(op, bytes);
	}
}

static int
synced(int fd)
{
	char path[PATH_MAX];
	const char *name = name_within(path_of(fd, path));
	unsigned file = file_of(fd);

	if (name != NULL && disk.fail_name != NULL && strcmp(name, disk.fail_name) == 0) {
		disk.fail_name = NULL;
		errno = disk.fail_error;
		return -1;
	}
	if (name != NULL && *name == '\0')
		note((struct op) { OP_SYNC_NAMES }, NULL);
	else if (file != 0)
		note((struct op) { OP_SYNC, file }, NULL);
	return 0;
}

static int
resized(int fd, int rc)
{
	unsigned file = file_of(fd);
	struct stat st;

	if (rc == 0 && file != 0 && fstat(fd, &st) == 0)
		note((struct op) { OP_RESIZE, file, .len = (size_t)st.st_size }, NULL);
	return rc;
}

/* --- The calls ------------------------------------------------------------------------------ */

#define EXPORT __attribute__((visibility("default"))) /* or LMDB calls the C library */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

EXPORT ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	ssize_t done = REAL(pwrite)(fd, bytes, n, at);

	wrote(fd, bytes, done, at);
	return done;
}

EXPORT ssize_t
write(int fd, const void *bytes, size_t n)
{
	off_t at = disk.is_on ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t done = REAL(write)(fd, bytes, n);

	wrote(fd, bytes, done, at);
	return done;
}

EXPORT ssize_t
writev(int fd, const struct iovec *v, int n)
{
	ssize_t done = 0;

	for (int i = 0; i < n; i++)
		if (write(fd, v[i].iov_base, v[i].iov_len) == (ssize_t)v[i].iov_len)
			done += (ssize_t)v[i].iov_len;
	return done;
}

EXPORT int
fdatasync(int fd)
{
	return synced(fd);
}

EXPORT int
fsync(int fd)
{
	return synced(fd);
}

EXPORT int
ftruncate(int fd, off_t len)
{
	return resized(fd, REAL(ftruncate)(fd, len));
}

/* Without taking the room, which takes time. */
EXPORT int
posix_fallocate(int fd, off_t at, off_t len)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	if (st.st_size >= at + len)
		return 0;
	return ftruncate(fd, at + len) < 0 ? errno : 0;
}

EXPORT int
unlink(const char *path)
{
	const char *name = name_within(path);
	int rc = REAL(unlink)(path);

	if (rc == 0 && name != NULL)
		note((struct op) { OP_NAME, 0, name_number(name) }, NULL);
	return rc;
}

EXPORT int
rename(const char *from, const char *to)
{
	const char *name = name_within(to), *gone = name_within(from);
	int rc = REAL(rename)(from, to);
	struct stat st;

	if (rc == 0 && name != NULL && gone != NULL && stat(to, &st) == 0) {
		note((struct op) { OP_NAME, file_number(st.st_ino), name_number(name) }, NULL);
		note((struct op) { OP_NAME, 0, name_number(gone) }, NULL);
	}
	return rc;
}

/* --- Beginning and end ---------------------------------------------------------------------- */

void
disk_start(const char *dir)
{
	DIR *list;
	struct dirent *entry;

	disk_free();
	assert_non_null(realpath(dir, disk.dir));
	list = opendir(disk.dir);
	assert_non_null(list);
	disk.is_on = true;
	while ((entry = readdir(list)) != NULL) {
		char path[PATH_MAX + 256];
		struct stat st;
		struct image image;
		const char *name;
		unsigned file;

		snprintf(path, sizeof(path), "%s/%s", disk.dir, entry->d_name);
		if (entry->d_name[0] == '.' || (name = name_within(path)) == NULL)
			continue;
		image = image_read(path, &st);
		file = file_add(st.st_ino);
		disk.files[file - 1].first = image;
		disk.names[name_number(name)].first = file;
	}
	closedir(list);
}

void
disk_stop(void)
{
	disk.is_on = false;
}

void
disk_free(void)
{
	for (size_t i = 0; i < disk.op_count; i++)
		free(disk.ops[i].bytes);
	for (unsigned i = 0; i < disk.file_count; i++)
		free(disk.files[i].first.bytes);
	free(disk.ops);
	memset(&disk, 0, sizeof(disk));
}

size_t
disk_moment(void)
{
	return disk.op_count;
}

void
disk_fail_sync(const char *name, int error)
{
	disk.fail_name = name;
	disk.fail_error = error;
}
