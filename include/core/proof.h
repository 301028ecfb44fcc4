#pragma once
/* What one answer says about one question: is this member the writable primary of our cluster?
 * Pure. */
#include "core/names.h"
#include "core/observation.h"
#include <stdbool.h>

enum verdict {
	VERDICT_PROOF,   /* the writable primary, at asked_ms */
	VERDICT_NOTHING, /* no proof and no refutation: ask again, fast */
	/* Holds the lock, but its PostgreSQL takes no writes: no refutation, no new sessions. */
	VERDICT_NOT_WRITABLE,
	VERDICT_LOWER_TIMELINE, /* a proof in all but its timeline */
	VERDICT_REFUSAL,        /* a clear no */
	VERDICT_WRONG_CLUSTER,  /* not one of ours: see why */
	VERDICT_SILENCE,        /* timeout, refused, reset, garbage */
	VERDICT_OWN_FAULT,      /* we could not ask: says nothing of the member */
};

struct expectation {
	const char *scope;         /* NULL or "": any */
	bool scope_is_configured;  /* then a proof must say it */
	uint64_t system_id;        /* 0: not known yet */
	uint64_t highest_timeline; /* of any proof so far; 0: none */
	bool another_members_name; /* the answer's name is that of another configured member */
};

struct judgement {
	enum verdict verdict;
	enum why why;
};

/* `o` answers ASK_PRIMARY, or another role question (then never a PROOF). */
struct judgement proof_judge(const struct observation *o, const struct expectation *e);
