"""Who is measured: isari with its default settings, HAProxy twice, libpq with all hosts.

A contender is a name, a conninfo for writers, one for readers (or None), and when it is ready.
Not here: the clients (failover_clients.py).
"""
import csv
import os
import shutil
import socket

import psycopg
from stage import HAProxy

from cluster import PG_PORT, REST_PORT, USER
from isari import Isari, config_for
from procs import free_port

# haproxy.cfg of Patroni's repository, except for its maxconn of 100, the check's path (its comment
# names /primary for the write port) and the second port.
DOCUMENTED = {
    "timeout client": "30m", "timeout connect": "4s", "timeout server": "30m", "timeout check": "5s",
    "retries": "2", "write": "inter 3s fall 3 rise 2", "read": "inter 3s fall 3 rise 2",
}
TUNED = DOCUMENTED | {
    "timeout connect": "1s", "timeout check": "200ms",
    "write": "inter 100ms fastinter 100ms downinter 100ms fall 1 rise 1", "read": "inter 1s fall 1 rise 1",
}
LISTEN = """listen {port_name}
\tbind 127.0.0.1:{port}
\toption httpchk OPTIONS /{path}
\thttp-check expect status 200
\tdefault-server {checks} on-marked-down shutdown-sessions maxconn 4000
"""


class Haproxy(HAProxy):
    """bench/stage.py's, with another file and a read port."""

    def __init__(self, name, settings, nodes):
        super().__init__(nodes)
        self.name, self.read_port = name, free_port()
        text = f"global\n\tmaxconn 8000\n\tstats socket {self.socket}\ndefaults\n\tmode tcp\n"
        text += "".join(f"\t{k} {v}\n" for k, v in settings.items() if k not in ("write", "read"))
        for port_name, port, path in (("write", self.port, "primary"), ("read", self.read_port, "replica")):
            text += LISTEN.format(port_name=port_name, port=port, path=path, checks=settings[port_name])
            text += "".join(f"\tserver {n.name} {n.address}:{PG_PORT} check port {REST_PORT}\n" for n in nodes)
        with open(self.file, "w", encoding="ascii") as f:
            f.write(text)

    def serving(self, listener):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket)
            s.sendall(b"show stat\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return sorted(r["svname"] for r in rows
                      if r["pxname"] == listener and r["type"] == "2" and r["status"].startswith("UP"))


class OurProxy:
    name = "isari"

    def __init__(self, cluster, threads):
        config = config_for(cluster)
        if threads:
            config["threads"] = threads
        self.isari = Isari(config)
        self.host, self.port = self.isari.address("write")
        self.read_port = self.isari.address("read")[1]

    def __enter__(self):
        self.isari.__enter__()
        return self

    def __exit__(self, *_):
        self.isari.stop()

    def serving(self, listener):
        return self.isari.up(listener)

    def keep_log(self, directory):
        shutil.copy(self.isari.log, os.path.join(directory, "isari.log"))


class Libpq:
    """No proxy. The read port is not libpq's to balance."""

    name = "libpq"
    read_port = None

    def __init__(self, nodes):
        self.host = ",".join(n.address for n in nodes)
        self.port = PG_PORT

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @staticmethod
    def serving(_):
        return None


EXTRA = {"libpq": " target_session_attrs=read-write connect_timeout=2"}
WHAT = {
    "isari": "default settings",
    "haproxy": "as Patroni documents it: checks every 3 s, fall 3, rise 2, on-marked-down shutdown-sessions",
    "haproxy-100ms": "tuned: checks every 100 ms, fall 1, rise 1, check timeout 200 ms",
    "libpq": "all three hosts, target_session_attrs=read-write connect_timeout=2, no proxy",
}
NAMES = tuple(WHAT)


def make(name, cluster, threads):
    if name == "isari":
        return OurProxy(cluster, threads)
    if name == "libpq":
        return Libpq(cluster.nodes)
    return Haproxy(name, DOCUMENTED if name == "haproxy" else TUNED, cluster.nodes)


def conninfo(contender, sslmode, read=False):
    port = contender.read_port if read else contender.port
    return (f"host={contender.host} port={port} user={USER} dbname=postgres sslmode={sslmode} "
            f"gssencmode=disable{EXTRA.get(contender.name, '')}")


def ready(contender, primary, replicas):
    """Does it send writers to this node and no other, and readers to the others?"""
    try:
        write, read = (contender.serving(listener) for listener in ("write", "read"))
    except OSError:
        return False
    return (write is None or write == [primary]) and (read is None or read == sorted(replicas))


def libpq_version():
    v = psycopg.pq.version()
    return f"{v // 10000}.{v % 10000}"
