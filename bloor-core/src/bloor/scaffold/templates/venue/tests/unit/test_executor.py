"""Order entry: what is sent, what is understood, and what is never recorded."""

from __future__ import annotations

import orjson
import pytest
from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, ReportKind, Side, TimeInForce
from bloor.venue.session import Reconnect, Send

from bloor_acme.config import ENDPOINTS
from bloor_acme.credentials import read_credentials
from bloor_acme.executor import ANSWER_NS, AcmeExecutor

INSTRUMENT = Instrument(
    venue="acme",
    symbol="BTC-USDT",
    venue_symbol="BTC_USDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    qty_decimals=5,
)
ORDER = OrderRequest(
    client_id="A1",
    instrument=INSTRUMENT,
    side=Side.BUY,
    type=OrderType.LIMIT,
    tif=TimeInForce.IOC,
    price_ticks=6_000_000,
    lots=10_000,
)


@pytest.fixture
def session() -> AcmeExecutor:
    keys = read_credentials({"key": "k", "secret": "s"})
    return AcmeExecutor(
        ExecutorContext(config=None, endpoints=ENDPOINTS["prod"], credentials=keys, instruments=[INSTRUMENT])
    )


def log_in(session: AcmeExecutor) -> None:
    (asked,) = session.connected(1)
    assert isinstance(asked, Send)
    session.received(b'{"type":"answer","op":"login","ok":true}', 2)


def test_an_order_waits_for_the_log_in(session: AcmeExecutor) -> None:
    """Nothing is sent before the venue knows who we are."""
    with pytest.raises(LocalProtocolError, match="not logged in"):
        session.place(ORDER, 1)
    log_in(session)
    frame = session.place(ORDER, 3)
    assert isinstance(frame, bytes)
    assert orjson.loads(frame) == {
        "op": "place",
        "client_id": "A1",
        "symbol": "BTC_USDT",
        "side": "buy",
        "kind": "limit",
        "tif": "ioc",
        "price": "60000.00",
        "qty": "0.10000",
    }


def test_a_refused_log_in_is_an_error(session: AcmeExecutor) -> None:
    """It says the venue's words."""
    session.connected(1)
    with pytest.raises(RemoteProtocolError, match="BAD_KEY"):
        session.received(b'{"type":"answer","op":"login","ok":false,"code":"BAD_KEY","text":"no"}', 2)


def test_a_silent_venue_is_left(session: AcmeExecutor) -> None:
    """No answer to the log-in: another connection."""
    session.connected(1)
    assert session.deadline_ns == 1 + ANSWER_NS
    (action,) = session.timer(session.deadline_ns)
    assert isinstance(action, Reconnect)


@pytest.mark.parametrize(("code", "kind"), [("NO_FUNDS", ReportKind.REJECT), ("INTERNAL", ReportKind.UNCERTAIN)])
def test_only_a_sure_refusal_is_one(session: AcmeExecutor, code: str, kind: ReportKind) -> None:
    """Any other failure leaves the outcome unknown."""
    log_in(session)
    answer = {"type": "answer", "op": "place", "client_id": "A1", "ok": False, "code": code, "text": "x"}
    reports, _ = session.received(orjson.dumps(answer), 3)
    assert [report.kind for report in reports] == [kind]


def test_keys_are_not_recorded(session: AcmeExecutor) -> None:
    """The journal gets a log-in without key and signature."""
    (asked,) = session.connected(1)
    assert isinstance(asked, Send)
    assert orjson.loads(session.redacted(asked.payload)) == {"op": "login", "time_ns": 1}
