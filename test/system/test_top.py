"""isari top in a terminal: what a pseudo terminal shows (emulated by pyte) while a cluster lives behind it, what keys
do, and that every end leaves the terminal as it was."""
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import termios
import threading

import pytest

from fake_patroni import FakeCluster
from isari import Isari, binary, config_for
from pgwire import login, query, read_until, startup
from procs import free_port, popen, wait_for
from terminal import Terminal as AnyTerminal

BLOCK = "127.0.66"
LEAVE = b"\x1b[?25h\x1b[?1049l"


@pytest.fixture
def world():
    """(n1 the primary, n2, n3, isari)"""
    with FakeCluster(BLOCK, 3) as fakes, Isari(config_for(fakes)) as i:
        i.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        yield *fakes.nodes, i


class Terminal(AnyTerminal):
    """isari top in one."""

    def start(self, *argv, prefix=(), **env):
        return super().start([*prefix, binary(), "top", *argv], **env)

    def is_sane(self):
        """The settings are those from before, the cursor is there, and the other screen was left."""
        assert termios.tcgetattr(self.slave) == self.before
        assert self.raw.count(b"\x1b[?1049h") == self.raw.count(b"\x1b[?1049l") == 1
        assert self.raw.rfind(LEAVE) > self.raw.rfind(b"\x1b[H"), self.raw[-100:]
        assert not self.screen.cursor.hidden
        assert not fcntl.fcntl(self.slave, fcntl.F_GETFL) & os.O_NONBLOCK
        return True


@pytest.fixture
def top(world):
    """(isari top at 80x24, everything known)"""
    with Terminal() as t:
        t.start("-s", world[-1].socket)
        t.wait(r"^  main +n1 ")
        yield t


def row(screen, pattern):
    found = re.findall(pattern, screen, re.M)
    assert len(found) == 1, (pattern, screen)
    return found[0]


def selected(screen):
    """(listener, server) of the chosen row"""
    lines = re.findall(r"^>[ !](\S+) +(\S+) ", screen, re.M)
    assert len(lines) == 2, screen
    return lines[1]


# ---- what is shown -------------------------------------------------------------------------------


def test_the_whole_cluster_is_on_a_screen_of_80x24(world, top):
    with login(world[-1].dial("write")), login(world[-1].dial("read")):
        screen = top.wait(r"^> write +n1 +UP +\d+ +1 ")
        lines = screen.split("\n")
        assert lines[0].startswith("isari top  ") and " version 0.1.0 " in lines[0] and "2 sessions" in lines[0]
        assert re.match(r"  CLUSTER PRIMARY +SINCE +TL +SESS +WAIT +WHY", lines[1])
        assert re.match(r"  main +n1 +[\d.m]+s +1 +2 +0 n1 proves that it is the writable primary", lines[2])
        assert re.match(r"  NODE +ROLE +STATE +TL +LAG +ANSWER +SESS", lines[3])
        assert re.match(r"  n1 +primary +running +1 +- +\S+ +1 ", lines[4])
        assert re.match(r"  n2 +replica +running +1 +\S+ +\S+ +[01] ", lines[5])
        assert re.match(r"  LISTENER +SERVES +STATUS +SESS", lines[7])
        assert re.match(r"  write +primary +OPEN +1 ", lines[8]) and re.match(r"  read +replica +OPEN +1 ", lines[9])
        assert re.match(r"> LISTENER +SERVER +STATUS +WEIGHT", lines[10])
        assert re.match(r"> write +n1 +UP ", lines[11]) and re.match(r"  read +n3 +UP ", lines[16])
        assert re.match(r"  FAILOVER \(UTC\)", lines[17]) and "start: n1" in lines[18]
        assert lines[23].startswith("Tab") and lines[23].endswith("q quit")
    assert max(map(len, top.screen.display)) == 80


def test_frames_repaint_and_never_scroll(top):
    top.wait("q quit")
    at = len(top.raw)
    wait_for(lambda: top.read() and top.raw[at:].count(b"\x1b[H") >= 3, 10, "three more frames", 0.1)
    frames = top.raw[at:].split(b"\x1b[H")[1:]
    assert b"\x1b[2J" not in top.raw[at:], "nothing is blanked first"
    assert all(f.count(b"\n") == 23 for f in frames[:-1])
    assert top.screen.display[0].startswith("isari top")


def test_rates_come_from_two_readings(world, top):
    i = world[-1]
    with login(i.dial("write")) as s:
        def rates():
            for _ in range(20):
                s.sendall(query("select 1"))
                read_until(s, b"Z")
            return re.search(r"^. write +primary +OPEN +\d+ +\S+ +(\d\S*) +(\d\S*) ", top.text(), re.M)
        busy = wait_for(lambda: (m := rates()) and "0" not in m.groups() and m, 10, "bytes per second", 0.02)
        assert busy
    top.wait(r"^. write +primary +OPEN +0 +0 +0 +0 ")


def test_it_follows_the_size_of_the_terminal(top):
    top.wait("q quit")
    top.resize(160, 50)
    screen = top.wait("Tab table +j/k row .* q quit$")
    assert "REFUSED" in screen and screen.split("\n")[49].startswith("Tab table")
    top.resize(30, 8)
    screen = top.wait(r"^30x8: too small, 50x12 is")
    assert "main: n1" in screen
    top.resize(80, 24)
    assert top.wait("q quit$").split("\n")[23].startswith("Tab")


def test_who_waits_and_a_failover_are_seen_within_seconds(world, top):
    n1, n2, n3, i = world
    n1.be("replica")
    top.wait(r"^ !main +NONE .* n1 ")
    with i.dial("write", 20) as s:
        s.sendall(startup())
        top.wait(r"^ !write +primary +OPEN +\d+ +\S+ +\S+ +\S+ +1 +\d")
        assert "1 waiting" in top.text().split("\n")[0]
        n2.be("primary", timeline=2)
        read_until(s, b"Z")
        top.wait(r"^  main +n2 +\S+ +2 ", 5)
    screen = top.wait(r"^  \d\d-\d\d \d\d:\d\d:\d\d n1 -> n2 +\d", 5)
    assert re.search(r"^  n2 +primary +running +2 ", screen, re.M)


def test_a_silent_node_is_told_with_the_age_of_its_last_answer(world, top):
    world[2].be("replica", "hang")
    top.wait(r"^ !n3 .*timeout ", 20)


# ---- choosing ------------------------------------------------------------------------------------


def test_keys_sort_and_choose(top):
    top.wait("q quit")
    assert selected(top.text()) == ("write", "n1")
    top.key("j").wait(r"^> write +n2")
    top.key("\x1b[B").wait(r"^> write +n3")
    top.key("\x1bOA").wait(r"^> write +n2")
    top.key("G").wait(r"^> read +n3")
    top.key(">").wait(r"^> LISTENER\+")
    screen = top.text()
    assert re.findall(r"^[> ] (read|write) +n\d ", screen, re.M) == ["read"] * 3 + ["write"] * 3
    assert selected(screen) == ("read", "n3"), "the choice stays with its server"
    top.key(">o").wait(r"SERVER-")
    order = re.findall(r"^[> ] (?:read|write) +(n\d) ", top.text(), re.M)
    assert order == ["n3", "n3", "n2", "n2", "n1", "n1"]
    top.key("<<").wait(r"^> LISTENER SERVER STATUS")
    top.key("\t").wait(r"^> FAILOVER")
    top.key("?").wait("any key: back")
    top.key("x").wait(r"^> FAILOVER")


# ---- changing ------------------------------------------------------------------------------------


def status(i, server):
    return i.stat()["read", server]["status"]


def test_drain_needs_a_yes_and_ready_takes_it_back(world, top):
    i = world[-1]
    top.key("Gk").wait(r"^> read +n2")
    top.key("d").wait(r"^Set read/n2 to drain\? y/n")
    assert re.search(r"^Its \d+ sessions go on until they end, new clients go to other servers\.", top.text(), re.M)
    top.key("n").wait("Nothing was changed")
    assert status(i, "n2").startswith("UP")
    top.key("d").wait(r"y/n")
    top.key("y").wait(r"read/n2 was set to drain\.")
    assert status(i, "n2").startswith("DRAIN")
    top.wait(r"^> read +n2 +DRAIN ")
    i.wait_up("read", ["n3"])
    top.key("r").wait(r"Set read/n2 to ready\? y/n")
    top.key("y").wait(r"^> read +n2 +UP ")
    assert status(i, "n2").startswith("UP")


def test_maint_says_what_happens_to_the_sessions_and_does_it(world, top):
    i = world[-1]
    with login(i.dial("write")) as s:
        top.wait(r"^> write +n1 +UP +\d+ +1 ")
        top.key("m").wait(r"^Its 1 sessions are cut at once, new clients wait: no other is up\.")
        top.key("y").wait(r"write/n1 was set to maint")
        s.settimeout(5)
        assert not read_to_end(s)
    i.ctl("set", "server", "write/n1", "state", "ready")


def read_to_end(s):
    try:
        while s.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return b""


def test_probe_asks_all_nodes(world, top):
    top.key("p").wait("All nodes are asked now")
    world[-1].wait_log("event=operator order=probe")


def test_names_given_for_dashboards_are_those_of_the_order():
    with FakeCluster(BLOCK, 3) as fakes:
        c = config_for(fakes)
        c["listeners"]["read"]["stats_name"] = {"frontend": "fe_ro", "backend": "be_ro"}
        with Isari(c) as i, Terminal() as t:
            i.wait_up("be_ro", ["n2", "n3"])
            t.start("-s", i.socket).wait(r"^  main +n1 ")
            t.key("Gk").wait(r"^> read +n2")
            t.key("d").wait(r"^Set be_ro/n2 to drain\? y/n")
            t.key("y").wait(r"be_ro/n2 was set to drain\.")
            assert i.stat()["be_ro", "n2"]["status"].startswith("DRAIN")


@pytest.mark.parametrize("level", ["operator", "user"])
def test_a_socket_that_does_not_allow_it_says_so(level, tmp_path):
    with FakeCluster(BLOCK, 3) as fakes:
        c = config_for(fakes)
        path = str(tmp_path / "admin")
        low = str(tmp_path / "low")
        c["stats"] = {"socket": [{"path": path, "level": "admin"}, {"path": low, "level": level}]}
        i = Isari(c)
        i.socket = path
        with i, Terminal() as t:
            i.wait_up("write", ["n1"])
            t.start("-s", low).wait(r"^  main +n1 ")
            if level == "user":
                t.wait("not for this socket: they need level operator")
            else:
                t.wait("start: n1")
            t.key("d").wait("y/n")
            t.key("y").wait(r"^Not allowed: this socket needs level admin")
            assert i.stat()["write", "n1"]["status"].startswith("UP")


def test_a_tcp_socket_will_do(tmp_path):
    with FakeCluster(BLOCK, 3) as fakes:
        c = config_for(fakes)
        path, port = str(tmp_path / "admin"), free_port()
        c["stats"] = {"socket": [path, f"127.0.0.1:{port}"]}
        i = Isari(c)
        i.socket = path
        with i, Terminal() as t:
            i.wait_up("write", ["n1"])
            t.start("-s", f"localhost:{port}").wait(r"^  main +n1 ")
            t.key("p").wait("All nodes are asked now")
            i.end(signal.SIGKILL)
            t.wait("^isari is away: .*connection refused")
            i.start().wait_ready()
            t.wait("^isari top ")


# ---- when isari is away --------------------------------------------------------------------------


def test_it_outlives_isari_and_finds_the_next_one(world, top):
    i = world[-1]
    i.end(signal.SIGKILL)
    screen = top.wait(r"^isari is away: this is [\d.]+m?s old; connecting again \(.+\)")
    assert re.search(r"^  main +n1 ", screen, re.M), "what was true stays on the screen"
    top.wait(r"^isari is away: this is [3-9]\.\ds old")
    top.key("d").wait("y/n")
    top.key("y").wait("isari is away: nothing was changed")
    i.start().wait_ready()
    top.wait(r"^isari top ", 10)
    i.wait_up("write", ["n1"])
    top.wait(r"^  main +n1 ")
    top.key("q")
    assert top.ended() == 0 and top.is_sane()


def test_another_program_in_its_place_is_not_believed(world, top):
    i = world[-1]
    i.end(signal.SIGKILL)
    os.unlink(i.socket)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(i.socket)
        other.listen()
        other.settimeout(10)
        with other.accept()[0] as s:
            s.settimeout(10)
            answers_forever = threading.Thread(target=answer_nonsense, args=(s,), daemon=True)
            answers_forever.start()
            screen = top.wait(r"^isari is away: .*\(another program or version\)")
            assert re.search(r"^  main +n1 ", screen, re.M)
            s.shutdown(socket.SHUT_RDWR)
            answers_forever.join(10)
    i.start().wait_ready()
    top.wait(r"^isari top ")


def answer_nonsense(s):
    """Every command with words, in prompt mode."""
    try:
        while data := s.recv(4096):
            s.sendall(b"{} what? \x1b[2J\n\n> " * (data.count(b"\n") + data.count(b";")))
    except OSError:
        pass


def test_a_frozen_isari_is_away_after_a_while(world, top):
    i = world[-1]
    i.p.send_signal(signal.SIGSTOP)
    try:
        top.wait(r"^isari top .* [3-9]\.\ds old", 15)
        top.wait(r"^isari is away: .*\(no answer\)", 15)
    finally:
        i.p.send_signal(signal.SIGCONT)
    top.wait(r"^isari top ", 15)


# ---- the ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["q", "\x03", signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGABRT,
                                 signal.SIGSEGV])
def test_every_end_gives_the_terminal_back(top, end):
    fatal = end in (signal.SIGABRT, signal.SIGSEGV)
    top.wait("q quit")
    assert termios.tcgetattr(top.slave) != top.before
    top.key(end) if isinstance(end, str) else top.p.send_signal(end)
    code = top.ended()
    assert code != 0 if fatal else code == 0
    assert top.is_sane()


def unread(fd):
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"    "))[0]


def test_the_end_does_not_wait_for_a_terminal_that_is_stuck(world):
    with Terminal() as t:
        t.start("-s", world[-1].socket, "-d", "0.1").wait(r"^  main +n1 ")
        kept = []

        def is_full():  # nobody reads, until more frames add nothing
            t.p.send_signal(signal.SIGWINCH)
            kept.append(unread(t.master))
            return len(kept) > 3 and kept[-1] == kept[-4] > 1000
        wait_for(is_full, 20, "the terminal to take no more", 0.1)
        t.p.send_signal(signal.SIGTERM)
        assert t.p.wait(5) == 0
        assert termios.tcgetattr(t.slave) == t.before


def test_a_terminal_that_is_gone_ends_it(world):
    t = Terminal()
    t.start("-s", world[-1].socket).wait(r"^  main +n1 ")
    os.close(t.slave)
    os.close(t.master)
    assert t.p.wait(5) == 0


def test_stopped_and_continued_it_is_there_again(top):
    top.wait("q quit")
    top.p.send_signal(signal.SIGSTOP)
    termios.tcsetattr(top.slave, termios.TCSANOW, top.before)  # as a shell does that takes the terminal
    top.screen.reset()
    top.p.send_signal(signal.SIGCONT)
    top.wait("q quit")
    assert termios.tcgetattr(top.slave) != top.before
    top.key("q")
    assert top.ended() == 0 and termios.tcgetattr(top.slave) == top.before


def test_a_shell_stops_it_and_takes_it_back(world):
    with Terminal() as t:
        env = {"PATH": os.environ["PATH"], "TERM": "xterm", "PS1": "$ ", "HOME": "/nonexistent"}
        t.p = popen(["setsid", "--ctty", "bash", "--norc", "--noprofile", "-i"], stdin=t.slave, stdout=t.slave,
                    stderr=t.slave, env=env)
        t.wait(r"^\$ $|\$$")
        t.key(f"{binary()} top -s {world[-1].socket}\r").wait("q quit$")
        t.key("\x1a").wait("Stopped")
        assert t.raw.count(LEAVE) == 1
        t.screen.reset()
        t.key("fg\r").wait("q quit$")
        t.key("j").wait(r"^> write +n2")
        t.key("q")
        wait_for(lambda: t.read().raw.count(LEAVE) == 2, 5, "it to end")
        t.screen.reset()
        t.key("echo $((6 * 7))\r").wait("^42")
        t.key("exit\r")
        assert t.ended() == 0


# ---- other terminals, and none -------------------------------------------------------------------


def test_without_colours_it_works_as_well(world):
    with Terminal() as t:
        t.start("-s", world[-1].socket, NO_COLOR="1").wait("q quit")
        assert not re.search(rb"\x1b\[[0-9;]*3[0-7]", t.raw)
        t.key("j").wait(r"^> write +n2")


def test_a_dumb_terminal_gets_no_escape_codes(world):
    with Terminal() as t:
        t.start("-s", world[-1].socket, TERM="dumb").wait(r"^> write +n1")
        t.key("j").wait(r"^> write +n2")
        t.key("q")
        assert t.ended() == 0 and b"\x1b" not in t.raw
        assert termios.tcgetattr(t.slave) == t.before


def run(*argv, **kw):
    return subprocess.run([binary(), "top", *argv], capture_output=True, text=True, timeout=20, check=False,
                          stdin=subprocess.DEVNULL, **kw)


def test_scripts_get_one_frame_of_text(world):
    r = run("-s", world[-1].socket, "-d", "0.2")
    assert r.returncode == 0 and r.stderr == ""
    assert re.search(r"^  main +n1 .* proves that it is the writable primary(, asked fast)?$", r.stdout, re.M)
    assert re.search(r"^  read +n3 +UP ", r.stdout, re.M)
    assert "\x1b" not in r.stdout and not re.search(r"^>", r.stdout, re.M) and "q quit" not in r.stdout
    assert re.search(r"^  write +primary +OPEN +0 +0 +0 +0 ", r.stdout, re.M), "rates of two readings"
    with Terminal() as t:
        t.start("-1", "-d", "0.2", "-s", world[-1].socket)
        assert t.ended() == 0 and b"\x1b" not in t.raw and b" n1 " in t.raw


def test_no_isari_is_one_sentence_with_a_remedy(tmp_path):
    r = run("-s", str(tmp_path / "none"))
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr.count("\n") == 1 and "is isari running" in r.stderr


@pytest.mark.parametrize("argv", [["-x"], ["-d", "0"], ["-d", "1e9"], ["-d", "x"], ["-d", "nan"], ["-d"], ["word"],
                                  ["-s", ""]])
def test_misuse_is_exit_code_2(argv):
    r = run(*argv)
    assert r.returncode == 2 and r.stderr and r.stdout == ""
