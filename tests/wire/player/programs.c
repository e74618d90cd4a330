/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * programs.c - a spawner that starts nothing
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <annex/pool.h>

#include "service/spawner.h"

#include "programs.h"

struct request {
	struct spawn_message head;
	char strings[SPAWN_MESSAGE_MAX];
	int fd[3];
};

void
programs_init(struct programs *ps, struct annex_pool *pool)
{
	*ps = (struct programs) { .pool = pool, .fd = -1 };
	signal(SIGPIPE, SIG_IGN);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_program(struct program *p)
{
	close_fd(&p->in);
	close_fd(&p->out);
	close_fd(&p->err);
	p->runs = false;
}

void
programs_forget(struct programs *ps)
{
	for (size_t i = 0; i < ps->count; i++)
		close_program(&ps->at[i]);
	close_fd(&ps->fd);
}

void
programs_finish(struct programs *ps)
{
	programs_forget(ps);
	for (size_t i = 0; i < ps->count; i++)
		free(ps->at[i].read);
}

int
programs_listen(struct programs *ps)
{
	int fd[2];

	programs_forget(ps);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) < 0)
		err(2, "socketpair");
	ps->fd = fd[1];
	return fd[0];
}

/* --- What the worker asks for ------------------------------------------------ */

static const char *
join(struct annex_pool *pool, const char **at, const char *end, uint32_t n, char between)
{
	const char *all = "";

	for (uint32_t i = 0; i < n && *at < end; i++) {
		all = i == 0 ? annex_strdup(pool, *at)
			     : annex_sprintf(pool, "%s%c%s", all, between, *at);
		*at += strlen(*at) + 1;
	}
	return all;
}

static void
start(struct programs *ps, const struct request *q, size_t len)
{
	const char *at = q->strings, *end = q->strings + len;
	struct program *p;

	if (ps->count == PROGRAMS_MAX)
		errx(2, "more than %d programs were started", PROGRAMS_MAX);
	p = &ps->at[ps->count++];
	*p = (struct program) {
		.child = q->head.child,
		.in = q->fd[0],
		.out = q->fd[1],
		.err = q->fd[2],
		.runs = true,
	};
	join(ps->pool, &at, end, 1, ' ');
	p->line = join(ps->pool, &at, end, q->head.argc, ' ');
	p->env = join(ps->pool, &at, end, q->head.envc, '\n');
	fcntl(p->in, F_SETFL, O_NONBLOCK);
	fcntl(p->out, F_SETFL, O_NONBLOCK);
}

static struct program *
find(struct programs *ps, uint32_t child)
{
	for (size_t i = ps->count; i-- > 0;)
		if (ps->at[i].runs && ps->at[i].child == child)
			return &ps->at[i];
	return NULL;
}

void
program_end(struct programs *ps, struct program *p, int status)
{
	const struct spawn_message m = { .op = SPAWN_ENDED, .child = p->child, .value = status };

	if (!p->runs)
		return;
	close_program(p);
	if (send(ps->fd, &m, sizeof(m), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		err(2, "the worker cannot be told that a program has ended");
}

/* A program of ours dies of any signal, at once. */
static void
stop(struct programs *ps, const struct spawn_message *m)
{
	struct program *p = find(ps, m->child);

	if (p == NULL)
		return;
	p->stopped_by = m->op == SPAWN_KILL ? m->value : SIGTERM;
	program_end(ps, p, -p->stopped_by);
}

static void
take_descriptors(struct request *q, struct msghdr *m)
{
	q->fd[0] = q->fd[1] = q->fd[2] = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(q->fd, CMSG_DATA(c), 3 * sizeof(int));
}

static bool
take_request(struct programs *ps)
{
	static struct request q;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control;
	struct iovec iov[2] = {
		{ .iov_base = &q.head, .iov_len = sizeof(q.head) },
		{ .iov_base = q.strings, .iov_len = sizeof(q.strings) },
	};
	struct msghdr m = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = ps->fd < 0 ? -1 : recvmsg(ps->fd, &m, MSG_CMSG_CLOEXEC);

	if (n < (ssize_t)sizeof(q.head))
		return false;
	take_descriptors(&q, &m);
	if (q.head.op == SPAWN_START)
		start(ps, &q, (size_t)n - sizeof(q.head));
	else
		stop(ps, &q.head);
	return true;
}

/* --- Its pipes ----------------------------------------------------------------- */

static bool
read_some(struct program *p)
{
	char bytes[65536];
	ssize_t n = p->in < 0 || p->read_all ? -1 : read(p->in, bytes, sizeof(bytes));

	if (n < 0)
		return false;
	p->read_all = n == 0;
	p->read = realloc(p->read, p->read_len + (size_t)n + 1);
	memcpy(p->read + p->read_len, bytes, (size_t)n);
	p->read_len += (size_t)n;
	return n > 0;
}

bool
programs_step(struct programs *ps)
{
	bool moved = false;

	while (take_request(ps))
		moved = true;
	for (size_t i = 0; i < ps->count; i++)
		moved |= read_some(&ps->at[i]);
	return moved;
}

const char *
program_read_line(struct programs *ps, struct program *p)
{
	char *end = p->read_len == 0 ? NULL : memchr(p->read, '\n', p->read_len);
	size_t len = end != NULL ? (size_t)(end - p->read) : p->read_len;
	const char *line;

	if (end == NULL && (!p->read_all || p->read_len == 0))
		return NULL;
	line = annex_strndup(ps->pool, p->read, len);
	len += end != NULL;
	p->read_len -= len;
	memmove(p->read, p->read + len, p->read_len);
	return line;
}

bool
program_write(struct program *p, int fd, const char *text, size_t len)
{
	return p->runs && write(fd, text, len) == (ssize_t)len;
}
