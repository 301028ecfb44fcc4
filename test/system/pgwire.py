"""PostgreSQL's protocol by hand, for what drivers cannot be made to do."""
import socket
import struct

PROTOCOL_3, SSL_REQUEST, GSSENC_REQUEST, CANCEL_REQUEST = 196608, 80877103, 80877104, 80877102


def request(code, payload=b""):
    return struct.pack("!II", 8 + len(payload), code) + payload


def startup(user="postgres", database="postgres"):
    pairs = b"user\0" + user.encode() + b"\0database\0" + database.encode() + b"\0\0"
    return request(PROTOCOL_3, pairs)


def query(text):
    body = text.encode() + b"\0"
    return b"Q" + struct.pack("!I", len(body) + 4) + body


def read_exactly(sock, n):
    data = bytearray()
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError(f"the server closed after {len(data)} of {n} bytes")
        data += more
    return bytes(data)


def read_message(sock):
    """(type, payload)"""
    head = read_exactly(sock, 5)
    return head[:1], read_exactly(sock, struct.unpack("!I", head[1:])[0] - 4)


def read_until(sock, kind):
    """Messages up to and with the first one of this kind."""
    found = []
    while not found or found[-1][0] != kind:
        found.append(read_message(sock))
    return found


def login(sock):
    """Up to ReadyForQuery (both our servers trust us); the socket."""
    sock.sendall(startup())
    read_until(sock, b"Z")
    return sock


def reset(sock):
    """A client that goes without a word: RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def error_fields(payload):
    """{"C": sqlstate, "M": message ...} of an ErrorResponse."""
    return {f[:1].decode(): f[1:].decode() for f in payload.split(b"\0") if f}


def read_error(sock):
    kind, payload = read_message(sock)
    assert kind == b"E", f"expected an ErrorResponse, got {kind!r}"
    return error_fields(payload)


def read_all(sock):
    """Everything up to EOF; a reset is an OSError."""
    data = bytearray()
    while more := sock.recv(1 << 16):
        data += more
    return bytes(data)
