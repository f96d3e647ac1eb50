"""What a run measures of itself: counters and latencies. Nothing is decided from them."""

from __future__ import annotations

from bloor.engine.fused.layout import EVENTS_SEEN, FRAMES_SEEN
from bloor.execution.order import Order
from bloor.model.latency import Histogram
from bloor.venue.session import Outgoing

__all__ = ["Measurements"]


class Measurements:
    """Counters and latency histograms of one engine; stamps are ns of a monotonic clock.

    Attributes:
        bad_frames: Frames that could not be read.
        denials: Denied orders by code.
        denied: Denied orders by the strategy's number.
        tick_to_decision: From the frame's arrival in the process to the strategy's decision.
        tick_to_wire: From there to the return of the socket's write: gate, journal and encoding included. Of an order
            that goes as a request over REST: to when the request was written, which may have had to wait.
        order_to_ack: From the write to the arrival of the first answer that shows the order accepted.
        acks: The same, by venue.
    """

    __slots__ = (
        "_asked",
        "_cells",
        "_written",
        "acks",
        "bad_frames",
        "denials",
        "denied",
        "order_to_ack",
        "tick_to_decision",
        "tick_to_wire",
    )

    def __init__(self, cells: memoryview) -> None:
        """Starts at zero; ``cells`` are those of the run, where compiled code counts too."""
        self._cells = cells
        self.bad_frames = 0
        self.denials: dict[str, int] = {}
        self.denied: dict[int, int] = {}
        self.tick_to_decision = Histogram()
        self.tick_to_wire = Histogram()
        self.order_to_ack = Histogram()
        self.acks: dict[str, Histogram] = {}
        self._written: dict[int, int] = {}
        self._asked: dict[str, tuple[int, int]] = {}

    @property
    def frames(self) -> int:
        """Frames received."""
        return self._cells[FRAMES_SEEN]

    @frames.setter
    def frames(self, count: int) -> None:
        self._cells[FRAMES_SEEN] = count

    @property
    def events(self) -> int:
        """Events made of them."""
        return self._cells[EVENTS_SEEN]

    @events.setter
    def events(self, count: int) -> None:
        self._cells[EVENTS_SEEN] = count

    def deny(self, code: str, strategy: int) -> None:
        """An order of a strategy was denied."""
        self.denials[code] = self.denials.get(code, 0) + 1
        self.denied[strategy] = self.denied.get(strategy, 0) + 1

    def order_sent(self, number: int, arrived: int, decided: int, written: int, out: Outgoing = b"") -> None:
        """An order was written; or, where it is a request, is going to be."""
        self.tick_to_decision.add(decided - arrived)
        if not isinstance(out, bytes):
            self._asked[out.tag] = number, arrived
            return
        self.tick_to_wire.add(written - arrived)
        self._written[number] = written

    def written(self, tag: str, written: int) -> None:
        """The request with this tag was written."""
        number, arrived = self._asked.pop(tag, (0, 0))
        if number:
            self.tick_to_wire.add(written - arrived)
            self._written[number] = written

    def answered(self, tag: str) -> None:
        """The request with this tag is over, though it may never have been written."""
        self._asked.pop(tag, None)

    def order_updated(self, order: Order, arrived: int) -> None:
        """Something was heard of an order by a frame that arrived at ``arrived``."""
        if order.acked_ns or order.closed:
            written = self._written.pop(order.number, 0)
            if written and order.acked_ns:
                self.order_to_ack.add(arrived - written)
                self.acks.setdefault(order.instrument.venue, Histogram()).add(arrived - written)

    def latencies(self) -> dict[str, dict[str, int]]:
        """Percentiles of every stage, ns."""
        return {
            "tick_to_decision": self.tick_to_decision.summary(),
            "tick_to_wire": self.tick_to_wire.summary(),
            "order_to_ack": self.order_to_ack.summary(),
        }
