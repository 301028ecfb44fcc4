/* Pipes between sockets. Not here: when bytes are worth one (io/pump.c). */
#include "io/splice.h"
#include "base/assert.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PASS_AFTER_REFUSAL = 1000 };

static void pipe_close(struct pipe *p)
{
	close(p->out);
	close(p->in);
	free(p);
}

/* Beyond fs.pipe-user-pages-soft the kernel makes pipes of one or two pages, and refuses larger
 * ones. */
static struct pipe *pipe_make(void)
{
	struct pipe *p = malloc(sizeof(*p));
	int fds[2];

	if (p == NULL || pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) {
		free(p);
		return NULL;
	}
	*p = (struct pipe){.out = fds[0], .in = fds[1]};
	if (fcntl(p->in, F_SETPIPE_SZ, PIPE_BYTES) >= PIPE_BYTES ||
	    fcntl(p->in, F_SETPIPE_SZ, PIPE_LEAST_BYTES) >= PIPE_LEAST_BYTES)
		return p;
	pipe_close(p);
	return NULL;
}

struct pipe *pipes_take(struct pipes *p)
{
	struct pipe *made;

	if (p->n_idle > 0)
		return p->idle[--p->n_idle];
	if (p->n_made == PIPES_MOST)
		return NULL;
	if (p->n_pass > 0) {
		p->n_pass--;
		return NULL;
	}
	made = pipe_make();
	if (made)
		p->n_made++;
	else
		p->n_pass = PASS_AFTER_REFUSAL;
	return made;
}

void pipes_give_back(struct pipes *p, struct pipe *pipe)
{
	if (pipe->held == 0) {
		p->idle[p->n_idle++] = pipe;
		return;
	}
	pipe_close(pipe);
	p->n_made--;
}

void pipes_fini(struct pipes *p)
{
	REQUIRE(p->n_idle == p->n_made);
	while (p->n_idle > 0)
		pipe_close(p->idle[--p->n_idle]);
	p->n_made = 0;
}

static ssize_t move(int from, int to, size_t most)
{
	ssize_t n;

	do
		n = splice(from, NULL, to, NULL, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t pipe_fill(struct pipe *p, int source, size_t most)
{
	ssize_t n;

	REQUIRE(p->held == 0 && most > 0);
	n = move(source, p->in, most);
	if (n > 0)
		p->held = (size_t)n;
	return n;
}

ssize_t pipe_drain(struct pipe *p, int sink)
{
	ssize_t n;

	REQUIRE(p->held > 0);
	n = move(p->out, sink, p->held);
	if (n > 0)
		p->held -= (size_t)n;
	return n;
}

void pipe_empty(struct pipe *p, char *out)
{
	while (p->held > 0) {
		ssize_t got = read(p->out, out, p->held);

		INSIST(got > 0); /* what it holds is there, and nobody else reads it */
		out += got;
		p->held -= (size_t)got;
	}
}
