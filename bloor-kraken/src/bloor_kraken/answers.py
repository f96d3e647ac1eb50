"""What Kraken answers to our requests about orders, as reports (sans I/O).

Over the WebSocket the answer to ``cancel_order`` and ``amend_order`` says only that the request was taken; what became
of the order is said by the private stream (:mod:`bloor_kraken.executions`). Over REST nothing else is heard, so there a
taken request is followed by a question. Source: docs.kraken.com, Spot REST "Trading", "Account Data".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from bloor.errors import MoneyError, RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, ReportKind, VenueFill, VenueReport
from bloor_kraken.exact import Number
from bloor_kraken.frames.fields import amount, positive, seconds_ns, wrong
from bloor_kraken.order_requests import MOST_TRADES, Operation
from bloor_kraken.private_rest import Answer
from bloor_kraken.refusals import Refusal
from bloor_kraken.symbols import rest_names

__all__ = ["OrderRow", "PairNames", "order_rows", "queried", "refused", "trade_fills", "trades_seen"]

_OPEN = frozenset({"pending", "open"})
_ENDINGS = {"closed": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED"}
Rows = Mapping[str, Any]


class PairNames:
    """The instruments by whatever REST calls them."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._names = {name: i for i in instruments.values() for name in rest_names(i)}

    def instrument(self, name: Any) -> Instrument | None:
        """The instrument of a name; None of one that is not traded here."""
        return self._names.get(name) if type(name) is str else None


class OrderRow(NamedTuple):
    """An order of an answer.

    Attributes:
        order_id: The venue's id.
        client_id: Ours; empty for an order without.
        instrument: What it trades; None when that is not traded here.
        row: The whole entry.
    """

    order_id: str
    client_id: str
    instrument: Instrument | None
    row: Rows


def order_rows(what: str, rows: Any, names: PairNames) -> Iterator[OrderRow]:
    """The orders of ``{order id: entry}``.

    Raises:
        RemoteProtocolError: It is no such object.
    """
    if type(rows) is not dict:
        raise wrong(what, "result", "an object of orders", rows)
    for order_id, row in rows.items():
        described = row.get("descr") if type(row) is dict else None
        if type(described) is not dict:
            raise wrong(what, order_id, "an order with descr", row)
        client_id = row.get("cl_ord_id") or ""
        if type(client_id) is not str:
            raise wrong(what, f"{order_id}: cl_ord_id", "a text", client_id)
        yield OrderRow(order_id, client_id, names.instrument(described.get("pair")), row)


def queried(order: OrderRow, client_id: str, instrument: Instrument) -> VenueReport:
    """How an order was found.

    Raises:
        RemoteProtocolError: A field is missing or wrong.
    """
    row, what = order.row, f"order {order.order_id}"
    status = row.get("status")
    if status not in _OPEN and status not in _ENDINGS:
        raise wrong(what, "status", f"one of {', '.join(sorted(_OPEN | set(_ENDINGS)))}", status)
    reason = status.upper() if status in _OPEN else f"{_ENDINGS[status]} {row.get('reason') or ''}".strip()
    try:
        done, whole = (instrument.parse_qty(_amount(what, row, name)) for name in ("vol_exec", "vol"))
    except MoneyError as error:
        raise RemoteProtocolError(f"{what}: {error}") from error
    return VenueReport(
        kind=ReportKind.FOUND_OPEN if status in _OPEN else ReportKind.FOUND_CLOSED,
        client_id=client_id,
        venue_symbol=instrument.venue_symbol,
        venue_order_id=order.order_id,
        cumulative_units=done,
        quantity_units=whole,
        reason=f"{reason:.80}",
    )


def trade_fills(client_id: str, rows: Any, names: PairNames) -> list[VenueReport]:
    """The answer to QueryTrades: each is a fill of the order.

    ``fee`` is in the quote asset, as every order asks for by ``fciq``.

    Raises:
        RemoteProtocolError: A field is missing or wrong.
    """
    return [_trade(client_id, trade_id, row, names) for trade_id, row in _objects("QueryTrades", rows).items()]


def _trade(client_id: str, trade_id: str, row: Any, names: PairNames) -> VenueReport:
    what = f"trade {trade_id}"
    if type(row) is not dict:
        raise wrong(what, "result", "an object", row)
    instrument = names.instrument(row.get("pair"))
    if instrument is None:
        raise wrong(what, "pair", "a pair that is traded here", row.get("pair"))
    at_ns = seconds_ns(what, "time", str(row.get("time")))
    try:
        fill = VenueFill(
            trade_id=trade_id,
            price_ticks=instrument.parse_price(positive(what, "price", row.get("price"), str)),
            units=instrument.parse_qty(positive(what, "vol", row.get("vol"), str)),
            fee=Decimal(_amount(what, row, "fee")),
            fee_asset=instrument.quote,
            liquidity=Liquidity.MAKER if row.get("maker") is True else Liquidity.TAKER,
            exch_ns=at_ns,
        )
    except MoneyError as error:
        raise RemoteProtocolError(f"{what}: {error}") from error
    return VenueReport(
        kind=ReportKind.FILL,
        client_id=client_id,
        venue_symbol=instrument.venue_symbol,
        venue_order_id=str(row.get("ordertxid") or ""),
        fill=fill,
        exch_ns=at_ns,
    )


def trades_seen(client_id: str, result: Any, instrument: Instrument) -> VenueReport:
    """The answer to TradesHistory: which orders traded in an instrument; a full page may leave some out.

    Raises:
        RemoteProtocolError: A field is missing or wrong.
    """
    rows = _objects("TradesHistory", _objects("TradesHistory", result).get("trades"))
    names = rest_names(instrument)
    ids = []
    for trade_id, row in rows.items():
        if type(row) is not dict or type(row.get("ordertxid")) is not str:
            raise wrong("TradesHistory", trade_id, "a trade with ordertxid", row)
        if row.get("pair") in names:
            ids.append(row["ordertxid"])
    count = result.get("count")
    whole = len(rows) < MOST_TRADES and (count is None or count == str(len(rows)))
    return VenueReport(
        kind=ReportKind.TRADES_SEEN, client_id=client_id, order_ids=frozenset(ids) if whole else None
    )  # fmt: skip


def refused(operation: Operation, client_id: str, answer: Answer) -> list[VenueReport]:
    """What a refusal says of an order.

    A query that was refused says nothing, but for one of an order that the venue does not know.
    """
    refusal = answer.refusal
    assert refusal is not None

    def report(kind: ReportKind) -> list[VenueReport]:
        return [VenueReport(kind=kind, client_id=client_id, reason=answer.words)]

    if operation is Operation.NEW:
        return report(ReportKind.REJECT if refusal.certain else ReportKind.UNCERTAIN)
    if operation is Operation.CANCEL:
        known = refusal is Refusal.UNKNOWN_ORDER
        return report(ReportKind.CANCEL_REJECT if known else ReportKind.CANCEL_UNCERTAIN)
    if operation is Operation.AMEND:
        return report(ReportKind.REPLACE_REJECT if refusal.certain else ReportKind.REPLACE_UNCERTAIN)
    if operation is Operation.QUERY and refusal is Refusal.UNKNOWN_ORDER:
        return report(ReportKind.NOT_FOUND)
    return []


def _objects(what: str, value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise wrong(what, "result", "an object", value)
    return value


def _amount(what: str, row: Rows, name: str) -> str:
    """A number of REST: as text, or bare."""
    value = row.get(name)
    return amount(what, name, value, Number if type(value) is Number else str)
