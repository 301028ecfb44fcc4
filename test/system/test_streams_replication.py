"""Replication through isari: a synchronous standby whose every byte comes that way keeps up, and every commit is heard.
How fast: bench/replication.py."""
import re

import pytest

from isari import Isari, config_for
from lone import Lone, run
from procs import wait_for
from streams import moved

TABLES = ("pgbench_accounts", "pgbench_branches", "pgbench_tellers", "pgbench_history", "large")
LARGE = "insert into large select i, md5(i::text) from generate_series(1, 20000) i"  # 2 MB of WAL


@pytest.fixture(scope="module")
def pair():
    """(PostgreSQL, its synchronous standby, isari between them)"""
    with Lone("127.0.68") as pg, Isari(config_for(pg)) as i:
        i.wait_up("write", [pg.node])
        host, port = i.address("write")
        run(["pgbench", "-i", "-q", "-s", "2", i.dsn("write")])
        pg.sql("create table large (i int, t text)")
        standby = pg.add_standby(2, f"host={host} port={port} user=postgres sslmode=disable")
        pg.sql("alter system set synchronous_standby_names = '*'")
        pg.sql("select pg_reload_conf()")
        state = "select sync_state from pg_stat_replication"
        wait_for(lambda: pg.sql(state) == "sync", 10, "the standby to be synchronous")
        yield pg, standby, i


def contents(server):
    rows = "select count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) from {} t"
    return {table: server.sql(rows.format(table)) for table in TABLES}


def wal_bytes(pg, since="0/0"):
    return int(pg.sql("select pg_wal_lsn_diff(pg_current_wal_lsn(), %s::pg_lsn)", since))


@pytest.mark.parametrize("level", ["on", "remote_apply"])
def test_commits_are_heard_by_the_standby_and_its_data_is_equal(pair, level):
    """Small transactions of four clients, and a few that are streams of their own, both at once and alone."""
    pg, standby, i = pair
    before, wal = moved(i), wal_bytes(pg)
    with i.connect("write", options=f"-c synchronous_commit={level}") as c:
        for _ in range(3):
            c.execute(LARGE)
        said = run(["pgbench", "-n", "-c", "4", "-j", "2", "-T", "1",
                    i.dsn("write", options=f"-c synchronous_commit={level}")]).decode()
        c.execute(LARGE)
        if level == "remote_apply":  # then it can be seen there already, without any waiting
            assert contents(standby) == contents(pg)
    assert re.search(r"failed transactions: 0 ", said), said
    end = pg.sql("select pg_current_wal_lsn()::text")
    wait_for(lambda: standby.sql("select pg_last_wal_replay_lsn() >= %s::pg_lsn", end), 10, "the standby to catch up")
    assert contents(standby) == contents(pg)
    assert pg.sql("select count(*) from pg_stat_replication where state = 'streaming' and sync_state = 'sync'") == 1
    grown, megabytes = moved(i) - before, (wal_bytes(pg) - wal) / 1e6
    print(f"{re.search('tps = [0-9.]+', said)[0]}; {megabytes:.1f} MB of WAL; "
          f"{grown.coalesced / 1e6:.1f} MB coalesced, {grown.spliced / 1e6:.1f} MB spliced")
    assert megabytes > 8


def test_a_standby_that_fell_behind_catches_up(pair):
    """Its replay is paused and its connection lost; then 30 MB come at once."""
    pg, standby, i = pair
    with pg.connect(options="-c synchronous_commit=local") as c:
        pid = c.execute("select pid from pg_stat_replication").fetchone()[0]
        standby.sql("alter system set primary_conninfo = ''")
        standby.sql("select pg_reload_conf()")
        there = "select count(*) from pg_stat_replication where pid = %s"
        wait_for(lambda: not pg.sql(there, pid), 10, "it to be gone")
        for _ in range(15):
            c.execute(LARGE)
        standby.sql("alter system reset primary_conninfo")
        standby.sql("select pg_reload_conf()")
        end = c.execute("select pg_current_wal_lsn()::text").fetchone()[0]
    wait_for(lambda: standby.sql("select pg_last_wal_replay_lsn() >= %s::pg_lsn", end), 20, "the standby to catch up")
    assert contents(standby) == contents(pg)
