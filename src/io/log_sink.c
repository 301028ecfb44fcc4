/* Where log lines go: one descriptor, and never a wait for whoever reads it.
 *
 * What goes wrong: the reader is slow or gone, or a file's writer is behind (log_writer.h): the
 * lines are dropped and counted, the next that pass are preceded by event=log_lines_dropped. Only a
 * part was taken: the rest is kept and goes first. Not here: what a line looks like (log_line.c).
 * Any thread. */
#include "io/log_sink.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/log_writer.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NOTICE_BYTES = LOG_NOTICE_BYTES,
	BATCH_BYTES = sizeof(((struct log_batch *)0)->text),
	PATIENCE_MS = 1000, /* for a file, at the end */
};

_Static_assert(NOTICE_BYTES + BATCH_BYTES <= PIPE_BUF, "a pipe takes it whole or not at all");
_Static_assert(LOG_FROM_BYTES + 96 <= NOTICE_BYTES, "a notice with the longest prefix");

static struct log_style plain = {.least = SEVERITY_INFO, .shape = LOG_TEXT};

/* The one global of this floor: a log line has no better way to its sink than the process. */
static struct {
	pthread_mutex_t lock;
	_Atomic(struct log_style *) style;
	int fd;      /* where to write */
	int own_fd;  /* -1, or `fd` opened a second time for ourselves */
	bool socket; /* send() with MSG_DONTWAIT, the descriptor's flags stay as they are */
	bool ask;    /* poll() first: it may block, whatever was set */
	struct log_writer *writer; /* a regular file's; NULL: written by who has a line */
	uint64_t dropped, announced;
	size_t n_rest; /* the part of a line that a terminal or a socket did not take */
	char rest[BATCH_BYTES + NOTICE_BYTES];
} sink = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.style = &plain,
	.fd = STDERR_FILENO,
	.ask = true,
	.own_fd = -1,
};

/* ---- opening ---- */

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

/* systemd names the stream that it made; whoever inherits the variable may write elsewhere. */
static bool is_journal(int fd)
{
	const char *name = getenv("JOURNAL_STREAM");
	char text[48];
	struct stat st;

	if (name == NULL || fstat(fd, &st) < 0)
		return false;
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(name, text) == 0;
}

static void say_from(char *out, size_t n, const char *tag)
{
	char host[64];

	if (gethostname(host, sizeof(host)) < 0)
		str_copy(host, sizeof(host), "localhost");
	host[sizeof(host) - 1] = '\0';
	snprintf(out, n, " %s %.32s[%d]: ", host, tag ? tag : "isari", (int)getpid());
}

static void set_style(const struct log_options *o)
{
	struct log_style *style = xcalloc(1, sizeof(*style));

	style->least = o->least;
	style->shape = o->shape;
	style->journal = is_journal(sink.fd);
	say_from(style->from, sizeof(style->from), o->tag);
	style->before = sink.style;
	sink.style = style;
}

void log_set(const struct log_options *o)
{
	pthread_mutex_lock(&sink.lock);
	set_style(o);
	pthread_mutex_unlock(&sink.lock);
}

static void use(int fd)
{
	struct stat st = {0};

	sink.fd = fd;
	sink.n_rest = 0;
	sink.dropped = sink.announced = 0;
	fstat(fd, &st);
	sink.socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || isatty(fd))
		sink.own_fd = open_nonblocking(fd);
	if (S_ISREG(st.st_mode)) /* a second description of it would have its own offset */
		sink.writer = log_writer_start(fd);
	if (sink.own_fd >= 0)
		sink.fd = sink.own_fd;
	sink.ask = sink.own_fd < 0 && !S_ISREG(st.st_mode);
}

static void let_go(void)
{
	if (sink.own_fd >= 0)
		close(sink.own_fd);
	sink.own_fd = -1;
	if (sink.writer)
		log_writer_stop(sink.writer, PATIENCE_MS);
	sink.writer = NULL;
}

void log_open(int fd, const struct log_options *o)
{
	pthread_mutex_lock(&sink.lock);
	let_go();
	use(fd);
	set_style(o);
	pthread_mutex_unlock(&sink.lock);
}

static void forget_styles(void)
{
	struct log_style *s = sink.style;

	sink.style = &plain;
	while (s != &plain) {
		struct log_style *before = s->before;

		free(s);
		s = before;
	}
}

void log_close(void)
{
	pthread_mutex_lock(&sink.lock);
	let_go();
	forget_styles();
	sink.fd = STDERR_FILENO;
	sink.socket = false;
	sink.ask = true;
	sink.n_rest = 0;
	pthread_mutex_unlock(&sink.lock);
}

const struct log_style *log_sink_style(void)
{
	return atomic_load_explicit(&sink.style, memory_order_acquire);
}

/* ---- writing ---- */

/* How many bytes the sink took; 0 when it would block or is broken. */
static size_t sink_write(const char *data, size_t len)
{
	struct pollfd p = {.fd = sink.fd, .events = POLLOUT};
	ssize_t n;

	if (sink.writer)
		return log_writer_put(sink.writer, data, len) ? len : 0;
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

	log_line_begin(&notice, log_sink_style(), SEVERITY_WARNING, "log_lines_dropped");
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
