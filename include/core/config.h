#pragma once
/* What an operator configured, complete: every default filled in, every reference resolved.
 * Immutable once wire/config_yaml.h has built it; shared by reference count. Durations are ms.
 * The meaning of each key: etc/isari.yaml. Not here: reading YAML (wire/config_yaml.h). */
#include "base/addr.h"
#include "core/names.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct member_config {
	unsigned id;      /* index over all clusters, = config.members[id] */
	unsigned cluster; /* index in config.clusters */
	char *name;       /* default: the host */
	char *host;
	uint16_t port;     /* where sessions go */
	char *socket_path; /* NULL: they go to host:port; else to this, dir/.s.PGSQL.<port> */
	bool rest_tls;
	char *rest_host;
	uint16_t rest_port;
	unsigned weight; /* 0..256 */
};

/* Ask PostgreSQL itself, through libpq, when Patroni is silent. The password is in the passfile. */
struct sql_config {
	bool wanted;
	char *user, *dbname;
	char *passfile, *sslmode; /* NULL: none; libpq's own */
};

struct probe_config {
	int64_t interval_ms, fast_interval_ms, timeout_ms;
	unsigned fall, rise;
	int64_t lease_ms, ping_timeout_ms;
	struct sql_config sql;
};

struct cluster_config {
	char *name;
	char *scope;                      /* NULL: any */
	unsigned first_member, n_members; /* config.members[first_member .. +n_members) */
	struct probe_config probe;
	unsigned roles_served; /* ROLE_BITs that any listener of this cluster serves */
};

enum balance { BALANCE_ROUNDROBIN, BALANCE_LEASTCONN, BALANCE_RANDOM };
enum protocol { PROTOCOL_POSTGRESQL, PROTOCOL_TCP };
enum policy { POLICY_CLOSE, POLICY_KEEP };
enum fallback { FALLBACK_NONE, FALLBACK_PRIMARY };

struct timeouts {
	int64_t connect_ms, startup_ms, client_idle_ms, server_idle_ms; /* idle: 0 = none */
};

struct keepalive {
	int64_t idle_ms, interval_ms; /* whole seconds on the wire, at least 1 s */
	unsigned count;
	int64_t user_timeout_ms; /* bytes on their way and no sign of life: proxy/watch.c; 0 = the
				    kernel's */
};

struct listener_config {
	unsigned id; /* index in config.listeners; also its first row: see core/counters.h */
	char *name;
	/* What HAProxy's tools call it: the FRONTEND row, and the BACKEND row with its servers.
	 * As its name if not configured. The same for both is a `listen`: one id; else they have
	 * two. */
	char *frontend_name, *backend_name;
	unsigned frontend_iid, backend_iid; /* from CONFIG_FIRST_IID on, in config order */
	struct addr *binds;
	size_t n_binds;
	unsigned cluster;
	unsigned serve; /* ROLE_BITs */
	enum balance balance;
	unsigned maxconn;
	unsigned server_maxconn; /* 0 = none */
	enum policy on_demotion, on_unreachable, on_lag;
	enum fallback fallback; /* who serves it while no member has a role of `serve` */
	uint64_t max_lag_bytes; /* with has_max_lag: a replica over it takes no new sessions */
	bool has_max_lag;
	int64_t hold_ms;   /* how long a client waits for a server; 0: it is refused at once */
	unsigned hold_max; /* how many may wait at a time */
	enum protocol protocol;
	/* How long the bytes of a stream may gather before they are moved: io/coalesce.h; 0: not */
	int64_t coalesce_us;
	struct timeouts timeouts;
	struct keepalive keepalive;
};

enum access_level { LEVEL_USER, LEVEL_OPERATOR, LEVEL_ADMIN };

struct stats_socket_config {
	struct addr addr;   /* UNIX path (TCP is accepted too: host:port) */
	unsigned mode;      /* 0660 */
	char *user, *group; /* NULL: the process's */
	enum access_level level;
};

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_HAPROXY_TCP };

enum { CONFIG_FIRST_IID = 2 }; /* of a proxy, as in HAProxy */

struct config {
	_Atomic unsigned refs;
	struct cluster_config *clusters;
	size_t n_clusters;
	struct member_config *members; /* of all clusters, cluster by cluster */
	size_t n_members;
	struct listener_config *listeners;
	size_t n_listeners;
	unsigned threads; /* 0 = auto: min(cores, 4) */
	int64_t spin_us;  /* a busy worker polls this long before it sleeps; 0: it sleeps at once */
	unsigned maxconn;
	struct stats_socket_config *stats_sockets;
	size_t n_stats_sockets;
	struct {
		bool wanted; /* stats.http is set */
		bool admin;  /* it takes drain, ready and maint as well */
		struct addr addr;
	} http;
	struct {
		enum log_level level;
		enum log_format format;
		bool sessions;
		char *tag; /* of haproxy-tcp's lines: "haproxy[1234]: " */
	} log;
	int64_t drain_timeout_ms;
};

struct config *config_new(void); /* empty, one reference, process-wide defaults */
struct config *config_ref(struct config *c);
void config_unref(struct config *c); /* the last one frees, on any thread */

/* Defaults of the parts, as product documentation states them. */
void probe_config_defaults(struct probe_config *p);
void member_config_defaults(struct member_config *m);
void listener_config_defaults(struct listener_config *l);
void stats_socket_config_defaults(struct stats_socket_config *s);

/* Derive what follows from the rest (ids, first_member, n_members, roles_served). Members must be
 * grouped by cluster. */
void config_finish(struct config *c);

/* The roles that a session of this listener may meet, the last resort's among them. */
static inline unsigned listener_config_roles(const struct listener_config *l)
{
	return l->serve | (l->fallback == FALLBACK_PRIMARY ? ROLE_BIT(ROLE_PRIMARY) : 0);
}

/* -1: there is none of this name. */
int config_find_cluster(const struct config *c, const char *name);

static inline const struct cluster_config *config_listener_cluster(const struct config *c,
								   const struct listener_config *l)
{
	return &c->clusters[l->cluster];
}
