"""What operators run: isari ctl, and the stats socket. The tools written for HAProxy are in test_tools.py."""
import re

import pytest

from fake_patroni import FakeCluster
from isari import Isari, closed_at, config_for
from pgwire import login, query, read_until, startup
from procs import wait_for


@pytest.fixture
def world():
    """(n1 the primary, n2, n3, isari)"""
    with FakeCluster("127.0.37", 3) as fakes, Isari(config_for(fakes)) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        yield *fakes.nodes, i


def node_of(sock):
    sock.sendall(query("select 1"))
    return dict(read_until(sock, b"Z"))[b"D"][-2:].decode()


def read_nodes(i, n=6):
    found = set()
    for _ in range(n):
        with login(i.dial("read")) as s:
            found.add(node_of(s))
    return found


def test_show_stat_has_haproxys_columns(world):
    i = world[-1]
    lines = i.ask("show stat").split("\n")
    assert lines[0].startswith("# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,")
    assert lines[0].split(",").index("-") == 103
    assert lines[-1] == lines[-2] == "" and "" not in lines[:-2]
    rows = lines[1:-2]
    assert {line.count(",") for line in rows} == {lines[0].count(",")}
    assert [r.split(",")[1] for r in rows if r.startswith("write,")] == ["FRONTEND", "n1", "n2", "n3", "BACKEND"]


def test_ctl_prints_the_reply_and_fails_on_an_error(world):
    i = world[-1]
    for words, expected in ((["show", "stat"], "# pxname"), (["show", "info"], "Name: HAProxy"),
                            (["show", "clusters"], "main: primary n1"), (["help"], "show stat")):
        r = i.ctl(*words)
        assert r.returncode == 0 and expected in r.stdout, r
    with login(i.dial("write")):
        assert re.search(r"fe=write be=write srv=n1 .*state=relaying", i.ctl("show", "sess").stdout)
    assert i.ctl("make", "coffee").returncode == 1
    assert i.ctl("set", "server", "write/n9", "state", "drain").returncode == 1


def workers(i):
    """Rows of `show workers` as dicts."""
    titles, *rows = i.ask("show workers").strip().splitlines()
    return [dict(zip(titles.split(), map(int, row.split()))) for row in rows]


def test_show_workers_tells_of_their_sessions_and_turns(world):
    i = world[-1]
    before = workers(i)
    assert [w["worker"] for w in before] == list(range(len(before))) and before
    with login(i.dial("write")) as a, login(i.dial("write")) as b:
        for s in a, b:
            assert node_of(s) == "n1"
        wait_for(lambda: sum(w["sessions"] for w in workers(i)) == 2, 5, "both sessions to be shown")
        now = workers(i)
    assert sum(w["turns"] for w in now) > sum(w["turns"] for w in before)
    assert all(w["view"] > 0 and w["longest_us"] > 0 and w["spins"] == 0 for w in now), now
    assert all(b["longest_us"] <= w["longest_us"] for b, w in zip(before, now)), "reading resets nothing"
    wait_for(lambda: sum(w["sessions"] for w in workers(i)) == 0, 5, "nobody to be left")


def test_show_clusters_names_node_role_state_and_why(world):
    n1, n2, n3, i = world
    n3.be("replica", "hang")
    wait_for(lambda: re.search(r"n3 .*(timeout|does not answer)", i.ask("show clusters")), 15, "n3's silence")
    text = i.ask("show clusters")
    assert re.search(r"n1 +primary +running +1", text) and re.search(r"n2 +replica +running +1", text), text


def waiting(i, listener="write"):
    return int(i.stat()[listener, "BACKEND"]["qcur"])


def test_who_waits_is_seen_wherever_operators_look(world):
    n1, n2, n3, i = world
    n1.be("replica")
    i.wait_up("write", [])
    with i.dial("write", 20) as a, i.dial("write", 20) as b:
        for s in a, b:
            s.sendall(startup())
        wait_for(lambda: waiting(i) == 2, 10, "two clients that wait")
        b.close()
        wait_for(lambda: waiting(i) == 1, 10, "one of them to be forgotten")
        held = re.findall(r"fe=write be=write srv=<none> .*state=held", i.ask("show sess"))
        assert len(held) == 1
        shown = i.ask("show clusters")
        assert re.search(r"^  write: 1 waiting, longest [\dms.]+; since the start 2 held, 0 released$", shown, re.M)
        assert "  read:" not in shown, "nobody had to wait there"
        rows = i.stat()
        assert {rows["write", n]["qcur"] for n in ("n1", "n2", "n3")} == {"0"} and rows["write", "FRONTEND"]["qcur"] == ""
        n2.be("primary", timeline=2)
        read_until(a, b"Z")
        assert node_of(a) == "n2"
    row = i.stat()["write", "BACKEND"]
    assert (row["qcur"], row["qmax"]) == ("0", "2") and int(row["qtime_max"]) > 0
    assert "; since the start 2 held, 1 released\n" in i.ask("show clusters")
    counts = r"^  0 sessions cut; 2 clients held, 1 released, 0 refused"
    wait_for(lambda: re.search(counts, i.ask("show events"), re.M), 10, "the failover to be over and told")


def test_drain_lets_sessions_live_and_takes_no_new_ones(world):
    n1, n2, n3, i = world
    with login(i.dial("read")) as a, login(i.dial("read")) as b:
        assert {node_of(a), node_of(b)} == {"n2", "n3"}
        assert i.ctl("set", "server", "read/n2", "state", "drain").returncode == 0
        i.wait_up("read", ["n3"])
        assert read_nodes(i) == {"n3"}
        assert {node_of(a), node_of(b)} == {"n2", "n3"}
    i.ctl("set", "server", "read/n2", "state", "ready")
    i.wait_up("read", ["n2", "n3"])
    assert read_nodes(i) == {"n2", "n3"}


def test_maint_ends_the_servers_sessions(world):
    n1, n2, n3, i = world
    sessions = {}
    for s in (login(i.dial("read")), login(i.dial("read"))):
        sessions[node_of(s)] = s
    i.ctl("set", "server", "read/n2", "state", "maint")
    assert closed_at(sessions["n2"], 3)
    assert i.stat()[("read", "n2")]["status"] == "MAINT"
    assert node_of(sessions["n3"]) == "n3"
    assert read_nodes(i) == {"n3"}
    for s in sessions.values():
        s.close()


def test_shutdown_sessions_server(world):
    i = world[-1]
    with login(i.dial("write")) as s:
        assert i.ctl("shutdown", "sessions", "server", "write/n1").returncode == 0
        assert closed_at(s, 3)
    assert i.up("write") == ["n1"], "only the sessions end"
    i.wait_log("event=session_end listener=write .*reason=shut_down_by_an_operator")


def test_prompt_and_several_commands(world):
    i = world[-1]
    reply = i.ask("show info;show stat")
    assert len([part for part in reply.split("\n\n") if part.strip()]) == 2
    assert i.ask("prompt\nshow version\nquit").count("\n> ") >= 2
    assert "Unknown command" in i.ask("SHOW STAT")
