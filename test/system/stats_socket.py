"""What both isari and HAProxy say on their stats sockets. Whoever mixes StatsSocket in has `socket`, its path."""
import socket

from procs import wait_for


class StatsSocket:
    def ask(self, command, timeout=5):
        """The reply, as a monitoring tool gets it."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(self.socket)
            s.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def stat(self):
        """Rows of `show stat` as dicts by (pxname, svname)."""
        lines = self.ask("show stat").strip().splitlines()
        names = lines[0].removeprefix("# ").split(",")
        rows = [dict(zip(names, line.split(","))) for line in lines[1:]]
        return {(r["pxname"], r["svname"]): r for r in rows}

    def up(self, proxy):
        """Servers of a listener that take sessions; HAProxy's that are about to be down (UP 1/2) among them."""
        return sorted(sv for (px, sv), r in self.stat().items()
                      if px == proxy and r["type"] == "2" and r["status"].startswith("UP"))

    def wait_up(self, proxy, servers, timeout=15):
        want = sorted(str(s) for s in servers)
        wait_for(lambda: self.up(proxy) == want, timeout,
                 f"{proxy} to serve exactly {want} (it serves {self.up(proxy)})", 0.02)
        return self
