"""The read port, cause by cause, on a real cluster: a replica that lags, one that is tagged, none at all."""
import contextlib

import pytest
import yaml

from cluster import REST_PORT, http_get
from isari import Isari, config_for
from procs import Failure, free_port, wait_for

LIMIT = 1 << 20
LAG = "isari_lag_bytes"


@pytest.fixture
def reads(cluster):
    """isari with a read port that keeps sessions, one that cuts them for lag, and one with a fallback."""
    config = config_for(cluster)
    listeners = config["listeners"]
    listeners["read"]["max_lag"] = "1MB"
    for name, more in {"strict": {"on_lag": "close"}, "spare": {"fallback": "primary"}}.items():
        listeners[name] = listeners["read"] | more | {"bind": f"127.0.0.1:{free_port()}"}
    replicas = [n for n in cluster.nodes if n is not cluster.leader()]
    with Isari(config) as i:
        yield i.wait_up("read", replicas).wait_up("strict", replicas)


def connect_to(i, listener, node):
    """A session on this server; others that came first are closed."""
    for _ in range(20):
        c = i.connect(listener)
        if c.execute("select host(inet_server_addr())").fetchone()[0] == node.address:
            return c
        c.close()
    raise Failure(f"{listener} never led to {node}")


def servers_of(i, listener, n=6):
    return {i.where(listener)[0] for _ in range(n)}


def lives(c):
    return c.execute("select pg_is_in_recovery()").fetchone() == (True,)


def ends(c):
    with contextlib.suppress(Exception):
        c.execute("select 1")
        return False
    return True


def write_wal(leader, size):
    """Transactional, so that the commit flushes it: the WAL writer may sleep for seconds."""
    leader.sql("select count(pg_logical_emit_message(true, 'lag', repeat('x', 65536))) "
               "from generate_series(1, %s)", size // 65536)


@contextlib.contextmanager
def replay_paused(node):
    node.sql("select pg_wal_replay_pause()")
    wait_for(lambda: node.sql("select pg_get_wal_replay_pause_state()") == "paused", 10, f"{node} to stop its replay")
    try:
        yield
    finally:
        node.sql("select pg_wal_replay_resume()")


def set_tags(node, tags):
    """As an operator does: edit patroni.yml, have it read again."""
    with open(node.yml, encoding="utf-8") as f:
        config = yaml.safe_load(f)
    config["tags"] = tags
    with open(node.yml, "w", encoding="utf-8") as f:
        yaml.safe_dump(config, f)
    status, text = http_get(node.address, REST_PORT, "/reload", 5, "POST")
    assert status in (200, 202), text


def test_a_replica_that_lags_leaves_the_read_port_and_comes_back(cluster, reads):
    late, other = cluster.replicas()
    kept, cut = connect_to(reads, "read", late), connect_to(reads, "strict", late)
    with replay_paused(late):
        write_wal(cluster.leader(), LIMIT // 2)
        wait_for(lambda: int(reads.stat()["read", late.name][LAG] or 0) >= LIMIT // 4, 10, "the lag to be seen")
        assert reads.up("read") == sorted([late.name, other.name]), "not over the limit yet"
        write_wal(cluster.leader(), 2 * LIMIT)
        reads.wait_up("read", [other]).wait_up("strict", [other])
        assert int(reads.stat()["read", late.name][LAG]) > LIMIT
        assert servers_of(reads, "read") == {other.address}
        assert lives(kept), "on_lag keep: an old session goes on"
        assert wait_for(lambda: ends(cut), 5, "the session to be cut, as on_lag close says")
        assert reads.wait_log("session_end.*server_lags_too_far")
        assert "lags too far behind the primary" in reads.text()
        assert reads.stat()["spare", "BACKEND"]["act"] == "1", "one replica is enough"
    reads.wait_up("read", [late, other]).wait_up("strict", [late, other])
    assert servers_of(reads, "read") == {late.address, other.address}
    assert lives(kept)
    kept.close()


def test_a_tagged_replica_keeps_its_sessions_and_takes_none(cluster, reads):
    tagged, other = cluster.replicas()
    old = connect_to(reads, "read", tagged)
    set_tags(tagged, {"noloadbalance": True})
    try:
        reads.wait_up("read", [other])
        assert "is tagged noloadbalance" in reads.ask("show clusters")
        assert servers_of(reads, "read") == {other.address}
        assert lives(old)
    finally:
        set_tags(tagged, {})
    reads.wait_up("read", [tagged, other])
    assert lives(old)
    assert not reads.logged("session_end.*server_lost_the_role")
    old.close()


def test_without_replicas_the_primary_serves_until_they_return(cluster, reads):
    leader, replicas = cluster.leader(), cluster.replicas()
    row = reads.stat()["spare", leader.name]
    assert (row["status"], row["act"], row["bck"]) == ("UP", "0", "1")
    assert leader.address not in servers_of(reads, "spare"), "replicas first"
    for n in replicas:
        cluster.kill_node(n)
    reads.wait_up("read", []).wait_up("spare", [leader])
    assert reads.where("spare") == (leader.address, False)
    backend = reads.stat()["spare", "BACKEND"]
    assert (backend["status"], backend["act"], backend["bck"]) == ("UP", "0", "1")
    with reads.connect("spare") as busy:
        busy.execute("begin")
        assert busy.execute("select 1").fetchone() == (1,)
        for n in replicas:
            cluster.start_node(n)
        reads.wait_up("read", replicas, 60).wait_up("spare", cluster.nodes)
        assert servers_of(reads, "spare") == {n.address for n in replicas}
        assert busy.execute("select 2").fetchone() == (2,), "a transaction on the last resort goes on"
