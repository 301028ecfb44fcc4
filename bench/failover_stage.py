"""Where failovers happen: one cluster, each node a host of its own (a network namespace with one cable).

This process moves to a network of its own, in which the proxies, the clients and etcd live, and from
which a switch (a bridge) leads to the nodes. Nothing of it has a name outside: with the last process
that lives in it all of it is gone, however that process ended.

Not here: the contenders (failover_contenders.py), what is done to the nodes (failover_events.py).
"""
import contextlib
import ctypes
import os
import shutil
import subprocess
import threading

import stage  # noqa: F401  (it knows the way to test/system)
from cluster import PARAMETERS, USER, Cluster
from procs import Failure, popen, wait_for

CLONE_NEWNET = 0x40000000
BLOCK = "10.213.60"
TABLE = "create table if not exists writes (id text)"

# A new session must not run out of ports because of those that were there a second ago.
SYSCTL = {"ipv4/tcp_tw_reuse": "1", "ipv4/ip_local_port_range": "10000 65000", "core/somaxconn": "8192"}


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: {done.stderr.strip()}")


def own_network():
    """Before any thread starts: what is started later lives there too."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise Failure(f"a network of its own needs root: {os.strerror(ctypes.get_errno())}")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "switch", "type", "bridge")
    for host in (100, 254):  # etcd; proxies and clients
        run("ip", "addr", "add", f"{BLOCK}.{host}/24", "dev", "switch")
    run("ip", "link", "set", "switch", "up")
    for key, value in SYSCTL.items():
        with contextlib.suppress(FileNotFoundError), open(f"/proc/sys/net/{key}", "w", encoding="ascii") as f:
            f.write(value)


class Host:
    """The network of a node: held by a process that does nothing else."""

    def __init__(self, name, address):
        self.cable = name
        self.p = popen(["unshare", "--net", "sleep", "infinity"])
        self.net = f"/proc/{self.p.pid}/ns/net"
        ours = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(self.net) != ours, 5, f"the network of {name}", 0.005)
        run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", str(self.p.pid))
        run("ip", "link", "set", self.cable, "master", "switch", "up")
        for words in (["addr", "add", address + "/24", "dev", "eth0"], ["link", "set", "eth0", "up"],
                      ["link", "set", "lo", "up"]):
            run("nsenter", "--net=" + self.net, "ip", *words)

    def plug(self, state):
        run("bridge", "link", "set", "dev", self.cable, "state", state)

    def cut(self):
        """The switch forwards nothing more, either way; nobody is told."""
        self.plug("disabled")

    def join(self):
        self.plug("forwarding")

    def end(self):
        self.p.kill()
        self.p.wait()


class BenchCluster(Cluster):
    """ttl 20, loop_wait 5, retry_timeout 5; room for all clients at once."""

    def __init__(self, max_connections):
        super().__init__(BLOCK, "isari-failover")
        self.max_connections = max_connections
        self.hosts = {}

    def start(self):
        try:
            self.hosts = {n.name: Host(n.name, n.address) for n in self.nodes}
        except BaseException:
            self.stop()
            raise
        super().start()
        self.leader().sql(TABLE)
        return self

    def stop(self):
        super().stop()
        for h in self.hosts.values():
            h.end()

    def _check_addresses(self):
        pass  # a network of its own

    def _patroni_config(self, n, key, crt):
        config = super()._patroni_config(n, key, crt)
        dcs = config["bootstrap"]["dcs"]
        dcs["retry_timeout"] = 5
        dcs["postgresql"]["parameters"] = PARAMETERS | {
            "max_connections": self.max_connections, "shared_buffers": "64MB", "autovacuum": "off"}
        config["postgresql"]["pg_hba"] += [f"host all all {BLOCK}.0/24 trust",
                                           f"host replication all {BLOCK}.0/24 trust"]
        return config

    def start_node(self, n):
        """On its own host, which only root may enter."""
        argv = ["nsenter", "--net=" + self.hosts[n.name].net, "setpriv", "--reuid", USER, "--regid", USER,
                "--init-groups", "--pdeathsig", "KILL", "--", "/usr/bin/python3", "/usr/bin/patroni", n.yml]
        n.patroni = self.keeper.launch(argv, n.log, None, {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})

    def rebuild(self, n):
        """Whatever is left of it ends; a new node of that name is cloned from the primary."""
        self.kill_node(n)
        self.hosts[n.name].join()
        shutil.rmtree(n.data, ignore_errors=True)
        self.start_node(n)


class Observer:
    """What every server says of itself over its own socket: {node: [(seconds, state)]}, as it comes."""

    def __init__(self, program, cluster):
        self.by_directory = {n.sockets: n for n in cluster.nodes}
        self.changes = {n.name: [] for n in cluster.nodes}
        self.p = popen([program, *self.by_directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        self.thread.join()
        self.p.stdin.close()
        self.p.stdout.close()

    def _read(self):
        for line in self.p.stdout:
            at, directory, state = line.split()
            with self.news:
                self.changes[self.by_directory[directory].name].append((int(at) / 1e6, state))
                self.news.notify_all()

    def states(self):
        with self.news:
            return {name: seen[-1][1] if seen else "gone" for name, seen in self.changes.items()}

    def first(self, what, after, names=None):
        """(when, name) of the first change after that moment to a state that `what` accepts, or None."""
        with self.news:
            return min(((at, name) for name, seen in self.changes.items() if names is None or name in names
                        for at, state in seen if at > after and what(state)), default=None)

    def wait_first(self, what, after, names, timeout):
        """The same, as soon as it is there; None: it never came."""
        found = []
        with self.news:
            self.news.wait_for(lambda: found.append(self.first(what, after, names)) or found[-1], timeout)
        return found[-1]
