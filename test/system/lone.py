"""A real PostgreSQL alone, or with a standby of its own, behind a false Patroni: for what needs real sessions and no
failover. Starts in two seconds; a whole cluster takes twenty.

    with Lone("127.0.66") as pg:              # PostgreSQL and REST at 127.0.66.1, and a UNIX socket in pg.dir
        pg.node.be("replica")                 # what Patroni says of it from now on
        pg.add_standby(2, "host=... port=...")   # at 127.0.66.2, copied from there and streaming from there

Everything lives in one temporary directory and dies with this process, however that ends (keeper.py). Needs root.
"""
import os
import pwd
import subprocess
import tempfile

import psycopg

from cluster import PG_BIN, PG_PORT, USER, Postgres
from fake_patroni import FakeNode
from procs import Failure, Keeper, ensure_free, wait_for

SETTINGS = {
    "port": PG_PORT, "unix_socket_directories": "", "shared_buffers": "128MB", "max_connections": 60, "fsync": "off",
    "autovacuum": "off", "wal_level": "replica", "max_wal_senders": 10, "wal_keep_size": "512MB", "max_wal_size": "4GB",
    "checkpoint_timeout": "1h", "jit": "off", "max_parallel_workers_per_gather": 0, "ssl": "on",
}
AS_USER = ["setpriv", "--reuid", USER, "--regid", USER, "--init-groups", "--"]
QUIET = os.environ | {"LC_ALL": "C", "PGUSER": USER, "PGGSSENCMODE": "disable"}


def run(argv, **kw):
    """A command that must succeed; what it wrote."""
    done = subprocess.run(argv, env=QUIET, capture_output=True, check=False, **kw)
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: {done.stderr.decode(errors='replace').strip()[-800:]}")
    return done.stdout


class Server(Postgres):
    """One postgres at an address of its own, with its data directory made already."""

    def __init__(self, lone, number):
        self.lone, self.address = lone, f"{lone.block}.{number}"
        self.data = os.path.join(lone.dir, f"data{number}")
        self.log = os.path.join(lone.dir, f"log{number}")

    def start(self, **settings):
        settings = SETTINGS | self.lone.certificate | {"listen_addresses": self.address} | settings
        options = [word for k, v in settings.items() for word in ("-c", f"{k}={v}")]
        self.lone.keeper.launch([f"{PG_BIN}/postgres", "-D", self.data, *options], self.log, USER)
        wait_for(self._answers, 30, f"PostgreSQL at {self.address}")
        return self

    def _answers(self):
        try:
            return self.sql("select 1")
        except psycopg.OperationalError:
            return None


class Lone(Server):
    scope = "fake"

    def __init__(self, block):
        if os.geteuid() != 0:
            raise Failure("PostgreSQL is run as user postgres, and only root can do that")
        self.block = block
        self.dir = tempfile.mkdtemp(prefix="isari-lone-")
        self.keeper = Keeper(self.dir)
        super().__init__(self, 1)
        self.node = FakeNode(self.address, "n1")
        self.nodes = [self.node]  # what isari.config_for() asks for

    def __enter__(self):
        try:
            ensure_free(self.address, PG_PORT)
            self._prepare()
            self.start(unix_socket_directories=self.dir)
            self.node.be("primary").rest.start()
        except BaseException:
            self.keeper.stop()
            raise
        return self

    def __exit__(self, *_):
        self.node.rest.stop()
        self.keeper.stop()

    def _prepare(self):
        key, crt = (os.path.join(self.dir, "server." + e) for e in ("key", "crt"))
        run(["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-newkey", "rsa:2048",
             "-subj", "/CN=isari-test", "-keyout", key, "-out", crt])
        self.certificate = {"ssl_cert_file": crt, "ssl_key_file": key}
        who = pwd.getpwnam(USER)
        for path in (self.dir, key, crt):
            os.chown(path, who.pw_uid, who.pw_gid)
        os.chmod(self.dir, 0o755)
        run([*AS_USER, f"{PG_BIN}/initdb", "-D", self.data, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"], cwd="/")

    def add_standby(self, number, conninfo, name="standby"):
        """Copied and fed through conninfo; returns when it streams."""
        standby = Server(self, number)
        ensure_free(standby.address, PG_PORT)
        run([*AS_USER, f"{PG_BIN}/pg_basebackup", "-d", conninfo, "-D", standby.data, "-X", "stream", "-c", "fast",
             "-N"], cwd="/")
        open(os.path.join(standby.data, "standby.signal"), "w", encoding="ascii").close()
        with open(os.path.join(standby.data, "postgresql.conf"), "a", encoding="ascii") as f:
            f.write(f"primary_conninfo = '{conninfo} application_name={name}'\nwal_retrieve_retry_interval = 200ms\n")
        standby.start()
        state = "select state from pg_stat_replication where application_name = %s"
        wait_for(lambda: self.sql(state, name) == "streaming", 20, f"{name} to stream")
        return standby
