"""A network of the bench's own: the program begins again inside a new network namespace.

Loopback there is nobody else's: no port is taken, no neighbour's packets are in the counters, and nothing of
the host's addresses or settings is touched. With the last process in it, it is gone.
"""
import contextlib
import ctypes
import os
import subprocess
import sys

from procs import Failure

MARK = "ISARI_BENCH_NETWORK"
# A new session must not run out of ports because of those of a second ago; listeners are below the range.
SETTINGS = {
    "ipv4/ip_local_port_range": "10000 65535", "ipv4/tcp_tw_reuse": "1", "core/somaxconn": "65535",
    "ipv4/tcp_max_syn_backlog": "65535", "ipv4/tcp_syncookies": "0",
}
# The same for all, and one that does not pace. A namespace may only choose what its host allows to everybody.
CONGESTION = ("cubic", "reno")


def enter():
    """Return only inside such a network."""
    if os.environ.get(MARK) == str(os.getpid()):
        _arrange()
        return
    if ctypes.CDLL(None).unshare(0x40000000) != 0:  # CLONE_NEWNET: only this process so far
        raise Failure("a network of its own needs root")
    os.environ[MARK] = str(os.getpid())
    os.execv(sys.executable, [sys.executable, *sys.argv])


def _arrange():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for key, value in SETTINGS.items():
        with contextlib.suppress(OSError):
            _write(key, value)
    for name in CONGESTION:
        with contextlib.suppress(OSError):
            _write("ipv4/tcp_congestion_control", name)
            break


def _write(key, value):
    with open(f"/proc/sys/net/{key}", "w", encoding="ascii") as f:
        f.write(value)


def congestion():
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as f:
        return f.read().strip()
