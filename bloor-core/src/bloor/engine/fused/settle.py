"""What Python does after a handler has asked for something in compiled code: the blotter, the hash, the measures.

The decisions are journaled and the exposure is reserved already; here the same orders enter the books that the rest of
the engine keeps, by the way that every order goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.engine.decisions import SIZE, DecisionKind
from bloor.engine.effects import order_conn
from bloor.engine.fused import layout
from bloor.execution.outcomes import Outcome
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from bloor.engine.core import Engine
    from bloor.engine.desk import Desk
    from bloor.engine.fused.memory import RunMemory

__all__ = ["Settler"]

_PLACE, _DENY = int(DecisionKind.PLACE), int(DecisionKind.DENY)
_SIDES = {int(side): side for side in Side}
_TYPES = {int(kind): kind for kind in OrderType}
_TIFS = {int(tif): tif for tif in TimeInForce}
#: Offset of the client order id in a decision.
_CLIENT_ID = SIZE - 16


class Settler:
    """Settles what handlers have asked for.

    Attributes:
        desks: Address of a desk's cells -> the desk.
    """

    def __init__(self, engine: Engine, memory: RunMemory) -> None:
        self.desks: dict[int, Desk] = {}
        self._engine = engine
        self._memory = memory

    @property
    def desk(self) -> Desk:
        """The desk whose handler was called last."""
        return self.desks[self._memory.cells[layout.DESK]]

    def settle(self, *, sent: bool = False) -> None:
        """Sends what was written, unless that was done, and enters it."""
        run, out = self._memory.cells, self._memory.out
        engine, desk = self._engine, self.desk
        starts = range(0, run[layout.OUT_COUNT] * layout.OUT_CELLS, layout.OUT_CELLS)
        if not sent:
            self._send(desk, starts)
        written = engine.stamp()
        engine.blotter.numbers[0] -= sum(out[at + layout.KIND] == _PLACE for at in starts)
        told: list[Outcome] = []
        for at in starts:
            decision = bytes(self._memory.decisions[8 * at : 8 * at + SIZE])
            engine.log.add(decision)
            kind = out[at + layout.KIND]
            if kind == _PLACE:
                self._placed(desk, at, decision, written)
            elif kind == _DENY:
                denial = engine.gate.account(out[at + layout.VERDICT])
                assert denial is not None
                engine.measures.deny(denial.code, desk.number)
            else:
                order = engine.blotter.order(out[at + layout.NUMBER])
                assert order is not None
                told += engine.blotter.cancel_sent(order, run[layout.NOW])
        engine.tell(told)

    def _send(self, desk: Desk, starts: range) -> None:
        out, frames, conn = self._memory.out, self._memory.frames, order_conn(desk.line)
        for at in starts:
            begin, length = out[at + layout.START], out[at + layout.LENGTH]
            if length:
                self._engine.effects.send(conn, bytes(frames[begin : begin + length]))

    def _placed(self, desk: Desk, at: int, decision: bytes, written: int) -> None:
        """An order enters the blotter, which reserves its exposure by itself."""
        engine, run, out = self._engine, self._memory.cells, self._memory.out
        _, side, kind, tif, price, lots = out[at + layout.ENTRY_ORDER : at + layout.ENTRY_ORDER + 6]
        exposure, units = desk.exposure, lots * desk.lot_units
        if side > 0:
            exposure.open_buy -= units
        else:
            exposure.open_sell -= units
        exposure.open_orders -= 1
        engine.gate.account(0)
        request = OrderRequest(
            client_id=decision[_CLIENT_ID:].rstrip(b"\0").decode("ascii"), instrument=desk.instrument,
            side=_SIDES[side], type=_TYPES[kind], tif=_TIFS[tif], price_ticks=price, lots=lots,
        )  # fmt: skip
        order = engine.blotter.create(request, desk.number, desk.index, run[layout.NOW])
        engine.blotter.sent(order, run[layout.NOW])
        engine.measures.order_sent(order.number, run[layout.MARK], out[at + layout.DECIDED], written)
