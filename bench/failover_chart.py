"""One SVG per event: acknowledged writes per 100 ms, a lane per contender, in the run that was median for the first.

Readable on dark and on light ground: nothing is filled behind, and all text is a grey between the two.
"""
import os
from xml.sax.saxutils import escape

from failover_events import EVENTS

WIDTH, LEFT, RIGHT, TOP, LANE, GAP = 960, 130, 20, 64, 62, 16
TEXT, IDEAL, LOST = "#808080", "#2f9e44", "#e8590c"
BAR = {"isari": "#1c7ed6"}
OTHER_BAR, NO_WRITES = "#868e96", "#e03131"


def chosen(taken, name):
    """The median run of a contender, by how far it was behind (never: last)."""
    def rank(i):
        behind = taken[i]["figures"][name]["behind"]
        return (taken[i]["figures"][name]["gap"] if taken[i]["truth"].ideal is None else
                float("inf") if behind is None else behind)
    return sorted(range(len(taken)), key=rank)[(len(taken) - 1) // 2]


def tick_step(span):
    return next(s for s in (0.5, 1, 2, 5, 10, 20) if span / s <= 14)


class Chart:
    def __init__(self, begin, end, lanes):
        self.begin, self.end = begin, end
        self.height = TOP + lanes * (LANE + GAP) + 34
        self.parts = []

    def x(self, t):
        return LEFT + (t - self.begin) / (self.end - self.begin) * (WIDTH - LEFT - RIGHT)

    def rect(self, x, y, w, h, colour, opacity=1.0):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.2f}" height="{h:.1f}" fill="{colour}" '
                          f'fill-opacity="{opacity}"/>')

    def text(self, x, y, words, anchor="start", colour=TEXT, size=12):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
                          f'font-size="{size}">{escape(words)}</text>')

    def line(self, t, words, colour, dash, at):
        x = self.x(t)
        self.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{at + 4}" y2="{self.height - 30}" stroke="{colour}" '
                          f'stroke-dasharray="{dash}"/>')
        self.text(x + 3, at + 4, words, colour=colour, size=11)

    def axis(self):
        y, step = self.height - 26, tick_step(self.end - self.begin)
        k = int(self.begin // step)
        while k * step <= self.end:
            if k * step >= self.begin:
                self.text(self.x(k * step), y + 12, f"{k * step:g} s", "middle", size=11)
            k += 1

    def svg(self, title):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" '
                f'font-family="system-ui, sans-serif" role="img"><title>{escape(title)}</title>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def silences(counts, at_least=2):
    """(first, past the last) of each stretch of buckets without a write."""
    found, begun = [], None
    for i, n in enumerate([*counts, 1]):
        if n == 0 and begun is None:
            begun = i
        elif n and begun is not None:
            if i - begun >= at_least:
                found.append((begun, i))
            begun = None
    return found


def lane(chart, y, name, figures, buckets, most, begin, width):
    counted, lost = buckets
    bar = chart.x(begin + width) - chart.x(begin)
    for a, b in silences(counted):
        chart.rect(chart.x(begin + a * width), y, (b - a) * bar, LANE, NO_WRITES, 0.12)
    for i, (n, astray) in enumerate(zip(counted, lost)):
        for count, colour in ((n, BAR.get(name, OTHER_BAR)), (astray, LOST)):
            if count:
                h = LANE * count / most
                chart.rect(chart.x(begin + i * width), y + LANE - h, max(bar - 0.3, 0.4), h, colour)
    chart.rect(LEFT, y + LANE, WIDTH - LEFT - RIGHT, 0.6, TEXT)
    behind, gap = figures["behind"], figures["gap"]
    chart.text(LEFT - 8, y + 16, name, "end", size=13)
    chart.text(LEFT - 8, y + 33, f"no writes {gap:.2f} s", "end", size=10)
    if behind is not None:
        chart.text(LEFT - 8, y + 47, f"{round(behind * 1000)} ms behind", "end", size=10)


def draw(args, event, taken):
    """Write the chart, and return where."""
    run = taken[chosen(taken, args.contenders[0])]
    truth, buckets = run["truth"], run["buckets"]
    begin, width = buckets["begin"], buckets["width"]
    chart = Chart(begin, truth.end - truth.event, len(args.contenders))
    most = max(max(map(sum, zip(*b)), default=1) for b in buckets["of"].values()) or 1
    title = f"{event}: {EVENTS[event].what}"
    chart.text(10, 18, title, size=14)
    chart.text(10, 34, f"acknowledged writes per 100 ms (tallest bar {most}); shaded: none for 200 ms or more; orange: "
               "acknowledged by the wrong primary", size=11)
    for i, name in enumerate(args.contenders):
        lane(chart, TOP + i * (LANE + GAP), name, run["figures"][name], buckets["of"][name], most, begin, width)
    chart.line(0, "event", TEXT, "2 3", 48)
    if truth.ideal is not None:
        chart.line(truth.ideal - truth.event, "ideal", IDEAL, "4 2", 48)
    chart.axis()
    file = os.path.join(args.out, f"failover-{event}.svg")
    with open(file, "w", encoding="utf-8") as f:
        f.write(chart.svg(title))
    return file
