#pragma once
/* The configuration of a simulated isari: the world's nodes, one listener for writes and one for
 * reads, and settings that the seed draws. */
#include "core/config.h"
#include "world.h"

struct config *cast_config(struct world *w); /* one reference */
/* The same cast in a file that was edited, or only read again. One reference. */
struct config *cast_again(struct world *w, const struct config *now);
