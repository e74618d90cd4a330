/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * memory.c - the page annexd shares with one worker
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"

#include "memory.h"

int
memory_create(struct page **page_r, int *fd_r)
{
	int fd = memfd_create("annex-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct page *page;

	if (fd < 0)
		return ANNEX_EIO;
	/* Shrunk by a worker run wild, the file would be a SIGBUS for annexd. */
	if (ftruncate(fd, sizeof(struct page)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		io_close(&fd);
		return ANNEX_EIO;
	}
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		io_close(&fd);
		return ANNEX_EIO;
	}
	page->magic = PAGE_MAGIC;
	page->size = sizeof(*page);
	atomic_store(&page->phase, PAGE_STARTING);
	*page_r = page;
	*fd_r = fd;
	return ANNEX_OK;
}

void
memory_destroy(struct page **page)
{
	if (*page != NULL)
		munmap(*page, sizeof(**page));
	*page = NULL;
}
