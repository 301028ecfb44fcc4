#pragma once
/* The listening socket of a line server: made, owned and permitted as the operator asked, or one
 * sentence why not. Blocks for no one: no names are looked up. */
#include "base/addr.h"
#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

struct line_bind {
	int fd; /* listening, non-blocking, close-on-exec; the caller's */
	/* A UNIX socket's file, so that only our own is unlinked at the end and not a
	 * successor's. */
	dev_t dev;
	ino_t ino;
};

int line_bind_open(struct line_bind *b, const struct addr *a, unsigned mode, const char *user,
		   const char *group, struct err *e);
void line_bind_unlink(const struct line_bind *b, const struct addr *a);
