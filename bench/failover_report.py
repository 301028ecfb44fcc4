"""What is printed and written of all runs: a table per event, the JSON, a chart per event.

Not here: the figures (failover_judge.py), the chart's lines (failover_chart.py).
"""
import json
import os
import statistics
import sys

import failover_cancel
import failover_chart
import failover_contenders as contenders
from failover_events import EVENTS
from failover_judge import BUCKET, per_bucket
from stage import versions

QUIET = 0.3  # CPUs that others may use before the numbers are called doubtful
NEVER = float("inf")

# figure: (head of its column, is it seconds)
COLUMNS = {
    "gap": ("no writes for", True), "behind": ("behind ideal", True),
    "all_back": ("all back", True), "failed": ("failed conn.", False),
    "storm_failed": ("of the storm", False), "held_failed": ("of the held", False),
    "unfinished": ("still waiting", False), "storm_over": ("storm served", True), "wrong": ("wrong node", False),
    "astray": ("writes astray", False), "broken": ("broken", False), "longest": ("longest wait", True),
    "idle": ("idle notices", True), "query": ("in query", True),
}
CALM = ("gap", "failed", "wrong", "broken", "longest")  # where no failover is to happen

EXPLAINED = """\
no writes for  longest time without a write that counts, within 1 s before the event and the end of the run
behind ideal   first write acknowledged by the new primary, after the ideal; the ideal is the moment at which the
               new primary itself answers that it is not in recovery (its own UNIX socket, asked every 5 ms)
all back       from the ideal until each of the writers of before had written again
failed conn.   connections that failed before they were sessions, of all writers and of the storm
storm served   from the ideal until the last of the storm (and of the held) had its answer, where all of them had one
wrong node     sessions for writing that were in recovery, or that began elsewhere after the ideal
writes astray  acknowledged by the old primary after the ideal: lost
broken         sessions that ended in the middle of their work
longest wait   of any one call (connect and write together), of those too that had not ended
idle notices   from the event until the last session on the old primary that only waits had noticed its end
in query       the same of those that wait for an answer; never: not while they were watched"""


def seconds_of(figures, key):
    if key in ("idle", "query") and figures[key + "_never"]:
        return NEVER
    value = figures[key]
    return NEVER if value is None and key in ("behind", "all_back") else value


def values(taken, name, key):
    return [v for v in (seconds_of(t["figures"][name], key) for t in taken) if v is not None]


def plain(x):
    return "never" if x == NEVER else f"{x:.2f}" if x < 10 else f"{x:.1f}"


def duration_cell(v):
    low, mid, high = min(v), statistics.median_low(v), max(v)
    if high < 1:
        texts, unit = [str(round(x * 1000)) for x in (mid, low, high)], " ms"
    else:
        texts, unit = [plain(x) for x in (mid, low, high)], "" if mid == NEVER else " s"
    return texts[0] + unit + (f" ({texts[1]}-{texts[2]})" if len(v) > 1 else "")


def count_cell(v):
    mid = statistics.median_low(v)
    return f"{mid}" + (f" ({min(v)}-{max(v)})" if min(v) != max(v) else "")


def cell(taken, name, key):
    v = values(taken, name, key)
    if not v:
        return "-"
    return duration_cell(v) if COLUMNS[key][1] else count_cell(v)


def columns_for(event, taken, args):
    if not EVENTS[event].failover:
        return CALM
    def any_of(key):
        return any(v for n in args.contenders for v in values(taken, n, key))
    spare = {"held_failed": args.held, "storm_failed": args.storm, "storm_over": any_of("storm_over"),
             "unfinished": any_of("unfinished"), "astray": any_of("astray")}
    return [k for k in COLUMNS if spare.get(k, True)]


def table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows)


def event_text(event, taken, args):
    keys = columns_for(event, taken, args)
    rows = [["", *[COLUMNS[k][0] for k in keys]]]
    rows += [[name, *[cell(taken, name, k) for k in keys]] for name in args.contenders]
    each = statistics.median(t["seconds"] for t in taken)
    head = f"\n{event}: {EVENTS[event].what} ({len(taken)} runs of {each:.0f} s)"
    if EVENTS[event].failover:
        rows.insert(1, ["ideal", duration_cell([t["ideal_gap"] for t in taken])] + [""] * (len(keys) - 1))
        ideal = [t["truth"].ideal - t["truth"].event for t in taken]
        head += f"\nideal: a primary again {duration_cell(ideal)} after the event"
    return head + "\n" + table(rows)


CANCEL = """
cancel: on the read port, by libpq 15's PQcancel: a request of its own, always in plain text, so with TLS no proxy
has seen which session it is for. PQcancelBlocking of libpq 17 encrypts the request itself: that one no proxy can
read at all.
"""


def cancel_text(cancels):
    rows = [["cancel requests that arrived", "plain text", "with TLS"]]
    rows += [[name, *[f"{n} of {failover_cancel.SESSIONS}" for n in by_mode.values()]]
             for name, by_mode in cancels.items()]
    return CANCEL + table(rows)


def trouble_text(runs, load_before):
    others = [t["others"] for taken in runs.values() for t in taken]
    loud = [o for o in others if o > QUIET]
    text = f"load average at the start {load_before:.2f}"
    if others:
        ours = [t["ours"] for taken in runs.values() for t in taken]
        text += (f"; of {os.cpu_count()} CPUs this bench used {min(ours):.2f}-{max(ours):.2f} and others "
                 f"{min(others):.2f}-{max(others):.2f} during the runs")
    if loud or load_before > os.cpu_count() / 2:
        text += (f"\nWARNING: the machine was not ours alone (more than {QUIET} CPU taken in {len(loud)} of "
                 f"{len(others)} runs): milliseconds are not to be trusted, repeat on a quiet machine")
    return text


def load_text(args):
    lines = [f"per contender {args.writers} writers that connect for every INSERT (every {args.think} ms), {args.pool} "
             f"that keep their session (every {args.pool_think} ms),",
             f"{args.pause} ms after a failure; 2 idle sessions, 2 in a long query, a storm of {args.storm}; "
             f"sslmode={args.sslmode}"]
    if args.held:
        lines.append(f"{args.held} more connections while there is no primary, through isari only")
    if args.threads:
        lines.append(f"isari with threads: {args.threads}")
    if "libpq" in args.contenders:
        lines.append("libpq: a fifth of the storm and ten times the pause, for each of its attempts makes all three "
                     "servers fork,\nand here they share one machine with the others")
    return "\n".join(lines)


# ---- JSON ------------------------------------------------------------------------------------------


def keep(args, event, i, taken):
    """The deeds of a run become what the chart needs; they themselves stay only if asked for."""
    truth, deeds = taken["truth"], taken.pop("deeds")
    begin, end = -2.0, truth.end - truth.event
    taken["buckets"] = {"begin": begin, "width": BUCKET,
                        "of": {name: per_bucket(d, truth, begin, end) for name, d in deeds.items()}}
    if args.keep:
        for name, of in deeds.items():
            with open(os.path.join(args.out, f"{event}-{i + 1}-{name}.deeds"), "w", encoding="utf-8") as f:
                f.writelines("\t".join(map(str, (d.kind, d.client, *(round(t - truth.event, 6) if t else 0 for t in (
                    d.begun, d.connected, d.ended)), d.outcome, d.server, d.text))) + "\n" for d in of)


def progress(event, i, n, taken):
    figures = taken["figures"]
    def brief(name):
        b = figures[name]["behind"]
        return f"{name} {figures[name]['gap']:.2f} s" if b is None else f"{name} {round(b * 1000):+d} ms"
    print(f"{event} {i + 1} of {n}: {', '.join(map(brief, figures))}; {taken['seconds']:.0f} s", file=sys.stderr)


def as_json(taken):
    truth = taken["truth"]
    moments = {k: None if v is None else round(v - truth.event, 6)
               for k, v in (("gone", truth.gone), ("ideal", truth.ideal), ("end", truth.end))}
    return {"old": truth.old, "new": truth.new, **moments, "seconds": taken["seconds"], "others": taken["others"],
            "ours": taken["ours"], "ideal_gap": taken["ideal_gap"], "spoiled": taken["spoiled"],
            "figures": taken["figures"], "per_100ms": taken["buckets"]}


def write(args, runs, cancels, load_before, seconds):
    about = versions() | {"libpq": contenders.libpq_version()}
    print("\n".join(f"{k:13} {v}" for k, v in about.items()))
    print("\n".join(f"{k:13} {contenders.WHAT[k]}" for k in args.contenders))
    print(load_text(args))
    if cancels:
        print(cancel_text(cancels))
    for event, taken in runs.items():
        print(event_text(event, taken, args))
    if runs:
        print("\nmedian (min-max)\n" + EXPLAINED)
    print(f"\n{seconds:.0f} s; {trouble_text(runs, load_before)}")
    file = os.path.join(args.out, "failover.json")
    with open(file, "w", encoding="utf-8") as f:
        json.dump({"versions": about, "arguments": vars(args), "load_before": load_before, "cancels": cancels,
                   "runs": {e: [as_json(t) for t in taken] for e, taken in runs.items()}}, f, indent=1)
    print(file)
    for event, taken in runs.items():
        print(failover_chart.draw(args, event, taken))
