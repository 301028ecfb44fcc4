"""Members that misbehave on demand: a false Patroni REST and a false PostgreSQL on one address.

    a = FakeNode("127.0.30.1", "n1").start()
    a.be("primary"); a.rest.mode = "hang"; a.be("replica", timeline=3)

Every answer is written down with its time (rest.answers), so that a test can measure from the moment
at which the proxy could know. One thread per server; connections are served in a selector or, for
answers that take their time, in threads of their own.
"""
import http.client
import json
import selectors
import socket
import struct
import threading
import time

from procs import wait_for

SYSTEM_ID = "7300000000000000001"


def listen(address, port, backlog=1024):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(backlog)
    return s


class FakeRest:
    """What Patroni would say, as a dict of facts, and how it says it (mode)."""

    def __init__(self, address, name, port=8008):
        self.address, self.port, self.name = address, port, name
        self.mode = "ok"
        self.facts = {}
        self.answers = []  # (monotonic time after sending, path, status)
        self.asked = []    # (monotonic time, path)
        self.stopping = threading.Event()
        self.listener = None

    def start(self):
        self.listener = listen(self.address, self.port, 64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()
        return self

    def refuse(self):
        """Stop listening: connections are refused until start()."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def stop(self):
        self.stopping.set()
        self.refuse()

    def _accept(self, listener):
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        with s:
            try:
                s.settimeout(10)
                request = b""
                while b"\r\n\r\n" not in request:
                    more = s.recv(4096)
                    if not more:
                        return
                    request += more
                path = request.split(b" ", 2)[1].decode().split("?")[0]
                self.asked.append((time.monotonic(), path))
                MODES[self.mode](self, s, path)
            except OSError:
                pass

    # ---- what is true ----------------------------------------------------------------------------

    def status_of(self, path):
        role, forced = self.facts.get("role", "replica"), self.facts.get("status")
        primary = role in ("primary", "master")
        if path in ("/config", "/patroni", "/cluster", "/history", "/liveness"):
            return 200
        if forced and primary == (path in PRIMARY_PATHS):
            return forced
        if path in PRIMARY_PATHS:
            return 200 if primary else 503
        if path in ("/replica", "/async", "/asynchronous"):
            return 503 if primary else 200
        return 200 if path == "/health" else 503

    def body_of(self, path):
        if path == "/config":
            return {"ttl": 30, "loop_wait": 10, "retry_timeout": 10}
        f = self.facts
        primary = f.get("role") in ("primary", "master")
        body = {
            "state": f.get("state", "running"), "role": f.get("claim", f.get("role", "replica")),
            "server_version": 150005, "timeline": f.get("timeline", 1),
            "database_system_identifier": f.get("system_id", SYSTEM_ID),
            "dcs_last_seen": int(time.time()),
            "patroni": {"version": "3.3.0", "scope": f.get("scope", "fake"),
                        "name": f.get("name", self.name)},
            "xlog": {"location": 1000} if primary else
                    {"received_location": 1000, "replayed_location": 1000, "paused": False},
        }
        return body

    # ---- how it is said --------------------------------------------------------------------------

    def say(self, s, path, raw):
        s.sendall(raw)
        self.answers.append((time.monotonic(), path, raw[9:12].decode(errors="replace")))

    def ok(self, s, path):
        status = self.status_of(path)
        head = f"HTTP/1.0 {status} {http.client.responses[status]}\r\nServer: fake\r\nContent-Type: application/json\r\n\r\n"
        self.say(s, path, head.encode() + json.dumps(self.body_of(path)).encode())

    def slow(self, s, path):
        self.stopping.wait(self.facts.get("delay", 1.0))
        self.ok(s, path)

    def hang(self, s, path):
        self._until_gone(s)

    def hang_half(self, s, path):
        s.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"role\": \"pri")
        self._until_gone(s)

    def drip(self, s, path):
        for byte in b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 1000:
            s.sendall(bytes([byte]))
            if self.stopping.wait(0.2):
                return

    def reset(self, s, path):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def garbage(self, s, path):
        self.say(s, path, bytes(range(256)) * 4)

    def not_json(self, s, path):
        self.say(s, path, b"HTTP/1.0 200 OK\r\n\r\n<html>hello</html>")

    def empty(self, s, path):
        self.say(s, path, b"HTTP/1.0 200 OK\r\n\r\n")

    def endless(self, s, path):
        s.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"role\": \"")
        while not self.stopping.is_set():
            s.sendall(b"x" * 65536)

    def redirect(self, s, path):
        self.say(s, path, f"HTTP/1.0 302 Found\r\nLocation: http://{self.facts['to']}:8008{path}"
                          "\r\n\r\n".encode())

    def error_500(self, s, path):
        self.say(s, path, b"HTTP/1.0 500 Oops\r\n\r\n{}")

    def truncated(self, s, path):
        self.say(s, path, b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n{\"role\": \"primary\"")

    @staticmethod
    def _until_gone(s):
        try:
            while s.recv(4096):
                pass
        except OSError:
            pass


PRIMARY_PATHS = ("/", "/primary", "/master", "/leader", "/read-write")
MODES = {m.__name__: m for m in (
    FakeRest.ok, FakeRest.slow, FakeRest.hang, FakeRest.hang_half, FakeRest.drip, FakeRest.reset,
    FakeRest.garbage, FakeRest.not_json, FakeRest.empty, FakeRest.endless, FakeRest.redirect,
    FakeRest.error_500, FakeRest.truncated)}


def message(kind, payload=b""):
    return kind + struct.pack("!I", len(payload) + 4) + payload


def parameter(name, value):
    return message(b"S", name + b"\0" + value + b"\0")


class FakePostgres:
    """Enough of PostgreSQL for clients to connect, ask one thing (any query is answered with this
    server's name) and stay idle by the thousand."""

    def __init__(self, address, name, port=5432):
        self.address, self.port, self.name = address, port, name
        self.silent = False  # accept and never answer
        self.raw = None      # a function(socket) that takes over new connections
        self.sessions = {}
        self.listener = None
        self.selector = selectors.DefaultSelector()
        self.wake_r, self.wake_w = socket.socketpair()
        self.thread = None

    def start(self):
        self.listener = listen(self.address, self.port)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake_r, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        if self.thread:
            self.wake_w.send(b"x")
            self.thread.join()
            self.thread = None

    def end_session(self, abruptly=False):
        """This server's end of the one session that it has: FIN or RST."""
        wait_for(lambda: len(self.sessions) == 1, 5, f"one session on {self.name}", 0.01)
        s = next(iter(self.sessions))
        if abruptly:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.selector.unregister(s)
        del self.sessions[s]
        s.close()

    def _run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.wake_r:
                    return self._close_all()
                if key.fileobj is self.listener:
                    self._accept()
                else:
                    self._read(key.fileobj)

    def _close_all(self):
        for s in list(self.sessions) + [self.listener, self.wake_r, self.wake_w]:
            s.close()
        self.sessions.clear()
        self.selector.close()

    def _accept(self):
        try:
            s, _ = self.listener.accept()
        except OSError:
            return
        if self.raw:
            threading.Thread(target=self.raw, args=(s,), daemon=True).start()
            return
        s.setblocking(False)
        self.sessions[s] = {"bytes": b"", "started": False}
        self.selector.register(s, selectors.EVENT_READ)

    def _read(self, s):
        try:
            data = s.recv(65536)
        except OSError:
            data = b""
        session = self.sessions[s]
        session["bytes"] += data
        try:
            keep = bool(data) and (self.silent or self._answer(s, session))
        except OSError:
            keep = False
        if not keep:
            self.selector.unregister(s)
            del self.sessions[s]
            s.close()

    def _answer(self, s, session):
        while True:
            buffer, at = session["bytes"], 1 if session["started"] else 0
            if len(buffer) < at + 4:
                return True
            size = at + struct.unpack_from("!I", buffer, at)[0]
            if len(buffer) < size:
                return True
            packet, session["bytes"] = buffer[:size], buffer[size:]
            if not (self._typed(s, packet) if session["started"] else self._first(s, session, packet)):
                return False

    def _first(self, s, session, packet):
        code = struct.unpack_from("!I", packet, 4)[0]
        if code in (80877103, 80877104):
            s.sendall(b"N")
            return True
        if code == 80877102:
            return False
        session["started"] = True
        s.sendall(message(b"R", struct.pack("!I", 0)) + parameter(b"server_version", b"15.5")
                  + parameter(b"client_encoding", b"UTF8") + parameter(b"server_encoding", b"UTF8")
                  + parameter(b"standard_conforming_strings", b"on")
                  + message(b"K", struct.pack("!II", 1, 1)) + message(b"Z", b"I"))
        return True

    def _typed(self, s, packet):
        if packet[:1] == b"X":
            return False
        if packet[:1] == b"Q":
            name = self.name.encode()
            column = b"name\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
            s.sendall(message(b"T", struct.pack("!h", 1) + column)
                      + message(b"D", struct.pack("!hI", 1, len(name)) + name)
                      + message(b"C", b"SELECT 1\0") + message(b"Z", b"I"))
        return True


class FakeNode:
    """Name, address, REST and PostgreSQL together: usable where cluster.Node's name and address are."""

    def __init__(self, address, name):
        self.address, self.name = address, name
        self.rest = FakeRest(address, name)
        self.pg = FakePostgres(address, name)

    def __repr__(self):
        return self.name

    def start(self):
        self.rest.start()
        self.pg.start()
        return self

    def be(self, role, mode="ok", **facts):
        self.rest.facts = {"role": role} | facts
        self.rest.mode = mode
        return self

    def stop(self):
        self.rest.stop()
        self.pg.stop()


class FakeCluster:
    """n nodes at block.1.., the first one primary."""

    scope = "fake"

    def __init__(self, block="127.0.30", nodes=2):
        self.nodes = [FakeNode(f"{block}.{i + 1}", f"n{i + 1}") for i in range(nodes)]

    def __enter__(self):
        for i, n in enumerate(self.nodes):
            n.start().be("replica" if i else "primary")
        return self

    def __exit__(self, *_):
        for n in self.nodes:
            n.stop()
