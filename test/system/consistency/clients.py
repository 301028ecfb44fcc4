"""Clients that append or wait, and write down what they were told.

Each is a thread with one connection at a time. Client c appends s = 1, 2, 3 ... and never tries a number
again, so that every row has one known fate. Times: before the first byte is sent, after the last is read.
"""
import itertools
import threading
import time

from .history import FAIL, INFO, OK, Conn, Op, Read
from .wire import Gone, Refused, Session

TABLE = "lin_ops"
CREATE = (f"drop table if exists {TABLE}; create table {TABLE} (c int, s int, node inet, tl text, "
          f"at timestamptz default clock_timestamp()); create index on {TABLE} (c, s)")
TIMELINE = "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
APPEND = (f"insert into {TABLE} (c, s, node, tl) values ({{c}}, {{s}}, inet_server_addr(), {TIMELINE}) "
          f"returning host(node), tl, pg_current_wal_insert_lsn()")
WHO = (f"select host(inet_server_addr()), pg_is_in_recovery(), case when not pg_is_in_recovery() then {TIMELINE} "
       f"end, exists (select from {TABLE} where c = {{c}} and s = {{s}})")
PATIENCE = 60  # of one call: longer than any failover here
PAUSE, PAUSE_AFTER_ERROR = 0.01, 0.03


def timeline(text):
    return int(text, 16) if text else None


class Client:
    """port: which listener; subclasses say what is done once."""
    kind, port = None, "write"

    def __init__(self, number, address, history, ids):
        self.number, self.address, self.h, self.ids = number, address, history, ids
        self.session, self.conn = None, None
        self.seq, self.last = 0, None  # last: (seq, timeline) acknowledged
        self.acks = []  # (start, end, node) of what was acknowledged, for those who wait for it
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self._loop, daemon=True)

    def _loop(self):
        while not self.halt.wait(PAUSE):
            try:
                self.once()
            except Gone:
                self.close()
                self.halt.wait(PAUSE_AFTER_ERROR)
        self.close()

    def stop(self):
        self.halt.set()
        if session := self.session:
            session.interrupt()

    # ---- connections ---------------------------------------------------------------------------------

    def open(self):
        c = Conn(next(self.ids), self.number, self.kind, self.port, time.monotonic())
        if self.last:
            c.last, c.last_timeline = self.last
        self.h.conns[c.id] = c
        try:
            self.session = Session(self.address, PATIENCE)
            if self.halt.is_set():  # stop() may have looked for a session just before
                raise Gone("stopped")
            self.session.login()
            c.login = time.monotonic()
            self._ask_who(c)
        except (Gone, Refused) as e:
            c.error = None if self.halt.is_set() else str(e)
            raise Gone(str(e)) from e
        self.conn = c

    def _ask_who(self, c):
        rows, _ = self.session.run(WHO.format(c=self.number, s=c.last or 0))
        c.ready = time.monotonic()
        c.node, recovery, tl, sees = rows[0]
        c.in_recovery, c.timeline = recovery == "t", timeline(tl)
        c.sees_last = sees == "t" if c.last else None

    def connected(self):
        if not self.session:
            self.open()

    def close(self):
        if self.session:
            self.session.close()
        self.session = self.conn = None

    # ---- appending -----------------------------------------------------------------------------------

    def begin_op(self):
        self.seq += 1
        op = Op(self.number, self.seq, self.conn.id, time.monotonic())
        self.h.ops.append(op)
        return op

    def answered(self, op, row):
        op.node, op.timeline, op.lsn = row[0], timeline(row[1]), row[2]

    def settle(self, ops, outcome, error=None):
        now = time.monotonic()
        for op in ops:
            op.end, op.outcome, op.error = now, outcome, error
            if outcome == OK:
                self.last = op.seq, op.timeline
                self.acks.append((op.start, now, op.node))

    def append(self):
        self.attempt([self.begin_op()], self._insert)

    def _insert(self, ops):
        for op in ops:
            rows, _ = self.session.run(APPEND.format(c=self.number, s=op.seq))
            self.answered(op, rows[0])

    def attempt(self, ops, work):
        try:
            work(ops)
        except Refused as e:
            self.settle(ops, FAIL, str(e))
        except Gone as e:
            self.settle(ops, INFO, str(e))
            raise
        else:
            self.settle(ops, OK)


class SessionClient(Client):
    """Keeps its connection for as long as that lives."""
    kind = "session"

    def once(self):
        self.connected()
        self.append()


class Fresh(Client):
    """A connection for each append."""
    kind = "fresh"

    def once(self):
        self.open()
        self.append()
        self.close()


class Txn(Client):
    """Two appends in one transaction."""
    kind = "txn"

    def once(self):
        self.connected()
        self.attempt([self.begin_op(), self.begin_op()], self._transaction)

    def _transaction(self, ops):
        self.session.run("begin")
        try:
            self._insert(ops)
        except Refused:
            self.session.run("rollback")
            raise
        if self.session.run("commit")[1] != "COMMIT":
            raise Refused("the transaction was rolled back")


class Idle(Client):
    """Says nothing once it is connected, and notes when it is cut."""
    kind = "idle"

    def once(self):
        self.connected()
        if self.session.wait_end(0.2) and not self.halt.is_set():
            self.conn.cut = time.monotonic()
            self.close()


class Reader(Client):
    """Reads from the read port; after some reads over another connection."""
    kind, port = "reader", "read"
    reads_per_connection = 20

    def __init__(self, *args):
        super().__init__(*args)
        self.left = 0

    def once(self):
        if not self.left:
            self.close()
        if not self.session:
            self.open()
            self.left = self.reads_per_connection
        self.left -= 1
        start = time.monotonic()
        try:
            rows, _ = self.session.run("select host(inet_server_addr()), pg_is_in_recovery()")
        except Refused as e:
            raise Gone(str(e)) from e
        self.h.reads.append(Read(self.conn.id, start, time.monotonic(), rows[0][0], rows[0][1] == "t"))


KINDS = (SessionClient, SessionClient, Fresh, Fresh, Txn, Idle, Idle, Idle, Reader)
WRITERS = (SessionClient, Fresh, Txn)


class Crowd:
    """All clients of a run, within a with block."""

    def __init__(self, history, write, read):
        ids = itertools.count(1)
        self.clients = [kind(i + 1, read if kind.port == "read" else write, history, ids)
                        for i, kind in enumerate(KINDS)]
        self.writers = [c for c in self.clients if isinstance(c, WRITERS)]
        self.fresh = [c for c in self.clients if c.kind == "fresh"]

    def __enter__(self):
        for c in self.clients:
            c.thread.start()
        return self

    def __exit__(self, *_):
        for c in self.clients:
            c.stop()
        for c in self.clients:
            c.thread.join(PATIENCE)

    def idle_ready(self):
        return all(c.conn for c in self.clients if c.kind == "idle")

    @staticmethod
    def wrote(clients, since, n=1, other_than=None):
        """Has each of them n appends acknowledged that began after this moment (by another node)?"""
        def enough(c):
            last = c.acks[-n:]
            return len(last) == n and all(start > since and node != other_than for start, _, node in last)
        return all(map(enough, clients))
