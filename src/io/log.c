/* One event, one line, on one descriptor, and never a wait for whoever reads it.
 *
 * The happy path: a line is built in the caller's struct log_line and written with one write().
 * What goes wrong: the reader is slow or gone (the line is dropped and counted, the next that
 * passes is preceded by event=log_lines_dropped), only a part was taken (the rest is kept and goes
 * first), a line is too long (values are cut with "...", keys that find no room are left out; the
 * line stays well-formed). Output is pure ASCII. */
#include "io/log.h"
#include "base/assert.h"
#include "io/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	TAIL_BYTES = sizeof("...\"}\n") -
		     1, /* always kept free: the end of a cut value and of the line */
	LINE_BYTES = sizeof(((struct log_line *)0)->text),
	NOTICE_BYTES = 160, /* the longest log_lines_dropped line */
};

/* The one global of this floor: a log line has no better way to its sink than the process. */
static struct {
	pthread_mutex_t lock;
	int fd;      /* where to write */
	int own_fd;  /* -1, or `fd` opened a second time for ourselves */
	bool socket; /* send() with MSG_DONTWAIT, the descriptor's flags stay as they are */
	bool json;
	enum severity least;
	uint64_t dropped, announced;
	size_t n_rest; /* the part of a line that a terminal or a socket did not take */
	char rest[LINE_BYTES + NOTICE_BYTES];
} sink = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = STDERR_FILENO,
	.own_fd = -1,
	.least = SEVERITY_INFO,
};

/* ---- the sink -------------------------------------------------------------------------------- */

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
	pthread_mutex_unlock(&sink.lock);
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
	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
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

static bool sink_line(const char *text, size_t len)
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

/* ---- building a line ------------------------------------------------------------------------- */

static size_t room(const struct log_line *l)
{
	return sizeof(l->text) - TAIL_BYTES - l->len;
}

static void put(struct log_line *l, const char *s, size_t n)
{
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

/* Decode one UTF-8 sequence; what is none is U+FFFD and one byte long. */
static size_t decode(const unsigned char *s, uint32_t *code)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {{0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

	for (size_t i = 0; i < 3; i++) {
		uint32_t c = s[0] & (unsigned char)~forms[i].mask;
		size_t n = 1;

		if ((s[0] & forms[i].mask) != forms[i].lead)
			continue;
		for (; n < i + 2 && (s[n] & 0xC0) == 0x80; n++)
			c = c << 6 | (s[n] & 0x3F);
		if (n < i + 2 || c < forms[i].least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
			break;
		*code = c;
		return n;
	}
	*code = 0xFFFD;
	return 1;
}

/* One character as it stands between quotes, in `out` (13 bytes); returns how many bytes of `s` it
 * was. The escapes are JSON's, in both formats: what reads logfmt knows them too. */
static size_t escape(const char *s, char *out)
{
	static const char plain[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
	unsigned char c = (unsigned char)*s;
	const char *special = strchr(plain, c);
	uint32_t code = c;
	size_t n = 1;

	if (special) {
		snprintf(out, 13, "\\%c", letter[special - plain]);
		return 1;
	}
	if (c >= ' ' && c < 0x7F) {
		snprintf(out, 13, "%c", c);
		return 1;
	}
	if (c >= 0x80)
		n = decode((const unsigned char *)s, &code);
	if (code < 0x10000)
		snprintf(out, 13, "\\u%04x", (unsigned)code);
	else
		snprintf(out, 13, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((code - 0x10000) >> 10)),
			 (unsigned)(0xDC00 + ((code - 0x10000) & 0x3FF)));
	return n;
}

static bool is_bare(const char *value)
{
	for (const char *p = value; *p; p++)
		if (*p <= ' ' || *p >= 0x7F || strchr("\"=\\", *p))
			return false;
	return *value != '\0';
}

/* Characters are taken whole, so that a cut never splits an escape; "..." says that there was
 * more. */
static void put_value(struct log_line *l, const char *value, bool quoted)
{
	char one[13];

	if (quoted)
		put(l, "\"", 1);
	while (*value) {
		size_t n = escape(value, one), len = strlen(one);

		if (len > room(l)) {
			put(l, "...", 3);
			break;
		}
		put(l, one, len);
		value += n;
	}
	if (quoted)
		put(l, "\"", 1);
}

/* False: no room for this key and a useful part of its value. Once a value was cut nothing follows
 * it. */
static bool put_key(struct log_line *l, const char *key)
{
	enum { USEFUL_BYTES = 16 };
	size_t n = strlen(key);

	if (l->len + n + USEFUL_BYTES > sizeof(l->text) - TAIL_BYTES)
		return false;
	if (l->json) {
		put(l, l->len ? ",\"" : "{\"", 2);
		put(l, key, n);
		put(l, "\":", 2);
	} else {
		if (l->len)
			put(l, " ", 1);
		put(l, key, n);
		put(l, "=", 1);
	}
	return true;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
	if (value && put_key(l, key))
		put_value(l, value, l->json || !is_bare(value));
}

void log_int(struct log_line *l, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)value);

	/* A number is never cut: half of one is a lie. */
	if ((size_t)n <= room(l) && strlen(key) + 4 + (size_t)n <= room(l) && put_key(l, key))
		put(l, text, (size_t)n);
}

__attribute__((format(printf, 3, 0))) static void log_vfmt(struct log_line *l, const char *key,
							   const char *format, va_list ap)
{
	char text[LINE_BYTES];

	vsnprintf(text, sizeof(text), format, ap);
	log_str(l, key, text);
}

void log_fmt(struct log_line *l, const char *key, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vfmt(l, key, format, ap);
	va_end(ap);
}

static void begin(struct log_line *l, enum severity s, const char *event)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	struct timespec t = clock_wall();
	char text[40];
	struct tm tm;

	l->len = 0;
	l->json = sink.json;
	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	log_fmt(l, "time", "%s.%03ldZ", text, t.tv_nsec / 1000000);
	log_str(l, "level", names[s]);
	log_str(l, "event", event);
}

bool log_begin(struct log_line *l, enum severity s, const char *event)
{
	if (s < sink.least)
		return false;
	begin(l, s, event);
	return true;
}

static void end(struct log_line *l)
{
	INSIST(l->len + 2 <= sizeof(l->text));
	if (l->json)
		put(l, "}", 1);
	put(l, "\n", 1);
}

/* The notice and the line go out in one write, which a pipe takes whole or not at all
 * (PIPE_BUF). */
static bool sink_with_notice(const struct log_line *l)
{
	char text[LINE_BYTES + NOTICE_BYTES];
	struct log_line notice;

	begin(&notice, SEVERITY_WARNING, "log_lines_dropped");
	log_int(&notice, "count", (int64_t)(sink.dropped - sink.announced));
	end(&notice);
	INSIST(notice.len <= NOTICE_BYTES);
	memcpy(text, notice.text, notice.len);
	memcpy(text + notice.len, l->text, l->len);
	return sink_line(text, notice.len + l->len);
}

void log_end(struct log_line *l)
{
	bool passed;

	end(l);
	pthread_mutex_lock(&sink.lock);
	if (sink.dropped == sink.announced) {
		passed = sink_line(l->text, l->len);
	} else {
		passed = sink_with_notice(l);
		if (passed)
			sink.announced = sink.dropped;
	}
	if (!passed)
		sink.dropped++;
	pthread_mutex_unlock(&sink.lock);
}

void log_msg(enum severity s, const char *event, const char *format, ...)
{
	struct log_line l;
	va_list ap;

	if (!log_begin(&l, s, event))
		return;
	va_start(ap, format);
	log_vfmt(&l, "msg", format, ap);
	va_end(ap);
	log_end(&l);
}

uint64_t log_dropped(void)
{
	uint64_t n;

	pthread_mutex_lock(&sink.lock);
	n = sink.dropped;
	pthread_mutex_unlock(&sink.lock);
	return n;
}
