/* Bytes for a regular file, through a ring to a thread of its own.
 *
 * Happy path: put() copies into the ring and wakes the thread, which writes what is there in one
 * piece. What goes wrong: the disk is full or the file too big (the rest is tried again every
 * LOG_WRITER_RETRY_MS; a line of which a part was taken is finished first), the disk stands still
 * (the thread waits in write(); the ring fills, and put() says so), the process ends meanwhile
 * (stop() waits a moment only). The region that is being written is not overwritten: it leaves the
 * ring when write() has returned. */
#include "io/log_writer.h"
#include "base/mem.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct log_writer {
	pthread_mutex_t lock;
	pthread_cond_t news; /* bytes for an idle thread, or the end */
	pthread_cond_t done; /* the thread is */
	pthread_t thread;
	int fd;
	bool idle, stopping, ended;
	bool abandoned; /* nobody waits for it any more: it frees itself */
	bool failing;   /* the last write took nothing */
	size_t first, used;
	char ring[LOG_WRITER_RING_BYTES];
};

static struct timespec in_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* ---- the thread ---- */

/* Until there is something to write; after a failure, until it is time to try again. */
static void wait_for_work(struct log_writer *w)
{
	struct timespec retry = in_ms(LOG_WRITER_RETRY_MS);

	if (w->failing && !w->stopping)
		pthread_cond_timedwait(&w->news, &w->lock, &retry);
	w->idle = true;
	while (w->used == 0 && !w->stopping)
		pthread_cond_wait(&w->news, &w->lock);
	w->idle = false;
}

static void write_some(struct log_writer *w)
{
	size_t to_end = sizeof(w->ring) - w->first, n = w->used < to_end ? w->used : to_end;
	const char *at = w->ring + w->first;
	ssize_t wrote;

	pthread_mutex_unlock(&w->lock);
	do
		wrote = write(w->fd, at, n);
	while (wrote < 0 && errno == EINTR);
	pthread_mutex_lock(&w->lock);
	w->failing = wrote <= 0;
	if (wrote > 0) {
		w->first = (w->first + (size_t)wrote) % sizeof(w->ring);
		w->used -= (size_t)wrote;
	}
	if (w->used == 0)
		w->first = 0; /* so that only as much memory is touched as was ever needed */
}

/* The last words of a process whose disk is full are not waited for. */
static bool is_over(const struct log_writer *w)
{
	return w->stopping && (w->used == 0 || w->failing);
}

static void destroy(struct log_writer *w)
{
	pthread_cond_destroy(&w->news);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void *run(void *arg)
{
	struct log_writer *w = arg;
	bool abandoned;

	pthread_mutex_lock(&w->lock);
	while (!is_over(w)) {
		wait_for_work(w);
		if (w->used > 0)
			write_some(w);
	}
	w->ended = true;
	abandoned = w->abandoned;
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
	if (abandoned)
		destroy(w);
	return NULL;
}

/* ---- the others ---- */

/* Signals are other threads' business. SIGXFSZ, which a file beyond its limit raises in the thread
 * that writes, would even end the process. */
static int start_thread(struct log_writer *w)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

struct log_writer *log_writer_start(int fd)
{
	struct log_writer *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t monotonic;

	w->fd = fd;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->news, &monotonic);
	pthread_cond_init(&w->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (start_thread(w) == 0)
		return w;
	destroy(w);
	return NULL;
}

static void copy_in(struct log_writer *w, const char *bytes, size_t n)
{
	size_t at = (w->first + w->used) % sizeof(w->ring);
	size_t to_end = sizeof(w->ring) - at, head = n < to_end ? n : to_end;

	memcpy(w->ring + at, bytes, head);
	memcpy(w->ring, bytes + head, n - head);
	w->used += n;
}

bool log_writer_put(struct log_writer *w, const char *bytes, size_t n)
{
	bool fits;

	pthread_mutex_lock(&w->lock);
	fits = n <= sizeof(w->ring) - w->used;
	if (fits)
		copy_in(w, bytes, n);
	if (fits && w->idle)
		pthread_cond_signal(&w->news);
	pthread_mutex_unlock(&w->lock);
	return fits;
}

bool log_writer_stop(struct log_writer *w, long most_ms)
{
	struct timespec until = in_ms(most_ms);
	bool ended;

	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->news);
	while (!w->ended && pthread_cond_timedwait(&w->done, &w->lock, &until) == 0)
		continue;
	ended = w->ended;
	w->abandoned = !ended;
	if (!ended) /* under the lock: it may free itself right after */
		pthread_detach(w->thread);
	pthread_mutex_unlock(&w->lock);
	if (!ended)
		return false;
	pthread_join(w->thread, NULL);
	destroy(w);
	return true;
}
