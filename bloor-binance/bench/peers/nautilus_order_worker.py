"""nautilus_trader from a frame's bytes to the submission of the order that it causes, as its live node does it.

Its Binance data client decodes each message (``_handle_ws_message``), its live data engine hands the event to a
strategy, which orders at every k-th event; the order passes the live risk engine and the live execution engine to an
execution client that notes the time and does nothing else. The node is its own, under uvloop; only the sockets are not
there: subscriptions answer at once, and the snapshot of the book is the recording's.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from decimal import Decimal
from pathlib import Path
from time import perf_counter_ns
from types import SimpleNamespace
from typing import Any

import msgspec
import nautilus_trader
import uvloop
from nautilus_trader.adapters.binance.common.constants import BINANCE_VENUE
from nautilus_trader.adapters.binance.common.schemas.market import BinanceDepth
from nautilus_trader.adapters.binance.config import BinanceDataClientConfig
from nautilus_trader.adapters.binance.http.client import BinanceHttpClient
from nautilus_trader.adapters.binance.spot.data import BinanceSpotDataClient
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveDataClientConfig,
    LiveExecClientConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.enums import AccountType, BookType, OmsType, OrderSide, TimeInForce
from nautilus_trader.model.identifiers import AccountId, ClientId, InstrumentId, Symbol
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import AccountBalance, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

K, COUNT, PAUSE_S = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
SNAPSHOT, *FRAMES = Path(sys.argv[1]).read_bytes().splitlines()[: COUNT + 1]
ID = InstrumentId(Symbol("BTCUSDT"), BINANCE_VENUE)
INSTRUMENT = CurrencyPair(
    instrument_id=ID, raw_symbol=Symbol("BTCUSDT"), base_currency=BTC, quote_currency=USDT, price_precision=2,
    size_precision=5, price_increment=Price(0.01, 2), size_increment=Quantity(0.00001, 5), ts_event=0, ts_init=0,
    min_quantity=Quantity(0.00001, 5), maker_fee=Decimal("0.001"), taker_fee=Decimal("0.001"),
)  # fmt: skip
done = SimpleNamespace(at=0, orders=0)


class Provider(InstrumentProvider):
    """Knows the one instrument."""

    async def load_all_async(self, filters: dict[str, Any] | None = None) -> None:
        """The one."""
        self.add(INSTRUMENT)


async def nothing(*_: Any, **__: Any) -> None:
    """What a subscription over no socket does."""


class DataFactory(LiveDataClientFactory):
    """The Binance data client, its socket and REST replaced."""

    made: BinanceSpotDataClient

    @staticmethod
    def create(loop, name, config, msgbus, cache, clock):  # noqa: ARG004 (as the node calls it)
        """Makes it."""
        client = BinanceSpotDataClient(
            loop=loop,
            client=BinanceHttpClient(clock=clock, api_key="k", api_secret="s", base_url="http://127.0.0.1:9"),
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=Provider(config=InstrumentProviderConfig(load_all=True)),
            base_url_ws="ws://127.0.0.1:9",
            config=BinanceDataClientConfig(update_instruments_interval_mins=None),
        )
        names = ("subscribe_trades", "subscribe_book_ticker", "subscribe_diff_book_depth", "disconnect")
        client._ws_client = SimpleNamespace(**dict.fromkeys(names, nothing))
        client._http_market = SimpleNamespace(request_order_book_snapshot=snapshot)
        DataFactory.made = client
        return client


async def snapshot(instrument_id, limit, ts_init):  # noqa: ARG001 (as the client calls it)
    """The recording's."""
    data = msgspec.json.decode(SNAPSHOT, type=BinanceDepth)
    return data.parse_to_order_book_snapshot(instrument_id=instrument_id, ts_init=ts_init)


class Submissions(LiveExecutionClient):
    """Notes when an order reaches it."""

    def __init__(self, loop, msgbus, cache, clock) -> None:
        super().__init__(
            loop=loop, client_id=ClientId("BINANCE"), venue=BINANCE_VENUE, oms_type=OmsType.NETTING,
            account_type=AccountType.CASH, base_currency=None, msgbus=msgbus, cache=cache, clock=clock,
            instrument_provider=Provider(config=InstrumentProviderConfig(load_all=True)),
        )  # fmt: skip
        self._set_account_id(AccountId("BINANCE-1"))

    async def _connect(self) -> None:
        await self._instrument_provider.initialize()
        rich = [Money(1_000_000_000, USDT), Money(0, USDT), Money(1_000_000_000, USDT)]
        self.generate_account_state(
            balances=[AccountBalance(*rich)], margins=[], reported=True, ts_event=self._clock.timestamp_ns()
        )

    async def _disconnect(self) -> None:
        pass

    async def _submit_order(self, command) -> None:
        done.at = perf_counter_ns()
        done.orders += 1
        order, now = command.order, self._clock.timestamp_ns()
        self.generate_order_submitted(command.strategy_id, order.instrument_id, order.client_order_id, now)
        self.generate_order_rejected(command.strategy_id, order.instrument_id, order.client_order_id, "no venue", now)


class ExecFactory(LiveExecClientFactory):
    """Makes it."""

    @staticmethod
    def create(loop, name, config, msgbus, cache, clock):  # noqa: ARG004 (as the node calls it)
        """Makes it."""
        return Submissions(loop, msgbus, cache, clock)


class Every(Strategy):
    """Buys at the best bid, or not at all, at every k-th event."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="EVERY-1"))
        self.seen = 0

    def on_start(self) -> None:
        """Everything there is."""
        self.subscribe_trade_ticks(ID)
        self.subscribe_quote_ticks(ID)
        self.subscribe_order_book_deltas(ID, book_type=BookType.L2_MBP)

    def on_trade_tick(self, tick) -> None:
        """A trade."""
        self.count()

    def on_quote_tick(self, tick) -> None:
        """A best bid and offer."""
        self.count()

    def on_order_book_deltas(self, deltas) -> None:
        """A changed book."""
        self.count()

    def count(self) -> None:
        """Orders, or not."""
        self.seen += 1
        if self.seen % K == 0:
            bid = self.cache.order_book(ID).best_bid_price()
            if bid is not None:
                order = self.order_factory.limit(
                    ID, OrderSide.BUY, INSTRUMENT.make_qty(0.0001), INSTRUMENT.make_price(bid),
                    time_in_force=TimeInForce.IOC,
                )  # fmt: skip
                self.submit_order(order)


async def measured(node: TradingNode, strategy: Every) -> dict[str, Any]:
    """Every frame, one after the other, each to the order that it causes or until nothing is left to do."""
    running = asyncio.get_running_loop().create_task(node.run_async())
    while not strategy.is_running:  # noqa: ASYNC110 (once, before anything is measured)
        await asyncio.sleep(0.01)
    for _ in range(50):
        await asyncio.sleep(0.01)
    take = DataFactory.made._handle_ws_message
    times, quiet = [], 0
    gc.collect()
    gc.freeze()
    gc.disable()
    for line in FRAMES:
        if PAUSE_S:
            await asyncio.sleep(PAUSE_S)
        done.at = 0
        payload = bytes(memoryview(line))  # a copy, warm in the cache, as a socket makes it
        began = perf_counter_ns()
        take(payload)
        for _ in range(12):
            await asyncio.sleep(0)
            if done.at:
                break
        if done.at:
            times.append(done.at - began)
        else:
            quiet += 1
        for _ in range(6):
            await asyncio.sleep(0)
    await node.stop_async()
    running.cancel()
    return {"times": times, "quiet": quiet, "seen": strategy.seen, "orders": done.orders}


def main() -> None:
    """Prints the times of the order frames in ns as JSON."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    many = "1000000/00:00:01"
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="ERROR"),
            data_clients={"BINANCE": LiveDataClientConfig()},
            exec_clients={"BINANCE": LiveExecClientConfig()},
            risk_engine=LiveRiskEngineConfig(max_order_submit_rate=many, max_order_modify_rate=many),
            exec_engine=LiveExecEngineConfig(reconciliation=False),
        ),
        loop=loop,
    )
    node.add_data_client_factory("BINANCE", DataFactory)
    node.add_exec_client_factory("BINANCE", ExecFactory)
    strategy = Every()
    node.trader.add_strategy(strategy)
    node.build()
    result = loop.run_until_complete(measured(node, strategy))
    print(json.dumps(result | {"version": nautilus_trader.__version__}))


main()
