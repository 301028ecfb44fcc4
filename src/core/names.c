/* The words for every enum that people see: each table is the X-macro's second column.
 * Not here: what the words mean (the headers say). Pure, any thread. */
#include "core/names.h"
#include "base/assert.h"
#include "core/observation.h"
#include <stddef.h>
#include <string.h>

#define TEXT(symbol, word) [symbol] = word,

/* An enum value out of range is our own mistake, never the network's: parsers make only known ones.
 */
#define DEFINE_NAMES(function, type, list)                                 \
	const char *function(type value)                                   \
	{                                                                  \
		static const char *const texts[] = {list(TEXT)};           \
                                                                           \
		REQUIRE((size_t)value < sizeof(texts) / sizeof(texts[0])); \
		return texts[value];                                       \
	}

DEFINE_NAMES(role_name, enum role, ROLE_LIST)
DEFINE_NAMES(claim_name, enum claim, CLAIM_LIST)
DEFINE_NAMES(pg_state_name, enum pg_state, PG_STATE_LIST)
DEFINE_NAMES(outcome_name, enum outcome, OUTCOME_LIST)
DEFINE_NAMES(why_text, enum why, WHY_LIST)
DEFINE_NAMES(close_reason_name, enum close_reason, CLOSE_LIST)
DEFINE_NAMES(server_state_name, enum server_state, SERVER_STATE_LIST)
DEFINE_NAMES(admin_state_name, enum admin_state, ADMIN_STATE_LIST)
DEFINE_NAMES(health_order_name, enum health_order, HEALTH_ORDER_LIST)
DEFINE_NAMES(frontend_state_name, enum frontend_state, FRONTEND_STATE_LIST)
DEFINE_NAMES(question_path, enum question, QUESTION_LIST)

static int find_word(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

int admin_state_parse(const char *word)
{
	static const char *const words[] = {ADMIN_STATE_LIST(TEXT)};

	return find_word(words, N_ADMIN_STATES, word);
}

int health_order_parse(const char *word)
{
	static const char *const words[] = {HEALTH_ORDER_LIST(TEXT)};

	return find_word(words, N_HEALTH_ORDERS, word);
}

/* The names in lower case with '_' for each blank (a test holds the two together): log tools split
 * at blanks. */
const char *close_reason_key(enum close_reason r)
{
	static const char *const keys[] = {
		[CLOSE_CLIENT] = "client_closed",
		[CLOSE_SERVER] = "server_closed",
		[CLOSE_CLIENT_RESET] = "client_reset",
		[CLOSE_SERVER_RESET] = "server_reset",
		[CLOSE_CLIENT_LOST] = "client_vanished",
		[CLOSE_SERVER_LOST] = "server_vanished",
		[CLOSE_DEMOTED] = "server_lost_the_role",
		[CLOSE_UNREACHABLE] = "server_unreachable",
		[CLOSE_LAGGING] = "server_lags_too_far",
		[CLOSE_FENCED] = "server_fenced",
		[CLOSE_LEASE] = "server_lease_ended",
		[CLOSE_WRONG_CLUSTER] = "server_of_another_cluster",
		[CLOSE_MAINT] = "server_in_maintenance",
		[CLOSE_OPERATOR] = "shut_down_by_an_operator",
		[CLOSE_SENT_BACK] = "sent_back_to_a_replica",
		[CLOSE_NO_SERVER] = "no_server",
		[CLOSE_CONNECT_FAILED] = "no_server_could_be_reached",
		[CLOSE_LIMIT] = "too_many_sessions",
		[CLOSE_BAD_STARTUP] = "not_a_postgresql_client",
		[CLOSE_STARTUP_TIMEOUT] = "startup_timeout",
		[CLOSE_CLIENT_IDLE] = "client_idle_timeout",
		[CLOSE_SERVER_IDLE] = "server_idle_timeout",
		[CLOSE_STOPPING] = "isari_is_stopping",
		[CLOSE_INTERNAL] = "internal_error",
	};

	_Static_assert(sizeof(keys) / sizeof(keys[0]) == N_CLOSE_REASONS, "a key per reason");
	REQUIRE((size_t)r < N_CLOSE_REASONS);
	return keys[r];
}
