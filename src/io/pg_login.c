/* What libpq is told, so that nothing else has a say: not the environment, not ~/.pgpass, not a
 * file of services. (A root certificate for sslmode=verify-full is where libpq looks for it,
 * ~/.postgresql/root.crt of isari's user.) */
#include "io/pg_login.h"
#include "base/mem.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the passfile ---------------------------------------------------------------------------- */

/* Where no password file is wanted, one that cannot exist: else libpq looks for ~/.pgpass. */
static const char no_passfile[] = "/dev/null/none";

static bool is_private(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* One that libpq would refuse is not shown to it: it complains on standard error, where only log
 * lines belong. */
static const char *passfile_for(const struct sql_question *q)
{
	return q->passfile && is_private(q->passfile) ? q->passfile : no_passfile;
}

void pg_login_explain(const struct sql_question *q, char *out, size_t n)
{
	if (q->passfile == NULL)
		snprintf(out, n, "a password is wanted, and there is no passfile");
	else if (access(q->passfile, R_OK) != 0)
		snprintf(out, n, "passfile %s: %s", q->passfile, strerror(errno));
	else if (!is_private(q->passfile))
		snprintf(out, n, "passfile %s: must be a plain file of mode 0600", q->passfile);
	else /* a socket is localhost or its directory to libpq, as it was built: * is both */
		snprintf(out, n, "passfile %s: has no line for %s:%u:%s:%s", q->passfile,
			 q->socket ? "*" : q->host, q->port, q->dbname, q->user);
}

/* ---- the parameters -------------------------------------------------------------------------- */

/* A server's notices would go to standard error. */
static void ignore_notice(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

/* libpq puts the name of the socket together itself. */
static char *directory_of(const char *socket)
{
	const char *slash = strrchr(socket, '/');

	return slash == socket ? xstrdup("/") : xstrndup(socket, (size_t)(slash - socket));
}

PGconn *pg_login_start(const struct sql_question *q)
{
	PGconn *conn;
	char port[8], *directory = q->socket ? directory_of(q->socket) : NULL;
	const struct {
		const char *key, *value;
	} params[] = {
		{"hostaddr", directory ? NULL : q->ip},
		{"host", directory ? directory : q->host},
		{"port", port},
		{"user", q->user},
		{"dbname", q->dbname},
		{"passfile", passfile_for(q)},
		{"sslmode", q->sslmode},
		{"gssencmode", "disable"},
		{"target_session_attrs", "any"},
		{"application_name", "isari"},
	};
	enum { N = sizeof(params) / sizeof(params[0]) };
	const char *keys[N + 1] = {0}, *values[N + 1] = {0};

	snprintf(port, sizeof(port), "%u", q->port);
	for (int i = 0; i < N; i++) {
		keys[i] = params[i].key;
		values[i] = params[i].value;
	}
	conn = PQconnectStartParams(keys, values, 0);
	free(directory);
	if (conn) {
		PQsetNoticeProcessor(conn, ignore_notice, NULL);
		PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
	}
	return conn;
}

/* ---- the environment ------------------------------------------------------------------------- */

/* Every variable that libpq reads begins so. unsetenv moves the others down: begin again. */
void pg_ask_forget_environment(void)
{
	char **at = environ;

	while (at && *at) {
		const char *was = *at;
		char *name;

		if (strncmp(was, "PG", 2) == 0) {
			name = xstrndup(was, strcspn(was, "="));
			unsetenv(name);
			free(name);
		}
		if (*at == was)
			at++;
	}
}
