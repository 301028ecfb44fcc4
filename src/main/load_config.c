/* Read a configuration file whole, and say plainly why it cannot be read.
 * Not here: what is in it (wire/config_yaml.h). */
#include "main/load_config.h"
#include "wire/config_yaml.h"
#include "wire/yaml_tree.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *remedy(int error)
{
	switch (error) {
	case ENOENT: return "name the file with -f";
	case EACCES: return "isari's user must be allowed to read it";
	case EISDIR: return "a file is needed, not a directory";
	default: return "isari cannot start without it";
	}
}

static int cannot_read(const char *file, int error, struct buf *faults)
{
	buf_printf(faults, "%s: cannot be read (%s): %s\n", file, strerror(error), remedy(error));
	return -error;
}

static int read_stream(FILE *in, const char *file, struct buf *text, struct buf *faults)
{
	char chunk[16384];
	struct stat st;
	size_t n;

	if (fstat(fileno(in), &st) == 0 && S_ISDIR(st.st_mode))
		return cannot_read(file, EISDIR, faults);
	/* Not by st_size: a pipe (-f <(...)) has none. */
	while (text->len <= YAML_TREE_MAX_BYTES && (n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_append(text, chunk, n);
	if (ferror(in))
		return cannot_read(file, errno, faults);
	if (text->len <= YAML_TREE_MAX_BYTES)
		return 0;
	buf_printf(faults, "%s: is too big: a configuration has at most %d bytes\n", file,
		   YAML_TREE_MAX_BYTES);
	return -EFBIG;
}

static int read_whole(const char *file, struct buf *text, struct buf *faults)
{
	FILE *in = fopen(file, "re");
	int rv;

	if (in == NULL)
		return cannot_read(file, errno, faults);
	rv = read_stream(in, file, text, faults);
	fclose(in);
	return rv;
}

struct config *load_config(const char *file, struct buf *faults)
{
	struct buf text = {0};
	struct config *c = NULL;

	buf_puts(&text, ""); /* an empty file is a text, too */
	if (read_whole(file, &text, faults) == 0)
		c = config_yaml_parse(text.data, text.len, file, faults);
	buf_fini(&text);
	return c;
}
