/* Which of HAProxy's sentences are due: what every server was when it was last talked about, beside
 * what it is. HAProxy takes all servers for up at first, and so reports those that are not; as it
 * does, we give them the time of a question first: nobody is to be woken by every start. */
#include "control/server_news.h"
#include "admin/server_sentence.h"
#include "base/mem.h"
#include "io/log.h"
#include <stdlib.h>
#include <string.h>

struct server_news {
	const struct scoreboard *board;
	const char **said; /* by row: its status then; NULL: nothing yet */
	bool *none;        /* by listener: it was said that there is no server */
	int64_t began_ms;  /* the first look; 0: none yet */
	unsigned n_unsaid; /* servers of which nothing was said yet, after the last look */
};

struct server_news *server_news_new(const struct config *config, const struct scoreboard *board)
{
	struct server_news *n = xcalloc(1, sizeof(*n));

	n->board = board;
	n->said = xcalloc(counters_rows(config), sizeof(*n->said));
	n->none = xcalloc(config->n_listeners, sizeof(*n->none));
	return n;
}

void server_news_free(struct server_news *n)
{
	free(n->said);
	free(n->none);
	free(n);
}

static void say(enum severity severity, const char *sentence)
{
	struct log_line l;

	if (log_begin_sentence(&l, severity, sentence))
		log_end(&l);
}

static unsigned now_of(const struct gauge *g)
{
	return atomic_load_explicit(&g->now, memory_order_relaxed);
}

static void say_server(const struct server_news *n, const struct config *config,
		       const struct server_report *r, struct server_change *c)
{
	char text[SERVER_SENTENCE_BYTES];

	c->report = r;
	c->server = config->members[r->member].name;
	c->before = n->said[r->row];
	c->sessions = now_of(&n->board->gauges[r->row]);
	c->waiting = now_of(&n->board->holds[r->listener]);
	say(strcmp(c->now, "UP") == 0 ? SEVERITY_INFO : SEVERITY_WARNING,
	    server_sentence(c, text, sizeof(text)));
}

/* What has not answered yet is neither up nor down; nor is at first what has no primary yet, or
 * was asked one of its questions only. */
static bool is_unsure(const struct server_news *n, const struct config *config,
		      const struct server_report *r, int64_t now_ms)
{
	int64_t patience_ms =
		config->clusters[config->listeners[r->listener].cluster].probe.timeout_ms;

	return r->admin == ADMIN_READY && r->state != SERVER_OPEN &&
	       (r->check_outcome == OUTCOME_NONE || now_ms < n->began_ms + patience_ms);
}

static void look_at(struct server_news *n, const struct config *config,
		    const struct server_report *r, struct server_change *c, int64_t now_ms)
{
	const char *before = n->said[r->row];

	c->now = stat_server_status(r);
	if (before == NULL && is_unsure(n, config, r, now_ms)) {
		n->n_unsaid++;
		return;
	}
	if (before && strcmp(before, c->now) == 0)
		return;
	say_server(n, config, r, c);
	n->said[r->row] = c->now;
}

static void say_if_none(struct server_news *n, const struct server_change *c, unsigned listener)
{
	char text[SERVER_SENTENCE_BYTES];
	bool none = c->active + c->backups == 0;

	if (none && !n->none[listener])
		say(SEVERITY_ERROR, server_sentence_none(c->listener, text, sizeof(text)));
	n->none[listener] = none;
}

static void look_at_listener(struct server_news *n, const struct config *config,
			     const struct report *r, unsigned listener)
{
	struct stat_servers up = stat_servers_of(config, r, listener);
	struct server_change c = {.listener = &config->listeners[listener],
				  .active = up.active,
				  .backups = up.backups};
	unsigned n_unsaid = n->n_unsaid;

	for (size_t i = 0; i < r->n_servers; i++)
		if (r->servers[i].listener == listener)
			look_at(n, config, &r->servers[i], &c, r->now_ms);
	if (n->n_unsaid == n_unsaid)
		say_if_none(n, &c, listener);
}

void server_news_say(struct server_news *n, const struct config *config, const struct monitor *m,
		     bool changed, int64_t now_ms)
{
	struct report r;

	if (log_shape() != LOG_SYSLOG || (!changed && n->n_unsaid == 0))
		return;
	if (n->began_ms == 0)
		n->began_ms = now_ms;
	n->n_unsaid = 0;
	monitor_report(m, now_ms, &r);
	for (unsigned i = 0; i < config->n_listeners; i++)
		look_at_listener(n, config, &r, i);
	report_fini(&r);
}
