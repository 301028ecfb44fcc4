"""`make demo`, as a stranger runs it: it shows what it promises, and leaves nothing behind, whatever way it ends."""
import os
import re
import signal
import subprocess
import sys

import pytest

from isari import binary
from procs import HERE, Failure, ensure_free, popen, wait_for

ADDRESSES = [("127.0.0.1", 5000), ("127.0.0.1", 5001), ("127.0.0.1", 7000)] + \
            [(f"127.0.20.{n}", port) for n in (1, 2, 3) for port in (5432, 8008)]


def demo(*options, **kw):
    argv = [sys.executable, os.path.join(HERE, "demo.py"), "--isari", binary(), *options]
    return popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def nothing_is_left():
    try:
        for address, port in ADDRESSES:
            ensure_free(address, port)
    except Failure:
        return False
    return not os.path.exists("/tmp/isari-demo")


def read_until_line(p, pattern):
    """Its output so far, up to a line like this."""
    seen = ""
    for line in p.stdout:
        seen += line
        if re.search(pattern, line):
            return seen
    raise Failure(f"the demo ended without {pattern!r}: {seen}")


def test_once_shows_everything_and_ends():
    p = demo("--once")
    out, _ = p.communicate(timeout=120)
    assert p.returncode == 0, out
    assert re.search(r"-p 5000 .*\n  127\.0\.20\.\d\|f\n", out)
    replicas = re.findall(r"-p 5001 .*\n  (127\.0\.20\.\d)\|t\n", out)
    assert len(set(replicas)) == 2, out
    assert re.search(r"what the writer felt: \d+ writes, from n1 .* -> n\d", out)
    assert re.search(r"longest wait \d+\.\d+ s\n", out) and re.search(r"errors \d+", out)
    assert re.search(r"^  \S+Z demo: n1 -> n2, timeline 1 -> 2\n(    .*\n)* +new primary writable +\d+ ms ", out, re.M), out
    assert "has no primary" not in out, "it waits instead of hearing that"
    assert nothing_is_left()


@pytest.mark.parametrize("end, line", [(signal.SIGKILL, "A switchover"), (signal.SIGINT, "Ctrl-C ends it all"),
                                       (signal.SIGTERM, "A cluster")])
def test_nothing_is_left_after(end, line):
    p = demo()
    read_until_line(p, line)
    p.send_signal(end)
    p.wait(20)
    p.stdout.close()
    wait_for(nothing_is_left, 10, "everything to be gone")


def test_an_address_in_use_is_one_clear_sentence():
    holder = demo()
    read_until_line(holder, "up in")
    second = demo("--once")
    out, _ = second.communicate(timeout=20)
    holder.send_signal(signal.SIGTERM)
    holder.wait(20)
    holder.stdout.close()
    assert second.returncode == 1
    assert out.count("make demo: ") == 1 and "cannot use 127.0." in out and "Traceback" not in out, out
    wait_for(nothing_is_left, 10, "everything to be gone")
