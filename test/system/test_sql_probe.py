"""probe.sql: PostgreSQL itself is asked, as a role without rights, while its Patroni leaves us in doubt."""
import contextlib
import os
import subprocess
import threading
import time

import pytest

from cluster import Cluster
from fake_patroni import FakeCluster, FakeNode
from isari import Isari, config_for
from load import Watch
from pgwire import login
from procs import wait_for

SECRET, WRONG = "fa8Ukei9Seeng7", "ahB4Ouwi3Vohng"
QUESTION = "pg_catalog.pg_is_in_recovery()"


class ScramCluster(Cluster):
    """monitor has to give its password, everybody else is trusted."""

    def _patroni_config(self, n, key, crt):
        config = super()._patroni_config(n, key, crt)
        config["postgresql"]["pg_hba"].insert(0, "host all monitor 127.0.0.0/8 scram-sha-256")
        return config


class Fakes(FakeCluster):
    def __init__(self):
        self.nodes = [FakeNode(f"127.0.81.1{i}", f"n{i}") for i in (1, 2)]


@pytest.fixture(scope="module")
def cluster_of_all():
    with ScramCluster("127.0.81", "isari-sql") as c:
        c.leader().sql(f"create role monitor login password '{SECRET}'")
        c.leader().sql("alter role monitor set log_statement = 'all'")
        yield c


@pytest.fixture
def passfile(tmp_path):
    def write(password, mode=0o600):
        path = tmp_path / "pgpass"
        path.write_text(f"127.0.81.*:*:*:nobody:no\n*:5432:postgres:monitor:{password}\n")
        path.chmod(mode)
        return str(path)
    return write


@contextlib.contextmanager
def proxy_for(cluster, **sql):
    leader = cluster.wait_leader()
    with Isari(config_for(cluster, sql={"user": "monitor"} | sql)) as i:
        yield i.wait_up("write", [leader]).wait_up("read", [n for n in cluster.nodes if n is not leader])


def idle(proxy, n=10):
    return Watch([login(proxy.dial("write")) for _ in range(n)])


class Latency:
    """How long the control thread takes to answer, again and again; and the slowest of them."""

    def __init__(self, proxy):
        self.proxy, self.worst, self.n, self.halt = proxy, 0.0, 0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.halt.set()
        self.thread.join()

    def _run(self):
        while not self.halt.wait(0.02):
            began = time.monotonic()
            self.proxy.ask("show info", 30)
            self.worst = max(self.worst, time.monotonic() - began)
            self.n += 1


def times_asked(node):
    with open(node.log, encoding="utf-8", errors="replace") as f:
        return sum(QUESTION in line for line in f)


# ---- a real cluster ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_patroni_is_frozen_and_postgresql_says_it_is_primary(cluster, passfile, sslmode):
    with proxy_for(cluster, passfile=passfile(SECRET), sslmode=sslmode) as i:
        leader = cluster.leader()
        before = times_asked(leader)
        with idle(i) as sessions:
            cluster.stop_node(leader, postgres=False)
            wait_for(lambda: times_asked(leader) > before + 3, 8, "questions in PostgreSQL's log", 0.1)
            asked_before_the_end = not sessions.ended
            assert i.up("write") == [leader.name]
            assert i.where("write") == (leader.address, False)
            wait_for(sessions.all_ended, 15, "the end of the lease")
        assert asked_before_the_end
        assert i.wait_log("event=primary_lost .*gave no new proof before its lease ended")
        assert not i.logged("event=sql_denied")
        no_secret_anywhere(i, [SECRET])


def test_postgresql_is_frozen_and_patroni_lives(cluster, passfile):
    with proxy_for(cluster, passfile=passfile(SECRET)) as i:
        leader = cluster.leader()
        with idle(i) as sessions, Latency(i) as latency:
            frozen = time.monotonic()
            cluster.stop_node(leader, patroni=False)
            wait_for(sessions.all_ended, 8, "the cut of the sessions on a frozen PostgreSQL")
            took = max(sessions.ended.values()) - frozen
            wait_for(lambda: latency.n > 50, 30, "answers of the stats socket")
            cluster.cont_node(leader, patroni=False)
        print(f"\nPostgreSQL frozen, Patroni alive: sessions cut after {took:.2f} s; slowest answer of the "
              f"stats socket meanwhile {latency.worst * 1000:.0f} ms")
        assert i.logged("event=primary_lost .*is silent on both its Patroni and its PostgreSQL port")
        i.wait_up("write", [cluster.wait_leader()], 30)


@pytest.mark.parametrize("password, mode, why", [
    (WRONG, 0o600, "28P01: password authentication failed"),
    (SECRET, 0o644, "must be a plain file of mode 0600"),
    (None, 0, "No such file or directory"),
], ids=["wrong password", "readable by others", "no file"])
def test_a_witness_that_is_not_set_up_well_counts_as_alive_and_is_told_once(cluster, passfile, password,
                                                                             mode, why):
    path = passfile(password, mode) if password else "/nonexistent/pgpass"
    with proxy_for(cluster, passfile=path) as i:
        leader = cluster.leader()
        with idle(i) as sessions:
            cluster.stop_node(leader, postgres=False)
            line = i.wait_log("event=sql_denied", 8)[0]
            assert why in line and f"member={leader.name}" in line
            assert i.up("write") == [leader.name] and not sessions.ended
            wait_for(sessions.all_ended, 15, "the end of the lease")
        assert i.logged("event=primary_lost .*gave no new proof before its lease ended")
        assert len(i.logged(f"event=sql_denied .*member={leader.name}")) == 1
        assert not i.logged("WARNING: password file"), "libpq spoke on standard error"
        no_secret_anywhere(i, [SECRET, WRONG])


def no_secret_anywhere(i, secrets):
    said = [i.text()] + [i.ask(c) for c in ("show stat", "show info", "show clusters", "show sess", "show events")]
    said.append(subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout)
    for name in ("cmdline", "environ"):
        with open(f"/proc/{i.p.pid}/{name}", encoding="utf-8", errors="replace") as f:
            said.append(f.read())
    for text in said:
        for secret in secrets:
            assert secret not in text


def test_what_the_environment_says_of_postgresql_does_not_count(cluster, passfile, monkeypatch):
    """Each of these alone would spoil the question, or answer it with a password from who knows where."""
    for name, value in {"PGSERVICE": "nowhere", "PGPASSWORD": SECRET, "PGOPTIONS": "-c no_such=1",
                        "PGHOSTADDR": "127.0.81.99", "PGTARGETSESSIONATTRS": "standby"}.items():
        monkeypatch.setenv(name, value)
    with proxy_for(cluster, passfile=passfile(SECRET)) as i:
        leader = cluster.leader()
        before = times_asked(leader)
        cluster.stop_node(leader, postgres=False)
        wait_for(lambda: times_asked(leader) > before, 8, "a question in PostgreSQL's log", 0.1)
        cluster.cont_node(leader, postgres=False)
        assert not i.logged("event=sql_denied")
    with proxy_for(cluster) as i:
        leader = cluster.leader()
        cluster.stop_node(leader, postgres=False)
        assert "there is no passfile" in i.wait_log("event=sql_denied", 8)[0]


# ---- members that misbehave on demand ------------------------------------------------------------------


@pytest.fixture
def fakes():
    with Fakes() as f:
        yield f


def test_a_primary_that_is_in_recovery_is_cut_at_once(fakes):
    n1, n2 = fakes.nodes
    n1.pg.name = "f"  # what it answers to any query
    with Isari(config_for(fakes, sql={"user": "monitor"})) as i:
        i.wait_up("write", ["n1"])
        with idle(i) as sessions:
            n1.be("primary", "hang")
            wait_for(lambda: n1.pg.sessions and i.up("write") == ["n1"], 5, "n1 to be kept by SQL")
            n1.pg.name = "t"
            wait_for(sessions.all_ended, 5, "the cut")
        assert i.wait_log("event=primary_lost .*answers over SQL that it is in recovery")
        n1.pg.name = "f"
        n1.be("primary")
        i.wait_up("write", ["n1"], 5)


def test_a_silent_postgresql_does_not_stop_the_control_thread(fakes):
    """Longer than any test would wait, were the thread to wait for it."""
    n1, n2 = fakes.nodes
    with Isari(config_for(fakes, sql={"user": "monitor"}, ping_timeout="60s", fast_interval="50ms")) as i:
        i.wait_up("write", ["n1"])
        n1.pg.silent = True
        with Latency(i) as latency:
            n1.be("primary", "hang")
            wait_for(lambda: n1.pg.sessions, 5, "the question")
            asked, n = len(n2.rest.asked), latency.n
            wait_for(lambda: len(n2.rest.asked) >= asked + 20, 20, "n2 to be asked on")
            wait_for(lambda: latency.n >= n + 50, 20, "answers of the stats socket")
        print(f"\nslowest answer of the stats socket beside a silent PostgreSQL: {latency.worst * 1000:.0f} ms")
        assert os.path.exists(i.socket)
