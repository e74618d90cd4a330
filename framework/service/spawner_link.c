/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spawner_link.c - the worker's end of the spawner
 *
 * It is forked, told what to start and to signal, and heard when a program
 * has ended.  When it is lost, so are all its children.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "child.h"

static void spawner_ready(struct watch *watch, int events);

static pid_t
spawner_fork(int *fd_r)
{
	int fd[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return -1;
	if ((pid = fork()) == 0)
		spawner_main(fd[1]);
	io_close(&fd[1]);
	*fd_r = fd[0];
	if (pid < 0)
		io_close(fd_r);
	return pid;
}

void
spawner_start(struct annex_instance *inst)
{
	int fd = -1;
	pid_t pid = spawner_fork(&fd);

	if (pid < 0)
		log_write(inst->log, ANNEX_LOG_ERROR,
		    "the spawner could not be started (%m); no program can be");
	else
		spawner_attach(inst, fd, pid);
}

void
spawner_attach(struct annex_instance *inst, int fd, pid_t pid)
{
	struct spawner *s = mem_zalloc(sizeof(*s));

	signal(SIGPIPE, SIG_IGN);
	s->pid = pid;
	s->fd = fd;
	s->inst = inst;
	annex_list_init(&s->children);
	inst->spawner = s;
	watch_start(inst->reactor, &s->watch, s->fd, REACTOR_READ, spawner_ready);
}

void
spawner_stop(struct annex_instance *inst)
{
	struct spawner *s = inst->spawner;

	if (s == NULL)
		return;
	children_reset(inst);
	watch_stop(inst->reactor, &s->watch);
	io_close(&s->fd);
	while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(s);
	inst->spawner = NULL;
}

/* Datagrams are small and the spawner does nothing but read them: waiting is rare and short. */
int
spawner_send(
    struct spawner *s, const struct spawn_message *m, const struct buf *strings, const int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control = { 0 };
	struct iovec iov[2] = { { .iov_base = (void *)m, .iov_len = sizeof(*m) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 1 };

	if (strings != NULL) {
		iov[1] = (struct iovec) { .iov_base = strings->data, .iov_len = strings->len };
		msg.msg_iovlen = 2;
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(3 * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fd, 3 * sizeof(int));
	}
	while (sendmsg(s->fd, &msg, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return ANNEX_EIO;
	return ANNEX_OK;
}

void
child_signal(struct annex_child *child, enum spawn_op op, int number)
{
	const struct spawn_message m = { .op = op, .child = child->number, .value = number };

	if (spawner_send(child->spawner, &m, NULL, NULL) < 0)
		log_write(child->inst->log, ANNEX_LOG_ERROR,
		    "a child could not be signalled (%m): program=%s", child->name);
}

static struct annex_child *
child_find(struct spawner *s, uint32_t number)
{
	ANNEX_LIST_EACH (&s->children, l) {
		struct annex_child *child = annex_container_of(l, struct annex_child, link);

		if (child->number == number)
			return child;
	}
	return NULL;
}

static void
spawner_said(struct spawner *s, const struct spawn_message *m)
{
	struct annex_child *child = child_find(s, m->child);

	if (m->op != SPAWN_ENDED || child == NULL)
		return;
	if (m->value == SPAWN_NOT_STARTED)
		log_write(s->inst->log, ANNEX_LOG_ERROR, "%s could not be started: %s", child->name,
		    strerror(m->error));
	child_ended(child, m->value);
}

/* All children went with it. */
static void
spawner_lost(struct spawner *s)
{
	log_write(
	    s->inst->log, ANNEX_LOG_ERROR, "the spawner has ended; no program can be started");
	watch_stop(s->inst->reactor, &s->watch);
	io_close(&s->fd);
	ANNEX_LIST_EACH (&s->children, l)
		child_ended(annex_container_of(l, struct annex_child, link), -SIGKILL);
}

static void
spawner_ready(struct watch *watch, int events)
{
	struct spawner *s = annex_container_of(watch, struct spawner, watch);
	struct spawn_message m;
	ssize_t n;

	for (int i = 0; i < SPAWN_CHILDREN_MAX; i++) {
		n = recv(s->fd, &m, sizeof(m), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			spawner_lost(s);
			return;
		}
		if ((size_t)n == sizeof(m))
			spawner_said(s, &m);
	}
}
