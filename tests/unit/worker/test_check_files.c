/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_check_files.c - directories, disks and files of secrets are looked at before a start
 */
#include <errno.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "checked.h"

static int
statfs_tmpfs_full(const char *path, struct statfs *st)
{
	*st = (struct statfs) { .f_type = TMPFS_MAGIC, .f_bsize = 4096, .f_bavail = 25600 };
	return 0;
}

static int
statfs_nfs(const char *path, struct statfs *st)
{
	if (strstr(path, "state") != NULL) {
		errno = ENOENT;
		return -1;
	}
	*st = (struct statfs) { .f_type = NFS_SUPER_MAGIC, .f_bsize = 4096, .f_bavail = 1 << 20 };
	return 0;
}

static void
test_a_directory_that_cannot_be_written_is_told(void **state)
{
	struct fixture *f = *state;

	uid_t uid = getuid() == 0 ? NOBODY : getuid();

	f->humble = true;
	chmod(in_dir(f, "state"), 0555);
	chmod(in_dir(f, "run"), 0555);
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    annex_sprintf(f->pool,
		"a.yaml:1:12: state-dir state is not writable by user %u: Permission denied\n"
		"a.yaml:2:10: run-dir run is not writable by user %u: Permission denied\n",
		(unsigned)uid, (unsigned)uid));
}

static void
test_a_component_s_own_directory_must_be_one(void **state)
{
	struct fixture *f = *state;

	put(f, "state/rooms.example.org", "", 0600);
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    "a.yaml:8:3: rooms.example.org: state/rooms.example.org is not a "
	    "directory\n");
}

static void
test_a_socket_s_path_has_an_end(void **state)
{
	struct fixture *f = *state;
	char name[100];

	memset(name, 'r', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	mkdir(in_dir(f, name), 0700);
	check_text(f,
	    annex_sprintf(
		f->pool, "state-dir: state\nrun-dir: %s\n" SERVER "components:\n" MUC, name));
	assert_non_null(strstr(f->err, "a.yaml:8:3: rooms.example.org: its control socket "));
	assert_non_null(
	    strstr(f->err, "a Unix socket has at most 107; choose a shorter run-dir\n"));
	assert_int_equal(f->status, 1);
}

#define FILED "  rooms.example.org:\n    module: muc\n    secret-file: x.secret\n"

static void
test_a_secret_s_file_is_looked_at(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *says;
	} rows[] = {
		{ "correct horse\n", 0644, "open to everybody (mode 0644); chmod o= it" },
		{ "correct horse\n", 0606, "open to everybody (mode 0606); chmod o= it" },
		{ "", 0600, "empty" },
		{ " \n\t\r\n", 0600, "empty" },
		{ "correct\nhorse\n", 0600, "holds more than one line" },
		{ "correct \xff horse", 0600, "not UTF-8" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(f, "x.secret", rows[i].text, rows[i].mode);
		check_text(f, HEAD FILED);
		assert_int_equal(f->status, 1);
		if (strstr(f->err, rows[i].says) == NULL ||
		    strncmp(f->err, "a.yaml:10:18: rooms.example.org: secret file x.secret ", 50) !=
			0)
			fail_msg("row %zu: %s", i, f->err);
	}
}

static void
test_a_secret_s_file_that_is_none_is_told(void **state)
{
	struct fixture *f = *state;
	char *large = calloc(1, 1026);

	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret cannot be "
	    "read: No such file or directory\n");
	mkdir(in_dir(f, "x.secret"), 0700);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret is not a "
	    "file\n");
	rmdir(in_dir(f, "x.secret"));
	mkfifo(in_dir(f, "x.secret"), 0600);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret is not a "
	    "file\n");
	unlink(in_dir(f, "x.secret"));
	memset(large, 'x', 1025);
	put(f, "x.secret", large, 0600);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret is larger "
	    "than 1024 bytes\n");
	free(large);
	if (geteuid() == 0)
		return;
	put(f, "x.secret", "correct horse", 0);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret cannot be "
	    "read: Permission denied\n");
}

static void
test_a_secret_s_file_for_a_group_of_strangers_is_warned_of(void **state)
{
	struct fixture *f = *state;

	if (getuid() != 0)
		skip(); /* nobody else can give a file to strangers */
	f->humble = true;
	chmod(in_dir(f, "state"), 0777);
	chmod(in_dir(f, "run"), 0777);
	put(f, "x.secret", "correct horse\n", 0640);
	assert_int_equal(chown(in_dir(f, "x.secret"), NOBODY, 54321), 0);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: warning: rooms.example.org: secret file x.secret "
	    "can be read by group 54321, which is not ours\n");
	assert_int_equal(f->status, 0);
}

static void
test_a_secret_is_never_shown(void **state)
{
	struct fixture *f = *state;

	check_text(f, HEAD "  rooms.example.org:\n    module: muc\n    secret: [hunter2hunter2]\n");
	assert_non_null(f->err);
	assert_null(strstr(f->err, "hunter2"));
	check_text(f,
	    HEAD "  rooms.example.org:\n    module: muc\n    secret: hunter2, hunter2\n"
		 "    nonsense: 1\n");
	assert_null(strstr(f->err, "hunter2"));
	assert_int_equal(f->status, 1);
}

static void
test_a_disk_that_loses_things_is_warned_of(void **state)
{
	struct fixture *f = *state;

	f->env.statfs = statfs_tmpfs_full;
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    "a.yaml:1:12: warning: state-dir state is in memory (tmpfs): all is lost when the "
	    "machine stops\n"
	    "a.yaml:1:12: warning: state-dir state has less than 1 GiB free (100 MiB)\n");
	f->env.statfs = statfs_nfs;
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    "a.yaml:1:12: warning: state-dir state is on NFS, where a store "
	    "can be damaged; use a local disk\n");
	assert_int_equal(f->status, 0);
}

static void
test_a_secret_in_a_file_for_everybody_is_warned_of(void **state)
{
	struct fixture *f = *state;

	check_mode(f, HEAD MUC, 0644);
	assert_string_equal(f->err,
	    "a.yaml:10:13: warning: rooms.example.org: the secret stands in a file that everybody "
	    "may read; use secret-file, or chmod o= a.yaml\n");
	assert_int_equal(f->status, 0);
	check_mode(f, HEAD "  r.example.org: {module: muc, secret-file: good.secret}\n", 0644);
	assert_string_equal(f->err, "");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_directory_that_cannot_be_written_is_told),
		TEST(test_a_component_s_own_directory_must_be_one),
		TEST(test_a_socket_s_path_has_an_end),
		TEST(test_a_secret_s_file_is_looked_at),
		TEST(test_a_secret_s_file_that_is_none_is_told),
		TEST(test_a_secret_s_file_for_a_group_of_strangers_is_warned_of),
		TEST(test_a_secret_is_never_shown),
		TEST(test_a_disk_that_loses_things_is_warned_of),
		TEST(test_a_secret_in_a_file_for_everybody_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
