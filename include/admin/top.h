#pragma once
/* `isari top` without a terminal: what was read and what the operator chose in, a screen as text
 * out; keys in, choices and commands out. Pure: time and size come in as values.
 * Not here: the terminal (io/terminal.h), the connection (io/ctl_talk.h). */
#include "base/buf.h"
#include "core/names.h"
#include "wire/top_model.h"

/* In the order in which they are shown. */
enum top_table { TOP_CLUSTERS, TOP_NODES, TOP_LISTENERS, TOP_SERVERS, TOP_EVENTS, N_TOP_TABLES };

enum top_style {
	TOP_PLAIN,  /* no escape codes: lines of text, for files, pipes and dumb terminals */
	TOP_MONO,   /* reverse and bold */
	TOP_COLOUR, /* and colours */
};

/* How it is to be shown, and how old it is. */
struct top_frame {
	unsigned width, height; /* 0: as much as it takes */
	enum top_style style;
	int64_t now_ms;   /* monotonic */
	int64_t age_ms;   /* of what is shown */
	const char *lost; /* why isari cannot be asked now; NULL: it can */
};

enum { TOP_KEY_BYTES = 2 * TOP_NAME_BYTES + 2, TOP_COMMAND_BYTES = 2 * TOP_NAME_BYTES + 48 };

struct top_state {
	enum top_table focus;
	struct {
		int column; /* to sort by; -1: as they are configured */
		bool descending;
		char selected[TOP_KEY_BYTES]; /* which row, wherever it goes; empty: the first */
		size_t index;                 /* where it was, should it vanish */
	} table[N_TOP_TABLES];
	bool help;
	/* A question to be answered by y: its server and state were fixed when it was asked. */
	bool asking;
	enum admin_state wanted;
	char backend[TOP_NAME_BYTES], server[TOP_NAME_BYTES];
	char message[TOP_TEXT_BYTES * 2]; /* of the last line, until it is old or a key is hit */
	bool alarming;
	int64_t message_until_ms;
};

enum top_act_type {
	TOP_ACT_NONE,
	TOP_ACT_QUIT,
	TOP_ACT_SUSPEND, /* as Ctrl-Z does */
	TOP_ACT_REPAINT, /* what is on the terminal may be somebody else's */
	TOP_ACT_COMMAND, /* send it, and give its reply to top_replied */
};

struct top_act {
	enum top_act_type type;
	char command[TOP_COMMAND_BYTES];
};

void top_state_init(struct top_state *s);

/* The whole screen. With escape codes it begins at home, clears each line to its end, never wraps
 * and never scrolls. */
void top_draw(const struct top_model *m, const struct top_state *s, const struct top_frame *f,
	      struct buf *out);

/* The first key in `bytes`: how many bytes it has (at least 1), and in `key` its character or one
 * of these. */
enum top_key {
	TOP_KEY_UNKNOWN = 256,
	TOP_KEY_ESCAPE,
	TOP_KEY_UP,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_BACK_TAB,
};
size_t top_key_read(const char *bytes, size_t n, int *key);
/* What the operator hit. */
void top_key_take(struct top_state *s, const struct top_model *m, const struct top_frame *f,
		  int key, struct top_act *act);

/* The reply to the command of an act; NULL: it could not be sent, or nobody answered. */
void top_replied(struct top_state *s, const char *command, const char *reply, int64_t now_ms);
/* A sentence for the last line. */
void top_say(struct top_state *s, int64_t now_ms, bool alarming, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Sessions and bytes per second: what two readings differ in. A counter that went back (another
 * process, cleared counters) says nothing until the next reading; readings less than `least_ms`
 * apart leave the rates as they were. */
void top_rates(struct top_model *now, const struct top_model *before, int64_t elapsed_ms,
	       int64_t least_ms);
