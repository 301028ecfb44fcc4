/* How a member's last answer looks to HAProxy's tools: status, check_status, check_desc, last_chk.
 * Operators have tuned their alerts around these words, so a replica in a primary's pool stays
 * DOWN / L7STS / 503 / "Service Unavailable". */
#include "admin/stat_row.h"

/* MAINT, DRAIN, NOLB (`health stopping`), UP and DOWN only: exporters do not know HAProxy's
 * transitional forms ("UP 1/2"). A server that merely keeps its old sessions is DOWN, as in
 * HAProxy: DOWN says that no new ones get there. A backup is UP whether or not it is needed. */
const char *stat_server_status(const struct server_report *s)
{
	if (s->admin == ADMIN_MAINT)
		return "MAINT";
	if (s->state == SERVER_OPEN || s->why == WHY_LAST_RESORT)
		return "UP";
	if (s->why == WHY_HEALTH_STOPPING)
		return "NOLB";
	return s->why == WHY_DRAIN ? "DRAIN" : "DOWN";
}

static const struct stat_check checks[N_OUTCOMES] = {
	[OUTCOME_NONE] = {"INI", "Initializing", "", false},
	[OUTCOME_REFUSED] = {"L4CON", "Layer4 connection problem", "Connection refused", false},
	[OUTCOME_UNREACHABLE] = {"L4CON", "Layer4 connection problem", "No route to host", false},
	[OUTCOME_CONNECT_TIMEOUT] = {"L4TOUT", "Layer4 timeout", "", false},
	[OUTCOME_TIMEOUT] = {"L7TOUT", "Layer7 timeout", "", false},
	[OUTCOME_RESET] = {"L7RSP", "Layer7 invalid response", "Connection reset by peer", false},
	[OUTCOME_BAD_HTTP] = {"L7RSP", "Layer7 invalid response", "not HTTP", false},
	[OUTCOME_BAD_JSON] = {"L7RSP", "Layer7 invalid response", "not JSON", false},
	[OUTCOME_TOO_BIG] = {"L7RSP", "Layer7 invalid response", "answer too big", false},
	[OUTCOME_TLS] = {"L6RSP", "Layer6 invalid response", "TLS failed", false},
	[OUTCOME_NO_ADDRESS] = {"SOCKERR", "Socket error", "name not resolved", false},
	[OUTCOME_OWN_FAULT] = {"SOCKERR", "Socket error", "could not ask", false},
};

/* What Patroni and the proxies in front of it answer; HAProxy shows the reason phrase. */
static const char *reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{301, "Moved Permanently"},
		{302, "Found"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{412, "Precondition Failed"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "HTTP status is not 200";
}

struct stat_check stat_check_of(const struct server_report *s)
{
	if (s->check_outcome != OUTCOME_ANSWERED)
		return checks[s->check_outcome];
	if (s->check_status != 200)
		return (struct stat_check){"L7STS", "Layer7 wrong status",
					   reason_phrase(s->check_status), true};
	return (struct stat_check){"L7OK", "Layer7 check passed", "", true};
}
