/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * import.c - the nodes of users (PEP) that another server has exported
 *
 * XEP-0227 §4.9: in <server-data/>, <host/> and <user/> a <pubsub/> of owners says what nodes are like
 * and who has them, another one what is in them.  Prosody's migrator writes that.
 *
 * The file is read a piece a turn, four times over (enum pass): so neither its length
 * nor the order of what is in it matters.  A node is marked as long as its import goes on.  Where that
 * is interrupted the same file goes on with marked nodes, and with no others that are there.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import.h"

#define NS_PIE "urn:xmpp:pie:0"
#define NS_XINCLUDE "http://www.w3.org/2001/XInclude"
#define PIECE ((size_t)16 << 10) /* of the file, in a turn */
#define PART_MAX ((size_t)1 << 20)
#define REPORT_MAX ((size_t)256 << 10) /* of an answer of at most 1 MiB */
#define REPORT_ROWS 200
#define SHOWN_MAX 100 /* bytes of what the file says, in a sentence */

/* --- What is told ------------------------------------------------------------------- */

const char *
import_shown(const char *text, struct annex_pool *pool)
{
	size_t n = text == NULL ? 0 : strlen(text);

	if (n > SHOWN_MAX)
		for (n = SHOWN_MAX; ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			continue;
	return n == 0 ? "" : annex_strndup(pool, text, n);
}

void
import_left(struct import *imp, const char *what, const char *fmt, ...)
{
	struct annex_pool *pool = annex_scratch(imp->p->inst);
	const char *why;
	va_list args;

	imp->left++;
	if (imp->told == REPORT_ROWS || annex_run_bytes(imp->run) > REPORT_MAX)
		return;
	imp->told++;
	va_start(args, fmt);
	why = annex_vsprintf(pool, fmt, args);
	va_end(args);
	annex_run_row(imp->run,
	    (const char *[]) { imp->owner == NULL ? "" : imp->owner->bare,
		imp->their == NULL ? "" : imp->their, what, why, NULL });
}

bool
import_wrote(struct import *imp, int status)
{
	if (status < 0)
		imp->wrong = status == ANNEX_EFULL
		    ? "There is no room for more: what came before is here.  Make room, and import the file again."
		    : "It could not be stored.";
	return status >= 0;
}

static void
import_report(struct import *imp)
{
	annex_run_say(imp->run,
	    "Of %llu users: %llu nodes, %llu affiliations, %llu subscriptions and %llu items were taken; %llu were here before.",
	    (unsigned long long)imp->users, (unsigned long long)imp->nodes,
	    (unsigned long long)imp->affiliations, (unsigned long long)imp->subscriptions,
	    (unsigned long long)imp->items, (unsigned long long)imp->same);
	annex_log(imp->p->inst, ANNEX_LOG_NOTICE,
	    "imported %s: %llu users, %llu nodes, %llu items; left %llu", imp->file,
	    (unsigned long long)imp->users, (unsigned long long)imp->nodes,
	    (unsigned long long)imp->items, (unsigned long long)imp->left);
	if (imp->left > 0)
		annex_run_say(imp->run, "%llu were left%s", (unsigned long long)imp->left,
		    imp->left > imp->told ? ", of which these are the first:" : ":");
}

/* --- Where in the file ------------------------------------------------------------------ */

static bool
enter_host(struct import *imp, const struct annex_element *el)
{
	const char *text = annex_attr(el, "jid");
	const struct annex_jid *jid = text == NULL ? NULL : annex_jid(el->pool, text);

	if (jid == NULL || jid->local != NULL || jid->resource != NULL) {
		if (imp->pass == PASS_NODES)
			import_left(imp, "host", "its jid is no domain: \"%s\"",
			    import_shown(text, el->pool));
		return false;
	}
	imp->host = jid;
	return true;
}

static bool
enter_user(struct import *imp, const struct annex_element *el)
{
	const char *name = annex_attr(el, "name");
	const struct annex_jid *jid = name == NULL || name[0] == '\0'
	    ? NULL
	    : annex_jid(el->pool, annex_sprintf(el->pool, "%s@%s", name, imp->host->full));

	if (jid == NULL || jid->local == NULL || jid->resource != NULL ||
	    strlen(jid->bare) > JID_MAX) {
		if (imp->pass == PASS_NODES)
			import_left(imp, "user", "their name is none: \"%s\"",
			    import_shown(name, el->pool));
		return false;
	}
	imp->owner = jid;
	imp->users += imp->pass == PASS_NODES;
	return true;
}

static bool
enter_node(struct import *imp, const struct annex_element *el)
{
	if (imp->pass != PASS_CONTENTS)
		return false;
	imp->their = annex_attr(el, "node");
	imp->name = import_name(imp, imp->their, el->pool);
	if (imp->name != NULL && import_begin(imp, el->name))
		return true;
	imp->their = imp->name = NULL;
	return false;
}

/* What is where: it is entered, or taken whole, in one pass. */
static const struct step {
	enum place in;
	const char *ns, *name;
	enum place to;
	bool (*enter)(struct import *imp, const struct annex_element *el); /* NULL: always */
	enum pass pass;
	take_fn *take; /* NULL: it is entered */
} steps[] = {
	{ OUTSIDE, NS_PIE, "server-data", .to = IN_SERVER },
	/* One file for each host, as ejabberd writes them (XEP-0227 §5.1). */
	{ OUTSIDE, NS_PIE, "host", .to = IN_HOST, .enter = enter_host },
	{ IN_SERVER, NS_PIE, "host", .to = IN_HOST, .enter = enter_host },
	{ IN_HOST, NS_PIE, "user", .to = IN_USER, .enter = enter_user },
	{ IN_USER, NS_OWNER, "pubsub", .to = IN_NODES },
	{ IN_USER, NS_PUBSUB, "pubsub", .to = IN_CONTENTS },
	{ IN_NODES, NS_OWNER, "configure", .pass = PASS_NODES, .take = import_configure },
	{ IN_NODES, NS_OWNER, "configure", .pass = PASS_MARKS, .take = import_forget },
	{ IN_NODES, NS_OWNER, "affiliations", .to = IN_AFFILIATIONS, .enter = enter_node },
	{ IN_NODES, NS_OWNER, "subscriptions", .to = IN_SUBSCRIPTIONS, .enter = enter_node },
	{ IN_CONTENTS, NS_PUBSUB, "items", .to = IN_ITEMS, .enter = enter_node },
	{ IN_AFFILIATIONS, NS_OWNER, "affiliation", .pass = PASS_CONTENTS,
	    .take = import_affiliation },
	{ IN_SUBSCRIPTIONS, NS_OWNER, "subscription", .pass = PASS_CONTENTS,
	    .take = import_subscription },
	{ IN_ITEMS, NS_PUBSUB, "item", .pass = PASS_CONTENTS, .take = import_item },
};

static enum place
place_of(const struct import *imp)
{
	return imp->depth == 0 ? OUTSIDE : imp->places[imp->depth - 1];
}

static const struct step *
step_find(const struct import *imp, const struct annex_element *el, bool entering)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i].in == place_of(imp) && (steps[i].take == NULL) == entering &&
		    (entering || steps[i].pass == imp->pass) &&
		    annex_is(el, steps[i].ns, steps[i].name))
			return &steps[i];
	return NULL;
}

/* --- What the document tells -------------------------------------------------------------- */

static bool
entered(void *cookie, const struct annex_element *el)
{
	struct import *imp = cookie;
	const struct step *step = step_find(imp, el, true);

	if (imp->wrong != NULL)
		return false;
	if (step == NULL && imp->depth == 0)
		imp->wrong = annex_sprintf(annex_run_pool(imp->run),
		    "%s is no export of users: its root is <%s xmlns='%s'/>, and not <server-data xmlns='" NS_PIE
		    "'/> (XEP-0227).",
		    imp->file, import_shown(el->name, el->pool), import_shown(el->ns, el->pool));
	if (step == NULL || (step->enter != NULL && !step->enter(imp, el)))
		return false;
	imp->places[imp->depth++] = step->to;
	return true;
}

static void
left(void *cookie, const struct annex_element *el)
{
	struct import *imp = cookie;

	switch (imp->places[--imp->depth]) {
	case IN_HOST:
		imp->host = NULL;
		break;
	case IN_USER:
		imp->owner = NULL;
		break;
	case IN_AFFILIATIONS:
	case IN_SUBSCRIPTIONS:
	case IN_ITEMS:
		imp->their = imp->name = NULL;
		break;
	default:
		break;
	}
	(void)el;
}

static void
whole(void *cookie, const struct annex_element *el)
{
	struct import *imp = cookie;
	const struct step *step = step_find(imp, el, false);

	if (imp->wrong != NULL)
		return;
	if (step != NULL)
		step->take(imp, el);
	else if (imp->pass == PASS_NODES && place_of(imp) <= IN_HOST &&
	    annex_is(el, NS_XINCLUDE, "include"))
		import_left(imp, "include",
		    "it is in a file of its own, to be imported by itself: %s",
		    import_shown(annex_attr(el, "href"), el->pool));
}

static void
skipped(void *cookie, const struct annex_element *el)
{
	struct import *imp = cookie;

	if (imp->wrong == NULL && step_find(imp, el, false) != NULL && imp->pass != PASS_MARKS)
		import_left(imp, el->name, "it is too large");
}

static const struct annex_document_events events = { entered, whole, skipped, left };

/* --- Its life ------------------------------------------------------------------------------- */

static void
import_close(void *arg)
{
	struct import *imp = arg;

	annex_document_destroy(&imp->doc);
	if (imp->fd >= 0)
		close(imp->fd);
	imp->fd = -1;
}

/* The instance may have many while it lives: each has a pool of its own. */
static void
import_end(struct import *imp)
{
	struct annex_pool *pool = imp->pool;

	if (imp->wrong != NULL)
		annex_run_fail(imp->run, ANNEX_BAD_REQUEST, "%s", imp->wrong);
	else
		import_report(imp);
	annex_run_end(&imp->run);
	annex_timer_free(&imp->timer);
	imp->p->import = NULL;
	annex_pool_destroy(&pool);
}

static void
pass_begin(struct import *imp)
{
	annex_document_destroy(&imp->doc);
	imp->depth = 0;
	imp->host = imp->owner = NULL;
	imp->their = imp->name = NULL;
	imp->doc = annex_document_create(&events, imp, PART_MAX);
	if (lseek(imp->fd, 0, SEEK_SET) < 0)
		imp->wrong = "The file cannot be read from its beginning.";
}

static void
not_xml(struct import *imp)
{
	if (imp->wrong == NULL)
		imp->wrong = annex_sprintf(annex_run_pool(imp->run),
		    imp->pass == PASS_CHECK ? "%s is no XML (%s): nothing was taken."
					    : "%s has changed while it was read (%s).",
		    imp->file, annex_document_why(imp->doc));
}

/* A piece of the file; true where that was the last one. */
static bool
piece_read(struct import *imp)
{
	char *bytes = annex_pool_alloc(annex_scratch(imp->p->inst), PIECE);
	ssize_t n = read(imp->fd, bytes, PIECE);
	int r;

	if (n < 0) {
		imp->wrong = annex_sprintf(
		    annex_run_pool(imp->run), "%s cannot be read: %s.", imp->file, strerror(errno));
		return false;
	}
	r = n > 0 ? annex_document_feed(imp->doc, bytes, (size_t)n) : annex_document_end(imp->doc);
	if (r < 0)
		not_xml(imp);
	return n == 0;
}

static void
import_go_on(struct annex_instance *inst, void *cookie)
{
	struct import *imp = cookie;

	(void)inst;
	if (piece_read(imp) && imp->wrong == NULL && ++imp->pass < PASS_COUNT)
		pass_begin(imp);
	if (imp->wrong != NULL || imp->pass == PASS_COUNT)
		import_end(imp);
	else
		annex_timer_start(imp->timer, 0);
}

/* --- The command ------------------------------------------------------------------------------ */

static const struct annex_field import_fields[] = {
	ANNEX_FIELD(struct import_values, file, "file", ANNEX_TEXT_SINGLE, "File", .max = 4096,
	    .required = true, .datatype = ANNEX_FILE),
	ANNEX_FIELD(struct import_values, as, "as", ANNEX_TEXT_SINGLE, "Names of nodes here",
	    .max = 1023,
	    .desc = "With {node}, {user} and {host} for theirs; without it {user}/{node}."),
	ANNEX_FIELD(struct import_values, replace, "replace", ANNEX_BOOLEAN,
	    "Whether nodes that their owners have here already are overwritten"),
	{ 0 },
};

const struct annex_form import_form = { .title = "Import", .fields = import_fields };

static const char *
judge(struct pubsub *p, const struct import_values *v, int fd)
{
	struct annex_pool *pool = annex_scratch(p->inst);
	struct stat st;

	if (p->import != NULL)
		return "An import is going on: wait until it has ended.";
	if (fd < 0)
		return "No file came along.";
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return annex_sprintf(pool, "%s is not a regular file.", v->file);
	return import_judge_template(v->as, pool);
}

static struct import *
import_make(struct pubsub *p, struct annex_run *run, const struct import_values *v, int fd)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(p->inst), "import");
	struct import *imp = annex_new(pool, struct import);

	annex_pool_on_destroy(pool, import_close, imp);
	imp->pool = pool;
	imp->p = p;
	imp->fd = fd;
	imp->run = annex_run_hold(run);
	imp->file = annex_strdup(pool, v->file);
	imp->as = annex_strdup(pool, v->as);
	imp->replace = v->replace;
	imp->timer = annex_timer(p->inst, import_go_on, imp);
	return imp;
}

int
run_import(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "user", "node", "what", "why", NULL };
	static const char *const labels[] = { "User", "Node", "Left", "Why", NULL };
	struct pubsub *p = annex_state(inst);
	struct import_values *v = values;
	int fd = annex_run_file(run);
	const char *why;

	(void)stage;
	if (v->as == NULL || v->as[0] == '\0')
		v->as = "{user}/{node}";
	if ((why = judge(p, v, fd)) != NULL) {
		if (fd >= 0)
			close(fd);
		annex_run_fail(run, ANNEX_BAD_REQUEST, "%s", why);
		return ANNEX_EINVAL;
	}
	p->import = import_make(p, run, v, fd);
	annex_run_columns(p->import->run, columns, labels);
	pass_begin(p->import);
	annex_timer_start(p->import->timer, 0);
	return ANNEX_OK;
}
