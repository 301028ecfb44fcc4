"""How a measure is taken: warm-up, then rounds, each with the contenders in the opposite order of the round before;
what is compared are values of the same round. A round in which others used the machine is taken again, and a
measure that never got its quiet rounds is not judged, nor is the run it belongs to.

Not here: what is measured (measures_*.py), what is wanted (rows.py).
"""
import contextlib
import statistics
import sys
from dataclasses import dataclass, field

from contenders import GREEDY
from meters import LOAD_CPU, PROXY_CPU, Strangers
from procs import Failure

QUIET = 0.3  # CPUs that others may use


@dataclass(frozen=True)
class Measure:
    """take(turn) returns {reading: value} of one contender in one round; None: it has no such value."""

    name: str
    take: callable
    contenders: tuple
    server: str             # "postgres" or "false"
    mode: str = "own"       # "own": the contender has a CPU for itself; "same": it shares the load's
    rounds: int = 0         # 0: as many as the command line says; otherwise at most so many
    quick_rounds: int = 0   # the same for a quick run
    fresh: bool = False     # a new process for every turn
    warm: bool = True       # the first turn of each does not count
    more: dict = field(default_factory=dict)  # further settings of the contenders


@dataclass(frozen=True)
class Turn:
    """One contender, now."""

    stage: object
    measure: Measure
    contender: object
    quick: bool

    @property
    def server(self):
        return self.stage.server(self.measure.server)

    def pick(self, whole, quick):
        return quick if self.quick else whole


class Taking:
    """One measure from its first contender's start to its last one's end."""

    def __init__(self, stage, measure, rounds, quick, names):
        """names: the contenders that count."""
        self.stage, self.measure, self.quick, self.names = stage, measure, quick, names
        self.rounds = min(rounds, (quick and measure.quick_rounds) or measure.rounds or rounds)
        self.values = {}   # {reading: {contender: [a value per round]}}
        self.others = []   # CPUs that others used, per round that counts
        self.left_out = {}  # {contender: why}
        self.running = {}

    def run(self):
        if self.measure.mode == "own" and PROXY_CPU == LOAD_CPU:
            self.left_out = {n: "this machine has one CPU" for n in self.names}
            return self
        with contextlib.ExitStack() as life:
            for name in self.names:
                with self._fault(name):
                    self.running[name] = None if self._alone(name) else life.enter_context(self._open(name))
            if self.measure.warm:
                self._round(list(self.running))
            self._rounds()
        return self

    def _rounds(self):
        spare = self.rounds
        while len(self.others) < self.rounds and self.running:
            order = list(self.running)[:: -1 if len(self.others) % 2 else 1]
            strangers = Strangers()
            found = self._round(order)
            busy = strangers.load()
            if busy > QUIET and spare:
                spare -= 1
                continue
            self.others.append(busy)
            for name, reading, value in found:
                self.values.setdefault(reading, {}).setdefault(name, []).append(value)
        for of in self.values.values():  # only what has a value in every round can be paired
            for name in [n for n, v in of.items() if len(v) < len(self.others)]:
                del of[name]

    def _round(self, order):
        """[(contender, reading, value)]"""
        found = []
        for name in order:
            with self._fault(name), self._present(name) as contender:
                taken = self.measure.take(Turn(self.stage, self.measure, contender, self.quick))
                found += [(name, k, v) for k, v in taken.items() if v is not None]
        return found

    def _alone(self, name):
        return self.measure.fresh or name in GREEDY

    def _open(self, name):
        return self.stage.contender(name, self.measure.server, self.measure.mode, **self.measure.more.get(name, {}))

    def _present(self, name):
        """The one that runs already, or a new one."""
        return self._open(name) if self.running[name] is None else contextlib.nullcontext(self.running[name])

    @contextlib.contextmanager
    def _fault(self, name):
        """A contender that fails is out of this measure, and said to be; the others go on."""
        try:
            yield
        except (Failure, OSError) as e:
            self.left_out[name] = str(e)
            self.running.pop(name, None)
            print(f"bench: {self.measure.name}: {name} is left out: {e}", file=sys.stderr)


# ---- what the values say ---------------------------------------------------------------------------


def spread(numbers):
    return {"median": statistics.median(numbers), "min": min(numbers), "max": max(numbers)}


def paired(of, a, b, times=1):
    """The ratios a / (times x b), round by round; None without both."""
    if a in of and b in of and len(of[a]) == len(of[b]) and min(of[b]) > 0:
        return spread([x / (times * y) for x, y in zip(of[a], of[b])])
    return None
