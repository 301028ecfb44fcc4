"""The last word to a client whose session is ended: 57P01 in plain text, a reset inside TLS, as a driver sees them."""
import socket
import threading

import psycopg
import pytest

from pgwire import error_fields, login, query, read_all, read_exactly, read_message, read_until
from procs import wait_for


def shut_down(proxy, listener, node):
    assert proxy.ctl("shutdown", "sessions", "server", f"{listener}/{node.name}").returncode == 0


def sessions(proxy, listener):
    return int(proxy.stat()[listener, "FRONTEND"]["scur"])


def next_use(connection):
    with pytest.raises(psycopg.OperationalError) as e:
        connection.execute("select 1")
    assert connection.broken
    return e.value


def test_a_driver_hears_on_its_next_use_what_postgresql_itself_would_have_said(cluster, proxy):
    """libpq takes what comes between two queries for a notice, and then finds the end: its text says both."""
    leader = cluster.leader()
    with proxy.connect("write", sslmode="disable") as c, leader.connect(sslmode="disable") as direct:
        pid = direct.execute("select pg_backend_pid()").fetchone()[0]
        shut_down(proxy, "write", leader)
        leader.sql("select pg_terminate_backend(%s, 10000)", pid)
        wait_for(lambda: sessions(proxy, "write") == 0, 10, "the session's end")
        through, own = next_use(c), next_use(direct)
        assert type(through) is type(own)
        assert str(through) == str(own).replace(
            "due to administrator command", f"to {leader.name} of cluster \"main\": shut down by an operator")


def end_while_waiting(leader, connection, end):
    """What a driver raises whose session ends while it waits for an answer."""
    pid = connection.execute("select pg_backend_pid()").fetchone()[0]
    seen = []

    def wait():
        try:
            connection.execute("select pg_sleep(30)")
        except psycopg.Error as e:
            seen.append(e)
    thread = threading.Thread(target=wait)
    thread.start()
    running = "select count(*) from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
    wait_for(lambda: leader.sql(running, pid), 10, "the query to run", 0.01)
    end(pid)
    thread.join(10)
    return seen[0]


def test_a_driver_that_waits_hears_it_at_once(cluster, proxy):
    leader = cluster.leader()
    with proxy.connect("write", sslmode="disable") as c, leader.connect(sslmode="disable") as direct:
        own = end_while_waiting(leader, direct, lambda pid: leader.sql("select pg_terminate_backend(%s)", pid))
        through = end_while_waiting(leader, c, lambda _: shut_down(proxy, "write", leader))
        assert type(through) is type(own)
        assert f"terminating connection to {leader.name} of cluster \"main\": shut down by an operator" in str(through)


def test_inside_tls_a_driver_loses_its_connection(cluster, proxy):
    leader = cluster.leader()
    with proxy.connect("write", sslmode="require") as c:
        c.execute("select 1")
        shut_down(proxy, "write", leader)
        wait_for(lambda: sessions(proxy, "write") == 0, 10, "the session's end")
        assert "terminating" not in str(next_use(c))


def test_a_crowd_of_idle_sessions_hears_why(cluster, proxy):
    leader = cluster.leader()
    crowd = [proxy.connect("write", sslmode="disable") for _ in range(100)]
    assert proxy.ctl("set", "server", f"write/{leader.name}", "state", "maint").returncode == 0
    wait_for(lambda: sessions(proxy, "write") == 0, 30, "the sessions' end")
    for c in crowd:
        assert f"{leader.name} of cluster \"main\": server in maintenance" in str(next_use(c))
        c.close()


def test_a_switchover_leaves_no_idle_session_without_a_word(cluster, proxy):
    """PostgreSQL's own, or ours, whichever comes first; never a mere reset."""
    crowd = [proxy.connect("write", sslmode="disable") for _ in range(20)]
    cluster.switchover(cluster.replicas()[0])
    wait_for(lambda: sessions(proxy, "write") == 0, 30, "the sessions' end")
    for c in crowd:
        assert "terminating connection" in str(next_use(c))
        c.close()


def test_amid_a_result_nothing_is_said_that_is_not_a_message(cluster, proxy):
    """A reader of a large result that pauses: what it has is a beginning of what the server said, and no more."""
    leader = cluster.leader()
    with proxy.dial("write", 20) as s:
        login(s)
        s.sendall(query("select repeat(chr(64 + i % 26), 100000) from generate_series(1, 1000) i"))
        read_exactly(s, 1000)
        shut_down(proxy, "write", leader)
        wait_for(lambda: sessions(proxy, "write") == 0, 10, "the session's end")
        with pytest.raises(ConnectionResetError):
            while s.recv(1 << 16):
                pass


def test_amid_a_query_the_word_is_the_last_message(cluster, proxy):
    leader = cluster.leader()
    with proxy.dial("write", 20) as s:
        login(s)
        s.sendall(query("do $$ begin raise notice 'working'; perform pg_sleep(30); end $$"))
        assert read_message(s)[0] == b"N"
        shut_down(proxy, "write", leader)
        kind, payload = read_message(s)
        assert (kind, error_fields(payload)["C"]) == (b"E", "57P01")
        assert read_all(s) == b""


def test_what_a_client_sent_at_that_moment_does_not_cost_it_the_word(cluster, proxy):
    """Half a query is unread, or on the wire, when its session ends."""
    leader = cluster.leader()
    with proxy.dial("write", 20) as s:
        login(s)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(query("select 1")[:4])
        shut_down(proxy, "write", leader)
        kind, payload = read_until(s, b"E")[-1]
        assert (kind, error_fields(payload)["C"]) == (b"E", "57P01")
        assert s.recv(1) == b""
