"""isari as a process: starting, refusing to start, ending, running out of descriptors, memory."""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

import pytest

from fake_patroni import FakeCluster
from isari import Isari, binary, closed_at, config_for
from load import Watch
from pgwire import login, query, read_error, read_until, startup
from procs import wait_for

BLOCK = "127.0.35"


@pytest.fixture
def fakes():
    with FakeCluster(BLOCK) as f:
        yield f


@pytest.fixture
def config(fakes):
    return config_for(fakes)


def ask(sock):
    sock.sendall(query("select 1"))
    return dict(read_until(sock, b"Z"))[b"D"]


def run(*argv):
    return subprocess.run([binary(), *argv], capture_output=True, text=True, timeout=20, check=False)


def check(text, tmp_path):
    file = tmp_path / "isari.yaml"
    file.write_text(text)
    return run("-c", "-f", str(file)), str(file)


# ---- refusing to start -------------------------------------------------------------------------------

GOOD = """\
clusters:
  main:
    members: [127.0.35.1, 127.0.35.2]
listeners:
  write: {bind: "127.0.0.1:5000", serve: primary}
"""

BAD = {  # name: (file, [patterns of the faults, in order])
    "no YAML": ("clusters: [\n", [r":\d+:\d+: "]),
    "a tab": ("clusters:\n\tmain: 1\n", [r":2:1: "]),
    "empty": ("", [r"clusters: ", r"listeners: "]),
    "unknown key": (GOOD + "threds: 2\n", [r":6:1: threds: .*threads"]),
    "unknown key in a listener": (GOOD.replace("serve", "serv"), [r":5:\d+: listeners.write.serv: .*serve"]),
    "a later feature": (GOOD.replace("primary}", "primary, send_proxy: v2}"), [r":5:\d+: listeners.write.send_proxy: "]),
    "wrong type": (GOOD + "maxconn: many\n", [r":6:\d+: maxconn: "]),
    "bad duration": (GOOD + "drain_timeout: 3 parsecs\n", [r":6:\d+: drain_timeout: "]),
    "same bind twice": (GOOD + '  read: {bind: "127.0.0.1:5000", serve: replica}\n',
                        [r":6:\d+: listeners.read.bind: "]),
    "no such cluster": (GOOD.replace("primary}", "primary, cluster: mian}"),
                        [r":5:\d+: listeners.write.cluster: .*main"]),
    "three faults in one go": (GOOD + "threds: 2\nmaxconn: many\nlog: {level: loud}\n",
                               [r":6:1: threds: ", r":7:\d+: maxconn: ", r":8:\d+: log.level: "]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configuration_is_refused_with_every_fault_in_its_place(name, tmp_path):
    text, patterns = BAD[name]
    checked, file = check(text, tmp_path)
    lines = [line for line in checked.stderr.splitlines() if line.startswith(file)]
    assert checked.returncode == 1
    assert len(lines) == len(patterns), checked.stderr
    for line, pattern in zip(lines, patterns):
        assert re.search(pattern, line.removeprefix(file)), f"{line!r} is not like {pattern!r}"
    assert run("-f", file).returncode == 1, "what -c refuses must not start"


def test_a_good_configuration_is_valid(tmp_path):
    checked, _ = check(GOOD, tmp_path)
    assert checked.returncode == 0 and "Configuration file is valid" in checked.stdout + checked.stderr


def test_usage_and_missing_file():
    assert run("--nonsense").returncode == 2
    missing = run("-f", "/nonexistent/isari.yaml")
    assert missing.returncode == 1 and "/nonexistent/isari.yaml" in missing.stderr
    assert "isari" in run("-v").stdout


@pytest.mark.parametrize("words, code, out, err", [
    (["-h"], 0, "usage: isari", ""),
    (["ctl", "-h"], 0, "usage: isari ctl", ""),
    (["-vv"], 0, "\noptions: ", ""),
    (["--nonsense"], 2, "", "unknown option --nonsense;"),
    (["-cx"], 2, "", "unknown option -x;"),
    (["-f"], 2, "", "needs a value: -f;"),
    (["coffee"], 2, "", "unknown word coffee;"),
    (["ctl"], 2, "", "usage: isari ctl"),
    (["ctl", "-s", "/nonexistent/s", "help"], 1, "", "/nonexistent/s: No such file or directory; is isari running"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_help_goes_to_stdout_and_errors_with_their_remedy_to_stderr(words, code, out, err):
    r = run(*words)
    assert r.returncode == code
    assert out in r.stdout and bool(out) == bool(r.stdout), r
    assert err in r.stderr and bool(err) == bool(r.stderr), r


@pytest.mark.parametrize("socket_, words", [
    ({"path": "/proc/s"}, "stats.socket: cannot bind /proc/s: "),
    ({"path": "SOCKET", "user": "no-such-user"}, "stats.socket: there is no user 'no-such-user'; "),
    ({"path": "SOCKET", "group": "no-such-group"}, "stats.socket: there is no group 'no-such-group'; "),
], ids=["path", "user", "group"])
def test_a_stats_socket_that_cannot_be_made_is_an_error_with_place_and_remedy(config, tmp_path, socket_, words):
    entry = socket_ | {"path": socket_["path"].replace("SOCKET", str(tmp_path / "s"))}
    i = Isari(config | {"stats": {"socket": [entry]}}).start()
    assert i.p.wait(10) == 1
    text = i.text()
    i.stop()
    assert words in text and not os.path.exists(tmp_path / "s")


def test_a_json_log_stays_json_when_the_start_fails(config):
    with socket.create_server(("127.0.0.1", int(config["listeners"]["write"]["bind"].rpartition(":")[2]))):
        i = Isari(config | {"log": {"format": "json"}}).start()
        assert i.p.wait(10) == 1
        last = json.loads(i.text().splitlines()[-1])
        i.stop()
    assert (last["level"], last["event"]) == ("error", "not_started") and "in use" in last["msg"]


def test_every_listener_address_in_use_is_one_clear_error(config):
    taken = [socket.create_server(("127.0.0.1", int(l["bind"].rpartition(":")[2])))
             for l in config["listeners"].values()]
    i = Isari(config).start()
    assert i.p.wait(10) == 1
    text = i.text()
    i.stop()
    for s in taken:
        s.close()
    errors = [line for line in text.splitlines() if "level=warning" not in line]
    assert len(errors) == 1, text
    assert config["listeners"]["write"]["bind"] in errors[0] and "in use" in errors[0]


def test_a_second_isari_on_the_same_addresses_is_refused_and_harms_nothing(config):
    with Isari(config) as first:
        first.wait_up("write", ["n1"])
        second = Isari(config).start()
        assert second.p.wait(10) == 1
        assert config["listeners"]["write"]["bind"] in second.text()
        second.stop()
        for _ in range(10):
            with login(first.dial("write")) as s:
                assert b"n1" in ask(s)


def test_members_that_cannot_be_reached(fakes):
    config = config_for(fakes, hold=0)
    for member, host in zip(config["clusters"]["main"]["members"], ("127.0.35.77", "no-such-host.invalid")):
        member["host"] = host
    with Isari(config) as i:
        wait_for(lambda: "refused" in i.ask("show clusters"), 5, "the refusal in show clusters")
        with i.dial("write") as s:
            s.sendall(startup())
            fields = read_error(s)
        assert fields["C"] == "57P03" and 'cluster "main" has no primary' in fields["M"]


# ---- listening and logging ---------------------------------------------------------------------------

def test_a_listener_binds_to_a_list_of_every_kind(config, tmp_path):
    path, (host, _, port) = str(tmp_path / "s"), config["listeners"]["write"]["bind"].rpartition(":")
    config["listeners"]["write"]["bind"] = [f"{host}:{port}", f"[::1]:{port}", path]
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        for family, address in ((socket.AF_INET, (host, int(port))), (socket.AF_INET6, ("::1", int(port))),
                                (socket.AF_UNIX, path)):
            with socket.socket(family) as s:
                s.connect(address)
                assert b"n1" in ask(login(s))
    assert not os.path.exists(path)


def test_a_json_log_is_one_object_per_line_with_the_reason_of_each_end(config):
    with Isari(config | {"log": {"format": "json"}}) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")) as s:
            ask(s)
        i.wait_log("session_end")
        lines = [json.loads(line) for line in i.text().splitlines()]
    changed = next(line for line in lines if line["event"] == "primary_changed")
    assert (changed["cluster"], changed["to"]) == ("main", "n1") and changed["why"]
    end = next(line for line in lines if line["event"] == "session_end")
    assert (end["listener"], end["server"]) == ("write", "n1") and end["reason"]


# ---- ending ------------------------------------------------------------------------------------------

def test_sigterm_drains(config):
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")) as s:
            i.p.send_signal(signal.SIGTERM)
            i.wait_log("event=draining")
            wait_for(lambda: refuses(i.address("write")), 5, "the listener to close")
            assert b"n1" in ask(s), "a session that drains goes on"
            assert i.p.poll() is None
        assert i.p.wait(5) == 0


def refuses(address):
    try:
        socket.create_connection(address, 1).close()
        return False
    except ConnectionRefusedError:
        return True


def test_a_second_sigterm_ends_at_once(config):
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")) as s:
            i.p.send_signal(signal.SIGTERM)
            i.wait_log("event=draining")
            i.p.send_signal(signal.SIGTERM)
            assert i.p.wait(2) == 0
            assert closed_at(s, 1)


def test_the_drain_ends_with_its_timeout(config):
    with Isari(config | {"drain_timeout": "500ms"}) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")) as s:
            began = time.monotonic()
            i.p.send_signal(signal.SIGTERM)
            assert closed_at(s, 3)
            assert i.p.wait(2) == 0
            assert 0.4 < time.monotonic() - began < 2


def test_sigint_ends_at_once(config):
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")) as s:
            assert i.end(signal.SIGINT, 2) == 0
            assert closed_at(s, 1)
        assert not os.path.exists(i.socket)


def test_sighup_reads_the_file_again_and_ends_no_session(config):
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")) as s:
            i.p.send_signal(signal.SIGHUP)
            i.wait_log("event=reloaded changes=0")
            s.sendall(query("select 1"))
            read_until(s, b"Z")


def test_sigpipe_and_a_log_nobody_reads_are_nothing(config):
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        i.p.send_signal(signal.SIGPIPE)
        with login(i.dial("write")) as s:
            assert b"n1" in ask(s)


def test_isari_can_start_again_after_a_kill(config):
    with Isari(config) as i:
        i.p.kill()
        i.p.wait(5)
        i.start().wait_ready().wait_up("write", ["n1"])


# ---- limits ------------------------------------------------------------------------------------------

def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        ticks = f.read().rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def limit_descriptors(pid, n):
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (n, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def test_few_descriptors_leave_enough_to_ask_the_members(fakes, config):
    n1, n2 = fakes.nodes
    with Isari(config, fds=100) as i, login(i.dial("read")) as old:
        i.wait_up("write", ["n1"])
        crowd = [i.dial("write") for _ in range(200)]
        asked = len(n1.rest.asked)
        wait_for(lambda: len(n1.rest.asked) >= asked + 3, 5, "members to be asked all the same")
        assert b"n2" in ask(old)
        assert "main: primary n1" in i.ask("show clusters")
        for s in crowd:
            s.close()
        wait_for(lambda: works(i), 5, "new sessions when there is room again")


def test_running_out_of_descriptors_is_survived(fakes, config):
    with Isari(config) as i, login(i.dial("read")) as old:
        i.wait_up("write", ["n1"])
        roomy = resource.prlimit(i.p.pid, resource.RLIMIT_NOFILE)[0]
        limit_descriptors(i.p.pid, len(os.listdir(f"/proc/{i.p.pid}/fd")) + 4)
        crowd = [i.dial("write") for _ in range(40)]
        for s in crowd:
            s.sendall(startup())
        i.wait_log("event=accept_paused")
        before, until = cpu_s(i.p.pid), time.monotonic() + 2
        while time.monotonic() < until:
            assert b"n2" in ask(old), "a session from before goes on"
            time.sleep(0.05)  # the rhythm of its questions
        assert cpu_s(i.p.pid) - before < 0.5, "it spins"
        assert i.p.poll() is None
        limit_descriptors(i.p.pid, roomy)
        for s in crowd:
            s.close()
        wait_for(lambda: works(i), 5, "new sessions when there are descriptors again")


def works(i):
    try:
        with login(i.dial("write")) as s:
            return b"n1" in ask(s)
    except (OSError, EOFError):
        return False


def test_maxconn_is_an_error_that_says_so(config):
    config["listeners"]["write"]["maxconn"] = 2
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")), login(i.dial("write")), i.dial("write") as third:
            third.sendall(startup())
            assert read_error(third)["C"] == "53300"


def pss_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("Pss:"))


def test_5000_idle_sessions_and_their_memory(config):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(5000, (hard - 600) // 2)
    with Isari(config) as i:
        i.wait_up("write", ["n1"])
        with login(i.dial("write")) as s:
            ask(s)
        before = pss_bytes(i.p.pid)
        with Watch([login(i.dial("write")) for _ in range(n)]) as sessions:
            each = (pss_bytes(i.p.pid) - before) / n
            print(f"\n{n} idle sessions: {each:.0f} bytes of memory each, {before / 1e6:.1f} MB before the first")
            assert i.stat()[("write", "FRONTEND")]["scur"] == str(n)
            assert not sessions.ended
            assert each < 1024
        wait_for(lambda: i.stat()[("write", "FRONTEND")]["scur"] == "0", 10, "the end of them all")


# ---- clean at exit -----------------------------------------------------------------------------------

def test_valgrind_finds_nothing(fakes, config, tmp_path):
    n1, n2 = fakes.nodes
    report = tmp_path / "valgrind"
    valgrind = ["valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9",
                f"--log-file={report}"]
    with Isari(config, prefix=valgrind) as i:
        i.wait_up("write", ["n1"], 30)
        with login(i.dial("write", 20)) as s:
            ask(s)
        with login(i.dial("write", 20)) as cut, login(i.dial("read", 20)):
            n1.be("replica")
            n2.be("primary", timeline=2)
            assert closed_at(cut, 20)
            i.wait_up("write", ["n2"], 20)
        with login(i.dial("write", 20)):
            i.ctl("show", "sess")
            i.p.send_signal(signal.SIGTERM)
            i.wait_log("event=draining")
            i.p.send_signal(signal.SIGTERM)
            assert i.p.wait(30) == 0, report.read_text()
    text = report.read_text()
    assert "ERROR SUMMARY: 0 errors" in text, text
    assert "definitely lost: 0 bytes" in text or "no leaks are possible" in text, text
