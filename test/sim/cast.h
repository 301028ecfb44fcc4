#pragma once
/* The configuration of a simulated isari: the world's nodes, one listener for writes and one for
 * reads, and settings that the seed draws. */
#include "core/config.h"
#include "world.h"

struct config *cast_config(struct world *w); /* one reference */
