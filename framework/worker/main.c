/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * main.c - annex-worker, which people do not start themselves
 *
 * All of it is in libannex.so, so that what a module links and what runs it are one.
 */
#include "program.h"

int
main(int argc, char **argv)
{
	return annexp_program(argc, argv);
}
