/* The screens of `isari top`, from models, and what its keys do. */
#include "admin/top.h"
#include "wire/top_json.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct top_model m;
	struct top_state s;
	struct top_frame f;
	struct top_act act;
	struct buf screen;
};

static void read_clusters(struct world *w, const char *json)
{
	assert_int_equal(top_json_clusters(&w->m, json, strlen(json)), 0);
}

static void read_events(struct world *w, const char *json)
{
	assert_int_equal(top_json_events(&w->m, json, strlen(json)), 0);
}

#define NODE(name, role, rest)                                                                \
	"{\"name\":\"" name "\",\"role\":\"" role "\",\"state\":\"running\",\"up\":true,"     \
	"\"timeline\":3,\"outcome\":\"answered\",\"last_answer_ms\":300,\"sessions\":2," rest \
	"\"why\":\"has the role that is served here\"}"
#define SERVER(name, status, sessions)                                                           \
	"{\"name\":\"" name "\",\"status\":\"" status "\",\"weight\":100,\"sessions\":" sessions \
	",\"sessions_total\":7,\"why\":\"because\"}"
#define LISTENER(name, serve, rest, servers)                                                       \
	"{\"name\":\"" name "\",\"backend\":\"" name "\",\"serve\":[\"" serve "\"],"               \
	"\"status\":\"OPEN\",\"sessions\":12,\"sessions_total\":100,\"rate\":2,"                   \
	"\"bytes_in\":1000,\"bytes_out\":2000,\"held\":3,\"cuts\":4," rest "\"servers\":[" servers \
	"]}"

static const char usual[] =
	"{\"clusters\":[{\"name\":\"main\",\"primary\":\"n1\",\"since_ms\":7380000,\"timeline\":3,"
	"\"why\":\"n1 proves that it is the writable primary\",\"members\":[" //
	NODE("n1", "primary", "\"lag_bytes\":0,") "," NODE(
		"n2", "replica",
		"\"lag_bytes\":1048576,") "," //
					  "{\"name\":\"n3\",\"outcome\":\"timeout\",\"last_answer_"
					  "ms\":12100,\"up\":false,"
					  "\"why\":\"does not answer on its Patroni "
					  "port\",\"sessions\":0}],\"listeners\":[" //
	LISTENER("write", "primary", "\"waiting\":0,",
		 SERVER("n1", "UP", "12") "," SERVER("n2", "DOWN", "0") "," SERVER("n3", "DOWN",
										   "0")) "," //
	LISTENER("read", "replica", "\"waiting\":5,\"waiting_ms\":2500,",
		 SERVER("n1", "DOWN", "0") "," SERVER("n2", "UP", "9") "," SERVER("n3", "DRAIN",
										  "1")) "]}]}";

static const char failover[] =
	"{\"events\":[{\"cluster\":\"main\",\"from\":\"n2\",\"to\":\"n1\",\"kind\":\"failover\","
	"\"why\":\"was silent\",\"from_timeline\":2,\"to_timeline\":3,"
	"\"began\":\"2026-11-20T10:58:47.123Z\",\"gap_ms\":2150,\"closed\":true,\"phases\":["
	"{\"key\":\"first_doubt_ms\",\"at_ms\":0},{\"key\":\"gone_ms\",\"at_ms\":150},"
	"{\"key\":\"writable_ms\",\"at_ms\":1900},{\"key\":\"first_session_ms\",\"at_ms\":2001}],"
	"\"cut\":17,\"held\":8,\"released\":8,\"refused\":0}]}";

static const char info[] = "Version: 2.6.0-isari-0.1.0\nnode: db1\nPid: 1\nUptime_sec: 7380\n"
			   "CurrConns: 24\nStopping: 0\n";

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	top_state_init(&w->s);
	w->f = (struct top_frame){.width = 80, .height = 24, .now_ms = 1000};
	read_clusters(w, usual);
	read_events(w, failover);
	top_json_info(&w->m, info, strlen(info));
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	top_model_fini(&w->m);
	buf_fini(&w->screen);
	free(w);
	return 0;
}

static const char *draw(struct world *w)
{
	buf_clear(&w->screen);
	top_draw(&w->m, &w->s, &w->f, &w->screen);
	return w->screen.data;
}

static void shows(struct world *w, const char *text)
{
	if (!strstr(draw(w), text))
		print_error("no match in\n%s\n", w->screen.data);
	assert_non_null(strstr(w->screen.data, text));
}

static void shows_no(struct world *w, const char *text)
{
	if (strstr(draw(w), text))
		print_error("'%s' is in\n%s\n", text, w->screen.data);
	assert_null(strstr(w->screen.data, text));
}

static enum top_act_type hit(struct world *w, int key)
{
	top_key_take(&w->s, &w->m, &w->f, key, &w->act);
	return w->act.type;
}

/* Lines of the screen; fails when one is wider than the screen, counting what is seen only. */
static unsigned count_lines(struct world *w)
{
	unsigned lines = 0, columns = 0;

	for (const char *p = draw(w); *p; p++) {
		if (*p == '\x1b') {
			p += strcspn(p, "HJKm");
		} else if (*p == '\n') {
			lines++;
			columns = 0;
		} else if (*p != '\r') {
			assert_in_range((unsigned char)*p, ' ', '~');
			assert_true(w->f.width == 0 || ++columns <= w->f.width);
		}
	}
	return lines + (w->f.style != TOP_PLAIN);
}

/* ---- what is shown ---- */

static void the_usual_cluster_fits_80x24(void **state)
{
	struct world *w = *state;

	static const char *const wanted =
		"isari top  db1  version 0.1.0  up 2h03m  24 sessions  5 waiting\n"
		"  CLUSTER PRIMARY SINCE TL SESS WAIT WHY\n"
		"  main    n1      2h03m  3   24    5 n1 proves that it is the writable primary\n"
		"  NODE ROLE    STATE   TL  LAG        ANSWER SESS WHY\n"
		" !n3   -       -        -    - timeout 12.1s    0 does not answer on its Patron~\n"
		"  n1   primary running  3    -         300ms    2 has the role that is served h~\n"
		"  n2   replica running  3 1.0M         300ms    2 has the role that is served h~\n"
		"  LISTENER SERVES  STATUS SESS RATE IN/s OUT/s WAIT OLDEST HELD CUT\n"
		" !read     replica OPEN     12  2.0    -     -    5   2.5s    3   4\n"
		"  write    primary OPEN     12  2.0    -     -    0      -    3   4\n"
		"> LISTENER SERVER STATUS WEIGHT SESS TOTAL WHY\n"
		"> write    n1     UP        100   12     7 because\n"
		"  write    n2     DOWN      100    0     7 because\n"
		"  write    n3     DOWN      100    0     7 because\n"
		"  read     n1     DOWN      100    0     7 because\n"
		"  read     n2     UP        100    9     7 because\n"
		"  read     n3     DRAIN     100    1     7 because\n";
	shows(w, wanted);
	shows(w, "11-20 10:58:47 n2 -> n1");
	assert_int_equal(count_lines(w), 24);
}

static void every_size_and_style_stays_inside_its_screen(void **state)
{
	static const unsigned widths[] = {1, 7, 20, 49, 50, 51, 64, 79, 80, 81, 120, 300};
	static const unsigned heights[] = {1, 2, 5, 11, 12, 13, 24, 50};
	struct world *w = *state;

	for (int style = TOP_PLAIN; style <= TOP_COLOUR; style++)
		for (size_t x = 0; x < sizeof(widths) / sizeof(widths[0]); x++)
			for (size_t y = 0; y < sizeof(heights) / sizeof(heights[0]); y++)
				for (int t = 0; t < 4; t++) {
					w->f.style = (enum top_style)style;
					w->f.width = widths[x];
					w->f.height = heights[y];
					w->s.help = t == 1;
					w->s.asking = t == 2;
					w->f.lost = t == 3 ? "connection refused" : NULL;
					assert_int_equal(count_lines(w), heights[y]);
				}
}

static void a_small_screen_says_so_and_who_is_primary(void **state)
{
	struct world *w = *state;

	w->f.width = 40;
	shows(w, "40x24: too small, 50x12 is needed\nmain: n1\n");
	w->f.width = 80;
	w->f.height = 5;
	shows(w, "80x5: too small");
}

static void a_wide_screen_shows_whole_sentences(void **state)
{
	struct world *w = *state;

	w->f.width = 160;
	shows(w, "  2 has the role that is served here\n");
	shows(w, "WRITABLE SESSION CUT HELD REFUSED WHY");
	shows(w, "2->3  2.1s   0ms 150ms     1.9s    2.0s  17    8       0 was silent\n");
}

static void without_a_primary_the_cluster_comes_first(void **state)
{
	struct world *w = *state;

	read_clusters(w, "{\"clusters\":[{\"name\":\"good\",\"primary\":\"a\"},"
			 "{\"name\":\"bad\",\"primary\":null,\"ambiguous\":true,\"since_ms\":900,"
			 "\"why\":\"two prove it\"}]}");
	shows(w, "SINCE TL SESS WAIT WHY\n"
		 " !bad     NONE: two claim it 900ms  -    0    0 two prove it\n"
		 "  good    a");
	w->f.width = 30;
	shows(w, "good: a\nbad: NO PRIMARY\n");
}

static void doubt_is_said(void **state)
{
	struct world *w = *state;

	read_clusters(w, "{\"clusters\":[{\"name\":\"c\",\"primary\":\"a\",\"in_doubt\":true,"
			 "\"why\":\"a is silent\"}]}");
	shows(w, "a is silent, asked fast");
}

static void with_several_clusters_rows_say_whose_they_are(void **state)
{
	struct world *w = *state;

	shows_no(w, "NODE   CLUSTER");
	read_clusters(w, "{\"clusters\":[{\"name\":\"c1\",\"primary\":\"a\",\"members\":[" NODE(
				 "a", "primary", "") "]},{\"name\":\"c2\",\"members\":[" //
		      NODE("a", "primary", "") "]}]}");
	shows(w, "  NODE CLUSTER ROLE");
	shows(w, "  a    c1      primary");
	shows(w, "  a    c2      primary");
}

static void failovers_that_may_not_be_seen_are_explained(void **state)
{
	struct world *w = *state;

	top_model_fini(&w->m);
	shows(w, "  none since isari started\n");
	w->m.events_denied = true;
	shows(w, "  not for this socket: they need level operator\n");
	shows(w, "  no server\n");
}

static void changes_are_told_by_their_kind(void **state)
{
	struct world *w = *state;

	w->f.width = 120;
	read_events(w, "{\"events\":[{\"kind\":\"start\",\"to\":\"n1\"},"
		       "{\"kind\":\"failover\",\"from\":\"n1\"},"
		       "{\"kind\":\"interruption\",\"from\":\"n1\",\"to\":\"n1\"},"
		       "{\"kind\":\"return\",\"from\":\"n1\",\"to\":\"n1\",\"closed\":true}]}");
	shows(w, "start: n1");
	shows(w, "n1 -> nobody yet");
	shows(w, "n1 in doubt");
	shows(w, "n1 gone");
}

static void long_and_hostile_names_are_cut_and_harmless(void **state)
{
	struct world *w = *state;
	char json[1024];

	snprintf(json, sizeof(json),
		 "{\"clusters\":[{\"name\":\"%064d\",\"primary\":\"%064d\",\"members\":[" NODE(
			 "%064d", "primary", "") "],\"listeners\":[" //
		 LISTENER("%s", "primary", "", SERVER("%s", "UP", "1")) "]}]}",
		 1, 2, 3, "\\u001b]0;x\\u0007", "be", "\\u009b2J\\r\\n");
	read_clusters(w, json);
	for (int style = TOP_PLAIN; style <= TOP_COLOUR; style++) {
		w->f.style = (enum top_style)style;
		assert_int_equal(count_lines(w), 24);
		assert_null(strstr(w->screen.data, "]0;x\a"));
		assert_null(strstr(w->screen.data, "\xc2\x9b"));
	}
	w->f.style = TOP_PLAIN;
	shows(w, "?]0;x?");
	shows(w, "~ ");
	hit(w, 'd');
	shows(w, "? y/n");
	assert_int_equal(hit(w, 'y'), TOP_ACT_NONE); /* no such name fits into a command */
	shows(w, "Nothing was changed");
}

static void names_that_bypass_the_reader_are_made_printable_too(void **state)
{
	struct world *w = *state;

	strcpy(w->m.servers[0].name, "\x1b[2J\x07\xff");
	strcpy(w->m.process.node, "\x1b[31m");
	w->f.style = TOP_COLOUR;
	assert_int_equal(count_lines(w), 24);
	shows(w, "?[2J??");
}

static void a_full_line_is_not_cleared_behind_its_end(void **state)
{
	struct world *w = *state;
	const char *titles;

	w->f.style = TOP_MONO;
	titles = strstr(draw(w), "CLUSTER PRIMARY");
	assert_non_null(titles);
	assert_memory_equal(strchr(titles, '\r') - 4, "\x1b[0m", 4);
	assert_memory_equal(w->screen.data, "\x1b[H", 3);
	assert_int_not_equal(w->screen.data[w->screen.len - 1], '\n');
}

static void colours_are_for_those_who_want_them(void **state)
{
	struct world *w = *state;

	w->f.style = TOP_PLAIN;
	shows_no(w, "\x1b");
	w->f.style = TOP_MONO;
	shows(w, "\x1b[7m");
	shows_no(w, "\x1b[3");
	w->f.style = TOP_COLOUR;
	shows(w, "\x1b[32mn1");
}

static void what_is_old_says_how_old(void **state)
{
	struct world *w = *state;

	w->f.age_ms = 900;
	shows_no(w, "old");
	w->f.age_ms = 7200;
	shows(w, "7.2s old");
	w->f.lost = "connection refused";
	shows(w, "isari is away: this is 7.2s old; connecting again (connection refused)\n");
	shows(w, "n1 proves");
}

static void one_frame_for_scripts_has_everything_at_any_length(void **state)
{
	struct world *w = *state;

	w->f = (struct top_frame){.style = TOP_PLAIN};
	w->s.focus = N_TOP_TABLES;
	shows(w, "has the role that is served here\n");
	shows(w, "  read     n3     DRAIN ");
	shows_no(w, ">  ");
	shows_no(w, "q quit");
	shows_no(w, " \n");
}

/* ---- choosing ---- */

static void many_servers(struct world *w, unsigned n)
{
	struct buf b = {0};

	buf_puts(&b, "{\"clusters\":[{\"name\":\"main\",\"primary\":\"n1\",\"listeners\":["
		     "{\"name\":\"write\",\"backend\":\"write\",\"servers\":[");
	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "%s{\"name\":\"n%u\",\"status\":\"UP\",\"sessions\":%u}",
			   i ? "," : "", i + 1, i * 7 % 10);
	buf_puts(&b, "]}]}]}");
	read_clusters(w, b.data);
	buf_fini(&b);
}

static void what_does_not_fit_is_paged(void **state)
{
	struct world *w = *state;

	many_servers(w, 100);
	shows(w, " 1-13 of 100\n");
	shows_no(w, " n14 ");
	hit(w, TOP_KEY_PAGE_DOWN);
	shows(w, "> write    n14 ");
	hit(w, 'G');
	shows(w, " 88-100 of 100\n");
	shows(w, "> write    n100 ");
	hit(w, TOP_KEY_DOWN);
	shows(w, "> write    n100 ");
	hit(w, TOP_KEY_UP);
	shows(w, "> write    n99 ");
	hit(w, TOP_KEY_HOME);
	hit(w, TOP_KEY_PAGE_UP);
	shows(w, "> write    n1 ");
	assert_int_equal(count_lines(w), 24);
}

static void columns_are_sorted_and_turned(void **state)
{
	struct world *w = *state;

	many_servers(w, 12);
	w->f.height = 50;
	hit(w, '>');
	shows(w, "LISTENER+");
	hit(w, '>');
	shows(w, "SERVER+"); /* n2 before n10 */
	assert_true(strstr(w->screen.data, " n9 ") < strstr(w->screen.data, " n10 "));
	hit(w, 'o');
	shows(w, "SERVER-");
	assert_true(strstr(w->screen.data, " n9 ") > strstr(w->screen.data, " n10 "));
	hit(w, '>');
	hit(w, '>'); /* WEIGHT is not said, but shown */
	hit(w, '>');
	shows(w, "SESS-");
	assert_true(strstr(w->screen.data, " n8 ") < strstr(w->screen.data, " n5 "));
	hit(w, '<');
	hit(w, '<');
	hit(w, '<');
	hit(w, '<');
	hit(w, '<');
	shows(w, "LISTENER SERVER STATUS"); /* as configured again */
	assert_int_equal(w->s.table[TOP_SERVERS].column, -1);
	hit(w, 'o');
	assert_false(w->s.table[TOP_SERVERS].descending);
}

static void columns_that_are_not_shown_are_not_sorted_by(void **state)
{
	struct world *w = *state;
	int seen = 0;

	hit(w, TOP_KEY_LEFT);
	hit(w, TOP_KEY_LEFT);
	assert_int_equal(w->s.focus, TOP_NODES);
	do {
		hit(w, '>');
		assert_int_not_equal(w->s.table[TOP_NODES].column, 1); /* CLUSTER: there is one */
		seen++;
	} while (w->s.table[TOP_NODES].column >= 0);
	assert_in_range(seen, 4, 9);
}

static void unknown_numbers_come_last_in_both_directions(void **state)
{
	struct world *w = *state;
	const char *screen;

	w->f.width = 120;
	w->s.focus = TOP_NODES;
	while (w->s.table[TOP_NODES].column != 4) /* TL */
		hit(w, '>');
	for (int i = 0; i < 2; i++) {
		screen = draw(w);
		assert_true(strstr(screen, "!n3 ") > strstr(screen, "  n1 "));
		assert_true(strstr(screen, "!n3 ") > strstr(screen, "  n2 "));
		hit(w, 'o');
	}
}

static void the_selection_stays_with_its_server(void **state)
{
	struct world *w = *state;

	many_servers(w, 12);
	hit(w, 'j');
	hit(w, 'j');
	shows(w, "> write    n3 ");
	hit(w, '>');
	hit(w, '>');
	hit(w, 'o');
	shows(w, "> write    n3 ");
	many_servers(w, 2); /* it is gone: the nearest one */
	hit(w, 'd');
	shows(w, "Set write/n1 to drain? y/n");
}

static void the_table_in_focus_gets_the_room(void **state)
{
	struct world *w = *state;

	many_servers(w, 100);
	hit(w, '\t');
	assert_int_equal(w->s.focus, TOP_EVENTS);
	hit(w, '\t');
	assert_int_equal(w->s.focus, TOP_CLUSTERS);
	shows(w, "> CLUSTER");
	shows(w, "  LISTENER SERVER");
	hit(w, TOP_KEY_BACK_TAB);
	hit(w, TOP_KEY_BACK_TAB);
	shows(w, "> LISTENER SERVER");
	shows(w, " 1-13 of 100");
}

static void help_names_the_keys_and_goes_again(void **state)
{
	struct world *w = *state;

	hit(w, '?');
	shows(w, "  d                   drain");
	shows_no(w, "PRIMARY");
	assert_int_equal(hit(w, 'd'), TOP_ACT_NONE);
	shows(w, "PRIMARY");
	shows_no(w, "y/n");
}

/* ---- changing ---- */

static void nothing_changes_without_a_yes(void **state)
{
	static const int no[] = {'n', 'N', TOP_KEY_ESCAPE, '\r', 'd', 'q', TOP_KEY_DOWN};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		assert_int_equal(hit(w, 'd'), TOP_ACT_NONE);
		shows(w, "Its 12 sessions go on until they end, new clients wait: no other is up.\n"
			 "Set write/n1 to drain? y/n\n");
		assert_int_equal(hit(w, no[i]), TOP_ACT_NONE);
		shows(w, "Nothing was changed.");
		assert_int_equal(hit(w, 'y'), TOP_ACT_NONE);
	}
}

static void drain_ready_and_maint_become_commands(void **state)
{
	struct world *w = *state;

	hit(w, 'd');
	assert_int_equal(hit(w, 'y'), TOP_ACT_COMMAND);
	assert_string_equal(w->act.command, "set server write/n1 state drain");
	top_replied(&w->s, w->act.command, "", w->f.now_ms);
	shows(w, "write/n1 was set to drain.\n");
	many_servers(w, 3);
	hit(w, 'j');
	hit(w, 'm');
	shows(w, "Its 7 sessions are cut at once, new clients go to other servers.");
	assert_int_equal(hit(w, 'Y'), TOP_ACT_COMMAND);
	assert_string_equal(w->act.command, "set server write/n2 state maint");
	hit(w, 'r');
	shows(w, "Its 7 sessions go on, it may get new ones while it has the role.");
	assert_int_equal(hit(w, 'y'), TOP_ACT_COMMAND);
	assert_string_equal(w->act.command, "set server write/n2 state ready");
}

static void the_question_is_about_the_server_that_was_chosen(void **state)
{
	struct world *w = *state;

	hit(w, 'd');
	many_servers(w, 30); /* the next reading has others in its place */
	w->s.table[TOP_SERVERS].column = 1;
	w->s.table[TOP_SERVERS].descending = true;
	shows(w, "Set write/n1 to drain? y/n");
	assert_int_equal(hit(w, 'y'), TOP_ACT_COMMAND);
	assert_string_equal(w->act.command, "set server write/n1 state drain");
}

static void only_a_server_can_be_drained(void **state)
{
	struct world *w = *state;

	hit(w, '\t');
	assert_int_equal(hit(w, 'd'), TOP_ACT_NONE);
	assert_false(w->s.asking);
	shows(w, "drain is for a server: choose one with Tab, j and k");
	top_model_fini(&w->m);
	w->s.focus = TOP_SERVERS;
	hit(w, 'm');
	assert_false(w->s.asking);
}

static void replies_are_told(void **state)
{
	struct world *w = *state;
	static const char drain[] = "set server a/b state drain";

	top_replied(&w->s, drain, "Permission denied\n", w->f.now_ms);
	shows(w, "Not allowed: this socket needs level admin (stats.socket) for that.");
	top_replied(&w->s, "probe", "Permission denied\n", w->f.now_ms);
	shows(w, "needs level operator");
	top_replied(&w->s, drain, "No such server.\n", w->f.now_ms);
	shows(w, "No such server.\n");
	top_replied(&w->s, drain, NULL, w->f.now_ms);
	shows(w, "isari was away: look what became of it: set server a/b state drain");
	top_replied(&w->s, "probe", "", w->f.now_ms);
	shows(w, "All nodes are asked now");
	w->f.now_ms += 60000;
	shows_no(w, "All nodes are asked now");
}

static void the_other_keys_do_what_help_says(void **state)
{
	struct world *w = *state;

	assert_int_equal(hit(w, 'p'), TOP_ACT_COMMAND);
	assert_string_equal(w->act.command, "probe");
	assert_int_equal(hit(w, 'q'), TOP_ACT_QUIT);
	assert_int_equal(hit(w, 3), TOP_ACT_QUIT);
	assert_int_equal(hit(w, 12), TOP_ACT_REPAINT);
	assert_int_equal(hit(w, 26), TOP_ACT_SUSPEND);
	hit(w, 'd');
	assert_int_equal(hit(w, 3), TOP_ACT_QUIT);
	assert_int_equal(hit(w, 'x'), TOP_ACT_NONE);
}

static void keys_are_read_from_what_terminals_send(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int key;
	} rows[] = {
		{"j", 1, 'j'},
		{"\x1b[A", 3, TOP_KEY_UP},
		{"\x1bOB", 3, TOP_KEY_DOWN},
		{"\x1b[6~x", 4, TOP_KEY_PAGE_DOWN},
		{"\x1b[Z", 3, TOP_KEY_BACK_TAB},
		{"\x1b", 1, TOP_KEY_ESCAPE},
		{"\x1b\x1b", 1, TOP_KEY_ESCAPE},
		{"\x1b[1;5Cy", 6, TOP_KEY_UNKNOWN},
		{"\x1b[200", 5, TOP_KEY_UNKNOWN},
		{"\xff", 1, 0xff},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int key = -1;

		assert_int_equal(top_key_read(rows[i].bytes, strlen(rows[i].bytes), &key),
				 rows[i].len);
		assert_int_equal(key, rows[i].key);
	}
}

/* ---- rates ---- */

static void rates_are_what_two_readings_differ_in(void **state)
{
	struct world *w = *state;
	struct top_model before = {0};

	assert_int_equal(top_json_clusters(&before, usual, strlen(usual)), 0);
	before.process.pid = w->m.process.pid;
	w->m.listeners[0].bytes_in += 500;
	w->m.listeners[0].bytes_out += 3 * 1024 * 1024;
	w->m.listeners[0].sessions_total += 1;
	w->m.listeners[1].bytes_in -= 1; /* its counters were cleared */
	top_rates(&w->m, &before, 2000, 500);
	shows(w, "  write    primary OPEN     12  0.5  250  1.5M ");
	shows(w, " !read     replica OPEN     12    0    -     0 ");
	top_model_fini(&before);
}

static void readings_close_together_keep_the_rates(void **state)
{
	struct world *w = *state;
	struct top_model before = {0};

	assert_int_equal(top_json_clusters(&before, usual, strlen(usual)), 0);
	before.process.pid = w->m.process.pid;
	before.listeners[0].in_per_second = 77;
	w->m.listeners[0].bytes_in += 100000;
	top_rates(&w->m, &before, 3, 500);
	shows(w, "  77 ");
	before.process.pid++; /* another process */
	w->m.listeners[0].in_per_second = -1;
	top_rates(&w->m, &before, 1000, 500);
	assert_true(w->m.listeners[0].in_per_second < 0);
	top_model_fini(&before);
}

#define story(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(the_usual_cluster_fits_80x24),
		story(every_size_and_style_stays_inside_its_screen),
		story(a_small_screen_says_so_and_who_is_primary),
		story(a_wide_screen_shows_whole_sentences),
		story(without_a_primary_the_cluster_comes_first),
		story(doubt_is_said),
		story(with_several_clusters_rows_say_whose_they_are),
		story(failovers_that_may_not_be_seen_are_explained),
		story(changes_are_told_by_their_kind),
		story(long_and_hostile_names_are_cut_and_harmless),
		story(names_that_bypass_the_reader_are_made_printable_too),
		story(a_full_line_is_not_cleared_behind_its_end),
		story(colours_are_for_those_who_want_them),
		story(what_is_old_says_how_old),
		story(one_frame_for_scripts_has_everything_at_any_length),
		story(what_does_not_fit_is_paged),
		story(columns_are_sorted_and_turned),
		story(columns_that_are_not_shown_are_not_sorted_by),
		story(unknown_numbers_come_last_in_both_directions),
		story(the_selection_stays_with_its_server),
		story(the_table_in_focus_gets_the_room),
		story(help_names_the_keys_and_goes_again),
		story(nothing_changes_without_a_yes),
		story(drain_ready_and_maint_become_commands),
		story(the_question_is_about_the_server_that_was_chosen),
		story(only_a_server_can_be_drained),
		story(replies_are_told),
		story(the_other_keys_do_what_help_says),
		story(keys_are_read_from_what_terminals_send),
		story(rates_are_what_two_readings_differ_in),
		story(readings_close_together_keep_the_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
