"""What flows through isari, on a real cluster: routing, TLS, COPY, replication, load; bytes are sacred."""
import hashlib
import os
import random
import socket
import subprocess
import threading
import time

import psycopg
import pytest

from isari import Isari, config_for
from pgwire import login, query, read_all, read_until, startup
from procs import popen, wait_for

GB_LINES, LINES_PER_BLOCK = 1024 * 1024, 1024


def test_reads_alternate_over_both_replicas(cluster, proxy):
    replicas = {n.address for n in cluster.replicas()}
    seen = [proxy.where("read") for _ in range(10)]
    assert all(in_recovery for _, in_recovery in seen)
    assert {address for address, _ in seen} == replicas
    assert all(a != b for (a, _), (b, _) in zip(seen, seen[1:])), f"not in turn: {seen}"


def test_writes_reach_the_primary(cluster, proxy):
    assert {proxy.where("write") for _ in range(5)} == {(cluster.leader().address, False)}
    with proxy.connect("write") as c:
        row = c.execute("insert into load (at) values (now()) returning id").fetchone()
    assert cluster.leader().sql("select count(*) from load where id = %s", row[0]) == 1


def cancel_when_running(cluster, connection):
    """Ctrl-C, once the node says that the query runs."""
    pid, address = connection.info.backend_pid, connection.execute("select host(inet_server_addr())").fetchone()[0]
    running = "select count(*) from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"

    def run():
        wait_for(lambda: cluster.node(address).sql(running, pid), 10, f"the query of {pid} to run", 0.01)
        connection.cancel()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("listener", ["write", "read"])
def test_every_ctrl_c_reaches_the_node_that_runs_the_query(cluster, proxy, listener):
    for _ in range(12):
        with proxy.connect(listener) as c:
            thread = cancel_when_running(cluster, c)
            with pytest.raises(psycopg.errors.QueryCanceled):
                c.execute("select pg_sleep(20)")
            thread.join()


def test_unix_socket_listener(cluster, tmp_path):
    os.chmod(tmp_path, 0o755)
    config = config_for(cluster)
    config["listeners"]["write"]["bind"] = [config["listeners"]["write"]["bind"],
                                            str(tmp_path / ".s.PGSQL.5432")]
    with Isari(config) as i:
        i.wait_up("write", [cluster.leader()])
        out = subprocess.run(["psql", "-h", str(tmp_path), "-p", "5432", "-U", "postgres", "-Atc",
                              "select host(inet_server_addr())"], capture_output=True, text=True, check=True)
        assert out.stdout.strip() == cluster.leader().address
        assert i.where("write")[0] == cluster.leader().address
    assert not os.path.exists(tmp_path / ".s.PGSQL.5432")


@pytest.mark.parametrize("mode", ["require", "verify-ca"])
def test_tls_end_to_end(cluster, proxy, mode):
    root = os.path.join(cluster.dir, "server.crt")
    with proxy.connect("write", sslmode=mode, sslrootcert=root) as c:
        assert c.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (True,)


def test_cancel_reaches_the_node_that_runs_the_query(cluster, proxy):
    with proxy.connect("write") as c:
        threading.Timer(0.3, c.cancel).start()
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            c.execute("select pg_sleep(10)")
        assert time.monotonic() - began < 5


def gigabyte():
    """Lines for COPY, each its own number and a kilobyte that no block repeats in place."""
    r = random.Random(15)
    payloads = [r.randbytes(506).hex() for _ in range(LINES_PER_BLOCK)]
    for first in range(0, GB_LINES, LINES_PER_BLOCK):
        yield "".join(f"{first + i}\t{p}\n" for i, p in enumerate(payloads)).encode()


def copy_in(argv):
    """psql that takes the gigabyte; its digest and length."""
    digest, size = hashlib.sha256(), 0
    p = popen(argv, stdin=subprocess.PIPE)
    for block in gigabyte():
        p.stdin.write(block)
        digest.update(block)
        size += len(block)
    p.stdin.close()
    assert p.wait(60) == 0
    return digest.hexdigest(), size


def copy_out(argv):
    digest, size = hashlib.sha256(), 0
    p = popen(argv, stdout=subprocess.PIPE)
    while block := p.stdout.read(1 << 20):
        digest.update(block)
        size += len(block)
    assert p.wait(60) == 0
    return digest.hexdigest(), size


def test_1_gb_copy_in_and_out_is_unchanged(cluster, proxy):
    psql = ["psql", "-X", "-q", proxy.dsn("write", sslmode="disable"), "-c"]
    leader = cluster.leader()
    leader.sql("create unlogged table big (id int, payload text)")
    try:
        began = time.monotonic()
        sent = copy_in(psql + ["copy big from stdin"])
        loaded = time.monotonic()
        got = copy_out(psql + ["copy big to stdout"])
        print(f"\nCOPY of {sent[1] / 1e9:.2f} GB: in {loaded - began:.1f} s, out {time.monotonic() - loaded:.1f} s")
        assert sent[1] > 1e9
        assert got == sent
    finally:
        leader.sql("drop table big")


def pgbench(proxy, listener, *options):
    return popen(["pgbench", "-n", "-c", "4", "-T", "30", *options, proxy.dsn(listener)],
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_pgbench_30_s_on_both_ports_without_an_error(cluster, proxy):
    subprocess.run(["pgbench", "-i", "-q", "-s", "2", proxy.dsn("write")], check=True, capture_output=True)
    wal = cluster.leader().sql("select pg_current_wal_lsn()::text")
    for n in cluster.replicas():
        wait_for(lambda n=n: n.sql("select pg_last_wal_replay_lsn() >= %s::pg_lsn", wal), 30, f"{n} to catch up")
    runs = [pgbench(proxy, "write"), pgbench(proxy, "read", "-S")]
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        assert "number of failed transactions: 0" in out and "error" not in err.lower(), out + err
        print("\n" + "\n".join(line for line in out.splitlines() if line.startswith(("tps", "latency average"))))


def test_pg_recvlogical_through_the_write_port(cluster, proxy, tmp_path):
    out = tmp_path / "changes"
    base = ["pg_recvlogical", "-d", proxy.dsn("write"), "--slot", "through_isari"]
    subprocess.run(base + ["--create-slot", "-P", "test_decoding"], check=True, capture_output=True)
    p = popen(base + ["--start", "-f", str(out), "--fsync-interval", "0"])
    try:
        with proxy.connect("write") as c:
            n = c.execute("insert into load (at) values (now()) returning id").fetchone()[0]
        wait_for(lambda: out.exists() and f"id[bigint]:{n} " in out.read_text(), 15, "the change in the stream")
    finally:
        p.terminate()
        p.wait(10)
        subprocess.run(base + ["--drop-slot"], check=True, capture_output=True)


def test_pg_receivewal_through_the_write_port(cluster, proxy, tmp_path):
    p = popen(["pg_receivewal", "-d", proxy.dsn("write"), "-D", str(tmp_path), "--no-sync"])

    def whole_segment():
        cluster.leader().sql("insert into load (at) values (now())")
        cluster.leader().sql("select pg_switch_wal()")
        return [f for f in os.listdir(tmp_path) if len(f) == 24]
    try:
        wait_for(whole_segment, 20, "a whole WAL segment", 0.2)
    finally:
        p.terminate()
        p.wait(10)


def half_closed_answer(sock):
    """Ask for a lot, say that nothing more comes, read to the end."""
    with sock:
        login(sock)
        sock.sendall(query("select repeat('isari', 2000000)"))
        sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


def test_a_client_that_half_closes_gets_its_whole_answer(cluster, proxy):
    direct = half_closed_answer(socket.create_connection((cluster.leader().address, 5432), 5))
    through = half_closed_answer(proxy.dial("write"))
    assert len(through) > 10_000_000
    assert hashlib.sha256(through).digest() == hashlib.sha256(direct).digest()


def test_a_server_error_arrives_as_it_was_said(cluster, proxy):
    def last_word(sock):
        with sock:
            sock.sendall(startup(user="nobody_knows_me"))
            return read_all(sock)
    direct = last_word(socket.create_connection((cluster.leader().address, 5432), 5))
    assert b"28000" in direct
    assert last_word(proxy.dial("write")) == direct


def test_a_startup_that_comes_one_byte_at_a_time(cluster, proxy):
    with proxy.dial("write") as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in startup():
            s.sendall(bytes([byte]))
        read_until(s, b"Z")
