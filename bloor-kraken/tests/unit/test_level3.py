"""Channel ``level3``: what a frame says, the book by its orders, and its checksum."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BookMessage
from bloor_kraken.normalizer import KrakenNormalizer

#: The example of docs.kraken.com, "L3 checksum (WebSocket v2)": price, then the quantities of its queue.
DOCUMENTED = {
    "bids": [
        ("44939.4", "0.88968699 0.45210000 0.10000000 0.14296323 0.25000000 0.10292988 0.33880000 1.28140860"),
        ("44937.1", "0.03346877"), ("44934.7", "0.35630000"),
        ("44930.2", "0.22734299 0.01000000 0.05550000 0.70000000 0.15000000"), ("44928.0", "0.00105240"),
        ("44919.6", "0.33870000"), ("44919.5", "0.07610000"), ("44912.0", "0.35630000"), ("44909.7", "0.06690000"),
        ("44901.9", "0.00088982"),
    ],
    "asks": [
        ("44939.5", "4.52308393 0.00111261 0.00100000 0.01000000"), ("44950.0", "0.10334926"),
        ("44953.0", "0.00064537"), ("44955.0", "0.00250000"), ("44959.6", "0.35630000 0.35630000"),
        ("44960.1", "0.00338072"), ("44960.2", "0.88967575"), ("44967.0", "3.14392283"), ("44978.5", "0.06778960"),
        ("44979.2", "0.35630000"),
    ],
}  # fmt: skip
CHECKSUM = 1063832831


def order(order_id: str, price: str, qty: str | None, ns: int = 1, event: str = "", *, quoted: bool = False) -> str:
    """One order as the venue writes it: numbers bare, or as text."""
    mark = '"' if quoted else ""
    said = f'"event":"{event}",' if event else ""
    left = f'"order_qty":{mark}{qty}{mark},' if qty is not None else ""
    time = f"2026-09-15T23:41:47.{ns:09d}Z"
    return f'{{{said}"order_id":"{order_id}","limit_price":{mark}{price}{mark},{left}"timestamp":"{time}"}}'


def frame(kind: str, bids: Sequence[str], asks: Sequence[str], checksum: int = 0) -> bytes:
    """A frame of the channel."""
    data = f'"symbol":"BTC/USD","checksum":{checksum},"bids":[{",".join(bids)}],"asks":[{",".join(asks)}]'
    time = ',"timestamp":"2026-09-15T23:41:47.5Z"' if kind == "update" else ""
    return f'{{"channel":"level3","type":"{kind}","data":[{{{data}{time}}}]}}'.encode()


def documented(*, quoted: bool = False) -> bytes:
    """The documented snapshot."""
    sides = {
        side: [
            order(f"{side}{price}-{n}", price, qty, n, quoted=quoted)
            for price, quantities in levels for n, qty in enumerate(quantities.split())
        ]
        for side, levels in DOCUMENTED.items()
    }  # fmt: skip
    return frame("snapshot", sides["bids"], sides["asks"], CHECKSUM)


def taken(normalizer: KrakenNormalizer, payload: bytes) -> tuple[BookMessage, int]:
    """The only message of a frame, and the checksum of the book after it."""
    (message,) = normalizer.decode(payload)
    assert isinstance(message, BookMessage)
    return message, normalizer.checksum(message, None)  # type: ignore[arg-type]


def queue(normalizer: KrakenNormalizer, side: int = 1, level: int = 0) -> list[str]:
    """Quantities at a level, in the sequence of the queue."""
    (_, quantities), *_ = list(normalizer._by_order["BTC/USD"].queues.best(side))[level:]
    return [str(qty) for qty in quantities]


@pytest.fixture
def reader() -> KrakenNormalizer:
    """A normalizer with a book of three bids at one price and an ask."""
    made = KrakenNormalizer()
    bids = [order("A", "10.0", "1.0", 1), order("B", "10.0", "2.0", 2), order("C", "10.0", "3.0", 3)]
    made.decode(frame("snapshot", bids, [order("D", "11.0", "5.0", 4)]))
    return made


@pytest.mark.parametrize("quoted", [False, True])
def test_the_documented_example_has_its_checksum(quoted):
    """Digits of every order, in queue order, of the ten best prices a side; numbers may be bare or text."""
    message, computed = taken(KrakenNormalizer(), documented(quoted=quoted))
    assert computed == message.checksum == CHECKSUM
    assert message.snapshot
    assert message.bids[7] == ("44939.4", "3.55788870")  # levels add up order by order
    assert message.orders is not None
    assert len(message.orders.rows) == len(message.bids) + len(message.asks) == 35


def test_only_ten_levels_count(reader):
    """An order of an eleventh price changes nothing of the checksum."""
    normalizer = KrakenNormalizer()
    taken(normalizer, documented())
    _, computed = taken(normalizer, frame("update", [order("far", "44000.0", "1.00000000", 1, "add")], []))
    assert computed == CHECKSUM


def test_what_an_order_does_becomes_a_change_of_its_level(reader):
    """Each change says the total of the level, whose order it was, and by how much that became smaller."""
    events = [
        order("A", "10.0", "0.4", 5, "modify"),
        order("B", "10.0", None, 6, "delete"),
        order("E", "9.5", "7.0", 7, "add"),
    ]
    message, _ = taken(reader, frame("update", events, []))
    assert message.bids == [("10.0", "5.4"), ("10.0", "3.4"), ("9.5", "7.0")]
    assert message.orders is not None
    seconds = 1_789_515_707_000_000_000
    assert [(row.number - seconds, row.gone) for row in message.orders.rows] == [(1, "0.6"), (2, "2.0"), (7, "0")]
    assert not message.orders.tells_executions
    assert queue(reader) == ["0.4", "3.0"]


def test_an_order_with_another_price_goes_to_the_end(reader):
    """It leaves its level, and nothing of it was executed there."""
    message, _ = taken(reader, frame("update", [order("A", "9.0", "1.0", 9, "modify")], []))
    assert message.bids == [("10.0", "5.0"), ("9.0", "1.0")]
    assert message.orders is not None
    assert [row.gone for row in message.orders.rows] == ["0", "0"]


def test_orders_that_begin_to_be_seen_stand_in_the_sequence_of_their_times(reader):
    """The venue does not always tell them so; what else a message says stays where it is."""
    events = [
        order("Y", "9.5", "2.0", 20, "add"),
        order("A", "10.0", None, 21, "delete"),
        order("X", "9.5", "1.0", 10, "add"),
        order("X", "9.5", "0.5", 30, "modify"),
    ]
    taken(reader, frame("update", events, []))
    assert queue(reader, 1, 1) == ["0.5", "2.0"]


def test_a_known_order_may_be_added_again(reader):
    """It was cut off by the venue's depth and is back: it stands once, and nothing was executed."""
    message, _ = taken(reader, frame("update", [order("A", "10.0", "1.0", 1, "add")], []))
    assert queue(reader) == ["2.0", "3.0", "1.0"]
    assert message.orders is not None
    assert [row.gone for row in message.orders.rows] == ["0", "0"]


def test_what_is_said_of_unknown_orders_is_left_out(reader):
    """They were never seen, or cut off; the checksum tells if that is wrong."""
    events = [order("?", "10.0", "1.0", 9, "modify"), order("!", "10.0", None, 9, "delete")]
    message, _ = taken(reader, frame("update", events, []))
    assert (message.bids, queue(reader)) == ([], ["1.0", "2.0", "3.0"])


def test_a_quantity_of_zero_removes_an_order(reader):
    """Whether the venue calls it a modification or not."""
    taken(reader, frame("update", [order("A", "10.0", "0.00000000", 9, "modify")], []))
    assert queue(reader) == ["2.0", "3.0"]


@pytest.mark.parametrize(("keeps", "stands"), [(True, ["1.5", "2.0", "3.0"]), (False, ["2.0", "3.0", "1.5"])])
def test_the_checksum_says_whether_an_order_that_grows_keeps_its_place(reader, keeps, stands):
    """The documents do not; what a checksum has told once is kept."""
    twin = KrakenNormalizer()
    same = [order(name, "10.0", qty, n) for n, (name, qty) in enumerate(zip("ABC", stands, strict=True))]
    _, told = taken(twin, frame("snapshot", same, [order("D", "11.0", "5.0", 4)]))
    _, computed = taken(reader, frame("update", [order("A", "10.0", "1.5", 9, "modify")], [], told))
    assert computed == told
    assert queue(reader) == stands
    taken(reader, frame("update", [order("B", "10.0", "2.5", 9, "modify")], [], 12345))
    assert queue(reader) == (["1.5", "2.5", "3.0"] if keeps else ["3.0", "1.5", "2.5"])


def test_a_snapshot_begins_anew_and_known_orders_keep_their_numbers(reader):
    """After a resubscription a queue model finds everybody where he was."""
    before = [c.number for c in reader._by_order["BTC/USD"].queues.whole()][1:3]
    again = [order("B", "10.0", "2.0", 777), order("C", "10.0", "3.0", 778)]
    message, _ = taken(reader, frame("snapshot", again, []))
    assert message.orders is not None
    assert [row.number for row in message.orders.rows] == before


@pytest.mark.parametrize(("said", "depth"), [('"depth":100,', 100), ("", 10)])
def test_the_answer_to_a_subscription_says_the_depth(said, depth):
    """Ten levels where nothing is said; a book is cut to it, since nobody deletes what is beyond."""
    reader = KrakenNormalizer()
    reader.decode(
        f'{{"method":"subscribe","result":{{"channel":"level3",{said}"snapshot":true,"symbol":"BTC/USD"}},'
        f'"success":true}}'.encode()
    )
    assert reader.depth("BTC/USD") == depth
    reader.decode(frame("snapshot", [order(f"o{n}", f"{200 - n}.0", "1.0", n) for n in range(depth)], []))
    reader.decode(frame("update", [order("better", "201.0", "1.0", 9, "add")], []))
    prices = [price for price, _ in reader._by_order["BTC/USD"].queues.best(1)]
    assert (prices[0], prices[-1], len(prices)) == ("201.0", f"{202 - depth}.0", depth)


@pytest.mark.parametrize("payload", [
    frame("update", [order("A", "10.0", "1.0", 9, "changed")], []),
    frame("update", [order("", "10.0", "1.0", 9, "add")], []),
    frame("update", [order("A", "0", "1.0", 9, "add")], []),
    frame("update", [order("A", "10.0", "0", 9, "add")], []),
    frame("update", [order("A", "10.0", "-1", 9, "modify")], []),
    frame("update", ["7"], []),
    frame("other", [], []),
    frame("update", [], [], 1 << 32),
    frame("update", [order("A", "10.0", "1.0", 9, "add").replace("2026-09", "yesterday")], []),
])  # fmt: skip
def test_what_cannot_be_read_names_its_field(payload: Any):
    """Nothing is guessed of a frame that may hold a change of the book."""
    with pytest.raises(RemoteProtocolError, match=r"level3|book"):
        KrakenNormalizer().decode(payload)


def test_a_frame_that_says_an_order_twice_cannot_crash_the_book(reader):
    """The same order twice in a snapshot stands once."""
    twice = [order("A", "10.0", "1.0", 1), order("A", "10.0", "1.5", 2)]
    taken(reader, frame("snapshot", twice, []))
    assert queue(reader) == ["1.5"]
    assert json.loads(frame("snapshot", twice, []))
