"""Who may write, while nobody can be asked who holds the lock: a real cluster that loses its DCS, with failsafe mode
and without, in maintenance mode, and two nodes that are promoted by hand meanwhile. And a standby cluster, whose
leader holds a lock and takes no writes.
"""
import time

import pytest

from dcs import StandbyCluster
from isari import Isari, config_for, members_entry
from load import Fresh
from pgwire import login
from procs import free_port, wait_for
from test_disputes import answers, assert_truth, before, idle, path, reasons, refusal


@pytest.fixture
def proxy(disputed):
    with before(disputed) as i:
        yield i


# ---- a standby cluster -------------------------------------------------------------------------------------

def test_the_leader_of_a_standby_cluster_is_nobodys_primary(disputed):
    standby = StandbyCluster("127.0.86", "isari-standby", disputed.leader())
    leader = standby.nodes[0]
    config = config_for(standby, hold=0)
    config["listeners"]["standby"] = {"bind": f"127.0.0.1:{free_port()}", "serve": "standby_leader"}
    with standby:
        with Isari(config) as i:
            i.wait_up("standby", [leader])
            assert i.where("standby") == (leader.address, True)
            assert leader.rest("/leader")[0] == 200 and standby.lock_holder() == leader.name
            assert "no member has proven to be primary" in refusal(i)
            assert i.up("write") == i.up("read") == []
        check_crossed(disputed, leader)


def check_crossed(disputed, stranger):
    """A configuration that names a node of the other cluster: the system identifier is the same, the scope is not."""
    config = config_for(disputed, hold=0)
    del config["clusters"]["main"]["scope"]
    config["clusters"]["main"]["members"].append(members_entry(stranger) | {"name": "stranger"})
    config["listeners"]["any"] = {"bind": f"127.0.0.1:{free_port()}", "serve": ["any", "standby_leader"]}
    with Isari(config) as i:
        i.wait_log("event=member_down .*member=stranger .*belongs to another Patroni scope")
        i.wait_up("any", disputed.nodes)
        assert "stranger" not in i.up("write") + i.up("read")
        assert_truth(disputed, i, disputed.leader())


# ---- no DCS ------------------------------------------------------------------------------------------------

def test_without_failsafe_mode_the_primary_is_followed_until_patroni_demotes_it(disputed, proxy):
    old = disputed.leader()
    with idle(proxy) as sessions, Fresh(proxy.dsn("write"), 1) as fresh:
        wait_for(lambda: fresh.answered_by(old), 10, "clients on the primary")
        disputed.lose_quorum()
        lost = time.monotonic()
        wait_for(sessions.all_ended, 30, "the cut")
        proxy.wait_up("write", [], 10)
        wait_for(old.is_replica, 20, "its PostgreSQL to be back, read-only")
        assert proxy.up("write") == [] and refusal(proxy)
        last = max(a.ended for a in fresh.acks)
        print(f"\nquorum lost without failsafe mode: the last answer came after {last - lost:.1f} s")
        disputed.regain_quorum()
        new = disputed.wait_leader()
        wait_for(lambda: fresh.answered_by(new), 30, "clients on the next primary")
    path(fresh)
    assert proxy.logged(f"level=error event=primary_lost .*from={old.name} ")
    assert_truth(disputed, proxy, new)


def test_failsafe_mode_keeps_the_primary_usable_until_a_member_is_missing(disputed):
    disputed.configure(failsafe_mode=True)
    wait_for(lambda: len(disputed.leader().rest("/failsafe")[1]) == 3, 20, "the members that failsafe mode asks")
    with before(disputed, lease="3s") as i:
        check_failsafe(disputed, i)
        disputed.heal()
        assert_truth(disputed, i, disputed.leader())
    disputed.configure(failsafe_mode=None)


def check_failsafe(c, i):
    leader, missing = c.leader(), c.replicas()[0]
    with idle(i) as sessions, login(i.dial("write")) as one, Fresh(i.dsn("write"), 1) as fresh:
        c.lose_quorum()
        wait_for(lambda: leader.rest("/primary")[1].get("failsafe_mode_is_active"), 20, "failsafe mode")
        active = time.monotonic()
        wait_for(lambda: time.monotonic() > active + 4, 20, "more than a lease")
        assert answers(one) and not sessions.ended and not fresh.errors and i.up("write") == [leader.name]
        c.stop_node(missing, postgres=False)
        wait_for(sessions.all_ended, 30, "the cut")
        i.wait_up("write", [], 10)
        c.cont_node(missing, postgres=False)
    assert path(fresh) == [leader.address]


def test_two_promoted_by_hand_in_maintenance_mode_without_a_dcs(disputed_of_all):
    """Patroni goes by PostgreSQL's word then, and several say that they are primary. The end of this cluster."""
    c = disputed_of_all
    try:
        promote_two_by_hand(c)
    finally:
        c.stop()


def promote_two_by_hand(c):
    old = c.wait_healthy()
    second, third = c.replicas()
    c.pause()
    with before(c) as i, Fresh(i.dsn("write"), 1) as fresh:
        with idle(i) as sessions:
            c.kill_dcs()
            wait_for(lambda: old.rest("/primary")[1].get("cluster_unlocked"), 20, "it to know of no lock")
            assert old.rest("/primary")[0] == 200 and i.up("write") == [old.name] and not sessions.ended
            second.sql("select pg_promote()")
            wait_for(sessions.all_ended, 5, "the cut of the lower timeline")
        assert old.is_leader() and second.is_leader(), "Patroni itself says so of both"
        assert "server_fenced" in reasons(i)
        wait_for(lambda: fresh.answered_by(second), 10, "clients on the higher timeline")
        with idle(i) as sessions:
            third.sql("select pg_promote()")
            i.wait_log("level=error event=primary_ambiguous .*" + second.name)
            assert third.is_leader() and i.up("write") == [second.name] and not sessions.ended
            c.stop_node(second, postgres=False)
            wait_for(sessions.all_ended, 15, "the end of the incumbent's lease, or of its proof")
            i.wait_up("write", [], 2)
            assert f"{third.name}" in refusal(i) or f"{second.name}" in refusal(i)
    assert path(fresh) == [old.address, second.address]
