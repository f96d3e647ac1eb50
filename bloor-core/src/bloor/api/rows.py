"""Fills, orders and decisions as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from bloor.api.tables import Table
from bloor.engine.decisions import SIZE
from bloor.engine.plan import EnginePlan
from bloor.execution.life import Status
from bloor.execution.order import Order
from bloor.host.replay.difference import Decoder
from bloor.model.orders import Fill, Side
from bloor.observe.session import fill_row

__all__ = ["decision_table", "fill_table", "order_table", "read_fills"]

FILL_COLUMNS = (
    "ts_ns", "recv_ns", "venue", "symbol", "side", "price", "qty", "fee", "fee_asset", "fee_quote", "order", "trade_id",
    "liquidity",
)  # fmt: skip
_MONEY = ("price", "qty", "fee", "fee_quote")
ORDER_COLUMNS = (
    "number", "client_id", "strategy", "venue", "symbol", "side", "type", "tif", "price", "qty", "filled", "status",
    "reason", "created_ns", "sent_ns", "acked_ns", "closed_ns", "venue_order_id",
)  # fmt: skip
DECISION_COLUMNS = (
    "time_ns", "decision", "strategy", "instrument", "side", "type", "tif", "price", "qty", "order", "client_id",
    "code",
)  # fmt: skip


def read_fills(path: Path) -> Table:
    """The lines of a session's ``fills.jsonl``."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return Table([_fill(orjson.loads(line)) for line in lines], FILL_COLUMNS)


def fill_table(fills: Iterable[Fill]) -> Table:
    """Fills as they entered positions, in the columns of ``fills.jsonl``."""
    return Table([_fill(fill_row(fill)) for fill in fills], FILL_COLUMNS)


def _fill(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **{key: Decimal(row[key]) for key in _MONEY}}


def order_table(orders: Iterable[Order], plan: EnginePlan) -> Table:
    """Orders as they are now; 0 where a time has not come."""
    return Table([_order(order, plan) for order in orders], ORDER_COLUMNS)


def _order(order: Order, plan: EnginePlan) -> dict[str, Any]:
    i, request = order.instrument, order.request
    return {
        "number": order.number,
        "client_id": order.client_id,
        "strategy": plan.strategies[order.strategy].name,
        "venue": i.venue,
        "symbol": i.symbol,
        "side": "buy" if request.side is Side.BUY else "sell",
        "type": request.type.name.lower(),
        "tif": request.tif.name.lower(),
        "price": i.price(order.price),
        "qty": i.qty(order.lots * i.lot_units),
        "filled": i.qty(order.filled),
        "status": Status(order.status).name.lower(),
        "reason": order.reason,
        "created_ns": order.created_ns,
        "sent_ns": order.sent_ns,
        "acked_ns": order.acked_ns,
        "closed_ns": order.closed_ns,
        "venue_order_id": order.venue_order_id,
    }


def decision_table(payloads: bytes, plan: EnginePlan, codes: Sequence[str]) -> Table:
    """Decisions, unpacked.

    Args:
        payloads: One after the other.
        plan: The run's plan.
        codes: Texts that a decision may carry as a checksum.
    """
    decoder = Decoder(plan)
    decoder.learn(codes)
    rows = [decoder.decision(payloads[at : at + SIZE]) for at in range(0, len(payloads), SIZE)]
    for row in rows:
        row |= {key: Decimal(row[key]) for key in ("price", "qty") if key in row}
    return Table(rows, DECISION_COLUMNS)
