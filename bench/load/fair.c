/* Mode `fair`: round trips of small sessions beside streams of a given rate, which come through the
 * same proxy, or with --bulk-target from elsewhere.
 * Not here: asking and comparing (echo.c, stream.c). */
#include "echo.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define ENDLESS (UINT64_C(1) << 50)

struct fair {
	struct echoes small;
	struct streams big;
	struct address bulk_target;
	uint64_t bulk_bytes;
};

static int open_all(struct fair *f, struct clients *a)
{
	const struct options *o = a->o;
	const char *text = o->bulk_target ? o->bulk_target : o->target;
	uint64_t each = o->bulk ? o->rate / o->bulk : 0;
	if (address_parse(&f->bulk_target, text, strlen(text)) < 0)
		return clients_fail(a, "--bulk-target %s: not an address", text);
	int err = echoes_init(&f->small, a, (unsigned)o->conns);
	err = err < 0 ? err : streams_init(&f->big, a, (unsigned)o->bulk, COPY_DOWN, ENDLESS, each);
	f->big.discard = !f->big.verify; /* or our copying would be what the small ones wait for */
	err = err < 0 ? err : echoes_open(&f->small, &a->target);
	err = err < 0 ? err : streams_open(&f->big, &f->bulk_target);
	for (unsigned i = 0; i < f->small.n; i++)
		f->small.list[i].client.urgent = true;
	return err;
}

/* As echoes_measure(), but the streams' rate is taken between the same two moments. */
static int measure(struct fair *f)
{
	struct clients *a = f->small.all;
	struct echoes *es = &f->small;
	es->from_ns = now_ns() + (int64_t)(a->o->warmup * 1e9);
	es->until_ns = es->from_ns + (int64_t)(a->o->seconds * 1e9);
	int err = streams_start(&f->big);
	err = err < 0 ? err : echoes_ask_all(es);
	err = err < 0 ? err : clients_run_until(a, es->from_ns);
	uint64_t before = f->big.wire_bytes;
	err = err < 0 ? err : clients_run_until(a, es->until_ns);
	f->bulk_bytes = f->big.wire_bytes - before;
	return err < 0 ? err : echoes_stop(es);
}

int mode_fair(struct clients *a)
{
	struct fair *f = calloc(1, sizeof(*f));
	int err = open_all(f, a);
	err = err < 0 ? err : measure(f);
	if (err == 0) {
		json_open("fair");
		echoes_json(&f->small);
		json_count("bulk_streams", f->big.n);
		json_count("bulk_bytes", f->bulk_bytes);
		json_real("bulk_bytes_per_s", (double)f->bulk_bytes / a->o->seconds);
		json_count("bulk_asked_bytes_per_s", a->o->rate);
		json_close();
	}
	echoes_fini(&f->small);
	streams_fini(&f->big);
	free(f);
	return err;
}
