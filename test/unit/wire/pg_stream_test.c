/* Stories of a stream that is followed: what it knows between any two bytes, what makes it blind,
 * and when a session is idle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/pg_startup.h"
#include "wire/pg_stream.h"
#include <stdlib.h>
#include <string.h>

enum side { UP, DOWN };

struct said { /* one packet or message, whole */
	enum side side;
	const char *bytes;
	size_t n;
};

#define SAY(side, text)                      \
	{                                    \
		side, text, sizeof(text) - 1 \
	}

#define SSL_REQUEST SAY(UP, "\0\0\0\x08\x04\xd2\x16\x2f")
#define GSS_REQUEST SAY(UP, "\0\0\0\x08\x04\xd2\x16\x30")
#define STARTUP     SAY(UP, "\0\0\0\x11\0\3\0\0user\0me\0\0")
#define AUTH_OK     SAY(DOWN, "R\0\0\0\x08\0\0\0\0")
#define SETTING                 \
	SAY(DOWN, "S\0\0\0\x0f" \
		  "TimeZone\0\0\0")
#define KEY_DATA SAY(DOWN, "K\0\0\0\x0c\0\0\x12\x34\xde\xad\xbe\xef")
#define READY    SAY(DOWN, "Z\0\0\0\5I")
#define READY_IN SAY(DOWN, "Z\0\0\0\5T")
#define NOTICE   SAY(DOWN, "N\0\0\0\6M\0")
#define NOTIFIED SAY(DOWN, "A\0\0\0\x0a\0\0\0\1a\0")
#define QUERY    SAY(UP, "Q\0\0\0\x0dselect 1\0")
#define PARSE    SAY(UP, "P\0\0\0\x08\0\0\0\0")
#define EXECUTE  SAY(UP, "E\0\0\0\x09\0\0\0\0\0")
#define SYNC     SAY(UP, "S\0\0\0\4")
#define ROW      SAY(DOWN, "D\0\0\0\x0b\0\1\0\0\0\1Z")
#define DONE     SAY(DOWN, "C\0\0\0\x0dSELECT 1\0")

#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

static const unsigned char pid_and_key[] = {0, 0, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef};

/* From a block of exactly its size: one byte too far is seen. */
static void feed(struct pg_stream *s, enum side side, const char *bytes, size_t n)
{
	char *copy = malloc(n ? n : 1);

	memcpy(copy, bytes, n);
	(side == UP ? pg_stream_up : pg_stream_down)(s, copy, n);
	free(copy);
}

static void say(struct pg_stream *s, const struct said *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		feed(s, m[i].side, m[i].bytes, m[i].n);
}

#define SAY_ALL(s, ...)                                   \
	do {                                              \
		const struct said all_[] = {__VA_ARGS__}; \
		say(s, all_, N_OF(all_));                 \
	} while (0)

static const struct said conversation[] = {GSS_REQUEST,
					   SAY(DOWN, "N"),
					   SSL_REQUEST,
					   SAY(DOWN, "N"),
					   STARTUP,
					   SAY(DOWN, "R\0\0\0\x0c\0\0\0\5salt"),
					   SAY(UP, "p\0\0\0\x08md5\0"),
					   AUTH_OK,
					   SETTING,
					   KEY_DATA,
					   READY,
					   QUERY,
					   ROW,
					   ROW,
					   NOTICE,
					   DONE,
					   READY,
					   NOTIFIED,
					   PARSE,
					   EXECUTE,
					   SYNC,
					   SAY(DOWN, "1\0\0\0\4"),
					   DONE,
					   READY_IN,
					   QUERY,
					   DONE,
					   READY};

enum {
	STARTUP_AT = 4, /* its first eight bytes say what it is, and that an error may be said */
	PLAIN_FROM,     /* the server's first message */
};

static bool plain_within(size_t i, size_t cut)
{
	return conversation[i].side == UP && (i >= PLAIN_FROM || (i == STARTUP_AT && cut >= 8));
}

static void assert_between(const struct pg_stream *s, size_t next)
{
	assert_int_equal(pg_stream_at_boundary(s), next >= PLAIN_FROM);
}

/* Each packet in two slices, at every place where it can be cut. */
static void test_it_knows_the_boundaries_wherever_a_packet_is_cut(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 20; cut++) {
		struct pg_stream s;

		pg_stream_begin(&s);
		for (size_t i = 0; i < N_OF(conversation); i++) {
			const struct said *m = &conversation[i];
			size_t first = cut < m->n ? cut : m->n;

			assert_between(&s, i);
			feed(&s, m->side, m->bytes, first);
			if (first < m->n) {
				assert_false(pg_stream_is_idle(&s));
				assert_int_equal(pg_stream_at_boundary(&s), plain_within(i, cut));
			}
			feed(&s, m->side, m->bytes + first, m->n - first);
		}
		assert_between(&s, N_OF(conversation));
		assert_true(pg_stream_is_idle(&s));
		assert_true(s.key == pg_stream_key(pid_and_key, sizeof(pid_and_key)));
	}
}

/* Everything that goes one way until the other speaks, as one stream cut at every byte. */
static void test_it_knows_as_much_when_messages_are_glued(void **state)
{
	static const char answer[] = "R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\x12\x34\xde\xad\xbe\xef"
				     "Z\0\0\0\5I";
	static const size_t ends[] = {9, 22, 28};

	(void)state;
	for (size_t cut = 0; cut <= sizeof(answer) - 1; cut++) {
		struct pg_stream s;
		bool end = cut == 0;

		pg_stream_begin(&s);
		SAY_ALL(&s, STARTUP);
		feed(&s, DOWN, answer, cut);
		for (size_t i = 0; i < N_OF(ends); i++)
			end |= cut == ends[i];
		assert_int_equal(pg_stream_at_boundary(&s), end);
		assert_int_equal(pg_stream_is_idle(&s), cut == 28);
		feed(&s, DOWN, answer + cut, sizeof(answer) - 1 - cut);
		assert_true(pg_stream_is_idle(&s));
		assert_true(s.key == pg_stream_key(pid_and_key, sizeof(pid_and_key)));
	}
}

static void test_a_startup_in_single_bytes_is_a_startup(void **state)
{
	static const struct said startup[] = {STARTUP};
	struct pg_stream s;

	(void)state;
	pg_stream_begin(&s);
	for (size_t i = 0; i < startup[0].n; i++)
		feed(&s, UP, startup[0].bytes + i, 1);
	assert_true(pg_stream_at_boundary(&s));
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, AUTH_OK, READY);
	assert_true(pg_stream_is_idle(&s));
}

/* ---- blind ---- */

static void assert_blind(struct pg_stream *s)
{
	assert_int_equal(s->phase, STREAM_OPAQUE);
	SAY_ALL(s, STARTUP, AUTH_OK, READY);
	assert_false(pg_stream_at_boundary(s));
	assert_false(pg_stream_is_idle(s));
}

static void test_what_nobody_began_is_never_known(void **state)
{
	struct pg_stream s = {0};

	(void)state;
	assert_blind(&s);
}

static void test_encryption_makes_it_blind_for_ever(void **state)
{
	static const struct said yes[] = {SAY(DOWN, "S"), SAY(DOWN, "G"), SAY(DOWN, "E"),
					  SAY(DOWN, "N\0"), NOTICE};

	(void)state;
	for (size_t i = 0; i < N_OF(yes); i++) {
		struct pg_stream s;

		pg_stream_begin(&s);
		SAY_ALL(&s, SSL_REQUEST, yes[i]);
		assert_blind(&s);
	}
}

static void test_what_is_no_startup_makes_it_blind(void **state)
{
	static const struct said first[] = {
		SAY(UP, "\x16\3\1\2\0\1\0\1"),                         /* direct TLS */
		SAY(UP, "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\1"), /* CancelRequest */
		SAY(UP, "\0\0\0\x11\0\2\0\0user\0me\0\0"),             /* protocol 2 */
		SAY(UP, "\0\0\0\7\0\3\0\0"),                           /* too short */
		SAY(UP, "\0\0\x27\x15\0\3\0\0"),                       /* too long */
		SAY(UP, "\0\0\0\x09\x04\xd2\x16\x2f\0"),               /* an SSLRequest with more */
		SAY(UP, "\0\0\0\x08\x04\xd2\x16\x2f\0"), /* going on before the answer */
		SAY(DOWN, "E\0\0\0\4"),                  /* the server speaks first */
	};

	(void)state;
	for (size_t i = 0; i < N_OF(first); i++) {
		struct pg_stream s;

		pg_stream_begin(&s);
		say(&s, &first[i], 1);
		assert_blind(&s);
		assert_true(s.key == 0);
	}
}

static void log_in(struct pg_stream *s)
{
	pg_stream_begin(s);
	SAY_ALL(s, STARTUP, AUTH_OK, KEY_DATA, READY);
	assert_true(pg_stream_is_idle(s));
}

static void test_what_is_no_message_makes_it_blind_and_keeps_the_key(void **state)
{
	static const struct said bad[] = {
		SAY(DOWN, "D\0\0\0\3"),           SAY(DOWN, "Ecould not fork\n"),
		SAY(DOWN, "Z\0\0\0\6II"),         SAY(DOWN, "K\0\0\0\x0b\0\0\0\0\0\0\0"),
		SAY(DOWN, "K\0\0\1\x09\0\0\0\0"), SAY(UP, "Q\0\0\0\0"),
		SAY(UP, "GET / HTTP/1.0"),
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		struct pg_stream s;

		log_in(&s);
		say(&s, &bad[i], 1);
		assert_blind(&s);
		assert_true(s.key == pg_stream_key(pid_and_key, sizeof(pid_and_key)));
	}
}

static void test_bytes_that_passed_unseen_make_it_blind(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	pg_stream_lose(&s);
	assert_blind(&s);
	assert_true(s.key != 0);
}

/* ---- bulk ---- */

static size_t rows(char *out, size_t n)
{
	static const struct said row[] = {ROW};

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * row[0].n, row[0].bytes, row[0].n);
	return n * row[0].n;
}

static void test_thousands_of_short_rows_are_not_walked_for_long(void **state)
{
	char *some = malloc(16 * 1000);
	size_t bytes = rows(some, 1000);
	struct pg_stream s;

	(void)state;
	log_in(&s);
	for (int query = 0; query < 20; query++) { /* a page of results now and then is fine */
		SAY_ALL(&s, QUERY);
		for (int i = 0; i < 4; i++)
			feed(&s, DOWN, some, bytes);
		SAY_ALL(&s, DONE, READY);
		assert_true(pg_stream_is_idle(&s));
	}
	SAY_ALL(&s, QUERY);
	for (int i = 0; i < 5; i++)
		feed(&s, DOWN, some, bytes);
	assert_blind(&s);
	free(some);
}

/* A COPY from the client is bulk as well; a few heads beside each read are not. */
static void test_reads_of_few_messages_may_go_on_for_ever(void **state)
{
	char some[STREAM_FREE_HEADS * 16];
	size_t bytes = rows(some, STREAM_FREE_HEADS);
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, QUERY);
	for (int i = 0; i < 10 * STREAM_MOST_HEADS; i++)
		feed(&s, DOWN, some, bytes);
	SAY_ALL(&s, READY);
	assert_true(pg_stream_is_idle(&s));
}

static void test_a_long_body_costs_no_heads_and_is_no_boundary(void **state)
{
	static const char zeros[64 * 1024];
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, QUERY, SAY(DOWN, "d\x10\0\0\4"));
	for (size_t left = 1 << 28; left > 0; left -= sizeof(zeros)) {
		assert_false(pg_stream_at_boundary(&s));
		pg_stream_down(&s, zeros, sizeof(zeros));
	}
	assert_true(pg_stream_at_boundary(&s));
	assert_false(pg_stream_is_idle(&s));
}

static void test_a_long_body_may_pass_unseen_and_no_more_than_it(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	assert_int_equal(pg_stream_down_unseen_most(&s), 0);
	SAY_ALL(&s, QUERY, SAY(DOWN, "d\0\x10\0\4"), SAY(DOWN, "abcd"));
	assert_int_equal(pg_stream_down_unseen_most(&s), (1 << 20) - 4);
	assert_int_equal(pg_stream_up_unseen_most(&s), 0);
	pg_stream_down_unseen(&s, 1 << 19);
	assert_false(pg_stream_at_boundary(&s));
	pg_stream_down_unseen(&s, (1 << 19) - 4);
	assert_true(pg_stream_at_boundary(&s));
	SAY_ALL(&s, DONE, READY);
	assert_true(pg_stream_is_idle(&s));
}

static void test_what_a_client_sends_unseen_ends_its_idleness(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, SAY(UP, "d\0\1\0\4"));
	assert_int_equal(pg_stream_up_unseen_most(&s), 1 << 16);
	pg_stream_up_unseen(&s, 1 << 16);
	assert_true(pg_stream_at_boundary(&s));
	assert_false(pg_stream_is_idle(&s));
}

static void test_a_blind_stream_may_pass_unseen(void **state)
{
	struct pg_stream s = {0};

	(void)state;
	assert_int_equal(pg_stream_down_unseen_most(&s), SIZE_MAX);
	assert_int_equal(pg_stream_up_unseen_most(&s), SIZE_MAX);
	pg_stream_begin(&s);
	assert_int_equal(pg_stream_down_unseen_most(&s), 0);
	assert_int_equal(pg_stream_up_unseen_most(&s), 0);
}

static void test_the_end_of_an_answer_is_seen_at_the_end_only(void **state)
{
	(void)state;
	assert_true(pg_stream_ends_answer("xZ\0\0\0\5T", 7));
	assert_true(pg_stream_ends_answer("Z\0\0\0\5I", 6));
	assert_false(pg_stream_ends_answer("Z\0\0\0\5", 5));
	assert_false(pg_stream_ends_answer("Z\0\0\0\5Ix", 7));
	assert_false(pg_stream_ends_answer("", 0));
}

/* ---- idle ---- */

static void test_idle_means_the_last_answer_to_the_last_question(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	feed(&s, UP, "Q", 1); /* a question has begun */
	assert_false(pg_stream_is_idle(&s));
	assert_true(pg_stream_at_boundary(&s));
	feed(&s, UP, "\0\0\0\5;", 5);
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, ROW, DONE);
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, READY);
	assert_true(pg_stream_is_idle(&s));
	SAY_ALL(&s, NOTICE, NOTIFIED, SETTING); /* what comes unasked changes nothing ... */
	assert_true(pg_stream_is_idle(&s));
	feed(&s, DOWN, "A", 1); /* ... but half of it must be heard out */
	assert_false(pg_stream_is_idle(&s));
}

static void test_in_a_transaction_nobody_is_idle(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, QUERY, DONE, READY_IN);
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, QUERY, DONE, SAY(DOWN, "Z\0\0\0\5E"));
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, QUERY, DONE, READY);
	assert_true(pg_stream_is_idle(&s));
}

/* The first answer says "ready" while the second question is being worked on. */
static void test_questions_sent_ahead_are_waited_for(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, QUERY, PARSE, EXECUTE, SYNC, QUERY, DONE, READY);
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, DONE, READY);
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, DONE, READY);
	assert_true(pg_stream_is_idle(&s));
}

static void test_what_no_sync_has_ended_is_not_idle(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, QUERY, PARSE, DONE, READY);
	assert_false(pg_stream_is_idle(&s));
	SAY_ALL(&s, EXECUTE, SYNC, DONE, READY);
	assert_true(pg_stream_is_idle(&s));
	SAY_ALL(&s, QUERY);
	feed(&s, UP, "Q\0\0", 3); /* half of the next one */
	SAY_ALL(&s, DONE, READY);
	assert_false(pg_stream_is_idle(&s));
}

static void test_a_copy_is_part_of_its_query(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, QUERY, SAY(DOWN, "G\0\0\0\7\0\0\0"), SAY(UP, "d\0\0\0\6a\n"),
		SAY(UP, "c\0\0\0\4"), DONE, READY);
	assert_true(pg_stream_is_idle(&s));
}

static void test_an_answer_to_nothing_ends_the_counting(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	SAY_ALL(&s, READY);
	assert_false(pg_stream_is_idle(&s));
	assert_true(pg_stream_at_boundary(&s));
	SAY_ALL(&s, QUERY, DONE, READY);
	assert_false(pg_stream_is_idle(&s));
}

static void test_more_questions_than_it_counts_are_never_idle(void **state)
{
	struct pg_stream s;

	(void)state;
	log_in(&s);
	for (int i = 0; i < 300; i++)
		SAY_ALL(&s, SYNC);
	for (int i = 0; i < 300; i++) {
		SAY_ALL(&s, READY);
		assert_false(pg_stream_is_idle(&s));
	}
}

/* ---- keys ---- */

/* Protocol 3.2: up to 256 bytes; the same number as from the CancelRequest, however it came. */
static void test_a_long_key_is_known_wherever_it_is_cut(void **state)
{
	enum { BODY = 4 + CANCEL_KEY_MAX_BYTES };
	char message[5 + BODY] = {'K', 0, 0, 1, 8};
	uint64_t key;

	(void)state;
	for (int i = 0; i < BODY; i++)
		message[5 + i] = (char)(i * 37 + 11);
	key = pg_stream_key(message + 5, BODY);
	for (size_t cut = 0; cut <= sizeof(message); cut++) {
		struct pg_stream s;

		pg_stream_begin(&s);
		SAY_ALL(&s, SAY(UP, "\0\0\0\x11\0\3\0\2user\0me\0\0"), AUTH_OK);
		feed(&s, DOWN, message, cut);
		assert_int_equal(s.key == key, cut == sizeof(message));
		feed(&s, DOWN, message + cut, sizeof(message) - cut);
		assert_true(s.key == key);
		assert_true(pg_stream_at_boundary(&s));
	}
	message[5] ^= 1; /* another process, the same key */
	assert_true(pg_stream_key(message + 5, BODY) != key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_knows_the_boundaries_wherever_a_packet_is_cut),
		cmocka_unit_test(test_it_knows_as_much_when_messages_are_glued),
		cmocka_unit_test(test_a_startup_in_single_bytes_is_a_startup),
		cmocka_unit_test(test_what_nobody_began_is_never_known),
		cmocka_unit_test(test_encryption_makes_it_blind_for_ever),
		cmocka_unit_test(test_what_is_no_startup_makes_it_blind),
		cmocka_unit_test(test_what_is_no_message_makes_it_blind_and_keeps_the_key),
		cmocka_unit_test(test_bytes_that_passed_unseen_make_it_blind),
		cmocka_unit_test(test_thousands_of_short_rows_are_not_walked_for_long),
		cmocka_unit_test(test_reads_of_few_messages_may_go_on_for_ever),
		cmocka_unit_test(test_a_long_body_costs_no_heads_and_is_no_boundary),
		cmocka_unit_test(test_a_long_body_may_pass_unseen_and_no_more_than_it),
		cmocka_unit_test(test_what_a_client_sends_unseen_ends_its_idleness),
		cmocka_unit_test(test_a_blind_stream_may_pass_unseen),
		cmocka_unit_test(test_the_end_of_an_answer_is_seen_at_the_end_only),
		cmocka_unit_test(test_idle_means_the_last_answer_to_the_last_question),
		cmocka_unit_test(test_in_a_transaction_nobody_is_idle),
		cmocka_unit_test(test_questions_sent_ahead_are_waited_for),
		cmocka_unit_test(test_what_no_sync_has_ended_is_not_idle),
		cmocka_unit_test(test_a_copy_is_part_of_its_query),
		cmocka_unit_test(test_an_answer_to_nothing_ends_the_counting),
		cmocka_unit_test(test_more_questions_than_it_counts_are_never_idle),
		cmocka_unit_test(test_a_long_key_is_known_wherever_it_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
