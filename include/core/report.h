#pragma once
/* What the monitor knows, as plain values for people and tools: copied out, owned by the caller. */
#include "core/config.h"
#include "core/observation.h"
#include <stdint.h>

struct member_report {
	unsigned member;
	bool up;          /* reachable and of the right cluster */
	bool asked;       /* at least one whole answer so far */
	enum why why;     /* why it is (not) what it could be */
	enum claim claim; /* from its last answer */
	enum pg_state state;
	unsigned roles; /* ROLE_BITs it serves by our judgement */
	uint64_t timeline;
	bool lag_known;
	uint64_t lag_bytes; /* behind the primary's last position we saw */
	unsigned flags;
	enum outcome outcome; /* of the last question */
	int http_status;
	int64_t last_answer_age_ms; /* -1: never answered */
	int64_t proof_left_ms;      /* of its lease; -1: holds none */
	char patroni_name[64];
	char patroni_version[16];
	int server_version;
};

struct cluster_report {
	unsigned cluster;
	int primary; /* member, -1: none */
	enum why why;
	int64_t since_ms_ago;
	uint64_t timeline;
	bool ambiguous;
	bool in_doubt; /* asked every fast_interval */
	uint64_t system_id;
	char scope[64];
	uint64_t primary_changes;
};

/* A server row as HAProxy's tools know it. */
struct server_report {
	unsigned listener, server, member, row;
	enum server_state state;
	enum admin_state admin;
	unsigned weight; /* in force: the configured one, or an operator's */
	enum why why;
	enum outcome check_outcome; /* the answer that decides for this listener */
	int check_status;           /* HTTP; 0: none */
	int64_t check_ms;           /* how long it took */
	uint64_t check_failures, downs;
	int64_t last_change_ms_ago, down_ms; /* since its last up/down change; summed */
};

struct report {
	int64_t now_ms;
	uint64_t generation;
	struct cluster_report *clusters; /* config order */
	struct member_report *members;
	struct server_report *servers; /* listener by listener, member by member */
	size_t n_clusters, n_members, n_servers;
};

void report_fini(struct report *r);
