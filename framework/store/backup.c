/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * backup.c - a copy of the store while it works
 *
 * LMDB copies a snapshot, compacted, in a thread of its own; the thread
 * touches nothing of ours but its struct backup, and says that it is done
 * with a byte in a pipe that the reactor watches.  While it runs, pages that
 * the store frees stay taken.
 *
 * Closing the store does not wait for a long copy: the descriptor the thread
 * writes to is its own duplicate, and is exchanged for one that cannot be
 * written to.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#include "inside.h"

static void
backup_say_done(struct backup *b)
{
	ssize_t n;

	do
		n = write(b->pipe[1], "", 1);
	while (n < 0 && errno == EINTR);
}

static void *
backup_thread(void *arg)
{
	struct backup *b = arg;

	b->status = b->io->copy(b->io, b->env, b->fd);
	if (b->status == 0)
		b->status = b->io->sync(b->io, b->fd);
	backup_say_done(b);
	return NULL;
}

static void
backup_join(struct backup *b)
{
	CHECK(!b->has_thread || pthread_join(b->thread, NULL) == 0);
	io_close(&b->fd);
	io_close(&b->pipe[0]);
	io_close(&b->pipe[1]);
	b->running = false;
}

static void
backup_finish(struct annex_store *store)
{
	struct backup *b = &store->backup;
	int status = ANNEX_OK;

	backup_join(b);
	store->space.fresh = false;
	/* A pipe or a terminal cannot be synced, and need not be. */
	if (b->status != 0 && b->status != EINVAL && b->status != EROFS)
		status = b->status == ENOSPC ? ANNEX_EFULL : ANNEX_EIO;
	b->done(b->cookie, status, status < 0 ? store_rc_text(b->status) : NULL);
}

static void
backup_fire(struct watch *watch, int events)
{
	struct annex_store *store =
	    (struct annex_store *)((char *)watch - offsetof(struct annex_store, backup.watch));

	watch_stop(store->reactor, watch);
	backup_finish(store);
}

/* The thread must not take the process's signals. */
static int
backup_spawn(struct backup *b)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&b->thread, NULL, backup_thread, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = rc;
	return rc;
}

/* LMDB copies what it has, so it gets what is in the journal first. */
static void
backup_begin(struct annex_store *store)
{
	struct backup *b = &store->backup;
	int rc;

	b->waiting = false;
	rc = store_checkpoint(store) < 0 ? EIO : backup_spawn(b);
	b->has_thread = rc == 0;
	if (b->has_thread)
		return; /* from now on the status is the thread's to write */
	b->status = rc;
	backup_say_done(b);
}

/* One that was asked for in a turn that had written. */
void
backup_turn_ended(struct annex_store *store)
{
	if (store->backup.waiting)
		backup_begin(store);
}

int
store_backup(struct annex_store *store, int fd,
    void (*done)(void *cookie, int status, const char *why), void *cookie)
{
	struct backup *b = &store->backup;

	CHECK_OBJECT(store, STORE_MAGIC);
	if (b->running)
		return ANNEX_EEXIST;
	memset(b, 0, sizeof(*b));
	b->io = store->io;
	b->env = store->env;
	b->done = done;
	b->cookie = cookie;
	b->pipe[0] = b->pipe[1] = -1;
	if ((b->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0 || pipe2(b->pipe, O_CLOEXEC) < 0) {
		store_says(store, ANNEX_LOG_ERROR, "backup cannot begin (%s)", strerror(errno));
		io_close(&b->fd);
		io_close(&b->pipe[0]);
		io_close(&b->pipe[1]);
		return ANNEX_EIO;
	}
	b->running = b->waiting = true;
	if (!store->dirty || store->reactor == NULL)
		backup_begin(store);
	if (store->reactor != NULL)
		watch_start(store->reactor, &b->watch, b->pipe[0], REACTOR_READ, backup_fire);
	else
		backup_finish(store);
	return ANNEX_OK;
}

/* The store is closed: done is called, with a failure unless the copy was through. */
void
backup_abandon(struct annex_store *store)
{
	struct backup *b = &store->backup;
	int fd;

	if (!b->running)
		return;
	watch_stop(store->reactor, &b->watch);
	if ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
		if (dup3(fd, b->fd, O_CLOEXEC) < 0)
			store_says(store, ANNEX_LOG_WARNING, "waiting for a backup to end");
		close(fd);
	}
	backup_finish(store);
}
