/* The loads of `make bench`: one session or thousands, small messages or streams, put on a server
 * (load_server, or whatever stands before it), and what they felt.
 *
 *   load MODE --target ADDR [options]        ADDR: host:port or /path; `load help` lists them
 *
 * One JSON object on stdout says it. What cannot be had (a connection, an answer, a right byte)
 * ends the run with a sentence on stderr and 1; a wrong command line with 2.
 * Not here: the modes (pingpong.c, bulk.c ...), sessions (client.c). */
#include "client.h"
#include "load.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, COUNT, REAL, FLAG };

static const struct option {
	const char *name;
	enum kind kind;
	size_t at;
	const char *help;
} options[] = {
#define AT(field) offsetof(struct options, field)
	{"--target", TEXT, AT(target), "where to connect to"},
	{"--conns", COUNT, AT(conns), "sessions that ask, or wait"},
	{"--seconds", REAL, AT(seconds), "to measure; of stall; to wait for a cut"},
	{"--warmup", REAL, AT(warmup), "seconds that do not count"},
	{"--request", COUNT, AT(request), "bytes of a question (128)"},
	{"--response", COUNT, AT(response), "bytes of its answer (512)"},
	{"--direction", TEXT, AT(direction), "of bulk: down or up"},
	{"--streams", COUNT, AT(streams), "of bulk"},
	{"--bytes", COUNT, AT(bytes), "of each stream"},
	{"--chunk", COUNT, AT(chunk), "bytes in one CopyData (8192)"},
	{"--verify", FLAG, AT(verify), "compare all bytes of a stream"},
	{"--discard", FLAG, AT(discard), "let the kernel throw away what need not be compared"},
	{"--inflight", COUNT, AT(inflight), "connections at once"},
	{"--per-connection-message", FLAG, AT(message),
	 "an echo on each connection (so by default)"},
	{"--no-message", FLAG, AT(no_message), "none: up to ReadyForQuery only"},
	{"--bulk", COUNT, AT(bulk), "streams beside the sessions of fair"},
	{"--bulk-target", TEXT, AT(bulk_target), "where those come from (--target)"},
	{"--rate", COUNT, AT(rate), "bytes per second of all of them; 0: no limit"},
	{"--survivors", TEXT, AT(survivors), "where the sessions go that are not cut"},
	{"--survivor-conns", COUNT, AT(survivor_conns), "how many they are"},
	{"--reset", FLAG, AT(reset), "close with a reset (so by default)"},
	{"--no-reset", FLAG, AT(no_reset), "close with Terminate and FIN"},
	{"--sources", COUNT, AT(sources), "source addresses, when one has not ports enough"},
	{"--timeout", REAL, AT(timeout), "seconds of silence that are an error (30)"},
	{"--cpu", COUNT, AT(cpu), "run on this one"},
	{"--user", TEXT, AT(user), "(postgres)"},
	{"--database", TEXT, AT(database), "(postgres)"},
};

static const struct mode {
	const char *name;
	int (*run)(struct clients *a);
	const char *help;
} modes[] = {
	{"pingpong", mode_pingpong, "--conns --seconds --warmup --request --response"},
	{"bulk", mode_bulk, "--direction --streams --bytes --chunk --verify --discard"},
	{"connect", mode_connect, "--inflight --seconds --warmup --no-message --no-reset"},
	{"idle", mode_idle, "--conns --response; `ready`, then until the end of stdin"},
	{"fair", mode_fair, "--bulk --rate --conns --seconds --warmup --bulk-target"},
	{"stall", mode_stall, "--bytes --seconds --chunk; `stalled`"},
	{"cut", mode_cut, "--conns --survivors --survivor-conns --seconds; `ready`"},
};

#define ALL(table) (sizeof(table) / sizeof(*(table)))
#define NO_CPU     UINT64_MAX
enum { SPARE = 16 }; /* descriptors that are not sessions */

static const struct options usual = {
	.direction = "down",
	.user = "postgres",
	.database = "postgres",
	.seconds = 1,
	.timeout = 30,
	.conns = 1,
	.request = 128,
	.response = 512,
	.streams = 1,
	.chunk = 8192,
	.bytes = 100000000,
	.inflight = 16,
	.bulk = 1,
	.sources = 1,
	.survivor_conns = 1,
	.cpu = NO_CPU,
};

static int usage(void)
{
	fprintf(stderr, "usage: load MODE --target ADDR [options]\n");
	for (size_t i = 0; i < ALL(modes); i++)
		fprintf(stderr, "  %-10s %s\n", modes[i].name, modes[i].help);
	for (size_t i = 0; i < ALL(options); i++)
		fprintf(stderr, "  %-26s %s\n", options[i].name, options[i].help);
	return 2;
}

static bool set_option(struct options *o, const struct option *row, const char *value)
{
	char *end = NULL; /* where a number ends */
	void *field = (char *)o + row->at;
	switch (row->kind) {
	case TEXT: *(const char **)field = value; break;
	case COUNT: *(uint64_t *)field = strtoull(value, &end, 10); break;
	case REAL: *(double *)field = strtod(value, &end); break;
	case FLAG: *(bool *)field = true; break;
	}
	return !end || (end != value && *end == 0);
}

static int read_option(struct options *o, char **words)
{
	for (size_t i = 0; i < ALL(options); i++) {
		const struct option *row = &options[i];
		const char *value = row->kind == FLAG ? "" : words[1];
		if (strcmp(row->name, words[0]) != 0)
			continue;
		if (!value || (row->kind != FLAG && *value == 0) || !set_option(o, row, value))
			return 0;
		return row->kind == FLAG ? 1 : 2;
	}
	return 0;
}

static bool read_options(struct options *o, char **words)
{
	while (*words) {
		int n = read_option(o, words);
		if (n == 0) {
			fprintf(stderr, "load: %s: no such option, or a wrong value\n", *words);
			return false;
		}
		words += n;
	}
	return true;
}

/* What no mode could make sense of. */
static const char *fault_of(const struct options *o)
{
	if (!o->target)
		return "--target is missing";
	if (strcmp(o->direction, "down") != 0 && strcmp(o->direction, "up") != 0)
		return "--direction is down or up";
	if (o->sources < 1 || o->sources > SOURCES)
		return "--sources is 1 to 50";
	if (o->conns > 1000000 || o->conns < 1 || o->inflight < 1 || o->inflight > 1000000 ||
	    o->streams < 1 || o->streams > 100000 || o->bulk > 100000 || o->survivor_conns > 100000)
		return "no such number of sessions";
	if (!(o->seconds > 0 && o->seconds < 1e6 && o->warmup >= 0 && o->warmup < 1e6 &&
	      o->timeout > 0 && o->timeout < 1e6))
		return "--seconds, --warmup, --timeout: no such time";
	return o->cpu != NO_CPU && (o->cpu > 1023 || run_on_cpu((int)o->cpu) < 0)
		       ? "--cpu: no such CPU for us"
		       : NULL;
}

static int run(const struct mode *m, const struct options *o)
{
	struct clients *a = calloc(1, sizeof(*a));
	if (!a)
		return 1;
	int err = clients_init(a, o);
	if (err == 0)
		err = m->run(a);
	if (err < 0)
		fprintf(stderr, "load %s: %s\n", m->name, a->error);
	clients_fini(a);
	free(a);
	return err < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options o = usual;
	const struct mode *m = NULL;
	for (size_t i = 0; i < ALL(modes) && argc > 1; i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			m = &modes[i];
	if (!m)
		return usage();
	if (!read_options(&o, argv + 2))
		return 2;
	const char *fault = fault_of(&o);
	if (fault) {
		fprintf(stderr, "load: %s\n", fault);
		return 2;
	}
	uint64_t most = raise_descriptors();
	if (o.conns + o.inflight + o.streams + o.bulk + o.survivor_conns + SPARE > most) {
		fprintf(stderr, "load: %llu descriptors are not enough: raise the hard limit\n",
			(unsigned long long)most);
		return 1;
	}
	return run(m, &o);
}
