/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * component.h - the contract between Annex and a component
 *
 * A component is one shared object that exports one constant descriptor,
 * declared with ANNEX_MODULE.  It is data first: tables of options, routes,
 * disco features, commands, timers and store tables, and code that hangs off
 * them.  Annex checks the first sixteen bytes, then the tables, and from then on
 * reaches the component through the callbacks alone.
 *
 * Each configured component is one instance in a process of its own:
 *
 *	create      the options are read, the store is open; nothing is connected
 *	link_up     the server took our handshake: stanzas flow both ways
 *	link_down   the stream ended; what becomes of output: stanza.h
 *	reload      the options changed
 *	stop        last chance to say goodbye (`annexctl drain` alone: a
 *	            SIGTERM is quiet); the link may still be up
 *	destroy     memory goes next
 *
 * create and destroy come in pairs; more than one pair where a turn failed:
 * then the instance is destroyed and created anew from the store, in the same
 * process.  link_up and link_down alternate between them.  Where create fails destroy
 * is not called.  A callback left NULL means "nothing to do".
 *
 * Every callback runs in a turn: all it reads and writes in the store is
 * one transaction, and nothing it sends leaves before that is on disk.  None nests
 * in another; none may wait: start a timer or ask and return.
 *
 * Memory crosses in one direction: out of Annex's pools.
 */
#ifndef ANNEX_COMPONENT_H
#define ANNEX_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/counter.h>
#include <annex/element.h>
#include <annex/error.h>
#include <annex/jid.h>
#include <annex/log.h>
#include <annex/option.h>
#include <annex/pool.h>
#include <annex/stanza.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_alarm;
struct annex_command;
struct annex_contacts;
struct annex_disco;
struct annex_instance;
struct annex_job;
struct annex_table;

/*
 * ABI.  MINOR grows when a member is appended to struct annex_module or a
 * function is added; MAJOR when anything existing changes size, place or
 * meaning.  Table elements carry reserved words, so they grow without MAJOR.
 * A module loads if its major equals Annex's and its minor is not above it.
 *
 *	1.0	first
 */
#define ANNEX_ABI_MAGIC 0x414e5831u /* "ANX1" */
#define ANNEX_ABI_MAJOR 1
#define ANNEX_ABI_MINOR 0

/*
 * in, and all that is reached from it, is borrowed: gone when the handler
 * returns.  Copy what must outlive it into annex_pool(inst).
 */
typedef enum annex_verdict
annex_handler(struct annex_instance *inst, const struct annex_stanza *in);

/*
 * Routes are tried from the top; the first that matches and does not say
 * ANNEX_PASS wins.  ns and name are of an IQ's payload, or of any child of a message or
 * presence.  ns NULL with a name: the stanza's own namespace, where body and
 * subject live; both NULL: any stanza of that kind.  An IQ that no route takes is answered
 * service-unavailable; other stanzas are dropped and counted.
 */
struct annex_route {
	enum annex_kind kind; /* 0 ends the table */
	const char *ns;
	const char *name;
	annex_handler *handle;
	uintptr_t reserved[2];
};

struct annex_module {
	/* Read before anything else is believed; these never move. */
	uint32_t magic; /* ANNEX_ABI_MAGIC */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size;  /* of this struct, when the module was built */
	uint32_t flags; /* none yet: must be 0 */

	const char *name;    /* the word in the configuration: "muc" */
	const char *version; /* for people and logs; NULL = Annex's */
	const char *summary; /* one line for --modules */

	const struct annex_option *options;    /* NULL: takes none */
	size_t settings_size;                  /* of the struct the offsets point into */
	const struct annex_route *routes;      /* never NULL, never empty */
	const struct annex_disco *disco;       /* disco.h; NULL: what every component answers */
	const struct annex_command *commands;  /* command.h */
	const struct annex_table *tables;      /* store.h */
	const struct annex_alarm *alarms;      /* timer.h: timers that survive restarts */
	const struct annex_job *jobs;          /* job.h: long work in small turns */
	const struct annex_contacts *contacts; /* contacts.h; NULL: has none */

	/* Judge the options together.  On failure *why is a sentence, in pool. */
	int (*check)(const void *settings, struct annex_pool *pool, const char **why);

	int (*create)(struct annex_instance *inst); /* ANNEX_OK or why not */
	void (*link_up)(struct annex_instance *inst);
	void (*link_down)(struct annex_instance *inst);
	int (*reload)(struct annex_instance *inst); /* ANNEX_OK or ANNEX_ERESTART */
	int (*stop)(
	    struct annex_instance *inst); /* ANNEX_OK, or ANNEX_AGAIN: annex_stopped follows */
	void (*destroy)(struct annex_instance *inst);

	/*
	 * An available presence was not taken: it was too large, too much at once, or could not be
	 * handled; why says what an error would.  Annex itself answers no presence with one: a
	 * server that gets an error from an address forgets that somebody is there, and does not
	 * tell when they log out.  So refuse it (annex_refuse_with) to who is not in yet, and tell
	 * who is how they are shown still.  Of a presence that was too large there is only the
	 * start tag.  Called seldom: refusals are rate limited.  NULL: nobody is told.
	 */
	void (*presence_refused)(struct annex_instance *inst, const struct annex_stanza *in,
	    const struct annex_error *why);

	/* New members go here, with ANNEX_ABI_MINOR. */
};

#define ANNEX_MODULE(id)                               \
	extern const struct annex_module annex_module; \
	__attribute__((visibility("default"))) const struct annex_module annex_module

#define ANNEX_MODULE_ABI                                                                      \
	.magic = ANNEX_ABI_MAGIC, .abi_major = ANNEX_ABI_MAJOR, .abi_minor = ANNEX_ABI_MINOR, \
	.size = sizeof(struct annex_module)

/* What the component keeps about an instance, from create to destroy. */
void *annex_state(const struct annex_instance *inst);
void annex_set_state(struct annex_instance *inst, void *state);

/* The options as the tables read them: a settings struct.  It stays where it is until reload is
 * called; where there is none, or it says ANNEX_ERESTART, until destroy has returned. */
const void *annex_settings(const struct annex_instance *inst);

/* As long as the process. */
const char *annex_domain(const struct annex_instance *inst);

/* Memory that lives from create to destroy; and until the callback returns. */
struct annex_pool *annex_pool(struct annex_instance *inst);
struct annex_pool *annex_scratch(struct annex_instance *inst);

/* Time stands still within a turn.  Monotonic, for intervals; UTC since 1970, for people. */
int64_t annex_now_ms(const struct annex_instance *inst);
int64_t annex_wall_ms(const struct annex_instance *inst);

void annex_random(struct annex_instance *inst, void *bytes, size_t n);
/* 16 characters of a-z2-7 that nobody can guess, in scratch. */
const char *annex_random_id(struct annex_instance *inst);

bool annex_is_up(const struct annex_instance *inst);

/*
 * Which link this is: a number drawn when it came up, unlike that of any other link of any
 * process; 0 where there is none.  A reset keeps it, and the output that was queued with it.
 */
uint64_t annex_link_number(const struct annex_instance *inst);

/* Tell that a stop which returned ANNEX_AGAIN has finished. */
void annex_stopped(struct annex_instance *inst);

/*
 * Call fn when this turn's changes are on disk; not at all where the turn
 * fails, or where the instance is reset before fn's own turn came: cookie may point to what
 * lives as long as the instance.  In fn, which is a turn of its own, effects outside Annex are
 * allowed.
 */
void annex_when_durable(struct annex_instance *inst,
    void (*fn)(struct annex_instance *inst, void *cookie), void *cookie);

/* Undo this turn: as a failed put.  For a component that finds itself in a state it cannot repair. */
void annex_fail_turn(struct annex_instance *inst, const char *why);

#pragma GCC visibility pop

#endif /* ANNEX_COMPONENT_H */
