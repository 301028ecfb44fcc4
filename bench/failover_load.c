/* The clients of one contender in `make bench-failover`: threads that do through libpq, blocking,
 * what an application does, and write down each thing they did.
 *
 *   failover_load FILE CONNINFO NAME PAUSE_MS KIND=COUNT[:THINK_MS]...
 *
 * Kinds: fresh (connect, INSERT, close), pool (one session, an INSERT after the other, connects
 * again when it is broken), idle (a session that only waits to hear of its end), query (one that
 * waits for the end of a long query), storm and held (as fresh, but once, at the word of that name
 * on stdin). After a success a client thinks for THINK_MS, after a failure it tries again in
 * PAUSE_MS.
 *
 * One line of FILE per deed, times in microseconds of CLOCK_MONOTONIC:
 *   kind client begun connected ended outcome server text
 * outcome: up (a session to watch stands), ok, refused (no connection), readonly (a write session
 * that is in recovery), broken (the session ended), error (another complaint of the server),
 * unfinished (when the end came: the word `end`, or the end of stdin).
 *
 * Not here: what is made of it (failover_judge.py). */
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 256 * 1024, TEXT = 160, SERVER = 46, WORD = 16, THINK_MS = 20 };
#define WHERE "select host(inet_server_addr()), pg_is_in_recovery()"

struct client;

struct kind {
	const char *name;
	void (*live)(struct client *); /* one round of its life */
	bool once;                     /* at the word, and then no more */
};

struct load {
	FILE *out;
	const char *conninfo, *name;
	long pause_ms;
	pthread_mutex_t lock; /* of all below, and of the clients' begun */
	pthread_cond_t word;  /* stdin said something */
	char said[8][WORD];   /* which words */
	int n_said;
	struct client *clients;
	int n_clients;
};

struct client {
	struct load *load;
	const struct kind *kind;
	int number;
	long think_ms;
	PGconn *conn;
	unsigned long writes;
	int64_t begun, connected; /* begun: 0 while it does nothing */
	char server[SERVER];      /* of the session; "-": not known yet */
	bool failed;              /* the last deed */
};

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void nap(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

/* ---- what is written down -------------------------------------------------------------------- */

static void write_line(struct client *c, int64_t ended, const char *outcome, const char *text)
{
	char line[TEXT];
	snprintf(line, sizeof(line), "%s", text);
	for (char *p = line; *p; p++)
		*p = *p == '\n' ? ' ' : *p;
	fprintf(c->load->out, "%s %d %lld %lld %lld %s %s %s\n", c->kind->name, c->number,
		(long long)c->begun, (long long)c->connected, (long long)ended, outcome, c->server,
		line);
}

static void begin(struct client *c)
{
	pthread_mutex_lock(&c->load->lock);
	c->begun = now_us();
	pthread_mutex_unlock(&c->load->lock);
}

static void end(struct client *c, const char *outcome, const char *text)
{
	int64_t ended = now_us();
	pthread_mutex_lock(&c->load->lock);
	write_line(c, ended, outcome, text);
	c->begun = 0;
	c->failed = strcmp(outcome, "ok") != 0 && strcmp(outcome, "up") != 0;
	pthread_mutex_unlock(&c->load->lock);
}

/* ---- what clients do ------------------------------------------------------------------------- */

static void leave(struct client *c)
{
	PQfinish(c->conn);
	c->conn = NULL;
	c->connected = 0;
	strcpy(c->server, "-");
}

/* The parting words of a server are part of the deed; libpq would print them. */
static void say_nothing(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

/* A session, or the reason why not in the log. */
static bool come(struct client *c)
{
	c->conn = PQconnectdb(c->load->conninfo);
	PQsetNoticeReceiver(c->conn, say_nothing, NULL);
	if (PQstatus(c->conn) != CONNECTION_OK) {
		end(c, "refused", PQerrorMessage(c->conn));
		leave(c);
		return false;
	}
	c->connected = now_us();
	return true;
}

static const char *outcome_of(const PGconn *conn, const PGresult *r)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		return "ok";
	if (state && strcmp(state, "25006") == 0)
		return "readonly";
	return PQstatus(conn) == CONNECTION_OK ? "error" : "broken";
}

/* The first column of an answer is the server's address, the second, if any, is it in recovery. */
static void ask(struct client *c, const char *sql, const char *ok)
{
	PGresult *r = PQexec(c->conn, sql);
	const char *outcome = outcome_of(c->conn, r);
	if (strcmp(outcome, "ok") == 0) {
		snprintf(c->server, sizeof(c->server), "%s", PQgetvalue(r, 0, 0));
		outcome = PQnfields(r) > 1 && *PQgetvalue(r, 0, 1) == 't' ? "readonly" : ok;
	}
	end(c, outcome, PQresultErrorMessage(r));
	PQclear(r);
}

static void insert(struct client *c)
{
	char sql[200];
	snprintf(sql, sizeof(sql),
		 "insert into writes values ('%s/%s/%d/%lu') returning host(inet_server_addr())",
		 c->load->name, c->kind->name, c->number, ++c->writes);
	ask(c, sql, "ok");
}

static void live_fresh(struct client *c)
{
	begin(c);
	if (!come(c))
		return;
	insert(c);
	leave(c);
}

static void live_pool(struct client *c)
{
	begin(c);
	if (!c->conn && !come(c))
		return;
	insert(c);
	if (PQstatus(c->conn) != CONNECTION_OK)
		leave(c);
}

static void live_once(struct client *c)
{
	begin(c);
	if (!come(c))
		return;
	insert(c);
	leave(c);
}

/* A session whose end is to be noticed; its server is known, and it says so. */
static bool stand(struct client *c)
{
	begin(c);
	if (!come(c))
		return false;
	ask(c, WHERE, "up");
	if (c->failed)
		leave(c);
	return !c->failed;
}

static void live_idle(struct client *c)
{
	if (!stand(c))
		return;
	begin(c);
	do {
		struct pollfd p = {.fd = PQsocket(c->conn), .events = POLLIN};
		poll(&p, 1, -1);
	} while (PQconsumeInput(c->conn) && PQstatus(c->conn) == CONNECTION_OK);
	end(c, "broken", PQerrorMessage(c->conn));
	leave(c);
}

static void live_query(struct client *c)
{
	if (!stand(c))
		return;
	begin(c);
	PGresult *r = PQexec(c->conn, "select pg_sleep(86400)");
	end(c, "broken", PQresultErrorMessage(r));
	PQclear(r);
	leave(c);
}

static const struct kind kinds[] = {
	{"fresh", live_fresh, false}, {"pool", live_pool, false}, {"idle", live_idle, false},
	{"query", live_query, false}, {"storm", live_once, true}, {"held", live_once, true},
};

/* ---- their lives ----------------------------------------------------------------------------- */

static bool was_said(const struct load *l, const char *word)
{
	for (int i = 0; i < l->n_said; i++)
		if (strcmp(l->said[i], word) == 0)
			return true;
	return false;
}

static void await_word(struct client *c)
{
	struct load *l = c->load;
	pthread_mutex_lock(&l->lock);
	while (!was_said(l, c->kind->name))
		pthread_cond_wait(&l->word, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

static void *life(void *arg)
{
	struct client *c = arg;
	if (c->kind->once) {
		await_word(c);
		c->kind->live(c);
		return NULL;
	}
	nap(c->number * 3); /* not all in step */
	for (;;) {
		c->kind->live(c);
		nap(c->failed ? c->load->pause_ms : c->think_ms);
	}
}

static int add_clients(struct load *l, const char *words)
{
	char name[WORD];
	int n;
	long think_ms = THINK_MS;
	if (sscanf(words, "%15[a-z]=%d:%ld", name, &n, &think_ms) < 2 || n < 0)
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		l->clients =
			realloc(l->clients, sizeof(*l->clients) * (size_t)(l->n_clients + n + 1));
		for (int k = 0; k < n; k++)
			l->clients[l->n_clients++] = (struct client){.load = l,
								     .kind = &kinds[i],
								     .number = k,
								     .think_ms = think_ms,
								     .server = "-"};
		return 0;
	}
	return -1;
}

static int start_clients(struct load *l)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (int i = 0; i < l->n_clients; i++) {
		pthread_t t;
		if (pthread_create(&t, &attr, life, &l->clients[i]) != 0)
			return -1;
	}
	return 0;
}

/* Nobody is joined: many are blocked for good, which is what is to be told of them. */
static void finish(struct load *l)
{
	pthread_mutex_lock(&l->lock);
	int64_t now = now_us();
	for (int i = 0; i < l->n_clients; i++)
		if (l->clients[i].begun)
			write_line(&l->clients[i], now, "unfinished", "");
	fflush(l->out);
	_exit(0);
}

static void listen_to_stdin(struct load *l)
{
	char word[WORD];
	while (scanf("%15s", word) == 1 && strcmp(word, "end") != 0) {
		pthread_mutex_lock(&l->lock);
		if (l->n_said < 8)
			memcpy(l->said[l->n_said++], word, sizeof(word));
		pthread_cond_broadcast(&l->word);
		pthread_mutex_unlock(&l->lock);
	}
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: failover_load FILE CONNINFO NAME PAUSE_MS THINK_MS "
				"KIND=COUNT...\n");
		return 2;
	}
	struct load *l =
		&(struct load){.out = fopen(argv[1], "w"), .conninfo = argv[2], .name = argv[3]};
	l->pause_ms = atol(argv[4]);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->word, NULL);
	for (int i = 5; i < argc; i++)
		if (add_clients(l, argv[i]) < 0) {
			fprintf(stderr, "failover_load: not a kind of client: %s\n", argv[i]);
			return 2;
		}
	if (l->out)
		setvbuf(l->out, NULL, _IOLBF, BUFSIZ); /* the owner reads along */
	if (!l->out || start_clients(l) < 0) {
		perror("failover_load");
		return 1;
	}
	listen_to_stdin(l);
	finish(l);
}
