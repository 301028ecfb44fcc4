"""A cluster whose nodes and etcd each live on a host of their own, so that networks can be cut.

    with HostedCluster() as c:        # nodes at 10.213.70.1.., or the next block that is free
        c.cut("n1", "etcd")           # n1 keeps its clients and loses its DCS
        c.cut("n1")                   # its cable
        c.mend()

A host is a network namespace, held by a process that the keeper ends: nothing with a name is left
behind. Packets go through one more namespace, the switch, which drops those of a cut without a word, as
a broken cable does: no reset, no "unreachable". Our own side ("app": proxy, clients, tests) is block.254.
"""
import itertools
import os
import socket
import subprocess

from cluster import Cluster
from procs import Failure, wait_for

APP, ETCD, GATEWAY = 254, 100, 200


def ip(*words, inside=()):
    done = subprocess.run([*inside, "ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"ip {' '.join(words)}: {done.stderr.strip()}")


def claim_block():
    """(a network that nobody here has a way to, the socket whose name keeps others from taking it)"""
    routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=True).stdout
    for block in (f"10.213.{n}" for n in range(70, 80)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0isari-block-{block}")
        except OSError:
            claim.close()
            continue
        if f"{block}.0/24" not in routes:
            return block, claim
        claim.close()
    raise Failure("10.213.70.0/24 to 10.213.79.0/24 are all in use; end what uses them (ip route)")


class HostedCluster(Cluster):
    def __init__(self, scope="isari-hosts", **options):
        block, self.claim = claim_block()
        super().__init__(block, scope, **options)
        self.cable = "hosts" + block.rpartition(".")[2]
        self.numbers = {n.name: i + 1 for i, n in enumerate(self.nodes)} | {"etcd": ETCD, "app": APP}
        self.holders = {}  # host -> pid whose network it is
        self.rules = []

    def launch(self, host, argv, log, user=None, env=None):
        return self.keeper.launch(argv, log, user, env, self.inside(host))

    def stop(self):
        if "switch" in self.holders:  # at once; with its namespace it would take a while
            subprocess.run(["ip", "link", "del", self.cable], capture_output=True, check=False)
        super().stop()
        self.claim.close()

    # ---- hosts ------------------------------------------------------------------------------------

    def _check_addresses(self):
        for host in ["switch", "etcd", *(n.name for n in self.nodes)]:
            self._hold(host)
        for host in ["etcd", *(n.name for n in self.nodes)]:
            self._plug(host, "eth0", self.inside(host), self.holders[host])
        self._plug("app", self.cable, (), os.getpid())
        ip("route", "add", f"{self.block}.0/24", "via", self.address("", GATEWAY))
        subprocess.run([*self.inside("switch"), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
                       check=True)

    def _hold(self, host):
        pid = self.keeper.launch(["unshare", "--net", "sleep", "infinity"], os.devnull)
        mine = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{pid}/ns/net") != mine, 5, f"the network of {host}", 0.01)
        self.holders[host] = pid

    def _plug(self, host, link, inside, pid):
        """A cable from the host to the switch; everything else is reached through it."""
        port, gateway, mine = f"to-{host}", self.address("", GATEWAY), self.address(host)
        switch = self.inside("switch")
        ip("link", "add", "dev", link, "netns", str(pid), "type", "veth",
           "peer", "name", port, "netns", str(self.holders["switch"]))
        ip("addr", "add", gateway, "peer", mine, "dev", port, inside=switch)
        ip("link", "set", "dev", port, "up", inside=switch)
        ip("addr", "add", mine, "peer", gateway, "dev", link, inside=inside)
        ip("link", "set", "dev", link, "up", inside=inside)
        if inside:
            ip("link", "set", "dev", "lo", "up", inside=inside)
            ip("route", "add", "default", "via", gateway, inside=inside)

    def inside(self, host):
        return ["nsenter", f"--net=/proc/{self.holders[host]}/ns/net", "--"]

    def address(self, host, number=None):
        return f"{self.block}.{number or self.numbers[host]}"

    # ---- cutting ----------------------------------------------------------------------------------

    def cut(self, host, *others):
        """No packet passes between a host and these others (none named: all) from now on."""
        here = ["from", self.address(host)], ["to", self.address(host)]
        for (a, b), other in itertools.product((here, here[::-1]), others or [None]):
            there = [b[0], self.address(other)] if other else []
            rule = ["pref", "100", *a, *there, "blackhole"]
            ip("rule", "add", *rule, inside=self.inside("switch"))
            self.rules.append(rule)

    def mend(self):
        while self.rules:
            ip("rule", "del", *self.rules.pop(), inside=self.inside("switch"))

    def heal(self):
        self.mend()
        return super().heal()
