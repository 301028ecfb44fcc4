/* Where log lines go: one descriptor, and never a wait for whoever reads it.
 *
 * What goes wrong: the reader is slow or gone (the lines are dropped and counted, the next that
 * pass are preceded by event=log_lines_dropped), only a part was taken (the rest is kept and goes
 * first). Not here: what a line looks like (log.c). Any thread. */
#include "io/log_sink.h"
#include "base/assert.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTICE_BYTES = LOG_NOTICE_BYTES, BATCH_BYTES = sizeof(((struct log_batch *)0)->text) };

_Static_assert(NOTICE_BYTES + BATCH_BYTES <= PIPE_BUF, "a pipe takes it whole or not at all");

/* The one global of this floor: a log line has no better way to its sink than the process. */
static struct {
	pthread_mutex_t lock;
	int fd;      /* where to write */
	int own_fd;  /* -1, or `fd` opened a second time for ourselves */
	bool socket; /* send() with MSG_DONTWAIT, the descriptor's flags stay as they are */
	bool ask;    /* poll() first: it may block, whatever was set */
	bool json;
	enum severity least;
	uint64_t dropped, announced;
	size_t n_rest; /* the part of a line that a terminal or a socket did not take */
	char rest[BATCH_BYTES + NOTICE_BYTES];
} sink = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = STDERR_FILENO,
	.ask = true,
	.own_fd = -1,
	.least = SEVERITY_INFO,
};

/* Standard error is seldom ours alone: the shell, `tee`'s other writers and our own children share
 * its open file description, and O_NONBLOCK set there would make *their* writes fail. A pipe or a
 * terminal can be opened a second time through /proc, which gives a description of our own. Only
 * where that is refused (a pipe of another user) is the shared one changed: a blocked proxy is
 * worse than a neighbour's EAGAIN. */
static int open_nonblocking(int fd)
{
	char path[40];
	int own, flags;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own >= 0)
		return own;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return -1;
}

void log_open(int fd, enum severity least, bool json)
{
	struct stat st = {0};

	pthread_mutex_lock(&sink.lock);
	if (sink.own_fd >= 0)
		close(sink.own_fd);
	sink.own_fd = -1;
	sink.fd = fd;
	sink.least = least;
	sink.json = json;
	sink.n_rest = 0;
	sink.dropped = sink.announced = 0;
	fstat(fd, &st);
	sink.socket = S_ISSOCK(st.st_mode);
	/* A regular file never blocks, and a second description of it would have its own offset. */
	if (S_ISFIFO(st.st_mode) || isatty(fd))
		sink.own_fd = open_nonblocking(fd);
	if (sink.own_fd >= 0)
		sink.fd = sink.own_fd;
	sink.ask = sink.own_fd < 0 && !S_ISREG(st.st_mode);
	pthread_mutex_unlock(&sink.lock);
}

bool log_sink_takes(enum severity s)
{
	return s >= sink.least;
}

bool log_sink_is_json(void)
{
	return sink.json;
}

/* How many bytes the sink took; 0 when it would block or is broken. */
static size_t sink_write(const char *data, size_t len)
{
	struct pollfd p = {.fd = sink.fd, .events = POLLOUT};
	ssize_t n;

	if (sink.socket) {
		n = send(sink.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n > 0 ? (size_t)n : 0;
	}
	if (sink.ask && (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0))
		return 0;
	do
		n = write(sink.fd, data, len);
	while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

static bool flush_rest(void)
{
	size_t n = sink.n_rest ? sink_write(sink.rest, sink.n_rest) : 0;

	sink.n_rest -= n;
	memmove(sink.rest, sink.rest + n, sink.n_rest);
	return sink.n_rest == 0;
}

static bool sink_lines(const char *text, size_t len)
{
	size_t n;

	if (!flush_rest())
		return false;
	n = sink_write(text, len);
	if (n == 0)
		return false;
	sink.n_rest = len - n;
	memcpy(sink.rest, text + n, sink.n_rest);
	return true;
}

/* The notice and the lines go out in one write, which a pipe takes whole or not at all
 * (PIPE_BUF). */
static bool sink_with_notice(const char *lines, size_t len)
{
	char text[BATCH_BYTES + NOTICE_BYTES];
	struct log_line notice;

	log_line_begin(&notice, SEVERITY_WARNING, "log_lines_dropped");
	log_int(&notice, "count", (int64_t)(sink.dropped - sink.announced));
	log_line_end(&notice);
	INSIST(notice.len <= NOTICE_BYTES);
	memcpy(text, notice.text, notice.len);
	memcpy(text + notice.len, lines, len);
	return sink_lines(text, notice.len + len);
}

void log_sink_write(const char *text, size_t len, unsigned n_lines)
{
	pthread_mutex_lock(&sink.lock);
	if (sink.dropped == sink.announced) {
		if (!sink_lines(text, len))
			sink.dropped += n_lines;
	} else if (sink_with_notice(text, len)) {
		sink.announced = sink.dropped;
	} else {
		sink.dropped += n_lines;
	}
	pthread_mutex_unlock(&sink.lock);
}

uint64_t log_dropped(void)
{
	uint64_t n;

	pthread_mutex_lock(&sink.lock);
	n = sink.dropped;
	pthread_mutex_unlock(&sink.lock);
	return n;
}
