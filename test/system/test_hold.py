"""Who comes while nobody can serve it waits: at the start, through a switchover, by the thousand; and what it hears
when that takes too long."""
import contextlib
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from fake_patroni import FakeCluster, FakePostgres
from isari import Isari, closed_at, config_for
from pgwire import read_error, startup
from procs import free_port, wait_for
from waiting import Crowd, Gauges, Newcomers, counted, queued, reset, waiting

# On their way to a server and not answered yet (src/proxy/hold.c): by threads, at first; and at most.
WINDOW_FIRST, WINDOW = {1: 4, 4: 8}, 32
MODES = ["disable", "prefer", "require"]
LONG = {"connect_timeout": 40}


def with_listeners(cluster, **listeners):
    """Before this cluster, these listeners and no others."""
    config = config_for(cluster)
    config["listeners"] = {name: {"bind": f"127.0.0.1:{free_port()}", "serve": "primary"} | more
                           for name, more in listeners.items()}
    return config


def where(dsn):
    """(node, in recovery, encrypted)"""
    with psycopg.connect(dsn) as c:
        return c.execute("select host(inet_server_addr()), pg_is_in_recovery(), ssl from pg_stat_ssl "
                         "where pid = pg_backend_pid()").fetchone()


# ---- at the start ---------------------------------------------------------------------------------


@contextlib.contextmanager
def ssl(cluster, on):
    """All servers with encryption, or without."""
    def turn(value, want):
        for n in cluster.nodes:
            n.sql(f"alter system {value}")
            n.sql("select pg_reload_conf()")
            wait_for(lambda n=n: n.sql("show ssl") == want, 10, f"ssl {want} on {n}")
    if not on:
        turn("set ssl = off", "off")
    try:
        yield
    finally:
        if not on:
            turn("reset ssl", "on")


@pytest.mark.parametrize("encrypts, modes", [(True, MODES), (False, ["disable", "prefer"])])
def test_at_the_start_everybody_waits_for_the_first_verdict(cluster, encrypts, modes):
    """No Patroni answers yet. What each client said first reaches the server as it was: it logs in, encrypted where
    both can, and after an N of the server where it cannot."""
    leader = cluster.leader()
    with ssl(cluster, encrypts), ThreadPoolExecutor() as pool:
        for n in cluster.nodes:
            cluster.stop_node(n, postgres=False)
        with Isari(with_listeners(cluster, write={}, tcp={"protocol": "tcp"})) as i:
            asked = {(listener, mode): pool.submit(where, i.dsn(listener, sslmode=mode, **LONG))
                     for listener in ("write", "tcp") for mode in modes}
            wait_for(lambda: waiting(i, "write") == waiting(i, "tcp") == len(modes), 10, "all of them to wait")
            assert queued(i, "write") == len(modes)
            assert i.ask("show sess").count("state=held") == 2 * len(modes)
            assert not [a for a in asked.values() if a.done()]
            for n in cluster.nodes:
                cluster.cont_node(n, postgres=False)
            for (listener, mode), answer in asked.items():
                encrypted = encrypts and mode != "disable"
                assert answer.result(20) == (leader.address, False, encrypted), (listener, mode)
            for listener in ("write", "tcp"):
                assert counted(i, listener) == (len(modes), len(modes))
                assert waiting(i, listener) == queued(i, listener) == 0


# ---- through a switchover -------------------------------------------------------------------------


# What a PostgreSQL that shuts down does to a login inside TLS: from its first encrypted byte on, nobody can hide it.
INSIDE_TLS = "the database system is shutting down|terminating connection|closed the connection|SSL .*(closed|EOF)"


def test_a_switchover_fails_no_connection(cluster):
    """Crowds that connect for every write, in plain text, with TLS if there is, and with TLS for sure. With TLS those
    whose login was under way at that moment may hear of it: once, and then they wait as well."""
    old, new = cluster.leader(), cluster.replicas()[0]
    with Isari(with_listeners(cluster, **{mode: {} for mode in MODES})) as i, contextlib.ExitStack() as stack:
        for mode in MODES:
            i.wait_up(mode, [old])
        crowds = {mode: stack.enter_context(Newcomers(i.dsn(mode, sslmode=mode, **LONG))) for mode in MODES}
        for c in crowds.values():
            wait_for(lambda c=c: c.answered_by(old), 10, "writes on the old primary")
        with Gauges(i, MODES) as seen:
            cluster.switchover(new)
            for c in crowds.values():
                wait_for(lambda c=c: c.answered_by(new), 30, "writes on the new primary")
        for mode, c in crowds.items():
            print(f"\n{mode}: {len(c.acks)} writes, {len(c.failed)} connections failed, {len(c.errors)} writes cut, "
                  f"longest wait {c.longest:.2f} s, at most {seen.queued[mode]} queued", end="")
        print(f"\n{i.wait_log('event=failover ', 20)[0]}")
        assert not crowds["disable"].failed
        for mode in ("prefer", "require"):
            failed = crowds[mode].failed
            assert len(failed) <= len(crowds[mode].threads), failed
            assert all(re.search(INSIDE_TLS, text) for _, text in failed), failed
        assert not [e for c in crowds.values() for _, e in c.errors if "read-only" in e or "recovery" in e]
        assert all(n > 0 for n in seen.queued.values()) and seen.ages
        for mode in MODES:
            held, released = counted(i, mode)
            assert held == released > 0 and waiting(i, mode) == queued(i, mode) == 0


def test_a_thousand_that_wait_are_all_carried_after_a_switchover(cluster):
    """The server takes 150 connections, so they cannot all be there at once."""
    old, new = cluster.leader(), cluster.replicas()[0]
    config = with_listeners(cluster, write={"server_maxconn": 100}) | {"threads": 4}
    with Isari(config) as i:
        i.wait_up("write", [old])
        assert i.ctl("set", "server", f"write/{old}", "state", "maint").returncode == 0
        with Crowd(i.address("write"), 1000) as crowd:
            wait_for(lambda: waiting(i, "write") == 1000, 20, "all of them to wait")
            cluster.switchover(new)
            published = time.monotonic()
            wait_for(lambda: crowd.all_served() or crowd.failed, 60, "all of them to be served")
        print(f"\n1,000 that waited: served within {max(crowd.served) - published:.2f} s")
        assert not crowd.failed and crowd.all_served()
        assert counted(i, "write") == (1000, 1000) and waiting(i, "write") == queued(i, "write") == 0
        row = i.stat()["write", new.name]
        assert (row["eresp"], int(row["smax"]) <= 100) == ("0", True)


class SlowPostgres(FakePostgres):
    """Answers nobody before it is told to."""

    def __init__(self, address, name):
        super().__init__(address, name)
        self.unanswered, self.most = [], 0
        self.lock = threading.Lock()

    def _first(self, s, session, packet):
        with self.lock:
            self.unanswered.append((s, session, packet))
            self.most = max(self.most, len(self.unanswered))
        return True

    def answer(self):
        """Everybody who is here now."""
        with self.lock:
            here, self.unanswered = self.unanswered, []
        for s, session, packet in here:
            super()._first(s, session, packet)
        return len(here)


@pytest.mark.parametrize("threads", [1, 4])
def test_release_is_paced_by_the_servers_answers(threads):
    with FakeCluster("127.0.36", 1) as fakes:
        node = fakes.nodes[0].be("replica")
        node.pg.stop()
        node.pg = SlowPostgres(node.address, node.name).start()
        with Isari(with_listeners(fakes, write={}) | {"threads": threads}) as i, \
                Crowd(i.address("write"), 1000) as crowd:
            wait_for(lambda: waiting(i, "write") == 1000, 20, "all of them to wait")
            node.be("primary")
            first = WINDOW_FIRST[threads]
            wait_for(lambda: len(node.pg.unanswered) == first, 10, "the first ones")
            assert waiting(i, "write") == 1000 - first, "the others wait until these are answered"
            wait_for(lambda: (node.pg.answer(), crowd.all_served())[1], 30, "all of them to be served", 0.001)
            assert not crowd.failed
            assert first < node.pg.most <= WINDOW
            assert counted(i, "write") == (1000, 1000)


# ---- until it has waited enough -------------------------------------------------------------------


@pytest.fixture
def nobody(cluster):
    """Listeners for synchronous standbys, of which there is none: everybody waits."""
    listeners = {"patient": {}, "brief": {"hold": "300ms"}, "few": {"hold_max": 1}, "now": {"hold": 0},
                 "tcp": {"hold": "300ms", "protocol": "tcp"}}
    with Isari(with_listeners(cluster, **{k: v | {"serve": "sync"} for k, v in listeners.items()})) as i:
        i.wait_log("event=primary_changed")
        yield i


def come(i, listener):
    s = i.dial(listener)
    s.sendall(startup())
    return s


def test_whoever_leaves_is_forgotten_at_once(nobody):
    crowd = [come(nobody, "patient") for _ in range(30)]
    wait_for(lambda: waiting(nobody, "patient") == 30, 10, "all of them to wait")
    for s in crowd[:10]:
        s.close()
    wait_for(lambda: queued(nobody, "patient") == 20, 5, "ten to be forgotten")
    for s in crowd[10:25]:
        reset(s)
    wait_for(lambda: queued(nobody, "patient") == 5, 5, "fifteen more to be forgotten")
    assert nobody.ask("show sess").count("state=held") == 5
    assert counted(nobody, "patient") == (30, 0)
    for s in crowd[25:]:
        s.close()
    wait_for(lambda: waiting(nobody, "patient") == 0, 5, "nobody to be left")


def test_its_time_is_up_and_libpq_goes_on_to_the_next_host(cluster, nobody):
    with come(nobody, "brief") as s:
        fields = read_error(s)
        assert fields["C"] == "57P03" and re.match(r'cluster "main" has no sync replica since ', fields["M"])
    host, port = nobody.address("brief")
    leader = cluster.leader().address
    out = subprocess.run(["psql", f"host={host},{leader} port={port},5432 user=postgres dbname=postgres", "-Atc",
                          "select host(inet_server_addr())"], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == leader


def test_more_than_may_wait_are_told_so(nobody):
    with come(nobody, "few") as first:
        wait_for(lambda: waiting(nobody, "few") == 1, 5, "the first to wait")
        with come(nobody, "few") as second:
            fields = read_error(second)
            assert fields["C"] == "53300" and "hold_max 1" in fields["M"]
        assert waiting(nobody, "few") == 1
        first.close()
        wait_for(lambda: waiting(nobody, "few") == 0, 5, "the first to be forgotten")
    with come(nobody, "few"):
        wait_for(lambda: waiting(nobody, "few") == 1, 5, "another to take its place")


def test_without_hold_the_refusal_comes_at_once(nobody):
    with come(nobody, "now") as s:
        assert read_error(s)["C"] == "57P03"
    assert counted(nobody, "now") == (0, 0)


def test_plain_tcp_waits_as_long_and_is_closed_without_a_word(nobody):
    with nobody.dial("tcp") as s:
        wait_for(lambda: counted(nobody, "tcp") == (1, 0), 5, "it to wait")
        assert s.recv(1) == b""
        assert closed_at(s, 1)


def test_a_frozen_primary_is_told_of_and_waited_for(cluster):
    old = cluster.leader()
    with Isari(with_listeners(cluster, write={}, brief={"hold": "300ms"})) as i, ThreadPoolExecutor() as pool:
        i.wait_up("write", [old])
        cluster.stop_node(old)
        i.wait_up("write", [])
        patient = pool.submit(where, i.dsn("write", **LONG))
        for mode in ("disable", "prefer"):
            with pytest.raises(psycopg.OperationalError) as e:
                i.connect("brief", sslmode=mode)
            assert re.search(rf'cluster "main" has no primary since [\d.]+m?s: {old} ', str(e.value)), e.value
        print(f"\n{str(e.value).splitlines()[0]}")
        wait_for(lambda: waiting(i, "write") == 1, 5, "the patient one to wait")
        cluster.cont_node(old)
        assert patient.result(20)[:2] == (old.address, False)
