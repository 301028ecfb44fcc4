"""The file is edited and read again while sessions run: all of it or nothing, and nobody is dropped whom the new
file still allows."""
import json
import os
import re
import signal
import socket
import threading
import time

import psycopg
import pytest
import yaml

from fake_patroni import FakeCluster, FakeNode
from isari import Isari, config_for
from procs import wait_for

BLOCK = "127.0.68"
OK = "isari: configuration reloaded"
REFUSED = "isari: configuration not reloaded, nothing was changed:"


@pytest.fixture(name="fakes")
def three_fakes():
    with FakeCluster(BLOCK, 3) as c:
        yield c


def write(i, config):
    i.config = {"stats": {"socket": i.socket}} | config
    with open(i.file + ".new", "w", encoding="utf-8") as f:
        yaml.safe_dump(i.config, f, sort_keys=False)
    os.replace(i.file + ".new", i.file)


def reload(i, config=None):
    """The lines of the reply, without the empty one at its end."""
    if config:
        write(i, config)
    return i.ask("reload").rstrip("\n").splitlines()


def started(fakes, **listeners):
    """Before these fakes, with keys of listeners."""
    config = config_for(fakes, interval="200ms")
    for name, keys in listeners.items():
        config["listeners"][name] |= keys
    return config


def edited(config, path, value):
    """Another dict; path: "listeners.write.hold"."""
    copy = yaml.safe_load(yaml.safe_dump(config))
    at = copy
    *way, last = path.split(".")
    for key in way:
        at = at.setdefault(key, {})
    at[last] = value
    return copy


def counters(i):
    """What only grows, row by row."""
    names = ("stot", "bin", "bout", "dreq", "econ", "wretr", "lastchg_", "chkdown")
    return {key: {n: int(r[n]) for n in names if r.get(n)} for key, r in i.stat().items()}


def grows(before, after):
    assert before.keys() == after.keys()
    for key, row in before.items():
        for name, value in row.items():
            assert after[key][name] >= value, (key, name, value, after[key][name])


def tell(node, xlog):
    """It reports this position from now on."""
    said = node.rest.body_of
    node.rest.body_of = lambda path: said(path) | {"xlog": xlog}


def who(c):
    c.prepare_threshold = None  # a false server knows plain queries only
    return c.execute("select 1").fetchone()[0]


def is_cut(connection):
    try:
        who(connection)
        return False
    except psycopg.OperationalError:
        return True


# ---- what goes on, and what changes -------------------------------------------------------------


def test_sessions_verdicts_and_counters_stay(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        with i.connect("write") as w, i.connect("read") as r:
            was, before = who(r), counters(i)
            changed = int(i.stat()["write", "n1"]["lastchg"])
            config = edited(config, "listeners.write.hold", "5s")
            config = edited(config, "listeners.read.balance", "leastconn")
            assert reload(i, config) == [OK, "listeners.write.hold: 30s -> 5s",
                                         "listeners.read.balance: roundrobin -> leastconn"]
            for _ in range(20):
                assert (who(w), who(r)) == ("n1", was)
            grows(before, counters(i))
            assert int(i.stat()["write", "n1"]["lastchg"]) >= changed
            assert i.stat()["write", "FRONTEND"]["scur"] == "1"
        assert not i.logged("session_end.*reason=(?!client)")
        assert not i.logged("event=(primary_lost|server_state.*closed)")
        assert i.logged("event=reloaded changes=2")
        assert i.logged('event=config_changed msg="listeners.write.hold: 30s -> 5s"')


def test_nothing_has_changed(fakes):
    with Isari(started(fakes)) as i:
        i.wait_up("write", ["n1"])
        assert reload(i) == [OK + ", nothing has changed"]
        assert i.ctl("reload").returncode == 0
        assert json.loads(i.ctl("reload", "json").stdout) == {"reloaded": True, "changes": []}


def test_where_something_stands_in_the_file_means_nothing(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        config["listeners"] = dict(reversed(config["listeners"].items()))
        config["clusters"]["main"]["members"].reverse()
        assert reload(i, config) == [OK + ", nothing has changed"]
        with i.connect("write") as w:
            assert who(w) == "n1"


def test_limits_count_for_who_comes_next(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        held = [i.connect("write") for _ in range(5)]
        reload(i, edited(config, "listeners.write.maxconn", 3))
        with pytest.raises(psycopg.OperationalError, match=r"maxconn \(3 sessions\)"):
            i.connect("write")
        assert [who(c) for c in held] == ["n1"] * 5
        reload(i, edited(config, "maxconn", 2))
        with pytest.raises(psycopg.OperationalError, match=r"isari has reached its maxconn \(2 sessions\)"):
            i.connect("write")
        reload(i, config)
        with i.connect("write") as w:
            assert who(w) == "n1"
        for c in held:
            c.close()


def test_more_sessions_than_the_first_file_allowed(fakes):
    """The room for sessions grows with maxconn: 1024 beyond it are there to be refused only."""
    config = edited(started(fakes), "maxconn", 10)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        reload(i, edited(config, "maxconn", 2000))
        socks = [i.dial("write") for _ in range(1500)]
        wait_for(lambda: i.stat()["write", "FRONTEND"]["scur"] == "1500", 10, "1500 sessions")
        assert i.stat()["write", "FRONTEND"]["dreq"] in ("", "0")
        for s in socks:
            s.close()


def test_a_shorter_hold_counts_for_who_waits_already(fakes):
    config = started(fakes)
    for n in fakes.nodes:
        n.be("replica")
    with Isari(config) as i:
        i.wait_up("read", ["n1", "n2", "n3"])
        heard = []

        def come():
            begun = time.monotonic()
            try:
                i.connect("write", connect_timeout=60)
            except psycopg.OperationalError as e:
                heard.append((time.monotonic() - begun, str(e)))

        t = threading.Thread(target=come)
        t.start()
        wait_for(lambda: i.stat()["write", "BACKEND"]["qcur"] == "1", 5, "a client that waits")
        reload(i, edited(config, "listeners.write.hold", "1s"))
        t.join(10)
        assert heard and heard[0][0] < 5 and "no primary" in heard[0][1]


def test_weights_policies_and_lag_follow(fakes):
    config = started(fakes)
    at = 1 << 20  # n3 has replayed a kilobyte of it
    tell(fakes.nodes[0], {"location": at})
    tell(fakes.nodes[1], {"received_location": at, "replayed_location": at, "paused": False})
    with Isari(config) as i:
        i.wait_up("read", ["n2", "n3"])
        lagging = next(c for c in (i.connect("read") for _ in range(20)) if who(c) == "n3")
        members = config["clusters"]["main"]["members"]
        members[1]["weight"] = 7
        assert "clusters.main.members.n2.weight: 100 -> 7" in reload(i, config)
        assert i.stat()["read", "n2"]["weight"] == "7"
        config = edited(config, "listeners.read.max_lag", "64kB")
        assert "listeners.read.max_lag: null -> 65536" in reload(i, config)
        i.wait_up("read", ["n2"])
        assert who(lagging) == "n3"  # on_lag: keep
        config = edited(config, "listeners.read.on_lag", "close")
        reload(i, config)
        wait_for(lambda: is_cut(lagging), 5, "the session of the replica that lags to be cut")
        config = edited(config, "listeners.read.max_lag", "2MB")
        reload(i, config)
        i.wait_up("read", ["n2", "n3"])


def test_an_operators_orders_outlive_the_file(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("read", ["n2", "n3"])
        i.ask("set server read/n2 state drain")
        i.wait_up("read", ["n3"])
        reload(i, edited(config, "listeners.read.hold", "4s"))
        assert i.stat()["read", "n2"]["status"].startswith("DRAIN")
        i.ask("set server read/n2 state ready")
        i.wait_up("read", ["n2", "n3"])


def test_another_role_is_served_without_dropping_who_has_it(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("read", ["n2", "n3"])
        with i.connect("read") as r:
            was = who(r)
            reload(i, edited(config, "listeners.read.serve", ["async", "primary"]))
            i.wait_up("read", ["n1", "n2", "n3"])
            for _ in range(10):
                assert who(r) == was


def test_the_log_changes_its_shape(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        reload(i, edited(config, "log", {"format": "json", "sessions": False}))
        i.connect("write").close()
        i.ask("probe")
        i.wait_log(r'^\{"time":.*"event":"operator"')
        assert not i.logged("session_end")


def test_keepalive_of_new_sessions(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        reload(i, edited(config, "listeners.write.keepalive", {"idle": "77s"}))
        with i.connect("write") as w:
            assert who(w) == "n1"
            port = i.address("write")[1]
            ask = f"ss -tnoH state established sport = :{port}"
            wait_for(lambda: re.search(r"keepalive,(1min1[0-9]sec|7[0-9]sec)", os.popen(ask).read()), 5,
                     "the client's socket to be asked after 77 s")


def test_a_member_moves_to_another_address(fakes):
    """Its sessions end, as nobody asks any more whether their server is the primary; the others' go on."""
    config = started(fakes)
    there = FakeNode(f"{BLOCK}.9", "elsewhere").start().be("primary")
    try:
        with Isari(config) as i:
            i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
            with i.connect("write") as w, i.connect("read") as r:
                was = who(r)
                assert who(w) == "n1"
                config["clusters"]["main"]["members"][0]["host"] = there.address
                assert reload(i, config)[1:] == [
                    f"clusters.main.members.n1.host: {BLOCK}.1 -> {BLOCK}.9",
                    f"clusters.main.members.n1.rest: http://{BLOCK}.1:8008 -> http://{BLOCK}.9:8008"]
                with pytest.raises(psycopg.OperationalError):
                    who(w)
                with i.connect("write") as again:
                    assert who(again) == "elsewhere"
                assert who(r) == was
            assert i.stat()["write", "n1"]["stot"] == "2"
    finally:
        there.stop()


# ---- rule 10 ------------------------------------------------------------------------------------


def test_the_duty_to_cut_outlives_the_file(fakes):
    """The lease of a primary that has fallen silent runs on through a hundred reloads."""
    config = edited(started(fakes), "clusters.main.probe.lease", "3s")
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with i.connect("write") as w:
            assert who(w) == "n1"
            fakes.nodes[0].rest.mode = "hang"
            silent = time.monotonic()

            def cut_meanwhile():  # reload after reload
                assert reload(i)[0].startswith(OK)
                return i.logged("reason=server_lease_ended")
            wait_for(cut_meanwhile, 5, "the session to be cut after 3 s", 0.02)
            assert time.monotonic() - silent > 2
            with pytest.raises(psycopg.OperationalError):
                who(w)


def test_a_demoted_primary_is_not_trusted_again(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        fakes.nodes[0].be("replica")
        i.wait_up("write", [])
        for k in range(20):
            reload(i, edited(config, "listeners.write.hold", f"{k + 1}s"))
            assert i.up("write") == []
        fakes.nodes[1].be("primary", timeline=9)
        i.wait_up("write", ["n2"])


# ---- refused, whole -----------------------------------------------------------------------------


def refuse(i, text, *lines):
    """Written as it is; each of the lines is in the reply, and nothing changes."""
    before, view = i.ask("show clusters"), counters(i).keys()
    with open(i.file, "w", encoding="utf-8") as f:
        f.write(text)
    reply = reload(i)
    assert reply[0] == REFUSED
    for line in lines:
        assert any(re.search(line, r) for r in reply[1:]), (line, reply)
    assert len([line for line in i.text().splitlines() if "event=not_reloaded" in line]) >= 1
    assert counters(i).keys() == view
    assert re.sub(r"[\d.]+m?s\b", "", i.ask("show clusters")).count("\n") == re.sub(
        r"[\d.]+m?s\b", "", before).count("\n")
    run = i.ctl("reload")
    assert run.returncode == 1 and REFUSED in run.stderr and run.stdout == ""
    run = i.ctl("reload", "json")
    assert run.returncode == 1 and json.loads(run.stderr)["reloaded"] is False and json.loads(run.stderr)["reasons"]


def test_a_file_with_faults_changes_nothing(fakes):
    config = started(fakes, write={"hold": "2s"})
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        good = yaml.safe_dump(edited(i.config, "listeners.write.hold", "9s"), sort_keys=False)
        refuse(i, good + "nonsense: 1\nmaxcon: 5\n", r":\d+:\d+: nonsense: ", r"maxcon: .*maxconn")
        refuse(i, "clusters: [", r":\d+:\d+: ")
        refuse(i, "", "clusters: ", "listeners: ")
        refuse(i, good + "#" * (2 << 20), "is too big")
        os.unlink(i.file)
        assert reload(i)[0] == REFUSED and "cannot be read (No such file" in reload(i)[1]
        os.mkdir(i.file)
        assert "a file is needed, not a directory" in reload(i)[1]
        os.rmdir(i.file)
        os.mkfifo(i.file)
        assert "only a plain file can be read again" in reload(i)[1]
        os.unlink(i.file)
        fakes.nodes[0].be("replica")
        i.wait_up("write", [])
        with pytest.raises(psycopg.OperationalError):  # after the old hold, 2 s
            begun = time.monotonic()
            i.connect("write", connect_timeout=30)
        assert time.monotonic() - begun < 6


def test_what_needs_a_restart_is_told_all_at_once(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        config = edited(config, "listeners.write.bind", "127.0.0.1:1")
        config = edited(config, "threads", 3)
        config = edited(config, "listeners.write.hold", "9s")
        del config["clusters"]["main"]["members"][2]
        reply = reload(i, config)
        assert reply[0] == REFUSED
        assert sorted(re.sub(": needs a restart.*", "", line) for line in reply[1:]) == [
            "clusters.main.members.n3", "listeners.write.bind", "threads"]
        i.wait_log("event=not_reloaded faults=3")


def test_only_an_admin_may_reload(fakes):
    config = started(fakes)
    with Isari(config) as i:
        low = os.path.join(i.dir, "low")
        i.end(signal.SIGINT)
        config["stats"] = {"socket": [{"path": i.socket, "level": "admin"}, {"path": low, "level": "operator"}]}
        write(i, config)
        i.start().wait_ready()

        def ask_low():
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(low)
                s.sendall(b"reload\n")
                return s.recv(65536).decode()

        assert ask_low().startswith("Permission denied")
        config["stats"]["socket"][1]["level"] = "admin"
        assert reload(i, config) == [OK, f"stats.socket {low}.level: operator -> admin"]
        assert ask_low().startswith(OK)


# ---- by signal, and often -----------------------------------------------------------------------


def test_sighup_reads_the_file_again(fakes):
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with i.connect("write") as w:
            write(i, edited(config, "listeners.write.maxconn", 1))
            i.p.send_signal(signal.SIGHUP)
            i.wait_log('config_changed msg="listeners.write.maxconn: 10000 -> 1"')
            assert who(w) == "n1"
            write(i, edited(config, "listeners.write.bind", "127.0.0.1:2"))
            i.p.send_signal(signal.SIGHUP)
            i.wait_log("event=not_reloaded .*listeners.write.bind: needs a restart")
            assert who(w) == "n1"


def test_two_hundred_reloads_under_load(fakes):
    """Each with other values than the one before: nobody notices."""
    config = started(fakes)
    with Isari(config) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        halt, errors, done = threading.Event(), [], [0]

        def work(listener, keep):
            try:
                c = i.connect(listener)
                while not halt.is_set():
                    who(c)
                    done[0] += 1
                    if not keep:
                        c.close()
                        c = i.connect(listener)
                c.close()
            except psycopg.Error as e:
                errors.append((listener, keep, str(e)))

        crowd = [threading.Thread(target=work, args=(name, keep))
                 for name in ("write", "read") for keep in (True, True, False)]
        for t in crowd:
            t.start()
        before = counters(i)
        for k in range(200):
            new = edited(config, "listeners.read.balance", ["roundrobin", "leastconn", "random"][k % 3])
            new = edited(new, "listeners.write.hold", f"{k % 50 + 1}s")
            new = edited(new, "listeners.write.timeouts", {"client_idle": f"{k % 7 + 60}s"})
            new = edited(new, "listeners.read.coalesce", f"{k % 9 * 50 + 50}us")
            new = edited(new, "maxconn", 1000 + k)
            new = edited(new, "spin", "50us" if k % 2 else 0)
            new = edited(new, "clusters.main.probe.fall", k % 4 + 1)
            assert reload(i, new)[0] == OK
            after = counters(i)
            grows(before, after)
            before = after
        halt.set()
        for t in crowd:
            t.join(20)
        assert not errors and done[0] > 200
        assert not i.logged("event=(primary_lost|own_pause|server_state)(?!.*state=open)")
        assert len(i.logged("event=reloaded")) == 200
        assert i.stop(signal.SIGTERM) == 0
