#pragma once
/* Old view, new view: whose sessions are cut, and why. Pure. */
#include "core/view.h"

struct doomed {
	unsigned listener, server; /* indices in the new view */
	enum close_reason reason;
};

/* Calls back for every server whose sessions of older generations must go. Returns how many. */
size_t fence_compare(const struct view *old_view, const struct view *new_view,
		     void (*doom)(void *arg, const struct doomed *d), void *arg);
