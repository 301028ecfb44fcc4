"""The alert rules and the dashboard as files: promtool's judgement of them, and that what they ask for exists in a
real page of metrics. What a real Prometheus makes of them through a failover: test_prometheus.py.
"""
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from fake_patroni import FakeCluster
from isari import config_for
from procs import wait_for
from prometheus import (RULE_FILES, RULES, Scraped, alerts, dashboard_queries, names_in, promtool)

BLOCK = os.environ.get("ISARI_TEST_ALERTS_BLOCK", "127.0.64")
TESTS = "isari.rules.test.yml"


@pytest.fixture(scope="module")
def page():
    """With a failover behind it, and every limit configured: what can be there is there."""
    with FakeCluster(BLOCK, 3) as c:
        config = config_for(c)
        config["listeners"]["read"]["max_lag"] = "16MB"
        with Scraped(config) as i:
            i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
            c.nodes[0].be("replica", timeline=2)
            c.nodes[1].be("primary", timeline=2)
            c.nodes[2].be("replica", timeline=2)
            i.wait_up("write", ["n2"])
            i.connect("write").close()  # the failover's last phase

            def complete():
                m = i.metrics()
                return m if m.value("isari_failovers_total") == 1 and "isari_member_lag_bytes" in m else None
            yield wait_for(complete, 20, "a page with a failover in it", 0.2)


def read_rules(name):
    with open(os.path.join(RULES, name), encoding="utf-8") as f:
        return yaml.safe_load(f)


def test_promtool_accepts_the_rules():
    done = promtool("check", "rules", *RULE_FILES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_and_keeps_still_as_it_should():
    done = promtool("test", "rules", TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def noticed(where, alert, change):
    """Do the tests of the rules fail with this one changed? A key that becomes None goes."""
    workshop = where / alert
    shutil.copytree(RULES, workshop)
    book = read_rules(RULE_FILES[0])
    for rule in (r for g in book["groups"] for r in g["rules"] if r["alert"] == alert):
        rule.update(change)
        for key in [k for k, v in rule.items() if v is None]:
            del rule[key]
    (workshop / RULE_FILES[0]).write_text(yaml.safe_dump(book), encoding="utf-8")
    return promtool("test", "rules", TESTS, where=workshop).returncode != 0


def unnoticed(where, names, **change):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda alert: noticed(where, alert, change), names)
        return [alert for alert, seen in zip(names, results) if not seen]


def test_the_tests_notice_an_alert_that_never_fires(tmp_path):
    assert unnoticed(tmp_path, list(alerts()), expr="vector(1) > 2") == []


def test_the_tests_notice_an_alert_that_does_not_wait(tmp_path):
    assert unnoticed(tmp_path, [a for a, rule in alerts().items() if "for" in rule], **{"for": None}) == []


def test_every_alert_says_what_is_wrong_and_how_bad_it_is():
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert rule["annotations"]["summary"] and rule["annotations"]["description"].endswith("."), name


def test_every_metric_of_the_rules_exists(page):
    for book in map(read_rules, RULE_FILES):
        for rule in (r for g in book["groups"] for r in g["rules"]):
            missing = {n for n in names_in(rule["expr"]) if n not in page}
            assert not missing, f"{rule.get('alert', rule.get('record'))}: {missing}"


def test_every_label_value_of_the_rules_exists(page):
    """state="open", role="primary" ... are words of ours: a renamed one would silence an alert."""
    for book in map(read_rules, RULE_FILES):
        for expr in (r["expr"] for g in book["groups"] for r in g["rules"]):
            for name, label, value in re.findall(r'\b(isari_\w+)\{(\w+)="([^"]+)"\}', expr):
                assert any(dict(labels).get(label) == value for labels in page[name]), (name, label, value)


def test_every_metric_of_the_dashboard_exists(page):
    asked = dashboard_queries()
    assert len(asked) > 40
    for title, expr in asked:
        names = names_in(expr)
        missing = {n for n in names if n not in page}
        assert names and not missing, f"{title}: {missing}"


def test_every_query_of_the_dashboard_parses(tmp_path):
    """As recording rules they are read by Prometheus' own parser."""
    rules = [{"record": f"q:{i}", "expr": expr} for i, (_, expr) in enumerate(dashboard_queries())]
    book = tmp_path / "queries.yml"
    book.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    done = promtool("check", "rules", str(book))
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_the_page_well_formed(page):
    """HAProxy's counter without _total is the one thing to find fault with: dashboards know it by that name."""
    done = promtool("check", "metrics", text=page.text)
    complaints = set(done.stderr.splitlines())
    assert complaints == {'haproxy_process_failed_resolutions counter metrics should have "_total" suffix'}, complaints
