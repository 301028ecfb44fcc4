"""A program in a pseudo terminal, and what it shows there (emulated by pyte).

    with Terminal(80, 24) as t:
        t.start(["isari", "top"]).wait("primary").key("q")
        assert t.ended() == 0
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios

import pyte

from procs import popen, wait_for


class Terminal:
    """A pseudo terminal and what is on its screen."""

    def __init__(self, columns=80, rows=24):
        self.master, self.slave = pty.openpty()
        self.raw = b""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.p = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.p and self.p.poll() is None:
            self.p.kill()
        self.p and self.p.wait()
        os.close(self.master)
        os.close(self.slave)

    def start(self, argv, **env):
        env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color"} | env
        self.p = popen(argv, stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env)
        return self

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)
        if getattr(self, "p", None):
            self.p.send_signal(signal.SIGWINCH)

    def read(self, timeout=0.05):
        while select.select([self.master], [], [], timeout)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            self.raw += data
            self.stream.feed(data)
            timeout = 0
        return self

    def text(self):
        self.read()
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, pattern, timeout=10):
        """Until the screen matches; returns it."""
        try:
            wait_for(lambda: re.search(pattern, self.text(), re.M), timeout, "a screen", 0)
        except Exception:
            raise AssertionError(f"{pattern!r} is not in\n{self.text()}") from None
        return self.text()

    def wait_gone(self, pattern, timeout=10):
        wait_for(lambda: not re.search(pattern, self.text(), re.M), timeout, f"{pattern!r} to go:\n{self.text()}", 0)
        return self.text()

    def key(self, keys):
        os.write(self.master, keys.encode())
        return self

    def ended(self, timeout=10):
        """Its exit code, once what it wrote last was read."""
        wait_for(lambda: self.read(0.01).p.poll() is not None, timeout, "it to end", 0)
        self.read()
        return self.p.returncode
