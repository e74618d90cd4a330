/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spawn.c - a component's children, the worker's side
 *
 * Nothing outside the worker may happen before a turn is durable, so a child
 * that is spawned, written to or killed gets its program, its bytes and its
 * signal when the turn is done; where it fails, all children of the instance
 * are stopped by the reset, which is what "as if never started" comes to.
 *
 *	annex_spawn ──turn done──▶ running ──ENDED, pipes drained──▶ ended() ──▶ freed
 *
 * A child is never freed inside one of its callbacks, but for after ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <annex/list.h>
#include <annex/spawn.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/io.h"
#include "base/utf8.h"
#include "instance.h"
#include "spawner.h"

#define INPUT_MAX (1 << 20)
#define READ_BYTES (16 << 10)
#define READS 4       /* at most, of one pipe in one turn */
#define READS_LAST 64 /* when its program has ended: all that a pipe can hold */
#define LINE_MAX_BYTES 1000

struct spawner {
	pid_t pid;
	int fd;
	struct watch watch;
	struct annex_instance *inst;
	struct annex_link children;
	size_t count;
	uint32_t last;
};

struct annex_child {
	struct annex_link link;
	struct spawner *spawner;
	struct annex_instance *inst;
	uint32_t number;
	const struct annex_child_events *events;
	void *cookie;
	char *name;
	int input, output, errors; /* our ends of its pipes; -1: closed */
	struct watch input_watch, output_watch, errors_watch;
	struct buf asked, queue; /* for its input: of this turn; to be written */
	bool end_asked, end;     /* close its input behind that */
	int signal_asked;        /* 0: none */
	bool started;
	struct buf request;  /* until it is started */
	int theirs[3];       /* likewise: its ends */
	struct timer failed; /* tells that it could not be started */
	struct buf line;     /* of its standard error, so far */
};

/* --- The process --------------------------------------------------------- */

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
static int
send_message(
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

static void
send_signal(struct annex_child *child, enum spawn_op op, int number)
{
	const struct spawn_message m = { .op = op, .child = child->number, .value = number };

	if (send_message(child->spawner, &m, NULL, NULL) < 0)
		log_write(child->inst->log, ANNEX_LOG_ERROR,
		    "a child could not be signalled (%m): program=%s", child->name);
}

/* --- Spawning ------------------------------------------------------------ */

static bool
has_name(const char *const *env, const char *preset)
{
	size_t n = (size_t)(strchr(preset, '=') - preset) + 1;

	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, preset, n) == 0)
			return true;
	return false;
}

static void
put_string(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text) + 1);
}

static void
put_environment(struct buf *b, const char *const *env, uint32_t *count)
{
	static const char *const clean[] = { "LANG=C.UTF-8", "HOME=/", NULL };
	const char *path = getenv("PATH");
	struct buf preset = { 0 };

	for (const char *const *e = env; e != NULL && *e != NULL; e++, ++*count)
		put_string(b, *e);
	for (size_t i = 0; clean[i] != NULL; i++)
		if (!has_name(env, clean[i])) {
			put_string(b, clean[i]);
			++*count;
		}
	buf_printf(&preset, "PATH=%s", path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	if (!has_name(env, preset.data)) {
		put_string(b, preset.data);
		++*count;
	}
	buf_finish(&preset);
}

static int
put_request(struct annex_child *child, const struct annex_program *program)
{
	struct spawn_message head = {
		.op = SPAWN_START,
		.child = child->number,
		.value = program->timeout_ms,
	};
	struct buf strings = { .max = SPAWN_MESSAGE_MAX };

	put_string(&strings, program->dir != NULL ? program->dir : "/");
	for (; program->argv[head.argc] != NULL; head.argc++)
		put_string(&strings, program->argv[head.argc]);
	put_environment(&strings, program->env, &head.envc);
	if (strings.error < 0) {
		buf_finish(&strings);
		return ANNEX_ELIMIT;
	}
	buf_append(&child->request, &head, sizeof(head));
	buf_append(&child->request, strings.data, strings.len);
	buf_finish(&strings);
	return ANNEX_OK;
}

static int
make_pipes(struct annex_child *child)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	bool ok =
	    pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0;

	child->input = in[1];
	child->output = out[0];
	child->errors = err[0];
	child->theirs[0] = in[0];
	child->theirs[1] = out[1];
	child->theirs[2] = err[1];
	if (!ok)
		return ANNEX_EIO;
	if (io_set_nonblocking(in[1]) < 0 || io_set_nonblocking(out[0]) < 0 ||
	    io_set_nonblocking(err[0]) < 0)
		return ANNEX_EIO;
	return ANNEX_OK;
}

static void
close_pipe(struct annex_child *child, struct watch *watch, int *fd)
{
	watch_stop(child->inst->reactor, watch);
	io_close(fd);
}

static void
child_free(struct annex_child *child)
{
	annex_list_remove(&child->link);
	child->spawner->count--;
	timer_stop(child->inst->timers, &child->failed);
	close_pipe(child, &child->input_watch, &child->input);
	close_pipe(child, &child->output_watch, &child->output);
	close_pipe(child, &child->errors_watch, &child->errors);
	for (int i = 0; i < 3; i++)
		io_close(&child->theirs[i]);
	buf_finish(&child->asked);
	buf_finish(&child->queue);
	buf_finish(&child->request);
	buf_finish(&child->line);
	free(child->name);
	free(child);
}

const char *
annex_program_path(struct annex_instance *inst, const char *name)
{
	return annex_sprintf(inst->scratch, "%s/%s", inst->program_dir, name);
}

struct annex_child *
annex_spawn(struct annex_instance *inst, const struct annex_program *program,
    const struct annex_child_events *events, void *cookie)
{
	struct spawner *s = inst->spawner;
	struct annex_child *child;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(program->argv != NULL && program->argv[0] != NULL);
	if (s == NULL || s->fd < 0 || s->count >= SPAWN_CHILDREN_MAX) {
		log_write(inst->log, ANNEX_LOG_WARNING, "%s was not started (%s)", program->argv[0],
		    s == NULL || s->fd < 0 ? "there is no spawner" : "64 programs run already");
		return NULL;
	}
	child = mem_zalloc(sizeof(*child));
	child->spawner = s;
	child->inst = inst;
	child->number = ++s->last;
	child->events = events;
	child->cookie = cookie;
	child->name = mem_strdup(program->argv[0]);
	annex_list_append(&s->children, &child->link);
	s->count++;
	if (make_pipes(child) < 0 || put_request(child, program) < 0) {
		log_write(inst->log, ANNEX_LOG_ERROR,
		    "%s was not started (no descriptors left, or its arguments are too long)",
		    child->name);
		child_free(child);
		return NULL;
	}
	return child;
}

/* --- Its pipes ----------------------------------------------------------- */

static void
errors_log(struct annex_child *child)
{
	size_t n = utf8_cut(buf_text(&child->line), child->line.len, LINE_MAX_BYTES);

	if (n > 0)
		log_write(child->inst->log, ANNEX_LOG_INFO, "%s: %.*s", child->name, (int)n,
		    child->line.data);
	buf_clear(&child->line);
}

static void
errors_take(struct annex_child *child, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			errors_log(child);
		else if (child->line.len <= LINE_MAX_BYTES)
			buf_putc(&child->line, bytes[i]);
	}
}

static void
output_take(struct annex_child *child, const char *bytes, size_t n)
{
	struct annex_instance *inst = child->inst;

	if (child->events->output == NULL || !instance_enter(inst))
		return;
	child->events->output(inst, child, bytes, n, child->cookie);
	instance_leave(inst);
}

/* Read what is there, at most reads times; closed at its end. */
static void
pipe_read(struct annex_child *child, struct watch *watch, int *fd, int reads,
    void (*take)(struct annex_child *child, const char *bytes, size_t n))
{
	char bytes[READ_BYTES];
	ssize_t n;

	while (*fd >= 0 && reads-- > 0) {
		n = read(*fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_pipe(child, watch, fd);
			return;
		}
		take(child, bytes, (size_t)n);
	}
}

static void
output_ready(struct watch *watch, int events)
{
	struct annex_child *child = annex_container_of(watch, struct annex_child, output_watch);

	pipe_read(child, watch, &child->output, READS, output_take);
}

static void
errors_ready(struct watch *watch, int events)
{
	struct annex_child *child = annex_container_of(watch, struct annex_child, errors_watch);

	pipe_read(child, watch, &child->errors, READS, errors_take);
}

static void input_ready(struct watch *watch, int events);

static void
input_flush(struct annex_child *child)
{
	ssize_t n;

	while (child->input >= 0 && child->queue.len > 0) {
		n = write(child->input, child->queue.data, child->queue.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_start(child->inst->reactor, &child->input_watch, child->input,
			    REACTOR_WRITE, input_ready);
			return;
		}
		if (n < 0) { /* it reads no more */
			close_pipe(child, &child->input_watch, &child->input);
			buf_clear(&child->queue);
			return;
		}
		buf_consume(&child->queue, (size_t)n);
	}
	watch_stop(child->inst->reactor, &child->input_watch);
	if (child->end)
		close_pipe(child, &child->input_watch, &child->input);
}

static void
input_ready(struct watch *watch, int events)
{
	input_flush(annex_container_of(watch, struct annex_child, input_watch));
}

int
annex_child_write(struct annex_child *child, const void *bytes, size_t len)
{
	if (child->input < 0 || child->end || child->end_asked)
		return ANNEX_EOFFLINE;
	if (len > INPUT_MAX || child->asked.len + child->queue.len > INPUT_MAX - len)
		return ANNEX_ELIMIT;
	buf_append(&child->asked, bytes, len);
	return ANNEX_OK;
}

size_t
annex_child_unread(const struct annex_child *child)
{
	int in_pipe = 0;

	if (child->input >= 0 && ioctl(child->input, FIONREAD, &in_pipe) < 0)
		in_pipe = 0;
	return child->asked.len + child->queue.len + (size_t)in_pipe;
}

void
annex_child_end(struct annex_child *child)
{
	child->end_asked = true;
}

void
annex_child_kill(struct annex_child *child, int number)
{
	if (child->signal_asked != SIGKILL)
		child->signal_asked = number;
}

/* --- The end of a child -------------------------------------------------- */

/* All it wrote comes before its end. */
static void
child_ended(struct annex_child *child, int status)
{
	struct annex_instance *inst = child->inst;

	pipe_read(child, &child->output_watch, &child->output, READS_LAST, output_take);
	pipe_read(child, &child->errors_watch, &child->errors, READS_LAST, errors_take);
	errors_log(child);
	if (child->events->ended != NULL && instance_enter(inst)) {
		child->events->ended(inst, child, status, child->cookie);
		instance_leave(inst);
	}
	child_free(child);
}

static void
child_failed(struct timer *timer)
{
	child_ended(annex_container_of(timer, struct annex_child, failed), SPAWN_NOT_STARTED);
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

/* --- The end of a turn, and of a life ------------------------------------ */

static void
child_start(struct annex_child *child)
{
	struct spawn_message head;
	struct buf strings = child->request;

	memcpy(&head, strings.data, sizeof(head));
	strings.data += sizeof(head);
	strings.len -= sizeof(head);
	child->started = true;
	if (send_message(child->spawner, &head, &strings, child->theirs) < 0) {
		log_write(
		    child->inst->log, ANNEX_LOG_ERROR, "%s was not started (%m)", child->name);
		timer_start(child->inst->timers, &child->failed, 0, child_failed);
	}
	buf_finish(&child->request);
	for (int i = 0; i < 3; i++)
		io_close(&child->theirs[i]);
	watch_start(
	    child->inst->reactor, &child->output_watch, child->output, REACTOR_READ, output_ready);
	watch_start(
	    child->inst->reactor, &child->errors_watch, child->errors, REACTOR_READ, errors_ready);
}

static void
child_turn_done(struct annex_child *child)
{
	if (!child->started)
		child_start(child);
	if (child->signal_asked != 0)
		send_signal(child, SPAWN_KILL, child->signal_asked);
	child->signal_asked = 0;
	if (child->asked.len == 0 && !child->end_asked)
		return;
	buf_append(&child->queue, child->asked.data, child->asked.len);
	buf_clear(&child->asked);
	child->end |= child->end_asked;
	child->end_asked = false;
	input_flush(child);
}

void
children_turn_done(struct annex_instance *inst)
{
	if (inst->spawner == NULL)
		return;
	ANNEX_LIST_EACH (&inst->spawner->children, l)
		child_turn_done(annex_container_of(l, struct annex_child, link));
}

void
children_reset(struct annex_instance *inst)
{
	if (inst->spawner == NULL)
		return;
	ANNEX_LIST_EACH (&inst->spawner->children, l) {
		struct annex_child *child = annex_container_of(l, struct annex_child, link);

		if (child->started)
			send_signal(child, SPAWN_STOP, 0);
		child_free(child);
	}
}
