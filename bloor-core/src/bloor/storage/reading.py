"""What the reader of a format works with: instruments, a pipeline whose books are tapped, a sink, and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from attrs import asdict

from bloor.hookspecs import NormalizerSpec
from bloor.market.compiled.binding import compiled_exports
from bloor.market.compiled.pipeline import CompiledPipeline, market_pipeline
from bloor.market.instruments import InstrumentTable
from bloor.market.normalizer import Normalizer
from bloor.market.pipeline import MarketPipeline
from bloor.market.standing import restore_pipeline, standing
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical, split_symbol
from bloor.storage.formats.blocks import Loop, Nowhere
from bloor.storage.kernel import ROOM, compiled_store
from bloor.storage.manifest import read_instrument
from bloor.storage.sink import EventSink
from bloor.storage.tap import BookTap

__all__ = ["KEEP_ROWS", "Reading"]

#: Errors that are kept with their words; the rest are counted.
LISTED_ERRORS = 20
#: Messages between two reports of progress.
REPORT_EVERY = 1 << 13
#: Records between two moments that an interrupted import can continue from.
KEEP_ROWS = 1 << 20


class Reading:
    """One pass over the sources of an import.

    Attributes:
        table: The instruments.
        normalizer: The venue's.
        symbols: Canonical symbols that are wanted; None for all.
        assume_empty: Whether books begin empty.
        sink: Where records go.
        tap: What turns events of a pipeline into records.
        messages: Messages (or rows of a file) read so far.
        errors: The first of what could not be read.
        position: Where the sources are continued, as said in :meth:`standing`; None at their beginning.
    """

    def __init__(
        self,
        spec: NormalizerSpec,
        folder: Path,
        *,
        symbols: Sequence[str] | None,
        instruments: Sequence[Instrument],
        assume_empty: bool,
        chunk_rows: int,
        left_out: Mapping[str, frozenset[str] | None],
        progress: Callable[[str, int, int], None] | None = None,
        compiled: bool = True,
        keep: Callable[[dict[str, Any]], None] | None = None,
        keep_rows: int = KEEP_ROWS,
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        """Begins with nothing, or where another pass stood.

        Args:
            spec: The venue's normalizer.
            folder: Where staged files are made.
            symbols: Canonical symbols that are wanted; None for all.
            instruments: Known instruments.
            assume_empty: Whether books begin empty.
            chunk_rows: Records held in memory.
            left_out: For each source, the symbols that are stored already; None when all of them are.
            progress: Told now and then how far it is.
            compiled: Whether to use the compiled form of the normalizer where there is one.
            keep: Told now and then where this pass stands: :meth:`standing`.
            keep_rows: After how many records.
            saved: Where the pass stood that this one continues; its staged files are in ``folder``.
        """
        known = instruments if saved is None else [read_instrument(entry) for entry in saved["instruments"]]
        self.table = InstrumentTable(known)
        self._instruments = instruments
        self.normalizer = spec.build()
        self._spec = spec
        self._compiled = compiled
        self._chunk_rows = chunk_rows
        self.symbols = symbols
        self.assume_empty = assume_empty
        self.sink = EventSink(self.table, folder, chunk_rows=chunk_rows)
        self.tap = BookTap(self.sink, self.table)
        self.messages = 0
        self.errors: list[str] = []
        self._bad = 0
        self._left_out = left_out
        self._left: frozenset[str] | None = frozenset()
        self._progress = progress
        self._reported = 0
        self._name = ""
        self._pipelines: list[MarketPipeline] = []
        self._keep, self._keep_rows = keep, keep_rows
        self._saved: list[Any] = []
        self.position: Any = None
        if saved is not None:
            self._restore(saved)
        self._kept = self.sink.rows

    def _restore(self, saved: Mapping[str, Any]) -> None:
        self.messages = self._reported = saved["messages"]
        self.errors, self._bad = list(saved["errors"]), saved["bad"]
        self.position = saved["position"]
        self.sink.restore(saved["sink"])
        self.tap.restore(saved["tap"])
        self._saved = list(saved["pipelines"])

    def standing(self, position: Any = None) -> dict[str, Any]:
        """Everything that decides the rest of this pass; all records are in their files now.

        Args:
            position: How far the sources are read, as the reader of the format counts; a later pass finds it in
                :attr:`position`. None when they are read to their end.
        """
        self.sink.flush()
        pipelines = [] if position is None else self._pipelines
        return {
            "position": position,
            "messages": self.messages,
            "errors": self.errors,
            "bad": self._bad,
            "instruments": [asdict(instrument) for instrument in self.table],
            "pipelines": [standing(pipeline) for pipeline in pipelines],
            "tap": self.tap.standing(),
            "sink": self.sink.standing(),
        }

    def between(self, position: Callable[[], Any]) -> None:
        """Nothing is half done now: for readers that can continue in the middle, as often as they like.

        A book that is told by its orders is the normalizer's, and is not kept: its import begins anew.
        """
        if self._keep is not None and not self.tap.by_order and self.sink.taken - self._kept >= self._keep_rows:
            self._keep(self.standing(position()))
            self._kept = self.sink.rows

    def pipeline(
        self,
        normalizer: Normalizer | None = None,
        *,
        on_error: Callable[[str], None],
        resolve: Callable[[], str] | None = None,
        assume_empty: bool | None = None,
    ) -> MarketPipeline:
        """A pipeline whose events go to the sink.

        Args:
            normalizer: Reads the frames; the venue's when None.
            on_error: Told what was wrong with a frame.
            resolve: Whose a snapshot is that does not say it.
            assume_empty: Instead of what the import says.
        """
        options: dict[str, Any] = {
            "on_error": on_error,
            "resolve": resolve,
            "wanted": self.is_wanted,
            "assume_empty": self.assume_empty if assume_empty is None else assume_empty,
            "refetch": False,
            "make_book": self.tap.make_book,
        }
        if normalizer is None:
            made = market_pipeline(self._spec, self.table, self.tap.event, compiled=self._compiled, **options)
        else:
            made = MarketPipeline(normalizer, self.table, self.tap.event, **options)
        self.tap.changed = made.context.changed if isinstance(made, CompiledPipeline) else None
        if self._saved:
            restore_pipeline(made, self._saved.pop(0))
        self._pipelines.append(made)
        return made

    def loop(self, pipeline: MarketPipeline) -> Loop | None:
        """The compiled loop of a pipeline of the venue's; None when there is no compiled form, or too little memory."""
        if not isinstance(pipeline, CompiledPipeline) or self._chunk_rows < 2 * ROOM or self._spec.compiled is None:
            return None
        step = compiled_exports(tuple(self._spec.compiled().modules)).take_address
        return Loop(pipeline, partial(compiled_store(), step), self.sink, self.tap, self.table)

    def looking(self) -> tuple[MarketPipeline, Loop | None]:
        """A pipeline that stores nothing and whose books begin empty, to see what is in a recording, and its loop."""
        table = InstrumentTable(self._instruments)
        made = market_pipeline(
            self._spec,
            table,
            lambda _event, _book: None,
            compiled=self._compiled,
            wanted=self.is_wanted,
            assume_empty=True,
        )
        if not isinstance(made, CompiledPipeline) or self._spec.compiled is None:
            return made, None
        step = compiled_exports(tuple(self._spec.compiled().modules)).take_address
        nowhere = Nowhere()
        return made, Loop(made, partial(compiled_store(), step), nowhere, nowhere, table)

    def begin(self, name: str) -> None:
        """What follows comes from this source."""
        if name == self._name:
            return
        self._name = name
        self._left = self._left_out.get(name, frozenset())
        self.tap.keeps = None if self._left == frozenset() else self.keeps

    def keeps(self, index: int) -> bool:
        """Whether records of an instrument from the present source are stored."""
        return self._left is not None and self.table[index].symbol not in self._left

    def is_wanted(self, instrument: Instrument) -> bool:
        """Whether an instrument is imported."""
        return self.symbols is None or instrument.symbol in self.symbols

    def instrument(self, venue_symbol: str) -> int:
        """Index of the instrument that the venue calls so; inferred when it is not known."""
        venue = self.normalizer.venue
        index = self.table.index_of(venue, venue_symbol)
        if index < 0:
            index = self.table.infer(venue, venue_symbol, *self.normalizer.split(venue_symbol))
        return index

    def only_instrument(self) -> int:
        """Index of the one instrument that was asked for; -1 when none or several were."""
        if self.symbols is None or len(self.symbols) != 1:
            return -1
        (symbol,) = self.symbols
        known = self.table.find(self.normalizer.venue, symbol)
        base, quote = split_symbol(symbol)
        return self.instrument(known.venue_symbol if known else base + quote) if self._is(base, quote, known) else -1

    def _is(self, base: str, quote: str, known: Instrument | None) -> bool:
        """Whether the venue's name of a pair is known, or is the two assets put together."""
        return known is not None or canonical(*self.normalizer.split(base + quote)) == canonical(base, quote)

    def error(self, file: str, line: int, reason: str) -> None:
        """A line of a source could not be read."""
        self._bad += 1
        if len(self.errors) < LISTED_ERRORS:
            self.errors.append(f"{file}:{line}: {reason}")

    def read(self, messages: int = 1) -> None:
        """Counts what was read, and tells of it now and then."""
        self.messages += messages
        if self._progress and self.messages - self._reported >= REPORT_EVERY:
            self._reported = self.messages
            self._progress("reading", self.sink.rows, self.messages)

    def finish(self) -> None:
        """There is no more."""
        self.tap.finish()
        self.sink.flush()

    def counts(self) -> dict[str, int]:
        """What was read, by name; errors include lines that never became a frame."""
        total: dict[str, int] = {"read": self.messages, "rows": self.sink.rows}
        for pipeline in self._pipelines:
            for name, count in asdict(pipeline.counters).items():
                total[name] = total.get(name, 0) + count
        return {**total, "errors": self._bad}
