"""A real cluster whose DCS can be lost, and whose lock can be stolen: for what Patroni by itself rarely shows.

    with DcsCluster("127.0.85", "disputed", etcds=3) as c:
        c.configure(failsafe_mode=True)
        c.lose_quorum(); c.regain_quorum()
        c.steal_lock("n2")            # as etcdctl put does: no lease, nobody is asked
"""
import json
import os
import signal
import subprocess

from cluster import ETCD_PORT, PG_PORT, REST_PORT, USER, Cluster, http_get
from procs import Failure, send, wait_for


def merged(base, extra):
    """base with extra laid over it, map by map."""
    both = dict(base)
    for key, value in extra.items():
        both[key] = merged(both.get(key, {}), value) if isinstance(value, dict) else value
    return both


class DcsCluster(Cluster):
    def __init__(self, block, scope, etcds=1, overlay=None, **options):
        """overlay: more of each node's patroni.yml."""
        super().__init__(block, scope, **options)
        self.etcds = [f"{block}.{100 + k}" for k in range(etcds)]
        self.etcd_pids = []
        self.overlay = overlay or {}

    def _patroni_config(self, n, key, crt):
        hosts = {"etcd3": {"hosts": [f"{a}:{ETCD_PORT}" for a in self.etcds]}}
        return merged(super()._patroni_config(n, key, crt) | hosts, self.overlay)

    def _start_etcd(self):
        peers = ",".join(f"e{k}=http://{a}:{ETCD_PORT + 1}" for k, a in enumerate(self.etcds))
        for k, a in enumerate(self.etcds):
            url, peer = f"http://{a}:{ETCD_PORT}", f"http://{a}:{ETCD_PORT + 1}"
            self.etcd_pids.append(self.launch(
                f"etcd{k}", ["etcd", "--name", f"e{k}", "--data-dir", os.path.join(self.dir, f"etcd{k}"),
                             "--listen-client-urls", url, "--advertise-client-urls", url,
                             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                             "--initial-cluster", peers, "--logger", "zap"],
                os.path.join(self.dir, f"etcd{k}.log"), USER))
        for a in self.etcds:
            wait_for(lambda a=a: http_get(a, ETCD_PORT, "/health")[0] == 200, 15, f"etcd on {a}")

    # ---- the lock, by hand -------------------------------------------------------------------------

    def etcdctl(self, *words):
        done = subprocess.run(["etcdctl", "--endpoints", f"{self.etcd}:{ETCD_PORT}", *words], capture_output=True,
                              text=True, timeout=10, check=False, env=os.environ | {"ETCDCTL_API": "3"})
        if done.returncode != 0:
            raise Failure(f"etcdctl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    @property
    def lock(self):
        return f"/service/{self.scope}/leader"

    def steal_lock(self, name):
        self.etcdctl("put", self.lock, name)

    def free_lock(self):
        self.etcdctl("del", self.lock)

    def end_lease(self):
        """What the end of its time to live does to the lock, at once."""
        lease = json.loads(self.etcdctl("get", self.lock, "-w", "json"))["kvs"][0]["lease"]
        self.etcdctl("lease", "revoke", f"{lease:x}")

    # ---- the DCS as a whole --------------------------------------------------------------------------

    def lose_quorum(self):
        """All but one of them freeze; the only one does."""
        send(self.etcd_pids[1:] or self.etcd_pids, signal.SIGSTOP)

    def regain_quorum(self):
        send(self.etcd_pids, signal.SIGCONT)

    def kill_dcs(self):
        """All of it, for good: Patroni's connections to it break, and so does its view of the cluster."""
        send(self.etcd_pids, signal.SIGKILL)
        self.etcd_pids = []

    def promotion_waits(self, does):
        """With the right pre_promote script: nobody is promoted while this file is there (conftest.py)."""
        path = os.path.join(self.dir, "promotion_waits")
        if does:
            with open(path, "w", encoding="ascii"):
                pass
        elif os.path.exists(path):
            os.unlink(path)

    # ---- Patroni's dynamic configuration ---------------------------------------------------------------

    def configure(self, **settings):
        """As patronictl edit-config; None takes a key away. Returns when every node knows."""
        node = self.wait_holder()
        status, text = http_get(node.address, REST_PORT, "/config", 5, "PATCH", json.dumps(settings))
        if status != 200:
            raise Failure(f"{settings} was refused: {status} {text}")

        def known(n):
            config = n.rest("/config")[1]
            return bool(config) and all(config.get(k) == v for k, v in settings.items())
        wait_for(lambda: all(known(n) for n in self.nodes), 20, f"every node to know of {settings}")

    def wait_holder(self):
        """The member that answers 200 to /leader: the leader of a standby cluster, too."""
        return wait_for(lambda: next((n for n in self.nodes if n.rest("/leader")[0] == 200), None), 45, "a lock holder")

    def pause(self):
        self.configure(pause=True)
        wait_for(lambda: all(n.rest()[1].get("pause") for n in self.nodes), 20, "maintenance mode")

    def resume(self):
        self.configure(pause=None)

    def heal(self):
        self.regain_quorum()
        return super().heal()


class StandbyCluster(DcsCluster):
    """One node that follows the primary of another cluster."""

    def __init__(self, block, scope, primary):
        follow = {"standby_cluster": {"host": primary.address, "port": PG_PORT}}
        super().__init__(block, scope, nodes=1, overlay={"bootstrap": {"dcs": follow}})

    def start(self):
        try:
            self._check_addresses()
            self._prepare()
            self._start_etcd()
            self.start_node(self.nodes[0])
            wait_for(lambda: self.nodes[0].rest("/standby-leader")[0] == 200, 30, "the standby leader", 0.1)
        except BaseException:
            self.stop()
            raise
        return self
