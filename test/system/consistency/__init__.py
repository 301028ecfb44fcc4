"""Does the way through the proxy lose an acknowledged write, or let an old primary acknowledge one?

Clients append through the proxy (clients.py) while something happens (events.py); two oracles look at the
cluster beside it (oracles.py); all that was seen is one history (history.py), and a pure function says
what was wrong with it (judge.py). stage.py puts a run together; contenders.py knows isari and HAProxy.

`make system T=consistency` runs every event; RUNS=, EVENTS=, MODES=async,sync and TTLS=20,30 choose.
"""
