"""A simulated Binance in virtual time, and a client that speaks its protocol without sockets."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest

from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_binance.signing import read_credentials
from bloor_binance.simulated import SimulatedBinance

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Client:
    """Drives a venue's core and keeps what it sends.

    Attributes:
        frames: Connection -> what it received, decoded.
        closed: Connections that the venue closed.
    """

    def __init__(self, **options):
        self.raw = {}
        self.frames = {}
        self.closed = set()
        self.now = START
        self.venue = SimulatedBinance(SimulationOptions(**options), self._take)
        self.venue.start(self.now)
        keys = self.venue.credentials()
        self.ed25519 = read_credentials({"ed25519": keys["ed25519"]})
        self.hmac = read_credentials({"hmac": keys["hmac"]})

    def _take(self, conn, payload):
        if payload is None:
            self.closed.add(conn)
        else:
            self.raw.setdefault(conn, []).append(payload)
            self.frames.setdefault(conn, []).append(orjson.loads(payload))

    @property
    def ms(self):
        return self.now // 1_000_000

    def run(self, seconds):
        """Lets virtual time pass."""
        end = self.now + int(seconds * SECOND)
        while self.venue.deadline_ns <= end:
            self.now = max(self.now, self.venue.deadline_ns)
            self.venue.advance(self.now)
        self.now = end

    def open(self, conn, path, query=""):
        return self.venue.opened(conn, path, query, self.now)

    def say(self, conn, message):
        """Sends a frame and returns what came back at once."""
        before = len(self.frames.get(conn, []))
        payload = message if isinstance(message, bytes) else orjson.dumps(message)
        self.venue.received(conn, payload, self.now)
        return self.frames.get(conn, [])[before:]

    def call(self, conn, method, **params):
        """A WebSocket API request; returns its answer and the events that followed."""
        answer, *events = self.say(conn, {"id": "1", "method": method, "params": params})
        return answer, [event["event"] for event in events]

    def get(self, path, method="GET", headers=None, body=b"", **params):
        """A REST request; returns status and document."""
        request = HttpRequest(method, path, urlencode(params), headers or {}, body)
        answer = self.venue.request(request, self.now)
        return answer.status, orjson.loads(answer.body or b"null")

    def signed(self, path, method="GET", key=None, **params):
        """A signed REST request."""
        key = key or self.hmac
        query = urlencode({"timestamp": self.ms, **params})
        query += "&" + urlencode({"signature": key.sign(query.encode())})
        request = HttpRequest(method, path, query, {"x-mbx-apikey": key.api_key}, b"")
        answer = self.venue.request(request, self.now)
        return answer.status, orjson.loads(answer.body)

    def log_on(self, conn=9):
        """A WebSocket API connection, logged on and subscribed to user data."""
        assert self.open(conn, "/ws-api/v3")
        answer, _ = self.call(conn, "session.logon", **self.ed25519.signed({"timestamp": self.ms}))
        assert answer["status"] == 200, answer
        answer, _ = self.call(conn, "userDataStream.subscribe")
        assert answer["result"] == {"subscriptionId": 0}
        return conn

    def place(self, conn=9, **params):
        """``order.place`` of a limit buy, unless said otherwise."""
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01000"}
        order |= {"timestamp": self.ms} | params
        order = {name: value for name, value in order.items() if value is not None}
        return self.call(conn, "order.place", **order)

    def best(self, symbol="BTCUSDT"):
        """Best bid and ask as texts."""
        _, ticker = self.get("/api/v3/ticker/bookTicker", symbol=symbol)
        return ticker["bidPrice"], ticker["askPrice"]


@pytest.fixture(scope="session")
def trading():
    """What tests of trading share: the module ``trading.py`` beside this file."""
    spec = importlib.util.spec_from_file_location("trading", Path(__file__).parent / "trading.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def client():
    """A seeded exchange, one second after it opened."""
    client = Client()
    client.run(1)
    return client


@pytest.fixture
def make_client():
    """Makes an exchange of other options."""
    return Client
