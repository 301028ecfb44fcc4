"""isari, HAProxy, nginx, PgBouncer and a direct connection, side by side: `make bench`, or bench.py --help.

Here: the command line, and the run from its first measure to its last. The rows and what is wanted in them are
rows.py, the method is method.py, the contenders contenders.py, the loads measures_*.py.

Exit codes: 0 all of it was measured (what is wanted may be missed), 1 something could not be, 3 others used the
machine: nothing is judged.
"""
import argparse
import json
import signal
import sys
import time

from stage import Failure, Stage, peers, versions

import contenders
import measures_crowd
import measures_load
import measures_memory
import measures_operators
import measures_postgres
import network
import report
import results
import verdicts
from method import Taking
from rows import rows

MODULES = (measures_load, measures_postgres, measures_memory, measures_operators, measures_crowd)
MEASURES = {m.name: m for of in MODULES for m in of.MEASURES}
BUSY = 3


def options():
    p = argparse.ArgumentParser(description="isari, HAProxy, nginx, PgBouncer and a direct connection side by side")
    p.add_argument("--quick", action="store_true", help="the main rows, fewer rounds, smaller streams")
    p.add_argument("--rounds", type=int, help="default 7, quick 3")
    p.add_argument("--only", metavar="KEY,KEY", help="rows or measures; --list names them")
    p.add_argument("--list", action="store_true", help="print rows, their measures, and what is wanted")
    p.add_argument("--programs", default="build/bench", help="where load and load_server are")
    p.add_argument("--json", metavar="FILE", help="write every value of every round")
    p.add_argument("--charts", metavar="DIR", help="write an SVG per row")
    p.add_argument("--results", action="store_true", help="write bench/RESULTS.md and bench/results/*.svg")
    p.add_argument("--from", dest="source", metavar="FILE", help="measure nothing: take what --json wrote")
    args = p.parse_args()
    args.rounds = args.rounds or (3 if args.quick else 7)
    return args


def chosen(args):
    if args.only:
        keys = set(args.only.split(","))
        found = [r for r in rows() if r.key in keys or r.measure in keys]
        unknown = keys - {r.key for r in found} - {r.measure for r in found}
        if unknown:
            raise Failure(f"no such row or measure: {', '.join(sorted(unknown))}; --list names them")
        return found
    return [r for r in rows() if r.quick or not args.quick]


def list_rows(found):
    for r in found:
        print(f"{r.key:20} {r.measure:18} {r.group}: {r.what.strip()}")
        for w in r.wanted:
            print(f"{'':40}{w.text()}")


def who_counts(measure, found, quick):
    """A quick run is without those of whom nothing is wanted."""
    named = {n for r in found if r.measure == measure.name for w in r.wanted for n in (w.who, w.of)}
    always = ("direct", "isari", "haproxy", "bare", "bare-unix")
    return [n for n in measure.contenders if not quick or n in always or n in named]


def take_all(stage, args, found, names):
    takings = {}
    for i, name in enumerate(names):
        begun = time.monotonic()
        counting = who_counts(MEASURES[name], found, args.quick)
        takings[name] = taken = Taking(stage, MEASURES[name], args.rounds, args.quick, counting).run()
        print(f"[{i + 1}/{len(names)}] {name}: {len(taken.others)} rounds in {time.monotonic() - begun:.0f} s, "
              f"others at most {max(taken.others, default=0):.2f} CPU", file=sys.stderr)
    return takings


def about(args, seconds):
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(f.readline().split()[1]) // 1024
    return {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), **versions(), **peers(),
            "memory": f"{memory} MB", "network": f"loopback of a namespace of its own, {network.congestion()}",
            "sessions": f"{contenders.SESSIONS} at most in one proxy (limit of descriptors)",
            "rounds": f"{args.rounds}, in {seconds / 60:.0f} min{', quick' if args.quick else ''}"}


def measure(args):
    found = chosen(args)
    names = list(dict.fromkeys(r.measure for r in found))
    begun = time.monotonic()
    with Stage(args.programs, *((150, 40) if args.quick else (500, 100))) as stage:
        takings = take_all(stage, args, found, names)
    return verdicts.result(found, takings, about(args, time.monotonic() - begun))


def write(args, outcome):
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(outcome, f, indent=1)
    if args.charts:
        results.charts(outcome, args.charts)
    if args.results and outcome["judged"]:
        results.write(outcome)


def main():
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception: everything is cleaned up
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, too
    if args.list:
        list_rows(chosen(args))
        return 0
    if args.source:
        with open(args.source, encoding="utf-8") as f:
            outcome = json.load(f)
    else:
        network.enter()
        outcome = measure(args)
    report.show(outcome)
    write(args, outcome)
    if not outcome["judged"]:
        return BUSY
    return 1 if report.faults(outcome) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as e:
        sys.exit(f"bench: {e}")
    except KeyboardInterrupt:
        sys.exit(130)
