/* isari: one binary, several jobs. Exit codes: 0 fine, 1 the input or the world is at fault, 2
 * usage. */
#include "base/buf.h"
#include "main/ctl.h"
#include "main/load_config.h"
#include "main/options.h"
#include "main/process.h"
#include "main/top.h"
#include <stdio.h>

static int run(const struct options *o)
{
	struct process p;
	int rv = process_boot(&p, o);

	if (rv == 0)
		process_run(&p);
	process_fini(&p);
	return rv == 0 ? 0 : 1;
}

static int check(const struct options *o)
{
	struct buf faults = {0};
	struct config *config = load_config(o->config_file, &faults);

	if (config)
		puts("Configuration file is valid");
	else
		fputs(faults.data, stderr);
	buf_fini(&faults);
	config_unref(config);
	return config ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct options o;

	if (options_parse(&o, argc, argv) < 0)
		return 2;
	switch (o.job) {
	case JOB_RUN: return run(&o);
	case JOB_CHECK: return check(&o);
	case JOB_CTL: return ctl_main(o.n_rest, o.rest);
	case JOB_TOP: return top_main(o.n_rest, o.rest);
	case JOB_VERSION: options_version(o.verbose); return 0;
	case JOB_HELP: options_usage(stdout); return 0;
	}
	return 2;
}
