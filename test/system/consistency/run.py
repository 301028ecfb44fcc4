"""One run: a healthy cluster, a proxy before it, clients, one event, and the history of it all."""
import os
import random
import time

from procs import wait_for

from .clients import CREATE, TABLE, Crowd
from .events import EVENTS, Scene
from .history import History
from .judge import bounds, evidence, guilty, judge
from .oracles import Oracles

WARM = 20  # appends of each writer before the event


class Result:
    def __init__(self, label, front, history, seconds):
        self.label, self.history, self.seconds = label, history, seconds
        self.said = front.said()
        self.verdicts = judge(history)
        self.guilty = guilty(history, self.verdicts)
        self.bounds = bounds(history)

    def count(self, verdict):
        return len(self.verdicts[verdict])

    def evidence(self):
        """Everything that is not zero, with who did what and when; what the proxy said goes with it."""
        found = {name: x for name, x in self.verdicts.items() if x}
        return f"{self.label}\n{evidence(self.history, found)}\n---- the proxy:\n{self.said}"

    def keep(self):
        where = os.environ.get("ISARI_TEST_LOGS")
        if where:
            os.makedirs(where, exist_ok=True)
            name = self.label.replace(" ", "-")
            self.history.save(os.path.join(where, name + ".json"))
            with open(os.path.join(where, name + ".txt"), "w", encoding="utf-8") as f:
                f.write(self.evidence())


def synchronous(cluster, leader):
    """The standby that Patroni and PostgreSQL agree upon, or None: between the two of them nobody may take over."""
    named = [n.name for n in cluster.nodes if n.rest("/sync")[0] == 200]
    active = leader.sql("select array_agg(application_name::text) from pg_stat_replication where sync_state = 'sync'")
    return named[0] if named and named == active else None


def wait_synchronous(cluster, leader):
    """It is there, and still the same one after the leader's next look at the DCS: after a restart of its
    PostgreSQL it chooses again."""
    seen = []

    def steady():
        now = synchronous(cluster, leader), leader.rest()[1].get("dcs_last_seen")
        if not seen or seen[0][0] != now[0]:
            seen[:] = [now]
        return now[0] and now[1] != seen[0][1]

    wait_for(steady, 60, "a synchronous standby", 0.2)


def prepare(cluster):
    """A healthy cluster with an empty table that every node has; under strict mode with a standby to write to."""
    leader = cluster.wait_healthy()
    if cluster.strict:
        wait_synchronous(cluster, leader)
    with leader.connect() as c:
        for statement in CREATE.split("; "):
            c.execute(statement)
        lsn = c.execute("select pg_current_wal_lsn()").fetchone()[0]
    for n in cluster.replicas():
        wait_for(lambda n=n: n.sql("select pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn), 20, f"{n} to have the table")


def last_rows(cluster):
    leader = cluster.wait_leader()
    with leader.connect() as c:
        return c.execute(f"select c, s from {TABLE}").fetchall()


def run(cluster, contender, event, label):
    begun = time.monotonic()
    prepare(cluster)
    h = History(strict=cluster.strict, names={n.address: n.name for n in cluster.nodes})
    e = EVENTS[event]
    with contender(cluster) as front:
        with Oracles(cluster, h), Crowd(h, front.write, front.read) as crowd:
            wait_for(lambda: crowd.idle_ready() and crowd.wrote(crowd.writers, 0, WARM), 30, "clients at work")
            if e.phase:
                time.sleep(random.uniform(0, cluster.timing[1]))  # anywhere in Patroni's loop
            e.do(Scene(cluster, front, crowd, h))
        if e.hosts:
            cluster.mend()
        h.final = last_rows(cluster)
        result = Result(label, front, h, time.monotonic() - begun)
    result.keep()
    return result
