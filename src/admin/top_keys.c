/* What the keys of `isari top` do: they change the operator's choices, or become a command.
 * Nothing is changed in isari without a question that names the server, and a y.
 * Not here: the bytes' way from the terminal (io/terminal.h), sending (main/top.c). */
#include "admin/top_grid.h"
#include "base/str.h"
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MS = 10000, CTRL_C = 3, CTRL_L = 12, CTRL_Z = 26, ESCAPE = 27 };

void top_state_init(struct top_state *s)
{
	*s = (struct top_state){.focus = TOP_SERVERS};
	for (int t = 0; t < N_TOP_TABLES; t++)
		s->table[t].column = -1;
}

void top_say(struct top_state *s, int64_t now_ms, bool alarming, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(s->message, sizeof(s->message), format, ap);
	va_end(ap);
	s->alarming = alarming;
	s->message_until_ms = now_ms + MESSAGE_MS;
}

/* ---- bytes to keys ---- */

static const struct {
	const char *bytes; /* after the escape */
	enum top_key key;
} sequences[] = {
	{"[A", TOP_KEY_UP},         {"OA", TOP_KEY_UP},       {"[B", TOP_KEY_DOWN},
	{"OB", TOP_KEY_DOWN},       {"[C", TOP_KEY_RIGHT},    {"OC", TOP_KEY_RIGHT},
	{"[D", TOP_KEY_LEFT},       {"OD", TOP_KEY_LEFT},     {"[5~", TOP_KEY_PAGE_UP},
	{"[6~", TOP_KEY_PAGE_DOWN}, {"[H", TOP_KEY_HOME},     {"OH", TOP_KEY_HOME},
	{"[1~", TOP_KEY_HOME},      {"[F", TOP_KEY_END},      {"OF", TOP_KEY_END},
	{"[4~", TOP_KEY_END},       {"[Z", TOP_KEY_BACK_TAB},
};

/* How long an escape sequence is: ESC [ parameters final, ESC O final, or ESC and what follows. */
static size_t sequence_length(const char *bytes, size_t n)
{
	size_t i = 2;

	if (n < 2)
		return n;
	if (bytes[1] == 'O')
		return n < 3 ? n : 3;
	if (bytes[1] != '[')
		return 1;
	while (i < n && (bytes[i] < '@' || bytes[i] > '~'))
		i++;
	return i < n ? i + 1 : n;
}

size_t top_key_read(const char *bytes, size_t n, int *key)
{
	size_t len;

	*key = (unsigned char)bytes[0];
	if (bytes[0] != ESCAPE)
		return 1;
	len = sequence_length(bytes, n);
	*key = len == 1 ? TOP_KEY_ESCAPE : TOP_KEY_UNKNOWN;
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (strlen(sequences[i].bytes) == len - 1 &&
		    memcmp(sequences[i].bytes, bytes + 1, len - 1) == 0)
			*key = (int)sequences[i].key;
	return len;
}

/* ---- choosing ---- */

static void focus_by(struct top_state *s, int by)
{
	s->focus = (enum top_table)(((int)s->focus + by + N_TOP_TABLES) % N_TOP_TABLES);
}

/* From "as configured" through all columns and around. */
static void sort_by(struct top_state *s, int by)
{
	int n = (int)top_table_columns(s->focus) + 1, column = s->table[s->focus].column + 1;

	s->table[s->focus].column = (column + by + n) % n - 1;
	s->table[s->focus].descending = top_column_is_number(s->focus, s->table[s->focus].column);
}

/* The next column that has something to show: others would look like a key that does nothing. */
static void sort_by_shown(struct top_state *s, const struct top_model *m, const struct top_frame *f,
			  int by)
{
	struct top_grid g;
	int column;

	top_grid_fill(&g, s->focus, m);
	do {
		sort_by(s, by);
		column = s->table[s->focus].column;
		top_grid_fit(&g, f->width, column);
	} while (column >= 0 && g.width[column] == 0);
	top_grid_fini(&g);
}

static void turn(struct top_state *s)
{
	if (s->table[s->focus].column >= 0)
		s->table[s->focus].descending = !s->table[s->focus].descending;
}

/* To the place that lies `by` from the selected one, or as far as there are rows. */
static void select_by(struct top_state *s, const struct top_model *m, long by)
{
	struct top_grid g;
	long place;

	top_grid_fill(&g, s->focus, m);
	top_grid_sort(&g, s->table[s->focus].column, s->table[s->focus].descending);
	if (g.n_rows > 0) {
		place = (long)top_grid_selected(&g, s->focus, m, s) + by;
		if (place >= (long)g.n_rows)
			place = (long)g.n_rows - 1;
		if (place < 0)
			place = 0;
		s->table[s->focus].index = (size_t)place;
		top_row_key(s->focus, m, g.order[place], s->table[s->focus].selected);
	}
	top_grid_fini(&g);
}

static long page_rows(const struct top_state *s, const struct top_model *m,
		      const struct top_frame *f)
{
	struct top_layout l;

	top_layout(&l, m, s, f);
	return (long)l.rows[s->focus];
}

static bool choose(struct top_state *s, const struct top_model *m, const struct top_frame *f,
		   int key)
{
	long all = (long)top_table_rows(s->focus, m);

	switch (key) {
	case '\t':
	case TOP_KEY_RIGHT: focus_by(s, 1); return true;
	case TOP_KEY_BACK_TAB:
	case TOP_KEY_LEFT: focus_by(s, -1); return true;
	case 'j':
	case TOP_KEY_DOWN: select_by(s, m, 1); return true;
	case 'k':
	case TOP_KEY_UP: select_by(s, m, -1); return true;
	case TOP_KEY_PAGE_DOWN: select_by(s, m, page_rows(s, m, f)); return true;
	case TOP_KEY_PAGE_UP: select_by(s, m, -page_rows(s, m, f)); return true;
	case 'g':
	case TOP_KEY_HOME: select_by(s, m, -all); return true;
	case 'G':
	case TOP_KEY_END: select_by(s, m, all); return true;
	case '>': sort_by_shown(s, m, f, 1); return true;
	case '<': sort_by_shown(s, m, f, -1); return true;
	case 'o': turn(s); return true;
	case '?':
	case 'h': s->help = true; return true;
	default: return false;
	}
}

/* ---- changing ---- */

static const struct top_server *selected_server(const struct top_state *s,
						const struct top_model *m)
{
	const struct top_server *found = NULL;
	struct top_grid g;

	top_grid_fill(&g, TOP_SERVERS, m);
	top_grid_sort(&g, s->table[TOP_SERVERS].column, s->table[TOP_SERVERS].descending);
	if (g.n_rows > 0)
		found = &m->servers[g.order[top_grid_selected(&g, TOP_SERVERS, m, s)]];
	top_grid_fini(&g);
	return found;
}

static void ask(struct top_state *s, const struct top_model *m, int64_t now_ms,
		enum admin_state wanted)
{
	const struct top_server *server = selected_server(s, m);

	if (s->focus != TOP_SERVERS || !server) {
		top_say(s, now_ms, false, "%s is for a server: choose one with Tab, j and k",
			admin_state_name(wanted));
		return;
	}
	s->asking = true;
	s->wanted = wanted;
	str_copy(s->backend, sizeof(s->backend), server->backend);
	str_copy(s->server, sizeof(s->server), server->name);
}

/* A name is one word of a command, as isari's configuration makes sure. */
static bool is_word(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-:%";

	return name[0] && name[strspn(name, allowed)] == '\0';
}

static void answer(struct top_state *s, int64_t now_ms, int key, struct top_act *act)
{
	s->asking = false;
	if (key != 'y' && key != 'Y') {
		top_say(s, now_ms, false, "Nothing was changed.");
		return;
	}
	if (!is_word(s->backend) || !is_word(s->server)) {
		top_say(s, now_ms, true, "Nothing was changed: this name fits into no command.");
		return;
	}
	act->type = TOP_ACT_COMMAND;
	snprintf(act->command, sizeof(act->command), "set server %s/%s state %s", s->backend,
		 s->server, admin_state_name(s->wanted));
}

static void command(struct top_state *s, const struct top_model *m, int64_t now_ms, int key,
		    struct top_act *act)
{
	switch (key) {
	case 'd': ask(s, m, now_ms, ADMIN_DRAIN); break;
	case 'm': ask(s, m, now_ms, ADMIN_MAINT); break;
	case 'r': ask(s, m, now_ms, ADMIN_READY); break;
	case 'p':
		act->type = TOP_ACT_COMMAND;
		str_copy(act->command, sizeof(act->command), "probe");
		break;
	case 'q':
	case CTRL_C: act->type = TOP_ACT_QUIT; break;
	case CTRL_L: act->type = TOP_ACT_REPAINT; break;
	case CTRL_Z: act->type = TOP_ACT_SUSPEND; break;
	default: break;
	}
}

void top_key_take(struct top_state *s, const struct top_model *m, const struct top_frame *f,
		  int key, struct top_act *act)
{
	*act = (struct top_act){.type = TOP_ACT_NONE};
	s->message[0] = '\0';
	if (s->help && key != 'q' && key != CTRL_C && key != CTRL_Z)
		s->help = false;
	else if (s->asking && key != CTRL_C && key != CTRL_Z && key != CTRL_L)
		answer(s, f->now_ms, key, act);
	else if (!choose(s, m, f, key))
		command(s, m, f->now_ms, key, act);
}

/* ---- what came of it ---- */

/* "read/n2 is drain" of "set server read/n2 state drain". */
static void say_done(struct top_state *s, const char *command_line, int64_t now_ms)
{
	char name[2 * TOP_NAME_BYTES], state[16];

	if (sscanf(command_line, "set server %143s state %15s", name, state) == 2)
		top_say(s, now_ms, false, "%s was set to %s.", name, state);
	else
		top_say(s, now_ms, false, "All nodes are asked now, and often for a while.");
}

void top_replied(struct top_state *s, const char *command_line, const char *reply, int64_t now_ms)
{
	size_t len = reply ? strcspn(reply, "\n") : 0;

	if (!reply)
		top_say(s, now_ms, true, "isari was away: look what became of it: %s",
			command_line);
	else if (strncmp(reply, "Permission denied", strlen("Permission denied")) == 0)
		top_say(s, now_ms, true,
			"Not allowed: this socket needs level %s (stats.socket) for that.",
			strncmp(command_line, "set", 3) == 0 ? "admin" : "operator");
	else if (len > 0)
		top_say(s, now_ms, true, "%.*s", (int)len, reply);
	else
		say_done(s, command_line, now_ms);
}
