"""What watching costs: `show stat` over the stats socket and a scrape of /metrics, with 21 servers in the table and
thousands of sessions, and what other sessions notice of it.

Not here: crowds that nobody watches (measures_crowd.py).
"""
import http.client
import socket
import statistics
import threading
import time

from contenders import SESSIONS
from measures_load import crowd, load
from meters import thread_seconds
from method import Measure

ASKED = 40
PAUSE = 0.05  # between two questions while others work: twenty a second, where a monitoring system asks four a minute


def show_stat(contender):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(contender.socket)
        s.sendall(b"show stat\n")
        return b"".join(iter(lambda: s.recv(65536), b""))


def scrape(contender):
    c = http.client.HTTPConnection(*contender.http, timeout=10)
    try:
        c.request("GET", "/metrics")
        answer = c.getresponse()
        if answer.status != 200:
            raise OSError(f"/metrics: {answer.status}")
        return answer.read()
    finally:
        c.close()


WAYS = {"stat": show_stat, "scrape": scrape}


def cost(turn):
    """Beside idle sessions: CPU of the thread that answers, and what the asker waited at worst."""
    conns = min(turn.pick(20000, 2000), SESSIONS - 150)
    found = {"idle": conns}
    with crowd(turn, conns, response=512, sources=4):
        for name, ask in WAYS.items():
            waits, before = [], thread_seconds(turn.contender.pid, turn.contender.pid)
            for _ in range(turn.pick(ASKED, 10)):
                at = time.perf_counter()
                ask(turn.contender)
                waits.append(time.perf_counter() - at)
            spent = thread_seconds(turn.contender.pid, turn.contender.pid) - before
            found |= {name: spent * 1e3 / len(waits), f"{name}_wait": statistics.median(waits) * 1e3}
    return found


class Watching:
    """Somebody asks all the time."""

    def __init__(self, contender):
        self.contender, self.stop = contender, threading.Event()
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self):
        self.thread.start()

    def _ask(self):
        while not self.stop.wait(PAUSE):
            for ask in WAYS.values():
                ask(self.contender)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def disturbed(turn):
    """100 active sessions: unwatched, watched, unwatched."""
    active = {"conns": 100, "request": 128, "response": 512, "seconds": 0.5, "warmup": 0.1}
    before = load(turn, "pingpong", **active)
    with Watching(turn.contender):
        watched = load(turn, "pingpong", **active)
    after = load(turn, "pingpong", **active)
    return {"p99": watched["p99_us"]} | {f"{key}_ratio": 2 * watched[of] / (before[of] + after[of])
                                         for key, of in (("p50", "p50_us"), ("p99", "p99_us"))}


TABLE = {"watched": 6}  # and the write port: 7 listeners with 3 servers each
MORE = {"isari": TABLE, "haproxy": TABLE}
MEASURES = (
    Measure("watch-cost", cost, ("isari", "haproxy"), "false", rounds=5, quick_rounds=2, warm=False, more=MORE),
    Measure("watch", disturbed, ("isari", "haproxy"), "false", rounds=5, warm=False, more=MORE),
)
