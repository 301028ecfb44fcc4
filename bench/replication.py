"""Does a synchronous standby cost more when its stream comes through isari, and when isari lets it gather?

    ISARI=build/isari /usr/bin/python3 bench/replication.py [--rounds 15]

One standby, whose way to the primary is changed for each measure: directly, through isari at once (coalesce: 0),
through isari as it is by default. Every commit waits for it. A round measures all ways, in turns forwards and
backwards; what is printed are medians over the rounds, and medians (least..most) of the ratios within a round: only
these mean anything.
"""
import argparse
import os
import re
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "test", "system"))

from isari import Isari, members_entry  # noqa: E402
from lone import Lone, run  # noqa: E402
from procs import free_port, wait_for  # noqa: E402
from streams import moved  # noqa: E402

BLOCK = "127.0.54"
WAYS = ("direct", "coalesce: 0", "default")
LARGE_ROWS = 20000  # 2 MB of WAL


class Stage:
    """A primary, its standby, isari with a listener for each way, and the way that the standby has now."""

    def __init__(self, pg, isari):
        self.pg, self.isari = pg, isari
        run(["pgbench", "-i", "-q", "-s", "2", self.direct])
        pg.sql("create table large (i int, t text)")
        self.standby = pg.add_standby(2, self.direct)
        pg.sql("alter system set synchronous_standby_names = '*'")
        pg.sql("select pg_reload_conf()")

    @property
    def direct(self):
        return f"host={self.pg.address} port=5432 user=postgres dbname=postgres sslmode=disable"

    def conninfo(self, way):
        if way == "direct":
            return self.direct
        host, port = self.isari.address("none" if way == "coalesce: 0" else "default")
        return f"host={host} port={port} user=postgres dbname=postgres sslmode=disable"

    def lead(self, way):
        """The standby streams by this way, and nothing else is under way."""
        name = f"way{WAYS.index(way)}"
        with self.standby.connect() as c:
            c.execute(f"alter system set primary_conninfo = '{self.conninfo(way)} application_name={name}'")
            c.execute("select pg_reload_conf()")
        streams = ("select pid from pg_stat_replication where application_name = %s and state = 'streaming' "
                   "and sync_state = 'sync'")
        wait_for(lambda: self.pg.sql(streams, name), 20, f"the standby to stream ({way})", 0.02)


# ---- what is measured: ms per commit ---------------------------------------------------------------------


def commits(stage, level, n, statement):
    """Of n transactions, only the commit: its WAL is written, sent and heard of then. The lower quartile: what others
    do on this machine only adds."""
    took = []
    with stage.pg.connect(options=f"-c synchronous_commit={level}") as c:
        for _ in range(n):
            c.execute("begin")
            c.execute(statement)
            begun = time.perf_counter()
            c.execute("commit")
            took.append(time.perf_counter() - begun)
        c.execute("set synchronous_commit = local")
        c.execute("truncate large")
    return statistics.quantiles(took)[0] * 1e3


def alone(level):
    return f"a row, {level}", lambda stage: commits(stage, level, 200, "insert into large values (1, '')")


def large(level):
    rows = f"insert into large select i, md5(i::text) from generate_series(1, {LARGE_ROWS}) i"
    return f"2 MB, {level}", lambda stage: commits(stage, level, 12, rows)


def together(clients, level):
    def measure(stage):
        said = run(["pgbench", "-n", "-N", "-c", str(clients), "-j", "1", "-t", "200",
                    f"{stage.direct} options='-c synchronous_commit={level}'"]).decode()
        return float(re.search(r"latency average = ([\d.]+) ms", said)[1])
    return f"pgbench -N -c {clients}, {level}", measure


MEASURES = [alone("on"), alone("remote_apply"), large("on"), large("remote_apply"), together(4, "remote_apply")]


# ---- rounds ----------------------------------------------------------------------------------------------


def measure_round(stage, order, found):
    for way in order:
        stage.lead(way)
        before = moved(stage.isari)
        for name, measure in MEASURES:
            found[name][way].append(measure(stage))
        found["gathered"][way].append((moved(stage.isari) - before).coalesced / 1e6)


def ratios(values, over, under):
    r = [a / b for a, b in zip(values[over], values[under])]
    return f"{statistics.median(r):5.2f} ({min(r):.2f}..{max(r):.2f})"


def report(found):
    heads = ("ms per commit", *WAYS, "coalesce: 0 / direct", "default / direct", "default / coalesce: 0")
    print("{:26} {:>8} {:>12} {:>8}  {:>20} {:>20} {:>21}".format(*heads))
    for name, _ in MEASURES:
        v = found[name]
        print("{:26} {:8.3f} {:12.3f} {:8.3f}  {:>20} {:>20} {:>21}".format(
            name, *(statistics.median(v[w]) for w in WAYS), ratios(v, WAYS[1], WAYS[0]), ratios(v, WAYS[2], WAYS[0]),
            ratios(v, WAYS[2], WAYS[1])))
    gathered = statistics.median(found["gathered"]["default"])
    print(f"median of the bytes that gathered in a round by default: {gathered:.1f} MB; the load of this machine is "
          f"{os.getloadavg()[0]:.1f}")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--rounds", type=int, default=15)
    args = p.parse_args()
    found = {name: {way: [] for way in WAYS} for name in [n for n, _ in MEASURES] + ["gathered"]}
    with Lone(BLOCK) as pg:
        listeners = {name: {"serve": "primary", "bind": f"127.0.0.1:{free_port()}"} | more
                     for name, more in (("default", {}), ("none", {"coalesce": 0}))}
        with Isari({"clusters": {"main": {"members": [members_entry(pg.node)]}}, "listeners": listeners}) as isari:
            isari.wait_up("default", [pg.node])
            stage = Stage(pg, isari)
            for i in range(args.rounds):
                measure_round(stage, WAYS if i % 2 else WAYS[::-1], found)
    report(found)


if __name__ == "__main__":
    main()
