"""What the system tests share: one real cluster for all (a killed primary costs 20 s), healed after each test."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pytest  # noqa: E402

from cluster import Cluster  # noqa: E402
from isari import Isari, binary, config_for  # noqa: E402


def pytest_configure(config):
    # A CI job that is cancelled gets SIGTERM; fixtures are to be torn down then as well.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))


def pytest_sessionstart(session):
    if not os.access(binary(), os.X_OK):
        raise pytest.UsageError(f"{binary()} is not there: run make first, or set ISARI")


@pytest.fixture(scope="session")
def cluster_of_all():
    with Cluster("127.0.10", "isari-test") as c:
        c.leader().sql("create table load (id bigint generated always as identity, at timestamptz)")
        yield c


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
