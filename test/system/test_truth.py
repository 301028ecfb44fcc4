"""Whom isari believes, with members that say false, strange or no things (fake_patroni.py)."""
import time

import pytest

from fake_patroni import MODES, FakeCluster, FakeRest
from isari import Isari, config_for, members_entry
from load import Watch
from pgwire import login, query, read_error, read_until, startup
from procs import free_port, wait_for

FAST = {"interval": "200ms", "fast_interval": "50ms", "timeout": "500ms", "lease": "2s", "ping_timeout": "300ms"}


@pytest.fixture
def world():
    """Two false members, n1 the primary, and isari before them: (n1, n2, isari)."""
    with FakeCluster("127.0.31") as fakes, Isari(config_for(fakes, hold=0, **FAST)) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2"])
        yield *fakes.nodes, i


def never_writes(i, seconds, allowed=()):
    """Watch the write port for so long: it serves nobody but those allowed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        extra = set(i.up("write")) - {n.name for n in allowed}
        assert not extra, f"the write port went to {extra}"
        time.sleep(0.02)


# ---- claims that are no proof ------------------------------------------------------------------------

NO_PROOF = {
    "another scope": {"scope": "stranger"},
    "another system identifier": {"system_id": "7399999999999999999"},
    "another member's name": {"name": "n1"},
    "200 while it is still in recovery": {"claim": "replica"},
    "200 while PostgreSQL is starting": {"state": "starting"},
    "200 while PostgreSQL could not be asked": {"state": "unknown"},
    "503 although the body says primary": {"status": 503},
}


@pytest.mark.parametrize("facts", NO_PROOF.values(), ids=NO_PROOF.keys())
def test_no_write_session_without_proof(world, facts):
    n1, n2, i = world
    n1.be("replica")
    i.wait_up("write", [])
    n2.be("primary", timeline=2, **facts)
    never_writes(i, 1.0)
    with i.dial("write") as s:
        s.sendall(startup())
        assert read_error(s)["C"] == "57P03"
    n2.be("primary", timeline=2)
    i.wait_up("write", ["n2"], 3)


def test_the_right_scope_is_insisted_on():
    with FakeCluster("127.0.31") as fakes:
        config = config_for(fakes, **FAST)
        config["clusters"]["main"]["scope"] = "another"
        with Isari(config) as i:
            wait_for(lambda: i.ask("show clusters").count("belongs to another Patroni scope") >= 2, 5,
                     "the reason in show clusters")
            never_writes(i, 0.5)
            assert i.up("read") == []
            assert i.logged(r"event=member_down .*member=n1 .*another Patroni scope")


# ---- two that claim it -------------------------------------------------------------------------------

def test_of_two_primaries_the_higher_timeline_wins_and_the_other_is_cut(world):
    n1, n2, i = world
    with Watch([login(i.dial("write")) for _ in range(20)]) as sessions:
        n2.be("primary", timeline=2)
        i.wait_up("write", ["n2"], 3)
        wait_for(sessions.all_ended, 2, "the cut of the old primary's sessions")
    never_writes(i, 1.0, [n2])


def test_of_two_primaries_on_one_timeline_the_incumbent_stays(world):
    n1, n2, i = world
    n2.be("primary", timeline=1)
    i.wait_log("event=primary_ambiguous", 5)
    never_writes(i, 1.0, [n1])


def test_of_two_primaries_from_the_start_nobody_is_until_one_steps_down():
    with FakeCluster("127.0.31") as fakes:
        n1, n2 = fakes.nodes
        for n in fakes.nodes:
            n.be("primary", timeline=4)
        with Isari(config_for(fakes, hold=0, **FAST)) as i:
            i.wait_log("level=error event=primary_ambiguous .*(n1 .*n2|n2 .*n1)", 5)
            never_writes(i, 1.0)
            with i.dial("write") as s:
                s.sendall(startup())
                assert read_error(s)["C"] == "57P03"
            n2.be("replica", timeline=4)
            i.wait_up("write", ["n1"], 3)


def test_of_primaries_of_two_clusters_at_the_start_neither_is_until_one_steps_down():
    """A member by mistake: which cluster is meant nobody has said, and the higher timeline is no hint."""
    with FakeCluster("127.0.31", 3) as fakes:
        n1, n2, n3 = fakes.nodes
        n3.be("primary", timeline=9, system_id="7399999999999999999")
        with Isari(config_for(fakes, hold=0, **FAST)) as i:
            i.wait_log("level=error event=primary_ambiguous .*n1 .*n3 .*primaries of two clusters", 5)
            never_writes(i, 1.0)
            with i.dial("write") as s:
                s.sendall(startup())
                assert "are primaries of two clusters" in read_error(s)["M"]
            n3.be("replica", timeline=9, system_id="7399999999999999999")
            i.wait_up("write", ["n1"], 5).wait_up("read", ["n2"])
            assert i.logged("event=member_down .*member=n3 .*another system identifier")


def test_a_timeline_that_goes_down_is_followed_late_and_shouted_about(world):
    n1, n2, i = world
    n1.be("primary", timeline=7)
    wait_for(lambda: "timeline 7" in i.ask("show clusters"), 5, "timeline 7")
    n1.be("replica", timeline=7)
    i.wait_up("write", [])
    n2.be("primary", timeline=6)
    i.wait_up("write", ["n2"], 5)
    assert i.logged("level=error event=timeline_went_down")


# ---- cutting -------------------------------------------------------------------------------------------

def test_1000_sessions_are_cut_within_100_ms_of_the_answer_that_demotes(world):
    n1, n2, i = world
    with Watch([login(i.dial("write")) for _ in range(1000)]) as sessions, login(i.dial("read")) as reader:
        n1.rest.answers.clear()
        n1.be("replica")
        wait_for(sessions.all_ended, 5, "the cut")
        told = min(t for t, path, status in list(n1.rest.answers) if path == "/primary" and status == "503")
        took = max(sessions.ended.values()) - told
        print(f"\n1,000 sessions cut {took * 1000:.0f} ms after the answer that demoted their server")
        assert took < 0.1
        reader.sendall(query("select 1"))
        read_until(reader, b"Z")


def test_sessions_blocked_in_a_write_are_cut_too(world):
    """The server takes nothing, isari's buffers to it are full: the cut must not wait for them."""
    n1, n2, i = world
    stuck = []
    n1.pg.raw = stuck.append  # accepted, never read
    blocked = i.dial("write")
    blocked.sendall(startup())
    blocked.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            blocked.send(b"x" * 65536)
    n1.be("replica")
    i.wait_log("event=session_end listener=write", 3)
    blocked.settimeout(3)
    with pytest.raises(OSError):
        while True:
            blocked.send(b"x" * 65536)
    for s in stuck + [blocked]:
        s.close()


# ---- a REST that misbehaves ------------------------------------------------------------------------------

SILENT = [m for m in MODES if m not in ("ok", "slow", "error_500")]


@pytest.fixture(scope="module")
def many():
    """One isari, one cluster per kind of misbehaviour, all at once: ({mode: (n1, n2)}, isari)."""
    worlds, config = {}, {"clusters": {}, "listeners": {}}
    trap = FakeRest("127.0.33.250", "n1").start()
    trap.facts = {"role": "primary", "timeline": 9}
    for k, mode in enumerate(SILENT):
        fakes = FakeCluster(f"127.0.{40 + k}")
        fakes.__enter__()
        worlds[mode] = fakes
        config["clusters"][mode] = {"members": [members_entry(n) for n in fakes.nodes], "probe": dict(FAST)}
        config["listeners"][mode] = {"bind": f"127.0.0.1:{free_port()}", "serve": "primary", "cluster": mode}
    with Isari(config) as i:
        for mode in SILENT:
            i.wait_up(mode, ["n1"])
        i.trap = trap
        yield worlds, i
    for fakes in worlds.values():
        fakes.__exit__()
    trap.stop()


def rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS:")).split()[1])


def test_misbehaving_rests_are_no_proof_cost_little_and_are_forgiven(many):
    worlds, i = many
    before = rss_kb(i.p.pid)
    for mode, fakes in worlds.items():
        fakes.nodes[0].be("primary", mode, to="127.0.33.250")
    began = time.monotonic()
    for mode in SILENT:  # the data port answers, so sessions live on until the lease, and no longer
        i.wait_up(mode, [], 2 + 2)
    asked = {mode: len(fakes.nodes[1].rest.asked) for mode, fakes in worlds.items()}
    wait_for(lambda: all(len(f.nodes[1].rest.asked) >= asked[m] + 5 for m, f in worlds.items()), 3,
             "the other members to be asked in their rhythm")
    grown = rss_kb(i.p.pid) - before
    for fakes in worlds.values():
        fakes.nodes[0].be("primary")
    for mode in SILENT:
        i.wait_up(mode, ["n1"], 2)
    took = time.monotonic() - began
    print(f"\n{len(SILENT)} kinds of misbehaviour: {grown} kB more memory, all over after {took:.1f} s")
    assert not i.trap.asked, "a redirect was followed"
    assert grown < 2048 * len(SILENT)


def test_a_refusing_rest_is_asked_again(world):
    n1, n2, i = world
    n1.rest.refuse()
    i.wait_up("write", [], 5)
    n1.rest.start()
    i.wait_up("write", ["n1"], 3)


def test_one_slow_rest_does_not_slow_the_other(world):
    n1, n2, i = world
    n1.be("primary", "slow", delay=0.4)
    seen = len(n2.rest.asked)
    wait_for(lambda: len(n2.rest.asked) >= seen + 10, 3, "n2 to be asked in its rhythm")
    assert i.up("write") == ["n1"]


def test_the_server_refuses_although_its_rest_is_fine(world):
    n1, n2, i = world
    n1.pg.stop()
    with i.dial("write") as s:
        s.sendall(startup())
        assert read_error(s)["C"] == "57P03"
    assert i.p.poll() is None
