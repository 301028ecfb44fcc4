"""No acknowledged write is lost by the way through isari, and none goes to an old primary, whatever happens
to the cluster. The same judge must find what is known of HAProxy."""
import pytest

from .choice import of_isari
from .contenders import HaproxyFront, IsariFront
from .events import EVENTS
from .judge import RULES
from .run import run

# Of a call on a session whose server is silent: the lease, and what a busy machine adds. Under strict
# synchronous replication a commit waits for a standby, however well it was led.
HANG = 12.0

whole = pytest.mark.matrix(True)   # chosen by conftest.py: only in `make system T=consistency`
short = pytest.mark.matrix(False)  # part of the matrix


def check(result, event, results):
    """All verdicts, and the few bounds that no slow machine excuses."""
    results.append(result)
    assert not result.guilty, "\n" + result.evidence()
    b, e = result.bounds, EVENTS[event]
    assert not (e.calm and b["idle_cuts"]), f"{b['idle_cuts']} idle sessions were cut\n{result.evidence()}"
    assert not (e.noticed and b["idle_cut_s"] is None), f"no idle session was cut\n{result.evidence()}"
    assert not e.noticed or b["idle_cut_s"] <= e.noticed, \
        f"an idle session was cut after {b['idle_cut_s']:.1f} s\n{result.evidence()}"
    assert result.history.strict or b["hang_s"] <= HANG, \
        f"a call hung for {b['hang_s']:.1f} s\n{result.evidence()}"
    assert not b["misrouted_ro"], result.evidence()


@short
@pytest.mark.parametrize("event", ["switchover", "freeze-patroni"])
def test_isari_in_short(cluster, results, event):
    check(run(cluster, IsariFront, event, f"{event} async 20 isari"), event, results)


@whole
def test_the_judge_finds_haproxys_stale_primary_behind_a_frozen_patroni(clusters, results):
    """Its checks take 21-24 s to notice a hanging REST; the lock lives for 15-20 s."""
    r = run(clusters.get("async", 20), HaproxyFront, "freeze-patroni", "freeze-patroni async 20 haproxy")
    results.append(r)
    assert r.count("stale_lock") > 0, r.evidence()


@whole
def test_the_judge_finds_haproxys_forgotten_sessions_after_a_reload(clusters, results):
    """The old process checks nobody any more: its sessions write on beside the new primary's."""
    r = run(clusters.get("async", 20), HaproxyFront, "reload-freeze", "reload-freeze async 20 haproxy")
    results.append(r)
    assert r.count("stale_session") > 0 and r.count("stale_truth") > 0, r.evidence()
    assert r.bounds["overlap_s"] > 1, r.evidence()


@whole
def test_the_judge_finds_haproxys_read_only_sessions_in_a_switchover(clusters, results):
    """After a switchover it leads to the demoted node until three checks have failed."""
    r = run(clusters.get("async", 20), HaproxyFront, "switchover", "switchover async 20 haproxy")
    results.append(r)
    assert r.count("misrouted_rw") > 0, r.evidence()
    assert not [name for name in RULES if name.startswith("stale") and r.count(name)], r.evidence()


@whole
@pytest.mark.parametrize("mode, ttl, event, number", of_isari())
def test_isari(clusters, results, mode, ttl, event, number):
    label = f"{event} {mode} {ttl} isari" + (f" {number}" if number > 1 else "")
    check(run(clusters.get(mode, ttl), IsariFront, event, label), event, results)
