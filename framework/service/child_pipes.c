/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * child_pipes.c - what a component's program reads and writes
 *
 * Its output goes to the component as it comes, its errors into the log line
 * by line, and its input waits here until it is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/utf8.h"
#include "child.h"

#define READ_BYTES (16 << 10)
#define READS 4       /* at most, of one pipe in one turn */
#define READS_LAST 64 /* when its program has ended: all that a pipe can hold */
#define LINE_MAX_BYTES 1000

int
child_make_pipes(struct annex_child *child)
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

void
child_close_pipes(struct annex_child *child)
{
	close_pipe(child, &child->input_watch, &child->input);
	close_pipe(child, &child->output_watch, &child->output);
	close_pipe(child, &child->errors_watch, &child->errors);
	for (int i = 0; i < 3; i++)
		io_close(&child->theirs[i]);
}

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

void
child_read(struct annex_child *child)
{
	watch_start(
	    child->inst->reactor, &child->output_watch, child->output, REACTOR_READ, output_ready);
	watch_start(
	    child->inst->reactor, &child->errors_watch, child->errors, REACTOR_READ, errors_ready);
}

void
child_read_rest(struct annex_child *child)
{
	pipe_read(child, &child->output_watch, &child->output, READS_LAST, output_take);
	pipe_read(child, &child->errors_watch, &child->errors, READS_LAST, errors_take);
	errors_log(child);
}

static void input_ready(struct watch *watch, int events);

void
child_write_queue(struct annex_child *child)
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
	child_write_queue(annex_container_of(watch, struct annex_child, input_watch));
}
