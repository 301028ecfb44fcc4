"""What is measured, and with what: PostgreSQL, isari and HAProxy on loopback, their CPU time and memory.

Nothing outlives the bench: PostgreSQL belongs to a keeper, the proxies die with this process.
Not here: which load is put on them (measures.py).
"""
import contextlib
import csv
import os
import pwd
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "test", "system"))

from cluster import PG_BIN, USER  # noqa: E402
from fake_patroni import FakeNode  # noqa: E402
from isari import Isari, binary, members_entry  # noqa: E402
from procs import Failure, Keeper, descendants, ensure_free, free_port, popen, wait_for  # noqa: E402

BLOCK = "127.0.53"
PG_PORT, REST_PORT = 5432, 8008
ENV = os.environ | {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable", "PGUSER": USER, "LC_ALL": "C"}
CPUS = sorted(os.sched_getaffinity(0))
PROXY_CPU, LOAD_CPU = CPUS[0], CPUS[-1]

SETTINGS = {
    "listen_addresses": f"{BLOCK}.1", "port": PG_PORT, "unix_socket_directories": "",
    "shared_buffers": "128MB", "max_connections": 60, "fsync": "off", "autovacuum": "off",
    "wal_level": "minimal", "max_wal_senders": 0, "max_wal_size": "4GB", "checkpoint_timeout": "1h",
    "jit": "off", "max_parallel_workers_per_gather": 0,
}

# HAProxy as Patroni's documentation sets it up, but asking every second as isari does.
HAPROXY = """global
	nbthread 1
	maxconn 4000
	stats socket {socket}
defaults
	mode tcp
	timeout connect 1s
	timeout client 1h
	timeout server 1h
	timeout check 3s
listen write
	bind 127.0.0.1:{port}
	option httpchk OPTIONS /primary
	http-check expect status 200
	default-server inter 1s fall 3 rise 1 on-marked-down shutdown-sessions
"""


# ---- CPU time, memory, placing ---------------------------------------------------------------------


def threads(pid):
    return [int(t) for t in os.listdir(f"/proc/{pid}/task")]


def pin(pid, cpu):
    for t in threads(pid):
        os.sched_setaffinity(t, {cpu})


def cpu_seconds(pid):
    """Time on a CPU of all threads, to the nanosecond."""
    total = 0
    for t in threads(pid):
        with open(f"/proc/{pid}/task/{t}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def pss_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Pss:\s+(\d+) kB", f.read(), re.M).group(1)) * 1024


class Strangers:
    """How many CPUs others kept busy meanwhile (a hypervisor's theft included)."""

    TICK = os.sysconf("SC_CLK_TCK")

    def __init__(self):
        self.begun = self._read()

    @classmethod
    def _read(cls):
        with open("/proc/stat", encoding="ascii") as f:
            user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
        busy = (user + nice + system + irq + softirq + steal) / cls.TICK
        return time.monotonic(), busy, cls._ours()

    @classmethod
    def _ours(cls):
        """This process, all below it, and whatever of them has ended and been waited for."""
        ticks = 0
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as f:
                ticks += sum(map(int, f.read().rpartition(b")")[2].split()[11:15]))
        return ticks / cls.TICK

    def load(self):
        now, busy, ours = self._read()
        elapsed = now - self.begun[0]
        return max(0.0, ((busy - self.begun[1]) - (ours - self.begun[2])) / elapsed)


# ---- the proxies -----------------------------------------------------------------------------------


class HAProxy:
    """HAProxy 2.6 with one thread and its own defaults for everything that concerns speed."""

    name = "haproxy"

    def __init__(self, nodes):
        self.host, self.port = "127.0.0.1", free_port()
        self.dir = tempfile.mkdtemp(prefix="haproxy-")
        self.file = os.path.join(self.dir, "haproxy.cfg")
        self.socket = os.path.join(self.dir, "stats")
        servers = [f"\tserver {n.name} {n.address}:{PG_PORT} check port {REST_PORT}\n" for n in nodes]
        with open(self.file, "w", encoding="ascii") as f:
            f.write(HAPROXY.format(port=self.port, socket=self.socket) + "".join(servers))
        self.p = None

    def __enter__(self):
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.p = popen(["haproxy", "-db", "-f", self.file], stdin=subprocess.DEVNULL,
                           stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def pid(self):
        return self.p.pid

    def up(self):
        """Names of the servers that take sessions. Before the first answers HAProxy sends to all."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket)
            s.sendall(b"show stat\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
            rows = csv.DictReader(text.removeprefix("# ").splitlines())
            return [r["svname"] for r in rows if r["type"] == "2" and r["status"].startswith("UP")]


class OurProxy:
    """isari with one worker. Like HAProxy here it writes no line per session."""

    name = "isari"

    def __init__(self, nodes):
        self.host, self.port = "127.0.0.1", free_port()
        self.isari = Isari({
            "clusters": {"main": {"members": [members_entry(n) for n in nodes]}},
            "listeners": {"write": {"bind": f"{self.host}:{self.port}", "serve": "primary"}},
            "threads": 1, "log": {"sessions": False},
        })

    def __enter__(self):
        self.isari.__enter__()
        return self

    def __exit__(self, *_):
        self.isari.stop()

    @property
    def pid(self):
        return self.isari.p.pid

    def up(self):
        return self.isari.up("write")


PROXIES = (HAProxy, OurProxy)


# ---- PostgreSQL ------------------------------------------------------------------------------------


class Direct:
    """PostgreSQL itself, as one of the targets."""

    name = "direct"
    pid = None
    host, port = f"{BLOCK}.1", PG_PORT


def run(argv, cpu=None, **kw):
    """A client that must succeed, on the given CPU; its output."""
    if cpu is not None:
        argv = ["taskset", "-c", str(cpu), *argv]
    done = subprocess.run(argv, env=ENV, text=True, capture_output=True, check=False, **kw)
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: {done.stderr.strip()[-500:]}")
    return done.stdout


def psql(target, statement):
    return run([f"{PG_BIN}/psql", "-XqAt", "-h", target.host, "-p", str(target.port), "-d", "postgres",
                "-v", "ON_ERROR_STOP=1", "-c", statement])


class Postgres:
    """One real server on the load's CPU, with pgbench's tables and one that COPY makes copy_mb MB of."""

    ROW = 200

    def __init__(self, copy_mb):
        if os.geteuid() != 0:
            raise Failure("the bench needs root: PostgreSQL is run as user postgres")
        self.rows = copy_mb * 1000000 // (self.ROW + 9)  # seven digits, a tab, a newline
        self.megabytes = self.rows * (self.ROW + 9) / 1e6
        self.dir = tempfile.mkdtemp(prefix="isari-bench-")
        self.keeper = Keeper(self.dir)
        tempfile.tempdir = self.dir  # what the proxies write goes with it, even when this is killed

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        tempfile.tempdir = None
        self.keeper.stop()

    def _start(self):
        ensure_free(Direct.host, PG_PORT)
        who = pwd.getpwnam(USER)
        os.chown(self.dir, who.pw_uid, who.pw_gid)
        data = os.path.join(self.dir, "data")
        run(["setpriv", "--reuid", USER, "--regid", USER, "--init-groups", f"{PG_BIN}/initdb", "-D", data,
             "-A", "trust", "-N", "-E", "UTF8", "--locale=C"], cwd="/")
        options = [word for k, v in SETTINGS.items() for word in ("-c", f"{k}={v}")]
        self.keeper.launch(["taskset", "-c", str(LOAD_CPU), f"{PG_BIN}/postgres", "-D", data, *options],
                           os.path.join(self.dir, "log"), USER)
        wait_for(self._answers, 20, "PostgreSQL")
        self._fill()

    @staticmethod
    def _answers():
        with contextlib.suppress(Failure):
            return psql(Direct, "select 1")

    def _fill(self):
        run([f"{PG_BIN}/pgbench", "-i", "-q", "-s", "5", "-h", Direct.host, "postgres"])
        psql(Direct, "create unlogged table bulk as select n, repeat(chr(65 + n % 26), "
                     f"{self.ROW}) as t from generate_series(1000000, {999999 + self.rows}) n")
        psql(Direct, "vacuum analyze bulk")
        psql(Direct, "checkpoint")


class Stage:
    """PostgreSQL, three members of which its address is the primary, and both proxies, all ready."""

    def __init__(self, copy_mb):
        self.copy_mb = copy_mb
        self.life = contextlib.ExitStack()

    def __enter__(self):
        raise_descriptors()
        with contextlib.ExitStack() as life:
            self.postgres = life.enter_context(Postgres(self.copy_mb))
            self.nodes = [FakeNode(f"{BLOCK}.{i}", f"n{i}") for i in (1, 2, 3)]
            for n in self.nodes:
                n.be("primary" if n is self.nodes[0] else "replica").rest.start()
                life.callback(n.rest.stop)
            self.proxies = [life.enter_context(p(self.nodes)) for p in PROXIES]
            for p in self.proxies:
                wait_serving(p, self.nodes[0])
            self.targets = [Direct, *self.proxies]
            self.life = life.pop_all()
        return self

    def __exit__(self, *_):
        self.life.close()

    def place(self, cpu):
        for p in self.proxies:
            pin(p.pid, cpu)


def wait_serving(proxy, node):
    """Until this node, and no other, is where the proxy sends new sessions."""
    wait_for(lambda: proxy.up() == [node.name], 15, f"{proxy.name} to serve {node} alone")


def raise_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def first_line(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def versions():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"^(?:model name|CPU part)\s*:\s*(.*)$", f.read(), re.M)
    return {
        "isari": first_line(binary(), "-v"),
        "haproxy": first_line("haproxy", "-v"),
        "postgres": first_line(f"{PG_BIN}/postgres", "--version"),
        "kernel": os.uname().release,
        "cpu": f"{len(CPUS)} x {model.group(1) if model else os.uname().machine}",
    }
