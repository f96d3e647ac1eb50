"""What the public sees of one market: whole books, changes with a number each, and trades."""

from __future__ import annotations

from typing import Any

import orjson
from bloor.model.orders import Side
from bloor.simulation.exchange import Market, PublicTrade
from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import Outbox

__all__ = ["Publisher"]

_WHOLE = 1_000_000


class Publisher:
    """Tells the subscribers of one market.

    Args:
        market: The market.
        outbox: The way out.
        faults: What frames may meet.

    Attributes:
        listeners: Connections that are subscribed.
        seq: Number of the latest change.
    """

    def __init__(self, market: Market, outbox: Outbox, faults: Faults) -> None:
        self.listeners: set[int] = set()
        self.seq = 0
        self._market = market
        self._outbox = outbox
        self._faults = faults
        self._trades: list[PublicTrade] = []

    def traded(self, trade: PublicTrade) -> None:
        """A trade happened; it goes out before the change that it made."""
        self._trades.append(trade)

    def subscribe(self, conn: int, now_ns: int) -> None:
        """A connection listens from now on, and gets the whole book first."""
        self.publish(now_ns)
        self.listeners.add(conn)
        book = self._market.book
        sides = {side: [(price, units) for price, units in book.depth(side, _WHOLE)] for side in Side}
        self._outbox(conn, self._book(sides, now_ns, snapshot=True))

    def publish(self, now_ns: int) -> None:
        """Sends what happened since the last call."""
        trades, self._trades = self._trades, []
        for trade in trades:
            self._send(self._trade(trade))
        book = self._market.book
        if not book.touched:
            return
        sides: dict[Side, list[tuple[int, int]]] = {side: [] for side in Side}
        for side, price in book.touched:
            sides[side].append((price, book.units_at(side, price)))
        book.touched.clear()
        self.seq += 1
        if not self._faults.happens(Fault.GAP):
            self._send(self._book(sides, now_ns, snapshot=False))

    def _send(self, frame: bytes) -> None:
        twice = self._faults.happens(Fault.DUPLICATE)
        for conn in sorted(self.listeners):
            for _ in range(2 if twice else 1):
                self._outbox(conn, frame)

    def _book(self, sides: dict[Side, list[tuple[int, int]]], now_ns: int, *, snapshot: bool) -> bytes:
        instrument = self._market.instrument

        def texts(side: Side) -> list[list[str]]:
            return [[instrument.format_price(price), instrument.format_qty(units)] for price, units in sides[side]]

        message: dict[str, Any] = {
            "type": "book",
            "symbol": instrument.venue_symbol,
            "snapshot": snapshot,
            "seq": self.seq,
            "time_ns": now_ns,
            "bids": texts(Side.BUY),
            "asks": texts(Side.SELL),
        }
        return orjson.dumps(message)

    def _trade(self, trade: PublicTrade) -> bytes:
        instrument = self._market.instrument
        message = {
            "type": "trade",
            "symbol": instrument.venue_symbol,
            "id": trade.trade_id,
            "price": instrument.format_price(trade.price),
            "qty": instrument.format_qty(trade.units),
            "side": "buy" if trade.aggressor is Side.BUY else "sell",
            "time_ns": trade.ns,
        }
        return orjson.dumps(message)
