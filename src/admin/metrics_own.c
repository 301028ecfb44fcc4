/* isari_worker_*, isari_control_* and other things about isari itself. */
#include "admin/metrics.h"

static const struct worker_numbers *worker(const struct metrics *m, unsigned i)
{
	return &m->facts->workers[i];
}

#define VALUE(name, expression)                                            \
	static struct prom_value name(const struct metrics *m, unsigned i) \
	{                                                                  \
		(void)i;                                                   \
		return (expression);                                       \
	}

VALUE(turns, PROM_INTEGER(worker(m, i)->turns))
VALUE(long_turns, PROM_INTEGER(worker(m, i)->long_turns))
VALUE(longest_turn, PROM_US(worker(m, i)->longest_turn_us))
VALUE(late, PROM_INTEGER(worker(m, i)->late))
VALUE(sleeps, PROM_INTEGER(worker(m, i)->sleeps))
VALUE(spins, PROM_INTEGER(worker(m, i)->spins))
VALUE(spun, PROM_US(worker(m, i)->spun_us))
VALUE(sessions, PROM_INTEGER(worker(m, i)->sessions))
VALUE(worker_generation, PROM_INTEGER(worker(m, i)->generation))
VALUE(generation, PROM_INTEGER(m->facts->report->generation))
VALUE(dropped, PROM_INTEGER(m->facts->process->dropped_logs))
VALUE(operators, PROM_INTEGER(m->facts->process->operators))
VALUE(lookups, PROM_INTEGER(m->facts->meters ? m->facts->meters->lookups : 0))
VALUE(failed_lookups, PROM_INTEGER(m->facts->meters ? m->facts->meters->failed_lookups : 0))
VALUE(reload_ok, PROM_INTEGER(m->facts->process->reload_ok))
VALUE(reloads, PROM_INTEGER(m->facts->process->reloads))
VALUE(reload_failures, PROM_INTEGER(m->facts->process->reload_failures))
VALUE(pool_bytes, PROM_INTEGER(worker(m, i)->pool_bytes))
VALUE(pool_used_bytes, PROM_INTEGER(worker(m, i)->pool_used_bytes))
VALUE(slow_bytes, PROM_INTEGER(worker(m, i)->slow_bytes))
VALUE(page_bytes, PROM_INTEGER(m->facts->meters ? m->facts->meters->page_bytes : 0))

static bool build_info(const struct metrics *m, unsigned i, struct buf *labels)
{
	(void)m;
	(void)i;
	prom_label(labels, "version", ISARI_VERSION);
	prom_label(labels, "compiler", __VERSION__);
	return true;
}

static const struct hist *late_times(const struct metrics *m, unsigned i)
{
	(void)i;
	return m->facts->meters ? &m->facts->meters->late_us : NULL;
}

static const struct hist *page_times(const struct metrics *m, unsigned i)
{
	(void)i;
	return m->facts->meters ? &m->facts->meters->page_us : NULL;
}

_Static_assert(LONG_TURN_US == 2000, "a text below says so");

/* clang-format off */
static const struct metric workers[] = {
	{"isari_worker_sessions", PROM_GAUGE, "Sessions that the worker carries.",
	 .value = sessions},
	{"isari_worker_view_generation", PROM_GAUGE,
	 "The routing it goes by; isari_view_generation is the newest.",
	 .value = worker_generation},
	{"isari_worker_turns_total", PROM_COUNTER,
	 "Turns of its event loop, from waking to going to sleep again.", .value = turns},
	{"isari_worker_long_turns_total", PROM_COUNTER, "Turns longer than 2 ms.",
	 .value = long_turns},
	{"isari_worker_longest_turn_seconds", PROM_GAUGE, "The longest one since the start.",
	 .value = longest_turn},
	{"isari_worker_late_events_total", PROM_COUNTER,
	 "Events that came late in a long turn, and waited for the next.", .value = late},
	{"isari_worker_sleeps_total", PROM_COUNTER,
	 "Times it slept, or meant to and found something to do.", .value = sleeps},
	{"isari_worker_spins_total", PROM_COUNTER, "Times it polled for a moment before sleeping.",
	 .value = spins},
	{"isari_worker_spun_seconds_total", PROM_COUNTER, "How long it polled.", .value = spun},
	{"isari_worker_pool_bytes", PROM_GAUGE, "Memory it holds for sessions, in use or free.",
	 .value = pool_bytes},
	{"isari_worker_pool_used_bytes", PROM_GAUGE, "Of these, in use.", .value = pool_used_bytes},
	{"isari_worker_slow_bytes", PROM_GAUGE, "Memory it keeps for who reads slowly.",
	 .value = slow_bytes},
};

static const struct metric process[] = {
	{"isari_build_info", PROM_GAUGE, "The version that runs.", .info = build_info},
	{"isari_view_generation", PROM_GAUGE, "The newest routing that was published.",
	 .value = generation},
	{"isari_control_timer_late_seconds", PROM_HISTOGRAM,
	 "How late the timer of the thread that judges came.", .hist = late_times,
	 .hist_decimals = 6},
	{"isari_log_lines_dropped_total", PROM_COUNTER,
	 "Log lines lost because the log could not be written fast enough.", .value = dropped},
	{"isari_config_last_reload_successful", PROM_GAUGE,
	 "1 when the last reload was applied, or there was none; 0 when it was refused.",
	 .value = reload_ok},
	{"isari_config_reloads_total", PROM_COUNTER, "Reloads that were applied.",
	 .value = reloads},
	{"isari_config_reload_failures_total", PROM_COUNTER,
	 "Reloads that were refused: nothing was changed by these.", .value = reload_failures},
	{"isari_name_lookups_total", PROM_COUNTER, "Lookups of members' host names.",
	 .value = lookups},
	{"isari_name_lookup_failures_total", PROM_COUNTER,
	 "Of these, those that brought no address.",
	 .value = failed_lookups},
	{"isari_stats_clients", PROM_GAUGE, "Operators connected to the stats sockets.",
	 .value = operators},
	{"isari_metrics_page_seconds", PROM_HISTOGRAM,
	 "How long the thread that judges took to write such a page.", .hist = page_times,
	 .hist_decimals = 6},
	{"isari_metrics_page_bytes", PROM_GAUGE, "Size of the page before this one.",
	 .value = page_bytes},
};
/* clang-format on */

void metrics_own(const struct metrics *m)
{
	metrics_put(m, &m->workers, workers, sizeof(workers) / sizeof(workers[0]));
	metrics_put(m, &m->process, process, sizeof(process) / sizeof(process[0]));
}
