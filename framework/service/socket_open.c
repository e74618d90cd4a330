/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * socket_open.c - where a component listens: a name in the run-dir, or an address
 *
 * A socket that another process has left is replaced; one that is served is
 * not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <annex/socket.h>

#include "base/check.h"
#include "base/io.h"
#include "instance.h"

#define BACKLOG 64

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

const char *
annex_socket_path(struct annex_instance *inst, const char *name)
{
	return annex_sprintf(inst->pool, "%s/%s.%s.sock", inst->run_dir, annex_domain(inst), name);
}

static int
address_of(struct annex_instance *inst, const struct annex_place *place, union address *a,
    socklen_t *len_r, const char **why)
{
	memset(a, 0, sizeof(*a));
	if (place->host == NULL) {
		const char *path = annex_socket_path(inst, place->name);

		if (strlen(path) >= sizeof(a->un.sun_path)) {
			*why = annex_sprintf(inst->scratch,
			    "the path %s is longer than %zu bytes: choose a shorter run-dir", path,
			    sizeof(a->un.sun_path) - 1);
			return ANNEX_ELIMIT;
		}
		a->un.sun_family = AF_UNIX;
		strcpy(a->un.sun_path, path);
		*len_r = sizeof(a->un);
	} else if (inet_pton(AF_INET, place->host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(place->port);
		*len_r = sizeof(a->in);
	} else if (inet_pton(AF_INET6, place->host, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(place->port);
		*len_r = sizeof(a->in6);
	} else {
		*why = annex_sprintf(inst->scratch, "\"%s\" is no numeric address", place->host);
		return ANNEX_EINVAL;
	}
	return ANNEX_OK;
}

/* Whether a process listens there.  A socket that its process left refuses at once. */
static bool
is_served(const union address *a, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served = fd < 0 || connect(fd, &a->any, len) == 0 || errno != ECONNREFUSED;

	io_close(&fd);
	return served;
}

static int
bind_to(int fd, const union address *a, socklen_t len, unsigned mode)
{
	const char *path = a->un.sun_path;
	struct stat st;
	int yes = 1;

	if (a->any.sa_family != AF_UNIX) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		return bind(fd, &a->any, len);
	}
	/* The file is made with the socket's own mode less the umask: never wider than meant. */
	if (fchmod(fd, mode) < 0)
		return -1;
	if (bind(fd, &a->any, len) < 0) {
		if (errno != EADDRINUSE || lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) ||
		    is_served(a, len)) {
			errno = EADDRINUSE;
			return -1;
		}
		if (unlink(path) < 0 || bind(fd, &a->any, len) < 0)
			return -1;
	}
	return chmod(path, mode);
}

int
annex_socket_open(struct annex_instance *inst, const struct annex_place *place, const char **why)
{
	union address a;
	socklen_t len = 0;
	int fd, r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK((place->name == NULL) != (place->host == NULL));
	if ((r = address_of(inst, place, &a, &len, why)) < 0)
		return r;
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind_to(fd, &a, len, place->mode) < 0 || listen(fd, BACKLOG) < 0) {
		r = errno == EADDRINUSE ? ANNEX_EEXIST : io_status(errno);
		if (place->host == NULL)
			*why = annex_sprintf(inst->scratch, "cannot listen on %s: %s",
			    a.un.sun_path, strerror(errno));
		else
			*why = annex_sprintf(inst->scratch, "cannot listen on %s port %u: %s",
			    place->host, (unsigned)place->port, strerror(errno));
		io_close(&fd);
		return r;
	}
	return fd;
}
