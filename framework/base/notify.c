/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * notify.c - telling the service manager how things stand
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "io.h"
#include "notify.h"

int
notify_send(const char *socket_name, const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len;
	ssize_t sent;
	int fd, r = ANNEX_OK;

	if (socket_name == NULL || socket_name[0] == '\0')
		return ANNEX_OK;
	len = strlen(socket_name);
	if ((socket_name[0] != '/' && socket_name[0] != '@') || len < 2 ||
	    len >= sizeof(to.sun_path)) {
		errno = EINVAL;
		return ANNEX_EINVAL;
	}
	memcpy(to.sun_path, socket_name, len);
	if (socket_name[0] == '@')
		to.sun_path[0] = '\0';
	else
		len++; /* a path has its NUL with it, an abstract name has not */
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return io_status(errno);
	do
		sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		r = io_status(errno);
	io_close(&fd);
	return r;
}
