"""Orders over the stats socket: each command's effect is seen by clients, and its reply is HAProxy 2.6's, which
runs beside where there is a doubt."""
import collections
import os
import shutil
import socket
import tempfile
import time

import pytest

from beside import Beside
from fake_patroni import FakeCluster
from isari import Isari, closed_at, config_for
from pgwire import login, query, read_error, read_until, startup
from procs import wait_for

BLOCK = "127.0.62"


@pytest.fixture
def world():
    """(n1 the primary, n2, n3, isari)"""
    with FakeCluster(BLOCK, 3) as fakes, Isari(config_for(fakes, rise=2) | {"maxconn": 1000}) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        yield *fakes.nodes, i


@pytest.fixture
def slow_to_rise():
    """The same; a server needs eight good answers to come back."""
    with FakeCluster(BLOCK, 3) as fakes, Isari(config_for(fakes, rise=8)) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        yield *fakes.nodes, i


def order(i, command):
    """A command that has nothing to say."""
    reply = i.ask(command)
    assert reply == "\n", (command, reply)


def node_of(s):
    s.sendall(query("select 1"))
    return dict(read_until(s, b"Z"))[b"D"][-2:].decode()


class Sessions:
    """n logged-in sessions of a listener, and where they are."""

    def __init__(self, i, listener, n=1):
        self.sockets = [login(i.dial(listener)) for _ in range(n)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.sockets:
            s.close()

    def nodes(self):
        return collections.Counter(node_of(s) for s in self.sockets)

    def on(self, node):
        return [s for s in self.sockets if node_of(s) == node]


def landed(i, listener, n):
    with Sessions(i, listener, n) as s:
        return s.nodes()


def row(i, px, sv):
    return i.stat()[px, sv]


def refused(i, listener):
    try:
        i.dial(listener, 1).close()
    except ConnectionRefusedError:
        return True
    return False


# ---- weights ----------------------------------------------------------------------------------------


def test_new_sessions_land_by_the_weights(world):
    i = world[-1]
    order(i, "set server read/n2 weight 200")
    assert landed(i, "read", 30) == {"n2": 20, "n3": 10}
    order(i, "set weight read/n2 25%")
    assert landed(i, "read", 30) == {"n2": 6, "n3": 24}
    assert i.ask("get weight read/n2") == "25 (initial 100)\n\n"
    i.wait_log('event=operator order="set weight" listener=read server=n2 value=25')


def test_weight_0_is_up_keeps_sessions_and_takes_no_new_ones(world):
    i = world[-1]
    with Sessions(i, "read", 4) as s:
        order(i, "set weight read/n2 0")
        assert landed(i, "read", 6) == {"n3": 6}
        assert s.nodes() == {"n2": 2, "n3": 2}
    assert row(i, "read", "n2")["status"] == "UP"
    assert (row(i, "read", "BACKEND")["weight"], row(i, "read", "BACKEND")["act"]) == ("100", "1")
    order(i, "set weight read/n3 0")
    with i.dial("read") as late:  # it waits, and is served as soon as somebody has weight again
        late.sendall(startup())
        wait_for(lambda: row(i, "read", "BACKEND")["qcur"] == "1", 5, "the client to wait")
        order(i, "set weight read/n3 100%")
        read_until(late, b"Z")
        assert node_of(late) == "n3"


def test_weights_and_states_survive_a_change_of_roles(world):
    n1, n2, n3, i = world
    order(i, "set weight read/n1 50")
    order(i, "set server write/n2 state drain")
    n1.be("replica", timeline=2)
    n3.be("primary", timeline=2)
    i.wait_up("write", ["n3"]).wait_up("read", ["n1", "n2"])
    assert landed(i, "read", 30) == {"n1": 10, "n2": 20}
    n3.be("replica", timeline=3)
    n2.be("primary", timeline=3)
    wait_for(lambda: row(i, "write", "n2")["status"] == "DRAIN", 10, "the new primary to be drained")
    order(i, "set server write/n2 state ready")
    i.wait_up("write", ["n2"])


# ---- states and health ------------------------------------------------------------------------------


def test_drain_keeps_sessions_and_maint_ends_them(world):
    i = world[-1]
    with Sessions(i, "read", 4) as s:
        on_n2 = s.on("n2")
        order(i, "set server read/n2 state drain")
        assert landed(i, "read", 4) == {"n3": 4}
        assert len(s.on("n2")) == 2
        order(i, "disable server read/n2")
        assert all(closed_at(c, 3) for c in on_n2)
        assert row(i, "read", "n2")["status"] == "MAINT"
    order(i, "enable server read/n2")
    i.wait_up("read", ["n2", "n3"])


def test_health_down_cuts_until_the_next_good_answers(slow_to_rise):
    i = slow_to_rise[-1]
    with Sessions(i, "read", 4) as s:
        on_n2, on_n3 = s.on("n2"), s.on("n3")
        order(i, "set server read/n2 health down")
        assert row(i, "read", "n2")["status"] == "DOWN"
        assert landed(i, "read", 4) == {"n3": 4}
        assert all(closed_at(c, 3) for c in on_n2)
        i.wait_up("read", ["n2", "n3"], 15)
        assert [node_of(c) for c in on_n3] == ["n3", "n3"]
    i.wait_log("event=session_end .*reason=shut_down_by_an_operator")
    i.wait_log('event=operator order="health down" listener=read server=n2')


def test_health_down_of_the_primary_makes_clients_wait_and_no_replica_serve(slow_to_rise):
    i = slow_to_rise[-1]
    with Sessions(i, "write") as s:
        order(i, "set server write/n1 health down")
        assert closed_at(s.sockets[0], 3)
        assert i.up("write") == []
        with login(i.dial("write", 20)) as c:  # held for a moment
            assert node_of(c) == "n1"


def test_health_stopping_takes_no_new_sessions(slow_to_rise):
    i = slow_to_rise[-1]
    with Sessions(i, "read", 4) as s:
        order(i, "set server read/n2 health stopping")
        assert row(i, "read", "n2")["status"] == "NOLB"
        assert landed(i, "read", 3) == {"n3": 3}
        assert s.nodes() == {"n2": 2, "n3": 2}
        i.wait_up("read", ["n2", "n3"], 15)


def test_nothing_lets_a_replica_into_the_write_port(world):
    n2, i = world[1], world[-1]
    refusal = "isari: role checks cannot be overridden. "
    assert i.ask("set server write/n2 health up").startswith(refusal)
    assert i.ask("disable health write/n2").startswith(refusal)
    fixed = "isari: addresses come from the configuration. Change the member there, then 'reload'.\n\n"
    for words in (f"addr {BLOCK}.2", f"addr {BLOCK}.1 port 5433", f"check-addr {BLOCK}.1", "check-port 8008",
                  "fqdn n1.example"):
        assert i.ask(f"set server write/n2 {words}" if "5433" not in words else f"set server write/n1 {words}") \
            == (fixed if "addr 127.0.62.2" not in words else "no need to change the addr by 'stats socket command'\n\n")
    for words in ("enable server write/n2", "set server write/n2 state ready", "set weight write/n2 256",
                  "set maxconn server write/n2 0", "enable health write/n2"):
        order(i, words)
    asked = len(n2.rest.asked)
    wait_for(lambda: len(n2.rest.asked) >= asked + 4, 10, "two more rounds of questions")
    assert i.up("write") == ["n1"] and landed(i, "write", 5) == {"n1": 5}
    assert len(i.logged("event=operator")) == 4  # `enable health` changes nothing


# ---- limits -----------------------------------------------------------------------------------------


def wait_empty(i):
    wait_for(lambda: "\nCurrConns: 0\n" in i.ask("show info"), 5, "the sessions before to be over")


def refusal(i, listener):
    with i.dial(listener) as s:
        s.sendall(startup())
        return read_error(s)["M"]


@pytest.mark.parametrize("command,words,undo", [
    ("set maxconn frontend write 2", 'listener "write" has reached its maxconn (2 sessions)', "set maxconn frontend write 100"),
    ("set maxconn server write/n1 2", 'every server of listener "write" has reached its server_maxconn',
     "set maxconn server write/n1 0"),
    ("set maxconn global 2", "isari has reached its maxconn (2 sessions)", "set maxconn global 0"),
])
def test_a_limit_of_sessions_holds_from_now_on(world, command, words, undo):
    i = world[-1]
    with Sessions(i, "write", 3) as s:
        order(i, command)
        assert words in refusal(i, "write")
        assert s.nodes() == {"n1": 3}, "nobody is thrown out"
    wait_empty(i)
    with Sessions(i, "write", 2):
        assert words in refusal(i, "write")
        order(i, undo)
        assert landed(i, "write", 1) == {"n1": 1}


def test_limits_are_shown(world):
    i = world[-1]
    for command in ("set maxconn frontend read 7", "set maxconn server read/n3 5", "set maxconn global 100",
                    "set rate-limit connections global 50", "set rate-limit sessions global 40"):
        order(i, command)
    assert row(i, "read", "FRONTEND")["slim"] == "7" and row(i, "read", "n3")["slim"] == "5"
    info = i.ask("show info")
    assert "\nMaxconn: 100\n" in info and "\nHard_maxconn: 1000\n" in info
    assert "\nConnRateLimit: 50\n" in info and "\nSessRateLimit: 40\n" in info


def test_accepting_pauses_until_the_second_is_over(world):
    i = world[-1]
    order(i, "set rate-limit connections global 5")
    times = []
    with Sessions(i, "write", 0) as s:
        began = time.monotonic()
        for _ in range(16):  # one after the other: each waits for its place
            s.sockets.append(login(i.dial("write", 10)))
            times.append(time.monotonic() - began)
        assert s.nodes() == {"n1": 16}
    assert times[-1] > 2 - 0.1, times  # 16 take three seconds' shares and one more
    for at in times:
        assert sum(at <= t < at + 0.99 for t in times) <= 10, times  # two seconds' at most
    order(i, "set rate-limit connections global 0")
    landed(i, "write", 1)  # the pause that has begun is the last one
    began = time.monotonic()
    landed(i, "write", 20)
    assert time.monotonic() - began < 1


# ---- frontends --------------------------------------------------------------------------------------


def test_a_disabled_frontend_refuses_and_its_sessions_go_on(world):
    i = world[-1]
    with Sessions(i, "write", 2) as s:
        order(i, "disable frontend write")
        wait_for(lambda: refused(i, "write"), 3, "every worker to stop listening")
        assert all(refused(i, "write") for _ in range(20))
        assert row(i, "write", "FRONTEND")["status"] == "PAUSED"
        assert row(i, "read", "FRONTEND")["status"] == "OPEN"
        assert s.nodes() == {"n1": 2}
        assert landed(i, "read", 4) == {"n2": 2, "n3": 2}
        order(i, "enable frontend write")
        wait_for(lambda: not refused(i, "write"), 3, "a worker to listen again")
        assert landed(i, "write", 20) == {"n1": 20}
        assert row(i, "write", "FRONTEND")["status"] == "OPEN"


def test_frontends_are_paused_again_and_again_under_load(world):
    i = world[-1]
    served = 0
    for _ in range(20):
        order(i, "disable frontend write")
        order(i, "enable frontend write")
        wait_for(lambda: not refused(i, "write"), 3, "a worker to listen again")
        served += landed(i, "write", 3)["n1"]
    assert served == 60 and not i.logged("level=(error|warning)")


def test_a_shut_down_frontend_is_closed_for_good(world):
    i = world[-1]
    with Sessions(i, "read", 2) as s:
        order(i, "shutdown frontend read")
        wait_for(lambda: refused(i, "read"), 3, "every worker to stop listening")
        assert row(i, "read", "FRONTEND")["status"] == "STOP"
        assert i.ask("enable frontend read") == "Frontend was previously shut down, cannot enable.\n\n"
        assert s.nodes() == {"n2": 1, "n3": 1}
        with socket.socket() as other:  # the port is free
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(i.address("read"))
    assert landed(i, "write", 2) == {"n1": 2}


def test_frontends_and_backends_go_by_their_own_names():
    with FakeCluster(BLOCK, 2) as fakes:
        config = config_for(fakes)
        config["listeners"]["read"]["stats_name"] = {"frontend": "fe_ro", "backend": "be_ro"}
        with Isari(config) as i:
            i.wait_up("be_ro", ["n2"])
            order(i, "set weight be_ro/n2 7")
            order(i, "disable frontend fe_ro")
            assert row(i, "fe_ro", "FRONTEND")["status"] == "PAUSED"
            order(i, "set maxconn frontend fe_ro 7")
            order(i, "shutdown sessions server be_ro/n2")
            for command, reply in (("set weight fe_ro/n2 1", "No such backend."), ("set weight read/n2 1", "No such backend."),
                                   ("disable frontend be_ro", "No such frontend."),
                                   ("enable frontend read", "No such frontend.")):
                assert i.ask(command) == reply + "\n\n"
            i.wait_log('event=operator order="disable frontend" listener=read$')


def test_a_unix_sockets_clients_wait_while_it_is_disabled():
    directory = tempfile.mkdtemp(prefix="isari-pause-")
    path = os.path.join(directory, ".s.PGSQL.5432")
    try:
        with FakeCluster(BLOCK, 1) as fakes:
            config = config_for(fakes)
            config["listeners"]["write"]["bind"] = [config["listeners"]["write"]["bind"], path]
            with Isari(config) as i:
                i.wait_up("write", ["n1"])
                order(i, "disable frontend write")
                wait_for(lambda: refused(i, "write"), 3, "the port to be closed")
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(5)
                    s.connect(path)
                    s.sendall(startup())
                    i.ask("show sess")  # every worker has had a turn since
                    assert row(i, "write", "FRONTEND")["scur"] == "0"
                    order(i, "enable frontend write")
                    read_until(s, b"Z")
                order(i, "shutdown frontend write")
                wait_for(lambda: not os.path.exists(path), 3, "the socket's file to be removed")
    finally:
        shutil.rmtree(directory)


# ---- sessions and counters --------------------------------------------------------------------------


def test_one_session_is_shut_down(world):
    i = world[-1]
    with Sessions(i, "write", 2) as s:
        port = s.sockets[0].getsockname()[1]
        line = next(x for x in i.ask("show sess").splitlines() if f"src=127.0.0.1:{port} " in x)
        order(i, f"shutdown session {line.split(':')[0]}")
        assert closed_at(s.sockets[0], 3)
        assert node_of(s.sockets[1]) == "n1"
        assert i.ask(f"shutdown session {line.split(':')[0]}") == "No such session (use 'show sess').\n\n"
    i.wait_log('event=operator order="shutdown session" listener=write session=0x')
    i.wait_log("event=session_end .*reason=shut_down_by_an_operator")


def test_counters_are_cleared(world):
    i = world[-1]
    landed(i, "write", 5)
    wait_empty(i)
    with Sessions(i, "write", 2):
        order(i, "clear counters")
        now = row(i, "write", "FRONTEND")
        assert (now["scur"], now["smax"], now["stot"]) == ("2", "2", "7"), "a session is the maximum of now"
        order(i, "clear counters all")
        now = row(i, "write", "FRONTEND")
        assert (now["scur"], now["stot"], now["bin"], now["bout"]) == ("2", "0", "0", "0")
        assert row(i, "write", "n1")["lbtot"] == row(i, "write", "n2")["chkdown"] == "0"
        landed(i, "write", 1)
    assert row(i, "write", "FRONTEND")["stot"] == "1"


# ---- the tools' own flows ---------------------------------------------------------------------------


def test_ansibles_flow(world):
    """community.general.haproxy: disable with shutdown_sessions and wait, then enable with a weight."""
    i = world[-1]
    info = dict(line.split(":", 1) for line in i.ask("show info").splitlines() if ":" in line)
    assert tuple(int(n) for n in info["Version"].strip().split("-")[0].split(".")) >= (1, 5)
    with Sessions(i, "read", 4) as s:
        on_n2 = s.on("n2")
        assert i.ask("get weight read/n2; disable server read/n2; shutdown sessions server read/n2") \
            == "100 (initial 100)\n\n\n\n"
        wait_for(lambda: "MAINT" in row(i, "read", "n2")["status"] and row(i, "read", "n2")["scur"] == "0", 5, "MAINT")
        assert all(closed_at(c, 3) for c in on_n2)
        assert i.ask("get weight read/n2; enable server read/n2; enable health read/n2; set weight read/n2 10") \
            == "100 (initial 100)\n\n\n\n\n"
        wait_for(lambda: "UP" in row(i, "read", "n2")["status"], 5, "UP")
        order(i, "set server read/n2 state drain")
        wait_for(lambda: "DRAIN" in row(i, "read", "n2")["status"], 5, "DRAIN")
        assert i.ask("disable agent read/n2") == "\n"


def test_client_natives_flow(world):
    """The Data Plane API prefixes each command and reads the severity of what follows."""
    i = world[-1]

    def run(command):
        reply = i.ask("set severity-output number;" + command)
        assert reply[0] == "\n"
        return reply[1:]

    assert "show stat" in i.ask("help")
    assert run("set server read/nope state ready") == "[3]: No such server.\n\n"
    assert run("set server read/n2 state ready") == "\n"
    assert run("enable frontend read") == "[5]: All sockets are already enabled.\n\n"
    assert run("set maxconn frontend read 100") == "\n"
    assert run("show stat").startswith("# pxname,")
    assert run("set server read/n2 health up").startswith("[3]: isari: role checks cannot be overridden.")
    assert run("make coffee").startswith("[6]: Unknown command")


# ---- replies, beside HAProxy ------------------------------------------------------------------------

@pytest.fixture
def pair():
    with FakeCluster(BLOCK, 3) as fakes, Beside(fakes.nodes) as b:
        yield b

ORDERS = """
set weight write/n1 50
get weight write/n1
set weight write/n1 50%
set weight write/n1 300%
get weight write/n1
set weight write/n1 257
set weight write/n1 -1
set weight write/n1 -5%
set weight write/n1
set weight
set weight write 10
set weight nope/n1 10
set weight write/n9 10
set weight /n1 10
set weight write/ 10
set server #2/#1 weight 20
get weight #2/#1
set server write/n1 weight
set server write/n1 weight 300
set server write/n1 weight 100%
set server
set server write
set server write/n1
set server write/n1 nope
set server write/n1 state
set server write/n1 state READY
set server write/n1 state drain
set server write/n1 state maint
set server write/n1 state ready
set server write/n1 health
set server write/n1 health foo
set server write/n1 health stopping
set server write/n1 health down
set server write/n1 addr
set server write/n1 addr 127.0.62.1
set server write/n1 addr 127.0.62.1 port 5432
set server write/n1 check-addr
set server write/n1 check-port
set server write/n1 fqdn
set server write/n1 ssl
set server write/n1 agent
set server write/n1 agent up
set server write/n1 agent-addr
set server write/n1 agent-port
set server write/n1 agent-send foo
enable server
enable server write
enable server write/n9
disable server write/n1
enable server write/n1
enable health
enable health write/n1
disable health
disable health write/n9
enable agent
enable agent write/n1
disable agent write/n1
enable frontend
enable frontend nope
enable frontend write
disable frontend
disable frontend write
disable frontend write
enable frontend #2
enable frontend write
shutdown frontend
shutdown frontend nope
shutdown frontend read
shutdown frontend read
enable frontend read
disable frontend read
shutdown session
shutdown session foo
shutdown session 0x1234
shutdown sessions server
shutdown sessions server write
shutdown sessions server write/n1
set maxconn frontend
set maxconn frontend nope
set maxconn frontend nope 1
set maxconn frontend write
set maxconn frontend write -1
set maxconn frontend write 10
set maxconn frontend write 100000
set maxconn server
set maxconn server write
set maxconn server write/n1
set maxconn server write/n1 10
set maxconn server write/n1 0
set maxconn global
set maxconn global 10
set maxconn global 1001
set maxconn global 0
set rate-limit
set rate-limit foo
set rate-limit connections
set rate-limit connections foo 10
set rate-limit connections global
set rate-limit connections global -1
set rate-limit connections global 10
set rate-limit connections global 0
set rate-limit sessions global 10
set rate-limit sessions global 0
set rate-limit ssl-sessions global 0
set timeout
set timeout foo
set timeout cli
set timeout cli foo
set timeout cli 0
set timeout cli 60
set timeout cli 60s
set timeout cli 60x
set timeout cli 99999999999
clear counters
clear counters foo
clear counters all
set severity-output
set severity-output foo
set severity-output none
set severity-output number;set weight write/n1
set severity-output number;set server write/n1 state ready
set severity-output number;enable frontend write
set severity-output number;set server write/n1 addr 127.0.62.1
set severity-output number;disable frontend
set severity-output number;set rate-limit
set severity-output number;set severity-output foo
set severity-output string;set server write/nope state ready
set severity-output number;set severity-output none;set server write/nope state ready
set severity-output number;user;set weight write/n1 1
user
operator
user;clear counters
user;operator
operator;user;operator
operator;clear counters all
prompt
prompt;prompt
prompt;set weight write/n9 1
""".strip().splitlines()


def test_replies_are_haproxys(pair):
    different = []
    for line in ORDERS:
        ours, theirs = pair.ask("admin", line)
        if ours != theirs:
            different.append((line, ours, theirs))
    assert not different, "\n".join(map(str, different))


def test_each_level_may_do_what_it_may_there(pair):
    different = []
    for line in ORDERS:
        for level in ("user", "operator"):
            ours, theirs = pair.ask(level, line)
            if ours != theirs:
                different.append((level, line, ours, theirs))
    assert not different, "\n".join(map(str, different))


def test_what_haproxy_ends_without_an_empty_line_has_one_here(pair):
    for line in ("set weight write/n1 abc", "set weight write/n1 12x", "set maxconn server write/n1 foo"):
        ours, theirs = pair.ask("admin", line)
        assert ours == theirs + "\n"
