"""Loads of the generator (load) on a false server (load_server): round trips, connections, synthetic streams. Every
function is, or makes, a measure's `take` (method.py).

Not here: sessions that only are there (measures_memory.py), crowds (measures_crowd.py).
"""
import contextlib
import json
import os
import select
import subprocess

from meters import LOAD_CPU, Calls, Spent
from method import Measure
from procs import Failure, popen

PEERS = ("direct", "isari", "haproxy", "nginx", "pgbouncer")
BARE = ("bare", "bare-unix")
SPINNING = ("direct", "isari", "isari-spin", "haproxy", "haproxy-busy")
UNIX = ("isari-unix", "isari-unix-server")
BULK = ("direct", "isari", "haproxy", "haproxy-tuned", "nginx", "nginx-tuned")
LONGEST = 120  # seconds


class Load:
    """One run of load against an address."""

    def __init__(self, turn, mode, address=None, **settings):
        words = []
        for key, value in settings.items():
            words += ["--" + key.replace("_", "-")] + ([] if value is True else [str(value)])
        self.argv = [os.path.join(turn.stage.programs, "load"), mode, "--target", address or turn.contender.address,
                     "--cpu", str(LOAD_CPU), *words]
        self.p = popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        for f in (self.p.stdin, self.p.stdout, self.p.stderr):
            f.close()

    def await_line(self, word):
        """A line that says how far it is, before the result."""
        if not select.select([self.p.stdout], [], [], LONGEST)[0] or self.p.stdout.readline().decode().strip() != word:
            self.p.kill()
            self.result()
            raise Failure(f"{' '.join(self.argv)} never said {word}")
        return self

    def result(self):
        """What it says at the end; standard input is closed for it."""
        try:
            out, err = self.p.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(self.argv)} does not end") from None
        if self.p.returncode != 0:
            raise Failure(f"{' '.join(self.argv[1:])}: {err.decode().strip()[-400:]}")
        return json.loads(out.splitlines()[-1])


def load(turn, mode, address=None, **settings):
    with Load(turn, mode, address, **settings) as p:
        return p.result()


@contextlib.contextmanager
def crowd(turn, conns, address=None, **settings):
    """So many sessions that had one answer each and are silent since."""
    with Load(turn, "idle", address, conns=conns, **settings) as p:
        yield p.await_line("ready")
        p.result()


# ---- round trips -----------------------------------------------------------------------------------

MESSAGE = {"request": 128, "response": 512, "warmup": 0}


def pingpong(conns):
    def take(turn):
        with Spent(turn.contender.pid) as spent:
            found = load(turn, "pingpong", conns=conns, seconds=turn.pick(0.5, 0.3), **MESSAGE)
        return {"p50": found["p50_us"], "p99": found["p99_us"], "rate": found["rate_per_s"],
                "cpu": spent.us_per(found["n"])}
    return take


def connect(turn):
    with Spent(turn.contender.pid) as spent:
        found = load(turn, "connect", inflight=64, seconds=turn.pick(0.5, 0.3), warmup=0, no_message=True)
    return {"cpu": spent.us_per(found["n"]), "rate": found["rate_per_s"]}


def calls(mode, **settings):
    """System calls per message or connection."""
    def take(turn):
        with Calls(turn.contender.pid) as counted:
            found = load(turn, mode, seconds=0.4, warmup=0, **settings)
        return {"calls": counted.per(found["n"])}
    return take


# ---- streams ---------------------------------------------------------------------------------------


def bulk(direction, streams):
    def take(turn):
        size = turn.pick(1 << 30, 512 << 20) // streams
        how = {"discard": True} if direction == "down" else {}  # the reader's own copying is nobody's affair
        with Spent(turn.contender.pid) as spent:
            found = load(turn, "bulk", direction=direction, streams=streams, chunk=256 << 10, bytes=size, **how)
        gbit = found["bytes"] * 8e-9
        return {"rate": gbit / found["seconds"], "per_cpu": gbit / spent.seconds if spent.seconds else None}
    return take


def verified(direction):
    """1 where random bytes arrive as they were sent; load compares them one by one."""
    def take(turn):
        for streams, size in ((1, 64 << 20), (8, 8 << 20)):
            load(turn, "bulk", direction=direction, streams=streams, bytes=size, chunk=60000, verify=True)
        return {"same": 1.0}
    return take


def fair(turn):
    found = load(turn, "fair", bulk=2, rate=625000000, chunk=64 << 10, conns=4, seconds=1, warmup=0.1)
    return {"p50": found["p50_us"], "p99": found["p99_us"], "rate": found["bulk_bytes_per_s"] * 8e-9}


COUNTED = {"rounds": 3, "quick_rounds": 1, "warm": False}
ONE = {"conns": 1, "request": 128, "response": 512}
MANY = ONE | {"conns": 32}

MEASURES = (
    Measure("pingpong-1", pingpong(1), (*PEERS, "bare"), "false", "same"),
    Measure("pingpong-1-own", pingpong(1), SPINNING, "false"),
    Measure("pingpong-4-own", pingpong(4), SPINNING, "false"),
    Measure("pingpong-32", pingpong(32), (*PEERS, *UNIX, *BARE), "false", "same"),
    Measure("pingpong-128-own", pingpong(128), (*PEERS, *UNIX, *BARE), "false"),
    Measure("calls-1", calls("pingpong", **ONE), PEERS[1:], "false", **COUNTED),
    Measure("calls-32", calls("pingpong", **MANY), PEERS[1:], "false", "same", **COUNTED),
    Measure("calls-connect", calls("connect", inflight=16, no_message=True), (*PEERS[1:], "bare"), "false", "same", **COUNTED),
    Measure("connect", connect, (*PEERS, "bare"), "false"),
    *(Measure(f"bulk-{d}-{n}", bulk(d, n), BULK, "false") for d in ("down", "up") for n in (1, 8)),
    *(Measure(f"verify-{d}", verified(d), ("isari", *UNIX), "false", rounds=1, warm=False) for d in ("down", "up")),
    Measure("fair", fair, ("direct", "isari", "haproxy", "nginx"), "false"),
)
