/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * service.h - what the parts of service/ have from each other
 *
 *	instance.c   calling a component, and what it may ask; core.c answers for it
 *	output.c     what a turn sends; send.c builds it, fanout.c sends one to many
 *	iq.c         asking others; hold.c answering later, query.c after many turns
 *	access.c     who is whom
 *	disco.c      who are you; disco_items.c what do you hold
 *	command.c    commands: adhoc.c, adhoc_*.c over XMPP, operator.c for annexctl
 *	timer.c      timers; alarm.c those that survive restarts, job.c long work
 *	contact.h    the other half of a roster, a dozen files
 *	socket.c     sockets of a component; socket_open.c where it listens
 *	spawn.c      its programs: child.h, and spawner.c, which starts them
 *	tables.c     what of all this lies in the store
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <annex/access.h>
#include <annex/command.h>
#include <annex/component.h>
#include <annex/disco.h>

/* Largest payload of an answer that we cut to fit, below the guard's limit for a stanza: addresses and
 * what stands around have a place beside it. */
size_t payload_max(const struct annex_instance *inst);

/* Bytes of text, NULL being none, in an attribute or element, at most. */
size_t bytes_on_wire(const char *text);

/* Whether the stanza is for the domain itself. */
bool is_for_domain(const struct annex_instance *inst, const struct annex_stanza *in);

/* The handlers behind service_routes. */
annex_handler disco_info_get, disco_items_get, disco_set, command_set;

/* The caps hash of what disco#info of an address of ours says, in scratch; NULL: there is none. */
const char *disco_hash_of(struct annex_instance *inst, const struct annex_jid *jid);

/* Declared commands, as disco shows them. */
bool command_is_offered(const struct annex_command *command); /* over XMPP at all */
bool command_is_of_domain(const struct annex_command *command);
/* Whether who may run it at that address: 0, or why not. */
enum annex_condition command_judge(struct annex_instance *inst, const struct annex_command *command,
    const struct annex_jid *who, const struct annex_jid *at);
bool commands_are_offered(const struct annex_instance *inst);       /* of the domain */
bool commands_are_offered_below(const struct annex_instance *inst); /* of other addresses */
const struct annex_command *command_find(const struct annex_instance *inst, const char *node);

#endif /* SERVICE_SERVICE_H */
