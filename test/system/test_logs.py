"""The log: one line per session end and per transition, in three formats, for people, programs and halog; and what
becomes of it when nobody takes it."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile

import pytest

from fake_patroni import FakeCluster
from haproxy import HAProxy
from isari import Isari, binary, closed_at, config_for
from lone import Lone
from pgwire import login, query, read_all, read_error, read_until, reset, startup
from procs import Failure, free_port, popen, wait_for

BLOCK = "127.0.67"
FORMATS = ("text", "json", "haproxy-tcp")


# ---- every end, in every format ----------------------------------------------------------------------

class World:
    """isari before three members, with a listener for every way to end."""

    def __init__(self, fakes, fmt):
        self.n1, self.n2, self.n3 = fakes.nodes
        self.timeline = 1
        config = config_for(fakes, lease="1s", fall=1, timeout="400ms", ping_timeout="200ms", fast_interval="50ms",
                            interval="200ms")
        config["log"] = {"format": fmt}
        listeners = config["listeners"]
        listeners["write"]["hold"] = 0
        listeners["read"] |= {"stats_name": {"frontend": "fe_read", "backend": "be_read"}}
        more = {"waits": {"hold": "300ms"}, "small": {"maxconn": 1}, "early": {"timeouts": {"startup": "150ms"}},
                "idle": {"timeouts": {"client_idle": "150ms"}}, "quiet": {"timeouts": {"server_idle": "150ms"}}}
        for name, keys in more.items():
            listeners[name] = {"bind": f"127.0.0.1:{free_port()}", "serve": "primary"} | keys
        listeners["spare"] = {"bind": f"127.0.0.1:{free_port()}", "serve": "replica", "fallback": "primary"}
        listeners["strict"] = {"bind": f"127.0.0.1:{free_port()}", "serve": "replica", "max_lag": "1kB", "on_lag": "close"}
        self.i = Isari(config)

    def __enter__(self):
        self.i.__enter__()
        return self.settle()

    def __exit__(self, *_):
        self.i.__exit__()

    def settle(self):
        """n1 is primary, n2 and n3 are replicas, and isari knows."""
        self.timeline += 1
        for n in self.n2, self.n3:
            n.be("replica", timeline=self.timeline)
        self.n1.be("primary", timeline=self.timeline)
        self.i.wait_up("write", ["n1"]).wait_up("be_read", ["n2", "n3"]).wait_up("strict", ["n2", "n3"])
        return self

    def on(self, listener):
        return login(self.i.dial(listener))

    def on_node(self, listener, node):
        """A session of this listener on this server."""
        for _ in range(10):
            s = self.on(listener)
            s.sendall(query("select 1"))
            if dict(read_until(s, b"Z"))[b"D"].endswith(node.name.encode()):
                return s
            s.close()
        raise AssertionError(f"{listener} never led to {node}")


def client_closed(w):
    w.on("write").close()


def server_closed(w):
    with w.on("write") as s:
        w.n1.pg.end_session()
        read_all(s)


def client_reset(w):
    reset(w.on("write"))


def server_reset(w):
    with w.on("write") as s:
        w.n1.pg.end_session(abruptly=True)
        assert closed_at(s, 5)


def demoted(w):
    with w.on("write") as s:
        w.n1.be("replica", timeline=w.timeline)
        assert closed_at(s, 5)


def unreachable(w):
    with w.on_node("read", w.n2) as s:
        w.n2.rest.mode = "hang"
        w.n2.pg.silent = True
        assert closed_at(s, 10)
    w.n2.pg.silent = False


def lags(w):
    """All but n2 go on by a megabyte."""
    def at(node, said):
        node.rest.body_of = lambda path, body_of=node.rest.body_of: body_of(path) | {"xlog": said}

    with w.on_node("strict", w.n2) as s:
        at(w.n3, {"received_location": 1 << 20, "replayed_location": 1 << 20, "paused": False})
        at(w.n1, {"location": 1 << 20})
        assert closed_at(s, 10)
    for n in w.n1, w.n3:
        del n.rest.body_of


def fenced(w):
    with w.on("write") as s:
        w.n1.rest.mode = "hang"
        w.n2.be("primary", timeline=w.timeline + 1)
        assert closed_at(s, 10)
    w.timeline += 1


def lease_ended(w):
    with w.on("write") as s:
        w.n1.rest.mode = "hang"
        assert closed_at(s, 10)


def another_cluster(w):
    with w.on_node("read", w.n2) as s:
        w.n2.be("replica", timeline=w.timeline, system_id="7300000000000000009")
        assert closed_at(s, 10)


def maintenance(w):
    with w.on("write") as s:
        w.i.ctl("set", "server", "write/n1", "state", "maint")
        assert closed_at(s, 5)
    w.i.ctl("set", "server", "write/n1", "state", "ready")


def operator(w):
    with w.on("write") as s:
        w.i.ctl("shutdown", "sessions", "server", "write/n1")
        assert closed_at(s, 5)


def sent_back(w):
    for n in w.n2, w.n3:
        n.rest.mode = "error_500"
    w.i.wait_up("spare", ["n1"])
    with w.on("spare") as s:
        for n in w.n2, w.n3:
            n.rest.mode = "ok"
        assert closed_at(s, 10)


def no_server(w):
    w.n1.be("replica", timeline=w.timeline)
    w.i.wait_up("write", [])
    with w.i.dial("write") as s:
        s.sendall(startup())
        assert read_error(s)["C"] == "57P03"
        read_all(s)


def waited_in_vain(w):
    w.n1.be("replica", timeline=w.timeline)
    w.i.wait_up("waits", [])
    with w.i.dial("waits") as s:
        s.sendall(startup())
        assert read_error(s)["C"] == "57P03"
        read_all(s)


def left_while_waiting(w):
    w.n1.be("replica", timeline=w.timeline)
    w.i.wait_up("waits", [])
    with w.i.dial("waits") as s:
        s.sendall(startup())
        wait_for(lambda: int(w.i.stat()["waits", "BACKEND"]["qcur"]) == 1, 5, "a client that waits")


def waited_and_served(w):
    w.n1.be("replica", timeline=w.timeline)
    w.i.wait_up("small", [])
    with w.i.dial("small") as s:
        s.sendall(startup())
        wait_for(lambda: int(w.i.stat()["small", "BACKEND"]["qcur"]) == 1, 5, "a client that waits")
        w.settle()
        read_until(s, b"Z")


def not_reached(w):
    w.n1.pg.stop()
    with w.i.dial("write") as s:
        s.sendall(startup())
        assert read_error(s)["C"] == "57P03"
        read_all(s)
    w.n1.pg.__init__(w.n1.address, w.n1.name)
    w.n1.pg.start()


def another_one_took_it(w):
    """Until one that came to n2 is served by n3."""
    w.n2.pg.stop()
    for _ in range(3):
        w.on("read").close()
    w.n2.pg.__init__(w.n2.address, w.n2.name)
    w.n2.pg.start()


def too_many(w):
    with w.on("small"), w.i.dial("small") as s:
        s.sendall(startup())
        assert read_error(s)["C"] == "53300"
        read_all(s)


def no_client_of_ours(w):
    with w.i.dial("write") as s:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        closed_at(s, 5)


def said_nothing(w):
    with w.i.dial("early") as s:
        assert closed_at(s, 5)


def client_idle(w):
    with w.on("idle") as s:
        assert closed_at(s, 10)


def server_idle(w):
    with w.on("quiet") as s:
        assert closed_at(s, 10)


# story: (listener, what is found in text and JSON, HAProxy's "backend/server", termination state, Tw/Tc/Tt)
NONE, NOW, SOME = "-1/-1/", r"0/\d+/", r"\d+/-1/"
STORIES = {
    client_closed: ("write", "client_closed", "write/n1", "--", NOW),
    server_closed: ("write", "server_closed", "write/n1", "--", NOW),
    client_reset: ("write", "client_reset", "write/n1", "CD", NOW),
    server_reset: ("write", "server_reset", "write/n1", "SD", NOW),
    demoted: ("write", "server_lost_the_role", "write/n1", "D-", NOW),
    unreachable: ("read", "server_unreachable", "be_read/n2", "D-", NOW),
    lags: ("strict", "server_lags_too_far", "strict/n2", "D-", NOW),
    fenced: ("write", "server_fenced", "write/n1", "D-", NOW),
    lease_ended: ("write", "server_lease_ended", "write/n1", "D-", NOW),
    another_cluster: ("read", "server_of_another_cluster", "be_read/n2", "D-", NOW),
    maintenance: ("write", "server_in_maintenance", "write/n1", "D-", NOW),
    operator: ("write", "shut_down_by_an_operator", "write/n1", "K-", NOW),
    sent_back: ("spare", "sent_back_to_a_replica", "spare/n1", "U-", NOW),
    no_server: ("write", "no_server", "write/<NOSRV>", "SC", NONE),
    waited_in_vain: ("waits", "no_server", "waits/<NOSRV>", "sQ", SOME),
    left_while_waiting: ("waits", "client_closed", "waits/<NOSRV>", "CQ", SOME),
    waited_and_served: ("small", "client_closed", "small/n1", "--", r"\d+/\d+/"),
    not_reached: ("write", "no_server_could_be_reached", "write/n1", "SC", "0/-1/"),
    another_one_took_it: ("read", "client_closed", "be_read/n3", "--", NOW),
    too_many: ("small", "too_many_sessions", "small/<NOSRV>", "PR", NONE),
    no_client_of_ours: ("write", "not_a_postgresql_client", "write/<NOSRV>", "PR", NONE),
    said_nothing: ("early", "startup_timeout", "early/<NOSRV>", "cR", NONE),
    client_idle: ("idle", "client_idle_timeout", "idle/n1", "cD", NOW),
    server_idle: ("quiet", "server_idle_timeout", "quiet/n1", "sD", NOW),
}
FRONTENDS = {"read": "fe_read"}
TCPLOG = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) [ \d]\d \d\d:\d\d:\d\d (?P<host>\S+) haproxy\[(?P<pid>\d+)\]: "
    r"(?P<client>127\.0\.0\.1:\d+) \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] (?P<fe>\S+) (?P<server>\S+) "
    r"(?P<times>-?\d+/-?\d+/\d+) (?P<bytes>\d+) (?P<state>..) (?P<act>\d+)/(?P<feconn>\d+)/(?P<beconn>\d+)/(?P<srvconn>\d+)/"
    r"(?P<retries>\+?\d+) (?P<queues>\d+/\d+)$")


def ends_in_text(i):
    pairs = (line.split("event=session_end ")[1] for line in i.logged("event=session_end"))
    return [dict(re.findall(r'(\w+)=("[^"]*"|\S+)', p)) for p in pairs]


def ends_in_json(i):
    return [e for e in map(json.loads, i.text().splitlines()) if e["event"] == "session_end"]


def ends_in_tcplog(i):
    return [m.groupdict() for m in map(TCPLOG.match, i.text().splitlines()) if m]


READERS = dict(zip(FORMATS, (ends_in_text, ends_in_json, ends_in_tcplog)))


def is_end_of(story, fmt, e):
    listener, reason, server, state, times = STORIES[story]
    if fmt != "haproxy-tcp":
        return e["listener"] == listener and e["reason"] == reason
    return e["fe"] == FRONTENDS.get(listener, listener) and e["server"] == server and e["state"] == state \
        and re.match(times, e["times"])


def assert_agrees(story, fmt, e):
    """What every line must hold, whatever its format."""
    _, reason, server, _, times = STORIES[story]
    if fmt == "haproxy-tcp":
        queue = 1 if times == SOME or story is waited_and_served else 0
        assert e["queues"] == f"0/{queue}", e
        assert int(e["act"]) <= int(e["feconn"]) + 2 and int(e["srvconn"]) <= int(e["beconn"]), e
        return
    assert re.fullmatch(r"127\.0\.0\.1:\d+", e["client"])
    assert all(int(e[k]) >= 0 for k in ("bytes_in", "bytes_out", "duration_ms", "connect_ms")), e
    served = times == NOW or story is waited_and_served
    assert ("server_local" in e) == served and (not served or e["server"] == server.partition("/")[2]), e
    assert ("held_ms" in e) == (times == SOME or story is waited_and_served), e
    assert ("error" in e) == (reason == "no_server_could_be_reached"), e


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_end_is_one_line_with_its_reason(fmt):
    with FakeCluster(BLOCK, 3) as fakes, World(fakes, fmt) as w:
        for story in STORIES:
            before = len(READERS[fmt](w.i))
            story(w)
            def found():
                return [e for e in READERS[fmt](w.i)[before:] if is_end_of(story, fmt, e)]
            ends = wait_for(found, 5, f"the end of {story.__name__} in the log, after:\n" +
                            "\n".join(map(str, READERS[fmt](w.i)[before:])), 0.02)
            assert_agrees(story, fmt, ends[-1])
            w.settle()
        retried = [e for e in READERS[fmt](w.i) if str(e.get("retries", "0")).lstrip("+") != "0"]
        assert retried, "a session that was refused and then served says so"
        s = w.on("write")
        w.i.end(signal.SIGINT)
        last = READERS[fmt](w.i)[-1]
        assert (last.get("reason"), last.get("state")) in (("isari_is_stopping", None), (None, "K-")), last
        s.close()


# ---- HAProxy's own words -----------------------------------------------------------------------------

@pytest.fixture
def both():
    """(fakes, isari with HAProxy's format, a real HAProxy), with the same names"""
    with FakeCluster(BLOCK, 3) as fakes:
        config = config_for(fakes, hold=0, interval="200ms", fast_interval="100ms", fall=2, timeout="1s")
        config["listeners"]["read"]["stats_name"] = {"frontend": "fe_read", "backend": "be_read"}
        config["log"] = {"format": "haproxy-tcp"}
        with Isari(config) as i, HAProxy(fakes) as h:
            i.wait_up("write", ["n1"]).wait_up("be_read", ["n2", "n3"])
            h.wait_up("write", ["n1"]).wait_up("be_read", ["n2", "n3"])
            yield fakes, i, h


def words(lines):
    """Without head, durations, and counts that depend on the moment."""
    bare = (re.sub(r"^.*?\w+\[\d+\]: ", "", line) for line in lines)
    return [re.sub(r"\d+ms", "Nms", re.sub(r"\d+ sessions active", "N sessions active", line)) for line in bare]


def is_sentence(line):
    return line.startswith("Server ") or "has no server available!" in line


def sentences(lines):
    return [line for line in words(lines) if is_sentence(line)]


def wait_same(i, h, pattern, what):
    """Both have said it, and what they say is the same."""
    def said():
        return [sorted(line for line in sentences(lines) if re.search(pattern, line))
                for lines in (i.text().splitlines(), list(h.lines))]
    try:
        wait_for(lambda: said()[0] and said()[0] == said()[1], 10, "the same words", 0.02)
    except Failure:
        assert said()[0] == said()[1], what


def mark(i, h):
    """Forget what was said."""
    open(i.log, "w", encoding="ascii").close()
    h.lines.clear()


def test_transitions_are_told_in_haproxys_words(both):
    fakes, i, h = both
    n1, n2, n3 = fakes.nodes

    def both_do(command):
        for p in i, h:
            p.ask(command)

    wait_for(lambda: i.logged("Server write/n3 is DOWN"), 10, "the end of isari's patience at the start")
    mark(i, h)
    both_do("set server write/n1 state maint")
    wait_same(i, h, "write/n1|proxy write", "maintenance")
    mark(i, h)
    both_do("set server write/n1 state ready")
    wait_same(i, h, "write/n1", "the end of maintenance")
    mark(i, h)
    both_do("set server be_read/n2 state drain")
    wait_same(i, h, "be_read/n2", "drain")
    mark(i, h)
    both_do("set server be_read/n2 state ready")
    wait_same(i, h, "be_read/n2", "the end of drain")
    mark(i, h)
    n3.rest.refuse()
    wait_same(i, h, "be_read/n3", "a member that refuses")
    mark(i, h)
    n3.rest.start()
    wait_same(i, h, "be_read/n3", "its return")
    mark(i, h)
    n1.be("replica")
    wait_same(i, h, "write/n1|proxy write|be_read/n1", "a primary that is none any more")
    mark(i, h)
    n2.be("primary", timeline=2)
    wait_same(i, h, "write/n2 |be_read/n2", "a new primary")
    mark(i, h)
    n1.rest.mode = "hang"
    wait_same(i, h, "be_read/n1", "a reader that hangs")
    mark(i, h)
    n3.rest.mode = "hang"
    wait_same(i, h, "be_read/n3|backend be_read", "the last one")


def traffic(dial, n1):
    """Sessions of every kind that both proxies treat alike."""
    for _ in range(3):
        login(dial("write")).close()
    for _ in range(4):
        with login(dial("read")) as s:
            s.sendall(query("select 1"))
            read_until(s, b"Z")
    for _ in range(2):
        reset(login(dial("write")))
    with login(dial("write")) as s:
        n1.pg.end_session(abruptly=True)
        assert closed_at(s, 5)


# What it cannot find in a tcplog (termination codes, queues) it complains of, for one as for the other.
OPTIONS = (["-st"], ["-srv"], ["-c"], ["-st", "-q"], ["-srv", "-q"], ["-tc"], ["-pct"], ["-e", "-c"], ["-E", "-c"], ["-Q"],
           ["-H", "-c"], ["-v", "-c"], ["-tcn", "SC"], ["-hs", "141", "-st"])


def halog(log, *words_):
    """(rows, complaints), without the order of lines and what differs with the clock."""
    r = subprocess.run(["halog", *words_], input=log, capture_output=True, text=True, timeout=20, check=True)
    return sorted(r.stdout.splitlines()), sorted(re.sub(r"(line) \d+: .*", r"\1", line) for line in r.stderr.splitlines())


def test_halog_reads_the_same_from_our_log_as_from_haproxys(both):
    fakes, i, h = both
    mark(i, h)
    n1 = fakes.nodes[0]
    for p in i, h:
        traffic(p.dial, n1)
    n1.be("replica")
    i.wait_up("write", [])
    h.wait_up("write", [])
    for p in i, h:
        with p.dial("write") as s:
            s.sendall(startup())
            closed_at(s, 5)
    wait_for(lambda: len(ends_in_tcplog(i)) == 11, 5, "isari's eleven ends")
    h.wait_log(r"\d+/\d+/\d+/\d+/\d+ \d+/\d+$", 11)
    ours = "\n".join(line for line in i.text().splitlines() if TCPLOG.match(line)) + "\n"
    theirs = "\n".join(line for line in h.lines if TCPLOG.match(line)) + "\n"
    assert len(theirs.splitlines()) == 11, theirs
    for options in OPTIONS:
        assert halog(ours, *options) == halog(theirs, *options), options
    rows = sorted(row.split()[0] for row in halog(ours, "-srv")[0])
    assert rows == ["#srv_name", "be_read/n2", "be_read/n3", "write/<NOSRV>", "write/n1"]
    for log in ours, theirs:  # when they came is read from both, and is not the same
        assert len(subprocess.run(["halog", "-ac", "0"], input=log, capture_output=True, text=True,
                                  check=True).stdout.splitlines()) > 0


def test_the_tag_and_all_other_events(both):
    _, i, _ = both
    i.ctl("probe")
    line = i.wait_log("order=probe")[0]
    assert re.fullmatch(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d " + re.escape(socket.gethostname()) +
                        rf" haproxy\[{i.p.pid}\]: level=info event=operator order=probe cluster=main", line), line


def test_the_tag_is_configurable():
    with FakeCluster(BLOCK, 2) as fakes:
        config = config_for(fakes) | {"log": {"format": "haproxy-tcp", "tag": "pg-front"}}
        with Isari(config) as i:
            i.wait_up("write", ["n1"])
            login(i.dial("write")).close()
            i.wait_log(rf" pg-front\[{i.p.pid}\]: 127\.0\.0\.1:\d+ \[.* write write/n1 ")


# ---- joins -------------------------------------------------------------------------------------------

def test_server_local_joins_pg_stat_activity():
    with Lone(BLOCK) as pg, Isari(config_for(pg)) as i:
        i.wait_up("write", ["n1"])
        with i.connect("write") as c:
            pid = c.execute("select pg_backend_pid()").fetchone()[0]
            port = pg.sql("select client_port from pg_stat_activity where pid = %s", pid)
        end = i.wait_log("event=session_end listener=write")[0]
    assert f" server_local=127.0.0.1:{port} " in end or re.search(rf" server_local=\S+:{port} ", end), (end, port)


# ---- nobody takes it ---------------------------------------------------------------------------------

def start_with(config, sink, env=None):
    """isari with this descriptor as its standard error; Isari without its log file."""
    i = Isari(config)
    i.p = popen([binary(), "-f", i.file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sink,
                env=os.environ | (env or {}))
    return i.wait_ready()


@pytest.fixture
def fakes():
    with FakeCluster(BLOCK, 2) as f:
        yield f


def sessions(i, n):
    for _ in range(n):
        login(i.dial("write")).close()


def dropped(i):
    return int(re.search(r"^DroppedLogs: (\d+)$", i.ask("show info"), re.M)[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is small enough")
def test_a_full_disk_costs_lines_that_are_counted_and_no_sessions(fakes):
    with tempfile.TemporaryDirectory(prefix="isari-disk-") as disk:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
        try:
            path, config = os.path.join(disk, "log"), config_for(fakes)
            long_name = config["clusters"]["main"]["members"][0]["name"] = "n" * 64  # makes long lines
            with open(path, "ab") as f:
                i = start_with(config, f)
            try:
                i.wait_up("write", [long_name])
                while dropped(i) == 0:  # the disk's 64 kB and the 4 MB that wait for it in memory
                    sessions(i, 500)
                assert os.path.getsize(path) <= 65536
                sessions(i, 5)
                subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
                wait_for(lambda: os.path.getsize(path) > 65536, 10, "the disk to be written again")

                def announced():
                    sessions(i, 1)
                    with open(path, encoding="utf-8") as f:
                        return "event=log_lines_dropped count=" in f.read()
                wait_for(announced, 10, "the count of what was lost")
                lost = dropped(i)
            finally:
                i.stop()
            with open(path, encoding="utf-8") as f:
                lines = f.read().splitlines()
            assert lost == sum(int(m[1]) for line in lines if (m := re.search(r"log_lines_dropped count=(\d+)$", line)))
            assert all(line.startswith("time=20") for line in lines), "no line is torn"
            assert lines[-1].endswith('event=stopped msg="every session is closed"')
        finally:
            subprocess.run(["umount", disk], check=True)


def test_a_reader_that_is_gone_costs_lines_and_nothing_else(fakes):
    reads, writes = os.pipe()
    i = start_with(config_for(fakes), writes)
    os.close(writes)
    try:
        i.wait_up("write", ["n1"])
        os.close(reads)
        before = dropped(i)
        sessions(i, 3)
        wait_for(lambda: dropped(i) >= before + 3, 5, "three lines to be counted")
        assert i.p.poll() is None
    finally:
        assert i.stop() == 0


def test_the_journal_gets_priorities_and_no_head(fakes):
    ours, theirs = socket.socketpair()
    stat = os.fstat(theirs.fileno())
    config = config_for(fakes) | {"log": {"format": "haproxy-tcp"}}
    i = start_with(config, theirs, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
    theirs.close()
    try:
        i.wait_up("write", ["n1"])
        sessions(i, 1)
        fakes.nodes[0].be("replica")
        i.wait_up("write", [])
    finally:
        i.stop()
    ours.settimeout(5)
    lines = read_all(ours).decode().splitlines()
    ours.close()
    assert all(re.match("<[3-7]>", line) for line in lines), lines
    text = "\n".join(lines)
    for pattern in (r"^<6>level=info event=started ", r"^<6>Server write/n1 is UP, reason: Layer7 check passed",
                    r"^<6>127\.0\.0\.1:\d+ \[\d\d/\w+/\d{4}:[\d:.]+\] write write/n1 \d+/\d+/\d+ 141 -- ",
                    r"^<4>Server write/n1 is DOWN, reason: ", r"^<3>level=error event=primary_lost "):
        assert re.search(pattern, text, re.M), (pattern, text)
