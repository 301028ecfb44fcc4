"""The proxies that are judged: what starts, reloads and restarts them, and the address of their ports."""
import os
import signal
import tempfile

from isari import Isari, config_for
from procs import Failure, Keeper, free_port, wait_for

from .wire import Gone, Refused, Session

# As Patroni's documentation has it, word for word but for the ports.
HAPROXY = """global
    maxconn 1000
defaults
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 5s
listen primary
    bind 127.0.0.1:{write}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
{servers}
listen replicas
    bind 127.0.0.1:{read}
    option httpchk OPTIONS /replica
    http-check expect status 200
    default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
{servers}
"""


def leads_to(address, node, times=5):
    """Do so many new connections in a row meet this node, as a primary?"""
    for _ in range(times):
        try:
            s = Session(address, 5).login()
        except Gone:
            return False
        try:
            rows, _ = s.run("select host(inet_server_addr()), pg_is_in_recovery()")
        except (Gone, Refused):
            return False
        finally:
            s.close()
        if rows[0] != [node.address, "f"]:
            return False
    return True


class IsariFront:
    """The built isari with its default settings."""
    name = "isari"

    def __init__(self, cluster):
        self.cluster = cluster
        self.i = Isari(config_for(cluster))
        self.write, self.read = self.i.address("write"), self.i.address("read")

    def __enter__(self):
        self.i.__enter__()
        leader = self.cluster.leader()
        try:
            self.i.wait_up("write", [leader]).wait_up("read", [n for n in self.cluster.nodes if n is not leader])
        except BaseException:
            self.i.stop()
            raise
        return self

    def __exit__(self, *_):
        self.i.stop()

    def reload(self):
        answer = r"event=\w*reload"  # done, or that it cannot be done
        before = len(self.i.logged(answer))
        self.i.p.send_signal(signal.SIGHUP)
        wait_for(lambda: len(self.i.logged(answer)) > before, 5, "its answer to SIGHUP", 0.01)

    def restart(self):
        """As after a crash: SIGKILL, and a new one with the same file."""
        self.i.p.kill()
        self.i.p.wait()
        self.i.start()
        self.i.wait_ready()

    def said(self):
        """What it wrote about servers and cuts, for the evidence."""
        return "\n".join(line for line in self.i.text().splitlines() if "event=session" not in line)


class HaproxyFront:
    """HAProxy as Patroni's documentation sets it up. Its old processes live on after a reload: the keeper
    ends them with all the rest."""
    name = "haproxy"

    def __init__(self, cluster):
        self.cluster = cluster
        self.dir = tempfile.mkdtemp(prefix="isari-haproxy-")
        self.keeper = Keeper(self.dir)
        self.write, self.read = ("127.0.0.1", free_port()), ("127.0.0.1", free_port())
        self.file, self.log = os.path.join(self.dir, "cfg"), os.path.join(self.dir, "log")

    def __enter__(self):
        servers = "\n".join(f"    server {n.name} {n.address}:5432 maxconn 100 check port 8008"
                            for n in self.cluster.nodes)
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(HAPROXY.format(write=self.write[1], read=self.read[1], servers=servers))
        try:
            self.master = self.keeper.launch(["haproxy", "-W", "-f", self.file], self.log)
            self._wait_serving()
        except BaseException:
            self.keeper.stop()
            raise
        return self

    def _wait_serving(self):
        leader = self.cluster.leader()
        wait_for(lambda: leads_to(self.write, leader, 10), 30, f"HAProxy to serve {leader}", 0.2)

    def __exit__(self, *_):
        self.keeper.stop()

    def reload(self):
        def workers():
            with open(self.log, encoding="utf-8") as f:
                return f.read().count("New worker")
        before = workers()
        os.kill(self.master, signal.SIGUSR2)
        wait_for(lambda: workers() > before, 10, "HAProxy's new worker")
        self._wait_serving()

    def restart(self):
        raise Failure("nothing is to be learnt of HAProxy by that")

    def said(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()


CONTENDERS = {c.name: c for c in (IsariFront, HaproxyFront)}
