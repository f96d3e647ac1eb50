"""Both forms of a normalizer side by side, for tests: the same frames, and every difference is an error.

::

    both = BothPipelines(normalizer_spec(), instruments)
    for frame in frames:
        both.frame(frame)
    both.settle()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bloor.hookspecs import NormalizerSpec
from bloor.market.book import OrderBook
from bloor.market.compiled.binding import Call
from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.testing.listening import Heard

__all__ = ["BothPipelines", "WatchedPipeline"]


class WatchedPipeline:
    """One pipeline and everything that it says.

    Args:
        spec: The venue's normalizer.
        instruments: What is listed; others are inferred.
        compiled: Whether the compiled form is used.
        options: As :class:`~bloor.market.pipeline.MarketPipeline`.

    Attributes:
        said: Events with the top of their book after them, lost books and errors, in order.
        pipeline: The pipeline.
    """

    def __init__(
        self, spec: NormalizerSpec, instruments: Iterable[Instrument], *, compiled: bool, **options: Any
    ) -> None:
        self.said: list[Any] = []
        self._table = InstrumentTable(instruments)
        self.pipeline: MarketPipeline = market_pipeline(
            spec, self._table, self._event, compiled=compiled, on_error=self.said.append,
            on_resync=lambda symbol, why: self.said.append((symbol, why)), **options,
        )  # fmt: skip

    def _event(self, event: EventView, book: OrderBook | None) -> None:
        self.said.append((event.array.tobytes(), None if book is None else book.top.tolist()))
        if event.kind in (EventKind.TRADE, EventKind.AGG_TRADE):
            self.said.append(self.pipeline.last_trade_id)

    def standing(self) -> list[Any]:
        """Every level of every book, and its instrument."""
        return [
            (book.instrument, book.top.tolist(), book.depth(Side.BUY), book.depth(Side.SELL))
            for book in self.pipeline.books
        ]

    def all(self) -> Any:
        """Everything that can be seen of it."""
        return (
            self.said, self.pipeline.counters, self.pipeline.last_trade_id, self.standing(), list(self._table)
        )  # fmt: skip


class BothPipelines:
    """A venue's pipeline twice, with the compiled form and without.

    Args:
        spec: The venue's normalizer, with a compiled form.
        instruments: What is listed; others are inferred, unless ``infer`` is false.
        call: How compiled code is called; the fastest way by default.
        options: As :class:`~bloor.market.pipeline.MarketPipeline`.

    Attributes:
        compiled: The one with the compiled form.
        reference: The other one.
    """

    def __init__(
        self, spec: NormalizerSpec, instruments: Iterable[Instrument], *, call: Call | None = None, **options: Any
    ) -> None:
        listed = list(instruments)
        self.compiled = WatchedPipeline(spec, listed, compiled=True, call=call, **options)
        self.reference = WatchedPipeline(spec, listed, compiled=False, **options)
        self._frames = 0

    def frame(self, frame: bytes, recv_ns: int | None = None) -> int:
        """Gives a frame to both; what they answered.

        Raises:
            AssertionError: They differ in what they answer, say or count.
        """
        now = self._frames if recv_ns is None else recv_ns
        answers = [side.pipeline.frame(frame, now) for side in (self.compiled, self.reference)]
        self._agree(answers, frame)
        return answers[0]

    def snapshot(self, body: bytes, venue_symbol: str, recv_ns: int | None = None) -> bool:
        """Gives a REST answer to both; see :meth:`frame`."""
        now = self._frames if recv_ns is None else recv_ns
        answers = [side.pipeline.snapshot(body, venue_symbol, now) for side in (self.compiled, self.reference)]
        self._agree(answers, body)
        return answers[0]

    def take(self, heard: Heard) -> None:
        """Gives what was heard to both; see :meth:`frame`."""
        if heard.snapshot_of:
            self.snapshot(heard.payload, heard.snapshot_of)
        else:
            self.frame(heard.payload)

    def reset(self) -> None:
        """The connection is gone; see :meth:`frame`."""
        for side in (self.compiled, self.reference):
            side.pipeline.reset()
        self._agree([None, None], b"a reset")

    def settle(self) -> None:
        """Compares every level of every book, and everything else.

        Raises:
            AssertionError: They differ.
        """
        assert self.compiled.all() == self.reference.all(), "after all frames, books or instruments differ"

    def _agree(self, answers: list[Any], frame: bytes) -> None:
        self._frames += 1
        shown = f"frame {self._frames}: {frame[:2000]!r}"
        assert answers[0] == answers[1], f"compiled answered {answers[0]}, the reference {answers[1]}, to {shown}"
        one, other = self.compiled, self.reference
        if one.said != other.said:
            pairs = zip([*one.said, None], [*other.said, None], strict=False)
            at, (said, meant) = next((n, pair) for n, pair in enumerate(pairs) if pair[0] != pair[1])
            raise AssertionError(
                f"compiled said {_shown(said)}, the reference {_shown(meant)} (word {at} of both), after {shown}"
            )
        assert one.pipeline.counters == other.pipeline.counters, (
            f"compiled counted {one.pipeline.counters}, the reference {other.pipeline.counters}, after {shown}"
        )


def _shown(said: Any) -> str:
    """An event as its fields."""
    if isinstance(said, tuple) and said and isinstance(said[0], bytes):
        view = EventView()
        view.array.view("u1")[:] = memoryview(said[0])
        return f"{view} with the top {said[1]}"
    return repr(said)
