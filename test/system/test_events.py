"""The failover journal and `probe`, on a real cluster: what was when, and who asks for it."""
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from isari import Isari, config_for
from load import Fresh
from procs import ROOT, send, wait_for

CALLBACK = os.path.join(ROOT, "etc", "patroni-callback.sh")

# In the order in which they come; the others may lie beside their neighbours.
ORDER = ["last_answer_ms", "first_doubt_ms", "gone_ms", "writable_ms", "published_ms"]


def phases_of(line):
    return {key: int(ms) for key, ms in re.findall(r"(\w+_ms)=(\d+)", line)}


def counts_of(line):
    return {key: int(n) for key, n in re.findall(r" (cut|held|released|refused)=(\d+)", line)}


def newcomers(proxy, n=4):
    """Clients that come all the time, and wait as long as they must."""
    return Fresh(proxy.dsn("write", connect_timeout=40), n)


def assert_held_and_released(proxy, line):
    """What the line says, and what else operators see of it."""
    n, p = counts_of(line), phases_of(line)
    assert n["held"] == n["released"] >= 1 and n["refused"] == 0, line
    assert p["published_ms"] <= p["last_released_ms"], line
    row = proxy.stat()["write", "BACKEND"]
    assert 1 <= int(row["qmax"]) <= n["held"], row
    assert re.search(r"^  write: \d+ waiting.*; since the start \d+ held, \d+ released$",
                     proxy.ask("show clusters"), re.M)


def test_a_switchover_is_told_phase_by_phase(cluster, proxy):
    old, new = cluster.leader(), cluster.replicas()[0]
    with proxy.connect("write"), newcomers(proxy) as clients:
        cluster.switchover(new)
        wait_for(lambda: clients.answered_by(new), 30, f"sessions on {new}")
        line = proxy.wait_log(r"event=failover ", 20)[0]
    assert f" cluster=main from={old} to={new} " in line
    assert re.search(r' why="[a-z]', line)
    p = phases_of(line)
    assert sorted(p) == sorted(ORDER + ["asked_ms", "in_force_ms", "first_session_ms", "last_released_ms"]), line
    assert [p[k] for k in ORDER] == sorted(p[k] for k in ORDER) and p["last_answer_ms"] == 0, line
    assert p["asked_ms"] <= p["writable_ms"], line
    assert p["published_ms"] <= min(p["in_force_ms"], p["first_session_ms"]), line
    assert counts_of(line)["cut"] >= 1, "the session that was open"
    assert_held_and_released(proxy, line)
    assert len(proxy.logged("event=failover ")) == 1, "one line each, and none for the start"
    shown = proxy.ctl("show", "events")
    assert shown.returncode == 0
    began = re.search(rf"^(\S+Z) main: {old} -> {new}, timeline (\d+) -> (\d+)$", shown.stdout, re.M)
    assert int(began[2]) < int(began[3])
    assert shown.stdout.startswith(began[0]), "the newest comes first"
    assert re.search(rf"^  new primary writable +{p['writable_ms']} ms ", shown.stdout, re.M)
    assert re.search(rf"^  last held client released +{p['last_released_ms']} ms ", shown.stdout, re.M)
    assert re.search(rf"main: \(start\) -> {old}, ", shown.stdout), "the start is the oldest"
    assert max(map(len, shown.stdout.splitlines())) <= 100


def test_a_primary_that_comes_back_is_an_interruption(cluster, proxy):
    """PostgreSQL is killed; Patroni keeps the lock, and starts it again where it was."""
    n = cluster.leader()
    with proxy.connect("write"), newcomers(proxy) as clients:
        send(n.postgres_pids(), signal.SIGKILL)
        line = proxy.wait_log(r"event=interruption ", 60)[0]
        wait_for(lambda: clients.answered_by(n), 30, f"sessions on {n} again")
    assert f" cluster=main from={n} to={n} " in line
    assert_held_and_released(proxy, line)
    p, shown = phases_of(line), proxy.ask("show events")
    assert re.search(rf"^\S+Z main: {n} was (in doubt|gone) for [\d.]+m?s, timeline \d+ -> \d+$", shown, re.M), shown
    assert re.search(rf"^  writable again +{p['writable_ms']} ms ", shown, re.M), shown
    assert 0 <= p["first_doubt_ms"] < p["writable_ms"], line
    assert not proxy.logged("event=failover "), "nobody else was primary"


def ages(i):
    """How long ago each node answered last, in seconds."""
    found = re.findall(r"\d{3}, ([\d.]+)(ms|s) ago", i.ask("show clusters"))
    return [float(n) / (1000 if unit == "ms" else 1) for n, unit in found]


@pytest.fixture
def rarely(cluster):
    """isari that asks every 3 s, when all is calm."""
    with Isari(config_for(cluster, interval="3s")) as i:
        wait_for(lambda: "asked fast" not in i.ask("show clusters"), 20, "calm")
        yield i


def assert_all_are_asked(i, do):
    """The round comes at once, and not when it was due: more than a second later."""
    wait_for(lambda: 0.5 < min(ages(i)) and max(ages(i)) < 1.5, 60, "the middle between two rounds", 0.01)
    began = time.monotonic()
    do()
    wait_for(lambda: max(ages(i)) < time.monotonic() - began, 0.9, "an answer of every node", 0.005)
    assert "asked fast" in i.ask("show clusters")


def test_probe_asks_every_node_at_once(rarely):
    assert_all_are_asked(rarely, lambda: rarely.ctl("probe", "main").check_returncode())
    rarely.wait_log("event=operator order=probe cluster=main")
    wait_for(lambda: "asked fast" not in rarely.ask("show clusters"), 20, "calm again")
    reply = rarely.ctl("probe", "other")
    assert reply.returncode == 1 and reply.stderr.strip() == "No such cluster."


def callback(sockets, **env):
    """Run it as Patroni does; how long it took."""
    began = time.monotonic()
    r = subprocess.run([CALLBACK, "on_role_change", "master", "isari-test"], capture_output=True, timeout=10,
                       env={"PATH": os.environ["PATH"], "ISARI_SOCKETS": sockets} | env, check=False)
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b"")
    return time.monotonic() - began


def test_patronis_callback_makes_isari_ask(rarely):
    assert_all_are_asked(rarely, lambda: callback(rarely.socket, ISARI_CLUSTER="main"))
    assert len(rarely.logged("event=operator order=probe cluster=main")) == 1
    callback(rarely.socket)
    rarely.wait_log("event=operator order=probe cluster=main")
    assert len(rarely.logged("event=operator order=probe")) == 2


def test_patronis_callback_never_fails_and_never_waits_long(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        silent = "127.0.0.1:%d" % deaf.getsockname()[1]
        took = callback(f"{tmp_path}/nobody {silent} {silent} 127.0.0.1:1 nonsense")
    assert took < 1.5, "0.8 s, and what a busy machine needs to start the processes"
    callback("")
    callback(silent, PATH="/nonexistent:/usr/bin:/bin", ISARI_CLUSTER="a b; c")
