"""Failovers, side by side: `make bench-failover`, or failover.py --help.

One cluster, one event, all contenders at once: what differs between two rows of a table is the contender.
The ideal is the first moment at which the new primary itself, asked every 5 ms over its own UNIX socket by
a session that was there before, answers that it is not in recovery.

Not here: the stage (failover_stage.py), the contenders (failover_contenders.py), the clients
(failover_clients.py, failover_load.c), the events (failover_events.py), the figures (failover_judge.py), what is
printed (failover_report.py).
"""
import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time

import failover_cancel
import failover_contenders as contenders
import failover_report as report
from failover_clients import Clients
from failover_events import EVENTS, repair
from failover_judge import Truth, ideal_gap, judge
from failover_stage import BenchCluster, Failure, Observer, own_network, wait_for
from stage import Strangers, raise_descriptors

LEAD = 2.0     # seconds of calm before an event
FAILOVER = 60  # seconds after which a primary must have come
SETTLE = 15    # seconds that the writers of a contender have to be back after the ideal
STORM = 30     # seconds that its storm has to be over
TAIL = 1.0     # seconds watched after all are back
# libpq's storm and its retries: each attempt makes all three servers fork, here on one machine.
FEWER, SLOWER = 5, 10
WATCH = 3.0    # seconds watched after an event without failover


def options():
    p = argparse.ArgumentParser(description="isari, HAProxy, libpq and the ideal in the same failovers")
    p.add_argument("--runs", type=int, default=5, help="per event")
    p.add_argument("--events", nargs="+", default=["cancel", *EVENTS], choices=["cancel", *EVENTS])
    p.add_argument("--contenders", nargs="+", default=contenders.NAMES, choices=contenders.NAMES)
    p.add_argument("--threads", type=int, help="isari's threads (default: its own default)")
    p.add_argument("--sslmode", default="disable", choices=["disable", "require"])
    p.add_argument("--writers", type=int, default=8, help="writers that connect anew for every INSERT, each")
    p.add_argument("--pool", type=int, default=8, help="writers that keep their session, each")
    p.add_argument("--storm", type=int, default=500, help="connections at the moment of failure, each")
    p.add_argument("--held", type=int, default=0,
                   help="more connections while there is no primary, through isari only: the others hold nobody")
    p.add_argument("--pause", type=int, default=20, help="ms between a failure and the next attempt")
    p.add_argument("--think", type=int, default=400, help="ms between the writes of a writer that connects anew")
    p.add_argument("--pool-think", type=int, default=50, help="ms between the writes of one that keeps its session")
    p.add_argument("--bin", default="build", help="where failover_load and failover_observe are")
    p.add_argument("--out", default="build/bench-failover", help="directory of the JSON and the charts")
    p.add_argument("--keep", action="store_true", help="keep every deed of every client there as well")
    return p.parse_args()


class Bench:
    """All that lives from the first event to the last."""

    def __init__(self, args):
        self.args = args
        self.life = contextlib.ExitStack()
        self.programs = {n: os.path.abspath(os.path.join(args.bin, "failover_" + n)) for n in ("load", "observe")}

    def __enter__(self):
        with contextlib.ExitStack() as life:
            room = 300 + self.args.storm * len(self.args.contenders) + self.args.held
            self.cluster = life.enter_context(BenchCluster(room))
            self.dir = tempfile.tempdir = self.cluster.dir  # it goes with the cluster, even when this is killed
            life.callback(setattr, tempfile, "tempdir", None)
            self.observer = life.enter_context(Observer(self.programs["observe"], self.cluster))
            self.contenders = [life.enter_context(contenders.make(name, self.cluster, self.args.threads))
                               for name in self.args.contenders]
            life.callback(self.keep_logs)
            self.life = life.pop_all()
        return self

    def __exit__(self, *_):
        self.life.close()

    def keep_logs(self):
        for c in self.contenders:
            if c.name == "isari":
                c.keep_log(self.args.out)

    def wait_ready(self):
        """The primary, when every contender and the observer agree on it."""
        primary = self.cluster.wait_healthy(150)
        replicas = [n.name for n in self.cluster.nodes if n is not primary]
        truth = {n.name: "writable" if n is primary else "recovery" for n in self.cluster.nodes}
        wait_for(lambda: self.observer.states() == truth, 10, f"the observer to see {truth}")
        for c in self.contenders:
            wait_for(lambda c=c: contenders.ready(c, primary.name, replicas), 60, f"{c.name} to serve {primary}")
        return primary

    def conninfo(self, contender, read=False, sslmode=None):
        return contenders.conninfo(contender, sslmode or self.args.sslmode, read)

    def clients(self, contender):
        a, few = self.args, contender.name == "libpq"
        counts = {"fresh": a.writers, "pool": a.pool, "idle": 2, "query": 2,
                  "storm": a.storm // FEWER if few else a.storm, "held": a.held if contender.name == "isari" else 0}
        return Clients(self.programs["load"], self.dir, contender, self.conninfo(contender),
                       a.pause * SLOWER if few else a.pause, counts, {"fresh": a.think, "pool": a.pool_think})


def writable(state):
    return state == "writable"


def unwritable(state):
    return state != "writable"


class Busy(Strangers):
    """Of all CPUs, how many were used by others, and how many by everything of this bench."""

    def used(self):
        ours = (self._ours() - self.begun[2]) / (time.monotonic() - self.begun[0])
        return {"others": self.load(), "ours": ours}


class Run:
    """One event."""

    def __init__(self, bench, event):
        self.bench, self.event = bench, event
        self.row = EVENTS[event]
        self.old = bench.wait_ready()

    def take(self):
        """{"truth", "deeds" and "figures" by contender, "ideal_gap", "others" and "ours": CPUs used}"""
        with contextlib.ExitStack() as life:
            self.crowds = [life.enter_context(self.bench.clients(c)) for c in self.bench.contenders]
            wait_for(self.all_work, 30, "every client to be at work on the primary", 0.2)
            busy = Busy()
            time.sleep(LEAD + random.random() * 2)  # the calm that the chart shows; at any phase of Patroni's loop
            truth = self.happen()
            deeds = {c.name: c.end() for c in self.crowds}
            truth = truth._replace(end=time.monotonic())
        return {"truth": truth, "deeds": deeds, "ideal_gap": ideal_gap(deeds.values(), truth), **busy.used(),
                "figures": {name: judge(d, truth) for name, d in deeds.items()}}

    def all_work(self, since=0.0):
        for c in self.crowds:
            c.read_on()
        return all(c.standing(self.old.address) and c.working(self.old.address, since) for c in self.crowds)

    def happen(self):
        event = time.monotonic()
        if self.row.at_once and self.row.failover:
            self.tell("storm")
        self.row.do(self.bench.cluster, self.old)
        if not self.row.failover:
            time.sleep(WATCH)
            return Truth(event, self.old.address, None, None, None, 0)
        if not self.row.at_once:
            self.await_gone(event)
            self.tell("storm")
        self.tell("held")
        ideal, new = self.await_ideal(event)
        self.settle(ideal, new)
        return Truth(event, self.old.address, self.gone(event, ideal), ideal, new, 0)

    def tell(self, word):
        for c in self.crowds:
            c.say(word)

    def gone(self, event, ideal):
        """When the old primary was first seen not to write any more, if that was before the ideal."""
        found = self.bench.observer.first(unwritable, event, [self.old.name])
        return found[0] if found and found[0] <= ideal else None

    def await_gone(self, event):
        if not self.bench.observer.wait_first(unwritable, event, [self.old.name], FAILOVER):
            raise Failure(f"{self.old} still writes {FAILOVER} s after the {self.event}")

    def await_ideal(self, event):
        """The next change to writable, of whichever node: the old primary has changed from it if it is that."""
        found = self.bench.observer.wait_first(writable, event, None, FAILOVER)
        if not found:
            raise Failure(f"no primary within {FAILOVER} s of the {self.event}")
        at, name = found
        return at, self.bench.cluster.node(name).address

    def settle(self, ideal, new):
        """Until every writer writes again and the storms are over, or their time is."""
        def back(c):
            late = time.monotonic() - ideal
            return ((late > SETTLE or c.working(new, ideal))
                    and (late > STORM or not c.left("storm") and not c.left("held")))

        def all_back():
            for c in self.crowds:
                c.read_on()
            return all(map(back, self.crowds))
        wait_for(all_back, STORM + 5, "the end of the time to settle", 0.25)
        time.sleep(TAIL)


def take(bench, event):
    """A run, and the cluster whole again; one that the cluster spoiled is repeated once."""
    spoiled = []
    while True:
        begun = time.monotonic()
        run = Run(bench, event)
        try:
            taken = run.take()
        except Failure as e:
            spoiled.append(str(e))
            repair(bench.cluster, event, run.old)
            if len(spoiled) > 1:
                raise
            print(f"{event}: repeated: {e}", file=sys.stderr)
            continue
        repair(bench.cluster, event, run.old)
        return taken | {"spoiled": spoiled, "seconds": time.monotonic() - begun}


def take_all(bench, args, runs):
    for event in [e for e in args.events if e in EVENTS]:
        for i in range(args.runs):
            taken = take(bench, event)
            report.keep(args, event, i, taken)
            runs.setdefault(event, []).append(taken)
            report.progress(event, i, args.runs, taken)


def main():
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception: everything is cleaned up
    os.makedirs(args.out, exist_ok=True)
    load_before = os.getloadavg()[0]
    own_network()
    raise_descriptors()
    begun, runs, cancels, trouble = time.monotonic(), {}, {}, None
    with Bench(args) as bench:
        print(f"cluster and contenders up in {time.monotonic() - begun:.0f} s", file=sys.stderr)
        try:
            if "cancel" in args.events:
                cancels = failover_cancel.count(bench)
            take_all(bench, args, runs)
        except Failure as e:
            trouble = e  # what was measured before it stays true
    report.write(args, runs, cancels, load_before, time.monotonic() - begun)
    if trouble:
        raise trouble


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        sys.exit(f"bench-failover: {e}")
    except KeyboardInterrupt:
        sys.exit(130)
