/* What a log line looks like, and that nobody ever waits for its reader. */
#include "io/log.h"
#include "peer.h"
#include <fcntl.h>
#include <sys/stat.h>

struct sink {
	int read_fd, write_fd;
	char text[1 << 20];
	size_t len;
};

/* One at a time is enough, and it is too big for a stack. */
static struct sink sink;

static struct log_options options(enum severity least, enum log_shape shape)
{
	return (struct log_options){.least = least, .shape = shape};
}

static void open_pipe(enum severity least, enum log_shape shape)
{
	struct log_options o = options(least, shape);

	int fds[2];

	memset(&sink, 0, sizeof(sink));
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink.read_fd = fds[0];
	sink.write_fd = fds[1];
	assert_int_equal(fcntl(sink.read_fd, F_SETFL, O_NONBLOCK), 0);
	log_open(sink.write_fd, &o);
}

static void read_all(void)
{
	ssize_t n;

	sink.len = 0;
	while ((n = read(sink.read_fd, sink.text + sink.len, sizeof(sink.text) - 1 - sink.len)) > 0)
		sink.len += (size_t)n;
	sink.text[sink.len] = '\0';
}

static void close_pipe(void)
{
	log_close();
	close(sink.read_fd);
	close(sink.write_fd);
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static void assert_is_ascii(const char *text)
{
	for (; *text; text++)
		assert_true((*text >= ' ' && *text < 0x7F) || *text == '\n');
}

static const char *log_one(const char *value)
{
	struct log_line l;

	assert_true(log_begin(&l, SEVERITY_INFO, "e"));
	log_str(&l, "v", value);
	log_end(&l);
	read_all();
	assert_is_ascii(sink.text);
	assert_int_equal(count_lines(sink.text), 1);
	assert_non_null(strstr(sink.text, "v"));
	return sink.text + sizeof("time=2026-11-20T09:30:00.123Z level=info event=e ") - 1;
}

static void test_a_text_line_is_time_level_event_and_pairs(void **state)
{
	struct log_line l;
	unsigned year, ms;

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	assert_true(log_begin(&l, SEVERITY_WARNING, "primary_changed"));
	log_str(&l, "cluster", "main");
	log_str(&l, "from", NULL); /* nothing to say: left out */
	log_int(&l, "timeline", -7);
	log_fmt(&l, "why", "%s has %d", "n1", 3);
	log_end(&l);
	read_all();
	assert_int_equal(sscanf(sink.text, "time=%4u-%*2u-%*2uT%*2u:%*2u:%*2u.%3uZ ", &year, &ms),
			 2);
	assert_in_range(year, 2020, 9999);
	assert_string_equal(
		strchr(sink.text, ' '),
		" level=warning event=primary_changed cluster=main timeline=-7 why=\"n1 has 3\"\n");
	close_pipe();
}

static void test_values_are_quoted_and_escaped_when_they_must_be(void **state)
{
	static const struct {
		const char *value, *line;
	} rows[] = {
		{"plain-10.0.0.1:5432", "v=plain-10.0.0.1:5432\n"},
		{"", "v=\"\"\n"},
		{"two words", "v=\"two words\"\n"},
		{"a=b", "v=\"a=b\"\n"},
		{"say \"hi\"", "v=\"say \\\"hi\\\"\"\n"},
		{"C:\\x", "v=\"C:\\\\x\"\n"},
		{"line\nline\r\t\x1b[31m", "v=\"line\\nline\\r\\t\\u001b[31m\"\n"},
		{"\x7f", "v=\"\\u007f\"\n"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98",
		 "v=\"caf\\u00e9 \\u20ac \\ud83d\\udc18\"\n"},
		{"bad \xff \xc3", "v=\"bad \\ufffd \\ufffd\"\n"},
		{"overlong \xc0\xaf surrogate \xed\xa0\x80",
		 "v=\"overlong \\ufffd\\ufffd surrogate \\ufffd\\ufffd\\ufffd\"\n"},
	};

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(log_one(rows[i].value), rows[i].line);
	close_pipe();
}

static void test_json_is_one_object_per_line(void **state)
{
	struct log_line l;

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_JSON);
	assert_true(log_begin(&l, SEVERITY_ERROR, "session_end"));
	log_str(&l, "reason", "fenced: \"n1\"\n");
	log_int(&l, "bytes", INT64_MAX);
	log_str(&l, "client", "");
	log_end(&l);
	read_all();
	assert_memory_equal(sink.text, "{\"time\":\"20", 11);
	assert_string_equal(strstr(sink.text, ",\"level\""),
			    ",\"level\":\"error\",\"event\":\"session_end\",\"reason\":\"fenced: "
			    "\\\"n1\\\"\\n\",\"bytes\":9223372036854775807,\"client\":\"\"}\n");
	close_pipe();
}

static void test_lines_below_the_level_are_not_begun(void **state)
{
	struct log_line l;

	(void)state;
	open_pipe(SEVERITY_WARNING, LOG_TEXT);
	assert_false(log_begin(&l, SEVERITY_DEBUG, "e"));
	assert_false(log_begin(&l, SEVERITY_INFO, "e"));
	log_msg(SEVERITY_INFO, "e", "not this");
	log_msg(SEVERITY_WARNING, "e", "but %s", "this");
	read_all();
	assert_int_equal(count_lines(sink.text), 1);
	assert_non_null(strstr(sink.text, "level=warning event=e msg=\"but this\"\n"));
	close_pipe();
}

/* Quotes are closed, escapes are whole, and braces too, wherever the cut falls. */
static void assert_well_formed(const char *line, bool json)
{
	bool quoted = false;

	for (const char *p = line; *p; p++) {
		if (quoted && *p == '\\') {
			size_t n = p[1] == 'u' ? 6 : 2;

			assert_true(strlen(p) > n);
			assert_non_null(strchr("\"\\nrtu", p[1]));
			if (p[1] == 'u')
				assert_int_equal(strspn(p + 2, "0123456789abcdef") >= 4, true);
			p += n - 1;
		} else if (*p == '"') {
			quoted = !quoted;
		}
	}
	assert_false(quoted);
	if (json)
		assert_string_equal(line + strlen(line) - 2, "}\n");
}

static void test_a_cut_line_stays_well_formed_wherever_it_is_cut(void **state)
{
	static const char *const units[] = {"a", "\n", "\xc3\xa9", "\xf0\x9f\x90\x98", "\"", " "};
	struct log_line l;
	char value[2048];

	(void)state;
	for (int json = 0; json < 2; json++) {
		open_pipe(SEVERITY_INFO, json ? LOG_JSON : LOG_TEXT);
		for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
			for (size_t pad = 0; pad < 16; pad++) {
				memset(value, 'x', pad);
				value[pad] = '\0';
				while (strlen(value) + 8 < sizeof(value))
					strcat(value, units[u]);
				assert_true(log_begin(&l, SEVERITY_INFO, "e"));
				log_str(&l, "v", value);
				log_str(&l, "lost", "there is no room for this");
				log_int(&l, "lost_too", 1);
				log_end(&l);
				read_all();
				assert_is_ascii(sink.text);
				assert_int_equal(count_lines(sink.text), 1);
				assert_true(sink.len <= 1024);
				assert_true(sink.len > 1000);
				assert_non_null(strstr(sink.text, "..."));
				assert_null(strstr(sink.text, "lost"));
				assert_well_formed(sink.text, json);
			}
		}
		close_pipe();
	}
}

static void test_many_keys_end_where_the_room_ends(void **state)
{
	struct log_line l;

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_JSON);
	assert_true(log_begin(&l, SEVERITY_INFO, "e"));
	for (int i = 0; i < 300; i++) {
		log_int(&l, "number", INT64_MIN);
		log_str(&l, "text", "some words");
	}
	log_end(&l);
	read_all();
	assert_int_equal(count_lines(sink.text), 1);
	assert_true(sink.len <= 1024);
	assert_well_formed(sink.text, true);
	close_pipe();
}

static void test_a_blocked_pipe_never_blocks_and_the_loss_is_announced(void **state)
{
	uint64_t lost;
	char want[64];

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	for (int i = 0; i < 5000;
	     i++) /* far more than a pipe holds; returning at all is the story */
		log_msg(SEVERITY_INFO, "e", "line %d of a flood that nobody reads", i);
	lost = log_dropped();
	assert_in_range(lost, 1, 4999);
	read_all();
	assert_int_equal(count_lines(sink.text), 5000 - lost);
	assert_null(strstr(sink.text, "log_lines_dropped"));

	log_msg(SEVERITY_INFO, "e", "heard again");
	read_all();
	snprintf(want, sizeof(want), "event=log_lines_dropped count=%llu\n",
		 (unsigned long long)lost);
	assert_int_equal(count_lines(sink.text), 2);
	assert_non_null(strstr(sink.text, want));
	assert_true(strstr(sink.text, want) < strstr(sink.text, "heard again"));

	log_msg(SEVERITY_INFO, "e", "said once"); /* and not announced twice */
	read_all();
	assert_int_equal(count_lines(sink.text), 1);
	assert_int_equal(log_dropped(), lost);
	close_pipe();
}

static void test_the_pipe_stays_blocking_for_those_who_share_it(void **state)
{
	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	log_msg(SEVERITY_INFO, "e", "hello");
	assert_int_equal(fcntl(sink.write_fd, F_GETFL) & O_NONBLOCK, 0);
	close_pipe();
}

static void test_a_reader_that_is_gone_costs_lines_and_nothing_else(void **state)
{
	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	close(sink.read_fd);
	sink.read_fd = -1;
	log_msg(SEVERITY_INFO, "e", "into the void");
	assert_int_equal(log_dropped(), 1);
	close_pipe();
}

/* A socket takes a part of a line: the rest goes first, later, so that no line is torn. */
static void test_a_socket_never_gets_half_a_line(void **state)
{
	int fds[2], small = 1;
	struct log_line l;
	char text[900];

	(void)state;
	memset(&sink, 0, sizeof(sink));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	sink.read_fd = fds[0];
	sink.write_fd = fds[1];
	fcntl(sink.read_fd, F_SETFL, O_NONBLOCK);
	log_open(sink.write_fd, &(struct log_options){.least = SEVERITY_INFO});
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 20; i++) {
			log_begin(&l, SEVERITY_INFO, "e");
			log_str(&l, "v", text + i * 7);
			log_end(&l);
		}
		read_all();
		for (char *line = strtok(sink.text, "\n"); line; line = strtok(NULL, "\n"))
			if (line != sink.text)
				assert_memory_equal(line, "time=", 5);
	}
	assert_true(log_dropped() > 0);
	assert_int_equal(fcntl(sink.write_fd, F_GETFL) & O_NONBLOCK, 0);
	close_pipe();
}

static void log_later(struct log_batch *b, int from, int to)
{
	struct log_line l;

	for (int i = from; i < to; i++) {
		log_begin(&l, SEVERITY_INFO, "e");
		log_int(&l, "n", i);
		log_end_later(&l, b);
	}
}

static void assert_lines_in_order(int n)
{
	const char *at = sink.text;
	char want[32];

	assert_int_equal(count_lines(sink.text), n);
	for (int i = 0; i < n; i++) {
		snprintf(want, sizeof(want), " n=%d\n", i);
		at = strstr(at, want);
		assert_non_null(at);
	}
}

static void test_a_batch_is_written_when_it_is_full_or_flushed(void **state)
{
	struct log_batch b = {0};

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	log_later(&b, 0, 3);
	read_all();
	assert_int_equal(sink.len, 0);
	log_flush(&b);
	read_all();
	assert_lines_in_order(3);
	log_later(&b, 0, 200);
	read_all();
	assert_in_range(count_lines(sink.text), 1, 199);
	log_flush(&b);
	log_flush(&b); /* nothing is left to say */
	close_pipe();
}

static void test_lines_of_batches_keep_their_order(void **state)
{
	struct log_batch b = {0};

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	log_later(&b, 0, 300);
	log_flush(&b);
	read_all();
	assert_lines_in_order(300);
	close_pipe();
}

static void test_every_line_of_a_batch_that_is_dropped_is_counted(void **state)
{
	struct log_batch b = {0};
	uint64_t lost;

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	log_later(&b, 0, 5000);
	log_flush(&b);
	lost = log_dropped();
	assert_in_range(lost, 1, 4999);
	read_all();
	assert_int_equal(count_lines(sink.text), 5000 - lost);
	log_later(&b, 0, 2);
	log_flush(&b);
	read_all();
	assert_int_equal(count_lines(sink.text), 3);
	assert_non_null(strstr(sink.text, "event=log_lines_dropped"));
	assert_int_equal(log_dropped(), lost);
	close_pipe();
}

static void test_numbers_are_whole_at_both_ends(void **state)
{
	struct log_line l;

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	log_begin(&l, SEVERITY_INFO, "e");
	log_int(&l, "least", INT64_MIN);
	log_int(&l, "none", 0);
	log_int(&l, "most", INT64_MAX);
	log_end(&l);
	read_all();
	assert_non_null(strstr(sink.text, " least=-9223372036854775808 none=0 "
					  "most=9223372036854775807\n"));
	close_pipe();
}

static void *flood(void *arg)
{
	(void)arg;
	for (int i = 0; i < 500; i++)
		log_msg(SEVERITY_INFO, "e", "line %d", i);
	return NULL;
}

static void test_lines_of_many_threads_are_whole(void **state)
{
	pthread_t threads[4];
	unsigned n = 0;

	(void)state;
	open_pipe(SEVERITY_INFO, LOG_TEXT);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, flood, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	read_all();
	for (char *line = strtok(sink.text, "\n"); line; line = strtok(NULL, "\n"), n++) {
		assert_memory_equal(line, "time=", 5);
		assert_int_equal(line[strlen(line) - 1], '"');
	}
	assert_int_equal(n + log_dropped(), 2000);
	close_pipe();
}

static void test_a_file_gets_every_line(void **state)
{
	char path[] = "/tmp/isari-log-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	memset(&sink, 0, sizeof(sink));
	log_open(fd, &(struct log_options){.least = SEVERITY_INFO});
	for (int i = 0; i < 1000; i++)
		log_msg(SEVERITY_INFO, "e", "line %d", i);
	assert_int_equal(log_dropped(), 0);
	log_close(); /* waits for the file's writer */
	sink.write_fd = fd;
	sink.read_fd = open(path, O_RDONLY | O_CLOEXEC);
	read_all();
	assert_int_equal(count_lines(sink.text), 1000);
	unlink(path);
	close_pipe();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_text_line_is_time_level_event_and_pairs),
		cmocka_unit_test(test_values_are_quoted_and_escaped_when_they_must_be),
		cmocka_unit_test(test_json_is_one_object_per_line),
		cmocka_unit_test(test_lines_below_the_level_are_not_begun),
		cmocka_unit_test(test_a_cut_line_stays_well_formed_wherever_it_is_cut),
		cmocka_unit_test(test_many_keys_end_where_the_room_ends),
		cmocka_unit_test(test_a_blocked_pipe_never_blocks_and_the_loss_is_announced),
		cmocka_unit_test(test_the_pipe_stays_blocking_for_those_who_share_it),
		cmocka_unit_test(test_a_reader_that_is_gone_costs_lines_and_nothing_else),
		cmocka_unit_test(test_a_socket_never_gets_half_a_line),
		cmocka_unit_test(test_a_batch_is_written_when_it_is_full_or_flushed),
		cmocka_unit_test(test_lines_of_batches_keep_their_order),
		cmocka_unit_test(test_every_line_of_a_batch_that_is_dropped_is_counted),
		cmocka_unit_test(test_numbers_are_whole_at_both_ends),
		cmocka_unit_test(test_lines_of_many_threads_are_whole),
		cmocka_unit_test(test_a_file_gets_every_line),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
