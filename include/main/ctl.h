#pragma once
/* `isari ctl [-s SOCKET] COMMAND...` */

#define CTL_DEFAULT_SOCKET "/run/isari/isari.sock"

/* argv[0] is "ctl". Returns the exit code: 0, 1 (an error reply, or no server), 2 (usage). */
int ctl_main(int argc, char **argv);
