/* Say what changed. */
#include "control/announce.h"
#include "io/log.h"

static const char *member_name(const struct config *config, int member)
{
	return member < 0 ? NULL : config->members[member].name;
}

static void say_last_answer(struct log_line *l, const struct change *c)
{
	log_str(l, "answer", outcome_name(c->outcome));
	if (c->http_status)
		log_int(l, "status", c->http_status);
}

static void leadership(const struct config *config, const struct change *c, struct log_line *l)
{
	const char *to = member_name(config, c->to);

	if (!log_begin(l, to ? SEVERITY_INFO : SEVERITY_ERROR,
		       to ? "primary_changed" : "primary_lost"))
		return;
	log_str(l, "cluster", config->clusters[c->cluster].name);
	log_str(l, "from", member_name(config, c->from));
	log_str(l, "to", to);
	log_str(l, "about", to ? NULL : member_name(config, c->member));
	log_str(l, "why", why_text(c->why));
	log_int(l, "timeline", (int64_t)c->timeline);
	log_int(l, "after_ms", c->after_ms);
	log_end(l);
}

static void ambiguous(const struct config *config, const struct change *c, struct log_line *l)
{
	if (!log_begin(l, SEVERITY_ERROR, "primary_ambiguous"))
		return;
	log_str(l, "cluster", config->clusters[c->cluster].name);
	log_str(l, "one", member_name(config, c->member));
	log_str(l, "other", member_name(config, c->to));
	log_int(l, "timeline", (int64_t)c->timeline);
	log_str(l, "why", why_text(c->why));
	log_end(l);
}

static void member(const struct config *config, const struct change *c, struct log_line *l)
{
	if (!log_begin(l, c->up ? SEVERITY_INFO : SEVERITY_WARNING,
		       c->up ? "member_up" : "member_down"))
		return;
	log_str(l, "cluster", config->clusters[c->cluster].name);
	log_str(l, "member", member_name(config, c->member));
	log_str(l, "why", why_text(c->why));
	say_last_answer(l, c);
	log_int(l, "after_ms", c->after_ms);
	log_end(l);
}

static void server(const struct config *config, const struct change *c, struct log_line *l)
{
	if (log_shape() == LOG_SYSLOG) /* a sentence says it: server_news.c */
		return;
	if (!log_begin(l, c->up ? SEVERITY_INFO : SEVERITY_WARNING, "server_state"))
		return;
	log_str(l, "listener", config->listeners[c->listener].name);
	log_str(l, "server", member_name(config, c->member));
	log_str(l, "state", server_state_name(c->state));
	log_str(l, "why", why_text(c->why));
	say_last_answer(l, c);
	log_int(l, "after_ms", c->after_ms);
	log_end(l);
}

static void timeline_down(const struct config *config, const struct change *c, struct log_line *l)
{
	if (!log_begin(l, SEVERITY_ERROR, "timeline_went_down"))
		return;
	log_str(l, "cluster", config->clusters[c->cluster].name);
	log_str(l, "member", member_name(config, c->member));
	log_int(l, "timeline", (int64_t)c->timeline);
	log_str(l, "msg", "writes of the higher timeline may be lost: look at this cluster now");
	log_end(l);
}

static void hold_short(const struct listener_config *listener, const struct change *c,
		       struct log_line *l)
{
	if (!log_begin(l, SEVERITY_INFO, "hold_short"))
		return;
	log_str(l, "listener", listener->name);
	log_int(l, "hold_ms", listener->hold_ms);
	log_int(l, "ttl_ms", c->ttl_ms);
	log_int(l, "loop_wait_ms", c->loop_wait_ms);
	log_str(l, "msg", "a failover can take ttl + loop_wait and a few seconds: hold as long");
	log_end(l);
}

/* When a primary vanishes its lock lives on for up to ttl, and the next one looks after it every
 * loop_wait: who can wait for less is refused in vain. */
static void settings(const struct config *config, const struct change *c, struct log_line *l)
{
	for (size_t i = 0; i < config->n_listeners; i++) {
		const struct listener_config *listener = &config->listeners[i];

		if (listener->cluster == c->cluster && (listener->serve & ROLE_BIT(ROLE_PRIMARY)) &&
		    listener->hold_ms > 0 && listener->hold_ms < c->ttl_ms + c->loop_wait_ms)
			hold_short(listener, c, l);
	}
}

static void own_pause(const struct change *c, struct log_line *l)
{
	if (!log_begin(l, SEVERITY_WARNING, "own_pause"))
		return;
	log_int(l, "slept_ms", c->after_ms);
	log_str(l, "msg", "too long: every proof is void until it is given again");
	log_end(l);
}

void announce(const struct config *config, const struct change *c)
{
	struct log_line l;

	switch (c->type) {
	case CHANGE_LEADERSHIP: leadership(config, c, &l); break;
	case CHANGE_AMBIGUOUS: ambiguous(config, c, &l); break;
	case CHANGE_MEMBER: member(config, c, &l); break;
	case CHANGE_SERVER: server(config, c, &l); break;
	case CHANGE_TIMELINE_DOWN: timeline_down(config, c, &l); break;
	case CHANGE_SETTINGS: settings(config, c, &l); break;
	case CHANGE_OWN_PAUSE: own_pause(c, &l); break;
	}
}
