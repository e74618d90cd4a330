/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * address.h - a path as the address of a Unix socket
 */
#ifndef CONTROL_ADDRESS_H
#define CONTROL_ADDRESS_H

#include <sys/un.h>

#include <annex/status.h>

/* ANNEX_ELIMIT where the path is too long for an address (107 bytes). */
int address_of_path(struct sockaddr_un *address_r, const char *path) ANNEX_MUST_CHECK;

/* A connected, blocking socket, or -1 with errno. */
int address_connect(const struct sockaddr_un *address);

#endif /* CONTROL_ADDRESS_H */
