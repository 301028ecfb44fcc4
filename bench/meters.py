"""What a process costs: CPU time, memory of its own and of the kernel for it, system calls; and how busy others
kept the machine meanwhile.

Not here: what puts load on it (measures_*.py).
"""
import contextlib
import os
import re
import shutil
import subprocess
import time

from procs import Failure, descendants

CPUS = sorted(os.sched_getaffinity(0))
PROXY_CPU, LOAD_CPU = CPUS[0], CPUS[-1]


# ---- CPU time and placing --------------------------------------------------------------------------


def threads(pid):
    return [int(t) for t in os.listdir(f"/proc/{pid}/task")]


def pin(pid, cpu):
    for t in threads(pid):
        os.sched_setaffinity(t, {cpu})


def thread_seconds(pid, thread):
    """Time on a CPU, to the nanosecond; the packets that it delivers on loopback are in it."""
    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e9


def cpu_seconds(pid):
    """Of all threads."""
    return sum(thread_seconds(pid, t) for t in threads(pid))


class Spent:
    """CPU time of a contender's process within the with block; None for the server itself."""

    def __init__(self, pid):
        self.pid, self.seconds = pid, None

    def __enter__(self):
        self.at = cpu_seconds(self.pid) if self.pid else None
        return self

    def __exit__(self, *_):
        if self.pid:
            self.seconds = cpu_seconds(self.pid) - self.at

    def us_per(self, n):
        return self.seconds * 1e6 / n if self.pid and n else None


# ---- memory ----------------------------------------------------------------------------------------


def memory_of(pid):
    """{"Pss": bytes, "Pss_Anon": bytes, "Rss": bytes}"""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        found = re.findall(r"^(Pss|Pss_Anon|Rss):\s+(\d+) kB", f.read(), re.M)
    return {k: int(v) * 1024 for k, v in found}


def anonymous_bytes(pid):
    """PSS without the pages of files: of those a process has a smaller share when others that map them (libc) come, and
    a larger one when code runs for the first time, and neither is what its sessions cost."""
    return memory_of(pid)["Pss_Anon"] if pid else 0


# What sockets and their registrations cost the kernel. Slab caches of the same shape are merged, and then
# counted under one of their names: each cache is taken once, whatever else is in it stays still meanwhile.
SLABS = ("TCP", "UNIX", "sock_inode_cache", "filp", "dentry", "eventpoll_epi", "eventpoll_pwq", "ep_head",
         "lsm_inode_cache", "lsm_file_cache", "skbuff_head_cache", "skbuff_small_head", "skbuff_fclone_cache",
         "tw_sock_TCP", "request_sock_TCP", "TCP_bind_bucket", "tcp_bind_bucket", "tcp_bind2_bucket")


def _slab_shape(name):
    try:
        return os.readlink(f"/sys/kernel/slab/{name}")
    except OSError:
        return name


def slab_bytes():
    """Bytes of all these slabs' objects in use."""
    with open("/proc/slabinfo", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[2:]]
    wanted = {_slab_shape(name) for name in SLABS}
    return sum(int(r[1]) * int(r[3]) for r in rows if r[0] in SLABS or _slab_shape(r[0]) in wanted)


def socket_buffer_bytes():
    """What TCP holds in queues, of all sockets."""
    with open("/proc/net/sockstat", encoding="ascii") as f:
        pages = int(re.search(r"^TCP:.* mem (\d+)", f.read(), re.M).group(1))
    return pages * os.sysconf("SC_PAGE_SIZE")


# ---- system calls ----------------------------------------------------------------------------------


class Calls:
    """System calls of a process within the with block, all threads: perf's count, or strace's where the kernel
    lets perf count nothing. What runs meanwhile is slower for it and must not be timed."""

    def __init__(self, pid):
        self.pid, self.count, self.p = pid, None, None

    def __enter__(self):
        if self.pid:
            self.p = subprocess.Popen([*counter(), "-p", str(self.pid)], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(0.3)  # neither says when it has begun
        return self

    def __exit__(self, *_):
        if self.p:
            self.p.send_signal(2)
            said = self.p.communicate(timeout=20)[1]
            found = TOTAL.search(said)
            if not found:
                raise Failure(f"no count of system calls: {said.strip()[-300:]}")
            self.count = int(found.group(1) or found.group(2) or 0)  # perf has no number for a process that slept

    def per(self, n):
        return self.count / n if self.p and n else None


TOTAL = re.compile(r"^(?:(\d+)|<not counted>),.*raw_syscalls|^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s.*total$", re.M)
COUNTERS = (["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter"], ["strace", "-c", "-f"])
chosen_counter = []


def counter():
    if not chosen_counter:
        chosen_counter.append(next((c for c in COUNTERS if _counts(c)), None))
    if not chosen_counter[0]:
        raise Failure("neither perf nor strace can count system calls here")
    return chosen_counter[0]


def _counts(argv):
    if not shutil.which(argv[0]):
        return False
    words = argv[1:] if argv[0] == "strace" else [*argv[1:], "--"]
    done = subprocess.run([argv[0], *words, "true"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "<not" not in done.stderr


# ---- the others ------------------------------------------------------------------------------------


class Strangers:
    """How many CPUs others kept busy meanwhile (a hypervisor's theft included)."""

    TICK = os.sysconf("SC_CLK_TCK")

    def __init__(self):
        self.begun = self._read()

    @classmethod
    def _read(cls):
        with open("/proc/stat", encoding="ascii") as f:
            user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
        busy = (user + nice + system + irq + softirq + steal) / cls.TICK
        return time.monotonic(), busy, cls._ours()

    @classmethod
    def _ours(cls):
        """This process, all below it, and whatever of them has ended and been waited for."""
        ticks = 0
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as f:
                ticks += sum(map(int, f.read().rpartition(b")")[2].split()[11:15]))
        return ticks / cls.TICK

    def load(self):
        now, busy, ours = self._read()
        elapsed = now - self.begun[0]
        return max(0.0, ((busy - self.begun[1]) - (ours - self.begun[2])) / elapsed)
