"""Clients that work or wait while something happens, and remember what they felt.

All of them are used with `with`; times are monotonic seconds.
"""
import collections
import selectors
import threading
import time

import psycopg

INSERT = "insert into load (at) values (clock_timestamp()) returning host(inet_server_addr())"
WHO = "select host(inet_server_addr()), pg_is_in_recovery()"

Ack = collections.namedtuple("Ack", "begun ended node in_recovery")


class Clients:
    """n threads that repeat self.once() until the end of the with block."""

    pause = 0.002

    def __init__(self, dsn, n=4):
        self.dsn = dsn
        self.acks, self.errors = [], []  # Ack; (when, text)
        self.halt = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(n)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.halt.set()
        for t in self.threads:
            t.join(20)

    def _run(self):
        mine = {}
        while not self.halt.wait(self.pause):
            try:
                self.once(mine)
            except psycopg.Error as e:
                self.errors.append((time.monotonic(), str(e).strip()))
                self.drop(mine)
        self.drop(mine)

    @staticmethod
    def drop(mine):
        if c := mine.pop("connection", None):
            c.close()

    def connect(self):
        return psycopg.connect(self.dsn, autocommit=True)

    def answered_by(self, node, n=20):
        """Did the last n answers come from this node?"""
        last = self.acks[-n:]
        return len(last) == n and all(a.node == node.address for a in last)

    def longest_gap(self):
        times = sorted(a.ended for a in self.acks)
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)


class Writers(Clients):
    """Each keeps its connection and writes; after an error it connects again."""

    def once(self, mine):
        c = mine.get("connection") or self.connect()
        mine["connection"] = c
        begun = time.monotonic()
        node = c.execute(INSERT).fetchone()[0]
        self.acks.append(Ack(begun, time.monotonic(), node, False))


class Fresh(Clients):
    """A new connection each time, that asks where it is."""

    def once(self, mine):
        begun = time.monotonic()
        with self.connect() as c:
            node, in_recovery = c.execute(WHO).fetchone()
        self.acks.append(Ack(begun, time.monotonic(), node, in_recovery))


class Watch:
    """Silent sockets: when did each of them end?"""

    def __init__(self, sockets):
        self.ended = {}  # socket -> when
        self.sockets = list(sockets)
        self.selector = selectors.DefaultSelector()
        self.halt = False
        for s in self.sockets:
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.halt = True
        self.thread.join()
        for s in self.sockets:
            s.close()

    def _run(self):
        while not self.halt:
            for key, _ in self.selector.select(0.05):
                self._read(key.fileobj)

    def _read(self, s):
        try:
            if s.recv(65536):
                return  # a parting word, such as 57P01
        except BlockingIOError:
            return
        except OSError:
            pass
        self.ended[s] = time.monotonic()
        self.selector.unregister(s)

    def all_ended(self):
        return len(self.ended) == len(self.sockets)
