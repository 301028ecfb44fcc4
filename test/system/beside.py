"""isari and a real HAProxy 2.6 before the same members, with the same names and one stats socket per level, so that
what they say can be compared."""
import os
import shutil
import socket
import tempfile

from isari import Isari
from procs import free_port, popen, wait_for

LEVELS = ("user", "operator", "admin")
MAXCONN = 1000

HAPROXY = """
global
    maxconn {maxconn}
{sockets}
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
    default-server check port 8008 inter 500ms fall 1 rise 1 weight 100
listen write
    bind 127.0.0.1:{write}
    option httpchk GET /primary
{servers}
listen read
    bind 127.0.0.1:{read}
    option httpchk GET /replica
{servers}
"""


def talk(path, data, timeout=5, half_close=True):
    """What a stats socket says to these bytes, up to its end."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(path)
        s.sendall(data)
        if half_close:
            s.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: s.recv(65536), b"")).decode()


class Beside:
    def __init__(self, nodes):
        self.dir = tempfile.mkdtemp(prefix="haproxy-beside-")
        self.haproxy = None
        sockets = "\n".join(f"    stats socket {self._theirs(level)} mode 600 level {level}" for level in LEVELS)
        servers = "\n".join(f"    server {n.name} {n.address}:5432" for n in nodes)
        with open(os.path.join(self.dir, "cfg"), "w", encoding="utf-8") as f:
            f.write(HAPROXY.format(maxconn=MAXCONN, sockets=sockets, servers=servers, write=free_port(), read=free_port()))
        self.isari = Isari({
            "maxconn": MAXCONN,
            "clusters": {"main": {"members": [{"name": n.name, "host": n.address} for n in nodes]}},
            "listeners": {name: {"bind": f"127.0.0.1:{free_port()}", "serve": serve}
                          for name, serve in (("write", "primary"), ("read", "replica"))},
            "stats": {"socket": [{"path": self._ours(level), "mode": "0600", "level": level} for level in LEVELS]}})
        self.isari.socket = self._ours("admin")

    def _ours(self, level):
        return os.path.join(self.dir, level + ".isari")

    def _theirs(self, level):
        return os.path.join(self.dir, level + ".haproxy")

    def __enter__(self):
        try:
            self.haproxy = popen(["haproxy", "-db", "-q", "-f", os.path.join(self.dir, "cfg")])
            wait_for(lambda: os.path.exists(self._theirs("admin")), 5, "HAProxy's stats socket")
            self.isari.__enter__()
            self.isari.wait_up("write", ["n1"]).wait_up("read", ["n2", "n3"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.isari.stop()
        if self.haproxy:
            self.haproxy.terminate()
            self.haproxy.wait(5)
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask(self, level, line, **kw):
        """(isari's reply, HAProxy's reply) to a line, or to bytes as they are."""
        data = line if isinstance(line, bytes) else line.encode() + b"\n"
        return talk(self._ours(level), data, **kw), talk(self._theirs(level), data, **kw)
