#pragma once
/* The rows of `show stat` before they are text: which rows there are, and the status and check
 * words that HAProxy's tools understand. Not here: the columns (show_stat.c). */
#include "admin/facts.h"

/* Also the type bits of `show stat <iid> <type> <sid>`. */
enum stat_kind { STAT_FRONTEND = 1, STAT_BACKEND = 2, STAT_SERVER = 4 };

/* What the last check looks like to HAProxy. */
struct stat_check {
	const char *status; /* L7OK, L4CON ... */
	const char *desc;
	const char *last; /* text of the last check; empty when it passed */
	bool has_code;    /* an HTTP status belongs to it */
};

/* The servers of a listener that are up, and the weight of those that take new sessions; and those
 * that are not down, drained ones among them. */
struct stat_servers {
	unsigned active, backups, usable_weight, running;
};

struct stat_row {
	enum stat_kind kind;
	const struct admin_facts *facts;
	const struct listener_config *listener;
	const struct cluster_config *cluster;
	const struct listener_facts *standing; /* FRONTEND, BACKEND */
	const struct server_report *server;    /* SERVER */
	const struct member_config *member;    /* SERVER */
	struct row_facts counts;
	uint64_t attempts; /* SERVER, BACKEND: connections begun */
	unsigned sid;
	bool backup;                 /* SERVER: a last resort */
	struct stat_servers servers; /* BACKEND */
	const char *status;
	bool checked;            /* SERVER: false in maintenance, as in HAProxy */
	struct stat_check check; /* SERVER, checked */
	const char *ip;          /* SERVER: its address as it was looked up; or empty */
	char addr[320];          /* SERVER: address and port, or its socket */
};

/* The proxy that a row belongs to. */
static inline unsigned stat_row_iid(const struct stat_row *r)
{
	return r->kind == STAT_FRONTEND ? r->listener->frontend_iid : r->listener->backend_iid;
}

void stat_row_frontend(struct stat_row *r, const struct admin_facts *f, unsigned listener);
void stat_row_server(struct stat_row *r, const struct admin_facts *f, unsigned listener,
		     unsigned server);
void stat_row_backend(struct stat_row *r, const struct admin_facts *f, unsigned listener);

struct stat_servers stat_servers_of(const struct config *config, const struct report *report,
				    unsigned listener);

const char *stat_server_status(const struct server_report *s);
struct stat_check stat_check_of(const struct server_report *s);
