/* Numbers as the cells of `isari top` show them. */
#include "admin/top_cells.h"
#include "base/str.h"
#include <inttypes.h>
#include <stdio.h>

void cell_text(struct top_cell **c, const char *text, enum top_look look)
{
	*(*c)++ = (struct top_cell){.text = text, .number = TOP_UNKNOWN, .look = look};
}

char *cell_own(struct top_cell **c, int64_t number, enum top_look look)
{
	**c = (struct top_cell){.number = number, .look = look};
	return (*c)++->own;
}

void cell_unknown(struct top_cell **c)
{
	cell_text(c, "-", LOOK_DIM);
}

void cell_count_as(struct top_cell **c, int64_t value, enum top_look look)
{
	if (value < 0)
		cell_unknown(c);
	else
		snprintf(cell_own(c, value, look), sizeof((*c)->own), "%" PRId64, value);
}

void cell_count(struct top_cell **c, int64_t value)
{
	cell_count_as(c, value, LOOK_PLAIN);
}

void cell_duration_as(struct top_cell **c, int64_t ms, enum top_look look)
{
	if (ms < 0)
		cell_unknown(c);
	else
		str_duration(ms, cell_own(c, ms, look), sizeof((*c)->own));
}

void cell_duration(struct top_cell **c, int64_t ms)
{
	cell_duration_as(c, ms, LOOK_PLAIN);
}

/* Three digits and a unit: "987", "9.8k", "123M". */
void cell_bytes(struct top_cell **c, double value)
{
	static const char units[] = "kMGTPE";
	double scaled = value;
	int unit = -1;
	char *out;

	if (value < 0) {
		cell_unknown(c);
		return;
	}
	out = cell_own(c, value < 9e18 ? (int64_t)value : INT64_MAX, LOOK_PLAIN);
	for (; scaled >= 999.5 && units[unit + 1]; unit++)
		scaled /= 1024;
	if (unit < 0)
		snprintf(out, sizeof((*c)->own), "%.0f", scaled);
	else
		snprintf(out, sizeof((*c)->own), scaled < 9.95 ? "%.1f%c" : "%.0f%c", scaled,
			 units[unit]);
}

void cell_rate(struct top_cell **c, double per_second)
{
	if (per_second < 0)
		cell_unknown(c);
	else
		snprintf(cell_own(c, (int64_t)(per_second * 1000), LOOK_PLAIN), sizeof((*c)->own),
			 per_second < 9.95 && per_second > 0 ? "%.1f" : "%.0f", per_second);
}
