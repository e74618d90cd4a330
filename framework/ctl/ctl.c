/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ctl.c - one run of annexctl: whom to ask, and how
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "control/address.h"
#include "control/control.h"

#include "ctl.h"

#define DEFAULT_RUN_DIR "/run/annex"
#define CHECK_OUTPUT_MAX ((size_t)16 << 20)
#define CONFIG_MAX ((size_t)4 << 20)

int
ctl_complain(struct ctl *ctl, int status, const char *fmt, ...)
{
	va_list args;
	const char *text;

	va_start(args, fmt);
	text = annex_vsprintf(ctl->pool, fmt, args);
	va_end(args);
	fprintf(ctl->err, "annexctl: %s\n", text);
	return status;
}

/* --- Running annex-worker ------------------------------------------------------------- */

static pid_t
start_worker(struct ctl *ctl, const char *const *argv, int stdout_fd, int stderr_fd)
{
	const char *own[16] = { ctl->program };
	pid_t pid;

	for (size_t i = 0; argv[i] != NULL && i + 2 < sizeof(own) / sizeof(own[0]); i++)
		own[i + 1] = argv[i];
	fflush(ctl->out);
	if ((pid = fork()) != 0)
		return pid;
	if ((stdout_fd < 0 || dup2(stdout_fd, STDOUT_FILENO) >= 0) &&
	    (stderr_fd < 0 || dup2(stderr_fd, STDERR_FILENO) >= 0))
		execv(ctl->program, (char *const *)own);
	dprintf(STDERR_FILENO, "annexctl: cannot run %s: %s\n", ctl->program, strerror(errno));
	_exit(127);
}

static int
wait_worker(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return CTL_BAD;
	if (WIFSIGNALED(status))
		return CTL_WARNING;
	return WEXITSTATUS(status) == 127 ? CTL_BAD : WEXITSTATUS(status);
}

int
ctl_run_worker(struct ctl *ctl, const char *const *argv, int stdout_fd)
{
	pid_t pid = start_worker(ctl, argv, stdout_fd, -1);

	if (pid < 0)
		return ctl_complain(
		    ctl, CTL_BAD, "cannot start another process: %s", strerror(errno));
	return wait_worker(pid);
}

/* --- The run directory ------------------------------------------------------------------ */

/* {"global": {"run-dir": ...}} in the output of a check. */
static const char *
run_dir_of_check(struct ctl *ctl, const char *output)
{
	const char *found = NULL, *end;
	json_t *line;

	for (; found == NULL && *output != '\0'; output = *end != '\0' ? end + 1 : end) {
		end = strchrnul(output, '\n');
		line = json_loadb(output, (size_t)(end - output), 0, NULL);
		found = annex_strdup(ctl->pool,
		    json_string_value(json_object_get(json_object_get(line, "global"), "run-dir")));
		json_decref(line);
	}
	return found;
}

static const char *
ask_check(struct ctl *ctl)
{
	const char *const argv[] = { "--check", "-c", ctl->config, NULL };
	struct buf output = { 0 };
	const char *found = NULL;
	int pipe_fds[2], null, r;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return NULL;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid = start_worker(ctl, argv, pipe_fds[1], null);
	io_close(&pipe_fds[1]);
	io_close(&null);
	r = io_read_rest(pipe_fds[0], CHECK_OUTPUT_MAX, &output);
	io_close(&pipe_fds[0]);
	if (pid > 0 && wait_worker(pid) == 0 && r >= 0)
		found = run_dir_of_check(ctl, buf_text(&output));
	buf_finish(&output);
	return found;
}

/* The value of a top-level "run-dir:" line, quotes and comment taken off. */
static const char *
value_of_line(struct ctl *ctl, const char *line, size_t len)
{
	static const char key[] = "run-dir:";
	const char *at = line + sizeof(key) - 1, *end = line + len, *hash;

	if (len < sizeof(key) || strncmp(line, key, sizeof(key) - 1) != 0)
		return NULL;
	if ((hash = memmem(at, (size_t)(end - at), " #", 2)) != NULL)
		end = hash;
	while (at < end && isspace((unsigned char)*at))
		at++;
	while (end > at && isspace((unsigned char)end[-1]))
		end--;
	if (end - at >= 2 && (*at == '"' || *at == '\'') && end[-1] == *at) {
		at++;
		end--;
	}
	return end > at ? annex_strndup(ctl->pool, at, (size_t)(end - at)) : NULL;
}

/*
 * The check also judges secrets and directories that only annexd's user can
 * see, and it fails on a file that is being edited: neither must keep an
 * operator from asking.  So where it fails, the one line is looked for.
 */
static const char *
scan_config(struct ctl *ctl)
{
	struct buf text = { 0 };
	const char *found = NULL, *at, *end, *slash = strrchr(ctl->config, '/');

	if (io_read_file(ctl->config, CONFIG_MAX, &text) < 0) {
		buf_finish(&text);
		return NULL;
	}
	for (at = buf_text(&text); found == NULL && *at != '\0';
	     at = *end != '\0' ? end + 1 : end) {
		end = strchrnul(at, '\n');
		found = value_of_line(ctl, at, (size_t)(end - at));
	}
	buf_finish(&text);
	if (found == NULL || found[0] == '/' || slash == NULL)
		return found;
	return annex_sprintf(ctl->pool, "%.*s/%s", (int)(slash - ctl->config), ctl->config, found);
}

const char *
ctl_run_dir(struct ctl *ctl)
{
	if (ctl->run_dir == NULL && access(ctl->config, R_OK) == 0 &&
	    (ctl->run_dir = ask_check(ctl)) == NULL)
		ctl->run_dir = scan_config(ctl);
	if (ctl->run_dir == NULL)
		ctl->run_dir = DEFAULT_RUN_DIR;
	return ctl->run_dir;
}

const char *
ctl_socket(struct ctl *ctl, const char *name)
{
	return annex_sprintf(ctl->pool, "%s/%s.sock", ctl_run_dir(ctl), name);
}

/* --- Asking ------------------------------------------------------------------------------- */

/* ", did you mean" what is configured or a command of ours; else nothing. */
static const char *
hint(struct ctl *ctl, const char *domain, const json_t *components)
{
	size_t n = json_array_size(components) + CTL_WORDS_MAX, count, i;
	const char **names = annex_new_array(ctl->pool, const char *, n), *near;
	const json_t *component;

	count = ctl_words(names);
	json_array_foreach(components, i, component)
	{
		const char *name = json_string_value(json_object_get(component, "domain"));

		if (name != NULL)
			names[count++] = name;
	}
	near = nearest(domain, names, count);
	return near != NULL ? annex_sprintf(ctl->pool, "; did you mean %s?", near) : "";
}

/* What annexd tells of a component that does not answer. */
static const char *
explain_component(struct ctl *ctl, const char *domain, const json_t *component)
{
	const char *state = json_string_value(json_object_get(component, "state"));
	const char *last = json_string_value(json_object_get(component, "last_end"));

	return annex_sprintf(ctl->pool, "%s does not answer: it is %s%s%s", domain,
	    state != NULL ? state : "in no state", last != NULL ? "; its worker " : "",
	    last != NULL ? last : "");
}

/* Why a domain's socket does not answer, as far as annexd knows; or NULL. */
static const char *
explain_absence(struct ctl *ctl, const char *domain)
{
	const char *why = NULL;
	json_t *status, *components, *component;
	size_t i;

	status = control_call(
	    ctl_socket(ctl, "annexd"), "status", NULL, -1, 5000, NULL, NULL, ctl->pool, &why);
	if (status == NULL)
		return NULL;
	components = json_object_get(status, "components");
	why = NULL;
	json_array_foreach(components, i, component)
	{
		const char *name = json_string_value(json_object_get(component, "domain"));

		if (name != NULL && strcmp(name, domain) == 0)
			why = explain_component(ctl, domain, component);
	}
	if (why == NULL)
		why = annex_sprintf(ctl->pool, "no component %s is configured%s", domain,
		    hint(ctl, domain, components));
	json_decref(status);
	return why;
}

static bool
is_served(const char *path)
{
	struct sockaddr_un address;
	int fd = -1;

	if (address_of_path(&address, path) == ANNEX_OK)
		fd = address_connect(&address);
	if (fd < 0)
		return false;
	io_close(&fd);
	return true;
}

int
ctl_unanswered(struct ctl *ctl, const char *name, const char *why)
{
	const char *absence = NULL;

	if (is_served(ctl_socket(ctl, name)))
		return ctl_complain(ctl, CTL_WARNING, "%s", why);
	if (strcmp(name, "annexd") != 0)
		absence = explain_absence(ctl, name);
	return ctl_complain(ctl, CTL_BAD, "%s", absence != NULL ? absence : why);
}

json_t *
ctl_ask(struct ctl *ctl, const char *name, const char *command, json_t *args, int fd,
    int timeout_ms, int *status_r)
{
	const char *why = NULL;
	json_t *result = control_call(
	    ctl_socket(ctl, name), command, args, fd, timeout_ms, NULL, NULL, ctl->pool, &why);

	json_decref(args);
	if (result == NULL)
		*status_r = ctl_unanswered(ctl, name, why);
	return result;
}

/* --- Showing -------------------------------------------------------------------------------- */

void
ctl_print_json(struct ctl *ctl, const json_t *value)
{
	json_dumpf(value, ctl->out, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	putc('\n', ctl->out);
}

void
ctl_print_text(struct ctl *ctl, const char *text, size_t len)
{
	const char *at = text, *end = text + len, *next;

	for (; at < end; at = next) {
		int32_t c;

		next = at;
		c = utf8_next(&next, end);
		/* C0 and C1 controls move cursors and rename windows; so do broken bytes. */
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			for (; at < next; at++)
				fprintf(ctl->out, "\\x%02x", (unsigned char)*at);
		else
			fwrite(at, 1, (size_t)(next - at), ctl->out);
	}
}
