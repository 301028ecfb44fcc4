"""A peer that vanishes: a host of its own (a network namespace) whose cable is pulled."""
import os
import subprocess
import sys
import threading

import pytest

from fake_patroni import FakeCluster
from isari import Isari, config_for
from pgwire import startup
from procs import free_port

HOST, INSIDE, OUTSIDE = f"isari-{os.getpid()}", "10.213.77.2", "10.213.77.1"
CLIENT = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
s.sendall(bytes.fromhex(sys.argv[3]))
s.settimeout(None)
s.recv(1)
print("heard", flush=True)
while s.recv(65536): pass
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def host():
    """A host with one cable: yields the name of our end of it."""
    cable = f"isari{os.getpid() % 100000}"
    ip("netns", "add", HOST)
    try:
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", HOST)
        ip("addr", "add", OUTSIDE + "/30", "dev", cable)
        ip("link", "set", cable, "up")
        ip("-n", HOST, "addr", "add", INSIDE + "/30", "dev", "eth0")
        ip("-n", HOST, "link", "set", "eth0", "up")
        yield cable
    finally:
        subprocess.run(["ip", "link", "del", cable], check=False)  # at once; with its namespace it would take a while
        ip("netns", "del", HOST)


@pytest.fixture
def client_on(host):
    """Start a client on that host, which has heard one byte when this returns."""
    clients = []

    def start(address, port):
        clients.append(subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{HOST}", sys.executable, "-c", CLIENT, address, str(port), startup().hex()],
            stdout=subprocess.PIPE, text=True))
        assert clients[-1].stdout.readline() == "heard\n"

    yield start
    for p in clients:
        p.kill()
        p.wait()


def test_a_client_whose_host_vanishes_is_noticed_by_what_it_does_not_acknowledge(client_on):
    legs, taken = [], threading.Event()

    def hold(s):
        s.recv(65536)
        s.sendall(b"R")
        legs.append(s)
        taken.set()

    with FakeCluster("127.0.34") as fakes:
        fakes.nodes[0].pg.raw = hold
        config = config_for(fakes)
        port = free_port()
        config["listeners"]["write"] |= {"bind": f"{OUTSIDE}:{port}", "keepalive": {"user_timeout": "2s"}}
        with Isari(config) as i:
            i.wait_up("write", ["n1"])
            client_on(OUTSIDE, port)
            assert taken.wait(5)
            ip("-n", HOST, "link", "set", "eth0", "down")
            legs[0].sendall(b"never acknowledged")
            i.wait_log(r"event=session_end .*reason=client_vanished", 10)
            legs[0].settimeout(5)
            with pytest.raises(ConnectionResetError):
                legs[0].recv(1)
