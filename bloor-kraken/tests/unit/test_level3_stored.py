"""What is stored of books by order: whose order each change was, and what trades executed of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bloor.market.events import EventKind, Flag
from bloor.storage.cells import Records
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.load import load
from bloor_kraken.instruments import normalizer_spec

SECOND = 1_789_515_707_000_000_000
ACK = (
    '{"method":"subscribe","result":{"channel":"level3","depth":10,"snapshot":true,"symbol":"BTC/USD"},"success":true}'
)


def order(name: str, price: str, qty: str, at: int, event: str = "") -> str:
    """An order, at so many microseconds."""
    said = f'"event":"{event}",' if event else ""
    return (
        f'{{{said}"order_id":"{name}","limit_price":{price},"order_qty":{qty},'
        f'"timestamp":"2026-09-15T23:41:47.{at:06d}500Z"}}'
    )


def told(kind: str, at: int, checksum: int, bids: tuple[str, ...] = (), asks: tuple[str, ...] = ()) -> str:
    """A message of the book."""
    time = f',"timestamp":"2026-09-15T23:41:47.{at:06d}500Z"' if kind == "update" else ""
    return (
        f'{{"channel":"level3","type":"{kind}","data":[{{"symbol":"BTC/USD","checksum":{checksum}{time},'
        f'"bids":[{",".join(bids)}],"asks":[{",".join(asks)}]}}]}}'
    )


def traded(at: int, number: int, side: str, price: str, qty: str) -> str:
    """A trade."""
    return (
        f'{{"channel":"trade","type":"update","data":[{{"symbol":"BTC/USD","side":"{side}","price":{price},"qty":{qty},'
        f'"ord_type":"market","trade_id":{number},"timestamp":"2026-09-15T23:41:47.{at:06d}Z"}}]}}'
    )


def frames(*, trade_first: bool) -> list[str]:
    """Two bids and an ask; a trade executes all of the first bid and a part of the second, the ask is cancelled."""
    from bloor_kraken.level3.book import BookByOrder
    from bloor_kraken.normalizer import KrakenNormalizer

    book = [
        ("snapshot", 0, (order("A", "10.0", "1.0", 1), order("B", "10.0", "2.0", 2)), (order("C", "11.0", "3.0", 3),)),
        ("update", 50, (order("A", "10.0", "1.0", 50, "delete"), order("B", "10.0", "1.5", 50, "modify")), ()),
        ("update", 90, (), (order("C", "11.0", "3.0", 90, "delete"),)),
        ("update", 50_000, (order("D", "9.0", "7.0", 50_000, "add"),), ()),
    ]
    made, reader = [ACK], KrakenNormalizer()
    for kind, at, bids, asks in book:
        reader.decode(told(kind, at, 0, bids, asks).encode())
        known = reader._by_order["BTC/USD"]
        assert isinstance(known, BookByOrder)
        made.append(told(kind, at, known.checksum, bids, asks))
    trades = [
        traded(50, 1, "sell", "10.0", "1.0"),
        traded(50, 2, "sell", "10.0", "0.5"),
        traded(60, 3, "buy", "99.0", "4.0"),
    ]
    place = 2 if trade_first else 3
    return [*made[:place], *trades, *made[place:]]


def imported(folder: Path, lines: list[str], **options: object) -> Records:
    """What is stored of a recording with these lines."""
    recording = folder / "recording.txt"
    recording.write_text("".join(f"{SECOND + 1_000_000 * n} {line}\n" for n, line in enumerate(lines)))
    [made] = import_data(folder / "c", normalizer_spec(), [recording], ImportOptions(parquet=False, **options))  # type: ignore[arg-type]
    assert not made.manifest.errors
    assert made.manifest.counts["checksums_ok"] == 4
    return np.array(load("kraken", "BTC-USD", catalogue=folder / "c"))


def executions(rows: Records) -> list[tuple[int, int, int, int]]:
    """Side, price, order (0 of one that is not shown, else us since the second) and quantity of each."""
    found = rows[(rows["kind"] == EventKind.LEVEL) & (rows["qty2"] > 0)]
    return [
        (int(r["side"]), int(r["price"]), (int(r["price2"]) - SECOND) // 1_000 if r["price2"] else 0, int(r["qty2"]))
        for r in found
    ]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("trade_first", [False, True])
def test_trades_say_what_was_executed_whichever_comes_first(tmp_path, trade_first, compiled):
    """A deleted and a smaller order are joined to their trades, a cancelled one to none; one was beyond the depth."""
    rows = imported(tmp_path, frames(trade_first=trade_first), compiled=compiled)
    assert executions(rows) == [(1, 10, 1, 10), (1, 10, 2, 5), (-1, 99, 0, 40)]
    late = rows[
        (rows["kind"] == EventKind.BOOK) & (rows["flags"] & Flag.UNSEEN != 0) & (rows["flags"] & Flag.SNAPSHOT == 0)
    ]
    assert len(late) == (1 if trade_first else 3)


def test_every_change_of_a_level_says_whose_order_it_was(tmp_path):
    """Totals are those of levels, so that whoever reads levels reads them."""
    rows = imported(tmp_path, frames(trade_first=True))
    of_level = rows[(rows["kind"] == EventKind.LEVEL) & (rows["flags"] & Flag.UNSEEN == 0)]
    whose = [(int(r["side"]), int(r["price"]), int(r["qty"]), (int(r["price2"]) - SECOND) // 1_000) for r in of_level]
    assert whose == [
        (1, 10, 10, 1), (1, 10, 30, 2), (-1, 11, 30, 3), (1, 10, 20, 1), (1, 10, 15, 2), (-1, 11, 0, 3),
        (1, 9, 70, 50_000),
    ]  # fmt: skip


def test_nothing_of_an_import_is_kept_halfway(tmp_path, monkeypatch):
    """The orders are the normalizer's, which no interrupted import saves: it begins anew."""
    from bloor.storage.reading import Reading

    kept: list[object] = []
    whole = Reading.standing

    def standing(self, position=None):
        kept.append(position)
        return whole(self, position)

    monkeypatch.setattr(Reading, "standing", standing)
    imported(tmp_path, frames(trade_first=True), keep_rows=1)
    assert kept == [None]
