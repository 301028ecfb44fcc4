/* Read a configuration file whole, and say plainly why it cannot be read.
 * Not here: what is in it (wire/config_yaml.h). */
#include "main/load_config.h"
#include "wire/config_yaml.h"
#include "wire/yaml_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *remedy(int error)
{
	switch (error) {
	case ENOENT: return "name the file with -f";
	case EACCES: return "isari's user must be allowed to read it";
	case EISDIR: return "a file is needed, not a directory";
	case ESPIPE: return "only a plain file can be read again";
	default: return "isari cannot do without it";
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

/* A pipe is read once, at the start: there, whoever writes it is waited for. Later nobody is. */
static FILE *open_plain(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st = {0};

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode) &&
	    !S_ISSOCK(st.st_mode))
		return fdopen(fd, "r");
	close(fd);
	errno = ESPIPE;
	return NULL;
}

static int read_whole(FILE *in, const char *file, struct buf *text, struct buf *faults)
{
	int rv;

	if (in == NULL)
		return cannot_read(file, errno, faults);
	rv = read_stream(in, file, text, faults);
	fclose(in);
	return rv;
}

static struct config *load(FILE *in, const char *file, struct buf *faults)
{
	struct buf text = {0};
	struct config *c = NULL;

	buf_puts(&text, ""); /* an empty file is a text, too */
	if (read_whole(in, file, &text, faults) == 0)
		c = config_yaml_parse(text.data, text.len, file, faults);
	buf_fini(&text);
	return c;
}

struct config *load_config(const char *file, struct buf *faults)
{
	return load(fopen(file, "re"), file, faults);
}

struct config *load_config_again(const char *file, struct buf *faults)
{
	return load(open_plain(file), file, faults);
}
