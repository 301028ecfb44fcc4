/* Collect the faults of a configuration file and tell them in the order of the file.
 * Not here: what is a fault (yaml_tree.c, config_*.c). */
#include "wire/faults.h"
#include "base/mem.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 512, MAX_KEY = 65 };

void faults_fini(struct faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->list[i].text);
	free(f->list);
	buf_fini(&f->path);
	*f = (struct faults){0};
}

bool faults_any(const struct faults *f)
{
	return f->n > 0;
}

/* Keys are whatever a file has on the left of a colon: shortened, and printable. */
size_t faults_enter(struct faults *f, const char *key)
{
	size_t mark = f->path.len;
	char printable[MAX_KEY];

	str_copy_printable(printable, sizeof(printable), key, strlen(key));
	if (mark > 0)
		buf_putc(&f->path, '.');
	buf_puts(&f->path, printable);
	return mark;
}

size_t faults_enter_item(struct faults *f, size_t index)
{
	size_t mark = f->path.len;

	buf_printf(&f->path, "[%zu]", index);
	return mark;
}

void faults_leave(struct faults *f, size_t mark)
{
	if (f->path.data == NULL) /* nothing was ever entered */
		return;
	f->path.len = mark;
	f->path.data[mark] = '\0';
}

static void append(struct faults *f, struct fault fault)
{
	if (f->n == MAX_FAULTS) {
		f->n_more++;
		free(fault.text);
		return;
	}
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->list = xrealloc(f->list, f->cap * sizeof(*f->list));
	}
	fault.order = f->n;
	f->list[f->n++] = fault;
}

void faults_addv(struct faults *f, unsigned line, unsigned column, const char *format, va_list ap)
{
	const char *key = f->path.len > 0 ? f->path.data : "configuration";
	char why[MAX_TEXT], printable[MAX_TEXT];

	vsnprintf(why, sizeof(why), format, ap);
	str_copy_printable(printable, sizeof(printable), why, strlen(why));
	append(f, (struct fault){.line = line,
				 .column = column,
				 .text = xasprintf("%s: %s", key, printable)});
}

void faults_add(struct faults *f, unsigned line, unsigned column, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	faults_addv(f, line, column, format, ap);
	va_end(ap);
}

static int compare(const void *left, const void *right)
{
	const struct fault *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void faults_print(struct faults *f, const char *file, struct buf *out)
{
	if (f->n > 0)
		qsort(f->list, f->n, sizeof(*f->list), compare);
	for (size_t i = 0; i < f->n; i++)
		buf_printf(out, "%s:%u:%u: %s\n", file, f->list[i].line, f->list[i].column,
			   f->list[i].text);
	if (f->n_more > 0)
		buf_printf(out, "%s: and %zu more faults\n", file, f->n_more);
}
