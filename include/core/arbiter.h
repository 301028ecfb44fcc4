#pragma once
/* Decide which member of a cluster is the primary, from the proofs that stand. Pure.
 * Not here: whether an answer is a proof (proof.h), when one ends (the monitor, by lease). */
#include "core/names.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct claimant {
	unsigned member;
	bool stands; /* an unexpired, unrefuted proof */
	bool fresh;  /* its latest answer is that proof: it still proves it */
	uint64_t timeline;
};

struct ruling {
	int member; /* -1: nobody */
	bool ambiguous;
	int other; /* ambiguous: the second claimant (member is -1, first is the first) */
	int first;
	enum why why;
};

/* Higher timeline wins. Same timeline: the incumbent while it still proves it, otherwise nobody.
 * A proof that is not fresh keeps an incumbent and elects nobody. */
struct ruling arbiter_rule(const struct claimant *claims, size_t n, int incumbent);
