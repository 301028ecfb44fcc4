"""Ctrl-C through the read port: twelve long queries, twelve cancel requests, how many arrived?

A cancel is sent as libpq 15 sends it, by PQcancel: on a connection of its own and always in plain text, so
with TLS no proxy has seen the key of the session that it is for.
"""
import contextlib
import threading

import psycopg

from failover_stage import wait_for

SESSIONS = 12
WAIT = 5.0  # seconds that a query has to end in


class Query(threading.Thread):
    """One session with a query that only a cancel ends before its time."""

    def __init__(self, conninfo):
        super().__init__(daemon=True)
        self.c = psycopg.connect(conninfo + " connect_timeout=5", autocommit=True)
        self.pid = self.c.info.backend_pid
        self.node = self.c.execute("select host(inet_server_addr())").fetchone()[0]
        self.cancelled = False

    def run(self):
        try:
            self.c.execute(f"select pg_sleep({WAIT})")
        except psycopg.errors.QueryCanceled:
            self.cancelled = True
        except psycopg.Error:
            pass


RUNS = "select 1 from pg_stat_activity where pid = %s and state = 'active' and query like 'select pg_sleep%%'"


def arrived(witnesses, conninfo):
    """One after the other, as people do it: connect, start the query, press Ctrl-C."""
    queries = []
    for _ in range(SESSIONS):
        q = Query(conninfo)
        queries.append(q)
        q.start()
        wait_for(lambda q=q: witnesses[q.node].execute(RUNS, [q.pid]).fetchone(), 10, "a query to run", 0.01)
        with contextlib.suppress(psycopg.Error):
            q.c.cancel()
    for q in queries:
        q.join(WAIT + 5)
        q.c.close()
    return sum(q.cancelled for q in queries)


def count(bench):
    """{contender: {sslmode: how many of SESSIONS}} for those that have a read port."""
    bench.wait_ready()
    with contextlib.ExitStack() as life:
        witnesses = {n.address: life.enter_context(n.connect()) for n in bench.cluster.nodes}
        return {c.name: {mode: arrived(witnesses, bench.conninfo(c, read=True, sslmode=mode))
                         for mode in ("disable", "require")}
                for c in bench.contenders if c.read_port}
