/* The ideal observer of `make bench-failover`: when did each server itself say that it is writable?
 *
 *   failover_observe DIRECTORY...
 *
 * One persistent session per server, over its own UNIX socket (no network cut stands between), asks
 * pg_is_in_recovery() every 5 ms; without a session it tries for one every 10 ms. Stdout has a line
 * `time directory state` per change: time in microseconds of CLOCK_MONOTONIC at which the answer
 * had come, state writable, recovery or gone. A frozen server says nothing, so nothing is written.
 */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_NODES = 16, ASK_US = 5000, TRY_US = 10000 };

struct node {
	const char *directory;
	const char *state;
};

static void tell(struct node *n, const char *state)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (strcmp(n->state, state) == 0)
		return;
	n->state = state;
	printf("%lld %s %s\n", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000, n->directory,
	       state);
	fflush(stdout);
}

/* The ideal must not be late because the machine is busy: both ends of it go first. */
static void go_first(PGconn *conn)
{
	setpriority(PRIO_PROCESS, 0, -10);
	if (PQbackendPID(conn) > 0)
		setpriority(PRIO_PROCESS, (id_t)PQbackendPID(conn), -10);
}

/* Parting words are no news; libpq would print them. */
static void say_nothing(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

static void ask_until_it_ends(struct node *n, PGconn *conn)
{
	go_first(conn);
	PQsetNoticeReceiver(conn, say_nothing, NULL);
	while (PQstatus(conn) == CONNECTION_OK) {
		PGresult *r = PQexec(conn, "select pg_is_in_recovery()");
		if (PQresultStatus(r) == PGRES_TUPLES_OK)
			tell(n, *PQgetvalue(r, 0, 0) == 'f' ? "writable" : "recovery");
		PQclear(r);
		usleep(ASK_US);
	}
}

static void *observe(void *arg)
{
	struct node *n = arg;
	const char *keys[] = {"host", "user", "dbname", NULL};
	const char *values[] = {n->directory, "postgres", "postgres", NULL};
	for (;;) {
		PGconn *conn = PQconnectdbParams(keys, values, 0);
		ask_until_it_ends(n, conn);
		tell(n, "gone");
		PQfinish(conn);
		usleep(TRY_US);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct node nodes[MAX_NODES];
	if (argc < 2 || argc > MAX_NODES) {
		fprintf(stderr, "usage: failover_observe DIRECTORY...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		pthread_t t;
		nodes[i] = (struct node){.directory = argv[i], .state = ""};
		if (pthread_create(&t, NULL, observe, &nodes[i]) != 0)
			return 1;
	}
	char rest[64];
	while (read(STDIN_FILENO, rest, sizeof(rest)) > 0)
		;
	return 0;
}
