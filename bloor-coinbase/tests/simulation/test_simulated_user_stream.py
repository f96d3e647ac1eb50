"""The channel ``user``: what there is, then every step, cumulative; and who may listen."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bloor_coinbase.simulated.words import stamp

SECOND = 1_000_000_000


def told(client, *fields):
    """These fields of every step."""
    return [tuple(step[field] for field in fields) for step in client.steps()]


def test_open_orders_come_first_fifty_to_a_frame(client):
    """Oldest first; with none, one empty snapshot."""
    client.follow(7)
    (first,) = client.of("user", 7)
    assert first["events"][0]["type"] == "snapshot" and first["events"][0]["orders"] == []
    price = client.low()
    numbers = []
    for _ in range(120):
        numbers.append(client.placed(limit_price=price, base_size="0.001"))
        client.run(0.1)
    client.follow()
    snapshots = [event for frame in client.of("user", 9) for event in frame["events"]]
    assert [len(event["orders"]) for event in snapshots] == [50, 50, 20]
    assert [order["order_id"] for event in snapshots for order in event["orders"]] == numbers


def test_a_resting_order_is_pending_then_open_then_cancelled(client):
    """Every step tells the whole order."""
    client.follow()
    number = client.placed(limit_price="50000", post_only=True, client_id="mine")
    client.cancel(number)
    assert told(client, "status", "leaves_quantity", "outstanding_hold_amount", "cancel_reason") == [
        ("PENDING", "0.01", "501.25", ""),
        ("OPEN", "0.01", "501.25", ""),
        ("CANCEL_QUEUED", "0.01", "0", "User requested cancel"),
        ("CANCELLED", "0", "0", "User requested cancel"),
    ]
    step = client.steps()[1]
    assert (step["order_id"], step["client_order_id"], step["limit_price"]) == (number, "mine", "50000")
    assert (step["order_type"], step["order_side"], step["post_only"]) == ("Limit", "BUY", "true")


def test_fills_are_cumulative(client):
    """Several at once are one step; average, value, fees and count are of all of them, as REST tells them."""
    client.follow()
    number = client.placed("market_market_ioc", "SELL", base_size="1.5")
    assert told(client, "status", "cumulative_quantity", "leaves_quantity") == [
        ("PENDING", "0", "1.5"),
        ("FILLED", "1.5", "0"),
    ]
    last, order = client.steps()[-1], client.order(number)
    assert int(last["number_of_fills"]) > 1
    for theirs, ours in (("avg_price", "average_filled_price"), ("total_fees", "total_fees"),
                         ("filled_value", "filled_value"), ("number_of_fills", "number_of_fills")):  # fmt: skip
        assert last[theirs] == order[ours]
    average = Decimal(last["filled_value"]) / Decimal("1.5")
    assert abs(Decimal(last["avg_price"]) - average) < Decimal("1e-15")


def test_a_maker_is_told_of_each_execution(client):
    """As time goes on: what is filled only grows, and what is left only sinks."""
    client.follow()
    bid = client.best()[0]
    client.placed(limit_price=str(bid), base_size="0.2", post_only=True)
    for _ in range(100):
        client.run(0.5)
        if client.steps()[-1]["status"] == "FILLED":
            break
    steps = [
        (Decimal(filled), Decimal(left)) for filled, left in told(client, "cumulative_quantity", "leaves_quantity")
    ]
    assert steps == sorted(steps, key=lambda step: step[0]) and steps[-1] == (Decimal("0.2"), 0)
    assert all(filled + left == Decimal("0.2") for filled, left in steps)


def test_an_edit_is_told_with_what_it_changed(client):
    """The new price and what is left now."""
    client.follow()
    number = client.placed(limit_price="50000", base_size="0.02")
    client.request("POST", "/orders/edit", {"order_id": number, "price": "51000", "size": "0.03"})
    client.request("POST", "/orders/edit", {"order_id": number, "price": "51000", "size": "0.01"})
    assert told(client, "status", "limit_price", "leaves_quantity")[1:] == [
        ("OPEN", "50000", "0.02"),
        ("OPEN", "51000", "0.03"),
        ("OPEN", "51000", "0.01"),
    ]


def test_stops_and_ends_are_told(client):
    """A trigger by its status, an end by EXPIRED."""
    client.follow()
    fields = {"stop_price": client.low("1.1"), "limit_price": client.low("1.2")}
    client.placed("stop_limit_stop_limit_gtc", stop_direction="STOP_DIRECTION_STOP_UP", **fields)
    client.placed("limit_limit_gtd", end_time=stamp(client.now + SECOND))
    client.run(1.1)
    assert ("Stop Limit", "OPEN", "STOP_PENDING") in told(client, "order_type", "status", "trigger_status")
    assert told(client, "order_type", "status", "leaves_quantity")[-1] == ("Limit", "EXPIRED", "0")


def test_after_a_reconnection_what_is_open_is_told_again(client):
    """On a connection of its own numbers; what ended meanwhile is not."""
    client.follow()
    resting, gone = client.placed(), client.placed()
    client.venue.closed(9, client.now)
    client.cancel(gone)
    client.follow(10)
    (first, *_) = client.of("user", 10)
    assert first["sequence_num"] == 0
    assert [order["order_id"] for order in first["events"][0]["orders"]] == [resting]


def test_products_narrow_what_is_told(client):
    """By the product that an order was sent to."""
    client.open(3)
    client.subscribe(3, "user", "BTC-USDC", jwt=client.main.token(client.now_s, "aa"))
    client.placed(product="BTC-USD")
    number = client.placed(product="BTC-USDC")
    assert {step["order_id"] for step in client.steps(3)} == {number}


def test_the_market_connection_may_follow_the_account_too(client):
    """As clients with one URL do; numbers count both."""
    client.open(1)
    client.subscribe(1, "ticker", "BTC-USD")
    client.subscribe(1, "user", jwt=client.main.token(client.now_s, "aa"))
    client.placed()
    client.run(1)
    assert client.of("user") and client.of("ticker")
    assert [frame["sequence_num"] for frame in client.frames[1]] == list(range(len(client.frames[1])))


@pytest.mark.parametrize("key", ["main", "ed25519", "viewer"])
def test_every_key_may_listen(client, key):
    """Whatever kind it is of."""
    client.open(3, "/user")
    first, *_ = client.subscribe(3, "user", jwt=getattr(client, key).token(client.now_s, "aa"))
    assert first["channel"] == "user"


def test_only_a_good_token_lets_listen(client):
    """Not one for a request, not an old one, not one of tomorrow, not none."""
    client.open(3, "/user")
    tokens = (
        client.main.token(client.now_s, "aa", "GET api.coinbase.com/"),
        client.main.token(client.now_s - 200, "aa"),
        client.main.token(client.now_s + 200, "aa"),
        client.main.token(client.now_s, "aa")[:-4] + "AAAA",
        7,
        "",
    )
    for token in tokens:
        (error,) = client.subscribe(3, "user", jwt=token)
        assert error == {"type": "error", "message": "authentication failure"}


def test_lost_and_repeated_reports(make_client):
    """A report that is lost takes its number with it; one that is repeated comes with the same."""
    client = make_client(faults="lost-report:0.3,duplicate:0.3")
    client.run(1)
    client.follow()
    price = client.low()
    for _ in range(20):
        client.placed(limit_price=price)
        client.run(0.1)
    numbers = [frame["sequence_num"] for frame in client.frames[9]]
    assert len(set(numbers)) < len(numbers) and set(range(max(numbers))) - set(numbers)
