"""Make before break: from one connection to another of the same streams, with nothing lost and nothing taken twice.

Theory of operation
===================

A venue ends every connection after a while. Before that a second one is opened. From then on two connections bring the
same messages, each in its own order and with its own delay. What the *first* brings is used as before. What the
*second* brings is kept here. The switch is made when the kept frames are known to begin where the used ones end:

For each *flow* (one kind of message of one instrument) let ``last`` be the newest number that the first connection
brought, and ``join`` the number after which the second connection's messages begin: of a change of a book, the number
before its first one (what it follows on); of a trade, the id before; of a quote, its own number, for quotes skip
numbers. A flow is *covered* when ``last >= join``; also when the second connection brought nothing of it and the first
one nothing later than half an overlap after the second was open. The switch needs every flow covered and an overlap of
``OVERLAP_NS``; half of that is taken to be longer than any frame is under way.

At the switch the first connection is closed, and the kept frames are handed on in their order, without those that hold
nothing newer than ``last``. Where the second connection was behind, it repeats what was used already: until every flow
has passed its ``last``, or for ``SETTLE_NS``, each frame is looked at, and repetitions are skipped. Frames that carry
no number (candles) are compared byte by byte. A book that no number continues (Kraken) is covered by a snapshot on the
second connection, from which it is loaded anew.

Costs nothing while there is no second connection. During an overlap, frames are read a second time, by the reference
normalizer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from attrs import define

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BboMessage, BookMessage, Message, TradeMessage
from bloor.market.normalizer import Normalizer, SequenceRule

__all__ = ["KEPT_LIMIT", "OVERLAP_NS", "PATIENCE_NS", "SETTLE_NS", "Handover", "Kept"]

SECOND = 1_000_000_000
#: Shortest time for which both connections bring their frames: no frame is under way for longer.
OVERLAP_NS = 2 * SECOND
#: Longest time for which a second connection may take to open and to get in sync.
PATIENCE_NS = 60 * SECOND
#: Longest time for which frames are looked at after the switch.
SETTLE_NS = 10 * SECOND
#: Most frames that are kept of the second connection.
KEPT_LIMIT = 1 << 17


class _Kind(Enum):
    """What is numbered by itself."""

    BOOK = "book"
    TRADE = "trade"
    AGG_TRADE = "agg_trade"
    BBO = "bbo"


class _Numbers(NamedTuple):
    """The place of a message in its flow: what it follows on, and its own number; -1 for none."""

    flow: tuple[str, _Kind]
    join: int
    last: int
    whole: bool


class Kept(NamedTuple):
    """A frame of the second connection.

    Attributes:
        number: From 0, in the order of arrival.
        payload: The frame.
        recv_ns: When it was received.
    """

    number: int
    payload: bytes
    recv_ns: int


@define
class _Flow:
    """One kind of message of one instrument: how far each connection is."""

    last: int = -1
    first_ns: int = 0
    first_brought: bool = False
    join: int = -1
    second_last: int = -1
    second_brought: bool = False
    whole: bool = False

    def covered(self, sure_ns: int) -> bool:
        """Whether the second connection goes on where the first one is, or before.

        Args:
            sure_ns: What the first connection brings from here on, the second one must bring too.
        """
        if not self.second_brought:
            return not self.first_brought or self.first_ns < sure_ns
        return self.whole or (self.first_brought and self.last >= self.join)


class Handover:
    """One replacement of one connection; its frames are recorded elsewhere.

    Attributes:
        began_ns: When the second connection was asked for.
        opened_ns: When it was open; 0 before.
        overlap_ns: Shortest overlap.
    """

    def __init__(self, normalizer: Normalizer, now_ns: int, *, overlap_ns: int = OVERLAP_NS) -> None:
        self.began_ns = now_ns
        self.opened_ns = 0
        self.overlap_ns = overlap_ns
        self._normalizer = normalizer
        self._flows: dict[tuple[str, _Kind], _Flow] = {}
        self._kept: list[tuple[Kept, Sequence[_Numbers]]] = []
        self._unnumbered: set[bytes] = set()
        self._settle_until = self._look_ns = 0

    @property
    def deadline_ns(self) -> int:
        """When to look at :meth:`ready` and :meth:`hopeless` next, though no frame came."""
        patience = self.began_ns + PATIENCE_NS
        return min(max(self.opened_ns + self.overlap_ns, self._look_ns), patience) if self.opened_ns else patience

    def looked(self, now_ns: int) -> None:
        """It was looked at and is neither ready nor hopeless: that is enough for a while."""
        self._look_ns = now_ns + SECOND

    def opened(self, now_ns: int) -> None:
        """The second connection is open."""
        self.opened_ns = now_ns

    def first(self, payload: bytes, recv_ns: int) -> None:
        """The first connection brought a frame, and it was used."""
        numbers = self._numbers(payload)
        if not numbers:
            self._unnumbered.add(payload)
        for n in numbers:
            flow = self._flows.setdefault(n.flow, _Flow())
            flow.first_brought = True
            flow.first_ns = recv_ns
            flow.last = max(flow.last, n.last)

    def second(self, payload: bytes, recv_ns: int) -> None:
        """The second connection brought a frame: it is kept."""
        numbers = self._numbers(payload)
        self._kept.append((Kept(len(self._kept), payload, recv_ns), numbers))
        self._second(numbers)

    def _second(self, numbers: Sequence[_Numbers]) -> None:
        for n in numbers:
            flow = self._flows.setdefault(n.flow, _Flow())
            if not flow.second_brought:
                flow.second_brought = True
                flow.join = n.join
            flow.second_last = max(flow.second_last, n.last)
            flow.whole = flow.whole or n.whole

    def ready(self, now_ns: int) -> bool:
        """Whether the second connection can take over without a loss."""
        if not self.opened_ns or now_ns - self.opened_ns < self.overlap_ns or not self._kept:
            return False
        return self.covered

    @property
    def covered(self) -> bool:
        """Whether every flow goes on, on the second connection, where the first one is."""
        sure_ns = self.opened_ns + self.overlap_ns // 2
        return any(f.second_brought for f in self._flows.values()) and all(
            flow.covered(sure_ns) for flow in self._flows.values()
        )

    def hopeless(self, now_ns: int) -> str:
        """Why the second connection should be given up; empty when it should not."""
        if len(self._kept) >= KEPT_LIMIT:
            return f"{KEPT_LIMIT} frames were kept and it is still not in sync ({self._behind()})"
        if now_ns - self.began_ns >= PATIENCE_NS and not self.ready(now_ns):
            state = f"not in sync ({self._behind()})" if self.opened_ns else "not open"
            return f"after {PATIENCE_NS // SECOND} s it is {state}"
        return ""

    def release(self, now_ns: int) -> list[Kept]:
        """The switch: the kept frames that hold something the first connection did not bring, in their order.

        Also when it is not :attr:`covered` because the first connection is gone: then something is missing between the
        two, and books are to be made anew, but nothing is repeated.
        """
        self._settle_until = now_ns + SETTLE_NS
        kept, self._kept = self._kept, []
        return [frame for frame, numbers in kept if self._is_new(frame.payload, numbers)]

    def repeats(self, payload: bytes) -> bool:
        """After the switch: whether a frame holds nothing that was not used already."""
        numbers = self._numbers(payload)
        self._second(numbers)
        return not self._is_new(payload, numbers)

    def settled(self, now_ns: int) -> bool:
        """After the switch: whether no frame can repeat anything any more."""
        return now_ns >= self._settle_until or not (
            self._unnumbered or any(flow.second_last < flow.last for flow in self._flows.values())
        )

    def _is_new(self, payload: bytes, numbers: Sequence[_Numbers]) -> bool:
        if not numbers:
            return payload not in self._unnumbered
        return any(n.last < 0 or n.last > self._flows[n.flow].last for n in numbers)

    def _behind(self) -> str:
        sure_ns = self.opened_ns + self.overlap_ns // 2
        flows = self._flows.items()
        names = [f"{symbol} {kind.value}" for (symbol, kind), flow in flows if not flow.covered(sure_ns)]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return (", ".join(names[:3]) + more) or "nothing was received"

    def _numbers(self, payload: bytes) -> Sequence[_Numbers]:
        try:
            messages = self._normalizer.decode(payload)
        except RemoteProtocolError:
            return ()  # whoever applies it reports it
        return list(self._numbered(messages))

    def _numbered(self, messages: Iterable[Message]) -> Iterable[_Numbers]:
        for m in messages:
            if isinstance(m, BookMessage):
                if self._normalizer.rule is SequenceRule.PREVIOUS and not m.snapshot:
                    join = m.prev_seq
                else:
                    join = m.first_seq - 1
                unnumbered = self._normalizer.rule is SequenceRule.NONE
                last = -1 if unnumbered else m.last_seq
                yield _Numbers((m.symbol, _Kind.BOOK), join, last, m.snapshot and unnumbered)
            elif isinstance(m, TradeMessage):
                if m.trade_id.isdecimal() and len(m.trade_id) < 19:
                    number = int(m.trade_id)
                    kind = _Kind.AGG_TRADE if m.aggregated else _Kind.TRADE
                    yield _Numbers((m.symbol, kind), number - 1, number, False)
            elif isinstance(m, BboMessage) and m.seq >= 0:
                yield _Numbers((m.symbol, _Kind.BBO), m.seq, m.seq, False)
