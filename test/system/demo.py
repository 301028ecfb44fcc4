"""`make demo`: a real three-node cluster on loopback, isari in front of it, and a switchover felt by a writer.

Needs root (PostgreSQL is run as user postgres) and asks sudo for it. Nothing is left running, whatever
way it ends: the cluster belongs to a keeper (keeper.py), isari dies with this process.
"""
import argparse
import collections
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

DIR = "/tmp/isari-demo"
SOCKET = os.path.join(DIR, "isari.sock")
WRITE, READ, WEB = ("127.0.0.1", 5000), ("127.0.0.1", 5001), ("127.0.0.1", 7000)
WHO = "select inet_server_addr(), pg_is_in_recovery()"
INSERT = "insert into demo (at) values (now()) returning inet_server_addr()"


def say(text=""):
    print(text, flush=True)


def become_root():
    if os.geteuid() == 0:
        return
    if shutil.which("sudo"):
        os.execvp("sudo", ["sudo", "--", sys.executable, *sys.argv])
    sys.exit("make demo: needs root, because PostgreSQL is run as user postgres; run it as root or install sudo")


class Writer(threading.Thread):
    """Writes all the time, with a new connection per write, and tries again on an error."""

    def __init__(self, dsn):
        super().__init__(daemon=True)
        self.dsn = dsn
        self.halt = threading.Event()
        self.errors = collections.Counter()
        self.done = []  # (when acknowledged, by which node)

    def run(self):
        while not self.halt.wait(0.01):
            try:
                self._write()
            except psycopg.Error as e:
                self.errors[re.sub(r" since [\d.]+\w+", "", first_line(e))] += 1

    def _write(self):
        with psycopg.connect(self.dsn, autocommit=True) as c:
            node = str(c.execute(INSERT).fetchone()[0])
        self.done.append((time.monotonic(), node))

    def settled_on(self, node, for_s):
        """Has it written to this node, and only there, for so long?"""
        mine = [t for t, n in list(self.done) if n == node]
        return bool(mine) and self.done[-1][1] == node and self.done[-1][0] - mine[0] >= for_s

    def longest_wait(self):
        times = [t for t, _ in self.done]
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)


class Demo:
    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.cluster = None
        self.isari = None

    def run(self, once):
        try:
            self.start_cluster()
            self.start_isari()
            self.show_psql()
            self.show_switchover()
            self.show_strings()
            if not once:
                self.stay()
        finally:
            self.end()

    # ---- coming up -------------------------------------------------------------------------------

    def start_cluster(self):
        for address, port in (WRITE, READ, WEB):
            ensure_free(address, port)
        fresh_directory(DIR)
        say("A cluster: etcd and three nodes of Patroni + PostgreSQL 15 on 127.0.20.1, .2 and .3 ...")
        began = time.monotonic()
        self.cluster = Cluster("127.0.20", "demo", also_remove=[DIR])
        self.cluster.start()
        self.cluster.leader().sql("create table demo (id bigint generated always as identity, "
                                  "at timestamptz)")
        say(f"  up in {time.monotonic() - began:.1f} s; the primary is {self.cluster.leader()}")

    def start_isari(self):
        config = os.path.join(ROOT, "etc", "demo.yaml")
        say(f"\nisari in front of it: isari -f {short(config)}")
        log_path = os.path.join(DIR, "isari.log")
        with open(log_path, "wb") as log:
            self.isari = popen([self.binary, "-f", config], stdin=subprocess.DEVNULL,
                               stdout=log, stderr=log)
        wait_for(lambda: self._serves(log_path), 15, "isari to know the primary and both replicas")

    def _serves(self, log_path):
        if self.isari.poll() is not None:
            with open(log_path, encoding="utf-8", errors="replace") as f:
                raise Failure(f"isari ended with {self.isari.returncode}: {f.read().strip()[-600:]}")
        r = subprocess.run([self.binary, "ctl", "-s", SOCKET, "show", "stat"],
                           capture_output=True, text=True, check=False)
        rows = [line.split(",") for line in r.stdout.splitlines() if not line.startswith("#")]
        up = collections.Counter(row[0] for row in rows
                                 if len(row) > 32 and row[32] == "2" and row[17].startswith("UP"))
        return up == {"write": 1, "read": 2}

    # ---- what it shows -----------------------------------------------------------------------------

    def show_psql(self):
        say("\nPort 5000 is the primary, port 5001 the replicas in turn:")
        for address, port in (WRITE, READ, READ):
            argv = ["psql", "-h", address, "-p", str(port), "-U", "postgres", "-Atc", WHO]
            r = subprocess.run(argv, capture_output=True, text=True, check=False)
            say(f"  $ {shlex.join(argv)}")
            say(f"  {r.stdout.strip()}" if r.returncode == 0 else f"  failed: {r.stderr.strip()}")
            if r.returncode:
                raise Failure("psql could not reach the cluster through isari")

    def show_switchover(self):
        old, new = self.cluster.leader(), self.cluster.replicas()[0]
        writer = Writer(dsn(WRITE))
        writer.start()
        wait_for(lambda: writer.settled_on(old.address, 1.0), 10, "the writer's first writes", 0.02)
        argv = ["patronictl", "-c", old.yml, "switchover", "demo", "--leader", old.name,
                "--candidate", new.name, "--force"]
        say("\nA switchover, while a writer opens a new connection for every write, and waits when there is no primary:")
        say(f"  $ patronictl switchover demo --leader {old} --candidate {new} --force")
        r = subprocess.run(argv, capture_output=True, text=True, check=False)
        if r.returncode:
            raise Failure(f"patronictl failed: {r.stderr.strip() or r.stdout.strip()}")
        wait_for(lambda: writer.settled_on(new.address, 1.0), 40, f"writes on {new}", 0.02)
        writer.halt.set()
        writer.join(10)
        self.report(writer)
        self.show_command("show", "events")
        self.cluster.wait_healthy()

    def report(self, writer):
        order = list(dict.fromkeys(node for _, node in writer.done))
        path = " -> ".join(f"{self.cluster.node(a)} ({a})" for a in order)
        say(f"  what the writer felt: {len(writer.done)} writes, from {path}")
        say(f"    longest wait {writer.longest_wait():.2f} s")
        say(f"    errors {sum(writer.errors.values())}"
            + (", after each of which it tried again:" if writer.errors else ""))
        for text, n in writer.errors.most_common(4):
            say(f"      {n} x {text}")

    def show_command(self, *words):
        """The first reply of it: of the events, the latest."""
        argv = [self.binary, "ctl", "-s", SOCKET, *words]
        reply = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        first = re.match(r".*\n(?: .*\n)*", reply)
        say(f"\nWhat isari says of it: {short(self.binary)} {shlex.join(argv[1:])}")
        say("".join(f"  {line}\n" for line in first.group().splitlines()).rstrip())

    def show_strings(self):
        c = self.cluster
        say(f"\nYours: the primary is {c.leader()}.")
        say(f'  write   psql "{dsn(WRITE)}"')
        say(f'  read    psql "{dsn(READ)}"')
        say(f"  status  {short(self.binary)} ctl -s {SOCKET} show clusters")
        say(f"  page    http://{WEB[0]}:{WEB[1]}/ and there /metrics, /primary, /api/clusters")
        say(f"  watch   {short(self.binary)} top -s {SOCKET}")
        say(f"  switch  patronictl -c {c.nodes[0].yml} switchover demo")
        say(f"  log     tail -f {os.path.join(DIR, 'isari.log')}")

    def stay(self):
        say("\nCtrl-C ends it all.")
        while self.isari.poll() is None:
            signal.sigtimedwait([], 1)
        raise Failure(f"isari has ended with {self.isari.returncode}")

    def end(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if self.isari and self.isari.poll() is None:
            self.isari.send_signal(signal.SIGINT)
            try:
                self.isari.wait(5)
            except subprocess.TimeoutExpired:
                self.isari.kill()
        if self.cluster:
            self.cluster.stop()
        shutil.rmtree(DIR, ignore_errors=True)
        say("\nAll of it is gone again.")


def dsn(address):
    return f"host={address[0]} port={address[1]} user=postgres dbname=postgres"


def first_line(error):
    return str(error).strip().splitlines()[0].removeprefix("connection failed: ")


def short(path):
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def fresh_directory(path):
    """Ours and empty; never something that another user put there."""
    if os.path.lexists(path):
        if os.path.islink(path) or os.lstat(path).st_uid != 0:
            raise Failure(f"{path} belongs to somebody else; remove it first")
        shutil.rmtree(path)
    os.mkdir(path, 0o755)


def on_signal(number, _):
    raise SystemExit(128 + number)


def main():
    parser = argparse.ArgumentParser(description="a real cluster, isari, and a switchover")
    parser.add_argument("--isari", default=os.path.join(ROOT, "build", "isari"), help="the built binary")
    parser.add_argument("--once", action="store_true", help="end after the show")
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
    for s in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, on_signal)
    try:
        Demo(args.isari).run(args.once)
    except KeyboardInterrupt:
        return 0
    except (Failure, OSError, psycopg.Error) as e:
        print(f"make demo: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    become_root()
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import psycopg  # noqa: E402  (after root: sudo starts this file again)

from cluster import Cluster  # noqa: E402
from procs import ROOT, Failure, ensure_free, popen, wait_for  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
