"""Ctrl-C reaches the node that runs the query: by a key that passed in plain text, by asking everybody where it
passed inside TLS, and through another isari than the session's."""
import threading

import psycopg
import pytest

from isari import Isari, config_for
from pgwire import CANCEL_REQUEST, error_fields, query, read_all, read_until, request, startup
from procs import wait_for

TIMES = 12
LISTENERS = ["write", "read"]


def wait_running(cluster, address, pid):
    running = "select count(*) from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
    wait_for(lambda: cluster.node(address).sql(running, pid), 10, f"the query of {pid} to run", 0.01)


@pytest.mark.parametrize("sslmode", ["disable", "require"])
@pytest.mark.parametrize("listener", LISTENERS)
def test_every_ctrl_c_arrives_with_and_without_tls(cluster, proxy, listener, sslmode):
    for _ in range(TIMES):
        with proxy.connect(listener, sslmode=sslmode) as c:
            pid, address = c.execute("select pg_backend_pid(), host(inet_server_addr())").fetchone()
            thread = threading.Thread(target=lambda: (wait_running(cluster, address, pid), c.cancel()))
            thread.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                c.execute("select pg_sleep(20)")
            thread.join()


@pytest.fixture
def pair(cluster):
    """Two isari before the same cluster, each with several threads."""
    leader = cluster.leader()
    with Isari(config_for(cluster) | {"threads": 4}) as a, Isari(config_for(cluster) | {"threads": 4}) as b:
        for i in (a, b):
            i.wait_up("write", [leader]).wait_up("read", [n for n in cluster.nodes if n is not leader])
        yield a, b


def log_in(sock):
    """(address of the node, pid, the bytes of its BackendKeyData)"""
    sock.sendall(startup())
    key = dict(read_until(sock, b"Z"))[b"K"]
    sock.sendall(query("select host(inet_server_addr())"))
    address = dict(read_until(sock, b"Z"))[b"D"][6:].decode()
    return address, int.from_bytes(key[:4], "big"), key


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("through", ["itself", "another isari", "another listener"])
def test_every_ctrl_c_arrives_whichever_way_it_comes(cluster, pair, listener, through):
    a, b = pair
    by = {"itself": (a, listener), "another isari": (b, listener),
          "another listener": (a, LISTENERS[1 - LISTENERS.index(listener)])}[through]
    for _ in range(TIMES):
        with a.dial(listener, 10) as session, by[0].dial(by[1], 10) as courier:
            address, pid, key = log_in(session)
            session.sendall(query("select pg_sleep(20)"))
            wait_running(cluster, address, pid)
            courier.sendall(request(CANCEL_REQUEST, key))
            assert read_all(courier) == b""
            errors = [error_fields(p) for kind, p in read_until(session, b"Z") if kind == b"E"]
            assert [e["C"] for e in errors] == ["57014"]
