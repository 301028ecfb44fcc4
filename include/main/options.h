#pragma once
/* The command line, as values. One binary, several jobs. */
#include <stdbool.h>
#include <stdio.h>

enum job { JOB_RUN, JOB_CHECK, JOB_VERSION, JOB_CTL, JOB_TOP, JOB_HELP };

struct options {
	enum job job;
	const char *config_file; /* -f, default /etc/isari/isari.yaml */
	const char *pid_file;    /* -p, NULL: none */
	bool verbose;            /* -vv: libraries and build options */
	char **rest;             /* JOB_CTL, JOB_TOP: from that word on, NULL-terminated */
	int n_rest;
};

/* 0, or -EINVAL after one sentence on standard error (exit code 2). */
int options_parse(struct options *o, int argc, char **argv);
void options_usage(FILE *to);
void options_version(bool verbose);
