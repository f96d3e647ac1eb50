"""bloor venue sim: one line when ready, then it serves until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

VENUE = """
import json
from bloor.hookspecs import SimulatedVenueSpec, hookimpl
from bloor.simulation.venue import HttpAnswer

class Toy:
    deadline_ns = (1 << 63) - 1
    finished = False
    def __init__(self, options, outbox): self.options = options
    def start(self, now_ns): ...
    def opened(self, conn, path, query, now_ns): return False
    def request(self, request, now_ns):
        o = self.options
        said = [o.seed, list(o.symbols), [str(p) for p in o.recordings], o.speed, o.faults, request.path]
        return HttpAnswer(200, json.dumps(said).encode())
    def advance(self, now_ns): ...
    def credentials(self): return {"api_key": "k"}
    def paths(self): return {"rest": "", "streams": "/s", "ws_api": "/w"}

@hookimpl
def bloor_simulated_venue():
    return SimulatedVenueSpec(venue="toy", build=Toy)
"""


@pytest.fixture
def toy(shelf):
    """A venue that answers with its own options."""
    shelf.add("toy", {"toy": "toy_mod"}, {"toy_mod.py": VENUE}, manifest={"toy": "venue:api1"})
    return shelf


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_when_told(toy, stop):
    """The ready line is one JSON document, every option arrives, and a signal ends it with 0."""
    words = "venue sim toy --json --seed 7 --speed 0 --faults none --symbol btc-usdt --data a.gz b.gz --symbol ETH-USDT"
    server = subprocess.Popen(
        [sys.executable, "-m", "bloor", *words.split()],
        env={**os.environ, "PYTHONPATH": str(toy.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ready = json.loads(server.stdout.readline())
        assert ready["ready"] is True and ready["credentials"] == {"api_key": "k"}
        assert ready["streams"] == ready["rest"].replace("http", "ws") + "/s"
        with urllib.request.urlopen(f"{ready['rest']}/x") as answer:
            said = json.load(answer)
        assert said == [7, ["BTC-USDT", "ETH-USDT"], ["a.gz", "b.gz"], 0.0, "none", "/x"]
        server.send_signal(stop)
        out, errors = server.communicate()
    finally:
        server.kill()
        server.communicate()
    assert (server.returncode, out, errors) == (0, "", "")


def test_a_port_that_is_taken_is_one_message(toy):
    """A port in use is no bug and no traceback."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = toy.bloor("venue", "sim", "toy", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ") and "address already in use" in done.stderr.lower()
