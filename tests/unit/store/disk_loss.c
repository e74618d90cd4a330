/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disk_loss.c - what a directory would hold if the power had gone at some moment
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#include "disk_inside.h"
#include "storetest.h"

#define SECTOR 512u

unsigned
disk_random(uint64_t *random, unsigned limit)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ z >> 31) % limit);
}

static void
image_resize(struct image *image, size_t size)
{
	if (size < image->room)
		memset(image->bytes + size, 0, image->room - size);
	image->size = size;
}

static void
image_write(struct image *image, size_t at, const void *bytes, size_t len)
{
	size_t room = (at + len) * 2;

	if (len == 0)
		return;
	if (at + len > image->room) {
		image->bytes = mem_resize(image->bytes, room);
		memset(image->bytes + image->room, 0, room - image->room);
		image->room = room;
	}
	memcpy(image->bytes + at, bytes, len);
	if (image->size < at + len)
		image->size = at + len;
}

static void
apply(struct image *image, const struct op *op)
{
	if (op->kind == OP_RESIZE)
		image_resize(image, op->len);
	else if (op->kind == OP_WRITE || op->kind == OP_WRITE_THROUGH)
		image_write(image, op->at, op->bytes, op->len);
}

/* How much of what was not synced is there: each has its share of the losses. */
enum luck { LUCK_NONE, LUCK_ALL, LUCK_WHOLE_WRITES, LUCK_SECTORS, LUCKS };

static void
apply_some(struct image *image, const struct op *op, enum luck luck, uint64_t *random)
{
	size_t len;

	if (luck == LUCK_NONE || (luck == LUCK_WHOLE_WRITES && disk_random(random, 2) == 0))
		return;
	if (luck != LUCK_SECTORS || op->kind != OP_WRITE) {
		apply(image, op);
		return;
	}
	for (size_t at = op->at; at < op->at + op->len; at += len) {
		len = SECTOR - at % SECTOR;
		if (len > op->at + op->len - at)
			len = op->at + op->len - at;
		if (disk_random(random, 2) == 1)
			image_write(image, at, op->bytes + (at - op->at), len);
	}
}

/* Which file has the name: the one that was synced, or one that had it since. */
static unsigned
name_has(unsigned name, size_t moment, uint64_t *random)
{
	unsigned files[64] = { disk.names[name].first }, n = 1;

	for (size_t i = 0; i < moment; i++) {
		const struct op *op = &disk.ops[i];

		if (op->kind == OP_NAME && op->name == name && n < 64)
			files[n++] = op->file;
		else if (op->kind == OP_SYNC_NAMES)
			files[0] = files[n - 1], n = 1;
	}
	return files[disk_random(random, n)];
}

static struct image
file_has(unsigned file, size_t moment, uint64_t *random)
{
	const struct image *first = &disk.files[file - 1].first;
	enum luck luck = disk_random(random, LUCKS);
	struct image image = { 0 };
	size_t synced = 0;

	image_write(&image, 0, first->bytes, first->room);
	image_resize(&image, first->size);
	for (size_t i = 0; i < moment; i++)
		if (disk.ops[i].file == file && disk.ops[i].kind == OP_SYNC)
			synced = i;
	for (size_t i = 0; i < moment; i++) {
		const struct op *op = &disk.ops[i];

		if (op->file != file)
			continue;
		if (i < synced || op->kind == OP_WRITE_THROUGH)
			apply(&image, op);
		else
			apply_some(&image, op, luck, random);
	}
	return image;
}

void
disk_lose_power(size_t moment, uint64_t *random, const char *dir)
{
	for (unsigned name = 0; name < disk.name_count; name++) {
		unsigned file = name_has(name, moment, random);
		struct image image;
		char path[PATH_MAX];
		int fd;

		if (file == 0)
			continue;
		image = file_has(file, moment, random);
		snprintf(path, sizeof(path), "%s/%s", dir, disk.names[name].text);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		assert_true(fd >= 0 && ftruncate(fd, (off_t)image.size) == 0);
		if (image.size > image.room)
			image.size = image.room;
		assert_int_equal(pwrite(fd, image.bytes, image.size, 0), (ssize_t)image.size);
		close(fd);
		free(image.bytes);
	}
}

/* The parts of the file that are no holes. */
struct image
image_read(const char *path, struct stat *st_r)
{
	int fd = open(path, O_RDONLY);
	struct image image = { 0 };
	unsigned char bytes[4096];
	ssize_t n;

	assert_true(fd >= 0 && fstat(fd, st_r) == 0);
	for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0; at += n) {
		n = pread(fd, bytes, sizeof(bytes), at);
		assert_true(n > 0);
		image_write(&image, (size_t)at, bytes, (size_t)n);
	}
	image.size = (size_t)st_r->st_size;
	close(fd);
	return image;
}
