"""The clusters of the matrix, one after the other, and the table of all runs at the end."""
import sys

import pytest

from hosts import HostedCluster
from procs import Failure

from .choice import TIMINGS, matrix

BOUNDS = ("outage_s", "behind_s", "hang_s", "wait_s", "idle_cuts", "idle_cut_s", "overlap_s", "failed_connects",
          "misrouted_ro", "appends")
RESULTS = pytest.StashKey()


def pytest_configure(config):
    config.addinivalue_line("markers", "matrix(whole): part of the whole consistency check, or of the short one")


def pytest_collection_modifyitems(config, items):
    """The whole check, or the short one: what was not asked for is not there, rather than skipped."""
    for item in list(items):
        mark = item.get_closest_marker("matrix")
        if mark and mark.args[0] != matrix():
            items.remove(item)
            config.hook.pytest_deselected(items=[item])


class Clusters:
    """The cluster of a mode and ttl, made when it is first asked for; there is one at a time, and one that
    cannot be healed is replaced."""

    def __init__(self):
        self.kind, self.cluster = None, None

    def get(self, mode, ttl):
        if self.kind == (mode, ttl):
            try:
                self.cluster.heal()
                return self.cluster
            except Failure as e:
                print(f"a new cluster: {e}", file=sys.stderr)
        self.stop()
        self.cluster = HostedCluster(scope=f"consistency-{mode}-{ttl}", timing=TIMINGS[ttl],
                                     strict=mode == "sync").start()
        self.kind = (mode, ttl)
        return self.cluster

    def stop(self):
        if self.cluster:
            self.cluster.stop()
        self.kind, self.cluster = None, None


@pytest.fixture(scope="session")
def clusters():
    made = Clusters()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def results(pytestconfig):
    return pytestconfig.stash.setdefault(RESULTS, [])


# ---- the table ------------------------------------------------------------------------------------------


def cell(x):
    return "-" if x is None else f"{x:.2f}" if isinstance(x, float) else str(x)


def row(result):
    found = ", ".join(f"{name} {len(x)}" for name, x in result.verdicts.items() if x) or "clean"
    return [result.label, f"{result.seconds:.0f}", *(cell(result.bounds[b]) for b in BOUNDS), found]


def table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip() for r in rows]


def pytest_terminal_summary(terminalreporter, config):
    found = config.stash.get(RESULTS, [])
    if found:
        terminalreporter.section("consistency")
        head = ["event mode ttl contender", "took_s", *BOUNDS, "verdicts"]
        for line in table([head, *map(row, found)]):
            terminalreporter.write_line(line)
        terminalreporter.write_line("(asynchronous: `lost` alone is the replication's, not the proxy's)")
