/* Whether a POST may change anything: orders come from people and programs that reach this port,
 * never from a page of somebody else that an operator's browser has open.
 *
 * A browser tells where a request comes from, in Origin (with every POST) and in Sec-Fetch-Site
 * (where it trusts the connection); curl and scripts send neither, and no page can leave them out.
 * What a browser sends must come from a page of ours: of the same host and port. That alone does
 * not help against a name of somebody else that was made to point at us (DNS rebinding): to the
 * browser his page is of the same host then. So the host in the browser's address line must also be
 * one that nobody else can own: a number, a name without a dot (localhost, lb1), or this machine's
 * own name.
 *
 * Reading is not guarded: over HTTP it is open to whoever reaches the port, as with HAProxy. */
#include "admin/web_parts.h"
#include "base/addr.h"
#include "base/str.h"
#include <string.h>
#include <strings.h>

/* The host without its port and brackets; empty when it is no such thing. */
static void cut_host(const char *host, char *out, size_t n)
{
	bool bracketed = host[0] == '[';
	size_t len;

	host += bracketed;
	len = strcspn(host, bracketed ? "]" : ":");
	const char *rest = host + len + (bracketed && host[len]);
	if (len >= n || (*rest != '\0' && *rest != ':'))
		len = 0;
	memcpy(out, host, len);
	out[len] = '\0';
}

static bool is_ours(const char *host, const char *node)
{
	char name[256];

	cut_host(host, name, sizeof(name));
	if (name[0] == '\0')
		return false;
	return strchr(name, '.') == NULL || addr_is_numeric(name) || strcasecmp(name, node) == 0;
}

/* "http://host:port" of the page, against the host:port that was asked. */
static bool is_same_origin(const char *origin, const char *host)
{
	const char *at = strstr(origin, "://");

	return at && strcasecmp(at + strlen("://"), host) == 0;
}

static bool has_form_type(const char *type)
{
	static const char form[] = "application/x-www-form-urlencoded";

	return type == NULL || (strncasecmp(type, form, strlen(form)) == 0 &&
				strchr("; ", type[strlen(form)]) != NULL);
}

static bool comes_from_elsewhere(const char *fetch_site)
{
	return fetch_site && strcmp(fetch_site, "same-origin") != 0 &&
	       strcmp(fetch_site, "none") != 0;
}

bool web_guard_allows(const struct web_request *q, const char *node, const char **why)
{
	*why = NULL;
	if (!has_form_type(q->content_type))
		*why = "a POST must be of type application/x-www-form-urlencoded";
	else if (comes_from_elsewhere(q->fetch_site))
		*why = "this request was made by a page of another site";
	else if (q->origin && !is_same_origin(q->origin, q->host ? q->host : ""))
		*why = "this request was made by a page of another site";
	else if ((q->origin || q->fetch_site) && !is_ours(q->host ? q->host : "", node))
		*why = "a browser may send orders only to an address, to a name without a dot or "
		       "to this machine's own name: open the page by one of them";
	return *why == NULL;
}
