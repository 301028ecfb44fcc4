"""What PostgreSQL's own programs carry through isari is what they carry without it, however isari moves it: bytes that
gather, bytes moved at once, bytes inside TLS, through a UNIX socket to isari or from it. And a verdict or a Ctrl-C in
their midst."""
import base64
import contextlib
import hashlib
import os
import random
import shutil
import socket
import subprocess
import threading
from typing import NamedTuple

import psycopg
import pytest

from isari import Isari, config_for, members_entry
from lone import QUIET, Lone, run
from pgwire import (CANCEL_REQUEST, error_fields, login, query, read_all, read_message, read_until, request,
                    startup)
from procs import free_port, popen, wait_for
from streams import MB, moved

ROWS, ROW_BYTES = 100_000, 1_000  # and its number: 106 MB
BIG_VALUE = 50 * MB


class Way(NamedTuple):
    """How clients reach PostgreSQL."""

    dsn: str
    up: bool    # may isari let what the client sends gather?
    down: bool  # and must it, what the server sends?


# ---- the world -------------------------------------------------------------------------------------------


def rows():
    """Lines that no compression shortens."""
    r = random.Random(4)
    for first in range(0, ROWS, 1000):
        block = base64.b64encode(r.randbytes(1000 * ROW_BYTES * 3 // 4)).decode()
        yield "".join(f"{first + i}\t{block[i * ROW_BYTES:(i + 1) * ROW_BYTES]}\n" for i in range(1000)).encode()


def fill(pg, file):
    with open(file, "wb") as f:
        f.writelines(rows())
    value = random.Random(5).randbytes(BIG_VALUE)
    with pg.connect() as c:
        c.execute("create table bulk (n int, t text)")
        c.execute("create unlogged table taken (n int, t text)")
        c.execute("create table value (b bytea)")
        with open(file, "rb") as f, c.cursor().copy("copy bulk from stdin") as copy:
            while block := f.read(MB):
                copy.write(block)
        c.execute("insert into value values (%b)", [value])
        c.execute("select lo_from_bytea(4711, substr(b, 1, 5000000)) from value")
        c.execute("vacuum freeze")
        c.execute("checkpoint")
    return hashlib.md5(value).hexdigest()


class World:
    """PostgreSQL with its data, isari before it, and the ways to it."""

    def __init__(self, pg, directory):
        self.pg, self.dir = pg, directory
        self.file = os.path.join(directory, "rows")
        self.value = fill(pg, self.file)
        config = config_for(pg)
        config["clusters"]["near"] = {"members": [members_entry(pg.node) | {"socket": pg.dir}]}
        tcp, uncoalesced, near = ({"bind": [f"127.0.0.1:{free_port()}"], "serve": "primary"} for _ in range(3))
        tcp["bind"].append(os.path.join(directory, ".s.PGSQL.5432"))
        config["listeners"] = {"write": tcp | {"cluster": "main"}, "near": near | {"cluster": "near"},
                               "uncoalesced": uncoalesced | {"cluster": "main", "coalesce": 0}}
        self.isari = Isari(config)
        self.direct = {}  # (what, sslmode) -> what it gave without isari

    def start(self):
        self.isari.__enter__()
        for listener in self.isari.config["listeners"]:
            self.isari.wait_up(listener, [self.pg.node])
        plain = "user=postgres dbname=postgres sslmode=disable"
        self.ways = {
            "direct": Way(f"host={self.pg.address} port=5432 {plain}", False, False),
            "tcp": Way(self.isari.dsn("write", sslmode="disable"), True, True),
            "uncoalesced": Way(self.isari.dsn("uncoalesced", sslmode="disable"), False, False),
            "tls": Way(self.isari.dsn("write", sslmode="require"), True, True),
            # What comes from a UNIX socket does not gather; who is faster decides if it is spliced.
            "near": Way(self.isari.dsn("near", sslmode="disable"), True, False),
            "unix": Way(f"host={self.dir} port=5432 {plain}", False, True),
        }
        return self

    def without(self, what):
        """What a transfer gives without isari: asked once."""
        if what not in self.direct:
            self.direct[what] = what(self, self.ways["direct"])
        return self.direct[what]

    def sessions(self):
        return int(self.isari.stat()["write", "FRONTEND"]["scur"])


@pytest.fixture(scope="module")
def world():
    with Lone("127.0.66") as pg:
        directory = os.path.join(pg.dir, "world")  # 106 MB that go when it goes, however that is
        os.mkdir(directory)
        w = World(pg, directory)
        try:
            yield w.start()
        finally:
            code = w.isari.stop()
        assert code == 0


@pytest.fixture
def served(world):
    """One whose node may lose its role meanwhile."""
    yield world
    world.pg.node.be("primary")
    world.isari.wait_up("write", [world.pg.node])


# ---- what is carried -------------------------------------------------------------------------------------


def digest(argv, skip=None):
    """Of what a program writes. skip: (from, to), bytes of its head that differ in each run."""
    md5, p = hashlib.md5(), popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=QUIET)
    with p:
        if skip:
            md5.update(p.stdout.read(skip[0]))
            p.stdout.read(skip[1] - skip[0])
        n = 0
        while block := p.stdout.read(MB):
            md5.update(block)
            n += len(block)
        said = p.stderr.read().decode()
    assert p.returncode == 0, said
    return md5.hexdigest(), n


def copy_to(_, way):
    return digest(["psql", "-XqAt", way.dsn, "-c", "copy bulk to stdout"])


def copy_from(world, way):
    run(["psql", "-Xq", way.dsn, "-c", "truncate taken", "-c", f"\\copy taken from '{world.file}'"])
    return digest(["psql", "-XqAt", world.ways["direct"].dsn, "-c", "copy taken to stdout"])


NOT_DUMPED = ("-T", "taken", "-T", "value")


def dump_plain(_, way):
    """psql's random word against injected commands is fixed."""
    return digest(["pg_dump", "-d", way.dsn, *NOT_DUMPED, "--restrict-key=isari"])


def dump_custom(_, way):
    """Its head has the time: seven numbers of five bytes after magic, version, sizes and compression."""
    return digest(["pg_dump", "-d", way.dsn, *NOT_DUMPED, "-Fc", "-Z0"], (16, 51))


def results(_, way):
    """Many answers of 2 MB in one session."""
    md5 = hashlib.md5()
    with psycopg.connect(way.dsn, autocommit=True) as c:
        for first in range(0, ROWS, 5000):
            for row in c.execute(f"select n, t from bulk where ctid >= '({first // 7}, 0)' limit 2000"):
                md5.update(f"{row[0]}:{row[1]}".encode())
    return md5.hexdigest()


def one_value(world, way):
    """A single message of 50 MB, in both directions."""
    with psycopg.connect(way.dsn, autocommit=True) as c:
        value = c.execute("select b from value", binary=True).fetchone()[0]
        assert hashlib.md5(value).hexdigest() == world.value
        return c.execute("select md5(%b::bytea)", [value]).fetchone()[0]


def base_backup(world, way, wal):
    """pg_verifybackup reads all of it again, and compares it with the sums that the server itself has made."""
    copy = os.path.join(world.dir, "copy")
    try:
        run(["pg_basebackup", "-d", way.dsn, "-D", copy, "-X", wal, "-c", "fast", "-N", "--manifest-checksums=SHA256"])
        return run(["/usr/lib/postgresql/15/bin/pg_verifybackup", copy]).decode().strip()
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def base_backup_fetch(world, way):
    return base_backup(world, way, "fetch")


def base_backup_stream(world, way):
    """Its WAL comes beside it, through a session of its own."""
    return base_backup(world, way, "stream")


ONLY_DOWN = (copy_to, dump_custom, base_backup_fetch)
DOWN = (*ONLY_DOWN, one_value)
WAYS = ("tcp", "uncoalesced", "tls", "unix", "near")
TRANSFERS = (*DOWN, copy_from, results)
ALSO = [("tcp", dump_plain), ("tls", dump_plain), ("tcp", base_backup_stream)]  # to isari like another one


@pytest.mark.parametrize("way, transfer", [(w, t) for w in WAYS for t in TRANSFERS] + ALSO,
                         ids=lambda p: getattr(p, "__name__", p))
def test_what_comes_through_isari_is_what_comes_without_it(world, way, transfer):
    without, before, way = world.without(transfer), moved(world.isari), world.ways[way]
    assert transfer(world, way) == without
    grown = moved(world.isari) - before
    print(f"{grown.coalesced / MB:.1f} MB coalesced, {grown.spliced / MB:.1f} MB spliced")
    if way.down and transfer in DOWN:
        assert sum(grown) > 20 * MB, "it was no stream to isari"
    elif not way.down and (transfer in ONLY_DOWN or not way.up):
        assert grown.coalesced == 0


# ---- nothing is kept back, nothing waits -----------------------------------------------------------------


def test_a_stream_that_pauses_without_ready_for_query_has_arrived(world):
    """Notices are sent one by one; after the last the server sleeps, so nothing else pushes it out."""
    notices = 3000
    with login(world.isari.dial("write")) as s:
        before = moved(world.isari)
        s.sendall(query(f"do $$ begin for i in 1..{notices} loop raise notice '%', repeat('x', 1000); end loop; "
                        "perform pg_sleep(30); end $$"))
        s.settimeout(5)
        for _ in range(notices):
            assert read_message(s)[0] == b"N"
        print(moved(world.isari) - before)


def test_small_answers_after_a_large_one_do_not_gather(world):
    with world.isari.connect("write", sslmode="disable") as c:
        before = moved(world.isari)
        c.execute("select t from bulk limit 20000").fetchall()
        assert sum(moved(world.isari) - before) > 0
        before = moved(world.isari)
        for _ in range(200):
            c.execute("select t from bulk limit 8").fetchall()
        assert moved(world.isari) == before


# ---- in the midst of it ----------------------------------------------------------------------------------


def long_copy():
    """Of 2 GB, that nobody is to see the end of: the same hundred over and over."""
    return query("copy (" + " union all ".join(["select * from bulk"] * 20) + ") to stdout")


def begin_copy(sock):
    login(sock).sendall(long_copy())
    return sock


class TrueStream:
    """All that PostgreSQL itself would say to that, from one round of it."""

    def __init__(self, address):
        with login(socket.create_connection((address, 5432), 10)) as s:
            s.sendall(query("copy bulk to stdout"))
            data = bytearray()
            while not data.endswith(b"Z\0\0\0\5I"):
                data += s.recv(MB)
        begin = data.index(b"d")  # after CopyOutResponse, which has no such byte
        self.head, self.round = bytes(data[:begin]), bytes(data[begin:data.rindex(b"c\0\0\0\4C")])

    def begins_with(self, got):
        head, body = got[:len(self.head)], got[len(self.head):]
        rounds = (body[at:at + len(self.round)] for at in range(0, len(body), len(self.round)))
        return self.head.startswith(head) and all(self.round.startswith(r) for r in rounds)


def without_last_word(got, sentence):
    """What came before isari's own last word, if it said one."""
    at = got.rfind(b"E\0\0")
    if at < 0 or sentence.encode() not in got[at:]:
        return got
    assert error_fields(got[at + 5:])["C"] == "57P01"
    return got[:at]


def take(sock, n=1 << 40):
    """Until there are n bytes, or the end in whatever form."""
    got = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while len(got) < n and (more := sock.recv(256 * 1024)):
            got += more
    return got


def test_ctrl_c_in_the_midst_of_a_copy(world):
    """In the midst of its stream, not after it; and the session goes on."""
    with world.isari.dial("write", 10) as s:
        s.sendall(startup())
        key = dict(read_until(s, b"Z"))[b"K"]
        for _ in range(3):
            s.sendall(long_copy())
            take(s, 20 * MB)
            with world.isari.dial("write") as other:
                other.sendall(request(CANCEL_REQUEST, key))
                assert read_all(other) == b""
            tail = bytearray()
            while not tail.endswith(b"Z\0\0\0\5I"):
                tail = tail[-MB:] + s.recv(MB)
            assert b"C57014\0" in tail
            s.sendall(query("select 1"))
            assert dict(read_until(s, b"Z"))[b"D"].endswith(b"1")


def cut(world):
    world.pg.node.be("replica")
    wait_for(lambda: world.sessions() == 0, 10, "the stream's end", 0.01)


@pytest.mark.parametrize("reads_on", [True, False], ids=["a reader", "a stalled reader"])
def test_a_verdict_cuts_a_stream_at_once(served, reads_on):
    """What has come is the beginning of the true stream, and isari's own last word is all that may follow."""
    true, before = TrueStream(served.pg.address), moved(served.isari)
    with begin_copy(served.isari.dial("write", 10)) as s:
        got = take(s, 20 * MB)
        assert sum(moved(served.isari) - before) > 0
        cutter = threading.Thread(target=cut, args=(served,))
        cutter.start()
        if not reads_on:
            cutter.join()
        got += take(s)
        cutter.join()
    print(f"{len(got) / MB:.1f} MB had come")
    assert len(got) > 20 * MB
    assert true.begins_with(without_last_word(bytes(got), "server lost the role"))
    assert served.isari.logged("event=session_end listener=write .*reason=server_lost_the_role")
