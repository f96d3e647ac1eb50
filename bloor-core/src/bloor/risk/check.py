"""What a risk check is: typed limits and one pure function from an order to a denial code.

A check sees one order, the book of its instrument and the exposure that its acceptance would add to, all as records of
integers, and answers 0 to pass or the number of one of its codes to deny. It keeps no clock (``now_ns`` comes with the
event) and does no I/O. What it remembers, it remembers in fields of its own; with a compiled form
(:class:`~bloor.risk.compiled.CompiledCheck`), in cells that both forms read and write.

A limit that is not configured denies: each limits class gives ``None`` as the default of what must be stated, and
:meth:`RiskCheck.sim_limits` says what the `sim` mode uses when the user states nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.model.records import RecordView, record

if TYPE_CHECKING:
    from bloor.risk.compiled import CompiledCheck

__all__ = ["Control", "Exposure", "OrderIntent", "RiskCheck"]


class Control(Enum):
    """The controls that the gate refuses to run without; each must be covered by a loaded check."""

    QUANTITY = "quantity"
    VALUE = "value"
    COLLAR = "collar"
    POSITION = "position"
    STALE_BOOK = "stale-book"
    MESSAGE_RATE = "message-rate"


@record
class OrderIntent(RecordView):
    """An order that a strategy asks for.

    Attributes:
        instrument: Index of the instrument in the run's table.
        side: +1 buy, -1 sell.
        type: An :class:`~bloor.model.orders.OrderType`.
        tif: A :class:`~bloor.model.orders.TimeInForce`.
        price: Limit price in ticks; for a market order the far touch at the decision.
        lots: Quantity in lots.
        units: The same quantity in units.
        strategy: Index of the strategy in the run.
    """

    __slots__ = ()

    instrument: int
    side: int
    type: int
    tif: int
    price: int
    lots: int
    units: int
    strategy: int


@record
class Exposure(RecordView):
    """Worst-case state of one strategy in one instrument, before the order that is checked.

    Exposure is reserved when an order is sent, not when it is acknowledged, and kept while its outcome is unknown.

    Attributes:
        position: Filled position in units, signed.
        open_buy: Units of live, sent and unknown buy orders that may still fill.
        open_sell: The same for sell orders.
        open_orders: How many orders that is.
        inventory: Units of the base asset that were given to the strategy at the start (what a spot account may sell
            beyond its position).
    """

    __slots__ = ()

    position: int
    open_buy: int
    open_sell: int
    open_orders: int
    inventory: int


class RiskCheck(ABC):
    """Base of every risk check. Subclass it, give it limits and codes, return the class from ``bloor_risk_check``."""

    #: Name of the check: the plug-in's name, and its section ``[risk.<name>]``.
    name: ClassVar[str]
    #: The mandatory controls this check covers.
    controls: ClassVar[frozenset[Control]] = frozenset()
    #: attrs class of the limits, the section's type.
    limits: ClassVar[type[Any]]
    #: Denial number (from 1) -> coded reason ``CATEGORY_CONDITION``.
    codes: ClassVar[dict[int, str]]

    @abstractmethod
    def __init__(self, limits: Any, instruments: tuple[Instrument, ...]) -> None:
        """Converts decimal limits to integers of each instrument, once.

        Args:
            limits: An instance of :attr:`limits`.
            instruments: The run's instruments; the index of an :class:`OrderIntent` points into it.
        """

    @classmethod
    @abstractmethod
    def sim_limits(cls) -> Any:
        """The limits that `sim` mode uses where the configuration states none."""

    @abstractmethod
    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """0 to pass, or the number of the reason to deny; called once per order, before it is sent."""

    def compiled(self) -> CompiledCheck | None:
        """The compiled form of this check, with its limits; None, as here, when there is none.

        It answers the same for every order, on the same memory: :meth:`check` is the reference, and a run may ask now
        one and now the other. Only where every check of a run has one does the gate decide in machine code. Asked for
        once, when the gate is made; not asked of a subclass that has a :meth:`check` of its own and no ``compiled``.
        Whatever else a subclass changes, it must see to it that both forms say the same.
        """
        return None
