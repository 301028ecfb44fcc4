#pragma once
/* Options and modes of load. Numbers are what the command line says, durations in seconds. */
#include <stdbool.h>
#include <stdint.h>

struct clients;

struct options {
	const char *target, *survivors, *bulk_target, *direction, *user, *database;
	double seconds, warmup, timeout;
	uint64_t conns, request, response, streams, bytes, chunk, inflight, bulk, rate;
	uint64_t survivor_conns, sources, cpu;
	bool verify, discard, no_reset, reset, no_message, message;
};

/* Each prints its JSON and returns 0, or a negative number with the reason in clients->error. */
int mode_pingpong(struct clients *a);
int mode_bulk(struct clients *a);
int mode_connect(struct clients *a);
int mode_idle(struct clients *a);
int mode_fair(struct clients *a);
int mode_stall(struct clients *a);
int mode_cut(struct clients *a);
