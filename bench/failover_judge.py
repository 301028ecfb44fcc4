"""From deeds to figures: what the clients of one contender felt in one run. Pure.

Times are seconds, relative to the event where it says so. None: it never came while it was watched.
"""
import collections

# A run as the observer saw it: when the event was, the old primary's address, when it was first seen not to
# write any more (None: not before the ideal), when and where a primary was next seen to write (None: there was
# to be no failover), and the end.
Truth = collections.namedtuple("Truth", "event old gone ideal new end")

WRITERS = ("fresh", "pool")
VISITORS = ("fresh", "pool", "storm", "held")
WATCHERS = ("idle", "query")
BUCKET = 0.1
IN_PLACE = 1.0  # a PostgreSQL that comes back in its place takes longer than that, the observer's word never


def acknowledged(deeds, truth):
    """Writes that count, by time: acknowledged by the primary of that moment."""
    return sorted((d for d in deeds if d.kind in VISITORS and d.outcome == "ok" and not astray(d, truth)),
                  key=lambda d: d.ended)


def astray(d, truth):
    """Acknowledged by the old primary after the new one was there."""
    return (d.outcome == "ok" and d.server != "-" and truth.ideal is not None and truth.new != truth.old
            and d.server != truth.new and d.ended > truth.ideal)


def longest_gap(acks, truth):
    times = [truth.event - 1] + [d.ended for d in acks if truth.event - 1 <= d.ended <= truth.end] + [truth.end]
    return max(b - a for a, b in zip(times, times[1:]))


def ideal_gap(all_deeds, truth):
    """From the last write that the old primary acknowledged to anybody until the ideal; None without failover."""
    if truth.ideal is None:
        return None
    last = [d.ended for deeds in all_deeds for d in acknowledged(deeds, truth)
            if d.server == truth.old and d.ended <= truth.ideal
            and (truth.new != truth.old or d.ended < truth.ideal - IN_PLACE)]
    return truth.ideal - max(last, default=truth.event)


def behind(acks, truth):
    """First write that the new primary acknowledged, against its own first word that it writes."""
    if truth.ideal is None:
        return None
    # A primary that comes back has the address that it had: what its last moments still got done does not count.
    since = truth.ideal - IN_PLACE if truth.new == truth.old else truth.event
    first = next((d.ended for d in acks if d.server == truth.new and d.ended > since), None)
    return None if first is None else first - truth.ideal


def all_back(deeds, truth):
    """From the ideal until the last of the writers of before had a write acknowledged by the new primary."""
    if truth.ideal is None:
        return None
    writers, first = set(), {}
    for d in sorted((d for d in deeds if d.kind in WRITERS), key=lambda d: d.ended):
        writers.add((d.kind, d.client))
        if d.outcome == "ok" and d.server == truth.new and d.ended > truth.ideal:
            first.setdefault((d.kind, d.client), d.ended - truth.ideal)
    return max(first.values()) if set(first) == writers else None


def notices(deeds, truth, kind):
    """Of the sessions of a kind on the old primary: (when the last of them noticed, how many never did)."""
    ours = {}
    for d in deeds:
        if d.kind == kind and d.server == truth.old and d.outcome in ("broken", "unfinished") \
                and d.connected < truth.event <= d.ended:
            ours[d.client] = d
    done = [d.ended - truth.event for d in ours.values() if d.outcome == "broken"]
    return max(done, default=None), len(ours) - len(done)


def session(d):
    return d.kind, d.client, d.connected


def wrong_sessions(deeds, truth):
    """Sessions of the write port that were in recovery, or begun elsewhere once the new primary was there."""
    return {session(d) for d in deeds if d.kind in VISITORS + WATCHERS and d.ended >= truth.event
            and (d.outcome == "readonly" or astray(d, truth) and d.connected > truth.ideal)}


def storm_over(visits, truth):
    """From the ideal until the last of the storm and of the held had its answer; None: not all had one."""
    ours = [d for d in visits if d.kind in ("storm", "held")]
    if truth.ideal is None or not ours or any(d.outcome != "ok" for d in ours):
        return None
    return max(0.0, max(d.ended for d in ours) - truth.ideal)


def judge(deeds, truth):
    """Figures of one contender: seconds and counts."""
    after = [d for d in deeds if d.ended >= truth.event]
    acks = acknowledged(deeds, truth)
    visits = [d for d in after if d.kind in VISITORS]
    idle, query = (notices(deeds, truth, k) for k in WATCHERS)
    return {
        "gap": longest_gap(acks, truth),
        "behind": behind(acks, truth),
        "all_back": all_back(deeds, truth),
        "failed": sum(d.outcome == "refused" for d in visits),
        "storm_failed": sum(d.kind == "storm" and d.outcome == "refused" for d in visits),
        "held_failed": sum(d.kind == "held" and d.outcome == "refused" for d in visits),
        "storm_over": storm_over(visits, truth),
        "wrong": len(wrong_sessions(deeds, truth)),
        "astray": sum(astray(d, truth) for d in visits),
        "broken": sum(d.outcome in ("broken", "error") for d in visits),
        "unfinished": sum(d.outcome == "unfinished" and d.ended - d.begun > 1 for d in visits),
        "longest": max((d.ended - max(d.begun, truth.event - 1) for d in visits), default=0.0),
        "idle": idle[0], "idle_never": idle[1],
        "query": query[0], "query_never": query[1],
        "writes": len(acks),
        "why": complaints(visits),
    }


def complaints(visits):
    """The most frequent words of failed connections and broken sessions."""
    words = collections.Counter(f"{d.outcome}: {d.text[-110:]}" for d in visits
                                if d.outcome not in ("ok", "unfinished"))
    return dict(words.most_common(6))


def per_bucket(deeds, truth, begin, end):
    """Acknowledged writes per 100 ms from begin to end, relative to the event: (counted, astray)."""
    n = round((end - begin) / BUCKET)
    counted, lost = [0] * n, [0] * n
    for d in deeds:
        i = int((d.ended - truth.event - begin) // BUCKET)
        if d.kind in VISITORS and d.outcome == "ok" and 0 <= i < n:
            (lost if astray(d, truth) else counted)[i] += 1
    return counted, lost
