"""Thousands of sessions at once: cut together when their primary is none any more, and idle beside active ones.

Not here: what they cost in memory (measures_memory.py).
"""
from contenders import SESSIONS
from measures_load import Load, crowd, load
from method import Measure
from procs import wait_for

SURVIVORS = 100


# ---- cut -------------------------------------------------------------------------------------------


def cut(turn):
    """n1 says that it is no primary any more; sessions of n2, on the read port, go on asking meanwhile."""
    conns = min(turn.pick(10000, 2000), SESSIONS - SURVIVORS - 50)
    primary = turn.contender.nodes[0]
    try:
        with Load(turn, "cut", conns=conns, survivors=turn.contender.read_address, survivor_conns=SURVIVORS,
                  seconds=60) as p:
            p.await_line("ready")
            before = turns_of(turn.contender)
            primary.be("replica")
            found = p.result()
            after = turns_of(turn.contender)
    finally:
        primary.be("primary")
        wait_for(turn.contender.serving, 15, f"{turn.contender.name} to serve {primary} again")
    return {"done": found["first_to_last_ms"], "sessions": found["n"],
            "p99": found["survivors_during_p99_us"], "worst": found["survivors_during_max_us"] / 1000,
            "turn": after and after["longest_us"] / 1000, "long": after and after["over_2ms"] - before["over_2ms"]}


def turns_of(contender):
    """The row of `show workers` of isari's one worker; None: another proxy."""
    if not hasattr(contender, "isari"):
        return None
    lines = [line.split() for line in contender.isari.ask("show workers").splitlines() if line.strip()]
    return {k: int(v) for k, v in zip(lines[0], lines[1]) if v.isdigit()}


# ---- idle beside active ----------------------------------------------------------------------------


def beside_idle(turn):
    """The same 100 active sessions alone and beside the idle ones, in turns: alone, beside, alone."""
    conns = min(turn.pick(20000, 2000), SESSIONS - 150)
    active = {"conns": 100, "request": 128, "response": 512, "seconds": 0.5, "warmup": 0.1}
    before = load(turn, "pingpong", **active)
    with crowd(turn, conns, response=512, sources=4):
        beside = load(turn, "pingpong", **active)
    after = load(turn, "pingpong", **active)
    return {"idle": conns} | {key: 2 * beside[of] / (before[of] + after[of])
                              for key, of in (("p50", "p50_us"), ("p99", "p99_us"))}


READ = {"isari": {"read": True}, "haproxy": {"read": True}}
MEASURES = (
    Measure("cut", cut, ("isari", "haproxy"), "false", rounds=5, fresh=True, warm=False, more=READ),
    Measure("crowd", beside_idle, ("direct", "isari", "haproxy"), "false", rounds=5, warm=False),
)
