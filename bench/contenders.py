"""Who is measured: isari, HAProxy, nginx and PgBouncer with one thread each, as they come and as an expert would
set them, and no proxy at all.

All write no line per session, give up no idle one within an hour, and take as many sessions as the limit of
descriptors lets any of them (SESSIONS).
Not here: the peers' configuration files (peer_files.py), the servers behind all (servers.py), their load
(measures_*.py).
"""
import contextlib
import csv
import itertools
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

from cluster import PG_PORT, REST_PORT, USER
from isari import Isari, binary, members_entry
from peer_files import HAPROXY, HAPROXY_METRICS, HAPROXY_PORT, NGINX, PGBOUNCER
from procs import Failure, Keeper, alive, free_port, popen, wait_for

# Two descriptors each, and some that every proxy keeps for itself.
SESSIONS = min(30000, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1400) // 2)
HTTP_HOST = "127.0.0.1"
PRIVATE_PORTS = itertools.count(7001)  # for use in a network of the bench's own only


class Contender:
    """A process between the clients and the primary, nodes[0]. `port` is where clients go, `host` a directory when
    that is a UNIX socket, for libpq to understand."""

    pid = None
    programs = None  # where those of the bench itself are

    def __init__(self, nodes, name):
        self.name, self.nodes, self.host = name, nodes, "127.0.0.1"
        self.port, self.read_port = next(PRIVATE_PORTS), next(PRIVATE_PORTS)
        self.dir = tempfile.mkdtemp(prefix=f"{name}-")
        os.chmod(self.dir, 0o755)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def address(self):
        """As the load generator takes it."""
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host[0] == "/" else f"{self.host}:{self.port}"

    @property
    def read_address(self):
        return f"{self.host}:{self.read_port}"

    def serving(self):
        """Does it carry new sessions to the primary and to nobody else?"""
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1):
            return True


class Direct(Contender):
    """The server itself."""

    def __enter__(self):
        self.host, self.port = self.nodes[0].address, PG_PORT
        return self


class Child(Contender):
    """A process of this one; nothing of it is worth an orderly end."""

    p = None

    def start(self, *argv):
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.p = popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        super().__exit__()

    @property
    def pid(self):
        return self.p.pid


class Bare(Child):
    """What only receives and sends: the least that these system calls cost (load/bare.c)."""

    def __init__(self, nodes, name="bare", unix=False):
        super().__init__(nodes, name)
        if unix:
            self.host, self.port = self.dir, PG_PORT

    def __enter__(self):
        return self.start(os.path.join(self.programs, "bare"), self.address, f"{self.nodes[0].address}:{PG_PORT}")

    def serving(self):
        local = self.host[0] == "/"
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX if local else socket.AF_INET) as s:
            s.connect(self.address if local else (self.host, self.port))
            return True


class HAProxy(Child):
    """read: also the port of the replicas, whose sessions stay when the primary's are cut. watched: with /metrics, and
    so many further ports, all with the same servers."""

    def __init__(self, nodes, name="haproxy", tuning=(), splice=(), sessions=SESSIONS, read=False, watched=0):
        super().__init__(nodes, name)
        self.port = free_port()
        self.socket = os.path.join(self.dir, "stats")
        text = HAPROXY.format(socket=self.socket, sessions=sessions, tuning="".join(f"\t{t}\n" for t in tuning),
                              splice="".join(f"\t{s}\n" for s in splice))
        servers = "".join(f"\tserver {n.name} {n.address}:{PG_PORT} check port {REST_PORT}\n" for n in nodes)
        ports = [("write", self.port, "primary"), ("read", self.read_port, "replica")]
        ports = ports[:2 if read else 1] + [(f"more{i}", next(PRIVATE_PORTS), "primary") for i in range(watched)]
        self.http = HTTP_HOST, next(PRIVATE_PORTS)
        self.file = self.write("haproxy.cfg", text + "".join(
            HAPROXY_PORT.format(name=port_name, port=port, path=path, servers=servers)
            for port_name, port, path in ports) + (HAPROXY_METRICS.format(port=self.http[1]) if watched else ""))

    def __enter__(self):
        return self.start("haproxy", "-db", "-f", self.file)

    def serving(self):
        """Before the first answers of the nodes it sends to all."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket)
            s.sendall(b"show stat\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
            rows = csv.DictReader(text.removeprefix("# ").splitlines())
            return [r["svname"] for r in rows if r["type"] == "2" and r["status"].startswith("UP")
                    and r["pxname"] == "write"] == [self.nodes[0].name]


class OurProxy(Contender):
    """isari as it comes. unix: the client's leg is a UNIX socket; unix_server: the server's is. read, watched: as
    HAProxy's."""

    def __init__(self, nodes, name="isari", unix=False, unix_server=False, read=False, watched=0, **settings):
        super().__init__(nodes, name)
        if unix:
            self.host, self.port = self.dir, PG_PORT
        members = [members_entry(n) for n in nodes]
        if unix_server:
            members[0]["socket"] = nodes[0].socket
        listeners = {"write": {"bind": self.address, "serve": "primary", "maxconn": SESSIONS}}
        if read:
            listeners["read"] = {"bind": self.read_address, "serve": "replica", "maxconn": SESSIONS}
        for i in range(watched):
            listeners[f"more{i}"] = {"bind": f"127.0.0.1:{next(PRIVATE_PORTS)}", "serve": "primary"}
        self.http = HTTP_HOST, next(PRIVATE_PORTS)
        self.isari = Isari({
            "clusters": {"main": {"members": members}}, "listeners": listeners, "threads": 1,
            "maxconn": SESSIONS, "log": {"sessions": False}} | settings, stats={"http": "{}:{}".format(*self.http)} if watched else None)

    def check(self):
        """A key that this isari does not know is said to be the reason, not that it ended."""
        done = subprocess.run([binary(), "-c", "-f", self.isari.file], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(done.stderr.strip().splitlines()[0].replace(self.isari.file, "isari.yaml"))

    def __enter__(self):
        self.check()
        self.isari.__enter__()
        return self

    def __exit__(self, *_):
        self.isari.stop()
        super().__exit__()

    @property
    def pid(self):
        return self.isari.p.pid

    @property
    def socket(self):
        return self.isari.socket

    def serving(self):
        return self.isari.up("write") == [self.nodes[0].name]


class Kept(Contender):
    """A process that lives under a keeper: it has children, or is another user's."""

    def __init__(self, nodes, name):
        super().__init__(nodes, name)
        shutil.chown(self.dir, USER, USER)
        self.keeper = Keeper()
        self.main = None

    def launch(self, argv, user=None):
        self.main = self.keeper.launch(argv, os.path.join(self.dir, "log"), user)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(self.main, signal.SIGTERM)
            wait_for(lambda: not alive(self.main), 5, f"{self.name} to end")
        self.keeper.stop()
        super().__exit__()

    @property
    def pid(self):
        return self.main


class Nginx(Kept):
    def __init__(self, nodes, name="nginx", tuning=()):
        super().__init__(nodes, name)
        self.file = self.write("nginx.conf", NGINX.format(
            user=USER, files=2 * SESSIONS + 100, dir=self.dir, port=self.port, server=f"{nodes[0].address}:{PG_PORT}",
            tuning="".join(f"\t{t};\n" for t in tuning)))

    def __enter__(self):
        return self.launch(["nginx", "-e", "stderr", "-p", self.dir, "-c", self.file])

    @property
    def pid(self):
        """Its one worker."""
        def children():
            with open(f"/proc/{self.main}/task/{self.main}/children", encoding="ascii") as f:
                return f.read().split()
        return int(wait_for(children, 5, "nginx's worker", 0.01)[0])


class PgBouncer(Kept):
    def __init__(self, nodes, name="pgbouncer"):
        super().__init__(nodes, name)
        self.write("users", f'"{USER}" ""\n')
        self.file = self.write("pgbouncer.ini", PGBOUNCER.format(
            host=nodes[0].address, server_port=PG_PORT, port=self.port, dir=self.dir, sessions=SESSIONS))

    def __enter__(self):
        return self.launch(["pgbouncer", self.file], USER)


# ---- the list --------------------------------------------------------------------------------------

# Pipes need descriptors as well, so that no limit is left for crowds: nobody measures those with it.
EXPERT = ("tune.bufsize 131072", "tune.pipesize 1048576")
SPLICE = ("option splice-request", "option splice-response")
KINDS = {
    "direct": (Direct, {}),
    "bare": (Bare, {}),
    "bare-unix": (Bare, {"unix": True}),
    "isari": (OurProxy, {}),
    "isari-unix": (OurProxy, {"unix": True}),
    "isari-unix-server": (OurProxy, {"unix_server": True}),
    "isari-spin": (OurProxy, {"spin": "50us"}),
    "haproxy": (HAProxy, {}),
    "haproxy-tuned": (HAProxy, {"tuning": EXPERT, "splice": SPLICE, "sessions": 1000}),
    "haproxy-busy": (HAProxy, {"tuning": ("busy-polling",)}),
    "nginx": (Nginx, {}),
    "nginx-tuned": (Nginx, {"tuning": ("proxy_buffer_size 256k",)}),
    "pgbouncer": (PgBouncer, {}),
}
WHAT = {
    "direct": "no proxy",
    "bare": "a relay that only receives and sends, the least that epoll lets a proxy do: no contender, but a measure",
    "bare-unix": "bare, clients on a UNIX socket",
    "isari": "default configuration, one thread",
    "isari-unix": "isari, clients on a UNIX socket",
    "isari-unix-server": "isari, socket: for the primary, a UNIX socket to the server",
    "isari-spin": "isari, spin: 50us",
    "haproxy": "as Patroni documents it",
    "haproxy-tuned": "tune.bufsize 131072, tune.pipesize 1048576, splice-request, splice-response",
    "haproxy-busy": "busy-polling",
    "nginx": "stream, default",
    "nginx-tuned": "stream, proxy_buffer_size 256k",
    "pgbouncer": "pool_mode session",
}
GREEDY = ("haproxy-busy",)  # uses a CPU even when nobody asks anything: lives only while it is measured


@contextlib.contextmanager
def running(name, nodes, programs=None, **more):
    """Started, and carrying sessions to the primary."""
    kind, settings = KINDS[name]
    contender = kind(nodes, name=name, **settings, **more)
    contender.programs = programs
    with contender as c:
        wait_for(c.serving, 15, f"{name} to serve {nodes[0]} alone", 0.02)
        yield c
