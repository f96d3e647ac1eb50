"""A simulated Coinbase in virtual time, and a client that speaks its protocol without sockets."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from urllib.parse import urlencode

import orjson
import pytest

from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_coinbase.signing import CoinbaseCredentials
from bloor_coinbase.simulated import SimulatedCoinbase

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
PREFIX = "/api/v3/brokerage"


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
        self.numbers = count(1)
        self.venue = SimulatedCoinbase(SimulationOptions(**options), self._take)
        self.venue.start(self.now)
        keys = self.venue.keys
        self.main, self.ed25519, self.viewer = (
            CoinbaseCredentials(key_name=key.name, private_key=key.private)
            for key in (keys.main, keys.ed25519, keys.viewer)
        )

    def _take(self, conn, payload):
        if payload is None:
            self.closed.add(conn)
        else:
            self.raw.setdefault(conn, []).append(payload)
            self.frames.setdefault(conn, []).append(orjson.loads(payload))

    @property
    def now_s(self):
        return self.now // SECOND

    def run(self, seconds):
        """Lets virtual time pass."""
        end = self.now + int(seconds * SECOND)
        while self.venue.deadline_ns <= end:
            self.now = max(self.now, self.venue.deadline_ns)
            self.venue.advance(self.now)
        self.now = end

    # -- streams

    def open(self, conn=1, path="/"):
        return self.venue.opened(conn, path, "", self.now)

    def say(self, conn, message):
        """Sends a frame and returns what came back at once."""
        before = len(self.frames.get(conn, []))
        payload = message if isinstance(message, bytes) else orjson.dumps(message)
        self.venue.received(conn, payload, self.now)
        return self.frames.get(conn, [])[before:]

    def subscribe(self, conn, channel, *products, kind="subscribe", **more):
        """A subscription of one channel."""
        message = {"type": kind, "channel": channel, **more}
        return self.say(conn, message | ({"product_ids": list(products)} if products else {}))

    def follow(self, conn=9):
        """A connection that follows the account, as the official client makes it."""
        assert self.open(conn, "/user")
        for channel in ("heartbeats", "user"):
            self.subscribe(conn, channel, jwt=self.main.token(self.now_s, "aa"))
        self.run(0.03)
        return conn

    def of(self, channel, conn=1):
        """The frames of a channel."""
        return [frame for frame in self.frames.get(conn, []) if frame.get("channel") == channel]

    def steps(self, conn=9):
        """Every order that the channel ``user`` told in an update, as it was told."""
        events = [event for frame in self.of("user", conn) for event in frame["events"]]
        return [order for event in events if event["type"] == "update" for order in event["orders"]]

    # -- REST

    def public(self, path, **params):
        """A public request; returns status and document."""
        return self.request("GET", path, None, key=None, **params)

    def request(self, method, path, body=None, *, key="main", token=None, headers=None, **params):
        """A signed request; returns status and document (text where it is none)."""
        path = path if path.startswith("/v2") else PREFIX + path
        sent = {"host": "127.0.0.1:80", **(headers or {})}
        if key is not None:
            signer = self.main if key == "main" else key
            sent["authorization"] = "Bearer " + (
                token or signer.token(self.now_s, "aa", f"{method} 127.0.0.1:80{path}")
            )
        http = HttpRequest(method, path, urlencode(params, doseq=True), sent, orjson.dumps(body) if body else b"")
        self.answer = self.venue.request(http, self.now)
        try:
            return self.answer.status, orjson.loads(self.answer.body)
        except orjson.JSONDecodeError:
            return self.answer.status, self.answer.body.decode()

    def place(self, kind="limit_limit_gtc", side="BUY", product="BTC-USD", client_id=None, **fields):
        """``POST /orders``; returns the answer."""
        if kind.startswith(("limit", "sor", "stop")):
            fields = {"base_size": "0.01", **fields}
            if "limit_price" not in fields:
                fields["limit_price"] = self.low()
        fields = {name: value for name, value in fields.items() if value is not None}
        body = {
            "client_order_id": client_id or f"c{next(self.numbers)}",
            "product_id": product,
            "side": side,
            "order_configuration": {kind: fields},
        }
        status, answer = self.request("POST", "/orders", body)
        assert status == 200, answer
        return answer

    def placed(self, *args, **fields):
        """``POST /orders`` of an order that is accepted; returns its id."""
        answer = self.place(*args, **fields)
        assert answer["success"], answer
        return answer["order_id"]

    def reason(self, *args, **fields):
        """``POST /orders`` of an order that is refused; returns why."""
        answer = self.place(*args, **fields)
        assert answer["success"] is False
        return answer["error_response"]["error"], answer["error_response"]["preview_failure_reason"]

    def order(self, number):
        """An order as REST tells it."""
        status, answer = self.request("GET", f"/orders/historical/{number}")
        assert status == 200, answer
        return answer["order"]

    def cancel(self, *numbers):
        """``POST /orders/batch_cancel``; returns ``(success, reason)`` of each."""
        status, answer = self.request("POST", "/orders/batch_cancel", {"order_ids": list(numbers)})
        assert status == 200, answer
        return [(result["success"], result["failure_reason"]) for result in answer["results"]]

    def balances(self):
        """Asset -> ``(available, hold)``."""
        _, answer = self.request("GET", "/accounts")
        return {
            one["currency"]: (Decimal(one["available_balance"]["value"]), Decimal(one["hold"]["value"]))
            for one in answer["accounts"]
        }

    def best(self, product="BTC-USD"):
        """Best bid and ask."""
        _, answer = self.public("/market/product_book", product_id=product, limit=1)
        book = answer["pricebook"]
        return Decimal(book["bids"][0]["price"]), Decimal(book["asks"][0]["price"])

    def low(self, share="0.9", product="BTC-USD"):
        """A share of the best bid, as text on the price increment."""
        return str((self.best(product)[0] * Decimal(share)).quantize(Decimal("0.01")))


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
