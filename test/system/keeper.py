"""Parent of every process that must not survive: started by procs.Keeper, one per cluster.

Patroni lets PostgreSQL outlive it on purpose, so killing children by parent-death signal is not enough.
The keeper is a subreaper: whatever its children leave behind becomes its own child. It starts what it
is told to (one JSON object per line on stdin), and when stdin ends, for whatever reason, even because
its owner was killed with SIGKILL, it kills all that is left and removes the directories it was given.
"""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def children():
    """Every living descendant (we are the subreaper: there are no others)."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", "rb") as f:
                state, ppid = f.read().rpartition(b")")[2].split()[:2]
        except OSError:
            continue
        if state != b"Z":
            parents[int(entry)] = int(ppid)
    found, grown = {os.getpid()}, True
    while grown:
        grown = {p for p, pp in parents.items() if pp in found} - found
        found |= grown
    return found - {os.getpid()}


def reap(*_):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def launch(order):
    argv = order["argv"]
    if order.get("user"):
        argv = ["setpriv", "--reuid", order["user"], "--regid", order["user"], "--init-groups",
                "--pdeathsig", "KILL", "--"] + argv
    with open(order["log"], "ab") as log:
        p = subprocess.Popen(order.get("prefix", []) + argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             env=order.get("env"), cwd=order.get("cwd", "/"),
                             start_new_session=True)
    return p.pid


def serve():
    for line in iter(sys.stdin.buffer.readline, b""):
        try:
            answer = {"pid": launch(json.loads(line))}
        except OSError as e:
            answer = {"error": str(e)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def end(directories):
    until = time.monotonic() + 10
    while (left := children()) and time.monotonic() < until:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        time.sleep(0.01)  # nothing can be awaited here: the children of strangers have to be polled
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


def main():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(s, lambda *_: None)  # a handler, not SIG_IGN: children would inherit that
    signal.signal(signal.SIGCHLD, reap)
    try:
        serve()
    finally:
        end(sys.argv[1:])


if __name__ == "__main__":
    main()
