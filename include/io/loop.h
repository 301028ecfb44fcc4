#pragma once
/* A uv loop that must end clean. */
#include <uv.h>

int loop_open(uv_loop_t *loop);
/* Every handle must have been asked to close. Runs the loop until the close callbacks are done,
 * names each handle that is still there on standard error, and aborts if there is one: a leak fails
 * the test that made it. */
void loop_close(uv_loop_t *loop, const char *owner);
