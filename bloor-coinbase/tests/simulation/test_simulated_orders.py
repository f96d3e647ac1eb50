"""Orders: every kind, every refusal, edits, cancels, and what they do to the money."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bloor_coinbase.simulated.words import stamp

SECOND = 1_000_000_000
FEE = Decimal("0.0025")


def test_an_order_rests_and_holds_its_cost(client):
    """With the higher commission on top; a cancel gives it back."""
    before = client.balances()["USD"]
    number = client.placed(limit_price="50000.00", post_only=True)
    order = client.order(number)
    assert (order["status"], order["order_type"], order["time_in_force"]) == ("OPEN", "LIMIT", "GOOD_UNTIL_CANCELLED")
    assert order["outstanding_hold_amount"] == "501.25"
    assert client.balances()["USD"] == (before[0] - Decimal("501.25"), Decimal("501.25"))
    assert client.cancel(number) == [(True, "UNKNOWN_CANCEL_FAILURE_REASON")]
    order = client.order(number)
    assert (order["status"], order["cancel_message"]) == ("CANCELLED", "User requested cancel")
    assert client.balances()["USD"] == before


def test_cancels_tell_why_not(client):
    """Each order of a batch has its own result."""
    resting, filled = client.placed(), client.placed("market_market_ioc", base_size="0.01")
    assert client.cancel(resting, filled, "x", resting) == [
        (True, "UNKNOWN_CANCEL_FAILURE_REASON"),
        (False, "ORDER_IS_FULLY_FILLED"),
        (False, "UNKNOWN_CANCEL_ORDER"),
        (False, "DUPLICATE_CANCEL_REQUEST"),
    ]
    assert client.request("POST", "/orders/batch_cancel", {"order_ids": []})[0] == 400
    assert client.request("POST", "/orders/batch_cancel", {"order_ids": ["x"] * 101})[0] == 400


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_market_order_fills_and_settles_exactly(client, side):
    """Money moves by the fills and their commissions, to the last digit."""
    before = client.balances()
    number = client.placed("market_market_ioc", side, base_size="0.5")
    order = client.order(number)
    assert (order["status"], order["filled_size"], order["completion_percentage"]) == ("FILLED", "0.5", "100")
    _, answer = client.request("GET", "/orders/historical/fills", order_ids=number)
    fills = answer["fills"]
    value = sum(Decimal(fill["price"]) * Decimal(fill["size"]) for fill in fills)
    fees = sum(Decimal(fill["commission"]) for fill in fills)
    assert len(fills) == int(order["number_of_fills"]) and value == Decimal(order["filled_value"])
    assert fees == Decimal(order["total_fees"]) and value * FEE - fees < len(fills) * Decimal("1e-8")
    after, sign = client.balances(), 1 if side == "BUY" else -1
    assert after["BTC"][0] - before["BTC"][0] == sign * Decimal("0.5")
    assert after["USD"][0] - before["USD"][0] == -sign * value - fees
    assert after["USD"][1] == after["BTC"][1] == 0
    total = value + fees if side == "BUY" else value - fees
    assert Decimal(order["total_value_after_fees"]) == total


def test_a_market_purchase_by_amount_spends_at_most_that(client):
    """Commission included."""
    number = client.placed("market_market_ioc", quote_size="1000")
    order = client.order(number)
    assert order["size_in_quote"] and order["size_inclusive_of_fees"]
    spent = Decimal(order["total_value_after_fees"])
    assert Decimal("999.99") < spent <= 1000
    refused = client.reason("market_market_ioc", "SELL", quote_size="1000")
    assert refused == ("INVALID_REQUEST", "PREVIEW_INVALID_ORDER_CONFIG")


def test_a_limit_by_amount(client):
    """The quantity is what the amount buys at the limit."""
    number = client.placed(base_size=None, quote_size="1000", limit_price="50000")
    assert client.order(number)["outstanding_hold_amount"] == "1002.5"
    refused = edit(client, number, "51000", "0.01")
    assert refused["errors"][0]["edit_failure_reason"] == "SIZE_IN_QUOTE_EDITS_NOT_ALLOWED"


def test_immediate_or_cancel_takes_what_is_there(client):
    """The rest is cancelled at once; out of reach, all of it."""
    ask = client.best()[1]
    (level, *_) = client.public("/market/product_book", product_id="BTC-USD")[1]["pricebook"]["asks"]
    size = Decimal(level["size"]) + 1
    number = client.placed("sor_limit_ioc", base_size=f"{size:f}", limit_price=str(ask))
    order = client.order(number)
    assert (order["status"], Decimal(order["filled_size"])) == ("CANCELLED", Decimal(level["size"]))
    assert client.order(client.placed("sor_limit_ioc"))["status"] == "CANCELLED"
    assert client.balances()["USD"][1] == 0


def test_fill_or_kill_is_all_or_nothing(client):
    """In the book as it is."""
    ask = client.best()[1]
    big = client.placed("limit_limit_fok", base_size="9", limit_price=str(ask))
    assert (client.order(big)["status"], client.order(big)["filled_size"]) == ("CANCELLED", "0")
    small = client.placed("limit_limit_fok", base_size="0.01", limit_price=str(ask + 100))
    assert client.order(small)["status"] == "FILLED"


def test_an_order_good_until_a_time_expires_then(client):
    """To the moment, with its money back; one that ended before stays as it ended."""
    ends = stamp(client.now + 2 * SECOND)
    number = client.placed("limit_limit_gtd", end_time=ends)
    other = client.placed("limit_limit_gtd", end_time=ends)
    client.cancel(other)
    client.run(1.9)
    assert client.order(number)["status"] == "OPEN"
    client.run(0.2)
    order = client.order(number)
    assert (order["status"], order["last_update_time"]) == ("EXPIRED", ends)
    assert client.order(other)["status"] == "CANCELLED"
    assert client.balances()["USD"][1] == 0


def test_a_stop_waits_for_its_price_and_then_trades(client):
    """It is open while it waits, and says whether it was triggered."""
    ask = client.best()[1]
    stop = ask + 1
    fields = {"stop_price": str(stop), "limit_price": str(stop + 1000), "stop_direction": "STOP_DIRECTION_STOP_UP"}
    number = client.placed("stop_limit_stop_limit_gtc", **fields)
    order = client.order(number)
    assert (order["status"], order["order_type"], order["trigger_status"]) == ("OPEN", "STOP_LIMIT", "STOP_PENDING")
    while client.order(number)["trigger_status"] == "STOP_PENDING":
        client.placed("market_market_ioc", base_size="0.5")
    order = client.order(number)
    assert (order["status"], order["trigger_status"]) == ("FILLED", "STOP_TRIGGERED")


@pytest.mark.parametrize(
    ("side", "stop", "limit", "direction", "reason"),
    [
        ("SELL", "1.1", "1.0", "DOWN", "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE"),
        ("BUY", "0.9", "1.2", "UP", "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE"),
        ("BUY", "1.1", "1.0", "UP", "PREVIEW_STOP_PRICE_ABOVE_LIMIT_PRICE"),
        ("SELL", "0.9", "0.95", "DOWN", "PREVIEW_STOP_PRICE_BELOW_LIMIT_PRICE"),
    ],
)
def test_a_stop_on_the_wrong_side_is_refused(client, side, stop, limit, direction, reason):
    """Of the last price, or of its limit."""
    fields = {"stop_price": client.low(stop), "limit_price": client.low(limit)}
    direction = f"STOP_DIRECTION_STOP_{direction}"
    refused = client.reason("stop_limit_stop_limit_gtc", side, stop_direction=direction, **fields)
    assert refused == ("UNKNOWN_FAILURE_REASON", reason)


# -- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "reason", "preview"),
    [
        ({"limit_price": "50000.001"}, "INVALID_PRICE_PRECISION", ""),
        ({"base_size": "0.000000001"}, "INVALID_SIZE_PRECISION", ""),
        ({"base_size": "0"}, "INVALID_REQUEST", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
        ({"base_size": "100000"}, "INVALID_REQUEST", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
        ({"base_size": "0.00001"}, "INVALID_REQUEST", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
        ({"limit_price": "0"}, "INVALID_LIMIT_PRICE", ""),
        ({"limit_price": "200000"}, "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_BUY", ""),
        ({"limit_price": "61000", "post_only": True}, "INVALID_LIMIT_PRICE_POST_ONLY", ""),
        ({"base_size": "100"}, "INSUFFICIENT_FUND", ""),
        ({"quote_size": "10"}, "INVALID_REQUEST", "PREVIEW_INVALID_ORDER_CONFIG"),
        ({"base_size": None}, "INVALID_REQUEST", "PREVIEW_INVALID_ORDER_CONFIG"),
        ({"base_size": None, "quote_size": "10.001"}, "INVALID_SIZE_PRECISION", "PREVIEW_INVALID_QUOTE_SIZE_PRECISION"),
        ({"product": "NO-USD"}, "INVALID_PRODUCT_ID", ""),
        ({"side": "HOLD"}, "INVALID_SIDE", ""),
        ({"kind": "twap_limit_gtd"}, "UNSUPPORTED_ORDER_CONFIGURATION", ""),
        ({"kind": "market_market_fok"}, "UNSUPPORTED_ORDER_CONFIGURATION", ""),
        (
            {"kind": "limit_limit_gtd", "end_time": "2001-01-01T00:00:00Z"},
            "INVALID_REQUEST",
            "PREVIEW_INVALID_END_TIME",
        ),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_with_its_reason(client, fields, reason, preview):
    """With status 200 and success false; nothing is held."""
    assert client.reason(**fields) == (reason, preview or f"PREVIEW_{reason}")
    assert client.balances()["USD"][1] == 0


LIMIT_FIELDS = ("base_size", "limit_price", "post_only", "end_time")


@pytest.mark.parametrize(
    "body",
    [
        {"client_order_id": ""},
        {"client_order_id": 5},
        {"order_configuration": None},
        {"order_configuration": {}},
        {"order_configuration": {"limit_limit_gtc": []}},
        {"order_configuration": {"nothing": {}}},
        {"order_configuration": {"limit_limit_gtc": {"base_size": 0.01, "limit_price": "50000"}}},
        {"order_configuration": {"limit_limit_gtc": {"base_size": "1e5", "limit_price": "50000"}}},
        {"order_configuration": {"limit_limit_gtc": {"base_size": "1", "limit_price": "5", "post_only": "yes"}}},
        {"order_configuration": {"limit_limit_gtd": {"base_size": "1", "limit_price": "5", "end_time": "soon"}}},
    ],
)
def test_a_body_that_is_no_order_is_a_bad_request(client, body):
    """Status 400 and what was expected."""
    whole = {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
             "order_configuration": {"limit_limit_gtc": {"base_size": "0.01", "limit_price": "50000"}}}  # fmt: skip
    status, answer = client.request("POST", "/orders", whole | body)
    assert (status, answer["error"]) == (400, "INVALID_ARGUMENT")
    assert answer["message"].partition(":")[0].partition(".")[0] in {*whole, *LIMIT_FIELDS}


def test_a_client_order_id_is_used_once(client):
    """The same order again is the one that is there; another one is refused."""
    price = client.low()
    first = client.placed(limit_price=price, client_id="mine")
    assert client.placed(limit_price=price, client_id="mine") == first
    assert client.reason(limit_price=price, base_size="0.02", client_id="mine")[0] == "DUPLICATE_CLIENT_ORDER_ID"
    _, answer = client.request("GET", "/orders/historical/batch")
    assert [order["order_id"] for order in answer["orders"]] == [first]


def test_an_account_does_not_trade_with_itself(client):
    """Both orders lose the smaller quantity, without a trade; who has nothing left ends."""
    client.follow()
    price = str(client.best()[1] - Decimal("0.01"))
    resting = client.placed(limit_price=price, base_size="5")
    _, answer = client.public("/market/product_book", product_id="BTC-USD", limit=1)
    ahead = Decimal(answer["pricebook"]["bids"][0]["size"]) - 5
    taker = client.placed("sor_limit_ioc", "SELL", limit_price=price, base_size=f"{ahead + 2:f}")
    assert (client.order(taker)["status"], Decimal(client.order(taker)["filled_size"])) == ("CANCELLED", ahead)
    left = [step["leaves_quantity"] for step in client.steps() if step["order_id"] == resting]
    assert (client.order(resting)["status"], client.order(resting)["filled_size"], left[-1]) == ("OPEN", "0", "3")
    client.placed("sor_limit_ioc", "SELL", limit_price=price, base_size="3")
    assert (client.order(resting)["status"], client.order(resting)["filled_size"]) == ("CANCELLED", "0")
    assert client.balances()["BTC"][1] == client.balances()["USD"][1] == 0


# -- edits ---------------------------------------------------------------------------------------------------------


def edit(client, number, price=None, size=None, **more):
    """``POST /orders/edit``; returns the answer."""
    body = {"order_id": number, "price": price, "size": size, **more}
    status, answer = client.request("POST", "/orders/edit", {k: v for k, v in body.items() if v is not None})
    assert status == 200
    return answer


def test_an_edit_changes_price_and_size_under_the_same_id(client):
    """Less at the same price keeps its place; anything else comes to the book anew."""
    number = client.placed(limit_price="50000", base_size="0.02")
    assert edit(client, number, "50000", "0.01")["success"]
    assert client.order(number)["outstanding_hold_amount"] == "501.25"
    assert edit(client, number, "51000", "0.03")["success"]
    order = client.order(number)
    assert order["order_configuration"]["limit_limit_gtc"]["base_size"] == "0.03"
    assert [change["price"] for change in order["edit_history"]] == ["50000", "51000"]
    assert client.balances()["USD"][1] == Decimal("1533.825")
    assert edit(client, number, client.low("1.01"), "0.03")["success"]
    assert client.order(number)["status"] == "FILLED"


def test_an_edited_order_may_not_be_worth_too_much_for_the_account(client):
    """It stays as it was."""
    number = client.placed(limit_price="50000", base_size="0.02", post_only=True)
    for price, size, reason in (("50000", "100", "INSUFFICIENT_FUND"), ("60900", "1", "INVALID_LIMIT_PRICE_POST_ONLY")):
        answer = edit(client, number, price, size)
        assert answer["errors"][0]["preview_failure_reason"] == f"PREVIEW_{reason}"
    order = client.order(number)
    assert (order["status"], order["edit_history"], order["outstanding_hold_amount"]) == ("OPEN", [], "1002.5")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": "50000"}, "INVALID_EDITED_SIZE"),
        ({"size": "0.01"}, "INVALID_EDITED_PRICE"),
        ({"price": "50000", "size": "0.01"}, "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"),
        ({"price": "50000", "size": "0.01", "stop_price": "1"}, "FIELD_STOPPRICE_NOT_SUPPORTED"),
    ],
)
def test_an_edit_that_cannot_be_tells_why(client, change, reason):
    """A missing price or size reads as zero."""
    number = client.placed(limit_price="50000", base_size="0.01")
    answer = edit(client, number, **change)
    assert answer["success"] is False and answer["errors"][0]["edit_failure_reason"] == reason


def test_only_open_limit_orders_can_be_edited(client):
    """Not ended ones, not those with an end, not unknown ones; and not below what is filled."""
    ended = client.placed("market_market_ioc", base_size="0.01")
    dated = client.placed("limit_limit_gtd", end_time=stamp(client.now + 60 * SECOND))
    cancelled = client.placed()
    client.cancel(cancelled)
    reasons = [
        edit(client, n, "50000", "0.01")["errors"][0]["edit_failure_reason"] for n in (ended, dated, cancelled, "x")
    ]
    limit, closed = "ONLY_LIMIT_ORDER_EDITS_SUPPORTED", "ONLY_OPEN_ORDERS_CAN_BE_EDITED"
    assert reasons == [limit, limit, closed, "ORDER_NOT_FOUND"]
    (level, *_) = client.public("/market/product_book", product_id="BTC-USD")[1]["pricebook"]["asks"]
    partly = client.placed(limit_price=level["price"], base_size=f"{Decimal(level['size']) + 1:f}")
    answer = edit(client, partly, level["price"], level["size"])
    assert answer["errors"][0]["edit_failure_reason"] == "CANNOT_EDIT_TO_BELOW_FILLED_SIZE"


def test_a_waiting_stop_can_be_edited_with_its_stop(client):
    """Until it is triggered."""
    stop, limit = client.low("1.1"), client.low("1.2")
    number = client.placed("stop_limit_stop_limit_gtc", stop_price=stop, limit_price=limit,
                           stop_direction="STOP_DIRECTION_STOP_UP")  # fmt: skip
    assert edit(client, number, limit, "0.02", stop_price=client.low("1.15"))["success"]
    answer = edit(client, number, limit, "0.02", stop_price=client.low("0.95"))
    assert answer["errors"][0]["preview_failure_reason"] == "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE"


# -- second names --------------------------------------------------------------------------------------------------


def test_the_second_name_of_a_book_is_paid_from_its_own_wallet(client):
    """BTC-USDC trades in the book of BTC-USD, and only the USDC wallet moves."""
    before = client.balances()
    bought = client.order(client.placed("market_market_ioc", product="BTC-USDC", quote_size="600"))
    assert (bought["product_id"], bought["status"]) == ("BTC-USDC", "FILLED")
    resting = client.placed(product="BTC-USDC", limit_price="50000")
    after = client.balances()
    assert after["USD"] == before["USD"]
    assert after["USDC"] == (before["USDC"][0] - Decimal(bought["total_value_after_fees"]) - Decimal("501.25"),
                             Decimal("501.25"))  # fmt: skip
    client.cancel(resting)
    assert client.balances()["USDC"][1] == 0


# -- previews ------------------------------------------------------------------------------------------------------


def test_a_preview_says_what_an_order_would_cost_and_does_nothing(client):
    """Or why it would be refused."""
    order = {"product_id": "BTC-USD", "side": "BUY", "order_configuration": {"market_market_ioc": {"base_size": "0.5"}}}
    _, shown = client.request("POST", "/orders/preview", order)
    assert shown["errs"] == [] and shown["base_size"] == "0.5"
    total, commission = Decimal(shown["order_total"]), Decimal(shown["commission_total"])
    assert abs((total - commission) * FEE - commission) < Decimal("1e-6")
    order["order_configuration"] = {"limit_limit_gtc": {"base_size": "100", "limit_price": "50000"}}
    assert client.request("POST", "/orders/preview", order)[1]["errs"] == ["PREVIEW_INSUFFICIENT_FUND"]
    order["order_configuration"] = {"limit_limit_gtc": {"base_size": "100", "limit_price": "0.001"}}
    assert client.request("POST", "/orders/preview", order)[1]["errs"] == ["PREVIEW_INVALID_PRICE_PRECISION"]
    number = client.placed(limit_price="50000")
    body = {"order_id": number, "price": "51000", "size": "0.02"}
    shown = client.request("POST", "/orders/edit_preview", body)[1]
    assert (shown["errors"], shown["order_total"]) == ([], "1022.55")
    shown = client.request("POST", "/orders/edit_preview", {"order_id": "x"})[1]
    assert shown["errors"][0]["edit_failure_reason"] == "ORDER_NOT_FOUND"
    assert len(client.request("GET", "/orders/historical/batch")[1]["orders"]) == 1


def test_there_is_no_position_to_close(client):
    """Spot products have none."""
    _, answer = client.request("POST", "/orders/close_position", {"client_order_id": "a", "product_id": "BTC-USD"})
    assert answer["success"] is False
