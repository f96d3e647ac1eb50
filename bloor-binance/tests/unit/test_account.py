"""What Binance says about an account over REST, and how it is asked."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qs

import pytest

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce
from bloor.venue.account import AssetBalance, KeyRights, OpenOrder
from bloor.venue.session import Endpoints
from bloor_binance.account import BinanceAccount
from bloor_binance.signing import read_credentials

NOW = 1_700_000_000_123_000_000
# the key of binance-spot-api-docs, "SIGNED Endpoint Examples"
NAME = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
BTC = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
    qty_decimals=8, lot_units=1000,
)  # fmt: skip


@pytest.fixture
def account():
    keys = read_credentials({"hmac": {"api_key": NAME, "secret": SECRET}})
    return BinanceAccount(
        ExecutorContext(config=None, endpoints=Endpoints("", "", ""), credentials=keys, instruments=[BTC])
    )


def body(document):
    return json.dumps(document).encode()


def test_every_request_is_signed_stamped_and_shows_nothing(account):
    """The timestamp is the venue's time in ms; neither key nor signature is in what is shown or recorded."""
    question = account.state(NOW)
    request = question.request
    assert (request.method, request.path, request.headers) == ("GET", "/api/v3/account", {"X-MBX-APIKEY": NAME})
    said = parse_qs(request.query)
    assert said["timestamp"] == ["1700000000123"] and len(said["signature"][0]) == 64
    for shown in (repr(question), repr(request), request.record().decode()):
        assert NAME not in shown and SECRET not in shown and said["signature"][0] not in shown


def test_the_rights_of_a_key(account):
    """As the wallet API says them; unknown where there is none."""
    read = account.rights(NOW).read
    row = {"ipRestrict": True, "enableWithdrawals": False, "enableSpotAndMarginTrading": True, "enableReading": True}
    assert read(200, body(row)) == KeyRights(trade=True, withdraw=False, limited_to_addresses=True)
    assert read(404, b"<html>") == KeyRights(trade=None, withdraw=None)


def test_balances(account):
    """Exact, without zeros."""
    rows = [{"asset": "BTC", "free": "0.1", "locked": "0.02"}, {"asset": "X", "free": "0.0", "locked": "0"}]
    state = account.state(NOW).read(200, body({"canTrade": True, "balances": rows}))
    assert state == (True, {"BTC": AssetBalance(Decimal("0.1"), Decimal("0.02"))})


def test_open_orders_and_their_end(account):
    """Every open order with both ids; an order that was gone already is no error."""
    row = {
        "clientOrderId": "B01", "orderId": 7, "symbol": "BTCUSDT", "side": "BUY", "price": "1.0", "origQty": "2.0",
        "executedQty": "0.5",
    }  # fmt: skip
    order = OpenOrder("B01", "7", "BTCUSDT", "BUY", "1.0", "2.0", "0.5")
    assert account.open_orders(NOW).read(200, body([row])) == [order]
    cancel = account.cancel(order, NOW)
    assert (cancel.request.method, cancel.request.urgent) == ("DELETE", True)
    assert "orderId=7" in cancel.request.query
    assert cancel.read(200, body({})) is True
    assert cancel.read(400, body({"code": -2011, "msg": "Unknown order sent."})) is False
    with pytest.raises(RemoteProtocolError, match="-1003 slow"):
        cancel.read(429, body({"code": -1003, "msg": "slow"}))


def test_a_test_order_is_worded_like_a_real_one(account):
    """And the venue's refusal is passed on."""
    order = OrderRequest(
        client_id="B0100010000001A", instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
        price_ticks=5_000_000, lots=3,
    )  # fmt: skip
    question = account.test_order(order, NOW)
    said = {key: value for key, (value,) in parse_qs(question.request.params).items()}
    assert (question.request.method, question.request.path) == ("POST", "/api/v3/order/test")
    assert (said["price"], said["quantity"], said["timeInForce"]) == ("50000.00", "0.00003000", "GTC")
    assert question.read(200, b"{}") is None
    with pytest.raises(RemoteProtocolError, match="order/test: -1013 Filter failure: NOTIONAL"):
        question.read(400, body({"code": -1013, "msg": "Filter failure: NOTIONAL"}))


@pytest.mark.parametrize("what", ["rights", "state", "open_orders"])
@pytest.mark.parametrize("answer", [b"", b"[", b"1", b"null", b'"x"', b"[1]", b'{"balances":[{}]}', b'{"canTrade":1}'])
def test_answers_of_another_form_are_errors_of_the_venue(account, what, answer):
    """Never a traceback; ``rights`` takes any object, since fields may be missing."""
    read = getattr(account, what)(NOW).read
    if what == "rights" and answer.startswith(b"{"):
        assert read(200, answer) == KeyRights(None, None)
        return
    with pytest.raises(RemoteProtocolError):
        read(200, answer)
