"""The order-entry session: requests, the life of the user stream, and reports of what Coinbase says."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import orjson
import pytest

from bloor.config.duration import Duration
from bloor.errors import AccessRefusedError, LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    AmendRequest,
    CancelRequest,
    Liquidity,
    OrderRequest,
    OrderType,
    ReplaceRequest,
    ReportKind,
    Side,
    TimeInForce,
    VenueReport,
)
from bloor.venue.session import Action, Endpoints, Listed, ListingSession, Reconnect, Request, Send, Tell
from bloor_coinbase.config import CoinbaseConfig
from bloor_coinbase.executor import LOOK_NS, REFUSALS, CoinbaseExecutor
from bloor_coinbase.signing import STAND_IN
from bloor_coinbase.tracking import GIVE_UP_NS
from bloor_coinbase.user_stream import CLOCK_NS, IDLE_NS, PROOF_NS

SECOND = 1_000_000_000
BTC = Instrument(
    venue="coinbase", symbol="BTC-USD", venue_symbol="BTC-USD", base="BTC", quote="USD", price_decimals=2,
    qty_decimals=8,
)  # fmt: skip
#: The book of BTC-USD under another wallet.
USDC = Instrument(
    venue="coinbase", symbol="BTC-USDC", venue_symbol="BTC-USD", base="BTC", quote="USDC", price_decimals=2,
    qty_decimals=8,
)  # fmt: skip
PLACE = Endpoints("https://api.coinbase.com", "wss://m", "wss://u")
ID, VENUE_ID = "B0100010000002A", "a1b2c3d4"
ORDER = OrderRequest(
    client_id=ID, instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC, price_ticks=1_000_000,
    lots=100_000,
)  # fmt: skip
THIS = CancelRequest(client_id=ID, venue_order_id="", instrument=BTC)
NOW = 1_700_000_000 * SECOND
DERIVE_NS = CoinbaseConfig().derive_fills_after.ns


def executor(instrument: Instrument = BTC, config: CoinbaseConfig | None = None) -> CoinbaseExecutor:
    """A session that is not connected."""
    keys = STAND_IN.make("es256")
    return CoinbaseExecutor(
        ExecutorContext(config=config, endpoints=PLACE, credentials=keys, instruments=[instrument])
    )  # fmt: skip


def frame(number: int, channel: str = "heartbeats", **event: Any) -> bytes:
    """A frame of the user stream."""
    document = {"channel": channel, "timestamp": "2023-11-14T22:13:20Z", "sequence_num": number, "events": [event]}
    return orjson.dumps(document)


def acknowledgement(number: int) -> bytes:
    """Both channels are subscribed to."""
    return frame(number, "subscriptions", subscriptions={"heartbeats": ["heartbeats"], "user": ["1"]})


def ready(instrument: Instrument = BTC, config: CoinbaseConfig | None = None) -> CoinbaseExecutor:
    """A session whose stream is open; its next frame has number 1."""
    session = executor(instrument, config)
    session.connected(NOW)
    session.responded(f"@{NOW}", 200, b'{"epochMillis":"1700000000000"}', NOW)
    _, (look,) = session.received(acknowledgement(0), NOW)
    assert not session.ready
    assert isinstance(look, Request)
    session.responded(look.tag, 200, b'{"orders":[],"has_next":false}', NOW)
    assert session.ready
    return session


def placed(**changes: Any) -> CoinbaseExecutor:
    """A session that has sent :data:`ORDER` and heard that it was accepted; its next frame has number 1."""
    session = ready()
    import attrs

    session.place(attrs.evolve(ORDER, **changes), NOW)
    answered(session, "n" + ID, accepted())
    return session


def accepted(**changes: Any) -> dict[str, Any]:
    """The answer to an accepted order."""
    made = {"order_id": VENUE_ID, "product_id": "BTC-USD", "side": "BUY", "client_order_id": ID}
    return {"success": True, "failure_reason": "UNKNOWN_FAILURE_REASON", "success_response": made, **changes}


def answered(
    session: CoinbaseExecutor, tag: str, document: Any, status: int = 200, now_ns: int = NOW
) -> tuple[list[VenueReport], list[Action]]:
    """What an answer makes of a session."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    reports, actions = session.responded(tag, status, body, now_ns)
    return list(reports), list(actions)


def row(**changes: Any) -> dict[str, Any]:
    """A row of the channel ``user``."""
    base = {
        "order_id": VENUE_ID, "client_order_id": ID, "cumulative_quantity": "0", "leaves_quantity": "0.001",
        "avg_price": "0", "total_fees": "0", "status": "OPEN", "product_id": "BTC-USD", "order_side": "BUY",
        "order_type": "Limit", "cancel_reason": "", "reject_reason": "",
    }  # fmt: skip
    return {**base, **changes}


def heard(
    session: CoinbaseExecutor, number: int, *rows: dict[str, Any], now_ns: int = NOW
) -> tuple[list[VenueReport], list[Action]]:
    """What an update of the stream makes of a session."""
    reports, actions = session.received(frame(number, "user", type="update", orders=list(rows)), now_ns)
    return list(reports), list(actions)


def fill(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A fill as REST lists it."""
    base = {
        "entry_id": f"e{number}", "trade_id": f"t{number}", "order_id": VENUE_ID, "trade_type": "FILL",
        "trade_time": f"2023-11-14T22:13:{20 + number}Z", "price": "10000.00", "size": "0.0004", "commission": "0.016",
        "product_id": "BTC-USD", "liquidity_indicator": "MAKER", "size_in_quote": False, "side": "BUY",
    }  # fmt: skip
    return {**base, **changes}


def kinds(reports: list[VenueReport]) -> list[ReportKind]:
    """What is reported."""
    return [report.kind for report in reports]


def requested(actions: list[Action]) -> list[str]:
    """The tags of the requests among some actions."""
    return [action.tag for action in actions if isinstance(action, Request)]


def body_of(request: Any) -> dict[str, Any]:
    """The body of a request."""
    assert isinstance(request, Request)
    document: dict[str, Any] = orjson.loads(request.body)
    return document


def claims(token: str) -> dict[str, Any]:
    """What a token says."""
    part = token.split(".")[1]
    document: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return document


# ---- the connection


def test_it_subscribes_once_the_venues_time_is_known() -> None:
    """The time is asked for; its answer starts both channels, each with a token of its own by the venue's clock."""
    session = executor()
    assert isinstance(session, ListingSession)
    (ask,) = session.connected(NOW)
    assert isinstance(ask, Request)
    assert (ask.method, ask.path, ask.head(0)) == ("GET", "/api/v3/brokerage/time", {})
    _, actions = session.responded(ask.tag, 200, b'{"epochMillis":"1700000090000"}', NOW)
    frames = [orjson.loads(action.payload) for action in actions if isinstance(action, Send)]
    assert [f["channel"] for f in frames] == ["heartbeats", "user"]
    tokens = [claims(f["jwt"]) for f in frames]
    assert [t["nbf"] for t in tokens] == [1_700_000_090] * 2
    assert all("uri" not in t for t in tokens)
    assert frames[0]["jwt"] != frames[1]["jwt"]
    assert not session.ready
    _, (look,) = session.received(acknowledgement(0), NOW)
    assert isinstance(look, Request)
    assert look.params == "order_status=OPEN&limit=250&product_ids=BTC-USD"
    assert not session.accepting
    _, actions = session.responded(look.tag, 503, b"", NOW)
    assert (list(actions), session.ready, session.deadline_ns) == ([], False, NOW + SECOND)
    (look,) = session.timer(NOW + SECOND)
    _, actions = session.responded(look.tag, 200, b'{"orders":[]}', NOW + SECOND)
    assert list(actions) == [Listed("BTC-USD", frozenset(), NOW + SECOND)]
    assert session.ready
    assert session.accepting


def test_it_does_not_wait_for_the_time_for_long() -> None:
    """The venue closes a connection that is not subscribed within five seconds."""
    session = executor()
    session.connected(NOW)
    assert session.deadline_ns == NOW + CLOCK_NS
    actions = session.timer(NOW + CLOCK_NS)
    assert len(actions) == 2
    assert session.responded(f"@{NOW}", 200, b'{"epochMillis":"1700000000000"}', NOW + CLOCK_NS)[1] == ()
    (action,) = session.timer(NOW + CLOCK_NS + PROOF_NS)
    assert isinstance(action, Reconnect)


def test_a_refused_subscription_is_an_error_with_the_venues_words() -> None:
    """More of the same would not help."""
    session = executor()
    session.connected(NOW)
    with pytest.raises(AccessRefusedError, match="authentication failure"):
        session.received(b'{"type":"error","message":"authentication failure"}', NOW)


def test_an_error_later_opens_the_connection_anew() -> None:
    """It is told, and the stream is not believed any more."""
    session = ready()
    _, actions = session.received(b'{"type":"error","message":"too many"}', NOW)
    assert [type(action) for action in actions] == [Tell, Reconnect]
    assert not session.ready


def test_a_hole_in_the_numbers_opens_the_connection_anew() -> None:
    """One number counts every frame of every channel; what was lost may have been a fill."""
    session = ready()
    session.received(frame(1), NOW)
    _, actions = session.received(frame(3), NOW)
    assert isinstance(actions[0], Reconnect)
    assert "3 came where 2" in actions[0].reason
    assert not session.accepting
    with pytest.raises(LocalProtocolError, match="not open"):
        session.place(ORDER, NOW)


def test_a_repeated_frame_changes_nothing() -> None:
    """A number that was there already is passed over."""
    session = placed()
    assert heard(session, 1, row())[0]
    assert heard(session, 1, row()) == ([], [])
    assert session.ready


def test_a_list_from_before_the_connection_does_not_make_it_ready() -> None:
    """What was open then may have traded since, unheard."""
    session = ready()
    session.disconnected(NOW, "gone")
    (look,) = session.timer(NOW + SECOND)
    session.connected(NOW + 2 * SECOND)
    session.timer(NOW + 4 * SECOND)
    _, (again,) = session.received(acknowledgement(0), NOW + 5 * SECOND)
    assert isinstance(look, Request)
    assert isinstance(again, Request)
    session.responded(look.tag, 200, b'{"orders":[]}', NOW + 5 * SECOND)
    assert not session.ready
    session.responded(again.tag, 200, b'{"orders":[]}', NOW + 5 * SECOND)
    assert session.ready


def test_a_key_that_is_refused_again_and_again_ends_the_run() -> None:
    """Revoked: more of the same would not help; one answer in between is enough to go on."""
    session = placed()
    for _ in range(2):
        for _ in range(REFUSALS):
            session.responded("q" + ID, 401, b"Unauthorized", NOW)
        session.responded("q" + ID, 200, orjson.dumps({"order": listed()}), NOW)
    for _ in range(REFUSALS):
        session.responded("q" + ID, 401, b"Unauthorized", NOW)
    with pytest.raises(AccessRefusedError, match="revoked"):
        session.responded("q" + ID, 401, b"Unauthorized", NOW)


def test_silence_opens_the_connection_anew() -> None:
    """Heartbeats come every second."""
    session = ready()
    assert session.deadline_ns == NOW + IDLE_NS
    session.received(frame(1), NOW + SECOND)
    assert session.deadline_ns == NOW + SECOND + IDLE_NS
    (action,) = session.timer(session.deadline_ns)
    assert isinstance(action, Reconnect)


def test_what_rests_is_looked_up_while_the_stream_is_down() -> None:
    """Every few seconds; orders that are not in the list any more are asked about."""
    session = placed()
    session.disconnected(NOW, "gone")
    assert session.deadline_ns == NOW + SECOND
    (look,) = session.timer(NOW + SECOND)
    assert isinstance(look, Request)
    assert "order_status=OPEN" in look.params
    assert session.deadline_ns == NOW + SECOND + LOOK_NS
    page = {"orders": [listed()], "has_next": True, "cursor": "c1"}
    reports, actions = answered(session, look.tag, page)
    assert kinds(reports) == [ReportKind.FOUND_OPEN]
    (more,) = actions
    assert isinstance(more, Request)
    assert "cursor=c1" in more.params
    _, actions = answered(session, more.tag, {"orders": [], "has_next": False, "cursor": ""})
    assert actions == [Listed("BTC-USD", frozenset({ID}), NOW + SECOND)]


def test_a_broken_frame_is_a_named_error() -> None:
    """It is passed over: the number of the next one shows that it is missing."""
    for broken in (b"{", b"[]", b"{}", b'{"sequence_num":"1"}', b'{"sequence_num":-1}'):
        session = ready()
        with pytest.raises(RemoteProtocolError):
            session.received(broken, NOW)
        _, actions = session.received(frame(2), NOW)
        assert isinstance(actions[0], Reconnect)


def test_orders_that_cannot_be_read_open_the_connection_anew() -> None:
    """Its number was seen, so nothing would tell that something is missing. So does garbage before the start."""
    for message in (frame(1, "user", orders=5), b'{"channel":"user","sequence_num":1}'):
        _, actions = ready().received(message, NOW)
        assert [type(action) for action in actions] == [Tell, Reconnect]
    session = executor()
    session.connected(NOW)
    reports, actions = session.received(b"{", NOW)
    assert [type(action) for action in actions] == [Tell, Reconnect]
    assert not reports
    assert session.received(b"{", NOW) == ((), ())  # until it is closed, nothing of it is believed


# ---- requests


def test_a_new_order_is_exact_and_signed_when_it_is_sent() -> None:
    """Ticks and lots become the venue's decimal text; the token is for method, host and path, without the query."""
    request = ready().place(ORDER, NOW)
    assert isinstance(request, Request)
    assert (request.tag, request.method, request.path) == ("n" + ID, "POST", "/api/v3/brokerage/orders")
    assert body_of(request) == {
        "client_order_id": ID, "product_id": "BTC-USD", "side": "BUY",
        "order_configuration": {"limit_limit_gtc": {"base_size": "0.00100000", "limit_price": "10000.00",
                                                    "post_only": False}},
    }  # fmt: skip
    head = request.head(NOW + 77 * SECOND)
    assert head["Content-Type"] == "application/json"
    token = claims(head["Authorization"].removeprefix("Bearer "))
    assert token["uri"] == "POST api.coinbase.com/api/v3/brokerage/orders"
    assert (token["nbf"], token["exp"]) == (1_700_000_077, 1_700_000_197)
    assert b"Bearer" not in request.record()
    assert "Bearer" not in repr(request)


@pytest.mark.parametrize(
    ("kind", "tif", "said"),
    [
        (OrderType.POST_ONLY, TimeInForce.GTC, {"limit_limit_gtc": {"base_size": "0.00100000",
                                                                    "limit_price": "10000.00", "post_only": True}}),
        (OrderType.LIMIT, TimeInForce.IOC, {"sor_limit_ioc": {"base_size": "0.00100000", "limit_price": "10000.00"}}),
        (OrderType.LIMIT, TimeInForce.FOK, {"limit_limit_fok": {"base_size": "0.00100000",
                                                                "limit_price": "10000.00"}}),
        (OrderType.MARKET, TimeInForce.IOC, {"market_market_ioc": {"base_size": "0.00100000"}}),
    ],
)  # fmt: skip
def test_every_kind_of_order_has_its_configuration(kind: OrderType, tif: TimeInForce, said: dict[str, Any]) -> None:
    """Type and time in force together choose one."""
    import attrs

    request = ready().place(attrs.evolve(ORDER, type=kind, tif=tif), NOW)
    assert body_of(request)["order_configuration"] == said


def test_orders_go_to_the_product_of_the_wallet() -> None:
    """The book of BTC-USDC is that of BTC-USD; its orders are not."""
    import attrs

    session = ready(USDC)
    assert body_of(session.place(attrs.evolve(ORDER, instrument=USDC), NOW))["product_id"] == "BTC-USDC"
    (report,), _ = heard(session, 1, row(product_id="BTC-USDC"))
    assert (report.kind, report.venue_symbol) == (ReportKind.ACK, "BTC-USD")
    assert heard(session, 2, row(product_id="BTC-USD")) == ([], [])


def test_a_cancel_names_the_venues_id() -> None:
    """It may use the part of the rate limit that is kept for cancels."""
    request = placed().cancel(THIS, NOW)
    assert body_of(request) == {"order_ids": [VENUE_ID]}
    assert isinstance(request, Request)
    assert (request.tag, request.path, request.urgent) == ("c" + ID, "/api/v3/brokerage/orders/batch_cancel", True)


def test_an_order_whose_id_is_not_known_is_looked_up_and_then_cancelled() -> None:
    """Through every page of what was ordered since; what is not found is asked about again."""
    session = ready()
    session.place(ORDER, NOW)
    look = session.cancel(THIS, NOW)
    assert isinstance(look, Request)
    assert look.urgent
    assert "start_date=2023-11-14T22%3A13%3A10.000" in look.params
    _, actions = answered(session, look.tag, {"orders": [listed(client_order_id="x")], "has_next": True, "cursor": "c"})
    (more,) = actions
    assert isinstance(more, Request)
    assert (more.tag, more.params.endswith("cursor=c")) == (look.tag, True)
    reports, actions = answered(session, more.tag, {"orders": [listed()], "has_next": False})
    assert kinds(reports) == [ReportKind.FOUND_OPEN]
    (cancel,) = actions
    assert body_of(cancel) == {"order_ids": [VENUE_ID]}
    session = ready()
    session.place(ORDER, NOW)
    for status, document in ((200, {"orders": []}), (500, {}), (200, b"<html>")):
        reports, actions = answered(session, look.tag, document, status)
        assert kinds(reports)[0] is ReportKind.CANCEL_UNCERTAIN
        assert kinds(reports)[1:] == ([ReportKind.NOT_FOUND] if document == {"orders": []} else [])
        assert not requested(actions)


def test_a_reduction_says_the_price_too() -> None:
    """A missing price or size is read as 0. Success means asked for: the stream confirms it."""
    session = placed()
    request = session.amend(AmendRequest(order=THIS, lots=50_000), NOW)
    assert body_of(request) == {"order_id": VENUE_ID, "price": "10000.00", "size": "0.00050000"}
    assert answered(session, "a" + ID, {"success": True, "errors": []}) == ([], [])
    (report,), _ = heard(session, 1, row())
    assert report.kind is ReportKind.ACK
    (report,), _ = heard(session, 2, row(leaves_quantity="0.0005"))
    assert (report.kind, report.quantity_units) == (ReportKind.REPLACED, 50_000)
    refused = {"success": False, "errors": [{"edit_failure_reason": "CANNOT_EDIT_TO_BELOW_FILLED_SIZE"}]}
    (report,), _ = answered(session, "a" + ID, refused)
    assert (report.kind, report.reason) == (ReportKind.REPLACE_REJECT, "CANNOT_EDIT_TO_BELOW_FILLED_SIZE")
    (report,), _ = answered(session, "a" + ID, b"", 503)
    assert report.kind is ReportKind.REPLACE_UNCERTAIN


def test_what_the_venue_does_not_have_is_said() -> None:
    """No cancel-and-place, no reduction of an order that is not known, no fills without an id."""
    session = ready()
    with pytest.raises(LocalProtocolError, match="do both yourself"):
        session.replace(ReplaceRequest(old=THIS, new=ORDER, only_unfilled=True), NOW)
    with pytest.raises(LocalProtocolError, match="not known"):
        session.amend(AmendRequest(order=THIS, lots=1), NOW)
    with pytest.raises(LocalProtocolError, match="not known yet"):
        session.fetch_fills(THIS, NOW)
    import attrs

    with pytest.raises(LocalProtocolError, match="use GTC"):
        session.place(attrs.evolve(ORDER, type=OrderType.POST_ONLY, tif=TimeInForce.IOC), NOW)
    assert session.query(ID, BTC, NOW)


def test_tokens_are_never_recorded() -> None:
    """A frame is recorded without its token, one that has none as it is."""
    session = executor()
    session.connected(NOW)
    for action in session.timer(NOW + CLOCK_NS):
        assert isinstance(action, Send)
        kept = session.redacted(action.payload)
        assert orjson.loads(kept)["jwt"] == "***"
    assert session.redacted(frame(1)) == frame(1)
    echoed = b'{"type":"error","message":"bad token eyJhbGciOi.eyJz-_.abc"}'
    assert session.redacted(echoed) == b'{"type":"error","message":"bad token ***"}'


# ---- answers to a new order


def test_an_accepted_order_is_acknowledged() -> None:
    """Success and the venue's id count, whatever failure_reason says."""
    session = ready()
    session.place(ORDER, NOW)
    (report,), actions = answered(session, "n" + ID, accepted())
    assert (report.kind, report.client_id, report.venue_order_id) == (ReportKind.ACK, ID, VENUE_ID)
    assert not actions


REASONS = [
    "INVALID_LIMIT_PRICE_POST_ONLY", "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY", "INSUFFICIENT_FUND",
    "INSUFFICIENT_FUNDS", "PREVIEW_INSUFFICIENT_FUND", "INVALID_SIZE_PRECISION", "INVALID_PRICE_PRECISION",
    "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL", "PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE", "INVALID_PRODUCT_ID",
    "UNTRADABLE_PRODUCT", "PRODUCT_TRADING_HALTED", "TRADING_DISABLED", "ORDER_ENTRY_DISABLED",
    "INVALID_NO_LIQUIDITY", "LIMIT_PRICE_TOO_FAR_FROM_MARKET", "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_BUY",
    "UNSUPPORTED_ORDER_CONFIGURATION", "INVALID_REQUEST", "COMMANDER_REJECTED_NEW_ORDER", "GEOFENCING_RESTRICTION",
    "A_REASON_OF_NEXT_YEAR",
]  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("where", ["error", "preview_failure_reason", "new_order_failure_reason", "failure_reason"])
def test_every_reason_refuses_with_its_text(reason: str, where: str) -> None:
    """Wherever the venue puts it, and whether it is known or not."""
    session = ready()
    session.place(ORDER, NOW)
    error = {"error": "UNKNOWN_FAILURE_REASON", "message": "words", "preview_failure_reason": ""}
    refused: dict[str, Any] = {"success": False, "failure_reason": "UNKNOWN_FAILURE_REASON", "error_response": error}
    (refused if where == "failure_reason" else error)[where] = reason
    (report,), _ = answered(session, "n" + ID, refused)
    assert (report.kind, report.reason) == (ReportKind.REJECT, f"{reason} words")


def test_a_person_hears_of_refusals_that_need_one() -> None:
    """Rules that are not those of the list, a closed product, a country."""
    for reason, code in (("INVALID_PRICE_PRECISION", "product_rules"), ("TRADING_DISABLED", "product_closed")):
        session = ready()
        session.place(ORDER, NOW)
        _, (tell,) = answered(session, "n" + ID, {"success": False, "error_response": {"error": reason}})
        assert isinstance(tell, Tell)
        assert tell.code == code


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, {"error": "INVALID_ARGUMENT", "message": "words"}, ReportKind.REJECT),
        (401, b"Unauthorized", ReportKind.REJECT),
        (429, {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}, ReportKind.REJECT),
        (403, b"<html>", ReportKind.REJECT),
        (408, b"", ReportKind.UNCERTAIN),
        (500, {}, ReportKind.UNCERTAIN),
        (503, b"<html>", ReportKind.UNCERTAIN),
        (0, b"", ReportKind.UNCERTAIN),
        (200, b"<html>", ReportKind.UNCERTAIN),
        (200, [], ReportKind.UNCERTAIN),
        (200, {}, ReportKind.UNCERTAIN),
        (200, {"success": True}, ReportKind.UNCERTAIN),
        (200, {"success": False, "error_response": {"error": "DUPLICATE_CLIENT_ORDER_ID"}}, ReportKind.UNCERTAIN),
    ],
)  # fmt: skip
def test_only_what_is_certain_is_a_refusal(status: int, document: Any, kind: ReportKind) -> None:
    """Whatever else goes wrong leaves the outcome unknown."""
    session = ready()
    session.place(ORDER, NOW)
    reports, actions = answered(session, "n" + ID, document, status)
    assert kinds(reports) == [kind]
    assert requested(actions) == ([f"@{NOW}"] if status == 401 else [])


def test_a_duplicate_is_looked_up_and_compared() -> None:
    """The order that has the id may be ours, sent before; another one is told once."""
    session = ready()
    session.place(ORDER, NOW)
    look = session.query(ID, BTC, NOW)
    assert isinstance(look, Request)
    assert look.tag == f"l{ID}:BTC-USD"
    _, actions = answered(session, look.tag, {"orders": [listed()]})
    assert not actions
    other = listed(order_configuration={"limit_limit_gtc": {"base_size": "0.001", "limit_price": "9.00"}})
    _, actions = answered(session, look.tag, {"orders": [other]})
    assert [type(action) for action in actions] == [Tell]
    assert answered(session, look.tag, {"orders": [other]})[1] == []
    session = ready()
    session.place(ORDER, NOW)
    reports, (tell,) = answered(session, "n" + ID, accepted(order_configuration=other["order_configuration"]))
    assert kinds(reports) == [ReportKind.UNCERTAIN]
    assert isinstance(tell, Tell)
    assert tell.code == "order_mismatch"


def test_an_id_that_is_taken_by_an_older_order_refuses_ours() -> None:
    """Ours was never accepted: it is looked for among the orders of a month, rejected, and a person is told."""
    session = ready()
    session.place(ORDER, NOW)
    answered(session, "n" + ID, {"success": False, "error_response": {"error": "DUPLICATE_CLIENT_ORDER_ID"}})
    look = session.query(ID, BTC, NOW)
    assert isinstance(look, Request)
    assert "start_date=2023-10-15T" in look.params
    other = {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "9.00"}}
    old = listed(order_configuration=other, created_time="2023-11-13T22:13:20Z", status="FILLED", filled_size="0.001")
    reports, (tell,) = answered(session, look.tag, {"orders": [old]})
    assert kinds(reports) == [ReportKind.REJECT]
    assert reports[0].reason == f"DUPLICATE_CLIENT_ORDER_ID the id is that of order {VENUE_ID}"
    assert isinstance(tell, Tell)
    assert tell.code == "order_mismatch"
    same = listed(created_time="2023-11-13T22:13:20Z")  # the same was asked for, but not by us
    assert kinds(answered(session, look.tag, {"orders": [same]})[0]) == [ReportKind.REJECT]
    ours = listed(created_time="2023-11-14T22:13:20Z")
    assert kinds(answered(session, look.tag, {"orders": [ours]})[0]) == [ReportKind.FOUND_OPEN]


@pytest.mark.parametrize(
    ("status", "document", "said"),
    [
        (0, b"", "no answer"),
        (429, b"", "429 the rate limit is used up"),
        (502, b"<html>", "502"),
        (401, b"Unauthorized", "401"),
        (400, {"error": "INVALID_ARGUMENT", "message": "too many"}, "400 INVALID_ARGUMENT too many"),
        (429, {"errors": [{"id": "rate_limit_exceeded", "message": "slow"}]}, "429 rate_limit_exceeded slow"),
    ],
)
def test_a_failure_is_said_in_the_venues_words(status: int, document: Any, said: str) -> None:
    """Or in ours where it says nothing."""
    session = ready()
    session.place(ORDER, NOW)
    (report,), _ = answered(session, "n" + ID, document, status)
    assert report.reason == said


# ---- orders that are asked about


def listed(**changes: Any) -> dict[str, Any]:
    """An order of a REST answer."""
    base = {
        "order_id": VENUE_ID, "client_order_id": ID, "product_id": "BTC-USD", "side": "BUY", "status": "OPEN",
        "filled_size": "0", "average_filled_price": "0", "total_fees": "0", "reject_reason": "", "cancel_message": "",
        "order_configuration": {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "10000.00"}},
        "created_time": "2023-11-14T22:13:20Z", "last_fill_time": None,
    }  # fmt: skip
    return {**base, **changes}


@pytest.mark.parametrize(
    ("status", "stream", "query"),
    [
        ("PENDING", ReportKind.ACK, ReportKind.FOUND_OPEN),
        ("OPEN", ReportKind.ACK, ReportKind.FOUND_OPEN),
        ("QUEUED", ReportKind.ACK, ReportKind.FOUND_OPEN),
        ("CANCEL_QUEUED", ReportKind.ACK, ReportKind.FOUND_OPEN),
        ("EDIT_QUEUED", ReportKind.ACK, ReportKind.FOUND_OPEN),
        ("CANCELLED", ReportKind.CANCELLED, ReportKind.FOUND_CLOSED),
        ("EXPIRED", ReportKind.EXPIRED, ReportKind.FOUND_CLOSED),
        ("FAILED", ReportKind.FOUND_CLOSED, ReportKind.FOUND_CLOSED),
        ("FILLED", ReportKind.FOUND_CLOSED, ReportKind.FOUND_CLOSED),
        ("UNKNOWN_ORDER_STATUS", ReportKind.UNCERTAIN, ReportKind.UNCERTAIN),
        ("OF_NEXT_YEAR", ReportKind.UNCERTAIN, ReportKind.UNCERTAIN),
    ],
)
def test_every_state_of_an_order(status: str, stream: ReportKind, query: ReportKind) -> None:
    """As the stream and as an answer say it; the reason of an end begins with the venue's word."""
    (report,), _ = heard(placed(), 1, row(status=status, leaves_quantity="0.001"))
    assert (report.kind, report.venue_order_id) == (stream, VENUE_ID)
    (report,), _ = answered(placed(), "q" + ID, {"order": listed(status=status)})
    assert report.kind is query
    if query is ReportKind.FOUND_CLOSED:
        assert report.reason == status


def test_a_query_by_the_venues_id() -> None:
    """Once it is known; 404 is "not found", an overloaded query says nothing."""
    session = placed()
    query = session.query(ID, BTC, NOW)
    assert isinstance(query, Request)
    assert (query.tag, query.path) == ("q" + ID, f"/api/v3/brokerage/orders/historical/{VENUE_ID}")
    assert kinds(answered(session, query.tag, {"error": "NOT_FOUND"}, 404)[0]) == [ReportKind.NOT_FOUND]
    assert answered(session, query.tag, b"", 429) == ([], [])
    reports, (tell,) = answered(session, query.tag, {"order": {}})
    assert not reports
    assert isinstance(tell, Tell)


def test_a_query_of_an_order_that_has_ended() -> None:
    """It is found ended, also when the stream has told so before."""
    session = placed()
    assert kinds(heard(session, 1, row(status="CANCELLED", leaves_quantity="0"))[0]) == [ReportKind.CANCELLED]
    reports, _ = answered(session, "q" + ID, {"order": listed(status="CANCELLED", cancel_message="User requested")})
    assert [(r.kind, r.reason) for r in reports] == [(ReportKind.FOUND_CLOSED, "CANCELLED User requested")]
    stale, _ = answered(session, "q" + ID, {"order": listed()})  # REST lags behind the stream
    assert kinds(stale) == [ReportKind.CANCELLED]


def test_an_order_that_is_on_no_page_is_not_found() -> None:
    """Only after the last page."""
    session = ready()
    session.place(ORDER, NOW)
    tag = f"l{ID}:BTC-USD"
    reports, actions = answered(session, tag, {"orders": [], "has_next": True, "cursor": "c"})
    assert (reports, requested(actions)) == ([], [tag])
    reports, actions = answered(session, tag, {"orders": [listed(client_order_id="")], "has_next": False})
    assert kinds(reports) == [ReportKind.NOT_FOUND]


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON"}, []),
        ({"success": False, "failure_reason": "DUPLICATE_CANCEL_REQUEST"}, [ReportKind.CANCEL_REJECT]),
        ({"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER"}, [ReportKind.CANCEL_REJECT]),
        ({"success": False, "failure_reason": "ORDER_IS_FULLY_FILLED"}, [ReportKind.CANCEL_REJECT]),
        ({"success": False, "failure_reason": "COMMANDER_REJECTED_CANCEL_ORDER"}, [ReportKind.CANCEL_UNCERTAIN]),
        ({"success": False}, [ReportKind.CANCEL_UNCERTAIN]),
        ({}, [ReportKind.CANCEL_UNCERTAIN]),
    ],
)
def test_the_answers_to_a_cancel(result: dict[str, Any], kind: list[ReportKind]) -> None:
    """Success means asked for; a refusal that proves nothing is asked about, and the cancel repeated."""
    assert kinds(answered(placed(), "c" + ID, {"results": [{**result, "order_id": VENUE_ID}]})[0]) == kind


def test_several_cancels_go_together() -> None:
    """One request for those whose id is known, a look-up for the others; each gets its own report."""
    import attrs

    session = ready()
    names = ["B01000100000001", "B01000100000002", "B01000100000003"]
    these = [attrs.evolve(THIS, client_id=name) for name in names]
    for number, name in enumerate(names):
        session.place(attrs.evolve(ORDER, client_id=name), NOW)
        if number:
            answered(session, "n" + name, accepted(success_response={"order_id": f"v{number}"}))
    together, look = session.cancel_all(these, NOW)
    assert body_of(together) == {"order_ids": ["v1", "v2"]}
    assert isinstance(together, Request)
    assert isinstance(look, Request)
    assert (together.tag, look.tag) == (f"c{names[1]},{names[2]}", f"x{names[0]}:BTC-USD")
    results = [{"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": "v2"}]
    reports, _ = answered(session, together.tag, {"results": [*results, {"success": True, "order_id": "v1"}]})
    assert [(r.kind, r.client_id) for r in reports] == [(ReportKind.CANCEL_REJECT, names[2])]
    for answer, status in ((b"", 0), ({"results": 5}, 200), ({"results": []}, 200)):
        reports, _ = answered(session, together.tag, answer, status)
        assert [(r.kind, r.client_id) for r in reports] == [
            (ReportKind.CANCEL_UNCERTAIN, names[1]),
            (ReportKind.CANCEL_UNCERTAIN, names[2]),
        ]
    reports, _ = answered(session, together.tag, {"results": [{"success": True, "order_id": "v1"}]})
    assert [(r.kind, r.client_id) for r in reports] == [(ReportKind.CANCEL_UNCERTAIN, names[2])]


def test_a_row_that_cannot_be_read_makes_the_order_asked_about() -> None:
    """The others of its frame are read all the same."""
    reports, actions = heard(placed(), 1, row(cumulative_quantity="NaN"), row(client_order_id="theirs"))
    assert [report.client_id for report in reports] == ["theirs"]
    assert isinstance(actions[0], Tell)
    assert requested(actions) == ["q" + ID]


def test_a_state_that_is_not_known_makes_the_order_asked_about() -> None:
    """Its quantities count all the same."""
    (report,), actions = heard(placed(), 1, row(status="OF_NEXT_YEAR", **PARTLY))
    assert (report.kind, report.cumulative_units) == (ReportKind.UNCERTAIN, 40_000)
    assert requested(actions) == ["q" + ID, "t" + ID]


# ---- fills


PARTLY = {"cumulative_quantity": "0.0004", "leaves_quantity": "0.0006", "avg_price": "10000", "total_fees": "0.016"}
WHOLE = {"cumulative_quantity": "0.001", "leaves_quantity": "0", "avg_price": "10000", "total_fees": "0.04",
         "status": "FILLED"}  # fmt: skip


def test_a_fill_is_asked_for_at_once_and_told_as_rest_shows_it() -> None:
    """The stream says how much, REST which trade, at which price, for which fee."""
    session = placed()
    (report,), actions = heard(session, 1, row(**PARTLY))
    assert (report.kind, report.cumulative_units, report.quantity_units) == (ReportKind.ACK, 40_000, 100_000)
    (ask,) = actions
    assert isinstance(ask, Request)
    assert (ask.tag, ask.path) == ("t" + ID, "/api/v3/brokerage/orders/historical/fills")
    assert f"order_ids={VENUE_ID}" in ask.params
    with pytest.raises(LocalProtocolError, match="already"):
        session.fetch_fills(THIS, NOW)
    (report,), actions = answered(session, ask.tag, {"fills": [fill()], "cursor": "c"})
    assert report.fill is not None
    assert (report.kind, report.client_id, report.venue_order_id) == (ReportKind.FILL, ID, VENUE_ID)
    made = report.fill
    assert (made.trade_id, made.price_ticks, made.units, made.fee, made.fee_asset, made.liquidity, made.exch_ns) == (
        "t1", 1_000_000, 40_000, Decimal("0.016"), "USD", Liquidity.MAKER, NOW + SECOND,
    )  # fmt: skip
    assert not actions
    assert answered(session, ask.tag, {"fills": [fill()]}) == ([], [])
    again = session.fetch_fills(THIS, NOW)
    assert isinstance(again, Request)
    assert answered(session, again.tag, {"fills": [fill()]}) == ([report], [])


def test_the_end_is_told_after_the_fills() -> None:
    """Until its fills are here an order that has ended is reported open."""
    session = placed()
    reports, actions = heard(session, 1, row(**WHOLE))
    assert kinds(reports) == [ReportKind.ACK]
    assert requested(actions) == ["t" + ID]
    page = {"fills": [fill(2, size="0.0006")], "cursor": "c"}
    reports, actions = answered(session, "t" + ID, page)
    assert kinds(reports) == [ReportKind.FILL]
    assert requested(actions) == ["t" + ID]  # the next page
    reports, _ = answered(session, "t" + ID, {"fills": [fill()], "cursor": ""})
    assert kinds(reports) == [ReportKind.FILL, ReportKind.FOUND_CLOSED]
    assert reports[1].cumulative_units == 100_000
    assert kinds(heard(session, 2, row(**WHOLE))[0]) == [ReportKind.FOUND_CLOSED]


def test_rest_that_lags_is_asked_again() -> None:
    """After a tenth of a second, then twice that, and so on; at once when more has traded since."""
    session = placed()
    heard(session, 1, row(**PARTLY))
    answered(session, "t" + ID, {"fills": []})
    assert session.deadline_ns == NOW + SECOND // 5
    actions = session.timer(session.deadline_ns)
    assert requested(list(actions)) == ["t" + ID]
    assert heard(session, 2, row(**WHOLE)) == ([report_of(WHOLE)], [])
    reports, actions = answered(session, "t" + ID, {"fills": [fill()]})
    assert kinds(reports) == [ReportKind.FILL]
    assert requested(list(actions)) == ["t" + ID]


def report_of(state: dict[str, str]) -> VenueReport:
    """The report of an end that waits for fills."""
    return VenueReport(
        kind=ReportKind.ACK, client_id=ID, venue_symbol="BTC-USD", venue_order_id=VENUE_ID, cumulative_units=100_000,
        quantity_units=-1, reason=state["status"], exch_ns=NOW,
    )  # fmt: skip


def test_what_rest_does_not_show_is_derived_from_the_stream() -> None:
    """After some seconds: the difference of quantities, values and fees, and then nothing of it counts twice."""
    session = placed()
    heard(session, 1, row(**PARTLY))
    answered(session, "t" + ID, b"", 500)
    later = NOW + DERIVE_NS
    (filled,), asked = session.received(frame(2), later)
    assert requested(list(asked)) == ["t" + ID]
    assert filled.fill is not None
    assert (filled.fill.trade_id, filled.fill.price_ticks, filled.fill.units, filled.fill.fee) == (
        f"{VENUE_ID}@40000", 1_000_000, 40_000, Decimal("0.016"),
    )  # fmt: skip
    average = "10000.3"  # 0.0004 at 10000.00 and 0.0006 at 10000.50
    state = {**WHOLE, "avg_price": average}
    (report,), actions = heard(session, 3, row(**state), now_ns=later)
    assert (report.kind, actions) == (ReportKind.ACK, [])
    answer = {"fills": [fill(2, size="0.0006", price="10000.50", commission="0.024"), fill(1)]}
    reports, actions = answered(session, "t" + ID, answer, now_ns=later)
    assert kinds(reports) == [ReportKind.FILL, ReportKind.FOUND_CLOSED]
    assert reports[0].fill is not None
    assert (reports[0].fill.trade_id, reports[0].fill.price_ticks) == ("t2", 1_000_050)
    assert not actions


def test_fills_can_be_derived_at_once_and_are_compared_afterwards() -> None:
    """Without waiting for REST; what it shows later is asked for until it is there, and counts as known."""
    session = ready(config=CoinbaseConfig(derive_fills_after=Duration(0)))
    session.place(ORDER, NOW)
    reports, actions = heard(session, 1, row(**WHOLE))
    assert kinds(reports) == [ReportKind.ACK, ReportKind.FILL, ReportKind.FOUND_CLOSED]
    assert reports[1].fill is not None
    assert (reports[1].fill.units, reports[1].fill.fee) == (100_000, Decimal("0.04"))
    assert requested(actions) == ["t" + ID]
    assert answered(session, "t" + ID, {"fills": [fill()]}) == ([], [])
    assert session.deadline_ns == NOW + SECOND // 5
    assert requested(list(session.timer(session.deadline_ns))) == ["t" + ID]
    answer = {"fills": [fill(2, size="0.0006", commission="0.024"), fill(1)]}
    assert answered(session, "t" + ID, answer) == ([], [])
    assert session.deadline_ns > NOW + SECOND  # nothing more is asked


def test_what_is_not_exact_is_not_derived() -> None:
    """An average off the grid gives no fill; the end is told when REST stays silent, with the quantity it has."""
    session = placed()
    heard(session, 1, row(**{**WHOLE, "avg_price": "10000.003"}))
    answered(session, "t" + ID, b"", 0)
    assert session.received(frame(2), NOW + DERIVE_NS)[0] == []
    (report,), _ = session.received(frame(3), NOW + GIVE_UP_NS)
    assert (report.kind, report.cumulative_units) == (ReportKind.FOUND_CLOSED, 100_000)
    reports, _ = answered(session, "t" + ID, {"fills": [fill(), fill(2, size="0.0006", price="10000.01")]})
    assert kinds(reports) == [ReportKind.FILL, ReportKind.FILL]


def test_fills_that_contradict_the_stream_are_told_and_do_not_count_twice() -> None:
    """What was derived counts; a person is told once."""
    session = placed()
    heard(session, 1, row(**PARTLY))
    session.received(frame(2), NOW + DERIVE_NS)
    answer = {"fills": [fill(price="10001.00")]}
    reports, (tell,) = answered(session, "t" + ID, answer, now_ns=NOW + DERIVE_NS)
    assert not reports
    assert isinstance(tell, Tell)
    assert tell.code == "fill_mismatch"
    assert answered(session, "t" + ID, answer, now_ns=NOW + DERIVE_NS) == ([], [])


def test_a_bust_is_told() -> None:
    """What the venue takes back is no fill."""
    session = placed()
    heard(session, 1, row(**PARTLY))
    answer = {"fills": [fill(), fill(2, trade_type="REVERSAL")]}
    reports, actions = answered(session, "t" + ID, answer)
    assert kinds(reports) == [ReportKind.FILL]
    assert [a.code for a in actions if isinstance(a, Tell)] == ["trade_corrected"]


def test_a_fill_counted_in_the_quote_asset() -> None:
    """Its size is divided by its price."""
    session = placed()
    heard(session, 1, row(**PARTLY))
    (report,), _ = answered(session, "t" + ID, {"fills": [fill(size="4.00", size_in_quote=True)]})
    assert report.fill is not None
    assert report.fill.units == 40_000


def test_the_accounts_trades_in_a_window() -> None:
    """Which orders traded; None when there may be more."""
    session = ready()
    search = session.search_trades(THIS, NOW, NOW + SECOND, NOW + SECOND)
    assert isinstance(search, Request)
    assert "start_sequence_timestamp=2023-11-14T22%3A13%3A10.000" in search.params
    (report,), _ = answered(session, search.tag, {"fills": [fill()], "cursor": ""})
    assert (report.kind, report.order_ids) == (ReportKind.TRADES_SEEN, frozenset({VENUE_ID}))
    (report,), _ = answered(session, search.tag, {"fills": [fill()], "cursor": "more"})
    assert report.order_ids is None


def test_an_order_of_somebody_else_is_reported_as_theirs() -> None:
    """Whoever placed it: it is told under its own id, and its fills are not asked for."""
    reports, actions = heard(ready(), 1, row(client_order_id="theirs", **PARTLY))
    assert [(r.kind, r.client_id, r.cumulative_units) for r in reports] == [(ReportKind.ACK, "theirs", 40_000)]
    assert not actions
