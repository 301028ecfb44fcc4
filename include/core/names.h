#pragma once
/* Every enum that people see, and its texts: log, CLI, CSV and client errors say the same words.
 * One X-macro row each: symbol, word. Pure, any thread. */
#include <stdbool.h>

/* What a listener may serve. PRIMARY .. STANDBY_LEADER are Patroni's endpoints; ANY is "PostgreSQL
 * runs". */
#define ROLE_LIST(X)                             \
	X(ROLE_PRIMARY, "primary")               \
	X(ROLE_REPLICA, "replica")               \
	X(ROLE_SYNC, "sync")                     \
	X(ROLE_ASYNC, "async")                   \
	X(ROLE_QUORUM, "quorum")                 \
	X(ROLE_STANDBY_LEADER, "standby_leader") \
	X(ROLE_ANY, "any")

/* The role a node claims in its JSON (2.1: master, 4.x: primary; both are CLAIM_PRIMARY). */
#define CLAIM_LIST(X)                             \
	X(CLAIM_UNKNOWN, "unknown")               \
	X(CLAIM_PRIMARY, "primary")               \
	X(CLAIM_REPLICA, "replica")               \
	X(CLAIM_STANDBY_LEADER, "standby_leader") \
	X(CLAIM_DEMOTED, "demoted")               \
	X(CLAIM_PROMOTED, "promoted")             \
	X(CLAIM_UNINITIALIZED, "uninitialized")

/* PostgreSQL's state as the node claims it. "streaming" and "in archive recovery" are RUNNING. */
#define PG_STATE_LIST(X)           \
	X(PG_UNKNOWN, "unknown")   \
	X(PG_RUNNING, "running")   \
	X(PG_STARTING, "starting") \
	X(PG_STOPPING, "stopping") \
	X(PG_STOPPED, "stopped")   \
	X(PG_CRASHED, "crashed")   \
	X(PG_OTHER, "other")

/* What became of a question. ANSWERED: a whole HTTP answer (any status; JSON read where a body is
 * due), or for ASK_PORT a PostgreSQL reply ("starting up" or "shutting down" is REFUSED).
 * OWN_FAULT: we could not ask (no descriptor): says nothing of the node. */
#define OUTCOME_LIST(X)                               \
	X(OUTCOME_NONE, "not asked yet")              \
	X(OUTCOME_ANSWERED, "answered")               \
	X(OUTCOME_REFUSED, "connection refused")      \
	X(OUTCOME_UNREACHABLE, "unreachable")         \
	X(OUTCOME_CONNECT_TIMEOUT, "connect timeout") \
	X(OUTCOME_TIMEOUT, "timeout")                 \
	X(OUTCOME_RESET, "connection reset")          \
	X(OUTCOME_BAD_HTTP, "not HTTP")               \
	X(OUTCOME_BAD_JSON, "not JSON")               \
	X(OUTCOME_TOO_BIG, "answer too big")          \
	X(OUTCOME_TLS, "TLS failed")                  \
	X(OUTCOME_NO_ADDRESS, "name not resolved")    \
	X(OUTCOME_OWN_FAULT, "could not ask")

/* Why a member, a server or a leadership is as it is. The sentence follows the member's name. */
#define WHY_LIST(X)                                                                     \
	X(WHY_NONE, "")                                                                 \
	X(WHY_PROVEN, "proves that it is the writable primary")                         \
	X(WHY_ROLE_HELD, "has the role that is served here")                            \
	X(WHY_NOT_ASKED, "has not answered yet")                                        \
	X(WHY_NO_PROOF, "no member has proven to be primary")                           \
	X(WHY_ROLE_LOST, "does not have the role that is served here")                  \
	X(WHY_NOT_LEADER, "answers that it does not hold the leader lock")              \
	X(WHY_RESTARTED, "has restarted its Patroni, which does not know the lock yet") \
	X(WHY_PROMOTING, "holds the lock but is still in recovery")                     \
	X(WHY_PG_NOT_RUNNING, "holds the lock but its PostgreSQL is not running")       \
	X(WHY_STATE_UNKNOWN, "could not ask its PostgreSQL")                            \
	X(WHY_IN_RECOVERY, "answers over SQL that it is in recovery")                   \
	X(WHY_REST_SILENT, "does not answer on its Patroni port")                       \
	X(WHY_PORT_REFUSED, "is silent and its PostgreSQL port refuses")                \
	X(WHY_PORT_SILENT, "is silent on both its Patroni and its PostgreSQL port")     \
	X(WHY_LEASE_ENDED, "gave no new proof before its lease ended")                  \
	X(WHY_HIGHER_TIMELINE, "was overtaken by a member on a higher timeline")        \
	X(WHY_LOWER_TIMELINE, "claims a timeline below the highest one seen")           \
	X(WHY_NO_TIMELINE, "does not say its timeline")                                 \
	X(WHY_REPLACED, "was silent when another member proved to be primary")          \
	X(WHY_AMBIGUOUS, "and another member prove the same timeline")                  \
	X(WHY_TWO_CLUSTERS, "and another member are primaries of two clusters")         \
	X(WHY_WRONG_SCOPE, "belongs to another Patroni scope")                          \
	X(WHY_NO_SCOPE, "does not say its Patroni scope")                               \
	X(WHY_WRONG_SYSTEM, "has another system identifier")                            \
	X(WHY_WRONG_NAME, "answers with another member's name")                         \
	X(WHY_LAGGING, "lags too far behind the primary")                               \
	X(WHY_LAG_UNKNOWN, "lags by an unknown distance")                               \
	X(WHY_NOLOADBALANCE, "is tagged noloadbalance")                                 \
	X(WHY_LAST_RESORT, "is the primary, and serves here as a last resort only")     \
	X(WHY_OWN_PAUSE, "must prove itself again after isari itself was paused")       \
	X(WHY_NO_ADDRESS, "has a host name that cannot be resolved")                    \
	X(WHY_DRAIN, "is drained by an operator")                                       \
	X(WHY_MAINT, "is in maintenance by an operator")                                \
	X(WHY_HEALTH_DOWN, "was set down by an operator, until it answers well again")  \
	X(WHY_HEALTH_STOPPING, "was set to stopping by an operator, until it answers well again")

/* How a session ended. One way out, one reason; the first one counts. */
#define CLOSE_LIST(X)                                         \
	X(CLOSE_CLIENT, "client closed")                      \
	X(CLOSE_SERVER, "server closed")                      \
	X(CLOSE_CLIENT_RESET, "client reset")                 \
	X(CLOSE_SERVER_RESET, "server reset")                 \
	X(CLOSE_CLIENT_LOST, "client vanished")               \
	X(CLOSE_SERVER_LOST, "server vanished")               \
	X(CLOSE_DEMOTED, "server lost the role")              \
	X(CLOSE_UNREACHABLE, "server unreachable")            \
	X(CLOSE_LAGGING, "server lags too far")               \
	X(CLOSE_FENCED, "server fenced")                      \
	X(CLOSE_LEASE, "server lease ended")                  \
	X(CLOSE_WRONG_CLUSTER, "server of another cluster")   \
	X(CLOSE_MAINT, "server in maintenance")               \
	X(CLOSE_OPERATOR, "shut down by an operator")         \
	X(CLOSE_SENT_BACK, "sent back to a replica")          \
	X(CLOSE_NO_SERVER, "no server")                       \
	X(CLOSE_CONNECT_FAILED, "no server could be reached") \
	X(CLOSE_LIMIT, "too many sessions")                   \
	X(CLOSE_BAD_STARTUP, "not a PostgreSQL client")       \
	X(CLOSE_STARTUP_TIMEOUT, "startup timeout")           \
	X(CLOSE_CLIENT_IDLE, "client idle timeout")           \
	X(CLOSE_SERVER_IDLE, "server idle timeout")           \
	X(CLOSE_STOPPING, "isari is stopping")                \
	X(CLOSE_INTERNAL, "internal error")

/* What a view says of a server of a listener. The order is from best to worst. */
#define SERVER_STATE_LIST(X)                                                                     \
	X(SERVER_OPEN, "open")     /* takes new sessions */                                      \
	X(SERVER_KEPT, "kept")     /* no new sessions, the old ones go on */                     \
	X(SERVER_PAUSED, "paused") /* no new sessions, no byte moves until it is proven again */ \
	X(SERVER_CLOSED, "closed") /* no sessions: what is there is cut */

#define ADMIN_STATE_LIST(X)     \
	X(ADMIN_READY, "ready") \
	X(ADMIN_DRAIN, "drain") \
	X(ADMIN_MAINT, "maint")

/* An operator's word on a server that outranks its answers, until the next good ones. There is none
 * that would open a server: role checks cannot be overridden. */
#define HEALTH_ORDER_LIST(X)                                                  \
	X(HEALTH_AS_ANSWERED, "up")    /* no such word: its answers decide */ \
	X(HEALTH_STOPPING, "stopping") /* no new sessions */                  \
	X(HEALTH_DOWN, "down")         /* closed: its sessions are cut */

/* A listener's own door, as HAProxy's FRONTEND row says it. */
#define FRONTEND_STATE_LIST(X)                                                           \
	X(FRONTEND_OPEN, "OPEN")                                                         \
	X(FRONTEND_PAUSED, "PAUSED") /* listens no more, until an operator enables it */ \
	X(FRONTEND_STOP, "STOP")     /* likewise, for good */

#define NAMES_ENUM(symbol, word) symbol,
enum role { ROLE_LIST(NAMES_ENUM) N_ROLES };
enum claim { CLAIM_LIST(NAMES_ENUM) N_CLAIMS };
enum pg_state { PG_STATE_LIST(NAMES_ENUM) N_PG_STATES };
enum outcome { OUTCOME_LIST(NAMES_ENUM) N_OUTCOMES };
enum why { WHY_LIST(NAMES_ENUM) N_WHYS };
enum close_reason { CLOSE_LIST(NAMES_ENUM) N_CLOSE_REASONS };
enum server_state { SERVER_STATE_LIST(NAMES_ENUM) N_SERVER_STATES };
enum admin_state { ADMIN_STATE_LIST(NAMES_ENUM) N_ADMIN_STATES };
enum health_order { HEALTH_ORDER_LIST(NAMES_ENUM) N_HEALTH_ORDERS };
enum frontend_state { FRONTEND_STATE_LIST(NAMES_ENUM) N_FRONTEND_STATES };

#define ROLE_BIT(role) (1u << (role))

const char *role_name(enum role r);
const char *claim_name(enum claim c);
const char *pg_state_name(enum pg_state s);
const char *outcome_name(enum outcome o);
const char *why_text(enum why w);
const char *close_reason_name(enum close_reason r);
const char *server_state_name(enum server_state s);
const char *admin_state_name(enum admin_state s);
const char *health_order_name(enum health_order h);
const char *frontend_state_name(enum frontend_state s);

/* -1 when the word is none of them. */
int admin_state_parse(const char *word);
int health_order_parse(const char *word);

/* The log word of a close reason: "client_closed" for "client closed". */
const char *close_reason_key(enum close_reason r);
