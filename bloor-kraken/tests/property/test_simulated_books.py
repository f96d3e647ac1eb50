"""Windows of the simulated exchange's book, and the money of its account, under anything that can happen to them."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import urlencode
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_kraken.signing import read_credentials
from bloor_kraken.simulated import SimulatedKraken
from bloor_kraken.simulated.windows import Window

INSTRUMENT = Instrument(
    venue="kraken",
    symbol="A-B",
    venue_symbol="A/B",
    base="A",
    quote="B",
    price_decimals=2,
    tick_units=5,
    qty_decimals=3,
)
T0 = 1_700_000_000_000_000_000
#: Bids are at ticks 1 to 30 and asks at 31 to 60; a quantity of 0 removes a level.
LEVELS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), max_size=12)


def digits(text):
    """What the checksum is made of."""
    return text.replace(".", "").lstrip("0")


@given(st.integers(1, 12), st.lists(LEVELS, min_size=1, max_size=15))
def test_a_client_that_cuts_has_the_window(depth, changes):
    """After every message it has the best levels, and the checksum is that of the best ten."""
    book: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}

    def levels(side, limit):
        return sorted(book[side].items(), key=lambda level: -level[0] * side)[:limit]

    window = Window(INSTRUMENT, depth, levels)
    mine = {"bids": {}, "asks": {}}
    frames = [window.snapshot(T0)]
    for change in changes:
        for ticks, units in change:
            side = book[Side.BUY if ticks <= 30 else Side.SELL]
            side[ticks] = units
            if not units:
                del side[ticks]
        frame = window.change(T0)
        frames += [frame] if frame is not None else []
        for frame in frames:
            (data,) = json.loads(frame, parse_float=str, parse_int=str)["data"]
            for name, known in mine.items():
                for level in data[name]:
                    known[level["price"]] = level["qty"]
                kept = [(price, qty) for price, qty in known.items() if Decimal(qty)]
                kept.sort(key=lambda level: Decimal(level[0]), reverse=name == "bids")
                mine[name] = dict(kept[:depth])
            told = "".join(
                digits(text) for name in ("asks", "bids") for level in list(mine[name].items())[:10] for text in level
            )
            assert crc32(told.encode()) == int(data["checksum"])
        frames = []
        for name, side in (("bids", Side.BUY), ("asks", Side.SELL)):
            wanted = [(INSTRUMENT.price(t), INSTRUMENT.qty(u)) for t, u in levels(side, depth)]
            assert [(Decimal(price), Decimal(qty)) for price, qty in mine[name].items()] == wanted


class Trader:
    """A venue and signed requests to it."""

    def __init__(self):
        self.venue = SimulatedKraken(SimulationOptions(seed=4), lambda conn, payload: None)
        self.now = T0
        self.venue.start(T0)
        self.key = read_credentials(self.venue.credentials())
        self.nonce = 0
        self.placed = []

    def run(self, seconds):
        end = self.now + int(seconds * 1e9)
        while self.venue.deadline_ns <= end:
            self.now = max(self.now, self.venue.deadline_ns)
            self.venue.advance(self.now)
        self.now = end

    def post(self, name, **params):
        self.nonce += 1
        body, path = urlencode({"nonce": self.nonce, **params}).encode(), f"/0/private/{name}"
        headers = {key.lower(): value for key, value in self.key.headers(path, self.nonce, body).items()}
        return json.loads(self.venue.request(HttpRequest("POST", path, "", headers, body), self.now).body)

    def price(self, offset):
        book = self.venue.exchange.markets["BTC/USD"].book
        return f"{Decimal(book.bids.best.price + offset) / 10}"

    def place(self, side, kind, volume, offset, flags):
        order = {"pair": "XBTUSD", "type": side, "ordertype": kind, "volume": f"{volume / 1000}", **flags}
        if kind != "market":
            order["price"] = self.price(offset)
        if kind == "stop-loss-limit":
            order["price2"] = self.price(offset - 5)
        self.placed += self.post("AddOrder", **order).get("result", {}).get("txid", [])

    def change(self, number, volume, offset):
        if self.placed:
            txid = self.placed[number % len(self.placed)]
            self.post("AmendOrder", txid=txid, order_qty=f"{volume / 1000}", limit_price=self.price(offset))

    def cancel(self, number):
        if self.placed:
            self.post("CancelOrder", txid=self.placed[number % len(self.placed)])


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("place"), st.sampled_from(["buy", "sell"]),
            st.sampled_from(["limit", "market", "stop-loss", "stop-loss-limit", "take-profit"]),
            st.integers(1, 900), st.integers(-40, 40),
            st.sampled_from([{}, {"oflags": "post"}, {"timeinforce": "IOC"}, {"timeinforce": "FOK"},
                             {"stptype": "cancel-both"}, {"timeinforce": "GTD", "expiretm": "+6"}]),
        ),
        st.tuples(st.just("change"), st.integers(0, 50), st.integers(1, 900), st.integers(-40, 40)),
        st.tuples(st.just("cancel"), st.integers(0, 50)),
        st.tuples(st.just("run"), st.sampled_from([0.2, 1.0, 7.0])),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=30)
@given(STEPS)
def test_balances_are_what_the_fills_say(steps):
    """Of either asset, to the last digit; what is held is what open orders need, and nothing once they are gone."""
    trader = Trader()
    for name, *arguments in steps:
        getattr(trader, name)(*arguments)
    exchange = trader.venue.exchange
    account = exchange.accounts[1]
    held = dict.fromkeys(account.balances, 0)
    for order in exchange.open_orders(1):
        held[order.pay_asset] += order.reserved
    assert {asset: balance.locked for asset, balance in account.balances.items()} == held
    trader.post("CancelAll")
    base, quote = 10 * 10**18, 1_000_000 * 10**18
    for order in exchange.orders.values():
        for fill in order.fills:
            assert fill.fee_asset == "USD"
            base += order.side * fill.units * 10**10
            quote -= order.side * fill.value + fill.fee
    assert (account.balance("BTC").total, account.balance("USD").total) == (base, quote)
    assert not any(balance.locked for balance in account.balances.values())
