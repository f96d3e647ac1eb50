"""Whatever an account does, its money is its fills, and every way of asking tells the same of an order."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_coinbase.signing import read_credentials
from bloor_coinbase.simulated import SimulatedCoinbase

T0 = 1_700_000_000_000_000_000
PREFIX = "/api/v3/brokerage"
PRODUCTS = st.sampled_from(["BTC-USD", "BTC-USDC", "ETH-USD"])
SIDES = st.sampled_from(["BUY", "SELL"])
#: Sizes in units of 1e-8, worth cents to more than the account has.
SIZES = st.integers(1, 20 * 10**8).map(lambda units: f"{Decimal(units).scaleb(-8):f}")
#: How far from the best price of the own side, in ticks.
TICKS = st.integers(-200, 200)
KINDS = st.sampled_from(["limit_limit_gtc", "post_only", "limit_limit_gtd", "limit_limit_fok", "sor_limit_ioc", "stop"])
STEPS = st.one_of(
    st.tuples(st.just("limit"), KINDS, PRODUCTS, SIDES, SIZES, TICKS),
    st.tuples(st.just("market"), PRODUCTS, SIDES, SIZES),
    st.tuples(st.just("spend"), PRODUCTS, st.integers(1, 10**8).map(lambda cents: f"{Decimal(cents) / 100:f}")),
    st.tuples(st.just("edit"), st.integers(0, 50), SIZES, TICKS),
    st.tuples(st.just("cancel"), st.integers(0, 50)),
    st.tuples(st.just("wait"), st.integers(1, 3_000_000_000)),
)


class Account:
    """One account of a new exchange, with all that its user stream said."""

    def __init__(self):
        self.now = T0
        self.frames = []
        self.venue = SimulatedCoinbase(SimulationOptions(seed=2), lambda _conn, raw: self.frames.append(raw))
        self.venue.start(T0)
        self.key = read_credentials(self.venue.credentials())
        self.venue.opened(1, "/user", "", T0)
        token = self.key.token(T0 // 10**9, "aa")
        self.venue.received(1, orjson.dumps({"type": "subscribe", "channel": "heartbeats", "jwt": token}), T0)
        self.venue.received(1, orjson.dumps({"type": "subscribe", "channel": "user", "jwt": token}), T0)
        self.orders = []
        self.start = self.totals()

    def ask(self, method, path, body=None, query=""):
        token = self.key.token(self.now // 10**9, "aa", f"{method} api.coinbase.com{PREFIX}{path}")
        headers = {"authorization": f"Bearer {token}"}
        request = HttpRequest(method, PREFIX + path, query, headers, orjson.dumps(body) if body else b"")
        answer = self.venue.request(request, self.now)
        self.wait(50_000_000)  # below the rate limit
        assert answer.status == 200, answer.body
        return orjson.loads(answer.body)

    def wait(self, ns):
        end = self.now + ns
        while self.venue.deadline_ns <= end:
            self.now = max(self.now, self.venue.deadline_ns)
            self.venue.advance(self.now)
        self.now = end

    def balances(self):
        return {
            one["currency"]: (Decimal(one["available_balance"]["value"]), Decimal(one["hold"]["value"]))
            for one in self.ask("GET", "/accounts")["accounts"]
        }

    def totals(self):
        return {asset: free + held for asset, (free, held) in self.balances().items()}

    def price(self, product, side, ticks):
        book = self.venue.exchange.markets[product.replace("USDC", "USD")].book
        best = book.bids.best if side == "BUY" else book.asks.best
        return f"{Decimal(best.price + ticks) / 100:.2f}"

    def create(self, product, side, configuration):
        body = {"client_order_id": f"c{len(self.orders)} {self.now}", "product_id": product, "side": side,
                "order_configuration": configuration}  # fmt: skip
        answer = self.ask("POST", "/orders", body)
        if answer["success"]:
            self.orders.append(answer["order_id"])

    def step(self, step):
        name = step[0]
        if name == "limit":
            _, kind, product, side, size, ticks = step
            fields = {"base_size": size, "limit_price": self.price(product, side, ticks)}
            if kind == "post_only":
                kind, fields["post_only"] = "limit_limit_gtc", True
            elif kind == "limit_limit_gtd":
                fields["end_time"] = "2023-11-14T22:13:24.5Z"
            elif kind == "stop":
                up = side == "BUY"
                kind = "stop_limit_stop_limit_gtc"
                fields["stop_price"] = self.price(product, side, 5 if up else -5)
                fields["limit_price"] = self.price(product, side, 100 if up else -100)
                fields["stop_direction"] = f"STOP_DIRECTION_STOP_{'UP' if up else 'DOWN'}"
            if kind == "limit_limit_gtd" and self.now > T0 + 4 * 10**9:
                return
            self.create(product, side, {kind: fields})
        elif name == "market":
            self.create(step[1], step[2], {"market_market_ioc": {"base_size": step[3]}})
        elif name == "spend":
            self.create(step[1], "BUY", {"market_market_ioc": {"quote_size": step[2]}})
        elif name == "wait":
            self.wait(step[1])
        elif self.orders:
            number = self.orders[step[1] % len(self.orders)]
            if name == "cancel":
                self.ask("POST", "/orders/batch_cancel", {"order_ids": [number]})
                return
            order = self.ask("GET", f"/orders/historical/{number}")["order"]
            price = self.price(order["product_id"], order["side"], step[3])
            self.ask("POST", "/orders/edit", {"order_id": number, "price": price, "size": step[2]})

    def told(self):
        """Order -> the last step of it on the user stream."""
        last = {}
        for raw in self.frames:
            frame = orjson.loads(raw)
            for event in frame["events"] if frame["channel"] == "user" else ():
                for order in event["orders"]:
                    before = last.get(order["order_id"])
                    assert before is None or Decimal(order["cumulative_quantity"]) >= Decimal(
                        before["cumulative_quantity"]
                    )
                    last[order["order_id"]] = order
        return last


@given(st.lists(STEPS, max_size=12))
def test_money_is_the_fills_and_everybody_tells_the_same(steps):
    """Balances, holds, orders, fills and the user stream agree to the last digit after any sequence of requests."""
    account = Account()
    for step in steps:
        account.step(step)
    fills, query = [], ""
    while True:
        page = account.ask("GET", "/orders/historical/fills", query=f"limit=50{query}")
        fills += page["fills"]
        if not page["cursor"]:
            break
        query = f"&cursor={page['cursor']}"
    # nothing moves any more: what is open is cancelled
    account.ask("POST", "/orders/batch_cancel", {"order_ids": account.orders or ["x"]})
    late = account.ask("GET", "/orders/historical/fills", query="limit=1000")["fills"]
    change, filled, value, fees = (defaultdict(Decimal) for _ in range(4))
    for fill in late:
        base, quote = fill["product_id"].split("-")
        sign, size = (1 if fill["side"] == "BUY" else -1), Decimal(fill["size"])
        worth, fee = size * Decimal(fill["price"]), Decimal(fill["commission"])
        rate = Decimal("0.0025") if fill["liquidity_indicator"] == "TAKER" else Decimal("0.00125")
        assert 0 <= worth * rate - fee < Decimal("1e-8")  # cut to eight decimals
        change[base] += sign * size
        change[quote] -= sign * worth + fee
        filled[fill["order_id"]] += size
        value[fill["order_id"]] += worth
        fees[fill["order_id"]] += fee
    assert len({fill["trade_id"] for fill in late}) == len(late) >= len(fills)
    balances = account.balances()
    assert all(held == 0 for _, held in balances.values())
    for asset, (free, _) in balances.items():
        assert free == account.start[asset] + change[asset] >= 0
    told = account.told()
    for order in account.ask("GET", "/orders/historical/batch")["orders"]:
        number, last = order["order_id"], told[order["order_id"]]
        assert order["status"] == last["status"] in ("FILLED", "CANCELLED", "EXPIRED")
        assert Decimal(order["filled_size"]) == Decimal(last["cumulative_quantity"]) == filled[number]
        assert Decimal(order["filled_value"]) == Decimal(last["filled_value"]) == value[number]
        assert Decimal(order["total_fees"]) == Decimal(last["total_fees"]) == fees[number]
        assert order["average_filled_price"] == last["avg_price"] and last["leaves_quantity"] == "0"
