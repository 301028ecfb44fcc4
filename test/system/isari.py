"""Run the built isari with a configuration, and talk to it.

    with Isari({"clusters": ..., "listeners": ...}) as i:
        i.ctl("show stat")

The binary: $ISARI, else build/isari. Its log is a file, read by logged() and wait_log().
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg
import yaml

from procs import ROOT, Failure, free_port, popen, wait_for
from stats_socket import StatsSocket


def binary():
    return os.path.abspath(os.environ.get("ISARI", os.path.join(ROOT, "build", "isari")))


def config_for(cluster, hold=None, **probe):
    """The usual file: a write and a read listener before one cluster, on free ports. hold=0: clients that come
    while there is no server are refused at once, for tests of what they hear."""
    entry = {"scope": cluster.scope, "members": [members_entry(n) for n in cluster.nodes]}
    if probe:
        entry["probe"] = probe
    listeners = {
        "write": {"bind": f"127.0.0.1:{free_port()}", "serve": "primary"},
        "read": {"bind": f"127.0.0.1:{free_port()}", "serve": "replica"},
    }
    if hold is not None:
        for listener in listeners.values():
            listener["hold"] = hold
    return {"clusters": {"main": entry}, "listeners": listeners}


def members_entry(n):
    return {"name": n.name, "host": n.address}


class Isari(StatsSocket):
    def __init__(self, config, prefix=(), fds=None, stats=None):
        """config: a dict, to which stats.socket is added and the keys of `stats`, or the text of a file, taken as it
        is."""
        self.dir = tempfile.mkdtemp(prefix="isari-run-")
        self.log = os.path.join(self.dir, "log")
        self.file = os.path.join(self.dir, "isari.yaml")
        self.socket = os.path.join(self.dir, "stats")
        self.prefix, self.fds = list(prefix), fds
        self.p = None
        if isinstance(config, dict):
            config = {"stats": {"socket": self.socket} | (stats or {})} | config
        self.config = config
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))

    def __enter__(self):
        self.start()
        try:
            return self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self, *args):
        with open(self.log, "ab") as log:
            argv = self.prefix + [binary(), "-f", self.file, *args]
            if self.fds:
                argv = ["prlimit", f"--nofile={self.fds}:{self.fds}", "--"] + argv
            self.p = popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def wait_ready(self, timeout=10):
        """Until the stats socket answers."""
        def answers():
            if self.p.poll() is not None:
                raise Failure(f"isari ended with {self.p.returncode}: {self.text()[-2000:]}")
            try:
                return "Name:" in self.ask("show info")
            except OSError:
                return False
        wait_for(answers, timeout if not self.prefix else 60, "isari's stats socket", 0.02)
        return self

    def stop(self, sig=signal.SIGINT, timeout=20):
        """End it (SIGINT: at once) and return its exit code; its directory is removed."""
        code = self.end(sig, timeout) if self.p else None
        keep = os.environ.get("ISARI_TEST_LOGS")
        if keep and os.path.exists(self.log):
            os.makedirs(keep, exist_ok=True)
            name = re.sub(r"\W+", "-", os.environ.get("PYTEST_CURRENT_TEST", "isari").split(" ")[0])
            shutil.copy(self.log, os.path.join(keep, name + ".log"))
        shutil.rmtree(self.dir, ignore_errors=True)
        return code

    def end(self, sig, timeout=20):
        if self.p.poll() is None:
            self.p.send_signal(sig)
        try:
            return self.p.wait(timeout)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            raise Failure(f"isari did not end within {timeout} s of {sig!r}") from None

    # ---- asking it ------------------------------------------------------------------------------

    def ctl(self, *words):
        """The finished `isari ctl` process."""
        return subprocess.run([binary(), "ctl", "-s", self.socket, *words], capture_output=True,
                              text=True, timeout=10, check=False)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def logged(self, pattern):
        return [line for line in self.text().splitlines() if re.search(pattern, line)]

    def wait_log(self, pattern, timeout=10):
        return wait_for(lambda: self.logged(pattern), timeout, f"a log line like {pattern!r}", 0.02)

    # ---- using it -------------------------------------------------------------------------------

    def address(self, listener):
        bind = self.config["listeners"][listener]["bind"]
        host, _, port = (bind if isinstance(bind, str) else bind[0]).rpartition(":")
        return host, int(port)

    def dsn(self, listener, **kw):
        host, port = self.address(listener)
        return psycopg.conninfo.make_conninfo(
            host=host, port=port, user="postgres", dbname="postgres", **({"connect_timeout": 5} | kw))

    def connect(self, listener, **kw):
        return psycopg.connect(self.dsn(listener, **kw), autocommit=True)

    def where(self, listener, **kw):
        """(address of the node that answers, is it in recovery)"""
        with self.connect(listener, **kw) as c:
            return c.execute("select host(inet_server_addr()), pg_is_in_recovery()").fetchone()

    def dial(self, listener, timeout=5):
        s = socket.create_connection(self.address(listener), timeout)
        s.settimeout(timeout)
        return s


def closed_at(sock, timeout):
    """Wait until a silent socket ends (EOF or reset) and return when; None: it did not."""
    sock.settimeout(timeout)
    try:
        while sock.recv(65536):
            pass
    except (TimeoutError, BlockingIOError):
        return None
    except OSError:
        pass
    return time.monotonic()
