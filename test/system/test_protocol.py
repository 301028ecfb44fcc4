"""Bytes that no driver sends: each is answered or dropped, and costs nobody else anything. False members."""
import os
import random
import socket
import struct
import threading

import pytest

from fake_patroni import FakeCluster
from isari import Isari, closed_at, config_for
from pgwire import (CANCEL_REQUEST, GSSENC_REQUEST, SSL_REQUEST, login, query, read_all, read_error,
                    read_exactly, read_until, request, startup)


@pytest.fixture(scope="module")
def fake_proxy():
    with FakeCluster("127.0.30") as fakes:
        config = config_for(fakes)
        config["listeners"]["write"]["timeouts"] = {"startup": "2s"}
        with Isari(config) as i:
            i.fakes = fakes
            yield i.wait_up("write", ["n1"]).wait_up("read", ["n2"])


@pytest.fixture(autouse=True)
def others_are_unharmed(fake_proxy):
    """Around every test: one session that was there before still works, and a new one is welcome."""
    with login(fake_proxy.dial("write")) as before:
        yield
        assert fake_proxy.p.poll() is None
        ask(before)
        with login(fake_proxy.dial("write")) as after:
            ask(after)


def ask(sock):
    sock.sendall(query("select 1"))
    assert b"n1" in dict(read_until(sock, b"Z"))[b"D"]


BAD_LENGTHS = {"0": 0, "4": 4, "7": 7, "2^31": 1 << 31, "2^31-1": (1 << 31) - 1, "2^32-1": 0xFFFFFFFF, "10005": 10005}


@pytest.mark.parametrize("length", BAD_LENGTHS.values(), ids=BAD_LENGTHS.keys())
def test_startup_packet_of_a_wrong_length(fake_proxy, length):
    with fake_proxy.dial("write") as s:
        s.sendall(struct.pack("!II", length, 196608) + b"user\0postgres\0\0")
        assert read_error(s)["C"] == "08P01"
        assert closed_at(s, 5)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes(fake_proxy, seed):
    with fake_proxy.dial("write") as s:
        s.sendall(random.Random(seed).randbytes(2000))
        assert closed_at(s, 5), "a client of random bytes was left hanging"


def test_http_to_the_port_is_refused(fake_proxy):
    with fake_proxy.dial("write") as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert closed_at(s, 5)


def test_a_client_that_says_nothing_is_closed_after_the_startup_timeout(fake_proxy):
    before = len(fake_proxy.fakes.nodes[0].pg.sessions)
    with fake_proxy.dial("write") as s:
        assert closed_at(s, 6)
        assert len(fake_proxy.fakes.nodes[0].pg.sessions) == before


def test_a_client_that_hangs_up_at_once(fake_proxy):
    for linger in (b"\0" * 8, struct.pack("ii", 1, 0)):
        for _ in range(50):
            with fake_proxy.dial("write") as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                s.sendall(startup()[:5])


@pytest.mark.parametrize("code", [SSL_REQUEST, GSSENC_REQUEST])
def test_encryption_is_for_the_server_to_answer(fake_proxy, code):
    with fake_proxy.dial("write") as s:
        s.sendall(request(code))
        assert read_exactly(s, 1) == b"N"
        login(s)
        ask(s)


def test_startup_and_query_in_one_segment(fake_proxy):
    with fake_proxy.dial("write") as s:
        s.sendall(startup() + query("select 1"))
        read_until(s, b"Z")
        assert b"n1" in dict(read_until(s, b"Z"))[b"D"]


def test_a_cancel_of_nothing_is_closed(fake_proxy):
    with fake_proxy.dial("write") as s:
        s.sendall(request(CANCEL_REQUEST, struct.pack("!II", 4711, 4712)))
        assert closed_at(s, 5)


# ---- half-close and reset, against a server that does exactly what the test says --------------------

@pytest.fixture
def server(fake_proxy):
    """server(f): the next sessions are handled by f(socket) on the primary's side."""
    pg = fake_proxy.fakes.nodes[0].pg
    yield lambda f: setattr(pg, "raw", f)
    pg.raw = None


def test_a_clients_half_close_is_passed_on_and_the_late_answer_arrives(fake_proxy, server):
    answer = os.urandom(5_000_000)

    def after_the_end(s):
        with s:
            heard = read_all(s)
            s.sendall(struct.pack("!I", len(heard)) + answer)
    server(after_the_end)
    with fake_proxy.dial("write", 10) as s:
        s.sendall(startup() + b"x" * 100_000)
        s.shutdown(socket.SHUT_WR)
        heard = read_all(s)
    assert struct.unpack("!I", heard[:4])[0] == len(startup()) + 100_000
    assert heard[4:] == answer


def test_a_servers_half_close_is_passed_on_and_the_client_may_still_speak(fake_proxy, server):
    said = []
    done = threading.Event()

    def ends_first(s):
        with s:
            read_exactly(s, len(startup()))
            s.sendall(b"bye")
            s.shutdown(socket.SHUT_WR)
            said.append(read_all(s))
            done.set()
    server(ends_first)
    with fake_proxy.dial("write") as s:
        s.sendall(startup())
        assert read_all(s) == b"bye"
        s.sendall(b"the rest")
    assert done.wait(5)
    assert said == [b"the rest"]


def test_a_servers_reset_is_a_reset_for_the_client(fake_proxy, server):
    def resets(s):
        read_exactly(s, len(startup()))
        s.sendall(b"x")
        read_exactly(s, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    server(resets)
    with fake_proxy.dial("write") as s:
        s.sendall(startup())
        assert read_exactly(s, 1) == b"x"
        s.sendall(b"y")
        with pytest.raises(ConnectionResetError):
            read_all(s)


def test_a_clients_reset_is_a_reset_for_the_server(fake_proxy, server):
    ends = []
    done = threading.Event()

    def listens(s):
        with s:
            try:
                s.sendall(b"x")
                read_all(s)
                ends.append("end")
            except ConnectionResetError:
                ends.append("reset")
        done.set()
    server(listens)
    with fake_proxy.dial("write") as s:
        s.sendall(startup())
        assert read_exactly(s, 1) == b"x"
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert done.wait(5)
    assert ends == ["reset"]
