#pragma once
/* Sentences and judgements that every view of a cluster shares: text, JSON and pages say the same.
 * Pure. */
#include "admin/facts.h"
#include "base/buf.h"

/* Its name, or what is said where there is none. */
const char *phrase_member(const struct admin_facts *f, int member, const char *nobody);

/* Why the primary is no proven one at the moment, though nobody else is; else WHY_NONE. */
enum why phrase_doubt(const struct admin_facts *f, const struct cluster_report *r);
/* Why a cluster has the primary it has, doubts it, or has none: "n1 gave no new proof before its
 * lease ended". Nothing when there is no reason. */
void phrase_cluster_why(const struct admin_facts *f, const struct cluster_report *r,
			struct buf *out);

/* Is what a member said last still worth showing? Of a silent one only if it is the primary:
 * another that died as the primary is none. */
bool phrase_is_current(const struct admin_facts *f, const struct member_report *m);
/* Its distance from the primary is known and means something. */
bool phrase_has_lag(const struct admin_facts *f, const struct member_report *m);

/* The tags and states that a member's Patroni says of it: flag 1 << i, or NULL. */
enum { N_PHRASE_FLAGS = 6 };
const char *phrase_flag(unsigned i);

/* "15.3", "9.6"; empty: not known. */
enum { PHRASE_VERSION_BYTES = 24 };
const char *phrase_server_version(int version, char out[static PHRASE_VERSION_BYTES]);

/* "no primary", "no primary (ambiguous)" */
const char *phrase_no_primary(const struct cluster_report *r);

/* "n1 -> n2" with this arrow, or of one that came back "n1 was gone for 2.3s": then nobody was
 * primary, or in doubt, when nobody knew better. */
void phrase_change(const struct admin_facts *f, const struct failover *e, const char *arrow,
		   struct buf *out);
/* "failover", "interruption", "start", "return". */
const char *phrase_failover_kind(const struct failover *e);
/* Of a restart, old and new primary are the same. */
const char *phrase_phase(const struct failover *e, enum phase p);

/* Sessions of one member, over all listeners. */
unsigned phrase_member_sessions(const struct admin_facts *f, unsigned member);
