/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disk_inside.h - what disk.c writes down and disk_loss.c reads
 */
#ifndef DISK_INSIDE_H
#define DISK_INSIDE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "disk.h"

#define FILES 32
#define NAMES 8

struct image {
	unsigned char *bytes;
	size_t room; /* behind it are zeros */
	size_t size;
};

struct file {
	ino_t ino;
	struct image first; /* when the disk was started */
};

/* Number of a file, 0 where there is none. */
struct name {
	char text[32];
	unsigned first;
};

enum op_kind { OP_WRITE, OP_WRITE_THROUGH, OP_RESIZE, OP_SYNC, OP_NAME, OP_SYNC_NAMES };

struct op {
	enum op_kind kind;
	unsigned file; /* from 1 */
	unsigned name;
	size_t at, len; /* of OP_RESIZE: len */
	unsigned char *bytes;
};

struct disk {
	char dir[PATH_MAX];
	bool is_on;
	struct file files[FILES];
	unsigned file_count;
	struct name names[NAMES];
	unsigned name_count;
	struct op *ops;
	size_t op_count, op_room;
	const char *fail_name;
	int fail_error;
};
extern struct disk disk;

/* The file as it is, which is as it is on the disk; free bytes. */
struct image image_read(const char *path, struct stat *st_r);

#endif /* DISK_INSIDE_H */
