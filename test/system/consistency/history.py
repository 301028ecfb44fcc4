"""What was seen in one run: plain records with monotonic times, and nothing that judges them."""
import dataclasses
import json

OK, FAIL, INFO = "ok", "fail", "info"  # acknowledged; refused on a living connection; nobody knows


@dataclasses.dataclass
class Conn:
    """A connection of a client, and what it was told when it asked who answers."""
    id: int
    client: int
    kind: str  # session, fresh, txn, idle, reader
    port: str  # write, read
    opened: float  # before the first packet
    login: float = None  # after the server's first ReadyForQuery
    ready: float = None  # when it had said who it is
    node: str = None  # address of the server
    in_recovery: bool = None
    timeline: int = None
    last: int = None  # this client's last acknowledged append before ...
    last_timeline: int = None
    sees_last: bool = None  # ... and is it there?
    cut: float = None  # when a silent one was ended by the other side
    error: str = None


@dataclasses.dataclass
class Op:
    """Append number seq of a client."""
    client: int
    seq: int
    conn: int
    start: float
    end: float = None
    outcome: str = INFO
    node: str = None
    timeline: int = None
    lsn: str = None
    error: str = None


@dataclasses.dataclass
class Read:
    """An answer of the read port."""
    conn: int
    start: float
    end: float
    node: str
    in_recovery: bool


@dataclasses.dataclass
class LockSample:
    """At some moment between sent and received, holder (a member's address, None: nobody) had the lock."""
    sent: float
    received: float
    holder: str


@dataclasses.dataclass
class NodeSample:
    """What a server said of itself over its own socket."""
    node: str
    sent: float
    received: float
    in_recovery: bool
    timeline: int = None  # of a primary


@dataclasses.dataclass
class History:
    strict: bool = False  # synchronous_mode_strict: nothing acknowledged may be lost at all
    ops: list = dataclasses.field(default_factory=list)
    conns: dict = dataclasses.field(default_factory=dict)  # id -> Conn
    reads: list = dataclasses.field(default_factory=list)
    lock: list = dataclasses.field(default_factory=list)
    nodes: list = dataclasses.field(default_factory=list)
    final: list = dataclasses.field(default_factory=list)  # (client, seq) rows of the last primary
    names: dict = dataclasses.field(default_factory=dict)  # address -> member
    event: float = 0.0  # when it was done

    def save(self, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump(dataclasses.asdict(self), f, separators=(",", ":"))
