/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * life.c - the worker: created, turned, killed, crashed, begun anew
 *
 * The player is its annexd as well: it keeps the page, remembers which stanza
 * was in hand at a crash, and quarantines it the second time.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <annex/pool.h>

#include "play.h"

/* 2026-01-01T00:00:00Z */
#define BEGIN_WALL_US (INT64_C(1767225600) * 1000000)
#define STEPS_MOST 4000000u
#define LINK_MOST_MS 60000
#define ENDS_MOST 16    /* one call fails; what ends it again and again is not that */
#define BEAT_MS 3600000 /* nobody watches: hours pass sooner without heartbeats */

/* Where a crash goes; a signal handler is given nothing else. */
static sigjmp_buf crashed;

/* --- Time, randomness, descriptors -------------------------------------------- */

static void
clock_stands(struct clock *clock)
{
}

static void
seeded_fill(struct random *random, void *bytes, size_t n)
{
	unsigned char *out = bytes;

	for (size_t i = 0; i < n; i++) { /* splitmix64 */
		uint64_t z = random->state[0] += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		out[i] = (unsigned char)(z ^ (z >> 31));
	}
}

static void
seed(struct random *random, uint64_t with)
{
	*random = (struct random) { .fill = seeded_fill, .state = { with } };
}

static void
watch_set(struct reactor *reactor, struct watch *watch, int events)
{
	struct play *p = annex_container_of(reactor, struct play, reactor);
	struct watch **free_place = NULL;

	watch->events = events;
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		if (p->watches[i] == watch) {
			p->watches[i] = events == 0 ? NULL : watch;
			return;
		}
		if (p->watches[i] == NULL && free_place == NULL)
			free_place = &p->watches[i];
	}
	if (events == 0)
		return;
	if (free_place == NULL)
		play_fail(p, "more than %d descriptors are watched", WATCHES_MAX);
	*free_place = watch;
}

/* Not any more, perhaps, because of one before it. */
static bool
is_watched(const struct play *p, const struct watch *watch)
{
	for (size_t i = 0; i < WATCHES_MAX; i++)
		if (p->watches[i] == watch)
			return true;
	return false;
}

static bool
poll_descriptors(struct play *p)
{
	struct watch *watched[WATCHES_MAX];
	struct pollfd fds[WATCHES_MAX];
	bool fired = false;
	nfds_t n = 0;

	for (size_t i = 0; i < WATCHES_MAX; i++) {
		struct watch *w = p->watches[i];

		if (w == NULL)
			continue;
		fds[n] = (struct pollfd) { .fd = w->fd };
		fds[n].events |= (w->events & REACTOR_READ) != 0 ? POLLIN : 0;
		fds[n].events |= (w->events & REACTOR_WRITE) != 0 ? POLLOUT : 0;
		watched[n++] = w;
	}
	if (poll(fds, n, 0) <= 0)
		return false;
	for (nfds_t i = 0; i < n; i++) {
		if (fds[i].revents == 0 || !is_watched(p, watched[i]))
			continue;
		watched[i]->fire(watched[i], watched[i]->events);
		fired = true;
	}
	return fired;
}

static void
on_log(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	struct play *p = cookie;

	if (p->options->verbose)
		fwrite(line, 1, len, stderr);
	if (p->log_count == p->log_room) {
		p->log_room = p->log_room == 0 ? 64 : 2 * p->log_room;
		p->logs = realloc(p->logs, p->log_room * sizeof(*p->logs));
	}
	while (len > 0 && line[len - 1] == '\n')
		len--;
	p->logs[p->log_count++] = (struct logged) {
		.level = level, .text = annex_strndup(p->pool, line, len), .line = p->notes->line
	};
}

void
life_init(struct play *p)
{
	p->clock = (struct clock) {
		.mono_us = 1000000000, .wall_us = BEGIN_WALL_US, .read = clock_stands
	};
	seed(&p->random, 1);
	seed(&p->dice, p->kind == RUN_SPLIT ? p->number : 1);
	p->reactor.set = watch_set;
	p->parent_fd = -1;
	disk_init(&p->disk);
	p->disk.fail_at = p->kind == RUN_SOFT || p->kind == RUN_HARD ? p->number : 0;
	programs_init(&p->programs, p->pool);
	p->disk.fail_with = p->kind == RUN_HARD ? EIO : ENOMEM;
}

/* --- Birth ------------------------------------------------------------------------ */

static void
new_page(struct play *p)
{
	struct page *old = p->page;

	p->page = annex_new(p->pool, struct page);
	if (old == NULL)
		return;
	p->page->quarantine_count = old->quarantine_count;
	memcpy(p->page->quarantine, old->quarantine, sizeof(old->quarantine));
}

static struct worker *
create(struct play *p, char *why, size_t why_size)
{
	int fds[2];
	struct worker_env env = {
		.clock = &p->clock,
		.random = &p->random,
		.reactor = &p->reactor,
		.maker = &p->server.maker,
		.store_io = &p->disk.io,
		.volatile_sync = true,
		.alone = true,
		.log_sink = on_log,
		.log_cookie = p,
		.beat_ms = BEAT_MS,
	};
	struct worker *worker;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		play_fail(p, "socketpair failed");
	new_page(p);
	env.page = p->page;
	env.parent_fd = fds[1];
	env.spawner_fd = programs_listen(&p->programs);
	worker = annexp_worker_create(&env, p->section, p->section_len, why, why_size);
	if (worker == NULL) {
		close(fds[0]);
		close(fds[1]);
		programs_forget(&p->programs);
		return NULL;
	}
	p->parent_fd = fds[0];
	return worker;
}

void
life_begin(struct play *p)
{
	char why[500] = "";

	if (p->worker != NULL)
		play_fail(p, "the worker runs already");
	p->disk.armed = p->buried > 0 || p->server.connections > 0;
	p->worker = create(p, why, sizeof(why));
	if (p->worker == NULL && play_is_lenient(p))
		p->worker = create(p, why, sizeof(why)); /* as annexd does */
	if (p->worker == NULL)
		play_fail(p, "the worker does not start: %s", why);
	p->disk.armed = true;
	annexp_worker_start(p->worker);
	life_settle(p);
	if (p->server.manners == MANNERS_FINE && !life_wait_for_link(p, true, LINK_MOST_MS))
		play_fail(p, "the worker does not attach within %d s", LINK_MOST_MS / 1000);
}

/* --- Death ------------------------------------------------------------------------- */

static void
forget_worker(struct play *p)
{
	close(p->parent_fd);
	p->parent_fd = -1;
	programs_forget(&p->programs);
	ledger_forgive(&p->ledger);
}

void
life_kill(struct play *p)
{
	int fd;

	if (p->worker == NULL)
		return;
	fd = p->worker->env.parent_fd;
	annexp_worker_destroy(&p->worker);
	close(fd);
	forget_worker(p);
}

/* It has ended by itself: only a store beyond use is a reason. */
static void
has_ended(struct play *p)
{
	if (p->kind != RUN_HARD || !play_is_lenient(p))
		play_fail(p, "the worker has ended");
	if (++p->ended > ENDS_MOST)
		play_fail(p, "the worker ends whenever it begins anew");
	life_kill(p);
	p->server.stalled = false;
	life_begin(p);
}

static void
on_crash(int signal)
{
	siglongjmp(crashed, signal);
}

/* Its memory stays, as nobody could free it; its descriptors go. */
static void
bury(struct play *p)
{
	struct page *page = p->page;
	uint64_t hash = atomic_load(&page->stanza_hash);

	if (p->buried == CRASHES_MAX)
		play_fail(p, "more than %d crashes", CRASHES_MAX);
	p->graveyard[p->buried++] = p->worker;
	close(p->worker->env.parent_fd);
	p->worker = NULL;
	memset(p->watches, 0, sizeof(p->watches));
	disk_kill(&p->disk, p->dir);
	server_forget(&p->server);
	forget_worker(p);
	if (atomic_load(&page->phase) != PAGE_HANDLER || hash == 0)
		return;
	for (size_t i = 0; i < p->crash_count; i++)
		if (p->crashes[i] == hash)
			page->quarantine[page->quarantine_count++] = hash;
	p->crashes[p->crash_count++] = hash;
}

void
life_expect_crash(struct play *p)
{
	static const int signals[] = { SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGFPE };
	const size_t n = sizeof(signals) / sizeof(*signals);
	struct sigaction act = { .sa_handler = on_crash, .sa_flags = SA_NODEFER };
	struct sigaction old[sizeof(signals) / sizeof(*signals)];

	for (size_t i = 0; i < n; i++)
		sigaction(signals[i], &act, &old[i]);
	if (sigsetjmp(crashed, 1) == 0) {
		verb_flush(p);
		play_fail(p, "the worker did not crash");
	}
	for (size_t i = 0; i < n; i++)
		sigaction(signals[i], &old[i], NULL);
	bury(p);
}

void
life_end(struct play *p)
{
	life_kill(p);
}

/* --- Turns ---------------------------------------------------------------------------- */

void
life_settle(struct play *p)
{
	bool moved = true;

	for (unsigned steps = 0; moved && p->worker != NULL; steps++) {
		moved = programs_step(&p->programs);
		moved |= poll_descriptors(p);
		moved |= annexp_worker_turn(p->worker);
		moved |= server_step(&p->server); /* of what this turn wrote */
		if (annexp_worker_has_ended(p->worker)) {
			has_ended(p);
			return;
		}
		if (steps > STEPS_MOST)
			play_fail(p, "the worker does not come to rest");
	}
}

void
life_wait(struct play *p, int64_t ms)
{
	int64_t until = p->clock.mono_us + ms * 1000, next, ahead;

	life_settle(p);
	while (p->clock.mono_us < until) {
		ahead = p->worker == NULL ? -1 : annexp_worker_wait_us(p->worker);
		next = ahead < 0 ? until : p->clock.mono_us + (ahead > 0 ? ahead : 1);
		if (next > until)
			next = until;
		p->clock.wall_us += next - p->clock.mono_us;
		p->clock.mono_us = next;
		life_settle(p);
	}
}

bool
life_wait_for_link(struct play *p, bool up, int64_t most_ms)
{
	life_settle(p);
	for (int64_t waited = 0; server_is_up(&p->server) != up; waited += 50) {
		if (waited >= most_ms)
			return false;
		life_wait(p, 50);
	}
	return true;
}

/* --- Configuration ---------------------------------------------------------------------- */

void
life_configure(struct play *p)
{
	p->section = section_make(p->pool, &p->setting, &p->section_len);
	if (p->section == NULL)
		play_fail(p, "the configuration is not valid");
}

void
life_reload(struct play *p, const char *options)
{
	const char *line;
	size_t len;

	p->setting.options = options;
	life_configure(p);
	line = annex_sprintf(p->pool, "{\"section\": %s}\n", p->section);
	len = strlen(line);
	if (send(p->parent_fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
		play_fail(p, "the worker does not take its new section");
	life_settle(p);
}
