"""One order of ours: what was asked for, and what is known of it."""

from __future__ import annotations

from decimal import Decimal

from bloor.execution.life import NEW, Lifecycle, Status, status_of
from bloor.model.orders import Fill, OrderRequest, Side, VenueFill
from bloor.venue.session import NEVER

__all__ = ["Order"]


class Order:
    """An order in the blotter; it is the :class:`~bloor.strategy.api.OrderUpdate` that a strategy is given.

    Only the blotter writes to it.

    Attributes:
        number: What ``orders.buy`` or ``orders.sell`` returned; from 1.
        client_id: Our id of it at the venue.
        request: The order as it left the gate.
        instrument: What is traded.
        instrument_index: Its index in the run's table.
        strategy: Index of the strategy in the run.
        side: +1 buy, -1 sell.
        price: Limit price in ticks.
        lots: Ordered quantity in lots, confirmed reductions taken off.
        state: See :mod:`bloor.execution.life`.
        status: The status derived from it.
        filled: Filled quantity so far, in units.
        closed: Whether it can no longer fill, as far as we know.
        reserved: Units that it holds in the exposure of its strategy and instrument.
        venue_order_id: The venue's id of it, empty until it is known.
        reason: The venue's words for a refusal or an end.
        created_ns: When it was made, wall ns since the epoch; so the others, 0 for not yet.
        sent_ns: When its frame was written.
        acked_ns: When the venue was first known to have it.
        amend_ns: When its last reduction was sent.
        cancel_ns: When its last cancel was sent.
        closed_ns: When it ended.
        deadline_ns: When something must be done about it.
        attempts: How many times in a row it was asked about in vain.
        not_found: How many answers since the horizon said that it is nowhere.
        is_fill_missing_told: Whether a person was told that fills stay missing.
        is_unproven_told: Whether a person was told that the order is nowhere found and yet may have traded.
        replaces: The order that this one is to take the place of, when both together can fill no more than the larger
            of the two: then it reserves only what it is larger by, until the other has ended.
        replaced_by: The other way round.
    """

    __slots__ = (
        "acked_ns",
        "amend_ns",
        "attempts",
        "cancel_ns",
        "client_id",
        "closed",
        "closed_ns",
        "created_ns",
        "deadline_ns",
        "filled",
        "instrument",
        "instrument_index",
        "is_fill_missing_told",
        "is_unproven_told",
        "lots",
        "not_found",
        "number",
        "price",
        "reason",
        "replaced_by",
        "replaces",
        "request",
        "reserved",
        "sent_ns",
        "side",
        "state",
        "status",
        "strategy",
        "venue_order_id",
    )

    def __init__(self, number: int, request: OrderRequest, strategy: int, instrument_index: int, now_ns: int) -> None:
        self.number = number
        self.client_id = request.client_id
        self.request = request
        self.instrument = request.instrument
        self.instrument_index = instrument_index
        self.strategy = strategy
        self.side = int(request.side)
        self.price = request.price_ticks
        self.lots = request.lots
        self.state = NEW(request.lots * request.instrument.lot_units)
        self.status: int = status_of(self.state)
        self.filled = 0
        self.closed = False
        self.reserved = 0
        self.venue_order_id = ""
        self.reason = ""
        self.created_ns = now_ns
        self.sent_ns = self.acked_ns = self.amend_ns = self.cancel_ns = self.closed_ns = 0
        self.deadline_ns = NEVER
        self.attempts = self.not_found = 0
        self.is_fill_missing_told = False
        self.is_unproven_told = False
        self.replaces: Order | None = None
        self.replaced_by: Order | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was sent and has not ended, as far as we know."""
        return Lifecycle.CREATED < self.state.lifecycle < Lifecycle.CLOSED

    @property
    def shared(self) -> int:
        """Units of :attr:`replaces` that this order need not reserve again; none once it has ended.

        What an order that has ended still reserves has traded already, so the other one cannot stand for it.
        """
        old = self.replaces
        return old.reserved if old is not None and old.is_open and not self.closed else 0

    @property
    def fills_missing(self) -> int:
        """Units that the venue has counted as filled and we have not seen."""
        return max(0, self.state.reported - self.state.filled)

    def fill(self, fill: VenueFill, fee_quote: Decimal, now_ns: int) -> Fill:
        """One of its executions, as it enters the position."""
        return Fill(
            client_id=self.client_id,
            instrument=self.instrument,
            side=Side(self.side),
            trade_id=fill.trade_id,
            price_ticks=fill.price_ticks,
            units=fill.units,
            fee=fill.fee,
            fee_asset=fill.fee_asset,
            fee_quote=fee_quote,
            liquidity=fill.liquidity,
            exch_ns=fill.exch_ns,
            recv_ns=now_ns,
        )

    def __repr__(self) -> str:
        side = "buy" if self.side > 0 else "sell"
        price = self.instrument.format_price(self.price)
        return (
            f"<{self.client_id} {side} {self.instrument.format_lots(self.lots)} {self.instrument.symbol} at {price}, "
            f"{Status(self.status).name}, filled {self.instrument.format_qty(self.filled)}>"
        )
