"""What a client hears through isari is what it hears from PostgreSQL itself: the same bytes, then the same
end (FIN or RST). Each case is a script, run against a PostgreSQL of the test's own and then through isari.

The exception is first bytes that cannot be a startup packet: PostgreSQL closes without a word, isari says why.
"""
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import tempfile

import psycopg
import pytest

from cluster import PG_BIN, USER
from fake_patroni import FakeRest
from isari import Isari, config_for
from pgwire import (CANCEL_REQUEST, GSSENC_REQUEST, PROTOCOL_3, SSL_REQUEST, error_fields, query, read_exactly,
                    read_message, request, startup)
from procs import Keeper, wait_for

ADDRESS = "127.0.43.1"
SHUT, BYTEWISE = "shut", "bytewise"  # steps: end our direction; send the rest one byte at a time
TERMINATE = b"X\0\0\0\4"


class Server:
    """PostgreSQL without Patroni: a Cluster of one node, as config_for sees it."""
    scope, name, address = "fake", "n1", ADDRESS

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="isari-pg-")
        self.keeper = Keeper(self.dir)
        self.nodes = [self]

    def __enter__(self):
        who = pwd.getpwnam(USER)
        os.chown(self.dir, who.pw_uid, who.pw_gid)
        data = os.path.join(self.dir, "data")
        subprocess.run([f"{PG_BIN}/initdb", "-D", data, "-A", "trust", "-N", "--locale=C", "--no-instructions"],
                       check=True, capture_output=True, user=USER, group=who.pw_gid, cwd=self.dir)
        subprocess.run(["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-newkey", "rsa:2048", "-subj",
                        "/CN=isari", "-keyout", "server.key", "-out", "server.crt"],
                       check=True, capture_output=True, user=USER, group=who.pw_gid, cwd=data)
        options = {"listen_addresses": ADDRESS, "unix_socket_directories": "", "fsync": "off", "ssl": "on",
                   "wal_level": "logical", "shared_buffers": "16MB", "autovacuum": "off"}
        self.keeper.launch([f"{PG_BIN}/postgres", "-D", data] + [f"--{k}={v}" for k, v in options.items()],
                           os.path.join(self.dir, "log"), USER)
        wait_for(self._answers, 20, "PostgreSQL to accept connections")
        return self

    def __exit__(self, *_):
        self.keeper.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _answers(self):
        try:
            with self.dial() as s:
                s.sendall(startup())
                return read_message(s)[0] == b"R"
        except (OSError, EOFError):
            return False

    def dial(self):
        s = socket.create_connection((ADDRESS, 5432), 10)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s


@pytest.fixture(scope="module")
def dials():
    """How to reach it: directly, through isari."""
    rest = FakeRest(ADDRESS, "n1")
    rest.facts = {"role": "primary"}
    with Server() as server:
        rest.start()
        try:
            config = config_for(server)
            del config["listeners"]["read"]
            with Isari(config) as i:
                i.wait_up("write", ["n1"])
                yield server.dial, lambda: i.dial("write", 10)
        finally:
            rest.stop()


# ---- scripts -----------------------------------------------------------------------------------------

def pairs(**kw):
    return b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in kw.items()) + b"\0"


def typed(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def padded(length):
    """A valid startup packet of this length."""
    name = b"application_name\0"
    rest = length - 8 - len(b"user\0postgres\0") - len(name) - 2
    return struct.pack("!II", length, PROTOCOL_3) + b"user\0postgres\0" + name + b"a" * rest + b"\0\0"


def until(kind):
    """A step: read messages up to and with the first of this kind."""
    def step(s):
        data = b""
        while True:
            head = read_exactly(s, 5)
            data += head + read_exactly(s, struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == kind:
                return data
    return step


def take(n):
    return lambda s: read_exactly(s, n)


READY = until(b"Z")
SSL, GSS = request(SSL_REQUEST), request(GSSENC_REQUEST)
PLAIN = [startup(), READY]
ONE_EXTENDED = (typed(b"P", b"\0select $1::int\0\0\0") + typed(b"B", b"\0\0\0\0\0\1\0\0\0\1" + b"7" + b"\0\0")
                + typed(b"E", b"\0\0\0\0\0"))
COPY_IN = [query("create temp table t (x text)"), READY, query("copy t from stdin"), until(b"G"),
           typed(b"d", b"line\n") * 1000]

SAME = {
    "ssl": [SSL, take(1), SHUT],
    "ssl, then no tls": [SSL, take(1), startup()],
    "ssl split": [SSL[:4], SSL[4:], take(1), SHUT],
    "ssl twice": [SSL, take(1), SSL, SHUT],
    "ssl and startup at once": [SSL + startup(), SHUT],
    "gss": [GSS, take(1), SHUT],
    "gss, then none": [GSS, take(1), startup(), SHUT],
    "gss split": [GSS[:5], GSS[5:], take(1), SHUT],
    "gss twice": [GSS, take(1), GSS, SHUT],
    "gss, ssl": [GSS, take(1), SSL, SHUT],
    "ssl, gss": [SSL, take(1), GSS, SHUT],
    "startup": PLAIN + [TERMINATE],
    "startup byte by byte": [BYTEWISE, startup() + query("select 1") + TERMINATE],
    "startup and queries at once": [startup() + query("select 1") + query("select 2") + TERMINATE],
    "startup and half-close": [startup() + query("select 1"), SHUT],
    "length 10000": [padded(10000), READY, TERMINATE],
    "length 10004": [padded(10004), READY, TERMINATE],
    "length 8": [request(PROTOCOL_3)],
    "half a startup": [startup()[:20], SHUT],
    "nothing": [SHUT],
    "no terminator": [request(PROTOCOL_3, pairs(user="postgres")[:-1])],
    "no user": [request(PROTOCOL_3, pairs(database="postgres"))],
    "unknown user": [request(PROTOCOL_3, pairs(user="nobody"))],
    "unknown database": [request(PROTOCOL_3, pairs(user="postgres", database="nowhere"))],
    "protocol 2": [request(2 << 16, b"\0" * 284)],
    "protocol 3.99": [request(3 << 16 | 99, pairs(user="postgres", **{"_pq_.x": "1"})), READY, TERMINATE],
    "protocol 9.9": [request(9 << 16 | 9, pairs(user="postgres"))],
    "cancel of nobody": [request(CANCEL_REQUEST, struct.pack("!II", 1, 1))],
    "physical replication": [request(PROTOCOL_3, pairs(user="postgres", replication="true")), READY,
                             query("IDENTIFY_SYSTEM"), READY, TERMINATE],
    "logical replication": [request(PROTOCOL_3, pairs(user="postgres", database="postgres", replication="database")),
                            READY, query("IDENTIFY_SYSTEM"), READY, query("select 1"), READY, TERMINATE],
    "copy in abandoned": PLAIN + COPY_IN + [SHUT],
    "copy in failed": PLAIN + COPY_IN + [typed(b"f", b"enough\0"), READY, TERMINATE],
    "copy out": PLAIN + [query("copy (select repeat('x', 1000) from generate_series(1, 2000)) to stdout"), READY,
                         TERMINATE],
    "pipeline of 500": PLAIN + [ONE_EXTENDED * 500 + typed(b"S"), READY, TERMINATE],
    "pipeline of 500 to the end": [startup() + (ONE_EXTENDED + typed(b"S")) * 500 + TERMINATE],
    "bad message type": PLAIN + [typed(b"!", b"what")],
    "lying length": PLAIN + [b"Q" + struct.pack("!I", 0x7fffffff) + b"select 1\0"],
    "negative length": PLAIN + [b"Q\xff\xff\xff\xff"],
    "message cut off": PLAIN + [query("select 1")[:7], SHUT],
    "the server ends": PLAIN + [query("select pg_terminate_backend(pg_backend_pid())")],
    "the server ends amid a pipeline": PLAIN + [
        query("select pg_terminate_backend(pg_backend_pid()), pg_sleep(1)") + query("select 1") * 3],
}

# No startup packet begins like this. PostgreSQL 15 says nothing to any of them.
OURS = {
    "length 0": [struct.pack("!II", 0, PROTOCOL_3)],
    "length 7": [struct.pack("!II", 7, PROTOCOL_3)],
    "length -1": [struct.pack("!II", 0xFFFFFFFF, PROTOCOL_3)],
    "length 2^31-1": [struct.pack("!II", 0x7FFFFFFF, PROTOCOL_3)],
    "length 10005": [struct.pack("!II", 10005, PROTOCOL_3)],
    "http": [b"GET / HTTP/1.0\r\n\r\n"],
    "proxy v1": [b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"],
    "proxy v2": [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\0" * 12],
}


def play(dial, steps):
    """(everything heard, how it ended)"""
    heard, bytewise = b"", False
    with dial() as s:
        try:
            for step in steps:
                if step == SHUT:
                    s.shutdown(socket.SHUT_WR)
                elif step == BYTEWISE:
                    bytewise = True
                elif callable(step):
                    heard += step(s)
                else:
                    for piece in ([bytes([b]) for b in step] if bytewise else [step]):
                        s.sendall(piece)
            while more := s.recv(1 << 16):
                heard += more
            end = "FIN"
        except (ConnectionResetError, BrokenPipeError):
            end = "RST"
    return heard, end


def comparable(heard):
    """Without what differs from one session to the next: the cancel key, a position in the log."""
    heard = re.sub(rb"K\0\0\0\x0c.{8}", b"K\0\0\0\x0c--------", heard, flags=re.DOTALL)
    return re.sub(rb"[0-9A-F]+/[0-9A-F]{6,8}\b", b"LSN", heard)


@pytest.mark.parametrize("case", SAME)
def test_a_client_hears_what_postgresql_says(dials, case):
    direct, proxied = (play(dial, SAME[case]) for dial in dials)
    assert (comparable(proxied[0]), proxied[1]) == (comparable(direct[0]), direct[1])


@pytest.mark.parametrize("case", OURS)
def test_what_is_no_startup_packet_is_told_so(dials, case):
    direct, proxied = (play(dial, OURS[case]) for dial in dials)
    assert direct == (b"", "FIN")
    assert proxied[1] == "FIN" and error_fields(proxied[0][5:])["C"] == "08P01"


def test_direct_tls_is_for_the_server_to_refuse(dials):
    hello = b"\x16\x03\x01\x00\x05hello"
    direct, proxied = (play(dial, [hello]) for dial in dials)
    assert proxied == direct


def test_a_cancel_request_interrupts_its_query_as_it_does_directly(dials):
    def sleeps():
        with psycopg.connect(host=ADDRESS, user=USER, dbname="postgres", autocommit=True) as c:
            return c.execute("select 1 from pg_stat_activity where wait_event = 'PgSleep'").fetchone()

    def interrupted(dial):
        with dial() as s:
            s.sendall(startup())
            key = re.search(rb"K\0\0\0\x0c(.{8})", READY(s), re.DOTALL)[1]
            s.sendall(query("select pg_sleep(30)"))
            wait_for(sleeps, 10, "the query to begin")
            with dial() as asker:
                asker.sendall(request(CANCEL_REQUEST, key))
                assert asker.recv(1) == b""
            return READY(s)

    direct, proxied = (interrupted(dial) for dial in dials)
    assert b"C57014" in direct
    assert proxied == direct
