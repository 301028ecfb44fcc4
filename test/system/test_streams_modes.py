"""Streams change how they are moved at any byte: copied at once, gathered, spliced, and back. Both ends are ours and
check every byte; seeds are printed."""
import os
import random
import resource
import signal
import statistics
import threading
import time

import pytest

from procs import Failure, send, wait_for
from streams import KB, LAWS, MB, Between, descriptors, effort, moved

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
FLIPS = 200


@pytest.fixture(scope="module")
def between(tmp_path_factory):
    print(f"\nSEED={SEED}")
    directory = tmp_path_factory.mktemp("between")
    with Between("127.0.67", str(directory)) as b:
        yield b


@pytest.fixture
def rng(request):
    return random.Random(f"{SEED} {request.node.name}")


def streamed(before, now):
    return sum(now - before) > 0


# ---- every byte, through every change --------------------------------------------------------------------


def flip(pair, rng, isari):
    """One stream, interrupted by a byte of the other direction in its midst or only after it. Did a mode begin?"""
    speaker, hearer = pair.ends(rng.random() < 0.7)
    n, before = rng.randint(400 * KB, 3 * MB), moved(isari)
    hearer.interrupt_within(n, rng.choice((0, 1, 1, 2)))
    speaker.stream(n, rng.choice(("page", "big", "any")))
    hearer.wait_heard(speaker)
    flipped = streamed(before, moved(isari))
    hearer.say(1)
    pair.settle()
    return flipped


@pytest.mark.parametrize("kind", ["postgresql", "tcp"])
def test_modes_are_entered_and_left_at_random_bytes(between, rng, kind):
    flips = rounds = 0
    until = time.monotonic() + 25
    with between.pair(kind, rng.random()) as pair:
        while flips < FLIPS and time.monotonic() < until:
            flips += flip(pair, rng, between.isari)
            rounds += 1
        print(f"{flips} of {rounds} streams had a mode; {pair.client.n_interrupts + pair.server.n_interrupts} bytes "
              f"came in their midst; {(pair.client.heard + pair.server.heard) / MB:.0f} MB")
    assert flips >= FLIPS


def both_at_once(pair, rng, law):
    """Streams in both directions that meet; half of the time one is only a trickle."""
    sizes = [rng.randint(1, 2 * MB), rng.choice((rng.randint(1, 300), rng.randint(1, 2 * MB)))]
    rng.shuffle(sizes)
    threads = [threading.Thread(target=end.stream, args=(n, law, 0.2), daemon=True)
               for end, n in zip((pair.client, pair.server), sizes)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)


def one_way(pair, rng, law):
    speaker, hearer = pair.ends(rng.random() < 0.5)
    n = rng.randint(1, 200 * KB if law == "tiny" else 3 * MB)
    hearer.lazy = rng.choice((0, 0, 0.002, 0.02))
    hearer.interrupt_within(n, rng.choice((0, 0, 1, 5)))
    speaker.stream(n, law, rng.choice((0, 0, 0.05)))
    if rng.random() < 0.7:
        hearer.wait_heard(speaker)


def goodbye(pair, rng):
    """One end says no more while the other is in the midst of its stream; both hear everything, and then the end."""
    first, last = pair.ends(rng.random() < 0.5)
    tail = threading.Thread(target=last.stream, args=(rng.randint(1, 4 * MB), "any"), daemon=True)
    tail.start()
    first.stream(rng.randint(1, 2 * MB), "page")
    first.finish()
    last.wait_eof()
    tail.join(30)
    last.stream(rng.randint(1, MB), "big")
    last.finish()
    first.wait_eof()
    assert (first.heard, last.heard) == (last.said, first.said)


def converse(between, kind, seed, until):
    """Sessions, one after another, until the time is up."""
    rng = random.Random(seed)
    while time.monotonic() < until:
        with between.pair(kind, rng.random(), rng.choice((None, None, 4 * KB, 64 * KB))) as pair:
            for _ in range(rng.randint(1, 8)):
                if time.monotonic() > until:
                    break
                rng.choice((one_way, one_way, both_at_once))(pair, rng, rng.choice(LAWS))
            pair.settle()
            goodbye(pair, rng)


def in_parallel(work):
    """Functions, all at once; what went wrong in any."""
    faults = []

    def run(f):
        try:
            f()
        except (Failure, AssertionError, OSError) as e:
            faults.append(f"{type(e).__name__}: {e}")
    threads = [threading.Thread(target=run, args=(f,), daemon=True) for f in work]
    for t in threads:
        t.start()
    for t in threads:
        t.join(90)
    assert not any(t.is_alive() for t in threads), "a conversation does not end"
    return faults


def test_random_conversations_hear_every_byte_and_the_end(between, rng):
    """Through all kinds of listeners at once; afterwards nothing is left of them, in no worker's pool either."""
    before, until = descriptors(between.isari), time.monotonic() + 3
    kinds = list(Between.KINDS) + ["tcp", "postgresql"]
    assert in_parallel([lambda k=k, s=rng.random(): converse(between, k, s, until) for k in kinds]) == []
    between.wait_over()
    wait_for(lambda: descriptors(between.isari)["socket"] <= before["socket"], 10, "no socket to be left over")
    pipes = descriptors(between.isari)["pipe"] - before["pipe"]
    assert pipes <= 2 * 16 * between.THREADS, "more than 16 pipes per worker"


def test_more_streams_than_pipes_all_arrive(between, rng):
    """Stalled, so that each keeps what it took; then all at once."""
    pairs = [between.pair("tcp", rng.random()) for _ in range(44)]
    try:
        for p in pairs:
            p.client.hold.clear()
        talk = [threading.Thread(target=p.server.stream, args=(12 * MB, "big"), daemon=True) for p in pairs]
        for t in talk:
            t.start()
        between.wait_still()
        for p in pairs:
            p.client.hold.set()
        for t in talk:
            t.join(60)
        for p in pairs:
            p.client.wait_heard(p.server, 60)
    finally:
        for p in pairs:
            p.__exit__()
    between.wait_over()


# ---- nothing is kept back --------------------------------------------------------------------------------


def test_the_last_small_piece_of_a_stream_is_not_kept_back(between, rng):
    """Each stream ends in a piece of any size, and nothing follows it, in neither direction."""
    before, delays = moved(between.isari), []
    with between.pair("tcp", rng.random()) as pair:
        for _ in range(40):
            pair.server.stream(rng.randint(600 * KB, 2 * MB), "page")
            time.sleep(rng.choice((0, 0.0001, 0.0004, 0.002)))
            pair.server.say(rng.choice((1, 5, 6, rng.randint(1, 8 * KB))))
            begun = time.monotonic()
            pair.client.wait_heard(pair.server, 5)
            delays.append(time.monotonic() - begun)
        assert pair.server.heard == 0
    print(f"after the last send: median {statistics.median(delays) * 1e6:.0f} us, longest {max(delays) * 1e3:.1f} ms")
    assert streamed(before, moved(between.isari))
    assert statistics.median(delays) < 1


def answers(pair, n, size):
    for _ in range(n):
        pair.client.say(1)
        pair.server.wait_heard(pair.client)
        pair.server.say(size)
        pair.client.wait_heard(pair.server)


@pytest.mark.parametrize("kind", ["postgresql", "tcp"])
def test_questions_after_a_stream_never_wait(between, rng, kind):
    with between.pair(kind, rng.random()) as pair:
        before = moved(between.isari)
        pair.server.stream(8 * MB, "page")
        pair.client.wait_heard(pair.server)
        assert streamed(before, moved(between.isari))
        before = moved(between.isari)
        answers(pair, 300, 8 * KB)
        answers(pair, 20, 100 * KB)
        assert moved(between.isari) == before


def test_a_listener_that_does_not_gather_does_not(between, rng):
    before = moved(between.isari)
    with between.pair("uncoalesced", rng.random()) as pair:
        for downwards in (True, False):
            speaker, hearer = pair.ends(downwards)
            speaker.stream(16 * MB, "page")
            hearer.wait_heard(speaker)
    assert (moved(between.isari) - before).coalesced == 0


# ---- what a stream costs that does not move --------------------------------------------------------------


def is_calm(between):
    """A second in which no worker works; the bound is far above a timer or two and far below a deadline's polling."""
    spent = effort(between.isari, 1)
    print(f"busiest worker: {spent.cpu_ms:.1f} ms on a CPU, {spent.sleeps} sleeps")
    return spent.cpu_ms < 20 and spent.sleeps < 200


def wait_calm(between):
    """The kernels may find room for some more bytes, now and then, at zero-window probes. Who polls never calms."""
    between.wait_still()
    wait_for(lambda: is_calm(between), 10, "every worker to sleep")


@pytest.mark.parametrize("downwards", [True, False], ids=["client", "server"])
def test_a_stream_whose_reader_stalls_costs_nothing(between, rng, downwards):
    with between.pair("tcp", rng.random()) as pair:
        speaker, hearer = pair.ends(downwards)
        before = moved(between.isari)
        speaker.stream(4 * MB, "page")
        hearer.wait_heard(speaker)
        assert streamed(before, moved(between.isari))
        hearer.hold.clear()
        talk = threading.Thread(target=speaker.stream, args=(150 * MB, "page"), daemon=True)
        talk.start()
        wait_calm(between)
        assert talk.is_alive(), "150 MB are more than all buffers hold"
        hearer.hold.set()
        talk.join(30)
        hearer.wait_heard(speaker)


def test_a_stream_whose_sender_pauses_costs_nothing(between, rng):
    with between.pair("tcp", rng.random()) as pair:
        before = moved(between.isari)
        pair.server.stream(4 * MB, "page")
        pair.client.wait_heard(pair.server)
        assert streamed(before, moved(between.isari))
        wait_calm(between)
        pair.server.stream(4 * MB, "page")
        pair.client.wait_heard(pair.server)


def test_a_pause_of_isari_in_a_stream_loses_nothing(between, rng):
    """Having slept it moves no byte before the server is proven again; what waits then must not be forgotten."""
    i = between.isari
    with between.pair("tcp", rng.random()) as pair, between.pair("tcp", rng.random()) as calm_one:
        talk = [threading.Thread(target=p.server.stream, args=(n * MB, "page"), daemon=True)
                for p, n in ((pair, 400), (calm_one, 2))]
        for t in talk:
            t.start()
        wait_for(lambda: pair.client.heard > 10 * MB, 10, "10 MB", 0.001)
        send([i.p.pid], signal.SIGSTOP)
        time.sleep(2)  # longer than any pause that it forgives itself
        send([i.p.pid], signal.SIGCONT)
        for t in talk:
            t.join(30)
        calm_one.client.wait_heard(calm_one.server)
        pair.client.wait_heard(pair.server)


def test_where_no_pipe_can_be_had_bytes_are_copied(rng, tmp_path):
    """No descriptor is left for one."""
    with Between("127.0.67", str(tmp_path), number=2) as b, b.pair("tcp", rng.random()) as pair:
        pid = b.isari.p.pid
        was = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1, was[1]))
        for downwards in (True, False):
            speaker, hearer = pair.ends(downwards)
            speaker.stream(16 * MB, "big")
            hearer.wait_heard(speaker)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, was)
        grown = moved(b.isari)
        assert grown.spliced == 0 and grown.coalesced > 0


# ---- ends in the midst of a stream -----------------------------------------------------------------------


@pytest.mark.parametrize("downwards", [True, False], ids=["client", "server"])
def test_a_reader_that_resets_in_a_stream_ends_it(between, rng, downwards):
    """Whatever was under way for it: in a buffer, in a pipe, or in the kernel."""
    for stalled in (False, True):
        with between.pair("tcp", rng.random()) as pair:
            speaker, hearer = pair.ends(downwards)

            def talk():
                try:
                    speaker.stream(200 * MB, "big")
                except OSError:
                    pass
            thread = threading.Thread(target=talk, daemon=True)
            thread.start()
            wait_for(lambda: hearer.heard > 4 * MB, 10, "4 MB", 0.001)
            if stalled:
                hearer.hold.clear()
                between.wait_still()
            hearer.reset()
            thread.join(10)
            assert not thread.is_alive(), "the speaker does not hear of it"
        between.wait_over()
    assert between.isari.p.poll() is None


def test_a_sender_that_ends_in_a_stream_has_said_everything(between, rng):
    """No more bytes, no byte in the other direction: the end alone must push out what had gathered."""
    for _ in range(30):
        with between.pair("tcp", rng.random()) as pair:
            speaker, hearer = pair.ends(rng.random() < 0.6)
            speaker.stream(rng.randint(500 * KB, 2 * MB), rng.choice(("page", "any", "big")))
            speaker.finish()
            hearer.wait_heard(speaker)
            hearer.wait_eof()
