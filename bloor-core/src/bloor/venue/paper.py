"""Order entry on paper: the session of a run in paper mode, and the frames it exchanges with the paper venue.

The paper venue (:mod:`bloor.simulation.paper`) stands where a real one would: beyond a connection, and outside of the
decision core. So its answers are frames like those of any venue, journaled before anything is decided from them, and a
replay of the journal needs no matching. The frames are our own vocabulary as JSON:

* to the venue ``{"op":"place","id":...,"symbol":...,"side":1,"type":1,"tif":1,"price":ticks,"lots":n}``; with the
  ``op`` ``cancel``, ``query`` or ``fills`` only ``id`` and ``symbol``; ``replace`` has the ``id`` of the old order, the
  ``new`` one as for ``place``, and ``only_unfilled``; ``amend`` has ``lots``; ``trades`` has ``from`` and ``to``;
* from the venue ``{"ready":true,"balances":{...}}`` once, then ``{"reports":[...]}``, each a
  :class:`~bloor.model.orders.VenueReport`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import Commission, ExecutorContext, ExecutorSpec, StandInKeys
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    AmendRequest,
    CancelRequest,
    Liquidity,
    OrderRequest,
    ReplaceRequest,
    ReportKind,
    VenueFill,
    VenueReport,
)
from bloor.venue.session import NEVER, Action

__all__ = ["PaperSession", "pack_reports", "paper_executor"]

SECOND = 1_000_000_000
#: Beyond the configured latencies: how long an order may stay unacknowledged, and when it is lost.
UNKNOWN_AFTER_NS, LOST_AFTER_NS = 3 * SECOND, 20 * SECOND


class PaperSession:
    """See :class:`bloor.venue.session.OrderSession`. It has nothing to authenticate, and no deadline of its own."""

    def __init__(self, _context: ExecutorContext) -> None:
        self.url = "paper:"
        self.deadline_ns = NEVER
        self.ready = False

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Nothing is to be said; the venue speaks first."""
        return ()

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Nothing can be sent."""
        self.ready = False
        return ()

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Never due."""
        return ()

    @property
    def accepting(self) -> bool:
        """Whether orders can be sent."""
        return self.ready

    def place(self, order: OrderRequest, now_ns: int) -> bytes:
        """An order."""
        return self._frame("place", order.client_id, order.instrument, **_wording(order))

    def cancel(self, order: CancelRequest, now_ns: int) -> bytes:
        """A cancel, by our id."""
        return self._frame("cancel", order.client_id, order.instrument)

    def replace(self, both: ReplaceRequest, now_ns: int) -> bytes:
        """A cancel and a new order in one."""
        new = {"id": both.new.client_id, "symbol": both.new.instrument.venue_symbol, **_wording(both.new)}
        old = both.old
        return self._frame("replace", old.client_id, old.instrument, new=new, only_unfilled=both.only_unfilled)

    def amend(self, change: AmendRequest, now_ns: int) -> bytes:
        """A smaller quantity."""
        return self._frame("amend", change.order.client_id, change.order.instrument, lots=change.lots)

    def query(self, client_id: str, instrument: Instrument, now_ns: int) -> bytes:
        """A query, by our id."""
        return self._frame("query", client_id, instrument)

    def fetch_fills(self, order: CancelRequest, now_ns: int) -> bytes:
        """A request for the fills of an order, by our id."""
        return self._frame("fills", order.client_id, order.instrument)

    def search_trades(self, order: CancelRequest, from_ns: int, to_ns: int, now_ns: int) -> bytes:
        """A request for the ids of orders that traded."""
        return self._frame("trades", order.client_id, order.instrument, **{"from": from_ns, "to": to_ns})

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """Nothing is asked over REST."""
        return (), ()

    def redacted(self, frame: bytes) -> bytes:
        """The frame itself: there are no keys."""
        return frame

    def received(self, frame: bytes, now_ns: int) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """What the paper venue says.

        Raises:
            RemoteProtocolError: It is no frame of a paper venue.
        """
        try:
            message = orjson.loads(frame)
            if "ready" in message:
                self.ready = True
                return (), ()
            return [_report(row) for row in message["reports"]], ()
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError, InvalidOperation) as error:
            raise RemoteProtocolError(f"paper: expected reports on orders, got {frame[:60]!r}") from error

    def _frame(self, op: str, client_id: str, instrument: Instrument, **more: Any) -> bytes:
        if not self.ready:
            raise LocalProtocolError(f"{op}: the paper venue has not said that it is ready")
        return orjson.dumps({"op": op, "id": client_id, "symbol": instrument.venue_symbol, **more})


def _wording(order: OrderRequest) -> dict[str, int]:
    side, kind, tif = int(order.side), int(order.type), int(order.tif)
    return {"side": side, "type": kind, "tif": tif, "price": order.price_ticks, "lots": order.lots}


def pack_reports(reports: Sequence[VenueReport]) -> bytes:
    """The frame that says these reports; :meth:`PaperSession.received` reads it."""
    return orjson.dumps({"reports": [_row(report) for report in reports]})


def _row(report: VenueReport) -> dict[str, Any]:
    f = report.fill
    fill = f and [f.trade_id, f.price_ticks, f.units, f"{f.fee:f}", f.fee_asset, int(f.liquidity), f.exch_ns]
    return {
        "kind": int(report.kind),
        "id": report.client_id,
        "symbol": report.venue_symbol,
        "order": report.venue_order_id,
        "cumulative": report.cumulative_units,
        "quantity": report.quantity_units,
        "orders": None if report.order_ids is None else sorted(report.order_ids),
        "reason": report.reason,
        "ns": report.exch_ns,
        "fill": fill,
    }


def _report(row: dict[str, Any]) -> VenueReport:
    fill = None
    if row["fill"]:
        trade_id, price, units, fee, asset, liquidity, ns = row["fill"]
        fill = VenueFill(
            trade_id=trade_id, price_ticks=price, units=units, fee=Decimal(fee), fee_asset=asset,
            liquidity=Liquidity(liquidity), exch_ns=ns,
        )  # fmt: skip
    return VenueReport(
        kind=ReportKind(row["kind"]), client_id=row["id"], venue_symbol=row["symbol"], venue_order_id=row["order"],
        cumulative_units=row["cumulative"], quantity_units=row["quantity"], reason=row["reason"], exch_ns=row["ns"],
        fill=fill, order_ids=None if row["orders"] is None else frozenset(row["orders"]),
    )  # fmt: skip


def paper_executor(venue: str, round_trip_ns: int = 0, commission: Commission | None = None) -> ExecutorSpec:
    """Order entry on paper, in the place of a venue's own.

    Args:
        venue: The venue's name.
        round_trip_ns: Longest time that the configured latencies take, there and back.
        commission: What the venue takes of fills; a replay has no use for it.
    """
    return ExecutorSpec(
        venue=venue,
        build=PaperSession,
        credentials=lambda _: None,
        unknown_after_ns=UNKNOWN_AFTER_NS + round_trip_ns,
        lost_after_ns=LOST_AFTER_NS + round_trip_ns,
        stand_in=StandInKeys(kind=lambda _: "none", make=lambda _: None),
        commission=commission or Commission(),
    )
