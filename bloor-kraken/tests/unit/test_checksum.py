"""Kraken's checksum, against the values that Kraken publishes."""

from __future__ import annotations

import pytest

from bloor.market.book import OrderBook
from bloor.market.kernels import plain_kernels
from bloor.market.messages import BookMessage
from bloor.model.instrument import Instrument
from bloor_kraken.checksum import Precisions, book_checksum

# docs.kraken.com, "Book checksum (v2)" and "(v1)": the worked examples
V2_ASKS = (
    "45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911 45290.2 0.15890660 "
    "45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000 45297.5 0.09945542 45299.5 0.18772827"
)
V2_BIDS = (
    "45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000 45280.3 1.54592586 "
    "45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000 45277.3 1.54602737 45276.6 0.15445238"
)
V1_ASKS = " ".join(f"0.{5005 + 5 * n:05} 0.00000500" for n in range(10))
V1_BIDS = " ".join(f"0.0{price} 0.00000500" for price in (5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950))


def message(bids: str, asks: str) -> BookMessage:
    sides = []
    for text in (bids, asks):
        words = text.split()
        sides.append(list(zip(words[::2], words[1::2], strict=True)))
    return BookMessage("A/B", True, -1, -1, -1, *sides)


@pytest.mark.parametrize(
    ("bids", "asks", "expected"), [(V2_BIDS, V2_ASKS, 3310070434), (V1_BIDS, V1_ASKS, 974947235), ("", "", 0)]
)
@pytest.mark.parametrize("finer", [0, 3])
def test_the_published_examples(bids: str, asks: str, expected: int, finer: int) -> None:
    """To the letter, also where the instrument counts in finer units than the text has."""
    instrument = Instrument(
        venue="kraken", symbol="A-B", venue_symbol="A/B", base="A", quote="B", price_decimals=5 + finer,
        qty_decimals=8 + finer,
    )  # fmt: skip
    book = OrderBook(instrument, plain_kernels())
    said = message(bids, asks)
    book.load_text(said.bids, said.asks, seq=-1, exch_ns=0, recv_ns=0)
    assert book_checksum(book, *Precisions().of(said)) == expected


def test_a_tick_that_is_no_power_of_ten() -> None:
    """Prices are written out from ticks: 0.05 a tick and two decimals."""
    instrument = Instrument(
        venue="kraken", symbol="A-B", venue_symbol="A/B", base="A", quote="B", price_decimals=2, tick_units=5,
        qty_decimals=3,
    )  # fmt: skip
    book = OrderBook(instrument, plain_kernels())
    book.load_text([("1.05", "0.010")], [], seq=-1, exch_ns=0, recv_ns=0)
    from zlib import crc32

    assert book_checksum(book, 2, 3) == crc32(b"10510")
    assert book_checksum(book, 4, 2) == crc32(b"105001")


def test_the_decimals_are_the_most_since_the_snapshot() -> None:
    """A text without a fraction takes nothing away; a snapshot begins anew."""
    seen = Precisions()
    assert seen.of(message("1.50 2.000", "")) == (2, 3)
    assert seen.of(message("", "2 1.0")._replace(snapshot=False)) == (2, 3)
    assert seen.of(message("", "2.125 1.0")._replace(snapshot=False)) == (3, 3)
    assert seen.of(message("1.5 1", "")) == (1, 0)
