"""Loads of real clients on a real server: pgbench, and COPY by psql. Every function is a measure's `take` (method.py).

Not here: the false server's loads (measures_load.py), memory (measures_memory.py).
"""
import contextlib
import hashlib
import os
import re
import subprocess
import time

from cluster import PG_BIN
from meters import LOAD_CPU, Spent
from method import Measure
from procs import Failure, popen
from servers import ENV, at, psql, run

PEERS = ("direct", "isari", "haproxy", "nginx", "pgbouncer")
SPINNING = ("direct", "isari", "isari-spin", "haproxy", "haproxy-busy")
UNIX = ("isari-unix", "isari-unix-server")

# ---- transactions ----------------------------------------------------------------------------------


def pgbench(target, seconds, *options):
    """(transactions, per second) of a select by primary key."""
    said = run([f"{PG_BIN}/pgbench", "-n", "-S", "-j", "1", "-T", str(seconds), *options, *at(target), "postgres"],
               LOAD_CPU)
    failed = int(re.search(r"failed transactions: (\d+)", said).group(1))
    if failed:
        raise Failure(f"{failed} transactions failed through {target.name}")
    return (int(re.search(r"actually processed: (\d+)", said).group(1)),
            float(re.search(r"^tps = ([\d.]+)", said, re.M).group(1)))


def transactions(clients):
    """Closed loop of prepared selects."""
    def take(turn):
        with Spent(turn.contender.pid) as spent:
            n, tps = pgbench(turn.contender, 1, "-M", "prepared", "-c", str(clients))
        return {"latency": 1e6 * clients / tps, "tps": tps, "cpu": spent.us_per(n)}
    return take


def connections(turn):
    """A connection per select. PostgreSQL's fork hides most of a proxy's part in the rate, not in the CPU."""
    with Spent(turn.contender.pid) as spent:
        n, tps = pgbench(turn.contender, 1, "-C", "-c", "4")
    return {"tps": tps, "cpu": spent.us_per(n)}


# ---- COPY ------------------------------------------------------------------------------------------


def psql_copy(target, statement, **kw):
    argv = ["taskset", "-c", str(LOAD_CPU), f"{PG_BIN}/psql", "-Xq", *at(target), "-d", "postgres",
            "-v", "ON_ERROR_STOP=1", "-c", statement]
    return popen(argv, env=ENV, stderr=subprocess.PIPE, **kw)


def finish(name, p):
    said = p.communicate()[1]
    if p.returncode != 0:
        raise Failure(f"COPY through {name}: {said.decode().strip()}")


def copy_out(streams):
    """The whole table, by so many at once; psql's own start is in the time. More streams: a part of it each."""
    def take(turn):
        pg = turn.server
        rows = pg.rows // streams
        what = "bulk" if streams == 1 else f"(select * from bulk limit {rows})"
        with Spent(turn.contender.pid) as spent, contextlib.ExitStack() as life:
            begun = time.monotonic()
            taken = [life.enter_context(psql_copy(turn.contender, f"copy {what} to stdout", stdout=subprocess.DEVNULL))
                     for _ in range(streams)]
            for p in taken:
                finish(turn.contender.name, p)
            seconds = time.monotonic() - begun
        megabytes = pg.megabytes * rows * streams / pg.rows
        return {"speed": megabytes / seconds, "cpu": spent.us_per(megabytes)}
    return take


def copy_in(turn):
    """Rows of a file into an empty table, by \\copy."""
    path, megabytes = input_file(turn)
    psql(turn.server, "truncate sink")
    with Spent(turn.contender.pid) as spent, open(path, "rb") as f:
        begun = time.monotonic()
        finish(turn.contender.name, psql_copy(turn.contender, "\\copy sink from pstdin", stdin=f,
                                              stdout=subprocess.DEVNULL))
        seconds = time.monotonic() - begun
    return {"speed": megabytes / seconds, "cpu": spent.us_per(megabytes)}


def input_file(turn):
    """(path, MB) of what goes in, made once."""
    path = os.path.join(turn.stage.dir, "copy-in")
    if not os.path.exists(path):
        with open(path, "w", encoding="ascii") as f:
            for n in range(turn.stage.copy_in_mb * 1000000 // 209):
                f.write(f"{1000000 + n}\t{chr(65 + n % 26) * 200}\n")
    return path, os.path.getsize(path) / 1e6


SENDERS = {
    "copy": lambda target: [f"{PG_BIN}/psql", "-Xq", *at(target), "-d", "postgres", "-c",
                            "copy (select * from bulk limit 200000) to stdout"],
    "dump": lambda target: [f"{PG_BIN}/pg_dump", *at(target), "-t", "pgbench_accounts", "postgres"],
}


def checksum(argv):
    """Of what it prints, but for pg_dump's two lines with a random word."""
    with popen(["taskset", "-c", str(LOAD_CPU), *argv], env=ENV, stdout=subprocess.PIPE) as p:
        found = hashlib.md5()
        for line in p.stdout:
            if not line.startswith((b"\\restrict", b"\\unrestrict")):
                found.update(line)
    if p.returncode != 0:
        raise Failure(f"{' '.join(argv)} failed")
    return found.hexdigest()


def same_bytes(turn):
    """1 where a COPY and a pg_dump are to the byte what PostgreSQL itself sends, and a COPY back arrives whole."""
    found = {key: float(checksum(argv(turn.server)) == checksum(argv(turn.contender)))
             for key, argv in SENDERS.items()}
    copy_in(turn)
    back = "copy (select * from sink) to stdout"
    with open(input_file(turn)[0], "rb") as f:
        sent = hashlib.md5(f.read()).hexdigest()
    return found | {"copy_in": float(checksum([f"{PG_BIN}/psql", "-Xq", *at(turn.server), "-d", "postgres",
                                               "-c", back]) == sent)}


MEASURES = (
    Measure("pgbench-1", transactions(1), (*PEERS, *UNIX), "postgres", "same"),
    Measure("pgbench-1-own", transactions(1), SPINNING, "postgres"),
    Measure("pgbench-4-own", transactions(4), SPINNING, "postgres"),
    Measure("pgbench-16", transactions(16), (*PEERS, *UNIX), "postgres", "same"),
    Measure("pgbench-16-own", transactions(16), PEERS, "postgres"),
    Measure("pgbench-connect", connections, PEERS, "postgres"),
    Measure("copy-out", copy_out(1), (*PEERS, "haproxy-tuned"), "postgres"),
    Measure("copy-out-4", copy_out(4), ("direct", "isari", "haproxy"), "postgres"),
    Measure("copy-in", copy_in, PEERS, "postgres"),
    Measure("same-bytes", same_bytes, ("isari", *UNIX), "postgres", rounds=1, warm=False),
)
