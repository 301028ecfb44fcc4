/* `isari ctl`: send one command line to the stats socket, print the reply, say by the exit code
 * whether it worked.
 * Not here: the socket (io/ctl_client.h), which replies are errors (admin/replies.h). */
#include "main/ctl.h"
#include "admin/replies.h"
#include "base/addr.h"
#include "base/str.h"
#include "io/ctl_client.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, CTL_TIMEOUT_MS = 5000 };

static int usage(FILE *to)
{
	fprintf(to,
		"usage: isari ctl [-s SOCKET] COMMAND...   (default socket %s; try: isari ctl "
		"help)\n",
		CTL_DEFAULT_SOCKET);
	return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

/* Index of the first word of the command, or -1. */
static int parse_options(int argc, char **argv, const char **socket)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		if (strncmp(argv[i], "-s", 2) != 0)
			return -1;
		if (argv[i][2])
			*socket = argv[i] + 2;
		else if (++i < argc)
			*socket = argv[i];
		else
			return -1;
	}
	return i;
}

static void join_words(char **words, int n, struct buf *line)
{
	for (int i = 0; i < n; i++)
		buf_printf(line, "%s%s", i ? " " : "", words[i]);
}

/* Without the empty line that ends the last reply; errors go to stderr. */
static int print_reply(struct buf *reply)
{
	bool failed = reply_has_error(reply->data);
	FILE *out = failed ? stderr : stdout;
	size_t len = reply->len;

	if (len > 0 && reply->data[len - 1] == '\n')
		len--;
	if (fwrite(reply->data, 1, len, out) != len || fflush(out) != 0) {
		fprintf(stderr, "isari ctl: cannot write the reply\n");
		return EXIT_FAILURE;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int ask(const struct addr *a, const char *line)
{
	struct buf reply = {0};
	struct err e;
	int rc = ctl_client_ask(a, line, CTL_TIMEOUT_MS, &reply, &e);

	if (rc < 0) {
		fprintf(stderr, "isari ctl: %s\n", e.text);
		buf_fini(&reply);
		return EXIT_FAILURE;
	}
	if (reply.len > 0) {
		rc = print_reply(&reply);
	} else {
		fprintf(stderr, "isari ctl: the server closed without a reply\n");
		rc = EXIT_FAILURE;
	}
	buf_fini(&reply);
	return rc;
}

int ctl_parse_socket(struct addr *a, const char *text, struct err *e)
{
	if (!strchr(text, '/') && strchr(text, ':'))
		return addr_parse(a, text, 0, e);
	*a = (struct addr){.kind = ADDR_UNIX};
	if (!*text || !str_copy(a->host, sizeof(a->host), text))
		return err_set(e, -EINVAL, "not the path of a socket");
	return 0;
}

int ctl_main(int argc, char **argv)
{
	const char *socket = CTL_DEFAULT_SOCKET;
	struct buf line = {0};
	struct addr a;
	struct err e;
	int first = parse_options(argc, argv, &socket);

	if (argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0))
		return usage(stdout);
	if (first < 0 || first >= argc)
		return usage(stderr);
	if (ctl_parse_socket(&a, socket, &e) < 0) {
		fprintf(stderr, "isari ctl: %s: %s\n", socket, e.text);
		return EXIT_USAGE;
	}
	join_words(argv + first, argc - first, &line);
	if (strchr(line.data, '\n')) {
		fprintf(stderr, "isari ctl: a command is one line\n");
		buf_fini(&line);
		return EXIT_USAGE;
	}
	int rc = ask(&a, line.data);
	buf_fini(&line);
	return rc;
}
