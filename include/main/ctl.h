#pragma once
/* `isari ctl [-s SOCKET] COMMAND...` */
#include "base/addr.h"

#define CTL_DEFAULT_SOCKET "/run/isari/isari.sock"

/* argv[0] is "ctl". Returns the exit code: 0, 1 (an error reply, or no server), 2 (usage). */
int ctl_main(int argc, char **argv);

/* What -s takes: a path, relative ones too, or host:port. 0 or -EINVAL. */
int ctl_parse_socket(struct addr *a, const char *text, struct err *e);
