"""What is sent to replace and reduce orders, and what the answers mean."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bloor.errors import RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    AmendRequest,
    CancelRequest,
    OrderRequest,
    OrderType,
    ReplaceRequest,
    ReportKind,
    Side,
    TimeInForce,
)
from bloor_binance.order_requests import amendment, replacement, trades
from bloor_binance.reports import answer_reports, execution_reports

BTC = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
    qty_decimals=8, lot_units=1000,
)  # fmt: skip
BY_SYMBOL = {"BTCUSDT": BTC}
NEW_ID, OLD_ID = "B01000100000002", "B01000100000001"
NEW = OrderRequest(
    client_id=NEW_ID, instrument=BTC, side=Side.SELL, type=OrderType.POST_ONLY, tif=TimeInForce.GTC,
    price_ticks=6_000_000, lots=7,
)  # fmt: skip
OLD = CancelRequest(client_id=OLD_ID, venue_order_id="12", instrument=BTC)
PLACED = {"symbol": "BTCUSDT", "orderId": 13, "transactTime": 5, "status": "NEW", "executedQty": "0.0", "fills": []}
GONE = {"symbol": "BTCUSDT", "orderId": 12, "transactTime": 5, "executedQty": "0.00000000"}


def test_a_replacement_stops_when_the_cancel_fails() -> None:
    """One request for both, the old order by the venue's id; ONLY_NEW where both must not fill."""
    params = replacement(ReplaceRequest(old=OLD, new=NEW, only_unfilled=True))
    assert params == {
        "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT_MAKER", "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrderId": 12, "cancelRestrictions": "ONLY_NEW", "quantity": "0.00007000", "price": "60000.00",
        "newClientOrderId": NEW_ID, "newOrderRespType": "FULL",
    }  # fmt: skip
    unknown = CancelRequest(client_id=OLD_ID, venue_order_id="", instrument=BTC)
    params = replacement(ReplaceRequest(old=unknown, new=NEW, only_unfilled=False))
    assert params["cancelOrigClientOrderId"] == OLD_ID
    assert "cancelRestrictions" not in params


def test_a_reduction_keeps_the_client_id() -> None:
    """Without it in the request the venue would make another."""
    assert amendment(AmendRequest(order=OLD, lots=3)) == {
        "symbol": "BTCUSDT", "orderId": 12, "newQty": "0.00003000", "newClientOrderId": OLD_ID,
    }  # fmt: skip


def test_a_search_for_trades_spans_at_most_a_day() -> None:
    """From a second before the order was sent; a window that is too wide would be refused."""
    second = 1_000_000_000
    assert trades(BTC, 10 * second, 12 * second) == {
        "symbol": "BTCUSDT", "startTime": 9_000, "endTime": 12_001, "limit": 1000,
    }  # fmt: skip
    wide = trades(BTC, 10 * second, 200_000 * second)
    assert int(wide["endTime"]) - int(wide["startTime"]) <= 86_400_000


def replaced(status: int, **parts: Any) -> list[tuple[str, ReportKind]]:
    """Which reports an answer to a replacement gives."""
    message: dict[str, Any] = {"result": parts} if status == 200 else {"error": parts}
    reports = answer_reports("r", NEW_ID + OLD_ID, status, message, BY_SYMBOL)
    return [("new" if r.client_id == NEW_ID else "old", r.kind) for r in reports]


CANCELLED = {"cancelResult": "SUCCESS", "cancelResponse": GONE}


def test_both_parts_of_a_replacement() -> None:
    """The old order cancelled, the new one accepted; each with its own id."""
    came = replaced(200, **CANCELLED, newOrderResult="SUCCESS", newOrderResponse=PLACED)
    assert came == [("old", ReportKind.CANCELLED), ("new", ReportKind.ACK)]


@pytest.mark.parametrize(
    ("code", "kind"), [(-2010, ReportKind.REJECT), (-1013, ReportKind.REJECT), (-1007, ReportKind.UNCERTAIN)]
)
def test_cancelled_and_not_placed(code: int, kind: ReportKind) -> None:
    """-2021, status 409: the old order is gone, the new one refused, or of unknown outcome."""
    data = {**CANCELLED, "newOrderResult": "FAILURE", "newOrderResponse": {"code": code, "msg": "text"}}
    assert replaced(409, code=-2021, msg="", data=data) == [("old", ReportKind.CANCELLED), ("new", kind)]


@pytest.mark.parametrize(("code", "kind"), [(-2011, ReportKind.CANCEL_REJECT), (-1007, ReportKind.CANCEL_UNCERTAIN)])
def test_not_cancelled_and_so_not_placed(code: int, kind: ReportKind) -> None:
    """-2022: whether the old order is there is asked; the new one was certainly not placed."""
    data = {
        "cancelResult": "FAILURE", "cancelResponse": {"code": code, "msg": ""}, "newOrderResult": "NOT_ATTEMPTED",
        "newOrderResponse": None,
    }  # fmt: skip
    assert replaced(400, code=-2022, msg="", data=data) == [("old", kind), ("new", ReportKind.REJECT)]


def test_both_parts_failed() -> None:
    """Each has its own refusal."""
    data = {
        "cancelResult": "FAILURE", "cancelResponse": {"code": -2011, "msg": ""}, "newOrderResult": "FAILURE",
        "newOrderResponse": {"code": -2010, "msg": ""},
    }  # fmt: skip
    came = replaced(400, code=-2022, msg="", data=data)
    assert came == [("old", ReportKind.CANCEL_REJECT), ("new", ReportKind.REJECT)]


@pytest.mark.parametrize(
    ("status", "code", "old", "new"),
    [
        (400, -1013, ReportKind.CANCEL_REJECT, ReportKind.REJECT),
        (429, -1003, ReportKind.CANCEL_REJECT, ReportKind.REJECT),
        (400, -1007, ReportKind.CANCEL_UNCERTAIN, ReportKind.UNCERTAIN),
        (503, -1013, ReportKind.CANCEL_UNCERTAIN, ReportKind.UNCERTAIN),
        (0, None, ReportKind.CANCEL_UNCERTAIN, ReportKind.UNCERTAIN),
    ],
)
def test_a_replacement_refused_as_a_whole(status: int, code: int | None, old: ReportKind, new: ReportKind) -> None:
    """A listed code means that neither was tried; anything else that nobody knows of either."""
    error = {} if code is None else {"code": code, "msg": ""}
    assert replaced(status, **error) == [("old", old), ("new", new)]


def test_too_many_requests_is_a_refusal_as_a_whole() -> None:
    """429 has data of another kind: when to come back."""
    came = replaced(429, code=-1003, msg="", data={"serverTime": 5, "retryAfter": 6})
    assert came == [("old", ReportKind.CANCEL_REJECT), ("new", ReportKind.REJECT)]


def test_a_reduction_is_confirmed_with_its_quantity() -> None:
    """By the answer, and by the private stream, whichever comes first."""
    order = {"symbol": "BTCUSDT", "orderId": 12, "qty": "0.00003000", "executedQty": "0.00001000"}
    message = {"result": {"transactTime": 5, "executionId": 3, "amendedOrder": order}}
    (report,) = answer_reports("a", OLD_ID, 200, message, BY_SYMBOL)
    assert (report.kind, report.quantity_units, report.cumulative_units) == (ReportKind.REPLACED, 3000, 1000)
    event = {
        "s": "BTCUSDT", "c": OLD_ID, "C": OLD_ID, "x": "REPLACED", "X": "NEW", "i": 12, "q": "0.00003", "z": "0.00001",
        "T": 5,
    }  # fmt: skip
    (report,) = execution_reports(event, BY_SYMBOL)
    assert (report.kind, report.client_id, report.quantity_units) == (ReportKind.REPLACED, OLD_ID, 3000)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, -2038, ReportKind.REPLACE_REJECT),
        (400, -1013, ReportKind.REPLACE_REJECT),
        (503, -1007, ReportKind.REPLACE_UNCERTAIN),
        (0, None, ReportKind.REPLACE_UNCERTAIN),
    ],
)
def test_a_reduction_that_was_not_confirmed(status: int, code: int | None, kind: ReportKind) -> None:
    """-2038 and listed codes refuse; anything else leaves it unknown."""
    error = {} if code is None else {"code": code, "msg": ""}
    (report,) = answer_reports("a", OLD_ID, status, {"error": error}, BY_SYMBOL)
    assert report.kind is kind


def test_trades_of_the_account_are_told_by_order() -> None:
    """A full answer may leave trades out, and says so."""
    rows = [{"orderId": 5}, {"orderId": 6}, {"orderId": 5}]
    (report,) = answer_reports("s", OLD_ID, 200, {"result": rows}, BY_SYMBOL)
    assert (report.kind, report.order_ids) == (ReportKind.TRADES_SEEN, frozenset({"5", "6"}))
    (report,) = answer_reports("s", OLD_ID, 200, {"result": rows * 334}, BY_SYMBOL)
    assert report.order_ids is None
    assert answer_reports("s", OLD_ID, 503, {"error": {}}, BY_SYMBOL) == ()


@pytest.mark.parametrize(
    ("action", "result"),
    [
        ("r", {"cancelResult": "SUCCESS"}),
        ("r", {**CANCELLED, "newOrderResult": "SUCCESS", "newOrderResponse": None}),
        ("a", {"amendedOrder": {"symbol": "BTCUSDT"}}),
        ("a", None),
        ("s", [{"id": 1}]),
        ("s", None),
    ],
)
def test_broken_answers_are_named_errors(action: str, result: Any) -> None:
    """RemoteProtocolError, never anything else."""
    with pytest.raises(RemoteProtocolError):
        answer_reports(action, NEW_ID + OLD_ID, 200, orjson.loads(orjson.dumps({"result": result})), BY_SYMBOL)
