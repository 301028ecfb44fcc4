/* The centre of the control thread: events in, updates applied.
 *
 * Happy path: a timer fires at the moment the monitor asked for (EV_TICK), its orders go to the
 * prober, answers come back as EV_OBSERVATION; a new view goes to the workers, changes go to the
 * log. Workers' messages and operators' commands become events too. Not here: any judgement
 * (core/monitor.h), any command (admin/). */
#include "control/control.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/addresses.h"
#include "control/announce.h"
#include "control/failovers.h"
#include "control/operators.h"
#include "control/prober.h"
#include "control/publisher.h"
#include "control/server_news.h"
#include "core/meters.h"
#include "core/monitor.h"
#include "io/clock.h"
#include "io/log.h"
#include <stdlib.h>
#include <string.h>

struct control {
	struct control_setup setup;
	struct worker_door *workers;
	struct monitor *monitor;
	struct prober *prober;
	struct addresses *addresses;
	struct operators *operators;
	struct publisher publisher;
	struct failovers *failovers;
	struct server_news *server_news;
	struct meters *meters;
	int64_t tick_due_us;
	struct mailbox mailbox;
	uv_timer_t tick, drain;
	unsigned n_drained;
	bool draining, stopped;
	unsigned n_closing; /* parts that have not called back yet */
};

/* ---- the step ---- */

static void on_tick(uv_timer_t *timer);

static void arm_tick(struct control *c, int64_t wait_ms)
{
	uv_update_time(c->setup.loop);
	c->tick_due_us = clock_us() + wait_ms * 1000;
	uv_timer_start(&c->tick, on_tick, (uint64_t)wait_ms, 0);
}

static void ask(struct control *c, const struct probe_order *order)
{
	meters_asked(c->meters, order->member, order->question);
	prober_ask(c->prober, order);
}

static void apply(struct control *c, const struct update *up, int64_t now_ms)
{
	int64_t wait = up->next_tick_ms - now_ms;

	failovers_take(c->failovers, c->monitor, up, now_ms);
	if (up->view) {
		operators_view(c->operators, up->view, now_ms);
		publisher_publish(&c->publisher, up->view,
				  now_ms); /* first of all: workers must know */
	}
	for (size_t i = 0; i < up->n_probes; i++)
		ask(c, &up->probes[i]);
	for (size_t i = 0; i < up->n_changes; i++)
		announce(c->setup.config, &up->changes[i]);
	server_news_say(c->server_news, c->setup.config, c->monitor, up->view || up->n_changes > 0,
			now_ms);
	failovers_say(c->failovers, now_ms);
	atomic_store_explicit(&c->setup.scoreboard->control_due_ms, up->next_tick_ms,
			      memory_order_relaxed);
	arm_tick(c, wait > 1 ? wait : 1); /* 0 would spin: libuv before 1.48 */
}

static void step(struct control *c, struct event *ev)
{
	struct update up;

	ev->now_ms = clock_ms();
	monitor_step(c->monitor, ev, &up);
	apply(c, &up, ev->now_ms);
}

static void on_tick(uv_timer_t *timer)
{
	struct control *c = timer->data;

	meters_late(c->meters, clock_us() - c->tick_due_us);
	step(c, &(struct event){.type = EV_TICK});
}

/* A data port that is late may just be flooded with connections: a PostgreSQL whose sessions go on
 * talking is not frozen. (What counts as talking: proxy/relay.c.) */
static bool was_heard_meanwhile(const struct control *c, const struct observation *o)
{
	return o->question == ASK_PORT && o->outcome == OUTCOME_TIMEOUT &&
	       scoreboard_heard_ms(c->setup.scoreboard, c->setup.config, o->member) > o->asked_ms;
}

static void on_answer(void *arg, const struct observation *o)
{
	struct control *c = arg;
	struct event ev = {.type = EV_OBSERVATION};

	meters_answered(c->meters, o);
	ev.u.observation = *o;
	if (was_heard_meanwhile(c, o))
		ev.u.observation.outcome = OUTCOME_ANSWERED;
	step(c, &ev);
}

static void on_address(void *arg, unsigned member, const char *ip, const char *rest_ip)
{
	struct event ev = {.type = EV_ADDRESS};

	ev.u.address.member = member;
	str_copy(ev.u.address.ip, sizeof(ev.u.address.ip), ip);
	str_copy(ev.u.address.rest_ip, sizeof(ev.u.address.rest_ip), rest_ip);
	step(arg, &ev);
}

/* ---- what workers say ---- */

static void end_drain(struct control *c)
{
	if (!c->stopped)
		control_stop(c);
}

static void take_sessions(struct control *c, struct message *m)
{
	operators_sessions(c->operators, m->u.sessions.request, m->u.sessions.list,
			   m->u.sessions.n);
	m->u.sessions.list = NULL; /* taken over */
	m->u.sessions.n = 0;
}

static void take_acknowledgement(struct control *c, const struct message *m)
{
	int64_t now_ms = clock_ms();

	publisher_taken(&c->publisher, m, now_ms);
	failovers_in_force(c->failovers, publisher_in_force(&c->publisher), now_ms);
}

static void on_message(void *arg, struct list *node)
{
	struct control *c = arg;
	struct message *m = LIST_ENTRY(node, struct message, node);
	struct event ev = {.type = EV_TICK};

	if (c->n_closing > 0) { /* the workers' last words: nobody is left to act on them */
		message_free(m);
		return;
	}
	switch (m->type) {
	case MSG_SIGN:
		ev.type = EV_SIGN;
		ev.u.sign.member = m->u.sign.member;
		ev.u.sign.sign = (enum sign)m->u.sign.sign;
		step(c, &ev);
		break;
	case MSG_PAUSED:
		ev.type = EV_PAUSE;
		ev.u.pause.slept_ms = m->u.paused.slept_ms;
		step(c, &ev);
		break;
	case MSG_VIEW_TAKEN: take_acknowledgement(c, m); break;
	case MSG_FIRST_SESSION: failovers_session(c->failovers, m); break;
	case MSG_HOLD_EMPTIED: failovers_released(c->failovers, m); break;
	case MSG_SESSIONS: take_sessions(c, m); break;
	case MSG_DRAINED:
		if (++c->n_drained == c->setup.n_workers)
			end_drain(c);
		break;
	default: INSIST(false); /* a message that is not for control */
	}
	message_free(m);
}

static void send_all(struct control *c, const struct message *like)
{
	for (unsigned i = 0; i < c->setup.n_workers; i++) {
		struct message *m = message_new(like->type);

		m->u = like->u;
		c->workers[i].send(c->workers[i].worker, m);
	}
}

/* ---- what operators want ---- */

static void fill_report(void *arg, struct report *r)
{
	struct control *c = arg;

	monitor_report(c->monitor, clock_ms(), r);
}

static void judge(void *arg, struct event *ev)
{
	step(arg, ev);
}

static const struct journal *read_journal(void *arg)
{
	struct control *c = arg;

	return failovers_journal(c->failovers);
}

static void tell(void *arg, const struct message *like)
{
	send_all(arg, like);
}

static unsigned ask_sessions(void *arg, uint64_t request)
{
	struct control *c = arg;
	struct message m = {.type = MSG_LIST_SESSIONS};

	m.u.list_sessions.request = request;
	send_all(c, &m);
	return c->setup.n_workers;
}

/* ---- another configuration ---- */

/* Everybody here goes by index, and the indices are the same. The workers hear of it by the view
 * that the monitor makes of it. */
static void take_config(struct control *c, struct config *next)
{
	struct config *before = c->setup.config;

	c->setup.config = next;
	scoreboard_take_config(c->setup.scoreboard, before, next);
	failovers_take_config(c->failovers, next);
	operators_take_config(c->operators, next);
	prober_take_config(c->prober, next);
	addresses_take_config(c->addresses, next);
	step(c, &(struct event){.type = EV_CONFIG, .u.config = next});
	if (c->setup.on_reloaded)
		c->setup.on_reloaded(c->setup.arg, before, next);
	config_unref(before);
}

void control_reload(struct control *c, struct buf *reply)
{
	struct config *next = NULL;

	if (c->draining || c->stopped)
		reload_refuse("isari is stopping\n", reply);
	else
		next = reload_prepare(&c->setup.reload, c->setup.config, reply);
	operators_reloaded(c->operators, next != NULL);
	if (next)
		take_config(c, next);
}

static void reload(void *arg, struct buf *reply)
{
	control_reload(arg, reply);
}

/* ---- birth, stop and death ---- */

static int open_operators(struct control *c, struct err *e)
{
	struct operators_setup setup = {
		.loop = c->setup.loop,
		.config = c->setup.config,
		.scoreboard = c->setup.scoreboard,
		.meters = c->meters,
		.threads = c->setup.n_workers,
		.nofile = c->setup.nofile,
		.hooks = {c, fill_report, read_journal, judge, tell, ask_sessions, reload},
	};

	return operators_open(&setup, &c->operators, e);
}

static void init_timer(struct control *c, uv_timer_t *timer)
{
	uv_timer_init(c->setup.loop, timer);
	timer->data = c;
}

struct control *control_new(const struct control_setup *setup, struct err *e)
{
	struct control *c = xcalloc(1, sizeof(*c));

	c->setup = *setup;
	c->setup.config = config_ref(setup->config);
	c->meters = meters_new(c->setup.config);
	if (open_operators(c, e) < 0) {
		meters_free(c->meters);
		config_unref(c->setup.config);
		free(c);
		return NULL;
	}
	c->workers = xcalloc(setup->n_workers, sizeof(*c->workers));
	memcpy(c->workers, setup->workers, setup->n_workers * sizeof(*c->workers));
	publisher_init(&c->publisher, c->workers, setup->n_workers);
	c->failovers = failovers_new(c->setup.config, setup->scoreboard);
	c->server_news = server_news_new(c->setup.config, setup->scoreboard);
	failovers_count_in(c->failovers, c->meters);
	INSIST(mailbox_open(&c->mailbox, setup->loop, on_message, c) == 0);
	init_timer(c, &c->tick);
	init_timer(c, &c->drain);
	c->monitor = monitor_new(setup->config, (uint64_t)clock_us(), clock_ms());
	c->prober = prober_new(&(struct prober_setup){setup->loop, c->setup.config, on_answer, c});
	c->addresses = addresses_new(
		&(struct addresses_setup){setup->loop, c->setup.config, on_address, c, c->meters});
	return c;
}

struct mailbox *control_mailbox(struct control *c)
{
	return &c->mailbox;
}

void control_start(struct control *c)
{
	step(c, &(struct event){.type = EV_TICK});
	addresses_start(c->addresses);
}

static void on_drain_timeout(uv_timer_t *timer)
{
	struct control *c = timer->data;

	log_msg(SEVERITY_WARNING, "drain_timeout", "cutting the sessions that are left");
	end_drain(c);
}

void control_drain(struct control *c)
{
	if (c->draining || c->stopped)
		return;
	c->draining = true;
	log_msg(SEVERITY_INFO, "draining", "no new sessions; the last ones have %lld ms",
		(long long)c->setup.config->drain_timeout_ms);
	operators_stopping(c->operators);
	uv_timer_start(&c->drain, on_drain_timeout, (uint64_t)c->setup.config->drain_timeout_ms, 0);
	send_all(c, &(struct message){.type = MSG_DRAIN});
}

void control_stop(struct control *c)
{
	if (c->stopped)
		return;
	c->stopped = true;
	uv_timer_stop(&c->drain);
	atomic_store_explicit(&c->setup.scoreboard->control_due_ms, 0, memory_order_relaxed);
	send_all(c, &(struct message){.type = MSG_STOP});
	c->setup.on_stopped(c->setup.arg);
}

static void part_closed(void *arg)
{
	struct control *c = arg;

	if (--c->n_closing > 0)
		return;
	publisher_fini(&c->publisher);
	failovers_free(c->failovers);
	server_news_free(c->server_news);
	meters_free(c->meters);
	monitor_free(c->monitor);
	config_unref(c->setup.config);
	free(c->workers);
	free(c);
}

static void on_handle_closed(uv_handle_t *h)
{
	part_closed(h->data);
}

void control_close(struct control *c)
{
	c->n_closing = 6;
	uv_close((uv_handle_t *)&c->tick, on_handle_closed);
	uv_close((uv_handle_t *)&c->drain, on_handle_closed);
	mailbox_close(&c->mailbox, part_closed);
	operators_close(c->operators, part_closed, c);
	addresses_close(c->addresses, part_closed, c);
	prober_close(c->prober, part_closed, c);
}
