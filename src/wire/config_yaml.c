/* The upper keys of isari.yaml, and the whole: text in, configuration or faults out.
 * Adding a key is one row in the table of its section (here, config_cluster.c, config_listener.c,
 * config_stats.c), a field in core/config.h and its place in etc/isari.yaml. */
#include "wire/config_yaml.h"
#include "base/mem.h"
#include "wire/config_keys.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 64, MAX_SESSIONS = 1000000, DAY = 86400000 };

static const struct word log_levels[] = {
	{"debug", LOG_LEVEL_DEBUG},
	{"info", LOG_LEVEL_INFO},
	{"warning", LOG_LEVEL_WARNING},
	{"error", LOG_LEVEL_ERROR},
	{0},
};

static const struct word log_formats[] = {
	{"text", LOG_FORMAT_TEXT},
	{"json", LOG_FORMAT_JSON},
	{"haproxy-tcp", LOG_FORMAT_HAPROXY_TCP},
	{0},
};

/* What syslog calls the program: a word of at most 32 bytes, where its parsers cut it. */
static void read_tag(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	enum { MAX_TAG = 32 };
	const char *text = reader_expect_text(r, v, "a word, as haproxy");
	char **to = field;

	(void)k;
	if (text == NULL)
		return;
	if (strlen(text) > MAX_TAG || strspn(text, NAME_CHARACTERS) != strlen(text)) {
		reader_fault(r, v, "a tag has 1..%d letters, digits and ._-, not '%.40s'", MAX_TAG,
			     text);
		return;
	}
	free(*to);
	*to = xstrdup(text);
}

static const struct key log_keys[] = {
	KEY("level", read_word, struct config, log.level, .words = log_levels),
	KEY("format", read_word, struct config, log.format, .words = log_formats),
	KEY("sessions", read_bool, struct config, log.sessions),
	KEY("tag", read_tag, struct config, log.tag),
	{0},
};

static const struct key stats_keys[] = {
	KEY_WHOLE("socket", read_stats_sockets),
	KEY("http", read_stats_http, struct config, http, .flags = KEY_NULLABLE),
	KEY("http_admin", read_bool, struct config, http.admin),
	{0},
};

/* Read in this order: listeners refer to clusters, and stats sockets must not take a listener's
 * bind. */
static const struct key top_keys[] = {
	KEY_WHOLE("clusters", read_clusters, .required = "a name, and the members below it"),
	KEY_WHOLE("listeners", read_listeners, .required = "a name, and bind and serve below it"),
	KEY("threads", read_unsigned, struct config, threads, .min = 1, .max = MAX_THREADS,
	    .flags = KEY_AUTO),
	KEY("spin", read_duration_us, struct config, spin_us, .min = 1, .max = 1000,
	    .flags = KEY_ZERO),
	KEY("maxconn", read_unsigned, struct config, maxconn, .min = 1, .max = MAX_SESSIONS),
	KEY_WHOLE("stats", read_section, .keys = stats_keys),
	KEY_WHOLE("log", read_section, .keys = log_keys),
	KEY("drain_timeout", read_duration, struct config, drain_timeout_ms, .min = 100, .max = DAY,
	    .flags = KEY_ZERO),
	{0},
};

static void read_root(struct reader *r, const struct yaml_node *root)
{
	static const struct yaml_node empty = {.kind = YAML_KIND_MAP, .line = 1, .column = 1};

	if (root == NULL || yaml_node_is_null(root))
		root = &empty;
	if (reader_expect_map(r, root, "clusters and listeners at least"))
		read_keys(r, top_keys, root, r->config);
}

struct config *config_yaml_parse(const char *text, size_t len, const char *file, struct buf *faults)
{
	struct faults found = {0};
	struct reader r = {.faults = &found, .config = config_new()};
	struct yaml_node *root;
	bool readable;

	config_default_stats_socket(r.config);
	root = yaml_tree_parse(text, len, &found);
	readable = root || !faults_any(&found);
	if (readable)
		read_root(&r, root);
	yaml_tree_free(root);
	if (faults_any(&found)) {
		faults_print(&found, file, faults);
		config_unref(r.config);
		r.config = NULL;
	} else {
		config_finish(r.config);
	}
	faults_fini(&found);
	return r.config;
}
