/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * place.c - the control socket and the metrics port, where the configuration says
 *
 * A reload that moves one of them opens the new place first and closes the
 * old one only when nothing more can go wrong: what fails leaves all as it was.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

#include "metrics.h"
#include "supervisor.h"

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
render(void *cookie, struct buf *out)
{
	struct supervisor *s = cookie;
	struct annex_pool *pool = annex_pool_create(NULL, "metrics");
	struct metrics_source *sources;
	size_t n = 0;

	ANNEX_LIST_EACH (&s->components, l)
		n++;
	sources = annex_new_array(pool, struct metrics_source, n);
	n = 0;
	ANNEX_LIST_EACH (&s->components, l) {
		struct component *c = annex_container_of(l, struct component, link);

		sources[n++] = (struct metrics_source) {
			.domain = c->domain,
			.page = c->page,
			.up = c->state == COMPONENT_RUNNING,
			.restarts = c->starts > 0 ? c->starts - 1 : 0,
			.crashes = c->crashes,
			.quarantined = blame_quarantined(&c->blame),
			.heartbeat_age_s = component_heartbeat_age_s(c),
		};
	}
	metrics_render(out, PACKAGE_VERSION, sources, n);
	annex_pool_destroy(&pool);
}

/* Its own directory is made where only the last part is missing; /run is emptied at boot. */
static int
make_run_dir(const char *path, struct annex_pool *pool, const char **why)
{
	if (mkdir(path, 0750) == 0 || errno == EEXIST)
		return ANNEX_OK;
	*why = annex_sprintf(pool, "cannot make run-dir %s: %s", path, strerror(errno));
	return ANNEX_EIO;
}

static int
open_control(struct supervisor *s, const struct configuration *configuration,
    struct control_server **control_r, struct annex_pool *pool, const char **why)
{
	const char *path = annex_sprintf(pool, "%s/annexd.sock", configuration->run_dir);
	int r;

	if ((r = make_run_dir(configuration->run_dir, pool, why)) < 0)
		return r;
	*control_r = control_listen(path, s->setup.reactor, s->setup.timers, s->setup.log,
	    supervisor_command, s, pool, why);
	return *control_r != NULL ? ANNEX_OK : ANNEX_EIO;
}

int
place_prepare(struct supervisor *s, const struct configuration *configuration,
    struct annex_pool *pool, const char **why)
{
	bool move_control = !same_text(s->run_dir, configuration->run_dir);
	bool move_http = !same_text(s->metrics, configuration->metrics);
	struct control_server *control = NULL;
	struct http_server *http = NULL;
	int r;

	if (move_control && (r = open_control(s, configuration, &control, pool, why)) < 0)
		return r;
	if (move_http && configuration->metrics != NULL &&
	    (http = http_listen(configuration->metrics, s->setup.reactor, s->setup.timers,
		 s->setup.log, render, s, pool, why)) == NULL) {
		control_close(&control);
		return ANNEX_EIO;
	}
	if (move_control) {
		/* Requests that wait on the old socket are still answered there. */
		control_close(&s->old_control);
		s->old_control = s->control;
		s->control = control;
		free(s->run_dir);
		s->run_dir = mem_strdup(configuration->run_dir);
	}
	if (move_http) {
		http_close(&s->http);
		s->http = http;
		free(s->metrics);
		s->metrics =
		    configuration->metrics != NULL ? mem_strdup(configuration->metrics) : NULL;
	}
	return ANNEX_OK;
}
