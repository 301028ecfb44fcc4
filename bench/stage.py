"""Where all of it happens: the servers, the contenders before them, and which CPU each has.

Nothing outlives the bench: PostgreSQL and all that has children belong to keepers, the rest dies with this process.
"""
import contextlib
import os
import re
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "test", "system"))

from cluster import PG_BIN  # noqa: E402
from contenders import HAProxy, running  # noqa: E402, F401
from isari import binary  # noqa: E402
from meters import LOAD_CPU, PROXY_CPU, Strangers, pin  # noqa: E402, F401
from procs import Failure, Keeper  # noqa: E402, F401
from servers import FalseServer, Nodes, Postgres  # noqa: E402

# mode: (CPU of the contender, CPU of this program). Load and servers are on LOAD_CPU always.
PLACES = {"same": (LOAD_CPU, PROXY_CPU), "own": (PROXY_CPU, LOAD_CPU)}


class Stage:
    """Servers are started when the first measure asks for them, contenders for each measure."""

    def __init__(self, programs, copy_mb, copy_in_mb):
        self.programs, self.copy_mb, self.copy_in_mb = programs, copy_mb, copy_in_mb
        self.life = contextlib.ExitStack()
        self.started = {}

    def __enter__(self):
        raise_descriptors()
        with contextlib.ExitStack() as life:
            self.dir = tempfile.mkdtemp(prefix="isari-bench-")
            life.callback(Keeper(self.dir).stop)  # with all that is made in it, even when this is killed
            tempfile.tempdir = self.dir
            os.chmod(self.dir, 0o755)
            life.callback(setattr, tempfile, "tempdir", None)
            self.life = life.pop_all()
        return self

    def __exit__(self, *_):
        self.life.close()

    def nodes(self, kind):
        """The cluster whose primary is PostgreSQL ("postgres") or the false server ("false")."""
        if kind not in self.started:
            nodes = self.life.enter_context(Nodes(1 if kind == "postgres" else 11))
            server = Postgres(nodes, self.copy_mb) if kind == "postgres" else FalseServer(nodes, self.programs)
            self.started[kind] = nodes, self.life.enter_context(server)
        return self.started[kind][0]

    def server(self, kind):
        self.nodes(kind)
        return self.started[kind][1]

    @contextlib.contextmanager
    def contender(self, name, kind, mode, **more):
        """Running and in its place; this program is where it disturbs least."""
        with running(name, self.nodes(kind), self.programs, **more) as c:
            place(c, mode)
            yield c


def place(contender, mode):
    cpu, ours = PLACES[mode]
    if contender.pid:
        pin(contender.pid, cpu)
    pin(os.getpid(), ours)


def raise_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def first_line(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).splitlines()[0]


def versions():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"^(?:model name|CPU part)\s*:\s*(.*)$", f.read(), re.M)
    return {
        "isari": first_line(binary(), "-v"),
        "haproxy": first_line("haproxy", "-v"),
        "postgres": first_line(f"{PG_BIN}/postgres", "--version"),
        "kernel": os.uname().release,
        "cpu": f"{os.cpu_count()} x {model.group(1) if model else os.uname().machine}",
    }


def peers():
    return {"nginx": first_line("nginx", "-v").removeprefix("nginx version: "),
            "pgbouncer": first_line("pgbouncer", "--version")}
