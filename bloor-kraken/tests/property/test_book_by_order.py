"""A book by order equals the plainest model of one: a list of orders, in the sequence in which they joined."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from decimal import Decimal

from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.book import OrderBook
from bloor.market.instruments import InstrumentTable
from bloor.market.messages import BookMessage
from bloor.market.pipeline import MarketPipeline
from bloor.market.view import BookState
from bloor.model.orders import Side
from bloor_kraken.level3.book import BookByOrder
from bloor_kraken.normalizer import KrakenNormalizer

BID, ASK = 1, -1


@define
class Listed:
    """An order of the model: ticks and units, tenths and hundred millionths."""

    name: str
    side: int
    ticks: int
    units: int
    ns: int

    def text(self, event: str, ns: int | None = None) -> str:
        """It as the venue writes it."""
        said = f'"event":"{event}",' if event else ""
        price, qty = f"{self.ticks // 10}.{self.ticks % 10}", f"{Decimal(self.units).scaleb(-8):.8f}"
        at = self.ns if ns is None else ns
        time = f"2026-09-15T23:{at // 60 % 60:02d}:{at % 60:02d}.000000000Z"
        return f'{{{said}"order_id":"{self.name}","limit_price":{price},"order_qty":{qty},"timestamp":"{time}"}}'


class ListOfOrders:
    """The venue: every order, oldest first; subscribers see those of the best prices.

    Written from the documents, with nothing of the package.
    """

    def __init__(self, seed: int, depth: int) -> None:
        self.random = random.Random(seed)
        self.depth = depth
        self.orders: list[Listed] = []
        self.now = 0
        for _ in range(6 * depth):
            self.add()
        self.seen = self.shown()

    def add(self) -> None:
        """A new order, on its side of the middle."""
        self.now += 1
        side = self.random.choice((BID, ASK))
        ticks = 10_000 - side * self.random.randrange(1, 4 * self.depth)
        self.orders.append(Listed(f"O{self.now}", side, ticks, self.random.randrange(1, 10**9), self.now))

    def change(self) -> None:
        """An order joins, leaves, becomes smaller, grows (to the end), or has another price."""
        what = self.random.random()
        if what < 0.45 or not self.orders:
            self.add()
            return
        at = self.random.randrange(len(self.orders))
        order = self.orders[at]
        if what < 0.7:
            del self.orders[at]
        elif what < 0.9:
            order.units = max(1, order.units - self.random.randrange(1, 10**9))
        else:
            self.now += 1
            ticks = 10_000 - order.side * self.random.randrange(1, 4 * self.depth)
            del self.orders[at]
            self.orders.append(Listed(order.name, order.side, ticks, order.units, self.now))

    def levels(self, side: int) -> dict[int, list[Listed]]:
        """The best levels of a side, best first."""
        found: dict[int, list[Listed]] = {}
        for order in self.orders:
            if order.side == side:
                found.setdefault(order.ticks, []).append(order)
        best = sorted(found, reverse=side == BID)[: self.depth]
        return {ticks: found[ticks] for ticks in best}

    def shown(self) -> dict[str, Listed]:
        """Every order that subscribers see, as it is now."""
        levels = (level for side in (BID, ASK) for level in self.levels(side).values())
        return {o.name: Listed(o.name, o.side, o.ticks, o.units, o.ns) for level in levels for o in level}

    def checksum(self) -> int:
        """CRC-32 over the orders of ten prices, asks first."""
        digits = [
            f"{order.ticks}{order.units}"
            for side in (ASK, BID) for level in list(self.levels(side).values())[:10] for order in level
        ]  # fmt: skip
        return zlib.crc32("".join(digits).encode())

    def frames(self, count: int) -> Iterator[bytes]:
        """An acknowledgement, a snapshot, and updates."""
        yield (
            f'{{"method":"subscribe","result":{{"channel":"level3","depth":{self.depth},"snapshot":true,'
            f'"symbol":"BTC/USD"}},"success":true}}'
        ).encode()
        sides = [[o.text("") for level in self.levels(side).values() for o in level] for side in (BID, ASK)]
        yield self.frame("snapshot", *sides)
        for _ in range(count):
            for _ in range(self.random.choice((0, 1, 1, 1, 2, 5))):
                self.change()
            yield self.update()

    def update(self) -> bytes:
        """What changed of what is seen; nothing of levels that were pushed out."""
        now = self.shown()
        worst = {side: list(self.levels(side)) for side in (BID, ASK)}
        sides: dict[int, list[str]] = {BID: [], ASK: []}
        added: list[tuple[int, str]] = []
        for name, was in self.seen.items():
            is_ = now.get(name)
            if is_ is not None and (is_.side, is_.ticks, is_.ns) == (was.side, was.ticks, was.ns):
                if is_.units != was.units:
                    sides[was.side].append(is_.text("modify", self.now))
                continue
            levels = worst[was.side]
            if len(levels) < self.depth or was.ticks * was.side >= levels[-1] * was.side:
                sides[was.side].append(was.text("delete", self.now))
        for name, is_ in now.items():
            was_ = self.seen.get(name)
            if was_ is None or (was_.side, was_.ticks, was_.ns) != (is_.side, is_.ticks, is_.ns):
                added.append((is_.side, is_.text("add")))
        self.random.shuffle(added)  # the venue does not tell them in the sequence in which they joined
        for side, text in added:
            sides[side].append(text)
        self.seen = now
        return self.frame("update", sides[BID], sides[ASK])

    def frame(self, kind: str, bids: list[str], asks: list[str]) -> bytes:
        """A frame of the channel."""
        return (
            f'{{"channel":"level3","type":"{kind}","data":[{{"symbol":"BTC/USD","checksum":{self.checksum()},'
            f'"bids":[{",".join(bids)}],"asks":[{",".join(asks)}],"timestamp":"2026-09-15T23:41:47.461426256Z"}}]}}'
        ).encode()


@given(st.integers(0, 2**32), st.sampled_from([10, 100]))
def test_the_book_is_that_of_a_list_of_orders(seed, depth):
    """Every checksum agrees, and so do the levels, their queues and the numbers' sequence, whatever happens."""
    venue = ListOfOrders(seed, depth)
    tops: list[tuple[int, int, int, int]] = []
    normalizer = KrakenNormalizer()
    pipeline = MarketPipeline(normalizer, InstrumentTable(()), lambda *_: None)
    for frame in venue.frames(40 if depth == 10 else 10):
        assert pipeline.frame(frame, 0) >= 0
        if b'"data"' not in frame:
            continue
        book = pipeline.book("BTC/USD")
        assert isinstance(book, OrderBook)
        assert book.view.state == BookState.SYNCED
        by_order = normalizer._by_order["BTC/USD"]
        for side in (BID, ASK):
            levels = venue.levels(side)
            queues = [[int(qty.scaleb(8)) for qty in qtys] for _, qtys in by_order.queues.best(side)]
            assert queues == [[order.units for order in level] for level in levels.values()]
            rows = [(ticks, sum(order.units for order in level)) for ticks, level in levels.items()]
            unit = book.instrument
            found = [(unit.price(t) * 10, unit.format_qty(u)) for t, u in book.depth(Side(side))]
            assert [(int(p), Decimal(q)) for p, q in found] == [(t, Decimal(u).scaleb(-8)) for t, u in rows]
        numbers: dict[tuple[int, str], list[int]] = {}
        for change in by_order.queues.whole():
            numbers.setdefault((change.side, change.price), []).append(change.number)
        assert all(each == sorted(set(each)) for each in numbers.values())
        tops.append((book.view.best_bid, book.view.bid_qty, book.view.best_ask, book.view.ask_qty))
    counters = pipeline.counters
    assert (counters.checksums_bad, counters.errors, counters.resyncs) == (0, 0, 0)
    assert counters.checksums_ok == len(tops)


@given(st.integers(0, 2**32), st.integers(2, 20))
def test_a_lost_update_is_noticed_or_made_good(seed, lost):
    """Dropped on the way, it makes a checksum disagree, unless the book is right again all the same."""
    venue, book = ListOfOrders(seed, 10), BookByOrder()
    normalizer = KrakenNormalizer()
    noticed = wrong = False
    for number, frame in enumerate(venue.frames(30)):
        if number == lost:
            continue
        for message in normalizer.decode(frame):
            if isinstance(message, BookMessage):
                noticed = noticed or normalizer.checksum(message, None) != message.checksum
        if number > lost:
            book = normalizer._by_order["BTC/USD"]
            best = {side: list(venue.levels(side).values()) for side in (BID, ASK)}
            wrong = any(
                [[int(q.scaleb(8)) for q in qtys] for _, qtys in list(book.queues.best(side))[:10]]
                != [[order.units for order in level] for level in best[side]]
                for side in (BID, ASK)
            )
    assert noticed or not wrong
