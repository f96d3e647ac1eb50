"""A Kraken order session and what a venue says to it, for the tests of order entry."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    CancelRequest,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    VenueReport,
)
from bloor.venue.session import (
    Action,
    Endpoints,
    Request,
    Send,
)
from bloor_kraken.config import KrakenConfig
from bloor_kraken.executor import KrakenExecutor
from bloor_kraken.signing import read_credentials

SECOND = 1_000_000_000


NOW = 1_790_000_000 * SECOND


TOKEN = "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEbg"


KEY = "kraken-api-key-of-the-tests"


# the published test vector's secret (docs.kraken.com, "Spot REST authentication")
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


BTC = Instrument(
    venue="kraken", symbol="BTC-USD", venue_symbol="BTC/USD", base="BTC", quote="USD", price_decimals=1, qty_decimals=8
)


ORDER = OrderRequest(
    client_id="B0100010000002A", instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.IOC,
    price_ticks=618_376, lots=7_000,
)  # fmt: skip


THIS = CancelRequest(client_id=ORDER.client_id, venue_order_id="", instrument=BTC)


ID = "OABCDE-12345-FGHIJK"


def executor(**settings: Any) -> KrakenExecutor:
    """A session that is not connected."""
    keys = read_credentials({"api_key": KEY, "secret": SECRET})
    place = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1/v2", "ws://127.0.0.1:1/auth/v2")
    config = KrakenConfig(**settings)
    return KrakenExecutor(ExecutorContext(config=config, endpoints=place, credentials=keys, instruments=[BTC]))


def frames(actions: Any) -> list[dict[str, Any]]:
    """What is written, decoded, numbers as they stand."""
    return [json.loads(a.payload, parse_float=Decimal) for a in actions if isinstance(a, Send)]


def wire(**message: Any) -> bytes:
    """A frame; ``Decimal`` values become bare numbers of exactly that text."""
    text = json.dumps(message, default=lambda d: f"<<{d}>>")
    return text.replace('"<<', "").replace('>>"', "").encode()


def token(session: KrakenExecutor, now: int) -> list[Action]:
    """The token is answered, as the engine hands it on."""
    body = wire(error=[], result={"token": TOKEN, "expires": 900})
    kept = session.take_secrets("w", 200, body)
    assert TOKEN.encode() not in kept
    _, actions = session.responded("w", 200, kept, now)
    return list(actions)


def ack(req_id: int, method: str = "subscribe", **result: Any) -> bytes:
    """A request was accepted."""
    return wire(method=method, result=result, success=True, req_id=req_id)


def refusal(req_id: int, method: str, error: str) -> bytes:
    """A request was refused."""
    return wire(method=method, success=False, error=error, req_id=req_id)


def executions(*rows: dict[str, Any], sequence: int, kind: str = "update") -> bytes:
    """A frame of the private stream."""
    return wire(channel="executions", type=kind, data=list(rows), sequence=sequence)


def ready(now: int = NOW, *, open_orders: tuple[dict[str, Any], ...] = (), **settings: Any) -> KrakenExecutor:
    """A session that can send orders."""
    session = executor(**settings)
    (request,) = session.connected(now)
    assert isinstance(request, Request)
    assert request.path == "/0/private/GetWebSocketsToken"
    subscribed = frames(token(session, now))
    for number, frame in enumerate(subscribed, 1):
        assert (frame["req_id"], frame["params"]["token"]) == (number, TOKEN)
    session.received(ack(1, channel="executions", maxratecount=Decimal(125)), now)
    session.received(ack(2, channel="balances"), now)
    assert not session.ready
    session.received(executions(*open_orders, sequence=1, kind="snapshot"), now)
    assert session.ready
    assert session.accepting
    return session


def one(heard: tuple[Any, Any]) -> VenueReport:
    """The only report."""
    (report,), _ = heard
    assert isinstance(report, VenueReport)
    return report


def place(session: KrakenExecutor, now: int = NOW) -> int:
    """Sends :data:`ORDER`; the number of the request."""
    out = session.place(ORDER, now)
    assert isinstance(out, bytes)
    number: int = json.loads(out)["req_id"]
    return number


def fill(**changes: Any) -> dict[str, Any]:
    """A trade as the documentation shows it."""
    return {
        "order_id": ID, "order_userref": Decimal(0), "exec_id": "TZX2WP-XSEOP-FP7WYR", "exec_type": "trade",
        "trade_id": Decimal(37496584), "symbol": "BTC/USD", "side": "buy", "last_qty": Decimal("0.00007000"),
        "last_price": Decimal("61837.6"), "liquidity_ind": "t", "cost": Decimal("4.32863"), "order_status": "filled",
        "order_type": "limit", "timestamp": "2026-04-16T10:54:38.243302Z", "fee_usd_equiv": Decimal("0.01"),
        "fees": [{"asset": "USD", "qty": Decimal("0.01125")}], "cl_ord_id": ORDER.client_id, **changes,
    }  # fmt: skip


def bound() -> KrakenExecutor:
    """A session with an order that is known to the venue as :data:`ID`."""
    session = ready()
    session.received(ack(place(session), "add_order", order_id=ID), NOW)
    return session


def request(out: object) -> tuple[str, dict[str, list[str]]]:
    """Path and parameters of a request."""
    assert isinstance(out, Request)
    return out.path.rpartition("/")[2], {k: v for k, v in parse_qs(out.body.decode()).items() if k != "nonce"}


def rest(result: Any = None, *errors: str) -> bytes:
    """An answer of REST."""
    return wire(error=list(errors), **({} if result is None else {"result": result}))


def row(**changes: Any) -> dict[str, Any]:
    """An order as REST has it."""
    return {
        "status": "open", "cl_ord_id": ORDER.client_id, "vol": "0.00007000", "vol_exec": "0.00002000",
        "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "61837.6"}, **changes,
    }  # fmt: skip


def down(**settings: Any) -> KrakenExecutor:
    """A session whose connection was lost after an order was placed."""
    session = ready(**settings)
    session.received(ack(place(session), "add_order", order_id=ID), NOW)
    session.disconnected(NOW, "cut")
    return session


def three() -> list[OrderRequest]:
    """Three orders."""
    from attrs import evolve

    return [evolve(ORDER, client_id=f"B010001000000{n}A") for n in (1, 2, 3)]
