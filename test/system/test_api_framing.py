"""How the stats socket frames commands and replies, beside HAProxy 2.6."""
import socket
import time

import pytest

from beside import Beside
from fake_patroni import FakeCluster


@pytest.fixture(scope="module")
def pair():
    with FakeCluster("127.0.62", 3) as fakes, Beside(fakes.nodes) as b:
        yield b


GET, WEIGHT = b"get weight write/n1", "100 (initial 100)\n\n"


@pytest.mark.parametrize("data,reply", [
    (GET + b"\n", WEIGHT),
    (GET + b"\r\n", WEIGHT),
    (b"  get \t weight   write/n1   \n", WEIGHT),
    (GET + b" and more words\n", WEIGHT),
    (GET, ""),  # a line has an end
    (GET + b"\n" + GET, WEIGHT),
    (GET + b";" + GET + b"\n", WEIGHT * 2),
    (GET + b" ; " + GET + b"\n", WEIGHT * 2),
    (GET + b"\n" + GET + b"\r\n" + GET + b"\n", WEIGHT * 3),
    (b"get weight write\\/n1\n", WEIGHT),
    (b"get weight write/n9;" + GET + b"\n", "No such server.\n\n" + WEIGHT),
    (b"quit\n", ""),
    (b"quit;" + GET + b"\n", ""),
    (GET + b";quit;" + GET + b"\n", WEIGHT),
    (GET + b"\nquit\n" + GET + b"\n", WEIGHT),
    (b"set timeout cli 60;" + GET + b"\n", "\n" + WEIGHT),
    (b"prompt\n", "\n> "),
    (b"prompt\n" + GET + b"\n", "\n> " + WEIGHT + "> "),
    (b"prompt\n" + GET + b";" + GET + b"\nquit\n", "\n> " + WEIGHT + "> " + WEIGHT + "> "),
    (b"prompt\nprompt\n" + GET + b"\n", "\n> \n" + WEIGHT),
    (b"prompt n\n" + GET + b"\nquit\n", "\n> " + WEIGHT + "> "),
    (GET + b" <<\nset weight write/n1 1\nquit\n\n" + GET + b"\n", WEIGHT * 2),
    (b"prompt\n" + GET + b" <<\nquit\n\nquit\n", "\n> + + " + WEIGHT + "> "),
    (GET + b" << x\n", WEIGHT),
])
def test_framing_is_haproxys(pair, data, reply):
    assert pair.ask("admin", data) == (reply, reply)


def test_an_unknown_command_is_answered_with_help_and_stops_nothing(pair):
    for line, first in (("", "Unknown command. Please enter one of the following commands only:\n"),
                        (";", "Unknown command. Please enter one of the following commands only:\n"),
                        ("shutdown sessions", "Unknown command, but maybe one of the following ones is a better match:\n"),
                        ("set maxconn foo", "Unknown command, but maybe one of the following ones is a better match:\n")):
        for reply in pair.ask("admin", f"{line};get weight write/n1"):
            parts = reply.split("\n\n")
            assert parts[0].startswith(first) and parts[-2] + "\n\n" == WEIGHT and parts[-1] == "", (line, reply)
            assert parts[0].endswith("  quit                                    : disconnect")
    ours, theirs = pair.ask("admin", "shutdown sessions")
    assert ours == theirs
    ours, theirs = pair.ask("admin", "set maxconn")
    assert ours == theirs
    ours, theirs = pair.ask("admin", "help shutdown")
    assert ours == theirs


def test_no_reply_has_an_empty_line_inside(pair):
    for line in ("help", "show stat", "show info", "show clusters", "show events", "show sess", "show workers",
                 "set rate-limit", "set server write/n1 ssl", "make coffee", "probe", "clear counters all"):
        reply, _ = pair.ask("admin", line)
        assert reply.endswith("\n") and reply.count("\n\n") == (reply != "\n"), (line, reply)


CHANGES = ("clear", "set", "enable", "disable", "shutdown", "user", "operator", "help", "prompt", "quit")


def test_what_haproxys_help_says_of_an_order_is_said_here(pair):
    ours, theirs = (dict(line.split(": ", 1) for line in reply.splitlines()[1:-1] if line.split()[0] in CHANGES)
                    for reply in pair.ask("admin", "help"))
    assert len(ours) > 20 and not set(ours) - set(theirs)
    different = {usage.strip() for usage in ours if ours[usage] != theirs[usage]}
    assert different == {"disable health", "set server <bk>/<srv> [opts]"}  # what is not done here


def test_a_client_that_stays_gets_its_replies_as_they_come(pair):
    for path in (pair._ours("admin"), pair._theirs("admin")):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(path)
            s.sendall(b"prompt\n")
            assert s.recv(100) == b"\n> "
            for _ in range(3):
                for byte in GET + b"\n":  # typed
                    s.sendall(bytes([byte]))
                assert s.recv(1000).decode() == WEIGHT + "> "
            s.sendall(b"quit\n")
            assert s.recv(100) == b""


def test_a_long_reply_comes_in_few_pieces(pair):
    """Some tools read once."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect(pair._ours("admin"))
        s.sendall(b"show stat\n")
        first = s.recv(1 << 20)
        assert first.endswith(b"\n\n") and len(first) > 2500


def test_silence_ends_a_connection_when_it_said(pair):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(pair._ours("admin"))
        s.sendall(b"prompt\nset timeout cli 300ms\n")
        began = time.monotonic()
        assert b"".join(iter(lambda: s.recv(100), b"")) == b"\n> \n> "
        assert 0.25 < time.monotonic() - began < 2
