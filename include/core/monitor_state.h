#pragma once
/* The monitor's memory, for src/core/monitor*.c and eligible.c only. Owner: the control thread. */
#include "core/arbiter.h"
#include "core/health.h"
#include "core/lag.h"
#include "core/monitor.h"
#include "core/proof.h"
#include "core/schedule.h"

struct proof {
	bool stands;         /* and now < until_ms */
	bool voided;         /* we slept since: sessions wait for a new one, or for until_ms */
	bool fresh;          /* the latest answer was this proof */
	bool silenced;       /* ended by silence alone: until until_ms it may be the truth still */
	enum why unwritable; /* the latest word on its PostgreSQL; WHY_NONE: takes new sessions */
	int64_t asked_ms, answered_ms, until_ms;
	int64_t first_asked_ms, first_answered_ms; /* since it stands */
	uint64_t timeline;
};

struct member_state {
	const struct member_config *config;
	char ip[46], rest_ip[46];
	bool address_known;
	struct observation last; /* latest whole answer to ASK_PRIMARY */
	enum outcome outcome;    /* of the latest REST question */
	int http_status, primary_status;
	int64_t last_answer_ms; /* -1: never */
	int64_t last_duration_ms;
	struct asking asking;
	struct health health;
	struct proof proof;
	struct lag_position position; /* what it has replayed, by its latest answer */
	struct lag lag;
	unsigned lower_timeline; /* consecutive proofs below the highest timeline */
	unsigned roles; /* ROLE_BITs of endpoints that answered 200, PRIMARY never among them */
	unsigned roles_unasked; /* served since a reload, and not asked for yet */
	bool roles_due;       /* they have not been asked for since it answers so to ASK_PRIMARY */
	int64_t restarted_ms; /* its Patroni answered again after it had refused; 0: it never did */
	bool slow;            /* its last answer was late: the next late one is no surprise */
	enum why refused;     /* WHY_WRONG_*: not one of ours */
	enum why lost;        /* why it stopped being primary; WHY_NONE: it never was */
	enum why why;         /* the latest word on it, for people */
	int64_t standing_since_ms;  /* of `why`'s class: for CHANGE_MEMBER */
	bool reported, reported_up; /* the log has said of it that it is up, or is not */
};

struct leadership {
	int member; /* -1: nobody */
	enum why why;
	int about; /* whom `why` speaks of; -1 */
	int last;  /* who was it last, or is; -1: nobody since we started */
	int64_t since_ms;
	int64_t doubted_ms; /* first doubt since its last proof was asked for, or since we started;
			       -1: none */
	uint64_t timeline;
	bool ambiguous;
	uint64_t changes;
};

/* Whose position the others are measured by, and its latest answer: monitor_lag.c. */
struct yardstick {
	bool known;
	unsigned member;
	int64_t since_ms; /* its first answer as the yardstick */
	struct lag_position position;
};

struct cluster_state {
	const struct cluster_config *config;
	struct member_state *members; /* = monitor.members + first_member */
	struct leadership leader;
	struct doubt doubt;
	uint64_t highest_timeline, system_id;
	char scope[64];
	int64_t ttl_ms, loop_wait_ms; /* Patroni's defaults until /config has answered */
	bool config_known;
	int64_t config_due_ms;
	struct yardstick yardstick;
};

struct server_track { /* a server row's history */
	enum admin_state admin;
	unsigned weight;
	enum health_order health; /* until it has given `answers_due` good answers ... */
	unsigned answers_due;
	int64_t health_since_ms; /* ... asked for since then */
	unsigned generation;
	bool up;
	bool lags;        /* over the listener's max_lag, and not well below it since */
	bool last_resort; /* its sessions came to it as such, or some of them */
	int64_t changed_ms, down_ms;
	uint64_t check_failures, downs;
};

struct monitor {
	struct config *config;
	struct rng rng;
	struct cluster_state *clusters;
	struct member_state *members;
	struct server_track *servers; /* listener by listener, member by member */
	size_t n_servers;
	struct view *view;      /* the last one published */
	struct view *draft;     /* the next one, unless it turns out the same; NULL: none begun */
	int64_t planned_ms;     /* the next tick we asked for */
	int64_t void_before_ms; /* proofs asked before this are worth nothing */
	struct probe_order *probes;
	size_t n_probes;
	struct change *changes;
	size_t n_changes, changes_cap;
};

static inline struct cluster_state *monitor_cluster_of(const struct monitor *m, unsigned member)
{
	return &m->clusters[m->config->members[member].cluster];
}

/* eligible.c: may listener `l` use member `m`? `before` is the server's state in the last view. */
struct standing {
	enum server_state state;
	enum why why;
	enum close_reason cut; /* when CLOSED */
	bool drain_back;
};
struct standing eligible_judge(const struct cluster_state *c, const struct member_state *m,
			       const struct listener_config *l, const struct server_track *t,
			       enum server_state before);
/* Is it over the listener's max_lag? `before`: it was. */
bool eligible_lags(const struct member_state *m, const struct listener_config *l, bool before);
/* May it turn out to be one of the right ones in a moment, at the start or after a switchover? */
bool eligible_soon(const struct member_state *m);
/* What becomes of a last resort (of others: nothing), now that all the others are judged. */
struct standing eligible_last_resort(struct standing s, const struct listener_config *l,
				     const struct server_track *t, enum server_state before,
				     bool others_open);

/* monitor_operator.c: an operator's word, and a good answer that may end one on health. */
void monitor_obey(struct monitor *m, const struct event *ev);
void monitor_note_good_answer(struct monitor *m, const struct observation *o);
/* A bad answer, or silence: those that are due count from the first again. */
void monitor_note_bad_answer(struct monitor *m, unsigned member);

/* monitor_lag.c: how far an answer says that its member, or everybody, is behind. */
void monitor_take_position(struct cluster_state *c, struct member_state *s,
			   const struct observation *o);
/* Is the distance that was measured last still worth something? */
bool monitor_lag_known(const struct cluster_state *c, const struct member_state *s);

/* monitor_observe.c: take one answer in. */
void monitor_observe(struct monitor *m, const struct observation *o, int64_t now_ms);
/* A member is no longer primary, or no longer believed: remember why. */
void monitor_withdraw(struct cluster_state *c, struct member_state *s, enum why why);
/* The same, by its own clear word: nothing that a policy kept outlives that. */
void monitor_refute(struct cluster_state *c, struct member_state *s, enum why why);
/* Does it claim to be a primary, by its latest whole answer and less than a lease ago? */
bool monitor_claims_primary(const struct cluster_state *c, const struct member_state *s,
			    int64_t now_ms);

/* monitor_config.c: go by another configuration of the same shape, and forget nothing (rule 10). */
void monitor_take_config(struct monitor *m, struct config *config, int64_t now_ms);

/* monitor_address.c: a member was found, or could not be. */
void monitor_take_address(struct monitor *m, const struct event *ev);
/* What was learnt of it was learnt elsewhere; sessions stay, new ones wait. */
void monitor_distrust(struct monitor *m, struct member_state *s, int64_t now_ms);

/* monitor_lease.c: the longest a proof of this cluster may be trusted. */
int64_t monitor_lease_ms(const struct cluster_state *c);
/* The leases of all its proofs, by settings that have changed. */
void monitor_renew_leases(struct cluster_state *c);
/* Take an answer to ASK_CONFIG in. */
void monitor_observe_config(struct monitor *m, struct cluster_state *c, const struct observation *o,
			    int64_t now_ms);

/* monitor_port.c: take an answer to ASK_PORT in. */
void monitor_observe_port(struct monitor *m, struct cluster_state *c, struct member_state *s,
			  const struct observation *o, int64_t now_ms);
/* Is there a primary whose Patroni answers and could not ask it, so that we ask it over SQL? */
bool monitor_is_unsure(const struct cluster_state *c, const struct member_state *s);

/* monitor_mixed.c: do primaries of two clusters claim to be this one's? Then the ruling says so. */
bool monitor_sees_two_clusters(const struct cluster_state *c, int64_t now_ms, struct ruling *r);

/* monitor_doubt.c: since when the primary is in doubt; called before the arbiter rules. */
void monitor_note_doubt(struct monitor *m, const struct event *ev);
/* The times of a change of leadership that is about to be made. */
struct change_times monitor_change_times(const struct cluster_state *c, int to, int64_t now_ms);

/* monitor_ask.c: order the questions that are due; when the next one will be. */
void monitor_ask(struct monitor *m, int64_t now_ms);
int64_t monitor_next_ms(const struct monitor *m, int64_t now_ms);
/* News out of the blue are asked after at once, without waiting for the pace. */
struct doubt *monitor_ask_at_once(struct cluster_state *c, int64_t now_ms);

/* monitor_view.c: the view of this moment, or NULL when it is the one already published. */
struct view *monitor_make_view(struct monitor *m, int64_t now_ms, bool force);

/* monitor_notes.c: one more line for the log, valid until the next step; and the members' news. */
void monitor_note_members(struct monitor *m, int64_t now_ms);
struct change *monitor_note(struct monitor *m, enum change_type type, unsigned cluster);
