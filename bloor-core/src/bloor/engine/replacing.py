"""Changing an order that is at the venue: replacing it by another, and reducing it.

**Replacing** cancels an order and, only if that succeeds, places another. Both are orders of their own, with client ids
of their own. What both can fill together decides what the gate sees and what is reserved until the cancel is confirmed:

- nothing of the old order has traded: the venue is asked to refuse both if that changes, so the worst case is the
  larger of the two; the gate decides as if the old order were gone, and the larger is reserved;
- something has traded: more of it may trade before the cancel arrives, so the worst case is the sum; the gate sees the
  new order on top of the old one, and both are reserved.

**Reducing** keeps the order, its id and its place in the queue. It passes the whole gate too, as if the order were
asked for anew in the smaller quantity; the larger stays reserved until the venue confirms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bloor.engine.decisions import DecisionKind
from bloor.engine.desk import Desk
from bloor.errors import LocalProtocolError
from bloor.execution.client_id import ClientIds
from bloor.execution.order import Order
from bloor.execution.outcomes import Outcome
from bloor.model.orders import AmendRequest, CancelRequest, OrderRequest, OrderType, ReplaceRequest
from bloor.risk.check import Exposure
from bloor.venue.session import Outgoing

if TYPE_CHECKING:
    from bloor.engine.core import Engine

__all__ = ["NOT_SUPPORTED", "Changes"]

#: A denial of our own: the venue, or this way to it, has no such request.
NOT_SUPPORTED = "CHANGE_NOT_SUPPORTED"


class Changes:
    """Replacements and reductions of one engine's orders.

    Args:
        engine: The decision core.
        ids: Makes client order ids.
        decide: Journals a decision about an order: kind, desk, order, code, lots.
        deny: Counts and journals a denial; returns 0.
        write: Records what goes to a venue, and sends it.
        tell: Takes what comes of a request.
    """

    def __init__(
        self,
        engine: Engine,
        ids: ClientIds,
        *,
        decide: Callable[[DecisionKind, Desk, Order, str, int], None],
        deny: Callable[[Desk, str], int],
        write: Callable[[int, Outgoing], None],
        tell: Callable[[Iterable[Outcome]], None],
    ) -> None:
        self._engine = engine
        self._ids = ids
        self._decide = decide
        self._deny = deny
        self._write = write
        self._tell = tell
        self._exposure = Exposure()

    def replace(self, desk: Desk, number: int, price: int, lots: int) -> int:
        """Cancels an order and places another of its side and kind; its number, or 0 when nothing was sent."""
        engine, old = self._engine, self._of(desk, number)
        if old is None:
            return 0
        decided = engine.stamp()
        joint = old.filled == 0 == old.state.reported
        self._intend(desk, old, price, lots)
        exposure = self._without(desk, old, joint=joint)
        denial = self._denied(desk, exposure)
        if denial:
            return self._deny(desk, denial)
        request = OrderRequest(
            client_id=self._ids.make(desk.number, engine.blotter.next_number), instrument=desk.instrument,
            side=old.request.side, type=old.request.type, tif=old.request.tif, price_ticks=price, lots=lots,
        )  # fmt: skip
        both = ReplaceRequest(old=_named(old), new=request, only_unfilled=joint)
        try:
            payload = engine.lines[desk.line].orders.replace(both, engine.now_ns)
        except LocalProtocolError:
            return self._deny(desk, NOT_SUPPORTED)
        new = engine.blotter.create(request, desk.number, desk.index, engine.now_ns)
        self._decide(DecisionKind.REPLACE, desk, new, old.client_id, lots)
        outcomes = engine.blotter.replace_sent(old, new, engine.now_ns, joint=joint)
        self._write(desk.line, payload)
        engine.measure_sent(new.number, decided, payload)
        self._tell(outcomes)
        return new.number

    def amend(self, desk: Desk, number: int, lots: int) -> bool:
        """Reduces an order to ``lots``; False when nothing was sent."""
        engine, order = self._engine, self._of(desk, number)
        if order is None or lots >= order.lots or lots * desk.lot_units <= max(order.filled, order.state.reported):
            return False
        self._intend(desk, order, order.price, lots)
        exposure = self._without(desk, order, joint=True)
        exposure.position -= order.side * order.filled
        denial = self._denied(desk, exposure)
        payload: Outgoing = b""
        try:
            change = AmendRequest(order=_named(order), lots=lots)
            payload = engine.lines[desk.line].orders.amend(change, engine.now_ns) if not denial else b""
        except LocalProtocolError:
            denial = NOT_SUPPORTED
        if denial:
            self._deny(desk, denial)
            return False
        self._decide(DecisionKind.AMEND, desk, order, "", lots)
        outcomes = engine.blotter.amend_sent(order, lots, engine.now_ns)
        self._write(desk.line, payload)
        self._tell(outcomes)
        return True

    def _of(self, desk: Desk, number: int) -> Order | None:
        """A desk's order, if it can be changed."""
        order = self._engine.blotter.order(number)
        if order is None or (order.strategy, order.instrument_index) != (desk.number, desk.index):
            return None
        return order if self._engine.blotter.can_change(order) else None

    def _intend(self, desk: Desk, order: Order, price: int, lots: int) -> None:
        intent = desk.intent
        intent.side, intent.type, intent.tif = order.side, order.request.type, order.request.tif
        intent.price, intent.lots, intent.units = price, lots, lots * desk.lot_units

    def _without(self, desk: Desk, order: Order, *, joint: bool) -> Exposure:
        """What the gate is to see: a desk's exposure, without an order unless both may fill."""
        seen, now = self._exposure, desk.exposure
        gone = order.reserved if joint else 0
        seen.position, seen.inventory = now.position, now.inventory
        seen.open_buy = now.open_buy - (gone if order.side > 0 else 0)
        seen.open_sell = now.open_sell - (gone if order.side < 0 else 0)
        seen.open_orders = now.open_orders - (1 if joint else 0)
        return seen

    def _denied(self, desk: Desk, exposure: Exposure) -> str:
        """The code of a denial; empty to go on."""
        engine = self._engine
        refused = engine.lines[desk.line].refusal(desk.instrument, OrderType(desk.intent.type), engine.now_ns)
        if refused:
            return refused
        denial = engine.gate.decide(desk.intent, desk.book, exposure, engine.now_ns)
        return denial.code if denial is not None else ""


def _named(order: Order) -> CancelRequest:
    return CancelRequest(client_id=order.client_id, venue_order_id=order.venue_order_id, instrument=order.instrument)
