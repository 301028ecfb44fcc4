"""What reads HAProxy reads isari: both before the same members and under the same traffic, and the habits of every tool
that is known to look at HAProxy, so that none of them can tell one from the other."""
import csv
import http.client
import io
import json
import re
import socket

import pytest

from beside import talk
from fake_patroni import FakeCluster, FakeNode
from haproxy import HAProxy
from isari import Isari, closed_at, config_for
from pgwire import login, query, read_all, read_until, reset, startup
from procs import Failure, free_port, popen, wait_for
from terminal import Terminal

BLOCK = "127.0.67"
MAXCONN = 200


def fakes_from(first):
    """Three members of their own for each pair, as the pairs live side by side."""
    fakes = FakeCluster(BLOCK, 0)
    fakes.nodes = [FakeNode(f"{BLOCK}.{first + k}", f"n{k + 1}") for k in range(3)]
    return fakes


def start_isari(fakes):
    config = config_for(fakes, hold=0, interval="200ms", fast_interval="100ms", fall=2, timeout="1s")
    config["listeners"]["read"]["stats_name"] = {"frontend": "fe_read", "backend": "be_read"}
    for listener in config["listeners"].values():
        listener["maxconn"] = MAXCONN
    config["maxconn"] = 1000
    i = Isari(config, stats={"http": f"127.0.0.1:{free_port()}"})
    i.web = int(i.config["stats"]["http"].rpartition(":")[2])
    return i


def wait_ready(p):
    p.wait_up("write", ["n1"]).wait_up("be_read", ["n2", "n3"])
    servers = [(px, n) for px in ("write", "be_read") for n in ("n1", "n2", "n3")]
    wait_for(lambda: {p.stat()[s]["status"] for s in servers} == {"UP", "DOWN"}, 10, f"{p} to be sure of all")


@pytest.fixture(scope="module")
def both():
    """(HAProxy, isari): nobody may change more than numbers"""
    with fakes_from(1) as fakes, start_isari(fakes) as i, HAProxy(fakes) as h:
        h.nodes = i.nodes = fakes.nodes
        for p in h, i:
            wait_ready(p)
        yield h, i


# ---- what no two proxies can have alike --------------------------------------------------------------

# Clocks and rates; the most at a time depends on how quickly an end is seen.
MOMENTARY = {"lastchg", "downtime", "check_duration", "lastsess", "rate", "rate_max", "conn_rate", "conn_rate_max", "smax",
             "qtime", "ctime", "rtime", "ttime", "qtime_max", "ctime_max", "rtime_max", "ttime_max", "last_chk"}
# HAProxy takes all servers for up when it starts, and so has seen those fall that isari never trusted.
FALLEN = {"chkfail", "chkdown"}
# Connections that HAProxy keeps for later use belong to HTTP.
POOLED = {"used_conn_cur", "need_conn_est"}
VARIES = MOMENTARY | FALLEN | POOLED


def names(text):
    return text.splitlines()[0].removeprefix("# ").rstrip(",").split(",")


def varies(position, header):
    return header[position] in VARIES


# ---- habits ------------------------------------------------------------------------------------------
#
# Each is how one tool, or several alike, talks to HAProxy and takes the reply apart, with the faults that are fatal to it;
# and what it makes of it, without what varies.

def hatop(p):
    """Splits at every comma, needs 51 columns, int() on most of them, rows by iid and sid."""
    text = {10: str, 17: str, 31: str, 36: str, 45: str, 0: str, 1: str}
    reply, found = p.ask("show stat"), {}
    header = names(reply)
    for line in reply.splitlines():
        if line.count(",") < 51 or line.startswith("#"):
            continue
        cells = line.split(",", 51)[:51]
        row = [c if text.get(k) is str or c == "" else int(c) for k, c in enumerate(cells)]
        found[row[27], row[28]] = [c for k, c in enumerate(row) if not varies(k, header)]
    assert found
    return found


def hatop_info(p):
    """Fourteen fields by pattern; one that is missing ends it."""
    wanted = {"Name": r"\S+", "Version": r"\S+", "Release_date": r"\S+", "Nbproc": r"\d+", "Process_num": r"\d+",
              "Pid": r"\d+", "Uptime": r"[\S ]+", "Maxconn": r"\d+", "CurrConns": r"\d+", "Maxpipes": r"\d+",
              "PipesUsed": r"\d+", "Tasks": r"\d+", "Run_queue": r"\d+", "node": r"\S+"}
    info = p.ask("show info")
    return {name: bool(re.search(rf"^{name}:\s*{value}\s*$", info, re.M)) for name, value in wanted.items()}


def exporter(p):
    """By position to 79; each row as long as the first one; what has no number has no metric."""
    rows = list(csv.reader(io.StringIO(p.ask("show stat").removeprefix("# ").strip())))
    header = rows[0]
    assert all(len(r) == len(header) >= 80 for r in rows)
    wanted = [*range(2, 10), 10, *range(12, 20), 21, 24, 30, 33, 34, 35, *range(38, 45), *range(48, 55), *range(58, 62), 79]
    return {(r[0], r[1], r[32], r[17]): {header[k]: int(r[k]) for k in wanted
                                         if r[k].lstrip("-").isdigit() and not varies(k, header)} for r in rows[1:]}


def sensu(p):
    """By position to 82, and no row without a status."""
    rows = [line.split(",") for line in p.ask("show stat").splitlines() if line and not line.startswith("#")]
    header = names(p.ask("show stat"))
    assert all(r[17] for r in rows)
    return [[c for k, c in enumerate(r[:83]) if not varies(k, header)] for r in rows]


def telegraf(p):
    """By name; the first cell is "# " and more; every row as long as the header, or nothing is taken at all."""
    header, *rows = csv.reader(io.StringIO(p.ask("show stat").strip()))
    assert header[0].startswith("# ") and len(header[0]) > 2
    header[0] = header[0][2:]
    assert all(len(r) == len(header) for r in rows)
    found = {}
    for r in rows:
        fields = dict(zip(header, r))
        assert fields["type"] in "0123"
        known = {k: v for k, v in fields.items() if not k.startswith(("isari_", "ssl_", "h1_", "h2_")) and k not in VARIES}
        found[fields["pxname"], fields["svname"]] = {k: v for k, v in known.items() if v != ""}
    return found


def datadog(p):
    """Two commands on one connection, split at "\\n\\n" into just two; info split at ":"; rows from the last to the first,
    where a BACKEND comes before its servers."""
    reply = talk(p.socket, b"show info;show stat\r\n", half_close=False)
    assert reply.isascii()
    info, stat = [part for part in reply.split("\n\n") if part.strip()]
    facts = {}
    for line in info.splitlines():
        key, value = line.split(":")
        facts[key] = value.strip()
        if key == "Uptime_sec":
            break
    assert "Uptime_sec" in facts and "Version" in facts
    fields = [f for f in stat.splitlines()[0].lstrip("# ").split(",") if f]
    back_or_front, seen = None, []
    for line in stat.splitlines()[:0:-1]:
        values = dict(zip(fields, line.split(",")))
        if values["svname"] in ("FRONTEND", "BACKEND"):
            back_or_front = values["svname"]
        session_pct = float(values["scur"]) / float(values["slim"]) * 100 if values["slim"] else None
        seen.append((values["pxname"], values["svname"], back_or_front, values["status"].lower(), session_pct))
    return seen, talk(p.socket, b"show table\r\n", half_close=False)


def check_haproxy(p):
    """By name; the last row is thrown away, which must be a BACKEND; UP and DOWN count when they are just that."""
    lines = p.ask("show stat").splitlines()
    assert re.match(r"# \w+", lines[0])
    fields = lines[0][2:].split(",")
    rows = [dict(zip(fields, line.split(","))) for line in lines[1:] if line]
    assert rows.pop()["svname"] == "BACKEND"
    statuses = [r["status"] for r in rows if r["type"] == "2"]
    return {s: statuses.count(s) for s in set(statuses)}, [(r["act"], r["bck"], r["scur"], r["slim"], r["bin"], r["bout"])
                                                          for r in rows]


def check_haproxy_stats(p):
    """Anything but UP for a BACKEND, OPEN for a FRONTEND is critical."""
    return {(r["pxname"], r["svname"]): (r["status"], r["slim"], r["scur"], r["check_status"])
            for r in p.stat().values()}


def haproxyadmin(p):
    """Its name must be HAProxy's; rows by iid, type and sid."""
    info = dict(line.split(": ", 1) for line in p.ask("show info").splitlines() if line)
    row = p.ask("show stat 2 4 1").splitlines()
    return info["Name"], info["Process_num"], len(row), row[1].split(",")[:2]


def collectd(p):
    """wglass: every info line has just one ": "; rows by kind."""
    found = {}
    for line in p.ask("show info").splitlines():
        if line:
            label, value = line.split(": ")
            found[label] = value.isdigit()
    kinds = []
    for bits in range(1, 8):
        header, *rows = p.ask(f"show stat -1 {bits} -1").strip().splitlines()
        kinds.append([line.split(",")[:2] for line in rows])
        assert header.startswith("# pxname,svname,")
    return {label: v for label, v in found.items() if label in COLLECTD_WANTS}, kinds


COLLECTD_WANTS = {"MaxConnRate", "CumConns", "CumReq", "MaxConn", "CurrConns", "ConnRate", "Uptime_sec", "Idle_pct", "Maxconn",
                  "SessRate", "SslRate", "Tasks", "Run_queue"}


def collectd_mleinart(p):
    """Info lines with one colon; a DictReader without "# " and the last comma."""
    info = dict(line.split(":") for line in p.ask("show info").splitlines() if line.count(":") == 1)
    lines = [line.strip("# ").rstrip(",") for line in p.ask("show stat").splitlines() if line]
    rows = list(csv.DictReader(lines))
    assert all(None not in r for r in rows)
    return info["Name"], [(r["pxname"], r["svname"], r["status"], r["stot"], r["bin"]) for r in rows]


def ansible(p):
    """drain is for HAProxy since 1.5."""
    version = re.search(r"^Version: (\d+)\.(\d+)", p.ask("show info"), re.M)
    assert (int(version[1]), int(version[2])) >= (1, 5)
    rows = csv.DictReader(p.ask("show stat").lstrip("# ").splitlines())
    return [(r["pxname"], r["svname"], r["status"], r["weight"], r["scur"]) for r in rows]


def haproxyctl(p):
    """Lines end with \\r\\n; columns 0, 1, 17 and 18."""
    rows = [line.split(",") for line in talk(p.socket, b"show stat\r\n", half_close=False).splitlines() if line]
    return [(r[0], r[1], r[17], r[18]) for r in rows]


def client_native(p):
    """Numbers for severities; info by position; state of version 1 with 25 fields or more."""
    typed = talk(p.socket, b"set severity-output number;show info typed\n")
    info = {int(line.split(".")[0]): line.split(".")[1] for line in typed.splitlines() if re.match(r"\d+\.", line)}
    state = p.ask("show servers state").splitlines()
    assert state[0] == "1" and all(len(line.split()) >= 25 for line in state[2:] if line)
    fault = talk(p.socket, b"set severity-output number;set server write/none state ready\n")
    return info, [line.split()[:8] for line in state[2:]], fault


def metricbeat(p):
    """The header begins with "# pxname", literally; these are numbers in every row; info lines with one colon."""
    stat = p.ask("show stat")
    assert stat.startswith("# pxname")
    rows = list(csv.DictReader(stat[2:].splitlines()))
    ints = "type", "pid", "bin", "bout", "iid", "scur", "smax", "stot", "dresp", "sid"
    assert all(r[k] != "" and int(r[k]) >= 0 for r in rows for k in ints if k != "dresp" or r[k])
    info = [line.split(":")[0] for line in p.ask("show info").splitlines() if line.count(":") == 1]
    return [(r["type"], r["pid"], r["iid"], r["sid"]) for r in rows], "Uptime_sec" in info


def opentelemetry(p):
    """By name; one short row is its end. The old one reads once."""
    header, *rows = p.ask("show stat").strip().splitlines()
    assert all(len(r.split(",")) >= len(header.split(",")) for r in rows)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(p.socket)
        s.sendall(b"show stat\n")
        first = s.recv(4096).decode()
    return first.split(",")[:3], first.splitlines()[1].split(",")[:2]


def checkmk(p):
    return [[line.split(",")[k] for k in (0, 1, 7, 17, 19, 20, 32, 36)] for line in p.ask("show stat").splitlines()
            if line and not line.startswith("#")]


def shell(p):
    """Runbooks: cut -d, -f1,2,18,19, and grep for a row's beginning."""
    reply = p.ask("show stat")
    cut = [[line.split(",")[k] for k in (0, 1, 17, 18)] for line in reply.splitlines() if line]
    return cut, [line.split(",")[:2] for line in reply.splitlines() if line.startswith("write,n1,")]


def framing(p):
    """Read to the end: one empty line is the end of each reply, and there is none before it."""
    replies = {c: p.ask(c) for c in ("show stat", "show info", "show servers state", "show backend", "show table")}
    return {c: (r.endswith("\n\n") or r == "\n", r.rstrip("\n").count("\n\n")) for c, r in replies.items()}


HABITS = [hatop, hatop_info, exporter, sensu, telegraf, datadog, check_haproxy, check_haproxy_stats, haproxyadmin, collectd,
          collectd_mleinart, ansible, haproxyctl, client_native, metricbeat, opentelemetry, checkmk, shell, framing]


def assert_same(both, habit):
    def alike():
        theirs, ours = (habit(p) for p in both)
        return theirs == ours
    try:
        wait_for(alike, 10, "the same", 0.1)  # HAProxy counts the bytes of a session every 5 s
    except Failure:
        theirs, ours = (habit(p) for p in both)
        assert ours == theirs


@pytest.mark.parametrize("habit", HABITS, ids=lambda f: f.__name__)
def test_every_habit_finds_the_same_at_rest(both, habit):
    assert_same(both, habit)


# ---- traffic -----------------------------------------------------------------------------------------

COUNTERS = ("stot", "bin", "bout", "dreq", "dresp", "ereq", "econ", "eresp", "wretr", "wredis", "cli_abrt", "srv_abrt", "lbtot",
            "conn_tot", "connect", "dcon", "eint", "chkfail", "chkdown", "reuse", "wrew")




def clients_close(p):
    for name in ("write", "read") * 3:
        login(p.dial(name)).close()


def clients_ask(p):
    for name in ("write", "read") * 2:
        with login(p.dial(name)) as s:
            s.sendall(query("select 1"))
            read_until(s, b"Z")


def clients_reset(p):
    for _ in range(3):
        reset(login(p.dial("write")))


def several_at_once(p):
    sockets = [login(p.dial("read")) for _ in range(4)]
    for s in sockets:
        s.close()


def server_closes(p):
    with login(p.dial("write")) as s:
        p.nodes[0].pg.end_session()
        read_all(s)


def server_resets(p):
    with login(p.dial("write")) as s:
        p.nodes[0].pg.end_session(abruptly=True)
        assert closed_at(s, 5)


def operator_shuts_down(p):
    with login(p.dial("write")) as s:
        p.ask("shutdown sessions server write/n1")
        assert closed_at(s, 5)


def operator_maintains(p):
    with login(p.dial("write")) as s:
        p.ask("set server write/n1 state maint")
        assert closed_at(s, 5)
    p.ask("set server write/n1 state ready")
    p.wait_up("write", ["n1"])


def operator_drains(p):
    p.ask("set server be_read/n2 state drain")
    wait_for(lambda: p.stat()["be_read", "n2"]["status"] == "DRAIN", 5, "the drain")
    for _ in range(3):
        login(p.dial("read")).close()
    p.ask("set server be_read/n2 state ready")
    p.wait_up("be_read", ["n2", "n3"])


def operator_weighs(p):
    p.ask("set weight be_read/n2 0")
    for _ in range(3):
        login(p.dial("read")).close()
    p.ask("set weight be_read/n2 100%")


STORIES = [clients_close, clients_ask, clients_reset, several_at_once, server_closes, server_resets, operator_shuts_down,
           operator_maintains, operator_drains, operator_weighs]


def counted(p):
    return {key: {c: int(row[c]) for c in COUNTERS if row[c] != ""} for key, row in p.stat().items()}


def moved(p, before):
    """What has changed since, without what has not."""
    now = counted(p)
    changes = {key: {c: now[key][c] - n for c, n in row.items() if now[key][c] != n} for key, row in before.items()}
    return {key: row for key, row in changes.items() if row}


def settled(both, before):
    """Both sides' changes, once nobody is connected and they have stopped to differ or to change."""
    def quiet(p):
        return all(row["scur"] == "0" for row in p.stat().values())
    for p in both:
        wait_for(lambda p=p: quiet(p), 5, f"the last session of {p} to end")
    try:
        wait_for(lambda: moved(both[0], before[0]) == moved(both[1], before[1]), 3, "the same", 0.05)
    except Failure:
        pass
    return [moved(p, b) for p, b in zip(both, before)]


@pytest.mark.parametrize("story", STORIES, ids=lambda f: f.__name__)
def test_counters_move_alike(both, story):
    before = [counted(p) for p in both]
    for p in both:
        story(p)
    theirs, ours = settled(both, before)
    assert ours == theirs and any("stot" in row for row in ours.values())


def test_limits_are_reached_alike(both):
    """As full as can be, both say so; who comes then waits in HAProxy's kernel and hears why from isari."""
    for p in both:
        p.ask("set maxconn frontend write 2")
    try:
        for p in both:
            with login(p.dial("write")), login(p.dial("write")):
                row = p.stat()["write", "FRONTEND"]
                assert (row["scur"], row["slim"]) == ("2", "2")
    finally:
        for p in both:
            p.ask(f"set maxconn frontend write {MAXCONN}")
    assert_same(both, check_haproxy_stats)


def test_a_server_that_refuses_counts_alike_where_it_can(both):
    """HAProxy calls the same server again and again before it gives up, or another one; isari always another one."""
    n2 = both[0].nodes[1]
    before = [counted(p) for p in both]
    n2.pg.stop()
    try:
        for p in both:
            for _ in range(4):
                login(p.dial("read")).close()
    finally:
        n2.pg.__init__(n2.address, n2.name)
        n2.pg.start()
    for p, rows in zip(both, settled(both, before)):
        assert rows["fe_read", "FRONTEND"] == {"stot": 4, "bin": 164, "bout": 564, "conn_tot": 4}, p
        assert rows["be_read", "n3"]["stot"] == 4 and rows["be_read", "BACKEND"]["stot"] == 4, p
        failed = rows["be_read", "n2"]
        assert failed["wredis"] == failed["lbtot"] == failed["stot"] == rows["be_read", "BACKEND"]["wredis"] > 0, p
        assert "wretr" not in failed and "econ" not in rows["be_read", "BACKEND"], p


def test_nobody_to_connect_to_counts_alike(both):
    n1 = both[0].nodes[0]
    before = [counted(p) for p in both]
    n1.pg.stop()
    try:
        for p in both:
            with p.dial("write", 10) as s:
                s.sendall(startup())
                assert closed_at(s, 10)
    finally:
        n1.pg.__init__(n1.address, n1.name)
        n1.pg.start()
    for p, rows in zip(both, settled(both, before)):
        assert rows["write", "n1"]["econ"] == rows["write", "BACKEND"]["econ"] == 1, p
        assert rows["write", "FRONTEND"]["stot"] == rows["write", "BACKEND"]["stot"] == 1, p


@pytest.mark.parametrize("habit", HABITS, ids=lambda f: f.__name__)
def test_every_habit_finds_the_same_under_traffic(busy, habit):
    assert_same(busy, habit)


@pytest.fixture(scope="module")
def busy():
    """Another pair, with sessions behind it and three on it now."""
    with fakes_from(11) as fakes, start_isari(fakes) as i, HAProxy(fakes) as h:
        h.nodes = i.nodes = fakes.nodes
        sockets = []
        for p in h, i:
            wait_ready(p)
            for story in clients_close, clients_ask, clients_reset, server_closes, server_resets, operator_weighs:
                story(p)
        for p in h, i:
            sockets += [login(p.dial(name)) for name in ("write", "read", "read")]
        yield h, i
        for s in sockets:
            s.close()


# ---- hatop -------------------------------------------------------------------------------------------

F1, F2, F4, F6, F7, F9, F10 = "\x1bOP", "\x1bOQ", "\x1bOS", "\x1b[17~", "\x1b[18~", "\x1b[20~", "\x1b[21~"
DOWN = "\x1bOB"


class Hatop(Terminal):
    def __init__(self, p, *options):
        super().__init__(160, 40)
        self.start(["hatop", "-s", p.socket, "-i", "1", *options], TERM="xterm", LANG="C.UTF-8")

    def rows(self):
        """Service rows of the screen: name and words, without what varies."""
        found = [re.split(r" {2,}", line.strip()) for line in self.text().splitlines()
                 if re.match(r"^(>>>|FRONTEND|BACKEND|n\d|\s*(write|fe_read|be_read))\b", line)]
        return [[w for w in words if not re.fullmatch(r"[\d.]+[smhdKM]?", w)] for words in found]


def test_hatop_shows_the_same(busy):
    """Every view of it: status, traffic, HTTP, errors, and its command line."""
    with Hatop(busy[0]) as theirs, Hatop(busy[1]) as ours:
        for t in theirs, ours:
            t.wait(r"^be_read|>>> be_read")
        for view in "1234":
            for t in theirs, ours:
                t.key(view)
            wait_for(lambda: theirs.rows() == ours.rows() and len(ours.rows()) >= 9, 10,
                     f"view {view} to be the same:\n{theirs.text()}\n{ours.text()}", 0.1)
        for t in theirs, ours:
            t.key("5")
            t.wait("> *$")
            t.key("get weight write/n1\r")
            t.wait(r"^ *100 \(initial 100\)")
            t.key("\x1b1")
            t.wait("be_read")
            t.key("q")
            assert t.ended() == 0


def test_hatop_filters_rows(busy):
    for options, wanted, unwanted in ((["-p", "be_read"], "n2", "fe_read"), (["-f", "2 4 -1"], "n1", "be_read"),
                                      (["-f", "4 2 0"], "BACKEND", "n1"), (["-n"], "n1", "No such")):
        with Hatop(busy[0], *options) as theirs, Hatop(busy[1], *options) as ours:
            for t in theirs, ours:
                t.wait(wanted)
                assert unwanted not in t.text()
            wait_for(lambda: theirs.rows() == ours.rows(), 10, f"the same rows with {options}:\n{theirs.text()}\n{ours.text()}",
                     0.1)
            for t in theirs, ours:
                t.key("q")
                assert t.ended() == 0


def to_row(t, p, proxy, server):
    """The cursor on this row of the first view."""
    rows = list(p.stat())
    proxies = list(dict.fromkeys(px for px, _ in rows))
    lines = []
    for px in proxies:  # a heading, its rows, an empty line
        lines += [(px, None)] + [r for r in rows if r[0] == px] + [None]
    t.key(DOWN * lines.index((proxy, server)))
    return t


@pytest.mark.parametrize("which", (0, 1), ids=("haproxy", "isari"))
def test_hatops_keys_change_servers(both, which):
    """Weight down and back, one server out of and into one backend, and of all of them."""
    p = both[which]

    def is_(key, column, value):
        wait_for(lambda: p.stat()[key][column] == value, 10, f"{key} to have {column} {value}: {p.stat()[key][column]}", 0.05)

    n2 = "be_read", "n2"
    with Hatop(p) as t:
        t.wait("be_read")
        to_row(t, p, *n2)
        t.key(F6)
        is_(n2, "weight", "99")
        t.wait(r"n2 .*\b99\b")
        t.key(F7)
        is_(n2, "weight", "100")
        t.key(F6).key(F4)
        is_(n2, "weight", "100")
        t.key(F10)
        is_(n2, "status", "MAINT")
        assert p.stat()["write", "n2"]["status"] == "DOWN"
        t.wait(r"n2 .*MAINT")
        t.key(F9)
        is_(n2, "status", "UP")
        t.key(F2)
        is_(n2, "status", "MAINT")
        is_(("write", "n2"), "status", "MAINT")
        t.key(F1)
        is_(n2, "status", "UP")
        is_(("write", "n2"), "status", "DOWN")
        t.key("q")
        assert t.ended() == 0


# ---- prometheus-haproxy-exporter ---------------------------------------------------------------------

class Exporter:
    def __init__(self, uri):
        self.port = free_port()
        self.p = popen(["prometheus-haproxy-exporter", f"--haproxy.scrape-uri={uri}", "--log.level=error",
                        f"--web.listen-address=127.0.0.1:{self.port}"])

    def __enter__(self):
        wait_for(self.scrape, 10, "the exporter")
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait(5)

    def scrape(self):
        """{sample: value}"""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            c.request("GET", "/metrics")
            text = c.getresponse().read().decode()
        except OSError:
            return None
        lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith("haproxy_"))
        return {name: float(value) for name, _, value in lines}


# Of the exporter itself, and what varies in both.
EXPORTER_VARIES = re.compile(r"haproxy_exporter_(total_scrapes|build_info)|haproxy_version_info|_current_session_rate|_max_session_rate|"
                             r"_max_sessions|_seconds|haproxy_server_(check_failures|downtime)|_idle_percent|process_")


def steady(samples):
    return {k: v for k, v in samples.items() if not EXPORTER_VARIES.search(k) and 'frontend="stats"' not in k}


def compare(theirs, ours):
    def alike():
        return steady(theirs.scrape()) == steady(ours.scrape())
    try:
        wait_for(alike, 5, "the same", 0.1)
    except Failure:
        assert steady(ours.scrape()) == steady(theirs.scrape())
    found = ours.scrape()
    assert set(theirs.scrape()) - set(found) <= {k for k in theirs.scrape() if "version_info" in k or 'frontend="stats"' in k}
    assert found["haproxy_up"] == 1 and found["haproxy_exporter_csv_parse_failures_total"] == 0
    assert found['haproxy_server_up{backend="write",server="n1"}'] == 1
    assert found['haproxy_server_up{backend="write",server="n2"}'] == 0
    assert len([k for k in found if k.startswith("haproxy_server_")]) > 60


def test_the_exporter_reads_the_same_from_the_socket(busy):
    with Exporter(f"unix:{busy[0].socket}") as theirs, Exporter(f"unix:{busy[1].socket}") as ours:
        compare(theirs, ours)


# ---- over HTTP ---------------------------------------------------------------------------------------

STATS = """
frontend stats
    mode http
    bind 127.0.0.1:{port}
    stats enable
    stats uri /haproxy?stats
    stats refresh 10s
    stats show-legends
"""


@pytest.fixture(scope="module")
def web():
    """(HAProxy, isari) with their pages"""
    port = free_port()
    with fakes_from(21) as fakes, start_isari(fakes) as i, HAProxy(fakes, STATS.format(port=port)) as h:
        h.web = port
        for p in h, i:
            wait_ready(p)
        yield h, i


def get(p, uri):
    c = http.client.HTTPConnection("127.0.0.1", p.web, timeout=5)
    try:
        c.request("GET", uri, headers={"Authorization": "Basic Og=="})
        r = c.getresponse()
        assert r.status == 200, (uri, r.status)
        return r.read().decode()
    finally:
        c.close()


def same_rows(text):
    """By name, as all that read the CSV over HTTP do; without HAProxy's own page."""
    assert text.startswith("# ")
    rows = list(csv.DictReader(io.StringIO(text[2:])))
    assert all(None not in r and None not in r.values() for r in rows)
    return [{k: v for k, v in r.items() if k and k not in VARIES and k.partition("_")[0] not in ("isari", "ssl", "h1", "h2")}
            for r in rows if r["pxname"] != "stats"]


@pytest.mark.parametrize("uri", ["/haproxy?stats;csv", "/haproxy?stats;csv;norefresh", "/haproxy?stats/;csv"])
def test_the_csv_over_http_is_the_same(web, uri):
    theirs, ours = (same_rows(get(p, uri)) for p in web)
    assert ours == theirs and len(ours) == 10


def test_zabbix_discovers_the_same(web):
    def discovered(p):
        text = re.search(r"# ([\s\S]*)\n", get(p, "/haproxy?stats;csv"))[1]
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(set(rows[0])) == len(rows[0])
        return [(r["pxname"], r["svname"], r["mode"]) for r in rows if re.match("http|tcp", r["mode"])]
    theirs, ours = (discovered(p) for p in web)
    assert ours == [r for r in theirs if r[0] != "stats"]


def test_new_relic_and_munin_read_the_same(web):
    def nri(p):
        header, *rows = get(p, "/haproxy?stats;csv;norefresh").strip().splitlines()
        assert header.startswith("# ")
        fields = header[2:].split(",")[:-1]
        assert all(len(r.split(",")[:-1]) == len(fields) for r in rows)
        return [r.split(",")[:2] + [r.split(",")[32]] for r in rows if not r.startswith("stats,")]
    assert nri(web[1]) == nri(web[0])


def test_logicmonitor_reads_the_same_json(web):
    def fields(p):
        found = []
        for row in json.loads(get(p, "/haproxy?stats;json;norefresh")):
            values = {f["field"]["name"]: f["value"]["value"] for f in row}
            if values["pxname"] != "stats":
                found.append({k: v for k, v in values.items() if k not in VARIES and not re.match("isari_|ssl_|h1_|h2_|-$", k)})
        return found
    assert fields(web[1]) == fields(web[0])


def test_the_exporter_reads_the_same_over_http(web):
    uris = [f"http://127.0.0.1:{p.web}/haproxy?stats;csv" for p in web]
    with Exporter(uris[0]) as theirs, Exporter(uris[1]) as ours:
        compare(theirs, ours)
