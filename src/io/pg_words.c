/* What libpq's words mean. A server's error carries its SQLSTATE (PQERRORS_VERBOSE); for the
 * kernel's errors libpq's text ends in strerror's, and the few of its own that matter are in a
 * table. They are not translated: isari sets no locale. Words nobody knows mean that somebody
 * speaks PostgreSQL there and would not tell: SQL_DENIED. */
#include "io/pg_words.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* "FATAL:  57P03: the database system ...": where the SQLSTATE begins, or NULL. */
static const char *find_sqlstate(const char *text)
{
	for (const char *at = strstr(text, ":  "); at; at = strstr(at + 1, ":  ")) {
		size_t n = 0;

		while (n < 5 &&
		       (isdigit((unsigned char)at[3 + n]) || isupper((unsigned char)at[3 + n])))
			n++;
		if (n == 5 && at[3 + n] == ':')
			return at + 3;
	}
	return NULL;
}

/* cannot_connect_now, admin_shutdown, crash_shutdown. Any other error is a living server's. */
static enum sql_result result_of_sqlstate(const char *sqlstate)
{
	static const char *const not_ready[] = {"57P03", "57P01", "57P02"};

	for (size_t i = 0; i < sizeof(not_ready) / sizeof(not_ready[0]); i++)
		if (strncmp(sqlstate, not_ready[i], 5) == 0)
			return SQL_NOT_READY;
	return SQL_DENIED;
}

static bool result_of_errno_text(const char *text, enum sql_result *result)
{
	static const struct {
		int error;
		enum sql_result result;
	} rows[] = {
		{ECONNREFUSED, SQL_REFUSED},
		{ECONNRESET, SQL_RESET},
		{EPIPE, SQL_RESET},
		{ENOENT, SQL_REFUSED}, /* a UNIX socket */
		{ECONNABORTED, SQL_RESET},
		{ETIMEDOUT, SQL_TIMEOUT},
		{EAGAIN, SQL_TIMEOUT},
		{ENETUNREACH, SQL_UNREACHABLE},
		{EHOSTUNREACH, SQL_UNREACHABLE},
		{EHOSTDOWN, SQL_UNREACHABLE},
		{EACCES, SQL_UNREACHABLE},
		{EPERM, SQL_UNREACHABLE},
		{EINVAL, SQL_UNREACHABLE},
		{EMFILE, SQL_OWN_FAULT},
		{ENFILE, SQL_OWN_FAULT},
		{ENOMEM, SQL_OWN_FAULT},
		{ENOBUFS, SQL_OWN_FAULT},
		{EADDRNOTAVAIL, SQL_OWN_FAULT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(text, strerror(rows[i].error))) {
			*result = rows[i].result;
			return true;
		}
	return false;
}

/* The first row that fits; libpq 12 to 17 say these. Files of our own that are missing or not to be
 * read come first: their errno is not the network's. */
static bool result_of_words(const char *text, enum sql_result *result)
{
	static const struct {
		const char *words;
		enum sql_result result;
	} rows[] = {
		{"certificate", SQL_TLS},
		{"private key", SQL_TLS},
		{"server closed the connection", SQL_RESET},
		{"SSL SYSCALL error: EOF", SQL_RESET},
		{"invalid response to SSL negotiation", SQL_GARBAGE},
		{"unencrypted data after SSL response", SQL_GARBAGE},
		{"expected authentication request", SQL_GARBAGE},
		{"unexpected message from server during startup", SQL_GARBAGE},
		{"lost synchronization with server", SQL_GARBAGE},
		{"message contents do not agree", SQL_GARBAGE},
		{"unexpected response from server", SQL_GARBAGE},
		{"out of memory", SQL_OWN_FAULT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(text, rows[i].words)) {
			*result = rows[i].result;
			return true;
		}
	return false;
}

enum sql_result pg_words_result(const char *text)
{
	const char *sqlstate = find_sqlstate(text);
	enum sql_result result;

	if (sqlstate)
		return result_of_sqlstate(sqlstate);
	if (result_of_words(text, &result) || result_of_errno_text(text, &result))
		return result;
	return strstr(text, "SSL") ? SQL_TLS : SQL_DENIED;
}

const char *pg_words_after_preface(const char *text)
{
	static const char preface_end[] = " failed: ";
	const char *end = strstr(text, preface_end);

	return end ? end + strlen(preface_end) : text;
}
