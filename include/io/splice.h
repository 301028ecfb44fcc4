#pragma once
/* Bytes from socket to socket through a pipe, without a copy of ours (splice(2)), and the few pipes
 * of a thread. One thread.
 *
 * A pipe is filled only while it is empty, so EAGAIN then means that the source is; it is given
 * back empty, or closed with what it holds. There may be none (limits of descriptors, of the user's
 * pipe pages): then bytes are copied, which always works. */
#include <stddef.h>
#include <sys/types.h>

enum {
	PIPE_BYTES =
		1024 * 1024, /* of 256 kB a burst costs a sixth more; the kernel's default limit */
	PIPE_LEAST_BYTES = 256 * 1024, /* when there are not so many pages for us */
	PIPES_MOST = 16,               /* of a thread */
};

struct pipe {
	int out, in; /* read here what was written there */
	size_t held;
};

struct pipes {
	struct pipe *idle[PIPES_MOST];
	unsigned n_idle, n_made;
	unsigned n_pass; /* none was to be had: so many askers go without before the next try */
};

/* An empty pipe, or NULL. */
struct pipe *pipes_take(struct pipes *p);
void pipes_give_back(struct pipes *p, struct pipe *pipe);
void pipes_fini(struct pipes *p); /* all were given back */

/* Bytes moved; 0: the source's end (fill), or negative errno. -EAGAIN: nothing to take, no room. */
ssize_t pipe_fill(struct pipe *p, int source, size_t most);
ssize_t pipe_drain(struct pipe *p, int sink);
void pipe_empty(struct pipe *p, char *out); /* into memory for all that it holds */
