"""A real Patroni cluster on loopback addresses: etcd, and per node one Patroni with PostgreSQL 15.

    with Cluster("127.0.10") as c:        # nodes n1.. at 127.0.10.1.., PostgreSQL 5432, REST 8008
        c.leader().connect()              # psycopg
        c.switchover(c.replicas()[0])

Everything lives in one temporary directory and dies with this process, however that ends (keeper.py).
ttl 20, loop_wait 5, retry_timeout 3: the fastest that Patroni 3.0 accepts. Needs root.
"""
import base64
import http.client
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import psycopg
import yaml

from procs import (Failure, Keeper, alive, descendants, ensure_free, pids_in, send, wait_for)

PG_BIN = "/usr/lib/postgresql/15/bin"
PG_PORT, REST_PORT, ETCD_PORT = 5432, 8008, 2379
USER = "postgres"
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 5, 3

PARAMETERS = {
    "fsync": "off", "full_page_writes": "off", "shared_buffers": "16MB", "max_connections": 150,
    "wal_level": "logical", "max_wal_senders": 12, "max_replication_slots": 12,
    "wal_keep_size": "128MB", "max_wal_size": "512MB", "hot_standby": "on", "wal_log_hints": "on",
    "wal_retrieve_retry_interval": "200ms", "max_worker_processes": 4, "jit": "off",
    "logging_collector": "off", "ssl": "on",
}


def http_get(address, port, path, timeout=2.0, method="GET", body=None):
    """(status, text); (0, why) when there was no answer."""
    c = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        c.request(method, path, body)
        r = c.getresponse()
        return r.status, r.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as e:
        return 0, str(e)
    finally:
        c.close()


class Postgres:
    """A server at `address`, to be asked."""

    def connect(self, **kw):
        kw = {"dbname": "postgres", "user": USER, "autocommit": True, "connect_timeout": 3} | kw
        return psycopg.connect(host=self.address, port=PG_PORT, **kw)

    def sql(self, query, *args):
        """First column of the first row (None without rows)."""
        with self.connect() as c:
            cur = c.execute(query, args or None)
            row = cur.fetchone() if cur.description else None
            return row[0] if row else None


class Node(Postgres):
    def __init__(self, cluster, number):
        self.cluster = cluster
        self.name = f"n{number}"
        self.address = f"{cluster.block}.{number}"
        self.data = os.path.join(cluster.dir, self.name)
        self.log = os.path.join(cluster.dir, self.name + ".log")
        self.yml = os.path.join(cluster.dir, self.name + ".yml")
        self.sockets = os.path.join(cluster.dir, self.name + ".run")
        self.patroni = None  # pid

    def __repr__(self):
        return self.name

    def rest(self, path="/patroni", timeout=2.0):
        """(status, JSON or {}) of this node's Patroni."""
        status, text = http_get(self.address, REST_PORT, path, timeout)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, {}

    def is_leader(self):
        status, body = self.rest("/primary")
        return status == 200 and body.get("role") in ("master", "primary") \
            and body.get("state") == "running"

    def is_replica(self):
        return self.rest("/replica")[0] == 200

    def postgres_pids(self):
        return pids_in(self.data)

    def pids(self):
        patroni = descendants(self.patroni) if self.patroni else []
        return sorted(set(patroni) | set(self.postgres_pids()))


class Cluster:
    def __init__(self, block="127.0.10", scope="isari-test", nodes=3, also_remove=(),
                 timing=(TTL, LOOP_WAIT, RETRY_TIMEOUT), strict=False):
        """timing: ttl, loop_wait, retry_timeout; strict: synchronous_mode_strict."""
        self.block, self.scope = block, scope
        self.timing, self.strict = timing, strict
        self.etcd = f"{block}.100"
        self.dir = tempfile.mkdtemp(prefix="isari-")
        self.keeper = Keeper(self.dir, *also_remove)
        self.nodes = [Node(self, i + 1) for i in range(nodes)]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # ---- life ----------------------------------------------------------------------------------

    def start(self):
        try:
            self._check_addresses()
            self._prepare()
            self._start_etcd()
            self.start_node(self.nodes[0])
            wait_for(self.nodes[0].is_leader, 30, f"{self.nodes[0]} to become the first primary", 0.1)
            for n in self.nodes[1:]:
                self.start_node(n)
            self.wait_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        self._save_logs(os.environ.get("ISARI_TEST_LOGS"))
        self.keeper.stop()

    def _save_logs(self, where):
        """For a person who wants to know why: what the servers said, before it is removed."""
        if where and os.path.isdir(self.dir):
            kept = os.path.join(where, self.scope)
            os.makedirs(kept, exist_ok=True)
            for name in filter(lambda n: n.endswith((".log", ".yml")), os.listdir(self.dir)):
                shutil.copy(os.path.join(self.dir, name), kept)

    def _check_addresses(self):
        ensure_free(self.etcd, ETCD_PORT)
        for n in self.nodes:
            ensure_free(n.address, PG_PORT)
            ensure_free(n.address, REST_PORT)

    def _prepare(self):
        if os.geteuid() != 0:
            raise Failure("a cluster needs root: PostgreSQL is run as user postgres")
        key, crt = (os.path.join(self.dir, "server." + e) for e in ("key", "crt"))
        subprocess.run(["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-newkey",
                        "rsa:2048", "-subj", "/CN=isari-test", "-keyout", key, "-out", crt],
                       check=True, capture_output=True)
        for n in self.nodes:
            os.mkdir(n.sockets)
            with open(n.yml, "w", encoding="utf-8") as f:
                yaml.safe_dump(self._patroni_config(n, key, crt), f)
        who = pwd.getpwnam(USER)
        for path in [self.dir, key, crt] + [f for n in self.nodes for f in (n.yml, n.sockets)]:
            os.chown(path, who.pw_uid, who.pw_gid)
        os.chmod(self.dir, 0o755)
        os.chmod(key, 0o600)

    def _patroni_config(self, n, key, crt):
        as_user = {"username": USER, "password": "unused"}
        return {
            "scope": self.scope, "name": n.name,
            "restapi": {"listen": f"{n.address}:{REST_PORT}",
                        "connect_address": f"{n.address}:{REST_PORT}"},
            "etcd3": {"host": f"{self.etcd}:{ETCD_PORT}"},
            "log": {"level": "INFO"},
            "bootstrap": {
                "dcs": {**dict(zip(("ttl", "loop_wait", "retry_timeout"), self.timing)),
                        "maximum_lag_on_failover": 1 << 40,
                        "synchronous_mode": self.strict, "synchronous_mode_strict": self.strict,
                        "postgresql": {"use_pg_rewind": True, "parameters": PARAMETERS}},
                "initdb": ["no-sync", {"encoding": "UTF8"}, {"locale": "C"}],
            },
            "postgresql": {
                "listen": f"{n.address}:{PG_PORT}", "connect_address": f"{n.address}:{PG_PORT}",
                "data_dir": n.data, "bin_dir": PG_BIN, "pgpass": os.path.join(self.dir, n.name + ".pass"),
                "authentication": {"superuser": as_user, "replication": as_user, "rewind": as_user},
                "pg_hba": ["local all all trust"] + [
                    f"host {what} all {net} trust" for what in ("all", "replication")
                    for net in ("127.0.0.0/8", f"{self.block}.0/24")],
                "basebackup": [{"checkpoint": "fast"}, "no-sync"],
                "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True,
                "parameters": {"unix_socket_directories": n.sockets, "ssl_cert_file": crt,
                               "ssl_key_file": key},
            },
        }

    def launch(self, _host, argv, log, user=None, env=None):
        """Start a process of a host ("etcd", "n1" ...); here all hosts are this one (hosts.py: not so)."""
        return self.keeper.launch(argv, log, user, env)

    def _start_etcd(self):
        url, peer = f"http://{self.etcd}:{ETCD_PORT}", f"http://{self.etcd}:{ETCD_PORT + 1}"
        self.launch(
            "etcd", ["etcd", "--name", "e", "--data-dir", os.path.join(self.dir, "etcd"),
             "--listen-client-urls", url, "--advertise-client-urls", url,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", "e=" + peer, "--logger", "zap"],
            os.path.join(self.dir, "etcd.log"), USER)
        wait_for(lambda: http_get(self.etcd, ETCD_PORT, "/health")[0] == 200, 15, "etcd")

    # ---- what it is like -----------------------------------------------------------------------

    def node(self, name_or_address):
        for n in self.nodes:
            if name_or_address in (n.name, n.address):
                return n
        raise KeyError(name_or_address)

    def leader(self):
        """The node that holds the lock and writes, or None."""
        return next((n for n in self.nodes if n.is_leader()), None)

    def wait_leader(self, not_=None, timeout=45):
        def other():
            n = self.leader()
            return n if n is not not_ else None
        return wait_for(other, timeout, f"a leader{f' other than {not_}' if not_ else ''}", 0.1)

    def replicas(self):
        return [n for n in self.nodes if n.is_replica()]

    def healthy(self):
        """One leader, and every other node streams from it on its timeline."""
        leader = self.leader()
        if not leader or len(self.replicas()) != len(self.nodes) - 1:
            return None
        try:
            n = leader.sql("select count(*) from pg_stat_replication where state = 'streaming' "
                           "and application_name like 'n_'")
        except psycopg.Error:
            return None
        return leader if n == len(self.nodes) - 1 else None

    def wait_healthy(self, timeout=60):
        return wait_for(self.healthy, timeout, "one leader with every other node streaming", 0.1)

    def lock_holder(self):
        """Name of the member in etcd's leader key: the truth about who may write. None: nobody."""
        key = base64.b64encode(f"/service/{self.scope}/leader".encode()).decode()
        status, text = http_get(self.etcd, ETCD_PORT, "/v3/kv/range", 1.0, "POST",
                                json.dumps({"key": key}))
        if status != 200:
            raise Failure(f"etcd does not answer: {text}")
        kvs = json.loads(text).get("kvs")
        return base64.b64decode(kvs[0]["value"]).decode() if kvs else None

    # ---- what is done to it ----------------------------------------------------------------------

    def start_node(self, n):
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        n.patroni = self.launch(n.name, ["/usr/bin/python3", "/usr/bin/patroni", n.yml], n.log, USER, env)

    def kill_patroni(self, n):
        """SIGKILL Patroni and leave its PostgreSQL running."""
        send([n.patroni], signal.SIGKILL)
        wait_for(lambda: not alive(n.patroni), 5, f"the end of Patroni of {n}", 0.01)
        n.patroni = None

    def kill_node(self, n):
        """SIGKILL everything of a node, as a power cut does."""
        def gone():
            left = n.pids()
            send(left, signal.SIGKILL)
            return not left
        wait_for(gone, 10, f"the end of {n}", 0.01)
        n.patroni = None

    def stop_node(self, n, patroni=True, postgres=True):
        """Freeze with SIGSTOP: connections stay open and nobody answers."""
        send(self._chosen(n, patroni, postgres), signal.SIGSTOP)

    def cont_node(self, n, patroni=True, postgres=True):
        send(self._chosen(n, patroni, postgres), signal.SIGCONT)

    @staticmethod
    def _chosen(n, patroni, postgres):
        pg = n.postgres_pids()
        if patroni and postgres:
            return n.pids()
        return pg if postgres else [p for p in descendants(n.patroni) if p not in pg]

    def switchover(self, candidate, leader=None, timeout=40):
        """Ask Patroni for it; returns when the candidate is the leader."""
        leader = leader or self.wait_leader()
        body = json.dumps({"leader": leader.name, "candidate": candidate.name})
        status, text = http_get(leader.address, REST_PORT, "/switchover", timeout, "POST", body)
        if status != 200:
            raise Failure(f"switchover to {candidate} was refused: {status} {text}")
        wait_for(candidate.is_leader, timeout, f"{candidate} to be the leader")

    def heal(self):
        """Undo whatever a test did: thaw, restart what is missing, wait until all is well."""
        for n in self.nodes:
            send(n.pids(), signal.SIGCONT)
        for n in self.nodes:
            if n.patroni is None or not alive(n.patroni):
                self.start_node(n)
        return self.wait_healthy()


class LockOracle:
    """Writes down who holds the leader key, every 50 ms, beside whatever is tested."""

    def __init__(self, cluster, every=0.05):
        self.cluster, self.every = cluster, every
        self.seen = []  # (monotonic time of the answer, name or None)
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.seen.append((time.monotonic(), self.cluster.lock_holder()))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.halt.set()
        self.thread.join()

    def _run(self):
        while not self.halt.wait(self.every):
            self.seen.append((time.monotonic(), self.cluster.lock_holder()))

    def held_until(self, name):
        """The last moment at which it was seen to hold the lock."""
        return max((t for t, who in self.seen if who == name), default=None)
