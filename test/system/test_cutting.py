"""Nothing holds up a verdict: sessions with a blocked write end as promptly as idle ones, on a real cluster and on
servers that take or give as they are told."""
import signal
import ssl
import struct
import threading

import pytest

from fake_patroni import FakeCluster
from isari import Isari, config_for
from load import Watch
from pgwire import SSL_REQUEST, login, query, read_exactly, read_until, request, startup
from procs import send, wait_for


def blocked(s):
    """Send until nothing more is taken."""
    s.settimeout(0.5)
    try:
        while True:
            s.send(bytes(1 << 20))
    except TimeoutError:
        return s


def sessions(i, listener):
    return int(i.stat()[listener, "FRONTEND"]["scur"])


def moved(i, listener):
    row = i.stat()[listener, "FRONTEND"]
    return int(row["bin"]), int(row["bout"])


def wait_stuck(i, listener):
    """Until no byte has moved between two looks."""
    last = [None]

    def same():
        now, before = moved(i, listener), last[0]
        last[0] = now
        return now == before
    wait_for(same, 20, "every buffer to be full", 0.3)


class Deaf:
    """What a server's new session does: says a byte, and then takes nothing, or never stops talking."""

    def __init__(self, floods):
        self.floods = floods
        self.over = threading.Event()

    def __call__(self, s):
        with s:
            s.recv(1 << 16)
            s.sendall(b"R")
            try:
                while self.floods:
                    s.sendall(bytes(1 << 20))
            except OSError:
                return
            self.over.wait()


@pytest.mark.parametrize("floods", [False, True], ids=["a server that does not read", "a client that does not read"])
def test_a_demoted_server_loses_its_blocked_sessions_at_once(floods):
    deaf = Deaf(floods)
    with FakeCluster("127.0.38") as fakes, Isari(config_for(fakes)) as i:
        old, new = fakes.nodes
        old.pg.raw = deaf
        i.wait_up("write", [old])
        clients = [i.dial("write") for _ in range(5)]
        for s in clients:
            s.sendall(startup())
            assert read_exactly(s, 1) == b"R"
            if not floods:
                blocked(s)
        wait_stuck(i, "write")
        assert sessions(i, "write") == len(clients)
        old.be("replica")
        wait_for(lambda: sessions(i, "write") == 0, 5, "the end of every session", 0.01)
        with Watch(clients) as watch:
            wait_for(watch.all_ended, 5, "every client to notice")
        ends = i.logged("event=session_end listener=write .*reason=server_lost_the_role")
        assert len(ends) == len(clients)
        deaf.over.set()
        assert new.pg.sessions == {}, "nothing of theirs went to the other node"


def backend_of(s):
    """Log in; the server's process."""
    s.sendall(startup())
    return struct.unpack_from("!I", dict(read_until(s, b"Z"))[b"K"])[0]


def inside_tls(s):
    s.sendall(request(SSL_REQUEST))
    assert read_exactly(s, 1) == b"S"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(s)


def test_a_frozen_node_loses_its_blocked_sessions(cluster, proxy):
    """Clients that write into it, one that does not read what it gave, idle ones, one inside TLS: all of them end."""
    old = cluster.leader()
    writers = [proxy.dial("write") for _ in range(3)]
    send([backend_of(s) for s in writers], signal.SIGSTOP)
    for s in writers:
        blocked(s)
    reader = login(proxy.dial("write"))
    reader.sendall(query("select repeat('x', 1000000) from generate_series(1, 200)"))
    read_exactly(reader, 1000)
    tls = inside_tls(proxy.dial("write"))
    everybody = [*writers, reader, tls, *(login(proxy.dial("write")) for _ in range(3))]
    wait_stuck(proxy, "write")
    assert sessions(proxy, "write") == len(everybody)
    cluster.stop_node(old)
    wait_for(lambda: sessions(proxy, "write") == 0, 10, "the end of every session", 0.01)
    with Watch(everybody) as watch:
        wait_for(watch.all_ended, 5, "every client to notice")
    cluster.cont_node(old)
    assert len(proxy.logged("event=session_end listener=write .*reason=server_unreachable")) == len(everybody)
