"""Who may write, while those who should know contradict each other: a real cluster whose lock is stolen, whose
Patronis freeze, restart and come back, whose PostgreSQL cannot be asked. Its DCS answers all the while
(test_disputes_dcs.py: it does not).

Two things are held against each answer of the write port: the node that gave it must not be in recovery, and in
the end the lock in etcd must be that node's.
"""
import contextlib
import json
import os
import signal
import time
from itertools import groupby

import pytest

from cluster import LOOP_WAIT, REST_PORT, Cluster, http_get
from isari import Isari, config_for, members_entry
from load import Fresh, Watch
from pgwire import login, query, read_error, read_until, startup
from procs import send, wait_for


@pytest.fixture
def proxy(disputed):
    with before(disputed) as i:
        yield i


@contextlib.contextmanager
def before(cluster, **probe):
    """isari before this cluster, which refuses at once; with everything known."""
    with Isari(config_for(cluster, hold=0, **probe)) as i:
        leader = cluster.leader()
        i.wait_up("write", [leader]).wait_up("read", [n for n in cluster.nodes if n is not leader])
        yield i


def idle(i, n=5):
    return Watch([login(i.dial("write")) for _ in range(n)])


def answers(sock):
    """Not for one that is watched."""
    sock.sendall(query("select 1"))
    read_until(sock, b"Z")
    return True


def path(fresh):
    """The nodes that answered, in their order; none of them was in recovery."""
    assert not [a for a in fresh.acks if a.in_recovery], "a client of the write port met a node in recovery"
    return [node for node, _ in groupby(a.node for a in sorted(fresh.acks, key=lambda a: a.ended))]


def refusal(i):
    with i.dial("write") as s:
        s.sendall(startup())
        fields = read_error(s)
    assert fields["C"] == "57P03", fields
    return fields["M"]


def assert_truth(c, i, node):
    """The write port leads there, it takes writes, and the lock is its own."""
    i.wait_up("write", [node], 20)
    assert i.where("write") == (node.address, False)
    assert c.lock_holder() == node.name


def reasons(i):
    """How the sessions of the write port ended."""
    lines = i.logged("event=session_end listener=write ")
    return {line.partition(" reason=")[2].split()[0] for line in lines}


# ---- the lock ------------------------------------------------------------------------------------------

def test_a_lock_that_is_stolen_for_a_replica_takes_the_writes_with_it(disputed, proxy):
    """For a moment the old primary does not know: two run as primaries, and one of them answers here."""
    old, new = disputed.leader(), disputed.replicas()[0]
    with idle(proxy) as sessions, Fresh(proxy.dsn("write"), 1) as fresh:
        wait_for(lambda: fresh.answered_by(old), 10, "clients on the old primary")
        disputed.steal_lock(new.name)
        wait_for(sessions.all_ended, 5, "the cut of the old primary's sessions")
        wait_for(lambda: fresh.answered_by(new), 20, "clients on the new primary")
    assert path(fresh) == [old.address, new.address]
    assert_truth(disputed, proxy, new)


def test_503_ends_sessions_although_the_body_says_master(disputed, proxy):
    """In maintenance mode a primary that has lost its lock runs on, and takes writes from whoever reaches it."""
    old = disputed.leader()
    disputed.pause()
    with idle(proxy) as sessions:
        disputed.steal_lock("nobody")
        wait_for(sessions.all_ended, 5, "the cut")
    status, body = old.rest("/primary")
    assert (status, body["role"], body["state"], old.sql("select pg_is_in_recovery()")) == (503, "master", "running",
                                                                                           False)
    assert f"{old.name} answers that it does not hold the leader lock" in refusal(proxy)
    proxy.wait_log("event=session_end listener=write .*reason=server_lost_the_role")
    assert proxy.logged(f"level=error event=primary_lost .*from={old.name} .*does not hold the leader lock")
    disputed.free_lock()
    assert_truth(disputed, proxy, old)


def thaw(c, i, fresh):
    """Freeze the primary's Patroni until it is another's turn, thaw it: (old, new, did it steal the lock back)."""
    old = c.leader()
    with idle(i) as sessions:
        frozen = time.monotonic()
        c.stop_node(old, postgres=False)
        c.end_lease()
        new = c.wait_leader(not_=old)
        wait_for(lambda: fresh.answered_by(new), 10, "clients on the new primary")
        assert sessions.all_ended(), "there was a new primary, and sessions on the old one"
    wait_for(lambda: time.monotonic() > frozen + LOOP_WAIT + 1.5, 20, "the end of its nap: it does not look again")
    c.cont_node(old, postgres=False)
    wait_for(lambda: c.lock_holder() == old.name or old.is_replica(), 20, f"{old} to find its place")
    return old, new, c.lock_holder() == old.name


def test_a_thawed_primary_that_steals_its_lock_back_is_followed_and_shouted_about(disputed, proxy):
    """Patroni 3.0 with etcd v3 puts the key without looking whose it is. The timeline goes down."""
    with Fresh(proxy.dsn("write"), 1) as fresh:
        for _ in range(6):  # a race of Patroni's own
            old, new, stolen = thaw(disputed, proxy, fresh)
            if stolen:
                break
            disputed.heal()
        assert stolen, "six times it saw in time that the lock was another's"
        wait_for(lambda: fresh.answered_by(old), 20, "clients on the one that has the lock now")
    assert path(fresh)[-3:] == [old.address, new.address, old.address]
    assert {"server_fenced"} <= reasons(proxy), reasons(proxy)
    assert proxy.logged(f"level=error event=timeline_went_down .*member={old.name} ")
    began = proxy.ask("show events").splitlines()
    assert f" main: {new} -> {old}, timeline " in began[0] and f"main: {old} -> {new}, timeline " in "\n".join(began)
    assert_truth(disputed, proxy, old)


def test_the_lock_before_promotion_has_ended_opens_nothing(disputed, proxy):
    old, new = disputed.leader(), disputed.replicas()[0]
    disputed.promotion_waits(True)
    with Fresh(proxy.dsn("write"), 1) as fresh:
        wait_for(lambda: fresh.answered_by(old), 10, "clients on the old primary")
        order = json.dumps({"leader": old.name, "candidate": new.name})
        assert http_get(old.address, REST_PORT, "/switchover", 40, "POST", order)[0] == 200
        wait_for(lambda: f"{new} " in proxy.ask("show clusters") and "holds the lock but is still in recovery"
                 in proxy.ask("show clusters"), 20, "the reason in show clusters")
        status, body = new.rest("/primary")
        assert (status, body["role"], disputed.lock_holder()) == (200, "replica", new.name)
        assert proxy.up("write") == []
        refusal(proxy)
        disputed.promotion_waits(False)
        wait_for(lambda: fresh.answered_by(new), 20, "clients on the new primary")
    assert path(fresh) == [old.address, new.address]
    assert_truth(disputed, proxy, new)


# ---- a Patroni that is not there, or late --------------------------------------------------------------

def test_a_patroni_that_restarts_in_maintenance_mode_costs_no_session(disputed, proxy):
    """How Patroni is upgraded: its REST refuses for seconds, PostgreSQL runs on, the lock is still its own; then
    it answers 503 until its first look at the DCS."""
    leader = disputed.leader()
    disputed.pause()
    with idle(proxy) as sessions, login(proxy.dial("write")) as one:
        disputed.kill_patroni(leader)
        proxy.wait_log(f"event=member_down .*member={leader.name} .*connection refused")
        assert leader.rest()[0] == 0 and proxy.where("write") == (leader.address, False)
        assert answers(one) and not sessions.ended
        disputed.start_node(leader)
        wait_for(leader.is_leader, 15, "its return")
        proxy.wait_log(f"event=member_up .*member={leader.name}")
        assert_truth(disputed, proxy, leader)
        assert answers(one) and not sessions.ended


def test_a_slow_patroni_costs_nothing(disputed):
    """It runs a tenth of the time, for longer than a lease: late answers are answers."""
    leader = disputed.leader()
    with before(disputed, lease="3s") as i, idle(i) as sessions, login(i.dial("write")) as one, \
            Fresh(i.dsn("write"), 1) as fresh:
        until = time.monotonic() + 5
        while time.monotonic() < until:  # the fault itself: nothing is awaited
            disputed.stop_node(leader, postgres=False)
            time.sleep(0.6)
            disputed.cont_node(leader, postgres=False)
            time.sleep(0.06)
        assert answers(one) and not sessions.ended
        assert not fresh.errors and path(fresh) == [leader.address]
        assert not i.logged("event=primary_lost")


# ---- a PostgreSQL that is not there, and its Patroni is ------------------------------------------------

def test_a_frozen_postgresql_is_noticed_within_3_s(disputed, proxy):
    leader = disputed.leader()
    with idle(proxy) as sessions:
        frozen = time.monotonic()
        disputed.stop_node(leader, patroni=False)
        wait_for(sessions.all_ended, 10, "the cut")
        took = max(sessions.ended.values()) - frozen
        print(f"\nSIGSTOP of PostgreSQL alone: sessions cut after {took:.2f} s")
        assert took <= 3
    assert "is silent on both its Patroni and its PostgreSQL port" in refusal(proxy)
    disputed.cont_node(leader, patroni=False)
    assert_truth(disputed, proxy, leader)
    assert reasons(proxy) >= {"server_unreachable"}


def backends(node):
    with open(os.path.join(node.data, "postmaster.pid"), encoding="ascii") as f:
        postmaster = int(f.readline())
    return [p for p in node.postgres_pids() if p != postmaster]


def test_frozen_backends_are_doubt_until_the_lease_ends(disputed):
    """Patroni cannot ask, and the postmaster still answers: nobody says no, and nobody proves it any more."""
    leader = disputed.leader()
    with before(disputed, lease="4s") as i:
        with idle(i) as sessions:
            frozen = time.monotonic()
            send(backends(leader), signal.SIGSTOP)
            assert i.where("write") == (leader.address, False), "new sessions go on"
            wait_for(sessions.all_ended, 10, "the end of the lease")
            assert max(sessions.ended.values()) - frozen < 5
        i.wait_log("event=session_end listener=write .*reason=server_lease_ended")
        assert "gave no new proof before its lease ended" in refusal(i)
        send(leader.postgres_pids(), signal.SIGCONT)
        assert_truth(disputed, i, leader)


def test_a_postgresql_that_cannot_be_asked_keeps_its_sessions_until_the_lease_ends(disputed, proxy):
    """200 with state unknown (Patroni's question waits for a lock in the catalog) is neither proof nor refusal."""
    leader = disputed.leader()
    with idle(proxy) as sessions, login(proxy.dial("write")) as one:
        with leader.connect(autocommit=False) as holder:
            holder.execute("lock table pg_authid in access exclusive mode")
            wait_for(lambda: "could not ask its PostgreSQL" in proxy.ask("show clusters"), 10, "the reason", 0.005)
            assert answers(one) and not sessions.ended
        wait_for(lambda: "primary running" in " ".join(proxy.ask("show clusters").split())
                 and "could not ask" not in proxy.ask("show clusters"), 10, "a new proof")
        assert not sessions.ended
    assert not proxy.logged("event=primary_lost")
    assert_truth(disputed, proxy, leader)


# ---- somebody else's -------------------------------------------------------------------------------------

def test_a_member_with_another_system_identifier_is_refused(disputed):
    """The same scope in another DCS: a cluster that was set up anew, a copied configuration."""
    other = Cluster("127.0.86", disputed.scope, nodes=1)
    config = config_for(disputed, hold=0)
    config["clusters"]["main"]["members"].append(members_entry(other.nodes[0]) | {"name": "n4"})
    try:
        with Isari(config) as i, Fresh(i.dsn("write"), 1) as fresh:
            i.wait_up("write", [disputed.leader()])
            other.start()
            i.wait_log("member=n4 .*has another system identifier", 20)
            assert "n4" in i.ask("show clusters") and "has another system identifier" in i.ask("show clusters")
            seen = len(fresh.acks)
            wait_for(lambda: len(fresh.acks) > seen + 50, 20, "more clients")
            assert i.up("write") == [disputed.leader().name] and "n4" not in i.up("read")
        assert path(fresh) == [disputed.leader().address]
    finally:
        other.stop()
