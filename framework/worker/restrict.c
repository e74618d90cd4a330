/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * restrict.c - what a worker gives up before it meets anybody
 *
 * No new privileges, and writing (creating, removing, renaming) only below its own state and run
 * directories.  Reading stays free: DNS, CA files, modules.  Best effort: a kernel without
 * Landlock is told of in the log, once.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "worker.h"

#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>

/* By ABI of the kernel: 1 has the first list, 2 REFER, 3 TRUNCATE. */
#define WRITE_1                                                             \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |    \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
	    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define WRITE_2 (1u << 13)
#define WRITE_3 (1u << 14)

static uint64_t
rights_of(long abi)
{
	return WRITE_1 | (abi >= 2 ? WRITE_2 : 0) | (abi >= 3 ? WRITE_3 : 0);
}

static void
allow_below(int ruleset, const char *dir, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };

	rule.parent_fd = open(dir, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (rule.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

static int
landlock(const char *const *writable)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = { 0 };
	int ruleset, r;

	if (abi < 1)
		return -1;
	attr.handled_access_fs = rights_of(abi);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -1;
	for (size_t i = 0; writable[i] != NULL; i++)
		allow_below(ruleset, writable[i], rights_of(abi));
	r = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
	return r;
}
#else
static int
landlock(const char *const *writable)
{
	errno = ENOSYS;
	return -1;
}
#endif

void
restrict_process(struct log *log, const char *const *writable)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		log_write(log, ANNEX_LOG_WARNING, "no_new_privs: %s", strerror(errno));
	if (landlock(writable) < 0)
		log_write(log, ANNEX_LOG_WARNING,
		    "this kernel has no Landlock (%s): writing is restricted by file permissions alone",
		    strerror(errno));
}
