"""Thousands of sessions that end by one verdict, or at one moment: each is told why, in slices, and the others go on."""
import contextlib
import selectors
import threading
import time

import pytest

from fake_patroni import FakeCluster
from isari import Isari, config_for
from pgwire import error_fields, login, query, read_until
from procs import wait_for

CROWD = 2000
SLICE = 64  # sessions that a turn of a worker ends, at most


class Crowd:
    """Idle sessions in plain text that have had an answer, and what each of them hears at its end."""

    def __init__(self, proxy, listener, n):
        self.sockets = [self.one(proxy, listener) for _ in range(n)]
        self.heard = {s: b"" for s in self.sockets}
        self.ended, self.reset = set(), set()

    @staticmethod
    def one(proxy, listener):
        s = login(proxy.dial(listener, 20))
        s.sendall(query("select 1"))
        read_until(s, b"Z")
        return s

    def listen_until_all_ended(self, timeout):
        with selectors.DefaultSelector() as selector:
            for s in self.sockets:
                s.setblocking(False)
                selector.register(s, selectors.EVENT_READ)
            until = time.monotonic() + timeout
            while selector.get_map() and time.monotonic() < until:
                for key, _ in selector.select(0.1):
                    if not self.hear(key.fileobj):
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # as a driver does

    def hear(self, s):
        try:
            data = s.recv(65536)
        except OSError:
            self.reset.add(s)
            return False
        self.heard[s] += data
        if not data:
            self.ended.add(s)
        return bool(data)

    def close(self):
        for s in self.sockets:
            s.close()


class Survivors(threading.Thread):
    """They ask on and on, in turn, each waiting for its answer."""

    def __init__(self, proxy, listener, n=4):
        super().__init__(daemon=True)
        self.sockets = [login(proxy.dial(listener, 20)) for _ in range(n)]
        self.answers, self.errors = 0, []
        self.over = threading.Event()

    def run(self):
        try:
            while not self.over.is_set():
                for s in self.sockets:
                    s.sendall(query("select 1"))
                    read_until(s, b"Z")
                    self.answers += 1
        except (OSError, EOFError) as e:
            self.errors.append(e)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(30)
        for s in self.sockets:
            s.close()


def restless_turns(proxy):
    """Turns of the workers that were not slept before: there was work left from the one before."""
    titles, *rows = (line.split() for line in proxy.ask("show workers").strip().splitlines())
    rows = [dict(zip(titles, map(int, row))) for row in rows]
    return sum(row["turns"] - row["sleeps"] for row in rows)


@pytest.fixture
def fakes():
    with FakeCluster("127.0.65") as cluster:
        yield cluster


def one_worker(fakes, **settings):
    return Isari(config_for(fakes, **settings) | {"threads": 1})


def known(proxy, fakes):
    old, new = fakes.nodes
    proxy.wait_up("write", [old]).wait_up("read", [new])
    return old


def demote(old):
    old.be("replica")


def kill(old):
    old.pg.stop()


@contextlib.contextmanager
def crowd_of(proxy, listener, n=CROWD):
    crowd = Crowd(proxy, listener, n)
    try:
        yield crowd
    finally:
        crowd.close()


def test_a_crowd_is_cut_in_slices_and_each_of_it_is_told(fakes):
    """The idle are told 57P01 and then the end. Nobody else speaks, so every turn without sleep is a slice."""
    with one_worker(fakes) as i:
        old = known(i, fakes)
        with crowd_of(i, "write") as crowd:
            before = restless_turns(i)
            demote(old)
            crowd.listen_until_all_ended(60)
            assert len(crowd.ended) == CROWD and not crowd.reset
            for packet in set(crowd.heard.values()):
                assert packet[:1] == b"E"
                assert error_fields(packet[5:])["C"] == "57P01"
            assert restless_turns(i) - before >= CROWD // SLICE - 1, "no turn ends more than a slice"
            wait_for(lambda: len(i.logged("session_end listener=write .*server_lost_the_role")) == CROWD,
                     10, "a line for every session")
            assert i.stat()["write", "FRONTEND"]["scur"] == "0"


@pytest.mark.parametrize("how", [demote, kill], ids=["its server is demoted", "its server is killed"])
def test_the_others_go_on_while_a_crowd_ends(fakes, how):
    with one_worker(fakes) as i:
        old = known(i, fakes)
        with crowd_of(i, "write") as crowd, Survivors(i, "read") as others:
            wait_for(lambda: others.answers > 100, 20, "the others to be served")
            how(old)
            crowd.listen_until_all_ended(60)
            assert len(crowd.ended) + len(crowd.reset) == CROWD
            after = others.answers
            wait_for(lambda: others.answers > after + 100 or others.errors, 20, "the others to be served still")
            assert others.errors == []
            wait_for(lambda: i.stat()["write", "FRONTEND"]["scur"] == "0", 10, "isari to have closed them all")


def test_a_crowd_that_waits_in_vain_hears_it(fakes):
    """They came together, so their time is up together."""
    with one_worker(fakes, hold="3s") as i:
        old = known(i, fakes)
        demote(old)
        wait_for(lambda: i.up("write") == [], 10, "the write listener to have no server")
        waiting = [i.dial("write", 30) for _ in range(CROWD // 2)]
        for s in waiting:
            s.sendall(b"\0\0\0\x11\0\3\0\0user\0me\0\0")
        wait_for(lambda: int(i.stat()["write", "BACKEND"]["qcur"]) == len(waiting), 10, "all of them to wait")
        for s in waiting:
            kind, payload = read_until(s, b"E")[-1]
            assert (kind, error_fields(payload)["C"]) == (b"E", "57P03")
            s.close()


def test_a_crowd_is_listed_while_the_others_go_on(fakes):
    with one_worker(fakes) as i:
        known(i, fakes)
        with crowd_of(i, "write") as crowd, Survivors(i, "read") as others:
            wait_for(lambda: others.answers > 100, 20, "the others to be served")
            ids = [line.split(":")[0] for line in i.ask("show sess", 30).splitlines() if line.startswith("0x")]
            assert len(ids) == len(set(ids)), "nobody is listed twice"
            assert len(ids) >= len(crowd.sockets) + len(others.sockets)
            assert others.errors == []
