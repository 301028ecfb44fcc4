/* Raw mode, the other screen, frames, and the way back from every end.
 *
 * The way back must be walked from signal handlers and from exit(): what it needs is one static
 * struct, and it calls only what a signal handler may (tcsetattr, write,
 * fcntl). */
#include "io/terminal.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The other screen, no cursor, no wrapping at the right edge; and all of that undone. */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
#define LEAVE "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"

enum { LAST_WRITE_MS = 200 };

struct terminal {
	int in, out;
	bool own; /* in and out are one descriptor of ours, which never blocks */
	bool escapes;
	int flags; /* of `in` before, where it is not our own */
	struct termios before;
	struct buf unsent;
};

/* ---- the way back ---- */

static const int fatal_signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
enum { N_FATAL = sizeof(fatal_signals) / sizeof(fatal_signals[0]) };

/* A signal handler finds what it needs nowhere else. */
static struct {
	volatile sig_atomic_t raw; /* the terminal is ours, and to be given back */
	int in, out, flags;
	bool escapes;
	struct termios before;
	struct sigaction handled_before[N_FATAL];
} way_back;

/* A stalled terminal gets a moment to take it; its settings come back even if it does not. */
static void write_leave(int fd)
{
	static const char leave[] = LEAVE;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	size_t done = 0;

	while (done < sizeof(leave) - 1 && poll(&p, 1, LAST_WRITE_MS) > 0) {
		ssize_t n = write(fd, leave + done, sizeof(leave) - 1 - done);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

static void go_back(void)
{
	if (!way_back.raw)
		return;
	way_back.raw = 0;
	if (way_back.escapes)
		write_leave(way_back.out);
	/* TCSAFLUSH would wait for a stalled terminal */
	tcflush(way_back.in, TCIFLUSH);
	tcsetattr(way_back.in, TCSANOW, &way_back.before);
	if (way_back.flags >= 0)
		fcntl(way_back.in, F_SETFL, way_back.flags);
}

/* Then it happens as it would have without us. */
static void on_fatal(int sig)
{
	int saved = errno;

	go_back();
	for (int i = 0; i < N_FATAL; i++)
		if (fatal_signals[i] == sig)
			sigaction(sig, &way_back.handled_before[i], NULL);
	raise(sig);
	errno = saved;
}

static void prepare_way_back(const struct terminal *t)
{
	struct sigaction sa = {.sa_handler = on_fatal};

	way_back.in = t->in;
	way_back.out = t->out;
	way_back.flags = t->own ? -1 : t->flags;
	way_back.escapes = t->escapes;
	way_back.before = t->before;
	for (int i = 0; i < N_FATAL; i++)
		sigaction(fatal_signals[i], &sa, &way_back.handled_before[i]);
	atexit(go_back);
}

static void forget_way_back(void)
{
	for (int i = 0; i < N_FATAL; i++)
		sigaction(fatal_signals[i], &way_back.handled_before[i], NULL);
}

/* ---- opening ---- */

bool terminal_is_there(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* The same terminal, opened anew. */
static int open_again(void)
{
	char name[256];
	int rc = ttyname_r(STDOUT_FILENO, name, sizeof(name));

	if (rc != 0)
		return -rc;
	rc = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return rc < 0 ? -errno : rc;
}

static int set_raw(const struct terminal *t)
{
	struct termios raw = t->before;

	/* Keys one by one and not shown; Ctrl-C, Ctrl-Z, Ctrl-S are keys. Output stays as it was:
	 * \n begins a line. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR | ISTRIP);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(t->in, TCSANOW, &raw) < 0 ? -errno : 0;
}

static void close_descriptors(struct terminal *t)
{
	if (t->own)
		close(t->in);
	buf_fini(&t->unsent);
	free(t);
}

int terminal_open(struct terminal **out, bool escapes)
{
	struct terminal *t = xcalloc(1, sizeof(*t));
	int rc;

	REQUIRE(!way_back.raw);
	t->escapes = escapes;
	t->in = t->out = open_again();
	t->own = t->in >= 0;
	if (!t->own) {
		t->in = STDIN_FILENO;
		t->out = STDOUT_FILENO;
		t->flags = fcntl(t->in, F_GETFL); /* uv_poll makes it non-blocking */
	}
	rc = tcgetattr(t->in, &t->before) < 0 ? -errno : 0;
	if (rc == 0) {
		prepare_way_back(t);
		rc = terminal_enter(t);
		if (rc < 0)
			forget_way_back();
	}
	if (rc < 0)
		close_descriptors(t);
	else
		*out = t;
	return rc;
}

int terminal_enter(struct terminal *t)
{
	int rc;

	way_back.raw = 1;
	rc = set_raw(t);
	if (rc < 0) {
		way_back.raw = 0;
		return rc;
	}
	return t->escapes ? terminal_show(t, ENTER, sizeof(ENTER) - 1) : 0;
}

void terminal_leave(struct terminal *t)
{
	buf_clear(&t->unsent);
	go_back();
}

void terminal_close(struct terminal *t)
{
	terminal_leave(t);
	forget_way_back();
	close_descriptors(t);
}

/* ---- size ---- */

static bool read_size(int fd, unsigned *columns, unsigned *rows)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) < 0 || w.ws_col == 0 || w.ws_row == 0)
		return false;
	*columns = w.ws_col;
	*rows = w.ws_row;
	return true;
}

void terminal_size(const struct terminal *t, unsigned *columns, unsigned *rows)
{
	if (read_size(t->out, columns, rows))
		return;
	*columns = 80;
	*rows = 24;
}

void terminal_output_size(unsigned *columns, unsigned *rows)
{
	if (!read_size(STDOUT_FILENO, columns, rows))
		*columns = *rows = 0;
}

/* ---- keys and frames ---- */

int terminal_descriptor(const struct terminal *t)
{
	return t->in;
}

ssize_t terminal_read(struct terminal *t, char *bytes, size_t n)
{
	ssize_t got = read(t->in, bytes, n);

	if (got > 0)
		return got;
	if (got == 0)
		return -EIO; /* raw keys have no end of file: it was hung up */
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int terminal_flush(struct terminal *t)
{
	while (t->unsent.len > 0) {
		ssize_t n = write(t->out, t->unsent.data, t->unsent.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n < 0)
			return -errno;
		buf_consume(&t->unsent, (size_t)n);
	}
	return 0;
}

int terminal_show(struct terminal *t, const char *frame, size_t n)
{
	buf_append(&t->unsent, frame, n);
	return terminal_flush(t);
}
