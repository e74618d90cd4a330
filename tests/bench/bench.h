/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench.h - annexd for real with one component, and what is measured of it
 *
 * A bench is the section of its component and a table of figures; each starts
 * annexd, says something, waits for what comes of it, and tells how it went
 * beside its baseline from the same run:
 *
 *	static void
 *	bench_join(struct bench *b)
 *	{
 *		struct text t = { 0 };
 *		double cpu;
 *
 *		bench_start(b);
 *		cpu = bench_cpu_s(b);
 *		text_add(&t, "<presence from='user%u@example.org/phone' ...
 *		bench_say(b, &t);
 *		bench_wait(b, "joining", 1000, 0);
 *		cpu = bench_cpu_s(b) - cpu;
 *		bench_result(b, cpu < 2, "1,000 join one room", "%.2f s of CPU; bar 2 s", cpu);
 *		bench_stop(b);
 *	}
 *
 *	static const struct figure figures[] = { { "join", bench_join }, { 0 } };
 *
 *	int
 *	main(int argc, char **argv)
 *	{
 *		return bench_main(argc, argv, "rooms.test", "    module: muc\n", figures);
 *	}
 *
 * What is a matter of speed is best measured in CPU time, which says the same on a busy machine.
 * A bench that cannot go on ends with status 2 and a sentence, and annexd with it; no figure takes
 * longer than its limit.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "server.h"

#define BENCH_PRINTF(at) __attribute__((format(printf, at, at + 1)))

struct bench {
	const char *annexd, *modules;
	char dir[64]; /* all that annexd writes, on a real disk; annexd.log, too */
	pid_t supervisor, worker;
	struct server server; /* what the component is attached to */
	int failed;           /* figures below their bar */
};

struct figure {
	const char *name;
	void (*measure)(struct bench *b);
	unsigned limit_s; /* then all ends; 0: FIGURE_LIMIT_S */
};

#define FIGURE_LIMIT_S 300u

/*
 * Measure all figures (the table ends with a zero), or those that argv names:
 *
 *	ANNEXD MODULE-DIR [NAME...]
 *
 * section is what stands below domain in the configuration: lines of YAML indented by four blanks,
 * the secret left out.  What main returns: 0, or 1 where one of them is below its bar.
 */
int bench_main(
    int argc, char **argv, const char *domain, const char *section, const struct figure *figures);

/* annexd up to the handshake, its output being read and counted from zero; until it has ended. */
void bench_start(struct bench *b);
void bench_stop(struct bench *b);

/* One line: good is whether the bar is reached. */
void
bench_result(struct bench *b, bool good, const char *what, const char *fmt, ...) BENCH_PRINTF(4);

void bench_die(const char *what) __attribute__((noreturn)); /* with errno's sentence */

/* --- What is said and heard ------------------------------------------------- */

struct text {
	char *bytes;
	size_t len, room;
};

void text_add(struct text *text, const char *fmt, ...) BENCH_PRINTF(2);
void text_free(struct text *text); /* empty again */

void bench_say(struct bench *b, struct text *text); /* queued for the worker; text is freed */

/* Until so many messages and answers to IQs have come since the start, or nothing for a minute, which
 * ends all. */
void bench_wait(struct bench *b, const char *what, uint64_t messages, uint64_t answers);

/* --- What the machine tells -------------------------------------------------- */

double bench_now_s(void); /* of a clock that only goes on */
double bench_thread_cpu_s(void);
double bench_cpu_s(const struct bench *b); /* the worker's, ever */
double bench_rss_mb(pid_t pid);            /* anonymous and resident */

/* The least of some rounds, 0 before the first: others use the machine, too. */
void bench_least(double *least, double value);

/*
 * The baseline of all output: CPU time of a plain write() of so many bytes, again and again a buffer of
 * span bytes, to somebody who only reads.
 */
double bench_pump_cpu_s(uint64_t bytes, size_t span);

#endif /* BENCH_BENCH_H */
