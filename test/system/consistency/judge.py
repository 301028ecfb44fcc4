"""What was wrong with a history. Pure: a history in, findings and bounds out.

A verdict is a list of findings; it is clean when the list is empty. Every rule errs towards clean: times
of an append are taken outside of it, and between two samples of the lock either holder may have had it.
Not here: how a history comes to be.
"""
import bisect
import collections
import dataclasses

from .history import FAIL, OK

TOLERANCE = 0.25  # of the lock: an etcd that was paused may answer from a little while ago
READ_ONLY = "25006"
READ_GRACE = 2.0  # a promoted replica may keep read sessions for so long


@dataclasses.dataclass
class Finding:
    what: object  # the Op, Conn or (client, seq) that is wrong
    why: str
    other: object = None  # what contradicts it


class Lock:
    """Who may have held the leader key."""

    def __init__(self, samples):
        if not samples:
            raise ValueError("the lock oracle saw nothing")
        self.samples = sorted(samples, key=lambda s: s.sent)
        self.sent = [s.sent for s in self.samples]
        self.received = [s.received for s in self.samples]

    def holders(self, a, b):
        """Everybody who may have held it at some moment of [a, b]."""
        first = max(bisect.bisect_left(self.received, a) - 1, 0)
        last = bisect.bisect_right(self.sent, b)
        return {s.holder for s in self.samples[first:last + 1]}

    def widest_gap(self):
        return max((b - a for a, b in zip(self.received, self.received[1:])), default=0.0)

    def changes(self):
        """(when it was first seen, holder) whenever that is another one."""
        found = []
        for s in self.samples:
            if not found or found[-1][1] != s.holder:
                found.append((s.received, s.holder))
        return found


class Highest:
    """The highest timeline among (time, timeline, what): asked for any moment."""

    def __init__(self, points):
        self.times, self.best = [], []
        for time, timeline, what in sorted(points, key=lambda p: p[:2]):
            if not self.best or timeline > self.best[-1][0]:
                self.times.append(time)
                self.best.append((timeline, what))

    def before(self, t):
        """(timeline, what) of all points earlier than t; (0, None) of none."""
        i = bisect.bisect_left(self.times, t)
        return self.best[i - 1] if i else (0, None)


class Facts:
    """A history, and what several rules want to know of it."""

    def __init__(self, h):
        self.h = h
        self.lock = Lock(h.lock)
        self.oks = [o for o in h.ops if o.outcome == OK]
        self.rows = collections.Counter(map(tuple, h.final))
        self.promoted = Highest((s.received, s.timeline, s) for s in h.nodes
                                if not s.in_recovery and s.timeline)
        self.acked = Highest((o.end, o.timeline, o) for o in self.oks)
        self.lost = [o for o in self.oks if (o.client, o.seq) not in self.rows]

    def unlocked(self, op):
        return op.node not in self.lock.holders(op.start - TOLERANCE, op.end)

    def overtaken(self, op):
        """The oracle's sample of a newer primary, seen before this append began; None."""
        timeline, sample = self.promoted.before(op.start)
        return sample if timeline > op.timeline else None


# ---- the verdicts -----------------------------------------------------------------------------------


def lost(f):
    """Acknowledged, and not in the last primary."""
    return [Finding(o, "acknowledged, but not in the last primary") for o in f.lost]


def phantom(f):
    """In the last primary although it was refused, or never tried."""
    tried = {(o.client, o.seq): o for o in f.h.ops}
    found = [Finding(row, "there, but never tried") for row in f.rows if row not in tried]
    return found + [Finding(tried[row], "refused, but there") for row in f.rows
                    if row in tried and tried[row].outcome == FAIL]


def duplicate(f):
    """More than once in the last primary."""
    return [Finding(row, f"there {n} times") for row, n in f.rows.items() if n > 1]


def lost_router(f):
    """Lost, and begun when a newer primary had been promoted: a proxy could have known."""
    return [Finding(o, "lost, and begun after a newer timeline was promoted", f.overtaken(o))
            for o in f.lost if f.overtaken(o)]


def lost_unlocked(f):
    """Lost, and acknowledged by a node without the leader lock."""
    return [Finding(o, "lost, and acknowledged without the lock") for o in f.lost if f.unlocked(o)]


def stale_lock(f):
    """Acknowledged by a node that did not hold the leader lock at any moment of it."""
    return [Finding(o, "acknowledged without the lock") for o in f.oks if f.unlocked(o)]


def stale_truth(f):
    """Acknowledged on a timeline when a newer one had been promoted."""
    return [Finding(o, "begun after a newer timeline was promoted", f.overtaken(o))
            for o in f.oks if f.overtaken(o)]


def _backwards(f):
    """(append, an earlier acknowledged one of a newer timeline)"""
    for o in f.oks:
        timeline, other = f.acked.before(o.start)
        if timeline > o.timeline:
            yield o, other


def _opened_too_late(f, op):
    return f.acked.before(f.h.conns[op.conn].opened)[0] > op.timeline


def stale_new(f):
    """A connection that was opened after a newer timeline had acknowledged, and led to an older one."""
    return [Finding(o, "a newer timeline had acknowledged before its connection was opened", other)
            for o, other in _backwards(f) if _opened_too_late(f, o)]


def stale_session(f):
    """An older connection, left alive on an older timeline."""
    return [Finding(o, "a newer timeline had acknowledged before it began", other)
            for o, other in _backwards(f) if not _opened_too_late(f, o)]


def misrouted_rw(f):
    """A write connection that met a node in recovery."""
    led = [Finding(c, "the write port led to a node in recovery") for c in f.h.conns.values()
           if c.port == "write" and c.in_recovery]
    return led + [Finding(o, "refused as read-only") for o in f.h.ops
                  if o.outcome == FAIL and READ_ONLY in (o.error or "")]


def back_in_time(f):
    """A write connection that does not show its client's own last acknowledged append.
    Without strict synchronous replication only within one timeline."""
    return [Finding(c, f"does not show its client's own append {c.last} of timeline {c.last_timeline}")
            for c in f.h.conns.values()
            if c.sees_last is False and not c.in_recovery
            and (f.h.strict or c.timeline == c.last_timeline)]


RULES = {rule.__name__: rule for rule in (
    lost, phantom, duplicate, lost_router, lost_unlocked, stale_lock, stale_truth, stale_new,
    stale_session, misrouted_rw, back_in_time)}


def judge(h):
    """{verdict: [Finding]}"""
    f = Facts(h)
    return {name: rule(f) for name, rule in RULES.items()}


def guilty(h, verdicts):
    """The verdicts that count: asynchronous replication may lose what the old primary did not send."""
    return {name: found for name, found in verdicts.items()
            if found and (h.strict or name != "lost")}


# ---- bounds -------------------------------------------------------------------------------------------


def _first_on(f, timeline):
    return min((o.end for o in f.oks if o.timeline == timeline), default=None)


def _behind(f):
    """Seconds from the last promotion that was seen to the first acknowledged append there."""
    if len(f.promoted.times) < 2 or f.promoted.times[-1] < f.h.event:
        return None
    first = _first_on(f, f.promoted.best[-1][0])
    return first - f.promoted.times[-1] if first else None


def _overlap(f):
    """For how long an old timeline went on acknowledging after a newer one had begun to."""
    spans = {}
    for o in f.oks:
        first, last = spans.get(o.timeline, (o.end, o.end))
        spans[o.timeline] = min(first, o.end), max(last, o.end)
    order = [spans[t] for t in sorted(spans)]
    return max((a[1] - b[0] for a, b in zip(order, order[1:])), default=0.0)


def _misrouted_reads(f):
    """Reads that a primary answered, when it had been one for longer than the grace."""
    since, found = {}, 0
    for s in f.h.nodes:
        since[s.node] = None if s.in_recovery else since.get(s.node) or s.received
    for r in f.h.reads:
        begun = since.get(r.node)
        found += not r.in_recovery and begun is not None and r.start > begun + READ_GRACE
    return found


def bounds(h):
    """{name: number, or None if there was nothing to measure}: how long things took."""
    f = Facts(h)
    ends = sorted(o.end for o in f.oks)
    write = [c for c in h.conns.values() if c.port == "write"]
    cuts = [c.cut for c in write if c.kind == "idle" and c.cut and c.opened < h.event <= c.cut]
    return {
        "outage_s": max((b - a for a, b in zip(ends, ends[1:])), default=None),
        "behind_s": _behind(f),
        "hang_s": max((o.end - o.start for o in h.ops), default=None),
        "wait_s": max((c.login - c.opened for c in write if c.login), default=None),
        "idle_cuts": len(cuts),
        "idle_cut_s": max((c - h.event for c in cuts), default=None),
        "overlap_s": max(_overlap(f), 0.0),
        "failed_connects": sum(c.error is not None and c.login is None for c in write),
        "misrouted_ro": _misrouted_reads(f),
        "oracle_gap_s": f.lock.widest_gap(),
        "appends": len(f.oks),
    }


# ---- evidence -----------------------------------------------------------------------------------------


def _time(h, t):
    return "?" if t is None else f"{t - h.event:+.3f}"


def _describe_conn(h, c):
    return (f"connection {c.id} of client {c.client} ({c.kind}, {c.port} port), opened {_time(h, c.opened)}, "
            f"to {h.names.get(c.node, c.node)}, {'in recovery' if c.in_recovery else f'timeline {c.timeline}'}")


def _describe_op(h, o):
    c = h.conns.get(o.conn)
    of = f" ({c.kind}, connection {c.id} opened {_time(h, c.opened)})" if c else ""
    return (f"append {o.seq} of client {o.client}{of}: {o.outcome} {_time(h, o.start)} .. {_time(h, o.end)} by "
            f"{h.names.get(o.node, o.node)}, timeline {o.timeline}, lsn {o.lsn}"
            + (f", {o.error}" if o.error else ""))


def describe(h, what):
    kind = type(what).__name__
    if kind == "Op":
        return _describe_op(h, what)
    if kind == "Conn":
        return _describe_conn(h, what)
    if kind == "NodeSample":
        return f"{h.names.get(what.node, what.node)} primary on timeline {what.timeline} seen {_time(h, what.received)}"
    return f"append {what[1]} of client {what[0]}"


def evidence(h, verdicts, most=5):
    """The findings as text; times are seconds from the event."""
    lines = []
    for name, found in verdicts.items():
        lines.append(f"{name}: {len(found)}")
        for x in found[:most - 1] + found[-1:] if len(found) > most else found:
            lines.append(f"    {describe(h, x.what)}: {x.why}")
            if x.other is not None:
                lines.append(f"        {describe(h, x.other)}")
    holders = ", ".join(f"{h.names.get(who, who) or 'nobody'} from {_time(h, t)}"
                        for t, who in Lock(h.lock).changes())
    return "\n".join(lines + [f"leader lock: {holders}"])
