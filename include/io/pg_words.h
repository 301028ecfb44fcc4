#pragma once
/* What went wrong, from libpq's words: it has no codes for it. Any thread. */
#include "io/pg_ask.h"

/* `text` is PQerrorMessage of a connection with PQERRORS_VERBOSE, after its preface. */
enum sql_result pg_words_result(const char *text);
/* Behind "connection to server at ... failed:", which names the host, and that may be called
 * anything. */
const char *pg_words_after_preface(const char *text);
