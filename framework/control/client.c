/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * client.c - the end of a control socket that asks
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

#include "address.h"
#include "control.h"
#include "lines.h"

struct call {
	const char *path;
	int fd;
	int timeout_ms;
	bool (*each)(void *cookie, json_t *event);
	void *cookie;
	struct lines in;
	struct annex_pool *pool;
	const char **why;
};

static const char *
connect_hint(int error)
{
	switch (error) {
	case ENOENT:
		return " (is it running?)";
	case ECONNREFUSED:
		return " (it is not running)";
	case EACCES:
		return " (only its user, its group and root may)";
	default:
		return "";
	}
}

static int
call_connect(struct call *call)
{
	struct sockaddr_un address;
	int fd = -1;

	if (address_of_path(&address, call->path) == ANNEX_OK)
		fd = address_connect(&address);
	if (fd < 0)
		*call->why = annex_sprintf(call->pool, "cannot connect to %s: %s%s", call->path,
		    strerror(errno), connect_hint(errno));
	return fd;
}

/* The bytes, and a descriptor with the first of them where there is one. */
static int
send_with_fd(int socket_fd, const char *bytes, size_t len, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { .iov_base = (char *)bytes, .iov_len = len };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	while (len > 0) {
		n = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_status(errno);
		message.msg_control = NULL;
		message.msg_controllen = 0;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		len -= (size_t)n;
	}
	return ANNEX_OK;
}

static int
call_send(struct call *call, const char *command, json_t *args, int fd)
{
	json_t *request = json_object();
	char *text;
	size_t len;
	int r;

	json_object_set_new(request, "command", json_string(command));
	if (args != NULL)
		json_object_set(request, "args", args);
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (text == NULL || (len = strlen(text)) > LINES_MAX) {
		*call->why =
		    text == NULL ? "the request is not UTF-8" : "the request is longer than 1 MiB";
		free(text);
		return ANNEX_EINVAL;
	}
	text[len] = '\n';
	if ((r = send_with_fd(call->fd, text, len + 1, fd)) < 0)
		*call->why =
		    annex_sprintf(call->pool, "cannot send to %s: %s", call->path, strerror(errno));
	free(text);
	return r;
}

/* More bytes, or why there will be none. */
static int
call_receive(struct call *call)
{
	struct pollfd p = { .fd = call->fd, .events = POLLIN };
	char bytes[16384];
	ssize_t n;
	int r;

	do
		r = poll(&p, 1, call->timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r == 0) {
		*call->why = annex_sprintf(call->pool, "no answer from %s within %d seconds",
		    call->path, call->timeout_ms / 1000);
		return ANNEX_EIO;
	}
	do
		n = recv(call->fd, bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		*call->why = annex_sprintf(call->pool, "%s closed before the answer%s%s",
		    call->path, n < 0 ? ": " : "", n < 0 ? strerror(errno) : "");
		return ANNEX_EIO;
	}
	lines_feed(&call->in, bytes, (size_t)n);
	return ANNEX_OK;
}

/* What a line means: ANNEX_AGAIN to read on, ANNEX_OK with the result, or negative. */
static int
call_line(struct call *call, const char *line, size_t len, json_t **result_r)
{
	json_t *root = json_loadb(line, len, 0, NULL), *event, *error;
	int r = ANNEX_AGAIN;

	event = json_object_get(root, "event");
	error = json_object_get(root, "error");
	if (!json_is_object(root)) {
		*call->why =
		    annex_sprintf(call->pool, "%s answered what is no JSON object", call->path);
		r = ANNEX_EINVAL;
	} else if (event != NULL) {
		if (call->each != NULL && !call->each(call->cookie, event)) {
			*result_r = json_object();
			r = ANNEX_OK;
		}
	} else if (error != NULL) {
		*call->why = json_is_string(error)
		    ? annex_strdup(call->pool, json_string_value(error))
		    : "refused without a reason";
		r = ANNEX_EDENIED;
	} else if (json_is_true(json_object_get(root, "done"))) {
		*result_r = json_incref(json_object_get(root, "result"));
		if (*result_r == NULL)
			*result_r = json_object();
		r = ANNEX_OK;
	}
	json_decref(root);
	return r;
}

static json_t *
call_answer(struct call *call)
{
	json_t *result = NULL;
	char *line;
	size_t len;
	int r;

	for (;;) {
		while (lines_next(&call->in, &line, &len)) {
			r = call_line(call, line, len, &result);
			if (r != ANNEX_AGAIN)
				return result;
		}
		if (lines_is_overlong(&call->in)) {
			*call->why = annex_sprintf(
			    call->pool, "%s sent a line longer than 1 MiB", call->path);
			return NULL;
		}
		if (call_receive(call) < 0)
			return NULL;
	}
}

json_t *
control_call(const char *path, const char *command, json_t *args, int fd, int timeout_ms,
    bool (*each)(void *cookie, json_t *event), void *cookie, struct annex_pool *pool,
    const char **why)
{
	struct call call = {
		.path = path,
		.timeout_ms = timeout_ms,
		.each = each,
		.cookie = cookie,
		.pool = pool,
		.why = why,
	};
	json_t *result = NULL;

	if ((call.fd = call_connect(&call)) < 0)
		return NULL;
	if (call_send(&call, command, args, fd) >= 0)
		result = call_answer(&call);
	lines_finish(&call.in);
	io_close(&call.fd);
	return result;
}
