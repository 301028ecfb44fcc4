"""Bytes of which each end knows what must come next: for streams through isari between two ends of ours.

    down = Tape(seed); a.say(300000); b.wait_heard(a)

Not here: what is sent when, and how isari is told to move it (test_streams_*.py).
"""
import contextlib
import os
import queue
import random
import re
import socket
import struct
import threading
import time
from typing import NamedTuple

from fake_patroni import FakeNode
from isari import Isari, members_entry
from pgwire import read_exactly, startup
from procs import Failure, free_port, wait_for

KB, MB = 1 << 10, 1 << 20


# ---- which way isari moved the bytes ---------------------------------------------------------------------


class Moved(NamedTuple):
    """Bytes that isari has moved while a stream gathered, and without a copy."""

    coalesced: int
    spliced: int

    def __sub__(self, other):
        return Moved(self.coalesced - other.coalesced, self.spliced - other.spliced)


def moved(isari):
    """Over all workers, by `show workers`: a header, and a line per worker."""
    lines = [line.split() for line in isari.ask("show workers").strip().splitlines()]
    header = next((line for line in lines if "coalesced" in line), [])
    rows = [line for line in lines[lines.index(header) + 1:] if len(line) == len(header)] if header else []
    return Moved(*(sum(int(row[header.index(name)]) for row in rows if name in header) for name in Moved._fields))


# ---- what isari's threads cost ---------------------------------------------------------------------------


class Effort(NamedTuple):
    """Of the busiest worker: time on a CPU, and how often it went to sleep."""

    cpu_ms: float
    sleeps: int


def effort(isari, seconds):
    """While the given time passes. The first thread asks Patroni and answers operators: it is no worker."""
    def look(tid):
        with open(f"/proc/{isari.p.pid}/task/{tid}/schedstat", encoding="ascii") as f:
            ns = int(f.read().split()[0])
        with open(f"/proc/{isari.p.pid}/task/{tid}/status", encoding="ascii") as f:
            return ns / 1e6, int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M).group(1))
    workers = [t for t in os.listdir(f"/proc/{isari.p.pid}/task") if int(t) != isari.p.pid]
    before = {t: look(t) for t in workers}
    time.sleep(seconds)
    spent = [tuple(b - a for a, b in zip(before[t], look(t))) for t in workers]
    return Effort(max(s[0] for s in spent), max(s[1] for s in spent))


def descriptors(isari):
    """How many it has of each kind: {"socket": 12, "pipe": 2, ...}"""
    found = {}
    for fd in os.listdir(f"/proc/{isari.p.pid}/fd"):
        with contextlib.suppress(OSError):
            kind = os.readlink(f"/proc/{isari.p.pid}/fd/{fd}").split(":")[0]
            found[kind] = found.get(kind, 0) + 1
    return found


# ---- two ends --------------------------------------------------------------------------------------------


class Tape:
    """Random bytes without an end; they come again after a prime number of them, which no buffer is a multiple of."""

    PERIOD = 8388617

    def __init__(self, seed):
        period = random.Random(seed).randbytes(self.PERIOD)
        self.bytes = period + period[:2 * MB]

    def at(self, offset, n):
        begin = offset % self.PERIOD
        return self.bytes[begin:begin + n]


def chunks(rng, law):
    """Sizes of successive sends."""
    while True:
        if law == "page":
            yield 8 * KB
        elif law == "tiny":
            yield rng.randint(1, 200)
        elif law == "big":
            yield rng.randint(128 * KB, MB)
        else:
            yield int(2 ** rng.uniform(0, 20))


LAWS = ("page", "tiny", "big", "any")


class End:
    """One end of a session: says its tape, and a thread of its own hears the other's and compares every byte."""

    def __init__(self, sock, says, hears, rng):
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) if sock.family == socket.AF_INET else None
        self.sock, self.says, self.hears, self.rng = sock, says, hears, rng
        self.said = self.heard = 0
        self.eof, self.fault = False, None
        self.interrupts = []  # offsets of what it hears at which it says a byte
        self.n_interrupts = 0
        self.lazy = 0.0       # the longest pause before a read
        self.hold = threading.Event()
        self.hold.set()       # cleared: reads nothing
        self.saying = threading.Lock()
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    # ---- saying

    def say(self, n):
        with self.saying:
            self._say(n)

    def _say(self, n):
        self.sock.sendall(self.says.at(self.said, n))
        self.said += n

    def stream(self, n, law="any", pauses=0.0):
        """n bytes in chunks; after each with that chance a pause of up to 3 ms."""
        sizes, until = chunks(self.rng, law), self.said + n
        with self.saying:
            while self.said < until:
                self._say(min(next(sizes), until - self.said))
                if self.rng.random() < pauses:
                    time.sleep(self.rng.uniform(0, 0.003))

    def finish(self):
        with self.saying:
            self.sock.shutdown(socket.SHUT_WR)

    # ---- hearing

    def _listen(self):
        try:
            while self._hear():
                pass
        except OSError as e:
            self.fault = f"{e} after {self.heard} bytes"
        with self.news:
            self.news.notify_all()

    def _hear(self):
        self.hold.wait()
        if self.lazy and self.rng.random() < 0.3:
            time.sleep(self.rng.uniform(0, self.lazy))
        data = self.sock.recv(self.rng.choice((KB, 64 * KB, MB)))
        expected = self.hears.at(self.heard, len(data))
        if data != expected:
            wrong = next(k for k, (a, b) in enumerate(zip(data, expected)) if a != b)
            self.fault = f"byte {self.heard + wrong} is not what was sent"
            return False
        with self.news:
            self.heard += len(data)
            self.eof = not data
            self._interrupt()  # who sees that this was heard sees that it was answered
            self.news.notify_all()
        return not self.eof

    def _interrupt(self):
        """Not while it speaks anyhow: both ends could wait for each other."""
        while self.interrupts and self.heard >= self.interrupts[0]:
            self.interrupts.pop(0)
            if self.saying.acquire(blocking=False):
                try:
                    self._say(1)
                    self.n_interrupts += 1
                finally:
                    self.saying.release()

    def interrupt_within(self, n, times):
        """Say a byte at random places of the next n that are heard."""
        self.interrupts = sorted(self.heard + self.rng.randint(1, n) for _ in range(times))

    def wait_heard(self, other, timeout=20):
        """All that the other has said."""
        self._wait(lambda: self.heard >= other.said, timeout, lambda: f"{other.said} bytes, {self.heard} have come")

    def wait_eof(self, timeout=20):
        self._wait(lambda: self.eof, timeout, lambda: f"the end; {self.heard} bytes have come")

    def _wait(self, condition, timeout, what):
        with self.news:
            self.news.wait_for(lambda: self.fault or condition(), timeout)
        if self.fault or not condition():
            raise Failure(self.fault or f"waited {timeout} s in vain for {what()}")

    def close(self):
        self.hold.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


class Pair:
    """A session: its client and its server."""

    def __init__(self, client, server, seed):
        rng = random.Random(seed)
        up, down = Tape(rng.random()), Tape(rng.random())
        self.client = End(client, up, down, random.Random(rng.random()))
        self.server = End(server, down, up, random.Random(rng.random()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.close()

    def settle(self):
        """Nothing is under way."""
        self.client.wait_heard(self.server)
        self.server.wait_heard(self.client)

    def ends(self, downwards):
        """(who speaks, who hears)"""
        return (self.server, self.client) if downwards else (self.client, self.server)


# ---- isari between them ----------------------------------------------------------------------------------


class Between:
    """A false node whose sessions are given to the test, and isari with listeners of all kinds before it."""

    KINDS = {
        "postgresql": {}, "tcp": {"protocol": "tcp"}, "uncoalesced": {"protocol": "tcp", "coalesce": 0},
        "unix": {"protocol": "tcp"},
    }

    THREADS = 2

    def __init__(self, block, directory, number=1):
        self.node = FakeNode(f"{block}.{number}", "n1").be("primary")
        self.path = os.path.join(directory, "socket")
        self.servers = queue.Queue()
        self.node.pg.raw = self.servers.put
        listeners = {kind: {"serve": "primary", "bind": self._bind(kind)} | more for kind, more in self.KINDS.items()}
        self.isari = Isari({"clusters": {"main": {"members": [members_entry(self.node)]}}, "listeners": listeners,
                            "threads": self.THREADS})
        self.opening = threading.Lock()

    def _bind(self, kind):
        return self.path if kind == "unix" else f"127.0.0.1:{free_port()}"

    def __enter__(self):
        self.node.start()
        try:
            self.isari.__enter__()
            self.isari.wait_up("tcp", [self.node])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        code = self.isari.stop()
        self.node.stop()
        assert code == 0, "isari did not end well"

    def pair(self, kind="tcp", seed=0, buffer=None):
        """A new session, in which nothing has been said that a test should know of. buffer: what its client's kernel
        takes."""
        with self.opening:  # or two would get each other's server
            client = self._dial(kind, buffer)
            server = self._accepted(kind, client)
        return Pair(client, server, seed)

    def _dial(self, kind, buffer):
        s = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
        if buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        if buffer and kind != "unix":  # a window below loopback's segment of 64 kB would move one per 200 ms
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
        s.settimeout(10)
        s.connect(self.path if kind == "unix" else self.isari.address(kind))
        return s

    def _accepted(self, kind, client):
        if kind != "postgresql":
            return self.servers.get(timeout=10)
        client.sendall(startup())
        server = self.servers.get(timeout=10)
        read_exactly(server, len(startup()))
        server.sendall(b"R")
        read_exactly(client, 1)
        return server

    def sessions(self):
        return sum(int(r["scur"]) for (_, sv), r in self.isari.stat().items() if sv == "FRONTEND")

    def wait_over(self):
        wait_for(lambda: self.sessions() == 0, 10, "the end of every session", 0.02)

    def wait_still(self):
        """Until no byte has moved between two looks."""
        seen = []

        def still():
            rows = self.isari.stat()
            seen.append([(r["bin"], r["bout"]) for r in rows.values()])
            return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]
        wait_for(still, 20, "no byte to move", 0.15)
