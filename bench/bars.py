"""One SVG per row: a bar per contender as long as its median, a whisker from its least to its greatest value.

Readable on dark and on light ground: nothing is filled behind, and all text is a grey between the two.
"""
from xml.sax.saxutils import escape

from report import number, sorted_names

WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 760, 150, 120, 44, 16, 10
TEXT, WHISKER = "#808080", "#e8590c"
OURS, FLOOR, PEER = "#1c7ed6", "#2f9e44", "#868e96"


def colour(name):
    return OURS if name.startswith("isari") else FLOOR if name == "direct" else PEER


def text(x, y, words, anchor="start", size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{TEXT}" font-size="{size}">'
            f'{escape(words)}</text>')


def bar(y, name, s, most):
    room = WIDTH - LEFT - RIGHT
    x = {k: LEFT + max(0, v) / most * room for k, v in s.items()}
    middle = y + BAR / 2
    return [
        text(LEFT - 8, y + BAR - 4, name, "end"),
        f'<rect x="{LEFT}" y="{y}" width="{x["median"] - LEFT:.1f}" height="{BAR}" fill="{colour(name)}"/>',
        f'<path d="M{x["min"]:.1f} {middle}H{x["max"]:.1f}M{x["min"]:.1f} {y + 4}V{y + BAR - 4}'
        f'M{x["max"]:.1f} {y + 4}V{y + BAR - 4}" stroke="{WHISKER}" stroke-width="1.5" fill="none"/>',
        text(max(x["max"], x["median"]) + 8, y + BAR - 4, number(s["median"])),
    ]


def draw(row, title):
    """The chart as text."""
    names = sorted_names(row["contenders"])
    most = max([row["contenders"][n]["max"] for n in names] + [1e-9])
    height = TOP + len(names) * (BAR + GAP) + 6
    unit = f"{row['unit']}, " if row["unit"] else ""
    rounds = max(len(v) for v in row["values"].values())
    parts = [text(10, 18, title, size=14),
             text(10, 34, f"{unit}{'less' if row['less_is_better'] else 'more'} is better; median, least and greatest "
                          f"of {rounds} rounds", size=11)]
    for i, name in enumerate(names):
        parts += bar(TOP + i * (BAR + GAP), name, row["contenders"][name], most)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'font-family="system-ui, sans-serif" role="img"><title>{escape(title)}</title>\n'
            + "\n".join(parts) + "\n</svg>\n")


def titles(rows):
    """{key: title}: an indented row says of what it is."""
    found, head = {}, ""
    for r in rows:
        if r["what"].startswith("  "):
            found[r["key"]] = f"{head}: {r['what'].strip()}"
        else:
            head = r["what"].split(":")[0]
            found[r["key"]] = r["what"]
    return found
