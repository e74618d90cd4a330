/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * clock.h - time and randomness, handed in
 *
 * Whoever needs the time gets a struct clock.  It stands still within a
 * turn and is read anew at its start and after its commit; a test turns it
 * by hand.  Randomness comes the same way.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t mono_us;                   /* monotonic, for intervals */
	int64_t wall_us;                   /* UTC since 1970, for people */
	void (*read)(struct clock *clock); /* refresh both */
	void *cookie;                      /* of read */
};

void clock_init_system(struct clock *clock);

static inline int64_t
clock_ms(const struct clock *clock)
{
	return clock->mono_us / 1000;
}

static inline int64_t
clock_wall_ms(const struct clock *clock)
{
	return clock->wall_us / 1000;
}

struct random {
	void (*fill)(struct random *random, void *bytes, size_t n);
	uint64_t state[4]; /* of a seeded source */
	size_t ready;      /* bytes of the system's at the end of kept, not handed out yet */
	unsigned char kept[256];
};

void
random_init_system(struct random *random); /* libsodium; not to be used on both sides of a fork */
void random_init_seeded(struct random *random, uint64_t seed); /* tests: repeatable */
uint32_t random_below(struct random *random, uint32_t bound);  /* uniform; bound > 0 */

/* For hashes of what strangers say: the same in a process, and no secret beyond it.  0 where there is none. */
uint64_t random_salt(void);

/* An id: 16 lowercase characters of a-z2-7, 80 random bits.  id has 17 bytes. */
void random_id(struct random *random, char id[17]);

#endif /* BASE_CLOCK_H */
