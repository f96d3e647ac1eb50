"""What Binance says of orders, as :class:`~bloor.model.orders.VenueReport` (sans I/O).

Sources: binance-spot-api-docs, "WebSocket API: Trading requests", "User Data Stream: executionReport", "Errors".
An order counts as refused only by a code listed here; whatever else goes wrong leaves its outcome unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from bloor.errors import MoneyError, RemoteProtocolError
from bloor.execution.client_id import LENGTH
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, ReportKind, VenueFill, VenueReport
from bloor_binance.order_requests import MOST_TRADES

__all__ = ["answer_reports", "execution_reports", "is_definite_reject", "listed_reports", "trade_reports"]

#: Codes by which a new order was certainly not accepted: filters, limits, signature, parameters, balance.
_DEFINITE = frozenset(
    {-1002, -1003, -1008, -1013, -1015, -1020, -1021, -1022, -1099, -1111, -1112, -1114, -1115, -1116, -1117, -1118,
     -1119, -1120, -1121, -1127, -1128, -1130, -1131, -1134, -1135, -1145, -1151, -2010, -2014, -2015, -2026}
    | set(range(-1108, -1099))
)  # fmt: skip
_OPEN = frozenset({"NEW", "PARTIALLY_FILLED", "PENDING_NEW", "PENDING_CANCEL"})
_MS = 1_000_000

Instruments = Mapping[str, Instrument]


def is_definite_reject(code: int) -> bool:
    """Whether ``code`` says for certain that an order was not accepted."""
    return code in _DEFINITE


def _decimal(text: Any, what: str) -> Decimal:
    try:
        value = Decimal(text) if isinstance(text, str) and len(text) <= 64 else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise RemoteProtocolError(f"{what}: expected a decimal text, got {text!r:.40}")
    return value


def _instrument(instruments: Instruments, symbol: Any) -> Instrument:
    found = instruments.get(symbol) if isinstance(symbol, str) else None
    if found is None:
        raise RemoteProtocolError(f"an order of an instrument that is not traded here: {symbol!r:.40}")
    return found


def _ordered(row: Mapping[str, Any], key: str, instrument: Instrument) -> int:
    """The ordered quantity, where it is said; an order by value has none."""
    return instrument.parse_qty(row[key]) if key in row else -1


def _fill(
    instrument: Instrument, trade_id: Any, price: str, qty: str, fee: Any, asset: Any, maker: bool, ms: int
) -> VenueFill:
    try:
        return VenueFill(
            trade_id=str(trade_id),
            price_ticks=instrument.parse_price(price),
            units=instrument.parse_qty(qty),
            fee=_decimal(fee, "commission"),
            fee_asset=asset if isinstance(asset, str) else "",
            liquidity=Liquidity.MAKER if maker else Liquidity.TAKER,
            exch_ns=ms * _MS,
        )
    except MoneyError as error:
        raise RemoteProtocolError(f"fill {trade_id} of {instrument.venue_symbol}: {error}") from error


def execution_reports(event: Mapping[str, Any], instruments: Instruments) -> Sequence[VenueReport]:
    """An ``executionReport`` of the user data stream.

    A cancel carries its own id in ``c`` and the order's in ``C``; everything else has the order's in ``c``.

    Raises:
        RemoteProtocolError: A field is missing or of the wrong type.
    """
    try:
        kind, status, original = event["x"], event["X"], event["C"]
        client_id = original if kind == "CANCELED" and original not in ("", None) else event["c"]
        instrument = _instrument(instruments, event["s"])
        common: dict[str, Any] = {
            "client_id": client_id,
            "venue_symbol": instrument.venue_symbol,
            "venue_order_id": str(event["i"]),
            "cumulative_units": instrument.parse_qty(event["z"]),
            "quantity_units": _ordered(event, "q", instrument),
            "exch_ns": int(event["T"]) * _MS,
        }
        if kind == "TRADE":
            fill = _fill(instrument, event["t"], event["L"], event["l"], event["n"], event["N"], event["m"], event["T"])
            return (VenueReport(kind=ReportKind.FILL, fill=fill, **common),)
        if kind == "NEW":
            return (VenueReport(kind=ReportKind.ACK, **common),)
        if kind == "CANCELED":
            return (VenueReport(kind=ReportKind.CANCELLED, **common),)
        if kind == "REJECTED":
            return (VenueReport(kind=ReportKind.REJECT, reason=str(event["r"]), **common),)
        if kind in ("EXPIRED", "TRADE_PREVENTION") and status in ("EXPIRED", "EXPIRED_IN_MATCH"):
            reason = str(event.get("eR") or status)
            return (VenueReport(kind=ReportKind.EXPIRED, reason=reason, **common),)
        if kind == "REPLACED":
            return (VenueReport(kind=ReportKind.REPLACED, **common),)
        if kind == "TRADE_PREVENTION":
            return ()
        return (VenueReport(kind=ReportKind.UNCERTAIN, reason=f"execution type {kind!r} is not known", **common),)
    except KeyError as error:
        raise RemoteProtocolError(f"executionReport without the field {error.args[0]!r}") from error
    except (MoneyError, TypeError, ValueError) as error:
        raise RemoteProtocolError(f"executionReport: {error}") from error


def _placed(client_id: str, result: Mapping[str, Any], instrument: Instrument) -> list[VenueReport]:
    order_id, ms = str(result["orderId"]), int(result.get("transactTime", 0))
    common: dict[str, Any] = {
        "client_id": client_id,
        "venue_symbol": instrument.venue_symbol,
        "venue_order_id": order_id,
        "exch_ns": ms * _MS,
    }
    reports = [VenueReport(kind=ReportKind.ACK, **common)]
    for f in result.get("fills", ()):
        fill = _fill(
            instrument, f["tradeId"], f["price"], f["qty"], f["commission"], f["commissionAsset"], False, ms
        )  # what trades before the answer was the taker
        reports.append(VenueReport(kind=ReportKind.FILL, fill=fill, **common))
    status = result.get("status", "NEW")
    if status in ("EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"):
        kind = ReportKind.REJECT if status == "REJECTED" else ReportKind.EXPIRED
        done = instrument.parse_qty(result["executedQty"])
        reports.append(VenueReport(kind=kind, reason=status, cumulative_units=done, **common))
    return reports


def _queried(client_id: str, result: Mapping[str, Any], instrument: Instrument) -> list[VenueReport]:
    status = str(result["status"])
    kind = ReportKind.FOUND_OPEN if status in _OPEN else ReportKind.FOUND_CLOSED
    return [
        VenueReport(
            kind=kind,
            client_id=client_id,
            venue_symbol=instrument.venue_symbol,
            venue_order_id=str(result["orderId"]),
            cumulative_units=instrument.parse_qty(result["executedQty"]),
            quantity_units=_ordered(result, "origQty", instrument),
            reason=status,
            exch_ns=int(result.get("updateTime", 0)) * _MS,
        )
    ]


def listed_reports(rows: Any, instruments: Instruments) -> Sequence[VenueReport]:
    """The answer to ``openOrders``: every order in it was found open.

    Raises:
        RemoteProtocolError: A field is missing or of the wrong type.
    """
    try:
        reports: list[VenueReport] = []
        for row in rows:
            reports += _queried(str(row["clientOrderId"]), row, _instrument(instruments, row["symbol"]))
        return reports
    except (KeyError, MoneyError, TypeError, ValueError) as error:
        raise RemoteProtocolError(f"openOrders: missing or wrong {error}") from error


def trade_reports(client_id: str, rows: Any, instruments: Instruments) -> Sequence[VenueReport]:
    """The answer to ``myTrades`` of one order.

    Raises:
        RemoteProtocolError: A field is missing or of the wrong type.
    """
    try:
        reports = []
        for row in rows:
            i = _instrument(instruments, row["symbol"])
            fill = _fill(
                i, row["id"], row["price"], row["qty"], row["commission"], row["commissionAsset"],
                row["isMaker"], int(row["time"]),
            )  # fmt: skip
            reports.append(
                VenueReport(
                    kind=ReportKind.FILL,
                    client_id=client_id,
                    venue_symbol=i.venue_symbol,
                    venue_order_id=str(row["orderId"]),
                    fill=fill,
                    exch_ns=fill.exch_ns,
                )
            )
        return reports
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteProtocolError(f"myTrades: missing or wrong {error}") from error


def answer_reports(
    action: str, client_id: str, status: int, message: Mapping[str, Any], instruments: Instruments
) -> Sequence[VenueReport]:
    """The answer to one of our requests about an order.

    Args:
        action: ``n`` new, ``c`` cancel, ``r`` cancel and new, ``a`` amend, ``q`` query, ``t`` trades of the order,
            ``s`` trades of the account.
        client_id: Our id of the order; for ``r`` the new order's and the old one's.
        status: The answer's status.
        message: The whole answer.
        instruments: By venue symbol.

    Raises:
        RemoteProtocolError: A field is missing or of the wrong type.
    """
    error = message.get("error") or {}
    try:
        if action == "r":
            parts = message["result"] if status == 200 else error.get("data") or {}
            if status != 200 and "cancelResult" not in parts:
                parts = {}  # of a refusal for too many requests: when to come back
            return _replaced(client_id[:LENGTH], client_id[LENGTH:], status, parts, error, instruments)
        if status != 200:
            return _refused(action, client_id, status, error)
        result = message["result"]
        if action == "t":
            return trade_reports(client_id, result, instruments)
        if action == "s":
            return _seen(client_id, result)
        if action == "a":
            return _amended(client_id, result, instruments)
        instrument = _instrument(instruments, result["symbol"])
        if action == "n":
            return _placed(client_id, result, instrument)
        if action == "q":
            return _queried(client_id, result, instrument)
        return [_cancelled(client_id, result, instrument)]
    except KeyError as error:
        raise RemoteProtocolError(f"answer without the field {error.args[0]!r}") from error
    except (MoneyError, TypeError, ValueError) as error:
        raise RemoteProtocolError(f"answer: {error}") from error


def _cancelled(client_id: str, result: Mapping[str, Any], instrument: Instrument) -> VenueReport:
    return VenueReport(
        kind=ReportKind.CANCELLED,
        client_id=client_id,
        venue_symbol=instrument.venue_symbol,
        venue_order_id=str(result["orderId"]),
        cumulative_units=instrument.parse_qty(result["executedQty"]),
        exch_ns=int(result.get("transactTime", 0)) * _MS,
    )


def _amended(client_id: str, result: Mapping[str, Any], instruments: Instruments) -> Sequence[VenueReport]:
    order = result["amendedOrder"]
    instrument = _instrument(instruments, order["symbol"])
    return (
        VenueReport(
            kind=ReportKind.REPLACED,
            client_id=client_id,
            venue_symbol=instrument.venue_symbol,
            venue_order_id=str(order["orderId"]),
            cumulative_units=instrument.parse_qty(order["executedQty"]),
            quantity_units=instrument.parse_qty(order["qty"]),
            exch_ns=int(result["transactTime"]) * _MS,
        ),
    )


def _seen(client_id: str, rows: Any) -> Sequence[VenueReport]:
    """Which orders traded; an answer that is full may leave some out."""
    ids = frozenset(str(row["orderId"]) for row in rows)
    return (
        VenueReport(
            kind=ReportKind.TRADES_SEEN, client_id=client_id, order_ids=ids if len(rows) < MOST_TRADES else None
        ),
    )


def _replaced(
    new_id: str,
    old_id: str,
    status: int,
    parts: Mapping[str, Any],
    error: Mapping[str, Any],
    instruments: Instruments,
) -> Sequence[VenueReport]:
    """Both parts of a cancel-replace (web-socket-api.md, "Cancel and replace order").

    Without parts neither was tried, or nobody knows. With them each says SUCCESS, FAILURE or NOT_ATTEMPTED, and what
    was answered to it. A cancel that was not carried out is refused in any case: whether the order is still there is
    asked, never assumed.
    """
    if not parts:
        refused = _refused("n", new_id, status, error)
        tried = ReportKind.CANCEL_REJECT if refused[0].kind is ReportKind.REJECT else ReportKind.CANCEL_UNCERTAIN
        return (VenueReport(kind=tried, client_id=old_id, reason=refused[0].reason), *refused)
    reports: list[VenueReport] = []
    answer = parts["cancelResponse"]
    if parts["cancelResult"] == "SUCCESS":
        reports.append(_cancelled(old_id, answer, _instrument(instruments, answer["symbol"])))
    else:
        reports += _refused("c", old_id, status, answer or error)
    answer = parts["newOrderResponse"]
    if parts["newOrderResult"] == "SUCCESS":
        reports += _placed(new_id, answer, _instrument(instruments, answer["symbol"]))
    elif parts["newOrderResult"] == "NOT_ATTEMPTED":
        reason = f"{error.get('code')} not attempted, for the cancel failed"
        reports.append(VenueReport(kind=ReportKind.REJECT, client_id=new_id, reason=reason))
    else:
        reports += _refused("n", new_id, status, answer or error)
    return reports


def _refused(action: str, client_id: str, status: int, error: Mapping[str, Any]) -> Sequence[VenueReport]:
    code = error.get("code")
    reason = f"{code} {error.get('msg', '')}".strip()

    def report(kind: ReportKind) -> Sequence[VenueReport]:
        return (VenueReport(kind=kind, client_id=client_id, reason=reason),)

    if action == "n":
        definite = status < 500 and isinstance(code, int) and is_definite_reject(code)
        return report(ReportKind.REJECT if definite else ReportKind.UNCERTAIN)
    if action == "c":
        return report(ReportKind.CANCEL_REJECT if code == -2011 else ReportKind.CANCEL_UNCERTAIN)
    if action == "a":
        definite = status < 500 and isinstance(code, int) and (code == -2038 or is_definite_reject(code))
        return report(ReportKind.REPLACE_REJECT if definite else ReportKind.REPLACE_UNCERTAIN)
    if action == "q" and code == -2013:
        return report(ReportKind.NOT_FOUND)
    return ()
