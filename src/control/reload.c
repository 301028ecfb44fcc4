/* Happy path: the file is read and checked as at the start (main/load_config.h), put into the order
 * of the one in force, and compared; the operator hears a line per change. What goes wrong: the
 * file cannot be read or has faults, or it asks for what a running process cannot do: each is a
 * line, and nothing is applied.
 *
 * Reading blocks the control thread, on purpose: a file is a few kilobytes and at hand, and while
 * it is read nothing else may change the configuration. A file system that hangs for longer than a
 * second counts as a pause of our own (rule 12): workers stand still, nobody is served on old
 * proofs. */
#include "control/reload.h"
#include "admin/replies.h"
#include "core/config_diff.h"
#include "io/log.h"
#include <string.h>

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* "isari.yaml:3:5: a: b" without its end, for the log. */
static void log_first_line(struct log_line *l, const char *text)
{
	log_fmt(l, "msg", "%.*s", (int)strcspn(text, "\n"), text);
}

static void refuse(const char *lines, struct buf *reply)
{
	struct log_line l;

	if (reply) {
		reply_error(reply, REPLY_NOT_RELOADED);
		buf_puts(reply, lines);
	}
	if (!log_begin(&l, SEVERITY_ERROR, "not_reloaded"))
		return;
	log_int(&l, "faults", (int64_t)count_lines(lines));
	log_first_line(&l, lines);
	log_end(&l);
}

static void log_changes(const struct config_diff *d)
{
	struct log_line l;

	if (!log_begin(&l, SEVERITY_INFO, "reloaded"))
		return;
	log_int(&l, "changes", (int64_t)d->n_changes);
	log_end(&l);
	for (const char *line = d->changes.data; *line; line = strchr(line, '\n') + 1) {
		if (!log_begin(&l, SEVERITY_INFO, "config_changed"))
			return;
		log_first_line(&l, line);
		log_end(&l);
	}
}

static void accept(const struct config_diff *d, struct buf *reply)
{
	log_changes(d);
	if (!reply)
		return;
	buf_puts(reply, d->n_changes ? "isari: configuration reloaded\n"
				     : "isari: configuration reloaded, nothing has changed\n");
	buf_puts(reply, d->changes.data);
}

struct config *reload_prepare(const struct reload_setup *setup, const struct config *now,
			      struct buf *reply)
{
	struct buf faults = {0};
	struct config *next = setup->load(setup->arg, &faults);
	struct config_diff d;

	if (next == NULL) {
		refuse(faults.data ? faults.data : "", reply);
		buf_fini(&faults);
		return NULL;
	}
	buf_fini(&faults);
	config_align(next, now);
	config_diff(now, next, &d);
	if (d.n_restarts > 0) {
		refuse(d.restarts.data, reply);
		config_unref(next);
		next = NULL;
	} else {
		accept(&d, reply);
	}
	config_diff_fini(&d);
	return next;
}

void reload_refuse(const char *why, struct buf *reply)
{
	refuse(why, reply);
}
