"""What is done to the primary, and how the cluster is whole again afterwards.

An event is one row: what it is, the deed, whether a primary is to come after it, whether the storm starts
with the deed (or with the first word of the old primary that it no longer writes), and the repair, after
which all three nodes run and stream, whatever happened.

Not here: who watches (failover.py).
"""
import collections
import json
import os
import signal
import threading
import time

import failover_stage  # noqa: F401  (it knows the way to test/system)
from cluster import REST_PORT, http_get
from procs import send, wait_for

STALL = 8.0  # seconds of a Patroni that answers nothing

Event = collections.namedtuple("Event", "what do failover at_once repair")


def switchover(cluster, old):
    """Patroni is asked over REST; it answers when it is done, and nobody waits for that."""
    candidate = next(n for n in cluster.nodes if n is not old)
    body = json.dumps({"leader": old.name, "candidate": candidate.name})
    threading.Thread(target=http_get, daemon=True,
                     args=(old.address, REST_PORT, "/switchover", 60, "POST", body)).start()


def shutdown(_, old):
    send([old.patroni], signal.SIGTERM)


def kill(cluster, old):
    cluster.kill_node(old)


def stop(cluster, old):
    cluster.stop_node(old)


def cut(cluster, old):
    cluster.hosts[old.name].cut()


def kill_postgres(_, old):
    with open(os.path.join(old.data, "postmaster.pid"), encoding="ascii") as f:
        send([int(f.readline())], signal.SIGKILL)


def kill_patroni(cluster, old):
    cluster.kill_patroni(old)


def stall(cluster, old):
    cluster.stop_node(old, postgres=False)
    time.sleep(STALL)  # the event itself
    cluster.cont_node(old, postgres=False)


def nothing(*_):
    pass


def restart(cluster, old):
    wait_for(lambda: not os.path.exists(f"/proc/{old.patroni}"), 60, f"the end of Patroni of {old}")
    cluster.start_node(old)


def rebuild(cluster, old):
    cluster.rebuild(old)


EVENTS = {
    "switchover": Event("Patroni is asked for a switchover", switchover, True, False, nothing),
    "shutdown": Event("SIGTERM to the primary's Patroni, which stops its PostgreSQL, as systemctl stop does",
                      shutdown, True, False, restart),
    "kill": Event("SIGKILL to all of the primary's node", kill, True, True, rebuild),
    "stop": Event("SIGSTOP to all of the primary's node", stop, True, True, rebuild),
    "cut": Event("the primary's network cable is cut (the switch drops silently)", cut, True, True, rebuild),
    "postgres": Event("SIGKILL to the primary's postmaster", kill_postgres, True, True, nothing),
    "patroni": Event("SIGKILL to the primary's Patroni; its PostgreSQL lives on", kill_patroni, True, True,
                     rebuild),
    "stall": Event(f"the primary's Patroni is frozen for {STALL:g} s; nothing is to happen", stall, False, True,
                   nothing),
}


def repair(cluster, event, old):
    EVENTS[event].repair(cluster, old)
    return cluster.wait_healthy(150)
