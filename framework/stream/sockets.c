/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sockets.c - the maker of transports that a stream uses outside of tests
 */
#include <stdlib.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "socket.h"
#include "sockets.h"

struct sockets {
	struct transport_maker maker;
	struct reactor *reactor;
	struct timers *timers;
	const struct stream_config *config;
};

static struct transport *
sockets_open(struct transport_maker *maker, const struct stream_host *host,
    struct transport_user *user, const char **why)
{
	struct sockets *sockets = annex_container_of(maker, struct sockets, maker);

	return socket_open(sockets->reactor, sockets->timers, sockets->config, host, user, why);
}

struct transport_maker *
sockets_create(struct reactor *reactor, struct timers *timers)
{
	struct sockets *sockets = mem_zalloc(sizeof(*sockets));

	sockets->maker.open = sockets_open;
	sockets->reactor = reactor;
	sockets->timers = timers;
	return &sockets->maker;
}

void
sockets_destroy(struct transport_maker **maker)
{
	if (*maker == NULL)
		return;
	free(annex_container_of(*maker, struct sockets, maker));
	*maker = NULL;
}

void
sockets_configure(struct transport_maker *maker, const struct stream_config *config)
{
	annex_container_of(maker, struct sockets, maker)->config = config;
}
