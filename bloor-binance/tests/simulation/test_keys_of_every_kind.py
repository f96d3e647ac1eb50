"""Order entry with each kind of key: one log-on with Ed25519, a signature on each request with HMAC and RSA."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bloor.engine.effects import order_conn


class Wire:
    """Keeps the methods of what is sent over the order connection, and whether each was signed."""

    def __init__(self, run: Any) -> None:
        self.sent: list[tuple[str, bool]] = []
        self._send = run.world.send
        run.world.send = self

    def __call__(self, conn: int, payload: bytes) -> None:
        if conn == order_conn(0):
            document = orjson.loads(payload)
            self.sent.append((document["method"], "signature" in document["params"]))
        self._send(conn, payload)


@pytest.mark.parametrize(("key", "signs"), [("ed25519", False), ("hmac", True), ("rsa", True)])
def test_an_account_is_traded_with_any_key(trading: Any, key: str, signs: bool) -> None:
    """Place, reduce, replace, query, cancel, fills and private stream; the venue verifies every signature."""
    run, desk, strategy = trading.idle(0.5, key=key)
    wire = Wire(run)
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    lots = order.units // desk.lot_units
    assert desk.amend(number, lots - 5)
    run.for_seconds(1)
    new = desk.replace(number, order.price - 10, lots)
    run.for_seconds(1)
    assert desk.buy(desk.book.best_ask + 100, 100, ioc=True)
    run.for_seconds(1)
    assert desk.position == 100 * desk.lot_units
    run.finish()
    trading.assert_true_at_the_end(run)
    assert [name for number, name, _ in strategy.told if number == new] == ["NEW", "PENDING_CANCEL", "CANCELLED"]
    assert dict.fromkeys(wire.sent) == dict.fromkeys(
        [("order.place", signs), ("order.amend.keepPriority", signs), ("order.cancelReplace", signs),
         ("order.cancel", signs)]
    )  # fmt: skip
    assert [code for code, _ in run.alerts] == []


@pytest.mark.parametrize("key", ["hmac", "rsa"])
def test_a_key_that_signs_each_request_opens_the_private_stream_too(trading: Any, key: str) -> None:
    """userDataStream.subscribe.signature, without a log-on; and again after the connection was lost."""
    run, desk, _ = trading.idle(0.5, key=key)
    wire = Wire(run)
    run.world.cut(order_conn(0))
    run.for_seconds(2)
    assert run.engine.lines[0].orders.ready
    assert [method for method, _ in wire.sent] == ["time", "userDataStream.subscribe.signature"]
    number = trading.resting(run, desk)
    assert run.engine.blotter.order(number) in run.engine.blotter.open_orders()
    run.finish()
    trading.assert_true_at_the_end(run)


@pytest.mark.parametrize("key", ["ed25519", "hmac", "rsa"])
def test_a_run_is_replayed_whatever_the_key(trading: Any, key: str) -> None:
    """Signatures are not in the journal, so it is the same again."""
    from bloor.testing.virtual import VirtualRun

    run = VirtualRun(strategies=[trading.Quoter], key=key)
    run.for_seconds(8)
    run.finish()
    trading.assert_true_at_the_end(run)
    trading.assert_replays(run)
