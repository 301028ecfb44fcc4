"""The replies of the stats socket beside those of the real HAProxy, for the same proxies over the same members: what
tools parse must be the same, down to the byte where it does not count or time something.

One `listen` (write) and one `frontend` with its `backend` (fe_ro, be_ro) over n1, the primary, n2, a replica, and n3,
which refuses.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

from fake_patroni import FakeCluster
from isari import Isari
from pgwire import login
from procs import free_port, popen, wait_for

COLUMNS = 103      # HAProxy's, before "-"
# Times, and what was before the first check: HAProxy begins with UP.
COUNTED = {"qmax", "smax", "chkfail", "chkdown", "lastchg", "downtime", "rate", "rate_max", "check_duration", "lastsess",
           "conn_rate", "conn_rate_max", "qtime", "ctime", "ttime", "qtime_max", "ctime_max", "ttime_max"}
HAPROXY = """
global
    maxconn 1000
    nbthread 2
    node shapes
    stats socket {dir}/admin level admin
    stats socket {dir}/user level user
    stats socket {dir}/operator level operator
defaults
    mode tcp
    maxconn 200
    timeout client 30s
    timeout server 30s
    timeout connect 1s
    option httpchk OPTIONS /primary
    default-server inter 100ms fall 3 rise 2 on-marked-down shutdown-sessions weight 100 check port 8008
listen write
    bind 127.0.0.1:{write}
{limited}
frontend fe_ro
    bind 127.0.0.1:{read}
    default_backend be_ro
backend be_ro
    option httpchk OPTIONS /replica
{servers}
"""


def ask(path, command):
    """Everything that comes back until the server closes."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(command.encode() + b"\n")
        parts = []
        while part := s.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


class Haproxy:
    def __init__(self, nodes):
        self.dir = tempfile.mkdtemp(prefix="isari-shapes-")
        self.ports = {"write": free_port(), "fe_ro": free_port()}
        servers = [f"    server {n.name} {n.address}:5432" for n in nodes]
        text = HAPROXY.format(dir=self.dir, write=self.ports["write"], read=self.ports["fe_ro"],
                              limited="\n".join(f"{s} maxconn 100" for s in servers), servers="\n".join(servers))
        with open(os.path.join(self.dir, "cfg"), "w", encoding="utf-8") as f:
            f.write(text)

    def __enter__(self):
        self.p = popen(["haproxy", "-db", "-f", os.path.join(self.dir, "cfg")], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(os.path.join(self.dir, "admin")), 10, "HAProxy")
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        shutil.rmtree(self.dir)

    def ask(self, command, level="admin"):
        return ask(os.path.join(self.dir, level), command)

    def dial(self):
        return socket.create_connection(("127.0.0.1", self.ports["write"]), 5)


class Ours(Isari):
    def __init__(self, nodes):
        self.levels = tempfile.mkdtemp(prefix="isari-shapes-")
        config = {
            "threads": 2, "maxconn": 1000,
            "clusters": {"main": {"members": [{"name": n.name, "host": n.address, "weight": 100} for n in nodes],
                                  "probe": {"interval": "100ms", "fall": 3, "rise": 2}}},
            "listeners": {
                "write": {"bind": f"127.0.0.1:{free_port()}", "serve": "primary", "maxconn": 200, "server_maxconn": 100},
                "read": {"bind": f"127.0.0.1:{free_port()}", "serve": "replica", "maxconn": 200,
                         "stats_name": {"frontend": "fe_ro", "backend": "be_ro"}},
            },
        }
        paths = {level: os.path.join(self.levels, level) for level in ("operator", "admin", "user")}
        config["stats"] = {"socket": [{"path": path, "level": level} for level, path in paths.items()]}
        super().__init__(config)
        self.socket = paths["operator"]

    def __exit__(self, *args):
        super().__exit__(*args)
        shutil.rmtree(self.levels)

    def ask(self, command, level="admin", **_):
        return ask(os.path.join(self.levels, level), command)


def rows(text):
    """{(proxy, server): {column: cell}} in order, and each cell as a string."""
    lines = text.rstrip("\n").split("\n")
    names = lines[0].removeprefix("# ").split(",")
    found = {}
    for line in lines[1:]:
        cells = line.split(",")
        assert len(cells) == len(names), line
        found[cells[0], cells[1]] = dict(zip(names[:COLUMNS + 1], cells))
    return found


def statuses(program):
    return {k: r["status"] for k, r in rows(program.ask("show stat")).items()}


SETTLED = {("write", "n1"): "UP", ("write", "n2"): "DOWN", ("write", "n3"): "DOWN",
           ("be_ro", "n1"): "DOWN", ("be_ro", "n2"): "UP", ("be_ro", "n3"): "DOWN"}


@pytest.fixture(scope="module")
def both():
    with FakeCluster("127.0.61", 3) as fakes:
        n3 = fakes.nodes[2]
        n3.rest.refuse()
        with Haproxy(fakes.nodes) as theirs, Ours(fakes.nodes) as ours:
            for p in theirs, ours:
                wait_for(lambda: SETTLED.items() <= statuses(p).items(), 15, f"the servers of {p}")
            yield theirs, ours
        n3.rest.start()


def eventually(check, timeout=5):
    """HAProxy says "* L7OK" and forgets what the last check said while it checks: look again."""
    until = time.monotonic() + timeout
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > until:
                raise


def alike(both, command, level="admin"):
    theirs, ours = (p.ask(command, level) for p in both)
    assert ours == theirs
    return ours


# ---- show stat ---------------------------------------------------------------------------------------------------

def test_the_header_is_haproxys_up_to_the_separator(both):
    theirs, ours = (p.ask("show stat").split("\n")[0].split(",") for p in both)
    assert ours[:COLUMNS + 1] == theirs[:COLUMNS + 1] and ours[COLUMNS] == "-" and ours[-1] == ""
    assert all(name.startswith("isari_") for name in ours[COLUMNS + 1:-1])


def compare_rows(both, command="show stat", level="admin"):
    return eventually(lambda: compare_rows_once(both, command, level))


def compare_rows_once(both, command, level):
    theirs, ours = (rows(p.ask(command, level)) for p in both)
    assert list(ours) == list(theirs)
    for key, row in ours.items():
        their = theirs[key]
        blank = [n for n in row if (row[n] == "") != (their[n] == "")]
        other = {n: (row[n], their[n]) for n in row if n not in COUNTED and row[n] != their[n]}
        assert not blank and not other, key
    return ours


def test_rows_are_haproxys_cell_by_cell(both):
    found = compare_rows(both)
    assert [k for k in found] == [("write", "FRONTEND"), ("write", "n1"), ("write", "n2"), ("write", "n3"),
                                  ("write", "BACKEND"), ("fe_ro", "FRONTEND"), ("be_ro", "n1"), ("be_ro", "n2"),
                                  ("be_ro", "n3"), ("be_ro", "BACKEND")]
    assert [r["iid"] for r in found.values()] == ["2"] * 5 + ["3"] + ["4"] * 4


def test_who_may_only_look_sees_no_addresses(both):
    found = compare_rows(both, level="user")
    assert {r["addr"] for r in found.values()} == {""} == {r["algo"] for r in found.values()}


FILTERS = ["show stat -1 -1 -1", "show stat 2 -1 -1", "show stat 3 -1 -1", "show stat 4 -1 -1", "show stat write 4 -1",
           "show stat be_ro 4 2", "show stat be_ro 2 -1", "show stat fe_ro 1 -1", "show stat fe_ro 4 -1",
           "show stat #4 7 1", "show stat 99 -1 -1", "show stat -1 4 2", "show stat 2 4", "show stat foo", "show stat 5",
           "show stat up", "show stat no-maint", "show stat -1 4 -1 up", "show stat be_ro 2 -1 no-maint",
           "show stat 2abc 4 1", "show stat -1 2 -1 up desc"]


@pytest.mark.parametrize("command", FILTERS)
def test_filters_choose_the_same_rows(both, command):
    compare_rows(both, command)


def typed(text):
    """[(the line without its value, the value, what desc says)]"""
    found = []
    for line in text.rstrip("\n").split("\n"):
        m = re.fullmatch(r'((?:[FBS]\.\d+\.\d+\.)?(\d+)\.(.+?)\.1:\w{3}:\w+):(.*?)(:".*")?', line)
        assert m, line
        found.append((m[1], int(m[2]), m[3], m[4], m[5]))
    return found


@pytest.mark.parametrize("command", ["show stat typed", "show stat typed desc", "show stat be_ro 6 -1 typed"])
@pytest.mark.parametrize("level", ["user", "admin"])
def test_typed_stats_have_the_same_fields_tags_and_types(both, command, level):
    eventually(lambda: compare_typed(both, command, level))


def compare_typed(both, command, level):
    theirs, ours = (typed(p.ask(command, level)) for p in both)
    mine = [f for f in ours if f[1] > COLUMNS]
    assert {f[2] for f in mine} == {"isari_timeline", "isari_lag_bytes"} and {f[1] for f in mine} == {104, 105}
    theirs, ours = ([f for f in all_of if f[1] < COLUMNS] for all_of in (theirs, ours))
    assert [(f[0], f[4]) for f in ours] == [(f[0], f[4]) for f in theirs]
    assert [f for f in ours if f[2] not in COUNTED] == [f for f in theirs if f[2] not in COUNTED]


def compare_json(both, command):
    def fields(p):
        text = p.ask(command)
        assert text.endswith("]\n\n") and text.count("\n") == 2
        return [f for row in json.loads(text) for f in row if f["field"]["pos"] < COLUMNS]

    theirs, ours = (fields(p) for p in both)
    assert len(ours) == len(theirs)
    for mine, their in zip(ours, theirs):
        if mine["field"]["name"] in COUNTED:
            mine["value"]["value"] = their["value"]["value"]
        assert json.dumps(mine) == json.dumps(their)


@pytest.mark.parametrize("command", ["show stat json", "show stat write 4 1 json desc", "show stat typed json"])
def test_json_stats_are_the_same_objects(both, command):
    eventually(lambda: compare_json(both, command))


def test_json_without_rows_and_its_schema_are_the_same_bytes(both):
    alike(both, "show stat 99 -1 -1 json")
    alike(both, "show schema json")


def test_the_last_format_counts(both):
    for p in both:
        assert p.ask("show stat json typed").startswith("F.2.0.0.pxname.1:KNS:str:write\n")
        assert p.ask("show stat typed json").startswith('[[{"objType":"Frontend"')


# ---- show info ---------------------------------------------------------------------------------------------------

def test_info_has_the_same_names_numbers_and_types(both):
    for command in ("show info typed", "show info typed desc", "show info typed float", "show info float typed desc"):
        theirs, ours = (typed(p.ask(command)) for p in both)
        assert [(f[0], f[4]) for f in ours] == [(f[0], f[4]) for f in theirs], command


def test_info_has_the_same_lines(both):
    for command in ("show info", "show info float", "show info desc", "show info nonsense"):
        theirs, ours = ([line.split(": ")[0] for line in p.ask(command).split("\n")] for p in both)
        assert ours == theirs and len(ours) == 69 + 2, command
    same = ("Name", "Nbthread", "Nbproc", "Process_num", "Maxconn", "Hard_maxconn", "CurrConns", "Stopping", "Tainted")
    for line in both[0].ask("show info").split("\n"):
        if line.split(": ")[0] in same:
            assert line in both[1].ask("show info").split("\n")
    for line in both[1].ask("show info").rstrip("\n").split("\n"):
        assert line.count(":") == 1, line


def test_info_as_json_is_the_same_but_for_its_values(both):
    theirs, ours = (json.loads(p.ask("show info json")) for p in both)
    for f in theirs + ours:
        del f["value"]["value"]
    assert ours == theirs


# ---- the others --------------------------------------------------------------------------------------------------

def state(text):
    """Rows of numbers, without since when, and without the health in maintenance: a late answer may still count there."""
    found = [re.sub(r"^((?:\S+ ){9})\d+ ", r"\1T ", line) for line in text.split("\n")]
    return [re.sub(r"^((?:\S+ ){12})\d+ 14 ", r"\1H 14 ", line) for line in found]


def compare_state(both, command="show servers state"):
    theirs, ours = (state(p.ask(command)) for p in both)
    assert ours == theirs, command


def test_servers_state_and_conn_are_the_same_rows(both):
    for command in ("show servers state", "show servers state be_ro", "show servers state #2"):
        eventually(lambda: compare_state(both, command))
    for command in ("show servers conn", "show servers conn write", "show backend", "show backend x"):
        alike(both, command)


ERRORS = ["show stat nope -1 -1", "show stat 0 -1 -1", "show stat up no-maint typed", "show servers state nope",
          "show servers conn nope", "show sess 0x1234", "show table nope", "show table be_ro", "show table", "show errors nope",
          "get weight", "get weight be_ro", "get weight be_ro/", "get weight /n1", "get weight nope/n1",
          "get weight be_ro/nope", "get weight fe_ro/n1", "get weight be_ro/n1", "get weight #4/#2", "get weight be_ro/#9",
          "show env NO_SUCH_VARIABLE", "show resolvers nope", "show cli level"]


@pytest.mark.parametrize("command", ERRORS)
def test_wrong_arguments_get_the_same_words(both, command):
    alike(both, command)


@pytest.mark.parametrize("command", ["show errors", "show env", "show sess", "show startup-logs", "show fd", "show events"])
def test_what_needs_an_operator_is_denied_to_who_may_only_look(both, command):
    if command != "show events":   # which is another command there
        assert both[0].ask(command, "user") == "Permission denied\n\n"
    assert both[1].ask(command, "user") == "Permission denied\n\n"


@pytest.mark.parametrize("level", ["user", "operator", "admin"])
def test_the_level_is_told(both, level):
    assert alike(both, "show cli level", level) == level + "\n\n"


def test_small_commands_have_haproxys_shape(both):
    shapes = {
        "show errors": r"Total events captured on \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] : 0\n\n",
        "show cli sockets": r"# socket lvl processes\n(unix@/\S+ (admin|operator|user) all\n){3}\n",
        "show version": r"2\.6\.\S+\n\n",
        "show resolvers": r"Resolvers section default\n( nameserver \S+:\n(  [a-z_]+: +\d+\n){15})*\n",
        "show activity": r"thread_id: \d \(1\.\.2\)\ndate_now: \d+\.\d{6}\n([a-z_0-9]+: \d+ \[ \d+ \d+ \]\n)+\n",
        "show pools": r"Dumping pools usage\..*\n(  - Pool \S+ \(\d+ bytes\) : \d+ allocated \(\d+ bytes\), \d+ used "
                      r"\(~\d+ by thread caches\), needed_avg \d+, 0 failures, \d+ users.*\n)+"
                      r"Total: \d+ pools, \d+ bytes allocated, \d+ used \(~\d+ by thread caches\)\.\n\n",
        "show threads": r"[* ] Thread 1 +: (.*\n)+",
    }
    for command, shape in shapes.items():
        for p in both:
            assert re.fullmatch(shape, p.ask(command)), (command, p)
    assert set(both[1].ask("show env").split()) > {f"HAPROXY_STARTUP_VERSION={both[1].ask('show version').strip()}"}
    assert "PATH=" not in both[1].ask("show env")


def test_a_session_counts_alike_and_is_shown_with_the_same_names(both):
    theirs, ours = both
    with login(theirs.dial()) as a, login(ours.dial("write")) as b:
        for p in both:
            wait_for(lambda: rows(p.ask("show stat"))["write", "n1"]["scur"] == "1", 5, f"the session of {p}")
        found = [rows(p.ask("show stat")) for p in both]
        for key in ("write", "FRONTEND"), ("write", "n1"), ("write", "BACKEND"):
            for column in ("scur", "stot", "lbtot", "connect", "conn_tot", "econ", "wretr"):
                assert found[0][key][column] == found[1][key][column], (key, column)
        line = r"^(0x[0-9a-f]+): proto=tcpv4 src=127\.0\.0\.1:\d+ fe=write be=write srv=n1 ts=00 .*age=\d+s .*scf=\[.*fd=\d+\] scb=\["
        for p in both:
            m = re.search(line, p.ask("show sess"), re.M)
            detail = p.ask(f"show sess {m[1]}")
            assert re.match(rf"{m[1]}: \[\d\d/\w+/\d{{4}}:[\d:.]+\] id=\d+ proto=tcpv4 source=127\.0\.0\.1:\d+\n", detail)
            assert re.search(r"^  frontend=write \(id=2 mode=tcp\), listener=\? \(id=1\) addr=127\.0\.0\.1:\d+$", detail, re.M)
            assert re.search(r"^  backend=write \(id=2 mode=tcp\) addr=127\.0\.\d+\.\d+:\d+$", detail, re.M)
            assert re.search(r"^  server=n1 \(id=1\) addr=127\.0\.61\.1:5432$", detail, re.M)
        sessions = json.loads(ours.ask("show sess json"))["sessions"]
        assert [(s["listener"], s["server"], s["state"]) for s in sessions] == [("write", "n1", "relaying")]
        a.close(), b.close()
    for p in both:
        wait_for(lambda: rows(p.ask("show stat"))["write", "n1"]["scur"] == "0", 5, "the session to end")
    compare_rows(both)


def test_maintenance_and_drain_look_alike(both):
    orders = {"set server be_ro/n2 state drain": "set server be_ro/n2 state ready",
              "set server write/n1 state maint": "set server write/n1 state ready",
              "set weight be_ro/n2 50%": "set weight be_ro/n2 100%"}
    for order, undo in orders.items():
        for p in both:
            assert p.ask(order) == "\n"
        try:
            wait_for(lambda: len({str(statuses(p)) for p in both}) == 1, 5, "both to say the same")
            for command in ("show stat", "show stat up", "show stat no-maint"):
                compare_rows(both, command)
            eventually(lambda: compare_state(both))
            alike(both, "get weight be_ro/n2")
        finally:
            for p in both:
                p.ask(undo)
                wait_for(lambda: SETTLED.items() <= statuses(p).items(), 15, "all to be as before")


# ---- isari's own -------------------------------------------------------------------------------------------------

def test_own_commands_say_the_same_in_json(both):
    ours = both[1]
    with login(ours.dial("write")), login(ours.dial("read")):
        def page(name):
            text = ours.ask(f"show {name} json")
            assert text.endswith("}\n\n") and text.count("\n") == 2
            return json.loads(text)

        main = page("clusters")["clusters"][0]
        assert (main["primary"], main["why"]) == ("n1", "n1 proves that it is the writable primary")
        wait_for(lambda: [(m["name"], m["role"], m["up"]) for m in page("members")["members"]] == [
            ("n1", "primary", True), ("n2", "replica", True), ("n3", None, False)], 5, "two good answers of each (rise)")
        assert [m["name"] for m in main["members"]] == [line.split()[1] for line in
                                                       ours.ask("show members").strip().split("\n")[1:]]
        assert page("events")["events"][-1]["kind"] == "start"
        wait_for(lambda: sum(w["sessions"] for w in page("workers")["workers"]) == 2, 5, "both sessions")
        memory = page("memory")["memory"]
        assert memory["sessions"] == 2 == memory["session_pool_used_bytes"] / memory["bytes_per_session"]
        # the heap's is null where a sanitizer has a heap of its own
        assert memory["resident_max_bytes"] >= memory["resident_bytes"] > (memory["heap_used_bytes"] or 0)


def test_ctl_fails_on_every_error_reply(both):
    ours = both[1]
    for words in (["show", "table", "nope"], ["show", "servers", "state", "nope"], ["get", "weight", "x"],
                  ["show", "sess", "0x1234"], ["show", "env", "NOPE"], ["show", "stat", "nope", "1", "1"]):
        assert ours.ctl(*words).returncode == 1, words
    for words in (["show", "table"], ["show", "members"], ["show", "memory", "json"], ["show", "stat", "typed"]):
        assert ours.ctl(*words).returncode == 0, words
