"""The stats sockets' doors: who may come to which, and clients that mean no good. None of them may disturb a session,
the members' questions, or another operator for long."""
import grp
import os
import pwd
import socket
import stat
import tempfile
import threading
import time

import pytest

from beside import talk
from fake_patroni import FakeCluster
from isari import Isari, config_for
from pgwire import login, query, read_until
from procs import free_port, wait_for

BLOCK = "127.0.62"
GET, WEIGHT = b"get weight write/n1", "100 (initial 100)\n\n"


@pytest.fixture
def world():
    """(n1 the primary, n2, n3, isari)"""
    with FakeCluster(BLOCK, 3) as fakes, Isari(config_for(fakes) | {"maxconn": 1000}) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        yield *fakes.nodes, i


# ---- who may come -----------------------------------------------------------------------------------


def test_each_socket_has_its_mode_owner_group_and_level():
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    modes = {"user": 0o666, "operator": 0o660, "admin": 0o600}
    with FakeCluster(BLOCK, 1) as fakes, tempfile.TemporaryDirectory() as directory:
        paths = {level: os.path.join(directory, level) for level in modes}
        i = Isari(config_for(fakes) | {"stats": {"socket": [
            {"path": path, "level": level, "mode": f"0{modes[level]:o}", "user": user, "group": group}
            for level, path in paths.items()]}})
        i.socket = paths["admin"]
        with i:
            i.wait_up("write", ["n1"])
            for level, path in paths.items():
                at = os.stat(path)
                assert stat.S_IMODE(at.st_mode) == modes[level]
                assert (at.st_uid, at.st_gid) == (os.getuid(), os.getgid())
            denied = "Permission denied\n\n"
            for line, lowest in ((b"show stat\n", "user"), (b"show sess\n", "operator"), (b"clear counters\n", "operator"),
                                 (b"clear counters all\n", "admin"), (b"set weight write/n1 9\n", "admin"),
                                 (b"set weight nobody\n", "admin")):
                for n, level in enumerate(paths):
                    allowed = n >= list(paths).index(lowest)
                    assert (talk(paths[level], line) != denied) == allowed, (line, level)
            assert talk(paths["admin"], b"user;set weight write/n1 1\n") == "\n" + denied
        assert not os.listdir(directory), "isari removes its sockets"


def test_a_stats_socket_may_be_a_port():
    address = BLOCK + ".9"
    port = free_port(address)
    with FakeCluster(BLOCK, 1) as fakes, tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "stats")
        i = Isari(config_for(fakes) | {"stats": {"socket": [{"path": path, "level": "admin"},
                                                            {"path": f"{address}:{port}", "level": "user"}]}})
        i.socket = path
        with i:
            i.wait_up("write", ["n1"])
            with socket.create_connection((address, port), 5) as s:
                s.sendall(GET + b";set weight write/n1 1\r\n")
                s.shutdown(socket.SHUT_WR)
                assert b"".join(iter(lambda: s.recv(65536), b"")).decode() == WEIGHT + "Permission denied\n\n"


# ---- who means no good ------------------------------------------------------------------------------


class Pulse:
    """A session that asks all the time, and how long the answers took."""

    def __init__(self, i):
        self.s = login(i.dial("write"))
        self.halt = threading.Event()
        self.took = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        wait_for(lambda: len(self.took) >= 100 or not self.thread.is_alive(), 20, "a hundred answers")
        self.halt.set()
        self.thread.join()
        self.s.close()

    def _run(self):
        while not self.halt.wait(0.002):
            began = time.monotonic()
            self.s.sendall(query("select 1"))
            read_until(self.s, b"Z")
            self.took.append(time.monotonic() - began)

    def p99_ms(self):
        return sorted(self.took)[len(self.took) * 99 // 100] * 1000


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def dial(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)  # blocking: waits while the queue is full
    s.settimeout(5)
    return s


def push(path, data):
    """Send as much of it as is taken; what is said, up to the end, and how much was sent."""
    with dial(path) as s:
        sent = 0
        try:
            while sent < len(data):
                sent += s.send(data[sent:sent + (1 << 16)])
            s.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: s.recv(65536), b"")), sent
        except OSError:
            return b"", sent


def test_ten_megabytes_without_a_newline(world):
    i = world[-1]
    before = resident_kb(i.p.pid)
    with Pulse(i) as pulse:
        for _ in range(5):
            reply, sent = push(i.socket, b"x" * (10 << 20))
            assert reply == b"" and sent < 2 << 20, sent
        assert "Name: HAProxy" in i.ask("show info")
    assert resident_kb(i.p.pid) - before < 4096
    assert pulse.p99_ms() < 100, pulse.p99_ms()


def test_ten_megabytes_of_payload(world):
    i = world[-1]
    before = resident_kb(i.p.pid)
    with Pulse(i) as pulse:
        reply, sent = push(i.socket, b"get weight write/n1 <<\n" + b"set weight write/n1 1\n" * 500000 + b"\n")
    assert (reply.decode(), sent > 10 << 20) == (WEIGHT, True)
    assert resident_kb(i.p.pid) - before < 4096
    assert pulse.p99_ms() < 100, pulse.p99_ms()


def test_a_flood_of_commands_is_answered_in_turn(world):
    i = world[-1]
    with Pulse(i) as pulse:
        reply, _ = push(i.socket, (GET + b"\n") * 200)
        assert reply.decode() == WEIGHT * 200
    assert pulse.p99_ms() < 100, pulse.p99_ms()


def test_who_never_reads_and_who_says_nothing_is_shown_the_door(world):
    """They hold every place of the socket; sessions and the members' questions go on, and the places are free again
    after 10 s of silence."""
    i = world[-1]
    before = resident_kb(i.p.pid)
    asks = len(world[0].rest.asked)
    mute = [dial(i.socket) for _ in range(8)]
    deaf = [dial(i.socket) for _ in range(8)]
    with Pulse(i) as pulse:
        for s in deaf:
            s.setblocking(False)
            try:
                s.sendall(b"show stat;show stat;show stat;show stat\n" * 4000)
            except BlockingIOError:
                pass
        began = time.monotonic()
        assert "Name: HAProxy" in i.ask("show info", 20), "it waits for a place"
        assert time.monotonic() - began < 13
        assert resident_kb(i.p.pid) - before < 64 * 1024  # unbounded, it would be 400 MB
    assert pulse.p99_ms() < 100, pulse.p99_ms()
    assert len(world[0].rest.asked) - asks >= 8 and i.up("write") == ["n1"]
    for s in mute + deaf:
        s.close()


def test_connections_come_and_go(world):
    i = world[-1]
    with Pulse(i) as pulse:
        for n in range(300):
            s = dial(i.socket)
            if n % 3 == 0:
                s.sendall(b"show stat\n")
            if n % 3 == 1:
                s.sendall(b"show sess\nsho")
            s.close()
        wait_for(lambda: "Name: HAProxy" in i.ask("show info"), 5, "a place")
    assert pulse.p99_ms() < 100, pulse.p99_ms()
