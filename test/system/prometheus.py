"""Everything Prometheus, for the system tests: a page of metrics as a dict, isari with one, promtool, and a real
Prometheus with short intervals.

    with Scraped(config) as i, Prometheus({"isari": [i.http]}) as p:
        i.metrics()["isari_cluster_writable_primary"]
        p.firing()
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import yaml

from isari import Isari
from procs import ROOT, Failure, free_port, popen, wait_for

RULES = os.path.join(ROOT, "etc", "prometheus")
RULE_FILES = ("isari.rules.yml", "isari.patroni.rules.yml")
DASHBOARD = os.path.join(ROOT, "etc", "grafana", "isari.json")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def get(url, timeout=5):
    """(status, text)"""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


class Metrics(dict):
    """name -> {frozenset of labels: value}; .types and .helps by name."""

    def __init__(self, text):
        super().__init__()
        self.types, self.helps, self.text = {}, {}, text
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name, _, self.helps[name] = line[7:].partition(" ")
            elif line.startswith("# TYPE "):
                name, self.types[name] = line[7:].split()
            else:
                name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
                self.setdefault(name, {})[frozenset(LABEL.findall(labels or ""))] = float(value)

    def value(self, name, **labels):
        """The one sample that has these labels; None: there is none."""
        found = [v for key, v in self.get(name, {}).items() if labels.items() <= dict(key).items()]
        if len(found) > 1:
            raise Failure(f"{name} with {labels} is not one sample")
        return found[0] if found else None

    def shape(self):
        """name -> the sets of label names that its samples have"""
        return {name: {frozenset(k for k, _ in labels) for labels in samples} for name, samples in self.items()}


class Scraped(Isari):
    """isari with its HTTP side."""

    def __init__(self, config, address="127.0.0.1"):
        self.http = f"{address}:{free_port(address)}"
        super().__init__(config, stats={"http": self.http})

    def get(self, path):
        return get(f"http://{self.http}{path}")

    def metrics(self, query=""):
        status, text = self.get("/metrics" + query)
        if status != 200:
            raise Failure(f"/metrics{query}: {status} {text}")
        return Metrics(text)


def promtool(*words, where=RULES, text=None):
    """The finished process."""
    return subprocess.run(["promtool", *words], cwd=where, input=text, capture_output=True, text=True, timeout=60,
                          check=False)


def alerts():
    """name -> rule, of the files that isari brings along."""
    found = {}
    for name in RULE_FILES:
        with open(os.path.join(RULES, name), encoding="utf-8") as f:
            found |= {r["alert"]: r for g in yaml.safe_load(f)["groups"] for r in g["rules"] if "alert" in r}
    return found


def dashboard_queries():
    """(title of the panel, query with its variables filled in)"""
    with open(DASHBOARD, encoding="utf-8") as f:
        board = json.load(f)
    asked = [(p["title"], t["expr"]) for p in board["panels"] for t in p.get("targets", [])]
    asked += [(a["name"], a["expr"]) for a in board["annotations"]["list"]]
    return [(title, expr.replace("$__rate_interval", "1m").replace('"$job"', '".*"').replace('"$instance"', '".*"')
             .replace('"$cluster"', '".*"')) for title, expr in asked]


def names_in(expr):
    return set(re.findall(r"\b(?:isari|haproxy)_\w+", expr))


class Prometheus:
    """Debian's, in a directory of its own, with isari's rules."""

    def __init__(self, targets, interval="1s", address="127.0.0.1", rules=True):
        """targets: job -> addresses"""
        self.dir = tempfile.mkdtemp(prefix="isari-prometheus-")
        self.http = f"{address}:{free_port(address)}"
        self.p = None
        config = {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [os.path.join(RULES, name) for name in RULE_FILES] if rules else [],
            "scrape_configs": [{"job_name": job, "static_configs": [{"targets": list(addresses)}]}
                               for job, addresses in targets.items()],
        }
        with open(os.path.join(self.dir, "prometheus.yml"), "w", encoding="utf-8") as f:
            yaml.safe_dump(config, f)

    def __enter__(self):
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.p = popen(["prometheus", f"--config.file={self.dir}/prometheus.yml",
                            f"--storage.tsdb.path={self.dir}/data", f"--web.listen-address={self.http}"],
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir)
        try:
            wait_for(self._is_ready, 30, "Prometheus to be ready", 0.1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.terminate()
        try:
            self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _is_ready(self):
        if self.p.poll() is not None:
            with open(os.path.join(self.dir, "log"), encoding="utf-8") as f:
                raise Failure(f"prometheus ended with {self.p.returncode}: {f.read()[-2000:]}")
        try:
            return get(f"http://{self.http}/-/ready")[0] == 200
        except OSError:
            return False

    def ask(self, path, **query):
        status, text = get(f"http://{self.http}/api/v1/{path}?{urllib.parse.urlencode(query)}")
        answer = json.loads(text)
        if status != 200 or answer["status"] != "success":
            raise Failure(f"{path} {query}: {status} {text}")
        return answer["data"]

    def query(self, expr):
        """[(labels, value)]"""
        return [(r["metric"], float(r["value"][1])) for r in self.ask("query", query=expr)["result"]]

    def targets(self):
        return self.ask("targets")["activeTargets"]

    def alerts(self, state):
        return [a for a in self.ask("alerts")["alerts"] if a["state"] == state]

    def firing(self):
        return sorted({a["labels"]["alertname"] for a in self.alerts("firing")})
