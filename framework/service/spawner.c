/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spawner.c - the process that starts programs
 *
 * It sleeps in poll(2) on its socket and a signalfd of SIGCHLD.  Each program
 * leads a process group of its own; when it ends, what it left behind in its
 * group is killed while it is still a zombie, so the group's number cannot
 * have been given to somebody else.
 *
 * SIGTERM goes to every process of a service; the spawner outlives it, for
 * the worker may still need its children to say goodbye.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "spawner.h"

#define GRACE_MS 5000   /* between TERM and KILL */
#define GOODBYE_MS 1000 /* the same, when the worker is gone */
#define STRINGS_MAX 512

#define NEVER INT64_MAX

struct program {
	uint32_t child;
	pid_t pid; /* and its group; 0: the slot is free */
	int64_t term_ms, kill_ms;
};

struct daemon {
	int socket, signals;
	struct program program[SPAWN_CHILDREN_MAX];
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
tell_ended(struct daemon *d, uint32_t child, int status, int error)
{
	const struct spawn_message m = {
		.op = SPAWN_ENDED,
		.child = child,
		.value = status,
		.error = error,
	};

	while (send(d->socket, &m, sizeof(m), MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

/* --- Starting ------------------------------------------------------------ */

struct request {
	struct spawn_message head;
	char strings[SPAWN_MESSAGE_MAX];
	int fd[3];
	const char *dir;
	char *argv[STRINGS_MAX + 1], *env[STRINGS_MAX + 1];
};

static bool
take_strings(char **at, const char *end, char **list, uint32_t n)
{
	if (n > STRINGS_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		char *stop = memchr(*at, '\0', (size_t)(end - *at));

		if (stop == NULL)
			return false;
		list[i] = *at;
		*at = stop + 1;
	}
	list[n] = NULL;
	return true;
}

static bool
take_request(struct request *q, size_t len)
{
	char *at = q->strings, *end = q->strings + len, *dir[2];

	if (!take_strings(&at, end, dir, 1))
		return false;
	q->dir = dir[0];
	return take_strings(&at, end, q->argv, q->head.argc) && q->head.argc > 0 &&
	    take_strings(&at, end, q->env, q->head.envc);
}

/* In the child: signals as a program expects them. */
static void
restore_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Places above the standard ones first, so that none is overwritten before it is copied. */
static bool
place_descriptors(struct request *q, int *report)
{
	int high[4], source[4] = { q->fd[0], q->fd[1], q->fd[2], *report };

	for (int i = 0; i < 4; i++)
		if ((high[i] = fcntl(source[i], F_DUPFD_CLOEXEC, 10)) < 0)
			return false;
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return false;
	if (dup3(high[3], 3, O_CLOEXEC) < 0)
		return false;
	*report = 3;
	closefrom(4);
	return true;
}

_Noreturn static void
become(struct request *q, int report)
{
	int error;

	setpgid(0, 0);
	restore_signals();
	if (place_descriptors(q, &report) && chdir(q->dir) == 0)
		execvpe(q->argv[0], q->argv, q->env);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* errno of what went wrong, or 0.  The pipe closes with a successful exec. */
static int
launch(struct request *q, pid_t *pid_r)
{
	int report[2], error = 0;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC) < 0)
		return errno;
	*pid_r = fork();
	if (*pid_r == 0)
		become(q, report[1]);
	if (*pid_r < 0)
		error = errno;
	else
		setpgid(*pid_r, *pid_r); /* whoever of us comes first */
	close(report[1]);
	while (*pid_r > 0 && (n = read(report[0], &error, sizeof(error))) < 0 && errno == EINTR)
		continue;
	close(report[0]);
	if (*pid_r > 0 && error != 0)
		waitpid(*pid_r, NULL, 0);
	return error;
}

static struct program *
slot_of(struct daemon *d, pid_t pid)
{
	for (size_t i = 0; i < SPAWN_CHILDREN_MAX; i++)
		if (d->program[i].pid == pid)
			return &d->program[i];
	return NULL;
}

static void
start(struct daemon *d, struct request *q, size_t len)
{
	struct program *p = slot_of(d, 0);
	int error = EAGAIN;
	pid_t pid = 0;

	if (!take_request(q, len))
		error = EINVAL;
	else if (p != NULL)
		error = launch(q, &pid);
	if (error != 0) {
		tell_ended(d, q->head.child, SPAWN_NOT_STARTED, error);
		return;
	}
	*p = (struct program) {
		.child = q->head.child,
		.pid = pid,
		.term_ms = q->head.value > 0 ? now_ms() + q->head.value : NEVER,
		.kill_ms = NEVER,
	};
}

/* --- Ending -------------------------------------------------------------- */

static void
signal_child(struct daemon *d, const struct spawn_message *m)
{
	for (size_t i = 0; i < SPAWN_CHILDREN_MAX; i++) {
		struct program *p = &d->program[i];

		if (p->pid == 0 || p->child != m->child)
			continue;
		if (m->op == SPAWN_KILL)
			kill(-p->pid, m->value);
		else if (p->kill_ms == NEVER)
			p->term_ms = 0; /* overdue */
	}
}

static void
reap(struct daemon *d)
{
	siginfo_t info;
	struct program *p;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return;
		kill(-info.si_pid, SIGKILL);
		waitpid(info.si_pid, NULL, 0);
		if ((p = slot_of(d, info.si_pid)) == NULL)
			continue;
		p->pid = 0;
		tell_ended(
		    d, p->child, info.si_code == CLD_EXITED ? info.si_status : -info.si_status, 0);
	}
}

/* Enforce what is overdue; how long until the next, or -1. */
static int
deadlines(struct daemon *d)
{
	int64_t now = now_ms(), next = NEVER;

	for (size_t i = 0; i < SPAWN_CHILDREN_MAX; i++) {
		struct program *p = &d->program[i];

		if (p->pid == 0)
			continue;
		if (p->term_ms <= now) {
			kill(-p->pid, SIGTERM);
			p->term_ms = NEVER;
			p->kill_ms = now + GRACE_MS;
		} else if (p->kill_ms <= now) {
			kill(-p->pid, SIGKILL);
			p->kill_ms = NEVER;
		}
		next = p->term_ms < next ? p->term_ms : next;
		next = p->kill_ms < next ? p->kill_ms : next;
	}
	if (next == NEVER)
		return -1;
	return next - now < 60000 ? (int)(next - now) : 60000;
}

static bool
any_left(const struct daemon *d)
{
	for (size_t i = 0; i < SPAWN_CHILDREN_MAX; i++)
		if (d->program[i].pid != 0)
			return true;
	return false;
}

static void
drain_signals(struct daemon *d)
{
	struct signalfd_siginfo info;

	while (read(d->signals, &info, sizeof(info)) == sizeof(info))
		continue;
	reap(d);
}

static void
signal_all(struct daemon *d, int number)
{
	for (size_t i = 0; i < SPAWN_CHILDREN_MAX; i++)
		if (d->program[i].pid != 0)
			kill(-d->program[i].pid, number);
}

static void
await_all(struct daemon *d, int64_t until_ms)
{
	struct pollfd p = { .fd = d->signals, .events = POLLIN };
	int64_t left_ms;

	while (any_left(d) && (left_ms = until_ms - now_ms()) > 0) {
		poll(&p, 1, (int)left_ms);
		drain_signals(d);
	}
}

/* The worker is gone: so is everybody. */
_Noreturn static void
goodbye(struct daemon *d)
{
	signal_all(d, SIGTERM);
	await_all(d, now_ms() + GOODBYE_MS);
	signal_all(d, SIGKILL);
	await_all(d, now_ms() + GOODBYE_MS);
	_exit(0);
}

/* --- The loop ------------------------------------------------------------ */

static void
take_descriptors(struct request *q, struct msghdr *m)
{
	size_t n = 0;

	q->fd[0] = q->fd[1] = q->fd[2] = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(q->fd, CMSG_DATA(c), (n < 3 ? n : 3) * sizeof(int));
	}
}

static void
serve(struct daemon *d, struct request *q)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control;
	struct iovec iov[2] = {
		{ .iov_base = &q->head, .iov_len = sizeof(q->head) },
		{ .iov_base = q->strings, .iov_len = sizeof(q->strings) },
	};
	struct msghdr m = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(d->socket, &m, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		goodbye(d);
	take_descriptors(q, &m);
	if ((size_t)n >= sizeof(q->head) && q->head.op == SPAWN_START)
		start(d, q, (size_t)n - sizeof(q->head));
	else if ((size_t)n >= sizeof(q->head))
		signal_child(d, &q->head);
	for (int i = 0; i < 3; i++)
		io_close(&q->fd[i]);
}

static void
take_signals(struct daemon *d)
{
	sigset_t all, child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	d->signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	if (d->signals < 0)
		_exit(1);
}

static void
forget_standard_input_and_output(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, 0);
	dup2(null, 1);
	if (null > 1)
		close(null);
}

_Noreturn void
spawner_main(int fd)
{
	struct daemon *d = calloc(1, sizeof(*d));
	struct request *q = calloc(1, sizeof(*q));
	struct pollfd wait[2];

	if (d == NULL || q == NULL || (fd != 3 && dup3(fd, 3, O_CLOEXEC) < 0))
		_exit(1);
	closefrom(4);
	forget_standard_input_and_output();
	prctl(PR_SET_NAME, "annex-spawn");
	d->socket = 3;
	take_signals(d);
	wait[0] = (struct pollfd) { .fd = d->socket, .events = POLLIN };
	wait[1] = (struct pollfd) { .fd = d->signals, .events = POLLIN };
	for (;;) {
		if (poll(wait, 2, deadlines(d)) < 0)
			continue;
		if (wait[1].revents != 0)
			drain_signals(d);
		if (wait[0].revents != 0)
			serve(d, q);
	}
}
