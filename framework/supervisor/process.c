/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * process.c - a child process and its end
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/check.h"
#include "base/io.h"
#include "base/page.h"

#include "process.h"

/* Put each descriptor in its place, none treading on another that still waits for its own. */
static int
arrange_fds(const struct process_plan *plan)
{
	int high[PROCESS_FDS_MAX];
	int least = (int)plan->fd_count;

	for (int i = 0; i < least; i++) {
		int fd = plan->fds[i] >= 0 ? plan->fds[i] : open("/dev/null", O_RDWR);

		if (fd < 0 || (high[i] = fcntl(fd, F_DUPFD_CLOEXEC, least)) < 0)
			return -1;
	}
	for (int i = 0; i < least; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	return close_range((unsigned)least, ~0u, 0);
}

static void
reset_signals(void)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &by_default, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int
process_become(const struct process_plan *plan)
{
	CHECK(plan->fd_count <= PROCESS_FDS_MAX);
	reset_signals();
	if (arrange_fds(plan) == 0)
		execv(plan->path, (char *const *)plan->argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", plan->path, strerror(errno));
	return ANNEX_EIO;
}

static void
process_fire(struct watch *watch, int events)
{
	struct process *process = annex_container_of(watch, struct process, watch);
	int status;
	pid_t pid;

	pid = waitpid(process->pid, &status, WNOHANG);
	if (pid == 0 || (pid < 0 && errno == EINTR))
		return;
	CHECK(pid == process->pid);
	watch_stop(process->reactor, &process->watch);
	io_close(&process->watch.fd);
	process->pid = 0;
	process->ended(process, status);
}

/* The kernel tells it of our end, whatever it is busy with then (program.c). */
static void
ask_to_be_told(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, PAGE_ORPHAN_SIGNAL);
	if (getppid() != parent)
		_exit(127);
}

int
process_start(struct process *process, struct reactor *reactor, const struct process_plan *plan,
    process_ended_fn *ended)
{
	pid_t parent = getpid(), pid;
	int fd;

	/* Whoever started us may have left it ignored: then children vanish unseen. */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid < 0)
		return ANNEX_EIO;
	if (pid == 0) {
		ask_to_be_told(parent);
		setpgid(0, 0);
		process_become(plan);
		_exit(127);
	}
	setpgid(pid, pid);
	/* It cannot have vanished: nobody but us waits for it. */
	fd = pidfd_open(pid, 0);
	if (fd < 0) {
		int error = errno;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		errno = error;
		return ANNEX_EIO;
	}
	*process = (struct process) { .pid = pid, .reactor = reactor, .ended = ended };
	watch_start(reactor, &process->watch, fd, REACTOR_READ, process_fire);
	return ANNEX_OK;
}

void
process_signal(struct process *process, int signal)
{
	if (process->pid > 0)
		kill(process->pid, signal);
}

void
process_destroy(struct process *process)
{
	if (process->pid == 0)
		return;
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	watch_stop(process->reactor, &process->watch);
	io_close(&process->watch.fd);
	process->pid = 0;
}

const char *
process_end_text(int status, struct annex_pool *pool)
{
	if (WIFSIGNALED(status))
		return annex_sprintf(
		    pool, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return annex_sprintf(pool, "exit status %d", WEXITSTATUS(status));
}
