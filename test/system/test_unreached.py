"""A server that refuses, hangs up or is silent is not the client's business: another one is asked, or the client
waits; and several sessions that end together make isari ask all nodes at once."""
import os
import signal
import socket
import time
from contextlib import ExitStack

import psycopg
import pytest

from fake_patroni import FakeCluster
from isari import Isari, config_for, members_entry
from load import Fresh
from pgwire import login
from procs import send, wait_for
from waiting import Newcomers, counted, waiting

LONG = {"connect_timeout": 40}


def postmaster(node):
    with open(os.path.join(node.data, "postmaster.pid"), encoding="utf-8") as f:
        return int(f.readline())


def test_a_primary_that_crashes_and_comes_back_fails_no_connection(cluster, proxy):
    """Its postmaster is killed; Patroni keeps the lock and starts it again: nobody to go to meanwhile."""
    leader, killed = cluster.leader(), postmaster(cluster.leader())
    with Newcomers(proxy.dsn("write", sslmode="disable", **LONG)) as clients:
        wait_for(lambda: clients.answered_by(leader), 10, "writes")
        send([killed], signal.SIGKILL)
        wait_for(lambda: waiting(proxy, "write") > 0, 10, "clients to wait")
        wait_for(leader.is_leader, 60, "its return")
        done = len(clients.acks)
        wait_for(lambda: len(clients.acks) > done + 20, 20, "writes again")
    held, released = counted(proxy, "write")
    print(f"\ncrash of the primary: {len(clients.failed)} failed, {len(clients.errors)} writes cut, longest wait "
          f"{clients.longest:.2f} s, {held} held, {released} released")
    assert postmaster(leader) != killed
    assert not clients.failed
    assert held == released > 0 and waiting(proxy, "write") == 0
    assert {a.node for a in clients.acks} == {leader.address}


def test_a_replica_that_crashes_sends_its_readers_to_the_other(cluster, proxy):
    gone, stays = cluster.replicas()
    with Newcomers(proxy.dsn("read", sslmode="disable", **LONG)) as clients:
        clients.once = lambda mine: Fresh.once(clients, mine)
        wait_for(lambda: {gone.address, stays.address} <= {a.node for a in clients.acks}, 10, "readers on both")
        send([postmaster(gone)], signal.SIGKILL)
        killed = time.monotonic()
        wait_for(lambda: clients.answered_by(stays), 10, "readers on the other one")
        proxy.wait_up("read", [gone, stays], 60)
        wait_for(lambda: [a for a in clients.acks if a.node == gone.address and a.begun > killed + 1], 20,
                 "readers on both again")
    refused = [e for _, e in clients.errors if "connection failed" in e]
    print(f"\ncrash of a replica: {len(clients.acks)} reads, {len(refused)} failed, {len(clients.errors)} cut, "
          f"{proxy.stat()['read', 'BACKEND']['wredis']} went to the other one, {counted(proxy, 'read')[0]} waited")
    assert not refused
    assert all(a.in_recovery for a in clients.acks)


class Pit:
    """A port whose packets vanish: the kernel has no room left for those who call it."""

    def __init__(self, address):
        self.listener = socket.create_server((address, 0), backlog=0)
        self.port = self.listener.getsockname()[1]
        self.callers = []

    def __enter__(self):
        while self._takes_another():
            pass
        return self

    def _takes_another(self):
        s = socket.socket()
        self.callers.append(s)
        s.settimeout(0.2)
        try:
            s.connect((self.listener.getsockname()))
        except TimeoutError:
            s.setblocking(False)
            return False
        return True

    def __exit__(self, *_):
        for s in [*self.callers, self.listener]:
            s.close()


def test_a_server_that_answers_no_call_costs_the_time_of_one_call_and_no_more(cluster):
    """Its Patroni is well, and packets to its PostgreSQL vanish."""
    lost, stays = cluster.replicas()
    with Pit(lost.address) as pit:
        config = config_for(cluster)
        config["clusters"]["main"]["members"] = [
            members_entry(n) | ({"port": pit.port} if n is lost else {}) for n in cluster.nodes]
        config["listeners"]["read"]["timeouts"] = {"connect": "300ms"}
        with Isari(config) as i:
            i.wait_up("read", [lost, stays])
            began = time.monotonic()
            assert {i.where("read") for _ in range(6)} == {(stays.address, True)}
            took = time.monotonic() - began
            row = i.stat()["read", lost.name]
            print(f"\nsix readers, every other one called a port that does not answer: {took:.2f} s")
            assert 1 <= int(row["econ"]) <= 6 and row["econ"] == row["wredis"], row
            assert counted(i, "read") == (0, 0), "nobody had to wait for a verdict"


@pytest.fixture
def calm():
    """isari before two false nodes, of which it asks something every 8 s only."""
    with FakeCluster("127.0.39") as fakes:
        config = config_for(fakes, interval="8s", lease="30s")
        with Isari(config) as i:
            i.wait_up("write", [fakes.nodes[0]])
            wait_for(lambda: "asked fast" not in i.ask("show clusters"), 20, "calm")
            yield fakes, i


def old_sessions(i, n):
    """They count when they are a second old: logins that fail end young."""
    with ExitStack() as stack:
        found = [stack.enter_context(login(i.dial("write"))) for _ in range(n)]
        stack.pop_all()
    born = time.monotonic()
    wait_for(lambda: time.monotonic() > born + 1.1, 5, "their first second to pass")
    return found


def test_sessions_that_end_together_make_isari_ask_every_node_at_once(calm):
    fakes, i = calm
    sessions = old_sessions(i, 4)
    rests = [n.rest for n in fakes.nodes]
    before = [len(r.asked) for r in rests]
    began = time.monotonic()
    for s in list(fakes.nodes[0].pg.sessions):
        s.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: all(len(r.asked) > b for r, b in zip(rests, before)), 2, "a question to every node", 0.001)
    first = [r.asked[b][0] - began for r, b in zip(rests, before)]
    print("\nasked after " + ", ".join(f"{t * 1000:.1f} ms" for t in first))
    assert "asked fast" in i.ask("show clusters")
    for s in sessions:
        s.close()


def test_sessions_that_postgresql_ends_are_such_a_sign(cluster):
    """As a shutdown does, before Patroni says anything of it. The newcomers wait a moment, and are carried."""
    leader = cluster.leader()
    with Isari(config_for(cluster, interval="3s")) as i:
        i.wait_up("write", [leader])
        wait_for(lambda: "asked fast" not in i.ask("show clusters"), 20, "calm")
        sessions = old_sessions(i, 4)
        leader.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity "
                   "where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name = ''")
        wait_for(lambda: "asked fast" in i.ask("show clusters"), 2, "doubt", 0.01)
        assert i.where("write", **LONG) == (leader.address, False)
        for s in sessions:
            s.close()


def test_whatever_a_refusing_server_costs_its_clients_hear_why_in_the_end(cluster):
    """A primary whose Patroni is well and whose port refuses: the time is up, and the error names the refusal."""
    leader = cluster.leader()
    with socket.socket() as s:
        s.bind((leader.address, 0))
        config = config_for(cluster, hold="500ms")
        config["clusters"]["main"]["members"] = [
            members_entry(n) | ({"port": s.getsockname()[1]} if n is leader else {}) for n in cluster.nodes]
        with Isari(config) as i:
            i.wait_up("write", [leader])
            with pytest.raises(psycopg.OperationalError) as e:
                i.connect("write")
            assert f'no server of cluster "main" could be reached ({leader}: Connection refused)' in str(e.value)
            assert int(i.stat()["write", leader.name]["econ"]) >= 2, "tried more than once"
