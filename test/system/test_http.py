"""HTTP through the real binary: every path, the tools' ways to ask, and clients that misbehave."""
import contextlib
import http.client
import json
import os
import re
import socket
import threading
import time
import urllib.parse

import pytest

from fake_patroni import FakeCluster, FakeNode
from isari import Isari, config_for
from pgwire import login, query, read_until, startup
from procs import free_port, popen, wait_for

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Nodes(FakeCluster):
    """Several of them at a time, on one block."""

    def __init__(self, first, n):
        super().__init__(nodes=0)
        self.nodes = [FakeNode(f"127.0.63.{first + i}", f"n{i + 1}") for i in range(n)]


class Web(Isari):
    """isari with stats.http on a free port."""

    def __init__(self, config, **stats):
        self.port = free_port()
        super().__init__(config, stats={"http": f"127.0.0.1:{self.port}"} | stats)

    def request(self, method, target, body=None, headers=None, timeout=5):
        """(status, headers, text)"""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, target, body, headers or {})
            r = c.getresponse()
            return r.status, r.headers, r.read().decode()
        finally:
            c.close()

    def get(self, target, **kw):
        return self.request("GET", target, **kw)

    def read(self, target):
        return self.get(target)[2]

    def http(self, address="127.0.0.1", timeout=20):
        """A raw connection, from this address."""
        return socket.create_connection(("127.0.0.1", self.port), timeout, (address, 0))


@pytest.fixture(scope="module")
def quiet():
    """For tests that only look: (nodes, isari)"""
    with Nodes(1, 3) as fakes, Web(config_for(fakes), http_admin=True) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        yield fakes.nodes, i


@pytest.fixture
def world():
    with Nodes(20, 3) as fakes, Web(config_for(fakes)) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        yield fakes.nodes, i


def counters_apart(csv):
    """Without the columns that change by themselves: two pages of two moments are compared."""
    lines = csv.rstrip("\n").split("\n")
    names = lines[0].split(",")
    moving = {i for i, n in enumerate(names) if n in ("lastchg", "check_duration", "lastsess", "downtime", "chkfail")
              or n.startswith("isari")}
    return [[c for i, c in enumerate(line.split(",")) if i not in moving] for line in lines]


# ---- what is there ---------------------------------------------------------------------------------

@pytest.mark.parametrize("path,status,kind,begins", [
    ("/", 200, "text/html", "<!DOCTYPE html>"),
    ("/isari.css", 200, "text/css", ""),
    ("/isari.js", 200, "text/javascript", ""),
    ("/isari.svg", 200, "image/svg+xml", "<svg"),
    ("/;csv", 200, "text/plain", "# pxname,"),
    ("/;json", 200, "application/json", "[[{"),
    ("/;json-schema", 200, "application/json", "{"),
    ("/;typed", 200, "text/plain", "F."),
    ("/metrics", 200, "text/plain; version=0.0.4", "# HELP"),
    ("/metrics?scope=global", 200, "text/plain; version=0.0.4", "# HELP"),
    ("/metrics?scope=bananas", 400, "text/plain", ""),
    ("/api/clusters", 200, "application/json", '{"clusters":['),
    ("/api/members", 200, "application/json", '{"members":['),
    ("/api/events", 200, "application/json", '{"events":['),
    ("/api/sessions", 200, "application/json", '{"sessions":['),
    ("/api/workers", 200, "application/json", '{"workers":['),
    ("/api/memory", 200, "application/json", '{"memory":{'),
    ("/healthz", 200, "text/plain", "alive"),
    ("/readyz", 200, "text/plain", "ready"),
    ("/primary", 200, "application/json", '{"host":'),
    ("/replicas", 200, "application/json", '[{"host":'),
    ("/primary?cluster=nope", 404, "application/json", '{"error":'),
    ("/favicon.ico", 204, None, ""),
    ("/nothing", 404, "text/plain", ""),
    ("/hint", 405, "text/plain", ""),
])
def test_every_path_answers(quiet, path, status, kind, begins):
    i = quiet[1]
    for method in "GET", "HEAD":
        got, headers, text = i.request(method, path)
        assert got == status, text
        assert (headers["Content-Type"] or "").startswith(kind or "")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == ("max-age=60" if path.startswith("/isari.") else "no-cache")
        assert text.startswith(begins) if method == "GET" else text == ""
        if kind == "application/json" and method == "GET":
            json.loads(text)


def test_csv_is_what_the_socket_says(quiet):
    i = quiet[1]
    over_http, over_socket = i.read("/;csv"), i.ask("show stat")
    assert over_socket.endswith("\n\n") and over_http.endswith("\n") and not over_http.endswith("\n\n")
    assert counters_apart(over_http) == counters_apart(over_socket)
    assert "read," not in i.read("/;csv?scope=wri")
    assert ",DOWN," not in i.read("/;csv;up")


def test_the_json_is_what_the_socket_says(quiet):
    i = quiet[1]
    for what in "clusters", "events", "sessions":
        mine = json.loads(i.read(f"/api/{what}"))
        theirs = json.loads(i.ask({"sessions": "show sess json"}.get(what, f"show {what} json")))
        assert mine.keys() == theirs.keys() and len(mine[what]) == len(theirs[what])


def test_sessions_are_listed_with_both_their_ends(quiet):
    i = quiet[1]
    with login(i.dial("write")) as s:
        found = [x for x in json.loads(i.read("/api/sessions"))["sessions"]
                 if x["client"].endswith(f":{s.getsockname()[1]}")]
    assert len(found) == 1 and (found[0]["listener"], found[0]["server"]) == ("write", "n1"), found
    assert found[0]["server_local"]


def listening_ports(pid):
    mine = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            mine |= set(re.findall(r"^socket:\[(\d+)\]$", os.readlink(f"/proc/{pid}/fd/{fd}")))
        except FileNotFoundError:
            pass
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return {int(r[1].split(":")[1], 16) for r in rows if r[3] == "0A" and r[9] in mine}


def test_off_unless_it_is_set():
    with Nodes(40, 1) as fakes, Isari(config_for(fakes)) as i:
        assert listening_ports(i.p.pid) == {i.address("write")[1], i.address("read")[1]}


def test_an_address_in_use_stops_the_start_with_one_sentence():
    with Nodes(41, 1) as fakes, socket.create_server(("127.0.0.1", 0)) as taken:
        i = Web(config_for(fakes), http=f"127.0.0.1:{taken.getsockname()[1]}")
        try:
            i.start()
            assert i.p.wait(10) == 1
            said = i.text()
            assert re.search(r"stats\.http: cannot listen on 127\.0\.0\.1:\d+: Address already in use; stop", said), said
        finally:
            i.stop()


# ---- tools -----------------------------------------------------------------------------------------

def rows_of(csv):
    """As Telegraf, nri-haproxy and Datadog read it: by name, as many cells as the header has."""
    lines = csv.rstrip("\n").split("\n")
    assert lines[0].startswith("# ")
    names = lines[0][2:].split(",")
    assert all(line.count(",") == lines[0].count(",") for line in lines)
    return {(r["pxname"], r["svname"]): r for r in (dict(zip(names, line.split(","))) for line in lines[1:])}


@pytest.mark.parametrize("uri", [
    "/haproxy?stats/;csv",        # Telegraf's default address
    "/;csv;norefresh",            # Datadog, nri-haproxy, Munin
    "/stats;csv",                 # Zabbix
    "//;csv;norefresh",           # Sensu
    "/haproxy?stats;csv",         # HAProxy's own default
    "/admin?stats;csv;norefresh",
])
def test_each_tool_gets_its_csv(quiet, uri):
    rows = rows_of(quiet[1].read(uri))
    assert rows["write", "n1"]["status"] == "UP" and rows["write", "n2"]["status"] == "DOWN"
    assert rows["write", "FRONTEND"]["status"] == "OPEN" and rows["read", "BACKEND"]["status"] == "UP"


def test_needless_credentials_are_ignored(quiet):
    """nri-haproxy and Zabbix send them always, even empty ones."""
    for value in "Basic Og==", "Basic dXNlcjpwYXNz", "Bearer x":
        assert quiet[1].get("/;csv;norefresh", headers={"Authorization": value})[0] == 200


def test_the_page_has_what_zabbix_and_datadog_look_for(quiet):
    text = quiet[1].read("/stats")
    assert re.search(r"HAProxy version (\d[^,]*),", text)
    assert re.search(r"(\d+)d (\d+)h(\d+)m(\d+)s", text)


def test_logicmonitor_reads_the_json(quiet):
    fields = [f for row in json.loads(quiet[1].read("/haproxy?stats;json;norefresh")) for f in row]
    names = {f["value"]["value"] for f in fields if f["field"]["name"] == "svname"}
    assert {"FRONTEND", "n1", "n2", "n3", "BACKEND"} <= names


def test_prometheus_haproxy_exporter_reads_it_over_http(quiet):
    i, port = quiet[1], free_port()
    p = popen(["prometheus-haproxy-exporter", f"--haproxy.scrape-uri=http://127.0.0.1:{i.port}/haproxy?stats;csv",
               f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])

    def scraped():
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            c.request("GET", "/metrics")
            return c.getresponse().read().decode()
        except OSError:
            return None
    try:
        text = wait_for(scraped, 10, "the exporter")
    finally:
        p.terminate()
        p.wait(5)
    assert re.search(r"^haproxy_up 1$", text, re.M)
    assert re.search(r"^haproxy_exporter_csv_parse_failures_total 0$", text, re.M)
    assert re.search(r'^haproxy_server_up\{backend="write",server="n1"\} 1$', text, re.M)


# ---- what changes ----------------------------------------------------------------------------------

def test_primary_and_readiness_follow_the_cluster(world):
    (n1, n2, n3), i = world
    assert json.loads(i.read("/primary")) == {"host": n1.address, "port": 5432, "name": "n1", "timeline": 1}
    assert [r["name"] for r in json.loads(i.read("/replicas"))] == ["n2", "n3"]
    n1.be("replica")
    status, _, text = wait_for(lambda: (r := i.get("/readyz"))[0] == 503 and r, 10, "not to be ready")
    assert re.match(r'write: cluster "main" has no primary since [\d.]+m?s: ', text), text
    status, _, text = i.get("/primary")
    assert status == 503 and "no primary" in json.loads(text)["error"]
    assert i.get("/healthz")[0] == 200
    n2.be("primary", timeline=2)
    wait_for(lambda: i.get("/readyz")[0] == 200, 10, "to be ready again")
    assert json.loads(i.read("/primary")) == {"host": n2.address, "port": 5432, "name": "n2", "timeline": 2}
    assert {r["name"] for r in json.loads(i.read("/replicas"))} >= {"n3"}


def test_an_open_page_hears_of_a_new_primary_at_once(world):
    (n1, n2, _), i = world
    with i.http() as s, s.makefile("rb") as stream:
        s.sendall(b"GET /isari.live HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")

        def wait_event(pattern, timeout):
            end = time.monotonic() + timeout
            while time.monotonic() < end:
                line = stream.readline()
                if line.startswith(b"data: ") and re.search(pattern, line.decode()):
                    return time.monotonic()
            raise AssertionError(f"no event like {pattern}")
        wait_event("n1 is primary", 5)
        n1.be("replica")
        wait_event("no primary|has no", 10)
        n2.be("primary", timeline=2)
        i.wait_up("write", ["n2"])
        changed = time.monotonic()
        assert wait_event("n2 is primary", 10) - changed < 0.5


def test_a_hint_makes_it_ask(world):
    i = world[1]
    assert i.request("POST", "/hint?cluster=main")[0] == 200
    i.wait_log(r"event=operator .*order=probe cluster=main client=127\.0\.0\.1:\d+$")
    assert i.request("POST", "/hint", headers={"Origin": "http://evil.example"})[0] == 403
    assert len(i.logged("order=probe")) == 1


def test_without_http_admin_nothing_is_changed(world):
    i = world[1]
    status, headers, _ = i.request("POST", "/", "s=n2&action=maint&b=read", FORM)
    assert (status, headers["Location"]) == (303, "./;st=DENY")
    assert i.up("read") == ["n2", "n3"]


def test_the_form_drains_and_readies(quiet):
    i = quiet[1]

    def post(body, **headers):
        status, h, _ = i.request("POST", "/", body, FORM | headers)
        return status, h["Location"]
    assert post("s=n2&action=drain&b=read") == (303, "./;st=DONE")
    assert i.stat()["read", "n2"]["status"] == "DRAIN"
    assert post("s=n2&s=n3&action=maint&b=%233") == (303, "./;st=DONE")
    assert [i.stat()["read", n]["status"] for n in ("n2", "n3")] == ["MAINT", "MAINT"]
    assert post("s=n2&s=n3&action=ready&b=read", Origin=f"http://127.0.0.1:{i.port}") == (303, "./;st=DONE")
    i.wait_up("read", ["n2", "n3"])
    assert post("s=n9&action=drain&b=read") == (303, "./;st=ERRP")
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"},
                    {"Origin": f"http://evil.example:{i.port}", "Host": f"evil.example:{i.port}"},
                    {"Content-Type": "text/plain"}):
        assert post("s=n2&action=maint&b=read", **headers) == (403, None), headers
    assert i.up("read") == ["n2", "n3"]


def test_the_form_works_behind_a_proxys_prefix(quiet):
    """The proxy may strip its prefix or leave it there; to the browser the page is below it."""
    i = quiet[1]
    for target in "/", "/lb/;norefresh":
        status, headers, _ = i.request("POST", target, "s=n2&action=ready&b=read", FORM)
        assert status == 303
        there = urllib.parse.urljoin("http://front.example/lb/", headers["Location"])
        assert there == "http://front.example/lb/;st=DONE"
    assert "Action processed successfully" in i.read("/lb/;st=DONE")
    i.wait_log(r"order=ready listener=read server=n2 client=127\.0\.0\.1:\d+$")


def test_replicas_are_known_without_a_read_listener():
    with Nodes(45, 3) as fakes:
        config = config_for(fakes)
        del config["listeners"]["read"]
        with Web(config) as i:
            i.wait_up("write", ["n1"])
            found = wait_for(lambda: (r := i.get("/replicas"))[0] == 200 and len(json.loads(r[2])) == 2 and r[2], 10,
                             "both replicas")
    assert [r["name"] for r in json.loads(found)] == ["n2", "n3"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_get_and_head_and_the_posts_that_order(quiet, method):
    i = quiet[1]
    for path, allowed in ("/primary", "GET, HEAD"), ("/api/clusters", "GET, HEAD"), ("/hint", "POST"), \
            ("/", "GET, HEAD, POST"):
        status, headers, _ = i.request(method, path)
        assert (status, headers["Allow"]) == (405, allowed)
    for path in "/primary", "/replicas", "/readyz", "/healthz", "/metrics", "/api/clusters", "/isari.live":
        assert i.request("POST", path, "", FORM)[0] == 405


# ---- clients that misbehave ------------------------------------------------------------------------

def everything_works(i):
    assert "Name: HAProxy" in i.ask("show info", timeout=2)
    with login(i.dial("write")) as s:
        s.sendall(query("select 1"))
        read_until(s, b"Z")


def read_to_end(s):
    got = b""
    try:
        while more := s.recv(65536):
            got += more
    except OSError:
        pass
    return got


def test_too_much_is_cut_short(quiet):
    i = quiet[1]
    with i.http() as s:
        sent = 0
        try:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
            for _ in range(160):
                s.sendall(b"a" * 65536)
                sent += 65536
        except OSError:
            pass
        assert sent < 10 << 20 or b"431" in read_to_end(s)
    with i.http() as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
        assert b" 413 " in read_to_end(s)
    for junk in (b"\x16\x03\x01\x02\x00" * 100, b"GET\r\n\r\n", startup(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        with i.http() as s:
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            assert b" 200 " not in read_to_end(s)
    everything_works(i)
    assert i.get("/healthz")[0] == 200


def test_clients_that_ask_all_the_time_hold_up_nobody(quiet):
    """A page takes a millisecond; sixty clients who ask for the next one at once must not keep this thread from
    its probes and operators. It gives each of its turns a few milliseconds of them."""
    i = quiet[1]
    stopping, served, took = threading.Event(), [], []

    def ask_again(n):
        with i.http(f"127.0.63.{170 + n % 2}") as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
            while not stopping.is_set():
                if b"HTTP/1.1 200 OK" in s.recv(1 << 20):
                    served.append(n)
                    s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    threads = [threading.Thread(target=ask_again, args=[n], daemon=True) for n in range(60)]
    for t in threads:
        t.start()
    try:
        wait_for(lambda: len(set(served)) == 60, 20, "everybody to be served")
        for _ in range(50):
            began = time.monotonic()
            assert "Name: HAProxy" in i.ask("show info", timeout=5)
            took.append(time.monotonic() - began)
    finally:
        stopping.set()
        for t in threads:
            t.join(20)
    median_ms = sorted(took)[25] * 1000
    print(f"show info beside {len(served)} pages: median {median_ms:.1f} ms")
    assert median_ms < 100
    assert i.up("write") == ["n1"]
    assert not i.logged("event=primary_lost")


class Pulse:
    """A session that asks all the time, in a thread of its own; how long each answer took."""

    def __init__(self, i):
        self.took, self.stopping = [], threading.Event()
        self.session = login(i.dial("write"))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            self.session.sendall(query("select 1"))
            read_until(self.session, b"Z")
            self.took.append(time.monotonic() - began)
            self.stopping.wait(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        self.session.close()

    def p99_ms(self):
        took = sorted(self.took)
        return took[len(took) * 99 // 100] * 1000


def test_a_thousand_connections_and_slow_ones_harm_nobody(quiet):
    """Half of them silent, half sending a byte now and then: no session is slower for it, the stats socket
    answers, and HTTP does, too, as soon as there is a place."""
    i = quiet[1]
    clients = []
    with Pulse(i) as pulse:
        try:
            for n in range(1000):
                s = socket.socket()
                s.bind((f"127.0.63.{100 + n % 50}", 0))
                s.setblocking(False)
                s.connect_ex(("127.0.0.1", i.port))  # most of them wait in the kernel
                clients.append(s)

            def drip():
                for s in clients[::2]:
                    with contextlib.suppress(OSError):
                        s.send(b"G")
                assert "Name: HAProxy" in i.ask("show info", timeout=2)
                return len(pulse.took) > 300
            wait_for(drip, 60, "300 answers of a session meanwhile", 0.2)
        finally:
            for s in clients:
                s.close()
        wait_for(lambda: i.get("/healthz", timeout=20)[0] == 200, 30, "HTTP to answer again")
        everything_works(i)
    print(f"p99 of {len(pulse.took)} answers of a session: {pulse.p99_ms():.1f} ms")
    assert pulse.p99_ms() < 100


def test_slow_senders_lose_their_places_to_others(quiet):
    """All places are taken by clients that send a byte now and then: others need not wait until they have
    finished, nor for the ten seconds that a request may take when there is room."""
    i = quiet[1]
    slow = [i.http(f"127.0.63.{160 + n % 2}") for n in range(64)]
    stopping = threading.Event()

    def drip():
        for byte in b"GET / HTTP/1.1\r\nX: " + b"a" * 1000:
            for s in slow:
                try:
                    s.send(bytes([byte]))
                except OSError:
                    pass
            if stopping.wait(0.2):
                return
    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        began = time.monotonic()
        assert i.get("/healthz", timeout=20)[0] == 200
        assert time.monotonic() - began < 8
    finally:
        stopping.set()
        thread.join()
        for s in slow:
            s.close()


def test_readers_that_stop_reading_harm_nobody(quiet):
    i = quiet[1]
    readers = []
    try:
        for n in range(30):
            s = i.http()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(b"GET /;json HTTP/1.1\r\nHost: x\r\n\r\n" * 20 if n % 2 else
                      b"GET /isari.live HTTP/1.1\r\nHost: x\r\n\r\n")
            readers.append(s)
        for _ in range(10):
            everything_works(i)
            assert i.get("/primary")[0] == 200
    finally:
        for s in readers:
            s.close()


def test_it_ends_at_once_whoever_is_connected():
    with Nodes(42, 1) as fakes, Web(config_for(fakes)) as i:
        i.wait_up("write", ["n1"])
        open_ones = [i.http() for _ in range(4)]
        open_ones[1].sendall(b"GET / HTTP/1.1\r\nHo")
        open_ones[2].sendall(b"GET /isari.live HTTP/1.1\r\nHost: x\r\n\r\n")
        open_ones[3].sendall(b"GET /api/sessions HTTP/1.1\r\nHost: x\r\n\r\n")
        assert i.get("/healthz")[0] == 200
        assert i.end(2) == 0
        for s in open_ones:
            s.close()
