"""Who is the primary, on a real cluster, while things go wrong: which node a client reaches, and when it is cut."""
import datetime
import re
import time

import psycopg
import pytest

from cluster import Cluster, LockOracle
from isari import Isari, config_for, members_entry
from load import Fresh, Watch, Writers
from pgwire import SSL_REQUEST, login, query, read_error, read_until, request, startup
from procs import free_port, wait_for


def idle(proxy, listener, n=10):
    return Watch([login(proxy.dial(listener)) for _ in range(n)])


def sessions_on(proxy, listener, node, n):
    """n idle sessions that landed on this node."""
    found = []
    while len(found) < n:
        s = login(proxy.dial(listener))
        s.sendall(query("select host(inet_server_addr())"))
        if node.address.encode() in dict(read_until(s, b"Z")).get(b"D", b""):
            found.append(s)
        else:
            s.close()
    return Watch(found)


def when(line):
    text = re.match(r"time=(\S+)", line).group(1).replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text).timestamp()


def longest_after_verdict(proxy, listener, node):
    """Seconds from the verdict on this server to the last session end on it, as the log has it."""
    verdict = when(proxy.wait_log(f"event=server_state listener={listener} server={node} state=closed")[0])
    ends = proxy.logged(f"event=session_end listener={listener} .*server={node} ")
    return max(when(e) for e in ends) - verdict


def refused_with_57P03(proxy, first=b""):
    """Connect by hand; the ErrorResponse's fields."""
    with proxy.dial("write") as s:
        if first:
            s.sendall(first)
            assert s.recv(1) == b"N"
        s.sendall(startup())
        fields = read_error(s)
    assert fields["C"] == "57P03", fields
    return fields["M"]


def test_switchover(cluster, proxy):
    old, new = cluster.leader(), cluster.replicas()[0]
    with idle(proxy, "write") as writers, sessions_on(proxy, "read", new, 10) as readers, \
            Fresh(proxy.dsn("write")) as fresh:
        wait_for(lambda: fresh.answered_by(old), 10, "clients on the old primary")
        cluster.switchover(new)
        wait_for(lambda: fresh.answered_by(new), 20, "clients on the new primary")
        wait_for(writers.all_ended, 2, "the cut of the old primary's sessions")
        wait_for(readers.all_ended, 2, "the cut of the read sessions on what is now the primary")
    assert not [a for a in fresh.acks if a.in_recovery], "a client of the write port met a node in recovery"
    assert not [e for _, e in fresh.errors if "read-only" in e]
    write_cut = longest_after_verdict(proxy, "write", old)
    read_cut = longest_after_verdict(proxy, "read", new)
    print(f"\nswitchover: out for {fresh.longest_gap():.2f} s, {len(fresh.errors)} errors, sessions cut "
          f"{write_cut * 1000:.0f} ms (write) and {read_cut * 1000:.0f} ms (read) after the verdict")
    assert write_cut <= 0.1 and read_cut <= 0.1
    assert fresh.longest_gap() < 8


def test_sigkill_of_the_primary_node(cluster, refusing_proxy):
    proxy = refusing_proxy
    old = cluster.leader()
    rest = [n for n in cluster.nodes if n is not old]
    with idle(proxy, "write") as sessions, Fresh(proxy.dsn("write"), 1) as fresh:
        killed = time.monotonic()
        cluster.kill_node(old)
        wait_for(sessions.all_ended, 3, "the end of the dead node's sessions")
        assert max(sessions.ended.values()) - killed < 1
        check_what_clients_hear_meanwhile(proxy, rest)
        new = cluster.wait_leader(not_=old)
        announced = time.monotonic()
        wait_for(lambda: fresh.answered_by(new), 10, "clients on the new primary")
    first = min(a.ended for a in fresh.acks if a.node == new.address)
    print(f"\nSIGKILL: new primary after {announced - killed:.1f} s, first client {first - announced:+.2f} s later")
    assert not [a for a in fresh.acks if a.in_recovery]
    assert first - announced < 1.5


def check_what_clients_hear_meanwhile(proxy, living):
    """There is no primary: an error that says so, in every way of asking; the read port goes on."""
    proxy.wait_up("write", [])
    for first in (b"", request(SSL_REQUEST)):
        assert re.search(r'cluster "main" has no primary', refused_with_57P03(proxy, first))
    for mode in ("disable", "prefer"):
        with pytest.raises(psycopg.OperationalError, match='cluster "main" has no primary'):
            proxy.connect("write", sslmode=mode)
    host, port = proxy.address("write")
    with psycopg.connect(f"host={host},{living[0].address} port={port},5432 user=postgres dbname=postgres") as c:
        assert c.execute("select host(inet_server_addr())").fetchone()[0] == living[0].address
    proxy.wait_up("read", living)
    assert proxy.where("read")[0] in [n.address for n in living]


def test_sigstop_of_the_whole_node(cluster, refusing_proxy):
    proxy = refusing_proxy
    old = cluster.leader()
    with idle(proxy, "write") as sessions:
        frozen = time.monotonic()
        cluster.stop_node(old)
        wait_for(sessions.all_ended, 6, "the cut of the frozen node's sessions")
        took = max(sessions.ended.values()) - frozen
        print(f"\nSIGSTOP of a node: sessions cut after {took:.2f} s")
        assert took <= 3
        assert "no primary" in refused_with_57P03(proxy)
        cluster.cont_node(old)
    proxy.wait_up("write", [old], 10)
    assert proxy.where("write") == (old.address, False)


def test_sigstop_of_patroni_alone_acknowledges_nothing_without_the_lock(cluster, proxy):
    old = cluster.leader()
    with LockOracle(cluster) as oracle, idle(proxy, "write") as sessions, \
            Writers(proxy.dsn("write")) as writers:
        wait_for(lambda: writers.answered_by(old), 10, "writes on the primary")
        frozen = time.monotonic()
        cluster.stop_node(old, postgres=False)
        new = cluster.wait_leader(not_=old)
        wait_for(lambda: writers.answered_by(new), 10, "writes on the new primary")
        cluster.kill_node(old)  # thawed, Patroni 3.0 would steal the lock back
    lost_lock = oracle.held_until(old.name)
    late = [a for a in writers.acks if a.node == old.address and a.ended > lost_lock + 0.25]
    last = max(a.ended for a in writers.acks if a.node == old.address)
    print(f"\nSIGSTOP of Patroni: lock held for {lost_lock - frozen:.1f} s, last write on the old primary at "
          f"{last - frozen:.1f} s, idle sessions cut by {max(sessions.ended.values()) - frozen:.1f} s")
    assert not late, f"{len(late)} writes were acknowledged by {old} after it had lost the lock"
    assert sessions.all_ended()


def test_a_rest_that_stalls_for_8_s_cuts_nothing(cluster, proxy):
    leader = cluster.leader()
    with idle(proxy, "write") as sessions, Writers(proxy.dsn("write"), 2) as writers, \
            Fresh(proxy.dsn("write"), 1) as fresh:
        wait_for(lambda: writers.answered_by(leader), 10, "writes on the primary")
        until = time.monotonic() + 8  # the stall itself: nothing is awaited
        cluster.stop_node(leader, postgres=False)
        time.sleep(until - time.monotonic())
        cluster.cont_node(leader, postgres=False)
        resumed = time.monotonic()
        wait_for(lambda: any(a.begun > resumed for a in writers.acks), 5, "a write afterwards")
        assert not sessions.ended
    assert not writers.errors and not fresh.errors, (writers.errors, fresh.errors)
    assert not proxy.logged("event=primary_lost")


def test_restart_of_patroni_alone_on_a_replica(cluster, proxy):
    replica = cluster.replicas()[0]
    with sessions_on(proxy, "read", replica, 5) as sessions:
        cluster.kill_patroni(replica)
        wait_for(lambda: replica.rest()[0] == 0, 5, "the end of its REST")
        cluster.start_node(replica)
        wait_for(replica.is_replica, 15, "its return")
        proxy.wait_up("read", [n for n in cluster.nodes if n is not cluster.leader()])
        assert not sessions.ended, "sessions on the replica were cut although PostgreSQL ran on"


def test_a_replica_leaves_and_returns(cluster, proxy):
    gone, stays = cluster.replicas()
    with sessions_on(proxy, "read", gone, 5) as dead, sessions_on(proxy, "read", stays, 5) as living:
        cluster.kill_node(gone)
        wait_for(dead.all_ended, 3, "the end of its sessions")
        proxy.wait_up("read", [stays])
        assert {proxy.where("read") for _ in range(6)} == {(stays.address, True)}
        cluster.start_node(gone)
        proxy.wait_up("read", [gone, stays], 30)
        assert {proxy.where("read")[0] for _ in range(6)} == {gone.address, stays.address}
        assert not living.ended


def test_two_clusters_in_one_process_and_isari_before_its_cluster(cluster):
    second = Cluster("127.0.11", "isari-second", nodes=1)
    config = config_for(cluster)
    config["clusters"]["second"] = {"scope": second.scope, "members": [members_entry(n) for n in second.nodes]}
    for listener in config["listeners"].values():
        listener["cluster"] = "main"
    config["listeners"]["other"] = {"bind": f"127.0.0.1:{free_port()}", "serve": "primary", "cluster": "second",
                                    "hold": 0}
    try:
        with Isari(config) as i:
            i.wait_up("write", [cluster.leader()])
            with pytest.raises(psycopg.OperationalError, match='cluster "second" has no primary'):
                i.connect("other", sslmode="prefer")
            second.start()
            i.wait_up("other", ["n1"])
            assert i.where("other") == ("127.0.11.1", False)
            assert i.where("write") == (cluster.leader().address, False)
            with i.connect("write") as session:
                second.kill_node(second.nodes[0])
                i.wait_up("other", [])
                assert session.execute("select 1").fetchone() == (1,)
    finally:
        second.stop()


def test_a_listener_of_every_running_node(cluster):
    config = config_for(cluster)
    config["listeners"]["all"] = {"bind": f"127.0.0.1:{free_port()}", "serve": "any"}
    with Isari(config) as i:
        i.wait_up("all", cluster.nodes)
        assert {i.where("all")[0] for _ in range(6)} == {n.address for n in cluster.nodes}
