"""What the system tests share: one real cluster for all (a killed primary costs 20 s), healed after each test.

ISARI_TEST_BLOCK: its block of loopback addresses, so that several runs do not meet."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pytest  # noqa: E402

from cluster import Cluster  # noqa: E402
from dcs import DcsCluster  # noqa: E402
from isari import Isari, binary, config_for  # noqa: E402


def pytest_configure(config):
    # A CI job that is cancelled gets SIGTERM; fixtures are to be torn down then as well.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))


def pytest_sessionstart(session):
    if not os.access(binary(), os.X_OK):
        raise pytest.UsageError(f"{binary()} is not there: run make first, or set ISARI")


@pytest.fixture(scope="session")
def cluster_of_all():
    with Cluster(os.environ.get("ISARI_TEST_BLOCK", "127.0.10"), "isari-test") as c:
        c.leader().sql("create table load (id bigint generated always as identity, at timestamptz)")
        yield c


@pytest.fixture(scope="session")
def disputed_of_all():
    """Another one, with three etcds, for those who steal its lock and take its DCS away (test_disputes*.py)."""
    c = DcsCluster("127.0.85", "isari-disputed", etcds=3)
    wait = f"sh -c 'while test -e {c.dir}/promotion_waits; do sleep 0.05; done'"
    c.overlay = {"postgresql": {"pre_promote": wait}}
    with c:
        yield c


@pytest.fixture
def disputed(disputed_of_all):
    disputed_of_all.wait_healthy()
    yield disputed_of_all
    disputed_of_all.promotion_waits(False)
    disputed_of_all.heal()
    if disputed_of_all.leader().rest()[1].get("pause"):
        disputed_of_all.resume()


@pytest.fixture
def cluster(cluster_of_all):
    cluster_of_all.wait_healthy()
    yield cluster_of_all
    cluster_of_all.heal()


@pytest.fixture
def proxy(cluster):
    """isari before the real cluster, with everything known."""
    with Isari(config_for(cluster)) as i:
        yield knows_all(i, cluster)


@pytest.fixture
def refusing_proxy(cluster):
    """The same, but clients do not wait while there is no server: they hear why at once."""
    with Isari(config_for(cluster, hold=0)) as i:
        yield knows_all(i, cluster)


def knows_all(i, cluster):
    leader = cluster.leader()
    i.wait_up("write", [leader]).wait_up("read", [n for n in cluster.nodes if n is not leader])
    return i
