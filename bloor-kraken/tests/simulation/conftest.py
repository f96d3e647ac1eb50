"""A simulated Kraken in virtual time, and a client that speaks its protocol without sockets."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_kraken.exact import parsed
from bloor_kraken.signing import read_credentials
from bloor_kraken.simulated import SimulatedKraken

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Client:
    """Drives a venue's core and keeps what it sends.

    Attributes:
        raw: Connection -> what it received, as bytes.
        frames: Connection -> the same, decoded; numbers are text.
        closed: Connections that the venue closed.
    """

    def __init__(self, **options):
        self.raw = {}
        self.frames = {}
        self.closed = set()
        self.now = START
        self.venue = SimulatedKraken(SimulationOptions(**options), self._take)
        self.venue.start(self.now)
        self.key = read_credentials(self.venue.credentials())
        self.nonce = 0
        self.requests = 0

    def _take(self, conn, payload):
        if payload is None:
            self.closed.add(conn)
        else:
            self.raw.setdefault(conn, []).append(payload)
            self.frames.setdefault(conn, []).append(parsed(payload))

    def run(self, seconds):
        """Lets virtual time pass."""
        end = self.now + int(seconds * SECOND)
        while self.venue.deadline_ns <= end:
            self.now = max(self.now, self.venue.deadline_ns)
            self.venue.advance(self.now)
        self.now = end

    def open(self, conn, path="/v2"):
        return self.venue.opened(conn, path, "", self.now)

    def say(self, conn, message):
        """Sends a frame and returns what came back at once."""
        before = len(self.frames.get(conn, []))
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.venue.received(conn, payload, self.now)
        return self.frames.get(conn, [])[before:]

    def subscribe(self, conn, channel, symbol=("BTC/USD",), **params):
        """Subscribes and returns what came back at once: answers and snapshots."""
        if symbol is not None:
            params["symbol"] = list(symbol)
        return self.say(conn, {"method": "subscribe", "params": {"channel": channel, **params}, "req_id": 1})

    def get(self, name, **params):
        """A public REST request; returns the document."""
        request = HttpRequest("GET", f"/0/public/{name}", urlencode(params), {}, b"")
        return parsed(self.venue.request(request, self.now).body)

    def post(self, name, key=None, body=None, headers=None, **params):
        """A signed REST request; returns the document, or the status where there is none."""
        key, path = key or self.key, f"/0/private/{name}"
        self.nonce += 1
        if body is None:
            body = urlencode({"nonce": self.nonce, **params}).encode()
        signed = {k.lower(): v for k, v in key.headers(path, self.nonce, body).items()}
        headers = {"content-type": "application/x-www-form-urlencoded", **signed, **(headers or {})}
        answer = self.venue.request(HttpRequest("POST", path, "", headers, body), self.now)
        return parsed(answer.body) if answer.body else answer.status

    def result(self, name, **params):
        """The result of a signed REST request that must not be refused."""
        document = self.post(name, **params)
        assert document["error"] == [], document
        return document["result"]

    def log_on(self, conn=9, **params):
        """A private connection that listens to executions."""
        self.token = self.result("GetWebSocketsToken")["token"]
        assert self.open(conn, "/auth/v2")
        answer, snapshot = self.subscribe(conn, "executions", None, token=self.token, **params)
        assert answer["success"] is True, answer
        assert snapshot["type"] == "snapshot"
        return conn

    def call(self, method, conn=9, **params):
        """An order request; returns its answer and the rows of executions around it."""
        self.requests += 1
        message = {"method": method, "params": {"token": self.token, **params}, "req_id": self.requests}
        frames = self.say(conn, message)
        (answer,) = (frame for frame in frames if "method" in frame)
        assert answer["req_id"] == str(self.requests)
        return answer, [row for frame in frames if frame.get("channel") == "executions" for row in frame["data"]]

    def place(self, **params):
        """``add_order`` of a limit buy, unless said otherwise."""
        order = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.01} | params
        return self.call("add_order", **{name: value for name, value in order.items() if value is not None})

    def told(self, channel="executions", conn=9):
        """Every row that a connection heard of a channel."""
        return [row for frame in self.frames[conn] if frame.get("channel") == channel for row in frame["data"]]

    def best(self, symbol="BTC/USD"):
        """Best bid and ask in ticks, straight from the book."""
        book = self.venue.exchange.markets[symbol].book
        return book.bids.best.price, book.asks.best.price

    def price(self, ticks, symbol="BTC/USD"):
        """Ticks as a number."""
        return float(self.venue.exchange.markets[symbol].instrument.price(ticks))

    @property
    def low(self):
        """A price at which a buy rests."""
        return self.price(self.best()[0] * 9 // 10)


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
