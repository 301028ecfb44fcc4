"""isari beside HAProxy 2.6 and a direct connection: `make bench`, or bench.py --help.

Numbers of one machine on one day: what counts are the ratios, each between two values of the same round.
Every round takes the targets in the opposite order of the round before it. A CPU that others use makes
all of it doubtful, and is reported.

Not here: the targets (stage.py), the loads (measures.py).
"""
import argparse
import json
import signal
import statistics
import sys
import time

import measures
from stage import Failure, Stage, Strangers, versions

QUIET = 0.3  # CPUs that others may use before the numbers are called doubtful
PAIRS = (("isari", "haproxy"), ("isari", "direct"), ("haproxy", "direct"))


def options():
    p = argparse.ArgumentParser(description="isari, HAProxy and a direct connection side by side")
    p.add_argument("--rounds", type=int, default=6)
    p.add_argument("--copy-mb", type=int, default=300, help="size of the COPY")
    p.add_argument("--sessions", type=int, default=1000, help="idle sessions whose memory is measured")
    p.add_argument("--json", metavar="FILE", help="write every value of every round")
    return p.parse_args()


def take_rounds(stage, args):
    """({reading: {target: [a value per round]}}, [CPUs that others used, per measure])"""
    values, others = {}, []
    for i in range(args.rounds):
        order = stage.targets[:: -1 if i % 2 else 1]
        for measure, seconds in measures.all_measures(args.sessions):
            strangers = Strangers()
            for key, of in measure(stage, order, seconds).items():
                for name, value in of.items():
                    values.setdefault(key, {}).setdefault(name, []).append(value)
            others.append(strangers.load())
        print(f"round {i + 1} of {args.rounds}", file=sys.stderr)
    return values, others


def spread(numbers):
    return {"median": statistics.median(numbers), "min": min(numbers), "max": max(numbers)}


def ratios(of):
    return {f"{a}/{b}": spread([x / y for x, y in zip(of[a], of[b])])
            for a, b in PAIRS if a in of and b in of and min(of[b]) > 0}


def summary(values):
    return {key: {"what": what, "unit": unit, "less_is_better": less,
                  "targets": {name: spread(v) for name, v in values[key].items()},
                  "ratios": ratios(values[key]), "values": values[key]}
            for key, (what, unit, less) in measures.READINGS.items() if key in values}


# ---- the table -------------------------------------------------------------------------------------


def number(x):
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"


def value_cell(s):
    return f"{number(s['median'])} ({number(s['min'])}-{number(s['max'])})" if s else ""


def ratio_cell(s):
    return f"{s['median']:.2f} ({s['min']:.2f}-{s['max']:.2f})" if s else ""


def print_table(result):
    head = ["median (min-max)", "better", "direct", "haproxy", "isari", "isari/haproxy", "isari/direct"]
    rows = [head]
    for r in result.values():
        rows.append([f"{r['what']}, {r['unit']}", "less" if r["less_is_better"] else "more",
                     *[value_cell(r["targets"].get(t)) for t in ("direct", "haproxy", "isari")],
                     *[ratio_cell(r["ratios"].get(p)) for p in ("isari/haproxy", "isari/direct")]])
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip())


def main():
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception: everything is cleaned up
    begun = time.monotonic()
    with Stage(args.copy_mb) as stage:
        values, others = take_rounds(stage, args)
    result, about = summary(values), versions()
    print("\n".join(f"{k:9} {v}" for k, v in about.items()))
    print()
    print_table(result)
    print(f"\n{args.rounds} rounds in {time.monotonic() - begun:.0f} s; others used "
          f"{value_cell(spread(others))} CPU")
    if max(others) > QUIET:
        print(f"WARNING: others used more than {QUIET} CPU in {sum(o > QUIET for o in others)} of "
              f"{len(others)} measures: do not trust these numbers, repeat on a quiet machine")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump({"versions": about, "rounds": args.rounds, "others": others, "readings": result}, f,
                      indent=1)


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        sys.exit(f"bench: {e}")
    except KeyboardInterrupt:
        sys.exit(130)
