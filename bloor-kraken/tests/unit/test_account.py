"""What Kraken says about an account over REST, and how it is asked."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce
from bloor.venue.account import AssetBalance, KeyRights, OpenOrder
from bloor.venue.session import Endpoints
from bloor_kraken.account import KrakenAccount
from bloor_kraken.limits import private_cost, rest_rules
from bloor_kraken.signing import read_credentials
from bloor_kraken.symbols import rest_names, rest_pair

NOW = 1_790_000_000_123_456_000
NAME = "kraken-api-key-of-the-tests"
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
BTC = Instrument(
    venue="kraken", symbol="BTC-USD", venue_symbol="BTC/USD", base="BTC", quote="USD", price_decimals=1, qty_decimals=8
)


@pytest.fixture
def account() -> KrakenAccount:
    """An account of one instrument."""
    keys = read_credentials({"api_key": NAME, "secret": SECRET})
    return KrakenAccount(
        ExecutorContext(config=None, endpoints=Endpoints("", "", ""), credentials=keys, instruments=[BTC])
    )


def body(result: Any = None, *errors: str) -> bytes:
    """An answer."""
    return json.dumps({"error": list(errors), **({} if result is None else {"result": result})}).encode()


def test_every_request_is_signed_and_shows_nothing(account: KrakenAccount) -> None:
    """A nonce in us that rises by itself; neither key nor signature is in what is shown or recorded."""
    first, second = account.state(NOW).request, account.state(NOW).request
    nonces = [int(parse_qs(request.body.decode())["nonce"][0]) for request in (first, second)]
    assert nonces == [NOW // 1000, NOW // 1000 + 1]
    assert (first.method, first.path, first.headers["API-Key"]) == ("POST", "/0/private/BalanceEx", NAME)
    for shown in (repr(account.state(NOW)), repr(first), first.record().decode()):
        for secret in (NAME, SECRET, first.headers["API-Sign"]):
            assert secret not in shown


def test_a_nonce_that_is_too_low_is_one_further_on_the_next_time(account: KrakenAccount) -> None:
    """A run with the same key may have been ahead of the clock: the question is asked again, once; no other is."""
    question = account.open_orders(NOW)
    assert question.again is not None
    assert question.again(200, body({"open": {}})) is None
    assert question.again(200, body(None, "EAPI:Invalid key")) is None
    other = question.again(200, body(None, "EAPI:Invalid nonce"))
    assert other is not None and other.again is None
    first, second = (int(parse_qs(each.request.body.decode())["nonce"][0]) for each in (question, other))
    assert second > first + 10_000_000
    assert other.read(200, body({"open": {}})) == []


def test_the_rights_of_a_key(account: KrakenAccount) -> None:
    """As GetApiKeyInfo says them; unknown where that is not known, or in words that we do not know."""
    read = account.rights(NOW).read
    said = {"permissions": ["query-funds", "modify-trades"], "ip_allowlist": ["192.0.2.1"]}
    assert read(200, body(said)) == KeyRights(trade=True, withdraw=False, limited_to_addresses=True)
    said = {"permissions": ["query-funds", "withdraw-funds"], "ip_allowlist": []}
    assert read(200, body(said)) == KeyRights(trade=False, withdraw=True, limited_to_addresses=False)
    for status, answer in (
        (200, body(None, "EGeneral:Unknown method")),
        (404, b""),
        (200, body({"permissions": ["x"]})),
    ):
        assert read(status, answer) == KeyRights(trade=None, withdraw=None)
    with pytest.raises(RemoteProtocolError, match="EAPI:Invalid key"):
        read(200, body(None, "EAPI:Invalid key"))


def test_balances_are_free_and_locked(account: KrakenAccount) -> None:
    """By bloor's names; what is in earn and staking wallets cannot be traded."""
    held = {"XXBT": {"balance": "1.5", "hold_trade": "0.5"}, "ZUSD": {"balance": "10.10", "hold_trade": "0"},
            "ETH.F": {"balance": "7", "hold_trade": "0"}, "XXDG": {"balance": "0", "hold_trade": "0"}}  # fmt: skip
    state = account.state(NOW).read(200, body(held))
    assert state.may_trade
    assert state.balances == {
        "BTC": AssetBalance(Decimal("1.0"), Decimal("0.5")), "USD": AssetBalance(Decimal("10.10"), Decimal(0)),
    }  # fmt: skip


def test_open_orders_of_everybody(account: KrakenAccount) -> None:
    """Ours and others', also in pairs that are not traded here."""
    rows = {
        "O1": {"cl_ord_id": "B0100010000002A", "vol": "1.0", "vol_exec": "0.4", "status": "open",
               "descr": {"pair": "XBTUSD", "type": "buy", "price": "50000.0"}},
        "O2": {"vol": "3", "vol_exec": "0", "status": "open",
               "descr": {"pair": "SOLEUR", "type": "sell", "price": "1"}},
    }  # fmt: skip
    assert account.open_orders(NOW).read(200, body({"open": rows})) == [
        OpenOrder("B0100010000002A", "O1", "BTC/USD", "BUY", "50000.0", "1.0", "0.4"),
        OpenOrder("", "O2", "SOLEUR", "SELL", "1", "3", "0"),
    ]


def test_a_cancel_says_whether_it_was_open(account: KrakenAccount) -> None:
    """Unknown order: not any more; any other refusal is an error in Kraken's words."""
    order = OpenOrder("B0100010000002A", "O1", "BTC/USD", "BUY", "1", "1", "0")
    question = account.cancel(order, NOW)
    assert question.request.urgent
    assert question.read(200, body({"count": 1})) is True
    assert question.read(200, body(None, "EOrder:Unknown order")) is False
    with pytest.raises(RemoteProtocolError, match="EService:Busy"):
        question.read(200, body(None, "EService:Busy"))


def test_a_test_order_is_validated_and_not_placed(account: KrakenAccount) -> None:
    """AddOrder with validate; the refusal is Kraken's."""
    order = OrderRequest(
        client_id="B0100010000002A", instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
        price_ticks=618_376, lots=7_000,
    )  # fmt: skip
    question = account.test_order(order, NOW)
    said = parse_qs(question.request.body.decode())
    assert (said["validate"], said["pair"], said["price"], said["volume"]) == (
        ["true"], ["XBTUSD"], ["61837.6"], ["0.00007000"],
    )  # fmt: skip
    question.read(200, body({"descr": {"order": "buy 0.00007000 XBTUSD @ limit 61837.6"}}))
    with pytest.raises(RemoteProtocolError, match="EOrder:Insufficient funds"):
        question.read(200, body(None, "EOrder:Insufficient funds"))


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"error":[]}', b'{"error":[],"result":[]}'])
def test_answers_in_another_form_are_named_errors(account: KrakenAccount, answer: bytes) -> None:
    """Never a bare KeyError."""
    for question in (account.state(NOW), account.open_orders(NOW), account.rights(NOW)):
        with pytest.raises(RemoteProtocolError):
            question.read(200, answer)


@pytest.mark.parametrize(
    ("base", "quote", "pair", "key"),
    [("BTC", "USD", "XBTUSD", "XXBTZUSD"), ("DOGE", "BTC", "XDGXBT", "XXDGXXBT"), ("SOL", "EUR", "SOLEUR", "SOLEUR"),
     ("ETH", "USDT", "ETHUSDT", "ETHUSDT"), ("BTC", "USDT", "XBTUSDT", "XBTUSDT")],
)  # fmt: skip
def test_what_rest_calls_a_pair(base: str, quote: str, pair: str, key: str) -> None:
    """In requests by its altname; in answers by that, or by the name with class letters, or with a slash."""
    i = Instrument(
        venue="kraken", symbol=f"{base}-{quote}", venue_symbol=f"{base}/{quote}", base=base, quote=quote,
        price_decimals=1, qty_decimals=8,
    )  # fmt: skip
    assert rest_pair(i) == pair
    assert {pair, key, f"{base}/{quote}"} <= rest_names(i)


def test_private_requests_are_counted_for_themselves() -> None:
    """Orders cost nothing there, histories twice; public ones have a limit of their own."""
    costs = {
        name: private_cost(f"/0/private/{name}") for name in ("AddOrder", "CancelOrder", "QueryOrders", "TradesHistory")
    }
    assert costs == {"AddOrder": 0, "CancelOrder": 0, "QueryOrders": 1, "TradesHistory": 2}
    assert private_cost("/0/public/Depth?pair=XBTUSD") == 0
    rules = rest_rules()
    assert [limit.name for limit in rules.limits] == ["public", "private"]
    assert [limit.counts("/0/public/Time") for limit in rules.limits] == [1, 0]
    assert rules.resolution_ns == 1_000_000_000
