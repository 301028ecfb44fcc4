"""Processes and waiting, for the system tests and the demo: nothing started here survives its owner.

Not here: what a cluster is (cluster.py), how isari is run (isari.py).
"""
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """One sentence that a person can act on."""


def wait_for(condition, timeout, what, every=0.05):
    """Poll until condition() is true and return its value; Failure names what never came."""
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= until:
            raise Failure(f"waited {timeout:g} s in vain for {what}")
        time.sleep(every)


class Keeper:
    """Owner of the processes of one cluster; see keeper.py for how they end."""

    def __init__(self, *directories):
        argv = [sys.executable, os.path.join(HERE, "keeper.py"), *directories]
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  start_new_session=True, text=True)

    def launch(self, argv, log, user=None, env=None, prefix=()):
        """prefix: words before all others, run as root."""
        order = {"argv": argv, "log": log, "user": user, "env": env, "prefix": list(prefix)}
        self.p.stdin.write(json.dumps(order) + "\n")
        self.p.stdin.flush()
        answer = json.loads(self.p.stdout.readline())
        if "error" in answer:
            raise Failure(f"cannot start {argv[0]}: {answer['error']}")
        return answer["pid"]

    def stop(self):
        if not self.p.stdin.closed:
            self.p.stdin.close()
        self.p.wait(20)
        self.p.stdout.close()


def dies_with_parent():
    """preexec_fn of processes that have no children of their own."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def popen(argv, **kw):
    return subprocess.Popen(argv, start_new_session=True, preexec_fn=dies_with_parent, **kw)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def send(pids, sig):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def descendants(pid):
    """pid and all below it, parents first."""
    found = [pid]
    for p in found:
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{task}/children") as f:
                    found += [int(c) for c in f.read().split()]
        except OSError:
            continue
    return [p for p in found if alive(p)]


def pids_in(directory):
    """Processes whose working directory it is: PostgreSQL's all live in their data directory."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{entry}/cwd") == directory:
                found.append(int(entry))
        except OSError:
            continue
    return [p for p in found if alive(p)]


def ensure_free(address, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind((address, port))
    except OSError as e:
        raise Failure(f"cannot use {address}:{port}: {e.strerror}; end what listens there first "
                      f"(ss -ltnp 'sport = :{port}' names it)") from None
    finally:
        s.close()


given_ports = set()  # and perhaps not bound yet


def free_port(address="127.0.0.1"):
    """A port nobody uses, below the range from which the kernel takes the ports of clients; nobody
    gets one that was given to somebody else before."""
    if len(given_ports) > 8000:
        given_ports.clear()
    for _ in range(200):
        port = 20000 + int.from_bytes(os.urandom(2), "big") % 12000
        if port in given_ports:
            continue
        try:
            ensure_free(address, port)
            given_ports.add(port)
            return port
        except Failure:
            continue
    raise Failure(f"no free port on {address}")
