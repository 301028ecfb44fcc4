"""Clients that come while there is no server, by twos or by the thousand, and what isari tells of them."""
import re
import resource
import selectors
import socket
import struct
import threading
import time

import psycopg

from load import INSERT, Ack, Clients
from pgwire import error_fields, startup

TERMINATE = b"X" + struct.pack("!I", 4)


def waiting(i, listener):
    """How many wait now, as `show clusters` has it."""
    found = re.search(rf"^  {listener}: (\d+) waiting", i.ask("show clusters"), re.M)
    return int(found[1]) if found else 0


def queued(i, listener):
    """The same, as HAProxy's tools read it."""
    return int(i.stat()[listener, "BACKEND"]["qcur"])


def counted(i, listener):
    """(held, released) since the start"""
    found = re.search(rf"^  {listener}: .* (\d+) held, (\d+) released$", i.ask("show clusters"), re.M)
    return (int(found[1]), int(found[2])) if found else (0, 0)


class Newcomers(Clients):
    """A new connection for every write. failed: those that were not let in; errors: writes that ended with
    the session that made them, as a verdict may do to any."""

    pause = 0.02

    def __init__(self, dsn, n=4):
        super().__init__(dsn, n)
        self.failed, self.longest = [], 0.0

    def once(self, mine):
        begun = time.monotonic()
        try:
            connection = self.connect()
        except psycopg.Error as e:
            self.failed.append((time.monotonic(), str(e).strip()))
            return
        self.longest = max(self.longest, time.monotonic() - begun)
        with connection as c:
            node = c.execute(INSERT).fetchone()[0]
        self.acks.append(Ack(begun, time.monotonic(), node, False))


class Gauges:
    """Looks all the time at who waits, and remembers the most of it."""

    def __init__(self, i, listeners):
        self.i, self.listeners = i, listeners
        self.queued = dict.fromkeys(listeners, 0)
        self.ages = set()  # of the longest waiting, in words
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.halt.set()
        self.thread.join()

    def _run(self):
        while not self.halt.wait(0.02):
            stat = self.i.stat()
            for name in self.listeners:
                self.queued[name] = max(self.queued[name], int(stat[name, "BACKEND"]["qcur"]))
            self.ages.update(re.findall(r"\d+ waiting, longest (\S+);", self.i.ask("show clusters")))


class Crowd:
    """n clients in plain text that come at once. Each logs in, leaves at once, and is one line in served
    (when) or failed (why)."""

    def __init__(self, address, n):
        allow_descriptors(n + 200)
        self.address, self.n = address, n
        self.served, self.failed = [], []
        self.bytes = {}  # socket -> what the server said
        self.selector = selectors.DefaultSelector()
        self.halt = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        for _ in range(self.n):
            self._come()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.halt = True
        self.thread.join()
        for s in list(self.bytes):
            self._leave(s)

    def all_served(self):
        return len(self.served) == self.n

    def _come(self):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(self.address)
        self.bytes[s] = b""
        self.selector.register(s, selectors.EVENT_WRITE)

    def _run(self):
        while not self.halt:
            for key, events in self.selector.select(0.05):
                try:
                    (self._greet if events & selectors.EVENT_WRITE else self._hear)(key.fileobj)
                except OSError as e:
                    self._end(key.fileobj, self.failed, str(e))

    def _greet(self, s):
        s.send(startup())
        self.selector.modify(s, selectors.EVENT_READ)

    def _hear(self, s):
        data = s.recv(65536)
        self.bytes[s] += data
        kinds = dict(messages(self.bytes[s]))
        if b"Z" in kinds:
            s.send(TERMINATE)
            self._end(s, self.served, time.monotonic())
        elif b"E" in kinds:
            self._end(s, self.failed, error_fields(kinds[b"E"])["M"])
        elif not data:
            self._end(s, self.failed, "closed without a word")

    def _end(self, s, where, what):
        where.append(what)
        self._leave(s)

    def _leave(self, s):
        self.selector.unregister(s)
        del self.bytes[s]
        s.close()


def messages(data):
    """(type, payload) of the whole messages in it."""
    at = 0
    while len(data) - at >= 5:
        size = struct.unpack_from("!I", data, at + 1)[0]
        if len(data) - at <= size:
            return
        yield data[at:at + 1], data[at + 5:at + 1 + size]
        at += 1 + size


def allow_descriptors(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


def reset(s):
    """Leave as a process does that is killed with unread data: by a reset."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
