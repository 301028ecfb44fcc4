/* Any bytes as a configuration: refused with a place, or accepted with every value in its range. */
#include "base/assert.h"
#include "wire/config_yaml.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool within(int64_t value, int64_t min, int64_t max)
{
	return value >= min && value <= max;
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("._-:%", name[i]) == NULL)
			return false;
	return len >= 1 && len <= 64;
}

/* Every line is "fuzz:line:column: key: why", but for the count at the end of a flood. */
static void check_faults(char *faults)
{
	char *rest = NULL;
	size_t n = 0;

	for (char *line = strtok_r(faults, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned row = 0, column = 0;
		int end = 0;

		n++;
		if (strncmp(line, "fuzz: and ", 10) == 0)
			continue;
		INSIST(sscanf(line, "fuzz:%u:%u: %n", &row, &column, &end) == 2 && end > 0);
		INSIST(row >= 1 && column >= 1);
		INSIST(strstr(line + end, ": ") != NULL);
	}
	INSIST(n >= 1);
}

static void check_probe(const struct probe_config *p)
{
	INSIST(within(p->interval_ms, 10, 60000));
	INSIST(within(p->fast_interval_ms, 10, p->interval_ms));
	INSIST(within(p->timeout_ms, 10, 60000));
	INSIST(within(p->ping_timeout_ms, 10, 60000));
	INSIST(within(p->lease_ms, 2 * p->interval_ms, 3600000));
	INSIST(p->sql.wanted == (p->sql.dbname != NULL));
	INSIST(within(p->fall, 1, 100) && within(p->rise, 1, 100));
}

static void check_listener(const struct config *c, const struct listener_config *l)
{
	INSIST(is_name(l->name));
	INSIST(within((int64_t)l->n_binds, 1, 16));
	for (size_t i = 0; i < l->n_binds; i++)
		INSIST(l->binds[i].kind == ADDR_UNIX || l->binds[i].port > 0);
	INSIST(l->cluster < c->n_clusters);
	INSIST(within(l->serve, 1, (1 << N_ROLES) - 1));
	INSIST(within(l->maxconn, 1, 1000000) && within(l->server_maxconn, 0, 1000000));
	INSIST(within(l->hold_ms, 0, 3600000) && within(l->hold_max, 1, 1000000));
	INSIST(within((int64_t)l->max_lag_bytes, 0, 1ll << 50));
	INSIST(within(l->balance, BALANCE_ROUNDROBIN, BALANCE_RANDOM));
	INSIST(within(l->timeouts.connect_ms, 10, 3600000));
	INSIST(within(l->timeouts.startup_ms, 10, 3600000));
	INSIST(within(l->timeouts.client_idle_ms, 0, 365ll * 86400000));
	INSIST(within(l->timeouts.server_idle_ms, 0, 365ll * 86400000));
	INSIST(within(l->keepalive.idle_ms, 1000, 32767000) && l->keepalive.idle_ms % 1000 == 0);
	INSIST(within(l->keepalive.interval_ms, 1000, 32767000));
	INSIST(within(l->keepalive.count, 1, 127));
	INSIST(within(l->keepalive.user_timeout_ms, 0, 86400000));
}

static void check_config(const struct config *c)
{
	size_t members = 0;

	INSIST(c->n_clusters >= 1 && c->n_listeners >= 1 && c->n_members >= c->n_clusters);
	for (size_t i = 0; i < c->n_clusters; i++) {
		INSIST(is_name(c->clusters[i].name) && c->clusters[i].first_member == members);
		members += c->clusters[i].n_members;
		check_probe(&c->clusters[i].probe);
	}
	INSIST(members == c->n_members);
	for (size_t i = 0; i < c->n_members; i++) {
		INSIST(is_name(c->members[i].name) && c->members[i].host[0]);
		INSIST(c->members[i].rest_host[0] && c->members[i].rest_port > 0);
		INSIST(c->members[i].port > 0 && c->members[i].weight <= 256);
	}
	for (size_t i = 0; i < c->n_listeners; i++)
		check_listener(c, &c->listeners[i]);
	for (size_t i = 0; i < c->n_stats_sockets; i++)
		INSIST(c->stats_sockets[i].mode <= 0777 &&
		       c->stats_sockets[i].level <= LEVEL_ADMIN);
	INSIST(c->threads <= 64 && within(c->maxconn, 1, 1000000));
	INSIST(within(c->drain_timeout_ms, 0, 86400000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf faults = {0};
	struct config *c = config_yaml_parse((const char *)data, size, "fuzz", &faults);

	if (c) {
		INSIST(faults.data == NULL);
		check_config(c);
		config_unref(c);
	} else {
		INSIST(faults.len > 0);
		check_faults(faults.data);
	}
	buf_fini(&faults);
	return 0;
}
