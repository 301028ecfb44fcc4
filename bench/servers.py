"""The servers behind the contenders: PostgreSQL 15, a false one that does nothing but answer, and the Patroni of
each, of whom the first says that it is the primary.

Not here: what is asked of them (measures_*.py).
"""
import contextlib
import os
import pwd
import select
import subprocess
import tempfile

from cluster import PG_BIN, PG_PORT, USER
from fake_patroni import FakeNode
from meters import LOAD_CPU
from procs import Failure, Keeper, ensure_free, popen, wait_for

BLOCK = "127.0.53"
ENV = os.environ | {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable", "PGUSER": USER, "LC_ALL": "C"}

SETTINGS = {
    "listen_addresses": f"{BLOCK}.1", "port": PG_PORT, "shared_buffers": "128MB", "max_connections": 600,
    "fsync": "off", "autovacuum": "off", "wal_level": "minimal", "max_wal_senders": 0, "max_wal_size": "4GB",
    "checkpoint_timeout": "1h", "jit": "off", "max_parallel_workers_per_gather": 0,
    "synchronize_seqscans": "off",
}


def run(argv, cpu=None, **kw):
    """A client that must succeed, on the given CPU; its output."""
    if cpu is not None:
        argv = ["taskset", "-c", str(cpu), *argv]
    done = subprocess.run(argv, env=ENV, text=True, capture_output=True, check=False, **kw)
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: {done.stderr.strip()[-500:]}")
    return done.stdout


def at(target):
    """How libpq's programs are told where to go."""
    return ["-h", target.host, "-p", str(target.port)]


def psql(target, statement):
    return run([f"{PG_BIN}/psql", "-XqAt", *at(target), "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", statement])


class Nodes:
    """n1, n2, n3 and what their Patroni say. Where their servers listen is the server's part."""

    def __init__(self, first):
        self.nodes = [FakeNode(f"{BLOCK}.{first + i}", f"n{i + 1}") for i in range(3)]
        self.life = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as life:
            for i, n in enumerate(self.nodes):
                n.be("replica" if i else "primary").rest.start()
                life.callback(n.rest.stop)
            self.life = life.pop_all()
        return self.nodes

    def __exit__(self, *_):
        self.life.close()


class Postgres:
    """One real server on the load's CPU, with pgbench's tables, one that COPY makes copy_mb MB of, and one to
    copy into."""

    ROW = 200

    def __init__(self, nodes, copy_mb):
        if os.geteuid() != 0:
            raise Failure("the bench needs root: PostgreSQL is run as user postgres")
        self.host, self.port = nodes[0].address, PG_PORT
        self.rows = copy_mb * 1000000 // (self.ROW + 9)  # seven digits, a tab, a newline
        self.megabytes = self.rows * (self.ROW + 9) / 1e6
        self.dir = tempfile.mkdtemp(prefix="isari-bench-pg-")
        self.keeper = Keeper(self.dir)
        nodes[0].socket = os.path.join(self.dir, f".s.PGSQL.{PG_PORT}")

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.keeper.stop()

    def _start(self):
        ensure_free(self.host, PG_PORT)
        who = pwd.getpwnam(USER)
        os.chown(self.dir, who.pw_uid, who.pw_gid)
        os.chmod(self.dir, 0o755)
        data = os.path.join(self.dir, "data")
        run(["setpriv", "--reuid", USER, "--regid", USER, "--init-groups", f"{PG_BIN}/initdb", "-D", data,
             "-A", "trust", "-N", "-E", "UTF8", "--locale=C"], cwd="/")
        settings = SETTINGS | {"unix_socket_directories": self.dir}
        options = [word for k, v in settings.items() for word in ("-c", f"{k}={v}")]
        self.keeper.launch(["taskset", "-c", str(LOAD_CPU), f"{PG_BIN}/postgres", "-D", data, *options],
                           os.path.join(self.dir, "log"), USER)
        wait_for(self._answers, 20, "PostgreSQL")
        self._fill()

    def _answers(self):
        with contextlib.suppress(Failure):
            return psql(self, "select 1")

    def _fill(self):
        run([f"{PG_BIN}/pgbench", "-i", "-q", "-s", "5", "-h", self.host, "postgres"])
        psql(self, "create unlogged table bulk as select n, repeat(chr(65 + n % 26), "
                   f"{self.ROW}) as t from generate_series(1000000, {999999 + self.rows}) n")
        psql(self, "create unlogged table sink (n int, t text)")
        psql(self, "vacuum analyze bulk")
        psql(self, "checkpoint")


class FalseServer:
    """load_server at every node's address, and on a UNIX socket for the primary. The primary's is a process of its own:
    what it has to do when all its sessions end is not felt by those of the others."""

    def __init__(self, nodes, programs):
        self.program = os.path.join(programs, "load_server")
        self.dir = tempfile.mkdtemp(prefix="isari-bench-false-")
        nodes[0].socket = os.path.join(self.dir, f".s.PGSQL.{PG_PORT}")
        first, *others = (f"{n.address}:{PG_PORT}" for n in nodes)
        self.listen = [f"{first},{nodes[0].socket}", ",".join(others)]
        self.life = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as life:
            for addresses in self.listen:
                life.enter_context(self._running(addresses))
            self.life = life.pop_all()
        return self

    @contextlib.contextmanager
    def _running(self, addresses):
        with popen([self.program, "--listen", addresses, "--cpu", str(LOAD_CPU)], stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE, text=True) as p:
            try:
                if not select.select([p.stdout], [], [], 10)[0] or p.stdout.readline() != "ready\n":
                    raise Failure(f"{self.program} does not get ready at {addresses}")
                yield
            finally:
                p.kill()

    def __exit__(self, *_):
        self.life.close()
