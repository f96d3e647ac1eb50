"""What Acme says of orders, as :class:`~bloor.model.orders.VenueReport`.

An order counts as refused only by a code that says so for certain; whatever else goes wrong leaves its outcome unknown,
and bloor asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bloor.errors import MoneyError, RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, ReportKind, VenueFill, VenueReport

from bloor_acme.protocol import flag, integer, number, text

__all__ = ["DEFINITE", "answer_reports", "event_reports"]

#: Codes by which a new order was certainly not accepted.
DEFINITE = frozenset(
    {"BAD_ORDER", "DUPLICATE_ID", "NO_FUNDS", "NOT_LOGGED_IN", "TOO_MANY_REQUESTS", "UNKNOWN_SYMBOL", "WOULD_TAKE"}
)

_EVENTS = {"new": ReportKind.ACK, "cancelled": ReportKind.CANCELLED, "expired": ReportKind.EXPIRED}

Instruments = Mapping[str, Instrument]


def event_reports(event: Mapping[str, Any], instruments: Instruments) -> Sequence[VenueReport]:
    """An event of the private stream. Raises RemoteProtocolError."""
    order = _order(event)
    common = _common(order, instruments)
    kind = event.get("event")
    if kind == "fill":
        fill = _fill(event.get("fill"), instruments[common["venue_symbol"]])
        return (VenueReport(kind=ReportKind.FILL, fill=fill, **common),)
    if type(kind) is str and kind in _EVENTS:
        return (VenueReport(kind=_EVENTS[kind], reason=str(event.get("text", "")), **common),)
    return (VenueReport(kind=ReportKind.UNCERTAIN, reason=f"event {kind!r:.40} is not known", **common),)


def answer_reports(answer: Mapping[str, Any], instruments: Instruments) -> Sequence[VenueReport]:
    """The answer to a request about an order. Raises RemoteProtocolError."""
    op, client_id = text("answer", answer, "op"), text("answer", answer, "client_id")
    if not flag("answer", answer, "ok"):
        return _refused(op, client_id, answer)
    order = _order(answer)
    common = _common(order, instruments)
    if op == "place":
        return (VenueReport(kind=ReportKind.ACK, **common),)
    if op == "cancel":
        return (VenueReport(kind=ReportKind.CANCELLED, **common),)
    if op == "query":
        status = text("order", order, "status")
        kind = ReportKind.FOUND_OPEN if status == "open" else ReportKind.FOUND_CLOSED
        return (VenueReport(kind=kind, reason=status, **common),)
    if op == "fills":
        rows = answer.get("fills")
        if type(rows) is not list:
            raise RemoteProtocolError(f"answer: field 'fills': expected a list, got {rows!r:.60}")
        fills = [_fill(row, instruments[common["venue_symbol"]]) for row in rows]
        return [VenueReport(kind=ReportKind.FILL, fill=fill, **common) for fill in fills]
    raise RemoteProtocolError(f"answer: field 'op': expected place, cancel, query or fills, got {op!r}")


def _refused(op: str, client_id: str, answer: Mapping[str, Any]) -> Sequence[VenueReport]:
    code = text("answer", answer, "code")
    kind = {
        "place": ReportKind.REJECT if code in DEFINITE else ReportKind.UNCERTAIN,
        "cancel": ReportKind.CANCEL_REJECT if code == "NOT_OPEN" else ReportKind.CANCEL_UNCERTAIN,
        "query": ReportKind.NOT_FOUND if code == "NOT_FOUND" else None,
    }.get(op)
    if kind is None:
        return ()  # a question that was not answered is asked again
    return (VenueReport(kind=kind, client_id=client_id, reason=f"{code} {answer.get('text', '')}".strip()),)


def _order(message: Mapping[str, Any]) -> Mapping[str, Any]:
    order = message.get("order")
    if type(order) is not dict:
        raise RemoteProtocolError(f"field 'order': expected an object, got {order!r:.60}")
    return order


def _common(order: Mapping[str, Any], instruments: Instruments) -> dict[str, Any]:
    symbol = text("order", order, "symbol")
    if symbol not in instruments:
        raise RemoteProtocolError(f"an order of an instrument that is not traded here: {symbol!r}")
    instrument = instruments[symbol]
    try:
        return {
            "client_id": text("order", order, "client_id"),
            "venue_symbol": symbol,
            "venue_order_id": text("order", order, "id"),
            "cumulative_units": instrument.parse_qty(number("order", order, "filled")),
            "quantity_units": instrument.parse_qty(number("order", order, "qty")),
            "exch_ns": integer("order", order, "time_ns"),
        }
    except MoneyError as error:
        raise RemoteProtocolError(f"order: {error}") from error


def _fill(row: Any, instrument: Instrument) -> VenueFill:
    if type(row) is not dict:
        raise RemoteProtocolError(f"field 'fill': expected an object, got {row!r:.60}")
    try:
        return VenueFill(
            trade_id=str(integer("fill", row, "id")),
            price_ticks=instrument.parse_price(number("fill", row, "price", positive=True)),
            units=instrument.parse_qty(number("fill", row, "qty", positive=True)),
            fee=Decimal(number("fill", row, "fee")),
            fee_asset=text("fill", row, "fee_asset"),
            liquidity=Liquidity.MAKER if flag("fill", row, "maker") else Liquidity.TAKER,
            exch_ns=integer("fill", row, "time_ns"),
        )
    except MoneyError as error:
        raise RemoteProtocolError(f"fill of {instrument.venue_symbol}: {error}") from error
