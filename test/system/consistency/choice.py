"""Which runs are made: the whole matrix, what the environment asks for, or the short selection of an
ordinary `make system`."""
import os

from .events import EVENTS

TIMINGS = {20: (20, 5, 5), 30: (30, 10, 10)}  # ttl: ttl, loop_wait, retry_timeout
MODES = ("async", "sync")
REPEATED = {("freeze-patroni", "async"): 10}  # what depends on the phase of Patroni's loop


def matrix():
    """Was the consistency check itself asked for?"""
    return os.environ.get("CONSISTENCY") == "matrix"


def asked(name, known, kind=str):
    words = [kind(w) for w in os.environ.get(name, "").replace(",", " ").split()] or list(known)
    if strange := [w for w in words if w not in known]:
        raise SystemExit(f"{name}: {strange[0]} is none of {', '.join(map(str, known))}")
    return words


def times(event, mode):
    runs = os.environ.get("RUNS")
    return int(runs) if runs else REPEATED.get((event, mode), 1)


def of_isari():
    """[(mode, ttl, event, number of the run)]"""
    if not matrix():
        return []
    return [(mode, ttl, event, i + 1)
            for mode in asked("MODES", MODES) for ttl in asked("TTLS", TIMINGS, int)
            for event in asked("EVENTS", EVENTS) for i in range(times(event, mode))]
