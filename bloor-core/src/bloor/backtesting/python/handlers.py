"""The handlers of a strategy that is ordinary Python, of one desk, as kernels find them."""

from __future__ import annotations

import sys
import traceback
from ctypes import PYFUNCTYPE, c_int64, c_void_p, cast, pythonapi
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import frozen

from bloor.backtesting import layout as at
from bloor.backtesting.kernels import calling
from bloor.backtesting.memory import DeskMemory, address, put
from bloor.backtesting.models.fee import FEE_DECIMALS
from bloor.backtesting.python import kernel
from bloor.backtesting.python.orders import DeskOrders
from bloor.execution.client_id import ClientIds
from bloor.execution.life import Status
from bloor.market.events import EventView
from bloor.model.instrument import Instrument
from bloor.model.orders import Fill, Liquidity, Side
from bloor.native.memory import cell_at
from bloor.strategy.api import Strategy
from bloor.strategy.memory import METHODS, Handler

__all__ = ["OrderChange", "PythonHandlers", "overridden"]

#: ``void PyErr_Restore(PyObject *type, PyObject *value, PyObject *traceback)``: raises what was fetched.
_restore = PYFUNCTYPE(None, c_void_p, c_void_p, c_void_p)(("PyErr_Restore", pythonapi))
_FETCH = cast(pythonapi.PyErr_Fetch, c_void_p).value or 0
#: Client ids as a run of node 0 would make them in its first epoch.
_IDS = ClientIds(0, 0)


@frozen(kw_only=True)
class OrderChange:
    """What ``on_order`` is given: :class:`bloor.strategy.api.OrderUpdate`."""

    number: int
    side: int
    price: int
    lots: int
    filled: int
    status: Status
    closed: bool


def overridden(cls: type[Strategy]) -> frozenset[Handler]:
    """The handlers that a strategy class has of its own."""
    return frozenset(h for h, name in METHODS.items() if getattr(cls, name) is not getattr(Strategy, name))


class PythonHandlers:
    """What kernels call in the stead of a strategy's compiled handlers.

    Attributes:
        strategy: The instance.
        error: What one of its handlers has raised; None before.
    """

    def __init__(self, strategy: Strategy, desk: DeskMemory, orders: DeskOrders, until_ns: int = at.NEVER) -> None:
        """Puts the handlers of a strategy into a desk.

        Args:
            strategy: The instance.
            desk: The desk.
            orders: What the handlers are given of it.
            until_ns: The backtest ends with what a handler raises at this time or later, and with the first event of
                this desk after it.
        """
        self.strategy = strategy
        self.error: BaseException | None = None
        self._desk, self._orders, self._until_ns = desk, orders, until_ns
        self._instrument: Instrument = desk.lane.instrument
        self._fills = 0
        self._event = EventView()
        self._table = np.zeros(kernel.TABLE_CELLS, np.int64)
        self._kept: list[Any] = []
        for offset, value in ((kernel.EVENT, self._event.address), (kernel.FETCH, _FETCH), (kernel.UNTIL, until_ns)):
            put(self._table, offset, value)
        self._write(0, PythonHandlers._rescue, self)
        for handler in overridden(type(strategy)):
            self._prepare(handler)
        put(desk.cells, at.DESK_CALLS, address(self._table))
        put(desk.cells, at.DESK_INVOKE, calling().address["invoke"])

    def _prepare(self, handler: Handler) -> None:
        """Writes the call of a handler: the method, and what it is given."""
        method: Any = getattr(self.strategy, METHODS[handler])
        book, orders = self._desk.lane.view, self._orders
        given: tuple[Any, ...]
        if handler in (Handler.TRADE, Handler.BBO):
            given = (self._event, book, orders)
        elif handler is Handler.BAR:
            given = (self._desk.closed_bar, book, orders)
        elif handler is Handler.BOOK:
            given = (book, orders)
        elif handler in (Handler.FILL, Handler.ORDER):
            method = PythonHandlers._on_fill if handler is Handler.FILL else PythonHandlers._on_order
            given = (self,)
        else:
            given = (orders,)
        self._write(handler, method, *given)

    def _write(self, handler: int, method: Any, *given: Any) -> None:
        """Writes a call into the table; what it is given lives as long as the desk, or is kept here."""
        self._kept += [method, *(thing for thing in given if thing is not self)]
        call = kernel.CALLS + kernel.CALL_BYTES * handler
        put(self._table, call + kernel.CALL_METHOD, id(method))
        put(self._table, call + kernel.CALL_COUNT, len(given))
        for number, thing in enumerate(given):
            put(self._table, call + kernel.CALL_ARGUMENTS + 8 * number, id(thing))

    # ---- what is made anew for each call

    def _on_fill(self) -> None:
        lane = self._desk.lane
        run = int(lane.cells[at.RUN // 8])
        row = cell_at(run + at.RUN_FILLS) + (cell_at(run + at.RUN_FILL_COUNT) - 1) * at.FILL_BYTES
        told = self._desk.fill
        in_base = cell_at(row + at.FILL_KEPT) > 0
        fee = Decimal(cell_at(row + at.FILL_FEE)).scaleb(-FEE_DECIMALS)
        instrument, self._fills = self._instrument, self._fills + 1
        price = Decimal(told.price_ticks * instrument.tick_units).scaleb(-instrument.price_decimals)
        cells = self._desk.cells
        fill = Fill(
            client_id=_IDS.make(int(cells[at.DESK_STRATEGY // 8]), cell_at(row + at.FILL_ORDER)),
            instrument=instrument,
            side=Side(told.side),
            trade_id=f"{int(cells[at.DESK_NUMBER // 8])}-{self._fills}",
            price_ticks=told.price_ticks,
            units=told.units,
            fee=fee,
            fee_asset=instrument.base if in_base else instrument.quote,
            fee_quote=fee * price if in_base else fee,
            liquidity=Liquidity(told.liquidity),
            exch_ns=told.exch_ns,
            recv_ns=told.recv_ns,
        )
        self.strategy.on_fill(fill, lane.view, self._orders)  # type: ignore[arg-type]

    def _on_order(self) -> None:
        said = self._desk.order
        change = OrderChange(
            number=said.number, side=said.side, price=said.price, lots=said.lots, filled=said.filled,
            status=Status(said.status), closed=said.closed != 0,
        )  # fmt: skip
        self.strategy.on_order(change, self._desk.lane.view, self._orders)  # type: ignore[arg-type]

    # ---- what they raise

    def _rescue(self) -> None:
        """Keeps what a handler has raised; what is no ``Exception``, as Ctrl-C, ends the backtest."""
        kind, value, trace = (int(cell) for cell in self._table[kernel.ERROR // 8 :][:3])
        fault = at.FAULT_ENDED if self._orders.now_ns >= self._until_ns else 0
        if kind:
            try:
                _restore(kind, value, trace)
            except Exception as error:  # noqa: BLE001 (whatever a handler raises)
                self.error = error
            except BaseException as error:  # noqa: BLE001 (Ctrl-C, and whatever else wants to end the program)
                self._desk.raised, fault = error, at.FAULT_INTERRUPTED
        if fault:
            run = int(self._desk.lane.cells[at.RUN // 8])
            c_int64.from_address(run + at.RUN_FAULT).value = fault

    @property
    def reason(self) -> str:
        """What a handler has raised, and where, in words; empty when none did."""
        if self.error is None:
            return ""
        frames = traceback.extract_tb(self.error.__traceback__)
        module = sys.modules.get(type(self.strategy).__module__)
        mine = [frame for frame in frames if frame.filename == getattr(module, "__file__", None)]
        where = METHODS[Handler(int(self._desk.cells[at.DESK_FAULT_HANDLER // 8]))]
        said = f"{type(self.error).__name__} in {where}: {self.error}"
        last = (mine or frames[1:] or frames)[-1]
        return f"{said} ({last.filename}, line {last.lineno})"
