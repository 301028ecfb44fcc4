/* Modes of streams: `bulk` (as fast as they go, down or up) and `stall` (one that is not read for
 * some time).
 * Not here: what a stream is, and comparing it (stream.c). */
#include "stats.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void json_rate(uint64_t bytes, int64_t ns)
{
	json_count("bytes", bytes);
	json_real("seconds", (double)ns / 1e9);
	json_real("mbit_per_s", (double)bytes * 8e3 / (double)ns);
}

int mode_bulk(struct clients *a)
{
	const struct options *o = a->o;
	struct streams ss;
	enum copy_way way = strcmp(o->direction, "up") == 0 ? COPY_UP : COPY_DOWN;
	int err = streams_init(&ss, a, (unsigned)o->streams, way, o->bytes, 0);
	err = err < 0 ? err : streams_open(&ss, &a->target);
	int64_t begun = now_ns();
	err = err < 0 ? err : streams_start(&ss);
	err = err < 0 ? err : streams_finish(&ss);
	if (err == 0) {
		json_open("bulk");
		json_count("streams", ss.n);
		json_count("chunk_bytes", ss.chunk);
		json_rate(ss.bytes * ss.n, now_ns() - begun);
		json_count("wire_bytes", ss.wire_bytes);
		json_flag("verified", ss.verify);
		json_close();
	}
	streams_fini(&ss);
	return err;
}

/* ---- stall ----------------------------------------------------------------------------------- */

static int hear_first(struct streams *ss)
{
	int err = 0;
	while (err == 0 && ss->n_running && ss->wire_bytes < PASS)
		err = clients_turn(ss->all, INT64_MAX);
	return err;
}

static int stall(struct streams *ss)
{
	struct clients *a = ss->all;
	struct client *c = &ss->list[0].client;
	c->deaf = true;
	a->patient = true;
	puts("stalled");
	fflush(stdout);
	int err = clients_run_until(a, now_ns() + (int64_t)(a->o->seconds * 1e9));
	a->patient = false;
	a->heard = true;
	c->deaf = false;
	c->recv_most = 0;
	client_queue(c);
	return err;
}

int mode_stall(struct clients *a)
{
	struct streams ss;
	int err = streams_init(&ss, a, 1, COPY_DOWN, a->o->bytes, 0);
	ss.verify = true;
	ss.discard = false;
	err = err < 0 ? err : streams_open(&ss, &a->target);
	if (err == 0)
		ss.list[0].client.recv_most = PASS; /* until the stall */
	err = err < 0 ? err : streams_start(&ss);
	err = err < 0 ? err : hear_first(&ss);
	int64_t begun = now_ns();
	uint64_t before = ss.wire_bytes;
	err = err < 0 ? err : stall(&ss);
	int64_t resumed = now_ns();
	err = err < 0 ? err : streams_finish(&ss);
	if (err == 0) {
		json_open("stall");
		json_count("bytes_before", before);
		json_real("stalled_seconds", (double)(resumed - begun) / 1e9);
		json_rate(ss.bytes, now_ns() - resumed);
		json_flag("verified", true);
		json_close();
	}
	streams_fini(&ss);
	return err;
}
