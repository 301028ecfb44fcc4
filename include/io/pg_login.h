#pragma once
/* A libpq connection that takes its settings from us alone; for pg_ask.c. Any thread. */
#include "io/pg_ask.h"
#include <libpq-fe.h>
#include <stddef.h>

/* As PQconnectStartParams; quiet, and its errors carry their SQLSTATE. NULL: no memory. */
PGconn *pg_login_start(const struct sql_question *q);
/* Why there was no password for it: libpq does not say. One line. */
void pg_login_explain(const struct sql_question *q, char *out, size_t n);
