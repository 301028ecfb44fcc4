#pragma once
/* The faults of one configuration file: each with line, column, key and reason, told in the order
 * of the file however they were found. One reader's, one thread. */
#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

enum { MAX_FAULTS = 1000 }; /* what is beyond is counted and said in one last line */

struct fault {
	unsigned line, column;
	size_t order; /* as found; keeps faults of one place in this order */
	char *text;   /* "key: why", printable */
};

struct faults {
	struct fault *list;
	size_t n, cap, n_more;
	struct buf path; /* the dotted key that is being read */
};

void faults_fini(struct faults *f); /* a zeroed struct is a valid empty one */
bool faults_any(const struct faults *f);

/* Step into a key or a list item; faults found there carry it. Leave with what enter returned. */
size_t faults_enter(struct faults *f, const char *key);
size_t faults_enter_item(struct faults *f, size_t index);
void faults_leave(struct faults *f, size_t mark);

void faults_add(struct faults *f, unsigned line, unsigned column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void faults_addv(struct faults *f, unsigned line, unsigned column, const char *format, va_list ap)
	__attribute__((format(printf, 4, 0)));
/* Append "file:line:column: key: why" lines to `out`. */
void faults_print(struct faults *f, const char *file, struct buf *out);
