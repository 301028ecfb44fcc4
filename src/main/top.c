/* `isari top`: its options, the first reading, and the one frame that scripts get.
 * Not here: the live view (top_live.c), what is on the screen (admin/top.h). */
#include "main/top.h"
#include "admin/top.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/ctl_client.h"
#include "io/ctl_talk.h"
#include "io/terminal.h"
#include "main/ctl.h"
#include "wire/top_json.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, TIMEOUT_MS = 5000 };

struct choices {
	const char *socket;
	int64_t delay_ms;
	bool once;
};

static int usage(FILE *to)
{
	fprintf(to,
		"usage: isari top [-s SOCKET] [-d SECONDS] [-1]\n"
		"  -s SOCKET   path or host:port of the stats socket (default %s)\n"
		"  -d SECONDS  between two readings, 0.1 to 3600 (default 1)\n"
		"  -1          once, as text, and exit; also when this is no terminal\n",
		CTL_DEFAULT_SOCKET);
	return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static int parse_delay(const char *text, int64_t *ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.1 && seconds <= 3600)) {
		fprintf(stderr, "isari top: -d %s: seconds from 0.1 to 3600\n", text);
		return -EINVAL;
	}
	*ms = (int64_t)(seconds * 1000 + 0.5);
	return 0;
}

/* 0, or -EINVAL after a sentence. */
static int parse_options(int argc, char **argv, struct choices *c)
{
	int flag;

	opterr = 0;
	optind = 1;
	while ((flag = getopt(argc, argv, "+:s:d:1")) != -1) {
		switch (flag) {
		case 's': c->socket = optarg; break;
		case '1': c->once = true; break;
		case 'd':
			if (parse_delay(optarg, &c->delay_ms) < 0)
				return -EINVAL;
			break;
		default: usage(stderr); return -EINVAL;
		}
	}
	if (optind < argc)
		usage(stderr);
	return optind < argc ? -EINVAL : 0;
}

/* ---- one reading ---- */

int top_take_reply(struct top_model *m, unsigned question, const char *reply, size_t len)
{
	if (question == 0)
		return top_json_clusters(m, reply, len);
	if (question == 1 && top_json_events(m, reply, len) < 0)
		m->events_denied = true;
	if (question == 2)
		top_json_info(m, reply, len);
	return 0;
}

static int take_replies(struct top_model *m, const struct buf *replies)
{
	size_t at = 0, after;
	long len = ctl_reply_end(replies->data, replies->len, &after); /* that of `prompt` */

	for (unsigned i = 0; len >= 0 && i < TOP_QUESTIONS; i++) {
		at += after;
		len = ctl_reply_end(replies->data + at, replies->len - at, &after);
		if (len < 0 || top_take_reply(m, i, replies->data + at, (size_t)len) < 0)
			return -EBADMSG;
	}
	return len < 0 ? -EBADMSG : 0;
}

/* Waiting for the answer. 0, or -errno after a sentence. */
static int read_once(const struct addr *a, const char *socket, struct top_model *m)
{
	struct buf replies = {0};
	struct err e;
	int rc;

	buf_puts(&replies, "");
	rc = ctl_client_ask(a, "prompt;" TOP_QUESTION, TIMEOUT_MS, &replies, &e);
	if (rc < 0) {
		fprintf(stderr, "isari top: %s\n", e.text);
	} else {
		rc = take_replies(m, &replies);
		if (rc < 0)
			fprintf(stderr,
				"isari top: what answers at %s is no isari that knows `show "
				"clusters json`: is this the right socket, and as new as this "
				"program?\n",
				socket);
	}
	buf_fini(&replies);
	return rc;
}

/* ---- once ---- */

static int print_frame(const struct top_model *m)
{
	struct top_frame f = {.style = TOP_PLAIN};
	struct top_state s;
	struct buf out = {0};
	unsigned rows;
	int rc = EXIT_SUCCESS;

	terminal_output_size(&f.width, &rows);
	if (f.width < 80)
		f.width = f.width ? 80 : 0; /* a narrow terminal wraps; a file has no edge */
	top_state_init(&s);
	s.focus = N_TOP_TABLES;
	top_draw(m, &s, &f, &out);
	if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
		fprintf(stderr, "isari top: cannot write: %s\n", strerror(errno));
		rc = EXIT_FAILURE;
	}
	buf_fini(&out);
	return rc;
}

/* Rates take two readings. Should isari go in between, the first one is what there is to show. */
static int once(const struct addr *a, const struct choices *c, struct top_model *first,
		int64_t read_ms)
{
	struct top_model second = {0};
	int rc;

	poll(NULL, 0, (int)c->delay_ms);
	if (read_once(a, c->socket, &second) == 0) {
		top_rates(&second, first, clock_ms() - read_ms, 0);
		rc = print_frame(&second);
	} else {
		print_frame(first);
		rc = EXIT_FAILURE;
	}
	top_model_fini(&second);
	top_model_fini(first);
	return rc;
}

int top_main(int argc, char **argv)
{
	struct choices c = {.socket = CTL_DEFAULT_SOCKET, .delay_ms = 1000};
	struct top_model m = {0};
	struct addr a;
	struct err e;
	int64_t read_ms;

	if (argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0))
		return usage(stdout);
	if (parse_options(argc, argv, &c) < 0)
		return EXIT_USAGE;
	if (ctl_parse_socket(&a, c.socket, &e) < 0) {
		fprintf(stderr, "isari top: %s: %s\n", c.socket, e.text);
		return EXIT_USAGE;
	}
	if (read_once(&a, c.socket, &m) < 0) {
		top_model_fini(&m);
		return EXIT_FAILURE;
	}
	read_ms = clock_ms();
	if (c.once || !terminal_is_there())
		return once(&a, &c, &m, read_ms);
	return top_live(&a, c.delay_ms, &m, read_ms);
}
