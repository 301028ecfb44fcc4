/* Read the command line. */
#include "main/options.h"
#include "base/buf.h"
#include "io/libraries.h"
#include "wire/libraries.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#ifdef __clang__
#define COMPILER __VERSION__ /* with its name */
#else
#define COMPILER "gcc " __VERSION__
#endif

void options_usage(FILE *to)
{
	fputs("usage: isari [-f FILE] [-p PIDFILE]   run in the foreground (default "
	      "/etc/isari/isari.yaml)\n"
	      "       isari -c [-f FILE]            check the file and exit\n"
	      "       isari -v | -vv                version | libraries and build options\n"
	      "       isari ctl [-s SOCKET] COMMAND...\n"
	      "                                     send a command to the stats socket\n"
	      "       isari top [-s SOCKET] [-d SECONDS] [-1]\n"
	      "                                     live view in a terminal; -1: once, as text\n",
	      to);
}

void options_version(bool verbose)
{
	struct buf b = {0};

	printf("isari %s\n", ISARI_VERSION);
	if (!verbose)
		return;
	io_libraries(&b);
	wire_libraries(&b);
	printf("%sbuilt with %s\noptions: %s\n", b.data, COMPILER, ISARI_OPTIONS);
	buf_fini(&b);
}

static int misuse(const char *what, const char *word)
{
	fprintf(stderr, "isari: %s%s; see isari -h\n", what, word);
	return -EINVAL;
}

/* `word`: the one with this flag, which may be a long option that does not exist. */
static int take_flag(struct options *o, int flag, const char *word, unsigned *n_v)
{
	switch (flag) {
	case 'f': o->config_file = optarg; return 0;
	case 'p': o->pid_file = optarg; return 0;
	case 'c': o->job = JOB_CHECK; return 0;
	case 'v':
		o->job = JOB_VERSION;
		o->verbose = ++*n_v > 1;
		return 0;
	case 'h': o->job = JOB_HELP; return 0;
	case ':': return misuse("this option needs a value: ", (char[]){'-', (char)optopt, '\0'});
	default:
		if (word[1] == '-')
			return misuse("unknown option ", word);
		return misuse("unknown option ", (char[]){'-', (char)optopt, '\0'});
	}
}

int options_parse(struct options *o, int argc, char **argv)
{
	unsigned n_v = 0;
	int at, flag, rv;

	*o = (struct options){.job = JOB_RUN, .config_file = "/etc/isari/isari.yaml"};
	if (argc > 1 && (strcmp(argv[1], "ctl") == 0 || strcmp(argv[1], "top") == 0)) {
		o->job = argv[1][0] == 'c' ? JOB_CTL : JOB_TOP;
		o->rest = argv + 1;
		o->n_rest = argc - 1;
		return 0;
	}
	opterr = 0;
	while (at = optind, (flag = getopt(argc, argv, "+:f:p:cvh")) != -1) {
		rv = take_flag(o, flag, argv[at], &n_v);
		if (rv < 0)
			return rv;
	}
	if (optind < argc)
		return misuse("unknown word ", argv[optind]);
	return 0;
}
