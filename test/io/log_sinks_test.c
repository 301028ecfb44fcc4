/* Where log lines go: syslog's shape, the journal, a file, a full disk, a disk that stands still.
 * Not here: what a line of key=value or JSON looks like, pipes and sockets (log_test.c). */
#include "io/clock.h"
#include "io/log.h"
#include "io/log_writer.h"
#include "peer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char text[16 << 20];

static const char *read_all(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* ---- syslog ---- */

struct ends {
	int reads, writes;
};

static struct ends open_pipe(const struct log_options *o)
{
	struct ends e;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	e = (struct ends){fds[0], fds[1]};
	assert_int_equal(fcntl(e.reads, F_SETFL, O_NONBLOCK), 0);
	log_open(e.writes, o);
	return e;
}

static void close_pipe(struct ends e)
{
	log_close();
	close(e.reads);
	close(e.writes);
}

/* "Mon dd HH:MM:SS host tag[pid]: " of any moment; returns what follows. */
static const char *skip_syslog_head(const char *line, const char *tag)
{
	char month[4], host[65] = "", want[128], name[64];
	unsigned day, h, m, s;
	int at = 0;

	assert_int_equal(
		sscanf(line, "%3s %2u %2u:%2u:%2u %64s %n", month, &day, &h, &m, &s, host, &at), 6);
	assert_int_equal(line[6], ' ');
	gethostname(name, sizeof(name));
	assert_string_equal(host, name);
	snprintf(want, sizeof(want), "%s[%d]: ", tag, (int)getpid());
	assert_memory_equal(line + at, want, strlen(want));
	return line + at + strlen(want);
}

static void test_a_syslog_line_has_its_head_and_no_time_of_its_own(void **state)
{
	struct log_options o = {.shape = LOG_SYSLOG, .tag = "haproxy"};
	struct ends e = open_pipe(&o);
	struct log_line l;

	(void)state;
	assert_true(log_begin(&l, SEVERITY_WARNING, "member_down"));
	log_str(&l, "why", "two words");
	log_end(&l);
	assert_string_equal(skip_syslog_head(read_all(e.reads), "haproxy"),
			    "level=warning event=member_down why=\"two words\"\n");
	close_pipe(e);
}

static void test_a_sentence_is_taken_as_it_is_and_stays_one_line(void **state)
{
	struct log_options o = {.shape = LOG_SYSLOG, .tag = "pg"};
	struct ends e = open_pipe(&o);
	char longest[3000];
	struct log_line l;

	(void)state;
	assert_true(log_begin_sentence(&l, SEVERITY_INFO, "Server a/b is UP, info: \"x\".\n\xc3"));
	log_end(&l);
	assert_string_equal(skip_syslog_head(read_all(e.reads), "pg"),
			    "Server a/b is UP, info: \"x\".??\n");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_true(log_begin_sentence(&l, SEVERITY_INFO, longest));
	log_end(&l);
	assert_in_range(strlen(read_all(e.reads)), 1000, 1024);
	assert_int_equal(count("\n"), 1);
	close_pipe(e);
}

static void test_a_sentence_below_the_level_is_not_begun(void **state)
{
	struct log_options o = {.shape = LOG_SYSLOG, .least = SEVERITY_WARNING};
	struct ends e = open_pipe(&o);
	struct log_line l;

	(void)state;
	assert_false(log_begin_sentence(&l, SEVERITY_INFO, "not this"));
	assert_string_equal(read_all(e.reads), "");
	close_pipe(e);
}

static void test_options_change_while_the_sink_stays(void **state)
{
	struct log_options o = {.shape = LOG_TEXT};
	struct ends e = open_pipe(&o);

	(void)state;
	assert_int_equal(log_shape(), LOG_TEXT);
	o = (struct log_options){.least = SEVERITY_WARNING, .shape = LOG_SYSLOG, .tag = "other"};
	log_set(&o);
	assert_int_equal(log_shape(), LOG_SYSLOG);
	log_msg(SEVERITY_INFO, "e", "below the level now");
	log_msg(SEVERITY_ERROR, "e", "heard");
	assert_string_equal(skip_syslog_head(read_all(e.reads), "other"),
			    "level=error event=e msg=heard\n");
	close_pipe(e);
}

/* The longest prefix there can be still leaves room for the notice and a full batch. */
static void test_the_notice_of_dropped_lines_has_a_head_too(void **state)
{
	struct log_options o = {.shape = LOG_SYSLOG, .tag = "a-tag-of-exactly-thirty-two-byte"};
	struct ends e = open_pipe(&o);
	uint64_t lost;
	char want[64];

	(void)state;
	for (int i = 0; i < 5000; i++)
		log_msg(SEVERITY_INFO, "e", "line %d of a flood that nobody reads", i);
	lost = log_dropped();
	assert_in_range(lost, 1, 4999);
	read_all(e.reads);
	log_msg(SEVERITY_INFO, "e", "heard again");
	snprintf(want, sizeof(want), "level=warning event=log_lines_dropped count=%llu\n",
		 (unsigned long long)lost);
	read_all(e.reads);
	assert_memory_equal(skip_syslog_head(text, o.tag), want, strlen(want));
	assert_int_equal(count("\n"), 2);
	close_pipe(e);
}

static void test_local_times_look_as_they_always_did(void **state)
{
	char out[CLOCK_HAPROXY_BYTES];

	(void)state;
	setenv("TZ", "UTC+3", 1); /* three hours behind */
	tzset();
	assert_string_equal(clock_syslog_text(1793615400, out, sizeof(out)), "Nov  2 07:30:00");
	assert_string_equal(clock_haproxy_text(1793615400007, out, sizeof(out)),
			    "02/Nov/2026:07:30:00.007");
	unsetenv("TZ");
	tzset();
}

/* ---- the journal ---- */

static struct ends open_journal(const struct log_options *o, bool ours)
{
	struct ends e;
	struct stat st;
	char name[64];
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	e = (struct ends){fds[0], fds[1]};
	assert_int_equal(fcntl(e.reads, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fstat(e.writes, &st), 0);
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino + (ours ? 0 : 1));
	setenv("JOURNAL_STREAM", name, 1);
	log_open(e.writes, o);
	unsetenv("JOURNAL_STREAM");
	return e;
}

static void test_the_journal_gets_priorities_and_no_time_in_syslogs_shape(void **state)
{
	struct log_options o = {.shape = LOG_SYSLOG, .tag = "haproxy"};
	struct ends e = open_journal(&o, true);
	struct log_line l;

	(void)state;
	for (enum severity s = SEVERITY_DEBUG; s <= SEVERITY_ERROR; s++)
		log_msg(s, "e", "words");
	assert_true(log_begin_sentence(&l, SEVERITY_INFO, "a sentence"));
	log_end(&l);
	assert_string_equal(read_all(e.reads), "<7>level=debug event=e msg=words\n"
					       "<6>level=info event=e msg=words\n"
					       "<4>level=warning event=e msg=words\n"
					       "<3>level=error event=e msg=words\n"
					       "<6>a sentence\n");
	close_pipe(e);
}

static void test_every_shape_has_a_priority_in_the_journal(void **state)
{
	struct log_options o = {.shape = LOG_TEXT};
	struct ends e = open_journal(&o, true);

	(void)state;
	log_msg(SEVERITY_ERROR, "e", "words");
	assert_memory_equal(read_all(e.reads), "<3>time=20", 10);
	close_pipe(e);
	o.shape = LOG_JSON;
	e = open_journal(&o, true);
	log_msg(SEVERITY_INFO, "e", "words");
	assert_memory_equal(read_all(e.reads), "<6>{\"time\":\"20", 14);
	assert_non_null(strstr(text, "\"event\":\"e\",\"msg\":\"words\"}\n"));
	close_pipe(e);
}

/* A child of a service inherits the variable, and writes into its own pipe. */
static void test_another_streams_name_is_not_believed(void **state)
{
	struct log_options o = {.shape = LOG_TEXT};
	struct ends e = open_journal(&o, false);

	(void)state;
	log_msg(SEVERITY_ERROR, "e", "words");
	assert_memory_equal(read_all(e.reads), "time=20", 7);
	close_pipe(e);
}

/* Each line of a batch has its own. */
static void test_a_batch_in_the_journal(void **state)
{
	struct log_options o = {.shape = LOG_SYSLOG};
	struct ends e = open_journal(&o, true);
	struct log_batch b = {0};
	struct log_line l;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(log_begin_sentence(&l, SEVERITY_INFO, "one of three"));
		log_end_later(&l, &b);
	}
	log_flush(&b);
	assert_string_equal(read_all(e.reads),
			    "<6>one of three\n<6>one of three\n<6>one of three\n");
	close_pipe(e);
}

/* ---- a file, and a disk that is full ---- */

static struct rlimit limit_files(rlim_t bytes)
{
	struct rlimit before, now;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	now = before;
	now.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	return before;
}

/* A file that may not grow is a disk that is full, and its SIGXFSZ would end a careless process.
 * Nothing is lost unseen: what is not in the file is in the count, and no line is torn. */
static void test_a_full_disk_costs_lines_that_are_counted_and_it_recovers(void **state)
{
	char path[] = "/tmp/isari-log-XXXXXX";
	struct log_options o = {.shape = LOG_TEXT};
	int fd = mkostemp(path, O_APPEND), n = 0;
	struct rlimit before;
	uint64_t lost;

	(void)state;
	log_open(fd, &o);
	before = limit_files(10000);
	while (log_dropped() == 0 && n < 100000)
		log_msg(SEVERITY_INFO, "e", "line %d", n++);
	assert_in_range(n, LOG_WRITER_RING_BYTES / 80, 99999);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	do { /* until a line finds room in the ring again */
		lost = log_dropped();
		usleep(LOG_WRITER_RETRY_MS * 1000 / 10); /* the rhythm of trying */
		log_msg(SEVERITY_INFO, "e", "line %d", n++);
	} while (log_dropped() != lost);
	log_close();
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	read_all(fd);
	assert_int_equal(count(" msg=\"line "), n - (int)lost);
	assert_int_equal(count("event=log_lines_dropped count="), 1);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_memory_equal(line, "time=20", 7);
	close(fd);
	unlink(path);
}

/* ---- a disk that stands still ---- */

/* A pipe that is full and blocks is to its writer what a stalled disk is. */
static struct ends blocking_pipe(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
	return (struct ends){fds[0], fds[1]};
}

static size_t fill(struct log_writer *w)
{
	static char piece[1000];
	size_t n = 0;

	memset(piece, 'x', sizeof(piece));
	while (log_writer_put(w, piece, sizeof(piece)))
		n += sizeof(piece);
	return n;
}

static void test_a_disk_that_stands_still_blocks_nobody_but_its_writer(void **state)
{
	struct ends e = blocking_pipe();
	struct log_writer *w = log_writer_start(e.writes);
	size_t n, got = 0;
	ssize_t more;

	(void)state;
	assert_non_null(w);
	n = fill(w); /* returning at all is the story */
	assert_in_range(n, LOG_WRITER_RING_BYTES - 1000, LOG_WRITER_RING_BYTES + 8192);
	while (got < n) { /* the disk wakes up: everything is there, in order */
		more = read(e.reads, text, sizeof(text));
		assert_true(more > 0);
		assert_int_equal(strspn(text, "x") >= (size_t)more, true);
		got += (size_t)more;
	}
	assert_true(log_writer_put(w, "end", 3));
	assert_int_equal(read(e.reads, text, sizeof(text)), 3);
	assert_true(log_writer_stop(w, 10000));
	close(e.reads);
	close(e.writes);
}

static void test_the_end_does_not_wait_for_such_a_disk(void **state)
{
	struct ends e = blocking_pipe();
	struct log_writer *w = log_writer_start(e.writes);
	size_t n;

	(void)state;
	n = fill(w);
	assert_true(n > 0);
	assert_false(log_writer_stop(w, 50));
	/* Its thread is on its own now, and ends with its last word. */
	close(e.reads);
}

static void test_what_is_in_the_ring_is_written_before_the_end(void **state)
{
	struct ends e = blocking_pipe();
	struct log_writer *w = log_writer_start(e.writes);

	(void)state;
	assert_true(log_writer_put(w, "last words\n", 11));
	assert_true(log_writer_stop(w, 10000));
	assert_int_equal(read(e.reads, text, sizeof(text)), 11);
	close(e.reads);
	close(e.writes);
}

static void test_the_ring_goes_round(void **state)
{
	char path[] = "/tmp/isari-log-XXXXXX";
	int fd = mkstemp(path);
	struct log_writer *w = log_writer_start(fd);
	char piece[7777];
	off_t n = 0;

	(void)state;
	while (n < 3 * LOG_WRITER_RING_BYTES) {
		memset(piece, 'a' + (int)(n / (off_t)sizeof(piece)) % 26, sizeof(piece));
		while (!log_writer_put(w, piece, sizeof(piece)))
			usleep(1000);
		n += (off_t)sizeof(piece);
	}
	assert_true(log_writer_stop(w, 10000));
	assert_int_equal(lseek(fd, 0, SEEK_END), n);
	for (off_t at = 0; at < n; at += (off_t)sizeof(piece)) {
		assert_int_equal(pread(fd, piece, sizeof(piece), at), sizeof(piece));
		for (size_t i = 0; i < sizeof(piece); i++)
			assert_int_equal(piece[i], 'a' + (at / (off_t)sizeof(piece)) % 26);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_syslog_line_has_its_head_and_no_time_of_its_own),
		cmocka_unit_test(test_a_sentence_is_taken_as_it_is_and_stays_one_line),
		cmocka_unit_test(test_a_sentence_below_the_level_is_not_begun),
		cmocka_unit_test(test_options_change_while_the_sink_stays),
		cmocka_unit_test(test_the_notice_of_dropped_lines_has_a_head_too),
		cmocka_unit_test(test_local_times_look_as_they_always_did),
		cmocka_unit_test(test_the_journal_gets_priorities_and_no_time_in_syslogs_shape),
		cmocka_unit_test(test_every_shape_has_a_priority_in_the_journal),
		cmocka_unit_test(test_another_streams_name_is_not_believed),
		cmocka_unit_test(test_a_batch_in_the_journal),
		cmocka_unit_test(test_a_full_disk_costs_lines_that_are_counted_and_it_recovers),
		cmocka_unit_test(test_a_disk_that_stands_still_blocks_nobody_but_its_writer),
		cmocka_unit_test(test_the_end_does_not_wait_for_such_a_disk),
		cmocka_unit_test(test_what_is_in_the_ring_is_written_before_the_end),
		cmocka_unit_test(test_the_ring_goes_round),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
