"""The clients of one contender while something happens: failover_load.c, started, told, read along.

Not here: what is made of their deeds (failover_judge.py).
"""
import collections
import os
import subprocess

import stage  # noqa: F401  (it knows the way to test/system)
from procs import Failure, popen

# A line of failover_load.c; times in seconds. connected: 0 without a session, else when it began.
Deed = collections.namedtuple("Deed", "kind client begun connected ended outcome server text")

READ_BLOCK = 1 << 22


def deed_of(line):
    kind, client, begun, connected, ended, outcome, server, text = line.split(" ", 7)
    return Deed(kind, int(client), int(begun) / 1e6, int(connected) / 1e6, int(ended) / 1e6, outcome, server,
                text.strip())


class Clients:
    """counts: {kind: how many}; thinks: {kind: ms between its writes}; pause: ms after a failure."""

    def __init__(self, program, directory, contender, conninfo, pause, counts, thinks):
        self.name, self.counts = contender.name, counts
        self.file = os.path.join(directory, contender.name + ".deeds")
        open(self.file, "w", encoding="utf-8").close()
        argv = [program, self.file, conninfo, contender.name, str(pause),
                *[f"{kind}={n}:{thinks.get(kind, 0)}" for kind, n in counts.items() if n]]
        self.p = popen(argv, stdin=subprocess.PIPE, text=True)
        self.deeds, self.rest = [], ""
        self.reader = open(self.file, encoding="utf-8", errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        self.p.stdin.close()
        self.reader.close()

    def say(self, word):
        self.p.stdin.write(word + "\n")
        self.p.stdin.flush()

    def end(self):
        """All deeds, with those that were not finished."""
        self.say("end")
        try:
            self.p.wait(20)
        except subprocess.TimeoutExpired:
            raise Failure(f"the clients of {self.name} do not end") from None
        self.read_on()
        return self.deeds

    def read_on(self):
        """What was done since the last call."""
        if self.p.poll() not in (None, 0):
            raise Failure(f"the clients of {self.name} ended with {self.p.returncode}")
        text = self.rest + "".join(iter(lambda: self.reader.read(READ_BLOCK), ""))
        *lines, self.rest = text.split("\n")
        new = [deed_of(line) for line in lines]
        self.deeds += new
        return new

    def standing(self, server):
        """Do all the sessions that only watch stand on this server?"""
        last = {(d.kind, d.client): d for d in self.deeds if d.kind in ("idle", "query")}
        up = [d for d in last.values() if d.outcome == "up" and d.server == server]
        return len(up) == self.counts["idle"] + self.counts["query"]

    def working(self, server, since):
        """Has every writer had an answer from this server since then?"""
        seen = set()
        for d in reversed(self.deeds):
            if d.ended < since - 1:
                break
            if d.outcome == "ok" and d.ended >= since and d.server == server:
                seen.add((d.kind, d.client))
        want = {(k, i) for k in ("fresh", "pool") for i in range(self.counts[k])}
        return want <= seen

    def left(self, kind):
        """How many of those that connect once are not done."""
        return self.counts[kind] - sum(d.kind == kind for d in self.deeds)
