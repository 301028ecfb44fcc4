"""The loads, and what is read off them. A measure is called once per round with the order of the targets
and returns {reading: {target: value}}; every value of a round comes from the same minute, so that the
ratios of one round may be compared and absolute numbers of different rounds need not be.

Not here: how targets are started (stage.py), what is made of the values (bench.py).
"""
import contextlib
import re
import socket
import subprocess
import time

from stage import (BLOCK, ENV, LOAD_CPU, PG_BIN, PROXIES, PROXY_CPU, FakeNode, Failure, cpu_seconds,
                   pss_bytes, run, wait_serving)

from pgwire import login, query, read_until  # beside procs.py; stage.py knows the way

# reading: (what it is, unit, is less better)
READINGS = {}


def reading(key, what, unit, less):
    READINGS[key] = (what, unit, less)
    return key


class Spent:
    """CPU time of a target's process within the with block; None for PostgreSQL itself."""

    def __init__(self, target):
        self.pid, self.seconds = target.pid, None

    def __enter__(self):
        self.at = cpu_seconds(self.pid) if self.pid else None
        return self

    def __exit__(self, *_):
        if self.pid:
            self.seconds = cpu_seconds(self.pid) - self.at

    def per(self, n):
        return self.seconds / n if self.pid else None


def note(found, key, target, value):
    if value is not None:
        found.setdefault(key, {})[target.name] = value


# ---- transactions ------------------------------------------------------------------------------------


def pgbench(target, seconds, *options):
    """(transactions, per second) of a select by primary key."""
    said = run([f"{PG_BIN}/pgbench", "-n", "-S", "-j", "1", "-T", str(seconds), *options,
                "-h", target.host, "-p", str(target.port), "postgres"], LOAD_CPU)
    failed = int(re.search(r"failed transactions: (\d+)", said).group(1))
    if failed:
        raise Failure(f"{failed} transactions failed through {target.name}")
    return (int(re.search(r"actually processed: (\d+)", said).group(1)),
            float(re.search(r"^tps = ([\d.]+)", said, re.M).group(1)))


def transactions(clients, cpu, where):
    """Closed loop of prepared selects: latency of one client, throughput of many, CPU of the proxy."""
    speed = reading(f"tx_c{clients}_{where}", f"pgbench -S, {clients} client{'s' * (clients > 1)}, proxy on "
                    f"{'the same CPU' if where == 'same' else 'its own CPU'}",
                    "us" if clients == 1 else "tps", clients == 1)
    spent = reading(f"tx_c{clients}_{where}_cpu", "  CPU of the proxy per transaction", "us", True)

    def measure(stage, order, seconds):
        found = {}
        stage.place(cpu)
        for t in order:
            with Spent(t) as cpu_time:
                n, tps = pgbench(t, seconds, "-M", "prepared", "-c", str(clients))
            note(found, speed, t, 1e6 / tps if clients == 1 else tps)
            note(found, spent, t, cpu_time.per(n / 1e6))
        return found

    return measure


def connections():
    """A connection per select. PostgreSQL's fork hides most of a proxy's part in the rate, not in the CPU."""
    rate = reading("connect", "pgbench -S -C, 4 clients: connections", "per s", False)
    spent = reading("connect_cpu", "  CPU of the proxy per connection", "us", True)

    def measure(stage, order, seconds):
        found = {}
        stage.place(PROXY_CPU)
        for t in order:
            with Spent(t) as cpu_time:
                n, tps = pgbench(t, seconds, "-C", "-c", "4")
            note(found, rate, t, tps)
            note(found, spent, t, cpu_time.per(n / 1e6))
        return found

    return measure


# ---- bulk --------------------------------------------------------------------------------------------


def copy_out(target):
    """Seconds that psql takes for the whole table, its own start included."""
    argv = ["taskset", "-c", str(LOAD_CPU), f"{PG_BIN}/psql", "-Xq", "-h", target.host, "-p",
            str(target.port), "-d", "postgres", "-c", "copy bulk to stdout"]
    begun = time.monotonic()
    done = subprocess.run(argv, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        raise Failure(f"COPY through {target.name}: {done.stderr.strip()}")
    return time.monotonic() - begun


def bulk():
    speed = reading("copy", "COPY TO by psql, one stream", "MB/s", False)
    spent = reading("copy_cpu", "  CPU of the proxy per MB", "us", True)

    def measure(stage, order, _):
        found = {}
        stage.place(PROXY_CPU)
        megabytes = stage.postgres.megabytes
        for t in order:
            with Spent(t) as cpu_time:
                seconds = copy_out(t)
            note(found, speed, t, megabytes / seconds)
            note(found, spent, t, cpu_time.per(megabytes / 1e6))
        return found

    return measure


# ---- idle ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def crowd(proxy, n):
    """n sessions that have logged in and had one answer, and are silent since."""
    with contextlib.ExitStack() as life:
        for _ in range(n):
            s = life.enter_context(socket.create_connection((proxy.host, proxy.port), 10))
            login(s).sendall(query("select"))
            read_until(s, b"Z")
        yield


def idle_sessions(n, answer_bytes):
    """Memory of sessions that only wait, in a proxy that was started for them, before a false server."""
    key = reading("idle", f"memory per idle session ({n}, each had {answer_bytes} bytes)", "bytes", True)

    def measure(stage, order, _):
        found = {}
        node = FakeNode(f"{BLOCK}.11", "n1").be("primary")
        node.pg.name = "x" * answer_bytes
        node.start()
        try:
            for kind in [type(t) for t in order if type(t) in PROXIES]:
                with kind([node]) as proxy:
                    wait_serving(proxy, node)
                    with crowd(proxy, 10):
                        pass  # memory that the first sessions ever cost is not theirs
                    before = pss_bytes(proxy.pid)
                    with crowd(proxy, n):
                        note(found, key, proxy, (pss_bytes(proxy.pid) - before) / n)
        finally:
            node.stop()
        return found

    return measure


def at_rest():
    """Both proxies at once: nobody connects, three members are asked every second."""
    key = reading("rest", "CPU at rest, asking 3 members a second", "ms/s", True)

    def measure(stage, _, seconds):
        spans = [Spent(p) for p in stage.proxies]
        with contextlib.ExitStack() as life:
            for s in spans:
                life.enter_context(s)
            time.sleep(seconds)
        return {key: {p.name: s.per(seconds / 1e3) for p, s in zip(stage.proxies, spans)}}

    return measure


def all_measures(sessions):
    """(measure, seconds per target and round), in the order in which a round takes them."""
    apart = [1, 16] if PROXY_CPU != LOAD_CPU else []
    return [
        *[(transactions(c, LOAD_CPU, "same"), 1) for c in (1, 16)],
        *[(transactions(c, PROXY_CPU, "own"), 1) for c in apart],
        (connections(), 1),
        (bulk(), 0),
        (idle_sessions(sessions, 2048), 0),
        (at_rest(), 2),
    ]
