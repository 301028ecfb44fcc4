"""What sessions and their bytes cost in memory, and what a proxy costs when nobody asks anything.

A process is started for each value, and has a first crowd, so that what the first sessions ever cost is not counted:
what is counted is what so many more add. Pools grow in steps, which are what is left of noise.
"""
import contextlib
import socket
import threading
import time

from measures_load import Load, crowd, load
from meters import Spent, anonymous_bytes, memory_of, slab_bytes, socket_buffer_bytes
from method import Measure
from pgwire import login, query, read_until

PEERS = ("direct", "isari", "haproxy", "nginx", "pgbouncer")
FIRST = 10
CALM = 5  # seconds: who has just started asks more often


def idle(conns, quick_conns, response):
    """Per session: what the contender has of its own, what the kernel has for it."""
    found_direct = []

    def take(turn):
        n = turn.pick(conns, quick_conns)
        with crowd(turn, n // 5, response=response):
            settle(turn)
            own, kernel = anonymous_bytes(turn.contender.pid), slab_bytes()
            with crowd(turn, n, response=response):
                settle(turn)
                own, kernel = (anonymous_bytes(turn.contender.pid) - own) / n, (slab_bytes() - kernel) / n
        return finding(turn, own, kernel)

    def finding(turn, own, kernel):
        """The kernel's part of a proxied session is what it takes more than a direct one, taken in the same measure."""
        if not turn.contender.pid:
            found_direct[:] = [kernel]
            return {"kernel": kernel}
        more = kernel - found_direct[0] if found_direct else None
        return {"own": own, "kernel": more, "total": None if more is None else own + more}

    return take


def settle(turn):
    """Until the contender has nothing more to do: its memory is read at rest."""
    if not turn.contender.pid:
        time.sleep(0.1)
        return
    for _ in range(50):
        with Spent(turn.contender.pid) as spent:
            time.sleep(0.05)
        if spent.seconds < 0.0005:
            return


def idle_postgres(turn):
    """Real sessions with real backends; each had a result of 3 KB."""
    n = 400
    with sessions(turn.contender, n // 5):
        settle(turn)
        before = anonymous_bytes(turn.contender.pid)
        with sessions(turn.contender, n):
            settle(turn)
            return {"own": (anonymous_bytes(turn.contender.pid) - before) / n}


@contextlib.contextmanager
def sessions(contender, n):
    with contextlib.ExitStack() as life:
        for _ in range(n):
            s = life.enter_context(socket.create_connection((contender.host, contender.port), 10))
            login(s).sendall(query("select repeat('x', 3000)"))
            read_until(s, b"Z")
        yield


# ---- a client that does not read -------------------------------------------------------------------


class Highest:
    """The most that a reading came to within the with block, over what it was before."""

    def __init__(self, read):
        self.read, self.stop = read, threading.Event()

    def __enter__(self):
        self.before = self.most = self.read()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def _watch(self):
        while not self.stop.wait(0.05):
            self.most = max(self.most, self.read())

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    @property
    def more(self):
        return self.most - self.before


def stall(turn):
    load(turn, "bulk", streams=1, bytes=64 << 20, chunk=64 << 10)  # what is shared by all streams is there before
    settle(turn)
    with Highest(lambda: anonymous_bytes(turn.contender.pid)) as own, Highest(socket_buffer_bytes) as kernel, \
            Load(turn, "stall", bytes=256 << 20, chunk=64 << 10, seconds=1.2) as p:
        p.await_line("stalled")
        time.sleep(1)  # while it does not read; what it reads afterwards does not count
    return {"own": own.more / 1024 if turn.contender.pid else None, "kernel": kernel.more / 1024}


# ---- at rest ---------------------------------------------------------------------------------------


def rest(turn):
    """CPU and memory of a process that has served a few and now only asks its three members."""
    with crowd(turn, FIRST, response=2048):
        pass
    time.sleep(CALM)
    settle(turn)
    seconds = turn.pick(10, 5)
    with Spent(turn.contender.pid) as spent:
        time.sleep(seconds)
    memory = memory_of(turn.contender.pid)
    return {"cpu": 100 * spent.seconds / seconds, "pss": memory["Pss"] / 1e6, "rss": memory["Rss"] / 1e6}


THRICE = {"rounds": 3, "quick_rounds": 1, "fresh": True, "warm": False}
TWICE = THRICE | {"rounds": 2}

MEASURES = (
    Measure("idle", idle(5000, 2000, 2048), PEERS, "false", **THRICE),
    Measure("idle-1MB", idle(1000, 200, 1 << 20), PEERS[1:], "false", **TWICE),
    Measure("idle-postgres", idle_postgres, PEERS[1:], "postgres", **TWICE),
    Measure("stall", stall, PEERS, "false", **THRICE),
    Measure("rest", rest, ("isari", "isari-spin", "haproxy"), "false", **THRICE),
)
