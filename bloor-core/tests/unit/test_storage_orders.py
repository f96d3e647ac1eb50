"""Order-level data: what an import makes of each order's rows, how they are kept, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bloor.errors import InputFileError, RemoteProtocolError, UsageError
from bloor.market.events import EventKind, Flag
from bloor.market.orders import OrderQueues
from bloor.model.instrument import Instrument
from bloor.storage.export import ExportFormat, export
from bloor.storage.formats import hftbacktest as hft
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.layout import DAY_NS
from bloor.storage.load import load
from bloor.storage.manifest import read_imports
from bloor.storage.parquet import read_parquet
from bloor.storage.restore import replay_books
from bloor.testing.ordermarkets import made_orders

START = 19_000 * DAY_NS
BUY, SELL = hft.BUY, hft.SELL
ROWS = [
    (hft.ADD | BUY, 10, 1.5, 1.0, 7),
    (hft.ADD | BUY, 10, 1.5, 2.0, 8),
    (hft.ADD | SELL, 10, 1.6, 4.0, 9),
    (hft.MODIFY | BUY, 20, 1.5, 0.5, 7),
    (hft.MODIFY | BUY, 30, 1.5, 0.75, 7),
    (hft.TRADE | SELL, 40, 1.5, 2.25, 0),
    (hft.FILL | BUY, 40, 1.5, 2.0, 8),
    (hft.FILL | BUY, 40, 1.5, 0.25, 7),
    (hft.CANCEL | BUY, 40, 1.5, 0.0, 8),
    (hft.MODIFY | BUY, 40, 1.5, 0.5, 7),
    (hft.MODIFY | SELL, 50, 1.7, 4.0, 9),
]


def array(rows: list[tuple[Any, ...]]) -> np.ndarray[Any, Any]:
    """Rows of ``(kind and side, ns, price, quantity, order)`` as hftbacktest has them."""
    both = hft.EXCHANGE | hft.LOCAL
    return np.array([(ev | both, START + ns, START + ns + 5, *rest, 0, 0.0) for ev, ns, *rest in rows], hft.DTYPE)


@pytest.fixture
def keep(tmp_path, list_venue):
    """Imports rows into a catalogue; the manifest and the records."""

    def run(rows, **options):
        np.savez_compressed(tmp_path / "a.npz", data=rows)
        options = {"symbols": ["A-B"], **options}
        (made,) = import_data(tmp_path / "c", list_venue.SPEC, [tmp_path / "a.npz"], ImportOptions(**options))
        return made.manifest, load("lists", "A-B", catalogue=tmp_path / "c")

    return run


def changes(events: np.ndarray[Any, Any]) -> list[tuple[int, ...]]:
    """Levels as side, price, quantity, number of the order, executed."""
    levels = events[(events["kind"] == EventKind.LEVEL) & (events["flags"] & Flag.UNSEEN == 0)]
    return [tuple(int(row[name]) for name in ("side", "price", "qty", "price2", "qty2")) for row in levels]


def test_every_change_says_whose_order_it_is(keep):
    """Totals of the level, numbers in the sequence of joining; a larger or moved order has a new one."""
    manifest, events = keep(array(ROWS))
    assert (events.instrument.price_decimals, events.instrument.qty_decimals) == (1, 2)
    assert changes(events) == [
        (1, 15, 100, 1, 0), (1, 15, 300, 2, 0), (-1, 16, 400, 3, 0),
        (1, 15, 250, 1, 0),
        (1, 15, 200, 1, 0), (1, 15, 275, 4, 0),
        (1, 15, 275, 2, 200), (1, 15, 275, 4, 25), (1, 15, 75, 2, 0), (1, 15, 50, 4, 0),
        (-1, 16, 0, 3, 0), (-1, 17, 400, 5, 0),
    ]  # fmt: skip
    assert [book.top[:4].tolist() for _, book in replay_books(events, events.instrument)][-1] == [15, 50, 17, 400]
    (part,) = manifest.parts
    assert part.kinds["order"] == part.kinds["level"] == len(ROWS) + 4
    assert (events["kind"] == EventKind.TRADE).sum() == 1 and not manifest.errors


def test_an_execution_that_is_finer_than_the_units_waits_for_its_change(keep):
    """Where nothing has said yet how fine quantities are, what was executed is told with what is left."""
    rows = [
        (hft.ADD | BUY, 1, 1.5, 1.0, 7),
        (hft.FILL | BUY, 2, 1.5, 0.25, 7),
        (hft.FILL | BUY, 2, 1.5, 0.25, 7),
        (hft.MODIFY | BUY, 3, 1.5, 0.5, 7),
    ]
    manifest, events = keep(array(rows))
    assert not manifest.errors
    assert changes(events)[-1] == (1, 15, 5, 1, 5)


def test_orders_that_are_told_anew_keep_their_places(keep):
    """After a clearing, an order that is what it was, or smaller, has its number again; another one has a new one."""
    rows = [
        *((hft.ADD | BUY, 1, 1.5, 1.0, order) for order in (7, 8, 9)),
        (hft.CLEAR, 2, 0.0, 0.0, 0),
        (hft.ADD | BUY, 2, 1.5, 1.0, 7),
        (hft.ADD | BUY, 2, 1.5, 2.0, 8),
        (hft.ADD | BUY, 2, 1.5, 1.0, 9),
    ]
    assert changes(keep(array(rows))[1])[3:] == [(1, 15, 0, 0, 0), (1, 15, 1, 1, 0), (1, 15, 3, 4, 0), (1, 15, 4, 3, 0)]


def test_every_day_begins_with_every_order(keep):
    """A day can be read by itself: the book that is repeated says who stands where."""
    rows = array([*ROWS, (hft.ADD | BUY, DAY_NS + 10, 1.5, 3.0, 11), (hft.ADD | SELL, DAY_NS + 20, 1.7, 3.0, 12)])
    manifest, events = keep(rows)
    assert [part.kinds["order"] for part in manifest.parts] == [15, 5]
    again = events[(events["flags"] & Flag.UNSEEN != 0) & (events["kind"] == EventKind.LEVEL)][-3:]
    assert [tuple(row) for row in again[["side", "price", "qty", "price2"]].tolist()] == [
        (1, 15, 50, 4), (1, 15, 350, 6), (-1, 17, 400, 5),
    ]  # fmt: skip


def test_what_cannot_be_is_told_and_left_out(keep):
    """Unknown orders, orders that are there already, numbers that are none: errors with their rows."""
    rows = [
        (hft.ADD | BUY, 1, 1.5, 1.0, 7),
        (hft.ADD | BUY, 2, 1.4, 1.0, 7),
        (hft.CANCEL | BUY, 3, 1.5, 0.0, 8),
        (hft.FILL | BUY, 4, 1.5, 1.0, 9),
        (hft.MODIFY | BUY, 5, 1.5, -1.0, 7),
        (hft.ADD, 6, 1.5, 1.0, 10),
        (hft.ADD | BUY, 7, float("nan"), 1.0, 11),
        (hft.CANCEL | BUY, 8, 1.5, 0.0, 7),
    ]
    manifest, events = keep(array(rows))
    assert [error.rpartition("a.npz:")[2] for error in manifest.errors] == [
        "2: order 7 is added, and it is there already",
        "3: order 8 changes, and it was never added",
        "4: order 9 changes, and it was never added",
        "5: order 7: expected a number, got '-1'",
        "6: order 10 is added, expected a bid or an ask, got neither",
        "7: order 11: expected a number, got 'nan'",
    ]
    assert changes(events) == [(1, 15, 1, 1, 0), (1, 15, 0, 1, 0)]


def test_a_book_that_was_crossed_is_told_anew(keep):
    """Before an opening, orders may cross: the book is lost, and whole again with the change that uncrosses it."""
    rows = [
        *ROWS[:3],
        (hft.ADD | BUY, 20, 1.7, 1.0, 10),
        (hft.ADD | BUY, 30, 1.4, 1.0, 11),
        (hft.CANCEL | BUY, 40, 1.7, 0.0, 10),
        (hft.ADD | BUY, 50, 1.4, 2.0, 12),
    ]
    manifest, events = keep(array(rows))
    assert len(manifest.errors) == 1 and manifest.counts["crossed"] == 1
    assert changes(events)[3:] == [
        (1, 15, 1, 1, 0), (1, 15, 3, 2, 0), (1, 14, 1, 5, 0), (-1, 16, 4, 3, 0),
        (1, 14, 3, 6, 0),
    ]  # fmt: skip
    books = [(n, book.top[:4].tolist()) for n, (_, book) in enumerate(replay_books(events, events.instrument))]
    assert books[-1][1] == [15, 3, 16, 4]


def test_levels_and_orders_together_are_refused(keep):
    """An array says one or the other."""
    for first, second in (((hft.DEPTH | BUY, 1, 1.5, 1.0, 0), ROWS[0]), (ROWS[0], (hft.DEPTH | BUY, 90, 1.5, 1.0, 0))):
        with pytest.raises(InputFileError, match="expected changes of levels or of orders, got both: row 2"):
            keep(array([first, second]))


def test_orders_are_kept_without_loss(keep, tmp_path):
    """The form for keeping restores every record; finer units that come later count for what was executed too."""
    pytest.importorskip("pyarrow")
    late = (hft.ADD | BUY, 50, 1.4, 0.125, 77)
    manifest, events = keep(np.concatenate([made_orders(seed=5, events=300), array([late])]))
    for part in manifest.parts:
        stored = read_parquet(tmp_path / "c" / part.parquet.path)
        assert stored.tobytes() == (tmp_path / "c" / part.events.path).read_bytes()
    assert events.instrument.qty_decimals == 3
    fills = made_orders(seed=5, events=300)
    wanted = fills["qty"][(fills["ev"] & hft.KIND) == hft.FILL] * 1000
    executed = events["qty2"][(events["kind"] == EventKind.LEVEL) & (events["qty2"] != 0)]
    assert executed.tolist() == np.round(wanted).astype(int).tolist()


def test_text_and_frames_show_orders(keep, tmp_path):
    """CSV has the number of the order and what was executed; a frame has them in the same columns."""
    _, events = keep(array(ROWS))
    export(events, tmp_path / "x.csv", ExportFormat.CSV)
    lines = [line for line in (tmp_path / "x.csv").read_text().splitlines() if line.startswith("level")]
    assert [line.split(",")[6:] for line in lines if ",2.00" in line][-1] == ["1.5", "2.75", "2", "2.00"]
    pytest.importorskip("pandas")
    frame = load("lists", "A-B", kinds="level", catalogue=tmp_path / "c", as_="pandas")
    assert frame["raw_price2"].max() == 5 and frame["qty2"].max() == 2.0


def test_sql_shows_orders(keep, tmp_path):
    """The view of levels has the order's number and what was executed."""
    pytest.importorskip("duckdb")
    from bloor.storage.sql import query

    keep(array(ROWS))
    answer = query(tmp_path / "c", "select order_number, executed, executed_exact from levels where executed > 0")
    assert [(row[0], row[1], f"{row[2]:.2f}") for row in answer] == [(2, 2.0, "2.00"), (4, 0.25, "0.25")]


def test_a_level_of_many_orders_is_exact():
    """Sums are decimal: a thousand orders of a tenth are a hundred, and none is left when they are gone."""
    queues = OrderQueues()
    for order in range(1, 1001):
        [change] = queues.add(order, 1, "1.5", "0.1")
    assert change.total == "100.0" and queues.newest == len(queues) == 1000
    for order in range(1, 1001):
        [change] = queues.cancel(order)
    assert float(change.total) == 0 and not len(queues)
    queues.add(1, 1, "1.5", "2")
    with pytest.raises(RemoteProtocolError, match="becomes smaller, expected at most 2"):
        queues.reduce(1, "3")


def test_queues_stand_in_the_order_of_the_book():
    """Bids and asks best first, at each price in the sequence of joining, with the sum up to each order."""
    queues = OrderQueues()
    for order, side, price, qty in ((1, 1, "1.4", "1"), (2, -1, "1.7", "2"), (3, 1, "1.5", "3"), (4, 1, "1.4", "4")):
        queues.add(order, side, price, qty)
    unit = Instrument(venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=1, qty_decimals=0)
    levels, orders, bids = queues.standing(unit)
    assert levels.tolist() == [[15, 3], [14, 1], [14, 5], [17, 2]]
    assert orders[:, 0].tolist() == [3, 1, 4, 2] and bids == 3


def test_fifo_refuses_a_book_by_price(keep, tmp_path, list_venue):
    """What was expected, what came, of which instrument, and what to do; before anything runs."""
    from bloor.backtesting.byorder import require_orders
    from bloor.backtesting.rows import StoredRows

    _, events = keep(array(ROWS))
    require_orders("fifo", "lists:A-B", StoredRows([events]))
    by_price = np.array(events)
    by_price["price2"] = by_price["qty2"] = 0
    with pytest.raises(UsageError, match=r"expected order-level data of lists:A-B .*of levels do not say whose order"):
        require_orders("fifo", "lists:A-B", StoredRows([by_price]))
    silent = np.array(events)
    silent["qty2"][silent["kind"] == EventKind.LEVEL] = 0
    with pytest.raises(UsageError, match=r"1 trades, and of no order that it was executed; choose a model"):
        require_orders("fifo", "lists:A-B", StoredRows([silent]))
    with pytest.raises(UsageError, match="got no book"):
        require_orders("fifo", "lists:A-B", StoredRows([events[events["kind"] == EventKind.TRADE]]))


def test_the_list_of_a_catalogue_says_what_is_by_order(keep, tmp_path, capsys):
    """``bloor data ls`` tells parts with order-level data from the others."""
    from bloor.cli.catalogue import ls

    keep(array(ROWS))
    assert len(read_imports(tmp_path / "c")) == 1
    ls(catalogue=tmp_path / "c", check=False, json=True)
    (part,) = json.loads(capsys.readouterr().out)["parts"]
    assert part["by_order"] is True
