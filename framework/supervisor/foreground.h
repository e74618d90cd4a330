/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * foreground.h - one worker in place of annexd, for a debugger or a container
 */
#ifndef SUPERVISOR_FOREGROUND_H
#define SUPERVISOR_FOREGROUND_H

#include "base/clock.h"
#include "base/loop.h"

/*
 * Check file, then become the worker of domain.  Returns only where that
 * failed: the exit status, after a sentence on standard error.
 */
int foreground_run(struct loop *loop, const char *program, const char *file, const char *domain);

#endif /* SUPERVISOR_FOREGROUND_H */
