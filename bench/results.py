"""bench/RESULTS.md and its charts, made of one outcome; what people say about rows that were not reached is in
bench/RESULTS-notes.md and goes into it unchanged.
"""
import os

import bars
from contenders import WHAT
from report import faults, number, ratio, sorted_names, tally, want_cells
from verdicts import missed

HERE = os.path.dirname(os.path.abspath(__file__))
NOTES = os.path.join(HERE, "RESULTS-notes.md")
SHOWN = ("rtt", "msg-32", "copy-out", "copy-out-cpu", "bulk-down-1", "fair", "connect", "idle")  # as pictures

HEAD = """# Results

Written by `make bench-results`; do not edit: explanations belong into [RESULTS-notes.md](RESULTS-notes.md). What counts
are the ratios, each between two values of the same round (median, least and greatest); absolute numbers are those of
this machine on this day. How it is measured: [method.py](method.py); what is wanted: [rows.py](rows.py).

"""


def charts(outcome, directory):
    """{key: file name}; charts of rows that are no more go."""
    os.makedirs(directory, exist_ok=True)
    for name in os.listdir(directory):
        if name.endswith(".svg"):
            os.unlink(os.path.join(directory, name))
    titles, written = bars.titles(outcome["rows"]), {}
    for row in outcome["rows"]:
        if len(row["contenders"]) > 1 and row["unit"]:
            written[row["key"]] = f"{row['key']}.svg"
            with open(os.path.join(directory, written[row["key"]]), "w", encoding="utf-8") as f:
                f.write(bars.draw(row, titles[row["key"]]))
    return written


def markdown_table(head, lines):
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows) + "\n"


def linked(row, files):
    what = row["what"].strip() if row["what"][0] != " " else "… " + row["what"].strip()
    what += f", {row['unit']}" if row["unit"] else ""
    return f"[{what}](results/{files[row['key']]})" if row["key"] in files else what


def group_text(name, rows, files):
    names = sorted_names({n for r in rows for n in r["contenders"]})
    values = markdown_table(["median", "better", *names], [
        [linked(r, files), "less" if r["less_is_better"] else "more",
         *[number(r["contenders"][n]["median"]) if n in r["contenders"] else "" for n in names]] for r in rows])
    wants = [(r, want_cells(w, True)) for r in rows for w in r["wanted"]]
    wanted = markdown_table(["", "wanted", "median (min-max)", "reached"], [
        [r["key"], text, shown, {"yes": "yes", "NO": "**no**"}.get(reached, reached)]
        for r, (text, shown, reached) in wants])
    pictures = "".join(f"![{r['what'].strip()}](results/{files[r['key']]})\n\n" for r in rows
                       if r["key"] in SHOWN and r["key"] in files)
    return f"## {name}\n\n{pictures}{values}\n{wanted if wants else ''}"


def not_reached(outcome):
    lines = [f"- `{r['key']}` {r['what'].strip()}: wanted {w['text']}, is "
             f"{ratio(w['value']) if w['of'] else number(w['value']['median'])}" for r, w in missed(outcome)]
    notes = ""
    if os.path.exists(NOTES):
        with open(NOTES, encoding="utf-8") as f:
            notes = f.read().strip() + "\n"
    return "## Not reached\n\n" + ("\n".join(lines) or "Nothing.") + "\n\n" + notes


def markdown(outcome, files):
    about = markdown_table(["", ""], [[k, v] for k, v in outcome["about"].items()])
    used = {n for r in outcome["rows"] for n in r["contenders"]}
    who = markdown_table(["contender", ""], [[n, WHAT[n]] for n in sorted_names(used)])
    parts = [HEAD + about, "\n".join([tally(outcome) + ".", *faults(outcome)]) + "\n", who]
    groups = {}
    for r in outcome["rows"]:
        groups.setdefault(r["group"], []).append(r)
    parts += [group_text(name, rows, files) for name, rows in groups.items()]
    return "\n".join([*parts, not_reached(outcome)])


def write(outcome):
    files = charts(outcome, os.path.join(HERE, "results"))
    with open(os.path.join(HERE, "RESULTS.md"), "w", encoding="utf-8") as f:
        f.write(markdown(outcome, files))
