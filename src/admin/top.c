/* The screen of `isari top`: first line, tables, last lines.
 * Not here: what the tables hold (top_tables.c), how many rows each gets (top_layout.c), escape
 * codes (top_page.c), keys (top_keys.c). */
#include "admin/top.h"
#include "admin/top_page.h"
#include "base/str.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { STALE_MS = 3000 }; /* older than this is said, even while isari may still answer */

/* ---- the first line ---- */

static void draw_lost(struct top_page *p, const struct top_frame *f)
{
	char age[32];

	page_printf(p, LOOK_BAD, "isari is away: this is %s old; connecting again (%s)",
		    str_duration(f->age_ms, age, sizeof(age)), f->lost);
}

static int64_t sum_waiting(const struct top_model *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->n_clusters; i++)
		sum += m->clusters[i].waiting;
	return sum;
}

static void draw_process(struct top_page *p, const struct top_process *of)
{
	char up[32];

	page_put(p, LOOK_STRONG, "isari top");
	if (of->node[0])
		page_printf(p, LOOK_PLAIN, "  %s", of->node);
	if (of->version[0])
		page_printf(p, LOOK_DIM, "  version %s", of->version);
	if (of->uptime_s >= 0 && of->uptime_s < INT64_MAX / 1000)
		page_printf(p, LOOK_PLAIN, "  up %s",
			    str_duration(of->uptime_s * 1000, up, sizeof(up)));
	if (of->sessions >= 0)
		page_printf(p, LOOK_PLAIN, "  %" PRId64 " sessions", of->sessions);
	if (of->stopping > 0)
		page_put(p, LOOK_WARN, "  stopping");
}

static void draw_first(struct top_page *p, const struct top_model *m, const struct top_frame *f)
{
	int64_t waiting = sum_waiting(m);
	char age[32];

	if (f->lost) {
		draw_lost(p, f);
	} else {
		draw_process(p, &m->process);
		if (waiting > 0)
			page_printf(p, LOOK_BAD, "  %" PRId64 " waiting", waiting);
		if (f->age_ms >= STALE_MS)
			page_printf(p, LOOK_BAD, "  %s old",
				    str_duration(f->age_ms, age, sizeof(age)));
	}
	page_end_line(p);
}

/* ---- tables ---- */

struct sheet {
	struct top_grid grid;
	enum top_table table;
	bool focused;
	size_t selected, first, shown; /* places */
};

static void draw_titles(struct top_page *p, const struct sheet *s, const struct top_state *state)
{
	const struct top_grid *g = &s->grid;
	enum top_look look = s->focused ? LOOK_FOCUSED : LOOK_TITLE;
	char title[32], range[64] = "";
	unsigned end = p->frame->width;

	if (s->shown < g->n_rows)
		snprintf(range, sizeof(range), " %zu-%zu of %zu ", s->first + 1,
			 s->first + s->shown, g->n_rows);
	page_put(p, look, s->focused ? "> " : "  ");
	for (size_t c = 0; c < g->n_columns; c++) {
		bool sorted = state->table[s->table].column == (int)c;
		unsigned at = p->used;

		if (!g->width[c] || page_columns_left(p) <= strlen(range))
			continue;
		snprintf(title, sizeof(title), "%s%s", g->columns[c].title,
			 !sorted                             ? ""
			 : state->table[s->table].descending ? "-"
							     : "+");
		if (g->columns[c].number && strlen(title) < g->width[c])
			page_fill(p, look, at + g->width[c] - (unsigned)strlen(title));
		page_put(p, look, title);
		page_fill(p, look, at + g->width[c] + 1);
	}
	if (end > strlen(range) && p->used + strlen(range) <= end)
		page_fill(p, look, end - (unsigned)strlen(range));
	page_put(p, look, range);
	page_end_line(p);
}

static void draw_row(struct top_page *p, const struct sheet *s, size_t place)
{
	const struct top_grid *g = &s->grid;
	size_t row = g->order[place];
	bool selected = s->focused && place == s->selected;

	page_put(p, selected ? LOOK_SELECTED : LOOK_PLAIN, selected ? ">" : " ");
	page_put(p, selected ? LOOK_SELECTED : LOOK_BAD, g->alarming[row] ? "!" : " ");
	for (size_t c = 0; c < g->n_columns; c++) {
		const struct top_cell *cell = &g->cells[row * g->n_columns + c];

		if (!g->width[c])
			continue;
		page_cell(p, selected ? LOOK_SELECTED : cell->look,
			  cell->text ? cell->text : cell->own, g->width[c], g->columns[c].number);
		if (c + 1 < g->n_columns)
			page_put(p, selected ? LOOK_SELECTED : LOOK_PLAIN, " ");
	}
	if (selected)
		page_fill(p, LOOK_SELECTED, p->frame->width);
	page_end_line(p);
}

/* The rows around the selected one. */
static size_t first_shown(size_t selected, size_t shown, size_t n)
{
	size_t first = selected > shown / 2 ? selected - shown / 2 : 0;

	return first + shown > n ? n - shown : first;
}

static void draw_table(struct top_page *p, const struct top_model *m, const struct top_state *state,
		       enum top_table t, size_t rows)
{
	struct sheet s = {.table = t, .focused = state->focus == t};

	top_grid_fill(&s.grid, t, m);
	top_grid_sort(&s.grid, state->table[t].column, state->table[t].descending);
	top_grid_fit(&s.grid, p->frame->width, state->table[t].column);
	s.shown = rows < s.grid.n_rows ? rows : s.grid.n_rows;
	s.selected = top_grid_selected(&s.grid, t, m, state);
	s.first = first_shown(s.selected, s.shown, s.grid.n_rows);
	draw_titles(p, &s, state);
	for (size_t i = 0; i < s.shown; i++)
		draw_row(p, &s, s.first + i);
	if (s.grid.n_rows == 0) {
		page_printf(p, LOOK_DIM, "  %s", top_table_empty(t, m));
		page_end_line(p);
	}
	top_grid_fini(&s.grid);
}

static void draw_tables(struct top_page *p, const struct top_model *m, const struct top_state *s)
{
	struct top_layout layout;

	top_layout(&layout, m, s, p->frame);
	for (int t = 0; t < N_TOP_TABLES; t++) {
		if (layout.spaced)
			page_end_line(p);
		draw_table(p, m, s, (enum top_table)t, layout.rows[t]);
	}
}

/* ---- help, and screens that are too small ---- */

static void draw_help(struct top_page *p)
{
	static const char *const lines[] = {
		"",
		"  Tab, left, right    the table that the keys go to",
		"  up, down, j, k      choose a row; Page Up, Page Down, Home, End, g, G: far ones",
		"  < >                 the column to sort by; none: as configured, alarms first",
		"  o                   the other direction",
		"  d                   drain the chosen server: its sessions go on, it gets no new "
		"ones",
		"  m                   maintenance: and its sessions are cut",
		"  r                   ready: it may take sessions again",
		"  p                   ask all nodes now, and often for a while",
		"  Ctrl-L              draw everything again",
		"  q, Ctrl-C           leave",
		"",
		"  ! marks what needs you. Failovers: TOTAL is the time without a writable "
		"primary;",
		"  DOUBT, GONE, WRITABLE, SESSION are moments since it began.",
		"",
		"  any key: back",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (p->frame->height && p->lines + 1 >= p->frame->height)
			return;
		page_put(p, LOOK_PLAIN, lines[i]);
		page_end_line(p);
	}
}

static bool is_too_small(const struct top_frame *f)
{
	return (f->width && f->width < TOP_MIN_WIDTH) || (f->height && f->height < TOP_MIN_HEIGHT);
}

/* Who is primary is said on any screen. */
static void draw_small(struct top_page *p, const struct top_model *m, const struct top_frame *f)
{
	if (f->lost)
		draw_lost(p, f);
	else
		page_printf(p, LOOK_WARN, "%ux%u: too small, %dx%d is needed", f->width, f->height,
			    TOP_MIN_WIDTH, TOP_MIN_HEIGHT);
	page_end_line(p);
	for (size_t i = 0; i < m->n_clusters && p->lines < f->height; i++) {
		const struct top_cluster *c = &m->clusters[i];

		page_printf(p, c->primary[0] ? LOOK_GOOD : LOOK_BAD, "%s: %s", c->name,
			    c->primary[0] ? c->primary : "NO PRIMARY");
		page_end_line(p);
	}
	while (p->lines < f->height)
		page_end_line(p);
}

/* ---- the last lines ---- */

static const struct top_server *find_server(const struct top_model *m, const char *backend,
					    const char *name)
{
	for (size_t i = 0; i < m->n_servers; i++)
		if (strcmp(m->servers[i].backend, backend) == 0 &&
		    strcmp(m->servers[i].name, name) == 0)
			return &m->servers[i];
	return NULL;
}

static bool has_another(const struct top_model *m, const struct top_state *s)
{
	for (size_t i = 0; i < m->n_servers; i++)
		if (strcmp(m->servers[i].backend, s->backend) == 0 &&
		    strcmp(m->servers[i].name, s->server) != 0 &&
		    strncmp(m->servers[i].status, "UP", 2) == 0)
			return true;
	return false;
}

static void draw_consequence(struct top_page *p, const struct top_model *m,
			     const struct top_state *s)
{
	static const char *const fate[N_ADMIN_STATES] = {
		[ADMIN_DRAIN] = "go on until they end",
		[ADMIN_MAINT] = "are cut at once",
		[ADMIN_READY] = "go on",
	};
	const struct top_server *server = find_server(m, s->backend, s->server);
	const char *newcomers = "new clients go to other servers";

	if (s->wanted == ADMIN_READY)
		newcomers = "it may get new ones while it has the role";
	else if (!has_another(m, s))
		newcomers = "new clients wait: no other is up";
	page_printf(p, LOOK_WARN, "Its %" PRId64 " sessions %s, %s.",
		    server && server->sessions > 0 ? server->sessions : 0, fate[s->wanted],
		    newcomers);
	page_end_line(p);
}

/* The question stays readable when the names are long. */
static void draw_question(struct top_page *p, const struct top_state *s)
{
	static const char end[] = "? y/n";
	char text[2 * TOP_NAME_BYTES + 32];
	unsigned room = page_columns_left(p);

	snprintf(text, sizeof(text), "Set %s/%s to %s", s->backend, s->server,
		 admin_state_name(s->wanted));
	if (room <= strlen(text) + strlen(end))
		page_cell(p, LOOK_STRONG, text, room - (unsigned)sizeof(end), false);
	else
		page_put(p, LOOK_STRONG, text);
	page_put(p, LOOK_STRONG, end);
	page_end_line(p);
}

static void draw_last(struct top_page *p, const struct top_state *s, const struct top_frame *f)
{
	static const char keys[] = "Tab table  j/k row  </> sort  o order  d drain  r ready  "
				   "m maint  p probe  ? help  q quit";
	static const char brief[] = "Tab  j/k  </>  o  d drain  r ready  m maint  p probe  ? help  "
				    "q quit";

	if (s->message[0] && f->now_ms < s->message_until_ms)
		page_put(p, s->alarming ? LOOK_BAD : LOOK_STRONG, s->message);
	else
		page_put(p, LOOK_DIM, page_columns_left(p) < sizeof(keys) ? brief : keys);
	page_end_line(p);
}

static void skip_to(struct top_page *p, unsigned lines)
{
	while (p->lines < lines)
		page_end_line(p);
}

/* ---- all of it ---- */

/* A question has two lines, the first of them over a row of the last table. */
static void draw_body(struct top_page *p, const struct top_model *m, const struct top_state *s,
		      unsigned lines)
{
	struct buf body = {0};
	struct top_page whole = *p;

	whole.out = &body;
	if (s->help)
		draw_help(&whole);
	else
		draw_tables(&whole, m, s);
	for (const char *at = body.data; at && *at && p->lines < lines; p->lines++) {
		const char *end = strchr(at, '\n');
		size_t len = end ? (size_t)(end + 1 - at) : strlen(at);

		buf_append(p->out, at, len);
		at += len;
	}
	buf_fini(&body);
	skip_to(p, lines);
}

void top_draw(const struct top_model *m, const struct top_state *s, const struct top_frame *f,
	      struct buf *out)
{
	struct top_page p;

	page_begin(&p, f, out);
	if (is_too_small(f)) {
		draw_small(&p, m, f);
		return;
	}
	draw_first(&p, m, f);
	if (f->height == 0) {
		draw_tables(&p, m, s);
		return;
	}
	draw_body(&p, m, s, f->height - 1 - s->asking);
	if (s->asking) {
		draw_consequence(&p, m, s);
		draw_question(&p, s);
	} else {
		draw_last(&p, s, f);
	}
}
