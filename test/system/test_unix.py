"""UNIX sockets on both sides: applications come by one, and sessions reach a PostgreSQL of this host by its own. The
server is real; there is no PostgreSQL at the member's host and port, so whatever arrives came by the socket."""
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile

import psycopg
import pytest

from cluster import PG_BIN, USER
from isari import Isari, config_for
from lone import AS_USER, QUIET, Lone, run
from procs import wait_for

PORT = 5432
ROWS = 200_000


class Local(Lone):
    """One that listens in a directory, too."""

    def start(self, **settings):
        return super().start(**{"unix_socket_directories": self.dir, "log_connections": "on"} | settings)

    def stop_postgres(self):
        run([*AS_USER, f"{PG_BIN}/pg_ctl", "-D", self.data, "stop", "-m", "fast"], cwd="/")

    def postmaster(self):
        with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as f:
            return int(f.readline())

    def n_said(self, words):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read().count(words)


@pytest.fixture(scope="module")
def server_of_all():
    with Local("127.0.63") as pg:
        pg.sql("create role monitor login")
        pg.sql(f"create table many as select i, md5(i::text) m from generate_series(1, {ROWS}) i")
        yield pg


@pytest.fixture
def server(server_of_all):
    server_of_all.node.be("primary")
    return server_of_all


@pytest.fixture
def door():
    d = tempfile.mkdtemp(prefix="isari-door-")
    os.chmod(d, 0o755)
    yield d
    shutil.rmtree(d, ignore_errors=True)


def config(server, door, **probe):
    c = config_for(server, **probe)
    c["clusters"]["main"]["members"] = [{
        "name": "n1", "host": "127.0.63.9", "rest": f"http://{server.address}:8008", "socket": server.dir}]
    c["listeners"]["write"]["bind"] = f"{door}/.s.PGSQL.{PORT}"
    return c | {"threads": 2}


@pytest.fixture
def isari(server, door):
    with Isari(config(server, door)) as i:
        i.wait_up("write", [server.node])
        yield i


def connect(door, **kw):
    return psycopg.connect(host=door, port=PORT, dbname="postgres", user=USER, autocommit=True, connect_timeout=20, **kw)


def psql(door, *words, **kw):
    argv = [f"{PG_BIN}/psql", "-X", "-q", "-h", door, "-p", str(PORT), "-U", USER, "-d", "postgres",
            "-v", "ON_ERROR_STOP=1", *words]
    return subprocess.run(argv, env=QUIET, capture_output=True, check=True, timeout=60, **kw).stdout


def why_not(c):
    """What a session hears that has been ended."""
    with pytest.raises(psycopg.OperationalError) as e:
        c.execute("select 1")
    return str(e.value)


# ---- sessions ----------------------------------------------------------------------------------

def test_psql_comes_and_goes_by_sockets_and_everybody_may_knock(server, door, isari):
    path = f"{door}/.s.PGSQL.{PORT}"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o777
    for _ in range(8):  # both threads: the first one accepts for all
        assert psql(door, "-Atc", "select inet_client_addr() is null, inet_server_addr() is null") == b"t|t\n"
    isari.wait_log("event=session_end listener=write client=unix server=n1 server_local=unix reason=client_closed")


def test_show_sess_and_show_stat_name_sockets(server, door, isari):
    with connect(door) as c:
        c.execute("select 1")
        sessions = [s for s in isari.ask("show sess").splitlines() if "fe=write" in s]
        assert len(sessions) == 1
        assert "proto=unix_stream src=unix " in sessions[0] and " local=unix " in sessions[0]
    assert isari.stat()["write", "n1"]["addr"] == f"{server.dir}/.s.PGSQL.{PORT}"


def test_copy_arrives_whole_in_both_directions(server, door, isari):
    direct = psql(server.dir, "-c", "copy (select * from many order by i) to stdout")
    assert len(direct) > 4_000_000
    through = psql(door, "-c", "copy (select * from many order by i) to stdout")
    assert hashlib.sha256(through).digest() == hashlib.sha256(direct).digest()
    psql(door, "-c", "create table copied (like many)", "-c", "copy copied from stdin", input=direct)
    back = psql(server.dir, "-c", "copy (select * from copied order by i) to stdout", "-c", "drop table copied")
    assert hashlib.sha256(back).digest() == hashlib.sha256(direct).digest()


def test_ctrl_c_of_psql_ends_its_query(server, door, isari):
    for _ in range(5):
        argv = [f"{PG_BIN}/psql", "-X", "-h", door, "-p", str(PORT), "-U", USER, "-d", "postgres", "-c",
                "select pg_sleep(60)"]
        with subprocess.Popen(argv, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            sleeping = "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"
            wait_for(lambda: server.sql(sleeping), 10, "the query to run", 0.02)
            p.send_signal(signal.SIGINT)
            _, err = p.communicate(timeout=30)
        assert b"canceling statement due to user request" in err
        wait_for(lambda: not server.sql(sleeping), 10, "its end", 0.02)


def test_a_client_that_closes_at_once_after_its_query_has_asked_it(server, door, isari):
    server.sql("create table asked (i int)")
    for i in range(20):
        c = connect(door)
        c.pgconn.send_query(f"insert into asked values ({i})".encode())
        c.pgconn.finish()
    wait_for(lambda: server.sql("select count(*) from asked") == 20, 10, "all of them to be done")
    server.sql("drop table asked")


@pytest.mark.parametrize("through", ["isari", "nothing"])
def test_a_backend_that_is_ended_says_so_as_without_a_proxy(server, door, isari, through):
    with connect(door if through == "isari" else server.dir) as c:
        pid = c.execute("select pg_backend_pid()").fetchone()[0]
        server.sql(f"select pg_terminate_backend({pid})")
        assert "terminating connection due to administrator command" in why_not(c)


# ---- verdicts ----------------------------------------------------------------------------------

def test_whoever_is_cut_hears_why(server, door, isari):
    with connect(door) as c:
        c.execute("select 1")
        server.node.be("replica")
        isari.wait_log("event=session_end listener=write")
        assert 'terminating connection to n1 of cluster "main"' in why_not(c)
    wait_for(lambda: server.sql("select count(*) from pg_stat_activity where client_port = -1") == 0, 10,
             "the end of its backend")


def test_clients_wait_for_a_postgresql_that_is_started_again(server, door, isari):
    server.stop_postgres()
    assert not os.path.exists(f"{server.dir}/.s.PGSQL.{PORT}")
    argv = [f"{PG_BIN}/psql", "-X", "-At", "-h", door, "-p", str(PORT), "-U", USER, "-d", "postgres", "-c", "select 42"]
    with subprocess.Popen(argv, env=QUIET, stdout=subprocess.PIPE) as p:
        wait_for(lambda: "waiting" in isari.ask("show clusters"), 10, "the client to wait", 0.02)
        server.start()
        assert p.communicate(timeout=30)[0] == b"42\n"


ASKED = {"answer": "connection received: host=[local]", "sql": "connection authorized: user=monitor database=postgres"}


@pytest.mark.parametrize("witness", ASKED)
def test_while_patroni_is_silent_the_socket_is_asked(server, door, witness):
    """Nobody listens at its host and port: a witness that went there would have it refuse."""
    probe = {"timeout": "1s"} | ({"sql": {"user": "monitor"}} if witness == "sql" else {})
    with Isari(config(server, door, **probe)) as i:
        i.wait_up("write", [server.node])
        with connect(door) as c:
            server.node.rest.mode = "hang"
            try:
                seen = server.n_said(ASKED[witness])
                wait_for(lambda: server.n_said(ASKED[witness]) >= seen + 3, 10, "three questions")
                c.execute("select 1")
                os.kill(server.postmaster(), signal.SIGSTOP)
                try:
                    i.wait_log("event=session_end listener=write .*reason=server_unreachable", 15)
                finally:
                    os.kill(server.postmaster(), signal.SIGCONT)
            finally:
                server.node.rest.mode = "ok"
            assert "terminating connection to n1" in why_not(c)


def test_a_socket_of_a_member_that_is_elsewhere_is_doubted(server, door):
    c = config(server, door)
    c["clusters"]["main"]["members"][0]["rest"] = "http://192.0.2.1:8008"
    with Isari(c) as i:
        i.wait_log("event=socket_of_another .*member=n1 .*rest=192.0.2.1")


# ---- the door ----------------------------------------------------------------------------------

def test_a_dead_isaris_socket_is_replaced_and_a_living_ones_is_not(server, door):
    path = f"{door}/.s.PGSQL.{PORT}"
    with Isari(config(server, door)) as first:
        first.wait_up("write", [server.node])
        second = Isari(config(server, door)).start()
        assert second.p.wait(20) == 1
        assert "already in use" in second.text()
        second.stop()
        assert psql(door, "-Atc", "select 1") == b"1\n"
        first.p.kill()
        first.p.wait()
        assert os.path.exists(path)
    with Isari(config(server, door)) as again:
        again.wait_up("write", [server.node])
        assert psql(door, "-Atc", "select 1") == b"1\n"
        assert again.stop(signal.SIGTERM) == 0
    assert not os.path.exists(path)


def test_peer_authentication_sees_isaris_user(server, door, isari):
    """What the README warns of: to PostgreSQL everybody is isari's user there."""
    hba = os.path.join(server.data, "pg_hba.conf")
    with open(hba, encoding="ascii") as f:
        before = f.read()
    try:
        with open(hba, "w", encoding="ascii") as f:
            f.write("local all all peer\nhost all all 0.0.0.0/0 trust\n")
        server.sql("select pg_reload_conf()")

        def refused():
            try:
                connect(door).close()
            except psycopg.OperationalError as e:
                return "Peer authentication failed" in str(e)
        wait_for(refused, 10, "the rule to be in force")
    finally:
        with open(hba, "w", encoding="ascii") as f:
            f.write(before)
        server.sql("select pg_reload_conf()")
