"""Two witnesses beside the way through the proxy: every server over its own socket, and the leader key.

Neither uses the network that is being cut, and neither is ever waited for by a client.
"""
import os
import threading
import time

from procs import Failure

from .clients import TIMELINE, timeline
from .history import LockSample, NodeSample
from .wire import Gone, Refused, Session

ASK = f"select pg_is_in_recovery(), case when not pg_is_in_recovery() then {TIMELINE} end"
NODE_EVERY, LOCK_EVERY = 0.05, 0.1
NODE_TIMEOUT = 1.0  # a frozen server's


class Oracle:
    def __init__(self, every, look):
        self.every, self.look = every, look
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self._loop, daemon=True)

    def _loop(self):
        while not self.halt.wait(self.every):
            self.look()


class NodeEye:
    """Asks one server, with a connection that it keeps while that answers."""

    def __init__(self, node, history):
        self.node, self.h, self.session = node, history, None
        self.path = os.path.join(node.sockets, ".s.PGSQL.5432")

    def __call__(self):
        try:
            self.session = self.session or Session(self.path, NODE_TIMEOUT).login()
            sent = time.monotonic()
            rows, _ = self.session.run(ASK)
        except (Gone, Refused):  # "recovery is in progress" in the middle of a promotion, too
            if self.session:
                self.session.close()
            self.session = None
            return
        recovery, tl = rows[0]
        self.h.nodes.append(NodeSample(self.node.address, sent, time.monotonic(), recovery == "t",
                                       timeline(tl)))


class LockEye:
    """Reads etcd's leader key; a linearizable read, as all of etcd's are unless one says otherwise."""

    def __init__(self, cluster, history):
        self.cluster, self.h = cluster, history
        self.addresses = {n.name: n.address for n in cluster.nodes}

    def __call__(self):
        sent = time.monotonic()
        try:
            holder = self.cluster.lock_holder()
        except Failure:
            return
        self.h.lock.append(LockSample(sent, time.monotonic(), self.addresses.get(holder, holder)))


class Oracles:
    """All of them, within a with block; the first look at the lock has been had when it is entered."""

    def __init__(self, cluster, history):
        lock = LockEye(cluster, history)
        lock()
        self.all = [Oracle(LOCK_EVERY, lock)] + [Oracle(NODE_EVERY, NodeEye(n, history)) for n in cluster.nodes]

    def __enter__(self):
        for o in self.all:
            o.thread.start()
        return self

    def __exit__(self, *_):
        for o in self.all:
            o.halt.set()
        for o in self.all:
            o.thread.join(10)
