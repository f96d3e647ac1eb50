"""Orders over the private WebSocket of the simulated exchange, and what the private channels tell of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bloor_kraken.simulated.system import SystemState


@pytest.fixture
def trader(client):
    """A client with a private connection."""
    client.log_on()
    return client


def kinds(rows):
    """``(exec_type, order_status)`` of rows."""
    return [(row["exec_type"], row["order_status"]) for row in rows]


def test_a_token_is_needed(client):
    """Without one, with a wrong one and with an expired one nothing is taken; one in use lives on."""
    assert client.open(9, "/auth/v2")
    for params, error in (
        ({}, "Token(s) not found"),
        ({"token": 7}, "Token(s) not found"),
        ({"token": "wrong"}, "ESession:Invalid session"),
    ):
        (answer,) = client.subscribe(9, "executions", None, **params)
        assert answer["success"] is False and answer["error"] == error
    unused, used = (client.result("GetWebSocketsToken")["token"] for _ in range(2))
    assert client.subscribe(9, "executions", None, token=used)[0]["success"] is True
    client.run(901)
    assert client.subscribe(9, "balances", None, token=unused)[0]["error"] == "ESession:Invalid session"
    assert client.subscribe(9, "balances", None, token=used)[0]["success"] is True
    client.venue.closed(9, client.now)
    client.open(10, "/auth/v2")
    assert client.subscribe(10, "executions", None, token=used)[0]["error"] == "ESession:Invalid session"


def test_a_limit_order_rests_and_is_cancelled(trader):
    """Answer, pending_new, new; then canceled with its reason; ids and the client's id are where Kraken puts them."""
    answer, rows = trader.place(limit_price=trader.low, cl_ord_id="mine-1")
    order_id = answer["result"]["order_id"]
    assert answer["success"] is True and answer["result"]["cl_ord_id"] == "mine-1"
    assert len(order_id) == 19 and order_id[0] == "O" and order_id[6] == order_id[12] == "-"
    assert kinds(rows) == [("pending_new", "pending_new"), ("new", "new")]
    assert rows[0]["cl_ord_id"] == "mine-1" and "cl_ord_id" not in rows[1] and "symbol" not in rows[1]
    assert rows[0]["limit_price"] == f"{trader.low:.1f}" and rows[0]["order_qty"] == "0.01000000"
    answer, rows = trader.call("cancel_order", order_id=[order_id])
    assert answer["result"]["order_id"] == order_id
    assert kinds(rows) == [("canceled", "canceled")] and rows[0]["reason"] == "User requested"
    answer, rows = trader.call("cancel_order", order_id=[order_id])
    assert answer["error"] == "EOrder:Unknown order" and not rows


def test_own_orders_are_in_the_public_book(trader):
    """A bid better than all others is the best price, with its quantity, in the next message."""
    trader.open(1)
    trader.subscribe(1, "book")
    bid, ask = trader.best()
    while ask - bid < 2:
        trader.run(0.1)
        bid, ask = trader.best()
    trader.place(limit_price=trader.price(bid + 1), order_qty=0.12345678)
    update = trader.frames[1][-1]["data"][0]
    assert {"price": f"{trader.price(bid + 1):.1f}", "qty": "0.12345678"} in update["bids"]


def test_a_market_order_is_filled_and_settled(trader):
    """Trades, the totals after them, fees of a taker in dollars, and balances that move by exactly that."""
    (_, snapshot) = trader.subscribe(9, "balances", None, token=trader.token)
    before = {row["asset"]: Decimal(row["balance"]) for row in snapshot["data"]}
    answer, rows = trader.place(order_type="market", order_qty=1.5)
    assert answer["success"] is True
    trades = [row for row in rows if row["exec_type"] == "trade"]
    assert kinds(rows)[:2] == [("pending_new", "pending_new"), ("new", "new")] and kinds(rows)[-1][0] == "filled"
    assert trades[-1]["order_status"] in ("filled", "partially_filled") and {
        row["liquidity_ind"] for row in trades
    } == {"t"}
    cost = sum(Decimal(row["cost"]) for row in trades)
    assert cost == sum(Decimal(row["last_price"]) * Decimal(row["last_qty"]) for row in trades)
    fees = sum(Decimal(fee["qty"]) for row in trades for fee in row["fees"])
    assert all(row["fees"][0]["asset"] == "USD" for row in trades) and abs(fees - cost * Decimal("0.004")) < 1
    assert rows[-1]["cum_qty"] == "1.50000000" and Decimal(rows[-1]["cum_cost"]) == cost
    after = trader.result("Balance")
    assert Decimal(after["XXBT"]) == before["BTC"] + Decimal("1.5")
    assert Decimal(after["ZUSD"]) == before["USD"] - cost - fees
    told = trader.told("balances")[-2:]
    assert {row["asset"]: Decimal(row["balance"]) for row in told} == {
        "BTC": Decimal(after["XXBT"]), "USD": Decimal(after["ZUSD"]),
    }  # fmt: skip


def test_a_resting_order_is_filled_as_a_maker(trader):
    """When the market comes to it; at its own price, for the maker's commission."""
    for _ in range(200):
        trader.place(limit_price=trader.price(trader.best()[0]), order_qty=0.0001)
        trader.run(0.5)
        heard = trader.told()
        made = [row for row in heard if row.get("liquidity_ind") == "m"]
        if made:
            break
    (row,) = made[:1]
    fee = Decimal(row["fees"][0]["qty"])
    assert abs(fee - Decimal(row["cost"]) * Decimal("0.0025")) <= Decimal("0.00000001")


@pytest.mark.parametrize(
    ("params", "last", "reason"),
    [
        ({"time_in_force": "ioc"}, "canceled", "Immediate or cancel"),
        ({"time_in_force": "fok", "order_qty": 900}, "canceled", "Fill or kill"),
        ({"time_in_force": "IOC", "stp_type": "cancel_both"}, "canceled", "Immediate or cancel"),
    ],
)
def test_what_cannot_rest_ends_at_once(trader, params, last, reason):
    """Immediate-or-cancel and fill-or-kill orders that find nothing end with a reason."""
    quantity = {"order_qty": 0.01} | params
    low = trader.low if quantity["order_qty"] < 1 else 900.0
    _, rows = trader.place(limit_price=low, **quantity)
    assert rows[-1]["order_status"] == last and rows[-1]["reason"] == reason


def test_an_immediate_order_takes_what_is_there(trader):
    """Filled in part at its limit or better, the rest canceled; nothing of it stays in the book."""
    ask = trader.best()[1]
    there = trader.venue.exchange.markets["BTC/USD"].book.asks.best.units
    _, rows = trader.place(limit_price=trader.price(ask), order_qty=round(there / 1e8 + 0.5, 8), time_in_force="ioc")
    assert rows[-1]["exec_type"] == "canceled" and rows[-1]["order_status"] == "canceled"
    assert Decimal(rows[-1]["cum_qty"]) == Decimal(there).scaleb(-8)
    assert trader.result("OpenOrders")["open"] == {}


def test_a_post_only_order_that_would_take_is_accepted_and_canceled(trader):
    """As Kraken does: the answer is a success, the reason is told by the order, over both APIs."""
    price = trader.price(trader.best()[1] + 10)
    answer, rows = trader.place(limit_price=price, post_only=True)
    assert answer["success"] is True
    assert kinds(rows) == [("pending_new", "pending_new"), ("canceled", "canceled")]
    assert rows[-1]["reason"] == "Post only order" and rows[0]["post_only"] is True
    order_id = answer["result"]["order_id"]
    order = trader.result("QueryOrders", txid=order_id)[order_id]
    assert (order["status"], order["reason"], order["vol_exec"]) == ("canceled", "Post only order", "0.00000000")
    assert "post" in order["oflags"]
    _, rows = trader.place(limit_price=trader.low, post_only=True)
    assert rows[-1]["order_status"] == "new"


def test_an_order_good_till_a_date_expires(trader):
    """At its time, with a status of its own; its funds are free again."""
    free = trader.result("BalanceEx")["ZUSD"]
    _, rows = trader.place(limit_price=trader.low, time_in_force="gtd", expire_time="2023-11-14T22:13:31Z")
    assert rows[0]["time_in_force"] == "GTD" and rows[0]["expire_time"].startswith("2023-11-14T22:13:31")
    assert trader.result("BalanceEx")["ZUSD"] != free
    trader.run(9)
    assert trader.frames[9][-1] != {} and trader.result("OpenOrders")["open"]
    trader.run(1.5)
    last = trader.told()[-1]
    assert (last["exec_type"], last["order_status"]) == ("expired", "expired")
    assert trader.result("BalanceEx")["ZUSD"] == free
    (row,) = trader.result("ClosedOrders")["closed"].values()
    assert row["status"] == "expired"


def test_amending_keeps_ids(trader):
    """Quantity and price change in place; below what is executed the rest is canceled."""
    answer, _ = trader.place(limit_price=trader.low, cl_ord_id="a")
    order_id = answer["result"]["order_id"]
    answer, rows = trader.call("amend_order", order_id=order_id, order_qty=0.02, limit_price=trader.low - 100)
    assert answer["result"]["order_id"] == order_id and answer["result"]["amend_id"][0] == "T"
    assert kinds(rows) == [("amended", "new")] and rows[0]["order_qty"] == "0.02000000"
    answer, rows = trader.call("amend_order", cl_ord_id="a", order_qty=0.005)
    assert rows[0]["order_qty"] == "0.00500000" and rows[0]["amended"] is True
    _, rows = trader.call("amend_order", cl_ord_id="a", limit_price=trader.price(trader.best()[1] + 20))
    assert [row["exec_type"] for row in rows][:1] == ["amended"] and rows[-1]["exec_type"] == "filled"
    answer, _ = trader.call("amend_order", cl_ord_id="a", order_qty=0.001)
    assert answer["error"] == "EOrder:Unknown order"


def test_amending_to_take_with_post_only_is_refused(trader):
    """The order stays as it was."""
    answer, _ = trader.place(limit_price=trader.low, post_only=True)
    high = trader.price(trader.best()[1] + 20)
    order_id = answer["result"]["order_id"]
    answer, rows = trader.call("amend_order", order_id=order_id, limit_price=high, post_only=True)
    assert answer["success"] is False and not rows
    assert trader.result("OpenOrders")["open"][order_id]["descr"]["price"] == f"{trader.low:.1f}"


def test_editing_makes_a_new_order(trader):
    """The old one is canceled, the new one has another id and says whose place it took."""
    answer, _ = trader.place(limit_price=trader.low)
    old = answer["result"]["order_id"]
    answer, rows = trader.call("edit_order", order_id=old, symbol="BTC/USD", order_qty=0.03)
    new = answer["result"]["order_id"]
    assert answer["result"]["original_order_id"] == old != new
    assert kinds(rows) == [("canceled", "canceled"), ("pending_new", "pending_new"), ("new", "new")]
    orders = trader.result("QueryOrders", txid=f"{old},{new}")
    assert (orders[old]["status"], orders[new]["status"], orders[new]["refid"]) == ("canceled", "open", old)


def test_several_orders_are_canceled_one_answer_each(trader):
    """By id, by the client's id and by reference, which several orders may share."""
    a = trader.place(limit_price=trader.low, cl_ord_id="a")[0]["result"]["order_id"]
    b = trader.place(limit_price=trader.low, order_userref=77)[0]["result"]["order_id"]
    c = trader.place(limit_price=trader.low, order_userref=77)[0]["result"]["order_id"]
    frames = trader.say(
        9, {"method": "cancel_order", "params": {"token": trader.token, "cl_ord_id": ["a"], "order_userref": [77]},
            "req_id": 5})  # fmt: skip
    answers = [frame for frame in frames if "method" in frame]
    assert [answer["result"]["order_id"] for answer in answers] == [a, b, c]
    assert {answer["req_id"] for answer in answers} == {"5"}


def test_batches(trader):
    """All or none as far as rules go; what cannot be paid for is refused by itself."""
    good = {"order_type": "limit", "side": "buy", "order_qty": 0.01, "limit_price": trader.low}
    batch = {"symbol": "BTC/USD", "orders": [good, good | {"cl_ord_id": "dear", "order_qty": 900}, good]}
    answer, rows = trader.call("batch_add", **batch)
    assert [sorted(result) for result in answer["result"]] == [["order_id"], ["cl_ord_id", "error"], ["order_id"]]
    assert answer["result"][1]["error"] == "EOrder:Insufficient funds" and len(rows) == 4
    bad = batch | {"orders": [good, good | {"order_qty": 0.00001}]}
    answer, rows = trader.call("batch_add", **bad)
    assert answer["success"] is False and not rows
    assert answer["error"] == "EGeneral:Invalid arguments:volume minimum not met"
    answer, _ = trader.call("batch_add", symbol="BTC/USD", orders=[good])
    assert answer["error"] == "EGeneral:Invalid arguments:orders"
    trader.run(60)
    ids = list(trader.result("OpenOrders")["open"])
    answer, rows = trader.call("batch_cancel", orders=[*ids, "OAAAAA-BBBBB-CCCCCC"])
    assert answer["orders_cancelled"] == "2" and "result" not in answer and len(rows) == 2


def test_the_dead_mans_switch_fires(trader):
    """It cancels everything when it was not armed anew in time; 0 disarms it."""
    for _ in range(3):
        trader.place(limit_price=trader.low)
    answer, _ = trader.call("cancel_all_orders_after", timeout=5)
    assert answer["result"]["triggerTime"] > answer["result"]["currentTime"]
    trader.run(4)
    trader.call("cancel_all_orders_after", timeout=5)
    trader.run(4)
    assert len(trader.result("OpenOrders")["open"]) == 3
    trader.run(2)
    assert trader.result("OpenOrders")["open"] == {}
    ended = trader.told()[-3:]
    assert [row["exec_type"] for row in ended] == ["canceled"] * 3
    trader.place(limit_price=trader.low)
    trader.call("cancel_all_orders_after", timeout=5)
    answer, _ = trader.call("cancel_all_orders_after", timeout=0)
    assert answer["result"]["triggerTime"] == "0"
    trader.run(10)
    assert len(trader.result("OpenOrders")["open"]) == 1
    answer, rows = trader.call("cancel_all")
    assert answer["result"]["count"] == "1" and kinds(rows) == [("canceled", "canceled")]


def test_stops_wait_for_their_price(trader):
    """A stop is outside the book, triggers when the market trades through it, and is told so."""
    bid = trader.best()[0]
    trigger = {"reference": "last", "price": trader.price(bid - 30)}
    answer, rows = trader.place(side="sell", order_type="stop-loss", triggers=trigger)
    assert rows[0]["triggers"]["status"] == "untriggered" and rows[0]["stop_price"] == f"{trader.price(bid - 30):.1f}"
    order_id = answer["result"]["order_id"]
    trader.run(120)
    heard = trader.told()
    mine = [(row["exec_type"], row["order_status"]) for row in heard if row["order_id"] == order_id]
    assert mine[2:4] == [("status", "triggered"), ("new", "new")] and mine[-1] == ("filled", "filled")
    limit = trader.price(bid - 900)
    answer, _ = trader.place(
        side="sell", order_type="stop-loss-limit", triggers={"price": trader.price(bid - 800)}, limit_price=limit
    )
    row = trader.result("OpenOrders")["open"][answer["result"]["order_id"]]
    assert row["descr"]["order"].endswith(f"stop loss {trader.price(bid - 800):.1f} -> limit {limit:.1f}")
    answer, rows = trader.call(
        "amend_order", order_id=answer["result"]["order_id"], trigger_price=trader.price(bid - 850)
    )
    assert answer["success"] is True and rows[0]["stop_price"] == f"{trader.price(bid - 850):.1f}"


def test_an_account_does_not_trade_with_itself(trader):
    """The newest, the oldest, or both are canceled, as the taker says."""
    for mode, ended in (("cancel_newest", 1), ("cancel_oldest", 0), ("cancel_both", 2)):
        bid, ask = trader.best()
        while ask - bid < 2:
            trader.run(0.05)
            bid, ask = trader.best()
        maker = trader.place(limit_price=trader.price(bid + 1))[0]["result"]["order_id"]
        params = {"side": "sell", "limit_price": trader.price(bid + 1), "order_qty": 0.01, "stp_type": mode}
        answer, rows = trader.place(**params)
        taker = answer["result"]["order_id"]
        gone = {row["order_id"] for row in rows if row["exec_type"] == "canceled"}
        assert gone == [{maker}, {taker}, {maker, taker}][ended]
        assert not any(row["exec_type"] == "trade" for row in rows if ended == 2)
        trader.call("cancel_all")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"limit_price": 50000.05}, "EOrder:Invalid price:BTC/USD price can only be specified up to 1 decimals."),
        ({"limit_price": 50000, "order_qty": 0.00001}, "EGeneral:Invalid arguments:volume minimum not met"),
        ({"limit_price": 50000, "order_qty": 1e-9}, "EGeneral:Invalid arguments:order_qty"),
        ({"limit_price": 50000, "order_qty": "0.01"}, "EGeneral:Invalid arguments:order_qty"),
        ({"limit_price": 5, "order_qty": 0.01}, "EOrder:Cost minimum not met"),
        ({"limit_price": 50000, "order_qty": 100}, "EOrder:Insufficient funds"),
        ({"limit_price": -5}, "EGeneral:Invalid arguments:limit_price"),
        ({}, "EGeneral:Invalid arguments:limit_price"),
        ({"limit_price": 50000, "symbol": "XBT/USD"}, "EQuery:Unknown asset pair"),
        ({"limit_price": 50000, "side": "up"}, "EGeneral:Invalid arguments:side"),
        ({"order_type": "iceberg", "limit_price": 50000}, "EGeneral:Invalid arguments:order_type"),
        ({"order_type": "trailing-stop"}, "EGeneral:Invalid arguments:order_type"),
        ({"limit_price": 50000, "display_qty": 0.001}, "EGeneral:Invalid arguments:display_qty"),
        ({"limit_price": 50000, "margin": True}, "EGeneral:Invalid arguments:margin"),
        ({"limit_price": 50000, "conditional": {"order_type": "limit"}}, "EGeneral:Invalid arguments:conditional"),
        ({"limit_price": 50000, "time_in_force": "day"}, "EGeneral:Invalid arguments:time_in_force"),
        ({"limit_price": 50000, "time_in_force": "gtd"}, "EGeneral:Invalid arguments:expire_time"),
        ({"limit_price": 50000, "cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"limit_price": 50000, "cl_ord_id": "x", "order_userref": 1}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"limit_price": 50000, "deadline": "2023-11-14T22:13:20Z"}, "EService:Deadline elapsed"),
        ({"limit_price": 50000, "deadline": "2023-11-14T22:15:20Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"limit_price": 50000, "post_only": True, "time_in_force": "ioc"}, "EGeneral:Invalid arguments:time_in_force"),
    ],
)
def test_refusals(trader, params, error):
    """What the pair's rules or this venue do not allow is refused with Kraken's words; nothing is told of an order."""
    answer, rows = trader.place(**params)
    assert answer["success"] is False and answer["error"] == error and not rows


def test_numbers_may_have_exponents(trader):
    """As JSON writers put them for small quantities; they are exact all the same."""
    _, rows = trader.place(limit_price=trader.low, order_qty=6e-05)
    assert rows[0]["order_qty"] == "0.00006000"


def test_client_ids_are_unique_among_open_orders(trader):
    """A second open order of the same id is refused; once the first has ended the id is free."""
    uuid = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
    trader.place(limit_price=trader.low, cl_ord_id=uuid)
    answer, _ = trader.place(limit_price=trader.low, cl_ord_id=uuid)
    assert answer["error"] == "EOrder:Duplicate cl_ord_id"
    trader.call("cancel_order", cl_ord_id=[uuid])
    assert trader.place(limit_price=trader.low, cl_ord_id=uuid)[0]["success"] is True


def test_validate_only_checks(trader):
    """Nothing is placed, and what would be refused is."""
    answer, rows = trader.place(limit_price=trader.low, validate=True)
    assert answer["success"] is True and answer["result"] == {} and not rows
    assert trader.place(limit_price=50000.05, validate=True)[0]["success"] is False
    assert trader.result("OpenOrders")["open"] == {}


def test_a_market_order_by_cost(trader):
    """Spends at most the cash it was given."""
    answer, rows = trader.place(order_type="market", order_qty=None, cash_order_qty=500)
    assert answer["success"] is True and 490 < Decimal(rows[-1]["cum_cost"]) <= 500


def test_the_rate_counter_of_a_pair(trader):
    """Cancelling young orders is dear: a full counter refuses, for that pair alone, and falls by itself."""
    placed = 0
    for _ in range(40):
        answer, _ = trader.place(limit_price=trader.low)
        if answer["success"] is False:
            break
        placed += 1
        answer, _ = trader.call("cancel_order", order_id=[answer["result"]["order_id"]])
        if answer["success"] is False:
            break
    assert answer["error"] == "EOrder:Rate limit exceeded" and placed == 20
    assert trader.place(symbol="ETH/USD", limit_price=2000.0, order_qty=0.1)[0]["success"] is True
    trader.run(10)
    assert trader.place(limit_price=trader.low)[0]["success"] is True


def test_the_counter_is_told(trader):
    """A subscription with ``ratecounter`` hears the maximum and what it is after each step."""
    leave = {"method": "unsubscribe", "params": {"channel": "executions", "token": trader.token}}
    assert trader.say(9, leave)[0]["success"] is True
    answer, _ = trader.subscribe(9, "executions", None, token=trader.token, ratecounter=True)
    assert answer["result"]["maxratecount"] == "180"
    _, rows = trader.place(limit_price=trader.low)
    assert [row["ratecount"] for row in rows] == ["1", "1"]


def test_snapshots_show_what_is_open_and_what_was_filled(trader):
    """A new connection hears of open orders with everything known of them, and of fills when it asks for them."""
    order = trader.place(limit_price=trader.low, cl_ord_id="open one")[0]["result"]["order_id"]
    trader.place(order_type="market")
    trader.open(10, "/auth/v2")
    _, snapshot = trader.subscribe(10, "executions", None, token=trader.token, snap_trades=True)
    assert snapshot["sequence"] == "1"
    assert snapshot["data"][0]["order_id"] == order and snapshot["data"][0]["cl_ord_id"] == "open one"
    fills = [row for row in snapshot["data"] if row["exec_type"] == "trade"]
    assert set(trader.result("TradesHistory")["trades"]) == {row["exec_id"] for row in fills}
    trader.open(11, "/auth/v2")
    _, snapshot = trader.subscribe(11, "executions", None, token=trader.token, snap_orders=False)
    assert snapshot["data"] == []


def test_private_messages_are_numbered(make_client):
    """The numbers follow each other; a message that a fault has leaves a hole."""
    for faults, whole in (("", True), ("lost-report:0.3", False)):
        client = make_client(faults=faults)
        client.run(1)
        client.log_on()
        for _ in range(20):
            client.place(limit_price=client.low)
        numbers = [int(f["sequence"]) for f in client.frames[9] if f.get("channel") == "executions"]
        assert (numbers == list(range(1, len(numbers) + 1))) is whole and numbers == sorted(set(numbers))


def test_faults_of_answers(make_client):
    """A lost answer, an error after acceptance and an injected rate limit do what they say."""
    client = make_client(faults="lost-ack:1")
    client.run(1)
    client.log_on()
    params = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.01, "limit_price": 50_000}
    frames = client.say(9, {"method": "add_order", "params": {**params, "token": client.token}, "req_id": 1})
    assert frames and all(frame["channel"] == "executions" for frame in frames)
    client = make_client(faults="error-after-accept:1")
    client.run(1)
    client.log_on()
    answer, rows = client.place(limit_price=client.low)
    assert answer["error"] == "EService:Unavailable" and rows[-1]["order_status"] == "new"
    client = make_client(faults="rate-limit:1")
    client.run(1)
    assert client.post("GetWebSocketsToken")["error"] == ["EAPI:Rate limit exceeded"]


def test_neither_answers_nor_executions_come_first_always(trader):
    """Mostly the answer does, now and then what happened to the order."""
    first = set()
    for _ in range(30):
        params = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.01}
        params |= {"limit_price": trader.low, "token": trader.token}
        first.add("method" in trader.say(9, {"method": "add_order", "params": params})[0])
    assert first == {True, False}


@pytest.mark.parametrize(
    ("state", "limit", "post_only", "cancel"),
    [
        (SystemState.POST_ONLY, "EService:Market in post_only mode", None, None),
        (SystemState.CANCEL_ONLY, "EService:Market in cancel_only mode", "EService:Market in cancel_only mode", None),
        (SystemState.MAINTENANCE, *("EService:Unavailable",) * 3),
    ],
)
def test_the_engine_says_what_it_takes(trader, state, limit, post_only, cancel):
    """Every connection hears of a new state; what it does not take is refused; markets stand still meanwhile."""
    trader.open(1)
    trader.subscribe(1, "book")
    rests = trader.place(limit_price=trader.low)[0]["result"]["order_id"]
    trader.venue.enter(state, trader.now)
    assert {trader.frames[conn][-1]["data"][0]["system"] for conn in (1, 9)} == {state.value}
    assert trader.get("SystemStatus")["result"]["status"] == state.value
    before = trader.best()
    trader.run(3)
    assert trader.best() == before
    assert trader.place(limit_price=trader.low)[0].get("error") == limit
    assert trader.place(limit_price=trader.low, post_only=True)[0].get("error") == post_only
    assert trader.call("cancel_order", order_id=[rests])[0].get("error") == cancel
    assert trader.post("CancelAll")["error"] == ([cancel] if cancel else [])
    trader.venue.enter(SystemState.ONLINE, trader.now)
    heard = len(trader.frames[1])
    trader.run(3)
    assert len(trader.frames[1]) > heard + 50 and trader.best() != before
    assert trader.place(limit_price=trader.low)[0]["success"] is True
