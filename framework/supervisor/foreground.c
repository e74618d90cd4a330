/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * foreground.c - one worker in place of annexd, for a debugger or a container
 *
 * The worker gets what annexd would give it: its section in a socketpair and
 * a page.  It would end when annexd's side of the socketpair closes, so it
 * carries that side itself, as one more descriptor; nothing is ever read
 * from it, and the few words a worker says do not fill it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/nearest.h"
#include "control/lines.h"

#include "check.h"
#include "foreground.h"
#include "memory.h"
#include "process.h"

#define SEND_ROOM (2 * (int)LINES_MAX)

struct foreground {
	struct loop *loop;
	struct configuration *configuration;
};

static void
checked(void *cookie, struct configuration *configuration, const struct buf *sentences)
{
	struct foreground *f = cookie;

	fwrite(buf_text(sentences), 1, sentences->len, stderr);
	f->configuration = configuration;
	loop_stop(f->loop);
}

static const struct check_section *
find_section(const struct configuration *configuration, const char *domain)
{
	const struct check_section *found = configuration_find(configuration, domain);
	const char *domains[64], *near;
	size_t n = 0;

	if (found != NULL)
		return found;
	for (found = configuration->first; found != NULL && n < 64; found = found->next)
		domains[n++] = found->domain;
	near = nearest(domain, domains, n);
	fprintf(stderr, "annexd: no component %s is configured%s%s%s\n", domain,
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
	return NULL;
}

/* The section waits in the socketpair before there is anybody to read it. */
static int
hand_over(int fd, const struct check_section *section)
{
	json_t *message = json_pack("{s:O}", "section", section->section);
	char *text = json_dumps(message, JSON_COMPACT);
	size_t len = strlen(text);
	ssize_t n;
	int room = SEND_ROOM;

	text[len] = '\n';
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	n = send(fd, text, len + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(text);
	json_decref(message);
	return n == (ssize_t)len + 1 ? ANNEX_OK : ANNEX_EIO;
}

static int
become_worker(const char *program, const struct check_section *section)
{
	const char *const argv[] = { program, "--worker", NULL };
	struct process_plan plan = { .path = program, .argv = argv, .fd_count = 6 };
	struct page *page;
	int pair[2], page_fd;

	if (memory_create(&page, &page_fd) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    hand_over(pair[0], section) < 0) {
		fprintf(stderr, "annexd: cannot hand over the section: %s\n", strerror(errno));
		return 1;
	}
	plan.fds[0] = STDIN_FILENO;
	plan.fds[1] = STDOUT_FILENO;
	plan.fds[2] = STDERR_FILENO;
	plan.fds[3] = pair[1];
	plan.fds[4] = page_fd;
	plan.fds[5] = pair[0];
	return process_become(&plan) < 0 ? 1 : 0;
}

int
foreground_run(struct loop *loop, const char *program, const char *file, const char *domain)
{
	struct foreground f = { .loop = loop };
	const struct check_section *section;
	int status = 1;

	check_start(loop_reactor(loop), loop_timers(loop), program, file, checked, &f);
	loop_run(loop);
	if (f.configuration == NULL)
		return 1;
	if ((section = find_section(f.configuration, domain)) != NULL)
		status = become_worker(program, section);
	configuration_free(&f.configuration);
	return status;
}
