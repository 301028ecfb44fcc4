"""A real Prometheus and a real HAProxy 2.6 beside isari: the same names, labels, help and numbers for what HAProxy
has, and the right alert, and only it, through a failover of a real cluster.
"""
import os
import re
import subprocess
import threading
import time

import psycopg
import pytest

from fake_patroni import FakeCluster, FakeNode
from haproxy import HAProxy
from isari import binary, config_for
from procs import Failure, free_port, wait_for
from prometheus import Metrics, Prometheus, Scraped, dashboard_queries, get

BLOCK = os.environ.get("ISARI_TEST_PROMETHEUS_BLOCK", "127.0.64")

# What HAProxy's page has and isari's hasn't: zlib's memory, which it gives as NaN where it compresses nothing.
NOT_OURS = {"haproxy_process_current_zlib_memory", "haproxy_process_max_zlib_memory"}
# Samples that say who is who, and differ for that reason.
WHO = {"haproxy_process_build_info"}
# Numbers that do not depend on the moment or on the machine.
STEADY = ("_status", "_weight", "_uweight", "_servers", "_limit_sessions", "_sessions_total", "_loadbalanced_total",
          "_attempts_total", "_current_sessions", "_check_code", "_current_queue", "_connection_errors_total",
          "_retry_warnings_total", "_redispatch_warnings_total", "_denied_total", "_need_connections_current",
          "_queue_limit", "_current_throttle", "_idle_connections_limit", "_nbproc", "_relative_process_id")

EXPORTER = """
frontend metrics
    mode http
    bind {bind}
    http-request use-service prometheus-exporter if {{ path /metrics }}
"""

# netdata's go.d collector knows HAProxy by these; the two about HTTP are absent for TCP, at HAProxy as well.
NETDATA = {"haproxy_backend_" + name for name in (
    "sessions_total", "current_sessions", "response_time_average_seconds", "current_queue",
    "queue_time_average_seconds", "bytes_in_total", "bytes_out_total")}
CONSUMERS = {
    "pigsty, servers": 'sum by (proxy) (haproxy_server_status{state="UP",proxy!="stats"})',
    "pigsty, service": 'haproxy_backend_active_servers',
    "awesome-prometheus-alerts, no alive backends":
        '(haproxy_backend_active_servers + haproxy_backend_backup_servers) == bool 0',
    "awesome-prometheus-alerts, retries": 'rate(haproxy_backend_retry_warnings_total[1m])',
    "awesome-prometheus-alerts, near the limit":
        'sum by (proxy) (haproxy_server_max_sessions) * 100 / sum by (proxy) (haproxy_server_limit_sessions)',
    "awesome-prometheus-alerts, connection errors":
        'sum by (proxy) (rate(haproxy_backend_connection_errors_total[1m]))',
    "Grafana 12693, backends": 'count by (proxy) (haproxy_backend_status{state="UP"} == 1)',
    "Grafana 12693, frontends": 'count by (proxy) (haproxy_frontend_status{state="UP"} == 1)',
}
QUERIES = ("", "?scope=global", "?scope=frontend&scope=backend", "?scope=server", "?scope=server&no-maint",
           "?scope=*", "?scope=*&scope=", "?scope=", "?scope=foo", "?scope", "?scope=server%20", "?scope=%73erver",
           "?Scope=server", "?nonsense", "?scope=sticktable", "?scope=listener", "?&&", "?scope=server&scope=x")


class Exporter(HAProxy):
    def __init__(self, cluster):
        self.http = f"127.0.0.1:{free_port()}"
        super().__init__(cluster, more=EXPORTER.format(bind=self.http), server_options="maxconn 100")

    def metrics(self, query=""):
        return Metrics(self.get("/metrics" + query)[1])

    def get(self, path):
        return get(f"http://{self.http}{path}")


@pytest.fixture(scope="module")
def fakes():
    with FakeCluster(BLOCK, 3) as c:
        yield c


@pytest.fixture(scope="module")
def haproxy(fakes):
    with Exporter(fakes) as h:
        h.wait_up("write", ["n1"]).wait_up("be_read", ["n2", "n3"])
        # It counts them as up before it has asked; then there are times of six checks.
        wait_for(lambda: len(h.metrics().get("haproxy_server_check_duration_seconds", ())) == 6, 10, "HAProxy's checks")
        yield h


@pytest.fixture(scope="module")
def isari(fakes):
    config = config_for(fakes)
    config["listeners"]["read"]["stats_name"] = {"frontend": "fe_read", "backend": "be_read"}
    for listener in config["listeners"].values():
        listener |= {"maxconn": 200, "server_maxconn": 100}
    with Scraped(config) as i:
        wait_for(lambda: i.up("write") == ["n1"] and i.up("be_read") == ["n2", "n3"], 10, "isari's servers")
        yield i


def of_haproxy(m, *without):
    """Its series for TCP proxies: without those of its own HTTP frontend."""
    found = {}
    for name, samples in m.items():
        ours = {labels: v for labels, v in samples.items() if dict(labels).get("proxy") != "metrics"}
        if name.startswith("haproxy_") and name not in without and ours:
            found[name] = ours
    return found


def pass_traffic(there):
    """The same for both: five sessions one after the other on each port."""
    for name in "write", "read":
        for _ in range(5):
            host, port = there.address(name)
            psycopg.connect(host=host, port=port, user="x", dbname="x", sslmode="disable", gssencmode="disable").close()


def test_names_and_labels_are_haproxys(haproxy, isari):
    theirs, ours = of_haproxy(haproxy.metrics(), *WHO), of_haproxy(isari.metrics(), *WHO)
    assert set(theirs) - set(ours) == NOT_OURS
    assert not set(ours) - set(theirs)
    for name in ours:
        assert set(ours[name]) == set(theirs[name]), name


def test_help_and_types_are_haproxys(haproxy, isari):
    theirs, ours = haproxy.metrics(), isari.metrics()
    for name in of_haproxy(ours):
        assert ours.types[name] == theirs.types[name], name
        assert ours.helps[name] == theirs.helps[name], name


def test_numbers_move_as_haproxys_do(haproxy, isari):
    before = [of_haproxy(x.metrics()) for x in (haproxy, isari)]
    for there in haproxy, isari:
        pass_traffic(there)

    def steady(there, since):
        found = {}
        for name, samples in of_haproxy(there.metrics(), *NOT_OURS).items():
            for labels, v in samples.items() if name.endswith(STEADY) else ():
                moved = v - since[name][labels] if there is not None and name.endswith("_total") else v
                found[name, labels] = "NaN" if moved != moved else moved
        return found

    def alike():
        theirs, ours = (steady(x, b) for x, b in zip((haproxy, isari), before))
        return theirs == ours or differences.update(found={k: (theirs.get(k), ours.get(k)) for k in theirs | ours
                                                           if theirs.get(k) != ours.get(k)})
    differences = {}
    try:
        wait_for(alike, 10, "the same numbers", 0.2)
    except Failure:
        pytest.fail("\n".join(f"{k[0]} {dict(k[1])}: HAProxy {a}, isari {b}"
                              for k, (a, b) in differences["found"].items()))


def test_a_server_in_maintenance_looks_the_same(haproxy, isari):
    for there, server in (haproxy, "be_read/n3"), (isari, "be_read/n3"):
        there.ask(f"set server {server} state maint")
    try:
        for query in "?scope=server", "?scope=server&no-maint", "?scope=backend":
            theirs, ours = (of_haproxy(x.metrics(query)) for x in (haproxy, isari))
            assert {n: set(s) for n, s in theirs.items()} == {n: set(s) for n, s in ours.items()}, query
            # agg_check_status is left out: HAProxy counts the last check of a server that it checks no more.
            of_servers = ("server_status", "backend_status", "_agg_server_check_status")
            for name in filter(lambda n: n.endswith(of_servers), ours):
                assert theirs[name] == ours[name], name
    finally:
        for there in haproxy, isari:
            there.ask("set server be_read/n3 state ready")
    haproxy.wait_up("be_read", ["n2", "n3"])
    wait_for(lambda: isari.up("be_read") == ["n2", "n3"], 10, "n3 to be back")


def test_a_paused_frontend_looks_the_same(haproxy, isari):
    for there in haproxy, isari:
        there.ask("disable frontend fe_read")
    try:
        theirs, ours = (x.metrics("?scope=frontend")["haproxy_frontend_status"] for x in (haproxy, isari))
        assert ours.items() <= theirs.items()
    finally:
        for there in haproxy, isari:
            there.ask("enable frontend fe_read")


def test_queries_are_answered_as_haproxy_does(haproxy, isari):
    for query in QUERIES:
        (status, text), (expected, theirs) = isari.get("/metrics" + query), haproxy.get("/metrics" + query)
        assert status == expected, query
        if status == 200:
            assert set(of_haproxy(Metrics(text))) == set(of_haproxy(Metrics(theirs))) - NOT_OURS, query


def test_what_reads_haproxy_reads_isari(haproxy, isari):
    """Their queries, asked of a real Prometheus that scrapes both: the same answers."""
    assert NETDATA <= set(isari.metrics())
    with Prometheus({"haproxy": [haproxy.http], "isari": [isari.http]}, rules=False) as p:
        wait_for(lambda: len(p.query("count_over_time(haproxy_process_uptime_seconds[1m]) > 2")) == 2, 20,
                 "three scrapes of both", 0.2)
        for name, query in CONSUMERS.items():
            def answers(job):
                asked = query.replace("{", f'{{job="{job}",') if "{" in query else with_job(query, job)
                return sorted((m["proxy"], v) for m, v in p.query(asked) if m["proxy"] != "metrics")
            ours, theirs = answers("isari"), answers("haproxy")
            assert ours and [proxy for proxy, _ in ours] == [proxy for proxy, _ in theirs], (name, ours, theirs)
            if "max_sessions" not in query:  # how many there were at a time is each one's own
                assert ours == theirs, name


def with_job(query, job):
    """Every name gets {job=...}."""
    return re.sub(r"\b(haproxy_\w+)", rf'\1{{job="{job}"}}', query)


# ---- what it costs --------------------------------------------------------------------------------------------------


def version():
    return subprocess.run([binary(), "-vv"], capture_output=True, text=True, check=True).stdout


def test_a_scrape_of_twenty_members_and_ten_listeners_is_cheap():
    c = FakeCluster(BLOCK, 0)
    c.nodes = [FakeNode(f"{BLOCK}.{n + 100}", f"m{n}") for n in range(1, 21)]
    with c:
        config = config_for(c)
        config["listeners"] = {f"l{n}": {"bind": f"127.0.0.1:{free_port()}", "serve": "primary" if n % 2 else "replica"}
                               for n in range(10)}
        with Scraped(config) as i:
            i.wait_up("l1", ["m1"]).wait_up("l0", [n.name for n in c.nodes[1:]])
            for _ in range(50):
                page = i.metrics()
            spent, n = (page.value("isari_metrics_page_seconds_" + x) for x in ("sum", "count"))
            print(f"\n200 servers, 10 listeners: {len(page.text) // 1024} kB in {1000 * spent / n:.2f} ms of the "
                  f"control thread, facts included")
            assert spent / n < 0.005 or "-fsanitize" in version()


# ---- alerts, through a real failover -------------------------------------------------------------------------------


@pytest.fixture
def watched(cluster):
    """isari before the real cluster, and Prometheus that looks every second."""
    with Scraped(config_for(cluster)) as i, Prometheus({"isari": [i.http]}) as p:
        leader = cluster.leader()
        i.wait_up("write", [leader]).wait_up("read", [n for n in cluster.nodes if n is not leader])
        wait_for(lambda: p.query('up{job="isari"} == 1'), 15, "the first scrape", 0.1)
        wait_for(lambda: p.query("isari_cluster_writable_primary == 1"), 15, "a primary in Prometheus", 0.1)
        yield i, p


def ever_fired(p):
    """Alerts that fired at any moment so far."""
    found = p.query('count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[15m]))')
    return sorted(labels["alertname"] for labels, _ in found)


class Waiter:
    """A client that comes while nobody is primary, and waits."""

    def __init__(self, i):
        self.served = threading.Event()
        threading.Thread(target=self._run, args=(i.dsn("write", connect_timeout=60),), daemon=True).start()

    def _run(self, dsn):
        with psycopg.connect(dsn) as c:
            c.execute("select 1")
        self.served.set()


def test_a_dead_primary_fires_the_right_alert_and_only_it(cluster, watched):
    i, p = watched
    old = cluster.leader()
    with psycopg.connect(i.dsn("write")):
        cluster.kill_node(old)
        killed = time.monotonic()
        waiter = Waiter(i)
        wait_for(p.firing, 30, "an alert", 0.1)
    fired = time.monotonic()
    assert p.firing() == ["IsariNoWritablePrimary"]
    (alert,) = p.alerts("firing")
    assert alert["labels"]["cluster"] == "main" and alert["labels"]["severity"] == "critical"
    assert i.metrics().value("isari_listener_held_oldest_seconds", listener="write") > 5
    cluster.wait_leader(not_=old)
    wait_for(waiter.served.is_set, 15, "the waiting client to be let go")
    wait_for(lambda: not p.firing(), 15, "the alert to clear", 0.1)
    cleared = time.monotonic()
    print(f"\nkill -9: {alert['labels']['alertname']} after {fired - killed:.1f} s, "
          f"cleared after {cleared - killed:.1f} s")
    check_the_failover_is_told(i, old)
    check_the_dashboard(p)
    cluster.heal()
    wait_for(lambda: i.metrics().value("isari_member_up", member=old.name) == 1, 30, f"{old} to be back", 0.2)
    assert ever_fired(p) == ["IsariNoWritablePrimary"]


def check_the_failover_is_told(i, old):
    page = wait_for(lambda: (m := i.metrics()).value("isari_failovers_total") == 1 and m, 15, "its end", 0.2)
    (told,) = page["isari_failover_info"]
    assert dict(told)["from"] == old.name and dict(told)["kind"] == "failover"
    assert page.value("isari_failover_gap_seconds") > 5
    assert page.value("isari_failover_clients", fate="held") == 1
    assert page.value("isari_failover_phase_seconds", phase="last_released") > 5
    assert sum(page["isari_listener_cuts_total"].values()) >= 1
    assert page.value("isari_cluster_primary_info", member=old.name) is None


# Nothing to see, and rightly so: what is shown only while it is more than 0.
QUIET = {"Questions without an answer", "Cuts by reason", "Ends by reason", "Failovers"}


def check_the_dashboard(p):
    """Every panel has something to show after a failover."""
    for title, query in dashboard_queries():
        assert p.query(query) or title in QUIET, f"{title}: {query}"


def test_a_switchover_fires_nothing(cluster, watched):
    i, p = watched
    new = cluster.replicas()[0]
    cluster.switchover(new)
    i.wait_up("write", [new])
    wait_for(lambda: p.query(f'isari_cluster_primary_info{{member="{new.name}"}}'), 15, "the news in Prometheus", 0.1)
    cluster.wait_healthy()
    assert p.query("changes(isari_cluster_primary_changes_total[5m]) > 0")
    assert ever_fired(p) == []


def test_isari_that_is_down_is_noticed(fakes):
    config = config_for(fakes)
    with Scraped(config) as i, Prometheus({"isari": [i.http]}) as p:
        wait_for(lambda: p.query('up{job="isari"} == 1'), 15, "the first scrape", 0.1)
        assert p.firing() == []
        i.end(9)
        wait_for(p.firing, 60, "an alert", 0.2)
        assert p.firing() == ["IsariDown"]
