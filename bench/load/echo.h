#pragma once
/* Sessions that ask for one echo after the other, each with a tag of its own, and compare every
 * byte of the answer. */
#include "client.h"
#include "stats.h"

struct echoes;

struct echo {
	struct client client; /* first: deeds get this one */
	struct echoes *of;
	uint64_t asked; /* how many */
	size_t sent, got;
	bool busy;
	int64_t begun_ns;
	char tag[TAG];
};

/* A crowd of them, and what becomes of an answer. */
struct echoes {
	struct clients *all;
	struct echo *list;
	unsigned n, n_busy;
	size_t request, response;
	char *question;
	int (*answered)(struct echo *e, int64_t now); /* it is no longer busy */
	struct deeds deeds;                           /* a mode may put in its own */
	void *mode;
	/* A closed loop: */
	bool stopping;
	int64_t from_ns, until_ns; /* what is answered between counts */
	uint64_t n_counted;
	struct hist hist;
};

/* Of n sessions, request and response from the options; they are opened by echoes_open. */
int echoes_init(struct echoes *es, struct clients *a, unsigned n);
void echoes_fini(struct echoes *es);
/* Open all, and wait until all are settled: by default when they could ask. */
int echoes_open(struct echoes *es, const struct address *target);
int echo_ask(struct echo *e, int64_t now);
int echo_input(struct client *c, const char *data, size_t n);

/* One question when it is ready (deeds.ready), and silence after its answer (answered). */
int echo_ask_once(struct client *c);
int echo_rest(struct echo *e, int64_t now);

/* A closed loop: ask again at once. answered() of those who use it. */
int echo_again(struct echo *e, int64_t now);
int echoes_ask_all(struct echoes *es);
/* Let the questions that are out be answered, and ask no more. */
int echoes_stop(struct echoes *es);
/* Measure a closed loop of open sessions for options' seconds after its warm-up. */
int echoes_measure(struct echoes *es);
void echoes_json(const struct echoes *es);
