"""One session over the simple protocol, light enough for a dozen clients beside a cluster on two cores."""
import socket
import struct

import pgwire


class Gone(Exception):
    """The connection is over: nobody knows what became of the last statement."""


class Refused(Exception):
    """The server said no, and the connection lives."""


class Session:
    def __init__(self, address, timeout):
        """Connect to (host, port) or to the path of a socket; login() comes next. (In two steps, so that
        another thread can interrupt a login that is kept waiting.)"""
        try:
            self.sock = self._dial(address, timeout)
        except OSError as e:
            raise Gone(f"connect: {e}") from e
        self.buffer = bytearray()

    def login(self):
        try:
            self._send(pgwire.startup())
            self._answer()
        except (Gone, Refused) as e:
            self.close()
            raise Gone(str(e)) from e
        return self

    @staticmethod
    def _dial(address, timeout):
        if not isinstance(address, str):
            s = socket.create_connection(address, timeout)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return s
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        try:
            s.connect(address)
        except OSError:
            s.close()
            raise
        return s

    def run(self, text):
        """(rows as lists of str or None, command tag)"""
        self._send(pgwire.query(text))
        return self._answer()

    def wait_end(self, timeout):
        """Has the other side ended it? Waits for that; what it says meanwhile is read and dropped."""
        self.sock.settimeout(timeout)
        try:
            return not self.sock.recv(65536)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            return True

    def interrupt(self):
        """From another thread: whoever waits here gets Gone."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.sock.close()

    # ---- messages --------------------------------------------------------------------------------

    def _send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone(f"send: {e}") from e

    def _take(self, n):
        while len(self.buffer) < n:
            try:
                more = self.sock.recv(65536)
            except OSError as e:
                raise Gone(f"receive: {e}") from e
            if not more:
                raise Gone("the other side closed")
            self.buffer += more
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def _answer(self):
        rows, tag, error = [], "", None
        while True:
            head = self._take(5)
            payload = self._take(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"D":
                rows.append(_row(payload))
            elif head[:1] == b"C":
                tag = payload.rstrip(b"\0").decode()
            elif head[:1] == b"E":
                error = _sentence(payload)
                if error.startswith(("FATAL", "PANIC")):
                    raise Gone(error)
            elif head[:1] == b"Z":
                break
        if error:
            raise Refused(error)
        return rows, tag


def _row(payload):
    fields, at = [], 2
    for _ in range(struct.unpack_from("!H", payload)[0]):
        length = struct.unpack_from("!i", payload, at)[0]
        at += 4
        fields.append(None if length < 0 else payload[at:at + length].decode())
        at += max(length, 0)
    return fields


def _sentence(payload):
    f = pgwire.error_fields(payload)
    return f"{f.get('V', f.get('S'))} {f.get('C')}: {f.get('M')}"
