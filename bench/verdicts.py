"""From the values of all rounds to what is said of each row: spreads, paired ratios, and whether what is wanted was
reached. The result is plain data: it goes to the JSON, and from there to table, charts and RESULTS.md.

Not here: the rows themselves (rows.py), how values came about (method.py).
"""
import statistics

from method import QUIET, paired, spread


def wanted(want, of, left_out):
    """{text, ratio or value, reached}; reached None: it could not be measured, and why."""
    found = {"text": want.text(), "who": want.who, "of": want.of}
    missing = [n for n in (want.who, want.of) if n and n not in of]
    if missing:
        return found | {"value": None, "reached": None,
                        "why": "; ".join(f"{n}: {left_out.get(n, 'no value')}" for n in missing)}
    value = paired(of, want.who, want.of, want.times) if want.of else spread(of[want.who])
    if value is None:
        return found | {"value": None, "reached": None, "why": f"{want.of}: zero"}
    return found | {"value": value, "reached": want.met(value["median"])}


def row_result(row, taking):
    of = taking.values.get(row.reading, {})
    left_out = {n: why for n, why in taking.left_out.items()}
    pairs = {f"isari/{b}": paired(of, "isari", b) for b in of if b != "isari"}
    return {
        "key": row.key, "measure": row.measure, "group": row.group, "what": row.what, "unit": row.unit,
        "less_is_better": row.less, "contenders": {n: spread(v) for n, v in of.items()},
        "ratios": {k: v for k, v in pairs.items() if v}, "wanted": [wanted(w, of, left_out) for w in row.wanted],
        "left_out": left_out, "values": of,
    }


def result(rows, takings, about):
    """takings: {measure: Taking}"""
    others = {name: t.others for name, t in takings.items()}
    busy = sorted(name for name, of in others.items() if any(o > QUIET for o in of))
    done = [row_result(r, takings[r.measure]) for r in rows if r.measure in takings]
    everyone = [o for of in others.values() for o in of]
    return {
        "about": about, "others": others, "busy": busy, "quiet": QUIET, "judged": not busy,
        "others_median": statistics.median(everyone) if everyone else 0, "others_most": max(everyone, default=0),
        "rows": done,
    }


def missed(outcome):
    """[(row, want)] of what was measured and not reached."""
    return [(r, w) for r in outcome["rows"] for w in r["wanted"] if w["reached"] is False]
