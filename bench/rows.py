"""What the report says, row by row, and what is wanted of isari in it: one table, everything else derives.

Not here: how the values come about (measures_*.py, method.py), how they are printed (report.py).
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Want:
    """who (relation) limit [x times x of]; of None: an absolute limit."""

    who: str
    relation: str  # "<=" or ">="
    limit: float
    of: str = None
    times: float = 1

    def met(self, value):
        return value <= self.limit if self.relation == "<=" else value >= self.limit

    def text(self):
        of = "" if not self.of else f" x {self.of}" if self.times == 1 else f" x ({self.times:g} x {self.of})"
        return f"{'' if self.who == 'isari' else self.who + ' '}{self.relation} {self.limit:g}{of}"


def below(limit, of=None, who="isari", times=1):
    return Want(who, "<=", limit, of, times)


def above(limit, of=None, who="isari"):
    return Want(who, ">=", limit, of)


@dataclass(frozen=True)
class Row:
    key: str
    measure: str  # and what is read off it
    reading: str
    group: str
    what: str
    unit: str
    less: bool    # is less better
    wanted: tuple = ()
    quick: bool = False


def rows():
    return ROUND_TRIPS + SATURATED + STREAMS + CONNECTIONS + MEMORY + CROWDS + WATCHED + TRUST


G = "Round trips, one CPU for all"
O = "Round trips, the proxy on its own CPU"
UNIX = ("isari-unix", "isari-unix-server")
RTT = (below(0.87, "haproxy"), below(1.08, "direct", times=2), below(0.95, "nginx"), below(0.95, "pgbouncer"))
SPIN = (below(0.60, "haproxy", "isari-spin"), below(1.0, "haproxy-busy", "isari-spin"))
SPIN_CPU = (below(0.5, "haproxy-busy", "isari-spin"),)

ROUND_TRIPS = (
    Row("rtt", "pingpong-1", "p50", G, "1 session, 128 B and 512 B back: p50", "us", True, RTT, True),
    Row("rtt-cpu", "pingpong-1", "cpu", G, "  CPU of the proxy per round trip", "us", True, (), True),
    Row("rtt-calls", "calls-1", "calls", G, "  system calls per round trip", "calls", True, (below(6.1),), True),
    Row("pgbench-1", "pgbench-1", "latency", G, "pgbench -S -M prepared, 1 client: latency", "us", True, RTT, True),
    Row("pgbench-1-cpu", "pgbench-1", "cpu", G, "  CPU of the proxy per transaction", "us", True, (), True),
    Row("rtt-own", "pingpong-1-own", "p50", O, "1 session: p50", "us", True, SPIN),
    Row("rtt-own-cpu", "pingpong-1-own", "cpu", O, "  CPU of the proxy per round trip", "us", True, SPIN_CPU),
    Row("rtt4-own", "pingpong-4-own", "p50", O, "4 sessions: p50", "us", True, SPIN),
    Row("rtt4-own-cpu", "pingpong-4-own", "cpu", O, "  CPU of the proxy per round trip", "us", True, SPIN_CPU),
    Row("pgbench-1-own", "pgbench-1-own", "latency", O, "pgbench -S -M prepared, 1 client: latency", "us", True, SPIN),
    Row("pgbench-1-own-cpu", "pgbench-1-own", "cpu", O, "  CPU of the proxy per transaction", "us", True, SPIN_CPU),
    Row("pgbench-4-own", "pgbench-4-own", "latency", O, "pgbench -S -M prepared, 4 clients: latency", "us", True, SPIN),
    Row("pgbench-4-own-cpu", "pgbench-4-own", "cpu", O, "  CPU of the proxy per transaction", "us", True, SPIN_CPU),
)

G = "Saturated"
MESSAGE = (below(0.90, "haproxy"), below(0.95, "nginx"))
LEG = tuple(below(0.77, "haproxy", who) for who in UNIX)

SATURATED = (
    Row("msg-32", "pingpong-32", "cpu", G, "32 sessions, one CPU for all: CPU of the proxy per message", "us", True,
        MESSAGE + LEG, True),
    Row("msg-32-rate", "pingpong-32", "rate", G, "  messages", "per s", False, (), True),
    Row("msg-128", "pingpong-128-own", "cpu", G, "128 sessions, own CPU: CPU of the proxy per message", "us", True,
        MESSAGE + LEG, True),
    Row("msg-128-rate", "pingpong-128-own", "rate", G, "  messages", "per s", False, (), True),
    Row("msg-calls", "calls-32", "calls", G, "32 sessions: system calls per message", "calls", True,
        (below(4.2),), True),
    Row("pgbench-16", "pgbench-16", "cpu", G, "pgbench, 16 clients, one CPU for all: CPU per transaction", "us", True,
        (below(0.90, "haproxy"), below(0.95, "nginx")) + LEG),
    Row("pgbench-16-tps", "pgbench-16", "tps", G, "  transactions", "per s", False),
    Row("pgbench-16-own", "pgbench-16-own", "cpu", G, "pgbench, 16 clients, own CPU: CPU per transaction", "us", True,
        (below(0.90, "haproxy"), below(0.95, "nginx"))),
    Row("pgbench-16-own-tps", "pgbench-16-own", "tps", G, "  transactions", "per s", False),
)

G = "PostgreSQL's streams"
B = "Synthetic streams"
BULK = (above(4, "haproxy"), above(4, "nginx"), above(0.95, "haproxy-tuned"))


def bulk_rows(direction, words):
    for streams in (1, 8):
        name = f"bulk-{direction}-{streams}"
        what = f"{words}, {streams} stream{'s' * (streams > 1)}"
        yield Row(name, name, "per_cpu", B, f"{what}: per CPU-second of the proxy", "Gbit", False, BULK, streams == 1)
        yield Row(name + "-rate", name, "rate", B, "  rate", "Gbit/s", False, (), streams == 1)


STREAMS = (
    Row("copy-out", "copy-out", "speed", G, "COPY TO by psql, 1 stream", "MB/s", False, (above(1.0, "direct"),), True),
    Row("copy-out-cpu", "copy-out", "cpu", G, "  CPU of the proxy per MB", "us", True,
        (below(0.40, "haproxy"), below(0.25, "pgbouncer")), True),
    Row("copy-out-4", "copy-out-4", "speed", G, "COPY TO by psql, 4 streams", "MB/s", False, (above(1.0, "haproxy"),)),
    Row("copy-out-4-cpu", "copy-out-4", "cpu", G, "  CPU of the proxy per MB", "us", True, (below(0.9, "haproxy"),)),
    Row("copy-in", "copy-in", "speed", G, "COPY FROM by psql", "MB/s", False, (above(0.95, "direct"),), True),
    Row("copy-in-cpu", "copy-in", "cpu", G, "  CPU of the proxy per MB", "us", True, (below(0.75, "haproxy"),), True),
    *bulk_rows("down", "to the client"), *bulk_rows("up", "to the server"),
    Row("fair", "fair", "p99", B, "4 small sessions beside 2 streams of 2.5 Gbit/s: p99", "us", True,
        (below(0.5, "haproxy"),)),
    Row("fair-p50", "fair", "p50", B, "  p50", "us", True),
    Row("fair-rate", "fair", "rate", B, "  what the streams had", "Gbit/s", False),
)

G = "Connections"
CONNECTIONS = (
    Row("connect", "connect", "cpu", G, "connect, log in, reset, 64 at once: CPU of the proxy each", "us", True,
        (below(0.90, "haproxy"),), True),
    Row("connect-rate", "connect", "rate", G, "  connections", "per s", False, (), True),
    Row("connect-calls", "calls-connect", "calls", G, "  system calls each, 16 at once", "calls", True,
        (below(14),), True),
    Row("pgbench-C", "pgbench-connect", "tps", G, "pgbench -S -C, 4 clients (PgBouncer keeps its servers')", "per s",
        False, (above(1.0, "haproxy"),)),
    Row("pgbench-C-cpu", "pgbench-connect", "cpu", G, "  CPU of the proxy per transaction", "us", True),
)

G = "Memory"
MEMORY = (
    Row("idle", "idle", "own", G, "own, per idle session after an answer of 2 KB", "B", True,
        (below(256), below(0.08, "haproxy"), below(0.12, "pgbouncer"), below(0.02, "nginx")), True),
    Row("idle-kernel", "idle", "kernel", G, "  of the kernel (direct: its two sockets; others: without those)", "B",
        True, (below(1.05, "direct"),), True),
    Row("idle-total", "idle", "total", G, "  own and of the kernel", "B", True,
        (below(7900), below(0.75, "haproxy")), True),
    Row("idle-1MB", "idle-1MB", "own", G, "own, per idle session after an answer of 1 MB", "B", True,
        (below(256),), True),
    Row("idle-pg", "idle-postgres", "own", G, "own, per idle session of PostgreSQL after a result of 3 KB", "B", True,
        (below(256), below(0.08, "haproxy"), below(0.12, "pgbouncer"), below(0.02, "nginx"))),
    Row("stall", "stall", "own", G, "own, while one client does not read", "KB", True, (below(64),), True),
    Row("stall-kernel", "stall", "kernel", G, "  in the kernel's queues", "KB", True, (), True),
    Row("rest-pss", "rest", "pss", G, "at rest: PSS", "MB", True, (below(12),), True),
    Row("rest-rss", "rest", "rss", G, "at rest: resident", "MB", True, (below(12),), True),
)

G = "Crowds"
CROWDS = (
    Row("rest", "rest", "cpu", G, "CPU at rest, 3 members asked each second", "% of a core", True,
        (below(0.3), below(0.3, who="isari-spin")), True),
    Row("cut", "cut", "done", G, "sessions of the old primary are cut: from the first to the last", "ms", True,
        (below(250),)),
    Row("cut-turn", "cut", "turn", G, "  longest turn of the loop since the start", "ms", True, (below(2),)),
    Row("cut-long", "cut", "long", G, "  turns over 2 ms meanwhile", "turns", True, (below(0),)),
    Row("cut-sessions", "cut", "sessions", G, "  how many", "sessions", False),
    Row("cut-others", "cut", "p99", G, "  100 other sessions meanwhile: p99", "us", True),
    Row("cut-others-max", "cut", "worst", G, "  the longest wait of one of them", "ms", True),
    Row("crowd", "crowd", "p50", G, "100 active beside idle sessions / without them: p50", "x", True, (below(1.02),)),
    Row("crowd-p99", "crowd", "p99", G, "  p99", "x", True),
    Row("crowd-idle", "crowd", "idle", G, "  idle sessions (20,000, or what the limit of descriptors lets)", "sessions",
        False),
)

G = "Watched: 21 servers in the table"
WATCHED = (
    Row("watch-stat", "watch-cost", "stat", G, "show stat: CPU of the thread that answers", "ms", True, (below(5),),
        True),
    Row("watch-stat-wait", "watch-cost", "stat_wait", G, "  what the asker waits", "ms", True, (), True),
    Row("watch-scrape", "watch-cost", "scrape", G, "/metrics: CPU of the thread that answers", "ms", True, (below(5),),
        True),
    Row("watch-scrape-wait", "watch-cost", "scrape_wait", G, "  what the asker waits", "ms", True, (), True),
    Row("watch-idle", "watch-cost", "idle", G, "  beside so many idle sessions (20,000, or the limit of descriptors)",
        "sessions", False, (), True),
    Row("watch-p99", "watch", "p99", G, "100 active sessions, asked both 20 times a second: p99", "us", True,
        (below(1.0, "haproxy"),)),
    Row("watch-p99-ratio", "watch", "p99_ratio", G, "  over unwatched: p99", "x", True, (below(1.1),)),
    Row("watch-p50-ratio", "watch", "p50_ratio", G, "  over unwatched: p50", "x", True),
)

G = "The same bytes as direct (1: yes)"
TRUST = tuple(Row(f"same-{key}", "same-bytes", key, G, what, "", False, (above(1),))
              for key, what in (("copy", "COPY TO"), ("dump", "pg_dump"), ("copy_in", "COPY FROM")))
TRUST += tuple(Row(f"same-{key}", key, "same", G, f"random bulk to the {to}", "", False, (above(1),))
               for key, to in (("verify-down", "client"), ("verify-up", "server")))
