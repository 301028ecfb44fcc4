"""A real HAProxy 2.6 before the same members as isari, configured as its users do for Patroni, and its log as syslog
would have written it.

    with HAProxy(fakes) as h:
        h.dial("write"); h.ask("show stat"); h.lines
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading

from procs import Failure, free_port, popen, wait_for
from stats_socket import StatsSocket

CONFIG = """
global
    log {dir}/log len 4096 format rfc3164 local0
    log-send-hostname {host}
    stats socket {dir}/stats mode 600 level admin
    maxconn 1000
defaults
    mode tcp
    log global
    option tcplog
    option redispatch 1
    option contstats
    retries 2
    maxconn 200
    timeout connect 1s
    timeout queue 400ms
    timeout client {idle}
    timeout server {idle}
    timeout check 1s
    default-server inter 200ms fastinter 100ms fall 2 rise 1 weight 100 on-marked-down shutdown-sessions
listen write
    bind {write}
    option httpchk GET /primary
    http-check expect status 200
{servers}
frontend fe_read
    bind {read}
    default_backend be_read
backend be_read
    balance roundrobin
    option httpchk GET /replica
    http-check expect status 200
{servers}
{more}"""


class HAProxy(StatsSocket):
    def __init__(self, cluster, more="", idle="30m", server_options="", raw=None):
        """more: further sections. raw: a whole configuration instead, with {dir} in it."""
        self.dir = tempfile.mkdtemp(prefix="isari-haproxy-")
        self.socket = os.path.join(self.dir, "stats")
        self.binds = {name: f"127.0.0.1:{free_port()}" for name in ("write", "read")}
        self.lines, self.priorities = [], []
        self.p = None
        servers = "\n".join(f"    server {n.name} {n.address}:5432 check port 8008 {server_options}" for n in cluster.nodes)
        text = (raw or CONFIG).format(dir=self.dir, host=socket.gethostname(), servers=servers, more=more, idle=idle,
                                      **self.binds)
        with open(os.path.join(self.dir, "cfg"), "w", encoding="utf-8") as f:
            f.write(text)

    def __enter__(self):
        self.sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sink.bind(os.path.join(self.dir, "log"))
        threading.Thread(target=self._listen, args=(self.sink,), daemon=True).start()
        with open(os.path.join(self.dir, "out"), "wb") as out:
            self.p = popen(["haproxy", "-db", "-f", os.path.join(self.dir, "cfg")], stdin=subprocess.DEVNULL, stdout=out,
                           stderr=out)
        try:
            wait_for(self._answers, 10, "HAProxy's stats socket", 0.02)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.p and self.p.poll() is None:
            self.p.kill()
        if self.p:
            self.p.wait(10)
        self.sink.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _answers(self):
        if self.p.poll() is not None:
            with open(os.path.join(self.dir, "out"), encoding="utf-8") as f:
                raise Failure(f"haproxy ended with {self.p.returncode}: {f.read()[-2000:]}")
        try:
            return "Name:" in self.ask("show info")
        except OSError:
            return False

    def _listen(self, sink):
        """As syslogd: the priority goes, the line stays."""
        while True:
            try:
                packet = sink.recv(65536).decode(errors="replace")
            except OSError:
                return
            priority, _, line = packet.partition(">")
            self.priorities.append(int(priority[1:]) % 8)
            self.lines.append(line.rstrip("\n"))

    def logged(self, pattern):
        return [line for line in self.lines if re.search(pattern, line)]

    def wait_log(self, pattern, n=1, timeout=10):
        return wait_for(lambda: len(self.logged(pattern)) >= n and self.logged(pattern), timeout,
                        f"a line of HAProxy's like {pattern!r}", 0.02)

    def address(self, name):
        host, _, port = self.binds[name].rpartition(":")
        return host, int(port)

    def dial(self, name, timeout=5):
        s = socket.create_connection(self.address(name), timeout)
        s.settimeout(timeout)
        return s
