/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * address.c - a path as the address of a Unix socket
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"

#include "address.h"

int
address_of_path(struct sockaddr_un *address_r, const char *path)
{
	size_t len = strlen(path);

	*address_r = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (len == 0 || len >= sizeof(address_r->sun_path)) {
		errno = ENAMETOOLONG;
		return ANNEX_ELIMIT;
	}
	memcpy(address_r->sun_path, path, len + 1);
	return ANNEX_OK;
}

int
address_connect(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -1;
	do
		r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		io_close(&fd);
	return fd;
}
