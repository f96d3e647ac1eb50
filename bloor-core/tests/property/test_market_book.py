"""The array ladder against a dict, level for level."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.book import OrderBook
from bloor.market.events import NO_PRICE
from bloor.market.kernels import Kernels, compiled_kernels, plain_kernels
from bloor.market.ladder import MAX_TICKS, WINDOW
from bloor.model.instrument import Instrument
from bloor.model.orders import Side

INSTRUMENT = Instrument(
    venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=3
)

#: Near each other, around the edges of a window, and anywhere.
price = st.one_of(
    st.integers(99_900, 100_100),
    st.integers(1, 64),
    st.sampled_from(
        [100_000 + sign * WINDOW * k // 4 + d for sign in (-1, 1) for k in range(1, 6) for d in (-1, 0, 1)]
    ),
    st.integers(1, 10_000_000),
    st.integers(MAX_TICKS - 100, MAX_TICKS),
)
quantity = st.one_of(st.just(0), st.integers(1, 9), st.integers(0, (1 << 63) - 1))
side = st.lists(st.tuples(price, quantity), max_size=12)
message = st.tuples(st.sampled_from(["apply", "apply", "apply", "load", "clear", "truncate"]), side, side)


class Model:
    """Two dicts that do the same slowly."""

    def __init__(self) -> None:
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def apply(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        for levels, rows in zip(self.sides, (bids, asks), strict=True):
            for ticks, units in rows:
                if units:
                    levels[ticks] = units
                else:
                    levels.pop(ticks, None)

    def truncate(self, depth: int) -> None:
        self.sides = (dict(self.depth(Side.BUY)[:depth]), dict(self.depth(Side.SELL)[:depth]))

    def depth(self, side: Side) -> list[tuple[int, int]]:
        levels = self.sides[0 if side is Side.BUY else 1]
        return sorted(levels.items(), reverse=side is Side.BUY)


def same(book: OrderBook, model: Model) -> None:
    """Fails unless the book shows what the model does."""
    bids, asks = model.depth(Side.BUY), model.depth(Side.SELL)
    view = book.view
    assert (view.best_bid, view.bid_qty) == (bids[0] if bids else (NO_PRICE, 0))
    assert (view.best_ask, view.ask_qty) == (asks[0] if asks else (NO_PRICE, 0))
    assert book.depth(Side.BUY) == bids
    assert book.depth(Side.SELL) == asks
    assert book.levels == (len(bids), len(asks))


def play(kernels: Kernels, messages: list[tuple[str, list[tuple[int, int]], list[tuple[int, int]]]]) -> None:
    """Does the same to a book and to a model."""
    book, model = OrderBook(INSTRUMENT, kernels), Model()
    for n, (what, bids, asks) in enumerate(messages):
        if what == "clear":
            book.clear()
            model = Model()
        elif what == "truncate":
            book.truncate(5)
            model.truncate(5)
        else:
            if what == "load":
                model = Model()
            crossed = (book.load if what == "load" else book.apply)(bids, asks, seq=n)
            model.apply(bids, asks)
            assert book.view.seq == n
            tops = model.depth(Side.BUY)[:1], model.depth(Side.SELL)[:1]
            assert crossed == bool(tops[0] and tops[1] and tops[0][0][0] >= tops[1][0][0])
        same(book, model)


@given(st.lists(message, max_size=25))
def test_compiled_book_is_exact(messages: list[tuple[str, list[tuple[int, int]], list[tuple[int, int]]]]) -> None:
    """Every level is where the model has it, near, far, after moves of the window and with empty sides."""
    play(compiled_kernels(), messages)


@pytest.mark.examples(daily=15, soak=2_000)
@given(st.lists(message, max_size=10))
def test_plain_book_is_exact(messages: list[tuple[str, list[tuple[int, int]], list[tuple[int, int]]]]) -> None:
    """The same functions as plain Python give the same book."""
    play(plain_kernels(), messages)


@pytest.mark.examples(daily=10, soak=2_000)
@given(st.integers(1, 10**6), st.integers(0, 2**32))
def test_market_that_wanders_off(start: int, seed: int) -> None:
    """Thousands of levels and a market that walks far through many windows, back over old far levels too."""
    book, model = OrderBook(INSTRUMENT), Model()
    middle, state = start + 200_000, seed
    for n in range(120):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        middle = max(WINDOW, middle + (state >> 40) % 40_001 - 20_000)
        bids = [(middle - 1 - k * (1 + n % 7), k % 5 + 1) for k in range(60)]
        asks = [(middle + 1 + k * (1 + n % 7), k % 5 + 1) for k in range(60)]
        bids += [(ticks, 0) for ticks in model.sides[0] if ticks >= middle]
        asks += [(ticks, 0) for ticks in model.sides[1] if ticks <= middle]
        book.apply(bids, asks)
        model.apply(bids, asks)
        if n % 10 == 0:
            same(book, model)
    same(book, model)


texts = st.from_regex(r"[0-9]{0,20}\.?[0-9]{0,12}", fullmatch=True)


@given(st.lists(st.tuples(texts, texts), max_size=6), st.sampled_from([compiled_kernels, plain_kernels]))
def test_text_is_read_exactly_or_not_at_all(rows: list[tuple[str, str]], kernels: type) -> None:
    """The short way of reading levels agrees with the exact conversion wherever it does not refuse."""
    book = OrderBook(INSTRUMENT, kernels())
    if book.fits(rows, []):
        read = [(int(t), int(q)) for t, q in book._levels[: len(rows)]]
        assert read == book.parsed(rows, [])[0]


@pytest.mark.parametrize(
    "text", ["", "|", ".", "1.", ".5", "-1", "+1", "1e5", "NaN", " 1", "1 ", "1_0", "1|2", "\u0661"]
)
@pytest.mark.parametrize("kernels", [compiled_kernels, plain_kernels])
def test_odd_text_is_refused(text: str, kernels: type) -> None:
    """Nothing but digits with one dot among them passes, whatever stands around it."""
    book = OrderBook(INSTRUMENT, kernels())
    assert not book.fits([(text, "1")], [])
    assert not book.fits([("1", text)], [])
