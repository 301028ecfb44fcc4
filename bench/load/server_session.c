/* What the false PostgreSQL hears: the start of a session, then messages, of which queries are
 * small commands:
 *
 *   echo N TAG ...           an answer of N bytes that begins with the tag
 *   send BYTES CHUNK RATE    COPY out, at most RATE bytes per second (0: no limit)
 *   sink [BYTES CHUNK]       COPY in; with its size the content is compared, too
 *   anything else            is done at once (poolers set and discard things)
 *
 * Not here: how answers go out (server_output.c). */
#include "net.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL = 3, REQUEST = 1234, CANCEL = 5678, SSL = 5679, GSSENC = 5680 };

/* ---- the start ------------------------------------------------------------------------------- */

/* What clients and poolers ask of a server of these days. */
static const char *const parameters[][2] = {
	{"application_name", ""},
	{"client_encoding", "UTF8"},
	{"DateStyle", "ISO, MDY"},
	{"default_transaction_read_only", "off"},
	{"in_hot_standby", "off"},
	{"integer_datetimes", "on"},
	{"IntervalStyle", "postgres"},
	{"is_superuser", "on"},
	{"server_encoding", "UTF8"},
	{"server_version", "15.5"},
	{"session_authorization", "postgres"},
	{"standard_conforming_strings", "on"},
	{"TimeZone", "UTC"},
};

static char *put_parameter(char *to, const char *name, const char *value)
{
	char body[80];
	int n = snprintf(body, sizeof(body), "%s%c%s", name, 0, value);
	return put_message(to, 'S', body, (size_t)n + 1);
}

static int welcome(struct session *s)
{
	char text[SHORT], *to = put_message(text, 'R', "\0\0\0\0", 4);
	uint64_t key = server_random(s->server);
	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++)
		to = put_parameter(to, parameters[i][0], parameters[i][1]);
	to = put_message(to, 'K', &key, sizeof(key));
	to = put_message(to, 'Z', "I", 1);
	s->phase = PHASE_IDLE;
	return output_short(s, text, (size_t)(to - text));
}

static int on_first_packet(struct session *s, const char *head)
{
	uint32_t code = get32(head + 4);
	if (code == (REQUEST << 16 | SSL) || code == (REQUEST << 16 | GSSENC))
		return output_short(s, "N", 1);
	return code >> 16 == PROTOCOL ? welcome(s) : -EPROTO; /* a cancel request is only heard */
}

/* ---- commands -------------------------------------------------------------------------------- */

static uint64_t number(const char **text)
{
	char *end;
	uint64_t n = strtoull(*text, &end, 10);
	*text = end;
	return n;
}

static int do_echo(struct session *s, const char *words)
{
	uint64_t n = number(&words);
	if (n < ECHO_MIN || n > ECHO_MAX)
		return output_error(s, "22023", "echo: no such size");
	return output_echo(s, (size_t)n, *words == ' ' ? words + 1 : words);
}

static int do_send(struct session *s, const char *words)
{
	uint64_t bytes = number(&words), chunk = number(&words), rate = number(&words);
	return output_copy(s, bytes, (size_t)chunk, rate);
}

static int do_sink(struct session *s, const char *words)
{
	char text[8];
	uint64_t bytes = number(&words), chunk = number(&words);
	s->sunk = 0;
	s->phase = PHASE_SINK;
	if (bytes) {
		s->phase = PHASE_CHECKED_SINK;
		s->stream = calloc(1, sizeof(*s->stream));
		if (copy_init(&s->stream->copy, &s->server->images, COPY_UP, bytes, (size_t)chunk) <
		    0)
			return output_error(s, "22023", "sink: no such size");
		s->sunk = bytes;
	}
	return output_short(s, text, (size_t)(put_message(text, 'G', "\0\0", 3) - text));
}

static const struct command {
	const char *word;
	int (*run)(struct session *, const char *words);
} commands[] = {{"echo", do_echo}, {"send", do_send}, {"sink", do_sink}};

static int on_query(struct session *s)
{
	char *text = s->in.text;
	text[s->in.n_text] = 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		size_t n = strlen(commands[i].word);
		if (strncmp(text, commands[i].word, n) == 0 && (text[n] == ' ' || !text[n]))
			return commands[i].run(s, text + n);
	}
	return output_done(s, "SET");
}

static int sunk(struct session *s)
{
	char tag[32];
	s->phase = PHASE_IDLE;
	stream_free(s);
	snprintf(tag, sizeof(tag), "COPY %llu", (unsigned long long)s->sunk);
	return output_done(s, tag);
}

/* ---- messages -------------------------------------------------------------------------------- */

static int on_message(struct session *s, char type)
{
	char ready[READY_BYTES];
	switch (type) {
	case 'Q': return on_query(s);
	case 'c': return s->phase == PHASE_SINK ? sunk(s) : 0;
	case 'S': put_message(ready, 'Z', "I", 1); return output_short(s, ready, sizeof(ready));
	case 'X': return -ECONNRESET;
	default: return 0;
	}
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The head of a message, as far as it is there; it is whole when n_head is `size`. */
static size_t take_head(struct in *in, unsigned size, const char *data, size_t n)
{
	size_t m = least(n, size - in->n_head);
	memcpy(in->head + in->n_head, data, m);
	in->n_head += (unsigned)m;
	return m;
}

static size_t take_body(struct session *s, const char *data, size_t n)
{
	struct in *in = &s->in;
	size_t m = least(n, in->left), text = least(m, TEXT_MAX - in->n_text);
	in->left -= (uint32_t)m;
	if (in->head[0] == 'd')
		s->sunk += m;
	if (in->head[0] != 'Q')
		return m;
	memcpy(in->text + in->n_text, data, text);
	in->n_text += (unsigned)text;
	return m;
}

/* Each take_ function: how many bytes were used, and *what came of it. */
static size_t take_packet(struct session *s, const char *data, size_t n, int *what)
{
	struct in *in = &s->in;
	size_t used = 0;
	if (in->n_head < 8) {
		used = take_head(in, 8, data, n);
		if (in->n_head < 8)
			return used;
		in->left = get32(in->head) - 8;
		if (in->left > 10000)
			*what = -EPROTO;
	}
	size_t m = least(n - used, in->left);
	in->left -= (uint32_t)m;
	if (in->left == 0 && *what == 0) {
		in->n_head = 0;
		*what = on_first_packet(s, in->head);
	}
	return used + m;
}

static size_t take_message(struct session *s, const char *data, size_t n, int *what)
{
	struct in *in = &s->in;
	size_t used = 0;
	if (in->n_head < 5) {
		used = take_head(in, 5, data, n);
		if (in->n_head < 5)
			return used;
		in->left = get32(in->head + 1) - 4;
		in->n_text = 0;
		if (in->left > INT32_MAX)
			*what = -EPROTO;
	}
	used += take_body(s, data + used, n - used);
	if (in->left == 0 && *what == 0) {
		in->n_head = 0;
		*what = on_message(s, in->head[0]);
	}
	return used;
}

static size_t take_checked(struct session *s, const char *data, size_t n, int *what)
{
	char text[80];
	struct stream *st = s->stream;
	size_t m = (size_t)least(n, st->copy.total - st->at);
	size_t good = copy_compare(&st->copy, st->at, data, m);
	st->at += good;
	if (good < m) {
		snprintf(text, sizeof(text), "sink: wrong byte at %llu",
			 (unsigned long long)st->at);
		*what = output_error(s, "22P04", text);
	} else if (st->at == st->copy.total) {
		*what = sunk(s);
	}
	return m;
}

static size_t (*const take[])(struct session *, const char *, size_t, int *) = {
	[PHASE_STARTUP] = take_packet,
	[PHASE_IDLE] = take_message,
	[PHASE_SINK] = take_message,
	[PHASE_CHECKED_SINK] = take_checked,
};

/* Input, until an answer is on its way that the socket does not take: the rest is held. */
static int hear(struct session *s, const char *data, size_t n)
{
	int what = 0;
	while (n && what == 0) {
		size_t used = take[s->phase](s, data, n, &what);
		data += used;
		n -= used;
	}
	if (n && what == 1) {
		s->held = malloc(n);
		memcpy(s->held, data, n);
		s->n_held = n;
	}
	return what;
}

static int hear_held(struct session *s)
{
	char *data = s->held;
	s->held = NULL;
	int what = hear(s, data, s->n_held);
	free(data);
	return what;
}

static int hear_socket(struct session *s)
{
	struct server *v = s->server;
	size_t most = TAILQ_EMPTY(&v->ready) ? SCRATCH : PASS;
	ssize_t n = recv(s->fd, v->scratch, most, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		return -ECONNRESET;
	s->readable = n > 0 && ((size_t)n == most || s->hung_up);
	if (s->readable)
		session_queue(s);
	return n < 0 ? 0 : hear(s, v->scratch, (size_t)n);
}

int session_run(struct session *s)
{
	int what = 0;
	if (s->out.kind != OUT_NOTHING)
		what = s->out.blocked ? 1 : output_flush(s);
	while (what == 0 && s->held)
		what = hear_held(s);
	return what == 0 && s->readable ? hear_socket(s) : what;
}
