"""What is done to a cluster under its clients, and when it is over.

An event gets a Scene, waits for conditions only (a stall that must last 8 s excepted), and returns when
clients write again or it is clear that they never will. Frozen processes are killed, not thawed: thawed,
Patroni 3.0 with etcd v3 puts the leader key back for its old primary, and no proxy can help that.
"""
import dataclasses
import signal
import time

from procs import Failure, alive, send, wait_for

PATRONI_TIME = 90  # until another primary: ttl, loop_wait, promotion, and a slow machine
SETTLING = 10  # for clients that are not led anywhere any more (a proxy that is judged guilty)
STALL = 8
UNREACHABLE = 15  # longer than the lease of any write session


@dataclasses.dataclass
class Scene:
    cluster: object
    front: object
    crowd: object
    history: object

    def __post_init__(self):
        self.old = self.cluster.leader()
        self.rest = [n for n in self.cluster.nodes if n is not self.old]

    def now(self):
        """The moment of the event: called right before it."""
        self.history.event = time.monotonic()

    def candidate(self):
        ready = [n for n in self.rest if not self.cluster.strict or n.rest("/sync")[0] == 200]
        if not ready:
            raise Failure("no replica could take over")
        return ready[0]

    # ---- what is waited for -----------------------------------------------------------------------

    def moved(self):
        """Fresh clients write on another node, and the others had time to follow."""
        since, old = self.history.event, self.old.address
        wait_for(lambda: self.crowd.wrote(self.crowd.fresh, since, 1, old), PATRONI_TIME,
                 "fresh connections to write on another node")
        self._settled(time.monotonic(), old)

    def resumed(self, since):
        """Everybody writes again, wherever."""
        wait_for(lambda: self.crowd.wrote(self.crowd.fresh, since), PATRONI_TIME, "fresh connections to write again")
        self._settled(since)

    def _settled(self, since, other_than=None):
        try:
            wait_for(lambda: self.crowd.wrote(self.crowd.writers, since, 5, other_than), SETTLING, "everybody")
        except Failure:
            pass  # what they did instead is in the history

    def stall(self, seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(left)


# ---- the primary moves ------------------------------------------------------------------------------


def switchover(s):
    candidate = s.candidate()
    s.now()
    s.cluster.switchover(candidate, s.old)
    s.moved()


def shutdown(s):
    """systemctl stop patroni: it stops its PostgreSQL and gives the lock back."""
    s.now()
    send([s.old.patroni], signal.SIGTERM)
    wait_for(lambda: not alive(s.old.patroni), PATRONI_TIME, f"Patroni of {s.old} to end")
    s.moved()


def kill_node(s):
    s.now()
    s.cluster.kill_node(s.old)
    s.moved()


def stop_node(s):
    """Everything of the node is frozen, its connections stay open."""
    s.now()
    s.cluster.stop_node(s.old)
    s.moved()
    s.cluster.kill_node(s.old)


def cut_node(s):
    """The cable is pulled."""
    s.now()
    s.cluster.cut(s.old.name)
    s.moved()


def cut_dcs(s):
    """The primary loses etcd and its peers; clients reach it as before."""
    s.now()
    s.cluster.cut(s.old.name, "etcd", *(n.name for n in s.rest))
    s.moved()


def kill_patroni(s):
    """PostgreSQL lives on as a primary that nobody looks after."""
    s.now()
    s.cluster.kill_patroni(s.old)
    s.moved()
    s.cluster.kill_node(s.old)


def freeze_patroni(s):
    s.now()
    s.cluster.stop_node(s.old, postgres=False)
    s.moved()
    s.cluster.kill_node(s.old)


def reload_freeze(s):
    """Sessions that are older than a reload are judged as well as younger ones."""
    s.front.reload()
    reloaded = time.monotonic()
    wait_for(lambda: s.crowd.wrote(s.crowd.fresh, reloaded, 10), 20, "writes after the reload")
    freeze_patroni(s)


# ---- it stays -----------------------------------------------------------------------------------------


def kill_postgres(s):
    """Patroni starts it again, or lets another one take over."""
    s.now()
    send(s.old.postgres_pids(), signal.SIGKILL)
    s.resumed(time.monotonic())


def rest_hang(s):
    """Patroni answers nobody for 8 s; its lock and its PostgreSQL are fine."""
    s.now()
    s.cluster.stop_node(s.old, postgres=False)
    s.stall(STALL)
    s.cluster.cont_node(s.old, postgres=False)
    s.resumed(time.monotonic())


def stop_postgres(s):
    """PostgreSQL alone is frozen for 8 s."""
    s.now()
    s.cluster.stop_node(s.old, patroni=False)
    s.stall(STALL)
    s.cluster.cont_node(s.old, patroni=False)
    s.resumed(time.monotonic())


def cut_app(s):
    """Only the way from proxy and clients to the primary is cut: nobody else may be written to."""
    s.now()
    s.cluster.cut(s.old.name, "app")
    s.stall(UNREACHABLE)
    s.cluster.mend()
    s.resumed(time.monotonic())


def reload(s):
    s.now()
    for _ in range(5):
        s.front.reload()
        done = time.monotonic()
        wait_for(lambda since=done: s.crowd.wrote(s.crowd.fresh, since), 10, "writes after a reload")
    s.resumed(time.monotonic())


def restart_proxy(s):
    """SIGKILL of the proxy, and a new one: it must not guess."""
    s.now()
    s.front.restart()
    s.resumed(time.monotonic())


@dataclasses.dataclass(frozen=True)
class Event:
    do: object
    hosts: bool = False  # needs a cluster whose networks can be cut
    calm: bool = False  # no session may be cut
    noticed: float = None  # idle sessions must be cut within so many seconds
    phase: bool = False  # starts anywhere in Patroni's loop


NOTICED = 10.0  # the longest life of a session without a proof
EVENTS = {e.do.__name__.replace("_", "-"): e for e in (
    Event(switchover), Event(shutdown), Event(kill_node, noticed=NOTICED),
    Event(stop_node, noticed=NOTICED), Event(cut_node, hosts=True, noticed=NOTICED, phase=True),
    Event(kill_postgres, noticed=NOTICED), Event(kill_patroni, phase=True), Event(freeze_patroni, phase=True),
    Event(rest_hang, calm=True, phase=True), Event(cut_dcs, hosts=True, phase=True),
    Event(cut_app, hosts=True, noticed=NOTICED), Event(stop_postgres), Event(reload, calm=True),
    Event(reload_freeze, phase=True), Event(restart_proxy))}
