"""The outcome as a table in the terminal, at most 160 columns wide.

Not here: what is in it (verdicts.py), the Markdown and the charts (results.py, bars.py).
"""
ORDER = ("direct", "isari", "isari-unix", "isari-unix-server", "isari-spin", "haproxy", "haproxy-tuned",
         "haproxy-busy", "nginx", "nginx-tuned", "pgbouncer")
WIDTH = 160
HEAD = ("medians of all rounds (-: less is better, +: more)", "wanted", "median (min-max)", "reached")
LEFT, WANTED, IS = 82, 38, 25  # columns; the last one has what is left


def number(x):
    """Three digits that count."""
    if x == 0 or abs(x) >= 100:
        return f"{x:,.0f}"
    return f"{x:#.3g}".rstrip(".") if abs(x) >= 0.01 else f"{x:.2g}"


def ratio(s):
    return f"{s['median']:#.3g} ({s['min']:#.3g}-{s['max']:#.3g})"


def sorted_names(of):
    return sorted(of, key=lambda n: ORDER.index(n) if n in ORDER else len(ORDER))


def verdict(want, judged):
    if want["reached"] is None:
        return "not measured"
    return ("yes" if want["reached"] else "NO") if judged else ""


def want_cells(want, judged):
    """(what is wanted, what is, reached)"""
    value = want["value"]
    shown = "" if value is None else ratio(value) if want["of"] else \
        f"{number(value['median'])} ({number(value['min'])}-{number(value['max'])})"
    return want["text"], shown, verdict(want, judged)


def value_lines(row, width):
    """The contenders' medians, packed into lines."""
    lines = []
    for name in sorted_names(row["contenders"]):
        cell = f"{name} {number(row['contenders'][name]['median'])}"
        if lines and len(lines[-1]) + 3 + len(cell) <= width:
            lines[-1] += "   " + cell
        else:
            lines.append(cell)
    return lines


def columns(left, wanted, value, reached):
    return f"{left:<{LEFT}}{wanted:<{WANTED}}{value:<{IS}}{reached}".rstrip()


def row_lines(row, judged):
    """Left what it is and its values, right a line for each thing wanted of it."""
    right = [want_cells(w, judged) for w in row["wanted"]]
    left = [f"{'-' if row['less_is_better'] else '+'} {row['what']}{', ' * bool(row['unit'])}{row['unit']}"]
    left += ["      " + line for line in value_lines(row, LEFT - 8)]
    for i in range(max(len(left), len(right))):
        yield columns(left[i] if i < len(left) else "", *(right[i] if i < len(right) else ("", "", "")))


def table(outcome):
    lines, group = [], None
    for row in outcome["rows"]:
        if row["group"] != group:
            group = row["group"]
            lines += ["", f"== {group} " + "=" * max(0, WIDTH - 4 - len(group)), columns(*HEAD)]
        lines += row_lines(row, outcome["judged"])
    return lines


def tally(outcome):
    all_wanted = [w for r in outcome["rows"] for w in r["wanted"]]
    said = {v: sum(verdict(w, True) == v for w in all_wanted) for v in ("yes", "NO", "not measured")}
    return f"{len(all_wanted)} wanted: {said['yes']} reached, {said['NO']} not, {said['not measured']} not measured"


def faults(outcome):
    """Who was left out of what, once each."""
    seen = {}
    for r in outcome["rows"]:
        for name, why in r["left_out"].items():
            seen.setdefault((name, why), set()).add(r["measure"])
    return [f"{name} left out of {', '.join(sorted(of))}: {why}" for (name, why), of in seen.items()]


def closing(outcome):
    lines = [f"others used {outcome['others_median']:.2f} CPU, {outcome['others_most']:.2f} at most"]
    if not outcome["judged"]:
        lines.append(f"NOT JUDGED: others used more than {outcome['quiet']} CPU during {', '.join(outcome['busy'])}: "
                     "repeat on a quiet machine")
    else:
        lines.append(tally(outcome))
    return lines


def show(outcome):
    print("\n".join(f"{k:10} {v}" for k, v in outcome["about"].items()))
    print("\n".join(table(outcome)))
    print()
    print("\n".join(faults(outcome) + closing(outcome)))
