"""nautilus_trader's backtest with a Python strategy that keeps two orders resting: seconds and events of each run.

``{"do": "data", "file"}`` reads quotes (``ns, bid, ask, bid_size, ask_size``) and trades (``ns, price, size, buys``) of
an ``.npz``; ``{"do": "run"}`` runs over them. The engine's run is timed, not how its data are made.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import QuoteTickDataWrangler, TradeTickDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

INSTRUMENT = TestInstrumentProvider.btcusdt_binance()


class Resting(Strategy):
    """One bid and one ask, a little away from the market; a new one where one is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.events = self.placed = 0
        self.orders: list[Any] = [None, None]

    def on_start(self) -> None:
        """Everything is asked for."""
        self.subscribe_quote_ticks(INSTRUMENT.id)
        self.subscribe_trade_ticks(INSTRUMENT.id)

    def on_trade_tick(self, tick: Any) -> None:
        """Counts."""
        self.events += 1

    def on_quote_tick(self, tick: Any) -> None:
        """Sees to it that both orders are there."""
        self.events += 1
        for number, (order, side) in enumerate(zip(self.orders, (OrderSide.BUY, OrderSide.SELL), strict=True)):
            if order is None or order.is_closed:
                price = tick.bid_price if number == 0 else tick.ask_price
                away = Decimal("0.999") if number == 0 else Decimal("1.001")
                made = self.order_factory.limit(
                    INSTRUMENT.id, side, INSTRUMENT.make_qty(1), INSTRUMENT.make_price(price.as_decimal() * away)
                )
                self.orders[number] = made
                self.placed += 1
                self.submit_order(made)


class Peer:
    """The data, and runs over them."""

    def data(self, file: str) -> dict[str, Any]:
        """Reads them."""
        given = np.load(file)
        quotes, trades = given["quotes"], given["trades"]
        frame = pd.DataFrame(
            {name: quotes[:, n + 1] for n, name in enumerate(("bid_price", "ask_price", "bid_size", "ask_size"))},
            index=pd.to_datetime(given["quote_ns"], utc=True),
        )
        self.ticks = QuoteTickDataWrangler(INSTRUMENT).process(frame)
        frame = pd.DataFrame(
            {
                "price": trades[:, 1], "quantity": trades[:, 2], "trade_id": np.arange(len(trades)).astype(str),
                "buyer_maker": trades[:, 3] == 0,
            },
            index=pd.to_datetime(given["trade_ns"], utc=True),
        )  # fmt: skip
        self.ticks += TradeTickDataWrangler(INSTRUMENT).process(frame)
        return {"events": len(self.ticks)}

    def run(self) -> dict[str, Any]:
        """One run; the engine's part is timed."""
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
        engine.add_venue(
            Venue("BINANCE"), OmsType.NETTING, AccountType.CASH, base_currency=None,
            starting_balances=[Money(10_000_000, USDT), Money(1_000, BTC)], trade_execution=True,
        )  # fmt: skip
        engine.add_instrument(INSTRUMENT)
        engine.add_data(self.ticks)
        strategy = Resting()
        engine.add_strategy(strategy)
        began = process_time()
        engine.run()
        took = process_time() - began
        result = {"seconds": took, "events": strategy.events, "orders": strategy.placed}
        engine.dispose()
        return result


def main() -> None:
    """Answers until the input ends."""
    peer = Peer()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        what = asked.pop("do")
        print(json.dumps(peer.data(**asked) if what == "data" else peer.run()), flush=True)


if __name__ == "__main__":
    main()
