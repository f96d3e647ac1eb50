"""What Coinbase says about an account over REST, and how it is asked."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce
from bloor.venue.account import AccountInterface, AssetBalance, KeyRights, OpenOrder
from bloor.venue.session import Endpoints, Request
from bloor_coinbase.account import DEAD_MAN, CoinbaseAccount
from bloor_coinbase.signing import STAND_IN

NOW = 1_700_000_000_123_000_000
BTC = Instrument(
    venue="coinbase", symbol="BTC-USD", venue_symbol="BTC-USD", base="BTC", quote="USD", price_decimals=2,
    qty_decimals=8,
)  # fmt: skip
OPEN = OpenOrder(
    client_id="B0100010000002A", venue_order_id="a1", venue_symbol="BTC-USD", side="BUY", price="10000.00", qty="0.001",
    filled="0.0004",
)  # fmt: skip


@pytest.fixture
def account() -> AccountInterface:
    """An account with a stand-in key."""
    place = Endpoints("https://api.coinbase.com", "", "")
    keys = STAND_IN.make("ed25519")
    return CoinbaseAccount(ExecutorContext(config=None, endpoints=place, credentials=keys, instruments=[BTC]))


def body(document: Any) -> bytes:
    """A document as it comes."""
    return json.dumps(document).encode()


def claims(request: Request) -> dict[str, Any]:
    """What the token of a request says."""
    part = request.headers["Authorization"].removeprefix("Bearer ").split(".")[1]
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return document


def test_every_request_has_a_token_and_shows_nothing(account: AccountInterface) -> None:
    """By the venue's time, for method, host and path without the query; no token is shown or recorded."""
    question = account.state(NOW)
    request = question.request
    assert (request.method, request.target) == ("GET", "/api/v3/brokerage/accounts?limit=250")
    token = claims(request)
    assert (token["nbf"], token["uri"]) == (1_700_000_000, "GET api.coinbase.com/api/v3/brokerage/accounts")
    secret = request.headers["Authorization"].removeprefix("Bearer ")
    for shown in (repr(question), repr(request), request.record().decode()):
        assert secret not in shown


def test_the_rights_of_a_key(account: AccountInterface) -> None:
    """As the venue says them; unknown where it does not."""
    read = account.rights(NOW).read
    row = {"can_view": True, "can_trade": True, "can_transfer": False, "portfolio_uuid": "p"}
    assert read(200, body(row)) == KeyRights(trade=True, withdraw=False)
    assert read(200, body({})) == read(404, b"") == KeyRights(trade=None, withdraw=None)
    with pytest.raises(RemoteProtocolError, match=r"key_permissions: 401.*CDP key"):
        read(401, b"Unauthorized")


def test_the_balances_of_an_account(account: AccountInterface) -> None:
    """Free and held, without what is zero; more wallets than one answer holds are an error, not a wrong balance."""
    read = account.state(NOW).read
    wallets = [
        {"currency": "BTC", "available_balance": {"value": "1.5", "currency": "BTC"}, "hold": {"value": "0.5"}},
        {"currency": "ETH", "available_balance": {"value": "0", "currency": "ETH"}, "hold": {"value": "0.0"}},
        {"currency": "USD", "available_balance": {"value": "10.25", "currency": "USD"}},
    ]
    state = read(200, body({"accounts": wallets, "has_next": False}))
    assert state.may_trade
    assert state.balances == {
        "BTC": AssetBalance(Decimal("1.5"), Decimal("0.5")),
        "USD": AssetBalance(Decimal("10.25"), Decimal(0)),
    }
    with pytest.raises(RemoteProtocolError, match="at most 250 wallets"):
        read(200, body({"accounts": wallets, "has_next": True}))
    with pytest.raises(RemoteProtocolError, match="value"):
        read(200, body({"accounts": [{"currency": "BTC", "available_balance": {"value": "NaN"}}]}))


def test_open_orders(account: AccountInterface) -> None:
    """Of every product, whoever placed them; more than one answer holds is an error."""
    question = account.open_orders(NOW)
    assert question.request.target == "/api/v3/brokerage/orders/historical/batch?order_status=OPEN&limit=250"
    row = {
        "order_id": "a1", "client_order_id": OPEN.client_id, "product_id": "BTC-USD", "side": "BUY", "status": "OPEN",
        "filled_size": "0.0004",
        "order_configuration": {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "10000.00"}},
    }  # fmt: skip
    theirs = {"order_id": "a2", "product_id": "X-Y", "side": "SELL", "order_configuration": None}
    found = question.read(200, body({"orders": [row, theirs], "has_next": False}))
    assert list(found) == [OPEN, OpenOrder("", "a2", "X-Y", "SELL", "", "", "0")]
    with pytest.raises(RemoteProtocolError, match="more open orders"):
        question.read(200, body({"orders": [row], "has_next": True}))


def test_a_cancel_says_whether_there_was_something_to_cancel(account: AccountInterface) -> None:
    """By the venue's id; a refusal for another reason is an error with its word."""
    question = account.cancel(OPEN, NOW)
    assert json.loads(question.request.body) == {"order_ids": ["a1"]}
    assert question.request.urgent
    assert question.request.headers["Content-Type"] == "application/json"
    read = question.read
    assert read(200, body({"results": [{"success": True, "order_id": "a1"}]})) is True
    gone = {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": "a1"}
    assert read(200, body({"results": [gone]})) is False
    with pytest.raises(RemoteProtocolError, match="NOT_ALLOWED_TO_CANCEL"):
        read(200, body({"results": [{**gone, "failure_reason": "NOT_ALLOWED_TO_CANCEL"}]}))
    with pytest.raises(RemoteProtocolError, match="one result"):
        read(200, body({"results": []}))


def test_an_order_is_tried_without_placing_it(account: AccountInterface) -> None:
    """Its preview has no errors, or they are said."""
    order = OrderRequest(
        client_id=OPEN.client_id, instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
        price_ticks=1_000_000, lots=100_000,
    )  # fmt: skip
    question = account.test_order(order, NOW)
    assert "client_order_id" not in json.loads(question.request.body)
    question.read(200, body({"errs": []}))
    with pytest.raises(RemoteProtocolError, match="PREVIEW_INSUFFICIENT_FUND"):
        question.read(200, body({"errs": ["PREVIEW_INSUFFICIENT_FUND"]}))


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]"])
def test_what_no_venue_may_answer_is_a_named_error(account: AccountInterface, answer: bytes) -> None:
    """RemoteProtocolError, never anything else."""
    for question in (account.rights(NOW), account.state(NOW), account.open_orders(NOW), account.cancel(OPEN, NOW)):
        with pytest.raises(RemoteProtocolError, match="expected a JSON object"):
            question.read(200, answer)


def test_nothing_is_cancelled_when_we_fall_silent() -> None:
    """There is no dead man's switch, and that is said."""
    assert not DEAD_MAN.supported
    assert "stay in the market" in DEAD_MAN.text
