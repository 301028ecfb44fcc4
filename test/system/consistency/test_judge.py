"""The judge on histories written by hand: each fault is found by its verdict and by no other, and what is
merely unlucky is not a fault."""
import itertools

import pytest

from .history import FAIL, INFO, OK, Conn, History, LockSample, NodeSample, Op, Read
from .judge import RULES, bounds, evidence, guilty, judge

N1, N2 = "10.0.0.1", "10.0.0.2"


class Story:
    """n1 is the primary on timeline 1; at 10.0 the lock passes to n2, which is promoted to timeline 2."""

    def __init__(self, strict=False, changes=((0.0, N1), (10.0, N2)), until=20.0):
        self.h = History(strict=strict, names={N1: "n1", N2: "n2"}, event=10.0)
        self.ids, self.seqs = itertools.count(1), itertools.count(1)
        for i in range(int(until * 10)):
            holder = [who for t, who in changes if t <= i / 10 + 1e-9][-1]
            self.h.lock.append(LockSample(i / 10, i / 10 + 0.002, holder))
        self.primary(N1, 1, 0.0, 10.0)
        self.primary(N2, 2, 10.0, until)

    def primary(self, node, timeline, since, until):
        for i in range(int((until - since) * 20)):
            t = since + i / 20
            self.h.nodes.append(NodeSample(node, t, t + 0.001, False, timeline))

    def conn(self, opened, node=N1, timeline=1, client=1, kind="session", **more):
        c = Conn(next(self.ids), client, kind, "write", opened, opened + 0.005, opened + 0.01, node, False, timeline, **more)
        self.h.conns[c.id] = c
        return c

    def op(self, conn, start, outcome=OK, kept=True, took=0.005, **more):
        o = Op(conn.client, next(self.seqs), conn.id, start, start + took, outcome, conn.node, conn.timeline)
        for key, value in more.items():
            setattr(o, key, value)
        self.h.ops.append(o)
        if kept:
            self.h.final.append((o.client, o.seq))
        return o

    def found(self):
        return {name: len(x) for name, x in judge(self.h).items() if x}


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def strict():
    return Story(strict=True)


# ---- what is clean -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_tidy_switchover_is_clean(is_strict):
    s = Story(strict=is_strict)
    old = s.conn(1.0)
    for i in range(80):
        last = s.op(old, 1.1 + i / 10)
    s.op(old, 9.95, INFO, kept=False)
    new = s.conn(10.2, N2, 2, last=last.seq, last_timeline=1, sees_last=True)
    for i in range(50):
        s.op(new, 10.3 + i / 10)
    assert s.found() == {}
    assert bounds(s.h)["overlap_s"] == 0


def test_what_nobody_knows_may_be_there_or_not(strict):
    c = strict.conn(1.0)
    strict.op(c, 2.0, INFO, kept=True)
    strict.op(c, 2.1, INFO, kept=False)
    strict.op(c, 2.2, FAIL, kept=False)
    assert strict.found() == {}


def test_an_append_under_way_while_the_lock_goes_is_clean(story):
    story.op(story.conn(1.0), 9.9, took=0.6)
    assert story.found() == {}


def test_an_append_within_the_tolerance_of_the_lock_is_clean():
    s = Story(changes=((0.0, N1), (9.8, None), (10.5, N2)))
    s.op(s.conn(1.0), 9.9)
    assert s.found() == {}


def test_between_two_samples_either_holder_is_believed(story):
    story.h.lock = [x for x in story.h.lock if not 8.0 < x.sent < 12.0]
    story.op(story.conn(1.0), 9.99)
    assert story.found() == {}
    assert bounds(story.h)["oracle_gap_s"] == pytest.approx(4.0)


def test_appends_that_overlap_have_no_order(story):
    story.op(story.conn(9.0), 9.7, took=0.5)
    story.op(story.conn(10.0, N2, 2, client=2), 10.05)
    assert story.found() == {}


def test_an_asynchronous_loss_before_the_promotion_is_patronis(story):
    story.op(story.conn(1.0), 9.0, kept=False)
    verdicts = judge(story.h)
    assert {name for name, x in verdicts.items() if x} == {"lost"}
    assert guilty(story.h, verdicts) == {}


def test_across_timelines_an_asynchronous_client_may_miss_its_append(story):
    lost = story.op(story.conn(1.0), 9.0, kept=False)
    story.conn(10.2, N2, 2, last=lost.seq, last_timeline=1, sees_last=False)
    assert "back_in_time" not in story.found()


def test_refusals_without_a_server_are_no_misrouting(story):
    c = story.conn(10.1, None, None, error="FATAL 57P03: no primary")
    c.login = c.ready = c.in_recovery = None
    assert story.found() == {}
    assert bounds(story.h)["failed_connects"] == 1


# ---- what is found -----------------------------------------------------------------------------------


def test_lost(strict):
    o = strict.op(strict.conn(1.0), 9.0, kept=False)
    verdicts = judge(strict.h)
    assert strict.found() == {"lost": 1} and verdicts["lost"][0].what is o
    assert list(guilty(strict.h, verdicts)) == ["lost"]


def test_phantom_that_was_refused(story):
    story.op(story.conn(1.0), 9.0, FAIL, kept=True)
    assert story.found() == {"phantom": 1}


def test_phantom_that_was_never_tried(story):
    story.h.final.append((7, 1))
    assert story.found() == {"phantom": 1}


def test_duplicate(story):
    o = story.op(story.conn(1.0), 9.0)
    story.h.final.append((o.client, o.seq))
    assert story.found() == {"duplicate": 1}


def test_stale_lock():
    s = Story(changes=((0.0, N1), (8.0, None), (9.9, N2)))
    s.op(s.conn(1.0), 7.9)
    s.op(s.conn(1.0), 8.6)
    assert s.found() == {"stale_lock": 1}


def test_lost_unlocked():
    s = Story(changes=((0.0, N1), (8.0, None), (9.9, N2)))
    s.op(s.conn(1.0), 8.6, kept=False)
    verdicts = judge(s.h)
    assert s.found() == {"lost": 1, "stale_lock": 1, "lost_unlocked": 1}
    assert set(guilty(s.h, verdicts)) == {"stale_lock", "lost_unlocked"}


def test_stale_truth_and_lost_router(story):
    """The lock oracle is made to believe in both, so that only the promotion speaks."""
    story.h.lock = [LockSample(t.sent, t.received, N1) for t in story.h.lock]
    story.op(story.conn(1.0), 10.5)
    assert story.found() == {"stale_truth": 1}
    story.op(story.conn(1.0), 10.6, kept=False)
    assert story.found() == {"stale_truth": 2, "lost": 1, "lost_router": 1}


def epochs(opened):
    """n2's timeline 2 has acknowledged; then n1's timeline 1 does, over a connection opened at this time.
    The oracles are silent about it: only the order of the clients' own answers speaks."""
    s = Story(changes=((0.0, N1), (10.0, N2)))
    s.h.nodes = []
    s.h.lock += [LockSample(t.sent, t.received, N1) for t in s.h.lock if t.sent > 9]
    s.op(s.conn(10.1, N2, 2, client=2), 10.2)
    old = s.op(s.conn(opened), 10.5)
    return s, old


def test_stale_session():
    s, old = epochs(opened=1.0)
    assert s.found() == {"stale_session": 1}
    assert judge(s.h)["stale_session"][0].what is old


def test_stale_new():
    s, old = epochs(opened=10.4)
    assert s.found() == {"stale_new": 1}
    assert judge(s.h)["stale_new"][0].other.timeline == 2


def test_misrouted_rw_by_what_the_server_says(story):
    story.conn(10.2, N1, None).in_recovery = True
    assert story.found() == {"misrouted_rw": 1}


def test_misrouted_rw_by_a_refused_append(story):
    c = story.conn(9.0)
    story.op(c, 10.2, FAIL, kept=False, error="ERROR 25006: cannot execute INSERT in a read-only transaction")
    assert story.found() == {"misrouted_rw": 1}


def test_back_in_time_within_one_timeline(story):
    last = story.op(story.conn(1.0), 5.0)
    story.conn(6.0, last=last.seq, last_timeline=1, sees_last=False)
    assert story.found() == {"back_in_time": 1}


def test_back_in_time_across_timelines_when_nothing_may_be_lost(strict):
    last = strict.op(strict.conn(1.0), 5.0)
    strict.conn(11.0, N2, 2, last=last.seq, last_timeline=1, sees_last=False)
    assert strict.found() == {"back_in_time": 1}


def test_two_primaries_write_side_by_side():
    """What a proxy does that forgot its old sessions: everything but the loss itself speaks of it."""
    s = Story()
    old, new = s.conn(1.0), s.conn(10.2, N2, 2, client=2)
    for i in range(20):
        s.op(new, 10.3 + i / 10)
        s.op(old, 10.35 + i / 10, kept=False)
    assert s.found() == dict.fromkeys(("lost", "lost_router", "lost_unlocked", "stale_lock", "stale_truth",
                                       "stale_session"), 20)
    assert bounds(s.h)["overlap_s"] == pytest.approx(1.95)


def test_every_verdict_is_found_by_some_story():
    here = "\n".join(name for name in globals() if name.startswith("test_"))
    assert not [rule for rule in RULES if rule not in here]


# ---- bounds and evidence -----------------------------------------------------------------------------


def test_bounds(story):
    s = story
    s.conn(9.0, kind="idle", cut=10.4)
    s.conn(9.0, kind="idle", cut=12.0, client=3)
    s.conn(10.5, N2, 2, kind="idle", cut=15.0, client=4)  # opened after the event: it is no measure of it
    s.op(s.conn(1.0), 9.0)
    s.op(s.conn(1.0), 9.1, INFO, kept=False, took=3.0)
    s.op(s.conn(10.9, N2, 2), 11.0)
    b = bounds(s.h)
    assert b["outage_s"] == pytest.approx(2.0) and b["hang_s"] == pytest.approx(3.0)
    assert b["behind_s"] == pytest.approx(1.004) and b["idle_cuts"] == 2
    assert b["idle_cut_s"] == pytest.approx(2.0) and b["appends"] == 2


def test_reads_that_a_long_promoted_replica_answers(story):
    c = story.conn(1.0)
    for start in (11.0, 13.0):
        story.h.reads.append(Read(c.id, start, start + 0.01, N2, False))
    assert bounds(story.h)["misrouted_ro"] == 1


def test_evidence_names_times_nodes_timelines_and_the_lock():
    s = Story(changes=((0.0, N1), (8.0, None), (9.9, N2)))
    o = s.op(s.conn(1.0), 8.6)
    text = evidence(s.h, judge(s.h))
    assert f"append {o.seq} of client 1 (session, connection 1 opened -9.000): ok -1.400 .. -1.395 by n1" in text
    assert "timeline 1" in text and "stale_lock: 1" in text
    assert "leader lock: n1 from -9.998, nobody from -1.998, n2 from -0.098" in text


def test_an_oracle_that_saw_nothing_is_no_acquittal(story):
    story.h.lock = []
    with pytest.raises(ValueError, match="saw nothing"):
        judge(story.h)
