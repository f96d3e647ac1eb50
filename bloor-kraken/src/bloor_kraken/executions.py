"""What Kraken's private stream says of orders, as :class:`~bloor.model.orders.VenueReport` (sans I/O).

Theory of operation
===================

A frame of the channel ``executions`` holds *deltas*: only ``order_id``, ``exec_type``, ``order_status`` and
``timestamp`` are always there. Which of our orders it is, and in which pair, is said once: in ``pending_new``, in the
snapshot, in every trade, or in the answer to ``add_order``, which may come later than the first frames. So

- :meth:`Executions.bind` remembers what an ``order_id`` is, from whichever source says it first;
- a row about an order that is not known yet is kept, and read as soon as it is (:data:`KEPT` orders at most, the oldest
  go first: rows about orders of other programs without a client order id end there).

The reports of a set of rows are therefore the same in whatever order rows and answers came.

A fill is what ``exec_type`` ``trade`` says, named by its ``exec_id``, and nothing else: ``filled`` repeats totals, and
counts as the answer that the order is closed. Snapshots repeat the last fills; those of orders that this session has
never heard of are of earlier runs and are left out.

Frames are numbered (``sequence``). A hole means that something was missed: the channel is left and subscribed to again,
and its snapshot says what is open. Source: docs.kraken.com, Spot WebSocket v2, "Executions".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from bloor.errors import MoneyError, RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, ReportKind, VenueFill, VenueReport
from bloor_kraken.exact import Number
from bloor_kraken.frames.fields import amount, positive, time_ns, wrong
from bloor_kraken.symbols import balance_asset

__all__ = ["BAD_ROW", "KEPT", "Bound", "Executions", "Fees", "fees_of", "text"]

KIND = "executions"
#: Orders whose rows are kept until it is known whose they are, rows of each, and orders that are remembered.
KEPT, KEPT_ROWS, REMEMBERED = 256, 64, 20_000
#: Code of what is told of a row that cannot be read: the stream must be read anew.
BAD_ROW = "bad_order_row"
_OURS = "user requested"
_ENDED = {"filled": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED"}
_NOTHING = frozenset({"pending_new", "iceberg_refill", "status"})

Row = Mapping[str, Any]


class Bound(NamedTuple):
    """Whose order a venue's id is.

    Attributes:
        client_id: Our id of it; somebody else's, or empty, when it is not ours.
        instrument: What it trades.
    """

    client_id: str
    instrument: Instrument


class Fees(NamedTuple):
    """What a fill cost.

    Attributes:
        fee: How much; negative for a rebate.
        asset: Of what.
        others: Fees in further assets, as text: nobody has seen that, and it must be told if it happens.
    """

    fee: Decimal
    asset: str
    others: str = ""


def text(kind: str, row: Row, name: str) -> str:
    """A field that is a text which is not empty.

    Raises:
        RemoteProtocolError: It is none.
    """
    value = row.get(name)
    if type(value) is not str or not value or len(value) > 64:
        raise wrong(kind, name, "a text", value)
    return value


def _signed(kind: str, name: str, value: Any) -> Decimal:
    if type(value) is Number and value.startswith("-"):
        return -Decimal(amount(kind, name, Number(value[1:])))
    return Decimal(amount(kind, name, value))


def fees_of(kind: str, row: Row) -> Fees:
    """``fees``: a list of ``{"asset","qty"}``; the sum of the first asset's.

    Raises:
        RemoteProtocolError: It is no such list.
    """
    listed = row.get("fees", [])
    if type(listed) is not list or any(type(each) is not dict for each in listed):
        raise wrong(kind, "fees", "a list of objects", listed)
    sums: dict[str, Decimal] = {}
    for each in listed:
        name, _ = balance_asset(text(kind, each, "asset"))
        sums[name] = sums.get(name, Decimal(0)) + _signed(kind, "fees: qty", each.get("qty"))
    if not sums:
        return Fees(Decimal(0), "")
    (asset, fee), *others = sums.items()
    return Fees(fee, asset, ", ".join(f"{f} {a}" for a, f in others))


class Executions:
    """The orders that the private stream speaks of.

    Attributes:
        told: What a person should know of the last rows: ``(code, text)``; whoever tells it empties the list.

    Args:
        instruments: By venue symbol.
    """

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._bound: OrderedDict[str, Bound] = OrderedDict()
        self._by_client_id: dict[str, str] = {}
        self._kept: OrderedDict[str, list[Row]] = OrderedDict()
        self._placed: OrderedDict[str, Instrument] = OrderedDict()
        self.told: list[tuple[str, str]] = []

    # ---- whose orders they are

    def placed(self, client_id: str, instrument: Instrument) -> None:
        """An order of this run was sent, or is asked about."""
        self._placed[client_id] = instrument
        if len(self._placed) > REMEMBERED:
            self._placed.popitem(last=False)

    def instrument(self, client_id: str) -> Instrument | None:
        """What an order of this session trades; None of one that it has never heard of."""
        return self._placed.get(client_id)

    def venue_id(self, client_id: str) -> str:
        """The venue's id of an order; empty when it is not known."""
        return self._by_client_id.get(client_id, "")

    def bound(self, order_id: str) -> Bound | None:
        """What an order of the venue's is; None when nobody has said it yet."""
        return self._bound.get(order_id)

    def bind(self, order_id: str, client_id: str, instrument: Instrument) -> Sequence[VenueReport]:
        """It became known whose an order is; the reports of what was kept of it."""
        if order_id not in self._bound:
            self._bound[order_id] = Bound(client_id, instrument)
            if client_id:
                self._by_client_id[client_id] = order_id
            if len(self._bound) > REMEMBERED:
                _, gone = self._bound.popitem(last=False)
                self._by_client_id.pop(gone.client_id, None)
        reports: list[VenueReport] = []
        for row in self._kept.pop(order_id, ()):
            try:
                reports += self._read(row)
            except RemoteProtocolError as error:
                self.told.append((BAD_ROW, f"kraken: {error}"))
        return reports

    # ---- rows

    def update(self, row: Row) -> Sequence[VenueReport]:
        """One row of an update.

        Raises:
            RemoteProtocolError: A field is missing or wrong; the message names it.
        """
        order_id = text(KIND, row, "order_id")
        before = self._introduced(order_id, row)
        if order_id not in self._bound:
            self._keep(order_id, row)
            return ()
        return [*before, *self._read(row)]

    def snapshot(self, row: Row) -> Sequence[VenueReport]:
        """One row of a snapshot: an order that is open, or one of the last fills.

        Raises:
            RemoteProtocolError: A field is missing or wrong; the message names it.
        """
        order_id = text(KIND, row, "order_id")
        before = self._introduced(order_id, row)
        bound = self._bound.get(order_id)
        if bound is None:
            return ()  # somebody else's, without a client order id
        if row.get("exec_type") == "trade":
            return [*before, *self._fill(bound, row)] if bound.client_id in self._placed else before
        ended = _ENDED.get(row.get("order_status", ""))
        kind = ReportKind.FOUND_CLOSED if ended else ReportKind.FOUND_OPEN
        return [*before, self._report(kind, bound, row, reason=ended or text(KIND, row, "order_status").upper())]

    def _introduced(self, order_id: str, row: Row) -> Sequence[VenueReport]:
        """What a row that says whose order it is makes known."""
        if order_id in self._bound or "symbol" not in row or not row.get("cl_ord_id"):
            return ()
        instrument = self._instruments.get(text(KIND, row, "symbol"))
        return () if instrument is None else self.bind(order_id, text(KIND, row, "cl_ord_id"), instrument)

    def _keep(self, order_id: str, row: Row) -> None:
        rows = self._kept.setdefault(order_id, [])
        if len(rows) < KEPT_ROWS:
            rows.append(row)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _read(self, row: Row) -> Sequence[VenueReport]:
        """What a row says of an order that is known."""
        bound = self._bound[text(KIND, row, "order_id")]
        kind, status = text(KIND, row, "exec_type"), row.get("order_status")
        if kind == "trade":
            return self._fill(bound, row)
        if kind == "new":
            return [self._report(ReportKind.ACK, bound, row)]
        if kind in ("filled", "status") and status in _ENDED:
            return [self._report(ReportKind.FOUND_CLOSED, bound, row, reason=_ENDED[status])]
        if kind == "filled":
            return [self._report(ReportKind.FOUND_CLOSED, bound, row, reason="FILLED")]
        if kind == "canceled":
            why = str(row.get("reason") or row.get("cancel_reason") or _OURS)
            asked = why.lower().startswith(_OURS)
            ends = ReportKind.CANCELLED if asked else ReportKind.EXPIRED
            return [self._report(ends, bound, row, reason=f"{why:.80}")]
        if kind == "expired":
            why = str(row.get("reason") or "expired")
            return [self._report(ReportKind.EXPIRED, bound, row, reason=f"{why:.80}")]
        if kind in ("amended", "restated"):
            return [self._report(ReportKind.REPLACED, bound, row)] if "order_qty" in row else ()
        if kind in _NOTHING:
            return ()
        return [self._report(ReportKind.UNCERTAIN, bound, row, reason=f"execution type {kind!r} is not known")]

    def _report(self, kind: ReportKind, bound: Bound, row: Row, *, reason: str = "") -> VenueReport:
        return VenueReport(
            kind=kind,
            client_id=bound.client_id,
            venue_symbol=bound.instrument.venue_symbol,
            venue_order_id=text(KIND, row, "order_id"),
            cumulative_units=_units(bound.instrument, row, "cum_qty"),
            quantity_units=_ordered(bound.instrument, row),
            reason=reason,
            exch_ns=time_ns(KIND, dict(row), "timestamp", optional=True),
        )

    def _fill(self, bound: Bound, row: Row) -> Sequence[VenueReport]:
        """An execution; without its price, quantity or name it is no frame at all."""
        i = bound.instrument
        fees = fees_of(KIND, row)
        if fees.others:
            self.told.append(("fees_in_several_assets", f"a fill of {bound.client_id} also cost {fees.others}"))
        exch_ns = time_ns(KIND, dict(row), "timestamp", optional=True)
        try:
            fill = VenueFill(
                trade_id=text(KIND, row, "exec_id"),
                price_ticks=i.parse_price(positive(KIND, "last_price", row.get("last_price"))),
                units=i.parse_qty(positive(KIND, "last_qty", row.get("last_qty"))),
                fee=fees.fee,
                fee_asset=fees.asset or i.quote,
                liquidity=Liquidity.MAKER if row.get("liquidity_ind") == "m" else Liquidity.TAKER,
                exch_ns=exch_ns,
            )
        except MoneyError as error:
            raise RemoteProtocolError(f"{KIND}: a fill of {i.venue_symbol}: {error}") from error
        return [
            VenueReport(
                kind=ReportKind.FILL,
                client_id=bound.client_id,
                venue_symbol=i.venue_symbol,
                venue_order_id=text(KIND, row, "order_id"),
                cumulative_units=_units(i, row, "cum_qty"),
                quantity_units=_ordered(i, row),
                fill=fill,
                exch_ns=exch_ns,
            )
        ]


def _units(instrument: Instrument, row: Row, name: str) -> int:
    """A quantity that may not be said."""
    if name not in row:
        return -1
    try:
        return instrument.parse_qty(amount(KIND, name, row[name]))
    except MoneyError as error:
        raise RemoteProtocolError(f"{KIND}: {name} of {instrument.venue_symbol}: {error}") from error


def _ordered(instrument: Instrument, row: Row) -> int:
    """The ordered quantity, if it is said; what is filled has no other than what was filled of it.

    So a reduction whose report was lost is known by the end of the order.
    """
    if row.get("order_status") == "filled" and "cum_qty" in row:
        return _units(instrument, row, "cum_qty")
    return _units(instrument, row, "order_qty")
