#pragma once
/* What `isari top` shows, as it was read from isari's JSON (`show clusters json`, `show events
 * json`, `show info`): plain values, lists in the order of the configuration. Text is printable
 * ASCII, whatever was sent. Numbers that were not said are -1, text is empty. */
#include "core/journal.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOP_NAME_BYTES = 72, TOP_WORD_BYTES = 32, TOP_TEXT_BYTES = 128 };

struct top_cluster {
	char name[TOP_NAME_BYTES], primary[TOP_NAME_BYTES], why[TOP_TEXT_BYTES];
	int64_t since_ms, timeline;
	bool ambiguous, in_doubt;
	int64_t sessions, waiting, waiting_ms; /* of its listeners together */
};

struct top_node {
	char cluster[TOP_NAME_BYTES], name[TOP_NAME_BYTES];
	char role[TOP_WORD_BYTES], state[TOP_WORD_BYTES], outcome[TOP_WORD_BYTES];
	char tags[TOP_TEXT_BYTES], why[TOP_TEXT_BYTES];
	int64_t timeline, lag_bytes, last_answer_ms, sessions;
	bool up;
	bool is_primary; /* by isari's judgement */
};

struct top_listener {
	char cluster[TOP_NAME_BYTES], name[TOP_NAME_BYTES], backend[TOP_NAME_BYTES];
	char serve[TOP_TEXT_BYTES], status[TOP_WORD_BYTES];
	int64_t sessions, sessions_total, bytes_in, bytes_out;
	int64_t waiting, waiting_ms, held, cuts;
	double rate;                          /* sessions per second; < 0: not known */
	double in_per_second, out_per_second; /* bytes, by two readings; < 0: not known */
};

struct top_server {
	char listener[TOP_NAME_BYTES], backend[TOP_NAME_BYTES], name[TOP_NAME_BYTES];
	char status[TOP_WORD_BYTES], admin[TOP_WORD_BYTES], why[TOP_TEXT_BYTES];
	int64_t weight, sessions, sessions_total;
};

/* A phase may lie before the moment from which they are counted. */
#define TOP_PHASE_UNKNOWN INT64_MIN

struct top_event {
	char cluster[TOP_NAME_BYTES], from[TOP_NAME_BYTES], to[TOP_NAME_BYTES];
	char kind[TOP_WORD_BYTES], began[TOP_WORD_BYTES], why[TOP_TEXT_BYTES];
	int64_t from_timeline, to_timeline, gap_ms, cut, held, released, refused;
	int64_t at_ms[N_PHASES]; /* since it began; or TOP_PHASE_UNKNOWN */
	bool closed;
};

struct top_process {
	char version[TOP_WORD_BYTES], node[TOP_NAME_BYTES];
	int64_t pid, uptime_s, sessions, rate, stopping;
};

struct top_model {
	struct top_cluster *clusters;
	struct top_node *nodes;
	struct top_listener *listeners;
	struct top_server *servers;
	struct top_event *events;
	size_t n_clusters, n_nodes, n_listeners, n_servers, n_events;
	bool events_denied; /* the socket's level is too low for them */
	struct top_process process;
};

void top_model_fini(struct top_model *m); /* a zeroed struct is a valid empty model */
