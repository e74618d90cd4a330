/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * clock.c - the real clock, real randomness, and randomness for tests
 *
 * The seeded source is xoshiro256** seeded through splitmix64 (Blackman and
 * Vigna, public domain): good and repeatable, and no secret.
 */
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include <sodium.h>

#include "check.h"
#include "clock.h"

static int64_t
now_us(clockid_t id)
{
	struct timespec ts;

	CHECK(clock_gettime(id, &ts) == 0);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
system_read(struct clock *clock)
{
	clock->mono_us = now_us(CLOCK_MONOTONIC);
	clock->wall_us = now_us(CLOCK_REALTIME);
}

void
clock_init_system(struct clock *clock)
{
	*clock = (struct clock) { .read = system_read };
	system_read(clock);
}

/* Ids are short and many, and asking the system costs as much for ten bytes as for hundreds.  What was
 * handed out is kept nowhere. */
static void
system_fill(struct random *random, void *bytes, size_t n)
{
	unsigned char *from;

	if (n > sizeof(random->kept) / 4) {
		randombytes_buf(bytes, n);
		return;
	}
	if (random->ready < n) {
		randombytes_buf(random->kept, sizeof(random->kept));
		random->ready = sizeof(random->kept);
	}
	from = random->kept + sizeof(random->kept) - random->ready;
	memcpy(bytes, from, n);
	sodium_memzero(from, n);
	random->ready -= n;
}

void
random_init_system(struct random *random)
{
	*random = (struct random) { .fill = system_fill };
}

static uint64_t
rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

static uint64_t
seeded_next(uint64_t s[4])
{
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

static void
seeded_fill(struct random *random, void *bytes, size_t n)
{
	unsigned char *at = bytes;
	uint64_t word;

	for (; n > 0; n -= n < 8 ? n : 8) {
		word = seeded_next(random->state);
		memcpy(at, &word, n < 8 ? n : 8);
		at += 8;
	}
}

void
random_init_seeded(struct random *random, uint64_t seed)
{
	*random = (struct random) { .fill = seeded_fill };
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		random->state[i] = z ^ z >> 31;
	}
}

uint32_t
random_below(struct random *random, uint32_t bound)
{
	uint32_t least, r;

	CHECK(bound > 0);
	/* Reject the lowest 2^32 mod bound values, so that all are equally likely. */
	least = -bound % bound;
	do
		random->fill(random, &r, sizeof(r));
	while (r < least);
	return r % bound;
}

void
random_id(struct random *random, char id[17])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char bytes[10];
	uint32_t bits = 0;
	int held = 0, out = 0;

	random->fill(random, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bits = bits << 8 | bytes[i];
		for (held += 8; held >= 5; held -= 5)
			id[out++] = alphabet[bits >> (held - 5) & 31];
	}
	id[out] = '\0';
}

/* The kernel gives each process 16 bytes that nobody else knows.  Others use them as well: what is made of
 * them here tells nothing of them. */
uint64_t
random_salt(void)
{
	static const unsigned char what[] = "salt";
	const unsigned char *key = (const unsigned char *)(uintptr_t)getauxval(AT_RANDOM);
	uint64_t salt = 0;

	if (key != NULL)
		crypto_shorthash((unsigned char *)&salt, what, sizeof(what), key);
	return salt;
}
