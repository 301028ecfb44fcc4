#!/usr/bin/python3
"""Is every rule of the judging held up by the simulator alone? Each mutant switches one rule off;
some simulated world must notice.

    mutants.py --build BUILD [--seeds N] [--jobs N] [--only WORDS] [--cc 'cc ...']

A mutant is a file of src/core (or two) with an exact text replaced, in a copy of the sources,
linked with the simulator; then worlds are run until one fails. It is killed when a
world fails, an assertion ends the program, or it never ends. A text that is not in its file exactly
once is an error: the table must follow the code. Not here: mutants that no observer can tell from
the original (where two guards hold one rule up, both are switched off at once).
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys

MAIN = "monitor_sim_test.c"
PROOF, HEALTH, ARBITER = "core/proof.c", "core/health.c", "core/arbiter.c"
MONITOR, OBSERVE, PORT = "core/monitor.c", "core/monitor_observe.c", "core/monitor_port.c"
VIEW, ELIGIBLE, FENCE = "core/monitor_view.c", "core/eligible.c", "core/fence.c"
ASK, SCHEDULE, LEASE = "core/monitor_ask.c", "core/schedule.c", "core/monitor_lease.c"
CONFIG, OPERATOR, TURNS = "core/monitor_config.c", "core/monitor_operator.c", "core/view.c"

# (rule of the contract, what is switched off, then per edit: file, exact text, replacement)
MUTANTS = [
    # ---- 2: what proves it ----
    ("2", "status 200 is not required", PROOF,
     "	if (o->http_status != 200)\n", "	if (o->http_status == 0)\n"),
    ("2", "the role is not required", PROOF,
     "	if (o->claim != CLAIM_PRIMARY) /*", "	if (false) /*"),
    ("2", "state running is not required", PROOF,
     "	if (o->state != PG_RUNNING)\n", "	if (false)\n"),
    ("2", "state unknown is a proof", PROOF,
     "	if (o->state == PG_UNKNOWN)\n"
     "		return say(VERDICT_NOTHING, WHY_STATE_UNKNOWN);\n"
     "	if (o->state != PG_RUNNING)\n",
     "	if (o->state != PG_RUNNING && o->state != PG_UNKNOWN)\n"),
    ("2", "state unknown is a refutation", PROOF,
     "		return say(VERDICT_NOTHING, WHY_STATE_UNKNOWN);\n"
     "	if (o->state != PG_RUNNING)\n",
     "		return say(VERDICT_REFUSAL, WHY_STATE_UNKNOWN);\n"
     "	if (o->state != PG_RUNNING)\n"),
    ("2", "a promotion under way is a refutation", PROOF,
     "return say(VERDICT_NOT_WRITABLE, WHY_PROMOTING);",
     "return say(VERDICT_REFUSAL, WHY_PROMOTING);"),
    ("2", "a configured scope need not be said", PROOF,
     "	if (e->scope_is_configured && o->scope[0] == '\\0')\n", "	if (false)\n"),
    ("2", "the timeline need not be said", PROOF,
     "	if (o->timeline == 0 && e->highest_timeline > 0)\n", "	if (false)\n"),
    ("2", "a timeline below the highest is a proof", PROOF,
     "	if (o->timeline < e->highest_timeline)\n", "	if (false)\n"),
    ("2", "the highest timeline is not remembered", OBSERVE,
     "	c->highest_timeline = winner->proof.timeline;\n", ""),
    ("2", "who cannot write takes new sessions", ELIGIBLE,
     "	if (m->proof.unwritable != WHY_NONE)\n", "	if (false)\n"),
    # ---- 3: a clear answer acts at once ----
    ("3", "a refusal is waited out", OBSERVE,
     "	case VERDICT_REFUSAL: monitor_refute(c, s, WHY_NOT_LEADER); break;\n",
     "	case VERDICT_REFUSAL: break;\n"),
    ("3", "a refusal does not end what a policy kept", OBSERVE,
     "	if (s->lost != WHY_NONE)\n		s->lost = why;\n", ""),
    ("3", "a higher timeline fences nobody", ARBITER,
     "claims[i].timeline > highest)", "claims[i].timeline > highest && highest == 0)",
     OBSERVE, "			monitor_withdraw(c, &c->members[i], WHY_HIGHER_TIMELINE);\n",
     "			(void)0;\n"),
    # ---- 4: the lease ----
    ("4", "no lease is ever cut", MONITOR,
     "		if (now_ms < s->proof.until_ms)\n			continue;\n",
     "		if (true)\n			continue;\n"),
    ("4", "the lease is longer than configured", LEASE,
     "	return lease < safe ? lease : safe;", "	return safe;"),
    ("4", "the lease outlives the lock", LEASE,
     "	return lease < safe ? lease : safe;", "	return lease;"),
    ("4", "no margin before the lock's end", LEASE,
     "ttl - loop_wait - LEASE_MARGIN_MS", "ttl - loop_wait"),
    ("4", "loop_wait is not subtracted", LEASE,
     "ttl - loop_wait - LEASE_MARGIN_MS", "ttl - LEASE_MARGIN_MS"),
    ("4", "ttl and loop_wait do not shorten a lease that runs", LEASE,
     "		c->members[i].proof.until_ms = c->members[i].proof.asked_ms + "
     "monitor_lease_ms(c);\n", "		(void)0;\n"),
    ("4", "the lease runs from the answer", OBSERVE,
     ".until_ms = o->asked_ms + monitor_lease_ms(c)",
     ".until_ms = o->answered_ms + monitor_lease_ms(c)"),
    ("4", "a policy outlives the lease", MONITOR,
     "		if (is_silent(s->lost))\n			s->lost = WHY_LEASE_ENDED;", "		;"),
    # ---- 5: silence is doubt ----
    ("5", "silence is a refusal", OBSERVE,
     "	case VERDICT_SILENCE: take_silence(m, c, s, now_ms); break;\n",
     "	case VERDICT_SILENCE:\n		monitor_refute(c, s, WHY_NOT_LEADER);\n"
     "		take_silence(m, c, s, now_ms);\n		break;\n"),
    ("5", "the data port is not asked", ASK,
     "	return (s->health.rest_silent && !s->health.gone) ||",
     "	return"),
    ("5", "a port that is silent withdraws nothing", HEALTH,
     "	if (port == PORT_SILENT || port == PORT_REFUSED) {",
     "	if (port == PORT_REFUSED) {"),
    ("5", "a port that refuses withdraws nothing", HEALTH,
     "	if (port == PORT_SILENT || port == PORT_REFUSED) {",
     "	if (port == PORT_SILENT) {"),
    ("5", "silent on both ports, the proof stands", PORT,
     "	monitor_withdraw(c, s, s->why);\n", ""),
    ("5", "an old ping counts for a new silence", PORT,
     "s->health.rest_silent && o->asked_ms >= s->health.silent_since_ms)",
     "true)"),
    ("5", "fall is not counted", HEALTH,
     "		h->silent++;\n	if (h->silent >= fall)\n", "		h->silent++;\n	if (false)\n"),
    ("5", "one silent answer is enough", HEALTH,
     "		h->silent++;\n	if (h->silent >= fall)\n",
     "		h->silent++;\n	h->gone = true;\n	if (true)\n"),
    ("5", "a stale proof elects", ARBITER,
     "(first->fresh || r.first == incumbent)", "true"),
    ("5", "silence leaves the proof fresh", OBSERVE,
     "	health_silence(&s->health, c->config->probe.fall, now_ms);\n"
     "	s->proof.fresh = false;\n",
     "	health_silence(&s->health, c->config->probe.fall, now_ms);\n"),
    ("5", "an unsure primary whose port refuses is sent new sessions", PORT,
     "	if (port != PORT_ALIVE && s->proof.unwritable == WHY_NONE)\n", "	if (false)\n"),
    ("5", "an unsure primary whose port refuses is cut", PORT,
     "	if (monitor_is_unsure(c, s))\n		take_port_of_unsure(s, port);\n	else if (",
     "	if ("),
    ("3", "a Patroni that was restarted refutes its primary", OBSERVE,
     "	if (j.verdict == VERDICT_REFUSAL && does_not_know_yet(",
     "	if (false && does_not_know_yet("),
    ("3", "a Patroni that was restarted is never believed", OBSERVE,
     "	       now_ms - s->restarted_ms <= RESTART_MS &&", "	      "),
    ("3", "a Patroni that was restarted and proved it is not believed", OBSERVE,
     "	s->restarted_ms = 0; /* it knows the lock now */\n", ""),
    ("3", "what PostgreSQL says of itself is not heard", PORT,
     "	if (contradicts_proof(s, o))\n", "	if (false)\n"),
    ("3", "what PostgreSQL said before its promotion counts", PORT,
     " && o->asked_ms >= s->proof.answered_ms;", ";"),
    ("3", "what PostgreSQL says does not end what a policy kept", PORT,
     "	       (s->proof.stands || s->proof.silenced) &&", "	       s->proof.stands &&"),
    # ---- 6: two prove it ----
    ("6", "a tie is won by the first", ARBITER,
     "	else if (!r.ambiguous && (", "	else if ((", ),
    ("6", "a tie's incumbent stays though it is silent", ARBITER,
     "incumbent && c->fresh;", "incumbent;"),
    ("6", "a tie ends the incumbent that proves it", ARBITER,
     "	if (incumbent_proves)\n", "	if (incumbent_proves && !r.ambiguous)\n"),
    ("6", "what a policy kept survives a new primary", MONITOR,
     "			c->members[i].lost = WHY_REPLACED;\n", "			(void)0;\n"),
    # ---- 7: the timeline goes down ----
    ("7", "a lower timeline needs no confirmation", OBSERVE,
     "	if (s->lower_timeline <= c->config->probe.rise)\n", "	if (false)\n"),
    ("7", "one confirmation too few", OBSERVE,
     "	if (s->lower_timeline <= c->config->probe.rise)\n",
     "	if (s->lower_timeline < c->config->probe.rise)\n"),
    ("7", "a lower timeline is followed while another proves", OBSERVE,
     "	if (another_claims_it(c, s, o->answered_ms))\n", "	if (false)\n"),
    ("7", "a lower timeline is followed as soon as the higher is silent", OBSERVE,
     "other->proof.stands || other->proof.silenced ||", "other->proof.stands ||"),
    ("7", "a lower timeline is never followed", OBSERVE,
     "	if (s->lower_timeline <= c->config->probe.rise)\n		return;\n", "	return;\n"),
    ("7", "confirmations need not be in a row", OBSERVE,
     "	if (j.verdict != VERDICT_PROOF && j.verdict != VERDICT_LOWER_TIMELINE)\n"
     "		s->lower_timeline = 0;\n", ""),
    # ---- 8: the wrong cluster ----
    ("8", "the scope is not looked at", PROOF,
     "	if (e->scope && *e->scope && o->scope[0] &&\n", "	if (false &&\n"),
    ("8", "the system identifier is not looked at", PROOF,
     "	if (e->system_id && o->system_id && e->system_id != o->system_id)\n", "	if (false)\n"),
    ("8", "another member's name is not looked at", PROOF,
     "	if (e->another_members_name)\n", "	if (false)\n"),
    ("8", "the scope is not learnt", MONITOR,
     "	if (c->scope[0] == '\\0')\n", "	if (false)\n"),
    ("8", "the system identifier is not learnt", MONITOR,
     "	if (c->system_id == 0)\n", "	if (false)\n"),
    ("8", "two clusters at the start are taken for one", MONITOR,
     "	if (c->leader.changes == 0 && monitor_sees_two_clusters(c, now_ms, &two))\n",
     "	if (monitor_sees_two_clusters(c, now_ms, &two) && false)\n"),
    ("8", "who is refused keeps its sessions", ELIGIBLE,
     "	if (m->refused != WHY_NONE)\n", "	if (false)\n"),
    # ---- 9: nobody is primary until proven ----
    ("9", "the first to answer is crowned", MONITOR,
     "	if (!may_crown(c, now_ms))\n", "	if (false)\n"),
    ("9", "a proof elects nobody to wait for", MONITOR,
     "	c->leader = (struct leadership){.member = -1,\n",
     "	c->leader = (struct leadership){.member = (int)c->config->first_member,\n"),
    # ---- 10: the duty to cut ----
    ("10", "closing makes no new generation", VIEW,
     "		v->generation++;\n", "		(void)0;\n"),
    ("10", "who skipped the close keeps its sessions", FENCE,
     "		if (s->generation == before->servers[i].generation)\n",
     "		if (s->state == before->servers[i].state)\n"),
    ("10", "only what is closed now is cut", FENCE,
     "		if (s->generation == before->servers[i].generation)\n",
     "		if (s->generation == before->servers[i].generation ||\n"
     "		    s->state != SERVER_CLOSED)\n"),
    ("10", "a reload forgets who has proven to be primary", CONFIG,
     "	s->config = next;\n", "	s->config = next;\n	s->proof.stands = false;\n"),
    ("10", "a reload is as good as a proof", CONFIG,
     "	s->config = next;\n",
     "	s->config = next;\n	s->proof.asked_ms = now_ms;\n"),
    ("10", "a reload ends a pause of our own", CONFIG,
     "	s->config = next;\n", "	s->config = next;\n	s->proof.voided = false;\n"),
    ("10", "a reload forgets what was asked", CONFIG,
     "	s->config = next;\n", "	s->config = next;\n	s->asking.in_flight = false;\n"),
    ("10", "a reload forgets the highest timeline", CONFIG,
     "	c->config = next;\n", "	c->config = next;\n	c->highest_timeline = 0;\n"),
    ("10", "another lease counts for the next proof only", CONFIG,
     "	monitor_renew_leases(c);\n", ""),
    ("10", "another fall counts from the next silence only", CONFIG,
     "	health_take_fall(&s->health, c->config->probe.fall);\n", ""),
    # ---- 11: doubt speeds everything up ----
    ("11", "nothing is a surprise", SCHEDULE,
     "	d->burst_until_ms = now_ms + SCHEDULE_BURST_MS;\n	d->since_ms = now_ms;\n",
     "	d->since_ms = now_ms;\n"),
    ("11", "no primary is no reason to hurry", ASK,
     "	if (c->leader.member < 0)\n		return true;\n",
     "	if (c->leader.member < 0)\n		return false;\n"),
    ("11", "a hint is not heard", MONITOR,
     "		doubt_surprise(monitor_ask_at_once(&m->clusters[ev->u.hint.cluster], ev->now_ms),\n"
     "			       ev->now_ms);\n", ""),
    ("11", "a worker's sign is not heard", MONITOR,
     "		doubt_sign(\n"
     "			monitor_ask_at_once(monitor_cluster_of(m, ev->u.sign.member), ev->now_ms),\n"
     "			ev->now_ms);\n", ""),
    ("11", "a surprise does not end the back-off", SCHEDULE,
     "	d->burst_until_ms = now_ms + SCHEDULE_BURST_MS;\n	d->since_ms = now_ms;\n",
     "	d->burst_until_ms = now_ms + SCHEDULE_BURST_MS;\n"),
    ("11", "a late answer is no doubt", ASK,
     "	if (!schedule_late(&s->asking, now_ms))\n", "	if (true)\n"),
    # ---- 12: our own pauses ----
    ("12", "our own pause is not noticed", MONITOR,
     "	if (late_ms > OWN_PAUSE_MS) {", "	if (false) {"),
    ("12", "a worker's pause is not minded", MONITOR,
     "	case EV_PAUSE: void_proofs(m, ev->u.pause.slept_ms, ev->now_ms); return true;\n",
     "	case EV_PAUSE: return true;\n"),
    ("12", "a void proof moves bytes", ELIGIBLE,
     "	if (m->proof.voided)\n		return stand(SERVER_PAUSED,",
     "	if (m->proof.voided)\n		return stand(SERVER_OPEN,"),
    ("12", "a void proof of a silent primary moves bytes", ELIGIBLE,
     "	if (s.state == SERVER_KEPT && m->proof.voided)\n", "	if (false)\n"),
    ("12", "what was asked before the pause proves", OBSERVE,
     "	return o->asked_ms < m->void_before_ms &&", "	return false &&"),
    ("12", "a clear no from before the pause is dropped", OBSERVE,
     "	return o->asked_ms < m->void_before_ms && j.verdict != VERDICT_REFUSAL &&\n"
     "	       j.verdict != VERDICT_WRONG_CLUSTER;",
     "	return o->asked_ms < m->void_before_ms && j.verdict != VERDICT_SILENCE;"),
    # ---- what operators order ----
    ("op", "maintenance closes nothing", ELIGIBLE,
     "	if (t->admin == ADMIN_MAINT)\n", "	if (false)\n"),
    ("op", "a drained server takes new sessions", ELIGIBLE,
     "	if (t->admin == ADMIN_DRAIN && s.state == SERVER_OPEN)\n", "	if (false)\n"),
    ("op", "a drain opens what is closed", ELIGIBLE,
     "	if (t->admin == ADMIN_DRAIN && s.state == SERVER_OPEN)\n",
     "	if (t->admin == ADMIN_DRAIN)\n"),
    ("op", "health down closes nothing", ELIGIBLE,
     "	if (t->health == HEALTH_DOWN && s.state != SERVER_CLOSED)\n", "	if (false)\n"),
    ("op", "health stopping takes new sessions", ELIGIBLE,
     "	if (t->health == HEALTH_STOPPING && s.state == SERVER_OPEN)\n", "	if (false)\n"),
    ("op", "health stopping opens what is closed", ELIGIBLE,
     "	if (t->health == HEALTH_STOPPING && s.state == SERVER_OPEN)\n",
     "	if (t->health == HEALTH_STOPPING)\n"),
    ("op", "what was asked before ends a word on health", OPERATOR,
     "	if (asked_ms >= t->health_since_ms && --t->answers_due == 0)\n",
     "	if (--t->answers_due == 0)\n"),
    ("op", "one good answer ends a word on health", OPERATOR,
     "	if (asked_ms >= t->health_since_ms && --t->answers_due == 0)\n",
     "	if (asked_ms >= t->health_since_ms)\n"),
    ("op", "good answers that end it need not be in a row", OPERATOR,
     "	t->answers_due = rise;\n", "	(void)rise;\n"),
    ("op", "a word on health never ends", OPERATOR,
     "		t->health = HEALTH_AS_ANSWERED;\n", "		(void)t;\n"),
    ("op", "an ordered weight is not heard", VIEW,
     "	v->weight = track_of(m, v)->weight;\n", "	v->weight = s->config->weight;\n"),
    ("op", "a reload forgets an ordered weight", CONFIG,
     "		if (t->weight == m_before->weight) /*", "		if (true) /*"),
    ("op", "another weight in the file is not taken", CONFIG,
     "			t->weight = member_at(config, next, k)->weight;\n", "			(void)next;\n"),
    ("op", "who weighs nothing takes new sessions", TURNS,
     "l->servers[i].state == SERVER_OPEN ? l->servers[i].weight : 0;",
     "l->servers[i].state == SERVER_OPEN ? l->servers[i].weight + 1 : 0;"),
    # ---- asking and publishing ----
    ("1", "two questions at once", ASK,
     "	if (a->in_flight || !s->address_known || !a->pending)\n",
     "	if (!s->address_known || !a->pending)\n"),
    ("13", "every step makes a new view", VIEW,
     "	if (!force && view_same(v, m->view))\n", "	if (false)\n"),
]


class Bad(Exception):
    pass


def mutate(args, mutant):
    """The texts of the changed files, by file."""
    texts, name, edits = {}, mutant[1], mutant[2:]
    for file, old, new in zip(edits[::3], edits[1::3], edits[2::3]):
        if file not in texts:
            with open(os.path.join(args.copy, "src", file), encoding="utf-8") as f:
                texts[file] = f.read()
        if texts[file].count(old) != 1:
            raise Bad(f"{file} has {texts[file].count(old)} times, not once, the text of: {name}"
                      f"\n{old}")
        texts[file] = texts[file].replace(old, new)
    return texts


def copy_sources(args):
    """The tree may change while mutants run; all of them are made of one state of it."""
    shutil.rmtree(args.copy, ignore_errors=True)
    for folder in ("include", "src/base", "src/core", "test/sim", "test/unit/core"):
        shutil.copytree(folder, os.path.join(args.copy, folder))


def compile_one(args, source):
    """Returns the object; `source` is a path in the copy."""
    path = os.path.join(args.copy, source)
    subprocess.run([*shlex.split(args.cc), f"-I{args.copy}/include", f"-I{args.copy}/test", "-w", "-c", "-o",
                    path[:-2] + ".o", path], check=True)
    return path[:-2] + ".o"


def compile_all(args, pool):
    """Every object of the unchanged simulator, by its source."""
    sources = [os.path.join(folder, name)
               for folder in ("src/base", "src/core", "test/sim")
               for name in sorted(os.listdir(os.path.join(args.copy, folder)))
               if name.endswith(".c") and (not name.endswith("_test.c") or name == MAIN)]
    return dict(zip(sources, pool.map(lambda s: compile_one(args, s), sources)))


def link(args, objects, binary):
    subprocess.run([*shlex.split(args.cc), "-o", binary, *objects, "-lcmocka"], check=True)
    return binary


def build(args, number):
    """The simulator with one mutant in the place of the original."""
    objects = dict(args.objects)
    for file, text in mutate(args, MUTANTS[number]).items():
        name = os.path.join("src", os.path.dirname(file), f"{number}-{os.path.basename(file)}")
        with open(os.path.join(args.copy, name), "w", encoding="utf-8") as f:
            f.write(text)
        objects[os.path.join("src", file)] = compile_one(args, name)
    return link(args, objects.values(), os.path.join(args.copy, f"simulator-{number}"))


def run(args, binary):
    """What killed it, or None."""
    env = {**os.environ, "FIRST": "1", "SEEDS": str(args.seeds)}
    env.pop("SEED", None)
    try:
        done = subprocess.run([binary], env=env, capture_output=True, text=True, errors="replace",
                              timeout=args.timeout, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {args.timeout} s"
    if done.returncode == 0:
        return None
    found = re.search(r"seed (\d+): at \d+: (.*)", done.stdout + done.stderr)
    if found:
        return f"seed {found[1]}: {found[2]}"
    return f"exit status {done.returncode}"


def check_original(args):
    killer = run(args, link(args, args.objects.values(), os.path.join(args.copy, "simulator")))
    if killer:
        raise Bad(f"the unchanged judging fails already: {killer}")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", required=True)
    p.add_argument("--seeds", type=int, default=3000)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--timeout", type=float, default=300)
    p.add_argument("--only", default="")
    p.add_argument("--cc", default="cc -std=gnu11 -D_GNU_SOURCE -O1")
    args = p.parse_args()
    args.copy = os.path.join(args.build, "mutants")
    wanted = [i for i, m in enumerate(MUTANTS) if args.only in m[1]]
    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        try:
            copy_sources(args)
            for i in wanted:
                mutate(args, MUTANTS[i])
            args.objects = compile_all(args, pool)
            check_original(args)
        except Bad as e:
            sys.exit(f"mutants.py: {e}")
        killers = pool.map(lambda i: run(args, build(args, i)), wanted)
        for i, killer in zip(wanted, killers):
            rule, name = MUTANTS[i][:2]
            survivors += killer is None
            print(f"rule {rule:>2}  {name:<58}  {killer or 'SURVIVED'}", flush=True)
    print(f"{len(wanted)} mutants, {survivors} survived {args.seeds} worlds each")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
